//! Which engine runs a campaign or the faulty states of a mission.

use super::{Failure, note, prepare};
use crate::engine::direct::{Direct, Kernels};
use crate::engine::reference::Reference;
use crate::engine::wavefront::{GOLDEN_WEIGHTS, NonFinite, Wavefront};
use crate::engine::{self, Course, Demand, Engine, Engines, Job, TrialResult, Windows};
use crate::estimate::bytes_text;
use crate::gpu::Gpu;
use crate::scheme::Scheme;
use crate::workload::{Inputs, Workload};
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
    /// With what it holds on the adapter.
    Wavefront(Box<Wavefront>, Demand),
    Direct(Box<Direct>),
    Reference(Box<Reference>),
}

impl Chosen {
    /// The engine of this name for a workload over windows, for so many stored copies; `lanes` fixes how
    /// many trials run at once. `like` is one for other windows, with which it shares what it can.
    pub(super) fn new(
        name: EngineName,
        kernels: &Arc<Kernels>,
        gpu: &Arc<Gpu>,
        (workload, windows, copies): (&Arc<Workload>, &Windows, u32),
        (lanes, like): (Option<usize>, Option<&Self>),
    ) -> Result<Self, engine::Error> {
        let direct = |lanes| prepare::engine(kernels, gpu, (workload, windows, copies), lanes);
        Ok(match name {
            EngineName::Wavefront => {
                let planned = Wavefront::planned(gpu, workload, windows)?;
                planned.check(gpu)?;
                let engine = match like {
                    Some(Self::Wavefront(like, _)) => like.over(windows.clone())?,
                    _ => {
                        let (kernels, gpu, workload) =
                            (Arc::clone(kernels), Arc::clone(gpu), Arc::clone(workload));
                        Wavefront::new(kernels, gpu, workload, windows.clone(), copies)?
                    }
                };
                let engine = match lanes {
                    Some(lanes) => engine.with_lanes(lanes),
                    None => engine,
                };
                Self::Wavefront(Box::new(engine), planned)
            }
            EngineName::Direct => Self::Direct(Box::new(direct(lanes)?)),
            EngineName::Reference => {
                let (workload, windows) = (Arc::clone(workload), windows.clone());
                let arithmetic = gpu.adapter().arithmetic;
                Self::Reference(Box::new(Reference::new(workload, windows, arithmetic)))
            }
        })
    }

    /// The engine for the same workload with other inputs of the same number and shape.
    ///
    /// # Errors
    /// As [`Chosen::new`].
    ///
    /// # Panics
    /// Never for the wavefront engine, the only one that inferences without faults run on.
    pub(super) fn with_inputs(self, inputs: Inputs) -> Result<Self, engine::Error> {
        match self {
            Self::Wavefront(engine, planned) => {
                Ok(Self::Wavefront(Box::new(engine.with_inputs(inputs)?), planned))
            }
            Self::Direct(_) | Self::Reference(_) => {
                unreachable!("golden runs on the wavefront engine")
            }
        }
    }

    /// The workload of the wavefront engine.
    ///
    /// # Panics
    /// As [`Chosen::with_inputs`].
    pub(super) fn workload(&self) -> &Arc<Workload> {
        match self {
            Self::Wavefront(engine, _) => engine.workload(),
            Self::Direct(_) | Self::Reference(_) => {
                unreachable!("golden runs on the wavefront engine")
            }
        }
    }

    /// Golden outputs, `[window, feature, row]`, rows padded.
    pub(super) fn golden_outputs(&self) -> &[u32] {
        match self {
            Self::Wavefront(engine, _) => engine.golden_outputs(),
            Self::Direct(engine) => engine.golden_outputs(),
            Self::Reference(engine) => engine.golden_outputs(),
        }
    }

    /// What it holds on the adapter.
    fn demand(&self) -> Demand {
        match self {
            Self::Wavefront(_, planned) => planned.clone(),
            Self::Direct(engine) => engine.demand(),
            Self::Reference(_) => Demand { parts: Vec::new() },
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Wavefront(..) => "wavefront",
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
            Self::Wavefront(engine, _) => engine.run(scheme, course, jobs),
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
            Self::Wavefront(engine, _) => engine.inference_s(scheme, course),
            Self::Direct(_) | Self::Reference(_) => Ok(None),
        }
    }

    fn lanes(&self) -> usize {
        match self {
            Self::Wavefront(engine, _) => engine.lanes(),
            Self::Direct(engine) => engine.lanes(),
            Self::Reference(engine) => engine.lanes(),
        }
    }
}

/// Says which engine runs, how many trials or states at once, and what it holds on the adapter.
pub(super) fn say_engine(engines: &[Chosen]) -> Result<(), Failure> {
    let Some(first) = engines.first() else { return Ok(()) };
    let mut demand = first.demand();
    for engine in &engines[1..] {
        let mut own = engine.demand();
        if matches!(engine, Chosen::Wavefront(..)) {
            own.parts.retain(|(what, _)| *what != GOLDEN_WEIGHTS);
        }
        demand = demand.and(&own);
    }
    let held = match demand.parts.is_empty() {
        true => "nothing".to_owned(),
        false => format!("{} ({})", bytes_text(demand.bytes() as f64), demand.text()),
    };
    note(&format!(
        "engine: {}, {} lanes at once, {held} on the adapter",
        first.name(),
        first.lanes()
    ))?;
    match first {
        Chosen::Wavefront(engine, _) => match engine.non_finite()? {
            Some(NonFinite { name, infinite, nan }) => note(&format!(
                "golden: `{name}` has {infinite} infinite numbers and {nan} NaN, without any fault"
            )),
            None => Ok(()),
        },
        Chosen::Direct(_) | Chosen::Reference(_) => Ok(()),
    }
}

/// The engines as runs take them.
pub(super) fn boxed<E: Engine + 'static>(engines: Vec<E>) -> Engines<'static> {
    engines.into_iter().map(|engine| Box::new(engine) as Box<dyn Engine>).collect()
}
