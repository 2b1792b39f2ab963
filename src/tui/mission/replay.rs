//! The first history, made ready to be looked at, at any time of the mission.

use super::growth::{Growth, Part};
use crate::device::Hit;
use crate::mission::live::{LiveScheme, Started};
use crate::mission::run::HistoryRun;
use crate::mission::{Away, COHORT, Change, Episode, Replaced, SchemeHistory, Site, Upset, What};
use crate::outcome::Outcome;
use std::collections::HashMap;
use std::sync::Arc;

/// A history with what its screens look up.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    pub(super) run: Arc<HistoryRun>,
    pub(super) schemes: Vec<SchemeReplay>,
}

/// One scheme of it.
///
/// The answers of an episode are spread evenly over its time from the first of their kind on.
#[derive(Clone, Debug, Default)]
pub(super) struct SchemeReplay {
    /// Wrong answers.
    pub(super) wrong: Growth,
    /// Error episodes, at their beginning.
    pub(super) episodes: Growth,
    /// Inferences with a DUE.
    pub(super) due: Growth,
    /// Resets of the device and restarts of the host.
    pub(super) resets: Growth,
    /// Seconds away.
    pub(super) dead_s: Growth,
    /// What happened, in the order of time.
    pub(super) entries: Vec<(f64, Entry)>,
    /// Struck banks, in the order of time.
    pub(super) strikes: Vec<StruckBank>,
    /// From each time on: words that differ from golden.
    words: Vec<(f64, u64)>,
}

/// One thing that happened, as its place in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Upset(usize),
    Change(usize),
    Episode(usize),
}

/// A bank that an upset struck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StruckBank {
    pub(super) time_s: f64,
    pub(super) device: u32,
    pub(super) bank: u64,
    /// When the copies that it struck there were golden again or joined the cohort; its own time
    /// where nothing that a scheme reads was struck.
    pub(super) golden_s: f64,
}

impl Replay {
    pub(super) fn new(started: &Started, run: &Arc<HistoryRun>) -> Self {
        let schemes = started.schemes.iter().zip(&run.schemes);
        let schemes = schemes
            .map(|(scheme, history)| SchemeReplay::new(started, scheme, &run.upsets, history));
        Self { schemes: schemes.collect(), run: Arc::clone(run) }
    }

    /// The history of a scheme.
    pub(super) fn history(&self, scheme: usize) -> Option<&SchemeHistory> {
        self.run.schemes.get(scheme)
    }
}

impl SchemeReplay {
    fn new(
        started: &Started,
        scheme: &LiveScheme,
        upsets: &[Upset],
        history: &SchemeHistory,
    ) -> Self {
        let episodes = &history.episodes;
        let spread = |outcome: Outcome, first: &dyn Fn(&Episode) -> Option<f64>| {
            Growth::new(episodes.iter().filter(|e| e.count(outcome) > 0).map(|episode| Part {
                amount: episode.count(outcome) as f64,
                start_s: first(episode).unwrap_or(episode.start_s),
                end_s: episode.end_s,
            }))
        };
        let resets = history.away.iter().map(|away| Part::one(away.time_s));
        let concerned = upsets.iter().enumerate().filter(|(_, upset)| scheme.concerns(upset));
        let mut entries: Vec<(f64, Entry)> =
            concerned.map(|(at, upset)| (upset.time_s, Entry::Upset(at))).collect();
        let changes = history.changes.iter().enumerate();
        entries.extend(changes.map(|(at, change)| (change.time_s, Entry::Change(at))));
        let listed = episodes.iter().enumerate();
        entries.extend(listed.map(|(at, episode)| (episode.start_s, Entry::Episode(at))));
        entries.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self {
            wrong: spread(Outcome::CriticalSdc, &|episode| episode.first_critical_s),
            episodes: Growth::new(
                episodes.iter().filter(|e| e.is_error()).map(|e| Part::one(e.start_s)),
            ),
            due: spread(Outcome::Due, &|episode| episode.first_effect_s),
            resets: Growth::new(resets),
            dead_s: dead(&history.away),
            entries,
            strikes: strikes(started, scheme, upsets, &history.changes),
            words: words(&history.changes, scheme.layout.tiling.copies),
        }
    }

