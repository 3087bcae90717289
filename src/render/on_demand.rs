//! Documents that no snapshot holds (most article pages, feeds of tags, old archives) and media files. Documents are rendered on the
//! first request and cached as long as there is room. This is the only way from a request to the disk, and it is read-only.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::article::address::media_address;
use crate::change::TextRequests;
use crate::folder::{is_document, media};
use crate::model::collection::{ArticleLookup, Collection, FeedLookup, ListLookup, SitemapLookup};
use crate::model::digest::{DatedLookup, DigestKind, DigestPeriod};
use crate::model::entry::Slug;
use crate::model::library::{self, Library, LibraryError};
use crate::model::moment::{Moment, Version};
use crate::model::near::{ArticleNames, WantedName};
use crate::model::period::DateRange;
use crate::model::site_page::Permalink;
use crate::model::site_page::{DIGESTS, Menu, is_own_part};
use crate::model::taxonomy::{View, ViewKind};
use crate::render::compression::ContentCoding;
use crate::render::digest;
use crate::render::feed::format::{FeedFormat, Formats, Representation};
use crate::render::feed::{self, Channel, Feed, History, opml};
use crate::render::page::{self, Front, MOST_NEWEST, Pages};
use crate::render::plain;
use crate::render::sitemap;
use crate::render::snapshot::{self, Document, DocumentKind, SiteDates, Snapshot};

/// The content coding of these documents, which all clients accept. A better one takes longer than it saves for a single client.
const CODING: ContentCoding = ContentCoding::Gzip;

/// Longest wait for the texts of articles to be read.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum total size of the cached documents, in bytes.
const CACHE_SIZE: usize = 16 << 20;
/// Total size of the rendered documents in memory, in bytes, at which no other is rendered: those in the cache, and those that slow
/// clients are still reading.
const MAX_HELD: usize = 64 << 20;

/// Maximum number of articles in the digests of a feed, and in one digest.
const MAX_IN_DIGESTS: usize = 300;

/// A document that a snapshot does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Route {
    /// The page of an article, by its slug.
    Article(String),
    /// A page that is no article, by its slug.
    Page(String),
    /// An article in Markdown, by its slug.
    Markdown(String),
    /// The feed of a folder, tag, author, series or language.
    View(View, Representation),
    /// The main feed.
    Main(Representation),
    /// An archive of the main feed.
    Archive(u32, Representation),
    /// All articles by date, or those of a year or month.
    DateRange(DateRange),
    /// The digests of a kind.
    Digests(DigestKind, Representation),
    /// The digest of a day, a week or a month.
    Digest(DigestPeriod),
    /// The list of all views of a kind.
    Views(ViewKind),
    /// The list of all feeds, as OPML.
    Opml,
    /// The sitemap, or a part of it.
    Sitemap(Option<u32>),
    /// An address that an article had elsewhere, with a slash at its start. No path leads to it.
    OldAddress(String),
}

impl Route {
    /// Parses a path below the base address, canonical or not.
    pub fn at(path: &str, formats: Formats) -> Option<Self> {
        if path == opml::PATH {
            return Some(Self::Opml);
        }
        if path == sitemap::PATH {
            return Some(Self::Sitemap(None));
        }
        if let Some(part) = sitemap::part_at(path) {
            return Some(Self::Sitemap(Some(part)));
        }
        let bare = path.trim_end_matches('/');
        if let Some(period) = page::period_at(path) {
            return Some(Self::DateRange(period));
        }
        if let Some(kind) = ViewKind::ALL.into_iter().find(|kind| kind.root() == bare) {
            return Some(Self::Views(kind));
        }
        if let Some(slug) = bare.strip_prefix("articles/") {
            if let Some(slug) = slug.strip_suffix(".md") {
                return may_be_slug(slug).then(|| Self::Markdown(slug.to_owned()));
            }
            return may_be_slug(slug).then(|| Self::Article(slug.to_owned()));
        }
        let (place, representation) = formats.split(path);
        if let Some(place) = path.strip_prefix(DIGESTS).and_then(|rest| rest.strip_prefix('/')) {
            return digest_at(place, formats);
        }
        if let Some(number) = place.strip_prefix("archive/") {
            let number = number.trim_end_matches('/');
            let is_canonical = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
            let number = number.parse().ok().filter(|_| is_canonical);
            return number.map(|number| Self::Archive(number, representation));
        }
        View::at(place).map(|view| Self::View(view, representation))
    }

