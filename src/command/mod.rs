//! What the binary does: one verb a file.

pub mod adapters;
mod answer;
pub mod bench;
mod bench_environment;
mod bench_op;
mod bench_trials;
pub mod check;
mod engines;
pub mod import;
pub mod infer;
pub mod list;
mod live;
pub mod mission;
pub mod orbit;
pub mod part;
mod prepare;
pub mod replay;
mod replay_event;
pub mod report;
pub mod run;
pub mod schema;
pub mod selftest;
pub mod view;

use crate::place::{self, Place};
use crate::{output, words};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a verb did not succeed, by whose turn it is to act.
#[derive(Debug)]
pub enum Failure {
    /// The user's input is wrong: exit code 2.
    Input(anyhow::Error),
    /// The command line is wrong: exit code 2.
    Usage(clap::Error),
    /// The machine lacks something: exit code 3.
    Environment(anyhow::Error),
    /// A mission's requirement is refuted, or a self-test or a replay does not agree: exit code 1.
    Criterion(String),
    /// Who read the output has gone away: exit code 141 and no message, as for a program that
    /// SIGPIPE ends.
    Closed,
    /// The user stopped a run, which can go on: the exit code of the signal.
    Stopped {
        /// 129 for SIGHUP, 130 for SIGINT, Ctrl-C and `q`, 143 for SIGTERM.
        code: u8,
        /// How far it came, and the command that goes on.
        text: String,
    },
}

impl From<crate::workload::Error> for Failure {
    fn from(error: crate::workload::Error) -> Self {
        Self::input(error)
    }
}

impl Failure {
    /// Bad input.
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        Self::Input(error.into())
    }

    /// Something the machine lacks.
    pub fn environment(error: impl Into<anyhow::Error>) -> Self {
        Self::Environment(error.into())
    }

    /// Says on standard error why a verb did not succeed.
    pub fn tell(&self) {
        use std::io::Write;
        // Where standard error is gone too, the exit code alone tells.
        let _ = match self {
            Self::Closed => Ok(()),
            Self::Usage(error) => error.print(),
            other => {
                writeln!(std::io::stderr(), "beamline: {}", words::terminal(&other.to_string()))
            }
        };
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Criterion(_) => ExitCode::from(1),
            Self::Input(_) | Self::Usage(_) => ExitCode::from(2),
            Self::Environment(_) => ExitCode::from(3),
            Self::Closed => ExitCode::from(141),
            Self::Stopped { code, .. } => ExitCode::from(*code),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(error) | Self::Environment(error) => f.write_str(&causes(error)),
            Self::Usage(error) => write!(f, "{error}"),
            Self::Criterion(text) | Self::Stopped { text, .. } => f.write_str(text),
            Self::Closed => Ok(()),
        }
    }
}

/// An error and its causes, each once: many an error names its cause itself.
fn causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

impl From<output::Error> for Failure {
    fn from(error: output::Error) -> Self {
        match error.source.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::environment(error),
        }
    }
}

impl From<crate::report::Error> for Failure {
    fn from(error: crate::report::Error) -> Self {
        match error {
            crate::report::Error::File(error) => error.into(),
            other => Self::environment(other),
        }
    }
}

impl From<crate::gpu::Error> for Failure {
    fn from(error: crate::gpu::Error) -> Self {
        if matches!(error, crate::gpu::Error::Ambiguous { .. }) {
            return Self::input(error);
        }
        Self::environment(error)
    }
}

impl From<crate::engine::Error> for Failure {
    fn from(error: crate::engine::Error) -> Self {
        Self::environment(error)
    }
}

impl From<crate::archive::Error> for Failure {
    fn from(error: crate::archive::Error) -> Self {
        if error.is_of_the_system() { Self::environment(error) } else { Self::input(error) }
    }
}

/// Refuses the file that an archive is made from, where the archive is wanted.
fn check_archive(path: &Path) -> Result<(), Failure> {
    if path.extension().is_none_or(|end| end != "toml") || path.is_dir() {
        return Ok(());
    }
    let text = place::read(path).map_err(Failure::input)?;
    let place = Place::parse(path, &text).map_err(Failure::input)?;
    let (what, verb) =
        if place.has("faults") { ("campaign", "run") } else { ("mission", "mission") };
    let path = path.display();
    Err(Failure::input(anyhow::anyhow!(
        "{path}: expected an archive or a folder of results, found the file of a {what}; \
         `beamline {verb} {path}` makes its archive"
    )))
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum TableFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Whether what is said beside results stays unsaid.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Leaves unsaid what is said beside results, from now on.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether what is said beside results stays unsaid.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints a line to standard output, of what is said beside results.
pub(crate) fn note(text: &str) -> Result<(), Failure> {
    if is_quiet() { Ok(()) } else { say(text) }
}

/// Prints a line to standard output.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    Ok(output::print(format!("{}\n", words::terminal(text)).as_bytes())?)
}

/// Prints a value to standard output as JSON.
pub(crate) fn say_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::environment)?;
    say(&words::json(&text))
}

/// Says on standard error that an archive was read without a digest to hold it to.
fn note_unverified(archive: &Path, verified: bool) {
    use std::io::Write;
    if !verified && !is_quiet() {
        let path = archive.display().to_string();
        let path = words::terminal(&path);
        // A report does not fail because nobody listens to a note.
        let _ = writeln!(std::io::stderr(), "note: {path}: no .sha256 beside it, read unverified");
    }
}
