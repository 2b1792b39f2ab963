//! What heavy ions do: the cross-section of a sensitive box, averaged over directions.

use super::chord::Volume;
use super::weibull;

/// The lowest LET of the table, in MeV cm²/mg.
const LET_MIN: f64 = 1e-3;
/// The highest LET of the table, in MeV cm²/mg.
const LET_MAX: f64 = 1.1e2;
/// Steps of the table, equal in the logarithm.
const STEPS: usize = 2000;
/// Chords shorter than this part of the shortest side are counted with the first that are not.
const SHORT: f64 = 1e-4;

/// One µm² in cm².
const CM2_OF_UM2: f64 = 1e-8;

/// The Weibull curve of a heavy-ion test with the volume that stands behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct IonCurve {
    /// The cross-section at high LET, in cm².
    pub(super) saturation_cm2: f64,
    /// The LET below which nothing happens, in MeV cm²/mg.
    pub(super) onset: f64,
    /// The width, in MeV cm²/mg.
    pub(super) width: f64,
    /// The exponent.
    pub(super) exponent: f64,
    /// The volume.
    pub(super) volume: Volume,
}

/// The cross-section of rectangular boxes for ions from all directions, by LET.
///
/// The integral rectangular parallelepiped (IRPP) model (Petersen, Pickel, Adams and Smith 1992,
/// IEEE Trans. Nucl. Sci. 39:1577): each of `N = σ/(ab)` boxes upsets where the energy left along a chord
/// x reaches that of LET Lw along its depth h, and Lw follows the normalised Weibull curve F of
/// the test, so that
///
/// `σ(L) = N A ∫ w(Lw) C(h Lw / L) dLw = N A ∫ F(L x / h) p(x) dx`
///
/// with w = F′, C the share of chords that are longer, p = −C′, and A a quarter of the surface.
/// The rate is ∫ J(L) σ(L) dL, with J the omnidirectional (4π) differential flux by LET in
/// cm⁻² s⁻¹ per (MeV cm²/mg).
#[derive(Clone, Debug, PartialEq)]
pub struct IonResponse {
    let_mev_cm2_per_mg: Vec<f64>,
    cm2: Vec<f64>,
}

impl IonResponse {
    /// The table of a curve, times `derating`.
    pub(super) fn of(curve: &IonCurve, derating: f64) -> Self {
        let step = (LET_MAX / LET_MIN).ln() / STEPS as f64;
        let lets: Vec<f64> =
            (0..=STEPS).map(|index| LET_MIN * (step * index as f64).exp()).collect();
        let volume = curve.volume;
        let face_um2 = volume.length_um * volume.breadth_um;
        let scale = derating * curve.saturation_cm2 * volume.projected_um2() / face_um2;
        if scale <= 0.0 || !scale.is_finite() {
            let cm2 = vec![0.0; lets.len()];
            return Self { let_mev_cm2_per_mg: lets, cm2 };
        }

        // Chords on a grid with the step of the table: F(L x / h) then depends on the sum of two
        // indices alone.
        let shortest = SHORT * volume.shortest_side_um();
        let mut shares = vec![1.0];
        for index in 1.. {
            let share = volume.share_beyond(shortest * (step * f64::from(index)).exp());
            shares.push(share);
            if share <= 0.0 {
                break;
            }
        }
        let chords: Vec<f64> = shares.windows(2).map(|ends| (ends[0] - ends[1]).max(0.0)).collect();
        let first = LET_MIN * shortest / volume.depth_um;
        let upsets: Vec<f64> = (0..lets.len() + chords.len())
            .map(|index| first * (step * (index as f64 + 0.5)).exp())
            .map(|at| weibull(at, curve.onset, curve.width, curve.exponent))
            .collect();
        let cm2 = (0..lets.len()).map(|index| {
            let terms = chords.iter().zip(&upsets[index..]).map(|(chords, upset)| chords * upset);
            scale * terms.sum::<f64>()
        });
        Self { cm2: cm2.collect(), let_mev_cm2_per_mg: lets }
    }