    /// The page that is no article at a path below the base address, if there may be one. Own addresses and old ones of feeds and lists
    /// come first.
    pub fn page_at(path: &str) -> Option<Self> {
        let slug = path.trim_end_matches('/');
        (may_be_slug(slug) && !is_own_part(slug)).then(|| Self::Page(slug.to_owned()))
    }

    /// What a browser shows at the same address: in place of a feed, a page about it.
    #[must_use]
    pub fn opened(self) -> Self {
        match self {
            Self::View(view, representation) => Self::View(view, representation.opened()),
            Self::Main(representation) => Self::Main(representation.opened()),
            Self::Archive(number, representation) => Self::Archive(number, representation.opened()),
            Self::Digests(kind, representation) => Self::Digests(kind, representation.opened()),
            other => other,
        }
    }

    /// Its key among the cached documents: two may be at one path.
    fn cache_key(&self) -> String {
        let path = self.path();
        match self {
            Self::View(_, Representation::FeedPage(_))
            | Self::Main(Representation::FeedPage(_))
            | Self::Archive(_, Representation::FeedPage(_))
            | Self::Digests(_, Representation::FeedPage(_)) => format!("{path} as a page"),
            _ => path,
        }
    }

    /// Its canonical path below the base address, percent-encoded.
    pub fn path(&self) -> String {
        match self {
            Self::Article(slug) => format!("articles/{slug}"),
            Self::Markdown(slug) => plain::article_path(slug),
            Self::Page(slug) => slug.clone(),
            Self::View(view, representation) => format!("{}{}", view.path(), representation.file()),
            Self::Main(representation) => representation.file().to_owned(),
            Self::Archive(number, representation) => {
                format!("{}{}", feed::archive_path(*number), representation.file())
            }
            Self::DateRange(period) => page::period_path(*period),
            Self::Digests(kind, representation) => format!("{}{}", digest::path(*kind), representation.file()),
            Self::Digest(period) => format!("{}{}", digest::path(period.kind), period.name()),
            Self::Views(kind) => format!("{}/", kind.root()),
            Self::Opml => opml::PATH.to_owned(),
            Self::Sitemap(None) => sitemap::PATH.to_owned(),
            Self::Sitemap(Some(part)) => sitemap::part_path(*part),
            Self::OldAddress(address) => address.clone(),
        }
    }
}

/// Parses the path of digests, without its first part.
fn digest_at(path: &str, formats: Formats) -> Option<Route> {
    let (kind, rest) = path.split_once('/').unwrap_or((path, ""));
    let kind = DigestKind::ALL.into_iter().find(|known| known.name() == kind)?;
    let (place, representation) = formats.split(path);
    if rest.is_empty() || representation != Representation::Page {
        let is_list = place.trim_end_matches('/') == kind.name();
        return is_list.then_some(Route::Digests(kind, representation));
    }
    DigestPeriod::parse(kind, rest.trim_end_matches('/')).map(Route::Digest)
}

