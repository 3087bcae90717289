//! Files to be processed later: when, and what triggered it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::step::Trigger;

/// By path below the watched folder. A file is scheduled at most once.
#[derive(Debug, Default)]
pub(super) struct Schedule(HashMap<PathBuf, (Instant, Trigger)>);

impl Schedule {
    /// Schedules a file, in place of any time set before.
    pub fn set(&mut self, path: PathBuf, at: Instant, trigger: Trigger) {
        self.0.insert(path, (at, trigger));
    }

    /// Schedules a file, unless it already is.
    pub fn add(&mut self, path: PathBuf, at: Instant, trigger: Trigger) {
        self.0.entry(path).or_insert((at, trigger));
    }

    pub fn remove(&mut self, path: &Path) {
        self.0.remove(path);
    }

    pub fn has(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    /// When the first file is due.
    pub fn first(&self) -> Option<Instant> {
        self.0.values().map(|(at, _)| *at).min()
    }

    /// When the last file is due.
    pub fn last(&self) -> Option<Instant> {
        self.0.values().map(|(at, _)| *at).max()
    }

    /// When the last of the files is due that a scan found and that meet a condition.
    pub fn last_scanned(&self, is_met: impl Fn(&Path) -> bool) -> Option<Instant> {
        let scanned = self.0.iter().filter(|(path, (_, trigger))| trigger.is_scan() && is_met(path));
        scanned.map(|(_, (at, _))| *at).max()
    }

    /// All files and when they are due, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, Instant)> {
        self.0.iter().map(|(path, (at, _))| (path.as_path(), *at))
    }

    /// Removes and returns the files that are due, in the order of their paths.
    pub fn take_due(&mut self, now: Instant) -> Vec<(PathBuf, Trigger)> {
        let due = self.0.extract_if(|_, (at, _)| *at <= now);
        let mut due: Vec<_> = due.map(|(path, (_, trigger))| (path, trigger)).collect();
        due.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_are_taken_in_the_order_of_their_paths_once_they_are_due() {
        let (mut schedule, now) = (Schedule::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        schedule.set("b".into(), now, Trigger::Scan);
        schedule.set("a".into(), now, Trigger::Closed);
        schedule.add("a".into(), later, Trigger::Scan);
        schedule.add("c".into(), later, Trigger::Closed);
        assert_eq!((schedule.first(), schedule.last()), (Some(now), Some(later)));
        assert_eq!(schedule.take_due(now), [("a".into(), Trigger::Closed), ("b".into(), Trigger::Scan)]);
        assert!(schedule.has(Path::new("c")) && !schedule.has(Path::new("a")));
        schedule.set("c".into(), now, Trigger::Closed);
        assert_eq!(schedule.take_due(now), [("c".into(), Trigger::Closed)]);
        assert_eq!(schedule.first(), None);
    }
}
