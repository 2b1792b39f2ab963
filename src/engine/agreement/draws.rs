//! Random schemes, and random faults in the regions that a scheme has.

use super::network::{narrow, one_of};
use crate::fault::{Fault, FaultKind, Region, Replica};
use crate::op::WORD_BITS;
use crate::scheme::{Code, Guard, OnDue, OnRead, Protection, Scheme, Voter};
use crate::seed::unit;
use crate::workload::Workload;
use rand::{Rng, RngExt};

/// The most faults of a trial.
const FAULTS_MAX: usize = 8;

/// The scheme of this preset with a random code, voter, guard and recovery, as it can be in this workload.
pub(super) fn scheme(draws: &mut impl Rng, protection: Protection, workload: &Workload) -> Scheme {
    let code = draws.random_bool(0.5).then(|| one_of(draws, &Code::ALL));
    let by_label = workload.decision.is_of_classes();
    let voters = [Voter::Bitwise, Voter::Word, Voter::Label, Voter::Tolerance];
    loop {
        let scheme = Scheme {
            code,
            voter: one_of(draws, &voters),
            on_read: one_of(draws, &[OnRead::Keep, OnRead::WriteBack]),
            guard: one_of(draws, &[None, Some(Guard::NonFinite)]),
            on_due: one_of(draws, &[OnDue::Keep, OnDue::Keep, OnDue::Reload]),
            ..Scheme::bare(protection.name(), protection)
        };
        if scheme.refusal().is_none() && scheme.workload_refusal(&[], by_label).is_none() {
            return scheme;
        }
    }
}

/// The regions of a scheme.
fn regions(scheme: &Scheme) -> Vec<Region> {
    let has = |region: &Region| match region {
        Region::Weights | Region::Input | Region::Activations => true,
        Region::Voted => scheme.delivers(),
        Region::Check => scheme.code.is_some(),
    };
    Region::ALL.into_iter().filter(has).collect()
}

/// Words of what a fault strikes, with the tensor or op.
fn words(workload: &Workload, scheme: &Scheme, region: Region, tensor: u32) -> u32 {
    match region {
        Region::Weights | Region::Voted => narrow(workload.tensors[tensor as usize].words.len()),
        Region::Input => narrow(workload.inputs.features),
        Region::Activations => workload.features(workload.ops[tensor as usize].output),
        Region::Check => {
            scheme.code.map_or(1, |code| code.check_words(workload.stored_words())).max(1)
        }
    }
}

/// A fault anywhere in this workload under this scheme, in one of `rows` inferences.
fn fault(draws: &mut impl Rng, workload: &Workload, scheme: &Scheme, rows: u32) -> Fault {
    let region = one_of(draws, &regions(scheme));
    let sites: Vec<usize> = workload.sites().map(|(op, _)| op).collect();
    let tensor = match region {
        Region::Weights | Region::Voted => draws.random_range(0..workload.tensors.len()),
        Region::Activations => one_of(draws, &sites),
        Region::Input | Region::Check => 0,
    };
    let tensor = narrow(tensor);
    let index = draws.random_range(0..words(workload, scheme, region, tensor));
    let row = if region.is_of_one_inference() { draws.random_range(0..rows) } else { 0 };
    let place = if draws.random_bool(0.75) {
        Replica::Share(unit(draws))
    } else {
        Replica::At(draws.random_range(0..4))
    };
    let (kind, mask) = (kind(draws), mask(draws) & bits(workload, region, tensor));
    Fault { step: 0, time_s: 0.0, region, tensor, index, row, kind, mask, place }
}

/// The bits of a word of what a fault strikes: those of an element where values have a word for each.
fn bits(workload: &Workload, region: Region, tensor: u32) -> u32 {
    let value = match region {
        Region::Input => 0,
        Region::Activations => workload.ops[tensor as usize].output.0,
        Region::Weights | Region::Voted | Region::Check => return u32::MAX,
    };
    u32::MAX >> (WORD_BITS - workload.values[value].dtype.bits())
}

fn kind(draws: &mut impl Rng) -> FaultKind {
    let kinds = [FaultKind::Xor, FaultKind::Xor, FaultKind::StuckAt0, FaultKind::StuckAt1];
    one_of(draws, &kinds)
}

/// One bit in half of the draws, else the whole exponent (all ones are an infinity or a NaN), several bits,
/// or none.
fn mask(draws: &mut impl Rng) -> u32 {
    let bit = 1 << draws.random_range(0..32);
    match draws.random_range(0..16) {
        0..8 => bit,
        8..12 => 0x7f80_0000 | bit,
        12..15 => bit | draws.next_u32() & draws.next_u32() & draws.next_u32(),
        _ => one_of(draws, &[0, u32::MAX, 0xffff, 3 << 29]),
    }
}

/// A fault beside an earlier one: the same word or its neighbour, in the same copy or execution and the
/// same inference; under a code now and then in the check word of that word's block.
fn near(draws: &mut impl Rng, workload: &Workload, scheme: &Scheme, first: &Fault) -> Fault {
    let mask = mask(draws) & bits(workload, first.region, first.tensor);
    let kind = kind(draws);
    let last = words(workload, scheme, first.region, first.tensor) - 1;
    let index = (first.index ^ draws.random_range(0..2)).min(last);
    let beside = Fault { kind, mask, index, ..*first };
    match scheme.code {
        Some(code) if first.region == Region::Weights && draws.random_bool(0.25) => {
            let word = workload.tensors[first.tensor as usize].offset + index;
            let index = word / code.block_words();
            Fault { region: Region::Check, tensor: 0, index, ..beside }
        }
        _ => beside,
    }
}

/// The faults of a trial, 1 to 8: in half of the trials each anywhere, in the other half all beside the
/// first one.
pub(super) fn faults(
    draws: &mut impl Rng,
    workload: &Workload,
    scheme: &Scheme,
    rows: u32,
) -> Vec<Fault> {
    let count = draws.random_range(1..=FAULTS_MAX);
    let first = fault(draws, workload, scheme, rows);
    let together = draws.random_bool(0.5);
    let mut faults = vec![first];
    while faults.len() < count {
        faults.push(if together {
            near(draws, workload, scheme, &first)
        } else {
            fault(draws, workload, scheme, rows)
        });
    }
    faults
}
