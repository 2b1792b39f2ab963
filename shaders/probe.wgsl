// How this adapter rounds: one fma whose product must not be rounded, one subnormal product.
// One invocation. See src/gpu/adapter.rs for what the results mean.

@group(0) @binding(0) var<storage, read>       input:  array<f32>;   // a, a, c, tiny, half, -
@group(0) @binding(1) var<storage, read_write> output: array<f32>;   // fma(a, a, c), tiny * half

@compute @workgroup_size(1)
fn main() {
    output[0] = fma(input[0], input[1], input[2]);
    output[1] = input[3] * input[4];
}
