//! Looking things up in the catalog while the writer works: what serving may do, and nothing more.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{CatalogError, FILE, Result, State, date};
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

    /// Looks for an article by the last part of its address, as it was at `now`: the moment of a snapshot. Articles that
    /// are due later are not known yet.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn by_slug(&self, slug: &str, now: DateTime<Utc>) -> Result<Lookup> {
        let sql = "
            SELECT number, article.slug, state, published, revised
            FROM address JOIN article USING (number) WHERE address.slug = ?1";
        let row: Option<(i64, String, i64, i64, i64)> = self
            .connection
            .prepare_cached(sql)?
            .query_row([slug], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .optional()?;
        let Some((number, current, state, published, revised)) = row else { return Ok(Lookup::Unknown) };
        if revised > now.timestamp() {
            return Ok(Lookup::NotYet);
        }
        match State::of(state)? {
            State::Gone => Ok(Lookup::Gone),
            State::Held => Ok(Lookup::Unknown),
            State::Live if published > now.timestamp() => Ok(Lookup::Unknown),
            State::Live if current != slug => Ok(Lookup::Moved(current)),
            State::Live => Ok(Lookup::Current(Box::new(entry(&self.connection, number)?))),
        }
    }
}

/// One article by its number.
pub(super) fn entry(connection: &Connection, number: i64) -> Result<Entry> {
    let sql = "SELECT id, slug, published, updated, revised, entry FROM article JOIN content USING (number) WHERE number = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![number])?;
    let row = rows.next()?.ok_or_else(|| CatalogError::Damaged(format!("article {number} has no content")))?;
    let content: String = row.get(5)?;
    let (published, updated, revised) = (date(row.get(2)?)?, date(row.get(3)?)?, date(row.get(4)?)?);
    Ok(Entry {
        id: row.get(0)?,
        slug: row.get(1)?,
        published,
        updated,
        // A scheduled article is served for the first time when it is due.
        revised: revised.max(published),
        content: serde_json::from_str(&content)
            .map_err(|error| CatalogError::Damaged(format!("article {number}: {error}")))?,
    })
}
