//! The tables behind the figures: sweep, strata, tenants, causes, repairs, the fleet.

use super::super::tables::Table;
use super::super::words;
use super::tables::{NONE, NONE_SEEN, per_year, rate, tally};
use super::{MissionView, Tenant};
use crate::mission::Cause;
use crate::mission::sweep::Point;
use crate::units::{YEAR_S, duration_text};
use std::collections::BTreeMap;

/// The period of scrubbing in words.
pub(super) fn period(period_s: Option<f64>) -> String {
    period_s.map_or_else(|| "off".to_owned(), duration_text)
}

/// What scrubbing more often prevents and moves.
pub(super) fn sweep(view: &MissionView<'_>) -> Table {
    let columns = [
        "scheme",
        "period",
        "traffic",
        "of the bandwidth",
        "wrong answers a year",
        "error episodes a year",
        "",
    ];
    let caption = format!(
        "The same histories with another period. Optimum: of the periods whose wrong answers lie \
         within the interval of the fewest, the one that moves least. Intervals are 95 %: bootstrap \
         over histories, and Garwood for episodes.{}{}",
        refused(view),
        view.pace()
    );
    let mut table = Table::new("Scrubbing more often", caption, &columns, 2);
    for point in view.sweep {
        let mut cells = vec![point.scheme.clone(), period(point.period_s)];
        if point.refused.is_some() {
            cells.extend([NONE, NONE, NONE, NONE, "cannot be"].map(str::to_owned));
        } else {
            let traffic = point.traffic_bytes_s;
            let share = traffic / view.facts.bandwidth_bytes_s;
            let moved = traffic > 0.0;
            cells.extend([
                if moved { format!("{}/s", words::bytes(traffic)) } else { NONE.into() },
                if moved && share.is_finite() { words::percent(share) } else { NONE.into() },
                match point.wrong_per_year.1.high {
                    0.0 => NONE_SEEN.into(),
                    _ => rate(point.wrong_per_year),
                },
                per_year(&point.error_episodes),
                if point.optimum { "optimum" } else { "" }.to_owned(),
            ]);
        }
        table.rows.push(cells);
    }
    table
}

/// Why periods of the sweep cannot be had.
fn refused(view: &MissionView<'_>) -> String {
    let why = |point: &Point| {
        let why = point.refused.as_ref()?;
        Some(format!("{} every {} ({why})", point.scheme, period(point.period_s)))
    };
    let all: Vec<String> = view.sweep.iter().filter_map(why).collect();
    if all.is_empty() { String::new() } else { format!(" Cannot be: {}.", words::list(&all)) }
}

/// Rates of events times what one of them does by itself.
pub(super) fn strata(view: &MissionView<'_>) -> Table {
    let columns = [
        "device",
        "mode",
        "shape",
        "begins",
        "scheme",
        "events a year",
        "drawn",
        "P(wrong answer)",
        "→ a year",
        "P(DUE)",
        "→ a year",
    ];
    let caption = format!(
        "Expected rates are added up from these: events a year of flight on all devices × what an event \
         of this kind does by itself, from events drawn one by one and followed to the end of the \
         mission. → a year: episodes, of which an event that strikes several copies begins several. \
         Begins: within the stretch of memory that weights and other tenants use, or beyond it. None are \
         drawn where they cannot touch an answer: they strike unused memory alone, or stop a device. What \
         two events do together is not in them. P has Wilson intervals, 95 %.{}",
        view.pace()
    );
    let mut table = Table::new("Expected rates, stratum by stratum", caption, &columns, 5);
    for stratum in view.strata {
        let begins = match stratum.within {
            Some(true) => "in use",
            Some(false) => "unused",
            None => NONE,
        };
        for (at, share) in stratum.schemes.iter().enumerate() {
            let mut cells = vec![
                stratum.device.clone(),
                stratum.mode.clone(),
                stratum.shape.clone().unwrap_or_else(|| NONE.into()),
                begins.to_owned(),
                view.scheme(at).to_owned(),
                words::number(stratum.per_year),
                words::count(stratum.drawn),
            ];
            for count in [share.critical, share.due] {
                if stratum.drawn == 0 {
                    cells.extend([NONE; 2].map(str::to_owned));
                    continue;
                }
                let drawn = stratum.drawn as f64;
                let interval = crate::stats::wilson(count.events, stratum.drawn, 0.05);
                cells.push(words::share(count.events as f64 / drawn, Some(interval)));
                cells.push(words::number(stratum.per_year * count.sum as f64 / drawn));
            }
            table.rows.push(cells);
        }
    }
    table
}

/// What upsets did to each tenant of the memory.
pub(super) fn tenants(view: &MissionView<'_>) -> Table {
    let columns = ["scheme", "tenant", "upsets", "corrected", "uncorrectable", "silent"];
    let caption = format!(
        "Upsets of all histories that changed bits of a tenant: of them those that a code \
         corrects by itself, those that it reports and cannot correct, and those that leave wrong \
         bits which no code reports. No shipped workload reads a key-value cache.{}",
        view.pace()
    );
    let mut table = Table::new("Tenants of the memory", caption, &columns, 2);
    for (at, tenants) in view.tenants().iter().enumerate() {
        for (tenant, counts) in Tenant::ALL.iter().zip(tenants) {
            let counts = [counts.upsets, counts.corrected, counts.uncorrectable, counts.silent];
            if counts.iter().any(|count| *count > 0) {
                let names = [view.scheme(at).to_owned(), tenant.name().replace('-', " ")];
                table.rows.push(names.into_iter().chain(counts.map(tally)).collect());
            }
        }
    }
    table
}

