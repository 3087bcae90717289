//! Smaller forms of pictures, for pages: their names, and the directory that keeps them.
//!
//! A form has the name of a key and a width. The key changes with the picture, so nothing in the directory is ever wrong; what is not
//! asked for any more is deleted after some time.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

/// Name of the directory below the state directory.
pub const DIRECTORY: &str = "pictures";
/// Media type of the smaller forms.
pub const MEDIA_TYPE: &str = "image/webp";
/// Their widths in pixels: a small phone, a phone, and the column of text on a screen of twice the density.
pub const WIDTHS: [u32; 3] = [480, 800, 1216];
/// Pictures with more pixels have no smaller forms: they would take too much memory.
pub const MAX_PIXELS: u64 = 50_000_000;
/// Number of attempts to make the forms of a picture. An attempt that ends the process counts.
const MAX_ATTEMPTS: u64 = 2;
/// Shortest length of a picture in WebP, in bytes. A shorter file counts attempts.
const MIN_WEBP: u64 = 20;
/// Maximum number of pictures that wait for their smaller forms. More are asked for again by their next readers.
const MAX_WAITING: usize = 256;
/// Age at which a form is deleted, so that one of a deleted picture does not stay.
const MAX_AGE: Duration = Duration::from_hours(24 * 30);

/// The widths of the smaller forms of a picture with a media type, a width and a height.
pub fn widths(media_type: &str, (width, height): (u32, u32)) -> impl Iterator<Item = u32> {
    let may_be_scaled = is_scaled(media_type) && u64::from(width) * u64::from(height) <= MAX_PIXELS;
    WIDTHS.into_iter().filter(move |smaller| may_be_scaled && *smaller < width)
}

/// The last part of the address of a smaller form, below that of the picture.
pub fn name(width: u32) -> String {
    format!("{width}.webp")
}

/// Splits the path of a smaller form into that of its picture and a width. `None` for any other name.
pub fn parts_of(below: &Path) -> Option<(&Path, u32)> {
    let file = below.file_name()?.to_str()?;
    let width = WIDTHS.into_iter().find(|width| file == name(*width))?;
    Some((below.parent()?, width)).filter(|(picture, _)| picture.file_name().is_some())
}

/// Whether pictures of a type have smaller forms. Drawings need none; other types cannot be read.
pub fn is_scaled(media_type: &str) -> bool {
    matches!(media_type, "image/jpeg" | "image/png" | "image/webp")
}

/// The smaller forms that exist, and a way to ask for others.
#[derive(Debug, Clone)]
pub struct RenditionStore {
    files: RenditionFiles,
    requests: SyncSender<PathBuf>,
}

impl RenditionStore {
    /// Makes a store, and the receiver of the paths of pictures whose forms are asked for.
    pub fn new(files: RenditionFiles) -> (Self, Receiver<PathBuf>) {
        let (requests, receiver) = sync_channel(MAX_WAITING);
        (Self { files, requests }, receiver)
    }

    /// Opens a form by the key of its picture. Asks for it if it does not exist.
    pub fn open(&self, key: &str, width: u32, picture: &Path) -> Option<File> {
        let file = self.files.open(key, width);
        if file.is_none() && !self.files.is_given_up(key, width) {
            // If too many wait, the next reader asks again.
            let _ = self.requests.try_send(picture.to_path_buf());
        }
        file
    }
}

/// The directory of smaller forms.
#[derive(Debug, Clone)]
pub struct RenditionFiles {
    directory: PathBuf,
    /// Maximum size of all files, in bytes.
    max_bytes: u64,
}

impl RenditionFiles {
    /// Keeps at most `max_bytes` of files in a directory, which need not exist.
    pub fn new(directory: PathBuf, max_bytes: u64) -> Self {
        Self { directory, max_bytes }
    }

    fn path(&self, key: &str, width: u32) -> PathBuf {
        self.directory.join(format!("{key}-{width}"))
    }

    /// Length of the file of a form; 0 if there is none.
    fn length(&self, key: &str, width: u32) -> u64 {
        std::fs::metadata(self.path(key, width)).map_or(0, |metadata| metadata.len())
    }

    fn open(&self, key: &str, width: u32) -> Option<File> {
        let file = File::open(self.path(key, width)).ok()?;
        (file.metadata().ok()?.len() >= MIN_WEBP).then_some(file)
    }

    /// Whether nothing is to be made for a form: it exists, or cannot be made.
    pub fn is_done(&self, key: &str, width: u32) -> bool {
        self.length(key, width) >= MIN_WEBP || self.is_given_up(key, width)
    }

