//! Memory between inferences: golden loaded, reloads, scrubs, and the restoration with its proof.

use super::super::Error;
use super::super::footprint::Target;
use super::Direct;
use super::batch::{Lane, narrow};
use super::proof::{Owner, Strikes};
use super::read::Ways;
use crate::gpu::{Buffer, Pass};
use crate::outcome::Outcome;
use crate::scheme::{OnDue, Scheme, ScrubBy};
use crate::stage::checksum::ChecksumParams;
use crate::stage::inject::Strike;
use crate::stage::load::LoadParams;
use std::ops::Range;

impl Direct {
    /// Golden inputs of this step in every copy; the weights too where the images are new.
    pub(super) fn load_step(
        &mut self,
        copies: u32,
        step: u32,
        lanes: &mut [Lane],
    ) -> Result<(), Error> {
        let count = u32::try_from(self.windows.count()).unwrap_or(u32::MAX);
        let windows: Vec<u32> =
            lanes.iter().map(|lane| (lane.first_window + step) % count).collect();
        let layout = self.layout;
        for (index, lane) in lanes.iter_mut().enumerate() {
            let touched = lane.touched.len();
            lane.touched.retain(|word| !layout.is_input(*word));
            lane.stuck.retain(|fault| fault.row.is_none());
            if lane.touched.len() < touched
                && let Some(loaded) = self.memory.loaded.get_mut(index)
            {
                *loaded = u32::MAX;
            }
        }
        self.load_images(&windows, copies)
    }

    /// Makes lane i's images golden with window `windows[i]`, loading what is not there yet.
    pub(super) fn load_images(&mut self, windows: &[u32], copies: u32) -> Result<(), Error> {
        let known = self.memory.loaded.len();
        let slots = |lane: usize| (0..copies).map(move |copy| narrow(lane) * copies + copy);
        let fresh: Vec<[u32; 2]> =
            (known..windows.len()).flat_map(|lane| slots(lane).map(|slot| [slot, 0])).collect();
        self.memory.loaded.resize(known.max(windows.len()), u32::MAX);
        let stale: Vec<[u32; 2]> = (0..windows.len())
            .filter(|lane| self.memory.loaded[*lane] != windows[*lane])
            .flat_map(|lane| slots(lane).map(move |slot| [slot, windows[lane]]))
            .collect();
        self.memory.loaded[..windows.len()].copy_from_slice(windows);
        self.gpu.submit(|pass| {
            self.encode_load_stored(pass, &fresh);
            let (weights, inputs) = (self.layout.weights, self.layout.inputs);
            self.encode_load(pass, weights, weights..weights + inputs, inputs, &stale);
        })?;
        Ok(())
    }

    /// Records golden weights and check words over these (slot, 0).
    fn encode_load_stored(&self, pass: &mut Pass<'_>, slots: &[[u32; 2]]) {
        let layout = &self.layout;
        let windows = narrow(self.windows.count());
        let checks = layout.golden_word(layout.check_base(), 0, windows);
        self.encode_load(pass, 0, 0..layout.weights, 0, slots);
        self.encode_load(pass, checks, layout.check_base()..layout.image(), 0, slots);
    }

    /// Records golden from `source` on over these words of the (slot, window) in the list; windows
    /// are `stride` words apart.
    fn encode_load(
        &self,
        pass: &mut Pass<'_>,
        source: u32,
        words: Range<u32>,
        stride: u32,
        list: &[[u32; 2]],
    ) {
        if list.is_empty() || words.is_empty() {
            return;
        }
        let params = LoadParams {
            quads: (words.end - words.start) / 4,
            src_base: source / 4,
            src_stride: stride / 4,
            dst_base: words.start / 4,
            dst_stride: self.layout.image() / 4,
            pad: [0; 3],
        };
        let uniform = self.gpu.uniform("load", &params);
        let list = self.gpu.list("load list", list);
        let (golden, image) = (&self.memory.golden.buffer, &self.memory.image);
        self.kernels.load.encode(pass, (&params, &uniform), &list, golden, image);
    }

