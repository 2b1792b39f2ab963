//! Negative controls on the machinery of missions: what must not change anything does not, and what
//! must is seen.

#[path = "support/bench.rs"]
mod bench;

use beamline::device::{AddressMap, Memory, Persistence};
use beamline::mission::figures::{Facts, SchemeFact, figures};
use beamline::mission::{
    Change, Restored, SchemeHistory, SchemeLayout, Site, Tiling, Upset, What, Why,
};
use beamline::outcome::Outcome;
use beamline::scheme::{
    Code, Decoded, OnDue, OnRead, Placement, Protection, Scheme, ScrubBy, Voter,
};
use beamline::seed::{Domain, below, stream, unit};
use bench::{Bench, bit, memory, scheme, scrub, upset};

const HSIAO: Option<Code> = Some(Code::Hsiao72);

fn count(history: &SchemeHistory, outcome: Outcome) -> u64 {
    history.outcomes[outcome as usize]
}

/// When a copy became golden again, and how.
fn ends(history: &SchemeHistory, copy: u64) -> Vec<(f64, Restored)> {
    let of = |change: &Change| change.ended.map(|ended| (change.time_s, ended));
    history.changes.iter().filter(|change| change.copy == copy).filter_map(of).collect()
}

/// Single bits of the first entries of random copies and replicas.
fn random_hits(bench: &Bench, hits: u64) -> Vec<Upset> {
    let mut draws = stream(3, Domain::Generate, &[0]);
    let layout = &bench.terms.layout;
    let replicas = layout.replica_count() as u64;
    let mut hit = || {
        let time_s = unit(&mut draws) * bench.ground.horizon_s;
        let replica = u8::try_from(below(&mut draws, replicas)).expect("small");
        // Copy 0 begins where a patrol begins, at once.
        let copy = 1 + below(&mut draws, layout.tiling.copies - 1);
        let at = usize::try_from(below(&mut draws, 256)).expect("small");
        bench.hit(time_s, (replica, copy, below(&mut draws, 4)), bit(at))
    };
    (0..hits).map(|_| hit()).collect()
}

#[test]
fn without_upsets_every_inference_is_masked() {
    for protection in Protection::ALL {
        let bench = Bench::new(&scheme(protection, None, None), 576, 8, 1.0);
        let history = bench.run(Vec::new());
        let mut expected = [0; 7];
        expected[Outcome::Masked as usize] = 8000;
        assert_eq!((history.inferences, history.outcomes), (8000, expected), "{protection:?}");
        assert!(history.episodes.is_empty() && history.changes.is_empty());
    }
}

#[test]
fn no_scrub_is_a_scrub_long_after_the_mission() {
    let of = |protection, code, by| {
        let run = |scrub| {
            let bench = Bench::new(&scheme(protection, code, scrub), 576, 16, 1.0);
            bench.run(random_hits(&bench, 400))
        };
        let (off, late) = (run(None), run(Some(scrub(1e12, by, false))));
        assert_eq!(off, late, "{protection:?}");
        assert!(off.episodes.iter().any(beamline::mission::Episode::is_error));
        let often = run(Some(scrub(5.0, by, false)));
        assert!(often.scrub_repaired > 0 && often.outcomes != off.outcomes, "{protection:?}");
    };
    of(Protection::None, HSIAO, ScrubBy::Ecc);
    of(Protection::TmrStorage, None, ScrubBy::Vote);
    of(Protection::None, None, ScrubBy::Reload);
}

/// Three bits of one codeword that the decoder takes for another single one.
fn miscorrected() -> [u32; 9] {
    for third in 2..64 {
        let (mut data, mut check) = ([0u32; 8], 0);
        for at in [0, 1, third] {
            data[at / 32] |= 1 << (at % 32);
        }
        let struck = data;
        if Code::Hsiao72.decode(&mut data, &mut check) == Decoded::Corrected && data != [0; 8] {
            let mut mask = [0; 9];
            mask[..8].copy_from_slice(&struck);
            return mask;
        }
    }
    panic!("no three bits are miscorrected");
}

