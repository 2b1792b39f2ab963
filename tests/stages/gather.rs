use super::holds;
use beamline::stage::gather;

#[test]
fn the_shader_equals_its_reference() {
    holds(gather::check);
}
