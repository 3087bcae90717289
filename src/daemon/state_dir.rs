//! The state directory. It belongs to one daemon and is never inside the watched folder.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::Utc;
use rustix::fs::OFlags;

use crate::catalog::{self, Catalog, CatalogError, FILE, IDENTITIES, RestoredIdentities, Salvaged, logged_namespace};
use crate::folder::Folder;
use crate::system::file_identity::FileIdentity;

/// Number of further attempts to lock the state directory, and the pause between two of them.
const LOCK_TRIES: usize = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Prefix of the names of damaged catalogs. The second in which one was set aside follows.
const DAMAGED: &str = "damaged-";
/// Directory below the state directory in which a recovered catalog is made.
pub(super) const RECOVERED: &str = "recovered";
/// Maximum number of damaged catalogs that are kept.
const MAX_DAMAGED: usize = 3;
/// Name of the file that is locked.
pub(super) const LOCK: &str = "lock";
/// File beside the catalog with the namespace of ids, so that a new catalog gives the same ids.
const NAMESPACE: &str = "namespace";

/// The lock on a state directory. Dropping it releases the lock.
#[derive(Debug)]
pub struct StateLock {
    file: Mutex<File>,
}

impl StateLock {
    /// The file that is locked; `None` if it cannot be examined.
    pub fn identity(&self) -> Option<FileIdentity> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.metadata().ok().as_ref().map(FileIdentity::of)
    }

    /// Locks the directory again, after the file was removed or replaced. Does nothing if an earlier attempt has locked it.
    ///
    /// # Errors
    /// The file cannot be used, or another process has locked it.
    pub fn take_again(&self, state: &Path) -> anyhow::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A lock belongs to an open file: the same file, opened a second time, would be refused.
        if !is_at(&file, &state.join(LOCK)) {
            *file = lock(state, 0)?;
        }
        Ok(())
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // Closing is not enough: a child process between fork and exec has the file open as well.
        let _ = self.file.lock().unwrap_or_else(PoisonError::into_inner).unlock();
    }
}

/// Whether an open file is the one at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else { return false };
    FileIdentity::of(&open) == FileIdentity::of(&there)
}

/// Resolves the symbolic links of a path whose last components need not exist.
pub(super) fn real(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    existing.map_or_else(|| path.to_path_buf(), |(above, real)| real.join(path.strip_prefix(above).unwrap_or(path)))
}

/// Whether a process has locked the state directory. If that cannot be examined, one has.
pub(super) fn is_taken(state: &Path) -> bool {
    let Ok(lock) = File::open(state.join(LOCK)) else { return state.join(LOCK).exists() };
    // Other commands that look at the same time share it.
    let is_taken = lock.try_lock_shared().is_err();
    let _ = lock.unlock();
    is_taken
}

/// Creates the state directory, readable by its owner only, and locks it for this process.
///
/// # Errors
/// It cannot be used, or another process has locked it.
pub fn take(state: &Path, folder: &Folder) -> anyhow::Result<StateLock> {
    // Before anything is created.
    check_place(state, folder)?;
    make(state)?;
    Ok(StateLock { file: Mutex::new(lock(state, LOCK_TRIES)?) })
}

/// Checks that the state directory is not in the watched folder, which is never written to.
///
/// # Errors
/// It is, or its place is not known.
pub fn check_place(state: &Path, folder: &Folder) -> anyhow::Result<()> {
    if real(&std::path::absolute(state)?).starts_with(real(folder.root())) {
        let advice = "which is never written to: name another with --state";
        bail!("{}: the state directory lies in the watched folder, {advice}", state.display());
    }
    Ok(())
}

/// Describes an error of the state directory.
fn problem(state: &Path, what: &str) -> String {
    format!("{}: cannot {what} the state directory", state.display())
}

/// Creates the state directory, readable by its owner only, if there is none.
pub(super) fn make(state: &Path) -> anyhow::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(state).with_context(|| problem(state, "make"))
}

/// Opens and locks the file in the state directory. `tries` is the number of further attempts.
fn lock(state: &Path, tries: usize) -> anyhow::Result<File> {
    // Does not follow a link, which another user may have placed there before the directory was ours.
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let lock = options.open(state.join(LOCK)).with_context(|| problem(state, "write to"))?;
    let mut locked = lock.try_lock();
    // The process that holds it may be about to end.
    for _ in 0..tries {
        if !matches!(locked, Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        locked = lock.try_lock();
    }
    match locked {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "{}: another gazetted uses this state directory: stop it, or name another directory with --state",
                state.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| problem(state, "lock")),
    }
}

