//! A stage of a fast Fourier transform of radix 2, decimation in time (Cooley, Tukey 1965): of each pair of
//! elements `half` apart, y[j] = x[j] + t and y[j + half] = x[j] − t with t = w·x[j + half].

use super::field::{Default, Field, Holds};
use super::shape::{Shape, input_mismatch, narrow, words};
use super::{Arithmetic, Call, Exactness, KernelSpec, Mismatch, Operator, Problem};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Butterfly;

/// The second element of pair `pair` of a stage, and its factor among those of a transform of `length`.
const fn places(pair: usize, half: usize, length: usize) -> [usize; 2] {
    let within = pair % half;
    [pair / half * 2 * half + within, within * (length / (2 * half))]
}

impl Operator for Butterfly {
    fn name(&self) -> &'static str {
        "butterfly"
    }

    fn formula(&self) -> &'static str {
        "(2, …, N), real and imaginary parts → the same: a stage of a Fourier transform of the last dimension"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                Field {
                    name: "twiddle",
                    holds: Holds::Tensor { required: true, axes: &["part", "angle"] },
                    meaning: "the factors exp(−2πi k / N), shape (2, N / 2)",
                },
                Field {
                    name: "half",
                    holds: Holds::Number(Default::Required),
                    meaning: "between the elements of a pair: a power of two below N",
                },
            ]
        }
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [2, .., length] = *inputs[0] else {
            return Err(input_mismatch("(2, …, N)", inputs[0]));
        };
        if !length.is_power_of_two() || length < 2 {
            return Err(Mismatch::new(
                "a last dimension that is a power of two",
                length.to_string(),
            ));
        }
        if *inputs[1] != [2, length / 2] {
            let expected = format!("`twiddle` of shape (2, {})", length / 2);
            return Err(Mismatch::new(expected, Shape(inputs[1]).to_string()));
        }
        let half = settings[0];
        if !half.is_power_of_two() || half as usize >= length {
            let expected = format!("`half` that is a power of two below {length}");
            return Err(Mismatch::new(expected, half.to_string()));
        }
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [x, twiddle] = [call.inputs[0], call.inputs[1]];
        let length = narrow(*call.output.last()?);
        let pairs = words(call.output) / 4;
        let params = vec![
            ("quads", call.rows / 4),
            ("blocks", call.blocks),
            ("pairs", pairs),
            ("half_length", length / 2),
            ("half", call.settings[0]),
            ("x_base", x.base / 4),
            ("x_stride", x.stride / 4),
            ("w_base", twiddle.base),
            ("w_stride", twiddle.stride),
            ("zero", 0),
        ];
        let invocations = u64::from(pairs) * u64::from(call.rows / 4) * u64::from(call.blocks);
        Some(KernelSpec::flat("butterfly", 2, params, invocations))
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let rows = call.rows as usize;
        let length = call.output.last().copied().unwrap_or(2);
        let elements = words(call.output) as usize / 2;
        let half = call.settings[0] as usize;
        let mut y = vec![0; 2 * elements * rows];
        for pair in 0..elements / 2 {
            let line = pair / (length / 2) * length;
            let [first, factor] = places(pair % (length / 2), half, length);
            let [first, second] = [line + first, line + first + half];
            let [cosine, sine] =
                [0, length / 2].map(|part| f32::from_bits(inputs[1][part + factor]));
            for row in 0..rows {
                let at = |element: usize| element * rows + row;
                let x = |element: usize| {
                    [0, elements].map(|part| f32::from_bits(inputs[0][at(part + element)]))
                };
                let ([re, im], [other_re, other_im]) = (x(first), x(second));
                let t = [other_re * cosine - other_im * sine, other_re * sine + other_im * cosine];
                for (part, (x, t)) in [re, im].into_iter().zip(t).enumerate() {
                    y[at(part * elements + first)] = (x + t).to_bits();
                    y[at(part * elements + second)] = (x - t).to_bits();
                }
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let bits = draws.random_range(1..6);
        let mut shape = vec![2];
        shape.extend((0..draws.random_range(0..2)).map(|_| draws.random_range(1..4usize)));
        shape.push(1 << bits);
        Problem {
            settings: vec![1 << draws.random_range(0..bits)],
            rows: 4 * draws.random_range(1..5),
            shapes: vec![shape, vec![2, 1 << (bits - 1)]],
            stored: 1,
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
    fn pairs_of_a_stage_cover_all_elements_once() {
        for half in [1, 2, 4] {
            let mut met: Vec<usize> = (0..4)
                .flat_map(|pair| {
                    let [first, factor] = places(pair, half, 8);
                    assert_eq!(factor, pair % half * (4 / half));
                    [first, first + half]
                })
                .collect();
            met.sort_unstable();
            assert_eq!(met, (0..8).collect::<Vec<_>>());
        }
    }
}
