//! `beamline selftest`: every stage against its reference on this adapter.

use super::prepare::open_gpu;
use super::{Failure, TableFormat, say, say_json};
use crate::stage::{Check, checks};

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Selftest {
    /// Random problems a stage.
    #[arg(long, default_value_t = 20)]
    problems: u64,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

impl Selftest {
    /// Runs the checks and prints a line each.
    ///
    /// # Errors
    /// [`Failure::Criterion`] where a stage differs from its reference.
    pub fn run(&self, adapter: Option<&str>) -> Result<(), Failure> {
        let gpu = open_gpu(adapter)?;
        let mut found = Vec::new();
        for (stage, check) in checks() {
            let mut all = Check { stage, words: 0, mismatch: None };
            for seed in 0..self.problems {
                let one = check(&gpu, seed)?;
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
}
