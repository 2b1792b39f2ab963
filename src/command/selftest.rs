//! `beamline selftest`: every stage against its reference on this adapter, or engines against one another.

use super::prepare::open_gpu;
use super::{Failure, TableFormat, say, say_json};
use crate::engine::agreement::Agreement;
use crate::engine::direct::Kernels;
use crate::gpu::Gpu;
use crate::stage::{Check, checks};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the long test says nothing at most.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Selftest {
    /// Random problems a stage.
    #[arg(long, default_value_t = 20, conflicts_with = "long")]
    problems: u64,
    /// Hold the engines to one another in place of the stages: random networks, schemes and faults,
    /// trial by trial.
    #[arg(long)]
    long: bool,
    /// Cases of the long test at least; a case is a trial under one scheme.
    #[arg(long, default_value_t = 1_000_000, requires = "long")]
    cases: u64,
    /// The seed of the first network of the long test; those of the others follow.
    #[arg(long, default_value_t = 1, requires = "long")]
    seed: u64,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

impl Selftest {
    /// Runs the checks and prints a line each.
    ///
    /// # Errors
    /// [`Failure::Criterion`] where a stage differs from its reference, or an engine from another.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        let gpu = open_gpu(adapter)?;
        if self.long { self.engines(&gpu) } else { self.stages(&gpu) }
    }

    fn stages(&self, gpu: &Gpu) -> Result<(), Failure> {
        let mut found = Vec::new();
        for (stage, check) in checks() {
            let mut all = Check { stage, words: 0, mismatch: None };
            for seed in 0..self.problems {
                let one = check(gpu, seed)?;
                all.words += one.words;
                all.mismatch =
                    all.mismatch.or(one.mismatch.map(|text| format!("problem {seed}, {text}")));
            }
            found.push(all);
        }
        match self.format {
            TableFormat::Json => {
                let value = serde_json::json!({ "adapter": gpu.adapter(), "checks": found });
                say_json(&value)?;
            }
            TableFormat::Table => {
                say(&format!("adapter: {}", gpu.adapter().line()))?;
                say(&format!("{:<12} {:>10}  result", "stage", "words"))?;
                for check in &found {
                    let result = check.mismatch.as_deref().unwrap_or("equal");
                    say(&format!("{:<12} {:>10}  {result}", check.stage, check.words))?;
                }
            }
        }
        let failed = found.iter().filter(|check| check.mismatch.is_some()).count();
        if failed > 0 {
            return Err(Failure::Criterion(format!("{failed} stages differ from their reference")));
        }
        Ok(())
    }

    /// Holds engines to one another until there are enough cases, or two differ.
    fn engines(&self, gpu: &Arc<Gpu>) -> Result<(), Failure> {
        let kernels = Arc::new(Kernels::new(gpu)?);
        let (started, mut told) = (Instant::now(), Instant::now());
        let mut found = Agreement::default();
        let mut end = self.seed;
        while found.cases < self.cases && found.disagreement.is_none() {
            found.hold(gpu, &kernels, end)?;
            end = end.wrapping_add(1);
            if told.elapsed() > SILENCE_MAX {
                told = Instant::now();
                let rate = found.cases as f64 / started.elapsed().as_secs_f64();
                let (cases, wanted) = (found.cases, self.cases);
                // The test goes on where nobody listens.
                let _ = writeln!(
                    std::io::stderr(),
                    "{cases} of {wanted} cases, seeds {} up to {end}, {rate:.0} cases a second",
                    self.seed
                );
            }
        }
        let (last, seconds) = (end.wrapping_sub(1), started.elapsed().as_secs_f64());
        match self.format {
            TableFormat::Json => say_json(&serde_json::json!({
                "adapter": gpu.adapter(),
                "seeds": [self.seed, last],
                "seconds": seconds,
                "agreement": found,
            }))?,
            TableFormat::Table => {
                say(&format!("adapter: {}", gpu.adapter().line()))?;
                say(&format!("seeds: {} to {last}, in {seconds:.0} s", self.seed))?;
                say(&format!("{:<22} {:<16} {:>12}", "what", "which", "count"))?;
                for (what, which, count) in rows(&found) {
                    say(&format!("{what:<22} {which:<16} {count:>12}"))?;
                }
                let result = if found.disagreement.is_some() { "they differ" } else { "equal" };
                say(&format!("result: {result}"))?;
            }
        }
        match found.disagreement {
            Some(disagreement) => Err(Failure::Criterion(disagreement.to_string())),
            None => Ok(()),
        }
    }
}

/// The counts of the long test, a row each.
fn rows(found: &Agreement) -> Vec<(&'static str, String, u64)> {
    let mut rows = vec![
        ("networks", "all".to_owned(), found.networks),
        ("cases", "all".to_owned(), found.cases),
    ];
    for (what, counts) in [
        ("cases by path", &found.paths),
        ("networks by op", &found.ops),
        ("cases by preset", &found.presets),
        ("cases by code", &found.codes),
        ("cases by voter", &found.voters),
        ("faults by region", &found.regions),
        ("faults by kind", &found.kinds),
        ("inferences by outcome", &found.outcomes),
    ] {
        rows.extend(counts.iter().map(|(which, count)| (what, (*which).to_owned(), *count)));
    }
    let faults = found.faults.iter();
    rows.extend(faults.map(|(faults, cases)| ("cases by faults", faults.to_string(), *cases)));
    rows
}
