//! Prepares what [`respond`] needs to answer a request: usually only the snapshot; at times a document rendered on demand or
//! an open media file.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use hyper::body::{Body as _, Incoming};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};

use super::acceptor::{ConnectionRequests, Handler};
use super::access_log::{AccessLog, Answered};
use super::body::{FileSource, ResponseBody, Sending};
use super::client::client;
use super::connections::{self, Connection, Phase};
use super::rate_limit::PollLimiter;
use super::renders::{self, RenderOutcome, Renders};
use super::respond::{self, Reply, ResponsePolicy, Target};
use crate::config::{AccessLines, Http, TrustedProxies};
use crate::folder::media::MediaLookup;
use crate::observe::metrics::{self, Metrics};
use crate::render::compression::ContentCoding;
use crate::render::on_demand::{Edition, Lookup, OnDemand, Route};
use crate::render::snapshot::{Current, Snapshot};
use crate::system::threads::{WorkError, WorkPool};

/// Longest wait for the version that contains a change. Versions are a second apart, but more on a slow disk or a busy machine.
const NEXT_VERSION: Duration = Duration::from_secs(10);
/// Maximum number of threads that read media files. They are no places of renders: a disk that hangs must not block the reading of
/// articles.
const FILE_READS: usize = 16;
/// Longest wait for such a thread to open a file.
const FILE_TIMEOUT: Duration = Duration::from_secs(10);

/// The threads that read for requests. Clones share them.
#[derive(Debug, Clone)]
pub struct ReadPools {
    renders: WorkPool,
    files: WorkPool,
}

impl ReadPools {
    /// Starts the first threads.
    pub fn start() -> Self {
        Self { renders: renders::pool(), files: WorkPool::start("media", FILE_READS) }
    }
}

/// Returns the access log of `previous` if it has this form, else a new one.
fn access_log(form: AccessLines, metrics: &Metrics, previous: Option<&Sources>) -> Option<Arc<AccessLog>> {
    let existing = previous.and_then(|previous| previous.access_log.clone()).filter(|log| log.form() == form);
    existing.or_else(|| {
        let log = AccessLog::to_stdout(form)?;
        metrics.add_log("access", log.dropped());
        Some(Arc::new(log))
    })
}

/// The parts of the server that all [`Sources`] share.
#[derive(Debug, Clone)]
pub struct SourcesWiring {
    pub pools: ReadPools,
    pub metrics: Metrics,
}

/// Where responses come from, and how they are logged and limited.
#[derive(Debug)]
pub struct Sources {
    current: Current,
    on_demand: Arc<OnDemand>,
    renders: Renders,
    files: WorkPool,
    policy: ResponsePolicy,
    trusted: TrustedProxies,
    access_log: Option<Arc<AccessLog>>,
    poll_limiter: Option<PollLimiter>,
    /// How long responses in flight may take to finish when the daemon stops.
    pub stop_timeout: Duration,
    metrics: Metrics,
}

impl Sources {
    /// Serves `current`, and through `on_demand` what it does not hold, with the limits and the access log of `http`. Takes over the
    /// access log of `previous` if it has the same form.
    pub fn new(
        current: Current,
        on_demand: OnDemand,
        policy: ResponsePolicy,
        http: &Http,
        wiring: SourcesWiring,
        previous: Option<&Self>,
    ) -> Self {
        let SourcesWiring { pools, metrics } = wiring;
        let on_demand = Arc::new(on_demand);
        Self {
            current,
            renders: Renders::new(on_demand.clone(), pools.renders),
            on_demand,
            files: pools.files,
            policy,
            trusted: http.trusted_proxies.clone(),
            access_log: access_log(http.access_log, &metrics, previous),
            poll_limiter: PollLimiter::new(http.least_interval.0),
            stop_timeout: http.stop_timeout.0,
            metrics,
        }
    }

    /// Whether documents can be read from the disk.
    pub async fn probe(&self) -> bool {
        self.renders.probe().await
    }

    /// Returns the target, or a refusal if it is a feed that this client requests too often.
    fn limited(&self, peer: Option<IpAddr>, request: &Parts, target: Target) -> Target {
        let Some(limiter) = &self.poll_limiter else { return target };
        let is_feed = match &target {
            Target::Document(document) => document.is_feed(),
            Target::Lookup(address, _) => matches!(address, Route::View(..) | Route::Digests(..)),
            _ => false,
        };
        let client = client(peer, &request.headers, &self.trusted);
        // A trusted proxy that does not name its client stands for many.
        if !is_feed || self.trusted.contains(client) {
            return target;
        }
        limiter.refuse(client.map(connections::network), request, Instant::now()).map_or(target, Target::TooOften)
    }

