//! `gazetted render [FEED]`: a feed on standard output, without a server.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::{Outcome, SiteOptions};
use crate::daemon;
use crate::render::on_demand::{FeedFormat, Printed, Route};

/// Print a feed as the daemon serves it
///
/// It is made from what the daemon has recorded, whether it runs or not.
#[derive(Debug, Args)]
pub struct Render {
    /// Which feed, as in `tags/rust`, `sections/news`, `authors/ann` or `archive/1`; without it the main feed
    feed: Option<String>,
    /// In which format
    #[arg(long, value_enum, default_value_t = Named::Atom)]
    format: Named,
    /// Address and port that the daemon listens on, where it has no public address
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    site: SiteOptions,
}

/// Formats by the names that people type.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Named {
    Atom,
    Rss,
    Json,
}

impl From<Named> for FeedFormat {
    fn from(named: Named) -> Self {
        match named {
            Named::Atom => Self::Atom,
            Named::Rss => Self::Rss,
            Named::Json => Self::Json,
        }
    }
}

impl Render {
    /// Prints the feed.
    ///
    /// # Errors
    /// There is no such feed, or no daemon has run on the folder yet.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let mut config = self.site.over(file)?;
        config.http.listen = self.listen.map_or(config.http.listen, Into::into);
        let format = FeedFormat::from(self.format);
        let name = self.feed.unwrap_or_default();
        let address = match name.trim_matches('/') {
            "" => None,
            path => match Route::at(path) {
                Some(Route::View(view, _)) => Some(Route::View(view, format)),
                Some(Route::Archive(number, _)) => Some(Route::Archive(number, format)),
                _ => bail!("{name}: no feed; there are tags/NAME, sections/FOLDER, authors/NAME and archive/NUMBER"),
            },
        };
        match daemon::render(&config, address.as_ref(), format)? {
            Printed::Feed(text) => std::io::stdout().write_all(text.as_bytes()).context("cannot print the feed")?,
            Printed::Unread => bail!("{name}: the daemon has not read all that is in it yet; try again in a minute"),
            Printed::Nothing => bail!("{name}: there is no such feed"),
        }
        Ok(Outcome::Good)
    }
}
