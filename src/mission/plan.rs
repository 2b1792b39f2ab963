//! A mission made ready: memory laid out, rates along the orbit, what each scheme needs.

use super::Error;
use super::figures::{Facts, ModeFact, SchemeFact};
use super::file::{DeviceModes, Mission};
use super::layout::{SchemeLayout, Tiling};
use super::patrol::Patrol;
use super::reads::Reads;
use super::simulate::{Ground, Terms};
use super::values::Values;
use crate::device::{
    AddressMap, AntiRows, DestructiveSel, Device, EventKind, Level, Memory, Mode, ObservedAt,
    Pattern, Polarity,
};
use crate::engine::{Layout, Windows};
use crate::fault::Course;
use crate::rate::{self, ScheduledEvent, Timeline};
use crate::scheme::memory::Reader;
use crate::scheme::{Code, Period, Scheme, Scrub, ScrubBy};
use crate::units;
use crate::units::YEAR_S;
use crate::words::meant;
use crate::workload::Workload;
use std::path::Path;
use std::sync::Arc;

/// Inputs where the mission does not say.
const INPUTS: u32 = 128;

/// A way in which the mission's devices fail.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanMode {
    /// The device that it is of.
    pub device: String,
    /// The mode.
    pub mode: Mode,
    /// Which value of its figures.
    pub level: Level,
    /// The bits that an event flips, where it flips bits.
    pub pattern: Option<Pattern>,
}

/// A mission made ready.
#[derive(Clone)]
pub struct Plan {
    /// The file.
    pub mission: Mission,
    /// The workload.
    pub workload: Arc<Workload>,
    /// The orbit and the rates along it; its modes are those of `modes`, in their order.
    pub timeline: Arc<Timeline>,
    /// What fails.
    pub modes: Vec<PlanMode>,
    /// Solar particle events, in seconds of flight.
    pub scheduled: Vec<ScheduledEvent>,
    /// What all schemes share.
    pub ground: Ground,
    /// What each scheme needs.
    pub terms: Vec<Terms>,
    /// The inputs: one window with all of them.
    pub windows: Windows,
}

impl Plan {
    /// Plans a mission; files are relative to `folder`.
    ///
    /// # Errors
    /// Where a value does not fit the workload, the memory or the devices.
    pub fn new(mission: &Mission, workload: Arc<Workload>, folder: &Path) -> Result<Self, Error> {
        let (memory, map) = memory(mission, folder)?;
        check_tenants(mission, &memory)?;
        let memory = Arc::new(memory);
        let modes = modes(mission, &memory, folder)?;
        let timeline = timeline(mission, &memory, &modes, folder)?;
        let inputs = mission.workload.inputs.unwrap_or(INPUTS);
        let known = u32::try_from(workload.inputs.count).unwrap_or(u32::MAX);
        if inputs == 0 || mission.workload.inputs.is_some_and(|_| inputs > known) {
            let expected = format!("1 to {known} inputs");
            return Err(Error::value("workload.inputs", expected, inputs));
        }
        let inputs = inputs.min(known);
        let asked = mission.lasts.0 * mission.acceleration * mission.service.inferences_per_s;
        if asked < 1.0 {
            let expected = "a rate that asks for one inference or more in the flight";
            return Err(Error::value(
                "service.inferences_per_s",
                expected,
                format!("{asked:.1e} of one"),
            ));
        }
        let windows = Windows::new(inputs, (0..inputs).collect());
        let image = workload.stored_image();
        let weights = mission.memory.weights.map(|bytes| bytes.0);
        let tiling = Tiling::new(workload.stored_words(), weights)?;
        let mut golden = image;
        golden.resize(tiling.copy_words as usize, 0);
        let service = mission.service;
        let ground = Ground {
            horizon_s: mission.lasts.0 * mission.acceleration,
            reads: Reads {
                per_s: service.inferences_per_s,
                copies: tiling.copies,
                inputs: u64::from(inputs),
            },
            duty: service.duty,
            reset_s: service.reset.map_or_else(|| memory.ras.reset_s.at(Level::Nominal), |d| d.0),
            host_reset_s: service.host_reset.0,
            memory,
            map,
            polarity: modes.iter().map(polarity).collect(),
            golden: golden.into(),
            values: values(&workload),
            keep_changes: false,
            window_s: mission.requirement.map(|wanted| wanted.no_critical_sdc_for.0),
        };
        let wanted_s = mission.requirement.map_or(0.0, |wanted| wanted.no_critical_sdc_for.0);
        if wanted_s > ground.horizon_s {
            let found = units::duration_text(wanted_s);
            let flight = units::duration_text(ground.horizon_s);
            let expected = format!("at most the {flight} of flight that the mission stands for");
            return Err(Error::value("requirement.no_critical_sdc_for", expected, found));
        }
        let scheduled = mission.solar_event.iter();
        let scheduled = scheduled
            .map(|event| ScheduledEvent { start_s: event.after.0, scenario: event.event })
            .collect();
        let plan = Self {
            mission: mission.clone(),
            workload,
            timeline: Arc::new(timeline),
            modes,
            scheduled,
            ground,
            terms: Vec::new(),
            windows,
        };
        let plan = plan.with_schemes(mission.scheme.clone())?;
        plan.estimate(0).refusal().map_or(Ok(plan), |refusal| Err(refusal.into()))
    }

