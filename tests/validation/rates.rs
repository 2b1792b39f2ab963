//! V6, V7, V13: upset rates.

use crate::table::{Row, Tolerance};
use crate::trapped::orbit;
use beamline::device::{Device, Level};
use beamline::environment::shield::{Geometry, Shield};
use beamline::mission::{Mission, Plan, upset};
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
