//! What became of a history under a scheme, as rows and back.

use super::super::Error;
use super::loss_rows::{AwayRow, ReplacedRow};
use crate::mission::{Cause, Change, Episode, Restored, SchemeHistory, TenantCounts, Windows};
use hdf5::H5Type;
use std::path::Path;

/// A row of `/histories`.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct HistoryRow {
    pub(super) history: u64,
    pub(super) start_s: f64,
    pub(super) upsets: u64,
}

/// A row of `/episodes`.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct EpisodeRow {
    history: u64,
    copy: u64,
    start_s: f64,
    first_effect_s: f64,
    first_critical_s: f64,
    end_s: f64,
    masked: u64,
    corrected: u64,
    due_recovered: u64,
    tolerable_sdc: u64,
    critical_sdc: u64,
    due: u64,
    hang: u64,
    upset: u32,
    upsets: u32,
    scheme: u16,
    cause: u16,
    ended: u16,
    worst: u16,
}

/// A row of `/changes`.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct ChangeRow {
    history: u64,
    time_s: f64,
    copy: u64,
    upset: u32,
    words: u32,
    scheme: u32,
    ended: i32,
}

/// What happened in one tenant: a column of [`SumsRow`].
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct TenantColumn {
    upsets: u64,
    corrected: u64,
    uncorrectable: u64,
    silent: u64,
}

/// A row of `/schemes`: the sums of one history under one scheme.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct SumsRow {
    history: u64,
    inferences: u64,
    unavailable: u64,
    masked: u64,
    corrected: u64,
    due_recovered: u64,
    tolerable_sdc: u64,
    critical_sdc: u64,
    due: u64,
    hang: u64,
    dead_s: f64,
    reloads: u64,
    scrub_repaired: u64,
    scrub_uncorrectable: u64,
    read_repaired: u64,
    rows_remapped: u64,
    pages_retired: u64,
    exhausted: u64,
    lost_bytes: u64,
    struck: u64,
    common_cause: u64,
    weights: TenantColumn,
    kv_cache: TenantColumn,
    activations: TenantColumn,
    unused: TenantColumn,
    repairs: u64,
    repair_s: f64,
    windows: u64,
    windows_held: u64,
    first_critical_s: f64,
    first_away_s: f64,
    episodes: u64,
    changes: u64,
    away: u64,
    replaced: u64,
    resets: u64,
    host_resets: u64,
    scheme: u64,
}

// Rows go to the file as they stand in memory, and must have no holes.
const _: () = assert!(size_of::<HistoryRow>() == 24);
const _: () = assert!(size_of::<EpisodeRow>() == 120);
const _: () = assert!(size_of::<ChangeRow>() == 40);
const _: () = assert!(size_of::<SumsRow>() == 21 * 8 + 16 * 8 + 13 * 8);

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
    let [weights, kv_cache, activations, unused] = of.tenants.map(|counts| TenantColumn {
        upsets: counts.upsets,
        corrected: counts.corrected,
        uncorrectable: counts.uncorrectable,
        silent: counts.silent,
    });
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
        weights,
        kv_cache,
        activations,
        unused,
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
        let tenants = [self.weights, self.kv_cache, self.activations, self.unused];
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
            tenants: tenants.map(|of| TenantCounts {
                upsets: of.upsets,
                corrected: of.corrected,
                uncorrectable: of.uncorrectable,
                silent: of.silent,
            }),
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
