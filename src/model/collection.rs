//! What feeds and lists hold, and the questions that serving asks about it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::entry::{ArticleId, Entry, Slug};
use super::taxonomy::{View, ViewKind};

/// A moment that readers see: nothing later may be shown.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The second of the version that is served.
    pub version: DateTime<Utc>,
    /// What is scheduled for later is not known yet.
    pub due: DateTime<Utc>,
}

/// How much a feed holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// At least so many entries, if there are so many.
    pub entries: usize,
    /// All that were published within this of the newest.
    pub window: TimeDelta,
    /// Bytes of a document, cut by whole entries; one entry is always there.
    pub max_bytes: u64,
    /// Entries are shown without their text.
    pub brief: bool,
    /// Entries of one archive document.
    pub archive_entries: usize,
}

/// Bytes that a document takes beside its entries.
pub const FRAME: u64 = 8_192;

impl FeedLimits {
    /// What an entry counts, of which the whole takes `weight` bytes, and its summary `brief`. One that is too large for any
    /// document is shown by its summary, or else it would keep out all that are older.
    pub fn weigh(&self, weight: i64, brief: i64) -> u64 {
        let whole = u64::try_from(weight).unwrap_or(0);
        if self.is_brief(whole) { u64::try_from(brief).unwrap_or(0) } else { whole }
    }

    /// Whether an entry of so many bytes is shown by its summary.
    pub fn is_brief(&self, weight: u64) -> bool {
        self.brief || weight + FRAME > self.max_bytes
    }
}

/// What a feed holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// As most articles write it; empty for an archive.
    pub name: String,
    /// When its documents last changed.
    pub revised: DateTime<Utc>,
    /// Newest first.
    pub entries: Vec<Arc<Entry>>,
    /// What left it, the latest first.
    pub tombstones: Vec<Tombstone>,
    /// Nothing was left out.
    pub is_whole: bool,
    /// `podcast:guid`, if there ever was a recording in it.
    pub guid: Option<String>,
    /// The newest change that it ever told of.
    pub latest: DateTime<Utc>,
}

/// What is told of an article that is not published any more (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The id that it had.
    pub id: ArticleId,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// A view as lists of views show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSummary {
    /// Which it is.
    pub view: View,
    /// As most articles write it.
    pub name: String,
}

/// All views of a kind.
pub type ViewGroup = (ViewKind, Vec<ViewSummary>);

/// An archive as the list of archives shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// 1 is the oldest.
    pub number: u32,
    /// When the oldest article was published that it was closed with.
    pub oldest: DateTime<Utc>,
    /// When the newest was.
    pub newest: DateTime<Utc>,
}

/// What came of looking for a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedLookup {
    /// It is this.
    Found(Box<Collection>),
    /// It has not changed since the instant that was given.
    Same,
    /// There is none.
    Unknown,
    /// It changed after the version: the next one that readers see has it.
    NotYet,
    /// It holds these articles, whose texts were not read yet.
    Unread(Vec<i64>),
}

/// What is found at the address of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArticleLookup {
    /// The article.
    Current(Box<Entry>),
    /// It lives at another slug now.
    Moved(Slug),
    /// It was deleted.
    Gone,
    /// There never was one, or it is not published yet.
    Unknown,
    /// It changed after `now`: the version that readers may see next has it.
    NotYet,
    /// It is this article, whose text was not read yet.
    Unread(i64),
}

/// Whether an article is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArticleState {
    /// In the feed, once its date has come.
    Live = 0,
    /// Its writer took it back: a draft again, or empty.
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

/// An article and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is or was served.
    pub entry: Entry,
    /// Whether it is published.
    pub state: ArticleState,
    /// Not shown before.
    pub due: DateTime<Utc>,
    /// Not shown from then on.
    pub expires: Option<DateTime<Utc>>,
    /// Number of the archive that it is in.
    pub archive: Option<u32>,
}

/// An entry of a feed that was published elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedEntry {
    /// The id of an Atom entry.
    pub id: Option<String>,
    /// The guid of an RSS item or the id of a JSON Feed item, as it stands there.
    pub guid: Option<String>,
    /// Address of its page.
    pub link: Option<String>,
    /// Plain text.
    pub title: Option<String>,
    /// When it was published.
    pub published: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated: Option<DateTime<Utc>>,
}

/// What came of adopting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Articles that have the id of an entry.
    pub matched: usize,
    /// Entries that were adopted before.
    pub known: usize,
    /// Titles or links of entries whose article was not found: they wait for its file.
    pub waiting: Vec<String>,
}
