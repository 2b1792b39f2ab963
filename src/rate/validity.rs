//! What the models cannot say about an orbit, a shield and a device: told with every result.

use super::timeline::{THRESHOLDS_MEV, Timeline};
use super::{Conditions, Error, Levels, TrackPoint};
use crate::environment::orbit::Position;
use crate::environment::solar::Scenario;
use crate::environment::trapped::{Map, Phase};
use crate::units::{DAY_S, EARTH_RADIUS_KM};

/// Above this the proton belt no longer governs dose, and electrons, which are not modelled, do.
const TID_TOP_KM: f64 = 10_000.0;

/// The label of every dose.
pub const DOSE_LABEL: &str = "not TID: no electrons, bremsstrahlung or solar protons";

/// The most memory that the places of a track may take, in bytes.
const BYTES_MAX: f64 = (1_u64 << 30) as f64;
/// A track this much shorter than what it is held to is as long, in days per day.
const ROUNDING: f64 = 0.01;

impl Conditions {
    /// Refuses a track that leaves out longitudes, where its mean stands for a longer flight.
    ///
    /// # Errors
    /// [`Error::Value`] of `days`.
    pub fn check_mean(&self) -> Result<(), Error> {
        let Some(turn) = self.orbit.days_of_a_turn() else { return Ok(()) };
        if self.days >= turn * (1.0 - ROUNDING) {
            return Ok(());
        }
        let mean = self.orbit.days_of_a_mean().unwrap_or(turn);
        let expected = format!(
            "at least {}, one turn of the Earth beneath the orbit, as the track stands for a \
             longer flight (the mean over all longitudes takes {})",
            rounded_up(turn),
            rounded_up(mean)
        );
        Err(Error::Value { key: "days", expected, found: self.days.to_string() })
    }

    /// Refuses a track whose places with the rates of so many modes take too much memory.
    ///
    /// # Errors
    /// [`Error::Value`] of `days`.
    pub(super) fn check_memory(&self, modes: usize) -> Result<(), Error> {
        let place =
            size_of::<Position>() + size_of::<TrackPoint>() + 3 * modes * size_of::<Levels>();
        let places = f64::from(self.orbit.places(self.days, self.step_s)?);
        let bytes = places * place as f64;
        if bytes <= BYTES_MAX {
            return Ok(());
        }
        let most = (BYTES_MAX / place as f64).floor() * self.step_s / DAY_S;
        let expected = format!(
            "at most {most:.2} with step_s = {} and {modes} modes of the device, 1 GiB of places",
            self.step_s
        );
        let found = format!("{}, {:.1} GiB", self.days, bytes / BYTES_MAX);
        Err(Error::Value { key: "days", expected, found })
    }

    /// The days of a track whose mean stands for the orbit, where this one is shorter.
    fn days_missed(&self) -> Option<f64> {
        let mean = self.orbit.days_of_a_mean()?;
        (self.days < mean * (1.0 - ROUNDING)).then_some(mean)
    }
}

/// Days to two places, rounded up, so that a track of so many is long enough.
fn rounded_up(days: f64) -> String {
    in_days((days * 100.0 - ROUNDING).ceil() / 100.0)
}

fn in_days(days: f64) -> String {
    format!("{days} day{}", if days == 1.0 { "" } else { "s" })
}

impl Timeline {
    /// Whether a trapped-proton dose means anything on this orbit.
    pub fn dose_is_modelled(&self) -> bool {
        self.reach_km().is_some_and(|(_, highest)| highest <= TID_TOP_KM)
    }

    /// The lowest and the highest altitude of the places; none in deep space.
    pub fn altitudes_km(&self) -> Option<(f64, f64)> {
        let altitudes = self.places.iter().map(|place| place.position.altitude_km());
        let (low, high) =
            altitudes.fold((f64::INFINITY, 0.0_f64), |(a, b), h| (a.min(h), b.max(h)));
        low.is_finite().then_some((low, high))
    }

    /// The lowest and the highest altitude of the orbit's numbers and of its places: elements are
    /// means, which places leave, and a short track may miss the perigee.
    fn reach_km(&self) -> Option<(f64, f64)> {
        let (lowest, highest) = self.altitudes_km()?;
        let orbit = &self.conditions.orbit;
        Some((lowest.min(orbit.perigee_km()?), highest.max(orbit.apogee_km()?)))
    }

