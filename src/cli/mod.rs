//! The command line: one file for each command.

pub mod adopt_ids;
mod articles;
pub mod check;
pub mod explain;
mod exports;
pub mod generate;
pub mod import;
mod outcome;
mod podcasts;
pub mod preview;
mod progress;
pub mod reload;
pub mod render;
pub mod serve;
mod site_options;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::{CommandFactory, Parser, Subcommand};

use crate::observe::log::{LogFormat, LogOptions};
pub use outcome::Outcome;

/// Watches a folder of articles and serves it as RSS, Atom and JSON Feed.
#[derive(Debug, Parser)]
#[command(name = "gazetted", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
    /// Configuration file [default: /etc/gazetted/gazetted.toml if it exists, else the built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Form of the log on standard error [default: systemd if standard error is the journal, else human]
    #[arg(long, global = true, value_name = "FORM")]
    log: Option<LogFormat>,
    /// Log level: off, error, warn, info, debug or trace; or a level for one part of the program, such as
    /// `gazetted::serve=debug` [default: $RUST_LOG, else info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    Serve(serve::ServeArgs),
    Check(check::CheckArgs),
    Explain(explain::ExplainArgs),
    Preview(preview::PreviewArgs),
    Reload(reload::ReloadArgs),
    Render(render::RenderArgs),
    AdoptIds(adopt_ids::AdoptIdsArgs),
    Import(import::ImportArgs),
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

impl Cli {
    /// Returns the form and the filter of the log.
    pub fn log_options(&self) -> LogOptions {
        LogOptions { format: self.log, level: self.log_level.clone() }
    }

    /// Runs the command. `dropped` counts the dropped lines of the log.
    ///
    /// # Errors
    /// The error of the command; joined with its causes, it is one line.
    pub fn run(self, dropped: Arc<AtomicU64>) -> anyhow::Result<Outcome> {
        let file = self.config.as_deref();
        match self.command {
            CliCommand::Serve(serve) => serve.run(file, dropped).map(|()| Outcome::Good),
            CliCommand::Check(check) => check.run(file),
            CliCommand::Explain(explain) => explain.run(file),
            CliCommand::Preview(preview) => preview.run(file),
            CliCommand::Reload(reload) => reload.run(file),
            CliCommand::Render(render) => render.run(file),
            CliCommand::AdoptIds(adopt) => adopt.run(file),
            CliCommand::Import(import) => import.run(),
            CliCommand::Generate(generate) => generate.run(&Self::command()).map(|()| Outcome::Good),
        }
    }
}
