//! Runs a command and sets the exit code: 0 good, 1 problem found or failure, 2 wrong usage (mostly reported by clap).

use std::process::ExitCode;

use clap::Parser;
use gazetted::cli::{Cli, Outcome};
use gazetted::observe::log::Log;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log = match Log::start(&cli.log_options()) {
        Ok(log) => log,
        Err(line) => {
            eprintln!("{line}");
            return ExitCode::from(2);
        }
    };
    let outcome = cli.run(log.dropped());
    log.end(outcome.as_ref().err());
    match outcome {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Found) | Err(_) => ExitCode::FAILURE,
    }
}
