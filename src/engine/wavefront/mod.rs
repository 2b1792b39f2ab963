//! The wavefront engine: conditional trials on the GPU, of which it computes only what a fault changes.
//!
//! Golden weights and golden values are shared by all trials. A trial owns a page: the words of the one
//! output unit that its fault strikes, which the op's own kernel reads. Where the unit's outputs equal
//! golden, a row is done; the rows that are left, of all trials, are packed into one block and run through
//! the rest of the workload together. Bits are those of the direct engine, since no sum changes its order.
//! What it does not represent runs in full: on the direct engine, or in place where that does not fit.

mod cost;
mod golden;
mod in_full;
mod in_place;
mod pages;
mod partial;
mod proof;
mod reach;
mod rows;
mod stored;
mod trials;
mod wave;

use super::direct::{Decoder, Kernels};
use super::store::{Placing, Store};
use super::{Course, Decided, Demand, Engine, Error, Job, Layout, TrialResult, Windows, loops};
use crate::gpu::Gpu;
use crate::scheme::Scheme;
use crate::stage::differing::Differing;
use crate::stage::span::Span;
use crate::stage::spread::Spread;
use crate::workload::{Inputs, Workload};
pub use golden::NonFinite;
use golden::{Golden, Shared};
use in_full::{BEHIND, InFull};
use reach::WordReach;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;
use wave::{LANES_MAX, WaveMemory};

/// The part of what an engine holds that engines for other windows share.
pub const GOLDEN_WEIGHTS: &str = "golden weights";

/// Trials at once before the rate is known.
const LANES: usize = 256;

/// Waves at once: the CPU prepares one while hardware runs the other. A software adapter is the CPU.
const fn waves(gpu: &Gpu) -> usize {
    if gpu.adapter().software { 1 } else { 2 }
}

/// Seconds that a call should take at most, so that whoever steers a run is heard.
const CALL_S: f64 = 0.5;

/// Trials of so many waves at so many trials a second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped, and rates are not negative"
)]
fn lanes_at(rate: f64, waves: usize) -> usize {
    let lanes = ((rate * CALL_S) as usize).min(waves * LANES_MAX);
    if lanes < 64 { lanes.max(1) } else { lanes / 64 * 64 }
}

/// How many trials went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Trials of which only what changed was computed.
    pub wavefront: u64,
    /// Trials that a proof decided.
    pub by_proof: u64,
    /// Trials that ran in full on the direct engine.
    pub direct: u64,
    /// Trials that ran over golden itself, since no lane of the direct engine fits the adapter.
    pub in_place: u64,
    /// Trials that ran on the CPU, since neither does what they need.
    pub reference: u64,
    /// Runs of changed rows in which an op took up golden partial sums.
    pub resumed: u64,
}

/// The engine, with another one for what it does not represent.
#[derive(Debug)]
pub struct Wavefront {
    /// Made when the first trial needs it.
    in_full: Option<InFull>,
    /// Trials at once and stored copies of the direct engine when it is made.
    behind: (usize, u32),
    core: Core,
    /// Of each wave that runs at once.
    memory: Vec<WaveMemory>,
    lanes: usize,
    /// Whether `lanes` follows the rate of the last call, and the direct engine's lanes are measured once it
    /// has much to do.
    adapts: bool,
    /// Whether they have been measured.
    tuned: bool,
    paths: Paths,
    /// Seconds that an inference takes in full, by scheme.
    inference_s: Vec<(Scheme, f64)>,
}

/// What all waves share.
#[derive(Debug)]
struct Core {
    gpu: Arc<Gpu>,
    kernels: Arc<Kernels>,
    /// Those of the codes that schemes had so far.
    decoders: Vec<Decoder>,
    workload: Arc<Workload>,
    windows: Windows,
    layout: Layout,
    stages: Stages,
    reach: WordReach,
    /// Golden weights.
    store: Arc<Store>,
    golden: Golden,
}

/// Kernels that only this engine has.
#[derive(Debug)]
struct Stages {
    span: Span,
    differing: Differing,
    spread: Spread,
}

impl Wavefront {
    /// Bytes that the engine will hold on the adapter for a workload over windows.
    ///
    /// # Errors
    /// Where a value or the tensors that an op needs together are larger than a binding.
    pub fn planned(gpu: &Gpu, workload: &Workload, windows: &Windows) -> Result<Demand, Error> {
        let weights = Placing::new(workload, gpu.binding_bytes_max())?.bytes();
        let values = Golden::values_bytes(gpu, workload, windows)?;
        let rows = u64::from(Layout::new(workload, windows).rows) * windows.count() as u64;
        let sums = partial::planned(workload, WordReach::new(workload).readers(workload), rows);
        let wave = WAVE_BYTES_MAX.min(wave_bytes(workload, u64::from(windows.rows())));
        let parts = vec![
            (GOLDEN_WEIGHTS, weights),
            ("golden values", values),
            ("golden partial sums", sums),
            ("pages and packed rows at most", waves(gpu) as u64 * wave),
        ];
        Ok(Demand { parts })
    }

