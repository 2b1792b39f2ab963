//! Orbits, and where a satellite on one is.
//!
//! An orbit is given by its altitudes, by the elements of a satellite, or as deep space. It says its
//! period and its extremes, and gives a track: places that turn with the Earth, one a step. Altitudes are
//! above a sphere of 6371.2 km ([`ALTITUDE_CONVENTION`]), here and in what uses the track.

mod coverage;
mod error;
mod file;
mod kepler;
mod omm;
mod position;
mod preset;
mod satellite;
#[cfg(test)]
mod tests;
mod tle;

pub use error::Error;
pub use position::{ALTITUDE_CONVENTION, Position};
pub use preset::{Mark, OrbitShape, Preset};

use crate::environment::epoch::Epoch;
use crate::units::{DAY_S, EARTH_RADIUS_KM};
use crate::words;
use coverage::Coverage;
use kepler::{Elements, Node};
use satellite::Satellite;
use std::f64::consts::TAU;
use std::path::Path;

/// The lowest altitude in km: below it an orbit decays within a revolution.
pub const ALTITUDE_MIN_KM: f64 = 100.0;

/// The largest distance from the Earth's centre in km, 12 Earth radii.
///
/// Towards the sun the magnetopause stands at about 10 of them (Shue et al. 1998, doi
/// 10.1029/98JA01103), and beyond it the inner field does not hold. What that changes is small: AP8
/// ends at L 6.6, its protons above 10 MeV at L 3.8, and the vertical cutoff at L 10 is 0.15 GV, that
/// of protons of 12 MeV. What lies farther is better described as deep space.
pub const RADIUS_MAX_KM: f64 = 12.0 * EARTH_RADIUS_KM;

/// The longest step of a track in s: at 60 s a low orbit moves by 4°.
pub const STEP_MAX_S: f64 = 60.0;

/// The most days between the epoch of two-line elements and any place of a track: their error
/// grows by 1 to 3 km a day (Vallado et al. 2006, doi 10.2514/6.2006-6753).
pub const ELEMENTS_DAYS_MAX: f64 = 14.0;

/// The most places of one track: a year at 60 s, or 69 days at 10 s.
pub const PLACES_MAX: f64 = 600_000.0;

/// An orbit about the Earth, or none.
#[derive(Clone, Debug)]
pub struct Orbit {
    name: String,
    source: String,
    motion: Motion,
}

#[derive(Clone, Debug)]
enum Motion {
    Kepler(Elements),
    Sgp4(Box<Satellite>),
    DeepSpace,
}

impl Orbit {
    /// A circular orbit at `altitude_km`, inclined by `inclination_deg` (0 to 180).
    ///
    /// A track begins at the ascending node, whose right ascension is 0 unless it is set.
    ///
    /// # Errors
    /// [`Error::Value`] where the altitude is below [`ALTITUDE_MIN_KM`], the radius above
    /// [`RADIUS_MAX_KM`], the inclination outside 0 to 180, or a number is NaN.
    pub fn circular(altitude_km: f64, inclination_deg: f64) -> Result<Self, Error> {
        let altitude = altitude("altitude_km", altitude_km)?;
        let inclination = between("inclination_deg", inclination_deg, 180.0)?.to_radians();
        let elements = Elements {
            semi_major_axis_km: altitude + EARTH_RADIUS_KM,
            eccentricity: 0.0,
            inclination,
            perigee: 0.0,
            node: Node::RightAscension(0.0),
            mean_anomaly: 0.0,
        };
        let name = format!("circular, {altitude_km} km, {inclination_deg}°");
        Ok(Self::of(name, Motion::Kepler(elements)))
    }

