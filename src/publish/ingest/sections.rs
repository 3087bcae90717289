//! Files that describe folders.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::folder::Stat;

/// The descriptions that have been read.
#[derive(Debug, Default)]
pub(super) struct Sections {
    /// The file of each description, with the `stat` with which it was read and the files that it names.
    pub read: HashMap<PathBuf, (Stat, Vec<PathBuf>)>,
    /// Files that went missing, which may be saved again.
    pub missing: Vec<PathBuf>,
}
