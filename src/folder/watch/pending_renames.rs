//! Renames of which not all events have arrived.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Longest wait for the second half of a rename within the folder.
pub(super) const SECOND_HALF_TIMEOUT: Duration = Duration::from_millis(5);

/// The first half of a rename.
pub(super) struct HalfRename {
    pub from: PathBuf,
    /// Whether it was a watched folder.
    pub folder: bool,
    pub at: Instant,
    /// Whether the old path was reported as gone. The report waits for the second half, because the old path may now hold an
    /// article that changed places with this one.
    pub reported: bool,
}

/// Renames that are not complete yet.
#[derive(Default)]
pub(super) struct PendingRenames {
    /// First halves, by the cookie that the second half will carry.
    pub halves: HashMap<usize, HalfRename>,
    /// The last rename of an article to another article's name, possibly the first half of an exchange: from, to, when.
    pub last: Option<(PathBuf, PathBuf, Instant)>,
    /// Recently renamed folders: from, to, when.
    pub folders: Vec<(PathBuf, PathBuf, Instant)>,
}

impl PendingRenames {
    /// When the next pending rename times out.
    pub fn next_wake(&self) -> Option<Instant> {
        let halves = self.halves.values().filter(|half| !half.reported).map(|half| half.at);
        halves.chain(self.last.iter().map(|(_, _, at)| *at)).min().map(|at| at + SECOND_HALF_TIMEOUT)
    }
}
