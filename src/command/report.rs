//! `beamline report`: an archive as a page, a table or data.

use super::Failure;
use crate::archive::mission::MissionArchive;
use crate::archive::{Archive, ArchiveKind};
use crate::output;
use crate::report::mission::MissionView;
use crate::report::{self, Format};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Report {
    /// A results folder or an archive file.
    archive: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where to write; HTML goes beside the archive, the other forms to standard output,
    /// which `-` names.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

impl Report {
    /// Writes the report.
    ///
    /// # Errors
    /// Where the archive cannot be read or the report not written.
    pub fn run(&self) -> Result<(), Failure> {
        super::check_archive(&self.archive)?;
        let mut text = Vec::new();
        if ArchiveKind::of(&self.archive)? == ArchiveKind::Mission {
            let archive = MissionArchive::read(&self.archive)?;
            super::note_unverified(&self.archive, archive.verified);
            if self.format == Format::Table && self.output.is_none() {
                text.extend(mission_table(&archive).into_bytes());
            } else {
                let view = MissionView::of(&archive);
                let written = report::mission::write(&view, self.format, &mut text);
                written.map_err(Failure::environment)?;
            }
        } else {
            let archive = Archive::open(&self.archive)?;
            super::note_unverified(&self.archive, archive.verified());
            report::write(&archive, self.format, &mut text).map_err(Failure::environment)?;
        }
        let beside = || {
            let folder =
                if self.archive.is_dir() { self.archive.as_path() } else { parent(&self.archive) };
            folder.join("report.html")
        };
        let path = self.output.clone().or_else(|| (self.format == Format::Html).then(beside));
        match path {
            Some(path) => {
                output::write(&path, &text)?;
                if output::is_stdout(&path) {
                    return Ok(());
                }
                super::say(&format!("report: {}", path.display()))
            }
            None => Ok(output::print(&text)?),
        }
    }
}

/// Writes every form of a mission's report into its folder.
pub(super) fn write_mission(folder: &Path, archive: &MissionArchive) -> Result<(), Failure> {
    let view = MissionView::of(archive);
    Ok(report::mission::write_all(folder, &view)?)
}

/// A mission's report as a table for the terminal that it is written to.
pub(super) fn mission_table(archive: &MissionArchive) -> String {
    let columns = match std::io::stdout().is_terminal() {
        true => crossterm::terminal::size().map_or(usize::MAX, |(columns, _)| columns.into()),
        false => usize::MAX,
    };
    report::mission::table(&MissionView::of(archive), columns)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
