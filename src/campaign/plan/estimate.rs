//! What a campaign takes, before it starts.

use super::{Arrival, Plan, Stratum};
use crate::campaign::faults::Mode;
use crate::campaign::file::Campaign;
use crate::engine::Landing;
use crate::estimate::{ARCHIVE_BYTES_MAX, Amount, Estimate, MEMORY_BYTES_MAX};
use crate::fault::Fault;
use crate::scheme::Code;
use crate::workload::{Role, Workload};

/// Bytes of a trial under a scheme in the archive, and of a fault of it: about their rows
/// (docs/archive-format.md).
const ROW_BYTES: [f64; 2] = [120.0, 56.0];
/// Bytes of a trial's result beside its rows and landings.
const RESULT_BYTES: f64 = 512.0;
/// Segments of a run, at most: each is a file until the run ends.
const SEGMENTS_MAX: f64 = 1e6;
/// The engine addresses the words of a trial with 32 bits.
const WORDS_MAX: f64 = 4_294_967_292.0;

impl Plan {
    /// What the campaign takes with its schemes.
    pub(super) fn expected(&self, campaign: &Campaign, workload: &Workload) -> Estimate {
        let schemes = campaign.scheme.len();
        let (trials, each) = (self.trials_max as f64, schemes as f64);
        let faults = self.faults(1.0);
        let rows = |stratum: &Stratum| stratum.trials_max as f64 * f64::from(stratum.inferences);
        let inferences = each * self.strata.iter().map(rows).sum::<f64>();
        let (key, lower) = match &campaign.faults {
            Mode::Exhaustive(_) => (
                "faults.regions",
                "fewer regions, tensors, bits or inputs: a census strikes each bit",
            ),
            Mode::List(_) => ("faults.file", "a shorter list"),
            _ => ("stop.trials", "fewer `trials`, schemes or faults a trial"),
        };
        let mut estimate = Estimate::default();
        let what = "trials of each scheme";
        estimate.add(Amount::count(what, trials, 9e15).of(key, lower));
        estimate.add(Amount::count("inferences", inferences, 9e18).of(key, lower));
        estimate.add(Amount::count("faults", trials * faults, 9e18).of(key, lower));
        let archived = trials * each * (ROW_BYTES[0] + faults * ROW_BYTES[1]);
        estimate.add(Amount::bytes("in the archive", archived, ARCHIVE_BYTES_MAX).of(key, lower));
        let segment = self.segment_trials as f64;
        let segments = Amount::count("segments", trials / segment.max(1.0), SEGMENTS_MAX);
        estimate
            .add(segments.of("stop.segment_trials", "longer segments or fewer trials").unsaid());
        let held =
            Amount::bytes("in memory", segment * self.trial_bytes(schemes), MEMORY_BYTES_MAX);
        let held_by =
            if campaign.stop.segment_trials.is_some() { "stop.segment_trials" } else { "faults" };
        estimate.add(held.of(held_by, "shorter segments, fewer faults or inferences a trial"));
        let by_step = campaign.faults.sequence().is_some();
        let rows_by = if by_step { "faults.inputs_per_step" } else { "workload.inputs" };
        let words = Amount::count(
            "words in one value of a trial",
            self.words(campaign, workload),
            WORDS_MAX,
        );
        estimate.add(words.of(rows_by, "fewer inputs at once, or a smaller workload").unsaid());
        estimate
    }

    /// Trials of a segment of which a quarter of the memory holds the results.
    pub(super) fn segment_room(&self, schemes: usize) -> u64 {
        let room = 0.25 * MEMORY_BYTES_MAX / self.trial_bytes(schemes);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        {
            room.max(1.0) as u64
        }
    }

    /// Bytes that a trial takes until its segment is stored: its faults, and for each scheme and
    /// the baseline's copy its faults again, where they landed, and a row an inference.
    fn trial_bytes(&self, schemes: usize) -> f64 {
        let rows = self.strata.iter().map(|stratum| stratum.inferences).max().unwrap_or(0);
        let peak = match &self.arrival {
            Arrival::Accumulation { exposure, .. } => exposure.most_over_mean(),
            _ => 1.0,
        };
        let faults = self.faults(peak);
        let landed = (size_of::<Fault>() + size_of::<Landing>()) as f64;
        let of_scheme = 4.0 * f64::from(rows) + faults * landed + RESULT_BYTES;
        faults * size_of::<Fault>() as f64 + (schemes as f64 + 1.0) * of_scheme
    }

    /// The faults of a trial, on average times `peak`.
    fn faults(&self, peak: f64) -> f64 {
        match &self.arrival {
            Arrival::Conditional { count, .. } => f64::from(*count),
            Arrival::Exhaustive { .. } => 1.0,
            Arrival::List { trials, .. } => {
                let all: usize = trials.iter().map(|listed| listed.faults.len()).sum();
                all as f64 / trials.len().max(1) as f64
            }
            Arrival::Accumulation { exposure, .. } => {
                let copies = f64::from(exposure.copies_max);
                let of_step = exposure.upsets_per_step((copies, copies), exposure.executions_max);
                peak * of_step * f64::from(exposure.steps)
            }
        }
    }

    /// The words of the largest part of a trial's memory: the stored image with the most check
    /// words, or the values of the widest op.
    fn words(&self, campaign: &Campaign, workload: &Workload) -> f64 {
        let rows = self.strata.iter().map(|stratum| stratum.windows.rows()).max().unwrap_or(0);
        let rows = f64::from(rows) + 3.0;
        let features = |value: &crate::workload::Value| f64::from(value.features());
        let of_inference =
            workload.values.iter().filter(|value| !matches!(value.role, Role::Stored(_)));
        let widest = of_inference.map(features).fold(0.0, f64::max);
        let stored = f64::from(workload.stored_words());
        let codes = campaign.scheme.iter().filter_map(|scheme| scheme.code);
        let least = codes.map(Code::block_words).min();
        let checks = least.map_or(0.0, |block| stored / f64::from(block) + 4.0);
        let inputs = workload.values.first().map_or(0.0, features) * rows;
        (stored + 3.0 + inputs + checks).max(widest * rows)
    }
}
