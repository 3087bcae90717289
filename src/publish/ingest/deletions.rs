//! Files that are missing or were emptied: how long they may come back, and what happens to their articles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Ingest, Queue, Trigger, WriteMoment};
use crate::article::Problem;
use crate::catalog::{self, Catalog, Recorded};
use crate::folder::watch::QUIET;
use crate::folder::{Folder, Stat};
use crate::model::collection::ArticleState;

/// How long a file may be missing or empty before its article is deleted. Many programs save by deleting and writing again.
pub const DELETION_GRACE: Duration = Duration::from_secs(2);
/// More deletions than this at once, if they are more than half of all articles, are probably a mistake.
const MANY_DELETIONS: usize = 20;
/// How long such a mass deletion waits.
const MASS_DELETION_GRACE: Duration = Duration::from_mins(1);

/// Missing and emptied files, each with the time when its article is deleted, and the state of the folder as a whole.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    missing: HashMap<PathBuf, Instant>,
    emptied: HashMap<PathBuf, Instant>,
    /// Until when a mass deletion waits; set when the operator was warned.
    held_until: Option<Instant>,
    /// The folder is away: nothing is deleted.
    folder_is_away: bool,
    /// Device and inode of the folder when it last held articles.
    inhabited: Option<(u64, u64)>,
}

impl Deletions {
    pub fn is_missing(&self, path: &Path) -> bool {
        self.missing.contains_key(path)
    }

    /// Number of missing files.
    pub fn count(&self) -> usize {
        self.missing.len()
    }

    /// A file is missing from now on, if it was not before.
    pub fn add(&mut self, path: PathBuf, now: Instant) {
        self.missing.entry(path).or_insert(now + DELETION_GRACE);
    }

    /// A file is missing, with its own deadline.
    pub fn add_until(&mut self, path: PathBuf, deadline: Instant) {
        self.missing.insert(path, deadline);
    }

    /// A file is there again, or its article is elsewhere. Returns the deadline that it had.
    pub fn cancel(&mut self, path: &Path) -> Option<Instant> {
        self.missing.remove(path)
    }

    /// An emptied file has text again.
    pub fn refilled(&mut self, path: &Path) {
        self.emptied.remove(path);
    }

    /// Emptied files that are due.
    pub fn due_emptied(&self, now: Instant) -> Vec<PathBuf> {
        due(&self.emptied, now)
    }

    /// When the next deletion is due. While the folder is away or `is_held`, missing files wait without a time.
    pub fn next(&self, is_held: bool) -> Option<Instant> {
        let missing = self.missing.values().filter(|_| !self.folder_is_away && !is_held);
        let missing = missing.map(|at| self.held_until.map_or(*at, |until| until.max(*at)));
        missing.chain(self.emptied.values().copied()).min()
    }

    /// The folder is away. Returns whether it was there before.
    pub fn folder_left(&mut self) -> bool {
        !std::mem::replace(&mut self.folder_is_away, true)
    }

    /// The folder is there. Returns whether it was away before.
    pub fn folder_returned(&mut self) -> bool {
        let was_away = std::mem::take(&mut self.folder_is_away);
        if was_away {
            self.missing.clear();
        }
        was_away
    }

    /// The folder, as it is now, holds articles.
    pub fn inhabit(&mut self, folder: &Folder) {
        self.inhabited = folder.identity();
    }

    /// Whether another folder is in the place of the one that last held articles.
    pub fn is_replaced(&self, folder: &Folder) -> bool {
        self.inhabited.is_some_and(|before| folder.identity() != Some(before))
    }

