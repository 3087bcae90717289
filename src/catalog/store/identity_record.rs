//! The state of the second record of identity.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::catalog::identity_log::{IdentityLog, LogExtent};

/// The second record of identity, and the changes that it lacks.
#[derive(Debug)]
pub(super) struct IdentityRecord {
    pub log: IdentityLog,
    /// Its size; `None` if the whole record must be written again.
    pub extent: Option<LogExtent>,
    /// Numbers of articles whose identity has changed in the running transaction.
    pub changed: BTreeSet<i64>,
    /// Ids that were retired in the running transaction.
    pub retired: Vec<String>,
    /// It could not be written; the next attempt follows then.
    pub retry_at: Option<Instant>,
}

/// The lines that a transaction appends to the record.
#[derive(Debug)]
pub(super) struct NewLines {
    pub text: String,
    pub extent: LogExtent,
}
