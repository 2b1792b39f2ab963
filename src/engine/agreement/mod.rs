//! Engines held to one another, trial by trial: random networks, schemes and faults from one seed.
//!
//! A case is one trial under one scheme on one random network. The wavefront engine must give what the
//! direct one gives: every outcome, alarm, landing and tally. The reference engine takes part in some
//! problems of few rows, where it computes golden bit for bit as the adapter does and golden has no NaN,
//! since which NaN an op gives is the adapter's affair.

mod draws;
mod network;

pub use network::{Network, Node};

use super::direct::{Direct, Kernels};
use super::reference::Reference;
use super::wavefront::Wavefront;
use super::{Course, Engine, Error, Job, Landing, TrialResult, Windows};
use crate::fault::Fault;
use crate::gpu::{Arithmetic, Gpu};
use crate::outcome::InferenceRow;
use crate::scheme::{Protection, Scheme};
use crate::seed::{Domain, stream};
use crate::workload::{Decision, Workload};
use draws::{faults, scheme};
use rand::RngExt;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The key of the draws of a problem.
const AGREEMENT: u64 = 200;

/// One step of which every inference starts from golden memory.
const ONCE: Course = Course { first_step: 0, end_step: 1, conditional: true };

/// Trials of each scheme.
const TRIALS_PER_SCHEME: u64 = 48;

/// Schemes of each preset.
const SCHEMES_PER_PRESET: usize = 2;

/// Whether a trial under a scheme may differ: what was found, and what is expected.
pub type Excused<'e> = &'e mut dyn FnMut((&Scheme, &Job), &TrialResult, &TrialResult) -> bool;

/// A random network with what runs on it.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The seed of all draws.
    pub seed: u64,
    /// The network.
    pub workload: Arc<Workload>,
    /// Its inputs.
    pub windows: Windows,
    /// Each scheme with its trials.
    pub trials: Vec<(Scheme, Vec<Job>)>,
    /// Trials at once.
    pub lanes: usize,
    /// Waves at once.
    pub waves: usize,
    /// Whether trials that must run in full do so over golden itself.
    pub in_place: bool,
    /// Whether the reference engine takes part.
    pub with_reference: bool,
}

impl Problem {
    /// The problem of a seed.
    pub fn new(seed: u64) -> Self {
        let mut draws = stream(seed, Domain::Generate, &[AGREEMENT]);
        let (workload, windows, finite) = loop {
            let workload = Arc::new(network::random(&mut draws));
            let (rows, windows) = (draws.random_range(1..7u32), draws.random_range(1..4u32));
            let inputs = network::narrow(workload.inputs.count);
            let inputs = (0..rows * windows).map(|_| draws.random_range(0..inputs)).collect();
            let windows = Windows::new(rows, inputs);
            let (numbers, finite) = golden_is(&workload, &windows);
            let by_tolerance = matches!(workload.decision, Decision::Tolerance { .. });
            if finite || numbers && !by_tolerance {
                break (workload, windows, finite);
            }
        };
        let (rows, count) = (windows.rows(), network::narrow(windows.count()));
        let presets = Protection::ALL.into_iter().flat_map(|p| [p; SCHEMES_PER_PRESET]);
        let mut trials = Vec::new();
        for protection in presets {
            let mut scheme = scheme(&mut draws, protection, &workload);
            scheme.guard = scheme.guard.filter(|_| finite);
            let job = |trial| {
                let first_window = draws.random_range(0..count);
                Job { trial, first_window, faults: faults(&mut draws, &workload, &scheme, rows) }
            };
            let jobs = (0..TRIALS_PER_SCHEME).map(job).collect();
            trials.push((scheme, jobs));
        }
        let lanes = if draws.random_bool(0.75) {
            usize::try_from(TRIALS_PER_SCHEME).unwrap_or(usize::MAX)
        } else {
            draws.random_range(8..40)
        };
        let with_reference = rows <= 4 && draws.random_bool(0.25);
        let waves = draws.random_range(1..4);
        let in_place = draws.random_bool(0.25);
        Self { seed, workload, windows, trials, lanes, waves, in_place, with_reference }
    }

