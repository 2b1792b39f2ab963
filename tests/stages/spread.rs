use super::holds;
use beamline::stage::spread;

#[test]
fn the_shader_equals_its_reference() {
    holds(spread::check);
}
