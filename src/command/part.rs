//! A part of a run, and `beamline merge`, which joins parts that were run elsewhere.

use super::Failure;
use super::live::{Watching, say_results};
use super::report::{campaign_table, mission_table, write_campaign, write_mission};
use crate::archive::mission::{Closing, Histories, MissionArchive};
use crate::archive::{Archive, ArchiveKind, Error, Segment, join};
use crate::mission::SchemeHistory;
use crate::mission::figures::figures;
use anyhow::anyhow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// One of several parts of a run, counted from 1: `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOf {
    index: u64,
    of: u64,
}

impl FromStr for PartOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refusal = || format!("expected a part such as 2/4, the second of four, found {text:?}");
        let (index, of) = text.split_once('/').ok_or_else(refusal)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| refusal());
        let (index, of) = (number(index)?, number(of)?);
        if (1..=of).contains(&index) { Ok(Self { index, of }) } else { Err(refusal()) }
    }
}

impl PartOf {
    /// The name of its results beside those of others.
    pub(super) fn folder(self, results: &Path, name: &str) -> PathBuf {
        results.join(format!("{name}-part-{}-of-{}", self.index, self.of))
    }

    /// Its stretch of `total` that are run `step` at once: the first, and how many.
    pub(super) fn share(self, total: u64, step: u64) -> Result<(u64, u64), Failure> {
        let steps = total.div_ceil(step.max(1));
        let begin = |index: u64| {
            let at = u128::from(steps) * u128::from(index) / u128::from(self.of);
            (u64::try_from(at).unwrap_or(steps) * step).min(total)
        };
        let (first, end) = (begin(self.index - 1), begin(self.index));
        if self.of > steps {
            let of = self.of;
            return Err(Failure::input(anyhow!(
                "--part: expected {steps} parts at most, found {of}"
            )));
        }
        Ok((first, end - first))
    }
}

/// What follows from the plan alone, of parts that each computed it or left it out: what single events do,
/// the sweep and the fleet.
fn joined(closings: Vec<Closing>, folder: &Path) -> Result<Closing, Error> {
    let mut all = Closing::default();
    let refuse = |what: &str| Error::Content {
        path: folder.to_path_buf(),
        expected: format!("the same {what} in every part that has one"),
        found: "others; --singles or --sweep differed".to_owned(),
    };
    for part in closings {
        if all.strata.is_empty() {
            (all.strata, all.expected) = (part.strata, part.expected);
        } else if !part.strata.is_empty() && part.strata != all.strata {
            return Err(refuse("single events"));
        }
        if all.sweep.is_empty() {
            all.sweep = part.sweep;
        } else if !part.sweep.is_empty() && part.sweep != all.sweep {
            return Err(refuse("sweep"));
        }
        if all.fleet.is_empty() {
            all.fleet = part.fleet;
        }
    }
    Ok(all)
}

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Merge {
    /// The parts: results folders or archive files of one campaign or mission.
    #[arg(required = true)]
    parts: Vec<PathBuf>,
    /// The folder of the whole result.
    #[arg(short, long)]
    output: PathBuf,
}

impl Merge {
    /// Joins the parts, and writes the report.
    ///
    /// # Errors
    /// Where a part is missing or of another experiment, or the result cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        self.parts.iter().try_for_each(|path| super::check_archive(path))?;
        let folder = self.output.as_path();
        let first = self.parts.first().ok_or_else(|| Failure::input(anyhow!("no parts")))?;
        if ArchiveKind::of(first)? == ArchiveKind::Campaign {
            join::<Segment>(&self.parts, folder, |_, _| Ok(()))?;
            let archive = Archive::open(folder)?;
            write_campaign(folder, &archive)?;
            return say_results(folder, &campaign_table(&archive)?, Watching::default());
        }
        join::<Histories>(&self.parts, folder, |header, parts| {
            let runs = parts.iter().flat_map(|part| &part.runs);
            let runs: Vec<Vec<SchemeHistory>> = runs.map(|(run, _)| run.schemes.clone()).collect();
            let closings = self.parts.iter().map(|path| Ok(MissionArchive::read(path)?.closing));
            let closings = closings.collect::<Result<Vec<_>, Error>>()?;
            let mut closing = joined(closings, folder)?;
            closing.figures = figures(&header.facts, &runs);
            Ok(closing)
        })?;
        let archive = MissionArchive::read(folder)?;
        write_mission(folder, &archive)?;
        say_results(folder, &mission_table(&archive), Watching::default())
    }
}
