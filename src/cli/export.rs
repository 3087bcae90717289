//! `gazetted export [DIR]`: writes the whole site as files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::outcome::Outcome;
use super::site_options::{ListenOption, SiteOptions};
use crate::config::Config;
use crate::daemon::{FollowedExport, SiteExport};
use crate::model::text::path_line;
use crate::system::threads;

/// Write the whole site as static files, for any web server
///
/// The files are made from the catalog, whether the daemon is running or not, and have the bytes that it serves. Only what has changed is
/// written; only what an earlier export has written is deleted. An export that was cut off continues where it ended.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Folder to write to, or s3://bucket/prefix: empty, or made by an earlier export [default: export.to]
    directory: Option<PathBuf>,
    /// Folder of articles [default: articles.directory, which is `seeds`]
    #[arg(long, value_name = "DIR")]
    articles: Option<PathBuf>,
    // Counts for a site without base_url.
    #[command(flatten)]
    listen: ListenOption,
    /// Stay, and export each new version of the site
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    site: SiteOptions,
}

impl ExportArgs {
    /// Exports the site.
    ///
    /// # Errors
    /// No daemon has run on the folder yet, or the export cannot be written; the error says which and why.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let file = file.map(std::path::absolute).transpose()?;
        let config = self.clone().load(file.as_deref())?;
        let named = self.directory.clone().or_else(|| config.export.to.clone());
        let to = named.context("no folder to write to: name one, as in `gazetted export DIR`, or set export.to")?;
        if config.site.base_url.is_none() {
            let base_url = config.base_url(config.http.listen.first_address());
            tracing::warn!(
                base_url,
                "site.base_url is not set, and all addresses in the export lead to this machine: set it to that of the site"
            );
        }
        let stop = Arc::new(AtomicBool::new(false));
        if self.follow {
            let stopped = stop_signals(stop.clone())?;
            let load = move || self.clone().load(file.as_deref());
            FollowedExport { load, to, stop, stopped }.run()?;
            return Ok(Outcome::Good);
        }
        let begun = Instant::now();
        let (_, report) = SiteExport::new(config, &to, stop)?.run()?;
        for problem in &report.problems {
            println!("{problem}");
        }
        let more = report.failed - report.problems.len() as u64;
        if more > 0 {
            println!("{more} more files were not exported");
        }
        println!(
            "{}: {} written ({} bytes), {} dated, {} unchanged, {} deleted, in {:.1} s",
            path_line(&to),
            report.written,
            report.bytes,
            report.dated,
            report.unchanged,
            report.deleted,
            begun.elapsed().as_secs_f32()
        );
        Ok(if report.failed == 0 { Outcome::Good } else { Outcome::Found })
    }

    fn load(self, file: Option<&Path>) -> anyhow::Result<Config> {
        let mut config = self.site.load(file)?;
        self.listen.apply(&mut config);
        config.articles.directory = self.articles.unwrap_or(config.articles.directory);
        Ok(config)
    }
}

/// Sets `stop` at SIGTERM or SIGINT. The receiver hears of it, too.
fn stop_signals(stop: Arc<AtomicBool>) -> anyhow::Result<mpsc::Receiver<()>> {
    let runtime = threads::runtime().context("cannot start the runtime")?;
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        let on = |kind| signal(kind).context("cannot handle signals");
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?)
    };
    let (sender, stopped) = mpsc::channel();
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        stop.store(true, SeqCst);
        let _ = sender.send(());
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).context("cannot start a thread")?;
    Ok(stopped)
}
