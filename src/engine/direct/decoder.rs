//! The decode stage of a code, whichever it is.

use crate::gpu::{Buffer, Error, Gpu, Pass};
use crate::scheme::Code;
use crate::stage::crc32::Crc32;
use crate::stage::decode::{Decode, Place};
use crate::stage::decode_symbols::{BlockParams, DecodeSymbols};

/// The decoder of one code.
#[derive(Debug)]
pub(super) struct Decoder {
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

/// Where decoded blocks go: back to where they were read, to the same words of another image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    pub repair: bool,
    pub deliver: bool,
}

impl Decoder {
    pub(super) fn new(gpu: &Gpu, code: Code) -> Result<Self, Error> {
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
    pub(super) fn encode(
        &self,
        (gpu, pass): (&Gpu, &mut Pass<'_>),
        (place, ways): (Place, Ways),
        image: &Buffer<u32>,
        decoded: &Buffer<u32>,
        found: &Buffer<u32>,
    ) {
        if let Stage::Binary(stages) = &self.stage {
            let stage = &stages[usize::from(ways.deliver)];
            let params = stage.params(place, ways.repair);
            let uniform = gpu.uniform("decode", &params);
            return stage.encode(pass, (&params, &uniform), image, decoded, found);
        }
        let params = BlockParams {
            words: place.words,
            stride: place.stride,
            slots: place.slots,
            data_base: place.data_base,
            check_base: place.check_base,
            repair: ways.repair.into(),
            deliver: ways.deliver.into(),
            pad: 0,
        };
        let uniform = gpu.uniform("decode blocks", &params);
        match &self.stage {
            Stage::Binary(_) => {}
            Stage::Symbols(stage) => {
                stage.encode(pass, (&params, &uniform), image, decoded, found);
            }
            Stage::Crc(stage) => stage.encode(pass, (&params, &uniform), image, decoded, found),
        }
    }
}
