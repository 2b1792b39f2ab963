//! What a campaign file may not say, although its types allow it.

use super::file::{Campaign, DeviceChoice, Error, Mode, RateChoice, Sequence, Stop};
use crate::fault::Region;
use crate::name;
use crate::place::Place;
use crate::scheme;
use crate::stats::ALPHA_MIN;
use std::collections::HashSet;
use std::hash::Hash;

/// Faults of one trial are numbered in 16 bits in the archive.
const COUNT_MAX: u32 = u16::MAX as u32;

/// Checks what can be checked without the workload.
pub(super) fn check(campaign: &Campaign, place: &Place) -> Result<(), Error> {
    if let Some(flaw) = name::folder_flaw(&campaign.name) {
        return Err(place.value(&["name"], flaw.expected, flaw.found));
    }
    campaign.workload.check(place)?;
    check_mode(&campaign.faults, place)?;
    check_environment(campaign, place)?;
    check_schemes(campaign, place)?;
    check_stop(&campaign.stop, &campaign.faults, place)
}

fn check_schemes(campaign: &Campaign, place: &Place) -> Result<(), Error> {
    scheme::check(&campaign.scheme, place)?;
    let accumulates = campaign.faults.sequence().is_some();
    for (at, scheme) in campaign.scheme.iter().enumerate() {
        let at = at.to_string();
        if let Some(refusal) = scheme.campaign_refusal() {
            let keys = ["scheme", &at, refusal.key];
            return Err(place.value(&keys, "a scheme of a campaign", refusal));
        }
        let keys = ["scheme", &at, "scrub"];
        if scheme.scrub.is_some() && !accumulates {
            let mode = campaign.faults.name();
            let expected = format!("no scrub: in mode {mode} memory is golden before each trial");
            return Err(place.value(
                &keys,
                expected,
                format!("a scrub in scheme \"{}\"", scheme.name),
            ));
        }
    }
    Ok(())
}

