//! The command line: one file for each command.

pub mod adopt_ids;
mod articles;
pub mod check;
mod environment;
pub mod explain;
pub mod export;
mod exports;
pub mod generate;
pub mod health;
pub mod import;
mod outcome;
mod podcasts;
pub mod preview;
mod progress;
pub mod reload;
pub mod render;
pub mod serve;
mod site_options;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::observe::log::{LogFormat, LogOptions};
pub use outcome::Outcome;

/// Watches a folder of articles and serves it as RSS, Atom and JSON Feed.
#[derive(Debug, Parser)]
#[command(name = "gazetted", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
    /// Configuration file [default: /etc/gazetted/gazetted.toml if it exists, else the built-in defaults]
    #[arg(long, global = true, value_name = "FILE", env = "GAZETTED_CONFIG")]
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
    Health(health::HealthArgs),
    Render(render::RenderArgs),
    Export(export::ExportArgs),
    AdoptIds(adopt_ids::AdoptIdsArgs),
    Import(import::ImportArgs),
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

impl Cli {
    /// Parses the arguments of the process, and the environment variables in the place of missing options.
    ///
    /// # Errors
    /// Wrong usage, or a request for help; clap prints it and sets the exit code.
    pub fn from_process() -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        Self::from_arg_matches(&environment::parse(Self::command(), &arguments)?)
    }

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
            CliCommand::Health(health) => health.run(file),
            CliCommand::Render(render) => render.run(file),
            CliCommand::Export(export) => export.run(file),
            CliCommand::AdoptIds(adopt) => adopt.run(file),
            CliCommand::Import(import) => import.run(),
            CliCommand::Generate(generate) => generate.run(&Self::command()).map(|()| Outcome::Good),
        }
    }
}
