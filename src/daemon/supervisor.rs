//! Supervises publishing: reloads the configuration on request, and restarts publishing after a failure of the catalog. The
//! current snapshot is served until a new one is ready.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::control_socket::{ControlTask, Reload};
use super::pipeline::{self, Ended, PipelineWiring, Running};
use super::state_dir::{Opening, StateLock};
use super::state_restore::OpenState;
use crate::config::Config;
use crate::observe::Observers;
use crate::render::page;
use crate::render::snapshot::Current;
use crate::serve::Server;
use crate::serve::host::AllowedHosts;
use crate::serve::respond::ResponsePolicy;
use crate::site::Site;
use crate::system::reading_journal::ReadingJournal;
use crate::system::systemd;
use crate::system::threads::WorkPool;

/// Pause before the catalog is opened again after a failure.
const RETRY: Duration = Duration::from_secs(2);
/// A catalog that is damaged again within this time of its recovery is replaced by an empty one.
const RECOVERY_PERIOD: Duration = Duration::from_mins(10);

/// Reads the configuration again.
pub type Load = Box<dyn Fn() -> anyhow::Result<Config> + Send + Sync>;

/// The parts of the daemon that outlive a change of the configuration.
pub struct SharedState {
    pub load: Load,
    /// The state directory.
    pub state: PathBuf,
    pub lock: Arc<StateLock>,
    /// The address of the listener, if it is a TCP socket.
    pub address: Option<SocketAddr>,
    pub current: Current,
    pub server: Arc<Server>,
    /// Host names that the admin listener answers to.
    pub admin_hosts: AllowedHosts,
    pub journal: ReadingJournal,
    pub observers: Observers,
}

impl std::fmt::Debug for SharedState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedState").field("state", &self.state).finish_non_exhaustive()
    }
}

impl SharedState {
    /// Returns the status text for systemd while the daemon works normally.
    pub fn status(&self, config: &Config) -> String {
        format!("serving {}", config.base_url(self.address))
    }

    /// Reads the settings of the site of a configuration.
    fn settings(&self, config: &Config) -> anyhow::Result<Arc<Site>> {
        Site::load(config, &pipeline::open_folder(config)?, &config.base_url(self.address)).map(Arc::new)
    }

    /// Reads the settings of the site of a new configuration, which must not have a broken template.
    fn new_settings(&self, config: &Config) -> anyhow::Result<Arc<Site>> {
        let site = self.settings(config)?;
        match page::faults(&site.look.templates).into_iter().find(|fault| fault.is_broken) {
            Some(fault) => bail!("{fault}"),
            None => Ok(site),
        }
    }

    /// Opens everything with a configuration and serves the last version. Takes as long as a start.
    fn begin(&self, config: &Config, site: &Arc<Site>, opening: Opening) -> anyhow::Result<Running> {
        let base_url = config.base_url(self.address);
        // The server gets the new on-demand renderer before the folder is read.
        let policy = ResponsePolicy::of(&site.applied_to(config), &base_url);
        let serve = |on_demand| self.server.reconfigure(self.current.clone(), on_demand, &config.http, policy.clone());
        let Self { state, lock, current, journal, observers, .. } = self;
        let wiring = PipelineWiring { base_url: &base_url, state, lock, current, site, journal, observers };
        pipeline::begin(config, wiring, opening, serve)?.run()
    }
}

/// Returns the first changed key that cannot change while the daemon runs.
fn needs_restart(old: &Config, new: &Config) -> Option<&'static str> {
    let keys = [
        ("articles.directory", old.articles.directory != new.articles.directory),
        ("state.directory", old.state.directory != new.state.directory),
        ("http.listen", old.http.listen != new.http.listen),
        ("admin.listen", old.admin.listen != new.admin.listen),
        ("replicas", old.replicas != new.replicas),
    ];
    keys.into_iter().find_map(|(key, differs)| differs.then_some(key))
}

/// An event that the supervisor waits for.
enum Event {
    /// A reload was requested.
    ReloadRequested(Reload),
    /// The pipeline ended.
    Ended(Ended),
    /// The pause after a failure is over.
    Retry,
}

/// Owns the running pipeline, if there is one, and starts the next.
pub struct Supervisor {
    shared: Arc<SharedState>,
    /// The thread for work that blocks, such as reading the folder.
    pool: WorkPool,
    config: Config,
    /// The settings of the site that were last in effect.
    site: Arc<Site>,
    running: Option<Running>,
    /// The failure that was logged last; each is logged once.
    logged_failure: String,
    retry_at: Instant,
    control: ControlTask,
    /// The state of the last pipeline, if it is to be written again, until the next pipeline has opened what was written.
    displaced: Option<Box<OpenState>>,
    /// The mode in which the catalog is opened next.
    opening: Opening,
    /// Time of the last recovery of a damaged catalog.
    recovered_at: Option<Instant>,
}

/// Runs work that may wait for the disk.
async fn blocking<T: Send + 'static>(pool: &WorkPool, work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let place = pool.place().await?;
    Ok(pool.run(place, work).await?)
}

