//! Where a word lives: the stored image of one copy, and one value of a block.
//!
//! An image is the weights, tensor after tensor, then the inputs of one step as `[feature, row]`;
//! both parts are padded to quads. A value is `[block, feature, row]`. Rows are padded to quads with
//! inputs of zero, whose results nobody counts.

use super::Windows;
use crate::workload::Workload;

/// The shape of images and values, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Inferences in a step.
    pub counted: u32,
    /// Rows of a block: `counted`, padded.
    pub rows: u32,
    /// Words of the weights, padded.
    pub weights: u32,
    /// Words of the inputs of one step, padded rows included.
    pub inputs: u32,
}

impl Layout {
    /// The layout of a workload run over these windows.
    pub fn new(workload: &Workload, windows: &Windows) -> Self {
        let counted = windows.rows();
        let rows = counted.next_multiple_of(4);
        Self {
            counted,
            rows,
            weights: workload.stored_words().next_multiple_of(4),
            inputs: workload.values[0].features() * rows,
        }
    }

    /// Words of an image.
    pub const fn image(&self) -> u32 {
        self.weights + self.inputs
    }

    /// Row quads of a block.
    pub const fn quads(&self) -> u32 {
        self.rows / 4
    }

    /// The word of an image that holds feature `feature` of inference `row`.
    pub const fn input_word(&self, feature: u32, row: u32) -> u32 {
        self.weights + self.value_word(feature, row)
    }

    /// The word of a block's value that holds feature `feature` of inference `row`.
    pub const fn value_word(&self, feature: u32, row: u32) -> u32 {
        feature * self.rows + row
    }

    /// Golden: the weights, then the inputs of each window.
    pub fn golden(&self, workload: &Workload, windows: &Windows) -> Vec<u32> {
        let mut words = workload.stored_image();
        words.resize(self.weights as usize, 0);
        let features = workload.inputs.features;
        for window in 0..windows.count() {
            let from = words.len();
            words.resize(from + self.inputs as usize, 0);
            for (row, input) in windows.inputs(window).iter().enumerate() {
                let values = &workload.inputs.words[*input as usize * features..][..features];
                for (feature, word) in values.iter().enumerate() {
                    words[from + feature * self.rows as usize + row] = *word;
                }
            }
        }
        words
    }

    /// Labels, `[window, row]`; all ones where there is none.
    pub fn labels(&self, workload: &Workload, windows: &Windows) -> Vec<u32> {
        let mut labels = vec![u32::MAX; windows.count() * self.rows as usize];
        if let Some(known) = &workload.inputs.labels {
            for window in 0..windows.count() {
                for (row, input) in windows.inputs(window).iter().enumerate() {
                    labels[window * self.rows as usize + row] = known[*input as usize];
                }
            }
        }
        labels
    }
}