    /// An elliptic orbit between two altitudes in km, inclined by `inclination_deg` (0 to 180), its
    /// perigee `argument_of_perigee_deg` (0 to 360) past the ascending node.
    ///
    /// A track begins at the perigee. The right ascension of the node is 0 unless it is set.
    ///
    /// # Errors
    /// [`Error::Value`] as of [`Orbit::circular`], or where the perigee is above the apogee.
    pub fn elliptic(
        perigee_km: f64,
        apogee_km: f64,
        inclination_deg: f64,
        argument_of_perigee_deg: f64,
    ) -> Result<Self, Error> {
        let perigee = altitude("perigee_km", perigee_km)? + EARTH_RADIUS_KM;
        let apogee = altitude("apogee_km", apogee_km)? + EARTH_RADIUS_KM;
        if perigee > apogee {
            let expected = format!("the apogee's {apogee_km} km at most");
            return Err(Error::value("perigee_km", expected, perigee_km));
        }
        let inclination = between("inclination_deg", inclination_deg, 180.0)?.to_radians();
        let argument = between("argument_of_perigee_deg", argument_of_perigee_deg, 360.0)?;
        let elements = Elements {
            semi_major_axis_km: 0.5 * (perigee + apogee),
            eccentricity: (apogee - perigee) / (apogee + perigee),
            inclination,
            perigee: argument.to_radians(),
            node: Node::RightAscension(0.0),
            mean_anomaly: 0.0,
        };
        let name = format!("elliptic, {perigee_km} to {apogee_km} km, {inclination_deg}°");
        Ok(Self::of(name, Motion::Kepler(elements)))
    }

    /// A circular orbit at `altitude_km` whose node follows the mean sun, ascending at
    /// `local_time_of_ascending_node_h` (0 to 24).
    ///
    /// # Errors
    /// [`Error::Value`] as of [`Orbit::circular`], or where J2 is too weak so high up to turn the
    /// node a turn a year at any inclination, which is above 5,981 km.
    pub fn sun_synchronous(
        altitude_km: f64,
        local_time_of_ascending_node_h: f64,
    ) -> Result<Self, Error> {
        let radius_km = altitude("altitude_km", altitude_km)? + EARTH_RADIUS_KM;
        let cos = kepler::sun_synchronous_cos(radius_km);
        if cos < -1.0 {
            let highest_km = kepler::sun_synchronous_limit_km() - EARTH_RADIUS_KM;
            let expected = format!(
                "{highest_km:.0} km or less, above which no inclination is sun-synchronous"
            );
            return Err(Error::value("altitude_km", expected, altitude_km));
        }
        let mut orbit = Self::circular(altitude_km, cos.acos().to_degrees())?
            .with_local_time_of_node_h(local_time_of_ascending_node_h)?;
        let local_time = clock(local_time_of_ascending_node_h);
        orbit.name = format!("sun-synchronous, {altitude_km} km, node at {local_time}");
        Ok(orbit)
    }

    /// The orbit of a satellite from a file of elements: two-line elements, or an orbit
    /// mean-elements message in JSON, XML, KVN or CSV. `satellite` is its name or catalogue number
    /// where the file has several; `path` is what messages call the file.
    ///
    /// # Errors
    /// [`Error::File`] with the line, where the format, a checksum or a value is wrong, where the
    /// satellite is not there or not named, where the elements cannot be propagated, or where the
    /// orbit is too low or too high.
    pub fn of_elements(path: &Path, text: &str, satellite: Option<&str>) -> Result<Self, Error> {
        let satellite = file::read(path, text, satellite)?;
        let epoch = satellite.elements.epoch;
        let source = format!("{}, mean elements of {epoch}", path.display());
        Ok(Self { name: satellite.name.clone(), source, motion: Motion::Sgp4(Box::new(satellite)) })
    }

    /// The Moon or deep space: 1 AU from the sun, with neither belts nor field nor shadow. It has no
    /// track.
    pub fn deep_space() -> Self {
        Self::of("deep space".into(), Motion::DeepSpace)
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// [`Error::Value`] with the names that there are.
    pub fn preset(name: &str) -> Result<Self, Error> {
        let Some(preset) = Self::presets().iter().find(|preset| preset.name == name) else {
            let known: Vec<_> = Self::presets().iter().map(|preset| &*preset.name).collect();
            let expected = format!("one of {}", known.join(", "));
            let found = format!("{name:?}{}", words::meant(name, known));
            return Err(Error::value("orbit", expected, found));
        };
        let orbit = preset.shape.orbit()?;
        Ok(Self { name: preset.name.clone(), source: preset.source.clone(), ..orbit })
    }

    /// All presets, with what they are, where their numbers come from and how well these are known.
    pub fn presets() -> &'static [Preset] {
        preset::all()
    }

