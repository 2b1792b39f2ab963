//! The arithmetic probe: held to the two roundings that the CPU can do.

use super::{Check, same_bits};
use crate::gpu::{Arithmetic, Error, Gpu};

/// What the probe reads under an arithmetic: (fma of a product that must not be rounded, product
/// that is subnormal).
pub fn reference(arithmetic: Arithmetic) -> [f32; 2] {
    let a = 1.0 + 2f32.powi(-12);
    let product = if arithmetic.flushes_subnormals { 0.0 } else { f32::MIN_POSITIVE * 0.5 };
    [arithmetic.fma(a, a, -1.0 - 2f32.powi(-11)), product]
}

/// Holds the adapter's arithmetic, as probed when it was opened, to one of the known kinds.
///
/// # Errors
/// Where the GPU fails.
pub fn check(gpu: &Gpu, _seed: u64) -> Result<Check, Error> {
    let (found, raw) = gpu.probe()?;
    let want = reference(found).map(f32::to_bits);
    Ok(same_bits("probe", &raw.map(f32::to_bits), &want))
}
