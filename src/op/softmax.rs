//! Softmax along one dimension or over all: exp(x − max) / Σ exp(x − max), elements ascending; and its
//! logarithm, (x − max) − ln Σ exp(x − max). Both share one shader.

use super::bits::largest;
use super::field::{Default, Field, Holds};
use super::shape::{Shape, narrow};
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, exp, maths};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A softmax or its logarithm.
pub(super) struct Softmax {
    name: &'static str,
    formula: &'static str,
    log: bool,
}

pub(super) static SOFTMAX: Softmax = Softmax {
    name: "softmax",
    formula: "any shape → the same: exp(x − max) / Σ exp(x − max) along a dimension",
    log: false,
};
pub(super) static LOG_SOFTMAX: Softmax = Softmax {
    name: "log-softmax",
    formula: "any shape → the same: (x − max) − ln Σ exp(x − max) along a dimension",
    log: true,
};

/// The setting that stands for all dimensions.
const ALL: u32 = u32::MAX;

/// Elements before the dimension, along it and after it, in whose product the value is seen.
fn view(settings: &[u32], shape: &[usize]) -> [usize; 3] {
    match settings[0] {
        ALL => [1, shape.iter().product(), 1],
        axis => {
            let (outer, rest) = shape.split_at((axis as usize).min(shape.len()));
            let along = rest.first().copied().unwrap_or(1);
            [outer.iter().product(), along, rest.iter().skip(1).product()]
        }
    }
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn fields(&self) -> &'static [Field] {
        &[Field {
            name: "axis",
            holds: Holds::Number(Default::Is(ALL)),
            meaning: "the dimension, all of them as one by default",
        }]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        if settings[0] != ALL && settings[0] as usize >= inputs[0].len() {
            let expected = format!("a dimension of {}", Shape(inputs[0]));
            return Err(Mismatch::new(expected, settings[0].to_string()));
        }
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [outer, features, inner] = view(call.settings, call.output).map(narrow);
        let params = vec![
            ("rows", call.rows),
            ("features", features),
            ("inner", inner),
            ("outer", outer),
            ("blocks", call.blocks),
            ("x_base", call.inputs[0].base),
            ("x_stride", call.inputs[0].stride),
            ("zero", 0),
        ];
        let invocations = u64::from(call.rows) * u64::from(outer * inner) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("softmax", 1, params, invocations);
        spec.constants.push(("LOG", u32::from(self.log)));
        Some(spec)
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        3 * view(call.settings, call.inputs[0].shape)[1] as u64
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let [outer, features, inner] = view(call.settings, call.output);
        let rows = call.rows as usize;
        let mut y = vec![0; inputs[0].len()];
        for (part, column) in (0..outer).flat_map(|part| (0..inner * rows).map(move |c| (part, c)))
        {
            let at = |feature: usize| (part * features + feature) * inner * rows + column;
            let word = |feature: usize| inputs[0][at(feature)];
            let largest = f32::from_bits(largest((0..features).map(word), true));
            let less = |feature: usize| f32::from_bits(word(feature)) - largest;
            let exps: Vec<f32> =
                (0..features).map(|feature| exp(arithmetic, less(feature))).collect();
            let sum = exps.iter().fold(0.0, |sum, e| sum + e);
            for (feature, e) in exps.iter().enumerate() {
                y[at(feature)] = match self.log {
                    true => (less(feature) - maths::log(arithmetic, sum)).to_bits(),
                    false => (e / sum).to_bits(),
                };
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let shape: Vec<usize> = match draws.random_bool(0.5) {
            true => vec![draws.random_range(1..30)],
            false => (0..3).map(|_| draws.random_range(1..5)).collect(),
        };
        let axis =
            if draws.random_bool(0.5) { ALL } else { draws.random_range(0..narrow(shape.len())) };
        Problem {
            settings: vec![axis],
            rows: 4 * draws.random_range(1..20),
            shapes: vec![shape],
            stored: 0,
            dtypes: Vec::new(),
            exactness: Exactness::Near(3),
            any_bits: false,
        }
    }
}
