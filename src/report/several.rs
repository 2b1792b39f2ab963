//! Several results side by side: which settings differ, and by how much each figure does.
//!
//! A difference of two independent estimates has the interval that their own intervals give (method of
//! variance estimates recovery, Zou and Donner 2008, doi 10.1002/sim.3095). Of two proportions with Wilson's
//! intervals it is method 10 of Newcombe 1998 (Statistics in Medicine 17, 873 to 890).

use super::table::{aligned_within, piped};
use super::tables::Table;
use super::{Error, Format, Report, words};
use crate::archive::Archive;
use crate::archive::mission::MissionArchive;
use crate::archive::summary::Breakdown;
use crate::stats::Interval;
use crate::words as names;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io::Write;

/// The widest that a cell with a setting is.
const SETTING_MAX: usize = 28;

/// A result, as far as it is compared.
#[derive(Clone, Debug)]
pub struct Compared {
    /// What messages and columns call it.
    name: String,
    /// What was set.
    settings: Value,
    /// Its figures.
    figures: Vec<Figure>,
    /// Which intervals they have: "95 % interval".
    level: String,
}

/// A figure of one scheme.
#[derive(Clone, Debug, PartialEq)]
struct Figure {
    scheme: String,
    quantity: &'static str,
    unit: &'static str,
    estimate: f64,
    interval: Option<Interval>,
    /// Whether it is that of the whole population, as in a census.
    exact: bool,
}

/// A setting in which results differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Differing {
    setting: String,
    /// The value in each result; none where it has no such setting.
    values: Vec<Option<Value>>,
}

/// A figure that two results have.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Row {
    scheme: String,
    quantity: &'static str,
    unit: &'static str,
    first: f64,
    other: f64,
    /// The other less the first.
    difference: f64,
    /// The ends of its interval; none where one of the estimates has none.
    low: Option<f64>,
    high: Option<f64>,
    /// Whether the interval of the difference leaves out 0.
    differs: bool,
}

impl Compared {
    /// A campaign's result.
    ///
    /// # Errors
    /// Where a form cannot be made of it.
    pub fn campaign(name: &str, archive: &Archive) -> Result<Self, Error> {
        let report = Report::of(archive)?;
        let header = &report.header;
        let strata = header.strata.len() > 1;
        let exact = report.summary.census && report.finished;
        let mut figures = Vec::new();
        for row in report.summary.by(Breakdown::Scheme) {
            let scheme = match strata {
                true => format!("{} {}", report.scheme(row.scheme), report.stratum(row.stratum)),
                false => report.scheme(row.scheme).to_owned(),
            };
            let mut add = |quantity, estimate, interval| {
                let scheme = scheme.clone();
                let unit = "share";
                figures.push(Figure { scheme, quantity, unit, estimate, interval, exact });
            };
            add("wrong trials", row.wrong_probability, row.wilson);
            add("wrong answers", row.wrong_share, row.wrong_share_interval);
        }
        let follows = json!({ "adapter": header.adapter, "rate": header.rate });
        let settings = settings(&header.campaign.toml, follows);
        let level = report.level();
        Ok(Self { name: name.to_owned(), settings, figures, level })
    }

    /// A mission's result.
    pub fn mission(name: &str, archive: &MissionArchive) -> Self {
        let mut figures = Vec::new();
        for of in &archive.closing.figures {
            let mut add = |quantity, (estimate, interval): (f64, Interval)| {
                let (scheme, unit) = (of.name.clone(), "1/yr");
                let interval = Some(interval);
                let exact = false;
                figures.push(Figure { scheme, quantity, unit, estimate, interval, exact });
            };
            add("wrong answers", of.wrong_per_year);
            let rates =
                [("wrong episodes", of.critical_episodes), ("DUE episodes", of.due_episodes)];
            for (quantity, rate) in rates {
                add(quantity, (rate.rate, rate.interval));
            }
        }
        let header = &archive.header;
        let follows = json!({
            "adapter": header.adapter,
            "assumption": header.assumptions,
            "orbit": header.orbit,
        });
        let settings = settings(&header.toml, follows);
        let level = "95 % interval".to_owned();
        Self { name: name.to_owned(), settings, figures, level }
    }
}

/// What was set: the keys of the file, and beside them what follows from it and from the machine.
fn settings(toml: &str, follows: Value) -> Value {
    let file: Option<toml::Table> = toml::from_str(toml).ok();
    let mut settings = file.and_then(|file| serde_json::to_value(file).ok()).unwrap_or(json!({}));
    if let (Value::Object(settings), Value::Object(follows)) = (&mut settings, follows) {
        settings.extend(follows);
    }
    settings
}

/// The interval of `other − first`, where both are independent.
fn difference(first: (f64, Interval), other: (f64, Interval)) -> Interval {
    let ((a, of_a), (b, of_b)) = (first, other);
    let apart = b - a;
    Interval {
        low: apart - (b - of_b.low).hypot(of_a.high - a),
        high: apart + (of_b.high - b).hypot(a - of_a.low),
    }
}

