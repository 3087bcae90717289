//! All documents of one version, with their validators and compressed variants. A snapshot is immutable and replaced as a whole,
//! so no request sees half an update. [`OnDemand`](crate::render::on_demand::OnDemand) renders all other documents.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::HeaderMap;
use tokio::sync::watch;

use crate::model::collection::Surroundings;
use crate::model::entry::Entry;
use crate::model::moment::{Moment, Version};
use crate::model::site_page::Menu;
use crate::model::site_page::Permalink;
use crate::render::compression::ContentCoding;
use crate::render::crawlers;
use crate::render::feed::format::{FeedFormat, Formats, Representation};
use crate::render::feed::{self, Channel, Feed, blogroll, opml};
use crate::render::page::{self, Front, Pages};
use crate::render::plain;
use crate::site::SitePicture;

/// Bytes below which compression gains nothing: such a body fits one packet.
const MIN_COMPRESSED: usize = 512;

/// The bytes of a document and their hash, which is computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentBody {
    pub bytes: Bytes,
    /// BLAKE3.
    pub hash: blake3::Hash,
}

impl<T: Into<Bytes>> From<T> for DocumentBody {
    fn from(bytes: T) -> Self {
        // The buffer in which a document was put together may be twice as large.
        let bytes = Bytes::copy_from_slice(&bytes.into());
        Self { hash: blake3::hash(&bytes), bytes }
    }
}

/// The kind of a document, which decides how it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    Page,
    Feed(&'static FeedFormat),
    /// A picture that the settings of the site name, by its media type.
    Picture(&'static str),
    /// Any other document, by its media type.
    Other(&'static str),
}

impl DocumentKind {
    /// Value of `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Page => page::MEDIA_TYPE,
            Self::Feed(format) => format.media_type,
            Self::Picture(media_type) | Self::Other(media_type) => media_type,
        }
    }

    /// Label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Feed(format) => format.name,
            Self::Picture(_) | Self::Other(_) => "other",
        }
    }
}

impl From<Representation> for DocumentKind {
    fn from(representation: Representation) -> Self {
        match representation {
            Representation::Page | Representation::FeedPage(_) => Self::Page,
            Representation::Feed(format) => Self::Feed(format),
        }
    }
}

/// Memory of a variant beside its bytes: above all the header fields of its responses, 3 KB measured with a thousand pages, and the same as
/// lines.
const VARIANT_OVERHEAD: usize = 4 << 10;

/// The bytes of a document in one content coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub bytes: Bytes,
    /// Strong validator of exactly these bytes, in quotes (RFC 9110 section 8.8.3).
    pub etag: String,
    /// Header fields of its responses, made for the first response and reused.
    pub heads: OnceLock<Heads>,
}

/// Header fields that are the same for every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// For a response with the body.
    pub whole: ResponseHead,
    /// For a 304 (RFC 9110 section 15.4.5).
    pub unchanged: ResponseHead,
}

/// Header fields, also as the lines that are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    pub fields: HeaderMap,
    pub lines: Bytes,
}

impl Variant {
    fn new(bytes: Bytes, etag: String) -> Self {
        Self { bytes, etag, heads: OnceLock::new() }
    }
}

/// One document in all its content codings.
#[derive(Debug)]
pub struct Document {
    pub kind: DocumentKind,
    /// When these bytes were first served.
    pub last_modified: DateTime<Utc>,
    /// Whether it is an archive, which is not expected to change, so that caches may keep it for longer.
    pub is_lasting: bool,
    /// Whether `Accept` decides between it and another document at its address.
    pub is_by_type: bool,
    /// Whether browsers get it at the address of a feed.
    pub is_feed_page: bool,
    /// Value of `Link`: the feeds of a page (RFC 8288).
    pub links: Option<String>,
    /// The uncompressed variant.
    pub identity: Variant,
    hash: blake3::Hash,
    /// In the order of [`ContentCoding::COMPRESSED`]; `None` where compression does not make the document smaller.
    compressed: [OnceLock<Option<Variant>>; ContentCoding::COMPRESSED.len()],
}

impl Document {
    /// Makes a document that is first served at `last_modified`.
    pub fn new(kind: DocumentKind, body: impl Into<DocumentBody>, last_modified: DateTime<Utc>) -> Self {
        let DocumentBody { bytes, hash } = body.into();
        let identity = Variant::new(bytes, etag(&hash, ContentCoding::Identity));
        Self {
            kind,
            last_modified,
            is_lasting: false,
            is_by_type: false,
            is_feed_page: false,
            links: None,
            identity,
            hash,
            compressed: Default::default(),
        }
    }

