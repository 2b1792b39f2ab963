//! Ops: what a network computes with, one file each. [`OPS`] is the only list of them.
//!
//! An op says which fields it takes in a workload file, the shape of its output, its kernel as data, the
//! same on the CPU, and how to draw a problem that holds the one to the other. Readers, engines, tests,
//! `selftest` and the documentation iterate over [`OPS`]; none of them names an op.
//!
//! Sums accumulate as `acc = fma(x, w, acc)` from +0 in ascending order, so that a result does not depend on
//! how work is split.

mod arithmetic;
mod arrange;
mod attention;
mod average_pool;
mod batch_norm;
mod binary;
pub mod bits;
mod butterfly;
mod choose;
mod concat;
mod conv2d;
mod conv_transpose;
mod dtype;
mod embedding;
mod exp;
mod field;
mod flatten;
mod integer;
mod kernel;
mod linear;
mod map;
pub mod maths;
mod matmul;
mod max_pool;
mod normalise;
mod order;
mod problem;
mod quantize;
mod reduce;
mod relu;
mod reshape;
mod resize;
mod rms_norm;
mod rotary;
mod shape;
mod softmax;
mod table;
mod tile;
mod weights;
mod widen;

pub use arithmetic::Arithmetic;
pub use dtype::{Dtype, WORD_BITS};
pub use exp::exp;
pub use field::{Default, Field, Given, Holds};
pub use kernel::{Bind, Call, InputPlace, KernelSpec, Part, Products};
pub use order::order;
pub use problem::{Exactness, Problem};
pub(crate) use problem::{random_floats, random_words};
pub use shape::{Mismatch, Shape, checked_words};
pub use table::Table;

use rand_xoshiro::Xoshiro256PlusPlus;
use std::fmt;
use std::ops::{Deref, Range};

/// Every op.
pub static OPS: &[Kind] = &[
    Kind(&linear::LINEAR),
    Kind(&linear::LINEAR_I8),
    Kind(&integer::LinearInteger),
    Kind(&conv2d::CONV2D),
    Kind(&conv2d::CONV2D_I8),
    Kind(&integer::Conv2dInteger),
    Kind(&conv_transpose::ConvTranspose),
    Kind(&matmul::Matmul),
    Kind(&integer::MatmulInteger),
    Kind(&quantize::QUANTIZE),
    Kind(&quantize::DEQUANTIZE),
    Kind(&quantize::REQUANTIZE),
    Kind(&batch_norm::BatchNorm),
    Kind(&normalise::INSTANCE),
    Kind(&normalise::LAYER),
    Kind(&rms_norm::RmsNorm),
    Kind(&relu::Relu),
    Kind(&map::ABS),
    Kind(&map::NEG),
    Kind(&map::SQRT),
    Kind(&map::RECIPROCAL),
    Kind(&map::EXP),
    Kind(&map::LOG),
    Kind(&map::TANH),
    Kind(&map::ERF),
    Kind(&map::SIGMOID),
    Kind(&map::SILU),
    Kind(&map::SOFTPLUS),
    Kind(&map::LEAKY_RELU),
    Kind(&map::ELU),
    Kind(&map::HARD_SIGMOID),
    Kind(&map::HARD_SWISH),
    Kind(&map::GELU),
    Kind(&map::GELU_TANH),
    Kind(&map::CLIP),
    Kind(&map::SCALE),
    Kind(&map::FLOAT),
    Kind(&widen::Widen),
    Kind(&binary::ADD),
    Kind(&binary::SUB),
    Kind(&binary::MUL),
    Kind(&binary::DIV),
    Kind(&binary::POW),
    Kind(&binary::MAX),
    Kind(&binary::MIN),
    Kind(&binary::PRELU),
    Kind(&binary::EQUAL),
    Kind(&binary::LESS),
    Kind(&binary::AND),
    Kind(&binary::OR),
    Kind(&binary::XOR),
    Kind(&binary::SHIFT_LEFT),
    Kind(&binary::SHIFT_RIGHT),
    Kind(&choose::Choose),
    Kind(&max_pool::MaxPool),
    Kind(&average_pool::AveragePool),
    Kind(&softmax::SOFTMAX),
    Kind(&softmax::LOG_SOFTMAX),
    Kind(&reduce::REDUCE_SUM),
    Kind(&reduce::REDUCE_MEAN),
    Kind(&reduce::REDUCE_MAX),
    Kind(&reduce::REDUCE_MIN),
    Kind(&flatten::Flatten),
    Kind(&reshape::Reshape),
    Kind(&arrange::TRANSPOSE),
    Kind(&arrange::SLICE),
    Kind(&arrange::EXPAND),
    Kind(&arrange::TILE),
    Kind(&arrange::TAKE),
    Kind(&arrange::PAD),
    Kind(&arrange::CACHE),
    Kind(&concat::Concat),
    Kind(&resize::Resize),
    Kind(&butterfly::Butterfly),
    Kind(&embedding::Embedding),
    Kind(&rotary::Rotary),
    Kind(&attention::ATTENTION),
    Kind(&attention::CACHED),
];

