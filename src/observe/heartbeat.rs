//! Signs of life: each part of the daemon gives one whenever it gets on with its work, and somebody looks whether any has
//! stopped. Where nobody looks, nobody wakes up for it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// A part that has nothing to do gives a sign this often where nobody looks: it wakes up once a day.
const UNWATCHED: Duration = Duration::from_hours(24);

/// The parts of a daemon that must get on. Cheap to clone: all clones know the same.
#[derive(Debug, Clone)]
pub struct Heartbeats {
    start: Instant,
    interval: Duration,
    parts: Arc<Mutex<Vec<Weak<Part>>>>,
}

#[derive(Debug)]
struct Part {
    name: &'static str,
    /// Milliseconds after the start of all.
    last: AtomicU64,
}

impl Heartbeats {
    /// Those of a daemon that somebody looks at; `None`: nobody does. Each part gives a sign at least once in `interval`.
    pub fn new(interval: Option<Duration>) -> Self {
        Self { start: Instant::now(), interval: interval.unwrap_or(UNWATCHED), parts: Arc::default() }
    }

    /// A part that has begun just now. Once it is dropped, nobody waits for it.
    pub fn part(&self, name: &'static str) -> Heartbeat {
        let part = Arc::new(Part { name, last: AtomicU64::new(0) });
        let pulse = Heartbeat { start: self.start, interval: self.interval, part };
        pulse.beat();
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|part| part.strong_count() > 0);
        parts.push(Arc::downgrade(&pulse.part));
        pulse
    }

    /// The parts that have given no sign for longer than `limit`.
    pub fn silent(&self, limit: Duration) -> Vec<&'static str> {
        let now = self.start.elapsed();
        let is_silent = |part: &Arc<Part>| now.saturating_sub(Duration::from_millis(part.last.load(Relaxed))) > limit;
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().filter_map(Weak::upgrade).filter(is_silent).map(|part| part.name).collect()
    }
}

/// Where one part gives its signs.
#[derive(Debug)]
pub struct Heartbeat {
    start: Instant,
    interval: Duration,
    part: Arc<Part>,
}

impl Heartbeat {
    /// The work goes on.
    pub fn beat(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.part.last.store(now, Relaxed);
    }

    /// A part that waits for work wakes up this often to say that it does.
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

impl Default for Heartbeat {
    /// One that nobody looks at.
    fn default() -> Self {
        Heartbeats::new(None).part("alone")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stops_is_noticed_until_it_ends() {
        let pulses = Heartbeats::new(Some(Duration::from_millis(1)));
        let (busy, stuck) = (pulses.part("busy"), pulses.part("stuck"));
        std::thread::sleep(Duration::from_millis(30));
        busy.beat();
        assert_eq!(pulses.silent(Duration::from_millis(20)), ["stuck"]);
        assert_eq!(pulses.silent(Duration::from_hours(1)), Vec::<&str>::new());
        drop(stuck);
        assert_eq!(pulses.silent(Duration::from_millis(20)), Vec::<&str>::new());
    }

    #[test]
    fn nobody_wakes_up_for_nobody() {
        assert!(Heartbeats::new(None).part("a").interval() >= Duration::from_hours(1));
    }
}
