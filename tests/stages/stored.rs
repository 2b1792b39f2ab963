//! Words that ops vote or decode while they load them.

use beamline::op::{Form, Stored};
use beamline::scheme::Code;
use beamline::stage::stored::delivered;

const WEIGHTS: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.5, 0.25];

#[test]
fn one_struck_copy_is_outvoted_and_two_are_not() {
    let copy = WEIGHTS.map(f32::to_bits);
    let mut w = [copy; 3].concat();
    let stored = Stored { form: Form::Voted, copy_stride: 8, ..Stored::default() };
    for at in 0..8 {
        w[8 * (at % 3) + at] = f32::NAN.to_bits();
    }
    assert_eq!(delivered(stored, &w).0, copy);
    w[8 + 3] ^= 1 << 31;
    w[16 + 3] ^= 1 << 31;
    w[3] = copy[3];
    assert_eq!(f32::from_bits(delivered(stored, &w).0[3]), -4.0);
}

#[test]
fn a_flip_is_corrected_and_two_in_a_codeword_are_lost_and_stay() {
    let golden = WEIGHTS.map(f32::to_bits);
    let mut w = golden.to_vec();
    w.push(Code::Hsiao72.encode(&w));
    let stored = Stored { form: Form::Decoded, check_base: 8, words: 8, ..Stored::default() };
    for (word, bit) in (0..9).flat_map(|word| (0..32).map(move |bit| (word, bit))) {
        let mut struck = w.clone();
        struck[word] ^= 1 << bit;
        assert_eq!(delivered(stored, &struck), (golden.to_vec(), vec![false; 8]), "{word} {bit}");
    }
    w[2] ^= 1 << 31;
    w[3] ^= 1 << 31;
    let (read, lost) = delivered(stored, &w);
    assert_eq!(read, w[..8]);
    assert_eq!(lost, [false, false, true, true, false, false, false, false]);
}

#[test]
fn a_codeword_at_the_end_of_the_memory_is_filled_with_zeros() {
    let golden = WEIGHTS[..7].iter().map(|w| w.to_bits()).collect::<Vec<_>>();
    let mut block = golden.clone();
    block.push(0);
    let mut w = golden.clone();
    w.extend([u32::MAX, Code::Hsiao72.encode(&block)]);
    let stored = Stored { form: Form::Decoded, check_base: 8, words: 7, ..Stored::default() };
    w[6] ^= 1 << 30;
    assert_eq!(delivered(stored, &w), (golden, vec![false; 7]));
}
