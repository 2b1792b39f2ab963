//! What a mission's archive says of its mission, and the names that it uses.

use super::super::columns::{Descriptions, show};
use super::super::file::{put_series, take_series};
use super::super::flaw::Flaw;
use super::super::schema::{AdapterInfo, OpInfo, Source, TensorInfo, WorkloadInfo};
use super::super::store::StoredHeader;
use super::super::tables::describe_columns;
use super::super::{Fingerprint, digest};
use super::flaw;
use crate::device::{Assumption, ENTRY_BYTES};
use crate::environment::orbit::ALTITUDE_CONVENTION;
use crate::mission::Plan;
use crate::mission::figures::{Facts, ModeFact, SchemeFact};
use crate::scheme::Scheme;
use crate::units::DAY_S;
use hdf5::File;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The table of places of the track.
const TRACK: &str = "track";
/// The most places of the track that an archive keeps.
const PLACES_MAX: usize = 20_000;

/// Everything common to the histories of a mission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissionHeader {
    /// The version of beamline.
    pub version: String,
    /// Its commit, with `-dirty` where the tree had changes; empty where unknown.
    pub commit: String,
    /// The name of the mission.
    pub name: String,
    /// Its file, verbatim.
    pub toml: String,
    /// Histories planned.
    pub histories: u64,
    /// What figures need of it: rates, times, costs.
    pub facts: Facts,
    /// The schemes, in the mission's order.
    pub schemes: Vec<Scheme>,
    /// The shapes that the bits of an event can form, as [`super::UpsetRow::shape`] counts them.
    pub shapes: Vec<String>,
    /// The memory.
    pub memory: MemoryInfo,
    /// The orbit.
    pub orbit: OrbitInfo,
    /// One lap of the track, every [`OrbitInfo::place_step`]-th place of it.
    #[serde(skip)]
    pub track: Vec<TrackPlace>,
    /// Every model and datum that the results rest on, and where it comes from.
    pub sources: Vec<Source>,
    /// Every rate and cross-section that results rest on.
    pub assumptions: Vec<Assumption>,
    /// Where a model is used beyond what it was made for.
    pub warnings: Vec<String>,
    /// What it ran on.
    pub adapter: AdapterInfo,
    /// What ran.
    pub workload: WorkloadInfo,
    /// What makes another run the same experiment; its part `campaign` is of the mission.
    pub fingerprint: Fingerprint,
}

/// The memory of a mission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryInfo {
    /// The name by which the mission chose it.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// How addresses map to places.
    pub map: String,
    /// How it is divided.
    pub organisation: Organisation,
    /// A digest of all its figures.
    pub digest: String,
}

/// How a memory is divided, from stacks to the bytes of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Stacks, or devices side by side.
    pub stacks: u32,
    /// Channels of a stack.
    pub channels: u32,
    /// Pseudo-channels of a channel.
    pub pseudo_channels: u32,
    /// Ranks of a pseudo-channel.
    pub sids: u32,
    /// Bank groups of a rank.
    pub bank_groups: u32,
    /// Banks of a group.
    pub banks: u32,
    /// Rows of a bank.
    pub rows: u32,
    /// Entries of a row.
    pub columns: u32,
    /// Bytes of an entry.
    pub entry_bytes: u32,
}

/// The orbit of a mission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrbitInfo {
    /// The orbit in words.
    pub description: String,
    /// When its track begins, UTC.
    pub start: String,
    /// Seconds between places; the track comes again after the last.
    pub step_s: f64,
    /// Places of a lap.
    pub places: u64,
    /// The archive keeps every so many-th of them.
    pub place_step: u64,
    /// What an altitude is.
    pub altitude_convention: String,
}

/// A place of the track.
#[derive(hdf5::H5Type, bytemuck::NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct TrackPlace {
    /// Seconds since the start of the track.
    pub time_s: f64,
    /// Geocentric latitude in degrees, north positive.
    pub latitude_deg: f64,
    /// Longitude in degrees, east positive.
    pub longitude_deg: f64,
    /// Altitude in km.
    pub altitude_km: f64,
    /// Mean local solar time there, in hours.
    pub local_time_h: f64,
    /// Events a second of one device, all modes at their levels, before solar events at times: the
    /// mean over the places from this one to the next row.
    pub events_per_s: f64,
    /// 1 within the South Atlantic Anomaly.
    pub in_saa: u64,
}

/// What made the archive: the program, and what it ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// The version of beamline.
    pub version: String,
    /// Its commit.
    pub commit: String,
    /// The adapter.
    pub adapter: AdapterInfo,
    /// The shaders' texts.
    pub shaders: Vec<String>,
    /// The golden outputs.
    pub golden: Vec<u32>,
}

