//! Arguments -> a command -> an exit code: 0 good, 1 found or failed, 2 wrong usage (which clap ends with itself).

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use gazetted::cli::{Cli, Outcome};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Never blocks: a log that nobody reads must not stop the feeds. Lines that find no room are dropped.
    let (writer, _flush) = tracing_appender::non_blocking(std::io::stderr());
    let terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(writer).with_ansi(terminal).with_target(false).init();
    match cli.run() {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::FAILURE,
        Err(error) => {
            // One line: what, where and why, joined from the outermost cause to the innermost.
            eprintln!("gazetted: {error:#}");
            ExitCode::FAILURE
        }
    }
}
