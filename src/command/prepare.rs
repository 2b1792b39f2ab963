//! From files and an adapter to a campaign that can run: everything before the first trial.

use super::answer;
use super::engines::{Chosen, EngineName};
use super::{Failure, say};
use crate::archive::schema::{
    AdapterInfo, CampaignInfo, RateInfo, SchemeInfo, Source, StratumInfo, WorkloadInfo,
};
use crate::archive::{Fingerprint, Header, critical, digest};
use crate::campaign::faults::List;
use crate::campaign::file::WorkloadChoice;
use crate::campaign::{Campaign, Mode, Plan};
use crate::engine::direct::{Direct, Kernels};
use crate::engine::{self, Engine, Layout, Windows};
use crate::gpu::{self, AdapterChoice, Gpu};
use crate::op::WORD_BITS;
use crate::place::Place;
use crate::scheme::{Guard, Scheme};
use crate::stats::looks;
use crate::words::meant;
use crate::workload::import::{self, Reading};
use crate::workload::{self, Decision, Overrides, Workload};
use anyhow::{Context, anyhow};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The version and commit of this build.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(super) const COMMIT: &str = env!("BEAMLINE_COMMIT");

/// The files that a user gave for a replay.
#[derive(Clone, Copy)]
pub(super) struct ReplayFiles<'a> {
    pub(super) workload: Option<&'a Path>,
    pub(super) list: Option<&'a Path>,
}

/// A campaign and its plan, before any GPU is opened.
pub(super) struct Planned {
    pub campaign: Campaign,
    pub text: String,
    pub workload: Arc<Workload>,
    pub plan: Plan,
}

impl Planned {
    /// Reads and checks a campaign file and its workload.
    pub(super) fn load(path: &Path) -> Result<Self, Failure> {
        let (mut campaign, text) = Campaign::load(path).map_err(Failure::input)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let workload = find_workload(&campaign.workload, folder, Some((path, &text)))?;
        choose(&mut campaign.scheme, &workload, path, &text)?;
        let plan = Plan::new(&campaign, &workload, folder)
            .map_err(|error| Failure::input(error.placed(path, &text)))?;
        Ok(Self { campaign, text, workload: Arc::new(workload), plan })
    }

    /// The campaign that an archive holds, at the rate and with the schemes that it holds. No path
    /// that it names is opened: files are those that the user gave.
    pub(super) fn archived(header: &Header, given: ReplayFiles<'_>) -> Result<Self, Failure> {
        let text = header.campaign.toml.as_str();
        let path = Path::new("the archive's campaign");
        let mut campaign = Campaign::parse(path, text).map_err(Failure::input)?;
        // A set that was chosen from an earlier archive stays what it was.
        campaign.scheme = header.schemes.iter().map(|scheme| scheme.definition.clone()).collect();
        if let Mode::List(List { file }) = &mut campaign.faults {
            let named = file.display().to_string();
            *file = given.list.map(Path::to_path_buf).ok_or_else(|| {
                Failure::input(anyhow!("--list: expected the fault list {named:?}, found none"))
            })?;
        }
        let workload = archived_workload(&campaign.workload, given.workload)?;
        if Fingerprint::weights_of(&workload) != header.fingerprint.weights {
            let other = "another one, with other weights, inputs or ops";
            return Err(Failure::input(anyhow!(
                "workload {:?}: expected that of the archive, found {other}",
                workload.name
            )));
        }
        let rate = header.upset_rate();
        let plan = Plan::with(&campaign, &workload, Path::new(""), rate);
        let plan = plan.map_err(Failure::input)?;
        Ok(Self { campaign, text: text.to_owned(), workload: Arc::new(workload), plan })
    }

    /// The most stored copies that any scheme keeps.
    pub(super) fn copies(&self) -> u32 {
        self.campaign.scheme.iter().map(|s| s.copies()).max().unwrap_or(1)
    }

