//! The watched folder: which file names are articles, and the access to its files.

mod atoms;
mod beneath;
pub mod camera;
mod data_files;
mod drafts;
pub mod embedded;
pub mod media;
mod media_bytes;
mod media_names;
mod names;
pub mod renditions;
pub mod scaler;
mod scaling;
mod stat;
mod vault;
mod walk;
pub mod watch;
pub mod zip;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use crate::config::{Articles, FollowLinks, Globs};
use crate::model::text::path_line;
use crate::system::file_identity::FileIdentity;
use beneath::Root;
pub use beneath::{FolderIdentity, ListedName, OpenFailure};
pub use data_files::{ABOVE, DataFileKind};
use drafts::DraftFolders;
pub use media_names::{MediaNames, distance, near_name};
pub use names::{BLOGROLL_FILE, ENDINGS, SETTINGS_FILE, hides_media, is_ignored};
use names::{is_conflict, is_section_file, is_system_folder};
pub use stat::{FileId, Stat};
pub use walk::{Attributes, Met};

/// The input format of an article, by its file extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// `.txt`, `.text`
    Text,
    /// `.md`, `.markdown`, `.mdown`, `.mkd`; and `.org`, `.ipynb`, `.gmi`, `.gemini`, which are converted
    Markdown,
    /// `.html`, `.htm`, `.xhtml`
    Html,
    /// `.webloc`, `.url`: a link post
    Bookmark,
    /// `.mp3`, `.m4a`, `.ogg`, …: a podcast episode, unless it belongs to an article
    Audio,
    /// A picture in the folder `photos`, unless an article shows it
    Photo,
    /// `.docx`, `.odt`, unless an article links to it
    Document,
}

impl SourceFormat {
    /// Whether the file is no text: a part of it identifies it.
    pub fn is_media(self) -> bool {
        matches!(self, Self::Audio | Self::Photo)
    }

    /// Whether the file may belong to an article that claims it, and is no article then.
    pub fn may_belong_to_article(self) -> bool {
        self.is_media() || self == Self::Document
    }
}

/// A file on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute path.
    pub path: PathBuf,
    /// Its `stat` when it was found.
    pub stat: Stat,
}

/// What is at the place of a folder that was the root of a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountState {
    /// The root of a mount.
    Mounted,
    /// A folder without articles, as where a disk is not mounted.
    Empty,
    /// A folder with articles of its own.
    Inhabited,
    /// Nothing: some programs remove the folder when they unmount the disk.
    Missing,
    /// A folder that cannot be examined.
    Unknown,
}

