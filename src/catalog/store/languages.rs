//! The languages of the articles of a folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rusqlite::params;

use super::database::Catalog;
use super::error::Result;
use super::values::{below, path_of};
use crate::article::language;
use crate::catalog::visibility::ARTICLE;

/// Maximum number of articles below a folder that are looked at, in the order of their paths.
const MAX_SIBLINGS: i64 = 100;

impl Catalog {
    /// The languages of the articles directly in a folder, but for the one at `path`. None during a bulk import, in which few of them
    /// are recorded.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn languages_in(&self, folder: &Path, path: &Path) -> Result<Vec<String>> {
        if self.is_bulk_importing() {
            return Ok(Vec::new());
        }
        let (low, high) = if folder.as_os_str().is_empty() { (Vec::new(), vec![u8::MAX; 8]) } else { below(folder) };
        let sql = format!(
            "
            SELECT path, json_extract(entry, '$.language') FROM article JOIN content USING (number)
            WHERE state < 2 AND {ARTICLE} AND path > ?1 AND path < ?2 ORDER BY path LIMIT {MAX_SIBLINGS}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![low, high], |row| Ok((path_of(row.get(0)?), row.get(1)?)))?;
        let mut languages = Vec::new();
        for row in rows {
            let (other, tag): (PathBuf, Option<String>) = row?;
            // `storm.fr.md` says that the others are in another language.
            let states_own =
                |other: &Path| other.file_stem().and_then(OsStr::to_str).and_then(language::of_name).is_some();
            let counts = other.parent() == Some(folder) && other != path && !states_own(&other);
            languages.extend(tag.filter(|_| counts));
        }
        Ok(languages)
    }
}
