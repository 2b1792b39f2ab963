//! One inference has one outcome: the worst of what the state of its copy and the strikes on it
//! alone come to.
//!
//! The inference at hand is put aside when its copy is counted, since a strike may still come, and
//! counted once when a later one begins.

use super::super::loss::Why;
use super::super::record::{Cause, Ended, Episode};
use super::{Action, Due, Simulation};
use crate::outcome::Outcome;
use crate::scheme::OnDue;

/// The inference at hand.
#[derive(Debug)]
pub(super) struct Current {
    inference: u64,
    /// What the state of its copy comes to, where that differs from golden.
    state: Option<Outcome>,
    /// What it would have come to where its copy is as all are, and it was struck for worse.
    common: Option<Outcome>,
    /// The episode of that state, where it has ended meanwhile.
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
pub(in crate::mission) struct Strike {
    /// The upset.
    pub(in crate::mission) upset: u32,
    /// When it happened.
    pub(in crate::mission) start_s: f64,
    /// When the inference met it.
    pub(in crate::mission) time_s: f64,
    pub(in crate::mission) inference: u64,
    pub(in crate::mission) cause: Cause,
    pub(in crate::mission) outcome: Outcome,
}

impl Strike {
    fn episode(self, copy: u64) -> Episode {
        let mut outcomes = [0; 7];
        outcomes[self.outcome as usize] = 1;
        let when = |is: bool| is.then_some(self.time_s);
        Episode {
            cause: self.cause,
            upset: self.upset,
            upsets: 1,
            copy,
            start_s: self.start_s,
            first_effect_s: when(self.outcome >= Outcome::DueRecovered),
            first_critical_s: when(self.outcome == Outcome::CriticalSdc),
            end_s: self.time_s,
            ended: Ended::Itself,
            outcomes,
        }
    }
}

impl Simulation<'_> {
    /// The inference at hand at a time. Half an inference after a read is still that inference.
    pub(super) fn at_hand(&self, time_s: f64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let begun = (time_s * self.ground.reads.per_s) as u64;
        self.current.as_ref().map_or(begun, |current| begun.max(current.inference))
    }

    /// The time from which inferences are not counted yet.
    pub(super) fn uncounted_s(&self) -> f64 {
        let after = |current: &Current| self.ground.reads.after_s(current.inference);
        self.current.as_ref().map_or(0.0, after).max(self.away_until)
    }

    /// The first inference from `time_s` on that is not counted yet.
    pub(super) fn uncounted(&self, time_s: f64) -> u64 {
        let first = self.ground.reads.before(time_s);
        self.current.as_ref().map_or(first, |current| first.max(current.inference + 1))
    }

    /// Puts the inference at hand aside, with what the state of its copy comes to.
    pub(super) fn put_aside(&mut self, inference: u64, outcome: Outcome) {
        self.current_at(inference).state = Some(outcome);
    }

    fn current_at(&mut self, inference: u64) -> &mut Current {
        self.count_before(inference);
        self.current.get_or_insert(Current {
            inference,
            state: None,
            common: None,
            ended: None,
            struck: None,
            latest: u32::MAX,
            followed: [false; 2],
        })
    }

    /// An inference is struck alone; `false` where the service is away.
    pub(in crate::mission) fn strike(&mut self, strike: Strike) -> bool {
        let reads = self.ground.reads;
        let inference = strike.inference;
        if strike.outcome == Outcome::Masked || inference < reads.before(self.away_until) {
            return false;
        }
        let copy = inference % reads.copies;
        self.settle(copy, reads.after_s(inference).max(strike.time_s));
        let common = self.common_outcome(inference);
        let current = self.current_at(inference);
        if let (None, None, Some(common)) = (current.state, current.common, common)
            && strike.outcome > common
        {
            current.common = Some(common);
            self.take_one(inference, common);
        } else if current.state.is_none() && common.is_some_and(|common| strike.outcome <= common) {
            return true;
        }
        let current = self.current_at(inference);
        match &mut current.struck {
            Some(known) => {
                let upsets = known.upsets + u32::from(current.latest != strike.upset);
                if strike.outcome > known.worst() {
                    *known = strike.episode(copy);
                }
                known.upsets = upsets;
            }
            None => current.struck = Some(strike.episode(copy)),
        }
        current.latest = strike.upset;
        if current.state.is_none_or(|state| strike.outcome > state) {
            self.follow(strike);
        }
        true
    }

    /// Asks for what the scheme does after an inference that was struck alone.
    fn follow(&mut self, strike: Strike) {
        let Strike { inference, outcome, .. } = strike;
        let acts = match outcome {
            Outcome::DueRecovered => true,
            Outcome::Due | Outcome::Hang => self.terms.reader.scheme.on_due != OnDue::Keep,
            _ => false,
        };
        let lost = usize::from(outcome != Outcome::DueRecovered);
        let current = self.current_at(inference);
        if acts && !std::mem::replace(&mut current.followed[lost], true) {
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

    /// Counts the inference at hand where it is before this one.
    pub(super) fn count_before(&mut self, inference: u64) {
        if self.current.as_ref().is_some_and(|current| current.inference < inference) {
            self.count_current();
        }
    }

    /// Counts the inference at hand.
    pub(super) fn count_current(&mut self) {
        let Some(mut current) = self.current.take() else { return };
        let reads = self.ground.reads;
        let state = current.state.unwrap_or(Outcome::Masked);
        let struck = current.struck.filter(|struck| struck.worst() > state);
        if struck.is_none() && current.state.is_some() {
            let copy = current.inference % reads.copies;
            let open = self.copies.get_mut(&copy).map(|copy| &mut copy.episode);
            let episode = current.ended.as_mut().or(open);
            if let Some(episode) = episode {
                episode.count_one(state, reads.time_s(current.inference));
            }
        }
        for episode in current.ended.into_iter().chain(struck) {
            self.keep(episode);
        }
    }

    /// Keeps the episode of a copy that has ended, or lets it wait for the inference at hand.
    pub(super) fn ended(&mut self, episode: Episode) {
        let copies = self.ground.reads.copies;
        let waits = self.current.as_mut().filter(|current| {
            current.inference % copies == episode.copy
                && current.state.is_some()
                && current.ended.is_none()
        });
        match waits {
            Some(current) => current.ended = Some(episode),
            None => self.keep(episode),
        }
    }
}
