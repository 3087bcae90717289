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
    command: Command,
    /// Configuration file; without it /etc/gazetted/gazetted.toml if there is one, else the defaults
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Form of the log on standard error [default: systemd if that is the journal, else human]
    #[arg(long, global = true, value_name = "FORM")]
    log: Option<LogFormat>,
    /// Least severe level that is logged: off, error, warn, info, debug or trace; also for one part, as in
    /// `gazetted::serve=debug` [default: $RUST_LOG, else info]
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Check(check::Check),
    Explain(explain::Explain),
    Reload(reload::Reload),
    Render(render::Render),
    AdoptIds(adopt_ids::AdoptIds),
    #[command(hide = true)]
    Generate(generate::Generate),
}

/// How a command that did its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong.
    Good,
    /// What it was to find.
    Found,
}

impl Cli {
    /// Returns the form and the filter of the log.
    pub fn log_options(&self) -> LogOptions {
        LogOptions { format: self.log, level: self.log_level.clone() }
    }

    /// Does what the arguments say. `lost` counts lines that the log lacks.
    ///
    /// # Errors
    /// Whatever the command says; one line, once its causes are joined.
    pub fn run(self, lost: Arc<AtomicU64>) -> anyhow::Result<Outcome> {
        let file = self.config.as_deref();
        match self.command {
            Command::Serve(serve) => serve.run(file, lost).map(|()| Outcome::Good),
            Command::Check(check) => check.run(file),
            Command::Explain(explain) => explain.run(file),
            Command::Reload(reload) => reload.run(file),
            Command::Render(render) => render.run(file),
            Command::AdoptIds(adopt) => adopt.run(file),
            Command::Generate(generate) => generate.run().map(|()| Outcome::Good),
        }
    }
}

/// What the command line may say of the site beside the configuration.
#[derive(Debug, Args)]
pub struct SiteOptions {
    /// Public address of the site, as in `https://example.org/`
    #[arg(long, value_name = "URL")]
    base_url: Option<BaseUrl>,
    /// Folder that the catalog is kept in
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl SiteOptions {
    /// The configuration, with what the command line says.
    fn over(self, file: Option<&Path>) -> anyhow::Result<Config> {
        let mut config = Config::load(file)?;
        config.site.base_url = self.base_url.or(config.site.base_url);
        config.state.directory = self.state.or(config.state.directory);
        Ok(config)
    }
}

/// A path without `..` and without links above its last part, which may itself be one.
fn real(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) if name != ".." => Ok(parent.canonicalize().unwrap_or(parent.into()).join(name)),
        _ => Ok(absolute.canonicalize()?),
    }
}

/// The articles at a path: one file, or all below a folder. The configured folder counts where the path lies in it; else the
/// folder that is named, or the one that the file lies in. Gives the folder, the path below it as it counts, and the files.
fn articles(config: &Config, path: &Path) -> anyhow::Result<(Folder, PathBuf, Vec<Found>)> {
    let path = real(path)?;
    let configured = Folder::open(&config.articles).ok();
    // Under the name that the configuration gives it, whatever links lead there.
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
