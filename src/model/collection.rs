//! What feeds and lists hold, and the questions that serving asks about it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::entry::{ArticleId, Entry, Slug};
use super::section::SectionAbout;
use super::site_page::Permalink;
use super::taxonomy::{Term, View, ViewKind};

/// The size limits of feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// Minimum number of entries, if there are as many.
    pub entries: usize,
    /// All entries published within this time of the newest one are included.
    pub window: TimeDelta,
    /// Maximum size of a document in bytes, reached by omitting entries; at least one is included.
    pub max_bytes: u64,
    /// Entries are shown by their summaries.
    pub brief: bool,
    /// Number of entries of an archive document.
    pub archive_entries: usize,
}

/// Size of a document without entries, in bytes.
pub const FRAME: u64 = 8_192;

impl FeedLimits {
    /// Returns the size that an entry counts for, given its size with text (`weight`) and with its summary (`brief`). An entry too
    /// large for any document is shown by its summary; otherwise it would displace all older ones.
    pub fn weigh(&self, weight: i64, brief: i64) -> u64 {
        let whole = u64::try_from(weight).unwrap_or(0);
        if self.is_brief(whole) { u64::try_from(brief).unwrap_or(0) } else { whole }
    }

    /// Whether an entry of this size is shown by its summary.
    pub fn is_brief(&self, weight: u64) -> bool {
        self.brief || weight + FRAME > self.max_bytes
    }
}

/// Returns whether a feed with this many entries is a podcast: nearly all of them (9 of 10) have recordings. In a feed of texts, the
/// elements of podcasts mislead readers: one takes the cover of an episode for the picture of the feed.
pub fn is_podcast(entries: u64, recordings: u64) -> bool {
    recordings > 0 && recordings.saturating_mul(10) >= entries.saturating_mul(9)
}

/// The content of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// What its writer says about it, if it is that of a folder or the main feed.
    pub about: Option<SectionAbout>,
    /// The most frequent spelling of the view's name; empty for an archive.
    pub name: String,
    /// When its documents last changed.
    pub revised: DateTime<Utc>,
    /// Newest first.
    pub entries: Vec<Arc<Entry>>,
    /// The pinned articles of a view, the most important first. Its page shows them first, its feeds do not.
    pub pinned: Vec<Arc<Entry>>,
    /// The parts of a series in their order, which its page shows in place of the entries.
    pub parts: Vec<ArticleLine>,
    /// Removed entries, the latest first.
    pub tombstones: Vec<Tombstone>,
    /// Whether it contains all entries.
    pub is_whole: bool,
    /// Nearly all of its entries have recordings, also those that are too old for the feed: see [`is_podcast`].
    pub is_podcast: bool,
    /// `podcast:guid`, if it has ever contained a recording.
    pub guid: Option<String>,
    /// The newest change it has ever contained.
    pub latest: DateTime<Utc>,
}

/// The tombstone of a removed entry (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The id of the entry.
    pub id: ArticleId,
    /// When it was removed.
    pub at: DateTime<Utc>,
}

/// A view in a list of views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSummary {
    /// The view.
    pub view: View,
    /// The most frequent spelling of its name.
    pub name: String,
    /// The title that its writer gives it.
    pub title: Option<String>,
    /// The place that its writer gives it: see [`SectionAbout::order`].
    pub order: Option<i64>,
    /// Number of its visible articles.
    pub members: u64,
}

/// All views of a kind.
pub type ViewGroup = (ViewKind, Vec<ViewSummary>);

/// The result of looking up a sitemap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SitemapLookup {
    /// The places of its articles and pages, each with the date of its last update, in the order of their publication here.
    Articles(Vec<(Permalink, DateTime<Utc>)>),
    /// There are more articles than one document may list: they are in this many parts.
    Parts(u32),
    /// There is no such part.
    Unknown,
    /// Articles have changed since that moment; the next version will show the change.
    NotYet,
}

/// The result of looking up a feed or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListLookup<T> {
    /// Its content.
    Found(Box<T>),
    /// Unchanged since the given instant.
    Same,
    /// There is none, or nothing in it.
    Unknown,
    /// It changed after the version; the next version contains it.
    NotYet,
    /// It contains these articles, whose texts have not been read yet.
    Unread(Vec<i64>),
}

/// The result of looking up a feed.
pub type FeedLookup = ListLookup<Collection>;

/// An article in a list of titles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleLine {
    pub slug: Slug,
    pub title: String,
    pub published: DateTime<Utc>,
    /// BCP 47 tag of its language, if known.
    pub language: Option<String>,
}

impl From<&Entry> for ArticleLine {
    fn from(entry: &Entry) -> Self {
        let (title, language) = (entry.content.title.clone(), entry.content.language.clone());
        Self { slug: entry.slug.clone(), title, published: entry.published, language }
    }
}

/// What the page of an article shows beside the article.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The next older article.
    pub older: Option<Neighbour>,
    /// The next newer article.
    pub newer: Option<Neighbour>,
    /// The same article in other languages.
    pub translations: Vec<Neighbour>,
    /// The folders above it, the outermost first, each with its title.
    pub sections: Vec<Term>,
    /// The series that it is a part of.
    pub series: Option<SeriesPlace>,
    /// When any of this last changed.
    pub revised: DateTime<Utc>,
}

/// The place of an article in its series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPlace {
    /// The series.
    pub term: Term,
    /// Its visible parts in their order; empty if there are too many to be listed.
    pub parts: Vec<ArticleLine>,
    /// Where the article is among them, from 0.
    pub index: usize,
}

/// An article that another one's page links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    pub slug: Slug,
    pub title: String,
    /// BCP 47 tag of its language, if known.
    pub language: Option<String>,
}

/// The result of looking up an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArticleLookup {
    /// The article.
    Current(Box<Entry>, Box<Surroundings>),
    /// It is at this place.
    Moved(Permalink),
    /// It was deleted.
    Gone,
    /// No such article, or not published yet.
    Unknown,
    /// It changed after the version; the next version contains it.
    NotYet,
    /// This article, or others that its page names, whose texts have not been read yet.
    Unread(Vec<i64>),
}

/// The publication state of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArticleState {
    /// Published, once it is due.
    Live = 0,
    /// Withdrawn by the writer: a draft again, or empty.
    Held = 1,
    /// Its file was deleted.
    Gone = 2,
}

impl ArticleState {
    /// The state that a number in the catalog stands for.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Live, Self::Held, Self::Gone].into_iter().find(|state| *state as i64 == number)
    }
}

/// The record of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The entry as last served.
    pub entry: Entry,
    /// Whether it is published.
    pub state: ArticleState,
    /// Not visible before.
    pub due: DateTime<Utc>,
    /// Not visible from then on.
    pub expires: Option<DateTime<Utc>>,
    /// Number of its archive.
    pub archive: Option<u32>,
}

/// An entry of a feed from another publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedEntry {
    /// The id of an Atom entry.
    pub id: Option<String>,
    /// The guid of an RSS item or the id of a JSON Feed item, verbatim.
    pub guid: Option<String>,
    /// Address of its page.
    pub link: Option<String>,
    /// Other addresses of its page.
    pub other_links: Vec<String>,
    /// Plain text.
    pub title: Option<String>,
    /// When it was published.
    pub published: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated: Option<DateTime<Utc>>,
}

/// The result of adopting entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Articles that took over an id.
    pub matched: usize,
    /// Entries adopted before.
    pub known: usize,
    /// Titles or links of entries that wait for their files.
    pub waiting: Vec<String>,
}
