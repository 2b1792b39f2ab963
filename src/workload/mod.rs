//! The computation under test: a graph of ops over named tensors, its weights, inputs and decision.
//!
//! A workload lives in a folder of `kernels/` (see `docs/file-formats.md`). This module knows what
//! an op means and which shapes it needs; it knows neither faults nor the GPU.

mod data;
mod decision;
mod entry;
mod file;
mod graph;
mod hugging_face;
pub mod import;
pub mod onnx;
mod ops;

pub use data::{Elements, npy_of_floats, read_npy};
pub use decision::{Decision, Ends};
pub use file::{Overrides, load, with_inputs};
pub use graph::{Op, Role, Value, ValueId};

pub(crate) use crate::op::Mismatch;
use crate::op::{Call, Dtype, InputPlace, Products};
use crate::place;
use schemars::JsonSchema;
use std::path::{Path, PathBuf};

/// Everything that can be wrong with a workload's files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("{path}: cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A place in the TOML.
    #[error(transparent)]
    File(#[from] place::Error),
    /// A data file does not hold what the workload names.
    #[error("{path}: expected {expected}, found {found}")]
    Data {
        /// The file.
        path: PathBuf,
        /// What would have been right.
        expected: String,
        /// What the file holds.
        found: String,
    },
}

impl Mismatch {
    /// Blames a data file.
    pub(crate) fn in_data(self, path: &Path) -> Error {
        Error::Data { path: path.to_owned(), expected: self.expected, found: self.found }
    }
}

/// What becomes of a NaN in ReLU and max-pool.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum NanRule {
    /// A NaN input gives that NaN (PyTorch).
    #[default]
    Propagate,
    /// ReLU of NaN is zero; max-pool passes over a NaN (WGSL's and IEEE's `max`).
    Zero,
}

/// The JSON Schema of a `workload.toml`.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(entry::WorkloadEntry)
}

/// How a NaN ranks in an arg-max decision.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum NanRank {
    /// Any NaN among the outputs makes the decision differ from every decision without NaN.
    #[default]
    Differs,
    /// A NaN is the maximum (PyTorch's arg-max).
    Highest,
    /// A NaN is never the maximum.
    Lowest,
}

/// A stored tensor: weights or biases, as the bits in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape, row-major.
    pub shape: Vec<usize>,
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its first word in the stored image, which holds the tensors one after another.
    pub offset: u32,
    /// Its words.
    pub words: Vec<u32>,
}

/// The inputs of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// How many inputs there are.
    pub count: usize,
    /// Features of one input.
    pub features: usize,
    /// The words, `[input, feature]`.
    pub words: Vec<u32>,
    /// The label of each input, where the workload has labels.
    pub labels: Option<Vec<u32>>,
}

/// Logits that another implementation computed, to check ours against.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The outputs, `[input, output feature]`.
    pub outputs: Vec<f32>,
    /// The largest absolute difference allowed.
    pub tolerance: f32,
    /// How many inputs the decision gets right, where labels exist.
    pub correct: Option<usize>,
}

/// The shape of what another framework delivers for all inferences at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The shape for one inference, whose elements lie as those of the output do.
    pub shape: Vec<usize>,
    /// The dimension along which inferences lie one behind another; `None` where there is one inference.
    pub along: Option<usize>,
}

/// A workload, loaded and checked: every op's shapes agree with its tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Its name: that of its folder.
    pub name: String,
    /// One sentence on what it is.
    pub description: String,
    /// Where weights and inputs come from.
    pub source: String,
    /// Stored tensors in image order.
    pub tensors: Vec<Tensor>,
    /// Inputs and labels.
    pub inputs: Inputs,
    /// Named values: the input, the outputs of ops, the stored tensors.
    pub values: Vec<Value>,
    /// Ops in execution order.
    pub ops: Vec<Op>,
    /// The value that is delivered.
    pub output: ValueId,
    /// The shape in which outputs are written, where it is not (inferences, output shape).
    pub delivered: Option<Delivered>,
    /// How an output becomes a decision.
    pub decision: Decision,
    /// What becomes of a NaN in ReLU and max-pool.
    pub relu_nan: NanRule,
    /// What another implementation computed, if the folder has it.
    pub expected: Option<Expected>,
}

impl Workload {
    /// Words of the stored weights: one replica of the weights region.
    pub fn stored_words(&self) -> u32 {
        self.tensors.last().map_or(0, |t| t.offset + graph::word_count(t.words.len()))
    }

    /// The stored image of one replica, tensor after tensor.
    pub fn stored_image(&self) -> Vec<u32> {
        self.tensors.iter().flat_map(|t| t.words.iter().copied()).collect()
    }

    /// A word of the stored image of one replica; zero past its end.
    pub fn stored_word(&self, word: u32) -> u32 {
        let after = self.tensors.partition_point(|tensor| tensor.offset <= word);
        let tensor = after.checked_sub(1).map(|at| &self.tensors[at]);
        let found = tensor.and_then(|t| t.words.get((word - t.offset) as usize));
        found.copied().unwrap_or(0)
    }

    /// The stored tensors: name and words of each.
    pub fn stored_tensors(&self) -> Vec<(&str, u32)> {
        let tensors = self.tensors.iter();
        tensors.map(|t| (t.name.as_str(), graph::word_count(t.words.len()))).collect()
    }

    /// The stored tensors: name and type of each.
    pub fn stored_types(&self) -> Vec<(&str, Dtype)> {
        self.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.dtype)).collect()
    }

    /// The tensor with this name.
    pub fn tensor(&self, name: &str) -> Option<usize> {
        self.tensors.iter().position(|t| t.name == name)
    }

    /// The op with this name.
    pub fn op(&self, name: &str) -> Option<usize> {
        self.ops.iter().position(|o| o.name == name)
    }

    /// Features of a value: words of one inference.
    pub fn features(&self, value: ValueId) -> u32 {
        self.values[value.0].features()
    }

    /// Whether a value is a stored tensor.
    pub fn is_stored(&self, value: ValueId) -> bool {
        !self.values[value.0].is_of_rows()
    }

    /// Features of the delivered output.
    pub fn output_features(&self) -> u32 {
        self.features(self.output)
    }

    /// What `op` is asked to compute of inputs that lie there, for one block of so many rows.
    pub fn call<'a>(&'a self, op: &'a Op, inputs: &'a [InputPlace<'a>], rows: u32) -> Call<'a> {
        Call {
            settings: &op.settings,
            inputs,
            output: &self.values[op.output.0].shape,
            part: None,
            entries: None,
            rows,
            blocks: 1,
            nan_is_zero: self.relu_nan == NanRule::Zero,
            products: Products::default(),
            software: true,
        }
    }

    /// Whether an op reads indices, which trap where they are out of range.
    pub fn reads_indices(&self, op: usize) -> bool {
        self.indices_below(&self.ops[op]).is_some()
    }

    /// Which indices an op may read, where it reads indices: those below this number.
    pub fn indices_below(&self, op: &Op) -> Option<u32> {
        let shapes = op.inputs.iter().map(|value| &self.values[value.0].shape[..]);
        op.kind.indices_below(&shapes.collect::<Vec<_>>())
    }

    /// Ops whose output is a site of its own. One that only renames its input is none.
    pub fn sites(&self) -> impl Iterator<Item = (usize, &Op)> {
        self.ops.iter().enumerate().filter(|(_, op)| !op.kind.is_view())
    }
}
