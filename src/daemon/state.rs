//! The state directory: one daemon's alone, and never in the folder that it watches.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::folder::Folder;

/// How often the state directory is asked for again where another process has it, and how long between.
const LOCK_TRIES: usize = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The hold on a state directory; given back when it is dropped.
#[derive(Debug)]
pub struct Hold {
    _lock: File,
}

/// A path without links, also where its end does not exist yet.
fn real(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    existing.map_or_else(|| path.to_path_buf(), |(above, real)| real.join(path.strip_prefix(above).unwrap_or(path)))
}

/// Makes the state directory, for nobody else to read, and takes it for this process alone.
///
/// # Errors
/// It cannot be used, or another process has it.
pub fn take(state: &Path, folder: &Folder) -> anyhow::Result<Hold> {
    let problem = |what: &str| format!("{}: cannot {what} the state directory", state.display());
    // Before anything is made: the watched folder is never written to.
    if real(&std::path::absolute(state)?).starts_with(real(folder.root())) {
        let advice = "which is never written to: name another with --state";
        bail!("{}: the state directory lies in the watched folder, {advice}", state.display());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(state).with_context(|| problem("make"))?;
    let lock = File::create(state.join("lock")).with_context(|| problem("write to"))?;
    let mut locked = lock.try_lock();
    // Whoever held it may be about to end.
    for _ in 0..LOCK_TRIES {
        if !matches!(locked, Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        locked = lock.try_lock();
    }
    match locked {
        Ok(()) => Ok(Hold { _lock: lock }),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "{}: another gazetted uses this state directory: stop it, or name another directory with --state",
                state.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| problem("lock")),
    }
}
