//! (request, snapshot) -> response, pure: no socket, no file, no clock of its own.

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Version};
use url::Url;

use super::body::{ResponseBody, Source};
use super::conditional::{self, Outcome};
use super::negotiate;
use super::range::{self, Part};
use crate::folder::media;
use crate::render::compression::ContentCoding;
use crate::render::feed::{atom, rss};
use crate::render::on_demand::Route;
use crate::render::snapshot::{Document, Heads, Snapshot, Variant};

/// What answers have in common.
#[derive(Debug, Clone)]
pub struct ResponsePolicy {
    /// Path that a proxy may leave before ours, with slashes at both ends.
    base_path: String,
    base_url: String,
    cache: HeaderValue,
    cache_lasting: HeaderValue,
}

/// What belongs to the past may be kept for a day (standards 116): not for ever, since a deletion shows there, too.
const MAX_AGE_LASTING: Duration = Duration::from_hours(24);
/// For so long a cache may give away what is too old while it asks anew: nobody waits for us (RFC 5861 section 3).
const STALE_WHILE_ASKING: Duration = Duration::from_mins(1);
/// And for so long where we do not answer at all (RFC 5861 section 4): a feed of yesterday is better than none.
const STALE_IF_DOWN: Duration = Duration::from_hours(24);

impl ResponsePolicy {
    /// For a site at `base_url` whose documents may be kept for `max_age`.
    pub fn new(base_url: &str, max_age: Duration) -> Self {
        let base_path = Url::parse(base_url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        let (cache, cache_lasting) = (kept_for(max_age), kept_for(MAX_AGE_LASTING));
        Self { base_path, base_url: base_url.to_owned(), cache, cache_lasting }
    }
}

fn kept_for(max_age: Duration) -> HeaderValue {
    let [fresh, asking, down] = [max_age, STALE_WHILE_ASKING, STALE_IF_DOWN].map(|time| time.as_secs());
    let value = format!("max-age={fresh}, stale-while-revalidate={asking}, stale-if-error={down}");
    HeaderValue::from_str(&value).expect("numbers make a header")
}

/// What a request is for.
#[derive(Debug, Clone)]
pub enum Target {
    /// A document.
    Document(Arc<Document>),
    /// Something that the snapshot does not hold: look it up. With the path as it was asked for.
    Lookup(Route, String),
    /// A file that may lie beside articles: look for it at this path below the watched folder.
    Media(PathBuf),
    /// Such a file.
    File(Arc<Source>),
    /// It lives at this absolute address now.
    Moved(String),
    /// For the time being, what is asked for is in the document at this absolute address.
    Temporary(String),
    /// It was deleted.
    Gone,
    /// There is nothing.
    Missing,
    /// The server itself: `OPTIONS *`.
    Server,
    /// It cannot be had just now.
    Unavailable,
    /// This client has asked for it too often, and must wait for so long.
    TooOften(Duration),
}

/// What may be done with a document.
const ALLOW: &str = "GET, HEAD, OPTIONS";
/// How long an answer that says "not here" may be kept.
const CACHE_MISSING: &str = "max-age=60";
/// Pages show their own style and anybody's pictures, and run nothing.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src * data:; media-src *; base-uri 'none'; form-action 'none'";
/// What a feed is called for a browser that opens it as a page: a browser shows the text of a document whose type says that
/// it is a feed, and styles one that says no more than that it is XML.
const SHOWN_FEED_TYPE: &str = "application/xml; charset=utf-8";
/// How a browser says what it wants a document for; feed readers do not say.
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// A feed that is opened in a browser runs nothing either.
const FEED_POLICY: &str = "default-src 'none'; style-src 'self'; sandbox";
/// So does a drawing, which is a document with styles and pictures within itself.
const DRAWING_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";
/// What a browser shows by a viewer or player of its own. `sandbox`, or no leave to load, would stop some of those.
const FILE_POLICY: &str = "base-uri 'none'; form-action 'none'";
/// Where files beside articles are found.
const MEDIA: &str = "media/";

/// Finds what a request is for. The query counts for nothing (standards 80). A proxy may pass the base address's path on
/// or take it away; both ways lead to the same.
pub fn route(request: &Parts, snapshot: &Snapshot, style: &ResponsePolicy) -> Target {
    let path = request.uri.path();
    if path == "*" {
        return Target::Server;
    }
    let whole = path.strip_prefix('/').unwrap_or(path);
    let below = path.strip_prefix(style.base_path.as_str()).unwrap_or(whole);
    if let Some(document) = snapshot.document(below).or_else(|| snapshot.document(whole)) {
        return Target::Document(document.clone());
    }
    if style.base_path.strip_suffix('/').is_some_and(|base| base == path) {
        return Target::Moved(style.base_url.clone());
    }
    if let Some(encoded) = below.strip_prefix(MEDIA).or_else(|| whole.strip_prefix(MEDIA)) {
        return media::path_of(encoded).map_or(Target::Missing, Target::Media);
    }
    for path in [below, whole] {
        if let Some(address) = Route::at(path) {
            let own = address.path();
            if own != path && snapshot.document(&own).is_some() {
                return Target::Moved(format!("{}{own}", style.base_url));
            }
            return Target::Lookup(address, path.to_owned());
        }
    }
    Target::Missing
}

/// Answers a request for a target, at the instant `now`.
pub fn respond(
    request: &Parts,
    target: &Target,
    snapshot: &Snapshot,
    style: &ResponsePolicy,
    now: SystemTime,
) -> Response<ResponseBody> {
    let response = match request.method {
        _ if !names_one_resource(request) => {
            closing(message(StatusCode::BAD_REQUEST, "A request must name exactly one host."))
        }
        Method::GET | Method::HEAD | Method::OPTIONS if request.headers.contains_key(header::TRANSFER_ENCODING) => {
            // With a Content-Length beside it, which hyper does not show, it would depend on who reads it where the next
            // request begins (RFC 9112 section 6.1). Nobody who asks for a document sends a body in chunks.
            closing(message(StatusCode::BAD_REQUEST, "A request for a document has no body in chunks."))
        }
        Method::GET | Method::HEAD => get(request, target, snapshot, style, now),
        Method::OPTIONS => options(),
        Method::POST | Method::PUT | Method::DELETE | Method::PATCH | Method::TRACE | Method::CONNECT => {
            let refusal = message(StatusCode::METHOD_NOT_ALLOWED, "Documents can only be read here: GET or HEAD.");
            closing(with(with(refusal, header::ALLOW, ALLOW), header::CACHE_CONTROL, CACHE_MISSING))
        }
        _ => {
            let refusal = message(StatusCode::NOT_IMPLEMENTED, "This method is not known here.");
            closing(with(refusal, header::CACHE_CONTROL, CACHE_MISSING))
        }
    };
    if request.method == Method::HEAD { without_body(response) } else { response }
}

/// Everything but the body; its length is told all the same (standards 76).
fn without_body(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    use hyper::body::Body as _;
    let length = response.body().size_hint().exact().unwrap_or(0);
    let tells_length = !matches!(response.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT);
    if tells_length {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = ResponseBody::default();
    response
}

/// HTTP/1.1 asks for exactly one valid `Host` (RFC 9112 section 3.2), and for a path or `*` to go with it; hyper does not
/// look.
fn names_one_resource(request: &Parts) -> bool {
    let path = request.uri.path();
    let whole_server = path == "*" && request.method == Method::OPTIONS;
    let passage = request.method == Method::CONNECT;
    if !path.starts_with('/') && !whole_server && !passage {
        return false;
    }
    let mut hosts = request.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        (None, _) => request.version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// A name or an address, with or without a port (RFC 3986 section 3.2.2, but for percent signs, which no name has).
fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => match (address.parse::<Ipv6Addr>(), rest.strip_prefix(':')) {
            (Ok(_), Some(port)) => ("v6", port),
            (Ok(_), None) if rest.is_empty() => ("v6", ""),
            _ => return false,
        },
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.len() <= 5;
    !name.is_empty() && name.bytes().all(sound) && (port.is_empty() || (is_port && port.parse::<u16>().is_ok()))
}

fn get(
    request: &Parts,
    target: &Target,
    snapshot: &Snapshot,
    style: &ResponsePolicy,
    now: SystemTime,
) -> Response<ResponseBody> {
    match target {
        Target::Document(document) => self::document(request, document, style, now),
        Target::File(source) => file(request, source, style, now),
        Target::Moved(address) => {
            let response = message(StatusCode::MOVED_PERMANENTLY, "This has moved.");
            let response = with(response, header::LOCATION, address);
            with_value(response, header::CACHE_CONTROL, style.cache.clone())
        }
        Target::Temporary(address) => {
            let response = message(StatusCode::TEMPORARY_REDIRECT, "There is no archive of this number yet.");
            with(with(response, header::LOCATION, address), header::CACHE_CONTROL, CACHE_MISSING)
        }
        Target::Gone => page(StatusCode::GONE, &snapshot.gone),
        Target::Missing | Target::Lookup(..) | Target::Media(_) => page(StatusCode::NOT_FOUND, &snapshot.missing),
        Target::Server => message(StatusCode::BAD_REQUEST, "Only OPTIONS can be asked of the whole server."),
        Target::TooOften(wait) => {
            let text = "You ask too often without saying what you have (If-None-Match). Ask again after a while.";
            let response = message(StatusCode::TOO_MANY_REQUESTS, text);
            let wait = (wait.as_secs() + 1).to_string();
            with(with(response, header::RETRY_AFTER, &wait), header::CACHE_CONTROL, "no-store")
        }
        Target::Unavailable => {
            let response =
                message(StatusCode::SERVICE_UNAVAILABLE, "This cannot be read just now. Try again in a minute.");
            with(with(response, header::RETRY_AFTER, "60"), header::CACHE_CONTROL, "no-store")
        }
    }
}

fn document(request: &Parts, document: &Document, style: &ResponsePolicy, now: SystemTime) -> Response<ResponseBody> {
    // What the client allows and what there is, best first.
    let mut variants = [const { None }; ContentCoding::ALL.len()];
    let codings = negotiate::codings(&request.headers);
    let found = codings.filter_map(|coding| Some((coding, document.variant(coding)?)));
    let found = variants.iter_mut().zip(found).map(|(place, variant)| *place = Some(variant)).count();
    let [Some((coding, best)), ..] = variants else {
        let text = "None of the codings that the request allows is to be had: br, zstd, gzip or none.";
        return with(message(StatusCode::NOT_ACCEPTABLE, text), header::VARY, "Accept-Encoding");
    };
    let tags = variants.map(|variant| variant.map_or("", |(_, variant)| variant.etag.as_str()));
    let last_modified = SystemTime::from(document.last_modified);
    let (variant, coding, status) =
        match conditional::evaluate(&request.headers, &tags[..found], Some(last_modified), now) {
            Outcome::Proceed => (best, coding, StatusCode::OK),
            Outcome::NotModified(place) => match variants[place] {
                Some((coding, variant)) => (variant, coding, StatusCode::NOT_MODIFIED),
                None => (best, coding, StatusCode::NOT_MODIFIED),
            },
            Outcome::Failed => {
                let text = "The document is not what the request expects.";
                return message(StatusCode::PRECONDITION_FAILED, text);
            }
        };
    let heads = variant.heads.get_or_init(|| heads(document, variant, coding, style));
    let (head, body) = match status {
        StatusCode::OK => (&heads.whole, ResponseBody::from(variant.bytes.clone())),
        _ => (&heads.unchanged, ResponseBody::default()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = head.clone();
    // Later than now only where the clock was set back: then it would say the wrong thing (standards 87).
    if last_modified > now {
        response.headers_mut().remove(header::LAST_MODIFIED);
    }
    // The same bytes have another type where a browser is to show a feed.
    let is_page = || request.headers.get(SEC_FETCH_DEST).is_some_and(|dest| dest == "document");
    if status == StatusCode::OK && is_styled(document) && is_page() {
        return with_value(response, header::CONTENT_TYPE, HeaderValue::from_static(SHOWN_FEED_TYPE));
    }
    response
}

/// Whether it is a feed with a style sheet for browsers.
fn is_styled(document: &Document) -> bool {
    matches!(document.media_type, rss::MEDIA_TYPE | atom::MEDIA_TYPE)
}

/// The header fields of all answers with a document in one coding.
fn heads(document: &Document, variant: &Variant, coding: ContentCoding, style: &ResponsePolicy) -> Heads {
    let cache = if document.is_lasting { &style.cache_lasting } else { &style.cache };
    let vary = if is_styled(document) { "Accept-Encoding, Sec-Fetch-Dest" } else { "Accept-Encoding" };
    let last_modified = httpdate::fmt_http_date(document.last_modified.into());
    let unchanged = with(empty(StatusCode::NOT_MODIFIED), header::LAST_MODIFIED, &last_modified);
    let unchanged = with(with(unchanged, header::ETAG, &variant.etag), header::VARY, vary);
    let unchanged = for_other_origins(with_value(unchanged, header::CACHE_CONTROL, cache.clone()));
    let unchanged = unchanged.into_parts().0.headers;
    let policy = if document.media_type.starts_with("text/html") { PAGE_POLICY } else { FEED_POLICY };
    let mut whole = body(StatusCode::OK, document.media_type, Bytes::new());
    whole.headers_mut().extend(unchanged.clone());
    whole = with(whole, header::CONTENT_SECURITY_POLICY, policy);
    if let Some(links) = &document.links {
        whole = with(whole, header::LINK, links);
    }
    if coding != ContentCoding::Identity {
        whole = with(whole, header::CONTENT_ENCODING, coding.name());
    }
    Heads { whole: whole.into_parts().0.headers, unchanged }
}

/// A file is never coded: what it is, is compressed already, and parts of it are parts of what is sent (standards 120, 121).
fn file(request: &Parts, source: &Arc<Source>, style: &ResponsePolicy, now: SystemTime) -> Response<ResponseBody> {
    let file = source.opened();
    let (size, last_modified) = (file.size(), file.last_modified(now));
    match conditional::evaluate(&request.headers, &[file.etag()], last_modified, now) {
        Outcome::Proceed => {}
        Outcome::NotModified(_) => return file_validators(empty(StatusCode::NOT_MODIFIED), source, style, now),
        Outcome::Failed => {
            return message(StatusCode::PRECONDITION_FAILED, "The file is not what the request expects.");
        }
    }
    // A part of no body means nothing (RFC 9110 section 14.2).
    let part = match request.method {
        Method::GET => range::part(&request.headers, size, file.etag(), last_modified),
        _ => Part::Whole,
    };
    let (status, bytes) = match part {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Bytes(bytes) => (StatusCode::PARTIAL_CONTENT, bytes),
        Part::Unsatisfiable => {
            let response = message(StatusCode::RANGE_NOT_SATISFIABLE, "The file has no such part.");
            let response = with(response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return for_other_players(with(response, header::CACHE_CONTROL, "no-store"));
        }
    };
    let content_range = format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1));
    let mut response = Response::new(ResponseBody::file(source.clone(), bytes));
    *response.status_mut() = status;
    if status == StatusCode::PARTIAL_CONTENT {
        response = with(response, header::CONTENT_RANGE, &content_range);
    }
    let response = typed(response, file.media_type());
    let response = with(response, header::CONTENT_SECURITY_POLICY, file_policy(file.media_type()));
    file_validators(response, source, style, now)
}

/// What a file may do where it is opened by itself. One that is a document could hold scripts.
fn file_policy(media_type: &str) -> &'static str {
    let name = media_type.split(';').next().unwrap_or_default();
    if name.ends_with("xml") || name.ends_with("html") { DRAWING_POLICY } else { FILE_POLICY }
}

/// What a 200, a 206 and a 304 of a file have in common (RFC 9110 sections 15.3.7 and 15.4.5).
fn file_validators(
    mut response: Response<ResponseBody>,
    source: &Source,
    style: &ResponsePolicy,
    now: SystemTime,
) -> Response<ResponseBody> {
    let file = source.opened();
    if let Some(last_modified) = file.last_modified(now) {
        response = with(response, header::LAST_MODIFIED, &httpdate::fmt_http_date(last_modified));
    }
    let response = with(response, header::ETAG, file.etag());
    for_other_players(with_value(response, header::CACHE_CONTROL, style.cache.clone()))
}

/// Players that run in a browser fetch parts of files from wherever they are.
fn for_other_players(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let response = with(for_other_origins(response), header::ACCEPT_RANGES, "bytes");
    let exposed = "ETag, Last-Modified, Content-Range, Accept-Ranges";
    with(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed)
}

/// Readers that run in a browser want to know what to ask with the next time.
fn for_other_origins(response: Response<ResponseBody>) -> Response<ResponseBody> {
    with(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Last-Modified")
}

/// What may be asked here; a browser that wants to send validators asks this first.
fn options() -> Response<ResponseBody> {
    let response = with(empty(StatusCode::NO_CONTENT), header::ALLOW, ALLOW);
    let response = with(response, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
    let asked = "If-None-Match, If-Modified-Since, Range, If-Range";
    let response = with(response, header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    for_other_origins(with(response, header::ACCESS_CONTROL_MAX_AGE, "86400"))
}

fn page(status: StatusCode, html: &Bytes) -> Response<ResponseBody> {
    let response = body(status, crate::render::page::MEDIA_TYPE, html.clone());
    with(with(response, header::CACHE_CONTROL, CACHE_MISSING), header::CONTENT_SECURITY_POLICY, PAGE_POLICY)
}

fn message(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    body(status, "text/plain; charset=utf-8", Bytes::from(format!("{text}\n")))
}

fn body(status: StatusCode, media_type: &'static str, bytes: Bytes) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::from(bytes));
    *response.status_mut() = status;
    typed(response, media_type)
}

fn typed(response: Response<ResponseBody>, media_type: &'static str) -> Response<ResponseBody> {
    for_everybody(with_value(response, header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
}

/// What every answer says: it is what it says, whatever it looks like; and readers that run in a browser, which else would be
/// led nowhere and told no status, may look at it from wherever they are.
fn for_everybody(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let response = with_value(response, header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    with_value(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
}

fn empty(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = status;
    for_everybody(response)
}

/// The rest of what the client sends is not read.
fn closing(response: Response<ResponseBody>) -> Response<ResponseBody> {
    with(response, header::CONNECTION, "close")
}

fn with(response: Response<ResponseBody>, name: HeaderName, value: &str) -> Response<ResponseBody> {
    match HeaderValue::from_str(value) {
        Ok(value) => with_value(response, name, value),
        Err(_) => response,
    }
}

fn with_value(mut response: Response<ResponseBody>, name: HeaderName, value: HeaderValue) -> Response<ResponseBody> {
    response.headers_mut().insert(name, value);
    response
}

#[cfg(test)]
mod tests;
