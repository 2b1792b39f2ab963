//! Trials that pages do not represent: every op over every row, on the direct engine, in place or on the CPU.

use super::super::direct::Direct;
use super::super::reference::Reference;
use super::super::{Course, Engine, Error, Job, TrialResult};
use super::in_place::InPlace;
use super::{Core, Wavefront, cost, trials};
use crate::scheme::Scheme;
use std::sync::Arc;

/// Trials at once of the direct engine, until it is measured.
pub(super) const BEHIND: usize = 31;

/// Lanes that tell what an inference takes in full: as many for every scheme.
const MEASURED_LANES: usize = 31;

/// What runs trials in full.
#[derive(Debug)]
pub(super) enum InFull {
    Direct(Box<Direct>),
    /// Where no lane of the direct engine fits the adapter: one after another over golden itself, and what
    /// that does not represent on the reference engine. It has a copy of all weights and is made when the
    /// first trial needs it.
    InPlace(Box<InPlace>, Option<Box<Reference>>),
}

impl Wavefront {
    /// What runs trials in full, made where this is the first call.
    fn in_full(&mut self) -> Result<&mut InFull, Error> {
        let in_full = self.taken()?;
        Ok(self.in_full.insert(in_full))
    }

    fn taken(&mut self) -> Result<InFull, Error> {
        self.in_full.take().map_or_else(|| self.made(), Ok)
    }

    /// Golden itself, where trials run in place.
    fn golden_itself(&self) -> InFull {
        InFull::InPlace(Box::new(InPlace::new(&self.core)), None)
    }

    /// The same where trials that must run in full do so over golden itself.
    #[must_use]
    pub fn in_place(self) -> Self {
        let in_full = Some(self.golden_itself());
        Self { in_full, ..self }
    }

    /// A direct engine, whose golden outputs are those of this one; golden itself where none fits.
    fn made(&self) -> Result<InFull, Error> {
        let Core { kernels, gpu, workload, windows, .. } = &self.core;
        let (lanes, copies) = self.behind;
        let with = |lanes| {
            let (kernels, gpu, workload) =
                (Arc::clone(kernels), Arc::clone(gpu), Arc::clone(workload));
            Direct::with(kernels, gpu, workload, windows.clone(), lanes, copies)
        };
        // Where so many do not fit, a trial beside the control lane may.
        let direct =
            with(lanes + 1).or_else(|error| if error.is_size() { with(2) } else { Err(error) });
        match direct {
            Ok(direct) if direct.golden_outputs() != self.golden_outputs() => {
                Err(Error::ControlLane { row: 0 })
            }
            Ok(direct) => Ok(InFull::Direct(Box::new(direct))),
            Err(error) if error.is_size() => Ok(self.golden_itself()),
            Err(error) => Err(error),
        }
    }

    /// Runs trials in full.
    pub(super) fn run_in_full(
        &mut self,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        let mut in_full = self.taken()?;
        let results = self.run_in(&mut in_full, scheme, course, jobs);
        self.in_full = Some(in_full);
        results
    }

    fn run_in(
        &mut self,
        in_full: &mut InFull,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        let (memory, reference) = match in_full {
            InFull::InPlace(memory, reference) => (memory, reference),
            InFull::Direct(direct) => match self.run_on(direct, scheme, course, jobs) {
                // Lanes that fit without a code may not fit with its check words.
                Err(error) if error.is_size() => {
                    *in_full = self.golden_itself();
                    return self.run_in(in_full, scheme, course, jobs);
                }
                results => return results,
            },
        };
        let Core { gpu, workload, windows, .. } = &self.core;
        let mut results = if trials::represents(scheme, course) {
            self.core.run_in_place(memory, (scheme, course), jobs)?
        } else {
            vec![None; jobs.len()]
        };
        let left: Vec<usize> = (0..jobs.len()).filter(|at| results[*at].is_none()).collect();
        self.paths.in_place += (jobs.len() - left.len()) as u64;
        self.paths.reference += left.len() as u64;
        if !left.is_empty() {
            let reference = reference.get_or_insert_with(|| {
                let (workload, windows) = (Arc::clone(workload), windows.clone());
                Box::new(Reference::new(workload, windows, gpu.adapter().arithmetic))
            });
            let jobs: Vec<Job> = left.iter().map(|at| jobs[*at].clone()).collect();
            for (at, result) in left.iter().zip(reference.run(scheme, course, &jobs)?) {
                results[*at] = Some(result);
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Runs trials on the direct engine, whose lanes are measured once it has much to do.
    fn run_on(
        &mut self,
        direct: &mut Direct,
        scheme: &Scheme,
        course: Course,
        jobs: &[Job],
    ) -> Result<Vec<TrialResult>, Error> {
        let Core { kernels, gpu, workload, windows, .. } = &self.core;
        if self.adapts && !self.tuned && jobs.len() > 4 * direct.lanes() {
            match Direct::tuned(kernels, gpu, workload, windows, self.behind.1) {
                Err(error) if error.is_size() => {}
                tuned => *direct = tuned?,
            }
            self.tuned = true;
        }
        let results = direct.run(scheme, course, jobs)?;
        self.paths.direct += jobs.len() as u64;
        Ok(results)
    }

    /// Seconds that a fault-free inference takes in full.
    pub(super) fn in_full_s(&mut self, scheme: &Scheme, course: Course) -> Result<f64, Error> {
        let rows = self.core.windows.rows();
        if let InFull::Direct(direct) = self.in_full()? {
            match measured(direct, scheme, course, rows) {
                Err(error) if error.is_size() => {}
                seconds => return seconds,
            }
        }
        self.core.inference_s(scheme)
    }
}

/// Seconds that a fault-free inference takes on the direct engine, with so many inferences a trial.
fn measured(direct: &mut Direct, scheme: &Scheme, course: Course, rows: u32) -> Result<f64, Error> {
    let lanes = direct.lanes().min(MEASURED_LANES) as u64;
    let jobs: Vec<Job> =
        (0..lanes).map(|trial| Job { trial, first_window: 0, faults: Vec::new() }).collect();
    // The first lane compiles and loads.
    direct.run(scheme, course, &jobs[..1])?;
    let seconds = cost::best(|| direct.run(scheme, course, &jobs).map(drop))?;
    Ok(seconds / (lanes * u64::from(rows)) as f64)
}
