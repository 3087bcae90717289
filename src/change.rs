//! The messages to the single writer. A change is a hint where to look; reading the file says what is true.

mod queue;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use queue::{ChangeReceiver, ChangeSender, ReplicaWaker, channel};
use tokio::sync::watch;

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
    /// There may be a new record in the log of the replicas.
    Replicated,
}

/// Maximum number of articles with pending requests.
const MAX_REQUESTED: usize = 10_000;

/// Requests for articles whose texts the writer has not read yet. While any text is unread, the writer is running, so a request
/// need not wake it.
#[derive(Debug, Clone, Default)]
pub struct TextRequests(Arc<RequestBoard>);

#[derive(Debug, Default)]
struct RequestBoard {
    requested: Mutex<Requested>,
    /// Notified when texts have been read.
    read: watch::Sender<()>,
}

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
    /// Waits until the texts of articles have been read. Returns false after `timeout`, or if too many are requested. Takes no
    /// thread.
    pub async fn wait(&self, numbers: &[i64], timeout: Duration) -> bool {
        let mut read = self.0.read.subscribe();
        if !self.request(numbers) {
            return false;
        }
        let all_read = async {
            // The sender lives as long as `self`, so waiting cannot fail.
            while self.lacks_any(numbers) && read.changed().await.is_ok() {}
        };
        tokio::time::timeout(timeout, all_read).await.is_ok()
    }

    /// Adds requests. Returns false if there are too many.
    fn request(&self, numbers: &[i64]) -> bool {
        let mut requested = self.requested();
        // The caller saw the articles unread before that.
        if requested.is_closed {
            return true;
        }
        let has_room = requested.new.len() + numbers.len() <= MAX_REQUESTED;
        if has_room {
            requested.new.extend(numbers);
        }
        has_room
    }

    fn lacks_any(&self, numbers: &[i64]) -> bool {
        let requested = self.requested();
        numbers.iter().any(|number| requested.new.contains(number) || requested.taken.contains(number))
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
        self.0.read.send_replace(());
    }

    /// Records whether any text is unread.
    pub fn set_open(&self, is_open: bool) {
        let mut requested = self.requested();
        requested.is_closed = !is_open;
        if requested.is_closed {
            requested.new.clear();
            requested.taken.clear();
            self.0.read.send_replace(());
        }
    }

    fn requested(&self) -> MutexGuard<'_, Requested> {
        self.0.requested.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    fn wait(requests: &TextRequests, numbers: &[i64], timeout: Duration) -> bool {
        block_on(requests.wait(numbers, timeout))
    }

    #[test]
    fn a_request_waits_until_the_text_is_read() {
        let asked = TextRequests::default();
        assert!(!wait(&asked, &[1, 2], Duration::from_millis(1)), "nothing reads");
        assert_eq!(asked.take(1), [1]);
        let reader = asked.clone();
        let waiting = std::thread::spawn(move || wait(&reader, &[1, 2], Duration::from_mins(1)));
        while !waiting.is_finished() {
            asked.take(10);
            asked.done();
        }
        assert!(waiting.join().unwrap());
        assert!(!wait(&asked, &(0..20_000).collect::<Vec<_>>(), Duration::from_mins(1)), "too many");
        let reader = asked.clone();
        let waiting = std::thread::spawn(move || wait(&reader, &[3], Duration::from_mins(1)));
        asked.set_open(false);
        assert!(waiting.join().unwrap(), "everything is read");
        assert!(wait(&asked, &[4], Duration::from_mins(1)) && asked.take(10).is_empty(), "and stays so");
        asked.set_open(true);
        assert!(!wait(&asked, &[4], Duration::from_millis(1)), "until something else is to be read");
    }
}