fn check_mode(mode: &Mode, place: &Place) -> Result<(), Error> {
    match mode {
        Mode::Conditional { count, regions, tensors, bits, .. } => {
            if !(1..=COUNT_MAX).contains(count) {
                let expected = format!("a count from 1 to {COUNT_MAX}");
                return Err(place.value(&["faults", "count"], expected, count));
            }
            check_sites(regions, tensors.as_deref(), bits.as_deref(), place)
        }
        Mode::Exhaustive { regions, tensors, bits, .. } => {
            check_sites(regions, tensors.as_deref(), bits.as_deref(), place)
        }
        Mode::List { file } if file.as_os_str().is_empty() => {
            Err(place.value(&["faults", "file"], "the path of a fault list", "\"\""))
        }
        Mode::List { .. } => Ok(()),
        Mode::Accumulation { rate, acceleration, .. } => {
            check_sequence(mode, place)?;
            check_rate(rate, *acceleration, place)
        }
        Mode::Beam { device, beam, .. } => {
            check_sequence(mode, place)?;
            check_device(device, place)?;
            beam.check(place)
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

fn check_sites(
    regions: &[Region],
    tensors: Option<&[String]>,
    bits: Option<&[u32]>,
    place: &Place,
) -> Result<(), Error> {
    check_distinct("regions", regions, |region| region.name().to_owned(), place)?;
    check_regions(regions, place)?;
    if let Some(tensors) = tensors {
        check_distinct("tensors", tensors, |name| format!("\"{name}\""), place)?;
        if regions == [Region::Input] {
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
    match bits.iter().enumerate().find(|(_, bit)| **bit > 31) {
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

fn check_sequence(mode: &Mode, place: &Place) -> Result<(), Error> {
    let Some(sequence) = mode.sequence() else { return Ok(()) };
    let Sequence { regions, steps, inputs_per_step, .. } = sequence;
    let Sequence { inference_period_s, execution_time_s, .. } = sequence;
    let refuse = |key: &str, expected: &str, found: &dyn std::fmt::Display| {
        Err(place.value(&["faults", key], expected, found))
    };
    check_distinct("regions", regions, |region| region.name().to_owned(), place)?;
    if regions.contains(&Region::Voted) {
        let expected = "regions that wait for upsets: weights, input, activations";
        return refuse("regions", expected, &"voted, which waits for nothing");
    }
    check_regions(regions, place)?;
    for (key, count) in [("steps", steps), ("inputs_per_step", inputs_per_step)] {
        if count == 0 {
            return refuse(key, &format!("{key} of 1 or more"), &count);
        }
        if count > 65_536 {
            return refuse(key, &format!("{key} of 65,536 at most"), &count);
        }
    }
    if !(inference_period_s.is_finite() && inference_period_s > 0.0) {
        return refuse("inference_period_s", "seconds above 0", &inference_period_s);
    }
    if !(0.0..=inference_period_s).contains(&execution_time_s) {
        let expected = format!("seconds from 0 to the inference_period_s of {inference_period_s}");
        return refuse("execution_time_s", &expected, &execution_time_s);
    }
    let transient = regions.iter().find(|region| **region != Region::Weights);
    if let Some(region) = transient.filter(|_| execution_time_s == 0.0) {
        let expected = format!("seconds above 0, as {} are exposed while they run", region.name());
        return refuse("execution_time_s", &expected, &execution_time_s);
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

/// Refuses an orbit without a device on it, and a device without an orbit.
fn check_environment(campaign: &Campaign, place: &Place) -> Result<(), Error> {
    let orbits = campaign.faults.device().filter(|_| campaign.faults.beam().is_none());
    match (orbits, &campaign.environment) {
        (Some(_), None) => {
            let expected = "[environment], as the rate is that of a device on an orbit";
            Err(place.value(&["faults", "device"], expected, "none"))
        }
        (None, Some(_)) => {
            let expected = "no [environment], as [faults] names no `device` that it could act on";
            Err(place.value(&["environment"], expected, "one"))
        }
        _ => Ok(()),
    }
}

fn check_stop(stop: &Stop, mode: &Mode, place: &Place) -> Result<(), Error> {
    let refuse = |key: &str, expected: &str, found: &dyn std::fmt::Display| {
        Err(place.value(&["stop", key], expected, found))
    };
    match (mode, stop.trials) {
        (Mode::Conditional { .. } | Mode::Accumulation { .. } | Mode::Beam { .. }, None) => {
            let expected =
                format!("`trials` in [stop], the most that mode {} may run", mode.name());
            return refuse("trials", &expected, &"none");
        }
        (Mode::Exhaustive { .. } | Mode::List { .. }, Some(trials)) => {
            let expected = format!("no trials: mode {} has its own number", mode.name());
            return refuse("trials", &expected, &trials);
        }
        (_, Some(0)) => return refuse("trials", "trials of 1 or more", &0),
        _ => {}
    }
    if let Some(half_width) = stop.half_width {
        if matches!(mode, Mode::Exhaustive { .. } | Mode::List { .. } | Mode::Beam { .. }) {
            let expected = format!("no half_width: mode {} runs to its end", mode.name());
            return refuse("half_width", &expected, &half_width);
        }
        if !(half_width > 0.0 && half_width < 0.5) {
            return refuse("half_width", "a half width above 0 and below 0.5", &half_width);
        }
    }
    if !(stop.alpha >= ALPHA_MIN && stop.alpha < 1.0) {
        let found = format!("{:?}", stop.alpha);
        return refuse("alpha", "an alpha of at least 1e-12 and below 1", &found);
    }
    if let (Mode::Exhaustive { .. }, Some(seconds)) = (mode, stop.seconds) {
        let expected = "no seconds: part of a census is no sample, it runs to its end";
        return refuse("seconds", expected, &seconds);
    }
    if let Some(seconds) = stop.seconds.filter(|seconds| !(seconds.is_finite() && *seconds > 0.0)) {
        return refuse("seconds", "seconds above 0", &seconds);
    }
    if stop.segment_trials == Some(0) {
        return refuse("segment_trials", "segment_trials of 1 or more", &0);
    }
    Ok(())
}
