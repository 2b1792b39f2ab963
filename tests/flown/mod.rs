//! A small mission with histories that look like those of a run and are none.
#![allow(dead_code, reason = "each test uses a part")]

use beamline::archive::mission::{Closing, Made};
use beamline::archive::schema::AdapterInfo;
use beamline::archive::{Fingerprint, MissionHeader, MissionRun, MissionWriter};
use beamline::device::Location;
use beamline::mission::figures::{PerYear, figures};
use beamline::mission::fleet::FleetPoint;
use beamline::mission::run::HistoryRun;
use beamline::mission::strata::{Expected, Share, Stratum, Sum};
use beamline::mission::sweep::Point;
use beamline::mission::{
    Away, Cause, Change, Episode, Mission, Plan, Replaced, Restored, SchemeHistory, TenantCounts,
    Why, Windows, upset,
};
use beamline::seed::mix;
use beamline::stats::Interval;
use beamline::workload::{self, Overrides};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

pub(crate) const HISTORIES: u64 = 6;

pub(crate) const MISSION: &str = r#"
name = "archived"   # a comment
seed = 7
lasts = "2y"
histories = 6

[environment]
orbit = "suncatcher"
shielding_mm_al = 10.0
days = 1.0

[memory]
preset = "h100-80gb"
weights = "20GiB"

[[device]]
name = "trillium-hbm"
modes = ["upset"]

[[device]]
name = "trillium-tpu"
modes = ["sdc", "sefi"]

[hardened]
upsets_per_bit_day = 1e-7
source = "an invented rate of this test"

[requirement]
no_critical_sdc_for = "30d"
probability = 0.5

[workload]
name = "digits-mlp"
inputs = 16

[[scheme]]
name = "none"
protection = "none"

[[scheme]]
name = "TMR + scrub"
protection = "tmr-storage"
scrub = { every = "1h", by = "vote" }
"#;

pub(crate) fn plan_of(text: &str) -> Plan {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("kernels/digits-mlp");
    let workload = workload::load(&folder, &Overrides::default()).expect("a workload");
    let mission = Mission::parse(Path::new("archived.toml"), text).expect("a mission");
    Plan::new(&mission, Arc::new(workload), &root.join("campaigns")).expect("a plan")
}

pub(crate) static PLAN: LazyLock<Plan> = LazyLock::new(|| plan_of(MISSION));

pub(crate) fn made() -> Made {
    Made {
        version: "0.1.0".into(),
        commit: "0123456".into(),
        adapter: AdapterInfo {
            name: "Test adapter".into(),
            driver: "test-driver".into(),
            driver_info: "version 1".into(),
            backend: "vulkan".into(),
            device_type: "cpu".into(),
            software: true,
            fma_fused: false,
        },
        shaders: vec!["a shader".into()],
        golden: vec![1, 2, 3],
    }
}

pub(crate) static HEADER: LazyLock<MissionHeader> =
    LazyLock::new(|| MissionHeader::of(&PLAN, MISSION, &made()));

pub(crate) fn header() -> MissionHeader {
    HEADER.clone()
}

pub(crate) fn fingerprint() -> Fingerprint {
    header().fingerprint
}

/// A history with the upsets that the mission draws, and with episodes that look like those of a
/// run and are none: a function of the history alone.
pub(crate) fn run(history: u64) -> MissionRun {
    let upsets = upset::history(&PLAN, history);
    let start_s = upset::start_s(&PLAN, history);
    let schemes = (0..2).map(|scheme| scheme_history(history, scheme)).collect();
    MissionRun::of(&HEADER, &PLAN, &HistoryRun { history, start_s, upsets, schemes })
}

