//! HTTP from the current snapshot: accepts connections, reads requests, sends what [`respond`] says. Nothing in here can
//! reach a file or the catalog but through the snapshot's door.

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
use crate::observe::heartbeat::Heartbeats;
use crate::observe::metrics::Metrics;
use crate::render::on_demand::OnDemand;
use crate::render::snapshot::Current;
use crate::system::sockets::{Sockets, raise_descriptors};
use admin::Watched;
use connections::{Admitted, Command, Connection, ConnectionLimits, Connections, Phase};
use requests::{Requests, Sources};
use respond::ResponsePolicy;
use stream::{Listener, Observed, Stream};

/// Wait after an error of `accept` that is not one connection's own, such as having no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often such an error is told while it comes again.
const COMPLAINT_INTERVAL: Duration = Duration::from_mins(1);
/// Longest request header that is read; browsers and readers send 2 KB at most.
const MAX_HEADER: usize = 16 << 10;
/// Bytes that wait in memory for a slow client; a document is one piece and may be longer.
const MAX_UNSENT: usize = 2 * body::CHUNK;
/// How long somebody who has just connected may take to ask, once the daemon is to end.
const LAST_WORD: Duration = Duration::from_millis(300);
/// How long what still reads files may keep a thread in the end.
const LAST_READS: Duration = Duration::from_secs(1);

/// What every connection needs.
#[derive(Debug)]
pub struct Server {
    sources: Arc<ArcSwap<Sources>>,
    connections: Arc<Connections>,
    pulses: Heartbeats,
    metrics: Metrics,
    /// When it was last said that connections cannot be accepted.
    complained: Mutex<Option<Instant>>,
}

/// What threads are told, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Accepting,
    Finishing,
    Ended,
}

impl Server {
    /// Serves `current`, and whatever it does not hold through `door`, below `base_url`.
    pub fn new(current: Current, door: OnDemand, http: &Http, base_url: &str, watched: &Watched) -> Self {
        let style = ResponsePolicy::new(base_url, http.max_age.0);
        let (metrics, limits) = (&watched.metrics, ConnectionLimits::new(http, raise_descriptors()));
        let sources = Sources::new(current, door, style, http, metrics.clone()).telling(http.access_log, None);
        Self {
            sources: Arc::new(ArcSwap::from_pointee(sources)),
            connections: Arc::new(Connections::new(limits, metrics.clone())),
            pulses: watched.pulses.clone(),
            metrics: metrics.clone(),
            complained: Mutex::default(),
        }
    }

    /// Serves by another configuration from the next request on; nobody is cut off for it.
    pub fn change(&self, current: Current, door: OnDemand, http: &Http, base_url: &str) {
        let style = ResponsePolicy::new(base_url, http.max_age.0);
        self.connections.limit(ConnectionLimits::new(http, raise_descriptors()));
        let sources = Sources::new(current, door, style, http, self.metrics.clone());
        self.sources.store(Arc::new(sources.telling(http.access_log, Some(&self.sources.load()))));
    }

