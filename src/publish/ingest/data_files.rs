//! Files with data of articles.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::folder::Stat;

/// The files that have been read.
#[derive(Debug, Default)]
pub(super) struct DataFiles {
    /// Each with the `stat` with which it was read.
    pub read: HashMap<PathBuf, Stat>,
    /// Files that went missing, which may be saved again.
    pub missing: Vec<PathBuf>,
}
