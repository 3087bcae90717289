//! Opens and reads the file of an article: beneath the watched folder, never blocks on a FIFO, never exceeds the limit, and detects
//! changes during reading.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::folder::{Folder, OpenFailure, SourceFormat, Stat};
use crate::model::text::path_line;

/// Length of the start and of the end of a recording that identify it, in bytes.
const SAMPLE: u64 = 1 << 20;

/// A file's content at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The bytes of the file; of a recording or a photo, those that identify it.
    pub bytes: Vec<u8>,
    /// Its `stat`, equal before and after reading.
    pub stat: Stat,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file does not exist: it was deleted or renamed.
    #[error("the file is gone")]
    Gone,
    /// It is a folder, a FIFO, a socket or a device.
    #[error("not a regular file: only files can be articles")]
    NotAFile,
    /// It is a link that is not followed.
    #[error(
        "a link to {}, outside of the watched folder: put the file here, or set articles.follow_links = \"anywhere\" to publish it",
        path_line(target)
    )]
    LeadsOut {
        /// Path of the target.
        target: PathBuf,
        /// Attributes of the link itself.
        link: Stat,
    },
    /// It is larger than `articles.max_file_size`.
    #[error("{size} bytes exceed articles.max_file_size ({limit}): make the file smaller or raise the limit")]
    TooLarge {
        /// Size of the file in bytes.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// It was written while it was read.
    #[error("the file changed while it was read")]
    Changing,
    /// Another error; the file may exist.
    #[error("cannot read the file: {0}")]
    Io(#[from] io::Error),
}

impl LoadError {
    /// Whether the system lacked a resource, so that a retry may succeed with the same file.
    pub fn is_passing(&self) -> bool {
        let short = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO, Errno::AGAIN].map(Errno::raw_os_error);
        matches!(self, Self::Changing)
            || matches!(self, Self::Io(error) if error.raw_os_error().is_some_and(|code| short.contains(&code)))
    }
}

/// Reads the bytes that identify a file of this format: see [`OpenArticle::load_as`].
///
/// # Errors
/// See [`LoadError`]; only [`LoadError::Gone`] means that the file does not exist.
pub fn load_as(folder: &Folder, path: &Path, format: SourceFormat, limit: u64) -> Result<Loaded, LoadError> {
    open(folder, path)?.load_as(format, limit)
}

/// A file open for reading.
#[derive(Debug)]
pub struct OpenArticle {
    pub(super) file: File,
    /// Its metadata when it was opened.
    before: Metadata,
}

impl OpenArticle {
    /// Reads the whole file, at most `limit` bytes.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(self, limit: u64) -> Result<Loaded, LoadError> {
        let Self { file, before } = self;
        if before.len() > limit {
            return Err(LoadError::TooLarge { size: before.len(), limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0) + 1);
        (&file).take(limit + 1).read_to_end(&mut bytes)?;
        let stat = Stat::of(&before);
        let after = Stat::of(&file.metadata()?);
        let length = bytes.len() as u64;
        if length > limit {
            return Err(LoadError::TooLarge { size: length, limit });
        }
        if (stat.size, stat.mtime) != (after.size, after.mtime) || length != before.len() {
            return Err(LoadError::Changing);
        }
        Ok(Loaded { bytes, stat: after })
    }

    /// Reads the bytes that identify a file of this format. For a text, that is the whole file, at most `limit` bytes. For a recording
    /// or a photo of any size, it is the length with the first and the last mebibyte: tags are at the start or end, and cutting the
    /// recording changes its length. An edit in the middle that does not change the length is missed.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_as(self, format: SourceFormat, limit: u64) -> Result<Loaded, LoadError> {
        if !format.is_media() {
            return self.load(limit);
        }
        let Self { mut file, before } = self;
        let mut bytes = before.len().to_le_bytes().to_vec();
        (&file).take(SAMPLE).read_to_end(&mut bytes)?;
        if before.len() > SAMPLE {
            file.seek(SeekFrom::Start(SAMPLE.max(before.len().saturating_sub(SAMPLE))))?;
            (&file).take(SAMPLE).read_to_end(&mut bytes)?;
        }
        let (stat, after) = (Stat::of(&before), Stat::of(&file.metadata()?));
        if (stat.size, stat.mtime) != (after.size, after.mtime) {
            return Err(LoadError::Changing);
        }
        Ok(Loaded { bytes, stat: after })
    }
}

