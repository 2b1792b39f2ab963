//! Closed forms of reliability.

/// Survival of a system that goes from sound to impaired at a rate `a`, from impaired to failed at
/// `b`, and from impaired back to sound at `r`: all of them per second.
pub(crate) fn two_states(a: f64, b: f64, r: f64, age: f64) -> f64 {
    let sum = a + b + r;
    let root = (sum * sum - 4.0 * a * b).sqrt();
    let (slow, fast) = (0.5 * (root - sum), -0.5 * (root + sum));
    (slow * f64::exp(fast * age) - fast * f64::exp(slow * age)) / (slow - fast)
}

/// ∫ from 0 to `end` (Simpson's rule).
pub(crate) fn integral(of: impl Fn(f64) -> f64, end: f64) -> f64 {
    let parts = 4000_u32;
    let step = end / f64::from(parts);
    let weight = |k: u32| if k == 0 || k == parts { 1.0 } else { f64::from(2 + 2 * (k % 2)) };
    (0..=parts).map(|k| weight(k) * of(step * f64::from(k))).sum::<f64>() * step / 3.0
}

/// P(two or more wrong bits in some of `words` codewords of 72 bits that toggle), after so many
/// upsets of all of them on average.
pub(crate) fn law(upsets: f64, words: f64) -> f64 {
    let p = 0.5 * (1.0 - f64::exp(-2.0 * upsets / (72.0 * words)));
    let sound = (1.0 - p).powi(72) + 72.0 * p * (1.0 - p).powi(71);
    1.0 - sound.powf(words)
}

#[test]
fn closed_forms_give_the_figures_that_were_checked_elsewhere() {
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 2e-6, "{a} for {b}");
    // λ = 1e-3, μ = 0.2: solved as a Markov chain.
    near(two_states(3e-3, 2e-3, 0.2, 100.0), 0.997_219);
    near(two_states(3e-3, 2e-3, 0.2, 5000.0), 0.863_968);
    let alone = |age: f64| two_states(3e-3, 2e-3, 0.0, age);
    near(integral(alone, 40_000.0), 2500.0 / 3.0);
    near(integral(alone, 10.0) / (1.0 - alone(10.0)) / 33_889.5, 1.0);
}
