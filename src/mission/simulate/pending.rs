//! The pending inference: the one that runs now, and waits for further strikes before it is counted.
//!
//! An inference has one outcome: the worst of what the state of its copy and the strikes on it alone
//! come to. So it is counted once, when a later inference begins.

use super::super::loss::Why;
use super::super::record::{Cause, Episode, Restored};
use super::{Action, Due, Simulation};
use crate::outcome::Outcome;
use crate::scheme::OnDue;

/// The inference that is not counted yet.
#[derive(Debug)]
pub(super) struct Pending {
    inference: u64,
    /// What the state of its copy comes to, where that is tracked.
    pub(super) state: Option<Outcome>,
    /// What it would have come to in the cohort, where a strike on it came to worse.
    cohort: Option<Outcome>,
    /// The episode of its copy, where that has ended meanwhile.
    ended: Option<Episode>,
    /// The worst strike on this inference alone.
    struck: Option<Episode>,
    /// The upset of the latest strike.
    latest: u32,
    /// Whether strikes on it are followed by a reload after a mismatch, and by what comes after a DUE.
    followed: [bool; 2],
}

/// A strike on one inference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct InferenceStrike {
    /// The upset.
    pub(super) upset: u32,
    /// When it happened.
    pub(super) start_s: f64,
    /// When the inference met it.
    pub(super) time_s: f64,
    pub(super) inference: u64,
    pub(super) cause: Cause,
    pub(super) outcome: Outcome,
}

impl InferenceStrike {
    fn episode(self, copy: u64) -> Episode {
        let begun = Episode::new(self.cause, self.upset, copy, self.start_s);
        let mut episode =
            Episode { upsets: 1, end_s: self.time_s, ended: Restored::Itself, ..begun };
        episode.count_one(self.outcome, self.time_s);
        episode
    }
}

impl Simulation<'_> {
    /// The latest inference that has begun. Half an inference after a read is still that inference.
    pub(super) fn pending_at(&self, time_s: f64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let begun = (time_s * self.ground.reads.per_s) as u64;
        self.pending.as_ref().map_or(begun, |pending| begun.max(pending.inference))
    }

    /// The time from which inferences are not counted yet.
    pub(super) fn uncounted_s(&self) -> f64 {
        let after = |pending: &Pending| self.ground.reads.after_s(pending.inference);
        self.pending.as_ref().map_or(0.0, after).max(self.away_until)
    }

    /// The first inference from `time_s` on that is not counted yet.
    pub(super) fn uncounted(&self, time_s: f64) -> u64 {
        let first = self.ground.reads.before(time_s);
        self.pending.as_ref().map_or(first, |pending| first.max(pending.inference + 1))
    }

    /// Lets an inference be the pending one, after counting an earlier one.
    pub(super) fn pend(&mut self, inference: u64) -> &mut Pending {
        self.count_before(inference);
        self.pending.get_or_insert(Pending {
            inference,
            state: None,
            cohort: None,
            ended: None,
            struck: None,
            latest: u32::MAX,
            followed: [false; 2],
        })
    }

    /// An inference is struck alone, unless the service is away.
    pub(super) fn strike(&mut self, strike: InferenceStrike) {
        let reads = self.ground.reads;
        let inference = strike.inference;
        if strike.outcome == Outcome::Masked || inference < reads.before(self.away_until) {
            return;
        }
        let copy = inference % reads.copies;
        self.settle(copy, reads.after_s(inference).max(strike.time_s));
        let cohort = self.cohort_outcome(inference);
        let pending = self.pend(inference);
        if let (None, None, Some(cohort)) = (pending.state, pending.cohort, cohort)
            && strike.outcome > cohort
        {
            pending.cohort = Some(cohort);
            self.take_one_from_cohort(inference, cohort);
        } else if pending.state.is_none() && cohort.is_some_and(|cohort| strike.outcome <= cohort) {
            return;
        }
        let pending = self.pend(inference);
        match &mut pending.struck {
            Some(known) => {
                let upsets = known.upsets + u32::from(pending.latest != strike.upset);
                if strike.outcome > known.worst() {
                    *known = strike.episode(copy);
                }
                known.upsets = upsets;
            }
            None => pending.struck = Some(strike.episode(copy)),
        }
        pending.latest = strike.upset;
        if pending.state.is_none_or(|state| strike.outcome > state) {
            self.follow(strike);
        }
    }

    /// Asks for what the scheme does after an inference that was struck alone.
    fn follow(&mut self, strike: InferenceStrike) {
        let InferenceStrike { inference, outcome, .. } = strike;
        let acts = match outcome {
            Outcome::DueRecovered => true,
            Outcome::Due | Outcome::Hang => self.terms.reader.scheme.on_due != OnDue::Keep,
            _ => false,
        };
        let lost = usize::from(outcome != Outcome::DueRecovered);
        let pending = self.pend(inference);
        if acts && !std::mem::replace(&mut pending.followed[lost], true) {
            let reads = self.ground.reads;
            let when = reads.after_s(inference).max(strike.time_s);
            self.at(when, inference % reads.copies, Action::Struck { outcome });
        }
    }

    /// A reload or a reset after an inference that was struck alone.
    pub(super) fn after_strike(&mut self, due: Due, outcome: Outcome) {
        if due.time_s < self.away_until {
            return;
        }
        let lost = outcome != Outcome::DueRecovered;
        if lost && self.terms.reader.scheme.on_due == OnDue::Reset {
            self.away(due.time_s, Why::Due, None);
        } else {
            self.reload_struck(due.copy, due.time_s);
        }
    }

    /// Counts the pending inference where it is before this one.
    pub(super) fn count_before(&mut self, inference: u64) {
        if self.pending.as_ref().is_some_and(|pending| pending.inference < inference) {
            self.count_pending();
        }
    }

    /// Counts the pending inference.
    pub(super) fn count_pending(&mut self) {
        let Some(mut pending) = self.pending.take() else { return };
        let reads = self.ground.reads;
        let state = pending.state.unwrap_or(Outcome::Masked);
        let struck = pending.struck.filter(|struck| struck.worst() > state);
        if struck.is_none() && pending.state.is_some() {
            let copy = pending.inference % reads.copies;
            let open = self.tracked.get_mut(&copy).map(|copy| &mut copy.episode);
            let episode = pending.ended.as_mut().or(open);
            if let Some(episode) = episode {
                episode.count_one(state, reads.time_s(pending.inference));
            }
        }
        for episode in pending.ended.into_iter().chain(struck) {
            self.keep(episode);
        }
    }

    /// Keeps the episode of a copy that was tracked, or lets it wait for the pending inference.
    pub(super) fn finish_episode(&mut self, episode: Episode) {
        let copies = self.ground.reads.copies;
        let waits = self.pending.as_mut().filter(|pending| {
            pending.inference % copies == episode.copy
                && pending.state.is_some()
                && pending.ended.is_none()
        });
        match waits {
            Some(pending) => pending.ended = Some(episode),
            None => self.keep(episode),
        }
    }
}
