//! Concat: two values one after the other along a dimension.

use super::field::{Default, Field, Holds};
use super::order::{ORDER, order, place};
use super::shape::{Shape, narrow};
use super::table::{OUTSIDE, Offsets, Table, strides};
use super::{Arithmetic, Bind, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Concat;

/// Where each element lies in the one or the other input, and outside in its sibling.
fn offsets(call: &Call<'_>) -> Table {
    let axis = call.settings[0] as usize;
    let shapes = [0, 1].map(|operand| call.inputs[place(call.settings, operand)].shape);
    let of = |operand: usize| {
        let mut all = Offsets::steps(shapes[operand], &strides(shapes[operand])).0;
        let other = vec![OUTSIDE; shapes[1 - operand][axis]];
        let own = std::mem::take(&mut all[axis]);
        all[axis] = if operand == 0 { [own, other].concat() } else { [other, own].concat() };
        Offsets(all)
    };
    Table(vec![vec![of(0), of(1)]])
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn formula(&self) -> &'static str {
        "two values that differ in one dimension at most: one after the other along it"
    }

    fn arity(&self) -> usize {
        2
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field {
                name: "axis",
                holds: Holds::Number(Default::Is(0)),
                meaning: "the dimension, 0 by default",
            },
            ORDER,
        ]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let axis = settings[0] as usize;
        let [a, b] = [0, 1].map(|operand| inputs[place(settings, operand)]);
        let alike = a.len() == b.len()
            && axis < a.len()
            && (0..a.len()).all(|at| at == axis || a[at] == b[at]);
        if !alike {
            let expected =
                format!("two inputs alike but for dimension {axis}, the first is {}", Shape(a));
            return Err(Mismatch::new(expected, Shape(b).to_string()));
        }
        let mut shape = a.to_vec();
        shape[axis] += b[axis];
        Ok(shape)
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        inputs[1].expect(inputs[0])?;
        Ok(inputs[0])
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let places = [0, 1].map(|operand| place(call.settings, operand));
        let [a, b] = places.map(|at| call.inputs[at]);
        let quads = call.output_words() / 4;
        let params = vec![
            ("places", quads),
            ("blocks", call.blocks),
            ("quads", call.rows / 4),
            ("a_base", a.base),
            ("a_stride", a.stride),
            ("b_base", b.base),
            ("b_stride", b.stride),
        ];
        let invocations = u64::from(quads) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("concat", 2, params, invocations);
        let inputs = places.into_iter().flat_map(|at| [Bind::Words(at), Bind::Slots(at)]);
        spec.bindings = inputs.chain([Bind::Output, Bind::Table]).collect();
        spec.table = offsets(call);
        spec.constants.push(("A_STORED", u32::from(a.stored)));
        spec.constants.push(("B_STORED", u32::from(b.stored)));
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let places = [0, 1].map(|operand| place(call.settings, operand));
        let mut y = Vec::new();
        for pair in offsets(call).words().chunks_exact(2) {
            let operand = usize::from(pair[0] == OUTSIDE);
            let (at, of) = (pair[operand] as usize, places[operand]);
            match call.inputs[of].stored {
                true => y.extend(vec![inputs[of][at]; rows]),
                false => y.extend(&inputs[of][at * rows..][..rows]),
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape: Vec<usize> =
            (0..draws.random_range(1..4)).map(|_| draws.random_range(1..5)).collect();
        let axis = draws.random_range(0..shape.len());
        let mut other = shape.clone();
        if draws.random_bool(0.5) {
            other[axis] = draws.random_range(1..4);
        }
        let order = if draws.random_bool(0.5) { order(&[1, 0]) } else { 0 };
        Problem {
            settings: vec![narrow(axis), order],
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape, other],
            stored: usize::from(draws.random_bool(0.3)),
            dtypes: Vec::new(),
            exactness: Exactness::Bits,
            any_bits: true,
        }
    }
}
