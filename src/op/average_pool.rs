//! Average-pool: the mean of each window, its elements in ascending order.

use super::field::{Default, Field, Holds};
use super::max_pool::{WINDOW, problem, windows};
use super::shape::image;
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, Reach};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct AveragePool;

impl Operator for AveragePool {
    fn name(&self) -> &'static str {
        "average-pool"
    }

    fn formula(&self) -> &'static str {
        "(C, H, W) → (C, H′, W′): the mean of each window"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            let [size, stride, padding, dilation] = WINDOW;
            &[
                size,
                stride,
                padding,
                dilation,
                Field {
                    name: "count_padding",
                    holds: Holds::Number(Default::Is(0)),
                    meaning: "1 where places around the image count as zeros, 0 by default",
                },
            ]
        }
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [channels, height, width] = image(inputs[0])?;
        let [rows, columns] = windows(settings);
        Ok(vec![channels, rows.count(height)?, columns.count(width)?])
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let mut params = super::max_pool::params(call)?;
        params.extend([("count_padding", call.settings[10]), ("blocks", call.blocks)]);
        let invocations = u64::from(call.output_words()) * u64::from(call.blocks);
        Some(KernelSpec::flat("average_pool", 1, params, invocations))
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        let (rows, columns) = (u64::from(call.settings[0]), u64::from(call.settings[1]));
        rows * (1 + columns)
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let (x, rows) = (call.inputs[0].shape, call.rows as usize);
        let [of_rows, of_columns] = windows(call.settings);
        let mut y = Vec::new();
        for channel in 0..call.output[0] {
            for row in 0..call.output[1] {
                for column in 0..call.output[2] {
                    let taps: Vec<usize> = (0..of_rows.size * of_columns.size)
                        .filter_map(|tap| {
                            let (dy, dx) = (tap / of_columns.size, tap % of_columns.size);
                            let at_row = of_rows.place(row, dy, x[1])?;
                            let at_column = of_columns.place(column, dx, x[2])?;
                            Some(((channel * x[1] + at_row) * x[2] + at_column) * rows)
                        })
                        .collect();
                    let counted = match call.settings[10] {
                        0 => taps.len(),
                        _ => of_rows.size * of_columns.size,
                    };
                    for lane_row in 0..rows {
                        let word = |tap: &usize| f32::from_bits(inputs[0][tap + lane_row]);
                        let sum = taps.iter().map(word).fold(0f32, |sum, x| sum + x);
                        #[expect(clippy::cast_precision_loss, reason = "the divisor is a float")]
                        y.push((sum / counted as f32).to_bits());
                    }
                }
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let mut problem = problem(draws);
        problem.settings.push(u32::from(draws.random_bool(0.5)));
        problem.exactness = Exactness::Near(3);
        problem
    }

    fn reach(&self, _: &[u32]) -> Reach {
        Reach::Apart
    }
}
