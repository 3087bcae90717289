//! Which tables and columns are replicated.

use rusqlite::Connection;

use crate::catalog::store::error::Result;

/// The replicated tables.
pub(super) const TABLES: [&str; 16] = [
    "meta",
    "retired",
    "view",
    "article",
    "content",
    "address",
    "document",
    "archive",
    "adopted",
    "tombstone",
    "spelling",
    "member",
    "media",
    "name",
    "problem",
    "total",
];

/// Columns that are facts of one node: what `stat` said of its file, which files it has to read again, and what it computes again.
pub(super) const LOCAL_COLUMNS: [(&str, &[&str]); 3] =
    [("article", &["size", "mtime", "ctime", "inode", "born", "stale"]), ("media", &["stamp"]), ("view", &["floor"])];

/// Keys in `meta` that are facts of one node, or of one file.
pub(super) const LOCAL_KEYS: [&str; 12] = [
    "reading",
    "incomplete",
    "old pages",
    "first reading",
    "identities",
    "identities_adopted",
    "mounts",
    "folder",
    "limits",
    LINEAGE,
    NUMBER,
    HASH,
];

/// Starts of the keys in `meta` for the files with data of articles that this node has read, and for the descriptions.
pub(super) const LOCAL_PREFIXES: [&str; 2] = ["data ", SEEN];

/// Start of the keys in `meta` for what this node has read of a description, before the key of the description.
pub(super) const SEEN: &str = "seen ";

/// Key in `meta`: the log that this catalog is a copy of.
pub(super) const LINEAGE: &str = "replica lineage";
/// Key in `meta`: the number of the last record that was applied.
pub(super) const NUMBER: &str = "replica number";
/// Key in `meta`: the hash of that record.
pub(super) const HASH: &str = "replica hash";

/// A replicated table.
#[derive(Debug)]
pub(super) struct Table {
    pub name: &'static str,
    /// The columns of the primary key.
    pub keys: Vec<String>,
    /// The replicated columns, including the keys.
    pub columns: Vec<String>,
    /// Those that are not replicated.
    pub local: &'static [&'static str],
}

impl Table {
    /// Reads the columns of all replicated tables.
    pub fn all(connection: &Connection) -> Result<Vec<Self>> {
        TABLES.iter().map(|name| Self::read(connection, name)).collect()
    }

    fn read(connection: &Connection, name: &'static str) -> Result<Self> {
        let local = LOCAL_COLUMNS.iter().find(|(table, _)| *table == name).map_or(&[][..], |(_, columns)| *columns);
        let mut statement = connection.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let rows = statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows: Vec<(String, i64)> = rows.collect::<rusqlite::Result<_>>()?;
        let mut keys: Vec<(i64, String)> =
            rows.iter().filter(|(_, place)| *place > 0).map(|(column, place)| (*place, column.clone())).collect();
        keys.sort();
        let columns = rows.into_iter().map(|(column, _)| column).filter(|column| !local.contains(&column.as_str()));
        Ok(Self { name, keys: keys.into_iter().map(|(_, key)| key).collect(), columns: columns.collect(), local })
    }

    /// A list of columns for SQL, each with a prefix.
    pub fn list(columns: &[String], prefix: &str) -> String {
        columns.iter().map(|column| format!("{prefix}\"{column}\"")).collect::<Vec<_>>().join(", ")
    }
}
