//! The backlog: articles of which only the heads were read. Their texts are read while nothing else is to be done, and at once where a
//! request waits for them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::read_pool::{self, Depth, Job, Prepared, ReadPool};
use super::{Ingest, Trigger, WriteMoment, cores};
use crate::article::Rules;
use crate::catalog::{self, Catalog, Recorded};
use crate::change::TextRequests;
use crate::folder::{Folder, SourceFormat};
use crate::model::collection::ArticleState;

/// Texts read in one transaction: few, so that changes do not wait for long.
const BATCH: usize = 32;
/// Texts read in one transaction while changes arrive.
const BUSY_BATCH: usize = 4;
/// For how long after a change another one is expected.
const BUSY: Duration = Duration::from_secs(3);
/// Maximum number of texts that are read on other cores and not recorded yet.
const MOST_AHEAD: usize = 4 * BATCH;

/// Articles whose texts are still to be read, and how far that has come.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    requests: TextRequests,
    /// Whether there may be any.
    is_open: bool,
    /// Number of the last article that was read or given to the read pool.
    last: i64,
    /// Numbers of articles in the read pool, in order.
    in_progress: VecDeque<i64>,
    pool: Option<ReadPool>,
    last_change: Option<Instant>,
    /// Whether requests have to be notified: a text was read, or `is_open` changed.
    must_notify: bool,
}

impl Backlog {
    /// The backlog of a catalog.
    pub fn of(catalog: &Catalog) -> catalog::Result<Self> {
        Ok(Self { is_open: !catalog.unread_after(0, 1)?.is_empty(), ..Self::default() })
    }

    /// Serves requests for texts from now on.
    pub fn serve(&mut self, requests: TextRequests) {
        self.requests = requests;
        self.must_notify = true;
        self.notify();
    }

    /// Whether there may be articles in it.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// An article was added.
    pub fn open(&mut self) {
        self.must_notify |= !self.is_open;
        self.is_open = true;
    }

    /// A change arrived: others may follow soon.
    pub fn note_change(&mut self, now: Instant) {
        self.last_change = Some(now);
    }

    /// Wakes the requests whose texts were read. To be called after the transaction, since they read the catalog then.
    pub fn notify(&mut self) {
        if std::mem::take(&mut self.must_notify) {
            self.requests.set_open(self.is_open);
            self.requests.done();
        }
    }

    fn batch_size(&self, now: Instant) -> usize {
        let is_busy = self.last_change.is_some_and(|last| now.duration_since(last) < BUSY);
        if is_busy { BUSY_BATCH } else { BATCH }
    }

    /// Gives the next articles to the read pool.
    fn fill_pool(&mut self, catalog: &Catalog, folder: &Folder, rules: Rules, size_limit: u64) -> catalog::Result<()> {
        // One core is left for everything else.
        let threads = cores().saturating_sub(1).max(1);
        let pool = self.pool.get_or_insert_with(|| ReadPool::new(threads, rules, size_limit));
        while self.in_progress.len() < MOST_AHEAD && pool.has_room() {
            let numbers = catalog.unread_after(self.last, read_pool::BATCH)?;
            let Some(last) = numbers.last() else { break };
            self.last = *last;
            let mut jobs = Vec::with_capacity(numbers.len());
            for number in numbers {
                let Some(path) = catalog.unread_path(number)? else { continue };
                let file = folder.root().join(&path);
                let size = folder.stat(&path).map_or(0, |stat| stat.size);
                let format = folder.format(&file).unwrap_or(SourceFormat::Text);
                jobs.push(Job { file, path, format, depth: Depth::Whole, size, last_hash: None });
                self.in_progress.push_back(number);
            }
            pool.submit(jobs);
        }
        Ok(())
    }

    /// The next article of the read pool, and its file if a thread has read it.
    fn next(&mut self) -> Option<(i64, Option<Prepared>)> {
        let number = self.in_progress.pop_front()?;
        Some((number, self.pool.as_mut().and_then(ReadPool::next)))
    }

    /// Closes the backlog if no article is left.
    fn close_if_empty(&mut self, catalog: &Catalog) -> catalog::Result<()> {
        if self.in_progress.is_empty() && catalog.unread_after(self.last, 1)?.is_empty() {
            tracing::debug!("the backlog is empty: all texts have been read");
            (self.is_open, self.last, self.pool) = (false, 0, None);
            self.must_notify = true;
        }
        Ok(())
    }
}

impl Ingest {
    /// Wakes the requests whose texts were read. To be called after the transaction, since they read the catalog then.
    pub fn notify_requests(&mut self) {
        self.backlog.notify();
    }

    /// Returns whether there may be articles whose texts have not been read.
    pub fn has_unread(&self) -> bool {
        self.backlog.is_open()
    }

    /// Reads the texts that requests wait for, or the next few. Returns whether something that is served has changed.
    pub(super) fn read_backlog(&mut self, catalog: &mut Catalog, moment: WriteMoment) -> catalog::Result<bool> {
        if !self.backlog.is_open {
            return Ok(false);
        }
        let mut changed = false;
        let requested = self.backlog.requests.take(BATCH);
        if !requested.is_empty() {
            for number in requested {
                changed |= self.read_text(catalog, number, None, moment)?;
            }
            self.backlog.must_notify = true;
            return Ok(changed);
        }
        self.backlog.fill_pool(catalog, &self.folder, self.rules, self.size_limit)?;
        for _ in 0..self.backlog.batch_size(moment.instant) {
            let Some((number, prepared)) = self.backlog.next() else { break };
            changed |= self.read_text(catalog, number, prepared, moment)?;
        }
        self.backlog.close_if_empty(catalog)?;
        Ok(changed)
    }

    /// Reads the texts of articles that are to be shown now. An article whose text cannot be read yet is held back until it can: no
    /// reader has seen it.
    pub fn read_texts(&mut self, catalog: &mut Catalog, numbers: &[i64], moment: WriteMoment) -> catalog::Result<()> {
        for number in numbers {
            self.read_text(catalog, *number, None, moment)?;
            if let Some(path) = catalog.unread_path(*number)? {
                catalog.withdraw(&path, ArticleState::Held, moment.version)?;
            }
        }
        Ok(())
    }

    fn read_text(
        &mut self,
        catalog: &mut Catalog,
        number: i64,
        prepared: Option<Prepared>,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let Some(path) = catalog.unread_path(number)? else { return Ok(false) };
        let file = self.folder.root().join(&path);
        let mut changed = self.process_file(catalog, &file, prepared, Trigger::Scan, moment)?;
        if let Some(path) = catalog.unread_path(number)? {
            // A file that is missing or being written is processed again; any other is no article.
            let is_awaited = self.deletions.is_missing(&path) || self.schedule.has(&path) || self.open_files.has(&file);
            if !is_awaited {
                changed |= catalog.withdraw(&path, ArticleState::Held, moment.version)? == Recorded::Changed;
            }
        }
        Ok(changed)
    }
}
