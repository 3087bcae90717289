//! What an operator sees of the daemon: log, metrics, status and heartbeats.

pub mod line_writer;

pub mod log;

pub mod metrics;

pub mod status;

pub mod heartbeat;
