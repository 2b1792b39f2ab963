//! What an inference takes in full where no lane of the direct engine fits the adapter: the workload over
//! golden weights, and the decoders and voters of a scheme over a share of stored memory.

use super::Core;
use super::golden::{Goldens, Shared};
use super::pages::narrow;
use super::stored::{ImageShape, ReadMemory};
use crate::engine::Error;
use crate::engine::forward::encode_with;
use crate::op::Products;
use crate::scheme::Scheme;
use std::time::Instant;

/// The most words of stored memory that are read for a measurement.
const SHARE_WORDS: u32 = 1 << 20;
/// The most measurements, of which the best counts.
const ROUNDS: usize = 3;
/// Seconds after which no further one begins.
const ROUNDS_S: f64 = 0.25;

/// The least seconds that the work takes.
pub(super) fn best(mut work: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    let (mut best, mut all) = (f64::INFINITY, 0.0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        work()?;
        let spent = started.elapsed().as_secs_f64();
        best = best.min(spent);
        all += spent;
        if all > ROUNDS_S {
            break;
        }
    }
    Ok(best)
}

impl Core {
    /// Seconds that an inference takes under a scheme: its executions, and a read of all copies before the
    /// first one and before each that has no copy of its own.
    pub(super) fn inference_s(&self, scheme: &Scheme) -> Result<f64, Error> {
        let inferences = self.windows.rows() * narrow(self.windows.count());
        // The first run compiles.
        self.forward()?;
        let forward = best(|| self.forward())? / f64::from(inferences);
        let reads = 1 + scheme.executions().saturating_sub(scheme.copies());
        let read = if scheme.delivers() { self.read_s(scheme)? } else { 0.0 };
        let per_step = f64::from(reads) * read / f64::from(self.windows.rows());
        Ok(f64::from(scheme.executions()) * forward + per_step)
    }

    /// The workload over all windows, without faults.
    fn forward(&self) -> Result<(), Error> {
        let Self { gpu, workload, store, .. } = self;
        let shared = self.shared();
        let goldens = Goldens::of(&shared, &self.golden.values);
        for (index, op) in workload.ops.iter().enumerate().filter(|(_, op)| !op.kind.is_view()) {
            let y = gpu.zeroed("output", self.golden.values[op.output.0].len());
            let inputs = goldens.operands(&shared, index);
            let run = goldens.run(&shared, (index, Products::All), &inputs, &y);
            gpu.submit(|pass| encode_with(gpu, workload, pass, &run, (store, &goldens.zero)))?;
            // All ops together may take longer than a submission may.
            gpu.wait()?;
        }
        Ok(())
    }

    /// Seconds that a read of all copies of stored memory takes, from that of a share of it.
    fn read_s(&self, scheme: &Scheme) -> Result<f64, Error> {
        let stored = self.layout.stored;
        let share = stored.min(SHARE_WORDS);
        let layout = crate::engine::Layout { stored: share, ..self.layout.with_code(scheme.code) };
        let data = share.next_multiple_of(4);
        let checks = layout.checks().next_multiple_of(4);
        let shape = ImageShape { data, stride: data + checks, copies: scheme.copies() };
        let word = |at| layout.golden_of(&self.workload, &self.windows, (at, 0));
        let mut image: Vec<u32> = (0..share).map(word).collect();
        image.resize(data as usize, 0);
        image.extend((0..layout.checks()).map(|check| word(layout.check_base() + check)));
        image.resize(shape.stride as usize, 0);
        let images: Vec<u32> = (0..shape.copies).flat_map(|_| image.iter().copied()).collect();
        let memory = ReadMemory::new(&self.gpu, shape, &images);
        let read = || {
            self.gpu.submit(|pass| self.encode_reads(pass, scheme, (shape, share), &memory))?;
            Ok(self.gpu.wait()?)
        };
        read()?;
        let seconds = best(read)?;
        Ok(seconds * f64::from(stored) / f64::from(share))
    }

    pub(super) fn shared(&self) -> Shared<'_> {
        Shared {
            gpu: &self.gpu,
            kernels: &self.kernels,
            workload: &self.workload,
            windows: &self.windows,
            layout: &self.layout,
            store: &self.store,
        }
    }
}
