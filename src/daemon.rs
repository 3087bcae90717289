//! The wiring, in one screen: what is opened, which task talks to which, and how all of them end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use tokio::signal::unix::{SignalKind, signal};

use crate::catalog::{Adoption, Catalog, Elsewhere, FILE, Reader};
use crate::config::Config;
use crate::door::{self, Address, Door, Format, Printed};
use crate::feed::Channel;
use crate::folder::Folder;
use crate::media::Files;
use crate::page::Pages;
use crate::publish::{self, Publisher};
use crate::serve::Server;
use crate::service;
use crate::snapshot::Current;
use crate::sockets::Sockets;
use crate::watch::{self, Watch};

/// How often the state directory is asked for again where another process has it, and how long between.
const LOCK_TRIES: usize = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A daemon whose feeds are up, but which answers nobody yet.
#[derive(Debug)]
pub struct Daemon {
    sockets: Sockets,
    base_url: String,
    current: Current,
    server: Server,
    publisher: Publisher,
    changes: Receiver<crate::change::Change>,
    watch: Watch,
    // Holds the lock on the state directory.
    _lock: File,
}

impl Daemon {
    /// Opens everything and reads the whole folder. `sockets` are open already, so that clients wait instead of being
    /// refused.
    ///
    /// # Errors
    /// The folder or the state directory cannot be used; the error says which and why.
    pub fn start(config: &Config, sockets: Sockets) -> anyhow::Result<Self> {
        let folder = open_folder(config)?;
        let state = config.state_directory(folder.root())?;
        let lock = lock_state(&state, &folder)?;
        let base_url = config.base_url(sockets.address());
        let at_state = || format!("{}", state.display());
        let catalog = Catalog::open(&state, config.authority().as_deref(), now()).with_context(at_state)?;
        let channel = Channel::new(config, &base_url, catalog.feed_id());
        let pages = Arc::new(Pages::new(channel));
        let current = Current::default();

        // Watched before it is read: what happens in between waits in the channel.
        let (sender, changes) = mpsc::channel();
        let watch = watch::start(folder.clone(), &config.articles, sender)?;
        let files = Files::new(folder.root(), &config.articles.exclude);
        let mut publisher = Publisher::new(catalog, folder, config, pages.clone(), current.clone(), watch.writing())
            .with_context(at_state)?;
        publisher.start().with_context(at_state)?;

        let (presented, created) = (publisher.presented(), publisher.created());
        let door = Door::open(&state, pages, presented, created, files).with_context(at_state)?;
        let server = Server::new(current.clone(), door, &config.http, &base_url);
        Ok(Self { sockets, base_url, current, server, publisher, changes, watch, _lock: lock })
    }

    /// What is served, and news of its versions.
    pub fn current(&self) -> Current {
        self.current.clone()
    }

    /// Address that every address of the site starts with.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Serves until `stop` is done or a task fails.
    ///
    /// # Errors
    /// The first task's that failed.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { sockets, base_url, server, publisher, changes, watch, _lock, .. } = self;
        let writer = std::thread::Builder::new().name("publish".into()).spawn(move || publisher.run(&changes));
        let writer = writer.context("cannot start a thread")?;
        let (failed, writer_ended) = tokio::sync::oneshot::channel();
        let writer = tokio::task::spawn_blocking(move || {
            let ended = writer.join();
            let _ = failed.send(());
            ended
        });
        let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
        let trigger = watch.trigger();
        let rescan = tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                tracing::info!("comparing the whole folder, as SIGHUP asks");
                trigger.look_everywhere();
            }
        });
        service::ready(&format!("serving {base_url}"));
        let mut writer_lost = false;
        let stop = async {
            tokio::select! {
                () = stop => {}
                _ = writer_ended => writer_lost = true,
            }
            service::stopping();
        };
        let served = server.run(sockets, stop).await;
        rescan.abort();
        // The watch ends, its channel closes, the writer finishes what it has and ends too.
        let watched = tokio::task::spawn_blocking(move || watch.stop()).await.context("the watch cannot be stopped")?;
        match writer.await.context("the publisher cannot be stopped")? {
            Ok(written) => written.context("publishing")?,
            Err(_) => bail!("the publisher panicked: the articles are safe in their files; please report this"),
        }
        watched?;
        if writer_lost {
            bail!("the publisher ended by itself, and so must the daemon");
        }
        served
    }
}

