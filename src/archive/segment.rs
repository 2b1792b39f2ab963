//! A segment: a contiguous range of trials with their rows, in a complete file of its own.

use super::file::{self, LongTable, get, group, set, set_names, set_text, take_rows};
use super::header;
use super::kind::{Content, Opened};
use super::rows::{FaultRow, OutcomeRow, TimingRow};
use super::schema::{FAULTS, Header, OUTCOMES, RUN, TIMING};
use super::{Error, Fingerprint, flaw};
use crate::fault::Region;
use crate::outcome::Outcome;
use hdf5::File;
use std::path::{Path, PathBuf};

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

/// When and where a run was, beside its results.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunInfo {
    /// Seconds since 1970, UTC, when the run started.
    pub(super) started_unix_s: u64,
    /// Likewise, when the file was written.
    pub(super) written_unix_s: u64,
    /// The machine's name.
    pub(super) host: String,
}

/// What a segment's file says of itself, without its rows.
#[derive(Clone, Debug)]
pub(super) struct SegmentFile {
    /// The file.
    pub(super) path: PathBuf,
    /// The first trial.
    pub(super) first_trial: u64,
    /// Trials of each scheme.
    pub(super) trials: u64,
    /// Rows of faults.
    pub(super) faults: usize,
    /// Rows of outcomes.
    pub(super) outcomes: usize,
    /// Rows of measured times.
    pub(super) timing: usize,
    /// When and where it was run.
    pub(super) run: RunInfo,
    /// Whether a digest beside it says that it is as it was written.
    pub(super) verified: bool,
}

impl Segment {
    /// Puts rows in the order of the archive: by trial, then scheme, then order of striking.
    pub fn sort(&mut self) {
        self.faults.sort_by_key(|row| (row.trial, row.scheme, row.order));
        self.outcomes.sort_by_key(|row| (row.trial, row.scheme));
        self.timing.sort_by_key(|row| (row.first_trial, row.scheme));
    }

    /// Writes the segment's file into `folder`: complete under its name, or not there.
    pub(super) fn write(
        &self,
        folder: &Path,
        header: &Header,
        run: &RunInfo,
    ) -> Result<SegmentFile, Error> {
        let path = folder.join(format!("seg-{:012}.h5", self.first_trial));
        flaw::rows(self, header).map_err(Error::flaw(&path))?;
        file::write_whole(&path, |to| {
            self.write_rows(to, header, run).map_err(Error::hdf5(&path, "written"))
        })?;
        Ok(SegmentFile {
            path,
            first_trial: self.first_trial,
            trials: self.trials,
            faults: self.faults.len(),
            outcomes: self.outcomes.len(),
            timing: self.timing.len(),
            run: run.clone(),
            verified: true,
        })
    }

    fn write_rows(&self, to: &File, header: &Header, run: &RunInfo) -> hdf5::Result<()> {
        header::write(to, Content::Segment, header)?;
        set(to, "first_trial", &self.first_trial)?;
        set(to, "trials", &self.trials)?;
        set(to, "fault_rows", &(self.faults.len() as u64))?;
        set(to, "outcome_rows", &(self.outcomes.len() as u64))?;
        let mut tables =
            Tables::create(to, self.faults.len(), self.outcomes.len(), self.timing.len())?;
        tables.push(self)?;
        tables.finish()?;
        write_run(to, run)
    }

    /// Reads the rows of a file, which must be those of `trials` trials from `first_trial` on.
    pub(super) fn read(
        file: &File,
        path: &Path,
        header: &Header,
        first_trial: u64,
        trials: u64,
    ) -> Result<Self, Error> {
        let segment = Self {
            first_trial,
            trials,
            faults: take_rows(file, path, FAULTS)?,
            outcomes: take_rows(file, path, OUTCOMES)?,
            timing: take_rows(file, path, TIMING)?,
        };
        flaw::rows(&segment, header).map_err(Error::flaw(path))?;
        Ok(segment)
    }
}

