//! What is wrong in hardened storage comes to every copy with the next reload.

#[path = "support/bench.rs"]
mod bench;

use beamline::mission::{
    Cause, Restored, SchemeHistory, State, StateRows, Upset, What, Why, simulate,
};
use beamline::outcome::{InferenceRow, Outcome};
use beamline::scheme::{Code, OnDue, OnRead, Placement, Protection, Scheme, ScrubBy};
use beamline::seed::{Domain, below, stream, unit};
use bench::{Bench, bit, scheme, scrub, upset};
use std::collections::HashSet;
use std::sync::Arc;

fn count(history: &SchemeHistory, outcome: Outcome) -> u64 {
    history.outcomes[outcome as usize]
}

fn assert_sums(history: &SchemeHistory) {
    let sum = history.outcomes.iter().sum::<u64>() + history.unavailable;
    assert_eq!(sum, history.inferences);
    for outcome in &Outcome::ALL[1..] {
        let of_episodes: u64 = history.episodes.iter().map(|of| of.count(*outcome)).sum();
        assert_eq!(of_episodes, count(history, *outcome), "{outcome:?}");
    }
}

const fn struck(word: u32) -> What {
    What::Hardened { word, mask: 1 }
}

/// Four copies that are read once a second each.
fn bench(scheme: &Scheme) -> Bench {
    Bench::new(scheme, 576, 4, 1.0)
}

#[test]
fn a_reload_scrub_brings_it_to_copies_that_did_not_differ() {
    for (protection, code) in [
        (Protection::None, None),
        (Protection::None, Some(Code::Hsiao72)),
        (Protection::TmrStorage, None),
    ] {
        let of = |by| scheme(protection, code, Some(scrub(100.0, by, false)));
        let history = bench(&of(ScrubBy::Reload)).run(vec![upset(150.0, struck(3))]);
        // Half a pass later on the mean over memory, and to the mission's end.
        assert_eq!(count(&history, Outcome::CriticalSdc), 4 * 800, "{protection:?}");
        let [episode] = &history.episodes[..] else { panic!("{:?}", history.episodes) };
        assert_eq!((episode.cause, episode.upset, episode.copy), (Cause::Memory, 0, u64::MAX));
        assert_eq!((episode.start_s, episode.end_s), (150.0, 1000.0));
        assert_eq!((episode.first_critical_s, episode.ended), (Some(200.0), Restored::Mission));
        let replicas = protection.redundancy().copies;
        let changes: Vec<_> = history.changes.iter().map(|c| (c.time_s, c.copy, c.words)).collect();
        let words = 4 * replicas * if code.is_some() { 2 } else { 1 };
        assert_eq!(changes, [(200.0, u64::MAX, words)]);
        assert_sums(&history);
        let none = bench(&scheme(protection, code, None)).run(vec![upset(150.0, struck(3))]);
        assert_eq!(count(&none, Outcome::Masked), 4000, "nothing is reloaded");
    }
    let voted = scheme(Protection::TmrStorage, None, Some(scrub(100.0, ScrubBy::Vote, false)));
    let voted = bench(&voted).run(vec![upset(150.0, struck(3))]);
    assert_eq!(count(&voted, Outcome::Masked), 4000, "a vote does not ask hardened storage");
}

#[test]
fn a_reset_brings_it_to_every_copy() {
    let plain = bench(&scheme(Protection::None, None, None));
    let history = plain.run(vec![upset(150.0, struck(3)), upset(300.1, What::Sefi)]);
    // Back at 360.1 s: inferences from 1441 on.
    assert_eq!(count(&history, Outcome::CriticalSdc), 4000 - 1441);
    assert_eq!((history.unavailable, history.first_critical_s), (240, Some(1441.0 / 4.0)));
    assert_sums(&history);
    // The same bit struck again is right, and the next reset brings that too.
    let twice = plain.run(vec![
        upset(150.0, struck(3)),
        upset(300.1, What::Sefi),
        upset(500.0, struck(3)),
        upset(600.1, What::Sefi),
    ]);
    assert_eq!(count(&twice, Outcome::CriticalSdc), 2401 - 1441);
    assert_eq!((twice.episodes.len(), twice.episodes[0].ended), (1, Restored::Reset));
    assert_eq!((twice.episodes[0].upsets, twice.episodes[0].end_s), (1, 600.1));
    assert_sums(&twice);
}

