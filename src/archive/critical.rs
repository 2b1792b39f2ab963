//! The most critical bits and tensors by an archive, for schemes that protect those alone.
//!
//! How critical a bit position or a tensor is follows from the trials of the archive's unprotected
//! scheme in which exactly one bit of the stored weights was struck: of its n such trials k gave a
//! wrong answer, and of its N sites N·k/n are expected to. What is chosen is the smallest set that
//! reaches the wanted share of all that. Equations: `docs/model.md`.

use super::schema::{Header, Source};
use super::{Archive, Fingerprint};
use crate::fault::Region;
use crate::op::Dtype;
use crate::scheme::{Choice, ChosenBy, Found, Protect, Scheme};
use crate::workload::Workload;
use std::collections::HashMap;
use std::path::Path;

/// Why a set cannot be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scheme.{scheme}.protect.from: {message}")]
pub struct Error {
    /// Index of the scheme.
    pub scheme: usize,
    /// What would have been right, and what the archive is or has.
    pub message: String,
}

/// A bit position or a tensor, and what became of the single faults that struck it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The bit, or the index of the tensor.
    pub which: u32,
    /// Logical bits that it has in the stored weights.
    pub sites: u64,
    /// Trials in which one of them was the only fault.
    pub faults: u64,
    /// Those with a wrong answer.
    pub critical: u64,
}

impl Candidate {
    /// Estimated critical upsets if each of its sites were struck once; 0 where none was struck.
    pub fn upsets(&self) -> f64 {
        self.sites as f64 * self.critical as f64 / self.faults.max(1) as f64
    }
}

/// Chooses, for every scheme that takes its protected set from an archive, that set; relative paths
/// begin at `folder`, the campaign's or mission's own.
///
/// # Errors
/// Where an archive is missing, not that of a finished campaign on this workload, or without what a
/// choice needs.
pub fn choose(schemes: &mut [Scheme], workload: &Workload, folder: &Path) -> Result<(), Error> {
    for (index, scheme) in schemes.iter_mut().enumerate() {
        let Some(choice) = scheme.protect.as_ref().and_then(Protect::unread) else { continue };
        let chosen = chosen(choice, workload, folder);
        scheme.protect = Some(chosen.map_err(|message| Error { scheme: index, message })?);
    }
    Ok(())
}

/// Where the chosen sets of these schemes come from.
pub fn sources(schemes: &[Scheme]) -> Vec<Source> {
    let source = |scheme: &Scheme| {
        let source = scheme.protect.as_ref()?.provenance()?;
        Some(Source { subject: format!("protected set of {}", scheme.name), source })
    };
    schemes.iter().filter_map(source).collect()
}

/// The set; or what was expected and found, in one sentence.
fn chosen(choice: &Choice, workload: &Workload, folder: &Path) -> Result<Protect, String> {
    let refuse = |expected: &str, found: String| format!("expected {expected}, found {found}");
    let unread = |error: super::Error| format!("protect.from: {error}");
    let archive = Archive::open(&folder.join(&choice.from)).map_err(unread)?;
    let header = archive.header();
    if !archive.finished() {
        let found = format!("one of {}, which is not finished", header.campaign.name);
        return Err(refuse("the archive of a finished campaign in protect.from", found));
    }
    if header.fingerprint.weights != Fingerprint::weights_of(workload) {
        let other = &header.workload.name;
        let found = if *other == workload.name {
            format!("one of {other} with other weights, inputs or ops")
        } else {
            format!("one of {other}")
        };
        let expected = format!("an archive of workload {} in protect.from", workload.name);
        return Err(refuse(&expected, found));
    }
    let Some(candidates) = candidates(&archive, choice.by) else {
        let expected = "an archive with a scheme of protection none and no code in protect.from";
        return Err(refuse(expected, "none".into()));
    };
    let count = |of: fn(&Candidate) -> u64| candidates.iter().map(of).sum::<u64>();
    let (faults, critical) = (count(|c| c.faults), count(|c| c.critical));
    if critical == 0 {
        let expected = "an archive with critical outcomes of single faults in stored weights in \
                        protect.from";
        return Err(refuse(expected, format!("none of {faults} such faults")));
    }
    let (set, covered) = smallest(&candidates, choice.share);
    let not_struck = candidates.iter().filter(|candidate| candidate.faults == 0).count() as u64;
    let fingerprint = header.fingerprint.whole();
    let found = Found { fingerprint, covered, faults, critical, not_struck };
    let choice = Choice { found: Some(found), ..choice.clone() };
    let name = |which: &u32| header.site(Region::Weights, *which).to_owned();
    Ok(match choice.by {
        ChosenBy::Bits => Protect { tensors: None, bits: Some(set), choice: Some(choice) },
        ChosenBy::Tensors => {
            let tensors = Some(set.iter().map(name).collect());
            Protect { tensors, bits: None, choice: Some(choice) }
        }
    })
}

