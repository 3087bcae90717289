//! Pictures and chapters in ID3v2 tags.
//!
//! Sources: <https://id3.org/id3v2-00>, <https://id3.org/id3v2.3.0>, <https://id3.org/id3v2.4.0-frames>,
//! <https://id3.org/id3v2-chapters-1.0>.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::parts::{Chapter, EmbeddedPicture, MAX_CHAPTERS};
use super::view::ByteView;
use crate::folder::media_bytes::MediaBytes;

const HEADER: u64 = 10;
/// Maximum number of frames of a tag.
const MAX_FRAMES: usize = 2_000;
/// Maximum length of the texts before the picture in its frame.
const MAX_HEAD: u64 = 64 << 10;
/// The type of a front cover.
const FRONT: u8 = 3;

/// Flags of a tag.
const UNSYNCHRONISED: u8 = 0x80;
const EXTENDED: u8 = 0x40;

/// The end of the tag at a position, if there is one.
pub fn end(source: &MediaBytes<'_>, at: u64) -> Option<u64> {
    let [b'I', b'D', b'3', 2..=4, _, flags, size @ ..] = source.array::<10>(at)? else { return None };
    let footer = if flags & 0x10 == 0 { 0 } else { HEADER };
    Some(at + HEADER + number(&size, 7) + footer)
}

pub fn pictures(source: &MediaBytes<'_>, at: u64) -> Vec<EmbeddedPicture> {
    with_frames(source, at, |version, frames| frames.iter().filter_map(|frame| frame.picture(version)).collect())
}

pub fn chapters(source: &MediaBytes<'_>, at: u64) -> Vec<Chapter> {
    with_frames(source, at, |version, frames| {
        frames.iter().filter_map(|frame| frame.chapter(version)).take(MAX_CHAPTERS).collect()
    })
}

/// Passes the frames of the tag at a position to a function.
fn with_frames<T>(source: &MediaBytes<'_>, at: u64, read: impl Fn(u8, &[TagFrame<'_>]) -> Vec<T>) -> Vec<T> {
    let Some([b'I', b'D', b'3', version @ 2..=4, _, flags, size @ ..]) = source.array::<10>(at) else {
        return Vec::new();
    };
    let start = at + HEADER;
    let end = (start + number(&size, 7)).min(source.length);
    // In 2.2 this flag means that the whole tag is compressed.
    if version == 2 && flags & EXTENDED != 0 {
        return Vec::new();
    }
    // Up to 2.3, the sizes of frames are those after decoding.
    let decoded = (version < 4 && flags & UNSYNCHRONISED != 0)
        .then(|| resynchronised(&source.bytes(start, end - start).unwrap_or_default()));
    let body = match &decoded {
        Some(bytes) => ByteView::InMemory(bytes),
        None => ByteView::InFile { source, start, end },
    };
    let first = match (version, flags & EXTENDED) {
        (2, _) | (_, 0) => 0,
        (3, _) => 4 + body.number(0, 4).unwrap_or_default(),
        _ => number(&body.bytes(0, 4).unwrap_or_default(), 7),
    };
    let is_unsynchronised = version == 4 && flags & UNSYNCHRONISED != 0;
    read(version, &frames(&body, first, body.length(), version, is_unsynchronised))
}

/// The content of a frame.
struct TagFrame<'a> {
    id: Vec<u8>,
    body: &'a ByteView<'a>,
    /// In the body.
    start: u64,
    end: u64,
    is_unsynchronised: bool,
}

/// The frames between two positions that are neither compressed nor encrypted.
fn frames<'a>(
    body: &'a ByteView<'a>,
    first: u64,
    last: u64,
    version: u8,
    is_unsynchronised: bool,
) -> Vec<TagFrame<'a>> {
    let mut frames = Vec::new();
    let mut at = first;
    let (name, rest) = if version == 2 { (3, 3) } else { (4, 6) };
    while frames.len() < MAX_FRAMES && at + name + rest <= last {
        let Some(header) = body.bytes(at, name + rest).filter(|header| is_name(&header[..3])) else { break };
        let (id, rest_bytes) = header.split_at(if version == 2 { 3 } else { 4 });
        let start = at + name + rest;
        let size =
            if version == 2 { number(rest_bytes, 8) } else { size_of(&rest_bytes[..4], version, body, start, last) };
        let flags = if version == 2 { 0 } else { rest_bytes[5] };
        let end = start.saturating_add(size).min(last);
        let flags = FrameFlags::of(version, flags);
        if !flags.is_opaque && start + flags.extra < end {
            let is_unsynchronised = is_unsynchronised || flags.is_unsynchronised;
            frames.push(TagFrame { id: id.to_vec(), body, start: start + flags.extra, end, is_unsynchronised });
        }
        at = end.max(at + 1);
    }
    frames
}

/// What the second byte of flags says of a frame; 2.2 has none.
pub struct FrameFlags {
    /// It is compressed or encrypted.
    pub is_opaque: bool,
    pub is_unsynchronised: bool,
    /// Length of what precedes the content: a byte for the group of frames, and four for the length of the content.
    pub extra: u64,
}

