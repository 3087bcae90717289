//! The files that hold data of the articles beneath or beside them: finds those of an article, and keeps what was read of those for a whole
//! folder.
//!
//! A file of a folder is read again when its `stat` differs. Which files a folder has is looked up again when the folder itself has
//! changed. During a scan, the walk has listed them all. A file that has vanished counts until [`FolderData::forget`]: many programs save
//! by deleting and writing again.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono_tz::Tz;

use super::front_matter::inherited::{ArticleData, Inherited};
use super::load::{LoadError, load_as};
use super::problem::{Problem, panic_as_problem};
use crate::folder::{ABOVE, DataFileKind, Folder, SourceFormat, Stat};

/// Maximum size of such a file in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// BLAKE3 of what a file says.
pub type DataHash = [u8; 32];

/// A file of data that was read.
#[derive(Debug, Clone)]
pub struct ReadData {
    pub stat: Stat,
    /// `None` if it says nothing of articles.
    pub hash: Option<DataHash>,
    pub data: Arc<ArticleData>,
}

impl ReadData {
    fn new(stat: Stat, data: ArticleData) -> Self {
        Self { stat, hash: data.fingerprint(), data: Arc::new(data) }
    }
}

/// The identity and the times of a folder.
type FolderStamp = (u64, i64, i64, i64);

/// The files of one folder that hold for all articles beneath, the one that takes precedence first.
#[derive(Debug, Default, Clone)]
struct FolderLevel {
    /// `None` if they are to be looked up again.
    stamp: Option<FolderStamp>,
    files: Vec<(PathBuf, ReadData)>,
}

#[derive(Debug, Default)]
struct KnownData {
    levels: HashMap<PathBuf, Arc<FolderLevel>>,
    /// Every file of data that a walk found, while what it found is being read.
    listed: Option<HashSet<PathBuf>>,
    /// Meanwhile, the folders in which a file of data may be for one article.
    with_sidecars: HashSet<PathBuf>,
    /// Files with which articles may have been read, each with its hash.
    recorded: HashMap<PathBuf, DataHash>,
    /// Increased whenever a file is found to have changed.
    generation: u64,
}

/// Finds the data of articles. Clones share what was read.
#[derive(Debug, Clone)]
pub struct FolderData {
    folder: Folder,
    timezone: Tz,
    known: Arc<RwLock<KnownData>>,
}

/// How files are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataLookup {
    /// As the walk has listed them, if one has.
    Listed,
    /// On the disk.
    Present,
}

impl FolderData {
    pub fn new(folder: Folder, timezone: Tz) -> Self {
        Self { folder, timezone, known: Arc::default() }
    }

    /// What other files say of an article, by its path below the watched folder.
    pub fn of(&self, article: &Path, lookup: DataLookup) -> Inherited {
        let lookup = if self.known().listed.is_none() { DataLookup::Present } else { lookup };
        let mut files = self.beside(article, lookup);
        let mut folder = article.parent();
        while let Some(below) = folder {
            files.extend(self.with_keys(below, lookup));
            folder = below.parent();
        }
        if !self.folder.data_files_above().is_empty() {
            // No walk lists them.
            files.extend(self.with_keys(Path::new(ABOVE), DataLookup::Present));
        }
        Inherited::new(self.folder.root(), article, files)
    }

    /// The files of one folder that say something of articles.
    fn with_keys(&self, folder: &Path, lookup: DataLookup) -> Vec<Arc<ArticleData>> {
        let level = self.level(folder, lookup);
        let with_keys = level.files.iter().filter(|(_, read)| read.hash.is_some());
        with_keys.map(|(_, read)| Arc::clone(&read.data)).collect()
    }

    /// Changes whenever what [`FolderData::of`] returns may differ from before.
    pub fn generation(&self) -> u64 {
        self.known().generation
    }

    /// Sets the files that a walk found; `None` once what it found has been read.
    pub fn set_listed(&self, listed: Option<HashSet<PathBuf>>) {
        let mut known = self.known_mut();
        let files = listed.iter().flatten().chain(known.recorded.keys());
        let with_files = files.filter_map(|file| self.folder_of_sidecar(file)).collect();
        (known.listed, known.with_sidecars) = (listed, with_files);
        // What was there before the walk may be gone or may have changed.
        for level in known.levels.values_mut() {
            Arc::make_mut(level).stamp = None;
        }
    }

