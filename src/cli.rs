//! The command line: verbs and what they share.

use crate::command::{
    Failure, adapters, be_quiet, bench, check, import, infer, list, mission, orbit, part, replay,
    report, run, schema, selftest, view,
};
use crate::output;
use anyhow::anyhow;
use clap::{CommandFactory, Parser, Subcommand};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a criterion or a self-test failed
  2    bad input
  3    something is lacking: an adapter, memory, space, a permission
  129  stopped by SIGHUP; 130 by SIGINT, Ctrl-C or q; 143 by SIGTERM: what was in flight is saved,
       and --resume goes on";

/// A radiation test beam for GPU inference, in software.
#[derive(Debug, Parser)]
#[command(name = "beamline", version, about, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// The adapter: its number in `beamline adapters`, a part of its name, "software", or "any"
    /// (hardware first).
    #[arg(long, global = true, env = "BEAMLINE_ADAPTER")]
    adapter: Option<String>,
    /// Say nothing beside results: no progress, no notes.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say on standard error what is done, and with -vv each step; `RUST_LOG` chooses more finely.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    verb: Verb,
}

/// Says on standard error what `RUST_LOG` asks for, or what the flags do.
fn listen(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    // Libraries are heard where they are asked for by name.
    let targets = asked.unwrap_or_else(|| Targets::new().with_target("beamline", level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::registry().with(lines.with_ansi(ansi).with_filter(targets)).init();
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a campaign; live on a terminal, progress lines elsewhere.
    Run(run::Run),
    /// Run a mission: years on an orbit, upsets as they come, scrubbing; live on a terminal.
    Mission(mission::Mission),
    /// The screens of a result, finished or still running, from its files.
    View(view::View),
    /// Run one trial of a campaign, or one history of a mission, again and show what its faults did.
    Replay(replay::Replay),
    /// Turn an archive into HTML, Markdown, CSV, JSON or a table.
    Report(report::Report),
    /// Join parts of a campaign or mission that were run elsewhere (--part) into one result.
    Merge(part::Merge),
    /// Turn an ONNX model into a workload.
    Import(import::Import),
    /// Run a workload without faults and say what it decides.
    Infer(infer::Infer),
    /// What can run here.
    Adapters(adapters::Adapters),
    /// Every stage against its reference on this adapter.
    Selftest(selftest::Selftest),
    /// Stage bandwidths and trial rates, as ratios to this adapter's own copy.
    Bench(bench::Bench),
    /// Environment and upset rates of an orbit and a device.
    Orbit(Box<orbit::Orbit>),
    /// What a campaign, a mission or a workload can name: devices, memories, orbits, codes, ….
    List(list::List),
    /// Read a file and say what it would do, without a run.
    Check(check::Check),
    /// The JSON Schema of a file that users write, for editors.
    Schema(schema::SchemaOf),
    /// The manual page, or those of all verbs into a folder.
    Man {
        /// A folder for the pages of all verbs; standard output has that of beamline alone.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Completions for a shell, on standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Reads the command line and does what it asks.
///
/// # Errors
/// [`Failure`] with its exit code.
pub fn main() -> Result<(), Failure> {
    match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(refused) if refused.use_stderr() => Err(Failure::Usage(refused)),
        // Help or the version, which were asked for.
        Err(asked) => {
            let shown = asked.print().and_then(|()| std::io::stdout().flush());
            shown.map_err(|source| Failure::from(output::Error::stdout(source)))
        }
    }
}

impl Cli {
    fn run(self) -> Result<(), Failure> {
        listen(self.verbose);
        if self.quiet {
            be_quiet();
        }
        let adapter = self.adapter.as_deref();
        match self.verb {
            Verb::Run(verb) => verb.run(adapter),
            Verb::Mission(verb) => verb.run(adapter),
            Verb::View(verb) => verb.run(),
            Verb::Replay(verb) => verb.run(adapter),
            Verb::Report(verb) => verb.run(),
            Verb::Merge(verb) => verb.run(),
            Verb::Import(verb) => verb.run(adapter),
            Verb::Infer(verb) => verb.run(adapter),
            Verb::Adapters(verb) => verb.run(),
            Verb::Selftest(verb) => verb.run(adapter),
            Verb::Bench(verb) => verb.run(adapter),
            Verb::Orbit(verb) => verb.run(),
            Verb::List(verb) => verb.run(),
            Verb::Check(verb) => verb.run(),
            Verb::Schema(verb) => verb.run(),
            Verb::Man { output } => man(output.as_deref()),
            Verb::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Self::command(), "beamline", &mut script);
                Ok(output::print(&script)?)
            }
        }
    }
}

/// Prints the manual page, or writes those of all verbs into a folder.
fn man(folder: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
        rendered.map_err(Failure::environment)?;
        return Ok(output::print(&page)?);
    };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        Failure::environment(anyhow!("{}: cannot be written: {error}", folder.display()))
    })
}
