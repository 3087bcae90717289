//! Which folders are watched by now: whoever compares them looks into none before, so that nothing slips in between.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Shared by the watch, which goes from folder to folder, and whoever follows it.
#[derive(Debug, Clone, Default)]
pub struct Armed(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    under_way: Mutex<Option<HashSet<PathBuf>>>,
    changed: Condvar,
}

impl Armed {
    /// Waits until a folder is watched, or until all are that can be.
    pub fn wait_for(&self, folder: &Path) {
        let is_to_come =
            |under_way: &mut Option<HashSet<PathBuf>>| under_way.as_ref().is_some_and(|done| !done.contains(folder));
        let waited = self.0.changed.wait_while(self.under_way(), is_to_come);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// The watch is going to go from folder to folder. It has been to all of them when what this gives is dropped.
    pub(super) fn begin(&self) -> Arming {
        *self.under_way() = Some(HashSet::new());
        Arming(self.clone())
    }

    fn under_way(&self) -> MutexGuard<'_, Option<HashSet<PathBuf>>> {
        // Nothing that holds the lock can leave half a change behind.
        self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watch is on its way.
pub(super) struct Arming(Armed);

impl Arming {
    /// It is done with this folder.
    pub fn done_with(&self, folder: &Path) {
        if let Some(done) = &mut *self.0.under_way() {
            done.insert(folder.to_path_buf());
        }
        self.0.0.changed.notify_all();
    }
}

impl Drop for Arming {
    fn drop(&mut self) {
        *self.0.under_way() = None;
        self.0.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_folder_is_waited_for_until_it_is_watched_or_never_will_be() {
        let armed = Armed::default();
        armed.wait_for(Path::new("before it has begun"));
        let arming = armed.begin();
        arming.done_with(Path::new("/a/b"));
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
        arming.done_with(Path::new("/a/c"));
        assert_eq!(passed.recv(), Ok("/a/c"));
        drop(arming);
        assert_eq!(passed.recv(), Ok("/elsewhere"));
    }
}
