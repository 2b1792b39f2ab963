//! What protons do: the cross-section by energy.

use super::figure::{At, Figure, FigureTable, Level};
use super::limits::{self, Range};
use super::weibull;
use crate::place::Error;
use schemars::JsonSchema;
use serde::Deserialize;

/// The unit of Bendel and Petersen's curves, in cm² per bit.
const BENDEL_CM2: f64 = 1e-12;
/// The second parameter that the curve of one parameter implies, in MeV.
const BENDEL_1_B_MEV: f64 = 24.0;

/// The form of a cross-section's curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProtonForm {
    /// A Weibull curve, by its saturation or through a measured point.
    Weibull,
    /// Bendel and Petersen's curve of one parameter.
    #[serde(rename = "bendel-1")]
    Bendel1,
    /// The curve of two parameters, or with a saturation in place of the second (Shimano).
    #[serde(rename = "bendel-2")]
    Bendel2,
}

impl ProtonForm {
    /// The name used in TOML and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weibull => "weibull",
            Self::Bendel1 => "bendel-1",
            Self::Bendel2 => "bendel-2",
        }
    }

    /// The sets of figures that describe a curve of this form.
    const fn sets(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Weibull => &[
                &["saturation_cm2", "onset_mev", "width_mev", "exponent"],
                &["anchor_mev", "anchor_cm2", "onset_mev", "width_mev", "exponent"],
            ],
            Self::Bendel1 => &[&["a_mev"]],
            Self::Bendel2 => &[&["a_mev", "b_mev"], &["a_mev", "saturation_cm2"]],
        }
    }
}

/// The proton term of a mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Proton {
    /// The form of its curve.
    pub form: ProtonForm,
    /// Its figures by their keys, units included.
    pub figures: Vec<(&'static str, Figure)>,
    curves: [Curve; 3],
}

/// A curve with numbers for everything.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Curve {
    Weibull { limit_cm2: f64, onset: f64, width: f64, exponent: f64 },
    Bendel { limit_cm2: f64, a: f64 },
}

impl Curve {
    /// The cross-section that the curve tends to.
    const fn limit_cm2(self) -> f64 {
        match self {
            Self::Weibull { limit_cm2, .. } | Self::Bendel { limit_cm2, .. } => limit_cm2,
        }
    }
}

impl Proton {
    /// The cross-section that the curve tends to, in cm².
    pub(super) const fn limit_cm2(&self, level: Level) -> f64 {
        self.curves[level.index()].limit_cm2()
    }

    /// The cross-section in cm² at an energy in MeV, before any derating.
    ///
    /// Weibull: `σ = S (1 − exp(−((E − E0)/W)^s))` above E0. Bendel (Bendel and Petersen 1983,
    /// IEEE Trans. Nucl. Sci. 30:4481; with two parameters Stapor et al. 1990, the same 37:1966):
    /// `σ = L (1 − exp(−0.18 √Y))⁴` with `Y = (E − A) √(18/A)`, above A;
    /// L is `(B/A)¹⁴ · 10⁻¹² cm²` per bit, where B is 24 MeV in the form of one parameter, or a
    /// measured saturation.
    pub(super) fn cm2(&self, energy_mev: f64, level: Level) -> f64 {
        match self.curves[level.index()] {
            Curve::Weibull { limit_cm2, onset, width, exponent } => {
                limit_cm2 * weibull(energy_mev, onset, width, exponent)
            }
            Curve::Bendel { limit_cm2, a } => {
                let y = (energy_mev - a) * (18.0 / a).sqrt();
                let rise = if y > 0.0 { -(-0.18 * y.sqrt()).exp_m1() } else { 0.0 };
                limit_cm2 * rise.powi(4)
            }
        }
    }
}

/// A proton term as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProtonTable {
    form: ProtonForm,
    saturation_cm2: Option<FigureTable>,
    anchor_mev: Option<FigureTable>,
    anchor_cm2: Option<FigureTable>,
    onset_mev: Option<FigureTable>,
    width_mev: Option<FigureTable>,
    exponent: Option<FigureTable>,
    a_mev: Option<FigureTable>,
    b_mev: Option<FigureTable>,
}

