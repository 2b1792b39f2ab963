//! A mission made by hand: every figure here was chosen, none was simulated.

use beamline::archive::mission::{MissionRun, TrackPlace, UpsetRow, WHAT_NAMES};
use beamline::archive::schema::Source;
use beamline::device::{Assumption, Location};
use beamline::mission::figures::{
    Against, AwayFigure, Facts, Held, Incidence, LostMemory, MissionSpread, ModeFact, PerYear,
    Repairs, SchemeFact, SchemeFigures, ScrubTraffic, Spread,
};
use beamline::mission::fleet::FleetPoint;
use beamline::mission::strata::{Expected, Share, Stratum, Sum};
use beamline::mission::sweep::Point;
use beamline::mission::{
    Cause, Change, Duration, Episode, Replaced, Requirement, Restored, SchemeHistory, TenantCounts,
    Why, Windows,
};
use beamline::report::mission::MissionView;
use beamline::stats::{Interval, Ratio, garwood};

pub(crate) const DAY_S: f64 = 86_400.0;
pub(crate) const YEAR_S: f64 = 365.25 * DAY_S;
pub(crate) const HISTORIES: u64 = 8;
pub(crate) const YEARS: f64 = 5.0;

/// Everything that a view refers to.
pub(crate) struct Made {
    pub(crate) sources: Vec<Source>,
    pub(crate) assumptions: Vec<Assumption>,
    pub(crate) warnings: Vec<String>,
    pub(crate) facts: Facts,
    pub(crate) figures: Vec<SchemeFigures>,
    pub(crate) expected: Vec<Expected>,
    pub(crate) strata: Vec<Stratum>,
    pub(crate) sweep: Vec<Point>,
    pub(crate) histories: Vec<MissionRun>,
    pub(crate) track: Vec<TrackPlace>,
    pub(crate) fleet: Vec<FleetPoint>,
}

impl Made {
    pub(crate) fn view(&self) -> MissionView<'_> {
        MissionView {
            name: "by-hand",
            version: "0.0.0",
            setting: vec![("orbit", "650 km <sun-synchronous>".into())],
            sources: &self.sources,
            assumptions: &self.assumptions,
            warnings: &self.warnings,
            toml: "name = \"by-hand\" # <b>",
            finished: self.figures.first().is_some_and(|f| f.histories == HISTORIES),
            histories_planned: HISTORIES,
            facts: &self.facts,
            figures: &self.figures,
            expected: &self.expected,
            strata: &self.strata,
            sweep: &self.sweep,
            histories: &self.histories,
            track: &self.track,
            fleet: &self.fleet,
        }
    }
}

/// A banded figure of a mode, and a stated one.
pub(crate) fn assumptions() -> Vec<Assumption> {
    let banded = Assumption {
        subject: "hbm, upset".into(),
        figure: "proton.anchor_cm2".into(),
        values: [1e-20, 3e-20, 1e-19],
        unit: "cm²/bit".into(),
        mark: "assumed".into(),
        source: "chosen for this test & nothing else".into(),
    };
    let onset = Assumption {
        figure: "proton.onset_mev".into(),
        values: [10.0; 3],
        unit: "MeV".into(),
        ..banded.clone()
    };
    let source = "a data sheet";
    vec![
        banded,
        onset,
        Assumption::stated("hardened storage", "rate", 1e-12, "1/(bit·day)", source),
    ]
}

