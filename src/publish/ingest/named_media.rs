//! Media files that articles name without their folders. The index is made when an article needs it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::folder::media::media_type;
use crate::folder::{Folder, MediaNames};

/// The media files of the folder by their names, once an article has asked for one.
#[derive(Debug, Default)]
pub(super) struct NamedMedia {
    names: RefCell<Option<MediaNames>>,
}

impl NamedMedia {
    /// The file of a name that is nearest to the article at `from`.
    pub fn nearest(&self, folder: &Folder, name: &Path, from: &Path) -> Option<PathBuf> {
        let mut names = self.names.borrow_mut();
        let names = names.get_or_insert_with(|| MediaNames::of(folder));
        names.nearest(name.file_name()?, from).map(Path::to_path_buf)
    }

    /// Follows a change at a path, which may be that of a folder.
    pub fn changed(&mut self, folder: &Folder, path: &Path) {
        let index = self.names.get_mut();
        let Some(names) = index else { return };
        let is_file = folder.stat(path).is_some();
        match media_type(path) {
            Some(_) if is_file => names.insert(path.to_path_buf()),
            Some(_) => names.remove(path),
            None if is_file || folder.format(&folder.root().join(path)).is_some() => {}
            // A folder with all that is in it.
            None => *index = None,
        }
    }
}
