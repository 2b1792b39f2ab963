//! What became of a history under a scheme, as rows and back.

use super::super::Error;
use super::loss_rows::{AwayRow, ReplacedRow};
use crate::mission::{Cause, Change, Episode, Restored, SchemeHistory, TenantCounts, Windows};
use bytemuck::NoUninit;
use hdf5::H5Type;
use schemars::JsonSchema;
use std::path::Path;

/// A row of `/histories`.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct HistoryRow {
    /// The history.
    pub(super) history: u64,
    /// Where on its track it began.
    pub(super) start_s: f64,
    /// Rows of `/upsets` that it has.
    pub(super) upsets: u64,
}

/// A row of `/episodes`.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct EpisodeRow {
    /// The history.
    history: u64,
    /// The copy of the image; the largest number for the cohort, after a reload from struck hardened
    /// storage.
    copy: u64,
    /// From when.
    start_s: f64,
    /// The first inference that was neither masked nor corrected; NaN for none.
    first_effect_s: f64,
    /// The first wrong answer; NaN for none.
    first_critical_s: f64,
    /// To when.
    end_s: f64,
    /// Inferences meanwhile that were masked.
    masked: u64,
    /// Likewise corrected.
    corrected: u64,
    /// Likewise recovered from a DUE.
    due_recovered: u64,
    /// Likewise with a tolerable SDC.
    tolerable_sdc: u64,
    /// Likewise with a critical SDC: wrong answers.
    critical_sdc: u64,
    /// Likewise ended in a DUE.
    due: u64,
    /// Likewise hung.
    hang: u64,
    /// The upset that began it.
    upset: u32,
    /// Upsets that took part.
    upsets: u32,
    /// Index into `/mission/schemes`.
    scheme: u16,
    /// What it began with: code.
    cause: u16,
    /// How memory became golden again: code.
    ended: u16,
    /// The worst outcome: code.
    worst: u16,
}

/// A row of `/changes`.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ChangeRow {
    /// The history.
    history: u64,
    /// When.
    time_s: f64,
    /// The copy of the image; the largest number for the cohort, all copies that are alike and followed
    /// as one.
    copy: u64,
    /// The upset that caused it.
    upset: u32,
    /// Words that differ from golden afterwards, in all replicas and, for the cohort, in all its
    /// copies.
    words: u32,
    /// Index into `/mission/schemes`.
    scheme: u32,
    /// Code, where the copy is golden again or joins the cohort; else −1.
    ended: i32,
}

