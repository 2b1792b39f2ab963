use super::holds;
use beamline::stage::load;

#[test]
fn the_shader_equals_its_reference() {
    holds(load::check);
}
