//! Files that articles refer to. When one appears, changes or disappears, the articles are read again.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::recordings::may_own;
use super::step::{Trigger, WriteMoment};
use super::transcripts::Translation;
use crate::catalog::{self, Arrival, Catalog, Identity};
use crate::folder::SourceFormat;
use crate::folder::media::media_type;
use crate::folder::watch::QUIET;

impl Ingest {
    /// Schedules every article that refers to a file, or to a file in it if it is a folder.
    pub(super) fn media_changed(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        // The event of its close follows.
        if self.open_files.has(&self.folder.root().join(path)) {
            return Ok(());
        }
        self.section_files_changed(path, moment);
        self.recordings.add(path);
        self.named_media.changed(&self.folder, path);
        self.transcripts.changed(path);
        let mut articles = if catalog.refers_to_nothing() { Vec::new() } else { catalog.referring(path)? };
        if let Some(name) = path.file_name().filter(|_| media_type(path).is_some() && !catalog.refers_to_nothing()) {
            articles.extend(catalog.referring(&catalog::reference(&name.to_string_lossy()))?);
        }
        // An article refers to the transcript without a language, whether it is there or not.
        if let Some(translation) = Translation::of(path).filter(|_| !catalog.refers_to_nothing()) {
            articles.extend(catalog.referring(&translation.plain)?);
        }
        for article in may_own(path) {
            if catalog.known(&article)?.is_some() {
                articles.push(article);
            }
        }
        for article in articles.into_iter().filter(|article| article != path) {
            catalog.read_again(&article)?;
            self.schedule.add(article, moment.instant, Trigger::Closed);
        }
        Ok(())
    }

    /// Records the names of an article. Schedules every article with a link that may mean it from now on.
    pub(super) fn record_names(
        &mut self,
        catalog: &mut Catalog,
        arrival: &Arrival<'_>,
        identity: &Identity,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let references = catalog.set_names(arrival.article, arrival.path, identity)?;
        if catalog.refers_to_nothing() {
            return Ok(());
        }
        for reference in references {
            for article in catalog.referring(&reference)?.into_iter().filter(|article| article != arrival.path) {
                catalog.read_again(&article)?;
                self.schedule.add(article, moment.instant, Trigger::Closed);
            }
        }
        Ok(())
    }

    /// Schedules every article that was read with another version of a recording, which is an entry of its own.
    pub(super) fn recording_changed(
        &mut self,
        catalog: &mut Catalog,
        recording: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        if catalog.refers_to_nothing() || self.open_files.has(&self.folder.root().join(recording)) {
            return Ok(());
        }
        let stamp = self.stamp(recording);
        for article in catalog.referring(recording)?.into_iter().filter(|article| article != recording) {
            if catalog.stamp_in(&article, recording)? != Some(stamp) {
                catalog.read_again(&article)?;
                self.schedule.add(article, moment.instant, Trigger::Closed);
            }
        }
        Ok(())
    }

    /// Schedules files that changed, and films and transcripts that appeared, while they were not watched.
    pub(super) fn compare_media(
        &mut self,
        catalog: &Catalog,
        films: &[PathBuf],
        moment: WriteMoment,
    ) -> catalog::Result<()> {
        let referred = catalog.all_referred()?;
        let paths: HashSet<&Path> = referred.iter().map(|(path, _)| path.as_path()).collect();
        for film in films.iter().filter_map(|film| self.folder.relative(film)).filter(|film| !paths.contains(film)) {
            let owners = may_own(film).into_iter().filter(|owner| owner.file_stem() == film.file_stem());
            for owner in owners {
                if catalog.known(&owner)?.is_some() {
                    self.schedule.add(film.to_path_buf(), moment.instant + QUIET, Trigger::Scan);
                }
            }
        }
        self.transcripts.clear();
        let is_transcript = |path: &&Path| path.extension().is_some_and(|ending| ending == "vtt");
        let folders: BTreeSet<&Path> = paths.iter().copied().filter(is_transcript).filter_map(Path::parent).collect();
        for folder in folders {
            let found = self.transcripts.in_folder(&self.folder, folder);
            for new in found.into_iter().filter(|found| !paths.contains(found.path.as_path())) {
                self.schedule.add(new.path, moment.instant + QUIET, Trigger::Scan);
            }
        }
        for (path, stamp) in &referred {
            // Articles among them are compared as articles.
            let format = self.folder.format(&self.folder.root().join(path));
            let is_media = format.is_none_or(SourceFormat::may_belong_to_article) && !catalog::is_reference(path);
            if is_media && self.stamp(path) != *stamp {
                self.schedule.add(path.clone(), moment.instant + QUIET, Trigger::Closed);
            }
        }
        Ok(())
    }

    /// A number that differs for each version of the file at a path; 0 without a file.
    pub(super) fn stamp(&self, path: &Path) -> i64 {
        let Some(stat) = self.folder.stat(path) else { return 0 };
        let hash = blake3::hash(format!("{} {} {}", stat.size, stat.mtime, stat.inode).as_bytes());
        let bytes = hash.as_bytes().first_chunk().expect("a hash has more than eight bytes");
        // Never 0.
        i64::from_le_bytes(*bytes) | 1
    }
}
