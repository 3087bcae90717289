//! The messages to the single writer. A change is a hint where to look; reading the file says what is true.

mod queue;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use queue::{ChangeReceiver, ChangeSender, channel};

/// A hint from the folder. Paths are absolute, below the watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This file may be new, changed or gone: it was closed after writing, or removed.
    Look(PathBuf),
    /// A file was renamed within the watched folder.
    Moved {
        /// Where it was.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
    /// A folder was renamed within the watched folder.
    FolderMoved {
        /// Where it was.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
    /// Two files changed places atomically.
    Exchanged {
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// The fence that the writer raised: every change before it has been sent.
    Fence,
    /// Hints were lost. Until a fence that is raised from now on has passed, the order of renames is unknown: they are recognised by
    /// the files alone. A [`Change::Reconcile`] follows.
    Lost,
    /// Anything may have changed: reconcile the whole folder with the catalog.
    Reconcile,
    /// A file of the state directory was removed or replaced.
    Displaced,
}

/// Maximum number of articles with pending requests.
const MAX_REQUESTED: usize = 10_000;

/// Requests for articles whose texts the writer has not read yet. While any text is unread, the writer is running, so a request
/// need not wake it.
#[derive(Debug, Clone, Default)]
pub struct TextRequests(Arc<(Mutex<Requested>, Condvar)>);

#[derive(Debug, Default)]
struct Requested {
    /// Requests that the writer has not taken yet.
    new: BTreeSet<i64>,
    /// Requests that it is reading.
    taken: BTreeSet<i64>,
    /// No text is unread.
    is_closed: bool,
}

impl TextRequests {
    /// Waits until the texts of articles have been read. Returns false after `timeout`, or if too many are requested.
    pub fn wait(&self, numbers: &[i64], timeout: Duration) -> bool {
        let (_, read) = &*self.0;
        let mut requested = self.requested();
        // The caller saw the articles unread before that.
        if requested.is_closed {
            return true;
        }
        if requested.new.len() + numbers.len() > MAX_REQUESTED {
            return false;
        }
        requested.new.extend(numbers);
        let is_open = |requested: &mut Requested| {
            numbers.iter().any(|number| requested.new.contains(number) || requested.taken.contains(number))
        };
        let waited = read.wait_timeout_while(requested, timeout, is_open);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Takes at most `most` requests, to be read first.
    pub fn take(&self, most: usize) -> Vec<i64> {
        let mut requested = self.requested();
        let taken: Vec<i64> = requested.new.iter().copied().take(most).collect();
        for number in &taken {
            requested.new.remove(number);
            requested.taken.insert(*number);
        }
        taken
    }

    /// Marks the taken requests as done, whether their texts could be read or not.
    pub fn done(&self) {
        self.requested().taken.clear();
        self.0.1.notify_all();
    }

    /// Records whether any text is unread.
    pub fn set_open(&self, is_open: bool) {
        let mut requested = self.requested();
        requested.is_closed = !is_open;
        if requested.is_closed {
            requested.new.clear();
            requested.taken.clear();
            self.0.1.notify_all();
        }
    }

    fn requested(&self) -> MutexGuard<'_, Requested> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_waits_until_the_text_is_read() {
        let asked = TextRequests::default();
        assert!(!asked.wait(&[1, 2], Duration::from_millis(1)), "nothing reads");
        assert_eq!(asked.take(1), [1]);
        let reader = asked.clone();
        let waiting = std::thread::spawn(move || reader.wait(&[1, 2], Duration::from_mins(1)));
        while !waiting.is_finished() {
            asked.take(10);
            asked.done();
        }
        assert!(waiting.join().unwrap());
        assert!(!asked.wait(&(0..20_000).collect::<Vec<_>>(), Duration::from_mins(1)), "too many");
        let reader = asked.clone();
        let waiting = std::thread::spawn(move || reader.wait(&[3], Duration::from_mins(1)));
        asked.set_open(false);
        assert!(waiting.join().unwrap(), "everything is read");
        assert!(asked.wait(&[4], Duration::from_mins(1)) && asked.take(10).is_empty(), "and stays so");
        asked.set_open(true);
        assert!(!asked.wait(&[4], Duration::from_millis(1)), "until something else is to be read");
    }
}
