//! Tables of columns for other programs, made from the JSON that beamline reads back.
//!
//! An object becomes a group with its values as attributes. A list of objects becomes a table: a group
//! with one dataset a column, which pandas and xarray take as they are. Every column has its unit and its
//! description. Objects within a row become columns of their own (`clopper_pearson_low`). A list within a
//! row becomes a table beside it (`strata_schemes`) with the columns `row`, which it belongs to, and
//! `index`, its place in the list.

use super::file::{self, Text, group, set, set_text, text};
use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Extent, Group, H5Type};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What columns mean, by table.
#[derive(Clone, Debug, Default)]
pub(super) struct Descriptions(BTreeMap<String, Vec<Column>>);

impl Descriptions {
    /// Describes the table `name` by the type of its rows and the doc comments of its fields.
    pub(super) fn with<T: JsonSchema>(mut self, name: &str) -> Self {
        self.0.insert(name.to_owned(), describe::<T>());
        self
    }

    fn of(&self, table: &str) -> &[Column] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }
}

/// What a column is, by the type of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// The doc comment of the field.
    pub(super) about: String,
    kind: Kind,
}

impl Column {
    /// The type of its values in the file.
    #[cfg(test)]
    pub(super) const fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Flag => "u8",
            Kind::Count => "u64",
            Kind::Index => "i64",
            Kind::Number => "f64",
            Kind::Text => "text",
        }
    }
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flag,
    Count,
    /// Whole numbers of which some may be below zero or missing, which is −1.
    Index,
    /// Missing ones are NaN.
    Number,
    /// Missing ones are empty.
    Text,
}

/// The columns of rows of this type, in order.
pub(super) fn describe<T: JsonSchema>() -> Vec<Column> {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    let root = schema.to_value();
    let mut found = Vec::new();
    walk(&root, &root, ("", ""), &mut found);
    found
}

/// Follows a schema and names what it finds as [`rows_of`] names columns.
fn walk(root: &Value, schema: &Value, (name, about): (&str, &str), found: &mut Vec<Column>) {
    let of = resolved(root, schema);
    let own = schema.get("description").or_else(|| of.get("description")).and_then(Value::as_str);
    if let Some(fields) = of.get("properties").and_then(Value::as_object) {
        let own = if name.is_empty() { "" } else { own.unwrap_or_default() };
        let about = format!("{about}{own} ");
        for (field, schema) in fields {
            walk(root, schema, (&joined(name, field), about.trim_start()), found);
        }
        return;
    }
    let Some(kind) = kind_of(schema, of) else { return };
    let about = format!("{about}{}", own.unwrap_or_default()).replace('\n', " ");
    found.push(Column { name: name.to_owned(), about: about.replace("`None`", "missing"), kind });
}

/// What values a schema allows; `None` for lists.
fn kind_of(schema: &Value, of: &Value) -> Option<Kind> {
    let types = |schema: &Value| match schema.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(some)) => {
            some.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let all = types(of);
    let optional = schema.get("anyOf").is_some() || all.iter().any(|of| of == "null");
    match all.iter().find(|of| *of != "null").map(String::as_str) {
        Some("boolean") => Some(Kind::Flag),
        Some("integer") if optional => Some(Kind::Index),
        Some("integer") => Some(Kind::Count),
        Some("number") => Some(Kind::Number),
        Some("array" | "object") => None,
        // A choice of names has its values in place of a type.
        _ => Some(Kind::Text),
    }
}

/// The schema that a reference names, or that an optional value has where it is there.
fn resolved<'v>(root: &'v Value, schema: &'v Value) -> &'v Value {
    let named = schema.get("$ref").and_then(Value::as_str);
    if let Some(target) = named.and_then(|name| root.pointer(name.trim_start_matches('#'))) {
        return resolved(root, target);
    }
    let present = |of: &&Value| of.get("type").and_then(Value::as_str) != Some("null");
    match schema.get("anyOf").and_then(Value::as_array).and_then(|of| of.iter().find(present)) {
        Some(of) => resolved(root, of),
        None => schema,
    }
}

fn joined(parent: &str, field: &str) -> String {
    if parent.is_empty() { field.to_owned() } else { format!("{parent}_{field}") }
}