    /// The map of the nearer phase of the Sun.
    fn nearest_map(&self) -> &'static Map {
        let phase = if self.conditions.solar_phase <= 0.5 { Phase::Min } else { Phase::Max };
        phase.map()
    }

    /// [`Timeline::warnings`], and what a flight of so many seconds, over which the track repeats,
    /// leaves out.
    pub fn warnings_of_flight(&self, flight_s: f64) -> Vec<String> {
        let mut warnings = self.warnings();
        let conditions = &self.conditions;
        let track_s = conditions.days * DAY_S;
        if conditions.orbit.is_deep_space() || flight_s <= track_s {
            return warnings;
        }
        let end = conditions.start.plus_seconds(flight_s);
        let age = conditions.orbit.elements_epoch().map_or(String::new(), |epoch| {
            let days = end.seconds_since(epoch).abs() / DAY_S;
            format!(", when its elements are {days:.0} days old")
        });
        warnings.push(format!(
            "the track of {} from {} repeats over a flight of {:.0} days{age}: the orbit, the \
             field and the phase of the Sun stay those of the track, and no decay is followed",
            in_days(conditions.days),
            conditions.start,
            flight_s / DAY_S
        ));
        warnings
    }

    /// What a reader has to know before using the figures, in plain sentences.
    pub fn warnings(&self) -> Vec<String> {
        let conditions = &self.conditions;
        let mut warnings = Vec::new();
        let mut warn = |text: String| warnings.push(text);
        if let Some(mean) = conditions.days_missed() {
            warn(format!(
                "a track of {} is too short to be a mean over the orbit: it leaves longitudes out. \
                 {} would do",
                in_days(conditions.days),
                rounded_up(mean)
            ));
        }
        if let Some((lowest, highest)) = self.reach_km() {
            if lowest < 200.0 {
                warn(format!(
                    "AP8 is not valid below 200 km, and the orbit goes down to {lowest:.0} km: \
                     trapped-proton figures are an extrapolation"
                ));
            } else if lowest < 500.0 {
                warn(format!(
                    "trapped protons have low confidence below 500 km (the orbit goes down to \
                     {lowest:.0} km): the epoch of the field alone moves them five- to eightfold"
                ));
            }
            let end_l = self.nearest_map().end_l(THRESHOLDS_MEV[0]);
            if highest + EARTH_RADIUS_KM > end_l * EARTH_RADIUS_KM {
                let beyond = self.places.iter().filter(|place| place.shell.l >= end_l).count();
                let share = 100.0 * beyond as f64 / self.places.len() as f64;
                warn(format!(
                    "AP8 has no protons above {} MeV from L = {end_l:.1} on: {share:.0} % of the \
                     track lies there, and counts as 0",
                    THRESHOLDS_MEV[0]
                ));
            }
        }
        if conditions.solar_phase > 0.0 && conditions.solar_phase < 1.0 {
            warn(
                "AP8 knows solar minimum and maximum alone: between them log flux is taken as \
                 linear in the phase, which is a convention"
                    .to_owned(),
            );
        }
        if !self.dose_is_modelled() {
            warn(
                "TID not modelled on this orbit: electrons and solar protons govern it".to_owned(),
            );
        } else if conditions.shield.thickness_mm < 10.0 {
            warn(format!(
                "behind {} mm of aluminium, less than 10 mm, electrons add to the dose, and here \
                 they are left out",
                conditions.shield.thickness_mm
            ));
        }
        // 10 MeV protons have a range of 0.63 mm of aluminium.
        if conditions.shield.thickness_mm < 0.64 {
            warn(
                "cosmic-ray spectra below 10 MeV/n are extrapolated beyond their model, and reach \
                 the device through so thin a shield"
                    .to_owned(),
            );
        }
        if let Some(epoch) = conditions.orbit.elements_epoch() {
            warn(format!("elements of {epoch}: the orbit is that of the days about it"));
        }
        if self.field_extrapolated {
            warn(
                "the date lies outside the published field (1900 to 2030): it is extended"
                    .to_owned(),
            );
        }
        if conditions.event == Scenario::WorstWeek {
            warn(
                "worst-week is the worst day scaled by an assumed factor, not a spectrum"
                    .to_owned(),
            );
        }
        if conditions.given.has_cosmic_protons() {
            warn(
                "trapped protons are those of a file that holds cosmic protons too: both count as \
                 trapped, and none as cosmic"
                    .to_owned(),
            );
        }
        if conditions.given.protons.is_some() || conditions.given.ions.is_some() {
            warn(
                "a spectrum given from a file is a mean: rates from it have no course along the \
                 orbit"
                    .to_owned(),
            );
        }
        if let Some(device) = &self.device {
            warnings.extend(device.gaps());
        }
        warnings
    }
}
