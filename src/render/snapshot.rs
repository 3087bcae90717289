//! All documents of one moment, with their validators and codings. Immutable and replaced whole: no request ever sees half
//! an update. What is not kept here (the page of one article of many) comes through the [`OnDemand`](crate::render::on_demand::Door).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::HeaderMap;
use tokio::sync::watch;

use crate::model::entry::Entry;
use crate::render::compression::ContentCoding;
use crate::render::feed::{self, Feed, atom, json, rss};
use crate::render::page::{self, Front, Pages};

/// Smaller bodies are not worth compressing: they fit one packet anyway.
const SMALLEST_CODED: usize = 512;

/// Bytes and their hash, which is taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentBody {
    /// What is sent.
    pub bytes: Bytes,
    /// BLAKE3 of it.
    pub hash: blake3::Hash,
}

impl<T: Into<Bytes>> From<T> for DocumentBody {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self { hash: blake3::hash(&bytes), bytes }
    }
}

/// The bytes of a document in one coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// What is sent.
    pub bytes: Bytes,
    /// Strong validator of exactly these bytes, with its quotes (RFC 9110 section 8.8.3).
    pub etag: String,
    /// Header fields of its answers, which whoever serves it first makes for all.
    pub heads: OnceLock<Heads>,
}

/// Header fields of answers that are the same for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// Where the bytes are sent.
    pub whole: HeaderMap,
    /// Where the client has them (RFC 9110 section 15.4.5).
    pub unchanged: HeaderMap,
}

impl Variant {
    fn new(bytes: Bytes, etag: String) -> Self {
        Self { bytes, etag, heads: OnceLock::new() }
    }
}

/// One document, in every coding it has.
#[derive(Debug)]
pub struct Document {
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// When these bytes were first served.
    pub last_modified: DateTime<Utc>,
    /// It belongs to the past and is not expected to change.
    pub is_lasting: bool,
    /// Value of `Link`: the feeds of a page (RFC 8288).
    pub links: Option<String>,
    /// Uncoded.
    pub identity: Variant,
    hash: blake3::Hash,
    /// In the order of [`ContentCoding::CODED`].
    coded: [OnceLock<Option<Variant>>; ContentCoding::CODED.len()],
}

impl Document {
    /// Makes a document whose bytes are first served at `last_modified`.
    pub fn new(media_type: &'static str, body: impl Into<DocumentBody>, last_modified: DateTime<Utc>) -> Self {
        let DocumentBody { bytes, hash } = body.into();
        let identity = Variant::new(bytes, etag(&hash, ContentCoding::Identity));
        Self { media_type, last_modified, is_lasting: false, links: None, identity, hash, coded: Default::default() }
    }

    /// The same with the feeds of a page told in its header.
    #[must_use]
    pub fn linked(self, links: Option<String>) -> Self {
        Self { links, ..self }
    }

    /// The same as something of the past, which caches may keep long.
    #[must_use]
    pub fn lasting(self, is_lasting: bool) -> Self {
        Self { is_lasting, ..self }
    }

    /// The form in a coding, if there is one; a coded one once [`Document::compress`] has made it and if it is smaller.
    pub fn variant(&self, coding: ContentCoding) -> Option<&Variant> {
        match ContentCoding::CODED.iter().position(|known| *known == coding) {
            Some(place) => self.coded[place].get()?.as_ref(),
            None => Some(&self.identity),
        }
    }

    /// The form that has a validator.
    pub fn variant_of(&self, etag: &str) -> Option<&Variant> {
        ContentCoding::ALL.into_iter().filter_map(|coding| self.variant(coding)).find(|variant| variant.etag == etag)
    }

    /// Whether readers ask for it again and again.
    pub fn is_feed(&self) -> bool {
        [rss::MEDIA_TYPE, atom::MEDIA_TYPE, json::MEDIA_TYPE].contains(&self.media_type)
    }

