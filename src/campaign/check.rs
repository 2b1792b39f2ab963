//! What the table `[faults]` may not say, although its types allow it.

use super::faults::{
    Beam, Conditional, DeviceChoice, List, Mode, Particle, RateChoice, Sequence, Targets,
};
use crate::fault::Region;
use crate::op::Dtype;
use crate::place::{Error, Place};
use crate::ranges::number;
use std::collections::HashSet;
use std::hash::Hash;
use std::ops::RangeInclusive;

/// Upsets of a bit and day: once a second at most, of what holds nothing.
pub(crate) const PER_BIT_DAY: RangeInclusive<f64> = 0.0..=86_400.0;
/// Why no bit is struck more often.
pub(crate) const PER_BIT_DAY_WHY: &str = "upsets a bit and day, of which 86400 are one a second";
/// Faults of one trial are numbered in 16 bits in the archive.
const COUNT_MAX: u32 = u16::MAX as u32;

/// Refuses faults that cannot be meant, whatever the workload.
pub(super) fn check(mode: &Mode, place: &Place) -> Result<(), Error> {
    match mode {
        Mode::Conditional(Conditional { count, targets }) => {
            if !(1..=COUNT_MAX).contains(count) {
                let expected = format!("a count from 1 to {COUNT_MAX}");
                return Err(place.value(&["faults", "count"], expected, count));
            }
            check_targets(targets, place)
        }
        Mode::Exhaustive(targets) => check_targets(targets, place),
        Mode::List(List { file }) if file.as_os_str().is_empty() => {
            Err(place.value(&["faults", "file"], "the path of a fault list", "\"\""))
        }
        Mode::List(_) => Ok(()),
        Mode::Accumulation(of) => {
            check_sequence(&of.sequence, place)?;
            check_rate(&of.rate, of.acceleration, place)
        }
        Mode::Beam(test) => {
            check_sequence(&test.sequence, place)?;
            check_device(&test.device, place)?;
            check_beam(&test.beam, place)
        }
    }
}

/// Refuses the region whose words are a scheme's: they have no number that all schemes share.
fn check_regions(regions: &[Region], place: &Place) -> Result<(), Error> {
    if !regions.contains(&Region::Check) {
        return Ok(());
    }
    let expected = "regions that every scheme has: weights, input, activations, voted";
    Err(place.value(&["faults", "regions"], expected, "check-bits, which missions strike"))
}

fn check_targets(targets: &Targets, place: &Place) -> Result<(), Error> {
    let Targets { regions, tensors, bits, .. } = targets;
    check_distinct("regions", regions, |region| region.name().to_owned(), place)?;
    check_regions(regions, place)?;
    if let Some(tensors) = tensors {
        check_distinct("tensors", tensors, |name| format!("\"{name}\""), place)?;
        if regions[..] == [Region::Input] {
            let found = "regions = [\"input\"], which has none";
            return Err(place.value(
                &["faults", "tensors"],
                "tensors of weights or activations",
                found,
            ));
        }
    }
    let Some(bits) = bits else { return Ok(()) };
    check_distinct("bits", bits, u32::to_string, place)?;
    match bits.iter().enumerate().find(|(_, bit)| **bit >= Dtype::F32.bits()) {
        Some((at, bit)) => Err(place.value(
            &["faults", "bits", &at.to_string()],
            "bits from 0 (least significant) to 31 (sign)",
            bit,
        )),
        None => Ok(()),
    }
}

/// Refuses an array that is empty or says something twice.
fn check_distinct<T: Eq + Hash>(
    key: &str,
    values: &[T],
    name: impl Fn(&T) -> String,
    place: &Place,
) -> Result<(), Error> {
    if values.is_empty() {
        return Err(place.value(&["faults", key], format!("{key}, one or more"), "none"));
    }
    let mut seen = HashSet::new();
    match values.iter().enumerate().find(|(_, value)| !seen.insert(*value)) {
        Some((at, value)) => Err(place.value(
            &["faults", key, &at.to_string()],
            format!("distinct {key}"),
            format!("{} again", name(value)),
        )),
        None => Ok(()),
    }
}