    /// Sets the value of `Link`.
    #[must_use]
    pub fn linked(self, links: Option<String>) -> Self {
        Self { links, ..self }
    }

    /// Sets whether caches may keep the document for longer.
    #[must_use]
    pub fn lasting(self, is_lasting: bool) -> Self {
        Self { is_lasting, ..self }
    }

    /// Sets that `Accept` decides between the document and another one.
    #[must_use]
    pub fn by_type(self) -> Self {
        Self { is_by_type: true, ..self }
    }

    /// Sets whether browsers get the document at the address of a feed.
    #[must_use]
    pub fn at_feed(self, is_feed_page: bool) -> Self {
        Self { is_feed_page, ..self }
    }

    /// The variant in a coding. A compressed one exists after [`Document::compress`], if it is smaller.
    pub fn variant(&self, coding: ContentCoding) -> Option<&Variant> {
        match ContentCoding::COMPRESSED.iter().position(|compressed| *compressed == coding) {
            Some(index) => self.compressed[index].get()?.as_ref(),
            None => Some(&self.identity),
        }
    }

    fn variants(&self) -> impl Iterator<Item = &Variant> {
        ContentCoding::ALL.into_iter().filter_map(|coding| self.variant(coding))
    }

    /// Whether the document is a feed, which feed readers poll.
    pub fn is_feed(&self) -> bool {
        matches!(self.kind, DocumentKind::Feed(_))
    }

    /// Memory of all variants, in bytes.
    pub fn size(&self) -> usize {
        self.variants().map(|variant| variant.bytes.len() + VARIANT_OVERHEAD).sum()
    }

    /// BLAKE3 of the uncompressed bytes.
    pub fn hash(&self) -> &blake3::Hash {
        &self.hash
    }

    /// Whether the document has the same bytes as `body`.
    pub fn has_body(&self, body: &DocumentBody) -> bool {
        self.hash == body.hash
    }

    /// Replaces the bytes of each variant by equal ones.
    #[must_use]
    pub fn with_bytes(mut self, replace: impl Fn(Bytes) -> Bytes) -> Self {
        let compressed = self.compressed.iter_mut().filter_map(|variant| variant.get_mut()?.as_mut());
        for variant in compressed.chain([&mut self.identity]) {
            variant.bytes = replace(std::mem::take(&mut variant.bytes));
        }
        self
    }

    /// Makes the variant in a coding, unless it exists.
    pub fn compress(&self, coding: ContentCoding) {
        let Some(index) = ContentCoding::COMPRESSED.iter().position(|compressed| *compressed == coding) else { return };
        self.compressed[index].get_or_init(|| {
            if self.identity.bytes.len() < MIN_COMPRESSED {
                return None;
            }
            let bytes = Bytes::from(coding.encode(&self.identity.bytes)?.into_boxed_slice());
            let etag = etag(&blake3::hash(&bytes), coding);
            Some(Variant::new(bytes, etag))
        });
    }
}

/// A strong ETag: half of a BLAKE3 hash, which no two bodies share by chance, and a suffix for the coding (standards 85).
fn etag(hash: &blake3::Hash, coding: ContentCoding) -> String {
    format!("\"{}{}\"", &hash.to_hex()[..32], coding.etag_suffix())
}

/// Aliases: pairs of an additional path and the path of the document that it serves.
pub fn aliases(formats: Formats) -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_feeds = formats.iter().flat_map(|format| format.aliases.iter().map(|alias| (*alias, format.file)));
    let of_feeds = of_feeds.chain([(blogroll::WELL_KNOWN_PATH, blogroll::PATH)]);
    let old = ["favicon.ico", "apple-touch-icon.png", "apple-touch-icon-precomposed.png"];
    // Of two forms of the icon, old programs get the PNG, which is last.
    of_feeds.chain([(old[0], page::ICON_PATH)]).chain(old.map(|alias| (alias, page::ICON_PNG_PATH)))
}

/// A rendered document whose `Last-Modified` is not known yet.
#[derive(Debug)]
pub struct Rendered {
    /// Below the base address, without a slash at its start.
    pub path: &'static str,
    pub kind: DocumentKind,
    pub body: DocumentBody,
    /// Value of `Link`.
    pub links: Option<String>,
}

