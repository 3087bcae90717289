//! Errors of the catalog.

use super::migrations::MIGRATIONS;

/// Why the catalog cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// An error of SQLite.
    #[error("the catalog cannot be used: {0}")]
    Sqlite(rusqlite::Error),
    /// The file was written by a newer program.
    #[error("the catalog has schema {found}, and this program knows {}: start the newer program that wrote it", MIGRATIONS.len())]
    Newer {
        /// The version of its schema.
        found: i64,
    },
    /// Another file has taken the place of the one that was opened, or was to be opened.
    #[error("another file has taken the place of the catalog while it was opened: try again")]
    Replaced,
    /// Another node has created the next record of the log. The transaction has been rolled back; it is to be made again after the
    /// catalog has caught up.
    #[error("another node was first")]
    Superseded,
    /// The log of the replicas cannot be used now. The transaction has been rolled back.
    #[error("the log of the replicas is away: {0}")]
    LogAway(String),
    /// The log of the replicas is not the one that this catalog is a copy of, or another version of the program writes it.
    #[error("the log of the replicas is refused: {0}")]
    LogRefused(String),
    /// A row has a value that this program never writes.
    #[error("the catalog is damaged: {0}")]
    Damaged(String),
}

// Without a source: the message would be repeated.
impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The result of a call of the catalog.
pub type Result<T> = std::result::Result<T, CatalogError>;
