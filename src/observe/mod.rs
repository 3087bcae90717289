//! What an operator sees of the daemon: log, metrics, status and heartbeats.

pub mod line_writer;

pub mod log;

pub mod metrics;

pub mod status;

pub mod heartbeat;

use heartbeat::Heartbeats;
use metrics::Metrics;
use status::StatusBoard;

/// Where the parts of a daemon report, beside the log. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Observers {
    pub metrics: Metrics,
    pub status: StatusBoard,
    pub heartbeats: Heartbeats,
}
