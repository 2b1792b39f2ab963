//! Reports of missions made by hand: every figure here was chosen, none was simulated.

use beamline::archive::mission::{MissionRun, TrackPlace, UpsetRow, WHAT_NAMES};
use beamline::archive::schema::Source;
use beamline::mission::figures::{
    Facts, Incidence, ModeFact, PerYear, SchemeFact, SchemeFigures, Spread, Verdict,
};
use beamline::mission::fleet::FleetPoint;
use beamline::mission::strata::{Expected, Share, Stratum};
use beamline::mission::sweep::Point;
use beamline::mission::{
    Cause, Change, Duration, Ended, Episode, Requirement, SchemeHistory, TenantCounts, What,
};
use beamline::report::Format;
use beamline::report::mission::{MissionView, html, map, markdown, write, write_all};
use beamline::stats::{Interval, garwood};

const DAY_S: f64 = 86_400.0;
const YEAR_S: f64 = 365.25 * DAY_S;
const HISTORIES: u64 = 8;
const YEARS: f64 = 5.0;

/// Everything that a view refers to.
struct Made {
    sources: Vec<Source>,
    warnings: Vec<String>,
    facts: Facts,
    figures: Vec<SchemeFigures>,
    expected: Vec<Expected>,
    strata: Vec<Stratum>,
    sweep: Vec<Point>,
    histories: Vec<MissionRun>,
    track: Vec<TrackPlace>,
    fleet: Vec<FleetPoint>,
}

