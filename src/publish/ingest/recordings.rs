//! Recordings in the folder, and the files beside them that belong to them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::folder::media::media_type;
use crate::folder::{ENDINGS, is_document, is_photo};

/// Recordings that a scan found. While the files of the scan are read, the folder is not searched for one beside each article.
#[derive(Debug, Default)]
pub(super) struct RecordingIndex {
    /// Their paths without extensions.
    stems: HashSet<PathBuf>,
    folders: HashSet<PathBuf>,
}

impl RecordingIndex {
    pub(super) fn add(&mut self, path: &Path) {
        self.stems.insert(path.with_extension(""));
        self.folders.extend(path.parent().map(Path::to_path_buf));
    }

    fn may_have(&self, article: &Path, is_index: bool) -> bool {
        (!self.stems.is_empty() && self.stems.contains(&article.with_extension("")))
            || (is_index && article.parent().is_some_and(|folder| self.folders.contains(folder)))
    }
}

/// Returns whether a file is a recording (sound or film) by its name.
pub(super) fn is_recording(path: &Path) -> bool {
    media_type(path).is_some_and(|kind| kind.starts_with("audio/") || kind.starts_with("video/"))
}

/// Returns whether a file may belong to an article by its name: a recording, a photo or a document.
pub(super) fn may_be_owned(path: &Path) -> bool {
    is_recording(path) || belongs_where_it_is_shown(path)
}

/// Returns whether a file belongs to each article that shows it or links to it: a photo or a document.
pub(super) fn belongs_where_it_is_shown(path: &Path) -> bool {
    is_photo(path) || is_document(path)
}

/// Articles that may own a recording without naming it: the one of its name, and the `index` of its folder.
pub(super) fn may_own(path: &Path) -> Vec<PathBuf> {
    if !may_be_owned(path) {
        return Vec::new();
    }
    let index = path.with_file_name("index");
    ENDINGS.iter().flat_map(|ending| [path.with_extension(ending), index.with_extension(ending)]).collect()
}

/// Recordings that wait for an article, and the index of a scan.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    /// By draft, the recordings that its front matter names.
    reserved: HashMap<PathBuf, Vec<PathBuf>>,
    /// Renamed recordings, and until when their articles may be renamed likewise.
    expecting: HashMap<PathBuf, Instant>,
    /// Present while the files of a scan are read.
    index: Option<RecordingIndex>,
}

impl Recordings {
    /// Reserves recordings for a draft. Replaces those that were reserved before.
    pub fn reserve(&mut self, draft: &Path, recordings: Vec<PathBuf>) {
        if recordings.is_empty() {
            self.release(draft);
        } else {
            self.reserved.insert(draft.to_path_buf(), recordings);
        }
    }

    pub fn release(&mut self, draft: &Path) {
        self.reserved.remove(draft);
    }

    /// A draft or a folder of drafts is not there any more.
    pub fn release_below(&mut self, path: &Path) {
        self.reserved.retain(|draft, _| !draft.starts_with(path));
    }

    /// The draft for which a recording is reserved.
    pub fn reserved_for(&self, recording: &Path) -> Option<&PathBuf> {
        let drafts = self.reserved.iter().filter(|(_, named)| named.iter().any(|named| named == recording));
        drafts.map(|(draft, _)| draft).min()
    }

    /// A recording was renamed; its article may be renamed likewise until then.
    pub fn expect_article(&mut self, recording: PathBuf, until: Instant) {
        self.expecting.insert(recording, until);
    }

    /// Until when the article of a renamed recording may be renamed likewise.
    pub fn expects_article(&self, recording: &Path) -> Option<Instant> {
        self.expecting.get(recording).copied()
    }

    pub fn forget_old(&mut self, now: Instant) {
        self.expecting.retain(|_, until| *until > now);
    }

    /// Sets the index of a scan; `None` once the files of the scan have been read.
    pub fn set_index(&mut self, index: Option<RecordingIndex>) {
        self.index = index;
    }

    /// Adds a recording that appeared since the scan.
    pub fn add(&mut self, path: &Path) {
        if let Some(index) = self.index.as_mut().filter(|_| may_be_owned(path)) {
            index.add(path);
        }
    }

    /// Returns whether a recording may be beside an article. `false` is certain.
    pub fn may_be_beside(&self, article: &Path, is_index: bool) -> bool {
        self.index.as_ref().is_none_or(|index| index.may_have(article, is_index))
    }
}
