//! `gazetted render [FEED]`: prints a feed.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::outcome::Outcome;
use super::site_options::{ListenOption, SiteOptions};
use crate::daemon;
use crate::render::feed;
use crate::render::feed::format::FeedFormat;
use crate::render::on_demand::{RecordedFeed, Route};

/// Print a feed as the daemon serves it
///
/// The feed is rendered from the catalog, whether the daemon is running or not.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Feed: `tags/NAME`, `sections/FOLDER`, `authors/NAME` or `archive/NUMBER` [default: the main feed]
    feed: Option<String>,
    /// Format
    #[arg(long, value_parser = format_parser(), default_value = feed::FORMATS.recommended().name)]
    format: &'static FeedFormat,
    // Counts for a site without base_url.
    #[command(flatten)]
    listen: ListenOption,
    #[command(flatten)]
    site: SiteOptions,
}

/// Parses the name of a format.
fn format_parser() -> impl TypedValueParser<Value = &'static FeedFormat> {
    PossibleValuesParser::new(feed::FORMATS.iter().map(|format| format.name))
        .map(|name| feed::FORMATS.named(&name).expect("the names come from the same table"))
}

impl RenderArgs {
    /// Prints the feed.
    ///
    /// # Errors
    /// The feed does not exist, or no daemon has run on the folder yet.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let mut config = self.site.load(file)?;
        self.listen.apply(&mut config);
        let name = self.feed.unwrap_or_default();
        let route = match name.trim_matches('/') {
            "" => None,
            path => match Route::at(path, feed::FORMATS) {
                route @ Some(Route::View(..) | Route::Archive(..)) => route,
                _ => bail!("{name}: not a feed: use tags/NAME, sections/FOLDER, authors/NAME or archive/NUMBER"),
            },
        };
        match daemon::render(&config, route.as_ref(), self.format)? {
            RecordedFeed::Feed(text) => {
                std::io::stdout().write_all(text.as_bytes()).context("cannot print the feed")?;
            }
            RecordedFeed::Unread => {
                bail!("{name}: the daemon has not read all of its articles yet: try again in a minute")
            }
            RecordedFeed::Nothing => bail!("{name}: there is no such feed"),
        }
        Ok(Outcome::Good)
    }
}
