//! The decode stage of a code, whichever it is.

use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::scheme::Code;
use crate::stage::crc32::Crc32;
use crate::stage::decode::{BlockParams, Decode};
use crate::stage::decode_symbols::DecodeSymbols;

/// The decoder of one code.
#[derive(Debug)]
pub(in crate::engine) struct Decoder {
    pub code: Code,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// In place, and to another image.
    Binary([Decode; 2]),
    Symbols(DecodeSymbols),
    Crc(Crc32),
}

impl Decoder {
    pub(in crate::engine) fn new(gpu: &Gpu, code: Code) -> Result<Self, Error> {
        let stage = match (code, code.symbols()) {
            (Code::Crc32, _) => Stage::Crc(Crc32::new(gpu)?),
            (_, Some(symbols)) => Stage::Symbols(DecodeSymbols::new(gpu, symbols)?),
            (_, None) => {
                Stage::Binary([Decode::new(gpu, code, false)?, Decode::new(gpu, code, true)?])
            }
        };
        Ok(Self { code, stage })
    }

    /// Records the decoding of `image`; `found` `[slot, 2]` counts corrected and uncorrectable blocks.
    pub(in crate::engine) fn encode(
        &self,
        (gpu, pass): (&Gpu, &mut Pass<'_>),
        at: BlockParams,
        image: &Buffer<u32>,
        decoded: &Buffer<u32>,
        found: &Buffer<u32>,
    ) {
        let blocks = || gpu.uniform("decode blocks", &at);
        match &self.stage {
            Stage::Binary(stages) => {
                let stage = &stages[usize::from(at.deliver != 0)];
                let params = stage.params(at);
                let uniform = gpu.uniform("decode", &params);
                stage.encode(pass, (&params, &uniform), image, decoded, found);
            }
            Stage::Symbols(stage) => stage.encode(pass, (&at, &blocks()), image, decoded, found),
            Stage::Crc(stage) => stage.encode(pass, (&at, &blocks()), image, decoded, found),
        }
    }
}
