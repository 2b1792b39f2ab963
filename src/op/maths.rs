//! Functions of one or two floats with the same bits on every adapter, as `shaders/lib/maths.wgsl` has
//! them, but for division and square root, which are the adapter's.
//!
//! Errors against the same function in f64, in 2⁻²³ of the result (tests): exp and log 2, tanh and erf 3,
//! powers of whole exponents up to 64 one for each multiplication, other powers 2 + |y ln x|.

use super::{Arithmetic, bits, exp};

/// exp of any argument.
pub fn exp_any(arithmetic: Arithmetic, x: f32) -> f32 {
    if x.to_bits() >> 31 == 1 || bits::is_nan(x.to_bits()) {
        return exp(arithmetic, x);
    }
    if x.to_bits() > 0x42b1_7217 {
        return f32::INFINITY;
    }
    let (n, p) = exp::parts(arithmetic, x);
    // Half of it first, since 2¹²⁸ is no float.
    p * f32::from_bits((n + 126) << 23) * 2.0
}

/// exp(x) − 1 of an argument at or below zero.
pub fn exp_less_one(arithmetic: Arithmetic, x: f32) -> f32 {
    if x > -0.34 { exp::small(arithmetic, x) } else { exp(arithmetic, x) - 1.0 }
}

/// The natural logarithm, by the polynomial of Cephes' `logf` (Moshier 1992).
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
pub fn log(arithmetic: Arithmetic, x: f32) -> f32 {
    let word = x.to_bits();
    if bits::is_nan(word) || word == 0x7f80_0000 {
        return x;
    }
    if word & 0x7fff_ffff == 0 {
        return f32::NEG_INFINITY;
    }
    if word >> 31 == 1 {
        return f32::NAN;
    }
    // A subnormal is a whole number of 2⁻¹⁴⁹.
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2²³")]
    let (word, least) = match word >> 23 {
        0 => ((word as f32).to_bits(), -149),
        _ => (word, 0),
    };
    #[expect(clippy::cast_possible_wrap, reason = "a byte")]
    let mut exponent = (word >> 23) as i32 - 126 + least;
    let mut x = f32::from_bits(word & 0x007f_ffff | 0x3f00_0000);
    if x < std::f32::consts::FRAC_1_SQRT_2 {
        exponent -= 1;
        x += x;
    }
    x -= 1.0;
    let fma = |a, b, c| arithmetic.fma(a, b, c);
    let z = x * x;
    let p = [
        -1.151_461_031_0e-1,
        1.167_699_874_0e-1,
        -1.242_014_084_6e-1,
        1.424_932_278_7e-1,
        -1.666_805_766_5e-1,
        2.000_071_476_5e-1,
        -2.499_999_399_3e-1,
        3.333_333_117_4e-1,
    ]
    .into_iter()
    .fold(7.037_683_629_2e-2, |p, c| fma(p, x, c));
    #[expect(clippy::cast_precision_loss, reason = "at most 277")]
    let e = exponent as f32;
    let y = fma(e, -2.121_944_40e-4, x * z * p);
    fma(e, 0.693_359_375, x + fma(-0.5, z, y))
}

/// The hyperbolic tangent: Cephes' polynomial (Moshier 1992) below 0.625, 1 − 2 / (exp(2|x|) + 1) above.
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
pub fn tanh(arithmetic: Arithmetic, x: f32) -> f32 {
    let size = x.abs();
    if size < 0.625 {
        let z = x * x;
        let p =
            [2.063_908_879_54e-2, -5.373_971_555_31e-2, 1.333_144_220_36e-1, -3.333_328_194_22e-1]
                .into_iter()
                .fold(-5.704_988_727_45e-3, |p, c| arithmetic.fma(p, z, c));
        return arithmetic.fma(p * z, x, x);
    }
    let above = 1.0 - 2.0 / (exp_any(arithmetic, size + size) + 1.0);
    f32::from_bits(above.to_bits() | x.to_bits() & 1 << 31)
}

/// The error function, by the two polynomials of N. Juffa ("Evaluating `erff()` with single-precision
/// arithmetic", 2017, BSD licence).
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
pub fn erf(arithmetic: Arithmetic, x: f32) -> f32 {
    let fma = |a, b, c| arithmetic.fma(a, b, c);
    let (t, s) = (x.abs(), x * x);
    if t > 0.927_734_375 {
        if t > 4.0 {
            return 1f32.copysign(x);
        }
        let r = fma(-1.728_534_70e-5, t, 3.831_971_26e-4);
        let u = fma(-3.883_964_38e-3, t, 2.425_462_19e-2);
        let r = fma(r, s, u);
        let r = [-1.067_778_77e-1, -6.348_466_87e-1, -1.287_175_12e-1]
            .into_iter()
            .fold(r, |r, c| fma(r, t, c));
        return (1.0 - exp(arithmetic, fma(r, t, -t))).copysign(x);
    }
    let r = [4.991_194_23e-3, -2.676_813_49e-2, 1.128_199_25e-1, -3.761_253_36e-1, 1.283_791_66e-1]
        .into_iter()
        .fold(-5.967_617_03e-4, |r, c| fma(r, s, c));
    fma(r, x, x)
}

