//! A catalog that is connected with a log.

use std::path::Path;

use rusqlite::{OptionalExtension, params};

use super::{apply, capture};
use crate::catalog::store::database::Catalog;
use crate::catalog::store::error::{CatalogError, Result};
use crate::catalog::store::replicated_tables::{HASH, LINEAGE, NUMBER, Table};
use crate::catalog::store::replication_state::{LogPosition, Replication, other_record};
use crate::catalog::store::values::bytes;
use crate::replicas::record::{self, LogRecord, RecordBody, TableRows};
use crate::replicas::{Appended, LogError, ReplicaLog};

/// What following the log has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtUp {
    /// This number of records was applied.
    Applied(u64),
    /// A copy of the whole catalog has to be installed before the catalog is opened.
    NeedsBase,
}

impl From<LogError> for CatalogError {
    fn from(error: LogError) -> Self {
        Self::LogAway(error.0)
    }
}

impl Catalog {
    /// Connects this catalog with a log: from now on, each transaction is recorded there before it is committed.
    ///
    /// # Errors
    /// The catalog cannot be read, or its place in the log has been damaged.
    pub fn replicate(&mut self, log: Box<dyn ReplicaLog>, node: &str, rendering: [u8; 32]) -> Result<()> {
        let tables = Table::all(&self.connection)?;
        capture::begin(&self.connection, &tables)?;
        let state = self.log_position()?;
        let node = node.to_owned();
        self.replication = Some(Replication {
            log,
            node,
            rendering,
            tables,
            state,
            next: None,
            last: None,
            is_first: None,
            attempted: None,
            was_superseded: false,
            looked_for_base: 0,
        });
        Ok(())
    }

    /// Whether changes are recorded in a log. A catalog whose log has no record yet waits for [`Catalog::found_log`].
    pub fn is_replicated(&self) -> bool {
        self.replication.as_ref().is_some_and(|replication| replication.state.lineage.is_some())
    }

    /// Whether the log has no record yet.
    pub fn awaits_founding(&self) -> bool {
        self.replication.as_ref().is_some_and(|replication| replication.state.lineage.is_none())
    }

    /// The number of the last record that is in this catalog.
    pub fn record_number(&self) -> Option<u64> {
        self.replication.as_ref().map(|replication| replication.state.number)
    }

    /// Whether this node created the last record that is in this catalog.
    pub fn has_created_last_record(&self) -> bool {
        self.replication.as_ref().is_none_or(|replication| replication.is_first.unwrap_or(true))
    }

    /// Whether another node makes other bytes from the same rows; its name.
    pub fn renders_differently(&self) -> Option<&str> {
        let replication = self.replication.as_ref()?;
        let (node, rendering) = replication.last.as_ref()?;
        (*rendering != replication.rendering).then_some(node)
    }

    fn log_position(&self) -> Result<LogPosition> {
        let wrong = || CatalogError::Damaged("its place in the log of replicas is not valid".to_owned());
        let Some(lineage) = self.meta(LINEAGE)? else {
            return Ok(LogPosition { lineage: None, number: 0, hash: [0; 32] });
        };
        let number = self.meta(NUMBER)?.unwrap_or_default();
        let hash = blake3::Hash::from_hex(self.meta(HASH)?.unwrap_or_default()).map_err(|_| wrong())?;
        Ok(LogPosition {
            lineage: Some(lineage.parse().map_err(|_| wrong())?),
            number: number.parse().map_err(|_| wrong())?,
            hash: *hash.as_bytes(),
        })
    }

    pub(super) fn set_log_position(&mut self, place: &LogPosition) -> Result<()> {
        self.set_meta(LINEAGE, &place.lineage.unwrap_or_default().to_string())?;
        self.set_meta(NUMBER, &place.number.to_string())?;
        self.set_meta(HASH, blake3::Hash::from_bytes(place.hash).to_hex().as_str())
    }

    /// Records the changes of the running transaction in the log. It may be committed after that, and only then.
    pub(in crate::catalog::store) fn record_changes(&mut self) -> Result<()> {
        let Some(mut replication) = self.replication.take() else { return Ok(()) };
        let recorded = self.record_changes_in(&mut replication);
        self.replication = Some(replication);
        recorded
    }

    fn record_changes_in(&mut self, replication: &mut Replication) -> Result<()> {
        replication.next = None;
        let Some(lineage) = replication.state.lineage else {
            return capture::discard(&self.connection);
        };
        let changes = capture::take(&self.connection, &replication.tables)?;
        if changes.is_empty() {
            return Ok(());
        }
        let number = replication.state.number + 1;
        let tables: Vec<&str> = changes.iter().map(|rows| rows.table.as_str()).collect();
        tracing::debug!(number, tables = tables.join(" "), "recording a transaction in the log of the replicas");
        let record = replication.record(lineage, RecordBody::Rows(changes));
        let bytes = record.to_bytes()?;
        replication.attempted = Some(record.nonce);
        match replication.log.append(number, &bytes)? {
            Appended::Created => {}
            Appended::Exists => {
                replication.was_superseded = true;
                return Err(CatalogError::Superseded);
            }
        }
        let place = LogPosition { lineage: Some(lineage), number, hash: record::hash(&bytes) };
        self.set_log_position(&place)?;
        replication.next = Some(place);
        Ok(())
    }

