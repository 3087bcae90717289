//! Pictures and chapters of FLAC (RFC 9639) and Ogg (RFC 3533), whose comments are those of Vorbis.

use std::collections::BTreeMap;

use super::parts::{Chapter, Data, EmbeddedPicture, MAX_CHAPTERS, MAX_DECODED};
use super::view::ByteView;
use crate::folder::media_bytes::MediaBytes;

/// Maximum number of metadata blocks, or of comments.
const MAX_ITEMS: usize = 2_000;
/// The type of a front cover.
const FRONT: u64 = 3;

/// The metadata blocks of a FLAC stream whose marker is at a position: the type of each, its start and its end.
fn blocks(source: &MediaBytes<'_>, start: u64) -> Vec<(u8, u64, u64)> {
    let (mut at, mut blocks) = (start + 4, Vec::new());
    while blocks.len() < MAX_ITEMS {
        let Some([kind, size @ ..]) = source.array::<4>(at) else { break };
        let size = size.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
        blocks.push((kind & 0x7F, at + 4, at + 4 + size));
        if kind & 0x80 != 0 {
            break;
        }
        at += 4 + size;
    }
    blocks
}

pub fn flac_pictures(source: &MediaBytes<'_>, start: u64) -> Vec<EmbeddedPicture> {
    const PICTURE: u8 = 6;
    let blocks = blocks(source, start).into_iter().filter(|(kind, ..)| *kind == PICTURE);
    let mut found: Vec<EmbeddedPicture> =
        blocks.filter_map(|(_, start, end)| picture_block(&ByteView::InFile { source, start, end })).collect();
    if found.is_empty() {
        found = flac_comments(source, start).iter().filter_map(|(key, value)| picture_of(key, value)).collect();
    }
    found
}

pub fn flac_chapters(source: &MediaBytes<'_>, start: u64) -> Vec<Chapter> {
    chapters_of(&flac_comments(source, start))
}

fn flac_comments(source: &MediaBytes<'_>, start: u64) -> Vec<(String, Vec<u8>)> {
    const COMMENTS: u8 = 4;
    let block = blocks(source, start).into_iter().find(|(kind, ..)| *kind == COMMENTS);
    block.and_then(|(_, start, end)| source.bytes(start, end - start)).map(|bytes| comments(&bytes)).unwrap_or_default()
}

pub fn ogg_pictures(source: &MediaBytes<'_>) -> Vec<EmbeddedPicture> {
    ogg_comments(source).iter().filter_map(|(key, value)| picture_of(key, value)).collect()
}

pub fn ogg_chapters(source: &MediaBytes<'_>) -> Vec<Chapter> {
    chapters_of(&ogg_comments(source))
}

/// The comments of a stream of FLAC or Ogg at the start of a file: keys in capital letters, and values.
pub fn all_comments(source: &MediaBytes<'_>) -> Vec<(String, Vec<u8>)> {
    match source.array::<4>(0) {
        Some([b'f', b'L', b'a', b'C']) => flac_comments(source, 0),
        Some([b'O', b'g', b'g', b'S']) => ogg_comments(source),
        _ => Vec::new(),
    }
}

/// The comments in the second packet of the first stream.
fn ogg_comments(source: &MediaBytes<'_>) -> Vec<(String, Vec<u8>)> {
    let Some(packet) = second_packet(source) else { return Vec::new() };
    let signature = [&b"\x03vorbis"[..], b"OpusTags"].into_iter().find(|signature| packet.starts_with(signature));
    comments(&packet[signature.map_or(0, <[u8]>::len)..])
}

