//! Exports the site of a folder, from its catalog, while its daemon runs or not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use super::pipeline::open_folder;
use super::state_dir::{self, real};
use crate::catalog::{FILE, Reader, RecordedVersions};
use crate::config::Config;
use crate::export::{self, ExportReport, ExportedSite, Stopped, StoreKind, Unready};
use crate::folder::Folder;
use crate::folder::media::MediaFiles;
use crate::folder::renditions::{self, RenditionFiles, RenditionStore};
use crate::model::moment::{Moment, Version};
use crate::model::text::path_line;
use crate::render::feed::Channel;
use crate::render::page::Pages;
use crate::serve::respond::ResponsePolicy;
use crate::site::Site;
use crate::system::file_identity::FileIdentity;
use crate::system::systemd;

/// Longest wait for a version that shows all that is recorded, and for texts to be read. Only a running daemon makes one.
const READY_TIMEOUT: Duration = Duration::from_mins(1);
/// Pause between two looks at the catalog during that wait.
const READY_PAUSE: Duration = Duration::from_millis(50);
/// Interval of looking for a new version.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);
/// Pause after an export that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(10);

/// An export of a site to a folder or a bucket.
#[derive(Debug)]
pub struct SiteExport {
    config: Config,
    folder: Folder,
    state: PathBuf,
    to: PathBuf,
    stop: Arc<AtomicBool>,
}

impl SiteExport {
    /// Prepares an export to `to`, a folder or the address of a bucket.
    ///
    /// # Errors
    /// The folder of articles cannot be read, no daemon has run on it yet, or `to` is inside of it or of the state directory.
    pub fn new(config: Config, to: &Path, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        let folder = open_folder(&config)?;
        let state = config.state_directory(folder.root())?;
        if !state.join(FILE).exists() {
            bail!("no daemon has run on this folder yet: there is no catalog in {}", state.display());
        }
        let is_bucket = export::kind_of(to) == StoreKind::Bucket;
        let target = if is_bucket { to.to_path_buf() } else { real(&std::path::absolute(to)?) };
        for (forbidden, what) in [(folder.root(), "the folder of articles"), (state.as_path(), "the state directory")] {
            if target.starts_with(real(forbidden)) {
                bail!("{}: the export would lie in {what}: name a folder outside of it", path_line(to));
            }
        }
        Ok(Self { config, folder, state, to: target, stop })
    }

