//! Rewrites ID3v2 tags, so that they contain only plain text frames and are cheap to parse.
//!
//! Sources: <https://id3.org/id3v2-00>, <https://id3.org/id3v2.3.0>, <https://id3.org/id3v2.4.0-structure>.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::patch::{Budget, Patch};
use super::texts::Id3Texts;
use crate::folder::embedded::id3::{FrameFlags, number, resynchronised};

/// Size of the header of a tag, in bytes.
const TAG_HEADER: u64 = 10;
/// Maximum size of a tag whose unsynchronisation is undone as a whole, in bytes.
const MAX_UNSYNCHRONISED: u64 = 32 << 20;

/// Flags of a tag.
const UNSYNCHRONISED: u8 = 0x80;
const EXTENDED: u8 = 0x40;
const FOOTER: u8 = 0x10;

/// Returns a replacement for the tag at `start`: the header, the frames with text, and padding. `None` if no tag starts there.
pub fn rewrite(file: &File, start: u64, length: u64, budget: &mut Budget, texts: &mut Id3Texts) -> Option<Patch> {
    let mut header = [0; 10];
    file.read_exact_at(&mut header, start).ok()?;
    let [b'I', b'D', b'3', version @ 2..=4, _, flags, size @ ..] = header else { return None };
    let end = (start + TAG_HEADER + number(&size, 7)).min(length);
    // In 2.2 this flag means that the whole tag is compressed, by a scheme that was never defined.
    let is_opaque = version == 2 && flags & EXTENDED != 0;
    header[5] = if version == 2 { 0 } else { flags & FOOTER };
    let mut bytes = header.to_vec();
    if is_opaque {
        budget.skip_opaque("the whole tag".to_owned());
    } else {
        let body = TagBody::read(file, start + TAG_HEADER, end, version < 4 && flags & UNSYNCHRONISED != 0);
        let first = if version > 2 && flags & EXTENDED != 0 { body.after_extended_header(version) } else { 0 };
        let is_unsynchronised = version == 4 && flags & UNSYNCHRONISED != 0;
        let mut frames = FrameWriter { version, is_unsynchronised, budget, texts, bytes };
        frames.copy(&body, first);
        bytes = frames.bytes;
    }
    Some(Patch { start, bytes, end })
}

/// Writes the text frames of a tag, decoded and without flags.
struct FrameWriter<'a> {
    version: u8,
    is_unsynchronised: bool,
    budget: &'a mut Budget,
    texts: &'a mut Id3Texts,
    bytes: Vec<u8>,
}

impl FrameWriter<'_> {
    /// Copies the text frames of a tag from a position on.
    fn copy(&mut self, body: &TagBody, first: u64) {
        let mut at = first;
        while let Some(frame) = Id3Frame::parse(body, at, self.version) {
            if !self.budget.take(0) {
                return;
            }
            if frame.is_opaque {
                self.budget.skip_opaque(frame.name());
            } else if frame.is_text() && frame.start < frame.end {
                if !self.budget.take(frame.end - frame.start) {
                    return;
                }
                let mut content = body.get(frame.start, frame.end).unwrap_or_default();
                if self.is_unsynchronised || frame.is_unsynchronised {
                    content = resynchronised(&content);
                }
                if self.texts.add(&frame.id, self.version, &content) {
                    self.write(&frame.id, &content);
                }
            }
            at = frame.end;
        }
    }

    fn write(&mut self, id: &[u8], content: &[u8]) {
        let size = u32::try_from(content.len()).unwrap_or_default();
        self.bytes.extend(id);
        match self.version {
            2 => self.bytes.extend(&size.to_be_bytes()[1..]),
            3 => self.bytes.extend(size.to_be_bytes()),
            _ => self.bytes.extend([21, 14, 7, 0].map(|shift| (size >> shift & 0x7F) as u8)),
        }
        self.bytes.extend(if self.version == 2 { &[][..] } else { &[0, 0] });
        self.bytes.extend(content);
    }
}

/// One frame of a tag.
struct Id3Frame {
    /// Three bytes in 2.2, otherwise four.
    id: Vec<u8>,
    is_opaque: bool,
    is_unsynchronised: bool,
    /// Start and end of the content in the tag.
    start: u64,
    end: u64,
}

