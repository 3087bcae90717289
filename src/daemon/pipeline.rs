//! The pipeline from the folder to the snapshot. It is rebuilt when the configuration changes and after a failure of the catalog; the
//! current snapshot is served meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use chrono::Utc;
use tokio::sync::oneshot;

use super::replicas::Replicas;
use super::state_dir::{self, Opening, StateLock};
use super::state_restore::{FENCE, OpenState, sentinel};
use crate::catalog::{self, Catalog, CatalogError, CaughtUp, FILE, Reader};
use crate::change::{self, ChangeReceiver, TextRequests};
use crate::config::Config;
use crate::folder::media::MediaFiles;
use crate::folder::renditions::{self, RenditionFiles, RenditionStore};
use crate::folder::scaler;
use crate::folder::watch::{self, Fence, OutsideFiles, Sentinel, Watch};
use crate::folder::{self, Folder};
use crate::observe::Observers;
use crate::publish::{Ending, Publisher, PublisherWiring};
use crate::render::feed::Channel;
use crate::render::on_demand::OnDemand;
use crate::render::page::Pages;
use crate::render::snapshot::Current;
use crate::replicas::{LogProgress, listener};
use crate::site::{Site, SiteWatch};
use crate::system::file_identity::FileIdentity;
use crate::system::platform;
use crate::system::reading_journal::ReadingJournal;

/// How often a start is made again because another node was first.
const MAX_SUPERSEDED: usize = 10;
/// Nice value of the thread that checks the catalog.
const CHECK_NICENESS: i32 = 10;

/// A pipeline whose folder and catalog are open.
#[derive(Debug)]
pub struct Pipeline {
    publisher: Publisher,
    changes: ChangeReceiver,
    watch: Watch,
    state: PathBuf,
    sentinel: Sentinel,
    /// Readers of the catalog report damage through it.
    report: tokio::sync::mpsc::Sender<CatalogError>,
    damaged: tokio::sync::mpsc::Receiver<CatalogError>,
}

/// Returns the message of an error that was caused by a damaged catalog.
pub fn damage(error: &anyhow::Error) -> Option<String> {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<CatalogError>())?;
    cause.is_damage().then(|| cause.to_string())
}

/// Whether an error says that another file has taken the place of the catalog.
pub fn is_replaced(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(CatalogError::Replaced)))
}

/// What a pipeline shares with the rest of the daemon.
#[derive(Debug, Clone, Copy)]
pub struct PipelineWiring<'a> {
    /// The base address of the site.
    pub base_url: &'a str,
    /// The state directory.
    pub state: &'a Path,
    pub lock: &'a StateLock,
    pub current: &'a Current,
    /// The settings of the site.
    pub site: &'a Arc<Site>,
    pub journal: &'a ReadingJournal,
    pub observers: &'a Observers,
}

/// Opens everything and serves the last version; if there is none, reads the whole folder first. The feeds are ready when this returns.
/// `serve` gets the on-demand renderer before anything is read. A damaged catalog is recovered; if it is damaged again, a new one
/// starts empty.
///
/// # Errors
/// The folder or the catalog cannot be used; the error says which and why.
pub fn begin(
    config: &Config,
    wiring: PipelineWiring<'_>,
    opening: Opening,
    mut serve: impl FnMut(OnDemand),
) -> anyhow::Result<Pipeline> {
    let state = wiring.state;
    let mut attempt = |opening: &Opening| {
        let (pipeline, on_demand) = prepare(config, wiring, opening)?;
        serve(on_demand);
        pipeline.start().with_context(|| format!("{}", state.display()))
    };
    for _ in 0..MAX_SUPERSEDED {
        match with_recovery(state, opening.clone(), &mut attempt) {
            Err(error) if is_superseded(&error) => {}
            outcome => return outcome,
        }
    }
    with_recovery(state, opening, attempt)
}