/// Whether the library may hold an article with such a slug.
fn may_be_slug(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The version that a lookup is for, the menu of its pages, and the time.
#[derive(Debug, Clone)]
pub struct Edition {
    pub moment: Moment,
    pub menu: Arc<Menu>,
    /// The time, which may be later than anything that the version shows.
    pub now: DateTime<Utc>,
}

impl From<&Snapshot> for Edition {
    fn from(snapshot: &Snapshot) -> Self {
        Self { moment: snapshot.moment, menu: snapshot.menu.clone(), now: snapshot.moment.due }
    }
}

#[cfg(test)]
impl From<Moment> for Edition {
    fn from(moment: Moment) -> Self {
        Self { moment, menu: Arc::default(), now: moment.due }
    }
}

/// The result of looking up a route.
#[derive(Debug, Clone)]
pub enum Lookup {
    Document(Arc<Document>),
    /// The document has moved to this absolute address.
    Moved(String),
    /// For now, the content is in the document at this absolute address.
    Temporary(String),
    /// The article was deleted.
    Gone,
    /// There is no such document.
    Unknown,
    /// The document has changed since the snapshot; the next snapshot will show the change.
    NotYet,
}

/// Why a lookup has no result.
#[derive(Debug)]
pub enum Obstacle {
    /// The texts of these articles must be read first.
    Unread(Vec<i64>),
    /// Slow clients hold too many documents in memory.
    NoMemory,
    Library(LibraryError),
}

impl From<LibraryError> for Obstacle {
    fn from(error: LibraryError) -> Self {
        Self::Library(error)
    }
}

/// The result of a lookup, or why it has none.
pub type Attempt = Result<Lookup, Obstacle>;

/// Rendered documents by path. When they exceed [`CACHE_SIZE`], the least recently requested ones are evicted.
#[derive(Debug, Default)]
struct DocumentCache {
    documents: HashMap<String, CachedDocument>,
    bytes: usize,
    /// Number of requests so far.
    clock: u64,
}

#[derive(Debug, Clone)]
struct CachedDocument {
    /// When its content last changed.
    revised: DateTime<Utc>,
    /// When the menu last changed that it shows, if it is a page.
    menu: DateTime<Utc>,
    /// The newest version in which it was found unchanged.
    confirmed: Version,
    /// When it was last requested, by the cache's clock.
    requested: u64,
    document: Arc<Document>,
}

impl DocumentCache {
    fn get(&mut self, path: &str) -> Option<CachedDocument> {
        self.clock += 1;
        let cached = self.documents.get_mut(path)?;
        cached.requested = self.clock;
        Some(cached.clone())
    }

    fn confirm(&mut self, path: &str, version: Version) {
        if let Some(cached) = self.documents.get_mut(path) {
            cached.confirmed = cached.confirmed.max(version);
        }
    }

    fn insert(&mut self, path: &str, cached: CachedDocument) {
        // A slow request must not replace a newer document.
        let is_newer = |other: &CachedDocument| (other.revised, other.menu) > (cached.revised, cached.menu);
        if self.documents.get(path).is_some_and(is_newer) {
            return;
        }
        self.bytes += cached.document.size();
        self.clock += 1;
        let cached = CachedDocument { requested: self.clock, ..cached };
        if let Some(replaced) = self.documents.insert(path.to_owned(), cached) {
            self.bytes -= replaced.document.size();
        }
        while self.bytes > CACHE_SIZE {
            let oldest = self.documents.iter().min_by_key(|(_, cached)| cached.requested).map(|(path, _)| path.clone());
            let Some(evicted) = oldest.and_then(|path| self.documents.remove(&path)) else { break };
            self.bytes -= evicted.document.size();
        }
    }
}

/// Bytes of a document, which are counted until the last response with them has been sent.
struct CountedBytes {
    bytes: Bytes,
    held: Arc<AtomicUsize>,
}

impl CountedBytes {
    fn count(bytes: Bytes, held: &Arc<AtomicUsize>) -> Bytes {
        held.fetch_add(bytes.len(), Relaxed);
        Bytes::from_owner(Self { bytes, held: held.clone() })
    }
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for CountedBytes {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes.len(), Relaxed);
    }
}

/// The names of the newest articles in a version.
type NamesOfVersion = Option<(Version, Arc<Vec<ArticleNames>>)>;

/// Renders documents on demand, and opens media files. Clones share all of it but the menu.
#[derive(Debug, Clone)]
pub struct OnDemand {
    library: Arc<Mutex<Box<dyn Library>>>,
    cache: Arc<Mutex<DocumentCache>>,
    /// Total size of the rendered documents in memory.
    held: Arc<AtomicUsize>,
    pages: Arc<Pages>,
    dates: SiteDates,
    files: Arc<media::MediaFiles>,
    text_requests: TextRequests,
    names: Arc<Mutex<NamesOfVersion>>,
    /// Each document is looked up once: it is neither compressed nor put into the cache.
    is_single_use: bool,
}

impl OnDemand {
    /// Renders articles of `library` and opens `files`. Texts that have not been read yet are requested through `text_requests`.
    pub fn new(
        library: Box<dyn Library>,
        pages: Arc<Pages>,
        dates: SiteDates,
        files: media::MediaFiles,
        text_requests: TextRequests,
    ) -> Self {
        let (library, cache) = (Arc::new(Mutex::new(library)), Arc::default());
        let (held, names, files) = (Arc::default(), Arc::default(), Arc::new(files));
        Self { library, cache, held, pages, dates, files, text_requests, names, is_single_use: false }
    }

