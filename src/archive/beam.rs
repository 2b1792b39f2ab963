//! What a simulated beam test found: events over the fluence that arrived while the run was armed.

use super::figures::Sums;
use crate::campaign::Beam;
use crate::stats::{Interval, garwood};
use schemars::JsonSchema;
use serde::Serialize;

/// Errors a run of the unprotected scheme from which a second one is likely enough to bias a test.
pub const COINCIDENT: f64 = 0.01;

/// Events over fluence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CrossSection {
    /// Events.
    pub events: u64,
    /// Events over the armed fluence, in cm².
    pub cm2: f64,
    /// Its Garwood interval: that of the count alone.
    pub counting: Interval,
    /// With the error of the dosimetry.
    pub interval: Interval,
}

/// The figures of one scheme in a simulated beam.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BeamFigures {
    /// Index of the stratum.
    pub stratum: usize,
    /// Index of the scheme.
    pub scheme: usize,
    /// Runs.
    pub runs: u64,
    /// Upsets that the scheme's footprint received while armed.
    pub upsets: u64,
    /// Seconds armed: up to the end of the step in which the first error was seen.
    pub armed_s: f64,
    /// Particles per cm² while armed.
    pub armed_fluence_per_cm2: f64,
    /// Seconds of the resets and reloads that follow a run's first error. What a scheme reloads and
    /// runs again within a run costs none here: it is in the measured time per inference.
    pub dead_s: f64,
    /// Their share of armed and dead time.
    pub dead_share: f64,
    /// Errors a run.
    pub events_per_run: f64,
    /// All errors.
    pub all: CrossSection,
    /// Those that were delivered: tolerable and critical SDC.
    pub sdc: CrossSection,
    /// Those where nothing was delivered: DUE and hang.
    pub due: CrossSection,
}

impl BeamFigures {
    pub(super) fn of(
        (stratum, scheme): (usize, usize),
        sums: &Sums,
        beam: &Beam,
        step_s: f64,
        alpha: f64,
    ) -> Self {
        let armed_s = sums.armed_steps as f64 * step_s;
        let fluence = armed_s * beam.flux_per_cm2_s;
        let (sdc, due) = (sums.first_sdc, sums.first_due);
        let dead_s = sdc as f64 * beam.reload_time_s + due as f64 * beam.reset_time_s;
        let of = |events| cross_section(events, fluence, beam.dosimetry_error, alpha);
        Self {
            stratum,
            scheme,
            runs: sums.trials,
            upsets: sums.armed_faults,
            armed_s,
            armed_fluence_per_cm2: fluence,
            dead_s,
            dead_share: dead_s / (dead_s + armed_s).max(f64::MIN_POSITIVE),
            events_per_run: (sdc + due) as f64 / sums.trials.max(1) as f64,
            all: of(sdc + due),
            sdc: of(sdc),
            due: of(due),
        }
    }
}

/// Events over a fluence. The relative errors of count and dosimetry are independent: on a
/// logarithmic scale each end of the Garwood interval and z standard deviations of the fluence,
/// ln(1 + error) each, are added in quadrature. Without events the upper end takes the whole factor.
fn cross_section(events: u64, fluence: f64, dosimetry_error: f64, alpha: f64) -> CrossSection {
    let (count, of_count) = (events as f64, garwood(events, alpha));
    let z = crate::stats::normal_quantile(alpha);
    let dosimetry = z * dosimetry_error.ln_1p();
    let factor = |counted: f64| counted.ln().hypot(dosimetry).exp();
    let interval = if events == 0 {
        Interval { low: 0.0, high: of_count.high * dosimetry.exp() }
    } else {
        Interval {
            low: count / factor(count / of_count.low),
            high: count * factor(of_count.high / count),
        }
    };
    let over = |ends: Interval| Interval { low: ends.low / fluence, high: ends.high / fluence };
    CrossSection {
        events,
        cm2: count / fluence,
        counting: over(of_count),
        interval: over(interval),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dosimetry_widens_the_interval_of_the_count() {
        let exact = cross_section(100, 1e9, 0.0, 0.05);
        assert!((exact.cm2 - 1e-7).abs() < 1e-20);
        assert!((exact.interval.low / exact.counting.low - 1.0).abs() < 1e-12);
        assert!((exact.interval.high / exact.counting.high - 1.0).abs() < 1e-12);
        let rough = cross_section(100, 1e9, 0.1, 0.05);
        let expected =
            ((100.0_f64 / 81.364).ln().powi(2) + (1.959_964 * 1.1_f64.ln()).powi(2)).sqrt();
        assert!((rough.interval.low / (1e-7 / expected.exp()) - 1.0).abs() < 1e-3);
        assert!(rough.interval.high > exact.interval.high);
        let none = cross_section(0, 1e9, 0.1, 0.05);
        assert!((none.interval.high / (3.6889e-9 * 1.1_f64.powf(1.959_964)) - 1.0).abs() < 1e-3);
        assert_eq!((none.cm2, none.interval.low), (0.0, 0.0));
    }
}
