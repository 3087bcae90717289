//! HTTP from the current snapshot: accepts connections, reads requests, sends what [`respond`] says. Nothing in here can
//! reach a file or the catalog but through the snapshot's door.

pub mod body;
mod conditional;
mod negotiate;
mod range;
pub mod respond;

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::config::Http;
use crate::door::{Address, Door, Found};
use crate::snapshot::{Current, Snapshot};
use body::{Body, Source};
use respond::{Style, Target};

/// Wait after an error of `accept` that is not one connection's own, such as having no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Longest request header that is read; browsers and readers send 2 KB at most.
const MAX_HEADER: usize = 16 << 10;
/// Longest wait for the version that an article changed in: versions come a second apart.
const NEXT_VERSION: Duration = Duration::from_secs(3);
/// How many threads may wait for files at a time: a disk that hangs must not keep articles from being read.
const FILE_READS: usize = 32;
/// Longest wait for one of them.
const FILE_PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that wait in memory for a slow client; a document is one piece and may be longer.
const MAX_UNSENT: usize = 2 * body::CHUNK;

/// What every connection needs.
#[derive(Debug)]
pub struct Server {
    current: Current,
    door: Arc<Door>,
    style: Style,
    http: Http,
    file_reads: Arc<Semaphore>,
}

impl Server {
    /// Serves `current`, and whatever it does not hold through `door`, below `base_url`.
    pub fn new(current: Current, door: Door, http: Http, base_url: &str) -> Self {
        let style = Style::new(base_url, http.max_age.0);
        Self { current, door: Arc::new(door), style, http, file_reads: Arc::new(Semaphore::new(FILE_READS)) }
    }

    /// Accepts connections until `stop` is done, then lets the answers in flight finish for `http.stop_timeout`.
    ///
    /// # Errors
    /// The socket cannot be used at all.
    pub async fn run(self, listener: std::net::TcpListener, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        listener.set_nonblocking(true).context("cannot use the listening socket")?;
        let listener = TcpListener::from_std(listener).context("cannot use the listening socket")?;
        let timeout = self.http.stop_timeout.0;
        let server = Arc::new(self);
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                stream = accept(&listener) => server.clone().spawn(stream, graceful.watcher()),
                () = &mut stop => break,
            }
        }
        // First no new connection, then an end to the old ones: the other way round one could slip in between.
        drop(listener);
        if tokio::time::timeout(timeout, graceful.shutdown()).await.is_err() {
            tracing::warn!("some connections were still busy after {} s and were cut off", timeout.as_secs());
        }
        Ok(())
    }

    fn spawn(self: Arc<Self>, stream: TcpStream, watcher: Watcher) {
        // Answers are written whole; waiting to fill packets only delays their ends.
        let _ = stream.set_nodelay(true);
        let server = self.clone();
        let service = service_fn(move |request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let connection = http1::Builder::new()
            // Without a timer hyper's timeouts are silently off.
            .timer(TokioTimer::new())
            .header_read_timeout(self.http.header_timeout.0)
            .max_header_size(MAX_HEADER)
            .max_buf_size(MAX_UNSENT)
            // A client that has said all it has to say still wants its answer.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (request, _body) = request.into_parts();
        let mut snapshot = self.current.get();
        let target = match respond::route(&request, &snapshot, &self.style) {
            Target::Lookup(address, path) if matches!(request.method, Method::GET | Method::HEAD) => {
                self.look_up(address, path, &mut snapshot).await
            }
            Target::Media(path) if matches!(request.method, Method::GET | Method::HEAD) => self.open(path).await,
            target => target,
        };
        respond::respond(&request, &target, &snapshot, &self.style, SystemTime::now())
    }

    /// Fetches a document that the snapshot does not keep. If it has just changed, the answer waits for the
    /// snapshot that shows the change, so that a document and its validators always belong together.
    async fn look_up(&self, address: Address, path: String, snapshot: &mut Arc<Snapshot>) -> Target {
        let mut versions = self.current.subscribe();
        let deadline = tokio::time::Instant::now() + NEXT_VERSION;
        loop {
            *snapshot = self.current.get();
            let (door, address, path, seen) = (self.door.clone(), address.clone(), path.clone(), snapshot.clone());
            let found = tokio::task::spawn_blocking(move || door.find(&address, &path, &seen)).await;
            return match found {
                Ok(Ok(Found::Document(document))) => Target::Document(document),
                Ok(Ok(Found::Moved(address))) => Target::Moved(address),
                Ok(Ok(Found::Elsewhere(address))) => Target::Elsewhere(address),
                Ok(Ok(Found::Gone)) => Target::Gone,
                Ok(Ok(Found::Unknown)) => Target::Missing,
                Ok(Ok(Found::NotYet)) => match tokio::time::timeout_at(deadline, versions.changed()).await {
                    Ok(Ok(())) => continue,
                    _ => Target::Unavailable,
                },
                Ok(Err(error)) => {
                    tracing::error!("a document cannot be made: {error}");
                    Target::Unavailable
                }
                Err(error) => {
                    tracing::error!("a document cannot be made: {error}");
                    Target::Unavailable
                }
            };
        }
    }

    /// Opens a file that lies beside articles.
    async fn open(&self, path: PathBuf) -> Target {
        let permit = tokio::time::timeout(FILE_PATIENCE, self.file_reads.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            let waited = FILE_PATIENCE.as_secs();
            tracing::error!("a file beside articles cannot be opened: its disk has not answered for {waited} s");
            return Target::Unavailable;
        };
        let door = self.door.clone();
        let open = move || {
            let _permit = permit;
            door.file(&path)
        };
        match tokio::task::spawn_blocking(open).await.map_err(io::Error::other).flatten() {
            Ok(Some(opened)) => Target::File(Arc::new(Source::new(opened, self.file_reads.clone()))),
            Ok(None) => Target::Missing,
            Err(error) => {
                tracing::error!("a file beside articles cannot be opened: {error}");
                Target::Unavailable
            }
        }
    }
}

/// The next connection. Never fails: a connection that is gone already is passed over, and what is wrong with the whole
/// system is given time.
async fn accept(listener: &TcpListener) -> TcpStream {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(error) => {
                tracing::error!("cannot accept a connection: {error}; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
