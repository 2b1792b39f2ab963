//! When the scrubber comes by: a patrol that passes the whole of a scheme's memory in one period.

use crate::fault::Course;
use crate::seed::{Domain, stream, unit};
use std::sync::Arc;

/// A patrol over the addresses of memory, from its start to its end and again.
#[derive(Clone, Debug)]
pub enum Patrol {
    /// It passes once every so many seconds.
    Periodic(f64),
    /// Its speed follows the orbit.
    Adaptive {
        /// Passes a second along the track.
        course: Arc<Course>,
        /// Where on the track time begins, in seconds.
        start_s: f64,
    },
    /// It comes by at random: intervals are exponential with this mean, in seconds.
    Random(f64),
}

impl Patrol {
    /// A patrol whose speed, in passes a second, follows a track from its first place on.
    pub fn adaptive(course: Course) -> Self {
        Self::Adaptive { course: Arc::new(course), start_s: 0.0 }
    }

    /// The same for a history that begins at `start_s` on the track.
    #[must_use]
    pub fn begun_at(&self, start_s: f64) -> Self {
        match self {
            Self::Adaptive { course, .. } => Self::Adaptive { course: Arc::clone(course), start_s },
            other => other.clone(),
        }
    }

    /// Passes completed by `time_s`.
    pub fn passes(&self, time_s: f64) -> f64 {
        match self {
            Self::Periodic(period_s) | Self::Random(period_s) => time_s / period_s,
            Self::Adaptive { course, start_s } => {
                course.expected(start_s + time_s) - course.expected(*start_s)
            }
        }
    }

    /// The most passes of a flight: beyond it an `f64` of passes cannot tell places within one apart
    /// (2⁴⁰ passes leave 12 bits, or a page of a memory of 4,096 pages).
    pub const PASSES_MAX: f64 = 1_099_511_627_776.0;

    /// The first time after `time_s` at which the patrol reaches `share` of the memory, a share
    /// from 0 (its start) to below 1.
    pub fn next(&self, time_s: f64, share: f64) -> f64 {
        if let Self::Random(mean_s) = self {
            // The interval is drawn from the moment that asks: an exponential one forgets how long
            // it has lasted already.
            let key = [time_s.to_bits(), share.to_bits()];
            let u = unit(&mut stream(0, Domain::MissionOther, &key));
            // Never at once: time goes on even where the interval is too short for it to show.
            return (time_s - mean_s * (1.0 - u).ln()).max(time_s.next_up());
        }
        let passes = self.passes(time_s);
        let mut next = passes.floor() + share;
        if next <= passes {
            next += 1.0;
        }
        // Rounding may give the visit that is just over once more, or a time just before it.
        let when = self.when(next);
        let when = if when <= time_s { self.when(next + 1.0) } else { when };
        when.max(time_s.next_up())
    }

    /// When so many passes are completed.
    pub fn when(&self, passes: f64) -> f64 {
        match self {
            Self::Periodic(period_s) | Self::Random(period_s) => passes * period_s,
            Self::Adaptive { course, start_s } => {
                course.when(course.expected(*start_s) + passes).0 - start_s
            }
        }
    }

    /// Mean passes a second.
    pub fn passes_per_s(&self) -> f64 {
        match self {
            Self::Periodic(period_s) | Self::Random(period_s) => 1.0 / period_s,
            Self::Adaptive { course, .. } => course.lap() / course.lap_s(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_are_a_period_apart_and_follow_the_address() {
        let patrol = Patrol::Periodic(100.0);
        assert_eq!(patrol.next(0.0, 0.25), 25.0);
        assert_eq!(patrol.next(25.0, 0.25), 125.0);
        assert_eq!(patrol.next(130.0, 0.0), 200.0);
        assert!((patrol.passes_per_s() - 0.01).abs() < 1e-15);
    }

    #[test]
    fn time_goes_on_however_short_the_period_is() {
        let course = Course::new([1e13, 2e13], 60.0);
        for patrol in [Patrol::Periodic(1e-12), Patrol::Random(1e-12), Patrol::adaptive(course)] {
            for start in [0.0, 1.0, 1e9, 3e13] {
                let mut time_s = start;
                for _ in 0..100 {
                    let next = patrol.next(time_s, 0.3);
                    assert!(next > time_s, "{patrol:?} after {time_s} s: {next}");
                    time_s = next;
                }
            }
        }
    }

    #[test]
    fn an_adaptive_patrol_is_faster_where_its_course_says_so() {
        // 10 s a pass for 60 s, then 60 s a pass for 60 s: 7 passes a lap of 120 s.
        let patrol = Patrol::adaptive(Course::new([0.1, 1.0 / 60.0], 60.0));
        let mut visits = vec![patrol.next(0.0, 0.5)];
        while visits.len() < 14 {
            let last = visits[visits.len() - 1];
            visits.push(patrol.next(last, 0.5));
        }
        assert!((visits[0] - 5.0).abs() < 1e-9 && (visits[5] - 55.0).abs() < 1e-9, "{visits:?}");
        assert!((visits[6] - 90.0).abs() < 1e-9 && (visits[7] - 125.0).abs() < 1e-9, "{visits:?}");
        assert!((patrol.passes_per_s() - 7.0 / 120.0).abs() < 1e-12);
        // From half a minute on it begins anew: 3 passes, then one, then 6.
        let later = patrol.begun_at(30.0);
        assert!(later.passes(0.0).abs() < 1e-12 && (later.passes(90.0) - 4.0).abs() < 1e-9);
        assert!((later.next(0.0, 0.5) - 5.0).abs() < 1e-9, "in the fast half");
        assert!((later.next(30.0, 0.5) - 60.0).abs() < 1e-9, "in the slow one");
    }
}
