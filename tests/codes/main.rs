//! Proof tables of the storage codes: `docs/codes.md` is what these tests find.

mod classes;
mod hbm2e;
mod neutron;
mod page;
mod proof;

use beamline::scheme::Code;
use classes::Tally;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const HEAD: &str = "# Storage codes

What the storage codes correct, detect and miss. The tests in `tests/codes` compute this page and
fail where it is not what they find; `BEAMLINE_BLESS=1 cargo test --test codes` writes it anew.

A block is struck by every error of a class, or, where the class has more than 1.3 million, by a
sample drawn from a seed. Cells are percent: corrected (the data are right), detected (the decoder
says that it cannot), silent (wrong data, and nothing is said). Intervals are Clopper–Pearson's at
95 %, where errors were drawn. All codes but the CRC are linear and the CRC is affine, so that what
becomes of an error does not depend on the data.

Bits are stored bits, check bits included. An *aligned byte* and a *16-bit symbol* are 8 and 16
adjacent bits of a data or check word. A *beat* is two adjacent words; four beats are an entry of 32
bytes, and a *pin* is the same bit of its beats. Where a block is one entry, check byte b belongs to
beat b and its bits are pins 64 to 71; the check bits of other codes lie elsewhere and a beat or a
pin leaves them alone. An *entry* is eight words, or the block where it is no multiple of eight,
with all check bits. In each of these every pattern but none is one error.
";

type Tallies = Vec<(&'static str, Tally)>;

/// The tallies of every code, on as many threads as there are.
fn tallies() -> Vec<Tallies> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut found = Vec::new();
        while let Some(code) = Code::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push((code.name(), proof::tallies(*code)));
        }
        found
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    let place = |name: &str| Code::ALL.iter().position(|code| code.name() == name);
    found.sort_by_key(|(name, _)| place(name));
    found.into_iter().map(|(_, tallies)| tallies).collect()
}

#[test]
fn every_code_keeps_its_promises_and_the_page_says_what_each_does() {
    let mut wrong = Vec::new();
    let mut text = HEAD.to_owned();
    let (tallies, sections) = std::thread::scope(|scope| {
        let sections = [scope.spawn(hbm2e::section), scope.spawn(neutron::section)];
        (tallies(), sections.map(|section| section.join().expect("no panic")))
    });
    for (code, tallies) in Code::ALL.into_iter().zip(tallies) {
        for (class, tally) in &tallies {
            let promised = proof::promised(code, class);
            let silent = proof::never_silent(code, class) && tally.counts[2] > 0;
            if silent || promised.is_some_and(|shares| shares != tally.shares()) {
                wrong.push(format!("{}, {class}: {tally:?}", code.name()));
            }
        }
        text.push_str(&proof::section(code, &tallies));
    }
    for (section, misses) in sections {
        text.push_str(&section);
        wrong.extend(misses);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
    if std::env::var_os("BEAMLINE_BLESS").is_some() {
        std::fs::write(&path, &text).expect("the page can be written");
    }
    assert!(wrong.is_empty(), "not as promised or published: {wrong:#?}");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text, "docs/codes.md is not what the tests find");
}
