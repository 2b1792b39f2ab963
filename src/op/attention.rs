//! Scaled dot-product attention (Vaswani et al. 2017) with grouped keys and values (Ainslie et al. 2023),
//! over the tokens of an inference; and the key-value cache that a decoder reads. Keys stand first in a
//! value of keys and values, then the values; queries and keys are aligned at the last token.
//!
//! Products are added dimension by dimension, exponentials and what they weigh token by token, ascending from
//! +0; the sum divides last. The two kinds share one shader, `shaders/attention.wgsl`.

use super::bits::largest;
use super::field::{Default, Field, Holds};
use super::shape::{Shape, input_mismatch, narrow};
use super::{Arithmetic, Bind, Call, Exactness, KernelSpec, Mismatch, Operator, Problem, exp};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A kind of attention.
pub(super) struct Attention {
    name: &'static str,
    formula: &'static str,
    fields: &'static [Field],
    cached: bool,
}

const MASK: Field = Field {
    name: "mask",
    holds: Holds::Choice(&["causal", "none"]),
    meaning: "`causal` (by default): a token sees itself and those before; `none`: all",
};

pub(super) static ATTENTION: Attention = Attention {
    name: "attention",
    formula: "(heads, d, queries), (2 · groups, d, tokens) → (heads, d, queries): softmax(q·k/√d)·v, each \
              group of heads over its keys, which stand first, and its values",
    fields: &[MASK],
    cached: false,
};

pub(super) static CACHED: Attention = Attention {
    name: "cached-attention",
    formula: "the same with a third input, the cache (2, groups, d, at least `prompt` tokens): tokens after \
              the prompt read the prompt's keys and values from it",
    fields: &[
        MASK,
        Field {
            name: "prompt",
            holds: Holds::Number(Default::Required),
            meaning: "tokens of the prompt",
        },
    ],
    cached: true,
};

/// Sizes of a call.
#[derive(Clone, Copy)]
struct Sizes {
    heads: usize,
    /// Heads that share keys and values.
    group: usize,
    dimensions: usize,
    queries: usize,
    tokens: usize,
    /// Tokens that the cache holds, and those of the prompt.
    cached: usize,
    prompt: usize,
    causal: bool,
}

impl Sizes {
    fn new(settings: &[u32], inputs: &[&[usize]], cached: bool) -> Result<Self, Mismatch> {
        let [heads, dimensions, queries] = *inputs[0] else {
            return Err(input_mismatch("(heads, dimensions, tokens)", inputs[0]));
        };
        let (doubled, tokens) = match *inputs[1] {
            [doubled, of, tokens]
                if of == dimensions
                    && doubled > 0
                    && doubled % 2 == 0
                    && heads % (doubled / 2) == 0
                    && tokens >= queries =>
            {
                (doubled, tokens)
            }
            ref other => {
                let expected = format!(
                    "keys and values of shape (2 · a divisor of {heads}, {dimensions}, {queries} or more)"
                );
                return Err(Mismatch::new(expected, Shape(other).to_string()));
            }
        };
        let prompt = if cached { settings[1] as usize } else { 0 };
        let held = match inputs.get(2) {
            Some(cache) if cached => {
                let elements = cache.iter().product::<usize>();
                let held = elements / (doubled * dimensions);
                let last = cache.last().copied().unwrap_or(0);
                if held * doubled * dimensions != elements || last != held || held < prompt {
                    let expected = format!(
                        "a cache of shape (2, {}, {dimensions}, {prompt} or more)",
                        doubled / 2
                    );
                    return Err(Mismatch::new(expected, Shape(cache).to_string()));
                }
                held
            }
            _ => 0,
        };
        if prompt > tokens {
            let expected = format!("a prompt of {tokens} tokens at most");
            return Err(Mismatch::new(expected, prompt.to_string()));
        }
        Ok(Self {
            heads,
            group: heads / (doubled / 2),
            dimensions,
            queries,
            tokens,
            cached: held,
            prompt,
            causal: settings[0] == 0,
        })
    }

    fn of(call: &Call<'_>, cached: bool) -> Option<Self> {
        let shapes: Vec<&[usize]> = call.inputs.iter().map(|input| input.shape).collect();
        Self::new(call.settings, &shapes, cached).ok()
    }

    /// Tokens that a query sees, and how many of them it reads from the cache.
    fn seen(self, query: usize) -> [usize; 2] {
        let position = query + self.tokens - self.queries;
        let seen = if self.causal { position + 1 } else { self.tokens };
        [seen, if position >= self.prompt { self.prompt.min(seen) } else { 0 }]
    }

    #[expect(clippy::cast_precision_loss, reason = "dimensions are small")]
    fn scale(self) -> f32 {
        1.0 / (self.dimensions as f32).sqrt()
    }
}

