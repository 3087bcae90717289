//! Files that are missing or were emptied, and the deadlines for deleting their articles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::system::file_identity::FileIdentity;

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
    /// When a held mass deletion may proceed; set when the operator is warned.
    held_until: Option<Instant>,
    /// Whether the watched folder itself is missing; then nothing is deleted.
    folder_is_away: bool,
    /// The folder when it last held articles.
    inhabited: Option<FileIdentity>,
}

impl Deletions {
    pub fn is_missing(&self, path: &Path) -> bool {
        self.missing.contains_key(path)
    }

    /// Number of missing files.
    pub fn count(&self) -> usize {
        self.missing.len()
    }

    /// Marks a file as missing, unless it is marked already.
    pub fn add(&mut self, path: PathBuf, now: Instant) {
        self.missing.entry(path).or_insert(now + DELETION_GRACE);
    }

    /// Marks a file as missing, with the given deadline.
    pub fn add_until(&mut self, path: PathBuf, deadline: Instant) {
        self.missing.insert(path, deadline);
    }

    /// Cancels the deletion of a file that exists again, or whose article has moved. Returns its deadline.
    pub fn cancel(&mut self, path: &Path) -> Option<Instant> {
        self.missing.remove(path)
    }

    /// Records that an emptied file has text again.
    pub fn clear_emptied(&mut self, path: &Path) {
        self.emptied.remove(path);
    }

    /// Whether the watched folder itself is missing.
    pub fn is_away(&self) -> bool {
        self.folder_is_away
    }

    /// Missing files that are due by a time.
    pub fn due_missing(&self, by: Instant) -> Vec<PathBuf> {
        due(&self.missing, by)
    }

    /// Returns whether a file has been empty for long enough. The first call starts the grace period.
    pub fn has_been_empty_long_enough(&mut self, path: &Path, now: Instant) -> bool {
        *self.emptied.entry(path.to_path_buf()).or_insert(now + DELETION_GRACE) <= now
    }

    /// Ends a mass deletion once no file is missing.
    pub fn end_mass_deletion(&mut self) {
        if self.missing.is_empty() {
            self.held_until = None;
        }
    }

    /// Whether any missing file is due.
    pub fn is_any_due(&self, now: Instant) -> bool {
        self.missing.values().any(|at| *at <= now)
    }

    /// Emptied files that are due.
    pub fn due_emptied(&self, now: Instant) -> Vec<PathBuf> {
        due(&self.emptied, now)
    }

    /// When the next deletion is due. While the folder is missing or `is_held`, missing files have no deadline.
    pub fn next(&self, is_held: bool) -> Option<Instant> {
        let missing = self.missing.values().filter(|_| !self.folder_is_away && !is_held);
        let missing = missing.map(|at| self.held_until.map_or(*at, |until| until.max(*at)));
        missing.chain(self.emptied.values().copied()).min()
    }

    /// Records that the folder is missing. Returns whether it existed before.
    pub fn mark_folder_away(&mut self) -> bool {
        !std::mem::replace(&mut self.folder_is_away, true)
    }

    /// Records that the folder exists. Returns whether it was missing before.
    pub fn mark_folder_present(&mut self) -> bool {
        let was_away = std::mem::take(&mut self.folder_is_away);
        if was_away {
            self.missing.clear();
        }
        was_away
    }

    /// Remembers the identity of the folder, which holds articles now.
    pub fn inhabit(&mut self, folder: &Folder) {
        self.inhabited = folder.identity();
    }

    /// Whether a different folder is at the path of the one that last held articles.
    pub fn is_replaced(&self, folder: &Folder) -> bool {
        self.inhabited.is_some_and(|before| folder.identity() != Some(before))
    }

    /// Returns whether the missing files may be deleted now. A mass deletion waits, after a warning.
    pub fn may_delete(&mut self, all: usize, now: Instant) -> bool {
        let vanished = self.missing.len();
        let many = vanished > MANY_DELETIONS && vanished * 2 > all;
        if (many || (vanished >= all && all > 1)) && self.held_until.is_none() {
            let seconds = MASS_DELETION_GRACE.as_secs();
            tracing::warn!(
                vanished,
                all,
                seconds,
                "many articles have vanished: they will be deleted soon unless their files come back"
            );
            self.held_until = Some(now + MASS_DELETION_GRACE);
            return false;
        }
        // Files that vanish during the wait may be part of the same mistake.
        self.held_until.is_none_or(|until| until <= now)
    }
}

fn due(deadlines: &HashMap<PathBuf, Instant>, now: Instant) -> Vec<PathBuf> {
    deadlines.iter().filter(|(_, at)| **at <= now).map(|(path, _)| path.clone()).collect()
}
