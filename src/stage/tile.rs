//! The kernels of linear and conv2d: an invocation computes 8 outputs of one or more quads of rows, so
//! that each weight that it loads, votes or decodes serves them all.

use super::stored::{Form, Stored, separately};
use super::{Check, all_of, same_bits, same_floats};
use crate::gpu::{Arithmetic, Binding, Buffer, Error, Gpu, Kernel, Pass, Source};
use bytemuck::Pod;
use std::marker::PhantomData;

/// Outputs that one invocation computes.
const OUTPUTS: u32 = 8;
/// Invocations in a workgroup.
const GROUP: u32 = 32;
/// Quads of rows that one invocation can compute. Sums of eight are more than the registers that
/// hardware gives an invocation.
const QUADS: [u32; 3] = [1, 4, 8];
/// The most for hardware.
const HARDWARE_QUADS: u32 = 4;
/// Invocations that hardware is given before any of them computes more than one quad.
const HARDWARE_INVOCATIONS: u64 = 1 << 16;

/// Parameters of an op that computes tiles.
pub trait Params: Pod {
    /// The shader's name.
    const SHADER: &'static str;
    /// Row quads of a block.
    fn quads(&self) -> u32;
    /// Places of an output that its weights serve (pixels).
    fn cells(&self) -> u32;
    /// Outputs (features, channels).
    fn outputs(&self) -> u32;
    /// The same with weights that lie otherwise: words between slots, copies and check words.
    fn placed(self, w_stride: u32, stored: Stored) -> Self;
    /// The op on the CPU; `traps` `[slot]` is only for the form that decodes.
    fn reference(
        &self,
        form: Form,
        arithmetic: Arithmetic,
        x: (&[u32], &[u32]),
        w: (&[u32], &[u32]),
        traps: &mut [u32],
    ) -> Vec<u32>;
}

/// The kernels of one form of an op, by the quads that an invocation computes.
#[derive(Debug)]
pub struct Tiles<P> {
    form: Form,
    software: bool,
    kernels: Vec<(u32, Kernel)>,
    params: PhantomData<P>,
}

impl<P: Params> Tiles<P> {
    /// Builds the kernels that read weights as they lie.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn new(gpu: &Gpu) -> Result<Self, Error> {
        Self::stored(gpu, Form::Bare)
    }

    /// Builds the kernels that read weights so.
    ///
    /// # Errors
    /// Where the shader does not compile.
    pub fn stored(gpu: &Gpu, form: Form) -> Result<Self, Error> {
        let most = if gpu.adapter().software { u32::MAX } else { HARDWARE_QUADS };
        Self::with(gpu, form, QUADS.into_iter().filter(|quads| *quads <= most))
    }

    /// Builds one kernel, whose width `seed` chooses.
    fn any(gpu: &Gpu, form: Form, seed: u64) -> Result<Self, Error> {
        Self::with(gpu, form, [QUADS[(seed / 3 % 3) as usize]])
    }

    fn with(gpu: &Gpu, form: Form, widths: impl IntoIterator<Item = u32>) -> Result<Self, Error> {
        let entry = if form == Form::Decoded { "trapping" } else { "main" };
        let kernel = |quads: u32| {
            let constants = [
                ("GROUP", f64::from(GROUP)),
                ("QUADS", f64::from(quads)),
                ("STORAGE", form.constant()),
            ];
            Ok((quads, Kernel::new(gpu, Source::named(P::SHADER), entry, &constants)?))
        };
        let kernels = widths.into_iter().map(kernel).collect::<Result<_, Error>>()?;
        Ok(Self { form, software: gpu.adapter().software, kernels, params: PhantomData })
    }

    /// Records the op for `blocks` blocks. `uniform` holds `params`.
    ///
    /// # Panics
    /// In the form that decodes, which needs a place for its traps.
    pub fn encode(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&P, &Buffer<P>),
        x: (&Buffer<u32>, &Buffer<u32>),
        w: (&Buffer<u32>, &Buffer<u32>),
        y: &Buffer<u32>,
        blocks: u32,
    ) {
        assert!(self.form != Form::Decoded, "{:?} needs traps", self.form);
        self.dispatch(pass, params, [uniform, x.0, x.1, w.0, w.1, y], blocks);
    }

    /// Records the op in the form that decodes: as [`Tiles::encode`], and the trap word of a slot gets
    /// [`super::inject::TRAP_ECC`] where a word that was read could not be corrected.
    ///
    /// # Panics
    /// In any other form.
    pub fn encode_trapping(
        &self,
        pass: &mut Pass<'_>,
        (params, uniform): (&P, &Buffer<P>),
        x: (&Buffer<u32>, &Buffer<u32>),
        w: (&Buffer<u32>, &Buffer<u32>),
        (y, traps): (&Buffer<u32>, &Buffer<u32>),
        blocks: u32,
    ) {
        assert!(self.form == Form::Decoded, "{:?} has no traps", self.form);
        self.dispatch(pass, params, [uniform, x.0, x.1, w.0, w.1, y, traps], blocks);
    }

    fn dispatch<const N: usize>(
        &self,
        pass: &mut Pass<'_>,
        params: &P,
        buffers: [&dyn Binding; N],
        blocks: u32,
    ) {
        let widths = self.kernels.iter().map(|(quads, _)| *quads);
        let Some(quads) = best(widths, self.software, params, blocks) else { return };
        if let Some((_, kernel)) = self.kernels.iter().find(|(width, _)| *width == quads) {
            let mut groups = pass.fold(invocations(params, quads), GROUP);
            groups[2] = blocks;
            kernel.dispatch(pass, buffers, groups);
        }
    }
}

