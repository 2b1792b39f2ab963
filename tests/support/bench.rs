//! Missions without a workload: every state that differs is a wrong answer.
#![allow(dead_code, reason = "each binary uses its own part")]

use beamline::device::{AntiRows, Hit, Memory, PatternShape, Persistence, Polarity, StruckEntry};
use beamline::mission::{
    Ground, Patrol, Reader, Reads, SchemeHistory, SchemeLayout, State, StateRows, Terms, Tiling,
    Upset, Values, What, simulate,
};
use beamline::outcome::{InferenceRow, Outcome};
use beamline::scheme::{Code, Period, Protection, Scheme, Scrub, ScrubBy};
use std::sync::Arc;

/// One scheme on a memory of its own.
pub(crate) struct Bench {
    pub(crate) ground: Ground,
    pub(crate) terms: Terms,
    /// Where on its track a history begins.
    pub(crate) start_s: f64,
}

/// Says of every state that differs that it answers wrongly.
struct Wrong;

impl StateRows for Wrong {
    fn rows(&mut self, _: usize, _: &State) -> Option<Arc<[InferenceRow]>> {
        Some(vec![InferenceRow(Outcome::CriticalSdc as u32)].into())
    }
}

/// An entry's mask with one bit: data, then the sideband.
pub(crate) fn bit(bit: usize) -> [u32; 9] {
    let mut mask = [0; 9];
    mask[bit / 32] = 1 << (bit % 32);
    mask
}

/// A scheme with a protection, a code and a scrub.
pub(crate) fn scheme(protection: Protection, code: Option<Code>, scrub: Option<Scrub>) -> Scheme {
    Scheme { code, scrub, ..Scheme::bare("under test", protection) }
}

/// A scrub with a period.
pub(crate) fn scrub(seconds: f64, by: ScrubBy, random: bool) -> Scrub {
    Scrub { random, ..Scrub::seconds(seconds, by) }
}

impl Bench {
    /// Copies of an image of ones, each read `reads` times a second.
    pub(crate) fn new(scheme: &Scheme, image_words: u32, copies: u64, reads: f64) -> Self {
        Self::on("h100-80gb", scheme, image_words, copies, reads)
    }

    /// The same on a memory by its name.
    pub(crate) fn on(name: &str, scheme: &Scheme, image: u32, copies: u64, reads: f64) -> Self {
        let memory = Memory::load(name).expect("shipped").0;
        let image_words = image;
        let map = memory.map;
        let bytes = 4 * copies * u64::from(image_words).next_multiple_of(576);
        let tiling = Tiling::new(image_words, Some(bytes)).expect("it fits");
        assert_eq!(tiling.copies, copies);
        let layout = SchemeLayout::new((0, scheme), tiling, (&memory, map), (0, 0));
        let layout = layout.expect("it fits");
        let golden = vec![u32::MAX; tiling.copy_words as usize];
        let blocks = golden.chunks(layout.block_words as usize);
        let checks =
            scheme.code.map_or_else(Vec::new, |code| blocks.map(|b| code.encode(b)).collect());
        let patrol = scheme.scrub.as_ref().map(|scrub| match scrub.every {
            Period::Seconds(mean_s) if scrub.random => (Patrol::Random(mean_s), scrub.by),
            Period::Seconds(period_s) => (Patrol::Periodic(period_s), scrub.by),
            Period::Steps(_) | Period::OfPatrol => panic!("a mission has seconds"),
        });
        let ground = Ground {
            horizon_s: 1000.0,
            reads: Reads { per_s: reads * copies as f64, copies, inputs: 1 },
            duty: 0.25,
            reset_s: 60.0,
            host_reset_s: 600.0,
            memory: Arc::new(memory),
            map,
            polarity: vec![(Polarity::Toggle, AntiRows::None)],
            golden: golden.into(),
            values: Values::default(),
            keep_changes: true,
            window_s: None,
        };
        let reader =
            Reader { scheme: scheme.clone(), protected: None, image_words, coded_words: u32::MAX };
        let terms = Terms { index: 0, reader, layout, patrol, checks };
        Self { ground, terms, start_s: 0.0 }
    }

    /// The same with an entry of a key-value cache and one of activations: one op's eight values.
    pub(crate) fn with_values(mut self) -> Self {
        let (scheme, tiling) = (&self.terms.reader.scheme, self.terms.layout.tiling);
        let memory = (&*self.ground.memory, self.ground.map);
        self.terms.layout =
            SchemeLayout::new((0, scheme), tiling, memory, (32, 32)).expect("it fits");
        self.ground.values = Values { ops: vec![(0, 8)] };
        self
    }

    /// The entries of the key-value cache and the activations.
    pub(crate) const fn values_at(&self) -> [u64; 2] {
        let end = self.terms.layout.used_entries();
        [end - 2, end - 1]
    }

    /// The same where struck cells lose their charge.
    pub(crate) fn discharging(mut self) -> Self {
        self.ground.polarity = vec![(Polarity::Discharge, AntiRows::None)];
        self
    }

    /// The strike of an entry of a copy in a replica, counted from the copy's first entry.
    pub(crate) fn strike(&self, replica: u8, copy: u64, entry: u64, mask: [u32; 9]) -> StruckEntry {
        StruckEntry { entry: self.terms.layout.home(replica, copy, 0).1 + entry, mask }
    }

    /// An upset of one entry.
    pub(crate) fn hit(
        &self,
        time_s: f64,
        (replica, copy, entry): (u8, u64, u64),
        mask: [u32; 9],
    ) -> Upset {
        let device = self.terms.layout.home(replica, copy, 0).0;
        let strikes = vec![self.strike(replica, copy, entry, mask)];
        Upset { device, ..upset(time_s, memory(strikes, Persistence::Transient)) }
    }

    /// What becomes of upsets in any order.
    pub(crate) fn run(&self, mut upsets: Vec<Upset>) -> SchemeHistory {
        upsets.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        for (id, upset) in (0u32..).zip(&mut upsets) {
            upset.id = id;
        }
        simulate(&self.ground, &self.terms, (self.start_s, &upsets), &mut Wrong)
    }
}

/// Struck bits of memory.
pub(crate) fn memory(strikes: Vec<StruckEntry>, persistence: Persistence) -> What {
    What::Memory(Hit { shape: PatternShape::SingleBit, persistence, strikes })
}

/// An upset of the first device.
pub(crate) fn upset(time_s: f64, what: What) -> Upset {
    Upset { id: 0, time_s, device: 0, mode: 0, place: 0, what }
}
