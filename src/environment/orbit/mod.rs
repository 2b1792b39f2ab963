//! Orbits, and where a satellite on one is.
//!
//! An orbit is given by its altitudes, by two-line elements, or as deep space. It says its period
//! and its extremes, and gives a track: places that turn with the Earth, one a step. Altitudes are
//! above a sphere of 6371.2 km ([`ALTITUDE_CONVENTION`]), here and in what uses the track.

mod error;
mod kepler;
mod position;
mod preset;
#[cfg(test)]
mod tests;
mod tle;

pub use error::Error;
pub use position::{ALTITUDE_CONVENTION, Position};
pub use preset::{Mark, Preset, Shape};

use crate::environment::epoch::Epoch;
use crate::units::{DAY_S, EARTH_RADIUS_KM};
use kepler::{Elements, Node};
use std::f64::consts::TAU;
use std::path::Path;
use tle::Tle;

/// The lowest altitude in km: below it an orbit decays within a revolution.
pub const ALTITUDE_MIN_KM: f64 = 100.0;

/// The largest distance from the Earth's centre in km, 10.4 Earth radii: about where the
/// magnetopause stands towards the sun (Shue et al. 1998, doi 10.1029/98JA01103), and far beyond
/// the protons of AP8, which end at L 6.6. Outside of it neither the belts nor the inner field
/// hold; deep space describes it better.
pub const RADIUS_MAX_KM: f64 = 66_000.0;

/// The longest step of a track in s: at 60 s a low orbit moves by 4°.
pub const STEP_MAX_S: f64 = 60.0;

/// The most days between the epoch of two-line elements and any place of a track: their error
/// grows by 1 to 3 km a day (Vallado et al. 2006, doi 10.2514/6.2006-6753).
pub const TLE_DAYS_MAX: f64 = 14.0;