/// The scheme without any protection: its outcomes are those of the faults alone.
fn unprotected(header: &Header) -> Option<usize> {
    let bare = |at: &usize| {
        let scheme = &header.schemes[*at].definition;
        scheme.redundancy().votes.is_none() && scheme.code.is_none()
    };
    header.baseline().filter(bare)
}

/// Every bit (from the sign down) or tensor (in the order of the image) of the archive's workload
/// with its single faults; `None` where the archive has no unprotected scheme.
pub fn candidates(archive: &Archive, by: ChosenBy) -> Option<Vec<Candidate>> {
    let header = archive.header();
    let scheme = unprotected(header)?;
    let words = header.workload.tensors.iter().map(|tensor| tensor.words);
    let bits = header.workload.tensors.iter().map(super::schema::TensorInfo::bits);
    let candidate = |which: u32, sites| Candidate { which, sites, faults: 0, critical: 0 };
    let mut candidates: Vec<Candidate> = match by {
        ChosenBy::Bits => {
            let all: u64 = words.sum();
            (0..Dtype::F32.bits()).rev().map(|bit| candidate(bit, all)).collect()
        }
        ChosenBy::Tensors => (0..).zip(bits).map(|(at, bits)| candidate(at, bits)).collect(),
    };
    let outcomes = archive.outcomes();
    let single = outcomes.iter().filter(|row| usize::from(row.scheme) == scheme && row.faults == 1);
    let wrong: HashMap<u64, bool> = single.map(|row| (row.trial, row.wrong != 0)).collect();
    for fault in archive.faults() {
        let of_weights = fault.region == Region::Weights as u8 && fault.mask.is_power_of_two();
        if usize::from(fault.scheme) != scheme || !of_weights {
            continue;
        }
        let Some(wrong) = wrong.get(&fault.trial) else { continue };
        let which = match by {
            ChosenBy::Bits => fault.mask.ilog2(),
            ChosenBy::Tensors => fault.tensor,
        };
        if let Some(struck) = candidates.iter_mut().find(|candidate| candidate.which == which) {
            struck.faults += 1;
            struck.critical += u64::from(*wrong);
        }
    }
    Some(candidates)
}

/// The fewest candidates with at least `share` of all estimated critical upsets, the most critical
/// first, and the share that they have. Of two alike the one that comes first is taken.
fn smallest(candidates: &[Candidate], share: f64) -> (Vec<u32>, f64) {
    /// A share that is reached exactly may come out a rounding lower.
    const ROUNDING: f64 = 1e-12;
    let mut ranked: Vec<&Candidate> = candidates.iter().collect();
    ranked.sort_by(|a, b| b.upsets().total_cmp(&a.upsets()));
    let all: f64 = ranked.iter().map(|candidate| candidate.upsets()).sum();
    let (mut set, mut covered) = (Vec::new(), 0.0);
    for candidate in ranked {
        if covered >= share * all * (1.0 - ROUNDING) {
            break;
        }
        covered += candidate.upsets();
        set.push(candidate.which);
    }
    (set, covered / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(of: &[(u64, u64, u64)]) -> Vec<Candidate> {
        let candidate = |(which, (sites, faults, critical)): (u32, &(u64, u64, u64))| Candidate {
            which,
            sites: *sites,
            faults: *faults,
            critical: *critical,
        };
        (0..).zip(of).map(candidate).collect()
    }

    #[test]
    fn a_large_tensor_hit_rarely_weighs_as_much_as_its_sites() {
        // 10 critical of 10 in 32 sites are 32 upsets, 1 of 10 in 3,200 are 320.
        let of = candidates(&[(32, 10, 10), (3200, 10, 1), (64, 0, 0), (640, 100, 0)]);
        assert_eq!(of[0].upsets(), 32.0);
        assert_eq!(of[1].upsets(), 320.0);
        assert_eq!(smallest(&of, 0.5), (vec![1], 320.0 / 352.0));
        assert_eq!(smallest(&of, 0.95), (vec![1, 0], 1.0));
        assert_eq!(smallest(&of, 1.0), (vec![1, 0], 1.0), "nothing that is never critical");
    }

    #[test]
    fn a_share_that_is_just_reached_is_enough() {
        let of = candidates(&[(10, 10, 1), (10, 10, 4), (10, 10, 1), (10, 10, 4)]);
        assert_eq!(smallest(&of, 0.8), (vec![1, 3], 0.8));
        assert_eq!(smallest(&of, 0.801).0, [1, 3, 0]);
        let thirds = candidates(&[(7, 3, 1), (7, 3, 1), (7, 3, 1)]);
        assert_eq!(smallest(&thirds, 2.0 / 3.0).0, [0, 1]);
        assert_eq!(smallest(&thirds, 1.0).0, [0, 1, 2]);
        assert_eq!(smallest(&thirds, 1e-9).0, [0]);
    }
}
