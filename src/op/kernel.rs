//! A kernel as data: what an engine needs to run any op.

use super::dtype::Dtype;
use super::shape::words;
use super::table::Table;

/// What an op is asked to compute: blocks of rows, one row an inference.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The numbers of its fields.
    pub settings: &'a [u32],
    /// Its inputs.
    pub inputs: &'a [InputPlace<'a>],
    /// The shape of its output for one inference.
    pub output: &'a [usize],
    /// Where its output lies, where it is a part of a larger value.
    pub part: Option<Part>,
    /// Entries of a table that its stored tensor holds, where not all: the first, and how many.
    pub entries: Option<[u32; 2]>,
    /// Rows of a block, a multiple of 4.
    pub rows: u32,
    /// Blocks.
    pub blocks: u32,
    /// Whether a NaN becomes zero in ReLU and is passed over in max-pool.
    pub nan_is_zero: bool,
    /// Which products it adds.
    pub products: Products,
    /// Whether a CPU runs the kernel.
    pub software: bool,
}

/// An input: block b lies `base + slot[b] * stride` words from the start of its buffer.
#[derive(Clone, Copy, Debug)]
pub struct InputPlace<'a> {
    /// The shape: for one inference, or of a stored tensor.
    pub shape: &'a [usize],
    /// Where slot 0 begins, in words.
    pub base: u32,
    /// Words between slots; 0 is shared by all.
    pub stride: u32,
    /// Whether it is a stored tensor, of which all rows read the same words.
    pub stored: bool,
    /// The type of its elements.
    pub dtype: Dtype,
}

impl InputPlace<'_> {
    /// Where slot 0 begins, and what lies between slots, in elements of a stored tensor.
    pub(super) const fn in_elements(&self) -> [u32; 2] {
        [self.base * self.dtype.in_word(), self.stride * self.dtype.in_word()]
    }

    /// The first element of a stored tensor of one number, or of one for each place of an axis; and how far
    /// the number of the next place lies: 0 or 1 element.
    pub(super) fn each(&self) -> [u32; 2] {
        [self.in_elements()[0], u32::from(words(self.shape) > 1)]
    }
}

/// Some units of a value: those of block b lie from `base + b * stride` words on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where they begin in block 0, in words.
    pub base: u32,
    /// Words of a block of the value.
    pub stride: u32,
}

impl Call<'_> {
    /// Words of an output's block.
    pub fn output_words(&self) -> u32 {
        words(self.output) * self.rows
    }
}

/// Which products an op adds, counted in units of its first input: features of a linear op,
/// channels of a convolution. Sums that were left and taken up again equal the whole bit for bit, but for
/// which NaN a sum of NaNs becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Products {
    /// All products, then the bias.
    #[default]
    All,
    /// The products of the first so many units, without the bias.
    Before(u32),
    /// The products from this unit on, on top of what the output holds (of the first one: on top of +0),
    /// then the bias.
    From(u32),
}

/// A buffer that a kernel binds after its parameters, which are binding 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// The words of an input.
    Words(usize),
    /// The slot of each block of an input.
    Slots(usize),
    /// The output, `[block, feature, row]`.
    Output,
    /// Trap words of an op that reads indices, `[lane, rows + 1]`, the last for the lane as a whole.
    Traps,
    /// The lane of each block, whose trap words those are.
    Lanes,
    /// Where elements of inputs lie ([`Table`]).
    Table,
}

/// A kernel for one call.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelSpec {
    /// The stem of the shader's file.
    pub shader: &'static str,
    /// Its entry point.
    pub entry: &'static str,
    /// Its `override` constants.
    pub constants: Vec<(&'static str, u32)>,
    /// The members of its parameters in order.
    pub params: Vec<(&'static str, u32)>,
    /// What it binds, from binding 1 on.
    pub bindings: Vec<Bind>,
    /// Invocations: of all blocks, or of one where `depth` counts them.
    pub invocations: u64,
    /// Invocations of a workgroup.
    pub group: u32,
    /// Workgroups along z.
    pub depth: u32,
    /// What it binds as a table.
    pub table: Table,
}

/// Invocations of a workgroup where each works on a word, a quad or a row.
const GROUP: u32 = 64;

impl KernelSpec {
    /// A kernel of one invocation a word, quad or row of all blocks, which binds each input with its
    /// slots, then the output.
    pub(super) fn flat(
        shader: &'static str,
        inputs: usize,
        params: Vec<(&'static str, u32)>,
        invocations: u64,
    ) -> Self {
        let inputs = (0..inputs).flat_map(|input| [Bind::Words(input), Bind::Slots(input)]);
        Self {
            shader,
            entry: "main",
            constants: vec![("GROUP", GROUP)],
            params,
            bindings: inputs.chain([Bind::Output]).collect(),
            invocations,
            group: GROUP,
            depth: 1,
            table: Table::default(),
        }
    }
}

/// Quads of rows of one element that an invocation computes: what it looks up for the element serves them
/// all. A software adapter spends its time on looking up; hardware reads faster where neighbours read
/// neighbours.
pub(super) fn strip(call: &Call<'_>) -> u32 {
    let quads = call.rows / 4;
    let fits = |strip: &u32| call.software && quads.is_multiple_of(*strip);
    [8, 4, 2].into_iter().find(fits).unwrap_or(1)
}