/// Applies the records that the catalog lacks, before anything is recorded. While the log is away, the publisher tries again.
fn follow_before_start(catalog: &mut Catalog) -> catalog::Result<()> {
    match catalog.catch_up() {
        Ok(CaughtUp::Applied(_)) | Err(CatalogError::LogAway(_) | CatalogError::LogRefused(_)) => Ok(()),
        Ok(CaughtUp::NeedsBase) => Err(CatalogError::Superseded),
        Err(error) => Err(error),
    }
}

/// Whether an error says that another node was first.
fn is_superseded(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(CatalogError::Superseded)))
}

/// Runs work that opens the catalog. If the catalog is damaged, the work runs again with the next [`Opening`].
///
/// # Errors
/// The error of `attempt`, if it is not damage or there is no other way to open the catalog.
pub fn with_recovery<T>(
    state: &Path,
    mut opening: Opening,
    mut attempt: impl FnMut(&Opening) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    loop {
        let error = match attempt(&opening) {
            Err(error) => error,
            done => return done,
        };
        let Some(next) = damage(&error).and_then(|why| opening.after(why)) else { return Err(error) };
        // What the catalog was mixed up with is no damage of the catalog, which is written again.
        if let Opening::Written(file) = opening
            && FileIdentity::at(&state.join(FILE)) != Some(file)
        {
            return Err(CatalogError::Replaced.into());
        }
        if matches!(next, Opening::Empty(_)) {
            // The new catalog was made from the damaged one, which is set aside.
            state_dir::discard(state)?;
        }
        opening = next;
    }
}

/// Opens the folder of articles.
///
/// # Errors
/// It cannot be read.
pub fn open_folder(config: &Config) -> anyhow::Result<Folder> {
    let directory = config.articles.directory.display();
    Folder::open(&config.articles).with_context(|| format!("{directory}: cannot read the folder of articles"))
}

/// The media files of the folder. A thread makes smaller forms of pictures, if the configuration leaves room for them.
fn media_files(config: &Config, folder: &Folder, state: &Path) -> MediaFiles {
    let files = MediaFiles::new(folder.root(), &config.articles);
    let forms = RenditionFiles::new(state.join(renditions::DIRECTORY), config.state.pictures.0);
    if config.state.pictures.0 == 0 {
        return files;
    }
    let (store, requests) = RenditionStore::new(forms.clone());
    match scaler::start(requests, files.clone(), forms) {
        Ok(()) => files.with_renditions(Some(store)),
        Err(error) => {
            tracing::warn!(%error, "cannot start a thread: pictures are served in their own size only");
            files
        }
    }
}

