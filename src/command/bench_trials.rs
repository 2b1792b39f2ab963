//! Trials a second of the engines, one weight bit a trial.

use super::Failure;
use super::bench::Figure;
use crate::engine::direct::{Direct, Kernels};
use crate::engine::wavefront::Wavefront;
use crate::engine::{Course, Engine, Error, Job, Windows};
use crate::fault::{FaultKind, Region, Sites, draw};
use crate::gpu::Gpu;
use crate::scheme::{Code, Protection, Scheme};
use crate::workload::Workload;
use std::sync::Arc;
use std::time::Instant;

const COURSE: Course = Course { first_step: 0, end_step: 1, conditional: true };

/// Seconds that the trials of a round take about.
const ROUND_S: f64 = 1.0;

/// An engine with the trials of a round.
struct Runner {
    engine: Box<dyn Engine>,
    jobs: Vec<Job>,
}

impl Runner {
    /// As many whole batches as fill a round of the scheme `none`.
    fn new(mut engine: Box<dyn Engine>, job: impl Fn(u64) -> Job) -> Result<Self, Error> {
        // The first batch compiles; the second says how many fill a round.
        let bare = Scheme::bare("none", Protection::None);
        let batch: Vec<Job> = (0..engine.lanes() as u64).map(&job).collect();
        engine.run(&bare, COURSE, &batch)?;
        let batch: Vec<Job> = (0..engine.lanes() as u64).map(&job).collect();
        let started = Instant::now();
        engine.run(&bare, COURSE, &batch)?;
        let seconds = started.elapsed().as_secs_f64();
        let fits = |count: &u32| f64::from(*count) * seconds < ROUND_S;
        let batches = (1..=64).take_while(fits).count().max(1);
        let jobs = (0..(batch.len() * batches) as u64).map(job).collect();
        Ok(Self { engine, jobs })
    }

    /// Trials a second.
    fn rate(&mut self, scheme: &Scheme) -> Result<f64, Error> {
        let started = Instant::now();
        self.engine.run(scheme, COURSE, &self.jobs)?;
        Ok(self.jobs.len() as f64 / started.elapsed().as_secs_f64())
    }
}

/// The direct engine under each protection and one code, the wavefront engine under some of them.
pub(super) fn figures(
    gpu: &Arc<Gpu>,
    workload: &Arc<Workload>,
    inputs: u32,
    rounds: u32,
) -> Result<Vec<Figure>, Failure> {
    let windows = Windows::new(inputs, (0..inputs).collect());
    let kernels = Arc::new(Kernels::new(gpu)?);
    let direct = Direct::tuned(&kernels, gpu, workload, &windows, 3)?;
    let of = (Arc::clone(gpu), Arc::clone(workload));
    let wavefront = Wavefront::new(kernels, of.0, of.1, windows, 3)?;
    let sites = Sites::new(workload, Region::Weights, None, None)
        .map_err(|e| Failure::input(anyhow::anyhow!("{e:?}")))?;
    let job = |trial| {
        let drawn = draw(1, trial, &sites, 1, FaultKind::Xor, inputs);
        Job { trial, first_window: 0, faults: drawn.faults }
    };
    let mut direct = Runner::new(Box::new(direct), job)?;
    let mut wavefront = Runner::new(Box::new(wavefront), job)?;
    let mut schemes = Protection::ALL.map(|p| Scheme::bare(p.name(), p)).to_vec();
    let coded = Scheme::bare("hsiao-72-64", Protection::None);
    schemes.push(Scheme { code: Some(Code::Hsiao72), ..coded });
    let mut best = vec![[0.0f64; 2]; schemes.len()];
    for _ in 0..rounds {
        for (best, scheme) in best.iter_mut().zip(&schemes) {
            best[0] = best[0].max(direct.rate(scheme)?);
            best[1] = best[1].max(wavefront.rate(scheme)?);
        }
    }
    let figure = |scheme: &Scheme, of: &str, value, to: f64| Figure {
        name: format!("{}, {inputs} inputs, {}, {of}", workload.name, scheme.name),
        value,
        unit: "trials/s",
        ratio: Some(value / to),
    };
    let lanes = format!("{} lanes", direct.engine.lanes());
    let in_full = schemes.iter().zip(&best);
    let in_full = in_full.map(|(scheme, [rate, _])| figure(scheme, &lanes, *rate, best[0][0]));
    let changed = schemes.iter().zip(&best);
    let changed =
        changed.map(|(scheme, [direct, rate])| figure(scheme, "wavefront", *rate, *direct));
    Ok(in_full.chain(changed).collect())
}
