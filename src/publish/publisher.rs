//! The loop of the single writer, and the pace of versions: at most one a second (standards 88).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::build::SnapshotBuilder;
use super::ingest::{Ingest, Queue, WriteMoment};
use crate::catalog::{self, Catalog};
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

/// Maximum number of changes in one transaction.
const BATCH: usize = 256;

/// Shortest time between two versions (standards 88).
const VERSION_INTERVAL: Duration = Duration::from_secs(1);

/// How long a version waits for a clock that was set back a little, so that no version is dated in the future.
const CLOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How often the clock is read while an article is scheduled: it may be set, and the machine may be suspended.
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

/// Follows changes: records them in the catalog, and publishes versions.
#[derive(Debug)]
pub struct Publisher {
    catalog: Catalog,
    ingest: Ingest,
    builder: SnapshotBuilder,
    /// The version that is served.
    version: Version,
    published_at: Instant,
    /// The latest version for which a change was recorded: the next version is not earlier.
    promised: Version,
    /// Whether something that is served has changed since.
    dirty: bool,
    /// Whether follow-up work of the version is pending (compression, cutoffs).
    unfinished: bool,
    next_due: Option<DateTime<Utc>>,
    /// When the first change arrived that is not served yet.
    first_change: Option<Instant>,
    observers: Observers,
    heartbeat: Heartbeat,
}

