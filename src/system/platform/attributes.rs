//! The attributes of a file as the operating system gives them.

use rustix::fs::FileType;

/// The attributes of a file. Times are seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct RawAttributes {
    pub kind: FileType,
    /// In bytes.
    pub size: i64,
    pub inode: u64,
    pub modified: (i64, i64),
    /// Last change of content or attributes.
    pub changed: (i64, i64),
    /// `None` if the file system does not record it.
    pub born: Option<(i64, i64)>,
}
