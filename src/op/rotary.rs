//! Rotary position embedding (Su et al. 2021): element d of each head and element d + half of it are turned
//! by the angle position · theta^(−2d/dimensions). Sines and cosines are computed on the CPU, as they
//! differ between adapters; they are no memory under test.

use super::field::{Default, Field, Holds};
use super::shape::{Shape, narrow};
use super::table::{Offsets, Table};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Rotary;

/// Cosine and sine of each angle, `[element of the first half, position]`: frequencies and angles in single
/// precision as in transformers, functions rounded from double.
#[expect(clippy::cast_possible_truncation, reason = "rounded as transformers rounds")]
#[expect(clippy::cast_precision_loss, reason = "positions and dimensions are small")]
fn angles(settings: &[u32], shape: &[usize]) -> Vec<[u32; 2]> {
    let theta = f64::from(f32::from_bits(settings[0]));
    let [_, dimensions, positions] = *shape else { return Vec::new() };
    let mut all = Vec::with_capacity(dimensions / 2 * positions);
    for element in 0..dimensions / 2 {
        let exponent = (2 * element) as f32 / dimensions as f32;
        let frequency = 1.0 / theta.powf(f64::from(exponent)) as f32;
        for position in 0..positions {
            let position = settings[1] as usize + position;
            let angle = f64::from(position as f32 * frequency);
            all.push([angle.cos() as f32, angle.sin() as f32].map(f32::to_bits));
        }
    }
    all
}

impl Operator for Rotary {
    fn name(&self) -> &'static str {
        "rotary"
    }

    fn formula(&self) -> &'static str {
        "(heads, dimensions, tokens) → the same: elements d and d + dimensions/2 of a head turned by token · \
         theta^(−2d/dimensions)"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field {
                name: "theta",
                holds: Holds::Float(10_000.0),
                meaning: "the base of the frequencies, 10,000 by default",
            },
            Field {
                name: "start",
                holds: Holds::Number(Default::Is(0)),
                meaning: "the position of the first token, 0 by default",
            },
        ]
    }

    fn axes(&self) -> &'static [&'static str] {
        &["head", "dimension", "token"]
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        match *inputs[0] {
            [_, dimensions, _] if dimensions % 2 == 0 => Ok(inputs[0].to_vec()),
            ref other => {
                let expected = "an input of shape (heads, an even number of dimensions, tokens)";
                Err(Mismatch::new(expected, Shape(other).to_string()))
            }
        }
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [heads, dimensions, tokens] = *call.output else { return None };
        let (quads, x) = (call.rows / 4, call.inputs[0]);
        let places = narrow(dimensions / 2 * tokens);
        let params = vec![
            ("quads", quads),
            ("heads", narrow(heads)),
            ("places", places),
            ("blocks", call.blocks),
            ("x_base", x.base / 4),
            ("x_stride", x.stride / 4),
        ];
        let invocations =
            u64::from(quads) * u64::from(places) * heads as u64 * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("rotary", 1, params, invocations);
        spec.bindings.push(Bind::Table);
        let words = angles(call.settings, call.output).into_iter().flatten().collect();
        spec.table = Table(vec![vec![Offsets(vec![words])]]);
        Some(spec)
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let angles = angles(call.settings, call.output);
        let half = angles.len() * rows;
        let mut y = inputs[0].to_vec();
        for head in y.chunks_exact_mut(2 * half) {
            let (first, second) = head.split_at_mut(half);
            for (at, (a, b)) in first.iter_mut().zip(second).enumerate() {
                let [cosine, sine] = angles[at / rows].map(f32::from_bits);
                let (x, z) = (f32::from_bits(*a), f32::from_bits(*b));
                *a = arithmetic.fma(x, cosine, -(z * sine)).to_bits();
                *b = arithmetic.fma(z, cosine, x * sine).to_bits();
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let mut side = |most| draws.random_range(1..most);
        let shape = vec![side(4), 2 * side(5), side(8)];
        Problem {
            settings: vec![10_000f32.to_bits(), draws.random_range(0..9)],
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape],
            stored: 0,
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
    fn the_first_pair_turns_by_one_radian_a_token() {
        let later = angles(&[10_000f32.to_bits(), 1], &[1, 4, 2]);
        let angles = angles(&[10_000f32.to_bits(), 0], &[1, 4, 3]);
        assert_eq!(later[..2], angles[1..3]);
        let angle = |at: usize| angles[at].map(f32::from_bits);
        assert_eq!(angle(0), [1.0, 0.0]);
        assert_eq!(angle(1), [0.540_302_3, 0.841_470_96]);
        assert_eq!(angle(2), [-0.416_146_84, 0.909_297_4]);
        assert_eq!(angle(4), [0.999_95, 0.009_999_833]);
    }
}
