//! `beamline adapters`: what can run here, hardware first.

use super::{Failure, TableFormat, say, say_json};
use crate::gpu;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Adapters {
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

impl Adapters {
    /// Prints the adapters.
    ///
    /// # Errors
    /// Where there is none.
    pub fn run(&self) -> Result<(), Failure> {
        let adapters = gpu::list();
        if adapters.is_empty() {
            return Err(gpu::Error::NoAdapter.into());
        }
        match self.format {
            TableFormat::Json => {
                say_json(&adapters)?;
            }
            TableFormat::Table => {
                for (index, adapter) in adapters.iter().enumerate() {
                    let mark = if index == 0 { "*" } else { " " };
                    say(&format!("{mark} {index}  {} [{}]", adapter.line(), adapter.device_type))?;
                }
                say(
                    "* is taken where neither --adapter nor BEAMLINE_ADAPTER gives another number or name",
                )?;
            }
        }
        Ok(())
    }
}