    /// The folder of a file of data that may be for one article: `config.json` is for the whole site, and may be for `config.md`.
    fn folder_of_sidecar(&self, file: &Path) -> Option<PathBuf> {
        let may_be = self.folder.data_file_kind(file).is_some_and(|kind| kind != DataFileKind::Section);
        file.parent().filter(|_| may_be).map(Path::to_path_buf)
    }

    /// The recorded files.
    pub fn recorded(&self) -> Vec<PathBuf> {
        self.known().recorded.keys().cloned().collect()
    }

    pub fn recorded_hash(&self, file: &Path) -> Option<DataHash> {
        self.known().recorded.get(file).copied()
    }

    /// Records that articles are read with this version of a file from now on.
    pub fn record(&self, file: &Path, hash: DataHash) {
        let mut known = self.known_mut();
        known.recorded.insert(file.to_path_buf(), hash);
        if let Some(listed) = &mut known.listed {
            listed.insert(file.to_path_buf());
            known.with_sidecars.extend(self.folder_of_sidecar(file));
        }
        known.note_change(file);
    }

    /// A file is gone for good.
    pub fn forget(&self, file: &Path) {
        let mut known = self.known_mut();
        known.recorded.remove(file);
        if let Some(level) = file.parent().and_then(|parent| known.levels.get_mut(parent)) {
            Arc::make_mut(level).files.retain(|(path, _)| path != file);
        }
        if let Some(listed) = &mut known.listed {
            listed.remove(file);
        }
        known.note_change(file);
    }

    /// Whether articles at a path were or would be read with data of other files.
    pub fn concerns(&self, article: &Path) -> bool {
        let is_recorded = {
            let known = self.known();
            let folders = article.ancestors().skip(1).chain([Path::new(ABOVE)]);
            let of_folders = folders.flat_map(|folder| self.folder.data_files_of_folder(folder));
            let of_article = self.folder.data_files_of_article(article).into_iter();
            !known.recorded.is_empty()
                && of_article.chain(of_folders.map(|(_, path)| path)).any(|path| known.recorded.contains_key(&path))
        };
        is_recorded || !self.of(article, DataLookup::Present).is_empty()
    }

    /// Reads a file of data.
    ///
    /// # Errors
    /// It is gone, or cannot be read for now.
    pub fn read(&self, file: &Path, kind: DataFileKind) -> Result<ReadData, LoadError> {
        if file.starts_with(ABOVE) {
            return self.read_above(file, kind);
        }
        let loaded = match load_as(&self.folder, file, SourceFormat::Text, MAX_SIZE) {
            Ok(loaded) => loaded,
            Err(error) if matches!(error, LoadError::Gone | LoadError::NotAFile) || error.is_passing() => {
                return Err(error);
            }
            Err(error) => {
                let data = ArticleData::unreadable(file, kind, Problem::of_file(error.to_string()));
                return Ok(ReadData::new(self.folder.stat(file).unwrap_or_default(), data));
            }
        };
        let data = panic_as_problem(|| ArticleData::read(file, kind, &loaded.bytes, self.timezone))
            .unwrap_or_else(|problem| ArticleData::unreadable(file, kind, problem));
        Ok(ReadData::new(loaded.stat, data))
    }

    /// Reads a configuration above the watched folder. What it says can only hold articles, and give them keys.
    fn read_above(&self, file: &Path, kind: DataFileKind) -> Result<ReadData, LoadError> {
        let stat = self.folder.data_stat(file).ok_or(LoadError::Gone)?;
        if u64::try_from(stat.size).is_ok_and(|size| size > MAX_SIZE) {
            return Err(LoadError::NotAFile);
        }
        let bytes = std::fs::read(self.folder.root().join(file))?;
        let data = panic_as_problem(|| ArticleData::read(file, kind, &bytes, self.timezone))
            .unwrap_or_else(|problem| ArticleData::unreadable(file, kind, problem));
        Ok(ReadData::new(stat, data))
    }