pub(crate) fn interval(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

pub(crate) fn per_year(count: u64) -> PerYear {
    let years = YEARS * HISTORIES as f64;
    let found = garwood(count, 0.05);
    let interval = interval(found.low / years, found.high / years);
    PerYear { count, rate: count as f64 / years, interval }
}

pub(crate) fn fact(name: &str, copies: u64, passes: f64) -> SchemeFact {
    let stored = (copies * 512) << 20;
    SchemeFact {
        name: name.into(),
        stored_bytes: stored,
        weight_bytes: 512 << 20,
        devices: 1,
        scrub_passes_s: passes,
        scrub_bytes_s: passes * stored as f64,
        executions: 1,
    }
}

pub(crate) fn required() -> Requirement {
    Requirement { no_critical_sdc_for: Duration(2.0 * YEAR_S), probability: 0.9 }
}

pub(crate) fn facts() -> Facts {
    let mode = |mode: &str, kind: &str, a_year: [f64; 3]| ModeFact {
        device: "hbm".into(),
        mode: mode.into(),
        kind: kind.into(),
        per_device_s: a_year.map(|rate| rate / YEAR_S),
    };
    Facts {
        seed: 11,
        horizon_s: YEARS * YEAR_S,
        acceleration: 1.0,
        inferences_per_s: 2.0,
        bandwidth_bytes_s: 1.6e12,
        capacity_bytes: 32 << 30,
        copies: 4096,
        requirement: Some(required()),
        modes: vec![
            mode("upset", "multi-bit", [40.0, 100.0, 250.0]),
            mode("hang", "sefi", [0.2, 0.5, 2.0]),
        ],
        schemes: vec![
            fact("bare <none>", 1, 0.0),
            fact("secded & scrub", 1, 1.0 / 3600.0),
            fact("tmr", 3, 1.0 / 600.0),
        ],
    }
}

pub(crate) fn figures(name: &str, wrong: [u64; 3], scrub: f64) -> SchemeFigures {
    let [answers, critical, errors] = wrong;
    let a_year = answers as f64 / (YEARS * HISTORIES as f64);
    let share = critical as f64 / HISTORIES as f64 / 40.0;
    let some = Spread { count: 40, mean: 5000.0, median: 900.0, p90: 2.0e4, max: 3.0e5 };
    let long = Spread { count: 40, mean: 4.0e5, median: 9.0e4, p90: 2.0e6, max: 3.0e7 };
    let spread = |spread: Spread| if errors == 0 { Spread::default() } else { spread };
    let step = |years: f64, critical: f64, away: f64| Incidence { years, critical, away };
    let held = if critical == 0 { 2 * HISTORIES } else { 5 };
    SchemeFigures {
        name: name.into(),
        histories: HISTORIES,
        years: YEARS * HISTORIES as f64,
        inferences: 2_524_608_000,
        unavailable: 1200,
        outcomes: [2_500_000_000, 23_000_000, 400, 1_600_000, answers, 3000, 0],
        error_episodes: per_year(errors),
        critical_episodes: per_year(critical),
        critical_by_cause: [critical, 0, 0, 0],
        due_episodes: per_year(2),
        latency_s: spread(some),
        length_s: spread(long),
        censored: u64::from(errors > 0),
        wrong_per_year: (a_year, interval(0.6 * a_year, 1.5 * a_year)),
        wrong_per_million: (a_year / 63.0, interval(0.6 * a_year / 63.0, 1.5 * a_year / 63.0)),
        mission_spread: MissionSpread {
            length_s: YEARS * YEAR_S,
            missions: HISTORIES,
            least: 0.0,
            most: answers as f64 / 2.0 / YEARS,
            deviation: answers as f64 / 6.0 / YEARS,
        },
        against: None,
        model_band: Interval { low: 0.2, high: 5.0 },
        availability: 0.999_987,
        resets: per_year(19),
        host_resets: per_year(5),
        away: Why::ALL.map(|why| {
            let [due, sefi, host, ram] = [4, 15, 2, 3];
            let count = [due, sefi, 0, host, ram][why as usize];
            let dead_s = count as f64 * if why.is_host() { 600.0 } else { 60.0 };
            let all_s = YEARS * HISTORIES as f64 * YEAR_S;
            AwayFigure { why, times: per_year(count), dead_s, share: dead_s / all_s }
        }),
        mean_time_to_repair_s: (errors > 0).then_some(7200.0),
        scrub_traffic: ScrubTraffic { bytes_s: scrub, share: scrub / 1.6e12 },
        repairs: Repairs {
            scrub_repaired: 310,
            read_repaired: 0,
            scrub_uncorrectable: 4,
            reloads: 2,
        },
        lost: LostMemory { rows_remapped: 3, pages_retired: 1, exhausted: 0, lost_bytes: 12_288 },
        struck: 400,
        common_cause: u64::from(name == "tmr") * 2,
        incidence: vec![
            step(0.0, 0.0, 0.0),
            step(0.8, share, 0.0),
            step(2.5, share, 0.125),
            step(YEARS, share, 0.125),
        ],
        restricted_mean_years: 4.2,
        requirement: Some(Held::of(required(), Windows { flown: 2 * HISTORIES, held }, HISTORIES)),
    }
}

/// An orbit over both poles, a place every 100 s; the anomaly lies where it lies.
pub(crate) fn track() -> Vec<TrackPlace> {
    let place = |at: u32| {
        let turn = f64::from(at) * 100.0 / 5800.0 * std::f64::consts::TAU;
        let latitude = (0.98 * turn.sin()).asin().to_degrees();
        let east = (0.2_f64 * turn.sin()).atan2(turn.cos()).to_degrees();
        let longitude = (east - f64::from(at) * 100.0 / 240.0 + 540.0).rem_euclid(360.0) - 180.0;
        let hour = (f64::from(at) * 100.0 / 3600.0 + longitude / 15.0).rem_euclid(24.0);
        let in_saa = (-50.0..0.0).contains(&latitude) && (-90.0..20.0).contains(&longitude);
        TrackPlace {
            time_s: f64::from(at) * 100.0,
            latitude_deg: latitude,
            longitude_deg: longitude,
            altitude_km: 650.0,
            local_time_h: hour,
            events_per_s: 1e-6,
            in_saa: u64::from(in_saa),
        }
    };
    (0..1728).map(place).collect()
}

pub(crate) fn episode(upset: u32, start_s: f64, length_s: f64, outcomes: [u64; 7]) -> Episode {
    Episode {
        cause: Cause::Memory,
        upset,
        upsets: 1,
        copy: 5,
        start_s,
        first_effect_s: Some(start_s + 60.0),
        first_critical_s: None,
        end_s: start_s + length_s,
        ended: Restored::Scrub,
        outcomes,
    }
}

/// Four upsets on day 2, one on day 400.
pub(crate) fn history(track: &[TrackPlace]) -> MissionRun {
    let events = [
        (1.1, "uncorrectable", 0),
        (1.3, "uncorrectable", 0),
        (1.32, "sefi", 1),
        (1.8, "uncorrectable", 0),
        (399.5, "hardened-storage", u32::MAX),
    ];
    let saa: Vec<&TrackPlace> = track.iter().filter(|at| at.in_saa == 1).collect();
    let row = |(id, (days, what, mode)): (usize, (f64, &str, u32))| {
        let at = saa[7 * id % saa.len()];
        let what = WHAT_NAMES.iter().position(|name| *name == what).expect("a name");
        UpsetRow {
            history: 0,
            time_s: days * DAY_S,
            latitude_deg: at.latitude_deg,
            longitude_deg: at.longitude_deg,
            local_time_h: at.local_time_h,
            first_entry: u64::MAX,
            first_bit: u64::MAX,
            id: u32::try_from(id).expect("few"),
            entries: 1,
            flipped_bits: 0,
            bank: 0,
            row: 0,
            place: 0,
            device: 0,
            mode,
            what: u16::try_from(what).expect("few"),
            shape: u16::MAX,
            persistence: u16::MAX,
            in_saa: 1,
        }
    };
    let upsets = events.into_iter().enumerate().map(row);
    let change = |days: f64, ended: Option<Restored>| Change {
        time_s: days * DAY_S,
        copy: 5,
        upset: 0,
        ended,
        words: u32::from(ended.is_none()),
    };
    let none = TenantCounts::default();
    let struck = TenantCounts { upsets: 400, corrected: 0, uncorrectable: 0, silent: 400 };
    let codewords = TenantCounts { upsets: 410, corrected: 400, uncorrectable: 9, silent: 1 };
    let at =
        Location { stack: 1, channel: 7, bank_group: 2, bank: 3, row: 511, ..Location::default() };
    let bare = SchemeHistory {
        tenants: [struck, none, none, struck],
        episodes: vec![
            episode(0, 1.1 * DAY_S, 0.22 * DAY_S, [10, 0, 0, 0, 3, 0, 0]),
            episode(1, 1.3 * DAY_S, 0.02 * DAY_S, [10, 0, 0, 3, 0, 0, 0]),
        ],
        changes: vec![change(1.1, None), change(1.3, None), change(1.32, Some(Restored::Reset))],
        ..SchemeHistory::default()
    };
    let coded = SchemeHistory {
        tenants: [codewords, none, none, codewords],
        episodes: vec![episode(0, 1.1 * DAY_S, 0.03 * DAY_S, [10, 4, 0, 0, 0, 0, 0])],
        changes: vec![change(1.1, None), change(1.13, Some(Restored::Scrub))],
        replaced: vec![
            Replaced { time_s: 1.13 * DAY_S, device: 0, entry: 77, at, page: None },
            Replaced { time_s: 1.4 * DAY_S, device: 0, entry: 900, at, page: Some(7) },
        ],
        ..SchemeHistory::default()
    };
    let schemes = vec![bare, coded, SchemeHistory::default()];
    MissionRun { history: 0, start_s: 0.0, upsets: upsets.collect(), schemes }
}

pub(crate) fn sweep() -> Vec<Point> {
    let point = |period_s: Option<f64>, wrong: f64| Point {
        scheme: "secded & scrub".into(),
        period_s,
        traffic_bytes_s: period_s.map_or(0.0, |period| 5.4e8 / period),
        wrong_per_year: (wrong, interval(0.5 * wrong, 2.0 * wrong)),
        error_episodes: per_year(4),
        optimum: period_s == Some(3600.0),
        refused: None,
    };
    let refused = Some("expected 400µs or more: a pass of all banks".to_owned());
    vec![
        Point { refused, ..point(Some(1e-4), 0.0) },
        point(Some(60.0), 0.0),
        point(Some(3600.0), 0.4),
        point(Some(DAY_S), 3.0),
        point(None, 25.0),
    ]
}

pub(crate) fn strata() -> Vec<Stratum> {
    let sum = |events: u64, each: u64| Sum {
        events,
        sum: each * events,
        squares: 10.0 * (each * events) as f64,
        most: 12,
    };
    let share = |critical: u64| Share {
        critical: sum(critical, 2),
        due: sum(1, 1),
        tolerable: 3,
        wrong: sum(critical, 9),
    };
    vec![
        Stratum {
            device: "hbm".into(),
            mode: "upset".into(),
            shape: Some("single".into()),
            within: Some(true),
            per_year: 12.0,
            drawn: 200,
            schemes: vec![share(20), share(0), share(0)],
        },
        Stratum {
            device: "hbm".into(),
            mode: "hang".into(),
            shape: None,
            within: None,
            per_year: 0.0,
            drawn: 0,
            schemes: vec![Share::default(); 3],
        },
    ]
}

pub(crate) fn made() -> Made {
    let against = |estimate: Option<f64>, low: f64, memory: f64| Against {
        baseline: "bare <none>".into(),
        fewer: Some(Ratio {
            estimate,
            low,
            high: estimate.map(|estimate| 3.0 * estimate),
            of_events: estimate.is_none(),
        }),
        memory,
    };
    let expected = |scheme: &str, critical: f64| Expected {
        scheme: scheme.into(),
        critical: (critical, interval(0.7 * critical, 1.4 * critical)),
        due: (0.06, interval(0.01, 0.2)),
        wrong: (9.0 * critical, interval(5.0 * critical, 15.0 * critical)),
        ap8_factor: 2.0,
    };
    let facts = facts();
    let names: Vec<&str> = facts.schemes.iter().map(|scheme| scheme.name.as_str()).collect();
    let track = track();
    let fleet = |satellites: u64| FleetPoint {
        satellites,
        years: YEARS * satellites as f64,
        events: 80 * satellites,
        events_reaching: 60 * satellites,
        states_run: (60 * satellites).min(90_000 + satellites / 10),
        wrong: vec![200 * satellites, satellites, 0],
        satellites_wrong: vec![satellites / 2, satellites / 100, 0],
        seconds: 0.5,
    };
    Made {
        assumptions: assumptions(),
        sources: vec![Source {
            subject: "hbm".into(),
            source: "chosen for this test & nothing else".into(),
        }],
        warnings: vec!["A warning of <this test>.".into()],
        figures: vec![
            figures(names[0], [1640, 12, 60], 0.0),
            SchemeFigures {
                against: Some(against(Some(1640.0 / 30.0), 20.0, 1.0)),
                ..figures(names[1], [30, 1, 4], facts.schemes[1].scrub_bytes_s)
            },
            SchemeFigures {
                against: Some(against(None, 3.5, 3.0)),
                ..figures(names[2], [0, 0, 0], facts.schemes[2].scrub_bytes_s)
            },
        ],
        expected: vec![expected(names[0], 0.3), expected(names[1], 0.02), expected(names[2], 0.0)],
        strata: strata(),
        sweep: sweep(),
        histories: vec![history(&track)],
        track,
        fleet: [1, 100, 10_000, 1_000_000].map(fleet).to_vec(),
        facts,
    }
}