    /// Accepts connections until `stop` is done, then lets the answers in flight finish for `http.stop_timeout`. One thread for
    /// each core, each with all sockets: whichever is free takes the next connection, and none wakes another for a request.
    ///
    /// # Errors
    /// A socket cannot be used at all.
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
            () = server.connections.watch_over() => {}
            () = server.look_at_files() => {}
            _ = accepting_ended.recv() => anyhow::bail!("no thread serves any more: please report this"),
        }
        // First no new connection, then an end to the old ones: the other way round one could slip in between.
        let _ = stage.send(Stage::Finishing);
        let _ = accepting_ended.recv().await;
        drop(sockets);
        let finish = async {
            tokio::select! {
                () = server.connections.finish() => {}
                () = server.connections.watch_over() => {}
            }
        };
        let stop_timeout = server.sources.load().stop_timeout;
        if tokio::time::timeout(stop_timeout, finish).await.is_err() {
            let seconds = stop_timeout.as_secs();
            tracing::warn!("some connections were still busy after {seconds} s and were cut off");
        }
        let _ = stage.send(Stage::Ended);
        let join = move || threads.into_iter().try_for_each(JoinHandle::join);
        let joined = tokio::task::spawn_blocking(join).await.context("the threads that serve cannot be stopped")?;
        joined.map_err(|_| anyhow::anyhow!("a thread that serves panicked: please report this"))
    }

    /// Finds out again and again whether documents can still be had from the disk, as long as anybody wants to know. Never ends.
    async fn look_at_files(&self) {
        let pulse = self.pulses.part("reading for requests");
        loop {
            let sources = self.sources.load_full();
            // Whatever comes of it: only one that never comes to an end is stuck.
            let _ = tokio::task::spawn_blocking(move || sources.try_door()).await;
            pulse.beat();
            tokio::time::sleep(pulse.interval()).await;
        }
    }

    /// Serves one connection to its end.
    async fn serve(self: Arc<Self>, mut stream: Stream, peer: Option<IpAddr>, admitted: Admitted) {
        let connection = &admitted.connection;
        loop {
            // While the client says nothing, there is nothing to be kept in memory for it.
            match poll_fn(|context| poll_request(&stream, &admitted, context)).await {
                Command::End => return,
                Command::Finish if !asks_still(&stream, connection).await => return,
                _ => {}
            }
            let requests = Requests::new(self.sources.clone(), connection.clone(), peer);
            let observed = Observed { stream, connection: connection.clone() };
            let mut http = Box::new(
                http1::Builder::new()
                    // All limits of time are those of `Connections`: a timer for each request costs more than the request.
                    .timer(TokioTimer::new())
                    .header_read_timeout(None)
                    .max_header_size(MAX_HEADER)
                    .max_buf_size(MAX_UNSENT)
                    // A client that has said all it has to say still wants its answer.
                    .half_close(true)
                    .serve_connection(TokioIo::new(observed), requests),
            );
            let mut orders = Orders { admitted: &admitted, last: Command::None, changes: 0, has_read: false };
            let ended = poll_fn(|context| orders.poll(&mut http, context)).await;
            let parts = http.into_parts();
            stream = parts.io.into_inner().stream;
            match ended {
                // Whoever has all of its answer may still be taking it from the system.
                Ended::Cut if connection.is_blocked() => return stream.abandon(),
                Ended::Dozing if parts.read_buf.is_empty() => connection.obeyed(Command::Doze),
                _ => return,
            }
        }
    }
}

type Http1 = http1::Connection<TokioIo<Observed>, Requests>;

/// Waits until the client says something, or until the connection is to end.
fn poll_request(stream: &Stream, admitted: &Admitted, context: &mut Context<'_>) -> Poll<Command> {
    match admitted.connection.order(context.waker()) {
        order @ (Command::Finish | Command::End) => Poll::Ready(order),
        Command::Doze => {
            // So it does.
            admitted.connection.obeyed(Command::Doze);
            stream.poll_readable(context).map(|()| Command::None)
        }
        Command::None => stream.poll_readable(context).map(|()| Command::None),
    }
}

/// Whether the client says something at the last moment. One that has just connected has nobody else to ask: its connection is
/// ours. Whoever has had an answer knows that a connection may end after it, and is heard if it has spoken already.
async fn asks_still(stream: &Stream, connection: &Connection) -> bool {
    let patience = if connection.phase() == Phase::Asking { LAST_WORD } else { Duration::ZERO };
    tokio::time::timeout(patience, poll_fn(|context| stream.poll_readable(context))).await.is_ok()
}

/// How hyper came to the end of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// So did the connection.
    Closed,
    /// It was told to end in the midst of it.
    Cut,
    /// The connection goes on, and the client says nothing.
    Dozing,
}

/// What a connection is doing of what it was told.
struct Orders<'a> {
    admitted: &'a Admitted,
    last: Command,
    changes: u32,
    /// Whether hyper has seen what the client says: told to finish before that, it would not look.
    has_read: bool,
}