    /// Runs all trials on both engines and compares them, but for those whose results (found, expected)
    /// `excused` lets pass. What an engine refuses for another reason than the GPU's is a disagreement.
    ///
    /// # Errors
    /// Where the GPU fails.
    pub fn hold(
        &self,
        expected: (&'static str, &mut dyn Engine),
        found: (&'static str, &mut dyn Engine),
        excused: Excused<'_>,
    ) -> Result<Held, Error> {
        let engines = [expected.0, found.0];
        let mut held = Held::default();
        for (scheme, jobs) in &self.trials {
            let differs = |trial: u64, what: String| {
                let job = jobs.iter().find(|job| job.trial == trial);
                let faults = job.map(|job| job.faults.clone()).unwrap_or_default();
                let (seed, scheme) = (self.seed, scheme.clone());
                Disagreement { seed, engines, scheme, trial, faults, what }
            };
            let mut run = |engine: &mut dyn Engine, name: &str| match engine.run(scheme, ONCE, jobs)
            {
                Err(Error::Gpu(error)) => Err(Error::Gpu(error)),
                Err(error) => {
                    let trial = jobs.first().map_or(0, |job| job.trial);
                    let what = format!("{name}: {error}");
                    held.disagreement = held.disagreement.take().or(Some(differs(trial, what)));
                    Ok(Vec::new())
                }
                Ok(results) => Ok(results),
            };
            let want = run(&mut *expected.1, expected.0)?;
            let got = run(&mut *found.1, found.0)?;
            if held.disagreement.is_none() && want.len() != got.len() {
                let what = format!("expected {} trials, found {}", want.len(), got.len());
                held.disagreement = Some(differs(0, what));
            }
            for (job, (want, got)) in jobs.iter().zip(want.iter().zip(&got)) {
                match difference(got, want) {
                    Some(_) if excused((scheme, job), got, want) => held.excused += 1,
                    Some(what) if held.disagreement.is_none() => {
                        held.disagreement = Some(differs(want.trial, what));
                    }
                    _ => {}
                }
            }
            if held.disagreement.is_some() {
                return Ok(held);
            }
            held.results.push(want);
        }
        Ok(held)
    }
}

/// Whether all golden outputs are numbers and no index is out of range, and whether all are finite besides. A
/// campaign has no NaN among them, and nothing infinite where a guard or a tolerance stands.
fn golden_is(workload: &Arc<Workload>, windows: &Windows) -> (bool, bool) {
    let reference = Reference::new(Arc::clone(workload), windows.clone(), Arithmetic::default());
    let outputs = reference.golden_outputs().iter().map(|word| f32::from_bits(*word));
    let numbers = !reference.traps() && !outputs.clone().any(f32::is_nan);
    (numbers, numbers && outputs.clone().all(f32::is_finite))
}

/// What came of holding two engines to each other.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The results of each scheme up to the first disagreement.
    pub results: Vec<Vec<TrialResult>>,
    /// Trials that differ and were excused.
    pub excused: u64,
    /// The first disagreement.
    pub disagreement: Option<Disagreement>,
}

/// A trial that two engines do not agree on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    /// The seed of the problem.
    pub seed: u64,
    /// The engine whose result is expected, and the other one.
    pub engines: [&'static str; 2],
    /// The scheme.
    pub scheme: Scheme,
    /// The trial.
    pub trial: u64,
    /// Its faults.
    #[serde(skip)]
    pub faults: Vec<Fault>,
    /// What differs.
    pub what: String,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, engines: [expected, found], scheme, trial, faults, what } = self;
        write!(f, "seed {seed}: {found} differs from {expected} in trial {trial}: {what}; ")?;
        write!(f, "{scheme:?}, {faults:?}")
    }
}

/// What differs between two results of a trial, where anything does. Landings have no order, and how a
/// trial was decided is no part of the result.
pub fn difference(found: &TrialResult, expected: &TrialResult) -> Option<String> {
    let ordered = |result: &TrialResult| {
        // Only the wavefront engine decides by proof.
        let mut result = TrialResult { decided: expected.decided, ..result.clone() };
        result.landings.sort_by_key(|landing| (landing.fault, landing.replica));
        result
    };
    let (found, expected) = (ordered(found), ordered(expected));
    (found != expected).then(|| format!("expected {expected:?}, found {found:?}"))
}

