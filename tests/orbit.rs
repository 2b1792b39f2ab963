//! `beamline orbit` as a user meets it: figures, the table, the map, and what is refused.

use insta::assert_snapshot;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// The two-line elements of a satellite in low orbit, from the tests of SGP4 (Vallado et al. 2006).
const TLE: &str = "\
1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753
2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667
";

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_beamline"))
        .arg("orbit")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The arguments of one string.
fn table(arguments: &str) -> String {
    let output = run(&arguments.split(' ').collect::<Vec<_>>());
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn json(arguments: &str) -> Value {
    let text = table(&format!("{arguments} --format json"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments}: {error} in {text}"))
}

fn number(value: &Value, pointer: &str) -> f64 {
    let found = value.pointer(pointer).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("a number at {pointer} of {value}"))
}

/// The words of a text, however they are broken into lines.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn the_json_has_every_figure_under_its_name() {
    let figures = json("--preset suncatcher --device trillium-tpu --days 1");
    let mut last = f64::INFINITY;
    for energy in ["10", "30", "50", "100", "200"] {
        let before = number(&figures, &format!("/trapped_protons/unshielded_per_cm2_s/{energy}"));
        let behind = number(&figures, &format!("/trapped_protons/shielded_per_cm2_s/{energy}"));
        assert!(before < last && before > behind && behind > 0.0, "{energy}: {before} {behind}");
        last = before;
    }
    let share = number(&figures, "/trapped_protons/time_share_above_10_mev_1_per_cm2_s");
    assert!(share > 0.02 && share < 0.3, "{share}");
    for energy in ["100", "300", "1000", "3000", "10000"] {
        let share = number(&figures, &format!("/gcr/transmission/{energy}"));
        assert!(share > 0.0 && share < 1.0, "{energy}: {share}");
    }
    let year = number(&figures, "/dose/trapped_proton_rad_per_year");
    assert!((number(&figures, "/dose/trapped_proton_rad") / year - 5.0).abs() < 1e-9);
    let rates = figures["rates"].as_array().expect("rates");
    assert_eq!(rates.len(), 5);
    for rate in rates {
        assert!(rate["mode"].is_string());
        for band in ["per_device_day", "fit_per_device"] {
            let level = |level: &str| number(rate, &format!("/{band}/{level}"));
            assert!(level("low") <= level("nominal") && level("nominal") <= level("high"));
            assert!(level("low") > 0.0);
        }
        let fit = number(rate, "/fit_per_device/nominal");
        let day = number(rate, "/per_device_day/nominal");
        assert!((fit / (day / 24.0 * 1e9) - 1.0).abs() < 1e-9);
        assert!(number(rate, "/per_bit_day/nominal") > 0.0);
        assert!(rate["bit_flips_per_bit_day"]["nominal"].is_null(), "nobody says how many bits");
    }
}

#[test]
fn rates_per_bit_follow_from_bits() {
    let figures = json("--preset iss --device trillium-hbm --days 1");
    let upset = &figures["rates"][1];
    assert_eq!(upset["mode"], "upset");
    let ratio = number(upset, "/per_device_day/nominal") / number(upset, "/per_bit_day/nominal");
    assert!((ratio / 274_877_906_944.0 - 1.0).abs() < 1e-9, "{ratio}");
    let flips = number(upset, "/bit_flips_per_bit_day/nominal");
    assert!(flips > number(upset, "/per_bit_day/nominal"));
}

#[test]
fn the_table_fits_80_columns() {
    let cases = [
        ("tpu", "--preset suncatcher --device trillium-tpu --days 2"),
        ("hbm-worst-day", "--preset iss --device trillium-hbm --days 1 --event worst-day"),
    ];
    for (name, arguments) in cases {
        let table = table(arguments);
        for line in table.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert_snapshot!(name, table);
    }
}

#[test]
fn no_headline_number_for_ions_on_hbm() {
    let table = table("--preset iss --device trillium-hbm --days 1");
    let (_, ions) = table.split_once("ion-bits:").expect("the mode");
    let rate = ions.lines().find(|line| line.contains("events/bit-day")).expect("a rate");
    let figures = rate.trim().strip_prefix("events/bit-day").expect("a label").trim();
    assert_eq!(figures.split(' ').count(), 3, "low … high alone: {rate}");
    assert!(words(ions).contains("no single headline number"), "{ions}");
}