    /// Bytes of all its forms.
    pub fn size(&self) -> usize {
        ContentCoding::ALL
            .into_iter()
            .filter_map(|coding| self.variant(coding))
            .map(|variant| variant.bytes.len())
            .sum()
    }

    /// Whether it says exactly this.
    pub fn says(&self, body: &DocumentBody) -> bool {
        self.hash == body.hash
    }

    /// Makes the form in a coding; called once for each version, never for a request that finds one.
    pub fn compress(&self, coding: ContentCoding) {
        let Some(place) = ContentCoding::CODED.iter().position(|known| *known == coding) else { return };
        self.coded[place].get_or_init(|| {
            if self.identity.bytes.len() < SMALLEST_CODED {
                return None;
            }
            let coded = coding.encode(&self.identity.bytes)?;
            let etag = etag(&blake3::hash(&coded), coding);
            Some(Variant::new(coded.into(), etag))
        });
    }
}

/// A strong ETag: half of a BLAKE3 hash is far more than chance can repeat. Each coding has its own (standards 85).
fn etag(hash: &blake3::Hash, coding: ContentCoding) -> String {
    format!("\"{}{}\"", &hash.to_hex()[..32], coding.mark())
}

/// Other addresses of the main feed, which readers try when they are given the site's: the same documents.
pub const ALIASES: [(&str, &str); 13] = [
    ("feed", rss::PATH),
    ("feed/", rss::PATH),
    ("feed.xml", rss::PATH),
    ("index.xml", rss::PATH),
    ("index.rss", rss::PATH),
    ("rss", rss::PATH),
    ("rss/", rss::PATH),
    ("feed.rss", rss::PATH),
    ("rss/feed.xml", rss::PATH),
    ("atom", atom::PATH),
    ("atom/", atom::PATH),
    ("feed.atom", atom::PATH),
    ("favicon.ico", "icon.svg"),
];

/// A document before it is known when its bytes were first served.
#[derive(Debug)]
pub struct Rendered {
    /// Below the site's address, without a slash at its start.
    pub path: &'static str,
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// What is sent.
    pub body: String,
    /// Value of `Link`.
    pub links: Option<String>,
}

/// Renders every document that many people ask for and that is not one article's. `created` dates a feed that nothing was ever
/// in.
pub fn render(pages: &Pages, feed: &Feed<'_>, front: &Front, created: DateTime<Utc>) -> Vec<Rendered> {
    let document = |path, media_type, body| Rendered { path, media_type, body, links: None };
    let links = Some(pages.links(&feed.place));
    vec![
        document(atom::PATH, atom::MEDIA_TYPE, atom::render(feed, created)),
        document(rss::PATH, rss::MEDIA_TYPE, rss::render(feed, created)),
        document(json::PATH, json::MEDIA_TYPE, json::render(feed)),
        Rendered { links, ..document("", page::MEDIA_TYPE, pages.front(feed, front)) },
        document("style.css", page::STYLE_TYPE, page::STYLE.to_owned()),
        document(feed::STYLE_PATH, page::STYLE_TYPE, feed::STYLE.to_owned()),
        document("icon.svg", "image/svg+xml", page::ICON.to_owned()),
        document("robots.txt", "text/plain; charset=utf-8", "User-agent: *\nDisallow:\n".to_owned()),
    ]
}

/// All documents of one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The second that this version stands for.
    pub version: DateTime<Utc>,
    /// The instant that scheduled articles are measured by; later than `version` never.
    pub due: DateTime<Utc>,
    /// Page that stands where nothing is.
    pub missing: Bytes,
    /// Page that stands where an article was.
    pub gone: Bytes,
    documents: HashMap<String, Arc<Document>>,
}

impl Snapshot {
    /// Puts a version together; `documents` are known by their paths below the site's address. The addresses that readers
    /// try come with it.
    pub fn new(
        version: DateTime<Utc>,
        due: DateTime<Utc>,
        mut documents: HashMap<String, Arc<Document>>,
        missing: Bytes,
        gone: Bytes,
    ) -> Self {
        for (alias, path) in ALIASES {
            if let Some(document) = documents.get(path).cloned() {
                documents.insert(alias.to_owned(), document);
            }
        }
        Self { version, due, missing, gone, documents }
    }

