//! HTTP from the current snapshot: accepts connections, reads requests, sends the responses that [`respond`] makes. Accesses
//! files and the catalog only through [`OnDemand`].

mod acceptor;
mod access_log;
pub mod admin;
pub mod body;
mod client;
mod conditional;
mod connections;
mod fields;
pub mod host;
mod negotiate;
mod old_addresses;
mod prepared_head;
mod range;
mod rate_limit;
mod renders;
mod requests;
pub mod respond;
mod stream;
mod validators;

use std::io;
use std::num::NonZero;
use std::sync::{Arc, mpsc as blocking};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::config::Http;
use crate::observe::Observers;
use crate::observe::heartbeat::Heartbeats;
use crate::render::on_demand::OnDemand;
use crate::render::snapshot::Current;
use crate::system::sockets::{Listener, Sockets, check_free_descriptors, raise_descriptors};
use crate::system::threads;
use acceptor::Acceptor;
use connections::{ConnectionLimits, Connections};
use requests::{ReadPools, Sources, SourcesWiring};
use respond::ResponsePolicy;
use stream::AsyncListener;

/// File descriptors that must be free after a serving thread has its own: those of the signals, the watch, the catalog and a file of each
/// kind, and of a few clients.
const FREE_DESCRIPTORS: usize = 16;

/// State shared by all connections.
#[derive(Debug)]
pub struct Server {
    sources: Arc<ArcSwap<Sources>>,
    connections: Arc<Connections>,
    acceptor: Arc<Acceptor<Arc<ArcSwap<Sources>>>>,
    heartbeats: Heartbeats,
    wiring: SourcesWiring,
}

/// Stages of serving, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    /// Serving threads are being started.
    Preparing,
    Accepting,
    Finishing,
    Ended,
}

impl Server {
    /// Serves `current` with a policy, and through `on_demand` the documents that `current` does not hold.
    pub fn new(
        current: Current,
        on_demand: OnDemand,
        http: &Http,
        policy: ResponsePolicy,
        observers: &Observers,
    ) -> Self {
        let limits = ConnectionLimits::new(http, raise_descriptors());
        let wiring = SourcesWiring { pools: ReadPools::start(), metrics: observers.metrics.clone() };
        let sources = Sources::new(current, on_demand, policy, http, wiring.clone(), None);
        let sources = Arc::new(ArcSwap::from_pointee(sources));
        let connections = Arc::new(Connections::new(limits, observers.metrics.clone()));
        let acceptor = Arc::new(Acceptor::new(sources.clone(), connections.clone()));
        Self { sources, connections, acceptor, heartbeats: observers.heartbeats.clone(), wiring }
    }

    /// Applies another configuration from the next request on. Open connections stay open.
    pub fn reconfigure(&self, current: Current, on_demand: OnDemand, http: &Http, policy: ResponsePolicy) {
        self.connections.set_limits(ConnectionLimits::new(http, raise_descriptors()));
        let previous = self.sources.load();
        let sources = Sources::new(current, on_demand, policy, http, self.wiring.clone(), Some(&previous));
        self.sources.store(Arc::new(sources));
    }

