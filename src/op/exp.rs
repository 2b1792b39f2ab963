//! exp with the same bits on every adapter.

use super::{Arithmetic, bits};

/// exp of an argument at or below zero; a NaN stays one, arguments below −87 give 0.
///
/// A polynomial of our own kind, as `shaders/lib/exp.wgsl` has it: x = n·ln 2 + r by a two-part ln 2 (Cody
/// and Waite 1980), a polynomial of degree 7 on |r| ≤ ½ ln 2 with the coefficients of Cephes' `expf`
/// (Moshier 1992), and 2ⁿ by exponent.
pub fn exp(arithmetic: Arithmetic, x: f32) -> f32 {
    if bits::is_nan(x.to_bits()) {
        return x;
    }
    if x.to_bits() > 0xc2ae_0000 {
        return 0.0;
    }
    let (n, p) = parts(arithmetic, x);
    p * f32::from_bits(n.wrapping_add(127) << 23)
}

/// n, as a word, and exp(r) of x = n·ln 2 + r.
#[expect(clippy::excessive_precision, reason = "the constants as published")]
pub(super) fn parts(arithmetic: Arithmetic, x: f32) -> (u32, f32) {
    let fma = |a, b, c| arithmetic.fma(a, b, c);
    let n = fma(x, std::f32::consts::LOG2_E, 0.5).floor();
    let r = fma(n, 2.121_944_40e-4, fma(n, -0.693_359_375, x));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "n is a whole number from -126 to 128"
    )]
    (n as i32 as u32, small(arithmetic, r) + 1.0)
}

/// exp(r) − 1 for |r| up to ½ ln 2.
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
pub(super) fn small(arithmetic: Arithmetic, r: f32) -> f32 {
    let fma = |a, b, c| arithmetic.fma(a, b, c);
    let p = [1.398_199_95e-3, 8.333_452_05e-3, 4.166_579_62e-2, 1.666_666_57e-1, 0.5]
        .into_iter()
        .fold(1.987_569_15e-4, |p, c| fma(p, r, c));
    fma(p, r * r, r)
}