impl FrameFlags {
    pub fn of(version: u8, flags: u8) -> Self {
        let (is_opaque, is_unsynchronised, extra) = match version {
            2 => (false, false, 0),
            3 => (flags & 0xC0 != 0, false, u64::from(flags & 0x20 != 0)),
            _ => {
                (flags & 0x0C != 0, flags & 0x02 != 0, u64::from(flags & 0x40 != 0) + 4 * u64::from(flags & 0x01 != 0))
            }
        };
        Self { is_opaque, is_unsynchronised, extra }
    }
}

fn is_name(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The size of a frame. Some programs write the sizes of 2.4 as those of 2.3: the one that is followed by a frame, padding or the end is
/// right.
fn size_of(bytes: &[u8], version: u8, body: &ByteView<'_>, start: u64, last: u64) -> u64 {
    let (packed, plain) = (number(bytes, 7), number(bytes, 8));
    let is_followed = |size: u64| {
        let end = start.saturating_add(size);
        end == last || body.bytes(end, 4).is_some_and(|next| next == [0; 4] || is_name(&next))
    };
    match version {
        3 => plain,
        _ if packed != plain && !is_followed(packed) && is_followed(plain) => plain,
        _ => packed,
    }
}

impl TagFrame<'_> {
    /// The picture of a frame: texts precede its bytes.
    fn picture(&self, version: u8) -> Option<EmbeddedPicture> {
        if ![&b"APIC"[..], b"PIC", b"PIC\0"].contains(&&self.id[..]) {
            return None;
        }
        let head = self.body.bytes(self.start, (self.end - self.start).min(MAX_HEAD))?;
        let (encoding, rest) = head.split_first()?;
        // A format of three letters in 2.2, then a media type.
        let after_type = if version == 2 { 3 } else { 1 + rest.iter().position(|byte| *byte == 0)? };
        let (kind, description) = rest.get(after_type..)?.split_first()?;
        let text = 2 + after_type + after_text(*encoding, description)?;
        let is_front = *kind == FRONT;
        if !self.is_unsynchronised {
            return Some(EmbeddedPicture { is_front, data: self.body.data(self.start + text as u64, self.end)? });
        }
        let content = resynchronised(&self.body.bytes(self.start, self.end - self.start)?);
        // The texts may have been stuffed as well.
        let frame = TagFrame {
            id: self.id.clone(),
            body: &ByteView::InMemory(&content),
            start: 0,
            end: content.len() as u64,
            is_unsynchronised: false,
        };
        frame.picture(version)
    }

    /// The chapter of a frame: its name, four times, then frames of its own.
    fn chapter(&self, version: u8) -> Option<Chapter> {
        if self.id != b"CHAP" {
            return None;
        }
        let stored = self.body.bytes(self.start, (self.end - self.start).min(4 * MAX_HEAD))?;
        let content = if self.is_unsynchronised { resynchronised(&stored) } else { stored };
        let times = 1 + content.iter().position(|byte| *byte == 0)?;
        let start = number(content.get(times..times + 4)?, 8);
        let body = ByteView::InMemory(&content);
        let mut chapter = Chapter { start, ..Chapter::default() };
        for inner in frames(&body, times as u64 + 16, body.length(), version, false) {
            let Some(bytes) = body.bytes(inner.start, inner.end - inner.start) else { continue };
            let Some((encoding, text)) = bytes.split_first() else { continue };
            match &inner.id[..] {
                b"TIT2" => chapter.title = decoded(*encoding, text),
                // A description precedes the address, which is Latin-1.
                b"WXXX" => {
                    let address = after_text(*encoding, text).and_then(|at| text.get(at..));
                    chapter.url = address.map(|address| decoded(0, address));
                }
                _ => {}
            }
        }
        Some(chapter)
    }
}

/// Length of a text with the NUL at its end.
fn after_text(encoding: u8, bytes: &[u8]) -> Option<usize> {
    if matches!(encoding, 1 | 2) {
        return bytes.chunks_exact(2).position(|pair| pair == [0, 0]).map(|pair| 2 * pair + 2);
    }
    bytes.iter().position(|byte| *byte == 0).map(|at| at + 1)
}

/// The first text of a frame.
fn decoded(encoding: u8, bytes: &[u8]) -> String {
    let end =
        after_text(encoding, bytes).map_or(bytes.len(), |end| end - if matches!(encoding, 1 | 2) { 2 } else { 1 });
    let bytes = &bytes[..end];
    let encoding: &Encoding = match (encoding, bytes) {
        (0, _) => return bytes.iter().map(|byte| char::from(*byte)).collect(),
        (1, [0xFE, 0xFF, ..]) | (2, _) => UTF_16BE,
        (1, _) => UTF_16LE,
        _ => UTF_8,
    };
    encoding.decode_with_bom_removal(bytes).0.into_owned()
}

/// Reads a big-endian number with 7 or 8 bits per byte.
pub fn number(bytes: &[u8], bits: u32) -> u64 {
    let mask = (1 << bits) - 1;
    bytes.iter().fold(0, |number, byte| number << bits | (u64::from(*byte) & mask))
}

/// Undoes the unsynchronisation scheme: removes the zero after each 0xFF.
pub fn resynchronised(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut is_after_ff = false;
    for byte in bytes {
        if is_after_ff && *byte == 0 {
            is_after_ff = false;
            continue;
        }
        is_after_ff = *byte == 0xFF;
        plain.push(*byte);
    }
    plain
}