impl Supervisor {
    /// Makes a supervisor of a pipeline that runs with `config`.
    pub fn new(shared: SharedState, config: Config, site: Arc<Site>, running: Running, control: ControlTask) -> Self {
        Self {
            shared: Arc::new(shared),
            pool: WorkPool::start("supervise", 1),
            config,
            site,
            running: Some(running),
            logged_failure: String::new(),
            retry_at: Instant::now(),
            control,
            displaced: None,
            opening: Opening::AsIs,
            recovered_at: None,
        }
    }

    fn status(&self) -> String {
        self.shared.status(&self.config)
    }

    /// Starts a pipeline. Before that, a displaced state is written again.
    async fn begin(&mut self, config: &Config, site: &Arc<Site>) -> anyhow::Result<anyhow::Result<Running>> {
        if let Err(error) = self.write_again().await? {
            return Ok(Err(error));
        }
        let (shared, config, site) = (self.shared.clone(), config.clone(), site.clone());
        let opening = self.opening.clone();
        let begun = blocking(&self.pool, move || shared.begin(&config, &site, opening)).await?;
        if !begun.as_ref().is_err_and(pipeline::is_replaced) {
            self.displaced = None;
        }
        if matches!(self.opening, Opening::Written(_)) {
            self.opening = Opening::AsIs;
        }
        Ok(begun)
    }

    /// Writes a displaced state directory again. If that fails, it is tried again by the next attempt, unless the catalog is damaged.
    async fn write_again(&mut self) -> anyhow::Result<anyhow::Result<()>> {
        let Some(open) = self.displaced.take() else { return Ok(Ok(())) };
        let shared = self.shared.clone();
        let write = move || {
            let written = open.write_again(&shared.state, &shared.lock);
            (open, written)
        };
        let (open, written) = blocking(&self.pool, write).await?;
        match &written {
            Ok(file) => {
                self.control.restart().await;
                if self.opening == Opening::AsIs {
                    self.opening = Opening::Written(*file);
                }
            }
            Err(error) if pipeline::damage(error).is_some() => return Ok(written.map(drop)),
            Err(_) => {}
        }
        self.displaced = Some(open);
        Ok(written.map(drop))
    }

    /// Notes that the state of a pipeline was displaced.
    fn note_displaced(&mut self, open: Box<OpenState>) {
        let file = open.displaced().unwrap_or(&self.shared.state).display().to_string();
        tracing::warn!(file, "the state directory was removed or replaced: it is written again from the open catalog");
        self.displaced = Some(open);
        self.retry_at = Instant::now();
    }

    /// Supervises until `ended` completes.
    ///
    /// # Errors
    /// A task panicked, or the pipeline could not be stopped.
    pub async fn run(
        mut self,
        mut reloads: mpsc::Receiver<Reload>,
        mut ended: oneshot::Receiver<()>,
    ) -> anyhow::Result<()> {
        loop {
            let event = tokio::select! {
                event = self.next(&mut reloads) => event,
                _ = &mut ended => return self.stop().await,
            };
            match event {
                Event::ReloadRequested(sender) => {
                    let result = self.reload().await?;
                    let _ = sender.send(result);
                }
                Event::Ended(Ended::Failed(error)) => {
                    let at_state = self.shared.state.display().to_string();
                    self.handle_failure(&anyhow::Error::from(error).context(at_state)).await;
                }
                Event::Ended(Ended::Displaced(open)) => {
                    if let Some(running) = self.running.take() {
                        let _ = blocking(&self.pool, move || drop(running)).await;
                    }
                    self.note_displaced(open);
                }
                Event::Ended(Ended::Damaged(error)) => {
                    if let Some(running) = self.running.take() {
                        // Its error is the damage that is handled below. If the catalog was replaced, the reader may have read the other
                        // file; the open catalog is checked when it is written again.
                        if let Ok(Some(open)) = blocking(&self.pool, move || running.stop()).await? {
                            self.note_displaced(open);
                            continue;
                        }
                    }
                    let at_state = self.shared.state.display().to_string();
                    self.handle_failure(&anyhow::Error::from(error).context(at_state)).await;
                }
                Event::Ended(Ended::SiteChanged) => self.site_changed().await?,
                Event::Ended(Ended::NeedsBase) => {
                    if let Some(running) = self.running.take() {
                        let _ = blocking(&self.pool, move || drop(running)).await;
                    }
                    self.begin_again().await?;
                }
                Event::Ended(Ended::Panicked) => {
                    bail!("the publisher panicked: the articles are safe in their files; please report this")
                }
                Event::Retry => self.begin_again().await?,
            }
        }
    }

    /// Waits for the next event.
    async fn next(&mut self, reloads: &mut mpsc::Receiver<Reload>) -> Event {
        let event = async {
            if let Some(running) = &mut self.running {
                return Event::Ended(running.ended().await);
            }
            tokio::time::sleep_until(self.retry_at).await;
            Event::Retry
        };
        tokio::select! {
            Some(reload) = reloads.recv() => Event::ReloadRequested(reload),
            event = event => event,
        }
    }

