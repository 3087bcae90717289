//! Deletes the articles of files that stay missing, and takes back those of files that stay empty.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::deletions::DELETION_GRACE;
use super::mounting::UNMOUNTED;
use super::problems::PublicState;
use super::remembered_renames::Whereabouts;
use super::step::{Queue, Trigger, WriteMoment};
use crate::article::Problem;
use crate::catalog::{self, Catalog, Recorded};
use crate::folder::Stat;
use crate::folder::watch::QUIET;
use crate::model::collection::ArticleState;

impl Ingest {
    /// Deletes the articles whose files have been missing for long enough. Returns whether something that is served has changed.
    pub(super) fn delete_missing(
        &mut self,
        catalog: &mut Catalog,
        queue: Queue,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        // A missing file may be among those that are still to be read, under another name.
        if self.deletions.is_away() || self.is_reading() || self.is_undecided() {
            return Ok(false);
        }
        let is_any_due = self.deletions.is_any_due(moment.instant);
        let Some(since) = self.fences.deletable_since(is_any_due, queue, moment.instant) else { return Ok(false) };
        self.delete(catalog, self.deletions.due_missing(since), moment)
    }

    fn delete(&mut self, catalog: &mut Catalog, paths: Vec<PathBuf>, moment: WriteMoment) -> catalog::Result<bool> {
        if paths.is_empty() {
            return Ok(false);
        }
        // The folder itself may have vanished after its files did.
        let reason = if self.is_unmounted(catalog)? {
            Some(UNMOUNTED)
        } else if !self.folder.is_there() {
            Some("it is missing or cannot be read")
        } else {
            self.deletions.is_replaced(&self.folder).then_some("another folder is in its place")
        };
        if let Some(reason) = reason {
            self.report_folder_away(reason);
            return Ok(false);
        }
        let paths = self.keep_mounted(paths);
        if paths.is_empty() || !self.deletions.may_delete(catalog.count()?, moment.instant) {
            return Ok(false);
        }
        let mut changed = false;
        for path in paths {
            changed |= self.delete_one(catalog, &path, moment)?;
        }
        self.deletions.end_mass_deletion();
        Ok(changed)
    }