impl Operator for Attention {
    fn name(&self) -> &'static str {
        self.name
    }

    fn formula(&self) -> &'static str {
        self.formula
    }

    fn arity(&self) -> usize {
        if self.cached { 3 } else { 2 }
    }

    fn fields(&self) -> &'static [Field] {
        self.fields
    }

    fn axes(&self) -> &'static [&'static str] {
        &["head", "dimension", "token"]
    }

    fn output(&self, settings: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        Sizes::new(settings, inputs, self.cached)?;
        Ok(inputs[0].to_vec())
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let sizes = Sizes::of(call, self.cached)?;
        let place = |at: usize| call.inputs.get(at).unwrap_or(&call.inputs[0]);
        let quads = call.rows / 4;
        let params = vec![
            ("quads", quads),
            ("blocks", call.blocks),
            ("heads", narrow(sizes.heads)),
            ("group", narrow(sizes.group)),
            ("dimensions", narrow(sizes.dimensions)),
            ("queries", narrow(sizes.queries)),
            ("tokens", narrow(sizes.tokens)),
            ("cached", narrow(sizes.cached)),
            ("prompt", narrow(sizes.prompt)),
            ("causal", u32::from(sizes.causal)),
            ("scale", sizes.scale().to_bits()),
            ("q_base", place(0).base / 4),
            ("q_stride", place(0).stride / 4),
            ("k_base", place(1).base / 4),
            ("k_stride", place(1).stride / 4),
            ("c_base", place(2).base / 4),
            ("c_stride", place(2).stride / 4),
            ("zero", 0),
        ];
        let lines = sizes.heads as u64 * sizes.queries as u64;
        let invocations = lines * u64::from(quads) * u64::from(call.blocks);
        // Where there is no cache, nothing of it is read.
        let cache = if self.cached { 2 } else { 1 };
        let mut spec = KernelSpec::flat("attention", 2, params, invocations);
        spec.bindings = [0, 1, cache]
            .into_iter()
            .flat_map(|input| [Bind::Words(input), Bind::Slots(input)])
            .chain([Bind::Output])
            .collect();
        Some(spec)
    }

    fn iterations(&self, call: &Call<'_>) -> u64 {
        let Some(sizes) = Sizes::of(call, self.cached) else { return 0 };
        let dimensions = sizes.dimensions as u64;
        2 * dimensions + sizes.tokens as u64 * (2 + 3 * dimensions)
    }

    fn reference(&self, call: &Call<'_>, arithmetic: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let Some(sizes) = Sizes::of(call, self.cached) else { return Vec::new() };
        let Sizes { dimensions, queries, tokens, cached, .. } = sizes;
        let (rows, groups) = (call.rows as usize, sizes.heads / sizes.group);
        let mut y = vec![0; inputs[0].len()];
        for head in 0..sizes.heads {
            for query in 0..queries {
                let [seen, from_cache] = sizes.seen(query);
                for row in 0..rows {
                    let at = |d: usize| ((head * dimensions + d) * queries + query) * rows + row;
                    // Keys are part 0, values part 1.
                    let read = |part: usize, d: usize, token: usize| {
                        let line = (part * groups + head / sizes.group) * dimensions + d;
                        let word = match token < from_cache {
                            true => inputs[2][(line * cached + token) * rows + row],
                            false => inputs[1][(line * tokens + token) * rows + row],
                        };
                        f32::from_bits(word)
                    };
                    let score = |token: usize| {
                        let product = (0..dimensions).fold(0f32, |sum, d| {
                            let q = f32::from_bits(inputs[0][at(d)]);
                            arithmetic.fma(q, read(0, d, token), sum)
                        });
                        product * sizes.scale()
                    };
                    let scores: Vec<f32> = (0..seen).map(score).collect();
                    let most = largest(scores.iter().map(|score| score.to_bits()), true);
                    let weight = |score: &f32| exp(arithmetic, score - f32::from_bits(most));
                    let weights: Vec<f32> = scores.iter().map(weight).collect();
                    let sum = weights.iter().fold(0f32, |sum, weight| sum + weight);
                    for d in 0..dimensions {
                        let mean =
                            weights.iter().enumerate().fold(0f32, |mean, (token, weight)| {
                                arithmetic.fma(*weight, read(1, d, token), mean)
                            });
                        y[at(d)] = (mean / sum).to_bits();
                    }
                }
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let (groups, of_group) = (draws.random_range(1..3usize), draws.random_range(1..4usize));
        let (dimensions, queries) = (draws.random_range(1..9usize), draws.random_range(1..6usize));
        // Now and then keys and values of the shape of the queries.
        let (of_group, more) =
            if draws.random_bool(0.5) { (2, 0) } else { (of_group, draws.random_range(0..3)) };
        let tokens = queries + more;
        let prompt = draws.random_range(0..=tokens);
        let mut settings = vec![draws.random_range(0..2)];
        let mut shapes = vec![
            vec![groups * of_group, dimensions, queries],
            vec![2 * groups, dimensions, tokens],
        ];
        if self.cached {
            settings.push(narrow(prompt));
            shapes.push(vec![2, groups, dimensions, prompt.max(1) + draws.random_range(0..2)]);
        }
        Problem {
            settings,
            rows: 4 * draws.random_range(1..4),
            shapes,
            stored: 0,
            dtypes: Vec::new(),
            exactness: Exactness::Near(8),
            any_bits: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_after_the_prompt_reads_the_prompt_from_the_cache() {
        let shapes: [&[usize]; 3] = [&[4, 8, 5], &[4, 8, 5], &[2, 2, 8, 3]];
        let sizes = Sizes::new(&[0, 3], &shapes, true).expect("sizes");
        let seen: Vec<[usize; 2]> = (0..5).map(|query| sizes.seen(query)).collect();
        assert_eq!(seen, [[1, 0], [2, 0], [3, 0], [4, 3], [5, 3]]);
        assert!(Sizes::new(&[0, 4], &shapes, true).is_err(), "a cache shorter than the prompt");
    }
}
