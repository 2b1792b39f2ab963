//! Reductions over some dimensions of a value: sum, mean, largest, smallest, in ascending order. They share
//! one shader, `shaders/reduce.wgsl`.

use super::bits::{is_nan, key};
use super::dtype::{Dtype, all_floats};
use super::field::{Default, Field, Holds, lists};
use super::shape::{Shape, narrow};
use super::table::{Offsets, Table, strides};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A reduction.
pub(super) struct Reduce {
    name: &'static str,
    formula: &'static str,
    /// Its case in the shader.
    code: u32,
    exactness: Exactness,
}

const fn reduce(
    name: &'static str,
    code: u32,
    formula: &'static str,
    exactness: Exactness,
) -> Reduce {
    Reduce { name, formula, code, exactness }
}

const SUM: u32 = 0;
const MEAN: u32 = 1;
const LARGEST: u32 = 2;

pub(super) static REDUCE_SUM: Reduce = reduce(
    "reduce-sum",
    SUM,
    "any shape → fewer dimensions: the sum over them; whole numbers wrap",
    Exactness::Floats,
);
pub(super) static REDUCE_MEAN: Reduce = reduce(
    "reduce-mean",
    MEAN,
    "any shape → fewer dimensions: the mean over them",
    Exactness::Near(3),
);
pub(super) static REDUCE_MAX: Reduce = reduce(
    "reduce-max",
    LARGEST,
    "any shape → fewer dimensions: the largest over them, on bits; a NaN propagates",
    Exactness::Bits,
);
pub(super) static REDUCE_MIN: Reduce = reduce(
    "reduce-min",
    3,
    "any shape → fewer dimensions: the smallest over them, on bits; a NaN propagates",
    Exactness::Bits,
);

/// Where the elements of each output begin, then where those lie that it is made of.
fn table(settings: &[u32], input: &[usize]) -> Table {
    let ([axes], _) = lists::<1>(settings);
    let all = Offsets::steps(input, &strides(input)).0;
    let over = |axis: usize| axes.contains(&narrow(axis));
    let of = |reduced: bool| {
        let axes = all.iter().enumerate().filter(|(axis, _)| over(*axis) == reduced);
        vec![Offsets(axes.map(|(_, offsets)| offsets.clone()).collect())]
    };
    Table(vec![of(false), of(true)])
}

impl Operator for Reduce {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field {
                name: "axes",
                holds: Holds::List(Default::Required),
                meaning: "the dimensions",
            },
            Field {
                name: "keep",
                holds: Holds::Number(Default::Is(0)),
                meaning: "1 where they stay, of size 1; 0 by default",
            },
        ]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let ([axes], left) = lists::<1>(settings);
        if let Some(axis) = axes.iter().find(|axis| **axis as usize >= inputs[0].len()) {
            let expected = format!("dimensions of {}", Shape(inputs[0]));
            return Err(Mismatch::new(expected, axis.to_string()));
        }
        let over = |axis: usize| axes.contains(&narrow(axis));
        let size = |(axis, size): (usize, &usize)| match (over(axis), left[0]) {
            (true, 0) => None,
            (true, _) => Some(1),
            (false, _) => Some(*size),
        };
        let shape: Vec<usize> = inputs[0].iter().enumerate().filter_map(size).collect();
        Ok(if shape.is_empty() { vec![1] } else { shape })
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        if self.code == SUM && matches!(inputs[0], Dtype::U32 | Dtype::I32) {
            return Ok(inputs[0]);
        }
        all_floats(inputs)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let (words, x) = (call.output_words(), call.inputs[0]);
        let table = table(call.settings, x.shape);
        let count = words / call.rows;
        let start = table.start(1);
        let terms = super::shape::words(x.shape) / count.max(1);
        #[expect(clippy::cast_precision_loss, reason = "the divisor is a float")]
        let divisor = (terms as f32).to_bits();
        let params = vec![
            ("words", words),
            ("blocks", call.blocks),
            ("rows", call.rows),
            ("terms", terms),
            ("start", start),
            ("x_base", x.base),
            ("x_stride", x.stride),
            ("divisor", divisor),
        ];
        let invocations = u64::from(words) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("reduce", 1, params, invocations);
        spec.bindings.push(Bind::Table);
        spec.constants.push(("FUNCTION", self.code));
        spec.constants.push(("WHOLE", u32::from(x.dtype != Dtype::F32)));
        spec.table = table;
        Some(spec)
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        let all = call.inputs[0].shape.iter().map(|size| *size as u64);
        let outputs = call.output.iter().map(|size| *size as u64);
        2 * all.product::<u64>() / outputs.product::<u64>().max(1)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let table = table(call.settings, call.inputs[0].shape);
        let words = table.words();
        let (starts, terms) = words.split_at(table.start(1) as usize);
        let of = |start: &u32, row: usize| {
            let word = |term: &u32| inputs[0][(start + term) as usize * rows + row];
            let all = terms.iter().map(word);
            if call.inputs[0].dtype != Dtype::F32 {
                return all.fold(0, u32::wrapping_add);
            }
            if self.code <= MEAN {
                let sum = all.fold(0f32, |sum, word| sum + f32::from_bits(word));
                #[expect(clippy::cast_precision_loss, reason = "the divisor is a float")]
                let mean = sum / terms.len() as f32;
                return if self.code == SUM { sum } else { mean }.to_bits();
            }
            let better = |a: u32, b: u32| match self.code {
                LARGEST => key(b) > key(a),
                _ => key(b) < key(a),
            };
            let best = |best: u32, word: u32| match (is_nan(best), is_nan(word)) {
                (true, _) => best,
                (false, true) => word,
                (false, false) if better(best, word) => word,
                (false, false) => best,
            };
            all.reduce(best).unwrap_or(0)
        };
        starts.iter().flat_map(|start| (0..rows).map(move |row| of(start, row))).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape: Vec<usize> =
            (0..draws.random_range(1..4)).map(|_| draws.random_range(1..6)).collect();
        let mut axes: Vec<u32> =
            (0..narrow(shape.len())).filter(|_| draws.random_bool(0.5)).collect();
        if axes.is_empty() {
            axes.push(0);
        }
        let keep = u32::from(draws.random_bool(0.5));
        Problem {
            settings: [vec![narrow(axes.len())], axes, vec![keep]].concat(),
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape],
            stored: 0,
            dtypes: match self.code == SUM && draws.random_bool(0.3) {
                true => vec![if draws.random_bool(0.5) { Dtype::U32 } else { Dtype::I32 }],
                false => Vec::new(),
            },
            exactness: self.exactness,
            any_bits: false,
        }
    }
}
