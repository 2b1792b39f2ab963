//! Archives changed by a stranger who knows how they are made: digests are those of the changed rows.
#![allow(dead_code, reason = "each test uses a part")]

use bytemuck::NoUninit;
use hdf5::types::FixedUnicode;
use hdf5::{Dataset, File, H5Type};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// Opens a file for a change.
pub(crate) fn open(path: &Path) -> File {
    File::open_rw(path).expect("a file")
}

/// Writes the digest of a table's rows as they are now.
pub(crate) fn rehash<T: H5Type + NoUninit>(table: &Dataset) {
    let rows = if table.size() == 0 { Vec::new() } else { table.read_raw::<T>().expect("rows") };
    let digest = Sha256::digest(bytemuck::cast_slice::<T, u8>(&rows));
    let text = digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let text: FixedUnicode<64> = text.parse().expect("a digest");
    table.delete_attr("sha256").expect("a removed digest");
    let digest = table.new_attr::<FixedUnicode<64>>().create("sha256").expect("an attribute");
    digest.write_scalar(&text).expect("a digest");
}

/// Changes rows of a table.
pub(crate) fn rows<T: H5Type + NoUninit>(
    path: &Path,
    table: &str,
    change: impl FnOnce(&mut Vec<T>),
) {
    let table = open(path).dataset(table).expect("a table");
    let mut rows = table.read_raw::<T>().expect("rows");
    let count = rows.len();
    change(&mut rows);
    if rows.len() != count {
        table.resize([rows.len()]).expect("another size");
    }
    table.write_raw(&rows).expect("rows");
    rehash::<T>(&table);
}

/// The JSON of a dataset.
pub(crate) fn json(path: &Path, dataset: &str) -> Value {
    let table = File::open(path).and_then(|file| file.dataset(dataset)).expect("a dataset");
    serde_json::from_slice(&table.read_raw::<u8>().expect("bytes")).expect("JSON")
}

/// Replaces the bytes of a text.
pub(crate) fn text(path: &Path, dataset: &str, bytes: &[u8]) {
    rows::<u8>(path, dataset, |text| *text = bytes.to_vec());
}

/// Changes the value at a pointer of the JSON of a dataset; `None` removes it.
pub(crate) fn put(path: &Path, dataset: &str, pointer: &str, value: Option<Value>) {
    let mut all = json(path, dataset);
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match (all.pointer_mut(parent).expect("a parent"), value) {
        (Value::Object(of), Some(value)) => drop(of.insert(name.to_owned(), value)),
        (Value::Object(of), None) => drop(of.remove(name)),
        (Value::Array(of), value) => {
            let at: usize = name.parse().expect("an index");
            match value {
                Some(value) => of[at] = value,
                None => drop(of.remove(at)),
            }
        }
        (other, _) => panic!("{pointer}: {other} has no parts"),
    }
    text(path, dataset, all.to_string().as_bytes());
}

/// The pointers of all values in some JSON, those of objects and lists with them.
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        let mut visit = |name: &str, value: &Value| {
            let at = format!("{at}/{name}");
            found.push(at.clone());
            walk(value, &at, found);
        };
        match value {
            Value::Object(of) => of.iter().for_each(|(name, value)| visit(name, value)),
            Value::Array(of) => {
                of.iter().enumerate().for_each(|(at, value)| visit(&at.to_string(), value));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}
