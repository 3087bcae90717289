//! The one way from a request to the disk, for reading only: what no snapshot keeps. The page of one article of many, the feed
//! of a tag, an old archive are made when they are first asked for, and kept for as long as there is room.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::catalog::{self, Reader};
use crate::change::TextRequests;
use crate::folder::media;
use crate::model::collection::{ArticleLookup, Collection, FeedLookup, Moment};
use crate::model::taxonomy::{View, ViewKind};
use crate::render::compression::ContentCoding;
use crate::render::feed::{self, Channel, Feed, History, atom, json, opml, rss};
use crate::render::page::{self, Pages};
use crate::render::snapshot::{self, Document, Snapshot};

// What one client asks for is coded by gzip alone, which all know: the others would cost the client more time than they save.

/// How long somebody who asks for a text waits until it was read.
const READING_PATIENCE: Duration = Duration::from_secs(5);
/// How often, where what was read changes what is shown.
const MOST_READINGS: usize = 10;

/// Bytes of documents that are kept.
const ROOM: usize = 16 << 20;

/// How a feed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedFormat {
    /// A page for people.
    Page,
    /// Atom 1.0.
    Atom,
    /// RSS 2.0.
    Rss,
    /// JSON Feed 1.1.
    Json,
}

impl FeedFormat {
    const ALL: [Self; 4] = [Self::Page, Self::Atom, Self::Rss, Self::Json];

    /// Name of the document below the feed's place; a page has none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "",
            Self::Atom => atom::PATH,
            Self::Rss => rss::PATH,
            Self::Json => json::PATH,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Page => page::MEDIA_TYPE,
            Self::Atom => atom::MEDIA_TYPE,
            Self::Rss => rss::MEDIA_TYPE,
            Self::Json => json::MEDIA_TYPE,
        }
    }
}

/// What can be asked for beside what a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Route {
    /// The page of an article, by its slug.
    Article(String),
    /// The feed of a folder, tag or author.
    View(View, FeedFormat),
    /// An archive of the main feed.
    Archive(u32, FeedFormat),
    /// The list of all archives.
    Archives,
    /// The list of all views of a kind.
    Views(ViewKind),
    /// The list of all feeds, for readers.
    Opml,
}

impl Route {
    /// What a path below the site's address asks for, in whatever way it is written.
    pub fn at(path: &str) -> Option<Self> {
        if path == opml::PATH {
            return Some(Self::Opml);
        }
        let bare = path.trim_end_matches('/');
        if bare == "archive" {
            return Some(Self::Archives);
        }
        if let Some(kind) = ViewKind::ALL.into_iter().find(|kind| kind.root() == bare) {
            return Some(Self::Views(kind));
        }
        if let Some(slug) = bare.strip_prefix("articles/") {
            return is_slug(slug).then(|| Self::Article(slug.to_owned()));
        }
        let named = FeedFormat::ALL[1..].iter().find_map(|format| Some((path.strip_suffix(format.name())?, *format)));
        let (place, format) = named.filter(|(place, _)| place.ends_with('/')).unwrap_or((path, FeedFormat::Page));
        if let Some(number) = place.strip_prefix("archive/") {
            let number = number.trim_end_matches('/');
            let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
            return number.parse().ok().filter(|_| is_plain).map(|number| Self::Archive(number, format));
        }
        View::at(place).map(|view| Self::View(view, format))
    }

    /// Its one path below the site's address, percent-encoded.
    pub fn path(&self) -> String {
        match self {
            Self::Article(slug) => snapshot::article_path(slug),
            Self::View(view, format) => format!("{}{}", view.path(), format.name()),
            Self::Archive(number, format) => format!("{}{}", feed::archive_path(*number), format.name()),
            Self::Archives => "archive/".to_owned(),
            Self::Views(kind) => format!("{}/", kind.root()),
            Self::Opml => opml::PATH.to_owned(),
        }
    }
}

