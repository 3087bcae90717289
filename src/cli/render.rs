//! `gazetted render [FEED]`: a feed on standard output, without a server.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Outcome, SiteOptions};
use crate::daemon;
use crate::render::feed;
use crate::render::feed::format::FeedFormat;
use crate::render::on_demand::{Printed, Route};

/// Print a feed as the daemon serves it
///
/// It is made from what the daemon has recorded, whether it runs or not.
#[derive(Debug, Args)]
pub struct Render {
    /// Which feed, as in `tags/rust`, `sections/news`, `authors/ann` or `archive/1`; without it the main feed
    feed: Option<String>,
    /// In which format
    #[arg(long, value_parser = format_parser(), default_value = feed::FORMATS.recommended().name)]
    format: &'static FeedFormat,
    /// Address and port that the daemon listens on, where it has no public address
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    site: SiteOptions,
}

/// Parses the name of a format.
fn format_parser() -> impl TypedValueParser<Value = &'static FeedFormat> {
    PossibleValuesParser::new(feed::FORMATS.iter().map(|format| format.name))
        .map(|name| feed::FORMATS.named(&name).expect("the names come from the same table"))
}

impl Render {
    /// Prints the feed.
    ///
    /// # Errors
    /// There is no such feed, or no daemon has run on the folder yet.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let mut config = self.site.over(file)?;
        config.http.listen = self.listen.map_or(config.http.listen, Into::into);
        let name = self.feed.unwrap_or_default();
        let route = match name.trim_matches('/') {
            "" => None,
            path => match Route::at(path, feed::FORMATS) {
                route @ Some(Route::View(..) | Route::Archive(..)) => route,
                _ => bail!("{name}: no feed; there are tags/NAME, sections/FOLDER, authors/NAME and archive/NUMBER"),
            },
        };
        match daemon::render(&config, route.as_ref(), self.format)? {
            Printed::Feed(text) => std::io::stdout().write_all(text.as_bytes()).context("cannot print the feed")?,
            Printed::Unread => bail!("{name}: the daemon has not read all that is in it yet; try again in a minute"),
            Printed::Nothing => bail!("{name}: there is no such feed"),
        }
        Ok(Outcome::Good)
    }
}
