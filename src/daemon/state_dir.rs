//! The state directory: one daemon's alone, and never in the folder that it watches.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::Utc;
use rustix::fs::OFlags;

use crate::catalog::{self, Catalog, FILE, Salvaged};
use crate::folder::Folder;

/// How often the state directory is asked for again where another process has it, and how long between.
const LOCK_TRIES: usize = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What files of a damaged catalog are called, before the second in which they were set aside.
const DAMAGED: &str = "damaged-";
/// Where a recovered catalog is made, below the state directory.
const RECOVERED: &str = "recovered";
/// How many damaged catalogs are kept.
const MOST_DAMAGED: usize = 3;
/// File with the namespace of ids beside the catalog, from which a lost catalog is rebuilt with the same ids.
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

/// Creates the state directory, readable by its owner only, and locks it for this process.
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
    // Does not follow a link, which another user may have placed there before the directory was ours.
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let lock = options.open(state.join("lock")).with_context(|| problem("write to"))?;
    let mut locked = lock.try_lock();
    // The process that holds it may be about to end.
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

/// How the catalog is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// As it is; damage is an error.
    AsIs,
    /// It is damaged, for this reason: it is set aside, and what can be read of it goes into a new one.
    Recovering(String),
    /// It is damaged soon after it was recovered, for this reason: it is set aside, and a new one starts empty.
    Empty(String),
}

impl Opening {
    /// The next way to open a catalog that turns out to be damaged.
    pub fn after(&self, why: String) -> Option<Self> {
        match self {
            Self::AsIs => Some(Self::Recovering(why)),
            Self::Recovering(_) => Some(Self::Empty(why)),
            Self::Empty(_) => None,
        }
    }
}

/// Opens the catalog of a state directory, or makes it. A damaged one is set aside as `opening` says.
///
/// # Errors
/// It cannot be opened or made, or it is damaged and opened as it is.
pub fn open_catalog(state: &Path, authority: Option<&str>, opening: &Opening) -> anyhow::Result<Catalog> {
    let at_state = || format!("{}", state.display());
    let known = std::fs::read_to_string(state.join(NAMESPACE)).ok().and_then(|text| text.trim().parse().ok());
    let open = || Catalog::open_known(state, authority, known, Utc::now());
    let catalog = match opening {
        Opening::AsIs => {
            open().and_then(|catalog| catalog.check_small(Utc::now()).map(|()| catalog)).with_context(at_state)?
        }
        Opening::Recovering(why) => {
            recover(state, why, |directory| Catalog::open_known(directory, authority, known, Utc::now()))?;
            open().with_context(at_state)?
        }
        Opening::Empty(why) => {
            give_up(state, why)?;
            open().with_context(at_state)?
        }
    };
    // Without it, the catalog is as good as it was.
    if known != Some(catalog.namespace()) {
        let _ = std::fs::write(state.join(NAMESPACE), format!("{}\n", catalog.namespace()));
    }
    Ok(catalog)
}

/// Puts a new catalog in the place of a damaged one, with what can be read of it; without a catalog if that is damaged as well. Until
/// the new one is complete, the damaged one stays where it is: a full disk or a power cut loses nothing.
fn recover(state: &Path, why: &str, open: impl Fn(&Path) -> catalog::Result<Catalog>) -> anyhow::Result<()> {
    let problem = |what: &str| format!("{}: cannot {what} the recovered catalog", state.display());
    let scratch = state.join(RECOVERED);
    let _ = std::fs::remove_dir_all(&scratch);
    DirBuilder::new().mode(0o700).create(&scratch).with_context(|| problem("make"))?;
    // Closed before it is moved.
    let salvaged = open(&scratch).and_then(|mut catalog| catalog.salvage(&state.join(FILE), Utc::now()));
    let Salvaged { articles, repaired, dropped } = match salvaged {
        Ok(salvaged) => salvaged,
        Err(error) if error.is_damage() => {
            let _ = std::fs::remove_dir_all(&scratch);
            return give_up(state, &format!("{why}; after recovery, {error}"));
        }
        Err(error) => return Err(error).with_context(|| problem("write")),
    };
    let aside = keep_aside(state)?;
    std::fs::rename(scratch.join(FILE), state.join(FILE)).with_context(|| problem("move"))?;
    let _ = std::fs::remove_dir_all(&scratch);
    tracing::error!(
        error = why,
        file = aside.map(|aside| aside.display().to_string()),
        articles,
        repaired,
        dropped,
        "the catalog was damaged and has been recovered; all files are read again; if ids or dates of articles are missing, restore a \
         backup"
    );
    Ok(())
}

/// Removes a damaged catalog of which a copy is kept.
fn give_up(state: &Path, why: &str) -> anyhow::Result<()> {
    let aside = keep_aside(state)?;
    discard(state)?;
    tracing::error!(
        error = why,
        file = aside.map(|aside| aside.display().to_string()),
        "the catalog was damaged, could not be recovered and starts empty; all files are read again, and their paths give ids; \
         restore a backup for those of moved files"
    );
    Ok(())
}

/// Gives the catalog a second name, under which it is kept, and moves its log there; `None` if there is no catalog. Of the damaged
/// catalogs, the oldest go.
fn keep_aside(state: &Path) -> anyhow::Result<Option<PathBuf>> {
    let (file, log) = (state.join(FILE), state.join(format!("{FILE}-wal")));
    if !file.exists() {
        return Ok(None);
    }
    let named = |second: i64| state.join(format!("{DAMAGED}{second}.sqlite"));
    // Two in one second have two names, in their order.
    let mut second = Utc::now().timestamp();
    while named(second).exists() {
        second += 1;
    }
    let aside = named(second);
    let problem = || format!("{}: cannot keep the damaged catalog", aside.display());
    if log.exists() {
        std::fs::rename(&log, with_suffix(&aside, "-wal")).with_context(problem)?;
    }
    // Some file systems know one name for a file only.
    std::fs::hard_link(&file, &aside).or_else(|_| std::fs::copy(&file, &aside).map(drop)).with_context(problem)?;
    // An index of the log, which SQLite makes again.
    let _ = std::fs::remove_file(state.join(format!("{FILE}-shm")));
    forget_oldest(state);
    Ok(Some(aside))
}

/// Removes a catalog that was made a moment ago of one that is set aside.
///
/// # Errors
/// It cannot be removed.
pub fn discard(state: &Path) -> anyhow::Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        let file = state.join(format!("{FILE}{suffix}"));
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{}: cannot remove the damaged catalog", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Keeps the newest damaged catalogs only: each is as large as the one in use.
fn forget_oldest(state: &Path) {
    let Ok(entries) = std::fs::read_dir(state) else { return };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let second = |name: &str| name.strip_prefix(DAMAGED)?.split_once('.')?.0.parse::<i64>().ok();
    let mut files: Vec<(i64, String)> = names.filter_map(|name| Some((second(&name)?, name))).collect();
    files.sort();
    let mut seconds: Vec<i64> = files.iter().map(|(second, _)| *second).collect();
    seconds.dedup();
    let newest = seconds.iter().rev().take(MOST_DAMAGED).min().copied().unwrap_or(i64::MIN);
    for (_, name) in files.iter().filter(|(second, _)| *second < newest) {
        let _ = std::fs::remove_file(state.join(name));
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
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