    /// The running transaction was committed.
    pub(in crate::catalog::store) fn changes_committed(&mut self) {
        let Some(replication) = &mut self.replication else { return };
        if let Some(place) = replication.next.take() {
            replication.state = place;
            replication.last = Some((replication.node.clone(), replication.rendering));
            replication.is_first = Some(true);
        }
    }

    /// Checks that the log has the last record as this catalog has applied it.
    ///
    /// # Errors
    /// The log is away, or was restored from an older backup.
    pub fn check_log(&mut self) -> Result<()> {
        let Some(replication) = &mut self.replication else { return Ok(()) };
        let LogPosition { lineage, number, hash } = replication.state;
        if lineage.is_none() {
            return Ok(());
        }
        let is_same = match replication.log.read(number)? {
            Some(bytes) => record::hash(&bytes) == hash,
            // It was removed after a copy of the catalog was made.
            None => replication.log.newest_base()? >= Some(number),
        };
        if is_same { Ok(()) } else { Err(other_record(&*replication.log, number)) }
    }

    /// Applies the records that this catalog lacks.
    ///
    /// # Errors
    /// The log is away, it is not the one that this catalog is a copy of, or the catalog cannot be written.
    pub fn catch_up(&mut self) -> Result<CaughtUp> {
        let Some(mut replication) = self.replication.take() else { return Ok(CaughtUp::Applied(0)) };
        let outcome = self.catch_up_with(&mut replication);
        self.replication = Some(replication);
        outcome
    }

    fn catch_up_with(&mut self, replication: &mut Replication) -> Result<CaughtUp> {
        let mut applied = 0;
        if replication.state.lineage.is_none() {
            let is_founded = replication.log.newest_base()?.is_some();
            return Ok(if is_founded { CaughtUp::NeedsBase } else { CaughtUp::Applied(0) });
        }
        while let Some(bytes) = replication.log.read(replication.state.number + 1)? {
            let record = LogRecord::from_bytes(&bytes).map_err(|error| CatalogError::LogRefused(error.0))?;
            replication.check(&record)?;
            let RecordBody::Rows(changes) = &record.body else { return Ok(CaughtUp::NeedsBase) };
            let place = LogPosition {
                lineage: replication.state.lineage,
                number: replication.state.number + 1,
                hash: record::hash(&bytes),
            };
            // The first record after a start may be one that this node could not commit. Later ones are recognised by their nonce, not by the name of the
            // node: names may be the same by mistake.
            let may_be_uncommitted = replication.last.is_none() && record.node == replication.node;
            let is_own = Some(record.nonce) == replication.attempted || may_be_uncommitted;
            self.apply(replication, changes, &place, is_own)?;
            replication.state = place;
            replication.last = Some((record.node, record.rendering));
            replication.is_first = Some(is_own);
            applied += 1;
        }
        // The next record exists, and was removed after a copy of the catalog was made.
        if std::mem::take(&mut replication.was_superseded)
            && applied == 0
            && replication.log.newest_base()? > Some(replication.state.number)
        {
            return Ok(CaughtUp::NeedsBase);
        }
        Ok(CaughtUp::Applied(applied))
    }

    /// Applies a record in a transaction of its own.
    fn apply(
        &mut self,
        replication: &Replication,
        changes: &[TableRows],
        place: &LogPosition,
        is_own: bool,
    ) -> Result<()> {
        let tables = &replication.tables;
        // Without the connection to the log, the transaction is not recorded again.
        self.transaction(|catalog| {
            for number in apply::write(&catalog.connection, tables, changes, is_own)? {
                catalog.note_identity(number);
            }
            capture::discard(&catalog.connection)?;
            catalog.set_log_position(place)
        })?;
        self.load_namespace()
    }

    /// Whether the file at `path` still has bytes that another node has superseded: this node's copy of the folder is behind.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn is_behind(&self, path: &Path, hash: &[u8; 32]) -> Result<bool> {
        if self.replication.is_none() {
            return Ok(false);
        }
        // The file may have such bytes again in the newest state of the folder, too.
        let sql = "
            SELECT 1 FROM behind WHERE path = ?1 AND hash = ?2
            AND NOT EXISTS (SELECT 1 FROM article WHERE article.path = ?1 AND state < 2 AND file_hash = ?2)";
        let path = bytes(path);
        Ok(self.connection.prepare_cached(sql)?.exists(params![path, hash])?)
    }

    /// Records that the file at `path` no longer has such bytes.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn note_level(&mut self, path: &Path) -> Result<()> {
        if self.replication.is_none() {
            return Ok(());
        }
        let path = bytes(path);
        self.connection.prepare_cached("DELETE FROM behind WHERE path = ?1")?.execute([path])?;
        Ok(())
    }

    /// Whether this node has seen the file of an article as it is recorded. A node declares only such a file gone.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn has_seen(&self, path: &Path) -> Result<bool> {
        if self.replication.is_none() {
            return Ok(true);
        }
        let sql = "SELECT inode <> 0 FROM article WHERE path = ?1 AND state < 2";
        let path = bytes(path);
        let seen = self.connection.prepare_cached(sql)?.query_row([path], |row| row.get(0)).optional()?;
        Ok(seen.unwrap_or(false))
    }
}
