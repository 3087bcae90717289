//! The media files of the watched folder by their names, for notes that name a file without its folder.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::Folder;
use super::media::is_served_name;
use super::names::hides_media;

/// Maximum number of files that are indexed.
const MAX_FILES: usize = 200_000;

/// An index of the media files, by their names in lower case.
#[derive(Debug, Default)]
pub struct MediaNames {
    paths: HashMap<OsString, Vec<PathBuf>>,
}

impl MediaNames {
    /// Lists the whole folder. What cannot be read is left out.
    pub fn of(folder: &Folder) -> Self {
        let (mut names, mut count) = (Self::default(), 0);
        let mut folders = vec![PathBuf::new()];
        while let Some(below) = folders.pop() {
            let listed = folder.list(&folder.root().join(&below)).unwrap_or_default();
            for listed in listed {
                let path = below.join(&listed.name);
                if listed.kind == FileType::Directory {
                    folders.extend((!hides_media(&listed.name)).then_some(path));
                } else if is_served_name(&path) && count < MAX_FILES {
                    count += 1;
                    names.insert(path);
                }
            }
        }
        names
    }

    /// Adds a file.
    pub fn insert(&mut self, path: PathBuf) {
        let Some(name) = path.file_name() else { return };
        let paths = self.paths.entry(name.to_ascii_lowercase()).or_default();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &Path) {
        if let Some(paths) = path.file_name().and_then(|name| self.paths.get_mut(&name.to_ascii_lowercase())) {
            paths.retain(|other| other != path);
        }
    }

    /// The file of a name that is nearest to the one at `from`.
    pub fn nearest(&self, name: &OsStr, from: &Path) -> Option<&Path> {
        let paths = self.paths.get(&name.to_ascii_lowercase())?;
        paths.iter().min_by_key(|path| (distance(from, path), *path)).map(PathBuf::as_path)
    }
}

/// The file in the folder of a missing one whose name differs from it only by case, by its ending, or by signs.
pub fn near_name(folder: &Folder, missing: &Path) -> Option<PathBuf> {
    let plain = |path: &Path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        stem.chars().filter(|c| c.is_alphanumeric()).collect::<String>()
    };
    let parent = missing.parent()?;
    let listed = folder.list(&folder.root().join(parent)).ok()?;
    let files = listed.into_iter().map(|listed| parent.join(listed.name));
    let mut near: Vec<PathBuf> = files.filter(|path| is_served_name(path) && plain(path) == plain(missing)).collect();
    near.sort();
    near.into_iter().next()
}

/// The number of folders between two files.
pub fn distance(from: &Path, to: &Path) -> usize {
    let (from, to) = (from.parent().unwrap_or(Path::new("")), to.parent().unwrap_or(Path::new("")));
    let common = from.iter().zip(to.iter()).take_while(|(one, other)| one == other).count();
    from.iter().count() + to.iter().count() - 2 * common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_of_a_name_is_found() {
        let mut names = MediaNames::default();
        for path in ["files/a.png", "notes/sub/A.png", "b.png"] {
            names.insert(PathBuf::from(path));
        }
        let nearest = |names: &MediaNames, name: &str, from: &str| {
            names.nearest(OsStr::new(name), Path::new(from)).map(Path::to_path_buf)
        };
        assert_eq!(nearest(&names, "a.png", "notes/n.md"), Some(PathBuf::from("notes/sub/A.png")));
        assert_eq!(nearest(&names, "a.png", "n.md"), Some(PathBuf::from("files/a.png")));
        assert_eq!(nearest(&names, "c.png", "n.md"), None);
        names.remove(Path::new("files/a.png"));
        assert_eq!(nearest(&names, "A.PNG", "n.md"), Some(PathBuf::from("notes/sub/A.png")));
    }
}
