//! The attributes of a file that tell its versions apart.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use crate::system::platform::RawAttributes;

/// A time stamp further in the future than this is forged; one slightly ahead was set after the clock was read.
const FUTURE: Duration = Duration::from_mins(1);

/// Inode number and time of birth: a file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    inode: i64,
    born: i64,
}

/// The result of `stat` for a file. Equal values mean equal content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// Size in bytes.
    pub size: i64,
    /// Modification time, nanoseconds since 1970.
    pub mtime: i64,
    /// Time of the last change of content or attributes, nanoseconds since 1970.
    pub ctime: i64,
    /// Inode number.
    pub inode: i64,
    /// Creation time of the inode, nanoseconds since 1970; 0 if the file system does not record it. Together with the inode number
    /// it identifies a file independently of its name; the number alone is reused after a deletion.
    pub born: i64,
}

impl Stat {
    /// Reads the values from a file's metadata.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size().cast_signed(),
            mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino().cast_signed(),
            born: metadata.created().ok().and_then(since_1970).unwrap_or(0),
        }
    }

    /// Returns how long until the file has been unchanged for `quiet`, at `now` (nanoseconds since 1970); `None` if it already
    /// has. A forged time far in the future is ignored.
    pub fn until_quiet(&self, now: i64, quiet: Duration) -> Option<Duration> {
        let age = now.saturating_sub(self.mtime.max(self.ctime));
        let ahead = i64::try_from(FUTURE.as_nanos()).unwrap_or(i64::MAX);
        let Ok(age) = u64::try_from(age) else { return (age >= -ahead).then_some(quiet) };
        quiet.checked_sub(Duration::from_nanos(age)).filter(|wait| !wait.is_zero())
    }

    /// Identifies the file independently of its name; `None` if the file system records no time of birth.
    pub fn file_id(&self) -> Option<FileId> {
        (self.born != 0).then_some(FileId { inode: self.inode, born: self.born })
    }

    /// Keeps what identifies the file and clears what describes its content.
    #[must_use]
    pub fn file_only(self) -> Self {
        Self { inode: self.inode, born: self.born, ..Self::default() }
    }
}

impl From<RawAttributes> for Stat {
    fn from(attributes: RawAttributes) -> Self {
        let nanoseconds = |(seconds, rest)| nanoseconds(seconds, rest);
        Self {
            size: attributes.size,
            mtime: nanoseconds(attributes.modified),
            ctime: nanoseconds(attributes.changed),
            inode: attributes.inode.cast_signed(),
            born: attributes.born.map_or(0, nanoseconds),
        }
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn since_1970(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::platform;

    #[test]
    fn quiet_is_measured_from_the_last_change() {
        const SECOND: i64 = 1_000_000_000;
        let stat = Stat { mtime: 10 * SECOND, ctime: 12 * SECOND, ..Stat::default() };
        let wait = |now: i64| stat.until_quiet(now * SECOND, Duration::from_secs(2));
        assert_eq!(wait(13), Some(Duration::from_secs(1)));
        assert_eq!(wait(14), None);
        assert_eq!(wait(11), Some(Duration::from_secs(2)), "set after the clock was read");
        assert_eq!(wait(-100), None, "forged");
    }

    #[test]
    fn both_system_calls_give_the_same_values() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let attributes = platform::attributes_at(rustix::fs::CWD, file.path().as_os_str()).unwrap();
        assert_eq!(Stat::from(attributes), Stat::of(&file.path().metadata().unwrap()));
    }
}
