//! Makes the coded forms of what is served, on a thread of its own: whoever asks before gets the bytes as they are, and the next change
//! does not wait for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::render::snapshot::Snapshot;

/// What is to be done.
#[derive(Debug, Default)]
struct Work {
    /// The newest version, until it is begun.
    next: Option<Arc<Snapshot>>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Desk {
    work: Mutex<Work>,
    news: Condvar,
}

impl Desk {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest version, once there is one; `None` when it is over.
    fn next(&self) -> Option<Arc<Snapshot>> {
        let idle = |work: &mut Work| work.next.is_none() && !work.is_over;
        let mut work = self.news.wait_while(self.work(), idle).unwrap_or_else(PoisonError::into_inner);
        work.next.take().filter(|_| !work.is_over)
    }

    /// Whether the version at hand is still the newest.
    fn goes_on(&self) -> bool {
        let work = self.work();
        work.next.is_none() && !work.is_over
    }
}

/// Whoever makes coded forms. Dropping it ends it.
#[derive(Debug, Default)]
pub struct Compressor {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Compressor {
    /// Starts with its thread; where there can be none, nothing is coded.
    pub fn start() -> Self {
        let desk = Arc::new(Desk::default());
        let at_desk = Arc::clone(&desk);
        let work = move || {
            while let Some(snapshot) = at_desk.next() {
                snapshot.compress(|| at_desk.goes_on());
            }
        };
        let thread = std::thread::Builder::new().name("code".into()).spawn(work);
        let told =
            |error: &_| tracing::warn!(%error, "cannot start the compressor thread; feeds are served uncompressed");
        Self { desk, thread: thread.inspect_err(told).ok() }
    }

    /// Makes the coded forms of a version, instead of those before it.
    pub fn code(&self, snapshot: Arc<Snapshot>) {
        self.desk.work().next = Some(snapshot);
        self.desk.news.notify_one();
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.desk.work().is_over = true;
        self.desk.news.notify_one();
        if let Some(thread) = self.thread.take() {
            // What it panicked of, it has said.
            let _ = thread.join();
        }
    }
}
