//! Files outside of the watched folder that other parts of the daemon have open. The watch checks once a second that they are still in
//! their places, since no error reports that an open file was removed or replaced.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fence::Fence;

/// Files and folders with their identities. The default watches none.
#[derive(Debug, Clone, Default)]
pub struct Sentinel(Arc<[(PathBuf, FileIdentity)]>);

/// Device and inode.
type FileIdentity = (u64, u64);

fn identity(path: &Path) -> Option<FileIdentity> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Sentinel {
    /// Watches those of the paths that exist.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(paths.into_iter().filter_map(|path| identity(&path).map(|identity| (path, identity))).collect())
    }

    /// Returns the first path at which another file is, or none.
    pub fn displaced(&self) -> Option<&Path> {
        let displaced = self.0.iter().find(|(path, before)| identity(path) != Some(*before));
        displaced.map(|(path, _)| path.as_path())
    }

    /// Returns whether a path is watched and another file is there, or none.
    pub fn is_displaced(&self, path: &Path) -> bool {
        self.0.iter().any(|(watched, before)| watched == path && identity(path) != Some(*before))
    }
}

/// The files outside of the watched folder that a watch observes.
#[derive(Debug, Clone, Default)]
pub struct OutsideFiles {
    pub fence: Fence,
    /// Files whose removal or replacement is reported as [`Change::Displaced`](crate::change::Change::Displaced).
    pub sentinel: Sentinel,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_and_replaced_files_are_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| directory.path().join(name));
        std::fs::write(&paths[0], "a").unwrap();
        std::fs::write(&paths[1], "b").unwrap();
        let sentinel = Sentinel::of(paths.clone());
        assert_eq!(sentinel.displaced(), None);
        std::fs::write(&paths[0], "edited").unwrap();
        std::fs::write(&paths[2], "new").unwrap();
        assert_eq!(sentinel.displaced(), None, "the content does not matter, and a new file is not watched");
        std::fs::rename(&paths[2], &paths[1]).unwrap();
        assert_eq!(sentinel.displaced(), Some(paths[1].as_path()));
        assert_eq!(paths.each_ref().map(|path| sentinel.is_displaced(path)), [false, true, false]);
        std::fs::remove_file(&paths[0]).unwrap();
        assert_eq!(sentinel.displaced(), Some(paths[0].as_path()));
        assert_eq!(Sentinel::default().displaced(), None);
    }
}
