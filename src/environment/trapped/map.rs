//! One AP8 map: its strings, and the flux between them.

use super::Interpolation;
use crate::environment::field::Shell;

/// Energies of a map that a spectrum can hold; AP8 has fewer.
const ENERGIES: usize = 24;

/// A string of constant L.
#[derive(Clone, Debug)]
struct LString {
    l: f64,
    /// The places along the string: B/B0 − 1, φ in degrees, and log₁₀ of the flux.
    vertices: Vec<Vertex>,
    /// How many of them have a flux of 1 or more, at least 1.
    live: usize,
    /// The field at the string's end over McIlwain's dipole moment: where the atmosphere ends the flux.
    end: f64,
}

#[derive(Clone, Copy, Debug)]
struct Vertex {
    k: f64,
    phi: f64,
    log: f64,
}

/// The strings of one energy.
#[derive(Clone, Debug)]
struct Block {
    energy: f64,
    strings: Vec<LString>,
}

/// A map of integral omnidirectional fluxes over energy, L and B/B0.
#[derive(Clone, Debug)]
pub struct Map {
    blocks: Vec<Block>,
}

/// log₁₀ of the flux above each energy of a map, at one place; at or below 0 stands for no flux.
#[derive(Clone, Copy, Debug)]
pub struct Spectrum<'m> {
    map: &'m Map,
    logs: [f64; ENERGIES],
}

impl Map {
    /// Reads a map in the format of NSSDC's `ap8min.asc`: integers, a header of eight (with the
    /// scales of energy, L, B/B0 and log flux) and the blocks of energies.
    ///
    /// None where the text is not such a map.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers: Option<Vec<f64>> =
            text.split_whitespace().map(|word| word.parse().ok()).collect();
        let numbers = numbers?;
        let (header, mut rest) = numbers.split_at_checked(8)?;
        let [energy_scale, l_scale, b_scale, log_scale] = *header.get(3..7)? else { return None };
        let step = (log_scale / energy_scale * 25.0).round() / log_scale;
        let mut blocks = Vec::new();
        while let Some((block, after)) = chunk(rest) {
            rest = after;
            let (energy, mut strings_left) = block.split_first()?;
            let mut strings = Vec::new();
            while let Some((string, after)) = chunk(strings_left) {
                strings_left = after;
                let [l, first, increments @ ..] = string else { return None };
                strings.push(LString::new(
                    l / l_scale,
                    first / log_scale,
                    step,
                    increments.iter().map(|increment| increment / b_scale),
                ));
            }
            blocks.push(Block { energy: energy / energy_scale, strings });
        }
        (blocks.len() > 1 && blocks.len() <= ENERGIES).then_some(Self { blocks })
    }

    /// The energies of the map, in MeV.
    pub fn energies(&self) -> impl Iterator<Item = f64> + '_ {
        self.blocks.iter().map(|block| block.energy)
    }

    /// The L from which on the map has no flux above an energy in MeV: that of the first string
    /// without any, beyond those that have some.
    pub fn end_l(&self, energy_mev: f64) -> f64 {
        let strings = &self.blocks[self.bracket(energy_mev)].strings;
        let last = strings.iter().rposition(|string| string.first() > 0.0).unwrap_or(0);
        strings.get(last + 1).map_or(f64::INFINITY, |string| string.l)
    }

    /// The whole spectrum of a place; none where nothing is trapped.
    pub fn spectrum(&self, interpolation: Interpolation, shell: Shell) -> Option<Spectrum<'_>> {
        let mut logs = [0.0; ENERGIES];
        for (log, block) in logs.iter_mut().zip(&self.blocks) {
            *log = block.log(interpolation, shell);
            // Fluxes fall with energy: what is zero stays zero.
            if *log <= 0.0 {
                break;
            }
        }
        (logs[0] > 0.0).then_some(Spectrum { map: self, logs })
    }

    /// Integral omnidirectional flux above an energy in MeV, in cm⁻² s⁻¹.
    pub fn flux(&self, interpolation: Interpolation, shell: Shell, energy_mev: f64) -> f64 {
        let at = self.bracket(energy_mev);
        let log = |i: usize| self.blocks[i].log(interpolation, shell);
        self.between(at, energy_mev, log)
    }

    /// The energy at or above the one asked for, clamped to the last.
    fn bracket(&self, energy_mev: f64) -> usize {
        let above = self.blocks.partition_point(|block| block.energy < energy_mev);
        above.clamp(1, self.blocks.len() - 1)
    }

    /// log flux linear in energy between two maps; where the upper one is empty, no more than the
    /// line through the two below gives.
    fn between(&self, at: usize, energy: f64, log: impl Fn(usize) -> f64) -> f64 {
        let e = |i: usize| self.blocks[i].energy;
        let (low, high) = (log(at - 1), log(at));
        let mut found = low + (high - low) * (energy - e(at - 1)) / (e(at) - e(at - 1));
        if high <= 0.0 && at > 1 {
            let below = log(at - 2);
            let line = below + (low - below) * (energy - e(at - 2)) / (e(at - 1) - e(at - 2));
            found = found.min(line);
        }
        if found > 0.0 { 10_f64.powf(found) } else { 0.0 }
    }
}

impl Spectrum<'_> {
    /// Integral omnidirectional flux above an energy in MeV, in cm⁻² s⁻¹.
    pub fn flux(&self, energy_mev: f64) -> f64 {
        let at = self.map.bracket(energy_mev);
        self.map.between(at, energy_mev, |i| self.logs[i])
    }
}

