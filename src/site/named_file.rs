//! Reads the files that the settings name: those of the configuration from anywhere, those of `_site.toml` beneath the watched folder only.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::article::load;
use crate::config::Origin;
use crate::folder::{Folder, Stat, is_ignored};

/// Maximum number of files in a folder that is read whole.
const MOST_FILES: usize = 100;

/// The bytes of a file, or why it cannot be read.
type ReadBytes = Result<Vec<u8>, String>;

/// Where a file is named.
#[derive(Debug, Clone, Copy)]
pub enum NamedIn<'a> {
    Configuration(&'a Origin),
    /// At this line of `_site.toml`.
    Folder(usize),
}

/// Reads files, and notes what it has looked at.
#[derive(Debug)]
pub struct NamedFiles<'a> {
    folder: &'a Folder,
    /// Each file, absolute, as it was before it was read.
    pub stats: Vec<(PathBuf, Option<Stat>)>,
}

/// The state of a file at an absolute path.
pub fn stat(path: &Path) -> Option<Stat> {
    std::fs::metadata(path).ok().map(|metadata| Stat::of(&metadata))
}

impl<'a> NamedFiles<'a> {
    pub fn new(folder: &'a Folder) -> Self {
        Self { folder, stats: Vec::new() }
    }

    /// Notes the state of a file.
    pub fn note(&mut self, path: PathBuf) {
        let stat = stat(&path);
        self.stats.push((path, stat));
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// It cannot be read, and why.
    pub fn read(&mut self, name: &Path, place: NamedIn<'_>, limit: u64) -> Result<Vec<u8>, String> {
        match place {
            NamedIn::Configuration(origin) => {
                let path = origin.resolve(name);
                read_anywhere(&path, limit).map_err(|why| format!("{}: {why}", path.display()))
            }
            NamedIn::Folder(_) => {
                self.note(self.folder.root().join(name));
                self.read_beneath(name, limit).map_err(|why| format!("{}: {why}", name.display()))
            }
        }
    }

    fn read_beneath(&self, name: &Path, limit: u64) -> Result<Vec<u8>, String> {
        if !name.is_relative() || name.iter().any(|part| part == "..") {
            return Err("not in the folder of articles: name a file in it, as in \"images/icon.svg\"".to_owned());
        }
        let loaded = load::open(self.folder, name).and_then(|file| file.load(limit));
        loaded.map(|loaded| loaded.bytes).map_err(|error| match error {
            load::LoadError::Gone => "no such file in the folder of articles: check the name".to_owned(),
            load::LoadError::TooLarge { size, limit } => too_large(size, limit),
            load::LoadError::NotAFile => "not a regular file".to_owned(),
            other => other.to_string(),
        })
    }
}

/// Reads the files of a folder that the operator names, in the order of their names, each of at most `limit` bytes.
///
/// # Errors
/// The folder cannot be read, and why.
pub fn read_folder(folder: &Path, limit: u64) -> Result<Vec<(PathBuf, ReadBytes)>, String> {
    let cannot = |error: std::io::Error| format!("{}: cannot read the folder: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.is_file() && !path.file_name().is_some_and(is_ignored) {
            paths.push(path);
        }
    }
    if paths.len() > MOST_FILES {
        return Err(format!("{}: {} files are too many for templates", folder.display(), paths.len()));
    }
    paths.sort();
    Ok(paths.into_iter().map(|path| (path.clone(), read_anywhere(&path, limit))).collect())
}

/// Reads a file that the operator names.
fn read_anywhere(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot read it: {error}");
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    let size = metadata.len().max(bytes.len() as u64);
    if size > limit { Err(too_large(size, limit)) } else { Ok(bytes) }
}

fn too_large(size: u64, limit: u64) -> String {
    format!("{size} bytes are too many: every visitor loads it; make it smaller than {} KiB", limit / 1024)
}
