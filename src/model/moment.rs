//! Versions of the site, and what is visible at a moment.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The date of a version of the site: a whole second. No two versions share one (standards 88).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(DateTime<Utc>);

impl Version {
    /// The version of the second in which `date` lies.
    pub fn at(date: DateTime<Utc>) -> Self {
        Self(date.trunc_subsecs(0))
    }

    /// The earliest version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + TimeDelta::seconds(1))
    }

    /// The second as a date.
    pub fn date(self) -> DateTime<Utc> {
        self.0
    }

    /// The second as a Unix timestamp.
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }
}

/// The readers that documents are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Every reader.
    Public,
}

/// The moment of a snapshot. Nothing later is visible in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The version. Changes of later versions are not visible.
    pub version: Version,
    /// Articles scheduled for later are not visible.
    pub due: DateTime<Utc>,
}

impl Moment {
    /// A version that shows all that is due by its own date.
    pub fn of(version: Version) -> Self {
        Self { version, due: version.date() }
    }

    /// A version while the clock shows `now`. If the clock was set back, the version is ahead of it and nothing later than `now` is due.
    pub fn by_clock(version: Version, now: DateTime<Utc>) -> Self {
        Self { version, due: version.date().min(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_whole_second() {
        let date = DateTime::from_timestamp(1_700_000_000, 999_999_999).unwrap();
        assert_eq!(Version::at(date).seconds(), 1_700_000_000);
        assert_eq!(Version::at(date), Version::at(date.trunc_subsecs(0)));
        assert_eq!(Version::at(date).next().seconds(), 1_700_000_001);
    }

    #[test]
    fn nothing_after_the_clock_is_due() {
        let version = Version::at(DateTime::from_timestamp(100, 0).unwrap());
        let due = |seconds| Moment::by_clock(version, DateTime::from_timestamp(seconds, 0).unwrap()).due.timestamp();
        assert_eq!((due(90), due(100), due(110)), (90, 100, 100));
        assert_eq!(Moment::of(version).due.timestamp(), 100);
    }
}
