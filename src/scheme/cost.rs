//! What a scheme costs, from its definition and the workload's sizes.

use super::{Code, Scheme, ScrubBy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a scheme costs per inference, from its definition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Bytes kept in memory for weights and the inputs of one step, all copies.
    pub bytes_stored: u64,
    /// Bytes of stored memory read per inference, all copies, retries not counted.
    pub bytes_read_per_inference: f64,
    /// Bytes read and written by periodic scrubs per inference.
    pub scrub_bytes_per_inference: f64,
}

impl Scheme {
    /// Bits kept of weights and of one input: all replicas of each, check bits not counted. Where
    /// a vote protects some words or bits, only those have replicas.
    ///
    /// `tensors` are the stored tensors with their words.
    pub fn replica_bits(&self, tensors: &[(&str, u32)], input_words: u32) -> (u64, u64) {
        let copies = u64::from(self.copies());
        let bits = |name: Option<&str>, words: u32| {
            let mask = self.protect.as_ref().map_or(u32::MAX, |protect| protect.mask(name));
            u64::from(words) * (32 + (copies - 1) * u64::from(mask.count_ones()))
        };
        let weights = tensors.iter().map(|(name, words)| bits(Some(name), *words)).sum();
        (weights, bits(None, input_words))
    }

    /// Check bits kept of weights, all replicas.
    pub fn check_bits(&self, tensors: &[(&str, u32)]) -> u64 {
        let words: u32 = tensors.iter().map(|(_, words)| words).sum();
        let of = |code: Code| {
            u64::from(code.check_words(words)) * u64::from(code.check_mask().count_ones())
        };
        u64::from(self.copies()) * self.code.map_or(0, of)
    }

    /// The cost of this scheme for a workload with these stored `tensors` (name and words) and
    /// `input_words` words an input, run `inferences_per_step` at a time.
    ///
    /// Weights with their check bits are read once an execution (each copy of a voted read counts);
    /// inputs likewise. A scrub by vote or code reads and writes every copy of the weights; a reload
    /// reads golden once and writes every copy.
    pub fn cost(
        &self,
        tensors: &[(&str, u32)],
        input_words: u32,
        inferences_per_step: u32,
    ) -> Cost {
        let copies = f64::from(self.copies());
        let (weights, input) = self.replica_bits(tensors, input_words);
        let stored = weights + self.check_bits(tensors);
        let image = stored as f64 / 8.0;
        let step = f64::from(inferences_per_step);
        let scrub = self.scrub.as_ref().map_or(0.0, |scrub| {
            let bytes = match scrub.by {
                ScrubBy::Vote | ScrubBy::Ecc => 2.0 * image,
                ScrubBy::Reload => image + image / copies,
            };
            let steps = scrub.every_steps().unwrap_or(u32::MAX);
            bytes / (f64::from(steps) * step)
        });
        let read = (stored + input) as f64 / 8.0;
        let reads = f64::from(self.executions()).max(copies) / copies;
        Cost {
            bytes_stored: (stored + input * u64::from(inferences_per_step)).div_ceil(8),
            bytes_read_per_inference: read * reads,
            scrub_bytes_per_inference: scrub,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Protect, Protection};
    use super::*;

    const TENSORS: [(&str, u32); 2] = [("fc1.weight", 100), ("fc2.weight", 60)];

    fn cost(scheme: &Scheme) -> (u64, f64) {
        let cost = scheme.cost(&TENSORS, 10, 4);
        (cost.bytes_stored, cost.bytes_read_per_inference)
    }

    #[test]
    fn replicas_are_stored_and_read_and_an_execution_reads_again() {
        let bare = |protection| Scheme::bare("s", protection);
        assert_eq!(cost(&bare(Protection::None)), (800, 680.0));
        assert_eq!(cost(&bare(Protection::TmrStorage)), (2400, 2040.0));
        assert_eq!(cost(&bare(Protection::TmrLayer)), (2400, 2040.0));
        assert_eq!(cost(&bare(Protection::TmrTemporal)), (800, 2040.0));
    }

    #[test]
    fn only_what_is_protected_has_replicas() {
        let of = |tensors: Option<&[&str]>, bits: Option<&[u32]>| Scheme {
            protect: Some(Protect {
                tensors: tensors.map(|names| names.iter().map(|n| (*n).to_owned()).collect()),
                bits: bits.map(<[u32]>::to_vec),
                choice: None,
            }),
            ..Scheme::bare("s", Protection::TmrStorage)
        };
        assert_eq!(cost(&of(Some(&["fc2.weight"]), None)), (800 + 480, 680.0 + 480.0));
        let high = of(Some(&["fc1.weight"]), Some(&[31, 30, 29, 28]));
        assert_eq!(cost(&high), (800 + 100, 680.0 + 100.0));
        assert_eq!(cost(&of(None, Some(&[30, 31]))), (800 + 100, 680.0 + 85.0));
    }

    #[test]
    fn check_bits_are_stored_and_read() {
        let coded = |code| Scheme { code: Some(code), ..Scheme::bare("s", Protection::None) };
        assert_eq!(cost(&coded(Code::Hsiao72)), (800 + 80, 680.0 + 80.0));
        assert_eq!(cost(&coded(Code::Hamming39)), (800 + 140, 680.0 + 140.0), "28 of 32 bits");
    }
}
