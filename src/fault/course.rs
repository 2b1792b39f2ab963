//! A rate that changes with time: constant within each step of a track, and repeated lap after lap.

/// A stretch of time within which the rate repeats that of the track, by place.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Σ of the rates of the places before each place, times the step; one more than places.
    cumulative: Vec<f64>,
    step_s: f64,
}

impl Course {
    /// The course of these rates, one a step of so many seconds.
    pub fn new(rates: impl IntoIterator<Item = f64>, step_s: f64) -> Self {
        let mut cumulative = vec![0.0];
        let mut sum = 0.0;
        for rate in rates {
            sum += rate * step_s;
            cumulative.push(sum);
        }
        Self { cumulative, step_s }
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.cumulative.len() - 1
    }

    /// Seconds between places.
    pub const fn step_s(&self) -> f64 {
        self.step_s
    }

    /// The integral of the rate over a lap.
    pub fn lap(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// Seconds of a lap.
    pub fn lap_s(&self) -> f64 {
        self.places() as f64 * self.step_s
    }

    /// The integral of the rate from 0 to `time_s`.
    pub fn expected(&self, time_s: f64) -> f64 {
        let laps = (time_s / self.lap_s()).floor();
        let within = (time_s - laps * self.lap_s()) / self.step_s;
        let place = floor(within).min(self.places() - 1);
        let (low, high) = (self.cumulative[place], self.cumulative[place + 1]);
        laps * self.lap() + low + (high - low) * (within - place as f64).min(1.0)
    }

    /// The time by which the integral reaches `expected`, and the place.
    pub fn when(&self, expected: f64) -> (f64, usize) {
        let laps = (expected / self.lap()).floor();
        let rest = expected - laps * self.lap();
        let after = self.cumulative.partition_point(|sum| *sum <= rest);
        let place = after.clamp(1, self.places()) - 1;
        let (low, high) = (self.cumulative[place], self.cumulative[place + 1]);
        let share = if high > low { ((rest - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        (laps * self.lap_s() + (place as f64 + share) * self.step_s, place)
    }

    /// The largest integral over any `seconds` that begin at a place.
    pub fn most(&self, seconds: f64) -> f64 {
        let starts = (0..self.places()).map(|place| place as f64 * self.step_s);
        let over = starts.map(|start| self.expected(start + seconds) - self.expected(start));
        over.fold(0.0, f64::max)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
const fn floor(value: f64) -> usize {
    value as usize
}
