//! What is done for a request before [`respond`] can answer it: mostly nothing.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;

use super::access_log::{AccessLog, Answered};
use super::body::{ResponseBody, Source};
use super::client::client;
use super::connections::{self, Connection, Phase};
use super::rate_limit::PollLimiter;
use super::respond::{self, ResponsePolicy, Target};
use crate::config::{AccessLines, Http, TrustedProxies};
use crate::observe::metrics::{Asked, Metrics};
use crate::render::on_demand::{Lookup, OnDemand, Route};
use crate::render::snapshot::{Current, Document, Snapshot};
use crate::render::{feed, page};

/// Longest wait for the version that an article changed in: versions come a second apart.
const NEXT_VERSION: Duration = Duration::from_secs(3);
/// How many threads may wait for files at a time: a disk that hangs must not keep articles from being read.
const FILE_READS: usize = 32;
/// Longest wait for one of them.
const FILE_PATIENCE: Duration = Duration::from_secs(10);

/// Where answers come from.
#[derive(Debug)]
pub struct Sources {
    current: Current,
    door: Arc<OnDemand>,
    style: ResponsePolicy,
    file_reads: Arc<Semaphore>,
    trusted: TrustedProxies,
    access_log: Option<Arc<AccessLog>>,
    pollers: Option<PollLimiter>,
    /// How long answers in flight may take to finish in the end.
    pub stop_timeout: Duration,
    metrics: Metrics,
}

impl Sources {
    /// `current`, and whatever it does not hold through `door`; told of as `http` says.
    pub fn new(current: Current, door: OnDemand, style: ResponsePolicy, http: &Http, metrics: Metrics) -> Self {
        Self {
            current,
            door: Arc::new(door),
            style,
            file_reads: Arc::new(Semaphore::new(FILE_READS)),
            trusted: http.trusted_proxies.clone(),
            access_log: None,
            pollers: PollLimiter::new(http.least_interval.0),
            stop_timeout: http.stop_timeout.0,
            metrics,
        }
    }

    /// The same, telling of its answers as `form` says: by the log of `before`, if that is such a one.
    pub fn telling(self, form: AccessLines, before: Option<&Self>) -> Self {
        let kept = before.and_then(|before| before.access_log.clone()).filter(|log| log.form() == form);
        let access_log = kept.or_else(|| {
            let log = AccessLog::to_stdout(form)?;
            self.metrics.lost_lines("access", log.lost());
            Some(Arc::new(log))
        });
        Self { access_log, ..self }
    }

    /// Whether the door still opens; blocks until it has.
    pub fn try_door(&self) -> bool {
        self.door.opens()
    }

    /// The same target, unless it is a feed and whoever asks for it has asked too often.
    fn allowed(&self, peer: Option<IpAddr>, request: &Parts, target: Target) -> Target {
        let Some(pollers) = &self.pollers else { return target };
        let is_feed = match &target {
            Target::Document(document) => document.is_feed(),
            Target::Lookup(address, _) => matches!(address, Route::View(..)),
            _ => false,
        };
        let client = client(peer, &request.headers, &self.trusted);
        // A proxy that does not say whom it asks for stands for many.
        if !is_feed || self.trusted.contains(client) {
            return target;
        }
        pollers.refuse(client.map(connections::network), request, Instant::now()).map_or(target, Target::TooOften)
    }

    /// Who asks for others.
    pub fn trusted(&self) -> &TrustedProxies {
        &self.trusted
    }

