//! A copy of the site in a folder.
//!
//! Beside the files, `.gazetted/` holds the newest manifest (`manifest-<n>`), a journal for each export that has not ended
//! (`journal-<n>`: the files that it may have written), and a lock. A manifest is made under a number that no other has, and only
//! after all files are on the disk.
//!
//! Files are copied, never linked: a hard link would change the change time of a file in the watched folder, and with it the date and
//! the validator with which the daemon serves it, and its own date would not be the one that is served.

use std::fs::{self, DirEntry, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;

use super::file_row::{FileRow, escaped, unescaped};
use super::layout::{OWN_FOLDER, StoreKind};
use super::manifest::UNFINISHED;
use super::target::{ExportObject, ExportTarget, FileOrigin, ObjectBody, PutError, PutFile, PutOutcome};
use crate::folder::media::OpenMedia;
use crate::model::text::path_line;
use crate::render::compression::ContentCoding;
use crate::system::platform;

/// Names below [`OWN_FOLDER`]; a number follows the first two.
const MANIFEST: &str = "manifest-";
const JOURNAL: &str = "journal-";
const LOCK: &str = "lock";
const SCRATCH: &str = "scratch";
/// Name of a file that is being written; the number of the thread follows.
const UNFINISHED_FILE: &str = ".gazetted-new-";
/// Maximum number of threads that write.
const MAX_WORKERS: usize = 4;
/// Bytes of a file beside articles that are copied at a time.
const CHUNK: usize = 256 << 10;

/// Endings of the files of the codings, in the order of [`FileRow::sizes`].
const ENDINGS: [(ContentCoding, &str); 4] = [
    (ContentCoding::Identity, ""),
    (ContentCoding::Gzip, ".gz"),
    (ContentCoding::Brotli, ".br"),
    (ContentCoding::Zstd, ".zst"),
];

/// A folder that this process has locked.
#[derive(Debug)]
pub struct FolderTarget {
    root: PathBuf,
    own: PathBuf,
    scratch: PathBuf,
    /// Number of the newest manifest; 0 if there is none.
    base: u64,
    /// Number of this export.
    number: u64,
    journal: Mutex<File>,
    folds_case: bool,
    _lock: File,
}

impl FolderTarget {
    /// Opens a folder that an export has made, or makes one.
    ///
    /// # Errors
    /// The folder is not empty and not of an export, another export is writing to it, or it cannot be written.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let name = path_line(root);
        let own = root.join(OWN_FOLDER);
        let failed = |error: io::Error| anyhow::anyhow!("{name}: cannot write to the folder: {error}");
        fs::create_dir_all(root).map_err(failed)?;
        if !own.is_dir() && fs::read_dir(root).map_err(failed)?.next().is_some() {
            anyhow::bail!(
                "{name}: the folder is not empty, and not an export of gazetted: name another one, or move away what is in it"
            );
        }
        fs::create_dir_all(&own).map_err(failed)?;
        let lock = File::options().write(true).create(true).truncate(false).open(own.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                anyhow::bail!("{name}: another export is writing to this folder: wait until it ends, or stop it");
            }
            // Some network file systems have no locks: the numbers of manifests tell exports apart.
            Err(fs::TryLockError::Error(error)) => tracing::debug!(%error, "cannot lock the folder of an export"),
        }
        let base = numbered(&own, MANIFEST).map_err(failed)?.pop().unwrap_or(0);
        let last = numbered(&own, JOURNAL).map_err(failed)?.pop().unwrap_or(0);
        let number = base.max(last) + 1;
        let journal = File::options().append(true).create_new(true).open(own.join(file_name(JOURNAL, number)));
        let journal = Mutex::new(journal.map_err(failed)?);
        let scratch = own.join(SCRATCH);
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir_all(&scratch).map_err(failed)?;
        let folds_case = own.join(LOCK.to_uppercase()).exists();
        let root = root.to_path_buf();
        let target = Self { root, own, scratch, base, number, journal, folds_case, _lock: lock };
        target.sweep().map_err(failed)?;
        Ok(target)
    }

    fn path(&self, file: &str, ending: &str) -> PathBuf {
        self.root.join(format!("{file}{ending}"))
    }

    /// Removes what unfinished exports were writing when they ended.
    fn sweep(&self) -> io::Result<()> {
        let mut folder = None;
        self.read_journals(&mut |line| {
            let file = unescaped(&line[UNFINISHED.len_utf8()..]);
            let parent = self.root.join(file).parent().map(Path::to_path_buf);
            if parent != folder {
                for worker in 0..MAX_WORKERS {
                    let place = parent.as_ref().map(|parent| parent.join(format!("{UNFINISHED_FILE}{worker}")));
                    if let Some(place) = place.filter(|place| self.check_folders(place).is_ok()) {
                        let _ = fs::remove_file(place);
                    }
                }
                folder = parent;
            }
            Ok(())
        })
    }

    /// Reads the journals of exports that began after the newest manifest, but for this one.
    fn read_journals(&self, line: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        for number in numbered(&self.own, JOURNAL)? {
            if number > self.base && number != self.number {
                read_lines(&self.own.join(file_name(JOURNAL, number)), &mut |text| {
                    line(&format!("{UNFINISHED}{text}"))
                })?;
            }
        }
        Ok(())
    }

    /// The folders above a path, from the root of the export on, without that root.
    fn folders<'a>(&self, path: &'a Path) -> Vec<&'a Path> {
        let mut folders: Vec<&Path> = path.ancestors().skip(1).take_while(|folder| *folder != self.root).collect();
        folders.reverse();
        folders
    }

    /// Checks that the folders above a path are none or folders: a link would lead out of the export.
    fn check_folders(&self, path: &Path) -> Result<(), PutError> {
        for folder in self.folders(path) {
            match fs::symlink_metadata(folder) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(in_the_way(folder)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(obstructed(folder, &error)),
            }
        }
        Ok(())
    }

    /// Makes the folders above a path.
    fn make_folders(&self, path: &Path) -> Result<(), PutError> {
        for folder in self.folders(path) {
            match fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(obstructed(folder, &error)),
                _ => {}
            }
        }
        self.check_folders(path)
    }

    /// Writes a file beside its place. Returns what `write` returns.
    fn write_beside<T>(
        &self,
        path: &Path,
        modified: i64,
        worker: usize,
        write: impl FnOnce(&mut File) -> Result<T, PutError>,
    ) -> Result<(PathBuf, T), PutError> {
        let parent = path.parent().unwrap_or(&self.root);
        self.make_folders(path)?;
        let beside = parent.join(format!("{UNFINISHED_FILE}{worker}"));
        // A link of that name would lead elsewhere.
        remove(&beside)?;
        let file = File::options().write(true).create_new(true).open(&beside);
        let mut file = file.map_err(|error| obstructed(&beside, &error))?;
        let written = write(&mut file).and_then(|written| {
            file.set_modified(time(modified))?;
            Ok(written)
        });
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        Ok((beside, written?))
    }

    /// Moves a written file to its place.
    fn settle(beside: &Path, path: &Path, may_replace: bool) -> Result<(), PutError> {
        let moved = if may_replace {
            fs::rename(beside, path)
        } else {
            match platform::move_to_free_place(beside, path) {
                // Not every file system can.
                Err(Errno::INVAL | Errno::NOSYS) if !path.exists() => fs::rename(beside, path),
                Err(Errno::EXIST) => Err(io::ErrorKind::AlreadyExists.into()),
                moved => moved.map_err(io::Error::from),
            }
        };
        moved.map_err(|error| {
            let _ = fs::remove_file(beside);
            obstructed(path, &error)
        })
    }

    fn put_bytes(
        &self,
        object: &ExportObject,
        variants: &[(ContentCoding, bytes::Bytes)],
        worker: usize,
    ) -> Result<PutFile, PutError> {
        let bytes = |coding| variants.iter().find(|(own, _)| *own == coding).map(|(_, bytes)| bytes);
        let plain = bytes(ContentCoding::Identity).map_or(&[][..], |bytes| bytes);
        let mut put = PutFile { outcome: PutOutcome::Recognised, content: half(&blake3::hash(plain)), sizes: [0; 4] };
        let mut states = [FileState::Absent; 4];
        for (index, (coding, ending)) in ENDINGS.into_iter().enumerate() {
            let Some(bytes) = bytes(coding) else { continue };
            put.sizes[index] = bytes.len() as u64;
            states[index] =
                state(&self.path(&object.file, ending), object.origin, index, |file| holds_bytes(file, bytes))?;
        }
        // The uncompressed file last: a server looks for the others after it has found that.
        for (index, (coding, ending)) in ENDINGS.into_iter().enumerate().rev() {
            let path = self.path(&object.file, ending);
            let Some(bytes) = bytes(coding) else {
                remove_former(&path, object.origin, index)?;
                continue;
            };
            if states[index] == FileState::Same {
                let dated = File::open(&path).and_then(|file| file.set_modified(time(object.modified)));
                dated.map_err(|error| obstructed(&path, &error))?;
                continue;
            }
            put.outcome = PutOutcome::Written;
            let write = |file: &mut File| Ok(file.write_all(bytes)?);
            let (beside, ()) = self.write_beside(&path, object.modified, worker, write)?;
            Self::settle(&beside, &path, states[index] == FileState::Other)?;
        }
        Ok(put)
    }

    fn put_media(&self, object: &ExportObject, media: &OpenMedia, worker: usize) -> Result<PutFile, PutError> {
        let path = self.path(&object.file, "");
        let (beside, content) = self.write_beside(&path, object.modified, worker, |file| copy(media, file))?;
        let is_same = |there: &mut File| Ok(hash_of(there)? == content);
        let state = match state(&path, object.origin, 0, is_same) {
            Ok(state) => state,
            Err(error) => {
                let _ = fs::remove_file(&beside);
                return Err(error);
            }
        };
        let outcome = if state == FileState::Same { PutOutcome::Recognised } else { PutOutcome::Written };
        Self::settle(&beside, &path, state != FileState::Absent)?;
        Ok(PutFile { outcome, content: half(&content), sizes: [media.size(), 0, 0, 0] })
    }
}