/// The unit of a column by the end of its name: `1` for a count or a share.
pub(super) fn unit(column: &str) -> &'static str {
    const UNITS: [(&str, &str); 25] = [
        ("per_device_s", "1/s"),
        ("inferences_per_s", "1/s"),
        ("events_per_s", "1/s"),
        ("passes_s", "1/s"),
        ("bytes_s", "B/s"),
        ("per_device_day", "1/d"),
        ("upsets_per_bit_day", "1/d"),
        ("per_cm2_s", "1/(cm2 s)"),
        ("per_cm2", "1/cm2"),
        ("mev_cm2_per_mg", "MeV cm2/mg"),
        ("cm2", "cm2"),
        ("mev", "MeV"),
        ("per_year", "1/yr"),
        ("per_million", "1e-6"),
        ("bytes", "B"),
        ("bytes_stored", "B"),
        ("bytes_read_per_inference", "B"),
        ("scrub_bytes_per_inference", "B"),
        ("years", "yr"),
        ("deg", "deg"),
        ("km", "km"),
        ("fit", "1/(1e9 h)"),
        ("unix_s", "s since 1970-01-01 UTC"),
        ("s", "s"),
        ("h", "h"),
    ];
    let ends = |name: &str, end: &str| {
        name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    };
    // An interval has the unit of its estimate.
    let parts =
        ["value", "low", "high", "nominal", "mean", "median", "p90", "max", "interval", "rate"];
    let mut name = column;
    while let Some((rest, part)) = name.rsplit_once('_').filter(|(_, part)| parts.contains(part)) {
        if part == "rate" {
            return "1/yr";
        }
        name = rest;
    }
    UNITS.iter().find(|(end, _)| ends(name, end)).map_or("1", |(_, unit)| unit)
}

/// Writes what a value says into a group: its values as attributes, objects as groups, lists as tables.
pub(super) fn show(at: &Group, of: &impl Serialize, about: &Descriptions) -> hdf5::Result<()> {
    let value = serde_json::to_value(of).map_err(|e| hdf5::Error::Internal(e.to_string()))?;
    match &value {
        Value::Object(object) => show_object(at, object, about),
        other => Err(file::unexpected("an object", other)),
    }
}

fn show_object(at: &Group, object: &Map<String, Value>, about: &Descriptions) -> hdf5::Result<()> {
    for (name, value) in object {
        match value {
            Value::Object(inner) => show_object(&group(at, name)?, inner, about)?,
            Value::Array(list) => table(at, name, list, about)?,
            value => attribute(at, name, value)?,
        }
    }
    Ok(())
}

fn attribute(at: &Group, name: &str, value: &Value) -> hdf5::Result<()> {
    match value {
        Value::Bool(flag) => set(at, name, flag),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => set(at, name, &number),
            (_, Some(number), _) => set(at, name, &number),
            (.., number) => set(at, name, &number.unwrap_or(f64::NAN)),
        },
        Value::String(text) if text.len() > 1000 || text.contains('\n') => {
            file::put_text(at, name, text)
        }
        Value::String(text) => set_text(at, name, text),
        _ => Ok(()),
    }
}

/// The rows of a table: its columns by name, each with a value a row, and the lists within them.
struct Rows {
    columns: Vec<(String, Vec<Value>)>,
    lists: Vec<(String, Vec<Value>)>,
}

/// Takes rows apart. A row that lacks a column has null there.
fn rows_of(list: &[Value]) -> Rows {
    let mut rows = Rows { columns: Vec::new(), lists: Vec::new() };
    for (at, row) in list.iter().enumerate() {
        match row {
            Value::Object(fields) => take_apart(&mut rows, at, "", fields),
            value => put(&mut rows, at, "value", value.clone()),
        }
    }
    for (_, values) in &mut rows.columns {
        values.resize(list.len(), Value::Null);
    }
    rows
}