    /// One engine a stratum; `lanes` fixes the lane count, else it is measured.
    pub(super) fn engines(
        &self,
        gpu: &Arc<Gpu>,
        name: EngineName,
        lanes: Option<usize>,
    ) -> Result<Vec<Chosen>, Failure> {
        let kernels = Arc::new(Kernels::new(gpu)?);
        let mut engines: Vec<Chosen> = Vec::new();
        let mut known: Vec<(&Windows, usize)> = Vec::new();
        for stratum in self.plan.strata() {
            let alike = known.iter().find(|(w, _)| w.rows() == stratum.windows.rows());
            let measured = alike.filter(|_| name == EngineName::Direct).map(|(_, lanes)| *lanes);
            let of = (&self.workload, &stratum.windows, self.copies());
            let sharing = (lanes.or(measured), engines.first());
            let engine = Chosen::new(name, &kernels, gpu, of, sharing)?;
            known.push((&stratum.windows, engine.lanes()));
            engines.push(engine);
        }
        Ok(engines)
    }

    /// What the archive says before its rows.
    pub(super) fn header(&self, gpu: &Gpu, golden: &[u32]) -> Header {
        let Self { campaign, text, workload, plan } = self;
        let looks = campaign.stop.half_width.map_or(1, |_| {
            u32::try_from(looks::schedule(plan.trials_max(), plan.segment_trials()).len())
                .unwrap_or(looks::LOOKS)
        });
        let alpha = if campaign.stop.half_width.is_some() {
            looks::level(campaign.stop.alpha)
        } else {
            campaign.stop.alpha
        };
        let course = plan.course();
        let first = &plan.strata()[0];
        let inferences_per_step = first.windows.rows();
        let input_words = workload.values[0].features();
        let tensors = workload.stored_tensors();
        let exposed = |scheme: &Scheme| {
            plan.exposure().map(|exposure| {
                let (weights, input) = scheme.replica_bits(&tensors, input_words);
                let of =
                    |bits: u64, words: u32| bits as f64 / f64::from(WORD_BITS) / f64::from(words);
                let copies = (of(weights, workload.stored_words()), of(input, input_words));
                let upsets = exposure.upsets_per_step(copies, scheme.executions());
                upsets / (exposure.upsets_per_bit_s * exposure.step_s())
            })
        };
        Header {
            version: VERSION.into(),
            commit: COMMIT.into(),
            campaign: CampaignInfo {
                name: campaign.name.clone(),
                toml: text.clone(),
                seed: campaign.seed,
                mode: campaign.faults.name().into(),
                dummy: campaign.dummy,
                census: plan.census(),
                alpha,
                looks,
                steps: course.end_step,
                inferences_per_step,
            },
            rate: rate(campaign, plan),
            beam: campaign.faults.beam().cloned(),
            not_injected: plan.rate().map_or_else(Vec::new, |rate| rate.not_injected.clone()),
            sources: sources(campaign, plan, workload),
            assumptions: plan.rate().map_or_else(Vec::new, |rate| rate.assumptions.clone()),
            adapter: adapter_info(gpu),
            workload: WorkloadInfo::of(workload, plan.inputs()),
            schemes: campaign
                .scheme
                .iter()
                .map(|scheme| SchemeInfo {
                    definition: scheme.clone(),
                    cost: scheme.cost(&tensors, input_words, inferences_per_step),
                    exposed_bits: exposed(scheme).filter(|bits| bits.is_finite()),
                })
                .collect(),
            strata: plan
                .strata()
                .iter()
                .map(|stratum| StratumInfo {
                    name: stratum.name.clone(),
                    region: (stratum.regions.len() == 1).then(|| stratum.regions[0]),
                    bits: stratum.bits,
                    inferences_per_trial: stratum.inferences,
                    trials: stratum.trials_max,
                })
                .collect(),
            fingerprint: self.fingerprint(gpu, golden),
        }
    }

