//! The publisher as one of several nodes: it follows the log, and leaves changes that all nodes hear of to the node that was first last.

use std::time::{Duration, Instant};

use chrono::Utc;
use uuid::Uuid;

use super::{Ending, Publisher, last_version, pending_version};
use crate::catalog::{self, CatalogError, CatchUp};
use crate::change::Change;
use crate::model::moment::Moment;
use crate::publish::ingest::Queue;
use crate::replicas::LogProgress;

/// How long a node that did not create the last record leaves its own work to the node that did, at least. All nodes may have heard of
/// the same change.
const LEAVE: Duration = Duration::from_millis(150);
/// The longest random addition to that.
const SPREAD_MILLISECONDS: u128 = 200;

/// How long the node that recorded a change has time to publish it. Versions are a second apart.
const TAKEOVER: Duration = Duration::from_secs(2);

/// Pause before the log is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What this node does beside the other ones.
#[derive(Debug)]
pub(super) struct Follower {
    progress: LogProgress,
    /// Hints that wait for the node that was first last.
    held: Vec<Change>,
    /// When this node does its own work; `None` without any.
    act_at: Option<Instant>,
    /// Why the log cannot be used.
    trouble: Option<String>,
    retry_at: Instant,
    /// When this node publishes what another has recorded and not published.
    takeover_at: Option<Instant>,
}

impl Follower {
    pub fn new(progress: LogProgress) -> Self {
        let now = Instant::now();
        Self { progress, held: Vec::new(), act_at: None, trouble: None, retry_at: now, takeover_at: None }
    }

    /// Adds hints to those that wait. Returns all of them if it is time.
    pub fn hold(&mut self, hints: Vec<Change>, is_time: bool) -> Vec<Change> {
        self.held.extend(hints);
        if is_time { std::mem::take(&mut self.held) } else { Vec::new() }
    }

    pub fn holds_hints(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether the log cannot be used.
    pub fn is_in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Returns whether this node may do its own work. `is_first`: it created the last record.
    fn may_act(&mut self, has_work: bool, is_first: bool, now: Instant) -> bool {
        if is_first || !has_work {
            self.act_at = None;
            return true;
        }
        let spread = Uuid::new_v4().as_u128() % SPREAD_MILLISECONDS;
        let wait = LEAVE + Duration::from_millis(u64::try_from(spread).unwrap_or(0));
        now >= *self.act_at.get_or_insert(now + wait)
    }

    /// Time until this node has something to do because of the others.
    pub fn until_next_wake(&self, now: Instant) -> Option<Duration> {
        let retry = self.trouble.as_ref().map(|_| self.retry_at);
        let next = [retry, self.act_at, self.takeover_at].into_iter().flatten().min();
        next.map(|at| at.saturating_duration_since(now))
    }
}

impl Publisher {
    /// Whether this node may do its own work now.
    pub(super) fn may_act(&mut self) -> bool {
        if !self.catalog.is_replicated() {
            return true;
        }
        let now = Instant::now();
        let is_due = self.next_due.is_some_and(|due| due <= Utc::now());
        let has_work = self.follower.holds_hints()
            || is_due
            || self.ingest.until_next_wake(now).is_some_and(|wait| wait.is_zero())
            || self.until_comparison().is_some_and(|wait| wait.is_zero())
            || (self.dirty && self.until_next_version().is_zero());
        let is_first = self.catalog.has_created_last_record();
        self.follower.may_act(has_work, is_first, now)
    }

    /// Applies the records that other nodes have created, and serves the version that they have published. Returns whether the catalog
    /// has to be installed again.
    pub(super) fn follow_log(&mut self) -> catalog::Result<Option<Ending>> {
        let begun = Instant::now();
        let CatchUp::Applied(count) = self.catalog.catch_up()? else { return Ok(Some(Ending::NeedsBase)) };
        self.note_progress();
        self.catalog.write_base_if_due(&self.state, false)?;
        if count == 0 {
            return Ok(None);
        }
        let (published, promised) = (last_version(&self.catalog)?, pending_version(&self.catalog)?);
        self.pending_version = self.pending_version.max(promised);
        if published > self.version {
            let moment = Moment::of(published);
            // Another node may make other bytes of the same rows.
            if !self.builder.resume(&mut self.catalog, moment)? {
                self.builder.publish(&mut self.catalog, moment)?;
            }
            let is_dirty = self.dirty && self.pending_version > published;
            self.note_published(moment, begun)?;
            self.dirty = is_dirty;
            self.unfinished = true;
        }
        let awaits = promised > published;
        self.follower.takeover_at = awaits.then(|| self.follower.takeover_at.unwrap_or(begun + TAKEOVER));
        Ok(None)
    }

