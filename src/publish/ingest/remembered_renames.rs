//! Renames of which not all hints have been followed yet.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::fences::Fences;
use crate::folder::{FileId, Stat};

/// For how long after a hint of a rename others are expected: then a file at a new path also waits for a fence.
const MORE_RENAMES: Duration = Duration::from_secs(5);
/// Maximum number of names aside; articles whose names were forgotten are found by their content.
const MOST_ASIDE: usize = 10_000;

/// How a rename was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A hint reported it.
    Hint,
    /// A file was found at another path than the one in the catalog.
    File,
}

/// Where the file of an article is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// At its recorded path, or nowhere as far as is known.
    Recorded,
    /// At this other path.
    Elsewhere(PathBuf),
    /// It was found at another path, and has left that one, too.
    Moving,
}

/// What is remembered of renames until all hints of them have been followed.
#[derive(Debug, Default)]
pub struct RememberedRenames {
    /// By the present name, which is no article's, the article's name before.
    aside: HashMap<PathBuf, PathBuf>,
    /// Renames that the first scan found before their hint, from and to, and the fence behind which no hint of them can come.
    foreseen: Vec<(PathBuf, PathBuf, u64)>,
    /// Articles whose place the first scan found by their files, each with such a fence. A hint is older than that.
    inferred: HashMap<PathBuf, u64>,
    /// By path, the file that an article had before the first scan found another in its place, and such a fence.
    former: HashMap<PathBuf, (Stat, u64)>,
    /// Files that were found at other places than recorded and are still to be processed.
    unprocessed: HashSet<FileId>,
    /// Where files were last found of which the catalog has another path. Its article waits for such a file.
    places: HashMap<FileId, PathBuf>,
    /// When the last hint of a rename of an article or a folder was followed.
    last_hint: Option<Instant>,
}

impl RememberedRenames {
    /// Forgets hints that cannot come any more.
    pub fn forget_old(&mut self, fences: &Fences) {
        self.foreseen.retain(|(_, _, fence)| !fences.has_passed(*fence));
        self.inferred.retain(|_, fence| !fences.has_passed(*fence));
        self.former.retain(|_, (_, fence)| !fences.has_passed(*fence));
        if self.aside.len() > MOST_ASIDE {
            self.aside.clear();
        }
    }

    /// Sets the files that were found at other places than recorded and are still to be processed.
    pub fn set_unprocessed(&mut self, files: impl IntoIterator<Item = Stat>) {
        self.unprocessed = files.into_iter().filter_map(|file| file.file_id()).collect();
    }

    /// A file is processed now.
    pub fn set_processed(&mut self, file: Stat) {
        file.file_id().map(|file| self.unprocessed.remove(&file));
    }

    /// Whether a file was found at another place and is still to be processed.
    pub fn is_unprocessed(&self, file: Stat) -> bool {
        file.file_id().is_some_and(|file| self.unprocessed.contains(&file))
    }

    /// A comparison has found these files at other places than recorded, and no others.
    pub fn set_places(&mut self, places: HashMap<FileId, PathBuf>) {
        self.places = places;
    }

    /// A file was found at another place than recorded.
    pub fn set_place(&mut self, file: Stat, place: &Path) {
        self.places.extend(file.file_id().map(|file| (file, place.to_path_buf())));
    }

    /// The last place of a file that was found at another place than recorded.
    pub fn place_of(&self, file: Stat) -> Option<&Path> {
        Some(self.places.get(&file.file_id()?)?.as_path())
    }

    /// A file is at its recorded place, or is no article's.
    pub fn forget_place(&mut self, file: Stat) {
        file.file_id().map(|file| self.places.remove(&file));
    }

    /// Whether files are being renamed.
    pub fn is_busy(&self, now: Instant) -> bool {
        self.last_hint.is_some_and(|last| now.saturating_duration_since(last) < MORE_RENAMES)
    }

    /// The article that was at a path is deleted.
    pub fn forget(&mut self, path: &Path) {
        self.aside.retain(|aside, origin| *aside != path && *origin != path);
    }

    /// A hint of the rename of an article or a folder was followed.
    pub fn note_hint(&mut self, now: Instant) {
        self.last_hint = Some(now);
    }

    /// An article was renamed to a name which is no article's.
    pub fn set_aside(&mut self, aside: PathBuf, origin: PathBuf) {
        self.aside.insert(aside, origin);
    }

    /// Removes a name aside. Returns the article's name before.
    pub fn take_aside(&mut self, aside: &Path) -> Option<PathBuf> {
        self.aside.remove(aside)
    }

    /// The name aside of the article that was at a path.
    pub fn aside_of(&self, origin: &Path) -> Option<&PathBuf> {
        self.aside.iter().find(|(_, before)| *before == origin).map(|(aside, _)| aside)
    }

    /// The articles that were at these paths are where they belong.
    pub fn settle(&mut self, paths: [&Path; 2]) {
        self.aside.retain(|_, origin| !paths.contains(&origin.as_path()));
    }

    /// The first scan found a rename before its hint, which must not be followed: another article may be there by then.
    pub fn foresee(&mut self, from: &Path, to: &Path, fence: Option<u64>) {
        self.foreseen.extend(fence.map(|fence| (from.to_path_buf(), to.to_path_buf(), fence)));
    }

    /// Returns whether the first scan found a rename before its hint, and forgets it.
    pub fn was_foreseen(&mut self, from: &Path, to: &Path) -> bool {
        let hint = self.foreseen.iter().position(|hint| (hint.0.as_path(), hint.1.as_path()) == (from, to));
        hint.map(|hint| self.foreseen.swap_remove(hint)).is_some()
    }

    /// The first scan found an article's place by its file.
    pub fn infer(&mut self, path: &Path, fence: Option<u64>) {
        self.inferred.extend(fence.map(|fence| (path.to_path_buf(), fence)));
    }

    pub fn is_inferred(&self, path: &Path) -> bool {
        self.inferred.contains_key(path)
    }

    /// The first scan found another file in the place of an article, whose file was this one.
    pub fn note_former(&mut self, path: &Path, file: Stat, fence: Option<u64>) {
        self.former.extend(fence.map(|fence| (path.to_path_buf(), (file, fence))));
    }

    pub fn take_former(&mut self, path: &Path) -> Option<Stat> {
        self.former.remove(path).map(|(file, _)| file)
    }
}
