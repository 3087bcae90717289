//! Renders documents on demand: each once, however many clients ask for it, on few threads, with a bounded queue and a deadline.
//!
//! Only a thread that reads, renders or compresses has a place; waiting for one, for the texts of articles or for another request's
//! render takes no thread.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::{Semaphore, watch};

use crate::model::moment::Version;
use crate::model::near::WantedName;
use crate::render::on_demand::{Edition, Lookup, Obstacle, OnDemand, Route};
use crate::system::threads::{WorkError, WorkPool};

/// Maximum number of threads that render. A render may hold tens of megabytes.
const MAX_THREADS: usize = 4;
/// Maximum number of documents that are rendered or wait for that.
const MAX_RENDERS: usize = 1024;
/// Longest wait of a client for its document to be rendered.
const RENDER_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of searches for articles near to an address that leads nowhere.
const MAX_SEARCHES: usize = 1;
/// Maximum number of waits for texts for one document: once the length of a text is known, another article may become part of it.
const MAX_READS: usize = 10;

/// Starts the threads that render: half as many as there are cores, so that documents in memory are served beside them.
pub fn pool() -> WorkPool {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    WorkPool::start("render", (cores / 2).clamp(1, MAX_THREADS))
}

/// The result of a render.
#[derive(Debug, Clone)]
pub enum RenderOutcome {
    Found(Lookup),
    /// The document cannot be rendered; the reason is logged.
    Failed,
    /// Too many documents are waiting or held by slow clients, or the document was not ready in time.
    Busy,
}

type OutcomeSender = watch::Sender<Option<RenderOutcome>>;
type OutcomeReceiver = watch::Receiver<Option<RenderOutcome>>;

/// A render in progress.
#[derive(Debug)]
struct Render {
    number: u64,
    version: Version,
    outcome: OutcomeSender,
}

/// The renders in progress.
#[derive(Debug, Default)]
struct RenderTable {
    next: u64,
    renders: HashMap<Route, Render>,
}

type SharedTable = Arc<Mutex<RenderTable>>;

fn lock(table: &SharedTable) -> MutexGuard<'_, RenderTable> {
    // A panic leaves the table consistent: each operation on it is complete or has not begun.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes a render from the table when it ends, also if its task is dropped.
struct TableEntry {
    table: SharedTable,
    route: Route,
    number: u64,
}

impl TableEntry {
    /// Removes the render if no client waits for it. Returns whether it did.
    fn abandon(&self, outcome: &OutcomeSender) -> bool {
        let mut table = lock(&self.table);
        let is_unwanted = outcome.receiver_count() == 0;
        if is_unwanted {
            table.renders.remove(&self.route);
        }
        is_unwanted
    }

    /// Waits until no client waits for the render any more, then removes it.
    async fn abandoned(&self, outcome: &OutcomeSender) {
        loop {
            outcome.closed().await;
            if self.abandon(outcome) {
                return;
            }
        }
    }
}

impl Drop for TableEntry {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        // An abandoned render may have a successor.
        if table.renders.get(&self.route).is_some_and(|render| render.number == self.number) {
            table.renders.remove(&self.route);
        }
    }
}

/// Renders the documents of one site.
#[derive(Debug, Clone)]
pub struct Renders {
    on_demand: Arc<OnDemand>,
    pool: WorkPool,
    table: SharedTable,
    timeout: Duration,
    /// The only place of a search for near articles.
    search: Arc<Semaphore>,
}

impl Renders {
    /// Renders what `on_demand` finds, on the threads of `pool`.
    pub fn new(on_demand: Arc<OnDemand>, pool: WorkPool) -> Self {
        let search = Arc::new(Semaphore::new(MAX_SEARCHES));
        Self { on_demand, pool, table: SharedTable::default(), timeout: RENDER_TIMEOUT, search }
    }

    /// Returns the document of a route as it was at a moment, or later.
    pub async fn find(&self, route: &Route, edition: impl Into<Edition>) -> RenderOutcome {
        let edition = edition.into();
        if let Some(document) = self.on_demand.cached(route, edition.moment.version) {
            return RenderOutcome::Found(Lookup::Document(document));
        }
        let rendered = tokio::time::timeout(self.timeout, self.render(route, &edition));
        rendered.await.unwrap_or(RenderOutcome::Busy)
    }