/// The most positions of one track: a year at 60 s, or 69 days at 10 s.
pub const POSITIONS_MAX: f64 = 600_000.0;

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
    Sgp4(Box<Tle>),
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

    /// The orbit of one satellite's two-line elements, after a line with its name or without one;
    /// `path` is what messages call the file.
    ///
    /// # Errors
    /// [`Error::File`] with the line, where the format, a checksum or the epoch is wrong, where the
    /// elements cannot be propagated, or where the orbit is too low or too high.
    pub fn tle(path: &Path, text: &str) -> Result<Self, Error> {
        let tle = Tle::parse(path, text)?;
        let source = format!("{}, two-line elements of {}", path.display(), tle.epoch);
        Ok(Self { name: tle.name.clone(), source, motion: Motion::Sgp4(Box::new(tle)) })
    }

    /// The Moon or deep space: 1 AU from the sun, with neither belts nor field nor shadow. It has no
    /// track.
    pub fn deep_space() -> Self {
        Self::of("deep space".into(), Motion::DeepSpace)
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the names that there are.
    pub fn preset(name: &str) -> Result<Self, Error> {
        let Some(preset) = Self::presets().iter().find(|preset| preset.name == name) else {
            let known: Vec<_> = Self::presets().iter().map(|preset| &*preset.name).collect();
            return Err(Error::Unknown { name: name.into(), known: known.join(", ") });
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
    /// [`Error::Value`] outside 0 to 360; [`Error::NoNode`] for two-line elements and deep space.
    pub fn with_node_deg(self, right_ascension_deg: f64) -> Result<Self, Error> {
        let angle = between("node_deg", right_ascension_deg, 360.0)?.to_radians();
        self.with_node(Node::RightAscension(angle))
    }

    /// This orbit with the mean local solar time of its ascending node at the start of a track, in
    /// hours (0 to 24).
    ///
    /// # Errors
    /// [`Error::Value`] outside 0 to 24; [`Error::NoNode`] for two-line elements and deep space.
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
            Motion::Sgp4(_) => "two-line elements",
            Motion::DeepSpace => "deep space",
        };
        Err(Error::NoNode { name: self.name, found })
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
            Motion::Sgp4(tle) => Some(tle.period_s()),
            Motion::DeepSpace => None,
        }
    }

    /// The inclination in degrees, 0 to 180.
    pub fn inclination_deg(&self) -> Option<f64> {
        match &self.motion {
            Motion::Kepler(elements) => Some(elements.inclination.to_degrees()),
            Motion::Sgp4(tle) => Some(tle.inclination_deg()),
            Motion::DeepSpace => None,
        }
    }

    /// The lowest altitude in km; of two-line elements that of the mean elements.
    pub fn perigee_km(&self) -> Option<f64> {
        match &self.motion {
            Motion::Kepler(e) => {
                Some(e.semi_major_axis_km * (1.0 - e.eccentricity) - EARTH_RADIUS_KM)
            }
            Motion::Sgp4(tle) => Some(tle.perigee_km()),
            Motion::DeepSpace => None,
        }
    }

    /// The highest altitude in km; of two-line elements that of the mean elements.
    pub fn apogee_km(&self) -> Option<f64> {
        match &self.motion {
            Motion::Kepler(e) => {
                Some(e.semi_major_axis_km * (1.0 + e.eccentricity) - EARTH_RADIUS_KM)
            }
            Motion::Sgp4(tle) => Some(tle.apogee_km()),
            Motion::DeepSpace => None,
        }
    }

    /// The epoch of two-line elements.
    pub fn elements_epoch(&self) -> Option<Epoch> {
        match &self.motion {
            Motion::Sgp4(tle) => Some(tle.epoch),
            Motion::Kepler(_) | Motion::DeepSpace => None,
        }
    }

    /// Where a track starts when nothing else is asked for: at the epoch of two-line elements, else
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
            Motion::Sgp4(tle) => format!(", elements of {}", tle.epoch),
            _ => String::new(),
        };
        let minutes = period_s / 60.0;
        format!("{}: {altitude}, {inclination:.2}°, {minutes:.1} min{node}", self.name)
    }

    /// The places at `start` + k `step_s`, for k from 0 below `days` / `step_s` rounded.
    ///
    /// # Errors
    /// [`Error::NoTrack`] for deep space; [`Error::Value`] where `step_s` is not above 0 and at most
    /// [`STEP_MAX_S`], or where there would be no position or more than [`POSITIONS_MAX`];
    /// [`Error::Expired`] where two-line elements are more than [`TLE_DAYS_MAX`] days from the start or
    /// the end;
    /// [`Error::Decayed`] where the satellite comes down.
    pub fn track(&self, start: Epoch, days: f64, step_s: f64) -> Result<Vec<Position>, Error> {
        if !(step_s > 0.0 && step_s <= STEP_MAX_S) {
            let expected = format!("above 0 and at most {STEP_MAX_S}");
            return Err(Error::value("step_s", expected, step_s));
        }
        let positions = (days * DAY_S / step_s).round();
        if !(1.0..=POSITIONS_MAX).contains(&positions) {
            let expected = format!(
                "1 to {POSITIONS_MAX} steps of {step_s} s, {} days at most",
                POSITIONS_MAX * step_s / DAY_S
            );
            return Err(Error::value("days", expected, days));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let count = positions as u32;
        match &self.motion {
            Motion::Kepler(elements) => Ok(elements.track(start, step_s, count)),
            Motion::Sgp4(tle) => {
                let first = start.seconds_since(tle.epoch) / DAY_S;
                let away = first.abs().max((first + days).abs());
                if away > TLE_DAYS_MAX {
                    let (name, epoch) = (self.name.clone(), tle.epoch);
                    let limit_days = TLE_DAYS_MAX;
                    return Err(Error::Expired { name, epoch, start, days: away, limit_days });
                }
                tle.track(start, step_s, count)
            }
            Motion::DeepSpace => Err(Error::NoTrack { name: self.name.clone() }),
        }
    }
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
            "{highest:.1} or less ({RADIUS_MAX_KM} from the Earth's centre), beyond which the \
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
