//! A count that grows over the mission.

/// What one cause adds: an amount, and the stretch of time over which it adds it evenly; all at
/// once where the stretch has no length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) amount: f64,
    pub(super) start_s: f64,
    pub(super) end_s: f64,
}

impl Part {
    /// One more at a moment.
    pub(super) const fn one(time_s: f64) -> Self {
        Self { amount: 1.0, start_s: time_s, end_s: time_s }
    }
}

/// The sum of parts at any time, found by bisection.
#[derive(Clone, Debug, Default)]
pub(super) struct Growth {
    steps: Vec<Step>,
}

/// The sum from here on.
#[derive(Clone, Copy, Debug)]
struct Step {
    time_s: f64,
    value: f64,
    per_s: f64,
}

impl Growth {
    /// The sum of these.
    pub(super) fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        // The time, what is added at once, what is complete, the change of slope and of what grows.
        let mut edges: Vec<(f64, f64, f64, f64, i32)> = Vec::new();
        for Part { amount, start_s, end_s } in parts {
            if end_s > start_s {
                let per_s = amount / (end_s - start_s);
                edges.push((start_s, 0.0, 0.0, per_s, 1));
                edges.push((end_s, 0.0, amount, -per_s, -1));
            } else {
                edges.push((start_s, amount, amount, 0.0, 0));
            }
        }
        edges.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut value, mut complete, mut per_s, mut growing) = (0.0, 0.0, 0.0, 0);
        let mut last_s = 0.0;
        let mut steps = Vec::with_capacity(edges.len());
        for (time_s, at_once, done, slope, grows) in edges {
            value += per_s * (time_s - last_s) + at_once;
            complete += done;
            per_s += slope;
            growing += grows;
            if growing == 0 {
                // Whole again: the rounding of slopes ends here.
                (value, per_s) = (complete, 0.0);
            }
            last_s = time_s;
            steps.push(Step { time_s, value, per_s });
        }
        Self { steps }
    }

    /// The sum at a time.
    pub(super) fn at(&self, time_s: f64) -> f64 {
        let after = self.steps.partition_point(|step| step.time_s <= time_s);
        let Some(step) = after.checked_sub(1).map(|at| self.steps[at]) else { return 0.0 };
        step.value + step.per_s * (time_s - step.time_s)
    }

    /// The sum at a time, in whole ones.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more")]
    pub(super) fn count(&self, time_s: f64) -> u64 {
        self.at(time_s).round().max(0.0) as u64
    }

    /// The sum at the end of all parts.
    pub(super) fn end(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_all_parts() {
        let ramp = Part { amount: 10.0, start_s: 100.0, end_s: 200.0 };
        let slow = Part { amount: 3.0, start_s: 150.0, end_s: 450.0 };
        let growth = Growth::new([slow, Part::one(50.0), ramp, Part::one(200.0)]);
        for (time_s, sum) in [
            (0.0, 0.0),
            (49.9, 0.0),
            (50.0, 1.0),
            (125.0, 3.5),
            (150.0, 6.0),
            (175.0, 8.75),
            (200.0, 12.5),
            (300.0, 13.5),
            (450.0, 15.0),
            (1e9, 15.0),
        ] {
            let found = growth.at(time_s);
            assert!((found - sum).abs() < 1e-9, "{found} at {time_s}, expected {sum}");
        }
        assert_eq!((growth.end(), growth.count(175.0)), (15.0, 9));
        assert_eq!(Growth::default().at(1.0), 0.0);
    }
}
