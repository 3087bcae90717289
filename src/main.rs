//! Runs a command and sets the exit code: 0 good, 1 problem found or failure, 2 wrong usage (mostly reported by clap), 141 output that is
//! not read to its end.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;

use gazetted::cli::{Cli, Outcome};
use gazetted::observe::log::{Log, is_closed_output};

/// Exit code of a command whose output is not read to its end: that of programs that the signal SIGPIPE ends.
const OUTPUT_CLOSED: u8 = 128 + 13;

fn main() -> ExitCode {
    let cli = Cli::from_process().unwrap_or_else(|error| error.exit());
    let log = match Log::start(&cli.log_options()) {
        Ok(log) => log,
        Err(line) => {
            eprintln!("{line}");
            return ExitCode::from(2);
        }
    };
    let dropped = log.dropped();
    let outcome = match catch_unwind(AssertUnwindSafe(|| cli.run(dropped))) {
        Ok(outcome) => outcome,
        Err(panic) if panic.downcast_ref::<String>().is_some_and(|reason| is_closed_output(reason)) => {
            return ExitCode::from(OUTPUT_CLOSED);
        }
        Err(panic) => resume_unwind(panic),
    };
    log.end(outcome.as_ref().err());
    match outcome {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Found) | Err(_) => ExitCode::FAILURE,
    }
}