fn rows(first: &Compared, other: &Compared) -> Vec<Row> {
    let same = |a: &Figure, b: &Figure| (&a.scheme, a.quantity) == (&b.scheme, b.quantity);
    let pairs = first.figures.iter().filter_map(|figure| {
        let other = other.figures.iter().find(|other| same(figure, other))?;
        Some((figure, other))
    });
    let interval = |of: &Figure| {
        let exact = of.exact.then_some(Interval { low: of.estimate, high: of.estimate });
        of.interval.or(exact)
    };
    let row = |(a, b): (&Figure, &Figure)| {
        let of = interval(a).zip(interval(b));
        let of = of.map(|(of_a, of_b)| difference((a.estimate, of_a), (b.estimate, of_b)));
        Row {
            scheme: a.scheme.clone(),
            quantity: a.quantity,
            unit: a.unit,
            first: a.estimate,
            other: b.estimate,
            difference: b.estimate - a.estimate,
            low: of.map(|of| of.low),
            high: of.map(|of| of.high),
            differs: of.is_some_and(|of| of.low > 0.0 || of.high < 0.0),
        }
    };
    pairs.map(row).collect()
}

/// The settings in which results differ, by their place in the header.
fn differing(all: &[Compared]) -> Vec<Differing> {
    let mut found = Vec::new();
    let values: Vec<Option<&Value>> = all.iter().map(|of| Some(&of.settings)).collect();
    walk(String::new(), &values, &mut found);
    found
}

fn walk(place: String, values: &[Option<&Value>], found: &mut Vec<Differing>) {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return;
    }
    let objects: Option<Vec<&Map<String, Value>>> =
        values.iter().map(|value| value.and_then(Value::as_object)).collect();
    let lists: Option<Vec<&Vec<Value>>> =
        values.iter().map(|value| value.and_then(Value::as_array)).collect();
    let below = |name: &str| match place.is_empty() {
        true => name.to_owned(),
        false => format!("{place}.{name}"),
    };
    if let Some(objects) = objects {
        let mut names: Vec<&String> = Vec::new();
        for name in objects.iter().flat_map(|object| object.keys()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let values: Vec<_> = objects.iter().map(|object| object.get(name)).collect();
            walk(below(name), &values, found);
        }
    } else if let Some(lists) = lists {
        let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
        for at in 0..longest {
            let values: Vec<_> = lists.iter().map(|list| list.get(at)).collect();
            // An entry is called by its name where it has one.
            let named = values.iter().flatten().find_map(|value| {
                value.get("name").or_else(|| value.pointer("/definition/name"))?.as_str()
            });
            walk(below(named.unwrap_or(&at.to_string())), &values, found);
        }
    } else {
        let values = values.iter().map(|value| value.cloned()).collect();
        found.push(Differing { setting: place, values });
    }
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if !number.is_u64() => {
            words::number(number.as_f64().unwrap_or(f64::NAN))
        }
        Some(other) => other.to_string(),
    };
    if text.chars().count() <= SETTING_MAX {
        return text;
    }
    text.chars().take(SETTING_MAX - 1).chain(['…']).collect()
}

fn tables(all: &[Compared]) -> Vec<Table> {
    let mut tables = Vec::new();
    let heads: Vec<&str> = all.iter().map(|of| of.name.as_str()).collect();
    let heads = [&["setting"], heads.as_slice()].concat();
    let caption = "What was set and differs. – stands for none.".to_owned();
    let mut table = Table::new("Settings that differ", caption, &heads, 1);
    for of in differing(all) {
        let cells = of.values.iter().map(|value| shown(value.as_ref()));
        table.rows.push(std::iter::once(of.setting.clone()).chain(cells).collect());
    }
    tables.push(table);
    for other in &all[1..] {
        let first = &all[0];
        let title = format!("{} less {}", other.name, first.name);
        let levels = match first.level == other.level {
            true => format!("the {}", first.level),
            false => format!("what a {} and a {} give as that", first.level, other.level),
        };
        let caption = format!(
            "In brackets: {levels} of the difference of independent results; * where it leaves out 0."
        );
        let heads = ["scheme", "figure", "first", "other", "difference", "interval", ""];
        let mut table = Table::new(&title, caption, &heads, 2);
        for row in rows(first, other) {
            let number = |value: f64| {
                let sign = if value < 0.0 { "−" } else { "" };
                let size = match row.unit {
                    "share" => words::percent(value.abs()),
                    _ => words::number(value.abs()),
                };
                format!("{sign}{size}")
            };
            let unit = if row.unit == "share" { String::new() } else { format!(", {}", row.unit) };
            table.rows.push(vec![
                row.scheme.clone(),
                format!("{}{unit}", row.quantity),
                number(row.first),
                number(row.other),
                number(row.difference),
                match row.low.zip(row.high) {
                    Some((low, high)) => format!("({} to {})", number(low), number(high)),
                    None => "–".to_owned(),
                },
                if row.differs { "*".into() } else { String::new() },
            ]);
        }
        tables.push(table);
    }
    tables
}

