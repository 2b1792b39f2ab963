//! The sum of an orbit: the figures that are printed, and written as JSON under stable names.

use super::timeline::{Levels, ModeTimeline, SAA_PER_CM2_S, THRESHOLDS_MEV, Timeline};
use super::validity::DOSE_LABEL;
use crate::device::Per;
use crate::environment::cosmic::{self, LEAST_MEV_N};
use crate::environment::orbit::ALTITUDE_CONVENTION;
use crate::units::{DAY_S, YEAR_S};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Proton energies at which the transmission of cosmic rays is given, in MeV.
const TRANSMISSION_MEV: [f64; 5] = [100.0, 300.0, 1000.0, 3000.0, 10_000.0];
/// LETs above which the flux of ions behind the shield is given, in MeV cm²/mg.
const LETS: [f64; 5] = [0.1, 1.0, 3.0, 10.0, 26.0];
/// Hours of a billion, for FIT.
const FIT_HOURS: f64 = 1e9;

/// Figures by a threshold written as a number: `"10"`, `"30"`, …, in the order of the numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ByThreshold(pub Vec<(String, f64)>);

impl Serialize for ByThreshold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl ByThreshold {
    fn new(thresholds: &[f64], value: impl Fn(f64) -> f64) -> Self {
        Self(thresholds.iter().map(|at| (at.to_string(), value(*at))).collect())
    }

    /// The figure at a threshold.
    pub fn at(&self, threshold: &str) -> Option<f64> {
        self.0.iter().find(|(key, _)| key == threshold).map(|(_, value)| *value)
    }
}

/// A figure with the band of its cross-section.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Band {
    /// Low.
    pub low: f64,
    /// Nominal.
    pub nominal: f64,
    /// High.
    pub high: f64,
}

impl Band {
    fn new([low, nominal, high]: Levels) -> Self {
        Self { low, nominal, high }
    }

    /// The band times a factor.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, nominal: self.nominal * factor, high: self.high * factor }
    }

    /// The band from its lowest to its highest, over its lowest: 1 where there is none.
    pub fn width(&self) -> f64 {
        if self.low > 0.0 { self.high / self.low } else { f64::INFINITY }
    }
}

/// Where, when and behind what, as it was understood.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrbitSetting {
    /// The orbit in words.
    pub orbit: String,
    /// Where its figures come from.
    pub orbit_source: String,
    /// What altitudes are counted from.
    pub altitude_convention: &'static str,
    /// Lowest altitude; none in deep space.
    pub perigee_km: Option<f64>,
    /// Highest altitude; none in deep space.
    pub apogee_km: Option<f64>,
    /// Lowest altitude of the places of the track; none in deep space.
    pub track_lowest_km: Option<f64>,
    /// Highest altitude of the places of the track; none in deep space.
    pub track_highest_km: Option<f64>,
    /// Inclination; none in deep space.
    pub inclination_deg: Option<f64>,
    /// Period; none in deep space.
    pub period_min: Option<f64>,
    /// When the track begins.
    pub start: String,
    /// How long it is followed.
    pub days: f64,
    /// Days of a track whose mean stands for the orbit; none in deep space.
    pub days_of_a_mean: Option<f64>,
    /// Seconds between places.
    pub step_s: f64,
    /// Phase of the solar cycle, 0 minimum to 1 maximum.
    pub solar_phase: f64,
    /// What the phase means.
    pub solar_meaning: String,
    /// Modulation of cosmic rays.
    pub modulation_w: f64,
    /// Thickness of the shield.
    pub shielding_mm_al: f64,
    /// Its shape.
    pub shielding_geometry: &'static str,
    /// The solar particle event.
    pub event: &'static str,
    /// The factor on all that leaves.
    pub design_margin: f64,
}

