//! Entries -> feed documents, pure: the same channel and entries give the same bytes, always.

pub mod atom;
pub mod elsewhere;
mod extension;
pub mod fragment;
pub mod json;
pub mod opml;
pub mod rss;

use crate::model::collection::{Collection, FeedLimits, Tombstone};
use crate::model::text::xml_legal;
use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::config::{Config, FeedContent};
use crate::model::entry::{Entry, Episode, Media, Person};
use crate::model::taxonomy::{View, ViewKind};
use fragment::FragmentCache;

/// Name of the program in every document. Without its version: an update must not look like new content.
pub const GENERATOR: &str = "gazetted";

/// What a feed says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Permanent id (RFC 4287 section 4.1.1).
    pub id: String,
    /// Name of the site.
    pub title: String,
    /// One sentence about it.
    pub description: String,
    /// BCP 47 tag of the language that most entries are in.
    pub language: String,
    /// Address of the site, with a slash at its end. Every other address starts with it.
    pub base_url: String,
    /// Who wrote the entries that name nobody.
    pub author: Person,
    /// How much feeds hold, and whether entries carry their whole text.
    pub limits: FeedLimits,
}

/// The style sheet of a feed that is opened in a browser.
pub const STYLE: &str = include_str!("feed.css");

/// Where that is, below the site's address.
pub const STYLE_PATH: &str = "feed.css";

impl Channel {
    /// Takes what a feed says of itself out of the configuration.
    pub fn new(config: &Config, base_url: &str, id: String) -> Self {
        let site = &config.site;
        let stated = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Self {
            id,
            title: xml_legal(site.title.trim()).into_owned(),
            description: xml_legal(site.description.trim()).into_owned(),
            language: site.language.trim().to_owned(),
            base_url: base_url.to_owned(),
            author: Person {
                name: xml_legal(&stated(&site.author.name).unwrap_or_else(|| site.title.trim().to_owned()))
                    .into_owned(),
                email: stated(&site.author.email),
                url: stated(&site.author.url),
            },
            limits: limits(config),
        }
    }

    /// An address of the site; `path` has no slash at its start.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Address of an article's own page.
    pub fn page(&self, slug: &str) -> String {
        self.url(&format!("articles/{slug}"))
    }

    /// Path of something that pages and feeds load, from the root of the host: it comes from wherever they came from. `text` is
    /// what is in it: a new one has a new address.
    pub fn part(&self, path: &str, text: &str) -> String {
        let root = url::Url::parse(&self.base_url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        format!("{root}{path}?{}", &blake3::hash(text.as_bytes()).to_hex()[..8])
    }

    /// `<?xml-stylesheet?>` for people who open a feed in a browser (standards 109).
    fn stylesheet(&self) -> String {
        format!("<?xml-stylesheet type=\"text/css\" href=\"{}\"?>\n", self.part(STYLE_PATH, STYLE))
    }
}

/// How much feeds hold, as the configuration says.
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

/// How a document stands to the rest of its feed (RFC 5005). The kinds are never mixed in one document (standards 63).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// It holds the newest entries, and the others are in no document.
    Newest,
    /// It holds all there are.
    Complete,
    /// It holds the newest entries; the others are in archives, of which this is the newest.
    Archived(u32),
    /// It is the archive of this number.
    Archive(u32),
}

impl History {
    /// Of the main feed, whose newest archive has a number.
    pub fn of_main(archive: Option<u32>, is_whole: bool) -> Self {
        match archive {
            Some(newest) => Self::Archived(newest),
            None if is_whole => Self::Complete,
            None => Self::Newest,
        }
    }
}

