//! Models of other frameworks as workloads: an ONNX file or a Hugging Face folder becomes what a user would
//! have written by hand, a `workload.toml` and data files. It is loaded as any other workload, from a folder
//! that `beamline import` writes or from memory.

mod folder;
mod text;

use super::data::Stored;
use super::{Error, Overrides, Workload, hugging_face, onnx};
use crate::op::Dtype;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use folder::{Beside, write};
pub(super) use text::Text;

/// The name of a workload's input among its values.
pub(super) const INPUT: &str = "input";

/// How a model is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Inputs: a `.npy` file in the model's own shape, its first dimension counting inferences.
    pub input: Option<PathBuf>,
    /// The shape of the input, where an ONNX file leaves dimensions open and `input` does not tell.
    pub shape: Option<Vec<usize>>,
    /// Whether batch normalisations become part of the convolutions before them. The words under test are
    /// then products of those of the file.
    pub fold: bool,
    /// Tokens that a language model answers with; without it, it decides on the next token after each one of
    /// its input.
    pub new_tokens: Option<usize>,
}

/// A model as a workload.
pub(super) struct Imported {
    /// The text of its `workload.toml`.
    pub(super) text: String,
    /// Its stored tensors.
    pub(super) tensors: BTreeMap<String, Stored>,
    /// Its inputs, where they are not generated: their number, and their words.
    pub(super) inputs: Option<(usize, Vec<u32>)>,
    /// The shape of an input.
    pub(super) input_shape: Vec<usize>,
    /// The type of an input.
    pub(super) dtype: Dtype,
}

/// What a workload says of itself.
pub(super) struct About<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// One sentence on what it is.
    pub(super) description: &'a str,
    /// Where it comes from.
    pub(super) source: &'a str,
    /// Labels and expected outputs, as files beside it.
    pub(super) labels: bool,
    /// Where it has expected outputs beside it: how far outputs may be from them, and how many of them are
    /// right.
    pub(super) expected: Option<(f32, Option<usize>)>,
}

/// Whether a path is a Hugging Face folder: one with a `config.json` and no `workload.toml`.
pub fn is_folder(path: &Path) -> bool {
    hugging_face::is_folder(path) && !path.join("workload.toml").exists()
}

/// Whether a path is that of an ONNX file, by its name.
pub fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("onnx"))
}

fn import(path: &Path, reading: &Reading, about: &About<'_>) -> Result<Imported, Error> {
    if is_onnx(path) {
        onnx::import(path, reading, about)
    } else {
        hugging_face::import(path, reading, about)
    }
}

/// Reads a model as a workload, in memory.
///
/// # Errors
/// A file that cannot be read, what of it is not supported, with the place and the reason, and where the
/// workload is refused.
pub fn load(path: &Path, reading: &Reading, overrides: &Overrides) -> Result<Workload, Error> {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let source = format!("Imported from {}.", path.display());
    let about =
        About { name: &name, description: "", source: &source, labels: false, expected: None };
    let imported = import(path, reading, &about)?;
    super::file::from_memory(path, imported, overrides)
}
