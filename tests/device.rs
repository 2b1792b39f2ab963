//! Devices as shipped and as users write them: sources, refusals, and a rate that CREME96 gives.

mod message;

use beamline::device::{
    DestructiveSel, Device, Error, EventKind, Level, Link, Mark, Memory, ObservedAt, Pattern,
};
use message::{by_line, says};
use std::collections::BTreeSet;
use std::path::Path;

/// A flux in m⁻² sr⁻¹ s⁻¹ per (MeV cm²/g) as one in cm⁻² day⁻¹ per (MeV cm²/mg), all directions.
const CM2_DAY_MG: f64 = 4.0 * std::f64::consts::PI * 1e-4 * 86_400.0 * 1e3;

/// A device of one mode with both terms, for refusals and scaling.
const GOOD: &str = r#"name = "part"
title = "A part"
source = "a test"
reference = "a paper"
bits = 1024
destructive_sel = "untested"

[[mode]]
name = "upset"
kind = "multi-bit"
per = "stored-bit"
observed_at = "raw"
source = "a test"
pattern = "hbm2-neutron"
derating = { value = 0.5, mark = "assumed", source = "half is in use" }

[mode.proton]
form = "weibull"
saturation_cm2 = { low = 1e-14, nominal = 2e-14, high = 4e-14, mark = "derived", source = "s" }
onset_mev = { value = 10, mark = "assumed", source = "s" }
width_mev = { value = 30, mark = "assumed", source = "s" }
exponent = { value = 1.5, mark = "assumed", source = "s" }

[mode.heavy_ion]
form = "weibull"
saturation_cm2 = { value = 1e-9, mark = "verified", source = "s" }
onset_let_mev_cm2_per_mg = { value = 0.5, mark = "verified", source = "s" }
width_let_mev_cm2_per_mg = { low = 30, nominal = 20, high = 10, mark = "assumed", source = "s" }
exponent = { value = 2, mark = "assumed", source = "s" }
depth_um = { value = 1, mark = "assumed", source = "s" }
"#;

fn parse(text: &str) -> Result<Device, beamline::place::Error> {
    Device::parse(Path::new("part.toml"), text)
}

fn shipped(name: &str) -> Device {
    Device::load(name).unwrap_or_else(|error| panic!("{error}")).0
}

/// The rows of the LET spectrum: LET in MeV cm²/mg, and the two fluxes in the units of the rate.
fn spectrum() -> Vec<[f64; 3]> {
    let path = "tests/data/radiation/creme96_800km_90deg_100mil_LET_full.csv";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).expect("the spectrum");
    let rows = text.lines().skip(2).map(|line| {
        let numbers = line.split(',').map(|field| field.trim().parse().expect("a number"));
        let [let_g, heavy, all, _]: [f64; 4] =
            numbers.collect::<Vec<f64>>().try_into().expect("four columns");
        [let_g * 1e-3, heavy * CM2_DAY_MG, all * CM2_DAY_MG]
    });
    rows.collect()
}

/// ∫ J(L) σ(L) dL by trapezia, per day.
fn rate(rows: &[[f64; 3]], column: usize, cm2: impl Fn(f64) -> f64) -> f64 {
    let cells = rows.windows(2).map(|ends| {
        let [from, to] = [&ends[0], &ends[1]].map(|row| row[column] * cm2(row[0]));
        0.5 * (from + to) * (ends[1][0] - ends[0][0])
    });
    cells.sum()
}

#[test]
fn shipped_devices_are_the_files_of_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fault-models/devices");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the folder of devices") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (_, text) = Device::load(&stem).expect("a shipped device");
        assert_eq!(text, std::fs::read_to_string(&path).expect("its file"));
        files.insert(stem);
    }
    assert_eq!(files, Device::names().into_iter().map(String::from).collect());
    assert!(files.len() >= 16, "{files:?}");
}

