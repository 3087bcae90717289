//! The state directory: one daemon's alone, and never in the folder that it watches.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::fs::OFlags;

use super::now;
use crate::catalog::{Catalog, FILE};
use crate::folder::Folder;

/// How often the state directory is asked for again where another process has it, and how long between.
const LOCK_TRIES: usize = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What files of a damaged catalog are called, before the second in which they were set aside.
const DAMAGED: &str = "damaged-";
/// Where the namespace of ids is kept beside the catalog: with it, a lost catalog can be made anew with the same ids.
const NAMESPACE: &str = "namespace";

/// The hold on a state directory; given back when it is dropped.
#[derive(Debug)]
pub struct StateLock {
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
pub fn take(state: &Path, folder: &Folder) -> anyhow::Result<StateLock> {
    let problem = |what: &str| format!("{}: cannot {what} the state directory", state.display());
    // Before anything is made: the watched folder is never written to.
    if real(&std::path::absolute(state)?).starts_with(real(folder.root())) {
        let advice = "which is never written to: name another with --state";
        bail!("{}: the state directory lies in the watched folder, {advice}", state.display());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(state).with_context(|| problem("make"))?;
    // Not where a link leads: somebody else may have laid it there before the directory was ours.
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let lock = options.open(state.join("lock")).with_context(|| problem("write to"))?;
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
        Ok(()) => Ok(StateLock { _lock: lock }),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "{}: another gazetted uses this state directory: stop it, or name another directory with --state",
                state.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| problem("lock")),
    }
}

/// Opens the catalog of a state directory. One that is damaged is set aside, and what can be read of it is taken over.
///
/// # Errors
/// It cannot be opened or made.
pub fn open_catalog(state: &Path, authority: Option<&str>, damage: Damage) -> anyhow::Result<Catalog> {
    let at_state = || format!("{}", state.display());
    let known = std::fs::read_to_string(state.join(NAMESPACE)).ok().and_then(|text| text.trim().parse().ok());
    let open = || Catalog::open_known(state, authority, known, now());
    let catalog = match open() {
        Ok(catalog) if damage == Damage::Unknown => catalog,
        Err(error) if damage == Damage::Unknown && !error.is_damage() => return Err(error).with_context(at_state),
        opened => {
            // Closed before it is moved.
            drop(opened);
            let aside = set_aside(state)?;
            let mut catalog = open().with_context(at_state)?;
            let saved = catalog.salvage(&aside).with_context(at_state)?;
            tracing::error!(
                file = %aside.display(),
                articles = saved,
                "the catalog was damaged and has been set aside; articles were recovered from it, and all files are read again"
            );
            catalog
        }
    };
    // Without it, the catalog is as good as it was.
    if known != Some(catalog.namespace()) {
        let _ = std::fs::write(state.join(NAMESPACE), format!("{}\n", catalog.namespace()));
    }
    Ok(catalog)
}

/// Whether somebody has found out that the catalog is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// If it is, opening it may tell.
    Unknown,
    /// It is.
    Known,
}

/// Gives the catalog and what belongs to it other names; tells that of the catalog.
fn set_aside(state: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("{DAMAGED}{}.sqlite", now().timestamp());
    for suffix in ["-wal", ""] {
        let from = state.join(format!("{FILE}{suffix}"));
        let renamed = std::fs::rename(&from, state.join(format!("{name}{suffix}")));
        if let Err(error) = renamed
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("{}: cannot set the damaged catalog aside", from.display()));
        }
    }
    // An index of the one before it, which SQLite makes anew.
    let _ = std::fs::remove_file(state.join(format!("{FILE}-shm")));
    Ok(state.join(name))
}

/// Sees to it that the catalog is that of this folder.
///
/// # Errors
/// It is another folder's: none of its articles are here.
pub fn check_folder(catalog: &mut Catalog, state: &Path, folder: &Folder) -> anyhow::Result<()> {
    const KEY: &str = "folder";
    let root = folder.root().display().to_string();
    let before = catalog.meta(KEY)?;
    if before.as_ref() == Some(&root) {
        return Ok(());
    }
    if let Some(before) = before
        && folder.is_there()
    {
        let is_here = catalog.with_known(|known| {
            let mut known = known.peekable();
            let is_nobodys = known.peek().is_none();
            Ok(is_nobodys || known.flatten().any(|known| folder.root().join(known.path).exists()))
        })?;
        if !is_here {
            bail!(
                "{}: this state directory is that of {before}, and none of its {} articles are in {root}: name another \
                 directory with --state, or put the articles there first",
                state.display(),
                catalog.count()?
            );
        }
        tracing::info!(folder = root, before, "the folder has moved; its articles keep their ids");
    }
    catalog.set_meta(KEY, &root)?;
    Ok(())
}