/// Renders the documents that every snapshot holds, apart from articles. `created` is the date of a feed that has never had an
/// entry.
pub fn render(pages: &Pages, feed: &Feed<'_>, front: &Front, created: DateTime<Utc>) -> Vec<Rendered> {
    let document = |path, kind, body: String| Rendered { path, kind, body: body.into(), links: None };
    let feeds = pages.formats().iter();
    let feeds = feeds.map(|format| document(format.file, DocumentKind::Feed(format), (format.render)(feed, created)));
    let links = Some(pages.links(&feed.place));
    let style = DocumentKind::Other(page::STYLE_TYPE);
    let others = [
        Rendered { links, ..document("", DocumentKind::Page, pages.front(feed, front)) },
        document("style.css", style, pages.style().to_owned()),
        document(feed::STYLE_PATH, style, pages.channel().feed_style()),
        document(
            plain::SITE_PATH,
            DocumentKind::Other("text/plain; charset=utf-8"),
            plain::site(pages.channel(), feed),
        ),
        document(
            crawlers::PATH,
            DocumentKind::Other("text/plain; charset=utf-8"),
            crawlers::rules(pages.channel(), pages.formats()),
        ),
    ];
    feeds.chain(others).chain(pictures(pages.channel())).chain(blogroll(pages)).collect()
}

/// The blogroll of the site: its page, and the list for programs.
fn blogroll(pages: &Pages) -> Vec<Rendered> {
    let channel = pages.channel();
    let Some((list, page)) = channel.look.blogroll.as_ref().zip(pages.blogroll()) else { return Vec::new() };
    let links = Some(pages.links(""));
    let list = blogroll::render(channel, list).into();
    vec![
        Rendered { path: blogroll::PAGE_PATH, kind: DocumentKind::Page, body: page.into(), links },
        Rendered { path: blogroll::PATH, kind: DocumentKind::Other(opml::MEDIA_TYPE), body: list, links: None },
    ]
}

/// The pictures of the site, or the built-in icon.
fn pictures(channel: &Channel) -> Vec<Rendered> {
    let look = &channel.look;
    let own = |picture: &SitePicture| Rendered {
        path: picture.path,
        kind: DocumentKind::Picture(picture.media_type),
        body: DocumentBody { bytes: picture.bytes.clone(), hash: picture.hash },
        links: None,
    };
    let mut pictures: Vec<Rendered> = look.pictures().map(own).collect();
    if !look.has_icon() {
        let icon = |path, media_type, body: &'static [u8]| {
            let bytes = Bytes::from_static(body);
            let body = DocumentBody { hash: blake3::hash(&bytes), bytes };
            Rendered { path, kind: DocumentKind::Other(media_type), body, links: None }
        };
        pictures.push(icon(page::ICON_PATH, "image/svg+xml", page::ICON.as_bytes()));
        pictures.push(icon(page::ICON_PNG_PATH, "image/png", page::ICON_PNG));
    }
    pictures
}

/// Dates for documents whose dates do not come from an entry.
#[derive(Debug, Clone, Copy, Default)]
pub struct SiteDates {
    /// When the design of pages and feeds last changed.
    pub presented: DateTime<Utc>,
    /// The date of a feed that has never had an entry.
    pub created: DateTime<Utc>,
}

impl SiteDates {
    /// When the design or the menu of pages last changed.
    pub fn of_pages(self, pages: &Pages) -> DateTime<Utc> {
        self.presented.max(pages.menu().changed)
    }
}

/// All documents of one version.
#[derive(Debug)]
pub struct Snapshot {
    /// The version and the time that its documents show.
    pub moment: Moment,
    /// The formats of its feeds.
    pub formats: Formats,
    /// The menu of its pages.
    pub menu: Arc<Menu>,
    /// Body of a 404.
    pub missing: Bytes,
    /// Body of a 410.
    pub gone: Bytes,
    documents: HashMap<String, Arc<Document>>,
}

impl Snapshot {
    /// Makes a snapshot from documents, by their paths below the base address, and adds the aliases of these paths.
    pub fn new(
        moment: Moment,
        formats: Formats,
        mut documents: HashMap<String, Arc<Document>>,
        missing: Bytes,
        gone: Bytes,
    ) -> Self {
        for (alias, path) in aliases(formats) {
            if let Some(document) = documents.get(path).cloned() {
                documents.insert(alias.to_owned(), document);
            }
        }
        Self { moment, formats, menu: Arc::default(), missing, gone, documents }
    }

    /// Sets the menu that its pages have.
    #[must_use]
    pub fn with_menu(self, menu: Arc<Menu>) -> Self {
        Self { menu, ..self }
    }

    /// Whether it stands for no version: none has been served yet.
    pub fn is_none(&self) -> bool {
        self.moment.version == Version::default()
    }

    /// The document at a path below the base address, without a slash at its start.
    pub fn document(&self, path: &str) -> Option<&Arc<Document>> {
        self.documents.get(path)
    }

