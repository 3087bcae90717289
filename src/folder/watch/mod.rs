//! File system events -> [`Change`](crate::change::Change); the only user of `notify`. An event is only a hint where to look.
//! Reconciling the whole folder makes up for lost events: whenever events may have been lost, and once a minute. Where the kernel
//! reports no events, folders are listed periodically.
//!
//! Two cases rely on reconciling once a minute. notify's own thread could only end by a panic in the callback below, which cannot
//! panic, so it has no heartbeat. And a file found by a scan counts as complete once it has been unchanged for a second: asking the
//! kernel whether the file is open for writing (a lease) requires ownership of the file and a signal handler.

mod armed;
mod event_queue;
mod events;
mod fence;
mod links;
mod pending_renames;
mod poll;
mod quiet_files;
mod sentinel;
mod task;
mod writing;

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use anyhow::Context;

use crate::change::ChangeSender;
use crate::config::Articles;
use crate::folder::Folder;
use crate::observe::Observers;
pub use armed::Armed;
pub use fence::Fence;
pub use sentinel::{OutsideFiles, Sentinel};
pub use task::QUIET;
use task::{Input, Report, Task};
pub use writing::OpenFiles;

/// Makes a running watch reconcile the whole folder.
#[derive(Debug, Clone)]
pub struct ReconcileTrigger(Sender<Input>);

impl ReconcileTrigger {
    /// Reconciles soon. Has no effect once the watch has ended.
    pub fn reconcile(&self) {
        let _ = self.0.send(Input::Reconcile);
    }
}

/// A running watch. Dropping it stops it.
#[derive(Debug)]
pub struct Watch {
    input: Sender<Input>,
    writing: OpenFiles,
    armed: Armed,
    thread: Option<JoinHandle<()>>,
}

/// Watches a folder and its sub-folders, one after the other, and sends all changes to `changes`. Every change in a folder that is
/// [`Armed`] is reported; the receiver finds existing files by reconciling.
///
/// # Errors
/// The thread cannot be started.
pub fn start(
    folder: Folder,
    articles: &Articles,
    outside: OutsideFiles,
    changes: ChangeSender,
    observers: &Observers,
) -> anyhow::Result<Watch> {
    let (input, events) = mpsc::channel();
    let writing = OpenFiles::default();
    let root = folder.root().to_path_buf();
    let mut task = Task::new(folder, articles, outside, input.clone(), changes, writing.clone(), observers);
    task.open_watcher();
    let armed = Armed::default();
    let arming = armed.begin();
    let work = move || {
        task.add_tree(&root, Report::None, Some(&arming));
        drop(arming);
        task.run(&events);
    };
    let thread = std::thread::Builder::new().name("watch".into()).spawn(work).context("cannot start a thread")?;
    Ok(Watch { input, writing, armed, thread: Some(thread) })
}

impl Watch {
    /// Returns a handle for changes that no event reports.
    pub fn trigger(&self) -> ReconcileTrigger {
        ReconcileTrigger(self.input.clone())
    }

    /// The files that are open for writing.
    pub fn writing(&self) -> OpenFiles {
        self.writing.clone()
    }

    /// The folders that are already watched.
    pub fn armed(&self) -> Armed {
        self.armed.clone()
    }

    /// Stops the watch and closes the channel of changes.
    ///
    /// # Errors
    /// The watch has panicked.
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
