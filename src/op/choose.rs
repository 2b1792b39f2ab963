//! Where: one value or another, element by element, as a third says.

use super::field::Field;
use super::order::{ORDER, order, place};
use super::shape::words;
use super::table::{Offsets, Table, broadcast};
use super::{Arithmetic, Bind, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Choose;

/// Where the elements of the three operands lie for each element of the output.
fn offsets(call: &Call<'_>) -> Table {
    let shape = |operand| call.inputs[place(call.settings, operand)].shape;
    Table(vec![(0..3).map(|operand| Offsets::broadcast(shape(operand), call.output)).collect()])
}

impl Operator for Choose {
    fn name(&self) -> &'static str {
        "where"
    }

    fn formula(&self) -> &'static str {
        "u32 and two values that broadcast: the second where the first is not 0, else the third"
    }

    fn arity(&self) -> usize {
        3
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn fields(&self) -> &'static [Field] {
        &[ORDER]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [chooses, a, b] = [0, 1, 2].map(|operand| inputs[place(settings, operand)]);
        broadcast(chooses, &broadcast(a, b)?)
    }

    fn dtype(&self, settings: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        let [chooses, a, b] = [0, 1, 2].map(|operand| inputs[place(settings, operand)]);
        chooses.expect(Dtype::U32)?;
        b.expect(a)?;
        Ok(a)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let words = call.output_words();
        let mut params = vec![("words", words), ("blocks", call.blocks), ("rows", call.rows)];
        const NAMES: [[&str; 4]; 3] = [
            ["c_base", "c_stride", "c_step", "c_row"],
            ["a_base", "a_stride", "a_step", "a_row"],
            ["b_base", "b_stride", "b_step", "b_row"],
        ];
        let places = [0, 1, 2].map(|operand| place(call.settings, operand));
        for (names, at) in NAMES.into_iter().zip(places) {
            let input = call.inputs[at];
            let (step, row) = if input.stored { (1, 0) } else { (call.rows, 1) };
            params.extend(names.into_iter().zip([input.base, input.stride, step, row]));
        }
        params.push(("zero", 0));
        let invocations = u64::from(words) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("choose", 3, params, invocations);
        let inputs = places.into_iter().flat_map(|at| [Bind::Words(at), Bind::Slots(at)]);
        spec.bindings = inputs.chain([Bind::Output, Bind::Table]).collect();
        spec.table = offsets(call);
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let offsets = offsets(call).words();
        let word = |operand: usize, element: usize, row: usize| {
            let (at, place) =
                (offsets[3 * element + operand] as usize, place(call.settings, operand));
            match call.inputs[place].stored {
                true => inputs[place][at],
                false => inputs[place][at * rows + row],
            }
        };
        let elements = 0..words(call.output) as usize;
        let places = elements.flat_map(|element| (0..rows).map(move |row| (element, row)));
        places.map(|(at, row)| word(if word(0, at, row) == 0 { 2 } else { 1 }, at, row)).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape: Vec<usize> =
            (0..draws.random_range(1..4)).map(|_| draws.random_range(1..5)).collect();
        let mut shapes = vec![shape; 3];
        for shape in &mut shapes[1..] {
            let last = shape.len() - 1;
            if draws.random_bool(0.3) {
                shape[last] = 1;
            }
        }
        Problem {
            settings: vec![if draws.random_bool(0.5) { order(&[0, 2, 1]) } else { 0 }],
            rows: 4 * draws.random_range(1..4),
            shapes,
            stored: draws.random_range(0..3),
            dtypes: Vec::new(),
            exactness: Exactness::Bits,
            any_bits: true,
        }
    }
}