fn second_packet(source: &MediaBytes<'_>) -> Option<Vec<u8>> {
    let (mut at, mut number, mut packet, mut stream) = (0, 0, Vec::new(), None);
    loop {
        let header = source.array::<27>(at).filter(|header| header.starts_with(b"OggS"))?;
        let segments = source.bytes(at + 27, u64::from(header[26]))?;
        at += 27 + segments.len() as u64;
        let size: u64 = segments.iter().map(|size| u64::from(*size)).sum();
        // Another stream, such as a film, has pages in between.
        if *stream.get_or_insert([header[14], header[15], header[16], header[17]]) == header[14..18] {
            let page = source.bytes(at, size)?;
            let mut first = 0;
            for size in segments {
                let end = first + usize::from(size);
                if number == 1 {
                    packet.extend_from_slice(&page[first..end]);
                }
                first = end;
                // A segment of less than 255 bytes ends the packet.
                if size < 255 {
                    number += 1;
                    if number == 2 {
                        return Some(packet);
                    }
                }
            }
            // Base64 takes a third more.
            if packet.len() > MAX_DECODED / 2 * 3 {
                return None;
            }
        }
        at += size;
    }
}

/// The comments after the name of the encoder: keys in capital letters, and values.
fn comments(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize| bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize);
    let mut comments = Vec::new();
    let Some(mut at) = number(0).and_then(|vendor| vendor.checked_add(8)) else { return comments };
    while comments.len() < MAX_ITEMS {
        let text = number(at).and_then(|size| bytes.get(at + 4..at.checked_add(4)?.checked_add(size)?));
        let Some(text) = text else { break };
        at += 4 + text.len();
        if let Some(equals) = text.iter().position(|byte| *byte == b'=') {
            let key = String::from_utf8_lossy(&text[..equals.min(64)]).to_uppercase();
            comments.push((key, text[equals + 1..].to_vec()));
        }
    }
    comments
}

/// The picture of a comment, in base64.
fn picture_of(key: &str, value: &[u8]) -> Option<EmbeddedPicture> {
    match key {
        "METADATA_BLOCK_PICTURE" => picture_block(&ByteView::InMemory(&from_base64(value)?)),
        // The form that came before.
        "COVERART" => Some(EmbeddedPicture { is_front: false, data: Data::InMemory(from_base64(value)?) }),
        _ => None,
    }
}

/// The picture of a block: its type, two texts and four numbers precede its bytes.
fn picture_block(view: &ByteView<'_>) -> Option<EmbeddedPicture> {
    let is_front = view.number(0, 4)? == FRONT;
    let media_type = view.number(4, 4)?;
    let description = 8 + media_type;
    let numbers = description + 4 + view.number(description, 4)?;
    let length = view.number(numbers + 16, 4)?;
    let start = numbers + 20;
    // Some programs write a size of zero for a picture that fills the block.
    let end = if length == 0 { view.length() } else { start + length };
    Some(EmbeddedPicture { is_front, data: view.data(start, end)? })
}

/// Decodes base64, with or without padding; `None` for anything else, or for too much.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > MAX_DECODED / 3 * 4 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.iter().filter(|letter| !letter.is_ascii_whitespace()) {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(bytes)
}

/// The chapters of comments: `CHAPTER001=00:01:02.500`, `CHAPTER001NAME=…`, `CHAPTER001URL=…`.
fn chapters_of(comments: &[(String, Vec<u8>)]) -> Vec<Chapter> {
    let mut chapters: BTreeMap<u32, (Option<u64>, Chapter)> = BTreeMap::new();
    for (key, value) in comments {
        let Some(rest) = key.strip_prefix("CHAPTER") else { continue };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(number) = rest[..digits].parse() else { continue };
        if chapters.len() >= MAX_CHAPTERS && !chapters.contains_key(&number) {
            continue;
        }
        let text = String::from_utf8_lossy(value).into_owned();
        let (start, chapter) = chapters.entry(number).or_default();
        match &rest[digits..] {
            "" => *start = milliseconds(&text),
            "NAME" => chapter.title = text,
            "URL" => chapter.url = Some(text),
            _ => {}
        }
    }
    chapters.into_values().filter_map(|(start, chapter)| Some(Chapter { start: start?, ..chapter })).collect()
}

/// Reads a time such as `01:02:03.500`.
fn milliseconds(text: &str) -> Option<u64> {
    let (clock, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let mut seconds = 0_u64;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    seconds.checked_mul(1_000)?.checked_add(fraction.parse().ok()?)
}