/// x to the power y: by squaring where y is a whole number up to 64, a square root where it is ½, else
/// exp(y ln |x|).
pub fn pow(arithmetic: Arithmetic, x: f32, y: f32) -> f32 {
    if y == 0.0 || x.to_bits() == 0x3f80_0000 {
        return 1.0;
    }
    if bits::is_nan(x.to_bits()) {
        return x;
    }
    if bits::is_nan(y.to_bits()) {
        return y;
    }
    let whole = y.floor() == y;
    if whole && y.abs() <= 64.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "up to 64")]
        let mut left = y.abs() as u32;
        let (mut power, mut base) = (1f32, x);
        for _ in 0..7 {
            if left & 1 == 1 {
                power *= base;
            }
            base *= base;
            left >>= 1;
        }
        return if y < 0.0 { 1.0 / power } else { power };
    }
    if y == 0.5 {
        return x.sqrt();
    }
    if x < 0.0 && !whole {
        return f32::NAN;
    }
    let power = exp_any(arithmetic, y * log(arithmetic, x.abs()));
    let half = y * 0.5;
    let odd = whole && half.floor() != half;
    if x.to_bits() >> 31 == 1 && odd { -power } else { power }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::cast_possible_truncation,
        reason = "functions of 32-bit floats are held to those of 64 bits"
    )]

    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    const FUSED: Arithmetic = Arithmetic { fma_fused: true, flushes_subnormals: false };

    /// The largest error of `of` against `exact` in units in the last place over arguments of this range.
    fn worst(
        (least, most): (f32, f32),
        of: impl Fn(Arithmetic, f32) -> f32,
        exact: impl Fn(f64) -> f64,
    ) -> f64 {
        let mut draws = Xoshiro256PlusPlus::seed_from_u64(7);
        let mut worst = 0f64;
        for _ in 0..200_000 {
            let x = draws.random_range(least..most);
            let want = exact(x.into());
            let unit =
                f64::from((want as f32).abs().max(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON);
            for arithmetic in [FUSED, Arithmetic::default()] {
                worst = worst.max((f64::from(of(arithmetic, x)) - want).abs() / unit);
            }
        }
        worst
    }

    #[test]
    fn functions_are_within_their_bounds() {
        let exps = worst((-80.0, 88.0), exp_any, f64::exp);
        assert!(exps < 2.0, "exp {exps}");
        let ones = worst((-8.0, 0.0), exp_less_one, f64::exp_m1);
        assert!(ones < 3.0, "exp - 1 {ones}");
        let logs = worst((0.0, 4.0), log, f64::ln).max(worst((4.0, 1e30), log, f64::ln));
        assert!(logs < 2.0, "log {logs}");
        let tanhs = worst((-12.0, 12.0), tanh, f64::tanh).max(worst((-0.7, 0.7), tanh, f64::tanh));
        assert!(tanhs < 3.0, "tanh {tanhs}");
        for (x, erf_x) in [
            // Abramowitz and Stegun 1964, table 7.1.
            (0.1, 0.112_462_916_0),
            (0.5, 0.520_499_877_8),
            (0.9, 0.796_908_212_4),
            (1.0, 0.842_700_792_9),
            (1.5, 0.966_105_146_5),
            (2.0, 0.995_322_265_0),
        ] {
            for sign in [1.0f32, -1.0] {
                let found = f64::from(erf(FUSED, sign * x)) * f64::from(sign);
                assert!((found - erf_x).abs() < 2e-7, "erf {x}: {found}");
            }
        }
        for y in [2.0, 3.0, -2.0, 7.0] {
            let powers = worst((0.1, 9.0), |a, x| pow(a, x, y), |x| x.powf(y.into()));
            assert!(powers < 7.0, "power {y}: {powers}");
        }
        let powers = worst((0.001, 900.0), |a, x| pow(a, x, 1.7), |x| x.powf(1.7f32.into()));
        assert!(powers < 13.0, "power 1.7: {powers}");
    }

    #[test]
    fn edges_are_those_of_ieee() {
        for arithmetic in [FUSED, Arithmetic::default()] {
            assert_eq!(exp_any(arithmetic, 89.0), f32::INFINITY);
            assert_eq!(exp_any(arithmetic, f32::INFINITY), f32::INFINITY);
            assert_eq!(exp_any(arithmetic, f32::NEG_INFINITY), 0.0);
            assert_eq!(exp_any(arithmetic, 0.0), 1.0);
            assert_eq!(log(arithmetic, 0.0), f32::NEG_INFINITY);
            assert!(log(arithmetic, -1.0).is_nan());
            assert!((log(arithmetic, 1e-42) - 1e-42f32.ln()).abs() < 1e-4);
            assert_eq!(log(arithmetic, f32::INFINITY), f32::INFINITY);
            assert_eq!(tanh(arithmetic, f32::INFINITY), 1.0);
            assert_eq!(tanh(arithmetic, -50.0), -1.0);
            assert_eq!(erf(arithmetic, f32::NEG_INFINITY), -1.0);
            assert_eq!(pow(arithmetic, -2.0, 3.0), -8.0);
            let odd = pow(arithmetic, -2.0, 101.0) / (-2f32).powi(101);
            assert!((odd - 1.0).abs() < 9e-6, "{odd}");
            assert!(pow(arithmetic, -2.0, 0.3).is_nan());
            assert_eq!(pow(arithmetic, 0.0, -1.0), f32::INFINITY);
            assert_eq!(pow(arithmetic, f32::NAN, 0.0), 1.0);
        }
    }
}
