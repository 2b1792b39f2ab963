//! `beamline replay` of a mission: one history again, and what one of its events did under each scheme.

use super::mission::{MissionFiles, Prepared};
use super::prepare::open_gpu;
use super::{Failure, TableFormat, say, say_json};
use crate::archive::MissionArchive;
use crate::command::engines::EngineName;
use crate::device::{Hit, Location};
use crate::mission::run::{self, HistoryRun};
use crate::mission::{
    Away, COHORT, Change, Episode, Replaced, SchemeHistory, Upset, Verdicts, What,
};
use crate::outcome::Outcome;
use crate::report::plural;
use anyhow::anyhow;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// Struck entries that a line each shows, at most.
const ENTRIES_MAX: usize = 8;

/// An event of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventOf {
    pub(super) history: u64,
    pub(super) event: u32,
}

/// What one event did under one scheme.
struct Effects<'h> {
    scheme: &'h str,
    episodes: Vec<&'h Episode>,
    changes: Vec<&'h Change>,
    away: Vec<&'h Away>,
    /// Rows and pages that were replaced while its episodes lasted.
    replaced: Vec<&'h Replaced>,
}

impl<'h> Effects<'h> {
    fn of(scheme: &'h str, history: &'h SchemeHistory, id: u32) -> Self {
        let episodes: Vec<&Episode> = history.episodes.iter().filter(|e| e.upset == id).collect();
        let meanwhile = |time_s: f64| {
            episodes.iter().any(|episode| (episode.start_s..=episode.end_s).contains(&time_s))
        };
        let replaced = history.replaced.iter().filter(|of| meanwhile(of.time_s)).collect();
        Self {
            scheme,
            changes: history.changes.iter().filter(|change| change.upset == id).collect(),
            away: history.away.iter().filter(|away| away.upset == id).collect(),
            replaced,
            episodes,
        }
    }

    fn is_nothing(&self) -> bool {
        self.episodes.is_empty() && self.changes.is_empty() && self.away.is_empty()
    }
}

/// Runs the history again, holds it to the archive, and says what the event did.
///
/// # Errors
/// Where the archive, the history or the event does not exist, or the history is not the archived one.
pub(super) fn replay(
    path: &Path,
    files: &MissionFiles,
    of: EventOf,
    format: TableFormat,
    adapter: Option<&str>,
) -> Result<(), Failure> {
    let archive = MissionArchive::read(path)?;
    super::note_unverified(path, archive.verified);
    let mut prepared = Prepared::archived(&archive.header, files)?;
    prepared.plan.ground.keep_changes = true;
    let below = |flag: &str, most: usize, found: u64| {
        Failure::input(anyhow!("{flag}: expected a number below {most}, found {found}"))
    };
    let archived = archive.runs.iter().find(|run| run.history == of.history);
    let archived = archived.ok_or_else(|| {
        let [first, last] = [archive.runs.first(), archive.runs.last()];
        let [first, last] = [first, last].map(|run| run.map_or(0, |run| run.history));
        let found = of.history;
        Failure::input(anyhow!("--history: expected one from {first} to {last}, found {found}"))
    })?;
    if of.event as usize >= archived.upsets.len() {
        return Err(below("--event", archived.upsets.len(), of.event.into()));
    }
    let gpu = open_gpu(adapter)?;
    let mut engine = prepared.engine(&gpu, EngineName::default(), None)?;
    prepared.check_golden(&engine)?;
    let plan = &prepared.plan;
    let mut verdicts = Verdicts::new(Arc::clone(&plan.workload), &plan.mission.scheme);
    let mut found: Option<HistoryRun> = None;
    let stretch = (of.history, of.history + 1);
    run::histories(plan, &mut engine, &mut verdicts, stretch, &mut |event| {
        if let run::Event::History(run) = event {
            found = Some(run.clone());
        }
        ControlFlow::Continue(())
    })?;
    let run = found.ok_or_else(|| Failure::environment(anyhow!("no history")))?;
    let upset = run.upsets.iter().find(|upset| upset.id == of.event);
    let upset = upset.ok_or_else(|| below("--event", run.upsets.len(), of.event.into()))?;
    let schemes = plan.mission.scheme.iter().zip(&run.schemes);
    let effects: Vec<Effects<'_>> =
        schemes.map(|(scheme, history)| Effects::of(&scheme.name, history, of.event)).collect();
    let shown = Shown { prepared: &prepared, run: &run, upset, effects };
    match format {
        TableFormat::Json => say_json(&shown.json())?,
        TableFormat::Table => shown.lines().iter().try_for_each(|line| say(line))?,
    }
    if run.schemes != archived.schemes {
        return Err(Failure::Criterion(format!(
            "the archive has another history {}: it ran on {}",
            of.history, archive.header.adapter.name
        )));
    }
    Ok(())
}

