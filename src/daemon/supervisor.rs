//! Supervises publishing: reloads the configuration on request, and restarts publishing after the catalog could not be used. The
//! current snapshot is served until a new one is ready.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::control_socket::Reload;
use super::pipeline::{self, Ended, Running};
use super::state_dir::Opening;
use crate::config::Config;
use crate::observe::Observers;
use crate::render::snapshot::Current;
use crate::serve::Server;
use crate::system::systemd;

/// How long after a failure of the catalog it is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// A catalog that is damaged again so soon after its recovery was not recovered.
const RELAPSE: Duration = Duration::from_mins(10);

/// Reads the configuration again.
pub type Load = Box<dyn Fn() -> anyhow::Result<Config> + Send + Sync>;

/// The parts of the daemon that outlive a change of the configuration.
pub struct SharedState {
    pub load: Load,
    /// The state directory.
    pub state: PathBuf,
    /// The address of the listener, if it is a TCP socket.
    pub address: Option<SocketAddr>,
    pub current: Current,
    pub server: Arc<Server>,
    pub observers: Observers,
}

impl std::fmt::Debug for SharedState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedState").field("state", &self.state).finish_non_exhaustive()
    }
}

impl SharedState {
    /// What systemd shows while all is well.
    pub fn status(&self, config: &Config) -> String {
        format!("serving {}", config.base_url(self.address))
    }

    /// Opens everything with a configuration, reads the whole folder and publishes what is in it. Takes as long as a start.
    fn begin(&self, config: &Config, opening: Opening) -> anyhow::Result<Running> {
        let base_url = config.base_url(self.address);
        // First who serves, then what: answers are made once, for all who ask.
        let serve = |on_demand| self.server.reconfigure(self.current.clone(), on_demand, &config.http, &base_url);
        pipeline::begin(config, &base_url, &self.state, &self.current, &self.observers, opening, serve)?.run()
    }
}

/// Why a configuration cannot take the place of another while the daemon runs, if it cannot.
fn needs_restart(old: &Config, new: &Config) -> Option<&'static str> {
    let keys = [
        ("articles.directory", old.articles.directory != new.articles.directory),
        ("state.directory", old.state.directory != new.state.directory),
        ("http.listen", old.http.listen != new.http.listen),
        ("admin.listen", old.admin.listen != new.admin.listen),
    ];
    keys.into_iter().find_map(|(key, differs)| differs.then_some(key))
}

/// An event that the supervisor waits for.
enum Event {
    /// A reload was requested.
    Ordered(Reload),
    /// Nothing is published any more.
    Ended(Ended),
    /// It is time to try again.
    Retry,
}

/// Owns the running pipeline, if there is one, and starts the next.
pub struct Supervisor {
    shared: Arc<SharedState>,
    config: Config,
    running: Option<Running>,
    /// What was last said about the catalog, so that it is said once.
    complaint: String,
    retry_at: Instant,
    /// How the catalog is opened next.
    opening: Opening,
    /// When a damaged catalog was last recovered.
    recovered_at: Option<Instant>,
}

impl Supervisor {
    /// Makes a supervisor of a pipeline that runs with `config`.
    pub fn new(shared: SharedState, config: Config, running: Running) -> Self {
        let (shared, running) = (Arc::new(shared), Some(running));
        let (complaint, retry_at) = (String::new(), Instant::now());
        Self { shared, config, running, complaint, retry_at, opening: Opening::AsIs, recovered_at: None }
    }

    fn status(&self) -> String {
        self.shared.status(&self.config)
    }

    /// Opens everything as configured, on a blocking thread, since a disk may be slow.
    async fn begin(&self, config: &Config) -> anyhow::Result<anyhow::Result<Running>> {
        let (shared, config) = (self.shared.clone(), config.clone());
        let opening = self.opening.clone();
        Ok(tokio::task::spawn_blocking(move || shared.begin(&config, opening)).await?)
    }

    /// Works until `ended` says that it is over.
    ///
    /// # Errors
    /// Something is wrong with the program itself.
    pub async fn run(
        mut self,
        mut orders: mpsc::Receiver<Reload>,
        mut ended: oneshot::Receiver<()>,
    ) -> anyhow::Result<()> {
        loop {
            let event = tokio::select! {
                event = self.next(&mut orders) => event,
                _ = &mut ended => return self.stop().await,
            };
            match event {
                Event::Ordered(answer) => {
                    let said = self.reload().await?;
                    let _ = answer.send(said);
                }
                Event::Ended(Ended::Failed(error)) => {
                    let at_state = self.shared.state.display().to_string();
                    self.failed(&anyhow::Error::from(error).context(at_state)).await;
                }
                Event::Ended(Ended::Damaged(error)) => {
                    if let Some(running) = self.running.take() {
                        // What it has to say about the catalog is known.
                        let _ = tokio::task::spawn_blocking(move || running.stop()).await?;
                    }
                    let at_state = self.shared.state.display().to_string();
                    self.failed(&anyhow::Error::from(error).context(at_state)).await;
                }
                Event::Ended(Ended::Panicked) => {
                    bail!("the publisher panicked: the articles are safe in their files; please report this")
                }
                Event::Retry => self.begin_again().await?,
            }
        }
    }

