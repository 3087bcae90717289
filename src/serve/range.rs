//! Ranges of a file by `Range` and `If-Range` (RFC 9110 sections 14.1.2, 14.2 and 13.1.5). Pure.

use std::ops::Range;
use std::time::SystemTime;

use hyper::header::{self, HeaderMap};

use super::conditional;

/// The part of a file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilePart {
    /// 200: the whole file.
    Whole,
    /// 206: these bytes, at least one.
    Bytes(Range<u64>),
    /// 416: the range lies outside the file.
    Unsatisfiable,
}

/// Evaluates `Range` for a GET of a file of `size` bytes whose preconditions hold (standards 99). `etag` is strong;
/// `last_modified` is given only if it is strong as well.
pub fn part(headers: &HeaderMap, size: u64, etag: &str, last_modified: Option<SystemTime>) -> FilePart {
    let mut values = headers.get_all(header::RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return FilePart::Whole };
    match value.to_str().ok().and_then(parse) {
        Some(requested) if is_same_file(headers, etag, last_modified) => requested.within(size),
        _ => FilePart::Whole,
    }
}

/// Whether the client's earlier part belongs to this version of the file; otherwise it needs the whole (standards 119).
fn is_same_file(headers: &HeaderMap, etag: &str, last_modified: Option<SystemTime>) -> bool {
    let mut values = headers.get_all(header::IF_RANGE).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return true,
        (Some(value), None) => value,
        (Some(_), Some(_)) => return false,
    };
    // Strong comparison: a weak tag matches nothing, and dates have to be equal.
    value == etag || (last_modified.is_some() && conditional::date(Some(value)) == last_modified)
}

/// A requested range, independent of the size of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestedRange {
    /// From the first to the last position, inclusive.
    From(u64, u64),
    /// This many bytes at the end.
    Last(u64),
}

impl RequestedRange {
    fn within(self, size: u64) -> FilePart {
        match self {
            Self::From(first, _) if first >= size => FilePart::Unsatisfiable,
            Self::From(first, last) => FilePart::Bytes(first..last.saturating_add(1).min(size)),
            Self::Last(0) => FilePart::Unsatisfiable,
            // Satisfied by zero bytes, which a 206 cannot express.
            Self::Last(_) if size == 0 => FilePart::Whole,
            Self::Last(count) => FilePart::Bytes(size.saturating_sub(count)..size),
        }
    }
}

/// Reads a single range. Returns `None` for anything else, which is ignored: another unit, a syntax error, or several ranges,
/// whose response would be larger than the file and which no player requests (RFC 9110 sections 14.2 and 17.15).
fn parse(value: &str) -> Option<RequestedRange> {
    let (unit, ranges) = value.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    // A list may have empty elements (RFC 9110 section 5.6.1.2).
    let mut ranges = ranges.split(',').map(|range| range.trim_matches([' ', '\t'])).filter(|range| !range.is_empty());
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return None };
    match range.split_once('-')? {
        ("", count) => Some(RequestedRange::Last(position(count)?)),
        (first, "") => Some(RequestedRange::From(position(first)?, u64::MAX)),
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            (first <= last).then_some(RequestedRange::From(first, last))
        }
    }
}