    /// Starts one thread for each core, each with all sockets: a free thread takes the next connection, and no request crosses threads.
    /// None accepts a connection before [`Server::run`]: clients may take all file descriptors that the others need.
    ///
    /// # Errors
    /// Not even one thread can be started.
    pub fn start_threads(self: &Arc<Self>, sockets: &Sockets) -> anyhow::Result<ServingThreads> {
        let (stage, stages) = watch::channel(Stage::Preparing);
        let (accepting, accepting_ended) = mpsc::channel(1);
        let (running, all_ended) = mpsc::channel(1);
        let mut threads = Vec::new();
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let worker = Worker { server: self.clone(), stages: stages.clone(), accepting: accepting.clone() };
            match worker.start(sockets, running.clone()) {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => {
                    return Err(error.context("too few open files or threads are allowed (LimitNOFILE=, TasksMax=)"));
                }
                Err(error) => {
                    let threads = threads.len();
                    tracing::warn!(error = format!("{error:#}"), threads, "fewer threads serve than there are cores");
                    break;
                }
            }
        }
        Ok(ServingThreads { threads, stage, accepting_ended, all_ended })
    }

    /// Accepts connections until `stop` completes, then lets responses in flight finish within `http.stop_timeout`.
    ///
    /// # Errors
    /// A serving thread has failed.
    pub async fn run(
        self: Arc<Self>,
        threads: ServingThreads,
        sockets: Sockets,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let server = self;
        let ServingThreads { threads, stage, mut accepting_ended, mut all_ended } = threads;
        let _ = stage.send(Stage::Accepting);
        tokio::select! {
            () = stop => {}
            () = server.connections.enforce_limits() => {}
            () = server.probe_disk() => {}
            _ = accepting_ended.recv() => anyhow::bail!("all serving threads have ended: please report this"),
        }
        // New connections stop before old ones are drained; otherwise one could be missed.
        let _ = stage.send(Stage::Finishing);
        let _ = accepting_ended.recv().await;
        drop(sockets);
        let finish = async {
            tokio::select! {
                () = server.connections.drain() => {}
                () = server.connections.enforce_limits() => {}
            }
        };
        let stop_timeout = server.sources.load().stop_timeout;
        if tokio::time::timeout(stop_timeout, finish).await.is_err() {
            let seconds = stop_timeout.as_secs();
            tracing::warn!(seconds, "connections were cut off: they were still busy when http.stop_timeout ran out");
        }
        let _ = stage.send(Stage::Ended);
        let _ = all_ended.recv().await;
        let joined = threads.into_iter().try_for_each(JoinHandle::join);
        joined.map_err(|_| anyhow::anyhow!("a serving thread panicked: please report this"))
    }

    /// Probes the read-only access to the disk at each heartbeat. Never ends.
    async fn probe_disk(&self) {
        let heartbeat = self.heartbeats.register("reading for requests");
        loop {
            let sources = self.sources.load_full();
            // An error is progress as well; only a probe that never returns is a stall.
            let _ = sources.probe().await;
            heartbeat.beat();
            tokio::time::sleep(heartbeat.interval()).await;
        }
    }
}

/// The threads that serve. Dropping it ends those that have not accepted connections yet.
#[derive(Debug)]
pub struct ServingThreads {
    threads: Vec<JoinHandle<()>>,
    stage: watch::Sender<Stage>,
    /// Closed when no thread accepts connections any more.
    accepting_ended: mpsc::Receiver<()>,
    /// Closed when all threads have ended.
    all_ended: mpsc::Receiver<()>,
}

/// A serving thread.
struct Worker {
    server: Arc<Server>,
    stages: watch::Receiver<Stage>,
    /// Dropped when this thread accepts no more connections.
    accepting: mpsc::Sender<()>,
}

impl Worker {
    /// Starts the thread. It has all that it needs when this returns, accepts connections from the next stage on, and drops `running` when
    /// it ends.
    fn start(self, sockets: &Sockets, running: mpsc::Sender<()>) -> anyhow::Result<JoinHandle<()>> {
        let listeners: io::Result<Vec<Listener>> = sockets.listeners().iter().map(Listener::try_clone).collect();
        let listeners = listeners.context("cannot use the listening sockets")?;
        let (sender, prepared) = blocking::channel();
        let run = move || {
            let _running = running;
            let prepare = || {
                let runtime = threads::runtime()?;
                check_free_descriptors(&listeners, FREE_DESCRIPTORS).map(|()| runtime)
            };
            let runtime = match prepare() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let _ = sender.send(Ok(()));
            runtime.block_on(self.run(listeners));
            drop(runtime);
        };
        let thread = thread::Builder::new().name("serve".into()).spawn(run).context("cannot start a thread")?;
        prepared.recv()?.context("cannot start a serving thread")?;
        Ok(thread)
    }

    async fn run(self, listeners: Vec<Listener>) {
        let Self { server, mut stages, accepting } = self;
        if stages.wait_for(|stage| *stage >= Stage::Accepting).await.is_err() {
            return;
        }
        let heartbeat = server.heartbeats.register("serving");
        tokio::spawn(async move {
            loop {
                heartbeat.beat();
                tokio::time::sleep(heartbeat.interval()).await;
            }
        });
        let mut loops = JoinSet::new();
        for listener in listeners {
            let (acceptor, mut stages) = (server.acceptor.clone(), stages.clone());
            loops.spawn(async move {
                let listener = match AsyncListener::try_from(listener) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "cannot use a listening socket"),
                };
                let finishing = async {
                    let _ = stages.wait_for(|stage| *stage >= Stage::Finishing).await;
                };
                acceptor.run(listener, finishing).await;
            });
        }
        loops.join_all().await;
        drop(accepting);
        // An error means that the sender was dropped, which ends this thread as well.
        let _ = stages.wait_for(|stage| *stage == Stage::Ended).await;
    }
}
