//! Names of files and folders that belong to tools and systems.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Extensions of articles, the most likely first.
pub const ENDINGS: [&str; 9] = ["md", "txt", "html", "markdown", "htm", "xhtml", "text", "mdown", "mkd"];
/// Names of folders of drafts, in any case.
const DRAFT_FOLDERS: [&str; 4] = ["drafts", "draft", "_drafts", "_draft"];
/// Prefixes of names that are never articles. `_includes` and `_index.md` belong to site generators; Jekyll's `_posts` are posts, and
/// its `_drafts` are drafts.
const IGNORED_PREFIXES: [&str; 5] = [".", "~$", "~syncthing~", "#", "_"];
const PUBLISHED_NAMES: [&str; 1] = ["_posts"];
const IGNORED_SUFFIXES: [&str; 25] = [
    "~",
    "#",
    ".swp",
    ".swo",
    ".swx",
    ".swpx",
    ".kate-swp",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".filepart",
    ".!ut",
    ".aria2",
    ".bak",
    ".bck",
    ".orig",
    ".rej",
    ".old",
    "___jb_tmp___",
    "___jb_old___",
    "___jb_bak___",
    ".lock",
];
/// Other names, in any case.
const IGNORED_NAMES: [&str; 4] = ["4913", "Thumbs.db", "desktop.ini", "node_modules"];
/// Folders of operating systems, network storage and sync programs, in any case: deleted files, snapshots, former versions,
/// thumbnails. A move into one of them deletes a file.
const SYSTEM_FOLDERS: [&str; 58] = [
    // Deleted files: Windows, QNAP, Synology, ReadyNAS, Samba, Unraid, Buffalo, macOS, Obsidian, Nextcloud.
    "$recycle.bin",
    "recycler",
    "recycled",
    "recycle bin",
    "recycle.bin",
    "recycle_bin",
    "@recycle",
    ".@recycle",
    "#recycle",
    ".recycle",
    ".recycle.bin",
    ".recyclebin",
    "trashbox",
    "network trash folder",
    "files_trashbin",
    // Found by a check of the disk.
    "lost+found",
    "lost.dir",
    // Snapshots and former versions.
    "#snapshot",
    "@snapshot",
    "@snapshots",
    "~snapshot",
    ".snapshot",
    ".snapshots",
    "@recently-snapshot",
    "@sharesnap",
    ".zfs",
    ".stversions",
    "files_versions",
    ".documentrevisions-v100",
    ".mobilebackups",
    // State of sync programs.
    ".stfolder",
    ".sync",
    ".dropbox.cache",
    ".tmp.drivedownload",
    ".tmp.driveupload",
    ".seafile-data",
    // Thumbnails, indexes and other metadata.
    "@eadir",
    "@tmp",
    "@sharebin",
    ".@__thumb",
    ".thumbnails",
    ".spotlight-v100",
    ".fseventsd",
    ".temporaryitems",
    "temporary items",
    ".appledouble",
    ".appledb",
    ".appledesktop",
    "thevolumesettingsfolder",
    "__macosx",
    "system volume information",
    "msocache",
    "$extend",
    "$sysreset",
    "$winreagent",
    "$windows.~bt",
    "$windows.~ws",
    "config.msi",
];
/// Beginnings of names of such folders, in any case: `.Trash-1000`, `@GMT-2026.11.01-10.00.00`, `FOUND.000`.
const SYSTEM_PREFIXES: [&str; 3] = [".trash", "@gmt-", "found."];
const CONFLICT_PARTS: [&str; 4] = [".sync-conflict-", "(conflicted copy", "conflicted copy ", "(Case Conflict"];

/// Whether a file or folder of this name belongs to a tool or a system: hidden, temporary, deleted, a backup or a conflict copy.
pub fn is_ignored(name: &OsStr) -> bool {
    if is_system_folder(name) {
        return true;
    }
    if is_draft_folder(name) {
        return false;
    }
    let name = name.as_bytes();
    if PUBLISHED_NAMES.iter().any(|published| name == published.as_bytes()) {
        return false;
    }
    IGNORED_NAMES.iter().any(|exact| name.eq_ignore_ascii_case(exact.as_bytes()))
        || IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || IGNORED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix.as_bytes()))
        || contains_any(name, &CONFLICT_PARTS)
}

/// Whether a folder of this name holds drafts.
pub fn is_draft_folder(name: &OsStr) -> bool {
    DRAFT_FOLDERS.iter().any(|folder| name.eq_ignore_ascii_case(folder))
}

/// Whether a folder of this name belongs to the operating system, a storage device or a sync program.
pub fn is_system_folder(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let begins = |prefix: &&str| {
        let rest = name.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
        rest.is_some().then(|| &name[prefix.len()..])
    };
    SYSTEM_FOLDERS.iter().any(|folder| name.eq_ignore_ascii_case(folder.as_bytes()))
        || SYSTEM_PREFIXES.iter().filter_map(begins).any(is_rest_of_system_folder)
}

/// Whether a name is that of a system folder if it begins like one: no extension follows, only numbers and words of the system.
fn is_rest_of_system_folder(rest: &[u8]) -> bool {
    rest.iter().all(|byte| byte.is_ascii_digit() || b"-._".contains(byte)) || rest.eq_ignore_ascii_case(b"es")
}

fn contains_any(name: &[u8], parts: &[&str]) -> bool {
    parts.iter().any(|part| name.windows(part.len()).any(|window| window == part.as_bytes()))
}

/// Whether a file of this name is a sync program's conflict copy.
pub fn is_conflict(name: &OsStr) -> bool {
    contains_any(name.as_bytes(), &CONFLICT_PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_folders_are_recognised_in_any_case() {
        for name in SYSTEM_FOLDERS {
            assert_eq!(name, name.to_ascii_lowercase(), "the list is in lower case");
            for name in [name.to_owned(), name.to_ascii_uppercase()] {
                assert!(is_system_folder(OsStr::new(&name)) && is_ignored(OsStr::new(&name)), "{name}");
            }
        }
        for name in [".Trash-1000", ".Trashes", ".trash", "@GMT-2026.11.01-10.00.00", "FOUND.000"] {
            assert!(is_system_folder(OsStr::new(name)) && is_ignored(OsStr::new(name)), "{name}");
        }
        for name in ["found.md", "recycling", "recycle", "trash", "snapshots", "@ann", "$100", "system", "tmp"] {
            assert!(!is_system_folder(OsStr::new(name)) && !is_ignored(OsStr::new(name)), "{name}");
        }
    }
}
