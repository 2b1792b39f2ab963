//! The beamline binary: reads the command line, runs a verb, turns its failure into an exit code.

use beamline::cli::Cli;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("beamline: {failure}");
            failure.code()
        }
    }
}
