//! Accepts the connections of a listener and serves them, within the limits of [`Connections`].

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::body::{self, Sending};
use super::connections::{Admitted, Command, Connection, Connections, Phase};
use super::stream::{AsyncListener, Observed, Stream};

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

/// Answers the requests of one connection.
pub trait ConnectionRequests:
    Service<Request<Incoming>, Response = Response<Sending>, Error = Infallible, Future: Send + Unpin>
    + Send
    + Unpin
    + 'static
{
}

/// Answers the requests of a listener.
pub trait Handler: Send + Sync + 'static {
    type Requests: ConnectionRequests;

    /// Whether a connection may send several requests.
    const KEEPS_ALIVE: bool;

    /// Answers the requests of a connection from `peer`; `None` for a Unix socket.
    fn requests(&self, connection: Arc<Connection>, peer: Option<IpAddr>) -> Self::Requests;

    /// The address that the limit for one address applies to, if any.
    fn limited_address(&self, peer: Option<IpAddr>) -> Option<IpAddr>;
}

/// Accepts and serves connections. Each of them belongs to the runtime of the thread that accepted it.
#[derive(Debug)]
pub struct Acceptor<H> {
    handler: H,
    connections: Arc<Connections>,
    /// When an error of `accept` was last logged.
    error_logged: Mutex<Option<Instant>>,
}

impl<H: Handler> Acceptor<H> {
    /// Serves connections by `handler`, within the limits of `connections`.
    pub fn new(handler: H, connections: Arc<Connections>) -> Self {
        Self { handler, connections, error_logged: Mutex::default() }
    }

    /// Accepts connections until `stop` completes.
    pub async fn run(self: Arc<Self>, listener: AsyncListener, stop: impl Future) {
        let accept_all = async {
            loop {
                let (stream, peer) = self.accept(&listener).await;
                self.clone().admit(stream, peer);
            }
        };
        tokio::select! {
            () = accept_all => {}
            _ = stop => {}
        }
    }

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
        let mut last = self.error_logged.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= ACCEPT_ERROR_INTERVAL) {
            tracing::error!(%error, "cannot accept connections; retrying");
            *last = Some(Instant::now());
        }
    }

    fn admit(self: Arc<Self>, stream: Stream, peer: Option<IpAddr>) {
        match self.connections.admit(self.handler.limited_address(peer)) {
            Some(admitted) => drop(tokio::spawn(self.serve(stream, peer, admitted))),
            // All connections are being answered, so none can be evicted.
            None => stream.refuse(),
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
            let requests = self.handler.requests(connection.clone(), peer);
            let observed = Observed::new(stream, connection.clone());
            let mut http = Box::new(
                http1::Builder::new()
                    // `Connections` enforces all timeouts: a timer for each request costs more than the request.
                    .timer(TokioTimer::new())
                    .header_read_timeout(None)
                    .max_header_size(MAX_HEADER)
                    .max_buf_size(MAX_UNSENT)
                    // A client that has closed its sending side still expects the response.
                    .half_close(true)
                    .keep_alive(H::KEEPS_ALIVE)
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

type Http1<R> = http1::Connection<TokioIo<Observed>, R>;

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
    fn poll<R: ConnectionRequests>(&mut self, http: &mut Http1<R>, context: &mut Context<'_>) -> Poll<ConnectionEnd> {
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
