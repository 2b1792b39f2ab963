//! The report of a mission: what each scheme came to over years, beside what was expected.
//!
//! A [`MissionView`] holds references to everything that is shown, of an archive or made by hand.
//! `sections` puts tables and drawings into their order once; each form only sets them.

mod day;
mod details;
mod drawings;
mod export;
mod losses;
mod map;
mod methods;
mod places;
mod sections;
mod tables;

pub use map::map;

use super::{Error, Format};
use crate::archive::mission::{MissionArchive, MissionRun, TrackPlace, UpsetRow};
use crate::archive::schema::Source;
use crate::device::Assumption;
use crate::mission::figures::{Facts, SchemeFigures};
use crate::mission::fleet::FleetPoint;
use crate::mission::strata::{Expected, Stratum};
use crate::mission::sweep::Point;
use crate::mission::{Tenant, TenantCounts, Why};
use crate::outcome::Outcome;
use crate::output;
use crate::units::YEAR_S;
use std::io::Write;
use std::path::Path;

/// What a report of a mission shows.
#[derive(Clone, Debug)]
pub struct MissionView<'a> {
    /// The mission's name.
    pub name: &'a str,
    /// The version of beamline that flew it.
    pub version: &'a str,
    /// What it was, by subject: orbit, memory, workload, adapter.
    pub setting: Vec<(&'static str, String)>,
    /// Where figures come from.
    pub sources: &'a [Source],
    /// Every rate and cross-section that results rest on.
    pub assumptions: &'a [Assumption],
    /// Where a model is used beyond what it was made for.
    pub warnings: &'a [String],
    /// The mission file, verbatim.
    pub toml: &'a str,
    /// Whether the mission has finished.
    pub finished: bool,
    /// Histories that the mission asks for.
    pub histories_planned: u64,
    /// What figures needed of the plan.
    pub facts: &'a Facts,
    /// What happened, by scheme.
    pub figures: &'a [SchemeFigures],
    /// What was expected, by scheme; empty where it is not known.
    pub expected: &'a [Expected],
    /// The kinds of events that expected rates are added up from.
    pub strata: &'a [Stratum],
    /// The sweep of the scrub's period; empty where there was none.
    pub sweep: &'a [Point],
    /// The histories; the first one's worst day is drawn.
    pub histories: &'a [MissionRun],
    /// The places of one lap of the orbit, evenly spaced in time; none in deep space.
    pub track: &'a [TrackPlace],
    /// How the cost of a fleet grew; empty where there was none.
    pub fleet: &'a [FleetPoint],
}

/// What an upset did under one scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// No answer was touched.
    Nothing,
    /// It began an episode whose worst outcome is this.
    Worst(Outcome),
    /// It stopped a device or the host.
    Stopped,
}

impl<'a> MissionView<'a> {
    /// Of all that an archive has.
    pub fn of(archive: &'a MissionArchive) -> Self {
        let MissionArchive { header, finished, runs, closing, .. } = archive;
        let adapter = &header.adapter;
        let software = if adapter.software { ", software" } else { "" };
        let memory = &header.memory;
        let workload = &header.workload;
        Self {
            name: &header.name,
            version: &header.version,
            setting: vec![
                ("orbit", format!("{}, from {}", header.orbit.description, header.orbit.start)),
                ("memory", format!("{} ({}), addresses {}", memory.name, memory.title, memory.map)),
                ("workload", format!("{}: {}", workload.name, workload.description)),
                ("adapter", format!("{} ({}{software})", adapter.name, adapter.backend)),
            ],
            sources: &header.sources,
            assumptions: &header.assumptions,
            warnings: &header.warnings,
            toml: &header.toml,
            finished: *finished,
            histories_planned: header.histories,
            facts: &header.facts,
            figures: &closing.figures,
            expected: &closing.expected,
            strata: &closing.strata,
            sweep: &closing.sweep,
            histories: runs,
            track: if header.orbit.places > 1 { &header.track } else { &[] },
            fleet: &closing.fleet,
        }
    }

    /// What happened in each tenant, by scheme, over all histories.
    fn tenants(&self) -> Vec<[TenantCounts; Tenant::ALL.len()]> {
        let mut sums = vec![[TenantCounts::default(); Tenant::ALL.len()]; self.facts.schemes.len()];
        for run in self.histories {
            for (sums, history) in sums.iter_mut().zip(&run.schemes) {
                for (sum, counts) in sums.iter_mut().zip(history.tenants) {
                    sum.upsets += counts.upsets;
                    sum.corrected += counts.corrected;
                    sum.uncorrectable += counts.uncorrectable;
                    sum.silent += counts.silent;
                }
            }
        }
        sums
    }

