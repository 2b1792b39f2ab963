//! C1 to C8: missions against closed forms, upset by upset through `mission::simulate`.
//!
//! Every copy of the weights is a system of its own, struck by single bits as a Poisson process at
//! an accelerated rate; rates and times are given in terms of one another.

use crate::bench::{Bench, bit, scheme, scrub};
use crate::forms::{integral, law, two_states};
use crate::table::{Claim, Point};
use beamline::mission::Patrol;
use beamline::outcome::Outcome;
use beamline::scheme::{Code, Protection, ScrubBy};
use beamline::seed::{Domain, below, stream, unit};
use beamline::stats::clopper_pearson;

/// Every comparison may fail by chance so often.
pub(crate) const ALPHA: f64 = 1e-4;
/// The normal quantile of 1 − ALPHA / 2.
const Z: f64 = 3.8906;
/// Upsets per bit and second.
pub(crate) const RATE: f64 = 1e-3;
/// Bits of a codeword.
const BITS: f64 = 72.0;

/// A replica, an entry of the copy, and the struck bit of it.
type Site = (u8, u64, usize);

/// Independent systems under one scheme, all bits struck at [`RATE`].
struct Systems {
    bench: Bench,
    /// The bits of a system.
    sites: u64,
    site: fn(u64) -> Site,
    /// Names the draws.
    key: u64,
}

/// The same bit of three replicas.
fn replica(at: u64) -> Site {
    (u8::try_from(at).unwrap_or(0), 0, 0)
}

/// A bit of a codeword: four codewords an entry, each of two words and a byte of the check word.
fn codeword(at: u64) -> Site {
    let (word, at) = (at / 72, usize::try_from(at % 72).unwrap_or(0));
    let beat = usize::try_from(word % 4).unwrap_or(0);
    (0, word / 4, if at < 64 { 64 * beat + at } else { 256 + 8 * beat + at - 64 })
}

impl Systems {
    fn tmr(key: u64, systems: u64, period: Option<(f64, bool)>) -> Self {
        let by = |(seconds, random)| scrub(seconds, ScrubBy::Vote, random);
        let tmr = scheme(Protection::TmrStorage, None, period.map(by));
        Self { bench: Bench::new(&tmr, 576, systems, 1.0), sites: 3, site: replica, key }
    }

    fn secded(key: u64, systems: u64, words: u32, period: Option<(f64, bool)>) -> Self {
        let by = |(seconds, random)| scrub(seconds, ScrubBy::Ecc, random);
        let secded = scheme(Protection::None, Some(Code::Hsiao72), period.map(by));
        let bench = Bench::new(&secded, 2 * words, systems, 1.0);
        Self { bench, sites: 72 * u64::from(words), site: codeword, key }
    }

    fn count(&self) -> u64 {
        self.bench.ground.reads.copies
    }

    /// Upsets of a system from its beginning on, for so long.
    fn upsets(&self, copy: u64, (birth, span): (f64, f64)) -> Vec<beamline::mission::Upset> {
        let mut draws = stream(self.key, Domain::Generate, &[copy]);
        let mut upsets = Vec::new();
        let mut age = 0.0;
        loop {
            age -= (1.0 - unit(&mut draws)).ln() / (RATE * self.sites as f64);
            if age >= span {
                return upsets;
            }
            let (replica, entry, at) = (self.site)(below(&mut draws, self.sites));
            upsets.push(self.bench.hit(birth + age, (replica, copy, entry), bit(at)));
        }
    }

    /// Of each system the time from its beginning to its first failure, where the mean is about
    /// so long. A system that is scrubbed periodically begins right after a scrub.
    fn lives(mut self, mean: f64) -> Vec<f64> {
        let count = self.count();
        let period = match self.bench.terms.patrol {
            Some((Patrol::Periodic(period_s), _)) => period_s,
            _ => 0.0,
        };
        let birth = |copy: u64| period * copy as f64 / count as f64;
        self.bench.ground.keep_changes = false;
        // A failure is seen at the next read, which is soon.
        self.bench.ground.reads.per_s = 2e4 * count as f64 / mean;
        let mut lives = vec![f64::INFINITY; usize::try_from(count).expect("small")];
        let mut span = mean;
        // Those that live on are followed for twice as long, until none is left.
        while lives.iter().any(|life| !life.is_finite()) {
            span *= 2.0;
            self.bench.ground.horizon_s = period + span;
            let mut upsets = Vec::new();
            for (copy, _) in (0..count).zip(&lives).filter(|(_, life)| !life.is_finite()) {
                upsets.extend(self.upsets(copy, (birth(copy), span)));
            }
            for episode in self.bench.run(upsets).episodes {
                let Some(failed) = episode.first_effect_s else { continue };
                let life = &mut lives[usize::try_from(episode.copy).expect("small")];
                *life = life.min(failed - birth(episode.copy));
            }
        }
        lives
    }

