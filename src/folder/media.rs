//! Media files beside articles: pictures, recordings, documents. Their names and types, and the one place that opens them for
//! serving.
//!
//! # Which files
//!
//! A file is served if its extension is that of a served type, no part of its path belongs to a tool ([`is_ignored`]),
//! `articles.exclude` does not match it, and it is in no folder of drafts. Of a folder such as `_resources`, pictures, recordings and films are
//! served. A link that leaves the watched folder is followed only with
//! `articles.follow_links = "anywhere"`. A link within it is followed only to files that could be requested by their own names, so
//! that no link leads to a draft or into `.git`. The exception is folders whose names start with two dots: Kubernetes keeps the files of a ConfigMap in such
//! a folder and links to them.
//!
//! A recording or a document is also the folder of what it has inside ([`embedded`]): `ep1.mp3/<hash>.jpg` is its cover. A picture is that of its smaller
//! forms ([`renditions`]): `boat.jpg/800.webp`.
//!
//! Where a picture or a film was taken is overwritten while it is sent ([`camera`]). The file stays as it is.

use crate::model::text::path_line;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::beneath::{FILE, FOLDER, OPEN_ATTEMPTS, canonical, open_beneath};
use super::camera::{self, Erasure};
use super::drafts::DraftFolders;
use super::embedded::{self, EmbeddedFile, InsideKind};
use super::renditions::{self, RenditionStore};
use crate::config::{Articles, FollowLinks, Globs};
use crate::folder::names::is_media_folder;
use crate::folder::{BLOGROLL_FILE, SETTINGS_FILE, Stat, has_document_name, hides_media, is_ignored};

/// Interval and number of checks of a file whose date has changed but not its length.
const GROWTH_CHECKS: (Duration, usize) = (Duration::from_millis(10), 10);
/// Age at which a date is a strong validator: HTTP dates have whole seconds, so a second change in the same second would have
/// the same date. Twice that, since file systems use a clock that lags a little.
const SETTLED: Duration = Duration::from_secs(2);

/// Opens media files below the watched folder.
#[derive(Debug, Clone)]
pub struct MediaFiles {
    root: PathBuf,
    exclude: Globs,
    drafts: DraftFolders,
    follow_links: FollowLinks,
    renditions: Option<RenditionStore>,
}

/// The result of looking up a media file.
#[derive(Debug)]
pub enum MediaLookup {
    File(OpenMedia),
    /// A smaller form that does not exist yet, of the picture at this path.
    Unscaled(PathBuf),
    Missing,
}

impl MediaFiles {
    /// Serves files below `root`, an absolute path, except those that the configuration excludes. The folder need not exist.
    pub fn new(root: &Path, articles: &Articles) -> Self {
        let (root, exclude) = (root.to_path_buf(), articles.exclude.clone());
        let drafts = DraftFolders::new(&articles.include);
        Self { root, exclude, drafts, follow_links: articles.follow_links, renditions: None }
    }

    /// Serves smaller forms of pictures from a store, too.
    #[must_use]
    pub fn with_renditions(self, renditions: Option<RenditionStore>) -> Self {
        Self { renditions, ..self }
    }

    /// Looks up a media file by its path below the watched folder. Asks for a smaller form of a picture that does not exist yet.
    ///
    /// # Errors
    /// As for [`MediaFiles::open`].
    pub fn find(&self, below: &Path) -> io::Result<MediaLookup> {
        if let Some(opened) = self.open(below)? {
            return Ok(MediaLookup::File(opened));
        }
        let (Some(store), Some((picture, width))) = (&self.renditions, renditions::parts_of(below)) else {
            return Ok(MediaLookup::Missing);
        };
        let original = self.open(picture)?.filter(|original| renditions::is_scaled(original.media_type));
        let Some(original) = original else { return Ok(MediaLookup::Missing) };
        let form = store.open(&original.key(), width, picture);
        let form = form.map(|file| OpenMedia::new(file.into(), below, renditions::MEDIA_TYPE)).transpose()?.flatten();
        Ok(form.map_or_else(|| MediaLookup::Unscaled(picture.to_path_buf()), MediaLookup::File))
    }

