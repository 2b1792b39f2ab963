//! Expected rates and the intervals of drawing events: how often they hold what is true.

use beamline::mission::strata::{Expected, Share, Stratum, Sum};
use beamline::seed::{Domain, stream, unit};
use beamline::stats::Interval;

/// A kind of event: how often it comes, how often it is wrong and with how many answers, about.
#[derive(Clone, Copy)]
struct Truth {
    per_year: f64,
    critical: f64,
    answers: f64,
}

const fn truth(per_year: f64, critical: f64, answers: f64) -> Truth {
    Truth { per_year, critical, answers }
}

/// The mean of answers of which more than k come with probability exp(-k / about).
fn mean(about: f64) -> f64 {
    1.0 / (1.0 - (-1.0 / about).exp())
}

fn stratum(mode: &str, (per_year, drawn): (f64, u64), schemes: Vec<Share>) -> Stratum {
    Stratum {
        device: "device".into(),
        mode: mode.into(),
        shape: None,
        within: None,
        per_year,
        drawn,
        schemes,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "counts")]
fn sampled(truths: &[Truth], drawn: u64, draws: &mut impl rand::Rng) -> Vec<Stratum> {
    let mut of = |(mode, of): (usize, &Truth)| {
        let mut share = Share::default();
        for _ in 0..drawn {
            if unit(draws) < of.critical {
                share.critical.add(1);
                let answers = (-of.answers * (1.0 - unit(draws)).ln()).ceil().max(1.0);
                share.wrong.add(answers as u64);
            }
        }
        stratum(&format!("mode {}", mode / 2), (of.per_year, drawn), vec![share])
    };
    truths.iter().enumerate().map(&mut of).collect()
}

/// The shares of many draws whose intervals hold the true rates.
fn coverage(truths: &[Truth], drawn: u64, seed: u64) -> [f64; 2] {
    let critical: f64 = truths.iter().map(|of| of.per_year * of.critical).sum();
    let wrong: f64 = truths.iter().map(|of| of.per_year * of.critical * mean(of.answers)).sum();
    let repeats = 2000;
    let mut held = [0; 2];
    for repeat in 0..repeats {
        let mut draws = stream(seed, Domain::Generate, &[repeat]);
        let expected = Expected::of("scheme", 0, &sampled(truths, drawn, &mut draws));
        let holds = |(_, interval): (f64, Interval), true_rate| interval.contains(true_rate);
        held[0] += u32::from(holds(expected.critical, critical));
        held[1] += u32::from(holds(expected.wrong, wrong));
    }
    held.map(|held| f64::from(held) / repeats as f64)
}

#[test]
fn intervals_of_expected_rates_hold_the_truth() {
    // Strata of all kinds: never wrong, seldom, often, nearly always and always.
    let mixed = [
        truth(300.0, 0.0, 1.0),
        truth(100.0, 0.02, 1000.0),
        truth(20.0, 0.3, 50.0),
        truth(5.0, 0.97, 4000.0),
        truth(2.0, 1.0, 3.0),
    ];
    // One stratum decides, and few of its events are wrong.
    let rare = [truth(50.0, 0.004, 20.0), truth(1.0, 0.5, 5.0)];
    let certain = [truth(10.0, 1.0, 2.0), truth(30.0, 0.0, 1.0)];
    let many: Vec<Truth> = (0..20).map(|k| truth(5.0 + f64::from(k), 0.01, 100.0)).collect();
    let cases: [(&str, &[Truth], u64); 6] = [
        ("mixed", &mixed, 64),
        ("mixed, more", &mixed, 400),
        ("rare", &rare, 64),
        ("rare, more", &rare, 400),
        ("certain", &certain, 64),
        ("many", &many, 64),
    ];
    let mut found = Vec::new();
    for (seed, (name, truths, drawn)) in (0u64..).zip(cases) {
        found.push((name, coverage(truths, drawn, seed)));
    }
    for (name, [critical, wrong]) in &found {
        assert!(*critical >= 0.93, "{name}: episodes {critical}, of {found:?}");
        assert!(*wrong >= 0.93, "{name}: wrong answers {wrong}, of {found:?}");
    }
}

#[test]
fn what_was_never_wrong_has_an_interval_all_the_same() {
    let mut struck = Share::default();
    for answers in [40, 60] {
        struck.critical.add(1);
        struck.wrong.add(answers);
    }
    let strata = [stratum("a", (64.0, 64), vec![struck, Share::default()])];
    let bare = Expected::of("bare", 0, &strata);
    assert_eq!((bare.critical.0, bare.wrong.0), (2.0, 100.0));
    assert!(bare.wrong.1.low > 0.0 && bare.wrong.1.high > 220.0, "{bare:?}");
    let safe = Expected::of("safe", 1, &strata);
    assert_eq!((safe.wrong.0, safe.wrong.1.low), (0.0, 0.0));
    // One event that was missed may lead to as many wrong answers as one under the other scheme.
    assert!((safe.wrong.1.high - 60.0 * 3.689).abs() < 0.1, "{safe:?}");
    assert!(safe.critical.1.high > 3.0, "{safe:?}");
}

#[test]
fn a_stratum_with_many_wrong_events_is_held_to_its_own_worst() {
    let share = |most: u64| {
        let mut share = Share::default();
        for answers in [1, 1, 1, 1, most] {
            share.critical.add(1);
            share.wrong.add(answers);
        }
        share
    };
    let strata = [
        stratum("a", (640.0, 64), vec![share(2), Share::default()]),
        stratum("a", (6.4, 64), vec![share(90), Share::default()]),
    ];
    let safe = Expected::of("safe", 1, &strata);
    // 10 a year for each event drawn and 2 answers at most, not the 90 of the rare one.
    assert!((safe.wrong.1.high - 20.0 * 3.689).abs() < 0.1, "{safe:?}");
    let seldom = |events| {
        let share =
            Share { wrong: Sum { events, ..strata[0].schemes[0].wrong }, ..Share::default() };
        let first = stratum("a", (640.0, 64), vec![share, Share::default()]);
        Expected::of("safe", 1, &[first, strata[1].clone()]).wrong.1.high
    };
    assert!((seldom(5) - 20.0 * 3.689).abs() < 0.1 && seldom(4) > 3000.0);
}
