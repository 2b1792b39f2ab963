//! When events strike: a Poisson process whose rate follows the orbit.

use super::timeline::Timeline;
use crate::environment::solar::Scenario;
use crate::fault::{Course, poisson_count};
use crate::seed::{Domain, stream, unit};
use std::borrow::Borrow;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Seconds since the start.
    pub time_s: f64,
    /// The mode, as its place among the modes of the timeline.
    pub mode: usize,
    /// The place of the orbit, as its place among the places of the timeline.
    pub place: usize,
}

/// A solar particle event at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduledEvent {
    /// Seconds since the start at which it begins.
    pub start_s: f64,
    /// Which.
    pub scenario: Scenario,
}

impl Timeline {
    /// The events of `duration_s` seconds at one level (0 low, 1 nominal, 2 high), in the order of
    /// time; `history` tells independent draws apart.
    ///
    /// A Poisson process with a rate that is constant within each step of the track (events per
    /// device where the device says how many bits it has, per bit otherwise). Mode by mode the
    /// number of events is drawn, and each time by inverting the integral of the rate. After its
    /// last place the track begins anew. Draws are named by (seed, history, mode), so that a mode
    /// keeps its events when others change. The conditions' own event adds to all times.
    pub fn arrivals(&self, seed: u64, history: u64, level: usize, duration_s: f64) -> Vec<Arrival> {
        self.drawn(seed, history, level, &[(0.0, duration_s)], |mode| self.course(mode, level))
    }

    /// The events of `duration_s` seconds from `start_s` on the track on, with solar events at
    /// times: those of the conditions themselves, and during each event those of its particles
    /// besides. Times, those of the solar events too, are in seconds since `start_s`.
    pub fn arrivals_with(
        &self,
        seed: u64,
        history: u64,
        level: usize,
        (start_s, duration_s): (f64, f64),
        scheduled: &[ScheduledEvent],
    ) -> Vec<Arrival> {
        let span = |from: f64, to: f64| [(start_s + from, start_s + to)];
        let steady = |mode| self.course(mode, level);
        let mut all = self.drawn(seed, history, level, &span(0.0, duration_s), steady);
        for (k, event) in scheduled.iter().enumerate() {
            let lasts = event.scenario.duration_s().unwrap_or(0.0);
            let end = (event.start_s + lasts).min(duration_s);
            if end <= event.start_s {
                continue;
            }
            let factor = event.scenario.scale();
            let key = history.wrapping_add((k as u64 + 1) << 40);
            let span = span(event.start_s, end);
            all.extend(self.drawn(seed, key, level, &span, |mode| {
                let bits = self.per_device(mode);
                let solar = self.modes[mode].solar.iter();
                Course::new(solar.map(|levels| bits * (factor * levels[level])), self.step_s())
            }));
        }
        all.iter_mut().for_each(|arrival| arrival.time_s -= start_s);
        all.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        all
    }

    /// The events of a mode that scheduled solar events bring within `duration_s` at one level, on the
    /// mean over the track.
    pub fn scheduled_events(
        &self,
        mode: usize,
        level: usize,
        duration_s: f64,
        scheduled: &[ScheduledEvent],
    ) -> f64 {
        let solar = &self.modes[mode].solar;
        let sum: f64 = solar.iter().map(|levels| levels[level]).sum();
        let rate = self.per_device(mode) * sum / solar.len().max(1) as f64;
        let of = |event: &ScheduledEvent| {
            let lasts_s = event.scenario.duration_s().unwrap_or(0.0);
            let seconds = lasts_s.min(duration_s - event.start_s).max(0.0);
            event.scenario.scale() * rate * seconds
        };
        scheduled.iter().map(of).sum()
    }

    /// The events of a mode a second at one level, along the track: per device where the device
    /// says how many bits it has, without scheduled events.
    pub fn course(&self, mode: usize, level: usize) -> &Course {
        self.courses[mode][level].get_or_init(|| {
            let places = 0..self.places.len();
            Course::new(places.map(|place| self.device_rate(mode, place, level)), self.step_s())
        })
    }

    /// The arrivals within some spans of time, each mode's from its course.
    fn drawn<C: Borrow<Course>>(
        &self,
        seed: u64,
        history: u64,
        level: usize,
        spans: &[(f64, f64)],
        course: impl Fn(usize) -> C,
    ) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        for mode in 0..self.modes.len() {
            let course = course(mode);
            let course = course.borrow();
            if course.lap() <= 0.0 {
                continue;
            }
            for (start, end) in spans {
                let before = course.expected(*start);
                let expected = course.expected(*end) - before;
                let mut draws =
                    stream(seed, Domain::Arrival, &[history, mode as u64, level as u64]);
                for _ in 0..poisson_count(&mut draws, expected) {
                    let (time_s, place) = course.when(before + unit(&mut draws) * expected);
                    arrivals.push(Arrival { time_s, mode, place });
                }
            }
        }
        arrivals.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        arrivals
    }
}
