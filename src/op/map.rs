//! Functions of one number, element by element. They share one shader, `shaders/map.wgsl`, which has them
//! in the order of their codes.

use super::bits::is_nan;
use super::field::{Field, Holds};
use super::kernel::strip;
use super::{
    Arithmetic, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem, Reach, maths,
};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A function, applied to each element.
pub(super) struct Map {
    name: &'static str,
    formula: &'static str,
    /// Its case in the shader.
    code: u32,
    fields: &'static [Field],
    /// How far hardware may be from it.
    exactness: Exactness,
    of: Of,
}

/// What a function is made of.
enum Of {
    /// A number, with the two settings; a NaN stays what it is.
    Number(fn(Arithmetic, f32, [f32; 2]) -> f32),
    /// The bits.
    Bits(fn(u32) -> u32),
    /// A whole number.
    Whole(fn(u32, bool) -> f32),
}

const fn real(name: &'static str, default: f32, meaning: &'static str) -> Field {
    Field { name, holds: Holds::Real(default), meaning }
}

const fn map(
    name: &'static str,
    code: u32,
    formula: &'static str,
    (fields, exactness): (&'static [Field], Exactness),
    of: fn(Arithmetic, f32, [f32; 2]) -> f32,
) -> Map {
    Map { name, formula, code, fields, exactness, of: Of::Number(of) }
}

/// A function without settings, with the same bits on every adapter.
const EXACT: (&[Field], Exactness) = (&[], Exactness::Floats);
/// One that divides or takes a root once or twice.
const DIVIDES: (&[Field], Exactness) = (&[], Exactness::Near(6));

/// max(x, 0) + ln(1 + exp(−|x|)).
fn softplus(arithmetic: Arithmetic, x: f32, _: [f32; 2]) -> f32 {
    let e = 1.0 + maths::exp_any(arithmetic, -x.abs());
    x.max(0.0) + maths::log(arithmetic, e)
}

fn sigmoid(arithmetic: Arithmetic, x: f32, _: [f32; 2]) -> f32 {
    let e = maths::exp_any(arithmetic, f32::from_bits(x.to_bits() | 1 << 31));
    let above = if x.to_bits() >> 31 == 0 { 1.0 } else { e };
    above / (1.0 + e)
}

fn silu(arithmetic: Arithmetic, x: f32, none: [f32; 2]) -> f32 {
    x * sigmoid(arithmetic, x, none)
}

fn elu(arithmetic: Arithmetic, x: f32, [alpha, gamma]: [f32; 2]) -> f32 {
    let inner = if x < 0.0 { alpha * maths::exp_less_one(arithmetic, x) } else { x };
    gamma * inner
}

fn hard_sigmoid(arithmetic: Arithmetic, x: f32, [alpha, beta]: [f32; 2]) -> f32 {
    arithmetic.fma(alpha, x, beta).clamp(0.0, 1.0)
}

fn gelu(arithmetic: Arithmetic, x: f32, _: [f32; 2]) -> f32 {
    let half = 0.5 * x;
    half * (1.0 + maths::erf(arithmetic, x * std::f32::consts::FRAC_1_SQRT_2))
}

#[expect(clippy::excessive_precision, reason = "√(2/π)")]
fn gelu_tanh(arithmetic: Arithmetic, x: f32, _: [f32; 2]) -> f32 {
    let inner = arithmetic.fma(0.044_715 * x, x * x, x);
    let half = 0.5 * x;
    half * (1.0 + maths::tanh(arithmetic, 0.797_884_560_8 * inner))
}

const ALPHA: &str = "the slope below zero";

pub(super) static ABS: Map = Map {
    name: "abs",
    formula: "any shape → the same: |x|, on bits",
    code: 0,
    fields: &[],
    exactness: Exactness::Bits,
    of: Of::Bits(|word| word & 0x7fff_ffff),
};
pub(super) static NEG: Map = Map {
    name: "neg",
    formula: "any shape → the same: −x, on bits",
    code: 1,
    fields: &[],
    exactness: Exactness::Bits,
    of: Of::Bits(|word| word ^ 1 << 31),
};
pub(super) static SQRT: Map =
    map("sqrt", 2, "any shape → the same: √x", DIVIDES, |_, x, _| x.sqrt());
pub(super) static RECIPROCAL: Map =
    map("reciprocal", 3, "any shape → the same: 1 / x", DIVIDES, |_, x, _| 1.0 / x);
pub(super) static EXP: Map =
    map("exp", 4, "any shape → the same: exp(x)", EXACT, |a, x, _| maths::exp_any(a, x));
pub(super) static LOG: Map =
    map("log", 5, "any shape → the same: ln(x)", EXACT, |a, x, _| maths::log(a, x));
pub(super) static TANH: Map =
    map("tanh", 6, "any shape → the same: tanh(x)", DIVIDES, |a, x, _| maths::tanh(a, x));
pub(super) static ERF: Map =
    map("erf", 7, "any shape → the same: erf(x)", EXACT, |a, x, _| maths::erf(a, x));
pub(super) static SIGMOID: Map =
    map("sigmoid", 8, "any shape → the same: 1 / (1 + exp(−x))", DIVIDES, sigmoid);
pub(super) static SILU: Map =
    map("silu", 19, "any shape → the same: x / (1 + exp(−x))", DIVIDES, silu);
pub(super) static SOFTPLUS: Map =
    map("softplus", 9, "any shape → the same: ln(1 + exp(x))", EXACT, softplus);
pub(super) static LEAKY_RELU: Map = map(
    "leaky-relu",
    10,
    "any shape → the same: x, or alpha · x below zero",
    (&[real("alpha", 0.01, ALPHA)], Exactness::Floats),
    |_, x, [alpha, _]| if x < 0.0 { alpha * x } else { x },
);
pub(super) static ELU: Map = map(
    "elu",
    11,
    "any shape → the same: gamma · x, or gamma · alpha · (exp(x) − 1) below zero",
    (
        &[
            real("alpha", 1.0, "the limit below zero, 1 by default"),
            real("gamma", 1.0, "the scale, 1 by default"),
        ],
        Exactness::Floats,
    ),
    elu,
);
pub(super) static HARD_SIGMOID: Map = map(
    "hard-sigmoid",
    12,
    "any shape → the same: alpha · x + beta, within 0 and 1",
    (
        &[
            real("alpha", 0.2, "the slope, 0.2 by default"),
            real("beta", 0.5, "the value at 0, 0.5 by default"),
        ],
        Exactness::Floats,
    ),
    hard_sigmoid,
);
pub(super) static HARD_SWISH: Map = map(
    "hard-swish",
    13,
    "any shape → the same: x · (x / 6 + 1/2, within 0 and 1)",
    EXACT,
    |a, x, _| x * hard_sigmoid(a, x, [1.0 / 6.0, 0.5]),
);
pub(super) static GELU: Map =
    map("gelu", 14, "any shape → the same: x (1 + erf(x / √2)) / 2", EXACT, gelu);
pub(super) static GELU_TANH: Map = map(
    "gelu-tanh",
    15,
    "any shape → the same: x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2",
    DIVIDES,
    gelu_tanh,
);
pub(super) static CLIP: Map = map(
    "clip",
    16,
    "any shape → the same: x, within least and most",
    (
        &[
            real("least", f32::NEG_INFINITY, "−∞ by default"),
            real("most", f32::INFINITY, "∞ by default"),
        ],
        Exactness::Floats,
    ),
    |_, x, [least, most]| x.max(least).min(most),
);
pub(super) static SCALE: Map = map(
    "scale",
    17,
    "any shape → the same: alpha · x + beta, numbers of the program and not of its memory",
    (&[real("alpha", 1.0, "1 by default"), real("beta", 0.0, "0 by default")], Exactness::Floats),
    |a, x, [alpha, beta]| a.fma(alpha, x, beta),
);
pub(super) static FLOAT: Map = Map {
    name: "float",
    formula: "any shape of whole numbers → the same of f32: the nearest float",
    code: 18,
    fields: &[],
    exactness: Exactness::Bits,
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
    of: Of::Whole(|word, signed| if signed { word.cast_signed() as f32 } else { word as f32 }),
};

impl Map {
    /// The settings as floats.
    fn settings(settings: &[u32]) -> [f32; 2] {
        [0, 1].map(|at| f32::from_bits(settings.get(at).copied().unwrap_or(0)))
    }
}

impl Operator for Map {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn fields(&self) -> &'static [Field] {
        self.fields
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        Ok(inputs[0].to_vec())
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        if !matches!(self.of, Of::Whole(_)) {
            inputs[0].expect(Dtype::F32)?;
        } else if inputs[0].is_float() {
            return Err(Mismatch::new("whole numbers", inputs[0].name()));
        }
        Ok(Dtype::F32)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let strip = strip(call);
        let strips = call.output_words() / 4 / strip;
        let [a, b] = Self::settings(call.settings).map(f32::to_bits);
        let params = vec![
            ("strips", strips),
            ("blocks", call.blocks),
            ("x_base", call.inputs[0].base / 4),
            ("x_stride", call.inputs[0].stride / 4),
            ("a", a),
            ("b", b),
            ("zero", 0),
        ];
        let invocations = u64::from(strips) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("map", 1, params, invocations);
        spec.constants.push(("FUNCTION", self.code));
        spec.constants
            .push(("SIGNED", matches!(call.inputs[0].dtype, Dtype::I8 | Dtype::I32).into()));
        spec.constants.push(("X", call.inputs[0].dtype.code()));
        spec.constants.push(("STRIP", strip));
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let settings = Self::settings(call.settings);
        let of = |word: &u32| match self.of {
            Of::Bits(of) => of(*word),
            Of::Whole(of) => of(*word, call.inputs[0].dtype != Dtype::U32).to_bits(),
            Of::Number(_) if is_nan(*word) => *word,
            Of::Number(of) => of(arithmetic, f32::from_bits(*word), settings).to_bits(),
        };
        inputs[0].iter().map(of).collect()
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape = vec![draws.random_range(1..200)];
        let fields = self.fields.iter().map(|_| draws.random_range(0.125f32..2.0).to_bits());
        let mut settings: Vec<u32> = fields.collect();
        if self.code == CLIP.code {
            settings[0] ^= 1 << 31;
        }
        Problem {
            settings,
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape],
            stored: 0,
            dtypes: match self.of {
                Of::Whole(_) => {
                    let whole = [Dtype::U32, Dtype::I32, Dtype::I8, Dtype::U8];
                    vec![whole[draws.random_range(0..whole.len())]]
                }
                _ => Vec::new(),
            },
            exactness: self.exactness,
            any_bits: draws.random_bool(0.5),
        }
    }

    fn reach(&self, _: &[u32]) -> Reach {
        Reach::Apart
    }
}
