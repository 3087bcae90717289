//! Files that articles refer to: when one comes, changes or goes, the articles are read again.

use std::path::{Path, PathBuf};

use super::{Ingest, Moment, Seen};
use crate::catalog::{self, Catalog};
use crate::folder::ENDINGS;
use crate::media::media_type;
use crate::watch::QUIET;

/// Articles that a recording may belong to without their saying so: of its name, or in a folder with it.
fn may_have(path: &Path) -> Vec<PathBuf> {
    let is_recording = media_type(path).is_some_and(|kind| kind.starts_with("audio/") || kind.starts_with("video/"));
    if !is_recording {
        return Vec::new();
    }
    let index = path.with_file_name("index");
    ENDINGS.iter().flat_map(|ending| [path.with_extension(ending), index.with_extension(ending)]).collect()
}

impl Ingest {
    /// Has every article read again that refers to a file, or to one in it where it is a folder.
    pub(super) fn media_changed(&mut self, catalog: &mut Catalog, path: &Path, moment: Moment) -> catalog::Result<()> {
        // Its close will be told.
        if self.writing.has(&self.folder.root().join(path)) {
            return Ok(());
        }
        let mut articles = catalog.referring(path)?;
        for article in may_have(path) {
            if catalog.known(&article)?.is_some() {
                articles.push(article);
            }
        }
        for article in articles.into_iter().filter(|article| article != path) {
            catalog.read_again(&article)?;
            self.later.entry(article).or_insert((moment.instant, Seen::Finished));
        }
        Ok(())
    }

    /// Looks for files that changed while nobody watched.
    pub(super) fn compare_media(&mut self, catalog: &Catalog, moment: Moment) -> catalog::Result<()> {
        for (referred, _) in catalog.all_referred()? {
            // Articles among them are compared as articles.
            let file = self.folder.root().join(&referred.path);
            let is_article = self.folder.format(&file).is_some();
            if !is_article && self.stamp(&referred.path) != referred.stamp {
                self.later.entry(referred.path).or_insert((moment.instant + QUIET, Seen::Scanned));
            }
        }
        Ok(())
    }

    /// Which version of a file it is that is at a path; 0 if there is none.
    pub(super) fn stamp(&self, path: &Path) -> i64 {
        let Some(stat) = self.folder.stat(path) else { return 0 };
        let hash = blake3::hash(format!("{} {} {}", stat.size, stat.mtime, stat.inode).as_bytes());
        let bytes = hash.as_bytes().first_chunk().expect("a hash has more than eight bytes");
        // Never 0.
        i64::from_le_bytes(*bytes) | 1
    }
}
