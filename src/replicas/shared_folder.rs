//! The log in a folder that all nodes share: a network file system, or one disk.
//!
//! A record is a file `records/<number>`, a copy of the catalog a file `bases/<number>`. A hard link creates a name exclusively, also on
//! NFS, and makes the file appear with its whole content.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::log::{Appended, LogError, LogResult, ReplicaLog};
use super::memory::file_error;

/// How often the folder is looked at while a record is awaited.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A temporary file of this age was left by a process that ended while it wrote it.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);

/// The log in a shared folder.
#[derive(Debug)]
pub struct SharedFolderLog {
    root: PathBuf,
    /// Distinguishes the temporary files of this handle from all others.
    handle: uuid::Uuid,
}

impl SharedFolderLog {
    /// Opens the log in `root`, an existing folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), handle: uuid::Uuid::new_v4() }
    }

    fn folder(&self, kind: &str) -> LogResult<PathBuf> {
        // The folder itself is not created: an unmounted share must not be taken for an empty log.
        if !self.root.is_dir() {
            return Err(LogError(format!("{}: there is no such folder", self.root.display())));
        }
        let folder = self.root.join(kind);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(file_error(&folder, &error)),
            _ => Ok(folder),
        }
    }

    /// Writes a file completely, and gives it its name only if there is none with this name.
    fn create(&self, file: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> LogResult<Appended> {
        let parent = self.folder("unfinished")?;
        let temporary = parent.join(self.handle.to_string());
        let at = |error: std::io::Error| file_error(file, &error);
        let mut opened = OpenOptions::new().write(true).create(true).truncate(true).open(&temporary).map_err(at)?;
        write(&mut opened).and_then(|()| opened.sync_all()).map_err(at)?;
        let linked = match fs::hard_link(&temporary, file) {
            Ok(()) => Ok(Appended::Created),
            // Over NFS, the answer to a successful request may be lost, and the repeated request finds the own link.
            Err(_) if is_same_file(&temporary, file) => Ok(Appended::Created),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Appended::Exists),
            Err(error) => Err(at(error)),
        };
        let _ = fs::remove_file(&temporary);
        if linked == Ok(Appended::Created) {
            // The name is durable, too.
            let folder = file.parent().unwrap_or(&self.root);
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(at)?;
        }
        linked
    }

    /// The numbers of all files of a kind.
    fn numbers(&self, kind: &str) -> LogResult<Vec<u64>> {
        let folder = self.folder(kind)?;
        let names = fs::read_dir(&folder).map_err(|error| file_error(&folder, &error))?;
        let number = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
        Ok(names.filter_map(number).collect())
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
fn name(number: u64) -> String {
    format!("{number:020}")
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    use crate::system::file_identity::FileIdentity;
    FileIdentity::at(one).is_some_and(|identity| FileIdentity::at(other) == Some(identity))
}

impl ReplicaLog for SharedFolderLog {
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended> {
        let file = self.folder("records")?.join(name(number));
        self.create(&file, |opened| opened.write_all(record))
    }

    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>> {
        let file = self.folder("records")?.join(name(number));
        match fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error(&file, &error)),
        }
    }

    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()> {
        let target = self.folder("bases")?.join(name(number));
        let mut source = File::open(file).map_err(|error| file_error(file, &error))?;
        self.create(&target, |opened| std::io::copy(&mut source, opened).map(|_| ())).map(|_| ())
    }

    fn newest_base(&mut self) -> LogResult<Option<u64>> {
        Ok(self.numbers("bases")?.into_iter().max())
    }

    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool> {
        let source = self.folder("bases")?.join(name(number));
        match fs::copy(&source, file) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(file_error(&source, &error)),
        }
    }

    fn trim(&mut self, number: u64) -> LogResult<()> {
        self.remove_abandoned()?;
        let records = self.numbers("records")?.into_iter().filter(|record| *record <= number);
        let records: Vec<String> = records.map(|record| format!("records/{}", name(record))).collect();
        let bases = self.numbers("bases")?.into_iter().filter(|base| *base < number);
        let bases: Vec<String> = bases.map(|base| format!("bases/{}", name(base))).collect();
        for below in records.into_iter().chain(bases) {
            let file = self.root.join(below);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(file_error(&file, &error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()> {
        let until = Instant::now() + timeout;
        let file = self.folder("records")?.join(name(number));
        while !file.exists() && Instant::now() < until {
            std::thread::sleep(POLL_INTERVAL.min(timeout));
        }
        Ok(())
    }

    fn place(&self) -> String {
        format!("the shared folder {}", self.root.display())
    }
}
