//! (request, snapshot) -> response. Pure: uses no socket, no file and no clock.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use url::Url;

use super::body::{FileSource, ResponseBody};
use super::conditional::{self, Precondition};
use super::fields::RequestFields;
use super::host::names_one_resource;
use super::negotiate;
use super::old_addresses::{self, OldFeeds};
use super::prepared_head;
use super::range::{self, FilePart};
use super::validators;
use crate::config::{Config, Crawlers};
use crate::folder::media;
use crate::render::compression::ContentCoding;
use crate::render::crawlers;
use crate::render::feed::format::Representation;
use crate::render::on_demand::Route;
use crate::render::page;
use crate::render::snapshot::{Document, DocumentKind, Heads, ResponseHead, Snapshot, Variant};

/// Settings that all responses of a site share: caching and base address.
#[derive(Debug, Clone)]
pub struct ResponsePolicy {
    /// Path prefix that a proxy may pass on, with slashes at both ends.
    base_path: String,
    base_url: String,
    cache: HeaderValue,
    cache_lasting: HeaderValue,
    /// For the pages that browsers get at the addresses of feeds: a shared cache that ignores `Vary` must not give one to a feed reader.
    cache_private: HeaderValue,
    old_feeds: OldFeeds,
    /// `X-Robots-Tag`, if no search engine may list the site.
    robots: Option<HeaderValue>,
    /// ETags begin with the second of the last change: other nodes answer, too.
    has_replicas: bool,
}

/// How long caches may keep an archive (standards 116). Not for ever, since deletions change archives, too.
const MAX_AGE_LASTING: Duration = Duration::from_hours(24);
/// How long a cache may serve a stale response while it revalidates (RFC 5861 section 3).
const STALE_WHILE_REVALIDATE: Duration = Duration::from_mins(1);
/// How long a cache may serve a stale response when the origin fails (RFC 5861 section 4): yesterday's feed is better than none.
const STALE_IF_ERROR: Duration = Duration::from_hours(24);