    /// Whether the missing files may be deleted now. So many at once wait, after a warning.
    fn may_delete(&mut self, all: usize, now: Instant) -> bool {
        let vanished = self.missing.len();
        let many = vanished > MANY_DELETIONS && vanished * 2 > all;
        if (many || (vanished >= all && all > 1)) && self.held_until.is_none() {
            let seconds = MASS_DELETION_GRACE.as_secs();
            tracing::warn!(
                vanished,
                all,
                seconds,
                "many articles have vanished: they are deleted soon unless they come back"
            );
            self.held_until = Some(now + MASS_DELETION_GRACE);
            return false;
        }
        // Files that vanish meanwhile may be part of the same mistake.
        self.held_until.is_none_or(|until| until <= now)
    }
}

fn due(deadlines: &HashMap<PathBuf, Instant>, now: Instant) -> Vec<PathBuf> {
    deadlines.iter().filter(|(_, at)| **at <= now).map(|(path, _)| path.clone()).collect()
}

impl Ingest {
    /// Deletes the articles whose files have been missing for long enough. Returns whether something that is served has changed.
    pub(super) fn delete_missing(
        &mut self,
        catalog: &mut Catalog,
        queue: Queue,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        // A missing file may be among those that are still to be read, under another name.
        if self.deletions.folder_is_away || self.is_reading() {
            return Ok(false);
        }
        let mut missing = due(&self.deletions.missing, moment.instant);
        let Some(since) = self.fences.may_delete(!missing.is_empty(), queue, moment.instant) else { return Ok(false) };
        missing.retain(|path| self.deletions.missing[path] <= since);
        self.delete(catalog, missing, moment)
    }

    fn delete(&mut self, catalog: &mut Catalog, paths: Vec<PathBuf>, moment: WriteMoment) -> catalog::Result<bool> {
        if paths.is_empty() {
            return Ok(false);
        }
        // The folder itself may have vanished after its files did.
        if !self.folder.is_there() || self.deletions.is_replaced(&self.folder) {
            self.deletions.folder_is_away = true;
            return Ok(false);
        }
        if !self.deletions.may_delete(catalog.count()?, moment.instant) {
            return Ok(false);
        }
        let mut changed = false;
        for path in paths {
            changed |= self.delete_one(catalog, &path, moment)?;
        }
        if self.deletions.missing.is_empty() {
            self.deletions.held_until = None;
        }
        Ok(changed)
    }

    fn delete_one(&mut self, catalog: &mut Catalog, path: &Path, moment: WriteMoment) -> catalog::Result<bool> {
        self.deletions.cancel(path);
        self.renames.forget(path);
        let file = self.folder.root().join(path);
        if !self.folder.has_lost(&file) {
            return self.process_path(catalog, &file, Trigger::Scan, moment);
        }
        if self.give_back(catalog, path, moment)? {
            self.process_twins(path, moment);
            return Ok(false);
        }
        tracing::info!(path = %path.display(), "deleted");
        self.problems.notify(path, "deleted".to_owned(), moment);
        let recorded = catalog.withdraw(path, ArticleState::Gone, moment.version)?;
        self.process_twins(path, moment);
        Ok(recorded == Recorded::Changed)
    }

    /// A file or a folder is missing from now on.
    pub(super) fn vanished(&mut self, catalog: &mut Catalog, path: &Path, moment: WriteMoment) -> catalog::Result<()> {
        self.recordings.release_below(path);
        self.process_recordings_of(path, moment);
        self.problems.clear_below(path);
        for article in catalog.known_at_or_below(path)? {
            self.process_twins(&article, moment);
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
            self.problems.leave_out(path, stat, &[problem], None);
            return Ok(false);
        }
        let deadline = self.deletions.emptied.entry(path.clone()).or_insert(moment.instant + DELETION_GRACE);
        if *deadline > moment.instant {
            return Ok(false);
        }
        tracing::info!(path = %path.display(), "no longer published: the file is empty");
        self.problems.notify(&path, "empty, and no longer published".to_owned(), moment);
        if self.give_back_of_empty(catalog, &path, moment)? {
            self.process_twins(&path, moment);
            return Ok(false);
        }
        Ok(catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed)
    }
}
