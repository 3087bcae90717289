//! The watched folder: which file names are articles, and walking over the files.

pub mod media;

pub mod watch;

use crate::model::text::path_line;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::{DirEntry, WalkDir};

use crate::config::{Articles, Globs};

/// The input format of an article, by its file extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// `.txt`, `.text`
    Text,
    /// `.md`, `.markdown`, `.mdown`, `.mkd`
    Markdown,
    /// `.html`, `.htm`, `.xhtml`
    Html,
    /// `.mp3`, `.m4a`, `.ogg`, …: a podcast episode, unless it belongs to an article
    Audio,
}

/// A time stamp further in the future than this is forged; one slightly ahead was set after the clock was read.
const FUTURE: Duration = Duration::from_mins(1);

/// The result of `stat` for a file. Equal values mean equal content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// Size in bytes.
    pub size: i64,
    /// Modification time, nanoseconds since 1970.
    pub mtime: i64,
    /// Time of the last change of content or attributes, nanoseconds since 1970.
    pub ctime: i64,
    /// Inode number.
    pub inode: i64,
    /// Creation time of the inode, nanoseconds since 1970; 0 if the file system does not record it. Together with the inode number
    /// it identifies a file independently of its name; the number alone is reused after a deletion.
    pub born: i64,
}

impl Stat {
    /// Reads the values from a file's metadata.
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.size().cast_signed(),
            mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino().cast_signed(),
            born: metadata.created().ok().and_then(since_1970).unwrap_or(0),
        }
    }

    /// Returns how long until the file has been unchanged for `quiet`, at `now` (nanoseconds since 1970); `None` if it already
    /// has. A forged time far in the future is ignored.
    pub fn until_quiet(&self, now: i64, quiet: Duration) -> Option<Duration> {
        let age = now.saturating_sub(self.mtime.max(self.ctime));
        let ahead = i64::try_from(FUTURE.as_nanos()).unwrap_or(i64::MAX);
        let Ok(age) = u64::try_from(age) else { return (age >= -ahead).then_some(quiet) };
        quiet.checked_sub(Duration::from_nanos(age)).filter(|wait| !wait.is_zero())
    }

    /// Keeps what identifies the file and clears what describes its content.
    #[must_use]
    pub fn file_only(self) -> Self {
        Self { inode: self.inode, born: self.born, ..Self::default() }
    }
}

fn since_1970(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

/// A file on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute path.
    pub path: PathBuf,
    /// Its `stat` when it was found.
    pub stat: Stat,
}

impl Found {
    /// Looks at an absolute path; `None` if nothing is there.
    pub fn at(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { path: path.to_path_buf(), stat: Stat::of(&metadata) })
    }

    /// As [`Found::at`], for regular files only.
    pub fn file_at(path: PathBuf) -> Option<Self> {
        let metadata = std::fs::metadata(&path).ok()?;
        metadata.is_file().then(|| Self { path, stat: Stat::of(&metadata) })
    }
}

/// The watched folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    include: Globs,
    exclude: Globs,
}

impl Folder {
    /// Opens the configured folder by its absolute path. The path is not resolved: if it is a link whose target changes later, the
    /// new target counts. The folder need not exist yet.
    ///
    /// # Errors
    /// The path exists but is not a folder, or cannot be read.
    pub fn open(articles: &Articles) -> io::Result<Self> {
        let root = std::path::absolute(&articles.directory)?;
        match std::fs::read_dir(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { root, include: articles.include.clone(), exclude: articles.exclude.clone() })
    }

