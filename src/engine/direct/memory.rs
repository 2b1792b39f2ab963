//! The engine's buffers: images, values, golden, and what comes back.

use super::super::{Demand, Error, Layout, Windows};
use crate::gpu::{Buffer, Gpu};
use crate::outcome::Tally;
use crate::scheme::{Code, Scheme};
use crate::stage::{checksum, vote};
use crate::workload::{Role, Value, Workload};
use std::sync::Arc;

/// Parts of what the engine holds.
const GOLDEN: &str = "golden";
const IMAGES: &str = "images of lanes";
const VALUES: &str = "values of lanes";

/// Where a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// In the image, from this word on: the workload's input, stored tensors.
    Image(u32),
    /// In this buffer of values.
    Values(usize),
    /// In the outputs of the execution at hand.
    Output,
}

/// Golden words with the check words of one code, on the GPU and beside it.
#[derive(Debug)]
pub(super) struct Golden {
    code: Option<Code>,
    pub buffer: Buffer<u32>,
    pub words: Vec<u32>,
    /// The checksum of an image with each window's inputs.
    pub sums: Vec<u32>,
}

impl Golden {
    fn new(gpu: &Gpu, workload: &Workload, windows: &Windows, layout: &Layout) -> Self {
        let words = layout.golden(workload, windows);
        let count = u32::try_from(windows.count()).unwrap_or(u32::MAX);
        let image = |window| {
            let at = |word| words[layout.golden_word(word, window, count) as usize];
            (0..layout.image()).map(at).collect::<Vec<u32>>()
        };
        let sums = (0..count).map(|window| checksum::sum(&image(window))).collect();
        Self { code: layout.code, buffer: gpu.upload("golden", &words), words, sums }
    }
}

/// All buffers. Slots of the image are lane × copies + copy.
#[derive(Debug)]
pub(super) struct LaneMemory {
    pub lanes: usize,
    /// The features of the largest value that an op writes.
    features_max: u32,
    sizes: Vec<u32>,
    pub image: Buffer<u32>,
    /// The bits that a storage vote protects, `[word]`, the last quad for all that follow.
    pub masks: Buffer<u32>,
    /// Images as their decoders deliver them, slot by slot.
    pub decoded: Buffer<u32>,
    /// Blocks that decoders corrected and could not correct, `[slot, 2]`.
    pub found: Buffer<u32>,
    pub voted: Buffer<u32>,
    pub dissent: Buffer<u32>,
    pub alarms: Buffer<u32>,
    pub values: Vec<Buffer<u32>>,
    pub homes: Vec<Home>,
    pub outputs: [Buffer<u32>; 3],
    pub output_words: u32,
    pub delivered: Buffer<u32>,
    pub verdicts: Buffer<u32>,
    pub traps: Buffer<u32>,
    pub outcomes: Buffer<u32>,
    pub tallies: Buffer<Tally>,
    pub sums: Buffer<u32>,
    pub identity: Buffer<u32>,
    pub golden: Arc<Golden>,
    goldens: Vec<Arc<Golden>>,
    pub golden_outputs: Buffer<u32>,
    pub labels: Buffer<u32>,
    /// The window whose inputs each slot holds; empty where no slot holds anything.
    pub loaded: Vec<u32>,
    /// The copies and the code that `loaded` was made for.
    loaded_for: (u32, Option<Code>),
}

