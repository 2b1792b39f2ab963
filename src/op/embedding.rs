//! Rows of a table by their index: what a language model reads for each token.

use super::dtype::stored_floats;
use super::field::{Field, Holds};
use super::shape::{input_mismatch, narrow};
use super::{
    Arithmetic, Bind, Call, Dtype, Exactness, KernelSpec, Mismatch, Operator, Problem, Shape,
};
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The op.
pub(super) struct Embedding;

impl Operator for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn formula(&self) -> &'static str {
        "(tokens) of u32 → (tokens, width): the row of the table that each number names, of floats, or \
         of u32 or u8 as u32; a number past the table traps"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[Field {
                name: "weight",
                holds: Holds::Tensor { required: true, axes: &["entry", "feature"] },
                meaning: "the table, shape (entries, width)",
            }]
        }
    }

    fn axes(&self) -> &'static [&'static str] {
        &["token", "feature"]
    }

    fn output(&self, _: &[u32], inputs: &[&[usize]]) -> Result<Vec<usize>, Mismatch> {
        let [tokens] = *inputs[0] else { return Err(input_mismatch("(tokens)", inputs[0])) };
        match inputs.get(1) {
            Some([_, width]) => Ok(vec![tokens, *width]),
            table => {
                let found = table.map_or_else(|| "none".into(), |table| Shape(table).to_string());
                Err(Mismatch::new("weight of shape (entries, width)", found))
            }
        }
    }

    fn dtype(&self, _: &[u32], inputs: &[Dtype]) -> Result<Dtype, Mismatch> {
        inputs[0].expect(Dtype::U32)?;
        match inputs[1] {
            Dtype::U32 | Dtype::U8 => Ok(Dtype::U32),
            table => stored_floats(&inputs[1..], 0)
                .map_err(|_| Mismatch::new("a table of f32, f16, bf16, u32 or u8", table.name())),
        }
    }

    fn indices_below(&self, shapes: &[&[usize]]) -> Option<u32> {
        Some(narrow(shapes.get(1)?[0]))
    }

    fn kernel(&self, call: &Call<'_>) -> Option<KernelSpec> {
        let [ids, table] = [call.inputs[0], call.inputs[1]];
        let [w_base, w_stride] = table.in_elements();
        let [first, held] = call.entries.unwrap_or([0, narrow(table.shape[0])]);
        let params = vec![
            ("quads", call.rows / 4),
            ("width", narrow(call.output[1])),
            ("places", call.output_words() / 4),
            ("blocks", call.blocks),
            ("entries", narrow(table.shape[0])),
            ("first", first),
            ("held", held),
            ("x_base", ids.base / 4),
            ("x_stride", ids.stride / 4),
            ("w_base", w_base),
            ("w_stride", w_stride),
        ];
        let invocations = u64::from(call.output_words() / 4) * u64::from(call.blocks);
        let mut spec = KernelSpec::flat("embedding", 2, params, invocations);
        spec.bindings.extend([Bind::Traps, Bind::Lanes]);
        spec.constants.push(("STORED", table.dtype.code()));
        spec.constants.push(("BYTES", u32::from(table.dtype == Dtype::U8)));
        Some(spec)
    }

    fn splits_entries(&self) -> bool {
        true
    }

    fn reference(&self, call: &Call<'_>, _: Arithmetic, inputs: &[&[u32]]) -> Vec<u32> {
        let (rows, width) = (call.rows as usize, call.output[1]);
        let mut y = Vec::with_capacity(call.output[0] * width * rows);
        for ids in inputs[0].chunks_exact(rows) {
            for column in 0..width {
                let entry = |id: &u32| inputs[1].get(*id as usize * width + column).copied();
                y.extend(ids.iter().map(|id| entry(id).unwrap_or(0)));
            }
        }
        y
    }

    fn problem(&self, draws: &mut Xoshiro256PlusPlus) -> Problem {
        let (tokens, width) = (draws.random_range(1..9), draws.random_range(1..9));
        Problem {
            settings: Vec::new(),
            rows: 4 * draws.random_range(1..6),
            shapes: vec![vec![tokens], vec![draws.random_range(1..20), width]],
            stored: 1,
            dtypes: match draws.random_range(0..4) {
                0 => vec![Dtype::U32, Dtype::U32],
                1 => vec![Dtype::U32, Dtype::U8],
                _ => Vec::new(),
            },
            exactness: Exactness::Bits,
            any_bits: true,
        }
    }
}