impl ResponsePolicy {
    /// The policy of a site at `base_url` whose documents stay fresh for `max_age`.
    pub fn new(base_url: &str, max_age: Duration) -> Self {
        let base_path = Url::parse(base_url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        let (cache, cache_lasting) = (cache_control("", max_age), cache_control("", MAX_AGE_LASTING));
        let cache_private = cache_control("private, ", max_age);
        Self {
            base_path,
            base_url: base_url.to_owned(),
            cache,
            cache_lasting,
            cache_private,
            old_feeds: OldFeeds::default(),
            robots: None,
            has_replicas: false,
        }
    }

    /// The policy of a site at `base_url` with this configuration.
    pub fn of(config: &Config, base_url: &str) -> Self {
        let old_feeds = OldFeeds::new(&config.feed.aliases);
        let is_unlisted = config.site.crawlers == Crawlers::None;
        let robots = is_unlisted.then(|| HeaderValue::from_static(crawlers::UNLISTED));
        let has_replicas = config.replicas.log.is_some();
        Self { old_feeds, robots, has_replicas, ..Self::new(base_url, config.http.max_age.0) }
    }
}

/// The paths, without slashes at their ends, that may be old addresses of the main feed: [`route`] says whether they are.
pub fn old_feed_paths(policy: &ResponsePolicy) -> impl Iterator<Item = String> {
    policy.old_feeds.paths()
}

fn cache_control(start: &str, max_age: Duration) -> HeaderValue {
    let [fresh, revalidate, error] = [max_age, STALE_WHILE_REVALIDATE, STALE_IF_ERROR].map(|time| time.as_secs());
    let value = format!("{start}max-age={fresh}, stale-while-revalidate={revalidate}, stale-if-error={error}");
    HeaderValue::from_str(&value).expect("numbers make a header")
}

/// The resource that a request asks for.
#[derive(Debug, Clone)]
pub enum Target {
    /// A document of the snapshot, or one rendered on demand.
    Document(Arc<Document>),
    /// A resource that the snapshot does not hold, with the requested path; it has to be looked up.
    Lookup(Route, String),
    /// Possibly a media file, at this path below the watched folder.
    Media(PathBuf),
    /// An open media file.
    File(Arc<FileSource>),
    /// The resource has moved to this absolute address.
    Moved(String),
    /// The content of the resource is at this absolute address for now.
    Temporary(String),
    /// The resource was deleted.
    Gone,
    /// No such resource.
    Missing,
    /// No such resource; the page names articles whose names are near.
    MissingNear(Bytes),
    /// The server itself: `OPTIONS *`.
    Server,
    /// The resource cannot be read at the moment.
    Unavailable,
    /// Too many resources have to be read first.
    Busy,
    /// The client requests the resource too often and has to wait for this long.
    TooOften(Duration),
}

/// The allowed methods.
const ALLOW: &str = "GET, HEAD, OPTIONS";
/// `Cache-Control` of responses that do not carry the requested document.
const CACHE_MISSING: &str = "max-age=60";
/// Content-Security-Policy of pages: their own style, pictures and media from anywhere, no scripts, in no frame. Without `connect-src`, tools
/// that look at a page in a browser cannot read `robots.txt` beside it.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src * data:; media-src *; connect-src 'self'; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'";
/// Content-Type of a feed whose source a browser shows.
const SOURCE_TYPE: &str = "text/plain; charset=utf-8";
/// Asks search engines to leave a document out, also one that is no page.
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
/// Content-Security-Policy of feeds opened in a browser.
const FEED_POLICY: &str = "default-src 'none'; style-src 'self'; sandbox";
/// Content-Security-Policy of SVG and other documents with styles and pictures of their own.
const DRAWING_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";
/// Content-Security-Policy of files that browsers show in a built-in viewer or player, some of which `sandbox` or
/// `default-src 'none'` would break.
const FILE_POLICY: &str = "base-uri 'none'; form-action 'none'";
/// Path prefix of articles.
const ARTICLES: &str = "articles/";
/// Path prefix of media files.
const MEDIA: &str = "media/";

/// Maximum length of an old address of an article that is looked up, in bytes.
const MAX_OLD_ADDRESS: usize = 1_000;

/// Finds the resource that a request names. The query is ignored (standards 80), except in old addresses. A proxy may pass on the path of
/// the base address or strip it; both give the same result.
pub fn route(request: &Parts, snapshot: &Snapshot, policy: &ResponsePolicy) -> Target {
    let (path, query) = (old_addresses::normal(request.uri.path()), request.uri.query());
    let path = &*path;
    if path == "*" {
        return Target::Server;
    }
    let whole = path.strip_prefix('/').unwrap_or(path);
    let below = path.strip_prefix(policy.base_path.as_str()).unwrap_or(whole);
    // Without a query, the front page is asked for far more often.
    if query.is_some()
        && below.trim_matches('/').is_empty()
        && let Some(old) = old_target(below, query, snapshot, policy)
    {
        return old;
    }
    if below.starts_with(ARTICLES)
        && negotiate::prefers_markdown(&request.headers)
        && let Some(Route::Article(slug)) = Route::at(below, snapshot.formats)
    {
        let path = Route::Markdown(slug.clone()).path();
        return Target::Lookup(Route::Markdown(slug), path);
    }
    let opens_feed = || {
        let dest = RequestFields::from(&request.headers).sec_fetch_dest;
        negotiate::is_opened(dest) && query != Some(page::RAW)
    };
    if let Some(document) = snapshot.document(below).or_else(|| snapshot.document(whole)) {
        let main_feed = (document.is_feed() && opens_feed()).then(|| main_feed_of(document, snapshot)).flatten();
        return main_feed.map(Route::opened).map_or_else(
            || Target::Document(document.clone()),
            |route| {
                let path = route.path();
                Target::Lookup(route, path)
            },
        );
    }
    if policy.base_path.strip_suffix('/').is_some_and(|base| base == path) {
        return Target::Moved(policy.base_url.clone());
    }
    if let Some(encoded) = below.strip_prefix(MEDIA).or_else(|| whole.strip_prefix(MEDIA)) {
        return media::path_of(encoded).map_or(Target::Missing, Target::Media);
    }
    for path in [below, whole] {
        if let Some(route) = Route::at(path, snapshot.formats) {
            let own = route.path();
            if own != path && snapshot.document(&own).is_some() {
                return Target::Moved(format!("{}{own}", policy.base_url));
            }
            let route = if opens_feed() { route.opened() } else { route };
            return Target::Lookup(route, path.to_owned());
        }
    }
    old_target(below, query, snapshot, policy).unwrap_or(Target::Missing)
}

/// The route of the main feed, if a document is one of its forms.
fn main_feed_of(document: &Arc<Document>, snapshot: &Snapshot) -> Option<Route> {
    let DocumentKind::Feed(format) = document.kind else { return None };
    let main = snapshot.document(format.file).filter(|main| Arc::ptr_eq(main, document));
    main.map(|_| Route::Main(Representation::Feed(format)))
}

/// The resource that has left an address, if there may be one.
fn old_target(below: &str, query: Option<&str>, snapshot: &Snapshot, policy: &ResponsePolicy) -> Option<Target> {
    if let Some(name) = policy.old_feeds.format_at(below, query) {
        let format = snapshot.formats.named(name).unwrap_or(snapshot.formats.recommended());
        return Some(Target::Moved(format!("{}{}", policy.base_url, format.file)));
    }
    if let Some(list) = old_addresses::list_at(below, snapshot.formats)
        && let Some(route) = Route::at(&list, snapshot.formats)
    {
        return Some(Target::Lookup(route, below.to_owned()));
    }
    if let Some(page) = Route::page_at(below) {
        return Some(Target::Lookup(page, below.to_owned()));
    }
    // WordPress numbers its articles: `/?p=12`.
    let is_number = query.is_some_and(|query| ["p=", "page_id=", "post="].iter().any(|key| query.starts_with(key)));
    let may_be_old = !below.trim_matches('/').is_empty() || is_number;
    old_address(below, query).filter(|_| may_be_old).map(|old| Target::Lookup(old, below.to_owned()))
}

/// The address that an article may have had elsewhere, unless it is too long to be looked up.
pub fn old_address(below: &str, query: Option<&str>) -> Option<Route> {
    let address = query.map_or_else(|| format!("/{below}"), |query| format!("/{below}?{query}"));
    (address.len() <= MAX_OLD_ADDRESS).then_some(Route::OldAddress(address))
}

/// Makes the response to a request for a target at the instant `now`.
pub fn respond(
    request: &Parts,
    target: &Target,
    snapshot: &Snapshot,
    policy: &ResponsePolicy,
    now: SystemTime,
) -> Response<ResponseBody> {
    reply(request, target, snapshot, policy, now, false).response
}

/// A response, and what is known of it without its header fields.
pub struct Reply {
    pub response: Response<ResponseBody>,
    /// The coding of the variant that it has or confirms, if its target is a document.
    pub coding: Option<ContentCoding>,
    /// Lines that stand for its header fields, of which it has none then.
    pub lines: Option<Bytes>,
}

impl From<Response<ResponseBody>> for Reply {
    fn from(response: Response<ResponseBody>) -> Self {
        Self { response, coding: None, lines: None }
    }
}

/// Makes the response to a request for a target at the instant `now`. If `may_prepare`, its header fields may be prepared lines.
pub fn reply(
    request: &Parts,
    target: &Target,
    snapshot: &Snapshot,
    policy: &ResponsePolicy,
    now: SystemTime,
    may_prepare: bool,
) -> Reply {
    let fields = RequestFields::from(&request.headers);
    let may_prepare = may_prepare && request.method == Method::GET && policy.robots.is_none();
    let mut reply: Reply = match request.method {
        _ if !names_one_resource(request, fields.host) => {
            closing(message(StatusCode::BAD_REQUEST, "A request must name exactly one host.")).into()
        }
        Method::GET | Method::HEAD | Method::OPTIONS if !fields.transfer_encoding.is_empty() => {
            // With a Content-Length as well, which hyper hides, implementations disagree on where the next request begins
            // (RFC 9112 section 6.1). No client that fetches documents sends a chunked body.
            closing(message(StatusCode::BAD_REQUEST, "A request for a document must not have a chunked body.")).into()
        }
        Method::GET | Method::HEAD => match target {
            Target::Document(document) => self::document(&fields, document, policy, now, may_prepare),
            target => get(request, &fields, target, snapshot, policy, now).into(),
        },
        Method::OPTIONS => options().into(),
        Method::POST | Method::PUT | Method::DELETE | Method::PATCH | Method::TRACE | Method::CONNECT => {
            let refusal = message(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are allowed here.");
            closing(with(with(refusal, header::ALLOW, ALLOW), header::CACHE_CONTROL, CACHE_MISSING)).into()
        }
        _ => {
            let refusal = message(StatusCode::NOT_IMPLEMENTED, "This method is not implemented.");
            closing(with(refusal, header::CACHE_CONTROL, CACHE_MISSING)).into()
        }
    };
    if let Some(robots) = &policy.robots {
        reply.response = with_value(reply.response, X_ROBOTS_TAG, robots.clone());
    }
    if request.method == Method::HEAD {
        reply.response = without_body(reply.response);
    }
    reply
}

/// Removes the body but keeps its length (standards 76).
fn without_body(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    use hyper::body::Body as _;
    let length = response.body().size_hint().exact().unwrap_or(0);
    let has_length = !matches!(response.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT);
    if has_length {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = ResponseBody::default();
    response
}

fn get(
    request: &Parts,
    fields: &RequestFields<'_>,
    target: &Target,
    snapshot: &Snapshot,
    policy: &ResponsePolicy,
    now: SystemTime,
) -> Response<ResponseBody> {
    match target {
        Target::Document(document) => self::document(fields, document, policy, now, false).response,
        Target::File(source) => file(request, fields, source, policy, now),
        Target::Moved(address) => {
            let response = message(StatusCode::MOVED_PERMANENTLY, "This has moved.");
            let response = with(response, header::LOCATION, address);
            with_value(response, header::CACHE_CONTROL, policy.cache.clone())
        }
        Target::Temporary(address) => {
            let response = message(StatusCode::TEMPORARY_REDIRECT, "This is at another address for now.");
            with(with(response, header::LOCATION, address), header::CACHE_CONTROL, CACHE_MISSING)
        }
        Target::Gone => page(StatusCode::GONE, &snapshot.gone),
        Target::Missing | Target::Lookup(..) | Target::Media(_) => page(StatusCode::NOT_FOUND, &snapshot.missing),
        Target::MissingNear(near) => page(StatusCode::NOT_FOUND, near),
        Target::Server => message(StatusCode::BAD_REQUEST, "Only OPTIONS may name the whole server."),
        Target::TooOften(wait) => {
            let text = "Too many requests without If-None-Match. Please wait before the next one.";
            let response = message(StatusCode::TOO_MANY_REQUESTS, text);
            let wait = (wait.as_secs() + 1).to_string();
            with(with(response, header::RETRY_AFTER, &wait), header::CACHE_CONTROL, "no-store")
        }
        Target::Unavailable => {
            let response =
                message(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable. Please try again in a minute.");
            with(with(response, header::RETRY_AFTER, "60"), header::CACHE_CONTROL, "no-store")
        }
        Target::Busy => {
            let response = message(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many requests at the moment. Please try again in a few seconds.",
            );
            with(with(response, header::RETRY_AFTER, "5"), header::CACHE_CONTROL, "no-store")
        }
    }
}

fn document(
    fields: &RequestFields<'_>,
    document: &Document,
    policy: &ResponsePolicy,
    now: SystemTime,
    may_prepare: bool,
) -> Reply {
    // The variants that the client accepts and that exist, best first.
    let mut variants = [const { None }; ContentCoding::ALL.len()];
    let codings = negotiate::codings(fields.accept_encoding);
    let available = codings.filter_map(|coding| Some((coding, document.variant(coding)?)));
    let count = variants.iter_mut().zip(available).map(|(slot, variant)| *slot = Some(variant)).count();
    let [Some((coding, best)), ..] = variants else {
        let text = "None of the accepted content codings is available: br, zstd, gzip, identity.";
        return with(message(StatusCode::NOT_ACCEPTABLE, text), header::VARY, "Accept-Encoding").into();
    };
    if policy.has_replicas
        && let Some(newer) = validators::newer(fields.if_none_match, document.last_modified.timestamp())
    {
        return newer_elsewhere(newer, policy).into();
    }
    let tags = variants
        .map(|variant| variant.map_or(Cow::Borrowed(""), |(_, variant)| served_etag(document, variant, policy)));
    let tags: [&str; ContentCoding::ALL.len()] = std::array::from_fn(|index| &*tags[index]);
    let last_modified = SystemTime::from(document.last_modified);
    let (variant, coding, status) = match conditional::evaluate(fields, &tags[..count], Some(last_modified), now) {
        Precondition::Proceed => (best, coding, StatusCode::OK),
        Precondition::NotModified(index) => match variants[index] {
            Some((coding, variant)) => (variant, coding, StatusCode::NOT_MODIFIED),
            None => (best, coding, StatusCode::NOT_MODIFIED),
        },
        Precondition::Failed => {
            let text = "The document does not meet the preconditions of the request.";
            return message(StatusCode::PRECONDITION_FAILED, text).into();
        }
    };
    let heads = variant.heads.get_or_init(|| heads(document, variant, coding, policy));
    let (head, body) = match status {
        StatusCode::OK => (&heads.whole, ResponseBody::from(variant.bytes.clone())),
        _ => (&heads.unchanged, ResponseBody::default()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let is_in_future = last_modified > now;
    // A browser does not show the source of a document with a feed's type.
    let shows_source = status == StatusCode::OK && document.is_feed() && negotiate::is_opened(fields.sec_fetch_dest);
    if may_prepare && !is_in_future && !shows_source {
        return Reply { response, coding: Some(coding), lines: Some(head.lines.clone()) };
    }
    *response.headers_mut() = head.fields.clone();
    // Later than `now` only after the clock was set back; the header would be invalid then (standards 87).
    if is_in_future {
        response.headers_mut().remove(header::LAST_MODIFIED);
    }
    if shows_source {
        response = with_value(response, header::CONTENT_TYPE, HeaderValue::from_static(SOURCE_TYPE));
    }
    Reply { response, coding: Some(coding), lines: None }
}

/// The ETag with which a variant is served.
fn served_etag<'a>(document: &Document, variant: &'a Variant, policy: &ResponsePolicy) -> Cow<'a, str> {
    if policy.has_replicas {
        Cow::Owned(validators::numbered(&variant.etag, document.last_modified.timestamp()))
    } else {
        Cow::Borrowed(&variant.etag)
    }
}

/// The response to a client that has a newer version from another node: this node has not heard of it yet. Its own dates would replace
/// the newer ones in the client's cache.
fn newer_elsewhere(etag: &str, policy: &ResponsePolicy) -> Response<ResponseBody> {
    let unchanged = with(empty(StatusCode::NOT_MODIFIED), header::ETAG, etag);
    for_other_origins(with_value(unchanged, header::CACHE_CONTROL, policy.cache.clone()))
}

/// The header fields of all responses with a document in one content coding.
fn heads(document: &Document, variant: &Variant, coding: ContentCoding, policy: &ResponsePolicy) -> Heads {
    let cache = match document {
        Document { is_feed_page: true, .. } => &policy.cache_private,
        Document { is_lasting: true, .. } => &policy.cache_lasting,
        _ => &policy.cache,
    };
    let vary = match document {
        document if document.is_feed() || document.is_feed_page => "Accept-Encoding, Sec-Fetch-Dest",
        Document { is_by_type: true, .. } => "Accept-Encoding, Accept",
        _ => "Accept-Encoding",
    };
    let last_modified = httpdate::fmt_http_date(document.last_modified.into());
    let unchanged = with(empty(StatusCode::NOT_MODIFIED), header::LAST_MODIFIED, &last_modified);
    let etag = served_etag(document, variant, policy);
    // A response copies static values without counting references.
    let unchanged = with_value(with(unchanged, header::ETAG, &etag), header::VARY, HeaderValue::from_static(vary));
    let unchanged = for_other_origins(with_value(unchanged, header::CACHE_CONTROL, cache.clone()));
    let unchanged = unchanged.into_parts().0.headers;
    let policy = match document.kind {
        DocumentKind::Page => PAGE_POLICY,
        DocumentKind::Picture(_) => DRAWING_POLICY,
        DocumentKind::Feed(_) | DocumentKind::Other(_) => FEED_POLICY,
    };
    let mut whole = body(StatusCode::OK, document.kind.media_type(), Bytes::new());
    whole.headers_mut().extend(unchanged.clone());
    whole = with_value(whole, header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if let Some(links) = &document.links {
        whole = with(whole, header::LINK, links);
    }
    if coding != ContentCoding::Identity {
        whole = with_value(whole, header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    let head = |fields| ResponseHead { lines: prepared_head::lines(&fields), fields };
    Heads { whole: head(whole.into_parts().0.headers), unchanged: head(unchanged) }
}

/// Makes the response for a media file. Files are never compressed: most are already, and ranges refer to the bytes sent
/// (standards 120, 121).
fn file(
    request: &Parts,
    fields: &RequestFields<'_>,
    source: &Arc<FileSource>,
    policy: &ResponsePolicy,
    now: SystemTime,
) -> Response<ResponseBody> {
    let file = source.opened();
    let (size, last_modified) = (file.size(), file.last_modified(now));
    match conditional::evaluate(fields, &[file.etag()], last_modified, now) {
        Precondition::Proceed => {}
        Precondition::NotModified(_) => return file_validators(empty(StatusCode::NOT_MODIFIED), source, policy, now),
        Precondition::Failed => {
            return message(
                StatusCode::PRECONDITION_FAILED,
                "The file does not meet the preconditions of the request.",
            );
        }
    }
    // A range applies to GET only (RFC 9110 section 14.2).
    let part = match request.method {
        Method::GET => range::part(&request.headers, size, file.etag(), last_modified),
        _ => FilePart::Whole,
    };
    let (status, bytes) = match part {
        FilePart::Whole => (StatusCode::OK, 0..size),
        FilePart::Bytes(bytes) => (StatusCode::PARTIAL_CONTENT, bytes),
        FilePart::Unsatisfiable => {
            let response = message(StatusCode::RANGE_NOT_SATISFIABLE, "The requested range is outside the file.");
            let response = with(response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return for_web_players(with(response, header::CACHE_CONTROL, "no-store"));
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
    file_validators(response, source, policy, now)
}

/// Content-Security-Policy of a file opened on its own. An XML or HTML file could contain scripts.
fn file_policy(media_type: &str) -> &'static str {
    let name = media_type.split(';').next().unwrap_or_default();
    if name.ends_with("xml") || name.ends_with("html") { DRAWING_POLICY } else { FILE_POLICY }
}

/// Adds the header fields that a 200, a 206 and a 304 of a file share (RFC 9110 sections 15.3.7 and 15.4.5).
fn file_validators(
    mut response: Response<ResponseBody>,
    source: &FileSource,
    policy: &ResponsePolicy,
    now: SystemTime,
) -> Response<ResponseBody> {
    let file = source.opened();
    if let Some(last_modified) = file.last_modified(now) {
        response = with(response, header::LAST_MODIFIED, &httpdate::fmt_http_date(last_modified));
    }
    let response = with(response, header::ETAG, file.etag());
    for_web_players(with_value(response, header::CACHE_CONTROL, policy.cache.clone()))
}

/// Lets players on other sites fetch ranges from within a browser (CORS).
fn for_web_players(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let response = with(for_other_origins(response), header::ACCEPT_RANGES, "bytes");
    let exposed = "ETag, Last-Modified, Content-Range, Accept-Ranges";
    with_value(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed))
}

/// Lets feed readers on other sites see the validators from within a browser (CORS).
fn for_other_origins(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let exposed = HeaderValue::from_static("ETag, Last-Modified");
    with_value(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed)
}

/// Makes the response to OPTIONS, which browsers send as a preflight before requests with validators.
fn options() -> Response<ResponseBody> {
    let response = with(empty(StatusCode::NO_CONTENT), header::ALLOW, ALLOW);
    let response = with(response, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
    let allowed = "If-None-Match, If-Modified-Since, Range, If-Range";
    let response = with(response, header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
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
    with_common_fields(with_value(response, header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
}

/// Adds the header fields of all responses: no MIME sniffing, and CORS access for feed readers that run in a browser on other
/// sites, which otherwise could neither follow a redirect nor see a status.
fn with_common_fields(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let response = with_value(response, header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    with_value(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
}

fn empty(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = status;
    with_common_fields(response)
}

/// Closes the connection after the response, since the rest of the request is not read.
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
