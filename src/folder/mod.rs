//! The watched folder: which names in it are articles, and the list of all that are there.

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

/// How an article is written, by the extension of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// `.txt`, `.text`
    Text,
    /// `.md`, `.markdown`, `.mdown`, `.mkd`
    Markdown,
    /// `.html`, `.htm`, `.xhtml`
    Html,
    /// `.mp3`, `.m4a`, `.ogg`, …: an episode of a podcast, unless it belongs to an article
    Audio,
}

/// A time stamp further ahead of the clock than this was made up; one just ahead was set since the clock was read.
const FUTURE: Duration = Duration::from_mins(1);

/// What `stat` says of a file: while it stays the same, so does the content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// Bytes.
    pub size: i64,
    /// Modification time, nanoseconds since 1970.
    pub mtime: i64,
    /// Time of the last change of content or attributes, nanoseconds since 1970.
    pub ctime: i64,
    /// Inode number.
    pub inode: i64,
    /// When the inode came to be, nanoseconds since 1970; 0 where the file system does not tell. With the inode number it
    /// says which file it is, whatever its name: the number alone is given to the next file when a file is deleted.
    pub born: i64,
}

impl Stat {
    /// Takes the four numbers out of a file's metadata.
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

    /// How long until nothing has happened to the file for `quiet`, at `now` (nanoseconds since 1970); `None` if that is
    /// so already. A time far ahead of the clock was made up, and says nothing.
    pub fn until_quiet(&self, now: i64, quiet: Duration) -> Option<Duration> {
        let age = now.saturating_sub(self.mtime.max(self.ctime));
        let ahead = i64::try_from(FUTURE.as_nanos()).unwrap_or(i64::MAX);
        let Ok(age) = u64::try_from(age) else { return (age >= -ahead).then_some(quiet) };
        quiet.checked_sub(Duration::from_nanos(age)).filter(|wait| !wait.is_zero())
    }

    /// Which file it is, without what it says of its content.
    #[must_use]
    pub fn file_only(self) -> Self {
        Self { inode: self.inode, born: self.born, ..Self::default() }
    }
}

fn since_1970(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

/// A file that may be an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute path.
    pub path: PathBuf,
    /// What `stat` said when it was found.
    pub stat: Stat,
}

