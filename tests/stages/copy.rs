use super::holds;
use beamline::stage::copy;

#[test]
fn the_shader_equals_its_reference() {
    holds(copy::check);
}

#[test]
fn a_dispatch_past_65_535_workgroups_folds_and_covers_every_word() {
    let gpu = super::support::gpu();
    let words = 4 * 64 * (65_535 + 3);
    let data: Vec<u32> = (0..words).collect();
    let stage = copy::Copy::new(&gpu).expect("the shader compiles");
    let (from, to) = (gpu.upload("from", &data), gpu.zeroed("to", data.len()));
    gpu.submit(|pass| stage.encode(pass, &from, &to)).expect("the GPU works");
    assert!(gpu.read(&to).expect("the GPU works") == data, "some words were not copied");
}
