//! Outcomes of a mission sum to its inferences: one inference has one outcome, whatever strikes it.

#[path = "support/bench.rs"]
mod bench;

use beamline::mission::{Cause, SchemeHistory, Upset, What};
use beamline::outcome::Outcome;
use beamline::scheme::{OnDue, Protection, Scheme};
use beamline::seed::{Domain, below, stream, unit};
use bench::{Bench, bit, scheme, upset};
use std::collections::HashSet;

fn count(history: &SchemeHistory, outcome: Outcome) -> u64 {
    history.outcomes[outcome as usize]
}

fn sum(history: &SchemeHistory) -> u64 {
    history.outcomes.iter().sum::<u64>() + history.unavailable
}

/// Four copies that are read once a second each: inference i at i / 4 s, of copy i mod 4.
fn bench(on_due: OnDue) -> Bench {
    Bench::new(&Scheme { on_due, ..scheme(Protection::None, None, None) }, 576, 4, 1.0)
}

#[test]
fn two_strikes_on_one_inference_are_one_outcome() {
    // Inference 401 begins at 100.25 s and computes for 62.5 ms.
    let history = bench(OnDue::Keep)
        .run([100.26, 100.27, 100.28].map(|at| upset(at, What::LogicSdc)).to_vec());
    assert_eq!((count(&history, Outcome::CriticalSdc), sum(&history)), (1, 4000));
    let [episode] = &history.episodes[..] else { panic!("one: {:?}", history.episodes) };
    assert_eq!((episode.upset, episode.upsets, episode.cause), (0, 3, Cause::Logic));
    assert_eq!(history.first_critical_s, Some(100.26));
}

#[test]
fn the_worst_of_two_strikes_counts() {
    // Memory reports an error to inference 401, whose logic fails too: nothing is delivered.
    let strikes =
        vec![upset(100.1, What::Uncorrectable { entry: 7 }), upset(100.26, What::LogicSdc)];
    let history = bench(OnDue::Keep).run(strikes.clone());
    assert_eq!((count(&history, Outcome::Due), count(&history, Outcome::CriticalSdc)), (1, 0));
    assert_eq!((sum(&history), history.first_critical_s), (4000, None));
    let [episode] = &history.episodes[..] else { panic!("one: {:?}", history.episodes) };
    assert_eq!((episode.cause, episode.upsets), (Cause::Uncorrectable, 2));
    assert_eq!((episode.start_s, episode.first_effect_s), (100.1, Some(100.25)));
    // With a reset after it, the inference is a DUE and those of the next minute are not served.
    let reset = bench(OnDue::Reset).run(strikes);
    assert_eq!((count(&reset, Outcome::Due), reset.unavailable, reset.resets()), (1, 240, 1));
    assert_eq!(sum(&reset), 4000);
}

#[test]
fn a_strike_on_an_inference_that_reads_a_struck_copy_counts_once() {
    let bench = bench(OnDue::Keep);
    let run = |mut more: Vec<Upset>| {
        // Copy 1 differs from 50.1 s on and is read at 50.25 s, 51.25 s …
        more.push(bench.hit(50.1, (0, 1, 0), bit(0)));
        bench.run(more)
    };
    let alone = run(Vec::new());
    assert_eq!(count(&alone, Outcome::CriticalSdc), 950);
    let both = run(vec![upset(100.26, What::LogicSdc)]);
    assert_eq!((both.outcomes, both.episodes), (alone.outcomes, alone.episodes.clone()));
    // What memory reports is worse than a wrong answer, and takes it out of the copy's episode.
    let worse = run(vec![upset(100.1, What::Uncorrectable { entry: 7 })]);
    assert_eq!((count(&worse, Outcome::Due), count(&worse, Outcome::CriticalSdc)), (1, 949));
    assert_eq!((sum(&worse), worse.episodes.len()), (4000, 2));
    // The copy is golden again after the read at 100.25 s, by a second hit; its logic then fails.
    let second = bench.hit(100.255, (0, 1, 0), bit(0));
    let closed = run(vec![second, upset(100.26, What::LogicSdc)]);
    assert_eq!((count(&closed, Outcome::CriticalSdc), closed.episodes.len()), (51, 1));
    // Struck first, and the copy only after the read: both count, and the read is the logic's.
    let late = bench.run(vec![
        upset(100.26, What::LogicSdc),
        bench.hit(100.265, (0, 1, 0), bit(0)),
        bench.hit(100.27, (0, 1, 0), bit(0)),
    ]);
    assert_eq!((count(&late, Outcome::CriticalSdc), late.episodes.len()), (1, 1));
    // A first wrong answer that nobody got is none.
    let first = bench.run(vec![
        bench.hit(100.2, (0, 1, 0), bit(0)),
        upset(100.24, What::Uncorrectable { entry: 7 }),
        bench.hit(100.9, (0, 1, 0), bit(0)),
    ]);
    assert_eq!((count(&first, Outcome::Due), count(&first, Outcome::CriticalSdc)), (1, 0));
    assert_eq!((first.first_critical_s, first.episodes.len()), (None, 1));
}

