//! Options of several commands, each with its environment variable.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{BaseUrl, Config, Endpoint, Listen, SiteConfig};

/// Options that override the configuration.
#[derive(Debug, Clone, Args)]
pub struct SiteOptions {
    /// Public address of the site, such as `https://example.org/`
    #[arg(long, value_name = "URL", env = "GAZETTED_BASE_URL")]
    base_url: Option<BaseUrl>,
    /// Name of the site and of its main feed
    #[arg(long, value_name = "TEXT", env = "GAZETTED_TITLE", value_parser = title)]
    title: Option<String>,
    /// State directory, which holds the catalog of ids and dates
    #[arg(long, value_name = "DIR", env = "GAZETTED_STATE")]
    state: Option<PathBuf>,
}

impl SiteOptions {
    /// Loads the configuration and applies the options.
    pub fn load(self, file: Option<&Path>) -> anyhow::Result<Config> {
        let mut config = Config::load(file)?;
        self.apply(&mut config);
        Ok(config)
    }

    /// Overrides the values of the file.
    pub fn apply(self, config: &mut Config) {
        if let Some(title) = self.title {
            config.site.title = title;
            config.site.origin.override_key("title");
        }
        config.site.base_url = self.base_url.or(config.site.base_url.take());
        config.state.directory = self.state.or(config.state.directory.take());
    }
}

/// Checks a title as the configuration does.
fn title(text: &str) -> Result<String, String> {
    let site = SiteConfig { title: text.to_owned(), ..SiteConfig::default() };
    site.check()?;
    Ok(site.title)
}

/// The addresses for clients.
#[derive(Debug, Clone, Args)]
pub struct ListenOption {
    /// Address and port to listen on, such as 127.0.0.1:8080; port 0 picks a free one. Or a Unix socket, such as
    /// unix:/run/gazetted.sock. May be repeated, or a list with commas
    #[arg(long, value_name = "ADDRESS", env = "GAZETTED_LISTEN", value_delimiter = ',')]
    listen: Vec<Endpoint>,
}

impl ListenOption {
    /// Overrides the value of the file.
    pub fn apply(self, config: &mut Config) {
        if let Ok(listen) = Listen::try_from(self.listen) {
            config.http.listen = listen;
        }
    }
}

/// The addresses of the admin listener.
#[derive(Debug, Clone, Args)]
pub struct AdminOption {
    /// Address of the admin listener (/readyz, /healthz, /status, /metrics) in the same form [default: admin.listen]
    #[arg(long, value_name = "ADDRESS", env = "GAZETTED_ADMIN_LISTEN", value_delimiter = ',')]
    admin_listen: Vec<Endpoint>,
}

impl AdminOption {
    /// Overrides the value of the file.
    pub fn apply(self, config: &mut Config) {
        if let Ok(listen) = Listen::try_from(self.admin_listen) {
            config.admin.listen = Some(listen);
        }
    }
}
