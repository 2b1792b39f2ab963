//! The direct engine: trials on the GPU, a lane each, every fault written into the buffer that the
//! workload's shader then reads.
//!
//! A batch is one control lane without faults and as many trials as lanes are left. Each step runs
//! load → inject → (decode, vote) → workload → (output vote, retry) → classify → tally; only outcome
//! rows, tallies and proofs come back. After a trial every word that it touched is restored from golden
//! and a checksum of the image proves it.

mod batch;
mod decoder;
mod execute;
mod forward;
mod memory;
mod proof;
mod read;
mod trace;
mod upkeep;

pub(super) use decoder::Decoder;
pub use forward::Kernels;
pub(super) use proof::{Owner, Strikes, landings};
pub use trace::OpTrace;

use super::{Course, Demand, Engine, Error, Job, Layout, TrialResult, Windows, loops};
use crate::gpu::Gpu;
use crate::scheme::{Protection, Scheme};
use crate::workload::Workload;
use memory::LaneMemory;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a submission may take, so that cancelling and drivers' watchdogs stay happy.
const SUBMISSION_MAX: Duration = Duration::from_millis(200);

/// Lanes never exceed this: past it the read-back outweighs what batching saves.
const LANES_MAX: usize = 4096;

/// The engine, with its buffers on the GPU.
#[derive(Debug)]
pub struct Direct {
    pub(super) gpu: Arc<Gpu>,
    pub(super) workload: Arc<Workload>,
    pub(super) windows: Windows,
    pub(super) layout: Layout,
    pub(super) kernels: Arc<Kernels>,
    /// Those of the codes that schemes had so far.
    decoders: Vec<Decoder>,
    memory: LaneMemory,
    golden_outputs: Vec<u32>,
}

impl Direct {
    /// The engine with `lanes` lanes (a control lane and at least one trial), for schemes of up to
    /// `copies` stored copies.
    ///
    /// # Errors
    /// Where the GPU fails, or the workload does not fit the adapter with this many lanes.
    pub fn new(
        gpu: Arc<Gpu>,
        workload: Arc<Workload>,
        windows: Windows,
        lanes: usize,
        copies: u32,
    ) -> Result<Self, Error> {
        let kernels = Arc::new(Kernels::new(&gpu)?);
        Self::with(kernels, gpu, workload, windows, lanes, copies)
    }

    /// The engine with kernels that another one has built on the same GPU.
    ///
    /// # Errors
    /// As [`Direct::new`].
    pub fn with(
        kernels: Arc<Kernels>,
        gpu: Arc<Gpu>,
        workload: Arc<Workload>,
        windows: Windows,
        lanes: usize,
        copies: u32,
    ) -> Result<Self, Error> {
        loops::check(&gpu, &workload)?;
        let layout = Layout::new(&workload, &windows);
        let memory = LaneMemory::new(&gpu, &workload, &windows, &layout, lanes.max(2), copies)?;
        let mut engine = Self {
            gpu,
            workload,
            windows,
            layout,
            kernels,
            decoders: Vec::new(),
            memory,
            golden_outputs: Vec::new(),
        };
        engine.learn_golden()?;
        Ok(engine)
    }