    /// The cross-section in cm² (per bit or per device, as the mode is) at a LET in MeV cm²/mg.
    ///
    /// Interpolated in logarithms between 1e-3 and 1.1e2 MeV cm²/mg; 0 below, constant above.
    pub fn cm2(&self, let_mev_cm2_per_mg: f64) -> f64 {
        let lets = &self.let_mev_cm2_per_mg;
        let above = lets.partition_point(|at| *at <= let_mev_cm2_per_mg);
        let Some(below) = above.checked_sub(1) else { return 0.0 };
        let from = self.cm2[below];
        let Some(to) = self.cm2.get(above) else { return from };
        let part = (let_mev_cm2_per_mg / lets[below]).ln() / (lets[above] / lets[below]).ln();
        if from > 0.0 { from * (to / from).powf(part) } else { to * part }
    }
}

impl Volume {
    /// The square face of `saturation_cm2` with a depth in µm.
    pub(super) fn square(saturation_cm2: f64, depth_um: f64) -> Self {
        let side = (saturation_cm2 / CM2_OF_UM2).sqrt();
        Self { length_um: side, breadth_um: side, depth_um }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> IonCurve {
        IonCurve {
            saturation_cm2: 2e-5,
            onset: 0.5,
            width: 30.0,
            exponent: 1.0,
            volume: Volume::square(2e-5, 1.0),
        }
    }

    /// The same integral over Lw, term by term, with the exact share of chords.
    fn direct(curve: &IonCurve, at: f64) -> f64 {
        let volume = curve.volume;
        let top = at * volume.longest_um() / volume.depth_um;
        if top <= curve.onset {
            return 0.0;
        }
        // Even steps of F, so that the density w cancels.
        let all = weibull(top, curve.onset, curve.width, curve.exponent);
        let cells = 4000;
        let sum: f64 = (0..cells)
            .map(|cell| all * (f64::from(cell) + 0.5) / f64::from(cells))
            .map(|share| curve.onset + curve.width * (-(-share).ln_1p()).powf(1.0 / curve.exponent))
            .map(|threshold| volume.share_beyond(volume.depth_um * threshold / at))
            .sum();
        let boxes = curve.saturation_cm2 / (volume.length_um * volume.breadth_um);
        boxes * volume.projected_um2() * sum * all / f64::from(cells)
    }

    #[test]
    fn the_table_is_the_integral_over_thresholds() {
        let small = Volume { length_um: 1.0, breadth_um: 1.0, depth_um: 10.0 };
        for curve in [
            curve(),
            IonCurve { exponent: 3.0, width: 10.0, ..curve() },
            IonCurve { volume: small, onset: 2.0, exponent: 1.5, ..curve() },
        ] {
            let response = IonResponse::of(&curve, 1.0);
            for at in [0.02, 0.1, 0.7, 1.3, 5.0, 20.0, 63.0, 109.0] {
                let expected = direct(&curve, at);
                let found = response.cm2(at);
                let off = (found - expected).abs();
                assert!(off <= 2e-3 * expected + 1e-12, "{curve:?} {at}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn all_ions_upset_where_all_chords_do() {
        let easy = IonCurve { onset: 0.0, width: 1e-6, ..curve() };
        let response = IonResponse::of(&easy, 1.0);
        let projected = easy.volume.projected_um2() * CM2_OF_UM2;
        assert!((response.cm2(50.0) / projected - 1.0).abs() < 1e-6);
        let half = IonResponse::of(&easy, 0.5);
        assert!((half.cm2(50.0) / response.cm2(50.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_happens_below_the_onset_along_the_diagonal() {
        let curve = curve();
        let response = IonResponse::of(&curve, 1.0);
        let least = curve.onset / curve.volume.longest_um();
        assert_eq!(response.cm2(0.98 * least), 0.0);
        assert!(response.cm2(1.1 * least) > 0.0);
        assert_eq!(response.cm2(0.0), 0.0);
        assert_eq!(response.cm2(1e3), response.cm2(1.1e2));
        let none = IonCurve { saturation_cm2: 0.0, volume: Volume::square(0.0, 1.0), ..curve };
        assert_eq!(IonResponse::of(&none, 1.0).cm2(10.0), 0.0);
    }

    #[test]
    fn many_small_boxes_scale_with_their_number() {
        let volume = Volume { length_um: 1.0, breadth_um: 1.0, depth_um: 1.0 };
        let one = IonCurve { saturation_cm2: 1e-8, volume, ..curve() };
        let many = IonCurve { saturation_cm2: 1e-3, ..one };
        let ratio = IonResponse::of(&many, 1.0).cm2(10.0) / IonResponse::of(&one, 1.0).cm2(10.0);
        assert!((ratio / 1e5 - 1.0).abs() < 1e-12);
    }
}