fn check_sequence(sequence: &Sequence, place: &Place) -> Result<(), Error> {
    let Sequence { regions, inference_period_s, execution_time_s, .. } = sequence;
    let refuse = |key: &str, expected: &str, found: &dyn std::fmt::Display| {
        Err(place.value(&["faults", key], expected, found))
    };
    check_distinct("regions", regions, |region| region.name().to_owned(), place)?;
    if regions.contains(&Region::Voted) {
        let expected = "regions that wait for upsets: weights, input, activations";
        return refuse("regions", expected, &"voted, which waits for nothing");
    }
    check_regions(regions, place)?;
    for (key, count) in [("steps", sequence.steps), ("inputs_per_step", sequence.inputs_per_step)] {
        if count == 0 {
            return refuse(key, &format!("{key} of 1 or more"), &count);
        }
        if count > 65_536 {
            return refuse(key, &format!("{key} of 65,536 at most"), &count);
        }
    }
    if !(inference_period_s.is_finite() && *inference_period_s > 0.0) {
        return refuse("inference_period_s", "seconds above 0", inference_period_s);
    }
    if !(0.0..=*inference_period_s).contains(execution_time_s) {
        let expected = format!("seconds from 0 to the inference_period_s of {inference_period_s}");
        return refuse("execution_time_s", &expected, execution_time_s);
    }
    let transient = regions.iter().find(|region| **region != Region::Weights);
    if let Some(region) = transient.filter(|_| *execution_time_s == 0.0) {
        let expected = format!("seconds above 0, as {} are exposed while they run", region.name());
        return refuse("execution_time_s", &expected, execution_time_s);
    }
    Ok(())
}

fn check_rate(rate: &RateChoice, acceleration: f64, place: &Place) -> Result<(), Error> {
    let refuse = |key: &str, expected: &str, found: &dyn std::fmt::Display| {
        Err(place.value(&["faults", key], expected, found))
    };
    match rate {
        RateChoice::Given { upsets_per_bit_day, rate_source } => {
            if !(upsets_per_bit_day.is_finite() && *upsets_per_bit_day >= 0.0) {
                return refuse("upsets_per_bit_day", "a rate of 0 or more", upsets_per_bit_day);
            }
            if rate_source.trim().is_empty() {
                return refuse("rate_source", "where the rate comes from", &"\"\"");
            }
        }
        RateChoice::Device { device, .. } => check_device(device, place)?,
    }
    if !(acceleration.is_finite() && acceleration >= 1.0) {
        return refuse("acceleration", "a factor of 1 or more", &acceleration);
    }
    Ok(())
}

fn check_device(choice: &DeviceChoice, place: &Place) -> Result<(), Error> {
    if choice.device.trim().is_empty() {
        let expected = "the name of a device or the path of its file";
        return Err(place.value(&["faults", "device"], expected, "\"\""));
    }
    let Some(modes) = &choice.device_modes else { return Ok(()) };
    check_distinct("device_modes", modes, |mode| format!("\"{mode}\""), place)
}

fn check_beam(beam: &Beam, place: &Place) -> Result<(), Error> {
    let refuse = |key: &str, expected: &str, found: String| {
        Err(place.value(&["faults", key], expected, found))
    };
    match (beam.particle, beam.energy_mev, beam.let_mev_cm2_per_mg) {
        (Particle::Ion, _, None) => {
            let expected = "`let_mev_cm2_per_mg` in [faults] of a beam of ions";
            return refuse("particle", expected, "none".into());
        }
        (Particle::Ion, Some(_), _) => {
            let expected = "no energy_mev: ions are told apart by their LET";
            return refuse("energy_mev", expected, "one".into());
        }
        (Particle::Proton, _, Some(_)) => {
            let expected = "no let_mev_cm2_per_mg: protons are told apart by their energy";
            return refuse("let_mev_cm2_per_mg", expected, "one".into());
        }
        _ => {}
    }
    let above_zero = [
        ("energy_mev", beam.energy_mev),
        ("let_mev_cm2_per_mg", beam.let_mev_cm2_per_mg),
        ("flux_per_cm2_s", Some(beam.flux_per_cm2_s)),
        ("fluence_per_cm2", Some(beam.fluence_per_cm2)),
    ];
    for (key, value) in above_zero {
        if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
            return refuse(key, "a number above 0", value.to_string());
        }
    }
    for (key, seconds) in
        [("reset_time_s", beam.reset_time_s), ("reload_time_s", beam.reload_time_s)]
    {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return refuse(key, "seconds of 0 or more", seconds.to_string());
        }
    }
    if !(0.0..1.0).contains(&beam.dosimetry_error) {
        let expected = "a relative error from 0 to below 1";
        return refuse("dosimetry_error", expected, beam.dosimetry_error.to_string());
    }
    Ok(())
}

/// Refuses numbers that nothing has; what a mode requires of them is checked before.
pub(super) fn check_ranges(faults: &Mode, place: &Place) -> Result<(), Error> {
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
        check_beam_ranges(beam, &of)?;
    }
    Ok(())
}

fn check_beam_ranges(
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
