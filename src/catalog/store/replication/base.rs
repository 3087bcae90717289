//! Copies of the whole catalog in the log: the first one begins the log, later ones shorten the way of new nodes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use uuid::Uuid;

use crate::catalog::store::database::{Catalog, FILE};
use crate::catalog::store::error::{CatalogError, Result};
use crate::catalog::store::meta;
use crate::catalog::store::replicated_tables::{HASH, LINEAGE, LOCAL_KEYS, LOCAL_PREFIXES, NUMBER};
use crate::catalog::store::replication_state::{LogPosition, other_lineage, other_record};
use crate::replicas::record::{self, LogRecord, RecordBody};
use crate::replicas::{Appended, LogError, ReplicaLog};

/// Number of records after which the catalog is copied into the log again.
const RECORDS_PER_BASE: u64 = 10_000;

/// Name of the catalog that a node had before it joined the log.
const BEFORE: &str = "before-replicas.sqlite";

/// Compression level: base copies are written seldom, and read by new nodes.
const LEVEL: i32 = 3;

/// What a node does with the catalog that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The log has no record yet. The catalog begins it, once the folder has been read.
    Founding,
    /// The catalog continues from its place.
    Continuing,
    /// A copy from the log has replaced it, as it is after this record.
    Installed(u64),
}

/// Prepares the catalog in `directory` for a log, before it is opened.
///
/// # Errors
/// The log is away, or is not the one that the catalog is a copy of; the directory cannot be written.
pub fn join(directory: &Path, log: &mut dyn ReplicaLog) -> Result<Joined> {
    let place = position_of(&directory.join(FILE))?;
    let newest = log.newest_base()?;
    let Some(place) = place else {
        return match newest {
            Some(base) => install(directory, log, base, None),
            None if log.read(1)?.is_some() => {
                Err(CatalogError::LogAway(format!("another node is about to begin {}", log.place())))
            }
            None => Ok(Joined::Founding),
        };
    };
    let hash = log.read(place.number)?.map(|bytes| record::hash(&bytes));
    match (hash, newest) {
        (Some(hash), _) if hash == place.hash => {}
        // It was interrupted before it created the first record.
        (None, None) if place.number == 1 => {
            forget_position(&Connection::open(directory.join(FILE))?)?;
            return Ok(Joined::Founding);
        }
        // The record was removed after a copy was made.
        (None, Some(base)) if base > place.number => return install(directory, log, base, place.lineage),
        (None, Some(base)) if base == place.number => {}
        _ => return Err(other_record(log, place.number)),
    }
    let next = log.read(place.number + 1)?;
    let is_base = match next.as_deref().map(LogRecord::from_bytes) {
        Some(Ok(record)) => matches!(record.body, RecordBody::Base),
        _ => next.is_none(),
    };
    match newest {
        Some(base) if is_base && base > place.number => install(directory, log, base, place.lineage),
        _ => Ok(Joined::Continuing),
    }
}

/// The place of a catalog that is not open; `None` if there is no catalog, or it has none.
fn position_of(file: &Path) -> Result<Option<LogPosition>> {
    if !file.exists() {
        return Ok(None);
    }
    let connection = Connection::open(file)?;
    let has_meta = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'")?.exists([])?;
    if !has_meta {
        return Ok(None);
    }
    let text = |key| meta::meta(&connection, key);
    let (Some(lineage), Some(number), Some(hash)) = (text(LINEAGE)?, text(NUMBER)?, text(HASH)?) else {
        return Ok(None);
    };
    let parsed = (lineage.parse().ok(), number.parse().ok(), blake3::Hash::from_hex(hash).ok());
    let (Some(lineage), Some(number), Some(hash)) = parsed else { return Ok(None) };
    Ok(Some(LogPosition { lineage: Some(lineage), number, hash: *hash.as_bytes() }))
}

/// A catalog has no place in a log any more.
fn forget_position(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM meta WHERE key IN (?1, ?2, ?3)", [LINEAGE, NUMBER, HASH])?;
    Ok(())
}

fn io(file: &Path) -> impl Fn(std::io::Error) -> CatalogError + use<'_> {
    move |error| CatalogError::LogAway(format!("{}: {error}", file.display()))
}

/// Replaces the catalog by a copy from the log. A catalog that was never a copy of a log is kept under another name.
fn install(directory: &Path, log: &mut dyn ReplicaLog, base: u64, lineage: Option<Uuid>) -> Result<Joined> {
    let (packed, unpacked) = (directory.join("joining.zst"), directory.join("joining.sqlite"));
    remove(&packed)?;
    remove_database(&unpacked)?;
    if !log.read_base(base, &packed)? {
        return Err(CatalogError::LogAway(format!(
            "{} has removed the copy {base} of the catalog meanwhile",
            log.place()
        )));
    }
    let mut source = File::open(&packed).map_err(io(&packed))?;
    let mut target = File::create(&unpacked).map_err(io(&unpacked))?;
    zstd::stream::copy_decode(&mut source, &mut target).map_err(io(&packed))?;
    target.sync_all().map_err(io(&unpacked))?;
    remove(&packed)?;
    let place = position_of(&unpacked)?;
    let Some(place) = place.filter(|place| lineage.is_none_or(|lineage| place.lineage == Some(lineage))) else {
        remove_database(&unpacked)?;
        return Err(other_lineage(log));
    };
    forget_local_facts(&unpacked)?;
    let file = directory.join(FILE);
    if lineage.is_none() && file.exists() {
        let _ = Connection::open(&file).map(|old| old.execute_batch("PRAGMA wal_checkpoint(truncate)"));
        fs::rename(&file, directory.join(BEFORE)).map_err(io(&file))?;
    }
    remove_database(&file)?;
    fs::rename(&unpacked, &file).map_err(io(&file))?;
    Ok(Joined::Installed(place.number))
}