    fn fingerprint(&self, gpu: &Gpu, golden: &[u32]) -> Fingerprint {
        let shaders = shaders();
        let adapter = gpu.adapter();
        let list = match &self.campaign.faults {
            Mode::List(_) => (0..self.plan.trials_max()).fold(String::new(), |text, trial| {
                use std::fmt::Write;
                let mut text = text;
                let _ = write!(text, "{:?}", self.plan.job(trial));
                text
            }),
            _ => String::new(),
        };
        // A rate that was derived may differ where the device's file or a model has changed.
        let derived = match (self.campaign.faults.device(), self.plan.rate()) {
            (Some(_), Some(rate)) => format!("{rate:?}"),
            _ => list,
        };
        // So may a set that was chosen, where the archive that it came from is another now.
        let chosen = critical::sources(&self.campaign.scheme);
        let derived = chosen.iter().fold(derived, |derived, set| derived + &set.source);
        Fingerprint {
            campaign: digest([self.text.as_bytes(), derived.as_bytes()]),
            version: digest([VERSION.as_bytes(), COMMIT.as_bytes()]),
            shaders: digest(shaders.iter().map(String::as_bytes)),
            weights: Fingerprint::weights_of(&self.workload),
            adapter: digest([adapter.name.as_bytes(), adapter.backend.as_bytes()]),
            driver: digest([adapter.driver.as_bytes(), adapter.driver_info.as_bytes()]),
            golden: digest([bytemuck::cast_slice(golden)]),
        }
    }

    /// Holds the golden run of every stratum to what it must be.
    pub(super) fn check_golden(&self, engines: &[Chosen]) -> Result<(), Failure> {
        let strata = self.plan.strata().iter().zip(engines);
        for (stratum, engine) in strata {
            let golden = engine.golden_outputs();
            check_golden(&self.workload, &self.campaign.scheme, &stratum.windows, golden)?;
        }
        Ok(())
    }
}

/// Holds a golden run to what it must be: numbers, finite where a guard or a tolerance takes them,
/// and what another implementation computed where the workload's folder has it.
pub(super) fn check_golden(
    workload: &Workload,
    schemes: &[Scheme],
    windows: &Windows,
    golden: &[u32],
) -> Result<(), Failure> {
    let name = &workload.name;
    let rows = Layout::new(workload, windows).rows as usize;
    let features = workload.output_features() as usize;
    let guarded = schemes.iter().any(|scheme| scheme.guard == Some(Guard::NonFinite));
    let finite = guarded || matches!(workload.decision, Decision::Tolerance { .. });
    let usable = |value: f32| if finite { value.is_finite() } else { !value.is_nan() };
    for window in 0..windows.count() {
        for (row, input) in windows.inputs(window).iter().enumerate() {
            let of_row = golden[window * features * rows + row..].iter().step_by(rows);
            let words: Vec<u32> = of_row.take(features).copied().collect();
            answer::check(workload, *input as usize, &words)?;
            for (feature, word) in words.into_iter().enumerate() {
                let found = f32::from_bits(word);
                let output = format!("{name}: golden output {feature} of input {input}");
                if !usable(found) {
                    let expected = if finite { "a finite number" } else { "a number" };
                    return Err(Failure::input(anyhow!(
                        "{output}: expected {expected} from the fault-free run, found {found}; \
                         no fault can be told from it"
                    )));
                }
                check_output(workload, *input as usize * features + feature, found)?;
            }
        }
    }
    Ok(())
}

/// Holds outputs `[input, feature]` to what another implementation computed, where the workload's folder has
/// that.
pub(super) fn check_expected(workload: &Workload, outputs: &[u32]) -> Result<(), Failure> {
    let mut outputs = outputs.iter().enumerate();
    outputs.try_for_each(|(at, word)| check_output(workload, at, f32::from_bits(*word)))
}

/// The same for output number `at`, `[input, feature]`.
fn check_output(workload: &Workload, at: usize, found: f32) -> Result<(), Failure> {
    let Some(expected) = &workload.expected else { return Ok(()) };
    let want = expected.outputs[at];
    let difference = (found - want).abs();
    if difference <= expected.tolerance {
        return Ok(());
    }
    let features = workload.output_features() as usize;
    Err(Failure::environment(anyhow!(
        "{}: golden output {} of input {}: expected {want} within {}, found {found} on this adapter",
        workload.name,
        at % features,
        at / features,
        expected.tolerance
    )))
}