    /// Words that differ from golden at a time.
    pub(super) fn words(&self, time_s: f64) -> u64 {
        let after = self.words.partition_point(|(when, _)| *when <= time_s);
        after.checked_sub(1).map_or(0, |at| self.words[at].1)
    }

    /// Entries up to a time.
    pub(super) fn before(&self, time_s: f64) -> usize {
        self.entries.partition_point(|(when, _)| *when <= time_s)
    }
}

/// The seconds of stretches away.
fn dead(away: &[Away]) -> Growth {
    let lasting = away.iter().filter(|away| away.length_s > 0.0);
    Growth::new(lasting.map(|away| Part {
        amount: away.length_s,
        start_s: away.start_s,
        end_s: away.end_s(),
    }))
}

/// Changes in the order of time: a read that acts is noted a moment after it.
fn in_order(changes: &[Change]) -> Vec<&Change> {
    let mut ordered: Vec<&Change> = changes.iter().collect();
    ordered.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    ordered
}

/// Words that differ in all copies together, from each change on: those of the tracked
/// copies, and as many in each copy of the cohort as its changes say.
fn words(changes: &[Change], copies: u64) -> Vec<(f64, u64)> {
    let mut own: HashMap<u64, u64> = HashMap::new();
    let (mut sum, mut each) = (0, 0);
    let mut words = Vec::with_capacity(changes.len());
    for change in in_order(changes) {
        let now = u64::from(change.words);
        if change.copy == COHORT {
            each = now.checked_div(copies.saturating_sub(own.len() as u64)).unwrap_or(0);
        } else {
            sum -= own.remove(&change.copy).unwrap_or(0);
            // Where the cohort had no copy left, this one says what a copy of it would hold.
            let alone = own.len() as u64 + 1 >= copies;
            if change.ended.is_some() && (now == each || alone) {
                each = now;
            } else {
                own.insert(change.copy, now);
                sum += now;
            }
        }
        words.push((change.time_s, sum + each * copies.saturating_sub(own.len() as u64)));
    }
    words
}

/// What was replaced on a device by a time.
pub(super) fn replaced(
    all: &[Replaced],
    time_s: f64,
    device: u32,
) -> impl Iterator<Item = &Replaced> {
    let by_then = all.partition_point(|of| of.time_s <= time_s);
    all[..by_then].iter().filter(move |of| of.device == device)
}

/// The banks that each upset struck, each once, and until when that lasts.
fn strikes(
    started: &Started,
    scheme: &LiveScheme,
    upsets: &[Upset],
    changes: &[Change],
) -> Vec<StruckBank> {
    let mut golden: HashMap<u64, Vec<f64>> = HashMap::new();
    for change in in_order(changes).into_iter().filter(|change| change.ended.is_some()) {
        golden.entry(change.copy).or_default().push(change.time_s);
    }
    let golden_s = |copy: u64, time_s: f64| {
        let first =
            |times: &Vec<f64>| times.get(times.partition_point(|when| *when < time_s)).copied();
        golden.get(&copy).and_then(first).unwrap_or(f64::INFINITY)
    };
    let mut strikes = Vec::new();
    for upset in upsets.iter().filter(|upset| scheme.concerns(upset)) {
        let What::Memory(hit) = &upset.what else { continue };
        let mut banks: Vec<(u64, f64)> = Vec::new();
        for (bank, copy) in struck(started, scheme, upset.device, hit) {
            let until = copy.map_or(upset.time_s, |copy| golden_s(copy, upset.time_s));
            match banks.iter_mut().find(|(known, _)| *known == bank) {
                Some((_, known)) => *known = known.max(until),
                None => banks.push((bank, until)),
            }
        }
        strikes.extend(banks.into_iter().map(|(bank, golden_s)| StruckBank {
            time_s: upset.time_s,
            device: upset.device,
            bank,
            golden_s,
        }));
    }
    strikes
}

