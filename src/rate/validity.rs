//! What the models cannot say about an orbit, a shield and a device: told with every result.

use super::timeline::Timeline;
use crate::environment::solar::Scenario;

/// Above this the proton belt no longer governs dose, and electrons, which are not modelled, do.
const TID_TOP_KM: f64 = 10_000.0;

/// The label of every dose.
pub const DOSE_LABEL: &str = "not TID: no electrons, bremsstrahlung or solar protons";

impl Timeline {
    /// Whether a trapped-proton dose means anything on this orbit.
    pub fn dose_is_modelled(&self) -> bool {
        !self.conditions.orbit.is_deep_space()
            && self.conditions.orbit.apogee_km().is_none_or(|apogee| apogee <= TID_TOP_KM)
    }

    /// What a reader has to know before using the figures, in plain sentences.
    pub fn warnings(&self) -> Vec<String> {
        let conditions = &self.conditions;
        let mut warnings = Vec::new();
        let mut warn = |text: String| warnings.push(text);
        if let Some(perigee) = conditions.orbit.perigee_km() {
            if perigee < 200.0 {
                warn(format!(
                    "AP8 is not valid below 200 km, and the orbit goes down to {perigee:.0} km: \
                     trapped-proton figures are an extrapolation"
                ));
            } else if perigee < 500.0 {
                warn(format!(
                    "trapped protons have low confidence below 500 km (the orbit goes down to \
                     {perigee:.0} km): the epoch of the field alone moves them five- to eightfold"
                ));
            }
        }
        if conditions.solar_phase > 0.0 && conditions.solar_phase < 1.0 {
            warn(
                "AP8 knows solar minimum and maximum alone: between them log flux is taken as \
                 linear in the phase, which is a convention"
                    .to_owned(),
            );
        }
        if !self.dose_is_modelled() {
            warn(
                "TID not modelled on this orbit: electrons and solar protons govern it".to_owned(),
            );
        } else if conditions.shield.thickness_mm < 10.0 {
            warn(format!(
                "behind {} mm of aluminium, less than 10 mm, electrons add to the dose, and here \
                 they are left out",
                conditions.shield.thickness_mm
            ));
        }
        // 10 MeV protons have a range of 0.63 mm of aluminium.
        if conditions.shield.thickness_mm < 0.64 {
            warn(
                "cosmic-ray spectra below 10 MeV/n are extrapolated beyond their model, and reach \
                 the device through so thin a shield"
                    .to_owned(),
            );
        }
        if let Some(epoch) = conditions.orbit.elements_epoch() {
            warn(format!("two-line elements of {epoch}: the orbit is that of its days"));
        }
        if self.field_extrapolated {
            warn(
                "the date lies outside the published field (1900 to 2030): it is extended"
                    .to_owned(),
            );
        }
        if conditions.event == Scenario::WorstWeek {
            warn(
                "worst-week is the worst day scaled by an assumed factor, not a spectrum"
                    .to_owned(),
            );
        }
        if conditions.given.has_cosmic_protons() {
            warn(
                "trapped protons are those of a file that holds cosmic protons too: both count as \
                 trapped, and none as cosmic"
                    .to_owned(),
            );
        }
        if conditions.given.protons.is_some() || conditions.given.ions.is_some() {
            warn(
                "a spectrum given from a file is a mean: rates from it have no course along the \
                 orbit"
                    .to_owned(),
            );
        }
        if let Some(device) = &self.device {
            warnings.extend(device.gaps());
        }
        warnings
    }
}
