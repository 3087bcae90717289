//! Where a copy of the site is written: a folder, or any other store of files.

use std::io;
use std::path::Path;

use bytes::Bytes;
use hyper::HeaderMap;

use super::file_row::FileRow;
use super::layout::StoreKind;
use crate::folder::media::OpenMedia;
use crate::render::compression::ContentCoding;

/// The bytes of a file.
#[derive(Debug)]
pub enum ObjectBody {
    /// In each content coding that makes them smaller, and uncompressed.
    Bytes(Vec<(ContentCoding, Bytes)>),
    /// A file beside articles.
    Media(OpenMedia),
}

/// A file to be written.
#[derive(Debug)]
pub struct ExportObject {
    /// Path below the root of the web server.
    pub file: String,
    /// Of the response of the daemon with the uncompressed bytes.
    pub headers: HeaderMap,
    /// `Last-Modified`, in seconds.
    pub modified: i64,
    pub body: ObjectBody,
    pub origin: FileOrigin,
}

/// What is known of the file that is at a path already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOrigin {
    /// The manifest names it, and it was as the row says.
    Own(FileRow),
    /// An export that did not end may have written it.
    Unfinished,
    /// If there is a file, it is not known who wrote it. It is never overwritten.
    Unknown,
}

/// How a file came to be as it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOutcome {
    Written,
    /// It was there already.
    Recognised,
}

/// Why a file was not written or deleted.
#[derive(Debug)]
pub enum PutError {
    /// Something is in the way, the name is impossible, or the rights do not suffice. Other files can be written.
    Obstructed(String),
    /// The store cannot be written.
    Failed(io::Error),
}

impl From<io::Error> for PutError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Size of a written file in each content coding, in the order of [`FileRow::sizes`], and the BLAKE3 of its uncompressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutFile {
    pub outcome: PutOutcome,
    pub content: [u8; 16],
    pub sizes: [u64; 4],
}

/// A store of files with a manifest.
pub trait ExportTarget: Sync {
    /// How files are named, and what is stored of each.
    fn kind(&self) -> StoreKind;

    /// Maximum number of threads that write at the same time.
    fn workers(&self) -> usize;

    /// Reads the newest manifest line by line, then the paths of files that unfinished exports may have written, each after a tab.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, line: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()>;

    /// Notes that files are about to be written or deleted, before that happens.
    ///
    /// # Errors
    /// The store cannot be written.
    fn intend(&self, files: &[&str]) -> io::Result<()>;

    /// Whether something is at the place of a file already.
    fn is_occupied(&self, file: &str) -> bool;

    /// Whether the file that the manifest describes is still there.
    fn holds(&self, file: &str, row: &FileRow) -> bool;

    /// Writes a file. `worker` is the number of the thread.
    ///
    /// # Errors
    /// The file cannot be written.
    fn put(&self, object: &ExportObject, worker: usize) -> Result<PutFile, PutError>;

    /// Gives a file that it holds another `Last-Modified`. Returns false if it has to be written instead.
    fn touch(&self, file: &str, row: &FileRow) -> bool;

    /// Deletes a file in all content codings, if it exists.
    ///
    /// # Errors
    /// The file cannot be deleted.
    fn delete(&self, file: &str, row: Option<&FileRow>) -> Result<(), PutError>;

    /// Whether names that differ only by case are one.
    fn folds_case(&self) -> bool;

    /// A folder of this machine for files that are needed until the end of the export. It exists.
    fn scratch(&self) -> &Path;

    /// Makes the file at `manifest` the newest manifest, unless another export has made one meanwhile.
    ///
    /// # Errors
    /// The store cannot be written, or another export has written to it.
    fn commit(&self, manifest: &Path) -> io::Result<()>;
}
