//! Preconditions (RFC 9110 section 13), in the order of section 13.2.2.

use std::time::SystemTime;

use hyper::header::{self, HeaderMap, HeaderName};

/// The result of evaluating preconditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Respond as without preconditions.
    Proceed,
    /// 304: the client has the variant with this index.
    NotModified(usize),
    /// 412: a precondition failed.
    Failed,
}

/// Evaluates the preconditions of a GET or HEAD. `etags` are those of all variants that the client accepts, best first: the
/// server chooses among them, and a variant that the client already has is the best choice. Without `last_modified`, dates in
/// the request are ignored (RFC 9110 sections 13.1.3 and 13.1.4).
pub fn evaluate(
    headers: &HeaderMap,
    etags: &[&str],
    last_modified: Option<SystemTime>,
    now: SystemTime,
) -> Precondition {
    if headers.contains_key(header::IF_MATCH) {
        let expected = || tags(headers, header::IF_MATCH).any(|tag| etags.contains(&tag));
        if !is_any(headers, header::IF_MATCH) && !expected() {
            return Precondition::Failed;
        }
    } else if date(headers, header::IF_UNMODIFIED_SINCE).is_some_and(|date| last_modified > Some(date)) {
        return Precondition::Failed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        let any = is_any(headers, header::IF_NONE_MATCH);
        let matches = |etag: &&str| any || tags(headers, header::IF_NONE_MATCH).any(|tag| is_same(tag, etag));
        return etags.iter().position(matches).map_or(Precondition::Proceed, Precondition::NotModified);
    }
    // A date in the future was invented by the client and is ignored.
    let is_met = |date: &SystemTime| last_modified.is_some_and(|modified| modified <= *date) && *date <= now;
    let since = date(headers, header::IF_MODIFIED_SINCE).filter(is_met);
    since.map_or(Precondition::Proceed, |_| Precondition::NotModified(0))
}

/// Whether the field is `*`, which matches any representation. In a list or in quotes it has no meaning.
fn is_any(headers: &HeaderMap, name: HeaderName) -> bool {
    let mut values = headers.get_all(name).iter();
    values.next().is_some_and(|value| value == "*") && values.next().is_none()
}

/// The ETags in a field.
pub fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
}

/// Suffixes that compressing servers add to a tag: Apache, lighttpd, Caddy, old versions of Apache, Jetty.
const SUFFIXES: [&str; 6] = ["-gzip", "-br", "-zstd", "-deflate", ";gzip", "--gzip"];

/// Compares weakly (RFC 9110 section 8.8.3.2) and tolerates changes in transit: proxies weaken tags, compressing ones add a suffix
/// within the quotes or after them, and some readers drop the quotes (standards 94).
fn is_same(tag: &str, etag: &str) -> bool {
    if tag == etag {
        return true;
    }
    let bare = |tag: &str| tag.replace('"', "");
    let (tag, etag) = (bare(tag.strip_prefix("W/").unwrap_or(tag)), bare(etag));
    tag.strip_prefix(&etag).is_some_and(|suffix| suffix.is_empty() || SUFFIXES.contains(&suffix))
}

/// Reads a date in one of the three forms of HTTP. A repeated or malformed field counts as absent.
pub fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}
