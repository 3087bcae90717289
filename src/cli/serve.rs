//! `gazetted serve [DIR]`: watches a folder and serves its feeds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::progress::ProgressDisplay;
use super::site_options::{AdminOption, ListenOption, SiteOptions};

use crate::config::{Articles, Config};
use crate::daemon::{Daemon, DaemonWiring};
use crate::folder::{Folder, idle_pattern_message};
use crate::observe::Observers;
use crate::system::platform;
use crate::system::sockets::Sockets;
use crate::system::threads;

/// Watch a folder and serve its feeds
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Folder of articles [default: articles.directory, which is `seeds`]
    directory: Option<PathBuf>,
    #[command(flatten)]
    listen: ListenOption,
    #[command(flatten)]
    admin: AdminOption,
    #[command(flatten)]
    site: SiteOptions,
}

impl ServeArgs {
    /// Serves until SIGTERM or SIGINT. `dropped` counts the dropped lines of the log.
    ///
    /// # Errors
    /// The configuration, the folder, the state directory or an address cannot be used, or a task has failed.
    pub fn run(self, file: Option<&Path>, dropped: Arc<AtomicU64>) -> anyhow::Result<()> {
        let file = file.map(std::path::absolute).transpose()?;
        let load = move || Ok(self.clone().apply(Config::load(file.as_deref())?));
        let config: Config = load()?;
        let sockets = Sockets::open(&config.http.listen, config.admin.listen.as_ref())?;
        let (listen, admin) = (sockets.addresses(), sockets.admin_addresses());
        let observers = Observers::default();
        observers.metrics.add_log("log", dropped);
        let display = ProgressDisplay::start(observers.status.clone());
        let daemon = Daemon::start(&config, DaemonWiring { sockets, observers, load: Box::new(load) });
        display.end();
        let daemon = daemon?;
        let runtime = threads::runtime().context("cannot start the runtime")?;
        // Before the log and systemd announce the service: a signal that follows stops it in order.
        let (mut signals, hangups) = {
            let _inside = runtime.enter();
            (StopSignals::new()?, wait_for(SignalKind::hangup())?)
        };
        let (directory, base_url) = (config.articles.directory.display(), daemon.base_url());
        tracing::info!(%directory, base_url, listen, admin, "serving");
        for missing in platform::MISSING {
            tracing::warn!("{missing}");
        }
        if let Some(to) = &config.export.to {
            let to = to.display();
            tracing::info!(%to, "the daemon does not export the site: `gazetted export --follow` or gazetted-export.service does");
        }
        if !config.articles.directory.exists() {
            tracing::warn!(
                %directory,
                "there is no such folder yet: create it, or name another one with `gazetted serve DIR` or articles.directory; what is \
                 put into it is published"
            );
        }
        let articles = config.articles.clone();
        // Nothing waits for it: the folder may be large.
        let _ = std::thread::Builder::new().name("patterns".into()).spawn(move || warn_of_patterns(&articles));
        runtime.block_on(async {
            let (stop, stopped) = tokio::sync::oneshot::channel();
            let run = daemon.run(hangups, async {
                let _ = stopped.await;
            });
            let second_signal = async {
                signals.next().await;
                tracing::info!("stopping; a second signal cuts off the responses in flight");
                let _ = stop.send(());
                signals.next().await;
            };
            tokio::select! {
                outcome = run => outcome,
                () = second_signal => Ok(()),
            }
        })
    }

    /// Returns `config` with the options of the command line, which override it.
    fn apply(self, mut config: Config) -> Config {
        config.articles.directory = self.directory.unwrap_or(config.articles.directory);
        self.listen.apply(&mut config);
        self.admin.apply(&mut config);
        self.site.apply(&mut config);
        config
    }
}

/// Warns of patterns by which no file is an article.
fn warn_of_patterns(articles: &Articles) {
    let Ok(folder) = Folder::open(articles) else { return };
    if !folder.included().is_empty() && folder.is_there() {
        for pattern in folder.idle_patterns().0 {
            tracing::warn!("{}", idle_pattern_message("include", &pattern));
        }
    }
}

/// SIGTERM and SIGINT, which both stop the daemon.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

fn wait_for(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot handle signals")
}

impl StopSignals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { terminate: wait_for(SignalKind::terminate())?, interrupt: wait_for(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
