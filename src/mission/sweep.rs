//! The period of scrubbing against what it prevents: one mission, several periods.

use super::Error as PlanError;
use super::figures::{PerYear, figures};
use super::plan::Plan;
use super::run::{self, Event};
use super::verdicts::Verdicts;
use crate::engine::{Engine, Error};
use crate::scheme::{Scheme, Scrub};
use crate::stats::{Estimate, Interval, estimate};
use crate::units;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// What a sweep varies.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Periods of scrubbing; `None` is off.
    pub scrub_period_s: Vec<Option<f64>>,
}

impl std::str::FromStr for Sweep {
    type Err = String;

    /// `scrub_period=1s,10s,1min,off`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected scrub_period=1s,10s,1min,10min,1h,off";
        let Some(list) = text.strip_prefix("scrub_period=") else {
            return Err(format!("{expected}, found {text:?}"));
        };
        let one = |item: &str| match item.trim() {
            "off" => Ok(None),
            item => units::duration_s(item).map(Some),
        };
        let scrub_period_s = list.split(',').map(one).collect::<Result<_, _>>()?;
        Ok(Self { scrub_period_s })
    }
}

/// One period under one scheme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The scheme.
    pub scheme: String,
    /// The period; `None` is off.
    pub period_s: Option<f64>,
    /// Bytes a second that the scrub moves.
    pub traffic_bytes_s: f64,
    /// Wrong answers a year of flight and their interval.
    #[serde(with = "estimate")]
    #[schemars(with = "Estimate")]
    pub wrong_per_year: (f64, Interval),
    /// Error episodes a year.
    pub error_episodes: PerYear,
    /// Whether it is the one of its scheme that moves least among those whose wrong answers are
    /// within the interval of the fewest.
    pub optimum: bool,
    /// Why the period cannot be had, where it cannot: a pass takes longer.
    pub refused: Option<String>,
}

/// Runs every scheme that scrubs with every period, over the histories of the mission.
///
/// # Errors
/// Where the engine fails.
pub fn sweep(
    plan: &Plan,
    sweep: &Sweep,
    engine: &mut dyn Engine,
    verdicts: &mut Verdicts,
) -> Result<Vec<Point>, Error> {
    let mut points: Vec<Point> = Vec::new();
    for scheme in plan.mission.scheme.iter().filter(|scheme| scheme.scrub.is_some()) {
        let first = points.len();
        for period_s in &sweep.scrub_period_s {
            points.push(point(plan, scheme, *period_s, engine, verdicts)?);
        }
        mark_optimum(&mut points[first..]);
    }
    verdicts.set_schemes(&plan.mission.scheme);
    Ok(points)
}

fn point(
    plan: &Plan,
    scheme: &Scheme,
    period_s: Option<f64>,
    engine: &mut dyn Engine,
    verdicts: &mut Verdicts,
) -> Result<Point, Error> {
    let mut varied = scheme.clone();
    varied.scrub = scheme
        .scrub
        .as_ref()
        .zip(period_s)
        .map(|(scrub, period_s)| Scrub::seconds(period_s, scrub.by));
    let mut point = Point {
        scheme: scheme.name.clone(),
        period_s,
        traffic_bytes_s: 0.0,
        wrong_per_year: (0.0, Interval { low: 0.0, high: 0.0 }),
        error_episodes: PerYear { count: 0, rate: 0.0, interval: Interval { low: 0.0, high: 0.0 } },
        optimum: false,
        refused: None,
    };
    let plan = match plan.with_schemes(vec![varied]) {
        Ok(plan) => plan,
        Err(PlanError::Value { expected, .. }) => {
            point.refused = Some(format!("expected {expected}"));
            return Ok(point);
        }
        Err(error) => {
            point.refused = Some(error.to_string());
            return Ok(point);
        }
    };
    verdicts.set_schemes(&plan.mission.scheme);
    let mut runs = Vec::new();
    let all = (0, u64::from(plan.mission.histories));
    run::histories(&plan, engine, verdicts, all, &mut |event| {
        if let Event::History(run) = event {
            runs.push(run.schemes.clone());
        }
        ControlFlow::Continue(())
    })?;
    let figures = figures(&plan.facts(), &runs);
    if let Some(figures) = figures.first() {
        point.traffic_bytes_s = figures.scrub_traffic.bytes_s;
        point.wrong_per_year = figures.wrong_per_year;
        point.error_episodes = figures.error_episodes;
    }
    Ok(point)
}

fn mark_optimum(points: &mut [Point]) {
    let possible = |point: &&Point| point.refused.is_none();
    let fewest = points
        .iter()
        .filter(possible)
        .min_by(|a, b| a.wrong_per_year.0.total_cmp(&b.wrong_per_year.0));
    let Some(limit) = fewest.map(|point| point.wrong_per_year.1.high) else { return };
    let good = |point: &&mut Point| point.refused.is_none() && point.wrong_per_year.0 <= limit;
    let least = points
        .iter_mut()
        .filter(good)
        .min_by(|a, b| a.traffic_bytes_s.total_cmp(&b.traffic_bytes_s));
    if let Some(point) = least {
        point.optimum = true;
    }
}