/// Whether a text can be a slug at all; nothing else is looked up.
fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What is found at an address.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// This.
    Document(Arc<Document>),
    /// It lives at this absolute address now.
    Moved(String),
    /// For the time being, what is asked for is in the document at this absolute address.
    Temporary(String),
    /// It was deleted.
    Gone,
    /// There is nothing.
    Unknown,
    /// It changed a moment ago, and the next snapshot has it.
    NotYet,
    /// These articles in it must be read first. Nobody but the door meets it.
    Unread(Vec<i64>),
}

/// Documents that were made for a request, by path.
#[derive(Debug, Default)]
struct DocumentCache {
    documents: HashMap<String, CachedDocument>,
    bytes: usize,
    asked: u64,
}

/// One of them.
#[derive(Debug, Clone)]
struct CachedDocument {
    /// The instant that it stands for.
    revised: DateTime<Utc>,
    /// The last version in which it was found unchanged.
    confirmed: DateTime<Utc>,
    /// When it was last asked for, counted in requests.
    asked: u64,
    document: Arc<Document>,
}

impl DocumentCache {
    fn get(&mut self, path: &str) -> Option<CachedDocument> {
        self.asked += 1;
        let copy = self.documents.get_mut(path)?;
        copy.asked = self.asked;
        Some(copy.clone())
    }

    fn confirm(&mut self, path: &str, version: DateTime<Utc>) {
        if let Some(copy) = self.documents.get_mut(path) {
            copy.confirmed = copy.confirmed.max(version);
        }
    }

    fn put(&mut self, path: &str, revised: DateTime<Utc>, confirmed: DateTime<Utc>, document: Arc<Document>) {
        // A slow request must not bring back what was before.
        if self.documents.get(path).is_some_and(|copy| copy.revised > revised) {
            return;
        }
        self.bytes += document.size();
        self.asked += 1;
        let copy = CachedDocument { revised, confirmed, asked: self.asked, document };
        if let Some(old) = self.documents.insert(path.to_owned(), copy) {
            self.bytes -= old.document.size();
        }
        while self.bytes > ROOM {
            let oldest = self.documents.iter().min_by_key(|(_, copy)| copy.asked).map(|(path, _)| path.clone());
            let Some(old) = oldest.and_then(|path| self.documents.remove(&path)) else { break };
            self.bytes -= old.document.size();
        }
    }
}

/// The way to the disk.
#[derive(Debug)]
pub struct OnDemand {
    reader: Mutex<Reader>,
    kept: Mutex<DocumentCache>,
    pages: Arc<Pages>,
    presented: DateTime<Utc>,
    created: DateTime<Utc>,
    files: media::MediaFiles,
    asked: TextRequests,
}

