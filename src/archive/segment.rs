//! A segment of a campaign: a contiguous range of trials with their rows.

use super::columns::{Descriptions, show};
use super::file::{self, put_json, set_names, set_text};
use super::flaw::{self, Flaw};
use super::kind::ArchiveKind;
use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::Header;
use super::store::{SUMMARY, Stored};
use super::summary::{AVF_NAME, Figures, Tallies};
use super::tables::{Tables, tables};
use super::{Error, beam, summary};
use crate::campaign::event::SIMULATED_BEAM;
use crate::engine::Decided;
use crate::fault::Region;
use crate::outcome::Outcome;
use hdf5::File;
use std::path::Path;

tables! {
    /// The rows of a campaign.
    pub struct Rows / OpenRows {
        faults: FaultRow = "faults", "Every fault, as each scheme received it";
        outcomes: OutcomeRow = "outcomes", "One row a trial and scheme";
        timing: TimingRow = "timing", "Measured times; they differ from run to run";
    }
}

/// The trials `first_trial` to `first_trial + trials − 1` of every scheme.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Segment {
    /// The first trial.
    pub first_trial: u64,
    /// Trials of each scheme.
    pub trials: u64,
    /// Every fault, as each scheme received it.
    pub faults: Vec<FaultRow>,
    /// One row a trial and scheme.
    pub outcomes: Vec<OutcomeRow>,
    /// Measured times, one row a scheme (or several).
    pub timing: Vec<TimingRow>,
}

impl Segment {
    /// Puts rows in the order of the archive: by trial, then scheme, then order of striking.
    pub fn sort(&mut self) {
        self.faults.sort_by_key(|row| (row.trial, row.scheme, row.order));
        self.outcomes.sort_by_key(|row| (row.trial, row.scheme));
        self.timing.sort_by_key(|row| (row.first_trial, row.scheme));
    }
}

impl Stored for Segment {
    const KIND: ArchiveKind = ArchiveKind::Campaign;
    const COUNTED: [&'static str; 2] = ["trial", "trials"];

    type Header = Header;
    type Rows = Rows;
    type Given = ();
    type Gathered<'h> = Tallies<'h>;

    fn stretch(&self) -> (u64, u64) {
        (self.first_trial, self.trials)
    }

    fn sort(&mut self) {
        Self::sort(self);
    }

    fn check(&self, header: &Header) -> Result<(), Flaw> {
        flaw::rows(self, header)
    }

    fn into_rows(self) -> Rows {
        let Self { faults, outcomes, timing, .. } = self;
        Rows { faults, outcomes, timing }
    }

    fn of_rows(
        Rows { faults, outcomes, timing }: Rows,
        (first_trial, trials): (u64, u64),
        header: &Header,
        path: &Path,
    ) -> Result<Self, Error> {
        let segment = Self { first_trial, trials, faults, outcomes, timing };
        segment.check(header).map_err(Error::flaw(path))?;
        Ok(segment)
    }

    fn name_codes(open: &<Rows as Tables>::Open, _: &Header) -> hdf5::Result<()> {
        let (faults, outcomes) = (open.faults.location(), open.outcomes.location());
        set_names(faults, "region_names", &Region::ALL.map(Region::name))?;
        set_names(faults, "kind_names", &["xor", "stuck-at-0", "stuck-at-1"])?;
        set_names(outcomes, "worst_names", &Outcome::ALL.map(Outcome::name))?;
        set_names(outcomes, "decided_names", &Decided::ALL.map(Decided::name))
    }

    fn gather(header: &Header) -> Tallies<'_> {
        Tallies::new(header)
    }

    fn add_to(&self, gathered: &mut Tallies<'_>) {
        gathered.add(&self.faults, &self.outcomes);
    }

    fn summarise(to: &File, gathered: Tallies<'_>, (): ()) -> hdf5::Result<()> {
        let summary = gathered.finish();
        put_json(to, SUMMARY, &summary)?;
        let about = Descriptions::default()
            .with::<Figures>("figures")
            .with::<summary::Comparison>("comparisons")
            .with::<summary::FitFigures>("fit")
            .with::<beam::BeamFigures>("beam");
        let at = file::group(to, "summary")?;
        show(&at, &summary, &about)?;
        set_text(&at, "avf", AVF_NAME)?;
        if !summary.beam.is_empty() {
            set_text(&at, "test", SIMULATED_BEAM)?;
        }
        Ok(())
    }

    fn total(header: &Header) -> u64 {
        header.strata.iter().map(|stratum| stratum.trials).sum()
    }

    fn planned(_: &Header) -> Option<u64> {
        None
    }
}
