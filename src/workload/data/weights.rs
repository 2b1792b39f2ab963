//! The tensors of a safetensors file, read one after another: beside their words a load takes no memory.

use super::{BYTES_MAX, Stored, safetensors_conversion};
use crate::op::{self, Mismatch};
use crate::workload::Error;
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Bytes of a header, at most, as the format has it.
const HEADER_BYTES_MAX: u64 = 100_000_000;

/// Why a file was not read.
enum Wrong {
    System(std::io::Error),
    /// What a safetensors file has and this one has not.
    File(String),
    /// What is wrong with a tensor.
    Tensor(Mismatch),
}

impl From<std::io::Error> for Wrong {
    fn from(error: std::io::Error) -> Self {
        Self::System(error)
    }
}

/// Reads every tensor of a safetensors file of weights.
///
/// # Errors
/// A file that cannot be read, is no such file, is shorter or longer than its header says, or has a tensor of
/// another type.
pub(in crate::workload) fn read_weights(path: &Path) -> Result<BTreeMap<String, Stored>, Error> {
    read(path).map_err(|wrong| match wrong {
        Wrong::System(source) => Error::Read { path: path.to_owned(), source },
        Wrong::File(found) => Mismatch::new("a safetensors file", found).in_data(path),
        Wrong::Tensor(mismatch) => mismatch.in_data(path),
    })
}

fn read(path: &Path) -> Result<BTreeMap<String, Stored>, Wrong> {
    let mut file = File::open(path)?;
    let about = file.metadata()?;
    // A pipe has no length that it tells.
    let length = about.is_file().then_some(about.len());
    let cut = || {
        let bytes =
            length.map_or_else(|| "another number of bytes".into(), |l| format!("{l} bytes"));
        Wrong::File(format!("{bytes}, which is not the length its header says (truncated?)"))
    };
    let whole = |error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => cut(),
        _ => Wrong::System(error),
    };
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(whole)?;
    let size = u64::from_le_bytes(size);
    if size > HEADER_BYTES_MAX || length.is_some_and(|length| size > length) {
        return Err(cut());
    }
    let mut header = Vec::new();
    if (&mut file).take(size).read_to_end(&mut header)? as u64 != size {
        return Err(cut());
    }
    let header: Metadata =
        serde_json::from_slice(&header).map_err(|error| Wrong::File(error.to_string()))?;
    let data = header.data_len() as u64;
    if data > BYTES_MAX || length.is_some_and(|length| 8 + size + data != length) {
        return Err(cut());
    }
    let mut tensors = BTreeMap::new();
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        let dtype = match info.dtype {
            Dtype::F32 => op::Dtype::F32,
            Dtype::U32 => op::Dtype::U32,
            Dtype::F16 => op::Dtype::F16,
            Dtype::BF16 => op::Dtype::Bf16,
            Dtype::I32 => op::Dtype::I32,
            Dtype::I8 => op::Dtype::I8,
            Dtype::U8 => op::Dtype::U8,
            Dtype::U16 => op::Dtype::U16,
            other => {
                let found = format!("tensor `{name}` of {other}");
                let found = found + &safetensors_conversion(path);
                let expected = "tensors of F32, F16, BF16, U32, I32, I8, U8 or U16";
                return Err(Wrong::Tensor(Mismatch::new(expected, found)));
            }
        };
        let mut words: Vec<u32> = Vec::new();
        let bytes = info.data_offsets.1 - info.data_offsets.0;
        let count = bytes.div_ceil(4);
        words.try_reserve_exact(count).map_err(|_| std::io::Error::from(ErrorKind::OutOfMemory))?;
        words.resize(count, 0);
        file.read_exact(&mut bytemuck::cast_slice_mut(&mut words)[..bytes]).map_err(whole)?;
        words.iter_mut().for_each(|word| *word = u32::from_le(*word));
        tensors.insert(name, Stored { shape: info.shape.clone(), dtype, words });
    }
    match file.read(&mut [0])? {
        0 => Ok(tensors),
        _ => Err(cut()),
    }
}
