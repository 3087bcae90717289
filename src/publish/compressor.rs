//! Compresses the current snapshot on a thread of its own. Until a variant is ready, clients get the plain bytes; a newer snapshot replaces
//! the one in progress.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::render::snapshot::Snapshot;

/// The state that the thread shares with its owner.
#[derive(Debug, Default)]
struct Work {
    /// The newest snapshot, until its compression begins.
    next: Option<Arc<Snapshot>>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct SharedWork {
    work: Mutex<Work>,
    changed: Condvar,
}

impl SharedWork {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next snapshot; `None` at the end.
    fn next(&self) -> Option<Arc<Snapshot>> {
        let idle = |work: &mut Work| work.next.is_none() && !work.is_over;
        let mut work = self.changed.wait_while(self.work(), idle).unwrap_or_else(PoisonError::into_inner);
        work.next.take().filter(|_| !work.is_over)
    }

    /// Returns whether the snapshot in progress is still the newest.
    fn is_current(&self) -> bool {
        let work = self.work();
        work.next.is_none() && !work.is_over
    }
}

/// Handle of the compressor thread. Dropping it ends the thread.
#[derive(Debug, Default)]
pub struct Compressor {
    shared: Arc<SharedWork>,
    thread: Option<JoinHandle<()>>,
}

impl Compressor {
    /// Starts the thread. Without one, nothing is compressed.
    pub fn start() -> Self {
        let shared = Arc::new(SharedWork::default());
        let thread_shared = Arc::clone(&shared);
        let work = move || {
            while let Some(snapshot) = thread_shared.next() {
                snapshot.compress(|| thread_shared.is_current());
            }
        };
        let thread = std::thread::Builder::new().name("compress".into()).spawn(work);
        let warn =
            |error: &_| tracing::warn!(%error, "cannot start the compressor thread; feeds are served uncompressed");
        Self { shared, thread: thread.inspect_err(warn).ok() }
    }

    /// Compresses a snapshot next, instead of any before it.
    pub fn compress(&self, snapshot: Arc<Snapshot>) {
        self.shared.work().next = Some(snapshot);
        self.shared.changed.notify_one();
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.shared.work().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // The panic hook has logged a panic.
            let _ = thread.join();
        }
    }
}