#[test]
fn the_table_says_what_its_words_mean() {
    let minimum = words(&table("--preset iss --solar min --device trillium-tpu --days 1"));
    assert!(minimum.contains("solar minimum: the most trapped protons and cosmic rays"));
    assert!(minimum.contains("destructive SEL: untested"));
    assert!(minimum.contains("low confidence below 500 km"), "{minimum}");
    let maximum = words(&table("--preset iss --solar max --days 1"));
    assert!(maximum.contains("solar maximum: the fewest trapped protons"));
    assert!(!maximum.contains("rates of"), "no device, no rates");
    let half = words(&table("--preset iss --solar 0.5 --days 1"));
    assert!(half.contains("between AP8MIN and AP8MAX"), "{half}");
    let equator = "--altitude-km 500 --inclination-deg 30 --altitude-above equator --days 1";
    let equator = words(&table(equator));
    assert!(equator.contains("506.9 km") && equator.contains("above the equator's"), "{equator}");
}

#[test]
fn deep_space_has_neither_field_nor_dose() {
    let figures = json("--preset deep-space --device k20x");
    let shares = figures["gcr"]["transmission"].as_object().expect("shares");
    assert_eq!(shares.len(), 5);
    assert!(shares.values().all(|share| share.as_f64() == Some(1.0)), "{shares:?}");
    assert!(figures["dose"]["trapped_proton_rad_per_year"].is_null());
    assert_eq!(figures["dose"]["label"], "TID not modelled");
    assert!(words(&table("--preset deep-space")).contains("dose from trapped protons TID not"));
}

#[test]
fn a_geostationary_orbit_has_no_dose() {
    let figures = json("--preset geo --days 1");
    assert!(figures["dose"]["trapped_proton_rad"].is_null());
    assert_eq!(figures["dose"]["label"], "TID not modelled");
}

#[test]
fn a_track_too_short_to_be_a_mean_says_so_in_every_form() {
    let short = "--altitude-km 420 --inclination-deg 51.64 --days 0.05";
    let figures = json(short);
    assert_eq!(
        number(&figures, "/trapped_protons/unshielded_per_cm2_s/10"),
        0.0,
        "it misses the SAA"
    );
    let days = number(&figures, "/setting/days_of_a_mean");
    assert!((days - 0.984).abs() < 2e-3, "{days}");
    let note = "a track of 0.05 days is too short to be a mean over the orbit: it leaves longitudes \
                out. 0.99 days would do";
    assert!(figures["warnings"].as_array().expect("notes").iter().any(|said| said == note));
    assert!(words(&table(short)).contains(note));
    let full = words(&table("--altitude-km 420 --inclination-deg 51.64 --days 1"));
    assert!(!full.contains("too short"), "{full}");
}

#[test]
fn a_thicker_shield_lets_less_through() {
    let of = |mm: &str| json(&format!("--preset suncatcher --days 1 --shielding-mm-al {mm}"));
    let (thin, thick) = (of("2"), of("20"));
    for pointer in ["/trapped_protons/shielded_per_cm2_s/30", "/dose/trapped_proton_rad_per_year"] {
        assert!(number(&thin, pointer) > number(&thick, pointer), "{pointer}");
    }
    let pointer = "/trapped_protons/unshielded_per_cm2_s/30";
    assert_eq!(number(&thin, pointer), number(&thick, pointer));
}

#[test]
fn a_solar_event_adds() {
    let of = |event: &str| {
        let arguments = "--preset suncatcher --device trillium-tpu --days 1 --event";
        number(&json(&format!("{arguments} {event}")), "/rates/0/per_device_day/nominal")
    };
    let (quiet, week, day) = (of("none"), of("worst-week"), of("worst-day"));
    assert!(quiet < week && week < day, "{quiet} {week} {day}");
}

