//! The `config.json` of a Hugging Face folder.

use super::read_json;
use crate::workload::{Ends, Error, Mismatch};
use serde::Deserialize;
use std::path::Path;

/// What of the file says which computation it is.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with the settings of a model")]
struct File {
    model_type: Option<String>,
    hidden_size: Option<u32>,
    num_hidden_layers: Option<u32>,
    num_attention_heads: Option<u32>,
    num_key_value_heads: Option<u32>,
    head_dim: Option<u32>,
    intermediate_size: Option<u32>,
    vocab_size: Option<u32>,
    rms_norm_eps: Option<f32>,
    hidden_act: Option<String>,
    rope_theta: Option<f32>,
    rope_parameters: Option<Rope>,
    rope_scaling: Option<Rope>,
    partial_rotary_factor: Option<f32>,
    tie_word_embeddings: Option<bool>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    max_position_embeddings: Option<usize>,
    layer_types: Option<Vec<String>>,
    use_sliding_window: Option<bool>,
    quantization_config: Option<serde_json::Value>,
    eos_token_id: Option<OneOrMore>,
}

/// The file that says how answers are generated.
const GENERATION: &str = "generation_config.json";

/// What of it ends an answer.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with the settings of generation")]
struct Generation {
    eos_token_id: Option<OneOrMore>,
}

