//! File system events -> [`Change`]. Nobody else knows `notify`. An event only says where to look; a lost one is made good by
//! looking everywhere, which happens after every doubt and once a minute.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::change::Change;
use crate::folder::Folder;

/// How often the folder itself is checked: no event tells that it was renamed, mounted over or replaced.
const ROOT_INTERVAL: Duration = Duration::from_secs(1);
/// How often everything is compared although no event was lost that we know of.
const RECONCILE_INTERVAL: Duration = Duration::from_mins(1);
/// The same where the system gives no events at all.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// A file that a scan came across is left alone until nothing has happened to it for this long.
pub const QUIET: Duration = Duration::from_secs(1);
/// A file that nobody closes is looked at when nothing was written to it for this long.
const UNCLOSED: Duration = Duration::from_secs(30);
/// How long after a folder was renamed events may still tell its old name.
const STALE_NAMES: Duration = Duration::from_secs(1);
/// Renames of which only the first half was seen are forgotten beyond this number.
const MOST_HALF_RENAMES: usize = 10_000;

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

/// A running watch. Dropping it stops it.
#[derive(Debug)]
pub struct Watch {
    input: Sender<Input>,
    thread: Option<JoinHandle<()>>,
}

/// Arms the watches of a folder, then tells `changes` whatever happens in it. Everything that happens after this returns
/// is told; what is there already is for the receiver to find by looking everywhere.
///
/// # Errors
/// The thread cannot be started.
pub fn start(folder: Folder, changes: Sender<Change>) -> anyhow::Result<Watch> {
    let (input, events) = mpsc::channel();
    let sender = input.clone();
    // Nothing but this in the callback: it runs on notify's own thread. Our own reading makes the events that are dropped.
    let callback = move |event: notify::Result<Event>| {
        let own_reading =
            |kind| matches!(kind, EventKind::Access(AccessKind::Open(_) | AccessKind::Close(AccessMode::Read)));
        if !event.as_ref().is_ok_and(|event| own_reading(event.kind)) {
            let _ = sender.send(Input::Event(event));
        }
    };
    let watcher = match notify::recommended_watcher(callback) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            let seconds = POLL_INTERVAL.as_secs();
            tracing::warn!(
                "the system gives no file events ({error}): the folder is scanned every {seconds} s instead; see fs.inotify.max_user_instances"
            );
            None
        }
    };
    let root = folder.root().to_path_buf();
    let mut task = Task {
        root_identity: folder.identity(),
        folder,
        watcher,
        changes,
        watched: HashSet::new(),
        half_renames: HashMap::new(),
        moved_folders: Vec::new(),
        writing: HashMap::new(),
        unquiet: BTreeMap::new(),
        warned_of_limit: false,
    };
    task.add_tree(&root, Tell::Nothing);
    let thread = std::thread::Builder::new()
        .name("watch".into())
        .spawn(move || task.run(&events))
        .context("cannot start a thread")?;
    Ok(Watch { input, thread: Some(thread) })
}

