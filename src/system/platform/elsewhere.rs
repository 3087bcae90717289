//! FreeBSD and macOS: what POSIX and both systems have. `cargo check` compiles this file in CI; nothing runs it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, OFlags, Stat};
use rustix::io::Errno;
use socket2::SockRef;

use super::attributes::RawAttributes;

/// What the program lacks, one line for each part.
pub const MISSING: &[&str] = &[
    "file events are not used on this system: folders are listed at articles.poll_interval, and a change is published only after that",
    "renames are recognised by inode and time of birth alone: a file that is renamed and replaced at once is a new article",
    "paths are opened in several steps: a folder that is moved meanwhile may be missed until the next comparison",
    "clients that take no bytes are cut off by http.write_timeout alone, and the system may hold more of their responses",
    "the time limit for reading a file is measured by the clock, and reading has the priority of serving",
    "no metrics of the process, no watchdog and no sockets passed by systemd",
];

/// The events of kqueue and FSEvents neither say that a file was closed, nor follow the order of changes as inotify's do.
pub const HAS_FILE_EVENTS: bool = false;

/// Neither system opens a file without the right to read it. A FIFO must not block.
pub const PATH_ONLY: OFlags = OFlags::NONBLOCK;

/// There is no such call.
///
/// # Errors
/// Always `NOSYS`.
pub fn open_beneath(_root: impl AsFd, _below: &Path, _flags: OFlags) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// Reads the attributes of a name in a folder. A link is not followed.
///
/// # Errors
/// The usual errors of a missing file.
pub fn attributes_at(folder: impl AsFd, name: &OsStr) -> Result<RawAttributes, Errno> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(RawAttributes {
        kind: FileType::from_raw_mode(stat.st_mode),
        size: stat.st_size,
        inode: stat.st_ino,
        modified: (stat.st_mtime, stat.st_mtime_nsec),
        changed: (stat.st_ctime, stat.st_ctime_nsec),
        born: (stat.st_birthtime > 0).then_some((stat.st_birthtime, stat.st_birthtime_nsec)),
    })
}

/// The device of a file, whose type differs between systems.
#[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)]
pub fn device(stat: &Stat) -> u64 {
    stat.st_dev as u64
}

/// The systems do not say.
pub fn is_mount_root(_folder: impl AsFd) -> Option<bool> {
    None
}

/// There are no such limits.
///
/// # Errors
/// None.
pub fn limit_unsent(_socket: &SockRef<'_>, _unacknowledged: Duration, _unsent: u32) -> io::Result<()> {
    Ok(())
}

/// The priority of a single thread cannot be lowered; that of the process must not be.
pub fn lower_priority(_niceness: i32) {}

/// There is no such file.
pub fn processor_time_file() -> PathBuf {
    PathBuf::new()
}

/// Returns the path as it is.
pub fn short_path(_folder: impl AsFd, path: &Path, name: &str) -> PathBuf {
    path.join(name)
}
/// Writes the folder to the disk; the system has no call for all files of a file system.
///
/// # Errors
/// The disk cannot be written.
pub fn synchronise_all(file: impl AsFd) -> Result<(), Errno> {
    rustix::fs::fsync(file)
}

/// Never moves a file: the system cannot do it in one step.
///
/// # Errors
/// `NOSYS`, always.
pub fn move_to_free_place(_from: &Path, _to: &Path) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}
