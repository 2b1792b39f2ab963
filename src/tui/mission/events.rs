//! What happens about now under one scheme: upsets, changes of state, episodes.
//!
//! ```text
//! tmr-secded: 12 of 433 up to now
//!   0 y 034.17 d  upset    memory, 1 bit in 1 entry, 23.1°S 45.6°W, SAA, trillium-hbm: seu
//!   0 y 034.17 d  state    copy 61: 1 word differs from golden
//!   0 y 034.17 d  episode  memory: corrected, scrub after 22.1 min
//! ▸ 0 y 034.19 d  state    copy 61: golden again by scrub
//!   0 y 051.80 d  upset    sefi, 60.2°N 12.9°E, trillium-tpu: sefi
//! ```

use super::super::theme;
use super::app::App;
use super::replay::{Entry, Replay};
use super::view::{BOLD, DIM, lapse, moment, place, short};
use crate::mission::live::Started;
use crate::mission::{COHORT, Change, Episode, Restored, Upset, What};
use crate::outcome::Outcome;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the screen.
pub(super) fn render(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let (Some(started), Some(scheme)) = (app.started(), app.scheme()) else { return };
    let name = scheme.scheme.name.clone();
    let mut lines = Vec::new();
    if let Some(replay) = app.replay() {
        let Some(of) = replay.schemes.get(app.selected) else { return };
        let (before, all) = (of.before(app.time_s), of.entries.len());
        lines.push(Line::from(vec![
            Span::styled(name, BOLD),
            Span::styled(format!(": {before} of {all} up to now"), DIM),
        ]));
        let room = usize::from(area.height).saturating_sub(1);
        // Two thirds are the past, where there is one.
        let first = before.saturating_sub(2 * room / 3).min(all.saturating_sub(room));
        for (at, (time_s, entry)) in of.entries.iter().enumerate().skip(first).take(room) {
            let mark = if at + 1 == before { "▸ " } else { "  " };
            let mut line = Line::from(vec![
                Span::raw(mark),
                Span::raw(format!("{}  ", moment(*time_s, started.horizon_s))),
            ]);
            line.spans.extend(text(app, started, replay, *entry).spans);
            lines.push(if at < before { line } else { line.style(DIM) });
        }
    } else {
        lines.push(Line::styled("The first history is being computed.", DIM));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn text(app: &App, started: &Started, replay: &Replay, entry: Entry) -> Line<'static> {
    let of = replay.history(app.selected);
    let known = match entry {
        Entry::Upset(at) => replay.run.upsets.get(at).map(|upset| upset_text(started, upset)),
        Entry::Change(at) => of.and_then(|of| of.changes.get(at)).map(change_text),
        Entry::Episode(at) => of.and_then(|of| of.episodes.get(at)).map(episode_text),
    };
    known.unwrap_or_default()
}

/// An upset in a line.
pub(super) fn upset_text(started: &Started, upset: &Upset) -> Line<'static> {
    let what = match &upset.what {
        What::Memory(hit) => {
            let masks = hit.strikes.iter().flat_map(|strike| strike.mask);
            let bits: u32 = masks.map(u32::count_ones).sum();
            let entries = hit.strikes.len();
            format!("memory, {} in {}", plural(bits, "bit"), many(entries, "entry", "entries"))
        }
        What::Uncorrectable { entry } => format!("uncorrectable, entry {entry}"),
        What::Scrubber { bit } => format!("scrubber's buffer, bit {bit}"),
        What::Hardened { word, mask } => {
            format!("hardened storage, word {word} bit {}", mask.trailing_zeros())
        }
        other => other.name().to_owned(),
    };
    let mode = started.modes.get(usize::from(upset.mode));
    let mode = mode.map_or_else(String::new, |mode| format!(", {mode}"));
    let spot = started.track.spots.get(upset.place as usize);
    let spot = spot.filter(|_| !matches!(upset.what, What::Hardened { .. }));
    let spot = spot.map_or_else(String::new, |spot| format!(", {}", place(*spot)));
    Line::from(vec![
        Span::styled("upset    ", Style::new().fg(theme::ATTENTION)),
        Span::raw(format!("{what}{spot}{mode}")),
    ])
}

fn change_text(change: &Change) -> Line<'static> {
    let copy = match change.copy {
        COHORT => "all copies".to_owned(),
        copy => format!("copy {copy}"),
    };
    let state = match change.ended {
        Some(ended) if change.words == 0 => format!("{copy}: golden again by {}", ended.name()),
        Some(ended) => format!("{copy}: as all copies again by {}", ended.name()),
        None => format!("{copy}: {} from golden", differ(change.words)),
    };
    Line::from(vec![Span::styled("state    ", Style::new().fg(theme::CALM)), Span::raw(state)])
}

fn episode_text(episode: &Episode) -> Line<'static> {
    let worst = episode.worst();
    let color = if worst == Outcome::CriticalSdc { theme::BAD } else { theme::LOST };
    let mut parts = format!("{}: {}", episode.cause.name(), worst.name());
    let wrong = episode.count(Outcome::CriticalSdc);
    if wrong > 0 {
        parts += &format!(", {} wrong", short(wrong));
    }
    if let Some(first) = episode.first_effect_s {
        parts += &format!(", first after {}", lapse(first - episode.start_s));
    }
    parts += &match episode.ended {
        Restored::Itself => ", one inference".to_owned(),
        Restored::Mission => ", never cleared".to_owned(),
        ended => format!(", {} after {}", ended.name(), lapse(episode.end_s - episode.start_s)),
    };
    Line::from(vec![Span::styled("episode  ", Style::new().fg(color)), Span::raw(parts)])
}

fn plural(count: u32, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

fn many(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn differ(words: u32) -> String {
    if words == 1 { "1 word differs".to_owned() } else { format!("{words} words differ") }
}
