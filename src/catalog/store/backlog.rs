//! The backlog: articles of which only the heads have been read.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, params};

use super::database::Catalog;
use super::error::Result;
use super::values::UNREAD;
use super::values::{bytes, path_of};
use crate::catalog::identity::{Arrival, Extent, Identity};
use crate::catalog::visibility::{EXPIRING, PUBLISHED};
use crate::model::taxonomy::{self, Term};

impl Catalog {
    /// Numbers of unread articles after `last`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn unread_after(&self, last: i64, most: usize) -> Result<Vec<i64>> {
        let sql = "SELECT number FROM article WHERE stale = 3 AND number > ?1 ORDER BY number LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement.query_map([last, most], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The unread ones of these articles.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn unread_among(&self, numbers: impl Iterator<Item = i64>) -> Result<Vec<i64>> {
        let mut unread = Vec::new();
        for number in numbers {
            if is_unread(&self.connection, number)? {
                unread.push(number);
            }
        }
        Ok(unread)
    }

    /// Path of an unread article; `None` if it has been read or was deleted.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn unread_path(&self, number: i64) -> Result<Option<PathBuf>> {
        let sql = "SELECT path FROM article WHERE number = ?1 AND stale = 3 AND state < 2";
        let path: Option<Vec<u8>> =
            self.connection.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?;
        Ok(path.map(path_of))
    }

    /// Whether an arrival only adds the text of an unread article.
    pub(super) fn catches_up(&self, number: i64, identity: &Identity, arrival: &Arrival<'_>) -> Result<bool> {
        if arrival.extent != Extent::Whole {
            return Ok(false);
        }
        let sql = "
            SELECT id = ?3 AND slug = ?4 AND published = ?5 AND updated = ?6 AND state = 0 AND guid IS ?7
            FROM article WHERE number = ?1 AND stale = 3 AND file_hash = ?2";
        let values = params![
            number,
            arrival.file_hash,
            identity.id,
            identity.slug,
            identity.published.timestamp(),
            identity.updated.timestamp(),
            identity.guid
        ];
        Ok(self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// The views of an unread article, computed from its head; `None` if the table may have others.
    pub(super) fn terms_of_head(&self, number: i64, arrival: &Arrival<'_>) -> Result<Option<Vec<Term>>> {
        let sql = format!(
            "
            SELECT entry FROM article JOIN content USING (number)
            WHERE number = ?1 AND path = ?2 AND stale = 3 AND {PUBLISHED} AND NOT {EXPIRING}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let head: Option<String> =
            statement.query_row(params![number, bytes(arrival.path)], |row| row.get(0)).optional()?;
        let Some(head) = head else { return Ok(None) };
        let head = super::values::content_of(number, &head)?;
        Ok(Some(taxonomy::terms(
            arrival.path,
            &head.tags,
            &head.authors,
            head.series.as_ref(),
            head.language.as_deref(),
        )))
    }
}

/// Whether the text of an article has not been read.
pub(super) fn is_unread(connection: &Connection, number: i64) -> Result<bool> {
    let sql = "SELECT stale = ?2 FROM article WHERE number = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([number, UNREAD], |row| row.get(0)).optional()?.unwrap_or(false))
}
