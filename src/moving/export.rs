//! What an export of another publisher holds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::entry::ForeignFeed;
use super::library::NumberedParts;
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
    /// The address of the feed itself.
    pub own: Option<String>,
    /// The address of the feed with older posts.
    pub older: Option<String>,
    /// What posts show by its number.
    pub(super) library: NumberedParts,
    /// Names of shortcodes that stay in texts as they are written.
    pub shortcodes: BTreeSet<String>,
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

    /// Remarks that parts of the text of a post are left out, since not all readers may see them.
    pub fn hold_back(&mut self, post: &Post, count: usize) {
        if count > 0 {
            let name = post.name();
            let message =
                format!("`{name}`: {count} parts of its text are left out, since they are not for all readers");
            self.remarks.push(Problem::of_file(message));
            self.skip_many("parts of texts that are not for all readers", count);
        }
    }

    /// Leaves each id to the first post that has it: an article without its own id would not be published. A post that is there twice is
    /// one.
    pub fn separate_ids(&mut self) {
        let mut titles: HashMap<String, Option<String>> = HashMap::new();
        let mut distinct: Vec<Post> = Vec::with_capacity(self.posts.len());
        let mut seen: HashSet<(Option<String>, Option<String>, String)> = HashSet::new();
        for mut post in std::mem::take(&mut self.posts) {
            if post.id.is_some() && !seen.insert((post.id.clone(), post.title.clone(), post.html.clone())) {
                self.skip("posts that are there twice");
                continue;
            }
            if let Some(id) = post.id.clone()
                && let Some(first) = titles.insert(id.clone(), post.title.clone())
            {
                let name = |title: &Option<String>| title.clone().unwrap_or_default();
                let message = format!("`{}` has the id of `{}`: it gets a new one", name(&post.title), name(&first));
                self.remarks.push(Problem::of_file(message));
                titles.insert(id, first);
                post.id = None;
            }
            distinct.push(post);
        }
        self.posts = distinct;
    }

    /// Adds the posts of another document. Of two with one id, the one that was changed last counts: a feed and its archives, or the
    /// formats of one feed, have the same.
    pub fn merge(&mut self, mut other: Self) {
        let places = self.posts.iter().enumerate().filter_map(|(place, post)| Some((post.id.clone()?, place)));
        let places: HashMap<String, usize> = places.collect();
        for post in std::mem::take(&mut other.posts) {
            match post.id.as_ref().and_then(|id| places.get(id)) {
                Some(place) => {
                    self.skip("posts that are there twice");
                    let known = &mut self.posts[*place];
                    if post.updated.or(post.published) > known.updated.or(known.published) {
                        *known = post;
                    }
                }
                None => self.posts.push(post),
            }
        }
        self.kind = if self.kind.is_empty() || self.kind == other.kind { other.kind } else { "exports" };
        self.add(other);
    }

    /// Adds the content of another one.
    pub fn add(&mut self, other: Self) {
        self.posts.extend(other.posts);
        self.remarks.extend(other.remarks);
        self.is_incomplete |= other.is_incomplete;
        self.library.extend(other.library);
        self.shortcodes.extend(other.shortcodes);
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
            own: feed.own,
            older: feed.older,
            ..Self::default()
        }
    }
}
