//! The rows that a transaction changes: triggers of this connection note their keys, and the rows are read at the end.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::catalog::store::error::Result;
use crate::catalog::store::replicated_tables::{LOCAL_KEYS, LOCAL_PREFIXES, Table};
use crate::replicas::record::{LogValue, TableRows};

/// The noted keys: the index of the table, the columns of its primary key, and the row as it was before the transaction.
const NOTED: &str = "CREATE TEMP TABLE IF NOT EXISTS noted (place INTEGER, key1, key2, key3, key4, before TEXT);
    CREATE INDEX IF NOT EXISTS temp.noted_key ON noted (place, key1, key2, key3, key4);";

/// Notes the keys of all changed rows from now on. They are part of the transaction: a rollback forgets them.
pub(super) fn begin(connection: &Connection, tables: &[Table]) -> Result<()> {
    // A row that is replaced because of another unique column counts as deleted, too.
    connection.pragma_update(None, "recursive_triggers", true)?;
    // Rows of a record refer to rows of tables that follow. Deferring the check for each record would have all statements prepared again.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.execute_batch(NOTED)?;
    for (place, table) in tables.iter().enumerate() {
        connection.execute_batch(&triggers(place, table))?;
    }
    Ok(())
}

/// The names of the columns in `noted` that hold the key of a table.
fn noted_keys(table: &Table) -> impl Iterator<Item = (String, &String)> {
    table.keys.iter().enumerate().map(|(index, key)| (format!("key{}", index + 1), key))
}

/// An expression for the whole replicated row, as text.
fn image(table: &Table, row: &str) -> String {
    let values: Vec<String> = table.columns.iter().map(|column| format!("quote({row}.\"{column}\")")).collect();
    values.join(" || ',' || ")
}

/// The triggers of a table.
fn triggers(place: usize, table: &Table) -> String {
    let name = table.name;
    let is_replicated = |row: &str| {
        let keys = LOCAL_KEYS.map(|key| format!("'{key}'")).join(", ");
        let [data, seen] = LOCAL_PREFIXES;
        let is_other =
            || format!("{row}.key NOT IN ({keys}) AND {row}.key NOT LIKE '{data}%' AND {row}.key NOT LIKE '{seen}%'");
        if name == "meta" { is_other() } else { "1".to_owned() }
    };
    let columns: Vec<String> = noted_keys(table).map(|(noted, _)| noted).collect();
    // `OR IGNORE` would not do: the statement that fires a trigger overrides it.
    let note = |row: &str, before: &str| {
        let same: Vec<String> = noted_keys(table).map(|(noted, key)| format!("{noted} = {row}.\"{key}\"")).collect();
        format!(
            "INSERT INTO noted (place, {}, before) SELECT {place}, {}, {before} WHERE NOT EXISTS (SELECT 1 FROM noted WHERE place = {place} AND {});",
            columns.join(", "),
            Table::list(&table.keys, &format!("{row}.")),
            same.join(" AND ")
        )
    };
    // An update that changes no replicated column is none.
    let differs: Vec<String> =
        table.columns.iter().map(|column| format!("old.\"{column}\" IS NOT new.\"{column}\"")).collect();
    format!(
        "CREATE TEMP TRIGGER IF NOT EXISTS insert_{name} AFTER INSERT ON main.{name} WHEN {} BEGIN {} END;
         CREATE TEMP TRIGGER IF NOT EXISTS delete_{name} AFTER DELETE ON main.{name} WHEN {} BEGIN {} END;
         CREATE TEMP TRIGGER IF NOT EXISTS update_{name} AFTER UPDATE ON main.{name} WHEN {} AND ({}) BEGIN {} {} END;",
        is_replicated("new"),
        note("new", "NULL"),
        is_replicated("old"),
        note("old", &image(table, "old")),
        is_replicated("new"),
        differs.join(" OR "),
        note("old", &image(table, "old")),
        note("new", "NULL"),
    )
}

/// Returns the noted rows as they are now, and forgets them.
pub(super) fn take(connection: &Connection, tables: &[Table]) -> Result<Vec<TableRows>> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT place FROM temp.noted ORDER BY place")?;
    let places: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut changes = Vec::new();
    for place in places {
        let table = usize::try_from(place).ok().and_then(|place| tables.get(place));
        if let Some(table) = table {
            changes.push(rows_of(connection, place, table)?);
        }
    }
    discard(connection)?;
    changes.retain(|rows| !rows.removed.is_empty() || !rows.rows.is_empty());
    Ok(changes)
}

/// Forgets the noted rows.
pub(super) fn discard(connection: &Connection) -> Result<()> {
    connection.prepare_cached("DELETE FROM temp.noted")?.execute([])?;
    Ok(())
}

fn rows_of(connection: &Connection, place: i64, table: &Table) -> Result<TableRows> {
    let (name, count) = (table.name, table.keys.len());
    let keys: Vec<String> = noted_keys(table).map(|(noted, _)| format!("noted.{noted}")).collect();
    let same: Vec<String> = noted_keys(table).map(|(noted, key)| format!("now.\"{key}\" = noted.{noted}")).collect();
    // A row that was replaced by the same one has not changed.
    let sql = format!(
        "SELECT {keys}, {columns} FROM temp.noted LEFT JOIN main.{name} AS now ON {} WHERE place = {place}
         AND before IS NOT CASE WHEN now.\"{}\" IS NOT NULL THEN {} END ORDER BY {keys}",
        same.join(" AND "),
        table.keys[0],
        image(table, "now"),
        columns = Table::list(&table.columns, "now."),
        keys = keys.join(", "),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let first = table.columns.iter().position(|column| *column == table.keys[0]).unwrap_or(0) + count;
    let (mut removed, mut present) = (Vec::new(), Vec::new());
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if matches!(row.get_ref(first)?, ValueRef::Null) {
            removed.push(values(row, 0..count)?);
        } else {
            present.push(values(row, count..count + table.columns.len())?);
        }
    }
    Ok(TableRows { table: name.to_owned(), columns: table.columns.clone(), removed, rows: present })
}

fn values(row: &Row<'_>, columns: std::ops::Range<usize>) -> Result<Vec<LogValue>> {
    let value = |column| {
        Ok(match row.get_ref(column)? {
            ValueRef::Null => LogValue::Null,
            ValueRef::Integer(number) => LogValue::Integer(number),
            ValueRef::Real(number) => LogValue::Real(number),
            // The writer writes only valid texts; a wrong one is damage, which reading it reports.
            ValueRef::Text(text) => LogValue::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => LogValue::Blob(bytes.to_vec()),
        })
    };
    columns.map(value).collect()
}
