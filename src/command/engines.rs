//! Which engine runs a campaign or the faulty states of a mission.

use super::{Failure, prepare, say};
use crate::engine::direct::{Direct, Kernels};
use crate::engine::reference::Reference;
use crate::engine::wavefront::Wavefront;
use crate::engine::{self, Course, Engine, Engines, Job, TrialResult, Windows};
use crate::gpu::Gpu;
use crate::scheme::Scheme;
use crate::workload::Workload;
use std::sync::Arc;

/// The engines that a user may name. All give the same results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum EngineName {
    /// Computes what a fault changes and no more; what it does not represent, or does not fit, runs on
    /// the direct engine.
    #[default]
    Wavefront,
    /// Runs every trial in full.
    Direct,
    /// Runs every trial in full on the CPU: slow.
    Reference,
}

/// One of the engines.
pub(super) enum Chosen {
    Wavefront(Box<Wavefront>),
    Direct(Box<Direct>),
    Reference(Box<Reference>),
}

impl Chosen {
    /// The engine of this name for a workload over windows, for so many stored copies; `lanes` fixes how
    /// many trials run at once.
    pub(super) fn new(
        name: EngineName,
        kernels: &Arc<Kernels>,
        gpu: &Arc<Gpu>,
        (workload, windows, copies): (&Arc<Workload>, &Windows, u32),
        lanes: Option<usize>,
    ) -> Result<Self, engine::Error> {
        let of = (workload, windows, copies);
        let direct = |lanes| prepare::engine(kernels, gpu, of, lanes);
        Ok(match name {
            EngineName::Wavefront => {
                if !Wavefront::fits(gpu, workload, windows) {
                    return Self::new(EngineName::Direct, kernels, gpu, of, lanes);
                }
                let (kernels, gpu, workload) =
                    (Arc::clone(kernels), Arc::clone(gpu), Arc::clone(workload));
                let engine = Wavefront::new(kernels, gpu, workload, windows.clone(), copies)?;
                Self::Wavefront(Box::new(match lanes {
                    Some(lanes) => engine.with_lanes(lanes),
                    None => engine,
                }))
            }
            EngineName::Direct => Self::Direct(Box::new(direct(lanes)?)),
            EngineName::Reference => {
                let (workload, windows) = (Arc::clone(workload), windows.clone());
                let arithmetic = gpu.adapter().arithmetic;
                Self::Reference(Box::new(Reference::new(workload, windows, arithmetic)))
            }
        })
    }

    /// Golden outputs, `[window, feature, row]`, rows padded.
    pub(super) fn golden_outputs(&self) -> &[u32] {
        match self {
            Self::Wavefront(engine) => engine.golden_outputs(),
            Self::Direct(engine) => engine.golden_outputs(),
            Self::Reference(engine) => engine.golden_outputs(),
        }
    }

    /// Bytes on the adapter.
    fn bytes(&self) -> u64 {
        match self {
            Self::Wavefront(engine) => engine.bytes(),
            Self::Direct(engine) => engine.bytes(),
            Self::Reference(_) => 0,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Wavefront(_) => "wavefront",
            Self::Direct(_) => "direct",
            Self::Reference(_) => "reference",
        }
    }
}

impl Engine for Chosen {
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, engine::Error> {
        match self {
            Self::Wavefront(engine) => engine.run(scheme, course, jobs),
            Self::Direct(engine) => engine.run(scheme, course, jobs),
            Self::Reference(engine) => engine.run(scheme, course, jobs),
        }
    }

    fn inference_s(
        &mut self,
        scheme: &Scheme,
        course: Course,
    ) -> Result<Option<f64>, engine::Error> {
        match self {
            Self::Wavefront(engine) => engine.inference_s(scheme, course),
            Self::Direct(_) | Self::Reference(_) => Ok(None),
        }
    }

    fn lanes(&self) -> usize {
        match self {
            Self::Wavefront(engine) => engine.lanes(),
            Self::Direct(engine) => engine.lanes(),
            Self::Reference(engine) => engine.lanes(),
        }
    }
}

/// Says which engine runs, how many trials or states at once, and in how much memory.
pub(super) fn say_engine(engines: &[Chosen]) -> Result<(), Failure> {
    let bytes: u64 = engines.iter().map(Chosen::bytes).sum();
    let (name, lanes) = engines.first().map_or(("none", 0), |e| (e.name(), e.lanes()));
    let mib = bytes.div_ceil(1 << 20);
    say(&format!("engine: {name}, {lanes} lanes at once, {mib} MiB on the adapter"))
}

/// The engines as runs take them.
pub(super) fn boxed<E: Engine + 'static>(engines: Vec<E>) -> Engines<'static> {
    engines.into_iter().map(|engine| Box::new(engine) as Box<dyn Engine>).collect()
}
