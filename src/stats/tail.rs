//! Tails of the beta and the gamma distribution, both sides to their own precision, and the places
//! where a tail has a given size.
//!
//! A bound at level α is where a tail is α/2: computed as that tail, never as one minus the other,
//! which rounds to 1 below α = 2·10⁻¹⁶ and loses digits long before. `statrs` 0.19 has these
//! distributions, but stops their continued fractions after 140 terms, too early from some 10⁵
//! trials on, and inverts their distribution functions by bisection between two guesses.

use statrs::function::gamma::ln_gamma;
use std::f64::consts::{LN_2, PI};

/// Terms of a series or a continued fraction, at most: some √n are needed for n trials.
const TERMS_MAX: u32 = 1_000_000;
/// The change of a relative term at which a series or a continued fraction ends.
const PRECISION: f64 = 1e-16;

/// The two tails of a distribution at a place: what lies below it, and above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tails {
    /// P(X ≤ x).
    pub(super) below: f64,
    /// P(X > x).
    pub(super) above: f64,
    /// x times the density: how fast the tails change with ln x.
    pub(super) slope: f64,
}

/// The tails of Beta(a, b) at x in (0, 1): the regularised incomplete beta functions, by their
/// continued fraction on the side of the mean where it converges fast.
pub(super) fn beta(a: f64, b: f64, x: f64) -> Tails {
    let y = 1.0 - x;
    // x^a y^b / B(a, b).
    let front = a * b / (a + b) * binomial_mass(a, b, x);
    let slope = front / y;
    if x < (a + 1.0) / (a + b + 2.0) {
        let below = front / beta_fraction(a, b, x, y);
        Tails { below, above: 1.0 - below, slope }
    } else {
        let above = front / beta_fraction(b, a, y, x);
        Tails { below: 1.0 - above, above, slope }
    }
}

/// The tails of Gamma(a, 1) at x above 0: the regularised incomplete gamma functions, by series
/// (DLMF 8.11.4) below the mean and by continued fraction (DLMF 8.9.2) above it.
pub(super) fn gamma(a: f64, x: f64) -> Tails {
    let mass = poisson_mass(a, x);
    let slope = a * mass;
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0, 1.0, a);
        for _ in 0..TERMS_MAX {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < PRECISION * sum {
                break;
            }
        }
        let below = mass * sum;
        Tails { below, above: 1.0 - below, slope }
    } else {
        let first = x + 1.0 - a;
        let above = slope / lentz(first, |n| (-n * (n - a), first + 2.0 * n));
        Tails { below: 1.0 - above, above, slope }
    }
}

/// The x at which the lower tail of a distribution on the numbers from 0 to `most` is `p`.
pub(super) fn lower_quantile(
    p: f64,
    (start, most): (f64, f64),
    tails: impl Fn(f64) -> Tails,
) -> f64 {
    solve(p, (start, most), |x| {
        let Tails { below, slope, .. } = tails(x);
        (below, slope)
    })
}

/// The x at which the upper tail is `p`.
pub(super) fn upper_quantile(
    p: f64,
    (start, most): (f64, f64),
    tails: impl Fn(f64) -> Tails,
) -> f64 {
    solve(p, (start, most), |x| {
        let Tails { above, slope, .. } = tails(x);
        (above, -slope)
    })
}

/// Newton's method on the logarithm of a tail over ln x, kept inside a shrinking bracket. The tails
/// here are log-concave in ln x, so that it converges from one side once the tail is not 0.
fn solve(p: f64, (start, most): (f64, f64), tail: impl Fn(f64) -> (f64, f64)) -> f64 {
    const STEPS_MAX: usize = 200;
    let (mut low, mut high) = (0.0, most);
    let mut x = start;
    for _ in 0..STEPS_MAX {
        let (size, slope) = tail(x);
        if (size > p) == (slope > 0.0) {
            high = x;
        } else {
            low = x;
        }
        let newton = x * (-size * (size / p).ln() / slope).exp();
        if (newton - x).abs() <= 4.0 * f64::EPSILON * x {
            return newton;
        }
        let next = match (low < newton && newton < high, low > 0.0, high.is_finite()) {
            (true, ..) => newton,
            (_, true, true) => (low * high).sqrt(),
            (_, _, true) => 0.5 * x,
            _ => 2.0 * x,
        };
        if next == x {
            break;
        }
        x = next;
    }
    x
}

