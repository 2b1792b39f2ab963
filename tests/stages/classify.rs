use super::holds;
use beamline::stage::classify;
use beamline::stage::decision::Rule;
use beamline::workload::{Decision, NanRank};

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
        rule: Rule::new(Decision::ArgMax { nan: NanRank::Differs }),
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

#[test]
fn decisions_are_the_same_as_their_definitions_have_it() {
    let words = |floats: &[f32]| floats.iter().map(|float| float.to_bits()).collect::<Vec<u32>>();
    let golden = words(&[0.1, 0.9, 0.5, 0.4]);
    let same = |decision, outputs: &[f32]| Rule::new(decision).same(&words(outputs), &golden);
    let nan = NanRank::Differs;
    let top = Decision::TopK { best: 2, nan };
    assert!(same(top, &[0.1, 0.5, 0.9, 0.4]), "the two largest in another order");
    assert!(!same(top, &[0.1, 0.9, 0.3, 0.4]), "another second");
    assert!(!same(top, &[0.1, 0.9, 0.5, f32::NAN]));
    let lowest = Decision::TopK { best: 2, nan: NanRank::Lowest };
    assert!(same(lowest, &[0.1, 0.9, 0.5, f32::NAN]), "a NaN is below all others");
    let highest = Decision::TopK { best: 2, nan: NanRank::Highest };
    assert!(!same(highest, &[0.1, 0.9, 0.5, f32::NAN]));
    let rank = Decision::Rank { best: 3, nan };
    assert!(same(rank, &[0.3, 0.9, 0.8, 0.4]), "1, 2, 3 as in golden");
    assert!(!same(rank, &[0.1, 0.5, 0.9, 0.4]), "2, 1, 3");
    // Above 0.3 golden has three outputs of four.
    let mask = |overlap| Decision::Mask { threshold: 0.3, overlap };
    assert!(same(mask(1.0), &[0.2, 0.31, 9.0, 0.5]));
    assert!(same(mask(0.66), &[0.1, 0.9, 0.5, 0.2]), "two of three");
    assert!(!same(mask(0.67), &[0.1, 0.9, 0.5, 0.2]));
    assert!(same(mask(0.75), &[0.4, 0.9, 0.5, 0.4]), "three of four");
    assert!(same(mask(0.66), &[0.1, 0.9, 0.5, f32::NAN]), "a NaN is not above");
    let empty = words(&[0.0; 4]);
    assert!(Rule::new(mask(1.0)).same(&empty, &empty), "two empty masks");
    assert!(!Rule::new(mask(0.01)).same(&golden, &empty));
    // What decides nothing agrees with nothing, and is no other decision than itself.
    let none = words(&[0.1, f32::NAN, 0.5, 0.4]);
    assert!(Rule::new(top).same(&none, &none) && !Rule::new(top).agree(&none, &none));
}
