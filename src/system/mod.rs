//! The host: listening sockets, identities of files, systemd, threads for work that blocks, the journal of what the last process
//! did not survive, and what differs between operating systems.

pub mod file_identity;
pub mod platform;
pub mod reading_journal;
pub mod sockets;

pub mod systemd;

pub mod threads;
