//! `blogroll.opml` at the top of the watched folder: the feeds that the author reads.

use std::path::Path;

use super::named_file::NamedFiles;
use crate::article::{Problem, load};
use crate::folder::{BLOGROLL_FILE, Folder};
use crate::moving::opml::{self, FeedList};

/// Maximum size of the file in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// Reads the file, which may be missing. Also returns its problem, if it is of no use.
pub fn read(folder: &Folder, files: &mut NamedFiles<'_>) -> (Option<FeedList>, Option<Problem>) {
    let path = Path::new(BLOGROLL_FILE);
    files.note(folder.root().join(path));
    let loaded = match load::open(folder, path).and_then(|file| file.load(MAX_SIZE)) {
        Ok(loaded) => loaded,
        Err(load::LoadError::Gone) => return (None, None),
        Err(error) => return (None, Some(Problem::of_file(error.to_string()))),
    };
    let list = opml::read(&String::from_utf8_lossy(&loaded.bytes));
    if list.feeds.is_empty() {
        let why = "no feed with an http address is in this list, so there is no blogroll: export it from a feed reader as OPML";
        return (None, Some(Problem::of_file(why)));
    }
    (Some(list), None)
}
