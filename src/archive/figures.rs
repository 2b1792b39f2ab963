//! Counting: rows of trials become sums, for each scheme and stratum and for each place struck.

use super::rows::{FaultRow, OutcomeRow};
use crate::fault::Region;
use crate::outcome::Outcome;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// By what the trials of a scheme and stratum are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Breakdown {
    /// Not at all: every trial.
    Scheme,
    /// Trials with exactly one fault in the scheme's footprint.
    SingleFault,
    /// These, by the region struck.
    Region,
    /// These, by the tensor or op struck.
    Tensor,
    /// These, by the bit struck, where the fault struck one.
    Bit,
}

impl Breakdown {
    /// All of them, in the order of the archive.
    pub const ALL: [Self; 5] =
        [Self::Scheme, Self::SingleFault, Self::Region, Self::Tensor, Self::Bit];

    /// The name of its table in `/summary`.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Scheme => "schemes",
            Self::SingleFault => "single_fault",
            Self::Region => "regions",
            Self::Tensor => "tensors",
            Self::Bit => "bits",
        }
    }

    /// The name in CSV and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::SingleFault => "single-fault",
            Self::Region => "region",
            Self::Tensor => "tensor",
            Self::Bit => "bit",
        }
    }
}

/// Which trials a sum is over. Its order is that of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) breakdown: Breakdown,
    pub(super) stratum: u16,
    pub(super) scheme: u16,
    pub(super) region: Option<Region>,
    pub(super) tensor: Option<u32>,
    pub(super) bit: Option<u32>,
}

impl Key {
    /// The key as words, which name its bootstrap's draws.
    pub(super) fn words(&self) -> [u64; 6] {
        let from_1 = |code: Option<u32>| code.map_or(0, |code| u64::from(code) + 1);
        [
            self.breakdown as u64,
            u64::from(self.stratum),
            u64::from(self.scheme),
            from_1(self.region.map(|region| region as u32)),
            from_1(self.tensor),
            from_1(self.bit),
        ]
    }
}

/// Sums over trials.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Sums {
    pub(super) trials: u64,
    pub(super) wrong_trials: u64,
    pub(super) censored: u64,
    pub(super) inferences: u64,
    pub(super) faults: u64,
    pub(super) outcomes: [u64; 7],
    pub(super) alarms: u64,
    pub(super) averted: u64,
    pub(super) non_finite: u64,
    pub(super) label_correct: u64,
    pub(super) retries: u64,
    pub(super) reloads: u64,
    pub(super) scrub_repaired: u64,
    pub(super) scrub_uncorrectable: u64,
    /// Steps up to and including the first error, and the faults within them.
    pub(super) armed_steps: u64,
    pub(super) armed_faults: u64,
    /// Trials whose first error is an SDC, and those where nothing was delivered.
    pub(super) first_sdc: u64,
    pub(super) first_due: u64,
    /// Trials by the number of events that their failure needed: 1, 2, 3 and more.
    pub(super) events_needed: [u64; 3],
    /// Trials by (wrong inferences, inferences).
    pub(super) wrong_shares: BTreeMap<(u32, u32), u64>,
    /// Trials by the bits of their time to the first critical SDC, which is not negative.
    pub(super) times: BTreeMap<u64, u64>,
}

impl Sums {
    fn add(&mut self, row: &OutcomeRow, faults: &[FaultRow]) {
        self.trials += 1;
        self.wrong_trials += u64::from(row.wrong);
        self.censored += u64::from(row.censored);
        self.inferences += u64::from(row.inferences);
        self.faults += u64::from(row.faults);
        for (sum, count) in self.outcomes.iter_mut().zip(row.outcomes()) {
            *sum += count;
        }
        self.alarms += u64::from(row.alarm_raised);
        self.averted += u64::from(row.averted);
        self.non_finite += u64::from(row.non_finite);
        self.label_correct += u64::from(row.label_correct);
        self.retries += u64::from(row.retries);
        self.reloads += u64::from(row.reloads);
        self.scrub_repaired += u64::from(row.scrub_repaired);
        self.scrub_uncorrectable += u64::from(row.scrub_uncorrectable);
        self.armed_steps += u64::from(row.armed_steps);
        let before = |fault: &&FaultRow| fault.step < row.armed_steps;
        self.armed_faults += faults.iter().filter(before).count() as u64;
        match row.first_error.checked_sub(1).and_then(Outcome::from_code) {
            Some(Outcome::Due | Outcome::Hang) => self.first_due += 1,
            Some(_) => self.first_sdc += 1,
            None => {}
        }
        if let Some(count) = usize::from(row.events_needed)
            .checked_sub(1)
            .and_then(|needed| self.events_needed.get_mut(needed))
        {
            *count += 1;
        }
        *self.wrong_shares.entry((row.critical_sdc, row.inferences)).or_default() += 1;
        *self.times.entry(row.time_to_critical_s.to_bits()).or_default() += 1;
    }
}

