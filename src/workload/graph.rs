//! Ops and values: what each op reads, writes and requires.

/// The index of a value: 0 is the workload's input, the others are op outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueId(pub usize);

/// A named tensor that exists once per inference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The name ops refer to; an op's output has the op's name.
    pub name: String,
    /// The shape for one inference, row-major: (features) or (channels, height, width).
    pub shape: Vec<usize>,
}

impl Value {
    /// Words of one inference.
    pub fn features(&self) -> u32 {
        word_count(self.shape.iter().product())
    }
}

/// One step of the computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Its name, unique in the workload; faults in its output name it.
    pub name: String,
    /// What it does.
    pub kind: OpKind,
    /// The values it reads.
    pub inputs: Vec<ValueId>,
    /// The value it writes.
    pub output: ValueId,
}

/// What an op does. Weights and biases are indices of stored tensors.
///
/// Sums accumulate as `acc = fma(x, w, acc)` from +0 with k ascending (conv: channel, kernel row,
/// kernel column; padding is skipped), the bias last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// y[o] = Σₖ x[k]·w[o,k] + b[o]; weight (out, in), bias (out).
    Linear {
        /// Stored tensor of shape (out, in).
        weight: usize,
        /// Stored tensor of shape (out).
        bias: Option<usize>,
    },
    /// 2-D cross-correlation; input (C, H, W), weight (out, C, kh, kw), bias (out).
    Conv2d {
        /// Stored tensor of shape (out, C, kh, kw).
        weight: usize,
        /// Stored tensor of shape (out).
        bias: Option<usize>,
        /// Rows and columns between neighbouring outputs.
        stride: usize,
        /// Rows and columns of zeros on each side; they are skipped, not added.
        padding: usize,
    },
    /// The positive part, on bits.
    Relu,
    /// The largest of a size × size window, on bits; input (C, H, W).
    MaxPool {
        /// Rows and columns of the window.
        size: usize,
        /// Rows and columns between windows.
        stride: usize,
    },
    /// The same words as one dimension: no work, no site.
    Flatten,
    /// exp(x − max) / Σ exp(x − max) over all features.
    Softmax,
    /// The elementwise sum of two values of one shape.
    Add,
}

impl OpKind {
    /// The word for this kind in TOML and reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Conv2d { .. } => "conv2d",
            Self::Relu => "relu",
            Self::MaxPool { .. } => "max-pool",
            Self::Flatten => "flatten",
            Self::Softmax => "softmax",
            Self::Add => "add",
        }
    }
}

/// A count of words as the GPU sees it.
///
/// # Panics
/// Past 32 bits: one tensor is addressed by a `u32`, and loading refuses a larger one.
#[expect(clippy::expect_used, reason = "loading refuses tensors past 32-bit word indices")]
pub(crate) fn word_count(words: usize) -> u32 {
    u32::try_from(words).expect("a tensor within 32-bit word indices")
}