    /// Sets that each document is looked up once, as for a copy of the site: none is compressed or put into the cache.
    #[must_use]
    pub fn single_use(self) -> Self {
        Self { is_single_use: true, ..self }
    }

    /// Looks up the document of a route as it was at a moment. Blocks, because it may read from the disk, render the document and
    /// compress it.
    ///
    /// # Errors
    /// The library cannot be read, or texts must be read first.
    pub fn find(&self, route: &Route, edition: impl Into<Edition>) -> Attempt {
        let Edition { moment, menu, now } = edition.into();
        Self { pages: Arc::new(self.pages.with_menu(menu)), ..self.clone() }.look_up(route, moment, now)
    }

    fn look_up(&self, route: &Route, moment: Moment, now: DateTime<Utc>) -> Attempt {
        let path = route.cache_key();
        let is_incomplete = || self.library().is_incomplete();
        match route {
            // It may be one of the articles whose files are still to be read.
            Route::Article(slug) => match self.article(slug, moment)? {
                Lookup::Unknown if is_incomplete()? => Ok(Lookup::NotYet),
                lookup => Ok(lookup),
            },
            Route::Markdown(slug) => match self.markdown(slug, moment)? {
                Lookup::Unknown if is_incomplete()? => Ok(Lookup::NotYet),
                lookup => Ok(lookup),
            },
            Route::Page(slug) => match self.page(slug, moment)? {
                Lookup::Unknown if is_incomplete()? => Ok(Lookup::NotYet),
                lookup => Ok(lookup),
            },
            Route::OldAddress(address) => match self.old_address(address, moment)? {
                Lookup::Unknown if is_incomplete()? => Ok(Lookup::NotYet),
                lookup => Ok(lookup),
            },
            // A list would lack them.
            _ if is_incomplete()? => Ok(Lookup::NotYet),
            Route::View(view, representation) => self.view(view, *representation, &path, moment),
            Route::Main(representation) => self.main(*representation, &path, moment),
            Route::Archive(number, representation) => self.archive(*number, *representation, &path, moment),
            Route::DateRange(period) => self.period(*period, &path, moment),
            Route::Digests(kind, representation) => self.digests(*kind, *representation, &path, moment, now),
            Route::Digest(period) => self.digest(*period, &path, moment, now),
            Route::Views(kind) => self.views(*kind, &path, moment),
            Route::Opml => self.opml(&path, moment),
            Route::Sitemap(part) => self.sitemap(*part, &path, moment),
        }
    }

    /// The page of a 404 with the articles whose names are nearest to what is wanted; `None` if none is near. Blocks.
    ///
    /// # Errors
    /// The library cannot be read.
    pub fn missing_near(&self, wanted: &WantedName, edition: Edition) -> library::Result<Option<Bytes>> {
        let Edition { moment, menu, .. } = edition;
        let names = self.newest_names(moment)?;
        let near = wanted.nearest(&names);
        if near.is_empty() {
            return Ok(None);
        }
        let newest: Vec<&Slug> = names.iter().map(|names| &names.slug).take(MOST_NEWEST).collect();
        let near = self.library().lines(&near, moment)?;
        let newest = self.library().lines(&newest, moment)?;
        let page = || self.pages.with_menu(menu).missing(false, &near, &newest);
        Ok((!near.is_empty()).then(page).map(Bytes::from))
    }