impl ExportTarget for FolderTarget {
    fn kind(&self) -> StoreKind {
        StoreKind::Folder
    }

    fn workers(&self) -> usize {
        thread::available_parallelism().map_or(1, NonZero::get).clamp(1, MAX_WORKERS)
    }

    fn read(&self, line: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        if self.base > 0 {
            let manifest = self.own.join(file_name(MANIFEST, self.base));
            let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path_line(&manifest)));
            read_lines(&manifest, line).map_err(at)?;
        }
        self.read_journals(line)
    }

    fn intend(&self, files: &[&str]) -> io::Result<()> {
        let lines = files.iter().map(|file| escaped(file) + "\n").collect::<String>();
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.write_all(lines.as_bytes())?;
        journal.sync_data()
    }

    fn is_occupied(&self, file: &str) -> bool {
        let is_free = |error: io::Error| is_absent(&error);
        ENDINGS.iter().any(|(_, ending)| !fs::symlink_metadata(self.path(file, ending)).is_err_and(is_free))
    }

    fn holds(&self, file: &str, row: &FileRow) -> bool {
        let is_there = |ending: &str, size: u64| {
            let metadata = fs::symlink_metadata(self.path(file, ending));
            metadata.is_ok_and(|found| {
                let is_dated = found.modified().is_ok_and(|modified| modified == time(row.modified));
                found.is_file() && found.len() == size && is_dated
            })
        };
        ENDINGS.iter().zip(row.sizes).enumerate().all(|(index, ((_, ending), size))| {
            // An empty document is a file, too.
            (index > 0 && size == 0) || is_there(ending, size)
        })
    }

    fn put(&self, object: &ExportObject, worker: usize) -> Result<PutFile, PutError> {
        self.check_folders(&self.path(&object.file, ""))?;
        match &object.body {
            ObjectBody::Bytes(variants) => self.put_bytes(object, variants, worker),
            ObjectBody::Media(media) => self.put_media(object, media, worker),
        }
    }

    fn touch(&self, file: &str, row: &FileRow) -> bool {
        if self.check_folders(&self.path(file, "")).is_err() {
            return false;
        }
        let endings = ENDINGS.iter().zip(row.sizes).enumerate().filter(|(index, (_, size))| *index == 0 || *size > 0);
        endings.into_iter().all(|(_, ((_, ending), _))| {
            let open = File::open(self.path(file, ending));
            open.and_then(|file| file.set_modified(time(row.modified))).is_ok()
        })
    }

    fn delete(&self, file: &str, row: Option<&FileRow>) -> Result<(), PutError> {
        let path = self.path(file, "");
        self.check_folders(&path)?;
        for (index, (_, ending)) in ENDINGS.into_iter().enumerate() {
            if index == 0 || row.is_none_or(|row| row.sizes[index] > 0) {
                remove(&self.path(file, ending))?;
            }
        }
        // Folders that are empty now. Others stay.
        for folder in self.folders(&path).into_iter().rev() {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn folds_case(&self) -> bool {
        self.folds_case
    }

    fn scratch(&self) -> &Path {
        &self.scratch
    }

    fn commit(&self, manifest: &Path) -> io::Result<()> {
        let taken = || io::Error::other("another export has written to this folder meanwhile: export again");
        if numbered(&self.own, MANIFEST)?.pop().unwrap_or(0) != self.base {
            return Err(taken());
        }
        // All files are on the disk before a manifest says so.
        platform::synchronise_all(File::open(&self.own)?)?;
        let place = self.own.join(file_name(MANIFEST, self.number));
        match fs::hard_link(manifest, &place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken()),
            // A file system without links.
            Err(_) => platform::move_to_free_place(manifest, &place)?,
            Ok(()) => {}
        }
        File::open(&self.own)?.sync_all()?;
        for (kind, before) in [(MANIFEST, self.number), (JOURNAL, self.number + 1)] {
            for number in numbered(&self.own, kind)?.into_iter().filter(|number| *number < before) {
                remove_file(&self.own.join(file_name(kind, number)))?;
            }
        }
        let _ = fs::remove_dir_all(&self.scratch);
        Ok(())
    }
}