#[test]
fn the_map_is_whole_and_has_the_track() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("map.svg");
    let said = table(&format!("--preset suncatcher --days 2 --svg {}", path(&file)));
    assert!(said.contains("map: "), "{said}");
    let svg = std::fs::read_to_string(&file).expect("a map");
    assert_well_formed(&svg);
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
    assert!(svg.matches("<circle").count() > 100, "places with protons");
    assert!(svg.matches("<polyline").count() > 20, "the ground track and the courses");
    for part in ["suncatcher: 650.0 km", "2026-01-01", "cm⁻² s⁻¹", "1960", "19.8° west"] {
        assert!(svg.contains(part), "{part} is not in the map");
    }
    assert!(!svg.contains("href") && !svg.contains("url("), "the map needs no other file");
}

/// Every element that opens closes, in order, and no bare `&` or `<` is left.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    let mut rest = svg;
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "a bare > in {before:?}");
        let (tag, after) = after.split_once('>').expect("an end of the tag");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{tag}"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split_whitespace().next().expect("a name")),
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
    for (at, _) in svg.match_indices('&') {
        let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#"];
        assert!(
            entities.iter().any(|entity| svg[at..].starts_with(entity)),
            "{}",
            &svg[at..at + 9]
        );
    }
}

#[test]
fn the_list_has_sources() {
    let list = table("--list");
    for part in ["suncatcher", "deep-space", "trillium-hbm", "source:"] {
        assert!(list.contains(part), "{part}");
    }
    let list: Value = serde_json::from_str(&table("--list --format json")).expect("JSON");
    for kind in ["presets", "devices"] {
        let all = list[kind].as_array().expect("a list");
        assert!(all.iter().all(|one| one["source"].as_str().is_some_and(|s| !s.is_empty())));
    }
}

#[test]
fn bad_input_is_refused_with_what_would_be_right() {
    let cases: [(&str, &[&str]); 31] = [
        (
            "--days 1",
            &["exactly one way", "--preset NAME", "--elements FILE", "suncatcher", "none"],
        ),
        ("--preset iss --altitude-km 500", &["exactly one way", "--preset and --altitude-km"]),
        ("--preset iss --inclination-deg 5", &["--inclination-deg with --preset"]),
        ("--altitude-km 500", &["--altitude-km alone"]),
        ("--altitude-km 500 --inclination-deg 5 --local-time-of-node-h 6", &["found both"]),
        ("--apogee-km 900", &["--apogee-km alone"]),
        ("--perigee-km 900 --inclination-deg 5", &["the rest of the ellipse"]),
        ("--perigee-km 900 --apogee-km 500 --inclination-deg 5", &["perigee_km", "found 900"]),
        ("--altitude-km -400 --inclination-deg 5", &["altitude_km", "100 or more", "found -400"]),
        ("--altitude-km 99 --inclination-deg 5", &["altitude_km", "100 or more", "found 99"]),
        ("--altitude-km 500 --inclination-deg -1", &["inclination_deg", "0 to 180", "found -1"]),
        ("--altitude-km 500 --inclination-deg 181", &["inclination_deg", "0 to 180", "181"]),
        ("--altitude-km 500 --local-time-of-node-h 25", &["local_time_of_node_h", "0 to 24"]),
        ("--preset nowhere", &["suncatcher", "found \"nowhere\""]),
        ("--preset iss --altitude-above equator", &["--altitude-above", "by its altitudes"]),
        ("--preset iss --shielding-mm-al -1", &["shielding", "0 to 1000 mm", "found -1"]),
        ("--preset iss --geometry cube", &["--geometry", "`sphere`", "`double-slab`"]),
        ("--preset iss --solar 2", &["--solar", "min, max or a phase", "found 2"]),
        ("--preset iss --event bad", &["--event", "`worst-day`"]),
        ("--preset iss --device nothing", &["trillium-hbm", "found \"nothing\""]),
        ("--preset iss --years 0", &["years", "above 0", "found 0"]),
        ("--preset iss --years 1e308", &["years", "at most 1000", "found 1000000"]),
        ("--preset iss --days 1e308", &["days", "at most 416.6", "600000 places"]),
        ("--preset iss --step-s 5e-324", &["days", "step_s = ", "600000 places"]),
        ("--preset iss --design-margin 1e300", &["design_margin", "0.001 to 1000"]),
        (
            "--altitude-km 92 --inclination-deg 5 --altitude-above equator",
            &[
                "altitude_km: expected 100 or more",
                "6.937 km more than above the equator",
                "98.937",
            ],
        ),
        ("--preset iss --days -1", &["days", "found -1"]),
        ("--preset iss --step-s 61", &["step_s", "at most 60", "found 61"]),
        ("--preset iss --start yesterday", &["start", "2026-01-01", "yesterday"]),
        ("--preset iss --tui", &["--tui", "a terminal"]),
        ("--preset deep-space --svg map.svg", &["deep space", "no ground track"]),
    ];
    for (arguments, parts) in cases {
        refused(&arguments.split(' ').collect::<Vec<_>>(), parts);
    }
}

