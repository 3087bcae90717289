//! The half of the daemon between the folder and the snapshot: made anew when the configuration changes, and when the catalog
//! could not be used for a while. What is served stays meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use anyhow::Context;
use tokio::sync::oneshot;

use super::open_folder;
use super::state_dir::{self, Damage};
use crate::catalog::{self, CatalogError, Reader};
use crate::change::{Change, TextRequests};
use crate::config::Config;
use crate::folder::media::MediaFiles;
use crate::folder::watch::{self, Watch};
use crate::observe::Observers;
use crate::publish::Publisher;
use crate::render::feed::Channel;
use crate::render::on_demand::OnDemand;
use crate::render::page::Pages;
use crate::render::snapshot::Current;

/// It is ready, and has read nothing yet.
#[derive(Debug)]
pub struct Prepared {
    publisher: Publisher,
    changes: Receiver<Change>,
    watch: Watch,
}

/// Whether an error is that of a damaged catalog.
pub fn is_damage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<CatalogError>().is_some_and(CatalogError::is_damage))
}

/// Opens everything and reads the whole folder: the feeds are up when this returns. `serve` is given the door for whoever serves
/// what comes of it, before anything does. A catalog that turns out to be damaged is set aside, and made anew.
///
/// # Errors
/// The folder or the catalog cannot be used; the error says which and why.
pub fn begin(
    config: &Config,
    base_url: &str,
    state: &Path,
    current: &Current,
    observers: &Observers,
    damage: Damage,
    mut serve: impl FnMut(OnDemand),
) -> anyhow::Result<Prepared> {
    let mut attempt = |damage| {
        let (prepared, door) = prepare(config, base_url, state, current, observers, damage)?;
        serve(door);
        prepared.read().with_context(|| format!("{}", state.display()))
    };
    match attempt(damage) {
        Err(error) if damage == Damage::Unknown && is_damage(&error) => {
            tracing::error!(error = %format_args!("{error:#}"), "the catalog is damaged");
            attempt(Damage::Known)
        }
        outcome => outcome,
    }
}

/// Opens everything; the door is for whoever serves what comes of it.
fn prepare(
    config: &Config,
    base_url: &str,
    state: &Path,
    current: &Current,
    observers: &Observers,
    damage: Damage,
) -> anyhow::Result<(Prepared, OnDemand)> {
    let folder = open_folder(config)?;
    let at_state = || format!("{}", state.display());
    let mut catalog = state_dir::open_catalog(state, config.authority().as_deref(), damage)?;
    state_dir::check_folder(&mut catalog, state, &folder)?;
    let pages = Pages::new(Channel::new(config, base_url, catalog.feed_id())).with_folder(folder.root());
    let pages = Arc::new(pages);
    // Each folder is watched before it is read: what happens in between waits in the channel.
    let (sender, changes) = mpsc::channel();
    let root = folder.root().display().to_string();
    observers.status.update(|status| (status.base_url, status.folder) = (base_url.to_owned(), root));
    let watch = watch::start(folder.clone(), &config.articles, sender, observers)?;
    let files = MediaFiles::new(folder.root(), &config.articles.exclude);
    let publisher = Publisher::new(catalog, folder, config, pages.clone(), current.clone(), watch.writing(), observers);
    let asked = TextRequests::default();
    let publisher = publisher.with_context(at_state)?.asked(asked.clone()).behind(watch.armed());
    let (presented, created) = (publisher.presented(), publisher.created());
    let library = Box::new(Reader::open(state).with_context(at_state)?);
    let on_demand = OnDemand::new(library, pages, presented, created, files).with_text_requests(asked);
    Ok((Prepared { publisher, changes, watch }, on_demand))
}

impl Prepared {
    fn read(mut self) -> catalog::Result<Self> {
        self.publisher.start()?;
        Ok(self)
    }

    /// Publishes what changes from now on, in a thread of its own.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn run(self) -> anyhow::Result<Running> {
        let Self { publisher, changes, watch } = self;
        let (tell, ended) = oneshot::channel();
        let work = move || {
            let _ = tell.send(publisher.run(&changes));
        };
        std::thread::Builder::new().name("publish".into()).spawn(work).context("cannot start a thread")?;
        Ok(Running { watch, ended })
    }
}

/// It publishes.
#[derive(Debug)]
pub struct Running {
    watch: Watch,
    ended: oneshot::Receiver<catalog::Result<()>>,
}

/// Why nothing is published any more.
#[derive(Debug)]
pub enum Ended {
    /// The catalog cannot be read or written.
    Failed(catalog::CatalogError),
    /// A part of the program is wrong: nobody knows what else is.
    Panicked,
}

impl Running {
    /// Compares the whole folder with the catalog.
    pub fn reconcile(&self) {
        self.watch.trigger().reconcile();
    }

    /// Waits until it ends by itself, which only something that is wrong brings about.
    pub async fn ended(&mut self) -> Ended {
        match (&mut self.ended).await {
            Ok(Err(error)) => Ended::Failed(error),
            // The watch has ended, or the publisher without a word.
            Ok(Ok(())) | Err(_) => Ended::Panicked,
        }
    }

    /// Ends it, with what is under way written down.
    ///
    /// # Errors
    /// It had failed, or does so now.
    pub fn stop(self) -> anyhow::Result<()> {
        // The watch ends, its channel closes, the writer finishes what it has and ends too.
        let watched = self.watch.stop();
        let written = self.ended.blocking_recv();
        written.map_err(|_| anyhow::anyhow!("the publisher panicked: please report this"))?.context("publishing")?;
        watched
    }
}
