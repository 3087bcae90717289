//! The numbered log that replicas share: where it is stored, and what a record of it says.
//!
//! Each record holds the changes of one transaction of the catalog. **Creating record n+1, which only one node can, is order, lock and
//! fence at once**: there is no leader, no vote and no clock. The engine that stores the log guarantees the exclusive creation.
//!
//! [`ReplicaLog`] is what an engine must be able to do; each other file but `record` is one engine.

pub mod listener;
mod log;
pub mod memory;
pub mod record;
pub mod shared_folder;

pub use listener::LogProgress;
pub use log::{Appended, LogError, LogResult, ReplicaLog};

use std::path::Path;

/// Opens the log at an address: a path of a shared folder.
///
/// # Errors
/// The address is wrong.
pub fn open(address: &str) -> LogResult<Box<dyn ReplicaLog>> {
    if Path::new(address).is_absolute() {
        return Ok(Box::new(shared_folder::SharedFolderLog::new(Path::new(address))));
    }
    Err(LogError("the log of replicas is an absolute path of a shared folder, postgres://… or s3://…".to_owned()))
}