/// The watched folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    include: Globs,
    exclude: Globs,
    drafts: DraftFolders,
    /// Templates of Obsidian and their folders, below the watched one.
    templates: Vec<PathBuf>,
    follow_links: FollowLinks,
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
        let (include, exclude) = (articles.include.clone(), articles.exclude.clone());
        let drafts = DraftFolders::new(&include);
        let templates = vault::templates(&root);
        Ok(Self { root, include, exclude, drafts, templates, follow_links: articles.follow_links })
    }

    /// Absolute path of the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the identity of the folder, which changes if another folder takes its place; `None` if it is missing.
    pub fn identity(&self) -> Option<FileIdentity> {
        FileIdentity::at(&self.root)
    }

    /// Whether the folder exists and can be read.
    pub fn is_there(&self) -> bool {
        std::fs::read_dir(&self.root).is_ok()
    }

    /// Whether `path` certainly holds no article. A path that cannot be examined may hold one.
    pub fn has_lost(&self, path: &Path) -> bool {
        let gone = match self.relative(path).map(|below| self.metadata(below)) {
            Some(Ok(metadata)) => !metadata.is_file(),
            Some(Err(OpenFailure::System(error))) => matches!(error, Errno::NOENT | Errno::NOTDIR),
            Some(Err(OpenFailure::LeadsOut(_))) => false,
            None => true,
        };
        gone || self.format(path).is_none()
    }

    /// Whether there is certainly nothing at a relative path. What cannot be examined may be there.
    pub fn is_gone(&self, below: &Path) -> bool {
        matches!(self.metadata(below), Err(OpenFailure::System(Errno::NOENT | Errno::NOTDIR)))
    }

    /// Whether a file lies in a vault of Obsidian, by its path below the folder. The folder may be a part of one.
    pub fn is_in_vault(&self, below: &Path) -> bool {
        below.ancestors().skip(1).any(|folder| !self.is_gone(&folder.join(vault::VAULT_SETTINGS)))
            || self.root.ancestors().skip(1).any(|folder| folder.join(vault::VAULT_SETTINGS).is_dir())
    }

    /// Opens the folder, to open files beneath it.
    fn open_root(&self) -> Result<Root, Errno> {
        Root::open(&self.root, self.follow_links)
    }

    /// Opens a file for reading by its path below the folder. It may be a folder, a FIFO or a device. Never blocks on a FIFO.
    ///
    /// # Errors
    /// See [`OpenFailure`].
    pub fn open_file(&self, below: &Path) -> Result<File, OpenFailure> {
        self.open_root()?.file(below)
    }

    /// Lists a folder, in no order. A folder that was replaced by a link is not listed. The path may lie outside of the watched
    /// folder, where a target of a link is.
    ///
    /// # Errors
    /// There is no such folder, or it cannot be read.
    pub fn list(&self, folder: &Path) -> io::Result<Vec<ListedName>> {
        Ok(match self.relative(folder) {
            Some(below) => self.open_root()?.list(below)?,
            None => Root::open(folder, self.follow_links)?.list(Path::new(""))?,
        })
    }

    /// Identifies a folder, as in [`Folder::list`]; `None` if there is none.
    pub fn identity_of(&self, folder: &Path) -> Option<FolderIdentity> {
        match self.relative(folder) {
            Some(below) => self.open_root().ok()?.identity(below).ok(),
            None => Root::open(folder, self.follow_links).ok()?.identity(Path::new("")).ok(),
        }
    }

    /// Whether the folder itself is the root of a mount.
    pub fn is_mount(&self) -> bool {
        self.identity_of(&self.root).is_some_and(|identity| identity.is_mount)
    }

    /// Examines a folder that was the root of a mount; the empty path is that of the watched folder.
    pub fn mount_state(&self, below: &Path) -> MountState {
        match self.open_root().and_then(|root| root.identity(below)) {
            Ok(identity) if identity.is_mount => MountState::Mounted,
            Ok(_) if self.has_articles(below) => MountState::Inhabited,
            Ok(_) => MountState::Empty,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => MountState::Missing,
            Err(_) => MountState::Unknown,
        }
    }

    /// Whether there is a file below a folder that may be an article.
    fn has_articles(&self, below: &Path) -> bool {
        let (mut attributes, mut has_any) = (Attributes::new(self), false);
        let walked = self.walk(&self.root.join(below), &|_| {}, &mut |met| {
            if let Met::File(path, _) = met {
                has_any |= attributes.file(path).is_some();
            }
            if has_any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        walked.is_ok() && has_any
    }

    fn metadata(&self, below: &Path) -> Result<std::fs::Metadata, OpenFailure> {
        self.open_root()?.metadata(below)
    }

    /// Returns the path relative to the folder; `None` outside of it.
    pub fn relative<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(&self.root).ok()
    }

    /// Returns the `stat` of the file at a relative path; `None` if there is no file.
    pub fn stat(&self, below: &Path) -> Option<Stat> {
        // Most paths that are examined name nothing, and this call alone shows it.
        std::fs::symlink_metadata(self.root.join(below)).ok()?;
        let metadata = self.metadata(below).ok()?;
        metadata.is_file().then(|| Stat::of(&metadata))
    }

    /// Returns the only file directly in a sub-folder that `is_wanted` selects by its path; `None` if there are more.
    pub fn only_file_in(&self, below: &Path, is_wanted: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        let mut files = self.files_in(below, is_wanted).into_iter().filter(|path| self.stat(path).is_some());
        let only = files.next()?;
        files.next().is_none().then_some(only)
    }

    /// The files directly in a folder that `is_wanted` selects by their paths.
    pub fn files_in(&self, below: &Path, is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let listed = self.open_root().and_then(|root| root.list(below)).unwrap_or_default();
        let names = listed.into_iter().map(|listed| listed.name).filter(|name| !is_ignored(name));
        let mut files: Vec<PathBuf> = names.map(|name| below.join(name)).filter(|path| is_wanted(path)).collect();
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
        if !visible || !self.is_chosen(below) || self.is_no_article(below) {
            return None;
        }
        let format = format_of(below.extension()?.to_str()?);
        let format = format.or_else(|| is_photo(below).then_some(SourceFormat::Photo));
        let format = format.or_else(|| is_document(below).then_some(SourceFormat::Document))?;
        // An address cannot have a backslash.
        let is_served = !format.may_belong_to_article() || !below.as_os_str().as_encoded_bytes().contains(&b'\\');
        is_served.then_some(format)
    }

    /// The patterns of `articles.include`.
    pub fn included(&self) -> &[String] {
        self.include.patterns()
    }

    /// Whether the configuration selects a file.
    fn is_chosen(&self, below: &Path) -> bool {
        (self.include.is_empty() || self.include.matches(below)) && !self.exclude.matches(below)
    }

    /// Whether a file has the ending of an article and is none by its name, unless `articles.include` names it.
    fn is_no_article(&self, below: &Path) -> bool {
        let Some(name) = below.file_name().and_then(OsStr::to_str) else { return false };
        if names::is_other_file(name) {
            let names_file = |pattern: &str| pattern.rsplit('/').next() == Some(name);
            return !self.include.only(names_file).matches(below);
        }
        if is_former_version(below) {
            return true;
        }
        let is_template = self.templates.iter().any(|templates| below.starts_with(templates));
        is_template || self.is_copy(below)
    }

    /// Whether a file is a version of the one beside it that a program has kept.
    fn is_copy(&self, below: &Path) -> bool {
        let original = below.file_name().and_then(OsStr::to_str).and_then(names::original_of_copy);
        original.is_some_and(|original| self.stat(&below.with_file_name(original)).is_some())
    }

    /// Whether the file describes a public folder: `_index.md` and its kind.
    pub fn is_section_file(&self, path: &Path) -> bool {
        let Some((below, parent)) = self.relative(path).zip(path.parent()) else { return false };
        below.file_name().is_some_and(is_section_file)
            && self.enters(parent)
            && !self.exclude.matches(below)
            && self.draft_folder(below).is_none()
    }

    /// Returns the folder of drafts that keeps a file from being public, by the file's path below the watched folder.
    pub fn draft_folder<'a>(&self, below: &'a Path) -> Option<&'a OsStr> {
        self.drafts.holding(below)
    }

    /// Whether a folder below the watched one is, or is in, a folder of drafts.
    pub fn holds_drafts(&self, below: &Path) -> bool {
        self.draft_folder(&below.join("article.md")).is_some()
    }

    /// The patterns of `articles.include` that make folders of drafts public.
    pub fn public_drafts(&self) -> &[String] {
        self.drafts.public_patterns()
    }

    /// Explains why the file at `path` is not an article.
    pub fn why_not(&self, path: &Path) -> String {
        let Some(below) = self.relative(path) else { return "it is not in the watched folder".into() };
        if let Some(name) = below.iter().find(|name| is_system_folder(name)) {
            let name = path_line(Path::new(name));
            return format!(
                "`{name}` is a folder of the system, for deleted files, snapshots or metadata: move the file out of it to publish it"
            );
        }
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
            Some(_) if self.is_copy(below) => CONFLICT.into(),
            Some(_) if is_former_version(below) => "Logseq keeps former versions in this folder: move it to publish it".into(),
            Some(_) if self.templates.iter().any(|templates| below.starts_with(templates)) => {
                "it is a template of Obsidian, or in its folder of templates: move it to publish it".into()
            }
            Some(_) => "a file of this name describes a project, or is for programs: rename it, or name it in articles.include, to publish it".into(),
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
    /// ConfigMap.
    pub fn enters_by_link(&self, link: &Path) -> bool {
        let below = self.relative(link);
        below.is_some_and(|below| self.open_root().is_ok_and(|root| root.linked_folder(below).is_some()))
    }

    /// Returns the target of a link to a folder outside of the watched one, if its writer is to hear that it is not followed. No
    /// setting makes such a link be followed; `articles.follow_links = "anywhere"` only accepts it in silence.
    pub fn folder_link_out(&self, below: &Path) -> Option<PathBuf> {
        let link = self.root.join(below);
        let is_link = std::fs::symlink_metadata(&link).is_ok_and(|metadata| metadata.is_symlink());
        let target = is_link.then(|| self.open_root().ok()?.leads_out(below)).flatten()?;
        let is_refused = self.follow_links == FollowLinks::Inside && self.enters(&link) && target.is_dir();
        is_refused.then_some(target)
    }

    /// Returns the target of a link that leads to nothing.
    pub fn dangling_target(&self, link: &Path) -> Option<PathBuf> {
        let target = std::fs::read_link(link).ok()?;
        let is_gone = matches!(link.try_exists(), Ok(false));
        (is_gone && self.relative(link).is_some()).then_some(target)
    }

    /// Whether a link leads out of the folder and is not followed.
    pub fn refuses_link(&self, link: &Path) -> bool {
        let target = || self.open_root().ok()?.leads_out(self.relative(link)?);
        self.follow_links == FollowLinks::Inside && target().is_some()
    }

    /// Whether the file is a sync program's conflict copy of an article.
    pub fn is_conflict_copy(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        let is_article =
            path.extension().and_then(OsStr::to_str).is_some_and(|extension| format_of(extension).is_some());
        is_article && is_conflict(name) && self.relative(path).is_some()
    }
}

