//! `gazetted adopt-ids FEED_FILE...`: go on where another publisher stopped, so that nobody is told of old articles anew.

use crate::model::text::single_line;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::{Outcome, SiteOptions};
use crate::daemon;
use crate::render::feed::imported;

/// Take over the ids and dates of a feed that was published elsewhere
///
/// Articles are matched by address, by the name of their file in it, or by title. An entry whose article is not there yet
/// waits for its file. The daemon must not be running.
#[derive(Debug, Args)]
pub struct AdoptIds {
    /// RSS, Atom or JSON Feed documents, as saved from the old site
    #[arg(required = true)]
    feeds: Vec<PathBuf>,
    #[command(flatten)]
    site: SiteOptions,
}

impl AdoptIds {
    /// Reads the feeds, then gives their ids to the articles.
    ///
    /// # Errors
    /// A feed cannot be read, or a daemon is running.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let config = self.site.over(file)?;
        let mut entries = Vec::new();
        for feed in &self.feeds {
            let text = daemon::read_text(feed)?;
            let found = imported::read(&text).map_err(anyhow::Error::msg);
            entries.extend(found.with_context(|| format!("{}: no feed", feed.display()))?);
        }
        let adoption = daemon::adopt(&config, &entries)?;
        println!("{} entries read, {} known before", entries.len(), adoption.known);
        println!("{} articles have the id that their readers know", adoption.matched);
        for entry in &adoption.waiting {
            println!("no article yet: {}", single_line(entry));
        }
        if !adoption.waiting.is_empty() {
            println!("{} entries wait for a file that fits their address or title", adoption.waiting.len());
        }
        Ok(Outcome::Good)
    }
}
