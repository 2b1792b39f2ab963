//! Galactic cosmic rays: spectra at 1 AU and their modulation by the Sun.
//!
//! The model is Matthiä et al. 2013 (doi 10.1016/j.asr.2012.09.022), for Z = 1 to 28.

use std::f64::consts::PI;

/// The heaviest ion of the model: nickel.
pub const CHARGES: usize = 28;
/// The lowest energy of the model, in MeV/n; below it fluxes are extrapolated.
pub const LEAST_MEV_N: f64 = 10.0;
/// The modulation parameter W at solar minimum.
pub const W_MIN: f64 = 0.0;
/// The modulation parameter W at solar maximum: a round value within its range of 0 to 200.
pub const W_MAX: f64 = 150.0;
/// A nucleus of the model: mass number, and the parameters C, γ and α of its spectrum.
struct Nucleus {
    a: f64,
    c: f64,
    gamma: f64,
    alpha: f64,
}

const fn nucleus(a: f64, c: f64, gamma: f64, alpha: f64) -> Nucleus {
    Nucleus { a, c, gamma, alpha }
}

/// Table 1 of Matthiä et al. 2013, by charge.
#[expect(clippy::approx_constant, reason = "sodium's exponent is not π")]
const NUCLEI: [Nucleus; CHARGES] = [
    nucleus(1.0, 18_500.0, 2.74, 2.85),
    nucleus(4.0, 3_690.0, 2.77, 3.12),
    nucleus(6.9, 19.5, 2.82, 3.41),
    nucleus(9.0, 17.7, 3.05, 4.3),
    nucleus(10.8, 49.2, 2.96, 3.93),
    nucleus(12.0, 103.0, 2.76, 3.18),
    nucleus(14.0, 36.7, 2.89, 3.77),
    nucleus(16.0, 87.4, 2.7, 3.11),
    nucleus(19.0, 3.19, 2.82, 4.05),
    nucleus(20.2, 16.4, 2.76, 3.11),
    nucleus(23.0, 4.43, 2.84, 3.14),
    nucleus(24.3, 19.3, 2.7, 3.65),
    nucleus(27.0, 4.17, 2.77, 3.46),
    nucleus(28.1, 13.4, 2.66, 3.0),
    nucleus(31.0, 1.15, 2.89, 4.04),
    nucleus(32.1, 3.06, 2.71, 3.3),
    nucleus(35.4, 1.3, 3.0, 4.4),
    nucleus(39.9, 2.33, 2.93, 4.33),
    nucleus(39.1, 1.87, 3.05, 4.49),
    nucleus(40.1, 2.17, 2.77, 2.93),
    nucleus(44.9, 0.74, 2.97, 3.78),
    nucleus(47.9, 2.63, 2.99, 3.79),
    nucleus(50.9, 1.23, 2.94, 3.5),
    nucleus(52.0, 2.12, 2.89, 3.28),
    nucleus(54.9, 1.14, 2.74, 3.29),
    nucleus(55.8, 9.32, 2.63, 3.01),
    nucleus(58.9, 0.1, 2.63, 4.25),
    nucleus(58.7, 0.48, 2.63, 3.52),
];

/// Mass number of the element of charge `z`, 1 to 28, as the model has it.
pub const fn mass_number(z: usize) -> f64 {
    NUCLEI[z - 1].a
}

/// Rest energy of a nucleon in GeV, as the model has it.
const fn rest_gev(z: usize) -> f64 {
    if z == 1 { 0.938 } else { 0.939 }
}

/// Rigidity in GV of a fully stripped ion of `energy` MeV/n: (A/Z) √(E (E + 2 m)).
pub fn rigidity_gv(z: usize, energy: f64) -> f64 {
    let x = energy / 1000.0;
    mass_number(z) / z as f64 * (x * (x + 2.0 * rest_gev(z))).sqrt()
}

/// Differential flux at 1 AU in m⁻² sr⁻¹ s⁻¹ (MeV/n)⁻¹ of the element of charge `z`, 1 to 28, at
/// `energy` MeV/n, with the modulation `w`, 0 (solar minimum) to about 150 (maximum).
///
/// φ(R) = C β^α R^−γ (R / (R + R0))^Δ with R0 = 0.37 + 3·10⁻⁴ W^1.45 and Δ = 4.7 + 0.02 W, and
/// j(E) = φ (A/Z) 10⁻³ / β (Matthiä et al. 2013, equations 2 to 6).
pub fn flux(z: usize, energy: f64, w: f64) -> f64 {
    let n = &NUCLEI[z - 1];
    let (x, m) = (energy / 1000.0, rest_gev(z));
    let momentum = (x * (x + 2.0 * m)).sqrt();
    let beta = momentum / (x + m);
    let r = n.a / z as f64 * momentum;
    let r0 = 0.37 + 3.0e-4 * w.powf(1.45);
    let delta = 4.7 + 0.02 * w;
    let phi = n.c * beta.powf(n.alpha) / r.powf(n.gamma) * (r / (r + r0)).powf(delta);
    phi * n.a / z as f64 * 1e-3 / beta
}

/// W from the count rate of the neutron monitor of Oulu, in counts a minute (Matthiä et al. 2013,
/// equation 8).
pub fn w_of_oulu(counts_per_minute: f64) -> f64 {
    (638.7 - 0.093 * counts_per_minute).clamp(0.0, 200.0)
}

/// The share of all directions that the Earth does not cover, at `radius_km` from its centre:
/// (1 + √(1 − (Re / r)²)) / 2.
pub fn open_sky(radius_km: f64) -> f64 {
    let sine = (crate::units::EARTH_RADIUS_KM / radius_km).min(1.0);
    0.5 * (1.0 + (1.0 - sine * sine).sqrt())
}

/// Omnidirectional flux in cm⁻² s⁻¹ (MeV/n)⁻¹ from a directional one in m⁻² sr⁻¹ s⁻¹ (MeV/n)⁻¹.
pub const OMNIDIRECTIONAL: f64 = 4.0 * PI * 1e-4;