    /// The document at a path below the site's address, without a slash at its start.
    pub fn document(&self, path: &str) -> Option<&Arc<Document>> {
        self.documents.get(path)
    }

    /// Makes the coded forms of all documents that have none yet: first those that most clients ask for. It is broken off when
    /// `goes_on` does not.
    pub fn compress(&self, goes_on: impl Fn() -> bool) {
        for coding in ContentCoding::CODED {
            let (feeds, others): (Vec<_>, Vec<_>) = self.documents.values().partition(|document| document.is_feed());
            for document in feeds.into_iter().chain(others) {
                if !goes_on() {
                    return;
                }
                document.compress(coding);
            }
        }
    }
}

/// The snapshot that is served now. Cheap to clone: all clones show the same.
#[derive(Debug, Clone)]
pub struct Current {
    snapshot: Arc<ArcSwap<Snapshot>>,
    changed: watch::Sender<DateTime<Utc>>,
}

impl Default for Current {
    /// Nothing yet: the version before all others.
    fn default() -> Self {
        let nothing =
            Snapshot::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH, HashMap::new(), Bytes::new(), Bytes::new());
        let (changed, _) = watch::channel(nothing.version);
        Self { snapshot: Arc::new(ArcSwap::from_pointee(nothing)), changed }
    }
}

impl Current {
    /// The snapshot of this instant.
    pub fn get(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Serves another snapshot from now on.
    pub fn set(&self, snapshot: Arc<Snapshot>) {
        let version = snapshot.version;
        self.snapshot.store(snapshot);
        self.changed.send_replace(version);
    }

    /// Tells of each new version from now on.
    pub fn subscribe(&self) -> watch::Receiver<DateTime<Utc>> {
        self.changed.subscribe()
    }
}

/// The page of one article. It depends on the article and on the look of the site, and so does its `Last-Modified`.
pub fn article(pages: &Pages, entry: &Entry, presented: DateTime<Utc>) -> Document {
    let page = Document::new(page::MEDIA_TYPE, pages.article(entry), entry.revised.max(presented));
    page.linked(Some(pages.links("")))
}

/// Path of an article's page below the site's address.
pub fn article_path(slug: &str) -> String {
    format!("articles/{slug}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_coding_has_its_own_strong_etag() {
        let body = "<p>words and words</p>".repeat(100);
        let document = Document::new("text/html", body.clone(), DateTime::UNIX_EPOCH);
        assert!(document.variant(ContentCoding::Gzip).is_none());
        for coding in ContentCoding::CODED {
            document.compress(coding);
        }
        let mut tags: Vec<&str> =
            ContentCoding::ALL.into_iter().map(|coding| document.variant(coding).unwrap().etag.as_str()).collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), ContentCoding::ALL.len(), "standards 85");
        let gzip = document.variant(ContentCoding::Gzip).unwrap();
        assert!(gzip.bytes.len() < document.identity.bytes.len());
        let again = Document::new("text/html", body, DateTime::UNIX_EPOCH);
        assert_eq!(again.identity.etag, document.identity.etag, "the same bytes have the same ETag");
    }

    #[test]
    fn small_documents_are_not_coded() {
        let document = Document::new("text/plain", "short", DateTime::UNIX_EPOCH);
        document.compress(ContentCoding::Gzip);
        assert!(document.variant(ContentCoding::Gzip).is_none(), "standards 105");
    }

    #[test]
    fn readers_are_told_of_new_versions() {
        let current = Current::default();
        let watch = current.subscribe();
        let version = DateTime::from_timestamp(1, 0).unwrap();
        current.set(Arc::new(Snapshot::new(version, version, HashMap::new(), Bytes::new(), Bytes::new())));
        assert!(watch.has_changed().unwrap());
        assert_eq!(current.clone().get().version, version);
    }
}