fn take_apart(rows: &mut Rows, at: usize, parent: &str, fields: &Map<String, Value>) {
    for (field, value) in fields {
        let name = joined(parent, field);
        match value {
            Value::Object(inner) => take_apart(rows, at, &name, inner),
            Value::Array(list) => {
                let of = match rows.lists.iter().position(|(known, _)| *known == name) {
                    Some(of) => of,
                    None => {
                        rows.lists.push((name, Vec::new()));
                        rows.lists.len() - 1
                    }
                };
                let entries = list.iter().enumerate().map(|(index, entry)| {
                    let mut row = Map::new();
                    row.insert("row".into(), at.into());
                    row.insert("index".into(), index.into());
                    match entry {
                        Value::Object(fields) => row.extend(fields.clone()),
                        value => drop(row.insert("value".into(), value.clone())),
                    }
                    Value::Object(row)
                });
                rows.lists[of].1.extend(entries);
            }
            value => put(rows, at, &name, value.clone()),
        }
    }
}

fn put(rows: &mut Rows, at: usize, name: &str, value: Value) {
    let known = rows.columns.iter().position(|(known, _)| known == name);
    let column = known.unwrap_or_else(|| {
        rows.columns.push((name.to_owned(), Vec::new()));
        rows.columns.len() - 1
    });
    let values = &mut rows.columns[column].1;
    values.resize(at, Value::Null);
    values.push(value);
}

fn table(at: &Group, name: &str, list: &[Value], about: &Descriptions) -> hdf5::Result<()> {
    let to = group(at, name)?;
    let mut rows = rows_of(list);
    let known = about.of(name);
    // What is missing as a whole has the columns of its parts, and none of its own.
    let parts_of =
        |name: &str| known.iter().any(|column| column.name.starts_with(&format!("{name}_")));
    rows.columns.retain(|(name, values)| {
        known.iter().any(|column| column.name == *name)
            || !parts_of(name)
            || !values.iter().all(Value::is_null)
    });
    for column in known {
        if rows.columns.iter().all(|(name, _)| *name != column.name) {
            rows.columns.push((column.name.clone(), vec![Value::Null; list.len()]));
        }
    }
    for (column, values) in &rows.columns {
        let known = known.iter().find(|known| known.name == *column);
        let kind = known.map_or_else(|| kind_by_values(values), |known| known.kind);
        let dataset = write(&to, column, values, kind)?;
        set_text(&dataset, "unit", unit(column))?;
        let description = match column.as_str() {
            "row" => Some("The row of the table that this list belongs to."),
            "index" => Some("The place in the list."),
            _ => known.map(|known| known.about.as_str()),
        };
        if let Some(description) = description {
            set_text(&dataset, "description", description)?;
        }
    }
    for (list, entries) in &rows.lists {
        table(at, &format!("{name}_{list}"), entries, about)?;
    }
    Ok(())
}

/// What the values of a column are whose rows have no type.
fn kind_by_values(values: &[Value]) -> Kind {
    let all = |is: fn(&Value) -> bool| values.iter().all(is);
    if all(Value::is_boolean) {
        Kind::Flag
    } else if all(Value::is_u64) {
        Kind::Count
    } else if all(|value| value.is_number() || value.is_null()) {
        Kind::Number
    } else {
        Kind::Text
    }
}

fn write(at: &Group, name: &str, values: &[Value], kind: Kind) -> hdf5::Result<Dataset> {
    let every = |of: fn(&Value) -> u64| values.iter().map(of).collect::<Vec<u64>>();
    match kind {
        Kind::Flag => {
            let flags = values.iter().map(|value| u8::from(value.as_bool() == Some(true)));
            raw(at, name, &flags.collect::<Vec<u8>>())
        }
        Kind::Count => raw(at, name, &every(|value| value.as_u64().unwrap_or(0))),
        Kind::Index => {
            let index = |value: &Value| match value {
                Value::Null => -1,
                value => value.as_i64().unwrap_or(i64::MAX),
            };
            raw(at, name, &values.iter().map(index).collect::<Vec<i64>>())
        }
        Kind::Number => {
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            raw(at, name, &values.iter().map(number).collect::<Vec<f64>>())
        }
        Kind::Text => {
            let texts = values.iter().map(|value| match value {
                Value::Null => text(""),
                Value::String(of) => text(cut(of)),
                other => text(cut(&other.to_string())),
            });
            let texts = texts.collect::<hdf5::Result<Vec<Text>>>()?;
            let longest = texts.iter().map(|text| text.as_bytes().len()).max().unwrap_or(0).max(1);
            let dataset = create(at, name, texts.len(), TypeDescriptor::FixedUnicode(longest))?;
            put_values(&dataset, &texts)?;
            Ok(dataset)
        }
    }
}

