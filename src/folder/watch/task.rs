//! The thread of the watch: waits for events and for what is due, and keeps the watches of all folders.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::armed::Arming;
use super::event_queue::{Admission, EventCount};
use super::fence::Fence;
use super::links::Targets;
use super::pending_renames::PendingRenames;
use super::poll::{self, Difference, PolledFolders};
use super::quiet_files::{QuietFiles, at_or_below};
use super::sentinel::{OutsideFiles, Sentinel};
use super::writing::OpenFiles;
use crate::change::{Change, ChangeSender};
use crate::config::{Articles, Watching};
use crate::folder::media::is_relevant;
use crate::folder::{Folder, FolderIdentity, ListedName, Stat};
use crate::observe::Observers;
use crate::observe::heartbeat::Heartbeat;
use crate::observe::metrics::Metrics;
use crate::system::file_identity::FileIdentity;
use crate::system::platform;

/// Interval of checks of the root: no event reports that it was renamed, replaced or mounted over.
const ROOT_INTERVAL: Duration = Duration::from_secs(1);
/// Interval between reconciliations while no loss of events is known.
const RECONCILE_INTERVAL: Duration = Duration::from_mins(1);
/// Polling takes at most this fraction (one in N) of the time.
const POLL_FRACTION: u32 = 10;
/// How long a file found by a scan has to be unchanged before it is read.
pub const QUIET: Duration = Duration::from_secs(1);
/// Time without writes after which a file that stays open is read.
const UNCLOSED_AFTER: Duration = Duration::from_secs(30);

/// Maximum number of mounts that are checked every second; a comparison of the whole folder finds the others.
const MAX_MOUNTS: usize = 256;

/// The messages to the thread.
pub(super) enum Input {
    Event(notify::Result<Event>),
    /// Events behind this one were dropped, because too many wait.
    Overflow,
    Reconcile,
    Stop,
}

/// The files that a scan of new folders reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// Each file that is not open for writing.
    Files,
    /// None, because a reconciliation follows.
    None,
}

/// Warnings that are logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Warning {
    NoEvents,
    Limit,
    FileSystem,
}

/// The state of the thread.
pub(super) struct Task {
    pub(super) folder: Folder,
    pub(super) mode: Watching,
    pub(super) poll_interval: Duration,
    pub(super) input: Sender<Input>,
    /// `None` if the kernel reports no events.
    pub(super) watcher: Option<RecommendedWatcher>,
    pub(super) fence: Fence,
    sentinel: Sentinel,
    /// The displacement of a file was reported.
    is_displaced: bool,
    pub(super) changes: ChangeSender,
    /// The folders that are watched by events, each with the identity that it had then.
    pub(super) watched: BTreeMap<PathBuf, FolderIdentity>,
    pub(super) polled: PolledFolders,
    pub(super) targets: Targets,
    /// Whether the file system of each device omits events.
    pub(super) silent: HashMap<u64, bool>,
    pub(super) root_identity: Option<FileIdentity>,
    pub(super) renames: PendingRenames,
    pub(super) writing: OpenFiles,
    /// Files found by a scan too soon after they changed.
    pub(super) recently_changed: QuietFiles,
    /// The roots of mounts below the folder that were seen, and what is at their paths: no event reports that one is mounted or unmounted.
    mounts: BTreeMap<PathBuf, Option<FolderIdentity>>,
    /// The events that wait.
    event_count: EventCount,
    /// When a loss of events was reported last.
    loss_reported: Option<Instant>,
    /// The folders that the present pass over all folders has watched or polled; `None` outside of a pass.
    visited: Option<HashSet<PathBuf>>,
    warned: HashSet<Warning>,
    pub(super) heartbeat: Heartbeat,
    pub(super) metrics: Metrics,
}

/// The error that the receiver of changes has ended.
pub(super) struct Closed;