impl Found {
    /// The file at an absolute path, if there is one.
    pub fn at(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { path: path.to_path_buf(), stat: Stat::of(&metadata) })
    }

    /// The same, if it is a file and nothing else.
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
    /// The folder that the configuration names, as an absolute path whose last part stays as the operator wrote it:
    /// if that is a link that is pointed elsewhere later, the new target counts. It need not be there yet.
    ///
    /// # Errors
    /// It is there, but is not a folder or cannot be read.
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

    /// Device and inode of the folder: another one may stand in its place. `None` if it is not there.
    pub fn identity(&self) -> Option<(u64, u64)> {
        std::fs::metadata(&self.root).ok().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Whether the folder itself is there and can be read.
    pub fn is_there(&self) -> bool {
        std::fs::read_dir(&self.root).is_ok()
    }

    /// Whether there is certainly no article at `path`. What cannot be looked at may well be there.
    pub fn has_lost(&self, path: &Path) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound};
        let gone = match std::fs::metadata(path) {
            Ok(metadata) => !metadata.is_file(),
            Err(error) => matches!(error.kind(), NotFound | NotADirectory),
        };
        gone || self.format(path).is_none()
    }

    /// Path below the folder; `None` for a path that is not below it.
    pub fn relative<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(&self.root).ok()
    }

    /// What `stat` says of the file at a path below the folder; `None` if there is none.
    pub fn stat(&self, below: &Path) -> Option<Stat> {
        let metadata = std::fs::metadata(self.root.join(below)).ok()?;
        metadata.is_file().then(|| Stat::of(&metadata))
    }

    /// Files in a folder below this one, and in no folder further down; at most a thousand, in the order of their names.
    pub fn files_in(&self, below: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.root.join(below)) else { return Vec::new() };
        let names = entries.flatten().take(1_000).map(|entry| entry.file_name()).filter(|name| !is_ignored(name));
        let mut files: Vec<PathBuf> = names.map(|name| below.join(name)).collect();
        files.retain(|path| self.stat(path).is_some());
        files.sort();
        files
    }

    /// How the article at `path` is written, or `None` if that name is not an article's.
    pub fn format(&self, path: &Path) -> Option<SourceFormat> {
        let below = self.relative(path)?;
        let visible = below.components().all(|part| match part {
            Component::Normal(name) => !is_ignored(name),
            _ => false,
        });
        let chosen = (self.include.is_empty() || self.include.matches(below)) && !self.exclude.matches(below);
        // At the top, it is about the folder.
        let is_readme = below.to_str().is_some_and(|name| name.to_ascii_lowercase().starts_with("readme."));
        if !visible || !chosen || is_readme {
            return None;
        }
        format_of(below.extension()?.to_str()?)
    }

    /// Why the file at `path` is no article, in words.
    pub fn why_not(&self, path: &Path) -> String {
        let Some(below) = self.relative(path) else { return "it does not lie in the watched folder".into() };
        if self.is_conflict_copy(path) {
            return CONFLICT.into();
        }
        if let Some(name) = below.iter().find(|name| is_ignored(name)) {
            let name = path_line(Path::new(name));
            return format!("`{name}` is a name of hidden, temporary or generated files: give it another");
        }
        if self.exclude.matches(below) {
            return "articles.exclude names it: change that".into();
        }
        if !self.include.is_empty() && !self.include.matches(below) {
            return "articles.include does not name it: change that".into();
        }
        match below.extension().and_then(OsStr::to_str).and_then(format_of) {
            Some(_) => "a README at the top is about the folder: give it another name".into(),
            None => "its name ends like no article's: .txt, .md, .html and .mp3 do".into(),
        }
    }

    /// Whether files in a folder of this name are looked at.
    pub fn enters(&self, directory: &Path) -> bool {
        self.relative(directory).is_some_and(|below| {
            below.components().all(|part| matches!(part, Component::Normal(name) if !is_ignored(name)))
        })
    }

    /// Whether a link leads to a folder whose files are articles by way of this link only: one in a hidden folder of the
    /// watched one, as where Kubernetes mounts a ConfigMap. Any other link to a folder would show its files twice, or
    /// files from outside.
    pub fn enters_by_link(&self, link: &Path) -> bool {
        let lead = || {
            let real = self.root.canonicalize().ok()?;
            let target = link.canonicalize().ok().filter(|target| target.is_dir())?;
            let hidden = target.strip_prefix(&real).ok()?.iter().any(is_ignored);
            // Within such a folder none is followed, or a circle of links would have no end.
            let parent = link.parent()?;
            let stands_outside = parent.canonicalize().ok()? == real.join(self.relative(parent)?);
            Some(hidden && stands_outside)
        };
        self.enters(link) && lead().unwrap_or(false)
    }

    /// Whether a sync program made this file because two sides had changed an article.
    pub fn is_conflict_copy(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        let is_article =
            path.extension().and_then(OsStr::to_str).is_some_and(|extension| format_of(extension).is_some());
        is_article && contains_any(name.as_bytes(), &CONFLICT_PARTS) && self.relative(path).is_some()
    }

    /// Every file that may be an article, below the whole folder or below one folder in it; links to files are
    /// followed, links to folders only as in [`Folder::enters_by_link`].
    ///
    /// # Errors
    /// `top` itself cannot be read. What cannot be read further down is passed over.
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

    /// The same, with whatever else is met, in the order of the bytes of paths; only what lies behind links comes where the link
    /// stands. It ends when `tell` does not go on. `enter` is called before a folder is listed.
    ///
    /// # Errors
    /// `top` itself cannot be read. What cannot be read further down is told.
    pub fn walk(
        &self,
        top: &Path,
        enter: &dyn Fn(&Path),
        tell: &mut dyn FnMut(Met) -> ControlFlow<()>,
    ) -> io::Result<()> {
        std::fs::read_dir(top)?;
        let _ = self.walk_below(top, enter, tell);
        Ok(())
    }

    fn walk_below(
        &self,
        top: &Path,
        enter: &dyn Fn(&Path),
        tell: &mut dyn FnMut(Met) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        enter(top);
        // A link as the root itself is meant by the operator; a trailing slash makes the walk follow that one.
        let walk = WalkDir::new(top.join("")).min_depth(1).sort_by(by_path).into_iter();
        for entry in walk.filter_entry(|entry| !is_ignored(entry.file_name()) || self.is_conflict_copy(entry.path())) {
            let met = match entry {
                Ok(entry) if entry.file_type().is_dir() => {
                    // It is listed when the next entry is asked for.
                    enter(entry.path());
                    Met::Folder(entry.into_path())
                }
                Ok(entry) if entry.path_is_symlink() && self.enters_by_link(entry.path()) => {
                    self.walk_below(entry.path(), enter, tell)?;
                    continue;
                }
                Ok(entry) if self.is_conflict_copy(entry.path()) => Met::Conflict(entry.into_path()),
                Ok(entry) if is_film(entry.path()) => Met::Film(entry.into_path()),
                Ok(entry) => match self.format(entry.path()) {
                    Some(format) => Met::File(entry.into_path(), format),
                    None => continue,
                },
                Err(error) => match error.path() {
                    Some(path) => Met::Unreadable(path.to_path_buf()),
                    None => continue,
                },
            };
            tell(met)?;
        }
        ControlFlow::Continue(())
    }
}

