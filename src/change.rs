//! All that can reach the writer. A change is a hint where to look; what is true is found by looking.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A hint from the folder. Paths are absolute, below the watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This file may be new, changed or gone: a writer has finished with it, or it was removed.
    Look(PathBuf),
    /// A file or a folder was renamed within the watched folder.
    Moved {
        /// Where it was.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
    /// Two files changed places at once.
    Exchanged {
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// Anything may have changed: compare the whole folder with the catalog.
    LookEverywhere,
}

/// Most articles that are asked for at the same time.
const MOST_ASKED_FOR: usize = 10_000;

/// Articles that readers wait for, whose texts the writer has not read yet. The writer reads all of them sooner or later, and is
/// at it for as long as there are any: so nobody has to wake it.
#[derive(Debug, Clone, Default)]
pub struct TextRequests(Arc<(Mutex<Numbers>, Condvar)>);

#[derive(Debug, Default)]
struct Numbers {
    /// Those that the writer does not know of yet.
    new: BTreeSet<i64>,
    /// Those that it is reading.
    taken: BTreeSet<i64>,
    /// Nothing is left to be read.
    is_closed: bool,
}

impl TextRequests {
    /// Waits until articles were read. Says whether they were, in the time that there is.
    pub fn wait(&self, numbers: &[i64], patience: Duration) -> bool {
        let (_, read) = &*self.0;
        let mut asked = self.numbers();
        // Whoever asks has looked before that was so.
        if asked.is_closed {
            return true;
        }
        if asked.new.len() + numbers.len() > MOST_ASKED_FOR {
            return false;
        }
        asked.new.extend(numbers);
        let is_open = |asked: &mut Numbers| {
            numbers.iter().any(|number| asked.new.contains(number) || asked.taken.contains(number))
        };
        let waited = read.wait_timeout_while(asked, patience, is_open);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// What is to be read first: at most so many.
    pub fn take(&self, most: usize) -> Vec<i64> {
        let mut asked = self.numbers();
        let taken: Vec<i64> = asked.new.iter().copied().take(most).collect();
        for number in &taken {
            asked.new.remove(number);
            asked.taken.insert(*number);
        }
        taken
    }

    /// What was taken was read, as far as it can be.
    pub fn done(&self) {
        self.numbers().taken.clear();
        self.0.1.notify_all();
    }

    /// There is something to be read from now on, or nothing any more.
    pub fn set_open(&self, is_open: bool) {
        let mut asked = self.numbers();
        asked.is_closed = !is_open;
        if asked.is_closed {
            asked.new.clear();
            asked.taken.clear();
            self.0.1.notify_all();
        }
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_waits_until_it_is_read() {
        let asked = TextRequests::default();
        assert!(!asked.wait(&[1, 2], Duration::from_millis(1)), "nobody reads");
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