impl StoredHeader for MissionHeader {
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
        put_series(to, TRACK, &self.track, "One lap of the track")?;
        describe_columns::<TrackPlace>(&*to.dataset(TRACK)?)
    }

    fn take_series(&mut self, from: &File) -> hdf5::Result<()> {
        self.track = take_series(from, TRACK)?;
        Ok(())
    }

    fn show(&self, to: &File) -> hdf5::Result<()> {
        let Facts { modes, schemes, .. } = &self.facts;
        let mission = json!({
            "name": self.name,
            "toml": self.toml,
            "histories": self.histories,
            "seed": self.facts.seed,
            "horizon_s": self.facts.horizon_s,
            "acceleration": self.facts.acceleration,
            "inferences_per_s": self.facts.inferences_per_s,
            "bandwidth_bytes_s": self.facts.bandwidth_bytes_s,
            "capacity_bytes": self.facts.capacity_bytes,
            "copies": self.facts.copies,
            "requirement": self.facts.requirement,
            "modes": modes,
            "schemes": schemes,
            "shapes": self.shapes,
            "sources": self.sources,
            "assumptions": self.assumptions,
            "warnings": self.warnings,
        });
        let about = Descriptions::default()
            .with::<ModeFact>("modes")
            .with::<SchemeFact>("schemes")
            .with::<Source>("sources")
            .with::<Assumption>("assumptions")
            .with::<TensorInfo>("tensors")
            .with::<OpInfo>("ops");
        let shown = json!({
            "mission": mission,
            "memory": self.memory,
            "orbit": self.orbit,
            "workload": self.workload.shown(),
            "adapter": self.adapter,
            "fingerprint": self.fingerprint,
        });
        show(to, &shown, &about)
    }
}

impl MissionHeader {
    /// What the archive of a mission says before its rows; `text` is the mission's file.
    pub fn of(plan: &Plan, text: &str, made: &Made) -> Self {
        let (mission, memory) = (&plan.mission, &plan.ground.memory);
        let facts = plan.facts();
        let inputs = u32::try_from(plan.ground.reads.inputs).unwrap_or(u32::MAX);
        Self {
            version: made.version.clone(),
            commit: made.commit.clone(),
            name: mission.name.clone(),
            toml: text.to_owned(),
            histories: u64::from(mission.histories),
            schemes: mission.scheme.clone(),
            shapes: shapes(plan),
            memory: MemoryInfo {
                name: mission.memory.preset.clone(),
                title: memory.title.clone(),
                map: plan.ground.map.name().to_owned(),
                organisation: Organisation {
                    stacks: memory.stacks,
                    channels: memory.channels,
                    pseudo_channels: memory.pseudo_channels,
                    sids: memory.sids,
                    bank_groups: memory.bank_groups,
                    banks: memory.banks,
                    rows: memory.rows,
                    columns: memory.columns,
                    entry_bytes: u32::try_from(ENTRY_BYTES).unwrap_or(u32::MAX),
                },
                digest: digest([format!("{memory:?}").as_bytes()]),
            },
            orbit: orbit(plan),
            track: track(plan),
            sources: sources(plan),
            assumptions: assumptions(plan),
            warnings: warnings(plan),
            adapter: made.adapter.clone(),
            workload: WorkloadInfo::of(&plan.workload, inputs),
            fingerprint: fingerprint(plan, &facts, made),
            facts,
        }
    }

    /// The mode of an upset, where it has one.
    pub fn mode(&self, upset: &super::UpsetRow) -> Option<&ModeFact> {
        self.facts.modes.get(upset.mode as usize)
    }

    /// The shape of an upset's bits, where it flips bits of memory.
    pub fn shape(&self, upset: &super::UpsetRow) -> Option<&str> {
        self.shapes.get(usize::from(upset.shape)).map(String::as_str)
    }
}

/// Every shape of every pattern, once.
fn shapes(plan: &Plan) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for pattern in plan.modes.iter().filter_map(|mode| mode.pattern.as_ref()) {
        for event in &pattern.events {
            if !names.iter().any(|known| known == event.shape.name()) {
                names.push(event.shape.name().to_owned());
            }
        }
    }
    names
}

fn place_step(plan: &Plan) -> usize {
    plan.timeline.places.len().div_ceil(PLACES_MAX).max(1)
}

fn orbit(plan: &Plan) -> OrbitInfo {
    let conditions = &plan.timeline.conditions;
    OrbitInfo {
        description: conditions.orbit.describe(),
        start: conditions.start.to_string(),
        step_s: plan.timeline.step_s(),
        places: plan.timeline.places.len() as u64,
        place_step: place_step(plan) as u64,
        altitude_convention: ALTITUDE_CONVENTION.to_owned(),
    }
}

