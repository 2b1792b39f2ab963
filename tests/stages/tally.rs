use super::holds;
use beamline::stage::tally;

#[test]
fn the_shader_equals_its_reference() {
    holds(tally::check);
}
