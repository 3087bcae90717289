//! The recorded states of files.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Row, params};

use super::database::Catalog;
use super::error::Result;
use super::values::{self, article_path, below, bytes, state_of};
use crate::folder::Stat;
use crate::model::collection::ArticleState;

/// Key in `meta` of a catalog whose articles lack their content.
pub(super) const INCOMPLETE: &str = "incomplete";

/// The recorded state of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Path below the watched folder.
    pub path: PathBuf,
    /// `stat` at the last reading; zero if the file must be read again.
    pub stat: Stat,
    /// BLAKE3 of its bytes.
    pub file_hash: [u8; 32],
    /// The publication state of its article.
    pub state: ArticleState,
    /// It must be read again, even if its bytes have not changed.
    pub stale: bool,
    /// Only its head has been read.
    pub unread: bool,
}

impl Catalog {
    /// The recorded state of the file at a path, unless it was deleted.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn known(&self, path: &Path) -> Result<Option<Known>> {
        let sql = "SELECT path, size, mtime, ctime, inode, born, file_hash, state, stale FROM article WHERE path = ?1 AND state < 2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row([bytes(path)], |row| Ok(known(row))).optional()?;
        row.transpose()
    }

    /// Paths of the article at `path` and of all articles below it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn known_at_or_below(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let (low, high) = below(path);
        let sql = "
            SELECT path FROM article WHERE state < 2 AND path = ?1
            UNION ALL SELECT path FROM article WHERE state < 2 AND path > ?2 AND path < ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![bytes(path), low, high], |row| row.get(0))?;
        rows.map(|row| article_path(row?)).collect()
    }

    /// Passes the recorded state of all files that were not deleted to `walk`, in the byte order of their paths.
    ///
    /// # Errors
    /// The error of `walk`, or the catalog cannot be read.
    pub fn with_known<T>(&self, walk: impl FnOnce(&mut dyn Iterator<Item = Result<Known>>) -> Result<T>) -> Result<T> {
        let sql = "
            SELECT path, size, mtime, ctime, inode, born, file_hash, state, stale FROM article INDEXED BY article_path
            WHERE state < 2 ORDER BY path";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query_map([], |row| Ok(known(row)))?.map(|row| row?);
        walk(&mut rows)
    }

    /// Marks all files to be read again and sets a key in `meta`, in one transaction. An article whose bytes are still the same does not
    /// count as updated, even if its content differs now.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn read_all_again(&mut self, key: &str, value: &str) -> Result<()> {
        self.transaction(|catalog| {
            // A text that is unread or lost stays so: no response may show the article without it.
            let sql = "UPDATE article SET stale = ?1 WHERE state < 2 AND stale NOT IN (?2, ?3)";
            catalog.connection.execute(sql, [values::READ_DIFFERENTLY, values::UNREAD, values::LOST])?;
            catalog.set_meta(key, value)
        })
    }

    /// Whether articles lack their content, as after a recovery: no version may be served before all files have been read.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn is_incomplete(&self) -> Result<bool> {
        Ok(self.meta(INCOMPLETE)?.is_some())
    }

    /// Records that articles may lack their content, or be missing, until all files have been read.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn mark_incomplete(&mut self) -> Result<()> {
        self.set_meta(INCOMPLETE, "1")
    }

    /// Records that all files have been read.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn mark_complete(&mut self) -> Result<()> {
        if self.is_incomplete()? {
            self.connection.execute("DELETE FROM meta WHERE key = ?1", [INCOMPLETE])?;
        }
        Ok(())
    }
}

pub(super) fn known(row: &Row<'_>) -> Result<Known> {
    let stale: i64 = row.get(8)?;
    Ok(Known {
        path: article_path(row.get(0)?)?,
        stat: Stat { size: row.get(1)?, mtime: row.get(2)?, ctime: row.get(3)?, inode: row.get(4)?, born: row.get(5)? },
        file_hash: row.get(6)?,
        state: state_of(row.get(7)?)?,
        // Any other value is wrong; reading the file again replaces it.
        stale: !matches!(stale, 0 | values::UNREAD),
        unread: stale == values::UNREAD,
    })
}
