use super::holds;
use beamline::stage::vote;

#[test]
fn the_shader_equals_its_reference() {
    holds(vote::check);
}

#[test]
fn the_majority_of_three_bits_is_what_two_of_them_say() {
    for case in 0u32..4096 {
        let [a, b, c] = [case & 15, case >> 4 & 15, case >> 8];
        let mut want = 0;
        for bit in 0..4 {
            let ones = (a >> bit & 1) + (b >> bit & 1) + (c >> bit & 1);
            want |= u32::from(ones >= 2) << bit;
        }
        assert_eq!(vote::majority3(a, b, c), want, "{a:04b} {b:04b} {c:04b}");
    }
}

/// What is read of three copies of one word, what they hold after a repair, and the alarms.
fn read(copies: [u32; 3], mask: u32, word: u32) -> (u32, [u32; 3], u32) {
    let params = vote::VoteParams {
        quads: 1,
        stride: 1,
        lanes: 1,
        repair: 1,
        input_base: 1,
        row_quads: 1,
        word,
        check_base: 1,
    };
    let mut stored = [0; 12];
    (stored[0], stored[4], stored[8]) = (copies[0], copies[1], copies[2]);
    let (mut voted, mut dissent, mut alarms) = ([0; 4], [0; 4], [0; 5]);
    let masks = [mask, 0, 0, 0];
    let outputs = (&mut voted[..], &mut dissent[..], &mut alarms[..]);
    vote::reference(&params, (&mut stored, &masks), outputs);
    (voted[0], [stored[0], stored[4], stored[8]], alarms[4])
}

#[test]
fn words_that_all_differ_have_no_majority_but_their_bits_have() {
    assert_eq!(read([0b001, 0b010, 0b111], u32::MAX, 0), (0b011, [0b011; 3], 1));
    assert_eq!(read([0b001, 0b010, 0b111], u32::MAX, 1), (0b001, [0b001, 0b010, 0b111], 1));
    assert_eq!(read([0b001, 0b111, 0b111], u32::MAX, 1), (0b111, [0b111; 3], 1));
}

#[test]
fn bits_outside_the_mask_are_read_from_copy_0_and_raise_nothing() {
    assert_eq!(read([0b101, 0b000, 0b000], 0b100, 0), (0b001, [0b001, 0b000, 0b000], 1));
    assert_eq!(read([0b001, 0b010, 0b100], 0, 0), (0b001, [0b001, 0b010, 0b100], 0));
    assert_eq!(read([0b101, 0b010, 0b000], 0b100, 1), (0b001, [0b001, 0b010, 0b000], 1));
}