    /// The names of the newest articles, which are read once for each version.
    fn newest_names(&self, moment: Moment) -> library::Result<Arc<Vec<ArticleNames>>> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        match &*names {
            Some((version, names)) if *version == moment.version => Ok(names.clone()),
            _ => {
                let read = Arc::new(self.library().newest_names(moment)?);
                *names = Some((moment.version, read.clone()));
                Ok(read)
            }
        }
    }

    /// Returns the document of a route if the cache holds it as it was in a version. Never blocks.
    pub fn cached(&self, route: &Route, version: Version) -> Option<Arc<Document>> {
        // They change with the time, too.
        if matches!(route, Route::Digests(..)) {
            return None;
        }
        let cached = self.cache().get(&route.cache_key())?;
        (cached.confirmed == version).then_some(cached.document)
    }

    /// Redirects from `path`, where the route was requested, to the address of its document: each document has one.
    pub fn at(&self, route: &Route, path: &str, lookup: Lookup) -> Lookup {
        match lookup {
            Lookup::Document(_) if path != route.path() => Lookup::Moved(self.pages.channel().url(&route.path())),
            lookup => lookup,
        }
    }

    /// Waits until the texts of articles have been read. Returns false if that takes too long.
    pub async fn read_texts(&self, numbers: &[i64]) -> bool {
        self.text_requests.wait(numbers, READ_TIMEOUT).await
    }

    /// Looks up a media file by its path below the watched folder. Blocks.
    ///
    /// # Errors
    /// As for [`media::MediaFiles::find`].
    pub fn file(&self, path: &Path) -> io::Result<media::MediaLookup> {
        // A document that no article links to is an article itself, and may hold comments, changes and texts that are not for the public.
        if is_document(path) && !self.library().shows_file(path).map_err(io::Error::other)? {
            return Ok(media::MediaLookup::Missing);
        }
        self.files.find(path)
    }

    /// The absolute address of a media file.
    pub fn media_url(&self, path: &Path) -> Option<String> {
        Some(media_address(&self.pages.channel().base_url, path)?.0)
    }

    /// Whether the library can be read. Blocks until that is known.
    pub fn is_readable(&self) -> bool {
        self.library().newest_archive().is_ok()
    }

    fn library(&self) -> MutexGuard<'_, Box<dyn Library>> {
        self.library.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, DocumentCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn article(&self, slug: &str, moment: Moment) -> Attempt {
        let lookup = self.library().article(slug, moment)?;
        self.entry(lookup, moment)
    }

    /// An article in Markdown.
    fn markdown(&self, slug: &str, moment: Moment) -> Attempt {
        let lookup = self.library().article(slug, moment)?;
        match lookup {
            ArticleLookup::Current(entry, _) => {
                let revised = entry.revised.max(self.dates.presented);
                let render = || Ok((snapshot::markdown(&self.pages, &entry, self.dates.presented), revised));
                self.unchanged_or(&plain::article_path(slug), revised, moment, render)
            }
            ArticleLookup::Moved(Permalink::Article(slug)) => {
                Ok(Lookup::Moved(self.pages.channel().url(&plain::article_path(&slug))))
            }
            other => self.entry(other, moment),
        }
    }

    fn page(&self, slug: &str, moment: Moment) -> Attempt {
        let lookup = self.library().page(slug, moment)?;
        self.entry(lookup, moment)
    }

    fn entry(&self, lookup: ArticleLookup, moment: Moment) -> Attempt {
        Ok(match lookup {
            ArticleLookup::Current(entry, surroundings) => {
                let revised = entry.revised.max(surroundings.revised).max(self.dates.of_pages(&self.pages));
                let render = || Ok((snapshot::article(&self.pages, &entry, &surroundings, self.dates), revised));
                return self.unchanged_or(&entry.permalink().path(), revised, moment, render);
            }
            ArticleLookup::Moved(place) => Lookup::Moved(self.pages.channel().permalink(&place)),
            ArticleLookup::Gone => Lookup::Gone,
            ArticleLookup::Unknown => Lookup::Unknown,
            ArticleLookup::NotYet => Lookup::NotYet,
            ArticleLookup::Unread(numbers) => return Err(Obstacle::Unread(numbers)),
        })
    }

    fn old_address(&self, address: &str, moment: Moment) -> Attempt {
        let lookup = self.library().old_address(address, moment)?;
        Ok(match lookup {
            ArticleLookup::Moved(place) => Lookup::Moved(self.pages.channel().permalink(&place)),
            ArticleLookup::Gone => Lookup::Gone,
            ArticleLookup::NotYet => Lookup::NotYet,
            ArticleLookup::Current(..) | ArticleLookup::Unread(_) | ArticleLookup::Unknown => Lookup::Unknown,
        })
    }

    fn view(&self, view: &View, representation: Representation, path: &str, moment: Moment) -> Attempt {
        let limits = self.pages.channel().limits;
        self.listed(
            path,
            moment,
            |library, cached| library.view(view, &limits, representation == Representation::Page, moment, cached),
            |collection| {
                let pages = self.pages.in_language_of(view);
                let feed = Feed::view(pages.channel(), view, collection);
                let page = || pages.view(&feed, view, &collection.name);
                (self.document(&pages, representation, &feed, page, collection.revised), collection.revised)
            },
        )
    }

    /// The main feed. The snapshot has its feeds and its page; what browsers show in place of the feeds is rendered here.
    fn main(&self, representation: Representation, path: &str, moment: Moment) -> Attempt {
        let channel = self.pages.channel();
        self.listed(
            path,
            moment,
            |library, cached| library.main(&channel.limits, moment, cached),
            |collection| {
                let feed = main_feed(channel, collection);
                let page = || self.pages.front(&feed, &Front::default());
                (self.document(&self.pages, representation, &feed, page, collection.revised), collection.revised)
            },
        )
    }

    fn archive(&self, number: u32, representation: Representation, path: &str, moment: Moment) -> Attempt {
        let lookup = self.listed(
            path,
            moment,
            |library, cached| library.archive(number, moment, cached),
            |collection| {
                let feed = Feed::archive(self.pages.channel(), number, collection);
                let page = || self.pages.archive(&feed, number);
                let document = self.document(&self.pages, representation, &feed, page, collection.revised);
                (document.lasting(true), collection.revised)
            },
        )?;
        // Until the next archive is closed, its entries are in the main feed.
        let is_next = || Ok::<_, LibraryError>(self.library().newest_archive()?.unwrap_or(0) == number - 1);
        match lookup {
            Lookup::Unknown if number > 1 && is_next()? => {
                Ok(Lookup::Temporary(self.pages.channel().url(representation.file())))
            }
            lookup => Ok(lookup),
        }
    }

    /// The document of a feed or a list, from the cache if its content has not changed. `render` also returns when that last changed.
    fn listed<T>(
        &self,
        path: &str,
        moment: Moment,
        read: impl FnOnce(&dyn Library, Option<DateTime<Utc>>) -> library::Result<ListLookup<T>>,
        render: impl FnOnce(&T) -> (Document, DateTime<Utc>),
    ) -> Attempt {
        let cached = self.cached_at(path);
        let lookup = read(&**self.library(), cached.as_ref().map(|cached| cached.revised))?;
        Ok(match (lookup, cached) {
            (ListLookup::Found(content), _) => {
                self.check_memory()?;
                let (document, revised) = render(&content);
                self.store(path, revised, moment, document)
            }
            (ListLookup::Same, Some(cached)) => {
                self.cache().confirm(path, moment.version);
                Lookup::Document(cached.document)
            }
            // The change belongs to the next version, and the cached document was current in this one.
            (ListLookup::NotYet, Some(cached)) if cached.confirmed == moment.version => {
                Lookup::Document(cached.document)
            }
            (ListLookup::NotYet | ListLookup::Same, _) => Lookup::NotYet,
            (ListLookup::Unknown, _) => Lookup::Unknown,
            (ListLookup::Unread(numbers), _) => return Err(Obstacle::Unread(numbers)),
        })
    }

    /// Returns the cached document if its content last changed at `revised`; otherwise renders it. `render` also returns when the
    /// content that it has read last changed.
    fn unchanged_or(
        &self,
        path: &str,
        revised: DateTime<Utc>,
        moment: Moment,
        render: impl FnOnce() -> library::Result<(Document, DateTime<Utc>)>,
    ) -> Attempt {
        let cached = self.cached_at(path).filter(|cached| cached.revised == revised);
        if let Some(cached) = cached {
            self.cache().confirm(path, moment.version);
            return Ok(Lookup::Document(cached.document));
        }
        self.check_memory()?;
        let (document, revised) = render()?;
        Ok(self.store(path, revised, moment, document))
    }

    /// Returns the cached document at a path, unless it is a page with another menu.
    fn cached_at(&self, path: &str) -> Option<CachedDocument> {
        let has_menu = |cached: &CachedDocument| {
            cached.document.kind != DocumentKind::Page || cached.menu == self.pages.menu().changed
        };
        self.cache().get(path).filter(has_menu)
    }

    /// Returns an error while the documents in memory leave no room for another.
    fn check_memory(&self) -> Result<(), Obstacle> {
        if self.held.load(Relaxed) >= MAX_HELD { Err(Obstacle::NoMemory) } else { Ok(()) }
    }

    /// Compresses a document and puts it into the cache.
    fn store(&self, path: &str, revised: DateTime<Utc>, moment: Moment, document: Document) -> Lookup {
        if self.is_single_use {
            return Lookup::Document(Arc::new(document));
        }
        document.compress(CODING);
        let document = Arc::new(document.with_bytes(|bytes| CountedBytes::count(bytes, &self.held)));
        let (menu, confirmed) = (self.pages.menu().changed, moment.version);
        let cached = CachedDocument { revised, menu, confirmed, requested: 0, document: document.clone() };
        self.cache().insert(path, cached);
        Lookup::Document(document)
    }

    fn document(
        &self,
        pages: &Pages,
        representation: Representation,
        feed: &Feed<'_>,
        page: impl FnOnce() -> String,
        revised: DateTime<Utc>,
    ) -> Document {
        let (body, links, presented) = match representation {
            Representation::Page => (page(), Some(pages.links(&feed.place)), self.dates.of_pages(pages)),
            Representation::Feed(format) => ((format.render)(feed, self.dates.created), None, self.dates.presented),
            Representation::FeedPage(format) => {
                (pages.feed(feed, format), Some(pages.links(&feed.place)), self.dates.of_pages(pages))
            }
        };
        let is_feed_page = matches!(representation, Representation::FeedPage(_));
        Document::new(representation.into(), body, revised.max(presented)).linked(links).at_feed(is_feed_page)
    }

    fn period(&self, period: DateRange, path: &str, moment: Moment) -> Attempt {
        self.listed(
            path,
            moment,
            |library, cached| library.listing(period, moment, cached),
            |listing| (self.list(self.pages.period(period, listing), listing.changed), listing.changed),
        )
    }

    /// The digests of a kind that are over at `now`.
    fn digests(
        &self,
        kind: DigestKind,
        representation: Representation,
        path: &str,
        moment: Moment,
        now: DateTime<Utc>,
    ) -> Attempt {
        let time = kind.covered(now);
        let channel = self.pages.channel();
        self.listed(
            path,
            moment,
            |library, cached| library.dated(time, MAX_IN_DIGESTS, moment, cached),
            |articles| {
                let entries = digest::entries(channel, kind, articles);
                let feed = digest::feed(channel, kind, &entries);
                let page = || self.pages.digests(&feed, digest::name(channel, kind));
                (self.document(&self.pages, representation, &feed, page, articles.changed), articles.changed)
            },
        )
    }

    /// The digest of a period that is over at `now`.
    fn digest(&self, period: DigestPeriod, path: &str, moment: Moment, now: DateTime<Utc>) -> Attempt {
        if period.end() > now {
            return Ok(Lookup::Unknown);
        }
        let time = (period.start(), period.end());
        self.listed(
            path,
            moment,
            |library, cached| {
                let lookup = library.dated(time, MAX_IN_DIGESTS, moment, cached)?;
                let is_empty = matches!(&lookup, DatedLookup::Found(articles) if articles.entries.is_empty());
                Ok(if is_empty { DatedLookup::Unknown } else { lookup })
            },
            |articles| {
                let entry = digest::entry(self.pages.channel(), period, &articles.entries);
                let body = entry.map(|entry| self.pages.article(&entry)).unwrap_or_default();
                (self.list(body, articles.changed), articles.changed)
            },
        )
    }

    fn views(&self, kind: ViewKind, path: &str, moment: Moment) -> Attempt {
        let changed = self.library().counts_changed(kind)?;
        if changed > moment.version.date() {
            return Ok(Lookup::NotYet);
        }
        // A site in one language has no list of them.
        let is_list =
            kind != ViewKind::Language || self.library().views(&[kind])?.0.iter().any(|(_, views)| !views.is_empty());
        if !is_list {
            return Ok(Lookup::Unknown);
        }
        self.unchanged_or(path, changed, moment, || {
            let (groups, _) = self.library().views(&[kind])?;
            let views: Vec<_> = groups.into_iter().flat_map(|(_, views)| views).collect();
            Ok((self.list(self.pages.views(kind, &views), changed), changed))
        })
    }

    /// A page that lists views or titles.
    fn list(&self, body: String, revised: DateTime<Utc>) -> Document {
        let page = Document::new(DocumentKind::Page, body, revised.max(self.dates.of_pages(&self.pages)));
        page.linked(Some(self.pages.links("")))
    }

    /// A sitemap changes with each version: it shows every article that is due at its moment.
    fn sitemap(&self, part: Option<u32>, path: &str, moment: Moment) -> Attempt {
        let lookup = self.library().sitemap(part, moment)?;
        let channel = self.pages.channel();
        let body = match lookup {
            SitemapLookup::Articles(articles) if part.unwrap_or(1) > 1 => sitemap::articles(channel, &articles, &[]),
            SitemapLookup::Articles(articles) => {
                let years = self.library().years(moment)?;
                let lists = std::iter::once(DateRange::All).chain(years).filter(|_| !articles.is_empty());
                let lists = lists.map(page::period_path).take(sitemap::MAX_LISTS);
                let (languages, _) = self.library().views(&[ViewKind::Language])?;
                let languages = languages.into_iter().flat_map(|(_, views)| views).map(|summary| summary.view.path());
                let lists = std::iter::once(String::new()).chain(languages).chain(lists);
                sitemap::articles(channel, &articles, &lists.collect::<Vec<_>>())
            }
            SitemapLookup::Parts(parts) => sitemap::parts(channel, parts),
            SitemapLookup::Unknown => return Ok(Lookup::Unknown),
            SitemapLookup::NotYet => return Ok(Lookup::NotYet),
        };
        let (kind, changed) = (DocumentKind::Other(sitemap::MEDIA_TYPE), moment.version.date());
        self.unchanged_or(path, changed, moment, || Ok((Document::new(kind, body, changed), changed)))
    }

    fn opml(&self, path: &str, moment: Moment) -> Attempt {
        let changed = self.library().views_changed(&ViewKind::ALL)?;
        if changed > moment.version.date() {
            return Ok(Lookup::NotYet);
        }
        self.unchanged_or(path, changed, moment, || {
            let (groups, changed) = self.library().views(&ViewKind::ALL)?;
            let modified = changed.max(self.dates.created);
            let body = opml::render(self.pages.channel(), self.pages.formats(), &groups, modified);
            let kind = DocumentKind::Other(opml::MEDIA_TYPE);
            Ok((Document::new(kind, body, modified.max(self.dates.presented)), changed))
        })
    }
}

