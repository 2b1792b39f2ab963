//! Ranges and stopping powers of protons and ions in aluminium and silicon.

use super::cosmic::{CHARGES, mass_number};
use super::curve::Curve;
use std::sync::LazyLock;

/// Rest energy of a nucleon in MeV, for velocities.
const NUCLEON_MEV: f64 = 931.494;
/// The highest energy of the ranges of NIST's PSTAR, in MeV.
const PSTAR_TOP_MEV: f64 = 10_000.0;
/// Where the ranges end, in MeV/n: beyond PSTAR, Bethe's formula carries them on.
const TOP_MEV: f64 = 1.0e6;

/// A material: aluminium of the shield, silicon of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Material {
    /// Aluminium.
    Aluminium,
    /// Silicon.
    Silicon,
}

/// Ranges of one ion in one material.
#[derive(Clone, Debug)]
struct Ranges {
    /// Range in g/cm² over energy in MeV/n.
    range: Curve,
    /// Energy in MeV/n over range in g/cm².
    energy: Curve,
}

struct Table {
    protons: Ranges,
    ions: Vec<Ranges>,
}

static ALUMINIUM: LazyLock<Table> = LazyLock::new(|| Table::new(1));
static SILICON: LazyLock<Table> = LazyLock::new(|| Table::new(2));

impl Material {
    fn table(self) -> &'static Table {
        match self {
            Self::Aluminium => &ALUMINIUM,
            Self::Silicon => &SILICON,
        }
    }

    fn ranges(self, z: usize) -> &'static Ranges {
        let table = self.table();
        if z == 1 { &table.protons } else { &table.ions[z - 2] }
    }

    /// Range in g/cm² of the ion of charge `z`, 1 to 28, at `energy` MeV/n, slowing down
    /// continuously.
    ///
    /// Protons: NIST PSTAR (CSDA). Ions: R(E) = ∫ A dE / S(E), see [`Material::stopping`].
    pub fn range(self, z: usize, energy: f64) -> f64 {
        self.ranges(z).range.at(energy)
    }

    /// Energy in MeV/n of the ion of charge `z` whose range is `range` g/cm².
    pub fn energy(self, z: usize, range: f64) -> f64 {
        self.ranges(z).energy.at(range)
    }

    /// Mass stopping power in MeV cm²/g of the ion of charge `z` at `energy` MeV/n.
    ///
    /// Protons: the inverse slope of their range. Ions: that of a proton of the same velocity
    /// times the square of the ratio of their effective charges, Z (1 − exp(−125 β Z^−⅔)) (Barkas
    /// 1963, Nuclear Research Emulsions, page 371).
    pub fn stopping(self, z: usize, energy: f64) -> f64 {
        let proton = 1.0 / self.table().protons.range.slope(energy);
        if z == 1 { proton } else { proton * effective_charge(z, energy).powi(2) }
    }

    /// The energy in MeV/n at which an ion enters a path of `path` g/cm² that it leaves with
    /// `energy`: the energy of the range R(E) + path.
    pub fn before(self, z: usize, energy: f64, path: f64) -> f64 {
        if path <= 0.0 { energy } else { self.energy(z, self.range(z, energy) + path) }
    }

    /// The energy in MeV/n that an ion of `energy` has left behind a path of `path` g/cm²; 0 where
    /// it stops.
    pub fn behind(self, z: usize, energy: f64, path: f64) -> f64 {
        let left = self.range(z, energy) - path;
        if left > 0.0 { self.energy(z, left) } else { 0.0 }
    }
}

impl Material {
    /// Mass number of a nucleus.
    const fn nucleus(self) -> f64 {
        match self {
            Self::Aluminium => 26.98,
            Self::Silicon => 28.09,
        }
    }

    /// The mean way of a proton of `energy` MeV to its first inelastic collision with a nucleus,
    /// in g/cm²: A / (N σ) with σ = 45 A^0.7 (1 + 0.016 sin(5.3 − 2.63 ln A)) (1 − 0.62
    /// exp(−E / 200) sin(10.9 E^−0.28)) mb (Letaw, Silberberg and Tsao 1983, doi 10.1086/190849).
    pub fn collision_g_per_cm2(self, energy: f64) -> f64 {
        let a = self.nucleus();
        let high = 45.0 * a.powf(0.7) * (1.0 + 0.016 * (5.3 - 2.63 * a.ln()).sin());
        // The fit begins at 10 MeV; below, a proton stops long before it collides.
        let energy = energy.max(10.0);
        let low = 1.0 - 0.62 * (-energy / 200.0).exp() * (10.9 * energy.powf(-0.28)).sin();
        a / (AVOGADRO_PER_MB * high * low)
    }
}

/// Nuclei in a gram of mass number 1, times a millibarn in cm².
const AVOGADRO_PER_MB: f64 = 6.022_140_76e-4;

/// Σ over the way of a proton of dx / λ, from rest up to each energy of a grid: what two energies
/// differ by is the mean number of inelastic collisions while slowing down from one to the other
/// in aluminium.
static COLLISIONS: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
    let energy = |k: u32| 10_f64.powf(f64::from(k) / 100.0);
    let mut sum = 0.0;
    let mut points = vec![(energy(0), sum)];
    for k in 1..=600 {
        let (low, high) = (energy(k - 1), energy(k));
        let range = |energy| Material::Aluminium.range(1, energy);
        let middle = (low * high).sqrt();
        sum += (range(high) - range(low)) / Material::Aluminium.collision_g_per_cm2(middle);
        points.push((high, sum));
    }
    points
});

