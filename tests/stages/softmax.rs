use super::holds;
use beamline::stage::softmax;

#[test]
fn the_shader_equals_its_reference() {
    holds(softmax::check);
}

#[test]
fn exp_is_within_two_units_of_the_last_place() {
    let arithmetic = beamline::gpu::Arithmetic { fma_fused: true, flushes_subnormals: false };
    for step in 0..87_000u32 {
        let x = -(step as f32) / 1000.0;
        let got = softmax::exp(arithmetic, x);
        let want = f64::from(x).exp();
        let ulp = f64::from(f32::from_bits(x.exp().to_bits() + 1) - x.exp());
        assert!((f64::from(got) - want).abs() <= 2.0 * ulp, "exp({x}) = {got}, not {want}");
    }
    assert_eq!(softmax::exp(arithmetic, f32::NEG_INFINITY).to_bits(), 0);
    assert!(softmax::exp(arithmetic, f32::NAN).is_nan());
}