impl OnDemand {
    /// Opens the door to the catalog in `directory` and to `files`. `presented` is when pages and feeds last changed their look; `created` dates
    /// feeds that nothing was ever in.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn open(
        directory: &Path,
        pages: Arc<Pages>,
        presented: DateTime<Utc>,
        created: DateTime<Utc>,
        files: media::MediaFiles,
    ) -> catalog::Result<Self> {
        let reader = Mutex::new(Reader::open(directory)?);
        Ok(Self { reader, kept: Mutex::default(), pages, presented, created, files, asked: TextRequests::default() })
    }

    /// The same, with somebody who reads the texts that are asked for before they were read.
    #[must_use]
    pub fn asking(self, asked: TextRequests) -> Self {
        Self { asked, ..self }
    }

    /// Looks for what a path asks for, as it was in a snapshot. Blocks: it reads a file, renders a document and compresses it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn find(&self, address: &Route, path: &str, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        // With its weight known, another article may come in.
        for _ in 0..MOST_READINGS {
            match self.look_for(address, path, snapshot)? {
                Lookup::Unread(numbers) if !self.asked.wait(&numbers, READING_PATIENCE) => return Ok(Lookup::NotYet),
                Lookup::Unread(_) => {}
                found => return Ok(found),
            }
        }
        Ok(Lookup::NotYet)
    }

    fn look_for(&self, address: &Route, path: &str, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        let found = match address {
            Route::Article(slug) => self.article(slug, snapshot)?,
            Route::View(view, format) => self.view(view, *format, &address.path(), snapshot)?,
            Route::Archive(number, format) => self.archive(*number, *format, &address.path(), snapshot)?,
            Route::Archives => self.archives(snapshot)?,
            Route::Views(kind) => self.views(*kind, snapshot)?,
            Route::Opml => self.opml(snapshot)?,
        };
        Ok(match found {
            // There is one address for each document.
            Lookup::Document(_) if path != address.path() => Lookup::Moved(self.pages.channel().url(&address.path())),
            found => found,
        })
    }

    /// Opens a file beside articles by its path below the watched folder; `None` if there is none to be shown. Blocks.
    ///
    /// # Errors
    /// As for [`media::MediaFiles::open`].
    pub fn file(&self, below: &Path) -> io::Result<Option<media::OpenMedia>> {
        self.files.open(below)
    }

    /// Whether anything can be had through it. Blocks for as long as whatever is wrong lasts.
    pub fn opens(&self) -> bool {
        self.reader().newest_archive().is_ok()
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, DocumentCache> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn article(&self, slug: &str, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        let lookup = self.reader().by_slug(slug, snapshot.version, snapshot.due)?;
        Ok(match lookup {
            ArticleLookup::Current(entry) => {
                let revised = entry.revised.max(self.presented);
                let make = || Ok((snapshot::article(&self.pages, &entry, self.presented), revised));
                return self.known(&snapshot::article_path(slug), revised, snapshot, make);
            }
            ArticleLookup::Moved(slug) => Lookup::Moved(self.pages.channel().page(&slug)),
            ArticleLookup::Gone => Lookup::Gone,
            ArticleLookup::Unknown => Lookup::Unknown,
            ArticleLookup::NotYet => Lookup::NotYet,
            ArticleLookup::Unread(number) => Lookup::Unread(vec![number]),
        })
    }

    fn view(&self, view: &View, format: FeedFormat, path: &str, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        let limits = self.pages.channel().limits;
        self.gathered(
            path,
            snapshot,
            |reader, known| reader.view(view, &limits, moment(snapshot), known),
            |gathered| {
                let feed = Feed::view(self.pages.channel(), view, gathered);
                let body = match format {
                    FeedFormat::Page => self.pages.view(&feed, view, &gathered.name),
                    _ => written(&feed, format, self.created),
                };
                self.made(format, body, gathered.revised, &feed)
            },
        )
    }

    fn archive(&self, number: u32, format: FeedFormat, path: &str, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        let found = self.gathered(
            path,
            snapshot,
            |reader, known| reader.archive(number, moment(snapshot), known),
            |gathered| {
                let feed = Feed::archive(self.pages.channel(), number, gathered);
                let body = match format {
                    FeedFormat::Page => self.pages.archive(&feed, number),
                    _ => written(&feed, format, self.created),
                };
                self.made(format, body, gathered.revised, &feed).lasting(true)
            },
        )?;
        // What follows on the newest archive is the feed itself, until there is another archive.
        let is_next = || Ok::<_, catalog::CatalogError>(self.reader().newest_archive()?.unwrap_or(0) + 1 == number);
        match found {
            Lookup::Unknown if number > 1 && is_next()? => {
                Ok(Lookup::Temporary(self.pages.channel().url(format.name())))
            }
            found => Ok(found),
        }
    }

    /// A feed, from what is kept if it has not changed since.
    fn gathered(
        &self,
        path: &str,
        snapshot: &Snapshot,
        read: impl FnOnce(&Reader, Option<DateTime<Utc>>) -> catalog::Result<FeedLookup>,
        make: impl FnOnce(&Collection) -> Document,
    ) -> catalog::Result<Lookup> {
        let kept = self.kept().get(path);
        let wanted = read(&self.reader(), kept.as_ref().map(|copy| copy.revised))?;
        Ok(match (wanted, kept) {
            (FeedLookup::Found(gathered), _) => self.keep(path, gathered.revised, snapshot, make(&gathered)),
            (FeedLookup::Same, Some(copy)) => {
                self.kept().confirm(path, snapshot.version);
                Lookup::Document(copy.document)
            }
            // The change is not to be seen yet, and nothing else has changed since this was found unchanged.
            (FeedLookup::NotYet, Some(copy)) if copy.confirmed == snapshot.version => Lookup::Document(copy.document),
            (FeedLookup::NotYet | FeedLookup::Same, _) => Lookup::NotYet,
            (FeedLookup::Unknown, _) => Lookup::Unknown,
            (FeedLookup::Unread(numbers), _) => Lookup::Unread(numbers),
        })
    }

    /// A document that stands for `revised`, from what is kept or newly made; `make` says for which instant it then stands.
    fn known(
        &self,
        path: &str,
        revised: DateTime<Utc>,
        snapshot: &Snapshot,
        make: impl FnOnce() -> catalog::Result<(Document, DateTime<Utc>)>,
    ) -> catalog::Result<Lookup> {
        if let Some(copy) = self.kept().get(path).filter(|copy| copy.revised == revised) {
            return Ok(Lookup::Document(copy.document));
        }
        let (document, revised) = make()?;
        Ok(self.keep(path, revised, snapshot, document))
    }

    fn keep(&self, path: &str, revised: DateTime<Utc>, snapshot: &Snapshot, document: Document) -> Lookup {
        document.compress(ContentCoding::Gzip);
        let document = Arc::new(document);
        self.kept().put(path, revised, snapshot.version, document.clone());
        Lookup::Document(document)
    }

    fn made(&self, format: FeedFormat, body: String, revised: DateTime<Utc>, feed: &Feed<'_>) -> Document {
        let document = Document::new(format.media_type(), body, revised.max(self.presented));
        document.linked((format == FeedFormat::Page).then(|| self.pages.links(&feed.place)))
    }

    fn archives(&self, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        let closed = self.reader().shelves_changed()?;
        if closed > snapshot.version {
            return Ok(Lookup::NotYet);
        }
        self.known(&Route::Archives.path(), closed, snapshot, || {
            let (shelves, closed) = self.reader().shelves()?;
            Ok((self.page(self.pages.archives(&shelves), closed), closed))
        })
    }

    fn views(&self, kind: ViewKind, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        let changed = self.reader().views_changed(&[kind])?;
        if changed > snapshot.version {
            return Ok(Lookup::NotYet);
        }
        self.known(&Route::Views(kind).path(), changed, snapshot, || {
            let (groups, changed) = self.reader().views(&[kind])?;
            let views = groups.into_iter().flat_map(|(_, views)| views).collect::<Vec<_>>();
            Ok((self.page(self.pages.views(kind, &views), changed), changed))
        })
    }

    fn page(&self, body: String, revised: DateTime<Utc>) -> Document {
        let page = Document::new(page::MEDIA_TYPE, body, revised.max(self.presented));
        page.linked(Some(self.pages.links("")))
    }

    fn opml(&self, snapshot: &Snapshot) -> catalog::Result<Lookup> {
        let changed = self.reader().views_changed(&ViewKind::ALL)?;
        if changed > snapshot.version {
            return Ok(Lookup::NotYet);
        }
        self.known(opml::PATH, changed, snapshot, || {
            let (groups, changed) = self.reader().views(&ViewKind::ALL)?;
            let modified = changed.max(self.created);
            let body = opml::render(self.pages.channel(), &groups, modified);
            Ok((Document::new(opml::MEDIA_TYPE, body, modified.max(self.presented)), changed))
        })
    }
}