/// Trapped protons, means over the orbit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrappedProtons {
    /// The model, and how it is read.
    pub model: String,
    /// Integral omnidirectional flux above each energy in MeV, before the shield.
    pub unshielded_per_cm2_s: ByThreshold,
    /// The same behind the shield.
    pub shielded_per_cm2_s: ByThreshold,
    /// The share of the time with more than 1 cm⁻² s⁻¹ above 10 MeV; none of a spectrum from a file,
    /// which is a mean.
    pub time_share_above_10_mev_1_per_cm2_s: Option<f64>,
    /// The highest flux above 10 MeV before the shield; none of a spectrum from a file.
    pub peak_above_10_mev_per_cm2_s: Option<f64>,
    /// That over the mean.
    pub peak_over_mean: Option<f64>,
}

/// Cosmic rays.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gcr {
    /// The model.
    pub model: String,
    /// Omnidirectional flux of all ions above 10 MeV/n on the orbit, before the shield.
    pub flux_above_10_mev_n_per_cm2_s: f64,
    /// Of these, protons.
    pub protons_above_10_mev_per_cm2_s: f64,
    /// The share of protons of an energy in MeV that reach the orbit from all directions: outside
    /// the Earth's shadow and above the geomagnetic cutoff.
    pub transmission: ByThreshold,
    /// The Earth's shadow: the mean share of directions that it covers.
    pub earth_shadow: f64,
    /// The lowest, mean and highest vertical cutoff.
    pub cutoff_gv: Cutoff,
    /// Integral omnidirectional flux of ions from helium on behind the shield, above a LET in
    /// silicon in MeV cm²/mg: cosmic rays and the solar event, or the spectrum from a file.
    pub let_above_per_cm2_s: ByThreshold,
}

/// Vertical geomagnetic cutoffs over the orbit, in GV.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cutoff {
    /// Lowest.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Highest.
    pub max: f64,
}

/// Dose of trapped protons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dose {
    /// rad(Si) a year of 365.25 days; none where it would mean nothing.
    pub trapped_proton_rad_per_year: Option<f64>,
    /// Over the years asked for.
    pub trapped_proton_rad: Option<f64>,
    /// What it is not.
    pub label: String,
    /// The geometry of the shield.
    pub geometry: &'static str,
    /// The material.
    pub material: &'static str,
}

/// The South Atlantic Anomaly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Saa {
    /// The trapped flux above 10 MeV, before the shield, from which a place counts as within.
    pub threshold_above_10_mev_per_cm2_s: f64,
    /// The share of the time within; none of a spectrum from a file.
    pub time_share: Option<f64>,
}

/// The rates of one mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModeRate {
    /// The mode.
    pub mode: String,
    /// What an event does.
    pub kind: &'static str,
    /// `bit` or `device`: what its cross-section is counted for.
    pub per: &'static str,
    /// Where the events were counted.
    pub observed_at: &'static str,
    /// Events a day of the device.
    #[serde(serialize_with = "three")]
    pub per_device_day: Option<Band>,
    /// Events a day of a bit; none where the device has no bits.
    #[serde(serialize_with = "three")]
    pub per_bit_day: Option<Band>,
    /// Flipped bits a day of a bit; none where an event flips none.
    #[serde(serialize_with = "three")]
    pub bit_flips_per_bit_day: Option<Band>,
    /// Events in 10⁹ hours of the device.
    #[serde(serialize_with = "three")]
    pub fit_per_device: Option<Band>,
    /// Mean rates by source, a device (or bit, where the device has no bits) and day.
    pub by_source_per_day: BTreeMap<&'static str, Band>,
    /// The share of events within the South Atlantic Anomaly, at the nominal cross-section.
    pub saa_share: Option<f64>,
    /// Of this, from trapped protons.
    pub saa_share_trapped: Option<f64>,
    /// Of this, from cosmic rays.
    pub saa_share_cosmic: Option<f64>,
    /// Of this, from the solar event.
    pub saa_share_solar: Option<f64>,
    /// The highest rate along the orbit over the mean, at the nominal cross-section.
    pub peak_over_mean: Option<f64>,
    /// Where the cross-section comes from.
    pub source: String,
}

