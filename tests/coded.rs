//! Storage codes in whole trials: the direct engine held to the reference, and what each kind of
//! error comes to.

#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

mod support;

use beamline::engine::direct::Direct;
use beamline::engine::reference::Reference;
use beamline::engine::{Course, Engine, Job, TrialResult, Windows};
use beamline::fault::{Fault, FaultKind, Region, Replica};
use beamline::outcome::Outcome;
use beamline::scheme::{Code, Decoded, OnDue, OnRead, Protection, Scheme, Scrub, ScrubBy, Voter};
use beamline::workload::Workload;
use proptest::prelude::*;
use std::sync::Arc;
use support::trials::{coded, same, stored_fault};
use support::{gpu, random_workload};

const CONDITIONAL: Course = Course { first_step: 0, end_step: 1, conditional: true };

fn schemes(code: Code, conditional: bool) -> Vec<Scheme> {
    let scrub =
        |by| Scheme { scrub: Some(Scrub::steps(2, by)), ..coded(code, Protection::TmrOutput) };
    let mut all: Vec<Scheme> = Protection::ALL.map(|protection| coded(code, protection)).to_vec();
    all.extend(Protection::ALL.map(|protection| Scheme {
        on_read: OnRead::WriteBack,
        voter: if protection == Protection::TmrStorage { Voter::Word } else { Voter::Bitwise },
        ..coded(code, protection)
    }));
    if !conditional {
        all.push(Scheme { on_due: OnDue::Reload, ..coded(code, Protection::None) });
        all.extend([ScrubBy::Vote, ScrubBy::Reload, ScrubBy::Ecc].map(scrub));
        all.push(Scheme { protection: Protection::None, ..scrub(ScrubBy::Ecc) });
        all.push(Scheme {
            protection: Protection::Dmr,
            on_read: OnRead::WriteBack,
            ..scrub(ScrubBy::Ecc)
        });
    }
    all.retain(|scheme| scheme.refusal().is_none());
    all
}

/// One random problem of a code, under every scheme that can have it.
#[derive(Clone, Debug)]
struct Problem {
    seed: u64,
    rows: u32,
    windows: u32,
    lanes: usize,
    conditional: bool,
    trials: Vec<Vec<[u32; 5]>>,
}

prop_compose! {
    fn problem()(
        seed in any::<u64>(),
        rows in 1u32..6,
        windows in 1u32..4,
        lanes in 2usize..6,
        conditional in any::<bool>(),
        trials in prop::collection::vec(prop::collection::vec(any::<[u32; 5]>(), 0..7), 1..7),
    ) -> Problem {
        Problem { seed, rows, windows, lanes, conditional, trials }
    }
}

fn hold(code: Code, problem: &Problem) {
    let Problem { seed, rows, windows, lanes, conditional, ref trials } = *problem;
    let workload = Arc::new(random_workload(seed));
    let inputs = (0..rows * windows).map(|i| i % workload.inputs.count as u32).collect();
    let windows = Windows::new(rows, inputs);
    let steps = 5;
    let course = if conditional {
        CONDITIONAL
    } else {
        Course { end_step: steps, conditional, ..CONDITIONAL }
    };
    let job = |(trial, faults): (u64, &Vec<[u32; 5]>)| {
        let mut faults: Vec<Fault> =
            faults.iter().map(|r| stored_fault(&workload, conditional, steps, *r)).collect();
        faults.sort_by_key(|f| f.step);
        Job { trial, first_window: trial as u32 % windows.count() as u32, faults }
    };
    let jobs: Vec<Job> = (0u64..).zip(trials).map(job).collect();
    let arithmetic = gpu().adapter().arithmetic;
    let engine = Direct::new(gpu(), Arc::clone(&workload), windows.clone(), lanes, 3);
    let mut direct = engine.expect("an engine");
    let mut reference = Reference::new(Arc::clone(&workload), windows.clone(), arithmetic);
    for scheme in schemes(code, conditional) {
        let got = direct.run(&scheme, course, &jobs).expect("direct");
        let want = reference.run(&scheme, course, &jobs).expect("reference");
        for (got, want) in got.iter().zip(&want) {
            same(got, want, &format!("direct against reference: {scheme:?}"));
        }
    }
}

#[test]
fn direct_equals_reference_under_every_code() {
    for code in Code::ALL {
        let config =
            ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(problem in problem())| hold(code, &problem));
    }
}

