//! Data files: `.npy` and safetensors, read strictly, and tensors generated from a seed.
//!
//! Float elements of 32 bits stay the bits of the file: a NaN keeps its payload on the way to the
//! memory under test.

use super::{Error, Mismatch};
use crate::seed::{Domain, stream};
use rand::Rng;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

/// The longest `.npy` header accepted; `NumPy` itself writes 118 bytes for every array here.
const HEADER_BYTES_MAX: usize = 1 << 16;

/// An array as `NumPy` means it: a shape and elements of one type, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct NpyArray {
    /// Its shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// Its elements.
    pub elements: Elements,
}

/// The elements of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// 32-bit floats, as their bits.
    F32(Vec<u32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 64-bit signed integers.
    I64(Vec<i64>),
    /// 32-bit signed integers.
    I32(Vec<i32>),
    /// Bytes.
    U8(Vec<u8>),
}

impl Elements {
    /// The type's name, as safetensors has it.
    pub const fn dtype(&self) -> &'static str {
        match self {
            Self::F32(_) => "F32",
            Self::F64(_) => "F64",
            Self::I64(_) => "I64",
            Self::I32(_) => "I32",
            Self::U8(_) => "U8",
        }
    }

    /// The number of elements.
    pub const fn len(&self) -> usize {
        match self {
            Self::F32(words) => words.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    /// Whether there are no elements.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Self> {
        Some(match dtype {
            Dtype::F32 => Self::F32(decode(bytes, u32::from_le_bytes)),
            Dtype::F64 => Self::F64(decode(bytes, f64::from_le_bytes)),
            Dtype::I64 => Self::I64(decode(bytes, i64::from_le_bytes)),
            Dtype::I32 => Self::I32(decode(bytes, i32::from_le_bytes)),
            Dtype::U8 => Self::U8(bytes.to_vec()),
            _ => return None,
        })
    }
}

fn decode<const N: usize, T>(bytes: &[u8], element: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| element(*chunk)).collect()
}

/// Reads a `.npy` file of version 1 or 2: little-endian, row-major.
///
/// # Errors
/// A file that cannot be read, is truncated or longer than its header says, or holds what is not
/// listed in [`Elements`].
pub fn read_npy(path: &Path) -> Result<NpyArray, Error> {
    parse_npy(&read(path)?).map_err(|mismatch| mismatch.in_data(path))
}

/// Reads one array: a `.npy` file, or the named tensor of a safetensors file.
pub(super) fn read_array(path: &Path, tensor: Option<&str>) -> Result<NpyArray, Error> {
    let wrong = |expected: String, found: String| Err(Mismatch { expected, found }.in_data(path));
    match (path.extension().and_then(|extension| extension.to_str()), tensor) {
        (Some("npy"), None) => read_npy(path),
        (Some("npy"), Some(name)) => {
            wrong("no tensor name for a .npy file".into(), format!("tensor `{name}`"))
        }
        (Some("safetensors"), None) => wrong("a tensor name with it".into(), "none".into()),
        (Some("safetensors"), Some(name)) => {
            let bytes = read(path)?;
            let file = parse_safetensors(path, &bytes)?;
            let Ok(view) = file.tensor(name) else {
                return wrong(format!("a tensor `{name}`"), list(file.names()));
            };
            match Elements::from_bytes(view.dtype(), view.data()) {
                Some(elements) => Ok(NpyArray { shape: view.shape().to_vec(), elements }),
                None => wrong(
                    format!("tensor `{name}` of F32, F64, I64, I32 or U8"),
                    view.dtype().to_string(),
                ),
            }
        }
        _ => wrong("a name that ends in .npy or .safetensors".into(), "another".into()),
    }
}

/// A stored tensor before it has a place in the image: shape and words.
pub(super) type Stored = (Vec<usize>, Vec<u32>);

/// Reads every tensor of a safetensors file of weights.
pub(super) fn read_weights(path: &Path) -> Result<BTreeMap<String, Stored>, Error> {
    let bytes = read(path)?;
    let file = parse_safetensors(path, &bytes)?;
    file.tensors()
        .into_iter()
        .map(|(name, view)| match Elements::from_bytes(view.dtype(), view.data()) {
            Some(Elements::F32(words)) => Ok((name, (view.shape().to_vec(), words))),
            _ => Err(Mismatch::new(
                "weights of F32, the only type so far",
                format!("tensor `{name}` of {}", view.dtype()),
            )
            .in_data(path)),
        })
        .collect()
}