impl ProtonTable {
    /// The term, if its figures are those of its form.
    pub(super) fn read(&self, per_bit: bool, at: &At) -> Result<Proton, Error> {
        let tables = [
            ("saturation_cm2", &self.saturation_cm2, Range::cm2(per_bit)),
            ("anchor_mev", &self.anchor_mev, limits::ENERGY_MEV),
            ("anchor_cm2", &self.anchor_cm2, Range::cm2(per_bit)),
            ("onset_mev", &self.onset_mev, limits::ONSET_MEV),
            ("width_mev", &self.width_mev, limits::WIDTH_MEV),
            ("exponent", &self.exponent, limits::EXPONENT),
            ("a_mev", &self.a_mev, limits::ENERGY_MEV),
            ("b_mev", &self.b_mev, limits::ENERGY_MEV),
        ];
        let figures = read_figures(&tables, at)?;
        let given: Vec<&str> = figures.iter().map(|(key, _)| *key).collect();
        check_set(self.form.name(), self.form.sets(), &given, at)?;
        if self.form != ProtonForm::Weibull && !given.contains(&"saturation_cm2") && !per_bit {
            let found = format!("form = \"{}\" of a mode per device", self.form.name());
            let expected = "per = \"stored-bit\" or \"data-bit\", as this curve is in cm² per bit, or \
                            `saturation_cm2`";
            return Err(at.key("form").value(expected, found));
        }
        let mut curves = Level::ALL.map(|level| curve(self.form, &figures, level));
        for (level, curve) in Level::ALL.into_iter().zip(&mut curves) {
            normalise(curve, &figures, level, at)?;
        }
        let [low, nominal, high] = curves.map(Curve::limit_cm2);
        let limit = [low, nominal, high].into_iter().fold(0.0, f64::max);
        if let Some(expected) = Range::cm2(per_bit).expected(limit) {
            let expected = format!("figures whose curve tends to {expected}");
            return Err(at.value(expected, format!("{limit:e} cm²")));
        }
        if self.form != ProtonForm::Weibull && !(low <= nominal && nominal <= high) {
            let found = format!("limits of {low:e}, {nominal:e}, {high:e} cm²");
            return Err(at.key("a_mev").value("low ≤ nominal ≤ high of the cross-section", found));
        }
        Ok(Proton { form: self.form, figures, curves })
    }
}

/// The curve of a level; one through an anchor has a limit of 1.
fn curve(form: ProtonForm, figures: &[(&'static str, Figure)], level: Level) -> Curve {
    let get = |key| value(figures, key, level);
    let or_zero = |key| get(key).unwrap_or(0.0);
    if form == ProtonForm::Weibull {
        return Curve::Weibull {
            limit_cm2: get("saturation_cm2").unwrap_or(1.0),
            onset: or_zero("onset_mev"),
            width: or_zero("width_mev"),
            exponent: or_zero("exponent"),
        };
    }
    let a = or_zero("a_mev");
    let b = get("b_mev").unwrap_or(BENDEL_1_B_MEV);
    let limit_cm2 = get("saturation_cm2").unwrap_or_else(|| (b / a).powi(14) * BENDEL_CM2);
    Curve::Bendel { limit_cm2, a }
}

/// Makes a curve pass through its anchor, where it has one.
fn normalise(
    curve: &mut Curve,
    figures: &[(&'static str, Figure)],
    level: Level,
    at: &At,
) -> Result<(), Error> {
    let get = |key| value(figures, key, level);
    let Curve::Weibull { limit_cm2, onset, width, exponent } = curve else { return Ok(()) };
    let (Some(mev), Some(cm2)) = (get("anchor_mev"), get("anchor_cm2")) else { return Ok(()) };
    *limit_cm2 = cm2 / weibull(mev, *onset, *width, *exponent);
    if limit_cm2.is_finite() {
        return Ok(());
    }
    let found = format!("{mev} MeV with an onset of {onset} MeV");
    Err(at.key("anchor_mev").value("an energy above the onset", found))
}

/// The value of a figure at a level.
pub(super) fn value(figures: &[(&'static str, Figure)], key: &str, level: Level) -> Option<f64> {
    figures.iter().find(|(name, _)| *name == key).map(|(_, figure)| figure.at(level))
}

/// The figures that are there, each checked.
pub(super) fn read_figures(
    tables: &[(&'static str, &Option<FigureTable>, Range)],
    at: &At,
) -> Result<Vec<(&'static str, Figure)>, Error> {
    let given = tables.iter().filter_map(|(key, table, range)| Some((key, table.as_ref()?, range)));
    given.map(|(key, table, range)| Ok((*key, table.read(&at.key(key), *range)?))).collect()
}

/// Refuses figures that are not one of the sets which describe the form.
pub(super) fn check_set(
    form: &str,
    sets: &[&[&str]],
    given: &[&str],
    at: &At,
) -> Result<(), Error> {
    if sets.iter().any(|set| set.len() == given.len() && given.iter().all(|key| set.contains(key)))
    {
        return Ok(());
    }
    let sets: Vec<String> = sets.iter().map(|set| set.join(", ")).collect();
    let expected = format!("form = \"{form}\" with {}", sets.join(", or with "));
    let found = if given.is_empty() { "no figures".into() } else { given.join(", ") };
    Err(at.value(expected, found))
}