/// Whether a file is in the folder of Logseq with former versions of pages.
fn is_former_version(below: &Path) -> bool {
    below.ancestors().skip(1).any(|folder| folder.ends_with("logseq/bak"))
}

/// Extensions of videos that may belong to articles.
const VIDEOS: [&str; 4] = ["mp4", "m4v", "webm", "mov"];

fn is_video(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|ending| VIDEOS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Extensions of texts in other markup that are read as Markdown.
const FOREIGN: [&str; 4] = ["org", "ipynb", "gmi", "gemini"];

/// Whether files of this extension have another markup, which is converted to Markdown.
pub fn is_foreign(extension: &OsStr) -> bool {
    extension.to_str().is_some_and(|extension| FOREIGN.contains(&extension.to_ascii_lowercase().as_str()))
}

/// The folder at the top of the watched one whose pictures are articles. Only there: anywhere else, most pictures belong to articles, to themes or
/// to vaults of notes, and nothing says which do not.
const PHOTOS: &str = "photos";
/// Extensions of pictures that all browsers show.
pub const PHOTO_ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "avif", "gif"];

/// Whether a file is in the folder of photos by its path below the watched folder.
pub fn is_beside_photos(below: &Path) -> bool {
    below.iter().next().is_some_and(|first| first == PHOTOS) && below.iter().nth(1).is_some()
}