#[expect(clippy::cast_possible_truncation, reason = "draws are below small bounds")]
fn scheme_history(history: u64, scheme: u64) -> SchemeHistory {
    let draw = |n: u64, below: u64| mix(mix(history ^ (scheme << 32)) ^ n) % below;
    let time_s = |n: u64| draw(n, 1 << 40) as f64 / 1e6;
    let outcomes = |n: u64| [0, 1, 2, 3, 4, 5, 6].map(|o| draw(100 * n + o, 50));
    let maybe = |n: u64| draw(n, 2) == 1;
    let episode = |n: u64| {
        let start_s = time_s(n + 4);
        let effect_s = start_s + draw(n + 5, 1000) as f64;
        Episode {
            cause: Cause::ALL[draw(n, 4) as usize],
            upset: draw(n + 1, 1000) as u32,
            upsets: 1 + draw(n + 2, 3) as u32,
            copy: draw(n + 3, 1 << 40),
            start_s,
            first_effect_s: maybe(n + 5).then_some(effect_s),
            first_critical_s: maybe(n + 6).then_some(effect_s + 1.0),
            end_s: effect_s + 1.0 + draw(n + 7, 1000) as f64,
            ended: Restored::ALL[draw(n + 8, 7) as usize],
            outcomes: outcomes(n),
        }
    };
    let change = |n: u64| Change {
        time_s: time_s(n),
        copy: if n.is_multiple_of(3) { u64::MAX } else { n },
        upset: if n.is_multiple_of(2) { u32::MAX } else { n as u32 },
        ended: (n.is_multiple_of(2)).then(|| Restored::ALL[draw(n, 7) as usize]),
        words: draw(n, 9) as u32,
    };
    let away = |n: u64| Away {
        time_s: time_s(n),
        start_s: time_s(n + 1),
        length_s: time_s(n + 2),
        device: if n.is_multiple_of(3) { u32::MAX } else { draw(n, 3) as u32 },
        upset: draw(n + 3, 1000) as u32,
        why: Why::ALL[draw(n + 4, 5) as usize],
    };
    let part = |n: u64| draw(n, 64) as u32;
    let replaced = |n: u64| Replaced {
        time_s: time_s(n),
        device: draw(n + 1, 3) as u32,
        entry: draw(n + 2, 1 << 40),
        at: Location { stack: part(n), bank: part(n + 1), row: part(n + 2), ..Location::default() },
        page: (draw(n + 3, 2) == 1).then(|| draw(n + 4, 1 << 30)),
    };
    let tenant = |n: u64| TenantCounts {
        upsets: draw(n, 90),
        corrected: draw(n + 1, 90),
        uncorrectable: draw(n + 2, 90),
        silent: draw(n + 3, 90),
    };
    // More rows than a chunk of the archive holds, over all histories.
    let episodes = if scheme == 0 { 900 } else { draw(5, 40) };
    let (unavailable, outcomes) = (draw(1, 100), outcomes(2));
    SchemeHistory {
        windows: Windows { flown: 7 + history, held: 5 },
        inferences: unavailable + outcomes.iter().sum::<u64>(),
        unavailable,
        outcomes,
        reloads: draw(6, 9),
        scrub_repaired: draw(7, 9),
        scrub_uncorrectable: draw(8, 9),
        read_repaired: draw(9, 9),
        exhausted: draw(12, 9),
        lost_bytes: draw(13, 1 << 40),
        struck: 9 + draw(14, 900),
        common_cause: draw(15, 9),
        tenants: [20, 30, 40, 50].map(tenant),
        repairs: (draw(16, 900), time_s(17)),
        first_critical_s: (outcomes[4] > 0).then(|| time_s(18)),
        first_away_s: maybe(19).then(|| time_s(19)),
        episodes: (0..episodes).map(|n| episode(1000 + 10 * n)).collect(),
        changes: (0..draw(21, 9)).map(|n| change(100_000 + n)).collect(),
        away: (0..draw(22, 9)).map(|n| away(200_000 + 10 * n)).collect(),
        replaced: (0..draw(23, 9)).map(|n| replaced(300_000 + 10 * n)).collect(),
    }
}

pub(crate) fn closing() -> Closing {
    let runs: Vec<_> = (0..HISTORIES).map(|history| run(history).schemes).collect();
    let interval = Interval { low: 0.5, high: 2.5 };
    let share = |critical| Share {
        critical: Sum { events: critical, sum: 9, squares: 33.0, most: 4 },
        due: Sum { events: 2, sum: 3, squares: 5.0, most: 2 },
        tolerable: 3,
        wrong: Sum { events: 3, sum: 4, squares: 8.0, most: 2 },
    };
    let stratum = |shape: Option<&str>, within| Stratum {
        device: "trillium-hbm".into(),
        mode: "upset".into(),
        shape: shape.map(str::to_owned),
        within,
        per_year: 12.5,
        drawn: 64,
        schemes: vec![share(5), share(0)],
    };
    let point = |period_s, refused: Option<&str>| Point {
        scheme: "TMR + scrub".into(),
        period_s,
        traffic_bytes_s: 1e9,
        wrong_per_year: (1.5, interval),
        error_episodes: PerYear { count: 3, rate: 1.0, interval },
        optimum: refused.is_none(),
        refused: refused.map(str::to_owned),
    };
    let expected = |scheme: &str| Expected {
        scheme: scheme.into(),
        critical: (1.0, interval),
        due: (0.0, interval),
        wrong: (17.0, interval),
        ap8_factor: 2.0,
    };
    let fleet = |satellites: u64| FleetPoint {
        satellites,
        years: 0.16 * satellites as f64,
        events: 50 * satellites,
        events_reaching: 40 * satellites,
        states_run: 1000,
        wrong: vec![satellites, 0],
        satellites_wrong: vec![satellites / 2, 0],
        seconds: 1.25,
    };
    Closing {
        figures: figures(&PLAN.facts(), &runs),
        strata: vec![
            stratum(Some("single-bit"), Some(true)),
            stratum(Some("single-bit"), Some(false)),
            stratum(None, None),
        ],
        expected: vec![expected("none"), expected("TMR + scrub")],
        sweep: vec![point(Some(60.0), None), point(None, None), point(Some(0.1), Some("too fast"))],
        fleet: vec![fleet(1000), fleet(1_000_000)],
    }
}

pub(crate) fn write(writer: &mut MissionWriter, histories: std::ops::Range<u64>) {
    for history in histories {
        writer.send((run(history), 0.25).into()).expect("a history");
    }
}

/// A folder with a finished mission.
pub(crate) fn finished(folder: &Path) -> PathBuf {
    let mut writer = MissionWriter::start(folder, header()).expect("a writer");
    write(&mut writer, 0..HISTORIES);
    writer.finish(closing()).expect("an archive")
}
