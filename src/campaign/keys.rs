//! Which keys the table `[faults]` has in each mode.

use crate::place::{Error, Place};
use crate::words::meant;

/// The keys of one mode beside `mode` itself.
struct Keys {
    mode: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

impl Keys {
    fn has(&self, key: &str) -> bool {
        self.required.contains(&key) || self.optional.contains(&key)
    }
}

const MODES: [Keys; 5] = [
    Keys {
        mode: "conditional",
        required: &["count", "regions"],
        optional: &["kind", "tensors", "bits"],
    },
    Keys { mode: "exhaustive", required: &["regions"], optional: &["kind", "tensors", "bits"] },
    Keys { mode: "list", required: &["file"], optional: &[] },
    Keys {
        mode: "accumulation",
        required: &["regions", "steps", "inference_period_s"],
        optional: &[
            "inputs_per_step",
            "execution_time_s",
            "upsets_per_bit_day",
            "rate_source",
            "device",
            "device_modes",
            "level",
            "course",
            "acceleration",
            "attribution_sample",
        ],
    },
    Keys {
        mode: "beam",
        required: &[
            "regions",
            "steps",
            "inference_period_s",
            "device",
            "flux_per_cm2_s",
            "fluence_per_cm2",
        ],
        optional: &[
            "inputs_per_step",
            "execution_time_s",
            "device_modes",
            "level",
            "particle",
            "energy_mev",
            "let_mev_cm2_per_mg",
            "reset_time_s",
            "reload_time_s",
            "dosimetry_error",
            "attribution_sample",
        ],
    },
];

/// Refuses a mode that does not exist, and keys that the mode does not have or lacks.
///
/// What is no table is left to serde's message.
pub(super) fn check(place: &Place) -> Result<(), Error> {
    let Some(table) = place.table("faults") else { return Ok(()) };
    let names = MODES.map(|keys| format!("\"{}\"", keys.mode)).join(", ");
    let Some(mode) = table.get("mode") else {
        return Err(place.value(&["faults"], format!("mode = one of {names} in [faults]"), "none"));
    };
    let refuse = |found| place.value(&["faults", "mode"], format!("a mode among {names}"), found);
    let Some(name) = mode.get_ref().as_str() else {
        return Err(refuse(mode.get_ref().type_str().to_owned()));
    };
    let Some(keys) = MODES.iter().find(|keys| keys.mode == name) else {
        let meant = meant(name, MODES.map(|keys| keys.mode));
        return Err(refuse(format!("\"{name}\"{meant}")));
    };
    for key in table.keys() {
        let key: &str = key.get_ref();
        if key == "mode" || keys.has(key) {
            continue;
        }
        let known = [keys.required, keys.optional].concat().join(", ");
        let others = MODES.iter().filter(|other| other.has(key)).map(|other| other.mode);
        let others = others.collect::<Vec<_>>().join(" or ");
        let hint = if others.is_empty() {
            meant(key, [keys.required, keys.optional].concat())
        } else {
            format!(", which mode {others} has")
        };
        let expected = format!("keys of mode {name} ({known})");
        return Err(place.key(&["faults", key], expected, format!("`{key}`{hint}")));
    }
    for key in keys.required {
        if !table.contains_key(*key) {
            let expected = format!("`{key}` in [faults] of mode {name}");
            return Err(place.value(&["faults"], expected, "none"));
        }
    }
    if name == "accumulation" { check_rate(place, table) } else { Ok(()) }
}

/// Refuses a rate and a device at once, neither, half a rate, and keys of a device without one.
fn check_rate(place: &Place, table: &toml::de::DeTable<'_>) -> Result<(), Error> {
    const GIVEN: [&str; 2] = ["upsets_per_bit_day", "rate_source"];
    let has = |key: &str| table.contains_key(key);
    let either = "`upsets_per_bit_day` with `rate_source`, or `device` with [environment]";
    if let Some(key) = GIVEN.into_iter().find(|key| has("device") && has(key)) {
        let found = format!("`device` and `{key}`");
        return Err(place.value(&["faults", key], format!("{either}, not both"), found));
    }
    if has("device") {
        return Ok(());
    }
    if let Some(key) = ["device_modes", "level", "course"].into_iter().find(|key| has(key)) {
        let expected = format!("`device` in [faults], which `{key}` is about");
        return Err(place.value(&["faults", key], expected, "none"));
    }
    match GIVEN.map(has) {
        [true, true] => Ok(()),
        [false, false] => Err(place.value(&["faults"], format!("{either} in [faults]"), "neither")),
        [rate, _] => {
            let missing = if rate { GIVEN[1] } else { GIVEN[0] };
            let expected = format!("`{missing}` in [faults] of mode accumulation");
            Err(place.value(&["faults"], expected, "none"))
        }
    }
}
