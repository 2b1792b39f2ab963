//! What the binary does: one verb a file.

pub mod adapters;
pub mod bench;
mod bench_environment;
mod bench_stored;
pub mod mission;
pub mod orbit;
mod prepare;
pub mod replay;
pub mod report;
pub mod run;
pub mod selftest;

use std::process::ExitCode;

/// Why a verb did not succeed, by whose turn it is to act.
#[derive(Debug)]
pub enum Failure {
    /// The user's input is wrong: exit code 2.
    Input(anyhow::Error),
    /// The machine lacks something: exit code 3.
    Environment(anyhow::Error),
    /// A campaign's acceptance criterion, or a self-test, failed: exit code 1.
    Criterion(String),
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

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Criterion(_) => ExitCode::from(1),
            Self::Input(_) => ExitCode::from(2),
            Self::Environment(_) => ExitCode::from(3),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(error) | Self::Environment(error) => write!(f, "{error:#}"),
            Self::Criterion(text) => f.write_str(text),
        }
    }
}

impl From<crate::gpu::Error> for Failure {
    fn from(error: crate::gpu::Error) -> Self {
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
        Self::input(error)
    }
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

/// Prints a line to standard output; a reader that has gone away is no failure.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}
