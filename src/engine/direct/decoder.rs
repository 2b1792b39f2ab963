//! The decode stage of a code, whichever it is.

use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::scheme::Code;
use crate::stage::decode::{Decode, Place};

/// The decoder of one code.
#[derive(Debug)]
pub(super) struct Decoder {
    pub code: Code,
    stage: Decode,
}

/// Where decoded blocks go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deliver<'a> {
    /// Back to where they were read.
    InPlace,
    /// To the same words of this buffer.
    Beside(&'a Buffer<u32>),
    /// To both.
    Both(&'a Buffer<u32>),
}

impl Decoder {
    pub(super) fn new(gpu: &Gpu, code: Code) -> Result<Self, Error> {
        Ok(Self { code, stage: Decode::new(gpu, code)? })
    }

    /// Records the decoding of images; `found` `[slot, 2]` counts corrected and uncorrectable blocks.
    pub(super) fn encode(
        &self,
        (gpu, pass): (&Gpu, &mut Pass<'_>),
        place: Place,
        image: &Buffer<u32>,
        to: Deliver<'_>,
        found: &Buffer<u32>,
    ) {
        let (repair, decoded) = match to {
            Deliver::InPlace => (true, None),
            Deliver::Beside(buffer) => (false, Some(buffer)),
            Deliver::Both(buffer) => (true, Some(buffer)),
        };
        let delivered = decoded.unwrap_or(found);
        let params = self.stage.params(place, repair, decoded.is_some());
        let uniform = gpu.uniform("decode", &params);
        self.stage.encode(pass, (&params, &uniform), image, delivered, found);
    }
}
