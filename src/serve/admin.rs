//! The admin listener: health, readiness, metrics and status. It has its own sockets and thread, so that it responds even when
//! serving is stuck.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::watch;

use super::acceptor::{Acceptor, ConnectionRequests, Handler};
use super::body::Sending;
use super::connections::{Connection, ConnectionLimits, Connections, Phase};
use super::fields::RequestFields;
use super::host::{self, AllowedHosts};
use super::stream::AsyncListener;
use crate::observe::metrics::Metrics;
use crate::observe::status::{DaemonPhase, ReplicaStatus, Status};
use crate::observe::{Observers, metrics};
use crate::render::page;
use crate::system::{sockets, threads};

/// Maximum number of connections. Above it, silent ones are closed, oldest first.
const MAX_CONNECTIONS: usize = 128;
/// Share of all file descriptors that the connections may take, as a divisor.
const DESCRIPTOR_SHARE: usize = 8;
/// Timeout for a request to arrive, and for its response to be read.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A task without a heartbeat for this long is stalled.
const STALLED_AFTER: Duration = Duration::from_secs(30);
/// Content-Security-Policy: own style and icon only, no scripts.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Interval of heartbeats where only `/healthz` checks them.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// The thread of the admin listener; it ends when this is dropped.
#[derive(Debug)]
pub struct Admin {
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Starts to answer on `listeners` the requests that name one of `hosts`.
    ///
    /// # Errors
    /// A socket cannot be used, or the thread cannot be started.
    pub fn start(listeners: &[sockets::Listener], hosts: AllowedHosts, observers: Observers) -> anyhow::Result<Self> {
        let runtime = threads::runtime().context("cannot start the runtime of the admin listener")?;
        let listeners = listeners.iter().map(sockets::Listener::try_clone).collect::<io::Result<Vec<_>>>();
        let listeners = listeners.context("cannot use the sockets of the admin listener")?;
        let (stop, stopped) = watch::channel(());
        // The metrics count the connections of readers only.
        let connections = Arc::new(Connections::new(limits(), Metrics::default()));
        let acceptor = Acceptor::new(AdminHandler { observers, hosts }, connections.clone());
        let run = move || runtime.block_on(run(listeners, Arc::new(acceptor), connections, stopped));
        let thread = std::thread::Builder::new().name("admin".into()).spawn(run).context("cannot start a thread")?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

fn limits() -> ConnectionLimits {
    let total = MAX_CONNECTIONS.min(sockets::raise_descriptors() / DESCRIPTOR_SHARE).max(1);
    ConnectionLimits { total, per_address: usize::MAX, request: TIMEOUT, idle: TIMEOUT, blocked: TIMEOUT }
}

impl Drop for Admin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(
    listeners: Vec<sockets::Listener>,
    acceptor: Arc<Acceptor<AdminHandler>>,
    connections: Arc<Connections>,
    stopped: watch::Receiver<()>,
) {
    let mut loops = tokio::task::JoinSet::new();
    for listener in listeners {
        let (acceptor, mut stopped) = (acceptor.clone(), stopped.clone());
        loops.spawn(async move {
            let Ok(listener) = AsyncListener::try_from(listener) else { return };
            acceptor.run(listener, stopped.changed()).await;
        });
    }
    tokio::select! {
        _ = loops.join_all() => {}
        () = connections.enforce_limits() => {}
    }
}

/// Answers the requests to the admin listener.
#[derive(Debug, Clone)]
struct AdminHandler {
    observers: Observers,
    hosts: AllowedHosts,
}

impl Handler for AdminHandler {
    type Requests = AdminRequests;

    // Probes and scrapes are rare.
    const KEEPS_ALIVE: bool = false;

    fn requests(&self, connection: Arc<Connection>, peer: Option<IpAddr>) -> AdminRequests {
        AdminRequests { handler: self.clone(), connection, peer }
    }

    fn limited_address(&self, _peer: Option<IpAddr>) -> Option<IpAddr> {
        None
    }
}

/// The requests of one connection to the admin listener.
#[derive(Debug)]
struct AdminRequests {
    handler: AdminHandler,
    connection: Arc<Connection>,
    /// `None` for a Unix socket.
    peer: Option<IpAddr>,
}

impl ConnectionRequests for AdminRequests {}

impl hyper::service::Service<Request<Incoming>> for AdminRequests {
    type Response = Response<Sending>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.connection.enter(Phase::Responding);
        let (request, _body) = request.into_parts();
        let response =
            self.handler.check(self.peer, &request).unwrap_or_else(|| respond(&request, &self.handler.observers));
        ready(Ok(response.map(|bytes| Sending::new(bytes.into(), self.connection.clone()))))
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
/// The response to a request for another host, which a browser may have been made to send.
const OTHER_HOST: &str =
    "This host name is not allowed here. Use an IP address or localhost, or add the name to admin.hosts.\n";

impl AdminHandler {
    /// Returns the refusal of a request that names no host or another one, or that a page of another site has sent. No browser
    /// connects to a Unix socket.
    fn check(&self, peer: Option<IpAddr>, request: &Parts) -> Option<Response<Bytes>> {
        if !host::names_one_resource(request, RequestFields::from(&request.headers).host) {
            return Some(answer(StatusCode::BAD_REQUEST, TEXT, "A request must name exactly one host.\n"));
        }
        peer?;
        if !self.hosts.allow(request) {
            return Some(answer(StatusCode::MISDIRECTED_REQUEST, TEXT, OTHER_HOST));
        }
        let is_cross_site = host::is_cross_site(request);
        is_cross_site.then(|| answer(StatusCode::FORBIDDEN, TEXT, "Pages of other sites may not read this.\n"))
    }
}

fn respond(request: &Parts, observers: &Observers) -> Response<Bytes> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        let mut refusal = answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Only GET and HEAD are allowed here.\n");
        refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    let wants_page = || {
        let accept = request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    };
    match request.uri.path() {
        "/healthz" => {
            let silent = observers.heartbeats.stalled(STALLED_AFTER);
            if silent.is_empty() {
                return answer(StatusCode::OK, TEXT, "alive\n");
            }
            let text = format!("stalled for more than {} s: {}\n", STALLED_AFTER.as_secs(), silent.join(", "));
            answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
        }
        "/readyz" => match observers.status.get() {
            Status { phase: DaemonPhase::Serving, failure, replicas: Some(replicas), .. } => {
                answer(StatusCode::OK, TEXT, ready_among_replicas(failure.as_deref(), &replicas))
            }
            status => readiness(status.phase),
        },
        "/metrics" => answer(StatusCode::OK, metrics::MEDIA_TYPE, observers.metrics.encode()),
        "/" | "/status" if wants_page() => {
            answer(StatusCode::OK, page::MEDIA_TYPE, page::status(&observers.status.get()))
        }
        "/" | "/status" | "/status.json" => {
            let report = serde_json::to_string_pretty(&observers.status.get()).expect("texts and numbers make JSON");
            answer(StatusCode::OK, "application/json", report + "\n")
        }
        "/status.css" => answer(StatusCode::OK, page::STYLE_TYPE, page::STATUS_STYLE),
        "/style.css" => answer(StatusCode::OK, page::STYLE_TYPE, page::STYLE),
        "/icon.svg" => answer(StatusCode::OK, "image/svg+xml", page::ICON),
        _ => answer(StatusCode::NOT_FOUND, TEXT, "Available: /status, /metrics, /healthz, /readyz.\n"),
    }
}

/// The response about the readiness of a node that is alone.
fn readiness(phase: DaemonPhase) -> Response<Bytes> {
    match phase {
        DaemonPhase::Serving => answer(StatusCode::OK, TEXT, "ready\n"),
        DaemonPhase::Starting => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, "starting: reading the articles\n"),
        DaemonPhase::Stopping => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, "stopping\n"),
    }
}