    /// Opens a file by its path below the watched folder; `None` if there is none that may be served (standards 121). Blocks on
    /// the disk, but never on a FIFO.
    ///
    /// # Errors
    /// The system lacks a resource, or the disk cannot be read. The file may exist.
    pub fn open(&self, below: &Path) -> io::Result<Option<OpenMedia>> {
        let Some(media_type) = media_type(below).filter(|_| self.serves(below, Hidden::No)) else { return Ok(None) };
        let mut tries = 1;
        loop {
            match self.try_open(below) {
                Ok(file) => return OpenMedia::new(file, below, media_type),
                // Files are being renamed or links changed at this moment.
                Err(Errno::AGAIN | Errno::INTR | Errno::LOOP) if tries < OPEN_ATTEMPTS => tries += 1,
                Err(Errno::NOTDIR) => return self.open_inside(below),
                Err(error) if is_absence(error) => {
                    // For the operator; the client only sees a 404.
                    tracing::debug!(path = %below.display(), %error, "media file not found");
                    return Ok(None);
                }
                Err(error) => return Err(at(below, &error.into())),
            }
        }
    }

    /// Opens a picture or the chapters inside a recording or a document. Their path is that of the file, with their name.
    fn open_inside(&self, below: &Path) -> io::Result<Option<OpenMedia>> {
        let name = below.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let outer = below.parent().unwrap_or(below);
        let kind = match embedded::kind_of_name(name) {
            Some(InsideKind::Cover) if has_document_name(outer) => InsideKind::Picture,
            Some(kind) if media_type(outer).is_some_and(plays) => kind,
            _ => return Ok(None),
        };
        let Some(opened) = self.open(outer)? else { return Ok(None) };
        let inside = embedded::find_named(&opened.file, kind, name);
        Ok(inside.map(|inside| opened.inside(kind, inside)))
    }

    fn try_open(&self, below: &Path) -> Result<OwnedFd, Errno> {
        // Opened each time: another folder may have taken its place.
        let root = rustix::fs::open(&self.root, FOLDER, Mode::empty())?;
        match open_beneath(&root, below, FILE) {
            Err(Errno::LOOP) => {
                let opened = self.open_by_links(&root, below);
                // A target that vanishes in between is resolved again: a ConfigMap is replaced by changing a link.
                opened.map_err(|error| if error == Errno::NOENT { Errno::LOOP } else { error })
            }
            opened => opened,
        }
    }

    /// Opens a path that contains a link.
    fn open_by_links(&self, root: &OwnedFd, below: &Path) -> Result<OwnedFd, Errno> {
        let real = canonical(&self.root)?;
        let target = canonical(&real.join(below))?;
        match target.strip_prefix(&real) {
            Ok(inside) if self.serves(inside, Hidden::ConfigMap) => open_beneath(root, inside, FILE),
            Ok(_) => Err(Errno::ACCESS),
            // A name that could be requested, so that a link to a key is not served as a picture.
            Err(_) if self.follow_links == FollowLinks::Anywhere && has_served_name(&target) => {
                rustix::fs::open(&target, FILE | OFlags::NOFOLLOW, Mode::empty())
            }
            Err(_) => Err(Errno::XDEV),
        }
    }

    fn serves(&self, below: &Path, hidden: Hidden) -> bool {
        let is_served = |folder: &Path| {
            let name = folder.file_name().unwrap_or_default();
            !hides_media(name) || (hidden == Hidden::ConfigMap && name.as_bytes().starts_with(b".."))
        };
        let folders = below.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        let is_public = !self.exclude.matches(below) && self.drafts.holding(below).is_none();
        is_shown_name(below) && folders.into_iter().all(is_served) && is_public
    }
}

/// Which hidden folders a path may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    No,
    ConfigMap,
}

/// Whether the names of a path are those of a file that is served.
pub fn is_served_name(below: &Path) -> bool {
    is_shown_name(below) && below.parent().is_some_and(|folders| !folders.iter().any(hides_media))
}

