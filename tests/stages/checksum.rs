use super::holds;
use beamline::stage::checksum;

#[test]
fn the_shader_equals_its_reference() {
    holds(checksum::check);
}

#[test]
fn every_single_wrong_bit_and_every_swap_of_words_shows() {
    let image: Vec<u32> = (0..300u32).map(|i| i.wrapping_mul(0x1234_5677)).collect();
    let golden = checksum::sum(&image);
    for word in 0..image.len() {
        for bit in 0..32 {
            let mut struck = image.clone();
            struck[word] ^= 1 << bit;
            assert_ne!(checksum::sum(&struck), golden, "word {word} bit {bit}");
        }
    }
    let mut swapped = image;
    swapped.swap(3, 200);
    assert_ne!(checksum::sum(&swapped), golden);
}
