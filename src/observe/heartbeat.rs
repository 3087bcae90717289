//! Heartbeats. Each task beats when it makes progress; the systemd watchdog and `/healthz` check that none has stalled.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The last beat of a task that is exempt.
const NEVER_STALLS: u64 = u64::MAX;

/// Beat interval without a check. An idle daemon then wakes up once a day.
const UNCHECKED: Duration = Duration::from_hours(24);

/// All tasks of a daemon that beat. Clones share the tasks.
#[derive(Debug, Clone)]
pub struct Heartbeats {
    start: Instant,
    interval: Duration,
    tasks: Arc<Mutex<Vec<Weak<LastBeat>>>>,
}

#[derive(Debug)]
struct LastBeat {
    name: &'static str,
    /// Milliseconds since the start of [`Heartbeats`].
    at: AtomicU64,
}

impl Heartbeats {
    /// Each task beats at least once in `interval`; without one, nothing checks.
    pub fn new(interval: Option<Duration>) -> Self {
        Self { start: Instant::now(), interval: interval.unwrap_or(UNCHECKED), tasks: Arc::default() }
    }

    /// Adds a task, which beats for the first time. It is removed when its heartbeat is dropped.
    pub fn register(&self, name: &'static str) -> Heartbeat {
        let last = Arc::new(LastBeat { name, at: AtomicU64::new(0) });
        let heartbeat = Heartbeat { start: self.start, interval: self.interval, last };
        heartbeat.beat();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&heartbeat.last));
        heartbeat
    }

    /// Returns the names of the tasks whose last beat is older than `limit`.
    pub fn stalled(&self, limit: Duration) -> Vec<&'static str> {
        let now = self.start.elapsed();
        let is_stalled =
            |last: &Arc<LastBeat>| now.saturating_sub(Duration::from_millis(last.at.load(Relaxed))) > limit;
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().filter_map(Weak::upgrade).filter(is_stalled).map(|last| last.name).collect()
    }
}

impl Default for Heartbeats {
    /// Heartbeats without a check.
    fn default() -> Self {
        Self::new(None)
    }
}

/// The heartbeat of one task. Clones beat for the same task.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    start: Instant,
    interval: Duration,
    last: Arc<LastBeat>,
}

impl Heartbeat {
    /// Reports progress.
    pub fn beat(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.at.store(now, Relaxed);
    }

    /// Exempts the task from the check until the result is dropped: it waits for the disk and cannot beat.
    pub fn exempt(&self) -> Exemption<'_> {
        self.last.at.store(NEVER_STALLS, Relaxed);
        Exemption(self)
    }

    /// Longest time that an idle task may sleep between two beats.
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

/// A wait of a task that cannot beat meanwhile.
#[derive(Debug)]
pub struct Exemption<'a>(&'a Heartbeat);

impl Drop for Exemption<'_> {
    fn drop(&mut self) {
        self.0.beat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stalled_task_is_reported_until_it_ends() {
        let heartbeats = Heartbeats::new(Some(Duration::from_millis(1)));
        let (busy, stuck) = (heartbeats.register("busy"), heartbeats.register("stuck"));
        std::thread::sleep(Duration::from_millis(30));
        busy.beat();
        assert_eq!(heartbeats.stalled(Duration::from_millis(20)), ["stuck"]);
        assert_eq!(heartbeats.stalled(Duration::from_hours(1)), Vec::<&str>::new());
        drop(stuck);
        assert_eq!(heartbeats.stalled(Duration::from_millis(20)), Vec::<&str>::new());
    }

    #[test]
    fn a_task_that_is_exempt_has_not_stalled() {
        let heartbeats = Heartbeats::new(Some(Duration::from_millis(1)));
        let task = heartbeats.register("slow disk");
        let exemption = task.exempt();
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(heartbeats.stalled(Duration::from_millis(1)), Vec::<&str>::new());
        drop(exemption);
        assert_eq!(heartbeats.stalled(Duration::from_hours(1)), Vec::<&str>::new());
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(heartbeats.stalled(Duration::from_millis(1)), ["slow disk"]);
    }

    #[test]
    fn without_a_check_tasks_hardly_ever_wake_up() {
        assert!(Heartbeats::new(None).register("a").interval() >= Duration::from_hours(1));
    }
}
