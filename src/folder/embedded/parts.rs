//! What recordings have inside.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Maximum size of data that have to be decoded, in bytes. That is done again for each part of them that is sent.
pub const MAX_DECODED: usize = 8 << 20;
/// Maximum number of chapters of a recording.
pub const MAX_CHAPTERS: usize = 1_000;

/// Maximum size of a picture that is served from within a file, in bytes.
pub const MAX_PICTURE: u64 = 16 << 20;
/// Number of digits of the hash in a name.
pub const DIGITS: usize = 32;

/// Pictures that every podcast player shows: the extension and the media type of each.
pub const PICTURES: [(&str, &str); 4] =
    [(".jpg", "image/jpeg"), (".png", "image/png"), (".webp", "image/webp"), (".gif", "image/gif")];

/// The type of a picture by its first bytes.
pub fn type_of(head: &[u8; 12]) -> Option<(&'static str, &'static str)> {
    let [jpeg, png, webp, gif] = PICTURES;
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Some(jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Some(webp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(gif),
        _ => None,
    }
}

/// Bytes of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// They are stored as they are.
    InFile { start: u64, length: u64 },
    /// They were decoded or made.
    InMemory(Vec<u8>),
}

impl Data {
    pub fn length(&self) -> u64 {
        match self {
            Self::InFile { length, .. } => *length,
            Self::InMemory(bytes) => bytes.len() as u64,
        }
    }

    /// Reads bytes from a position on; the number of them is smaller only at the end.
    pub fn read_at(&self, file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length().saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        match self {
            Self::InFile { start, .. } => file.read_exact_at(&mut buffer[..left], start + at).map(|()| left),
            Self::InMemory(bytes) => {
                let first = usize::try_from(at).unwrap_or(usize::MAX);
                buffer[..left]
                    .copy_from_slice(bytes.get(first..).and_then(|rest| rest.get(..left)).unwrap_or_default());
                Ok(left)
            }
        }
    }
}

/// A picture in the tags. The type of picture that ID3 and FLAC state is 3 for the front cover.
#[derive(Debug)]
pub struct EmbeddedPicture {
    pub is_front: bool,
    pub data: Data,
}

/// A chapter of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chapter {
    /// In milliseconds.
    pub start: u64,
    pub title: String,
    pub url: Option<String>,
}
