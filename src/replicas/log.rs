//! What an engine must be able to do to store the log.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

/// The outcome of an attempt to create a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// This call created the record.
    Created,
    /// There is a record with this number. It may be the same one, if the answer to an earlier attempt was lost.
    Exists,
}

/// The log cannot be used now. A record may have been created nevertheless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LogError(pub String);

/// The result of an operation on the log.
pub type LogResult<T> = Result<T, LogError>;

/// An engine that stores numbered records, the first of which has the number 1. All methods block, for a bounded time.
///
/// # Errors
/// Every method fails if the engine cannot be reached or does not answer in time; the caller tries again later.
#[allow(clippy::missing_errors_doc)] // one reason for all methods, above
pub trait ReplicaLog: Debug + Send {
    /// Creates a record, unless there is one with this number. It is durable when this returns `Created`. Of any number of
    /// concurrent calls with one number, on any number of machines, exactly one creates the record.
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended>;

    /// Returns a record, or `None` if it was not created yet or was removed by [`ReplicaLog::trim`].
    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>>;

    /// Stores a copy of the catalog as it is after the record `number`, from a file. It becomes visible as a whole.
    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()>;

    /// Returns the number of the newest copy of the catalog.
    fn newest_base(&mut self) -> LogResult<Option<u64>>;

    /// Writes a stored copy of the catalog to a new file. Returns whether there is such a copy.
    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool>;

    /// Removes the records up to `number`, and all copies of the catalog that are older.
    fn trim(&mut self, number: u64) -> LogResult<()>;

    /// Waits until there may be a record with this number, at most until `timeout` has passed. A hint: it may return early.
    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()>;

    /// Returns the kind and place of the log for people, without credentials.
    fn place(&self) -> String;
}
