//! Engines: what runs a trial. One trait, held to one behaviour.
//!
//! An engine takes trials of one scheme and gives back what became of each inference. It knows
//! nothing of campaigns, sampling or files. [`direct`] runs every trial in full on the GPU,
//! [`wavefront`] only what a fault changes; [`mod@reference`] is their oracle in plain Rust.

pub mod agreement;
mod demand;
pub mod direct;
mod footprint;
mod forward;
mod layout;
mod loops;
pub mod reference;
mod reopen;
mod store;
pub mod wavefront;

pub use demand::Demand;
pub use layout::Layout;
pub use reopen::{Engines, Member, Reopening};

use crate::fault::Fault;
use crate::outcome::{InferenceRow, Tally};
use crate::scheme::Scheme;

/// The inputs a batch runs over: each window is the inputs of one step, and all have one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    rows: u32,
    inputs: Vec<u32>,
}

impl Windows {
    /// Windows of `rows` inputs each, `inputs` holding one after another.
    ///
    /// # Panics
    /// Where `inputs` is empty or not a multiple of `rows`.
    pub fn new(rows: u32, inputs: Vec<u32>) -> Self {
        assert!(rows > 0 && !inputs.is_empty() && inputs.len().is_multiple_of(rows as usize));
        Self { rows, inputs }
    }

    /// Inferences in a step.
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// How many windows there are.
    pub fn count(&self) -> usize {
        self.inputs.len() / self.rows as usize
    }

    /// The inputs of window `index`.
    pub fn inputs(&self, index: usize) -> &[u32] {
        let rows = self.rows as usize;
        &self.inputs[index * rows..(index + 1) * rows]
    }

    /// The input of the inference that a fault of this job strikes: its own for a word that lives
    /// for one inference, the step's only one for any other; `None` where it waits for several.
    pub fn struck(&self, job: &Job, fault: &Fault) -> Option<u32> {
        if !fault.region.is_of_one_inference() && self.rows > 1 {
            return None;
        }
        let window = (job.first_window as usize + fault.step as usize) % self.count();
        self.inputs(window).get(fault.row as usize).copied()
    }
}

/// One trial for an engine: its faults, and which part of its time to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The trial's number in its campaign.
    pub trial: u64,
    /// The window of step 0; step s reads window (first + s) mod count.
    pub first_window: u32,
    /// Faults in the order they strike, `step` never falling.
    pub faults: Vec<Fault>,
}

/// How trials run: the same for all jobs of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// The first step to run; earlier faults strike before it, earlier steps are fault-free.
    pub first_step: u32,
    /// The step to stop before.
    pub end_step: u32,
    /// Whether stored memory is golden again for each inference, as a conditional campaign has it
    /// (a repair or reload ends with the inference), or keeps its state from step to step.
    pub conditional: bool,
}

/// Where a fault of a job landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landing {
    /// Index into the job's faults.
    pub fault: u32,
    /// The replica or execution struck.
    pub replica: u32,
    /// The word before, read from the buffer that the workload's shader reads.
    pub before: u32,
    /// The word after, read back likewise.
    pub after: u32,
}

/// How the outcome of a trial is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Decided {
    /// It ran.
    #[default]
    ByRun,
    /// Its fault can change no output, and it did not run.
    ByProof,
}

impl Decided {
    /// Both, in the order of their codes.
    pub const ALL: [Self; 2] = [Self::ByRun, Self::ByProof];

    /// The name used in HDF5.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByRun => "by run",
            Self::ByProof => "by proof",
        }
    }
}

/// What became of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// The trial's number.
    pub trial: u64,
    /// Each inference, `[step, row]`.
    pub rows: Vec<InferenceRow>,
    /// The counts, as the tally stage has them.
    pub tally: Tally,
    /// The faults that this scheme's footprint received.
    pub landings: Vec<Landing>,
    /// Words that periodic scrubs put right.
    pub scrub_repaired: u64,
    /// Words that a periodic scrub left different from golden.
    pub scrub_uncorrectable: u64,
    /// Inferences run again after a mismatch.
    pub retries: u32,
    /// Reloads of golden after a mismatch or a DUE.
    pub reloads: u32,
    /// How its outcome is known.
    pub decided: Decided,
}

