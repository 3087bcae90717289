//! The bound of the queue between notify's thread and the watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Maximum number of events that wait. The kernel's own queue has the same size by default.
const MAX_EVENTS: usize = 16_384;

/// Decides what to do with an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    Admitted,
    /// The event is lost, and the watch has to be informed.
    FirstLoss,
    /// The event is lost, and the watch has been informed.
    Lost,
}

/// Counts the events that wait. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct EventCount(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    waiting: AtomicUsize,
    has_lost: AtomicBool,
}

impl EventCount {
    /// Admits an event, or counts it as lost. Called by notify's thread alone.
    pub fn admit(&self) -> Admission {
        if self.0.has_lost.load(Ordering::Acquire) {
            return Admission::Lost;
        }
        if self.0.waiting.load(Ordering::Relaxed) >= MAX_EVENTS {
            self.0.has_lost.store(true, Ordering::Release);
            return Admission::FirstLoss;
        }
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Admission::Admitted
    }

    /// Takes an admitted event off the queue. Returns whether it still matters: behind a loss, the whole folder is compared.
    pub fn take(&self) -> bool {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        !self.0.has_lost.load(Ordering::Acquire)
    }

    /// Admits events again: the watch has reached the loss.
    pub fn end_loss(&self) {
        self.0.has_lost.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_waiting_events_is_limited() {
        let count = EventCount::default();
        for _ in 0..MAX_EVENTS {
            assert_eq!(count.admit(), Admission::Admitted);
        }
        assert!(count.take(), "there is room for one");
        assert_eq!(count.admit(), Admission::Admitted);
        assert_eq!((count.admit(), count.admit()), (Admission::FirstLoss, Admission::Lost));
        assert!(!count.take(), "it is dropped with the others");
        assert_eq!(count.admit(), Admission::Lost, "until the watch has reached the loss");
        count.end_loss();
        assert_eq!(count.admit(), Admission::Admitted);
        assert!(count.take());
    }
}
