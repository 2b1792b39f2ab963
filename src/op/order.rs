//! In which order an op takes its inputs, of which stored tensors stand last.

use super::field::{Default, Field, Holds};
use super::shape::narrow;
use rand::{Rng, RngExt};

/// The last field of an op that takes stored tensors among its inputs.
pub(super) const ORDER: Field = Field {
    name: "order",
    holds: Holds::Number(Default::Is(0)),
    meaning: "given by the order of `inputs`, which may name stored tensors",
};

/// The setting for inputs of which operand k is number `places[k]` among those of the op.
pub fn order(places: &[usize]) -> u32 {
    let in_order = places.iter().enumerate().all(|(operand, place)| operand == *place);
    let code = |(operand, place): (u32, &usize)| (narrow(*place) & 3) << (2 * operand);
    if in_order { 0 } else { (0..).zip(places).map(code).sum() }
}

/// Which of its inputs is operand k of an op.
pub(super) fn place(settings: &[u32], operand: usize) -> usize {
    match settings.last() {
        Some(0) | None => operand,
        Some(order) => (order >> (2 * operand) & 3) as usize,
    }
}

/// Two shapes that broadcast, of the inputs of an op that takes two; how many of them are stored; and their
/// order.
pub(super) fn spread_pair(draws: &mut impl Rng) -> (Vec<Vec<usize>>, usize, u32) {
    let shape: Vec<usize> =
        (0..draws.random_range(1..4)).map(|_| draws.random_range(1..6)).collect();
    let mut other: Vec<usize> = shape.clone();
    if draws.random_bool(0.6) {
        other.iter_mut().for_each(|size| *size = if draws.random_bool(0.5) { 1 } else { *size });
        other.drain(..draws.random_range(0..other.len()));
    }
    let stored = usize::from(draws.random_bool(0.5));
    (vec![shape, other], stored, if draws.random_bool(0.5) { order(&[1, 0]) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_the_place_of_each_operand() {
        for places in [vec![0, 1], vec![1, 0], vec![0, 1, 2], vec![2, 0, 1], vec![1, 2, 0]] {
            let setting = [order(&places)];
            let found: Vec<usize> = (0..places.len()).map(|k| place(&setting, k)).collect();
            assert_eq!(found, places);
        }
    }
}
