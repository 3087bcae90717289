//! Files outside of the watched folder that other parts of the daemon have open. The watch checks once a second that they are still in
//! their places, since no error reports that an open file was removed or replaced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fence::Fence;
use crate::system::file_identity::FileIdentity;

/// Files and folders with their identities. The default watches none.
#[derive(Debug, Clone, Default)]
pub struct Sentinel(Arc<[(PathBuf, FileIdentity)]>);

impl Sentinel {
    /// Watches open files: each path with the file that was opened there. Between the opening and this call another file may have taken
    /// its place, which is noticed as well.
    pub fn of(files: impl IntoIterator<Item = (PathBuf, FileIdentity)>) -> Self {
        Self(files.into_iter().collect())
    }

    /// Returns the first path at which another file is, or none.
    pub fn displaced(&self) -> Option<&Path> {
        let displaced = self.0.iter().find(|(path, before)| FileIdentity::at(path) != Some(*before));
        displaced.map(|(path, _)| path.as_path())
    }

    /// Returns whether a path is watched and another file is there, or none.
    pub fn is_displaced(&self, path: &Path) -> bool {
        self.0.iter().any(|(watched, before)| watched == path && FileIdentity::at(path) != Some(*before))
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
        let open = [&paths[0], &paths[1]].map(|path| (path.clone(), FileIdentity::at(path).unwrap()));
        let sentinel = Sentinel::of(open.clone());
        assert_eq!(sentinel.displaced(), None);
        std::fs::write(&paths[0], "edited").unwrap();
        std::fs::write(&paths[2], "new").unwrap();
        assert_eq!(sentinel.displaced(), None, "the content does not matter, and a new file is not watched");
        std::fs::rename(&paths[2], &paths[1]).unwrap();
        assert_eq!(sentinel.displaced(), Some(paths[1].as_path()));
        assert_eq!(paths.each_ref().map(|path| sentinel.is_displaced(path)), [false, true, false]);
        std::fs::remove_file(&paths[0]).unwrap();
        assert_eq!(sentinel.displaced(), Some(paths[0].as_path()));
        assert_eq!(Sentinel::of(open).displaced(), Some(paths[0].as_path()), "replaced before it was watched");
        assert_eq!(Sentinel::default().displaced(), None);
    }
}