/// An event and what it did, to be shown.
struct Shown<'r> {
    prepared: &'r Prepared,
    run: &'r HistoryRun,
    upset: &'r Upset,
    effects: Vec<Effects<'r>>,
}

impl Shown<'_> {
    /// The mode that it came from: device and mode.
    fn mode(&self) -> Option<String> {
        let mode = self.prepared.plan.modes.get(usize::from(self.upset.mode))?;
        Some(format!("{}, {}", mode.device, mode.mode.name))
    }

    fn location(&self, entry: u64) -> Option<Location> {
        let ground = &self.prepared.plan.ground;
        ground.memory.locate(entry, ground.map)
    }

    fn lines(&self) -> Vec<String> {
        let Upset { id, time_s, device, what, .. } = self.upset;
        let mission = &self.prepared.plan.mission.name;
        let mut lines = vec![
            format!("event {id} of history {} of {mission}", self.run.history),
            format!("  {} on device {device} after {time_s:.3} s of flight", what.name()),
        ];
        lines.extend(self.mode().map(|mode| format!("  mode: {mode}")));
        let place = self.prepared.plan.timeline.places.get(self.upset.place as usize);
        if let Some(place) = place.filter(|place| place.position.altitude_km().is_finite()) {
            let saa = if place.in_saa() { ", in the South Atlantic Anomaly" } else { "" };
            let at = &place.position;
            let (north, east, up) = (at.latitude_deg, at.longitude_deg, at.altitude_km());
            lines.push(format!("  at {north:.2}° north, {east:.2}° east, {up:.0} km{saa}"));
        }
        match what {
            What::Memory(hit) => self.hit_lines(hit, &mut lines),
            What::Uncorrectable { entry } => lines.push(format!("  {}", self.entry_line(*entry))),
            What::Scrubber { bit } => lines.push(format!("  bit {bit} of the scrubber's buffer")),
            What::Hardened { word, mask } => {
                let bit = mask.trailing_zeros();
                lines.push(format!(
                    "  word {word}, bit {bit} of the storage that reloads come from"
                ));
            }
            What::LogicSdc | What::Sefi | What::HostSefi | What::HostRam | What::Sel => {}
        }
        self.effects.iter().for_each(|effects| effect_lines(effects, &mut lines));
        lines
    }

    fn hit_lines(&self, hit: &Hit, lines: &mut Vec<String>) {
        let bits: u64 = hit.strikes.iter().map(|strike| u64::from(strike.bits())).sum();
        let entries = plural(hit.strikes.len() as u64, "entry", "entries");
        let bits = plural(bits, "bit", "bits");
        lines.push(format!("  {}: {bits} in {entries}", hit.shape.name()));
        for strike in hit.strikes.iter().take(ENTRIES_MAX) {
            let bits: Vec<String> = struck_bits(&strike.mask).map(|bit| bit.to_string()).collect();
            lines.push(format!("  {}: bits {}", self.entry_line(strike.entry), bits.join(", ")));
        }
        if let Some(more) = hit.strikes.len().checked_sub(ENTRIES_MAX).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more"));
        }
    }

    fn entry_line(&self, entry: u64) -> String {
        let Some(at) = self.location(entry) else { return format!("entry {entry}") };
        let Location { stack, channel, pseudo_channel, bank_group, bank, row, column, .. } = at;
        format!(
            "entry {entry} (stack {stack}, channel {channel}.{pseudo_channel}, bank \
             {bank_group}.{bank}, row {row}, column {column})"
        )
    }

    fn json(&self) -> Value {
        let Upset { id, time_s, device, what, place, .. } = self.upset;
        let mut event = json!({
            "id": id, "time_s": time_s, "device": device, "what": what.name(), "mode": self.mode(),
            "place": place,
        });
        match what {
            What::Memory(hit) => {
                event["shape"] = hit.shape.name().into();
                let strikes = hit.strikes.iter().map(|strike| {
                    let bits: Vec<usize> = struck_bits(&strike.mask).collect();
                    json!({ "entry": strike.entry, "bits": bits })
                });
                event["strikes"] = strikes.collect();
            }
            What::Uncorrectable { entry } => event["entry"] = (*entry).into(),
            What::Scrubber { bit } => event["bit"] = (*bit).into(),
            What::Hardened { word, mask } => {
                event["word"] = (*word).into();
                event["bit"] = mask.trailing_zeros().into();
            }
            What::LogicSdc | What::Sefi | What::HostSefi | What::HostRam | What::Sel => {}
        }
        json!({
            "mission": self.prepared.plan.mission.name,
            "history": self.run.history,
            "event": event,
            "schemes": self.effects.iter().map(effect_json).collect::<Vec<_>>(),
        })
    }
}

