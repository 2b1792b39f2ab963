//! What makes memory golden again: scrubs, reads that write back, reloads, resets; and how each of
//! them can be struck.

use super::super::loss::{Away, Why};
use super::super::record::{Restored, Upset, What};
use super::{Action, Due, Ground, Hard, Simulation};
use crate::outcome::Outcome;
use crate::scheme::memory::{Block, forget_clean};
use crate::scheme::{Decoded, OnDue, Placement, ScrubBy};

impl Simulation<'_> {
    /// Asks for the next pass of the patrol over these blocks, where it is not asked for already.
    pub(super) fn plan_visits(&mut self, copy: u64, time_s: f64, blocks: &[(u8, u32)]) {
        let Some((patrol, by)) = &self.patrol else { return };
        let visits: Vec<(f64, u8, u32)> = blocks
            .iter()
            .map(|(replica, block)| {
                let replica = if *by == ScrubBy::Vote { 0 } else { *replica };
                let share = self.share(*by, replica, copy, *block);
                (patrol.next(time_s, share), replica, *block)
            })
            .collect();
        for (when, replica, block) in visits {
            if self.visits.insert((copy, replica, block)) {
                self.at(when, copy, Action::Visit { replica, block });
            }
        }
    }

    /// Where in its pass the patrol meets a block: a scrub by vote reads all replicas at once, the
    /// others one replica after another.
    pub(super) fn share(&self, by: ScrubBy, replica: u8, copy: u64, block: u32) -> f64 {
        let layout = &self.terms.layout;
        let words = copy * u64::from(layout.tiling.copy_words)
            + u64::from(block) * u64::from(layout.block_words);
        let within =
            words as f64 / (layout.tiling.copies * u64::from(layout.tiling.copy_words)) as f64;
        match by {
            ScrubBy::Vote => within,
            _ => (f64::from(replica) + within) / layout.replica_count() as f64,
        }
    }

    pub(super) fn visit(&mut self, due: Due, replica: u8, block: u32) {
        let Some((_, by)) = &self.patrol else { return };
        let by = *by;
        self.visits.remove(&(due.copy, replica, block));
        self.settle(due.copy, due.time_s);
        let reader = &self.terms.reader;
        let Some(copy) = self.tracked.get_mut(&due.copy) else { return };
        let before = copy.blocks.clone();
        let (mut corrected, mut uncorrectable) = (0, 0);
        match by {
            ScrubBy::Ecc => {
                (corrected, uncorrectable) =
                    reader.decode(&mut copy.blocks, Some((replica, block)));
            }
            ScrubBy::Vote => {
                reader.vote(&mut copy.blocks, Some(block), |_, _, _| ());
            }
            ScrubBy::Reload => {
                self.write_stored(due.copy, |r, b| (r, b) == (replica, block));
            }
        }
        if corrected > 0 {
            self.scrub_corrected(due, (replica, block), before.get(&(replica, block)));
        }
        self.assert_hard(due.copy, due.time_s, |hard| {
            hard.block == block && (hard.replica == replica || by == ScrubBy::Vote)
        });
        let Some(copy) = self.tracked.get_mut(&due.copy) else { return };
        forget_clean(&mut copy.blocks);
        self.result.scrub_uncorrectable += u64::from(uncorrectable);
        let unchanged = copy.blocks == before;
        if uncorrectable > 0 {
            self.ras_uncorrectable(due.time_s, due.copy, (replica, block));
        }
        if unchanged {
            return;
        }
        self.result.scrub_repaired += 1;
        self.changed(due.copy, due.time_s, u32::MAX, Restored::Scrub);
    }

    /// Of the cells that were written, stuck ones assert themselves at once, and weak ones lose
    /// their charge later.
    pub(super) fn assert_hard(&mut self, copy: u64, time_s: f64, written: impl Fn(&Hard) -> bool) {
        let hard = self.hard.get(&copy).cloned().unwrap_or_default();
        for (at, hard) in hard.iter().enumerate().filter(|(_, h)| h.mask != 0 && written(h)) {
            if hard.retention_s > 0.0 {
                self.at(time_s + hard.retention_s, copy, Action::Weak { hard: at });
            } else {
                self.set_hard(copy, hard);
            }
        }
    }

    pub(super) fn set_hard(&mut self, copy: u64, hard: &Hard) {
        let words = self.terms.layout.block_words;
        if let Some(copy) = self.tracked.get_mut(&copy) {
            let key = (hard.replica, hard.block);
            copy.blocks.entry(key).or_insert_with(|| Block::clean(words)).0[hard.word] |= hard.mask;
        }
    }

    pub(super) fn weak(&mut self, due: Due, hard: usize) {
        let hard = self.hard.get(&due.copy).and_then(|all| all.get(hard)).cloned();
        let Some(hard) = hard.filter(|hard| hard.mask != 0) else { return };
        let upset = Upset {
            id: u32::MAX,
            time_s: due.time_s,
            device: 0,
            mode: u16::MAX,
            place: 0,
            what: What::LogicSdc,
        };
        self.track(due.copy, &upset);
        self.set_hard(due.copy, &hard);
        self.plan_visits(due.copy, due.time_s, &[(hard.replica, hard.block)]);
        self.changed(due.copy, due.time_s, u32::MAX, Restored::Upset);
    }

    pub(super) fn acting_read(&mut self, due: Due, version: u32, inference: u64) {
        let Some(copy) = self.tracked.get(&due.copy) else { return };
        if copy.version != version {
            return;
        }
        let Some(rows) = copy.rows.clone() else { return };
        let reads = self.ground.reads;
        // The read itself is counted: inferences before the instant after it.
        let after = reads.after_s(inference);
        self.settle(due.copy, after);
        let input = usize::try_from(inference % reads.inputs).unwrap_or(0);
        match rows[input].outcome() {
            Outcome::DueRecovered => self.reload(due.copy, after),
            Outcome::Due | Outcome::Hang => self.after_due(due.copy, after),
            _ => self.write_back(due.copy, after),
        }
    }

    pub(super) fn after_due(&mut self, at: u64, time_s: f64) {
        if let Some(code) = self.terms.reader.scheme.code {
            let lost = |block: &Block| block.clone().decode(code) == Decoded::Uncorrectable;
            let blocks = self.tracked.get(&at).map(|copy| copy.blocks.clone()).unwrap_or_default();
            for ((replica, at_block), _) in blocks.iter().filter(|(_, block)| lost(block)) {
                self.ras_uncorrectable(time_s, at, (*replica, *at_block));
            }
        }
        match self.terms.reader.scheme.on_due {
            OnDue::Keep => {}
            OnDue::Reload => self.reload(at, time_s),
            OnDue::Reset => self.away(time_s, Why::Due, None),
        }
    }

    pub(super) fn write_back(&mut self, at: u64, time_s: f64) {
        let reader = &self.terms.reader;
        let Some(copy) = self.tracked.get_mut(&at) else { return };
        let before = copy.blocks.clone();
        let repaired = reader.put_right(&mut copy.blocks);
        copy.noted.retain(|key, _| copy.blocks.get(key) == before.get(key));
        forget_clean(&mut copy.blocks);
        self.assert_hard(at, time_s, |hard| before.contains_key(&(hard.replica, hard.block)));
        let Some(copy) = self.tracked.get(&at) else { return };
        if copy.blocks == before {
            return;
        }
        self.result.read_repaired += u64::from(repaired);
        self.changed(at, time_s, u32::MAX, Restored::Read);
    }

    /// Hardened storage is written over all replicas of a tracked copy.
    pub(super) fn reload(&mut self, at: u64, time_s: f64) {
        self.result.reloads += 1;
        self.write_stored(at, |_, _| true);
        self.assert_hard(at, time_s, |_| true);
        self.changed(at, time_s, u32::MAX, Restored::Reload);
    }

    /// The same where the copy may be in the cohort: it alone comes to hold the errors of hardened
    /// storage that the cohort does not hold yet, and is tracked for them.
    pub(super) fn reload_struck(&mut self, at: u64, time_s: f64) {
        if let Some(upset) = self.error_beyond_cohort().filter(|_| !self.tracked.contains_key(&at))
        {
            self.track(at, &Upset { time_s, ..upset });
        }
        self.settle(at, time_s);
        self.reload(at, time_s);
    }

    /// Makes the check word fit a data word that was written with these bits wrong.
    pub(super) fn valid_check(
        &mut self,
        copy: u64,
        replica: u8,
        block: u32,
        within: usize,
        mask: u32,
    ) {
        let Some(code) = self.terms.layout.code else { return };
        let words = self.terms.layout.block_words;
        let mut written = Block::clean(words);
        written.0[within] = mask;
        written.encode(code);
        let words = words as usize;
        self.flip(copy, replica, block, words, written.0[words]);
    }

    /// A SEFI or a latch-up of one device, or a fall of its host: each device has one of its own.
    pub(super) fn interrupt(&mut self, upset: &Upset) {
        if upset.device >= self.terms.layout.devices {
            return;
        }
        let Some(why) = upset.what.stops() else { return };
        let Upset { id, time_s, device, .. } = *upset;
        let scheme = &self.terms.reader.scheme;
        if scheme.placement == Placement::Device && self.terms.layout.devices >= 3 {
            // The other two carry on; the replica is written anew when its device is back.
            let start_s = time_s;
            let away = Away { time_s, start_s, length_s: 0.0, device, upset: id, why };
            self.result.away.push(away);
            self.lose_replica(u8::try_from(device).unwrap_or(0), time_s);
        } else {
            self.away(time_s, why, Some(upset));
        }
    }

    /// One replica is loaded anew.
    pub(super) fn lose_replica(&mut self, replica: u8, time_s: f64) {
        let at = self.tracked_copies();
        for at in &at {
            self.settle(*at, time_s);
        }
        self.reset_cohort(time_s, time_s, Some(replica));
        for at in at {
            let Some(copy) = self.tracked.get(&at) else { continue };
            let before = copy.blocks.clone();
            self.write_stored(at, |of, _| of == replica);
            self.assert_hard(at, time_s, |hard| hard.replica == replica);
            if self.tracked.get(&at).is_some_and(|copy| copy.blocks != before) {
                let blocks = self.tracked[&at].blocks.keys().copied();
                let written: Vec<(u8, u32)> = blocks.filter(|(of, _)| *of == replica).collect();
                self.plan_visits(at, time_s, &written);
                self.changed(at, time_s, u32::MAX, Restored::Reset);
            }
        }
    }

    /// The service is away, and memory is loaded anew.
    pub(super) fn away(&mut self, time_s: f64, why: Why, upset: Option<&Upset>) {
        let Ground { reset_s, host_reset_s, .. } = *self.ground;
        let seconds = if why.is_host() { host_reset_s } else { reset_s };
        let start = time_s.max(self.away_until).min(self.ground.horizon_s);
        let end = (time_s + seconds).max(self.away_until).min(self.ground.horizon_s);
        self.result.first_away_s.get_or_insert(time_s);
        let all = if self.terms.layout.devices == 1 { 0 } else { u32::MAX };
        self.result.away.push(Away {
            time_s,
            start_s: start,
            length_s: end - start,
            device: upset.map_or(all, |upset| upset.device),
            upset: upset.map_or(u32::MAX, |upset| upset.id),
            why,
        });
        let reads = self.ground.reads;
        self.result.unavailable += reads.before(end).saturating_sub(self.uncounted(start));
        let at = self.tracked_copies();
        for at in &at {
            self.settle(*at, time_s);
        }
        self.reset_cohort(time_s, end, None);
        for at in at {
            if let Some(copy) = self.tracked.get_mut(&at) {
                copy.since = copy.since.max(end);
            }
            self.write_stored(at, |_, _| true);
            self.assert_hard(at, end, |_| true);
            self.changed(at, time_s, u32::MAX, Restored::Reset);
        }
        self.away_until = end;
    }

    pub(super) fn scrubber_upset(&mut self, upset: &Upset, bit: u32) {
        let Some((patrol, by)) = self.patrol.clone() else { return };
        let layout = &self.terms.layout;
        let replicas = layout.replica_count();
        let passes = patrol.passes(upset.time_s);
        let share = passes - passes.floor();
        let position = if by == ScrubBy::Vote { share } else { share * replicas as f64 };
        let words = (layout.tiling.copies * u64::from(layout.tiling.copy_words)) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let at = ((position - position.floor()) * words) as u64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 3")]
        let replica = position.floor() as u8;
        let copy_words = u64::from(layout.tiling.copy_words);
        let copy = at / copy_words;
        let block_words = layout.block_words;
        let block = u32::try_from(at % copy_words).unwrap_or(0) / block_words;
        let within = (bit / 32 % block_words) as usize;
        let mask = 1 << (bit % 32);
        let struck = if by == ScrubBy::Vote {
            0..u8::try_from(replicas).unwrap_or(3)
        } else {
            replica..replica + 1
        };
        self.track(copy, upset);
        let mut changed = Vec::new();
        for replica in struck {
            self.flip(copy, replica, block, within, mask);
            self.valid_check(copy, replica, block, within, mask);
            changed.push((replica, block));
        }
        self.plan_visits(copy, upset.time_s, &changed);
        self.changed(copy, upset.time_s, upset.id, Restored::Upset);
    }
}