/// Whether a file is served by its own name, and by its type if its folder is one for media.
fn is_shown_name(below: &Path) -> bool {
    let is_for_eyes = |media_type: &str| {
        ["image/", "audio/", "video/", "application/pdf"].iter().any(|start| media_type.starts_with(start))
    };
    let is_in_media_folder = below.parent().is_some_and(|folders| folders.iter().any(is_media_folder));
    let is_allowed = !is_in_media_folder || media_type(below).is_some_and(is_for_eyes);
    is_allowed && has_served_name(below)
}

/// Whether files of this name are served.
fn has_served_name(path: &Path) -> bool {
    media_type(path).is_some() && path.file_name().is_some_and(|name| !is_ignored(name))
}

/// Whether an error means that there is nothing to serve. That includes missing permissions, and names that the file system
/// cannot store.
fn is_absence(error: Errno) -> bool {
    [
        Errno::NOENT,
        Errno::NOTDIR,
        Errno::LOOP,
        Errno::XDEV,
        Errno::ACCESS,
        Errno::NAMETOOLONG,
        Errno::NXIO,
        Errno::ISDIR,
        Errno::INVAL,
        Errno::ILSEQ,
    ]
    .contains(&error)
}

/// Adds the path to an error.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path_line(path)))
}

/// An open media file, served as it was when it was opened.
#[derive(Debug)]
pub struct OpenMedia {
    file: File,
    below: PathBuf,
    stat: Stat,
    media_type: &'static str,
    etag: String,
    /// What is overwritten while the file is sent.
    erased: Vec<Erasure>,
    /// Set if the media file is within the opened one.
    inside: Option<InsidePart>,
}

/// A part of a recording or a document that is served as a file.
#[derive(Debug)]
struct InsidePart {
    kind: InsideKind,
    name: String,
    size: u64,
    /// Its position; `None` if it has to be decoded, which keeps it out of memory between two reads.
    start: Option<u64>,
}

impl OpenMedia {
    /// Returns `None` for a folder, a FIFO, a socket or a device.
    fn new(file: OwnedFd, below: &Path, media_type: &'static str) -> io::Result<Option<Self>> {
        let file = File::from(file);
        let metadata = file.metadata().map_err(|error| at(below, &error))?;
        let stat = Stat::of(&metadata);
        if !metadata.is_file() {
            return Ok(None);
        }
        let is_by_camera = media_type.starts_with("image/") || media_type.starts_with("video/");
        let erased = if is_by_camera { camera::read(&file).positions } else { Vec::new() };
        let etag = etag(&stat, &erased);
        Ok(Some(Self { file, below: below.to_path_buf(), stat, media_type, etag, erased, inside: None }))
    }