/// The bank and the copy, where there is one, of each entry that a hit strikes.
fn struck<'a>(
    started: &'a Started,
    scheme: &'a LiveScheme,
    device: u32,
    hit: &'a Hit,
) -> impl Iterator<Item = (u64, Option<u64>)> + 'a {
    hit.strikes.iter().flat_map(move |strike| {
        let bank = started.bank(strike.entry);
        let words = strike.mask.iter().enumerate().filter(|(_, mask)| **mask != 0);
        words.filter_map(move |(word, _)| {
            let copy = match scheme.layout.site(device, strike.entry, word)? {
                Site::Data { copy, .. } | Site::Check { copy, .. } => Some(copy),
                _ => None,
            };
            Some((bank?, copy))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Location;
    use crate::mission::{Restored, Why};

    fn change(time_s: f64, copy: u64, words: u32) -> Change {
        let ended = (words == 0).then_some(Restored::Scrub);
        Change { time_s, copy, upset: u32::MAX, ended, words }
    }

    #[test]
    fn words_are_those_of_all_copies() {
        let changes = [change(1.0, 7, 2), change(3.0, 9, 1), change(2.0, 7, 5), change(4.0, 7, 0)];
        let sums = [(1.0, 2), (2.0, 5), (3.0, 6), (4.0, 1)];
        assert_eq!(words(&changes, 16), sums);
        // A hardened error comes to the 14 others, and the two keep what they have.
        let merged = Change { ended: Some(Restored::Scrub), ..change(6.0, 7, 3) };
        let all = [
            changes[0],
            changes[1],
            change(5.0, COHORT, 14 * 3),
            // Copy 7 joins the cohort, copy 9 is golden by itself; copy 8 is struck.
            merged,
            change(7.0, 9, 0),
            change(8.0, 8, 4),
            change(9.0, COHORT, 0),
            change(9.0, 8, 0),
            change(9.0, 9, 0),
        ];
        let sums: Vec<u64> = words(&all, 16).into_iter().map(|(_, words)| words).collect();
        assert_eq!(sums, [2, 3, 3 + 42, 1 + 45, 45, 4 + 42, 4, 0, 0]);
    }

    #[test]
    fn time_away_grows_while_the_service_is_away() {
        let away = |time_s, start_s, length_s| Away {
            time_s,
            start_s,
            length_s,
            device: 0,
            upset: 0,
            why: Why::Sefi,
        };
        let dead = dead(&[away(10.0, 10.0, 60.0), away(40.0, 70.0, 30.0), away(50.0, 50.0, 0.0)]);
        for (time_s, sum) in [(10.0, 0.0), (40.0, 30.0), (100.0, 90.0), (150.0, 90.0)] {
            assert!((dead.at(time_s) - sum).abs() < 1e-9, "{sum} at {time_s}");
        }
    }

    #[test]
    fn rows_and_pages_are_replaced_when_they_are() {
        let at = |time_s, device, page| Replaced {
            time_s,
            device,
            entry: 0,
            at: Location::default(),
            page,
        };
        let all = [at(1.0, 0, None), at(2.0, 1, None), at(3.0, 0, Some(7)), at(4.0, 0, None)];
        let so_far = |time_s: f64, device| {
            let found: Vec<_> = replaced(&all, time_s, device).map(|of| of.time_s).collect();
            found
        };
        assert_eq!((so_far(0.5, 0), so_far(3.0, 0)), (vec![], vec![1.0, 3.0]));
        assert_eq!((so_far(9.0, 0), so_far(9.0, 1)), (vec![1.0, 3.0, 4.0], vec![2.0]));
    }
}