fn track(plan: &Plan) -> Vec<TrackPlace> {
    let timeline = &plan.timeline;
    let step = place_step(plan);
    let rate = |at: usize| -> f64 {
        let modes = plan.modes.iter().enumerate();
        modes.map(|(index, mode)| timeline.device_rate(index, at, mode.level.index())).sum()
    };
    let place = |(at, place): (usize, &crate::rate::TrackPoint)| {
        let stretch = at..(at + step).min(timeline.places.len());
        TrackPlace {
            time_s: at as f64 * timeline.step_s(),
            latitude_deg: place.position.latitude_deg,
            longitude_deg: place.position.longitude_deg,
            altitude_km: place.position.altitude_km(),
            local_time_h: place.position.local_time_h(timeline.conditions.start),
            events_per_s: stretch.clone().map(rate).sum::<f64>() / stretch.len() as f64,
            in_saa: u64::from(place.in_saa()),
        }
    };
    timeline.places.iter().enumerate().step_by(step).map(place).collect()
}

fn sources(plan: &Plan) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let mut add = |subject: String, source: &str| {
        sources.push(Source { subject, source: source.to_owned() });
    };
    let assessment = plan.timeline.assessment(plan.years());
    add("workload".into(), &plan.workload.source);
    add("orbit".into(), &assessment.setting.orbit_source);
    add("trapped protons".into(), &assessment.trapped_protons.model);
    add("cosmic rays".into(), &assessment.gcr.model);
    add(format!("memory {}", plan.ground.memory.name), &plan.ground.memory.source);
    for name in plan.mission.scheme.iter().filter_map(|s| s.scrub.as_ref()?.patrol.as_ref()) {
        if let Some(patrol) = plan.ground.memory.ras.scrub(name) {
            let figure = &patrol.period_s;
            add(format!("patrol {name}"), &format!("{} ({})", figure.source, figure.mark.name()));
        }
    }
    for mode in &plan.modes {
        add(format!("{}, {}", mode.device, mode.mode.name), &mode.mode.source);
        if let Some(pattern) = &mode.pattern {
            add(format!("pattern {}", pattern.name), &pattern.source);
        }
    }
    if let Some(hardened) = &plan.mission.hardened {
        add("hardened storage".into(), &hardened.source);
    }
    for Source { subject, source } in super::super::critical::sources(&plan.mission.scheme) {
        add(subject, &source);
    }
    let mut known = std::collections::HashSet::new();
    sources.retain(|source| known.insert((source.subject.clone(), source.source.clone())));
    sources
}

/// Every rate and cross-section, as flown.
fn assumptions(plan: &Plan) -> Vec<Assumption> {
    let mut all = Vec::new();
    for (mode, fact) in plan.modes.iter().zip(plan.facts().modes) {
        let per_day = fact.per_device_s.map(|rate| rate * DAY_S);
        let source =
            "events of one device: its cross-section folded with the spectra of this orbit";
        all.push(Assumption::rate(&mode.device, &mode.mode, per_day, "1/day", source));
        let figures =
            Assumption::of_mode(&mode.device, &mode.mode, mode.level, mode.pattern.as_ref());
        all.extend(figures);
    }
    if let Some(hardened) = &plan.mission.hardened {
        let (rate, source) = (hardened.upsets_per_bit_day, &hardened.source);
        all.push(Assumption::stated("hardened storage", "rate", rate, "1/(bit·day)", source));
    }
    all.extend(Assumption::of_memory(&plan.ground.memory));
    Assumption::once(all)
}

/// What decides the rows. Comments of the mission's file do not; figures of the files that it names
/// and the rates along the orbit do.
fn fingerprint(plan: &Plan, facts: &Facts, made: &Made) -> Fingerprint {
    let mission = format!(
        "{:?} {:?} {:?} {:?} {facts:?}",
        plan.mission, plan.ground.memory, plan.modes, plan.scheduled
    );
    let adapter = &made.adapter;
    Fingerprint {
        campaign: digest([mission.as_bytes()]),
        version: digest([made.version.as_bytes(), made.commit.as_bytes()]),
        shaders: digest(made.shaders.iter().map(String::as_bytes)),
        weights: Fingerprint::weights_of(&plan.workload),
        adapter: digest([adapter.name.as_bytes(), adapter.backend.as_bytes()]),
        driver: digest([adapter.driver.as_bytes(), adapter.driver_info.as_bytes()]),
        golden: digest([bytemuck::cast_slice(&made.golden)]),
    }
}

/// What a reader must know before any figure.
fn warnings(plan: &Plan) -> Vec<String> {
    let mut warnings = plan.timeline.warnings_of_flight(plan.ground.horizon_s);
    if !plan.scheduled.is_empty() {
        warnings.push(
            "Solar events are in the histories alone: expected rates, of events one by one, are those of \
             the time without them."
                .into(),
        );
    }
    warnings
}
