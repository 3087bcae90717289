//! The numbered log that replicas share: where it is stored, and what a record of it says.
//!
//! Each record holds the changes of one transaction of the catalog. **Creating record n+1, which only one node can, is order, lock and
//! fence at once**: there is no leader, no vote and no clock. The engine that stores the log guarantees the exclusive creation.
//!
//! [`ReplicaLog`] is what an engine must be able to do; each other file but `record` and `listener` is one engine. [`open`] chooses it.

pub mod listener;
mod log;
pub mod memory;
#[cfg(feature = "object-storage")]
pub mod object_storage;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod record;
pub mod shared_folder;

use std::path::Path;

pub use listener::LogProgress;
pub use log::{Appended, LogError, LogResult, ReplicaLog};

/// Opens the log at an address: a path of a shared folder, `postgres://…` or `s3://…`. A database or bucket is reached only when the log
/// is first used.
///
/// # Errors
/// The address is wrong, or needs a feature that this program was built without.
pub fn open(address: &str) -> LogResult<Box<dyn ReplicaLog>> {
    let kind = address.split_once("://").map(|(kind, _)| kind);
    match kind {
        None if Path::new(address).is_absolute() => {
            Ok(Box::new(shared_folder::SharedFolderLog::new(Path::new(address))))
        }
        Some("postgres" | "postgresql") => open_postgres(address),
        Some("s3") => open_object_storage(address),
        // The address itself is not repeated: it may have a password.
        _ => Err(LogError(
            "the log of replicas is an absolute path of a shared folder, postgres://… or s3://…".to_owned(),
        )),
    }
}

#[cfg(feature = "postgres")]
fn open_postgres(address: &str) -> LogResult<Box<dyn ReplicaLog>> {
    Ok(Box::new(postgres::PostgresLog::new(address)?))
}

#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &str) -> LogResult<Box<dyn ReplicaLog>> {
    Err(lacks("PostgreSQL", "postgres"))
}

#[cfg(feature = "object-storage")]
fn open_object_storage(address: &str) -> LogResult<Box<dyn ReplicaLog>> {
    Ok(Box::new(object_storage::ObjectStorageLog::new(address)?))
}

#[cfg(not(feature = "object-storage"))]
fn open_object_storage(_: &str) -> LogResult<Box<dyn ReplicaLog>> {
    Err(lacks("object storage", "object-storage"))
}

#[cfg(not(all(feature = "postgres", feature = "object-storage")))]
fn lacks(kind: &str, feature: &str) -> LogError {
    LogError(format!(
        "this program was built without {kind}: use a package, or build it with `cargo build --release --features {feature}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_chooses_the_engine() {
        assert_eq!(open("/srv/log").unwrap().place(), "the shared folder /srv/log");
        for wrong in ["srv/log", "", "mysql://me:secret@localhost/news", "file:///srv/log"] {
            let error = open(wrong).unwrap_err().0;
            assert!(error.contains("absolute path") && !error.contains("secret"), "{wrong}: {error}");
        }
        for (address, feature, is_there) in [
            ("postgres://me@localhost/news", "postgres", cfg!(feature = "postgres")),
            ("postgresql://me@localhost/news", "postgres", cfg!(feature = "postgres")),
            ("s3://bucket/prefix", "object-storage", cfg!(feature = "object-storage")),
        ] {
            match open(address) {
                Ok(_) => assert!(is_there, "{address}"),
                Err(error) => {
                    let help = format!("--features {feature}");
                    assert!(!is_there && error.0.contains(&help), "{address}: {error}");
                }
            }
        }
    }
}
