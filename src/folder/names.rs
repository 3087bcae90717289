//! Names of files that belong to tools.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Prefixes of names that are never articles. `_drafts`, `_includes`, `_index.md` belong to site generators; Jekyll's `_posts` are
/// posts.
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
const IGNORED_NAMES: [&str; 5] = ["4913", "Thumbs.db", "desktop.ini", "lost+found", "node_modules"];
const CONFLICT_PARTS: [&str; 4] = [".sync-conflict-", "(conflicted copy", "conflicted copy ", "(Case Conflict"];

/// Whether a file or folder of this name belongs to a tool: hidden, temporary, a backup or a conflict copy.
pub fn is_ignored(name: &OsStr) -> bool {
    let name = name.as_bytes();
    if PUBLISHED_NAMES.iter().any(|published| name == published.as_bytes()) {
        return false;
    }
    IGNORED_NAMES.iter().any(|exact| name == exact.as_bytes())
        || IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || IGNORED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix.as_bytes()))
        || contains_any(name, &CONFLICT_PARTS)
}

fn contains_any(name: &[u8], parts: &[&str]) -> bool {
    parts.iter().any(|part| name.windows(part.len()).any(|window| window == part.as_bytes()))
}

/// Whether a file of this name is a sync program's conflict copy.
pub fn is_conflict(name: &OsStr) -> bool {
    contains_any(name.as_bytes(), &CONFLICT_PARTS)
}
