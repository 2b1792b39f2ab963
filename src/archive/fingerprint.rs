//! What makes two runs the same experiment: resume and merge refuse rows of another.

use crate::seed::mix;
use crate::workload::Workload;
use serde::Serialize;

/// Digests of everything that decides a trial's rows.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
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

    /// The parts by name, to be filled in.
    pub(super) fn parts_mut(&mut self) -> [(&'static str, &mut String); 7] {
        [
            ("campaign", &mut self.campaign),
            ("version", &mut self.version),
            ("shaders", &mut self.shaders),
            ("weights", &mut self.weights),
            ("adapter", &mut self.adapter),
            ("driver", &mut self.driver),
            ("golden", &mut self.golden),
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

/// A 128-bit digest of a list of byte strings in hexadecimal: FNV-1a, then a bijection that spreads short
/// strings over all bits. It guards against mistakes, not against an adversary.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let parts: Vec<[&[u8]; 1]> = parts.into_iter().map(|part| [part]).collect();
    digest_of(parts.iter().map(<[_; 1]>::as_slice))
}

/// [`digest`] of byte strings that lie in pieces, which follow one another.
///
/// Constants: draft-eastlake-fnv, section 5.
fn digest_of<'a, 'p: 'a>(parts: impl IntoIterator<Item = &'a [&'p [u8]]>) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut feed = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    };
    for part in parts {
        let bytes: u64 = part.iter().map(|piece| piece.len() as u64).sum();
        feed(&bytes.to_le_bytes());
        part.iter().for_each(|piece| feed(piece));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the hash")]
    let (high, low) = ((hash >> 64) as u64, hash as u64);
    let low = mix(low ^ mix(high));
    format!("{:016x}{low:016x}", mix(high ^ low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_lists_apart() {
        let pinned = digest([b"campaign".as_slice(), b"golden"]);
        assert_eq!(
            pinned, "95f50d8b91568e377dc2c6c0c3f8abfe",
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
