//! Functions of two numbers, element by element, of shapes that broadcast. They share one shader,
//! `shaders/binary.wgsl`, which has them in the order of their codes.

use super::bits::{is_nan, key};
use super::field::Field;
use super::kernel::strip;
use super::order::{ORDER, place, spread_pair};
use super::shape::words;
use super::table::{Offsets, Table, broadcast};
use super::{
    Arithmetic, Bind, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem, maths,
};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A function of two elements.
pub(super) struct Binary {
    name: &'static str,
    formula: &'static str,
    /// Its case in the shader.
    code: u32,
    /// How far hardware may be from it.
    exactness: Exactness,
    of: Of,
}

/// What a function is made of.
enum Of {
    Numbers(fn(Arithmetic, f32, f32) -> f32),
    /// Bits of floats.
    Bits(fn(u32, u32) -> u32),
    /// Whether something holds of two numbers of this type: 1 or 0, a whole number.
    Test(Dtype, fn(u32, u32) -> bool),
}

const fn numbers(
    name: &'static str,
    code: u32,
    formula: &'static str,
    exactness: Exactness,
    of: fn(Arithmetic, f32, f32) -> f32,
) -> Binary {
    Binary { name, formula, code, exactness, of: Of::Numbers(of) }
}

/// The first NaN, or the one of the larger key; the first of equals.
fn larger(a: u32, b: u32) -> u32 {
    match (is_nan(a), is_nan(b)) {
        (true, _) => a,
        (false, true) => b,
        (false, false) if key(b) > key(a) => b,
        (false, false) => a,
    }
}

fn smaller(a: u32, b: u32) -> u32 {
    match (is_nan(a), is_nan(b)) {
        (true, _) => a,
        (false, true) => b,
        (false, false) if key(b) < key(a) => b,
        (false, false) => a,
    }
}

pub(super) static ADD: Binary =
    numbers("add", 0, "two values that broadcast: a + b", Exactness::Floats, |_, a, b| a + b);
pub(super) static SUB: Binary =
    numbers("sub", 1, "two values that broadcast: a − b", Exactness::Floats, |_, a, b| a - b);
pub(super) static MUL: Binary =
    numbers("mul", 2, "two values that broadcast: a · b", Exactness::Floats, |_, a, b| a * b);
pub(super) static DIV: Binary =
    numbers("div", 3, "two values that broadcast: a / b", Exactness::Near(3), |_, a, b| a / b);
pub(super) static POW: Binary = numbers(
    "pow",
    4,
    "two values that broadcast: a to the power b",
    Exactness::Near(4),
    maths::pow,
);
pub(super) static MAX: Binary = Binary {
    name: "max",
    formula: "two values that broadcast: the larger, on bits; a NaN propagates",
    code: 5,
    exactness: Exactness::Bits,
    of: Of::Bits(larger),
};
pub(super) static MIN: Binary = Binary {
    name: "min",
    formula: "two values that broadcast: the smaller, on bits; a NaN propagates",
    code: 6,
    exactness: Exactness::Bits,
    of: Of::Bits(smaller),
};
pub(super) static PRELU: Binary = numbers(
    "prelu",
    7,
    "two values that broadcast: a, or a · b where a is below zero",
    Exactness::Floats,
    |_, a, b| if a < 0.0 { a * b } else { a },
);
pub(super) static EQUAL: Binary = Binary {
    name: "equal",
    formula: "two values of u32 that broadcast → u32: 1 where a = b, else 0",
    code: 8,
    exactness: Exactness::Bits,
    of: Of::Test(Dtype::U32, |a, b| a == b),
};
pub(super) static LESS: Binary = Binary {
    name: "less",
    formula: "two values that broadcast → u32: 1 where a < b, else 0; a NaN is less than nothing",
    code: 9,
    exactness: Exactness::Bits,
    of: Of::Test(Dtype::F32, |a, b| !is_nan(a) && !is_nan(b) && key(a) < key(b)),
};

/// Where the elements of both operands lie for each element of the output; empty where both are in its order.
fn offsets(shapes: [&[usize]; 2], output: &[usize]) -> Table {
    let elements: usize = output.iter().product();
    let whole = |shape: &[usize]| shape.iter().product::<usize>() == elements;
    if shapes.iter().all(|shape| whole(shape)) {
        return Table::default();
    }
    Table(vec![shapes.map(|shape| Offsets::broadcast(shape, output)).into()])
}

impl Operator for Binary {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn arity(&self) -> usize {
        2
    }

    fn takes_stored(&self) -> bool {
        true
    }

    fn fields(&self) -> &'static [Field] {
        &[ORDER]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [a, b] = [0, 1].map(|operand| inputs[place(settings, operand)]);
        broadcast(a, b)
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        let (reads, makes) = match self.of {
            Of::Test(dtype, _) => (dtype, Dtype::U32),
            _ => (Dtype::F32, Dtype::F32),
        };
        inputs.iter().try_for_each(|found| found.expect(reads))?;
        Ok(makes)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [a, b] = [0, 1].map(|operand| call.inputs[place(call.settings, operand)]);
        let strip = strip(call);
        let strips = call.output_words() / 4 / strip;
        let params = vec![
            ("strips", strips),
            ("blocks", call.blocks),
            ("row_strips", call.rows / 4 / strip),
            ("a_base", a.base),
            ("a_stride", a.stride),
            ("b_base", b.base),
            ("b_stride", b.stride),
            ("zero", 0),
        ];
        let invocations = u64::from(strips) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("binary", 2, params, invocations);
        let inputs = [0, 1].map(|operand| place(call.settings, operand));
        let inputs = inputs.into_iter().flat_map(|at| [Bind::Words(at), Bind::Slots(at)]);
        spec.bindings = inputs.chain([Bind::Output, Bind::Table]).collect();
        spec.table = offsets([a.shape, b.shape], call.output);
        spec.constants.push(("FUNCTION", self.code));
        spec.constants.push(("SPREAD", u32::from(!spec.table.is_empty())));
        spec.constants.push(("STRIP", strip));
        spec.constants.push(("A_STORED", a.stored.into()));
        spec.constants.push(("B_STORED", b.stored.into()));
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let places = [0, 1].map(|operand| place(call.settings, operand));
        let rows = call.rows as usize;
        let elements = words(call.output) as usize;
        let offsets = offsets(places.map(|at| call.inputs[at].shape), call.output).words();
        let word = |operand: usize, element: usize, row: usize| {
            let at = match offsets[..] {
                [] => element,
                _ => offsets[2 * element + operand] as usize,
            };
            match call.inputs[places[operand]].stored {
                true => inputs[places[operand]][at],
                false => inputs[places[operand]][at * rows + row],
            }
        };
        let places = (0..elements).flat_map(|element| (0..rows).map(move |row| (element, row)));
        let of = |(element, row): (usize, usize)| {
            let (a, b) = (word(0, element, row), word(1, element, row));
            let (float, other) = (f32::from_bits(a), f32::from_bits(b));
            match self.of {
                Of::Numbers(of) => of(arithmetic, float, other).to_bits(),
                Of::Bits(of) => of(a, b),
                Of::Test(_, of) => of(a, b).into(),
            }
        };
        places.map(of).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let (shapes, stored, order) = spread_pair(draws);
        Problem {
            settings: vec![order],
            rows: 4 * draws.random_range(1..4),
            shapes,
            stored,
            dtypes: Vec::new(),
            exactness: self.exactness,
            any_bits: false,
        }
    }
}
