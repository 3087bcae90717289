//! The log in object storage: S3, and the services that speak like it.
//!
//! A record is an object `records/<number>`, a copy of the catalog an object `bases/<number>`. The service creates an object exclusively
//! when the request says `If-None-Match: *`. A trimmed record is an empty object, so that its number is not used again.

use std::path::Path;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::log::{Appended, LogError, LogResult, ReplicaLog, first_untrimmed, refuse_empty};
use super::shared_folder::name;
use crate::system::object_storage::{self, CONCURRENCY, ObjectStorage, StorageError};

/// How often the object is asked for while a record is awaited.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The log in object storage.
#[derive(Debug)]
pub struct ObjectStorageLog {
    storage: ObjectStorage,
    /// Whether the service was seen to refuse a second object with the same key.
    is_exclusive: bool,
}

impl From<StorageError> for LogError {
    fn from(error: StorageError) -> Self {
        Self(error.0)
    }
}

impl ObjectStorageLog {
    /// Opens the log at `address`, with the settings of the environment. The bucket is reached only when it is first used.
    ///
    /// # Errors
    /// The address or the environment is wrong.
    pub fn new(address: &str) -> LogResult<Self> {
        Ok(Self { storage: object_storage::open(address)?, is_exclusive: false })
    }

    /// Opens the log at `address`, with the settings of an environment.
    ///
    /// # Errors
    /// As for [`ObjectStorageLog::new`].
    pub fn new_in(address: &str, environment: impl IntoIterator<Item = (String, String)>) -> LogResult<Self> {
        Ok(Self { storage: ObjectStorage::open_in(address, environment)?, is_exclusive: false })
    }

    /// Fails if the service ignores `If-None-Match`, as some do: nodes would overwrite the records of others.
    fn require_exclusive(&mut self) -> LogResult<()> {
        if !self.is_exclusive {
            let key = format!("unfinished/{}", Uuid::new_v4());
            self.storage.create(&key, b"a test")?;
            self.is_exclusive = !self.storage.create(&key, b"the same test")?;
            let _ = self.storage.remove(&[key]);
        }
        if self.is_exclusive {
            return Ok(());
        }
        let place = self.storage.place();
        Err(LogError(format!("{place}: the service ignores `If-None-Match: *`, and cannot hold the log")))
    }

    fn trim_bases(&self, number: u64) -> LogResult<()> {
        let bases = self.storage.list("bases")?;
        let older = bases.into_iter().filter(|base| base.parse().is_ok_and(|base: u64| base < number));
        let keys: Vec<String> = older.map(|base| format!("bases/{base}")).collect();
        Ok(self.storage.remove(&keys)?)
    }
}

fn record_key(number: u64) -> String {
    format!("records/{}", name(number))
}

fn base_key(number: u64) -> String {
    format!("bases/{}", name(number))
}

impl ReplicaLog for ObjectStorageLog {
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended> {
        refuse_empty(record)?;
        self.require_exclusive()?;
        let is_created = self.storage.create(&record_key(number), record)?;
        Ok(if is_created { Appended::Created } else { Appended::Exists })
    }

    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>> {
        Ok(self.storage.get(&record_key(number))?.filter(|record| !record.is_empty()))
    }

    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()> {
        Ok(self.storage.put_file(&base_key(number), file)?)
    }

    fn newest_base(&mut self) -> LogResult<Option<u64>> {
        Ok(self.storage.list("bases")?.into_iter().filter_map(|base| base.parse().ok()).max())
    }

    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool> {
        Ok(self.storage.get_to_file(&base_key(number), file)?)
    }

    fn trim(&mut self, number: u64) -> LogResult<()> {
        let first = first_untrimmed(number, |record| Ok(self.storage.size(&record_key(record))? == Some(0)))?;
        // Several are emptied at the same time, so an interrupted call may have left some before the last empty one.
        let first = first.saturating_sub(u64::try_from(CONCURRENCY).unwrap_or_default()).max(1);
        let keys: Vec<String> = (first..=number).map(record_key).collect();
        self.storage.empty(&keys)?;
        self.trim_bases(number)
    }

    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()> {
        let until = Instant::now() + timeout;
        while Instant::now() < until && self.storage.size(&record_key(number))?.is_none() {
            std::thread::sleep(until.saturating_duration_since(Instant::now()).min(POLL_INTERVAL));
        }
        Ok(())
    }

    fn place(&self) -> String {
        format!("the object storage {}", self.storage.place())
    }
}
