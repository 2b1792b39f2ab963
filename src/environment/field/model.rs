//! Published coefficients of the Earth's field.
//!
//! Each model gives its coefficients at a date as Schmidt-normalised values in nT for the
//! potential V = a Σ (a/r)^(n+1) (g cos mφ + h sin mφ) P with a = 6371.2 km.

use std::sync::LazyLock;

/// One coefficient of a field: g of order m, or h of order m where `is_sine`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Coefficient {
    /// n, from 1.
    pub(super) degree: usize,
    /// m, 0 to n.
    pub(super) order: usize,
    /// Whether it belongs to sin mφ.
    pub(super) is_sine: bool,
    /// Its value in nT.
    pub(super) value_nt: f64,
}

/// Rows of numbers in the embedded text of a model; lines that begin with `#` are comments.
fn rows(text: &str) -> impl Iterator<Item = Vec<f64>> {
    let numbers = |line: &str| -> Vec<f64> {
        line.split_whitespace()
            .map(|word| word.parse().expect("the embedded field holds numbers"))
            .collect()
    };
    text.lines().filter(|line| !line.starts_with('#')).map(numbers)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small degree")]
const fn index(value: f64) -> usize {
    value as usize
}

/// The IGRF as published: columns of years, rows (n, m) with m below 0 for sines.
struct Igrf {
    years: Vec<f64>,
    rows: Vec<Vec<f64>>,
}

/// IGRF-14 (IAGA 2024, doi 10.5281/zenodo.14012302), in the SHC text format.
static IGRF: LazyLock<Igrf> = LazyLock::new(|| {
    let mut rows = rows(include_str!("../../../fault-models/environments/igrf14.shc")).skip(1);
    Igrf { years: rows.next().unwrap_or_default(), rows: rows.collect() }
});

/// The IGRF at a decimal year, linear between its five-year tables; outside them the nearest two
/// are extended.
pub(super) fn igrf(year: f64) -> Vec<Coefficient> {
    let Igrf { years, rows } = &*IGRF;
    let after = years.iter().position(|y| *y > year).unwrap_or(years.len() - 1).max(1);
    let share = (year - years[after - 1]) / (years[after] - years[after - 1]);
    let coefficient = |row: &Vec<f64>| {
        let (before, next) = (row[after + 1], row[after + 2]);
        Coefficient {
            degree: index(row[0]),
            order: index(row[1].abs()),
            is_sine: row[1] < 0.0,
            value_nt: before + share * (next - before),
        }
    };
    rows.iter().map(coefficient).collect()
}

/// Jensen and Cain's field of 1960 (1962, J. Geophys. Res. 67:3568), which AP8MIN was made with.
///
/// Published in Gauss's normalisation and for the potential of opposite sign; S = (2n − 1)!! /
/// (n − m)! × √((2 − δ) (n − m)! / (n + m)!) is Schmidt's polynomial over Gauss's.
pub(super) fn jensen_cain_1960() -> Vec<Coefficient> {
    let text = include_str!("../../../fault-models/environments/jensen-cain-1960.txt");
    pairs(text, |row| {
        let (n, m) = (index(row[0]), index(row[1]));
        let odd: f64 = (1..=n).map(|k| (2 * k - 1) as f64).product();
        let below: f64 = (1..=n - m).map(|k| k as f64).product();
        let gauss = -below / (odd * schmidt(n, m));
        [gauss * row[2], gauss * row[3]]
    })
}

/// GSFC 12/66 at a decimal year (Cain et al. 1967, J. Geomagn. Geoelectr. 19:335), which AP8MAX
/// was made with: quadratic in the years since 1960.
pub(super) fn gsfc_12_66(year: f64) -> Vec<Coefficient> {
    let text = include_str!("../../../fault-models/environments/gsfc-12-66.txt");
    let t = year - 1960.0;
    pairs(text, |row| [2, 3].map(|k| row[k] + t * (row[k + 2] + t * row[k + 4])))
}

/// The coefficients of rows that hold g and h of one degree and order.
fn pairs(text: &str, values: impl Fn(&[f64]) -> [f64; 2]) -> Vec<Coefficient> {
    let mut coefficients = Vec::new();
    for row in rows(text) {
        for (is_sine, value_nt) in [false, true].into_iter().zip(values(&row)) {
            let (degree, order) = (index(row[0]), index(row[1]));
            coefficients.push(Coefficient { degree, order, is_sine, value_nt });
        }
    }
    coefficients
}

/// Schmidt's factor √((2 − δ) (n − m)! / (n + m)!).
pub(super) fn schmidt(n: usize, m: usize) -> f64 {
    let mut factor = if m == 0 { 1.0 } else { 2.0 };
    for k in (n - m + 1)..=(n + m) {
        factor /= k as f64;
    }
    factor.sqrt()
}
