//! The kernels of linear and conv2d: an invocation computes 8 outputs of one or more quads of rows, so
//! that each weight that it loads, votes or decodes serves them all.

use super::stored::Form;
use crate::gpu::{Binding, Buffer, Error, Gpu, Kernel, Pass, Source};
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
    pub(super) fn any(gpu: &Gpu, form: Form, seed: u64) -> Result<Self, Error> {
        Self::with(gpu, form, [QUADS[(seed % 3) as usize]])
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
        let invocations = |quads: u32| {
            params.quads().div_ceil(quads) * params.cells() * params.outputs().div_ceil(OUTPUTS)
        };
        // Software spends its time on loads, 8 weights and 4 values a quad; hardware needs invocations.
        let cost = |quads: u32| match self.software {
            true => u64::from(invocations(quads)) * u64::from(OUTPUTS + 4 * quads),
            false => HARDWARE_INVOCATIONS
                .saturating_sub(u64::from(invocations(quads)) * u64::from(blocks)),
        };
        let widest_first = self.kernels.iter().rev();
        if let Some((quads, kernel)) = widest_first.min_by_key(|(quads, _)| cost(*quads)) {
            kernel.dispatch(pass, buffers, [invocations(*quads).div_ceil(GROUP), blocks, 1]);
        }
    }
}