    fn of(name: String, motion: Motion) -> Self {
        Self { name, source: "given by the user".into(), motion }
    }

    /// This orbit with the right ascension of its ascending node at the start of a track, in
    /// degrees (0 to 360).
    ///
    /// # Errors
    /// [`Error::Value`] outside 0 to 360, and for elements of SGP4 and deep space.
    pub fn with_node_deg(self, right_ascension_deg: f64) -> Result<Self, Error> {
        let angle = between("node_deg", right_ascension_deg, 360.0)?.to_radians();
        self.with_node(Node::RightAscension(angle))
    }

    /// This orbit with the mean local solar time of its ascending node at the start of a track, in
    /// hours (0 to 24).
    ///
    /// # Errors
    /// [`Error::Value`] outside 0 to 24, and for elements of SGP4 and deep space.
    pub fn with_local_time_of_node_h(self, local_time_h: f64) -> Result<Self, Error> {
        let hours = between("local_time_of_node_h", local_time_h, 24.0)?;
        self.with_node(Node::LocalTime(hours))
    }

    fn with_node(mut self, node: Node) -> Result<Self, Error> {
        let found = match &mut self.motion {
            Motion::Kepler(elements) => {
                elements.node = node;
                return Ok(self);
            }
            Motion::Sgp4(_) => "mean elements from a file",
            Motion::DeepSpace => "deep space",
        };
        let expected = "an orbit given by its altitudes, of which the node can be set";
        Err(Error::value("orbit", expected, format!("{}, {found}", self.name)))
    }

    /// What the orbit is called: a preset's name, a satellite's name, or its numbers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its numbers come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is deep space, which has no track.
    pub const fn is_deep_space(&self) -> bool {
        matches!(self.motion, Motion::DeepSpace)
    }

    /// The time in s of a revolution: 2π √(a³/μ), or that of the two-line elements.
    pub fn period_s(&self) -> Option<f64> {
        match &self.motion {
            Motion::Kepler(elements) => {
                Some(TAU / kepler::mean_motion_rad_s(elements.semi_major_axis_km))
            }
            Motion::Sgp4(satellite) => Some(satellite.period_s()),
            Motion::DeepSpace => None,
        }
    }

    /// The inclination in degrees, 0 to 180.
    pub fn inclination_deg(&self) -> Option<f64> {
        match &self.motion {
            Motion::Kepler(elements) => Some(elements.inclination.to_degrees()),
            Motion::Sgp4(satellite) => Some(satellite.elements.inclination_deg),
            Motion::DeepSpace => None,
        }
    }

    /// The lowest altitude in km; of two-line elements that of the mean elements.
    pub fn perigee_km(&self) -> Option<f64> {
        match &self.motion {
            Motion::Kepler(e) => {
                Some(e.semi_major_axis_km * (1.0 - e.eccentricity) - EARTH_RADIUS_KM)
            }
            Motion::Sgp4(satellite) => Some(satellite.perigee_km()),
            Motion::DeepSpace => None,
        }
    }

    /// The highest altitude in km; of two-line elements that of the mean elements.
    pub fn apogee_km(&self) -> Option<f64> {
        match &self.motion {
            Motion::Kepler(e) => {
                Some(e.semi_major_axis_km * (1.0 + e.eccentricity) - EARTH_RADIUS_KM)
            }
            Motion::Sgp4(satellite) => Some(satellite.apogee_km()),
            Motion::DeepSpace => None,
        }
    }

