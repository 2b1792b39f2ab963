//! The `.npy` format of `NumPy`, versions 1 to 3 (NEP 1): a header in Python's notation, then the
//! elements.

use super::{Array, Mismatch, Number, Shape};

/// The longest header accepted; `NumPy` itself writes 118 bytes for most arrays.
const HEADER_BYTES_MAX: usize = 1 << 16;

/// What a file starts with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an array. Nothing is allocated for its elements: they stay those of `bytes`.
///
/// # Errors
/// What is no `.npy` file, is truncated or longer than its header says, or holds Python objects,
/// records or texts.
pub(super) fn parse(bytes: &[u8]) -> Result<Array<'_>, Mismatch> {
    let truncated = || Mismatch::new("a whole .npy file", format!("{} bytes", bytes.len()));
    if !bytes.starts_with(MAGIC) {
        let found = match bytes {
            [b'P', b'K', ..] => "an archive (.npz): save the array that is meant with numpy.save",
            [0x80, 2..=5, ..] => "a Python pickle, which may run code: save it with numpy.save",
            _ => "no NUMPY magic at its start",
        };
        return Err(Mismatch::new("a .npy file", found));
    }
    let (start, length) = match bytes.get(6).ok_or_else(truncated)? {
        1 => (10, bytes.get(8..10).map(|b| usize::from(b[0]) | usize::from(b[1]) << 8)),
        2 | 3 => {
            (12, bytes.get(8..12).map(|b| b.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b))))
        }
        other => return Err(Mismatch::new(".npy version 1, 2 or 3", format!("version {other}"))),
    };
    let length = length.ok_or_else(truncated)?;
    if length > HEADER_BYTES_MAX {
        let expected = format!("a .npy header of at most {HEADER_BYTES_MAX} bytes");
        return Err(Mismatch::new(expected, format!("{length} bytes")));
    }
    let header = bytes.get(start..start + length).ok_or_else(truncated)?;
    let header = str::from_utf8(header)
        .map_err(|_| Mismatch::new("a .npy header in ASCII or UTF-8", "other bytes"))?;
    let Header { dtype, first_fastest, shape } = self::header(header)?;
    let (number, size) = number(&dtype)?;

    let data = &bytes[start + length..];
    let needed = shape.iter().try_fold(size, |product, dim| product.checked_mul(*dim));
    if needed != Some(data.len()) {
        let expected = match needed {
            Some(needed) => format!("{needed} bytes of elements for shape {}", Shape(&shape)),
            None => format!("a shape that fits this machine, not {}", Shape(&shape)),
        };
        return Err(Mismatch::new(expected, format!("{} bytes", data.len())));
    }
    // An order is one of several indices that take more than one value.
    let first_fastest = first_fastest && shape.iter().filter(|dim| **dim > 1).count() > 1;
    Ok(Array { shape, number, dtype, first_fastest, data })
}

/// A `.npy` file of 32-bit floats of this shape, from their bits, the last index changing fastest.
///
/// Format: NEP 1, version 1.0.
pub fn npy_of_floats(shape: &[usize], words: &[u32]) -> Vec<u8> {
    npy("<f4", shape, words)
}

/// A `.npy` file of whole numbers of 32 bits of this shape, the last index changing fastest.
///
/// Format: NEP 1, version 1.0.
pub(in crate::workload) fn npy_of_whole(shape: &[usize], words: &[u32]) -> Vec<u8> {
    npy("<u4", shape, words)
}

fn npy(dtype: &str, shape: &[usize], words: &[u32]) -> Vec<u8> {
    let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
    let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({sides}), }}");
    // Data begins at a multiple of 64 bytes, behind a new line.
    let before = 10;
    let padded = (before + header.len() + 1).next_multiple_of(64) - before;
    let length = u16::try_from(padded).unwrap_or(u16::MAX).to_le_bytes();
    let mut bytes = [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes()].concat();
    bytes.resize(before + padded - 1, b' ');
    bytes.push(b'\n');
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes
}

/// Whether `NumPy` cannot make a number of a type's elements.
pub(super) fn is_no_number(dtype: &str) -> bool {
    !matches!(
        dtype.trim_start_matches(['<', '>', '|', '=']).chars().next(),
        Some('f' | 'i' | 'u' | 'b')
    )
}

/// How the elements of a type are stored, and the bytes of one.
fn number(dtype: &str) -> Result<(Number, usize), Mismatch> {
    let refused = |found: String| Err(Mismatch::new("elements of one plain type", found));
    let mut letters = dtype.chars();
    let (order, kind) = (letters.next(), letters.next());
    let size = letters.as_str().parse::<usize>().ok();
    match (order, kind, size) {
        (_, Some('O'), _) => refused(format!(
            "{dtype}, Python objects, which need pickle and may run code: make numbers of them \
             before they are saved"
        )),
        (Some('<' | '|'), Some('f'), Some(size)) => Ok((Number::Float(size), size)),
        (Some('<' | '|'), Some('i'), Some(size)) => Ok((Number::Signed(size), size)),
        (Some('<' | '|'), Some('u'), Some(size)) => Ok((Number::Unsigned(size), size)),
        (Some('>'), Some('i'), Some(1)) => Ok((Number::Signed(1), 1)),
        (Some('>'), Some('u'), Some(1)) => Ok((Number::Unsigned(1), 1)),
        (Some('<' | '>' | '|'), Some('f' | 'i' | 'u' | 'b' | 'c' | 'V' | 'S'), Some(size)) => {
            Ok((Number::Other, size))
        }
        _ => refused(dtype.to_owned()),
    }
}

/// What a header says.
struct Header {
    dtype: String,
    first_fastest: bool,
    shape: Vec<usize>,
}

/// Reads a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (512, 64), }`.
fn header(text: &str) -> Result<Header, Mismatch> {
    let value = |key: &str| {
        let after = text.split_once(&format!("'{key}'")).map(|(_, after)| after.trim_start());
        match after.and_then(|after| after.strip_prefix(':')) {
            Some(after) => Ok(after.trim_start()),
            None => Err(Mismatch::new(format!("a .npy header with '{key}'"), text.trim_end())),
        }
    };
    let dtype = value("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let Some((dtype, _)) = dtype else {
        let found = "a structured type: save one of its fields with numpy.save";
        return Err(Mismatch::new("elements of one plain type", found));
    };
    let order = value("fortran_order")?;
    let first_fastest = order.starts_with("True");
    if !first_fastest && !order.starts_with("False") {
        let found = order.chars().take(20).collect::<String>();
        return Err(Mismatch::new("'fortran_order' of True or False", found));
    }
    let shape = value("shape")?;
    let dims = shape.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let dims = dims.map(|(dims, _)| {
        dims.trim_end_matches(',').split(',').map(str::trim).filter(|dim| !dim.is_empty())
    });
    match dims.map(|dims| dims.map(str::parse).collect()) {
        Some(Ok(shape)) => Ok(Header { dtype: dtype.to_owned(), first_fastest, shape }),
        _ => Err(Mismatch::new("a shape of whole numbers", shape.trim_end())),
    }
}