/// What an op of one kind is. Its inputs are the values of inferences that it reads, then its stored
/// tensors in the order of its fields; optional tensors stand last, and none is given without those before
/// it.
pub trait Operator: Sync {
    /// The word for it in TOML and reports.
    fn name(&self) -> &'static str;

    /// The shapes that it reads and writes and what it computes: a line of the documentation.
    fn formula(&self) -> &'static str;

    /// How many values it reads beside the stored tensors that its fields name.
    fn arity(&self) -> usize {
        1
    }

    /// Whether those may be stored tensors too. They stand behind the values of inferences among its
    /// inputs; its last setting says in which order it takes them ([`order`]).
    fn takes_stored(&self) -> bool {
        false
    }

    /// Whether such a tensor may have several elements in a word.
    fn takes_packed(&self) -> bool {
        false
    }

    /// The fields that it takes beside `name`, `kind` and `inputs`.
    fn fields(&self) -> &'static [Field] {
        &[]
    }

    /// The names of its output's axes, where they are not those of its first input.
    fn axes(&self) -> &'static [&'static str] {
        &[]
    }

    /// The shape of its output for one inference. `settings` are the numbers of its fields one after
    /// another, `inputs` the shapes of its inputs.
    ///
    /// # Errors
    /// What is wrong with the shapes.
    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch>;

    /// The type of its output for inputs of these types.
    ///
    /// # Errors
    /// Where an input is of another type than the op reads.
    fn dtype(&self, _settings: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        dtype::all_floats(inputs)
    }

    /// Which numbers its first input may hold, where that has whole numbers: those below this one. Others
    /// trap: the inference has no answer. From the shapes of its inputs.
    fn indices_below(&self, _shapes: &[&[usize]]) -> Option<u32> {
        None
    }

    /// Its kernel for this call; `None` where it only renames its input.
    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec>;

    /// The same on the CPU for one block: inputs `[feature, row]`, stored tensors as they lie, the output
    /// `[feature, row]`.
    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32>;

    /// A problem that its shader and its reference must solve alike.
    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem;

    /// Which of its outputs a changed word changes.
    fn reach(&self, _settings: &[u32]) -> Reach {
        Reach::All
    }

    /// Whether it can leave its sums after some units of its first input and take them up again
    /// ([`Products`]).
    fn splits_sums(&self, _settings: &[u32]) -> bool {
        false
    }

    /// Whether it can make some of its output units into a value that holds all of them ([`Part`]), of the
    /// rows of its stored tensors that make these units.
    fn splits_units(&self, _settings: &[u32]) -> bool {
        false
    }

    /// Whether it can read a table some entries at a time ([`Call::entries`]): what it makes of the others
    /// stays as it is.
    fn splits_entries(&self) -> bool {
        false
    }

    /// The features of its first input that weight `tap` of each unit meets, and no others, from the shapes
    /// of the input and of the weight; `None` where that is not known.
    fn meets(&self, _settings: &[u32], _shapes: [&[usize]; 2], _tap: u32) -> Option<Range<u32>> {
        None
    }

    /// Loop iterations of an invocation of its kernel, at most.
    fn iterations(&self, _call: &Call<'_>) -> u64 {
        0
    }

    /// Whether its output is its input under another name: no work, no site.
    fn is_view(&self) -> bool {
        false
    }
}

