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
    let mut reported = false;
    loop {
        let stalled = heartbeats.stalled(limit / 2);
        if stalled.is_empty() {
            systemd::alive();
        } else if !std::mem::replace(&mut reported, true) {
            let parts = stalled.join(", ");
            let seconds = (limit / 2).as_secs();
            tracing::error!(parts, seconds, "no heartbeat; systemd is about to restart the daemon");
        }
        reported &= !stalled.is_empty();
        tokio::time::sleep(limit / BEATS).await;
    }
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
}
