//! Which inferences read a copy, and when.

use crate::outcome::{InferenceRow, Outcome};
use std::collections::BTreeMap;

/// The order of inferences: inference i happens at i / rate, reads copy i mod copies, and has
/// input i mod inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reads {
    /// Inferences a second.
    pub per_s: f64,
    /// Copies of the weights.
    pub copies: u64,
    /// Inputs.
    pub inputs: u64,
}

/// Inferences of one copy within a stretch of time: first, first + copies, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferenceRun {
    /// The first inference.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl Reads {
    /// Inferences before `time_s`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    pub fn before(&self, time_s: f64) -> u64 {
        (time_s * self.per_s).ceil().max(0.0) as u64
    }

    /// When inference i happens.
    pub fn time_s(&self, inference: u64) -> f64 {
        inference as f64 / self.per_s
    }

    /// A moment after inference i and before the next, in seconds: half an inference later.
    pub fn after_s(&self, inference: u64) -> f64 {
        (inference as f64 + 0.5) / self.per_s
    }

    /// The inferences of a copy from `start_s` on and before `end_s`.
    pub fn within(&self, copy: u64, start_s: f64, end_s: f64) -> InferenceRun {
        let (from, to) = (self.before(start_s), self.before(end_s));
        let ahead = (copy + self.copies - from % self.copies) % self.copies;
        let first = from + ahead;
        let count = if first < to { (to - first).div_ceil(self.copies) } else { 0 };
        InferenceRun { first, count }
    }

    /// The input of the k-th inference of a run.
    pub const fn input(&self, run: InferenceRun, k: u64) -> u64 {
        (run.first + k * self.copies) % self.inputs
    }

    /// After how many inferences of a copy its inputs repeat.
    pub const fn cycle(&self) -> u64 {
        self.inputs / gcd(self.copies, self.inputs)
    }

    /// Adds the outcomes of a run to `tally`; `rows` are those of all inputs.
    pub fn tally(&self, run: InferenceRun, rows: &[InferenceRow], tally: &mut [u64; 7]) {
        let cycle = self.cycle();
        for k in 0..run.count.min(cycle) {
            let times = (run.count - k).div_ceil(cycle);
            tally[self.outcome(run, k, rows) as usize] += times;
        }
    }

    /// The first inference of a run whose row is as asked for, as its place in the run.
    pub fn find(
        &self,
        run: InferenceRun,
        rows: &[InferenceRow],
        is: impl Fn(InferenceRow) -> bool,
    ) -> Option<u64> {
        (0..run.count.min(self.cycle())).find(|k| is(self.row(run, *k, rows)))
    }

    /// The first inference of all from `from` on and before `end` whose row is as asked for, less
    /// those of these runs, which are given by copy.
    pub fn first_left(
        &self,
        (from, end): (u64, u64),
        rows: &[InferenceRow],
        taken: &BTreeMap<u64, Vec<InferenceRun>>,
        is: impl Fn(InferenceRow) -> bool,
    ) -> Option<u64> {
        // A copy is read with an input again after so many inferences.
        let again = self.copies * self.cycle();
        let asked = |at: &u64| is(self.row(InferenceRun { first: *at, count: 1 }, 0, rows));
        let mut first = end;
        for start in (from..end.min(from + self.inputs)).filter(asked) {
            // With an input one copy after another is read; of more than are taken one is left.
            for other in 0..=taken.len() as u64 {
                let mut at = start + other * self.inputs;
                let runs = taken.get(&(at % self.copies));
                if at >= first {
                    break;
                }
                let within =
                    |at: u64, run: &&InferenceRun| (run.first..self.end(**run)).contains(&at);
                while let Some(run) = runs.and_then(|runs| runs.iter().find(|r| within(at, r))) {
                    at += (self.end(*run) - at).div_ceil(again) * again;
                }
                first = first.min(at);
                if runs.is_none() {
                    break;
                }
            }
        }
        (first < end).then_some(first)
    }

    /// The inference of its copy after a run.
    const fn end(&self, run: InferenceRun) -> u64 {
        run.first + run.count * self.copies
    }

    fn row(&self, run: InferenceRun, k: u64, rows: &[InferenceRow]) -> InferenceRow {
        usize::try_from(self.input(run, k)).map_or_else(|_| rows[0], |input| rows[input])
    }

    /// The outcome of the k-th inference of a run.
    pub fn outcome(&self, run: InferenceRun, k: u64, rows: &[InferenceRow]) -> Outcome {
        self.row(run, k, rows).outcome()
    }
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_left_of_all_inferences_is_found_as_by_a_loop(
            copies in 1u64..9,
            inputs in 1u64..9,
            bad in 0u64..9,
            from in 0u64..20,
            spans in proptest::collection::vec((0u64..9, 0.0f64..60.0, 0.0f64..60.0), 0..9),
        ) {
            let reads = Reads { per_s: 1.0, copies, inputs };
            let row = |i| InferenceRow(if i == bad % inputs { 4 } else { 0 });
            let rows: Vec<InferenceRow> = (0..inputs).map(row).collect();
            let mut taken: BTreeMap<u64, Vec<InferenceRun>> = BTreeMap::new();
            for (copy, start, length) in spans {
                let run = reads.within(copy % copies, start, start + length);
                taken.entry(copy % copies).or_default().push(run);
            }
            let is_taken = |i: u64| {
                let of = |run: &InferenceRun| (0..run.count).any(|k| run.first + k * copies == i);
                taken.get(&(i % copies)).is_some_and(|runs| runs.iter().any(of))
            };
            let slow = (from..70).find(|i| i % inputs == bad % inputs && !is_taken(*i));
            let fast = reads.first_left((from, 70), &rows, &taken, |row| row.0 == 4);
            prop_assert_eq!(fast, slow);
        }

        #[test]
        fn runs_are_those_of_a_loop_over_all_inferences(
            copies in 1u64..20,
            inputs in 1u64..12,
            copy in 0u64..20,
            start in 0.0f64..300.0,
            length in 0.0f64..300.0,
            per_s in 0.1f64..3.0,
        ) {
            let copy = copy % copies;
            let reads = Reads { per_s, copies, inputs };
            let rows: Vec<InferenceRow> =
                (0..inputs).map(|i| InferenceRow(u32::try_from(i % 7).expect("small"))).collect();
            let run = reads.within(copy, start, start + length);
            let mut tally = [0; 7];
            reads.tally(run, &rows, &mut tally);
            let mut slow = [0; 7];
            let mut first_due = None;
            for i in reads.before(start)..reads.before(start + length) {
                if i % copies == copy {
                    slow[usize::try_from(i % inputs % 7).expect("small")] += 1;
                    if i % inputs == 5 && first_due.is_none() {
                        first_due = Some(i);
                    }
                }
            }
            prop_assert_eq!(tally, slow);
            let found = reads.find(run, &rows, |row| row.outcome() == Outcome::Due);
            prop_assert_eq!(found.map(|k| run.first + k * copies), first_due);
        }
    }
}
