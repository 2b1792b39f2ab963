//! The tables of what a mission loses: time in service, rows and pages.

use super::super::tables::Table;
use super::super::words;
use super::MissionView;
use super::tables::{NONE, per_year, tally};
use crate::mission::{Replaced, Why};

/// The most rows of replaced places that a report lists; the archive has all.
const LISTED: usize = 20;

/// A reason to be away in words.
pub(super) const fn reason(why: Why) -> &'static str {
    match why {
        Why::Due => "reset after a DUE",
        Why::Sefi => "SEFI of the device",
        Why::Sel => "latch-up",
        Why::HostSefi => "SEFI of the host",
        Why::HostRam => "host's memory",
    }
}

/// The time away, by what took the service away.
pub(super) fn away(view: &MissionView<'_>) -> Table {
    let columns = ["scheme", "away for", "times", "a year", "time away", "share of the time"];
    let caption = format!(
        "Resets of the device and restarts of its host in all histories, a cause a row; a year of \
         flight with 95 % Garwood intervals. Time away: what each adds, so that two at once count \
         once; none where two other devices carry on. The shares sum to what the availability \
         lacks.{}",
        view.pace()
    );
    let mut table = Table::new("Time away", caption, &columns, 2);
    for figures in view.figures {
        for of in figures.away.iter().filter(|of| of.times.count > 0) {
            table.rows.push(vec![
                figures.name.clone(),
                reason(of.why).to_owned(),
                tally(of.times.count),
                per_year(&of.times),
                words::span(of.dead_s),
                words::percent(of.share),
            ]);
        }
    }
    table
}

/// A place that was replaced, with the history and the scheme.
pub(super) struct Replacement<'v> {
    pub(super) history: u64,
    pub(super) scheme: &'v str,
    pub(super) of: &'v Replaced,
}

/// All places that were replaced.
pub(super) fn places<'v>(view: &'v MissionView<'_>) -> impl Iterator<Item = Replacement<'v>> {
    view.histories.iter().flat_map(move |run| {
        run.schemes.iter().enumerate().flat_map(move |(at, history)| {
            let place = move |of| Replacement { history: run.history, scheme: view.scheme(at), of };
            history.replaced.iter().map(place)
        })
    })
}

/// Which rows and pages were replaced, and when.
pub(super) fn replaced(view: &MissionView<'_>) -> Table {
    let columns = ["scheme", "history", "at", "device", "stack", "channel", "bank", "row", "page"];
    let all = places(view).count();
    let more = if all > LISTED {
        format!(" The first {LISTED} of {}; the archive has all.", words::count(all as u64))
    } else {
        String::new()
    };
    let caption = format!(
        "Rows that spare ones took the place of, and pages that were left out, after uncorrectable \
         errors or, of pages, several correctable ones of one entry. At: time of flight. Channel: \
         with its pseudo-channel; bank: rank, group and bank.{more}{}",
        view.pace()
    );
    let mut table = Table::new("Rows and pages replaced", caption, &columns, 1);
    for Replacement { history, scheme, of } in places(view).take(LISTED) {
        let at = &of.at;
        table.rows.push(vec![
            scheme.to_owned(),
            history.to_string(),
            words::span(of.time_s),
            of.device.to_string(),
            at.stack.to_string(),
            format!("{}.{}", at.channel, at.pseudo_channel),
            format!("{}.{}.{}", at.sid, at.bank_group, at.bank),
            at.row.to_string(),
            of.page.map_or(NONE.into(), |page| page.to_string()),
        ]);
    }
    table
}
