//! What files for web servers are made from.

use std::collections::BTreeMap;

use hyper::{HeaderMap, header};

use crate::export::rules::AddressRule;
use crate::model::taxonomy::ViewKind;
use crate::render::feed::format::Formats;
use crate::render::page;
use crate::render::snapshot::DocumentKind;

/// Documents whose responses have the same header fields, but for their types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SampleKind {
    Page,
    LastingPage,
    Feed,
    LastingFeed,
    Other,
    Media,
    /// A file that could run something, such as an SVG.
    Drawing,
}

impl SampleKind {
    pub fn of(kind: DocumentKind, is_lasting: bool) -> Self {
        match kind {
            DocumentKind::Page if is_lasting => Self::LastingPage,
            DocumentKind::Page => Self::Page,
            DocumentKind::Feed(_) if is_lasting => Self::LastingFeed,
            DocumentKind::Feed(_) => Self::Feed,
            DocumentKind::Picture(_) | DocumentKind::Other(_) => Self::Other,
        }
    }

    /// That of a file beside articles with these header fields.
    pub fn of_file(headers: &HeaderMap) -> Self {
        let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
        if policy.is_some_and(|policy| policy.contains("sandbox")) { Self::Drawing } else { Self::Media }
    }
}

/// Fields that a web server makes itself, or that differ from document to document.
const OWN_FIELDS: [header::HeaderName; 9] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::ETAG,
    header::LAST_MODIFIED,
    header::VARY,
    header::ACCEPT_RANGES,
    header::LINK,
    header::CONNECTION,
];

/// The fields of a response that a web server has to add.
pub fn server_fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let server_fields = headers.iter().filter(|(name, _)| !OWN_FIELDS.contains(name));
    let mut server_fields: Vec<(String, String)> = server_fields
        .filter_map(|(name, value)| Some((canonical(name.as_str()), value.to_str().ok()?.to_owned())))
        .collect();
    server_fields.sort();
    server_fields
}

/// A field name as people write it.
fn canonical(name: &str) -> String {
    let part = |part: &str| part[..1].to_uppercase() + &part[1..];
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// The header fields of one document of each kind, and the addresses of files within files.
#[derive(Debug, Default)]
pub struct HeaderSamples {
    samples: BTreeMap<SampleKind, Vec<(String, String)>>,
    pub parts: Vec<String>,
}

impl HeaderSamples {
    pub fn add(&mut self, kind: SampleKind, headers: &HeaderMap) {
        self.samples.entry(kind).or_insert_with(|| server_fields(headers));
    }

    /// The fields of a kind; none if the site has no such document.
    pub fn of(&self, kind: SampleKind) -> &[(String, String)] {
        self.samples.get(&kind).map_or(&[], |fields| fields)
    }
}

/// A document with an address and a type of its own.
#[derive(Debug)]
pub struct ServedPath {
    pub path: String,
    pub headers: HeaderMap,
}

impl ServedPath {
    pub fn media_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or(page::MEDIA_TYPE)
    }
}

/// The site that a web server serves.
#[derive(Debug)]
pub struct ServerSite<'a> {
    pub base_url: &'a str,
    /// Its path, with slashes at both ends.
    pub base_path: &'a str,
    pub formats: Formats,
    pub rules: &'a [AddressRule],
    pub served: &'a [ServedPath],
    pub samples: &'a HeaderSamples,
}

/// What a browser may run in a document.
pub const POLICY: &str = "Content-Security-Policy";

/// Endings of the names of files beside articles that could run something, in small letters.
pub const DRAWINGS: [&str; 7] = ["svg", "xml", "htm", "html", "xhtml", "ttml", "smil"];

/// The first parts of the paths of lists, which end with a slash.
pub fn list_roots() -> impl Iterator<Item = &'static str> {
    ViewKind::ALL.into_iter().map(ViewKind::root).chain(["archive", "years"])
}
