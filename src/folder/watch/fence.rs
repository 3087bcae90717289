//! Fences: events by which the writer knows that every earlier event has been reported.
//!
//! Events reach the writer late, and the folder may be several steps ahead of them. Where that matters, the writer raises a fence: it
//! opens and closes a file that nothing else writes. The kernel queues the event of the close behind every earlier event.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::OFlags;

/// Shared by the watch, which sends [`Change::Fence`](crate::change::Change::Fence), and the writer, which raises it. The default
/// fence is never armed.
#[derive(Debug, Clone, Default)]
pub struct Fence(Arc<State>);

#[derive(Debug, Default)]
struct State {
    file: PathBuf,
    is_armed: AtomicBool,
    raised: AtomicU64,
}

/// Opens a file for writing. A FIFO in its place is an error instead of a wait for a reader.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    options
}

impl Fence {
    /// Creates the file, which is outside of the watched folder.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn at(file: &Path) -> io::Result<Self> {
        // Events name absolute paths, whatever path is watched.
        let file = std::path::absolute(file)?;
        options().create(true).truncate(false).mode(0o600).open(&file)?;
        Ok(Self(Arc::new(State { file, ..State::default() })))
    }

    /// Path of the file; empty if there is none.
    pub(super) fn file(&self) -> &Path {
        &self.0.file
    }

    /// Sets whether the file is watched.
    pub fn arm(&self, is_armed: bool) {
        self.0.is_armed.store(is_armed, Ordering::Relaxed);
    }

    /// Whether a raised fence will be reported.
    pub fn is_armed(&self) -> bool {
        self.0.is_armed.load(Ordering::Relaxed)
    }

    /// Requests a report behind everything that has happened until now. Returns whether there will be one.
    pub fn raise(&self) -> bool {
        let is_raised = self.is_armed() && options().open(&self.0.file).is_ok();
        if is_raised {
            self.0.raised.fetch_add(1, Ordering::Relaxed);
        } else {
            self.arm(false);
        }
        is_raised
    }

    /// Number of times that it was raised.
    pub fn raised(&self) -> u64 {
        self.0.raised.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_path_is_absolute_as_those_of_events_are() {
        let directory = tempfile::tempdir().unwrap();
        let depth = std::env::current_dir().unwrap().components().count() - 1;
        let relative = Path::new(&"../".repeat(depth)).join(directory.path().strip_prefix("/").unwrap());
        let fence = Fence::at(&relative.join("fence")).unwrap();
        assert!(relative.is_relative() && fence.file().is_absolute());
        assert!(directory.path().join("fence").exists());
    }
}