/// Gives articles the ids and dates that they had in a feed published elsewhere; no daemon may be running.
///
/// # Errors
/// The folder or the state directory cannot be used, or a daemon uses it.
pub fn adopt(config: &Config, entries: &[Elsewhere]) -> anyhow::Result<Adoption> {
    let folder = open_folder(config)?;
    let state = config.state_directory(folder.root())?;
    let _lock = lock_state(&state, &folder)?;
    let at_state = || format!("{}", state.display());
    let catalog = Catalog::open(&state, config.authority().as_deref(), now()).with_context(at_state)?;
    let channel = Channel::new(config, &config.base_url(config.http.listen.first_address()), catalog.feed_id());
    publish::adopt(catalog, folder, config, &channel, entries).with_context(at_state)
}

/// What the daemon of a folder has recorded, whether it runs or not.
///
/// # Errors
/// Why that is not to be had.
pub fn look_into(config: &Config, folder: &Folder) -> Result<Reader, String> {
    let state = config.state_directory(folder.root()).map_err(|error| error.to_string())?;
    if !state.join(FILE).exists() {
        return Err(format!("no daemon has run on this folder yet, as far as {} knows", state.display()));
    }
    Reader::open(&state).map_err(|error| error.to_string())
}

/// A feed as the daemon of a folder serves it: the one at an address, or the main feed.
///
/// # Errors
/// No daemon has run on the folder yet, or its catalog cannot be read.
pub fn render(config: &Config, address: Option<&Address>, format: Format) -> anyhow::Result<Printed> {
    let folder = open_folder(config)?;
    let reader = look_into(config, &folder).map_err(anyhow::Error::msg)?;
    let (id, _) = reader.feed_id()?;
    let channel = Channel::new(config, &config.base_url(config.http.listen.first_address()), id);
    Ok(door::print(&reader, &channel, address, format, now())?)
}

/// The text of a file that a command was given.
///
/// # Errors
/// It cannot be read.
pub fn read_text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))
}

/// The present, for a command that has no writer.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

fn open_folder(config: &Config) -> anyhow::Result<Folder> {
    let directory = config.articles.directory.display();
    Folder::open(&config.articles).with_context(|| format!("{directory}: cannot read the folder of articles"))
}

/// A path without links, also where its end does not exist yet.
fn real(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    existing.map_or_else(|| path.to_path_buf(), |(above, real)| real.join(path.strip_prefix(above).unwrap_or(path)))
}

/// Makes the state directory and takes it for this process alone.
fn lock_state(state: &Path, folder: &Folder) -> anyhow::Result<File> {
    let problem = |what: &str| format!("{}: cannot {what} the state directory", state.display());
    // Before anything is made: the watched folder is never written to.
    if real(&std::path::absolute(state)?).starts_with(real(folder.root())) {
        let advice = "which is never written to: name another with --state";
        bail!("{}: the state directory lies in the watched folder, {advice}", state.display());
    }
    std::fs::create_dir_all(state).with_context(|| problem("make"))?;
    let lock = File::create(state.join("lock")).with_context(|| problem("write to"))?;
    let mut locked = lock.try_lock();
    // Whoever held it may be about to end.
    for _ in 0..LOCK_TRIES {
        if !matches!(locked, Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        locked = lock.try_lock();
    }
    match locked {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "{}: another gazetted uses this state directory: stop it, or name another directory with --state",
                state.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| problem("lock")),
    }
}