/// Words drawn uniformly from the multiples of 2⁻²³ in [−1, 1), times `scale`.
///
/// `key` names the tensor within the seed. The draws are exact and the product rounds once, so the
/// words are the same on every machine.
pub(super) fn generate(seed: u64, key: u64, scale: f32, count: usize) -> Vec<u32> {
    let mut draws = stream(seed, Domain::Generate, &[key]);
    let word = |draw: u32| {
        #[expect(clippy::cast_precision_loss, reason = "24 bits fit the significand")]
        let unit = (draw >> 8) as f32 / 8_388_608.0 - 1.0;
        (unit * scale).to_bits()
    };
    (0..count).map(|_| word(draws.next_u32())).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

fn parse_safetensors<'a>(path: &Path, bytes: &'a [u8]) -> Result<SafeTensors<'a>, Error> {
    SafeTensors::deserialize(bytes).map_err(|error| {
        let found = match error {
            SafeTensorError::MetadataIncompleteBuffer
            | SafeTensorError::InvalidHeaderLength
            | SafeTensorError::HeaderTooSmall => format!(
                "{} bytes, which is not the length its header says (truncated?)",
                bytes.len()
            ),
            other => other.to_string(),
        };
        Mismatch::new("a safetensors file", found).in_data(path)
    })
}

fn parse_npy(bytes: &[u8]) -> Result<NpyArray, Mismatch> {
    let truncated = || Mismatch::new("a whole .npy file", format!("{} bytes", bytes.len()));
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(Mismatch::new("a .npy file", "no NUMPY magic at its start"));
    }
    let (start, length) = match bytes.get(6).ok_or_else(truncated)? {
        1 => (10, bytes.get(8..10).map(|b| usize::from(b[0]) | usize::from(b[1]) << 8)),
        2 => {
            (12, bytes.get(8..12).map(|b| b.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b))))
        }
        other => return Err(Mismatch::new(".npy version 1 or 2", format!("version {other}"))),
    };
    let length = length.ok_or_else(truncated)?;
    if length > HEADER_BYTES_MAX {
        let expected = format!("a .npy header of at most {HEADER_BYTES_MAX} bytes");
        return Err(Mismatch::new(expected, format!("{length} bytes")));
    }
    let header = bytes.get(start..start + length).ok_or_else(truncated)?;
    let header = str::from_utf8(header)
        .map_err(|_| Mismatch::new("a .npy header in ASCII", "other bytes"))?;
    let (dtype, shape) = parse_header(header)?;

    let data = &bytes[start + length..];
    let size = dtype.bitsize() / 8;
    let needed = shape.iter().try_fold(size, |product, dim| product.checked_mul(*dim));
    match Elements::from_bytes(dtype, data) {
        Some(elements) if needed == Some(data.len()) => Ok(NpyArray { shape, elements }),
        _ => Err(Mismatch::new(
            match needed {
                Some(needed) => format!("{needed} bytes of elements for shape {}", Shape(&shape)),
                None => format!("a shape that fits this machine, not {}", Shape(&shape)),
            },
            format!("{} bytes", data.len()),
        )),
    }
}

/// The type and shape in a header such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (512, 64), }`.
fn parse_header(header: &str) -> Result<(Dtype, Vec<usize>), Mismatch> {
    let value = |key: &str| {
        let after = header.split_once(&format!("'{key}'")).map(|(_, after)| after.trim_start());
        match after.and_then(|after| after.strip_prefix(':')) {
            Some(after) => Ok(after.trim_start()),
            None => Err(Mismatch::new(format!("a .npy header with '{key}'"), header.trim_end())),
        }
    };
    let description = value("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let dtype = match description.map(|(name, _)| name) {
        Some("<f4") => Dtype::F32,
        Some("<f8") => Dtype::F64,
        Some("<i8") => Dtype::I64,
        Some("<i4") => Dtype::I32,
        Some("|u1" | "<u1") => Dtype::U8,
        Some(other) => {
            return Err(Mismatch::new(
                "elements of type <f4, <f8, <i8, <i4 or |u1",
                format!("`{other}`"),
            ));
        }
        None => return Err(Mismatch::new("elements of one plain type", "a structured type")),
    };
    if !value("fortran_order")?.starts_with("False") {
        let expected = "elements in row-major (C) order";
        return Err(Mismatch::new(expected, "column-major (Fortran) order"));
    }
    let shape = value("shape")?;
    let dims = shape.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let dims = dims.map(|(dims, _)| {
        dims.trim_end_matches(',').split(',').map(str::trim).filter(|dim| !dim.is_empty())
    });
    match dims.map(|dims| dims.map(str::parse).collect()) {
        Some(Ok(shape)) => Ok((dtype, shape)),
        _ => Err(Mismatch::new("a shape of whole numbers", shape.trim_end())),
    }
}

/// Names, sorted and quoted, for a message.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.sort_unstable();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// A shape as messages show it: (512, 64).
pub(super) struct Shape<'a>(pub(super) &'a [usize]);

