//! Matmul: y[…, m, n] = Σₖ a[…, m, k] · b[…, k, n], k ascending from +0 with fma.

use super::field::{Default, Field, Holds};
use super::order::{ORDER, order, place};
use super::shape::{Shape, narrow};
use super::table::{Offsets, Table, broadcast};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Matmul;

pub(super) const TRANSPOSE_A: Field = Field {
    name: "transpose_a",
    holds: Holds::Number(Default::Is(0)),
    meaning: "1 where the first input is (…, k, m)",
};
pub(super) const TRANSPOSE_B: Field = Field {
    name: "transpose_b",
    holds: Holds::Number(Default::Is(0)),
    meaning: "1 where the second input is (…, n, k)",
};

/// Outputs along n that one invocation computes.
const OUTPUTS: u32 = 4;

/// The sizes of a product.
struct Sizes {
    /// The shape of what the matrices of both operands are spread over.
    batch: Vec<usize>,
    m: usize,
    k: usize,
    n: usize,
    /// Words from row to row and from column to column of each operand's matrix.
    a: [usize; 2],
    b: [usize; 2],
}

/// The dimensions before the matrix, and its rows and columns.
fn split(shape: &[usize]) -> (&[usize], [usize; 2]) {
    match shape {
        [batch @ .., rows, columns] => (batch, [*rows, *columns]),
        // A vector is a matrix of one row.
        [columns] => (&[], [1, *columns]),
        [] => (&[], [1, 1]),
    }
}

fn sizes(settings: &[u32], inputs: [&[usize]; 2]) -> Result<Sizes, Mismatch> {
    let [(of_a, a), (of_b, b)] = inputs.map(split);
    let steps = |[rows, columns]: [usize; 2], transposed: bool| match transposed {
        true => ([columns, rows], [1, columns]),
        false => ([rows, columns], [columns, 1]),
    };
    let ([m, k], a) = steps(a, settings[0] == 1);
    let ([rows, n], b) = steps(b, settings[1] == 1);
    if rows != k {
        let expected =
            format!("a second input of {k} rows, which the first {} has columns", Shape(inputs[0]));
        return Err(Mismatch::new(expected, format!("{rows} in {}", Shape(inputs[1]))));
    }
    Ok(Sizes { batch: broadcast(of_a, of_b)?, m, k, n, a, b })
}

impl Sizes {
    /// Where the matrices of both operands begin, for each place of the batch.
    fn table(&self, inputs: [&[usize]; 2]) -> Table {
        let offsets = inputs.map(|shape| {
            let (batch, [rows, columns]) = split(shape);
            let Offsets(mut axes) = Offsets::broadcast(batch, &self.batch);
            let matrix = narrow(rows * columns);
            axes.iter_mut().flatten().for_each(|offset| *offset *= matrix);
            Offsets(axes)
        });
        Table(vec![offsets.into()])
    }
}

/// The outputs of a product; `sum` gives the one of this column and these pairs of elements, k ascending.
pub(super) fn products(
    call: &Call<'_>,
    inputs: &[&[u32]],
    sum: impl Fn(usize, &mut dyn Iterator<Item = (u32, u32)>) -> u32,
) -> Vec<u32> {
    let places = [0, 1].map(|operand| place(call.settings, operand));
    let shapes = places.map(|at| call.inputs[at].shape);
    let Ok(sizes) = sizes(call.settings, shapes) else { return Vec::new() };
    let rows = call.rows as usize;
    let word = |operand: usize, element: usize, row: usize| {
        let of = places[operand];
        match call.inputs[of].stored {
            true => inputs[of][element],
            false => inputs[of][element * rows + row],
        }
    };
    let mut y = Vec::new();
    for starts in sizes.table(shapes).words().chunks_exact(2) {
        for (m, n) in (0..sizes.m).flat_map(|m| (0..sizes.n).map(move |n| (m, n))) {
            for row in 0..rows {
                let mut terms = (0..sizes.k).map(|k| {
                    let a = starts[0] as usize + m * sizes.a[0] + k * sizes.a[1];
                    let b = starts[1] as usize + k * sizes.b[0] + n * sizes.b[1];
                    (word(0, a, row), word(1, b, row))
                });
                y.push(sum(n, &mut terms));
            }
        }
    }
    y
}

