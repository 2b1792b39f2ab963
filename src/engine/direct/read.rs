//! What stands between stored memory and the workload: the vote on read.

use super::Direct;
use super::batch::narrow;
use super::proof::Strikes;
use crate::gpu::{Buffer, Pass};
use crate::scheme::{Protection, Scheme, Voter};
use crate::stage::vote::VoteParams;

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
        if scheme.protection == Protection::TmrStorage {
            self.encode_vote(pass, scheme, count, scheme.writes_back(), &self.memory.alarms);
        }
        if let Some(stuck) = stuck.filter(|_| scheme.writes_back()) {
            self.encode_strikes(pass, stuck, &self.memory.image);
        }
    }

    /// The buffer that the workload reads under `scheme`.
    pub(super) fn delivered(&self, scheme: &Scheme) -> &Buffer<u32> {
        if scheme.protection == Protection::TmrStorage {
            &self.memory.voted
        } else {
            &self.memory.image
        }
    }

    /// The slot of [`Direct::delivered`] that an execution of this lane reads.
    pub(super) fn slot(scheme: &Scheme, lane: usize, execution: u32) -> u32 {
        let copies = scheme.protection.copies();
        match scheme.protection {
            Protection::TmrStorage => narrow(lane),
            _ => narrow(lane) * copies + execution.min(copies - 1),
        }
    }

    /// Records the vote over the stored copies: into what is read, or as a repair.
    pub(super) fn encode_vote(
        &self,
        pass: &mut Pass<'_>,
        scheme: &Scheme,
        count: usize,
        repair: bool,
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
        let copies = (&memory.image, &memory.masks);
        self.kernels.vote.encode(pass, (&params, &uniform), copies, outputs);
    }
}
