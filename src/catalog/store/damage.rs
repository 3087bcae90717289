//! Damage: errors in the content of the file, as opposed to temporary errors of the disk.

use rusqlite::{Error, ErrorCode, ffi};

use super::error::CatalogError;

/// Messages of errors that a wrong schema or wrong numbers in the file cause. Errors of the program have the same code.
const OF_SCHEMA: [&str; 8] = [
    "no such ",
    "has no column named",
    "no query solution",
    "integer overflow",
    "unsupported file format",
    // Migrations that were applied already.
    "already exists",
    "already another ",
    "duplicate column name",
];

impl CatalogError {
    /// Whether the content of the file is wrong. Then a retry is useless, and the file must be recovered.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => is_damage(error),
            Self::Damaged(_) => true,
            Self::Newer { .. } | Self::Replaced | Self::Superseded | Self::LogAway(_) | Self::LogRefused(_) => false,
        }
    }
}

fn is_damage(error: &Error) -> bool {
    match error {
        Error::SqliteFailure(failure, message) => is_of_content(*failure, message.as_deref().unwrap_or_default()),
        Error::SqlInputError { error: failure, msg, .. } => is_of_content(*failure, msg),
        // A column with a value of a wrong type, or a missing row.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..)
        | Error::QueryReturnedNoRows
        | Error::QueryReturnedMoreThanOneRow => true,
        _ => false,
    }
}

/// Full or read-only disks, errors of input and output, locks and lack of memory are not damage.
fn is_of_content(failure: ffi::Error, message: &str) -> bool {
    match failure.code {
        // With valid content, no statement violates a constraint.
        ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        // No text that is written is that long.
        | ErrorCode::TooBig => true,
        ErrorCode::Unknown => OF_SCHEMA.iter().any(|part| message.contains(part)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Type;

    use super::*;

    fn failure(code: i32) -> CatalogError {
        CatalogError::from(Error::SqliteFailure(ffi::Error::new(code), None))
    }

    fn of_statement(sql: &str) -> CatalogError {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
        CatalogError::from(connection.query_row(sql, [], |_| Ok(())).unwrap_err())
    }

    #[test]
    fn a_wrong_schema_is_damage_and_a_wrong_statement_is_not() {
        for sql in [
            "SELECT n FROM gone",
            "SELECT gone FROM t",
            "SELECT n FROM t INDEXED BY gone",
            "INSERT INTO t (m) VALUES (1)",
            "CREATE TABLE t (n)",
            "ALTER TABLE t ADD COLUMN n",
        ] {
            assert!(of_statement(sql).is_damage(), "{sql}");
        }
        for sql in ["SELEC", "SELECT n FROM t HAVING n", "SELECT count(n, n) FROM t"] {
            assert!(!of_statement(sql).is_damage(), "{sql}");
        }
    }

    #[test]
    fn errors_of_content_are_damage() {
        for code in [
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_CORRUPT_INDEX,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
            ffi::SQLITE_CONSTRAINT_DATATYPE,
            ffi::SQLITE_TOOBIG,
        ] {
            assert!(failure(code).is_damage(), "{code}");
        }
        let utf8 = String::from_utf8(vec![0xFF]).unwrap_err();
        for error in [
            Error::FromSqlConversionFailure(0, Type::Text, Box::new(utf8.clone())),
            Error::IntegralValueOutOfRange(0, -1),
            Error::InvalidColumnType(0, "path".to_owned(), Type::Null),
            Error::Utf8Error(0, utf8.utf8_error()),
            Error::QueryReturnedNoRows,
        ] {
            let text = error.to_string();
            assert!(CatalogError::from(error).is_damage(), "{text}");
        }
    }

    #[test]
    fn errors_of_the_disk_are_not_damage() {
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_PERM,
            ffi::SQLITE_INTERRUPT,
        ] {
            assert!(!failure(code).is_damage(), "{code}");
        }
        assert!(!CatalogError::Newer { found: 99 }.is_damage());
    }
}