/// What came of printing a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed {
    /// The document.
    Feed(String),
    /// There is no such feed.
    Nothing,
    /// There is, and the daemon has not read all that is in it yet.
    Unread,
}

/// Writes a feed without a server: the one at an address, or the main feed, as it was in the version that readers saw last.
///
/// # Errors
/// The catalog cannot be read.
pub fn print(
    reader: &Reader,
    channel: &Channel,
    address: Option<&Route>,
    format: FeedFormat,
    now: DateTime<Utc>,
) -> catalog::Result<Printed> {
    // What is recorded counts, whether it was served yet or not.
    let moment = Moment { version: DateTime::<Utc>::MAX_UTC, due: now };
    let (_, created) = reader.feed_id()?;
    let wanted = match address {
        Some(Route::View(view, _)) => reader.view(view, &channel.limits, moment, None)?,
        Some(Route::Archive(number, _)) => reader.archive(*number, moment, None)?,
        _ => FeedLookup::Found(Box::new(reader.main(&channel.limits, moment)?)),
    };
    let gathered = match wanted {
        FeedLookup::Found(gathered) => gathered,
        FeedLookup::Unread(_) => return Ok(Printed::Unread),
        FeedLookup::Same | FeedLookup::NotYet | FeedLookup::Unknown => return Ok(Printed::Nothing),
    };
    let feed = match address {
        Some(Route::View(view, _)) => Feed::view(channel, view, &gathered),
        Some(Route::Archive(number, _)) => Feed::archive(channel, *number, &gathered),
        _ => Feed {
            tombstones: &gathered.tombstones,
            history: History::of_main(reader.newest_archive()?, gathered.is_whole),
            guid: gathered.guid.as_deref(),
            ..Feed::main(channel, &gathered.entries)
        },
    };
    Ok(Printed::Feed(written(&feed, format, created)))
}

