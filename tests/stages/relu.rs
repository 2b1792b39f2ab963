use super::holds;
use beamline::stage::relu;

#[test]
fn the_shader_equals_its_reference() {
    holds(relu::check);
}

#[test]
fn a_nan_follows_the_rule_and_minus_zero_becomes_zero() {
    let nan = 0xffc0_0001;
    assert_eq!(relu::relu(nan, false), nan);
    assert_eq!(relu::relu(nan, true), 0);
    assert_eq!(relu::relu((-0f32).to_bits(), false), 0);
    assert_eq!(relu::relu((-3f32).to_bits(), false), 0);
    assert_eq!(relu::relu(3f32.to_bits(), true), 3f32.to_bits());
    assert_eq!(relu::relu(f32::INFINITY.to_bits(), true), f32::INFINITY.to_bits());
}
