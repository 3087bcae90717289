//! The files that hold data of the articles beneath or beside them: finds those of an article, and keeps what was read of those for a whole
//! folder.
//!
//! A file of a folder is read again when its `stat` differs. Which files a folder has is looked up again when the folder itself has
//! changed. During a scan, the walk has listed them all. A file that has vanished counts until [`FolderData::forget`]: many programs save
//! by deleting and writing again.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono_tz::Tz;

use super::front_matter::inherited::{ArticleData, Inherited};
use super::load::{LoadError, load_as};
use super::problem::{Problem, panic_as_problem};
use crate::folder::{ABOVE, DataFileKind, ENDINGS, Folder, SourceFormat, Stat, is_text_name};

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

/// The folder of the articles in a site of Hugo or Zola.
const CONTENT: &str = "content";
/// Folders of such a site with texts that are no articles: models of them, what was made of them, and what others have written.
const NO_CONTENT: [&str; 6] = ["archetypes", "layouts", "public", "resources", "templates", "themes"];

/// The files of one folder that hold for all articles beneath, the one that takes precedence first.
#[derive(Debug, Default, Clone)]
struct FolderLevel {
    /// `None` if they are to be looked up again.
    stamp: Option<FolderStamp>,
    files: Vec<(PathBuf, ReadData)>,
}

/// A folder with its files.
type FoundLevel<'a> = (&'a Path, Arc<FolderLevel>);

impl FolderLevel {
    /// Those that say something of articles.
    fn with_keys(&self) -> impl Iterator<Item = Arc<ArticleData>> + '_ {
        self.files.iter().filter(|(_, read)| read.hash.is_some()).map(|(_, read)| Arc::clone(&read.data))
    }
}