/// A node serves whatever happens to the log; it says what keeps it from publishing.
fn ready_among_replicas(failure: Option<&str>, replicas: &ReplicaStatus) -> String {
    let ReplicaStatus { node, log, record, differs_from } = replicas;
    let mut text = format!("ready: node {node}, record {record} of {log}\n");
    if let Some(failure) = failure {
        text.push_str(&format!("nothing new is published: {failure}\n"));
    }
    if let Some(other) = differs_from {
        text.push_str(&format!("the node {other} makes other documents of the same articles\n"));
    }
    text
}

/// Makes a response that no cache may store.
fn answer(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(observers: &Observers, method: Method, path: &str, accept: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).header("accept", accept).body(()).unwrap();
        let response = respond(&request.into_parts().0, observers);
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap().to_owned())
    }

    #[test]
    fn only_requests_for_this_machine_are_answered() {
        let hosts = AllowedHosts::new(&["monitor".to_owned()]);
        let handler = AdminHandler { observers: Observers::default(), hosts };
        let network: Option<IpAddr> = "127.0.0.1".parse().ok();
        let status = |peer, fields: &[(&str, &str)]| {
            let request = Request::builder().uri("/status");
            let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let refusal = handler.check(peer, &request.body(()).unwrap().into_parts().0);
            refusal.map(|refusal| refusal.status().as_u16())
        };
        for (fields, expected) in [
            (&[("host", "127.0.0.1:8081")][..], None),
            (&[("host", "monitor:8081")], None),
            (&[("host", "attacker.example")], Some(421)),
            (&[], Some(400)),
            (&[("host", "")], Some(400)),
            (&[("host", "a b")], Some(400)),
            (&[("host", "localhost"), ("host", "localhost")], Some(400)),
            (&[("host", "localhost"), ("sec-fetch-site", "cross-site")], Some(403)),
            (&[("host", "localhost"), ("origin", "https://attacker.example")], Some(403)),
        ] {
            assert_eq!(status(network, fields), expected, "{fields:?}");
        }
        assert_eq!(status(None, &[("host", "attacker.example")]), None, "no browser connects to a Unix socket");
        assert_eq!(status(None, &[]), Some(400));
    }

    #[test]
    fn ready_means_serving() {
        let observers = Observers::default();
        let status = |observers: &Observers| ask(observers, Method::GET, "/readyz", "*/*").0;
        assert_eq!(status(&observers), 503);
        observers.status.update(|report| report.phase = DaemonPhase::Serving);
        assert_eq!(status(&observers), 200);
        observers.status.update(|report| report.phase = DaemonPhase::Stopping);
        assert_eq!(status(&observers), 503);
    }

    #[test]
    fn browsers_get_a_page_and_programs_get_json() {
        let observers = Observers::default();
        let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
        assert_eq!(ask(&observers, Method::GET, "/status", browser), (200, page::MEDIA_TYPE.to_owned()));
        for (path, accept) in [("/status", "*/*"), ("/status", "application/json"), ("/status.json", browser)] {
            assert_eq!(ask(&observers, Method::GET, path, accept), (200, "application/json".to_owned()), "{path}");
        }
        assert_eq!(ask(&observers, Method::GET, "/metrics", "*/*"), (200, metrics::MEDIA_TYPE.to_owned()));
        assert_eq!(ask(&observers, Method::GET, "/nothing", "*/*").0, 404);
        assert_eq!(ask(&observers, Method::POST, "/status", "*/*").0, 405);
    }
}
