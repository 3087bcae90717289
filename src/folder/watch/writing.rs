//! The files that are open for writing, as far as events show.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A file that is open for writing.
#[derive(Debug, Clone, Copy)]
pub struct OpenFile {
    /// When it was opened or last written.
    pub last: Instant,
    /// Whether anything was written since it appeared.
    pub wrote: bool,
}

/// Shared by the watch, which records it, and ingest, which must not publish a file that is open for writing.
#[derive(Debug, Clone, Default)]
pub struct OpenFiles(Arc<Mutex<HashMap<PathBuf, OpenFile>>>);

impl OpenFiles {
    /// Whether a file is open for writing.
    pub fn has(&self, file: &Path) -> bool {
        self.files().contains_key(file)
    }

    pub(super) fn opened(&self, file: &Path) {
        self.files().insert(file.to_path_buf(), OpenFile { last: Instant::now(), wrote: false });
    }

    pub(super) fn wrote(&self, file: &Path) {
        self.files().insert(file.to_path_buf(), OpenFile { last: Instant::now(), wrote: true });
    }

    pub(super) fn closed(&self, file: &Path) {
        self.files().remove(file);
    }

    pub(super) fn get(&self, file: &Path) -> Option<OpenFile> {
        self.files().get(file).copied()
    }

    pub(super) fn forget(&self, top: &Path) {
        self.files().retain(|file, _| !file.starts_with(top));
    }

    /// Removes and returns the files without writes since `then`.
    pub(super) fn take_idle_since(&self, then: Instant) -> Vec<PathBuf> {
        self.files().extract_if(|_, writer| writer.last <= then).map(|(file, _)| file).collect()
    }

    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, OpenFile>> {
        // Each change under the lock is a single operation, so a panic cannot leave a partial one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