/// The way in which the catalog is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Unchanged; damage is an error.
    AsIs,
    /// It was written again: as [`Opening::AsIs`], but another file in its place is an error.
    Written(FileIdentity),
    /// It is damaged, for this reason: it is set aside, and its readable rows are copied to a new one.
    Recovering(String),
    /// It is damaged again soon after its recovery, for this reason: it is set aside, and a new one starts empty.
    Empty(String),
}

impl Opening {
    /// Returns the next way to open a catalog that was found damaged; `None` after the last.
    pub fn after(&self, why: String) -> Option<Self> {
        match self {
            Self::AsIs | Self::Written(_) => Some(Self::Recovering(why)),
            Self::Recovering(_) => Some(Self::Empty(why)),
            Self::Empty(_) => None,
        }
    }
}

/// Opens the catalog of a state directory, or creates it. `opening` decides about a damaged one.
///
/// # Errors
/// It cannot be opened or created, or it is damaged and `opening` is [`Opening::AsIs`] or [`Opening::Written`].
pub fn open_catalog(state: &Path, authority: Option<&str>, opening: &Opening) -> anyhow::Result<Catalog> {
    let at_state = || format!("{}", state.display());
    let namespace = Some(state.join(NAMESPACE)).filter(|file| file.is_file());
    let namespace = namespace.and_then(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok());
    let namespace = namespace.or_else(|| logged_namespace(&state.join(IDENTITIES)));
    // Without a catalog, only a first start leaves no trace of one.
    let is_lost = *opening == Opening::AsIs
        && namespace.is_some()
        && std::fs::metadata(state.join(FILE)).map_or(0, |file| file.len()) == 0;
    let open = || Catalog::open_known(state, authority, namespace, Utc::now());
    let mut catalog = match opening {
        Opening::AsIs => open_intact(state, open).with_context(at_state)?,
        Opening::Written(file) => open_written(state, *file, open).with_context(at_state)?,
        Opening::Recovering(why) => {
            recover(state, why, |directory| Catalog::open_known(directory, authority, namespace, Utc::now()))?;
            open().with_context(at_state)?
        }
        Opening::Empty(why) => {
            start_empty(state, why)?;
            open().with_context(at_state)?
        }
    };
    // The file is needed only for a later recovery, so an error is ignored.
    let file = state.join(NAMESPACE);
    let is_writable = file.is_file() || !file.exists();
    if is_writable && (namespace != Some(catalog.namespace()) || !file.exists()) {
        let _ = std::fs::write(file, format!("{}\n", catalog.namespace()));
    }
    let restored = catalog.attach_identities(&state.join(IDENTITIES), Utc::now()).with_context(at_state)?;
    report_restored(state, &restored, is_lost);
    if is_lost || matches!(opening, Opening::Empty(_)) {
        catalog.mark_incomplete().with_context(at_state)?;
    }
    Ok(catalog)
}

/// Opens a catalog and checks it.
fn open_intact(state: &Path, open: impl Fn() -> catalog::Result<Catalog>) -> catalog::Result<Catalog> {
    check_kinds(state)?;
    let catalog = open()?;
    catalog.check_small(Utc::now())?;
    Ok(catalog)
}

/// As [`open_intact`], but only if the catalog is in this file. What another file holds, even damage, does not matter.
fn open_written(
    state: &Path,
    file: FileIdentity,
    open: impl Fn() -> catalog::Result<Catalog>,
) -> catalog::Result<Catalog> {
    let is_in_place = || FileIdentity::at(&state.join(FILE)) == Some(file);
    if !is_in_place() {
        return Err(CatalogError::Replaced);
    }
    match open_intact(state, open) {
        Ok(catalog) if catalog.file_identity() == file => Ok(catalog),
        Err(error) if is_in_place() => Err(error),
        _ => Err(CatalogError::Replaced),
    }
}

/// Checks that no folder or special file is in the place of the catalog or of its log.
fn check_kinds(state: &Path) -> catalog::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let name = format!("{FILE}{suffix}");
        if std::fs::metadata(state.join(&name)).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(CatalogError::Damaged(format!("{name} is not a file")));
        }
    }
    Ok(())
}

/// Removes a file, or a folder with all that is in it, if there is one.
pub(super) fn clear(path: &Path) {
    let _ = std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_file(path));
}

/// Logs that the catalog was lost, and which identities were restored.
fn report_restored(state: &Path, restored: &RestoredIdentities, is_lost: bool) {
    let RestoredIdentities { articles, deleted, skipped, unusable } = restored;
    if let Some(error) = unusable {
        let file = state.join(IDENTITIES);
        tracing::warn!(file = %file.display(), error, "cannot use the record of identities");
    }
    if is_lost {
        tracing::warn!(
            file = %state.join(FILE).display(),
            articles,
            deleted,
            skipped,
            "the catalog is missing or empty: articles continue under the ids in identities.log, others get ids from their paths; if ids \
             or dates are missing, restore a backup"
        );
    } else if articles + deleted > 0 {
        tracing::warn!(
            file = %state.join(FILE).display(),
            articles,
            deleted,
            skipped,
            "the catalog lacked articles that identities.log has: they continue under their ids"
        );
    }
}

