//! The migrations of the schema.

use rusqlite::{Connection, Result};

/// `user_version` is the number of the last one that was applied; a new file starts with the first. A
/// released migration never changes.
pub(super) const MIGRATIONS: [&str; 14] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
    include_str!("schema/11.sql"),
    include_str!("schema/12.sql"),
    include_str!("schema/13.sql"),
    include_str!("schema/14.sql"),
];

/// The first schema in whose files removed texts are overwritten.
const SECURE_FROM: usize = 7;

/// Key in `meta` of a catalog from before that schema. Its free pages may have removed texts until the file is written again.
const OLD_PAGES: &str = "old pages";

/// Applies the migrations that a file lacks; it has the first `applied` ones.
pub(super) fn apply(connection: &Connection, applied: usize) -> Result<()> {
    for (index, script) in MIGRATIONS.iter().enumerate().skip(applied) {
        let version = index + 1;
        // The version of the file was set back, as by a tool.
        let script = if is_applied(connection, script)? { "" } else { script };
        let note = if version == SECURE_FROM && applied > 0 {
            format!("INSERT OR REPLACE INTO meta (key, value) VALUES ('{OLD_PAGES}', '');")
        } else {
            String::new()
        };
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE;\n{script}\n{note}\nPRAGMA user_version = {version};\nCOMMIT;"))?;
    }
    Ok(())
}

/// Whether there is the first column or table that a migration adds.
fn is_applied(connection: &Connection, script: &str) -> Result<bool> {
    let added = |line: &str| {
        let column = line.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(" ADD COLUMN "));
        let table = || line.strip_prefix("CREATE TABLE ").map(|name| (name.to_owned(), None));
        column.map(|(table, column)| (table.to_owned(), Some(column.to_owned()))).or_else(table)
    };
    let Some((table, column)) = script.lines().find_map(added) else { return Ok(false) };
    let first = |text: &str| text.split([' ', '(']).next().unwrap_or_default().to_owned();
    let sql = "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2 OR ?2 IS NULL";
    connection.prepare(sql)?.exists(rusqlite::params![first(&table), column.as_deref().map(first)])
}

fn has_old_pages(connection: &Connection) -> Result<bool> {
    connection.prepare("SELECT 1 FROM meta WHERE key = ?1")?.exists([OLD_PAGES])
}

/// Writes a file again without its free pages, if they may have removed texts. After an error, such as a full disk, or an interruption,
/// the next opening repeats it.
pub(super) fn remove_old_pages(connection: &Connection) -> Result<()> {
    if !has_old_pages(connection)? {
        return Ok(());
    }
    // In memory, the copy would be as large as the catalog.
    connection.pragma_update(None, "temp_store", "file")?;
    let _ = connection.execute_batch(&format!(
        "VACUUM; DELETE FROM meta WHERE key = '{OLD_PAGES}'; PRAGMA wal_checkpoint(truncate);"
    ));
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::catalog::{Catalog, FILE};

    #[test]
    fn an_interrupted_migration_leaves_no_removed_text_after_the_next_opening() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let open = || Catalog::open(directory.path(), Some("x.example"), DateTime::UNIX_EPOCH).unwrap();
        let sentence = "A removed sentence. ";
        let has_sentence =
            || std::fs::read(&file).unwrap().windows(sentence.len()).any(|part| part == sentence.as_bytes());
        // As the version before left it: with a removed text in free pages.
        let connection = Connection::open(&file).unwrap();
        for script in &MIGRATIONS[..SECURE_FROM - 1] {
            connection.execute_batch(script).unwrap();
        }
        let sql = format!(
            "
            PRAGMA secure_delete = off; PRAGMA user_version = {};
            CREATE TABLE filler AS SELECT replace(hex(zeroblob(5000)), '00', '{sentence}') AS text; DROP TABLE filler;",
            SECURE_FROM - 1
        );
        connection.execute_batch(&sql).unwrap();
        // It is killed before the file is written again.
        apply(&connection, SECURE_FROM - 1).unwrap();
        drop(connection);
        assert!(has_sentence());
        let catalog = open();
        assert!(!has_sentence());
        assert!(!has_old_pages(&catalog.connection).unwrap(), "it is not repeated");
        let temp_store: i64 = catalog.connection.pragma_query_value(None, "temp_store", |row| row.get(0)).unwrap();
        assert_eq!(temp_store, 2, "statement journals are in memory");
    }

    #[test]
    fn each_migration_is_applied_once() {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join(FILE)).unwrap();
        apply(&connection, 0).unwrap();
        let columns = |connection: &Connection| -> i64 {
            let sql = "SELECT count(*) FROM sqlite_schema s, pragma_table_info(s.name) WHERE s.type = 'table'";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let before = columns(&connection);
        apply(&connection, SECURE_FROM - 1).unwrap();
        assert_eq!(columns(&connection), before);
    }

    #[test]
    fn a_new_catalog_has_no_old_pages() {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join(FILE)).unwrap();
        apply(&connection, 0).unwrap();
        assert!(!has_old_pages(&connection).unwrap());
    }
}
