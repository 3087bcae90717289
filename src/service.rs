//! What is said to systemd, when it is there to listen. Without it every call does nothing.

use sd_notify::NotifyState;

/// The feeds are up.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The daemon is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot reach systemd's notification socket: {error}");
    }
}