    /// The proxies whose forwarding headers are believed.
    pub fn trusted(&self) -> &TrustedProxies {
        &self.trusted
    }

    /// Renders a document that the snapshot does not hold. If it has just changed, waits for the snapshot that contains the
    /// change, so that a document and its validators always belong together.
    async fn look_up(&self, route: Route, path: String, query: Option<&str>) -> (Target, Arc<Snapshot>) {
        // Own addresses precede old ones. Only those of pages had a query elsewhere.
        let old = match route {
            Route::OldAddress(_) => None,
            Route::Page(_) => respond::old_address(&path, query),
            _ => respond::old_address(&path, None),
        };
        let (target, snapshot) = match (self.look_up_once(route, &path).await, old) {
            ((Target::Missing, _), Some(old)) => self.look_up_once(old, &path).await,
            (found, _) => found,
        };
        if !matches!(target, Target::Missing) {
            return (target, snapshot);
        }
        let page = self.renders.missing_near(&path, Edition::from(&*snapshot)).await;
        (page.map_or(Target::Missing, Target::MissingNear), snapshot)
    }

    async fn look_up_once(&self, route: Route, path: &str) -> (Target, Arc<Snapshot>) {
        let mut versions = self.current.subscribe();
        let deadline = tokio::time::Instant::now() + NEXT_VERSION;
        loop {
            let snapshot = self.current.get();
            let lookup = match self.renders.find(&route, &*snapshot).await {
                RenderOutcome::Found(lookup) => lookup,
                RenderOutcome::Failed => return (Target::Unavailable, snapshot),
                RenderOutcome::Busy => return (Target::Busy, snapshot),
            };
            let target = match self.on_demand.at(&route, path, lookup) {
                Lookup::Document(document) => Target::Document(document),
                Lookup::Moved(address) => Target::Moved(address),
                Lookup::Temporary(address) => Target::Temporary(address),
                Lookup::Gone => Target::Gone,
                Lookup::Unknown => Target::Missing,
                Lookup::NotYet => match tokio::time::timeout_at(deadline, versions.changed()).await {
                    Ok(Ok(())) => continue,
                    _ => Target::Unavailable,
                },
            };
            return (target, snapshot);
        }
    }

    /// Opens a media file.
    async fn open(&self, path: PathBuf) -> Target {
        let Ok(Ok(place)) = tokio::time::timeout(FILE_TIMEOUT, self.files.place()).await else {
            let seconds = FILE_TIMEOUT.as_secs();
            tracing::error!(path = %path.display(), seconds, "cannot open a media file: the disk does not respond");
            return Target::Unavailable;
        };
        let on_demand = self.on_demand.clone();
        let opened = match self.files.run(place, move || on_demand.file(&path)).await {
            // The pool has logged it.
            Err(WorkError::NoThread(_)) => return Target::Busy,
            Err(error) => Err(io::Error::other(error)),
            Ok(opened) => opened,
        };
        match opened {
            Ok(MediaLookup::File(opened)) => Target::File(Arc::new(FileSource::new(opened, self.files.clone()))),
            Ok(MediaLookup::Unscaled(picture)) => {
                self.on_demand.media_url(&picture).map_or(Target::Missing, Target::Temporary)
            }
            Ok(MediaLookup::Missing) => Target::Missing,
            Err(error) => {
                tracing::error!(%error, "cannot open a media file");
                Target::Unavailable
            }
        }
    }
}

impl Handler for Arc<ArcSwap<Sources>> {
    type Requests = Requests;

    const KEEPS_ALIVE: bool = true;

    fn requests(&self, connection: Arc<Connection>, peer: Option<IpAddr>) -> Requests {
        Requests::new(self.clone(), connection, peer)
    }

    fn limited_address(&self, peer: Option<IpAddr>) -> Option<IpAddr> {
        // A trusted proxy connects for many clients.
        peer.filter(|_| !self.load().trusted().contains(peer))
    }
}

/// The requests of one connection.
#[derive(Debug)]
pub struct Requests {
    /// A reload replaces them while connections stay open.
    sources: Arc<ArcSwap<Sources>>,
    client: Client,
}

/// The sender of a request.
#[derive(Debug, Clone)]
struct Client {
    connection: Arc<Connection>,
    peer: Option<IpAddr>,
}

impl Requests {
    /// Requests that arrive on `connection` from `peer`; `None` for a Unix socket.
    pub fn new(sources: Arc<ArcSwap<Sources>>, connection: Arc<Connection>, peer: Option<IpAddr>) -> Self {
        Self { sources, client: Client { connection, peer } }
    }
}

impl Sources {
    /// The current instant, if the access log needs the duration of responses.
    fn start_clock(&self) -> Option<Instant> {
        self.access_log.as_ref().map(|_| Instant::now())
    }