#[test]
fn one_bit_is_corrected_two_are_a_due_and_three_may_answer_wrongly() {
    let bench = Bench::new(&scheme(Protection::None, HSIAO, None), 576, 4, 1.0);
    let run = |mask| bench.run(vec![bench.hit(99.6, (0, 2, 3), mask)]);
    let both = |a: [u32; 9], b: [u32; 9]| std::array::from_fn(|word| a[word] ^ b[word]);
    let single = run(bit(5));
    assert_eq!(count(&single, Outcome::Corrected), 900, "read once a second from 100.5 s on");
    let pair = run(both(bit(5), bit(6)));
    assert_eq!(count(&pair, Outcome::Due), 900);
    let apart = run(both(bit(5), bit(64)));
    assert_eq!(count(&apart, Outcome::Corrected), 900, "one bit in each of two codewords");
    let triple = run(miscorrected());
    assert_eq!(count(&triple, Outcome::CriticalSdc), 900);
    let mut blocks = beamline::mission::Blocks::new();
    blocks.insert((0, 0), beamline::mission::Block(miscorrected().to_vec()));
    let read = bench.terms.reader.read(&blocks);
    assert!(read.alarm && read.differs && !read.uncorrectable, "{read:?}");
}

#[test]
fn a_struck_buffer_of_the_scrubber_spreads_to_all_replicas() {
    let run = |scrub| {
        let bench = Bench::new(&scheme(Protection::TmrStorage, None, scrub), 576, 4, 1.0);
        bench.run(vec![upset(150.1, What::Scrubber { bit: 5 })])
    };
    let vote = run(Some(scrub(100.0, ScrubBy::Vote, false)));
    // Half of the second pass: the third of four copies, read at 0.5 s, 1.5 s …, in all replicas.
    assert_eq!(vote.changes.iter().map(|c| (c.copy, c.words)).collect::<Vec<_>>(), [(2, 3)]);
    assert_eq!(count(&vote, Outcome::CriticalSdc), 850);
    let reload = run(Some(scrub(100.0, ScrubBy::Reload, false)));
    assert_eq!(reload.changes[0].words, 1, "one replica at a time");
    assert_eq!((count(&reload, Outcome::CriticalSdc), reload.scrub_repaired), (0, 1));
    assert!(run(None).changes.is_empty(), "no scrubber, no buffer");
}

#[test]
fn a_sefi_takes_replicas_of_one_device_away_and_leaves_those_of_three_in_service() {
    let run = |placement| {
        let tmr = Scheme { placement, ..scheme(Protection::TmrStorage, None, None) };
        let bench = Bench::new(&tmr, 576, 4, 1.0);
        bench.run(vec![
            bench.hit(100.1, (1, 3, 0), bit(0)),
            Upset { device: u32::from(placement == Placement::Device), ..upset(200.1, What::Sefi) },
        ])
    };
    let one = run(Placement::Bank);
    assert_eq!((one.resets(), one.unavailable), (1, 240), "60 s of 4 inferences a second");
    assert!((one.dead_s() - 60.0).abs() < 1e-9 && one.first_away_s == Some(200.1));
    let three = run(Placement::Device);
    assert_eq!((three.resets(), three.unavailable, three.first_away_s), (1, 0, None));
    for history in [one, three] {
        assert_eq!(ends(&history, 3), [(200.1, Restored::Reset)], "memory is loaded anew");
    }
}

#[test]
fn time_away_is_kept_apart_by_its_cause_and_counts_once() {
    let due = Scheme { on_due: OnDue::Reset, ..scheme(Protection::None, HSIAO, None) };
    let bench = Bench::new(&due, 576, 4, 1.0);
    let mut pair = bit(5);
    pair[0] |= 1 << 6;
    let history = bench.run(vec![
        upset(100.0, What::HostRam),
        upset(400.0, What::Sefi),
        upset(680.0, What::HostSefi),
        upset(690.0, What::Sel),
        bench.hit(50.1, (0, 1, 0), pair),
    ]);
    let away: Vec<_> =
        history.away.iter().map(|a| (a.why, a.time_s, a.start_s, a.length_s, a.upset)).collect();
    // Copy 1 is read at 50.25 s; the reset follows an eighth of a second later.
    assert_eq!(
        away,
        [
            (Why::Due, 50.375, 50.375, 60.0, u32::MAX),
            (Why::HostRam, 100.0, 110.375, 589.625, 1),
            (Why::Sefi, 400.0, 700.0, 0.0, 2),
            (Why::HostSefi, 680.0, 700.0, 300.0, 3),
            (Why::Sel, 690.0, 1000.0, 0.0, 4),
        ]
    );
    assert_eq!((history.resets(), history.host_resets()), (3, 2));
    assert!((history.dead_s() - 949.625).abs() < 1e-9);
    assert_eq!(history.unavailable, 4000 - 202, "served: 0 to 201");
    let facts = Facts { schemes: vec![fact()], ..facts(1000.0) };
    let figures = &figures(&facts, &[vec![history.clone()]])[0];
    let counts = figures.away.map(|of| (of.why, of.times.count));
    let one = |why| (why, 1);
    assert_eq!(counts, Why::ALL.map(one));
    let shares: f64 = figures.away.iter().map(|of| of.share).sum();
    assert!((shares + figures.availability - 1.0).abs() < 1e-12);
    assert_eq!(figures.away[Why::HostRam as usize].dead_s, 589.625);
    assert_eq!((figures.resets.count, figures.host_resets.count), (3, 2));
}

