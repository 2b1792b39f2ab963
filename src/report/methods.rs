//! What a report says in sentences: findings, methods, limits, what an acceleration means.

use super::{Report, beam, words};
use crate::archive::summary::{Breakdown, Figures};
use crate::campaign::event::SIMULATED_BEAM;
use crate::outcome::Outcome;
use crate::stats::confidence;

/// What compute shaders cannot reach; every report says it.
const LIMITS: &str = "Faults strike the memory that compute shaders can write: stored weights, \
    inputs and the outputs of operations, between one operation and the next. Registers, caches, \
    schedulers, instruction memory, address translation and the memory controller cannot be reached from a \
    shader and are not struck; their upsets, and hangs and resets of the whole device, come on top of \
    what is reported here.";

/// The report in one line.
pub(super) fn title(report: &Report) -> String {
    let header = &report.header;
    let inferences = header.strata.first().map_or(1, |stratum| stratum.inferences_per_trial);
    let kind = header.beam.as_ref().map_or_else(String::new, |_| format!("{SIMULATED_BEAM}, "));
    format!(
        "{}: {kind}{}, {} of {} under each of {}",
        header.campaign.name,
        header.workload.name,
        words::plural(report.trials(), "trial", "trials"),
        words::plural(u64::from(inferences), "inference", "inferences"),
        words::plural(header.schemes.len() as u64, "scheme", "schemes"),
    )
}

/// The adapter in one line.
pub(super) fn adapter(report: &Report) -> String {
    let adapter = &report.header.adapter;
    let parts = [&adapter.driver, &adapter.driver_info, &adapter.backend];
    let parts: Vec<&str> =
        parts.into_iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
    let software = if adapter.software { ", software" } else { "" };
    format!("{} ({}{software})", adapter.name, parts.join(", "))
}

/// What a reader must know before any figure.
pub(super) fn notices(report: &Report) -> Vec<String> {
    let mut notices = Vec::new();
    if !report.finished {
        notices.push("The campaign has not finished: these are its figures so far.".into());
    }
    if report.header.campaign.dummy {
        notices
            .push("A dummy campaign: masks are zero, and anything but masked is an error.".into());
    }
    notices.extend(acceleration_short(report));
    notices.extend(beam::notices(report));
    notices
}

/// What was found, in one paragraph: a sentence a scheme (and stratum).
pub(super) fn findings(report: &Report) -> String {
    let rows = report.summary.by(Breakdown::Scheme);
    paragraph(rows.map(|row| headline(report, row)).collect())
}

/// Sentences as one paragraph, of which the first ones stand for many.
pub(super) fn paragraph(mut sentences: Vec<String>) -> String {
    const MOST: usize = 6;
    let more = sentences.len().saturating_sub(MOST);
    sentences.truncate(MOST);
    if more > 0 {
        sentences.push(format!("The table has {}.", words::plural(more as u64, "other", "others")));
    }
    sentences.join(" ")
}

fn headline(report: &Report, row: &Figures) -> String {
    let stratum = if report.header.strata.len() > 1 {
        format!(" ({})", report.stratum(row.stratum))
    } else {
        String::new()
    };
    let trials = words::plural(row.trials, "trial", "trials");
    let result = match (row.wrong_trials, row.clopper_pearson) {
        (0, Some(interval)) => format!(
            "no wrong answer in {trials}, so at most {} of trials by the {}",
            words::percent(interval.high),
            report.level()
        ),
        (0, None) => format!("no wrong answer in any of {trials}"),
        (wrong, interval) => {
            let interval = interval.map_or_else(String::new, |interval| {
                format!(", {} {}", report.level(), words::interval(interval))
            });
            format!(
                "{} of {trials} gave a wrong answer ({}{interval}), and {} of all answers were wrong",
                words::count(wrong),
                words::percent(row.wrong_probability),
                words::percent(row.wrong_share),
            )
        }
    };
    let silent = row.outcomes[Outcome::Due as usize] + row.outcomes[Outcome::Hang as usize];
    let silent = if silent == 0 {
        String::new()
    } else {
        format!("; {} had none", words::plural(silent, "inference", "inferences"))
    };
    let name = report.scheme(row.scheme);
    let fewer = fewer(report, row);
    format!("{name}{stratum}: {result}{silent}{fewer}{}.", cost(report, row.scheme))
}