/// What is at the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    Absent,
    /// The file that is to be written.
    Same,
    /// Another one, which may be replaced.
    Other,
}

fn state(
    path: &Path,
    origin: FileOrigin,
    index: usize,
    is_same: impl FnOnce(&mut File) -> io::Result<bool>,
) -> Result<FileState, PutError> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileState::Absent),
        found => found.map_err(|error| obstructed(path, &error))?,
    };
    // A compressed form that the manifest does not have is not the export's.
    let is_own = matches!(origin, FileOrigin::Own(row) if index == 0 || row.sizes[index] > 0);
    if !metadata.is_file() {
        return Err(in_the_way(path));
    }
    if is_own {
        return Ok(FileState::Other);
    }
    match (File::open(path).and_then(|mut file| is_same(&mut file)), origin) {
        (Ok(true), _) => Ok(FileState::Same),
        (_, FileOrigin::Unfinished) => Ok(FileState::Other),
        (Err(error), _) => Err(PutError::Obstructed(format!("{}: {error}", path_line(path)))),
        (Ok(false), _) => Err(PutError::Obstructed(format!(
            "{}: gazetted did not write the file that is there: move it away, then export again",
            path_line(path)
        ))),
    }
}

/// Removes the compressed form of a document that has none any more.
fn remove_former(path: &Path, origin: FileOrigin, index: usize) -> Result<(), PutError> {
    match origin {
        FileOrigin::Own(row) if row.sizes[index] > 0 => remove(path),
        FileOrigin::Unfinished => remove(path),
        _ => Ok(()),
    }
}

