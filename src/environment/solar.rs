//! Solar particle events: the October 1989 event as CREME96 tabulates it.
//!
//! The tables are the worst day, an average over 18 hours, outside the magnetosphere at 1 AU
//! (Tylka et al. 1997, doi 10.1109/23.659030; as printed by SPENVIS 4.6.13). Where they come from
//! and how the ions were brought to 1 AU is in `fault-models/environments/README.md`. Energies are
//! in MeV/n, fluxes per m², sr and s, as for cosmic rays.

use crate::units::DAY_S;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const PROTONS: &str =
    include_str!("../../fault-models/environments/october-1989-worst-day-protons.csv");
const IONS: &str = include_str!("../../fault-models/environments/october-1989-worst-day.csv");

/// Elements that a column of the ion table may be named after, with their charge.
const ELEMENTS: [(&str, usize); 14] = [
    ("He", 2),
    ("C", 6),
    ("N", 7),
    ("O", 8),
    ("Ne", 10),
    ("Na", 11),
    ("Mg", 12),
    ("Al", 13),
    ("Si", 14),
    ("S", 16),
    ("Ca", 20),
    ("Cr", 24),
    ("Fe", 26),
    ("Ni", 28),
];

/// Lowest energy of the tables, in MeV/n. Below it there is no flux here.
pub const MIN_ENERGY_MEV_N: f64 = 0.1;

/// Highest energy of the spectra, in MeV/n: the tables end at 500, and the slope of their last
/// interval is carried on to here. Above it there is no flux here.
pub const MAX_ENERGY_MEV_N: f64 = 3000.0;

/// Hours over which CREME96 averages its worst day (Tylka et al. 1997).
pub const WORST_DAY_HOURS: f64 = 18.0;

/// Mean flux of the worst week over that of the worst day. **Assumed**, no table being at hand.
///
/// The week holds the worst day, so the factor is at least 18 h over 7 days, 0.11, and it is at
/// most 1. One fifth says that the rest of the week brings about as many particles again. Whoever
/// has a better figure multiplies [`flux`] by it.
pub const WORST_WEEK_SCALE: f64 = 0.2;

/// Which solar particle event the mission meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// A quiet Sun.
    #[default]
    None,
    /// The worst day of October 1989.
    WorstDay,
    /// The worst week of October 1989, as the spectrum of its worst day scaled by
    /// [`WORST_WEEK_SCALE`].
    WorstWeek,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::WorstDay, Self::WorstWeek];

    /// The name used in TOML, HDF5, reports and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::WorstDay => "worst-day",
            Self::WorstWeek => "worst-week",
        }
    }

    /// One line for people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::None => "no solar particle event",
            Self::WorstDay => "CREME96 worst day, October 1989, 18 h",
            Self::WorstWeek => "CREME96 worst day times 0.2 (assumed) for 7 days, October 1989",
        }
    }

    /// Factor on [`flux`] and [`proton_integral`], without unit.
    pub const fn scale(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::WorstDay => 1.0,
            Self::WorstWeek => WORST_WEEK_SCALE,
        }
    }

    /// How long the scaled flux lasts, in s: the time that it is a mean over.
    pub const fn duration_s(self) -> Option<f64> {
        match self {
            Self::None => None,
            Self::WorstDay => Some(WORST_DAY_HOURS * 3600.0),
            Self::WorstWeek => Some(7.0 * DAY_S),
        }
    }
}

/// Differential flux of ions of charge `z` at 1 AU on the worst day, in m⁻² sr⁻¹ s⁻¹ (MeV/n)⁻¹,
/// at an energy in MeV/n.
///
/// Interpolated in the logarithms of both; from 500 MeV/n on to [`MAX_ENERGY_MEV_N`] a power law
/// with the slope of the last interval, which is how the integral column of the proton table ends
/// too. 0 outside, and for a charge without data.
pub fn flux(z: usize, energy_mev_n: f64) -> f64 {
    EVENT.flux(z, energy_mev_n)
}

/// Flux of protons above an energy in MeV/n at 1 AU on the worst day, in m⁻² sr⁻¹ s⁻¹: the integral
/// column of the table, interpolated and carried on like [`flux`]. Below [`MIN_ENERGY_MEV_N`] it
/// stays at its value there, as no more protons come in.
pub fn proton_integral(energy_mev: f64) -> f64 {
    EVENT.proton_integral(energy_mev)
}

