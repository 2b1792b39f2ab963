//! What strikes one inference, and what a scheme and the memory do about it.

#[path = "support/bench.rs"]
mod bench;

use beamline::device::Persistence;
use beamline::fault::Course;
use beamline::mission::{Patrol, Restored, SchemeHistory, Upset, What, Why};
use beamline::outcome::Outcome;
use beamline::scheme::{Code, OnDue, OnRead, Placement, Protection, Scheme, ScrubBy};
use bench::{Bench, bit, memory, scheme, scrub, upset};

const HSIAO: Option<Code> = Some(Code::Hsiao72);

fn count(history: &SchemeHistory, outcome: Outcome) -> u64 {
    history.outcomes[outcome as usize]
}

fn assert_sums(history: &SchemeHistory) {
    let sum = history.outcomes.iter().sum::<u64>() + history.unavailable;
    assert_eq!(sum, history.inferences);
}

/// Two bits of one codeword.
fn pair() -> [u32; 9] {
    let mut pair = bit(5);
    pair[0] |= 1 << 6;
    pair
}

#[test]
fn an_adaptive_scrub_is_fast_where_the_history_is_within_the_anomaly() {
    let reload = scheme(Protection::None, None, Some(scrub(100.0, ScrubBy::Reload, false)));
    let mut bench = Bench::new(&reload, 576, 2, 1.0);
    // A pass each 10 s in the first 50 s of a lap, a pass each 1000 s in the other 50 s.
    let course = Course::new([0.1, 0.001], 50.0);
    bench.terms.patrol = Some((Patrol::adaptive(course), ScrubBy::Reload));
    let mut cleared = |start_s: f64, struck: &[f64]| -> Vec<f64> {
        bench.start_s = start_s;
        let hits = struck.iter().map(|at| bench.hit(*at, (0, 1, 0), bit(3)));
        let history = bench.run(hits.collect());
        let golden = history.changes.iter().filter(|change| change.ended == Some(Restored::Scrub));
        golden.map(|change| change.time_s).collect()
    };
    let close = |found: &[f64], expected: &[f64]| {
        found.len() == expected.len()
            && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6)
    };
    // Copy 1 is half of memory: 5 s, 15 s and so on.
    let (first, second) = (cleared(0.0, &[10.1, 106.0]), cleared(200.0, &[10.1, 106.0]));
    assert!(close(&first, &[15.0, 114.5]), "{first:?}");
    assert!(close(&second, &first), "whole laps later: {second:?}");
    // From the middle of a lap on it is slow for 50 s, then fast.
    let later = cleared(50.0, &[10.1, 61.0]);
    assert!(close(&later, &[54.5, 64.5]), "{later:?}");
}

#[test]
fn a_hardened_error_comes_by_an_adaptive_scrub_that_knows_where_it_is() {
    let reload = scheme(Protection::None, None, Some(scrub(100.0, ScrubBy::Reload, false)));
    let mut bench = Bench::new(&reload, 576, 2, 1.0);
    let course = Course::new([0.1, 0.001], 50.0);
    bench.terms.patrol = Some((Patrol::adaptive(course), ScrubBy::Reload));
    bench.start_s = 50.0;
    let history = bench.run(vec![upset(45.0, What::Hardened { word: 3, mask: 1 })]);
    let [change] = &history.changes[..] else { panic!("one: {:?}", history.changes) };
    // Half a pass on: 0.005 in the last 5 slow seconds, the rest at 0.1 a second.
    assert!((change.time_s - 54.95).abs() < 1e-6, "{change:?}");
}

