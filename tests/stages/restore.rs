use super::holds;
use beamline::stage::restore;

#[test]
fn the_shader_equals_its_reference() {
    holds(restore::check);
}
