//! Entries -> feed documents. Pure: the same channel and entries always give the same bytes.

pub mod atom;
mod extension;
pub mod format;
pub mod fragment;
pub mod imported;
pub mod json;
pub mod opml;
pub mod rss;
#[cfg(test)]
pub mod twtxt;

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config::{Config, FeedContent};
use crate::model::collection::{Collection, FeedLimits, Tombstone};
use crate::model::entry::{Entry, Episode, Media, Person};
use crate::model::taxonomy::{View, ViewKind};
use crate::model::text::xml_legal;
use format::{FeedFormat, Formats};
use fragment::FragmentCache;

/// Rows of the formats that the program serves, the one that most feed readers request first.
static TABLE: [FeedFormat; 3] = [rss::FORMAT, atom::FORMAT, json::FORMAT];

/// The formats that the program serves.
pub const FORMATS: Formats = Formats::new(&TABLE);

/// Name of the program in every document. Without its version: an update must not look like new content.
pub const GENERATOR: &str = "gazetted";

/// The site, as its feeds describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Permanent id (RFC 4287 section 4.1.1).
    pub id: String,
    pub title: String,
    /// One sentence about the site.
    pub description: String,
    /// BCP 47 tag of the language of most entries.
    pub language: String,
    /// Address of the site, with a slash at its end. Every other address starts with it.
    pub base_url: String,
    /// The author of entries that name none.
    pub author: Person,
    pub limits: FeedLimits,
}

/// The style sheet for feeds opened in a browser.
pub const STYLE: &str = include_str!("feed.css");

/// Its path below the base address.
pub const STYLE_PATH: &str = "feed.css";

impl Channel {
    /// Takes the description of a site from its configuration.
    pub fn new(config: &Config, base_url: &str, id: String) -> Self {
        let site = &config.site;
        let non_empty = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let author = non_empty(&site.author.name).unwrap_or_else(|| site.title.trim().to_owned());
        Self {
            id,
            title: xml_legal(site.title.trim()).into_owned(),
            description: xml_legal(site.description.trim()).into_owned(),
            language: site.language.trim().to_owned(),
            base_url: base_url.to_owned(),
            author: Person {
                name: xml_legal(&author).into_owned(),
                email: non_empty(&site.author.email),
                url: non_empty(&site.author.url),
            },
            limits: limits(config),
        }
    }

    /// An address of the site. `path` has no slash at its start.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Address of the page of an article.
    pub fn page(&self, slug: &str) -> String {
        self.url(&format!("articles/{slug}"))
    }

    /// Path, from the root of the host, of a file that pages and feeds load: it comes from the same host as they do. A hash of
    /// `content` is part of it, so new content has a new address.
    pub fn asset_path(&self, path: &str, content: &str) -> String {
        let root = url::Url::parse(&self.base_url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        format!("{root}{path}?{}", &blake3::hash(content.as_bytes()).to_hex()[..8])
    }

    /// `<?xml-stylesheet?>` for feeds opened in a browser (standards 109).
    fn stylesheet(&self) -> String {
        format!("<?xml-stylesheet type=\"text/css\" href=\"{}\"?>\n", self.asset_path(STYLE_PATH, STYLE))
    }
}

/// How much feeds hold by the configuration.
pub fn limits(config: &Config) -> FeedLimits {
    let feed = &config.feed;
    FeedLimits {
        entries: feed.entries,
        window: TimeDelta::from_std(feed.window.0).unwrap_or(TimeDelta::MAX),
        max_bytes: feed.max_bytes.0,
        brief: feed.content == FeedContent::Summary,
        archive_entries: feed.archive_entries,
    }
}

/// The relation of a document to the rest of its feed (RFC 5005). The kinds are never mixed in one document (standards 63).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// It holds the newest entries; no document holds the others.
    Newest,
    /// It holds all entries.
    Complete,
    /// It holds the newest entries; the others are in archives, of which this is the newest.
    Archived(u32),
    /// It is the archive of this number.
    Archive(u32),
}

