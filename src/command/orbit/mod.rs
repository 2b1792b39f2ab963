//! `beamline orbit`: what an orbit does to a device, as a table, as data, as a map.

mod list;
mod spectra;
mod ways;

use super::live::{Live, Watching};
use super::{Failure, TableFormat, say, say_json};
use crate::device::Device;
use crate::environment::cutoff::{Magnetosphere, Model as CutoffModel};
use crate::environment::exchange::{SpectrumChoice, Statement};
use crate::environment::shield::Geometry;
use crate::environment::solar::Scenario;
use crate::environment::trapped::{Interpolation, MapField};
use crate::rate::{
    AltitudeAbove, Assessment, Conditions, Environment, ModeRate, SolarPhase, Timeline,
};
use crate::{output, report, tui};
use anyhow::anyhow;
use serde::de::value::{Error as Unread, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The most years that a dose is added up over.
const YEARS_MAX: f64 = 1000.0;

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Orbit {
    #[command(flatten)]
    way: ways::Ways,
    /// What altitudes are counted from: sphere (6371.2 km) or equator (6378.137 km).
    #[arg(long, value_name = "WHAT", value_parser = named::<AltitudeAbove>)]
    altitude_above: Option<AltitudeAbove>,
    /// Aluminium around the device, in millimetres.
    #[arg(long, value_name = "MM", default_value_t = 10.0, allow_hyphen_values = true)]
    shielding_mm_al: f64,
    /// The shape of the shield: sphere, slab or double-slab.
    #[arg(long, value_name = "SHAPE", default_value = "sphere", value_parser = named::<Geometry>)]
    geometry: Geometry,
    /// The phase of the solar cycle: min, max or a number from 0 (min) to 1 (max).
    #[arg(long, value_name = "PHASE", default_value = "min", allow_hyphen_values = true)]
    solar: SolarPhase,
    /// A solar particle event that lasts all the time: none, worst-day or worst-week.
    #[arg(long, value_name = "EVENT", default_value = "none", value_parser = named::<Scenario>)]
    event: Scenario,
    /// The device: a name that --list shows, or the path of a .toml file.
    #[arg(long, value_name = "NAME|FILE")]
    device: Option<String>,
    /// Years that the dose is added up over.
    #[arg(long, default_value_t = 5.0, allow_hyphen_values = true)]
    years: f64,
    /// When the track begins, in UTC; the epoch of elements or 2026-01-01 where not given.
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    start: Option<String>,
    /// Days that the orbit is followed.
    #[arg(long, default_value_t = 10.0, allow_hyphen_values = true)]
    days: f64,
    /// Seconds between places, 60 at most.
    #[arg(long, value_name = "S", default_value_t = 60.0, allow_hyphen_values = true)]
    step_s: f64,
    /// How the maps of trapped protons are read: phi-l or classic.
    #[arg(long, value_name = "HOW", default_value = "phi-l", value_parser = named::<Interpolation>)]
    interpolation: Interpolation,
    /// The field that these maps are read with: native (the one each was made with) or igrf.
    #[arg(long, value_name = "FIELD", default_value = "native", value_parser = named::<MapField>)]
    map_field: MapField,
    /// How geomagnetic cutoffs are found: stormer (by direction of arrival) or vertical.
    #[arg(long, value_name = "HOW", default_value = "stormer", value_parser = named::<CutoffModel>)]
    cutoff: CutoffModel,
    /// How the magnetosphere is: quiet or stormy.
    #[arg(long, value_name = "HOW", default_value = "quiet", value_parser = named::<Magnetosphere>)]
    magnetosphere: Magnetosphere,
    /// The modulation W of cosmic rays, in place of that of the phase.
    #[arg(long, value_name = "W", allow_hyphen_values = true)]
    modulation_w: Option<f64>,
    /// A factor on all rates, fluxes behind the shield and doses.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_hyphen_values = true)]
    design_margin: f64,
    /// Trapped protons from a file (SPENVIS, CREME96, CSV) in place of AP8: before the shield.
    #[arg(long, value_name = "FILE")]
    proton_spectrum: Option<PathBuf>,
    /// What this file does not say of itself, such as "trapped, before-shield, mean".
    #[arg(long, value_name = "WORDS", requires = "proton_spectrum")]
    proton_spectrum_is: Option<Statement>,
    /// Ions by LET from a file (SPENVIS, CREME96, CSV) in place of cosmic ions: behind the shield.
    #[arg(long, value_name = "FILE")]
    let_spectrum: Option<PathBuf>,
    /// What this file does not say of itself, such as "from-helium, behind-shield, mean".
    #[arg(long, value_name = "WORDS", requires = "let_spectrum")]
    let_spectrum_is: Option<Statement>,
    /// Write the mean spectra as CSV into this folder.
    #[arg(long, value_name = "DIR")]
    spectra_out: Option<PathBuf>,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: TableFormat,
    /// Write a map of the trapped protons on the ground track to this file; `-` is standard
    /// output, and leaves out the table.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Fly along the orbit on a screen.
    #[arg(long)]
    tui: bool,
    /// Show the presets and the devices with their sources.
    #[arg(long)]
    list: bool,
}

/// What `--format json` prints.
#[derive(serde::Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    assessment: &'a Assessment,
    /// The rates without the event, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet_rates: Option<Vec<ModeRate>>,
}