    /// Leaves out the articles of mounts that are away.
    fn keep_mounted(&mut self, paths: Vec<PathBuf>) -> Vec<PathBuf> {
        if self.mounts.is_empty() {
            return paths;
        }
        self.examine_mounts();
        let (hidden, rest): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| self.is_hidden_by_mount(path));
        for path in hidden {
            self.deletions.cancel(&path);
        }
        rest
    }

    fn delete_one(&mut self, catalog: &mut Catalog, path: &Path, moment: WriteMoment) -> catalog::Result<bool> {
        self.deletions.cancel(path);
        self.renames.forget(path);
        let file = self.folder.root().join(path);
        if !self.folder.has_lost(&file) {
            return self.process_path(catalog, &file, Trigger::Scan, moment);
        }
        catalog.note_level(path)?;
        if !catalog.has_seen(path)? {
            return Ok(false);
        }
        if let Some(known) = catalog.known(path)? {
            match self.whereabouts(&known) {
                Whereabouts::Recorded => {}
                Whereabouts::Moving => {
                    self.renames.forget_place(known.stat);
                    self.deletions.add(path.to_path_buf(), moment.instant);
                    return Ok(false);
                }
                Whereabouts::Elsewhere(place) => {
                    self.schedule.add(place.clone(), moment.instant, Trigger::Scan);
                    return self.follow_file(catalog, &known, place, moment);
                }
            }
        }
        self.supervisor.forget_gone(|_| BTreeSet::from([path.to_path_buf()]));
        if self.give_back(catalog, path, moment)? {
            self.schedule_twins(path, moment);
            return Ok(false);
        }
        tracing::info!(path = %path.display(), "deleted");
        self.problems.notify(path, "deleted".to_owned(), moment);
        let recorded = catalog.withdraw(path, ArticleState::Gone, moment.version)?;
        self.schedule_twins(path, moment);
        Ok(recorded == Recorded::Changed)
    }

    /// Forgets the files that were left out and are gone. What is on a disk that is away may come back.
    pub(super) fn forget_gone_suspects(&self) {
        self.supervisor.forget_gone(|mut places| {
            places.retain(|path| !self.mounts.hides(path) && self.folder.is_gone(path));
            // The folder itself may have vanished just now.
            if !self.folder.is_there() || self.deletions.is_replaced(&self.folder) {
                places.clear();
            }
            places
        });
    }

    /// A file or a folder is missing from now on.
    pub(super) fn vanished(&mut self, catalog: &mut Catalog, path: &Path, moment: WriteMoment) -> catalog::Result<()> {
        self.recordings.release_below(path);
        self.schedule_recordings_of(path, moment);
        self.problems.clear_below(path);
        for bio in self.bios.depending_on(path) {
            self.schedule.add(bio, moment.instant, Trigger::Closed);
        }
        catalog.note_level(path)?;
        for article in catalog.known_at_or_below(path)? {
            // Its file may not have arrived here.
            if !catalog.has_seen(&article)? {
                continue;
            }
            self.schedule_twins(&article, moment);
            catalog.postpone(&article, moment.now + DELETION_GRACE + QUIET)?;
            self.deletions.add(article, moment.instant);
        }
        Ok(())
    }

    /// A file is empty. Usually it is about to be written; only if it stays empty, its article is taken back.
    pub(super) fn emptied(
        &mut self,
        catalog: &mut Catalog,
        path: PathBuf,
        stat: Stat,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        if catalog.known(&path)?.is_none_or(|known| known.state != ArticleState::Live) {
            let problem = Problem::of_file("nothing in it yet: it is published once it has text");
            self.problems.leave_out(path, stat, &[problem], PublicState::HeldBack, None);
            return Ok(false);
        }
        if !self.deletions.has_been_empty_long_enough(&path, moment.instant) {
            return Ok(false);
        }
        tracing::info!(path = %path.display(), "no longer published: the file is empty");
        self.problems.notify(&path, "empty, and no longer published".to_owned(), moment);
        if self.return_entry_of_emptied(catalog, &path, moment)? {
            self.schedule_twins(&path, moment);
            return Ok(false);
        }
        Ok(catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::ingest::content::tests::Site;
    use crate::system::reading_journal::ReadingJournal;

    const BAD: &str = "# Bad\n\nIt takes too long to read.";

    /// A site with an article, and with a file that is left out.
    fn site_with_suspect(name: &str) -> Site {
        let mut site = Site::new();
        let journal = ReadingJournal::open(site.state()).unwrap();
        journal.leave_out_slow(Path::new(name), blake3::hash(BAD.as_bytes()).as_bytes());
        site.ingest().record_readings(journal);
        site.write("good.md", "# Good\n\nText");
        site.write(name, BAD);
        assert!(is_left_out(&site, name));
        site.compare_all();
        assert!(is_remembered(&site));
        site
    }

    fn is_left_out(site: &Site, name: &str) -> bool {
        site.problems(name).iter().any(|problem| problem.contains("it is left out until its content changes"))
    }

    fn is_remembered(site: &Site) -> bool {
        site.state().join("readings/suspects.json").exists()
    }

    #[test]
    fn a_file_that_was_left_out_is_forgotten_once_it_is_gone() {
        let mut site = site_with_suspect("bad.md");
        // It is the same file under another name, also for the next process.
        std::fs::rename(site.file("bad.md"), site.file("renamed.md")).unwrap();
        site.look("renamed.md");
        site.compare_all();
        assert!(is_left_out(&site, "renamed.md") && is_remembered(&site));
        let journal = ReadingJournal::open(site.state()).unwrap();
        site.ingest().record_readings(journal);
        site.compare_all();
        assert!(is_remembered(&site));
        site.remove("renamed.md");
        assert!(is_remembered(&site), "it may be written again");
        site.compare_all();
        assert!(!is_remembered(&site));
        site.write("bad.md", BAD);
        assert!(site.public("bad.md").is_some(), "it is read again");
    }

    #[test]
    fn a_file_that_was_left_out_is_forgotten_once_its_content_changes() {
        let mut site = site_with_suspect("bad.md");
        site.write("copy.md", BAD);
        site.write("bad.md", "# Better\n\nText");
        assert!(is_left_out(&site, "copy.md") && is_remembered(&site), "another file has the same content");
        site.write("copy.md", "");
        assert!(is_remembered(&site), "it is about to be written");
        site.write("copy.md", "# Another\n\nText");
        assert!(!is_remembered(&site));
    }

    #[test]
    fn a_file_that_was_left_out_is_forgotten_with_its_article() {
        let mut site = Site::new();
        site.write("good.md", "# Good\n\nText");
        site.write("bad.md", "# Bad\n\nText");
        let journal = ReadingJournal::open(site.state()).unwrap();
        journal.leave_out_slow(Path::new("bad.md"), blake3::hash(BAD.as_bytes()).as_bytes());
        site.ingest().record_readings(journal);
        site.write("bad.md", BAD);
        assert!(site.public("bad.md").is_some() && is_remembered(&site), "the last good version stays");
        site.remove_for_good("bad.md");
        assert!(site.public("bad.md").is_none() && !is_remembered(&site));
    }

    #[test]
    fn a_file_that_was_left_out_is_remembered_while_its_disk_is_away() {
        let mut site = site_with_suspect("disk/bad.md");
        site.write("disk/one.md", "# One\n\nText");
        let away = site.state().join("away");
        std::fs::rename(site.file("disk"), &away).unwrap();
        std::fs::create_dir(site.file("disk")).unwrap();
        site.ingest().mounts.add(Path::new("disk"));
        site.compare_all();
        site.compare_all();
        assert!(site.public("disk/one.md").is_some() && is_remembered(&site));
        // The watched folder itself.
        let root = site.file("");
        let folder_away = site.state().join("folder away");
        std::fs::rename(&root, &folder_away).unwrap();
        site.compare_all();
        assert!(is_remembered(&site));
        std::fs::rename(&folder_away, &root).unwrap();
        std::fs::remove_dir(site.file("disk")).unwrap();
        std::fs::rename(&away, site.file("disk")).unwrap();
        site.compare_all();
        assert!(is_remembered(&site));
        std::fs::remove_file(site.file("disk/bad.md")).unwrap();
        site.compare_all();
        assert!(!is_remembered(&site));
    }
}
