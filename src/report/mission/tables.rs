//! The tables of what each scheme came to.

use super::super::tables::Table;
use super::super::words;
use super::{MissionView, losses};
use crate::mission::figures::{Held, PerYear, SchemeFigures, Spread};
use crate::mission::{Requirement, Why};
use crate::outcome::Outcome;
use crate::stats::Interval;

/// What stands where there is nothing to say.
pub(super) const NONE: &str = "–";

/// A count: every digit below a million.
pub(super) fn tally(count: u64) -> String {
    if count < 1_000_000 { words::count(count) } else { words::number(count as f64) }
}

/// A rate with its interval.
pub(super) fn rate((rate, interval): (f64, Interval)) -> String {
    format!("{} ({})", words::number(rate), words::range(interval))
}

pub(super) fn per_year(found: &PerYear) -> String {
    rate((found.rate, found.interval))
}

/// What stands for a bootstrap of zeros, which has no width.
pub(super) const NONE_SEEN: &str = "none seen";

/// A mean over histories; one history has no interval.
fn bootstrap(figures: &SchemeFigures, found: (f64, Interval)) -> String {
    match (found.1.high > 0.0, figures.histories < 2) {
        (false, _) => NONE_SEEN.into(),
        (true, true) => words::number(found.0),
        (true, false) => rate(found),
    }
}

/// How many times fewer wrong answers than under the first scheme; of episodes where one of the two
/// had no wrong answer.
pub(super) fn fewer(figures: &SchemeFigures) -> Option<String> {
    Some(words::fewer(&figures.against.as_ref()?.fewer?))
}

/// A verdict in as few words as a cell has room for.
fn verdict(held: &Held) -> String {
    let name = held.verdict.decision.name();
    held.histories_needed.map_or_else(
        || name.to_owned(),
        |histories| format!("{name}, needs {}", words::count(histories)),
    )
}

/// What is required, in a few words.
pub(super) fn required(wanted: &Requirement) -> String {
    let length = words::span(wanted.no_critical_sdc_for.0);
    format!("required: P(none in {length}) ≥ {}", words::percent(wanted.probability))
}

/// The figures that matter most, a scheme a row.
pub(super) fn headline(view: &MissionView<'_>) -> Table {
    let against = view.facts.schemes.first().filter(|_| view.figures.len() > 1);
    let against = against.map(|baseline| format!("against {}", baseline.name));
    let required = view.facts.requirement.as_ref().map(required);
    let mut columns = vec!["scheme", "wrong answers a year"];
    columns.extend(against.as_deref());
    columns.extend((!view.expected.is_empty()).then_some("expected"));
    columns.extend(["DUE episodes a year", "availability", "bytes stored"]);
    columns.extend(required.as_deref());
    let caption = format!(
        "Every scheme met the same upsets. Years are of flight. In brackets 95 % intervals: of wrong \
         answers by bootstrap over independent histories, of their ratio by bootstrap over histories \
         with both counts, of DUE episodes after Garwood, of expected rates \
         the error of drawing single events alone. None seen: the interval of episodes, below, says \
         how many there may be all the same. Bytes stored: as multiples of the least.{}",
        view.pace()
    );
    let mut table = Table::new("Results", caption, &columns, 1);
    let least = view.facts.schemes.iter().map(|scheme| scheme.stored_bytes).min().unwrap_or(0);
    for (at, figures) in view.figures.iter().enumerate() {
        let mut cells = vec![figures.name.clone(), bootstrap(figures, figures.wrong_per_year)];
        if against.is_some() {
            cells.push(fewer(figures).unwrap_or(NONE.into()));
        }
        if !view.expected.is_empty() {
            cells.push(view.expected.get(at).map_or(NONE.into(), |e| rate(e.wrong)));
        }
        cells.extend([
            per_year(&figures.due_episodes),
            availability(figures.availability),
            view.facts.schemes.get(at).map_or(NONE.into(), |scheme| {
                let stored = scheme.stored_bytes as f64;
                let ratio = words::ratio(stored / least.max(1) as f64);
                format!("{} ({ratio})", words::bytes(stored))
            }),
        ]);
        if required.is_some() {
            cells.push(figures.requirement.map_or(NONE.into(), |held| verdict(&held)));
        }
        table.rows.push(cells);
    }
    table
}