impl History {
    /// The relation of the main feed, given the number of the newest archive.
    pub fn of_main(archive: Option<u32>, is_whole: bool) -> Self {
        match archive {
            Some(newest) => Self::Archived(newest),
            None if is_whole => Self::Complete,
            None => Self::Newest,
        }
    }
}

/// A feed document before it is rendered in a format.
#[derive(Debug, Clone)]
pub struct Feed<'a> {
    pub channel: &'a Channel,
    /// Permanent id, shared by all documents of one feed (standards 5).
    pub id: Cow<'a, str>,
    /// Plain text.
    pub title: Cow<'a, str>,
    /// Plain text.
    pub description: Cow<'a, str>,
    /// Path of its page below the base address: empty, or with a slash at its end. Its documents are below that.
    pub place: String,
    /// Newest first.
    pub entries: &'a [Arc<Entry>],
    /// Deleted entries, latest first.
    pub tombstones: &'a [Tombstone],
    pub history: History,
    /// `podcast:guid`, if the feed has recordings.
    pub guid: Option<&'a str>,
    /// The newest change that a version has shown: the feed's date never moves back.
    pub latest: DateTime<Utc>,
    /// Fragments of its entries from earlier versions.
    pub fragments: Option<&'a FragmentCache>,
}

impl<'a> Feed<'a> {
    /// The main feed of a site.
    pub fn main(channel: &'a Channel, entries: &'a [Arc<Entry>]) -> Self {
        Self {
            channel,
            id: Cow::Borrowed(&channel.id),
            title: Cow::Borrowed(&channel.title),
            description: Cow::Borrowed(&channel.description),
            place: String::new(),
            entries,
            tombstones: &[],
            history: History::Newest,
            guid: None,
            latest: DateTime::UNIX_EPOCH,
            fragments: None,
        }
    }

    /// The feed of a folder, tag or author.
    pub fn view(channel: &'a Channel, view: &View, collection: &'a Collection) -> Self {
        let name = &view.label(&collection.name);
        let description = match view.kind {
            ViewKind::Section => format!("Articles in {name}"),
            ViewKind::Tag => format!("Articles tagged {name}"),
            ViewKind::Author => format!("Articles by {name}"),
        };
        Self {
            id: Cow::Owned(id_of(channel, &view.path())),
            title: Cow::Owned(format!("{name} – {}", channel.title)),
            description: Cow::Owned(description),
            place: view.path(),
            tombstones: &collection.tombstones,
            history: if collection.is_whole { History::Complete } else { History::Newest },
            guid: collection.guid.as_deref(),
            latest: collection.latest,
            ..Self::main(channel, &collection.entries)
        }
    }

    /// An archive of the main feed.
    pub fn archive(channel: &'a Channel, number: u32, collection: &'a Collection) -> Self {
        Self {
            place: archive_path(number),
            history: History::Archive(number),
            ..Self::main(channel, &collection.entries)
        }
    }

    /// Address of its document with this last part, as in `atom.xml`.
    pub fn url(&self, file: &str) -> String {
        self.channel.url(&format!("{}{file}", self.place))
    }

    /// Address of its page.
    pub fn page(&self) -> String {
        self.channel.url(&self.place)
    }

    /// When its content last changed (RFC 4287 section 4.2.15); `created` if it never did.
    pub fn updated(&self, created: DateTime<Utc>) -> DateTime<Utc> {
        let entries = self.entries.iter().map(|entry| entry.updated);
        let latest = Some(self.latest).filter(|latest| *latest > DateTime::UNIX_EPOCH);
        entries.chain(self.tombstones.iter().map(|tombstone| tombstone.at)).chain(latest).max().unwrap_or(created)
    }

    /// Links to the other documents `file` of the same feed: relation and address (RFC 5005 section 4). The newest archive names
    /// the next one, whose address redirects to the main feed until it exists.
    pub fn neighbours(&self, file: &str) -> Vec<(&'static str, String)> {
        let archive = |number: u32| self.channel.url(&format!("{}{file}", archive_path(number)));
        match self.history {
            History::Newest | History::Complete => Vec::new(),
            History::Archived(newest) => vec![("prev-archive", archive(newest))],
            History::Archive(number) => {
                let previous = (number > 1).then(|| ("prev-archive", archive(number - 1)));
                let rest = [("next-archive", archive(number + 1)), ("current", self.channel.url(file))];
                previous.into_iter().chain(rest).collect()
            }
        }
    }

