//! Chords of a rectangular box in an isotropic flux: how many are longer than a length.

use std::f64::consts::{FRAC_2_PI, PI};
use std::sync::OnceLock;

/// Points of the rule for each piece: a box turned over gives the same shares to 1e-6.
const POINTS: usize = 24;

/// A sensitive volume: a rectangular parallelepiped with sides in µm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    /// One side of the face that looks to the beam, in µm.
    pub length_um: f64,
    /// The other side of that face, in µm.
    pub breadth_um: f64,
    /// The thickness along the beam, in µm.
    pub depth_um: f64,
}

impl Volume {
    /// The mean projected area in µm²: a quarter of the surface, A = (ab + ah + bh)/2 (Cauchy).
    pub const fn projected_um2(&self) -> f64 {
        let Self { length_um: a, breadth_um: b, depth_um: h } = *self;
        0.5 * (a * b + a * h + b * h)
    }

    /// The mean chord in µm, four times the volume over the surface: V/A with A as above.
    pub const fn mean_chord_um(&self) -> f64 {
        self.length_um * self.breadth_um * self.depth_um / self.projected_um2()
    }

    /// The longest chord in µm: the diagonal √(a² + b² + h²).
    pub fn longest_um(&self) -> f64 {
        self.length_um.hypot(self.breadth_um).hypot(self.depth_um)
    }

    /// The shortest side in µm.
    pub const fn shortest_side_um(&self) -> f64 {
        self.length_um.min(self.breadth_um).min(self.depth_um)
    }

    /// The share of chords longer than `chord_um`, in an isotropic flux.
    ///
    /// The box and the box shifted by x along the direction Ω = (u, v, w) overlap in
    /// V(x, Ω) = (a − xu)₊ (b − xv)₊ (h − xw)₊. The area, seen along Ω, where chords are longer
    /// than x is −∂V/∂x, so
    ///
    /// `A C(x) = 2/π ∫ [u(b−xv)(h−xw) + v(a−xu)(h−xw) + w(a−xu)(b−xv)] dΩ`
    ///
    /// over the part of an octant where all three factors are positive, and A as in
    /// [`Self::projected_um2`]. The azimuth is integrated in closed form; the polar angle by
    /// Gauss and Legendre's rule between the angles at which a factor reaches 0.
    pub fn share_beyond(&self, chord_um: f64) -> f64 {
        let Self { length_um: a, breadth_um: b, depth_um: h } = *self;
        let x = chord_um;
        if x <= 0.0 {
            return 1.0;
        }
        if x >= self.longest_um() {
            return 0.0;
        }
        let first = (h / x).min(1.0).acos();
        let last = (a.hypot(b) / x).min(1.0).asin();
        if first >= last {
            return 0.0;
        }
        let kinks = [a.min(b), a.max(b)].map(|side| (side / x).min(1.0).asin().clamp(first, last));
        let ends = [first, kinks[0], kinks[1], last];
        let pieces = ends.windows(2).filter(|ends| ends[0] < ends[1]);
        let area: f64 =
            pieces.map(|ends| integral(ends[0], ends[1], |theta| self.ring(theta, x))).sum();
        (FRAC_2_PI * area / self.projected_um2()).clamp(0.0, 1.0)
    }

    /// The integrand of [`Self::share_beyond`] at one angle from the depth, summed over azimuths.
    fn ring(&self, theta: f64, x: f64) -> f64 {
        let Self { length_um: a, breadth_um: b, depth_um: h } = *self;
        let (s, w) = theta.sin_cos();
        let across = x * s;
        let cos_first = (a / across).min(1.0);
        let sin_last = (b / across).min(1.0);
        let sin_first = ((1.0 - cos_first) * (1.0 + cos_first)).sqrt();
        let cos_last = ((1.0 - sin_last) * (1.0 + sin_last)).sqrt();
        let azimuths = sin_last.asin() - cos_first.acos();
        if azimuths <= 0.0 {
            return 0.0;
        }
        let sides = b * (sin_last - sin_first) + a * (cos_first - cos_last);
        let product = 0.5 * (sin_last - sin_first) * (sin_last + sin_first);
        let through_sides = s * (sides - 2.0 * across * product);
        let through_top = a * b * azimuths - across * sides + across * across * product;
        let rest = (h - x * w).max(0.0);
        s * (rest * through_sides.max(0.0) + w * through_top.max(0.0))
    }
}

/// The integral over `[from, to]` of a function with square roots at either end.
///
/// θ = m + r(3t − t³)/2 for t in `[−1, 1]` makes such ends smooth.
fn integral(from: f64, to: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
    let terms = rule().iter().map(|(t, weight)| {
        let theta = middle + half * 0.5 * t * (3.0 - t * t);
        weight * 1.5 * (1.0 - t * t) * function(theta)
    });
    half * terms.sum::<f64>()
}