/// Whether a picture is an article by its path below the watched folder, unless another article shows it.
pub fn is_photo(below: &Path) -> bool {
    let ending = below.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    is_beside_photos(below) && ending.is_some_and(|ending| PHOTO_ENDINGS.contains(&ending.as_str()))
}

/// Extensions of office documents that are read.
pub const DOCUMENT_ENDINGS: [&str; 2] = ["docx", "odt"];
/// Folders at the top of the watched one for files that readers download.
const DOWNLOADS: [&str; 9] =
    ["static", "public", "assets", "files", "downloads", "attachments", "uploads", "media", "images"];

/// Whether a file is an office document by its name.
pub fn has_document_name(path: &Path) -> bool {
    path.extension().is_some_and(|own| DOCUMENT_ENDINGS.iter().any(|ending| own.eq_ignore_ascii_case(ending)))
}

/// Whether an office document is an article by its path below the watched folder, unless another article links to it.
pub fn is_document(below: &Path) -> bool {
    let is_download = |first: &OsStr| DOWNLOADS.iter().any(|folder| first.eq_ignore_ascii_case(folder));
    has_document_name(below) && !(below.iter().count() > 1 && below.iter().next().is_some_and(is_download))
}

/// Whether a file can only be a text by its name, which belongs to no article.
pub fn is_text_name(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.and_then(format_of).is_some_and(|format| !format.may_belong_to_article())
}

