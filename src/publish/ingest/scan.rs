//! The files that the last scan found to be read, and how far that has come.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use super::read_pool::{self, Depth, FoundFile, Job, Prepared, ReadPool, cores};
use super::reading_supervisor::ReadingSupervisor;
use super::step::Trigger;

/// From this number of files on, the first scan reads only heads, and texts come later.
pub const HURRY_FROM: usize = 200;

/// The files that the last scan found to be read, and how far that has come.
#[derive(Debug)]
pub(super) struct Scan {
    files: VecDeque<FoundFile>,
    /// Number of files that the scan found.
    all: usize,
    trigger: Trigger,
    /// Of a new file, the head may be enough for now.
    depth: Depth,
    /// Reads the first of `files`; the number of files in it says how many.
    pool: Option<ReadPool>,
    /// Trigger of the files of the next scan.
    next_trigger: Trigger,
    /// Folders whose feeds are recorded.
    folders: HashSet<PathBuf>,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            files: VecDeque::new(),
            all: 0,
            trigger: Trigger::FirstScan,
            depth: Depth::Whole,
            pool: None,
            next_trigger: Trigger::FirstScan,
            folders: HashSet::new(),
        }
    }
}

impl Scan {
    /// Number of files that are still to be read.
    pub fn left(&self) -> usize {
        self.files.len()
    }

    /// Number of files that were read, and of all that the scan found; `None` unless there are many.
    pub fn progress(&self) -> Option<(usize, usize)> {
        (!self.files.is_empty() && self.all >= HURRY_FROM).then_some((self.all - self.files.len(), self.all))
    }

    /// Trigger of the files of this scan.
    pub fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// Adds a folder. Returns whether it is new.
    pub fn add_folder(&mut self, folder: &Path) -> bool {
        self.folders.insert(folder.to_path_buf())
    }

    /// A new scan found these files. `may_hurry`: of many files, the heads may be read first.
    pub fn begin(&mut self, files: Vec<FoundFile>, may_hurry: bool) {
        self.trigger = std::mem::replace(&mut self.next_trigger, Trigger::Scan);
        let is_hurried = may_hurry && self.trigger == Trigger::FirstScan && files.len() >= HURRY_FROM;
        self.depth = if is_hurried { Depth::Head } else { Depth::Whole };
        (self.all, self.files, self.pool) = (files.len(), files.into(), None);
    }

    /// The next file, and its content if a thread has read it. Gives the files after it to the read pool.
    pub fn next(&mut self, supervisor: &ReadingSupervisor) -> Option<(FoundFile, Option<Prepared>)> {
        if self.files.len() > 1 && self.pool.is_none() {
            self.pool = Some(ReadPool::new(cores(), supervisor));
        }
        let prepared = self.pool.as_mut().and_then(|pool| {
            while pool.has_room() {
                let next = self.files.iter().skip(pool.len()).take(read_pool::BATCH);
                let jobs: Vec<Job> = next.map(|next| Job::of(next, self.depth)).collect();
                if jobs.is_empty() {
                    break;
                }
                pool.submit(jobs);
            }
            pool.next()
        });
        Some((self.files.pop_front()?, prepared))
    }

    /// All files have been read: ends the threads.
    pub fn end(&mut self) {
        self.pool = None;
    }
}