impl SegmentFile {
    /// Reads a segment's file and checks that it is whole, of this experiment, and its rows what
    /// they should be.
    pub(super) fn read(path: &Path, header: &Header) -> Result<(Self, Segment), Error> {
        let Opened { file, verified, .. } = Opened::open_segment(path, Content::Segment)?;
        let fail = |source| Error::hdf5(path, "read")(source);
        let theirs = header::read_fingerprint(&file).map_err(fail)?;
        refuse_other(path, &header.fingerprint, &theirs)?;
        let count = |name| get::<u64>(&file, name).map_err(fail);
        let about = Self {
            path: path.to_path_buf(),
            first_trial: count("first_trial")?,
            trials: count("trials")?,
            faults: row_count(&file, path, FAULTS, count("fault_rows")?)?,
            outcomes: row_count(&file, path, OUTCOMES, count("outcome_rows")?)?,
            timing: file.dataset(TIMING).map_err(fail)?.size(),
            run: read_run(&file).map_err(fail)?,
            verified,
        };
        let segment = Segment::read(&file, path, header, about.first_trial, about.trials)?;
        Ok((about, segment))
    }
}

/// Refuses a file of another experiment.
pub(super) fn refuse_other(
    path: &Path,
    ours: &Fingerprint,
    theirs: &Fingerprint,
) -> Result<(), Error> {
    let differing = ours.differing(theirs);
    let path = path.to_path_buf();
    if differing.is_empty() { Ok(()) } else { Err(Error::Fingerprint { path, differing }) }
}

fn row_count(file: &File, path: &Path, name: &str, expected: u64) -> Result<usize, Error> {
    let found = file.dataset(name).map_err(Error::hdf5(path, "read"))?.size();
    if found as u64 == expected {
        Ok(found)
    } else {
        Err(Error::content(path, format!("{expected} rows of {name}"), found.to_string()))
    }
}

/// The three tables of rows, open for writing.
pub(super) struct Tables {
    faults: LongTable<FaultRow>,
    outcomes: LongTable<OutcomeRow>,
    timing: LongTable<TimingRow>,
}

impl Tables {
    /// Creates them for exactly so many rows.
    pub(super) fn create(
        to: &File,
        faults: usize,
        outcomes: usize,
        timing: usize,
    ) -> hdf5::Result<Self> {
        let tables = Self {
            faults: LongTable::create(
                to,
                FAULTS,
                faults,
                "Every fault, as each scheme received it",
            )?,
            outcomes: LongTable::create(to, OUTCOMES, outcomes, "One row a trial and scheme")?,
            timing: LongTable::create(
                to,
                TIMING,
                timing,
                "Measured times; they differ from run to run",
            )?,
        };
        let kinds = ["xor", "stuck-at-0", "stuck-at-1"];
        let regions = Region::ALL.map(Region::name);
        set_names(tables.faults.location(), "region_names", &regions)?;
        set_names(tables.faults.location(), "kind_names", &kinds)?;
        set_names(tables.outcomes.location(), "worst_names", &Outcome::ALL.map(Outcome::name))?;
        Ok(tables)
    }

    /// Takes a segment's rows in.
    pub(super) fn push(&mut self, segment: &Segment) -> hdf5::Result<()> {
        self.faults.push(&segment.faults)?;
        self.outcomes.push(&segment.outcomes)?;
        self.timing.push(&segment.timing)
    }

    /// Writes what is left.
    pub(super) fn finish(self) -> hdf5::Result<()> {
        self.faults.finish()?;
        self.outcomes.finish()?;
        self.timing.finish()
    }
}

/// Writes when and where it ran.
pub(super) fn write_run(to: &File, run: &RunInfo) -> hdf5::Result<()> {
    let at = group(to, RUN)?;
    set(&at, "started_unix_s", &run.started_unix_s)?;
    set(&at, "written_unix_s", &run.written_unix_s)?;
    set_text(&at, "host", &run.host)
}

/// Reads it back.
pub(super) fn read_run(from: &File) -> hdf5::Result<RunInfo> {
    let at = from.group(RUN)?;
    Ok(RunInfo {
        started_unix_s: get(&at, "started_unix_s")?,
        written_unix_s: get(&at, "written_unix_s")?,
        host: file::get_text(&at, "host")?,
    })
}