    /// Whatever comes first.
    async fn next(&mut self, orders: &mut mpsc::Receiver<Reload>) -> Event {
        let event = async {
            if let Some(running) = &mut self.running {
                return Event::Ended(running.ended().await);
            }
            tokio::time::sleep_until(self.retry_at).await;
            Event::Retry
        };
        tokio::select! {
            Some(order) = orders.recv() => Event::Ordered(order),
            event = event => event,
        }
    }

    /// Stops publishing. Its errors are returned to the task that waits for it.
    async fn stop(self) -> anyhow::Result<()> {
        match self.running {
            Some(running) => tokio::task::spawn_blocking(move || running.stop()).await?,
            None => Ok(()),
        }
    }

    /// The catalog cannot be used: what is served stays, and it is tried again.
    async fn failed(&mut self, error: &anyhow::Error) {
        if let Some(running) = self.running.take() {
            // The watch of a large folder takes its time to end.
            let _ = tokio::task::spawn_blocking(move || drop(running)).await;
        }
        let complaint = format!("{error:#}");
        self.shared.observers.metrics.record_catalog_failure();
        self.shared.observers.status.update(|status| status.failure = Some(complaint.clone()));
        if let Some(why) = pipeline::damage(error)
            && self.opening == Opening::AsIs
        {
            let is_relapse = self.recovered_at.take().is_some_and(|at| at.elapsed() < RELAPSE);
            self.opening = if is_relapse { Opening::Empty(why) } else { Opening::Recovering(why) };
            // Waiting repairs nothing, and the recovery says what was wrong.
            self.retry_at = Instant::now();
            return;
        }
        self.retry_at = Instant::now() + RETRY;
        if complaint != self.complaint {
            tracing::error!(error = %complaint, "publishing stopped: the catalog cannot be used; trying again every few seconds");
            systemd::status(&format!("{}; nothing new is published: {complaint}", self.status()));
            self.complaint = complaint;
        }
    }

    /// Opens everything once more, as it was.
    async fn begin_again(&mut self) -> anyhow::Result<()> {
        match self.begin(&self.config).await? {
            Ok(running) => {
                self.running = Some(running);
                if std::mem::replace(&mut self.opening, Opening::AsIs) != Opening::AsIs {
                    self.recovered_at = Some(Instant::now());
                }
                self.shared.observers.status.update(|status| status.failure = None);
                if !std::mem::take(&mut self.complaint).is_empty() {
                    tracing::info!("publishing resumed");
                    systemd::status(&self.status());
                }
            }
            Err(error) => self.failed(&error).await,
        }
        Ok(())
    }

    /// Reloads the configuration. Returns the result, which is also logged.
    async fn reload(&mut self) -> anyhow::Result<Result<String, String>> {
        systemd::reloading();
        let shared = self.shared.clone();
        let loaded = tokio::task::spawn_blocking(move || (shared.load)()).await?;
        let said = match loaded {
            Ok(new) if new == self.config => {
                if let Some(running) = &self.running {
                    running.reconcile();
                }
                Ok("the configuration is the same; comparing the whole folder".to_owned())
            }
            Ok(new) => match needs_restart(&self.config, &new) {
                Some(key) => Err(format!("{key} cannot change while the daemon runs: restart it")),
                None => self.change(new).await?,
            },
            Err(error) => Err(format!("{error:#}")),
        };
        let said = said.map_err(|why| format!("{why}; keeping the current configuration"));
        match &said {
            Ok(said) => tracing::info!(result = said, "reloaded"),
            Err(error) => tracing::error!(%error, "reload failed"),
        }
        systemd::ready(&self.status());
        Ok(said)
    }

    /// Publishes and serves by another configuration; or, if that cannot be, by the old one.
    async fn change(&mut self, new: Config) -> anyhow::Result<Result<String, String>> {
        if let Some(running) = self.running.take() {
            tokio::task::spawn_blocking(move || running.stop()).await??;
        }
        match self.begin(&new).await? {
            Ok(running) => {
                self.running = Some(running);
                self.config = new;
                Ok(Ok("the new configuration holds".to_owned()))
            }
            Err(error) => {
                self.begin_again().await?;
                Ok(Err(format!("{error:#}")))
            }
        }
    }
}