impl LaneMemory {
    pub(super) fn new(
        gpu: &Gpu,
        workload: &Workload,
        windows: &Windows,
        layout: &Layout,
        lanes: usize,
        copies: u32,
    ) -> Result<Self, Error> {
        let output_words = workload.output_features() * layout.rows;
        let (homes, sizes) = homes(workload, layout);
        Self::fits(gpu, (workload, windows, layout), &sizes, lanes, copies)?;
        let (rows, image) = (layout.rows as usize, layout.image() as usize);
        let golden = Arc::new(Golden::new(gpu, workload, windows, layout));
        let zeroed = |label, words: usize| gpu.zeroed::<u32>(label, words);
        let values: Vec<_> =
            sizes.iter().map(|f| zeroed("values", lanes * *f as usize * rows)).collect();
        let output = |_| zeroed("outputs", lanes * output_words as usize);
        Ok(Self {
            lanes,
            features_max: sizes.iter().copied().max().unwrap_or(0).max(workload.output_features()),
            image: zeroed("images", lanes * copies as usize * image),
            masks: gpu.upload("vote on all", &vote::ALL),
            decoded: zeroed("decoded images", 1),
            found: zeroed("decoders' findings", lanes * 6),
            voted: zeroed("voted images", 1),
            dissent: zeroed("dissent", 1),
            alarms: zeroed("alarms", lanes * (rows + 1)),
            values,
            sizes,
            homes,
            outputs: [0, 1, 2].map(output),
            output_words,
            delivered: zeroed("delivered", lanes * output_words as usize),
            verdicts: zeroed("verdicts", lanes * rows),
            traps: zeroed("traps", lanes * (rows + 1)),
            outcomes: zeroed("outcomes", lanes * rows),
            tallies: gpu.zeroed("tallies", lanes),
            sums: zeroed("checksums", lanes * 3),
            identity: gpu.upload("identity", &(0u32..).take(lanes * 3).collect::<Vec<_>>()),
            goldens: vec![Arc::clone(&golden)],
            golden,
            golden_outputs: zeroed("golden outputs", windows.count() * output_words as usize),
            labels: gpu.upload("labels", &layout.labels(workload, windows)),
            loaded: Vec::new(),
            loaded_for: (0, None),
        })
    }

    /// Refuses what does not fit one binding, or the memory of the machine.
    fn fits(
        gpu: &Gpu,
        (workload, windows, layout): (&Workload, &Windows, &Layout),
        sizes: &[u32],
        lanes: usize,
        copies: u32,
    ) -> Result<(), Error> {
        let limit = gpu.binding_bytes_max();
        let (lanes, rows) = (lanes as u64, u64::from(layout.rows));
        let count = windows.count() as u64;
        let bytes_of = |what: &str, words: u64| {
            let needed = 4 * words;
            if needed <= limit {
                Ok(needed)
            } else {
                Err(Error::TooLarge { what: what.into(), needed, limit })
            }
        };
        let image = u64::from(layout.image());
        let output = u64::from(workload.output_features()) * rows;
        let images = bytes_of("the stored images of all lanes", lanes * u64::from(copies) * image)?;
        let golden = bytes_of(
            "golden with the inputs of all windows",
            image + (count - 1) * u64::from(layout.inputs),
        )?;
        let golden_outputs = bytes_of("the golden outputs", count * output)?;
        let mut values = 4 * 4 * lanes * output;
        for features in sizes {
            values += bytes_of("the values of an op", lanes * u64::from(*features) * rows)?;
        }
        let parts = vec![(GOLDEN, golden + golden_outputs), (IMAGES, images), (VALUES, values)];
        Demand { parts }.check(gpu)
    }

    /// Makes room for `scheme` and its golden, and gives the lanes that it can have.
    pub(super) fn enter(
        &mut self,
        gpu: &Gpu,
        (workload, windows): (&Workload, &Windows),
        layout: &Layout,
        scheme: &Scheme,
    ) -> Result<usize, Error> {
        let copies = scheme.copies();
        let (image, rows) = (layout.image() as usize, layout.rows as usize);
        let together = if scheme.votes_ops() { 3 } else { 1 };
        let value = self.features_max as usize * rows;
        let lane_bytes = 4 * (copies as usize * image).max(together * value) as u64;
        let limit = gpu.binding_bytes_max();
        let lanes = self.lanes.min(usize::try_from(limit / lane_bytes).unwrap_or(usize::MAX));
        if lanes < 2 {
            let what = format!("a trial under scheme {}", scheme.name);
            return Err(Error::TooLarge { what, needed: 2 * lane_bytes, limit });
        }
        let known = self.goldens.iter().find(|golden| golden.code == layout.code);
        self.golden = known.cloned().unwrap_or_else(|| {
            let golden = Arc::new(Golden::new(gpu, workload, windows, layout));
            self.goldens.push(Arc::clone(&golden));
            golden
        });
        let grow = |buffer: &mut Buffer<u32>, label, words: usize| {
            let grows = buffer.len() < words;
            if grows {
                *buffer = gpu.zeroed(label, words);
            }
            grows
        };
        let moved = grow(&mut self.image, "images", lanes * copies as usize * image);
        if moved || self.loaded_for != (copies, layout.code) {
            self.loaded.clear();
            self.loaded_for = (copies, layout.code);
        }
        let voted = if copies == 3 { image } else { 1 }.max(if together > 1 { value } else { 1 });
        let decoded = if layout.code.is_some() { copies as usize * image } else { 1 };
        grow(&mut self.decoded, "decoded images", lanes * decoded);
        grow(&mut self.voted, "voted images", lanes * voted);
        grow(&mut self.dissent, "dissent", lanes * voted);
        for (buffer, features) in self.values.iter_mut().zip(&self.sizes) {
            grow(buffer, "values", lanes * together * *features as usize * rows);
        }
        let output = lanes * together * self.output_words as usize;
        grow(&mut self.outputs[0], "outputs", output);
        let masks = layout.protected(scheme, workload);
        self.masks = gpu.upload("vote masks", masks.as_deref().unwrap_or(&vote::ALL));
        Ok(lanes)
    }

