//! The backlog: articles of which only the heads were read. Their texts are read while nothing else is to be done, and at once where a
//! request waits for them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::read_pool::{self, Depth, Job, Prepared, ReadPool, cores};
use super::reading_supervisor::ReadingSupervisor;
use crate::catalog::{self, Catalog};
use crate::change::TextRequests;
use crate::folder::{Folder, SourceFormat};

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
    /// Whether some were left for later when it was closed, and have perhaps not been read since.
    has_rest: bool,
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

    /// Whether the text of any article may be unread.
    pub fn has_unread(&mut self, catalog: &Catalog) -> catalog::Result<bool> {
        self.has_rest = self.has_rest && !catalog.unread_after(0, 1)?.is_empty();
        Ok(self.is_open || self.has_rest)
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

    /// Numbers of articles whose texts requests wait for.
    pub fn take_requests(&self) -> Vec<i64> {
        self.requests.take(BATCH)
    }

    /// Texts that requests wait for were read.
    pub fn served_requests(&mut self) {
        self.must_notify = true;
    }

    /// Wakes the requests whose texts were read. To be called after the transaction, since they read the catalog then.
    pub fn notify(&mut self) {
        if std::mem::take(&mut self.must_notify) {
            self.requests.set_open(self.is_open);
            self.requests.done();
        }
    }

    pub fn batch_size(&self, now: Instant) -> usize {
        let is_busy = self.last_change.is_some_and(|last| now.duration_since(last) < BUSY);
        if is_busy { BUSY_BATCH } else { BATCH }
    }

    /// Gives the next articles to the read pool.
    pub fn fill_pool(
        &mut self,
        catalog: &Catalog,
        folder: &Folder,
        supervisor: &ReadingSupervisor,
    ) -> catalog::Result<()> {
        // One core is left for everything else.
        let threads = cores().saturating_sub(1).max(1);
        let pool = self.pool.get_or_insert_with(|| ReadPool::new(threads, supervisor));
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
                jobs.push(Job { path, format, depth: Depth::Whole, size, last_hash: None });
                self.in_progress.push_back(number);
            }
            pool.submit(jobs);
        }
        Ok(())
    }

    /// The next article of the read pool, and its file if a thread has read it.
    pub fn next(&mut self) -> Option<(i64, Option<Prepared>)> {
        let number = self.in_progress.pop_front()?;
        Some((number, self.pool.as_mut().and_then(ReadPool::next)))
    }

    /// Closes the backlog if no article is left.
    pub fn close_if_empty(&mut self, catalog: &Catalog) -> catalog::Result<()> {
        if self.in_progress.is_empty() && catalog.unread_after(self.last, 1)?.is_empty() {
            self.has_rest = !catalog.unread_after(0, 1)?.is_empty();
            tracing::debug!("the backlog is empty: all texts have been read");
            (self.is_open, self.last, self.pool) = (false, 0, None);
            self.must_notify = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::catalog::FILE;
    use crate::publish::ingest::content::tests::Site;

    #[test]
    fn a_text_that_is_read_after_all_others_ends_the_queries_for_it() {
        let mut site = Site::new();
        site.write("a.md", "# A\n\nText");
        let connection = rusqlite::Connection::open(site.state().join(FILE)).unwrap();
        let set_unread = |is_unread: bool| {
            connection.execute("UPDATE article SET stale = ?1", [if is_unread { 3 } else { 0 }]).unwrap();
        };
        let catalog = Catalog::open(site.state(), Some("x.example"), DateTime::UNIX_EPOCH).unwrap();
        set_unread(true);
        let mut backlog = Backlog::of(&catalog).unwrap();
        // Its file is missing or being written: it is left for later.
        backlog.last = 1_000;
        backlog.close_if_empty(&catalog).unwrap();
        assert!(!backlog.is_open() && backlog.has_unread(&catalog).unwrap());
        set_unread(false);
        assert!(!backlog.has_unread(&catalog).unwrap());
        set_unread(true);
        assert!(!backlog.has_unread(&catalog).unwrap(), "the catalog is not read any more");
    }
}
