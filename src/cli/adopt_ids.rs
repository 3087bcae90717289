//! `gazetted adopt-ids FEED_FILE...`: takes over the ids of another publisher, so that no reader shows old articles as new.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::outcome::Outcome;
use super::site_options::SiteOptions;
use crate::daemon;
use crate::model::text::single_line;
use crate::render::feed::imported;

/// Take over the ids and dates of a feed that was published elsewhere
///
/// Articles are matched by address, by file name or by title. An entry without an article is kept until its file arrives. The
/// daemon must not be running.
#[derive(Debug, Args)]
pub struct AdoptIdsArgs {
    /// RSS, Atom or JSON Feed documents saved from the old site
    #[arg(required = true)]
    feeds: Vec<PathBuf>,
    #[command(flatten)]
    site: SiteOptions,
}

impl AdoptIdsArgs {
    /// # Errors
    /// A feed cannot be read, or a daemon is running.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let config = self.site.load(file)?;
        let mut entries = Vec::new();
        for feed in &self.feeds {
            let text = std::fs::read_to_string(feed).with_context(|| format!("{}: cannot read it", feed.display()))?;
            let imported = imported::read(&text).map_err(anyhow::Error::msg);
            entries.extend(imported.with_context(|| format!("{}: not a feed", feed.display()))?);
        }
        let adoption = daemon::adopt(&config, &entries)?;
        println!("{} entries read, {} of them known from before", entries.len(), adoption.known);
        println!("{} articles have the id of the old feed", adoption.matched);
        for entry in &adoption.waiting {
            println!("no article yet: {}", single_line(entry));
        }
        if !adoption.waiting.is_empty() {
            println!("{} entries wait for a file with their address or title", adoption.waiting.len());
        }
        Ok(Outcome::Good)
    }
}