    /// Bytes on the adapter.
    pub(super) fn demand(&self) -> Demand {
        let goldens = self.goldens.iter().map(|golden| golden.buffer.bytes()).sum::<u64>();
        let images = [&self.image, &self.decoded, &self.voted, &self.dissent, &self.masks];
        let values = self.values.iter().chain(&self.outputs).chain([&self.delivered]);
        let rows = [
            &self.found,
            &self.alarms,
            &self.verdicts,
            &self.traps,
            &self.outcomes,
            &self.sums,
            &self.identity,
            &self.labels,
        ];
        let rows = rows.into_iter().map(Buffer::bytes).sum::<u64>();
        let parts = vec![
            (GOLDEN, goldens + self.golden_outputs.bytes()),
            (IMAGES, images.into_iter().map(Buffer::bytes).sum()),
            (VALUES, values.map(Buffer::bytes).sum()),
            ("rows and tallies", rows + self.tallies.bytes()),
        ];
        Demand { parts }
    }

    /// The most lanes whose every buffer is within one binding of the adapter.
    pub(super) fn lanes_max(gpu: &Gpu, workload: &Workload, layout: &Layout, copies: u32) -> usize {
        let (_, sizes) = homes(workload, layout);
        let values = sizes.iter().chain([&workload.output_features()]).max().copied().unwrap_or(1);
        let words =
            u64::from(values * layout.rows).max(u64::from(copies) * u64::from(layout.image()));
        usize::try_from(gpu.binding_bytes_max() / (4 * words)).unwrap_or(usize::MAX).max(2)
    }

    pub(super) fn keep_golden(&mut self, gpu: &Gpu, outputs: &[u32]) -> Result<(), Error> {
        gpu.write(&self.golden_outputs, 0, outputs);
        Ok(gpu.wait()?)
    }
}

/// Where each value lives, and the features of each buffer of values. A buffer is used again once
/// the last op that reads it has run.
fn homes(workload: &Workload, layout: &Layout) -> (Vec<Home>, Vec<u32>) {
    let alias = |mut value: usize| {
        while let Some(op) =
            workload.ops.iter().find(|op| op.output.0 == value && op.kind.is_view())
        {
            value = op.inputs[0].0;
        }
        value
    };
    let output = alias(workload.output.0);
    let last_read = |value: usize| {
        let reads = workload.ops.iter().enumerate();
        reads.filter(|(_, op)| op.inputs.iter().any(|v| alias(v.0) == value)).map(|(i, _)| i).max()
    };
    let home = |value: &Value| match value.role {
        Role::Stored(tensor) => Home::Image(workload.tensors[tensor].offset),
        Role::Input | Role::Activation => Home::Image(layout.weights),
    };
    let mut homes: Vec<Home> = workload.values.iter().map(home).collect();
    let mut sizes: Vec<u32> = Vec::new();
    let mut busy_until: Vec<usize> = Vec::new();
    for (index, op) in workload.ops.iter().enumerate() {
        let value = op.output.0;
        if op.kind.is_view() {
            homes[value] = homes[op.inputs[0].0];
            continue;
        }
        if value == output {
            homes[value] = Home::Output;
            continue;
        }
        let features = workload.values[value].features();
        let until = last_read(value).unwrap_or(index);
        let free = (0..sizes.len()).find(|i| busy_until[*i] < index);
        let buffer = free.unwrap_or_else(|| {
            sizes.push(0);
            busy_until.push(0);
            sizes.len() - 1
        });
        sizes[buffer] = sizes[buffer].max(features);
        busy_until[buffer] = until;
        homes[value] = Home::Values(buffer);
    }
    (homes, sizes)
}
