//! What the runner says while it runs, and the snapshot that screens and progress lines show.

use crate::outcome::Outcome;
use std::time::Duration;

/// What screens and reports call a campaign in a beam: nothing that they show was measured in one.
pub const SIMULATED_BEAM: &str = "simulated beam";

/// How many striking events a screen shows.
pub const RECENT_MAX: usize = 12;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The campaign is about to run.
    Started(Box<Started>),
    /// A segment of trials is done and handed to the archive.
    Progress(Box<Progress>),
    /// Something worth a line: a retry of the device, a look of the stopping rule.
    Notice(String),
    /// The campaign has ended.
    Finished(Ended),
}

/// The campaign, as its screens name it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Started {
    /// The campaign's name.
    pub campaign: String,
    /// The mode's name, or [`SIMULATED_BEAM`].
    pub mode: String,
    /// The workload's name.
    pub workload: String,
    /// Adapter, driver and backend in one line.
    pub adapter: String,
    /// The schemes' names in order.
    pub schemes: Vec<String>,
    /// The strata's names in order (at least one).
    pub strata: Vec<String>,
    /// Trials planned at most, per scheme.
    pub trials_max: u64,
    /// Trials already archived by an earlier run that this one resumes.
    pub trials_done: u64,
    /// Inferences in a trial (of the first stratum).
    pub inferences_per_trial: u32,
    /// α of the intervals shown, 1 − their confidence.
    pub alpha: f64,
    /// What an acceleration means, where the campaign has one.
    pub acceleration: Option<String>,
    /// Whether the campaign is a census (exhaustive), whose shares have no interval.
    pub census: bool,
}

/// Where the campaign stands. Counts are totals since the campaign's first trial.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Progress {
    /// Trials done, of each scheme.
    pub trials: u64,
    /// Seconds this run has taken, pauses not counted.
    pub elapsed_s: f64,
    /// Trials a second in this run, all schemes together.
    pub trials_per_s: f64,
    /// One entry a scheme.
    pub schemes: Vec<SchemeProgress>,
    /// The latest striking events, newest last: wrong answers, DUEs, corrections.
    pub recent: Vec<Recent>,
}

/// Where one scheme stands.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SchemeProgress {
    /// Trials done.
    pub trials: u64,
    /// Trials with at least one wrong answer.
    pub wrong_trials: u64,
    /// Inferences by outcome, indexed by [`Outcome`].
    pub outcomes: [u64; 7],
    /// Inferences with an alarm.
    pub alarms: u64,
    /// Measured seconds per inference.
    pub seconds_per_inference: f64,
}

/// One striking event.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// The trial.
    pub trial: u64,
    /// Index of the scheme.
    pub scheme: usize,
    /// The trial's worst outcome.
    pub outcome: Outcome,
    /// The first fault, e.g. `fc1.weight[7701] bit 29, replica 0`.
    pub fault: String,
}

/// Why a campaign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All trials are done.
    Trials,
    /// The widest interval is tight enough.
    HalfWidth,
    /// Every scheme has received its fluence.
    Fluence,
    /// The time limit is reached.
    TimeLimit,
    /// The user stopped it; it can be resumed.
    Stopped,
}

/// Everything a screen needs, replaced as a whole at each event.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Snapshot {
    /// The campaign.
    pub started: Started,
    /// Where it stands.
    pub progress: Progress,
    /// Notices, newest last, at most [`Snapshot::NOTICES_MAX`].
    pub notices: Vec<String>,
    /// Whether it is paused.
    pub paused: bool,
    /// Whether it is watched from its files: it can be left, not steered.
    pub watched: bool,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
    /// What went wrong, if it failed.
    pub failed: Option<String>,
}

impl Snapshot {
    /// How many notices are kept.
    pub const NOTICES_MAX: usize = 50;

    /// Whether nothing more will come.
    pub const fn is_over(&self) -> bool {
        self.ended.is_some() || self.failed.is_some()
    }

    /// Takes in one event.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Started(started) => self.started = *started,
            Event::Progress(progress) => self.progress = *progress,
            Event::Notice(notice) => {
                if self.notices.len() == Self::NOTICES_MAX {
                    self.notices.remove(0);
                }
                self.notices.push(notice);
            }
            Event::Finished(ended) => self.ended = Some(ended),
        }
    }
}

/// What a user asks of a running campaign or mission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Finish what is in flight, then wait.
    Pause,
    /// Go on.
    Resume,
    /// Finish the segment or the histories in flight, then stop; the archive can be resumed.
    Stop,
}

/// Does what the user asked for; a pause waits here. Gives whether to stop.
pub fn heed(next: &mut dyn FnMut() -> Option<Control>) -> bool {
    let (mut paused, mut stop) = (false, false);
    loop {
        match next() {
            Some(Control::Pause) => paused = true,
            Some(Control::Resume) => paused = false,
            Some(Control::Stop) => (paused, stop) = (false, true),
            None if paused => std::thread::sleep(Duration::from_millis(30)),
            None => return stop,
        }
    }
}
