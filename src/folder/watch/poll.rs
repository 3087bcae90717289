//! Polling of folders without complete events: each is listed periodically and compared with the previous listing.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::folder::{Folder, ListedName, Stat};

/// One name in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListedItem {
    /// A folder by its inode, since another one may take its place.
    Folder(u64),
    File(Stat),
}

type FolderListing = HashMap<OsString, ListedItem>;

/// A difference between two listings.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference {
    /// A file is new or changed.
    File(PathBuf),
    /// A file or a folder is gone.
    Gone(PathBuf),
    /// A folder is new or was replaced.
    Folder(PathBuf),
}

/// The polled folders with their last listings.
#[derive(Debug, Default)]
pub struct PolledFolders(BTreeMap<PathBuf, FolderListing>);

impl PolledFolders {
    /// Number of polled folders.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Starts polling a folder from its current content, which the caller has already reported.
    pub fn insert(&mut self, root: &Folder, folder: &Path) {
        self.0.entry(folder.to_path_buf()).or_insert_with(|| list(root, folder).unwrap_or_default());
    }

    /// Stops polling a folder.
    pub fn remove(&mut self, folder: &Path) {
        self.0.remove(folder);
    }

    /// Stops polling the folders for which `is_wanted` does not hold.
    pub fn retain(&mut self, is_wanted: impl Fn(&Path) -> bool) {
        self.0.retain(|folder, _| is_wanted(folder));
    }

    /// Stops polling a folder and all below it.
    pub fn forget(&mut self, top: &Path) {
        self.0.retain(|folder, _| !folder.starts_with(top));
    }

    /// Lists every folder again and returns the differences.
    pub fn differences(&mut self, root: &Folder) -> Vec<Difference> {
        let mut found = Vec::new();
        for (folder, before) in &mut self.0 {
            // A folder that cannot be listed reports nothing; if it is gone, its parent's listing shows it.
            let Some(now) = list(root, folder) else { continue };
            for (name, listed) in &now {
                match (before.get(name), listed) {
                    (Some(known), listed) if known == listed => {}
                    (_, ListedItem::Folder(_)) => found.push(Difference::Folder(folder.join(name))),
                    (_, ListedItem::File(_)) => found.push(Difference::File(folder.join(name))),
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

fn list(root: &Folder, folder: &Path) -> Option<FolderListing> {
    let names = root.list(folder).ok()?.into_iter().filter_map(|ListedName { name, kind }| {
        // The target of a link counts; a dangling link counts as gone.
        let metadata = std::fs::metadata(folder.join(&name)).ok()?;
        match metadata.is_dir() {
            true if kind.is_symlink() => None,
            true => Some((name, ListedItem::Folder(metadata.ino()))),
            false => Some((name, ListedItem::File(Stat::of(&metadata)))),
        }
    });
    Some(names.collect())
}

/// File systems without events for changes by other hosts: `f_type` of statfs(2).
const WITHOUT_EVENTS: [(i64, &str); 8] = [
    (0x6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
    (0x00C3_6400, "Ceph"),
    (0x786F_4256, "VirtualBox"),
    (0x0BD0_0BD0, "Lustre"),
];

/// Returns the name of a folder's file system if it omits events of changes by other hosts.
pub fn file_system_without_events(folder: &Path) -> Option<&'static str> {
    // The width of the field differs between platforms.
    #[allow(clippy::useless_conversion, clippy::cast_possible_wrap)]
    let kind = i64::try_from(rustix::fs::statfs(folder).ok()?.f_type).ok()? & 0xFFFF_FFFF;
    WITHOUT_EVENTS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_in_a_polled_folder_is_a_difference() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        write("same.txt", "1");
        write("edited.txt", "1");
        write("gone.txt", "1");
        std::fs::create_dir(root.join("folder")).unwrap();
        let folder = Folder::of(root);
        let mut polled = PolledFolders::default();
        polled.insert(&folder, root);
        assert_eq!(polled.differences(&folder), []);
        write("edited.txt", "22");
        write("new.txt", "1");
        std::fs::remove_file(root.join("gone.txt")).unwrap();
        std::fs::create_dir(root.join("another")).unwrap();
        std::os::unix::fs::symlink(".", root.join("loop")).unwrap();
        let mut found = polled.differences(&folder);
        found.sort_by_key(|difference| format!("{difference:?}"));
        let file = |name: &str| Difference::File(root.join(name));
        let gone = Difference::Gone(root.join("gone.txt"));
        assert_eq!(found, [file("edited.txt"), file("new.txt"), Difference::Folder(root.join("another")), gone]);
        assert_eq!(polled.differences(&folder), []);
        polled.forget(root);
        assert_eq!(polled.len(), 0);
    }

    #[test]
    fn local_file_systems_have_complete_events() {
        assert_eq!(file_system_without_events(Path::new("/proc")), None);
        assert_eq!(file_system_without_events(Path::new("/nowhere/at/all")), None);
    }
}
