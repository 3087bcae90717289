//! One step of the writer: its time, and why a file is processed in it.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::article;
use crate::model::moment::{Moment, Version};

/// The time of one step of the writer.
#[derive(Debug, Clone, Copy)]
pub struct WriteMoment {
    pub(super) now: DateTime<Utc>,
    pub(super) instant: Instant,
    /// The version that will show the step.
    pub(super) version: Version,
}

impl WriteMoment {
    /// The present, for changes that `version` will show.
    pub fn now(version: Version) -> Self {
        Self { now: Utc::now(), instant: Instant::now(), version }
    }

    /// The time on the monotonic clock.
    pub fn instant(&self) -> Instant {
        self.instant
    }

    /// The time in whole seconds.
    pub fn seconds(&self) -> DateTime<Utc> {
        article::date::whole_seconds(self.now)
    }

    /// The moment of what is recorded now, to the second.
    pub(super) fn recorded(&self) -> Moment {
        Moment { version: self.version, due: self.seconds() }
    }

    pub(super) fn refreshed(self) -> Self {
        Self { now: Utc::now(), instant: self.instant.max(Instant::now()), ..self }
    }

    pub(super) fn nanoseconds(&self) -> i64 {
        self.now.timestamp_nanos_opt().unwrap_or(i64::MAX)
    }
}

/// Longest time for which files are read in a part of a step while the feeds are up: changes wait for its end.
pub(super) const SLICE: Duration = Duration::from_millis(50);

/// The time in which files are read in a part of a step. One file is read at least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    /// `None`: nothing else waits.
    until: Option<Instant>,
}

impl Slice {
    /// Begins now.
    pub fn begin(longest: Option<Duration>) -> Self {
        Self { until: longest.map(|longest| Instant::now() + longest) }
    }

    /// Whether the rest is for the next step.
    pub fn is_over(self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Whether hints are waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// No hint is waiting.
    Empty,
    /// There may be more.
    More,
}

/// Why a file is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// A program has closed it, or another change of it is complete.
    Closed,
    /// It has not changed since a fence was raised, and every hint before that fence has been followed.
    FencePassed,
    /// A scan found it; a program may be writing it.
    Scan,
    /// The first scan found it: it was there before the daemon.
    FirstScan,
}

impl Trigger {
    pub fn is_scan(self) -> bool {
        matches!(self, Self::Scan | Self::FirstScan)
    }
}
