//! Writes the state directory again from the open catalog, after it was removed or replaced while the daemon runs.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::control_socket::SOCKET;
use super::state_dir::{self, LOCK, RECOVERED, StateLock};
use crate::catalog::{Catalog, FILE};
use crate::folder::watch::Sentinel;

/// Name of the file in the state directory whose events are fences between the events of the watched folder.
pub const FENCE: &str = "fence";

/// The files of a state directory that are open while the daemon runs, and must stay in their places.
pub fn sentinel(state: &Path) -> Sentinel {
    let files = catalog_files(state).into_iter();
    Sentinel::of(files.chain([LOCK, SOCKET, FENCE].map(|name| state.join(name))).chain([state.to_path_buf()]))
}

/// The catalog, its write-ahead log and the index of that log.
fn catalog_files(state: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| state.join(format!("{FILE}{suffix}")))
}

/// The state of a pipeline that has ended. Its catalog is still open, even if the file has no name any more.
#[derive(Debug)]
pub struct OpenState {
    pub catalog: Catalog,
    pub sentinel: Sentinel,
}

impl OpenState {
    /// Returns the first file that was removed or replaced while the catalog was open.
    pub fn displaced(&self) -> Option<&Path> {
        self.sentinel.displaced()
    }

    /// Makes the state directory again, locks it, and writes the catalog into it, as far as their files are not in their places. The
    /// open catalog has the truth: one that has taken its place is set aside. If this fails, it can be repeated.
    ///
    /// # Errors
    /// The directory or the catalog cannot be written, or another process has locked the directory.
    pub fn write_again(&self, state: &Path, lock: &StateLock) -> anyhow::Result<()> {
        state_dir::make(state)?;
        if self.sentinel.is_displaced(&state.join(LOCK)) {
            lock.take_again(state)?;
        }
        let is_displaced = catalog_files(state).iter().any(|file| self.sentinel.is_displaced(file));
        let aside = if is_displaced { self.replace_catalog(state)? } else { None };
        tracing::info!(
            state = %state.display(),
            set_aside = aside.map(|aside| aside.display().to_string()),
            "the state directory has been written again"
        );
        Ok(())
    }

    /// Returns the name under which a catalog in its place was set aside.
    fn replace_catalog(&self, state: &Path) -> anyhow::Result<Option<PathBuf>> {
        let problem = |what: &str| format!("{}: cannot {what} the catalog", state.display());
        let scratch = state.join(RECOVERED);
        state_dir::clear(&scratch);
        DirBuilder::new().mode(0o700).create(&scratch).with_context(|| problem("write"))?;
        let new = scratch.join(FILE);
        self.catalog.copy_to(&new).with_context(|| problem("copy"))?;
        File::open(&new).and_then(|file| file.sync_all()).with_context(|| problem("write"))?;
        let [file, log, index] = catalog_files(state);
        let aside = if self.sentinel.is_displaced(&file) { state_dir::set_aside(state)? } else { None };
        // SQLite would apply a log that is left over to the new file.
        for left_over in [log, index] {
            match std::fs::remove_file(&left_over) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| problem("replace"));
                }
                _ => {}
            }
        }
        std::fs::rename(&new, &file).with_context(|| problem("replace"))?;
        File::open(state).and_then(|directory| directory.sync_all()).with_context(|| problem("replace"))?;
        let _ = std::fs::remove_dir_all(&scratch);
        Ok(aside)
    }
}