fn written(feed: &Feed<'_>, format: FeedFormat, created: DateTime<Utc>) -> String {
    match format {
        FeedFormat::Page => String::new(),
        FeedFormat::Atom => atom::render(feed, created),
        FeedFormat::Rss => rss::render(feed, created),
        FeedFormat::Json => json::render(feed),
    }
}

fn moment(snapshot: &Snapshot) -> Moment {
    Moment { version: snapshot.version, due: snapshot.due }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_one_path() {
        for (asked, path) in [
            ("articles/a-b", "articles/a-b"),
            ("articles/a-b/", "articles/a-b"),
            ("tags/Rust", "tags/rust/"),
            ("tags/rust/", "tags/rust/"),
            ("tags/Caf%C3%A9/atom.xml", "tags/cafe/atom.xml"),
            ("sections/a/B/feed.json", "sections/a/b/feed.json"),
            ("authors/Ann%20Smith/rss.xml", "authors/ann-smith/rss.xml"),
            ("archive/12", "archive/12/"),
            ("archive/12/rss.xml", "archive/12/rss.xml"),
            ("archive", "archive/"),
            ("tags", "tags/"),
            ("sections/", "sections/"),
            ("feeds.opml", "feeds.opml"),
        ] {
            assert_eq!(Route::at(asked).map(|address| address.path()).as_deref(), Some(path), "{asked}");
        }
        for nothing in
            ["", "x", "archive/0", "archive/01", "archive/x", "articles/", "articles/a/b", "tagsx/a", "tags/a/b"]
        {
            assert_eq!(Route::at(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let mut kept = DocumentCache::default();
        let epoch = DateTime::UNIX_EPOCH;
        let document = |letter: &str| Arc::new(Document::new("text/plain", letter.repeat(ROOM / 3), epoch));
        for name in ["a", "b", "c"] {
            kept.put(name, epoch, epoch, document(name));
        }
        assert!(kept.get("a").is_some());
        kept.put("d", epoch, epoch, document("d"));
        assert!(kept.get("b").is_none() && kept.get("a").is_some() && kept.get("d").is_some());
        assert!(kept.bytes <= ROOM);
    }
}
