//! What the schemes of a campaign or a mission may not say, whatever the workload.

use super::Scheme;
use crate::name;
use crate::place::{Error, Place};
use std::collections::HashSet;

/// Refuses a file without schemes, names that cannot stand or stand twice, and schemes that
/// contradict themselves.
///
/// # Errors
/// With the line of the scheme's key.
pub fn check(schemes: &[Scheme], place: &Place) -> Result<(), Error> {
    if schemes.is_empty() {
        return Err(place.value(&["scheme"], "one [[scheme]] or more", "none"));
    }
    let mut names = HashSet::new();
    for (at, scheme) in schemes.iter().enumerate() {
        let at = at.to_string();
        let name = &scheme.name;
        if let Some(flaw) = name::label_flaw("scheme", name) {
            return Err(place.value(&["scheme", &at, "name"], flaw.expected, flaw.found));
        }
        if !names.insert(name) {
            let found = format!("\"{name}\" again");
            return Err(place.value(&["scheme", &at, "name"], "each scheme's name once", found));
        }
        if let Some(refusal) = scheme.refusal() {
            let keys = ["scheme", &at, refusal.key];
            return Err(place.value(&keys, "a scheme that can exist", refusal));
        }
    }
    Ok(())
}
