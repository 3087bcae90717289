//! Whether what the last hints have changed follows from the files: after a power cut, a comparison of the folder would record the same
//! again. A deletion does not follow, nor does a date that no file states.

/// What is known of the hints that are being processed.
#[derive(Debug, Default)]
pub(super) struct Derivation {
    /// All so far follows.
    of_hints: bool,
    /// So do the articles that were recorded of the present file; `None` without one.
    of_file: Option<bool>,
}

impl Derivation {
    /// Hints are going to be processed; `may_follow` says whether they only name files.
    pub fn begin(&mut self, may_follow: bool) {
        self.of_hints = may_follow;
    }

    /// A file is going to be processed.
    pub fn begin_file(&mut self) {
        self.of_file = None;
    }

    /// An article was recorded, which follows from its file or not.
    pub fn note_recorded(&mut self, follows: bool) {
        self.of_file = Some(follows && self.of_file.unwrap_or(true));
    }

    /// A decision depends on the order in which files arrive.
    pub fn refuse(&mut self) {
        self.of_hints = false;
    }

    /// The file was processed; `has_changed` says whether that has changed anything that is served.
    pub fn end_file(&mut self, has_changed: bool) {
        self.of_hints &= !has_changed || self.of_file == Some(true);
    }

    /// Whether all follows that the last hints have changed.
    pub fn is_complete(&self) -> bool {
        self.of_hints
    }
}