/// What episodes with a wrong answer began with, and upsets that strike two replicas at once.
pub(super) fn causes(view: &MissionView<'_>) -> Table {
    let named = Cause::ALL.map(|cause| format!("by {}", cause.name()));
    let heads = named.iter().map(String::as_str);
    let columns: Vec<&str> =
        ["scheme"].into_iter().chain(heads).chain(["struck weights", "common cause"]).collect();
    let caption = format!(
        "Episodes with a wrong answer in all histories by what they began with: stored memory, a value \
         in flight, logic, or an error that memory reported. Struck weights: upsets that changed \
         weights or their check words; common cause: of them the share that changed the same word in \
         two or more replicas, which no voter can repair.{}",
        view.pace()
    );
    let mut table = Table::new("Causes", caption, &columns, 1);
    for figures in view.figures {
        let (struck, common) = (figures.struck, figures.common_cause);
        let mut cells = vec![figures.name.clone()];
        cells.extend(figures.critical_by_cause.iter().map(|count| tally(*count)));
        cells.push(tally(struck));
        cells.push(match struck {
            0 => NONE.into(),
            struck => {
                let share = words::percent(common as f64 / struck as f64);
                format!("{} ({share})", tally(common))
            }
        });
        table.rows.push(cells);
    }
    table
}

/// What put memory right, and what it cost the memory.
pub(super) fn repairs(view: &MissionView<'_>) -> Table {
    let columns = [
        "scheme",
        "by scrubs",
        "by reads",
        "not by scrubs",
        "reloads",
        "rows remapped",
        "pages retired",
        "nothing spare",
        "bytes lost",
    ];
    let caption = format!(
        "Sums over all histories. Blocks that scrubs and reads put right, blocks that a scrub found \
         and could not put right, copies reloaded from hardened storage; rows and pages that the \
         memory gave up, repairs asked for when nothing was spare, and the bytes lost.{}",
        view.pace()
    );
    let mut table = Table::new("Repairs, and what they used up", caption, &columns, 1);
    for figures in view.figures {
        let mut cells = vec![figures.name.clone()];
        cells.extend(figures.repairs.counts().map(tally));
        cells.extend(figures.lost.counts()[..3].iter().map(|count| tally(*count)));
        cells.push(match figures.lost.lost_bytes {
            0 => "0 B".into(),
            bytes => words::bytes(bytes as f64),
        });
        table.rows.push(cells);
    }
    table
}

/// How often each mode was expected, and how often it came.
pub(super) fn modes(view: &MissionView<'_>) -> Table {
    let columns = ["device", "mode", "kind", "events a year", "low–high", "came in all"];
    let histories = view.histories.len() as u64;
    let caption = format!(
        "Events a year of flight of one device, the mean over the orbit at the chosen level of its \
         figures, and the low and the high level; came in all: events in {}, on all devices.{}",
        words::plural(histories, "history", "histories"),
        view.pace()
    );
    let mut table = Table::new("What fails, and how often", caption, &columns, 3);
    let mut came: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for upset in view.histories.iter().flat_map(|run| &run.upsets) {
        *came.entry(view.mode(upset)).or_default() += 1;
    }
    for mode in &view.facts.modes {
        let [low, chosen, high] = mode.per_device_s.map(|rate| words::number(rate * YEAR_S));
        let count = came.remove(&(mode.device.as_str(), mode.mode.as_str())).unwrap_or(0);
        table.rows.push(vec![
            mode.device.clone(),
            mode.mode.clone(),
            mode.kind.clone(),
            chosen,
            format!("{low}–{high}"),
            tally(count),
        ]);
    }
    // What is of no mode of a device: the scrubber's buffer, hardened storage.
    for ((_, what), count) in came {
        let names = [NONE, what, what, NONE, NONE].map(str::to_owned);
        table.rows.push(names.into_iter().chain([tally(count)]).collect());
    }
    table
}

/// What a fleet cost, and what came of it.
pub(super) fn fleet(view: &MissionView<'_>) -> Table {
    let wrong = view.facts.schemes.iter().map(|scheme| format!("wrong a year: {}", scheme.name));
    let wrong: Vec<String> = wrong.collect();
    let fixed = ["satellites", "years together", "events", "states run", "states an event", "took"];
    let columns: Vec<&str> = fixed.into_iter().chain(wrong.iter().map(String::as_str)).collect();
    let caption = format!(
        "Satellites of a fleet share the faulty states that the workload has already been run on: \
         cost is the states that are run on the adapter, and it grows with the events that reach \
         memory in use, not with satellites or time. Took: measured. Wrong a year: wrong answers of \
         one satellite a year of flight, without an interval.{}",
        view.pace()
    );
    let mut table = Table::new("What a fleet costs", caption, &columns, 0);
    for point in view.fleet {
        let mut cells = vec![
            words::count(point.satellites),
            words::number(point.years),
            tally(point.events_reaching),
            tally(point.states_run),
            match point.events_reaching {
                0 => NONE.into(),
                reaching => words::number(point.states_run as f64 / reaching as f64),
            },
            words::span(point.seconds),
        ];
        let wrong = (0..view.facts.schemes.len()).map(|at| point.wrong.get(at));
        cells.extend(wrong.map(|wrong| match wrong {
            Some(wrong) if point.years > 0.0 => words::number(*wrong as f64 / point.years),
            _ => NONE.into(),
        }));
        table.rows.push(cells);
    }
    table
}
