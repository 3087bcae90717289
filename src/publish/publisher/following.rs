//! The publisher as one of several nodes: it follows the log, and leaves changes that all nodes hear of to the node that was first last.

use std::time::{Duration, Instant};

use chrono::Utc;

use super::{Ending, Publisher, last_version, pending_version};
use crate::catalog::{self, CatalogError, CaughtUp};
use crate::model::moment::Moment;
use crate::publish::ingest::Queue;

/// How long the node that recorded a change has time to publish it. Versions are a second apart.
const TAKEOVER: Duration = Duration::from_secs(2);

/// Pause before the log is tried again.
const RETRY: Duration = Duration::from_secs(1);

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
        let CaughtUp::Applied(count) = self.catalog.catch_up()? else { return Ok(Some(Ending::NeedsBase)) };
        self.note_progress();
        self.copy_catalog(false)?;
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
        if self.catalog.catch_up()? == CaughtUp::NeedsBase {
            return Err(CatalogError::Superseded);
        }
        self.note_progress();
        self.version = last_version(&self.catalog)?;
        self.pending_version = pending_version(&self.catalog)?.max(self.version);
        self.copy_catalog(true)
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
        self.builder.forget_entries();
        self.storm = None;
        self.follower.drop_hints();
        self.dirty = pending_version(&self.catalog)? > self.version;
        if let Some(why) = why {
            self.note_trouble(why);
        }
        Ok(())
    }

    /// Copies the catalog into the log, if it is time.
    fn copy_catalog(&mut self, is_start: bool) -> catalog::Result<()> {
        // A large catalog takes long.
        let exemption = self.heartbeat.exempt();
        let copied = self.catalog.write_base_if_due(&self.state, is_start);
        drop(exemption);
        match copied {
            Ok(unneeded) => unneeded.into_iter().for_each(|number| self.follower.progress.trim(number)),
            // The log is complete without it. It is made later, or by another node.
            Err(CatalogError::LogAway(error)) => {
                tracing::warn!(error, "cannot copy the catalog into the log of the replicas; trying again later");
            }
            Err(error) => return Err(error),
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
        // The log may have been restored from a backup meanwhile.
        match self.catalog.check_log().and_then(|()| self.follow_log()) {
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
