//! Exif: the tags of a TIFF structure (TIFF 6.0 section 2; Exif 3.0 section 4.6).

use super::tags::{CameraTags, Turn};
use crate::folder::media_bytes::MediaBytes;

/// Maximum number of tags in a directory.
const MAX_TAGS: u64 = 1_000;
/// Maximum length of a value of a position, in bytes. Coordinates have 24.
const MAX_VALUE: u64 = 4_096;
/// Size of a tag in a directory, in bytes.
const TAG: u64 = 12;

const ORIENTATION: u64 = 0x0112;
const POSITION: u64 = 0x8825;
const SHORT: u64 = 3;

/// A TIFF structure within a file.
pub struct Tiff<'a> {
    source: &'a MediaBytes<'a>,
    start: u64,
    end: u64,
    is_big_endian: bool,
}

/// A tag of a directory.
#[derive(Debug, Clone, Copy)]
pub struct TiffTag {
    pub number: u64,
    kind: u64,
    count: u64,
    /// The value, if it fits; else its position.
    pub value: u64,
    /// The first two bytes of the value.
    short: u64,
}

impl<'a> Tiff<'a> {
    /// Opens the structure between two positions of a file.
    pub fn new(source: &'a MediaBytes<'a>, start: u64, end: u64) -> Option<Self> {
        let head = source.array::<4>(start)?;
        let is_big_endian = match &head {
            b"MM\0*" => true,
            b"II*\0" => false,
            _ => return None,
        };
        Some(Self { source, start, end: end.min(source.length), is_big_endian })
    }

    /// A number in the order of bytes of the structure.
    pub fn number_of(&self, bytes: &[u8]) -> u64 {
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    /// The absolute position of something of a length, which must be within.
    fn place(&self, offset: u64, length: u64) -> Option<u64> {
        let at = self.start.checked_add(offset)?;
        (at.checked_add(length)? <= self.end).then_some(at)
    }

    /// The offset of the first directory.
    pub fn first(&self) -> Option<u64> {
        Some(self.number_of(&self.source.array::<4>(self.start + 4)?))
    }

    /// The tags of the directory at an offset.
    pub fn tags(&self, offset: u64) -> Option<Vec<TiffTag>> {
        let count = self.number_of(&self.source.array::<2>(self.place(offset, 2)?)?).min(MAX_TAGS);
        let at = self.place(offset + 2, count * TAG)?;
        let bytes = self.source.bytes(at, count * TAG)?;
        let tag = |bytes: &[u8]| TiffTag {
            number: self.number_of(&bytes[..2]),
            kind: self.number_of(&bytes[2..4]),
            count: self.number_of(&bytes[4..8]),
            value: self.number_of(&bytes[8..12]),
            short: self.number_of(&bytes[8..10]),
        };
        Some(bytes.chunks_exact(12).map(tag).collect())
    }

    /// The bytes of a value that does not fit into its tag, with their position.
    pub fn far_value(&self, tag: &TiffTag, most: u64) -> Option<(u64, Vec<u8>)> {
        let length = tag.count.checked_mul(size_of_kind(tag.kind))?;
        if length <= 4 || length > most {
            return None;
        }
        let at = self.place(tag.value, length)?;
        Some((at, self.source.bytes(at, length)?))
    }

    /// Reads the tags of a picture.
    pub fn read(&self, tags: &mut CameraTags) -> Option<()> {
        for tag in self.tags(self.first()?)? {
            match tag.number {
                ORIENTATION if tag.kind == SHORT => {
                    tags.turn = u16::try_from(tag.short).ok().and_then(Turn::new).unwrap_or_default();
                }
                POSITION => {
                    self.erase(tag.value, tags);
                }
                _ => {}
            }
        }
        Some(())
    }

    /// Erases a directory with its values. What is left is a directory without tags.
    fn erase(&self, offset: u64, tags: &mut CameraTags) -> Option<()> {
        let directory = self.tags(offset)?;
        for tag in &directory {
            if let Some((at, value)) = self.far_value(tag, MAX_VALUE) {
                tags.erase(at, vec![0; value.len()]);
            }
        }
        let length = 2 + directory.len() * usize::try_from(TAG).ok()?;
        tags.erase(self.place(offset, length as u64)?, vec![0; length]);
        Some(())
    }
}

/// Size of a value of a kind, in bytes.
fn size_of_kind(kind: u64) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 => 8,
        _ => 1,
    }
}
