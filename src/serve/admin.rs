//! The admin listener: health, readiness, metrics and status. It has its own sockets and thread, so that it responds even when
//! serving is stuck.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, watch};

use super::stream::{AsyncListener, Stream};
use crate::observe::status::DaemonPhase;
use crate::observe::{Observers, metrics};
use crate::render::page;
use crate::system::sockets;

/// Maximum number of connections; more wait.
const MAX_CONNECTIONS: usize = 32;
/// Timeout for a request to arrive and for its response to be read.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A task without a heartbeat for this long is stalled.
const STALLED_AFTER: Duration = Duration::from_secs(30);
/// Content-Security-Policy: own style and icon only, no scripts.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

/// Interval of heartbeats where only `/healthz` checks them.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// The thread of the admin listener; it ends when this is dropped.
#[derive(Debug)]
pub struct Admin {
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Starts to answer on `listeners`.
    ///
    /// # Errors
    /// A socket cannot be used, or the thread cannot be started.
    pub fn start(listeners: &[sockets::Listener], observers: Observers) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start the runtime of the admin listener")?;
        let listeners = listeners.iter().map(sockets::Listener::try_clone).collect::<io::Result<Vec<_>>>();
        let listeners = listeners.context("cannot use the sockets of the admin listener")?;
        let (stop, stopped) = watch::channel(());
        let run = move || runtime.block_on(run(listeners, observers, stopped));
        let thread = std::thread::Builder::new().name("admin".into()).spawn(run).context("cannot start a thread")?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(listeners: Vec<sockets::Listener>, observers: Observers, stopped: watch::Receiver<()>) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut loops = tokio::task::JoinSet::new();
    for listener in listeners {
        let (observers, room) = (observers.clone(), room.clone());
        let mut stopped = stopped.clone();
        loops.spawn(async move {
            let Ok(listener) = AsyncListener::try_from(listener) else { return };
            loop {
                let accept = async {
                    let permit = room.clone().acquire_owned().await;
                    (listener.accept().await, permit)
                };
                let (accepted, permit) = tokio::select! {
                    accepted = accept => accepted,
                    _ = stopped.changed() => return,
                };
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(super::ACCEPT_PAUSE).await;
                    continue;
                };
                let observers = observers.clone();
                tokio::spawn(async move {
                    let _permit = permit;
                    // One request for each connection: probes and scrapes are rare.
                    let _ = tokio::time::timeout(2 * TIMEOUT, serve(stream, observers)).await;
                });
            }
        });
    }
    loops.join_all().await;
}

async fn serve(stream: Stream, observers: Observers) {
    let answer = move |request: Request<Incoming>| {
        let answer = respond(&request, &observers);
        async move { Ok::<_, Infallible>(answer) }
    };
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(TIMEOUT).max_header_size(super::MAX_HEADER).keep_alive(false);
    let served = match stream {
        Stream::Tcp(stream) => builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await,
        Stream::Unix(stream) => builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await,
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the admin listener ended early");
    }
}

fn respond<B>(request: &Request<B>, observers: &Observers) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Only GET and HEAD are allowed here.\n");
        refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    let wants_page = || {
        let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    };
    match request.uri().path() {
        "/healthz" => {
            let silent = observers.heartbeats.stalled(STALLED_AFTER);
            if silent.is_empty() {
                return answer(StatusCode::OK, TEXT, "alive\n");
            }
            let text = format!("stalled for more than {} s: {}\n", STALLED_AFTER.as_secs(), silent.join(", "));
            answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
        }
        "/readyz" => match observers.status.get().phase {
            DaemonPhase::Serving => answer(StatusCode::OK, TEXT, "ready\n"),
            DaemonPhase::Starting => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, "starting: reading the articles\n"),
            DaemonPhase::Stopping => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, "stopping\n"),
        },
        "/metrics" => answer(StatusCode::OK, metrics::MEDIA_TYPE, observers.metrics.encode()),
        "/" | "/status" if wants_page() => {
            answer(StatusCode::OK, page::MEDIA_TYPE, page::status(&observers.status.get()))
        }
        "/" | "/status" | "/status.json" => {
            let report = serde_json::to_string_pretty(&observers.status.get()).expect("texts and numbers make JSON");
            answer(StatusCode::OK, "application/json", report + "\n")
        }
        "/style.css" => answer(StatusCode::OK, page::STYLE_TYPE, page::STYLE),
        "/icon.svg" => answer(StatusCode::OK, "image/svg+xml", page::ICON),
        _ => answer(StatusCode::NOT_FOUND, TEXT, "Available: /status, /metrics, /healthz, /readyz.\n"),
    }
}

/// Makes a response that no cache may store.
fn answer(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
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
        let response = respond(&request, observers);
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap().to_owned())
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
