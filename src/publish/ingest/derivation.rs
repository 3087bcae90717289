//! Whether what the last hints have changed follows from the files: after a power cut, a comparison of the folder would record the same
//! again. A deletion does not follow, nor does a date that no file states.

/// What is known of the hints that are being processed.
#[derive(Debug, Default)]
pub(super) struct Derivation {
    /// All so far follows.
    of_hints: bool,
    /// The article that was recorded last does.
    of_file: bool,
}

impl Derivation {
    /// Hints are going to be processed; `may_follow` says whether they only name files.
    pub fn begin(&mut self, may_follow: bool) {
        self.of_hints = may_follow;
    }

    /// A file is going to be processed.
    pub fn begin_file(&mut self) {
        self.of_file = false;
    }

    /// An article was recorded, which follows from its file or not.
    pub fn note_recorded(&mut self, follows: bool) {
        self.of_file = follows;
    }

    /// The file was processed; `has_changed` says whether that has changed anything that is served.
    pub fn end_file(&mut self, has_changed: bool) {
        self.of_hints &= !has_changed || self.of_file;
    }

    /// Whether all follows that the last hints have changed.
    pub fn is_complete(&self) -> bool {
        self.of_hints
    }
}
