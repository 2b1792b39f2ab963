//! What the workload makes of each faulty state, run once and remembered.

use super::simulate::StateRows;
use super::state::{Flip, State, Word};
use crate::engine::{Course, Engine, Error, Job};
use crate::fault::{Fault, FaultKind, Region, Replica};
use crate::outcome::InferenceRow;
use crate::scheme::{OnDue, OnRead, Placement, Scheme};
use crate::workload::Workload;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The rows of every state that was asked for, by scheme.
#[derive(Debug)]
pub struct Verdicts {
    workload: Arc<Workload>,
    schemes: Vec<Scheme>,
    /// By scheme of the mission: its place among `schemes`; those that read alike share one.
    which: Vec<usize>,
    known: Vec<HashMap<State, Arc<[InferenceRow]>>>,
    unknown: Vec<BTreeSet<State>>,
    run: u64,
    asked: u64,
}

impl Verdicts {
    /// Nothing is known yet.
    pub fn new(workload: Arc<Workload>, schemes: &[Scheme]) -> Self {
        let mut verdicts = Self {
            workload,
            schemes: Vec::new(),
            which: Vec::new(),
            known: Vec::new(),
            unknown: Vec::new(),
            run: 0,
            asked: 0,
        };
        verdicts.set_schemes(schemes);
        verdicts
    }

    /// Takes other schemes on; what is known stays known.
    pub fn set_schemes(&mut self, schemes: &[Scheme]) {
        self.which.clear();
        for scheme in schemes.iter().map(engine_scheme) {
            let at = self.schemes.iter().position(|known| *known == scheme);
            self.which.push(at.unwrap_or(self.schemes.len()));
            if at.is_none() {
                self.schemes.push(scheme);
                self.known.push(HashMap::new());
                self.unknown.push(BTreeSet::new());
            }
        }
    }

    /// States that wait to be run.
    pub fn waiting(&self) -> usize {
        self.unknown.iter().map(BTreeSet::len).sum()
    }

    /// States that were run so far.
    pub const fn run(&self) -> u64 {
        self.run
    }

    /// How often a state was asked for that was not known.
    pub(super) const fn asked(&self) -> u64 {
        self.asked
    }

    /// Runs what waits; `progress` hears of each batch.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn resolve(
        &mut self,
        engine: &mut dyn Engine,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Error> {
        let course = Course { first_step: 0, end_step: 1, conditional: true };
        for (scheme, unknown) in self.unknown.iter_mut().enumerate() {
            let states: Vec<State> = std::mem::take(unknown).into_iter().collect();
            for states in states.chunks(engine.lanes().max(1)) {
                let jobs: Vec<Job> = (self.run..)
                    .zip(states)
                    .map(|(trial, state)| Job {
                        trial,
                        first_window: 0,
                        faults: faults(&self.workload, state),
                    })
                    .collect();
                let results = engine.run(&self.schemes[scheme], course, &jobs)?;
                for (state, result) in states.iter().zip(results) {
                    self.known[scheme].insert(state.clone(), result.rows.into());
                }
                self.run += states.len() as u64;
                progress(self.run);
            }
        }
        Ok(())
    }
}

impl StateRows for Verdicts {
    fn rows(&mut self, scheme: usize, state: &State) -> Option<Arc<[InferenceRow]>> {
        let scheme = self.which[scheme];
        let known = self.known[scheme].get(state).cloned();
        if known.is_none() {
            self.asked += 1;
            self.unknown[scheme].insert(state.clone());
        }
        known
    }
}

/// The scheme as the engine runs one faulty state: what happens to memory afterwards is the
/// mission's affair.
fn engine_scheme(scheme: &Scheme) -> Scheme {
    Scheme {
        name: "state".into(),
        scrub: None,
        on_due: OnDue::Keep,
        on_read: OnRead::Keep,
        placement: Placement::default(),
        ..scheme.clone()
    }
}

/// The faults that make golden memory this state.
fn faults(workload: &Workload, state: &State) -> Vec<Fault> {
    let fault = |region, tensor, index, row, mask, replica| Fault {
        step: 0,
        time_s: 0.0,
        region,
        tensor,
        index,
        row,
        kind: FaultKind::Xor,
        mask,
        place: Replica::At(replica),
    };
    let stored = |flip: &Flip| match flip.word {
        Word::Data(word) => {
            let at = workload.tensors.iter().rposition(|tensor| tensor.offset <= word)?;
            let tensor = &workload.tensors[at];
            let index = word - tensor.offset;
            let at = u32::try_from(at).ok()?;
            let replica = u32::from(flip.replica);
            ((index as usize) < tensor.words.len())
                .then(|| fault(Region::Weights, at, index, 0, flip.mask, replica))
        }
        Word::Check(block) => {
            let replica = u32::from(flip.replica);
            Some(fault(Region::Check, 0, block, 0, flip.mask, replica))
        }
    };
    let mut faults: Vec<Fault> = state.flips.iter().filter_map(stored).collect();
    for value in &state.value {
        let place = value.execution;
        let (op, index, row) = (value.op, value.index, value.row);
        faults.push(fault(Region::Activations, op, index, row, value.mask, place));
    }
    faults
}
