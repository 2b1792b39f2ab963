//! The beamline binary: reads the command line, runs a verb, turns its failure into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match beamline::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.code()
        }
    }
}
