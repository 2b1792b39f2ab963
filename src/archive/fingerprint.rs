//! What makes two runs the same experiment: resume and merge refuse rows of another.

use super::file::hex;
use crate::workload::Workload;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Digests of everything that decides a trial's rows.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The campaign's text, and the files that it names.
    pub campaign: String,
    /// The version and commit of beamline.
    pub version: String,
    /// The shaders' text.
    pub shaders: String,
    /// The stored weights and the inputs.
    pub weights: String,
    /// The adapter's name and backend.
    pub adapter: String,
    /// The driver and its version.
    pub driver: String,
    /// The golden outputs.
    pub golden: String,
}

impl Fingerprint {
    /// The parts by name, in the order of the archive.
    pub fn parts(&self) -> [(&'static str, &str); 7] {
        [
            ("campaign", &self.campaign),
            ("version", &self.version),
            ("shaders", &self.shaders),
            ("weights", &self.weights),
            ("adapter", &self.adapter),
            ("driver", &self.driver),
            ("golden", &self.golden),
        ]
    }

    /// The part `weights` of a workload: what is stored, its inputs, and what is computed of them.
    pub fn weights_of(workload: &Workload) -> String {
        let tensors = workload.tensors.iter().map(|tensor| bytemuck::cast_slice(&tensor.words));
        let stored: Vec<&[u8]> = tensors.collect();
        let inputs = bytemuck::cast_slice(&workload.inputs.words);
        let ops = format!("{:?} {:?}", workload.ops, workload.decision);
        digest_of([&stored[..], &[inputs], &[ops.as_bytes()]])
    }

    /// One digest of all parts, as reports print it.
    pub fn whole(&self) -> String {
        digest(self.parts().iter().map(|(_, part)| part.as_bytes()))
    }

    /// The names of the parts that differ.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.parts().into_iter().zip(other.parts());
        pairs.filter(|(a, b)| a.1 != b.1).map(|(a, _)| a.0).collect()
    }
}

/// The SHA-256 digest of a list of byte strings in hexadecimal: each is preceded by its length, 8
/// bytes with the least significant first.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let parts: Vec<[&[u8]; 1]> = parts.into_iter().map(|part| [part]).collect();
    digest_of(parts.iter().map(<[_; 1]>::as_slice))
}

/// [`digest`] of byte strings that lie in pieces, which follow one another.
fn digest_of<'a, 'p: 'a>(parts: impl IntoIterator<Item = &'a [&'p [u8]]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let bytes: u64 = part.iter().map(|piece| piece.len() as u64).sum();
        hash.update(bytes.to_le_bytes());
        part.iter().for_each(|piece| hash.update(piece));
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_lists_apart() {
        let pinned = digest([b"campaign".as_slice(), b"golden"]);
        assert_eq!(
            pinned, "41bf40a3c58e1b879b473dd0fba232389a6c7783f3686512c1be9d9e7db9dc9c",
            "archives already written hold digests"
        );
        let pieces = digest_of([&[b"camp".as_slice(), b"aign"][..], &[b"golden"]]);
        assert_eq!(pieces, pinned);
        assert_ne!(digest([b"ab".as_slice(), b"c"]), digest([b"a".as_slice(), b"bc"]));
        assert_ne!(digest([b"a".as_slice()]), digest([b"a".as_slice(), b""]));
    }

    #[test]
    fn the_differing_parts_are_named() {
        let here = Fingerprint { golden: "1".into(), ..Fingerprint::default() };
        let there = Fingerprint { golden: "2".into(), driver: "x".into(), ..here.clone() };
        assert_eq!(here.differing(&there), ["driver", "golden"]);
        assert_ne!(here.whole(), there.whole());
        assert!(here.differing(&here).is_empty());
    }
}
