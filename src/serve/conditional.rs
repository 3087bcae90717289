//! Preconditions (RFC 9110 section 13), in the order of section 13.2.2.

use std::time::SystemTime;

use hyper::header::{self, HeaderMap, HeaderName};

/// What the preconditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has this one of the variants already.
    NotModified(usize),
    /// 412: the client expects something else.
    Failed,
}

/// Evaluates the preconditions of a GET or HEAD. `etags` are those of all variants that the client accepts, best first:
/// which of them is sent is ours to choose, and one that the client has already is the best choice of all. Without a
/// `last_modified` no date counts (RFC 9110 sections 13.1.3 and 13.1.4).
pub fn evaluate(headers: &HeaderMap, etags: &[&str], last_modified: Option<SystemTime>, now: SystemTime) -> Outcome {
    if headers.contains_key(header::IF_MATCH) {
        let expected = || tags(headers, header::IF_MATCH).any(|tag| etags.contains(&tag));
        if !is_any(headers, header::IF_MATCH) && !expected() {
            return Outcome::Failed;
        }
    } else if date(headers, header::IF_UNMODIFIED_SINCE).is_some_and(|date| last_modified > Some(date)) {
        return Outcome::Failed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) {
        let any = is_any(headers, header::IF_NONE_MATCH);
        let known = |etag: &&str| any || tags(headers, header::IF_NONE_MATCH).any(|tag| is_same(tag, etag));
        return etags.iter().position(known).map_or(Outcome::Proceed, Outcome::NotModified);
    }
    // A date after now was invented by the client; what it says cannot be believed.
    let is_met = |date: &SystemTime| last_modified.is_some_and(|modified| modified <= *date) && *date <= now;
    let since = date(headers, header::IF_MODIFIED_SINCE).filter(is_met);
    since.map_or(Outcome::Proceed, |_| Outcome::NotModified(0))
}

/// Whether the field is the star, which stands for whatever there is. In a list, or within quotes, it stands for nothing.
fn is_any(headers: &HeaderMap, name: HeaderName) -> bool {
    let mut values = headers.get_all(name).iter();
    values.next().is_some_and(|value| value == "*") && values.next().is_none()
}

fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
}

/// What servers that compress an answer on its way put behind its tag: Apache, lighttpd and Caddy; Apache once; Jetty.
const MARKS: [&str; 6] = ["-gzip", "-br", "-zstd", "-deflate", ";gzip", "--gzip"];

/// Weak comparison, forgiving what happens to tags on their way: proxies weaken them, compressing ones add their mark
/// within the quotes or behind them, and some readers lose the quotes (standards 94).
fn is_same(tag: &str, etag: &str) -> bool {
    if tag == etag {
        return true;
    }
    let bare = |tag: &str| tag.replace('"', "");
    let (tag, etag) = (bare(tag.strip_prefix("W/").unwrap_or(tag)), bare(etag));
    tag.strip_prefix(&etag).is_some_and(|mark| mark.is_empty() || MARKS.contains(&mark))
}

/// A date in one of the three forms; one that is said twice or makes no sense counts as not said.
pub fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}