    /// The engine for a workload over windows, for schemes of up to `copies` stored copies.
    ///
    /// # Errors
    /// Where the GPU fails, or tensors that an op needs together do not fit one binding.
    pub fn new(
        kernels: Arc<Kernels>,
        gpu: Arc<Gpu>,
        workload: Arc<Workload>,
        windows: Windows,
        copies: u32,
    ) -> Result<Self, Error> {
        let bytes = gpu.binding_bytes_max();
        Self::in_banks(bytes, kernels, gpu, workload, windows, copies)
    }

    /// The engine for the same workload over other windows; golden weights are shared.
    ///
    /// # Errors
    /// As [`Wavefront::new`].
    pub fn over(&self, windows: Windows) -> Result<Self, Error> {
        let Core { kernels, gpu, workload, store, .. } = &self.core;
        let (kernels, gpu, workload) = (Arc::clone(kernels), Arc::clone(gpu), Arc::clone(workload));
        Self::with(Arc::clone(store), kernels, gpu, workload, windows, self.behind.1)
    }

    /// The engine for its workload with other inputs of the same number and shape. Golden weights stay
    /// where they are; they are copied only where someone else holds the workload.
    ///
    /// # Errors
    /// As [`Wavefront::new`].
    pub fn with_inputs(self, inputs: Inputs) -> Result<Self, Error> {
        let Self { core, in_full, behind, .. } = self;
        drop(in_full);
        let Core { kernels, gpu, workload, store, windows, golden, .. } = core;
        drop(golden);
        let workload = Arc::new(Workload { inputs, ..Arc::unwrap_or_clone(workload) });
        Self::with(store, kernels, gpu, workload, windows, behind.1)
    }

    /// What it runs.
    pub const fn workload(&self) -> &Arc<Workload> {
        &self.core.workload
    }

    /// The same with golden weights in buffers of so many bytes at most, as on an adapter that binds no more.
    ///
    /// # Errors
    /// As [`Wavefront::new`].
    pub fn in_banks(
        bytes: u64,
        kernels: Arc<Kernels>,
        gpu: Arc<Gpu>,
        workload: Arc<Workload>,
        windows: Windows,
        copies: u32,
    ) -> Result<Self, Error> {
        let store = Arc::new(Store::new(&gpu, &workload, bytes)?);
        Self::with(store, kernels, gpu, workload, windows, copies)
    }

    fn with(
        store: Arc<Store>,
        kernels: Arc<Kernels>,
        gpu: Arc<Gpu>,
        workload: Arc<Workload>,
        windows: Windows,
        copies: u32,
    ) -> Result<Self, Error> {
        loops::check(&gpu, &workload)?;
        let stages = Stages {
            span: Span::new(&gpu)?,
            differing: Differing::new(&gpu)?,
            spread: Spread::new(&gpu)?,
        };
        let reach = WordReach::new(&workload);
        let layout = Layout::new(&workload, &windows);
        let shared = Shared {
            gpu: &gpu,
            kernels: &kernels,
            workload: &workload,
            windows: &windows,
            layout: &layout,
            store: &store,
        };
        let golden = Golden::new(&shared, &reach)?;
        let decoders = Vec::new();
        let memory = (0..waves(&gpu)).map(|_| WaveMemory::default()).collect();
        let core = Core {
            gpu,
            kernels,
            decoders,
            workload,
            windows,
            layout,
            stages,
            reach,
            store,
            golden,
        };
        Ok(Self {
            in_full: None,
            behind: (BEHIND, copies),
            core,
            memory,
            lanes: LANES,
            adapts: true,
            tuned: false,
            paths: Paths::default(),
            inference_s: Vec::new(),
        })
    }

    /// The same with so many trials at once at most.
    #[must_use]
    pub fn with_lanes(self, lanes: usize) -> Self {
        let behind = (lanes, self.behind.1);
        Self { lanes: lanes.max(1), behind, adapts: false, ..self }
    }

    /// The same with so many waves at once.
    #[must_use]
    pub fn with_waves(self, waves: usize) -> Self {
        let memory = (0..waves.max(1)).map(|_| WaveMemory::default()).collect();
        Self { memory, ..self }
    }