/// Every figure of each scheme, a scheme a column.
pub(super) fn figures(view: &MissionView<'_>) -> Table {
    let names = view.figures.iter().map(|figures| figures.name.as_str());
    let columns: Vec<&str> = [""].into_iter().chain(names).collect();
    let caption = format!(
        "Intervals as in the first table. Episode: from an upset to \
         the cleared state; it is an error episode where an answer differed or none was \
         delivered. Against the first scheme: its wrong answers over those here, resampled by history with \
         both counts; where one has none, of episodes, one-sided.{}{}",
        if view.facts.requirement.is_some() {
            " Required: shown or refuted at 90 % confidence, otherwise undecided; needs: the histories \
             in all that would decide at the observed share."
        } else {
            ""
        },
        view.pace()
    );
    let mut table = Table::new("All figures by scheme", caption, &columns, 1);
    let mut row = |name: &str, cell: &dyn Fn(usize, &SchemeFigures) -> String| {
        let cells = view.figures.iter().enumerate().map(|(at, figures)| cell(at, figures));
        table.rows.push([name.to_owned()].into_iter().chain(cells).collect());
    };
    row("wrong answers a year", &|_, f| bootstrap(f, f.wrong_per_year));
    if !view.expected.is_empty() {
        row("… expected", &|at, _| view.expected.get(at).map_or(NONE.into(), |e| rate(e.wrong)));
    }
    if let Some(baseline) = view.facts.schemes.first().filter(|_| view.figures.len() > 1) {
        row(&format!("… against {}", baseline.name), &|_, f| fewer(f).unwrap_or(NONE.into()));
    }
    if let Some(wanted) = view.facts.requirement {
        row(&required(&wanted), &|_, f| f.requirement.map_or(NONE.into(), |held| verdict(&held)));
    }
    row("wrong answers per million inferences", &|_, f| bootstrap(f, f.wrong_per_million));
    row("episodes with a wrong answer a year", &|_, f| per_year(&f.critical_episodes));
    if !view.expected.is_empty() {
        row("… expected", &|at, _| {
            view.expected.get(at).map_or(NONE.into(), |e| rate(e.critical))
        });
    }
    row("error episodes a year", &|_, f| per_year(&f.error_episodes));
    row("episodes with a DUE a year", &|_, f| per_year(&f.due_episodes));
    if !view.expected.is_empty() {
        row("… expected", &|at, _| view.expected.get(at).map_or(NONE.into(), |e| rate(e.due)));
    }
    row("resets of the device a year", &|_, f| per_year(&f.resets));
    row("restarts of the host a year", &|_, f| per_year(&f.host_resets));
    for why in [Why::HostSefi, Why::HostRam] {
        let name = format!("… {}", losses::reason(why));
        row(&name, &|_, f| per_year(&f.away[why as usize].times));
    }
    row("availability", &|_, f| availability(f.availability));
    row("mean time to repair", &|_, f| f.mean_time_to_repair_s.map_or(NONE.into(), words::span));
    row("scrub traffic", &|_, f| match f.scrub_traffic.bytes_s {
        0.0 => NONE.into(),
        bytes => format!("{}/s", words::bytes(bytes)),
    });
    row("… share of the bandwidth", &|_, f| match f.scrub_traffic.share {
        0.0 => NONE.into(),
        share => words::percent(share),
    });
    let least = view.facts.schemes.iter().map(|scheme| scheme.stored_bytes).min().unwrap_or(0);
    row("bytes stored", &|at, _| {
        view.facts.schemes.get(at).map_or(NONE.into(), |scheme| {
            let stored = scheme.stored_bytes as f64;
            let ratio = words::ratio(stored / least.max(1) as f64);
            format!("{} ({ratio})", words::bytes(stored))
        })
    });
    row("devices", &|at, _| {
        view.facts.schemes.get(at).map_or(NONE.into(), |s| s.devices.to_string())
    });
    row("executions an inference", &|at, _| {
        view.facts.schemes.get(at).map_or(NONE.into(), |s| s.executions.to_string())
    });
    row("capacity lost a year", &|at, f| {
        let devices = view.facts.schemes.get(at).map_or(1, |scheme| scheme.devices);
        let lost = if f.years > 0.0 { f.lost.lost_bytes as f64 / f.years } else { 0.0 };
        let capacity = view.facts.capacity_bytes as f64 * f64::from(devices);
        match lost {
            0.0 => "0 B".into(),
            lost if capacity > 0.0 => {
                format!("{} ({})", words::bytes(lost), words::percent(lost / capacity))
            }
            lost => words::bytes(lost),
        }
    });
    table
}

