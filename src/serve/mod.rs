//! HTTP from the current snapshot: accepts connections, reads requests, sends the responses that [`respond`] makes. Accesses
//! files and the catalog only through [`OnDemand`].

mod access_log;
pub mod admin;
pub mod body;
mod client;
mod conditional;
mod connections;
mod negotiate;
mod range;
mod rate_limit;
mod requests;
pub mod respond;
mod stream;

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::config::Http;
use crate::observe::Observers;
use crate::observe::heartbeat::Heartbeats;
use crate::observe::metrics::Metrics;
use crate::render::on_demand::OnDemand;
use crate::render::snapshot::Current;
use crate::system::sockets::{Sockets, raise_descriptors};
use connections::{Admitted, Command, Connection, ConnectionLimits, Connections, Phase};
use requests::{Requests, Sources};
use respond::ResponsePolicy;
use stream::{AsyncListener, Observed, Stream};

/// Wait after an error of `accept` that concerns the whole process, such as a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Shortest interval between two log lines about such errors.
const ACCEPT_ERROR_INTERVAL: Duration = Duration::from_mins(1);
/// Longest request header accepted, in bytes; browsers and feed readers send 2 KB at most.
const MAX_HEADER: usize = 16 << 10;
/// Maximum number of bytes buffered for a slow client; a document is sent as a single piece, which may be longer.
const MAX_UNSENT: usize = 2 * body::CHUNK;
/// How long a new connection may take to send its first request while the daemon stops.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(300);
/// How long pending file reads may delay the end of a thread.
const FILE_READ_GRACE: Duration = Duration::from_secs(1);

/// State shared by all connections.
#[derive(Debug)]
pub struct Server {
    sources: Arc<ArcSwap<Sources>>,
    connections: Arc<Connections>,
    heartbeats: Heartbeats,
    metrics: Metrics,
    /// When an error of `accept` was last logged.
    accept_error_logged: Mutex<Option<Instant>>,
}

/// Stages of serving, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Accepting,
    Finishing,
    Ended,
}

impl Server {
    /// Serves `current` below `base_url`, and through `on_demand` the documents that `current` does not hold.
    pub fn new(current: Current, on_demand: OnDemand, http: &Http, base_url: &str, observers: &Observers) -> Self {
        let policy = ResponsePolicy::new(base_url, http.max_age.0);
        let (metrics, limits) = (&observers.metrics, ConnectionLimits::new(http, raise_descriptors()));
        let sources = Sources::new(current, on_demand, policy, http, metrics.clone(), None);
        Self {
            sources: Arc::new(ArcSwap::from_pointee(sources)),
            connections: Arc::new(Connections::new(limits, metrics.clone())),
            heartbeats: observers.heartbeats.clone(),
            metrics: metrics.clone(),
            accept_error_logged: Mutex::default(),
        }
    }

    /// Applies another configuration from the next request on. Open connections stay open.
    pub fn reconfigure(&self, current: Current, on_demand: OnDemand, http: &Http, base_url: &str) {
        let policy = ResponsePolicy::new(base_url, http.max_age.0);
        self.connections.set_limits(ConnectionLimits::new(http, raise_descriptors()));
        let previous = self.sources.load();
        let sources = Sources::new(current, on_demand, policy, http, self.metrics.clone(), Some(&previous));
        self.sources.store(Arc::new(sources));
    }

