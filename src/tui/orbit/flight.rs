//! What the screen shows, made once from a walk along an orbit.

use crate::environment::epoch::Epoch;
use crate::environment::trapped::{DRIFT_DEG_PER_YEAR, EPOCH_MAX, EPOCH_MIN};
use crate::rate::{GroundGrid, Levels, Timeline};
use crate::units::DAY_S;

/// Side of the cells of the field of trapped protons, in degrees.
const CELL_DEG: f64 = 1.0;
/// How far from a place of the track a point of the ground counts as being like it, in degrees.
const REACH_DEG: f64 = 8.0;

/// A place of the orbit and what is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Instant {
    /// Longitude in degrees, east positive.
    pub longitude_deg: f64,
    /// Latitude in degrees.
    pub latitude_deg: f64,
    /// Altitude in km.
    pub altitude_km: f64,
    /// Trapped protons above 10 MeV before the shield, in cm⁻² s⁻¹.
    pub flux_per_cm2_s: f64,
    /// The L of its field line, in Earth radii.
    pub l: f64,
    /// B over B0.
    pub b_over_b0: f64,
    /// Vertical cutoff in GV.
    pub cutoff_gv: f64,
    /// Whether it counts as within the South Atlantic Anomaly.
    pub in_saa: bool,
    /// Events a day of each mode, at the three levels.
    pub per_day: Vec<Levels>,
}

/// A mode of the device.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeOfFlight {
    /// Its name.
    pub name: String,
    /// `device`, or `bit` where the device states no bits.
    pub per: &'static str,
    /// Mean events a day, at the three levels.
    pub mean: Levels,
}

/// An orbit to fly along.
#[derive(Clone, Debug, PartialEq)]
pub struct Flight {
    /// The orbit in a line.
    pub title: String,
    /// The device's name.
    pub device: Option<String>,
    /// When it begins.
    pub start: Epoch,
    /// Seconds between instants.
    pub step_s: f64,
    /// Seconds of a revolution.
    pub period_s: f64,
    /// The places, in order.
    pub instants: Vec<Instant>,
    /// The modes.
    pub modes: Vec<ModeOfFlight>,
    /// The year of the field that the protons were mapped in.
    pub field_year: f64,
    /// How far west, in degrees, the anomaly has moved since.
    pub west_deg: f64,
    /// The highest flux of trapped protons over each part of the ground.
    pub field: GroundGrid<f64>,
}

impl Flight {
    /// The flight along a timeline.
    pub fn new(timeline: &Timeline) -> Self {
        let conditions = &timeline.conditions;
        let per_day = |place: usize| -> Vec<Levels> {
            let rate = |mode: usize, level: usize| DAY_S * timeline.device_rate(mode, place, level);
            let modes = 0..timeline.modes.len();
            modes.map(|mode| std::array::from_fn(|level| rate(mode, level))).collect()
        };
        let instants: Vec<Instant> = timeline
            .places
            .iter()
            .enumerate()
            .map(|(index, place)| Instant {
                longitude_deg: place.position.longitude_deg,
                latitude_deg: place.position.latitude_deg,
                altitude_km: place.position.altitude_km(),
                flux_per_cm2_s: place.trapped[0],
                l: place.shell.l,
                b_over_b0: place.shell.b_over_b0,
                cutoff_gv: place.cutoff.vertical_gv(),
                in_saa: place.in_saa(),
                per_day: per_day(index),
            })
            .collect();
        let count = instants.len().max(1) as f64;
        let bits = timeline.device.as_ref().and_then(|device| device.bits);
        let modes = timeline.modes.iter().enumerate().map(|(index, mode)| ModeOfFlight {
            name: mode.mode.name.clone(),
            per: if mode.mode.per.is_bit() && bits.is_none() { "bit" } else { "device" },
            mean: std::array::from_fn(|level| {
                instants.iter().map(|at| at.per_day[index][level]).sum::<f64>() / count
            }),
        });
        let field_year = if conditions.solar_phase > 0.5 { EPOCH_MAX } else { EPOCH_MIN };
        Self {
            title: conditions.orbit.describe(),
            device: timeline.device.as_ref().map(|device| device.name.clone()),
            start: conditions.start,
            step_s: timeline.step_s(),
            period_s: conditions.orbit.period_s().unwrap_or(DAY_S),
            modes: modes.collect(),
            field_year,
            west_deg: DRIFT_DEG_PER_YEAR * (conditions.start.decimal_year() - field_year),
            field: field(&instants),
            instants,
        }
    }

    /// Seconds from the first place to the end of the last.
    pub fn length_s(&self) -> f64 {
        self.step_s * self.instants.len() as f64
    }
}

fn field(instants: &[Instant]) -> GroundGrid<f64> {
    let places = instants.iter().map(|at| (at.longitude_deg, at.latitude_deg, at.flux_per_cm2_s));
    GroundGrid::new(CELL_DEG, REACH_DEG, places)
}
