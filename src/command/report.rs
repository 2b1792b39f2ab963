//! `beamline report`: an archive as a page, a table or data.

use super::Failure;
use crate::archive::mission::MissionArchive;
use crate::archive::{Archive, Kind};
use crate::report::mission::MissionView;
use crate::report::{self, Format};
use anyhow::Context;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Report {
    /// A results folder or an archive file.
    archive: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where to write; HTML goes beside the archive, the other forms to standard output.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

impl Report {
    /// Writes the report.
    ///
    /// # Errors
    /// Where the archive cannot be read or the report not written.
    pub fn run(&self) -> Result<(), Failure> {
        let mut text = Vec::new();
        if Kind::of(&self.archive)? == Kind::Mission {
            let archive = MissionArchive::read(&self.archive)?;
            if self.format == Format::Table && self.output.is_none() {
                text.extend(mission_table(&archive).into_bytes());
            } else {
                let view = MissionView::of(&archive);
                let written = report::mission::write(&view, self.format, &mut text);
                written.map_err(Failure::environment)?;
            }
        } else {
            let archive = Archive::open(&self.archive)?;
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
                write_whole(&path, &text)?;
                super::say(&format!("report: {}", path.display()));
            }
            None => match std::io::stdout().lock().write_all(&text) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    return Err(Failure::environment(error));
                }
                _ => {}
            },
        }
        Ok(())
    }
}

/// Writes every form of a mission's report into its folder.
pub(super) fn write_mission(folder: &Path, archive: &MissionArchive) -> Result<(), Failure> {
    let view = MissionView::of(archive);
    report::mission::write_all(folder, &view).map_err(Failure::environment)
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

/// Writes a whole file or nothing: to a temporary beside it, then renamed.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, path))
        .with_context(|| format!("{}: cannot be written", path.display()))
        .map_err(|error| {
            // What is left of a failed write is of no use to anyone.
            let _ = std::fs::remove_file(&temporary);
            Failure::Environment(error)
        })
}
