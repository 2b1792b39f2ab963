use super::{holds, support};
use beamline::scheme::Code;
use beamline::stage::decode::{self, BlockParams, Decode};

#[test]
fn the_shader_equals_its_reference() {
    holds(decode::check);
}

/// Image, delivered data and counts after the decoding on the GPU.
fn run(code: Code, words: u32, image: &[u32], repair: bool) -> [Vec<u32>; 3] {
    let gpu = support::gpu();
    let stage = Decode::new(&gpu, code, true).expect("the shader compiles");
    let params = stage.params(BlockParams::one(words, repair));
    let uniform = gpu.uniform("params", &params);
    let (ib, cb) = (gpu.upload("image", image), gpu.zeroed("counts", 2));
    let db = gpu.upload("decoded", &vec![9; image.len()]);
    gpu.submit(|pass| stage.encode(pass, (&params, &uniform), &ib, &db, &cb)).expect("submitted");
    [ib, db, cb].map(|buffer| gpu.read(&buffer).expect("read"))
}

/// Data that counts, with its check words behind.
fn stored(code: Code, words: u32) -> Vec<u32> {
    let mut data: Vec<u32> = (0..words).map(|word| word.wrapping_mul(0x9e37_79b9)).collect();
    let size = code.block_words() as usize;
    let checks: Vec<u32> = data
        .chunks(size)
        .map(|block| {
            let filled: Vec<u32> =
                block.iter().copied().chain(std::iter::repeat(0)).take(size).collect();
            code.encode(&filled)
        })
        .collect();
    data.extend(checks);
    data
}

#[test]
fn sizes_around_a_block_a_workgroup_and_past_a_grid() {
    for code in [Code::Hsiao72, Code::Hamming39, Code::Trio] {
        let size = code.block_words();
        for words in [0, 1, size - 1, size, size + 1, 64 * size - 1, 64 * size + 1, 65_536 * 8 + 3]
        {
            let golden = stored(code, words);
            let mut image = golden.clone();
            if words > 0 {
                image[words as usize - 1] ^= 0x40;
            }
            let [repaired, decoded, counts] = run(code, words, &image, true);
            assert_eq!(repaired, golden, "{code:?}, {words} words");
            assert_eq!(decoded[..words as usize], golden[..words as usize], "{code:?}, {words}");
            assert!(decoded[words as usize..].iter().all(|word| *word == 9), "{code:?}, {words}");
            assert_eq!(counts, [u32::from(words > 0), 0], "{code:?}, {words} words");
        }
    }
}

#[test]
fn data_is_delivered_corrected_while_the_image_stays_struck() {
    let golden = stored(Code::Hsiao72, 24);
    let mut image = golden.clone();
    image[3] ^= 1 << 31;
    image[12] ^= 3;
    image[26] ^= 1 << 9;
    let [after, decoded, counts] = run(Code::Hsiao72, 24, &image, false);
    assert_eq!(after, image);
    let mut want = golden;
    want[12] ^= 3;
    assert_eq!(decoded[..24], want[..24]);
    assert_eq!(counts, [2, 1]);
}