/// Chooses the sets that schemes of the file at `path`, whose text this is, take from earlier
/// archives, and says which they are.
pub(super) fn choose(
    schemes: &mut [Scheme],
    workload: &Workload,
    path: &Path,
    text: &str,
) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    critical::choose(schemes, workload, folder).map_err(|error| {
        let scheme = error.scheme.to_string();
        match Place::parse(path, text) {
            Ok(place) => {
                let keys = ["scheme", &scheme, "protect", "from"];
                Failure::input(place.said(&keys, error.message))
            }
            Err(_) => Failure::input(error),
        }
    })?;
    for set in critical::sources(schemes) {
        say(&format!("{}: {}", set.subject, set.source))?;
    }
    Ok(())
}

/// What an archive says of the adapter.
pub(super) fn adapter_info(gpu: &Gpu) -> AdapterInfo {
    let adapter = gpu.adapter();
    AdapterInfo {
        name: adapter.name.clone(),
        driver: adapter.driver.clone(),
        driver_info: adapter.driver_info.clone(),
        backend: adapter.backend.clone(),
        device_type: adapter.device_type.clone(),
        software: adapter.software,
        fma_fused: adapter.arithmetic.fma_fused,
    }
}

/// Every shader as it is built.
pub(super) fn shaders() -> Vec<String> {
    gpu::Source::all().iter().filter_map(|source| gpu::compose(*source).ok()).collect()
}

/// An engine of a workload over windows, for so many stored copies; `lanes` fixes the lane count,
/// else it is measured.
pub(super) fn engine(
    kernels: &Arc<Kernels>,
    gpu: &Arc<Gpu>,
    (workload, windows, copies): (&Arc<Workload>, &Windows, u32),
    lanes: Option<usize>,
) -> Result<Direct, engine::Error> {
    let Some(lanes) = lanes else {
        return Direct::tuned(kernels, gpu, workload, windows, copies);
    };
    let (kernels, gpu, workload) = (Arc::clone(kernels), Arc::clone(gpu), Arc::clone(workload));
    Direct::with(kernels, gpu, workload, windows.clone(), lanes + 1, copies)
}

/// Opens the adapter that the command line or `BEAMLINE_ADAPTER` names.
pub(super) fn open_gpu(adapter: Option<&str>) -> Result<Arc<Gpu>, Failure> {
    Ok(Arc::new(Gpu::open(&AdapterChoice::parse(adapter))?))
}

/// Finds the workload that a file, given by its path and text, chooses: a folder beside the
/// campaign, or one of `kernels/` beside the campaign's folder or in the current one.
pub(super) fn find_workload(
    choice: &WorkloadChoice,
    folder: &Path,
    file: Option<(&Path, &str)>,
) -> Result<Workload, Failure> {
    let name = &choice.name;
    let candidates = [
        folder.join(name),
        folder.join("../kernels").join(name),
        PathBuf::from("kernels").join(name),
        PathBuf::from(name),
    ];
    let found = candidates.iter().find(|path| match choice.is_model() {
        true => path.is_file(),
        false => path.join("workload.toml").is_file(),
    });
    let Some(found) = found else {
        let at = candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        let folder_of_a_model = candidates.iter().find(|path| import::is_folder(path));
        let expected = match folder_of_a_model {
            Some(_) => "a workload: a folder that `beamline import` made of a Hugging Face folder",
            None => "a workload: a folder with a workload.toml, or an ONNX model",
        };
        let known = workloads(&[folder.join("../kernels"), PathBuf::from("kernels")]);
        let meant = meant(name, known.iter().map(String::as_str));
        let found = format!("none for {name:?} at {}{meant}", at.join(", "));
        let place = file.and_then(|(path, text)| Place::parse(path, text).ok());
        return Err(place.map_or_else(
            || Failure::input(anyhow!("expected {expected}, found {found}")),
            |place| Failure::input(place.value(&["workload", "name"], expected, &found)),
        ));
    };
    load_workload(choice, found, Some(folder))
}