/// A row of `/schemes`: the sums of one history under one scheme.
#[derive(H5Type, NoUninit, JsonSchema, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct SumsRow {
    /// The history.
    history: u64,
    /// Inferences asked for.
    inferences: u64,
    /// Of them those that found the service away.
    unavailable: u64,
    /// Inferences masked.
    masked: u64,
    /// Inferences corrected.
    corrected: u64,
    /// Inferences recovered from a DUE.
    due_recovered: u64,
    /// Inferences with a tolerable SDC.
    tolerable_sdc: u64,
    /// Inferences with a critical SDC: wrong answers.
    critical_sdc: u64,
    /// Inferences that ended in a DUE.
    due: u64,
    /// Inferences that hung.
    hang: u64,
    /// Time away.
    dead_s: f64,
    /// Reloads of golden.
    reloads: u64,
    /// Blocks that scrubs put right.
    scrub_repaired: u64,
    /// Blocks that scrubs could not put right.
    scrub_uncorrectable: u64,
    /// Blocks that reads put right.
    read_repaired: u64,
    /// Rows that spare ones replaced.
    rows_remapped: u64,
    /// Pages left out.
    pages_retired: u64,
    /// Repairs for which nothing was spare.
    exhausted: u64,
    /// Bytes lost.
    lost_bytes: u64,
    /// Upsets of weights or their check words.
    struck: u64,
    /// Of them those in two replicas or more.
    common_cause: u64,
    /// Upsets of weights.
    weights_upsets: u64,
    /// Of the upsets of weights those that the code alone corrects.
    weights_corrected: u64,
    /// Of the upsets of weights those that the code finds and cannot correct.
    weights_uncorrectable: u64,
    /// Of the upsets of weights those that the code does not find.
    weights_silent: u64,
    /// Upsets of the key-value cache.
    kv_cache_upsets: u64,
    /// Of the upsets of the key-value cache those that the code alone corrects.
    kv_cache_corrected: u64,
    /// Of the upsets of the key-value cache those that the code finds and cannot correct.
    kv_cache_uncorrectable: u64,
    /// Of the upsets of the key-value cache those that the code does not find.
    kv_cache_silent: u64,
    /// Upsets of activations.
    activations_upsets: u64,
    /// Of the upsets of activations those that the code alone corrects.
    activations_corrected: u64,
    /// Of the upsets of activations those that the code finds and cannot correct.
    activations_uncorrectable: u64,
    /// Of the upsets of activations those that the code does not find.
    activations_silent: u64,
    /// Upsets of unused memory.
    unused_upsets: u64,
    /// Of the upsets of unused memory those that the code alone corrects.
    unused_corrected: u64,
    /// Of the upsets of unused memory those that the code finds and cannot correct.
    unused_uncorrectable: u64,
    /// Of the upsets of unused memory those that the code does not find.
    unused_silent: u64,
    /// Copies that became golden again.
    repairs: u64,
    /// How long that took in all.
    repair_s: f64,
    /// Windows of the requirement's length from a fresh start; 0 without a requirement.
    windows: u64,
    /// Of them those without a critical SDC.
    windows_held: u64,
    /// The first wrong answer; NaN for never.
    first_critical_s: f64,
    /// When the service was first away; NaN for never.
    first_away_s: f64,
    /// Rows of `/episodes` that it has.
    episodes: u64,
    /// Rows of `/changes` that it has.
    changes: u64,
    /// Rows of `/away` that it has.
    away: u64,
    /// Rows of `/replaced` that it has.
    replaced: u64,
    /// Resets of devices.
    resets: u64,
    /// Restarts of hosts.
    host_resets: u64,
    /// Index into `/mission/schemes`.
    scheme: u64,
}

/// The rows of one history under all schemes, in the order of the archive.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SchemeRows {
    pub(super) sums: Vec<SumsRow>,
    pub(super) episodes: Vec<EpisodeRow>,
    pub(super) changes: Vec<ChangeRow>,
    pub(super) away: Vec<AwayRow>,
    pub(super) replaced: Vec<ReplacedRow>,
}

impl SchemeRows {
    /// The rows of history `history`.
    pub(super) fn of(history: u64, schemes: &[SchemeHistory]) -> Self {
        let mut rows = Self::default();
        for (scheme, of) in schemes.iter().enumerate() {
            let short = u16::try_from(scheme).unwrap_or(u16::MAX);
            rows.sums.push(sums_row(history, scheme as u64, of));
            rows.episodes.extend(of.episodes.iter().map(|e| episode_row(history, short, e)));
            let scheme = u32::from(short);
            rows.changes.extend(of.changes.iter().map(|c| change_row(history, scheme, c)));
            rows.away.extend(of.away.iter().map(|a| AwayRow::of(history, scheme, a)));
            let replaced = of.replaced.iter().map(|r| ReplacedRow::of(history, scheme, r));
            rows.replaced.extend(replaced);
        }
        rows
    }

