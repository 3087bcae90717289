//! File system events -> [`Change`]. Nobody else knows `notify`. An event only says where to look; a lost one is made good by
//! looking everywhere, which happens after every doubt and once a minute. Where the system gives no events, folders are
//! listed again and again instead.
//!
//! Two things are left to that minute. notify's own thread can end only by a panic in the callback below, which does nothing
//! that panics; so it is not watched over by a heartbeat. And a file that a scan finds is believed once it has been quiet for a
//! second: to ask the system whether somebody has it open (a lease) takes ownership of the file and a signal handler.

mod armed;
mod events;
mod links;
mod poll;
mod writing;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::change::Change;
use crate::config::{Articles, Watching};
use crate::folder::media::concerns;
use crate::folder::{Folder, Stat};
use crate::observe::heartbeat::Heartbeat;
use crate::observe::metrics::Metrics;
pub use armed::Armed;
use armed::Arming;
use events::Renames;
use links::Targets;
use poll::{Difference, Polled};
pub use writing::Writing;

/// How often the folder itself is checked: no event tells that it was renamed, mounted over or replaced.
const ROOT_INTERVAL: Duration = Duration::from_secs(1);
/// How often everything is compared although no event was lost that we know of.
const RECONCILE_INTERVAL: Duration = Duration::from_mins(1);
/// Listing takes at most a part of the time as small as this.
const POLL_SHARE: u32 = 10;
/// A file that a scan came across is left alone until nothing has happened to it for this long.
pub const QUIET: Duration = Duration::from_secs(1);
/// A file that nobody closes is looked at when nothing was written to it for this long.
const UNCLOSED: Duration = Duration::from_secs(30);
enum Input {
    Event(notify::Result<Event>),
    LookEverywhere,
    Stop,
}

/// Makes a running watch look everywhere.
#[derive(Debug, Clone)]
pub struct Trigger(Sender<Input>);

impl Trigger {
    /// Does nothing once the watch has ended.
    pub fn look_everywhere(&self) {
        let _ = self.0.send(Input::LookEverywhere);
    }
}

/// Who hears of what is done.
#[derive(Debug, Default)]
pub struct WatchObservers {
    /// Whoever looks whether anything is.
    pub pulse: Heartbeat,
    /// Whoever draws curves of it.
    pub metrics: Metrics,
}

/// A running watch. Dropping it stops it.
#[derive(Debug)]
pub struct Watch {
    input: Sender<Input>,
    writing: Writing,
    armed: Armed,
    thread: Option<JoinHandle<()>>,
}

/// Arms the watches of a folder, one folder after the other, then tells `changes` whatever happens in it. Everything is told that
/// happens in a folder that is [`Armed`]; what is there already is for the receiver to find by looking everywhere.
///
/// # Errors
/// The thread cannot be started.
pub fn start(
    folder: Folder,
    articles: &Articles,
    changes: Sender<Change>,
    told: WatchObservers,
) -> anyhow::Result<Watch> {
    let (input, events) = mpsc::channel();
    let writing = Writing::default();
    let root = folder.root().to_path_buf();
    let mut task = Task {
        root_identity: folder.identity(),
        folder,
        mode: articles.watch,
        poll_interval: articles.poll_interval.0,
        input: input.clone(),
        watcher: None,
        changes,
        watched: HashSet::new(),
        polled: Polled::default(),
        targets: Targets::default(),
        silent: HashMap::new(),
        renames: Renames::default(),
        writing: writing.clone(),
        unquiet: BTreeMap::new(),
        warned: HashSet::new(),
        told,
    };
    task.open_watcher();
    let armed = Armed::default();
    let arming = armed.begin();
    let work = move || {
        task.add_tree(&root, Tell::Nothing, Some(&arming));
        drop(arming);
        task.run(&events);
    };
    let thread = std::thread::Builder::new().name("watch".into()).spawn(work).context("cannot start a thread")?;
    Ok(Watch { input, writing, armed, thread: Some(thread) })
}

impl Watch {
    /// For somebody who may know of a change that no event tells.
    pub fn trigger(&self) -> Trigger {
        Trigger(self.input.clone())
    }

    /// Which files somebody is writing.
    pub fn writing(&self) -> Writing {
        self.writing.clone()
    }

    /// Which folders are watched by now.
    pub fn armed(&self) -> Armed {
        self.armed.clone()
    }

    /// Ends the watch; the receiver of changes sees its channel close.
    ///
    /// # Errors
    /// The watch had panicked.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        let _ = self.input.send(Input::Stop);
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => anyhow::bail!("the watch panicked: please report this"),
            _ => Ok(()),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What a scan of new folders says about the files in them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tell {
    /// Each one that nobody is writing.
    Files,
    /// Nothing: everything is looked at anyway.
    Nothing,
}

/// What is said once in a daemon's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Warning {
    NoEvents,
    Limit,
    FileSystem,
}