    /// The files for one article only.
    fn beside(&self, article: &Path, lookup: DataLookup) -> Vec<Arc<ArticleData>> {
        let mut found = Vec::new();
        if lookup == DataLookup::Listed && self.known().has_none_beside(article) {
            return found;
        }
        for file in self.folder.data_files_of_article(article) {
            let is_there = match lookup {
                DataLookup::Listed => self.known().listed.as_ref().is_some_and(|listed| listed.contains(&file)),
                DataLookup::Present => self.folder.stat(&file).is_some(),
            };
            let is_recorded = || self.known().recorded.contains_key(&file);
            if is_there || is_recorded() {
                found.push(self.read_or_wait(&file, DataFileKind::Article).data);
            }
        }
        found
    }

    /// Reads a file. If it cannot be read for now, articles wait for it.
    fn read_or_wait(&self, file: &Path, kind: DataFileKind) -> ReadData {
        self.read(file, kind).unwrap_or_else(|error| {
            ReadData::new(Stat::default(), ArticleData::unreadable(file, kind, Problem::of_file(error.to_string())))
        })
    }

    /// The files for all articles beneath a folder.
    fn level(&self, folder: &Path, lookup: DataLookup) -> Arc<FolderLevel> {
        let stamp = self.stamp(folder, lookup);
        let before = self.known().levels.get(folder).cloned();
        if let Some(level) = before.as_ref().filter(|level| stamp.is_some() && level.stamp == stamp)
            && (lookup == DataLookup::Listed || level.files.iter().all(|(path, read)| self.is_same(path, read)))
        {
            return Arc::clone(level);
        }
        let level = Arc::new(FolderLevel { stamp, files: self.read_level(folder, before.as_deref(), lookup) });
        let mut known = self.known_mut();
        let hashes = |level: &FolderLevel| level.files.iter().map(|(_, read)| read.hash).collect::<Vec<_>>();
        if before.is_some_and(|before| hashes(&before) != hashes(&level)) {
            known.generation += 1;
        }
        known.levels.insert(folder.to_path_buf(), Arc::clone(&level));
        level
    }

    fn read_level(&self, folder: &Path, before: Option<&FolderLevel>, lookup: DataLookup) -> Vec<(PathBuf, ReadData)> {
        let mut files = Vec::new();
        for (kind, path) in self.folder.data_files_of_folder(folder) {
            let former = before.and_then(|before| before.files.iter().find(|(file, _)| *file == path));
            let (is_listed, is_recorded) = {
                let known = self.known();
                let is_listed = known.listed.as_ref().is_some_and(|listed| listed.contains(&path));
                (is_listed, known.recorded.contains_key(&path))
            };
            let is_there =
                if lookup == DataLookup::Listed { is_listed } else { self.folder.data_stat(&path).is_some() };
            let read = match former {
                Some((_, read)) if self.is_same(&path, read) => read.clone(),
                _ if is_there => match self.read(&path, kind) {
                    Ok(read) => read,
                    // It vanished just now.
                    Err(_) => former.map_or_else(|| self.read_or_wait(&path, kind), |(_, read)| read.clone()),
                },
                Some((_, read)) => read.clone(),
                None if is_recorded => self.read_or_wait(&path, kind),
                None => continue,
            };
            files.push((path, read));
        }
        files
    }

    fn is_same(&self, path: &Path, read: &ReadData) -> bool {
        read.stat != Stat::default() && self.folder.data_stat(path) == Some(read.stat)
    }

    /// What tells two states of a folder apart. What a walk has listed is the same until its end.
    fn stamp(&self, folder: &Path, lookup: DataLookup) -> Option<FolderStamp> {
        if lookup == DataLookup::Listed {
            return Some((0, 0, 0, 0));
        }
        let metadata = std::fs::metadata(self.folder.root().join(folder)).ok()?;
        Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.ctime_nsec()))
    }

    fn known(&self) -> RwLockReadGuard<'_, KnownData> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, KnownData> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KnownData {
    /// Whether certainly no file of data is for this article alone, as far as the walk has listed them.
    fn has_none_beside(&self, article: &Path) -> bool {
        article.parent().is_none_or(|folder| !self.with_sidecars.contains(folder))
    }

    /// A file was found to have changed: its folder is looked up again.
    fn note_change(&mut self, file: &Path) {
        self.generation += 1;
        if let Some(level) = file.parent().and_then(|parent| self.levels.get_mut(parent)) {
            Arc::make_mut(level).stamp = None;
        }
    }
}
