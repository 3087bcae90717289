//! The state of a catalog that is connected with a log of replicas.

use uuid::Uuid;

use super::error::{CatalogError, Result};
use super::migrations::MIGRATIONS;
use super::replicated_tables::Table;
use crate::replicas::ReplicaLog;
use crate::replicas::record::{LogRecord, RecordBody};

/// The connection of a catalog with its log.
#[derive(Debug)]
pub(super) struct Replication {
    pub log: Box<dyn ReplicaLog>,
    /// The name of this node.
    pub node: String,
    /// Determines which bytes this node makes from the rows.
    pub rendering: [u8; 32],
    pub tables: Vec<Table>,
    pub state: LogPosition,
    /// The state once the running transaction is committed.
    pub next: Option<LogPosition>,
    /// The node that created the last record, and what its bytes are made with.
    pub last: Option<(String, [u8; 32])>,
    /// This process created the last record; `None` without one since it was started.
    pub is_first: Option<bool>,
    /// The record that this process tried to create last.
    pub attempted: Option<Uuid>,
    /// Another node had created the record that this one was about to create.
    pub was_superseded: bool,
    /// The record at which the newest copy of the catalog was last looked for.
    pub looked_for_base: u64,
}

/// The place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogPosition {
    /// `None` until the log has its first record.
    pub lineage: Option<Uuid>,
    pub number: u64,
    pub hash: [u8; 32],
}

impl Replication {
    pub fn record(&self, lineage: Uuid, body: RecordBody) -> LogRecord {
        LogRecord {
            lineage,
            previous: self.state.hash,
            node: self.node.clone(),
            nonce: Uuid::new_v4(),
            schema: u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX),
            rendering: self.rendering,
            body,
        }
    }

    /// Checks that a record follows the last one.
    pub fn check(&self, record: &LogRecord) -> Result<()> {
        let schema = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
        let refused = |why: String| Err(CatalogError::LogRefused(why));
        if Some(record.lineage) != self.state.lineage {
            return Err(other_lineage(&*self.log));
        }
        // The columns of an older one are compared when it is applied.
        if record.schema > schema {
            let (theirs, node) = (record.schema, &record.node);
            return refused(format!(
                "the node {node} writes schema {theirs}, and this program knows {schema}: run the same version on all nodes"
            ));
        }
        if record.previous != self.state.hash {
            return Err(other_record(&*self.log, self.state.number));
        }
        Ok(())
    }
}

/// The error of a log whose record `number` is not the one that this node has applied.
pub(super) fn other_record(log: &dyn ReplicaLog, number: u64) -> CatalogError {
    CatalogError::LogRefused(format!(
        "{} has no record {number} as this node has applied it: it is another log, or was restored from an older backup",
        log.place()
    ))
}

/// The error of a log that this node has not followed.
pub(super) fn other_lineage(log: &dyn ReplicaLog) -> CatalogError {
    CatalogError::LogRefused(format!("{} holds another log than the one that this node has followed", log.place()))
}
