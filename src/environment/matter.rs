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

/// The mean way of a proton in aluminium to its first inelastic nuclear collision, in g/cm²
/// (Particle Data Group 2024, doi 10.1103/PhysRevD.110.030001, atomic and nuclear properties).
const COLLISION_G_PER_CM2: f64 = 107.2;

/// The share of the ions of charge `z` that cross `path` g/cm² of aluminium without an inelastic
/// nuclear collision: exp(−path / 107.2) for protons.
///
/// Heavier ions are not taken away: their fragments go on with nearly their LET per charge, and
/// leaving both out would be too low.
pub fn survival(z: usize, path: f64) -> f64 {
    if z == 1 { (-path / COLLISION_G_PER_CM2).exp() } else { 1.0 }
}

/// The share of a proton's energy that an inelastic collision leaves on the spot, as recoils,
/// alphas and other slow fragments; assumed, a tenth being usual for light nuclei (after ICRU
/// Report 63, 2000). `docs/validation.md` has what it gives against SHIELDOSE-2.
const LOCAL_SHARE: f64 = 0.1;

/// The mean way of a proton in silicon to its first inelastic collision, in g/cm² (Particle Data
/// Group 2024).
const SILICON_COLLISION_G_PER_CM2: f64 = 108.4;

/// What a proton of `energy` MeV leaves in thin silicon, in MeV cm²/g: its stopping power, and what
/// its inelastic collisions leave on the spot.
pub fn deposit_in_silicon(energy: f64) -> f64 {
    Material::Silicon.stopping(1, energy) + LOCAL_SHARE * energy / SILICON_COLLISION_G_PER_CM2
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