fn put_values<T: H5Type>(dataset: &Dataset, values: &[T]) -> hdf5::Result<()> {
    if values.is_empty() { Ok(()) } else { dataset.write_raw(values) }
}

/// The text as far as a column holds it; all of it is in the JSON.
fn cut(of: &str) -> &str {
    &of[..of.floor_char_boundary(Text::capacity() - 2)]
}

fn raw<T: H5Type>(at: &Group, name: &str, values: &[T]) -> hdf5::Result<Dataset> {
    let dataset = create(at, name, values.len(), T::type_descriptor())?;
    put_values(&dataset, values)?;
    Ok(dataset)
}

/// A column in one chunk.
fn create(at: &Group, name: &str, rows: usize, of: TypeDescriptor) -> hdf5::Result<Dataset> {
    let chunk = (file::CHUNK_BYTES / of.size().max(1)).clamp(1, rows.max(1));
    let extent = if rows == 0 { Extent::resizable(0) } else { Extent::fixed(rows) };
    at.new_dataset_builder()
        .obj_track_times(false)
        .empty_as(&of)
        .shape([extent])
        .chunk([chunk])
        .set_filters(&file::FILTERS)
        .create(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An end.
    #[derive(Serialize, JsonSchema)]
    struct Ends {
        /// The lower one.
        low: f64,
    }

    #[derive(Serialize, JsonSchema)]
    struct Row {
        /// Trials.
        trials: u64,
        /// The interval.
        share: Option<Ends>,
        /// The name.
        name: Option<String>,
        /// The region.
        region: Option<crate::fault::Region>,
        /// The bit.
        bit: Option<u32>,
        /// A list, which is a table of its own.
        of: Vec<u64>,
    }

    #[test]
    fn types_and_doc_comments_describe_columns_as_rows_name_them() {
        let found = describe::<Row>();
        let columns: Vec<_> = found.iter().map(|of| (&*of.name, &*of.about, of.kind)).collect();
        let expected = [
            ("trials", "Trials.", Kind::Count),
            ("share_low", "The interval. The lower one.", Kind::Number),
            ("name", "The name.", Kind::Text),
            ("region", "The region.", Kind::Text),
            ("bit", "The bit.", Kind::Index),
        ];
        for wanted in expected {
            assert!(columns.contains(&wanted), "{wanted:?} in {columns:?}");
        }
        assert_eq!(columns.len(), expected.len(), "{columns:?}");
    }

    #[test]
    fn rows_become_columns_and_lists_within_them_tables_of_their_own() {
        let list = [
            json!({"name": "a", "share": {"low": 0.5}, "of": [1, 2]}),
            json!({"name": "b", "share": null, "of": [{"x": 3}], "more": 7}),
        ];
        let rows = rows_of(&list);
        let column = |name: &str| {
            rows.columns.iter().find(|(known, _)| known == name).map(|(_, values)| values.clone())
        };
        assert_eq!(column("name"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(column("share_low"), Some(vec![0.5.into(), Value::Null]));
        assert_eq!(column("more"), Some(vec![Value::Null, 7.into()]));
        let (name, entries) = &rows.lists[0];
        assert_eq!(name, "of");
        assert_eq!(
            entries,
            &[
                json!({"row": 0, "index": 0, "value": 1}),
                json!({"row": 0, "index": 1, "value": 2}),
                json!({"row": 1, "index": 0, "x": 3})
            ]
        );
    }

    #[test]
    fn a_unit_is_the_end_of_a_name() {
        for (column, expected) in [
            ("trials", "1"),
            ("time_to_critical_s", "s"),
            ("scrub_bytes_s", "B/s"),
            ("upsets_per_bit_day", "1/d"),
            ("flux_per_cm2_s", "1/(cm2 s)"),
            ("sdc_cm2", "cm2"),
            ("wrong_per_year_low", "1/yr"),
            ("latency_s_p90", "s"),
            ("error_episodes_rate", "1/yr"),
            ("altitude_km", "km"),
            ("hangs", "1"),
        ] {
            assert_eq!(unit(column), expected, "{column}");
        }
    }
}