/// Opens everything. Returns the pipeline, and the on-demand renderer for the server.
fn prepare(config: &Config, wiring: PipelineWiring<'_>, opening: &Opening) -> anyhow::Result<(Pipeline, OnDemand)> {
    let PipelineWiring { base_url, state, lock, current, site, journal, observers } = wiring;
    let folder = open_folder(config)?;
    let site_watch = SiteWatch::new(config, &folder, base_url, site);
    let config = &site.applied_to(config);
    let at_state = || format!("{}", state.display());
    let replicas = Replicas::join(config, state, opening)?;
    let opening = if replicas.is_some() { &Opening::AsIs } else { opening };
    let mut catalog = state_dir::open_catalog(state, config.authority().as_deref(), opening)?;
    state_dir::check_folder(&mut catalog, state, &folder)?;
    let channel = Channel::new(config, base_url, catalog.feed_id()).with_look(site.look.clone());
    let pages = Pages::new(channel).with_folder(folder.root());
    let pages = Arc::new(pages.with_scaled_pictures(config.state.pictures.0 > 0));
    let position = LogProgress::default();
    let listening = match replicas {
        Some(replicas) => {
            let mut status = replicas.status();
            let listening = replicas.connect(&mut catalog, pages.fingerprint()).with_context(at_state)?;
            status.record = catalog.record_number().unwrap_or_default();
            observers.status.update(|report| report.replicas = Some(status));
            follow_before_start(&mut catalog).with_context(at_state)?;
            position.set(catalog.record_number().unwrap_or_default());
            Some(listening)
        }
        None => None,
    };
    for fault in pages.template_faults() {
        tracing::warn!(problem = %fault, "a template of the site");
    }
    // Each folder is watched before it is read; the channel holds the changes in between.
    let (sender, changes) = change::channel(folder::is_text_name);
    if let Some(log) = listening {
        let waker = sender.waker();
        listener::start(log, position.clone(), move || waker.wake()).context("cannot start a thread")?;
    }
    let root = folder.root().display().to_string();
    observers.status.update(|status| (status.base_url, status.folder) = (base_url.to_owned(), root));
    let fence = Fence::at(&state.join(FENCE)).unwrap_or_else(|error| {
        tracing::debug!(%error, "no fence: renames are recognised by files alone");
        Fence::default()
    });
    let sentinel = sentinel(state, lock, &catalog);
    let outside = OutsideFiles { fence: fence.clone(), sentinel: sentinel.clone() };
    let watch = watch::start(folder.clone(), &config.articles, outside, sender, observers)?;
    let files = media_files(config, &folder, state);
    if let Err(error) = journal.renew() {
        tracing::debug!(%error, "cannot write the journal of readings again");
    }
    let text_requests = TextRequests::default();
    let wiring = PublisherWiring {
        current: current.clone(),
        open_files: watch.writing(),
        text_requests: text_requests.clone(),
        armed: watch.armed(),
        fence,
        journal: journal.clone(),
        site: site_watch,
        position,
        state: state.to_path_buf(),
        observers: observers.clone(),
    };
    let publisher = Publisher::new(catalog, folder, config, &pages, wiring).with_context(at_state)?;
    let dates = publisher.dates();
    let (report, damaged) = tokio::sync::mpsc::channel(1);
    let reader = Reader::open(state).with_context(at_state)?.reporting_damage(report.clone());
    let on_demand = OnDemand::new(Box::new(reader), pages, dates, files, text_requests);
    Ok((Pipeline { publisher, changes, watch, state: state.to_path_buf(), sentinel, report, damaged }, on_demand))
}

impl Pipeline {
    /// Serves the first version.
    fn start(mut self) -> catalog::Result<Self> {
        self.publisher.start()?;
        Ok(self)
    }

    /// Publishes further changes on a thread.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn run(self) -> anyhow::Result<Running> {
        let Self { publisher, changes, watch, state, sentinel, report, damaged } = self;
        let (sender, ended) = oneshot::channel();
        let work = move || {
            let _ = sender.send(publisher.run(&changes));
        };
        std::thread::Builder::new().name("publish".into()).spawn(work).context("cannot start a thread")?;
        let check = move || check(&state, &report);
        std::thread::Builder::new().name("check".into()).spawn(check).context("cannot start a thread")?;
        Ok(Running { watch, ended, sentinel, damaged })
    }
}

/// Checks a large catalog while it is in use. Reports only damage, since other errors also occur in the writer.
fn check(state: &Path, report: &tokio::sync::mpsc::Sender<CatalogError>) {
    let is_wanted = || !report.is_closed();
    // It reads all rows, while the writer may be reading all texts.
    platform::lower_priority(CHECK_NICENESS);
    let checked = Reader::open(state).and_then(|reader| reader.check_large(Utc::now(), &is_wanted));
    if let Err(error) = checked
        && error.is_damage()
    {
        let _ = report.try_send(error);
    }
}

/// A pipeline that publishes changes.
#[derive(Debug)]
pub struct Running {
    watch: Watch,
    ended: oneshot::Receiver<(Catalog, catalog::Result<Ending>)>,
    sentinel: Sentinel,
    /// Damage found by readers.
    damaged: tokio::sync::mpsc::Receiver<CatalogError>,
}

/// The reason why a pipeline ended.
#[derive(Debug)]
pub enum Ended {
    /// The catalog cannot be read or written.
    Failed(CatalogError),
    /// A reader found damage in the catalog. Publishing continues until it is stopped.
    Damaged(CatalogError),
    /// A file of the state directory was removed or replaced.
    Displaced(Box<OpenState>),
    /// The settings of the site have changed.
    SiteChanged,
    /// A copy of the catalog has to be installed from the log of the replicas.
    NeedsBase,
    /// A task panicked; its state cannot be trusted.
    Panicked,
}