    /// Exports the version that is served, or was served last.
    ///
    /// # Errors
    /// The catalog cannot be read, or the folder cannot be written; the error says which and why.
    pub fn run(&self) -> anyhow::Result<(Version, ExportReport)> {
        let deadline = Instant::now() + READY_TIMEOUT;
        loop {
            let may_wait = || Instant::now() < deadline && state_dir::is_taken(&self.state);
            match self.try_run(may_wait()) {
                Err(error) if error.is::<Unready>() && may_wait() => {
                    anyhow::ensure!(!self.stop.load(Relaxed), Stopped);
                    std::thread::sleep(READY_PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    /// Exports the present state of the catalog. With `must_be_served`, only one whose changes are all served.
    fn try_run(&self, must_be_served: bool) -> anyhow::Result<(Version, ExportReport)> {
        // Before there is a state to export, nothing is made.
        self.hold_state(must_be_served)?;
        let target = export::open(&self.to)?;
        // Another export may have ended meanwhile: an older state must not be written over its.
        let HeldState { reader, library, versions } = self.hold_state(must_be_served)?;
        let site = self.site(reader)?;
        let moment = Moment::of(versions.pending);
        Ok((versions.served, export::run(&site, library, &*target, moment, Utc::now())?))
    }

    /// Opens the present state of the catalog, if it can be exported.
    fn hold_state(&self, must_be_served: bool) -> anyhow::Result<HeldState> {
        let at_state = || format!("{}", self.state.display());
        let (reader, library) = (Reader::open(&self.state)?, Reader::open(&self.state)?);
        reader.hold().and_then(|()| library.hold()).with_context(at_state)?;
        let versions = reader.recorded_versions()?;
        if versions.pending == Version::default() {
            bail!("{}: nothing has been published yet: start `gazetted serve` first", self.state.display());
        }
        let is_served = versions.served == versions.pending || !must_be_served;
        anyhow::ensure!(is_served && library.recorded_versions()? == versions, Unready);
        anyhow::ensure!(!reader.is_incomplete()?, Unready);
        Ok(HeldState { reader, library, versions })
    }

    fn site(&self, reader: Reader) -> anyhow::Result<ExportedSite> {
        let site = Site::of(&self.config, &self.folder)?;
        let config = site.applied_to(&self.config);
        let base_url = config.base_url(config.http.listen.first_address());
        let (id, _) = reader.feed_id()?;
        let channel = Channel::new(&config, &base_url, id).with_look(site.look.clone());
        let has_forms = config.state.pictures.0 > 0;
        let pages = Pages::new(channel).with_folder(self.folder.root()).with_scaled_pictures(has_forms);
        let policy = ResponsePolicy::of(&config, &base_url);
        // What the daemon has not made yet is made here: nothing asks the daemon for it.
        let forms = RenditionFiles::new(self.state.join(renditions::DIRECTORY), config.state.pictures.0);
        let store = has_forms.then(|| RenditionStore::new(forms).0);
        let files = MediaFiles::new(self.folder.root(), &config.articles).with_renditions(store);
        Ok(ExportedSite { reader, pages: Arc::new(pages), policy, base_url, files, stop: self.stop.clone() })
    }
}

/// One state of the catalog, open twice.
struct HeldState {
    reader: Reader,
    library: Reader,
    versions: RecordedVersions,
}

/// An export that follows the daemon: each version is exported.
pub struct FollowedExport<L> {
    /// Reads the configuration again before each export.
    pub load: L,
    pub to: PathBuf,
    pub stop: Arc<AtomicBool>,
    /// Hears of the end.
    pub stopped: Receiver<()>,
}

impl<L: FnMut() -> anyhow::Result<Config>> FollowedExport<L> {
    /// Exports until it is stopped.
    ///
    /// # Errors
    /// The first export failed. Later ones are tried again.
    pub fn run(mut self) -> anyhow::Result<()> {
        let mut is_first = true;
        loop {
            let begun = Instant::now();
            let exported = (self.load)()
                .and_then(|config| SiteExport::new(config, &self.to, self.stop.clone()))
                .and_then(|export| Ok((export.run()?, export)));
            let wait = match exported {
                Ok(((version, report), export)) => {
                    log_report(&report, begun.elapsed());
                    let status = format!("exported the version of {}", version.date());
                    if is_first {
                        systemd::ready(&status);
                    } else {
                        systemd::status(&status);
                    }
                    is_first = false;
                    // The catalog may be replaced at this instant.
                    self.wait_for_change(&export.state, version).unwrap_or_else(|error| self.retry(&error))
                }
                Err(error) if error.is::<Stopped>() => Wait::Stopped,
                Err(error) if is_first => return Err(error),
                Err(error) => self.retry(&error),
            };
            if wait == Wait::Stopped {
                systemd::stopping();
                tracing::info!("stopped");
                return Ok(());
            }
        }
    }

    fn retry(&self, error: &anyhow::Error) -> Wait {
        let error = format!("{error:#}");
        tracing::error!(error, "cannot export the site; trying again");
        self.wait(RETRY_PAUSE)
    }

    fn wait(&self, time: Duration) -> Wait {
        match self.stopped.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => Wait::Over,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Wait::Stopped,
        }
    }

    /// Waits until there is another version, or time has changed a document.
    fn wait_for_change(&self, state: &Path, exported: Version) -> anyhow::Result<Wait> {
        let file = state.join(FILE);
        let (reader, identity) = (Reader::open(state)?, FileIdentity::at(&file));
        let next: DateTime<Utc> = export::next_change(Utc::now());
        let mut known = None;
        loop {
            // A recovered catalog is another file.
            if Utc::now() >= next || FileIdentity::at(&file) != identity {
                return Ok(Wait::Over);
            }
            let data = reader.data_version()?;
            if known.replace(data) != Some(data) && reader.recorded_versions()?.served != exported {
                return Ok(Wait::Over);
            }
            if self.wait(FOLLOW_INTERVAL) == Wait::Stopped {
                return Ok(Wait::Stopped);
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wait {
    Over,
    Stopped,
}

fn log_report(report: &ExportReport, took: Duration) {
    for problem in &report.problems {
        tracing::warn!(%problem, "not exported");
    }
    let ExportReport { written, dated, unchanged, deleted, bytes, failed, .. } = report;
    let milliseconds = took.as_millis();
    tracing::info!(written, dated, unchanged, deleted, bytes, failed, milliseconds, "exported");
}
