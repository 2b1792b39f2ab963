//! What `beamline orbit --list` shows: presets and devices, with their sources.

use super::super::{Failure, TableFormat, say, say_json};
use crate::device::Device;
use crate::environment::orbit::Orbit;
use crate::report::orbit::wrapped;

/// Prints the presets and the devices.
pub(super) fn show(format: TableFormat) -> Result<(), Failure> {
    let devices = Device::names().into_iter().map(super::device).collect::<Result<Vec<_>, _>>()?;
    match format {
        TableFormat::Json => {
            let presets: Vec<_> = Orbit::presets()
                .iter()
                .map(|preset| {
                    serde_json::json!({
                        "name": preset.name, "title": preset.title, "source": preset.source,
                        "mark": preset.mark.name(), "shape": preset.shape,
                    })
                })
                .collect();
            let devices: Vec<_> = devices
                .iter()
                .map(|device| {
                    let modes: Vec<&str> = device.modes.iter().map(|mode| &*mode.name).collect();
                    serde_json::json!({
                        "name": device.name, "title": device.title, "source": device.source,
                        "reference": device.reference, "bits": device.bits, "modes": modes,
                        "destructive_sel": device.destructive_sel.name(),
                    })
                })
                .collect();
            let all = serde_json::json!({ "presets": presets, "devices": devices });
            say_json(&all)?;
        }
        TableFormat::Table => {
            say("presets (--preset)")?;
            for preset in Orbit::presets() {
                let source = format!("{} [{}]", preset.source, preset.mark.name());
                entry(&preset.name, &preset.title, &source)?;
            }
            say("devices (--device, or the path of a .toml file)")?;
            for device in &devices {
                let modes: Vec<&str> = device.modes.iter().map(|mode| &*mode.name).collect();
                let title = format!("{}; modes: {}", device.title, modes.join(", "));
                entry(&device.name, &title, &format!("{}; {}", device.source, device.reference))?;
            }
        }
    }
    Ok(())
}

fn entry(name: &str, title: &str, source: &str) -> Result<(), Failure> {
    say(&format!("  {name}"))?;
    say(&wrapped(title, 4))?;
    say(&wrapped(&format!("source: {source}"), 4))
}