impl Running {
    /// Compares the whole folder with the catalog.
    pub fn reconcile(&self) {
        self.watch.trigger().reconcile();
    }

    /// Waits until publishing ends, which happens only through an error.
    pub async fn ended(&mut self) -> Ended {
        tokio::select! {
            ended = &mut self.ended => {
                // The publisher ended without a result.
                let Ok((catalog, ending)) = ended else { return Ended::Panicked };
                let open = Box::new(OpenState { catalog, sentinel: self.sentinel.clone() });
                match ending {
                    Ok(Ending::Displaced) => Ended::Displaced(open),
                    Ok(Ending::SiteChanged) => Ended::SiteChanged,
                    Ok(Ending::NeedsBase) => Ended::NeedsBase,
                    // The error may be a consequence.
                    Err(_) if open.displaced().is_some() => Ended::Displaced(open),
                    Err(error) => Ended::Failed(error),
                    // The watch ended.
                    Ok(Ending::Closed) => Ended::Panicked,
                }
            },
            Some(error) = self.damaged.recv() => Ended::Damaged(error),
        }
    }

    /// Stops the pipeline after it has recorded the current change. Returns the state if it was displaced.
    ///
    /// # Errors
    /// The pipeline has failed.
    pub fn stop(self) -> anyhow::Result<Option<Box<OpenState>>> {
        // The watch ends and closes its channel; the writer finishes its input and ends.
        let watch_result = self.watch.stop();
        let publisher_result = self.ended.blocking_recv();
        let (catalog, ending) =
            publisher_result.map_err(|_| anyhow::anyhow!("the publisher panicked: please report this"))?;
        let open = OpenState { catalog, sentinel: self.sentinel };
        if open.displaced().is_some() {
            return Ok(Some(Box::new(open)));
        }
        ending.context("publishing")?;
        watch_result.map(|()| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_that_cannot_be_recovered_starts_empty() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path();
        let namespace = state_dir::open_catalog(state, None, &Opening::AsIs).unwrap().namespace();
        let mut openings = Vec::new();
        // Damage that no check finds.
        let outcome = with_recovery(state, Opening::AsIs, |opening| {
            let catalog = state_dir::open_catalog(state, None, opening)?;
            openings.push(opening.clone());
            match opening {
                Opening::Empty(_) => Ok(catalog.namespace()),
                _ => Err(CatalogError::Damaged("a test".to_owned()).into()),
            }
        });
        assert_eq!(outcome.unwrap(), namespace, "ids are made as before");
        let why = "the catalog is damaged: a test".to_owned();
        assert_eq!(openings, [Opening::AsIs, Opening::Recovering(why.clone()), Opening::Empty(why)]);
        let names = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let damaged: Vec<String> = names.filter(|name| name.starts_with("damaged-")).collect();
        assert_eq!(damaged.len(), 1, "one copy is kept: {damaged:?}");
    }

    #[test]
    fn damage_of_a_file_in_the_place_of_the_written_catalog_causes_no_recovery() {
        let directory = tempfile::tempdir().unwrap();
        let written = directory.path().join(FILE);
        std::fs::write(&written, "").unwrap();
        let file = FileIdentity::at(&written).unwrap();
        let mut attempts = 0;
        let outcome: anyhow::Result<()> = with_recovery(directory.path(), Opening::Written(file), |_| {
            attempts += 1;
            std::fs::write(directory.path().join("other"), "").unwrap();
            std::fs::rename(directory.path().join("other"), &written).unwrap();
            Err(CatalogError::Damaged("a test".to_owned()).into())
        });
        assert!(is_replaced(&outcome.unwrap_err()) && attempts == 1);
    }

    #[test]
    fn other_errors_cause_no_recovery() {
        let directory = tempfile::tempdir().unwrap();
        let mut attempts = 0;
        let outcome: anyhow::Result<()> = with_recovery(directory.path(), Opening::AsIs, |_| {
            attempts += 1;
            Err(CatalogError::Newer { found: 99 }.into())
        });
        assert!(outcome.is_err() && attempts == 1);
    }
}
