//! Hugging Face folders: `config.json` and safetensors files of a decoder of the Llama kind (Llama, Qwen2,
//! Qwen3, `SmolLM2`).
//!
//! Values lie channel by channel, `(feature, token)`, so that a linear op serves all tokens with each
//! weight it loads. An answer is decided in one forward over prompt and answer: the tokens that golden
//! chose are inputs, and each later position sees those before it. The first token that a fault changes is
//! therefore the one that decoding token by token would change first.

mod config;
mod graph;
mod tensors;

use super::data;
use super::import::{About, Imported, Reading};
use super::{Error, Mismatch};
use crate::bounded;
use crate::op::{Dtype, Shape};
use config::Config;
use graph::Graph;
use std::path::Path;
use tensors::Tensors;

/// The file that says what the model is.
const CONFIG: &str = "config.json";

/// Bytes of a JSON file of the folder, at most: an index has a line for each tensor.
const JSON_BYTES_MAX: u64 = 1 << 25;

/// Tokens of one inference, at most.
const TOKENS_MAX: usize = 1 << 16;

/// Whether a path is a folder with a `config.json`.
pub(super) fn is_folder(path: &Path) -> bool {
    path.join(CONFIG).is_file()
}

/// Reads a JSON file of the folder.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let text = bounded::read(path, JSON_BYTES_MAX).map_err(read)?;
    serde_json::from_slice(&text).map_err(|error| {
        Mismatch::new("JSON of a Hugging Face folder", error.to_string()).in_data(path)
    })
}

/// Reads a folder.
///
/// # Errors
/// A file that cannot be read, an architecture or setting that is not supported, by its name, and a tensor
/// that is missing or of another shape than the configuration says.
pub(super) fn import(
    folder: &Path,
    reading: &Reading,
    about: &About<'_>,
) -> Result<Imported, Error> {
    let config_path = folder.join(CONFIG);
    let config = Config::read(&config_path)?;
    let unsupported =
        |expected: &str, found: &str| Err(Mismatch::new(expected, found).in_data(folder));
    if about.labels {
        return unsupported(
            "no labels with a Hugging Face folder, whose answers are tokens",
            "some",
        );
    }
    if reading.shape.is_some() || reading.fold {
        return unsupported("no shape and no folding with a Hugging Face folder", "one");
    }
    let Some(file) = &reading.input else {
        return unsupported("token ids as input (a .npy file of whole numbers)", "none");
    };
    let (shape, ids) = data::read_whole(file, None, Dtype::U32)?;
    let [count, given] = *shape else {
        let expected = "token ids of shape (prompts, tokens)";
        return Err(Mismatch::new(expected, Shape(&shape).to_string()).in_data(file));
    };
    if let Some(at) = ids.iter().position(|id| *id as usize >= config.vocabulary) {
        let expected = format!("token ids below {}, the vocabulary", config.vocabulary);
        let found = format!("{} in prompt {}", ids[at], at / given.max(1));
        return Err(Mismatch::new(expected, found).in_data(file));
    }
    let answer = match reading.new_tokens {
        Some(0) => return unsupported("1 new token or more", "0"),
        Some(new) => new - 1,
        None => 0,
    };
    let tokens = given.saturating_add(answer);
    let most = config.positions().map_or(TOKENS_MAX, |most| most.min(TOKENS_MAX));
    if count == 0 || given == 0 || tokens > most {
        let expected = format!("1 to {most} tokens of each prompt and its answer");
        let found = format!("{count} prompts of {given} tokens and {answer} more");
        return Err(Mismatch::new(expected, found).in_data(file));
    }
    let mut inputs = Vec::with_capacity(count * tokens);
    for prompt in ids.chunks(given) {
        inputs.extend(prompt);
        inputs.resize(inputs.len() + answer, 0);
    }
    let tensors = Tensors::open(folder)?;
    let prompt = reading.new_tokens.map(|_| given);
    let graph = Graph { config: &config, tensors: &tensors, tokens, prompt };
    let mut how = format!("Read from a Hugging Face folder of {}.", config.model_type);
    let (_, names) = graph.text(about, &how)?;
    let unused = tensors.unused(&names);
    if !unused.is_empty() {
        how += &format!(" Tensors that no op reads: {}.", unused.join(", "));
    }
    let (text, names) = graph.text(about, &how)?;
    let tensors = tensors.read(names)?;
    let inputs = Some((count, inputs));
    Ok(Imported { text, tensors, inputs, input_shape: vec![tokens], dtype: Dtype::U32 })
}