/// Charges that have a spectrum, ascending.
pub fn charges() -> impl Iterator<Item = usize> {
    EVENT.differential.keys().copied()
}

/// A tabulated solar particle event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Differential flux by charge, in m⁻² sr⁻¹ s⁻¹ (MeV/n)⁻¹.
    differential: BTreeMap<usize, Curve>,
    /// Integral flux of protons, in m⁻² sr⁻¹ s⁻¹.
    protons_above: Curve,
}

static EVENT: LazyLock<Event> =
    LazyLock::new(|| Event::parse(PROTONS, IONS).expect("the built-in tables are whole"));

impl Event {
    /// Differential flux of charge `z`; see [`flux`] for units and range.
    pub fn flux(&self, z: usize, energy_mev_n: f64) -> f64 {
        self.differential.get(&z).map_or(0.0, |curve| curve.at(energy_mev_n))
    }

    /// Flux of protons above an energy; see [`proton_integral`] for units and range.
    pub fn proton_integral(&self, energy_mev: f64) -> f64 {
        self.protons_above.at(energy_mev.max(MIN_ENERGY_MEV_N))
    }

    fn parse(protons: &str, ions: &str) -> Option<Self> {
        let mut protons = columns(protons)?;
        let protons_above = protons.remove("integral")?;
        let mut differential = BTreeMap::from([(1, protons.remove("differential")?)]);
        for (name, curve) in columns(ions)? {
            let (_, z) = ELEMENTS.iter().find(|(element, _)| *element == name)?;
            differential.insert(*z, curve);
        }
        Some(Self { differential, protons_above })
    }
}

/// The columns of a table by name, each against the first. `None` where a field is no number
/// above 0, a line is short, the energies do not ascend or there are fewer than two.
fn columns(text: &str) -> Option<BTreeMap<String, Curve>> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().ok()?.iter().map(str::to_owned).collect();
    let mut points = vec![Vec::new(); names.len()];
    for row in reader.records() {
        for (column, field) in points.iter_mut().zip(&row.ok()?) {
            column.push(field.parse().ok().filter(|x: &f64| *x > 0.0 && x.is_finite())?.ln());
        }
    }
    let mut points = points.into_iter();
    let energies = points.next()?;
    if energies.len() < 2 || !energies.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let curves = points.map(|flux| Curve { points: energies.iter().copied().zip(flux).collect() });
    Some(names.into_iter().skip(1).zip(curves).collect())
}

/// A spectrum that is a power law between neighbouring points.
#[derive(Clone, Debug)]
struct Curve {
    /// Natural logarithms of energy in MeV/n and flux, two or more, energies ascending.
    points: Vec<(f64, f64)>,
}