    /// The histories that the rows are of: `[history][scheme]`, where each of `histories` has
    /// `schemes`.
    pub(super) fn into_histories(
        self,
        path: &Path,
        histories: &[HistoryRow],
        schemes: usize,
    ) -> Result<Vec<Vec<SchemeHistory>>, Error> {
        let mut sums = self.sums.into_iter();
        let mut episodes = self.episodes.into_iter();
        let mut changes = self.changes.into_iter();
        let (mut away, mut replaced) = (self.away.into_iter(), self.replaced.into_iter());
        let mut all = Vec::with_capacity(histories.len());
        for HistoryRow { history, .. } in histories {
            let mut of_history = Vec::with_capacity(schemes);
            for scheme in 0..schemes as u64 {
                let lacks = |what: &str| {
                    let expected = format!("{what} of history {history} under scheme {scheme}");
                    Error::content(path, expected, "other rows")
                };
                let row = sums.next().filter(|row| (row.history, row.scheme) == (*history, scheme));
                let row = row.ok_or_else(|| lacks("sums"))?;
                let mut result = row.sums();
                for _ in 0..row.episodes {
                    let known = |e: &EpisodeRow| (e.history, e.scheme.into()) == (*history, scheme);
                    let episode = episodes.next().filter(known).and_then(|row| row.episode());
                    result.episodes.push(episode.ok_or_else(|| lacks("episodes"))?);
                }
                for _ in 0..row.changes {
                    let known = |c: &ChangeRow| (c.history, c.scheme.into()) == (*history, scheme);
                    let change = changes.next().filter(known).and_then(|row| row.change());
                    result.changes.push(change.ok_or_else(|| lacks("changes"))?);
                }
                for _ in 0..row.away {
                    let known = |a: &AwayRow| (a.history, a.scheme.into()) == (*history, scheme);
                    let stretch = away.next().filter(known).and_then(|row| row.away());
                    result.away.push(stretch.ok_or_else(|| lacks("time away"))?);
                }
                for _ in 0..row.replaced {
                    let known =
                        |r: &ReplacedRow| (r.history, r.scheme.into()) == (*history, scheme);
                    let of = replaced.next().filter(known).map(|row| row.replaced());
                    result.replaced.push(of.ok_or_else(|| lacks("replaced rows"))?);
                }
                of_history.push(result);
            }
            all.push(of_history);
        }
        let left = [sums.len(), episodes.len(), changes.len(), away.len(), replaced.len()];
        if left != [0; 5] {
            let expected = format!("the rows of {} histories", histories.len());
            return Err(Error::content(path, expected, format!("{left:?} rows more")));
        }
        Ok(all)
    }
}

fn sums_row(history: u64, scheme: u64, of: &SchemeHistory) -> SumsRow {
    let [masked, corrected, due_recovered, tolerable_sdc, critical_sdc, due, hang] = of.outcomes;
    let [weights, kv_cache, activations, unused] = of.tenants;
    SumsRow {
        history,
        inferences: of.inferences,
        unavailable: of.unavailable,
        masked,
        corrected,
        due_recovered,
        tolerable_sdc,
        critical_sdc,
        due,
        hang,
        dead_s: of.dead_s(),
        reloads: of.reloads,
        scrub_repaired: of.scrub_repaired,
        scrub_uncorrectable: of.scrub_uncorrectable,
        read_repaired: of.read_repaired,
        rows_remapped: of.rows_remapped(),
        pages_retired: of.pages_retired(),
        exhausted: of.exhausted,
        lost_bytes: of.lost_bytes,
        struck: of.struck,
        common_cause: of.common_cause,
        weights_upsets: weights.upsets,
        weights_corrected: weights.corrected,
        weights_uncorrectable: weights.uncorrectable,
        weights_silent: weights.silent,
        kv_cache_upsets: kv_cache.upsets,
        kv_cache_corrected: kv_cache.corrected,
        kv_cache_uncorrectable: kv_cache.uncorrectable,
        kv_cache_silent: kv_cache.silent,
        activations_upsets: activations.upsets,
        activations_corrected: activations.corrected,
        activations_uncorrectable: activations.uncorrectable,
        activations_silent: activations.silent,
        unused_upsets: unused.upsets,
        unused_corrected: unused.corrected,
        unused_uncorrectable: unused.uncorrectable,
        unused_silent: unused.silent,
        repairs: of.repairs.0,
        repair_s: of.repairs.1,
        windows: of.windows.flown,
        windows_held: of.windows.held,
        first_critical_s: or_nan(of.first_critical_s),
        first_away_s: or_nan(of.first_away_s),
        episodes: of.episodes.len() as u64,
        changes: of.changes.len() as u64,
        away: of.away.len() as u64,
        replaced: of.replaced.len() as u64,
        resets: of.resets(),
        host_resets: of.host_resets(),
        scheme,
    }
}

