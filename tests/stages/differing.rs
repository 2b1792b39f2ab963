use super::holds;
use beamline::stage::differing;

#[test]
fn the_shader_equals_its_reference() {
    holds(differing::check);
}
