//! The log in a folder that all nodes share: a network file system, or one disk.
//!
//! A record is a file `records/<number>`, a copy of the catalog a file `bases/<number>`. A hard link creates a name exclusively, also on
//! NFS, and makes the file appear with its whole content. A trimmed record is an empty file, so that its number is not used again.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::log::{Appended, LogError, LogResult, ReplicaLog, first_untrimmed, refuse_empty};
use super::memory::file_error;

/// How often the folder is looked at while a record is awaited: one request to a file server.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// A temporary file of this age was left by a process that ended while it wrote it.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);

/// The log in a shared folder.
#[derive(Debug)]
pub struct SharedFolderLog {
    root: PathBuf,
}

impl SharedFolderLog {
    /// Opens the log in `root`, an existing folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    fn folder(&self, kind: &str) -> LogResult<PathBuf> {
        // The folder itself is not created: an unmounted share must not be taken for an empty log.
        if !self.root.is_dir() {
            return Err(self.away());
        }
        let folder = self.root.join(kind);
        match fs::create_dir(&folder) {
            Ok(()) => sync_folder(&self.root).map(|()| folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(folder),
            Err(error) => Err(file_error(&folder, &error)),
        }
    }

    /// A path for a new file that no reader sees. Each is used once: after an error the file may already have its final name, too, and
    /// must not be written to again.
    fn temporary(&self) -> LogResult<PathBuf> {
        Ok(self.folder("unfinished")?.join(Uuid::new_v4().to_string()))
    }

    /// Writes a file completely, and gives it its name only if there is none with this name.
    fn create(&self, file: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> LogResult<Appended> {
        let temporary = self.temporary()?;
        let at = |error: std::io::Error| file_error(file, &error);
        let opened = OpenOptions::new().write(true).create_new(true).open(&temporary);
        let written = opened.and_then(|mut opened| write(&mut opened).and_then(|()| opened.sync_all()));
        let linked = match written.and_then(|()| fs::hard_link(&temporary, file)) {
            Ok(()) => Ok(Appended::Created),
            // Over NFS, the answer to a successful request may be lost, and the repeated request finds the own link.
            Err(_) if is_same_file(&temporary, file) => Ok(Appended::Created),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Appended::Exists),
            Err(error) => Err(at(error)),
        };
        let _ = fs::remove_file(&temporary);
        if linked == Ok(Appended::Created) {
            // The name is durable, too.
            sync_folder(file.parent().unwrap_or(&self.root))?;
        }
        linked
    }

    /// The numbers of all copies of the catalog.
    fn bases(&self) -> LogResult<Vec<u64>> {
        let folder = self.folder("bases")?;
        let names = fs::read_dir(&folder).map_err(|error| file_error(&folder, &error))?;
        let number = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
        Ok(names.filter_map(number).collect())
    }

    /// The file of a record, which may be absent.
    fn record(&self, number: u64) -> PathBuf {
        self.root.join("records").join(name(number))
    }

    /// Fails for the absence of a file if the whole folder is away.
    fn absent<T>(&self) -> LogResult<Option<T>> {
        if self.root.is_dir() { Ok(None) } else { Err(self.away()) }
    }

    fn away(&self) -> LogError {
        LogError(format!("{}: there is no such folder", self.root.display()))
    }

    /// The size of a record's file; `None` without such a file.
    fn size(&self, number: u64) -> LogResult<Option<u64>> {
        let file = self.record(number);
        match fs::metadata(&file) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => self.absent(),
            Err(error) => Err(file_error(&file, &error)),
        }
    }

    fn trim_record(&self, number: u64) -> LogResult<()> {
        if self.size(number)?.is_none() {
            return Ok(());
        }
        let file = self.record(number);
        let temporary = self.temporary()?;
        // A reader sees the whole record or none of it.
        let emptied = File::create_new(&temporary).and_then(|_| fs::rename(&temporary, &file));
        emptied.map_err(|error| file_error(&file, &error))
    }

    fn remove_abandoned(&self) -> LogResult<()> {
        let folder = self.folder("unfinished")?;
        let entries = fs::read_dir(&folder).map_err(|error| file_error(&folder, &error))?;
        for entry in entries.flatten() {
            let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > ABANDONED_AFTER) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}

/// The name of a file with a number; names sort as their numbers do.
pub(super) fn name(number: u64) -> String {
    format!("{number:020}")
}

fn sync_folder(folder: &Path) -> LogResult<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| file_error(folder, &error))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    use crate::system::file_identity::FileIdentity;
    FileIdentity::at(one).is_some_and(|identity| FileIdentity::at(other) == Some(identity))
}

impl ReplicaLog for SharedFolderLog {
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended> {
        refuse_empty(record)?;
        let file = self.folder("records")?.join(name(number));
        self.create(&file, |opened| opened.write_all(record))
    }

    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>> {
        let file = self.record(number);
        match fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes).filter(|bytes| !bytes.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => self.absent(),
            Err(error) => Err(file_error(&file, &error)),
        }
    }

    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()> {
        let target = self.folder("bases")?.join(name(number));
        let mut source = File::open(file).map_err(|error| file_error(file, &error))?;
        self.create(&target, |opened| std::io::copy(&mut source, opened).map(|_| ())).map(|_| ())
    }

    fn newest_base(&mut self) -> LogResult<Option<u64>> {
        Ok(self.bases()?.into_iter().max())
    }

    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool> {
        let source = self.folder("bases")?.join(name(number));
        let mut source_file = match File::open(&source) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(|error| file_error(&source, &error))?,
        };
        // `fs::copy` would copy the permissions, too.
        let mut target = File::create(file).map_err(|error| file_error(file, &error))?;
        std::io::copy(&mut source_file, &mut target).map_err(|error| file_error(&source, &error))?;
        Ok(true)
    }

    fn trim(&mut self, number: u64) -> LogResult<()> {
        self.remove_abandoned()?;
        for record in first_untrimmed(number, |record| Ok(self.size(record)? == Some(0)))?..=number {
            self.trim_record(record)?;
        }
        for base in self.bases()?.into_iter().filter(|base| *base < number) {
            let file = self.folder("bases")?.join(name(base));
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(file_error(&file, &error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()> {
        let until = Instant::now() + timeout;
        while self.size(number)?.is_none() && Instant::now() < until {
            std::thread::sleep(POLL_INTERVAL.min(timeout));
        }
        Ok(())
    }

    fn place(&self) -> String {
        format!("the shared folder {}", self.root.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_processes_that_ended_are_removed_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SharedFolderLog::new(folder.path());
        let (old, new) = (log.temporary().unwrap(), log.temporary().unwrap());
        for file in [&old, &new] {
            fs::write(file, "half").unwrap();
        }
        let long_ago = std::time::SystemTime::now() - ABANDONED_AFTER * 2;
        File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        log.trim(0).unwrap();
        assert!(!old.exists() && new.exists());
    }

    #[test]
    fn a_folder_that_is_away_is_no_empty_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SharedFolderLog::new(&folder.path().join("unmounted"));
        assert!(log.read(1).is_err() && log.newest_base().is_err() && log.append(1, b"x").is_err());
        assert!(!folder.path().join("unmounted").exists());
    }
}