    fn is_given_up(&self, key: &str, width: u32) -> bool {
        (MAX_ATTEMPTS..MIN_WEBP).contains(&self.length(key, width))
    }

    /// Records an attempt to make a form, before it begins: it may end the process.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn begin(&self, key: &str, width: u32) -> io::Result<()> {
        let attempts = self.length(key, width).min(MAX_ATTEMPTS);
        self.write(key, width, &vec![b'.'; usize::try_from(attempts + 1).unwrap_or(1)])
    }

    /// Keeps a form; or, with `None`, that the picture itself is better.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn keep(&self, key: &str, width: u32, bytes: Option<&[u8]>) -> io::Result<()> {
        let none = vec![b'.'; usize::try_from(MAX_ATTEMPTS).unwrap_or(1)];
        self.write(key, width, bytes.unwrap_or(&none))
    }

    fn write(&self, key: &str, width: u32, bytes: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        // A reader sees all of it or nothing.
        let unfinished = self.directory.join("unfinished");
        File::create(&unfinished)?.write_all(bytes)?;
        std::fs::rename(unfinished, self.path(key, width))
    }

    /// Deletes what is too old, and the oldest while all are too large. Returns their size in bytes.
    pub fn trim(&self) -> u64 {
        let listed = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let dated = |entry: std::fs::DirEntry| {
            let metadata = entry.metadata().ok()?;
            Some((metadata.modified().ok()?, metadata.len(), entry.path()))
        };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = listed.filter_map(dated).collect();
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (modified, length, path) in files {
            let is_old = modified.elapsed().is_ok_and(|age| age > MAX_AGE);
            if (is_old || bytes > self.max_bytes) && std::fs::remove_file(path).is_ok() {
                bytes -= length;
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_smaller_than_the_picture() {
        let widths = |media_type: &str, size: (u32, u32)| widths(media_type, size).collect::<Vec<_>>();
        assert_eq!(widths("image/jpeg", (4_000, 3_000)), WIDTHS);
        assert_eq!(widths("image/png", (800, 3_000)), [480]);
        assert_eq!(widths("image/webp", (480, 480)), [0; 0]);
        assert_eq!(widths("image/jpeg", (10_000, 10_000)), [0; 0], "too many pixels");
        assert_eq!(widths("image/svg+xml", (4_000, 3_000)), [0; 0]);
    }

    #[test]
    fn names_of_smaller_forms() {
        let parts = |path: &'static str| parts_of(Path::new(path));
        assert_eq!(parts("a/boat.jpg/800.webp"), Some((Path::new("a/boat.jpg"), 800)));
        for other in ["a/boat.jpg/801.webp", "a/boat.jpg/0800.webp", "800.webp"] {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn a_form_is_asked_for_until_it_exists_or_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let files = RenditionFiles::new(directory.path().join("pictures"), 1 << 20);
        let (store, requests) = RenditionStore::new(files.clone());
        let open = |key: &str| store.open(key, 480, Path::new("a.jpg"));
        assert!(open("k").is_none() && requests.try_recv().is_ok());
        // The process ends.
        files.begin("k", 480).unwrap();
        assert!(open("k").is_none() && requests.try_recv().is_ok(), "once more");
        files.begin("k", 480).unwrap();
        assert!(files.is_done("k", 480) && open("k").is_none() && requests.try_recv().is_err(), "twice is enough");
        files.keep("l", 480, None).unwrap();
        assert!(files.is_done("l", 480) && open("l").is_none() && requests.try_recv().is_err());
        files.keep("k", 480, Some(&[7; 100])).unwrap();
        assert!(files.is_done("k", 480) && open("k").is_some());
    }

    #[test]
    fn the_oldest_forms_make_room() {
        let directory = tempfile::tempdir().unwrap();
        let files = RenditionFiles::new(directory.path().to_path_buf(), 250);
        for (key, age) in [
            ("old", MAX_AGE + Duration::from_mins(1)),
            ("a", Duration::from_mins(3)),
            ("b", Duration::from_mins(2)),
            ("c", Duration::ZERO),
        ] {
            files.keep(key, 480, Some(&[7; 100])).unwrap();
            File::options()
                .write(true)
                .open(files.path(key, 480))
                .unwrap()
                .set_modified(SystemTime::now() - age)
                .unwrap();
        }
        assert_eq!(files.trim(), 200);
        let kept = ["old", "a", "b", "c"].map(|key| files.is_done(key, 480));
        assert_eq!(kept, [false, false, true, true]);
    }
}
