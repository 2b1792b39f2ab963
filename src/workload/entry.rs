//! What a `workload.toml` says, as written. Values that can be wrong keep their place in the file.
//!
//! The decision is a flat table with a `kind`, not a tagged enum: a tagged enum is buffered before its fields
//! are read, and the buffer forgets the lines.

use super::{NanRank, NanRule};
use crate::op::{Dtype, Holds, OPS};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkloadEntry {
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    pub(super) description: String,
    #[schemars(with = "String")]
    pub(super) source: Spanned<String>,
    #[schemars(with = "Option<u32>")]
    pub(super) size: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) relu_nan: NanRule,
    #[schemars(with = "WeightsEntry")]
    pub(super) weights: Spanned<WeightsEntry>,
    #[schemars(with = "InputsEntry")]
    pub(super) inputs: Spanned<InputsEntry>,
    #[schemars(with = "Vec<OpSchema>")]
    pub(super) op: Vec<Spanned<OpEntry>>,
    pub(super) decision: DecisionEntry,
    pub(super) output: Option<OutputEntry>,
    pub(super) expected: Option<ExpectedEntry>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WeightsEntry {
    pub(super) file: Option<PathBuf>,
    pub(super) generate: Option<GenerateWeights>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GenerateWeights {
    pub(super) seed: u64,
    pub(super) distribution: Distribution,
    #[schemars(with = "f32")]
    pub(super) scale: Spanned<f32>,
    pub(super) tensor: Vec<TensorEntry>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TensorEntry {
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    #[schemars(with = "Vec<Dim>")]
    pub(super) shape: Spanned<Vec<Dim>>,
}

/// How generated words are drawn.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Distribution {
    /// From [−scale, scale).
    Uniform,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InputsEntry {
    #[schemars(with = "Vec<Dim>")]
    pub(super) shape: Spanned<Vec<Dim>>,
    #[serde(default)]
    pub(super) dtype: Dtype,
    pub(super) file: Option<PathBuf>,
    pub(super) tensor: Option<String>,
    pub(super) labels: Option<PathBuf>,
    pub(super) labels_tensor: Option<String>,
    pub(super) generate: Option<GenerateInputs>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GenerateInputs {
    pub(super) seed: u64,
    pub(super) distribution: Distribution,
    #[schemars(with = "f32")]
    pub(super) scale: Spanned<f32>,
    #[schemars(with = "Dim")]
    pub(super) count: Spanned<Dim>,
}

/// An op of a workload file for its JSON Schema: the fields of each kind as [`OPS`] has them.
struct OpSchema;

impl JsonSchema for OpSchema {
    fn schema_name() -> Cow<'static, str> {
        "Op".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds = OPS.iter().map(|kind| {
            let mut properties = json!({
                "name": { "type": "string", "description": "Its name, unique in the workload." },
                "kind": { "const": kind.name(), "description": kind.formula() },
                "inputs": {
                    "type": "array",
                    "items": { "type": "string" },
                    "description": "What it reads: ops or \"input\"; the op before where not given."
                }
            });
            let mut required = vec!["name", "kind"];
            for field in kind.fields() {
                properties[field.name] = json!({ "description": field.meaning });
                if matches!(field.holds, Holds::Tensor { required: true, .. }) {
                    required.push(field.name);
                }
            }
            json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false
            })
        });
        json_schema!({ "oneOf": kinds.collect::<Vec<_>>() })
    }
}

/// An `[[op]]`: its fields are those of its kind.
pub(super) type OpEntry = BTreeMap<Spanned<String>, Spanned<FieldValue>>;

/// What a field of an op holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FieldValue {
    Text(String),
    Number(i64),
    Float(f64),
    List(Vec<Spanned<Self>>),
}

impl JsonSchema for FieldValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FieldValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "array"] })
    }
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor)
    }
}

struct SettingVisitor;