/// A length, and that many numbers after it; none at the end (a length of 0).
fn chunk(numbers: &[f64]) -> Option<(&[f64], &[f64])> {
    let (length, rest) = numbers.split_first()?;
    let length = (1..=rest.len()).find(|count| *count as f64 + 1.0 == *length)?;
    Some(rest.split_at(length))
}

impl LString {
    fn new(l: f64, first: f64, step: f64, increments: impl Iterator<Item = f64>) -> Self {
        let mut vertices = vec![Vertex { k: 0.0, phi: 0.0, log: first }];
        let (mut k, mut log) = (0.0, first);
        for increment in increments {
            k += increment;
            log -= step;
            vertices.push(Vertex { k, phi: 0.0, log });
        }
        // Where log flux passes zero the map has no flux: φ counts to the last place before it.
        let live = vertices.iter().take_while(|vertex| vertex.log >= 0.0).count().max(1);
        let reach = vertices[live - 1].k;
        for vertex in &mut vertices[..live] {
            vertex.phi = if reach > 0.0 { (vertex.k / reach).asin().to_degrees() } else { 0.0 };
        }
        Self { l, vertices, live, end: (1.0 + reach) / l.powi(3) }
    }

    fn first(&self) -> f64 {
        self.vertices[0].log
    }

    /// Where a ray log = slope × k from the origin meets this string: its k.
    fn meets(&self, slope: f64) -> f64 {
        let below = self.vertices.iter().position(|v| v.log <= slope * v.k);
        match below {
            Some(0) => 0.0,
            Some(i) => {
                let (a, b) = (self.vertices[i - 1], self.vertices[i]);
                let fall = (b.log - a.log) / (b.k - a.k);
                (a.log - fall * a.k) / (slope - fall)
            }
            None => self.vertices.last().map_or(0.0, |v| v.k),
        }
    }
}

impl Block {
    fn log(&self, interpolation: Interpolation, shell: Shell) -> f64 {
        let l = match interpolation {
            Interpolation::PhiL => shell.l,
            Interpolation::Classic => truncated(shell.l),
        };
        let after = self.strings.partition_point(|string| string.l <= l);
        if after == 0 || after == self.strings.len() || !shell.b_over_b0.is_finite() {
            return 0.0;
        }
        let (a, b) = (&self.strings[after - 1], &self.strings[after]);
        let share = (l - a.l) / (b.l - a.l);
        match interpolation {
            Interpolation::PhiL => phi_l(a, b, share, shell),
            Interpolation::Classic => classic(a, b, share, truncated(shell.b_over_b0 - 1.0)),
        }
    }
}

/// The classic program counts L and B/B0 in whole steps of 1/2048.
fn truncated(value: f64) -> f64 {
    (value * 2048.0).floor() / 2048.0
}

/// Interpolation in φ and L.
///
/// φ = asin((B/B0 − 1) / (Bmax/B0 − 1)), with Bmax the field where a string ends, linear in L
/// between two strings. The strip between two strings in the plane (L, φ) is cut into triangles,
/// always advancing on the string whose next φ is smaller; log flux is a plane over each.
fn phi_l(a: &LString, b: &LString, share: f64, shell: Shell) -> f64 {
    let equator = 1.0 / shell.l.powi(3);
    let end = a.end + (b.end - a.end) * share;
    let reach = end / equator - 1.0;
    let k = shell.b_over_b0 - 1.0;
    if shell.b_over_b0 * equator > end || a.first().max(b.first()) <= 0.0 {
        return 0.0;
    }
    let phi = if reach > 0.0 { (k / reach).min(1.0).asin().to_degrees() } else { 0.0 };
    let (a_places, b_places) = (&a.vertices[..a.live], &b.vertices[..b.live]);
    let (mut i, mut j) = (0, 0);
    let edge = |i: usize, j: usize| {
        let (u, v) = (a_places[i], b_places[j]);
        (u.phi + (v.phi - u.phi) * share, u.log + (v.log - u.log) * share)
    };
    let mut before = edge(0, 0);
    loop {
        let (next_a, next_b) = (a_places.get(i + 1), b_places.get(j + 1));
        match (next_a, next_b) {
            (None, None) => return before.1,
            (Some(u), Some(v)) if u.phi <= v.phi => i += 1,
            (Some(_), None) => i += 1,
            _ => j += 1,
        }
        let last = i + 1 == a_places.len() && j + 1 == b_places.len();
        let after = edge(i, j);
        if phi <= after.0 || last {
            let width = after.0 - before.0;
            let within = if width > 0.0 { (phi - before.0) / width } else { 0.0 };
            return before.1 + (after.1 - before.1) * within;
        }
        before = after;
    }
}

/// Interpolation of TRARA.
///
/// Rays from the origin of the plane (B/B0 − 1, log flux), through each vertex of either string,
/// meet both strings; between these places the string of the wanted L is linear in L.
fn classic(a: &LString, b: &LString, share: f64, k: f64) -> f64 {
    let equator = a.first() + (b.first() - a.first()) * share;
    let mut before = (0.0, equator);
    let mut slopes: Vec<f64> = Vec::with_capacity(a.vertices.len() + b.vertices.len());
    for string in [a, b] {
        slopes.extend(string.vertices[1..].iter().map(|vertex| vertex.log / vertex.k));
    }
    slopes.sort_by(|x, y| y.total_cmp(x));
    for slope in slopes {
        let place = a.meets(slope) + (b.meets(slope) - a.meets(slope)) * share;
        let after = (place, place * slope);
        if place >= k {
            let width = after.0 - before.0;
            let within = if width > 0.0 { (k - before.0) / width } else { 0.0 };
            return before.1 + (after.1 - before.1) * within;
        }
        before = after;
    }
    0.0
}
