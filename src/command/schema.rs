//! `beamline schema`: the JSON Schema of a file that users write, for editors that check and complete it.

use super::{Failure, say_json};
use crate::campaign::Campaign;
use crate::device::{Device, Memory, Pattern};
use crate::mission::Mission;
use crate::workload;
use schemars::{Schema, schema_for};

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct SchemaOf {
    /// Which file.
    #[arg(value_enum)]
    file: FileKind,
}

/// A kind of file that users write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FileKind {
    /// A campaign.
    Campaign,
    /// A mission.
    Mission,
    /// A device.
    Device,
    /// A memory.
    Memory,
    /// A pattern.
    Pattern,
    /// A workload.toml.
    Workload,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Campaign, Self::Mission, Self::Device, Self::Memory, Self::Pattern, Self::Workload];

    /// The name in the command line and of the file in `schemas/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Mission => "mission",
            Self::Device => "device",
            Self::Memory => "memory",
            Self::Pattern => "pattern",
            Self::Workload => "workload",
        }
    }

    /// Its JSON Schema.
    pub fn schema(self) -> Schema {
        let mut schema = match self {
            Self::Campaign => schema_for!(Campaign),
            Self::Mission => schema_for!(Mission),
            Self::Device => Device::schema(),
            Self::Memory => Memory::schema(),
            Self::Pattern => schema_for!(Pattern),
            Self::Workload => workload::schema(),
        };
        schema.insert("title".into(), format!("A {} of beamline", self.name()).into());
        schema
    }
}

impl SchemaOf {
    /// Prints the schema.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self) -> Result<(), Failure> {
        say_json(&self.file.schema())
    }
}