impl Task {
    pub(super) fn new(
        folder: Folder,
        articles: &Articles,
        outside: OutsideFiles,
        input: Sender<Input>,
        changes: ChangeSender,
        writing: OpenFiles,
        observers: &Observers,
    ) -> Self {
        Self {
            root_identity: folder.identity(),
            folder,
            mode: if platform::HAS_FILE_EVENTS { articles.watch } else { Watching::Poll },
            poll_interval: articles.poll_interval.0,
            input,
            watcher: None,
            fence: outside.fence,
            sentinel: outside.sentinel,
            is_displaced: false,
            changes,
            watched: BTreeMap::new(),
            polled: PolledFolders::default(),
            targets: Targets::default(),
            silent: HashMap::new(),
            renames: PendingRenames::default(),
            writing,
            recently_changed: QuietFiles::default(),
            mounts: BTreeMap::new(),
            event_count: EventCount::default(),
            loss_reported: None,
            visited: None,
            warned: HashSet::new(),
            heartbeat: observers.heartbeats.register("the watch"),
            metrics: observers.metrics.clone(),
        }
    }

    pub(super) fn run(&mut self, events: &Receiver<Input>) {
        let mut next_root = Instant::now() + ROOT_INTERVAL;
        let mut next_reconcile = Instant::now() + RECONCILE_INTERVAL;
        let mut next_poll = Instant::now() + self.poll_interval;
        loop {
            self.heartbeat.beat();
            self.metrics.set_watched_folders(self.watched.len(), self.polled.len());
            let now = Instant::now();
            let wake = self.recently_changed.next_wake().into_iter().fold(next_root.min(next_reconcile), Instant::min);
            let wake = if self.polled.len() > 0 { wake.min(next_poll) } else { wake };
            let wake = self.renames.next_wake().map_or(wake, |renames| wake.min(renames));
            let handled = match events.recv_timeout(wake.saturating_duration_since(now)) {
                Ok(Input::Event(event)) if self.event_count.take() => self.handle_event(event),
                // Dropped: the comparison that follows sees what it reports.
                Ok(Input::Event(_)) => continue,
                Ok(Input::Overflow) => self.events_lost(),
                Ok(Input::Reconcile) => self.reconcile(),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = Instant::now();
            let mut outcome = handled.and_then(|()| self.report_moved_out(now)).and_then(|()| self.report_quiet(now));
            if now >= next_root {
                next_root = now + ROOT_INTERVAL;
                outcome = outcome
                    .and_then(|()| self.check_root())
                    .and_then(|()| self.check_mounts())
                    .and_then(|()| self.report_unclosed(now));
                outcome = outcome.and_then(|()| self.check_outside());
            }
            if now >= next_poll {
                outcome = outcome.and_then(|()| self.poll());
                let ended = Instant::now();
                next_poll = ended + self.poll_interval.max((ended - now) * POLL_FRACTION);
            }
            if now >= next_reconcile {
                next_reconcile = now + RECONCILE_INTERVAL;
                self.open_watcher();
                outcome = outcome.and_then(|()| self.reconcile());
            }
            if outcome.is_err() {
                return;
            }
        }
    }

    /// Opens the watcher if it is not open. A failure is retried at the next reconciliation.
    pub(super) fn open_watcher(&mut self) {
        if self.watcher.is_some() || self.mode == Watching::Poll {
            return;
        }
        let (sender, count) = (self.input.clone(), self.event_count.clone());
        // The callback runs on notify's thread and must not block or panic. Events of our own reading are dropped here.
        let callback = move |event: notify::Result<Event>| {
            let own_reading =
                |kind| matches!(kind, EventKind::Access(AccessKind::Open(_) | AccessKind::Close(AccessMode::Read)));
            if event.as_ref().is_ok_and(|event| own_reading(event.kind)) {
                return;
            }
            let _ = match count.admit() {
                Admission::Admitted => sender.send(Input::Event(event)),
                Admission::FirstLoss => sender.send(Input::Overflow),
                Admission::Lost => return,
            };
        };
        match notify::recommended_watcher(callback) {
            Ok(mut watcher) => {
                let fence = self.fence.file();
                let is_armed =
                    !fence.as_os_str().is_empty() && watcher.watch(fence, RecursiveMode::NonRecursive).is_ok();
                self.fence.arm(is_armed);
                self.watcher = Some(watcher);
            }
            Err(error) if self.is_first(Warning::NoEvents) => {
                let seconds = self.poll_interval.as_secs();
                tracing::warn!(
                    %error,
                    seconds,
                    "no file events: the folder is listed at this interval; raise the limit with `sysctl \
                     fs.inotify.max_user_instances=1024`"
                );
            }
            Err(_) => {}
        }
    }

    /// Returns true on the first call for a warning.
    fn is_first(&mut self, warning: Warning) -> bool {
        self.warned.insert(warning)
    }

    pub(super) fn send(&self, change: Change) -> Result<(), Closed> {
        if self.changes.send(change) { Ok(()) } else { Err(Closed) }
    }

    pub(super) fn look(&self, path: &Path) -> Result<(), Closed> {
        self.send(Change::Look(path.to_path_buf()))
    }

    pub(super) fn reconcile(&mut self) -> Result<(), Closed> {
        let root = self.folder.root().to_owned();
        self.targets.clear();
        self.visited = Some(HashSet::new());
        self.add_tree(&root, Report::None, None);
        self.forget_unvisited();
        self.send(Change::Reconcile)
    }

    /// Stops watching the folders that are no longer in the tree, and those to which no link leads any more.
    fn forget_unvisited(&mut self) {
        let visited = self.visited.take().unwrap_or_default();
        let watched: Vec<PathBuf> = self.watched.keys().filter(|folder| !visited.contains(*folder)).cloned().collect();
        for folder in watched {
            self.unwatch(&folder);
        }
        self.polled.retain(|folder| visited.contains(folder));
    }

    /// Starts again after a loss of events: any folder may have been replaced by another of the same name, and any rename may have
    /// been missed.
    pub(super) fn events_lost(&mut self) -> Result<(), Closed> {
        const REPORT_INTERVAL: Duration = Duration::from_mins(1);
        if self.loss_reported.is_none_or(|at| at.elapsed() >= REPORT_INTERVAL) {
            self.loss_reported = Some(Instant::now());
            tracing::info!("file events were lost; comparing the whole folder");
        }
        self.event_count.end_loss();
        self.renames = PendingRenames::default();
        self.recently_changed.clear();
        self.watched.clear();
        self.send(Change::Lost)?;
        self.reconcile()
    }

    /// Watches all folders again and reconciles: any folder may have been replaced by another of the same name.
    pub(super) fn rewatch_and_reconcile(&mut self) -> Result<(), Closed> {
        self.watched.clear();
        self.reconcile()
    }

    /// Watches a folder and all folders below it, each before it is listed, so that no change is missed. Returns the files that
    /// already existed and are not open for writing. Folders come in the order of their names, as in a reconciliation.
    pub(super) fn add_tree(&mut self, top: &Path, report: Report, arming: Option<&Arming>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![top.to_path_buf()];
        while let Some(folder) = folders.pop() {
            self.heartbeat.beat();
            self.watch(&folder);
            let mut within = self.add_within(&folder, report, &mut files);
            within.sort_unstable_by(|one, other| other.cmp(one));
            folders.append(&mut within);
            if let Some(arming) = arming {
                arming.mark(&folder);
            }
        }
        files
    }

    /// Handles one folder of [`Self::add_tree`]. Returns the folders in it.
    fn add_within(&mut self, folder: &Path, report: Report, files: &mut Vec<PathBuf>) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        let Ok(listed) = self.folder.list(folder) else { return folders };
        for ListedName { name, kind } in listed {
            if kind.is_file() && report == Report::None {
                continue;
            }
            let path = folder.join(name);
            if kind.is_dir() {
                if self.folder.enters(&path) {
                    folders.push(path);
                }
                continue;
            }
            if kind.is_symlink() {
                if self.folder.enters_by_link(&path) {
                    folders.push(path);
                    continue;
                }
                self.watch_target(&path);
            }
            if report == Report::Files && is_relevant(&self.folder, &path) {
                match until_quiet(&path) {
                    Some(wait) => self.recently_changed.set(path, Instant::now() + wait),
                    None => files.push(path),
                }
            }
        }
        folders
    }

