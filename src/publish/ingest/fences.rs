//! Fences: delay a decision until every hint of an earlier event has been processed.
//!
//! Hints arrive late: the folder may be several steps ahead of them, and a file may be another article than the hints so far imply. So
//! each decision that a pending rename could change waits for a fence.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::step::{Queue, Trigger};
use crate::folder::Stat;
use crate::folder::watch::Fence;

/// Longest wait for a fence. The watch reports a fence even when events were lost, so this applies only to faults of the system.
const FENCE_TIMEOUT: Duration = Duration::from_mins(1);
/// Maximum number of files that wait for a fence. A comparison of the whole folder finds the others.
const MAX_DEFERRED: usize = 100_000;

/// A file whose article cannot be determined yet.
#[derive(Debug)]
struct Deferred {
    /// Identifies the file that was seen.
    stat: Stat,
    trigger: Trigger,
    /// The fence that it waits for.
    fence: u64,
}

/// Numbered fences, and the files and deletions that wait for them. At most one fence is outstanding.
#[derive(Debug, Default)]
pub(super) struct Fences {
    fence: Fence,
    /// The fence that was raised but not reported yet, and when it was raised.
    outstanding: Option<(u64, Instant)>,
    passed: u64,
    /// The highest number for which a file or a deletion waits.
    highest_awaited: u64,
    deferred: BTreeMap<PathBuf, Deferred>,
    /// Of `deferred`, those that are being decided, in this order: it takes several steps if there are many.
    round: VecDeque<PathBuf>,
    /// Whether files were not added to `deferred` because it was full.
    has_overflowed: bool,
    /// The fence before which renames are not followed, because hints were lost.
    lossy_until: Option<u64>,
    /// The fence that deletions wait for, and since when.
    deletions: Option<(u64, Instant)>,
}

impl Fences {
    pub fn new(fence: Fence) -> Self {
        Self { fence, ..Self::default() }
    }

    /// Whether raised fences are reported. If not, callers must not wait for one.
    pub fn are_available(&self) -> bool {
        self.fence.is_armed()
    }

    /// The number of the first fence raised after `now`; `None` without fences.
    pub fn next(&mut self, now: Instant) -> Option<u64> {
        let next = match self.outstanding {
            Some((number, _)) => number + 1,
            None => self.raise(now)?,
        };
        self.highest_awaited = self.highest_awaited.max(next);
        Some(next)
    }

    fn raise(&mut self, now: Instant) -> Option<u64> {
        let number = self.passed + 1;
        self.fence.raise().then(|| {
            self.outstanding = Some((number, now));
            number
        })
    }

    /// Records that the outstanding fence was reported.
    pub fn pass(&mut self, now: Instant) {
        let Some((number, _)) = self.outstanding.take() else { return };
        self.passed = number;
        if self.highest_awaited > self.passed && self.raise(now).is_none() {
            self.passed = self.highest_awaited;
        }
    }

    pub fn has_passed(&self, fence: u64) -> bool {
        fence <= self.passed
    }

    /// Gives up a fence that should have been reported.
    pub fn time_out(&mut self, now: Instant) {
        if self.outstanding.is_some_and(|(_, at)| at + FENCE_TIMEOUT <= now) {
            tracing::debug!("a fence was not reported; its event may have been lost");
            self.pass(now);
        }
    }

    /// Postpones the decision which article a file is until all pending hints have been processed. Returns false without fences.
    pub fn defer(&mut self, path: &Path, stat: Stat, trigger: Trigger, now: Instant) -> bool {
        let Some(fence) = self.next(now) else { return false };
        if self.deferred.len() >= MAX_DEFERRED && !self.deferred.contains_key(path) {
            self.has_overflowed = true;
            return true;
        }
        self.deferred.insert(path.to_path_buf(), Deferred { stat: stat.file_only(), trigger, fence });
        true
    }

