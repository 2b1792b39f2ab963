use super::holds;
use beamline::stage::span;

#[test]
fn the_shader_equals_its_reference() {
    holds(span::check);
}