    /// What follows the inferences of a step in an accumulation: a reload after a DUE, the scrub.
    pub(super) fn maintain(
        &self,
        scheme: &Scheme,
        step: u32,
        lanes: &mut [Lane],
    ) -> Result<(), Error> {
        if scheme.on_due == OnDue::Reload {
            let counted = self.layout.counted as usize;
            let due = |lane: &Lane| {
                let last = lane.result.rows.len() - counted;
                lane.result.rows[last..].iter().any(|row| row.outcome() == Outcome::Due)
            };
            let subset: Vec<usize> = (0..lanes.len()).filter(|lane| due(&lanes[*lane])).collect();
            self.reload(scheme, lanes, &subset)?;
        }
        match &scheme.scrub {
            Some(scrub) if scrub.every_steps().is_some_and(|n| (step + 1).is_multiple_of(n)) => {
                self.scrub(scheme, scrub.by, lanes)
            }
            _ => Ok(()),
        }
    }

    /// Golden over every touched word of these lanes, in all copies; stuck bits assert themselves.
    pub(super) fn reload(
        &self,
        scheme: &Scheme,
        lanes: &mut [Lane],
        subset: &[usize],
    ) -> Result<(), Error> {
        let copies = scheme.copies();
        let list = self.restoration_of(copies, lanes, subset);
        for lane in subset {
            let lane = &mut lanes[*lane];
            lane.result.reloads += 1;
            lane.touched =
                lane.stuck.iter().flat_map(|fault| self.layout.beside(fault.word)).collect();
        }
        let stuck = self.stuck_strikes(copies, lanes, subset);
        self.gpu.submit(|pass| {
            if !list.is_empty() {
                let list = self.gpu.list("restore list", &list);
                let (golden, image) = (&self.memory.golden.buffer, &self.memory.image);
                self.kernels.restore.encode(pass, &list, golden, image);
            }
            if let Some(stuck) = &stuck {
                self.encode_strikes(pass, stuck, &self.memory.image);
            }
        })?;
        Ok(())
    }

    pub(super) fn stuck_strikes(
        &self,
        copies: u32,
        lanes: &[Lane],
        subset: &[usize],
    ) -> Option<Strikes> {
        let mut strikes: Vec<Vec<(Strike, Owner)>> = vec![Vec::new(); lanes.len()];
        for index in subset {
            for fault in &lanes[*index].stuck {
                if let Target::Image { copy } = fault.target {
                    strikes[*index].push((fault.strike(narrow(*index) * copies + copy), None));
                }
            }
        }
        self.strikes(self.layout.image(), strikes)
    }

    /// The periodic scrub over the whole of every image; what it did is seen at the touched words.
    fn scrub(&self, scheme: &Scheme, by: ScrubBy, lanes: &mut [Lane]) -> Result<(), Error> {
        let copies = scheme.copies();
        let image = self.layout.image();
        let stored = |word: &&u32| !self.layout.is_input(**word);
        let mut at = Vec::new();
        for (index, lane) in lanes.iter().enumerate() {
            for word in lane.touched.iter().filter(stored) {
                at.extend((0..copies).map(|copy| (narrow(index) * copies + copy) * image + word));
            }
        }
        let subset: Vec<usize> = (0..lanes.len()).collect();
        let stuck = self.stuck_strikes(copies, lanes, &subset);
        let list = self.gpu.list("scrub list", &at);
        let before: Buffer<u32> = self.gpu.zeroed("words before the scrub", at.len());
        let after: Buffer<u32> = self.gpu.zeroed("words after the scrub", at.len());
        let words = (self.layout.rows as usize + 1).max(2 * copies as usize);
        let scratch: Buffer<u32> = self.gpu.zeroed("scrub findings", lanes.len() * words);
        let slots: Vec<[u32; 2]> =
            (0..narrow(lanes.len()) * copies).map(|slot| [slot, 0]).collect();
        let memory = &self.memory;
        self.gpu.submit(|pass| {
            if !at.is_empty() {
                self.kernels.gather.encode(pass, &list, &memory.image, &before);
            }
            match by {
                ScrubBy::Vote => {
                    let copies = (&memory.image, true);
                    self.encode_vote(pass, scheme, lanes.len(), copies, &scratch);
                }
                ScrubBy::Reload => self.encode_load_stored(pass, &slots),
                ScrubBy::Ecc => {
                    let ways = Ways { repair: true, deliver: false };
                    self.encode_decode(pass, scheme, lanes.len(), ways, &scratch);
                }
            }
            if let Some(stuck) = &stuck {
                self.encode_strikes(pass, stuck, &memory.image);
            }
            if !at.is_empty() {
                self.kernels.gather.encode(pass, &list, &memory.image, &after);
            }
        })?;
        let read = self.gpu.read_words(&[(&before, at.len()), (&after, at.len())])?;
        let mut groups = read[0].chunks(copies as usize).zip(read[1].chunks(copies as usize));
        for lane in lanes.iter_mut() {
            let words: Vec<u32> = lane.touched.iter().filter(stored).copied().collect();
            let mut wrong = Vec::new();
            for word in words {
                let Some((before, after)) = groups.next() else { break };
                let golden = self.golden_word(word);
                let was = before.iter().any(|w| *w != golden);
                let is = after.iter().any(|w| *w != golden);
                lane.result.scrub_repaired += u64::from(was && !is);
                lane.result.scrub_uncorrectable += u64::from(is);
                if is || lane.stuck.iter().any(|fault| fault.word == word) {
                    wrong.push(word);
                } else {
                    lane.touched.remove(&word);
                }
            }
            lane.touched.extend(wrong.into_iter().flat_map(|word| self.layout.beside(word)));
        }
        Ok(())
    }

