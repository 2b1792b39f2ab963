use super::holds;
use beamline::stage::probe;

#[test]
fn the_shader_equals_its_reference() {
    holds(probe::check);
}
