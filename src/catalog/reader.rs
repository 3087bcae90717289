//! Looking things up in the catalog while the writer works: what serving may do, and nothing more.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::{CatalogError, FILE, Result, State, bytes, date, identity, path_of};
use crate::article::Article;
use crate::entry::Entry;

/// A read-only connection to the catalog.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

/// What is found at the address of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The article.
    Current(Box<Entry>),
    /// It lives at another slug now.
    Moved(String),
    /// It was deleted.
    Gone,
    /// There never was one, or it is not published yet.
    Unknown,
    /// It changed after `now`: the version that readers may see next has it.
    NotYet,
}

impl Reader {
    /// Opens the catalog in `directory`, which a [`super::Catalog`] has made.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(directory: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(directory.join(FILE), flags)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection })
    }

    /// Looks for an article by the last part of its address, as it was in the version `version`; what is scheduled for
    /// after `due` is not known yet.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn by_slug(&self, slug: &str, version: DateTime<Utc>, due: DateTime<Utc>) -> Result<Lookup> {
        // One statement: what it sees is of one moment.
        let sql = "
            SELECT id, article.slug, published, updated, revised, entry, number, due, guid, state, expires, shown
            FROM address JOIN article USING (number) JOIN content USING (number) WHERE address.slug = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([slug])?;
        let Some(row) = rows.next()? else { return Ok(Lookup::Unknown) };
        let (revised, shown_from): (i64, i64) = (row.get(4)?, row.get(7)?);
        let expires: Option<i64> = row.get(10)?;
        let (current, shown): (String, bool) = (row.get(1)?, row.get(11)?);
        if revised > version.timestamp() {
            return Ok(Lookup::NotYet);
        }
        Ok(match State::of(row.get(9)?)? {
            // Nobody ever saw it: there is nothing to be told of.
            State::Gone if !shown => Lookup::Unknown,
            State::Gone => Lookup::Gone,
            State::Held => Lookup::Unknown,
            State::Live if !shown && shown_from > due.timestamp() => Lookup::Unknown,
            State::Live if expires.is_some_and(|expires| expires <= due.timestamp()) => Lookup::Gone,
            State::Live if current != slug => Lookup::Moved(current),
            State::Live => Lookup::Current(Box::new(entry_of(row)?)),
        })
    }

    /// What is known of the file at a path below the watched folder, deleted or not; the newest of several.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn by_path(&self, path: &Path) -> Result<Option<Record>> {
        let sql = "
            SELECT id, article.slug, published, updated, revised, entry, number, due, guid, state, expires
            FROM article JOIN content USING (number) WHERE path = ?1 ORDER BY state, revised DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([bytes(path)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let expires: Option<i64> = row.get(10)?;
        Ok(Some(Record {
            entry: entry_of(row)?,
            state: State::of(row.get(9)?)?,
            due: date(row.get(7)?)?,
            expires: expires.map(date).transpose()?,
        }))
    }

    /// Another live article with the same bytes or the same id.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn twin(&self, article: &Article, file_hash: [u8; 32]) -> Result<Option<PathBuf>> {
        let namespace: String =
            self.connection.query_row("SELECT value FROM meta WHERE key = 'namespace'", [], |row| row.get(0))?;
        let namespace = namespace.parse().map_err(|_| CatalogError::Damaged("its namespace is no UUID".into()))?;
        let id = identity::chosen_id(&namespace, article);
        let sql = "SELECT path FROM article WHERE state = 0 AND (file_hash = ?1 OR id = ?2) LIMIT 1";
        let path: Option<Vec<u8>> =
            self.connection.query_row(sql, params![file_hash, id], |row| row.get(0)).optional()?;
        Ok(path.map(path_of))
    }

    /// How many articles are newer than `published` and shown at `now`: the place of one in the feed, from 0.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn newer_than(&self, published: DateTime<Utc>, now: DateTime<Utc>) -> Result<usize> {
        let sql = "
            SELECT count(*) FROM article
            WHERE state = 0 AND published > ?1 AND (due <= ?2 OR shown = 1) AND (expires IS NULL OR expires > ?2)";
        let values = [published.timestamp(), now.timestamp()];
        let count: i64 = self.connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

/// An article and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What is or was served.
    pub entry: Entry,
    /// Whether it is published.
    pub state: State,
    /// Not shown before.
    pub due: DateTime<Utc>,
    /// Not shown from then on.
    pub expires: Option<DateTime<Utc>>,
}

/// One article by its number.
pub(super) fn entry(connection: &Connection, number: i64) -> Result<Entry> {
    let sql = "
        SELECT id, slug, published, updated, revised, entry, number, due, guid
        FROM article JOIN content USING (number) WHERE number = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or_else(|| CatalogError::Damaged(format!("article {number} has no content")))?;
    entry_of(row)
}

/// The article of a row: id, slug, published, updated, revised, entry, number, due, guid.
fn entry_of(row: &Row<'_>) -> Result<Entry> {
    let (content, number): (String, i64) = (row.get(5)?, row.get(6)?);
    let (published, updated, revised) = (date(row.get(2)?)?, date(row.get(3)?)?, date(row.get(4)?)?);
    let due = date(row.get(7)?)?;
    Ok(Entry {
        id: row.get(0)?,
        slug: row.get(1)?,
        published,
        updated,
        // A scheduled article is served for the first time when it is due.
        revised: revised.max(due),
        guid: row.get(8)?,
        content: serde_json::from_str(&content)
            .map_err(|error| CatalogError::Damaged(format!("article {number}: {error}")))?,
    })
}
