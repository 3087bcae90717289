//! A part of a recording, as it is stored or decoded.

use super::parts::Data;
use crate::folder::media_bytes::MediaBytes;

/// A part of a recording, as it is stored or decoded.
pub enum ByteView<'a> {
    InFile { source: &'a MediaBytes<'a>, start: u64, end: u64 },
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
