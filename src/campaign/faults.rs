//! The table `[faults]`: how faults arrive, one struct a mode, and the table as serde reads it.

use crate::device::Level;
use crate::fault::{FaultKind, Region};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How faults arrive: the key `mode` of `[faults]` says which other keys it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", try_from = "FaultsTable")]
pub enum Mode {
    /// Given n upsets, what happens? Drawn uniformly within each region.
    Conditional(Conditional),
    /// Every bit of the regions once: a census.
    Exhaustive(Targets),
    /// The trials of a CSV fault list.
    List(List),
    /// Upsets pile up over a sequence of steps on the same memory.
    Accumulation(Accumulation),
    /// A simulated accelerator test: runs in a beam, each until its first error.
    Beam(BeamTest),
}

/// What single faults strike, and what they do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Targets {
    /// The strata.
    pub regions: Vec<Region>,
    /// What a fault does.
    pub kind: FaultKind,
    /// Only these tensors (weights) and ops (activations).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensors: Option<Vec<String>>,
    /// Only these bit positions, 0 (least significant) to 31 (sign).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<Vec<u32>>,
}

/// Mode `conditional`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditional {
    /// Distinct logical bits a trial.
    pub count: u32,
    /// Where they are drawn from.
    #[serde(flatten)]
    pub targets: Targets,
}

/// Mode `list`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct List {
    /// The file, relative to the campaign file.
    pub file: PathBuf,
}

/// Inferences one after another on the same memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sequence {
    /// Where upsets strike.
    pub regions: Vec<Region>,
    /// Steps in a trial; in a beam, at most.
    pub steps: u32,
    /// Inferences in a step.
    pub inputs_per_step: u32,
    /// Seconds between inferences (declared, never measured).
    pub inference_period_s: f64,
    /// Seconds that transient words of one execution are exposed (declared).
    pub execution_time_s: f64,
}

/// Mode `accumulation`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accumulation {
    /// What runs meanwhile.
    #[serde(flatten)]
    pub sequence: Sequence,
    /// How often upsets strike.
    #[serde(flatten)]
    pub rate: RateChoice,
    /// What multiplies the rate; 1 is real time.
    pub acceleration: f64,
    /// How many failures a scheme are replayed to find how many events they needed.
    pub attribution_sample: u32,
}

/// Mode `beam`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BeamTest {
    /// What runs meanwhile.
    #[serde(flatten)]
    pub sequence: Sequence,
    /// The device in the beam.
    #[serde(flatten)]
    pub device: DeviceChoice,
    /// The beam.
    #[serde(flatten)]
    pub beam: Beam,
    /// How many failures a scheme are replayed to find how many events they needed.
    pub attribution_sample: u32,
}

/// How often upsets strike: as given, or as a device suffers them on the orbit of `[environment]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum RateChoice {
    /// A number and its source.
    Given {
        /// Upsets per bit and day.
        upsets_per_bit_day: f64,
        /// Where that rate comes from.
        rate_source: String,
    },
    /// A device on an orbit.
    Device {
        /// The device and what of it strikes.
        #[serde(flatten)]
        device: DeviceChoice,
        /// Whether the rate follows the orbit.
        course: CourseChoice,
    },
}

/// A device, and what of it strikes memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceChoice {
    /// A device that is built in, or the path of its file, relative to the campaign.
    pub device: String,
    /// The modes that strike; where not given, those per bit that flip bits in the cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_modes: Option<Vec<String>>,
    /// Which value of each figure's band.
    pub level: Level,
}

/// How the rate on an orbit follows time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CourseChoice {
    /// It is that of each place; a trial begins at a place drawn uniformly.
    #[default]
    Orbit,
    /// It is the mean over the orbit, all the time.
    Mean,
}

impl CourseChoice {
    /// The name used in TOML, HDF5 and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orbit => "orbit",
            Self::Mean => "mean",
        }
    }
}

/// What a beam is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Particle {
    /// Protons of one energy.
    #[default]
    Proton,
    /// Ions of one LET.
    Ion,
}

impl Particle {
    /// The name used in TOML, HDF5 and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proton => "proton",
            Self::Ion => "ion",
        }
    }
}

/// A beam and how the test is run in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beam {
    /// What it is made of.
    pub particle: Particle,
    /// The energy of its protons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_mev: Option<f64>,
    /// The LET of its ions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub let_mev_cm2_per_mg: Option<f64>,
    /// Particles per cm² and second.
    pub flux_per_cm2_s: f64,
    /// Particles per cm² that each scheme is to receive while armed.
    pub fluence_per_cm2: f64,
    /// Seconds from a DUE or a hang to the next run.
    pub reset_time_s: f64,
    /// Seconds from an SDC to the next run.
    pub reload_time_s: f64,
    /// The relative error of the fluence, one standard deviation.
    pub dosimetry_error: f64,
}

/// The energy of a proton beam that names none, in MeV.
const ENERGY_MEV: f64 = 67.0;

impl Beam {
    /// What it is, in words.
    pub fn describe(&self) -> String {
        match (self.energy_mev, self.let_mev_cm2_per_mg) {
            (Some(energy), _) => format!("protons of {energy} MeV"),
            (_, Some(let_)) => format!("ions of {let_} MeV cm²/mg"),
            _ => self.particle.name().to_owned(),
        }
    }
}

impl Mode {
    /// The device that strikes, where the campaign names one.
    pub const fn device(&self) -> Option<&DeviceChoice> {
        match self {
            Self::Accumulation(Accumulation {
                rate: RateChoice::Device { device, .. }, ..
            })
            | Self::Beam(BeamTest { device, .. }) => Some(device),
            _ => None,
        }
    }

