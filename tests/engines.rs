//! The direct engine held to the reference: random workloads, faults and schemes, row by row.

#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

mod support;

use beamline::engine::direct::Direct;
use beamline::engine::reference::Reference;
use beamline::engine::{Course, Engine, Job, Windows};
use beamline::fault::{Fault, FaultKind, Region, Replica};
use beamline::outcome::Outcome;
use beamline::scheme::{Guard, OnDue, Protect, Protection, Scheme, Scrub, ScrubBy, Voter};
use beamline::workload::Workload;
use proptest::prelude::*;
use std::sync::Arc;
use support::trials::{composed, fault, same, scheme};
use support::{gpu, random_workload};

fn schemes(workload: &Workload, conditional: bool) -> Vec<Scheme> {
    let mut all = composed(workload);
    let guarded = Protection::ALL.map(scheme);
    all.extend(guarded.map(|s| Scheme { guard: Some(Guard::NonFinite), ..s }));
    if !conditional {
        let scrub = |every_steps, by| Some(Scrub::steps(every_steps, by));
        all.push(Scheme { scrub: scrub(2, ScrubBy::Vote), ..scheme(Protection::TmrStorage) });
        all.push(Scheme { scrub: scrub(1, ScrubBy::Vote), ..scheme(Protection::TmrOutput) });
        all.push(Scheme { scrub: scrub(2, ScrubBy::Vote), ..scheme(Protection::TmrLayer) });
        all.push(Scheme {
            voter: Voter::Word,
            scrub: scrub(1, ScrubBy::Vote),
            ..scheme(Protection::TmrStorage)
        });
        let partly = Protect { bits: Some(vec![31, 30]), ..Protect::default() };
        all.push(Scheme {
            protect: Some(partly),
            scrub: scrub(1, ScrubBy::Vote),
            ..scheme(Protection::TmrStorage)
        });
        all.push(Scheme { scrub: scrub(3, ScrubBy::Reload), ..scheme(Protection::None) });
        all.push(Scheme {
            guard: Some(Guard::NonFinite),
            on_due: OnDue::Reload,
            ..scheme(Protection::TmrOutput)
        });
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn direct_equals_reference(
        seed in any::<u64>(),
        rows in 1u32..9,
        windows in 1u32..4,
        lanes in 2usize..6,
        conditional in any::<bool>(),
        trials in prop::collection::vec(prop::collection::vec(any::<[u32; 6]>(), 0..5), 1..7),
    ) {
        let workload = Arc::new(random_workload(seed));
        let inputs = (0..rows * windows).map(|i| i % workload.inputs.count as u32).collect();
        let windows = Windows::new(rows, inputs);
        let steps = 5;
        let course = Course { first_step: 0, end_step: if conditional { 1 } else { steps }, conditional };
        let jobs: Vec<Job> = (0u64..).zip(&trials).map(|(trial, faults)| {
            let mut faults: Vec<Fault> =
                faults.iter().map(|r| fault(&workload, rows, conditional, steps, *r)).collect();
            faults.sort_by_key(|f| f.step);
            Job { trial, first_window: trial as u32 % windows.count() as u32, faults }
        }).collect();
        let arithmetic = gpu().adapter().arithmetic;
        let engine = Direct::new(gpu(), Arc::clone(&workload), windows.clone(), lanes, 3);
        let mut direct = engine.expect("an engine");
        let mut reference = Reference::new(Arc::clone(&workload), windows, arithmetic);
        prop_assert_eq!(direct.golden_outputs(), reference.golden_outputs());
        for scheme in schemes(&workload, conditional) {
            let got = direct.run(&scheme, course, &jobs).expect("direct");
            let want = reference.run(&scheme, course, &jobs).expect("reference");
            for (got, want) in got.iter().zip(&want) {
                same(got, want, &format!("direct against reference: {scheme:?}"));
            }
        }
    }
}

/// The control cases of DESIGN's property 11, on both engines.
#[test]
fn one_stuck_replica_is_masked_and_the_same_bit_in_two_is_not() {
    let workload = Arc::new(random_workload(3));
    let windows = Windows::new(6, (0..6).collect());
    let course = Course { first_step: 0, end_step: 1, conditional: true };
    let strike = |replica, kind, mask| Fault {
        step: 0,
        time_s: 0.0,
        region: Region::Weights,
        tensor: 0,
        index: 1,
        row: 0,
        kind,
        mask,
        place: Replica::At(replica),
    };
    let word = workload.tensors[0].words[1];
    let (kind, other) = if word >> 31 == 1 {
        (FaultKind::StuckAt0, FaultKind::StuckAt1)
    } else {
        (FaultKind::StuckAt1, FaultKind::StuckAt0)
    };
    let job = |trial, faults| Job { trial, first_window: 0, faults };
    let jobs = [
        job(0, vec![]),
        job(1, vec![strike(1, kind, 1 << 31)]),
        job(2, vec![strike(0, FaultKind::Xor, 1 << 30), strike(2, FaultKind::Xor, 1 << 30)]),
        job(3, vec![strike(2, other, 1 << 31)]),
        job(4, vec![strike(0, FaultKind::Xor, 0)]),
    ];
    let mut direct =
        Direct::new(gpu(), Arc::clone(&workload), windows.clone(), 4, 3).expect("an engine");
    let mut reference = Reference::new(workload, windows, gpu().adapter().arithmetic);
    let engines: [&mut dyn Engine; 2] = [&mut direct, &mut reference];
    for engine in engines {
        for protection in [Protection::TmrStorage, Protection::TmrOutput] {
            let results = engine.run(&scheme(protection), course, &jobs).expect("results");
            let worst: Vec<Outcome> = results.iter().map(|r| r.tally.worst()).collect();
            assert_eq!(worst[0], Outcome::Masked, "no fault");
            assert!(worst[1] <= Outcome::Corrected, "one stuck replica under {protection:?}");
            assert!(worst[2] >= Outcome::TolerableSdc, "the same bit of two under {protection:?}");
            assert_eq!(worst[3], Outcome::Masked, "stuck at the stored bit");
            assert_eq!(worst[4], Outcome::Masked, "a mask of zero");
            assert!(results[2].tally.count(Outcome::Corrected) < 6);
            assert_eq!(
                results[3].landings[0].before, results[3].landings[0].after,
                "it has landed"
            );
        }
    }
}
