//! What stands between stored memory and the workload: decoders, and the vote on read.

use super::Direct;
use super::batch::narrow;
use super::proof::Strikes;
use crate::gpu::{Buffer, Pass};
use crate::scheme::{Scheme, Voter};
use crate::stage::decode::BlockParams;
use crate::stage::findings::{self, FindingsParams};
use crate::stage::load::LoadParams;
use crate::stage::vote::VoteParams;

/// Where decoded blocks go: back to where they were read, to the same words of another image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    pub repair: bool,
    pub deliver: bool,
}

impl Direct {
    /// Records what a read of every copy delivers; a read that writes back is followed by the stuck
    /// bits that assert themselves.
    pub(super) fn encode_delivery(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        stuck: Option<&Strikes>,
    ) {
        if !scheme.delivers() {
            return;
        }
        let memory = &self.memory;
        let votes = scheme.votes_reads();
        let writes = scheme.writes_back();
        if scheme.code.is_some() {
            // A vote that repairs does so in memory, after the decoders have.
            let deliver = !(votes && writes);
            if deliver {
                self.encode_beside(pass, scheme, count);
            }
            let ways = Ways { repair: writes, deliver };
            self.encode_decode(pass, scheme, count, ways, &memory.found);
        }
        if votes {
            let decoded = scheme.code.is_some() && !writes;
            let copies = if decoded { &memory.decoded } else { &memory.image };
            self.encode_vote(pass, scheme, count, (copies, writes), &memory.alarms);
        }
        if let Some(stuck) = stuck.filter(|_| scheme.writes_back()) {
            self.encode_strikes(pass, stuck, &self.memory.image);
        }
    }

    /// The buffer that the workload reads under `scheme`.
    pub(super) fn delivered(&self, scheme: &Scheme) -> &Buffer<u32> {
        if scheme.votes_reads() {
            &self.memory.voted
        } else if scheme.code.is_some() {
            &self.memory.decoded
        } else {
            &self.memory.image
        }
    }

    /// Records the decoding of every image.
    pub(super) fn encode_decode(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        ways: Ways,
        found: &Buffer<u32>,
    ) {
        let of_code = |code| self.decoders.iter().find(|decoder| decoder.code == code);
        let Some(decoder) = scheme.code.and_then(of_code) else { return };
        let layout = &self.layout;
        let at = BlockParams {
            words: layout.stored,
            stride: layout.image(),
            slots: narrow(count) * scheme.copies(),
            data_base: 0,
            check_base: layout.check_base(),
            repair: ways.repair.into(),
            deliver: ways.deliver.into(),
            pad: 0,
        };
        let (image, decoded) = (&self.memory.image, &self.memory.decoded);
        decoder.encode((&self.gpu, pass), at, image, decoded, found);
    }

    /// Records the copy of what no code covers beside the words that decoders deliver.
    fn encode_beside(&self, pass: &mut Pass<'_>, scheme: &Scheme, count: usize) {
        let (first, image) = (self.layout.stored / 4, self.layout.image() / 4);
        let params = LoadParams {
            quads: image - first,
            src_base: first,
            src_stride: image,
            dst_base: first,
            dst_stride: image,
            pad: [0; 3],
        };
        let slots: Vec<[u32; 2]> =
            (0..narrow(count) * scheme.copies()).map(|slot| [slot; 2]).collect();
        let uniform = self.gpu.uniform("load", &params);
        let list = self.gpu.list("decoded slots", &slots);
        let (image, decoded) = (&self.memory.image, &self.memory.decoded);
        self.kernels.load.encode(pass, (&params, &uniform), &list, image, decoded);
    }

    /// Records what the decoders' findings mean, once outputs are compared; in a retry what two
    /// copies could not have is lost.
    pub(super) fn encode_findings(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        retry: bool,
    ) {
        if scheme.code.is_none() {
            return;
        }
        let params = FindingsParams {
            lanes: narrow(count),
            copies: scheme.copies(),
            rows: self.layout.rows,
            on_uncorrectable: match scheme.copies() {
                1 => findings::ON_UNCORRECTABLE_TRAP,
                2 if retry => findings::ON_UNCORRECTABLE_TRAP,
                2 => findings::ON_UNCORRECTABLE_MISMATCH,
                _ => findings::ON_UNCORRECTABLE_ALARM,
            },
        };
        let uniform = self.gpu.uniform("findings", &params);
        let memory = &self.memory;
        let told = (&memory.alarms, &memory.verdicts, &memory.traps);
        self.kernels.findings.encode(pass, (&params, &uniform), &memory.found, told);
    }

    /// The slot of [`Direct::delivered`] that an execution of this lane reads.
    pub(super) fn slot(scheme: &Scheme, lane: usize, execution: u32) -> u32 {
        let copies = if scheme.votes_reads() { 1 } else { scheme.copies() };
        narrow(lane) * copies + execution.min(copies - 1)
    }

    /// Records the vote over three copies, stored or decoded, with or without repair.
    pub(super) fn encode_vote(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        (copies, repair): (&Buffer<u32>, bool),
        alarms: &Buffer<u32>,
    ) {
        let layout = &self.layout;
        let params = VoteParams {
            quads: layout.image() / 4,
            stride: layout.image() / 4,
            lanes: narrow(count),
            repair: u32::from(repair),
            input_base: layout.weights / 4,
            row_quads: layout.quads(),
            word: u32::from(scheme.voter == Voter::Word),
            check_base: layout.check_base() / 4,
        };
        let uniform = self.gpu.uniform("vote", &params);
        let memory = &self.memory;
        let outputs = (&memory.voted, &memory.dissent, alarms);
        let copies = (copies, &memory.masks);
        self.kernels.vote.encode(pass, (&params, &uniform), copies, outputs);
    }
}