/// Opens a regular file for reading by its path below the watched folder.
///
/// # Errors
/// See [`LoadError`].
pub fn open(folder: &Folder, path: &Path) -> Result<OpenArticle, LoadError> {
    let file = match folder.open_file(path) {
        Ok(file) => file,
        Err(OpenFailure::LeadsOut(link)) => return Err(LoadError::LeadsOut { target: link.target, link: link.stat }),
        Err(OpenFailure::System(Errno::NOENT | Errno::NOTDIR)) => return Err(LoadError::Gone),
        Err(OpenFailure::System(Errno::NXIO)) => return Err(LoadError::NotAFile),
        Err(OpenFailure::System(error)) => return Err(LoadError::Io(error.into())),
    };
    let before = file.metadata()?;
    if before.is_file() { Ok(OpenArticle { file, before }) } else { Err(LoadError::NotAFile) }
}

#[cfg(test)]
mod tests {
    use rustix::fs::Mode;

    use super::*;
    use crate::config::Articles;

    #[test]
    fn only_regular_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("a.txt"), "text").unwrap();
        std::fs::create_dir(at("folder.txt")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo.txt"), Mode::RUSR | Mode::WUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket.txt")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("zero.txt")).unwrap();
        std::os::unix::fs::symlink("circle.txt", at("circle.txt")).unwrap();
        let folder = Folder::of(directory.path());
        let load = |name: &str, limit| load_as(&folder, Path::new(name), SourceFormat::Text, limit);
        assert_eq!(load("a.txt", 4).unwrap().bytes, b"text");
        assert!(matches!(load("a.txt", 3), Err(LoadError::TooLarge { size: 4, limit: 3 })));
        assert!(matches!(load("b.txt", 4), Err(LoadError::Gone)));
        assert!(matches!(load("a.txt/b.txt", 4), Err(LoadError::Gone)));
        assert!(matches!(load("zero.txt", 4), Err(LoadError::LeadsOut { .. })));
        assert!(matches!(load("circle.txt", 4), Err(LoadError::Io(_))));
        for name in ["folder.txt", "fifo.txt", "socket.txt"] {
            assert!(matches!(load(name, 4), Err(LoadError::NotAFile)), "{name}");
        }
        let articles = Articles { follow_links: crate::config::FollowLinks::Anywhere, ..Articles::default() };
        let folder = Folder::open(&Articles { directory: directory.path().into(), ..articles }).unwrap();
        let zero = load_as(&folder, Path::new("zero.txt"), SourceFormat::Text, 4);
        assert!(matches!(zero, Err(LoadError::NotAFile)));
    }

    #[test]
    fn a_recording_is_identified_by_length_start_and_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.mp3");
        let folder = Folder::of(directory.path());
        let sample = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            load_as(&folder, Path::new("a.mp3"), SourceFormat::Audio, 4).unwrap().bytes
        };
        let mebibyte = usize::try_from(SAMPLE).unwrap();
        let mut bytes = vec![7; 3 * mebibyte];
        let before = sample(&bytes);
        assert_eq!(before.len(), 2 * mebibyte + 8);
        bytes.push(7);
        assert_ne!(sample(&bytes), before, "its length");
        for at in [0, 3 * mebibyte - 1] {
            let mut changed = vec![7; 3 * mebibyte];
            changed[at] = 8;
            assert_ne!(sample(&changed), before, "byte {at}");
        }
        assert_eq!(sample(b"short")[8..], *b"short");
        assert_eq!(sample(&vec![7; mebibyte + 1]).len(), mebibyte + 9);
    }
}