/// Reads a number of any length. One beyond `u64` is past the end of any file.
fn position(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn ask(size: u64, fields: &[(&'static str, &str)]) -> FilePart {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        part(&headers, size, "\"tag\"", Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)))
    }

    #[test]
    fn single_ranges() {
        for (value, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-9", 0..10),
            ("bytes=0-99", 0..100),
            ("bytes=0-", 0..100),
            ("bytes=99-", 99..100),
            ("bytes=99-99", 99..100),
            ("bytes=90-100", 90..100),
            ("bytes=90-99999999999999999999999999", 90..100),
            ("bytes=90-18446744073709551615", 90..100),
            ("bytes=-1", 99..100),
            ("bytes=-100", 0..100),
            ("bytes=-101", 0..100),
            ("bytes=-99999999999999999999999999", 0..100),
            ("bytes=007-0008", 7..9),
            ("Bytes=1-2", 1..3),
            ("bytes= 1-2 ", 1..3),
            ("bytes=,1-2,", 1..3),
            ("bytes=\t1-2", 1..3),
        ] {
            assert_eq!(ask(100, &[("range", value)]), FilePart::Bytes(expected), "{value}: standards 117");
        }
    }

    #[test]
    fn unsatisfiable_ranges() {
        for value in [
            "bytes=100-",
            "bytes=100-100",
            "bytes=100-200",
            "bytes=-0",
            "bytes=18446744073709551615-",
            "bytes=99999999999999999999-99999999999999999999",
        ] {
            assert_eq!(ask(100, &[("range", value)]), FilePart::Unsatisfiable, "{value}: standards 118");
        }
    }

    #[test]
    fn ignored_ranges() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=--1",
            "bytes=1",
            "bytes=2-1",
            "bytes=1-2-3",
            "bytes=a-b",
            "bytes=1-b",
            "bytes=+1-2",
            "bytes=1 - 2",
            "bytes=0x1-2",
            "bytes=1.0-2",
            "bytes =1-2",
            "bytes:1-2",
            "items=1-2",
            "seconds=1-2",
            "none",
            "1-2",
        ] {
            assert_eq!(ask(100, &[("range", value)]), FilePart::Whole, "{value:?}: standards 118");
        }
        for value in ["bytes=0-0,2-2", "bytes=0-,0-,0-", "bytes=0-0, -1", "bytes=0-0,200-", "bytes=200-,300-"] {
            assert_eq!(ask(100, &[("range", value)]), FilePart::Whole, "{value}: standards 120");
        }
        assert_eq!(ask(100, &[("range", "bytes=1-2"), ("range", "bytes=1-2")]), FilePart::Whole);
        assert_eq!(ask(100, &[("range", "bytes=1-\u{e9}")]), FilePart::Whole);
        assert_eq!(ask(100, &[]), FilePart::Whole);
    }

    #[test]
    fn empty_and_very_large_files() {
        assert_eq!(ask(0, &[("range", "bytes=0-")]), FilePart::Unsatisfiable);
        assert_eq!(ask(0, &[("range", "bytes=0-0")]), FilePart::Unsatisfiable);
        assert_eq!(ask(0, &[("range", "bytes=-0")]), FilePart::Unsatisfiable);
        assert_eq!(ask(0, &[("range", "bytes=-5")]), FilePart::Whole);
        assert_eq!(ask(1, &[("range", "bytes=0-0")]), FilePart::Bytes(0..1));
        let large = 5 << 30;
        assert_eq!(ask(large, &[("range", "bytes=-10")]), FilePart::Bytes(large - 10..large));
        assert_eq!(ask(large, &[("range", "bytes=4294967296-")]), FilePart::Bytes(1 << 32..large));
        assert_eq!(ask(u64::MAX, &[("range", "bytes=1-18446744073709551615")]), FilePart::Bytes(1..u64::MAX));
    }

    #[test]
    fn ranges_of_the_same_file_only() {
        let since = |value: &str| ask(100, &[("range", "bytes=1-2"), ("if-range", value)]);
        for same in
            ["\"tag\"", "Tue, 14 Nov 2023 22:13:20 GMT", "Tuesday, 14-Nov-23 22:13:20 GMT", "Tue Nov 14 22:13:20 2023"]
        {
            assert_eq!(since(same), FilePart::Bytes(1..3), "{same}: standards 119");
        }
        for other in [
            "",
            "tag",
            "W/\"tag\"",
            "\"other\"",
            "\"tag\", \"other\"",
            "*",
            "Tue, 14 Nov 2023 22:13:19 GMT",
            "Tue, 14 Nov 2023 22:13:21 GMT",
            "yesterday",
        ] {
            assert_eq!(since(other), FilePart::Whole, "{other:?}: standards 119");
        }
        let twice = [("range", "bytes=1-2"), ("if-range", "\"tag\""), ("if-range", "\"tag\"")];
        assert_eq!(ask(100, &twice), FilePart::Whole);
        assert_eq!(ask(100, &[("if-range", "\"tag\"")]), FilePart::Whole, "If-Range without Range");
        let out = [("range", "bytes=200-"), ("if-range", "\"other\"")];
        assert_eq!(ask(100, &out), FilePart::Whole, "never 416 for another version");
        let mut headers = HeaderMap::new();
        headers.insert("range", "bytes=1-2".parse().unwrap());
        headers.insert("if-range", "yesterday".parse().unwrap());
        assert_eq!(part(&headers, 100, "\"tag\"", None), FilePart::Whole, "a date matches only a known date");
    }
}