#[test]
fn a_replica_that_is_loaded_anew_is_outvoted_and_put_right() {
    let placed = |scrub| Scheme {
        placement: Placement::Device,
        ..scheme(Protection::TmrStorage, None, scrub)
    };
    let events = || vec![upset(150.0, struck(3)), Upset { device: 1, ..upset(300.1, What::Sefi) }];
    let kept = bench(&placed(None)).run(events());
    assert_eq!(count(&kept, Outcome::Corrected), 4000 - 1201, "two outvote it");
    let voted = bench(&placed(Some(scrub(100.0, ScrubBy::Vote, false)))).run(events());
    assert_eq!(count(&voted, Outcome::Corrected), 200, "until half a pass later");
    assert_eq!(voted.episodes[0].ended, Restored::Scrub);
    let written = Scheme { on_read: OnRead::WriteBack, ..placed(None) };
    let written = bench(&written).run(events());
    assert_eq!(count(&written, Outcome::Corrected), 4, "each copy's first read");
    assert_eq!(written.read_repaired, 4);
    for history in [kept, voted, written] {
        assert_eq!(count(&history, Outcome::CriticalSdc), 0);
        assert_sums(&history);
    }
}

#[test]
fn copies_struck_by_themselves_and_single_inferences_count_once() {
    let reload = scheme(Protection::None, None, Some(scrub(100.0, ScrubBy::Reload, false)));
    let bench = bench(&reload);
    let history = bench.run(vec![
        upset(150.0, struck(3)),
        // Another entry of copy 1, which the pass puts right at 526.7 s but for word 3.
        bench.hit(450.1, (0, 1, 5), bit(9)),
        upset(460.26, What::LogicSdc),
        upset(500.1, What::Uncorrectable { entry: 7 }),
        upset(500.26, What::LogicSdc),
    ]);
    let mut expected = [0; 7];
    expected[Outcome::CriticalSdc as usize] = 3199;
    expected[Outcome::Due as usize] = 1;
    expected[Outcome::Masked as usize] = 800;
    assert_eq!(history.outcomes, expected);
    assert_sums(&history);
    let of_copy: Vec<_> = history.episodes.iter().filter(|of| of.copy == 1).collect();
    // The copy's own episode, and the one inference that memory reported an error to.
    assert_eq!(of_copy.len(), 2, "{of_copy:?}");
    assert_eq!((of_copy[0].start_s, of_copy[0].ended), (450.1, Restored::Scrub));
    assert!((526.7..526.8).contains(&of_copy[0].end_s), "{of_copy:?}");
}

#[test]
fn a_copy_that_is_as_all_are_again_is_noted() {
    let reload = scheme(Protection::None, None, Some(scrub(100.0, ScrubBy::Reload, false)));
    let bench = bench(&reload);
    let history = bench.run(vec![
        upset(150.0, struck(3)),
        bench.hit(160.1, (0, 1, 5), bit(9)),
        bench.hit(450.1, (0, 2, 5), bit(9)),
    ]);
    let of = |copy: u64| -> Vec<_> {
        let changes = history.changes.iter().filter(|change| change.copy == copy);
        changes.map(|change| (change.words, change.ended)).collect()
    };
    assert_eq!(of(u64::MAX), [(3, None)], "of the cohort");
    // The pass brings word 3 to copy 1, which then is right but for that.
    assert_eq!(of(1), [(1, None), (1, None), (2, None), (1, Some(Restored::Scrub))]);
    assert_eq!(of(2), [(2, None), (1, Some(Restored::Scrub))]);
}

