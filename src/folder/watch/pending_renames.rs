//! Renames of which not all events have arrived.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for the second half of a rename within the folder.
pub(super) const SECOND_HALF_TIMEOUT: Duration = Duration::from_millis(5);
/// How long a first half is remembered after its old path was reported as gone: its second half may be in the queue.
const REPORTED_HALF_TIMEOUT: Duration = Duration::from_secs(10);
/// How long after the rename of a folder events may carry its old name.
const STALE_NAMES: Duration = Duration::from_secs(1);
/// Maximum number of renames of which only the first half is known.
const MAX_HALF_RENAMES: usize = 10_000;
/// Maximum number of folders that were renamed within [`STALE_NAMES`]: each event is compared with all of them.
const MAX_FOLDERS: usize = 256;

/// The first half of a rename.
pub(super) struct HalfRename {
    pub from: PathBuf,
    /// Whether it was a watched folder.
    pub folder: bool,
    /// When it arrived.
    at: Instant,
    /// Whether the old path was reported as gone. The report waits for the second half, because the old path may now hold an
    /// article that changed places with this one.
    reported: bool,
}

/// Renames that are not complete yet.
#[derive(Default)]
pub(super) struct PendingRenames {
    /// First halves, by the cookie that the second half will carry.
    halves: HashMap<usize, HalfRename>,
    /// Cookies of first halves in the order of their arrival, those that were reported first. They may be complete by now.
    arrived: VecDeque<usize>,
    /// Number of those in `arrived` that were reported.
    reported: usize,
    /// The last rename of an article to another article's name, possibly the first half of an exchange: from, to, when.
    pub last: Option<(PathBuf, PathBuf, Instant)>,
    /// Recently renamed folders: from, to, when.
    folders: Vec<(PathBuf, PathBuf, Instant)>,
}

impl PendingRenames {
    /// Whether more renames are pending than can be followed.
    pub fn is_full(&self) -> bool {
        self.arrived.len() > MAX_HALF_RENAMES || self.folders.len() > MAX_FOLDERS
    }

    /// Adds the first half of a rename.
    pub fn begin(&mut self, cookie: usize, from: PathBuf, folder: bool) {
        self.halves.insert(cookie, HalfRename { from, folder, at: Instant::now(), reported: false });
        self.arrived.push_back(cookie);
    }

    /// Removes and returns the first half of a rename.
    pub fn complete(&mut self, cookie: usize) -> Option<HalfRename> {
        self.halves.remove(&cookie)
    }

    /// Returns the old paths of the first halves that are overdue, or of all with `at_once`, each only once.
    pub fn take_moved_out(&mut self, now: Instant, at_once: bool) -> Vec<PathBuf> {
        let mut moved_out = Vec::new();
        while let Some(cookie) = self.arrived.get(self.reported) {
            match self.halves.get_mut(cookie) {
                None => drop(self.arrived.remove(self.reported)),
                Some(half) if at_once || half.at + SECOND_HALF_TIMEOUT <= now => {
                    half.reported = true;
                    moved_out.push(half.from.clone());
                    self.reported += 1;
                }
                Some(_) => break,
            }
        }
        while let Some(cookie) = self.arrived.front().filter(|_| self.reported > 0) {
            match self.halves.get(cookie) {
                Some(half) if half.at + REPORTED_HALF_TIMEOUT > now => break,
                _ => drop(self.halves.remove(cookie)),
            }
            self.arrived.pop_front();
            self.reported -= 1;
        }
        moved_out
    }

    /// Remembers the rename of a folder.
    pub fn note_folder(&mut self, from: PathBuf, to: PathBuf) {
        self.folders.retain(|(one, other, _)| (one, other) != (&from, &to));
        self.folders.push((from, to, Instant::now()));
    }

    /// Returns the current name of a path in an event. The watch of a renamed folder reports events under the old name until it is
    /// replaced.
    pub fn present_name(&mut self, path: &Path) -> PathBuf {
        let now = Instant::now();
        self.folders.retain(|(_, _, at)| now.duration_since(*at) < STALE_NAMES);
        let mut path = path.to_path_buf();
        for (from, to, _) in &self.folders {
            // An event about the folder itself under its old name reports its removal, so the old name is kept.
            if let Ok(rest) = path.strip_prefix(from)
                && !rest.as_os_str().is_empty()
                && matches!(from.try_exists(), Ok(false))
            {
                path = to.join(rest);
            }
        }
        path
    }

    /// When the next pending rename times out.
    pub fn next_wake(&self) -> Option<Instant> {
        let waiting = self.arrived.iter().skip(self.reported).find_map(|cookie| self.halves.get(cookie));
        let half = waiting.map(|half| half.at);
        half.into_iter().chain(self.last.iter().map(|(_, _, at)| *at)).min().map(|at| at + SECOND_HALF_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_halves_are_reported_once_and_forgotten_later() {
        let mut renames = PendingRenames::default();
        for cookie in 0..3 {
            renames.begin(cookie, cookie.to_string().into(), false);
        }
        assert_eq!(renames.complete(1).unwrap().from, Path::new("1"));
        assert_eq!(renames.take_moved_out(Instant::now(), true), [Path::new("0"), Path::new("2")]);
        renames.begin(3, "3".into(), false);
        let later = Instant::now() + SECOND_HALF_TIMEOUT;
        assert_eq!(renames.take_moved_out(later, false), [Path::new("3")]);
        assert_eq!(renames.take_moved_out(later, true), Vec::<PathBuf>::new());
        assert!(renames.complete(0).is_some_and(|half| half.reported), "its second half was late");
        renames.take_moved_out(later + REPORTED_HALF_TIMEOUT, false);
        assert!(renames.halves.is_empty() && renames.arrived.is_empty() && renames.reported == 0);
        assert_eq!(renames.next_wake(), None);
    }

    #[test]
    fn the_number_of_pending_renames_is_limited() {
        let mut renames = PendingRenames::default();
        for _ in 0..MAX_FOLDERS * 4 {
            renames.note_folder("a".into(), "b".into());
            renames.note_folder("b".into(), "a".into());
        }
        assert_eq!(renames.folders.len(), 2);
        for cookie in 0..=MAX_HALF_RENAMES {
            assert!(!renames.is_full());
            renames.begin(cookie, "a".into(), false);
        }
        assert!(renames.is_full());
        let mut renames = PendingRenames::default();
        for number in 0..=MAX_FOLDERS {
            renames.note_folder(number.to_string().into(), "b".into());
        }
        assert!(renames.is_full());
    }
}
