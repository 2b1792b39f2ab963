use super::holds;
use beamline::stage::classify;

#[test]
fn the_shader_equals_its_reference() {
    holds(classify::check);
}

use beamline::outcome::{InferenceRow, Outcome};
use beamline::stage::{inject, output_vote};
use classify::{ClassifyInputs, ClassifyParams};

/// What one row of two outputs comes to.
fn row(guard: u32, outputs: [f32; 2], dissent: u32, verdict: u32, trap: u32) -> InferenceRow {
    let params = ClassifyParams {
        rows: 4,
        features: 2,
        lanes: 1,
        guard,
        decision: 0,
        nan: 0,
        relative: 0.0,
        pad: 0,
    };
    let spread = |[f, g]: [f32; 2]| [f.to_bits(), 0, 0, 0, g.to_bits(), 0, 0, 0];
    let inputs = ClassifyInputs {
        windows: &[0][..],
        delivered: &spread(outputs),
        golden: &spread([1.0, 2.0]),
        labels: &[1, 0, 0, 0],
        alarms: &[0, 0, 0, 0, dissent],
        verdicts: &[verdict, 0, 0, 0],
        traps: &[0, inject::TRAP_INDEX, 0, 0, trap],
    };
    let rows = classify::reference(&params, inputs);
    assert!(InferenceRow(rows[1]).outcome() >= Outcome::Due, "an index of its own ended it");
    InferenceRow(rows[0])
}

#[test]
fn the_first_line_of_the_table_that_applies_decides() {
    let good = [1.0, 2.0];
    let retried = output_vote::RETRIED | output_vote::ALARM;
    let none = output_vote::NONE | output_vote::ALARM;
    assert_eq!(row(0, good, 0, 0, 0).outcome(), Outcome::Masked);
    assert_eq!(row(0, good, 1, 0, 0).outcome(), Outcome::Corrected);
    assert_eq!(row(0, good, 0, retried, 0).outcome(), Outcome::DueRecovered);
    assert_eq!(row(0, [1.0, 2.5], 0, 0, 0).outcome(), Outcome::TolerableSdc);
    assert_eq!(row(0, [3.0, 2.0], 0, 0, 0).outcome(), Outcome::CriticalSdc);
    assert_eq!(row(0, [3.0, 2.0], 1, 0, 0).outcome(), Outcome::CriticalSdc, "a miscorrection");
    assert_eq!(row(0, good, 0, none, 0).outcome(), Outcome::Due);
    assert_eq!(row(0, good, 0, 0, inject::TRAP_INDEX).outcome(), Outcome::Due);
    assert_eq!(row(0, good, 0, none, inject::TRAP_BUDGET).outcome(), Outcome::Hang);
    let nan = [1.0, f32::NAN];
    assert_eq!(row(0, nan, 0, 0, 0).outcome(), Outcome::CriticalSdc, "delivered: no guard");
    assert_eq!(row(1, nan, 0, 0, 0).outcome(), Outcome::Due);
    assert!(row(1, nan, 0, 0, 0).has(InferenceRow::ALARM));
    assert!(row(0, nan, 0, 0, 0).has(InferenceRow::NON_FINITE));
    assert!(row(0, good, 0, 0, 0).has(InferenceRow::LABEL_CORRECT));
    assert!(!row(1, nan, 0, 0, 0).has(InferenceRow::LABEL_CORRECT));
}