impl Curve {
    fn at(&self, energy_mev_n: f64) -> f64 {
        if !(MIN_ENERGY_MEV_N..=MAX_ENERGY_MEV_N).contains(&energy_mev_n) {
            return 0.0;
        }
        let x = energy_mev_n.ln();
        let above = self.points.partition_point(|(energy, _)| *energy < x);
        let above = above.clamp(1, self.points.len() - 1);
        let ((x0, y0), (x1, y1)) = (self.points[above - 1], self.points[above]);
        ((x - x0) / (x1 - x0)).mul_add(y1 - y0, y0).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Midpoint rule over the logarithm of the energy, 400 steps an e-fold.
    fn integral(z: usize, from_mev_n: f64) -> f64 {
        let step = 1.0 / 400.0;
        (0..)
            .map(|i| from_mev_n * ((f64::from(i) + 0.5) * step).exp())
            .take_while(|energy| *energy < MAX_ENERGY_MEV_N)
            .map(|energy| flux(z, energy) * energy * step)
            .sum()
    }

    fn off(value: f64, expected: f64) -> f64 {
        (value / expected - 1.0).abs()
    }

    #[test]
    fn protons_integrate_to_the_published_column() {
        let published = [
            (1.0, 7.107e8),
            (10.0, 1.134e8),
            (30.0, 2.1e7),
            (50.0, 7.549e6),
            (100.0, 1.450e6),
            (200.0, 2.284e5),
            (500.0, 1.498e4),
        ];
        for (energy, expected) in published {
            let (sum, column) = (integral(1, energy), proton_integral(energy));
            assert!(off(column, expected) < 0.01, "> {energy} MeV: column {column:e}");
            assert!(off(sum, expected) < 0.02, "> {energy} MeV: sum {sum:e}, not {expected:e}");
        }
    }

    #[test]
    fn ions_integrate_to_the_table_at_the_spacecraft() {
        // Above 10 MeV/n behind an orbit-averaged attenuation of 0.903 to 0.966.
        let at_spacecraft = [
            (2, 1.103e6),
            (6, 1.058e4),
            (7, 2.712e3),
            (8, 2.249e4),
            (10, 2.20e3),
            (12, 2.13e3),
            (14, 3.71e3),
            (16, 1.008e3),
            (20, 1.085e3),
            (26, 1.0333e4),
            (28, 328.0),
        ];
        for (z, behind) in at_spacecraft {
            let (sum, expected) = (integral(z, 10.0), behind / 0.903);
            assert!(off(sum, expected) < 0.02, "Z = {z}: {sum:e}, not {expected:e}");
        }
    }

    #[test]
    fn ions_at_1_au_are_the_power_laws_that_the_attenuation_hid() {
        for (z, slope) in [(2, 4.14), (6, 4.14), (8, 4.14), (20, 4.14), (14, 4.53), (26, 4.53)] {
            for pair in [32.0, 63.0, 100.0, 200.0, 500.0].windows(2) {
                let found = (flux(z, pair[0]) / flux(z, pair[1])).ln() / (pair[1] / pair[0]).ln();
                assert!((found - slope).abs() < 0.015, "Z = {z} from {}: {found}", pair[0]);
            }
        }
    }

    #[test]
    fn spectra_fall_with_energy_and_end_at_the_limits() {
        for z in charges() {
            let energies = (0..400).map(|i| MIN_ENERGY_MEV_N * (f64::from(i) * 0.025).exp());
            let fluxes: Vec<f64> = energies.map(|energy| flux(z, energy)).collect();
            assert!(fluxes.is_sorted_by(|a, b| a > b || *b == 0.0), "Z = {z}");
            assert!(flux(z, MIN_ENERGY_MEV_N) > 0.0 && flux(z, MAX_ENERGY_MEV_N) > 0.0);
            for outside in [-1.0, 0.0, 0.099, 3000.1, f64::INFINITY, f64::NAN] {
                assert_eq!(flux(z, outside), 0.0, "Z = {z} at {outside}");
            }
        }
        assert_eq!(proton_integral(0.0), proton_integral(MIN_ENERGY_MEV_N));
        assert_eq!(proton_integral(5000.0), 0.0);
    }

    #[test]
    fn tables_are_read_as_they_stand() {
        assert_eq!(charges().count(), 1 + ELEMENTS.len());
        assert!(off(flux(1, 0.1), 3.834e9) < 1e-12 && off(flux(1, 500.0), 92.9) < 1e-12);
        assert!(off(proton_integral(100.0), 1.45e6) < 1e-12);
        assert!(off(flux(26, 10.0), 1860.1 / 0.903) < 1e-4, "Fe at 10 MeV/n");
        assert_eq!(EVENT.differential[&8].points.len(), 28);
        assert_eq!(EVENT.protons_above.points.len(), 75);
        for absent in [0, 3, 5, 9, 27, 29, usize::MAX] {
            assert_eq!(flux(absent, 10.0), 0.0);
        }
    }

    #[test]
    fn broken_tables_are_refused() {
        let good = "# note\nE,integral,differential\n1,4,2\n2,2,1\n";
        assert!(Event::parse(good, "E,He\n1,2\n2,1\n").is_some());
        for bad in [
            "E,He\n1,2\n",
            "E,He\n2,2\n1,1\n",
            "E,He\n1,0\n2,1\n",
            "E,He\n1\n2,1\n",
            "E,Xx\n1,2\n2,1\n",
        ] {
            assert!(Event::parse(good, bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn scenarios_keep_their_names_and_bounds() {
        for scenario in Scenario::ALL {
            let json = serde_json::to_string(&scenario).expect("a name");
            assert_eq!(json, format!("\"{}\"", scenario.name()));
            assert_eq!(serde_json::from_str::<Scenario>(&json).expect("a scenario"), scenario);
        }
        let fluence = |s: Scenario| s.scale() * s.duration_s().unwrap_or(0.0);
        assert_eq!(fluence(Scenario::None), 0.0);
        assert_eq!(fluence(Scenario::WorstDay), 64_800.0);
        assert!(
            fluence(Scenario::WorstWeek) > fluence(Scenario::WorstDay),
            "the week holds the day"
        );
        assert!(Scenario::WorstWeek.describe().contains(&WORST_WEEK_SCALE.to_string()));
    }
}