    /// The same mission with other schemes.
    ///
    /// # Errors
    /// Where one of them does not fit the memory or the workload.
    pub fn with_schemes(&self, schemes: Vec<Scheme>) -> Result<Self, Error> {
        let mut plan = self.clone();
        plan.mission.scheme = schemes;
        for (index, scheme) in plan.mission.scheme.iter_mut().enumerate() {
            give_period(index, scheme, &plan.ground.memory)?;
        }
        let of = |(index, scheme)| terms_of(index, scheme, &plan);
        plan.terms = plan.mission.scheme.iter().enumerate().map(of).collect::<Result<_, _>>()?;
        Ok(plan)
    }

    /// Devices that any scheme uses: one, or one for each replica that is placed on its own.
    pub fn devices(&self) -> u32 {
        self.terms.iter().map(|terms| terms.layout.devices).max().unwrap_or(1)
    }

    /// The most stored copies that any scheme keeps.
    pub fn copies(&self) -> u32 {
        self.mission.scheme.iter().map(|scheme| scheme.copies()).max().unwrap_or(1)
    }

    /// What figures need of this plan.
    pub fn facts(&self) -> Facts {
        let mission = &self.mission;
        let mode = |(index, mode): (usize, &PlanMode)| {
            let mean = |level: usize| {
                let course = self.timeline.course(index, level);
                course.lap() / course.lap_s()
            };
            ModeFact {
                device: mode.device.clone(),
                mode: mode.mode.name.clone(),
                kind: mode.mode.kind.name().into(),
                per_device_s: [mean(0), mean(mode.level.index()), mean(2)],
            }
        };
        let scheme = |terms: &Terms| {
            let passes = terms.patrol.as_ref().map_or(0.0, |(patrol, _)| patrol.passes_per_s());
            let by = terms.patrol.as_ref().map(|(_, by)| *by);
            let stored = self.stored_bytes(terms);
            // A reload reads golden once and writes all; the others read all and write what differs.
            let moved = match by {
                Some(ScrubBy::Reload) => stored + 4 * 8 * terms.layout.tiling.entries(),
                _ => stored,
            };
            SchemeFact {
                name: terms.reader.scheme.name.clone(),
                stored_bytes: stored,
                weight_bytes: 4 * 8 * terms.layout.tiling.entries(),
                devices: terms.layout.devices,
                scrub_passes_s: passes,
                scrub_bytes_s: passes * moved as f64,
                executions: terms.reader.scheme.executions(),
            }
        };
        Facts {
            seed: mission.seed,
            horizon_s: self.ground.horizon_s,
            acceleration: mission.acceleration,
            inferences_per_s: self.ground.reads.per_s,
            bandwidth_bytes_s: self.ground.memory.bandwidth_bytes_s,
            capacity_bytes: self.ground.memory.capacity_bytes(),
            copies: self.ground.reads.copies,
            requirement: mission.requirement,
            modes: self.modes.iter().enumerate().map(mode).collect(),
            schemes: self.terms.iter().map(scheme).collect(),
        }
    }

