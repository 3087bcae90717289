//! Folders of which events tell nothing, or not everything: each is listed again and again, and compared.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::folder::Stat;

/// What a listing says of one name in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// Which folder it is: another one may stand in its place.
    Folder(u64),
    File(Stat),
}

type Listing = HashMap<OsString, Listed>;

/// Something that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference {
    /// A file is new or changed.
    File(PathBuf),
    /// A file or a folder is gone.
    Gone(PathBuf),
    /// A folder is new, or another one.
    Folder(PathBuf),
}

/// The folders that are polled, with what they held when they were last listed.
#[derive(Debug, Default)]
pub struct Polled(BTreeMap<PathBuf, Listing>);

impl Polled {
    /// How many folders there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Starts with what is there now; whoever adds a folder has looked at it.
    pub fn insert(&mut self, folder: &Path) {
        self.0.entry(folder.to_path_buf()).or_insert_with(|| list(folder).unwrap_or_default());
    }

    /// Ends the polling of one folder.
    pub fn remove(&mut self, folder: &Path) {
        self.0.remove(folder);
    }

    /// Ends it for a folder and everything below.
    pub fn forget(&mut self, top: &Path) {
        self.0.retain(|folder, _| !folder.starts_with(top));
    }

    /// Lists every folder again.
    pub fn differences(&mut self) -> Vec<Difference> {
        let mut found = Vec::new();
        for (folder, before) in &mut self.0 {
            // A folder that cannot be listed says nothing; if it is gone, the one above it says so.
            let Some(now) = list(folder) else { continue };
            for (name, listed) in &now {
                match (before.get(name), listed) {
                    (Some(known), listed) if known == listed => {}
                    (_, Listed::Folder(_)) => found.push(Difference::Folder(folder.join(name))),
                    (_, Listed::File(_)) => found.push(Difference::File(folder.join(name))),
                }
            }
            found.extend(
                before.keys().filter(|name| !now.contains_key(*name)).map(|name| Difference::Gone(folder.join(name))),
            );
            *before = now;
        }
        found
    }
}

fn list(folder: &Path) -> Option<Listing> {
    let entries = std::fs::read_dir(folder).ok()?;
    let listed = entries.flatten().filter_map(|entry| {
        // What a link points to counts; a link to nothing is as good as gone.
        let metadata = std::fs::metadata(entry.path()).ok()?;
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        match metadata.is_dir() {
            true if is_link => None,
            true => Some((entry.file_name(), Listed::Folder(metadata.ino()))),
            false => Some((entry.file_name(), Listed::File(Stat::of(&metadata)))),
        }
    });
    Some(listed.collect())
}

/// File systems on which somebody else's changes make no events here: `f_type` of statfs(2).
const SILENT: [(i64, &str); 8] = [
    (0x6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
    (0x00C3_6400, "Ceph"),
    (0x786F_4256, "VirtualBox"),
    (0x0BD0_0BD0, "Lustre"),
];

/// Name of the file system that a folder lies on, if it is one that does not tell of all changes.
pub fn silent_file_system(folder: &Path) -> Option<&'static str> {
    // The width of the field differs between machines.
    #[allow(clippy::useless_conversion, clippy::cast_possible_wrap)]
    let kind = i64::try_from(rustix::fs::statfs(folder).ok()?.f_type).ok()? & 0xFFFF_FFFF;
    SILENT.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_happens_in_a_polled_folder_is_a_difference() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        write("same.txt", "1");
        write("edited.txt", "1");
        write("gone.txt", "1");
        std::fs::create_dir(root.join("folder")).unwrap();
        let mut polled = Polled::default();
        polled.insert(root);
        assert_eq!(polled.differences(), []);
        write("edited.txt", "22");
        write("new.txt", "1");
        std::fs::remove_file(root.join("gone.txt")).unwrap();
        std::fs::create_dir(root.join("another")).unwrap();
        std::os::unix::fs::symlink(".", root.join("loop")).unwrap();
        let mut found = polled.differences();
        found.sort_by_key(|difference| format!("{difference:?}"));
        let file = |name: &str| Difference::File(root.join(name));
        let gone = Difference::Gone(root.join("gone.txt"));
        assert_eq!(found, [file("edited.txt"), file("new.txt"), Difference::Folder(root.join("another")), gone]);
        assert_eq!(polled.differences(), []);
        polled.forget(root);
        assert_eq!(polled.len(), 0);
    }

    #[test]
    fn a_local_disk_tells_everything() {
        assert_eq!(silent_file_system(Path::new("/proc")), None);
        assert_eq!(silent_file_system(Path::new("/nowhere/at/all")), None);
    }
}
