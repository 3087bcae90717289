//! `gazetted adopt-ids FEED_FILE...`: takes over the ids of another publisher, so that no reader shows old articles as new.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::outcome::Outcome;
use super::site_options::SiteOptions;
use crate::daemon;
use crate::model::collection::ImportedEntry;
use crate::model::text::{path_line, single_line};
use crate::moving;

/// Take over the ids and dates of a feed that was published elsewhere
///
/// Articles are matched by address, by file name or by title. An entry without an article is kept until its file arrives. The
/// daemon must not be running. The exit code is 1 if a date or an entry could not be read; each is named.
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
        if config.replicas.log.is_some() {
            bail!("adopt-ids changes the catalog of one node only: run it with one node, before `replicas.log` is set");
        }
        let mut entries: Vec<ImportedEntry> = Vec::new();
        let mut outcome = Outcome::Good;
        for path in &self.feeds {
            let name = path_line(path);
            let bytes = std::fs::read(path).with_context(|| format!("{name}: cannot read it"))?;
            let feed =
                moving::read_feed(&bytes).map_err(|reason| anyhow::Error::msg(single_line(&reason).into_owned()));
            let feed = feed.with_context(|| format!("{name}: not a feed"))?;
            for remark in &feed.remarks {
                println!("{}", remark.in_file(path));
            }
            if feed.is_incomplete {
                outcome = Outcome::Found;
            }
            entries.extend(feed.entries.into_iter().map(ImportedEntry::from));
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
        Ok(outcome)
    }
}