/// The struck bits of an entry, data then check bits.
fn struck_bits(mask: &[u32; 9]) -> impl Iterator<Item = usize> + '_ {
    (0..32 * mask.len()).filter(|bit| mask[bit / 32] >> (bit % 32) & 1 == 1)
}

fn copy(copy: u64) -> String {
    if copy == COHORT { "all copies".to_owned() } else { format!("copy {copy}") }
}

fn effect_lines(effects: &Effects<'_>, lines: &mut Vec<String>) {
    if effects.is_nothing() {
        lines.push(format!("scheme {}: nothing changed", effects.scheme));
        return;
    }
    lines.push(format!("scheme {}:", effects.scheme));
    for change in &effects.changes {
        let words = plural(change.words.into(), "word differs", "words differ");
        lines.push(format!(
            "  {:.3} s: {words} from golden in {}",
            change.time_s,
            copy(change.copy)
        ));
    }
    for episode in &effects.episodes {
        let counts: Vec<String> = Outcome::ALL
            .iter()
            .filter(|outcome| episode.count(**outcome) > 0)
            .map(|outcome| format!("{} {}", episode.count(*outcome), outcome.name()))
            .collect();
        let Episode { start_s, end_s, .. } = episode;
        let (cause, ended) = (episode.cause.name(), episode.ended.name());
        let of = copy(episode.copy);
        lines.push(format!(
            "  {start_s:.3} s to {end_s:.3} s, {of}, from {cause}, ended by {ended}: {}",
            counts.join(", ")
        ));
    }
    for away in &effects.away {
        let (why, from, to) = (away.why.name(), away.start_s, away.end_s());
        lines.push(format!("  away from {from:.3} s to {to:.3} s: {why}"));
    }
    for replaced in &effects.replaced {
        let what = if replaced.page.is_some() { "page left out" } else { "row replaced" };
        lines.push(format!("  {:.3} s: {what} for entry {}", replaced.time_s, replaced.entry));
    }
}

fn effect_json(effects: &Effects<'_>) -> Value {
    let number = |copy: u64| if copy == COHORT { Value::Null } else { copy.into() };
    let episodes = effects.episodes.iter().map(|of| {
        let counts = Outcome::ALL.iter().map(|o| (o.name().to_owned(), of.count(*o).into()));
        json!({
            "copy": number(of.copy), "cause": of.cause.name(), "start_s": of.start_s,
            "first_effect_s": of.first_effect_s, "first_critical_s": of.first_critical_s,
            "end_s": of.end_s, "ended": of.ended.name(), "worst": of.worst().name(),
            "inferences": counts.collect::<serde_json::Map<String, Value>>(),
        })
    });
    let changes = effects
        .changes
        .iter()
        .map(|of| json!({ "time_s": of.time_s, "copy": number(of.copy), "words": of.words }));
    let away = effects
        .away
        .iter()
        .map(|of| json!({ "start_s": of.start_s, "length_s": of.length_s, "why": of.why.name() }));
    let replaced = effects
        .replaced
        .iter()
        .map(|of| json!({ "time_s": of.time_s, "entry": of.entry, "page": of.page }));
    json!({
        "scheme": effects.scheme,
        "changes": changes.collect::<Vec<_>>(),
        "episodes": episodes.collect::<Vec<_>>(),
        "away": away.collect::<Vec<_>>(),
        "replaced": replaced.collect::<Vec<_>>(),
    })
}