impl Watch {
    /// For somebody who may know of a change that no event tells.
    pub fn trigger(&self) -> Trigger {
        Trigger(self.input.clone())
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

struct Task {
    folder: Folder,
    watcher: Option<RecommendedWatcher>,
    changes: Sender<Change>,
    watched: HashSet<PathBuf>,
    root_identity: Option<(u64, u64)>,
    /// Old names by the cookie that the new name will carry, and whether it was a folder that was watched.
    half_renames: HashMap<usize, (PathBuf, bool)>,
    /// Folders that were renamed a moment ago: from, to, when.
    moved_folders: Vec<(PathBuf, PathBuf, Instant)>,
    /// Files that are open for writing, as far as events tell, and when they were last written to.
    writing: HashMap<PathBuf, Instant>,
    /// Files that a scan came across too soon after they changed.
    unquiet: BTreeMap<PathBuf, Instant>,
    warned_of_limit: bool,
}

/// The receiver of changes is gone: there is nobody to work for.
struct Closed;

impl Task {
    fn run(&mut self, events: &Receiver<Input>) {
        let mut next_root = Instant::now() + ROOT_INTERVAL;
        let mut next_reconcile = Instant::now() + self.reconcile_interval();
        loop {
            let now = Instant::now();
            let wake = self.unquiet.values().copied().fold(next_root.min(next_reconcile), Instant::min);
            let done = match events.recv_timeout(wake.saturating_duration_since(now)) {
                Ok(Input::Event(event)) => self.event(event),
                Ok(Input::LookEverywhere) => self.everywhere(),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = Instant::now();
            let mut ticked = done.and_then(|()| self.look_at_quiet(now));
            if now >= next_root {
                next_root = now + ROOT_INTERVAL;
                ticked = ticked.and_then(|()| self.check_root()).and_then(|()| self.look_at_unclosed(now));
            }
            if now >= next_reconcile {
                next_reconcile = now + self.reconcile_interval();
                ticked = ticked.and_then(|()| self.everywhere());
            }
            if ticked.is_err() {
                return;
            }
        }
    }

    fn reconcile_interval(&self) -> Duration {
        if self.watcher.is_some() { RECONCILE_INTERVAL } else { POLL_INTERVAL }
    }

    fn tell(&self, change: Change) -> Result<(), Closed> {
        self.changes.send(change).map_err(|_| Closed)
    }

    fn look(&self, path: &Path) -> Result<(), Closed> {
        self.tell(Change::Look(path.to_path_buf()))
    }

    fn everywhere(&mut self) -> Result<(), Closed> {
        let root = self.folder.root().to_owned();
        self.add_tree(&root, Tell::Nothing);
        self.tell(Change::LookEverywhere { writing: self.writing.keys().cloned().collect() })
    }

    /// After a loss, nothing is known of which folders are still watched: one may have been replaced by another of its name.
    fn everywhere_anew(&mut self) -> Result<(), Closed> {
        self.watched.clear();
        self.everywhere()
    }

    fn event(&mut self, event: notify::Result<Event>) -> Result<(), Closed> {
        let event = match event {
            Ok(event) if event.need_rescan() => {
                tracing::info!("file events were lost: comparing the whole folder");
                return self.everywhere_anew();
            }
            Ok(event) => event,
            Err(error) => {
                tracing::warn!("watching the folder: {error}; comparing all of it");
                return self.everywhere_anew();
            }
        };
        // A mounted Kubernetes ConfigMap is replaced by way of this name.
        if event.paths.iter().any(|path| path.file_name().is_some_and(|name| name == "..data")) {
            return self.everywhere();
        }
        let Some(path) = event.paths.last().map(|path| self.present_name(path)) else { return Ok(()) };
        let path = &path;
        if path == self.folder.root() {
            // Renamed or removed, and perhaps back before anybody looks: what is watched now is not to be trusted.
            if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
                self.root_identity = None;
            }
            return Ok(());
        }
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                self.writing.remove(path);
                self.unquiet.remove(path);
                self.look(path)
            }
            EventKind::Create(CreateKind::Folder) => self.folder_appeared(path, None),
            EventKind::Create(_) => self.file_created(path),
            EventKind::Modify(ModifyKind::Data(_)) => {
                self.writing.insert(path.clone(), Instant::now());
                Ok(())
            }
            // A file may have become readable; one that is being written will be closed.
            EventKind::Modify(ModifyKind::Metadata(_)) if !self.writing.contains_key(path) => self.look(path),
            EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
                if let Some(cookie) = event.attrs.tracker() {
                    if self.half_renames.len() >= MOST_HALF_RENAMES {
                        self.half_renames.clear();
                    }
                    self.half_renames.insert(cookie, (path.clone(), self.watched.contains(path)));
                }
                self.forget(path);
                self.look(path)
            }
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                let from = event.attrs.tracker().and_then(|cookie| self.half_renames.remove(&cookie));
                self.renamed_to(path, from)
            }
            EventKind::Remove(_) => {
                self.forget(path);
                self.look(path)
            }
            _ => Ok(()),
        }
    }

    /// Where a path is now that an event told. A watch goes along with its folder when that is renamed, and tells what
    /// happens in it under the old name until the watch itself is replaced.
    fn present_name(&mut self, path: &Path) -> PathBuf {
        let now = Instant::now();
        self.moved_folders.retain(|(_, _, at)| now.duration_since(*at) < STALE_NAMES);
        let mut path = path.to_path_buf();
        for (from, to, _) in &self.moved_folders {
            // Of the folder itself only its going is told under the old name, and that is true.
            if let Ok(rest) = path.strip_prefix(from)
                && !rest.as_os_str().is_empty()
                && matches!(from.try_exists(), Ok(false))
            {
                path = to.join(rest);
            }
        }
        path
    }

    /// A new name for a file that is already whole (a link) is looked at; any other file will be closed by its writer.
    fn file_created(&mut self, path: &Path) -> Result<(), Closed> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() || metadata.nlink() > 1 => self.look(path),
            Ok(metadata) if metadata.is_file() => {
                self.writing.insert(path.to_path_buf(), Instant::now());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn renamed_to(&mut self, path: &Path, from: Option<(PathBuf, bool)>) -> Result<(), Closed> {
        let (from, was_folder) = from.map_or((None, false), |(from, was_folder)| (Some(from), was_folder));
        if was_folder || std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            return self.folder_appeared(path, from);
        }
        if let Some(from) = from {
            self.tell(Change::Moved { from, to: path.to_path_buf() })?;
        }
        self.look(path)
    }

    fn folder_appeared(&mut self, path: &Path, from: Option<PathBuf>) -> Result<(), Closed> {
        if let Some(from) = from {
            self.moved_folders.push((from.clone(), path.to_path_buf(), Instant::now()));
            self.tell(Change::Moved { from, to: path.to_path_buf() })?;
        }
        if self.folder.enters(path) {
            for file in self.add_tree(path, Tell::Files) {
                self.look(&file)?;
            }
        }
        Ok(())
    }

    /// Watches a folder and all in it, each before it is listed, so that nothing slips in between. Gives the files that
    /// were there already and that nobody is writing.
    fn add_tree(&mut self, top: &Path, tell: Tell) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![top.to_path_buf()];
        while let Some(folder) = folders.pop() {
            self.watch(&folder);
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && self.folder.enters(&path) => folders.push(path),
                    Ok(kind) if kind.is_dir() => {}
                    _ if tell == Tell::Nothing || self.folder.format(&path).is_none() => {}
                    _ => match std::fs::metadata(&path).ok().and_then(|metadata| until_quiet(&metadata)) {
                        Some(wait) => drop(self.unquiet.insert(path, Instant::now() + wait)),
                        None => files.push(path),
                    },
                }
            }
        }
        files
    }

    fn watch(&mut self, folder: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        if self.watched.contains(folder) {
            return;
        }
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => drop(self.watched.insert(folder.to_path_buf())),
            Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
                if !self.warned_of_limit {
                    self.warned_of_limit = true;
                    let seconds = RECONCILE_INTERVAL.as_secs();
                    tracing::warn!(
                        "{}: the system allows no more watches: changes there are seen within {seconds} s; raise it by `sysctl fs.inotify.max_user_watches=524288`",
                        folder.display()
                    );
                }
            }
            // It may have gone again already; if it is unreadable, the scan says so.
            Err(error) => tracing::debug!("{}: cannot be watched: {error}", folder.display()),
        }
    }

    /// What was at a path is not there any more.
    fn forget(&mut self, path: &Path) {
        self.writing.remove(path);
        self.unquiet.remove(path);
        if !self.watched.contains(path) {
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
        self.writing.retain(|file, _| !file.starts_with(path));
        self.unquiet.retain(|file, _| !file.starts_with(path));
    }

    fn look_at_quiet(&mut self, now: Instant) -> Result<(), Closed> {
        let due: Vec<PathBuf> =
            self.unquiet.iter().filter(|(_, at)| **at <= now).map(|(path, _)| path.clone()).collect();
        for path in due {
            self.unquiet.remove(&path);
            // Whoever is writing it will close it.
            if self.writing.contains_key(&path) {
                continue;
            }
            match std::fs::metadata(&path).ok().and_then(|metadata| until_quiet(&metadata)) {
                Some(wait) => drop(self.unquiet.insert(path, now + wait)),
                None => self.look(&path)?,
            }
        }
        Ok(())
    }

    /// Somebody keeps a file open for ever, as a log's writer does: what it says so far is better than nothing.
    fn look_at_unclosed(&mut self, now: Instant) -> Result<(), Closed> {
        let due: Vec<PathBuf> = self
            .writing
            .iter()
            .filter(|(_, last)| now.duration_since(**last) >= UNCLOSED)
            .map(|(path, _)| path.clone())
            .collect();
        for path in due {
            self.writing.remove(&path);
            self.look(&path)?;
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
        let root = self.folder.root().to_owned();
        self.forget(&root);
        self.everywhere()
    }
}

/// How long to wait until nothing has happened to a file for [`QUIET`]; `None` if that is so already. A time that lies
/// ahead of the clock says nothing.
fn until_quiet(metadata: &Metadata) -> Option<Duration> {
    let changed = SystemTime::UNIX_EPOCH
        + Duration::new(u64::try_from(metadata.ctime()).ok()?, u32::try_from(metadata.ctime_nsec()).ok()?);
    let age = SystemTime::now().duration_since(changed.max(metadata.modified().ok()?)).ok()?;
    QUIET.checked_sub(age).filter(|wait| !wait.is_zero())
}