    /// Absolute path of the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns device and inode of the folder, which change if another folder takes its place; `None` if it is missing.
    pub fn identity(&self) -> Option<(u64, u64)> {
        std::fs::metadata(&self.root).ok().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Whether the folder exists and can be read.
    pub fn is_there(&self) -> bool {
        std::fs::read_dir(&self.root).is_ok()
    }

    /// Whether `path` certainly holds no article. A path that cannot be examined may hold one.
    pub fn has_lost(&self, path: &Path) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound};
        let gone = match std::fs::metadata(path) {
            Ok(metadata) => !metadata.is_file(),
            Err(error) => matches!(error.kind(), NotFound | NotADirectory),
        };
        gone || self.format(path).is_none()
    }

    /// Returns the path relative to the folder; `None` outside of it.
    pub fn relative<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(&self.root).ok()
    }

    /// Returns the `stat` of the file at a relative path; `None` if there is no file.
    pub fn stat(&self, below: &Path) -> Option<Stat> {
        let metadata = std::fs::metadata(self.root.join(below)).ok()?;
        metadata.is_file().then(|| Stat::of(&metadata))
    }

    /// Lists the files directly in a sub-folder, at most a thousand, sorted by name.
    pub fn files_in(&self, below: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.root.join(below)) else { return Vec::new() };
        let names = entries.flatten().take(1_000).map(|entry| entry.file_name()).filter(|name| !is_ignored(name));
        let mut files: Vec<PathBuf> = names.map(|name| below.join(name)).collect();
        files.retain(|path| self.stat(path).is_some());
        files.sort();
        files
    }

    /// Returns the format of the article at `path`, or `None` if the name is not that of an article.
    pub fn format(&self, path: &Path) -> Option<SourceFormat> {
        let below = self.relative(path)?;
        let visible = below.components().all(|part| match part {
            Component::Normal(name) => !is_ignored(name),
            _ => false,
        });
        let chosen = (self.include.is_empty() || self.include.matches(below)) && !self.exclude.matches(below);
        // A README at the top describes the folder.
        let is_readme = below.to_str().is_some_and(|name| name.to_ascii_lowercase().starts_with("readme."));
        if !visible || !chosen || is_readme {
            return None;
        }
        format_of(below.extension()?.to_str()?)
    }

    /// Explains why the file at `path` is not an article.
    pub fn why_not(&self, path: &Path) -> String {
        let Some(below) = self.relative(path) else { return "it is not in the watched folder".into() };
        if self.is_conflict_copy(path) {
            return CONFLICT.into();
        }
        if let Some(name) = below.iter().find(|name| is_ignored(name)) {
            let name = path_line(Path::new(name));
            return format!("`{name}` is a name for hidden, temporary or generated files: rename it to publish it");
        }
        if self.exclude.matches(below) {
            return "articles.exclude matches it: change the pattern to publish it".into();
        }
        if !self.include.is_empty() && !self.include.matches(below) {
            return "articles.include does not match it: add a pattern to publish it".into();
        }
        match below.extension().and_then(OsStr::to_str).and_then(format_of) {
            Some(_) => "a README at the top describes the folder: rename it to publish it".into(),
            None => "not a file type that gazetted publishes (.txt, .md, .html, recordings)".into(),
        }
    }

    /// Whether the files in a folder of this name can be articles.
    pub fn enters(&self, directory: &Path) -> bool {
        self.relative(directory).is_some_and(|below| {
            below.components().all(|part| matches!(part, Component::Normal(name) if !is_ignored(name)))
        })
    }

    /// Whether a link to a folder is followed: only if its target is in a hidden folder of the watched one, as in a Kubernetes
    /// ConfigMap. Any other link would publish files twice, or files from outside.
    pub fn enters_by_link(&self, link: &Path) -> bool {
        let target_is_hidden = || {
            let real = self.root.canonicalize().ok()?;
            let target = link.canonicalize().ok().filter(|target| target.is_dir())?;
            let hidden = target.strip_prefix(&real).ok()?.iter().any(is_ignored);
            // Within such a folder no link is followed: a circle of links would have no end.
            let parent = link.parent()?;
            let stands_outside = parent.canonicalize().ok()? == real.join(self.relative(parent)?);
            Some(hidden && stands_outside)
        };
        self.enters(link) && target_is_hidden().unwrap_or(false)
    }

    /// Whether the file is a sync program's conflict copy of an article.
    pub fn is_conflict_copy(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        let is_article =
            path.extension().and_then(OsStr::to_str).is_some_and(|extension| format_of(extension).is_some());
        is_article && contains_any(name.as_bytes(), &CONFLICT_PARTS) && self.relative(path).is_some()
    }

    /// Lists every file below `top` that may be an article. Links to files are followed, links to folders as in
    /// [`Folder::enters_by_link`].
    ///
    /// # Errors
    /// `top` cannot be read. Unreadable folders below it are skipped.
    pub fn files_below(&self, top: &Path) -> io::Result<Vec<Found>> {
        let mut files = Vec::new();
        self.walk(top, &|_| {}, &mut |met| {
            if let Met::File(path, _) = met {
                files.extend(Found::file_at(path));
            }
            ControlFlow::Continue(())
        })?;
        Ok(files)
    }

    /// Walks over everything below `top` in the byte order of paths; the content of a followed link comes at the place of the link.
    /// Ends when `visit` breaks. `enter` is called before a folder is listed.
    ///
    /// # Errors
    /// `top` cannot be read. Unreadable folders below it are visited as [`Met::Unreadable`].
    pub fn walk(
        &self,
        top: &Path,
        enter: &dyn Fn(&Path),
        visit: &mut dyn FnMut(Met) -> ControlFlow<()>,
    ) -> io::Result<()> {
        std::fs::read_dir(top)?;
        let _ = self.walk_below(top, enter, visit);
        Ok(())
    }

    fn walk_below(
        &self,
        top: &Path,
        enter: &dyn Fn(&Path),
        visit: &mut dyn FnMut(Met) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        enter(top);
        // The root itself may be a link; the trailing slash makes the walk follow it.
        let walk = WalkDir::new(top.join("")).min_depth(1).sort_by(by_path).into_iter();
        for entry in walk.filter_entry(|entry| !is_ignored(entry.file_name()) || self.is_conflict_copy(entry.path())) {
            let met = match entry {
                Ok(entry) if entry.file_type().is_dir() => {
                    // The walk lists the folder when the next entry is requested.
                    enter(entry.path());
                    Met::Folder(entry.into_path())
                }
                Ok(entry) if entry.path_is_symlink() && self.enters_by_link(entry.path()) => {
                    self.walk_below(entry.path(), enter, visit)?;
                    continue;
                }
                Ok(entry) if self.is_conflict_copy(entry.path()) => Met::Conflict(entry.into_path()),
                Ok(entry) if is_video(entry.path()) => Met::Video(entry.into_path()),
                Ok(entry) => match self.format(entry.path()) {
                    Some(format) => Met::File(entry.into_path(), format),
                    None => continue,
                },
                Err(error) => match error.path() {
                    Some(path) => Met::Unreadable(path.to_path_buf()),
                    None => continue,
                },
            };
            visit(met)?;
        }
        ControlFlow::Continue(())
    }
}

