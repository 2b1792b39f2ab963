//! How large or small the numbers of a mission may be.

use super::file::Mission;
use crate::campaign::{PER_BIT_DAY, PER_BIT_DAY_WHY};
use crate::place::{Error, Place};
use crate::ranges::number;
use crate::units::YEAR_S;

/// The longest flight: in seconds of an `f64` a moment is known to 4 ms.
const FLIGHT_S_MAX: f64 = 1e6 * YEAR_S;
/// Satellites of a fleet, at most.
const FLEET_MAX: u64 = 1_000_000_000;
/// Solar events, and devices: more are a mistake. Modes of all devices are numbered in 16 bits.
const SOLAR_EVENTS_MAX: usize = 1000;
const DEVICES_MAX: usize = 100;

/// Refuses numbers that nothing has.
pub(super) fn check(mission: &Mission, place: &Place<'_>) -> Result<(), Error> {
    let factor = "a factor on all periods";
    number(place, &["acceleration"], mission.acceleration, &(1e-9..=1e9), factor)?;
    let flight_s = mission.lasts.0 * mission.acceleration;
    let key = if mission.acceleration > 1.0 { "acceleration" } else { "lasts" };
    let why = "years of flight, lasts × acceleration, in which seconds can be told apart";
    number(place, &[key], flight_s / YEAR_S, &(0.0..=FLIGHT_S_MAX / YEAR_S), why)?;
    if let Some(fleet) = mission.fleet.filter(|fleet| *fleet > FLEET_MAX) {
        return Err(place.value(&["fleet"], format!("{FLEET_MAX} satellites at most"), fleet));
    }
    if let Some(hardened) = &mission.hardened {
        let keys = ["hardened", "upsets_per_bit_day"];
        number(place, &keys, hardened.upsets_per_bit_day, &PER_BIT_DAY, PER_BIT_DAY_WHY)?;
    }
    for (at, event) in mission.solar_event.iter().enumerate() {
        let at = at.to_string();
        let why = "seconds of flight, before its end";
        number(place, &["solar_event", &at, "after"], event.after.0, &(0.0..=flight_s), why)?;
    }
    let tables = [
        ("solar_event", mission.solar_event.len(), SOLAR_EVENTS_MAX),
        ("device", mission.device.len(), DEVICES_MAX),
    ];
    match tables.into_iter().find(|(_, count, most)| count > most) {
        Some((key, count, most)) => {
            Err(place.value(&[key], format!("{most} [[{key}]] at most"), count))
        }
        None => Ok(()),
    }
}