    /// The epoch of elements from a file.
    pub fn elements_epoch(&self) -> Option<Epoch> {
        match &self.motion {
            Motion::Sgp4(satellite) => Some(satellite.elements.epoch),
            Motion::Kepler(_) | Motion::DeepSpace => None,
        }
    }

    /// Where a track starts when nothing else is asked for: at the epoch of the elements, else
    /// at [`Epoch::default`].
    pub fn default_start(&self) -> Epoch {
        self.elements_epoch().unwrap_or_default()
    }

    /// The orbit in a line, with its altitudes, inclination, node and period.
    pub fn describe(&self) -> String {
        let (Some(perigee), Some(apogee), Some(inclination), Some(period_s)) =
            (self.perigee_km(), self.apogee_km(), self.inclination_deg(), self.period_s())
        else {
            return format!("{}: 1 AU from the sun, outside the Earth's field", self.name);
        };
        let altitude = if apogee - perigee < 0.05 {
            format!("{apogee:.1} km")
        } else {
            format!("{perigee:.1} to {apogee:.1} km")
        };
        let node = match &self.motion {
            Motion::Kepler(Elements { node: Node::LocalTime(hours), .. }) => {
                format!(", ascending at {} mean local time", clock(*hours))
            }
            Motion::Sgp4(satellite) => format!(", elements of {}", satellite.elements.epoch),
            _ => String::new(),
        };
        let minutes = period_s / 60.0;
        format!("{}: {altitude}, {inclination:.2}°, {minutes:.1} min{node}", self.name)
    }

    /// The places at `start` + k `step_s`, for k from 0 below `days` / `step_s` rounded.
    ///
    /// # Errors
    /// [`Error::Value`] for deep space, where `step_s` is not above 0 and at most [`STEP_MAX_S`],
    /// where there would be no place or more than [`PLACES_MAX`], where the start or the end is
    /// more than [`ELEMENTS_DAYS_MAX`] days from the epoch of the elements, where SGP4 gives no
    /// place, and where a place is below [`ALTITUDE_MIN_KM`] or beyond [`RADIUS_MAX_KM`].
    pub fn track(&self, start: Epoch, days: f64, step_s: f64) -> Result<Vec<Position>, Error> {
        let count = self.places(days, step_s)?;
        let track = match &self.motion {
            Motion::Kepler(elements) => elements.track(start, step_s, count),
            Motion::Sgp4(satellite) => {
                self.check_age(satellite.elements.epoch, start, days)?;
                satellite.track(start, step_s, count)?
            }
            Motion::DeepSpace => {
                let found = "deep space, which has no track";
                return Err(Error::value("orbit", "an orbit about the Earth", found));
            }
        };
        let Some((place, found)) = track.iter().find_map(|place| Some((place, outside(place)?)))
        else {
            return Ok(track);
        };
        let expected = format!(
            "a track from {ALTITUDE_MIN_KM} km of altitude to {RADIUS_MAX_KM:.1} km from the Earth's \
             centre, where the models hold"
        );
        let at = start.plus_seconds(place.time_s);
        Err(Error::value("orbit", expected, format!("{}: {found} at {at}", self.name)))
    }

