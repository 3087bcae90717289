//! Writes the state directory again from the open catalog, after it was removed or replaced while the daemon runs.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::control_socket::SOCKET;
use super::state_dir::{self, LOCK, RECOVERED, StateLock};
use crate::catalog::{Catalog, FILE};
use crate::folder::watch::Sentinel;
use crate::system::file_identity::FileIdentity;

/// Name of the file in the state directory whose events are fences between the events of the watched folder.
pub const FENCE: &str = "fence";

/// The files of a state directory that are open while the daemon runs, and must stay in their places.
pub fn sentinel(state: &Path, lock: &StateLock, catalog: &Catalog) -> Sentinel {
    let [file, log, index] = catalog_files(state);
    let opened = [Some((file, catalog.file_identity())), lock.identity().map(|lock| (state.join(LOCK), lock))];
    // Their openers do not say which file they have opened. Some may not exist.
    let others = [state.to_path_buf(), log, index, state.join(SOCKET), state.join(FENCE)];
    let others = others.into_iter().filter_map(|path| FileIdentity::at(&path).map(|identity| (path, identity)));
    Sentinel::of(opened.into_iter().flatten().chain(others))
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
    /// open catalog has the truth: one that has taken its place is set aside. If this fails, it can be repeated. Returns the file with
    /// the catalog.
    ///
    /// # Errors
    /// The directory or the catalog cannot be written, or another process has locked the directory.
    pub fn write_again(&self, state: &Path, lock: &StateLock) -> anyhow::Result<FileIdentity> {
        state_dir::make(state)?;
        if self.sentinel.is_displaced(&state.join(LOCK)) {
            lock.take_again(state)?;
        }
        let is_displaced = catalog_files(state).iter().any(|file| self.sentinel.is_displaced(file));
        let (aside, file) =
            if is_displaced { self.replace_catalog(state)? } else { (None, self.catalog.file_identity()) };
        tracing::info!(
            state = %state.display(),
            set_aside = aside.map(|aside| aside.display().to_string()),
            "the state directory has been written again"
        );
        Ok(file)
    }

    /// Returns the name under which a catalog in its place was set aside, and the new file.
    fn replace_catalog(&self, state: &Path) -> anyhow::Result<(Option<PathBuf>, FileIdentity)> {
        let problem = |what: &str| format!("{}: cannot {what} the catalog", state.display());
        let scratch = state.join(RECOVERED);
        state_dir::clear(&scratch);
        DirBuilder::new().mode(0o700).create(&scratch).with_context(|| problem("write"))?;
        let new = scratch.join(FILE);
        self.catalog.copy_to(&new).with_context(|| problem("copy"))?;
        let copy = File::open(&new).with_context(|| problem("write"))?;
        copy.sync_all().with_context(|| problem("write"))?;
        let identity = FileIdentity::of(&copy.metadata().with_context(|| problem("write"))?);
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
        Ok((aside, identity))
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::catalog::CatalogError;
    use crate::config::Articles;
    use crate::daemon::state_dir::Opening;
    use crate::folder::Folder;

    /// A state directory that is locked, with its open catalog, and another catalog beside it.
    fn open_state(directory: &Path) -> (PathBuf, StateLock, Catalog, PathBuf) {
        let folder = directory.join("articles");
        std::fs::create_dir(&folder).unwrap();
        let folder = Folder::open(&Articles { directory: folder, ..Articles::default() }).unwrap();
        let (state, other) = (directory.join("state"), directory.join("other"));
        let lock = state_dir::take(&state, &folder).unwrap();
        let catalog = state_dir::open_catalog(&state, None, &Opening::AsIs).unwrap();
        std::fs::create_dir(&other).unwrap();
        drop(Catalog::open(&other, None, Utc::now()).unwrap());
        (state, lock, catalog, other.join(FILE))
    }

    #[test]
    fn a_file_that_is_replaced_before_it_is_watched_is_noticed() {
        for name in [FILE, LOCK] {
            let directory = tempfile::tempdir().unwrap();
            let (state, lock, catalog, other) = open_state(directory.path());
            assert_eq!(sentinel(&state, &lock, &catalog).displaced(), None);
            std::fs::rename(other, state.join(name)).unwrap();
            let sentinel = sentinel(&state, &lock, &catalog);
            assert_eq!(sentinel.displaced(), Some(state.join(name).as_path()));
        }
    }

    #[test]
    fn only_the_catalog_that_was_written_again_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let (state, lock, catalog, other) = open_state(directory.path());
        let namespace = catalog.namespace();
        let sentinel = sentinel(&state, &lock, &catalog);
        let open = OpenState { catalog, sentinel };
        std::fs::remove_dir_all(&state).unwrap();
        let written = Opening::Written(open.write_again(&state, &lock).unwrap());
        assert_eq!(state_dir::open_catalog(&state, None, &written).unwrap().namespace(), namespace);
        std::fs::rename(other, state.join(FILE)).unwrap();
        let is_replaced = || {
            let error = state_dir::open_catalog(&state, None, &written).unwrap_err();
            matches!(error.downcast_ref(), Some(CatalogError::Replaced))
        };
        assert!(is_replaced(), "a valid catalog");
        std::fs::write(state.join(FILE), "no catalog").unwrap();
        assert!(is_replaced(), "a damaged catalog is not recovered");
        let rewritten = Opening::Written(open.write_again(&state, &lock).unwrap());
        assert_eq!(state_dir::open_catalog(&state, None, &rewritten).unwrap().namespace(), namespace);
    }
}
