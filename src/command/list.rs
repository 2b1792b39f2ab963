//! `beamline list`: what a campaign, a mission or a workload can name.

use super::prepare::workloads;
use super::{Failure, TableFormat, say, say_json};
use crate::device::{Device, Memory, Pattern};
use crate::environment::orbit::Orbit;
use crate::op::OPS;
use crate::report::orbit::wrapped;
use crate::scheme::{Code, Protection};
use crate::workload::{self, Overrides};
use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct List {
    /// What to list.
    #[arg(value_enum)]
    what: What,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum What {
    /// Devices that are built in: cross-sections of chips.
    Devices,
    /// Memories that are built in.
    Memories,
    /// Orbits that are built in.
    Orbits,
    /// Patterns that are built in: the bits that one event flips.
    Patterns,
    /// Redundancy that a scheme can have.
    Protections,
    /// Storage codes that a scheme can have.
    Codes,
    /// Workloads of kernels/ in this folder.
    Workloads,
    /// Ops that a workload can have.
    Ops,
}

/// One thing that can be named.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// The name that a file uses.
    name: String,
    /// What it is.
    title: String,
    /// Where its figures come from; empty where it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    source: String,
    /// What else a program may want.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Listed {
    fn new(name: &str, title: impl Into<String>, source: &str) -> Self {
        Self { name: name.into(), title: title.into(), source: source.into(), more: Map::new() }
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.more.insert(key.into(), value.into());
        self
    }
}

impl List {
    /// Prints the list.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self) -> Result<(), Failure> {
        show(&listed(self.what)?, self.format)
    }
}

/// Prints a list.
pub(super) fn show(list: &[Listed], format: TableFormat) -> Result<(), Failure> {
    if format == TableFormat::Json {
        return say_json(&list);
    }
    for Listed { name, title, source, .. } in list {
        say(name)?;
        say(&wrapped(title, 4))?;
        if !source.is_empty() {
            say(&wrapped(&format!("source: {source}"), 4))?;
        }
    }
    Ok(())
}

/// Everything of a kind.
pub(super) fn listed(what: What) -> Result<Vec<Listed>, Failure> {
    match what {
        What::Devices => Device::names().into_iter().map(device).collect(),
        What::Memories => Memory::names().into_iter().map(memory).collect(),
        What::Orbits => Ok(orbits()),
        What::Patterns => Pattern::names().into_iter().map(pattern).collect(),
        What::Protections => Ok(choices::<Protection>()),
        What::Codes => Ok(choices::<Code>()),
        What::Workloads => {
            let mut names = workloads(&[PathBuf::from("kernels")]);
            names.sort_unstable();
            names.iter().map(|name| workload(name)).collect()
        }
        What::Ops => {
            let op = |kind: &crate::op::Kind| {
                let fields = kind.fields().iter().map(|field| Value::from(field.name));
                Listed::new(kind.name(), kind.formula(), "")
                    .with("fields", fields.collect::<Vec<_>>())
            };
            Ok(OPS.iter().map(op).collect())
        }
    }
}

fn device(name: &str) -> Result<Listed, Failure> {
    let (device, _) = Device::load(name).map_err(Failure::input)?;
    let modes: Vec<&str> = device.modes.iter().map(|mode| &*mode.name).collect();
    let title = format!("{}; modes: {}", device.title, modes.join(", "));
    let source = format!("{}; {}", device.source, device.reference);
    Ok(Listed::new(name, title, &source).with("modes", modes).with("bits", device.bits))
}

fn memory(name: &str) -> Result<Listed, Failure> {
    let (memory, _) = Memory::load(name).map_err(Failure::input)?;
    let bytes = memory.capacity_bytes();
    Ok(Listed::new(name, &*memory.title, &memory.source).with("bytes", bytes))
}

fn pattern(name: &str) -> Result<Listed, Failure> {
    let pattern = Pattern::find(name, Path::new("")).map_err(Failure::input)?;
    let pattern = pattern.ok_or_else(|| Failure::input(anyhow::anyhow!("{name}: no pattern")))?;
    let shapes: Vec<&str> = pattern.events.iter().map(|event| event.shape.name()).collect();
    let title = format!("{:.3} bits an event; {}", pattern.mean_bits(), shapes.join(", "));
    Ok(Listed::new(name, title, &pattern.source).with("shapes", shapes))
}

fn orbits() -> Vec<Listed> {
    let orbit = |preset: &crate::environment::orbit::Preset| {
        let source = format!("{} [{}]", preset.source, preset.mark.name());
        Listed::new(&preset.name, &*preset.title, &source)
    };
    Orbit::presets().iter().map(orbit).collect()
}

/// The names that a key can have, with their doc comments, in order.
fn choices<T: JsonSchema>() -> Vec<Listed> {
    let schema = schema_for!(T);
    let all = schema.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let choice = |of: &Value| {
        let about = of.get("description").and_then(Value::as_str).unwrap_or_default();
        Some(Listed::new(of.get("const")?.as_str()?, about.replace('\n', " "), ""))
    };
    all.iter().filter_map(choice).collect()
}

fn workload(name: &str) -> Result<Listed, Failure> {
    let folder = Path::new("kernels").join(name);
    let workload = workload::load(&folder, &Overrides::default()).map_err(Failure::input)?;
    let ops: Vec<&str> = workload.ops.iter().map(|op| op.kind.name()).collect();
    Ok(Listed::new(name, &*workload.description, &workload.source)
        .with("inputs", workload.inputs.count)
        .with("stored_words", workload.stored_words())
        .with("ops", ops))
}