/// An item of a walk, with its absolute path.
#[derive(Debug)]
pub enum Met {
    /// An article by its name, with its format. Whether it is a regular file has not been checked.
    File(PathBuf, SourceFormat),
    /// A folder; its content follows.
    Folder(PathBuf),
    /// A video, which may belong to an article.
    Video(PathBuf),
    /// A sync program's conflict copy of an article.
    Conflict(PathBuf),
    /// A folder that cannot be read; its content is unknown.
    Unreadable(PathBuf),
}

/// Orders two names in a folder so that a walk visits all paths in byte order: paths below a folder continue with a slash.
fn by_path(one: &DirEntry, other: &DirEntry) -> Ordering {
    let (names, end_of) =
        (
            (one.file_name().as_bytes(), other.file_name().as_bytes()),
            |entry: &DirEntry| {
                if entry.file_type().is_dir() { b'/' } else { 0 }
            },
        );
    let common = names.0.len().min(names.1.len());
    let next = |name: &[u8], entry: &DirEntry| name.get(common).copied().unwrap_or_else(|| end_of(entry));
    let by_next = || next(names.0, one).cmp(&next(names.1, other));
    names.0[..common].cmp(&names.1[..common]).then_with(by_next).then_with(|| names.0.len().cmp(&names.1.len()))
}

