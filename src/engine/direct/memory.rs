//! The engine's buffers: images, values, golden, and what comes back.

use super::super::{Error, Layout, Windows};
use crate::gpu::{Buffer, Gpu};
use crate::outcome::Tally;
use crate::stage::checksum;
use crate::workload::{OpKind, Workload};

/// Where a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// In the image: the workload's input.
    Image,
    /// In this buffer of values.
    Values(usize),
    /// In the outputs of the execution at hand.
    Output,
}

/// All buffers. Slots of the image are lane × copies + copy.
#[derive(Debug)]
pub(super) struct Memory {
    pub lanes: usize,
    pub image: Buffer<u32>,
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
    pub golden: Buffer<u32>,
    pub golden_words: Vec<u32>,
    pub golden_outputs: Buffer<u32>,
    pub golden_sums: Vec<u32>,
    pub labels: Buffer<u32>,
    /// The window whose inputs each slot holds; empty where no slot holds anything.
    pub loaded: Vec<u32>,
    /// The copies that `loaded` was made for.
    pub loaded_copies: u32,
    pub bytes: u64,
}

impl Memory {
    pub(super) fn new(
        gpu: &Gpu,
        workload: &Workload,
        windows: &Windows,
        layout: &Layout,
        lanes: usize,
        copies: u32,
    ) -> Result<Self, Error> {
        let limit = gpu.binding_bytes_max();
        let rows = layout.rows as usize;
        let image = layout.image() as usize;
        let output_words = workload.output_features() * layout.rows;
        let fits = |what: &str, words: usize| {
            let needed = 4 * words as u64;
            if needed <= limit {
                Ok(())
            } else {
                Err(Error::TooLarge { what: what.into(), needed, limit })
            }
        };
        fits("the stored images", lanes * copies as usize * image)?;
        let golden_words = layout.golden(workload, windows);
        fits("the inputs of all windows", golden_words.len())?;
        fits("the golden outputs", windows.count() * output_words as usize)?;
        let (homes, sizes) = homes(workload);
        for features in &sizes {
            fits("the values of an op", lanes * *features as usize * rows)?;
        }
        let zeroed = |label, words: usize| gpu.zeroed::<u32>(label, words);
        let values: Vec<_> =
            sizes.iter().map(|f| zeroed("values", lanes * *f as usize * rows)).collect();
        let output = |_| zeroed("outputs", lanes * output_words as usize);
        let protected = if copies == 3 { lanes * image } else { 1 };
        let mut memory = Self {
            lanes,
            image: zeroed("images", lanes * copies as usize * image),
            voted: zeroed("voted images", protected),
            dissent: zeroed("dissent", protected),
            alarms: zeroed("alarms", lanes * (rows + 1)),
            values,
            homes,
            outputs: [0, 1, 2].map(output),
            output_words,
            delivered: zeroed("delivered", lanes * output_words as usize),
            verdicts: zeroed("verdicts", lanes * rows),
            traps: zeroed("traps", lanes),
            outcomes: zeroed("outcomes", lanes * rows),
            tallies: gpu.zeroed("tallies", lanes),
            sums: zeroed("checksums", lanes * copies as usize),
            identity: gpu
                .upload("identity", &(0u32..).take(lanes * copies as usize).collect::<Vec<_>>()),
            golden: gpu.upload("golden", &golden_words),
            golden_outputs: zeroed("golden outputs", windows.count() * output_words as usize),
            golden_sums: sums(layout, windows, &golden_words),
            golden_words,
            labels: gpu.upload("labels", &layout.labels(workload, windows)),
            loaded: Vec::new(),
            loaded_copies: 0,
            bytes: 0,
        };
        memory.bytes = memory.all_bytes();
        Ok(memory)
    }

    fn all_bytes(&self) -> u64 {
        let words = [
            &self.image,
            &self.voted,
            &self.dissent,
            &self.alarms,
            &self.delivered,
            &self.verdicts,
            &self.traps,
            &self.outcomes,
            &self.sums,
            &self.identity,
            &self.golden,
            &self.golden_outputs,
            &self.labels,
        ];
        let several = self.values.iter().chain(&self.outputs);
        words.into_iter().chain(several).map(Buffer::bytes).sum::<u64>() + self.tallies.bytes()
    }

    /// The most lanes whose every buffer is within one binding of the adapter.
    pub(super) fn lanes_max(gpu: &Gpu, workload: &Workload, layout: &Layout, copies: u32) -> usize {
        let (_, sizes) = homes(workload);
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

/// The checksum of an image with each window's inputs.
fn sums(layout: &Layout, windows: &Windows, golden: &[u32]) -> Vec<u32> {
    let (weights, inputs) = (layout.weights as usize, layout.inputs as usize);
    let mut image = golden[..weights + inputs].to_vec();
    (0..windows.count())
        .map(|window| {
            image[weights..].copy_from_slice(&golden[weights + window * inputs..][..inputs]);
            checksum::sum(&image)
        })
        .collect()
}

/// Where each value lives, and the features of each buffer of values. A buffer is used again once
/// the last op that reads it has run.
fn homes(workload: &Workload) -> (Vec<Home>, Vec<u32>) {
    let alias = |mut value: usize| {
        while let Some(op) =
            workload.ops.iter().find(|op| op.output.0 == value && op.kind == OpKind::Flatten)
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
    let mut homes = vec![Home::Image; workload.values.len()];
    let mut sizes: Vec<u32> = Vec::new();
    let mut busy_until: Vec<usize> = Vec::new();
    for (index, op) in workload.ops.iter().enumerate() {
        let value = op.output.0;
        if op.kind == OpKind::Flatten {
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