impl Orders<'_> {
    /// Serves until the connection ends, or until it dozes.
    fn poll(&mut self, http: &mut Http1, context: &mut Context<'_>) -> Poll<Ended> {
        let connection = &self.admitted.connection;
        let order = connection.order(context.waker());
        if !std::mem::replace(&mut self.has_read, true)
            && order == Command::Finish
            && let Poll::Ready(ended) = Self::ended(Pin::new(&mut *http).poll(context))
        {
            return Poll::Ready(ended);
        }
        if order > self.last {
            match order {
                Command::End => return Poll::Ready(Ended::Cut),
                // What is asked for by now is answered first.
                Command::Doze if connection.phase() != Phase::Idle => connection.obeyed(Command::Doze),
                _ => {
                    self.last = order;
                    self.changes = connection.changes();
                    Pin::new(&mut *http).graceful_shutdown();
                }
            }
        }
        if self.last != Command::Doze {
            return Self::ended(Pin::new(http).poll(context));
        }
        let ended = ready!(http.poll_without_shutdown(context));
        // A request that came at the last moment was answered as the last one.
        let dozes = ended.is_ok() && connection.changes() == self.changes;
        Poll::Ready(if dozes { Ended::Dozing } else { Ended::Closed })
    }

    fn ended(polled: Poll<hyper::Result<()>>) -> Poll<Ended> {
        polled.map(|ended| {
            if let Err(error) = ended {
                tracing::debug!("a connection ended early: {error}");
            }
            Ended::Closed
        })
    }
}

/// A thread that serves.
struct Worker {
    server: Arc<Server>,
    stages: watch::Receiver<Stage>,
    /// Is dropped when no more is accepted.
    accepting: mpsc::Sender<()>,
}

impl Worker {
    fn listeners(sockets: &Sockets) -> io::Result<Vec<crate::system::sockets::Listener>> {
        sockets.listeners().iter().map(crate::system::sockets::Listener::try_clone).collect()
    }

    fn start(self, listeners: Vec<crate::system::sockets::Listener>) -> anyhow::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start the runtime of a thread that serves")?;
        let run = move || {
            runtime.block_on(self.run(listeners));
            runtime.shutdown_timeout(LAST_READS);
        };
        thread::Builder::new().name("serve".into()).spawn(run).context("cannot start a thread")
    }

    async fn run(self, listeners: Vec<crate::system::sockets::Listener>) {
        let Self { server, stages, accepting } = self;
        let pulse = server.pulses.part("serving");
        tokio::spawn(async move {
            loop {
                pulse.beat();
                tokio::time::sleep(pulse.interval()).await;
            }
        });
        let mut loops = JoinSet::new();
        for listener in listeners {
            let (server, mut stages) = (server.clone(), stages.clone());
            loops.spawn(async move {
                let listener = match Listener::try_from(listener) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!("a listening socket cannot be used: {error}"),
                };
                loop {
                    tokio::select! {
                        (stream, peer) = server.accept(&listener) => server.clone().welcome(stream, peer),
                        _ = stages.wait_for(|stage| *stage >= Stage::Finishing) => return,
                    }
                }
            });
        }
        loops.join_all().await;
        drop(accepting);
        let mut stages = stages;
        // Also where whoever tells has gone without a word.
        let _ = stages.wait_for(|stage| *stage == Stage::Ended).await;
    }
}

impl Server {
    /// The next connection. Never fails: a connection that is gone already is passed over, and what is wrong with the whole
    /// system is given time.
    async fn accept(&self, listener: &Listener) -> (Stream, Option<IpAddr>) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
                Err(error) => {
                    self.complain(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Says that connections cannot be accepted, but not for each of them.
    fn complain(&self, error: &io::Error) {
        let mut last = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= COMPLAINT_INTERVAL) {
            tracing::error!("cannot accept a connection: {error}; trying again until it can be");
            *last = Some(Instant::now());
        }
    }

    fn welcome(self: Arc<Self>, stream: Stream, peer: Option<IpAddr>) {
        // A proxy comes for many.
        let owner = peer.filter(|_| !self.sources.load().trusted().contains(peer));
        match self.connections.admit(owner) {
            Some(admitted) => drop(tokio::spawn(self.serve(stream, peer, admitted))),
            // Everybody else is being answered: whoever comes now comes back.
            None => stream.refuse(),
        }
    }
}