impl std::fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "({})", dims.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        let length = header.len().to_le_bytes();
        bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn header(descr: &str, order: &str, shape: &str) -> String {
        format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}   \n")
    }

    fn found(bytes: &[u8]) -> String {
        match parse_npy(bytes) {
            Ok(array) => panic!("{array:?} was accepted"),
            Err(mismatch) => format!("expected {}, found {}", mismatch.expected, mismatch.found),
        }
    }

    #[test]
    fn npy_of_both_versions_and_every_type_reads() {
        for version in [1, 2] {
            for (descr, data, elements) in [
                ("'<f4'", vec![0, 0, 0xc0, 0x7f, 1, 0, 0, 0], Elements::F32(vec![0x7fc0_0000, 1])),
                (
                    "'<f8'",
                    [1.5_f64, -0.0].map(f64::to_le_bytes).concat(),
                    Elements::F64(vec![1.5, -0.0]),
                ),
                ("'<i8'", [-1_i64, 9].map(i64::to_le_bytes).concat(), Elements::I64(vec![-1, 9])),
                ("'<i4'", [-1_i32, 9].map(i32::to_le_bytes).concat(), Elements::I32(vec![-1, 9])),
                ("'|u1'", vec![7, 255], Elements::U8(vec![7, 255])),
            ] {
                let array = parse_npy(&npy(version, &header(descr, "False", "(2,)"), &data));
                assert_eq!(array, Ok(NpyArray { shape: vec![2], elements }));
            }
        }
        let scalar = parse_npy(&npy(1, &header("'|u1'", "False", "()"), &[3]));
        assert_eq!(scalar, Ok(NpyArray { shape: vec![], elements: Elements::U8(vec![3]) }));
    }

    #[test]
    fn npy_that_cannot_be_used_says_what_it_found() {
        let good = npy(1, &header("'<f4'", "False", "(1, 2)"), &[0; 8]);
        assert!(parse_npy(&good).is_ok());
        for (bytes, message) in [
            (
                good[..good.len() - 1].to_vec(),
                "8 bytes of elements for shape (1, 2), found 7 bytes",
            ),
            ([&good[..], &[0]].concat(), "8 bytes of elements for shape (1, 2), found 9 bytes"),
            (good[..40].to_vec(), "expected a whole .npy file, found 40 bytes"),
            (good[..7].to_vec(), "expected a whole .npy file, found 7 bytes"),
            (b"PK".to_vec(), "expected a .npy file, found no NUMPY magic"),
            (npy(3, "", &[]), "expected .npy version 1 or 2, found version 3"),
            (npy(1, &header("'>f4'", "False", "(0,)"), &[]), "found `>f4`"),
            (npy(1, &header("'<f2'", "False", "(0,)"), &[]), "found `<f2`"),
            (npy(1, &header("[('a', '<f4')]", "False", "(0,)"), &[]), "a structured type"),
            (npy(1, &header("'<f4'", "True", "(0,)"), &[]), "column-major"),
            (
                npy(1, &header("'<f4'", "False", "(-1,)"), &[]),
                "a shape of whole numbers, found (-1,)",
            ),
            (npy(1, "{'descr': '<f4'}", &[]), "a .npy header with 'fortran_order'"),
            (npy(2, &" ".repeat(HEADER_BYTES_MAX + 1), &[]), "at most 65536 bytes, found 65537"),
            (
                npy(1, &header("'<f4'", "False", "(9999999999, 9999999999)"), &[]),
                "a shape that fits this machine",
            ),
        ] {
            let found = found(&bytes);
            assert!(found.contains(message), "{found}\ndoes not say: {message}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_npy_never_panics(at in 0_usize..90, byte: u8, cut in 0_usize..100) {
            let mut bytes = npy(1, &header("'<f4'", "False", "(1, 2)"), &[0; 8]);
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(bytes.len().saturating_sub(cut % 8));
            let _ = parse_npy(&bytes);
        }
    }

    #[test]
    fn generated_words_are_uniform_and_named_by_seed_and_key() {
        let words = generate(1, 0, 2.0, 4096);
        let values: Vec<f32> = words.iter().map(|word| f32::from_bits(*word)).collect();
        assert!(values.iter().all(|value| (-2.0..2.0).contains(value)));
        let mean = values.iter().sum::<f32>() / 4096.0;
        assert!(mean.abs() < 0.1, "the mean of 4096 draws of variance 4/3 is {mean}");
        assert_eq!(words, generate(1, 0, 2.0, 4096));
        assert_ne!(words, generate(1, 1, 2.0, 4096));
        assert_ne!(words, generate(2, 0, 2.0, 4096));
    }
}
