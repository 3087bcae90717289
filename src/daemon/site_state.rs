//! The recorded state of a site, read-only, for commands: whether its daemon is running or not.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::article::Article;
use crate::catalog::{FILE, Reader};
use crate::config::Config;
use crate::folder::Folder;
use crate::model::collection::{FeedLimits, Record};
use crate::model::entry::ArticleId;
use crate::model::taxonomy::{View, ViewKind};

/// A read-only view of the catalog of a folder.
#[derive(Debug)]
pub struct SiteState {
    reader: Reader,
}

impl SiteState {
    /// Opens the state of the site whose articles are in `folder`.
    ///
    /// # Errors
    /// No daemon has run on the folder yet, or its catalog cannot be opened.
    pub fn open(config: &Config, folder: &Folder) -> anyhow::Result<Self> {
        let state = config.state_directory(folder.root())?;
        if !state.join(FILE).exists() {
            anyhow::bail!("no daemon has run on this folder yet: there is no catalog in {}", state.display());
        }
        Ok(Self { reader: Reader::open(&state)? })
    }

    /// Returns the nearest folder above a path that a daemon has served, by the state that it left.
    pub fn folder_above(config: &Config, path: &Path) -> Option<PathBuf> {
        let is_served = |folder: &&Path| {
            let state = config.state_directory(folder).ok().filter(|state| state.join(FILE).exists());
            let recorded = state.and_then(|state| Reader::open(&state).ok()?.recorded_folder().ok()?);
            recorded.is_some_and(|recorded| recorded == folder.display().to_string())
        };
        path.ancestors().skip(1).find(is_served).map(Path::to_path_buf)
    }

    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Returns the record of the file at a path below the watched folder, also of a deleted one.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn record(&self, path: &Path) -> anyhow::Result<Option<Record>> {
        Ok(self.reader.by_path(path)?)
    }

    /// Returns the path of another published article with the same file hash or the same id.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn twin(&self, article: &Article, file_hash: [u8; 32]) -> anyhow::Result<Option<PathBuf>> {
        Ok(self.reader.twin(article, file_hash)?)
    }

    /// Returns the number of articles in a view.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn articles_of(&self, view: &View) -> anyhow::Result<u64> {
        Ok(self.reader.members_of(view)?)
    }

    /// Returns true if the site has views of languages.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn has_languages(&self) -> anyhow::Result<bool> {
        let (groups, _) = self.reader.views(&[ViewKind::Language])?;
        Ok(groups.iter().any(|(_, views)| !views.is_empty()))
    }

    /// Returns true if the main feed contains the article.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn is_in_main_feed(&self, id: &ArticleId, limits: &FeedLimits, now: DateTime<Utc>) -> anyhow::Result<bool> {
        let feed = self.reader.main(limits, self.reader.last_moment(now)?)?;
        Ok(feed.entries.iter().any(|entry| entry.id == *id))
    }
}