/// The main feed without its archives.
fn main_feed<'a>(channel: &'a Channel, collection: &'a Collection) -> Feed<'a> {
    Feed {
        tombstones: &collection.tombstones,
        is_podcast: collection.is_podcast,
        guid: collection.guid.as_deref(),
        latest: collection.latest,
        ..Feed::main(channel, &collection.entries).described(collection.about.as_ref())
    }
}

/// The result of [`render_recorded`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedFeed {
    /// The document.
    Feed(String),
    /// There is no such feed.
    Nothing,
    /// The daemon has not read all articles of the feed yet.
    Unread,
}

/// Renders the feed of a view or archive, or else the main feed, as it is recorded at `now`.
///
/// # Errors
/// The library cannot be read.
pub fn render_recorded(
    library: &dyn Library,
    channel: &Channel,
    route: Option<&Route>,
    format: &FeedFormat,
    now: DateTime<Utc>,
) -> library::Result<RecordedFeed> {
    // Includes changes that are recorded but not served yet.
    let moment = Moment { version: Version::at(DateTime::<Utc>::MAX_UTC), due: now };
    let lookup = match route {
        Some(Route::View(view, _)) => library.view(view, &channel.limits, false, moment, None)?,
        Some(Route::Archive(number, _)) => library.archive(*number, moment, None)?,
        _ => library.main(&channel.limits, moment, None)?,
    };
    let collection = match lookup {
        FeedLookup::Found(collection) => collection,
        FeedLookup::Unread(_) => return Ok(RecordedFeed::Unread),
        FeedLookup::Same | FeedLookup::NotYet | FeedLookup::Unknown => return Ok(RecordedFeed::Nothing),
    };
    let localised = match route {
        Some(Route::View(view, _)) => channel.in_language_of(view),
        _ => Cow::Borrowed(channel),
    };
    let localised = &*localised;
    let feed = match route {
        Some(Route::View(view, _)) => Feed::view(localised, view, &collection),
        Some(Route::Archive(number, _)) => Feed::archive(channel, *number, &collection),
        _ => {
            let history = History::of_main(library.newest_archive()?, collection.is_whole);
            Feed { history, ..main_feed(channel, &collection) }
        }
    };
    Ok(RecordedFeed::Feed((format.render)(&feed, library.created()?)))
}

#[cfg(test)]
mod tests;