    /// Watches a folder by events if possible, else by polling.
    fn watch(&mut self, folder: &Path) {
        if let Some(visited) = &mut self.visited {
            visited.insert(folder.to_path_buf());
        }
        let identity = self.folder.identity_of(folder);
        let is_below = self.folder.relative(folder).is_some_and(|below| !below.as_os_str().is_empty());
        if is_below && identity.is_some_and(|identity| identity.is_mount) && self.mounts.len() < MAX_MOUNTS {
            self.mounts.insert(folder.to_path_buf(), identity);
        }
        let by_events = self.watch_by_events(folder, identity);
        let omits_events = self.mode == Watching::Auto && self.omits_events(folder);
        let is_there = || self.folder.identity_of(folder).is_some();
        if omits_events || (!by_events && self.mode != Watching::Events && is_there()) {
            self.polled.insert(&self.folder, folder);
        } else {
            self.polled.remove(folder);
        }
    }

    fn watch_by_events(&mut self, folder: &Path, identity: Option<FolderIdentity>) -> bool {
        if identity.is_some() && self.watched.get(folder) == identity.as_ref() {
            return true;
        }
        // Another folder is in its place, or a link, whose target must not be watched.
        self.unwatch(folder);
        let (Some(watcher), Some(identity)) = (&mut self.watcher, identity) else { return false };
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_path_buf(), identity);
                // The system resolves the path once more. A folder that was replaced meanwhile has events of its own.
                if self.folder.identity_of(folder) == Some(identity) {
                    return true;
                }
                self.unwatch(folder);
            }
            Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
                if self.is_first(Warning::Limit) {
                    tracing::warn!(
                        folder = %folder.display(),
                        watches = self.watched.len(),
                        seconds = self.poll_interval.as_secs(),
                        "no watches left: this folder and any further one are listed at this interval; raise the limit with \
                         `sysctl fs.inotify.max_user_watches=524288`"
                    );
                }
            }
            // It may be gone already; the scan reports an unreadable folder.
            Err(error) => tracing::debug!(folder = %folder.display(), %error, "cannot watch a folder"),
        }
        false
    }

    /// Whether a folder is on a file system that does not report changes made on other hosts.
    fn omits_events(&mut self, folder: &Path) -> bool {
        let Ok(device) = std::fs::metadata(folder).map(|metadata| metadata.dev()) else { return false };
        if let Some(known) = self.silent.get(&device) {
            return *known;
        }
        let name = poll::file_system_without_events(folder);
        self.silent.insert(device, name.is_some());
        if let Some(name) = name
            && self.is_first(Warning::FileSystem)
        {
            tracing::warn!(
                folder = %folder.display(),
                file_system = name,
                seconds = self.poll_interval.as_secs(),
                "the file system does not report changes made on other machines: it is listed at this interval as well"
            );
        }
        name.is_some()
    }

    /// Watches the folder of a link's target, since no event in this folder reports an edit of the target.
    pub(super) fn watch_target(&mut self, link: &Path) {
        if self.folder.format(link).is_none() || self.folder.refuses_link(link) {
            return;
        }
        if let Some(folder) = self.targets.insert(self.folder.root(), link) {
            self.watch(&folder);
        }
    }

    /// Stops watching a path and everything below it.
    pub(super) fn forget(&mut self, path: &Path) {
        self.writing.closed(path);
        self.recently_changed.remove(path);
        if !self.watched.contains_key(path) && self.polled.len() == 0 {
            return;
        }
        for folder in at_or_below(&self.watched, path) {
            self.unwatch(&folder);
        }
        self.polled.forget(path);
        self.writing.forget(path);
        self.recently_changed.forget(path);
    }

    fn unwatch(&mut self, folder: &Path) {
        if self.watched.remove(folder).is_some()
            && let Some(watcher) = &mut self.watcher
        {
            // The kernel may have removed the watch already.
            let _ = watcher.unwatch(folder);
        }
    }

    fn report_quiet(&mut self, now: Instant) -> Result<(), Closed> {
        for path in self.recently_changed.take_due(now) {
            // If a program is writing the file, its close event follows.
            match self.writing.get(&path) {
                Some(writer) if writer.wrote || std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) == 0 => {
                    continue;
                }
                _ => {}
            }
            if let Some(wait) = until_quiet(&path) {
                self.recently_changed.set(path, now + wait);
                continue;
            }
            self.writing.closed(&path);
            self.look(&path)?;
        }
        Ok(())
    }

    /// Reports files that stay open without writes, such as logs: their current content is published.
    fn report_unclosed(&mut self, now: Instant) -> Result<(), Closed> {
        let Some(then) = now.checked_sub(UNCLOSED_AFTER) else { return Ok(()) };
        self.writing.take_idle_since(then).iter().try_for_each(|path| self.look(path))
    }

    /// Lists the folders that report no events, and reports differences.
    fn poll(&mut self) -> Result<(), Closed> {
        for difference in self.polled.differences(&self.folder) {
            match difference {
                Difference::Gone(path) => {
                    self.forget(&path);
                    self.look(&path)?;
                }
                Difference::Folder(path) => {
                    self.forget(&path);
                    self.folder_appeared(&path, None)?;
                }
                Difference::File(path) if self.folder.relative(&path).is_none() => {
                    for link in self.targets.of(&path) {
                        self.look(&link)?;
                    }
                }
                Difference::File(path) => match until_quiet(&path) {
                    Some(wait) if is_relevant(&self.folder, &path) => {
                        self.recently_changed.set(path, Instant::now() + wait);
                    }
                    _ => self.look(&path)?,
                },
            }
        }
        Ok(())
    }

    /// Reports once that a file outside of the folder was removed or replaced.
    fn check_outside(&mut self) -> Result<(), Closed> {
        if self.is_displaced || self.sentinel.displaced().is_none() {
            return Ok(());
        }
        self.is_displaced = true;
        self.send(Change::Displaced)
    }

    /// Checks whether a mount has come or gone. All folders there have to be watched again.
    fn check_mounts(&mut self) -> Result<(), Closed> {
        let now = |mount: &Path| self.folder.identity_of(mount);
        let changed = self.mounts.iter().filter(|(mount, before)| now(mount) != **before);
        let changed: Vec<PathBuf> = changed.map(|(mount, _)| mount.clone()).collect();
        for mount in &changed {
            self.mounts.insert(mount.clone(), self.folder.identity_of(mount));
            self.forget(mount);
        }
        if changed.is_empty() { Ok(()) } else { self.reconcile() }
    }

    /// Checks whether the root was replaced, removed or restored, which no event reports.
    fn check_root(&mut self) -> Result<(), Closed> {
        let identity = self.folder.identity();
        if identity == self.root_identity {
            return Ok(());
        }
        self.root_identity = identity;
        self.silent.clear();
        let root = self.folder.root().to_owned();
        self.forget(&root);
        self.reconcile()
    }
}

/// Returns how long until a file has been unchanged for [`QUIET`]; `None` if it already has.
fn until_quiet(file: &Path) -> Option<Duration> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let metadata = std::fs::metadata(file).ok()?;
    Stat::of(&metadata).until_quiet(i64::try_from(now.as_nanos()).ok()?, QUIET)
}
