//! Checked conversion of values in rows. A value that the writer never writes is damage.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::Row;

use super::checksum;
use super::error::{CatalogError, Result};
use crate::model::collection::ArticleState;
use crate::model::entry::Content;
use crate::model::text::xml_legal;

/// The Unix seconds that feeds can express: years of four digits (RFC 3339 section 1).
const SECONDS: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_300_799;

/// The latest date of a version, in the year 9000: the years of later versions have four digits as well.
const LAST_VERSION: i64 = 221_845_392_000;

/// The view that contains all articles.
pub(super) const WHOLE: i64 = 1;

/// Prefix of the key in `meta` for the last change of the list of a kind of views; the number of the kind follows.
pub(super) const LISTED: &str = "views ";

/// Prefix of the key in `meta` for the last change of the numbers of articles in the views of a kind.
pub(super) const COUNTED: &str = "counts ";

/// Key in `meta` for the last change of a description of a folder, whose title pages of articles show.
pub(super) const DESCRIBED: &str = "described";

/// Maximum size of an entry, in bytes.
const MAX_WEIGHT: i64 = 1 << 36;

/// Maximum number of articles.
const MAX_COUNT: u64 = 1 << 36;

/// Value of `article.stale` for an article that was last read by another version of the program, or by other rules.
pub(super) const READ_DIFFERENTLY: i64 = 2;
/// Value of `article.stale` for an article of which only the head has been read.
pub(super) const UNREAD: i64 = 3;
/// Value of `article.stale` for a published article whose content is lost: it is withdrawn until its file has been read.
pub(super) const LOST: i64 = 4;

pub(super) fn damaged<T>(what: impl Into<String>) -> Result<T> {
    Err(CatalogError::Damaged(what.into()))
}

pub(super) fn date(seconds: i64) -> Result<DateTime<Utc>> {
    let date = DateTime::from_timestamp(seconds, 0).filter(|_| SECONDS.contains(&seconds));
    date.ok_or_else(|| CatalogError::Damaged(format!("{seconds} is no date")))
}

/// Whether feeds can express a date.
pub(super) fn is_date(date: DateTime<Utc>) -> bool {
    SECONDS.contains(&date.timestamp())
}

/// A date from the clock, as text: of a version, or of the catalog itself.
pub(super) fn clock_date(text: &str) -> Result<DateTime<Utc>> {
    let seconds = text.parse().ok().filter(|seconds| (0..=LAST_VERSION).contains(seconds));
    match seconds {
        Some(seconds) => date(seconds),
        None => damaged(format!("`{text}` is no date")),
    }
}

/// The value of a column with 0 or 1.
pub(super) fn flag(row: &Row<'_>, column: usize) -> Result<bool> {
    match row.get(column)? {
        0 => Ok(false),
        1 => Ok(true),
        other => damaged(format!("{other} is neither 0 nor 1")),
    }
}

/// The size of an entry in a feed, in bytes.
pub(super) fn weight(bytes: i64) -> Result<i64> {
    if (0..=MAX_WEIGHT).contains(&bytes) { Ok(bytes) } else { damaged(format!("an entry of {bytes} bytes")) }
}

/// A number of articles.
pub(super) fn count(number: i64) -> Result<u64> {
    let count = u64::try_from(number).ok().filter(|count| *count <= MAX_COUNT);
    count.ok_or_else(|| CatalogError::Damaged(format!("a count of {number}")))
}

/// Path of an article below the watched folder.
pub(super) fn article_path(bytes: Vec<u8>) -> Result<PathBuf> {
    let is_step = |step: &[u8]| !matches!(step, b"" | b"." | b"..");
    if bytes.contains(&0) || !bytes.split(|byte| *byte == b'/').all(is_step) {
        return damaged(format!("`{}` is no path of an article", String::from_utf8_lossy(&bytes).escape_default()));
    }
    Ok(path_of(bytes))
}

/// The id of an article in RSS and JSON Feed, if it is no IRI.
pub(super) fn guid(text: Option<String>) -> Result<Option<String>> {
    let is_one = text.as_deref().is_none_or(|text| xml_legal(text) == text);
    if is_one { Ok(text) } else { damaged("a guid with characters that no feed can hold") }
}

/// The state that a number in the catalog stands for.
pub(super) fn state_of(number: i64) -> Result<ArticleState> {
    ArticleState::from_number(number).ok_or_else(|| CatalogError::Damaged(format!("an article has state {number}")))
}

/// The recorded content of an article.
pub(super) fn content_of(number: i64, text: &str) -> Result<Content> {
    checksum::check(number, text)?;
    serde_json::from_str(text).map_err(|error| CatalogError::Damaged(format!("article {number}: {error}")))
}

/// The exclusive bounds of all paths below a folder: `0` follows `/` in ASCII.
pub(super) fn below(path: &Path) -> (Vec<u8>, Vec<u8>) {
    ([bytes(path), b"/"].concat(), [bytes(path), b"0"].concat())
}

pub(super) fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_four_digits_for_their_year() {
        for (seconds, is_one) in [
            (0, true),
            (-1, true),
            (253_402_300_799, true),
            (253_402_300_800, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(date(seconds).is_ok(), is_one, "{seconds}");
        }
        assert!(clock_date("1700000000").is_ok());
        for text in ["", "x", "-1", "253402300799", "99999999999999999999"] {
            assert!(clock_date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_lie_below_the_folder() {
        for path in ["a.md", "a/b.md", "a b/ä.md", "..a", "a..b/c"] {
            assert!(article_path(path.into()).is_ok(), "{path}");
        }
        assert!(article_path(vec![0xFF]).is_ok(), "names are bytes");
        for path in ["", "/", "/etc/passwd", "a//b", "../a", "a/..", "./a", "a/", "a\0b"] {
            assert!(article_path(path.into()).is_err(), "{path:?}");
        }
    }
}
