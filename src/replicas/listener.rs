//! Waits for new records, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::log::ReplicaLog;

/// Longest wait for a record. Then the writer looks, too: a log that was away may be back.
const WAIT: Duration = Duration::from_secs(1);

/// Pause while the writer has not applied a record that is there.
const PAUSE: Duration = Duration::from_millis(100);

/// The number of the last record that the catalog has, and of the last one that no node needs. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct LogProgress(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    applied: AtomicU64,
    unneeded: AtomicU64,
}

impl LogProgress {
    /// Sets the number.
    pub fn set(&self, number: u64) {
        self.0.applied.store(number, Ordering::Relaxed);
    }

    /// Returns the number.
    pub fn get(&self) -> u64 {
        self.0.applied.load(Ordering::Relaxed)
    }

    /// Has the records up to `number` removed, for which a copy of the catalog stands.
    pub fn trim(&self, number: u64) {
        self.0.unneeded.store(number, Ordering::Relaxed);
    }
}

/// Waits for the record after the last one, and calls `wake` for it, and after an error. Ends once `wake` returns false.
///
/// # Errors
/// The thread cannot be started.
pub fn start(
    mut log: Box<dyn ReplicaLog>,
    progress: LogProgress,
    mut wake: impl FnMut() -> bool + Send + 'static,
) -> std::io::Result<()> {
    let listen = move || {
        let mut awaited = 0;
        while wake() {
            let next = progress.get() + 1;
            // The writer could not apply it, or has not yet: it is not asked for all the time.
            if std::mem::replace(&mut awaited, next) == next && matches!(log.read(next), Ok(Some(_))) {
                std::thread::sleep(PAUSE);
            }
            // Here, because it takes long.
            let unneeded = progress.0.unneeded.swap(0, Ordering::Relaxed);
            let trimmed = if unneeded > 0 { log.trim(unneeded) } else { Ok(()) };
            if let Err(error) = &trimmed {
                tracing::debug!(%error, "cannot remove old records; the next copy of the catalog does it");
            }
            if trimmed.is_err() || log.wait(next, WAIT).is_err() {
                std::thread::sleep(WAIT);
            }
        }
    };
    std::thread::Builder::new().name("log".into()).spawn(listen).map(drop)
}