    /// A key of the content: another file, or a changed one, has another.
    pub fn key(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.etag.as_bytes());
        hasher.update(self.below.as_os_str().as_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// Narrows a recording to what is inside it. The hash in its name is its validator.
    fn inside(self, kind: InsideKind, file: EmbeddedFile) -> Self {
        let (size, start) = (file.size(), file.start());
        let EmbeddedFile { name, media_type, .. } = file;
        let etag = format!("\"{}\"", name.split('.').next().unwrap_or_default());
        Self { media_type, etag, inside: Some(InsidePart { kind, name, size, start }), ..self }
    }

    /// Value of `Content-Type`.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// Whether it is within another file.
    pub fn is_part(&self) -> bool {
        self.inside.is_some()
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.inside.as_ref().map_or(self.stat.size.cast_unsigned(), |inside| inside.size)
    }

    /// Strong validator, with quotes (RFC 9110 section 8.8.3). It changes whenever the file is written or replaced.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Time of the last change, in whole seconds: the later of the modification time and the change of name or permissions, since
    /// a file that is moved here keeps an old modification time (standards 87).
    ///
    /// `None` while it is too recent: a second change within the same second would have the same date, so the date would not be a
    /// strong validator (RFC 9110 section 8.8.2.2). The ETag differs.
    pub fn last_modified(&self, now: SystemTime) -> Option<SystemTime> {
        let since_1970 = |nanoseconds: i64| u64::try_from(nanoseconds).ok().map(Duration::from_nanos);
        let now = now.duration_since(UNIX_EPOCH).ok()?;
        // Users can set a modification time in the future, but not the change time.
        let modified = since_1970(self.stat.mtime).filter(|modified| *modified <= now).unwrap_or_default();
        let latest = modified.max(since_1970(self.stat.ctime)?);
        let second = Duration::from_secs(latest.as_secs());
        (second + SETTLED <= now).then(|| UNIX_EPOCH + second)
    }

    /// Reads `length` bytes from `offset` on. Blocks.
    ///
    /// # Errors
    /// The disk cannot be read, or the file has changed: it is shorter, or was overwritten. Growth is not a change of the part that
    /// existed.
    pub fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let changed = || io::Error::other("the file changed while it was being sent; the response was cut off");
        let read = self.read_part(offset, length).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(),
            _ => error,
        });
        let read = read.and_then(|bytes| Ok((bytes, self.is_same()?)));
        let (bytes, is_same) = read.map_err(|error| at(&self.below, &error))?;
        if is_same { Ok(bytes) } else { Err(at(&self.below, &changed())) }
    }

    fn read_part(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = match &self.inside {
            None => 0,
            Some(InsidePart { start: Some(start), .. }) => *start,
            Some(InsidePart { kind, name, .. }) => {
                let inside = embedded::find_named(&self.file, *kind, name);
                return inside.ok_or(io::ErrorKind::UnexpectedEof)?.read(&self.file, offset, length);
            }
        };
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start + offset)?;
        self.erased.iter().for_each(|erasure| erasure.apply(start + offset, &mut bytes));
        Ok(bytes)
    }

    /// Whether the file is unchanged up to its former length. The kernel updates the date of a growing file a moment before its
    /// length.
    fn is_same(&self) -> io::Result<bool> {
        for _ in 0..GROWTH_CHECKS.1 {
            let stat = Stat::of(&self.file.metadata()?);
            if stat.mtime == self.stat.mtime || stat.size != self.stat.size {
                return Ok(stat.mtime == self.stat.mtime || stat.size > self.stat.size);
            }
            std::thread::sleep(GROWTH_CHECKS.0);
        }
        Ok(false)
    }
}

/// Half of a BLAKE3 hash of the values that change with the content. Users cannot set the change time, so a file that is replaced
/// by one with the same date gets another tag.
fn etag(stat: &Stat, erased: &[Erasure]) -> String {
    let numbers = [stat.size, stat.mtime, stat.ctime, stat.inode].map(i64::to_le_bytes);
    let mut hasher = blake3::Hasher::new();
    hasher.update(numbers.as_flattened());
    for Erasure { at, bytes } in erased {
        hasher.update(&at.to_le_bytes()).update(bytes);
    }
    format!("\"{}\"", &hasher.finalize().to_hex()[..32])
}

/// Decodes the part of an address after `/media/` to a path below the watched folder; percent-decodes once. `None` for what can
/// never be served: no path, a parent folder, a name that is not served.
pub fn path_of(encoded: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in encoded.split('/') {
        let name = decode(part)?;
        let is_name = !matches!(name.as_slice(), b"" | b"." | b"..");
        // A slash within a name was encoded; a backslash is a separator on other systems that an address may have passed through.
        if !is_name || name.iter().any(|byte| matches!(byte, 0 | b'/' | b'\\')) {
            return None;
        }
        let name = OsString::from_vec(name);
        path.push(name);
    }
    is_served_name(&path).then_some(path)
}

/// Percent-decodes (RFC 3986 section 2.1); `None` if a percent sign lacks its two digits.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?
        } else {
            byte
        });
    }
    Some(decoded)
}

/// Whether a media type is that of a recording.
fn plays(media_type: &str) -> bool {
    media_type.starts_with("audio/") || media_type.starts_with("video/")
}

use crate::folder::Folder;

/// Returns the media type of a file by its name, if files of that type are served. Article formats are not, since drafts would
/// leak; neither are types that a folder may contain by accident: keys, databases, configuration.
pub fn media_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    if extension == "json" {
        return is_chapters(path).then_some("application/json+chapters");
    }
    TYPES.iter().find(|(names, _)| names.contains(&extension.as_str())).map(|(_, media_type)| *media_type)
}

