// exp with the same bits on every adapter. The entry file declares params.zero, a 0 that the compiler does
// not know. See src/op/exp.rs for the same and its sources.
#import bits

// The same bits, behind which a compiler cannot regroup a sum of products.
fn exp_kept(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}

// n and exp(r) of x = n ln 2 + r.
fn exp_parts(x: f32) -> vec2<f32> {
    let n = floor(fma(x, 1.44269504, 0.5));
    let r = exp_kept(fma(n, 2.12194440e-4, exp_kept(fma(n, -0.693359375, x))));
    return vec2(n, exp_kept(exp_small(r) + 1.0));
}

// exp(r) - 1 for |r| up to half of ln 2.
fn exp_small(r: f32) -> f32 {
    var p = 1.98756915e-4;
    p = fma(p, r, 1.39819995e-3);
    p = fma(p, r, 8.33345205e-3);
    p = fma(p, r, 4.16657962e-2);
    p = fma(p, r, 1.66666657e-1);
    p = fma(p, r, 0.5);
    return exp_kept(fma(p, exp_kept(r * r), r));
}

// exp for x <= 0: 2^n times a polynomial of the rest, by bits below -87 and for NaN.
fn exp_below_zero(x: f32) -> f32 {
    let word = bitcast<u32>(x);
    if bits_is_nan(word) { return x; }
    if word > 0xc2ae0000u { return 0.0; }
    let parts = exp_parts(x);
    return exp_kept(parts.y) * bitcast<f32>(u32(i32(parts.x) + 127) << 23u);
}