/// Something in the folder, with its absolute path.
#[derive(Debug)]
pub enum Met {
    /// What may be an article by its name, and how it is written then. Nobody has looked yet whether it is a file.
    File(PathBuf, SourceFormat),
    /// A folder, whose files come next.
    Folder(PathBuf),
    /// A film, which may belong to an article.
    Film(PathBuf),
    /// What a sync program made of an article that two sides had changed.
    Conflict(PathBuf),
    /// A folder that cannot be read: nothing is known of what it holds.
    Unreadable(PathBuf),
}

/// The order of two names in a folder by which all paths come in the order of their bytes: what is in a folder has a slash behind the
/// folder's name.
fn by_path(one: &DirEntry, other: &DirEntry) -> Ordering {
    let (names, longer) =
        (
            (one.file_name().as_bytes(), other.file_name().as_bytes()),
            |entry: &DirEntry| {
                if entry.file_type().is_dir() { b'/' } else { 0 }
            },
        );
    let common = names.0.len().min(names.1.len());
    let next = |name: &[u8], entry: &DirEntry| name.get(common).copied().unwrap_or_else(|| longer(entry));
    let by_next = || next(names.0, one).cmp(&next(names.1, other));
    names.0[..common].cmp(&names.1[..common]).then_with(by_next).then_with(|| names.0.len().cmp(&names.1.len()))
}

/// How the names of articles end, the likeliest first.
pub const ENDINGS: [&str; 9] = ["md", "txt", "html", "markdown", "htm", "xhtml", "text", "mdown", "mkd"];

/// How the names of films end that may lie beside articles.
const FILMS: [&str; 4] = ["mp4", "m4v", "webm", "mov"];

fn is_film(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|ending| FILMS.contains(&ending.to_ascii_lowercase().as_str()))
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

/// What is said of a conflict copy.
pub const CONFLICT: &str = "a sync program made this copy because two sides had changed the article: merge it with the other version and delete it; it is not published";

/// `_drafts`, `_includes`, `_index.md`: what site generators keep for themselves. Jekyll's `_posts` are posts.
const IGNORED_PREFIXES: [&str; 5] = [".", "~$", "~syncthing~", "#", "_"];
const TAKEN_NAMES: [&str; 1] = ["_posts"];
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

/// Whether a file or folder of this name is a tool's own: hidden, temporary, a backup or a conflict copy.
pub fn is_ignored(name: &OsStr) -> bool {
    let name = name.as_bytes();
    if TAKEN_NAMES.iter().any(|taken| name == taken.as_bytes()) {
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
    fn every_ending_is_an_articles() {
        assert!(ENDINGS.iter().all(|ending| format_of(ending).is_some()));
    }

    #[test]
    fn include_and_exclude_narrow_what_is_taken() {
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
    fn a_folder_may_come_later_but_must_be_one() {
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
        assert_eq!(wait(11), Some(Duration::from_secs(2)), "set since the clock was read");
        assert_eq!(wait(-100), None, "made up");
    }
}