/// Trials of a scheme paired with the same trials of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Pairs {
    pub(super) trials: u64,
    pub(super) only_scheme_wrong: u64,
    pub(super) only_baseline_wrong: u64,
    pub(super) both_wrong: u64,
}

/// All sums of a campaign, gathered segment by segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    baseline: Option<usize>,
    pub(super) sums: BTreeMap<Key, Sums>,
    /// By (stratum, scheme).
    pub(super) pairs: BTreeMap<(u16, u16), Pairs>,
}

impl Counts {
    /// Nothing counted yet; schemes are paired with the scheme `baseline`.
    pub(super) fn new(baseline: Option<usize>) -> Self {
        Self { baseline, ..Self::default() }
    }

    /// Counts whole trials: all schemes of a trial come in one call, in the archive's order.
    ///
    /// # Panics
    /// Where rows are not in the archive's order.
    pub(super) fn add(&mut self, faults: &[FaultRow], outcomes: &[OutcomeRow]) {
        let place = |row: &FaultRow| (row.trial, row.scheme);
        assert!(faults.is_sorted_by_key(place), "faults by trial and scheme");
        assert!(outcomes.is_sorted_by_key(|row| (row.trial, row.scheme)), "outcomes likewise");
        let mut faults = faults;
        for trial in outcomes.chunk_by(|a, b| a.trial == b.trial) {
            for row in trial {
                let before = faults.partition_point(|fault| place(fault) < (row.trial, row.scheme));
                let struck = &faults[before..];
                let count = struck.partition_point(|fault| place(fault) == (row.trial, row.scheme));
                self.add_trial(row, &struck[..count]);
                faults = &struck[count..];
            }
            self.add_pairs(trial);
        }
    }

    fn add_trial(&mut self, row: &OutcomeRow, faults: &[FaultRow]) {
        let (stratum, scheme) = (row.stratum, row.scheme);
        let all = Key {
            breakdown: Breakdown::Scheme,
            stratum,
            scheme,
            region: None,
            tensor: None,
            bit: None,
        };
        let mut add = |key: Key| self.sums.entry(key).or_default().add(row, faults);
        add(all);
        let [fault] = faults else { return };
        add(Key { breakdown: Breakdown::SingleFault, ..all });
        let region = Region::ALL.into_iter().find(|region| *region as u8 == fault.region);
        add(Key { breakdown: Breakdown::Region, region, ..all });
        add(Key { breakdown: Breakdown::Tensor, region, tensor: Some(fault.tensor), ..all });
        if fault.mask.is_power_of_two() {
            add(Key { breakdown: Breakdown::Bit, bit: Some(fault.mask.ilog2()), ..all });
        }
    }

    fn add_pairs(&mut self, trial: &[OutcomeRow]) {
        let is_baseline = |row: &&OutcomeRow| Some(usize::from(row.scheme)) == self.baseline;
        let Some(baseline) = trial.iter().find(is_baseline) else { return };
        for row in trial.iter().filter(|row| row.scheme != baseline.scheme) {
            let pairs = self.pairs.entry((row.stratum, row.scheme)).or_default();
            pairs.trials += 1;
            pairs.only_scheme_wrong += u64::from(row.wrong > baseline.wrong);
            pairs.only_baseline_wrong += u64::from(row.wrong < baseline.wrong);
            pairs.both_wrong += u64::from(row.wrong > 0 && row.wrong == baseline.wrong);
        }
    }
}
