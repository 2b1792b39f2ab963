//! Spectra for other tools.

use crate::command::Failure;
use crate::environment::exchange::{self, Contents, Over, Statement, Taken};
use crate::environment::solar::Scenario;
use crate::rate::Timeline;
use crate::rate::response::EDGES;
use crate::{output, words};
use anyhow::anyhow;
use std::path::Path;

/// Energies or LETs, and fluxes.
type Points = Vec<(f64, f64)>;

/// Writes the mean spectra of an orbit: trapped protons before and behind the shield, and ions by
/// LET behind it.
pub(super) fn write(folder: &Path, timeline: &Timeline) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::environment(anyhow!("{}: cannot be made: {error}", folder.display()))
    })?;
    let setting = timeline.assessment(1.0).setting;
    let comment = |what: &str| {
        vec![
            format!("{what}; mean over {}", words::line(&setting.orbit)),
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
    let conditions = &timeline.conditions;
    let given = conditions.given.protons.as_ref();
    let protons = Statement {
        contains: given.map_or(Some(Contents::Trapped), |import| import.origin.is.contains),
        taken: Some(Taken::BeforeShield),
        over: Some(Over::Mean),
        margin: Some(1.0),
        ..Statement::default()
    };
    // What leaves the shield leaves with the margin.
    let inside = Statement {
        taken: Some(Taken::BehindShield),
        margin: Some(conditions.design_margin),
        shield_mm_al: Some(conditions.shield.thickness_mm),
        ..protons
    };
    let eventful = conditions.event != Scenario::None && conditions.given.ions.is_none();
    let by_let = Statement {
        contains: Some(Contents::FromHelium),
        over: Some(if eventful { Over::Event } else { Over::Mean }),
        ..inside
    };
    for (name, text) in [
        (
            "trapped-protons-before.csv",
            exchange::write_proton_csv(
                &before,
                &protons,
                &comment("trapped protons before the shield"),
            ),
        ),
        (
            "trapped-protons-behind.csv",
            exchange::write_proton_csv(
                &behind,
                &inside,
                &comment("trapped protons behind the shield"),
            ),
        ),
        (
            "let-behind.csv",
            exchange::write_let_csv(
                &ions,
                &by_let,
                &comment("ions from helium on behind the shield"),
            ),
        ),
    ] {
        output::write(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}
