use super::{holds, support};
use beamline::scheme::code::symbol::{RS18, RS39, Symbols};
use beamline::stage::decode::BlockParams;
use beamline::stage::decode_symbols::{self, DecodeSymbols};

#[test]
fn the_shader_equals_its_reference() {
    holds(decode_symbols::check);
}

/// What the stage makes of one image: the image after it, the data delivered, the counts.
fn decoded(code: Symbols, words: u32, image: &[u32], repair: bool) -> [Vec<u32>; 3] {
    let gpu = support::gpu();
    let params = BlockParams { deliver: 1, ..BlockParams::one(words, repair) };
    let stage = DecodeSymbols::new(&gpu, code).expect("the shader compiles");
    let uniform = gpu.uniform("params", &params);
    let (ib, db) = (gpu.upload("image", image), gpu.zeroed("decoded", image.len()));
    let cb = gpu.zeroed("counts", 2);
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &ib, &db, &cb))
        .expect("the GPU works");
    [&ib, &db, &cb].map(|buffer| gpu.read(buffer).expect("the GPU works"))
}

/// Drawn-looking data with their check words.
fn encoded(code: Symbols, words: u32) -> Vec<u32> {
    let mut image: Vec<u32> = (1..=words).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
    for block in image.clone().chunks(code.block_words() as usize) {
        let mut full = block.to_vec();
        full.resize(code.block_words() as usize, 0);
        image.push(code.encode(&full));
    }
    image
}

#[test]
fn no_word_one_block_and_more_than_a_grid() {
    for code in [RS18, RS39] {
        let block = code.block_words();
        for words in [0, 1, block - 1, block, block + 1, 63 * block, 65 * block + 1] {
            let golden = encoded(code, words);
            if golden.is_empty() {
                continue;
            }
            let mut struck = golden.clone();
            struck[0] ^= 0xff;
            let last = struck.len() - 1;
            struck[last] ^= if words > block { 0x80 } else { 0 };
            let [after, data, counts] = decoded(code, words, &struck, true);
            assert_eq!(after, golden, "{code:?}, {words} words");
            assert_eq!(data[..words as usize], golden[..words as usize]);
            assert_eq!(counts, [if words > block { 2 } else { 1 }, 0]);
        }
    }
}

#[test]
fn without_repair_the_image_stays_struck() {
    let golden = encoded(RS39, 9);
    let mut struck = golden.clone();
    struck[4] ^= 0x00a5_0000;
    let [after, data, counts] = decoded(RS39, 9, &struck, false);
    assert_eq!(after, struck);
    assert_eq!(data[..9], golden[..9]);
    assert_eq!(counts, [1, 0]);
}

#[test]
fn two_wrong_bytes_are_counted_and_left() {
    let mut struck = encoded(RS39, 9);
    struck[4] ^= 0x00a5_0001;
    let [after, data, counts] = decoded(RS39, 9, &struck, true);
    assert_eq!(after, struck);
    assert_eq!(data[..9], struck[..9]);
    assert_eq!(counts, [0, 1]);
}

#[test]
fn more_blocks_than_one_dimension_of_the_grid() {
    let blocks = 65_536 * 64 + 1;
    let gpu = support::gpu();
    // Every slot is the same image: one block of zeros with a flipped bit in the check word.
    let params = BlockParams { slots: blocks, ..BlockParams::one(1, false) };
    let stage = DecodeSymbols::new(&gpu, RS18).expect("the shader compiles");
    let uniform = gpu.uniform("params", &params);
    let (image, unused) = (gpu.upload("image", &[0_u32, 4]), gpu.zeroed("decoded", 1));
    let counts = gpu.zeroed("counts", 2 * blocks as usize);
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &image, &unused, &counts))
        .expect("the GPU works");
    let counts = gpu.read(&counts).expect("the GPU works");
    assert!(counts.chunks(2).all(|count| count == [1, 0]));
}