impl Orbit {
    /// Computes the rates and prints, draws or shows them.
    ///
    /// # Errors
    /// [`Failure`] with its exit code.
    pub fn run(&self) -> Result<(), Failure> {
        if self.list {
            return list::show(self.format);
        }
        if !(self.years > 0.0 && self.years <= YEARS_MAX) {
            return Err(Failure::input(anyhow!(
                "years: expected a number above 0, at most {YEARS_MAX}, found {}",
                self.years
            )));
        }
        let conditions = self.conditions()?;
        let deep = conditions.orbit.is_deep_space();
        if deep && (self.svg.is_some() || self.tui) {
            return Err(Failure::input(anyhow!(
                "--svg, --tui: expected an orbit about the Earth, found deep space, which has no \
                 ground track"
            )));
        }
        if self.proton_spectrum.is_some() && (self.svg.is_some() || self.tui) {
            return Err(Failure::input(anyhow!(
                "--svg, --tui: expected the trapped protons of AP8, found a spectrum from a file, \
                 which is a mean and has no map"
            )));
        }
        if self.tui && !(std::io::stdout().is_terminal() && tui::draws()) {
            return Err(Failure::input(anyhow!(
                "--tui: expected a terminal, found standard output led elsewhere or TERM=dumb; \
                 leave it out for the table"
            )));
        }
        let device = self.device.as_deref().map(device).transpose()?;
        let timeline = timeline(conditions, device)?;
        if let Some(path) = &self.svg {
            let map = report::orbit::map(&timeline).map_err(Failure::environment)?;
            output::write(path, map.as_bytes())?;
        }
        if let Some(folder) = &self.spectra_out {
            spectra::write(folder, &timeline)?;
        }
        if self.svg.as_deref().is_some_and(output::is_stdout) {
            return Ok(());
        }
        if self.tui {
            let flight = tui::orbit::Flight::new(&timeline);
            return Live::new(Watching::default())?.show(tui::orbit::Cockpit::new(flight));
        }
        let assessment = timeline.assessment(self.years);
        let eventful = timeline.conditions.event != Scenario::None;
        let quiet = eventful.then(|| timeline.quiet().assessment(self.years));
        match self.format {
            TableFormat::Json => {
                let quiet_rates = quiet.map(|quiet| quiet.rates);
                let whole = Whole { assessment: &assessment, quiet_rates };
                say_json(&whole)?;
            }
            TableFormat::Table => {
                say(&report::orbit::table(&report::orbit::Sheet {
                    assessment: &assessment,
                    quiet: quiet.as_ref(),
                    years: self.years,
                    altitude_above: self.altitude_above.unwrap_or_default(),
                }))?;
                if let Some(path) = &self.svg {
                    say(&format!("map: {}", path.display()))?;
                }
            }
        }
        Ok(())
    }

    fn conditions(&self) -> Result<Conditions, Failure> {
        let way = self.way.way()?;
        if self.altitude_above.is_some() && !way.is_shape() {
            return Err(Failure::input(anyhow!(
                "--altitude-above: expected an orbit given by its altitudes, found a preset or \
                 elements, whose altitudes are above the sphere"
            )));
        }
        let environment = Environment {
            altitude_above: self.altitude_above.unwrap_or_default(),
            shielding_mm_al: self.shielding_mm_al,
            geometry: self.geometry,
            solar: self.solar,
            event: self.event,
            start: self.start.clone(),
            days: self.days,
            step_s: self.step_s,
            interpolation: self.interpolation,
            map_field: self.map_field,
            cutoff: self.cutoff,
            magnetosphere: self.magnetosphere,
            modulation_w: self.modulation_w,
            design_margin: self.design_margin,
            proton_spectrum: spectrum(self.proton_spectrum.as_ref(), self.proton_spectrum_is),
            let_spectrum: spectrum(self.let_spectrum.as_ref(), self.let_spectrum_is),
            ..Environment::new(way.choice())
        };
        environment.conditions(Path::new("")).map_err(Failure::input)
    }
}

/// A spectrum in a file, and what is said of it.
fn spectrum(file: Option<&PathBuf>, is: Option<Statement>) -> Option<SpectrumChoice> {
    Some(SpectrumChoice { file: file?.clone(), is: is.unwrap_or_default() })
}

fn timeline(conditions: Conditions, device: Option<Device>) -> Result<Timeline, Failure> {
    Timeline::new(conditions, device).map_err(Failure::input)
}

fn device(name: &str) -> Result<Device, Failure> {
    let (device, _) = Device::load(name).map_err(Failure::input)?;
    Ok(device)
}

/// A value by its name in TOML.
fn named<T: DeserializeOwned>(text: &str) -> Result<T, Unread> {
    let deserializer: StrDeserializer<'_, Unread> = text.into_deserializer();
    T::deserialize(deserializer)
}
