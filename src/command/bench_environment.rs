//! The environment's part of `beamline bench`: look-ups, field lines and whole orbits, in one
//! thread and without a GPU.

use super::Failure;
use super::bench::Figure;
use crate::device::Device;
use crate::environment::field::{Equator, Field, Shell, cartesian};
use crate::environment::orbit::Position;
use crate::environment::trapped::{Interpolation, Phase};
use crate::rate::{Environment, OrbitChoice, Timeline};
use std::hint::black_box;
use std::time::Instant;

/// Look-ups of one round.
const LOOKUPS: u32 = 200_000;
/// Field lines of one round.
const LINES: u32 = 2_000;

/// The figures, each the best of `rounds`.
pub(super) fn figures(rounds: u32) -> Result<Vec<Figure>, Failure> {
    let mut best = [0.0_f64; 4];
    let mut orbit_s = f64::INFINITY;
    let field = Field::at(1960.0, Equator::Least);
    for _ in 0..rounds.max(2) {
        let rates = [
            per_second(LOOKUPS, |k| lookup(Interpolation::PhiL, k)),
            per_second(LOOKUPS, |k| lookup(Interpolation::Classic, k)),
            per_second(LOOKUPS, |k| field.magnitude(cartesian(&place(k)))),
            per_second(LINES, |k| field.shell(cartesian(&place(k))).l),
        ];
        for (best, rate) in best.iter_mut().zip(rates) {
            *best = best.max(rate);
        }
        orbit_s = orbit_s.min(orbit()?);
    }
    let names = ["AP8 look-up, φ–L", "AP8 look-up, classic", "field", "field line, L and B/B0"];
    let mut figures: Vec<Figure> = names
        .into_iter()
        .zip(best)
        .map(|(name, value)| Figure { name: name.to_owned(), value, unit: "1/s", ratio: None })
        .collect();
    figures.push(Figure {
        name: "10-day orbit at 60 s, rates of one device".to_owned(),
        value: orbit_s,
        unit: "s",
        ratio: None,
    });
    Ok(figures)
}

fn per_second(count: u32, mut work: impl FnMut(u32) -> f64) -> f64 {
    let start = Instant::now();
    for k in 0..count {
        black_box(work(black_box(k)));
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// One flux within the belt, at places and energies that change from call to call.
fn lookup(interpolation: Interpolation, k: u32) -> f64 {
    let l = 1.15 + f64::from(k % 997) * 2e-3;
    let shell = Shell { l, b_over_b0: 1.0 + f64::from(k % 61) * 0.01 };
    Phase::Min.map().flux(interpolation, shell, 10.0 + f64::from(k % 89))
}

fn place(k: u32) -> Position {
    Position {
        time_s: 0.0,
        latitude_deg: f64::from(k % 101) - 50.0,
        longitude_deg: f64::from(k % 359) - 180.0,
        radius_km: 7021.2,
    }
}

/// Seconds of a whole orbit with the rates of one device.
fn orbit() -> Result<f64, Failure> {
    let environment = Environment::new(OrbitChoice::Preset("suncatcher".to_owned()));
    let device = Device::load("trillium-tpu").map_err(Failure::input)?.0;
    let start = Instant::now();
    let conditions = environment.conditions(".".as_ref()).map_err(Failure::input)?;
    let timeline = Timeline::new(conditions, Some(device)).map_err(Failure::input)?;
    black_box(timeline.assessment(1.0));
    Ok(start.elapsed().as_secs_f64())
}