/// Which outputs of an op a changed word can change. A unit is one of the output's first dimension: a
/// feature, a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Unit u is made of row u of each stored tensor, and of all that the op reads besides.
    Units,
    /// Unit u is made of unit u of the one input alone.
    Apart,
    /// Anything may change.
    All,
}

/// A kind of op.
#[derive(Clone, Copy)]
pub struct Kind(&'static dyn Operator);

impl Kind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        OPS.iter().find(|kind| kind.name() == name).copied()
    }

    /// What its reference gives for inputs as they lie: elements of fewer than 32 bits are widened first,
    /// and those that it makes are cut to the bits of their type.
    pub fn computed(self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let widened: Vec<Vec<u32>> = (call.inputs.iter().zip(inputs))
            .map(|(place, words)| match (place.dtype.bits(), place.stored) {
                (WORD_BITS, _) => Vec::new(),
                (_, false) => words.iter().map(|bits| place.dtype.word_of(*bits)).collect(),
                (_, true) => {
                    (0..shape::words(place.shape)).map(|e| place.dtype.widened(words, e)).collect()
                }
            })
            .collect();
        let inputs = inputs.iter().zip(&widened);
        let inputs: Vec<&[u32]> =
            inputs.map(|(words, wide)| if wide.is_empty() { words } else { &wide[..] }).collect();
        let mut output = self.reference(call, arithmetic, &inputs);
        let dtypes: Vec<Dtype> = call.inputs.iter().map(|place| place.dtype).collect();
        let bits = self.dtype(call.settings, &dtypes).unwrap_or_default().bits();
        if bits < WORD_BITS {
            output.iter_mut().for_each(|word| *word &= u32::MAX >> (WORD_BITS - bits));
        }
        output
    }

    /// How many of its fields are stored tensors.
    pub fn tensors(self) -> usize {
        self.fields().iter().filter(|field| matches!(field.holds, Holds::Tensor { .. })).count()
    }
}

/// The table of all ops in `docs/file-formats.md`: a row each, with what it computes and its fields.
pub fn table() -> String {
    let mut table = String::from("| `kind` | reads → writes | fields |\n|---|---|---|\n");
    for kind in OPS {
        let field = |field: &Field| {
            let optional = matches!(field.holds, Holds::Tensor { required: false, .. });
            let optional = if optional { "optional, " } else { "" };
            format!("`{}`: {optional}{}", field.name, field.meaning)
        };
        let mut fields: Vec<String> = kind.fields().iter().map(field).collect();
        if fields.is_empty() {
            fields.push("–".into());
        }
        table += &format!("| `{}` | {} | {} |\n", kind.name(), kind.formula(), fields.join("; "));
    }
    table
}

impl Deref for Kind {
    type Target = dyn Operator;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Kind {}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<&str> = OPS.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), OPS.len());
        assert!(OPS.iter().all(|kind| Kind::named(kind.name()) == Some(*kind)));
        assert_eq!(Kind::named("perceptron"), None);
    }

    #[test]
    fn the_page_of_file_formats_has_the_table_of_ops() {
        let page = include_str!("../../docs/file-formats.md");
        assert!(page.contains(&table()), "docs/file-formats.md, expected:\n{}", table());
    }

    #[test]
    fn optional_tensors_are_the_last_of_their_op() {
        for kind in OPS {
            let required: Vec<bool> = kind
                .fields()
                .iter()
                .filter_map(|field| match field.holds {
                    Holds::Tensor { required, .. } => Some(required),
                    _ => None,
                })
                .collect();
            let first = required.iter().position(|required| !required).unwrap_or(required.len());
            assert!(required[first..].iter().all(|required| !required), "{kind:?}: {required:?}");
        }
    }
}