#[test]
fn shipped_devices_have_sources_marks_and_sane_cross_sections() {
    let rows = spectrum();
    for name in Device::names() {
        let device = shipped(name);
        assert_eq!(device.name, name);
        for mode in &device.modes {
            let title = format!("{name}, {}", mode.name);
            assert!(mode.figures().all(|(_, figure)| !figure.source.trim().is_empty()), "{title}");
            assert!(mode.figures().count() >= 4, "{title}");
            for mev in [1.0, 20.0, 67.0, 200.0, 1000.0] {
                let [low, nominal, high] = Level::ALL.map(|level| mode.proton_cm2(mev, level));
                assert!(0.0 <= low && low <= nominal && nominal <= high, "{title} at {mev} MeV");
                assert!(high < 1e-5, "{title}: {high} cm² at {mev} MeV");
            }
            assert_eq!(mode.has_proton(), mode.proton_cm2(500.0, Level::High) > 0.0, "{title}");
            let ions = Level::ALL.map(|level| mode.ion(level));
            assert!(ions.iter().all(|ion| ion.is_some() == mode.has_ion()), "{title}");
            let rates = ions.map(|ion| ion.map_or(0.0, |ion| rate(&rows, 1, |at| ion.cm2(at))));
            assert!(rates[0] <= rates[1] && rates[1] <= rates[2], "{title}: {rates:?}");
            assert_eq!(mode.has_ion(), rates[0] > 0.0, "{title}");
            assert_eq!(
                mode.kind.changes_bits(),
                mode.per.is_bit()
                    || mode.pattern.is_some()
                    || mode.kind == EventKind::Uncorrectable,
                "{title}"
            );
        }
    }
}

#[test]
fn figures_are_those_of_the_sources() {
    let tpu = shipped("trillium-tpu");
    let at = |name: &str, mev| {
        let mode = tpu.modes.iter().find(|mode| mode.name == name).expect("a mode");
        Level::ALL.map(|level| mode.proton_cm2(mev, level))
    };
    for (found, expected) in at("sdc", 67.0).into_iter().zip([6e-9, 7.5e-9, 9e-9]) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found}");
    }
    assert!((at("hbm-uncorrectable", 67.0)[1] / 2.89e-9 - 1.0).abs() < 1e-12);
    assert_eq!(at("sdc", 10.0), [0.0; 3]);

    let hbm = shipped("trillium-hbm");
    let bits = hbm.bits.expect("bits") as f64;
    let per_bit = hbm.modes[0].proton_cm2(67.0, Level::Nominal);
    assert!((per_bit * bits / 2.89e-9 - 1.0).abs() < 0.01, "{per_bit} over {bits} bits");
    let flips = hbm.modes[1].flips_per_event().expect("bits of a pattern");
    assert!((flips - (0.685 + 0.23625 * 4.0 + 0.07875 * 2.0 * 5.57)).abs() < 0.01, "{flips}");
    assert_eq!(hbm.modes[2].flips_per_event(), Some(1.0));
    assert_eq!(tpu.modes[0].flips_per_event(), None);

    let reference = shipped("creme96-proton-reference");
    let expected = 1e-11 * (1.0 - (-1.0_f64).exp());
    let found = reference.modes[0].proton_cm2(40.0, Level::Nominal);
    assert!((found / expected - 1.0).abs() < 1e-12);
}

#[test]
fn creme96_gives_the_same_rate_for_heavy_ions() {
    const EXPECTED: f64 = 8.691_32e-5;
    let rows = spectrum();
    assert_eq!(rows.len(), 1002);
    let device = shipped("creme96-lm7912");
    let ion = device.modes[0].ion(Level::Nominal).expect("a heavy-ion term");
    let heavy = rate(&rows, 1, |at| ion.cm2(at)) / EXPECTED;
    assert!((heavy - 1.0).abs() < 0.01, "Z ≥ 2: {heavy} of CREME96");
    let all = rate(&rows, 2, |at| ion.cm2(at)) / EXPECTED;
    assert!(all > 10.0, "the run leaves the ionisation by protons out; with it: {all}");
}

#[test]
fn heavy_ions_on_hbm_are_a_band_of_decades() {
    let device = shipped("trillium-hbm");
    let rows = spectrum();
    let mode = device.modes.iter().find(|mode| mode.has_ion()).expect("a heavy-ion mode");
    let rates = Level::ALL.map(|level| {
        let ion = mode.ion(level).expect("a heavy-ion term");
        rate(&rows, 1, |at| ion.cm2(at))
    });
    assert!(rates[0] > 1e-14 && rates[2] < 1e-9 && rates[2] / rates[0] > 1e4, "{rates:?}");
}

