//! The same article in other languages: files beside each other whose names differ by a language only, such as `storm.md` and `storm.fr.md`.

use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::database::Catalog;
use super::error::Result;
use super::values::{UNREAD, date, path_of};
use crate::article::language;
use crate::catalog::visibility::in_feeds;
use crate::model::moment::{Audience, Version};

/// Maximum number of translations of an article.
const MAX_TRANSLATIONS: usize = 64;
/// Maximum number of files whose names are compared with that of an article.
const MAX_FILES: usize = 1_000;

/// An article that another one's page links to.
pub(super) struct NeighbourRow {
    pub number: i64,
    /// The version in which links to it last changed.
    pub changed: DateTime<Utc>,
    /// When it became visible.
    pub due: DateTime<Utc>,
    pub is_unread: bool,
}

impl NeighbourRow {
    /// When readers could first see the last change of links to it.
    pub fn revised(&self) -> DateTime<Utc> {
        self.changed.max(self.due)
    }
}

/// The name of a file without its extension and its language.
pub(super) fn base(path: &Path) -> Option<&str> {
    let stem = path.file_stem()?.to_str()?;
    Some(language::of_name(stem).map_or(stem, |(rest, _)| rest))
}

/// The paths of the files beside this one that may be its translations, which have a `.` after the same name.
fn beside(path: &Path) -> Option<Range<Vec<u8>>> {
    let start = path.with_file_name(base(path)?);
    let [from, to] = [b'.', b'.' + 1].map(|end| [start.as_os_str().as_bytes(), &[end]].concat());
    Some(from..to)
}

/// The visible translations of the article with this path and number, in the order of their paths.
pub(super) fn translations(
    connection: &Connection,
    path: &Path,
    number: i64,
    due: DateTime<Utc>,
) -> Result<Vec<NeighbourRow>> {
    let Some(range) = beside(path) else { return Ok(Vec::new()) };
    let in_feeds = in_feeds(Audience::Public, "?1");
    let sql = format!(
        "
        SELECT path, number, headline, due, stale FROM article INDEXED BY article_path
        WHERE path > ?2 AND path < ?3 AND state < 2 AND number <> ?4 AND {in_feeds} ORDER BY path LIMIT {MAX_FILES}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![due.timestamp(), range.start, range.end, number])?;
    let mut translations = Vec::new();
    while let Some(row) = rows.next()?.filter(|_| translations.len() < MAX_TRANSLATIONS) {
        if base(&path_of(row.get(0)?)) == base(path) {
            let (changed, due) = (date(row.get(2)?)?, date(row.get(3)?)?);
            let is_unread = row.get::<_, i64>(4)? == UNREAD;
            translations.push(NeighbourRow { number: row.get(1)?, changed, due, is_unread });
        }
    }
    Ok(translations)
}

impl Catalog {
    /// Notes that the translations of an article change in `version`, and its own page with them: it was renamed from this name, or to it.
    /// Returns whether readers see that.
    pub(super) fn mark_translations_of_renamed(&mut self, number: i64, version: Version) -> Result<bool> {
        Ok(self.visible_place(number, version.date())?.is_some() && self.mark_translations(number, version)?)
    }

    /// Notes that the translations of an article change in `version`, and its own page with them. Returns whether there are any.
    pub(super) fn mark_translations(&mut self, number: i64, version: Version) -> Result<bool> {
        let sql = "SELECT path FROM article WHERE number = ?1";
        let path = path_of(self.connection.prepare_cached(sql)?.query_row([number], |row| row.get(0))?);
        let translations = translations(&self.connection, &path, number, version.date())?;
        for translation in &translations {
            self.mark_moved(translation.number, version)?;
        }
        if !translations.is_empty() {
            self.mark_moved(number, version)?;
        }
        Ok(!translations.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_a_language() {
        let is_translation = |one: &str, other: &str| {
            let (one, other) = (Path::new(one), Path::new(other));
            beside(one).unwrap().contains(&other.as_os_str().as_bytes().to_vec()) && base(one) == base(other)
        };
        for (one, other, expected) in [
            ("storm.md", "storm.fr.md", true),
            ("storm.fr.md", "storm.md", true),
            ("storm.fr.md", "storm.pt-br.html", true),
            ("a/index.de.md", "a/index.md", true),
            ("2026-01-01-storm.md", "2026-01-01-storm.zh-hant.md", true),
            ("storm.md", "stormy.fr.md", false),
            ("storm.md", "storm.v2.md", false),
            ("storm.md", "a/storm.fr.md", false),
            ("storm.md", "storm.fr/index.md", false),
            ("v1.2.md", "v1.3.md", false),
        ] {
            assert_eq!(is_translation(one, other), expected, "{one} {other}");
        }
    }
}