fn format_of(extension: &str) -> Option<SourceFormat> {
    match extension.to_ascii_lowercase().as_str() {
        "txt" | "text" => Some(SourceFormat::Text),
        "md" | "markdown" | "mdown" | "mkd" => Some(SourceFormat::Markdown),
        // Converted to Markdown when it is read.
        foreign if FOREIGN.contains(&foreign) => Some(SourceFormat::Markdown),
        "html" | "htm" | "xhtml" => Some(SourceFormat::Html),
        "webloc" | "url" => Some(SourceFormat::Bookmark),
        "mp3" | "m4a" | "m4b" | "ogg" | "oga" | "opus" | "flac" | "wav" | "aac" => Some(SourceFormat::Audio),
        _ => None,
    }
}

/// The message about texts and recordings that are not read, with the number of files of each extension. `None` if there are none.
pub fn unread_documents(counts: &BTreeMap<&'static str, usize>) -> Option<String> {
    let total: usize = counts.values().sum();
    let mut kinds: Vec<(&str, usize)> = counts.iter().map(|(ending, count)| (*ending, *count)).collect();
    kinds.sort_by_key(|(ending, count)| (std::cmp::Reverse(*count), *ending));
    let kinds = kinds.iter().map(|(ending, count)| format!("{count} .{ending}")).collect::<Vec<_>>().join(", ");
    let (files, verb, them) = if total == 1 { ("file looks", "is", "it") } else { ("files look", "are", "them") };
    let article = if total == 1 { "an article" } else { "articles" };
    (total > 0).then(|| {
        format!("{total} {files} like {article} and {verb} not read: {kinds}; convert {them} to Markdown or HTML, for example with pandoc, and recordings to MP3")
    })
}

/// The message about a link to a folder outside.
pub fn folder_link_message(target: &Path) -> String {
    format!(
        "a link to the folder {}, outside of the watched one: links to folders are not followed; move its files here, or mount it \
         here (`mount --bind`)",
        path_line(target)
    )
}

/// The message about a pattern that matches no file, by the key of the configuration that has it.
pub fn idle_pattern_message(key: &str, pattern: &str) -> String {
    format!(
        "articles.{key}: `{pattern}` matches no file: a pattern is for a path below the folder of articles, as in `posts/**`"
    )
}

/// The message about a link to nothing.
pub fn dangling_link_message(target: &Path) -> String {
    format!("a link to {}, where nothing is: it is published once that file is there", path_line(target))
}

/// The message about a conflict copy.
pub const CONFLICT: &str =
    "not published: this is a sync program's conflict copy; merge it with the other version and delete it";

#[cfg(test)]
mod tests {
    use super::*;

    impl Folder {
        /// A folder with the default configuration.
        pub fn of(directory: &Path) -> Self {
            Self::open(&Articles { directory: directory.to_path_buf(), ..Articles::default() }).expect("a folder")
        }
    }

