//! Options of several commands.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{BaseUrl, Config};

/// Options that override the configuration.
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
    pub fn load(self, file: Option<&Path>) -> anyhow::Result<Config> {
        let mut config = Config::load(file)?;
        config.site.base_url = self.base_url.or(config.site.base_url);
        config.state.directory = self.state.or(config.state.directory);
        Ok(config)
    }
}
