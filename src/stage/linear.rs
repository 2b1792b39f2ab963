//! The linear op: `y[o] = Σₖ x[k]·w[o,k] + b[o]`, k ascending from +0 with fma, the bias last.

use super::inject::TRAP_ECC;
use super::stored::{Form, Stored, random_stored};
use super::tile::{self, Problem, Tiles};
use super::{Check, random_floats};
use crate::gpu::{Arithmetic, Error, Gpu};
use crate::seed::{Domain, stream};

/// Shapes and places of the operands; bases and strides of x in quads of rows, of w in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct LinearParams {
    /// Row quads of a block.
    pub quads: u32,
    /// Input features.
    pub inputs: u32,
    /// Output features.
    pub outputs: u32,
    /// 1 where a bias is added.
    pub has_bias: u32,
    /// Where slot 0 of x begins.
    pub x_base: u32,
    /// Quads between slots of x; 0 is shared golden.
    pub x_stride: u32,
    /// Where the weight begins in slot 0.
    pub w_base: u32,
    /// Words between slots of w; 0 is shared golden.
    pub w_stride: u32,
    /// Where the bias begins in slot 0.
    pub b_base: u32,
    /// Where copies and check words of w lie.
    pub stored: Stored,
}

impl tile::Params for LinearParams {
    const SHADER: &'static str = "linear";

    fn quads(&self) -> u32 {
        self.quads
    }

    fn cells(&self) -> u32 {
        1
    }

    fn outputs(&self) -> u32 {
        self.outputs
    }

    fn placed(self, w_stride: u32, stored: Stored) -> Self {
        Self { w_stride, stored, ..self }
    }

    fn reference(
        &self,
        form: Form,
        arithmetic: Arithmetic,
        x: (&[u32], &[u32]),
        w: (&[u32], &[u32]),
        traps: &mut [u32],
    ) -> Vec<u32> {
        reference_stored(form, self, arithmetic, x, w, traps)
    }
}

/// The linear op.
pub type Linear = Tiles<LinearParams>;

/// The same on the CPU: y `[block, output, row]` for one block a slot pair.
pub fn reference(
    params: &LinearParams,
    arithmetic: Arithmetic,
    x: (&[u32], &[u32]),
    w: (&[u32], &[u32]),
) -> Vec<u32> {
    reference_stored(Form::Bare, params, arithmetic, x, w, &mut [])
}

/// The same, with the weights read so. `traps` `[slot]` is only for the form that decodes.
pub fn reference_stored(
    form: Form,
    params: &LinearParams,
    arithmetic: Arithmetic,
    x: (&[u32], &[u32]),
    w: (&[u32], &[u32]),
    traps: &mut [u32],
) -> Vec<u32> {
    let rows = 4 * params.quads as usize;
    let mut y = Vec::with_capacity(x.1.len() * params.outputs as usize * rows);
    let mut sums = vec![0f32; rows];
    for (x_slot, w_slot) in x.1.iter().zip(w.1) {
        let from = 4 * (params.x_base + x_slot * params.x_stride) as usize;
        let slot = (w_slot * params.w_stride) as usize;
        let mut stored = |index: u32| {
            let (word, lost) = params.stored.word(form, w.0, slot, index as usize);
            if lost {
                traps[*w_slot as usize] |= TRAP_ECC;
            }
            f32::from_bits(word)
        };
        for output in 0..params.outputs {
            sums.fill(0.0);
            for k in 0..params.inputs {
                let weight = stored(params.w_base + output * params.inputs + k);
                let words = &x.0[from + k as usize * rows..][..rows];
                for (sum, word) in sums.iter_mut().zip(words) {
                    *sum = arithmetic.fma(f32::from_bits(*word), weight, *sum);
                }
            }
            if params.has_bias != 0 {
                let bias = stored(params.b_base + output);
                sums.iter_mut().for_each(|sum| *sum += bias);
            }
            y.extend(sums.iter().map(|sum| sum.to_bits()));
        }
    }
    y
}

/// Holds the shader to its reference on random shapes, slots and awkward floats, in every form, and
/// the forms that protect to their stage and the bare op after it.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    let keeps = !gpu.adapter().arithmetic.flushes_subnormals;
    tile::hold(gpu, seed, |form| problem(seed, form, keeps))
}

fn problem(seed: u64, form: Form, keeps: bool) -> Problem<LinearParams> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[1, form as u64]);
    let quads = rng.random_range(1..40u32);
    let (inputs, outputs) = (rng.random_range(1..40u32), rng.random_range(1..20u32));
    let blocks = rng.random_range(1..6u32);
    let x_slots = rng.random_range(1..4u32);
    let w_slots = rng.random_range(1..4u32);
    let weights = (inputs + 1) * outputs + 3;
    let golden: Vec<_> =
        (0..w_slots).map(|_| random_floats(&mut rng, 2 + weights, keeps)).collect();
    let (stride, stored, w) = random_stored(&mut rng, form, &golden);
    let params = LinearParams {
        quads,
        inputs,
        outputs,
        has_bias: rng.random_range(0..2),
        x_base: 1,
        x_stride: inputs * quads,
        w_base: 2,
        w_stride: stride,
        b_base: 2 + inputs * outputs,
        stored,
    };
    let x = random_floats(&mut rng, 4 * (1 + x_slots * inputs * quads), keeps);
    let slots = |rng: &mut rand_xoshiro::Xoshiro256PlusPlus, of: u32| -> Vec<u32> {
        (0..blocks).map(|_| rng.random_range(0..of)).collect()
    };
    let (xs, ws) = (slots(&mut rng, x_slots), slots(&mut rng, w_slots));
    Problem { params, x: (x, xs), w: (w, ws), stored, stride, shared: seed.is_multiple_of(3) }
}