/// The continued fraction of the incomplete beta function in x and y = 1 − x, so that neither is
/// taken from the other where it is small (Didonato and Morris 1992, doi 10.1145/131766.131776): what
/// x^a y^b / B(a, b) is to be divided by for the lower tail at x.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let part = |n: f64| (a + n) * (a * y - b * x + 1.0 + n * (1.0 + y)) / (a + 2.0 * n + 1.0);
    lentz(part(0.0), |n| {
        let odd = a + 2.0 * n - 1.0;
        let numerator = (a + n - 1.0) / odd * ((a + b + n - 1.0) / odd) * n * (b - n) * x * x;
        (numerator, n + n * (b - n) * x / odd + part(n))
    })
}

/// first + a₁/(b₁ + a₂/(b₂ + …)), with (aₙ, bₙ) of `term`, by the method of Lentz as Thompson and
/// Barnett 1986 (doi 10.1016/0021-9991(86)90046-X) have it.
fn lentz(first: f64, term: impl Fn(f64) -> (f64, f64)) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut value, mut c, mut d) = (away(first), away(first), 0.0);
    for n in 1..=TERMS_MAX {
        let (a, b) = term(n.into());
        d = 1.0 / away(b + a * d);
        c = away(b + a / c);
        let change = c * d;
        value *= change;
        if (change - 1.0).abs() <= 2.0 * f64::EPSILON {
            break;
        }
    }
    value
}

/// C(a + b, a) x^a (1 − x)^b for real a and b, to the last digits however large they are (Loader
/// 2000, Fast and accurate computation of binomial probabilities).
pub(super) fn binomial_mass(a: f64, b: f64, x: f64) -> f64 {
    let n = a + b;
    let y = 1.0 - x;
    if a == 0.0 {
        return (b * (-x).ln_1p()).exp();
    }
    if b == 0.0 {
        return (a * x.ln()).exp();
    }
    let exponent = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y);
    (n / (2.0 * PI * a * b)).sqrt() * exponent.exp()
}

/// mean^count e^(−mean) / count! for a real count above 0, in the same way.
fn poisson_mass(count: f64, mean: f64) -> f64 {
    (-stirling_error(count) - deviance(count, mean)).exp() / (2.0 * PI * count).sqrt()
}

/// ln n! − ln(√(2πn) (n/e)ⁿ).
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * PI).ln();
    }
    let square = n * n;
    let series = [1.0 / 12.0, 1.0 / 360.0, 1.0 / 1260.0, 1.0 / 1680.0, 1.0 / 1188.0];
    series.into_iter().rev().fold(0.0, |sum, term| term - sum / square) / n
}

/// x ln(x/mean) + mean − x, without cancellation where x is near the mean.
fn deviance(x: f64, mean: f64) -> f64 {
    if (x - mean).abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() + mean - x;
    }
    let v = (x - mean) / (x + mean);
    let mut sum = (x - mean) * v;
    let mut power = 2.0 * x * v;
    for j in 1..100 {
        power *= v * v;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// 2 P(X ≤ `fewer`) of `n` tosses of a fair coin, where `fewer` is below n/2: summed from the
/// largest term down, since the terms fall faster than a geometric series.
pub(super) fn twice_fair_tail(fewer: u64, n: u64) -> f64 {
    let (mut tail, mut term, mut i) = (1.0, 1.0, fewer);
    while i > 0 && term > PRECISION * tail {
        term *= i as f64 / (n - i + 1) as f64;
        tail += term;
        i -= 1;
    }
    let largest = match fewer {
        0 => (-(n as f64) * LN_2).exp(),
        fewer => binomial_mass(fewer as f64, (n - fewer) as f64, 0.5),
    };
    (2.0 * tail * largest).min(1.0)
}
