//! Feeds the watchdog of systemd.

use std::time::Duration;

use crate::observe::heartbeat::Heartbeats;
use crate::system::systemd;

/// Number of heartbeats of each task within the watchdog's limit; two of them may be late.
const BEATS: u32 = 4;

/// Interval of heartbeats that keeps the watchdog fed.
pub fn interval(limit: Option<Duration>) -> Option<Duration> {
    limit.map(|limit| limit / BEATS)
}

/// Feeds the watchdog of systemd while every task beats. Never returns.
pub async fn feed(heartbeats: &Heartbeats, limit: Option<Duration>) {
    let Some(limit) = limit else { return std::future::pending().await };
    let mut reported = Vec::new();
    loop {
        let stalled = heartbeats.stalled(limit / 2);
        if stalled.is_empty() {
            systemd::alive();
        }
        let parts = not_reported(&mut reported, stalled);
        if !parts.is_empty() {
            let (parts, seconds) = (parts.join(", "), (limit / 2).as_secs());
            tracing::error!(parts, seconds, "no heartbeat; systemd is about to restart the daemon");
        }
        tokio::time::sleep(limit / BEATS).await;
    }
}

/// The stalled tasks that were not stalled at the last call: each is reported once for each time that it stalls, also while others are
/// stalled.
fn not_reported(reported: &mut Vec<&'static str>, stalled: Vec<&'static str>) -> Vec<&'static str> {
    let before = std::mem::replace(reported, stalled);
    reported.iter().filter(|part| !before.contains(part)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_daemon_feeds_the_watchdog_twice_within_its_limit() {
        for seconds in [1, 2, 30] {
            let limit = Duration::from_secs(seconds);
            assert!(interval(Some(limit)).unwrap() * 2 <= limit);
        }
        assert_eq!(interval(None), None);
    }

    #[test]
    fn each_stalled_task_is_reported_also_while_another_is_stalled() {
        let mut reported = Vec::new();
        let said = [vec!["a"], vec!["a"], vec!["a", "b"], vec!["b"], vec!["a", "b"], vec![], vec!["b"]]
            .map(|stalled| not_reported(&mut reported, stalled));
        assert_eq!(said, [vec!["a"], vec![], vec!["b"], vec![], vec!["a"], vec![], vec!["b"]]);
    }
}
