//! V6, V7, V13, V14: upset rates.

use crate::table::{Row, Tolerance};
use crate::trapped::orbit;
use beamline::device::{Device, Level, StruckEntry};
use beamline::environment::shield::{Geometry, Shield};
use beamline::mission::{Mission, Plan, Upset, What, upset};
use beamline::rate::response::{EDGES, Kernel};
use beamline::rate::{AltitudeAbove, Environment, OrbitChoice, SolarPhase, Timeline};
use beamline::units::DAY_S;
use beamline::workload::{self, Overrides};
use std::f64::consts::PI;
use std::path::Path;
use std::sync::Arc;

const CREME: &str = "CREME96 run of 2 March 2022 in PRBEM/IRBEM-extras csda_rpp (MIT): \
    AP8MIN and cosmic rays of 1977, 800 km 90°, 100 mil Al";
const SUNCATCHER: &str = "Suncatcher, arXiv:2511.19468: events per rad at 150 rad(Si) a \
    year; the device is calibrated on the same test, so that this checks environment and bookkeeping";

fn device(name: &str) -> Device {
    Device::load(name).expect("a shipped device").0
}

fn per_bit_day(environment: &Environment, name: &str) -> f64 {
    let conditions = environment.conditions(".".as_ref()).expect("an environment");
    let found = Timeline::new(conditions, Some(device(name))).expect("a track").assessment(1.0);
    found.rates[0].per_bit_day.or(found.rates[0].per_device_day).expect("a rate").nominal
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut polar = orbit(800.0, 90.0, 0.0);
    polar.altitude_above = AltitudeAbove::Equator;
    polar.shielding_mm_al = 2.54;
    let expected = 9.552_71e-5;
    let what = "proton upsets per bit and day, reference part";
    rows.push(Row::new(
        "V6",
        format!("{what}, from CREME96's protons before the shield"),
        CREME,
        (expected, from_incident()),
        Tolerance::Share(0.02),
    ));
    rows.push(Row::new(
        "V6",
        format!("{what}, from the orbit on, altitude above the equator as CREME96 counts it"),
        CREME,
        (expected, per_bit_day(&polar, "creme96-proton-reference")),
        Tolerance::Share(0.02),
    ));
    let expected = 8.691_32e-5;
    let what = "heavy-ion upsets per bit and day, LM7912";
    rows.push(Row::new(
        "V7",
        format!("{what}, from CREME96's LET spectrum"),
        CREME,
        (expected, from_let()),
        Tolerance::Share(0.03),
    ));
    rows.push(Row::new(
        "V7",
        format!("{what}, from Matthiä W = 0 through beamline"),
        CREME,
        (expected, per_bit_day(&polar, "creme96-lm7912")),
        Tolerance::Report,
    ));
    rows.extend(suncatcher());
    rows.extend(flown());
    rows.extend(stored());
    rows
}

/// Proton upsets per bit and day from CREME96's incident protons, through beamline's shield.
fn from_incident() -> f64 {
    let table = crate::data("creme96_800km_90deg_ions.csv");
    let points: Vec<(f64, f64)> =
        table.iter().map(|cells| (cells[0], cells[1])).filter(|(_, flux)| *flux > 0.0).collect();
    let flux = |energy: f64| {
        let after = points.partition_point(|(at, _)| *at <= energy);
        if after == 0 || after == points.len() {
            return 0.0;
        }
        let ((a, p), (b, q)) = (points[after - 1], points[after]);
        p * (q / p).powf((energy / a).ln() / (b / a).ln())
    };
    let fluxes: Vec<f64> = EDGES
        .windows(2)
        .map(|pair| 4.0 * PI * 1e-4 * flux((pair[0] * pair[1]).sqrt()) * (pair[1] - pair[0]))
        .collect();
    let mode = &device("creme96-proton-reference").modes[0];
    let paths = Shield { thickness_mm: 2.54, geometry: Geometry::Sphere }.paths();
    let response = Kernel::new(1, &paths).response(|e, _| mode.proton_cm2(e, Level::Nominal));
    DAY_S * response.fold(&fluxes)
}

/// Heavy-ion upsets per bit and day from CREME96's LET spectrum of Z = 2 to 92.
fn from_let() -> f64 {
    let ion = device("creme96-lm7912").modes[0].ion(Level::Nominal).expect("a heavy-ion term");
    let table = crate::data("creme96_800km_90deg_100mil_LET_full.csv");
    // m⁻² sr⁻¹ s⁻¹ (MeV cm²/g)⁻¹ to cm⁻² s⁻¹ (MeV cm²/mg)⁻¹, omnidirectional.
    let unit = 4.0 * PI * 1e-4 * 1000.0;
    let at = |cells: &[f64]| unit * cells[1] * ion.cm2(cells[0] / 1000.0);
    let cell = |pair: &[Vec<f64>]| {
        0.5 * (at(&pair[0]) + at(&pair[1])) * (pair[1][0] - pair[0][0]) / 1000.0
    };
    DAY_S * table.windows(2).map(cell).sum::<f64>()
}

fn suncatcher() -> Vec<Row> {
    let mut rows = Vec::new();
    for (phase, name) in [(0.0, "minimum"), (1.0, "maximum")] {
        let mut environment = Environment::new(OrbitChoice::Preset("suncatcher".to_owned()));
        environment.solar = SolarPhase(phase);
        let conditions = environment.conditions(".".as_ref()).expect("an environment");
        let timeline = Timeline::new(conditions, Some(device("trillium-tpu"))).expect("a track");
        let found = timeline.assessment(1.0).rates;
        let yearly = |mode: &str| {
            let rate = found.iter().find(|rate| rate.mode == mode).expect("a mode of the TPU");
            365.25 * rate.per_device_day.expect("a rate").nominal
        };
        for (mode, expected) in [("sdc", 8.83), ("hbm-uncorrectable", 3.41)] {
            let what = format!("{mode} events per TPU and year, solar {name}");
            rows.push(Row::new(
                "V13",
                what,
                SUNCATCHER,
                (expected, yearly(mode)),
                Tolerance::Factor(1.5),
            ));
        }
    }
    rows
}