/// Strikes on the first codeword of every code over 64 bits: words 0 and 1, and check byte 0.
fn strike(region: Region, index: u32, mask: u32, replica: u32) -> Fault {
    Fault {
        step: 0,
        time_s: 0.0,
        region,
        tensor: 0,
        index,
        row: 0,
        kind: FaultKind::Xor,
        mask,
        place: Replica::At(replica),
    }
}

fn word(index: u32, mask: u32) -> Fault {
    strike(Region::Weights, index, mask, 0)
}

/// Three flips of one codeword that a (72,64) code takes for one: bits 30 and 29 of word 0 and
/// another of words 0 and 1.
fn miscorrected(workload: &Workload, code: Code) -> Vec<Fault> {
    let mut block = workload.stored_image();
    block.truncate(code.block_words() as usize);
    let found = (0..61u32).map(|bit| (bit % 2, bit / 2)).find(|(index, bit)| {
        let (mut struck, mut check) = (block.clone(), code.encode(&block));
        struck[0] ^= 3 << 29;
        struck[*index as usize] ^= 1 << bit;
        let distinct = *index == 1 || *bit < 29;
        distinct && code.decode(&mut struck, &mut check) == Decoded::Corrected
    });
    let (index, bit) = found.expect("a triple that looks like a single");
    vec![word(0, 3 << 29), word(index, 1 << bit)]
}

/// Runs each list of faults as a trial of `scheme` on both engines.
fn outcomes(workload: &Arc<Workload>, scheme: &Scheme, trials: &[Vec<Fault>]) -> Vec<TrialResult> {
    held(workload, scheme, CONDITIONAL, 4, trials)
}

/// The same for a course, with so many lanes of the direct engine.
fn held(
    workload: &Arc<Workload>,
    scheme: &Scheme,
    course: Course,
    lanes: usize,
    trials: &[Vec<Fault>],
) -> Vec<TrialResult> {
    let windows = Windows::new(6, (0..6).collect());
    let mut direct =
        Direct::new(gpu(), Arc::clone(workload), windows.clone(), lanes, 3).expect("an engine");
    let mut reference = Reference::new(Arc::clone(workload), windows, gpu().adapter().arithmetic);
    let job = |(trial, faults): (u64, &Vec<Fault>)| Job {
        trial,
        first_window: 0,
        faults: faults.clone(),
    };
    let jobs: Vec<Job> = (0u64..).zip(trials).map(job).collect();
    let found = direct.run(scheme, course, &jobs).expect("direct");
    let want = reference.run(scheme, course, &jobs).expect("reference");
    found.iter().zip(&want).for_each(|(found, want)| same(found, want, &scheme.name));
    found
}

fn all_are(result: &TrialResult, outcome: Outcome) -> bool {
    result.tally.count(outcome) == result.tally.inferences()
}

#[test]
fn one_flip_is_corrected_two_are_lost_and_three_can_be_wrong_with_an_alarm() {
    let workload = Arc::new(random_workload(3));
    for code in [Code::Hamming72, Code::Hsiao72] {
        let trials = [
            vec![],
            vec![word(0, 1 << 30)],
            vec![strike(Region::Check, 0, 1, 0)],
            vec![word(0, 3 << 29)],
            vec![word(1, 1 << 30), strike(Region::Check, 0, 1 << 3, 0)],
            miscorrected(&workload, code),
        ];
        let found = outcomes(&workload, &coded(code, Protection::None), &trials);
        assert!(all_are(&found[0], Outcome::Masked), "{code:?}: no fault");
        assert!(all_are(&found[1], Outcome::Corrected), "{code:?}: one data bit");
        assert!(all_are(&found[2], Outcome::Corrected), "{code:?}: one check bit");
        assert!(all_are(&found[3], Outcome::Due), "{code:?}: two bits of a word");
        assert!(all_are(&found[4], Outcome::Due), "{code:?}: a data bit and a check bit");
        let wrong = &found[5];
        let worst = wrong.tally.worst();
        assert!(
            matches!(worst, Outcome::TolerableSdc | Outcome::CriticalSdc),
            "{code:?}: a miscorrection is delivered, found {worst:?}"
        );
        assert_eq!(wrong.tally.alarms, wrong.tally.inferences(), "{code:?}: and seen as corrected");
    }
}

