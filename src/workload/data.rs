//! Data files: `.npy` and safetensors, read strictly, and tensors generated from a seed.
//!
//! Float elements of 32 bits stay the bits of the file: a NaN keeps its payload on the way to the
//! memory under test. Other types are not rounded here; they are refused with the line that
//! converts them.

mod npy;
#[cfg(test)]
mod tests;
mod weights;

pub use npy::npy_of_floats;
pub(super) use npy::npy_of_whole;
pub(super) use weights::read_weights;

use super::Error;
use crate::bounded;
use crate::op::{Dtype as Type, Mismatch, Shape, WORD_BITS};
use crate::seed::{Domain, stream};
use rand::Rng;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::path::Path;

/// Bytes of a data file, at most: more than any memory under test has.
const BYTES_MAX: u64 = 1 << 36;

/// How the elements of an array are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// A float of so many bytes, little-endian.
    Float(usize),
    /// A signed integer of so many bytes, little-endian.
    Signed(usize),
    /// An unsigned integer of so many bytes, little-endian.
    Unsigned(usize),
    /// A number that is stored otherwise.
    Other,
}

/// An array as a file has it.
#[derive(Debug, PartialEq, Eq)]
struct Array<'a> {
    /// Its shape; empty for a scalar.
    shape: Vec<usize>,
    number: Number,
    /// The type as the file names it.
    dtype: String,
    /// Whether the first index changes fastest (Fortran's order).
    first_fastest: bool,
    data: &'a [u8],
}

/// A stored tensor that no op has taken up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its shape.
    pub(super) shape: Vec<usize>,
    /// The type of its elements.
    pub(super) dtype: Type,
    /// An element of 32 bits for each of its places, the last index changing fastest.
    pub(super) words: Vec<u32>,
}

/// A shape, and an element of 32 bits for each of its places, the last index changing fastest.
pub type Elements = (Vec<usize>, Vec<u32>);

/// What an array is read as.
#[derive(Clone, Copy)]
enum Wanted {
    /// 32-bit floats, as their bits.
    Floats,
    /// Whole numbers of a type, in a word each, where these are such things.
    Whole(&'static str, Type),
}

impl Array<'_> {
    fn read(self, wanted: Wanted) -> Result<Elements, Mismatch> {
        let found = self.dtype.as_str();
        if self.first_fastest {
            let found = format!("{found} in column-major (Fortran) order");
            return Err(Mismatch::new(wanted.expected(), found));
        }
        let words = match (wanted, self.number) {
            (Wanted::Floats, Number::Float(4)) => Some(decode(self.data, u32::from_le_bytes)),
            (Wanted::Whole(what, dtype), Number::Signed(bytes)) => {
                whole((what, dtype), self.data, bytes, true)?
            }
            (Wanted::Whole(what, dtype), Number::Unsigned(bytes)) => {
                whole((what, dtype), self.data, bytes, false)?
            }
            _ => None,
        };
        let words = words.ok_or_else(|| Mismatch::new(wanted.expected(), found))?;
        Ok((self.shape, words))
    }
}

impl Wanted {
    fn expected(self) -> String {
        match self {
            Self::Floats => "elements of F32 (<f4)".into(),
            Self::Whole(what, _) => format!("{what} of whole numbers, such as I64 (<i8)"),
        }
    }

    /// The type that `NumPy` would convert to.
    const fn numpy(self) -> &'static str {
        match self {
            Self::Floats => "<f4",
            Self::Whole(..) => "<i8",
        }
    }

    /// The end of a converted file's name.
    const fn end(self) -> &'static str {
        match self {
            Self::Floats => "f32",
            Self::Whole(..) => "i64",
        }
    }
}

fn decode<const N: usize, T>(bytes: &[u8], element: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| element(*chunk)).collect()
}

/// The least and the largest whole number of a type.
const fn range(dtype: Type) -> (i128, i128) {
    match dtype {
        Type::I8 => (i8::MIN as i128, i8::MAX as i128),
        Type::U8 => (0, u8::MAX as i128),
        Type::U16 => (0, u16::MAX as i128),
        Type::I32 => (i32::MIN as i128, i32::MAX as i128),
        _ => (0, u32::MAX as i128),
    }
}

