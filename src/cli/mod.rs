//! The command line: one file for each command.

pub mod adopt_ids;
pub mod check;
pub mod explain;
pub mod generate;
mod progress;
pub mod reload;
pub mod render;
pub mod serve;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::{Args, Parser, Subcommand};

use crate::config::{Articles, BaseUrl, Config};
use crate::folder::{Folder, Found};
use crate::observe::log::{LogFormat, LogOptions};

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
    Reload(reload::ReloadArgs),
    Render(render::RenderArgs),
    AdoptIds(adopt_ids::AdoptIdsArgs),
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

/// Result of a command that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Good,
    /// The command found a problem. Exit code 1.
    Found,
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
            CliCommand::Reload(reload) => reload.run(file),
            CliCommand::Render(render) => render.run(file),
            CliCommand::AdoptIds(adopt) => adopt.run(file),
            CliCommand::Generate(generate) => generate.run().map(|()| Outcome::Good),
        }
    }
}

/// Options of several commands that override the configuration.
#[derive(Debug, Args)]
pub struct SiteOptions {
    /// Public address of the site, such as `https://example.org/`
    #[arg(long, value_name = "URL")]
    base_url: Option<BaseUrl>,
    /// State directory, which holds the catalog of ids and dates
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl SiteOptions {
    /// Loads the configuration and applies the options.
    fn load(self, file: Option<&Path>) -> anyhow::Result<Config> {
        let mut config = Config::load(file)?;
        config.site.base_url = self.base_url.or(config.site.base_url);
        config.state.directory = self.state.or(config.state.directory);
        Ok(config)
    }
}

/// Resolves `..` and symbolic links, except in the last component.
fn resolve_parent(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) if name != ".." => Ok(parent.canonicalize().unwrap_or(parent.into()).join(name)),
        _ => Ok(absolute.canonicalize()?),
    }
}

/// Finds the articles at a path: one file, or all below a folder. They belong to the configured folder if the path lies in it,
/// else to the given folder, or to the folder of the given file. Returns that folder, the resolved path, and the files.
fn articles(config: &Config, path: &Path) -> anyhow::Result<(Folder, PathBuf, Vec<Found>)> {
    let path = resolve_parent(path)?;
    let configured = Folder::open(&config.articles).ok();
    // Uses the configured spelling of the folder, even if links lead to it.
    let inside = configured.and_then(|folder| {
        let below = path.strip_prefix(folder.root().canonicalize().ok()?).ok()?.to_path_buf();
        Some((folder.root().join(below), folder))
    });
    let (path, configured) = inside.map_or((path, None), |(path, folder)| (path, Some(folder)));
    let folder = if let Some(folder) = configured {
        folder
    } else {
        let directory = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
        Folder::open(&Articles { directory: directory.to_path_buf(), ..config.articles.clone() })?
    };
    let found = if path.is_dir() { folder.files_below(&path)? } else { Found::at(&path).into_iter().collect() };
    Ok((folder, path, found))
}
