//! `gazetted reload`: have the running daemon read its configuration again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Outcome, SiteOptions};
use crate::daemon;

/// Have the running daemon read its configuration again
///
/// Says what came of it. A configuration that cannot be used is refused, and the daemon goes on with the one that it has.
#[derive(Debug, Args)]
pub struct Reload {
    /// Folder that the daemon publishes [default: articles.directory]
    directory: Option<PathBuf>,
    #[command(flatten)]
    site: SiteOptions,
}

impl Reload {
    /// Reads the configuration first: what is wrong with it is said where it was asked for.
    ///
    /// # Errors
    /// The configuration is wrong, no daemon can be reached, or it says why it keeps the configuration that it has.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let mut config = self.site.over(file)?;
        config.articles.directory = self.directory.unwrap_or(config.articles.directory);
        println!("{}", daemon::reload(&config)?);
        Ok(Outcome::Good)
    }
}
