//! What the writer reads: the main feed, the lists of views, totals, and the dates of documents.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::database::Catalog;
use super::error::Result;
use super::values::{self, date};
use super::views::TOMBSTONE_LIFE;
use super::window::{self, Window};
use super::{archive, entries, reader};
use crate::catalog::visibility::{self, ARTICLE};
use crate::model::collection::{FeedLimits, Tombstone, ViewSummary};
use crate::model::entry::Entry;
use crate::model::moment::Version;
use crate::model::taxonomy::ViewKind;

impl Catalog {
    /// Numbers of published and of scheduled articles at `now`, without expired ones. The cost grows only with the number of those.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn totals(&self, now: DateTime<Utc>) -> Result<(u64, u64)> {
        let (expired, unseen) = (visibility::expired("?1"), visibility::expired_unseen("?1"));
        let sql = format!(
            "
            SELECT shown - (SELECT count(*) FROM article WHERE {expired} AND {ARTICLE}),
              scheduled - (SELECT count(*) FROM article WHERE {unseen} AND {ARTICLE}) FROM total"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let pair = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let (published, scheduled) = statement.query_row([now.timestamp()], pair)?;
        Ok((values::count(published)?, values::count(scheduled)?))
    }

    /// The window of the main feed at `now`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn window(&self, limits: &FeedLimits, now: DateTime<Utc>) -> Result<Window> {
        window::read(&self.connection, None, limits, now)
    }

    /// The articles of the main feed with this window, each with its number and revision, newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn feed(&self, window: &Window, limits: &FeedLimits, now: DateTime<Utc>) -> Result<Vec<(i64, i64)>> {
        archive::feed(&self.connection, window, limits, now)
    }

    /// The tombstones of the main feed, the latest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn tombstones(&self) -> Result<Vec<Tombstone>> {
        reader::tombstones(&self.connection, values::WHOLE)
    }

    /// The largest views of a kind, by key.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn views(&self, kind: ViewKind, most: usize) -> Result<Vec<ViewSummary>> {
        reader::views(&self.connection, kind, most)
    }

    /// Whether the main feed is a podcast.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn is_podcast(&self) -> Result<bool> {
        reader::is_podcast(reader::main_counts(&self.connection)?)
    }

    /// The newest change that the main feed has ever contained.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn latest(&self) -> Result<DateTime<Utc>> {
        reader::latest(&self.connection, values::WHOLE)
    }

    /// The entry of an article.
    ///
    /// # Errors
    /// The catalog cannot be read or has no such article.
    pub fn entry(&self, number: i64) -> Result<Entry> {
        entries::entry(&self.connection, number)
    }

    /// When the next article is due or expires, or the next tombstone is removed, after `now`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let (is_due, expires) = (visibility::is_due_after("?1"), visibility::expires_after("?1"));
        let sql = format!(
            "
            SELECT min(at) FROM (
              SELECT min(due) AS at FROM article WHERE {is_due}
              UNION ALL SELECT min(expires) FROM article WHERE {expires}
              UNION ALL SELECT min(at) + ?2 FROM tombstone)"
        );
        let values = [now.timestamp(), TOMBSTONE_LIFE.num_seconds()];
        let seconds: Option<i64> = self.connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?;
        seconds.map(date).transpose()
    }

    /// Number of published and scheduled articles.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn count(&self) -> Result<usize> {
        let count: i64 =
            self.connection.prepare_cached("SELECT shown + scheduled FROM total")?.query_row([], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// When the bytes of a document last changed: in `version`, if they differ from the recorded ones.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn stamp(&mut self, path: &str, hash: &[u8; 32], version: Version) -> Result<DateTime<Utc>> {
        if let Some(modified) = self.stamped(path, hash)? {
            return Ok(modified);
        }
        let sql = "INSERT OR REPLACE INTO document (path, hash, modified) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![path, hash, version.seconds()])?;
        Ok(version.date())
    }

    /// When the bytes of a document last changed, if they are the recorded ones.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn stamped(&self, path: &str, hash: &[u8; 32]) -> Result<Option<DateTime<Utc>>> {
        stamped(&self.connection, path, hash)
    }
}

/// When the bytes of a document last changed, if they are the recorded ones.
pub(super) fn stamped(connection: &Connection, path: &str, hash: &[u8; 32]) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT modified FROM document WHERE path = ?1 AND hash = ?2";
    let modified: Option<i64> =
        connection.prepare_cached(sql)?.query_row(params![path, hash], |row| row.get(0)).optional()?;
    modified.map(date).transpose()
}