/// The rotary settings, of newer files (`rope_parameters`) or of older ones (`rope_scaling`).
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with rotary settings")]
struct Rope {
    rope_theta: Option<f32>,
    rope_type: Option<String>,
    /// The older name of `rope_type`.
    r#type: Option<String>,
    partial_rotary_factor: Option<f32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a token or a list of tokens")]
enum OneOrMore {
    One(u32),
    More(Vec<u32>),
}

/// A decoder of the Llama kind.
#[derive(Debug)]
pub(super) struct Config {
    /// `llama`, `qwen2` or `qwen3`.
    pub(super) model_type: String,
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    /// Groups of heads that share keys and values.
    pub(super) groups: usize,
    /// Dimensions of a head.
    pub(super) dimensions: usize,
    pub(super) intermediate: usize,
    pub(super) vocabulary: usize,
    pub(super) epsilon: f32,
    /// The base of the rotary frequencies.
    pub(super) theta: f32,
    /// Whether queries and keys are normalised head by head.
    pub(super) norms_heads: bool,
    /// Whether query, key and value have a bias, and whether the output of the attention has one.
    pub(super) attention_bias: [bool; 2],
    pub(super) mlp_bias: bool,
    /// Whether the head is the table of embeddings; where the file does not say, the tensors do.
    pub(super) tied: Option<bool>,
    /// The tokens that end an answer.
    pub(super) ends: Vec<u32>,
    positions: Option<usize>,
}

/// The architectures that are read, and how many groups of keys and values and dimensions of a head each has
/// where the file does not say (0: as many as heads; the hidden size divided by the heads).
const ARCHITECTURES: [(&str, u32, u32); 3] =
    [("llama", 0, 0), ("qwen2", 32, 0), ("qwen3", 32, 128)];

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// What is missing, and what is not supported, by its name.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let mut file: File = read_json(path)?;
        let generation = path.with_file_name(GENERATION);
        if generation.is_file() {
            // What generation says holds before what the model does, as in transformers.
            let Generation { eos_token_id } = read_json(&generation)?;
            file.eos_token_id = eos_token_id.or(file.eos_token_id);
        }
        Self::checked(file).map_err(|mismatch| mismatch.in_data(path))
    }

    /// Tokens that the model was made for.
    pub(super) const fn positions(&self) -> Option<usize> {
        self.positions
    }

    fn checked(file: File) -> Result<Self, Mismatch> {
        let known = ARCHITECTURES.map(|(name, ..)| name).join(", ");
        let Some(model_type) = file.model_type else {
            return Err(Mismatch::new(format!("a `model_type` among {known}"), "none"));
        };
        let found = ARCHITECTURES.iter().find(|(name, ..)| *name == model_type);
        let Some((_, groups, dimensions)) = found else {
            let expected = format!("a `model_type` among {known}");
            return Err(Mismatch::new(expected, format!("{model_type:?}")));
        };
        let size = |key: &str, value: Option<u32>| match value {
            Some(size @ 1..=0xff_ffff) => Ok(size as usize),
            Some(other) => Err(Mismatch::new(format!("`{key}` from 1 to 2²⁴"), other.to_string())),
            None => Err(Mismatch::new(format!("`{key}`"), "none")),
        };
        let hidden = size("hidden_size", file.hidden_size)?;
        let heads = size("num_attention_heads", file.num_attention_heads)?;
        let or = |value: Option<u32>, default: u32| value.or((default > 0).then_some(default));
        let groups = match or(file.num_key_value_heads, *groups) {
            None => heads,
            groups => size("num_key_value_heads", groups)?,
        };
        let dimensions = match or(file.head_dim, *dimensions) {
            None if hidden % heads == 0 => hidden / heads,
            dimensions => size("head_dim", dimensions)?,
        };
        if heads % groups != 0 || dimensions % 2 != 0 {
            let expected = "num_key_value_heads that divide the heads, and an even head_dim";
            let found = format!("{groups} of {heads} heads, head_dim {dimensions}");
            return Err(Mismatch::new(expected, found));
        }
        let refuse = |key: &str, expected: &str, found: String| {
            Err(Mismatch::new(format!("`{key}` {expected}"), found))
        };
        if let Some(function) = file.hidden_act.filter(|function| function != "silu") {
            return refuse("hidden_act", "\"silu\"", format!("{function:?}"));
        }
        if file.quantization_config.is_some() {
            return refuse("quantization_config", "nowhere: floats alone are read", "one".into());
        }
        let types = file.layer_types.unwrap_or_default();
        if let Some(other) = types.iter().find(|kind| *kind != "full_attention") {
            return refuse("layer_types", "of \"full_attention\" alone", format!("{other:?}"));
        }
        if file.use_sliding_window == Some(true) {
            return refuse("use_sliding_window", "false", "true".into());
        }
        let mut theta = file.rope_theta;
        let mut turned = file.partial_rotary_factor;
        for (key, rope) in
            [("rope_parameters", file.rope_parameters), ("rope_scaling", file.rope_scaling)]
        {
            let Some(rope) = rope else { continue };
            theta = rope.rope_theta.or(theta);
            turned = rope.partial_rotary_factor.or(turned);
            if let Some(kind) = rope.rope_type.or(rope.r#type).filter(|kind| kind != "default") {
                return refuse(key, "of the rope_type \"default\"", format!("{kind:?}"));
            }
        }
        if let Some(share) = turned.filter(|share| *share != 1.0) {
            return refuse("partial_rotary_factor", "1", share.to_string());
        }
        let positive = |key: &str, value: Option<f32>, default: f32| match value.unwrap_or(default)
        {
            value if value.is_finite() && value > 0.0 => Ok(value),
            value => Err(Mismatch::new(format!("a positive `{key}`"), value.to_string())),
        };
        let biased = file.attention_bias == Some(true);
        let mut ends = match file.eos_token_id {
            Some(OneOrMore::One(end)) => vec![end],
            Some(OneOrMore::More(ends)) => ends,
            None => Vec::new(),
        };
        let vocabulary = size("vocab_size", file.vocab_size)?;
        ends.retain(|end| (*end as usize) < vocabulary);
        ends.sort_unstable();
        ends.dedup();
        if ends.len() > Ends::MOST {
            let expected = format!("`eos_token_id` of {} tokens at most", Ends::MOST);
            return Err(Mismatch::new(expected, ends.len().to_string()));
        }
        Ok(Self {
            hidden,
            layers: size("num_hidden_layers", file.num_hidden_layers)?,
            heads,
            groups,
            dimensions,
            intermediate: size("intermediate_size", file.intermediate_size)?,
            vocabulary,
            epsilon: positive("rms_norm_eps", file.rms_norm_eps, 1e-6)?,
            theta: positive("rope_theta", theta, 10_000.0)?,
            norms_heads: model_type == "qwen3",
            attention_bias: if model_type == "qwen2" { [true, false] } else { [biased; 2] },
            mlp_bias: file.mlp_bias == Some(true),
            tied: file.tie_word_embeddings,
            ends,
            positions: file.max_position_embeddings,
            model_type,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extra: &str) -> Result<Config, Mismatch> {
        let text = format!(
            r#"{{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 16,
            "intermediate_size": 128, {extra}}}"#
        );
        Config::checked(serde_json::from_str(&text).expect("JSON"))
    }

    #[test]
    fn both_forms_of_the_rotary_settings_are_read() {
        let old =
            read(r#""model_type": "qwen3", "rope_theta": 1000000.0, "num_key_value_heads": 2"#);
        let new = read(
            r#""model_type": "qwen3", "num_key_value_heads": 2,
            "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}"#,
        );
        for config in [old, new] {
            let config = config.expect("a configuration");
            assert_eq!((config.theta, config.dimensions, config.groups), (1e6, 128, 2));
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_by_its_name() {
        let refused = |extra: &str| {
            let Mismatch { expected, found } = read(extra).expect_err("refused");
            format!("{expected}: {found}")
        };
        assert_eq!(
            refused(r#""model_type": "gemma3""#),
            "a `model_type` among llama, qwen2, qwen3: \"gemma3\""
        );
        assert_eq!(
            refused(r#""model_type": "llama", "rope_scaling": {"rope_type": "yarn"}"#),
            "`rope_scaling` of the rope_type \"default\": \"yarn\""
        );
        assert_eq!(
            refused(r#""model_type": "llama", "hidden_act": "gelu""#),
            "`hidden_act` \"silu\": \"gelu\""
        );
        assert_eq!(
            refused(r#""model_type": "llama", "num_key_value_heads": 3"#),
            "num_key_value_heads that divide the heads, and an even head_dim: 3 of 4 heads, head_dim 16"
        );
    }
}
