//! V1, V2, V5: trapped protons, between the strings of the maps and along orbits.

use crate::table::{Row, Tolerance};
use beamline::environment::field::Shell;
use beamline::environment::orbit::Shape;
use beamline::environment::trapped::{Interpolation, Phase, flux};
use beamline::rate::{AltitudeAbove, Assessment, Environment, OrbitChoice, SolarPhase, Timeline};

const GRID: &str = "IRBEM (LGPL, as an oracle only) and radbelt 0.1.8 on a grid of L and B/B0";
const SPENVIS: &str =
    "SPENVIS 4.6.13, 30-day orbits from 2026-01-01, in github tdloveless/me-radfx (Apache-2.0)";
const CREME: &str = "CREME96 run of 2 March 2022 in PRBEM/IRBEM-extras csda_rpp (MIT), \
    altitude above the equator's radius, cosmic-ray protons included";
const NATIVE: &str =
    "IRBEM with the maps' native fields (Jensen and Cain 1960, GSFC 12/66), 10 days at 60 s";

/// An orbit without a shield or a device.
pub(crate) fn orbit(altitude_km: f64, inclination_deg: f64, phase: f64) -> Environment {
    let shape = Shape::Circular { altitude_km, inclination_deg };
    let mut environment = Environment::new(OrbitChoice::Shape(shape));
    environment.solar = SolarPhase(phase);
    environment
}

/// The figures of an environment.
pub(crate) fn assess(environment: &Environment) -> Assessment {
    let conditions = environment.conditions(".".as_ref()).expect("an environment");
    Timeline::new(conditions, None).expect("a track").assessment(1.0)
}

fn fluxes(environment: &Environment) -> impl Fn(&str) -> f64 + use<> {
    let found = assess(environment).trapped_protons.unshielded_per_cm2_s;
    move |threshold| found.at(threshold).expect("a threshold")
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = grid();
    let found = fluxes(&orbit(530.0, 53.0, 0.0));
    for (threshold, expected) in
        [("10", 50.715), ("30", 36.399), ("50", 29.872), ("100", 17.074), ("200", 5.388)]
    {
        let what = format!("AP8MIN > {threshold} MeV, 530 km 53°, cm⁻² s⁻¹");
        let pair = (expected, found(threshold));
        rows.push(Row::new("V2", what, SPENVIS, pair, Tolerance::Share(0.03)));
    }
    let mut classic = orbit(530.0, 53.0, 0.0);
    classic.interpolation = Interpolation::Classic;
    let found = fluxes(&classic);
    for (threshold, expected) in [("10", 50.715), ("100", 17.074)] {
        let what = format!("the same, classic interpolation, > {threshold} MeV");
        let pair = (expected, found(threshold));
        rows.push(Row::new("V2", what, SPENVIS, pair, Tolerance::Share(0.2)));
    }
    let found = fluxes(&orbit(825.0, 98.8, 0.0));
    for (threshold, expected) in
        [("10", 190.21), ("30", 140.92), ("50", 116.63), ("100", 71.276), ("200", 25.874)]
    {
        let what = format!("AP8MIN > {threshold} MeV, 825 km 98.8°, cm⁻² s⁻¹");
        let pair = (expected, found(threshold));
        rows.push(Row::new("V2b", what, SPENVIS, pair, Tolerance::Share(0.03)));
    }
    let mut polar = orbit(800.0, 90.0, 0.0);
    for above in [AltitudeAbove::Equator, AltitudeAbove::Sphere] {
        polar.altitude_above = above;
        let found = fluxes(&polar);
        for (threshold, expected) in [("30", 128.1), ("100", 64.59)] {
            let what = format!(
                "AP8MIN > {threshold} MeV, 800 km 90° above the {}, cm⁻² s⁻¹",
                above.name()
            );
            let pair = (expected, found(threshold));
            rows.push(Row::new("V5", what, CREME, pair, Tolerance::Share(0.04)));
        }
    }
    rows.extend(native());
    rows
}

/// The largest deviation over a grid of the maps, for each interpolation, as 1 + deviation.
fn grid() -> Vec<Row> {
    let text = crate::text("ap8_LB_grid_esa.csv");
    let mut worst = [0.0_f64; 2];
    let mut count = 0;
    for line in text.lines().skip(1) {
        let (solar, rest) = line.split_once(',').expect("a column of the solar phase");
        let phase = if solar == "min" { Phase::Min } else { Phase::Max };
        let cells: Vec<f64> = rest.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let [l, b_over_b0, energy, classic, _, phi_l] = cells[..] else { panic!("{line}") };
        // At 400 MeV the oracle's range check gives 0.
        if energy >= 400.0 {
            continue;
        }
        count += 1;
        let shell = Shell { l, b_over_b0 };
        let both = [(Interpolation::Classic, classic), (Interpolation::PhiL, phi_l)];
        for (worst, (interpolation, expected)) in worst.iter_mut().zip(both) {
            let found = flux(phase, interpolation, shell, energy);
            let deviation = match (expected, found) {
                (0.0, 0.0) => 0.0,
                (expected, found) => (found / expected - 1.0).abs(),
            };
            *worst = worst.max(deviation);
        }
    }
    ["classic", "φ–L"]
        .iter()
        .zip(worst)
        .map(|(name, worst)| {
            let what =
                format!("largest deviation of {count} points, {name} interpolation (1 is none)");
            Row::new("V1", what, GRID, (1.0, 1.0 + worst), Tolerance::Share(0.005))
        })
        .collect()
}

/// Orbits with the maps' native fields: the difference is that of the field.
fn native() -> Vec<Row> {
    let mut rows = Vec::new();
    for (altitude, inclination, phase, name, expected) in [
        (650.0, 97.99, 0.0, "MIN", [74.97, 56.28, 46.12, 27.31]),
        (650.0, 97.99, 1.0, "MAX", [55.03, 42.39, 35.21, 21.88]),
        (530.0, 53.0, 0.0, "MIN", [49.70, 35.80, 29.39, 16.82]),
        (530.0, 53.0, 1.0, "MAX", [31.08, 24.40, 20.55, 12.73]),
    ] {
        let found = fluxes(&orbit(altitude, inclination, phase));
        for (threshold, expected) in ["10", "30", "50", "100"].into_iter().zip(expected) {
            let what =
                format!("AP8{name} > {threshold} MeV, {altitude} km {inclination}°, native field");
            let pair = (expected, found(threshold));
            rows.push(Row::new("V3", what, NATIVE, pair, Tolerance::Report));
        }
    }
    rows
}