/// Removes a file, if there is one.
fn remove(path: &Path) -> Result<(), PutError> {
    remove_file(path).map_err(|error| obstructed(path, &error))
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    [NotFound, NotADirectory, IsADirectory].contains(&error.kind())
}

fn in_the_way(path: &Path) -> PutError {
    PutError::Obstructed(format!(
        "{}: a folder or a link is in the way: move it away, then export again",
        path_line(path)
    ))
}

/// The error of a file for which there is no place, or of a store that cannot be written.
fn obstructed(path: &Path, error: &io::Error) -> PutError {
    use io::ErrorKind::{AlreadyExists, InvalidFilename, IsADirectory, NotADirectory, PermissionDenied};
    match error.kind() {
        AlreadyExists | IsADirectory | NotADirectory => PutError::Obstructed(format!(
            "{}: another file or folder is in the way: move it away, then export again",
            path_line(path)
        )),
        InvalidFilename => PutError::Obstructed(format!("{}: its name is too long", path_line(path))),
        PermissionDenied => PutError::Obstructed(format!("{}: {error}", path_line(path))),
        _ if Errno::from_io_error(error) == Some(Errno::LOOP) => in_the_way(path),
        kind => PutError::Failed(io::Error::new(kind, format!("{}: {error}", path_line(path)))),
    }
}

