//! The command line: one file for each command.

pub mod serve;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Watches a folder of articles and serves it as RSS, Atom and JSON Feed.
#[derive(Debug, Parser)]
#[command(name = "gazetted", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Configuration file; without it /etc/gazetted/gazetted.toml if there is one, else the defaults
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
}

impl Cli {
    /// Does what the arguments say.
    ///
    /// # Errors
    /// Whatever the command says; one line, once its causes are joined.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(serve) => serve.run(self.config.as_deref()),
        }
    }
}
