//! All documents of one moment, with their validators and codings. Immutable and replaced whole: no request ever sees half
//! an update. What is not kept here (the page of one article of many, a file beside it) comes through the [`Door`].

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::watch;

use crate::catalog::{self, Lookup, Reader};
use crate::entry::Entry;
use crate::feed::{atom, json, rss};
use crate::media;
use crate::page::{self, Pages};

/// Smaller bodies are not worth compressing: they fit one packet anyway.
const SMALLEST_CODED: usize = 512;

/// Bytes and their hash, which is taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// What is sent.
    pub bytes: Bytes,
    /// BLAKE3 of it.
    pub hash: blake3::Hash,
}

impl<T: Into<Bytes>> From<T> for Body {
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
}

/// One document, in every coding it has.
#[derive(Debug)]
pub struct Document {
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// When these bytes were first served.
    pub last_modified: DateTime<Utc>,
    /// Uncoded.
    pub identity: Variant,
    hash: blake3::Hash,
    gzip: OnceLock<Option<Variant>>,
}

impl Document {
    /// Makes a document whose bytes are first served at `last_modified`.
    pub fn new(media_type: &'static str, body: impl Into<Body>, last_modified: DateTime<Utc>) -> Self {
        let Body { bytes, hash } = body.into();
        let identity = Variant { bytes, etag: etag(&hash, "") };
        Self { media_type, last_modified, identity, hash, gzip: OnceLock::new() }
    }

    /// The gzip form, once [`Document::compress`] has made it and if it is smaller.
    pub fn gzip(&self) -> Option<&Variant> {
        self.gzip.get()?.as_ref()
    }

    /// Whether it says exactly this.
    pub fn says(&self, body: &Body) -> bool {
        self.hash == body.hash
    }

    /// Makes the coded forms; called once for each version, never for a request.
    pub fn compress(&self) {
        self.gzip.get_or_init(|| {
            if self.identity.bytes.len() < SMALLEST_CODED {
                return None;
            }
            let mut encoder = GzEncoder::new(Vec::with_capacity(self.identity.bytes.len() / 3), Compression::new(6));
            let coded = encoder.write_all(&self.identity.bytes).and_then(|()| encoder.finish()).ok()?;
            let smaller = coded.len() < self.identity.bytes.len();
            smaller.then(|| Variant { etag: etag(&blake3::hash(&coded), "-gz"), bytes: coded.into() })
        });
    }
}

/// A strong ETag: half of a BLAKE3 hash is far more than chance can repeat. Each coding has its own (standards 85).
fn etag(hash: &blake3::Hash, coding: &str) -> String {
    format!("\"{}{coding}\"", &hash.to_hex()[..32])
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
}

/// Renders every document that is not one article's, from the newest entries. `created` dates a feed without entries.
pub fn render(pages: &Pages, entries: &[Arc<Entry>], created: DateTime<Utc>) -> Vec<Rendered> {
    let channel = pages.channel();
    let document = |path, media_type, body| Rendered { path, media_type, body };
    vec![
        document(atom::PATH, atom::MEDIA_TYPE, atom::render(channel, entries, created)),
        document(rss::PATH, rss::MEDIA_TYPE, rss::render(channel, entries, created)),
        document(json::PATH, json::MEDIA_TYPE, json::render(channel, entries)),
        document("", page::MEDIA_TYPE, pages.front(entries)),
        document("style.css", "text/css; charset=utf-8", page::STYLE.to_owned()),
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

    /// Makes the coded forms of all documents that have none yet.
    pub fn compress(&self) {
        self.documents.values().for_each(|document| document.compress());
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

/// What is found at an article's address.
#[derive(Debug, Clone)]
pub enum Found {
    /// Its page.
    Page(Arc<Document>),
    /// It lives at this absolute address now.
    Moved(String),
    /// It was deleted.
    Gone,
    /// There is none.
    Unknown,
    /// It changed a moment ago, and the next snapshot has it.
    NotYet,
}

/// The one way from a request to the disk, for reading only: pages of articles that no snapshot keeps, and the files that
/// lie beside articles.
#[derive(Debug)]
pub struct Door {
    reader: Mutex<Reader>,
    pages: Arc<Pages>,
    presented: DateTime<Utc>,
    files: media::Files,
}

impl Door {
    /// Opens the door to the catalog in `directory` and to `files`. `presented` is when pages last changed their look.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn open(
        directory: &Path,
        pages: Arc<Pages>,
        presented: DateTime<Utc>,
        files: media::Files,
    ) -> catalog::Result<Self> {
        Ok(Self { reader: Mutex::new(Reader::open(directory)?), pages, presented, files })
    }

    /// Opens a file beside articles by its path below the watched folder; `None` if there is none to be shown. Blocks.
    ///
    /// # Errors
    /// As for [`media::Files::open`].
    pub fn file(&self, below: &Path) -> io::Result<Option<media::Opened>> {
        self.files.open(below)
    }

    /// Looks for an article as it was in a snapshot. Blocks: it reads a file, renders a page and compresses it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn article(&self, slug: &str, snapshot: &Snapshot) -> catalog::Result<Found> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let lookup = reader.by_slug(slug, snapshot.version, snapshot.due)?;
        drop(reader);
        Ok(match lookup {
            Lookup::Current(entry) => {
                let page = article(&self.pages, &entry, self.presented);
                page.compress();
                Found::Page(Arc::new(page))
            }
            Lookup::Moved(slug) => Found::Moved(self.pages.channel().page(&slug)),
            Lookup::Gone => Found::Gone,
            Lookup::Unknown => Found::Unknown,
            Lookup::NotYet => Found::NotYet,
        })
    }
}

/// The page of one article. It depends on the article and on the look of the site, and so does its `Last-Modified`.
pub fn article(pages: &Pages, entry: &Entry, presented: DateTime<Utc>) -> Document {
    Document::new(page::MEDIA_TYPE, pages.article(entry), entry.revised.max(presented))
}

/// Path of an article's page below the site's address.
pub fn article_path(slug: &str) -> String {
    format!("articles/{slug}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn each_coding_has_its_own_strong_etag() {
        let body = "<p>words and words</p>".repeat(100);
        let document = Document::new("text/html", body.clone(), DateTime::UNIX_EPOCH);
        assert!(document.gzip().is_none());
        document.compress();
        let gzip = document.gzip().unwrap();
        assert_ne!(gzip.etag, document.identity.etag);
        assert!(gzip.bytes.len() < document.identity.bytes.len());
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&gzip.bytes[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, body);
        let again = Document::new("text/html", body, DateTime::UNIX_EPOCH);
        assert_eq!(again.identity.etag, document.identity.etag, "the same bytes have the same ETag");
    }

    #[test]
    fn small_documents_are_not_coded() {
        let document = Document::new("text/plain", "short", DateTime::UNIX_EPOCH);
        document.compress();
        assert!(document.gzip().is_none());
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
