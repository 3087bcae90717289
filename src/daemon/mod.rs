//! The daemon: opens everything, connects the tasks, and stops them in order.

mod control_socket;
mod export;
mod pipeline;
mod replicas;
mod site_state;
mod state_dir;
mod state_restore;
mod supervisor;
mod watchdog;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};

pub use crate::catalog::names as links;
use crate::config::Config;
use crate::folder::Folder;
use crate::model::collection::{Adoption, ImportedEntry};
use crate::observe::Observers;
use crate::observe::heartbeat::Heartbeats;
use crate::observe::status::DaemonPhase;
use crate::publish;
use crate::render::feed::Channel;
use crate::render::feed::format::FeedFormat;
use crate::render::on_demand::{self, RecordedFeed, Route};
use crate::render::snapshot::Current;
use crate::serve::admin::{self, Admin};
use crate::serve::host::AllowedHosts;
use crate::serve::respond::ResponsePolicy;
use crate::serve::{Server, ServingThreads};
use crate::site::{Look, Site};
use crate::system::reading_journal::ReadingJournal;
use crate::system::sockets::Sockets;
use crate::system::systemd;
use control_socket::{Control, ControlTask};
pub use export::{FollowedExport, SiteExport};
use pipeline::{Pipeline, PipelineWiring, open_folder};
pub use site_state::SiteState;
use state_dir::Opening;
pub use supervisor::Load;
use supervisor::{SharedState, Supervisor};

/// Timeout for recording the current change at a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The resources that the daemon gets from its caller.
pub struct DaemonWiring {
    pub sockets: Sockets,
    /// The daemon adds the heartbeats that systemd and the admin listener need.
    pub observers: Observers,
    /// Reads the configuration again, for a reload.
    pub load: Load,
}

/// A daemon whose feeds are ready, before it answers requests.
#[derive(Debug)]
pub struct Daemon {
    sockets: Sockets,
    config: Config,
    site: Arc<Site>,
    shared: SharedState,
    pipeline: Pipeline,
    threads: ServingThreads,
    watchdog_limit: Option<Duration>,
    admin: Option<Admin>,
    control: Option<Control>,
}

impl Daemon {
    /// Opens everything and serves the last version; the first start reads the whole folder before that. The sockets are open already, so that clients wait instead of being refused.
    ///
    /// # Errors
    /// The folder or the state directory cannot be used; the error says which and why.
    pub fn start(config: &Config, wiring: DaemonWiring) -> anyhow::Result<Self> {
        let DaemonWiring { sockets, observers, load } = wiring;
        let (folder, state) = places(config)?;
        let lock = Arc::new(state_dir::take(&state, &folder)?);
        let control = Control::open(&state).inspect_err(control_socket::warn).ok();
        let address = sockets.address();
        let base_url = config.base_url(address);
        let watchdog_limit = systemd::watchdog_limit();
        let admin_interval = (!sockets.admin().is_empty()).then_some(admin::HEARTBEAT_INTERVAL);
        let interval = [watchdog::interval(watchdog_limit), admin_interval].into_iter().flatten().min();
        let observers = Observers { heartbeats: Heartbeats::new(interval), ..observers };
        let admin_hosts = AllowedHosts::new(&config.admin.hosts);
        let start_admin = |_| Admin::start(sockets.admin(), admin_hosts.clone(), observers.clone());
        let admin = admin_interval.map(start_admin).transpose()?;
        let current = Current::default();
        let mut server = None;
        if config.site.base_url.is_none() && address.is_some_and(|address| !address.ip().is_loopback()) {
            tracing::warn!(
                %base_url,
                "site.base_url is not set, and feeds name an address that other machines may not reach: set it to that of the site"
            );
        }
        let site = Arc::new(Site::load(config, &folder, &base_url)?);
        let policy = ResponsePolicy::of(&site.applied_to(config), &base_url);
        let serve = |on_demand| {
            server = Some(Server::new(current.clone(), on_demand, &config.http, policy.clone(), &observers));
        };
        let journal = ReadingJournal::open(&state).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot record which files are read: one that ends the program is read again at each start");
            ReadingJournal::default()
        });
        let wiring = PipelineWiring {
            base_url: &base_url,
            site: &site,
            state: &state,
            lock: &lock,
            current: &current,
            journal: &journal,
            observers: &observers,
        };
        let pipeline = pipeline::begin(config, wiring, Opening::AsIs, serve)?;
        let server = Arc::new(server.context("no server was started: please report this")?);
        let threads = server.start_threads(&sockets)?;
        let shared = SharedState { load, state, lock, address, current, server, admin_hosts, journal, observers };
        let config = config.clone();
        Ok(Self { sockets, config, site, shared, pipeline, threads, watchdog_limit, admin, control })
    }

    /// Returns the handle of the current snapshot, which also announces new versions.
    pub fn current(&self) -> Current {
        self.shared.current.clone()
    }

    /// Returns the base address of the site.
    pub fn base_url(&self) -> String {
        self.config.base_url(self.shared.address)
    }

    /// Serves until `stop` completes or a task fails. Each signal from `hangups` reloads the configuration, including signals
    /// received before the call.
    ///
    /// # Errors
    /// The error of the first task that failed.
    pub async fn run(self, hangups: Signal, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { sockets, config, site, shared, pipeline, threads, watchdog_limit, admin, control } = self;
        let status = shared.status(&config);
        let (server, observers, lock) = (shared.server.clone(), shared.observers.clone(), shared.lock.clone());
        let journal = shared.journal.clone();
        let (reload_sender, reloads) = mpsc::channel(1);
        let control = ControlTask::start(control, &shared.state, reload_sender.clone());
        tokio::spawn(forward_hangups(hangups, reload_sender));
        let (end, ended) = oneshot::channel();
        let supervisor = Supervisor::new(shared, config, site, pipeline.run()?, control);
        let mut supervisor_task = tokio::spawn(supervisor.run(reloads, ended));
        systemd::ready(&status);
        let mut ingest_ended = None;
        let stop = async {
            tokio::select! {
                () = stop => {}
                ended = &mut supervisor_task => ingest_ended = Some(ended),
                () = watchdog::feed(&observers.heartbeats, watchdog_limit) => {}
            }
            systemd::stopping();
            observers.status.update(|status| status.phase = DaemonPhase::Stopping);
        };
        let outcome = server.run(threads, sockets, stop).await;
        drop(admin);
        drop::<oneshot::Sender<()>>(end);
        let ended_early = ingest_ended.is_some();
        journal.close();
        let ended = match ingest_ended {
            Some(ended) => Ok(ended),
            None => tokio::time::timeout(STOP_TIMEOUT, supervisor_task).await,
        };
        if let Ok(ended) = ended {
            drop(lock);
            ended.context("the publisher cannot be stopped")??;
        } else {
            // Acknowledged changes are in the catalog; the next start finds the others.
            tracing::warn!("stopped before the last change was read; the next start will read it");
            // The publisher may still write until the process ends.
            std::mem::forget(lock);
        }
        anyhow::ensure!(!ended_early, "the publisher ended unexpectedly; stopping the daemon");
        outcome
    }
}