    /// Runs trials in chunks, as many at once as there are waves; `None` for those that must run in full.
    fn run_waves(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<Option<TrialResult>>, Error> {
        let Self { core, memory, lanes, .. } = self;
        let chunk = trials::chunk(jobs, lanes.div_ceil(memory.len()).min(LANES_MAX));
        let chunks = Mutex::new(jobs.chunks(chunk).enumerate());
        let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
        let run = |memory: &mut WaveMemory| {
            let mut ran = Vec::new();
            while let Some((at, jobs)) = next() {
                ran.push((at, core.run_chunk(memory, (scheme, course), jobs)));
                if ran.last().is_some_and(|(_, results)| results.is_err()) {
                    // The other waves begin nothing more.
                    while next().is_some() {}
                }
            }
            ran
        };
        let mut ran = thread::scope(|scope| {
            let run = &run;
            let waves: Vec<_> = memory
                .iter_mut()
                .take(jobs.len().div_ceil(chunk))
                .map(|memory| scope.spawn(move || run(memory)))
                .collect();
            waves
                .into_iter()
                .flat_map(|wave| wave.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect::<Vec<_>>()
        });
        // A failure of the device is told to one wave, and may be why another one finds what cannot be.
        let of_device = |(_, ran): &(usize, Result<_, Error>)| matches!(ran, Err(Error::Gpu(_)));
        if let Some(at) = ran.iter().position(of_device) {
            ran.swap(0, at);
            ran.truncate(1);
        }
        ran.sort_unstable_by_key(|(at, _)| *at);
        let mut results = Vec::with_capacity(jobs.len());
        for (_, chunk) in ran {
            results.extend(chunk?);
        }
        Ok(results)
    }

    /// Golden outputs, `[window, feature, row]`, rows padded.
    pub fn golden_outputs(&self) -> &[u32] {
        &self.core.golden.outputs
    }

    /// The first stored tensor or op of golden that has numbers which are not finite.
    ///
    /// # Errors
    /// Where the GPU fails.
    pub fn non_finite(&self) -> Result<Option<NonFinite>, Error> {
        self.core.golden.non_finite(&self.core.gpu, &self.core.workload, &self.core.layout)
    }

    /// How many trials went which way so far.
    pub fn paths(&self) -> Paths {
        let resumed = self.memory.iter().map(|memory| memory.packed.resumed).sum();
        Paths { resumed, ..self.paths }
    }
}

impl Core {
    /// Makes sure of the decoder of a scheme.
    fn enter(&mut self, scheme: &Scheme) -> Result<(), Error> {
        if let Some(code) = scheme.code
            && self.decoders.iter().all(|decoder| decoder.code != code)
        {
            self.decoders.push(Decoder::new(&self.gpu, code)?);
        }
        Ok(())
    }
}

impl Engine for Wavefront {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        loops::check_vote(&self.core.gpu, &self.core.workload, scheme)?;
        let workload = &self.core.workload;
        let traps = (0..workload.ops.len()).any(|op| workload.reads_indices(op));
        let guarded_retry = scheme.executions() == 2 && scheme.guard.is_some();
        if !trials::represents(scheme, course) || traps && guarded_retry {
            return self.run_in_full(scheme, course, jobs);
        }
        let started = Instant::now();
        self.core.enter(scheme)?;
        let mut results = self.run_waves(scheme, course, jobs)?;
        let left: Vec<usize> = (0..jobs.len()).filter(|at| results[*at].is_none()).collect();
        let by_proof = |result: &&TrialResult| result.decided == Decided::ByProof;
        let proved = results.iter().flatten().filter(by_proof).count();
        self.paths.by_proof += proved as u64;
        self.paths.wavefront += (jobs.len() - left.len() - proved) as u64;
        if !left.is_empty() {
            let in_full: Vec<Job> = left.iter().map(|at| jobs[*at].clone()).collect();
            for (at, result) in left.into_iter().zip(self.run_in_full(scheme, course, &in_full)?) {
                results[at] = Some(result);
            }
        }
        if self.adapts && jobs.len() >= self.lanes {
            let rate = jobs.len() as f64 / started.elapsed().as_secs_f64();
            self.lanes = lanes_at(rate, self.memory.len());
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Measured once a scheme, on the direct engine.
    fn inference_s(&mut self, scheme: &Scheme, course: Course) -> Result<Option<f64>, Error> {
        if !trials::represents(scheme, course) {
            return Ok(None);
        }
        if let Some((_, known)) = self.inference_s.iter().find(|(known, _)| known == scheme) {
            return Ok(Some(*known));
        }
        self.core.enter(scheme)?;
        let seconds = self.in_full_s(scheme, course)?;
        self.inference_s.push((scheme.clone(), seconds));
        Ok(Some(seconds))
    }

    fn lanes(&self) -> usize {
        self.lanes
    }
}

/// The most bytes of pages that are kept from wave to wave, and of packed rows.
const WAVE_BYTES_MAX: u64 = 512 << 20;

/// Bytes of the pages of all ops with as many lanes as a wave may have, and of packed rows.
fn wave_bytes(workload: &Workload, rows: u64) -> u64 {
    let reach = WordReach::new(workload);
    let pages = (0..workload.ops.len()).filter_map(|op| reach.op(op)).map(|weighted| {
        let cells = weighted.chain.iter().map(|(_, cells)| u64::from(*cells));
        let slice = (cells.sum::<u64>() + u64::from(weighted.cells)) * rows;
        wave::slots_max(LANES_MAX, 1) as u64 * (u64::from(weighted.taps) + 1 + slice)
    });
    let values = workload.values.iter().filter(|value| value.is_of_rows());
    let packed = values.map(|_| u64::from(rows::VALUE_WORDS));
    4 * (pages.sum::<u64>() + packed.sum::<u64>())
}
