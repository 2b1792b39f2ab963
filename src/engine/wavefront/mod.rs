//! The wavefront engine: conditional trials on the GPU, of which it computes only what a fault changes.
//!
//! Golden weights and golden values are shared by all trials. A trial owns a page: the words of the one
//! output unit that its fault strikes, which the op's own kernel reads. Where the unit's outputs equal
//! golden, a row is done; the rows that are left, of all trials, are packed into one block and run through
//! the rest of the workload together. Bits are those of the direct engine, since no sum changes its order.
//! What it does not represent runs on the direct engine.

mod golden;
mod pages;
mod partial;
mod reach;
mod rows;
mod stored;
mod trials;
mod wave;

use super::direct::{Direct, Kernels};
use super::{Course, Engine, Error, Job, Layout, TrialResult, Windows};
use crate::gpu::{Buffer, Gpu};
use crate::scheme::Scheme;
use crate::stage::differing::Differing;
use crate::stage::span::Span;
use crate::stage::spread::Spread;
use crate::workload::Workload;
use golden::Golden;
use reach::Reach;
use std::sync::Arc;
use std::time::Instant;
use wave::{LANES_MAX, WaveMemory};

/// Trials at once before the rate is known.
const LANES: usize = 256;

/// Seconds that a call should take at most, so that whoever steers a run is heard.
const CALL_S: f64 = 0.5;

/// Trials at once at so many trials a second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped, and rates are not negative"
)]
fn lanes_at(rate: f64) -> usize {
    ((rate * CALL_S) as usize).clamp(64, LANES_MAX) / 64 * 64
}

/// Lanes that tell what an inference takes in full: as many for every scheme.
const MEASURED_LANES: usize = 31;

/// How many trials went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Trials of which only what changed was computed.
    pub wavefront: u64,
    /// Trials that ran in full.
    pub direct: u64,
    /// Runs of changed rows in which an op took up golden partial sums.
    pub resumed: u64,
}

/// The engine, with the direct one for what it does not represent.
#[derive(Debug)]
pub struct Wavefront {
    direct: Direct,
    core: Core,
    memory: WaveMemory,
    lanes: usize,
    /// Whether `lanes` follows the rate of the last call.
    adapts: bool,
    /// The stored copies for which the direct engine's lanes are yet to be measured.
    untuned: Option<u32>,
    paths: Paths,
    /// Seconds that an inference takes in full, by scheme.
    inference_s: Vec<(Scheme, f64)>,
}

/// What all waves share.
#[derive(Debug)]
struct Core {
    gpu: Arc<Gpu>,
    kernels: Arc<Kernels>,
    workload: Arc<Workload>,
    windows: Windows,
    layout: Layout,
    stages: Stages,
    reach: Reach,
    golden: Golden,
    /// Golden weights.
    stored: Buffer<u32>,
}

/// Kernels that only this engine has.
#[derive(Debug)]
struct Stages {
    span: Span,
    differing: Differing,
    spread: Spread,
}

impl Wavefront {
    /// Whether the golden values that this engine shares fit beside a direct engine.
    pub fn fits(direct: &Direct) -> bool {
        Golden::fits(direct)
    }

    /// The engine beside a direct one, whose workload and windows it takes.
    ///
    /// # Errors
    /// Where the GPU fails.
    pub fn new(direct: Direct) -> Result<Self, Error> {
        let gpu = &direct.gpu;
        let stages = Stages {
            span: Span::new(gpu)?,
            differing: Differing::new(gpu)?,
            spread: Spread::new(gpu)?,
        };
        let reach = Reach::new(&direct.workload);
        let golden = Golden::new(&direct, &reach)?;
        let core = Core {
            gpu: Arc::clone(gpu),
            kernels: Arc::clone(&direct.kernels),
            workload: Arc::clone(&direct.workload),
            windows: direct.windows.clone(),
            layout: direct.layout.with_code(None),
            stages,
            reach,
            golden,
            stored: direct.stored().clone(),
        };
        let (memory, paths) = (WaveMemory::default(), Paths::default());
        Ok(Self {
            direct,
            core,
            memory,
            lanes: LANES,
            adapts: true,
            untuned: None,
            paths,
            inference_s: Vec::new(),
        })
    }

    /// The same with so many trials at once at most.
    #[must_use]
    pub fn with_lanes(self, lanes: usize) -> Self {
        Self { lanes: lanes.clamp(1, LANES_MAX), adapts: false, ..self }
    }

    /// The same, whose direct engine is measured anew for so many stored copies once it has much to do.
    #[must_use]
    pub fn tuning(self, copies: u32) -> Self {
        Self { untuned: Some(copies), ..self }
    }

    /// Bytes of the direct engine's buffers and of golden on the GPU.
    pub fn bytes(&self) -> u64 {
        self.direct.bytes() + self.core.golden.bytes()
    }

    /// Runs trials in full.
    fn in_full(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        self.paths.direct += jobs.len() as u64;
        if let Some(copies) = self.untuned.filter(|_| jobs.len() > 4 * self.direct.lanes()) {
            let Core { kernels, gpu, workload, windows, .. } = &self.core;
            self.direct = Direct::tuned(kernels, gpu, workload, windows, copies)?;
            self.untuned = None;
        }
        self.direct.run(scheme, course, jobs)
    }

    /// Golden outputs, `[window, feature, row]`, rows padded.
    pub fn golden_outputs(&self) -> &[u32] {
        self.direct.golden_outputs()
    }

    /// How many trials went which way so far.
    pub const fn paths(&self) -> Paths {
        Paths { resumed: self.memory.packed.resumed, ..self.paths }
    }
}

impl Engine for Wavefront {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        if !trials::represents(scheme, course) {
            return self.in_full(scheme, course, jobs);
        }
        let started = Instant::now();
        self.direct.enter(scheme)?;
        let mut results: Vec<Option<TrialResult>> = Vec::with_capacity(jobs.len());
        for chunk in jobs.chunks(trials::chunk(jobs, self.lanes)) {
            results.extend(self.run_chunk(scheme, course, chunk)?);
        }
        if self.adapts && jobs.len() >= self.lanes {
            let rate = jobs.len() as f64 / started.elapsed().as_secs_f64();
            self.lanes = lanes_at(rate);
        }
        let left: Vec<usize> = (0..jobs.len()).filter(|at| results[*at].is_none()).collect();
        self.paths.wavefront += (jobs.len() - left.len()) as u64;
        if !left.is_empty() {
            let in_full: Vec<Job> = left.iter().map(|at| jobs[*at].clone()).collect();
            for (at, result) in left.into_iter().zip(self.in_full(scheme, course, &in_full)?) {
                results[at] = Some(result);
            }
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
        let lanes = self.direct.lanes().min(MEASURED_LANES) as u64;
        let jobs: Vec<Job> =
            (0..lanes).map(|trial| Job { trial, first_window: 0, faults: Vec::new() }).collect();
        // The first batch compiles and loads.
        self.direct.run(scheme, course, &jobs)?;
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let started = Instant::now();
            self.direct.run(scheme, course, &jobs)?;
            best = best.min(started.elapsed().as_secs_f64());
        }
        let seconds = best / (lanes * u64::from(self.core.windows.rows())) as f64;
        self.inference_s.push((scheme.clone(), seconds));
        Ok(Some(seconds))
    }

    fn lanes(&self) -> usize {
        self.lanes
    }
}
