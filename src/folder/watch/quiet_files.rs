//! Files found too soon after they changed, and when to read them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// By path, when a file is to be read.
#[derive(Debug, Default)]
pub struct QuietFiles {
    due: BTreeMap<PathBuf, Instant>,
    /// No file is due before this time.
    next: Option<Instant>,
}

impl QuietFiles {
    /// Sets when a file is to be read, in place of any time set before.
    pub fn set(&mut self, file: PathBuf, at: Instant) {
        self.due.insert(file, at);
        self.note(at);
    }

    /// Sets when a file is to be read, unless a time is set already.
    pub fn add(&mut self, file: PathBuf, at: Instant) {
        self.due.entry(file).or_insert(at);
        self.note(at);
    }

    fn note(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    pub fn remove(&mut self, file: &Path) {
        self.due.remove(file);
    }

    /// Removes a file and all files below it.
    pub fn forget(&mut self, top: &Path) {
        for file in at_or_below(&self.due, top) {
            self.due.remove(&file);
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// A time that is not later than that of any file.
    pub fn next_wake(&self) -> Option<Instant> {
        self.next
    }

    /// Removes and returns the files that are due. Costs nothing before the first one is.
    pub fn take_due(&mut self, now: Instant) -> Vec<PathBuf> {
        if self.next.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let due = self.due.extract_if(.., |_, at| *at <= now).map(|(file, _)| file).collect();
        self.next = self.due.values().copied().min();
        due
    }
}

/// Returns a path and all paths below it, as far as the map has them.
pub fn at_or_below<T>(map: &BTreeMap<PathBuf, T>, path: &Path) -> Vec<PathBuf> {
    // Paths are ordered by their components.
    let range = map.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
    range.map(|(path, _)| path).take_while(|other| other.starts_with(path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_are_due_at_their_times() {
        let (mut files, now) = (QuietFiles::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        files.set("a/b".into(), at(2));
        files.add("a/b".into(), at(1));
        files.set("a.md".into(), at(3));
        files.set("a/c/d".into(), at(3));
        assert_eq!(files.take_due(at(1)), Vec::<PathBuf>::new(), "the first time stays");
        assert_eq!((files.take_due(at(2)), files.next_wake()), (vec!["a/b".into()], Some(at(3))));
        files.set("a/b".into(), at(2));
        files.forget(Path::new("a"));
        assert_eq!(files.take_due(at(9)), [PathBuf::from("a.md")], "`a.md` is not below `a`");
        assert_eq!(files.next_wake(), None);
    }
}