    /// Updates the metrics of responses, bytes sent and bytes saved.
    fn count(&self, target: &Target, response: &Response<ResponseBody>, coding: Option<ContentCoding>) {
        let (metrics, status) = (&self.metrics, response.status());
        let sent = response.body().size_hint().exact().unwrap_or(0);
        let mut sent_coding = None;
        let kind = match target {
            Target::Document(document) => {
                let variant = coding.and_then(|coding| document.variant(coding));
                if status == StatusCode::NOT_MODIFIED {
                    metrics.add_saved_by_unchanged(variant.map_or(0, |variant| variant.bytes.len() as u64));
                } else if let Some(coding) = coding.filter(|coding| *coding != ContentCoding::Identity) {
                    sent_coding = Some(coding.name());
                    if sent > 0 {
                        metrics.add_saved_by_coding((document.identity.bytes.len() as u64).saturating_sub(sent));
                    }
                }
                document.kind.label()
            }
            Target::File(source) => {
                if status == StatusCode::NOT_MODIFIED {
                    metrics.add_saved_by_unchanged(source.opened().size());
                }
                metrics::MEDIA
            }
            _ => metrics::OTHER,
        };
        if sent > 0 {
            metrics.add_sent(sent);
        }
        metrics.record_response(kind, status.as_u16(), sent_coding);
    }

    /// Makes the response to a request that arrived at `begun`, and logs and counts it.
    fn answer(
        &self,
        client: &Client,
        request: &Parts,
        target: &Target,
        snapshot: &Snapshot,
        begun: Option<Instant>,
        may_prepare: bool,
    ) -> Response<Sending> {
        let now = SystemTime::now();
        let prepared = &client.connection.prepared;
        let may_prepare = prepared.begin() && may_prepare;
        let Reply { response, coding, lines } =
            respond::reply(request, target, snapshot, &self.policy, now, may_prepare);
        if let Some(lines) = lines {
            prepared.set(lines);
        }
        if let (Some(log), Some(begun)) = (&self.access_log, begun) {
            let address = self::client(client.peer, &request.headers, &self.trusted);
            log.write(&Answered::new(address, request, &response, now, begun.elapsed()).with_coding(coding));
        }
        self.count(target, &response, coding);
        response.map(|body| Sending::new(body, client.connection.clone()))
    }
}

impl ConnectionRequests for Requests {}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Sending>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: Request<Incoming>) -> ResponseFuture {
        let client = &self.client;
        client.connection.enter(Phase::Responding);
        let sources = self.sources.load();
        let begun = sources.start_clock();
        let (request, body) = request.into_parts();
        let snapshot = sources.current.borrow();
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let target = match respond::route(&request, &snapshot, &sources.policy) {
            Target::Server => Target::Server,
            _ if snapshot.is_none() => Target::Unavailable,
            target => target,
        };
        let lookup = match sources.limited(client.peer, &request, target) {
            Target::Lookup(address, path) if is_read => PendingTarget::Document(address, path),
            Target::Media(path) if is_read => PendingTarget::File(path),
            target => {
                // Before a body is read, hyper may send a 100.
                let mut response = sources.answer(client, &request, &target, &snapshot, begun, body.is_end_stream());
                if response.headers().is_empty() {
                    // hyper reuses the memory for the next request.
                    *response.headers_mut() = request.headers;
                    response.headers_mut().clear();
                }
                return ResponseFuture::Now(Some(response));
            }
        };
        ResponseFuture::later(Arc::clone(&sources), client.clone(), request, lookup, begun)
    }
}

/// A target that has to be read from the disk first.
enum PendingTarget {
    Document(Route, String),
    File(PathBuf),
}

/// A response: immediate where the snapshot holds the document, without a future on the heap.
pub enum ResponseFuture {
    Now(Option<Response<Sending>>),
    Later(Pin<Box<dyn Future<Output = Response<Sending>> + Send>>),
}

impl ResponseFuture {
    fn later(
        sources: Arc<Sources>,
        client: Client,
        request: Parts,
        pending: PendingTarget,
        begun: Option<Instant>,
    ) -> Self {
        Self::Later(Box::pin(async move {
            let (target, snapshot) = match pending {
                PendingTarget::Document(address, path) => sources.look_up(address, path, request.uri.query()).await,
                PendingTarget::File(path) => (sources.open(path).await, sources.current.get()),
            };
            sources.answer(&client, &request, &target, &snapshot, begun, false)
        }))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<Sending>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(response) => Poll::Ready(Ok(response.take().expect("a completed future is not polled again"))),
            Self::Later(answer) => answer.as_mut().poll(context).map(Ok),
        }
    }
}
