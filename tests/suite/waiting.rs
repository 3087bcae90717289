//! How tests wait: for a condition, never for a length of time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longest wait for anything. Generous, since a busy machine is no failure: it is reached only when a test fails.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Pause between two checks of a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until a condition holds.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}

/// Waits until there is a value, and returns it.
#[track_caller]
pub fn wait_for<T>(what: &str, find: impl FnMut() -> Option<T>) -> T {
    wait_or_explain(what, find, String::new)
}

/// As [`wait_for`]; a failure shows an explanation, such as a log.
#[track_caller]
pub fn wait_or_explain<T>(what: &str, mut find: impl FnMut() -> Option<T>, explain: impl FnOnce() -> String) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = find() {
            return value;
        }
        assert!(Instant::now() <= deadline, "waited {} s in vain until {what}\n{}", PATIENCE.as_secs(), explain());
        sleep(PAUSE);
    }
}
