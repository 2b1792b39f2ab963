//! What memory delivers where a decoder or a storage vote stands before the workload: of the struck blocks
//! alone, each in a small image of its own.

use super::super::direct::{Owner, Strikes, landings};
use super::super::footprint::{Received, Target};
use super::super::{Error, Landing};
use super::Core;
use super::pages::narrow;
use crate::gpu::{Binding, Buffer, Gpu, Pass};
use crate::scheme::{Code, Scheme, Voter};
use crate::stage::decode::BlockParams;
use crate::stage::inject::Strike;
use crate::stage::span::SpanParams;
use crate::stage::vote::{self, VoteParams};

/// A word that memory delivers other than golden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    /// The word of the image.
    pub word: u32,
    /// Where the delivered word lies.
    pub source: u32,
    /// The copy that delivers it, where no vote stands between copies.
    pub copy: u32,
}

/// What the read of a lane's memory found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub patches: Vec<Patch>,
    pub landings: Vec<Landing>,
    /// Whether decoders or the voter met an error in stored words.
    pub alarm: bool,
    /// Rows of inputs on which the copies differ.
    pub rows: Vec<u32>,
    /// Whether a decoder met what it cannot correct.
    pub uncorrectable: bool,
}

/// A struck block, or quad of words where there is no code.
struct Block {
    lane: usize,
    /// The copy; 0 where all of them are voted.
    copy: u32,
    /// Its first word in the image.
    first: u32,
    /// Words of it that exist.
    words: u32,
    /// Its check word in the image.
    check: Option<u32>,
    window: u32,
}

/// The shape of the small images.
#[derive(Clone, Copy)]
pub(super) struct ImageShape {
    /// Data words, padded to quads.
    pub data: u32,
    /// Words of an image.
    pub stride: u32,
    /// Images of a block.
    pub copies: u32,
}

impl Core {
    /// The struck block of stored memory that a fault on the image belongs to.
    fn block(
        &self,
        code: Option<Code>,
        fault: &Received,
        (lane, copy, window): (usize, u32, u32),
    ) -> Block {
        let layout = self.layout.with_code(code);
        let covered = fault.word < layout.stored || fault.word >= layout.check_base();
        let Some(code) = code.filter(|_| covered) else {
            let first = fault.word / 4 * 4;
            return Block { lane, copy, first, words: 4, check: None, window };
        };
        let size = code.block_words();
        let index = match fault.word.checked_sub(layout.check_base()) {
            Some(index) => index,
            None => fault.word / size,
        };
        let words = size.min(layout.stored - index * size);
        let check = Some(layout.check_base() + index);
        Block { lane, copy, first: index * size, words, check, window }
    }

    /// The copy of a fault on words that a decoder or the storage vote delivers.
    pub(super) fn delivers(&self, scheme: &Scheme, fault: &Received) -> Option<u32> {
        let Target::Image { copy } = fault.target else { return None };
        let votes = scheme.votes_reads();
        let stored =
            scheme.code.is_some() && !self.layout.with_code(scheme.code).is_input(fault.word);
        (votes || stored).then_some(copy)
    }

