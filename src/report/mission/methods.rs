//! What the report of a mission says in sentences.

use super::super::methods::paragraph;
use super::super::words;
use super::{MissionView, tables};
use crate::mission::figures::SchemeFigures;

/// What this simulation leaves out or takes for granted; every report of a mission says it.
const LIMITS: [&str; 8] = [
    "Upsets strike what compute shaders can write: stored weights with their check words, and values \
     between one operation and the next. Registers, caches, schedulers, instruction memory, address \
     translation and the memory controller cannot be reached from a shader; of these a mission has \
     only what its devices' data count as resets, latch-ups and wrong results of logic.",
    "Trapped protons are those of AP8 in the field of its own epoch, good to a factor of about 2; AP8 \
     knows two phases of the Sun and no weather.",
    "Rates per bit of memory come from single cells and from errors that other parts showed in beams. \
     No proton data of the memory itself are public; the levels low and high span what is known.",
    "The shapes of events in memory, and their shares, were measured in neutron beams; they are taken \
     for protons too.",
    "Weights are tiled: copies of one small workload fill the memory, and inference i reads copy i \
     modulo their number. One model of that size would read every word in every inference, so that a \
     struck word would be read more often, and its errors might weigh less.",
    "Activations live for one inference: the values of one execution of the workload stand for all \
     that the memory holds. No shipped workload reads a key-value cache, whose upsets are counted only.",
    "A wrong result of logic counts as a critical SDC unless executions are compared: no data say what \
     share would leave the decision alone.",
    "What is rarer than once in all the years flown together does not show: read the upper end of an \
     interval, not the zero.",
];

/// The report in one line.
pub(super) fn title(view: &MissionView<'_>) -> String {
    format!(
        "{}: {} of {} under each of {}",
        view.name,
        words::plural(view.histories_done(), "history", "histories"),
        years(view),
        words::plural(view.facts.schemes.len() as u64, "scheme", "schemes"),
    )
}

fn years(view: &MissionView<'_>) -> String {
    let text = view.horizon();
    if view.accelerated() {
        let lasts = words::span(view.facts.horizon_s / view.facts.acceleration);
        format!("{lasts} (×{}: {text} of flight)", view.facts.acceleration)
    } else {
        format!("{text} of flight")
    }
}

/// What a reader must know before any figure.
pub(super) fn notices(view: &MissionView<'_>) -> Vec<String> {
    let mut notices = Vec::new();
    if !view.finished {
        notices.push(format!(
            "The mission has not finished: these are the figures of {} of {} histories.",
            words::count(view.histories_done()),
            words::count(view.histories_planned)
        ));
    }
    if view.accelerated() {
        notices.push(format!(
            "Accelerated ×{}: upsets, orbit, scrubs, inferences and recoveries are all that much \
             faster than in flight, so that figures a year of flight stay what they are.",
            view.facts.acceleration
        ));
    }
    notices.extend(view.warnings.iter().cloned());
    if view.histories_done() == 1 {
        notices.push(
            "One history: its wrong answers have no interval, since one mission says nothing of the \
             spread of missions."
                .into(),
        );
    }
    notices
}

/// What was found, in one paragraph: a sentence a scheme, then what holds for all of them.
pub(super) fn findings(view: &MissionView<'_>) -> String {
    let mut text = paragraph(headlines(view));
    if let Some(away) = alike(view, away) {
        text.push_str(&format!(" Under each scheme {away}."));
    }
    if let Some(verdict) = alike(view, verdict) {
        text.push_str(&format!(" Under each scheme {verdict}."));
    }
    text
}

/// What is said of every scheme, where there are several and all say the same.
fn alike(view: &MissionView<'_>, of: impl Fn(&SchemeFigures) -> Option<String>) -> Option<String> {
    let first = of(view.figures.first().filter(|_| view.figures.len() > 1)?)?;
    view.figures.iter().all(|figures| of(figures).as_ref() == Some(&first)).then_some(first)
}

fn away(figures: &SchemeFigures) -> Option<String> {
    let away = 1.0 - figures.availability;
    (away > 0.0).then(|| format!("the service was away for {} of the time", words::percent(away)))
}

fn verdict(figures: &SchemeFigures) -> Option<String> {
    figures.requirement.map(|held| format!("the requirement is {}", held.words()))
}

fn headlines(view: &MissionView<'_>) -> Vec<String> {
    let sentence = |figures: &SchemeFigures| {
        let (mean, interval) = figures.wrong_per_year;
        let wrong = if figures.critical_episodes.count == 0 {
            format!(
                "no wrong answer in {} of flight, so at most {} episodes with one a year (95 % \
                 Garwood interval)",
                words::span(figures.years * crate::units::YEAR_S),
                words::number(figures.critical_episodes.interval.high)
            )
        } else if figures.histories < 2 {
            format!("{} wrong answers a year of flight", words::number(mean))
        } else {
            format!(
                "{} wrong answers a year of flight (95 % bootstrap interval {})",
                words::number(mean),
                words::range(interval)
            )
        };
        let fewer = tables::fewer(figures).zip(figures.against.as_ref());
        let fewer = fewer.map_or_else(String::new, |(fewer, against)| {
            let memory = words::times(against.memory);
            let what = match against.fewer {
                Some(ratio) if ratio.of_events => " episodes",
                _ => "",
            };
            format!("; {fewer}{what} than {}, for {memory} times the memory", against.baseline)
        });
        let own = |shared: Option<String>, said: Option<String>| match said {
            Some(said) if shared.is_none() => format!("; {said}"),
            _ => String::new(),
        };
        let away = own(alike(view, away), away(figures));
        let verdict = own(alike(view, verdict), verdict(figures));
        format!("{}: {wrong}{fewer}{away}{verdict}.", figures.name)
    };
    view.figures.iter().map(sentence).collect()
}

/// The methods, paragraph by paragraph.
pub(super) fn paragraphs(view: &MissionView<'_>) -> Vec<String> {
    let facts = view.facts;
    vec![
        format!(
            "Each history begins at a place of its orbit drawn from the seed {}; its upsets arrive as \
             a Poisson process whose rate follows the orbit, and every scheme meets the same ones. \
             Time jumps from event to scrub to read. {} inferences a second of flight read {} of the \
             workload in turn; what the workload makes of each faulty state was computed on the \
             adapter, bit by bit against golden.",
            facts.seed,
            words::number(facts.inferences_per_s),
            words::plural(facts.copies, "copy", "copies"),
        ),
        format!(
            "The history is the independent unit, since one upset colours every inference until it is \
             cleared. Means over histories have percentile bootstrap intervals over histories; counts \
             of episodes and resets have Garwood's; probabilities have Wilson's or, where a \
             requirement hangs on them, Clopper and Pearson's. Levels are 95 %, of the requirement 90 % \
             and one-sided. What is required from a fresh start is counted in windows of all flight: the \
             next begins where memory is golden after the last has ended, whatever happened in it. The \
             time to the first wrong answer is a cumulative incidence with the service being away as \
             competing end, censored at {}, where the estimate of Aalen and \
             Johansen is the share of histories. Expected rates have Fay and Feuer's interval \
             of weighted events, the error of drawing single events and nothing else; what two events do \
             together is not in them, as it is in realised ones.",
            view.horizon()
        ),
        format!(
            "Scrub traffic is that of the scheme's definition, against a bandwidth of {} a second. \
             Episodes that masked every answer are counted in the mean time to repair and nowhere else.",
            words::bytes(facts.bandwidth_bytes_s)
        ),
    ]
}

/// The limits of the model.
pub(super) fn limits() -> &'static [&'static str] {
    &LIMITS
}