/// Replaces a damaged catalog by a new one with its readable rows, or removes it if the new one is damaged as well. The damaged
/// catalog stays in its place until the new one is complete, so a full disk or a power cut loses nothing.
fn recover(state: &Path, why: &str, open: impl Fn(&Path) -> catalog::Result<Catalog>) -> anyhow::Result<()> {
    let problem = |what: &str| format!("{}: cannot {what} the recovered catalog", state.display());
    let scratch = state.join(RECOVERED);
    clear(&scratch);
    DirBuilder::new().mode(0o700).create(&scratch).with_context(|| problem("make"))?;
    // The new catalog is closed before it is moved.
    let salvaged = open(&scratch).and_then(|mut catalog| catalog.salvage(&state.join(FILE), Utc::now()));
    let Salvaged { articles, repaired, dropped } = match salvaged {
        Ok(salvaged) => salvaged,
        Err(error) if error.is_damage() => {
            let _ = std::fs::remove_dir_all(&scratch);
            return start_empty(state, &format!("{why}; after recovery, {error}"));
        }
        Err(error) => return Err(error).with_context(|| problem("write")),
    };
    let aside = set_aside(state)?;
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

/// Sets a damaged catalog aside and removes it.
fn start_empty(state: &Path, why: &str) -> anyhow::Result<()> {
    let aside = set_aside(state)?;
    discard(state)?;
    tracing::error!(
        error = why,
        file = aside.map(|aside| aside.display().to_string()),
        "the catalog was damaged, could not be recovered and starts empty; all files are read again: articles continue under \
         the ids in identities.log, others get ids from their paths; if ids or dates are missing, restore a backup"
    );
    Ok(())
}

/// Links the catalog under a second name and moves its write-ahead log there. Returns that name; `None` if there is no catalog.
/// Removes the oldest damaged catalogs.
pub(super) fn set_aside(state: &Path) -> anyhow::Result<Option<PathBuf>> {
    let (file, log) = (state.join(FILE), state.join(format!("{FILE}-wal")));
    let index = state.join(format!("{FILE}-shm"));
    if !file.exists() && !log.is_dir() && !index.is_dir() {
        return Ok(None);
    }
    let named = |second: i64| state.join(format!("{DAMAGED}{second}.sqlite"));
    // Two catalogs of one second get different names.
    let mut second = Utc::now().timestamp();
    while named(second).exists() {
        second += 1;
    }
    let aside = named(second);
    let problem = || format!("{}: cannot keep the damaged catalog", aside.display());
    if log.exists() {
        std::fs::rename(&log, with_suffix(&aside, "-wal")).with_context(problem)?;
    }
    if index.is_dir() {
        std::fs::rename(&index, with_suffix(&aside, "-shm")).with_context(problem)?;
    }
    if file.is_dir() {
        std::fs::rename(&file, &aside).with_context(problem)?;
    }
    if !file.exists() {
        return Ok(Some(aside));
    }
    // Some file systems do not support hard links.
    std::fs::hard_link(&file, &aside).or_else(|_| std::fs::copy(&file, &aside).map(drop)).with_context(problem)?;
    // An index of the log; SQLite creates it again.
    let _ = std::fs::remove_file(index);
    remove_oldest(state);
    Ok(Some(aside))
}

/// Removes a catalog that has been set aside, or that was made from such a one.
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

/// Removes all but the newest damaged catalogs, since each is as large as the one in use.
fn remove_oldest(state: &Path) {
    let Ok(entries) = std::fs::read_dir(state) else { return };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let second = |name: &str| name.strip_prefix(DAMAGED)?.split_once('.')?.0.parse::<i64>().ok();
    let mut files: Vec<(i64, String)> = names.filter_map(|name| Some((second(&name)?, name))).collect();
    files.sort();
    let mut seconds: Vec<i64> = files.iter().map(|(second, _)| *second).collect();
    seconds.dedup();
    let newest = seconds.iter().rev().take(MAX_DAMAGED).min().copied().unwrap_or(i64::MIN);
    for (_, name) in files.iter().filter(|(second, _)| *second < newest) {
        let _ = std::fs::remove_file(state.join(name));
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Checks that the catalog belongs to this folder, and records the folder.
///
/// # Errors
/// It belongs to another folder: none of its articles are in this one.
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
        let is_here = catalog.with_known(|articles| {
            let mut articles = articles.peekable();
            let is_empty = articles.peek().is_none();
            Ok(is_empty || articles.flatten().any(|article| folder.root().join(article.path).exists()))
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