#[test]
fn rates_scale_with_the_cross_section_and_the_derating() {
    let mode = |text: &str| parse(text).expect("well-formed").modes.remove(0);
    let rows = spectrum();
    let base = mode(GOOD);
    let double = mode(&GOOD.replace("2e-14", "4e-14").replace("{ value = 1e-9", "{ value = 2e-9"));
    let ratio = double.proton_cm2(67.0, Level::Nominal) / base.proton_cm2(67.0, Level::Nominal);
    assert!((ratio - 2.0).abs() < 1e-12);
    let whole =
        mode(&GOOD.replace("value = 0.5, mark = \"assumed\"", "value = 1, mark = \"assumed\""));
    for level in Level::ALL {
        let ratio = whole.proton_cm2(67.0, level) / base.proton_cm2(67.0, level);
        assert!((ratio - 2.0).abs() < 1e-12, "derated once: {ratio}");
        let [whole, base] = [&whole, &base].map(|mode| mode.ion(level).expect("a term"));
        let ratio = rate(&rows, 1, |at| whole.cm2(at)) / rate(&rows, 1, |at| base.cm2(at));
        assert!((ratio - 2.0).abs() < 1e-9, "derated once: {ratio}");
    }
}

#[test]
fn nothing_is_derated_twice() {
    assert_eq!(ObservedAt::Raw.links(), [Link::Ecc, Link::Workload]);
    assert_eq!(ObservedAt::AfterEcc.links(), [Link::Workload]);
    assert_eq!(ObservedAt::AfterWorkload.links(), []);
    for name in Device::names() {
        for mode in shipped(name).modes {
            assert!(mode.derating.is_none() || mode.observed_at == ObservedAt::Raw, "{name}");
        }
    }
    for observed in ["after-ecc", "after-workload"] {
        let text = GOOD.replace("observed_at = \"raw\"", &format!("observed_at = \"{observed}\""));
        let error = by_line(&parse(&text).expect_err("a refusal").to_string());
        assert!(error.starts_with("part.toml:15: expected no derating"), "{error}");
        assert!(error.contains(observed) && error.contains("twice"), "{error}");
    }
}

#[test]
fn what_was_not_measured_is_said() {
    let micron = shipped("ddr4-micron-8gb");
    assert_eq!(micron.gaps(), ["no proton data"]);
    assert!(micron.sel_statement().starts_with("destructive SEL: none observed (to a LET of 60"));
    let tpu = shipped("trillium-tpu");
    assert_eq!(tpu.destructive_sel, DestructiveSel::Untested);
    assert!(tpu.sel_statement().starts_with("destructive SEL: untested"));
    assert_eq!(tpu.gaps(), ["no heavy-ion data".to_owned(), tpu.sel_statement()]);
    let gaps = shipped("trillium-hbm").gaps();
    assert!(gaps.contains(&"no proton data for mode ion-bits".to_owned()), "{gaps:?}");
    let xavier = shipped("xavier-nx");
    assert_eq!(xavier.destructive_sel, DestructiveSel::Observed);
    assert!(xavier.gaps().is_empty(), "{:?}", xavier.gaps());
}

#[test]
fn devices_are_names_or_paths() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let pattern = include_str!("../fault-models/patterns/hbm2-neutron.toml");
    std::fs::write(folder.path().join("wide.toml"), pattern.replace("5359", "8")).expect("written");
    std::fs::write(&path, GOOD.replace("\"hbm2-neutron\"", "\"wide.toml\"")).expect("written");
    let (device, text) = Device::load(path.to_str().expect("UTF-8")).expect("a device");
    assert!(text.contains("wide.toml"));
    assert!(device.modes[0].flips_per_event() < shipped("trillium-hbm").modes[1].flips_per_event());

    let unknown = Device::load("h100").expect_err("not shipped");
    assert!(matches!(unknown, Error::Unknown { .. }));
    let message = unknown.to_string();
    assert!(Device::names().iter().all(|name| message.contains(name)), "{message}");
    let missing = Device::load("none/part.toml").expect_err("no file").to_string();
    assert!(missing.starts_with("none/part.toml: cannot be read"), "{missing}");
}