#[test]
fn what_detects_only_loses_the_inference_and_nothing_else() {
    let workload = Arc::new(random_workload(3));
    for code in [Code::Parity, Code::Crc32] {
        let scheme = coded(code, Protection::None);
        let found = outcomes(&workload, &scheme, &[vec![word(2, 1 << 9)], vec![]]);
        assert!(all_are(&found[0], Outcome::Due), "{code:?}");
        assert!(all_are(&found[1], Outcome::Masked), "{code:?}");
    }
}

#[test]
fn copies_save_what_a_code_loses() {
    let workload = Arc::new(random_workload(3));
    let lost = |replica| strike(Region::Weights, 0, 3 << 29, replica);
    for (protection, outcome) in [
        (Protection::Dmr, Outcome::DueRecovered),
        (Protection::TmrStorage, Outcome::Corrected),
        (Protection::TmrOutput, Outcome::Corrected),
        (Protection::TmrLayer, Outcome::Corrected),
        (Protection::TmrTemporal, Outcome::Due),
    ] {
        let found = outcomes(&workload, &coded(Code::Hsiao72, protection), &[vec![lost(0)]]);
        assert!(all_are(&found[0], outcome), "{protection:?}: {:?}", found[0].tally);
    }
    // Decoders before the vote: one flip in each copy of the same bit would outvote the truth.
    let everywhere = (0..3).map(|replica| strike(Region::Weights, 0, 1 << 30, replica)).collect();
    let scheme = coded(Code::Hsiao72, Protection::TmrStorage);
    assert!(all_are(&outcomes(&workload, &scheme, &[everywhere])[0], Outcome::Corrected));
}

#[test]
fn what_is_struck_after_the_decoder_is_not_corrected() {
    let workload = Arc::new(random_workload(3));
    let late = strike(Region::Voted, 0, 1 << 30, 0);
    for (scheme, seen) in [
        (Scheme::bare("none", Protection::None), false),
        (Scheme::bare("tmr-output", Protection::TmrOutput), false),
        (Scheme::bare("tmr-storage", Protection::TmrStorage), true),
        (coded(Code::Hsiao72, Protection::None), true),
    ] {
        let found = outcomes(&workload, &scheme, &[vec![late]]).remove(0);
        assert_eq!(found.landings.len(), usize::from(seen), "{}", scheme.name);
        let worst = found.tally.worst();
        let delivered = matches!(worst, Outcome::TolerableSdc | Outcome::CriticalSdc);
        assert_eq!(delivered, seen, "{}: {worst:?}", scheme.name);
    }
}

#[test]
fn a_retry_of_one_trial_reads_no_memory_of_another() {
    let workload = Arc::new(random_workload(3));
    let by_label = workload.decision.is_of_classes();
    let voter = if by_label { Voter::Label } else { Voter::Tolerance };
    let scheme =
        Scheme { voter, on_read: OnRead::WriteBack, ..coded(Code::Hamming72, Protection::Dmr) };
    // Bits that are stuck and struck back: they show once a read has written back.
    let hidden = |bits: &[(u32, u32)]| -> Vec<Fault> {
        let of = |(index, bit): &(u32, u32)| {
            let strike = word(*index, 1 << bit);
            let set = workload.stored_word(*index) >> bit & 1 == 1;
            let kind = if set { FaultKind::StuckAt0 } else { FaultKind::StuckAt1 };
            [Fault { kind, ..strike }, strike]
        };
        bits.iter().flat_map(of).collect()
    };
    let retried = || vec![word(0, 3 << 29)];
    let trials = [retried(), hidden(&[(0, 0), (0, 1)])];
    let found = outcomes(&workload, &scheme, &trials);
    assert!(all_are(&found[0], Outcome::DueRecovered), "{:?}", found[0].tally);
    assert!(all_are(&found[1], Outcome::Masked), "{:?}", found[1].tally);
    // Three bits may look like one, which a read corrects to what the next one finds in order.
    let triple = |bit: u32| hidden(&[(0, 0), (0, 1), (bit % 2, bit / 2)]);
    let trials: Vec<Vec<Fault>> = std::iter::once(retried()).chain((4..64).map(triple)).collect();
    let course = Course { end_step: 3, conditional: false, ..CONDITIONAL };
    held(&workload, &scheme, course, trials.len() + 1, &trials);
}
