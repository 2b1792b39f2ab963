//! `beamline check`: what a file says, and what it would do, without a run.

use super::mission::Prepared;
use super::prepare::{Planned, find_workload};
use super::{Failure, TableFormat, say, say_json};
use crate::campaign::file::WorkloadChoice;
use crate::campaign::plan::Stratum;
use crate::device::{Device, Memory, Pattern};
use crate::place::{self, Place};
use crate::report::bytes;
use anyhow::anyhow;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// A campaign, mission, device, memory, pattern or workload file, or a workload's folder.
    file: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// Single events that a mission would draw of each kind.
    #[arg(long, default_value_t = 2000)]
    singles: u64,
}

/// What a file is, and what it says.
struct Found {
    kind: &'static str,
    name: String,
    lines: Vec<String>,
    figures: Value,
}

impl Check {
    /// Reads the file and says what it would do.
    ///
    /// # Errors
    /// [`Failure`] with exit code 2 where anything in it cannot be meant.
    pub fn run(&self) -> Result<(), Failure> {
        let found = self.find()?;
        if self.format == TableFormat::Json {
            let mut value = found.figures;
            value["kind"] = found.kind.into();
            value["name"] = found.name.into();
            return say_json(&value);
        }
        say(&format!("{}: {} {}", self.file.display(), found.kind, found.name))?;
        found.lines.iter().try_for_each(|line| say(&format!("  {line}")))
    }

    fn find(&self) -> Result<Found, Failure> {
        let path = &self.file;
        let is_workload =
            |path: &Path| path.file_name().is_some_and(|name| name == "workload.toml");
        if path.join("workload.toml").is_file() {
            return workload(path);
        }
        if is_workload(path) {
            return workload(path.parent().unwrap_or(Path::new(".")));
        }
        let text = place::read(path).map_err(Failure::input)?;
        let place = Place::parse(path, &text).map_err(Failure::input)?;
        let has = |keys: &[&str]| keys.iter().any(|key| place.has(key));
        if has(&["faults"]) {
            campaign(path)
        } else if has(&["lasts", "histories", "requirement"]) {
            self.mission(path)
        } else if has(&["mode"]) {
            device(path, &text)
        } else if has(&["event"]) {
            pattern(path, &text)
        } else if has(&["geometry"]) {
            memory(path, &text)
        } else {
            Err(Failure::input(anyhow!(
                "{}: expected a campaign ([faults]), a mission (lasts), a device ([[mode]]), a memory \
                 ([geometry]), a pattern ([[event]]) or a workload (workload.toml), found none of them",
                path.display()
            )))
        }
    }

    fn mission(&self, path: &Path) -> Result<Found, Failure> {
        let prepared = Prepared::load(path)?;
        let estimate = prepared.estimate(path, self.singles)?;
        let (mission, plan) = (&prepared.plan.mission, &prepared.plan);
        let facts = plan.facts();
        let schemes: Vec<&str> = mission.scheme.iter().map(|scheme| &*scheme.name).collect();
        let modes: Vec<String> =
            facts.modes.iter().map(|mode| format!("{}: {}", mode.device, mode.mode)).collect();
        let conditions = &plan.timeline.conditions;
        let mut lines = vec![
            estimate.clone(),
            format!("{} histories of {}", mission.histories, String::from(mission.lasts)),
            format!("orbit: {}", conditions.orbit.describe()),
            format!(
                "memory: {} ({})",
                plan.ground.memory.title,
                bytes(facts.capacity_bytes as f64)
            ),
            format!("workload: {}", prepared.workload.name),
            format!("modes: {}", modes.join(", ")),
            format!("schemes: {}", schemes.join(", ")),
        ];
        lines.extend(plan.timeline.warnings_of_flight(plan.ground.horizon_s));
        let figures = json!({
            "estimate": estimate,
            "histories": mission.histories,
            "lasts_s": mission.lasts.0,
            "schemes": schemes,
            "modes": facts.modes,
            "workload": prepared.workload.name,
        });
        Ok(Found { kind: "mission", name: mission.name.clone(), lines, figures })
    }
}