/// Invocations of a block where each computes so many quads.
fn invocations<P: Params>(params: &P, quads: u32) -> u64 {
    let strips = u64::from(params.quads().div_ceil(quads));
    strips * u64::from(params.cells()) * u64::from(params.outputs().div_ceil(OUTPUTS))
}

/// The best of these numbers of quads, the largest of those that are alike. Software spends its time on
/// loads, 8 weights and 4 values a quad; hardware needs invocations.
fn best<P: Params>(
    widths: impl Iterator<Item = u32>,
    software: bool,
    params: &P,
    blocks: u32,
) -> Option<u32> {
    let cost = |quads: u32| match software {
        true => invocations(params, quads) * u64::from(OUTPUTS + 4 * quads),
        false => {
            HARDWARE_INVOCATIONS.saturating_sub(invocations(params, quads) * u64::from(blocks))
        }
    };
    widths.min_by_key(|quads| (cost(*quads), std::cmp::Reverse(*quads)))
}

/// What an op is held to its reference on: values and weights with the slot of every block, and the words
/// between slots of the weights.
pub(super) struct Problem<P> {
    pub params: P,
    pub x: (Vec<u32>, Vec<u32>),
    pub w: (Vec<u32>, Vec<u32>),
    pub stored: Stored,
    pub stride: u32,
    /// Whether all blocks read slot 0.
    pub shared: bool,
}

/// Holds an op to its reference in every form, and the forms that protect to their stage and the bare op
/// after it.
///
/// # Errors
/// Where the GPU fails.
pub(super) fn hold<P: Params>(
    gpu: &Gpu,
    seed: u64,
    problem: impl Fn(Form) -> Problem<P>,
) -> Result<Check, Error> {
    let mut checks = Vec::new();
    for form in [Form::Bare, Form::Voted, Form::Decoded] {
        let Problem { params, x, w, stored, stride, shared } = problem(form);
        let slots = w.0.len() / stride as usize;
        let placed = |stride, stored| params.placed(if shared { 0 } else { stride }, stored);
        let run =
            |form: Form, params: &P, words: &[u32]| run(gpu, seed, form, params, &x, (words, &w.1));
        let mut traps = vec![0; slots];
        let arithmetic = gpu.adapter().arithmetic;
        let own = placed(stride, stored);
        let want = own.reference(form, arithmetic, (&x.0, &x.1), (&w.0, &w.1), &mut traps);
        let (y, found) = run(form, &own, &w.0)?;
        let (plain, plain_stride) = separately(gpu, form, stored, stride, &w.0)?;
        let separate = run(Form::Bare, &placed(plain_stride, Stored::default()), &plain)?.0;
        checks.push(same_floats(P::SHADER, &y, &want));
        checks.push(same_bits(P::SHADER, &found[..slots], &traps));
        checks.push(same_floats(P::SHADER, &y, &separate));
    }
    Ok(all_of(checks))
}

/// What the op gives on the GPU, and the traps of every slot.
fn run<P: Params>(
    gpu: &Gpu,
    seed: u64,
    form: Form,
    params: &P,
    x: &(Vec<u32>, Vec<u32>),
    w: (&[u32], &[u32]),
) -> Result<(Vec<u32>, Vec<u32>), Error> {
    let words = w.1.len() * (params.outputs() * params.cells() * 4 * params.quads()) as usize;
    let y = gpu.upload("y", &vec![u32::MAX; words]);
    let stage = Tiles::<P>::any(gpu, form, seed)?;
    let uniform = gpu.uniform("params", params);
    let blocks = u32::try_from(w.1.len()).unwrap_or(u32::MAX);
    let (xb, xsb) = (gpu.upload("x", &x.0), gpu.upload("x slots", &x.1));
    let (wb, wsb) = (gpu.upload("w", w.0), gpu.upload("w slots", w.1));
    let traps: Buffer<u32> = gpu.zeroed("traps", w.0.len());
    let (x, w) = ((&xb, &xsb), (&wb, &wsb));
    gpu.submit(|pass| match form {
        Form::Decoded => {
            stage.encode_trapping(pass, (params, &uniform), x, w, (&y, &traps), blocks);
        }
        _ => stage.encode(pass, (params, &uniform), x, w, &y, blocks),
    })?;
    Ok((gpu.read(&y)?, gpu.read(&traps)?))
}

#[cfg(test)]
mod tests {
    use super::super::linear::LinearParams;
    use super::*;

    fn width(software: bool, rows: u32, outputs: u32, blocks: u32) -> u32 {
        let mut params: LinearParams = bytemuck::Zeroable::zeroed();
        (params.quads, params.outputs) = (rows.div_ceil(4), outputs);
        best(QUADS.into_iter(), software, &params, blocks).expect("a width")
    }

    #[test]
    fn software_makes_the_fewest_loads() {
        assert_eq!(width(true, 1, 10, 1), 1);
        assert_eq!(width(true, 12, 10, 1), 4, "one of 24 loads for three of 12");
        assert_eq!(width(true, 16, 10, 64), 4);
        assert_eq!(width(true, 36, 10, 1), 4, "three of 24 loads for two of 40");
        assert_eq!(width(true, 128, 10, 1), 8);
    }

    #[test]
    fn hardware_is_given_invocations_before_quads() {
        assert_eq!(width(false, 128, 80, 64), 1, "20,480 invocations at most");
        assert_eq!(width(false, 128, 1024, 64), 4, "65,536 with four quads");
        assert_eq!(width(false, 128, 1024, 128), 8, "65,536 with eight");
    }
}