    fn folder(articles: &Articles) -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().unwrap();
        let articles = Articles { directory: directory.path().to_path_buf(), ..articles.clone() };
        let folder = Folder::open(&articles).unwrap();
        (directory, folder)
    }

    #[test]
    fn a_vault_may_lie_within_the_folder_or_around_it() {
        let root = tempfile::tempdir().unwrap();
        let is_note = |watched: &str, file: &str| {
            let articles = crate::config::Articles { directory: root.path().join(watched), ..Default::default() };
            Folder::open(&articles).unwrap().is_in_vault(Path::new(file))
        };
        std::fs::create_dir_all(root.path().join("a/vault/.obsidian")).unwrap();
        std::fs::create_dir_all(root.path().join("a/vault/b")).unwrap();
        assert!(is_note("a", "vault/x.md") && is_note("a", "vault/b/x.md"));
        assert!(is_note("a/vault", "x.md") && is_note("a/vault/b", "x.md"));
        assert!(!is_note("a", "x.md") && !is_note("a", "b/x.md"));
    }

    #[test]
    fn names_of_articles_and_of_tools() {
        let (_keep, folder) = folder(&Articles::default());
        let format = |name: &str| folder.format(&folder.root().join(name));
        assert_eq!(format("a.txt"), Some(SourceFormat::Text));
        assert_eq!(format("deep/er/A.MD"), Some(SourceFormat::Markdown));
        assert_eq!(format("page.htm"), Some(SourceFormat::Html));
        assert_eq!(format("_posts/2024-05-01-a.md"), Some(SourceFormat::Markdown));
        assert_eq!(format("photos/2026/A.JPG"), Some(SourceFormat::Photo));
        assert_eq!(format("sub/static/A.DOCX"), Some(SourceFormat::Document));
        assert_eq!(format("a.webloc"), Some(SourceFormat::Bookmark));
        assert_eq!(format("A.URL"), Some(SourceFormat::Bookmark));
        assert_eq!(format("logseq/a.md"), Some(SourceFormat::Markdown));
        assert_eq!(format("bak/a.md"), Some(SourceFormat::Markdown));
        assert_eq!(format("one.MP3"), Some(SourceFormat::Audio));
        for name in [
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
            "static/form.docx",
            "Downloads/a/form.odt",
            "a.doc",
            "static/photos/a.jpg",
            "Photos/a.jpg",
            "photos/a.svg",
            "photos/.a.jpg",
            "photos.jpg",
            "a.sync-conflict-20240501-101010-ABCDEFG.md",
            "node_modules/x/README.md",
            "a (conflicted copy 2).md",
            "README.md",
            "__MACOSX/a.md",
            "deep/@Recycle/a.md",
            "$RECYCLE.BIN/S-1-5-21/a.md",
            "~$a.md",
            "logseq/bak/pages/a/2024-05-01T10_00_00.000Z.Desktop.md",
            "notes/logseq/bak/a.md",
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
    fn patterns_that_match_no_file_are_named() {
        let articles: Articles =
            toml::from_str("include = [\"posts\", \"pots/**\"]\nexclude = [\"*.bak\", \"b.md\"]").unwrap();
        let (directory, folder) = folder(&articles);
        std::fs::create_dir_all(directory.path().join("posts/deep")).unwrap();
        std::fs::write(directory.path().join("posts/deep/b.md"), "").unwrap();
        assert_eq!(folder.idle_patterns(), (vec!["pots/**".to_owned()], vec!["*.bak".to_owned()]));
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
        assert_eq!(names, [Path::new("outside"), Path::new("sub/a.md")], "a link that leads out is reported");
    }

    #[test]
    fn the_folder_may_be_missing_but_not_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Articles { directory: directory.path().join(name), ..Articles::default() };
        assert!(Folder::open(&at("later")).is_ok());
        std::fs::write(directory.path().join("file"), "").unwrap();
        assert!(Folder::open(&at("file")).is_err());
    }
}
