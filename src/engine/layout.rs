//! Where a word lives: the stored image of one copy, and one value of a block.
//!
//! An image is the weights, tensor after tensor, the inputs of one step as `[feature, row]`, then the
//! check words of the weights where a code keeps them; each part is padded to quads. A value is
//! `[block, feature, row]`. Rows are padded to quads with inputs of zero, whose results nobody counts.

use super::Windows;
use crate::scheme::{Code, Scheme};
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
    /// Words of the weights without padding: what a code covers.
    pub stored: u32,
    /// The code of the weights.
    pub code: Option<Code>,
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
            stored: workload.stored_words(),
            code: None,
        }
    }

    /// The same with the check words of this code.
    #[must_use]
    pub const fn with_code(self, code: Option<Code>) -> Self {
        Self { code, ..self }
    }

    /// Words of an image.
    pub const fn image(&self) -> u32 {
        self.check_base() + self.checks().next_multiple_of(4)
    }

    /// The first check word of an image.
    pub const fn check_base(&self) -> u32 {
        self.weights + self.inputs
    }

    /// Check words of an image, without padding.
    pub const fn checks(&self) -> u32 {
        match self.code {
            Some(code) => code.check_words(self.stored),
            None => 0,
        }
    }

    /// Whether a word of an image is one of an input.
    pub const fn is_input(&self, word: u32) -> bool {
        self.weights <= word && word < self.check_base()
    }

    /// The words that a decoder may change where `word` was struck: it, and with a code its whole
    /// block and check word.
    pub fn beside(&self, word: u32) -> impl Iterator<Item = u32> {
        let block = match self.code {
            Some(code) if word < self.stored => Some((code, word / code.block_words())),
            Some(code) if word >= self.check_base() => Some((code, word - self.check_base())),
            _ => None,
        };
        let covered = block.map_or(0..0, |(code, block)| {
            let first = block * code.block_words();
            first..(first + code.block_words()).min(self.stored)
        });
        let check = block.map(|(_, block)| self.check_base() + block);
        std::iter::once(word).chain(covered).chain(check)
    }

    /// Where golden, with `windows` windows, has a word of the image of window `window`.
    pub const fn golden_word(&self, word: u32, window: u32, windows: u32) -> u32 {
        if word < self.weights {
            word
        } else if word < self.check_base() {
            word + window * self.inputs
        } else {
            word + (windows - 1) * self.inputs
        }
    }

    /// The bits of each word of an image that a storage vote protects; `None` where it is all.
    pub fn protected(&self, scheme: &Scheme, workload: &Workload) -> Option<Vec<u32>> {
        let protect = scheme.protect.as_ref()?;
        let mut masks = Vec::with_capacity(self.image() as usize);
        for tensor in &workload.tensors {
            masks.resize(masks.len() + tensor.words.len(), protect.mask(Some(&tensor.name)));
        }
        masks.resize(self.weights as usize, 0);
        masks.resize(self.image() as usize, protect.mask(None));
        Some(masks)
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

    /// Golden inputs of a window, `[feature, row]`, rows padded.
    pub fn golden_inputs(&self, workload: &Workload, windows: &Windows, window: u32) -> Vec<u32> {
        let features = workload.inputs.features;
        let mut words = vec![0; self.inputs as usize];
        for (row, input) in windows.inputs(window as usize).iter().enumerate() {
            let values = &workload.inputs.words[*input as usize * features..][..features];
            for (feature, word) in values.iter().enumerate() {
                words[feature * self.rows as usize + row] = *word;
            }
        }
        words
    }

    /// Golden of one word of the image of a window.
    pub fn golden_of(
        &self,
        workload: &Workload,
        windows: &Windows,
        (word, window): (u32, u32),
    ) -> u32 {
        if word < self.weights {
            return workload.stored_word(word);
        }
        if word < self.check_base() {
            let (feature, row) =
                ((word - self.weights) / self.rows, (word - self.weights) % self.rows);
            let input = windows.inputs(window as usize).get(row as usize);
            let word = |input: &u32| {
                workload.inputs.words[*input as usize * workload.inputs.features + feature as usize]
            };
            return input.map_or(0, word);
        }
        let block = word - self.check_base();
        let Some(code) = self.code.filter(|_| block < self.checks()) else { return 0 };
        let first = block * code.block_words();
        let words: Vec<u32> =
            (first..first + code.block_words()).map(|word| workload.stored_word(word)).collect();
        code.encode(&words)
    }

    /// Golden: the weights, the inputs of each window, the check words.
    pub fn golden(&self, workload: &Workload, windows: &Windows) -> Vec<u32> {
        let mut words = workload.stored_image();
        words.resize(self.weights as usize, 0);
        for window in 0..windows.count() {
            let window = u32::try_from(window).unwrap_or(u32::MAX);
            words.extend(self.golden_inputs(workload, windows, window));
        }
        words.extend(self.golden_checks(&words[..self.stored as usize]));
        words
    }

    /// The check words of these weights, padded; none without a code.
    pub fn golden_checks(&self, weights: &[u32]) -> Vec<u32> {
        let Some(code) = self.code else { return Vec::new() };
        let size = code.block_words() as usize;
        let check = |block: &[u32]| {
            let mut block = block.to_vec();
            block.resize(size, 0);
            code.encode(&block)
        };
        let mut checks: Vec<u32> = weights.chunks(size).map(check).collect();
        checks.resize((self.image() - self.check_base()) as usize, 0);
        checks
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