/// How many times fewer trials are wrong than under the baseline, where any are.
fn fewer(report: &Report, row: &Figures) -> String {
    let place = (row.stratum, row.scheme);
    let mut compared = report.summary.comparisons.iter();
    let compared = compared.find(|of| (of.stratum, of.scheme) == place && row.wrong_trials > 0);
    let fewer = compared.and_then(|of| Some((of.fewer?, report.scheme(of.baseline))));
    fewer.map_or_else(String::new, |(ratio, baseline)| {
        format!("; {} wrong trials than {baseline}", words::fewer(&ratio))
    })
}

fn cost(report: &Report, scheme: usize) -> String {
    let Some(baseline) = report.header.baseline().filter(|baseline| *baseline != scheme) else {
        return String::new();
    };
    let [own, base] = [scheme, baseline].map(|index| &report.header.schemes[index].cost);
    let stored = own.bytes_stored as f64 / base.bytes_stored.max(1) as f64;
    let times = [scheme, baseline].map(|index| report.measured[index].seconds_per_inference());
    let time = match times {
        [Some(own), Some(base)] => format!(" and {} the time", words::ratio(own / base)),
        _ => String::new(),
    };
    format!(", at {} the memory{time} of {}", words::ratio(stored), report.scheme(baseline))
}

/// The methods, paragraph by paragraph.
pub(super) fn paragraphs(report: &Report) -> Vec<String> {
    vec![
        experiment(report),
        outcomes(report),
        statistics(report),
        provenance(report),
        LIMITS.into(),
    ]
}

fn experiment(report: &Report) -> String {
    let (header, campaign) = (&report.header, &report.header.campaign);
    let workload = &header.workload;
    let arrival = match (campaign.mode.as_str(), &header.rate) {
        (_, Some(_)) if header.beam.is_some() => beam::experiment(report).unwrap_or_default(),
        (_, Some(rate)) => format!(
            "In each trial upsets accumulate as a Poisson process of {} upsets per bit-day ({}){}, \
             multiplied by {}, over {} of {} on the same memory, one inference every {} and each \
             execution exposing its transient words for {} (declared times, not measured ones)",
            words::number(rate.upsets_per_bit_day),
            rate.source,
            if rate.course.is_some() {
                ", whose rate follows the orbit from a place that the trial's seed draws"
            } else {
                ""
            },
            words::number(rate.acceleration),
            words::plural(u64::from(campaign.steps), "step", "steps"),
            words::plural(u64::from(campaign.inferences_per_step), "inference", "inferences"),
            words::seconds(rate.inference_period_s),
            words::seconds(rate.execution_time_s),
        ),
        ("exhaustive", None) => {
            "Each trial strikes one bit, and every bit of the strata is struck \
             once"
                .into()
        }
        ("list", None) => "Each trial takes its faults from the campaign's fault list".into(),
        _ => "Each trial draws the campaign's number of distinct bits uniformly within its stratum"
            .into(),
    };
    let strata: Vec<String> = header
        .strata
        .iter()
        .map(|stratum| format!("{} ({} bits)", stratum.name, words::count(stratum.bits)))
        .collect();
    let schemes: Vec<String> = header.schemes.iter().map(|s| s.name().to_owned()).collect();
    format!(
        "The workload is {}: {} Its decision is {}. The campaign takes its first {}. {arrival}. \
         Struck: {}. Every draw follows from the campaign's seed {} and the trial's number, and {} met \
         the same events.",
        workload.name,
        sentence(&workload.description),
        workload.decision,
        words::plural(u64::from(workload.inputs), "input", "inputs"),
        words::list(&strata),
        campaign.seed,
        words::list(&schemes),
    )
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with('.') { text.into() } else { format!("{text}.") }
}