/// Nodes and weights of Gauss and Legendre's rule on `[−1, 1]`.
///
/// Nodes are the roots of the Legendre polynomial, by Newton's method from Tricomi's
/// approximation; weights are 2/((1 − t²) P′(t)²) (Abramowitz and Stegun 1964, 25.4.29).
fn rule() -> &'static [(f64, f64); POINTS] {
    static RULE: OnceLock<[(f64, f64); POINTS]> = OnceLock::new();
    RULE.get_or_init(|| {
        let points = POINTS as f64;
        std::array::from_fn(|index| {
            let mut t = (PI * (index as f64 + 0.75) / (points + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..20 {
                let (mut before, mut value) = (1.0, t);
                for order in 2..=POINTS {
                    let n = order as f64;
                    let next = ((2.0 * n - 1.0) * t * value - (n - 1.0) * before) / n;
                    (before, value) = (value, next);
                }
                slope = points * (t * value - before) / (t * t - 1.0);
                t -= value / slope;
            }
            (t, 2.0 / ((1.0 - t * t) * slope * slope))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream, unit};
    use rand::Rng;

    const VOLUMES: [[f64; 3]; 6] = [
        [1.0, 1.0, 1.0],
        [3.0, 2.0, 1.0],
        [44.721_36, 44.721_36, 1.0],
        [1.0, 1.0, 10.0],
        [0.01, 0.01, 1.0],
        [670.0, 670.0, 1.0],
    ];

    fn volume([length_um, breadth_um, depth_um]: [f64; 3]) -> Volume {
        Volume { length_um, breadth_um, depth_um }
    }

    /// A chord that enters a box through a face, by area, in a direction by the cosine law.
    fn chord(sides: [f64; 3], draws: &mut impl Rng) -> f64 {
        let [a, b, h] = sides;
        let faces = [b * h, a * h, a * b];
        let mut pick = unit(draws) * faces.iter().sum::<f64>();
        let mut normal = 0;
        while normal < 2 && pick >= faces[normal] {
            pick -= faces[normal];
            normal += 1;
        }
        let cosine = unit(draws).sqrt();
        let sine = (1.0 - cosine * cosine).sqrt();
        let (sin, cos) = (2.0 * PI * unit(draws)).sin_cos();
        let along = [cosine, sine * cos, sine * sin];
        let mut chord = f64::INFINITY;
        for (turn, speed) in along.into_iter().enumerate() {
            let side = sides[(normal + turn) % 3];
            let room = if turn == 0 { side } else { side * unit(draws) };
            if speed != 0.0 {
                chord = chord.min(room / speed.abs());
            }
        }
        chord
    }

    #[test]
    fn the_rule_integrates_polynomials() {
        for power in [0_i32, 2, 10, 46] {
            let sum: f64 = rule().iter().map(|(t, weight)| weight * t.powi(power)).sum();
            assert!((sum - 2.0 / (f64::from(power) + 1.0)).abs() < 1e-13, "{power}: {sum}");
        }
    }

    #[test]
    fn all_chords_are_longer_than_nothing_and_none_than_the_diagonal() {
        for sides in VOLUMES {
            let volume = volume(sides);
            assert_eq!(volume.share_beyond(0.0), 1.0);
            assert!((volume.share_beyond(1e-9 * volume.shortest_side_um()) - 1.0).abs() < 1e-8);
            assert_eq!(volume.share_beyond(volume.longest_um()), 0.0);
            assert_eq!(volume.share_beyond(2.0 * volume.longest_um()), 0.0);
        }
    }

    #[test]
    fn the_mean_chord_is_four_volumes_over_the_surface() {
        for sides in VOLUMES {
            let volume = volume(sides);
            let (from, to) = ((1e-5 * volume.shortest_side_um()).ln(), volume.longest_um().ln());
            let cells = 6000;
            let step = (to - from) / f64::from(cells);
            let mean: f64 = (0..cells)
                .map(|cell| (from + (f64::from(cell) + 0.5) * step).exp())
                .map(|x| volume.share_beyond(x) * x * step)
                .sum();
            let ratio = mean / volume.mean_chord_um();
            assert!((ratio - 1.0).abs() < 1e-4, "{sides:?}: {ratio}");
        }
    }

    #[test]
    fn shares_fall_and_do_not_depend_on_how_the_box_is_turned() {
        for sides in VOLUMES {
            let [a, b, h] = sides;
            let turned = [[a, h, b], [h, b, a], [b, a, h]].map(volume);
            let upright = volume(sides);
            let mut last = 1.0;
            for step in 1..400 {
                let x = upright.longest_um() * 0.999 * 10_f64.powf(-f64::from(400 - step) / 80.0);
                let share = upright.share_beyond(x);
                assert!(share <= last, "{sides:?} at {x}: {share} after {last}");
                last = share;
                for other in turned {
                    let off = (other.share_beyond(x) - share).abs();
                    assert!(off <= 1e-6 * share + 1e-15, "{sides:?} at {x}: {share}, off {off}");
                }
            }
        }
    }

    #[test]
    fn drawn_chords_agree() {
        const DRAWS: u32 = 200_000;
        for (key, sides) in (0..).zip(VOLUMES) {
            let volume = volume(sides);
            let mut draws = stream(1, Domain::Generate, &[key]);
            let mut chords: Vec<f64> = (0..DRAWS).map(|_| chord(sides, &mut draws)).collect();
            chords.sort_unstable_by(f64::total_cmp);
            for step in 1..200 {
                let x = volume.longest_um() * 10_f64.powf(-f64::from(200 - step) / 50.0);
                let longer = chords.len() - chords.partition_point(|chord| *chord <= x);
                let share = volume.share_beyond(x);
                let expected = share * f64::from(DRAWS);
                let off = (longer as f64 - expected).abs();
                let sigma = (expected * (1.0 - share)).sqrt();
                assert!(off <= 4.5 * sigma + 3.0, "{sides:?} at {x}: {longer} for {expected}");
            }
        }
    }
}