    /// The name of a scheme.
    fn scheme(&self, index: usize) -> &str {
        self.facts.schemes.get(index).map_or("?", |scheme| &scheme.name)
    }

    /// Years of flight of one history.
    fn years(&self) -> f64 {
        self.facts.horizon_s / YEAR_S
    }

    fn accelerated(&self) -> bool {
        self.facts.acceleration != 1.0
    }

    /// What captions add where the mission runs faster than flight.
    fn pace(&self) -> String {
        if self.accelerated() {
            format!(
                " Accelerated ×{}, every period alike: times and years are of flight.",
                self.facts.acceleration
            )
        } else {
            String::new()
        }
    }

    /// The mission's length in flight.
    fn horizon(&self) -> String {
        super::words::span(self.facts.horizon_s)
    }

    fn histories_done(&self) -> u64 {
        self.figures.first().map_or(0, |figures| figures.histories)
    }

    /// The device and mode of an upset.
    fn mode(&self, upset: &UpsetRow) -> (&str, &str) {
        let known = self.facts.modes.get(upset.mode as usize);
        known.map_or(("", upset.what()), |mode| (&mode.device, &mode.mode))
    }
}

/// What each upset of a history did under a scheme. An episode counts for the upset that began it.
fn effects(run: &MissionRun, scheme: usize) -> Vec<Effect> {
    let of = |upset: &UpsetRow| match Why::of_upset(upset.what()) {
        Some(_) => Effect::Stopped,
        None => Effect::Nothing,
    };
    let mut effects: Vec<Effect> = run.upsets.iter().map(of).collect();
    for episode in run.schemes.get(scheme).iter().flat_map(|history| &history.episodes) {
        // An upset's number is its place in the history.
        if let Some(effect) = effects.get_mut(episode.upset as usize) {
            let worst = episode.worst();
            match effect {
                Effect::Stopped => {}
                Effect::Worst(other) if *other >= worst => {}
                _ => *effect = Effect::Worst(worst),
            }
        }
    }
    effects
}

/// Columns of a table where no terminal says how many it has.
pub const COLUMNS: usize = 80;

/// Writes the report of a mission in one form.
///
/// # Errors
/// Where it cannot be made, or `out` not be written.
pub fn write(view: &MissionView<'_>, format: Format, out: &mut dyn Write) -> Result<(), Error> {
    match format {
        Format::Html => out.write_all(html(view)?.as_bytes())?,
        Format::Markdown => out.write_all(markdown(view)?.as_bytes())?,
        Format::Latex => out.write_all(sections::document(view)?.latex().as_bytes())?,
        Format::Table => out.write_all(table(view, COLUMNS).as_bytes())?,
        Format::Csv => export::csv(view, out)?,
        Format::Json => export::json(view, out)?,
    }
    Ok(out.flush()?)
}

/// The report as one self-contained page.
///
/// # Errors
/// Where a drawing or the page cannot be made.
pub fn html(view: &MissionView<'_>) -> Result<String, Error> {
    sections::document(view)?.page()
}

/// The figures that a mission ends with, for a terminal of so many columns.
pub fn table(view: &MissionView<'_>, columns: usize) -> String {
    export::terminal(view, columns)
}

/// The page's tables and paragraphs as Markdown.
///
/// # Errors
/// Where a drawing of the page cannot be made.
pub fn markdown(view: &MissionView<'_>) -> Result<String, Error> {
    Ok(sections::document(view)?.markdown())
}

/// The files of the forms in a mission's folder.
const FORMS: [(&str, Format); 4] = [
    ("report.html", Format::Html),
    ("report.md", Format::Markdown),
    ("report.csv", Format::Csv),
    ("report.json", Format::Json),
];

/// Whether every form is in a folder. The map, which a mission may lack, is written before them.
pub fn is_complete(folder: &Path) -> bool {
    FORMS.iter().all(|(name, _)| folder.join(name).is_file())
}

/// Writes `map.svg` where the mission has a track, and every form, into a folder. Each file is
/// written whole or not at all.
///
/// # Errors
/// Where a form cannot be made, or a file not be written; says which.
pub fn write_all(folder: &Path, view: &MissionView<'_>) -> Result<(), Error> {
    if let Some(svg) = map(view)? {
        output::write(&folder.join("map.svg"), svg.as_bytes())?;
    }
    for (name, format) in FORMS {
        let mut text = Vec::new();
        write(view, format, &mut text)?;
        output::write(&folder.join(name), &text)?;
    }
    Ok(())
}
