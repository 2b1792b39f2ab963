// A stored element as an op reads it. The entry file declares the words as `w`.

fn stored_float(slot: u32, index: u32) -> f32 {
    return bitcast<f32>(w[slot + index]);
}