/// Media types registered with IANA, by extension. Feeds announce them, and files are served with them.
pub const TYPES: [(&[&str], &str); 36] = [
    (&["png"], "image/png"),
    (&["jpg", "jpeg", "jpe", "jfif"], "image/jpeg"),
    (&["gif"], "image/gif"),
    (&["webp"], "image/webp"),
    (&["avif"], "image/avif"),
    (&["svg"], "image/svg+xml"),
    (&["bmp"], "image/bmp"),
    (&["ico"], "image/x-icon"),
    (&["tif", "tiff"], "image/tiff"),
    (&["heic"], "image/heic"),
    (&["jxl"], "image/jxl"),
    (&["apng"], "image/apng"),
    (&["mp3"], "audio/mpeg"),
    (&["m4a", "m4b"], "audio/mp4"),
    (&["aac"], "audio/aac"),
    (&["ogg", "oga", "spx"], "audio/ogg"),
    (&["opus"], "audio/ogg"),
    (&["flac"], "audio/flac"),
    (&["wav"], "audio/wav"),
    (&["weba"], "audio/webm"),
    (&["aif", "aiff"], "audio/aiff"),
    (&["mp4", "m4v"], "video/mp4"),
    (&["webm"], "video/webm"),
    (&["ogv"], "video/ogg"),
    (&["mov", "qt"], "video/quicktime"),
    (&["mkv"], "video/matroska"),
    (&["mpg", "mpeg"], "video/mpeg"),
    (&["pdf"], "application/pdf"),
    (&["epub"], "application/epub+zip"),
    (&["zip"], "application/zip"),
    (&["vtt"], "text/vtt; charset=utf-8"),
    (&["srt"], "application/x-subrip"),
    (&["csv"], "text/csv; charset=utf-8"),
    (&["docx"], "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (&["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (&["odt"], "application/vnd.oasis.opendocument.text"),
];

/// Whether a file holds the chapters of a recording by its name, as in `one.chapters.json`. Other JSON is not served.
fn is_chapters(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| Path::new(stem).extension().is_some_and(|inner| inner == "chapters"))
}

/// Whether a file may be one with settings of the site, its blogroll, or a style sheet that these name.
fn is_of_settings(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == SETTINGS_FILE || name == BLOGROLL_FILE)
        || path.extension().is_some_and(|ending| ending == "css")
}