    /// Accepts connections until `stop` completes, then lets responses in flight finish within `http.stop_timeout`. Runs one
    /// thread for each core, each with all sockets: a free thread takes the next connection, and no request crosses threads.
    ///
    /// # Errors
    /// A listening socket cannot be used.
    pub async fn run(self: Arc<Self>, sockets: Sockets, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let server = self;
        let (stage, stages) = watch::channel(Stage::Accepting);
        let (accepting, mut accepting_ended) = mpsc::channel(1);
        let mut threads = Vec::new();
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let listeners = Worker::listeners(&sockets).context("cannot use the listening sockets")?;
            let worker = Worker { server: server.clone(), stages: stages.clone(), accepting: accepting.clone() };
            threads.push(worker.start(listeners)?);
        }
        drop(accepting);
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
        let join = move || threads.into_iter().try_for_each(JoinHandle::join);
        let joined = tokio::task::spawn_blocking(join).await.context("cannot stop the serving threads")?;
        joined.map_err(|_| anyhow::anyhow!("a serving thread panicked: please report this"))
    }

    /// Probes the read-only access to the disk at each heartbeat. Never ends.
    async fn probe_disk(&self) {
        let heartbeat = self.heartbeats.register("reading for requests");
        loop {
            let sources = self.sources.load_full();
            // An error is progress as well; only a probe that never returns is a stall.
            let _ = tokio::task::spawn_blocking(move || sources.probe()).await;
            heartbeat.beat();
            tokio::time::sleep(heartbeat.interval()).await;
        }
    }

    /// Serves one connection to its end.
    async fn serve(self: Arc<Self>, mut stream: Stream, peer: Option<IpAddr>, admitted: Admitted) {
        let connection = &admitted.connection;
        loop {
            // A silent client needs no parser state or buffers.
            match poll_fn(|context| poll_request(&stream, &admitted, context)).await {
                Command::End => return,
                Command::Finish if !has_last_request(&stream, connection).await => return,
                _ => {}
            }
            let requests = Requests::new(self.sources.clone(), connection.clone(), peer);
            let observed = Observed { stream, connection: connection.clone() };
            let mut http = Box::new(
                http1::Builder::new()
                    // `Connections` enforces all timeouts: a timer for each request costs more than the request.
                    .timer(TokioTimer::new())
                    .header_read_timeout(None)
                    .max_header_size(MAX_HEADER)
                    .max_buf_size(MAX_UNSENT)
                    // A client that has closed its sending side still expects the response.
                    .half_close(true)
                    .serve_connection(TokioIo::new(observed), requests),
            );
            let mut commands = Commands { admitted: &admitted, last: Command::None, changes: 0, has_read: false };
            let ended = poll_fn(|context| commands.poll(&mut http, context)).await;
            let parts = http.into_parts();
            stream = parts.io.into_inner().stream;
            match ended {
                // A client may still be reading the end of a response from the kernel's buffer.
                ConnectionEnd::Cut if connection.is_blocked() => return stream.abandon(),
                ConnectionEnd::Hibernating if parts.read_buf.is_empty() => connection.acknowledge(Command::Hibernate),
                _ => return,
            }
        }
    }
}

type Http1 = http1::Connection<TokioIo<Observed>, Requests>;

/// Waits until the client sends something or the connection has to end.
fn poll_request(stream: &Stream, admitted: &Admitted, context: &mut Context<'_>) -> Poll<Command> {
    match admitted.connection.command(context.waker()) {
        command @ (Command::Finish | Command::End) => Poll::Ready(command),
        Command::Hibernate => {
            admitted.connection.acknowledge(Command::Hibernate);
            stream.poll_readable(context).map(|()| Command::None)
        }
        Command::None => stream.poll_readable(context).map(|()| Command::None),
    }
}

/// Whether a request arrives before the connection ends. A new connection gets a grace period, because its client has no other
/// server to try. After a first response, clients expect that a connection may end, so only a request already sent counts.
async fn has_last_request(stream: &Stream, connection: &Connection) -> bool {
    let grace_period = if connection.phase() == Phase::AwaitingRequest { FIRST_REQUEST_GRACE } else { Duration::ZERO };
    tokio::time::timeout(grace_period, poll_fn(|context| stream.poll_readable(context))).await.is_ok()
}

/// Why hyper stopped working on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionEnd {
    /// The connection has ended.
    Closed,
    /// The connection had to end in the middle of a request or response.
    Cut,
    /// The connection stays open; the client is silent.
    Hibernating,
}

/// The commands that a connection is carrying out.
struct Commands<'a> {
    admitted: &'a Admitted,
    last: Command,
    changes: u32,
    /// Whether hyper has read from the client. If it is shut down before that, it never reads.
    has_read: bool,
}

