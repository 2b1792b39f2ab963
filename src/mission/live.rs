//! What a live mission shows: its plan, how far it is, and its first history to play.
//!
//! The command keeps one [`Snapshot`] up to date and sends it through a `watch` channel; what the
//! user asks for comes back as a [`Control`](crate::campaign::event::Control). Nothing here knows of a
//! terminal.

use super::figures::SchemeFigures;
use super::layout::SchemeLayout;
use super::patrol::Patrol;
use super::plan::Plan;
use super::record::{Upset, What};
use super::run::HistoryRun;
use super::sweep::Point;
use crate::device::{AddressMap, Memory};
use crate::rate::{GroundGrid, Timeline};
use crate::scheme::{Scheme, ScrubBy};
use crate::units::DAY_S;
use std::path::PathBuf;
use std::sync::Arc;

/// Side of the cells of the South Atlantic Anomaly, in degrees.
const SAA_CELL_DEG: f64 = 1.0;
/// How far from a place of the track a point of the ground counts as being like it, in degrees:
/// half of what lies between the passes of a day in low orbit, and some more.
const SAA_REACH_DEG: f64 = 8.0;

/// Everything a screen needs; a clone costs little.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The mission, once it is planned.
    pub started: Option<Arc<Started>>,
    /// What is being computed.
    pub phase: Phase,
    /// Histories done.
    pub histories: u64,
    /// Faulty states run on the GPU.
    pub states: u64,
    /// The figures of the histories done, by scheme.
    pub figures: Arc<[SchemeFigures]>,
    /// The first history, once it is done, with its changes of state.
    pub first: Option<Arc<HistoryRun>>,
    /// The points of the sweep that are done.
    pub sweep: Arc<[Point]>,
    /// What is worth a line, newest last: a device that was opened again.
    pub notices: Vec<String>,
    /// Whether the run is paused.
    pub paused: bool,
    /// Whether it is watched from its files: it can be left, not steered.
    pub watched: bool,
    /// How it ended, once it has.
    pub ended: Option<MissionEnd>,
    /// What went wrong, if it failed.
    pub failed: Option<String>,
}

impl Snapshot {
    /// Whether nothing more will come.
    pub const fn is_over(&self) -> bool {
        self.ended.is_some() || self.failed.is_some()
    }
}

/// What a mission is computing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The plan: the orbit's rates, the layout.
    #[default]
    Planning,
    /// The histories.
    Histories,
    /// The expected rates, stratum by stratum.
    Strata,
    /// The sweep of scrub periods.
    Sweep,
    /// The fleet.
    Fleet,
}

impl Phase {
    /// The name on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Histories => "histories",
            Self::Strata => "expected rates",
            Self::Sweep => "sweep",
            Self::Fleet => "fleet",
        }
    }
}

/// How a mission ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissionEnd {
    /// All is computed.
    Done {
        /// The report.
        report: PathBuf,
    },
    /// The user stopped it.
    Stopped,
}

/// The mission, as its screens name it.
#[derive(Clone, Debug)]
pub struct Started {
    /// The mission's name.
    pub mission: String,
    /// The workload's name.
    pub workload: String,
    /// Adapter, driver and backend in one line.
    pub adapter: String,
    /// How many times as fast as in flight the mission runs.
    pub acceleration: f64,
    /// Seconds of flight of each history.
    pub horizon_s: f64,
    /// Histories planned.
    pub histories: u64,
    /// Seconds of the windows that a requirement asks for.
    pub window_s: Option<f64>,
    /// The memory of one device.
    pub memory: Arc<Memory>,
    /// How its addresses map.
    pub map: AddressMap,
    /// By mode of the plan: the device and the mode.
    pub modes: Vec<String>,
    /// The schemes.
    pub schemes: Vec<LiveScheme>,
    /// The orbit.
    pub track: Track,
}

/// A scheme, and what of it has a place or a time.
#[derive(Clone, Debug)]
pub struct LiveScheme {
    /// The scheme.
    pub scheme: Scheme,
    /// Where its memory lies.
    pub layout: SchemeLayout,
    /// Its scrub.
    pub patrol: Option<(Patrol, ScrubBy)>,
}

/// Where the scrubber is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scrubbing {
    /// Passes completed.
    pub passes: u64,
    /// How far the pass is, from 0 to below 1.
    pub share: f64,
    /// The word of a replica that it has reached, from the start of the weights.
    word: u64,
    /// The replica; all of them where it votes.
    replica: Option<u8>,
}

impl LiveScheme {
    /// Whether an upset happens to a device that the scheme has, or to what all schemes share.
    pub fn concerns(&self, upset: &Upset) -> bool {
        matches!(upset.what, What::Scrubber { .. } | What::Hardened { .. })
            || upset.device < self.layout.devices
    }

