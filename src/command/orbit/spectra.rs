//! Spectra from and for other tools.

use crate::command::Failure;
use crate::command::report::write_whole;
use crate::environment::exchange::{self, Spectrum};
use crate::rate::Timeline;
use crate::rate::response::EDGES;
use anyhow::anyhow;
use std::path::Path;

/// Energies or LETs, and fluxes.
type Points = Vec<(f64, f64)>;

/// Trapped protons from a file: integral, before the shield.
pub(super) fn protons(path: &Path) -> Result<Points, Failure> {
    match exchange::read(path).map_err(Failure::input)?.0 {
        Spectrum::ProtonIntegral(points) => Ok(points),
        Spectrum::Let(_) => {
            Err(wrong(path, "--proton-spectrum", "protons by energy", "a LET spectrum"))
        }
    }
}

/// Ions by LET from a file: differential, behind the shield.
pub(super) fn by_let(path: &Path) -> Result<Points, Failure> {
    let (spectrum, origin) = exchange::read(path).map_err(Failure::input)?;
    match spectrum {
        Spectrum::Let(_) if origin.has_protons() => {
            let found = "one from Z = 1, whose upsets the proton term counts already";
            Err(wrong(path, "--let-spectrum", "a LET spectrum from Z = 2 on", found))
        }
        Spectrum::Let(points) => Ok(points),
        Spectrum::ProtonIntegral(_) => {
            Err(wrong(path, "--let-spectrum", "a LET spectrum", "protons by energy"))
        }
    }
}

fn wrong(path: &Path, flag: &str, expected: &str, found: &str) -> Failure {
    Failure::input(anyhow!("{}: {flag}: expected {expected}, found {found}", path.display()))
}

/// Writes the mean spectra of an orbit: trapped protons before and behind the shield, and ions by
/// LET behind it.
pub(super) fn write(folder: &Path, timeline: &Timeline) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::environment(anyhow!("{}: cannot be made: {error}", folder.display()))
    })?;
    let setting = timeline.assessment(1.0).setting;
    let comment = |what: &str| {
        vec![
            format!("{what}; mean over {}", setting.orbit),
            format!(
                "{} mm of aluminium, {}; solar phase {}; event {}; design margin {}",
                setting.shielding_mm_al,
                setting.shielding_geometry,
                setting.solar_phase,
                setting.event,
                setting.design_margin
            ),
        ]
    };
    let integral = |flux: &dyn Fn(f64) -> f64| -> Points {
        let points = EDGES.iter().map(|energy| (*energy, flux(*energy)));
        points.take_while(|(_, flux)| *flux > 0.0).collect()
    };
    let before = integral(&|energy| timeline.trapped_above(energy));
    let behind = integral(&|energy| timeline.trapped_behind(energy));
    let ions = timeline.let_spectrum().differential();
    for (name, text) in [
        (
            "trapped-protons-before.csv",
            exchange::write_proton_csv(&before, &comment("trapped protons before the shield")),
        ),
        (
            "trapped-protons-behind.csv",
            exchange::write_proton_csv(&behind, &comment("trapped protons behind the shield")),
        ),
        (
            "let-behind.csv",
            exchange::write_let_csv(&ions, &comment("ions from helium on behind the shield")),
        ),
    ] {
        write_whole(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}
