use super::{holds, support};
use beamline::scheme::Code;
use beamline::scheme::code::crc;
use beamline::stage::crc32::{self, Crc32};
use beamline::stage::decode::BlockParams;

#[test]
fn the_shader_equals_its_reference() {
    holds(crc32::check);
}

/// The blocks of `slots` images, one after another, that do not agree.
fn counted(words: u32, slots: u32, image: &[u32]) -> Vec<u32> {
    let gpu = support::gpu();
    let check = Code::Crc32.check_words(words);
    let params = BlockParams { stride: words + check, slots, ..BlockParams::one(words, false) };
    let stage = Crc32::new(&gpu).expect("the shader compiles");
    let uniform = gpu.uniform("params", &params);
    let (image, unused) = (gpu.upload("image", image), gpu.zeroed("decoded", 1));
    let counts = gpu.zeroed("counts", 2 * slots as usize);
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &image, &unused, &counts))
        .expect("the GPU works");
    gpu.read(&counts).expect("the GPU works")
}

#[test]
fn every_flip_of_a_block_and_its_check_word_is_counted_in_its_slot() {
    let mut golden: Vec<u32> = (0..64_u32).map(|i| i.wrapping_mul(0x0101_4567)).collect();
    golden.push(crc::encode(&golden));
    let bits = 32 * 65;
    let mut images = golden.repeat(bits + 1);
    for bit in 0..bits {
        images[65 * bit + bit / 32] ^= 1 << (bit % 32);
    }
    let counts = counted(64, u32::try_from(bits + 1).expect("a few"), &images);
    let (last, struck) = counts.split_at(2 * bits);
    assert!(last.chunks(2).all(|count| count == [0, 1]));
    assert_eq!(struck, [0, 0], "the image without a flip");
}

#[test]
fn sizes_around_a_block_and_a_workgroup() {
    for words in [1, 63, 64, 65, 64 * 64, 64 * 65 + 1] {
        let mut image: Vec<u32> = (0..words).map(|i: u32| i.wrapping_mul(0x9e37_79b9)).collect();
        for block in image.clone().chunks(64) {
            let mut full = block.to_vec();
            full.resize(64, 0);
            image.push(crc::encode(&full));
        }
        assert_eq!(counted(words, 1, &image), [0, 0], "{words} words");
        image[words as usize - 1] ^= 1 << 31;
        assert_eq!(counted(words, 1, &image), [0, 1], "{words} words");
    }
}