impl TrialResult {
    /// A trial of which nothing has run yet.
    pub fn new(trial: u64) -> Self {
        Self {
            trial,
            rows: Vec::new(),
            tally: Tally::default(),
            landings: Vec::new(),
            scrub_repaired: 0,
            scrub_uncorrectable: 0,
            retries: 0,
            reloads: 0,
            decided: Decided::ByRun,
        }
    }
}

/// What went wrong in an engine. None of these is an outcome of a trial.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] crate::gpu::Error),
    /// A fault did not land as asked.
    #[error(
        "trial {trial}: fault {fault} did not land on {before:#010x}: \
         expected {expected:#010x}, found {found:#010x}"
    )]
    NotLanded {
        /// The trial.
        trial: u64,
        /// The index of the fault.
        fault: u32,
        /// The word before.
        before: u32,
        /// What the mask makes of it.
        expected: u32,
        /// What was read back.
        found: u32,
    },
    /// A kernel loops longer than the adapter runs.
    #[error(
        "{what} takes {iterations} loop iterations of an invocation; this adapter ends loops after {most}, \
         so that its results would be wrong: use a hardware adapter, or a smaller network"
    )]
    Loops {
        /// The op, or the decision.
        what: String,
        /// What its kernel takes.
        iterations: u64,
        /// What the adapter runs.
        most: u64,
    },
    /// The fault-free lane of a batch differed from golden.
    #[error("the fault-free lane of a batch differed from golden in inference {row}")]
    ControlLane {
        /// The inference.
        row: u32,
    },
    /// A lane's stored image was not golden after its restoration.
    #[error("the stored image of lane {lane} is not golden after its restoration")]
    NotRestored {
        /// The lane.
        lane: u32,
    },
    /// The workload does not fit the adapter.
    #[error("{what} needs {needed} bytes in one binding, the adapter binds {limit} at most")]
    TooLarge {
        /// What does not fit.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes the adapter binds.
        limit: u64,
    },
    /// The machine has not the memory that the engine needs.
    #[error("the engine needs {needed} bytes ({parts}), {free} bytes of memory are free")]
    Memory {
        /// Bytes needed.
        needed: u64,
        /// The bytes of each part.
        parts: String,
        /// Bytes that are free.
        free: u64,
    },
    /// A trial that a proof decides ran all the same, and its outputs are not golden.
    #[error("trial {trial}: its fault can change no output, but its run differs from golden")]
    Proof {
        /// The trial.
        trial: u64,
    },
    /// Whoever watches the run asked it to stop.
    #[error("the run was asked to stop")]
    Stopped,
    /// The tally of the GPU disagrees with its own rows.
    #[error("trial {trial}: the tally does not sum to the trial's inferences")]
    Tally {
        /// The trial.
        trial: u64,
    },
}

impl Error {
    /// Whether the workload is too large for the engine.
    const fn is_size(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::Memory { .. })
    }
}

/// What runs trials.
pub trait Engine {
    /// Runs `jobs` under `scheme` and gives their results in the same order.
    ///
    /// # Errors
    /// Where the GPU fails or a proof (landing, control lane, restoration, tally) does.
    fn run(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error>;

    /// How many jobs a call runs best at once.
    fn lanes(&self) -> usize;

    /// Seconds that a fault-free inference takes in full under `scheme`, where the time that
    /// [`Engine::run`] takes does not tell it, since only a part of each trial is computed.
    ///
    /// # Errors
    /// As [`Engine::run`].
    fn inference_s(&mut self, _scheme: &Scheme, _course: Course) -> Result<Option<f64>, Error> {
        Ok(None)
    }
}