fn fact() -> SchemeFact {
    SchemeFact {
        name: "under test".into(),
        stored_bytes: 1,
        weight_bytes: 1,
        devices: 1,
        scrub_passes_s: 0.0,
        scrub_bytes_s: 0.0,
        executions: 1,
    }
}

fn facts(horizon_s: f64) -> Facts {
    Facts {
        seed: 1,
        horizon_s,
        acceleration: 1.0,
        inferences_per_s: 4.0,
        bandwidth_bytes_s: 1.0,
        capacity_bytes: 1,
        copies: 4,
        requirement: None,
        modes: Vec::new(),
        schemes: Vec::new(),
    }
}

#[test]
fn reads_that_write_back_leave_what_nobody_reads_and_a_patrol_does_not() {
    let run = |scrub| {
        let on_read = OnRead::WriteBack;
        let secded = Scheme { on_read, ..scheme(Protection::None, HSIAO, scrub) };
        // A read every 100 s: copies 0 to 9 of 20 within the mission.
        let bench = Bench::new(&secded, 576, 20, 0.0005);
        let hits = [2, 19].map(|copy| bench.hit(150.0, (0, copy, 1), bit(7)));
        bench.run(hits.to_vec())
    };
    let alone = run(None);
    assert_eq!(alone.read_repaired, 1);
    assert_eq!(ends(&alone, 2).iter().map(|end| end.1).collect::<Vec<_>>(), [Restored::Read]);
    assert!(ends(&alone, 19).is_empty(), "a cold copy keeps its error");
    let patrolled = run(Some(scrub(400.0, ScrubBy::Ecc, false)));
    let cleared = ends(&patrolled, 19);
    assert_eq!(cleared.len(), 1);
    assert!(
        cleared[0].1 == Restored::Scrub && (380.0..400.0).contains(&cleared[0].0),
        "{cleared:?}"
    );
}

#[test]
fn an_event_that_strikes_a_word_in_two_replicas_is_a_common_cause() {
    let bench = Bench::new(&scheme(Protection::TmrStorage, None, None), 576, 4, 1.0);
    let event = |replicas: [u8; 2], entries: [u64; 2]| {
        let strike = |at: usize| bench.strike(replicas[at], 1, entries[at], bit(40));
        bench.run(vec![upset(10.1, memory(vec![strike(0), strike(1)], Persistence::Transient))])
    };
    let shared = event([0, 2], [5, 5]);
    assert_eq!((shared.struck, shared.common_cause), (1, 1));
    assert!(count(&shared, Outcome::CriticalSdc) > 900, "two of three outvote the third");
    for history in [event([0, 2], [5, 6]), event([1, 1], [5, 6])] {
        assert_eq!((history.struck, history.common_cause), (1, 0));
        assert_eq!(count(&history, Outcome::CriticalSdc), 0);
    }
}

#[test]
fn stuck_bits_come_back_at_once_and_weak_ones_after_their_retention() {
    let reload = scheme(Protection::None, None, Some(scrub(100.0, ScrubBy::Reload, false)));
    let bench = Bench::new(&reload, 576, 2, 1.0);
    let run = |persistence| {
        let strikes = vec![bench.strike(0, 1, 0, bit(3))];
        bench.run(vec![upset(10.25, memory(strikes, persistence))])
    };
    let transient = run(Persistence::Transient);
    assert_eq!(ends(&transient, 1), [(50.0, Restored::Scrub)]);
    assert_eq!(count(&transient, Outcome::CriticalSdc), 40);
    let stuck = run(Persistence::Stuck);
    assert!(ends(&stuck, 1).is_empty());
    assert_eq!(count(&stuck, Outcome::CriticalSdc), 990);
    let weak = run(Persistence::Weak { retention_s: 30.0 });
    let struck = |change: &&Change| change.ended.is_none();
    let times: Vec<f64> = weak.changes.iter().filter(struck).map(|c| c.time_s).collect();
    assert_eq!(times[..3], [10.25, 80.0, 180.0], "30 s after each pass");
    assert_eq!(ends(&weak, 1)[..2], [(50.0, Restored::Scrub), (150.0, Restored::Scrub)]);
    assert_eq!(count(&weak, Outcome::CriticalSdc), 40 + 9 * 70 + 20, "30 s of 100 are right");
}

