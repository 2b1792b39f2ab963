//! RMS normalisation along one dimension (Zhang and Sennrich 2019): x / √(mean(x²) + ε), times a weight.

use super::dtype::{Dtype, stored_floats};
use super::field::{Default, Field, Holds};
use super::shape::{Shape, narrow};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct RmsNorm;

/// Elements before the dimension, along it and after it.
fn view(settings: &[u32], shape: &[usize]) -> [usize; 3] {
    let (outer, rest) = shape.split_at((settings[0] as usize).min(shape.len()));
    let along = rest.first().copied().unwrap_or(1);
    [outer.iter().product(), along, rest.iter().skip(1).product()]
}

impl Operator for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn formula(&self) -> &'static str {
        "any shape → the same: x · weight / √(mean of x² + epsilon), along a dimension"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                Field {
                    name: "weight",
                    holds: Holds::Tensor { required: true, axes: &["feature"] },
                    meaning: "one for each place of the dimension",
                },
                Field {
                    name: "axis",
                    holds: Holds::Number(Default::Is(0)),
                    meaning: "the dimension, 0 by default",
                },
                Field {
                    name: "epsilon",
                    holds: Holds::Float(1e-6),
                    meaning: "added to the mean, 1e-6 by default",
                },
            ]
        }
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let Some(along) = inputs[0].get(settings[0] as usize) else {
            let expected = format!("a dimension of {}", Shape(inputs[0]));
            return Err(Mismatch::new(expected, settings[0].to_string()));
        };
        if inputs[1] != [*along] {
            let expected = format!("weight of shape ({along})");
            return Err(Mismatch::new(expected, Shape(inputs[1]).to_string()));
        }
        Ok(inputs[0].to_vec())
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        stored_floats(inputs, 1)
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [outer, along, inner] = view(call.settings, call.output).map(narrow);
        let [x, weight] = [call.inputs[0], call.inputs[1]];
        let [w_base, w_stride] = weight.in_elements();
        let columns = inner * (call.rows / 4);
        #[expect(clippy::cast_precision_loss, reason = "the divisor is a float")]
        let divisor = (along as f32).to_bits();
        let params = vec![
            ("columns", columns),
            ("along", along),
            ("outer", outer),
            ("blocks", call.blocks),
            ("x_base", x.base / 4),
            ("x_stride", x.stride / 4),
            ("w_base", w_base),
            ("w_stride", w_stride),
            ("divisor", divisor),
            ("epsilon", call.settings[1]),
            ("zero", 0),
        ];
        let invocations = u64::from(columns) * u64::from(outer) * u64::from(call.blocks);
        let bindings =
            vec![Bind::Words(0), Bind::Slots(0), Bind::Words(1), Bind::Slots(1), Bind::Output];
        let mut spec = KernelSpec::flat("rms_norm", 2, params, invocations);
        spec.constants.push(("STORED", weight.dtype.code()));
        Some(KernelSpec { bindings, ..spec })
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        2 * view(call.settings, call.output)[1] as u64
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let [outer, along, inner] = view(call.settings, call.output);
        let columns = inner * call.rows as usize;
        let epsilon = f32::from_bits(call.settings[1]);
        #[expect(clippy::cast_precision_loss, reason = "the divisor is a float")]
        let divisor = along as f32;
        let mut y = vec![0; inputs[0].len()];
        for (part, column) in (0..outer).flat_map(|part| (0..columns).map(move |c| (part, c))) {
            let at = |place: usize| (part * along + place) * columns + column;
            let x = |place: usize| f32::from_bits(inputs[0][at(place)]);
            let squares =
                (0..along).fold(0f32, |sum, place| arithmetic.fma(x(place), x(place), sum));
            let factor = 1.0 / (squares / divisor + epsilon).sqrt();
            for (place, weight) in inputs[1].iter().enumerate() {
                y[at(place)] = (f32::from_bits(*weight) * (x(place) * factor)).to_bits();
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape: Vec<usize> =
            (0..draws.random_range(1..4)).map(|_| draws.random_range(1..7)).collect();
        let axis = draws.random_range(0..shape.len());
        let weight = vec![shape[axis]];
        Problem {
            settings: vec![narrow(axis), draws.random_range(1e-6f32..1e-2).to_bits()],
            rows: 4 * draws.random_range(1..4),
            shapes: vec![shape, weight],
            stored: 1,
            dtypes: Vec::new(),
            exactness: Exactness::Near(8),
            any_bits: false,
        }
    }
}