fn refused(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for part in parts {
        assert!(message.contains(part), "{arguments:?}: expected {part:?} in {message}");
    }
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stdout));
}

#[test]
fn bad_files_are_refused_with_their_line() {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a written file");
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let good = write("good.tle", TLE);
    assert!(run(&["--tle", &good, "--days", "1"]).status.success());
    refused(&["--tle", &good, "--start", "2026-01-01"], &["2000-06-27", "14 days", "found 2026"]);
    let bad = write("bad.tle", &TLE.replace("34.2682", "34.2683"));
    refused(&["--tle", &bad], &["bad.tle:2"]);
    refused(&["--tle", path(&folder.path().join("none.tle"))], &["none.tle", "cannot be read"]);
    let device = include_str!("../fault-models/devices/trillium-tpu.toml");
    let line =
        |text: &str, part: &str| 1 + text.lines().position(|l| l.contains(part)).expect("it");
    let unit = write("unit.toml", &device.replace("onset_mev", "onset"));
    let at = format!("unit.toml:{}", line(device, "onset_mev"));
    refused(&["--preset", "iss", "--device", &unit], &[&at, "onset"]);
    let key = "anchor_mev = { value = 67.0, mark = \"verified-2nd\"";
    let (start, _) = device.split_once(key).expect("a figure");
    let source = device[start.len()..].lines().next().expect("a line");
    let unsourced = device.replacen(source, &format!("{key} }}"), 1);
    let unsourced = write("unsourced.toml", &unsourced);
    let at = format!("unsourced.toml:{}", line(device, key));
    refused(&["--preset", "iss", "--device", &unsourced], &[&at, "source"]);
}

