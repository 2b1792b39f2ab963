//! How large or small the numbers of a campaign may be.

use super::faults::{Beam, Mode, RateChoice};
use crate::place::{Error, Place};
use crate::ranges::number;
use std::ops::RangeInclusive;

/// Upsets of a bit and day: once a second at most, of what holds nothing.
pub(crate) const PER_BIT_DAY: RangeInclusive<f64> = 0.0..=86_400.0;
/// Why no bit is struck more often.
pub(crate) const PER_BIT_DAY_WHY: &str = "upsets a bit and day, of which 86400 are one a second";

/// Refuses numbers that nothing has; what a mode requires of them is checked before.
pub(super) fn check(faults: &Mode, place: &Place<'_>) -> Result<(), Error> {
    let of = |key: &str, value: f64, range: RangeInclusive<f64>, why: &str| {
        number(place, &["faults", key], value, &range, why)
    };
    if let Some(sequence) = faults.sequence() {
        let why = "seconds, from a tick of a fast clock to 30 years";
        of("inference_period_s", sequence.inference_period_s, 1e-9..=1e9, why)?;
        let sample = f64::from(faults.attribution_sample());
        of("attribution_sample", sample, 0.0..=1e6, "failures, each of which is run again")?;
    }
    if let Mode::Accumulation(accumulation) = faults {
        of("acceleration", accumulation.acceleration, 1.0..=1e15, "a factor on a rate")?;
        if let RateChoice::Given { upsets_per_bit_day, .. } = &accumulation.rate {
            of("upsets_per_bit_day", *upsets_per_bit_day, PER_BIT_DAY, PER_BIT_DAY_WHY)?;
        }
    }
    if let Some(beam) = faults.beam() {
        check_beam(beam, &of)?;
    }
    Ok(())
}

fn check_beam(
    beam: &Beam,
    of: &impl Fn(&str, f64, RangeInclusive<f64>, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    if let Some(energy) = beam.energy_mev {
        of("energy_mev", energy, 1e-3..=1e5, "MeV, the energies that are counted")?;
    }
    if let Some(let_) = beam.let_mev_cm2_per_mg {
        of("let_mev_cm2_per_mg", let_, 1e-3..=120.0, "no ion up to uranium has more in silicon")?;
    }
    of("flux_per_cm2_s", beam.flux_per_cm2_s, 1e-9..=1e24, "particles per cm² and second")?;
    of("fluence_per_cm2", beam.fluence_per_cm2, 1e-9..=1e30, "particles per cm²")?;
    of("reset_time_s", beam.reset_time_s, 0.0..=1e9, "seconds, about 30 years")?;
    of("reload_time_s", beam.reload_time_s, 0.0..=1e9, "seconds, about 30 years")
}
