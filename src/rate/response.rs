//! Responses: what a particle that arrives before the shield does behind it.
//!
//! All spectra and responses stand on one grid of incident energies, so that a rate is a sum over
//! its bins: Σ flux of the bin × mean response of the bin.

use crate::environment::matter::{Material, let_in_silicon, survival};
use crate::environment::shield::Path;
use std::ops::Range;
use std::sync::LazyLock;

/// Bins of a decade.
const PER_DECADE: usize = 64;
/// Decades from the lowest edge.
const DECADES: usize = 7;
/// The lowest edge, in MeV/n.
const LOWEST: f64 = 0.1;
/// Steps of a decade in the energy behind the shield.
const EXIT_PER_DECADE: usize = 2 * PER_DECADE;
/// The lowest energy behind the shield, in MeV/n.
const EXIT_LOWEST: f64 = 1e-3;
/// Decades of the energy behind the shield.
const EXIT_DECADES: usize = 9;

/// Bins of incident energy.
pub const BINS: usize = PER_DECADE * DECADES;

/// The edges of the bins, in MeV/n: 0.1 to 1e6, one more than there are bins.
pub static EDGES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    (0..=BINS).map(|k| LOWEST * 10_f64.powf(k as f64 / PER_DECADE as f64)).collect()
});

/// The way of one kind of ion through a shield.
///
/// A particle that leaves with E' entered with E = R⁻¹(R(E') + T): continuous slowing down,
/// straight ahead; protons that collide with a nucleus on the way are taken away. Each small step
/// of E' is laid on the bins that its E covers, so that narrow features just above the energy at
/// which the shield opens keep their weight.
pub struct Kernel {
    z: usize,
    /// Energies behind the shield, in MeV/n: the ends and middles of the steps.
    exits: Vec<f64>,
    /// LET in silicon at these energies, in MeV cm²/mg.
    lets: Vec<f64>,
    /// (step, bin, share of the bin's particles that leave within the step).
    weights: Vec<(usize, usize, f64)>,
}

impl Kernel {
    /// The way of ions of charge `z` on `paths`.
    pub fn new(z: usize, paths: &[Path]) -> Self {
        let steps = EXIT_PER_DECADE * EXIT_DECADES;
        let exit = |k: usize| EXIT_LOWEST * 10_f64.powf(k as f64 / (2 * EXIT_PER_DECADE) as f64);
        let exits: Vec<f64> = (0..=2 * steps).map(exit).collect();
        let lets = exits.iter().map(|energy| let_in_silicon(z, *energy)).collect();
        let mut weights = Vec::new();
        for path in paths {
            let mut low = Material::Aluminium.before(z, exits[0], path.g_per_cm2);
            let mut first = 0;
            for step in 0..steps {
                let high = Material::Aluminium.before(z, exits[2 * step + 2], path.g_per_cm2);
                let share = path.share * survival(z, high, exits[2 * step + 2]);
                while first < BINS && EDGES[first + 1] <= low {
                    first += 1;
                }
                for bin in first..BINS {
                    let (left, right) = (EDGES[bin], EDGES[bin + 1]);
                    if left >= high {
                        break;
                    }
                    let overlap = high.min(right) - low.max(left);
                    if overlap > 0.0 {
                        weights.push((step, bin, share * overlap / (right - left)));
                    }
                }
                low = high;
            }
        }
        Self { z, exits, lets, weights }
    }

    /// The charge of the ions.
    pub const fn z(&self) -> usize {
        self.z
    }

    /// The response where a particle of some energy (MeV/n) and LET (MeV cm²/mg) behind the shield
    /// does `effect(energy, let)`.
    pub fn response(&self, effect: impl Fn(f64, f64) -> f64) -> Response {
        let effects: Vec<f64> = self
            .exits
            .iter()
            .zip(&self.lets)
            .map(|(energy, let_)| effect(*energy, *let_))
            .collect();
        let mut bins = vec![0.0; BINS];
        for (step, bin, weight) in &self.weights {
            let at = 2 * step;
            let mean = (effects[at] + 4.0 * effects[at + 1] + effects[at + 2]) / 6.0;
            bins[*bin] += weight * mean;
        }
        Response::of(bins)
    }

    /// Lays the particles of `fluxes` behind the shield on bins of LET: `add` gets the ends of a
    /// step in LET (MeV cm²/mg) and the flux within it.
    pub fn by_let(&self, fluxes: &[f64], mut add: impl FnMut(f64, f64, f64)) {
        for (step, bin, weight) in &self.weights {
            let (a, b) = (self.lets[2 * step], self.lets[2 * step + 2]);
            add(a.min(b), a.max(b), weight * fluxes[*bin]);
        }
    }
}

/// The mean response to the particles of each bin, for one kind of ion.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    bins: Vec<f64>,
    /// The bins that respond.
    live: Range<usize>,
}

impl Response {
    fn of(bins: Vec<f64>) -> Self {
        let start = bins.iter().position(|value| *value != 0.0).unwrap_or(0);
        let end = bins.iter().rposition(|value| *value != 0.0).map_or(0, |last| last + 1);
        Self { bins, live: start..end.max(start) }
    }

    /// The bins that respond at all.
    pub fn live(&self) -> Range<usize> {
        self.live.clone()
    }

    /// The mean response of a bin.
    pub fn bin(&self, bin: usize) -> f64 {
        self.bins[bin]
    }

    /// Σ flux × response, for the fluxes of the bins from the first on.
    pub fn fold(&self, fluxes: &[f64]) -> f64 {
        let end = self.live.end.min(fluxes.len());
        let live = self.live.start.min(end)..end;
        let terms = self.bins[live.clone()].iter().zip(&fluxes[live]);
        // From +0, so that no flux gives no negative zero.
        terms.fold(0.0, |sum, (response, flux)| sum + response * flux)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::shield::{Geometry, Shield};

    #[test]
    fn without_a_shield_the_response_is_the_effect() {
        let paths = Shield { thickness_mm: 0.0, geometry: Geometry::Sphere }.paths();
        let response = Kernel::new(1, &paths).response(|energy, _| energy);
        for bin in [10, 100, 200, 300] {
            let middle = 0.5 * (EDGES[bin] + EDGES[bin + 1]);
            assert!((response.bin(bin) / middle - 1.0).abs() < 1e-3, "bin {bin}");
        }
    }

    #[test]
    fn a_shield_opens_at_the_energy_of_its_range() {
        // 10 mm of aluminium stop protons below 47.8 MeV (NIST PSTAR).
        let paths = Shield { thickness_mm: 10.0, geometry: Geometry::Sphere }.paths();
        let response = Kernel::new(1, &paths).response(|_, _| 1.0);
        let first = response.live().start;
        assert!(EDGES[first] <= 47.8 && 47.8 <= EDGES[first + 1] * 1.01, "{}", EDGES[first]);
        let before = EDGES[first + 3];
        let behind = Material::Aluminium.behind(1, before, paths[0].g_per_cm2);
        let left = survival(1, before, behind);
        assert!((0.95..0.98).contains(&left) && (response.bin(first + 2) - left).abs() < 3e-3);
    }
}
