//! A satellite given by mean elements, and its propagation with SGP4.

use super::kepler::{Elements, MU_KM3_S2, Node};
use super::position::Position;
use super::{ALTITUDE_MIN_KM, Error, RADIUS_MAX_KM};
use crate::environment::epoch::Epoch;
use crate::units::{DAY_S, EARTH_RADIUS_KM, YEAR_S};
use std::f64::consts::TAU;

/// What is wrong with a value: what was expected, and what was found.
pub(super) type Refusal = (String, String);
/// The same with its line in a file.
pub(super) type Misplaced = (usize, Refusal);

/// The mean elements of a satellite, as two-line elements and orbit mean-elements messages hold
/// them: of SGP4, in the frame TEME.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MeanElements {
    /// The instant that they are of.
    pub(super) epoch: Epoch,
    /// Revolutions a day (Kozai's mean motion).
    pub(super) mean_motion_per_day: f64,
    /// Eccentricity.
    pub(super) eccentricity: f64,
    /// Inclination in degrees.
    pub(super) inclination_deg: f64,
    /// Right ascension of the ascending node in degrees.
    pub(super) node_deg: f64,
    /// Argument of the perigee in degrees.
    pub(super) perigee_deg: f64,
    /// Mean anomaly in degrees.
    pub(super) mean_anomaly_deg: f64,
    /// The drag term B* in 1/(Earth radius).
    pub(super) drag: f64,
}

/// A satellite that SGP4 can follow.
#[derive(Clone, Debug)]
pub(super) struct Satellite {
    /// Its name, or its catalogue number.
    pub(super) name: String,
    /// Its elements.
    pub(super) elements: MeanElements,
    constants: sgp4::Constants,
}

impl Satellite {
    /// The satellite of these elements.
    ///
    /// SGP4 in the form of Hoots and Roehrich 1980 and Vallado et al. 2006 (doi
    /// 10.2514/6.2006-6753), with the constants of WGS 72, that the elements are made with.
    ///
    /// # Errors
    /// What SGP4 cannot propagate, or an orbit that leaves the heights that the models hold for.
    pub(super) fn new(name: String, elements: MeanElements) -> Result<Self, Refusal> {
        let MeanElements { mean_motion_per_day, eccentricity, .. } = elements;
        let refused = |error: String| ("elements that SGP4 can propagate".to_owned(), error);
        let orbit = sgp4::Orbit::from_kozai_elements(
            &sgp4::WGS72,
            elements.inclination_deg.to_radians(),
            elements.node_deg.to_radians(),
            eccentricity,
            elements.perigee_deg.to_radians(),
            elements.mean_anomaly_deg.to_radians(),
            mean_motion_per_day * TAU / 1440.0,
        )
        .map_err(|error| refused(error.to_string()))?;
        let constants = sgp4::Constants::new(
            sgp4::WGS72,
            sgp4::afspc_epoch_to_sidereal_time,
            elements.epoch.seconds_since_j2000() / YEAR_S,
            elements.drag,
            orbit,
        )
        .map_err(|error| refused(error.to_string()))?;
        let satellite = Self { name, elements, constants };
        let (perigee_km, apogee_km) = (satellite.perigee_km(), satellite.apogee_km());
        let highest_km = RADIUS_MAX_KM - EARTH_RADIUS_KM;
        if perigee_km.is_nan() || perigee_km < ALTITUDE_MIN_KM {
            let expected = format!("a perigee of {ALTITUDE_MIN_KM} km or more, below it decays");
            return Err((expected, format!("a perigee of {perigee_km:.1} km")));
        }
        if apogee_km > highest_km {
            let expected = format!(
                "an apogee of {highest_km:.1} km or less ({RADIUS_MAX_KM:.1} from the Earth's centre)"
            );
            return Err((expected, format!("an apogee of {apogee_km:.1} km")));
        }
        Ok(satellite)
    }

    /// The period in s of one anomalistic revolution, as the elements give it.
    pub(super) const fn period_s(&self) -> f64 {
        DAY_S / self.elements.mean_motion_per_day
    }

    /// The semi-major axis in km of the elements' mean motion, a = (μ/n²)^(1/3).
    fn semi_major_axis_km(&self) -> f64 {
        let n = TAU / self.period_s();
        (MU_KM3_S2 / (n * n)).cbrt()
    }

    /// The altitude of the perigee in km.
    pub(super) fn perigee_km(&self) -> f64 {
        self.semi_major_axis_km() * (1.0 - self.elements.eccentricity) - EARTH_RADIUS_KM
    }

    /// The altitude of the apogee in km.
    pub(super) fn apogee_km(&self) -> f64 {
        self.semi_major_axis_km() * (1.0 + self.elements.eccentricity) - EARTH_RADIUS_KM
    }

    /// The ellipse of the mean elements, for its secular rates.
    pub(super) fn ellipse(&self) -> Elements {
        Elements {
            semi_major_axis_km: self.semi_major_axis_km(),
            eccentricity: self.elements.eccentricity,
            inclination: self.elements.inclination_deg.to_radians(),
            perigee: self.elements.perigee_deg.to_radians(),
            node: Node::RightAscension(self.elements.node_deg.to_radians()),
            mean_anomaly: self.elements.mean_anomaly_deg.to_radians(),
        }
    }

    /// The positions at `start` + k `step_s` for k below `count`.
    ///
    /// Places of SGP4 are in TEME, the true equator and mean equinox of date, which Greenwich mean
    /// sidereal time turns to the Earth.
    pub(super) fn track(
        &self,
        start: Epoch,
        step_s: f64,
        count: u32,
    ) -> Result<Vec<Position>, Error> {
        let since_epoch_s = start.seconds_since(self.elements.epoch);
        let position = |k| {
            let time_s = f64::from(k) * step_s;
            let at = start.plus_seconds(time_s);
            let minutes = sgp4::MinutesSinceEpoch((since_epoch_s + time_s) / 60.0);
            let place =
                self.constants.propagate_afspc_compatibility_mode(minutes).map_err(|error| {
                    let expected = format!("elements that SGP4 can follow to {at}");
                    Error::value("orbit", expected, format!("{}: {error}", self.name))
                })?;
            Ok(Position::of_inertial(time_s, place.position, at.gmst_rad()))
        };
        (0..count).map(position).collect()
    }
}
