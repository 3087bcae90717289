//! The loop of the single writer, and the pace of versions: at most one a second (standards 88).

mod follower;
mod following;
mod ingest_parts;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use self::follower::Follower;
use self::ingest_parts::IngestParts;
use super::build::SnapshotBuilder;
use super::ingest::{Ingest, Queue, WriteMoment};
use crate::catalog::{self, Catalog, CatalogError};
use crate::change::{Change, ChangeReceiver, TextRequests};
use crate::config::Config;
use crate::folder::Folder;
use crate::folder::watch::{Armed, Fence, OpenFiles};
use crate::model::collection::{Adoption, ImportedEntry};
use crate::model::moment::{Moment, Version};
use crate::observe::Observers;
use crate::observe::heartbeat::Heartbeat;
use crate::observe::metrics::Comparison;
use crate::observe::status::{DaemonPhase, ReadProgress};
use crate::render::feed::Channel;
use crate::render::page::Pages;
use crate::render::snapshot::{Current, SiteDates};
use crate::replicas::LogProgress;
use crate::site::SiteWatch;
use crate::system::reading_journal::ReadingJournal;

/// Maximum weight of the changes in one transaction: so few that a file which is saved during a checkout of thousands does not wait long.
const BATCH: usize = 64;
/// Weight of the rename of a folder, which may concern many articles. Any other change has the weight 1.
const FOLDER_WEIGHT: usize = 32;

/// Shortest time between two versions (standards 88).
const VERSION_INTERVAL: Duration = Duration::from_secs(1);

/// Longest pause after a version that took long to publish, so that files are read in between: on a slow disk as well, publishing takes
/// half of the time at most.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Longest wait for the clock to catch up after it was set back, so that no version is dated in the future.
const MAX_CLOCK_WAIT: Duration = Duration::from_secs(5);

/// How often the clock is read while an article is scheduled, because the clock may be set and the machine may be suspended.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// After a loss of hints, the folder is compared once no hint has arrived for this long: files that change places while they are compared
/// would be taken for each other.
const STORM_PAUSE: Duration = Duration::from_millis(300);
/// Longest wait for such a pause.
const STORM_LIMIT: Duration = Duration::from_secs(10);

/// Longest wait of the first version for files that are too recent or slow to read.
const NEW_FILE_PATIENCE: Duration = Duration::from_secs(20);

/// Connects the writer to the other parts of the daemon.
#[derive(Debug)]
pub struct PublisherWiring {
    /// Gets each new version.
    pub current: Current,
    /// Files that are open for writing.
    pub open_files: OpenFiles,
    /// HTTP requests that wait for articles whose texts have not been read yet.
    pub text_requests: TextRequests,
    /// The folders that are watched already; only these are read.
    pub armed: Armed,
    pub fence: Fence,
    pub journal: ReadingJournal,
    /// The settings of the site.
    pub site: SiteWatch,
    /// The place of this node in the log of the replicas.
    pub position: LogProgress,
    /// The state directory.
    pub state: PathBuf,
    pub observers: Observers,
}

/// Why the writer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The channel of changes was closed.
    Closed,
    /// A file of the state directory was removed or replaced.
    Displaced,
    /// The settings of the site are others than those with which it began.
    SiteChanged,
    /// A copy of the whole catalog has to be installed from the log of the replicas.
    NeedsBase,
}

/// The outcome of handling a change and those queued behind it.
enum Taken {
    /// All were handled or hold. Whether the channel is open, and whether more changes are waiting.
    All(bool, Queue),
    Ending(Ending),
}

/// More changes than can be followed.
#[derive(Debug, Clone, Copy)]
struct Storm {
    begun: Instant,
    last_change: Instant,
}

/// How far the changes since the last run are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CatchUp {
    /// The folder has not been compared with the catalog yet.
    NotCompared,
    /// No version can be made before the folder is back, because the catalog lacks articles.
    AwaitingFolder,
    /// What differs is being read.
    Reading,
    /// All of it is served.
    Done,
}

