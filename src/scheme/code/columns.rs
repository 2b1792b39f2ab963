//! The parity-check columns of binary codes, from their published constructions.
//!
//! A list holds one column of up to eight syndrome bits for each data bit, in order; the check bits
//! follow as unit vectors, so that a syndrome is the check bits as read plus those of the data as
//! read. All columns have odd weight, so that the syndrome of two errors is even and never theirs.

use crate::seed::mix;
use std::sync::LazyLock;

/// Columns of the extended Hamming code (Hamming 1950, doi 10.1002/j.1538-7305.1950.tb00463.x) with
/// `check` bits, shortened to `data` bits.
///
/// Data bit i has the i-th number from 3 that is no power of two; the last check bit makes the
/// parity of the codeword even. In the form with unit vectors for check bits, the last row is the
/// sum of all: it completes each number to odd weight.
pub(super) fn hamming(data: usize, check: u32) -> Vec<u8> {
    let numbers = (3..1u8 << (check - 1)).filter(|n| !n.is_power_of_two());
    let completed = numbers.map(|n| n | u8::from(n.count_ones().is_multiple_of(2)) << (check - 1));
    with_units(completed.take(data).collect(), check)
}

/// Columns of an odd-weight-column code (Hsiao 1970, doi 10.1147/rd.144.0395) over `data` bits, a
/// multiple of eight, with eight check bits.
///
/// Hsiao asks for the fewest ones and rows of equal weight and leaves the choice of columns open.
/// Here a byte of data has one column and its rotations: byte b has the b-th pattern, by weight
/// (3, then 5) and then by value, among those that are the smallest of their rotations; bit i of the
/// byte has it rotated left by i. All columns of weight 3 are used before any of weight 5, and all
/// rows are of one weight, because a rotation of the columns exchanges the rows.
pub(super) fn hsiao(data: usize) -> Vec<u8> {
    let smallest = |n: &u8| (1..8).all(|by| n.rotate_left(by) >= *n);
    let patterns = [3, 5].into_iter().flat_map(|weight| {
        (1..=u8::MAX).filter(move |n| n.count_ones() == weight).filter(smallest)
    });
    let columns = patterns.flat_map(|n| (0..8).map(move |by| n.rotate_left(by)));
    with_units(columns.take(data).collect(), 8)
}

/// Columns of a (72,64) code that corrects any single error and any error of both bits of an aligned
/// pair (bits 2k and 2k + 1, check bits included). Sullivan et al. (MICRO 2021, doi
/// 10.1145/3466752.3480111) describe such a code; its matrix is not in what could be read, and this
/// one is our own.
///
/// With odd columns the pairs need 36 distinct even syndromes, and two errors that are no pair are
/// miscorrected only where their syndrome is one of these. A descent looks for columns where few
/// are: from a drawn start, it gives one column a drawn odd value, or exchanges two, and keeps what is
/// valid and not worse.
pub(super) fn aligned_pairs() -> &'static [u8] {
    static COLUMNS: LazyLock<Vec<u8>> = LazyLock::new(|| Search::new().run());
    &COLUMNS
}

/// Steps of the search.
const STEPS: u32 = 60_000;

/// A valid set of columns, and how many pairs of columns have each sum.
struct Search {
    columns: [u8; 72],
    sums: [u32; 256],
    draws: u64,
}

impl Search {
    /// A valid start: pairs drawn one after another, each kept where its columns and sum are new.
    fn new() -> Self {
        let mut columns = [0; 72];
        for (bit, unit) in columns[64..].iter_mut().enumerate() {
            *unit = 1 << bit;
        }
        let mut search = Self { columns, sums: [0; 256], draws: 0 };
        for pair in 0..32 {
            while search.columns[2 * pair] == 0 {
                search.columns[2 * pair] = search.odd();
                search.columns[2 * pair + 1] = search.odd();
                if !search.is_valid() {
                    search.columns[2 * pair] = 0;
                    search.columns[2 * pair + 1] = 0;
                }
            }
        }
        for i in 0..72 {
            search.count(i, 1);
        }
        search.sums.iter_mut().for_each(|sum| *sum /= 2);
        search
    }

    fn draw(&mut self) -> u64 {
        self.draws += 1;
        mix(self.draws)
    }

    fn odd(&mut self) -> u8 {
        let seven = self.draw().to_le_bytes()[0] >> 1;
        seven << 1 | u8::from(seven.count_ones().is_multiple_of(2))
    }

    /// Whether all columns set, and the sums of all pairs set, are distinct and not zero.
    fn is_valid(&self) -> bool {
        let mut seen = [false; 256];
        seen[0] = true;
        let sums = self.columns.chunks_exact(2).map(|pair| pair[0] ^ pair[1]);
        let set = self.columns.iter().copied().filter(|column| *column != 0);
        let pairs = sums.zip(self.columns.chunks_exact(2)).filter(|(_, pair)| pair[0] != 0);
        set.chain(pairs.map(|(sum, _)| sum))
            .all(|value| !std::mem::replace(&mut seen[usize::from(value)], true))
    }