    /// Systems that answer wrongly or not at all when they are read `age` after their beginning.
    fn failed(mut self, age: f64) -> u64 {
        let count = self.count();
        // Copy k is read at age · k / count, where it begins, and once more after `age`.
        self.bench.ground.keep_changes = false;
        self.bench.ground.reads.per_s = count as f64 / age;
        self.bench.ground.horizon_s = age * (2.0 - 0.25 / count as f64);
        let birth = |copy: u64| age * copy as f64 / count as f64;
        let upsets = (0..count).flat_map(|copy| self.upsets(copy, (birth(copy), age)));
        let history = self.bench.run(upsets.collect());
        let failed = [Outcome::CriticalSdc, Outcome::Due];
        failed.iter().map(|outcome| history.outcomes[*outcome as usize]).sum()
    }
}

/// The mean of what was simulated, with its interval.
fn mean(claim: Claim, what: String, form: f64, lives: &[f64]) -> Point {
    let count = lives.len() as f64;
    let mean = lives.iter().sum::<f64>() / count;
    let variance = lives.iter().map(|life| (life - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = Z * (variance / count).sqrt();
    Point { claim, what, form, found: mean, low: mean - half, high: mean + half }
}

/// A share of systems, with its interval.
fn share(claim: Claim, what: String, form: f64, (k, n): (u64, u64)) -> Point {
    let interval = clopper_pearson(k, n, ALPHA);
    Point { claim, what, form, found: k as f64 / n as f64, low: interval.low, high: interval.high }
}

/// The share of systems that live longer than `age`.
fn alive(claim: Claim, what: String, form: f64, lives: &[f64], age: f64) -> Point {
    let k = lives.iter().filter(|life| **life > age).count() as u64;
    share(claim, what, form, (k, lives.len() as u64))
}

pub(crate) fn points() -> Vec<Point> {
    let mut points = Vec::new();
    tmr_alone(&mut points);
    tmr_repaired(&mut points);
    tmr_scrubbed(&mut points);
    tmr_toggling(&mut points);
    secded_alone(&mut points);
    secded_scrubbed(&mut points);
    secded_at_random(&mut points);
    points
}

fn tmr_alone(points: &mut Vec<Point>) {
    let mut systems = Systems::tmr(1, 4000, None);
    systems.bench = systems.bench.discharging();
    let lives = systems.lives(5.0 / (6.0 * RATE));
    for age in [0.1, 0.3, 0.5, std::f64::consts::LN_2, 1.0, 1.5] {
        let form = 3.0 * f64::exp(-2.0 * age) - 2.0 * f64::exp(-3.0 * age);
        let what = format!("R at λt = {age:.3}");
        points.push(alive(Claim::TmrAlone, what, form, &lives, age / RATE));
    }
    let form = 5.0 / (6.0 * RATE);
    points.push(mean(Claim::TmrAlone, "MTTF, s".into(), form, &lives));
}

fn tmr_repaired(points: &mut Vec<Point>) {
    for (key, times) in [(10, 2.0), (11, 5.0), (12, 10.0), (13, 20.0), (14, 50.0)] {
        let repair = times * RATE;
        let form = (5.0 * RATE + repair) / (6.0 * RATE * RATE);
        let mut systems = Systems::tmr(key, 1000, Some((1.0 / repair, true)));
        systems.bench = systems.bench.discharging();
        let lives = systems.lives(form);
        if key == 13 {
            for age in [0.5, 1.0, 2.0, 4.0, 8.0] {
                let form = two_states(3.0 * RATE, 2.0 * RATE, repair, age / RATE);
                let what = format!("R at λt = {age}, μ = {times} λ");
                points.push(alive(Claim::TmrRepaired, what, form, &lives, age / RATE));
            }
        }
        points.push(mean(Claim::TmrRepaired, format!("MTTF, s, μ = {times} λ"), form, &lives));
    }
}

fn tmr_scrubbed(points: &mut Vec<Point>) {
    for (key, period) in [(20, 0.1), (21, 0.2), (22, 0.5), (23, 1.0), (24, 2.0)] {
        let period_s = period / RATE;
        let alive = |age: f64| two_states(3.0 * RATE, 2.0 * RATE, 0.0, age);
        let form = integral(alive, period_s) / (1.0 - alive(period_s));
        let mut systems = Systems::tmr(key, 1500, Some((period_s, false)));
        systems.bench = systems.bench.discharging();
        let what = format!("MTTF, s, λT = {period}");
        points.push(mean(Claim::TmrScrubbed, what, form, &systems.lives(form)));
    }
}

fn tmr_toggling(points: &mut Vec<Point>) {
    for (key, span) in [(30, 0.05), (31, 0.1), (32, 0.2), (33, 0.5), (34, 1.0)] {
        let p = 0.5 * (1.0 - f64::exp(-2.0 * span));
        let form = 3.0 * p * p * (1.0 - p) + p.powi(3);
        let failed = Systems::tmr(key, 8000, None).failed(span / RATE);
        let what = format!("P(voted wrong) at λT = {span}");
        points.push(share(Claim::TmrToggling, what, form, (failed, 8000)));
    }
}

/// Survival of a codeword whose bits toggle: a second hit of the same bit sets it back.
fn word_alive(repair: f64, age: f64) -> f64 {
    two_states(BITS * RATE, (BITS - 1.0) * RATE, repair + RATE, age)
}

fn secded_alone(points: &mut Vec<Point>) {
    for (key, words) in [(40, 1), (41, 4), (42, 16), (43, 64), (44, 256), (45, 1024)] {
        let count = f64::from(words);
        let near = f64::sqrt(std::f64::consts::PI / (2.0 * count))
            / (RATE * f64::sqrt(BITS * (BITS - 1.0)));
        let alive = |age: f64| word_alive(0.0, age).powf(count);
        let form = integral(alive, 12.0 * near);
        let lives = Systems::secded(key, 500, words, None).lives(form);
        let what =
            format!("mean time to the first double error, s, M = {words} (√ form {near:.3})");
        points.push(mean(Claim::SecdedAlone, what, form, &lives));
    }
}

fn secded_scrubbed(points: &mut Vec<Point>) {
    // Mean upsets of the memory from scrub to scrub.
    for (key, upsets) in [(50, 0.25), (51, 0.5), (52, 1.0), (53, 2.0), (54, 4.0)] {
        let words = 4.0;
        let period_s = upsets / (words * BITS * RATE);
        let near = 2.0 / (words * BITS * (BITS - 1.0) * RATE * RATE * period_s);
        let alive = |age: f64| word_alive(0.0, age).powf(words);
        let form = integral(alive, period_s) / (1.0 - alive(period_s));
        let lives = Systems::secded(key, 800, 4, Some((period_s, false))).lives(form);
        let what = format!("MTTF, s, M = 4, nMλT = {upsets} (short form {near:.4})");
        points.push(mean(Claim::SecdedScrubbed, what, form, &lives));
    }
}

fn secded_at_random(points: &mut Vec<Point>) {
    for (key, times) in [(60, 0.5), (61, 1.0), (62, 2.0), (63, 5.0), (64, 10.0)] {
        let repair = times * BITS * RATE;
        let form = (repair + 2.0 * BITS * RATE) / (BITS * (BITS - 1.0) * RATE * RATE);
        let lives = Systems::secded(key, 800, 1, Some((1.0 / repair, true))).lives(form);
        let what = format!("MTTF, s, one word, μ = {times} nλ");
        points.push(mean(Claim::SecdedRandom, what, form, &lives));
    }
}

/// Words of the memory whose law is drawn.
pub(crate) const LAW_WORDS: u32 = 256;

/// P(uncorrectable) of a memory from scrub to scrub, by its mean upsets meanwhile.
pub(crate) fn quadratic() -> Vec<(f64, Point)> {
    let mut points = Vec::new();
    for (key, upsets) in [(70, 0.5), (71, 1.0), (72, 2.0), (73, 4.0), (74, 8.0), (75, 16.0)] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let systems = (16_000.0 / upsets) as u64;
        let form = law(upsets, f64::from(LAW_WORDS));
        let age = upsets / (f64::from(LAW_WORDS) * BITS * RATE);
        let failed = Systems::secded(key, systems, LAW_WORDS, None).failed(age);
        let what = format!("P(uncorrectable), M = {LAW_WORDS}, nMλT = {upsets}");
        points.push((upsets, share(Claim::Quadratic, what, form, (failed, systems))));
    }
    points
}
