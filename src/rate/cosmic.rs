//! Cosmic rays and solar particles behind a cutoff: what a response makes of them at each
//! rigidity, so that a place on the orbit is a look-up.

use super::response::{BINS, EDGES, Response};
use crate::environment::cosmic::{self, OMNIDIRECTIONAL};
use crate::environment::cutoff::Cutoff;

/// The highest cutoff tabulated, in GV: above Størmer's from the east at the equator, where nothing
/// comes in below c M / r².
const TOP_GV: f64 = 64.0;
/// Nodes of the cutoff.
const NODES: usize = 1024;

/// Omnidirectional fluxes in cm⁻² s⁻¹ of each bin, for each charge from 1, at 1 AU.
#[derive(Clone, Debug)]
pub(super) struct Spectra {
    fluxes: Vec<Vec<f64>>,
}

impl Spectra {
    /// The spectra of `flux(z, energy)`, in m⁻² sr⁻¹ s⁻¹ (MeV/n)⁻¹.
    pub(super) fn new(flux: impl Fn(usize, f64) -> f64) -> Self {
        let of = |z| {
            let bin = |bin: usize| {
                let (low, high) = (EDGES[bin], EDGES[bin + 1]);
                let middle = flux(z, (low * high).sqrt());
                let mean = (flux(z, low) + 4.0 * middle + flux(z, high)) / 6.0;
                OMNIDIRECTIONAL * mean * (high - low)
            };
            (0..BINS).map(bin).collect()
        };
        Self { fluxes: (1..=cosmic::CHARGES).map(of).collect() }
    }

    /// The fluxes of the bins of charge `z`.
    pub(super) fn of(&self, z: usize) -> &[f64] {
        &self.fluxes[z - 1]
    }
}

/// Rates over the cutoff, under an open sky.
#[derive(Clone, Debug)]
pub(super) struct ByCutoff {
    /// The rate of what arrives above each node of the cutoff.
    above: Vec<f64>,
}

impl ByCutoff {
    /// The rates of particles with `spectra`, answered by the responses of some charges.
    pub(super) fn new<'r>(
        spectra: &Spectra,
        responses: impl IntoIterator<Item = (usize, &'r Response)>,
    ) -> Self {
        let mut within = vec![0.0; NODES];
        for (z, response) in responses {
            for bin in response.live() {
                let rate = response.bin(bin) * spectra.of(z)[bin];
                let [low, high] =
                    [EDGES[bin], EDGES[bin + 1]].map(|e| node(cosmic::rigidity_gv(z, e)));
                spread(&mut within, low, high, rate);
            }
        }
        let mut sum = 0.0;
        let mut above: Vec<f64> = within
            .iter()
            .rev()
            .map(|rate| {
                sum += rate;
                sum
            })
            .collect();
        above.reverse();
        Self { above }
    }

    /// The rate behind the cutoffs of a place, under the share `open_sky` of the sky.
    pub(super) fn at(&self, cutoff: Cutoff, open_sky: f64) -> f64 {
        let sides = cutoff.directions();
        open_sky * sides.map(|(share, gv)| share * self.above_gv(gv)).sum::<f64>()
    }

    /// The rate of what arrives above a rigidity in GV.
    fn above_gv(&self, cutoff_gv: f64) -> f64 {
        let place = node(cutoff_gv);
        let low = floor(place);
        let next = self.above.get(low + 1).unwrap_or(&self.above[low]);
        self.above[low] + (next - self.above[low]) * (place - low as f64)
    }
}

/// The place of a rigidity among the nodes: denser where it is small.
fn node(rigidity_gv: f64) -> f64 {
    (rigidity_gv / TOP_GV).clamp(0.0, 1.0).sqrt() * (NODES - 1) as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
const fn floor(place: f64) -> usize {
    place as usize
}

/// Lays a rate on the nodes' cells between two places; cell k holds what lies between k and k + 1,
/// the last one all above.
fn spread(cells: &mut [f64], low: f64, high: f64, rate: f64) {
    let last = cells.len() - 1;
    let width = high - low;
    if width <= 0.0 {
        cells[floor(low).min(last)] += rate;
        return;
    }
    let first = floor(low).min(last);
    for (k, cell) in cells.iter_mut().enumerate().take(floor(high) + 1).skip(first) {
        let end = if k == last { f64::INFINITY } else { (k + 1) as f64 };
        *cell += rate * ((high.min(end) - low.max(k as f64)) / width).max(0.0);
    }
}

/// The share of all directions from which a rigidity arrives, over a track.
#[derive(Clone, Debug)]
pub(super) struct Transmission {
    /// Cutoffs in GV, rising, and the mean open sky of the places with a cutoff up to it.
    steps: Vec<(f64, f64)>,
}

impl Transmission {
    /// The transmission of places, each with its cutoffs and its open sky.
    pub(super) fn new(places: impl IntoIterator<Item = (Cutoff, f64)>) -> Self {
        let (mut steps, mut count) = (Vec::new(), 0_usize);
        for (cutoff, open_sky) in places {
            steps.extend(cutoff.directions().map(|(share, gv)| (gv, share * open_sky)));
            count += 1;
        }
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = count.max(1) as f64;
        let mut sum = 0.0;
        for step in &mut steps {
            sum += step.1;
            step.1 = sum / count;
        }
        Self { steps }
    }

    /// At a rigidity in GV: the mean over the track of the open sky where the cutoff is below it.
    pub(super) fn at(&self, rigidity_gv: f64) -> f64 {
        let below = self.steps.partition_point(|step| step.0 < rigidity_gv);
        below.checked_sub(1).map_or(0.0, |last| self.steps[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::cutoff::{Magnetosphere, VERTICAL_GV};
    use crate::environment::shield::{Geometry, Shield};
    use crate::rate::response::Kernel;

    #[test]
    fn the_rate_over_the_cutoff_is_the_integral_above_it() {
        let spectra = Spectra::new(|z, energy| cosmic::flux(z, energy, 0.0));
        let paths = Shield { thickness_mm: 0.0, geometry: Geometry::Sphere }.paths();
        let response = Kernel::new(1, &paths).response(|_, _| 1.0);
        let rates = ByCutoff::new(&spectra, [(1, &response)]);
        for cutoff in [0.0, 0.3, 1.0, 4.0, 12.0] {
            // By small steps of the energy from 0.1 MeV on.
            let energy = |k: u32| 0.1 * 1.001_f64.powi(i32::try_from(k).expect("small"));
            let above: f64 = (0..16_000)
                .map(|k| (energy(k), energy(k + 1)))
                .filter(|(low, _)| cosmic::rigidity_gv(1, *low) >= cutoff)
                .map(|(a, b)| OMNIDIRECTIONAL * cosmic::flux(1, (a * b).sqrt(), 0.0) * (b - a))
                .sum();
            let found = rates.above_gv(cutoff);
            assert!((found / above - 1.0).abs() < 0.01, "{cutoff} GV: {found} for {above}");
        }
    }

    #[test]
    fn transmission_counts_places_and_sky() {
        let cutoff = |gv: f64| Cutoff::vertical((VERTICAL_GV / gv).sqrt(), Magnetosphere::Quiet);
        let track = Transmission::new(
            [(2.0, 0.5), (0.0, 1.0), (8.0, 0.5), (2.0, 1.0)].map(|(gv, sky)| (cutoff(gv), sky)),
        );
        for (rigidity, share) in [(0.0, 0.0), (1.0, 0.25), (1.99, 0.25), (3.0, 0.625), (9.0, 0.75)]
        {
            assert!((track.at(rigidity) - share).abs() < 1e-12, "{rigidity} GV");
        }
    }
}
