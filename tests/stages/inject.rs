use super::holds;
use beamline::stage::inject;

#[test]
fn the_shader_equals_its_reference() {
    holds(inject::check);
}

use beamline::fault::FaultKind;
use inject::Strike;

#[test]
fn a_strike_is_what_its_fault_says_for_every_pair_of_bits() {
    for (before, mask) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for (kind, after) in [
            (FaultKind::Xor, before ^ mask),
            (FaultKind::StuckAt0, before & !mask),
            (FaultKind::StuckAt1, before | mask),
        ] {
            assert_eq!(Strike::new(0, 0, kind, mask).apply(before), after, "{kind:?}");
            assert_eq!(kind.apply(before, mask), after, "{kind:?}");
        }
    }
}

#[test]
fn the_same_toggle_twice_is_no_change_and_a_word_out_of_range_is_a_trap() {
    let params = inject::InjectParams { words: 2, stride: 2, trap_words: 1, pad: 0 };
    let toggle = Strike::new(0, 1, FaultKind::Xor, 5);
    let mut memory = vec![1, 2, 3, 4];
    let (before, traps) = inject::reference(&params, &[0, 2], &[toggle, toggle], &mut memory);
    assert_eq!((memory.as_slice(), before.as_slice()), (&[1, 2, 3, 4][..], &[2, 2 ^ 5][..]));
    assert_eq!(traps, [0]);
    let neighbour = Strike::new(0, 2, FaultKind::Xor, 1);
    let (_, traps) = inject::reference(&params, &[0, 1], &[neighbour], &mut memory);
    assert_eq!(traps, [inject::TRAP_INDEX], "word 2 of slot 0 is the next lane's");
    assert_eq!(memory, [1, 2, 3, 4]);
}