impl Publisher {
    /// Prepares the writer; nothing is read or published yet.
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
        let builder = SnapshotBuilder::new(&mut catalog, pages, current, next)?;
        Ok(Self {
            catalog,
            ingest,
            builder,
            version,
            promised: version,
            published_at: Instant::now(),
            dirty: true,
            unfinished: false,
            next_due: None,
            first_change: None,
            heartbeat: observers.heartbeats.register("the publisher"),
            observers,
        })
    }

    /// The dates of documents that no entry determines.
    pub fn dates(&self) -> SiteDates {
        self.builder.dates()
    }

    /// Reads the whole folder and publishes the first version: the feeds are served when this returns.
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
        // New files may be too young to be read. Wait for them, so that the first version is not an empty one.
        if let Some(wait) = self.ingest.until_new_are_quiet(&self.catalog, Instant::now())? {
            std::thread::sleep(wait);
            self.tick(Queue::More)?;
        }
        self.read_main_feed()?;
        if !self.resume()? {
            // After a quick restart, the last version may be of the present second.
            std::thread::sleep(self.until_next_version());
            self.publish()?;
        }
        self.observers.status.update(|status| (status.phase, status.progress) = (DaemonPhase::Serving, None));
        self.report();
        Ok(())
    }

    /// Serves the last version again if nothing has changed since: then no new version has to be awaited.
    fn resume(&mut self) -> catalog::Result<bool> {
        let now = Utc::now();
        let is_known = !self.dirty && self.version > Version::default() && self.version.date() <= now;
        // Changes may have been recorded, or have become due, that no version has shown.
        let recorded = promised(&self.catalog)? > self.version;
        let is_due = self.catalog.next_due(self.version.date())?.is_some_and(|due| due <= now);
        if !is_known || recorded || is_due || !self.builder.resume(&mut self.catalog, Moment::of(self.version))? {
            return Ok(false);
        }
        self.note_published(Moment::of(self.version))?;
        Ok(true)
    }

    /// Reports events and problems to the status page and the metrics.
    fn report(&mut self) {
        if let Some(count) = self.ingest.report_to(&self.observers.status) {
            self.observers.metrics.set_complaints(count);
        }
    }

    /// Works until the channel closes.
    ///
    /// # Errors
    /// The catalog cannot be read or written: without it no id is safe, so the daemon must end.
    pub fn run(mut self, changes: &Receiver<Change>) -> catalog::Result<()> {
        self.builder.finish(&mut self.catalog)?;
        loop {
            self.catalog.tidy()?;
            self.heartbeat.beat();
            let (open, hints) = match changes.recv_timeout(self.until_next_wake()) {
                Ok(change) => self.take(change, changes)?,
                Err(RecvTimeoutError::Timeout) => (true, Queue::Empty),
                Err(RecvTimeoutError::Disconnected) => (false, Queue::Empty),
            };
            if open && hints == Queue::Empty {
                self.publish_if_due()?;
            }
            self.tick(hints)?;
            if !open {
                // Changes that were not published are in the catalog, and are published at the next start.
                return Ok(());
            }
            self.publish_if_due()?;
            if std::mem::take(&mut self.unfinished) {
                self.builder.finish(&mut self.catalog)?;
            }
            self.report();
        }
    }

    /// Publishes a version if something has changed and the last version is old enough.
    fn publish_if_due(&mut self) -> catalog::Result<()> {
        if self.dirty && self.until_next_version().is_zero() {
            self.publish()?;
            self.unfinished = true;
        }
        Ok(())
    }

    /// Takes a change and those behind it. Returns whether the channel is open, and whether more are waiting.
    fn take(&mut self, first: Change, changes: &Receiver<Change>) -> catalog::Result<(bool, Queue)> {
        let moment = self.moment();
        let first_change = *self.first_change.get_or_insert(moment.instant());
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
        // Otherwise nothing that is served has changed, or the change is served by now.
        self.first_change = self.dirty.then_some(first_change);
        Ok((open, hints))
    }

    /// Follows hints, and publishes the result at once if possible: one write to the disk is enough for both.
    fn follow(&mut self, batch: &[Change], hints: Queue, moment: WriteMoment) -> catalog::Result<()> {
        // The bulk import is over: from now on, files are compared with all rows.
        self.catalog.interrupt_bulk_import()?;
        let is_time = hints == Queue::Empty && self.until_next_version().is_zero();
        let shown = Moment::by_clock(self.next_version().max(self.promised), Utc::now());
        let (ingest, builder, dirty) = (&mut self.ingest, &mut self.builder, self.dirty);
        let (changed, snapshot) = self.catalog.transaction(|catalog| {
            let changed = ingest.changes(catalog, batch, moment)? | ingest.take_over_due(catalog, shown.due, moment)?;
            promise(catalog, changed, self.promised)?;
            // Otherwise nothing that is served has changed, or more hints follow, or texts have to be read first.
            let is_ready =
                is_time && (changed || dirty) && !(ingest.has_unread() && builder.lacks_texts(catalog, shown.due)?);
            let snapshot = if is_ready { Some(builder.render(catalog, shown)?) } else { None };
            Ok((changed, snapshot))
        })?;
        self.dirty |= changed;
        if let Some(snapshot) = snapshot {
            self.builder.serve(snapshot);
            self.note_published(shown)?;
            self.unfinished = true;
        }
        Ok(())
    }

    /// Does what is due: deletions whose grace period is over, files that have become quiet, articles that are scheduled.
    fn tick(&mut self, hints: Queue) -> catalog::Result<()> {
        if self.ingest.until_next_wake(Instant::now()).is_some_and(|wait| wait.is_zero()) {
            let moment = self.moment();
            let was_reading = self.ingest.is_reading();
            let ingest = &mut self.ingest;
            self.dirty |= self.catalog.transaction(|catalog| {
                let changed = ingest.tick(catalog, hints, moment)?;
                promise(catalog, changed, self.promised)
            })?;
            self.ingest.notify_requests();
            if was_reading && !self.ingest.is_reading() {
                self.catalog.finish_bulk_import()?;
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
        self.read_main_feed()?;
        self.builder.publish(&mut self.catalog, shown)?;
        self.note_published(shown)
    }

    /// Reads the texts of all articles of the main feed. Their sizes decide which articles are in it, so this repeats until none is left.
    fn read_main_feed(&mut self) -> catalog::Result<()> {
        while self.ingest.has_unread() {
            let moment = self.moment();
            let unread = self.builder.unread(&self.catalog, moment.seconds())?;
            if unread.is_empty() {
                break;
            }
            let ingest = &mut self.ingest;
            self.catalog.transaction(|catalog| ingest.read_texts(catalog, &unread, moment))?;
        }
        Ok(())
    }

    /// Notes that a version is served.
    fn note_published(&mut self, moment: Moment) -> catalog::Result<()> {
        let Moment { version, due } = moment;
        self.version = version;
        self.published_at = Instant::now();
        self.dirty = false;
        self.observers.metrics.record_version(self.first_change.take().map(|first| first.elapsed()));
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
        // The clock was set back by a lot: the monotonic clock decides.
        VERSION_INTERVAL.saturating_sub(self.published_at.elapsed())
    }

    fn until_next_wake(&self) -> Duration {
        let version = self.dirty.then(|| self.until_next_version());
        let due = self.next_due.map(|due| due.signed_duration_since(Utc::now()).to_std().unwrap_or_default());
        let due = due.map(|wait| wait.min(CLOCK_INTERVAL));
        let tick = self.ingest.until_next_wake(Instant::now());
        let waits = [version, due, tick].into_iter().flatten();
        // Usually only the channel wakes the writer.
        waits.fold(self.heartbeat.interval(), Duration::min)
    }
}

/// Gives articles the ids and dates that they had in a feed published elsewhere. Reads the folder, and publishes nothing: the next start
/// does.
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
    let adopting = catalog.adopt(entries)?;
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
    catalog.adoption(adopting)
}

/// The ids of podcasts are made from the site's address, if one is configured.
fn name_site(catalog: &mut Catalog, config: &Config, channel: &Channel) {
    if config.site.base_url.is_some() {
        catalog.set_base_url(&channel.base_url);
    }
}

/// Records the version that will show a change, if something has changed. Returns whether it has.
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

/// The next version: the present second, or the second after the last version if the clock is not later.
fn next_version(last: Version) -> Version {
    Version::at(Utc::now()).max(last.next())
}