/// The same counted in the histories of missions.
fn flown() -> Vec<Row> {
    let workload = workload::load(Path::new("kernels/digits-mlp"), &Overrides::default());
    let workload = Arc::new(workload.expect("shipped"));
    let mut rows = Vec::new();
    for (phase, name) in [("min", "minimum"), ("max", "maximum")] {
        let text = format!(
            "name = \"v13\"\nseed = 13\nlasts = \"100y\"\n[environment]\norbit = \"suncatcher\"\n\
             shielding_mm_al = 10.0\nsolar = \"{phase}\"\n[memory]\npreset = \"tpu-v6e-32gb\"\n\
             [[device]]\nname = \"trillium-tpu\"\nmodes = [\"sdc\", \"hbm-uncorrectable\"]\n\
             [workload]\nname = \"digits-mlp\"\n[[scheme]]\nname = \"none\"\nprotection = \"none\"\n"
        );
        let mission = Mission::parse(Path::new("v13.toml"), &text).expect("a mission");
        let plan = Plan::new(&mission, Arc::clone(&workload), Path::new(".")).expect("a plan");
        let histories = 10;
        let upsets: Vec<_> = (0..histories).flat_map(|at| upset::history(&plan, at)).collect();
        for (mode, expected) in [("sdc", 8.83), ("hbm-uncorrectable", 3.41)] {
            let at = plan.modes.iter().position(|m| m.mode.name == mode).expect("a mode");
            let count = upsets.iter().filter(|upset| usize::from(upset.mode) == at).count();
            let yearly = count as f64 / (histories as f64 * plan.years());
            let what = format!("{mode} events per TPU and year in mission histories, solar {name}");
            let tolerance = Tolerance::Factor(1.5);
            rows.push(Row::new("V13", what, SUNCATCHER, (expected, yearly), tolerance));
        }
    }
    rows
}

/// Struck bits of a mission at a constant rate, against σ · flux · bits of its memory.
fn stored() -> Vec<Row> {
    const SOURCE: &str =
        "σ · flux · bits · time: the mean of a Poisson count, four standard deviations";
    let folder = tempfile::tempdir().expect("a folder");
    let workload = workload::load(Path::new("kernels/digits-mlp"), &Overrides::default());
    let workload = Arc::new(workload.expect("shipped"));
    let environment = Environment::new(OrbitChoice::Preset("deep-space".into()));
    let cases = [
        ("h100-80gb", "stored-bit", 288.0, "20d"),
        ("h100-80gb", "data-bit", 256.0, "20d"),
        ("ddr5", "stored-bit", 256.0, "100d"),
    ];
    let row = |(memory, per, bits, lasts): (&str, &str, f64, &str)| {
        let figure = |value: f64| {
            format!("{{ value = {value:e}, mark = \"assumed\", source = \"a test\" }}")
        };
        let [cm2, onset, width, exponent] = [1e-14, 10.0, 1.0, 1.0].map(figure);
        let device = format!(
            "name = \"cell\"\ntitle = \"a cell\"\nsource = \"a test\"\nreference = \"none\"\n\
             bits = 1\ndestructive_sel = \"untested\"\n[[mode]]\nname = \"upset\"\n\
             kind = \"single-bit\"\nper = \"{per}\"\nobserved_at = \"raw\"\nsource = \"a test\"\n\
             [mode.proton]\nform = \"weibull\"\nsaturation_cm2 = {cm2}\nonset_mev = {onset}\n\
             width_mev = {width}\nexponent = {exponent}\n"
        );
        let path = folder.path().join("cell.toml");
        std::fs::write(&path, &device).expect("a file");
        let conditions = environment.conditions(folder.path()).expect("an environment");
        let cell = Device::parse(&path, &device).expect("a device");
        let alone = Timeline::new(conditions, Some(cell)).expect("a place").assessment(1.0);
        let per_bit_day = alone.rates[0].per_bit_day.expect("a rate per bit").nominal;
        let text = format!(
            "name = \"v14\"\nseed = 14\nlasts = \"{lasts}\"\n[environment]\n\
             orbit = \"deep-space\"\n[memory]\npreset = \"{memory}\"\n[[device]]\n\
             name = \"cell.toml\"\n[workload]\nname = \"digits-mlp\"\n[[scheme]]\n\
             name = \"none\"\nprotection = \"none\"\n"
        );
        let mission = Mission::parse(Path::new("v14.toml"), &text).expect("a mission");
        let plan = Plan::new(&mission, Arc::clone(&workload), folder.path()).expect("a plan");
        let counted = plan.ground.memory.entries() as f64 * bits;
        let expected = per_bit_day * counted * plan.ground.horizon_s / DAY_S;
        let struck = |upset: &Upset| match &upset.what {
            What::Memory(hit) => hit.strikes.iter().map(StruckEntry::bits).sum(),
            _ => 0,
        };
        let found: u32 = upset::history(&plan, 0).iter().map(struck).sum();
        let what = format!(
            "struck bits in {lasts} of deep space, memory {memory}, 1e-14 cm² a {per}: {bits} bits an entry"
        );
        let tolerance = Tolerance::Share(4.0 / expected.sqrt());
        Row::new("V14", what, SOURCE, (expected, f64::from(found)), tolerance)
    };
    cases.into_iter().map(row).collect()
}
