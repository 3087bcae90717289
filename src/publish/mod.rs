//! THE SINGLE WRITER: [`Change`] -> catalog -> snapshot. A blocking thread of its own, and the only one that reads the
//! clock: what it calls is told the time.

mod build;
mod compressor;
mod ingest;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::catalog::{self, Catalog, Changes};
use crate::change::{Change, TextRequests};
use crate::config::Config;
use crate::folder::Folder;
use crate::folder::watch::{Armed, Fence, OpenFiles};
use crate::model::collection::{Adoption, ImportedEntry};
use crate::model::moment::{Moment, Version};
use crate::observe::Observers;
use crate::observe::heartbeat::Heartbeat;
use crate::observe::status::{DaemonPhase, ReadProgress};
use crate::render::feed::Channel;
use crate::render::page::Pages;
use crate::render::snapshot::{Current, SiteDates};
use build::SnapshotBuilder;
use ingest::{Ingest, Queue, WriteMoment};

/// Most changes that one transaction takes.
const BATCH: usize = 256;

/// Least time between two versions.
const VERSION_INTERVAL: Duration = Duration::from_secs(1);

/// How long a version waits for a clock that was set back a little, so that none is ever dated in the future.
const CLOCK_PATIENCE: Duration = Duration::from_secs(5);

/// While something is scheduled, the clock is looked at this often: it may be set, and a machine may sleep.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// The connections of the writer to the other parts of the daemon.
#[derive(Debug)]
pub struct PublisherWiring {
    /// Gets each new version.
    pub current: Current,
    /// Files that are open for writing.
    pub open_files: OpenFiles,
    /// Requests of readers for articles whose texts have not been read yet.
    pub text_requests: TextRequests,
    /// The folders that are watched already; no other folder is read.
    pub armed: Armed,
    pub fence: Fence,
    pub observers: Observers,
}

/// Reads what changed, writes it down, and shows it.
#[derive(Debug)]
pub struct Publisher {
    catalog: Catalog,
    ingest: Ingest,
    show: SnapshotBuilder,
    /// The second of the version that is served; no two versions share one (standards 88).
    version: Version,
    shown_at: Instant,
    /// The latest second that a change was recorded for: the version that shows it is not earlier.
    promised: Version,
    /// Something that is served has changed since.
    dirty: bool,
    /// There is something left to do that nobody waits for.
    unfinished: bool,
    /// The same of what the reading of very many files leaves behind.
    untidy: bool,
    next_due: Option<DateTime<Utc>>,
    /// When the first change was noticed that is not served yet.
    noticed: Option<Instant>,
    observers: Observers,
    heartbeat: Heartbeat,
}