/// The workload of an archive: the folder that the user gave, or one of `kernels/` in the current
/// folder by its name.
pub(super) fn archived_workload(
    choice: &WorkloadChoice,
    given: Option<&Path>,
) -> Result<Workload, Failure> {
    let name = &choice.name;
    let mut parts = Path::new(name).components();
    let within = parts.all(|part| matches!(part, Component::Normal(_)));
    let folder = match given {
        Some(folder) => folder.to_path_buf(),
        None if within => PathBuf::from("kernels").join(name),
        None => {
            let expected = "the workload's folder, since the archive names no workload of kernels/";
            return Err(Failure::input(anyhow!("--workload: expected {expected}, found {name:?}")));
        }
    };
    let there = match choice.is_model() {
        true => folder.is_file(),
        false => folder.join("workload.toml").is_file(),
    };
    if !there {
        return Err(Failure::input(anyhow!(
            "workload {name:?}: expected a folder with a workload.toml, found none at {}; give it \
             with --workload",
            folder.display()
        )));
    }
    load_workload(choice, &folder, None)
}

/// Loads the workload at a path; inputs of a model lie beside the file that chooses it, beside the model,
/// or where the user stands.
fn load_workload(
    choice: &WorkloadChoice,
    path: &Path,
    beside: Option<&Path>,
) -> Result<Workload, Failure> {
    let overrides = Overrides { relu_nan: choice.relu_nan, size: choice.size };
    let input = choice.input.as_ref().map(|input| {
        let folders = [beside, path.parent()].into_iter().flatten();
        let there = folders.map(|folder| folder.join(input)).find(|input| input.is_file());
        there.unwrap_or_else(|| input.clone())
    });
    let loaded = match choice.is_model() {
        true => {
            let (shape, fold) = (choice.shape.clone(), choice.fold == Some(true));
            import::load(path, &Reading { input, shape, fold, new_tokens: None }, &overrides)
        }
        false => workload::load(path, &overrides),
    };
    loaded.with_context(|| format!("workload {:?}", choice.name)).map_err(Failure::Input)
}

/// The names of the workloads in some folders, and in the folders within them: `gemm`, `gpu4s/fir`.
pub(super) fn workloads(folders: &[PathBuf]) -> Vec<String> {
    let within = |folder: &Path| -> Vec<(PathBuf, String)> {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        let named = entries.map(|entry| (entry.path(), entry.file_name().into_string()));
        named.filter_map(|(path, name)| Some((path, name.ok()?))).collect()
    };
    let mut names = Vec::new();
    for (path, name) in folders.iter().flat_map(|folder| within(folder)) {
        if path.join("workload.toml").is_file() {
            names.push(name);
            continue;
        }
        let inner = within(&path).into_iter();
        let inner = inner.filter(|(path, _)| path.join("workload.toml").is_file());
        names.extend(inner.map(|(_, inner)| format!("{name}/{inner}")));
    }
    names
}

fn rate(campaign: &Campaign, plan: &Plan) -> Option<RateInfo> {
    let (exposure, rate) = (plan.exposure()?, plan.rate()?);
    let acceleration = campaign.faults.acceleration();
    Some(RateInfo {
        upsets_per_bit_day: rate.upsets_per_bit_day,
        source: rate.source.clone(),
        acceleration,
        inference_period_s: exposure.inference_period_s,
        execution_time_s: exposure.execution_time_s,
        trial_s: exposure.trial_s(),
        peak_over_mean: rate.course.as_ref().map_or(1.0, crate::campaign::Relative::peak),
        course: rate.course.clone(),
    })
}

fn sources(campaign: &Campaign, plan: &Plan, workload: &Workload) -> Vec<Source> {
    let source =
        |subject: &str, source: &str| Source { subject: subject.into(), source: source.into() };
    let model = match &campaign.faults {
        Mode::Conditional(_) => {
            "single bits, uniform over the bits of a region: an assumption, not a measurement"
        }
        Mode::Exhaustive(_) => "every bit of the regions once",
        Mode::List(_) => "a fault list, as given",
        Mode::Accumulation(_) | Mode::Beam(_) => {
            "single-bit upsets as a Poisson process, uniform over bits: an assumption, not a measurement"
        }
    };
    let mut sources = vec![source("workload", &workload.source), source("fault model", model)];
    sources.extend(plan.rate().map(|rate| source("upset rate", &rate.source)));
    sources.extend(critical::sources(&campaign.scheme));
    sources
}
