//! `gazetted reload`: makes the running daemon read its configuration again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::outcome::Outcome;
use super::site_options::SiteOptions;
use crate::daemon;

/// Make the running daemon read its configuration again
///
/// Prints the result. An invalid configuration is refused, and the daemon keeps the current one.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// Folder of articles that the daemon watches [default: articles.directory]
    directory: Option<PathBuf>,
    #[command(flatten)]
    site: SiteOptions,
}

impl ReloadArgs {
    /// Loads the configuration first, so that its errors are reported here.
    ///
    /// # Errors
    /// The configuration is invalid, no daemon can be reached, or the daemon refuses the configuration.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let mut config = self.site.load(file)?;
        config.articles.directory = self.directory.unwrap_or(config.articles.directory);
        println!("{}", daemon::reload(&config)?);
        Ok(Outcome::Good)
    }
}
