//! The tensors of a Hugging Face folder: one safetensors file, or several that an index names. Only headers
//! are read until it is known which tensors are wanted.

use super::read_json;
use crate::op::{Dtype, Shape, checked_words};
use crate::workload::data::Stored;
use crate::workload::{Error, Mismatch};
use safetensors::tensor::Metadata;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The one file of a small model.
const SINGLE: &str = "model.safetensors";
/// The index of several files.
const INDEX: &str = "model.safetensors.index.json";
/// Bytes of a header, at most, as the format has it.
const HEADER_BYTES_MAX: u64 = 100_000_000;

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Where a tensor lies.
#[derive(Debug)]
struct Entry {
    file: usize,
    dtype: safetensors::Dtype,
    shape: Vec<usize>,
    /// The first byte in the file, and the one after the last.
    bytes: [u64; 2],
}

impl Entry {
    /// The type that it is stored as, where ops read that.
    const fn stored_as(&self) -> Option<Dtype> {
        match self.dtype {
            safetensors::Dtype::F32 => Some(Dtype::F32),
            safetensors::Dtype::F16 => Some(Dtype::F16),
            safetensors::Dtype::BF16 => Some(Dtype::Bf16),
            _ => None,
        }
    }
}

/// The tensors by name.
#[derive(Debug)]
pub(super) struct Tensors {
    folder: PathBuf,
    files: Vec<PathBuf>,
    entries: BTreeMap<String, Entry>,
    /// What stands before `layers` in names: `model.`, or nothing where the decoder was saved alone.
    prefix: &'static str,
}

impl Tensors {
    /// Reads the headers of the folder's files.
    ///
    /// # Errors
    /// A file that is missing, truncated or no safetensors file, and an index that names a file elsewhere.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let index = folder.join(INDEX);
        let (names, mapped) = match index.is_file() && !folder.join(SINGLE).is_file() {
            true => {
                let Index { weight_map } = read_json(&index)?;
                let names: BTreeSet<String> = weight_map.values().cloned().collect();
                (names, Some(weight_map))
            }
            false => (BTreeSet::from([SINGLE.to_owned()]), None),
        };
        let mut files = Vec::new();
        let mut entries = BTreeMap::new();
        for (number, name) in names.iter().enumerate() {
            let inside = Path::new(name).file_name().is_some_and(|file| file == name.as_str());
            if !inside {
                let expected = "names of files in the folder itself";
                return Err(Mismatch::new(expected, format!("{name:?}")).in_data(&index));
            }
            let path = folder.join(name);
            for (tensor, entry) in header(&path, number)? {
                let wanted = mapped.as_ref().is_none_or(|map| map.get(&tensor) == Some(name));
                if wanted {
                    entries.insert(tensor, entry);
                }
            }
            files.push(path);
        }
        if let Some(missing) =
            mapped.iter().flat_map(BTreeMap::keys).find(|name| !entries.contains_key(*name))
        {
            let expected = format!("a tensor `{missing}` in the file that the index says");
            return Err(Mismatch::new(expected, "none").in_data(&index));
        }
        let prefix = if entries.contains_key("embed_tokens.weight") { "" } else { "model." };
        Ok(Self { folder: folder.to_owned(), files, entries, prefix })
    }

    /// A tensor's name in the folder.
    fn name<'n>(&self, name: &'n str) -> &'n str {
        match self.prefix {
            "" => name.strip_prefix("model.").unwrap_or(name),
            _ => name,
        }
    }

    /// Whether there is a tensor of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(self.name(name))
    }

    /// The name in the folder of a tensor that must be there in this shape.
    ///
    /// # Errors
    /// Where it is not there, or has another shape or type.
    pub(super) fn expect(&self, name: &str, shape: &[usize]) -> Result<String, Error> {
        let name = self.name(name);
        let refuse = |expected: String, found: String, file: &Path| {
            Err(Mismatch::new(expected, found).in_data(file))
        };
        let Some(entry) = self.entries.get(name) else {
            return refuse(format!("a tensor `{name}`"), "none".into(), &self.folder);
        };
        let file = &self.files[entry.file];
        if entry.shape != shape || checked_words(shape).is_none() {
            let expected = format!("`{name}` of shape {}, as config.json says", Shape(shape));
            return refuse(expected, Shape(&entry.shape).to_string(), file);
        }
        if entry.stored_as().is_none() {
            return refuse(format!("`{name}` of F32, F16 or BF16"), entry.dtype.to_string(), file);
        }
        Ok(name.to_owned())
    }

    /// Refuses a bias of another type than its weight.
    ///
    /// # Errors
    /// With the names and types of both.
    pub(super) fn expect_alike(&self, [weight, bias]: [&str; 2]) -> Result<(), Error> {
        let [of_weight, of_bias] = [weight, bias].map(|name| &self.entries[name]);
        if of_weight.dtype == of_bias.dtype {
            return Ok(());
        }
        let expected = format!("`{bias}` of {}, as `{weight}`", of_weight.dtype);
        let found = of_bias.dtype.to_string();
        Err(Mismatch::new(expected, found).in_data(&self.files[of_bias.file]))
    }

    /// The tensors that no op reads, of which these are read.
    pub(super) fn unused(&self, read: &[String]) -> Vec<&str> {
        let read: BTreeSet<&String> = read.iter().collect();
        self.entries.keys().filter(|name| !read.contains(name)).map(String::as_str).collect()
    }

    /// Reads these tensors.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn read(&self, names: Vec<String>) -> Result<BTreeMap<String, Stored>, Error> {
        let mut all = BTreeMap::new();
        for name in names {
            let entry = &self.entries[&name];
            let path = &self.files[entry.file];
            let read = |source| Error::Read { path: path.clone(), source };
            #[expect(clippy::cast_possible_truncation, reason = "the shape fits 32-bit indices")]
            let bytes = (entry.bytes[1] - entry.bytes[0]) as usize;
            let mut words = vec![0u32; bytes.div_ceil(4)];
            let mut file = File::open(path).map_err(read)?;
            file.seek(SeekFrom::Start(entry.bytes[0])).map_err(read)?;
            file.read_exact(&mut bytemuck::cast_slice_mut(&mut words)[..bytes]).map_err(read)?;
            words.iter_mut().for_each(|word| *word = u32::from_le(*word));
            let dtype = entry.stored_as().unwrap_or_default();
            all.insert(name, Stored { shape: entry.shape.clone(), dtype, words });
        }
        Ok(all)
    }
}

