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
