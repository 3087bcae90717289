//! The host: listening sockets, systemd, threads for work that blocks, and the journal of what the last process did not survive.

pub mod reading_journal;
pub mod sockets;

pub mod systemd;

pub mod threads;