/// The tensors of a file by its header, which is held to the file's length.
fn header(path: &Path, number: usize) -> Result<Vec<(String, Entry)>, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let wrong = |found: String| Mismatch::new("a safetensors file", found).in_data(path);
    let mut file = File::open(path).map_err(read)?;
    let length = file.metadata().map_err(read)?.len();
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(|_| wrong(format!("{length} bytes")))?;
    let size = u64::from_le_bytes(size);
    if size > HEADER_BYTES_MAX || size > length - 8 {
        return Err(wrong(format!("a header of {size} bytes in a file of {length} (truncated?)")));
    }
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes).map_err(read)?;
    let metadata: Metadata =
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let data = length - 8 - size;
    let last = metadata.data_len() as u64;
    if last != data {
        return Err(wrong(format!("tensors of {last} bytes, and {data} in the file (truncated?)")));
    }
    let mut entries = Vec::new();
    for (name, info) in metadata.tensors() {
        let [begin, end] = [info.data_offsets.0, info.data_offsets.1].map(|at| at as u64);
        let bits = info.shape.iter().try_fold(info.dtype.bitsize(), |n, side| n.checked_mul(*side));
        let bytes = bits.filter(|bits| bits % 8 == 0).map(|bits| bits as u64 / 8);
        if begin > end || end > data || bytes != Some(end - begin) {
            let found = format!("`{name}` from byte {begin} to {end} of {data}");
            return Err(wrong(found));
        }
        let bytes = [begin, end].map(|at| at + 8 + size);
        let entry = Entry { file: number, dtype: info.dtype, shape: info.shape.clone(), bytes };
        entries.push((name, entry));
    }
    Ok(entries)
}
