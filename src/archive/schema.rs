//! What an archive says of its campaign.

use super::Fingerprint;
use super::columns::{Descriptions, show};
use super::file::{put_series, take_series};
use super::flaw::{self, Flaw};
use super::store::StoredHeader;
use crate::campaign::event::{SIMULATED_BEAM, Started};
use crate::campaign::{Beam, NotInjected, Relative, UpsetRate};
use crate::device::Assumption;
use crate::fault::Region;
use crate::op::Dtype;
use crate::scheme::{Cost, Scheme};
use crate::workload::{Decision, NanRank, NanRule, Workload};
use hdf5::File;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The table of the rates along an orbit.
const COURSE: &str = "course";

/// Everything common to the trials of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of beamline.
    pub version: String,
    /// Its commit, with `-dirty` where the tree had changes; empty where unknown.
    pub commit: String,
    /// The campaign.
    pub campaign: CampaignInfo,
    /// How often upsets strike, where the campaign has a rate.
    pub rate: Option<RateInfo>,
    /// The beam, in a simulated accelerator test.
    pub beam: Option<Beam>,
    /// The modes of the campaign's device that are not in the rate.
    pub not_injected: Vec<NotInjected>,
    /// Every model and datum that the results rest on, and where it comes from.
    pub sources: Vec<Source>,
    /// The figures that the rate rests on.
    pub assumptions: Vec<Assumption>,
    /// What it ran on.
    pub adapter: AdapterInfo,
    /// What ran.
    pub workload: WorkloadInfo,
    /// The schemes, in the campaign's order.
    pub schemes: Vec<SchemeInfo>,
    /// The strata, in the campaign's order.
    pub strata: Vec<StratumInfo>,
    /// What makes another run the same experiment.
    pub fingerprint: Fingerprint,
}

/// The campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignInfo {
    /// Its name.
    pub name: String,
    /// Its file, verbatim.
    pub toml: String,
    /// The seed of every draw.
    pub seed: u64,
    /// How faults arrive: "conditional", "exhaustive", "list", "accumulation" or "beam".
    pub mode: String,
    /// Whether masks are zero.
    pub dummy: bool,
    /// Whether every site was struck once: its shares are exact and have no interval.
    pub census: bool,
    /// α of every interval, 1 − its confidence: a tenth of the campaign's where a stopping rule
    /// looks at the results.
    pub alpha: f64,
    /// How often the stopping rule may look at the results; 1 where trials are counted only.
    pub looks: u32,
    /// Steps in a trial; 1 but for accumulation and beam.
    pub steps: u32,
    /// Inferences in a step.
    pub inferences_per_step: u32,
}

/// How often upsets strike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateInfo {
    /// Upsets per bit and day, before acceleration.
    pub upsets_per_bit_day: f64,
    /// Where the rate comes from.
    pub source: String,
    /// What multiplied it; 1 is real time.
    pub acceleration: f64,
    /// Declared seconds between inferences.
    pub inference_period_s: f64,
    /// Declared seconds that transient words of one execution are exposed.
    pub execution_time_s: f64,
    /// Declared seconds of a trial.
    pub trial_s: f64,
    /// The highest rate along the orbit over the mean; 1 where it is constant.
    pub peak_over_mean: f64,
    /// The rate along the orbit, where it follows one.
    pub course: Option<Relative>,
}

/// A model or datum, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// What it is: "upset rate", "weights", ….
    pub subject: String,
    /// Where it comes from.
    pub source: String,
}

/// What it ran on.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AdapterInfo {
    /// The adapter's name.
    pub name: String,
    /// The driver.
    pub driver: String,
    /// The driver's version and build.
    pub driver_info: String,
    /// The API: "vulkan", "metal" or "dx12".
    pub backend: String,
    /// "discrete", "integrated", "cpu", ….
    pub device_type: String,
    /// Whether it computes on the CPU.
    pub software: bool,
    /// Whether `fma` rounds once there.
    pub fma_fused: bool,
}

impl AdapterInfo {
    /// It in one line, as [`crate::gpu::Adapter::line`] says it.
    pub fn line(&self) -> String {
        let kind = if self.software { "software" } else { "hardware" };
        let Self { name, driver, driver_info, backend, .. } = self;
        format!("{name} ({driver} {driver_info}, {backend}, {kind})")
    }
}

/// What ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadInfo {
    /// Its name.
    pub name: String,
    /// One sentence on what it is.
    pub description: String,
    /// Where weights and inputs come from.
    pub source: String,
    /// How an output becomes a decision, in words.
    pub decision: String,
    /// What becomes of a NaN in ReLU and max-pool: "propagate" or "zero".
    pub relu_nan: String,
    /// The campaign's inputs: the workload's first this many.
    pub inputs: u32,
    /// Whether the inputs have labels.
    pub labelled: bool,
    /// The stored tensors, in image order.
    pub tensors: Vec<TensorInfo>,
    /// The ops, in execution order.
    pub ops: Vec<OpInfo>,
}