impl Publisher {
    /// Prepares the writer: opens nothing, shows nothing yet.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn new(
        mut catalog: Catalog,
        folder: Folder,
        config: &Config,
        pages: Arc<Pages>,
        wiring: PublisherWiring,
    ) -> catalog::Result<Self> {
        let PublisherWiring { current, open_files, text_requests, armed, fence, observers } = wiring;
        let version = last_version(&catalog)?;
        let next = next_version(version);
        name_site(&mut catalog, config, pages.channel());
        let mut ingest = Ingest::new(&mut catalog, folder, config, pages.channel(), open_files)?;
        ingest.serve_requests(text_requests);
        ingest.follow_watch(armed, fence);
        let show = SnapshotBuilder::new(&mut catalog, pages, current, next)?;
        Ok(Self {
            catalog,
            ingest,
            show,
            version,
            promised: version,
            shown_at: Instant::now(),
            dirty: true,
            unfinished: false,
            untidy: false,
            next_due: None,
            noticed: None,
            heartbeat: observers.heartbeats.register("the publisher"),
            observers,
        })
    }

    /// The dates of documents that no entry determines.
    pub fn dates(&self) -> SiteDates {
        self.show.dates()
    }

    /// Looks at the whole folder and shows what is in it: the feeds are up when this returns.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn start(&mut self) -> catalog::Result<()> {
        let moment = self.moment();
        self.dirty = false;
        self.ingest.reconcile(&mut self.catalog, moment)?;
        let all = self.ingest.left_to_read();
        while self.ingest.is_reading() {
            self.tick(Queue::More)?;
            self.heartbeat.beat();
            let progress = ReadProgress { done: all - self.ingest.left_to_read().min(all), all };
            self.observers.status.update(|status| status.progress = Some(progress));
        }
        // New files that were put there a moment ago are waited for: the first version should not be an empty one.
        if let Some(wait) = self.ingest.until_new_are_quiet(&self.catalog, Instant::now())? {
            std::thread::sleep(wait);
            self.tick(Queue::More)?;
        }
        self.read_what_is_shown()?;
        if !self.resume()? {
            // After a quick restart the last version may be of this very second.
            std::thread::sleep(self.until_next_version());
            self.publish()?;
        }
        self.observers.status.update(|status| (status.phase, status.progress) = (DaemonPhase::Serving, None));
        self.report();
        Ok(())
    }

    /// Serves what was served last, where nothing has changed since: then there is no new version to wait for.
    fn resume(&mut self) -> catalog::Result<bool> {
        let now = Utc::now();
        let shown = !self.dirty && self.version > Version::default() && self.version.date() <= now;
        // Something that is in no document of the snapshot may have been recorded, or have come due, and not been shown.
        let recorded = promised(&self.catalog)? > self.version;
        let is_due = self.catalog.next_due(self.version.date())?.is_some_and(|due| due <= now);
        if !shown || recorded || is_due || !self.show.resume(&mut self.catalog, Moment::of(self.version))? {
            return Ok(false);
        }
        self.shown(Moment::of(self.version))?;
        Ok(true)
    }

    /// Tells the operator what is new.
    fn report(&mut self) {
        if let Some(complaints) = self.ingest.report_to(&self.observers.status) {
            self.observers.metrics.set_complaints(complaints);
        }
    }

    /// Works until the channel closes.
    ///
    /// # Errors
    /// The catalog cannot be read or written: without it no id is safe, so the daemon must end.
    pub fn run(mut self, changes: &Receiver<Change>) -> catalog::Result<()> {
        self.show.finish(&mut self.catalog)?;
        loop {
            if std::mem::take(&mut self.untidy) {
                self.catalog.tidy()?;
            }
            self.heartbeat.beat();
            let (open, hints) = match changes.recv_timeout(self.until_next_wake()) {
                Ok(change) => self.take(change, changes)?,
                Err(RecvTimeoutError::Timeout) => (true, Queue::Empty),
                Err(RecvTimeoutError::Disconnected) => (false, Queue::Empty),
            };
            if open && hints == Queue::Empty {
                self.show_what_changed()?;
            }
            self.tick(hints)?;
            if !open {
                // What was not shown yet is in the catalog, and is shown at the next start.
                return Ok(());
            }
            self.show_what_changed()?;
            if std::mem::take(&mut self.unfinished) {
                self.show.finish(&mut self.catalog)?;
            }
            self.report();
        }
    }

    /// Shows what has changed, if there was something and if it is time.
    fn show_what_changed(&mut self) -> catalog::Result<()> {
        if self.dirty && self.until_next_version().is_zero() {
            self.publish()?;
            self.unfinished = true;
        }
        Ok(())
    }

    /// Takes a change and those that are waiting behind it. Says whether there can be more, and whether there are.
    fn take(&mut self, first: Change, changes: &Receiver<Change>) -> catalog::Result<(bool, Queue)> {
        let moment = self.moment();
        let noticed = *self.noticed.get_or_insert(moment.instant());
        let mut batch = vec![first];
        let (mut open, mut hints) = (true, Queue::More);
        while batch.len() < BATCH && hints == Queue::More {
            match changes.try_recv() {
                Ok(change) => batch.push(change),
                Err(error) => {
                    hints = Queue::Empty;
                    open = error != TryRecvError::Disconnected;
                }
            }
        }
        let everywhere = batch.contains(&Change::Reconcile);
        batch.retain(|change| *change != Change::Reconcile);
        if !batch.is_empty() {
            self.follow(&batch, hints, moment)?;
        }
        if everywhere {
            let compared = self.ingest.reconcile(&mut self.catalog, moment)?;
            self.observers.metrics.record_comparison(compared);
        }
        // Otherwise it was nothing that is served, or it is served by now.
        self.noticed = self.dirty.then_some(noticed);
        Ok((open, hints))
    }

    /// Follows hints, and serves what came of them at once, if that can be: one write to the disk does for both.
    fn follow(&mut self, batch: &[Change], hints: Queue, moment: WriteMoment) -> catalog::Result<()> {
        // What is new no more has to be looked for.
        if self.catalog.end_fresh()? {
            self.catalog.tidy()?;
        }
        let is_time = hints == Queue::Empty && self.until_next_version().is_zero();
        let shown = Moment::by_clock(self.next_version().max(self.promised), Utc::now());
        let (ingest, show, dirty) = (&mut self.ingest, &mut self.show, self.dirty);
        let (changed, snapshot) = self.catalog.transaction(|catalog| {
            let changed = ingest.changes(catalog, batch, moment)? | ingest.take_over_due(catalog, shown.due, moment)?;
            promise(catalog, changed, self.promised)?;
            // Otherwise nothing that is served has changed, or more is to come, or to be read first.
            let is_ready =
                is_time && (changed || dirty) && !(ingest.has_unread() && show.lacks_texts(catalog, shown.due)?);
            let snapshot = if is_ready { Some(show.make(catalog, shown)?) } else { None };
            Ok((changed, snapshot))
        })?;
        self.dirty |= changed;
        if let Some(snapshot) = snapshot {
            self.show.serve(snapshot);
            self.shown(shown)?;
            self.unfinished = true;
        }
        Ok(())
    }

    /// What only time brings: deletions whose grace is over, files that have become quiet, articles that are due.
    fn tick(&mut self, hints: Queue) -> catalog::Result<()> {
        if self.ingest.until_next_wake(Instant::now()).is_some_and(|wait| wait.is_zero()) {
            let moment = self.moment();
            let was_reading = self.ingest.is_reading();
            let ingest = &mut self.ingest;
            self.dirty |= self.catalog.transaction(|catalog| {
                let news = ingest.tick(catalog, hints, moment)?;
                promise(catalog, news, self.promised)
            })?;
            self.ingest.notify_requests();
            if was_reading && !self.ingest.is_reading() {
                self.catalog.end_fresh()?;
                self.catalog.expect(Changes::Few)?;
                self.untidy = true;
            }
        }
        self.dirty |= self.next_due.is_some_and(|due| due <= Utc::now());
        Ok(())
    }

    fn publish(&mut self) -> catalog::Result<()> {
        let moment = self.moment();
        let shown = Moment::by_clock(self.next_version().max(self.promised), Utc::now());
        let ingest = &mut self.ingest;
        self.catalog.transaction(|catalog| ingest.take_over_due(catalog, shown.due, moment))?;
        self.read_what_is_shown()?;
        self.show.publish(&mut self.catalog, shown)?;
        self.shown(shown)
    }

    /// Sees to it that the text of each article of the main feed was read. With its weight known, another may come in.
    fn read_what_is_shown(&mut self) -> catalog::Result<()> {
        while self.ingest.has_unread() {
            let moment = self.moment();
            let unread = self.show.unread(&self.catalog, moment.seconds())?;
            if unread.is_empty() {
                break;
            }
            let ingest = &mut self.ingest;
            self.catalog.transaction(|catalog| ingest.read_texts(catalog, &unread, moment))?;
        }
        Ok(())
    }

    /// Notes that a version is served.
    fn shown(&mut self, moment: Moment) -> catalog::Result<()> {
        let Moment { version, due } = moment;
        self.version = version;
        self.shown_at = Instant::now();
        self.dirty = false;
        self.observers.metrics.record_version(self.noticed.take().map(|noticed| noticed.elapsed()));
        self.next_due = self.catalog.next_due(due)?;
        let (published, scheduled) = self.catalog.totals(due)?;
        self.observers.metrics.set_articles(published, scheduled);
        self.observers.status.update(|status| {
            status.version = Some(version.date());
            (status.published, status.scheduled) = (published, scheduled);
        });
        Ok(())
    }

    fn moment(&mut self) -> WriteMoment {
        let version = self.next_version();
        self.promised = self.promised.max(version);
        WriteMoment::now(version)
    }

    fn next_version(&self) -> Version {
        next_version(self.version)
    }

    fn until_next_version(&self) -> Duration {
        let now = Utc::now();
        let by_clock = self.version.next().date().signed_duration_since(now).to_std().unwrap_or_default();
        if by_clock <= CLOCK_PATIENCE {
            return by_clock;
        }
        // The clock was set back, and nobody will wait until it has caught up: go by the one that cannot be set.
        VERSION_INTERVAL.saturating_sub(self.shown_at.elapsed())
    }

    fn until_next_wake(&self) -> Duration {
        let version = self.dirty.then(|| self.until_next_version());
        let due = self.next_due.map(|due| due.signed_duration_since(Utc::now()).to_std().unwrap_or_default());
        let due = due.map(|wait| wait.min(CLOCK_INTERVAL));
        let tick = self.ingest.until_next_wake(Instant::now());
        let waits = [version, due, tick].into_iter().flatten();
        // Mostly there is nothing to wait for but the channel.
        waits.fold(self.heartbeat.interval(), Duration::min)
    }
}

