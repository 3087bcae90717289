//! The rows of a record -> this catalog. What this node knows of its own files stays.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};

use crate::catalog::store::error::{CatalogError, Result};
use crate::catalog::store::replicated_tables::Table;
use crate::replicas::record::{LogValue, TableRows};

/// Maximum number of former texts of a file by which a copy that lags is recognised.
const MAX_FORMER: i64 = 64;

impl ToSql for LogValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Writes rows, within a transaction. Returns the numbers of the articles among them. `is_own`: this node created the record, and could
/// not commit it.
pub(super) fn write(
    connection: &Connection,
    tables: &[Table],
    changes: &[TableRows],
    is_own: bool,
) -> Result<Vec<i64>> {
    let mut work = Vec::new();
    for rows in changes {
        let table = tables.iter().find(|table| table.name == rows.table);
        let table = table.filter(|table| table.columns == rows.columns).ok_or_else(|| {
            CatalogError::LogRefused(format!(
                "a record has the table `{}`, which this program does not know",
                rows.table
            ))
        })?;
        work.push((table, rows, LocalFacts::take(connection, table, rows)?));
    }
    // All old rows first: rows may have exchanged values that are unique.
    for (table, rows, _) in &work {
        delete(connection, table, rows)?;
    }
    let mut articles = Vec::new();
    for (table, rows, local) in &work {
        insert(connection, table, rows)?;
        local.put_back(connection, is_own)?;
        if table.name == "article" {
            let numbers = rows.rows.iter().map(|row| key(table, rows, row).next().cloned());
            articles.extend(
                numbers.filter_map(
                    |number| if let Some(LogValue::Integer(number)) = number { Some(number) } else { None },
                ),
            );
        }
    }
    Ok(articles)
}

/// The key of a row.
fn key<'a>(table: &'a Table, rows: &'a TableRows, row: &'a [LogValue]) -> impl Iterator<Item = &'a LogValue> {
    let place = |key: &String| rows.columns.iter().position(|column| column == key);
    table.keys.iter().filter_map(place).map(|place| &row[place])
}

fn delete(connection: &Connection, table: &Table, rows: &TableRows) -> Result<()> {
    let places: Vec<String> = (1..=table.keys.len()).map(|place| format!("?{place}")).collect();
    let condition: Vec<String> =
        table.keys.iter().zip(&places).map(|(key, place)| format!("\"{key}\" = {place}")).collect();
    let sql = format!("DELETE FROM main.{} WHERE {}", table.name, condition.join(" AND "));
    let mut statement = connection.prepare_cached(&sql)?;
    for removed in &rows.removed {
        statement.execute(params_from_iter(removed))?;
    }
    for row in &rows.rows {
        statement.execute(params_from_iter(key(table, rows, row)))?;
    }
    Ok(())
}

fn insert(connection: &Connection, table: &Table, rows: &TableRows) -> Result<()> {
    // A column of this node without a default gets zero.
    let local: Vec<String> =
        table.local.iter().filter(|column| **column != "floor").map(|column| format!("\"{column}\"")).collect();
    let columns: Vec<String> =
        table.columns.iter().map(|column| format!("\"{column}\"")).chain(local.iter().cloned()).collect();
    let values: Vec<String> = (1..=table.columns.len())
        .map(|place| format!("?{place}"))
        .chain(local.iter().map(|_| "0".to_owned()))
        .collect();
    let sql = format!("INSERT INTO main.{} ({}) VALUES ({})", table.name, columns.join(", "), values.join(", "));
    let mut statement = connection.prepare_cached(&sql)?;
    for row in &rows.rows {
        statement.execute(params_from_iter(row))?;
    }
    Ok(())
}

/// What this node knows of the files of rows that are replaced.
enum LocalFacts {
    None,
    Articles(Vec<ArticleFacts>),
    Media(Vec<(Vec<u8>, i64, i64)>),
}

struct ArticleFacts {
    number: i64,
    path: Vec<u8>,
    hash: Vec<u8>,
    state: i64,
    /// size, mtime, ctime, inode, born
    stat: [i64; 5],
    stale: i64,
}

impl LocalFacts {
    fn take(connection: &Connection, table: &Table, rows: &TableRows) -> Result<Self> {
        let keys = rows.rows.iter().map(|row| key(table, rows, row).cloned().collect::<Vec<_>>());
        let keys = rows.removed.iter().cloned().chain(keys);
        match table.name {
            "article" => {
                let sql = "
                    SELECT number, path, file_hash, state, size, mtime, ctime, inode, born, stale FROM article WHERE number = ?1";
                let mut statement = connection.prepare_cached(sql)?;
                let mut facts = Vec::new();
                for key in keys {
                    let row = statement.query_row(params_from_iter(&key), |row| {
                        Ok(ArticleFacts {
                            number: row.get(0)?,
                            path: row.get(1)?,
                            hash: row.get(2)?,
                            state: row.get(3)?,
                            stat: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
                            stale: row.get(9)?,
                        })
                    });
                    facts.extend(row.optional()?);
                }
                Ok(Self::Articles(facts))
            }
            "media" => {
                let sql = "SELECT path, article, stamp FROM media WHERE path = ?1 AND article = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let mut stamps = Vec::new();
                for key in keys {
                    let row =
                        statement.query_row(params_from_iter(&key), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
                    stamps.extend(row.optional()?);
                }
                Ok(Self::Media(stamps))
            }
            _ => Ok(Self::None),
        }
    }

    fn put_back(&self, connection: &Connection, is_own: bool) -> Result<()> {
        match self {
            Self::None => {}
            Self::Articles(facts) => {
                for facts in facts {
                    facts.put_back(connection, is_own)?;
                }
            }
            Self::Media(stamps) => {
                let sql = "UPDATE media SET stamp = ?3 WHERE path = ?1 AND article = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                for (path, article, stamp) in stamps {
                    statement.execute(params![path, article, stamp])?;
                }
            }
        }
        Ok(())
    }
}

impl ArticleFacts {
    /// A row about the same bytes at the same path keeps what this node knows of them. Otherwise this node has not seen the file as it is
    /// recorded; if its file has the bytes that were recorded before, its copy is behind.
    fn put_back(&self, connection: &Connection, is_own: bool) -> Result<()> {
        let Self { number, path, hash, state, stat: [size, mtime, ctime, inode, born], stale } = self;
        let sql = "
            UPDATE article SET size = ?5, mtime = ?6, ctime = ?7, inode = ?8, born = ?9, stale = ?10
            WHERE number = ?1 AND path = ?2 AND file_hash = ?3 AND (state < 2) = (?4 < 2)";
        let values = params![number, path, hash, state, size, mtime, ctime, inode, born, stale];
        let is_same = connection.prepare_cached(sql)?.execute(values)? > 0;
        if !is_same && !is_own && *state < 2 {
            let sql = "
                INSERT OR IGNORE INTO behind (path, hash) SELECT ?1, ?2
                WHERE (SELECT count(*) FROM behind WHERE path = ?1) < ?3";
            connection.prepare_cached(sql)?.execute(params![path, hash, MAX_FORMER])?;
        }
        Ok(())
    }
}
