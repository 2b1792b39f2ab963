//! The spectrum of LET in silicon behind the shield.

use super::response::{BINS, EDGES};
use super::timeline::Timeline;
use crate::environment::cosmic;

/// Bins of a decade.
const PER_DECADE: usize = 200;
/// The lowest LET, in MeV cm²/mg.
const LOWEST: f64 = 1e-3;
/// Decades.
const DECADES: usize = 6;

/// Fluxes by LET: cm⁻² s⁻¹, omnidirectional, in 200 bins of a decade from 1e-3 MeV cm²/mg.
#[derive(Clone, Debug, PartialEq)]
pub struct LetSpectrum {
    fluxes: Vec<f64>,
}

impl LetSpectrum {
    /// The lower edge of a bin, in MeV cm²/mg.
    fn edge(bin: usize) -> f64 {
        LOWEST * 10_f64.powf(bin as f64 / PER_DECADE as f64)
    }

    /// Flux above a LET in MeV cm²/mg, in cm⁻² s⁻¹.
    pub fn above(&self, let_mev_cm2_per_mg: f64) -> f64 {
        let share = |bin: usize| {
            let (low, high) = (Self::edge(bin), Self::edge(bin + 1));
            ((high - let_mev_cm2_per_mg) / (high - low)).clamp(0.0, 1.0)
        };
        self.fluxes.iter().enumerate().map(|(bin, flux)| flux * share(bin)).sum()
    }

    /// (LET, differential flux in cm⁻² s⁻¹ (MeV cm²/mg)⁻¹) at the middle of each bin that is not
    /// empty.
    pub fn differential(&self) -> Vec<(f64, f64)> {
        let point = |(bin, flux): (usize, &f64)| {
            let (low, high) = (Self::edge(bin), Self::edge(bin + 1));
            ((low * high).sqrt(), flux / (high - low))
        };
        self.fluxes.iter().enumerate().map(point).filter(|(_, flux)| *flux > 0.0).collect()
    }
}

impl Timeline {
    /// Ions from helium on behind the shield, by LET in silicon, a mean over the orbit with the
    /// design margin: cosmic rays, and the solar event if there is one; or the spectrum given.
    pub fn let_spectrum(&self) -> LetSpectrum {
        let mut fluxes = vec![0.0; PER_DECADE * DECADES];
        if let Some(given) = &self.conditions.given.ions {
            for pair in given.points.windows(2) {
                let ((low, a), (high, b)) = (pair[0], pair[1]);
                let flux = self.conditions.design_margin * 0.5 * (a + b) * (high - low);
                lay(&mut fluxes, low, high, flux);
            }
            return LetSpectrum { fluxes };
        }
        for kernel in self.kernels.iter().skip(1) {
            let z = kernel.z();
            let arriving: Vec<f64> = (0..BINS)
                .map(|bin| {
                    let middle = (EDGES[bin] * EDGES[bin + 1]).sqrt();
                    let share = self.transmission.at(cosmic::rigidity_gv(z, middle));
                    let solar = self.conditions.event.scale() * self.solar.of(z)[bin];
                    let flux = self.cosmic.of(z)[bin] + solar;
                    self.conditions.design_margin * share * flux
                })
                .collect();
            kernel.by_let(&arriving, |low, high, flux| lay(&mut fluxes, low, high, flux));
        }
        LetSpectrum { fluxes }
    }
}

/// Lays a flux on the bins between two LETs, evenly in the logarithm.
fn lay(fluxes: &mut [f64], low: f64, high: f64, flux: f64) {
    let place = |let_: f64| {
        ((let_ / LOWEST).log10() * PER_DECADE as f64).clamp(0.0, (fluxes.len() - 1) as f64)
    };
    let (a, b) = (place(low), place(high));
    let (first, last) = (floor(a), floor(b));
    if first == last {
        fluxes[first] += flux;
        return;
    }
    for (bin, total) in fluxes.iter_mut().enumerate().take(last + 1).skip(first) {
        let overlap = b.min((bin + 1) as f64) - a.max(bin as f64);
        *total += flux * overlap / (b - a);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
const fn floor(place: f64) -> usize {
    place as usize
}