fn outcomes(report: &Report) -> String {
    let fma = if report.header.adapter.fma_fused { "once" } else { "twice" };
    format!(
        "Each delivered output was compared, bit by bit, with golden: the fault-free run of the same \
         kernels on the same adapter, {}, where fma rounds {fma}. Equal bits are masked, corrected (with \
         an alarm, without a re-run) or DUE recovered (after a retry or reload); different bits with \
         the same decision are tolerable SDC, with another decision critical SDC, which is a wrong \
         answer. DUE and hang deliver nothing. Detected says that the scheme raised an alarm, \
         whatever the outcome; averted counts answers that \
         are wrong under the baseline and equal to golden here.",
        adapter(report)
    )
}

fn statistics(report: &Report) -> String {
    let header = &report.header;
    if report.summary.census && !report.finished {
        return "The campaign is a census that has not finished: its trials so far follow the order of \
                the sites and are no sample, so that their shares estimate nothing."
            .into();
    }
    if report.summary.census {
        return "The campaign is a census: it holds every trial of its population, so its shares are \
                exact and have neither intervals nor tests."
            .into();
    }
    let looks = if header.campaign.looks > 1 {
        format!(
            " The campaign could stop at {} looks declared beforehand; the level is corrected for all \
             of them.",
            header.campaign.looks
        )
    } else {
        String::new()
    };
    let means = match report.summary.resamples {
        0 => "have none, since no number of resamples places their ends at this level".to_owned(),
        resamples => format!(
            "have percentile bootstrap intervals over trials ({} resamples)",
            words::count(resamples.into())
        ),
    };
    format!(
        "The trial is the independent unit, since one upset colours all the inferences of its trial. \
         P(a trial has a wrong answer) has Clopper–Pearson intervals (in the figures and tables) and \
         Wilson intervals (in the archive and the CSV); the mean share of wrong answers and the mean \
         time {means}. The level of each is {}. \
         Schemes are compared on paired trials by the exact McNemar test, Holm-corrected.{looks}",
        confidence(report.summary.alpha),
    )
}

fn provenance(report: &Report) -> String {
    let header = &report.header;
    let commit = if header.commit.is_empty() {
        String::new()
    } else {
        format!(", commit {}", header.commit)
    };
    format!(
        "Made by beamline {}{commit}. The fingerprint of this experiment is {}. Bytes are those of the \
         scheme's definition; times were measured on the adapter above and say nothing of another.",
        header.version,
        header.fingerprint.whole(),
    )
}

/// What the acceleration means, in an accelerated campaign.
pub(super) fn acceleration(report: &Report) -> Option<String> {
    let rate = report.header.rate.as_ref().filter(|rate| rate.acceleration != 1.0)?;
    let factor = words::number(rate.acceleration);
    let live: Vec<(usize, f64)> = (0..report.header.schemes.len())
        .filter_map(|scheme| Some((scheme, report.header.live_events_per_scrub(scheme)?)))
        .collect();
    let listed: Vec<String> = live
        .iter()
        .map(|(scheme, live)| format!("{} {}", report.scheme(*scheme), words::number(*live)))
        .collect();
    let crowded = live.iter().any(|(_, live)| *live * rate.peak_over_mean > 0.1);
    let peak = if rate.peak_over_mean > 1.0 {
        format!(
            " (means over the orbit, at whose peak the rate is {} times as high)",
            words::number(rate.peak_over_mean)
        )
    } else {
        String::new()
    };
    let verdict = if crowded {
        "Where it is not, failures of several events are over-represented here and must not be \
         scaled back."
    } else {
        "It is, for every scheme here."
    };
    Some(format!(
        "Upsets came {factor} times as often as the rate says. No accelerated figure is given per day. \
         Failures that needed k events scale back as {factor} to the power −k: those of one event by \
         the factor, those of two by its square. That holds only while the live events between two \
         scrubs are well below 1: {}{peak}. {verdict}",
        words::list(&listed)
    ))
}

/// Likewise, in one line.
fn acceleration_short(report: &Report) -> Option<String> {
    let rate = report.header.rate.as_ref().filter(|rate| rate.acceleration != 1.0)?;
    Some(format!(
        "Accelerated: upsets came {} times as often as the rate says; no figure is a rate per day.",
        words::number(rate.acceleration)
    ))
}