impl Operator for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn formula(&self) -> &'static str {
        "(…, m, k) and (…, k, n) → (…, m, n): y[m, n] = Σₖ a[m, k]·b[k, n]; dimensions before \
         broadcast"
    }

    fn arity(&self) -> usize {
        2
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn fields(&self) -> &'static [Field] {
        &[TRANSPOSE_A, TRANSPOSE_B, ORDER]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let inputs = [0, 1].map(|operand| inputs[place(settings, operand)]);
        let Sizes { mut batch, m, n, .. } = sizes(settings, inputs)?;
        let row = inputs[0].len() == 1 && settings[0] == 0;
        batch.extend(if row { vec![n] } else { vec![m, n] });
        Ok(batch)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let places = [0, 1].map(|operand| place(call.settings, operand));
        let [a, b] = places.map(|at| call.inputs[at]);
        let shapes = [a.shape, b.shape];
        let sizes = sizes(call.settings, shapes).ok()?;
        let step = |stored: bool| if stored { (1, 0) } else { (call.rows, 1) };
        let [(a_step, a_row), (b_step, b_row)] = [step(a.stored), step(b.stored)];
        let [[a_base, a_stride], [b_base, b_stride]] =
            [a, b].map(|of| if of.stored { of.in_elements() } else { [of.base, of.stride] });
        let strips = narrow(sizes.n).div_ceil(OUTPUTS);
        let batches = narrow(sizes.batch.iter().product());
        let params = vec![
            ("rows", call.rows),
            ("blocks", call.blocks),
            ("batches", batches),
            ("m", narrow(sizes.m)),
            ("k", narrow(sizes.k)),
            ("n", narrow(sizes.n)),
            ("a_base", a_base),
            ("a_stride", a_stride),
            ("a_step", a_step),
            ("a_row", a_row),
            ("a_of_m", narrow(sizes.a[0])),
            ("a_of_k", narrow(sizes.a[1])),
            ("b_base", b_base),
            ("b_stride", b_stride),
            ("b_step", b_step),
            ("b_row", b_row),
            ("b_of_k", narrow(sizes.b[0])),
            ("b_of_n", narrow(sizes.b[1])),
        ];
        let of_block = u64::from(call.rows) * u64::from(batches * narrow(sizes.m) * strips);
        let mut spec = KernelSpec::flat("matmul", 2, params, of_block * u64::from(call.blocks));
        let inputs = places.into_iter().flat_map(|at| [Bind::Words(at), Bind::Slots(at)]);
        spec.bindings = inputs.chain([Bind::Output, Bind::Table]).collect();
        spec.table = sizes.table(shapes);
        Some(spec)
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        let places = [0, 1].map(|operand| place(call.settings, operand));
        let shapes = places.map(|at| call.inputs[at].shape);
        sizes(call.settings, shapes).map_or(0, |sizes| sizes.k as u64)
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        products(call, inputs, |_, terms| {
            let sum = terms.fold(0f32, |sum, (a, b)| {
                arithmetic.fma(f32::from_bits(a), f32::from_bits(b), sum)
            });
            sum.to_bits()
        })
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let mut size = || draws.random_range(1..7usize);
        let (m, k, n, heads) = (size(), size(), size(), size().min(3));
        let [by_a, by_b] = [0, 1].map(|_| u32::from(draws.random_bool(0.5)));
        let mut a = if by_a == 1 { vec![k, m] } else { vec![m, k] };
        let mut b = if by_b == 1 { vec![n, k] } else { vec![k, n] };
        if draws.random_bool(0.5) {
            a.insert(0, heads);
            b.insert(0, if draws.random_bool(0.5) { heads } else { 1 });
        }
        let swapped = draws.random_bool(0.3);
        let (shapes, order) = if swapped { (vec![b, a], order(&[1, 0])) } else { (vec![a, b], 0) };
        Problem {
            settings: vec![by_a, by_b, order],
            rows: 4 * draws.random_range(1..4),
            shapes,
            stored: usize::from(draws.random_bool(0.5)),
            dtypes: Vec::new(),
            exactness: Exactness::Floats,
            any_bits: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_follow_the_transposed_matrix() {
        let sizes = sizes(&[0, 1, 0], [&[2, 3, 4], &[5, 4]]).expect("shapes that fit");
        assert_eq!((sizes.m, sizes.k, sizes.n), (3, 4, 5));
        assert_eq!((sizes.a, sizes.b, sizes.batch), ([4, 1], [1, 4], vec![2]));
    }
}
