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

What the storage codes correct, detect and miss. The tests in `tests/codes` compute this page and fail where it is not
what they find; `BEAMLINE_BLESS=1 cargo test --test codes` writes it anew.
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
    for (code, tallies) in Code::ALL.into_iter().zip(tallies()) {
        for (class, tally) in &tallies {
            let promised = proof::promised(code, class);
            let silent = proof::never_silent(code, class) && tally.counts[2] > 0;
            if silent || promised.is_some_and(|shares| shares != tally.shares()) {
                wrong.push(format!("{}, {class}: {tally:?}", code.name()));
            }
        }
        text.push_str(&proof::section(code, &tallies));
    }
    for (section, misses) in [hbm2e::section(), neutron::section()] {
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