/// Removes what the node that made a copy knew of its own files.
fn forget_local_facts(file: &Path) -> Result<()> {
    let connection = Connection::open(file)?;
    let keys: Vec<String> =
        LOCAL_KEYS.iter().filter(|key| ![LINEAGE, NUMBER, HASH].contains(key)).map(|key| format!("'{key}'")).collect();
    let [data, seen] = LOCAL_PREFIXES;
    connection.execute_batch(&format!(
        "BEGIN;
         UPDATE article SET size = 0, mtime = 0, ctime = 0, inode = 0, born = 0, stale = CASE stale WHEN 3 THEN 3 ELSE 0 END;
         UPDATE view SET floor = -9223372036854775808;
         DELETE FROM meta WHERE key IN ({}) OR key LIKE '{data}%' OR key LIKE '{seen}%';
         COMMIT; PRAGMA wal_checkpoint(truncate);",
        keys.join(", ")
    ))?;
    Ok(())
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(file)(error)),
        _ => Ok(()),
    }
}

/// Removes a database with its log.
fn remove_database(file: &Path) -> Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        remove(&PathBuf::from(name))?;
    }
    Ok(())
}

impl Catalog {
    /// Begins the log with this catalog, which has read the whole folder. Returns false if another node has begun it meanwhile; then that
    /// node's catalog has to be installed.
    ///
    /// # Errors
    /// The log is away, or the catalog cannot be read or written.
    pub fn found_log(&mut self, directory: &Path) -> Result<bool> {
        let Some(replication) = &self.replication else { return Ok(true) };
        if replication.state.lineage.is_some() {
            return Ok(true);
        }
        let lineage = Uuid::new_v4();
        let bytes = replication.record(lineage, RecordBody::Base).to_bytes()?;
        let place = LogPosition { lineage: Some(lineage), number: 1, hash: record::hash(&bytes) };
        // First of all here: if this node stops before it has created the record, the log is still empty.
        self.transaction(|catalog| catalog.set_log_position(&place))?;
        let appended = self.with_log(|log| log.append(1, &bytes))?;
        let is_own = appended == Appended::Created || self.with_log(|log| log.read(1))?.as_deref() == Some(&bytes);
        if !is_own {
            forget_position(&self.connection)?;
            return Ok(false);
        }
        if let Some(replication) = &mut self.replication {
            replication.state = place;
        }
        self.write_base(directory)?;
        Ok(true)
    }

    /// Copies the catalog into the log if it is time, or if the log has no copy. Returns the number of the last record that no node needs
    /// any more: nodes that are not far behind still read records.
    ///
    /// # Errors
    /// The log is away, or the copy cannot be made.
    pub fn write_base_if_due(&mut self, directory: &Path, is_start: bool) -> Result<Option<u64>> {
        let Some(replication) = &self.replication else { return Ok(None) };
        let (number, is_own) = (replication.state.number, self.has_created_last_record());
        // Every hundredth record is enough to look for one, and once.
        let may_be_due = is_own && number % 100 == 0 && replication.looked_for_base != number;
        if replication.state.lineage.is_none() || !(may_be_due || is_start) {
            return Ok(None);
        }
        let former = self.with_log(|log| log.newest_base())?;
        if let Some(replication) = &mut self.replication {
            replication.looked_for_base = number;
        }
        if former.is_some_and(|former| number < former.saturating_add(RECORDS_PER_BASE)) {
            return Ok(None);
        }
        self.write_base(directory)?;
        Ok(former)
    }

    pub(super) fn write_base(&mut self, directory: &Path) -> Result<()> {
        let (copy, packed) = (directory.join("base.sqlite"), directory.join("base.zst"));
        remove_database(&copy)?;
        self.copy_to(&copy)?;
        let number = self.record_number().unwrap_or_default();
        let pack = || {
            let mut target = File::create(&packed)?;
            zstd::stream::copy_encode(File::open(&copy)?, &mut target, LEVEL)
        };
        pack().map_err(io(&packed))?;
        let written = self.with_log(|log| log.write_base(number, &packed));
        remove_database(&copy)?;
        remove(&packed)?;
        written
    }

    fn with_log<T>(&mut self, work: impl FnOnce(&mut dyn ReplicaLog) -> std::result::Result<T, LogError>) -> Result<T> {
        let Some(replication) = &mut self.replication else {
            return Err(CatalogError::LogAway("there is no log".to_owned()));
        };
        work(&mut *replication.log).map_err(CatalogError::from)
    }
}
