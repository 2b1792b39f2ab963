//! A place of a track.

use crate::environment::epoch::Epoch;
use crate::units::{DAY_S, EARTH_RADIUS_KM};
use std::f64::consts::TAU;

/// What an altitude is in this module.
pub const ALTITUDE_CONVENTION: &str = "altitudes are above a sphere of 6371.2 km";

/// A place in geocentric spherical coordinates that turn with the Earth.
///
/// The latitude is geocentric: the angle between the equator and the line to the Earth's centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Seconds since the start of the track.
    pub time_s: f64,
    /// Geocentric latitude in degrees, north positive, −90 to 90.
    pub latitude_deg: f64,
    /// Longitude in degrees, east positive, at least −180 and below 180.
    pub longitude_deg: f64,
    /// Distance from the Earth's centre in km.
    pub radius_km: f64,
}

impl Position {
    /// The place of a point in the inertial equatorial frame of date (x towards the equinox, z
    /// towards the pole; TEME is taken for it): its right ascension less `gmst_rad` is its longitude.
    pub(super) fn of_inertial(time_s: f64, [x, y, z]: [f64; 3], gmst_rad: f64) -> Self {
        let equatorial = x.hypot(y);
        Self {
            time_s,
            latitude_deg: z.atan2(equatorial).to_degrees(),
            longitude_deg: longitude_deg(y.atan2(x) - gmst_rad),
            radius_km: equatorial.hypot(z),
        }
    }

    /// Altitude in km above the sphere of [`EARTH_RADIUS_KM`].
    pub const fn altitude_km(&self) -> f64 {
        self.radius_km - EARTH_RADIUS_KM
    }

    /// Mean local solar time in hours, in [0, 24), on a track that began at `start`.
    ///
    /// UT plus the longitude at 15° an hour, by the definition of mean solar time.
    pub fn local_time_h(&self, start: Epoch) -> f64 {
        let utc_h = start.plus_seconds(self.time_s).seconds_of_day() * 24.0 / DAY_S;
        (utc_h + self.longitude_deg / 15.0).rem_euclid(24.0)
    }
}

/// An angle in rad as a longitude in degrees, at least −180 and below 180.
pub(super) fn longitude_deg(angle_rad: f64) -> f64 {
    let turns = angle_rad / TAU;
    let degrees = (turns - (turns + 0.5).floor()) * 360.0;
    if degrees >= 180.0 { -180.0 } else { degrees }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_turned_with_the_earth() {
        for (point, gmst_deg, latitude, longitude) in [
            ([7000.0, 0.0, 0.0], 0.0_f64, 0.0, 0.0),
            ([0.0, 7000.0, 0.0], 0.0, 0.0, 90.0),
            ([0.0, 7000.0, 0.0], 280.0, 0.0, 170.0),
            ([-7000.0, 0.0, 0.0], 0.0, 0.0, -180.0),
            ([3500.0, 0.0, -3500.0], 90.0, -45.0, -90.0),
            ([0.0, 0.0, 7000.0], 0.0, 90.0, 0.0),
        ] {
            let found = Position::of_inertial(5.0, point, gmst_deg.to_radians());
            assert!((found.latitude_deg - latitude).abs() < 1e-9, "{point:?}");
            assert!((found.longitude_deg - longitude).abs() < 1e-9, "{point:?}: {found:?}");
        }
        let found = Position::of_inertial(0.0, [0.0, 0.0, 6471.2], 0.0);
        assert!((found.altitude_km() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn local_time_is_the_clock_and_the_longitude() {
        let start = Epoch::default();
        for (hours, longitude_deg, local) in
            [(0.0, 0.0, 0.0), (0.0, 90.0, 6.0), (0.0, -90.0, 18.0), (13.5, 165.0, 0.5)]
        {
            let time_s = hours * 3600.0;
            let at = Position { time_s, latitude_deg: 0.0, longitude_deg, radius_km: 7000.0 };
            assert!((at.local_time_h(start) - local).abs() < 1e-6, "{hours} {longitude_deg}");
        }
    }
}
