//! The values that are in flight while an inference is computed.

/// The values of a workload, one inference's worth: the outputs of its ops, one after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// By op: its number and the features of its output.
    pub ops: Vec<(u32, u32)>,
}

impl Values {
    /// Words of all values.
    pub fn words(&self) -> u64 {
        self.ops.iter().map(|(_, features)| u64::from(*features)).sum()
    }

    /// The op and feature of a word, and which of the ops it is in their order.
    pub(super) fn locate(&self, word: u64) -> Option<(u32, u32, usize)> {
        let mut word = word.checked_rem(self.words())?;
        for (order, (op, features)) in self.ops.iter().enumerate() {
            if word < u64::from(*features) {
                return Some((*op, u32::try_from(word).ok()?, order));
            }
            word -= u64::from(*features);
        }
        None
    }
}