impl SumsRow {
    /// The sums, without the rows of other tables.
    fn sums(&self) -> SchemeHistory {
        SchemeHistory {
            inferences: self.inferences,
            unavailable: self.unavailable,
            outcomes: [
                self.masked,
                self.corrected,
                self.due_recovered,
                self.tolerable_sdc,
                self.critical_sdc,
                self.due,
                self.hang,
            ],
            reloads: self.reloads,
            scrub_repaired: self.scrub_repaired,
            scrub_uncorrectable: self.scrub_uncorrectable,
            read_repaired: self.read_repaired,
            exhausted: self.exhausted,
            lost_bytes: self.lost_bytes,
            struck: self.struck,
            common_cause: self.common_cause,
            tenants: [
                TenantCounts {
                    upsets: self.weights_upsets,
                    corrected: self.weights_corrected,
                    uncorrectable: self.weights_uncorrectable,
                    silent: self.weights_silent,
                },
                TenantCounts {
                    upsets: self.kv_cache_upsets,
                    corrected: self.kv_cache_corrected,
                    uncorrectable: self.kv_cache_uncorrectable,
                    silent: self.kv_cache_silent,
                },
                TenantCounts {
                    upsets: self.activations_upsets,
                    corrected: self.activations_corrected,
                    uncorrectable: self.activations_uncorrectable,
                    silent: self.activations_silent,
                },
                TenantCounts {
                    upsets: self.unused_upsets,
                    corrected: self.unused_corrected,
                    uncorrectable: self.unused_uncorrectable,
                    silent: self.unused_silent,
                },
            ],
            repairs: (self.repairs, self.repair_s),
            windows: Windows { flown: self.windows, held: self.windows_held },
            first_critical_s: not_nan(self.first_critical_s),
            first_away_s: not_nan(self.first_away_s),
            ..SchemeHistory::default()
        }
    }
}

fn episode_row(history: u64, scheme: u16, of: &Episode) -> EpisodeRow {
    let [masked, corrected, due_recovered, tolerable_sdc, critical_sdc, due, hang] = of.outcomes;
    EpisodeRow {
        history,
        copy: of.copy,
        start_s: of.start_s,
        first_effect_s: or_nan(of.first_effect_s),
        first_critical_s: or_nan(of.first_critical_s),
        end_s: of.end_s,
        masked,
        corrected,
        due_recovered,
        tolerable_sdc,
        critical_sdc,
        due,
        hang,
        upset: of.upset,
        upsets: of.upsets,
        scheme,
        cause: of.cause as u16,
        ended: of.ended as u16,
        worst: of.worst() as u16,
    }
}

impl EpisodeRow {
    /// The episode; `None` where a code has no meaning.
    fn episode(&self) -> Option<Episode> {
        Some(Episode {
            cause: *Cause::ALL.get(usize::from(self.cause))?,
            upset: self.upset,
            upsets: self.upsets,
            copy: self.copy,
            start_s: self.start_s,
            first_effect_s: not_nan(self.first_effect_s),
            first_critical_s: not_nan(self.first_critical_s),
            end_s: self.end_s,
            ended: *Restored::ALL.get(usize::from(self.ended))?,
            outcomes: [
                self.masked,
                self.corrected,
                self.due_recovered,
                self.tolerable_sdc,
                self.critical_sdc,
                self.due,
                self.hang,
            ],
        })
    }
}

fn change_row(history: u64, scheme: u32, of: &Change) -> ChangeRow {
    ChangeRow {
        history,
        time_s: of.time_s,
        copy: of.copy,
        upset: of.upset,
        words: of.words,
        scheme,
        ended: of.ended.map_or(-1, |ended| ended as i32),
    }
}

impl ChangeRow {
    /// The change; `None` where a code has no meaning.
    fn change(&self) -> Option<Change> {
        let ended = match usize::try_from(self.ended) {
            Ok(code) => Some(*Restored::ALL.get(code)?),
            Err(_) if self.ended == -1 => None,
            Err(_) => return None,
        };
        let Self { time_s, copy, upset, words, .. } = *self;
        Some(Change { time_s, copy, upset, ended, words })
    }
}

/// A figure that may not apply, as the archive has it.
pub(super) fn or_nan(figure: Option<f64>) -> f64 {
    figure.unwrap_or(f64::NAN)
}

/// And back.
pub(super) fn not_nan(figure: f64) -> Option<f64> {
    Some(figure).filter(|figure| !figure.is_nan())
}