    /// Stops the pipeline. A displaced state is written again, so that the next start finds it.
    async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(running) = self.running.take()
            && let Some(open) = blocking(&self.pool, move || running.stop()).await??
        {
            self.note_displaced(open);
        }
        self.write_again().await?
    }

    /// Handles a failure of the catalog: drops the pipeline and schedules the next attempt. The current snapshot is still served.
    async fn handle_failure(&mut self, error: &anyhow::Error) {
        if let Some(running) = self.running.take() {
            // Ending the watch of a large folder can take long.
            let _ = blocking(&self.pool, move || drop(running)).await;
        }
        let failure = format!("{error:#}");
        self.shared.observers.metrics.record_catalog_failure();
        self.shared.observers.status.update(|status| status.failure = Some(failure.clone()));
        if let Some(why) = pipeline::damage(error)
            && self.opening == Opening::AsIs
        {
            let is_relapse = self.recovered_at.take().is_some_and(|at| at.elapsed() < RECOVERY_PERIOD);
            self.opening = if is_relapse { Opening::Empty(why) } else { Opening::Recovering(why) };
            // The recovery starts at once and logs the damage.
            self.retry_at = Instant::now();
            return;
        }
        self.retry_at = Instant::now() + RETRY;
        if failure != self.logged_failure {
            tracing::error!(error = %failure, "publishing stopped: the catalog cannot be used; trying again every few seconds");
            systemd::status(&format!("{}; nothing new is published: {failure}", self.status()));
            self.logged_failure = failure;
        }
    }

    /// Starts the pipeline again with the current configuration.
    async fn begin_again(&mut self) -> anyhow::Result<()> {
        let (config, site) = (self.config.clone(), self.site.clone());
        match self.begin(&config, &site).await? {
            Ok(running) => self.note_running(running),
            Err(error) => self.handle_failure(&error).await,
        }
        Ok(())
    }

    /// Notes that a pipeline runs with the current configuration. An earlier failure is over.
    fn note_running(&mut self, running: Running) {
        self.running = Some(running);
        if std::mem::replace(&mut self.opening, Opening::AsIs) != Opening::AsIs {
            self.recovered_at = Some(Instant::now());
        }
        self.shared.observers.status.update(|status| status.failure = None);
        if !std::mem::take(&mut self.logged_failure).is_empty() {
            tracing::info!("publishing resumed");
            systemd::status(&self.status());
        }
    }

    /// Starts the pipeline again with the settings that the site has now.
    async fn site_changed(&mut self) -> anyhow::Result<()> {
        if let Some(running) = self.running.take() {
            let _ = blocking(&self.pool, move || drop(running)).await;
        }
        let (shared, config) = (self.shared.clone(), self.config.clone());
        match blocking(&self.pool, move || shared.settings(&config)).await? {
            Ok(site) => {
                tracing::info!("the settings of the site have changed: they are in effect from the next version on");
                self.site = site;
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "the settings of the site cannot be read; keeping the current ones");
            }
        }
        self.begin_again().await
    }

    /// Reloads the configuration. Returns the result, which is also logged.
    async fn reload(&mut self) -> anyhow::Result<Result<String, String>> {
        systemd::reloading();
        let shared = self.shared.clone();
        let load = move || {
            let new = (shared.load)()?;
            let site = shared.new_settings(&new);
            anyhow::Ok((new, site))
        };
        let loaded = blocking(&self.pool, load).await?;
        let result = match loaded {
            Ok((new, Ok(site))) if new == self.config && site.is_like(&self.site) => {
                if let Some(running) = &self.running {
                    running.reconcile();
                }
                Ok("the configuration has not changed; comparing the whole folder".to_owned())
            }
            Ok((new, site)) => match (needs_restart(&self.config, &new), site) {
                (Some(key), _) => Err(format!("{key} cannot change while the daemon runs: restart it")),
                (None, Ok(site)) => self.change(new, site).await?,
                (None, Err(error)) => Err(format!("{error:#}")),
            },
            Err(error) => Err(format!("{error:#}")),
        };
        let result = result.map_err(|why| format!("{why}; keeping the current configuration"));
        match &result {
            Ok(message) => tracing::info!(result = message, "reloaded"),
            Err(error) => tracing::error!(%error, "reload failed"),
        }
        systemd::ready(&self.status());
        Ok(result)
    }

    /// Restarts the pipeline with another configuration, or with the old one if that fails.
    async fn change(&mut self, new: Config, site: Arc<Site>) -> anyhow::Result<Result<String, String>> {
        if let Some(running) = self.running.take()
            && let Some(open) = blocking(&self.pool, move || running.stop()).await??
        {
            self.note_displaced(open);
        }
        match self.begin(&new, &site).await? {
            Ok(running) => {
                self.shared.admin_hosts.set(&new.admin.hosts);
                (self.config, self.site) = (new, site);
                self.note_running(running);
                Ok(Ok("the new configuration is in effect".to_owned()))
            }
            Err(error) => {
                self.begin_again().await?;
                Ok(Err(format!("{error:#}")))
            }
        }
    }
}