/// Every inference of a mission without protection, one by one.
#[expect(clippy::cast_possible_truncation, reason = "counts")]
fn one_by_one(bench: &Bench, upsets: &[Upset]) -> ([u64; 7], u64) {
    let (rate, seconds) = (bench.ground.reads.per_s, bench.ground.reset_s);
    let before = |time_s: f64| (time_s * rate).ceil().max(0.0) as u64;
    let mut flipped: HashSet<(u64, u64)> = HashSet::new();
    let mut alone: Vec<(u64, Outcome)> = Vec::new();
    let (mut until, mut away): (f64, Vec<(u64, u64)>) = (0.0, Vec::new());
    let mut outcomes = [0; 7];
    let mut next = upsets.iter().peekable();
    let mut unavailable = 0;
    let mut of_inference = vec![Outcome::Masked; before(bench.ground.horizon_s) as usize];
    for inference in 0..of_inference.len() as u64 {
        let time_s = inference as f64 / rate;
        while let Some(upset) = next.next_if(|upset| upset.time_s <= time_s) {
            match &upset.what {
                What::Memory(hit) => {
                    let entry = hit.strikes[0].entry;
                    let bit = (entry, u64::from(hit.strikes[0].mask[0].trailing_zeros()));
                    if !flipped.remove(&bit) {
                        flipped.insert(bit);
                    }
                }
                What::LogicSdc => {
                    let running = (upset.time_s * rate).floor();
                    let served = running as u64 >= before(until);
                    if served && upset.time_s * rate - running < bench.ground.duty {
                        alone.push((running as u64, Outcome::CriticalSdc));
                    }
                }
                What::Uncorrectable { .. } if upset.time_s >= until => {
                    alone.push((before(upset.time_s), Outcome::Due));
                }
                What::Sefi => {
                    // Memory is loaded anew, and what it would have reported with it.
                    alone.retain(|(at, what)| *what != Outcome::Due || *at < before(upset.time_s));
                    away.push((before(upset.time_s.max(until)), before(upset.time_s + seconds)));
                    until = upset.time_s + seconds;
                    flipped.clear();
                }
                _ => {}
            }
        }
        let copy = inference % bench.ground.reads.copies;
        let own = |(entry, _): &(u64, u64)| *entry / 72 == copy;
        if flipped.iter().any(own) {
            of_inference[inference as usize] = Outcome::CriticalSdc;
        }
    }
    for (at, outcome) in alone {
        if let Some(of) = of_inference.get_mut(at as usize) {
            *of = outcome.max(*of);
        }
    }
    for (inference, outcome) in (0u64..).zip(of_inference) {
        if away.iter().any(|(from, to)| (*from..*to).contains(&inference)) {
            unavailable += 1;
        } else {
            outcomes[outcome as usize] += 1;
        }
    }
    (outcomes, unavailable)
}

#[test]
fn crowded_missions_equal_a_count_one_inference_at_a_time() {
    for seed in 0..60 {
        let mut draws = stream(seed, Domain::Generate, &[1]);
        let mut bench = bench(OnDue::Keep);
        bench.ground.reset_s = 2.5;
        let upsets = 20 + below(&mut draws, 1500);
        let mut all: Vec<Upset> = Vec::new();
        for _ in 0..upsets {
            let time_s = unit(&mut draws) * 300.0;
            all.push(match below(&mut draws, 40) {
                0 => upset(time_s, What::Sefi),
                1..=9 => upset(time_s, What::Uncorrectable { entry: below(&mut draws, 288) }),
                10..=24 => upset(time_s, What::LogicSdc),
                _ => {
                    let entry = below(&mut draws, 2);
                    bench.hit(time_s, (0, below(&mut draws, 4), entry), bit(0))
                }
            });
        }
        let history = bench.run(all.clone());
        all.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        let (outcomes, unavailable) = one_by_one(&bench, &all);
        assert_eq!(
            (history.outcomes, history.unavailable),
            (outcomes, unavailable),
            "seed {seed}, {upsets} upsets"
        );
        assert_eq!(sum(&history), history.inferences);
        let of_episodes = |outcome: Outcome| -> u64 {
            history.episodes.iter().map(|episode| episode.count(outcome)).sum()
        };
        for outcome in &Outcome::ALL[1..] {
            assert_eq!(of_episodes(*outcome), count(&history, *outcome), "{outcome:?}");
        }
    }
}