#[test]
fn refused_files_say_what_and_where() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let mut wrong = Vec::new();
    for (kind, least) in [("device", 15), ("memory", 6), ("pattern", 6)] {
        let entries = std::fs::read_dir(root.join(kind)).expect("a folder of the repository");
        let paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        assert!(paths.len() >= least, "{kind}: {} files", paths.len());
        for path in paths {
            let text = std::fs::read_to_string(&path).expect("a refused file");
            let line = text.lines().next().and_then(|line| line.strip_prefix("# expect: "));
            let (at, expected) =
                line.and_then(|line| line.split_once(" | ")).expect("LINE | message");
            let file = path.file_name().expect("a name").to_string_lossy().into_owned();
            let refused = match kind {
                "device" => Device::parse(&path, &text).err(),
                "memory" => Memory::parse(&path, &text).err(),
                _ => Pattern::parse(&path, &text).err(),
            };
            let message = refused.map_or_else(|| "nothing: it is read".into(), |e| e.to_string());
            let placed = message.contains(&format!("{file}:{at}:"));
            if !placed || !message.contains(expected) || message.contains('\u{1b}') {
                wrong.push(format!(
                    "{kind}/{file}\n  expected {at}: {expected}\n  found    {message}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bendel_curves_are_those_of_the_formula() {
    let text = |form: &str, figures: &str, per: &str| {
        let (head, _) = GOOD.split_once("[mode.proton]").expect("a proton term");
        let head = head.replace("per = \"stored-bit\"", &format!("per = \"{per}\""));
        let head: String = head
            .lines()
            .filter(|line| !line.starts_with("derating"))
            .fold(String::new(), |text, line| text + line + "\n");
        format!("{head}[mode.proton]\nform = \"{form}\"\n{figures}\n")
    };
    let figure = |key: &str, value: f64| {
        format!("{key} = {{ value = {value:e}, mark = \"verified\", source = \"s\" }}\n")
    };
    let at = |text: &str, mev| {
        parse(text).expect("well-formed").modes[0].proton_cm2(mev, Level::Nominal)
    };
    let rise =
        |a: f64, e: f64| (1.0 - (-0.18 * ((e - a) * (18.0 / a).sqrt()).sqrt()).exp()).powi(4);
    let one = text("bendel-1", &figure("a_mev", 20.0), "stored-bit");
    let expected = (24.0_f64 / 20.0).powi(14) * 1e-12 * rise(20.0, 100.0);
    assert!((at(&one, 100.0) / expected - 1.0).abs() < 1e-12);
    assert_eq!(at(&one, 20.0), 0.0);
    let two = text("bendel-2", &(figure("a_mev", 15.0) + &figure("b_mev", 10.0)), "data-bit");
    let expected = (10.0_f64 / 15.0).powi(14) * 1e-12 * rise(15.0, 60.0);
    assert!((at(&two, 60.0) / expected - 1.0).abs() < 1e-12);
    let saturated = figure("a_mev", 15.0) + &figure("saturation_cm2", 1e-9);
    let expected = 1e-9 * rise(15.0, 60.0);
    assert!((at(&text("bendel-2", &saturated, "device"), 60.0) / expected - 1.0).abs() < 1e-12);
    let refused = parse(&text("bendel-1", &figure("a_mev", 20.0), "device"));
    let refused = refused.expect_err("per device").to_string();
    assert!(refused.contains("expected per = \"stored-bit\""), "{refused}");
}

#[test]
fn refused_devices_say_what_and_where() {
    let cases = [
        (
            "saturation_cm2 = { low",
            "saturation = { low",
            ":19:1: unknown field `saturation`, expected one of `form`, `saturation_cm2`",
        ),
        ("onset_mev = {", "onset = {", ":20:1: unknown field `onset`, expected one of"),
        ("depth_um = {", "depth = {", ":30:1: unknown field `depth`, expected one of"),
        ("source = \"a test\"\nreference", "reference", ":1:1: missing field `source`"),
        (
            "source = \"a test\"\nreference",
            "source = \" \"\nreference",
            ":3: expected a text that names the source",
        ),
        ("source = \"a test\"\npattern", "pattern", ":8:1: missing field `source`"),
        (
            "source = \"half is in use\"",
            "source = \"\"",
            ":15: expected a text that names the source",
        ),
        (
            "mark = \"derived\", source = \"s\"",
            "mark = \"derived\"",
            ":19:18: missing field `source`",
        ),
        ("mark = \"derived\", ", "", ":19:18: missing field `mark`"),
        (
            "mark = \"derived\"",
            "mark = \"sure\"",
            "unknown variant `sure`, expected one of `verified`, `verified-2nd`",
        ),
        ("low = 1e-14", "low = -1e-14", ":19: expected a number of 0 or more, 0.0001 at most"),
        ("low = 1e-14", "low = nan", ":19: expected a number of 0 or more, 0.0001 at most"),
        ("high = 4e-14", "high = inf", ":19: expected a number of 0 or more, 0.0001 at most"),
        (
            "low = 1e-14",
            "low = 3e-14",
            ":19: expected low ≤ nominal ≤ high, found 3e-14, 2e-14, 4e-14",
        ),
        ("low = 1e-14, nominal", "nominal", ":19: expected `value`, or all of"),
        ("{ value = 30,", "{ value = 30, low = 1,", ":21: expected `value`, or all of"),
        ("{ value = 30,", "{ value = 0,", ":21: expected a number above 0, 10000 at most"),
        (
            "width_mev = { value = 30, mark = \"assumed\", source = \"s\" }\n",
            "",
            ":17: expected form = \"weibull\" with saturation_cm2, onset_mev",
        ),
        ("width_mev", "a_mev", ":17: expected form = \"weibull\" with saturation_cm2"),
        ("\"hbm2-neutron\"", "\"hbm9\"", ":14: expected one of all-shapes, ddr-field-shapes"),
        ("\"hbm2-neutron\"", "\"absent.toml\"", "absent.toml: cannot be read"),
        ("kind = \"multi-bit\"", "kind = \"sefi\"", ":14: expected no pattern for kind = \"sefi\""),
        (
            "kind = \"multi-bit\"",
            "kind = \"word\"",
            ":10:8: unknown variant `word`, expected one of",
        ),
        ("pattern = \"hbm2-neutron\"\n", "", ":8: expected a pattern for kind"),
        ("value = 0.5", "value = 1.5", ":15: expected a number above 0, 1 at most"),
        ("value = 0.5", "value = 0", ":15: expected a number above 0, 1 at most"),
        ("bits = 1024", "bits = 0", ":5: expected 1 bit or more, found 0"),
        ("bits = 1024", "bits = -1", ":5:8: "),
        ("bits = 1024\n", "", ":10: expected the device's `bits`"),
        ("\"untested\"", "\"observed\"", ":6: expected destructive_sel_note"),
        ("\"untested\"", "\"none\"", ":6:19: unknown variant `none`, expected one of `untested`"),
        ("name = \"part\"", "name = \"part\"\nbitz = 1", ":2:1: unknown field `bitz`"),
    ];
    let neither = GOOD.split_once("[mode.proton]").expect("terms").0.to_owned();
    let twice = format!("{GOOD}{}", &GOOD[GOOD.find("\n[[mode]]").expect("a mode")..]);
    let head = GOOD.split_once("[[mode]]").expect("a mode").0.to_owned();
    let anchor = GOOD.replace("saturation_cm2 = { low", "anchor_cm2 = { low").replace(
        "onset_mev",
        "anchor_mev = { value = 9, mark = \"verified\", source = \"s\" }\nonset_mev",
    );
    let whole = [
        (neither, ":8: expected [mode.proton], [mode.heavy_ion] or both"),
        (twice, ":33: expected each mode's name once, found \"upset\" again"),
        (head, ": expected one [[mode]] or more"),
        (anchor, ":20: expected an energy above the onset, found 9 MeV"),
    ];
    let changed = cases.iter().map(|(from, to, expected)| {
        assert!(GOOD.contains(from), "{from}");
        (GOOD.replacen(from, to, 1), *expected)
    });
    let mut wrong = Vec::new();
    for (text, expected) in changed.chain(whole) {
        let message = match parse(&text) {
            Ok(_) => "nothing: it loads".to_owned(),
            Err(error) => error.to_string(),
        };
        if !says(&message, expected) {
            wrong.push(format!("expected {expected}\n   found {message}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(parse(GOOD).expect("the unchanged text").modes[0].observed_at, ObservedAt::Raw);
    assert!(Mark::Verified < Mark::Assumed);
}
