//! Preconditions (RFC 9110 section 13), in the order of section 13.2.2.

use std::time::SystemTime;

use hyper::header::HeaderValue;

use super::fields::{self, FieldValues, RequestFields};

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
    fields: &RequestFields<'_>,
    etags: &[&str],
    last_modified: Option<SystemTime>,
    now: SystemTime,
) -> Precondition {
    if !fields.if_match.is_empty() {
        let expected = || tags(fields.if_match).any(|tag| etags.contains(&tag));
        if !is_any(fields.if_match) && !expected() {
            return Precondition::Failed;
        }
    } else if date(fields.if_unmodified_since.only()).is_some_and(|date| last_modified > Some(date)) {
        return Precondition::Failed;
    }
    if !fields.if_none_match.is_empty() {
        // Most clients have a single version, the last.
        let is_best = fields.if_none_match.only().zip(etags.first()).is_some_and(|(tag, etag)| tag == etag);
        if is_best {
            return Precondition::NotModified(0);
        }
        let any = is_any(fields.if_none_match);
        let matches = |etag: &&str| any || tags(fields.if_none_match).any(|tag| is_same(tag, etag));
        return etags.iter().position(matches).map_or(Precondition::Proceed, Precondition::NotModified);
    }
    // A date in the future was invented by the client and is ignored.
    let is_met = |date: &SystemTime| last_modified.is_some_and(|modified| modified <= *date) && *date <= now;
    let since = date(fields.if_modified_since.only()).filter(is_met);
    since.map_or(Precondition::Proceed, |_| Precondition::NotModified(0))
}

/// Whether the field is `*`, which matches any representation. In a list or in quotes it has no meaning.
fn is_any(values: FieldValues<'_>) -> bool {
    values.only().is_some_and(|value| value == "*")
}

/// The ETags in a field.
pub fn tags(values: FieldValues<'_>) -> impl Iterator<Item = &str> {
    values.texts().flat_map(|value| fields::split(value, b',')).map(str::trim_ascii).filter(|tag| !tag.is_empty())
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

/// Reads a date in one of the three forms of HTTP. `value` is that of a field that occurs once; a malformed one counts as absent.
pub fn date(value: Option<&HeaderValue>) -> Option<SystemTime> {
    httpdate::parse_http_date(value?.to_str().ok()?).ok()
}
