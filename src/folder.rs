//! The watched folder: which names in it are articles, and the list of all that are there.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use walkdir::{DirEntry, WalkDir};

use crate::config::{Articles, Globs};

/// How an article is written, by the extension of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.txt`
    Text,
    /// `.md`, `.markdown`
    Markdown,
    /// `.html`, `.htm`
    Html,
}

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

/// The watched folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    include: Globs,
    exclude: Globs,
}

impl Folder {
    /// The folder that the configuration names, as an absolute path whose last part stays as the operator wrote it:
    /// if that is a link that is pointed elsewhere later, the new target counts.
    ///
    /// # Errors
    /// The folder does not exist, is not a folder, or cannot be read.
    pub fn open(articles: &Articles) -> io::Result<Self> {
        let root = std::path::absolute(&articles.directory)?;
        std::fs::read_dir(&root)?;
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

    /// How the article at `path` is written, or `None` if that name is not an article's.
    pub fn format(&self, path: &Path) -> Option<Format> {
        let below = self.relative(path)?;
        let visible = below.components().all(|part| match part {
            Component::Normal(name) => !is_ignored(name),
            _ => false,
        });
        let chosen = (self.include.is_empty() || self.include.matches(below)) && !self.exclude.matches(below);
        if !visible || !chosen {
            return None;
        }
        let extension = below.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "txt" => Some(Format::Text),
            "md" | "markdown" => Some(Format::Markdown),
            "html" | "htm" => Some(Format::Html),
            _ => None,
        }
    }

    /// Whether files in a folder of this name are looked at.
    pub fn enters(&self, directory: &Path) -> bool {
        self.relative(directory).is_some_and(|below| {
            below.components().all(|part| matches!(part, Component::Normal(name) if !is_ignored(name)))
        })
    }

    /// Every file that may be an article, below the whole folder or below one folder in it; links to files are
    /// followed, links to folders are not.
    ///
    /// # Errors
    /// `top` itself cannot be read. What cannot be read further down is logged and passed over by [`Scan::unreadable`].
    pub fn scan(&self, top: &Path) -> io::Result<Scan> {
        std::fs::read_dir(top)?;
        let mut scan = Scan::default();
        // A link as the root itself is meant by the operator; a trailing slash makes the walk follow that one.
        let walk =
            WalkDir::new(top.join("")).min_depth(1).into_iter().filter_entry(|entry| !is_ignored(entry.file_name()));
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => scan.directories.push(entry.into_path()),
                Ok(entry) => scan.files.extend(self.file(&entry)),
                Err(error) => scan.unreadable.extend(error.path().map(Path::to_path_buf)),
            }
        }
        Ok(scan)
    }

    fn file(&self, entry: &DirEntry) -> Option<Found> {
        self.format(entry.path())?;
        let metadata = std::fs::metadata(entry.path()).ok()?;
        metadata.is_file().then(|| Found { path: entry.path().to_path_buf(), stat: Stat::of(&metadata) })
    }
}

/// What a walk over the folder found.
#[derive(Debug, Default)]
pub struct Scan {
    /// Files that may be articles.
    pub files: Vec<Found>,
    /// Folders below the top, parents first.
    pub directories: Vec<PathBuf>,
    /// Folders that could not be read: nothing is known of what they hold.
    pub unreadable: Vec<PathBuf>,
}

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
const IGNORED_PARTS: [&str; 3] = [".sync-conflict-", "(conflicted copy", "(Case Conflict"];

/// Whether a file or folder of this name is a tool's own: hidden, temporary, a backup or a conflict copy.
pub fn is_ignored(name: &OsStr) -> bool {
    let name = name.as_bytes();
    if TAKEN_NAMES.iter().any(|taken| name == taken.as_bytes()) {
        return false;
    }
    IGNORED_NAMES.iter().any(|exact| name == exact.as_bytes())
        || IGNORED_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || IGNORED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix.as_bytes()))
        || IGNORED_PARTS.iter().any(|part| name.windows(part.len()).any(|window| window == part.as_bytes()))
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
        assert_eq!(format("a.txt"), Some(Format::Text));
        assert_eq!(format("deep/er/A.MD"), Some(Format::Markdown));
        assert_eq!(format("page.htm"), Some(Format::Html));
        assert_eq!(format("_posts/2024-05-01-a.md"), Some(Format::Markdown));
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
            "~$a.md",
        ] {
            assert_eq!(format(name), None, "{name}");
        }
        assert_eq!(folder.format(Path::new("/elsewhere/a.txt")), None);
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
        let scan = folder.scan(folder.root()).unwrap();
        let mut names: Vec<_> =
            scan.files.iter().map(|found| folder.relative(&found.path).unwrap().to_owned()).collect();
        names.sort();
        assert_eq!(names, [Path::new("a/b/one.txt"), Path::new("link.txt")]);
        assert_eq!(scan.directories.len(), 2);
        assert!(folder.scan(&root.join("gone")).is_err());
    }
}
