//! Linux.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, StatxAttributes, StatxFlags, StatxTimestamp};
use rustix::io::Errno;
use socket2::SockRef;

use super::attributes::RawAttributes;

/// What the program lacks, one line for each part.
pub const MISSING: &[&str] = &[];

/// Whether the system reports when a file is closed, and the events of a folder in their order (inotify).
pub const HAS_FILE_EVENTS: bool = true;

/// Opens a file or folder only to name it and to read its attributes: no right to read it is needed.
pub const PATH_ONLY: OFlags = OFlags::PATH;

/// Opens a path below a folder in one system call, following no link in it.
///
/// # Errors
/// `LOOP` if the path contains a link; `NOSYS` or `PERM` if there is no such call: before Linux 5.6, and in containers whose seccomp
/// filter blocks it.
pub fn open_beneath(root: impl AsFd, below: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, below, flags, Mode::empty(), resolve)
}

/// Reads the attributes of a name in a folder. A link is not followed.
///
/// # Errors
/// `NOSYS` or `PERM` in containers whose seccomp filter blocks the call; the usual errors of a missing file.
pub fn attributes_at(folder: impl AsFd, name: &OsStr) -> Result<RawAttributes, Errno> {
    let flags = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let statx = rustix::fs::statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, flags)?;
    let time = |time: StatxTimestamp| (time.tv_sec, time.tv_nsec.into());
    let has_birth = StatxFlags::from_bits_retain(statx.stx_mask).contains(StatxFlags::BTIME);
    Ok(RawAttributes {
        kind: FileType::from_raw_mode(statx.stx_mode.into()),
        size: statx.stx_size.cast_signed(),
        inode: statx.stx_ino,
        modified: time(statx.stx_mtime),
        changed: time(statx.stx_ctime),
        born: has_birth.then(|| time(statx.stx_btime)),
    })
}

/// Writes all files of a file system to the disk, by an open file or folder of it.
///
/// # Errors
/// The disk cannot be written.
pub fn synchronise_all(file: impl AsFd) -> Result<(), Errno> {
    rustix::fs::syncfs(file)
}

/// Moves a file to a place where nothing is.
///
/// # Errors
/// `EXIST` if something is there; `INVAL` or `NOSYS` if the file system cannot tell in one step.
pub fn move_to_free_place(from: &Path, to: &Path) -> Result<(), Errno> {
    rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, rustix::fs::RenameFlags::NOREPLACE)
}

/// The device of a file.
pub fn device(stat: &Stat) -> u64 {
    stat.st_dev
}

/// Whether a folder is the root of a mount; `None` if the system does not say: before Linux 5.8.
pub fn is_mount_root(folder: impl AsFd) -> Option<bool> {
    let statx = rustix::fs::statx(folder, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    let is_known = statx.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT);
    is_known.then(|| statx.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Limits what waits in the system for a client: how long sent data may stay unacknowledged (`TCP_USER_TIMEOUT`), and the bytes that are
/// not sent yet (`TCP_NOTSENT_LOWAT`).
///
/// # Errors
/// The socket is not one of TCP.
pub fn limit_unsent(socket: &SockRef<'_>, unacknowledged: Duration, unsent: u32) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(unacknowledged))?;
    socket.set_tcp_notsent_lowat(unsent)
}

/// Lowers the priority of the current thread.
pub fn lower_priority(niceness: i32) {
    // If the system refuses, the thread only competes more.
    let _ = rustix::process::setpriority_process(None, niceness);
}

/// The file that says how much processor time the current thread has spent, in nanoseconds.
pub fn processor_time_file() -> PathBuf {
    // A link to `PID/task/TID`.
    let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    Path::new("/proc").join(thread).join("schedstat")
}

/// Returns a short path of a name in an open folder, whose path is also given: the path of a socket has at most 107 bytes.
pub fn short_path(folder: impl AsFd, _path: &Path, name: &str) -> PathBuf {
    format!("/proc/self/fd/{}/{name}", folder.as_fd().as_raw_fd()).into()
}
