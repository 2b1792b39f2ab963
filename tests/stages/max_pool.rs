use super::holds;
use beamline::stage::max_pool;

#[test]
fn the_shader_equals_its_reference() {
    holds(max_pool::check);
}

#[test]
fn a_nan_wins_or_is_passed_over_and_the_first_of_equals_is_kept() {
    let words = [1f32, f32::NAN, 2.0].map(f32::to_bits);
    assert_eq!(max_pool::largest(words.into_iter(), false), f32::NAN.to_bits());
    assert_eq!(max_pool::largest(words.into_iter(), true), 2f32.to_bits());
    let zeros = [-0f32, 0.0].map(f32::to_bits);
    assert_eq!(max_pool::largest(zeros.into_iter(), false), (-0f32).to_bits());
}