/// Writes results side by side: each with the first.
///
/// # Errors
/// Where `format` is HTML or LaTeX, the form cannot be made, or `out` not be written.
pub fn write(all: &[Compared], format: Format, out: &mut dyn Write) -> Result<(), Error> {
    match format {
        Format::Html | Format::Latex => {
            let expected = "expected table, markdown, csv or json for several results";
            return Err(Error::Form(expected.into()));
        }
        Format::Table => {
            for table in tables(all) {
                let text =
                    format!("{}\n{}{}\n\n", table.title, aligned_within(&table, 80), table.caption);
                out.write_all(names::terminal(&text).as_bytes())?;
            }
        }
        Format::Markdown => {
            writeln!(out, "# Results side by side")?;
            for table in tables(all) {
                let (title, caption) =
                    (names::markdown(&table.title), names::markdown(&table.caption));
                write!(out, "\n## {title}\n\n{}\n{caption}\n", piped(&table))?;
            }
        }
        Format::Csv => {
            let form = |error: csv::Error| Error::Form(error.to_string());
            let mut lines = csv::Writer::from_writer(&mut *out);
            let head = [
                "first_result",
                "other_result",
                "scheme",
                "figure",
                "unit",
                "first",
                "other",
                "difference",
                "low",
                "high",
            ];
            lines.write_record(head).map_err(form)?;
            for other in &all[1..] {
                for row in rows(&all[0], other) {
                    let numbers = [row.first, row.other, row.difference].map(Some);
                    let numbers = numbers.into_iter().chain([row.low, row.high]);
                    let texts = [&all[0].name, &other.name, &row.scheme];
                    let texts = texts.map(|text| names::field(text).into_owned());
                    let of = [row.quantity, row.unit].map(str::to_owned);
                    let number = |of: Option<f64>| of.map_or_else(String::new, |of| of.to_string());
                    let numbers = numbers.map(number);
                    let cells = texts.into_iter().chain(of).chain(numbers);
                    lines.write_record(cells).map_err(form)?;
                }
            }
            lines.flush()?;
        }
        Format::Json => {
            let compared = all[1..].iter().map(|other| {
                json!({ "first": all[0].name, "other": other.name, "figures": rows(&all[0], other) })
            });
            let value = json!({
                "results": all.iter().map(|of| &of.name).collect::<Vec<_>>(),
                "levels": all.iter().map(|of| &of.level).collect::<Vec<_>>(),
                "settings": differing(all),
                "compared": compared.collect::<Vec<_>>(),
            });
            let text = serde_json::to_string_pretty(&value);
            let text = text.map_err(|error| Error::Form(error.to_string()))?;
            writeln!(out, "{}", names::json(&text))?;
        }
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::wilson;

    /// Newcombe 1998, table II: 56/70 less 48/80 has the interval 0.0524 to 0.3339, and 9/10 less 3/10
    /// has 0.1705 to 0.8090 (method 10).
    #[test]
    fn the_interval_of_a_difference_of_proportions_is_newcombe_s() {
        for (first, other, low, high) in
            [((48, 80), (56, 70), 0.0524, 0.3339), ((3, 10), (9, 10), 0.1705, 0.8090)]
        {
            let of = |(k, n): (u64, u64)| (k as f64 / n as f64, wilson(k, n, 0.05));
            let found = difference(of(first), of(other));
            assert!((found.low - low).abs() < 5e-5, "{found:?}");
            assert!((found.high - high).abs() < 5e-5, "{found:?}");
        }
    }

    fn compared(name: &str, settings: Value, estimate: f64) -> Compared {
        let interval = Some(Interval { low: estimate - 0.1, high: estimate + 0.1 });
        let (scheme, quantity, unit) = ("none".to_owned(), "wrong trials", "share");
        let figures = vec![Figure { scheme, quantity, unit, estimate, interval, exact: false }];
        Compared { name: name.into(), settings, figures, level: "95 % interval".into() }
    }

    #[test]
    fn settings_that_differ_are_named_by_their_place() {
        let a = json!({"seed": 1, "same": 2, "schemes": [{"name": "tmr", "code": null}], "x": {"y": 1}});
        let b =
            json!({"seed": 7, "same": 2, "schemes": [{"name": "tmr", "code": "duet"}], "x": {}});
        let all = [compared("a", a, 0.5), compared("b", b, 0.9)];
        let found: Vec<String> = differing(&all).into_iter().map(|of| of.setting).collect();
        assert_eq!(found, ["seed", "schemes.tmr.code", "x.y"]);
        let rows = rows(&all[0], &all[1]);
        assert!(rows[0].differs && (rows[0].difference - 0.4).abs() < 1e-12, "{rows:?}");
        let low = rows[0].low.expect("an end");
        assert!((low - (0.4 - 0.1_f64.hypot(0.1))).abs() < 1e-12, "{rows:?}");
        let mut unknown = all[1].clone();
        unknown.figures[0].interval = None;
        let rows = super::rows(&all[0], &unknown);
        assert!(!rows[0].differs && rows[0].low.is_none(), "no interval decides nothing");
    }
}
