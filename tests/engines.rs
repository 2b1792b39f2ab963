//! The direct engine held to the reference: random workloads, faults and schemes, row by row.

#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

mod support;

use beamline::engine::direct::Direct;
use beamline::engine::reference::Reference;
use beamline::engine::{Course, Engine, Job, TrialResult, Windows};
use beamline::fault::{Fault, FaultKind, Place, Region};
use beamline::outcome::Outcome;
use beamline::scheme::{Guard, OnDue, OnRead, Protect, Protection, Scheme, Scrub, ScrubBy, Voter};
use beamline::workload::{Decision, Workload};
use proptest::prelude::*;
use std::sync::Arc;
use support::{gpu, random_workload};

fn scheme(protection: Protection) -> Scheme {
    Scheme::bare(protection.name(), protection)
}

/// One fault anywhere in the workload, from four random numbers.
fn fault(workload: &Workload, rows: u32, conditional: bool, steps: u32, r: [u32; 6]) -> Fault {
    let regions = [Region::Weights, Region::Input, Region::Activations, Region::Voted];
    let region = regions[r[0] as usize % regions.len()];
    let sites: Vec<_> = workload.sites().collect();
    let (tensor, words) = match region {
        Region::Weights | Region::Voted | Region::Check => {
            let tensor = r[1] as usize % workload.tensors.len();
            (tensor, workload.tensors[tensor].words.len())
        }
        Region::Input => (0, workload.inputs.features),
        Region::Activations => {
            let (op, _) = sites[r[1] as usize % sites.len()];
            (op, workload.features(workload.ops[op].output) as usize)
        }
    };
    let kinds = [FaultKind::Xor, FaultKind::Xor, FaultKind::StuckAt0, FaultKind::StuckAt1];
    let bits = [31, 30, 29, 28, 27, 23, 22, 12, 0];
    Fault {
        step: if conditional { 0 } else { r[5] % steps },
        time_s: 0.0,
        region,
        tensor: tensor as u32,
        index: r[2] % words as u32,
        row: if region.is_of_one_inference() { r[3] % rows } else { 0 },
        kind: if conditional { kinds[r[4] as usize % 4] } else { FaultKind::Xor },
        mask: 1 << bits[r[4] as usize / 4 % bits.len()],
        place: if conditional {
            Place::Share(f64::from(r[5]) / (f64::from(u32::MAX) + 1.0))
        } else {
            Place::At(r[5] / 7 % 4)
        },
    }
}

/// Every protection with every voter, repair and selection that it can have in this workload.
fn composed(workload: &Workload) -> Vec<Scheme> {
    let voters = [Voter::Bitwise, Voter::Word, Voter::Label, Voter::Tolerance];
    let all = Protection::ALL.into_iter().flat_map(|protection| {
        voters.into_iter().flat_map(move |voter| {
            [OnRead::Keep, OnRead::WriteBack].map(|on_read| Scheme {
                voter,
                on_read,
                ..scheme(protection)
            })
        })
    });
    let some = |tensors: Option<&[usize]>, bits: Option<&[u32]>| Scheme {
        protect: Some(Protect {
            tensors: tensors
                .map(|list| list.iter().map(|t| workload.tensors[*t].name.clone()).collect()),
            bits: bits.map(<[u32]>::to_vec),
            choice: None,
        }),
        ..scheme(Protection::TmrStorage)
    };
    let few = [
        some(Some(&[0, 3]), None),
        some(None, Some(&[31, 30, 29, 28])),
        Scheme { on_read: OnRead::WriteBack, ..some(Some(&[2]), Some(&[31, 30, 12])) },
        Scheme { voter: Voter::Word, ..some(None, Some(&[31, 30, 23])) },
    ];
    let by_label = matches!(workload.decision, Decision::ArgMax { .. });
    let tensors: Vec<&str> = workload.tensors.iter().map(|t| t.name.as_str()).collect();
    all.chain(few)
        .filter(|s| s.refusal().is_none() && s.workload_refusal(&tensors, by_label).is_none())
        .collect()
}

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

fn same(left: &TrialResult, right: &TrialResult, name: &str) {
    let mut left = left.clone();
    let mut right = right.clone();
    left.landings.sort_by_key(|l| (l.fault, l.replica));
    right.landings.sort_by_key(|l| (l.fault, l.replica));
    assert_eq!(left, right, "direct against reference under {name}");
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
                same(got, want, &format!("{scheme:?} in trial {}", got.trial));
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
        place: Place::At(replica),
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
