//! Opens and reads the file of an article: never blocks on a FIFO, never exceeds the limit, and detects changes during reading.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::folder::{SourceFormat, Stat};

/// Length of the start and of the end of a recording that identify it, in bytes.
const SAMPLE: u64 = 1 << 20;

/// A file's content at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The bytes of the file.
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
        use rustix::io::Errno;
        let short = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::IO, Errno::AGAIN].map(Errno::raw_os_error);
        matches!(self, Self::Changing)
            || matches!(self, Self::Io(error) if error.raw_os_error().is_some_and(|code| short.contains(&code)))
    }
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// See [`LoadError`]; only [`LoadError::Gone`] means that the file does not exist.
pub fn load(path: &Path, limit: u64) -> Result<Loaded, LoadError> {
    open(path)?.load(limit)
}

/// Reads the bytes that identify a file of this format: see [`OpenArticle::load_as`].
///
/// # Errors
/// See [`LoadError`]; only [`LoadError::Gone`] means that the file does not exist.
pub fn load_as(path: &Path, format: SourceFormat, limit: u64) -> Result<Loaded, LoadError> {
    open(path)?.load_as(format, limit)
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
    /// of any size, it is the length with the first and the last mebibyte: tags are at the start or end, and cutting the
    /// recording changes its length. An edit in the middle that does not change the length is missed.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_as(self, format: SourceFormat, limit: u64) -> Result<Loaded, LoadError> {
        if format != SourceFormat::Audio {
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

/// Opens a regular file for reading.
///
/// # Errors
/// See [`LoadError`].
pub fn open(path: &Path) -> Result<OpenArticle, LoadError> {
    // NONBLOCK: opening a FIFO without a writer would block for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Err(LoadError::Gone),
        Err(rustix::io::Errno::NXIO) => return Err(LoadError::NotAFile),
        Err(error) => return Err(LoadError::Io(error.into())),
    };
    let before = file.metadata()?;
    if before.is_file() { Ok(OpenArticle { file, before }) } else { Err(LoadError::NotAFile) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.txt");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(load(&path, 4).unwrap().bytes, b"text");
        assert!(matches!(load(&path, 3), Err(LoadError::TooLarge { size: 4, limit: 3 })));
        assert!(matches!(load(&directory.path().join("b.txt"), 4), Err(LoadError::Gone)));
        assert!(matches!(load(&path.join("b.txt"), 4), Err(LoadError::Gone)));
        assert!(matches!(load(directory.path(), 4), Err(LoadError::NotAFile)));
        let fifo = directory.path().join("fifo.txt");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
        assert!(matches!(load(&fifo, 4), Err(LoadError::NotAFile)));
        assert!(matches!(load(Path::new("/dev/zero"), 4), Err(LoadError::NotAFile)));
    }

    #[test]
    fn a_recording_is_identified_by_length_start_and_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.mp3");
        let sample = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            load_as(&path, SourceFormat::Audio, 4).unwrap().bytes
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