fn collisions(energy: f64) -> f64 {
    let points = &*COLLISIONS;
    let next = points.partition_point(|(at, _)| *at <= energy).clamp(1, points.len() - 1);
    let ((low, a), (high, b)) = (points[next - 1], points[next]);
    a + (b - a) * ((energy - low) / (high - low)).clamp(0.0, 1.0)
}

/// The share of the ions of charge `z` that slow down from `before` to `behind`, in MeV/n, in
/// aluminium without an inelastic collision with a nucleus: exp(−∫ dx / λ) for protons.
///
/// Heavier ions are not taken away: their fragments go on with nearly their LET per charge, and
/// leaving both out would be too low.
pub fn survival(z: usize, before: f64, behind: f64) -> f64 {
    if z == 1 { (collisions(behind) - collisions(before)).min(0.0).exp() } else { 1.0 }
}

/// The share of a proton's energy that the charged fragments of an inelastic collision carry:
/// protons 0.57, deuterons 0.016, tritons 0.002, ³He 0.002, alphas 0.029 and recoils 0.016, of 150
/// MeV on oxygen (Seltzer 1993, NISTIR 5221; ICRU Report 63, 2000). It counts where the collision
/// is, as in SHIELDOSE-2, whose doses at a surface mean 0.58 (50 MeV) to 0.67 (500 MeV).
const CHARGED_SHARE: f64 = 0.635;

/// What a proton of `energy` MeV leaves in thin silicon, in MeV cm²/g: its stopping power, and what
/// the charged fragments of its inelastic collisions carry.
pub fn deposit_in_silicon(energy: f64) -> f64 {
    Material::Silicon.stopping(1, energy)
        + CHARGED_SHARE * energy / Material::Silicon.collision_g_per_cm2(energy)
}

/// LET in silicon, in MeV cm²/mg.
pub fn let_in_silicon(z: usize, energy: f64) -> f64 {
    1e-3 * Material::Silicon.stopping(z, energy)
}

fn beta(energy: f64) -> f64 {
    let gamma = 1.0 + energy / NUCLEON_MEV;
    (1.0 - 1.0 / (gamma * gamma)).sqrt()
}

/// The effective charge over that of a proton of the same velocity.
fn effective_charge(z: usize, energy: f64) -> f64 {
    let bare = |charge: f64| 1.0 - (-125.0 * beta(energy) * charge.powf(-2.0 / 3.0)).exp();
    let charge = z as f64;
    charge * bare(charge) / bare(1.0)
}

impl Table {
    /// The column of NIST's ranges: 1 aluminium, 2 silicon.
    fn new(column: usize) -> Self {
        let text = include_str!("../../fault-models/environments/proton-range-al-si.csv");
        let numbers = |line: &str| -> Option<(f64, f64)> {
            let mut cells = line.split(',');
            let energy = cells.next()?.trim().parse().ok()?;
            Some((energy, cells.nth(column - 1)?.trim().parse().ok()?))
        };
        let mut points: Vec<(f64, f64)> = text.lines().filter_map(numbers).collect();
        let pstar = Curve::new(points.iter().copied()).expect("the embedded ranges increase");
        // Bethe's stopping power above PSTAR, made continuous: at these energies it rises with
        // ln(βγ)², the density effect taking half of the rise.
        let rise = |energy: f64| {
            let gamma = 1.0 + energy / NUCLEON_MEV;
            (1.0_f64 + (gamma * beta(energy)).ln()) / beta(energy).powi(2)
        };
        let top = 1.0 / pstar.slope(PSTAR_TOP_MEV * 0.999) / rise(PSTAR_TOP_MEV);
        let (mut energy, mut range) = (PSTAR_TOP_MEV, pstar.at(PSTAR_TOP_MEV));
        while energy < TOP_MEV {
            let next = energy * 1.15;
            range += (next - energy) / (top * rise(0.5 * (energy + next)));
            energy = next;
            points.push((energy, range));
        }
        let protons = Ranges::new(&points);
        let ions = (2..=CHARGES).map(|z| protons.of_ion(z, &points)).collect();
        Self { protons, ions }
    }
}

impl Ranges {
    fn new(points: &[(f64, f64)]) -> Self {
        let range = Curve::new(points.iter().copied()).expect("ranges increase with energy");
        let energy = Curve::new(points.iter().map(|(energy, range)| (*range, *energy)));
        Self { range, energy: energy.expect("energies increase with range") }
    }

    /// The ranges of an ion from those of protons: dR = A dR / Zeff², on the same energies.
    fn of_ion(&self, z: usize, protons: &[(f64, f64)]) -> Self {
        let per_proton = |energy: f64| mass_number(z) / effective_charge(z, energy).powi(2);
        let mut points = Vec::with_capacity(protons.len());
        let (mut last, mut sum) = (0.0, 0.0);
        for (energy, range) in protons {
            if points.is_empty() {
                sum = per_proton(*energy) * range;
            } else {
                let middle = (last * energy).sqrt();
                let half = self.range.at(middle);
                sum += per_proton((last * middle).sqrt()) * (half - self.range.at(last));
                sum += per_proton((middle * energy).sqrt()) * (range - half);
            }
            last = *energy;
            points.push((*energy, sum));
        }
        Self::new(&points)
    }
}
