//! Reports of missions made by hand: every figure here was chosen, none was simulated.

mod by_hand;

use beamline::mission::SchemeHistory;
use beamline::mission::figures::{SchemeFact, SchemeFigures, figures as figures_of};
use beamline::mission::strata::{Expected, Stratum};
use beamline::report::Format;
use beamline::report::mission::{MissionView, html, map, markdown, write, write_all};
use by_hand::{DAY_S, figures, made, per_year};

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
    insta::assert_snapshot!(markdown(&made().view()).expect("a document"));
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
        "Results",
        "Assumptions",
        "Wrong answers a year",
        "All figures by scheme",
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
        "Figures behind the rates",
        "Methods",
        "Limits of the model",
        "Sources",
        "The mission file",
    ] {
        let head = ["h2", "summary"].map(|tag| format!("<{tag}>{section}</{tag}>"));
        let found = head.iter().find_map(|head| page[at..].find(head.as_str()));
        at += found.unwrap_or_else(|| panic!("{section} in its place"));
    }
    assert_eq!(page.matches("role=\"img\"").count(), 8, "drawings beside marks in legends");
    assert!(page.find("class=\"findings\"") < page.find("<h2>"), "findings come first");
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
    let text = markdown(&view).expect("a document");
    let tables = text.matches("\n| --- |").count() + text.matches("\n| ---: |").count();
    assert_eq!(tables, 18);
    // Figures of devices have no pace.
    let assumptions = text.matches("\n## Assumptions\n").count()
        + text.matches("\n## Figures behind the rates\n").count();
    let said = text.matches("Accelerated ×20, every period alike").count();
    assert_eq!((said, assumptions), (tables - 2, 2));
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
            struck: 0,
            common_cause: 0,
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
    let text = markdown(&view).expect("a document");
    assert!(text.contains("the figures of 1 of 8 histories"));
    assert!(text.contains("One history: its wrong answers have no interval"));
    assert!(text.contains("| wrong answers a year | 41.0 | 0.750 | none seen |"), "{text}");
    assert!(text.contains("| bare \\<none> | 41.0 | – | 0–164 | 54.7 |"), "{text}");
}

#[test]
fn no_histories_at_all_are_reported_without_a_number_that_is_none() {
    let mut made = made();
    made.figures.clear();
    made.histories.clear();
    made.facts.bandwidth_bytes_s = 0.0;
    let view = made.view();
    assert_whole(&html(&view).expect("a page"));
    assert!(markdown(&view).expect("a document").contains("0 of 8 histories"));
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
    assert!(error.to_string().contains("absent/map.svg"), "{error}");
}

/// The mission with `count` upsets in its first history.
fn crowded(count: u32) -> by_hand::Made {
    let mut made = made();
    let run = &mut made.histories[0];
    let one = run.upsets[0];
    run.upsets = (0..count)
        .map(|id| {
            let mut upset = one;
            upset.id = id;
            upset.time_s = f64::from(id) * DAY_S / f64::from(count);
            upset.latitude_deg = f64::from(id % 171) - 85.0;
            upset.longitude_deg = f64::from(id % 359) - 179.0;
            upset
        })
        .collect();
    made
}

#[test]
fn no_output_grows_with_the_number_of_upsets() {
    let sizes = |count: u32| {
        let made = crowded(count);
        let view = made.view();
        let map = map(&view).expect("a map").expect("a track");
        let texts = [Format::Html, Format::Markdown, Format::Csv, Format::Json];
        let texts = texts.map(|format| text(&view, format).len());
        (map, texts)
    };
    let (few, _) = sizes(1_500);
    assert!(few.contains("coloured by what they did"), "points up to 2,000");
    let (map, texts) = sizes(40_000);
    assert!(map.contains("as a density"), "a density above");
    assert!(map.len() < 400_000, "{} bytes", map.len());
    let (more, many) = sizes(400_000);
    assert!(more.len() < map.len() + map.len() / 10, "{} and {}", map.len(), more.len());
    for (a, b) in texts.into_iter().zip(many) {
        assert!(b < a + a / 10, "{texts:?} and {many:?}");
    }
    assert!(texts[0] < 1_000_000, "a page of {} bytes", texts[0]);
}

/// So many schemes, each with a wrong answer in each of so many histories.
fn many(made: &mut by_hand::Made, schemes: usize, histories: u32) {
    let of = made.facts.schemes[1].clone();
    made.facts.schemes =
        (0..schemes).map(|at| SchemeFact { name: format!("scheme {at}"), ..of.clone() }).collect();
    let history = |at: u32| {
        let start_s = f64::from(at) * DAY_S;
        let scheme = SchemeHistory {
            inferences: 1_000_000,
            first_critical_s: Some(start_s),
            episodes: vec![by_hand::episode(0, start_s, DAY_S, [10, 0, 0, 0, 3, 0, 0])],
            ..SchemeHistory::default()
        };
        vec![scheme; schemes]
    };
    made.figures = figures_of(&made.facts, &(0..histories).map(history).collect::<Vec<_>>());
}

#[test]
fn a_curve_has_400_steps_at_most_and_those_of_many_schemes_fewer() {
    for (schemes, histories, steps) in [(2, 300, 300), (2, 800, 400), (32, 800, 61)] {
        let mut made = made();
        many(&mut made, schemes, histories);
        // One more at the start and at the end.
        assert!(made.figures.iter().all(|figures| figures.incidence.len() == steps + 2));
    }
}

/// Sixty schemes over 800 histories, a dozen strata, and `count` upsets, episodes and changes in
/// the first history.
fn vast(count: u32) -> by_hand::Made {
    const SCHEMES: usize = 60;
    const STRATA: usize = 12;
    let mut made = crowded(count);
    let number = |name: &str, at: usize| format!("{name} {at}");
    many(&mut made, SCHEMES, 800);
    made.expected = (0..SCHEMES)
        .map(|at| Expected { scheme: number("scheme", at), ..made.expected[1].clone() })
        .collect();
    let stratum = made.strata[0].clone();
    made.strata = (0..STRATA)
        .map(|at| Stratum {
            mode: number("mode", at),
            schemes: vec![stratum.schemes[0]; SCHEMES],
            ..stratum.clone()
        })
        .collect();
    for at in &mut made.fleet {
        (at.wrong, at.satellites_wrong) = (vec![200; SCHEMES], vec![3; SCHEMES]);
    }
    let run = &mut made.histories[0];
    let mut scheme = run.schemes[1].clone();
    scheme.episodes = vec![scheme.episodes[0].clone(); count as usize];
    scheme.changes = vec![scheme.changes[0]; count as usize];
    scheme.replaced = vec![scheme.replaced[0]; count as usize];
    run.schemes = vec![SchemeHistory::default(); SCHEMES];
    run.schemes[0] = scheme;
    made
}

#[test]
fn all_forms_of_a_report_of_sixty_schemes_stay_below_five_megabytes() {
    let bytes = |count: u32| {
        let made = vast(count);
        let view = made.view();
        let forms = [Format::Html, Format::Markdown, Format::Csv, Format::Json];
        let forms = forms.map(|format| text(&view, format).len());
        let map = map(&view).expect("a map").expect("a track").len();
        (forms.into_iter().sum::<usize>() + map, forms)
    };
    // Where the map's cells are full already.
    let ((few, _), (many, forms)) = (bytes(30_000), bytes(300_000));
    assert!(many < few + few / 50, "{few} and {many} bytes");
    assert!(many < 5_000_000, "{many} bytes, of HTML, Markdown, CSV and JSON {forms:?}");
}
