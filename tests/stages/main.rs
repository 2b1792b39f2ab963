//! Every stage's shader held to its reference, on the adapter that `BEAMLINE_ADAPTER` names, and
//! every reference to what its op means.

#[path = "../support/mod.rs"]
mod support;

mod checksum;
mod classify;
mod copy;
mod crc32;
mod decode;
mod decode_symbols;
mod differing;
mod findings;
mod gather;
mod inject;
mod load;
mod op;
mod output_vote;
mod probe;
mod restore;
mod span;
mod spread;
mod tally;
mod vote;

use beamline::gpu::{Error, Gpu, Source};
use beamline::op::Kind;
use beamline::stage::op::specs;
use beamline::stage::{Check, checks};
use std::collections::BTreeSet;

/// Runs a stage's check on forty problems; each compares at least one word.
fn holds(check: impl Fn(&Gpu, u64) -> Result<Check, Error>) {
    let gpu = support::gpu();
    for seed in 1000..1040 {
        let found = check(&gpu, seed).expect("the GPU works");
        assert!(found.words > 0, "{}, problem {seed}: nothing compared", found.stage);
        assert_eq!(found.mismatch, None, "{}, problem {seed}", found.stage);
    }
}

#[test]
fn every_shader_has_its_check() {
    let mut checked = BTreeSet::new();
    for (name, _) in checks() {
        match Kind::named(name) {
            Some(kind) => checked.extend(specs(kind).into_iter().map(|spec| spec.shader)),
            None => {
                checked.insert(name);
            }
        }
    }
    let sources: BTreeSet<&str> = Source::all().iter().map(|source| source.name).collect();
    assert_eq!(checked, sources);
}
