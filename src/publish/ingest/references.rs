//! Files that articles refer to: when one comes, changes or goes, the articles are read again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::recordings::{is_recording, may_own};
use super::{Ingest, Trigger, WriteMoment};
use crate::catalog::{self, Catalog};
use crate::folder::SourceFormat;
use crate::folder::watch::QUIET;

impl Ingest {
    /// Has every article read again that refers to a file, or to one in it where it is a folder.
    pub(super) fn media_changed(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        // Its close will be told.
        if self.writing.has(&self.folder.root().join(path)) {
            return Ok(());
        }
        if let Some(listed) = self.listed.as_mut().filter(|_| is_recording(path)) {
            listed.add(path);
        }
        let mut articles = if catalog.refers_to_nothing() { Vec::new() } else { catalog.referring(path)? };
        for article in may_own(path) {
            if catalog.known(&article)?.is_some() {
                articles.push(article);
            }
        }
        for article in articles.into_iter().filter(|article| article != path) {
            catalog.read_again(&article)?;
            self.later.entry(article).or_insert((moment.instant, Trigger::Finished));
        }
        Ok(())
    }

    /// Has every article read again that was read with another version of a recording, which is an entry of its own.
    pub(super) fn recording_changed(
        &mut self,
        catalog: &mut Catalog,
        recording: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        if catalog.refers_to_nothing() || self.writing.has(&self.folder.root().join(recording)) {
            return Ok(());
        }
        let stamp = self.stamp(recording);
        for article in catalog.referring(recording)?.into_iter().filter(|article| article != recording) {
            if catalog.stamp_in(&article, recording)? != Some(stamp) {
                catalog.read_again(&article)?;
                self.later.entry(article).or_insert((moment.instant, Trigger::Finished));
            }
        }
        Ok(())
    }

    /// Looks for files that changed, and for films that came, while nobody watched.
    pub(super) fn compare_media(
        &mut self,
        catalog: &Catalog,
        films: &[PathBuf],
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let referred = catalog.all_referred()?;
        let known: HashSet<&Path> = referred.iter().map(|(path, _)| path.as_path()).collect();
        for film in films.iter().filter_map(|film| self.folder.relative(film)).filter(|film| !known.contains(film)) {
            let owners = may_own(film).into_iter().filter(|owner| owner.file_stem() == film.file_stem());
            for owner in owners {
                if catalog.known(&owner)?.is_some() {
                    self.later.entry(film.to_path_buf()).or_insert((moment.instant + QUIET, Trigger::Scanned));
                }
            }
        }
        for (path, stamp) in &referred {
            // Articles among them are compared as articles.
            let format = self.folder.format(&self.folder.root().join(path));
            let is_media = format.is_none_or(|format| format == SourceFormat::Audio);
            if is_media && self.stamp(path) != *stamp {
                self.later.entry(path.clone()).or_insert((moment.instant + QUIET, Trigger::Finished));
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
