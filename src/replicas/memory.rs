//! A log in memory, which nodes of one process share: for deterministic tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::log::{Appended, LogError, LogResult, ReplicaLog, refuse_empty};

/// A handle to a log in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog(Arc<Board>);

#[derive(Debug, Default)]
struct Board {
    stored: Mutex<Stored>,
    created: Condvar,
}

#[derive(Debug, Default)]
struct Stored {
    records: BTreeMap<u64, Vec<u8>>,
    bases: BTreeMap<u64, Vec<u8>>,
    /// Records up to this number were removed.
    trimmed: u64,
}

impl Stored {
    fn has(&self, number: u64) -> bool {
        number <= self.trimmed || self.records.contains_key(&number)
    }
}

impl MemoryLog {
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a file of this machine.
pub(super) fn file_error(file: &Path, error: &std::io::Error) -> LogError {
    LogError(format!("{}: {error}", file.display()))
}

impl ReplicaLog for MemoryLog {
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended> {
        refuse_empty(record)?;
        let mut stored = self.stored();
        if stored.has(number) {
            return Ok(Appended::Exists);
        }
        stored.records.insert(number, record.to_vec());
        self.0.created.notify_all();
        Ok(Appended::Created)
    }

    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>> {
        Ok(self.stored().records.get(&number).cloned())
    }

    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()> {
        let bytes = std::fs::read(file).map_err(|error| file_error(file, &error))?;
        self.stored().bases.insert(number, bytes);
        Ok(())
    }

    fn newest_base(&mut self) -> LogResult<Option<u64>> {
        Ok(self.stored().bases.last_key_value().map(|(number, _)| *number))
    }

    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool> {
        let Some(bytes) = self.stored().bases.get(&number).cloned() else { return Ok(false) };
        std::fs::write(file, bytes).map_err(|error| file_error(file, &error))?;
        Ok(true)
    }

    fn trim(&mut self, number: u64) -> LogResult<()> {
        let mut stored = self.stored();
        stored.trimmed = stored.trimmed.max(number);
        stored.records.retain(|record, _| *record > number);
        stored.bases.retain(|base, _| *base >= number);
        Ok(())
    }

    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()> {
        let lacks = |stored: &mut Stored| !stored.has(number);
        drop(self.0.created.wait_timeout_while(self.stored(), timeout, lacks));
        Ok(())
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