/// Whether results differ by which NaN an op gave, which is the adapter's affair: a strike found another
/// one, or all inferences that differ have a NaN or an infinity in their output.
fn gave_another_nan(found: &TrialResult, expected: &TrialResult) -> bool {
    let is_nan = |word: u32| f32::from_bits(word).is_nan();
    let struck_another = found.landings.iter().any(|landing| {
        let same =
            |other: &&Landing| (other.fault, other.replica) == (landing.fault, landing.replica);
        expected.landings.iter().find(same).is_some_and(|other| {
            other.before != landing.before && is_nan(other.before) && is_nan(landing.before)
        })
    });
    let mut differing = found.rows.iter().zip(&expected.rows).filter(|(a, b)| a != b).peekable();
    let non_finite = |(a, b): (&InferenceRow, &InferenceRow)| {
        a.has(InferenceRow::NON_FINITE) || b.has(InferenceRow::NON_FINITE)
    };
    struck_another || differing.peek().is_some() && differing.all(non_finite)
}

/// What the NaNs that ops give are changed by, to see whether a result depends on which they are.
const OTHER_NANS: [u32; 4] = [0x9e37_79b9, 0x0012_3457, 0x7f4a_7c15, 0x802a_aaab];

/// Whether the reference has another result of a trial where ops give other NaNs.
fn depends_on_nans(others: &mut [Reference], scheme: &Scheme, job: &Job, of: &TrialResult) -> bool {
    others.iter_mut().any(|other| {
        let found = other.run(scheme, ONCE, std::slice::from_ref(job));
        found.is_ok_and(|found| found.iter().any(|found| difference(found, of).is_some()))
    })
}

/// How often each of some names occurred.
pub type Counts = BTreeMap<&'static str, u64>;

/// What was compared, and the first disagreement.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Networks.
    pub networks: u64,
    /// Trials, each under one scheme.
    pub cases: u64,
    /// Cases by what the wavefront engine did: it ran them (some of them decided by proof), or had the
    /// direct engine run them, or ran them in place; those that the reference engine was held to as well; and
    /// those of its cases that were excused, since an op gave another NaN there.
    pub paths: Counts,
    /// Networks by the ops that they have.
    pub ops: Counts,
    /// Cases by preset.
    pub presets: Counts,
    /// Cases by code.
    pub codes: Counts,
    /// Cases by voter.
    pub voters: Counts,
    /// Faults by region.
    pub regions: Counts,
    /// Faults by kind.
    pub kinds: Counts,
    /// Cases by the number of their faults.
    pub faults: BTreeMap<usize, u64>,
    /// Inferences by outcome.
    pub outcomes: Counts,
    /// The first disagreement.
    pub disagreement: Option<Disagreement>,
}

impl Agreement {
    /// Holds the engines to each other on the problem of a seed, and counts it.
    ///
    /// # Errors
    /// Where the GPU fails.
    pub fn hold(&mut self, gpu: &Arc<Gpu>, kernels: &Arc<Kernels>, seed: u64) -> Result<(), Error> {
        let problem = Problem::new(seed);
        let Problem { workload, windows, lanes, waves, .. } = &problem;
        let of = || (Arc::clone(kernels), Arc::clone(gpu), Arc::clone(workload), windows.clone());
        let (kernels, shared, network, inputs) = of();
        let mut direct = Direct::with(kernels, shared, network, inputs, lanes + 1, 3)?;
        let (kernels, shared, network, inputs) = of();
        let wavefront = Wavefront::new(kernels, shared, network, inputs, 3)?;
        let wavefront = wavefront.with_lanes(*lanes).with_waves(*waves);
        let mut wavefront = if problem.in_place { wavefront.in_place() } else { wavefront };
        let held = problem.hold(
            ("direct", &mut direct),
            ("wavefront", &mut wavefront),
            &mut |_, _, _| false,
        )?;
        self.count(&problem, &held.results);
        let paths = wavefront.paths();
        *self.paths.entry("wavefront").or_default() += paths.wavefront;
        *self.paths.entry("proof").or_default() += paths.by_proof;
        *self.paths.entry("direct").or_default() += paths.direct;
        *self.paths.entry("in place").or_default() += paths.in_place;
        self.disagreement = self.disagreement.take().or(held.disagreement);
        if problem.with_reference && self.disagreement.is_none() {
            let arithmetic = gpu.adapter().arithmetic;
            let mut reference = Reference::new(Arc::clone(workload), windows.clone(), arithmetic);
            if !reference.has_nan() && reference.golden_outputs() == direct.golden_outputs() {
                let expected = ("reference", &mut reference as &mut dyn Engine);
                let reference =
                    || Reference::new(Arc::clone(workload), windows.clone(), arithmetic);
                let mut others = OTHER_NANS.map(|bits| reference().with_nans(bits));
                let held = problem.hold(
                    expected,
                    ("direct", &mut direct),
                    &mut |(scheme, job), found, want| {
                        gave_another_nan(found, want)
                            || depends_on_nans(&mut others, scheme, job, want)
                    },
                )?;
                let cases = held.results.iter().map(|results| results.len() as u64);
                let cases = cases.sum::<u64>() - held.excused;
                *self.paths.entry("reference").or_default() += cases;
                *self.paths.entry("excused").or_default() += held.excused;
                self.disagreement = held.disagreement;
            }
        }
        Ok(())
    }