impl Commands<'_> {
    /// Serves until the connection ends or hibernates.
    fn poll(&mut self, http: &mut Http1, context: &mut Context<'_>) -> Poll<ConnectionEnd> {
        let connection = &self.admitted.connection;
        let command = connection.command(context.waker());
        if !std::mem::replace(&mut self.has_read, true)
            && command == Command::Finish
            && let Poll::Ready(ended) = Self::ended(Pin::new(&mut *http).poll(context))
        {
            return Poll::Ready(ended);
        }
        if command > self.last {
            match command {
                Command::End => return Poll::Ready(ConnectionEnd::Cut),
                // A request that has already arrived is answered first.
                Command::Hibernate if connection.phase() != Phase::Idle => connection.acknowledge(Command::Hibernate),
                _ => {
                    self.last = command;
                    self.changes = connection.changes();
                    Pin::new(&mut *http).graceful_shutdown();
                }
            }
        }
        if self.last != Command::Hibernate {
            return Self::ended(Pin::new(http).poll(context));
        }
        let ended = ready!(http.poll_without_shutdown(context));
        // A request that arrived in the meantime was answered with `Connection: close`.
        let hibernates = ended.is_ok() && connection.changes() == self.changes;
        Poll::Ready(if hibernates { ConnectionEnd::Hibernating } else { ConnectionEnd::Closed })
    }

    fn ended(polled: Poll<hyper::Result<()>>) -> Poll<ConnectionEnd> {
        polled.map(|ended| {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            ConnectionEnd::Closed
        })
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
    fn listeners(sockets: &Sockets) -> io::Result<Vec<crate::system::sockets::Listener>> {
        sockets.listeners().iter().map(crate::system::sockets::Listener::try_clone).collect()
    }

    fn start(self, listeners: Vec<crate::system::sockets::Listener>) -> anyhow::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start the runtime of a serving thread")?;
        let run = move || {
            runtime.block_on(self.run(listeners));
            runtime.shutdown_timeout(FILE_READ_GRACE);
        };
        thread::Builder::new().name("serve".into()).spawn(run).context("cannot start a thread")
    }

    async fn run(self, listeners: Vec<crate::system::sockets::Listener>) {
        let Self { server, stages, accepting } = self;
        let heartbeat = server.heartbeats.register("serving");
        tokio::spawn(async move {
            loop {
                heartbeat.beat();
                tokio::time::sleep(heartbeat.interval()).await;
            }
        });
        let mut loops = JoinSet::new();
        for listener in listeners {
            let (server, mut stages) = (server.clone(), stages.clone());
            loops.spawn(async move {
                let listener = match AsyncListener::try_from(listener) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "cannot use a listening socket"),
                };
                loop {
                    tokio::select! {
                        (stream, peer) = server.accept(&listener) => server.clone().admit(stream, peer),
                        _ = stages.wait_for(|stage| *stage >= Stage::Finishing) => return,
                    }
                }
            });
        }
        loops.join_all().await;
        drop(accepting);
        let mut stages = stages;
        // An error means that the sender was dropped, which ends this thread as well.
        let _ = stages.wait_for(|stage| *stage == Stage::Ended).await;
    }
}

impl Server {
    /// Returns the next connection. Never fails: a connection that has already ended is skipped; after an error that concerns
    /// the whole process it pauses and tries again.
    async fn accept(&self, listener: &AsyncListener) -> (Stream, Option<IpAddr>) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
                Err(error) => {
                    self.log_accept_error(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Logs an error of `accept`, at most once in [`ACCEPT_ERROR_INTERVAL`].
    fn log_accept_error(&self, error: &io::Error) {
        let mut last = self.accept_error_logged.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= ACCEPT_ERROR_INTERVAL) {
            tracing::error!(%error, "cannot accept connections; retrying");
            *last = Some(Instant::now());
        }
    }

    fn admit(self: Arc<Self>, stream: Stream, peer: Option<IpAddr>) {
        // A trusted proxy connects for many clients: the limit for one address does not apply to it.
        let owner = peer.filter(|_| !self.sources.load().trusted().contains(peer));
        match self.connections.admit(owner) {
            Some(admitted) => drop(tokio::spawn(self.serve(stream, peer, admitted))),
            // All connections are being answered, so none can be evicted.
            None => stream.refuse(),
        }
    }
}
