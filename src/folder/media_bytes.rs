//! Bounded reading of a media file.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Maximum number of reads of one file: of headers, mostly.
const MAX_READS: u32 = 20_000;
/// Maximum number of bytes that are read into memory from one file, all in all.
const MAX_BYTES: u64 = 64 << 20;
/// Maximum number of bytes that are read at once.
const MAX_READ: usize = 16 << 20;

/// A file that is read a limited number of times.
pub struct MediaBytes<'a> {
    pub file: &'a File,
    pub length: u64,
    reads: Cell<u32>,
    unread: Cell<u64>,
}

impl<'a> MediaBytes<'a> {
    /// # Errors
    /// The length of the file cannot be read.
    pub fn new(file: &'a File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length, reads: Cell::new(0), unread: Cell::new(MAX_BYTES) })
    }

    /// Counts a read. Returns whether it is within the file and its limits.
    pub fn may_read(&self, at: u64, length: u64) -> bool {
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

    /// As [`MediaBytes::array`], of a length that the file states.
    pub fn bytes(&self, at: u64, length: u64) -> Option<Vec<u8>> {
        let size = usize::try_from(length).ok().filter(|size| *size <= MAX_READ)?;
        if !self.may_read(at, length) {
            return None;
        }
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, at).ok().map(|()| bytes)
    }

    /// A big-endian number of at most eight bytes.
    pub fn number(&self, at: u64, width: u64) -> Option<u64> {
        Some(self.bytes(at, width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}
