//! All that can reach the writer. A change is a hint where to look; what is true is found by looking.

use std::path::PathBuf;

/// A hint from the folder. Paths are absolute, below the watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This file may be new, changed or gone: a writer has finished with it, or it was removed.
    Look(PathBuf),
    /// A file or a folder was renamed within the watched folder.
    Moved {
        /// Where it was.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
    /// Two files changed places at once.
    Exchanged {
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// Anything may have changed: compare the whole folder with the catalog.
    LookEverywhere,
}