/// Applies changes: records them in the catalog and publishes versions.
#[derive(Debug)]
pub struct Publisher {
    catalog: Catalog,
    ingest: Ingest,
    builder: SnapshotBuilder,
    /// The version that is served.
    version: Version,
    published_at: Instant,
    /// How long it took to publish that version.
    publishing_took: Duration,
    /// The latest version for which a change was recorded; the next version is not earlier than this.
    pending_version: Version,
    /// Whether anything that is served has changed since that version was published.
    dirty: bool,
    /// Whether follow-up work for the version is pending (compression, cutoffs).
    unfinished: bool,
    catch_up: CatchUp,
    /// Set while hints arrive after a loss.
    storm: Option<Storm>,
    next_due: Option<DateTime<Utc>>,
    /// A file of the state directory was removed or replaced.
    is_displaced: bool,
    site: SiteWatch,
    /// From what the ingest is made again, after another node was first.
    parts: IngestParts,
    follower: Follower,
    /// The state directory.
    state: PathBuf,
    /// Arrival time of the oldest change that is not served yet.
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
        pages: &Arc<Pages>,
        wiring: PublisherWiring,
    ) -> catalog::Result<Self> {
        let PublisherWiring {
            current,
            open_files,
            text_requests,
            armed,
            fence,
            journal,
            site,
            position,
            state,
            observers,
        } = wiring;
        let version = last_version(&catalog)?;
        let next = next_version(version);
        set_site_of(&mut catalog, config, pages.channel());
        let heartbeat = observers.heartbeats.register("the publisher");
        let (config, channel, site_now) = (config.clone(), pages.channel().clone(), site.shared_site());
        let handles = (open_files, text_requests, armed, fence, heartbeat.clone(), journal);
        let parts = IngestParts::new(folder, config, channel, site_now, handles);
        let (ingest, builder) = begin_parts(&mut catalog, &parts, pages, &current, next)?;
        Ok(Self {
            catalog,
            ingest,
            builder,
            version,
            pending_version: version,
            published_at: Instant::now(),
            publishing_took: Duration::ZERO,
            dirty: true,
            unfinished: false,
            catch_up: CatchUp::NotCompared,
            storm: None,
            next_due: None,
            is_displaced: false,
            site,
            parts,
            follower: Follower::new(position),
            state,
            first_change: None,
            heartbeat,
            observers,
        })
    }

    /// The dates of the site, for documents whose dates do not come from an entry.
    pub fn dates(&self) -> SiteDates {
        self.builder.dates()
    }

    /// Serves the feeds: they are up when this returns, unless the catalog lacks articles and the folder is away. If readers have no
    /// version yet and the catalog is known, the last version is served before any file is read, so no file can delay it;
    /// [`Publisher::run`] then compares the folder with the catalog. Otherwise the whole folder is read first.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn start(&mut self) -> catalog::Result<()> {
        self.dirty = false;
        if self.catalog.is_replicated() {
            self.follow_log_at_start()?;
        }
        // A version that is served stays until the next is complete.
        if !self.follower.is_in_trouble() && (self.builder.is_serving() || !self.is_known()?) {
            let comparison = self.compare()?;
            if comparison == Comparison::Away && self.lacks_articles()? {
                self.await_folder();
                return Ok(());
            }
            self.read_folder(comparison)?;
        }
        if self.catalog.awaits_founding() {
            self.found_log()?;
        }
        self.serve_first()
    }

    /// Serves the first version.
    fn serve_first(&mut self) -> catalog::Result<()> {
        self.read_main_feed()?;
        if self.follower.is_in_trouble() && self.version > Version::default() {
            let moment = Moment::of(self.version);
            if !self.resume()? {
                self.builder.serve_unrecorded(&mut self.catalog, moment)?;
                self.note_published(moment, Instant::now())?;
            }
        } else if !self.resume()? {
            // After a quick restart, the last version may be of the present second.
            std::thread::sleep(self.until_next_version());
            self.publish()?;
        }
        self.ingest.begin_serving();
        self.observers.status.update(|status| (status.phase, status.progress) = (DaemonPhase::Serving, None));
        self.report()
    }

    /// Whether the catalog certainly lacks articles: it was recovered, lost, or replaced while an earlier one was being served.
    fn lacks_articles(&self) -> catalog::Result<bool> {
        let is_new = self.version == Version::default();
        Ok(self.catalog.is_incomplete()? || (is_new && self.builder.is_serving()))
    }

    fn awaits_folder(&self) -> bool {
        self.catch_up == CatchUp::AwaitingFolder
    }

    /// What is served stays until the folder is back; requests get 503 if that is nothing.
    fn await_folder(&mut self) {
        self.catch_up = CatchUp::AwaitingFolder;
        if !self.builder.is_serving() {
            tracing::error!(
                "the catalog lacks articles, and their folder is away: requests get 503 until it is back; if it is to be empty, \
                 remove the state directory"
            );
        }
    }

    /// Serves the first version, if it has waited for the folder and that is back.
    fn end_wait_for_folder(&mut self) -> catalog::Result<()> {
        if self.awaits_folder() && !self.ingest.is_folder_away() {
            self.catch_up = CatchUp::Reading;
            self.read_folder(Comparison::Different)?;
            if self.catalog.awaits_founding() {
                self.found_log()?;
            }
            self.serve_first()?;
            self.unfinished = true;
        }
        Ok(())
    }

    /// Whether the catalog has all that the last version showed.
    fn is_known(&self) -> catalog::Result<bool> {
        Ok(self.version > Version::default() && !self.catalog.is_incomplete()?)
    }

    /// Reads the whole folder after a comparison.
    fn read_folder(&mut self, comparison: Comparison) -> catalog::Result<()> {
        while self.ingest.is_reading() {
            self.tick(Queue::More)?;
        }
        // New files may be too recent to be read, or slow to read. Wait for them, so that the first version is complete.
        let until = Instant::now() + NEW_FILE_PATIENCE;
        while let Some(wait) = self.ingest.until_new_are_quiet(&self.catalog, Instant::now())? {
            if Instant::now() >= until {
                break;
            }
            std::thread::sleep(wait);
            self.heartbeat.beat();
            self.tick(Queue::More)?;
        }
        if comparison == Comparison::Away { Ok(()) } else { self.catalog.mark_complete() }
    }

    /// Compares the whole folder with the catalog.
    fn compare(&mut self) -> catalog::Result<Comparison> {
        let moment = self.moment();
        let ingest = &mut self.ingest;
        let comparison = if self.catalog.is_replicated() {
            self.catalog.transaction(|catalog| ingest.reconcile(catalog, moment))?
        } else {
            ingest.reconcile(&mut self.catalog, moment)?
        };
        self.site.look(Instant::now());
        if self.catch_up == CatchUp::NotCompared {
            self.catch_up = CatchUp::Reading;
        } else {
            self.observers.metrics.record_comparison(comparison);
        }
        Ok(comparison)
    }

    fn report_progress(&self) {
        let progress = self.ingest.progress().map(|(done, all)| ReadProgress { done, all });
        self.observers.status.update(|status| status.progress = progress);
    }

    /// Serves the last version again if nothing has changed since, so that the start does not have to wait for a new version.
    fn resume(&mut self) -> catalog::Result<bool> {
        let now = Utc::now();
        let is_reusable = !self.dirty && self.version > Version::default() && self.version.date() <= now;
        // Changes that no version has shown yet may have been recorded or become due.
        let unpublished = pending_version(&self.catalog)? > self.version;
        let is_due = self.catalog.next_due(self.version.date())?.is_some_and(|due| due <= now);
        let must_publish = (unpublished || is_due) && !self.follower.is_in_trouble();
        if !is_reusable || must_publish || !self.builder.resume(&mut self.catalog, Moment::of(self.version))? {
            return Ok(false);
        }
        self.note_published(Moment::of(self.version), Instant::now())?;
        Ok(true)
    }

    /// Reports events and problems to the status page and the metrics.
    fn report(&mut self) -> catalog::Result<()> {
        let moment = WriteMoment::now(self.version);
        if let Some(count) = self.ingest.report_to(&self.observers.status, &self.catalog, moment)? {
            self.observers.metrics.set_complaints(count);
        }
        Ok(())
    }

    /// Runs until the channel closes, a file of the state directory is displaced, or the catalog cannot be read or written. Returns the
    /// catalog, which is still open.
    pub fn run(mut self, changes: &ChangeReceiver) -> (Catalog, catalog::Result<Ending>) {
        let ending = self.follow_changes(changes);
        (self.catalog, ending)
    }

    fn follow_changes(&mut self, changes: &ChangeReceiver) -> catalog::Result<Ending> {
        let begun = self.begin_following();
        self.redo_if_superseded(begun)?;
        loop {
            let turn = self.turn(changes);
            if let Some(Some(ending)) = self.redo_if_superseded(turn)? {
                return Ok(ending);
            }
        }
    }

    /// Handles the errors that other nodes cause; then the result is `None`.
    fn redo_if_superseded<T>(&mut self, result: catalog::Result<T>) -> catalog::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.begin_again(error).map(|()| None),
        }
    }

    fn begin_following(&mut self) -> catalog::Result<()> {
        if !self.awaits_folder() {
            self.builder.finish(&mut self.catalog)?;
        }
        if self.catch_up == CatchUp::NotCompared {
            self.compare()?;
        }
        self.note_caught_up()
    }

    /// Waits for a change or a deadline, and does what is due.
    fn turn(&mut self, changes: &ChangeReceiver) -> catalog::Result<Option<Ending>> {
        self.catalog.tidy()?;
        self.heartbeat.beat();
        let received = changes.recv_timeout(self.until_next_wake());
        let open = received != Err(RecvTimeoutError::Disconnected);
        if let (true, Some(ending)) = self.retry_log()? {
            return Ok(Some(ending));
        }
        let (open, queue) = if let Ok(change) = received {
            match self.take(change, changes)? {
                Taken::Ending(ending) => return Ok(Some(ending)),
                Taken::All(open, queue) => (open, queue),
            }
        } else {
            self.follow_held()?;
            (open, Queue::Empty)
        };
        self.take_over()?;
        let may_act = !self.follower.is_in_trouble() && self.may_act();
        if may_act {
            if open && queue == Queue::Empty {
                self.publish_if_due()?;
            }
            self.tick(queue)?;
            self.end_wait_for_folder()?;
        }
        if !open {
            // Changes that were not published are in the catalog, and are published at the next start.
            self.catalog.erase_before_end();
            return Ok(Some(Ending::Closed));
        }
        if self.is_displaced {
            return Ok(Some(Ending::Displaced));
        }
        if self.site.has_changed(Instant::now()) && !self.ingest.is_folder_away() {
            // The next writer publishes the pending changes with the new settings.
            self.catalog.erase_before_end();
            return Ok(Some(Ending::SiteChanged));
        }
        if may_act {
            self.publish_if_due()?;
        }
        if std::mem::take(&mut self.unfinished) {
            self.builder.finish(&mut self.catalog)?;
        }
        self.note_progress();
        self.report()?;
        self.note_caught_up()?;
        Ok(None)
    }

    /// Notes once that all that has changed since the last run is served.
    fn note_caught_up(&mut self) -> catalog::Result<()> {
        let is_reading = self.ingest.is_reading() || self.ingest.is_undecided();
        let is_busy = self.catch_up != CatchUp::Reading || self.dirty || is_reading;
        if !is_busy && self.ingest.until_new_are_quiet(&self.catalog, Instant::now())?.is_none() {
            self.catch_up = CatchUp::Done;
            self.observers.status.update(|status| status.caught_up = true);
        }
        Ok(())
    }

    /// Publishes a version if something has changed and the last version is old enough.
    fn publish_if_due(&mut self) -> catalog::Result<()> {
        if self.may_publish() && self.dirty {
            self.publish()?;
            self.unfinished = true;
        }
        Ok(())
    }

    /// Whether a version can be made now.
    fn may_publish(&self) -> bool {
        !self.awaits_folder() && self.until_next_version().is_zero()
    }

    /// Handles a change and those queued behind it.
    fn take(&mut self, first: Change, changes: &ChangeReceiver) -> catalog::Result<Taken> {
        let weight = |change: &Change| if matches!(change, Change::FolderMoved { .. }) { FOLDER_WEIGHT } else { 1 };
        let mut total = weight(&first);
        let mut batch = vec![first];
        let (mut open, mut queue) = (true, Queue::More);
        while total < BATCH && queue == Queue::More {
            match changes.try_recv() {
                Ok(change) => {
                    total += weight(&change);
                    batch.push(change);
                }
                Err(error) => {
                    queue = Queue::Empty;
                    open = error != TryRecvError::Disconnected;
                }
            }
        }
        self.site.look(Instant::now());
        self.is_displaced |= batch.contains(&Change::Displaced);
        let is_replicated = batch.contains(&Change::Replicated);
        batch.retain(|change| !matches!(change, Change::Displaced | Change::Replicated));
        if self.follower.is_in_trouble() {
            // The folder is compared once the log is back.
            return Ok(Taken::All(open, queue));
        }
        if is_replicated && let Some(ending) = self.follow_log()? {
            return Ok(Taken::Ending(ending));
        }
        self.follower.hold(batch, false);
        self.follow_held_before(queue)?;
        Ok(Taken::All(open, queue))
    }

    /// Handles the changes that were held back, if it is time.
    fn follow_held(&mut self) -> catalog::Result<()> {
        self.follow_held_before(Queue::Empty)
    }

    fn follow_held_before(&mut self, queue: Queue) -> catalog::Result<()> {
        if !self.follower.holds_hints() || !self.may_act() {
            return Ok(());
        }
        let mut batch = self.follower.hold(Vec::new(), true);
        let moment = self.moment();
        let first_change = *self.first_change.get_or_insert(moment.instant());
        let (must_reconcile, has_lost) = (batch.contains(&Change::Reconcile), batch.contains(&Change::Lost));
        batch.retain(|change| *change != Change::Reconcile);
        if !batch.is_empty() {
            self.follow(&batch, queue, moment)?;
        }
        if has_lost || self.storm.is_some() {
            let now = Instant::now();
            self.storm = Some(Storm { begun: self.storm.as_ref().map_or(now, |storm| storm.begun), last_change: now });
        }
        if must_reconcile && self.storm.is_some() {
            self.ingest.request_reconcile();
        } else if must_reconcile {
            self.compare()?;
        }
        // If nothing is dirty, the changes affect nothing that is served, or they are served already.
        self.first_change = self.dirty.then_some(first_change);
        Ok(())
    }

    /// Processes hints and, if possible, publishes the result in the same transaction, which saves a write to the disk.
    fn follow(&mut self, batch: &[Change], queue: Queue, moment: WriteMoment) -> catalog::Result<()> {
        // The bulk import is over: from now on, files are compared with all rows.
        self.catalog.interrupt_bulk_import()?;
        let may_publish = queue == Queue::Empty && self.may_publish();
        let begun = Instant::now();
        let snapshot_moment = Moment::by_clock(self.next_version().max(self.pending_version), Utc::now());
        let is_due = self.next_due.is_some_and(|due| due <= snapshot_moment.due);
        let (ingest, builder, dirty) = (&mut self.ingest, &mut self.builder, self.dirty);
        let (changed, follows_from_files, snapshot) = self.catalog.transaction_before_sync(|catalog| {
            let of_hints = ingest.process_hints(catalog, batch, moment)?;
            let of_schedule = ingest.take_over_due(catalog, snapshot_moment.due, moment)?;
            let changed = of_hints | of_schedule;
            record_pending_version(catalog, changed, self.pending_version)?;
            // Not ready if nothing that is served has changed, if more hints are waiting, or if texts have to be read first.
            let is_ready = may_publish
                && (changed || dirty)
                && !(ingest.has_unread(catalog)? && builder.lacks_texts(catalog, snapshot_moment.due)?);
            let archives = catalog.newest_archive()?;
            let snapshot = if is_ready { Some(builder.render(catalog, snapshot_moment)?) } else { None };
            // What is in a new archive depends on what has arrived before.
            let is_settled = !of_schedule && !is_due && catalog.newest_archive()? == archives;
            Ok((changed, is_settled && ingest.follows_from_files(), snapshot))
        })?;
        self.dirty |= changed;
        // What a power cut cannot change is served before it is on the disk.
        if !follows_from_files {
            self.catalog.sync()?;
        }
        if let Some(snapshot) = snapshot {
            self.builder.serve(snapshot);
            self.note_published(snapshot_moment, begun)?;
            self.unfinished = true;
        }
        self.catalog.sync()
    }

    /// Does what is due: deletions whose grace period is over, files that have become quiet, articles that are scheduled.
    fn tick(&mut self, queue: Queue) -> catalog::Result<()> {
        if self.until_comparison().is_some_and(|wait| wait.is_zero()) {
            self.storm = None;
            self.compare()?;
        }
        if self.ingest.until_next_wake(Instant::now()).is_some_and(|wait| wait.is_zero()) {
            let moment = self.moment();
            let was_reading = self.ingest.is_reading();
            let ingest = &mut self.ingest;
            self.dirty |= self.catalog.transaction(|catalog| {
                let changed = ingest.tick(catalog, queue, moment)?;
                record_pending_version(catalog, changed, self.pending_version)
            })?;
            self.ingest.notify_requests();
            if was_reading {
                self.report_progress();
            }
            if was_reading && !self.ingest.is_reading() {
                self.catalog.finish_bulk_import()?;
            }
        }
        self.dirty |= self.next_due.is_some_and(|due| due <= Utc::now());
        Ok(())
    }

    /// Time until the folder is compared; `None` if no comparison is requested.
    fn until_comparison(&self) -> Option<Duration> {
        let wait = self.storm.as_ref().map_or(Duration::ZERO, |storm| {
            let at = (storm.last_change + STORM_PAUSE).min(storm.begun + STORM_LIMIT);
            at.saturating_duration_since(Instant::now())
        });
        self.ingest.wants_reconcile().then_some(wait)
    }

    fn publish(&mut self) -> catalog::Result<()> {
        let moment = self.moment();
        let snapshot_moment = Moment::by_clock(self.next_version().max(self.pending_version), Utc::now());
        let ingest = &mut self.ingest;
        self.catalog.transaction(|catalog| ingest.take_over_due(catalog, snapshot_moment.due, moment))?;
        self.read_main_feed()?;
        let begun = Instant::now();
        self.builder.publish(&mut self.catalog, snapshot_moment)?;
        self.note_published(snapshot_moment, begun)
    }

    /// Reads the texts of all articles of the main feed. Their sizes decide which articles are in it, so this repeats until no text is
    /// missing.
    fn read_main_feed(&mut self) -> catalog::Result<()> {
        while self.ingest.has_unread(&self.catalog)? {
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

    /// Notes that a version is served, whose publishing began at `begun`.
    fn note_published(&mut self, moment: Moment, begun: Instant) -> catalog::Result<()> {
        let Moment { version, due } = moment;
        self.version = version;
        self.published_at = Instant::now();
        self.publishing_took = begun.elapsed();
        self.dirty = false;
        self.observers.metrics.record_version(self.first_change.take().map(|first| first.elapsed()));
        self.next_due = self.catalog.next_due(due)?;
        let (published, scheduled) = self.catalog.totals(due)?;
        self.ingest.note_published();
        self.observers.metrics.set_articles(published, scheduled);
        self.observers.status.update(|status| {
            status.version = Some(version.date());
            (status.published, status.scheduled) = (published, scheduled);
        });
        Ok(())
    }

    fn moment(&mut self) -> WriteMoment {
        let version = self.next_version();
        self.pending_version = self.pending_version.max(version);
        WriteMoment::now(version)
    }

    fn next_version(&self) -> Version {
        next_version(self.version)
    }

    fn until_next_version(&self) -> Duration {
        let now = Utc::now();
        let by_clock = self.version.next().date().signed_duration_since(now).to_std().unwrap_or_default();
        wait_for_version(by_clock, self.published_at.elapsed(), self.publishing_took)
    }

    fn until_next_wake(&self) -> Duration {
        let version = (self.dirty && !self.awaits_folder()).then(|| self.until_next_version());
        let due = self.next_due.map(|due| due.signed_duration_since(Utc::now()).to_std().unwrap_or_default());
        let due = due.map(|wait| wait.min(CLOCK_INTERVAL));
        let tick = self.ingest.until_next_wake(Instant::now());
        let site = self.site.until_due(Instant::now());
        let own = [version, due, tick, self.until_comparison()];
        let replicas = self.follower.until_next_wake(Instant::now());
        // What waits for another node, or for the log, does not wake this one at once again.
        let own = if self.follower.holds_work() { [None; 4] } else { own };
        let waits = own.into_iter().chain([site, replicas]).flatten();
        // Usually only the channel wakes the writer.
        waits.fold(self.heartbeat.interval(), Duration::min)
    }
}

/// Makes the ingest and the builder, in one transaction. While the log of the replicas is away, what they record is rolled back.
fn begin_parts(
    catalog: &mut Catalog,
    parts: &IngestParts,
    pages: &Arc<Pages>,
    current: &Current,
    next: Version,
) -> catalog::Result<(Ingest, SnapshotBuilder)> {
    let begin = |catalog: &mut Catalog| {
        let ingest = parts.ingest(catalog)?;
        Ok((ingest, SnapshotBuilder::new(catalog, pages.clone(), current.clone(), next)?))
    };
    match catalog.transaction(begin) {
        Err(CatalogError::LogAway(_) | CatalogError::LogRefused(_)) => {
            let mut both = None;
            catalog.attempt(|catalog| {
                both = Some(begin(catalog)?);
                Ok(None::<()>)
            })?;
            Ok(both.expect("the attempt has made them"))
        }
        outcome => outcome,
    }
}

/// Returns the time until the next version may be published: `by_clock` is what is left of the second of the last one by the system's
/// clock, `since` the time since that was served, and `took` how long it took to publish.
fn wait_for_version(by_clock: Duration, since: Duration, took: Duration) -> Duration {
    // If the clock was set back by a lot, the monotonic clock decides.
    let wait = if by_clock <= MAX_CLOCK_WAIT { by_clock } else { VERSION_INTERVAL.saturating_sub(since) };
    wait.max(took.min(MAX_PAUSE).saturating_sub(since))
}

/// Gives articles the ids and dates that they had in a feed published elsewhere. Reads the folder but publishes nothing; that happens at
/// the next start.
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
    set_site_of(&mut catalog, config, channel);
    let adopting = catalog.adopt(entries)?;
    let mut ingest = Ingest::new(&mut catalog, folder, config, channel, OpenFiles::default())?;
    while catalog.next_pass()? {
        ingest.read_problems_again();
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

/// Sets the language, and the base address if one is configured: the ids of podcasts are derived from it.
fn set_site_of(catalog: &mut Catalog, config: &Config, channel: &Channel) {
    catalog.set_site_language(&channel.language);
    if config.site.base_url.is_some() {
        catalog.set_base_url(&channel.base_url);
    }
}

/// Records the version that will show a change, if `changed`. Returns `changed`.
fn record_pending_version(catalog: &mut Catalog, changed: bool, version: Version) -> catalog::Result<bool> {
    if changed {
        catalog.set_meta("promised", &version.seconds().to_string())?;
    }
    Ok(changed)
}

fn pending_version(catalog: &Catalog) -> catalog::Result<Version> {
    Ok(Version::at(catalog.meta_date("promised")?.unwrap_or_default()))
}

fn last_version(catalog: &Catalog) -> catalog::Result<Version> {
    Ok(Version::at(catalog.meta_date("version")?.unwrap_or_default()))
}

/// The next version: the current second, or the second after the last version if the clock is not later.
fn next_version(last: Version) -> Version {
    Version::at(Utc::now()).max(last.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_leave_time_for_reading() {
        let ms = Duration::from_millis;
        for (by_clock, since, took, expected) in [
            (ms(400), ms(600), ms(5), ms(400)),
            (ms(0), ms(1_000), ms(5), ms(0)),
            // On a slow disk, files are read for as long as the last version took.
            (ms(0), ms(0), ms(3_000), ms(3_000)),
            (ms(0), ms(2_000), ms(3_000), ms(1_000)),
            (ms(0), ms(0), ms(60_000), ms(10_000)),
            // The clock was set back by a day.
            (ms(86_400_000), ms(300), ms(5), ms(700)),
            (ms(86_400_000), ms(300), ms(2_000), ms(1_700)),
        ] {
            assert_eq!(wait_for_version(by_clock, since, took), expected, "{by_clock:?} {since:?} {took:?}");
        }
    }
}