/// A band with its three names, whose values are null where it is undefined.
fn three<S: serde::Serializer>(band: &Option<Band>, serializer: S) -> Result<S::Ok, S::Error> {
    let value = |of: fn(&Band) -> f64| band.as_ref().map(of);
    let names = [
        ("low", value(|band| band.low)),
        ("nominal", value(|band| band.nominal)),
        ("high", value(|band| band.high)),
    ];
    serializer.collect_map(names)
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// The version of beamline.
    pub beamline: &'static str,
    /// Where, when and behind what.
    pub setting: OrbitSetting,
    /// Trapped protons.
    pub trapped_protons: TrappedProtons,
    /// Cosmic rays.
    pub gcr: Gcr,
    /// Dose.
    pub dose: Dose,
    /// The South Atlantic Anomaly.
    pub saa: Saa,
    /// The device, by name.
    pub device: Option<String>,
    /// What is known of destructive latch-up.
    pub destructive_sel: Option<String>,
    /// The rates of its modes.
    pub rates: Vec<ModeRate>,
    /// What a reader has to know before using the figures.
    pub warnings: Vec<String>,
}

impl Timeline {
    /// Seconds between places.
    pub fn step_s(&self) -> f64 {
        self.conditions.step_s
    }

    /// What turns a mode's rate into one per device: its bits where it is counted per bit.
    pub fn per_device(&self, mode: usize) -> f64 {
        let device = self.device.as_ref();
        device.and_then(|device| device.count(self.modes[mode].mode.per)).unwrap_or(1.0)
    }

    /// The events of a mode a second at a place, at one level: of the device where it states its
    /// bits, without scheduled events.
    pub fn device_rate(&self, mode: usize, place: usize, level: usize) -> f64 {
        self.per_device(mode) * self.modes[mode].rate(place, level)
    }

    /// The figures of the orbit, with doses over some years.
    pub fn assessment(&self, years: f64) -> Assessment {
        let conditions = &self.conditions;
        let orbit = &conditions.orbit;
        let altitudes_km = self.altitudes_km();
        Assessment {
            beamline: env!("CARGO_PKG_VERSION"),
            setting: OrbitSetting {
                orbit: orbit.describe(),
                orbit_source: orbit.source().to_owned(),
                altitude_convention: ALTITUDE_CONVENTION,
                perigee_km: orbit.perigee_km(),
                apogee_km: orbit.apogee_km(),
                track_lowest_km: altitudes_km.map(|(lowest, _)| lowest),
                track_highest_km: altitudes_km.map(|(_, highest)| highest),
                inclination_deg: orbit.inclination_deg(),
                period_min: orbit.period_s().map(|seconds| seconds / 60.0),
                start: conditions.start.to_string(),
                days: conditions.days,
                days_of_a_mean: orbit.days_of_a_mean(),
                step_s: conditions.step_s,
                solar_phase: conditions.solar_phase,
                solar_meaning: meaning(conditions.solar_phase),
                modulation_w: conditions.w(),
                shielding_mm_al: conditions.shield.thickness_mm,
                shielding_geometry: conditions.shield.geometry.name(),
                event: conditions.event.name(),
                design_margin: conditions.design_margin,
            },
            trapped_protons: self.trapped_protons(),
            gcr: self.gcr(),
            dose: self.dose(years),
            saa: Saa {
                threshold_above_10_mev_per_cm2_s: SAA_PER_CM2_S,
                time_share: self.has_course().then(|| self.share(|place| place.in_saa())),
            },
            device: self.device.as_ref().map(|device| device.name.clone()),
            destructive_sel: self.device.as_ref().map(crate::device::Device::sel_statement),
            rates: (0..self.modes.len()).map(|mode| self.mode_rate(mode)).collect(),
            warnings: self.warnings(),
        }
    }

    /// Whether trapped protons have a course along the orbit: a spectrum from a file has none.
    pub fn has_course(&self) -> bool {
        self.conditions.given.protons.is_none()
    }

    fn mean(&self, value: impl Fn(usize) -> f64) -> f64 {
        let count = self.places.len();
        (0..count).map(value).fold(0.0, |sum, value| sum + value) / count as f64
    }