#[test]
fn the_first_wrong_answer_is_one_that_was_given() {
    let reload = scheme(Protection::None, None, Some(scrub(100.0, ScrubBy::Reload, false)));
    let bench = bench(&reload);
    let run = |more: Upset| bench.run(vec![upset(150.1, struck(3)), more]);
    let of_all = |history: &SchemeHistory| {
        let all = history.episodes.iter().find(|of| of.copy == u64::MAX).expect("one");
        (all.first_effect_s, all.first_critical_s)
    };
    // It comes to all copies at 200.1 s; they are next read at 200.25 s.
    let away = run(upset(200.2, What::Sefi));
    assert_eq!(
        (of_all(&away), away.first_critical_s),
        ((Some(260.25), Some(260.25)), Some(260.25))
    );
    let own = run(bench.hit(190.1, (0, 1, 5), bit(9)));
    assert_eq!(of_all(&own), (Some(200.5), Some(200.5)), "copy 1 is followed by itself");
    assert_eq!(own.first_critical_s, Some(190.25));
    let worse = run(upset(200.15, What::Uncorrectable { entry: 7 }));
    assert_eq!(of_all(&worse), (Some(200.5), Some(200.5)), "nothing was delivered at 200.25 s");
    for history in [away, own, worse] {
        assert_sums(&history);
    }
}

#[test]
fn blocks_that_are_put_right_count_once_where_a_copy_differs_by_itself() {
    let by = Some(scrub(100.0, ScrubBy::Vote, false));
    let placed = |scrub, on_read| Scheme {
        placement: Placement::Device,
        on_read,
        ..scheme(Protection::TmrStorage, None, scrub)
    };
    let run = |scheme: &Scheme| {
        let bench = bench(scheme);
        bench.run(vec![
            upset(150.0, struck(3)),
            // Replica 1 of all copies is loaded anew; then copy 1 is struck by itself.
            Upset { device: 1, ..upset(300.1, What::Sefi) },
            bench.hit(300.2, (0, 1, 0), bit(40)),
        ])
    };
    let voted = run(&placed(by, OnRead::default()));
    assert_eq!(voted.scrub_repaired, 4, "a block of each copy");
    // All at 350.1 s, but copy 1 at 325 s.
    assert_eq!(count(&voted, Outcome::Corrected), 3 * 50 + 25);
    let written = run(&placed(None, OnRead::WriteBack));
    assert_eq!(written.read_repaired, 4);
    assert_eq!(count(&written, Outcome::Corrected), 4);
    for history in [voted, written] {
        assert_sums(&history);
    }
}

/// Says of every state that it delivers nothing.
struct Nothing;

impl StateRows for Nothing {
    fn rows(&mut self, _: usize, _: &State) -> Option<Arc<[InferenceRow]>> {
        Some(vec![InferenceRow(Outcome::Due as u32)].into())
    }
}

#[test]
fn a_due_that_no_reload_mends_comes_again() {
    let of = |on_due| {
        let by = Some(scrub(100.0, ScrubBy::Reload, false));
        let bench = bench(&Scheme { on_due, ..scheme(Protection::None, None, by) });
        simulate(&bench.ground, &bench.terms, (0.0, &[upset(150.0, struck(3))]), &mut Nothing)
    };
    let reloaded = of(OnDue::Reload);
    assert_eq!((count(&reloaded, Outcome::Due), reloaded.reloads), (3200, 3200));
    let reset = of(OnDue::Reset);
    // From 200 s on one read and 60 s of reset each: every 60.25 s.
    assert_eq!((count(&reset, Outcome::Due), reset.away.len()), (14, 14));
    assert!(reset.away.iter().all(|away| away.why == Why::Due));
    for history in [reloaded, reset] {
        assert_sums(&history);
    }
}

