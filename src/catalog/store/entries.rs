//! The entry of an article from its row and its content.

use std::borrow::Cow;

use rusqlite::{Connection, Row};

use super::checksum::{self, Identifiers};
use super::error::{CatalogError, Result};
use super::values::{self, date};
use crate::model::entry::Entry;

/// The entry of an article.
pub(super) fn entry(connection: &Connection, number: i64) -> Result<Entry> {
    let sql = "
        SELECT id, slug, published, updated, revised, entry, number, due, guid
        FROM article JOIN content USING (number) WHERE number = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or_else(|| CatalogError::Damaged(format!("article {number} has no content")))?;
    entry_of(row)
}

/// The entry of a row with the columns id, slug, published, updated, revised, entry, number, due, guid.
pub(super) fn entry_of(row: &Row<'_>) -> Result<Entry> {
    let (content, number): (String, i64) = (row.get(5)?, row.get(6)?);
    let (published, updated, revised) = (date(row.get(2)?)?, date(row.get(3)?)?, date(row.get(4)?)?);
    let due = date(row.get(7)?)?;
    let entry = Entry {
        id: row.get(0)?,
        slug: row.get(1)?,
        published,
        updated,
        // A scheduled article is served for the first time when it is due.
        revised: revised.max(due),
        guid: values::guid(row.get(8)?)?,
        content: values::content_of(number, &content)?,
    };
    let identifiers = Identifiers {
        number,
        id: Cow::Borrowed(&entry.id),
        slug: Cow::Borrowed(&entry.slug),
        published: published.timestamp(),
        updated: updated.timestamp(),
        guid: entry.guid.as_deref().map(Cow::Borrowed),
    };
    checksum::check_identifiers(&identifiers, &content)?;
    Ok(entry)
}