    /// Strikes the stored words of lanes (trial, window, faults), reads their blocks as the scheme does, and
    /// gives what the lanes find with the buffer that holds what was delivered.
    pub(super) fn deliver(
        &self,
        scheme: &Scheme,
        lanes: &[(u64, u32, Option<Vec<Received>>)],
    ) -> Result<(Vec<Found>, Buffer<u32>), Error> {
        let votes = scheme.votes_reads();
        let data = scheme.code.map_or(4, |code| code.block_words().next_multiple_of(4));
        let stride = data + if scheme.code.is_some() { 4 } else { 0 };
        let shape = ImageShape { data, stride, copies: if votes { 3 } else { 1 } };
        let mut found = vec![Found::default(); lanes.len()];
        let (mut blocks, mut by_block): (Vec<Block>, Vec<Vec<(Strike, Owner)>>) = (vec![], vec![]);
        for (lane, (_, window, faults)) in lanes.iter().enumerate() {
            let own = blocks.len();
            for fault in faults.iter().flatten() {
                let Some(copy) = self.delivers(scheme, fault) else { continue };
                let held = if votes { 0 } else { copy };
                let block = self.block(scheme.code, fault, (lane, held, *window));
                let same = |b: &Block| b.copy == held && b.first == block.first;
                let at = blocks[own..].iter().position(same).map_or(blocks.len(), |at| own + at);
                let is_check = block.check == Some(fault.word);
                let word = if is_check { shape.data } else { fault.word - block.first };
                if at == blocks.len() {
                    blocks.push(block);
                    by_block.push(Vec::new());
                }
                let slot = narrow(at) * shape.copies + if votes { copy } else { 0 };
                let strike = Strike::new(slot, word, fault.kind, fault.mask);
                by_block[at].push((strike, Some((lane, fault.fault, copy))));
            }
        }
        if blocks.is_empty() {
            return Ok((found, self.golden.zero.clone()));
        }
        let read = self.read_blocks(scheme, shape, &blocks, by_block)?;
        for (lane, landing) in
            landings(&read.strikes, &read.before, &read.after, |lane| lanes[lane].0)?
        {
            found[lane].landings.push(landing);
        }
        for (at, block) in blocks.iter().enumerate() {
            let found = &mut found[block.lane];
            let image = at * shape.stride as usize;
            for word in 0..block.words {
                let (at, word) = (image + word as usize, block.first + word);
                if read.dissent.get(at).is_some_and(|bits| *bits != 0) {
                    match self.layout.is_input(word) {
                        true => found.rows.push((word - self.layout.weights) % self.layout.rows),
                        false => found.alarm = true,
                    }
                }
                if read.delivered[at] != self.golden_of(scheme.code, word, block.window) {
                    let source = narrow(at);
                    found.patches.push(Patch { word, source, copy: block.copy });
                }
            }
            let copies = 2 * shape.copies as usize;
            let counts = &read.counts[at * copies..][..copies];
            found.alarm |= counts.iter().any(|count| *count != 0);
            found.uncorrectable |= counts.iter().skip(1).step_by(2).any(|count| *count != 0);
        }
        Ok((found, read.buffer))
    }

    /// Golden of a word of the image of a window.
    fn golden_of(&self, code: Option<Code>, word: u32, window: u32) -> u32 {
        self.layout.with_code(code).golden_of(&self.workload, &self.windows, (word, window))
    }

    /// Writes golden blocks, strikes them, and has the decoders and the voter read them.
    fn read_blocks(
        &self,
        scheme: &Scheme,
        shape: ImageShape,
        blocks: &[Block],
        by_block: Vec<Vec<(Strike, Owner)>>,
    ) -> Result<Read, Error> {
        let gpu = &self.gpu;
        let ImageShape { stride, copies, .. } = shape;
        let slots = narrow(blocks.len()) * copies;
        let golden = self.golden_blocks(scheme.code, shape, blocks);
        let memory = ReadMemory::new(gpu, shape, &golden);
        let traps = gpu.zeroed("traps", blocks.len());
        let Some(strikes) = Strikes::new(gpu, stride, 1, by_block) else {
            return Err(Error::NotRestored { lane: 0 });
        };
        gpu.submit(|pass| {
            strikes.encode(pass, &self.kernels, &memory.images, &traps);
            let words = scheme.code.map_or(0, Code::block_words);
            self.encode_reads(pass, scheme, (shape, words), &memory);
        })?;
        let ReadMemory { decoded, voted, dissent, counts, .. } = memory;
        let buffer = if copies == 3 { voted } else { decoded };
        let images = blocks.len() * stride as usize;
        let parts: [(&dyn Binding, usize); 5] = [
            (&buffer, images),
            (&counts, 2 * slots as usize),
            (&dissent, if copies == 3 { images } else { 0 }),
            (&strikes.before, strikes.count()),
            (&strikes.after, strikes.count()),
        ];
        let mut read = gpu.read_words(&parts)?.into_iter();
        let mut next = || read.next().unwrap_or_default();
        let (delivered, counts, dissent) = (next(), next(), next());
        let (before, after) = (next(), next());
        Ok(Read { buffer, delivered, counts, dissent, strikes, before, after })
    }

