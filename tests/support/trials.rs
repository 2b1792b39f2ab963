//! Random faults and schemes for tests that hold engines to each other.
#![allow(clippy::cast_possible_truncation, reason = "small numbers of a test")]

use beamline::engine::TrialResult;
use beamline::engine::agreement::difference;
use beamline::fault::{Fault, FaultKind, Region, Replica};
use beamline::scheme::{Code, OnRead, Protect, Protection, Scheme, Voter};
use beamline::workload::Workload;

/// The scheme of a protection and nothing else.
pub(crate) fn scheme(protection: Protection) -> Scheme {
    Scheme::bare(protection.name(), protection)
}

/// One fault anywhere in the workload, from four random numbers.
pub(crate) fn fault(
    workload: &Workload,
    rows: u32,
    conditional: bool,
    steps: u32,
    r: [u32; 6],
) -> Fault {
    let regions = [Region::Weights, Region::Input, Region::Activations, Region::Voted];
    let region = regions[r[0] as usize % regions.len()];
    let sites: Vec<_> = workload.sites().collect();
    let (tensor, words) = match region {
        Region::Weights | Region::Voted | Region::Check => {
            let tensor = r[1] as usize % workload.tensors.len();
            (tensor, workload.tensors[tensor].words.len())
        }
        Region::Input => (0, workload.inputs.features),
        Region::Activations => {
            let (op, _) = sites[r[1] as usize % sites.len()];
            (op, workload.features(workload.ops[op].output) as usize)
        }
    };
    let kinds = [FaultKind::Xor, FaultKind::Xor, FaultKind::StuckAt0, FaultKind::StuckAt1];
    let bits = [31, 30, 29, 28, 27, 23, 22, 12, 0];
    Fault {
        step: if conditional { 0 } else { r[5] % steps },
        time_s: 0.0,
        region,
        tensor: tensor as u32,
        index: r[2] % words as u32,
        row: if region.is_of_one_inference() { r[3] % rows } else { 0 },
        kind: if conditional { kinds[r[4] as usize % 4] } else { FaultKind::Xor },
        mask: 1 << bits[r[4] as usize / 4 % bits.len()],
        place: if conditional {
            Replica::Share(f64::from(r[5]) / (f64::from(u32::MAX) + 1.0))
        } else {
            Replica::At(r[5] / 7 % 4)
        },
    }
}

/// Every protection with every voter, repair and selection that it can have in this workload.
pub(crate) fn composed(workload: &Workload) -> Vec<Scheme> {
    let voters = [Voter::Bitwise, Voter::Word, Voter::Label, Voter::Tolerance];
    let all = Protection::ALL.into_iter().flat_map(|protection| {
        voters.into_iter().flat_map(move |voter| {
            [OnRead::Keep, OnRead::WriteBack].map(|on_read| Scheme {
                voter,
                on_read,
                ..scheme(protection)
            })
        })
    });
    let some = |tensors: Option<&[usize]>, bits: Option<&[u32]>| Scheme {
        protect: Some(Protect {
            tensors: tensors
                .map(|list| list.iter().map(|t| workload.tensors[*t].name.clone()).collect()),
            bits: bits.map(<[u32]>::to_vec),
            choice: None,
        }),
        ..scheme(Protection::TmrStorage)
    };
    let few = [
        some(Some(&[0, 3]), None),
        some(None, Some(&[31, 30, 29, 28])),
        Scheme { on_read: OnRead::WriteBack, ..some(Some(&[2]), Some(&[31, 30, 12])) },
        Scheme { voter: Voter::Word, ..some(None, Some(&[31, 30, 23])) },
    ];
    let by_label = workload.decision.is_of_classes();
    let tensors = workload.stored_types();
    all.chain(few)
        .filter(|s| s.refusal().is_none() && s.workload_refusal(&tensors, by_label).is_none())
        .collect()
}

/// Holds the results of two engines to each other.
pub(crate) fn same(left: &TrialResult, right: &TrialResult, name: &str) {
    let differs = difference(left, right);
    assert!(differs.is_none(), "{name}: {}", differs.unwrap_or_default());
}

/// The scheme of a protection and a code.
pub(crate) fn coded(code: Code, protection: Protection) -> Scheme {
    Scheme { code: Some(code), ..Scheme::bare(protection.name(), protection) }
}

/// A strike on stored words that are few, so that several of a trial meet in a block.
pub(crate) fn stored_fault(
    workload: &Workload,
    conditional: bool,
    steps: u32,
    r: [u32; 5],
) -> Fault {
    let region =
        [Region::Weights, Region::Weights, Region::Check, Region::Voted][r[0] as usize % 4];
    let tensor = r[1] as usize % 2;
    let words =
        if region == Region::Check { 4 } else { workload.tensors[tensor].words.len() as u32 };
    let kinds = [FaultKind::Xor, FaultKind::Xor, FaultKind::StuckAt0, FaultKind::StuckAt1];
    let masks = [1 << 31, 1 << 30, 3 << 29, 1 << 23, 1, 0xff << 8, 0xffff, 0x0101_0000];
    Fault {
        step: if conditional { 0 } else { r[2] % steps },
        time_s: 0.0,
        region,
        tensor: if region == Region::Check { 0 } else { tensor as u32 },
        index: r[2] / 8 % words.min(5),
        row: 0,
        kind: if conditional { kinds[r[3] as usize % 4] } else { FaultKind::Xor },
        mask: masks[r[3] as usize / 4 % masks.len()],
        place: if conditional {
            Replica::Share(f64::from(r[4]) / (f64::from(u32::MAX) + 1.0))
        } else {
            Replica::At(r[4] / 7 % 4)
        },
    }
}