struct Task {
    folder: Folder,
    mode: Watching,
    poll_interval: Duration,
    input: Sender<Input>,
    /// `None` where the system gives no events.
    watcher: Option<RecommendedWatcher>,
    changes: Sender<Change>,
    watched: HashSet<PathBuf>,
    polled: Polled,
    targets: Targets,
    /// By device, whether the file system keeps changes to itself.
    silent: HashMap<u64, bool>,
    root_identity: Option<(u64, u64)>,
    renames: Renames,
    writing: Writing,
    /// Files that a scan came across too soon after they changed.
    unquiet: BTreeMap<PathBuf, Instant>,
    warned: HashSet<Warning>,
    told: WatchObservers,
}

/// The receiver of changes is gone: there is nobody to work for.
struct Closed;

impl Task {
    fn run(&mut self, events: &Receiver<Input>) {
        let mut next_root = Instant::now() + ROOT_INTERVAL;
        let mut next_reconcile = Instant::now() + RECONCILE_INTERVAL;
        let mut next_poll = Instant::now() + self.poll_interval;
        loop {
            self.told.pulse.beat();
            self.told.metrics.watched(self.watched.len(), self.polled.len());
            let now = Instant::now();
            let wake = self.unquiet.values().copied().fold(next_root.min(next_reconcile), Instant::min);
            let wake = if self.polled.len() > 0 { wake.min(next_poll) } else { wake };
            let wake = self.renames.next_wake().map_or(wake, |renames| wake.min(renames));
            let done = match events.recv_timeout(wake.saturating_duration_since(now)) {
                Ok(Input::Event(event)) => self.event(event),
                Ok(Input::LookEverywhere) => self.everywhere(),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = Instant::now();
            let mut ticked = done.and_then(|()| self.look_at_halves(now)).and_then(|()| self.look_at_quiet(now));
            if now >= next_root {
                next_root = now + ROOT_INTERVAL;
                ticked = ticked.and_then(|()| self.check_root()).and_then(|()| self.look_at_unclosed(now));
            }
            if now >= next_poll {
                ticked = ticked.and_then(|()| self.poll());
                let ended = Instant::now();
                next_poll = ended + self.poll_interval.max((ended - now) * POLL_SHARE);
            }
            if now >= next_reconcile {
                next_reconcile = now + RECONCILE_INTERVAL;
                self.open_watcher();
                ticked = ticked.and_then(|()| self.everywhere());
            }
            if ticked.is_err() {
                return;
            }
        }
    }

    /// Asks the system for events, unless it gives them already. When it cannot, perhaps it can later.
    fn open_watcher(&mut self) {
        if self.watcher.is_some() || self.mode == Watching::Poll {
            return;
        }
        let sender = self.input.clone();
        // Nothing but this in the callback: it runs on notify's own thread. Our own reading makes the events that are dropped.
        let callback = move |event: notify::Result<Event>| {
            let own_reading =
                |kind| matches!(kind, EventKind::Access(AccessKind::Open(_) | AccessKind::Close(AccessMode::Read)));
            if !event.as_ref().is_ok_and(|event| own_reading(event.kind)) {
                let _ = sender.send(Input::Event(event));
            }
        };
        match notify::recommended_watcher(callback) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) if self.is_first(Warning::NoEvents) => {
                let seconds = self.poll_interval.as_secs();
                tracing::warn!(
                    %error,
                    seconds,
                    "no file events: the folder is listed at this interval; raise the limit by `sysctl \
                     fs.inotify.max_user_instances=1024`"
                );
            }
            Err(_) => {}
        }
    }

    /// Returns true the first time that it is asked about a warning.
    fn is_first(&mut self, warning: Warning) -> bool {
        self.warned.insert(warning)
    }

    fn tell(&self, change: Change) -> Result<(), Closed> {
        self.changes.send(change).map_err(|_| Closed)
    }

    fn look(&self, path: &Path) -> Result<(), Closed> {
        self.tell(Change::Look(path.to_path_buf()))
    }

    fn everywhere(&mut self) -> Result<(), Closed> {
        let root = self.folder.root().to_owned();
        self.targets.clear();
        self.add_tree(&root, Tell::Nothing, None);
        self.tell(Change::LookEverywhere)
    }

    /// After a loss, nothing is known of which folders are still watched: one may have been replaced by another of its name.
    fn everywhere_anew(&mut self) -> Result<(), Closed> {
        self.watched.clear();
        self.everywhere()
    }

    /// Watches a folder and all in it, each before it is listed, so that nothing slips in between. Gives the files that
    /// were there already and that nobody is writing. Folders come in the order of their names, as whoever follows walks over
    /// them.
    fn add_tree(&mut self, top: &Path, tell: Tell, arming: Option<&Arming>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![top.to_path_buf()];
        while let Some(folder) = folders.pop() {
            self.told.pulse.beat();
            self.watch(&folder);
            let mut within = self.add_within(&folder, tell, &mut files);
            within.sort_unstable_by(|one, other| other.cmp(one));
            folders.append(&mut within);
            if let Some(arming) = arming {
                arming.done_with(&folder);
            }
        }
        files
    }

    /// What [`Self::add_tree`] does with one folder. Gives the folders in it.
    fn add_within(&mut self, folder: &Path, tell: Tell, files: &mut Vec<PathBuf>) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        let Ok(entries) = std::fs::read_dir(folder) else { return folders };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_file() && tell == Tell::Nothing {
                continue;
            }
            let path = entry.path();
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
            if tell == Tell::Files && concerns(&self.folder, &path) {
                match until_quiet(&path) {
                    Some(wait) => drop(self.unquiet.insert(path, Instant::now() + wait)),
                    None => files.push(path),
                }
            }
        }
        folders
    }

    /// Watches a folder by events where it can, by listing where it must.
    fn watch(&mut self, folder: &Path) {
        let by_events = self.watch_by_events(folder);
        let silent = self.mode == Watching::Auto && self.keeps_silent(folder);
        if silent || (!by_events && self.mode != Watching::Events && folder.is_dir()) {
            self.polled.insert(folder);
        } else {
            self.polled.remove(folder);
        }
    }

    fn watch_by_events(&mut self, folder: &Path) -> bool {
        if self.watched.contains(folder) {
            return true;
        }
        let Some(watcher) = &mut self.watcher else { return false };
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_path_buf());
                return true;
            }
            Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
                if self.is_first(Warning::Limit) {
                    tracing::warn!(
                        folder = %folder.display(),
                        watches = self.watched.len(),
                        seconds = self.poll_interval.as_secs(),
                        "no watches left: this folder and any further one are listed at this interval; raise the limit by \
                         `sysctl fs.inotify.max_user_watches=524288`"
                    );
                }
            }
            // It may have gone again already; if it is unreadable, the scan says so.
            Err(error) => tracing::debug!(folder = %folder.display(), %error, "cannot watch a folder"),
        }
        false
    }

    /// Whether a folder lies on a file system that does not tell of everything.
    fn keeps_silent(&mut self, folder: &Path) -> bool {
        let Ok(device) = std::fs::metadata(folder).map(|metadata| metadata.dev()) else { return false };
        if let Some(known) = self.silent.get(&device) {
            return *known;
        }
        let name = poll::silent_file_system(folder);
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

    /// A link's file may be edited where it lies, and no event of the folder tells so.
    fn watch_target(&mut self, link: &Path) {
        if self.folder.format(link).is_none() {
            return;
        }
        if let Some(folder) = self.targets.insert(self.folder.root(), link) {
            self.watch(&folder);
        }
    }

    /// What was at a path is not there any more.
    fn forget(&mut self, path: &Path) {
        self.writing.closed(path);
        self.unquiet.remove(path);
        if !self.watched.contains(path) && self.polled.len() == 0 {
            return;
        }
        let gone: Vec<PathBuf> = self.watched.iter().filter(|watched| watched.starts_with(path)).cloned().collect();
        for folder in gone {
            self.watched.remove(&folder);
            if let Some(watcher) = &mut self.watcher {
                // The system may have dropped it by itself.
                let _ = watcher.unwatch(&folder);
            }
        }
        self.polled.forget(path);
        self.writing.forget(path);
        self.unquiet.retain(|file, _| !file.starts_with(path));
    }

    fn look_at_quiet(&mut self, now: Instant) -> Result<(), Closed> {
        let due: Vec<PathBuf> = self.unquiet.extract_if(.., |_, at| *at <= now).map(|(path, _)| path).collect();
        for path in due {
            // Whoever is writing it will close it.
            match self.writing.get(&path) {
                Some(writer) if writer.wrote || std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) == 0 => {
                    continue;
                }
                _ => {}
            }
            if let Some(wait) = until_quiet(&path) {
                self.unquiet.insert(path, now + wait);
                continue;
            }
            self.writing.closed(&path);
            self.look(&path)?;
        }
        Ok(())
    }

    /// Somebody keeps a file open for ever, as a log's writer does: what it says so far is better than nothing.
    fn look_at_unclosed(&mut self, now: Instant) -> Result<(), Closed> {
        let Some(then) = now.checked_sub(UNCLOSED) else { return Ok(()) };
        self.writing.take_idle_since(then).iter().try_for_each(|path| self.look(path))
    }

    /// Lists the folders that make no events.
    fn poll(&mut self) -> Result<(), Closed> {
        for difference in self.polled.differences() {
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
                    Some(wait) if concerns(&self.folder, &path) => {
                        self.unquiet.insert(path, Instant::now() + wait);
                    }
                    _ => self.look(&path)?,
                },
            }
        }
        Ok(())
    }

    /// Sees what no event tells: the folder itself is another one, or gone, or back.
    fn check_root(&mut self) -> Result<(), Closed> {
        let found = self.folder.identity();
        if found == self.root_identity {
            return Ok(());
        }
        self.root_identity = found;
        self.silent.clear();
        let root = self.folder.root().to_owned();
        self.forget(&root);
        self.everywhere()
    }
}

/// How long to wait until nothing has happened to a file for [`QUIET`]; `None` if that is so already.
fn until_quiet(file: &Path) -> Option<Duration> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let metadata = std::fs::metadata(file).ok()?;
    Stat::of(&metadata).until_quiet(i64::try_from(now.as_nanos()).ok()?, QUIET)
}
