//! The keys in `meta`.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::error::Result;
use super::values::clock_date;

/// The text of a key in `meta`.
pub(super) fn meta(connection: &Connection, key: &str) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// The date of a key in `meta`.
pub(super) fn meta_date(connection: &Connection, key: &str) -> Result<Option<DateTime<Utc>>> {
    meta(connection, key)?.map(|text| clock_date(&text)).transpose()
}
