//! Looking things up in the catalog while the writer works: what serving may do, and nothing more.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, Row};

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

    /// Looks for an article by the last part of its address, as it was in the version `version`; what is scheduled for
    /// after `due` is not known yet.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn by_slug(&self, slug: &str, version: DateTime<Utc>, due: DateTime<Utc>) -> Result<Lookup> {
        // One statement: what it sees is of one moment.
        let sql = "
            SELECT id, article.slug, published, updated, revised, entry, number, state
            FROM address JOIN article USING (number) JOIN content USING (number) WHERE address.slug = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([slug])?;
        let Some(row) = rows.next()? else { return Ok(Lookup::Unknown) };
        let (published, revised): (i64, i64) = (row.get(2)?, row.get(4)?);
        if revised > version.timestamp() {
            return Ok(Lookup::NotYet);
        }
        let current: String = row.get(1)?;
        match State::of(row.get(7)?)? {
            State::Gone => Ok(Lookup::Gone),
            State::Held => Ok(Lookup::Unknown),
            State::Live if published > due.timestamp() => Ok(Lookup::Unknown),
            State::Live if current != slug => Ok(Lookup::Moved(current)),
            State::Live => Ok(Lookup::Current(Box::new(entry_of(row)?))),
        }
    }
}

/// One article by its number.
pub(super) fn entry(connection: &Connection, number: i64) -> Result<Entry> {
    let sql = "
        SELECT id, slug, published, updated, revised, entry, number
        FROM article JOIN content USING (number) WHERE number = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or_else(|| CatalogError::Damaged(format!("article {number} has no content")))?;
    entry_of(row)
}

/// The article of a row: id, slug, published, updated, revised, entry, number.
fn entry_of(row: &Row<'_>) -> Result<Entry> {
    let (content, number): (String, i64) = (row.get(5)?, row.get(6)?);
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