impl<'de> Visitor<'de> for SettingVisitor {
    type Value = FieldValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name, a number or a list")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<FieldValue, E> {
        Ok(FieldValue::Number(number))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<FieldValue, E> {
        Ok(FieldValue::Float(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FieldValue, E> {
        Ok(FieldValue::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FieldValue, A::Error> {
        let mut all = Vec::new();
        while let Some(setting) = list.next_element()? {
            all.push(setting);
        }
        Ok(FieldValue::List(all))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionEntry {
    #[schemars(with = "DecisionKind")]
    pub(super) kind: Spanned<DecisionKind>,
    #[schemars(with = "Option<NanRank>")]
    pub(super) nan: Option<Spanned<NanRank>>,
    #[schemars(with = "Option<f32>")]
    pub(super) relative: Option<Spanned<f32>>,
    #[schemars(with = "Option<u32>")]
    pub(super) best: Option<Spanned<u32>>,
    #[schemars(with = "Option<f32>")]
    pub(super) threshold: Option<Spanned<f32>>,
    #[schemars(with = "Option<f32>")]
    pub(super) overlap: Option<Spanned<f32>>,
    #[schemars(with = "Option<EndEntry>")]
    pub(super) end: Option<Spanned<EndEntry>>,
    #[schemars(with = "Option<u32>")]
    pub(super) prompt: Option<Spanned<u32>>,
}

/// The token that ends an answer, or a list of them.
pub(super) struct EndEntry(pub(super) Vec<u32>);

impl JsonSchema for EndEntry {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "End".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The token that ends an answer, or up to four of them.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "array", "items": { "type": "integer", "minimum": 0 }, "maxItems": 4 }
            ]
        })
    }
}

impl<'de> Deserialize<'de> for EndEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EndVisitor)
    }
}

struct EndVisitor;

impl<'de> Visitor<'de> for EndVisitor {
    type Value = EndEntry;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a token from 0 to 4294967295, or a list of such")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<EndEntry, E> {
        let token = u32::try_from(number);
        let token = token.map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
        Ok(EndEntry(vec![token]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<EndEntry, A::Error> {
        let mut all = Vec::new();
        while let Some(token) = list.next_element()? {
            all.push(token);
        }
        Ok(EndEntry(all))
    }
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DecisionKind {
    ArgMax,
    Tolerance,
    TopK,
    Rank,
    Mask,
    Tokens,
}

impl DecisionKind {
    /// The word for it in the file.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ArgMax => "arg-max",
            Self::Tolerance => "tolerance",
            Self::TopK => "top-k",
            Self::Rank => "rank",
            Self::Mask => "mask",
            Self::Tokens => "tokens",
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputEntry {
    #[schemars(with = "Vec<u32>")]
    pub(super) shape: Spanned<Vec<u32>>,
    #[schemars(with = "Option<u32>")]
    pub(super) inputs_along: Option<Spanned<u32>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedEntry {
    pub(super) file: PathBuf,
    pub(super) tensor: Option<String>,
    #[schemars(with = "f32")]
    pub(super) tolerance: Spanned<f32>,
    #[schemars(with = "Option<usize>")]
    pub(super) correct: Option<Spanned<usize>>,
}

/// One dimension of a shape: a number, or the word `"size"` for the workload's size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dim {
    Count(u32),
    Size,
}

impl JsonSchema for Dim {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Dim".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or the workload's size.",
            "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": "size" }]
        })
    }
}

impl<'de> Deserialize<'de> for Dim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DimVisitor)
    }
}

struct DimVisitor;

impl Visitor<'_> for DimVisitor {
    type Value = Dim;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number from 1 to 4294967295 or \"size\"")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Dim, E> {
        match u32::try_from(number) {
            Ok(count) if count > 0 => Ok(Dim::Count(count)),
            _ => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Dim, E> {
        match word {
            "size" => Ok(Dim::Size),
            _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }
}