    /// The engine with the lane count that runs fault-free batches of this workload fastest on
    /// this adapter, within its limits and with submissions of 200 ms at most.
    ///
    /// # Errors
    /// As [`Direct::new`].
    pub fn tuned(
        kernels: &Arc<Kernels>,
        gpu: &Arc<Gpu>,
        workload: &Arc<Workload>,
        windows: &Windows,
        copies: u32,
    ) -> Result<Self, Error> {
        let layout = Layout::new(workload, windows);
        let fit = LaneMemory::lanes_max(gpu, workload, &layout, copies).min(LANES_MAX);
        let scheme = Scheme::bare("none", Protection::None);
        let course = Course { first_step: 0, end_step: 1, conditional: true };
        let build = |lanes| {
            let (kernels, gpu, workload) =
                (Arc::clone(kernels), Arc::clone(gpu), Arc::clone(workload));
            Self::with(kernels, gpu, workload, windows.clone(), lanes, copies)
        };
        let mut best: Option<(f64, usize)> = None;
        let mut lanes = 8.min(fit).max(2);
        loop {
            let mut engine = match build(lanes) {
                // More lanes than there is memory for are none to measure.
                Err(error) if error.is_size() && best.is_some() => break,
                engine => engine?,
            };
            let jobs: Vec<Job> = (0..lanes as u64 - 1)
                .map(|trial| Job { trial, first_window: 0, faults: Vec::new() })
                .collect();
            engine.run(&scheme, course, &jobs)?;
            let started = Instant::now();
            engine.run(&scheme, course, &jobs)?;
            let once = started.elapsed();
            engine.run(&scheme, course, &jobs)?;
            let taken = once.min(started.elapsed() - once);
            let rate = (lanes - 1) as f64 / taken.as_secs_f64();
            let fastest = best.map_or(0.0, |(rate, _)| rate);
            if taken <= SUBMISSION_MAX && rate > fastest * 1.02 || best.is_none() {
                best = Some((rate, lanes));
            }
            if lanes >= fit || taken * 2 > SUBMISSION_MAX || rate < fastest * 0.8 {
                break;
            }
            lanes = (2 * lanes).min(fit);
        }
        build(best.map_or(2, |(_, lanes)| lanes))
    }

    /// Golden outputs, `[window, feature, row]`, rows padded.
    pub fn golden_outputs(&self) -> &[u32] {
        &self.golden_outputs
    }

    /// The layout of images and values.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Bytes of the engine's buffers on the GPU.
    pub fn demand(&self) -> Demand {
        self.memory.demand()
    }

    /// Takes up `scheme`: its layout, golden and buffers. Gives the lanes that it can have.
    pub(super) fn enter(&mut self, scheme: &Scheme) -> Result<usize, Error> {
        self.layout = self.layout.with_code(scheme.code);
        if let Some(code) = scheme.code
            && self.decoders.iter().all(|decoder| decoder.code != code)
        {
            self.decoders.push(Decoder::new(&self.gpu, code)?);
        }
        let of = (&*self.workload, &self.windows);
        self.memory.enter(&self.gpu, of, &self.layout, scheme)
    }

    /// Runs every window once without faults, with the kernels and shapes of the faulty runs, and
    /// keeps the outputs as golden.
    fn learn_golden(&mut self) -> Result<(), Error> {
        let lanes = self.memory.lanes;
        let output = self.memory.output_words as usize;
        let mut golden = Vec::with_capacity(self.windows.count() * output);
        let windows: Vec<u32> = (0u32..).take(self.windows.count()).collect();
        for chunk in windows.chunks(lanes) {
            self.load_images(chunk, 1)?;
            let slots: Vec<u32> = (0u32..).take(chunk.len()).collect();
            let slots = self.gpu.upload("slots", &slots);
            let blocks = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            self.gpu.submit(|pass| {
                for op in 0..self.workload.ops.len() {
                    self.encode_op(pass, op, &self.memory.image, &slots, (blocks, None), 0);
                }
            })?;
            let words = self.gpu.read(&self.memory.outputs[0])?;
            golden.extend_from_slice(&words[..chunk.len() * output]);
        }
        self.memory.keep_golden(&self.gpu, &golden)?;
        self.golden_outputs = golden;
        self.memory.loaded.clear();
        Ok(())
    }
}

impl Engine for Direct {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        loops::check_vote(&self.gpu, &self.workload, scheme)?;
        let mut results = Vec::with_capacity(jobs.len());
        let lanes = self.enter(scheme)?;
        for chunk in jobs.chunks(lanes - 1) {
            results.extend(self.batch(scheme, course, chunk)?);
        }
        Ok(results)
    }

    fn lanes(&self) -> usize {
        self.memory.lanes - 1
    }
}
