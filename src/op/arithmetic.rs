//! How an adapter rounds.

/// How an adapter rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
pub struct Arithmetic {
    /// Whether `fma(a, b, c)` rounds once. Software Vulkan may round the product, then the sum.
    pub fma_fused: bool,
    /// Whether subnormal results become zero.
    pub flushes_subnormals: bool,
}

impl Arithmetic {
    /// The fused or unfused multiply-add of this adapter.
    pub fn fma(self, a: f32, b: f32, c: f32) -> f32 {
        if self.fma_fused { a.mul_add(b, c) } else { a * b + c }
    }
}