    /// Where its scrubber is at a time of a flight that began at `start_s` on its track; `None`
    /// without one.
    pub fn scrubbing(&self, time_s: f64, start_s: f64) -> Option<Scrubbing> {
        let (patrol, by) = self.patrol.as_ref()?;
        let passes = patrol.begun_at(start_s).passes(time_s).max(0.0);
        let share = passes.fract();
        let replicas = self.layout.replica_count() as f64;
        let within = if *by == ScrubBy::Vote { share } else { share * replicas };
        let tiling = self.layout.tiling;
        let words = tiling.copies * u64::from(tiling.copy_words);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more")]
        let (whole, replica, word) =
            (passes as u64, within as u8, (within.fract() * words as f64) as u64);
        let replica = (*by != ScrubBy::Vote).then_some(replica);
        Some(Scrubbing { passes: whole, share, word: word.min(words.saturating_sub(1)), replica })
    }

    /// The devices and entries that the scrubber is at.
    pub fn entries(&self, at: Scrubbing) -> Vec<(u32, u64)> {
        let copy_words = u64::from(self.layout.tiling.copy_words);
        let block = at.word % copy_words / u64::from(self.layout.block_words);
        let block = u32::try_from(block).unwrap_or(u32::MAX);
        let last = u8::try_from(self.layout.replica_count()).unwrap_or(u8::MAX);
        let replicas = at.replica.map_or(0..last, |replica| replica..replica + 1);
        let home = |replica| self.layout.home(replica, at.word / copy_words, block);
        replicas.filter(|replica| *replica < last).map(home).collect()
    }
}

/// A place of the orbit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// Latitude in degrees.
    pub latitude_deg: f64,
    /// Longitude in degrees, east positive.
    pub longitude_deg: f64,
    /// Whether it counts as within the South Atlantic Anomaly.
    pub in_saa: bool,
}

/// The places that the orbit passes again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Seconds from one place to the next.
    pub step_s: f64,
    /// Seconds of a revolution.
    pub period_s: f64,
    /// The places; none in deep space.
    pub spots: Vec<Spot>,
    /// Where on the ground a satellite overhead is in the South Atlantic Anomaly.
    pub saa: GroundGrid<bool>,
}

impl Track {
    /// The track of a timeline.
    pub fn new(timeline: &Timeline) -> Self {
        let spot = |place: &crate::rate::TrackPoint| Spot {
            latitude_deg: place.position.latitude_deg,
            longitude_deg: place.position.longitude_deg,
            in_saa: place.in_saa(),
        };
        let orbit = &timeline.conditions.orbit;
        let places = if orbit.is_deep_space() { &[] } else { timeline.places.as_slice() };
        let spots = places.iter().map(spot).collect();
        let period_s = orbit.period_s().unwrap_or(DAY_S);
        Self::of(timeline.step_s(), period_s, spots)
    }

    /// The track through these places, `step_s` apart.
    pub fn of(step_s: f64, period_s: f64, spots: Vec<Spot>) -> Self {
        let places = spots.iter().map(|spot| (spot.longitude_deg, spot.latitude_deg, spot.in_saa));
        let saa = GroundGrid::new(SAA_CELL_DEG, SAA_REACH_DEG, places);
        Self { step_s, period_s, spots, saa }
    }

    /// The place so many seconds after the track's start, as its place among all.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more")]
    pub fn index(&self, time_s: f64) -> usize {
        let last = self.spots.len().saturating_sub(1);
        let lap_s = self.step_s * self.spots.len() as f64;
        if lap_s > 0.0 { ((time_s.rem_euclid(lap_s) / self.step_s) as usize).min(last) } else { 0 }
    }
}

impl Started {
    /// What screens need of a plan.
    pub fn new(plan: &Plan, adapter: String) -> Self {
        let ground = &plan.ground;
        let scheme = |terms: &super::Terms| LiveScheme {
            scheme: terms.reader.scheme.clone(),
            layout: terms.layout.clone(),
            patrol: terms.patrol.clone(),
        };
        let mode = |mode: &super::PlanMode| format!("{}: {}", mode.device, mode.mode.name);
        Self {
            mission: plan.mission.name.clone(),
            workload: plan.workload.name.clone(),
            adapter,
            acceleration: plan.mission.acceleration,
            horizon_s: ground.horizon_s,
            histories: u64::from(plan.mission.histories),
            window_s: ground.window_s,
            memory: Arc::clone(&ground.memory),
            map: ground.map,
            modes: plan.modes.iter().map(mode).collect(),
            schemes: plan.terms.iter().map(scheme).collect(),
            track: Track::new(&plan.timeline),
        }
    }

    /// The bank of an entry, by [`Memory::bank_index`].
    pub fn bank(&self, entry: u64) -> Option<u64> {
        self.memory.locate(entry, self.map).map(|at| self.memory.bank_index(&at))
    }
}
