//! The state of a bulk import, and the indexes that it creates at its end.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// The name of an index, and its table, columns and condition.
pub(super) type Index = (&'static str, &'static str);

/// Indexes that feeds need. A bulk import creates indexes at its end, which takes less time than updating them.
pub(super) const INDEXES_OF_FEEDS: [Index; 5] = [
    ("article_newest", "article (published DESC, rank DESC, number DESC) WHERE state = 0"),
    ("article_open", "article (published, rank, number) WHERE state = 0 AND archive IS NULL"),
    ("article_archive", "article (archive) WHERE archive IS NOT NULL"),
    (
        "article_updated",
        "article (updated DESC, number DESC) WHERE state = 0 AND archive IS NOT NULL AND updated > published",
    ),
    // For the near names on the page of an error.
    ("name_article", "name (article)"),
];

/// The views of an article. Only the pages of series need it before later changes do.
pub(super) const INDEX_OF_MEMBERS: Index = ("member_article", "member (number)");

/// Indexes that later changes need. They are created after the first version is served.
pub(super) const INDEXES_OF_FILES: [Index; 4] = [
    ("article_unread", "article (number) WHERE stale = 3"),
    INDEX_OF_MEMBERS,
    ("article_file", "article (file_hash)"),
    ("article_inode", "article (inode, born) WHERE state < 2"),
];

/// The state of a bulk import: hashes of all that it has recorded. After a collision of two hashes, a query gives the answer.
#[derive(Debug, Default)]
pub(super) struct BulkImport {
    hashes: HashSet<u64, BuildHasherDefault<AsItIs>>,
    hasher: RandomState,
    /// New names of articles by number. Writing them in the order of the table takes less time.
    pub names: Vec<(Box<str>, i64)>,
    /// A recorded article refers to other files.
    pub has_references: bool,
    /// An article was not new, so the indexes for queries were created.
    pub has_indexes: bool,
}

/// A property by which an article may have been seen before.
#[derive(Debug, Hash, Clone, Copy)]
pub(super) enum Trace<'a> {
    Content(&'a [u8; 32]),
    File(i64, i64),
    Id(&'a str),
    Slug(&'a str),
}

impl BulkImport {
    pub fn has(&self, trace: Trace<'_>) -> bool {
        self.hashes.contains(&self.number(trace))
    }

    pub fn put(&mut self, trace: Trace<'_>) {
        let number = self.number(trace);
        self.hashes.insert(number);
    }

    fn number(&self, trace: Trace<'_>) -> u64 {
        match trace {
            // A hash already.
            Trace::Content(hash) => u64::from_le_bytes(*hash.first_chunk().expect("a hash has more than eight bytes")),
            other => self.hasher.hash_one(other),
        }
    }
}

/// Hashes a number that is a hash.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |number, byte| number.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
