//! The host: listening sockets, identities of files, systemd, threads for work that blocks, the journal of what the last process
//! did not survive, and what differs between operating systems; object storage elsewhere.

pub mod file_identity;
#[cfg(feature = "object-storage")]
pub mod object_storage;
pub mod platform;
pub mod reading_journal;
pub mod sockets;

pub mod systemd;

pub mod threads;
#[cfg(any(feature = "postgres", feature = "object-storage"))]
pub mod tls;
