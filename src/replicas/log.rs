//! What an engine must be able to do to store the log.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

/// The outcome of an attempt to create a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// This call created the record.
    Created,
    /// There is, or was, a record with this number. It may be the same one, if the answer to an earlier attempt was lost.
    Exists,
}

/// The log cannot be used now. A record may have been created nevertheless, or be created later, when what was sent arrives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LogError(pub String);

/// The result of an operation on the log.
pub type LogResult<T> = Result<T, LogError>;

/// An engine that stores numbered records, the first of which has the number 1. All methods block, for a bounded time, which grows with
/// what is sent or fetched. Each thread has a handle of its own.
///
/// # Errors
/// Every method fails if the engine cannot be reached or does not answer in time; the caller tries again later. An error may come at
/// once: the caller pauses between attempts.
#[allow(clippy::missing_errors_doc)] // one reason for all methods, above
pub trait ReplicaLog: Debug + Send {
    /// Creates a record, unless there is one with this number. It is durable when this returns `Created`. Of any number of
    /// concurrent calls with one number, on any number of machines, exactly one creates the record. A number is never used again:
    /// for a record that [`ReplicaLog::trim`] has removed, this returns `Exists`.
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended>;

    /// Returns a record, or `None` if it was not created yet or was removed by [`ReplicaLog::trim`]. It was removed if
    /// [`ReplicaLog::newest_base`] has this number or a higher one; a caller continues from there.
    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>>;

    /// Stores a copy of the catalog as it is after the record `number`, from a file. It becomes visible as a whole. If there is one
    /// already, either stays.
    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()>;

    /// Returns the number of the newest copy of the catalog.
    fn newest_base(&mut self) -> LogResult<Option<u64>>;

    /// Writes a stored copy of the catalog to a file, which it creates or replaces. Returns whether there is such a copy. After an
    /// error, the file may be incomplete.
    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool>;

    /// Removes the content of the records up to `number`, and all copies of the catalog that are older. Takes a few requests for each
    /// record: meant for a thread that can wait. After an error, a part may be removed, the oldest first.
    fn trim(&mut self, number: u64) -> LogResult<()>;

    /// Waits until there may be a record with this number, at most until `timeout` has passed. A hint: it may return early.
    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()>;

    /// Returns the kind and place of the log for people, without credentials.
    fn place(&self) -> String;
}

/// Fails for a record without content, which is what remains of a trimmed one.
pub(super) fn refuse_empty(record: &[u8]) -> LogResult<()> {
    if record.is_empty() { Err(LogError("a record is empty".to_owned())) } else { Ok(()) }
}

/// Returns the first of the records `1..=last` that is not trimmed. Trimmed ones come before all others.
pub(super) fn first_untrimmed(last: u64, mut is_trimmed: impl FnMut(u64) -> LogResult<bool>) -> LogResult<u64> {
    let (mut first, mut end) = (1, last.saturating_add(1));
    while first < end {
        let middle = first + (end - first) / 2;
        if is_trimmed(middle)? {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_record_that_is_not_trimmed_is_found() {
        for last in 0..20 {
            for trimmed in 0..=last {
                assert_eq!(first_untrimmed(last, |number| Ok(number <= trimmed)), Ok(trimmed + 1));
            }
        }
    }
}