    /// Golden of a stored word.
    fn golden_word(&self, word: u32) -> u32 {
        let at = self.layout.golden_word(word, 0, narrow(self.windows.count()));
        self.memory.golden.words[at as usize]
    }

    /// The list that makes these lanes golden: every touched word of every copy.
    fn restoration_of(&self, copies: u32, lanes: &[Lane], subset: &[usize]) -> Vec<[u32; 2]> {
        let image = self.layout.image();
        let windows = narrow(self.windows.count());
        let mut list = Vec::new();
        for index in subset {
            let window = self.memory.loaded[*index];
            for word in &lanes[*index].touched {
                let golden = self.layout.golden_word(*word, window, windows);
                list.extend(
                    (0..copies)
                        .map(|copy| [(narrow(*index) * copies + copy) * image + word, golden]),
                );
            }
        }
        list
    }

    pub(super) fn restoration(&self, copies: u32, lanes: &[Lane]) -> Vec<[u32; 2]> {
        self.restoration_of(copies, lanes, &(0..lanes.len()).collect::<Vec<_>>())
    }

    /// Records the restoration and the checksum of every image.
    pub(super) fn encode_restore(
        &self,
        pass: &mut Pass<'_>,
        copies: u32,
        count: usize,
        list: &[[u32; 2]],
    ) {
        let memory = &self.memory;
        if !list.is_empty() {
            let list = self.gpu.list("restore list", list);
            self.kernels.restore.encode(pass, &list, &memory.golden.buffer, &memory.image);
        }
        pass.clear(&memory.sums);
        let image = self.layout.image();
        let params = ChecksumParams::new(image, image, narrow(count) * copies);
        let uniform = self.gpu.uniform("checksum", &params);
        self.kernels.checksum.encode(pass, (&params, &uniform), &memory.image, &memory.sums);
    }

    /// Makes every image golden and gives the checksums.
    pub(super) fn restore(&self, scheme: &Scheme, lanes: &mut [Lane]) -> Result<Vec<u32>, Error> {
        let copies = scheme.copies();
        let list = self.restoration(copies, lanes);
        lanes.iter_mut().for_each(|lane| lane.touched.clear());
        self.gpu.submit(|pass| self.encode_restore(pass, copies, lanes.len(), &list))?;
        let words = lanes.len() * copies as usize;
        Ok(self.gpu.read_words(&[(&self.memory.sums, words)])?.remove(0))
    }

    pub(super) fn prove_golden(
        &self,
        scheme: &Scheme,
        count: usize,
        sums: &[u32],
    ) -> Result<(), Error> {
        let copies = scheme.copies() as usize;
        for lane in 0..count {
            let want = self.memory.golden.sums[self.memory.loaded[lane] as usize];
            if sums[lane * copies..][..copies].iter().any(|sum| *sum != want) {
                return Err(Error::NotRestored { lane: narrow(lane) });
            }
        }
        Ok(())
    }
}