impl Made {
    fn view(&self) -> MissionView<'_> {
        MissionView {
            name: "by-hand",
            version: "0.0.0",
            setting: vec![("orbit", "650 km <sun-synchronous>".into())],
            sources: &self.sources,
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

fn interval(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

fn per_year(count: u64) -> PerYear {
    let years = YEARS * HISTORIES as f64;
    let found = garwood(count, 0.05);
    let interval = interval(found.low / years, found.high / years);
    PerYear { count, rate: count as f64 / years, interval }
}

fn fact(name: &str, copies: u64, passes: f64) -> SchemeFact {
    let stored = copies * 512 << 20;
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

fn facts() -> Facts {
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
        requirement: Some(Requirement {
            no_critical_sdc_for: Duration(2.0 * YEAR_S),
            probability: 0.9,
        }),
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

fn figures(name: &str, wrong: [u64; 3], scrub: f64) -> SchemeFigures {
    let [answers, critical, errors] = wrong;
    let a_year = answers as f64 / (YEARS * HISTORIES as f64);
    let share = critical as f64 / HISTORIES as f64 / 40.0;
    let some = Spread { count: 40, mean: 5000.0, median: 900.0, p90: 2.0e4, max: 3.0e5 };
    let long = Spread { count: 40, mean: 4.0e5, median: 9.0e4, p90: 2.0e6, max: 3.0e7 };
    let spread = |spread: Spread| if errors == 0 { Spread::default() } else { spread };
    let step = |years: f64, critical: f64, away: f64| Incidence { years, critical, away };
    let held = if critical == 0 { HISTORIES } else { 3 };
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
        wrong_of_a_history: (0, answers / 2),
        wrong_deviation: answers as f64 / 6.0,
        model_band: (0.2, 5.0),
        availability: 0.999_987,
        resets: per_year(19),
        host_resets: per_year(0),
        mean_time_to_repair_s: (errors > 0).then_some(7200.0),
        scrub_traffic: (scrub, scrub / 1.6e12),
        repairs: [310, 0, 4, 2],
        lost: [3, 1, 0, 12_288],
        common_cause: (400, u64::from(name == "tmr") * 2),
        incidence: vec![
            step(0.0, 0.0, 0.0),
            step(0.8, share, 0.0),
            step(2.5, share, 0.125),
            step(YEARS, share, 0.125),
        ],
        restricted_mean_years: 4.2,
        requirement: Some(Verdict {
            held,
            histories: HISTORIES,
            low: if held == HISTORIES { 0.749_894 } else { 0.178_9 },
            wanted: 0.9,
            met: false,
            needed: 22,
        }),
    }
}

/// An orbit over both poles, a place every 100 s; the anomaly lies where it lies.
fn track() -> Vec<TrackPlace> {
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

fn episode(upset: u32, start_s: f64, length_s: f64, outcomes: [u64; 7]) -> Episode {
    Episode {
        cause: Cause::Memory,
        upset,
        upsets: 1,
        copy: 5,
        start_s,
        first_effect_s: Some(start_s + 60.0),
        first_critical_s: None,
        end_s: start_s + length_s,
        ended: Ended::Scrub,
        outcomes,
    }
}

/// Four upsets on day 2, one on day 400.
fn history(track: &[TrackPlace]) -> MissionRun {
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
    let change = |days: f64, ended: Option<Ended>| Change {
        time_s: days * DAY_S,
        copy: 5,
        upset: 0,
        ended,
        words: u32::from(ended.is_none()),
    };
    let none = TenantCounts::default();
    let struck = TenantCounts { upsets: 400, corrected: 0, uncorrectable: 0, silent: 400 };
    let codewords = TenantCounts { upsets: 410, corrected: 400, uncorrectable: 9, silent: 1 };
    let bare = SchemeHistory {
        tenants: [struck, none, none, struck],
        episodes: vec![
            episode(0, 1.1 * DAY_S, 0.22 * DAY_S, [10, 0, 0, 0, 3, 0, 0]),
            episode(1, 1.3 * DAY_S, 0.02 * DAY_S, [10, 0, 0, 3, 0, 0, 0]),
        ],
        changes: vec![change(1.1, None), change(1.3, None), change(1.32, Some(Ended::Reset))],
        ..SchemeHistory::default()
    };
    let coded = SchemeHistory {
        tenants: [codewords, none, none, codewords],
        episodes: vec![episode(0, 1.1 * DAY_S, 0.03 * DAY_S, [10, 4, 0, 0, 0, 0, 0])],
        changes: vec![change(1.1, None), change(1.13, Some(Ended::Scrub))],
        ..SchemeHistory::default()
    };
    let schemes = vec![bare, coded, SchemeHistory::default()];
    MissionRun { history: 0, start_s: 0.0, upsets: upsets.collect(), schemes }
}

fn sweep() -> Vec<Point> {
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

fn strata() -> Vec<Stratum> {
    let share = |critical: u64| Share { critical, due: 1, tolerable: 3, wrong: 9 * critical };
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

fn made() -> Made {
    let expected = |scheme: &str, critical: f64| Expected {
        scheme: scheme.into(),
        critical: (critical, interval(0.7 * critical, 1.4 * critical)),
        due: (0.06, interval(0.01, 0.2)),
        wrong: 9.0 * critical,
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
        sources: vec![Source {
            subject: "hbm".into(),
            source: "chosen for this test & nothing else".into(),
        }],
        warnings: vec!["A warning of <this test>.".into()],
        figures: vec![
            figures(names[0], [1640, 12, 60], 0.0),
            figures(names[1], [30, 1, 4], facts.schemes[1].scrub_bytes_s),
            figures(names[2], [0, 0, 0], facts.schemes[2].scrub_bytes_s),
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

fn text(view: &MissionView<'_>, format: Format) -> String {
    let mut out = Vec::new();
    write(view, format, &mut out).expect("a report");
    String::from_utf8(out).expect("text")
}

/// What a number that is none looks like.
fn assert_finite(text: &str) {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    for word in words {
        assert!(!["NaN", "inf", "Infinity", "infinity"].contains(&word), "{word} in {text}");
    }
}

fn assert_whole(page: &str) {
    assert_finite(page);
    for link in ["http:", "https:", "src=", "href=", "@import", "url(", "<script"] {
        assert!(!page.contains(link), "{link}");
    }
    assert_eq!(page.matches("<svg ").count(), page.matches("</svg>").count());
    assert!(!page.contains("#010203"), "ink is the page's own colour");
}

#[test]
fn the_report_as_markdown() {
    insta::assert_snapshot!(markdown(&made().view()));
}

#[test]
fn the_table_for_a_terminal() {
    insta::assert_snapshot!(text(&made().view(), Format::Table));
}

#[test]
fn the_json_holds_every_figure() {
    let mut made = made();
    made.track.truncate(400);
    insta::assert_snapshot!(text(&made.view(), Format::Json));
}

#[test]
fn the_page_has_every_section_and_needs_nothing_from_elsewhere() {
    let page = html(&made().view()).expect("a page");
    assert_whole(&page);
    let mut at = 0;
    for section in [
        "What it came to",
        "Protection against cost",
        "What became of the answers",
        "Three kinds of uncertainty",
        "Error episodes: latency and length",
        "Time to the first wrong answer",
        "Scrubbing more often",
        "Where upsets fell",
        "Upsets by time of day and place",
        "The worst day",
        "What fails, and how often",
        "Causes",
        "Tenants of the memory",
        "Repairs, and what they used up",
        "What a fleet costs",
        "Expected rates, stratum by stratum",
        "Methods",
        "Limits of the model",
        "Sources",
        "The mission file",
    ] {
        let head = ["h2", "summary"].map(|tag| format!("<{tag}>{section}</{tag}>"));
        let found = head.iter().find_map(|head| page[at..].find(head.as_str()));
        at += found.unwrap_or_else(|| panic!("{section} in its place"));
    }
    assert_eq!(page.matches("<svg ").count(), 8);
    assert!(!page.contains("Accelerated"), "it is not");
}

#[test]
fn names_are_escaped_in_the_page_and_in_drawings() {
    let page = html(&made().view()).expect("a page");
    for raw in
        ["<none>", "<sun-synchronous>", "<this test>", "# <b>", "secded & scrub", "test & nothing"]
    {
        assert!(!page.contains(raw), "{raw}");
    }
    assert!(
        page.matches("bare &lt;none&gt;").count() + page.matches("bare &#60;none&#62;").count() > 8
    );
}

#[test]
fn the_csv_has_one_row_a_figure_with_its_unit() {
    let made = made();
    let csv = text(&made.view(), Format::Csv);
    assert_finite(&csv);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let find = |wanted: &[(usize, &str)]| {
        let is = |row: &&csv::StringRecord| wanted.iter().all(|(at, text)| &row[*at] == *text);
        rows.iter().find(is).unwrap_or_else(|| panic!("{wanted:?}")).clone()
    };
    assert!(rows.iter().all(|row| !row[4].is_empty() && row[5].parse::<f64>().is_ok()));
    assert!(rows.iter().all(|row| row[6].is_empty() == row[8].is_empty()), "intervals are named");
    let wrong = find(&[(0, "scheme"), (1, "bare <none>"), (3, "wrong answers")]);
    assert_eq!((&wrong[4], &wrong[5]), ("1/year of flight", "41"));
    assert_eq!(&wrong[8], "bootstrap over histories 95 %");
    let optimum = find(&[(0, "sweep"), (2, "1h"), (3, "optimum")]);
    assert_eq!(&optimum[5], "1");
    let refused = made.sweep.iter().filter(|point| point.refused.is_some()).count();
    let swept = rows.iter().filter(|row| &row[0] == "sweep" && &row[3] == "optimum").count();
    assert_eq!(swept + refused, made.sweep.len());
    let million = [(0, "fleet"), (2, "1,000,000 satellites"), (3, "states run")];
    assert_eq!(&find(&million)[5], "190000");
    assert_eq!(&find(&[(0, "tenant"), (2, "weights"), (3, "silent")])[5], "400");
}

#[test]
fn the_worst_day_is_the_one_with_the_most_upsets() {
    let page = html(&made().view()).expect("a page");
    assert!(page.contains("hours of day 2 of flight"));
    assert!(page.contains("most upsets (4)"));
}

#[test]
fn the_map_colours_upsets_and_says_the_pace() {
    let mut made = made();
    let svg = map(&made.view()).expect("a map").expect("a track");
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    // Hardened storage has no place.
    assert!(svg.contains("4 upsets of 1 history over 5.00 y of flight"));
    let lower = svg.to_lowercase();
    for colour in ["#d55e00", "#6a51a3", "#b8bec6"] {
        assert!(lower.contains(colour), "{colour}");
    }
    assert!(!svg.contains("Accelerated"));
    made.facts.acceleration = 20.0;
    let svg = map(&made.view()).expect("a map").expect("a track");
    assert!(svg.contains("Accelerated ×20"));
    made.track.clear();
    assert!(map(&made.view()).expect("nothing to draw").is_none());
}

#[test]
fn an_accelerated_mission_says_so_under_every_table_and_drawing() {
    let mut made = made();
    made.facts.acceleration = 20.0;
    let view = made.view();
    let text = markdown(&view);
    let tables = text.matches("\n| --- |").count() + text.matches("\n| ---: |").count();
    assert_eq!(tables, 13);
    assert_eq!(text.matches("Accelerated ×20, every period alike").count(), tables);
    assert!(
        text.contains("by-hand: 8 histories of 91.3 d (×20: 5.00 y of flight)"),
        "the mission's own length is said too"
    );
    let page = html(&view).expect("a page");
    for part in page.split("<h2>").skip(1).filter(|part| part.contains("<svg ")) {
        assert!(part.contains("Accelerated ×20"), "{}", &part[..40]);
    }
}

#[test]
fn a_mission_without_events_sweep_fleet_or_track_is_reported() {
    let mut made = made();
    made.figures = made
        .facts
        .schemes
        .iter()
        .map(|scheme| SchemeFigures {
            common_cause: (0, 0),
            due_episodes: per_year(0),
            resets: per_year(0),
            availability: 1.0,
            incidence: vec![],
            ..figures(&scheme.name, [0; 3], 0.0)
        })
        .collect();
    made.expected.clear();
    made.strata.clear();
    made.sweep.clear();
    made.fleet.clear();
    made.track.clear();
    made.histories[0].upsets.clear();
    made.histories[0].schemes = vec![SchemeHistory::default(); 3];
    made.facts.requirement = None;
    let view = made.view();
    let page = html(&view).expect("a page");
    assert_whole(&page);
    for absent in
        ["Scrubbing more often", "fleet", "Where upsets fell", "The worst day", "… expected"]
    {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(page.contains("no wrong answer in 40.0 y of flight, so at most 0.0922 episodes"));
    for format in [Format::Markdown, Format::Csv, Format::Json, Format::Table] {
        assert_finite(&text(&view, format));
    }
}

#[test]
fn one_history_has_no_interval_and_an_unfinished_mission_says_so() {
    let mut made = made();
    for figures in &mut made.figures {
        figures.histories = 1;
    }
    let view = made.view();
    let text = markdown(&view);
    assert!(text.contains("the figures of 1 of 8 histories"));
    assert!(text.contains("One history: its wrong answers have no interval"));
    assert!(text.contains("| wrong answers a year | 41.0 | 0.750 | none seen |"), "{text}");
    assert!(text.contains("| bare <none> | 41.0 | – | 0–820 | – |"), "{text}");
}

#[test]
fn no_histories_at_all_are_reported_without_a_number_that_is_none() {
    let mut made = made();
    made.figures.clear();
    made.histories.clear();
    made.facts.bandwidth_bytes_s = 0.0;
    let view = made.view();
    assert_whole(&html(&view).expect("a page"));
    assert!(markdown(&view).contains("0 of 8 histories"));
}

#[test]
fn every_form_lands_in_the_folder_and_what_cannot_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = made();
    write_all(folder.path(), &made.view()).expect("all forms");
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["map.svg", "report.csv", "report.html", "report.json", "report.md"]);
    let page = std::fs::read_to_string(folder.path().join("report.html")).expect("the page");
    assert_eq!(page, html(&made.view()).expect("a page"));
    let error = write_all(&folder.path().join("absent"), &made.view()).expect_err("no folder");
    assert!(error.to_string().contains("report.html"), "{error}");
}
