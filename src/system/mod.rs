//! The host: listening sockets, systemd, threads for work that blocks.

pub mod sockets;

pub mod systemd;

pub mod threads;