#[test]
fn a_device_that_executes_nothing_answers_nothing_wrong() {
    let placement = Placement::Device;
    // On each of three devices while inferences 401, 801 and 1201 are computed.
    let three = |protection, what: &dyn Fn(&Bench) -> What| {
        let placed = Scheme { placement, ..scheme(protection, None, None) };
        let bench = Bench::new(&placed, 576, 4, 1.0).with_values();
        let at = |device: u32| 100.26 + 100.0 * f64::from(device);
        let on = |device: u32| Upset { device, ..upset(at(device), what(&bench)) };
        let history = bench.run((0..3).map(on).collect());
        assert_sums(&history);
        history
    };
    let logic = three(Protection::TmrStorage, &|_| What::LogicSdc);
    assert_eq!(count(&logic, Outcome::CriticalSdc), 1, "one execution, on one device");
    for tenant in 0..2 {
        let entry = |bench: &Bench| What::Uncorrectable { entry: bench.values_at()[tenant] };
        let reported = three(Protection::TmrStorage, &entry);
        assert_eq!((count(&reported, Outcome::Due), count(&reported, Outcome::Corrected)), (1, 0));
        assert_eq!(reported.tenants[1 + tenant].uncorrectable, 3);
    }
    let weights = three(Protection::TmrStorage, &|_| What::Uncorrectable { entry: 7 });
    assert_eq!((count(&weights, Outcome::Due), count(&weights, Outcome::Corrected)), (0, 3));
    let output = three(Protection::TmrOutput, &|_| What::LogicSdc);
    assert_eq!(count(&output, Outcome::Corrected), 3, "all three compute");
}

#[test]
fn a_due_of_a_struck_value_is_followed_by_what_the_scheme_does_after_one() {
    let run = |on_due| {
        let coded = Scheme { on_due, ..scheme(Protection::None, HSIAO, None) };
        let bench = Bench::new(&coded, 576, 4, 1.0).with_values();
        let [_, values] = bench.values_at();
        // Twice while inference 401 is computed.
        let hits = [100.26, 100.27].map(|at| {
            let strikes = vec![beamline::device::StruckEntry { entry: values, mask: pair() }];
            upset(at, memory(strikes, Persistence::Transient))
        });
        let history = bench.run(hits.to_vec());
        assert_sums(&history);
        assert_eq!(count(&history, Outcome::Due), 1);
        history
    };
    let kept = run(OnDue::Keep);
    assert_eq!((kept.reloads, kept.away.len(), kept.unavailable), (0, 0, 0));
    let reloaded = run(OnDue::Reload);
    assert_eq!((reloaded.reloads, reloaded.away.len(), reloaded.unavailable), (1, 0, 0));
    let reset = run(OnDue::Reset);
    let [away] = &reset.away[..] else { panic!("one: {:?}", reset.away) };
    assert_eq!((away.why, away.time_s, away.length_s), (Why::Due, 100.375, 60.0));
    assert_eq!((reset.reloads, reset.unavailable, reset.first_away_s), (0, 240, Some(100.375)));
}

#[test]
fn a_reload_after_a_strike_writes_the_copy_that_was_read() {
    let run = |protection, on_due, upsets: &dyn Fn(&Bench) -> Vec<Upset>| {
        let bench = Bench::new(&Scheme { on_due, ..scheme(protection, None, None) }, 576, 4, 1.0);
        let history = bench.run(upsets(&bench));
        assert_sums(&history);
        history
    };
    // Copy 1 differs from 50.1 s on; memory reports an error to the read at 100.25 s.
    let reported = |bench: &Bench| {
        vec![bench.hit(50.1, (0, 1, 0), bit(0)), upset(100.1, What::Uncorrectable { entry: 7 })]
    };
    let reloaded = run(Protection::None, OnDue::Reload, &reported);
    assert_eq!((reloaded.reloads, count(&reloaded, Outcome::Due)), (1, 1));
    assert_eq!(count(&reloaded, Outcome::CriticalSdc), 50, "50.25 s to 99.25 s");
    assert_eq!(reloaded.episodes.iter().filter(|of| of.ended == Restored::Reload).count(), 1);
    // What is wrong in hardened storage comes with it.
    let hardened = |bench: &Bench| {
        let mut upsets = reported(bench);
        upsets[0] = upset(50.1, What::Hardened { word: 3, mask: 1 });
        upsets
    };
    let hardened = run(Protection::None, OnDue::Reload, &hardened);
    assert_eq!((hardened.reloads, count(&hardened, Outcome::CriticalSdc)), (1, 899));
    // Two executions that differ reload their copy before the retry.
    let logic = |_: &Bench| vec![upset(100.26, What::LogicSdc), upset(100.27, What::LogicSdc)];
    let retried = run(Protection::Dmr, OnDue::Keep, &logic);
    assert_eq!((retried.reloads, count(&retried, Outcome::DueRecovered)), (1, 1));
}

