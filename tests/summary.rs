//! Figures from rows whose answers are known by hand.

mod fixture;

use beamline::archive::summary::Breakdown;
use beamline::archive::{FaultRow, OutcomeRow, summarise};
use beamline::stats::{clopper_pearson, fit};
use fixture::{header, segment};

/// Ten trials of `none` and `dmr`: trials 0 to 3 wrong under `none`, trial 4 under `dmr`; each
/// trial has one fault in bit (trial mod 2) of tensor 0, but trial 9 has two.
fn rows() -> (Vec<FaultRow>, Vec<OutcomeRow>) {
    let template = segment(0, 1);
    let (mut faults, mut outcomes) = (Vec::new(), Vec::new());
    for trial in 0..10 {
        for scheme in 0..2 {
            let wrong = (scheme == 0 && trial < 4) || (scheme == 1 && trial == 4);
            for order in 0..1 + u16::from(trial == 9) {
                let fault = template.faults[0];
                let mask = 1 << (trial % 2);
                faults.push(FaultRow { trial, scheme, order, tensor: 0, mask, ..fault });
            }
            outcomes.push(OutcomeRow {
                trial,
                scheme,
                inferences: 4,
                masked: 4 - 2 * u32::from(wrong),
                critical_sdc: 2 * u32::from(wrong),
                corrected: 0,
                tolerable_sdc: 0,
                due_recovered: 0,
                wrong: u8::from(wrong),
                censored: u8::from(!wrong),
                time_to_critical_s: if wrong { 1.0 } else { 2.0 },
                events_needed: 0,
                ..template.outcomes[0]
            });
        }
    }
    (faults, outcomes)
}

#[test]
fn figures_are_those_of_the_rows() {
    let (faults, outcomes) = rows();
    let summary = summarise(&header(), &faults, &outcomes);
    let [none, dmr] = summary.by(Breakdown::Scheme).collect::<Vec<_>>()[..] else {
        panic!("two schemes in one stratum");
    };
    assert_eq!((none.trials, none.wrong_trials, none.inferences), (10, 4, 40));
    assert_eq!(none.outcomes, [32, 0, 0, 0, 8, 0, 0]);
    assert!((none.wrong_probability - 0.4).abs() < 1e-12);
    assert!((none.wrong_share - 0.2).abs() < 1e-12);
    assert!((none.time_to_critical_s - 1.6).abs() < 1e-12);
    assert_eq!(none.clopper_pearson, Some(clopper_pearson(4, 10, 0.05)));
    let interval = none.wrong_share_interval.expect("a sample");
    assert!(interval.low < 0.2 && 0.2 < interval.high && interval.high < 0.5);
    let time = none.time_interval_s.expect("a sample");
    assert!(1.0 < time.low && time.low < 1.6 && 1.6 < time.high && time.high <= 2.0);
    assert_eq!(dmr.wrong_trials, 1);

    let single: Vec<_> = summary.by(Breakdown::SingleFault).map(|row| row.trials).collect();
    assert_eq!(single, [9, 9]);
    let bits: Vec<_> = summary
        .by(Breakdown::Bit)
        .map(|row| (row.scheme, row.bit, row.trials, row.wrong_trials))
        .collect();
    assert_eq!(
        bits,
        [(0, Some(0), 5, 2), (0, Some(1), 4, 2), (1, Some(0), 5, 1), (1, Some(1), 4, 0)]
    );
    assert_eq!(summary.by(Breakdown::Tensor).count(), 2);
}

#[test]
fn schemes_are_compared_on_paired_trials() {
    let (faults, outcomes) = rows();
    let summary = summarise(&header(), &faults, &outcomes);
    let [dmr] = &summary.comparisons[..] else { panic!("one comparison") };
    assert_eq!((dmr.scheme, dmr.baseline, dmr.trials), (1, 0, 10));
    assert_eq!((dmr.only_scheme_wrong, dmr.only_baseline_wrong), (1, 4));
    // 2 · (C(5,0) + C(5,1)) / 2⁵.
    assert!((dmr.p.expect("a test") - 0.375).abs() < 1e-12);
    assert_eq!(dmr.p, dmr.p_holm);
    assert_eq!(dmr.both_wrong, 0);
    let ratio = dmr.fewer.expect("a ratio");
    assert_eq!((ratio.estimate, ratio.high), (Some(4.0), None), "none of the one may be drawn");
    assert!(ratio.low < 1.0, "{ratio:?}");
}

#[test]
fn a_rate_with_a_source_gives_a_failure_rate() {
    let (faults, outcomes) = rows();
    let summary = summarise(&header(), &faults, &outcomes);
    let none = &summary.fit[0];
    assert_eq!(none.trials, 9);
    let avf = 4.0 / 9.0;
    assert_eq!(none.fit, fit(2.0e-8, 139_840, avf, clopper_pearson(4, 9, 0.05)));
    let mut unsourced = header();
    unsourced.rate.as_mut().expect("a rate").source.clear();
    assert!(summarise(&unsourced, &faults, &outcomes).fit.is_empty());
}

#[test]
fn a_census_has_neither_intervals_nor_tests() {
    let (faults, outcomes) = rows();
    let mut census = header();
    census.campaign.census = true;
    census.rate = None;
    let summary = summarise(&census, &faults, &outcomes);
    assert!(summary.census && summary.fit.is_empty());
    for row in &summary.figures {
        assert_eq!((row.clopper_pearson, row.wilson), (None, None));
        assert_eq!((row.wrong_share_interval, row.time_interval_s), (None, None));
    }
    assert!(summary.comparisons.iter().all(|row| row.p.is_none() && row.p_holm.is_none()));
}

#[test]
fn live_events_follow_rate_footprint_and_scrub() {
    let header = header();
    let live = |scheme| header.live_events_per_scrub(scheme).expect("a rate");
    // 2e-8 a bit-day × 3e7 × 139,840 bits × 6.4 s.
    let expected = 2.0e-8 * 3.0e7 / 86_400.0 * 139_840.0 * 6.4;
    assert!((live(0) / expected - 1.0).abs() < 1e-12);
    // Three copies, scrubbed every 2 × 16 × 0.1 s.
    assert!((live(2) / (expected * 3.0 / 2.0) - 1.0).abs() < 1e-12);
}
