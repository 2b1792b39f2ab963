//! `beamline report`: an archive as a page, a table or data.

use super::Failure;
use crate::archive::mission::MissionArchive;
use crate::archive::{Archive, ArchiveKind};
use crate::output;
use crate::report::mission::{COLUMNS, MissionView};
use crate::report::several::Compared;
use crate::report::{self, Format, RowTable};
use anyhow::anyhow;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// What the user asked for.
#[derive(Debug, clap::Args)]
pub struct Report {
    /// Results folders or archive files: one, or several of one kind to compare with the first.
    #[arg(required = true)]
    archives: Vec<PathBuf>,
    /// The form: HTML of one result and a table of several where not given.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Which rows CSV has.
    #[arg(long, value_enum)]
    table: Option<RowTable>,
    /// Where to write; HTML goes beside the archive, the other forms to standard output,
    /// which `-` names.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

impl Report {
    /// Writes the report.
    ///
    /// # Errors
    /// Where an archive cannot be read or the report not written.
    pub fn run(&self) -> Result<(), Failure> {
        let several = self.archives.len() > 1;
        let default = match (self.table, several) {
            (Some(_), _) => Format::Csv,
            (None, true) => Format::Table,
            (None, false) => Format::Html,
        };
        let format = self.format.unwrap_or(default);
        let refuse = |text: String| Err(Failure::input(anyhow!(text)));
        if self.table.is_some() && (format != Format::Csv || several) {
            return refuse("--table: expected one result and --format csv".into());
        }
        self.archives.iter().try_for_each(|path| super::check_archive(path))?;
        let mut text = Vec::new();
        if several {
            if matches!(format, Format::Html | Format::Latex) {
                let found = if format == Format::Html { "html" } else { "latex" };
                let expected = "expected table, markdown, csv or json for several results";
                return refuse(format!("--format: {expected}, found {found}"));
            }
            let all = self.compared()?;
            report::several::write(&all, format, &mut text).map_err(Failure::environment)?;
        } else {
            self.one(format, &mut text)?;
        }
        let archive = &self.archives[0];
        let beside = || {
            let folder = if archive.is_dir() { archive.as_path() } else { parent(archive) };
            folder.join("report.html")
        };
        let path = self.output.clone().or_else(|| (format == Format::Html).then(beside));
        match path {
            Some(path) => {
                output::write(&path, &text)?;
                if output::is_stdout(&path) {
                    return Ok(());
                }
                super::note(&format!("report: {}", path.display()))
            }
            None => Ok(output::print(&text)?),
        }
    }

    /// The report of the one result.
    fn one(&self, format: Format, text: &mut Vec<u8>) -> Result<(), Failure> {
        let path = &self.archives[0];
        let table = self.table.unwrap_or_default();
        let written = if ArchiveKind::of(path)? == ArchiveKind::Mission {
            let archive = MissionArchive::read(path)?;
            super::note_unverified(path, archive.verified);
            match table {
                RowTable::Events => report::upsets(&archive, text),
                RowTable::Outcomes => report::episodes(&archive, text),
                RowTable::Figures if format == Format::Table && self.output.is_none() => {
                    text.extend(mission_table(&archive).into_bytes());
                    Ok(())
                }
                RowTable::Figures => {
                    report::mission::write(&MissionView::of(&archive), format, text)
                }
            }
        } else {
            let archive = Archive::open(path)?;
            super::note_unverified(path, archive.verified());
            match table {
                RowTable::Events => report::faults(&archive, text),
                RowTable::Outcomes => report::outcomes(&archive, text),
                RowTable::Figures => report::write(&archive, format, text),
            }
        };
        written.map_err(Failure::environment)
    }

    /// The results, as they are compared: all of one kind.
    fn compared(&self) -> Result<Vec<Compared>, Failure> {
        let kinds = self.archives.iter().map(|path| ArchiveKind::of(path));
        let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
        if let Some((path, kind)) =
            self.archives.iter().zip(&kinds).find(|(_, kind)| **kind != kinds[0])
        {
            return Err(Failure::input(anyhow!(
                "{}: expected a {} as {}, found a {}",
                path.display(),
                kinds[0].name(),
                self.archives[0].display(),
                kind.name()
            )));
        }
        let compared = self.archives.iter().zip(kinds).map(|(path, kind)| {
            let name = path.display().to_string();
            let name = name.trim_end_matches(['/', '\\']);
            let compared = if kind == ArchiveKind::Mission {
                let archive = MissionArchive::read(path)?;
                super::note_unverified(path, archive.verified);
                Ok(Compared::mission(name, &archive))
            } else {
                let archive = Archive::open(path)?;
                super::note_unverified(path, archive.verified());
                Compared::campaign(name, &archive)
            };
            compared.map_err(Failure::environment)
        });
        compared.collect()
    }
}

/// Writes every form of a mission's report into its folder.
pub(super) fn write_mission(folder: &Path, archive: &MissionArchive) -> Result<(), Failure> {
    let view = MissionView::of(archive);
    Ok(report::mission::write_all(folder, &view)?)
}

/// Writes a campaign's report into its folder, where it is missing.
pub(super) fn write_campaign(folder: &Path, archive: &Archive) -> Result<(), Failure> {
    let page = folder.join("report.html");
    if page.is_file() {
        return Ok(());
    }
    let mut html = Vec::new();
    report::write(archive, Format::Html, &mut html).map_err(Failure::environment)?;
    Ok(output::write(&page, &html)?)
}

/// A campaign's report as a table for a terminal.
pub(super) fn campaign_table(archive: &Archive) -> Result<String, Failure> {
    let mut table = Vec::new();
    report::write(archive, Format::Table, &mut table).map_err(Failure::environment)?;
    Ok(String::from_utf8_lossy(&table).into_owned())
}

/// A mission's report as a table for the terminal that it is written to.
pub(super) fn mission_table(archive: &MissionArchive) -> String {
    let columns = match std::io::stdout().is_terminal() {
        true => crossterm::terminal::size().map_or(COLUMNS, |(columns, _)| columns.into()),
        false => COLUMNS,
    };
    report::mission::table(&MissionView::of(archive), columns)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
