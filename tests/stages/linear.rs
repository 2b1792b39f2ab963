use super::holds;
use beamline::scheme::Code;
use beamline::stage::inject::TRAP_ECC;
use beamline::stage::linear;
use beamline::stage::stored::{Form, Stored};

#[test]
fn the_shader_equals_its_reference() {
    holds(linear::check);
}

#[test]
fn a_product_that_a_person_can_check() {
    let params = linear::LinearParams {
        quads: 1,
        inputs: 2,
        outputs: 1,
        has_bias: 1,
        x_base: 0,
        x_stride: 2,
        w_base: 0,
        w_stride: 3,
        b_base: 2,
        stored: Stored::default(),
    };
    let arithmetic = beamline::gpu::Arithmetic::default();
    let x = [1f32, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0].map(f32::to_bits);
    let w = [2f32, 0.5, -1.0].map(f32::to_bits);
    let y = linear::reference(&params, arithmetic, (&x, &[0]), (&w, &[0]));
    let y: Vec<f32> = y.into_iter().map(f32::from_bits).collect();
    assert_eq!(y, [6.0, 13.0, 20.0, 27.0]);
}

/// Two outputs of three inputs, so that the second codeword straddles the rows of the weight.
fn straddling(stored: Stored) -> linear::LinearParams {
    linear::LinearParams {
        quads: 1,
        inputs: 3,
        outputs: 2,
        has_bias: 1,
        x_base: 0,
        x_stride: 3,
        w_base: 0,
        w_stride: 0,
        b_base: 6,
        stored,
    }
}

/// What the shader's reference delivers for inputs of 1, 10 and 100, and the trap of slot 0.
fn delivered(form: Form, stored: Stored, w: &[u32]) -> ([f32; 2], u32) {
    let x = [[1f32; 4], [10.0; 4], [100.0; 4]].concat();
    let x: Vec<u32> = x.into_iter().map(f32::to_bits).collect();
    let arithmetic = beamline::gpu::Arithmetic::default();
    let mut traps = [0];
    let (x, w) = ((&x[..], &[0][..]), (w, &[0][..]));
    let params = straddling(stored);
    let y = linear::reference_stored(form, &params, arithmetic, x, w, &mut traps);
    ([f32::from_bits(y[0]), f32::from_bits(y[4])], traps[0])
}

const WEIGHTS: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.5, 0.25];
const PRODUCTS: [f32; 2] = [321.5, 654.25];

#[test]
fn one_struck_copy_is_outvoted_and_two_are_not() {
    let copy = WEIGHTS.map(f32::to_bits);
    let mut w = [copy; 3].concat();
    let stored = Stored { copy_stride: 8, ..Stored::default() };
    for at in 0..8 {
        w[8 * (at % 3) + at] = f32::NAN.to_bits();
    }
    assert_eq!(delivered(Form::Voted, stored, &w), (PRODUCTS, 0));
    w[8 + 3] ^= 1 << 31;
    w[16 + 3] ^= 1 << 31;
    w[3] = copy[3];
    assert_eq!(delivered(Form::Voted, stored, &w), ([321.5, 646.25], 0), "4 became -4");
}

#[test]
fn a_flip_is_corrected_and_two_in_a_codeword_trap_and_stay() {
    let mut w = WEIGHTS.map(f32::to_bits).to_vec();
    w.push(Code::Hsiao72.encode(&w));
    let stored = Stored { check_base: 8, words: 8, ..Stored::default() };
    for (word, bit) in (0..9).flat_map(|word| (0..32).map(move |bit| (word, bit))) {
        let mut struck = w.clone();
        struck[word] ^= 1 << bit;
        assert_eq!(delivered(Form::Decoded, stored, &struck), (PRODUCTS, 0), "{word} {bit}");
    }
    w[2] ^= 1 << 31;
    w[3] ^= 1 << 31;
    let want = ([321.5 - 600.0, 654.25 - 8.0], TRAP_ECC);
    assert_eq!(delivered(Form::Decoded, stored, &w), want);
}

#[test]
fn a_codeword_at_the_end_of_the_memory_is_filled_with_zeros() {
    let mut w = WEIGHTS[..7].iter().map(|w| w.to_bits()).collect::<Vec<_>>();
    let mut block = w.clone();
    block.push(0);
    w.extend([u32::MAX, Code::Hsiao72.encode(&block)]);
    let stored = Stored { check_base: 8, words: 7, ..Stored::default() };
    w[6] ^= 1 << 30;
    let params = linear::LinearParams { outputs: 1, ..straddling(stored) };
    let x = [1f32.to_bits(); 12];
    let mut traps = [0];
    let arithmetic = beamline::gpu::Arithmetic::default();
    let (x, w) = ((&x[..], &[0][..]), (&w[..], &[0][..]));
    let y = linear::reference_stored(Form::Decoded, &params, arithmetic, x, w, &mut traps);
    assert_eq!((f32::from_bits(y[0]), traps), (6.5, [0]));
}
