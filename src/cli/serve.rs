//! `gazetted serve [DIR]`: watch a folder and serve its feeds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::progress::Progress;

use crate::config::{BaseUrl, Config, Endpoint, Listen};
use crate::daemon::Daemon;
use crate::observe::metrics::Metrics;
use crate::observe::status::StatusBoard;
use crate::system::sockets::Sockets;

/// Watch a folder and serve its feeds
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Folder of articles [default: articles.directory, which is `seeds`]
    directory: Option<PathBuf>,
    /// Address and port to listen on, as in 127.0.0.1:8080; port 0 takes a free one. Or a Unix socket, as in unix:/path. Can be
    /// said several times
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<Endpoint>,
    /// Public address of the site, as in `https://example.org/`
    #[arg(long, value_name = "URL")]
    base_url: Option<BaseUrl>,
    /// Folder that the catalog is kept in
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT. `lost` counts lines that the log lacks.
    ///
    /// # Errors
    /// The configuration, the folder, the state directory or the address cannot be used, or a task has failed.
    pub fn run(self, file: Option<&Path>, lost: Arc<AtomicU64>) -> anyhow::Result<()> {
        let file = file.map(std::path::absolute).transpose()?;
        let load = move || Ok(self.clone().over(Config::load(file.as_deref())?));
        let config: Config = load()?;
        let sockets = Sockets::open(&config.http.listen, config.admin.listen.as_ref())?;
        let (listen, admin) = (sockets.shown(), sockets.admin_shown());
        let (metrics, reports) = (Metrics::default(), StatusBoard::default());
        metrics.lost_lines("log", lost);
        let progress = Progress::show(reports.clone());
        let daemon = Daemon::start_telling(&config, sockets, metrics, reports);
        progress.end();
        let daemon = daemon?.reloaded_by(Box::new(load));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
        // Before anybody is told that it serves: whoever then ends it ends it in order.
        let (mut signals, hangups) = {
            let _inside = runtime.enter();
            (Signals::new()?, wait_for(SignalKind::hangup())?)
        };
        let daemon = daemon.hearing(hangups);
        let (directory, base_url) = (config.articles.directory.display(), daemon.base_url());
        tracing::info!(%directory, base_url, listen, admin, "serving");
        let outcome = runtime.block_on(async {
            let (stop, stopped) = tokio::sync::oneshot::channel();
            let run = daemon.run(async {
                let _ = stopped.await;
            });
            let impatient = async {
                signals.next().await;
                tracing::info!("stopping; a second signal cuts off the responses in flight");
                let _ = stop.send(());
                signals.next().await;
            };
            tokio::select! {
                outcome = run => outcome,
                () = impatient => Ok(()),
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    }

    /// What the command line says wins over the file.
    fn over(self, mut config: Config) -> Config {
        config.articles.directory = self.directory.unwrap_or(config.articles.directory);
        config.http.listen = Listen::try_from(self.listen).unwrap_or(config.http.listen);
        config.site.base_url = self.base_url.or(config.site.base_url);
        config.state.directory = self.state.or(config.state.directory);
        config
    }
}

/// SIGTERM and SIGINT, which mean the same.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

fn wait_for(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot wait for signals")
}

impl Signals {
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
