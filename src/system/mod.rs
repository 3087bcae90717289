//! The host: listening sockets, systemd.

pub mod sockets;

pub mod systemd;