    /// Postpones the files at and below a renamed path again, because they were seen before the rename.
    pub fn defer_again(&mut self, path: &Path, now: Instant) {
        // Paths are ordered by their components, so that those below a path follow it.
        let range = (Bound::Included(path), Bound::Unbounded);
        if self.deferred.range::<Path, _>(range).next().is_none_or(|(deferred, _)| !deferred.starts_with(path)) {
            return;
        }
        if let Some(fence) = self.next(now) {
            let affected = self.deferred.range_mut::<Path, _>(range);
            let affected = affected.take_while(|(deferred, _)| deferred.starts_with(path));
            affected.for_each(|(_, deferred)| deferred.fence = fence);
        }
    }

    /// Records that hints were lost, perhaps that of the outstanding fence as well.
    pub fn lose_hints(&mut self, now: Instant) {
        self.pass(now);
        self.deletions = None;
        // The hint of an earlier fence may still arrive, in place of the next one.
        self.lossy_until = self.next(now).map(|next| next + 1);
        self.highest_awaited = self.highest_awaited.max(self.lossy_until.unwrap_or(0));
    }

    /// Whether hints were lost, so that the order of renames is unknown.
    pub fn has_lost_hints(&self) -> bool {
        self.lossy_until.is_some()
    }

    /// Returns whether a loss of hints has ended since the last call, so that the whole folder must be compared.
    pub fn end_loss(&mut self) -> bool {
        let has_ended = self.lossy_until.is_some_and(|fence| self.has_passed(fence));
        if has_ended {
            self.lossy_until = None;
        }
        let is_drained = self.has_overflowed && self.deferred.is_empty();
        if is_drained {
            self.has_overflowed = false;
        }
        has_ended || is_drained
    }

    /// Begins another round of decisions if the last one has ended: returns the files whose article can be determined now, ordered by path.
    pub fn begin_round(&self) -> Vec<(PathBuf, Stat)> {
        if !self.round.is_empty() {
            return Vec::new();
        }
        let ready = self.deferred.iter().filter(|(_, deferred)| self.has_passed(deferred.fence));
        ready.map(|(path, deferred)| (path.clone(), deferred.stat)).collect()
    }

    /// Sets the order in which the files of this round are decided.
    pub fn set_round(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        self.round = paths.into_iter().collect();
    }

    /// Removes and returns the next file of this round. One that has to wait again since is left to a later round.
    pub fn take_next(&mut self) -> Option<(PathBuf, Stat, Trigger)> {
        while let Some(path) = self.round.pop_front() {
            if self.deferred.get(&path).is_some_and(|deferred| self.has_passed(deferred.fence)) {
                let deferred = self.deferred.remove(&path)?;
                return Some((path, deferred.stat, deferred.trigger));
            }
        }
        None
    }

    /// Whether files wait.
    pub fn has_deferred(&self) -> bool {
        !self.deferred.is_empty()
    }

    /// Whether the file at a path waits.
    pub fn is_deferred(&self, path: &Path) -> bool {
        self.deferred.contains_key(path)
    }

    /// Identifies the files that wait.
    pub fn deferred_files(&self) -> impl Iterator<Item = Stat> {
        self.deferred.values().map(|deferred| deferred.stat)
    }

    /// Time until the next file can be decided.
    pub fn until_next_wake(&self, now: Instant) -> Option<Duration> {
        if self.deferred.values().any(|deferred| self.has_passed(deferred.fence)) {
            return Some(Duration::ZERO);
        }
        self.outstanding.map(|(_, at)| (at + FENCE_TIMEOUT).saturating_duration_since(now))
    }

    /// Whether deletions wait for a fence.
    pub fn holds_deletions(&self) -> bool {
        self.deletions.is_some_and(|(fence, _)| !self.has_passed(fence))
    }

    /// Returns when the fence was raised that deletions have waited for: deletions that were due by then may be carried out. `None`
    /// while pending hints may still report where a missing file is.
    pub fn deletable_since(&mut self, is_any_due: bool, queue: Queue, now: Instant) -> Option<Instant> {
        if !is_any_due {
            self.deletions = None;
            return None;
        }
        if let Some((fence, since)) = self.deletions {
            let has_passed = self.has_passed(fence);
            self.deletions = self.deletions.filter(|_| !has_passed);
            return has_passed.then_some(since);
        }
        match self.next(now) {
            Some(fence) => {
                self.deletions = Some((fence, now));
                None
            }
            None => (queue == Queue::Empty).then_some(now),
        }
    }
}