/// Whole numbers of so many bytes, where they are of a type; negative ones as their two's complement.
fn whole(
    (what, dtype): (&str, Type),
    data: &[u8],
    bytes: usize,
    signed: bool,
) -> Result<Option<Vec<u32>>, Mismatch> {
    if !matches!(bytes, 1 | 2 | 4 | 8) {
        return Ok(None);
    }
    let (least, most) = range(dtype);
    let word = |element: &[u8]| {
        let negative = signed && element.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut whole = [if negative { 0xff } else { 0 }; 16];
        whole[..bytes].copy_from_slice(element);
        let whole = i128::from_le_bytes(whole);
        if !(least..=most).contains(&whole) {
            return Err(Mismatch::new(format!("{what} from {least} to {most}"), whole.to_string()));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of the type")]
        Ok(whole as u32 & u32::MAX >> (WORD_BITS - dtype.bits()))
    };
    data.chunks_exact(bytes).map(word).collect::<Result<Vec<_>, _>>().map(Some)
}

/// Reads 32-bit floats: a `.npy` file, or the named tensor of a safetensors file.
///
/// # Errors
/// A file that cannot be read, is no such file, is shorter or longer than its header says, or has
/// elements of another type or order.
pub(super) fn read_floats(path: &Path, tensor: Option<&str>) -> Result<Elements, Error> {
    read_array(path, tensor, Wanted::Floats)
}

/// Reads a `.npy` file of 32-bit floats: its shape, and their bits.
///
/// # Errors
/// A file that cannot be read, is no such file, or has elements of another type or order.
pub fn read_npy(path: &Path) -> Result<Elements, Error> {
    read_floats(path, None)
}

/// Reads labels: whole numbers of any width.
///
/// # Errors
/// As [`read_floats`], and a label that is negative or above 2³² − 1.
pub(super) fn read_labels(path: &Path, tensor: Option<&str>) -> Result<Elements, Error> {
    read_array(path, tensor, Wanted::Whole("labels", Type::U32))
}

/// Reads whole numbers of a type, stored in any width: token ids, say, or pixels. A number takes the lower
/// bits of its word.
///
/// # Errors
/// As [`read_floats`], and a number that is not of the type.
pub(super) fn read_whole(
    path: &Path,
    tensor: Option<&str>,
    dtype: Type,
) -> Result<Elements, Error> {
    let what = if dtype == Type::U32 { "indices" } else { "numbers" };
    read_array(path, tensor, Wanted::Whole(what, dtype))
}

fn read_array(path: &Path, tensor: Option<&str>, wanted: Wanted) -> Result<Elements, Error> {
    let wrong = |expected: String, found: String| Err(Mismatch { expected, found }.in_data(path));
    let extension = path.extension().and_then(|extension| extension.to_str());
    match (extension, tensor) {
        (Some("npy"), Some(name)) => {
            wrong("no tensor name for a .npy file".into(), format!("tensor `{name}`"))
        }
        (Some("safetensors"), None) => wrong("a tensor name with it".into(), "none".into()),
        (Some("npy"), None) => {
            let bytes = read(path)?;
            let array = npy::parse(&bytes).map_err(|mismatch| mismatch.in_data(path))?;
            let dtype = array.dtype.clone();
            let convertible = !npy::is_no_number(&dtype);
            array.read(wanted).map_err(|mut mismatch| {
                if convertible && !mismatch.expected.contains(" from ") {
                    mismatch.found.push_str(&npy_conversion(path, wanted));
                }
                mismatch.in_data(path)
            })
        }
        (Some("safetensors"), Some(name)) => {
            let bytes = read(path)?;
            let file = parse_safetensors(path, &bytes)?;
            let Ok(view) = file.tensor(name) else {
                return wrong(format!("a tensor `{name}`"), list(file.names()));
            };
            let array = Array {
                shape: view.shape().to_vec(),
                number: number(view.dtype()),
                dtype: view.dtype().to_string(),
                first_fastest: false,
                data: view.data(),
            };
            array.read(wanted).map_err(|mismatch| mismatch.in_data(path))
        }
        (other, _) => {
            let found = match other {
                Some("npz") => ".npz, an archive of arrays: save the one that is meant as .npy",
                Some("pkl" | "pickle" | "pt" | "pth" | "ckpt" | "joblib" | "bin") => {
                    "a file that Python may run code from: save its tensors with \
                     safetensors.torch.save_file"
                }
                _ => "another",
            };
            wrong("a name that ends in .npy or .safetensors".into(), found.into())
        }
    }
}

const fn number(dtype: Dtype) -> Number {
    match dtype {
        Dtype::F32 => Number::Float(4),
        Dtype::F64 => Number::Float(8),
        Dtype::I8 => Number::Signed(1),
        Dtype::I16 => Number::Signed(2),
        Dtype::I32 => Number::Signed(4),
        Dtype::I64 => Number::Signed(8),
        Dtype::U8 => Number::Unsigned(1),
        Dtype::U16 => Number::Unsigned(2),
        Dtype::U32 => Number::Unsigned(4),
        Dtype::U64 => Number::Unsigned(8),
        _ => Number::Other,
    }
}

/// The line that makes a `.npy` file of the type and order that is read, beside the old one.
fn npy_conversion(path: &Path, wanted: Wanted) -> String {
    let to = path.with_extension(format!("{}.npy", wanted.end()));
    format!(
        "; convert it and name the new file: python3 -c 'import sys, numpy; \
         numpy.save(sys.argv[2], numpy.load(sys.argv[1]).astype(\"{}\", order=\"C\"))' {} {}",
        wanted.numpy(),
        quoted(path),
        quoted(&to)
    )
}

/// The line that makes a safetensors file of F32, beside the old one.
fn safetensors_conversion(path: &Path) -> String {
    let to = path.with_extension("f32.safetensors");
    format!(
        "; convert them and name the new file: python3 -c 'import sys; from safetensors.torch import \
         load_file, save_file; save_file({{k: v.float().contiguous() for k, v in \
         load_file(sys.argv[1]).items()}}, sys.argv[2])' {} {}",
        quoted(path),
        quoted(&to)
    )
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:,@".contains(letter);
    if text.chars().all(plain) && !text.starts_with('-') {
        text
    } else {
        let start = if text.starts_with('-') { "./" } else { "" };
        format!("'{start}{}'", text.replace('\'', "'\\''"))
    }
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
    bounded::read(path, BYTES_MAX).map_err(|source| Error::Read { path: path.to_owned(), source })
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

/// Names, sorted and quoted, for a message.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.sort_unstable();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