fn copy(media: &OpenMedia, file: &mut File) -> Result<blake3::Hash, PutError> {
    let (mut hasher, mut offset) = (blake3::Hasher::new(), 0);
    while offset < media.size() {
        let length = usize::try_from(media.size() - offset).unwrap_or(CHUNK).min(CHUNK);
        let bytes = media.read(offset, length).map_err(|error| PutError::Obstructed(error.to_string()))?;
        hasher.update(&bytes);
        file.write_all(&bytes)?;
        offset += length as u64;
    }
    Ok(hasher.finalize())
}

fn hash_of(file: &mut File) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(hasher.finalize())
}

fn holds_bytes(file: &mut File, bytes: &[u8]) -> io::Result<bool> {
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let mut there = Vec::with_capacity(bytes.len());
    file.read_to_end(&mut there)?;
    Ok(there == bytes)
}

/// The first half of a hash.
fn half(hash: &blake3::Hash) -> [u8; 16] {
    hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes")
}

/// A date of a file. Dates before 1970 become that.
fn time(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

fn file_name(kind: &str, number: u64) -> String {
    format!("{kind}{number:08}")
}

/// The numbers of the files of a kind, in order.
fn numbered(folder: &Path, kind: &str) -> io::Result<Vec<u64>> {
    let number = |entry: DirEntry| entry.file_name().to_str()?.strip_prefix(kind)?.parse().ok();
    let mut numbers: Vec<u64> = fs::read_dir(folder)?.filter_map(|entry| number(entry.ok()?)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads the whole lines of a file. The last one may have been cut off when the machine stopped: nothing was done by it.
fn read_lines(path: &Path, line: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut text = String::new();
    while reader.read_line(&mut text)? > 0 {
        if let Some(whole) = text.strip_suffix('\n') {
            line(whole)?;
        }
        text.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    fn object(file: &str, text: &'static str, origin: FileOrigin) -> ExportObject {
        let body = ObjectBody::Bytes(vec![(ContentCoding::Identity, text.into()), (ContentCoding::Gzip, "gz".into())]);
        ExportObject { file: file.to_owned(), headers: HeaderMap::new(), modified: 100, body, origin }
    }

    fn read(target: &FolderTarget) -> Vec<String> {
        let mut lines = Vec::new();
        let add = &mut |line: &str| {
            lines.push(line.to_owned());
            Ok(())
        };
        target.read(add).unwrap();
        lines
    }

    #[test]
    fn files_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        let target = FolderTarget::open(&root).unwrap();
        let put = |file: &str, text, origin| target.put(&object(file, text, origin), 0);
        let outcome = |put: Result<PutFile, PutError>| put.map(|put| put.outcome).ok();
        assert_eq!(outcome(put("a/b", "text", FileOrigin::Unknown)), Some(PutOutcome::Written));
        assert_eq!(outcome(put("a/b", "text", FileOrigin::Unknown)), Some(PutOutcome::Recognised));
        // Another text, a folder, a file in the place of a folder, and another compressed form.
        for (file, text) in [("a/b", "other"), ("a", "text"), ("a/b/c", "text")] {
            assert!(matches!(put(file, text, FileOrigin::Unknown), Err(PutError::Obstructed(_))), "{file}");
        }
        fs::write(root.join("c.gz"), "own").unwrap();
        assert!(matches!(put("c", "text", FileOrigin::Unknown), Err(PutError::Obstructed(_))));
        assert!(!root.join("c").exists() && target.is_occupied("c") && !target.is_occupied("d"));
        assert_eq!(fs::read(root.join("a/b")).unwrap(), b"text");
        assert_eq!(outcome(put("a/b", "other", FileOrigin::Unfinished)), Some(PutOutcome::Written));
        let row = FileRow { modified: 100, sizes: [5, 2, 0, 0], ..FileRow::default() };
        assert!(target.holds("a/b", &row) && !target.holds("a/b", &FileRow { modified: 101, ..row }));
        fs::write(root.join("a/own"), "own").unwrap();
        target.delete("a/b", Some(&row)).unwrap();
        target.delete("a/b", Some(&row)).unwrap();
        assert!(root.join("a/own").exists() && !target.is_occupied("a/b"));
        fs::remove_file(root.join("a/own")).unwrap();
        put("a/b", "text", FileOrigin::Unknown).unwrap();
        target.delete("a/b", None).unwrap();
        assert!(!root.join("a").exists() && root.exists(), "folders that are empty go");
    }

    #[test]
    fn no_link_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (root, other) = (folder.path().join("site"), folder.path().join("other"));
        let target = FolderTarget::open(&root).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("b"), "own").unwrap();
        std::os::unix::fs::symlink(&other, root.join("a")).unwrap();
        std::os::unix::fs::symlink(other.join("b"), root.join(format!("{UNFINISHED_FILE}0"))).unwrap();
        let row = FileRow { modified: 100, sizes: [3, 2, 0, 0], ..FileRow::default() };
        for file in ["a/b", "a/new", "a/c/d"] {
            for origin in [FileOrigin::Own(row), FileOrigin::Unfinished, FileOrigin::Unknown] {
                assert!(matches!(target.put(&object(file, "own", origin), 0), Err(PutError::Obstructed(_))), "{file}");
            }
            assert!(matches!(target.delete(file, None), Err(PutError::Obstructed(_))) && !target.touch(file, &row));
        }
        assert!(target.put(&object("c", "text", FileOrigin::Unknown), 0).is_ok());
        assert_eq!(
            (fs::read(other.join("b")).unwrap(), fs::read(root.join("c")).unwrap()),
            (b"own".into(), b"text".into())
        );
        assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
        // A link to itself is in the way of its own file only.
        std::os::unix::fs::symlink("e", root.join("e")).unwrap();
        assert!(matches!(target.put(&object("e/f", "text", FileOrigin::Unknown), 0), Err(PutError::Obstructed(_))));
        let denied = obstructed(&root, &io::ErrorKind::PermissionDenied.into());
        assert!(matches!(denied, PutError::Obstructed(why) if why.contains("permission denied")));
        let full = obstructed(&root, &io::ErrorKind::StorageFull.into());
        assert!(matches!(full, PutError::Failed(_)), "no other file can be written either");
    }

    #[test]
    fn a_line_of_a_journal_that_was_cut_off_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        let target = FolderTarget::open(&root).unwrap();
        target.intend(&["a/b", "c\nd"]).unwrap();
        assert_eq!(read(&target), [""; 0], "its own journal");
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/.gazetted-new-0"), "half").unwrap();
        drop(target);
        let journal = root.join(OWN_FOLDER).join("journal-00000001");
        let mut text = fs::read_to_string(&journal).unwrap();
        text.push_str("articles/ab");
        fs::write(journal, text).unwrap();
        let target = FolderTarget::open(&root).unwrap();
        assert_eq!(read(&target), ["\ta/b", "\tc%0Ad"]);
        assert!(!root.join("a/.gazetted-new-0").exists(), "what was being written is gone");
        let manifest = target.scratch().join("manifest");
        fs::write(&manifest, "text\n").unwrap();
        target.commit(&manifest).unwrap();
        drop(target);
        let target = FolderTarget::open(&root).unwrap();
        assert_eq!((read(&target), target.number), (vec!["text".to_owned()], 3));
    }
}