#[test]
fn a_row_is_replaced_where_memory_itself_reports_an_error() {
    let bench = Bench::new(&scheme(Protection::None, None, None), 576, 4, 1.0).with_values();
    let [_, values] = bench.values_at();
    let reported = |time_s, entry| upset(time_s, What::Uncorrectable { entry });
    let unused = values + 1;
    let history =
        bench.run(vec![reported(100.1, 7), reported(200.1, values), reported(300.1, unused)]);
    let replaced: Vec<_> = history.replaced.iter().map(|of| (of.time_s, of.entry)).collect();
    assert_eq!(replaced, [(100.25, 7), (200.25, values)], "when a read met it");
    // A reset comes first: nobody reads it.
    let reset = bench.run(vec![upset(99.9, What::Sefi), reported(100.1, 7)]);
    assert_eq!((reset.rows_remapped(), count(&reset, Outcome::Due)), (0, 0));
    // Three copies outvote it, and its row is replaced all the same.
    let tmr = Bench::new(&scheme(Protection::TmrStorage, None, None), 576, 4, 1.0);
    let outvoted = tmr.run(vec![reported(100.1, 7)]);
    assert_eq!((outvoted.rows_remapped(), count(&outvoted, Outcome::Corrected)), (1, 1));
}

#[test]
fn two_correctable_errors_of_one_entry_retire_its_page() {
    let of = |on_read, scrub| Scheme { on_read, ..scheme(Protection::None, HSIAO, scrub) };
    let ecc = || Some(scrub(100.0, ScrubBy::Ecc, false));
    let schemes = [
        // Found by a scrub and put right; found by reads that write back; found by reads alone.
        (of(OnRead::Keep, ecc()), 0.0005, 425.0),
        (of(OnRead::WriteBack, None), 1.0, 350.25),
        (of(OnRead::Keep, None), 1.0, 350.25),
    ];
    for (scheme, reads, when) in schemes {
        let bench = Bench::on("v100-32gb", &scheme, 576, 4, reads);
        let hit = |time_s, entry, at| bench.hit(time_s, (0, 1, entry), bit(at));
        let once = bench.run(vec![hit(150.1, 1, 7), hit(350.1, 2, 7)]);
        assert_eq!((once.pages_retired(), once.rows_remapped()), (0, 0), "each once: {scheme:?}");
        // In another codeword of the entry, so that both can be corrected.
        let twice = bench.run(vec![hit(150.1, 1, 7), hit(350.1, 1, 70)]);
        let [page] = &twice.replaced[..] else { panic!("one: {:?} {scheme:?}", twice.replaced) };
        assert!((page.time_s - when).abs() < 1.0 && page.page.is_some(), "{page:?}");
        assert_eq!((page.entry, twice.lost_bytes), (bench.terms.layout.home(0, 1, 1).1, 4096));
        let remapped = Bench::new(&scheme, 576, 4, reads);
        let hit = |time_s, at| remapped.hit(time_s, (0, 1, 1), bit(at));
        let remapped = remapped.run(vec![hit(150.1, 7), hit(350.1, 70)]);
        assert!(remapped.replaced.is_empty(), "rows are replaced for other errors");
    }
    // A stuck cell is wrong again after each pass, until its page is out of use.
    let bench = Bench::on("v100-32gb", &of(OnRead::Keep, ecc()), 576, 4, 1.0);
    let stuck = memory(vec![bench.strike(0, 1, 1, bit(7))], Persistence::Stuck);
    let stuck = bench.run(vec![upset(150.1, stuck)]);
    assert_eq!(stuck.pages_retired(), 1);
    assert_eq!(count(&stuck, Outcome::CriticalSdc), 0);
}
