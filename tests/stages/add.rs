use super::holds;
use beamline::stage::add;

#[test]
fn the_shader_equals_its_reference() {
    holds(add::check);
}