    /// Records what decoders and the voter make of images with so many data words each.
    pub(super) fn encode_reads(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        (shape, words): (ImageShape, u32),
        memory: &ReadMemory,
    ) {
        let ImageShape { data, stride, copies } = shape;
        let ReadMemory { images, decoded, voted, dissent, counts, alarms, masks } = memory;
        let slots = narrow(images.len()) / stride;
        let decoder = self.decoders.iter().find(|d| Some(d.code) == scheme.code);
        debug_assert!(decoder.is_some() || scheme.code.is_none(), "a scheme that was not entered");
        if let Some(decoder) = decoder {
            let at = BlockParams {
                words,
                stride,
                slots,
                data_base: 0,
                check_base: data,
                repair: 0,
                deliver: 1,
                pad: 0,
            };
            decoder.encode((&self.gpu, pass), at, images, decoded, counts);
        }
        if copies == 3 && scheme.votes_reads() {
            let from = if scheme.code.is_some() { decoded } else { images };
            let params = VoteParams {
                quads: data / 4,
                stride: stride / 4,
                lanes: slots / 3,
                repair: 0,
                input_base: data / 4,
                row_quads: 1,
                word: u32::from(scheme.voter == Voter::Word),
                check_base: data / 4,
            };
            let uniform = self.gpu.uniform("vote", &params);
            let told = (voted, dissent, alarms);
            self.kernels.vote.encode(pass, (&params, &uniform), (from, masks), told);
        }
    }

    /// Golden over the images of blocks. The last block of an image may be shorter than the others; the
    /// words that it lacks are zero.
    fn golden_blocks(&self, code: Option<Code>, shape: ImageShape, blocks: &[Block]) -> Vec<u32> {
        let mut images = Vec::with_capacity(blocks.len() * (shape.copies * shape.stride) as usize);
        for block in blocks {
            let golden = |word| self.golden_of(code, word, block.window);
            let mut image: Vec<u32> =
                (block.first..block.first + block.words).map(golden).collect();
            image.resize(shape.data as usize, 0);
            image.extend(block.check.map(golden));
            image.resize(shape.stride as usize, 0);
            (0..shape.copies).for_each(|_| images.extend_from_slice(&image));
        }
        images
    }

    /// Records spans of so many words, if there are any.
    pub(super) fn encode_spans(
        &self,
        pass: &mut Pass<'_>,
        list: &[[u32; 2]],
        words: u32,
        source: &Buffer<u32>,
        memory: &Buffer<u32>,
    ) {
        if list.is_empty() {
            return;
        }
        let params = SpanParams { words, pad: [0; 3] };
        let uniform = self.gpu.uniform("span", &params);
        let list = self.gpu.list("spans", list);
        self.stages.span.encode(pass, (&params, &uniform), &list, source, memory);
    }
}

/// Images and what a read makes of them.
pub(super) struct ReadMemory {
    pub images: Buffer<u32>,
    decoded: Buffer<u32>,
    voted: Buffer<u32>,
    dissent: Buffer<u32>,
    counts: Buffer<u32>,
    alarms: Buffer<u32>,
    masks: Buffer<u32>,
}

impl ReadMemory {
    pub(super) fn new(gpu: &Gpu, shape: ImageShape, golden: &[u32]) -> Self {
        let zeroed = |label, words: usize| gpu.zeroed::<u32>(label, words);
        let slots = golden.len() / shape.stride as usize;
        Self {
            images: gpu.upload("stored blocks", golden),
            decoded: zeroed("decoded blocks", golden.len()),
            voted: zeroed("voted blocks", golden.len()),
            dissent: zeroed("dissent", golden.len()),
            counts: zeroed("decoders' findings", 2 * slots),
            alarms: zeroed("alarms", 5 * slots),
            masks: gpu.upload("vote on all", &vote::ALL),
        }
    }
}

/// What came back from the blocks.
struct Read {
    buffer: Buffer<u32>,
    delivered: Vec<u32>,
    counts: Vec<u32>,
    dissent: Vec<u32>,
    strikes: Strikes,
    before: Vec<u32>,
    after: Vec<u32>,
}