impl WorkloadInfo {
    /// What an archive says of this workload, run over its first `inputs` inputs.
    pub fn of(workload: &Workload, inputs: u32) -> Self {
        let tensor = |tensor: &crate::workload::Tensor| TensorInfo {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            offset: u64::from(tensor.offset),
            words: tensor.words.len() as u64,
            dtype: tensor.dtype.name().into(),
        };
        let op = |op: &crate::workload::Op| OpInfo {
            name: op.name.clone(),
            kind: op.kind.name().to_owned(),
            features: workload.features(op.output),
        };
        Self {
            name: workload.name.clone(),
            description: workload.description.clone(),
            source: workload.source.clone(),
            decision: decision_text(workload.decision),
            relu_nan: match workload.relu_nan {
                NanRule::Propagate => "propagate".into(),
                NanRule::Zero => "zero".into(),
            },
            inputs,
            labelled: workload.inputs.labels.is_some(),
            tensors: workload.tensors.iter().map(tensor).collect(),
            ops: workload.ops.iter().map(op).collect(),
        }
    }
}

impl WorkloadInfo {
    /// Its figures for other programs, shapes as texts.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!(self);
        for (at, tensor) in self.tensors.iter().enumerate() {
            shown["tensors"][at]["shape"] = format!("{:?}", tensor.shape).into();
        }
        shown
    }
}

fn decision_text(decision: Decision) -> String {
    let rank = |nan: NanRank| match nan {
        NanRank::Differs => "an output with a NaN decides differently from any without",
        NanRank::Highest => "a NaN is the maximum",
        NanRank::Lowest => "a NaN is never the maximum",
    };
    match decision {
        Decision::ArgMax { nan } => format!("the index of the largest output; {}", rank(nan)),
        Decision::TopK { best, nan } => {
            format!("the set of the {best} largest outputs; {}", rank(nan))
        }
        Decision::Rank { best, nan } => {
            format!("the {best} largest outputs in their order; {}", rank(nan))
        }
        Decision::Tolerance { relative } => {
            format!("every output within {relative} of the largest golden magnitude")
        }
        Decision::Tokens { positions, ends, nan, .. } => {
            let ends: Vec<String> = ends.tokens().map(|token| token.to_string()).collect();
            let end = match ends.is_empty() {
                true => String::new(),
                false => format!(", up to token {}, which ends it", ends.join(" or ")),
            };
            format!("the {positions} tokens of an answer{end}; {}", rank(nan))
        }
        Decision::Mask { threshold, overlap } => format!(
            "the outputs above {threshold}: the same where they and golden's overlap by {overlap} of \
             their union"
        ),
    }
}

/// A stored tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TensorInfo {
    /// Its name.
    pub name: String,
    /// Its shape, row-major.
    pub shape: Vec<usize>,
    /// Its first word in the stored image.
    pub offset: u64,
    /// Its words.
    pub words: u64,
    /// The type of its elements; f32 where an older archive does not say.
    #[serde(default = "f32_name")]
    pub dtype: String,
}

impl TensorInfo {
    /// Its bits.
    pub fn bits(&self) -> u64 {
        let elements: usize = self.shape.iter().product();
        let dtype = Dtype::named(&self.dtype).unwrap_or_default();
        elements as u64 * u64::from(dtype.bits())
    }
}

fn f32_name() -> String {
    Dtype::F32.name().into()
}

/// An op.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpInfo {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: String,
    /// Words of its output for one inference.
    pub features: u32,
}

/// A scheme and what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SchemeInfo {
    /// Its definition.
    pub definition: Scheme,
    /// What it costs, from its definition.
    pub cost: Cost,
    /// Bits that upsets can strike, all copies and executions, each weighed with the share of the
    /// trial that it is exposed. `None` where the campaign has no rate.
    pub exposed_bits: Option<f64>,
}

impl SchemeInfo {
    /// Its name in tables.
    pub fn name(&self) -> &str {
        &self.definition.name
    }
}

/// A part of the campaign with its own population of sites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StratumInfo {
    /// Its name.
    pub name: String,
    /// The region of its sites, where there is one.
    pub region: Option<Region>,
    /// Logical bits that a fault can strike: one replica, one execution.
    pub bits: u64,
    /// Inferences in a trial.
    pub inferences_per_trial: u32,
    /// Trials planned at most, of each scheme.
    pub trials: u64,
}

/// A scheme in the table for other programs.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShownScheme<'h> {
    /// Its name.
    name: &'h str,
    #[serde(flatten)]
    cost: Cost,
    /// Bits that upsets can strike, all copies and executions, each weighed with the share of the trial that
    /// it is exposed; NaN where the campaign has no rate.
    exposed_bits: Option<f64>,
}

impl<'h> ShownScheme<'h> {
    fn of(scheme: &'h SchemeInfo) -> Self {
        Self { name: scheme.name(), cost: scheme.cost, exposed_bits: scheme.exposed_bits }
    }
}

impl StoredHeader for Header {
    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn program(&self) -> (&str, &str) {
        (&self.version, &self.commit)
    }

