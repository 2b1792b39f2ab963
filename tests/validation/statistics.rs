//! Intervals and sample sizes of the literature.

use crate::table::{Row, Tolerance};
use beamline::stats::{clopper_pearson, garwood, sample_size, wilson};

const GARWOOD: &str =
    "Garwood 1936, doi 10.1093/biomet/28.3-4.437: χ² quantiles for Poisson counts";
const BINOMIAL: &str = "Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404; \
    Wilson 1927, doi 10.1080/01621459.1927.10502953";
const LEVEUGLE: &str = "Leveugle et al. 2009, doi 10.1109/DATE.2009.5090716";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (count, low, high) in [(1, 0.0253, 5.572), (5, 1.6235, 11.668), (203, 176.03, 232.93)] {
        let found = garwood(count, 0.05);
        for (end, expected, found) in [("low", low, found.low), ("high", high, found.high)] {
            let what = format!("95 % interval of a count of {count}, {end} end");
            rows.push(Row::new("S1", what, GARWOOD, (expected, found), Tolerance::Share(0.001)));
        }
    }
    for (k, n, expected) in [
        (5, 100, [0.016_432, 0.112_835, 0.021_544, 0.111_750]),
        (50, 100, [0.398_321, 0.601_679, 0.403_832, 0.596_168]),
    ] {
        let (cp, w) = (clopper_pearson(k, n, 0.05), wilson(k, n, 0.05));
        let names = ["Clopper–Pearson low", "Clopper–Pearson high", "Wilson low", "Wilson high"];
        for ((name, expected), found) in
            names.iter().zip(expected).zip([cp.low, cp.high, w.low, w.high])
        {
            let what = format!("95 % interval of {k} of {n}, {name}");
            rows.push(Row::new("S2", what, BINOMIAL, (expected, found), Tolerance::Share(0.001)));
        }
    }
    for (population, error, alpha, expected) in [
        (1_000_000_000_000, 0.05, 0.05, 385.0),
        (1_000_000, 0.01, 0.05, 9513.0),
        (10_000, 0.01, 0.05, 4900.0),
        (1_000_000_000_000, 0.01, 0.01, 16_588.0),
    ] {
        let found = sample_size(population, error, alpha, 0.5) as f64;
        let what = format!("samples of {population} for ±{error} at confidence {}", 1.0 - alpha);
        rows.push(Row::new("S3", what, LEVEUGLE, (expected, found), Tolerance::Share(0.001)));
    }
    rows
}
