//! The host: listening sockets, identities of files, systemd, threads for work that blocks, and the journal of what the last process
//! did not survive.

pub mod file_identity;
pub mod reading_journal;
pub mod sockets;

pub mod systemd;

pub mod threads;