    fn check(&self) -> Result<(), Flaw> {
        flaw::header(self)
    }

    fn put_series(&self, to: &File) -> hdf5::Result<()> {
        let Some(course) = self.rate.as_ref().and_then(|rate| rate.course.as_ref()) else {
            return Ok(());
        };
        let about = "The rate of upsets at each place of the orbit, over its mean";
        put_series(to, COURSE, &course.rates, about)
    }

    fn take_series(&mut self, from: &File) -> hdf5::Result<()> {
        if let Some(course) = self.rate.as_mut().and_then(|rate| rate.course.as_mut()) {
            course.rates = take_series(from, COURSE)?;
        }
        Ok(())
    }

    fn show(&self, to: &File) -> hdf5::Result<()> {
        let schemes: Vec<ShownScheme<'_>> = self.schemes.iter().map(ShownScheme::of).collect();
        let about = Descriptions::default()
            .with::<ShownScheme<'_>>("schemes")
            .with::<StratumInfo>("strata")
            .with::<Source>("sources")
            .with::<Assumption>("assumptions")
            .with::<NotInjected>("not_injected")
            .with::<TensorInfo>("tensors")
            .with::<OpInfo>("ops");
        let shown = json!({
            "campaign": self.campaign,
            "rate": self.rate,
            "beam": self.beam,
            "schemes": schemes,
            "strata": self.strata,
            "not_injected": self.not_injected,
            "sources": self.sources,
            "assumptions": self.assumptions,
            "workload": self.workload.shown(),
            "adapter": self.adapter,
            "fingerprint": self.fingerprint,
        });
        show(to, &shown, &about)
    }
}

impl Header {
    /// The scheme that the others are compared with: no redundancy, and the fewest checks.
    pub fn baseline(&self) -> Option<usize> {
        let schemes: Vec<Scheme> = self.schemes.iter().map(|s| s.definition.clone()).collect();
        crate::scheme::baseline(&schemes)
    }

    /// The name of a site's tensor or op.
    pub fn site(&self, region: Region, tensor: u32) -> &str {
        let index = tensor as usize;
        let name = match region {
            Region::Weights | Region::Voted => {
                self.workload.tensors.get(index).map(|t| t.name.as_str())
            }
            Region::Input => Some("input"),
            Region::Check => Some("check words"),
            Region::Activations => self.workload.ops.get(index).map(|o| o.name.as_str()),
        };
        name.unwrap_or("?")
    }

    /// What screens name of a campaign that goes on after so many trials.
    pub fn started(&self, trials_done: u64) -> Started {
        let live = (0..self.schemes.len())
            .filter_map(|scheme| self.live_events_per_scrub(scheme))
            .fold(0.0, f64::max);
        let acceleration = self.rate.as_ref().filter(|rate| rate.acceleration > 1.0).map(|rate| {
            format!("rate × {:.1e}, up to {live:.1} live events between scrubs", rate.acceleration)
        });
        Started {
            campaign: self.campaign.name.clone(),
            mode: match &self.beam {
                Some(_) => SIMULATED_BEAM.to_owned(),
                None => self.campaign.mode.clone(),
            },
            workload: self.workload.name.clone(),
            adapter: self.adapter.line(),
            schemes: self.schemes.iter().map(|scheme| scheme.name().to_owned()).collect(),
            strata: self.strata.iter().map(|stratum| stratum.name.clone()).collect(),
            trials_max: self.strata.iter().map(|stratum| stratum.trials).sum(),
            trials_done,
            inferences_per_trial: self.strata[0].inferences_per_trial,
            alpha: self.campaign.alpha,
            acceleration,
            census: self.campaign.census,
        }
    }

    /// The rate as a plan takes it.
    pub fn upset_rate(&self) -> Option<UpsetRate> {
        self.rate.as_ref().map(|rate| UpsetRate {
            upsets_per_bit_day: rate.upsets_per_bit_day,
            source: rate.source.clone(),
            course: rate.course.clone(),
            not_injected: self.not_injected.clone(),
            assumptions: self.assumptions.clone(),
        })
    }

    /// Live events of one scheme between two of its scrubs (or in a trial, where it has none), as
    /// accelerated: λ·A·bits·t.
    pub fn live_events_per_scrub(&self, scheme: usize) -> Option<f64> {
        const SECONDS_PER_DAY: f64 = 86_400.0;
        let (rate, scheme) = (self.rate.as_ref()?, &self.schemes[scheme]);
        let interval_s = scheme.definition.scrub.as_ref().map_or(rate.trial_s, |scrub| {
            let inferences = f64::from(scrub.every_steps().unwrap_or(u32::MAX))
                * f64::from(self.campaign.inferences_per_step);
            (inferences * rate.inference_period_s).min(rate.trial_s)
        });
        let per_bit_s = rate.upsets_per_bit_day * rate.acceleration / SECONDS_PER_DAY;
        Some(per_bit_s * scheme.exposed_bits? * interval_s)
    }
}