    /// How many places a track has: one in deep space.
    ///
    /// # Errors
    /// [`Error::Value`] where `step_s` is not above 0 and at most [`STEP_MAX_S`], where the days are
    /// shorter than a step, or where there are more places than [`PLACES_MAX`].
    pub fn places(&self, days: f64, step_s: f64) -> Result<u32, Error> {
        if !(step_s > 0.0 && step_s <= STEP_MAX_S) {
            let expected = format!("above 0 and at most {STEP_MAX_S}");
            return Err(Error::value("step_s", expected, step_s));
        }
        let count = (days * DAY_S / step_s).round();
        if days.is_nan() || count < 1.0 {
            let expected = format!("{} or more, one step of {step_s} s", step_s / DAY_S);
            return Err(Error::value("days", expected, days));
        }
        if self.is_deep_space() {
            return Ok(1);
        }
        if count > PLACES_MAX {
            let expected = format!(
                "at most {} with step_s = {step_s}, {PLACES_MAX} places",
                PLACES_MAX * step_s / DAY_S
            );
            return Err(Error::value("days", expected, format!("{days}, {count:.0} places")));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let count = count as u32;
        Ok(count)
    }

    /// Refuses a track that begins or ends too far from the epoch of the elements.
    fn check_age(&self, epoch: Epoch, start: Epoch, days: f64) -> Result<(), Error> {
        let away = start.seconds_since(epoch) / DAY_S;
        if away.abs() > ELEMENTS_DAYS_MAX {
            let expected = format!(
                "a start within {ELEMENTS_DAYS_MAX} days of {epoch}, the epoch of the elements of \
                 {}; without a start the track begins there",
                self.name
            );
            let when = if away < 0.0 { "before" } else { "after" };
            let found = format!("{start}, {:.1} days {when} it", away.abs());
            return Err(Error::Value { quantity: "start", expected, found });
        }
        if away + days > ELEMENTS_DAYS_MAX {
            let expected = format!(
                "at most {:.2} days from {start}, as the track must end within {ELEMENTS_DAYS_MAX} \
                 days of {epoch}, the epoch of the elements of {}",
                ELEMENTS_DAYS_MAX - away,
                self.name
            );
            return Err(Error::value("days", expected, days));
        }
        Ok(())
    }

    /// The days of one turn of the Earth beneath the orbit, or of a revolution where that is longer:
    /// a shorter track leaves longitudes out. None in deep space.
    pub fn days_of_a_turn(&self) -> Option<f64> {
        self.coverage().map(Coverage::turn_days)
    }

    /// The days of a track whose mean stands for the orbit: its ascending nodes leave no gap wider
    /// than 36°, or repeat, and the Earth has turned once. None in deep space.
    pub fn days_of_a_mean(&self) -> Option<f64> {
        self.coverage().map(Coverage::mean_days)
    }

    fn coverage(&self) -> Option<Coverage> {
        match &self.motion {
            Motion::Kepler(elements) => Some(Coverage::of(elements)),
            Motion::Sgp4(satellite) => Some(Coverage::of(&satellite.ellipse())),
            Motion::DeepSpace => None,
        }
    }
}

/// What is wrong with the height of a place.
fn outside(place: &Position) -> Option<String> {
    let altitude_km = place.altitude_km();
    if place.radius_km > RADIUS_MAX_KM {
        return Some(format!("{:.1} km from the centre", place.radius_km));
    }
    // Altitudes are rounded where an orbit touches the limit; a NaN is outside.
    let inside = altitude_km > ALTITUDE_MIN_KM - 1e-6;
    (!inside).then(|| format!("an altitude of {altitude_km:.1} km"))
}

/// An altitude in km that an orbit can have.
fn altitude(quantity: &'static str, km: f64) -> Result<f64, Error> {
    let highest = RADIUS_MAX_KM - EARTH_RADIUS_KM;
    if km.is_nan() || km < ALTITUDE_MIN_KM {
        let expected = format!("{ALTITUDE_MIN_KM} or more, below which it decays within an orbit");
        return Err(Error::value(quantity, expected, km));
    }
    if km > highest {
        let expected = format!(
            "{highest:.1} or less ({RADIUS_MAX_KM:.1} from the Earth's centre), beyond which the \
             models of belts and field end; deep space is for what lies farther"
        );
        return Err(Error::value(quantity, expected, km));
    }
    Ok(km)
}

/// A number from 0 to `highest`.
fn between(quantity: &'static str, number: f64, highest: f64) -> Result<f64, Error> {
    let fits = (0.0..=highest).contains(&number);
    fits.then_some(number).ok_or_else(|| Error::value(quantity, format!("0 to {highest}"), number))
}

/// Hours as hours and minutes, such as 06:00.
fn clock(hours: f64) -> String {
    let minutes = (hours * 60.0).round().rem_euclid(24.0 * 60.0);
    format!("{:02.0}:{:02.0}", (minutes / 60.0).floor(), minutes % 60.0)
}