#[test]
fn a_weak_cell_holds_what_a_read_wrote_back_until_its_retention() {
    let on_read = OnRead::WriteBack;
    let tmr = Scheme { on_read, ..scheme(Protection::TmrStorage, None, None) };
    let bench = Bench::new(&tmr, 576, 1, 1.0);
    let strikes = vec![bench.strike(1, 0, 0, bit(3))];
    let persistence = Persistence::Weak { retention_s: 30.0 };
    let weak = bench.run(vec![upset(10.25, memory(strikes, persistence))]);
    let struck = |change: &&Change| change.ended.is_none();
    let times: Vec<f64> = weak.changes.iter().filter(struck).map(|c| c.time_s).collect();
    // Written back half an inference after the read at 11 s, struck again at 41.5 s, read at 42 s.
    assert_eq!(times[..3], [10.25, 41.5, 72.5]);
    assert_eq!(ends(&weak, 0)[..2], [(11.5, Restored::Read), (42.5, Restored::Read)]);
}

#[test]
fn a_second_discharge_changes_nothing_and_a_second_toggle_sets_back() {
    let bare = scheme(Protection::None, None, None);
    let run = |bench: &Bench| {
        bench.run([100.1, 200.1].map(|at| bench.hit(at, (0, 1, 0), bit(9))).to_vec())
    };
    let toggle = run(&Bench::new(&bare, 576, 2, 1.0));
    assert_eq!(ends(&toggle, 1), [(200.1, Restored::Upset)]);
    assert_eq!(count(&toggle, Outcome::CriticalSdc), 100);
    let discharge = run(&Bench::new(&bare, 576, 2, 1.0).discharging());
    assert!(ends(&discharge, 1).is_empty());
    assert_eq!(count(&discharge, Outcome::CriticalSdc), 900);
}

#[test]
fn a_reload_writes_what_is_wrong_in_hardened_storage() {
    let secded = Scheme { on_due: OnDue::Reload, ..scheme(Protection::None, HSIAO, None) };
    let bench = Bench::new(&secded, 576, 2, 1.0);
    let mut pair = bit(5);
    pair[0] |= 1 << 6;
    let run = |hardened: bool| {
        let mut upsets = vec![bench.hit(100.1, (0, 1, 0), pair)];
        if hardened {
            upsets.push(upset(50.0, What::Hardened { word: 3, mask: 1 }));
        }
        bench.run(upsets)
    };
    let clean = run(false);
    assert_eq!((clean.reloads, count(&clean, Outcome::Due)), (1, 1));
    assert_eq!((ends(&clean, 1).len(), count(&clean, Outcome::CriticalSdc)), (1, 0));
    let struck = run(true);
    assert_eq!((struck.reloads, count(&struck, Outcome::Due)), (1, 1));
    assert!(ends(&struck, 1).is_empty(), "word 3 is wrong, with check bits that fit");
    assert!(count(&struck, Outcome::CriticalSdc) >= 898, "{:?}", struck.outcomes);
}

#[test]
fn more_strikes_on_a_block_do_not_call_the_random_patrol_sooner() {
    let tmr = scheme(Protection::TmrStorage, None, Some(scrub(100.0, ScrubBy::Vote, true)));
    let bench = Bench::new(&tmr, 576, 4, 1.0).discharging();
    let run = |hits: u32| {
        let hit = |k| bench.hit(1.0 + 1e-6 * f64::from(k), (0, 1, 0), bit(0));
        ends(&bench.run((0..hits).map(hit).collect()), 1)
    };
    let one = run(1);
    assert_eq!((one.len(), one[0].1), (1, Restored::Scrub));
    assert!(one[0].0 > 2.0, "{one:?}");
    assert_eq!(run(200), one);
}