/// Extensions of articles, the most likely first.
pub const ENDINGS: [&str; 9] = ["md", "txt", "html", "markdown", "htm", "xhtml", "text", "mdown", "mkd"];

/// Extensions of videos that may belong to articles.
const VIDEOS: [&str; 4] = ["mp4", "m4v", "webm", "mov"];

fn is_video(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|ending| VIDEOS.contains(&ending.to_ascii_lowercase().as_str()))
}

fn format_of(extension: &str) -> Option<SourceFormat> {
    match extension.to_ascii_lowercase().as_str() {
        "txt" | "text" => Some(SourceFormat::Text),
        "md" | "markdown" | "mdown" | "mkd" => Some(SourceFormat::Markdown),
        "html" | "htm" | "xhtml" => Some(SourceFormat::Html),
        "mp3" | "m4a" | "m4b" | "ogg" | "oga" | "opus" | "flac" | "wav" | "aac" => Some(SourceFormat::Audio),
        _ => None,
    }
}

/// The message about a conflict copy.
pub const CONFLICT: &str =
    "not published: this is a sync program's conflict copy; merge it with the other version and delete it";

/// Prefixes of names that are never articles. `_drafts`, `_includes`, `_index.md` belong to site generators; Jekyll's `_posts` are
/// posts.
const IGNORED_PREFIXES: [&str; 5] = [".", "~$", "~syncthing~", "#", "_"];
const PUBLISHED_NAMES: [&str; 1] = ["_posts"];
const IGNORED_SUFFIXES: [&str; 25] = [
    "~",
    "#",
    ".swp",
    ".swo",
    ".swx",
    ".swpx",
    ".kate-swp",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".filepart",
    ".!ut",
    ".aria2",
    ".bak",
    ".bck",
    ".orig",
    ".rej",
    ".old",
    "___jb_tmp___",
    "___jb_old___",
    "___jb_bak___",
    ".lock",
];
const IGNORED_NAMES: [&str; 5] = ["4913", "Thumbs.db", "desktop.ini", "lost+found", "node_modules"];
const CONFLICT_PARTS: [&str; 4] = [".sync-conflict-", "(conflicted copy", "conflicted copy ", "(Case Conflict"];

/// Whether a file or folder of this name belongs to a tool: hidden, temporary, a backup or a conflict copy.
pub fn is_ignored(name: &OsStr) -> bool {
    let name = name.as_bytes();
    if PUBLISHED_NAMES.iter().any(|published| name == published.as_bytes()) {
        return false;
    }
    IGNORED_NAMES.iter().any(|exact| name == exact.as_bytes())
        || IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || IGNORED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix.as_bytes()))
        || contains_any(name, &CONFLICT_PARTS)
}

