//! Bounded reading of a recording.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::parts::{Data, MAX_DECODED};

/// Maximum number of reads of one recording: of headers, mostly.
const MAX_READS: u32 = 20_000;
/// Maximum number of bytes that are read into memory from one recording, all in all.
const MAX_BYTES: u64 = 64 << 20;

/// A recording that is read a limited number of times.
pub struct RecordingBytes<'a> {
    pub file: &'a File,
    pub length: u64,
    reads: Cell<u32>,
    unread: Cell<u64>,
}

impl<'a> RecordingBytes<'a> {
    /// # Errors
    /// The length of the file cannot be read.
    pub fn new(file: &'a File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length, reads: Cell::new(0), unread: Cell::new(MAX_BYTES) })
    }

    fn may_read(&self, at: u64, length: u64) -> bool {
        let reads = self.reads.get() + 1;
        let (end, unread) = (at.checked_add(length), self.unread.get().checked_sub(length));
        let (Some(end), Some(unread)) = (end, unread) else { return false };
        self.reads.set(reads.min(MAX_READS + 1));
        self.unread.set(unread);
        end <= self.length && reads <= MAX_READS
    }

    /// The bytes at a position.
    pub fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        let read = self.may_read(at, N as u64) && self.file.read_exact_at(&mut bytes, at).is_ok();
        read.then_some(bytes)
    }

    /// As [`RecordingBytes::array`], of a length that the file states. At most [`MAX_DECODED`] bytes, with some room for encodings.
    pub fn bytes(&self, at: u64, length: u64) -> Option<Vec<u8>> {
        let size = usize::try_from(length).ok().filter(|size| *size <= 2 * MAX_DECODED)?;
        if !self.may_read(at, length) {
            return None;
        }
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, at).ok().map(|()| bytes)
    }
}

/// A part of a recording, as it is stored or decoded.
pub enum ByteView<'a> {
    InFile { source: &'a RecordingBytes<'a>, start: u64, end: u64 },
    InMemory(&'a [u8]),
}

impl ByteView<'_> {
    pub fn length(&self) -> u64 {
        match self {
            Self::InFile { start, end, .. } => end.saturating_sub(*start),
            Self::InMemory(bytes) => bytes.len() as u64,
        }
    }

    /// Reads bytes; `None` if they are not all within.
    pub fn bytes(&self, at: u64, length: u64) -> Option<Vec<u8>> {
        let end = at.checked_add(length).filter(|end| *end <= self.length())?;
        match self {
            Self::InFile { source, start, .. } => source.bytes(start + at, length),
            Self::InMemory(bytes) => {
                bytes.get(usize::try_from(at).ok()?..usize::try_from(end).ok()?).map(<[u8]>::to_vec)
            }
        }
    }

    /// Reads a big-endian number of at most eight bytes.
    pub fn number(&self, at: u64, width: u64) -> Option<u64> {
        Some(self.bytes(at, width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Reads at most `most` bytes, fewer at the end.
    pub fn head(&self, at: u64, most: u64) -> Option<Vec<u8>> {
        self.bytes(at, self.length().checked_sub(at)?.min(most))
    }

    /// The bytes between two positions, without reading them if they are stored as they are.
    pub fn data(&self, from: u64, to: u64) -> Option<Data> {
        let length = to.checked_sub(from).filter(|_| to <= self.length())?;
        match self {
            Self::InFile { start, .. } => Some(Data::InFile { start: start + from, length }),
            Self::InMemory(_) => self.bytes(from, length).map(Data::InMemory),
        }
    }
}