/// Gives articles the ids and dates that they had in a feed published elsewhere. Reads the folder, but publishes nothing: the
/// next start does.
///
/// # Errors
/// The catalog cannot be read or written.
pub fn adopt(
    mut catalog: Catalog,
    folder: Folder,
    config: &Config,
    channel: &Channel,
    entries: &[ImportedEntry],
) -> catalog::Result<Adoption> {
    let version = next_version(last_version(&catalog)?);
    name_site(&mut catalog, config, channel);
    let known = catalog.adopt(entries)?;
    let mut ingest = Ingest::new(&mut catalog, folder, config, channel, OpenFiles::default())?;
    while catalog.next_pass()? {
        ingest.reconcile(&mut catalog, WriteMoment::now(version))?;
        let tick = |ingest: &mut Ingest, catalog: &mut Catalog| {
            catalog.transaction(|catalog| ingest.tick(catalog, Queue::Empty, WriteMoment::now(version)))
        };
        while ingest.is_reading() {
            tick(&mut ingest, &mut catalog)?;
        }
        if let Some(wait) = ingest.until_quiet(Instant::now()) {
            std::thread::sleep(wait);
            tick(&mut ingest, &mut catalog)?;
        }
    }
    catalog.adoption(known)
}

/// Podcasts are given ids that are made of the site's address, if it has one that is its own.
fn name_site(catalog: &mut Catalog, config: &Config, channel: &Channel) {
    if config.site.base_url.is_some() {
        catalog.set_base_url(&channel.base_url);
    }
}

/// Remembers the second of the version that is to show a change, if there is one.
fn promise(catalog: &mut Catalog, changed: bool, version: Version) -> catalog::Result<bool> {
    if changed {
        catalog.set_meta("promised", &version.seconds().to_string())?;
    }
    Ok(changed)
}

fn promised(catalog: &Catalog) -> catalog::Result<Version> {
    Ok(Version::at(catalog.meta_date("promised")?.unwrap_or_default()))
}

fn last_version(catalog: &Catalog) -> catalog::Result<Version> {
    Ok(Version::at(catalog.meta_date("version")?.unwrap_or_default()))
}

/// The second of the next version: now, or the one after the last if the clock has not moved on.
fn next_version(last: Version) -> Version {
    Version::at(Utc::now()).max(last.next())
}
