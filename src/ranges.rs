//! How much a file may say: numbers within a range that has a reason, texts of a length, lists of a
//! count.

use crate::place::{Error, Place};
use std::ops::RangeInclusive;
use toml::de::{DeTable, DeValue};

/// The longest text, in characters: ten pages.
const TEXT_MAX: usize = 20_000;
/// The longest list.
const LIST_MAX: usize = 10_000;

/// Refuses texts and lists that are longer than anyone means.
///
/// # Errors
/// [`Error::Value`] with the place of the first.
pub fn lengths(place: &Place<'_>) -> Result<(), Error> {
    table(place, place.root(), &mut Vec::new())
}

/// Refuses a number outside a range; `why` says where the range comes from.
///
/// # Errors
/// [`Error::Value`] with the range.
pub fn number(
    place: &Place<'_>,
    keys: &[&str],
    value: f64,
    range: &RangeInclusive<f64>,
    why: &str,
) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = (short(*range.start()), short(*range.end()));
    Err(place.value(keys, format!("{least} to {most}: {why}"), short(value)))
}

/// A number, with an exponent where it is very large or small.
fn short(value: f64) -> String {
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs()) || !value.is_finite();
    if plain { value.to_string() } else { format!("{value:e}") }
}

fn table(place: &Place<'_>, of: &DeTable<'_>, keys: &mut Vec<String>) -> Result<(), Error> {
    for (key, found) in of {
        let name: &str = key.get_ref();
        keys.push(name.chars().take(100).collect());
        value(place, found.get_ref(), keys)?;
        keys.pop();
    }
    Ok(())
}

fn value(place: &Place<'_>, of: &DeValue<'_>, keys: &mut Vec<String>) -> Result<(), Error> {
    let refuse = |keys: &[String], expected: String, found: usize| {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        Err(place.value(&keys, expected, found))
    };
    if let Some(text) = of.as_str() {
        let length = text.chars().count();
        if length > TEXT_MAX {
            return refuse(keys, format!("a text of {TEXT_MAX} characters at most"), length);
        }
    } else if let Some(list) = of.as_array() {
        if list.len() > LIST_MAX {
            return refuse(keys, format!("a list of {LIST_MAX} elements at most"), list.len());
        }
        for (at, element) in list.iter().enumerate() {
            keys.push(at.to_string());
            value(place, element.get_ref(), keys)?;
            keys.pop();
        }
    } else if let Some(inner) = of.as_table() {
        table(place, inner, keys)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::by_line;
    use std::path::Path;

    #[test]
    fn long_texts_and_lists_are_refused_with_their_line() {
        let of = |text: &str| {
            let place = Place::parse(Path::new("a.toml"), text).expect("well-formed");
            lengths(&place).map_err(|error| by_line(&error.to_string()))
        };
        let long = "x".repeat(TEXT_MAX + 1);
        assert_eq!(of(&format!("name = \"{}\"\n", &long[1..])), Ok(()));
        let error = of(&format!("[a]\n[[a.b]]\nc = [\"\", \"{long}\"]\n")).expect_err("too long");
        assert!(error.contains("a.toml:3: expected a text of 20000 characters at most"), "{error}");
        let list = vec!["0"; LIST_MAX + 1].join(",");
        let error = of(&format!("a = 1\nb = [{list}]\n")).expect_err("too many");
        assert!(error.contains("a.toml:2: expected a list of 10000 elements at most"), "{error}");
    }

    #[test]
    fn a_number_is_refused_with_its_range_and_the_reason() {
        let place = Place::parse(Path::new("a.toml"), "a = 1\nb = 2\n").expect("well-formed");
        let of = |value: f64| number(&place, &["b"], value, &(1e-9..=1e9), "seconds");
        assert!(of(1e-9).is_ok() && of(1e9).is_ok());
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY, 1.1e9, 5e-324] {
            let error = by_line(&of(none).expect_err("outside").to_string());
            assert!(error.contains("a.toml:2: expected 1e-9 to 1e9: seconds"), "{error}");
        }
    }
}