    /// Joins the render of the route, or begins one.
    async fn render(&self, route: &Route, edition: &Edition) -> RenderOutcome {
        loop {
            let Some((version, mut outcome)) = self.join(route, edition) else { return RenderOutcome::Busy };
            let outcome = outcome.wait_for(Option::is_some).await.map_or(None, |outcome| outcome.clone());
            // A render of an older version may lack what this client has seen elsewhere.
            if version >= edition.moment.version {
                return outcome.unwrap_or(RenderOutcome::Failed);
            }
        }
    }

    /// Returns the outcome of the render of a route, and its version. Returns `None` if there are too many renders.
    fn join(&self, route: &Route, edition: &Edition) -> Option<(Version, OutcomeReceiver)> {
        let mut table = lock(&self.table);
        if let Some(render) = table.renders.get(route) {
            return Some((render.version, render.outcome.subscribe()));
        }
        if table.renders.len() >= MAX_RENDERS {
            return None;
        }
        let (sender, receiver) = watch::channel(None);
        let number = table.next;
        table.next += 1;
        let version = edition.moment.version;
        table.renders.insert(route.clone(), Render { number, version, outcome: sender.clone() });
        drop(table);
        let entry = TableEntry { table: self.table.clone(), route: route.clone(), number };
        let (renders, edition) = (self.clone(), edition.clone());
        // A task of its own: the other clients wait for it, also when the first one has left.
        tokio::spawn(async move {
            let outcome = renders.outcome(&entry, &edition, &sender).await;
            // Clients that come later find the document in the cache.
            drop(entry);
            sender.send_replace(Some(outcome));
        });
        Some((version, receiver))
    }

    async fn outcome(&self, entry: &TableEntry, edition: &Edition, sender: &OutcomeSender) -> RenderOutcome {
        for _ in 0..MAX_READS {
            let place = tokio::select! {
                place = self.pool.place() => place,
                () = entry.abandoned(sender) => return RenderOutcome::Busy,
            };
            let Ok(place) = place else { return RenderOutcome::Failed };
            let (on_demand, route) = (self.on_demand.clone(), entry.route.clone());
            let edition = Edition { now: SystemTime::now().into(), ..edition.clone() };
            let unread = match self.pool.run(place, move || on_demand.find(&route, edition)).await {
                Ok(Ok(lookup)) => return RenderOutcome::Found(lookup),
                Ok(Err(Obstacle::Unread(numbers))) => numbers,
                Ok(Err(Obstacle::Library(error))) => {
                    tracing::error!(%error, "cannot render a document");
                    return RenderOutcome::Failed;
                }
                // The pool has logged a lack of threads.
                Ok(Err(Obstacle::NoMemory)) | Err(WorkError::NoThread(_)) => return RenderOutcome::Busy,
                Err(error) => {
                    tracing::error!(%error, "cannot render a document");
                    return RenderOutcome::Failed;
                }
            };
            let are_read = tokio::select! {
                are_read = self.on_demand.read_texts(&unread) => are_read,
                () = entry.abandoned(sender) => return RenderOutcome::Busy,
            };
            if !are_read {
                break;
            }
        }
        RenderOutcome::Found(Lookup::NotYet)
    }

    /// Returns the page of a 404 with articles whose names are near to the path that was requested. Returns `None` if none is near, if the
    /// path is none of a page, or if another search is running: a flood of such requests costs no more than one of them.
    pub async fn missing_near(&self, path: &str, edition: Edition) -> Option<Bytes> {
        let wanted = WantedName::of(path)?;
        let search = self.search.clone().try_acquire_owned().ok()?;
        let place = tokio::time::timeout(self.timeout, self.pool.place()).await.ok()?.ok()?;
        let on_demand = self.on_demand.clone();
        let work = move || {
            // It is held until the search ends, also when its client has left.
            let _search = search;
            on_demand.missing_near(&wanted, edition)
        };
        match self.pool.run(place, work).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                tracing::error!(%error, "cannot render a document");
                None
            }
            // The page without them is served.
            Err(_) => None,
        }
    }

    /// Returns whether documents can be read from the disk. Takes precedence over all renders that wait.
    pub async fn probe(&self) -> bool {
        let on_demand = self.on_demand.clone();
        self.pool.run_first(move || on_demand.is_readable()).await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests;
