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
    whole: Option<Whole>,
}

/// What a function makes of two floats.
enum Of {
    Numbers(fn(Arithmetic, f32, f32) -> f32),
    /// Of their bits.
    Bits(fn(u32, u32) -> u32),
    /// Whether something holds: 1 or 0, a whole number.
    Test(fn(u32, u32) -> bool),
    /// Nothing: it is one of whole numbers alone.
    Nothing,
}

/// What a function makes of two whole numbers, which wrap; `signed` says that they are of i32.
type Whole = fn(signed: bool, u32, u32) -> u32;

const fn numbers(
    name: &'static str,
    code: u32,
    formula: &'static str,
    (exactness, whole): (Exactness, Option<Whole>),
    of: fn(Arithmetic, f32, f32) -> f32,
) -> Binary {
    Binary { name, formula, code, exactness, of: Of::Numbers(of), whole }
}

const fn whole(name: &'static str, code: u32, formula: &'static str, of: Whole) -> Binary {
    Binary { name, formula, code, exactness: Exactness::Bits, of: Of::Nothing, whole: Some(of) }
}

/// Whether a is less than b.
const fn is_less(signed: bool, a: u32, b: u32) -> bool {
    if signed { a.cast_signed() < b.cast_signed() } else { a < b }
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

pub(super) static ADD: Binary = numbers(
    "add",
    0,
    "two values that broadcast: a + b; whole numbers wrap",
    (Exactness::Floats, Some(|_, a, b| a.wrapping_add(b))),
    |_, a, b| a + b,
);
pub(super) static SUB: Binary = numbers(
    "sub",
    1,
    "two values that broadcast: a − b; whole numbers wrap",
    (Exactness::Floats, Some(|_, a, b| a.wrapping_sub(b))),
    |_, a, b| a - b,
);
pub(super) static MUL: Binary = numbers(
    "mul",
    2,
    "two values that broadcast: a · b; whole numbers wrap",
    (Exactness::Floats, Some(|_, a, b| a.wrapping_mul(b))),
    |_, a, b| a * b,
);
pub(super) static DIV: Binary = numbers(
    "div",
    3,
    "two values that broadcast: a / b; of whole numbers of u32 rounded down, and 0 where b is",
    (Exactness::Near(3), Some(|_, a, b| a.checked_div(b).unwrap_or(0))),
    |_, a, b| a / b,
);
pub(super) static POW: Binary = numbers(
    "pow",
    4,
    "two values that broadcast: a to the power b",
    (Exactness::Near(4), None),
    maths::pow,
);
pub(super) static MAX: Binary = Binary {
    name: "max",
    formula: "two values that broadcast: the larger; of floats on bits, a NaN propagates",
    code: 5,
    exactness: Exactness::Bits,
    of: Of::Bits(larger),
    whole: Some(|signed, a, b| if is_less(signed, a, b) { b } else { a }),
};
pub(super) static MIN: Binary = Binary {
    name: "min",
    formula: "two values that broadcast: the smaller; of floats on bits, a NaN propagates",
    code: 6,
    exactness: Exactness::Bits,
    of: Of::Bits(smaller),
    whole: Some(|signed, a, b| if is_less(signed, b, a) { b } else { a }),
};
pub(super) static PRELU: Binary = numbers(
    "prelu",
    7,
    "two values that broadcast: a, or a · b where a is below zero",
    (Exactness::Floats, None),
    |_, a, b| if a < 0.0 { a * b } else { a },
);
pub(super) static EQUAL: Binary = whole(
    "equal",
    8,
    "two values of whole numbers that broadcast → u32: 1 where a = b, else 0",
    |_, a, b| u32::from(a == b),
);
pub(super) static LESS: Binary = Binary {
    name: "less",
    formula: "two values that broadcast → u32: 1 where a < b, else 0; a NaN is less than nothing",
    code: 9,
    exactness: Exactness::Bits,
    of: Of::Test(|a, b| !is_nan(a) && !is_nan(b) && key(a) < key(b)),
    whole: Some(|signed, a, b| u32::from(is_less(signed, a, b))),
};
pub(super) static AND: Binary =
    whole("and", 10, "two values of whole numbers that broadcast: the bits of both", |_, a, b| {
        a & b
    });
pub(super) static OR: Binary =
    whole("or", 11, "two values of whole numbers that broadcast: the bits of either", |_, a, b| {
        a | b
    });
pub(super) static XOR: Binary = whole(
    "xor",
    12,
    "two values of whole numbers that broadcast: the bits in which they differ",
    |_, a, b| a ^ b,
);
pub(super) static SHIFT_LEFT: Binary = whole(
    "shift-left",
    13,
    "two values of whole numbers that broadcast: a · 2ᵇ, b modulo 32",
    |_, a, b| a.wrapping_shl(b),
);
pub(super) static SHIFT_RIGHT: Binary = whole(
    "shift-right",
    14,
    "two values of whole numbers that broadcast: a / 2ᵇ rounded down, b modulo 32",
    |signed, a, b| match signed {
        true => a.cast_signed().wrapping_shr(b).cast_unsigned(),
        false => a.wrapping_shr(b),
    },
);

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
        let first = inputs[0];
        let tests = matches!(self.of, Of::Test(_)) || self.code == EQUAL.code;
        let reads = match (&self.of, self.whole) {
            (_, Some(_)) if first == Dtype::U32 => first,
            (_, Some(_)) if first == Dtype::I32 && self.code != DIV.code => first,
            (Of::Nothing, _) => Dtype::U32,
            _ => Dtype::F32,
        };
        if let Some(other) = inputs.iter().find(|found| **found != reads) {
            let expected = match self.whole {
                None => "inputs of f32",
                Some(_) if self.code == DIV.code => "inputs of one type of f32 and u32",
                Some(_) if matches!(self.of, Of::Nothing) => "inputs of one type of u32 and i32",
                Some(_) => "inputs of one type of f32, u32 and i32",
            };
            return Err(Mismatch::new(expected, other.name()));
        }
        Ok(if tests { Dtype::U32 } else { reads })
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
        spec.constants.push((
            "WHOLE",
            u32::from(a.dtype == Dtype::U32) + 2 * u32::from(a.dtype == Dtype::I32),
        ));
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
        let dtype = call.inputs[0].dtype;
        let places = (0..elements).flat_map(|element| (0..rows).map(move |row| (element, row)));
        let of = |(element, row): (usize, usize)| {
            let (a, b) = (word(0, element, row), word(1, element, row));
            let (float, other) = (f32::from_bits(a), f32::from_bits(b));
            match (&self.of, self.whole) {
                (_, Some(of)) if dtype != Dtype::F32 => of(dtype == Dtype::I32, a, b),
                (Of::Numbers(of), _) => of(arithmetic, float, other).to_bits(),
                (Of::Bits(of), _) => of(a, b),
                (Of::Test(of), _) => of(a, b).into(),
                (Of::Nothing, _) => 0,
            }
        };
        places.map(of).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let (shapes, stored, order) = spread_pair(draws);
        let signed = draws.random_bool(0.5) && self.code != DIV.code;
        let whole = if signed { Dtype::I32 } else { Dtype::U32 };
        let floats = !matches!(self.of, Of::Nothing);
        let is_whole = !floats || self.whole.is_some() && draws.random_bool(0.4);
        Problem {
            settings: vec![order],
            rows: 4 * draws.random_range(1..4),
            shapes,
            stored,
            dtypes: if is_whole { vec![whole; 2] } else { Vec::new() },
            exactness: if is_whole { Exactness::Bits } else { self.exactness },
            any_bits: false,
        }
    }
}
