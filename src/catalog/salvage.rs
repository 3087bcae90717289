//! A damaged catalog -> a new one with as much of it as can be read: above all ids, dates and addresses, which no file can give
//! back. What files say is read from them again.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::{Catalog, CatalogError, Result};

/// Tables with what only the catalog knows, those first that others refer to. What views there are and what is in them follows
/// from the articles.
const TABLES: [&str; 8] = ["meta", "article", "content", "address", "retired", "document", "archive", "view"];

/// The two ways through a table: what lies behind a damaged page may be reached from the other end.
const WAYS: [&str; 2] = ["", "DESC"];

impl CatalogError {
    /// Whether the file itself is damaged: to try again is of no use.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
            }
            Self::Damaged(_) => true,
            Self::Newer { .. } => false,
        }
    }
}

impl Catalog {
    /// Takes over what can be read of a damaged file into this catalog, which is new. Gives how many articles that is.
    ///
    /// # Errors
    /// This catalog cannot be written; what cannot be read is no error.
    pub fn salvage(&mut self, damaged: &Path) -> Result<usize> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let Ok(source) = Connection::open_with_flags(damaged, flags) else { return Ok(0) };
        // Rows may refer to what cannot be read.
        self.connection.pragma_update(None, "foreign_keys", false)?;
        let saved = self.transaction(|catalog| {
            for table in TABLES {
                for way in WAYS {
                    catalog.copy(&source, table, way)?;
                }
            }
            catalog.mend()
        });
        self.connection.pragma_update(None, "foreign_keys", true)?;
        let saved = saved?;
        self.take_namespace()?;
        Ok(saved)
    }

    /// Copies rows of a table, from one of its ends, until one cannot be read.
    fn copy(&mut self, source: &Connection, table: &str, way: &str) -> Result<()> {
        let columns: Vec<String> = {
            let mut statement = self.connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
            statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        // An older file has fewer columns: what they are by default holds for what it has.
        let has = |column: &String| source.prepare(&format!("SELECT {column} FROM {table}")).is_ok();
        let columns: Vec<String> = columns.into_iter().filter(has).collect();
        let Some(first) = columns.first() else { return Ok(()) };
        let names = columns.join(", ");
        let Ok(mut read) = source.prepare(&format!("SELECT {names} FROM {table} ORDER BY {first} {way}")) else {
            return Ok(());
        };
        let places = vec!["?"; columns.len()].join(", ");
        // What is there already was made with this catalog a moment ago, or came from the other end.
        let replaces = if ["meta", "view"].contains(&table) { "REPLACE" } else { "IGNORE" };
        let mut write =
            self.connection.prepare(&format!("INSERT OR {replaces} INTO {table} ({names}) VALUES ({places})"))?;
        let Ok(mut rows) = read.query([]) else { return Ok(()) };
        while let Ok(Some(row)) = rows.next() {
            let values = (0..columns.len()).map(|place| row.get::<_, Value>(place));
            let Ok(values) = values.collect::<rusqlite::Result<Vec<Value>>>() else { break };
            // A row that cannot be is as good as one that cannot be read.
            match write.execute(params_from_iter(values)) {
                Ok(_) => {}
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Makes a whole of what was saved: every file is read again, and gives what is missing.
    fn mend(&mut self) -> Result<usize> {
        self.connection.execute_batch(
            "
            DELETE FROM content WHERE number NOT IN (SELECT number FROM article);
            DELETE FROM address WHERE number NOT IN (SELECT number FROM article);
            INSERT OR IGNORE INTO address (slug, number) SELECT slug, number FROM article;
            INSERT OR IGNORE INTO content (number, entry)
              SELECT number, '{\"title\":\"\",\"authors\":[],\"summary\":\"\",\"html\":\"\",\"tags\":[],\"language\":null,\"link\":null}'
              FROM article;
            -- If its first reading was broken off, this is what is left of it.
            DELETE FROM meta WHERE key = 'first reading';
            UPDATE view SET members = 0;
            UPDATE total SET (shown, scheduled) =
              (SELECT coalesce(sum(shown), 0), coalesce(sum(1 - shown), 0) FROM article WHERE state = 0);
            UPDATE article SET archive = NULL WHERE archive NOT IN (SELECT number FROM archive);
            -- The same bytes are no update.
            UPDATE article SET stale = 2, size = 0, mtime = 0, ctime = 0 WHERE state < 2;",
        )?;
        let saved: i64 = self.connection.query_row("SELECT count(*) FROM article", [], |row| row.get(0))?;
        Ok(usize::try_from(saved).unwrap_or(0))
    }
}
