//! Every interval held to values that mpmath computed: `tests/data/stats/README.md`.

use super::interval::normal_quantile;
use super::{clopper_pearson, garwood, mcnemar_exact, weighted_poisson, wilson};

const VALUES: &str = include_str!("../../tests/data/stats/intervals.csv");

/// The relative error allowed.
const TOLERANCE: f64 = 1e-12;

#[test]
fn every_interval_equals_mpmaths_down_to_the_smallest_alpha() {
    let mut compared = std::collections::BTreeMap::new();
    for line in VALUES.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [kind, of, alpha, low, high] = cells[..] else { panic!("five cells: {line}") };
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let of: Vec<&str> = of.split_whitespace().collect();
        let count = |at: usize| of[at].parse::<u64>().expect("a count");
        let real = |at: usize| number(of[at]);
        let alpha = if alpha.is_empty() { 0.5 } else { number(alpha) };
        let (found_low, found_high) = match kind {
            "clopper-pearson" | "wilson" => {
                let of = if kind == "wilson" { wilson } else { clopper_pearson };
                let found = of(count(0), count(1), alpha);
                (found.low, found.high)
            }
            "garwood" => {
                let found = garwood(count(0), alpha);
                (found.low, found.high)
            }
            "weighted" => {
                let found = weighted_poisson(real(0), real(1), real(2), alpha);
                (found.low, found.high)
            }
            "normal" => (-normal_quantile(alpha), normal_quantile(alpha)),
            "mcnemar" => (mcnemar_exact(count(0), count(1)), mcnemar_exact(count(1), count(0))),
            other => panic!("an interval {other}"),
        };
        for (found, expected) in [(found_low, number(low)), (found_high, number(high))] {
            let error = (found - expected).abs();
            assert!(
                error <= TOLERANCE * expected.abs(),
                "{line}: {found:e}, off by {:e}",
                error / expected.abs()
            );
        }
        *compared.entry(kind).or_insert(0) += 1;
    }
    let kinds: Vec<_> = compared.into_iter().collect();
    let expected = [
        ("clopper-pearson", 152),
        ("garwood", 72),
        ("mcnemar", 8),
        ("normal", 8),
        ("weighted", 40),
        ("wilson", 152),
    ];
    assert_eq!(kinds, expected);
}