impl Id3Frame {
    /// Reads the header of the frame at a position; `None` at the padding or the end of the tag.
    fn parse(body: &TagBody, at: u64, version: u8) -> Option<Self> {
        let (id, size, flags) = match version {
            2 => (3, 3, 0),
            _ => (4, 4, 2),
        };
        let start = at + id + size + flags;
        let header = body.get(at, start).filter(|header| header[0] != 0)?;
        let (id, rest) = header.split_at(usize::try_from(id).ok()?);
        let (size, flags) = rest.split_at(usize::try_from(size).ok()?);
        let size = size_of(body, size, version, start);
        let flags = flags.get(1).copied().unwrap_or_default();
        let FrameFlags { is_opaque, is_unsynchronised, extra } = FrameFlags::of(version, flags);
        let end = (start + size).min(body.length());
        Some(Self { id: id.to_vec(), is_opaque, is_unsynchronised, start: start + extra, end })
    }

    /// Whether the frame is text. Chapters are dropped because they nest and the parser reads them recursively, and lists of credits
    /// because it refuses those in which a name is missing.
    fn is_text(&self) -> bool {
        // Some programs write the ids of 2.2 into 2.3, padded with a NUL.
        let name = self.id.strip_suffix(b"\0").unwrap_or(&self.id);
        let is_list = [&b"TIPL"[..], b"TMCL"].contains(&name);
        (name.starts_with(b"T") && !is_list) || [&b"COMM"[..], b"USLT", b"COM", b"ULT"].contains(&name)
    }

    fn name(&self) -> String {
        self.id.iter().map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '?' }).collect()
    }
}

/// The size of the frame whose content begins at a position. Some programs, such as an old iTunes, write the sizes of 2.4 as those of 2.3:
/// the one that is followed by a frame, padding or the end is right.
fn size_of(body: &TagBody, bytes: &[u8], version: u8, start: u64) -> u64 {
    let (packed, plain) = (number(bytes, 7), number(bytes, 8));
    if version != 4 {
        return plain;
    }
    let is_name = |name: &[u8]| name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_followed = |size: u64| {
        let end = start + size;
        end == body.length() || body.get(end, end + 4).is_some_and(|next| next == [0; 4] || is_name(&next))
    };
    if packed != plain && !is_followed(packed) && is_followed(plain) { plain } else { packed }
}

/// The part of a tag after its header.
enum TagBody<'a> {
    InFile { file: &'a File, start: u64, end: u64 },
    InMemory(Vec<u8>),
}

impl<'a> TagBody<'a> {
    fn read(file: &'a File, start: u64, end: u64, is_unsynchronised: bool) -> Self {
        let body = Self::InFile { file, start, end };
        if !is_unsynchronised {
            return body;
        }
        let bytes = if body.length() <= MAX_UNSYNCHRONISED { body.get(0, body.length()) } else { None };
        Self::InMemory(resynchronised(&bytes.unwrap_or_default()))
    }

    fn length(&self) -> u64 {
        match self {
            Self::InFile { start, end, .. } => end.saturating_sub(*start),
            Self::InMemory(bytes) => bytes.len() as u64,
        }
    }

    /// Returns the bytes between two positions; `None` if the tag is too short.
    fn get(&self, from: u64, to: u64) -> Option<Vec<u8>> {
        if to > self.length() {
            return None;
        }
        let (first, length) = (usize::try_from(from).ok()?, usize::try_from(to.checked_sub(from)?).ok()?);
        match self {
            Self::InFile { file, start, .. } => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start + from).ok().map(|()| bytes)
            }
            Self::InMemory(bytes) => bytes.get(first..first + length).map(<[u8]>::to_vec),
        }
    }

    /// Returns the start of the frames. The size of the extended header includes its own field in 2.4 only.
    fn after_extended_header(&self, version: u8) -> u64 {
        let size = self.get(0, 4).unwrap_or_default();
        if version == 4 { number(&size, 7) } else { 4 + number(&size, 8) }
    }
}
