//! Files that describe authors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::folder::Stat;

/// A description of an author that was read.
#[derive(Debug)]
pub(super) struct ReadBio {
    /// The key of the author's view.
    pub author: String,
    /// With which the file was read.
    pub stat: Stat,
    /// The files that it names.
    pub files: Vec<PathBuf>,
}

/// The descriptions of authors that have been read.
#[derive(Debug, Default)]
pub(super) struct Bios {
    read: BTreeMap<PathBuf, ReadBio>,
    /// Files that went missing, which may be saved again.
    missing: Vec<PathBuf>,
}

impl Bios {
    /// A file was read.
    pub fn note(&mut self, path: &Path, bio: ReadBio) {
        self.missing.retain(|missing| missing != path);
        self.read.insert(path.to_path_buf(), bio);
    }

    /// A file describes no author any more.
    pub fn forget(&mut self, path: &Path) {
        self.missing.retain(|missing| missing != path);
        self.read.remove(path);
    }

    /// Notes that a file is missing. Returns whether it was before.
    pub fn note_missing(&mut self, path: &Path) -> bool {
        let was_missing = self.missing.iter().any(|missing| missing == path);
        if !was_missing {
            self.missing.push(path.to_path_buf());
        }
        was_missing
    }

    pub fn has(&self, path: &Path) -> bool {
        self.read.contains_key(path)
    }

    /// Whether a file was read with this `stat`.
    pub fn is_read(&self, path: &Path, stat: &Stat) -> bool {
        self.read.get(path).is_some_and(|bio| bio.stat == *stat)
    }

    /// The other files that describe an author, in the order of their paths.
    pub fn others_of(&self, author: &str, path: &Path) -> Vec<PathBuf> {
        let is_other = |(file, bio): &(&PathBuf, &ReadBio)| bio.author == author && *file != path;
        self.read.iter().filter(is_other).map(|(file, _)| file.clone()).collect()
    }

    /// The files that name a file, or are in a folder.
    pub fn depending_on(&self, path: &Path) -> Vec<PathBuf> {
        let depends = |(file, bio): &(&PathBuf, &ReadBio)| {
            *file != path && bio.files.iter().chain([*file]).any(|used| used.starts_with(path))
        };
        self.read.iter().filter(depends).map(|(file, _)| file.clone()).collect()
    }
}