    /// Fetches a document that the snapshot does not keep. If it has just changed, the answer waits for the
    /// snapshot that shows the change, so that a document and its validators always belong together.
    async fn look_up(&self, address: Route, path: String) -> (Target, Arc<Snapshot>) {
        let mut versions = self.current.subscribe();
        let deadline = tokio::time::Instant::now() + NEXT_VERSION;
        loop {
            let snapshot = self.current.get();
            let (door, address, path, seen) = (self.door.clone(), address.clone(), path.clone(), snapshot.clone());
            let found = tokio::task::spawn_blocking(move || door.find(&address, &path, &seen)).await;
            let target = match found {
                Ok(Ok(Lookup::Document(document))) => Target::Document(document),
                Ok(Ok(Lookup::Moved(address))) => Target::Moved(address),
                Ok(Ok(Lookup::Temporary(address))) => Target::Temporary(address),
                Ok(Ok(Lookup::Gone)) => Target::Gone,
                Ok(Ok(Lookup::Unknown)) => Target::Missing,
                Ok(Ok(Lookup::NotYet | Lookup::Unread(_))) => {
                    match tokio::time::timeout_at(deadline, versions.changed()).await {
                        Ok(Ok(())) => continue,
                        _ => Target::Unavailable,
                    }
                }
                Ok(Err(error)) => {
                    tracing::error!("a document cannot be made: {error}");
                    Target::Unavailable
                }
                Err(error) => {
                    tracing::error!("a document cannot be made: {error}");
                    Target::Unavailable
                }
            };
            return (target, snapshot);
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

/// What somebody asks for who asks for a document.
fn asked(document: &Document) -> Asked {
    match document.media_type {
        feed::rss::MEDIA_TYPE => Asked::Rss,
        feed::atom::MEDIA_TYPE => Asked::Atom,
        feed::json::MEDIA_TYPE => Asked::Json,
        page::MEDIA_TYPE => Asked::Page,
        _ => Asked::Other,
    }
}

/// The requests of one connection.
#[derive(Debug)]
pub struct Requests {
    /// They may change while a connection lasts.
    sources: Arc<ArcSwap<Sources>>,
    client: Client,
}

/// Who asks.
#[derive(Debug, Clone)]
struct Client {
    connection: Arc<Connection>,
    peer: Option<IpAddr>,
}

impl Requests {
    /// Those that come on `connection` from `peer`, which has no address where it comes by a Unix socket.
    pub fn new(sources: Arc<ArcSwap<Sources>>, connection: Arc<Connection>, peer: Option<IpAddr>) -> Self {
        Self { sources, client: Client { connection, peer } }
    }
}

impl Sources {
    /// Now, if anybody wants to know how long an answer takes.
    fn begin(&self) -> Option<Instant> {
        self.access_log.as_ref().map(|_| Instant::now())
    }

    /// Counts an answer, and what it has saved.
    fn count(&self, target: &Target, response: &Response<ResponseBody>) {
        let (metrics, status) = (&self.metrics, response.status());
        let field = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let coding = field(header::CONTENT_ENCODING);
        let sent = response.body().size_hint().exact().unwrap_or(0);
        let asked = match target {
            Target::Document(document) => {
                if status == StatusCode::NOT_MODIFIED {
                    let variant = document.variant_of(field(header::ETAG).unwrap_or_default());
                    metrics.saved_by_unchanged(variant.map_or(0, |variant| variant.bytes.len() as u64));
                } else if coding.is_some() && sent > 0 {
                    metrics.saved_by_coding((document.identity.bytes.len() as u64).saturating_sub(sent));
                }
                asked(document)
            }
            Target::File(source) => {
                if status == StatusCode::NOT_MODIFIED {
                    metrics.saved_by_unchanged(source.opened().size());
                }
                Asked::Media
            }
            _ => Asked::Other,
        };
        if sent > 0 {
            metrics.sent(sent);
        }
        metrics.answered(asked, status.as_u16(), coding);
    }

    /// Answers what was asked at `begun`, and tells of it.
    fn answer(
        &self,
        client: &Client,
        request: &Parts,
        target: &Target,
        snapshot: &Snapshot,
        begun: Option<Instant>,
    ) -> Response<Sending> {
        let now = SystemTime::now();
        let response = respond::respond(request, target, snapshot, &self.style, now);
        if let (Some(log), Some(begun)) = (&self.access_log, begun) {
            let address = self::client(client.peer, &request.headers, &self.trusted);
            log.tell(&Answered::new(address, request, &response, now, begun.elapsed()));
        }
        self.count(target, &response);
        response.map(|body| Sending { body, connection: client.connection.clone() })
    }
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Sending>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let client = &self.client;
        client.connection.enter(Phase::Answered);
        let sources = self.sources.load();
        let begun = sources.begin();
        let (request, _body) = request.into_parts();
        let snapshot = sources.current.get();
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let target = respond::route(&request, &snapshot, &sources.style);
        let wanted = match sources.allowed(client.peer, &request, target) {
            Target::Lookup(address, path) if is_read => Wanted::Document(address, path),
            Target::Media(path) if is_read => Wanted::File(path),
            target => return Answer::Now(Some(sources.answer(client, &request, &target, &snapshot, begun))),
        };
        Answer::later(Arc::clone(&sources), client.clone(), request, wanted, begun)
    }
}

enum Wanted {
    Document(Route, String),
    File(PathBuf),
}

/// An answer: at once, where the snapshot holds it, without so much as a future on the heap.
pub enum Answer {
    Now(Option<Response<Sending>>),
    Later(Pin<Box<dyn Future<Output = Response<Sending>> + Send>>),
}

impl Answer {
    fn later(sources: Arc<Sources>, client: Client, request: Parts, wanted: Wanted, begun: Option<Instant>) -> Self {
        Self::Later(Box::pin(async move {
            let (target, snapshot) = match wanted {
                Wanted::Document(address, path) => sources.look_up(address, path).await,
                Wanted::File(path) => (sources.open(path).await, sources.current.get()),
            };
            sources.answer(&client, &request, &target, &snapshot, begun)
        }))
    }
}

impl Future for Answer {
    type Output = Result<Response<Sending>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(response) => Poll::Ready(Ok(response.take().expect("a future is not asked again"))),
            Self::Later(answer) => answer.as_mut().poll(context).map(Ok),
        }
    }
}

/// A body that says when it has been sent.
pub struct Sending {
    body: ResponseBody,
    connection: Arc<Connection>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.connection.enter(Phase::Idle);
    }
}

impl hyper::body::Body for Sending {
    type Data = <ResponseBody as hyper::body::Body>::Data;
    type Error = <ResponseBody as hyper::body::Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
