//! The memory of one scheme: stacks and channels downward, their banks across.
//!
//! ```text
//! secded, device 1 of 1: a100-40gb, 40 channels × 32 banks, 3 channels a row
//! 12 errors in 9 banks now, 433 before; so far 2 rows and 0 pages replaced
//! scrub by ecc every 1.00 h: pass 8213, 41.2 % through, stack 0 channel 7 row 511
//! s0 c0  ····○···1·········○···················
//! s0 c3  ······························2·······
//! s0 c6  ··········▼···························
//! · golden  1–9 + errors  ○ struck, golden again  ▪ replaced  ▼ scrubber
//! ```

use super::super::theme;
use super::super::view::cut;
use super::app::App;
use super::replay::replaced;
use super::view::{BOLD, DIM, lapse};
use crate::mission::live::{LiveScheme, Started};
use crate::scheme::Period;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::collections::BTreeSet;

/// Rows above and below the map.
const ROWS: usize = 4;
/// Columns of the names beside it.
const NAMES: usize = 8;

/// Draws the screen.
pub(super) fn render(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let (Some(started), Some(scheme)) = (app.started(), app.scheme()) else { return };
    let room = (usize::from(area.width), usize::from(area.height).saturating_sub(ROWS));
    let map = BankMap::new(started, room);
    let cells = map.cells(app, started, scheme);
    let mut lines = head(app, started, scheme, &map);
    for row in 0..map.rows {
        let name = map.name(started, row);
        let mut spans = vec![Span::styled(format!("{name:<NAMES$}"), DIM)];
        spans.extend((0..map.columns).map(|column| cells[row * map.columns + column].span()));
        lines.push(Line::from(spans));
    }
    lines.push(Line::styled(
        "· golden  1–9 + errors  ○ struck, golden again  ▪ replaced  ▼ scrubber",
        DIM,
    ));
    frame.render_widget(Paragraph::new(lines), area);
}

/// A cell of the map: one bank or several.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    errors: u32,
    struck: bool,
    replaced: bool,
    scrubber: bool,
}

impl Cell {
    fn span(self) -> Span<'static> {
        match self {
            Self { scrubber: true, .. } => Span::styled("▼", BOLD.fg(theme::CALM)),
            Self { errors: errors @ 1..=9, .. } => {
                Span::styled(errors.to_string(), Style::new().fg(theme::BAD))
            }
            Self { errors: 10.., .. } => Span::styled("+", BOLD.fg(theme::BAD)),
            Self { replaced: true, .. } => Span::styled("▪", Style::new().fg(theme::LOST)),
            Self { struck: true, .. } => Span::styled("○", Style::new().fg(theme::ATTENTION)),
            _ => Span::styled("·", DIM),
        }
    }
}

/// How banks fall into cells.
struct BankMap {
    /// Channels of all stacks.
    channels: u64,
    /// Banks of a channel, those of its pseudo-channels and ranks included.
    banks: u64,
    /// Channels in a row.
    channels_per_row: u64,
    /// Banks in a column.
    banks_per_column: u64,
    rows: usize,
    columns: usize,
}

impl BankMap {
    fn new(started: &Started, (width, height): (usize, usize)) -> Self {
        let memory = &started.memory;
        let channels = u64::from(memory.stacks) * u64::from(memory.channels);
        let banks = memory.banks_total() / channels.max(1);
        let fold = |count: u64, room: usize| count.div_ceil(room.max(1) as u64).max(1);
        let channels_per_row = fold(channels, height);
        let banks_per_column = fold(banks, width.saturating_sub(NAMES));
        let cells = |count: u64| usize::try_from(count).unwrap_or(0);
        Self {
            channels,
            banks,
            channels_per_row,
            banks_per_column,
            rows: cells(channels.div_ceil(channels_per_row)),
            columns: cells(banks.div_ceil(banks_per_column)),
        }
    }

    /// The cell of a bank, by its index.
    fn cell(&self, bank: u64) -> Option<usize> {
        let banks = self.banks.max(1);
        let row = usize::try_from(bank / banks / self.channels_per_row).ok()?;
        let column = usize::try_from(bank % banks / self.banks_per_column).ok()?;
        (row < self.rows && column < self.columns).then_some(row * self.columns + column)
    }

    /// The first channel of a row.
    fn name(&self, started: &Started, row: usize) -> String {
        let channel = row as u64 * self.channels_per_row;
        let of_stack = u64::from(started.memory.channels).max(1);
        format!("s{} c{}", channel / of_stack, channel % of_stack)
    }