#[test]
fn spectra_of_other_tools_take_the_place_of_ours_and_ours_come_back_the_same() {
    let spenvis = "tests/data/radiation/spenvis_AP8MIN_protons_530km_53deg.csv";
    let creme = "tests/data/radiation/creme96_800km_90deg_100mil_LET_full.csv";
    let orbit = "--altitude-km 800 --inclination-deg 90 --days 0.2 --device creme96-lm7912";
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("protons.csv");
    let header = "energy_mev,integral_per_cm2_s,differential_per_cm2_s_mev";
    let table = std::fs::read_to_string(spenvis).expect("the data is there");
    let rows: Vec<&str> =
        table.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    let table = format!("{header}\n{}\n", rows.join("\n"));
    std::fs::write(&file, format!("# is: trapped, before-shield, mean\n{table}")).expect("written");
    let given = |more: &[&str]| {
        let orbit: Vec<&str> = orbit.split(' ').collect();
        let files = ["--proton-spectrum", path(&file), "--let-spectrum", creme, "--format", "json"];
        let shield = ["--shielding-mm-al", "2.54"];
        run(&[&orbit, &files[..], &shield, more].concat())
    };
    let said = ["--let-spectrum-is", "behind-shield, mean, shield=2.54"];
    let output = given(&said);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let given_json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let output = given(&[]);
    assert_eq!(output.status.code(), Some(2));
    let asked = "in `is` of let_spectrum (--let-spectrum-is), if it is true: behind-shield, mean";
    assert!(text(&output.stderr).contains(asked), "{}", text(&output.stderr));
    let given = given_json;
    let model = given["trapped_protons"]["model"].as_str().expect("a model");
    assert!(model.starts_with("file protons.csv of a CSV table: trapped"), "{model}");
    assert!(model.contains("before-shield, mean; energy_mev and"), "{model}");
    let model = given["gcr"]["model"].as_str().expect("a model");
    assert!(model.contains("of CREME96: from-helium, behind-shield, mean, shield=2.54"), "{model}");
    let flux = number(&given, "/trapped_protons/unshielded_per_cm2_s/10");
    assert!((flux / 50.715 - 1.0).abs() < 1e-3, "{flux}");
    let rate = number(&given, "/rates/0/per_device_day/nominal");
    assert!((rate / 8.691_32e-5 - 1.0).abs() < 0.03, "{rate}");

    let out = folder.path().join("out");
    let own = json(&format!("{orbit} --spectra-out {}", path(&out)));
    let before = out.join("trapped-protons-before.csv");
    let again = json(&format!("{orbit} --proton-spectrum {}", path(&before)));
    for energy in ["10", "50", "200"] {
        let pointer = format!("/trapped_protons/shielded_per_cm2_s/{energy}");
        let (own, again) = (number(&own, &pointer), number(&again, &pointer));
        assert!((again / own - 1.0).abs() < 2e-3, "{energy}: {again} for {own}");
    }
    let ions = out.join("let-behind.csv");
    let output = run(&["--preset", "iss", "--proton-spectrum", path(&ions)]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("expected protons by energy (proton spectrum), found a LET spectrum"));

    // beamline's own come back as what they are: behind the shield, with the margin, of an event.
    let inside = out.join("trapped-protons-behind.csv");
    let output = run(&["--preset", "iss", "--proton-spectrum", path(&inside)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("found fluxes behind it"), "{}", text(&output.stderr));
    let twice = folder.path().join("twice");
    json(&format!("{orbit} --design-margin 2 --spectra-out {}", path(&twice)));
    let ions = twice.join("let-behind.csv");
    let once = json(&format!("{orbit} --let-spectrum {}", path(&ions)));
    let again = json(&format!("{orbit} --design-margin 2 --let-spectrum {}", path(&ions)));
    for (found, factor) in [(once, 1.0), (again, 2.0)] {
        let pointer = "/gcr/let_above_per_cm2_s/1";
        let ratio = number(&found, pointer) / (factor * number(&own, pointer));
        assert!((ratio - 1.0).abs() < 0.05, "{ratio} at a margin of {factor}");
    }
    let event = folder.path().join("event");
    json(&format!("{orbit} --event worst-day --spectra-out {}", path(&event)));
    let ions = event.join("let-behind.csv");
    let output = run(&["--preset", "iss", "--let-spectrum", path(&ions)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("found a solar event"), "{}", text(&output.stderr));
    let protons = event.join("trapped-protons-before.csv");
    json(&format!("{orbit} --proton-spectrum {}", path(&protons)));
}

/// A file that holds cosmic protons takes the place of beamline's: nothing is counted twice.
#[test]
fn cosmic_protons_of_a_file_are_not_added_to_cosmic_protons() {
    let folder = TempDir::new().expect("a folder");
    let orbit = "--altitude-km 800 --inclination-deg 90 --days 0.2 --device trillium-tpu";
    let rate = |is: &str| {
        let file = folder.path().join("protons.csv");
        let rows = "10,1000\n30,500\n100,200\n1000,1\n100000,0.1\n";
        let table =
            format!("# is: {is}, before-shield, mean\nenergy_mev,integral_per_cm2_s\n{rows}");
        std::fs::write(&file, table).expect("written");
        json(&format!("{orbit} --proton-spectrum {}", path(&file)))
    };
    let of = |found: &Value, source: &str| {
        number(found, &format!("/rates/0/by_source_per_day/{source}/nominal"))
    };
    let (alone, both) = (rate("trapped"), rate("trapped-and-cosmic"));
    assert!(of(&alone, "cosmic_protons") > 0.0);
    assert!(of(&both, "cosmic_protons").abs() < 1e-300);
    let above = of(&both, "trapped_protons") / of(&alone, "trapped_protons");
    assert!((0.99..1.01).contains(&above), "what lies above 1 GeV counts too: {above}");
    assert!(both["warnings"].to_string().contains("both count as trapped, and none as cosmic"));
    let file = folder.path().join("protons.csv");
    let cosmic = std::fs::read_to_string(&file).expect("the file").replace("trapped-and-", "");
    std::fs::write(&file, cosmic).expect("written");
    let output = run(&["--preset", "iss", "--proton-spectrum", path(&file)]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("found cosmic rays alone, which beamline counts"), "{message}");
}