/// Turns SIGHUP into reload requests until the receiver is dropped.
async fn forward_hangups(mut hangups: Signal, reload_sender: mpsc::Sender<control_socket::Reload>) {
    loop {
        tokio::select! {
            hangup = hangups.recv() => match hangup {
                // The supervisor logs the result.
                Some(()) => drop(reload_sender.send(oneshot::channel().0).await),
                None => return,
            },
            () = reload_sender.closed() => return,
        }
    }
}

/// Requests a reload from the daemon of the configured folder. Returns its message.
///
/// # Errors
/// No daemon runs there, or the reason why the daemon keeps its current configuration.
pub fn reload(config: &Config) -> anyhow::Result<String> {
    let folder = std::path::absolute(&config.articles.directory)?;
    control_socket::reload(&config.state_directory(&folder)?)
}

/// Gives articles the ids and dates that they had in a feed published elsewhere. No daemon may run on the folder.
///
/// # Errors
/// The folder or the state directory cannot be used, or a daemon uses it.
pub fn adopt(config: &Config, entries: &[ImportedEntry]) -> anyhow::Result<Adoption> {
    let folder = open_folder(config)?;
    let state = config.state_directory(folder.root())?;
    let _lock = state_dir::take(&state, &folder)?;
    pipeline::with_recovery(&state, Opening::AsIs, |opening| {
        let mut catalog = state_dir::open_catalog(&state, config.authority().as_deref(), opening)?;
        state_dir::check_folder(&mut catalog, &state, &folder)?;
        let (config, look) = settings(config, &folder)?;
        let config = &config;
        let channel = Channel::new(config, &config.base_url(config.http.listen.first_address()), catalog.feed_id());
        let channel = channel.with_look(look);
        let adopted = publish::adopt(catalog, folder.clone(), config, &channel, entries);
        adopted.with_context(|| format!("{}", state.display()))
    })
}

/// Returns the folder of articles and the state directory that the daemon would use.
///
/// # Errors
/// One of them cannot be used.
pub fn places(config: &Config) -> anyhow::Result<(Folder, PathBuf)> {
    let folder = open_folder(config)?;
    let state = config.state_directory(folder.root())?;
    state_dir::check_place(&state, &folder)?;
    Ok((folder, state))
}

/// Checks what [`places`] checks, as far as the configuration says it: a state directory that an option or a variable names is known to the
/// daemon alone.
///
/// # Errors
/// The daemon would refuse the configuration.
pub fn check_places(config: &Config) -> anyhow::Result<()> {
    if config.state.directory.is_some() { places(config).map(drop) } else { open_folder(config).map(drop) }
}

/// Returns the configuration with the settings in the watched folder, and the look of the site.
///
/// # Errors
/// A setting is invalid, or a file that one names cannot be read.
pub fn settings(config: &Config, folder: &Folder) -> anyhow::Result<(Config, Arc<Look>)> {
    let site = Site::of(config, folder)?;
    Ok((site.applied_to(config), site.look))
}

/// Renders the feed at `address`, or else the main feed, as the daemon of the folder serves it.
///
/// # Errors
/// No daemon has run on the folder yet, or its catalog cannot be read.
pub fn render(config: &Config, address: Option<&Route>, format: &FeedFormat) -> anyhow::Result<RecordedFeed> {
    let folder = open_folder(config)?;
    let site = SiteState::open(config, &folder)?;
    let (id, _) = site.reader().feed_id()?;
    let (config, look) = settings(config, &folder)?;
    let channel = Channel::new(&config, &config.base_url(config.http.listen.first_address()), id).with_look(look);
    Ok(on_demand::render_recorded(site.reader(), &channel, address, format, Utc::now())?)
}