    fn share(&self, counts: impl Fn(&super::TrackPoint) -> bool) -> f64 {
        self.mean(|i| if counts(&self.places[i]) { 1.0 } else { 0.0 })
    }

    fn trapped_protons(&self) -> TrappedProtons {
        let of = |threshold: usize| self.mean(|i| self.places[i].trapped[threshold]);
        let unshielded = THRESHOLDS_MEV.iter().enumerate();
        let peak = self.places.iter().map(|place| place.trapped[0]).fold(0.0, f64::max);
        let model = match &self.conditions.given.protons {
            Some(import) => import.origin.to_string(),
            None if self.conditions.orbit.is_deep_space() => "none in deep space".to_owned(),
            None => format!(
                "{} with {}, interpolation {}",
                match self.conditions.solar_phase {
                    0.0 => "AP8MIN",
                    1.0 => "AP8MAX",
                    _ => "between AP8MIN and AP8MAX",
                },
                self.conditions.map_field.describe(),
                self.conditions.interpolation.name()
            ),
        };
        TrappedProtons {
            model,
            unshielded_per_cm2_s: ByThreshold(
                unshielded.map(|(i, energy)| (energy.to_string(), of(i))).collect(),
            ),
            shielded_per_cm2_s: ByThreshold::new(&THRESHOLDS_MEV, |e| self.trapped_behind(e)),
            time_share_above_10_mev_1_per_cm2_s: self
                .has_course()
                .then(|| self.share(|place| place.trapped[0] > 1.0)),
            peak_above_10_mev_per_cm2_s: self.has_course().then_some(peak),
            peak_over_mean: Some(peak / of(0)).filter(|r| r.is_finite() && self.has_course()),
        }
    }

    fn gcr(&self) -> Gcr {
        let edges = &*super::response::EDGES;
        let first = edges.partition_point(|edge| *edge < LEAST_MEV_N);
        let above = |z: usize| -> f64 {
            let bin = |bin: usize| {
                let middle = (edges[bin] * edges[bin + 1]).sqrt();
                self.cosmic.of(z)[bin] * self.transmission.at(cosmic::rigidity_gv(z, middle))
            };
            (first..super::response::BINS).map(bin).sum()
        };
        let cutoffs = self.places.iter().map(|place| place.cutoff.vertical_gv());
        let (min, max) = cutoffs.fold((f64::INFINITY, 0.0_f64), |(a, b), c| (a.min(c), b.max(c)));
        let spectrum = self.let_spectrum();
        Gcr {
            model: self.cosmic_model(),
            flux_above_10_mev_n_per_cm2_s: (1..=cosmic::CHARGES).map(above).sum(),
            protons_above_10_mev_per_cm2_s: above(1),
            transmission: ByThreshold::new(&TRANSMISSION_MEV, |energy| {
                self.transmission.at(cosmic::rigidity_gv(1, energy))
            }),
            earth_shadow: 1.0 - self.mean(|i| self.places[i].open_sky),
            cutoff_gv: Cutoff {
                min,
                mean: self.mean(|i| self.places[i].cutoff.vertical_gv()),
                max,
            },
            let_above_per_cm2_s: ByThreshold::new(&LETS, |let_| spectrum.above(let_)),
        }
    }

    fn cosmic_model(&self) -> String {
        let given = &self.conditions.given;
        let charges = match (given.has_cosmic_protons(), &given.ions) {
            (false, None) => "Z = 1 to 28",
            (true, None) => "Z = 2 to 28, protons with the trapped ones",
            (false, Some(_)) => "protons",
            (true, Some(ions)) => {
                return format!("protons with the trapped ones; ions by LET: {}", ions.origin);
            }
        };
        let cutoff = self.conditions.cutoff.describe();
        let mut text = format!("Matthiä et al. 2013, {charges}; {cutoff}");
        if let Some(ions) = &given.ions {
            text.push_str(&format!("; ions by LET: {}", ions.origin));
        }
        text
    }