    fn cells(&self, app: &App, started: &Started, scheme: &LiveScheme) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); self.rows * self.columns];
        let strikes = app.replay().and_then(|replay| replay.schemes.get(app.selected));
        let strikes = strikes.map_or(&[][..], |replay| &replay.strikes);
        let past = strikes.partition_point(|strike| strike.time_s <= app.time_s);
        for strike in strikes[..past].iter().filter(|strike| strike.device == app.device) {
            let Some(cell) = self.cell(strike.bank).and_then(|at| cells.get_mut(at)) else {
                continue;
            };
            cell.struck = true;
            cell.errors += u32::from(app.time_s < strike.golden_s);
        }
        let history = app.replay().and_then(|replay| replay.history(app.selected));
        let all = history.map_or(&[][..], |history| &history.replaced);
        for of in replaced(all, app.time_s, app.device) {
            let cell = self.cell(started.memory.bank_index(&of.at));
            if let Some(cell) = cell.and_then(|at| cells.get_mut(at)) {
                cell.replaced = true;
            }
        }
        let at = scheme.scrubbing(app.time_s, app.start_s()).map(|at| scheme.entries(at));
        for (_, entry) in at.into_iter().flatten().filter(|(device, _)| *device == app.device) {
            let cell = started.bank(entry).and_then(|bank| self.cell(bank));
            if let Some(cell) = cell.and_then(|at| cells.get_mut(at)) {
                cell.scrubber = true;
            }
        }
        cells
    }
}

/// What the map is of, what it shows in numbers, and where the scrubber is.
fn head(app: &App, started: &Started, scheme: &LiveScheme, map: &BankMap) -> Vec<Line<'static>> {
    let name = cut(&scheme.scheme.name, 20);
    let folded = |count: u64, what: &str, of: &str| match count {
        1 => String::new(),
        count => format!(", {count} {what} a {of}"),
    };
    let of = format!(
        ", device {} of {}: {}, {} channels × {} banks{}{}",
        app.device + 1,
        scheme.layout.devices,
        started.memory.name,
        map.channels,
        map.banks,
        folded(map.channels_per_row, "channels", "row"),
        folded(map.banks_per_column, "banks", "cell")
    );
    let numbers = match app.replay().zip(app.replay().and_then(|r| r.history(app.selected))) {
        None => "the first history is being computed".to_owned(),
        Some((replay, history)) => {
            let strikes = &replay.schemes[app.selected].strikes;
            let past = strikes.partition_point(|strike| strike.time_s <= app.time_s);
            let here = || strikes[..past].iter().filter(|s| s.device == app.device);
            let live: Vec<u64> =
                here().filter(|s| app.time_s < s.golden_s).map(|s| s.bank).collect();
            let banks: BTreeSet<&u64> = live.iter().collect();
            let so_far = || replaced(&history.replaced, app.time_s, app.device);
            let pages = so_far().filter(|of| of.page.is_some()).count();
            let so_far = so_far().count();
            format!(
                "{} errors in {} banks now, {} before; so far {} rows and {} pages replaced",
                live.len(),
                banks.len(),
                here().count() - live.len(),
                so_far - pages,
                pages
            )
        }
    };
    vec![
        Line::from(vec![Span::styled(name, BOLD), Span::raw(of)]),
        Line::from(numbers),
        Line::from(scrubber(app, started, scheme)),
    ]
}

fn scrubber(app: &App, started: &Started, scheme: &LiveScheme) -> String {
    let (Some(at), Some(scrub)) =
        (scheme.scrubbing(app.time_s, app.start_s()), &scheme.scheme.scrub)
    else {
        return "no scrub".into();
    };
    let every = match scrub.every {
        Period::Seconds(seconds) => format!(" every {}", lapse(seconds)),
        Period::Steps(steps) => format!(" every {steps} steps"),
        Period::OfPatrol => String::new(),
    };
    let patrol = scrub.patrol.as_ref().map(|name| format!(" ({name})"));
    let saa = scrub.in_saa_s.map(|seconds| format!(" ({} in the SAA)", lapse(seconds)));
    let first = scheme.entries(at).into_iter().next();
    let place = first.and_then(|(_, entry)| started.memory.locate(entry, started.map));
    let place = place.map_or_else(String::new, |at| {
        format!(", stack {} channel {} row {}", at.stack, at.channel, at.row)
    });
    format!(
        "scrub by {}{every}{}{}: pass {}, {:.1} % through{place}",
        scrub.by.name(),
        patrol.unwrap_or_default(),
        saa.unwrap_or_default(),
        at.passes + 1,
        100.0 * at.share
    )
}
