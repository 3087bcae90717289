//! The host: listening sockets, systemd, and the journal of what the last process did not survive.

pub mod reading_journal;
pub mod sockets;

pub mod systemd;