/// A share of time so near to 1 that what is missing is what matters.
fn availability(share: f64) -> String {
    let text = format!("{:.5}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Three kinds of uncertainty that have nothing to do with one another.
pub(super) fn uncertainty(view: &MissionView<'_>) -> Table {
    let columns = [
        "scheme",
        "wrong answers a year",
        "Monte-Carlo interval",
        "of one mission a year, least–most",
        "standard deviation a year",
        "expected",
        "model band",
    ];
    let caption = format!(
        "Monte-Carlo interval: how well so many histories fix the mean, 95 % by bootstrap; more \
         histories narrow it. Expected: event rates × what single events of each stratum did, with the \
         95 % interval of drawing so many of them (Fay and Feuer). Of one mission: \
         wrong answers a year of flight of single missions of {} ({} flown) and their standard \
         deviation; no number of histories narrows it. Model band: the factors that every rate may be \
         off by, the low and the high level of the devices' cross-sections times 2 either way for AP8; \
         only better data narrow it. They are not combined.{}",
        words::span(view.facts.mission_s()),
        words::count(view.figures.first().map_or(0, |figures| figures.mission_spread.missions)),
        view.pace()
    );
    let mut table = Table::new("Three kinds of uncertainty", caption, &columns, 1);
    for (at, figures) in view.figures.iter().enumerate() {
        let (mean, interval) = figures.wrong_per_year;
        let several = figures.histories > 1;
        let spread = figures.mission_spread;
        let Interval { low, high } = figures.model_band;
        table.rows.push(vec![
            figures.name.clone(),
            words::number(mean),
            if several && interval.high > 0.0 { words::range(interval) } else { NONE.into() },
            format!("{}–{}", words::number(spread.least), words::number(spread.most)),
            if spread.missions > 1 { words::number(spread.deviation) } else { NONE.into() },
            view.expected.get(at).map_or(NONE.into(), |expected| rate(expected.wrong)),
            format!("{}–{}", words::ratio(low), words::ratio(high)),
        ]);
    }
    table
}

/// How long errors stay unseen and how long they last.
pub(super) fn episodes(view: &MissionView<'_>) -> Table {
    let columns = [
        "scheme",
        "episodes",
        "latency median",
        "90 %",
        "longest",
        "length median",
        "90 %",
        "longest",
        "cut off",
    ];
    let caption = format!(
        "Error episodes of all histories. Latency: from the upset to the first answer that was not \
         masked or corrected. Length: from the upset to golden memory, or to the end of the mission \
         for those that it cut off. 90 %: nine of ten are shorter.{}",
        view.pace()
    );
    let mut table = Table::new("Error episodes: latency and length", caption, &columns, 1);
    for figures in view.figures {
        let mut cells = vec![figures.name.clone(), words::count(figures.length_s.count as u64)];
        let spread = |spread: &Spread| {
            [spread.median, spread.p90, spread.max]
                .map(|s| if spread.count == 0 { NONE.into() } else { words::span(s) })
        };
        cells.extend(spread(&figures.latency_s));
        cells.extend(spread(&figures.length_s));
        cells.push(words::count(figures.censored));
        table.rows.push(cells);
    }
    table
}

/// How long until the first wrong answer, and whether what is asked for holds.
pub(super) fn first_wrong(view: &MissionView<'_>) -> Table {
    let mut columns =
        vec!["scheme", "restricted mean", "wrong answer first", "away first", "neither"];
    let required = view.facts.requirement;
    if required.is_some() {
        columns.extend(["windows that held", "probability, 90 %", "requirement"]);
    }
    let asked = required.map_or_else(String::new, |required| {
        let length = words::span(required.no_critical_sdc_for.0);
        format!(
            " Required: P(no critical SDC in {length} from a fresh start) of at least {}. Windows: of that \
             length, one after another, each begun where memory was golden and the service there. \
             Probability: its one-sided ends, each at 90 % confidence (Clopper–Pearson). Shown where the \
             lower end reaches what is required, refuted where the upper end lies below it, otherwise \
             undecided; the histories are those that would decide in all at the observed share.",
            words::percent(required.probability),
        )
    });
    let caption = format!(
        "Each history begins at a random place of the orbit and is followed for {}. Service away: a \
         reset or a restart that came before any wrong answer. Restricted mean: years in service \
         without a wrong answer, at most the {} of a history.{asked}{}",
        view.horizon(),
        words::span(view.facts.horizon_s),
        view.pace()
    );
    let mut table = Table::new("Time to the first wrong answer", caption, &columns, 1);
    for figures in view.figures {
        let last = figures.incidence.last().map_or((0.0, 0.0), |at| (at.critical, at.away));
        let mut cells = vec![
            figures.name.clone(),
            format!("{} y", words::number(figures.restricted_mean_years)),
            words::percent(last.0),
            words::percent(last.1),
            words::percent((1.0 - last.0 - last.1).max(0.0)),
        ];
        if required.is_some() {
            cells.extend(figures.requirement.map_or([NONE; 3].map(str::to_owned), |held| {
                let of = &held.verdict;
                [
                    format!("{} of {}", words::count(of.held), words::count(of.trials)),
                    words::share(of.share(), Some(of.interval)),
                    held.words(),
                ]
            }));
        }
        table.rows.push(cells);
    }
    table
}

/// What became of the inferences.
pub(super) fn outcomes(view: &MissionView<'_>) -> Table {
    let named = Outcome::ALL.map(|outcome| {
        outcome.name().replace('-', " ").replace("sdc", "SDC").replace("due", "DUE")
    });
    let heads = named.iter().map(String::as_str);
    let columns: Vec<&str> =
        ["scheme", "inferences"].into_iter().chain(heads).chain(["service away"]).collect();
    let caption = format!(
        "Inferences of all histories, {} of flight together for each scheme, by outcome; those \
         asked for while the service was away had none.{}",
        words::span(view.facts.horizon_s * view.histories_done() as f64),
        view.pace()
    );
    let mut table = Table::new("What became of the answers", caption, &columns, 1);
    for figures in view.figures {
        let mut cells = vec![figures.name.clone(), tally(figures.inferences)];
        cells.extend(figures.outcomes.iter().map(|count| tally(*count)));
        cells.push(tally(figures.unavailable));
        table.rows.push(cells);
    }
    table
}