    /// The beam, in a simulated accelerator test.
    pub const fn beam(&self) -> Option<&Beam> {
        match self {
            Self::Beam(test) => Some(&test.beam),
            _ => None,
        }
    }

    /// The sequence of inferences on the same memory, where upsets pile up.
    pub const fn sequence(&self) -> Option<&Sequence> {
        match self {
            Self::Accumulation(Accumulation { sequence, .. })
            | Self::Beam(BeamTest { sequence, .. }) => Some(sequence),
            _ => None,
        }
    }

    /// What multiplies the rate; 1 in a beam, whose flux says it.
    pub const fn acceleration(&self) -> f64 {
        match self {
            Self::Accumulation(of) => of.acceleration,
            _ => 1.0,
        }
    }

    /// How many failures a scheme are replayed to find how many events they needed.
    pub const fn attribution_sample(&self) -> u32 {
        match self {
            Self::Accumulation(Accumulation { attribution_sample, .. })
            | Self::Beam(BeamTest { attribution_sample, .. }) => *attribution_sample,
            _ => 0,
        }
    }

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Conditional { .. } => "conditional",
            Self::Exhaustive { .. } => "exhaustive",
            Self::List { .. } => "list",
            Self::Accumulation { .. } => "accumulation",
            Self::Beam { .. } => "beam",
        }
    }
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ModeName {
    Conditional,
    Exhaustive,
    List,
    Accumulation,
    Beam,
}

/// The union of all modes' keys: serde reads all modes through one flat table, because a table with a tag
/// loses the places of its values. [`super::keys`] has refused keys that the mode does not have, or lacks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultsTable {
    mode: ModeName,
    count: Option<u32>,
    regions: Option<Vec<Region>>,
    kind: Option<FaultKind>,
    tensors: Option<Vec<String>>,
    bits: Option<Vec<u32>>,
    file: Option<PathBuf>,
    steps: Option<u32>,
    inputs_per_step: Option<u32>,
    inference_period_s: Option<f64>,
    execution_time_s: Option<f64>,
    upsets_per_bit_day: Option<f64>,
    rate_source: Option<String>,
    device: Option<String>,
    device_modes: Option<Vec<String>>,
    level: Option<Level>,
    course: Option<CourseChoice>,
    acceleration: Option<f64>,
    attribution_sample: Option<u32>,
    particle: Option<Particle>,
    energy_mev: Option<f64>,
    let_mev_cm2_per_mg: Option<f64>,
    flux_per_cm2_s: Option<f64>,
    fluence_per_cm2: Option<f64>,
    reset_time_s: Option<f64>,
    reload_time_s: Option<f64>,
    dosimetry_error: Option<f64>,
}

/// A key that the mode requires and the table lacks.
#[derive(Debug, thiserror::Error)]
#[error("missing field `{0}`")]
pub(super) struct Missing(&'static str);

impl TryFrom<FaultsTable> for Mode {
    type Error = Missing;

    fn try_from(table: FaultsTable) -> Result<Self, Missing> {
        let device = table.device.map(|device| DeviceChoice {
            device,
            device_modes: table.device_modes,
            level: table.level.unwrap_or_default(),
        });
        let regions = table.regions.ok_or(Missing("regions"));
        let targets = |regions| Targets {
            regions,
            kind: table.kind.unwrap_or_default(),
            tensors: table.tensors,
            bits: table.bits,
        };
        let sequence = |regions| {
            Ok(Sequence {
                regions,
                steps: table.steps.ok_or(Missing("steps"))?,
                inputs_per_step: table.inputs_per_step.unwrap_or(16),
                inference_period_s: table
                    .inference_period_s
                    .ok_or(Missing("inference_period_s"))?,
                execution_time_s: table.execution_time_s.unwrap_or(0.0),
            })
        };
        let attribution_sample = table.attribution_sample.unwrap_or(16);
        Ok(match table.mode {
            ModeName::Conditional => {
                let count = table.count.ok_or(Missing("count"))?;
                Self::Conditional(Conditional { count, targets: targets(regions?) })
            }
            ModeName::Exhaustive => Self::Exhaustive(targets(regions?)),
            ModeName::List => Self::List(List { file: table.file.ok_or(Missing("file"))? }),
            ModeName::Accumulation => Self::Accumulation(Accumulation {
                sequence: sequence(regions?)?,
                rate: match device {
                    Some(device) => {
                        RateChoice::Device { device, course: table.course.unwrap_or_default() }
                    }
                    None => RateChoice::Given {
                        upsets_per_bit_day: table
                            .upsets_per_bit_day
                            .ok_or(Missing("upsets_per_bit_day"))?,
                        rate_source: table.rate_source.ok_or(Missing("rate_source"))?,
                    },
                },
                acceleration: table.acceleration.unwrap_or(1.0),
                attribution_sample,
            }),
            ModeName::Beam => {
                let particle = table.particle.unwrap_or_default();
                let usual = (particle == Particle::Proton).then_some(ENERGY_MEV);
                Self::Beam(BeamTest {
                    sequence: sequence(regions?)?,
                    device: device.ok_or(Missing("device"))?,
                    beam: Beam {
                        particle,
                        energy_mev: table.energy_mev.or(usual),
                        let_mev_cm2_per_mg: table.let_mev_cm2_per_mg,
                        flux_per_cm2_s: table.flux_per_cm2_s.ok_or(Missing("flux_per_cm2_s"))?,
                        fluence_per_cm2: table.fluence_per_cm2.ok_or(Missing("fluence_per_cm2"))?,
                        reset_time_s: table.reset_time_s.unwrap_or(60.0),
                        reload_time_s: table.reload_time_s.unwrap_or(10.0),
                        dosimetry_error: table.dosimetry_error.unwrap_or(0.1),
                    },
                    attribution_sample,
                })
            }
        })
    }
}
