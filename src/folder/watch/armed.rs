//! Tracks which folders are already watched. A reconciliation waits for each before it lists it, so that no change falls between.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Shared by the watch, which arms one folder after the other, and the reconciliation that follows it.
#[derive(Debug, Clone, Default)]
pub struct Armed(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    armed_so_far: Mutex<Option<HashSet<PathBuf>>>,
    changed: Condvar,
}

impl Armed {
    /// Waits until a folder is watched, or until the watch has visited all folders.
    pub fn wait_for(&self, folder: &Path) {
        let is_pending =
            |folders: &mut Option<HashSet<PathBuf>>| folders.as_ref().is_some_and(|done| !done.contains(folder));
        let waited = self.0.changed.wait_while(self.armed_so_far(), is_pending);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Starts a pass of the watch over all folders. Dropping the result ends it.
    pub(super) fn begin(&self) -> Arming {
        *self.armed_so_far() = Some(HashSet::new());
        Arming(self.clone())
    }

    fn armed_so_far(&self) -> MutexGuard<'_, Option<HashSet<PathBuf>>> {
        // Each change under the lock is a single operation, so a panic cannot leave a partial one.
        self.0.armed_so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pass of the watch over all folders.
pub(super) struct Arming(Armed);

impl Arming {
    /// Marks a folder as watched.
    pub fn mark(&self, folder: &Path) {
        if let Some(done) = &mut *self.0.armed_so_far() {
            done.insert(folder.to_path_buf());
        }
        self.0.0.changed.notify_all();
    }
}

impl Drop for Arming {
    fn drop(&mut self) {
        *self.0.armed_so_far() = None;
        self.0.0.changed.notify_all();
    }
}

#[cfg(test)]
impl Armed {
    /// Begins a pass that watches no folder, so that each wait lasts until the result is dropped.
    pub fn block(&self) -> impl Drop + Send + use<> {
        self.begin()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn waiting_ends_when_a_folder_is_watched_or_the_pass_is_over() {
        let armed = Armed::default();
        armed.wait_for(Path::new("before it has begun"));
        let arming = armed.begin();
        arming.mark(Path::new("/a/b"));
        armed.wait_for(Path::new("/a/b/"));
        let (sender, passed) = channel();
        for folder in ["/a/c", "/elsewhere"] {
            let (armed, sender) = (armed.clone(), sender.clone());
            std::thread::spawn(move || {
                armed.wait_for(Path::new(folder));
                sender.send(folder).unwrap();
            });
        }
        assert_eq!(passed.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout));
        arming.mark(Path::new("/a/c"));
        assert_eq!(passed.recv(), Ok("/a/c"));
        drop(arming);
        assert_eq!(passed.recv(), Ok("/elsewhere"));
    }
}