/// Whether a file is an article, or can be referred to by one or by the settings of the site.
pub fn is_relevant(folder: &Folder, path: &Path) -> bool {
    let is_data = || folder.relative(path).is_some_and(|below| folder.data_file_kind(below).is_some());
    folder.format(path).is_some()
        || is_data()
        || is_of_settings(path)
        || (media_type(path).is_some() && folder.enters(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    use proptest::test_runner::{Config as ProptestConfig, RngSeed};

    #[test]
    fn types_by_name() {
        assert_eq!(media_type(Path::new("a/B.JPG")), Some("image/jpeg"));
        assert_eq!(media_type(Path::new("episode 1.mp3")), Some("audio/mpeg"));
        assert_eq!(media_type(Path::new("one.chapters.json")), Some("application/json+chapters"));
        for name in ["a.md", "a.txt", "a.html", "key.pem", "data.sqlite", "a.json", "a", ".mp3", "a.js"] {
            assert_eq!(media_type(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn addresses_of_files() {
        for (encoded, path) in [
            ("a.png", "a.png"),
            ("deep/er/A.PNG", "deep/er/A.PNG"),
            ("a%20b.png", "a b.png"),
            ("a+b.png", "a+b.png"),
            ("%61.p%6eg", "a.png"),
            ("caf%C3%A9.png", "café.png"),
            ("café.png", "café.png"),
            ("100%25.png", "100%.png"),
            ("a%2520.png", "a%20.png"),
            ("_posts/a.png", "_posts/a.png"),
            ("a..b.png", "a..b.png"),
        ] {
            assert_eq!(path_of(encoded), Some(PathBuf::from(path)), "{encoded}");
        }
        assert_eq!(path_of("%FF.png").unwrap().as_os_str().as_bytes(), b"\xFF.png", "a name need not be UTF-8");
    }

    #[test]
    fn addresses_that_name_nothing() {
        for encoded in [
            "",
            "/",
            "a.png/",
            "/a.png",
            "a//b.png",
            "./a.png",
            "../a.png",
            "a/../b.png",
            "a/./b.png",
            "..",
            ".",
            "%2e%2e/a.png",
            "%2E%2e/a.png",
            "%2e/a.png",
            "a%2Fb.png",
            "a%2fb.png",
            "..%2Fa.png",
            "%2Fetc/a.png",
            "a%00.png",
            "a.png%00",
            "a\\b.png",
            "..\\a.png",
            "a%5Cb.png",
            "%.png",
            "%2.png",
            "%zz.png",
            "a.png%",
            "%+1.png",
            "%C3",
            ".hidden.png",
            ".git/a.png",
            "a/.b/c.png",
            "_includes/a.png",
            "node_modules/a.png",
            "a.png~",
            "a.png.part",
            "%2Egit/a.png",
            "a.md",
            "a.txt",
            "a",
            "a/",
            "notes.html",
            "..data/a.png",
            "a.sync-conflict-1.png",
        ] {
            assert_eq!(path_of(encoded), None, "{encoded:?}: standards 121");
        }
    }

    proptest::proptest! {
        // The same addresses in each run, and no file of failures.
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(2026),
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_address_names_a_path_below_the_folder_or_nothing(
            encoded in "(\\PC|/|\\.|%2[EeFf]|%[0-9a-f]{2}|%|a|_|~|\\\\){0,12}\\.?(png|mp3|md)?",
        ) {
            let Some(path) = path_of(&encoded) else { return Ok(()) };
            let below = path.components().all(|part| matches!(part, std::path::Component::Normal(name) if !is_ignored(name)));
            proptest::prop_assert!(below && media_type(&path).is_some(), "{encoded:?}: {path:?}");
            let again: String = path.as_os_str().as_bytes().iter().map(|byte| match byte {
                b'/' => "/".to_owned(),
                byte => format!("%{byte:02X}"),
            }).collect();
            proptest::prop_assert_eq!(path_of(&again), Some(path));
        }
    }

    struct Place {
        directory: tempfile::TempDir,
        files: MediaFiles,
    }

    impl Place {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path().join("root");
            std::fs::create_dir(&root).unwrap();
            let articles: Articles = toml::from_str("exclude = [\"private/**\", \"x-*\"]").unwrap();
            let files = MediaFiles::new(&root, &articles);
            Self { directory, files }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.files.root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        }

        fn link(&self, to: impl AsRef<Path>, name: &str) {
            let link = self.files.root.join(name);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(to, link).unwrap();
        }

        fn open(&self, name: &str) -> Option<OpenMedia> {
            self.files.open(Path::new(name)).unwrap()
        }

        fn text(&self, name: &str) -> Option<String> {
            let opened = self.open(name)?;
            Some(String::from_utf8(opened.read(0, usize::try_from(opened.size()).unwrap()).unwrap()).unwrap())
        }
    }

    #[test]
    fn files_that_are_served() {
        let place = Place::new();
        place.write("a.png", "a");
        place.write("deep/er/b.mp3", "b");
        assert_eq!(place.text("a.png").as_deref(), Some("a"));
        assert_eq!(place.text("deep/er/b.mp3").as_deref(), Some("b"));
        assert_eq!(place.open("deep/er/b.mp3").unwrap().media_type(), "audio/mpeg");
        for name in ["_resources/c.png", "notes/_Assets/deep/c.mp3", "_media/c.pdf"] {
            place.write(name, "c");
            assert_eq!(place.text(name).as_deref(), Some("c"), "{name}");
            assert_eq!(path_of(name), Some(name.into()), "{name}");
        }
        for name in ["_resources/c.csv", "_resources/c.md", "_resources/.c.png", "_resources/_d/c.png", "_assets/c.zip"]
        {
            place.write(name, "c");
            assert!(place.open(name).is_none() && path_of(name).is_none(), "{name}");
        }
        for name in
            ["private/c.png", "x-c.png", "deep/x-c.png", ".c.png", ".git/c.png", "c.md", "_d/c.png", "a.png/c.png"]
        {
            if name != "a.png/c.png" {
                place.write(name, "c");
            }
            assert!(place.open(name).is_none(), "{name}");
        }
        std::fs::create_dir(place.files.root.join("folder.png")).unwrap();
        assert!(place.open("folder.png").is_none());
        assert!(place.open(&format!("{}.png", "n".repeat(300))).is_none(), "longer than the maximum length of a name");
    }

    #[test]
    fn opening_a_fifo_does_not_block() {
        let place = Place::new();
        let fifo = place.files.root.join("a.mp3");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
        assert!(place.open("a.mp3").is_none());
    }

    #[test]
    fn a_link_serves_only_what_could_be_requested_directly() {
        let place = Place::new();
        place.write("a.png", "a");
        place.write("deep/b.png", "b");
        place.write("draft.md", "draft");
        place.write(".git/c.png", "c");
        place.write("private/d.png", "d");
        std::fs::write(place.directory.path().join("out.png"), "out").unwrap();
        place.link("a.png", "link.png");
        place.link(place.files.root.join("a.png"), "absolute.png");
        place.link("deep", "folder");
        place.link("../a.png", "deep/up.png");
        for (name, text) in [("link.png", "a"), ("absolute.png", "a"), ("folder/b.png", "b"), ("folder/up.png", "a")] {
            assert_eq!(place.text(name).as_deref(), Some(text), "{name}");
        }
        place.link("../out.png", "out.png");
        place.link(place.directory.path().join("out.png"), "out-absolute.png");
        place.link("..", "up");
        place.link("draft.md", "draft.png");
        place.link(".git/c.png", "hidden.png");
        place.link(".git", "open");
        place.link("private/d.png", "private.png");
        place.link("private", "public");
        place.link("circle.png", "circle.png");
        place.link("nowhere.png", "dangling.png");
        place.link("/dev/zero", "zero.png");
        place.link("/proc/self/root", "proc");
        for name in [
            "out.png",
            "out-absolute.png",
            "up/out.png",
            "up/root/a.md",
            "draft.png",
            "hidden.png",
            "open/c.png",
            "private.png",
            "public/d.png",
            "circle.png",
            "dangling.png",
            "zero.png",
            "proc/etc/a.png",
        ] {
            assert!(place.open(name).is_none(), "{name}: standards 121");
        }
    }

    #[test]
    fn config_maps_are_served_through_their_links_only() {
        let place = Place::new();
        place.write("map/..2026_01/a.png", "a");
        place.write("map/..2026_01/.b.png", "b");
        place.write("map/..2026_01/..c.png", "c");
        place.link("..2026_01", "map/..data");
        for name in ["a.png", ".b.png", "..c.png"] {
            place.link(Path::new("..data").join(name), &format!("map/{}", name.trim_start_matches('.')));
        }
        assert_eq!(place.text("map/a.png").as_deref(), Some("a"));
        for name in ["map/..data/a.png", "map/..2026_01/a.png", "map/b.png", "map/c.png"] {
            assert!(place.open(name).is_none(), "{name}");
        }
    }

    #[test]
    fn links_that_leave_the_folder_are_served_only_if_that_is_allowed() {
        let mut place = Place::new();
        for name in ["out.png", ".key.png", "key.pem"] {
            std::fs::write(place.directory.path().join(name), "out").unwrap();
        }
        place.link("../out.png", "out.png");
        place.link("../.key.png", "hidden.png");
        place.link("../key.pem", "key.png");
        place.link("/dev/zero", "zero.png");
        place.write(".git/c.png", "c");
        place.link(".git/c.png", "git.png");
        let served = |place: &Place| {
            ["out.png", "hidden.png", "key.png", "zero.png", "git.png"].map(|name| place.open(name).is_some())
        };
        assert_eq!(served(&place), [false; 5]);
        place.files.follow_links = FollowLinks::Anywhere;
        assert_eq!(served(&place), [true, false, false, false, false]);
        assert_eq!(place.text("out.png").as_deref(), Some("out"));
    }

    #[test]
    fn a_missing_folder_serves_nothing_and_can_be_replaced() {
        let place = Place::new();
        place.write("a.png", "old");
        let root = &place.files.root;
        std::fs::rename(root, root.with_extension("away")).unwrap();
        assert!(place.open("a.png").is_none());
        std::fs::write(root, "a file").unwrap();
        assert!(place.open("a.png").is_none());
        std::fs::remove_file(root).unwrap();
        place.write("a.png", "new");
        assert_eq!(place.text("a.png").as_deref(), Some("new"));
        place.link("a.png", "link.png");
        let elsewhere = root.with_extension("elsewhere");
        std::fs::rename(root, &elsewhere).unwrap();
        symlink(&elsewhere, root).unwrap();
        assert_eq!(place.text("a.png").as_deref(), Some("new"), "the root may be a link");
        assert_eq!(place.text("link.png").as_deref(), Some("new"));
    }

    #[test]
    fn a_growing_file_is_served_and_a_rewritten_one_is_not() {
        let place = Place::new();
        let path = place.write("a.mp3", "0123456789");
        let opened = place.open("a.mp3").unwrap();
        let change = |text: &str| {
            std::fs::write(&path, text).unwrap();
            // The clock of a file system may be too coarse to distinguish two changes.
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() + SETTLED).unwrap();
        };
        assert_eq!(opened.read(8, 2).unwrap(), b"89");
        change("0123456789 and more");
        assert_eq!(opened.read(8, 2).unwrap(), b"89");
        change("9876543210");
        let message = opened.read(8, 2).unwrap_err().to_string();
        assert_eq!(message, "a.mp3: the file changed while it was being sent; the response was cut off");
        change("0");
        assert!(opened.read(8, 2).is_err());
    }

    #[test]
    fn validators_follow_the_file() {
        let place = Place::new();
        let path = place.write("a.mp3", "1");
        let (first, again) = (place.open("a.mp3").unwrap(), place.open("a.mp3").unwrap());
        assert_eq!(first.etag(), again.etag());
        // Replaced by a file of the same length with an older date.
        let other = place.write("b.mp3", "2");
        File::options().write(true).open(&other).unwrap().set_modified(UNIX_EPOCH).unwrap();
        std::fs::rename(other, &path).unwrap();
        let second = place.open("a.mp3").unwrap();
        assert_ne!(first.etag(), second.etag());
        let later = SystemTime::now() + SETTLED * 10;
        assert!(second.last_modified(later) >= first.last_modified(later), "standards 87: never backwards");
        assert!(second.last_modified(later).is_some());
    }

    #[test]
    fn a_date_is_a_validator_once_its_second_is_over() {
        const SECOND: i64 = 1_000_000_000;
        let place = Place::new();
        place.write("a.mp3", "1");
        let mut opened = place.open("a.mp3").unwrap();
        let mut date_of = |mtime: i64, ctime: i64, now_milliseconds: u64| {
            opened.stat = Stat { mtime, ctime, ..opened.stat };
            let date = opened.last_modified(UNIX_EPOCH + Duration::from_millis(now_milliseconds))?;
            Some(date.duration_since(UNIX_EPOCH).unwrap().as_millis())
        };
        assert_eq!(date_of(10 * SECOND + 900_000_000, 5 * SECOND, 12_000), Some(10_000), "whole seconds");
        assert_eq!(date_of(10 * SECOND + 900_000_000, 5 * SECOND, 11_999), None);
        assert_eq!(date_of(SECOND, 5 * SECOND + 1, 12_000), Some(5_000), "moved later than written");
        assert_eq!(date_of(20 * SECOND, 5 * SECOND, 12_000), Some(5_000), "a forged time in the future");
        assert_eq!(date_of(SECOND, 20 * SECOND, 12_000), None, "the clock was set back");
        assert_eq!(date_of(-SECOND, 0, 12_000), Some(0));
    }
}
