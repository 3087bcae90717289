//! Preconditions (RFC 9110 section 13), in the order of section 13.2.2.

use std::time::SystemTime;

use hyper::header::{self, HeaderMap, HeaderName};

/// What the preconditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has it already.
    NotModified,
    /// 412: the client expects something else.
    Failed,
}

/// Evaluates the preconditions of a GET or HEAD for a representation with these validators.
pub fn evaluate(headers: &HeaderMap, etag: &str, last_modified: SystemTime, now: SystemTime) -> Outcome {
    if headers.contains_key(header::IF_MATCH) {
        if !tags(headers, header::IF_MATCH).any(|tag| tag == "*" || tag == etag) {
            return Outcome::Failed;
        }
    } else if date(headers, header::IF_UNMODIFIED_SINCE).is_some_and(|date| last_modified > date) {
        return Outcome::Failed;
    }
    let known = if headers.contains_key(header::IF_NONE_MATCH) {
        tags(headers, header::IF_NONE_MATCH).any(|tag| tag == "*" || core(tag) == core(etag))
    } else {
        // A date after now was invented by the client; what it says cannot be believed.
        date(headers, header::IF_MODIFIED_SINCE).is_some_and(|date| last_modified <= date && date <= now)
    };
    if known { Outcome::NotModified } else { Outcome::Proceed }
}

fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
}

/// The hash in a tag. Proxies weaken tags, compressing ones add their mark, some readers lose the quotes, and each coding
/// of ours has a mark of its own: the same hash is the same document.
fn core(tag: &str) -> &str {
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    ["-gzip", ";gzip", "-gz"].iter().find_map(|mark| tag.strip_suffix(mark)).unwrap_or(tag)
}

/// A date in one of the three forms; one that is said twice or makes no sense counts as not said.
fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}
