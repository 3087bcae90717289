//! Pinned articles, which stand at the top of the pages that list them.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::database::Catalog;
use super::entries;
use super::error::Result;
use super::values::UNREAD;
use crate::catalog::visibility::in_feeds;
use crate::model::entry::Entry;
use crate::model::moment::Audience;

/// Maximum number of pinned articles on a page.
const MAX_PINNED: i64 = 5;

impl Catalog {
    /// The pinned articles of the site whose texts have been read, the most important first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn pinned(&self, due: DateTime<Utc>) -> Result<Vec<Entry>> {
        let read = numbers(&self.connection, None, due)?.into_iter().filter(|(_, is_unread)| !is_unread);
        read.map(|(number, _)| entries::entry(&self.connection, number)).collect()
    }
}

/// The pinned articles of a view, or of the site, each with whether its text must be read first.
pub(super) fn numbers(connection: &Connection, view: Option<i64>, due: DateTime<Utc>) -> Result<Vec<(i64, bool)>> {
    let visible = in_feeds(Audience::Public, "?1");
    let sql = format!(
        "
        SELECT number, stale = {UNREAD} FROM article WHERE pinned > 0 AND {visible} AND (?2 IS NULL
          OR EXISTS (SELECT 1 FROM member WHERE member.number = article.number AND view = ?2))
        ORDER BY pinned DESC, published DESC, rank DESC, number DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![due.timestamp(), view, MAX_PINNED], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
