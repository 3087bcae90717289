//! When a node does its own work, and when it leaves it to another one.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::change::Change;
use crate::replicas::LogProgress;

/// How long a node that did not create the last record leaves its own work to the node that did, at least. All nodes may have heard of
/// the same change.
const LEAVE: Duration = Duration::from_millis(150);
/// The longest random addition to that.
const SPREAD_MILLISECONDS: u128 = 200;

/// What this node does beside the other ones.
#[derive(Debug)]
pub(super) struct Follower {
    pub progress: LogProgress,
    /// Hints that wait for the node that was first last.
    held: Vec<Change>,
    /// When this node does its own work; `None` without any.
    act_at: Option<Instant>,
    /// Why the log cannot be used.
    pub trouble: Option<String>,
    pub retry_at: Instant,
    /// When this node publishes what another has recorded and not published.
    pub takeover_at: Option<Instant>,
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

    /// Forgets the hints that wait.
    pub fn drop_hints(&mut self) {
        self.held.clear();
    }

    pub fn holds_hints(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether the log cannot be used.
    pub fn is_in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Returns whether this node may do its own work. `is_first`: it created the last record.
    pub fn may_act(&mut self, has_work: bool, is_first: bool, now: Instant) -> bool {
        if is_first || !has_work {
            self.act_at = None;
            return true;
        }
        let spread = Uuid::new_v4().as_u128() % SPREAD_MILLISECONDS;
        let wait = LEAVE + Duration::from_millis(u64::try_from(spread).unwrap_or(0));
        now >= *self.act_at.get_or_insert(now + wait)
    }

    /// Whether its own work waits, for another node or for the log.
    pub fn holds_work(&self) -> bool {
        self.trouble.is_some() || self.act_at.is_some()
    }

    /// Time until this node has something to do because of the others.
    pub fn until_next_wake(&self, now: Instant) -> Option<Duration> {
        let retry = self.trouble.as_ref().map(|_| self.retry_at);
        let next = [retry, self.act_at, self.takeover_at].into_iter().flatten().min();
        next.map(|at| at.saturating_duration_since(now))
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
        assert!(!follower.may_act(true, false, now + Duration::from_millis(149)));
        assert!(follower.may_act(true, false, now + Duration::from_millis(350)));
        assert!(follower.may_act(true, false, now + Duration::from_millis(351)), "until the work is done");
        assert!(follower.may_act(false, false, now + Duration::from_millis(352)));
        assert!(!follower.may_act(true, false, now + Duration::from_millis(353)), "the next work waits again");
        assert_eq!(follower.hold(vec![Change::Reconcile], false), []);
        assert!(follower.holds_hints());
        assert_eq!(follower.hold(vec![Change::Lost], true), [Change::Reconcile, Change::Lost]);
    }
}