fn campaign(path: &Path) -> Result<Found, Failure> {
    let Planned { campaign, workload, plan, .. } = Planned::load(path)?;
    let estimate = plan.estimate().line();
    let schemes: Vec<&str> = campaign.scheme.iter().map(|scheme| &*scheme.name).collect();
    let stratum =
        |of: &Stratum| json!({ "name": of.name, "bits": of.bits, "trials": of.trials_max });
    let strata: Vec<Value> = plan.strata().iter().map(stratum).collect();
    let mut lines = vec![
        estimate.clone(),
        format!("mode: {}", campaign.faults.name()),
        format!("workload: {}, {} inputs", workload.name, plan.inputs()),
        format!("schemes: {}", schemes.join(", ")),
    ];
    lines.extend(plan.strata().iter().map(|stratum| {
        format!("{}: {} bits, {} trials at most", stratum.name, stratum.bits, stratum.trials_max)
    }));
    if let Some(rate) = plan.rate() {
        lines.push(format!("rate: {:.3e} upsets per bit and day", rate.upsets_per_bit_day));
    }
    let figures = json!({
        "estimate": estimate,
        "mode": campaign.faults.name(),
        "workload": workload.name,
        "trials": plan.trials_max(),
        "schemes": schemes,
        "strata": strata,
        "upsets_per_bit_day": plan.rate().map(|rate| rate.upsets_per_bit_day),
    });
    Ok(Found { kind: "campaign", name: campaign.name.clone(), lines, figures })
}

fn device(path: &Path, text: &str) -> Result<Found, Failure> {
    let device = Device::parse(path, text).map_err(Failure::input)?;
    let mut lines = vec![device.title.clone()];
    lines.extend(device.modes.iter().map(|mode| format!("{}: {}", mode.name, mode.kind.name())));
    let mode = |mode: &crate::device::Mode| json!({ "name": mode.name, "kind": mode.kind.name() });
    let modes: Vec<Value> = device.modes.iter().map(mode).collect();
    let figures = json!({ "title": device.title, "bits": device.bits, "modes": modes });
    Ok(Found { kind: "device", name: device.name, lines, figures })
}

fn memory(path: &Path, text: &str) -> Result<Found, Failure> {
    let memory = Memory::parse(path, text).map_err(Failure::input)?;
    let capacity = memory.capacity_bytes();
    let lines = vec![memory.title.clone(), format!("{} of data", bytes(capacity as f64))];
    let figures = json!({ "title": memory.title, "bytes": capacity });
    Ok(Found { kind: "memory", name: memory.name, lines, figures })
}

fn pattern(path: &Path, text: &str) -> Result<Found, Failure> {
    let pattern = Pattern::parse(path, text).map_err(Failure::input)?;
    let shapes: Vec<&str> = pattern.events.iter().map(|event| event.shape.name()).collect();
    let bits = pattern.mean_bits();
    let lines = vec![format!("{bits:.3} bits an event"), format!("shapes: {}", shapes.join(", "))];
    let figures = json!({ "mean_bits": bits, "shapes": shapes });
    Ok(Found { kind: "pattern", name: pattern.name, lines, figures })
}

fn workload(folder: &Path) -> Result<Found, Failure> {
    let name = folder.display().to_string();
    let choice = WorkloadChoice::named(name);
    let workload = find_workload(&choice, Path::new("."), None)?;
    let ops: Vec<String> =
        workload.ops.iter().map(|op| format!("{} ({})", op.name, op.kind.name())).collect();
    let stored = 4 * u64::from(workload.stored_words());
    let lines = vec![
        workload.description.clone(),
        format!("{} of weights in {} tensors", bytes(stored as f64), workload.tensors.len()),
        format!("{} inputs", workload.inputs.count),
        format!("ops: {}", ops.join(", ")),
    ];
    let figures = json!({
        "description": workload.description,
        "stored_bytes": stored,
        "inputs": workload.inputs.count,
        "ops": ops,
    });
    Ok(Found { kind: "workload", name: workload.name.clone(), lines, figures })
}