    /// Adds or takes away the sums of column `i` with every other.
    fn count(&mut self, i: usize, by: i32) {
        for j in (0..72).filter(|j| *j != i) {
            let sum = &mut self.sums[usize::from(self.columns[i] ^ self.columns[j])];
            *sum = sum.wrapping_add_signed(by);
        }
    }

    /// Sets one column, and the sums with it.
    fn set(&mut self, i: usize, column: u8) {
        self.count(i, -1);
        self.columns[i] = column;
        self.count(i, 1);
    }

    /// Double errors, no pair, whose syndrome is that of a pair.
    fn miscorrected(&self) -> u32 {
        let pairs = self.columns.chunks_exact(2);
        pairs.map(|pair| self.sums[usize::from(pair[0] ^ pair[1])] - 1).sum()
    }

    fn run(mut self) -> Vec<u8> {
        let mut least = self.miscorrected();
        for _ in 0..STEPS {
            let [a, b, exchange, ..] = self.draw().to_le_bytes();
            let i = usize::from(a % 64);
            let (j, to_i) = if exchange & 1 == 1 {
                let j = usize::from(b % 32) * 2 + 1;
                (j, self.columns[j])
            } else {
                (i, self.odd())
            };
            let before = [self.columns[i], self.columns[j]];
            let mut moved = self.columns;
            moved[j] = before[0];
            moved[i] = to_i;
            let held = std::mem::replace(&mut self.columns, moved);
            let valid = self.is_valid();
            self.columns = held;
            if !valid {
                continue;
            }
            self.set(j, before[0]);
            self.set(i, to_i);
            let now = self.miscorrected();
            if now <= least {
                least = now;
            } else {
                self.set(j, before[1]);
                self.set(i, before[0]);
            }
        }
        self.columns.to_vec()
    }
}

fn with_units(mut columns: Vec<u8>, check: u32) -> Vec<u8> {
    columns.extend((0..check).map(|bit| 1 << bit));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn distinct(columns: &[u8]) -> bool {
        columns.iter().collect::<BTreeSet<_>>().len() == columns.len() && !columns.contains(&0)
    }

    fn row_weights(columns: &[u8]) -> BTreeSet<usize> {
        (0..8).map(|row| columns.iter().filter(|column| *column >> row & 1 == 1).count()).collect()
    }

    #[test]
    fn every_column_is_odd_and_its_own() {
        for columns in [hamming(32, 7), hamming(64, 8), hsiao(64), hsiao(96)] {
            assert!(distinct(&columns));
            assert!(columns.iter().all(|column| !column.count_ones().is_multiple_of(2)));
        }
    }

    #[test]
    fn an_extended_hamming_code_is_positions_and_a_parity_of_all() {
        for (data, check) in [(32u8, 7), (64, 8)] {
            let columns = hamming(data.into(), check);
            assert_eq!(columns.len(), usize::from(data) + check as usize);
            let low = (1 << (check - 1)) - 1;
            let positions: BTreeSet<u8> = columns.iter().map(|column| column & low).collect();
            let last = data + u8::try_from(check).expect("a byte") - 1;
            assert!(
                positions.into_iter().eq(0..=last),
                "positions 1 to n, and 0 of the parity bit"
            );
        }
    }

    #[test]
    fn hsiaos_rows_are_balanced_and_lightest_first() {
        assert_eq!(row_weights(&hsiao(64)), BTreeSet::from([27]));
        assert_eq!(row_weights(&hsiao(96)), BTreeSet::from([47]));
        for (data, fives) in [(64, 8), (96, 40)] {
            let of = |weight| hsiao(data).iter().filter(|c| c.count_ones() == weight).count();
            assert_eq!([of(1), of(3), of(5)], [8, 56, fives]);
        }
    }

    #[test]
    fn pairs_and_single_bits_have_their_own_syndromes_and_few_doubles_share_them() {
        let columns = aligned_pairs();
        let pairs = columns.chunks_exact(2).map(|pair| pair[0] ^ pair[1]);
        let known: Vec<u8> = columns.iter().copied().chain(pairs).collect();
        assert_eq!(known.len(), 72 + 36);
        assert!(distinct(&known));
        let mut miscorrected = 0;
        for i in 0..72 {
            for j in (0..i).filter(|j| j / 2 != i / 2) {
                miscorrected += u32::from(known.contains(&(columns[i] ^ columns[j])));
            }
        }
        assert_eq!(miscorrected, 543, "of 2520 double errors that are no pair");
    }
}