    /// Bytes that a scheme keeps: its replicas, of which a vote on some words or bits needs those alone.
    fn stored_bytes(&self, terms: &Terms) -> u64 {
        let scheme = &terms.reader.scheme;
        let tensors = self.workload.stored_tensors();
        let all = Scheme { protect: None, ..scheme.clone() };
        let [kept, all] =
            [scheme, &all].map(|scheme| u128::from(scheme.replica_bits(&tensors, 0).0));
        let bytes = u128::from(terms.layout.protected_bytes()) * kept / all.max(1);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Years of flight.
    pub fn years(&self) -> f64 {
        self.ground.horizon_s / YEAR_S
    }
}

fn memory(mission: &Mission, folder: &Path) -> Result<(Memory, AddressMap), Error> {
    let (memory, _) = Memory::load(&named(&mission.memory.preset, folder))
        .map_err(|error| Error::said("memory.preset", error))?;
    let map = mission.memory.map.unwrap_or(memory.map);
    Ok((memory, map))
}

/// Refuses what is larger than the memory, before anything is added up.
fn check_tenants(mission: &Mission, memory: &Memory) -> Result<(), Error> {
    let of = &mission.memory;
    let buffer = mission.scrubber.map(|scrubber| scrubber.buffer_bytes);
    let sizes = [
        ("memory.weights", of.weights.map(|bytes| bytes.0)),
        ("memory.kv_cache", Some(of.kv_cache.0)),
        ("memory.activations", Some(of.activations.0)),
        ("scrubber.buffer_bytes", buffer),
    ];
    let capacity = memory.capacity_bytes();
    match sizes.into_iter().find(|(_, size)| size.is_some_and(|size| size > capacity)) {
        Some((key, size)) => {
            let expected = format!("at most the {capacity} bytes of {}", memory.name);
            Err(Error::value(key, expected, size.unwrap_or(0)))
        }
        None => Ok(()),
    }
}

/// A built-in name, or a path relative to the mission's folder.
fn named(name: &str, folder: &Path) -> String {
    if name.ends_with(".toml") { folder.join(name).display().to_string() } else { name.to_owned() }
}

fn modes(mission: &Mission, memory: &Memory, folder: &Path) -> Result<Vec<PlanMode>, Error> {
    let mut modes = Vec::new();
    for (at, choice) in mission.device.iter().enumerate() {
        let key = |key: &str| format!("device.{at}.{key}");
        let DeviceModes { name, modes: wanted, level } = choice;
        let (device, _) =
            Device::load(&named(name, folder)).map_err(|error| Error::said(&key("name"), error))?;
        let names: Vec<&str> = device.modes.iter().map(|mode| mode.name.as_str()).collect();
        for (index, wanted) in wanted.iter().flatten().enumerate() {
            if !names.contains(&wanted.as_str()) {
                let expected = format!("modes of {} among {}", device.name, names.join(", "));
                let key = key(&format!("modes.{index}"));
                let meant = meant(wanted, names);
                return Err(Error::value(&key, expected, format!("\"{wanted}\"{meant}")));
            }
        }
        for mode in &device.modes {
            if wanted.as_ref().is_none_or(|wanted| wanted.contains(&mode.name)) {
                let pattern = pattern(mode)?;
                if let Some(Err(reason)) = pattern.as_ref().map(|pattern| pattern.fits(memory)) {
                    let expected = "events that fit the memory";
                    return Err(Error::value(&key("name"), expected, reason));
                }
                modes.push(PlanMode {
                    device: device.name.clone(),
                    pattern,
                    mode: mode.clone(),
                    level: *level,
                });
            }
        }
    }
    let raw = modes.iter().find(|m| m.pattern.is_some() && m.mode.observed_at == ObservedAt::Raw);
    let after = modes.iter().find(|m| m.mode.kind == EventKind::Uncorrectable);
    if let (Some(raw), Some(after)) = (raw, after) {
        let expected = "events counted once: raw in the cells, or behind the ECC";
        let found = format!(
            "\"{}\" of {} and \"{}\" of {}; name modes = [...]",
            raw.mode.name, raw.device, after.mode.name, after.device
        );
        return Err(Error::value("device", expected, found));
    }
    Ok(modes)
}

/// The bits that an event of a mode flips.
fn pattern(mode: &Mode) -> Result<Option<Pattern>, Error> {
    let (shape, bits, more) = match mode.kind {
        EventKind::SingleBit | EventKind::MultiBit => ("single-bit", 1.0, ""),
        EventKind::StuckBit => ("single-bit", 1.0, "persistence = \"stuck\"\n"),
        // Half of the bits of each entry: cells that hold either value lose what they held.
        EventKind::Row => ("row", 128.0, ""),
        EventKind::Bank => ("bank", 128.0, ""),
        EventKind::Uncorrectable
        | EventKind::LogicSdc
        | EventKind::Sefi
        | EventKind::HostSefi
        | EventKind::HostRam
        | EventKind::Sel => return Ok(None),
    };
    if let Some(pattern) = &mode.pattern {
        return Ok(Some(pattern.clone()));
    }
    let name = mode.kind.name();
    let text = format!(
        "name = \"{name}\"\nsource = \"the kind of the mode\"\n[[event]]\nshape = \"{shape}\"\n\
         share = 1.0\nmark = \"derived\"\nbits = {bits:?}\nbits_mark = \"assumed\"\n{more}"
    );
    Ok(Some(Pattern::parse(Path::new(name), &text)?))
}

fn polarity(mode: &PlanMode) -> (Polarity, AntiRows) {
    mode.pattern.as_ref().map_or_else(Default::default, |of| (of.polarity, of.anti_rows))
}

/// All modes as those of one device that has the mission's memory.
fn timeline(
    mission: &Mission,
    memory: &Memory,
    modes: &[PlanMode],
    folder: &Path,
) -> Result<Timeline, Error> {
    let refused = |error: rate::Error| Error::said(&format!("environment.{}", error.key()), error);
    let conditions = mission.environment.conditions(folder).map_err(refused)?;
    if mission.lasts.0 * mission.acceleration > conditions.days * units::DAY_S {
        conditions.check_mean().map_err(refused)?;
    }
    let device = Device {
        name: mission.name.clone(),
        title: mission.name.clone(),
        source: "the devices of the mission".into(),
        reference: String::new(),
        note: None,
        bits: Some(memory.capacity_bits()),
        check_bits: memory.check_bits(),
        destructive_sel: DestructiveSel::Untested,
        destructive_sel_note: None,
        modes: modes.iter().map(|mode| mode.mode.clone()).collect(),
    };
    Timeline::new(conditions, Some(device)).map_err(refused)
}

/// The values of the ops that compute: one inference's worth.
fn values(workload: &Workload) -> Values {
    let index = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let computed = workload.sites();
    Values { ops: computed.map(|(at, op)| (index(at), workload.features(op.output))).collect() }
}

fn terms_of(index: usize, scheme: &Scheme, plan: &Plan) -> Result<Terms, Error> {
    let Plan { mission, ground, workload, timeline, windows, .. } = plan;
    let others = (mission.memory.kv_cache.0, mission.memory.activations.0);
    let image_words = workload.stored_words();
    let tiling = Tiling {
        image_words,
        copy_words: u32::try_from(ground.golden.len()).unwrap_or(u32::MAX),
        copies: ground.reads.copies,
    };
    let memory = (&*ground.memory, ground.map);
    let layout = SchemeLayout::new((index, scheme), tiling, memory, others)?;
    let patrol = scheme.scrub.as_ref().map(|scrub| patrol(index, scrub, &layout, ground, timeline));
    let patrol = patrol.transpose()?;
    let block_words = layout.block_words as usize;
    let checks = scheme.code.map_or_else(Vec::new, |code: Code| {
        ground.golden.chunks(block_words).map(|block| code.encode(block)).collect()
    });
    let tensors = workload.stored_types();
    let by_label = workload.decision.is_of_classes();
    if let Some(refusal) = scheme.workload_refusal(&tensors, by_label) {
        let expected = "a scheme of this workload";
        return Err(Error::scheme(index, refusal.key, expected, refusal));
    }
    let protected = Layout::new(workload, windows).protected(scheme, workload);
    let reader = Reader { scheme: scheme.clone(), protected, image_words, coded_words: u32::MAX };
    Ok(Terms { index, reader, layout, patrol, checks })
}

/// Gives a scrub that names a patrol of the memory the period that it has there.
fn give_period(index: usize, scheme: &mut Scheme, memory: &Memory) -> Result<(), Error> {
    let Some(scrub) = scheme.scrub.as_mut().filter(|scrub| scrub.every == Period::OfPatrol) else {
        return Ok(());
    };
    let name = scrub.patrol.as_deref().unwrap_or_default();
    let Some(patrol) = memory.ras.scrub(name) else {
        let known: Vec<&str> = memory.ras.scrubs.iter().map(|scrub| scrub.name.as_str()).collect();
        let expected = match &known[..] {
            [] => format!("scrub.every = \"1h\", as memory {} names no patrol", memory.name),
            known => format!("patrols of memory {} among {}", memory.name, known.join(", ")),
        };
        let found = format!("\"{name}\"{}", meant(name, known));
        return Err(Error::scheme(index, "scrub.patrol", expected, found));
    };
    scrub.every = Period::Seconds(patrol.period_s.at(Level::Nominal));
    Ok(())
}

fn patrol(
    index: usize,
    scrub: &Scrub,
    layout: &SchemeLayout,
    ground: &Ground,
    timeline: &Timeline,
) -> Result<(Patrol, ScrubBy), Error> {
    let Period::Seconds(every) = scrub.every else {
        return Err(Error::scheme(index, "scrub.every", "a period of time", "steps"));
    };
    let least = layout.protected_bytes() as f64 / ground.memory.bandwidth_bytes_s;
    let fastest = scrub.in_saa_s.map_or(every, |saa| saa.min(every));
    let key = if scrub.patrol.is_some() { "scrub.patrol" } else { "scrub.every" };
    if fastest < least {
        let expected = format!(
            "{least:.3} s or more: a pass over {} bytes at {:.3e} bytes/s",
            layout.protected_bytes(),
            ground.memory.bandwidth_bytes_s
        );
        return Err(Error::scheme(index, key, expected, format!("{fastest} s")));
    }
    let passes = ground.horizon_s / fastest;
    if passes > Patrol::PASSES_MAX {
        let expected =
            format!("a period of which the flight has {:.0e} at most", Patrol::PASSES_MAX);
        return Err(Error::scheme(
            index,
            key,
            expected,
            format!("{fastest} s, {passes:.1e} of them"),
        ));
    }
    let patrol = match scrub.in_saa_s {
        None if scrub.random => Patrol::Random(every),
        None => Patrol::Periodic(every),
        Some(in_saa) => {
            let speed = |inside: bool| 1.0 / if inside { in_saa } else { every };
            let speeds = timeline.places.iter().map(|place| speed(place.in_saa()));
            Patrol::adaptive(Course::new(speeds, timeline.step_s()))
        }
    };
    Ok((patrol, scrub.by))
}
