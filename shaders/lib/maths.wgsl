// Functions of floats with the same bits on every adapter, but for division and square root. See
// src/op/maths.rs for the same and its sources.
#import bits
#import exp

fn maths_exp(x: f32) -> f32 {
    let word = bitcast<u32>(x);
    if word >= 0x80000000u || bits_is_nan(word) { return exp_below_zero(x); }
    if word > 0x42b17217u { return bitcast<f32>(0x7f800000u ^ params.zero); }
    let parts = exp_parts(x);
    return exp_kept(parts.y * bitcast<f32>(u32(i32(parts.x) + 126) << 23u)) * 2.0;
}

// exp(x) - 1 for x <= 0.
fn maths_exp_less_one(x: f32) -> f32 {
    if x > -0.34 { return exp_small(x); }
    return exp_kept(exp_below_zero(x)) - 1.0;
}

fn maths_log(argument: f32) -> f32 {
    var word = bitcast<u32>(argument);
    if bits_is_nan(word) || word == 0x7f800000u { return argument; }
    if (word & 0x7fffffffu) == 0u { return bitcast<f32>(0xff800000u ^ params.zero); }
    if word >= 0x80000000u { return bitcast<f32>(0x7fc00000u ^ params.zero); }
    var exponent = -126;
    if word < 0x00800000u {
        word = bitcast<u32>(f32(word));
        exponent = -275;
    }
    exponent += i32(word >> 23u);
    var x = bitcast<f32>((word & 0x007fffffu) | 0x3f000000u);
    if x < 0.70710678 {
        exponent -= 1;
        x += x;
    }
    x = exp_kept(x) - 1.0;
    let z = exp_kept(x * x);
    var p = 7.0376836292e-2;
    p = fma(p, x, -1.1514610310e-1);
    p = fma(p, x, 1.1676998740e-1);
    p = fma(p, x, -1.2420140846e-1);
    p = fma(p, x, 1.4249322787e-1);
    p = fma(p, x, -1.6668057665e-1);
    p = fma(p, x, 2.0000714765e-1);
    p = fma(p, x, -2.4999993993e-1);
    p = fma(p, x, 3.3333331174e-1);
    let e = f32(exponent);
    let y = fma(e, -2.12194440e-4, exp_kept(exp_kept(x * z) * p));
    return fma(e, 0.693359375, exp_kept(x + exp_kept(fma(-0.5, z, y))));
}

fn maths_tanh(x: f32) -> f32 {
    let size = abs(x);
    if size < 0.625 {
        let z = exp_kept(x * x);
        var p = -5.70498872745e-3;
        p = fma(p, z, 2.06390887954e-2);
        p = fma(p, z, -5.37397155531e-2);
        p = fma(p, z, 1.33314422036e-1);
        p = fma(p, z, -3.33332819422e-1);
        return fma(exp_kept(p * z), x, x);
    }
    let above = 1.0 - 2.0 / (exp_kept(maths_exp(size + size)) + 1.0);
    return bitcast<f32>(bitcast<u32>(above) | (bitcast<u32>(x) & 0x80000000u));
}

fn maths_erf(x: f32) -> f32 {
    let t = abs(x);
    let s = exp_kept(x * x);
    let sign = bitcast<u32>(x) & 0x80000000u;
    if t > 0.927734375 {
        if t > 4.0 { return bitcast<f32>(0x3f800000u | sign); }
        var r = fma(-1.72853470e-5, t, 3.83197126e-4);
        r = fma(r, s, fma(-3.88396438e-3, t, 2.42546219e-2));
        r = fma(r, t, -1.06777877e-1);
        r = fma(r, t, -6.34846687e-1);
        r = fma(r, t, -1.28717512e-1);
        let above = 1.0 - exp_kept(exp_below_zero(fma(r, t, -t)));
        return bitcast<f32>(bitcast<u32>(above) | sign);
    }
    var r = -5.96761703e-4;
    r = fma(r, s, 4.99119423e-3);
    r = fma(r, s, -2.67681349e-2);
    r = fma(r, s, 1.12819925e-1);
    r = fma(r, s, -3.76125336e-1);
    r = fma(r, s, 1.28379166e-1);
    return fma(r, x, x);
}

fn maths_pow(x: f32, y: f32) -> f32 {
    if (bitcast<u32>(y) & 0x7fffffffu) == 0u || bitcast<u32>(x) == 0x3f800000u { return 1.0; }
    if bits_is_nan(bitcast<u32>(x)) { return x; }
    if bits_is_nan(bitcast<u32>(y)) { return y; }
    let whole = floor(y) == y;
    if whole && abs(y) <= 64.0 {
        var left = u32(abs(y));
        var power = 1.0;
        var base = x;
        for (var i = 0u; i < 7u; i++) {
            if (left & 1u) == 1u { power = exp_kept(power * base); }
            base = exp_kept(base * base);
            left >>= 1u;
        }
        if y < 0.0 { return 1.0 / power; }
        return power;
    }
    if y == 0.5 { return sqrt(x); }
    if x < 0.0 && !whole { return bitcast<f32>(0x7fc00000u ^ params.zero); }
    let power = maths_exp(exp_kept(y * maths_log(abs(x))));
    let half = y * 0.5;
    let odd = whole && floor(half) != half;
    let sign = select(0u, bitcast<u32>(x) & 0x80000000u, odd);
    return bitcast<f32>(bitcast<u32>(power) ^ sign);
}
