//! Stored words as the ops read them: as they lie, voted from three copies, or decoded.
//!
//! The shaders have the same in `shaders/lib/stored.wgsl`. A vote or a decoding on load gives the op
//! the very words that the vote or decode stage would have delivered to it.

use super::decode::{BlockParams, Decode};
use super::random_words;
use super::vote::{self, Vote, VoteParams, majority3};
use crate::gpu::{Error, Gpu};
use crate::op::{Form, Stored};
use crate::scheme::Code;
use crate::scheme::code::Decoded;
use rand::{Rng, RngExt};

/// What an op reads of one slot, and of each data word whether it could not be corrected.
pub fn delivered(stored: Stored, slot: &[u32]) -> (Vec<u32>, Vec<bool>) {
    match stored.form {
        Form::Bare => (slot.to_vec(), vec![false; slot.len()]),
        Form::Voted => {
            let stride = stored.copy_stride as usize;
            let vote = |at: usize| majority3(slot[at], slot[at + stride], slot[at + 2 * stride]);
            ((0..stride).map(vote).collect(), vec![false; stride])
        }
        Form::Decoded => {
            let words = stored.words as usize;
            let (mut read, mut lost) = (Vec::new(), Vec::new());
            for (block, data) in slot[..words].chunks(8).enumerate() {
                for pair in 0..data.len().div_ceil(2) {
                    // Each codeword by itself: the other check bits of the word are none of its business.
                    let mut one = [0; 8];
                    let two = &data[2 * pair..data.len().min(2 * pair + 2)];
                    one[2 * pair..2 * pair + two.len()].copy_from_slice(two);
                    let mut check = slot[stored.check_base as usize + block] & (0xff << (8 * pair));
                    let found = Code::Hsiao72.decode(&mut one, &mut check);
                    read.extend(&one[2 * pair..2 * pair + two.len()]);
                    lost.extend(two.iter().map(|_| found == Decoded::Uncorrectable));
                }
            }
            (read, lost)
        }
    }
}

/// Slots of stored words drawn for a form, some struck so that the form has work to do: how many
/// words a slot takes, where what lies, and the words.
pub(super) fn random_stored(
    rng: &mut impl Rng,
    form: Form,
    golden: &[Vec<u32>],
) -> (u32, Stored, Vec<u32>) {
    let words = golden.first().map_or(0, Vec::len);
    let len = u32::try_from(words).unwrap_or(u32::MAX);
    let gap = rng.random_range(0..5u32);
    let checks = Code::Hsiao72.check_words(len);
    let (stride, stored) = match form {
        Form::Bare => (len + gap, Stored::default()),
        Form::Voted => {
            let copy_stride = (len + gap).next_multiple_of(4);
            (3 * copy_stride, Stored { copy_stride, form, ..Stored::default() })
        }
        Form::Decoded => {
            let stored = Stored { check_base: len + gap, words: len, form, ..Stored::default() };
            (len + gap + checks + 1, stored)
        }
    };
    let mut all = Vec::new();
    for golden in golden {
        let mut slot = random_words(rng, stride);
        let copies = if form == Form::Voted { 3 } else { 1 };
        for copy in 0..copies {
            let at = copy * stored.copy_stride as usize;
            slot[at..at + words].copy_from_slice(golden);
        }
        if form == Form::Decoded {
            for (block, data) in golden.chunks(8).enumerate() {
                let mut full = data.to_vec();
                full.resize(8, 0);
                slot[stored.check_base as usize + block] = Code::Hsiao72.encode(&full);
            }
        }
        if form != Form::Bare {
            for word in &mut slot {
                for _ in 0..2 {
                    if rng.random_bool(0.03) {
                        *word ^= 1 << rng.random_range(0..32);
                    }
                }
                if form == Form::Voted && rng.random_bool(0.03) {
                    *word = rng.next_u32();
                }
            }
        }
        all.extend(slot);
    }
    (stride, stored, all)
}

/// The words that an op reads after the stage that protects them, and how many a slot takes.
pub(super) fn separately(
    gpu: &Gpu,
    stored: Stored,
    stride: u32,
    w: &[u32],
) -> Result<(Vec<u32>, u32), Error> {
    let slots = u32::try_from(w.len()).unwrap_or(u32::MAX) / stride;
    let image = gpu.upload("w", w);
    match stored.form {
        Form::Bare => Ok((w.to_vec(), stride)),
        Form::Voted => {
            let quads = stored.copy_stride / 4;
            let params = VoteParams { lanes: slots, ..VoteParams::one(quads) };
            let words = (slots * stored.copy_stride) as usize;
            let (voted, dissent) = (gpu.zeroed("voted", words), gpu.zeroed("dissent", words));
            let alarms = gpu.zeroed("alarms", 5 * slots as usize);
            let (stage, uniform) = (Vote::new(gpu)?, gpu.uniform("vote", &params));
            let masks = gpu.upload("vote on all", &vote::ALL);
            gpu.submit(|pass| {
                let outputs = (&voted, &dissent, &alarms);
                stage.encode(pass, (&params, &uniform), (&image, &masks), outputs);
            })?;
            Ok((gpu.read(&voted)?, stored.copy_stride))
        }
        Form::Decoded => {
            let stage = Decode::new(gpu, Code::Hsiao72, true)?;
            let (words, check_base) = (stored.words, stored.check_base);
            let one = BlockParams::one(words, false);
            let params = stage.params(BlockParams { stride, slots, check_base, ..one });
            let decoded = gpu.zeroed("decoded", w.len());
            let counts = gpu.zeroed("counts", 2 * slots as usize);
            let uniform = gpu.uniform("decode", &params);
            gpu.submit(|pass| {
                stage.encode(pass, (&params, &uniform), &image, &decoded, &counts);
            })?;
            Ok((gpu.read(&decoded)?, stride))
        }
    }
}