    /// Applies what other nodes have recorded before this one started. If the log is away, the last version is served.
    pub(super) fn follow_log_at_start(&mut self) -> catalog::Result<()> {
        match self.follow_records() {
            Ok(()) => Ok(()),
            Err(error @ (CatalogError::LogAway(_) | CatalogError::LogRefused(_))) => {
                self.note_trouble(error.to_string());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Applies the records that the catalog lacks, and publishes nothing.
    fn follow_records(&mut self) -> catalog::Result<()> {
        if self.catalog.catch_up()? == CatchUp::NeedsBase {
            return Err(CatalogError::Superseded);
        }
        self.note_progress();
        self.version = last_version(&self.catalog)?;
        self.pending_version = pending_version(&self.catalog)?.max(self.version);
        self.catalog.write_base_if_due(&self.state, true)
    }

    /// Begins the log with the catalog, which has been read completely.
    pub(super) fn found_log(&mut self) -> catalog::Result<()> {
        // Other nodes get no article without its text.
        while self.ingest.has_unread(&self.catalog)? {
            let moment = self.moment();
            let ingest = &mut self.ingest;
            self.catalog.transaction(|catalog| ingest.tick(catalog, Queue::More, moment))?;
            self.heartbeat.beat();
        }
        self.catalog.tidy()?;
        if !self.catalog.found_log(&self.state)? {
            return Err(CatalogError::Superseded);
        }
        self.note_progress();
        tracing::info!("the log of the replicas begins with the catalog of this node");
        Ok(())
    }

    /// Publishes what another node has recorded and not published in time.
    pub(super) fn take_over(&mut self) -> catalog::Result<()> {
        if self.follower.takeover_at.is_some_and(|at| at <= Instant::now()) {
            self.follower.takeover_at = None;
            self.dirty |= pending_version(&self.catalog)? > self.version;
        }
        Ok(())
    }

    /// Handles an error of a step. If another node was first, or the log is away, the step is made again later: all that the ingest has
    /// noted is discarded, and the folder is looked at again.
    pub(super) fn begin_again(&mut self, error: CatalogError) -> catalog::Result<()> {
        let why = match error {
            CatalogError::Superseded => None,
            CatalogError::LogAway(_) | CatalogError::LogRefused(_) => Some(error.to_string()),
            other => return Err(other),
        };
        self.ingest = self.parts.ingest(&mut self.catalog)?;
        self.ingest.begin_serving();
        self.ingest.request_reconcile();
        self.storm = None;
        self.follower.held.clear();
        self.dirty = pending_version(&self.catalog)? > self.version;
        if let Some(why) = why {
            self.note_trouble(why);
        }
        Ok(())
    }

    /// Reports the place in the log.
    pub(super) fn note_progress(&self) {
        let Some(number) = self.catalog.record_number() else { return };
        if self.follower.progress.get() == number {
            return;
        }
        self.follower.progress.set(number);
        self.observers.metrics.set_log_record(number);
        let differs_from = self.catalog.renders_differently().map(str::to_owned);
        self.observers.status.update(|status| {
            if let Some(replicas) = &mut status.replicas {
                (replicas.record, replicas.differs_from) = (number, differs_from);
            }
        });
    }

    fn note_trouble(&mut self, why: String) {
        self.follower.retry_at = Instant::now() + RETRY;
        self.observers.metrics.record_log_failure();
        if self.follower.trouble.as_ref() != Some(&why) {
            tracing::error!(error = %why, "publishing waits for the log of the replicas; the last version is served; trying again every second");
            self.observers.status.update(|status| status.failure = Some(why.clone()));
            self.follower.trouble = Some(why);
        }
    }

    /// Tries the log again, if it is time. Returns whether it can be used.
    pub(super) fn retry_log(&mut self) -> catalog::Result<(bool, Option<Ending>)> {
        if self.follower.trouble.is_none() {
            return Ok((true, None));
        }
        if self.follower.retry_at > Instant::now() {
            return Ok((false, None));
        }
        match self.follow_log() {
            Ok(ending) => {
                self.follower.trouble = None;
                self.observers.status.update(|status| status.failure = None);
                tracing::info!("the log of the replicas is back: publishing resumes");
                // Hints may have been dropped meanwhile.
                self.ingest.request_reconcile();
                Ok((true, ending))
            }
            Err(error @ (CatalogError::LogAway(_) | CatalogError::LogRefused(_))) => {
                self.note_trouble(error.to_string());
                Ok((false, None))
            }
            Err(CatalogError::Superseded) => Ok((false, None)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_left_to_the_node_that_was_first_and_done_if_that_does_not_act() {
        let mut follower = Follower::new(LogProgress::default());
        let now = Instant::now();
        assert!(follower.may_act(true, true, now), "it was first");
        assert!(follower.may_act(false, false, now), "there is nothing to do");
        assert!(!follower.may_act(true, false, now));
        assert!(follower.until_next_wake(now).is_some_and(|wait| wait >= LEAVE));
        assert!(!follower.may_act(true, false, now + LEAVE - Duration::from_millis(1)));
        assert!(follower.may_act(true, false, now + Duration::from_millis(350)));
        assert!(follower.may_act(true, false, now + Duration::from_millis(351)), "until the work is done");
        assert!(follower.may_act(false, false, now + Duration::from_millis(352)));
        assert!(!follower.may_act(true, false, now + Duration::from_millis(353)), "the next work waits again");
        assert_eq!(follower.hold(vec![Change::Reconcile], false), []);
        assert!(follower.holds_hints());
        assert_eq!(follower.hold(vec![Change::Lost], true), [Change::Reconcile, Change::Lost]);
    }
}