#[derive(Debug, Default)]
struct KnownData {
    levels: HashMap<PathBuf, Arc<FolderLevel>>,
    /// Whether a folder in the content of Hugo has an `index.md`, and is one page.
    bundles: HashMap<PathBuf, (FolderStamp, bool)>,
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
        let levels = self.levels(article, lookup);
        let mut files = self.beside(article, lookup);
        files.extend(levels.iter().flat_map(|(_, level)| level.with_keys()));
        let hold = self.place_without_page(article, &levels, lookup);
        Inherited::new(self.folder.root(), article, files).held(hold)
    }

    /// The folders of an article with their files, the nearest one first.
    fn levels<'a>(&self, article: &'a Path, lookup: DataLookup) -> Vec<FoundLevel<'a>> {
        let own = article.ancestors().skip(1).map(|folder| (folder, self.level(folder, lookup)));
        // No walk lists them.
        let has_above = !self.folder.data_files_above().is_empty();
        let above = has_above.then(|| (Path::new(ABOVE), self.level(Path::new(ABOVE), DataLookup::Present)));
        own.chain(above).collect()
    }

    /// Why Hugo and Zola make no page of a text, by its place in their site.
    fn place_without_page(&self, article: &Path, levels: &[FoundLevel<'_>], lookup: DataLookup) -> Option<Problem> {
        let message = match below_content(article, levels)? {
            Ok(content) => {
                let folders = article.ancestors().skip(1).take_while(|folder| *folder != content);
                let mut folders = folders.filter(|folder| folder.starts_with(content));
                let is_index = is_index(article.file_name()?.to_str()?);
                let is_beside = |folder: &&Path| !(is_index && article.parent() == Some(*folder));
                folders.find(|folder| is_beside(folder) && self.is_bundle(folder, lookup))?;
                "held: Hugo and Zola make no page of a text beside `index.md`, which has it for itself; move it to a folder of its own to \
                 publish it"
                    .to_owned()
            }
            Err(folder) => {
                format!("held: Hugo and Zola have no articles in `{folder}`; move it to `content` to publish it")
            }
        };
        Some(Problem { is_of_folder: true, ..Problem::intended(None, message) })
    }

    /// Whether a folder has an `index.md`, so that it is one page with all that it holds.
    fn is_bundle(&self, folder: &Path, lookup: DataLookup) -> bool {
        let Some(stamp) = self.stamp(folder, lookup) else { return false };
        if let Some((_, is_bundle)) = self.known().bundles.get(folder).filter(|(known, _)| *known == stamp) {
            return *is_bundle;
        }
        let listed = self.folder.list(&self.folder.root().join(folder)).unwrap_or_default();
        let is_bundle = listed.iter().any(|listed| listed.name.to_str().is_some_and(is_index));
        self.known_mut().bundles.insert(folder.to_path_buf(), (stamp, is_bundle));
        is_bundle
    }

    /// Whether a new file makes one page of its folder, in which others were articles.
    pub fn makes_bundle(&self, article: &Path) -> bool {
        let is_named = article.file_name().and_then(OsStr::to_str).is_some_and(is_index);
        let levels = if is_named { self.levels(article, DataLookup::Present) } else { Vec::new() };
        matches!(below_content(article, &levels), Some(Ok(content)) if article.parent() != Some(content))
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
        known.bundles.clear();
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

/// The folder with the content of the site of Hugo or Zola that a text lies in; or the name of one that has no content. `None` if there is no
/// such site, or if it may have the text anyhow.
fn below_content<'a>(article: &'a Path, levels: &[FoundLevel<'a>]) -> Option<Result<&'a Path, &'static str>> {
    let has_site = |(_, level): &&FoundLevel<'_>| level.files.iter().any(|(_, read)| read.data.has_content);
    let (site, _) = levels.iter().rfind(has_site).filter(|_| is_text_name(article))?;
    if site.starts_with(ABOVE) {
        return Some(Ok(Path::new("")));
    }
    let first = article.strip_prefix(site).ok()?.iter().next()?;
    let content = article.ancestors().find(|folder| folder.parent() == Some(site) && folder.ends_with(CONTENT));
    let other = || NO_CONTENT.into_iter().find(|name| first == *name).map(Err);
    content.map(Ok).or_else(other)
}

/// Whether a file is the page of its folder: `index.md`, `index.fr.md`.
fn is_index(name: &str) -> bool {
    let ending = name.strip_prefix("index.").and_then(|rest| rest.rsplit('.').next());
    ending.is_some_and(|ending| ENDINGS.contains(&ending) && ending != "txt")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hugo_makes_no_page_of_a_text_in_a_bundle_or_outside_of_content() {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let held = [
            "site/content/post/one/notes.md",
            "site/content/post/one/deep/more.md",
            "site/content/post/one/deep/index.md",
            "site/content/post/one/saved.html",
            "site/content/headless/a.md",
            "site/archetypes/default.md",
            "site/public/post/index.html",
            "site/themes/x/exampleSite/content/a.md",
        ];
        let public = [
            "site/content/post/one/index.md",
            "site/content/post/one/index.fr.md",
            "site/content/post/one/talk.mp3",
            "site/content/post/two.md",
            "site/content/a.md",
            "site/content/index.md",
            "site/content/headless/index.md",
            "site/notes/a.md",
            "plain/content/one/index.md",
            "plain/content/one/notes.md",
            "plain/archetypes/a.md",
            "plain/public/a.md",
        ];
        held.into_iter().chain(public).for_each(|path| write(path, "# T\n\nText"));
        write("plain/config.json", "{\"port\": 1}");
        let inherits = |root: &str, path: &str| {
            let data = FolderData::new(Folder::of(&directory.path().join(root)), chrono_tz::UTC);
            data.of(Path::new(path), DataLookup::Present).hold(chrono_tz::UTC)
        };
        for path in held.into_iter().chain(public) {
            assert!(inherits("", path).is_none(), "{path} without a configuration");
        }
        for (name, text) in [("hugo.toml", ""), ("config.toml", "base_url = 'https://a.example'"), ("zola.toml", "")] {
            write(&format!("site/{name}"), text);
            for path in held {
                assert!(inherits("", path).is_some(), "{name} {path}");
            }
            for path in public {
                assert!(inherits("", path).is_none(), "{name} {path}");
            }
            assert!(inherits("site/content", "post/one/notes.md").is_some(), "{name} above");
            assert!(inherits("site/content", "post/two.md").is_none(), "{name} above");
            std::fs::remove_file(directory.path().join("site").join(name)).unwrap();
        }
    }
}
