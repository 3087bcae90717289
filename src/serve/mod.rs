//! HTTP from the current snapshot: accepts connections, reads requests, sends the responses that [`respond`] makes. Accesses
//! files and the catalog only through [`OnDemand`].

mod acceptor;
mod access_log;
pub mod admin;
pub mod body;
mod client;
mod conditional;
mod connections;
pub mod host;
mod negotiate;
mod range;
mod rate_limit;
mod renders;
mod requests;
pub mod respond;
mod stream;

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::config::Http;
use crate::observe::Observers;
use crate::observe::heartbeat::Heartbeats;
use crate::render::on_demand::OnDemand;
use crate::render::snapshot::Current;
use crate::system::sockets::{Listener, Sockets, raise_descriptors};
use crate::system::threads;
use acceptor::Acceptor;
use connections::{ConnectionLimits, Connections};
use requests::{ReadPools, Sources, SourcesWiring};
use respond::ResponsePolicy;
use stream::AsyncListener;

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
    /// Serves `current` below `base_url`, and through `on_demand` the documents that `current` does not hold.
    pub fn new(current: Current, on_demand: OnDemand, http: &Http, base_url: &str, observers: &Observers) -> Self {
        let policy = ResponsePolicy::new(base_url, http.max_age.0);
        let limits = ConnectionLimits::new(http, raise_descriptors());
        let wiring = SourcesWiring { pools: ReadPools::start(), metrics: observers.metrics.clone() };
        let sources = Sources::new(current, on_demand, policy, http, wiring.clone(), None);
        let sources = Arc::new(ArcSwap::from_pointee(sources));
        let connections = Arc::new(Connections::new(limits, observers.metrics.clone()));
        let acceptor = Arc::new(Acceptor::new(sources.clone(), connections.clone()));
        Self { sources, connections, acceptor, heartbeats: observers.heartbeats.clone(), wiring }
    }

    /// Applies another configuration from the next request on. Open connections stay open.
    pub fn reconfigure(&self, current: Current, on_demand: OnDemand, http: &Http, base_url: &str) {
        let policy = ResponsePolicy::new(base_url, http.max_age.0);
        self.connections.set_limits(ConnectionLimits::new(http, raise_descriptors()));
        let previous = self.sources.load();
        let sources = Sources::new(current, on_demand, policy, http, self.wiring.clone(), Some(&previous));
        self.sources.store(Arc::new(sources));
    }

    /// Accepts connections until `stop` completes, then lets responses in flight finish within `http.stop_timeout`. Runs one
    /// thread for each core, each with all sockets: a free thread takes the next connection, and no request crosses threads.
    ///
    /// # Errors
    /// A listening socket cannot be used.
    pub async fn run(self: Arc<Self>, sockets: Sockets, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let server = self;
        let (stage, stages) = watch::channel(Stage::Preparing);
        let (accepting, mut accepting_ended) = mpsc::channel(1);
        let (running, mut all_ended) = mpsc::channel(1);
        let mut threads = Vec::new();
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let worker = Worker { server: server.clone(), stages: stages.clone(), accepting: accepting.clone() };
            match worker.start(&sockets, running.clone()).await {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => return Err(error),
                Err(error) => {
                    let threads = threads.len();
                    tracing::warn!(error = format!("{error:#}"), threads, "fewer threads serve than there are cores");
                    break;
                }
            }
        }
        // As soon as one accepts, clients may take all file descriptors that the others need.
        let _ = stage.send(Stage::Accepting);
        drop((accepting, running));
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
    async fn start(self, sockets: &Sockets, running: mpsc::Sender<()>) -> anyhow::Result<JoinHandle<()>> {
        let listeners: io::Result<Vec<Listener>> = sockets.listeners().iter().map(Listener::try_clone).collect();
        let listeners = listeners.context("cannot use the listening sockets")?;
        let (sender, prepared) = oneshot::channel();
        let run = move || {
            let _running = running;
            let runtime = match threads::runtime() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let _ = sender.send(Ok(()));
            runtime.block_on(self.run(listeners));
            drop(runtime);
        };
        let thread = thread::Builder::new().name("serve".into()).spawn(run).context("cannot start a thread")?;
        prepared.await?.context("cannot start the runtime of a serving thread")?;
        Ok(thread)
    }

    async fn run(self, listeners: Vec<Listener>) {
        let Self { server, mut stages, accepting } = self;
        let _ = stages.wait_for(|stage| *stage >= Stage::Accepting).await;
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