fn contains_any(name: &[u8], parts: &[&str]) -> bool {
    parts.iter().any(|part| name.windows(part.len()).any(|window| window == part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(articles: &Articles) -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().unwrap();
        let articles = Articles { directory: directory.path().to_path_buf(), ..articles.clone() };
        let folder = Folder::open(&articles).unwrap();
        (directory, folder)
    }

    #[test]
    fn names_of_articles_and_of_tools() {
        let (_keep, folder) = folder(&Articles::default());
        let format = |name: &str| folder.format(&folder.root().join(name));
        assert_eq!(format("a.txt"), Some(SourceFormat::Text));
        assert_eq!(format("deep/er/A.MD"), Some(SourceFormat::Markdown));
        assert_eq!(format("page.htm"), Some(SourceFormat::Html));
        assert_eq!(format("_posts/2024-05-01-a.md"), Some(SourceFormat::Markdown));
        assert_eq!(format("one.MP3"), Some(SourceFormat::Audio));
        for name in [
            "_drafts/a.md",
            "_index.md",
            ".a.md",
            ".git/a.md",
            "a.md~",
            ".#a.md",
            "#a.md#",
            "a.md.swp",
            "4913",
            "a.png",
            "a",
            "a.txt.part",
            "sedAbCdEf",
            "a.sync-conflict-20240501-101010-ABCDEFG.md",
            "node_modules/x/README.md",
            "a (conflicted copy 2).md",
            "README.md",
            "__MACOSX/a.md",
            "~$a.md",
        ] {
            assert_eq!(format(name), None, "{name}");
        }
        assert_eq!(folder.format(Path::new("/elsewhere/a.txt")), None);
    }

    #[test]
    fn every_listed_extension_has_a_format() {
        assert!(ENDINGS.iter().all(|ending| format_of(ending).is_some()));
    }

    #[test]
    fn include_and_exclude_select_articles() {
        let articles: Articles = toml::from_str("include = [\"*.md\"]\nexclude = [\"drafts/**\"]").unwrap();
        let (_keep, folder) = folder(&articles);
        assert!(folder.format(&folder.root().join("a/b.md")).is_some());
        assert!(folder.format(&folder.root().join("a/b.txt")).is_none());
        assert!(folder.format(&folder.root().join("drafts/b.md")).is_none());
    }

    #[test]
    fn scan_finds_articles_and_folders_and_follows_links_to_files_only() {
        let (directory, folder) = folder(&Articles::default());
        let root = directory.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::write(root.join("a/b/one.txt"), "1").unwrap();
        std::fs::write(root.join(".git/two.txt"), "2").unwrap();
        std::os::unix::fs::symlink(root.join("a"), root.join("loop")).unwrap();
        std::os::unix::fs::symlink(root.join("a/b/one.txt"), root.join("link.txt")).unwrap();
        let files = folder.files_below(folder.root()).unwrap();
        let mut names: Vec<_> = files.iter().map(|found| folder.relative(&found.path).unwrap().to_owned()).collect();
        names.sort();
        assert_eq!(names, [Path::new("a/b/one.txt"), Path::new("link.txt")]);
        assert!(folder.files_below(&root.join("gone")).is_err());
    }

    #[test]
    fn links_to_folders_lead_into_hidden_ones_of_the_same_root_only() {
        let (directory, folder) = folder(&Articles::default());
        let root = directory.path();
        std::fs::create_dir_all(root.join("..2026/sub")).unwrap();
        std::fs::create_dir(root.join("plain")).unwrap();
        std::fs::write(root.join("..2026/sub/a.md"), "").unwrap();
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, root.join(name)).unwrap();
            root.join(name)
        };
        link(Path::new("..2026"), "..data");
        assert!(folder.enters_by_link(&link(Path::new("..data/sub"), "sub")));
        assert!(!folder.enters_by_link(&link(Path::new("plain"), "twice")));
        assert!(!folder.enters_by_link(&link(Path::new("/usr"), "outside")));
        assert!(!folder.enters_by_link(&link(Path::new("."), "loop")));
        link(Path::new("../../..data/sub"), "..2026/sub/circle");
        assert!(!folder.enters_by_link(&root.join("sub/circle")));
        let files = folder.files_below(root).unwrap();
        let names: Vec<_> = files.iter().map(|found| folder.relative(&found.path).unwrap()).collect();
        assert_eq!(names, [Path::new("sub/a.md")]);
    }

    #[test]
    fn the_folder_may_be_missing_but_not_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Articles { directory: directory.path().join(name), ..Articles::default() };
        assert!(Folder::open(&at("later")).is_ok());
        std::fs::write(directory.path().join("file"), "").unwrap();
        assert!(Folder::open(&at("file")).is_err());
    }

    #[test]
    fn quiet_is_measured_from_the_last_change() {
        const SECOND: i64 = 1_000_000_000;
        let stat = Stat { mtime: 10 * SECOND, ctime: 12 * SECOND, ..Stat::default() };
        let wait = |now: i64| stat.until_quiet(now * SECOND, Duration::from_secs(2));
        assert_eq!(wait(13), Some(Duration::from_secs(1)));
        assert_eq!(wait(14), None);
        assert_eq!(wait(11), Some(Duration::from_secs(2)), "set after the clock was read");
        assert_eq!(wait(-100), None, "forged");
    }
}
