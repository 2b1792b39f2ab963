use super::holds;
use beamline::stage::linear;

#[test]
fn the_shader_equals_its_reference() {
    holds(linear::check);
}

#[test]
fn a_product_that_a_person_can_check() {
    let params = linear::LinearParams {
        quads: 1,
        inputs: 2,
        outputs: 1,
        has_bias: 1,
        x_base: 0,
        x_stride: 2,
        w_base: 0,
        w_stride: 3,
        b_base: 2,
        pad: [0; 3],
    };
    let arithmetic = beamline::gpu::Arithmetic::default();
    let x = [1f32, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0].map(f32::to_bits);
    let w = [2f32, 0.5, -1.0].map(f32::to_bits);
    let y = linear::reference(&params, arithmetic, (&x, &[0]), (&w, &[0]));
    let y: Vec<f32> = y.into_iter().map(f32::from_bits).collect();
    assert_eq!(y, [6.0, 13.0, 20.0, 27.0]);
}