    /// Whether it is a podcast: an entry has a recording.
    pub fn is_podcast(&self) -> bool {
        self.entries.iter().any(|entry| entry.content.enclosures.iter().any(Media::plays))
    }

    /// The cover of the podcast: the picture that most recordings share; among equals, that of the newest.
    pub fn cover(&self) -> Option<&'a Media> {
        let recordings = || self.entries.iter().filter(|entry| entry.content.plays());
        let images = || recordings().filter_map(|entry| entry.content.image.as_ref());
        let count = |image: &Media| images().filter(|other| other.url == image.url).count();
        // `max_by_key` takes the last of equals.
        images().collect::<Vec<_>>().into_iter().rev().max_by_key(|image| count(image))
    }
}

/// Permanent id of the feed at a path. It is derived from the main feed's id, so it survives a change of the base address.
fn id_of(channel: &Channel, path: &str) -> String {
    let main = Uuid::parse_str(&channel.id).unwrap_or(Uuid::NAMESPACE_URL);
    Uuid::new_v5(&main, path.as_bytes()).urn().to_string()
}

/// Path of the page of an archive below the base address.
pub fn archive_path(number: u32) -> String {
    format!("archive/{number}/")
}

/// An entry as all formats show it.
#[derive(Debug)]
pub struct Item<'a> {
    /// Permanent id.
    pub id: &'a str,
    /// The id in RSS and JSON Feed, which may be one from a feed published elsewhere.
    pub guid: &'a str,
    /// Plain text.
    pub title: &'a str,
    /// Address of the article: on another site if it links there, else of its page.
    pub url: Cow<'a, str>,
    /// Address of its page, if `url` is on another site.
    pub page: Option<String>,
    /// At least one.
    pub authors: &'a [Person],
    /// First publication.
    pub published: DateTime<Utc>,
    /// Last change of its content.
    pub updated: DateTime<Utc>,
    /// Plain text.
    pub summary: Option<&'a str>,
    /// HTML; `None` in a feed of summaries.
    pub html: Option<&'a str>,
    /// Plain texts.
    pub tags: &'a [String],
    /// BCP 47 tag, if it is not the channel's.
    pub language: Option<&'a str>,
    /// The cover.
    pub image: Option<&'a Media>,
    /// The other pictures.
    pub pictures: &'a [Media],
    pub enclosures: &'a [Media],
    pub episode: Option<&'a Episode>,
}

impl<'a> Item<'a> {
    pub fn new(channel: &'a Channel, entry: &'a Entry) -> Self {
        let content = &entry.content;
        let page = channel.page(&entry.slug);
        let summary = Some(content.summary.as_str()).filter(|summary| !summary.is_empty());
        // An article too short to have a summary is shown whole in a feed of summaries.
        let is_brief = content.brief || channel.limits.is_brief(u64::try_from(content.max_bytes()).unwrap_or(0));
        let is_whole = !is_brief || summary.is_none();
        Self {
            id: &entry.id,
            guid: entry.guid.as_deref().unwrap_or(&entry.id),
            title: &content.title,
            url: content.link.as_deref().map_or(Cow::Owned(page.clone()), Cow::Borrowed),
            page: content.link.is_some().then_some(page),
            authors: if content.authors.is_empty() { std::slice::from_ref(&channel.author) } else { &content.authors },
            published: entry.published,
            updated: entry.updated,
            summary,
            html: is_whole.then_some(&*content.html),
            tags: &content.tags,
            language: content.language.as_deref().filter(|language| *language != channel.language),
            image: content.image.as_ref(),
            pictures: &content.pictures,
            enclosures: &content.enclosures,
            episode: content.episode.as_ref(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