    fn dose(&self, years: f64) -> Dose {
        let modelled = self.dose_is_modelled();
        let per_year = YEAR_S * self.mean(|i| self.places[i].dose_rad_s);
        Dose {
            trapped_proton_rad_per_year: modelled.then_some(per_year),
            trapped_proton_rad: modelled.then_some(per_year * years),
            label: if modelled { DOSE_LABEL } else { "TID not modelled" }.to_owned(),
            geometry: self.conditions.shield.geometry.name(),
            material: "Si",
        }
    }

    fn mode_rate(&self, index: usize) -> ModeRate {
        let ModeTimeline { mode, .. } = &self.modes[index];
        let timeline = &self.modes[index];
        let over = |levels: &[Levels]| -> Levels {
            std::array::from_fn(|level| self.mean(|i| levels[i][level]))
        };
        let device = self.per_device(index);
        let bits = self.device.as_ref().and_then(|device| device.bits);
        let daily = |levels: Levels| Band::new(levels).times(DAY_S);
        let total = daily(std::array::from_fn(|level| self.mean(|i| timeline.rate(i, level))));
        let per_device = (mode.per == Per::Device || bits.is_some()).then(|| total.times(device));
        let per_bit = match (mode.per, bits) {
            (Per::StoredBit | Per::DataBit, _) => Some(total),
            (Per::Device, Some(bits)) => Some(total.times(1.0 / bits as f64)),
            (Per::Device, None) => None,
        };
        let cosmic = over(&timeline.cosmic);
        let ions = std::array::from_fn(|i| (cosmic[i] - timeline.cosmic_protons[i]).max(0.0));
        let mut by_source = BTreeMap::new();
        if mode.has_proton() {
            by_source.insert("trapped_protons", daily(over(&timeline.trapped)).times(device));
            by_source.insert("cosmic_protons", daily(timeline.cosmic_protons).times(device));
        }
        if mode.has_ion() {
            by_source.insert("cosmic_ions", daily(ions).times(device));
        }
        if timeline.solar_scale > 0.0 {
            let solar = daily(over(&timeline.solar)).times(timeline.solar_scale * device);
            by_source.insert("solar_particles", solar);
        }
        let mean = self.mean(|i| timeline.rate(i, 1));
        let course = self.has_course();
        let within = |rate: &dyn Fn(usize) -> f64| {
            let inside = self.mean(|i| if self.places[i].in_saa() { rate(i) } else { 0.0 });
            (mean > 0.0 && course).then(|| inside / mean)
        };
        let peak = (0..self.places.len()).map(|i| timeline.rate(i, 1)).fold(0.0, f64::max);
        ModeRate {
            mode: mode.name.clone(),
            kind: mode.kind.name(),
            per: mode.per.name(),
            observed_at: mode.observed_at.name(),
            per_device_day: per_device,
            per_bit_day: per_bit,
            bit_flips_per_bit_day: per_bit
                .zip(mode.flips_per_event())
                .map(|(rate, flips)| rate.times(flips)),
            fit_per_device: per_device.map(|rate| rate.times(FIT_HOURS / 24.0)),
            by_source_per_day: by_source,
            saa_share: within(&|i| timeline.rate(i, 1)),
            saa_share_trapped: within(&|i| timeline.trapped[i][1]),
            saa_share_cosmic: within(&|i| timeline.cosmic[i][1]),
            saa_share_solar: within(&|i| timeline.solar_scale * timeline.solar[i][1]),
            peak_over_mean: (mean > 0.0 && course).then(|| peak / mean),
            source: mode.source.clone(),
        }
    }
}

/// What a phase of the solar cycle means for particles.
pub fn meaning(phase: f64) -> String {
    match phase {
        0.0 => "solar minimum: the most trapped protons and cosmic rays".to_owned(),
        1.0 => "solar maximum: the fewest trapped protons and cosmic rays; solar particle events \
                are likelier"
            .to_owned(),
        phase => format!("{phase} of the way from solar minimum (0) to maximum (1)"),
    }
}
