//! Windows of a wanted length that begin from a fresh start, one after another.
//!
//! Memory is as at the start of the mission where every copy equals golden, no cell is stuck or
//! weak, and hardened storage holds no error. Spares that are used up are no difference by themselves:
//! they matter to cells that stick, and one that finds no spare keeps memory from being fresh. Upsets
//! arrive as a Poisson process, so that what follows such a moment depends on nothing before it. A
//! window begins at the first of these moments, in service, after the one before it has ended; that
//! depends on the past alone. It counts where it ends within the mission, which is known when it
//! begins. Resets and restarts within a window belong to it. So no window is left out for what
//! happens in it, and windows are independent trials.

use super::Simulation;
use crate::mission::record::Windows;

/// The windows of one history.
#[derive(Debug)]
pub(super) struct Fresh {
    window_s: f64,
    /// From when on memory has been as at the start, and the service there.
    since: Option<f64>,
    /// When the next window may begin.
    next_s: f64,
    /// Windows without a gap between them: where the first begins, and how many.
    runs: Vec<(f64, u64)>,
}

impl Fresh {
    /// A history that begins fresh.
    pub(super) const fn new(window_s: f64) -> Self {
        Self { window_s, since: Some(0.0), next_s: 0.0, runs: Vec::new() }
    }

    /// Windows that begin before `time_s` and end by `horizon_s`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more")]
    fn until(&mut self, time_s: f64, horizon_s: f64) {
        let Some(since) = self.since else { return };
        let first = self.next_s.max(since);
        let begun = ((time_s - first) / self.window_s).ceil().max(0.0);
        let fit = ((horizon_s - first) / self.window_s).floor().max(0.0);
        let count = begun.min(fit) as u64;
        if count > 0 {
            self.runs.push((first, count));
            self.next_s = first + count as f64 * self.window_s;
        }
    }

    /// All windows, and those without any of these times in them.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more")]
    fn windows(&self, mut times: Vec<f64>) -> Windows {
        times.sort_by(f64::total_cmp);
        let mut times = times.into_iter().peekable();
        let mut windows = Windows::default();
        for (first, count) in &self.runs {
            windows.flown += count;
            windows.held += count;
            let end = first + *count as f64 * self.window_s;
            let mut last = None;
            while let Some(time) = times.next_if(|time| *time < end) {
                let window = (time >= *first).then(|| ((time - first) / self.window_s) as u64);
                if window.is_some() && window != last {
                    windows.held -= 1;
                    last = window;
                }
            }
        }
        windows
    }
}

impl Simulation<'_> {
    /// Counts the windows that begin before something happens.
    pub(super) fn windows_until(&mut self, time_s: f64) {
        if let Some(fresh) = &mut self.fresh {
            fresh.until(time_s, self.ground.horizon_s);
        }
    }

    /// Notes whether memory is as at the start, after something has happened.
    pub(super) fn note_fresh(&mut self, time_s: f64) {
        let is = self.is_fresh();
        if let Some(fresh) = &mut self.fresh {
            fresh.since = is.then(|| fresh.since.unwrap_or(time_s).max(self.away_until));
        }
    }

    fn is_fresh(&self) -> bool {
        self.tracked.is_empty()
            && self.cohort.blocks.is_empty()
            && self.hardened.is_empty()
            && self.hard.values().flatten().all(|hard| hard.mask == 0)
    }

    /// The windows of the history, once its episodes are complete.
    pub(super) fn windows(&self) -> Windows {
        let times = self.result.episodes.iter().filter_map(|episode| episode.first_critical_s);
        self.fresh.as_ref().map_or_else(Windows::default, |fresh| fresh.windows(times.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_where_memory_is_fresh_and_end_within_the_mission() {
        let mut fresh = Fresh::new(10.0);
        // Fresh to 25 s: windows at 0, 10 and 20 s. The third lasts to 30 s.
        fresh.until(25.0, 100.0);
        fresh.since = None;
        fresh.until(42.0, 100.0);
        // Fresh from 42 s to 47 s, and again from 48 s on: one window to 52 s, the next from there.
        fresh.since = Some(42.0);
        fresh.until(47.0, 100.0);
        fresh.since = Some(48.0);
        fresh.until(100.0, 100.0);
        assert_eq!(fresh.runs, [(0.0, 3), (42.0, 1), (52.0, 4)]);
        let held = |times: &[f64]| fresh.windows(times.to_vec()).held;
        assert_eq!(fresh.windows(Vec::new()), Windows { flown: 8, held: 8 });
        assert_eq!(held(&[5.0, 7.0, 9.0]), 7, "one window, however often");
        assert_eq!(held(&[35.0]), 8, "between windows");
        assert_eq!(held(&[95.0]), 8, "after the last one that fits");
        assert_eq!(held(&[9.99, 10.0, 52.0, 62.0, 91.9]), 3);
    }

    #[test]
    fn as_many_windows_as_seconds_take_no_longer() {
        let mut fresh = Fresh::new(1e-3);
        fresh.until(1e9, 1e9);
        assert_eq!(
            fresh.windows(vec![5e8]),
            Windows { flown: 1_000_000_000_000, held: 999_999_999_999 }
        );
    }
}