/// One feed document, before it is written in a format.
#[derive(Debug, Clone)]
pub struct Feed<'a> {
    /// The site.
    pub channel: &'a Channel,
    /// Permanent id, shared by all documents of one feed (standards 5).
    pub id: Cow<'a, str>,
    /// Plain text.
    pub title: Cow<'a, str>,
    /// Plain text.
    pub description: Cow<'a, str>,
    /// Path of its page below the site's address: empty, or with a slash at its end. Its documents are below that.
    pub place: String,
    /// Newest first.
    pub entries: &'a [Arc<Entry>],
    /// What left it, the latest first.
    pub tombstones: &'a [Tombstone],
    /// How it stands to the rest of the feed.
    pub history: History,
    /// `podcast:guid`, if it has recordings.
    pub guid: Option<&'a str>,
    /// The newest change that it ever told of: its date never goes back.
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
    pub fn view(channel: &'a Channel, view: &View, gathered: &'a Collection) -> Self {
        let name = &view.label(&gathered.name);
        let what = match view.kind {
            ViewKind::Section => format!("Articles in {name}"),
            ViewKind::Tag => format!("Articles tagged {name}"),
            ViewKind::Author => format!("Articles by {name}"),
        };
        Self {
            id: Cow::Owned(id_of(channel, &view.path())),
            title: Cow::Owned(format!("{name} – {}", channel.title)),
            description: Cow::Owned(what),
            place: view.path(),
            tombstones: &gathered.tombstones,
            history: if gathered.is_whole { History::Complete } else { History::Newest },
            guid: gathered.guid.as_deref(),
            latest: gathered.latest,
            ..Self::main(channel, &gathered.entries)
        }
    }

    /// An archive of the main feed.
    pub fn archive(channel: &'a Channel, number: u32, gathered: &'a Collection) -> Self {
        Self {
            place: archive_path(number),
            history: History::Archive(number),
            ..Self::main(channel, &gathered.entries)
        }
    }

    /// Address of its document of that name: `atom.xml`, `rss.xml` or `feed.json`.
    pub fn url(&self, name: &str) -> String {
        self.channel.url(&format!("{}{name}", self.place))
    }

    /// Address of its page.
    pub fn page(&self) -> String {
        self.channel.url(&self.place)
    }

    /// When its content last changed (RFC 4287 section 4.2.15); `created` where nothing ever did.
    pub fn updated(&self, created: DateTime<Utc>) -> DateTime<Utc> {
        let entries = self.entries.iter().map(|entry| entry.updated);
        let latest = Some(self.latest).filter(|latest| *latest > DateTime::UNIX_EPOCH);
        entries.chain(self.tombstones.iter().map(|tombstone| tombstone.at)).chain(latest).max().unwrap_or(created)
    }

    /// Links to other documents of the same feed, in the format of the document called `name` (RFC 5005 section 4). Behind the
    /// newest archive comes the main feed: until there is another, its address leads there.
    pub fn neighbours(&self, name: &str) -> Vec<(&'static str, String)> {
        let archive = |number: u32| self.channel.url(&format!("{}{name}", archive_path(number)));
        match self.history {
            History::Newest | History::Complete => Vec::new(),
            History::Archived(newest) => vec![("prev-archive", archive(newest))],
            History::Archive(number) => {
                let previous = (number > 1).then(|| ("prev-archive", archive(number - 1)));
                let rest = [("next-archive", archive(number + 1)), ("current", self.channel.url(name))];
                previous.into_iter().chain(rest).collect()
            }
        }
    }

    /// Whether players should take it for a podcast: there is something to play.
    pub fn is_podcast(&self) -> bool {
        self.entries.iter().any(|entry| entry.content.enclosures.iter().any(Media::plays))
    }

    /// The picture that stands for all recordings: the one that most of them share; of several, the newest one's.
    pub fn cover(&self) -> Option<&'a Media> {
        let recordings = || self.entries.iter().filter(|entry| entry.content.plays());
        let images = || recordings().filter_map(|entry| entry.content.image.as_ref());
        let count = |image: &Media| images().filter(|other| other.url == image.url).count();
        // `max_by_key` takes the last of equals.
        images().collect::<Vec<_>>().into_iter().rev().max_by_key(|image| count(image))
    }
}

/// Permanent id of the feed at a path: made from the main feed's, so that it survives a change of address.
fn id_of(channel: &Channel, path: &str) -> String {
    let main = Uuid::parse_str(&channel.id).unwrap_or(Uuid::NAMESPACE_URL);
    Uuid::new_v5(&main, path.as_bytes()).urn().to_string()
}

/// Path of an archive's page below the site's address.
pub fn archive_path(number: u32) -> String {
    format!("archive/{number}/")
}

/// An entry as all formats show it, with its addresses and its authors.
#[derive(Debug)]
pub struct Item<'a> {
    /// Permanent id.
    pub id: &'a str,
    /// The same for RSS and JSON Feed, whose readers may know it by another.
    pub guid: &'a str,
    /// Plain text.
    pub title: &'a str,
    /// Where to read it: elsewhere if it lives elsewhere, else its page here.
    pub url: Cow<'a, str>,
    /// Its page here, if it lives elsewhere.
    pub page: Option<String>,
    /// At least one.
    pub authors: &'a [Person],
    /// First publication.
    pub published: DateTime<Utc>,
    /// Last change of content.
    pub updated: DateTime<Utc>,
    /// Plain text; `None` where there is none.
    pub summary: Option<&'a str>,
    /// HTML; `None` in a feed of summaries.
    pub html: Option<&'a str>,
    /// Plain texts.
    pub tags: &'a [String],
    /// BCP 47 tag, where it is not the channel's.
    pub language: Option<&'a str>,
    /// The picture that stands for it.
    pub image: Option<&'a Media>,
    /// Its other pictures.
    pub pictures: &'a [Media],
    /// Recordings.
    pub enclosures: &'a [Media],
    /// What podcast players want to know.
    pub episode: Option<&'a Episode>,
}

impl<'a> Item<'a> {
    /// Prepares an entry.
    pub fn new(channel: &'a Channel, entry: &'a Entry) -> Self {
        let content = &entry.content;
        let page = channel.page(&entry.slug);
        let summary = Some(content.summary.as_str()).filter(|summary| !summary.is_empty());
        // A feed of summaries still has something to say of an article that is too short to have one.
        let is_brief = content.brief || channel.limits.is_brief(u64::try_from(content.max_bytes()).unwrap_or(0));
        let whole = !is_brief || summary.is_none();
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
            html: whole.then_some(&*content.html),
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