#[test]
fn replicas_lie_apart_as_placed_and_sites_lead_back() {
    let mut draws = stream(11, Domain::Generate, &[0]);
    let (mut laid, mut refused) = (0, 0);
    for name in Memory::names() {
        let memory = Memory::load(name).expect("shipped").0;
        for map in AddressMap::ALL {
            for placement in
                [Placement::Bank, Placement::Channel, Placement::Stack, Placement::Device]
            {
                for code in [None, HSIAO] {
                    let tmr = Scheme { placement, ..scheme(Protection::TmrStorage, code, None) };
                    let tiling = Tiling::new(5000, Some(1 << 28)).expect("256 MiB");
                    let of = SchemeLayout::new((0, &tmr), tiling, (&memory, map), (1 << 20, 0));
                    let places = match placement {
                        Placement::Bank => memory.banks.max(memory.bank_groups),
                        Placement::Channel => memory.channels,
                        Placement::Stack => memory.stacks,
                        Placement::Device => 3,
                    };
                    let Ok(layout) = of else {
                        assert!(places < 3, "{name} {map:?} {placement:?}: {of:?}");
                        refused += 1;
                        continue;
                    };
                    laid += 1;
                    for _ in 0..200 {
                        let copy = below(&mut draws, tiling.copies);
                        let block = below(&mut draws, u64::from(layout.blocks()));
                        let block = u32::try_from(block).expect("small");
                        let homes = [0, 1, 2].map(|r| layout.home(r, copy, block));
                        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
                            assert!(
                                apart(&memory, map, placement, homes[a], homes[b]),
                                "{name} {map:?} {placement:?}: {homes:?}"
                            );
                        }
                        for (replica, (device, entry)) in (0u8..).zip(homes) {
                            let word = block * layout.block_words;
                            let site = layout.site(device, entry, 0);
                            assert_eq!(site, Some(Site::Data { replica, copy, word }));
                        }
                    }
                }
            }
        }
    }
    assert!(laid > 40 && refused > 0, "{laid} {refused}");
}

/// Whether two entries differ in what a placement says.
fn apart(
    memory: &Memory,
    map: AddressMap,
    placement: Placement,
    (device, entry): (u32, u64),
    (other_device, other): (u32, u64),
) -> bool {
    let a = memory.locate(entry, map).expect("inside");
    let b = memory.locate(other, map).expect("inside");
    match placement {
        Placement::Bank => (a.bank_group, a.bank) != (b.bank_group, b.bank),
        Placement::Channel => a.channel != b.channel,
        Placement::Stack => a.stack != b.stack,
        Placement::Device => device != other_device,
    }
}

#[test]
fn a_row_is_replaced_for_what_no_code_corrects_and_for_nothing_else() {
    let scrubbed = scheme(Protection::None, HSIAO, Some(scrub(100.0, ScrubBy::Ecc, false)));
    let reloaded = Scheme { on_due: OnDue::Reload, ..scheme(Protection::None, HSIAO, None) };
    for of in [scrubbed, reloaded] {
        let bench = Bench::new(&of, 64, 1, 1.0);
        let single = bench.hit(10.5, (0, 0, 1), bit(3));
        let pair: Vec<Upset> =
            [4, 5].map(|at| bench.hit(10.5, (0, 0, 0), bit(at))).into_iter().collect();
        assert_eq!(bench.run(vec![single.clone()]).rows_remapped(), 0);
        let both = bench.run([vec![single], pair].concat());
        assert_eq!(both.rows_remapped(), 1, "of two struck entries one is lost: {both:?}");
        let [place] = both.replaced[..] else { panic!("one: {:?}", both.replaced) };
        let (device, entry) = bench.terms.layout.home(0, 0, 0);
        let at = bench.ground.memory.locate(entry, bench.ground.map);
        assert_eq!((place.device, place.entry, Some(place.at)), (device, entry, at));
        // The scrub that passes copy 0 at 100 s, or a moment after the read at 11 s.
        let when = if of.scrub.is_some() { 100.0 } else { 11.5 };
        assert_eq!((place.time_s, place.page), (when, None));
    }
}

#[test]
fn three_different_words_stay_under_a_vote_of_words() {
    let by = Some(scrub(100.0, ScrubBy::Vote, false));
    let words = Scheme { voter: Voter::Word, ..scheme(Protection::TmrStorage, None, by.clone()) };
    let bits = scheme(Protection::TmrStorage, None, by);
    let differ = |bench: &Bench| {
        [0, 1, 2].map(|r| bench.hit(10.5, (r, 0, 0), bit(usize::from(r) + 4))).into_iter().collect()
    };
    let words = Bench::new(&words, 64, 1, 1.0);
    let bits = Bench::new(&bits, 64, 1, 1.0);
    let (kept, healed) = (words.run(differ(&words)), bits.run(differ(&bits)));
    assert_eq!((kept.scrub_repaired, healed.scrub_repaired), (0, 1));
    assert!(ends(&kept, 0).is_empty() && !ends(&healed, 0).is_empty());
}
