//! Records the files that describe authors: those in the folder `authors`.

use std::path::{Path, PathBuf};

use super::bios::ReadBio;
use super::conductor::Ingest;
use super::deletions::DELETION_GRACE;
use super::step::{Trigger, WriteMoment};
use crate::article::load::Loaded;
use crate::article::section::author_at;
use crate::article::{Description, Problem};
use crate::catalog::{self, Catalog, Recorded};
use crate::folder::SourceFormat;
use crate::model::collection::ArticleState;
use crate::model::section::SectionRecord;
use crate::model::taxonomy::View;

impl Ingest {
    /// Records the description of an author. An article that the file was before is withdrawn. Returns whether a document has changed.
    pub(super) fn record_bio(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        loaded: &Loaded,
        description: Description,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(author) = author_of(path) else { return Ok(false) };
        let mut changed = catalog.withdraw(path, ArticleState::Held, moment.version)? == Recorded::Changed;
        self.schedule_twins(path, moment);
        let address = self.channel.url(&author.path());
        let (about, files, mut problems) =
            self.complete_description(catalog, path, description, &loaded.bytes, &address)?;
        let bio = ReadBio { author: author.key.clone(), stat: loaded.stat, files };
        self.bios.note(path, bio);
        let others = self.present_bios_of(&author, path);
        if let Some(first) = others.first().filter(|first| first.as_path() < path) {
            problems.push(Problem::same_author(first));
        } else {
            let record = SectionRecord { path: path.to_string_lossy().into_owned(), about };
            if catalog.describe_author(&author, Some(&record), moment.version)? {
                tracing::info!(path = %path.display(), "the description of an author has changed");
                changed = true;
                // They say now that this one counts.
                self.schedule_bios(others, moment);
            }
        }
        self.problems.set(path.to_path_buf(), loaded.stat, &problems);
        Ok(changed)
    }

    /// A file describes no author any more, if it did. Returns whether a document has changed.
    pub(super) fn forget_bio(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(author) = author_of(path) else { return Ok(false) };
        let is_recorded = is_recorded(catalog, &author, path)?;
        if !is_recorded && !self.bios.has(path) {
            return Ok(false);
        }
        self.bios.forget(path);
        let others = self.present_bios_of(&author, path);
        // Another file may take its place once it has been read; what this one says must not stay until then.
        self.schedule_bios(others, moment);
        Ok(is_recorded && catalog.describe_author(&author, None, moment.version)?)
    }

    /// Forgets the description of an author whose file is missing, unless it was there a moment ago: a program may save it.
    pub(super) fn bio_vanished(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(author) = author_of(path) else { return Ok(false) };
        let is_recorded = is_recorded(catalog, &author, path)?;
        let is_away = self.mounts.hides(path) || !self.folder.is_there() || self.deletions.is_replaced(&self.folder);
        if is_away || !(is_recorded || self.bios.has(path)) {
            return Ok(false);
        }
        if self.bios.note_missing(path) {
            return self.forget_bio(catalog, path, moment);
        }
        self.schedule.set(path.to_path_buf(), moment.instant + DELETION_GRACE, Trigger::Closed);
        Ok(false)
    }

    /// Schedules the recorded descriptions of authors whose files are gone, or are chosen no more.
    pub(super) fn compare_bios(&mut self, catalog: &Catalog, moment: WriteMoment) -> catalog::Result<()> {
        for path in catalog.bios()?.into_iter().map(|record| PathBuf::from(record.path)) {
            let is_chosen = self.folder.format(&self.folder.root().join(&path)).is_some();
            let is_there = is_chosen && self.folder.stat(&path).is_some();
            if !is_there && !self.mounts.hides(&path) {
                self.schedule.add(path, moment.instant, Trigger::Scan);
            }
        }
        Ok(())
    }

    /// The other files in the folder that describe an author, in the order of their paths.
    fn present_bios_of(&self, author: &View, path: &Path) -> Vec<PathBuf> {
        let others = self.bios.others_of(&author.key, path).into_iter();
        others.filter(|other| self.folder.stat(other).is_some()).collect()
    }

    fn schedule_bios(&mut self, paths: Vec<PathBuf>, moment: WriteMoment) {
        for path in paths {
            self.schedule.add(path, moment.instant, Trigger::Closed);
        }
    }
}

/// Whether the description of an author is that of this file.
fn is_recorded(catalog: &Catalog, author: &View, path: &Path) -> catalog::Result<bool> {
    Ok(catalog.bio(author)?.is_some_and(|record| Path::new(&record.path) == path))
}

/// The author whom the file at a path describes, if its text does not say otherwise.
pub(super) fn author_of(path: &Path) -> Option<View> {
    author_at(path, SourceFormat::Markdown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::ingest::content::tests::Site;

    #[test]
    fn a_folder_renamed_to_that_of_authors_or_pages_is_read_again() {
        let mut site = Site::new();
        site.write("team/ann.md", "# Ann\n\nWrites about tides.");
        site.wait();
        assert!(site.public("team/ann.md").is_some());
        site.rename("team", "authors");
        site.wait();
        assert_eq!(site.public("authors/ann.md"), None, "it describes an author");
        site.rename("authors", "pages");
        site.wait();
        assert!(site.content("pages/ann.md").page.is_some());
        site.rename("pages", "team");
        site.wait();
        assert!(site.content("team/ann.md").page.is_none());
    }

    #[test]
    fn a_bio_goes_with_its_file_though_the_other_one_cannot_be_read() {
        let mut site = Site::new();
        site.write("authors/ann.md", "Writes about tides.");
        site.write("authors/ann.txt", "Writes about storms.");
        site.wait();
        let author = author_of(Path::new("authors/ann.md")).unwrap();
        assert!(site.catalog.bio(&author).unwrap().is_some());
        site.put("authors/ann.txt", "<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> other\n");
        site.remove("authors/ann.md");
        site.wait();
        site.wait();
        assert_eq!(site.catalog.bio(&author).unwrap().map(|bio| bio.path), None);
    }
}
