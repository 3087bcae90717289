//! What an export of another publisher holds.

use std::collections::BTreeMap;

use super::entry::ForeignFeed;
use super::post::Post;
use crate::article::Problem;

/// An export, read.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// Name of its publisher or format.
    pub kind: &'static str,
    pub posts: Vec<Post>,
    /// Numbers of parts that are not imported, by what they are.
    pub skipped: BTreeMap<String, usize>,
    /// What was read over, for people.
    pub remarks: Vec<Problem>,
    /// A date or a post was lost.
    pub is_incomplete: bool,
}

impl Export {
    pub fn of(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Counts a part that is not imported.
    pub fn skip(&mut self, what: &str) {
        self.skip_many(what, 1);
    }

    pub fn skip_many(&mut self, what: &str, count: usize) {
        if count > 0 {
            *self.skipped.entry(what.to_owned()).or_default() += count;
        }
    }

    /// Remarks that a part was lost.
    pub fn lose(&mut self, message: String) {
        self.is_incomplete = true;
        self.remarks.push(Problem::of_file(message));
    }

    /// Adds the content of another one.
    pub fn add(&mut self, other: Self) {
        self.posts.extend(other.posts);
        self.remarks.extend(other.remarks);
        self.is_incomplete |= other.is_incomplete;
        for (what, count) in other.skipped {
            self.skip_many(&what, count);
        }
    }
}

impl From<ForeignFeed> for Export {
    fn from(feed: ForeignFeed) -> Self {
        Self {
            kind: "feed",
            posts: feed.entries.into_iter().map(Post::from).collect(),
            skipped: feed.skipped,
            remarks: feed.remarks,
            is_incomplete: feed.is_incomplete,
        }
    }
}