    /// Counts the cases of a problem that have results.
    fn count(&mut self, problem: &Problem, results: &[Vec<TrialResult>]) {
        self.networks += 1;
        let kinds: BTreeMap<&'static str, u64> =
            problem.workload.ops.iter().map(|op| (op.kind.name(), 1)).collect();
        add(&mut self.ops, kinds);
        for ((scheme, jobs), results) in problem.trials.iter().zip(results) {
            let cases = jobs.len() as u64;
            self.cases += cases;
            *self.presets.entry(scheme.protection.name()).or_default() += cases;
            *self.codes.entry(scheme.code.map_or("none", |code| code.name())).or_default() += cases;
            let voter = scheme.redundancy().votes.map_or("none", |_| scheme.voter.name());
            *self.voters.entry(voter).or_default() += cases;
            for fault in jobs.iter().flat_map(|job| &job.faults) {
                *self.regions.entry(fault.region.name()).or_default() += 1;
                *self.kinds.entry(fault.kind.name()).or_default() += 1;
            }
            for job in jobs {
                *self.faults.entry(job.faults.len()).or_default() += 1;
            }
            for row in results.iter().flat_map(|result| &result.rows) {
                *self.outcomes.entry(row.outcome().name()).or_default() += 1;
            }
        }
    }
}

fn add(counts: &mut Counts, more: Counts) {
    for (name, count) in more {
        *counts.entry(name).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference engine, one bit of whose result of trial 7 is another.
    struct Tampered(Reference, fn(&mut TrialResult));

    impl Engine for Tampered {
        fn run(
            &mut self,
            scheme: &Scheme,
            course: Course,
            jobs: &[Job],
        ) -> Result<Vec<TrialResult>, Error> {
            let mut results = self.0.run(scheme, course, jobs)?;
            self.1(&mut results[7]);
            Ok(results)
        }

        fn lanes(&self) -> usize {
            1
        }
    }

    fn held(tamper: fn(&mut TrialResult)) -> Option<Disagreement> {
        let problem = Problem::new(1);
        let reference = || {
            let (workload, windows) = (Arc::clone(&problem.workload), problem.windows.clone());
            Reference::new(workload, windows, Arithmetic::default())
        };
        let mut tampered = Tampered(reference(), tamper);
        let held = problem.hold(
            ("reference", &mut reference()),
            ("tampered", &mut tampered),
            &mut |_, _, _| false,
        );
        held.expect("no GPU").disagreement
    }

    #[test]
    fn a_result_that_differs_is_a_disagreement() {
        assert_eq!(held(|_| {}), None);
        assert_eq!(held(|result| result.landings.reverse()), None);
        let tampers: [fn(&mut TrialResult); 5] = [
            |result| result.rows[0].0 ^= InferenceRow::ALARM,
            |result| result.tally.label_correct ^= 1,
            |result| result.retries += 1,
            |result| result.landings.truncate(0),
            |result| result.rows.truncate(0),
        ];
        for (at, tamper) in tampers.into_iter().enumerate() {
            let found = held(tamper).unwrap_or_else(|| panic!("tamper {at} was not seen"));
            assert_eq!((found.seed, found.trial), (1, 7));
            assert_eq!(found.engines, ["reference", "tampered"]);
            assert!(!found.faults.is_empty());
        }
    }

    #[test]
    fn a_problem_is_its_seed() {
        let (one, again, other) = (Problem::new(5), Problem::new(5), Problem::new(6));
        assert_eq!((&one.workload, &one.trials), (&again.workload, &again.trials));
        assert_ne!(one.trials, other.trials);
    }
}
