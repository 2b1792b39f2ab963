//! The linear op: `y[o] = Σₖ x[k]·w[o,k] + b[o]`, k ascending from +0 with fma, the bias last.

use super::{Check, random_floats, same_floats};
use crate::gpu::{Arithmetic, Buffer, Error, Gpu, Kernel, Pass, Source};
use crate::seed::{Domain, stream};

/// Output features that one invocation computes.
const OUTPUTS: u32 = 8;
/// Invocations in a workgroup.
const GROUP: u32 = 32;

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
    /// Padding.
    pub pad: [u32; 3],
}

/// The kernel.
#[derive(Debug)]
pub struct Linear(Kernel);

impl Linear {
    /// Builds the kernel.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Kernel::new(gpu, Source::named("linear"), "main", &[("GROUP", f64::from(GROUP))]).map(Self)
    }

    /// Records the op for `blocks` blocks. `uniform` holds `params`.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&LinearParams, &Buffer<LinearParams>),
        x: (&Buffer<u32>, &Buffer<u32>),
        w: (&Buffer<u32>, &Buffer<u32>),
        y: &Buffer<u32>,
        blocks: u32,
    ) {
        let invocations = params.quads * params.outputs.div_ceil(OUTPUTS);
        let groups = [invocations.div_ceil(GROUP), blocks, 1];
        self.0.dispatch(pass, [uniform, x.0, x.1, w.0, w.1, y], groups);
    }
}

/// The same on the CPU: y `[block, output, row]` for one block a slot pair.
pub fn reference(
    params: &LinearParams,
    arithmetic: Arithmetic,
    x: (&[u32], &[u32]),
    w: (&[u32], &[u32]),
) -> Vec<u32> {
    let rows = 4 * params.quads as usize;
    let (inputs, outputs) = (params.inputs as usize, params.outputs as usize);
    let mut y = Vec::with_capacity(x.1.len() * outputs * rows);
    let mut sums = vec![0f32; rows];
    for (x_slot, w_slot) in x.1.iter().zip(w.1) {
        let from = 4 * (params.x_base + x_slot * params.x_stride) as usize;
        let slot = (w_slot * params.w_stride) as usize;
        for output in 0..outputs {
            sums.fill(0.0);
            for k in 0..inputs {
                let at = params.w_base as usize + slot + output * inputs + k;
                let weight = f32::from_bits(w.0[at]);
                let words = &x.0[from + k * rows..][..rows];
                for (sum, word) in sums.iter_mut().zip(words) {
                    *sum = arithmetic.fma(f32::from_bits(*word), weight, *sum);
                }
            }
            if params.has_bias != 0 {
                let bias = f32::from_bits(w.0[params.b_base as usize + slot + output]);
                sums.iter_mut().for_each(|sum| *sum += bias);
            }
            y.extend(sums.iter().map(|sum| sum.to_bits()));
        }
    }
    y
}

/// Holds the shader to its reference on random shapes, slots and awkward floats.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, seed: u64) -> Result<Check, Error> {
    use rand::RngExt;
    let mut rng = stream(seed, Domain::Generate, &[1]);
    let (quads, inputs, outputs) =
        (rng.random_range(1..10u32), rng.random_range(1..40u32), rng.random_range(1..20u32));
    let blocks = rng.random_range(1..6u32);
    let x_slots = rng.random_range(1..4u32);
    let w_slots = rng.random_range(1..4u32);
    let weights = (inputs + 1) * outputs + 3;
    let params = LinearParams {
        quads,
        inputs,
        outputs,
        has_bias: rng.random_range(0..2),
        x_base: 1,
        x_stride: inputs * quads,
        w_base: 2,
        w_stride: if seed.is_multiple_of(3) { 0 } else { weights },
        b_base: 2 + inputs * outputs,
        pad: [0; 3],
    };
    let keeps = !gpu.adapter().arithmetic.flushes_subnormals;
    let x = random_floats(&mut rng, 4 * (1 + x_slots * inputs * quads), keeps);
    let w = random_floats(&mut rng, 2 + w_slots * weights, keeps);
    let slots = |rng: &mut rand_xoshiro::Xoshiro256PlusPlus, of: u32| -> Vec<u32> {
        (0..blocks).map(|_| rng.random_range(0..of)).collect()
    };
    let (xs, ws) = (slots(&mut rng, x_slots), slots(&mut rng, w_slots));
    let y = gpu.upload("y", &vec![u32::MAX; (blocks * outputs * 4 * quads) as usize]);
    let stage = Linear::new(gpu)?;
    let uniform = gpu.uniform("params", &params);
    let (xb, xsb) = (gpu.upload("x", &x), gpu.upload("x slots", &xs));
    let (wb, wsb) = (gpu.upload("w", &w), gpu.upload("w slots", &ws));
    gpu.submit(|pass| {
        stage.encode(pass, (&params, &uniform), (&xb, &xsb), (&wb, &wsb), &y, blocks);
    })?;
    let want = reference(&params, gpu.adapter().arithmetic, (&x, &xs), (&w, &ws));
    Ok(same_floats("linear", &gpu.read(&y)?, &want))
}