    /// All documents by their paths, those of aliases twice.
    pub fn documents(&self) -> impl Iterator<Item = (&str, &Arc<Document>)> {
        self.documents.iter().map(|(path, document)| (path.as_str(), document))
    }

    /// Makes the missing compressed variants, starting with the codings that most clients accept. Stops when `is_current` returns
    /// false because a newer snapshot has replaced this one.
    pub fn compress(&self, is_current: impl Fn() -> bool) {
        for coding in ContentCoding::COMPRESSED {
            let (feeds, others): (Vec<_>, Vec<_>) = self.documents.values().partition(|document| document.is_feed());
            for document in feeds.into_iter().chain(others) {
                if !is_current() {
                    return;
                }
                document.compress(coding);
            }
        }
    }
}

/// A handle on the snapshot that is served now. All clones share it.
#[derive(Debug, Clone)]
pub struct Current {
    snapshot: Arc<ArcSwap<Snapshot>>,
    changed: watch::Sender<Version>,
}

impl Default for Current {
    /// An empty snapshot, older than all versions.
    fn default() -> Self {
        let moment = Moment::default();
        let empty = Snapshot::new(moment, feed::FORMATS, HashMap::new(), Bytes::new(), Bytes::new());
        let (changed, _) = watch::channel(moment.version);
        Self { snapshot: Arc::new(ArcSwap::from_pointee(empty)), changed }
    }
}

impl Current {
    /// The snapshot at this instant.
    pub fn get(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The snapshot at this instant, for a short time: cheaper than a reference of its own.
    pub fn borrow(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Replaces the snapshot.
    pub fn set(&self, snapshot: Arc<Snapshot>) {
        let version = snapshot.moment.version;
        self.snapshot.store(snapshot);
        self.changed.send_replace(version);
    }

    /// Subscribes to new versions.
    pub fn subscribe(&self) -> watch::Receiver<Version> {
        self.changed.subscribe()
    }
}

/// The page of an article, or a page that is none. Its `Last-Modified` is that of the article, of its surroundings, of the page design or
/// of the menu, whichever is latest.
pub fn article(pages: &Pages, entry: &Entry, surroundings: &Surroundings, dates: SiteDates) -> Document {
    let modified = entry.revised.max(surroundings.revised).max(dates.of_pages(pages));
    let page = Document::new(DocumentKind::Page, pages.article_among(entry, surroundings), modified);
    let page = page.linked(Some(pages.links("")));
    if matches!(entry.permalink(), Permalink::Article(_)) { page.by_type() } else { page }
}

/// An article in Markdown, with a link to its page.
pub fn markdown(pages: &Pages, entry: &Entry, presented: DateTime<Utc>) -> Document {
    let channel = pages.channel();
    let kind = DocumentKind::Other(plain::MEDIA_TYPE);
    let document = Document::new(kind, plain::article(channel, entry), entry.revised.max(presented));
    document.linked(Some(format!("<{}>; rel=\"canonical\"", channel.permalink(&entry.permalink())))).by_type()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_coding_has_its_own_strong_etag() {
        let body = "<p>words and words</p>".repeat(100);
        let document = Document::new(DocumentKind::Page, body.clone(), DateTime::UNIX_EPOCH);
        assert!(document.variant(ContentCoding::Gzip).is_none());
        for coding in ContentCoding::COMPRESSED {
            document.compress(coding);
        }
        let mut tags: Vec<&str> =
            ContentCoding::ALL.into_iter().map(|coding| document.variant(coding).unwrap().etag.as_str()).collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), ContentCoding::ALL.len(), "standards 85");
        let gzip = document.variant(ContentCoding::Gzip).unwrap();
        assert!(gzip.bytes.len() < document.identity.bytes.len());
        let again = Document::new(DocumentKind::Page, body, DateTime::UNIX_EPOCH);
        assert_eq!(again.identity.etag, document.identity.etag, "the same bytes have the same ETag");
    }

    #[test]
    fn a_small_document_is_not_compressed() {
        let document = Document::new(DocumentKind::Other("text/plain"), "short", DateTime::UNIX_EPOCH);
        document.compress(ContentCoding::Gzip);
        assert!(document.variant(ContentCoding::Gzip).is_none(), "standards 105");
    }

    #[test]
    fn subscribers_are_notified_of_a_new_version() {
        let current = Current::default();
        let versions = current.subscribe();
        let version = Version::default().next();
        let moment = Moment::of(version);
        current.set(Arc::new(Snapshot::new(moment, feed::FORMATS, HashMap::new(), Bytes::new(), Bytes::new())));
        assert!(versions.has_changed().unwrap());
        assert_eq!(current.clone().get().moment.version, version);
    }
}
