//! Which files somebody is writing, as far as events tell.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A file that is open for writing.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    /// When it was opened or last written to.
    pub last: Instant,
    /// Whether anything was written since it was there.
    pub wrote: bool,
}

/// Shared by the watch, which hears of it, and the writer of the catalog, which must not believe what it read meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Writing(Arc<Mutex<HashMap<PathBuf, Writer>>>);

impl Writing {
    /// Whether somebody has opened the file and not closed it yet.
    pub fn has(&self, file: &Path) -> bool {
        self.files().contains_key(file)
    }

    pub(super) fn opened(&self, file: &Path) {
        self.files().insert(file.to_path_buf(), Writer { last: Instant::now(), wrote: false });
    }

    pub(super) fn wrote(&self, file: &Path) {
        self.files().insert(file.to_path_buf(), Writer { last: Instant::now(), wrote: true });
    }

    pub(super) fn closed(&self, file: &Path) {
        self.files().remove(file);
    }

    pub(super) fn get(&self, file: &Path) -> Option<Writer> {
        self.files().get(file).copied()
    }

    pub(super) fn forget(&self, top: &Path) {
        self.files().retain(|file, _| !file.starts_with(top));
    }

    /// Files that nobody has written to since `then`; they are not in here any more.
    pub(super) fn take_idle_since(&self, then: Instant) -> Vec<PathBuf> {
        self.files().extract_if(|_, writer| writer.last <= then).map(|(file, _)| file).collect()
    }

    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, Writer>> {
        // Nothing that holds the lock can leave half a change behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