#[test]
fn crowded_missions_with_resets_equal_a_count_one_inference_at_a_time() {
    for seed in 0..60 {
        let mut draws = stream(seed, Domain::Generate, &[2]);
        let mut bench = bench(&scheme(Protection::None, None, None));
        bench.ground.reset_s = 2.5;
        let mut all: Vec<Upset> = Vec::new();
        for _ in 0..20 + below(&mut draws, 400) {
            let time_s = unit(&mut draws) * 900.0;
            all.push(match below(&mut draws, 20) {
                0 | 1 => upset(time_s, What::Sefi),
                2 => upset(time_s, struck(8 * u32::try_from(below(&mut draws, 2)).expect("small"))),
                3..=7 => upset(time_s, What::LogicSdc),
                8 | 9 => upset(time_s, What::Uncorrectable { entry: 7 }),
                _ => {
                    let (copy, entry) = (below(&mut draws, 4), below(&mut draws, 2));
                    bench.hit(time_s, (0, copy, entry), bit(0))
                }
            });
        }
        let history = bench.run(all.clone());
        all.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        assert_eq!(
            (history.outcomes, history.unavailable),
            one_by_one(&bench, &all),
            "seed {seed}"
        );
        assert_sums(&history);
    }
}

/// Every inference by itself, without scrub or protection; bit 0 of entries 0 and 1 may differ.
#[expect(clippy::cast_possible_truncation, reason = "counts")]
fn one_by_one(bench: &Bench, upsets: &[Upset]) -> ([u64; 7], u64) {
    let (rate, seconds) = (bench.ground.reads.per_s, bench.ground.reset_s);
    let before = |time_s: f64| (time_s * rate).ceil().max(0.0) as u64;
    let (mut flipped, mut stored): (HashSet<u64>, HashSet<u64>) = Default::default();
    let toggle = |set: &mut HashSet<u64>, entry: u64| {
        if !set.remove(&entry) {
            set.insert(entry);
        }
    };
    let (mut until, mut away): (f64, Vec<(u64, u64)>) = (0.0, Vec::new());
    let mut alone: Vec<(u64, Outcome)> = Vec::new();
    let mut of_inference = vec![Outcome::Masked; before(bench.ground.horizon_s) as usize];
    let mut next = upsets.iter().peekable();
    for inference in 0..of_inference.len() as u64 {
        while let Some(upset) = next.next_if(|upset| upset.time_s <= inference as f64 / rate) {
            let at = upset.time_s;
            match &upset.what {
                What::Memory(hit) => toggle(&mut flipped, hit.strikes[0].entry),
                What::Hardened { word, .. } => toggle(&mut stored, u64::from(*word) / 8),
                What::LogicSdc => {
                    let running = (at * rate).floor();
                    if running as u64 >= before(until) && at * rate - running < bench.ground.duty {
                        alone.push((running as u64, Outcome::CriticalSdc));
                    }
                }
                What::Uncorrectable { .. } if at >= until => alone.push((before(at), Outcome::Due)),
                What::Sefi => {
                    alone.retain(|(of, what)| *what != Outcome::Due || *of < before(at));
                    away.push((before(at.max(until)), before(at + seconds)));
                    until = at + seconds;
                    flipped =
                        (0..4).flat_map(|copy| stored.iter().map(move |e| 72 * copy + e)).collect();
                }
                _ => {}
            }
        }
        if flipped.iter().any(|entry| entry / 72 == inference % 4) {
            of_inference[inference as usize] = Outcome::CriticalSdc;
        }
    }
    for (at, outcome) in alone {
        if let Some(of) = of_inference.get_mut(at as usize) {
            *of = outcome.max(*of);
        }
    }
    let (mut outcomes, mut unavailable) = ([0; 7], 0);
    for (inference, outcome) in (0u64..).zip(of_inference) {
        if away.iter().any(|(from, to)| (*from..*to).contains(&inference)) {
            unavailable += 1;
        } else {
            outcomes[outcome as usize] += 1;
        }
    }
    (outcomes, unavailable)
}
