//! The places of Exif and XMP in the formats of pictures, and of locations in films.

use flate2::Crc;

use super::tags::{CameraTags, Erasure};
use super::tiff::Tiff;
use super::xmp;
use crate::folder::atoms::{Atom, at_path, atoms, child};
use crate::folder::media_bytes::MediaBytes;

/// Maximum number of segments or chunks.
const MAX_PARTS: usize = 2_000;
/// Maximum size of a packet or a chunk that is read, in bytes.
const MAX_PACKET: u64 = 4 << 20;
/// Maximum length of a location in a film, in bytes.
const MAX_LOCATION: usize = 4_096;
/// Maximum number of pictures in one file.
const MAX_PICTURES: usize = 16;

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// A GUID, the whole length and the offset follow: 40 bytes.
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const SEVERAL: &[u8] = b"MPF\0";

/// Reads the tags of a file by its first bytes.
pub fn read(source: &MediaBytes<'_>, tags: &mut CameraTags) -> Option<()> {
    let head = source.array::<12>(0)?;
    match &head {
        [0xFF, 0xD8, ..] => jpeg(source, 0, tags),
        [0x89, b'P', b'N', b'G', ..] => png(source, tags),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => webp(source, tags),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Tiff::new(source, 0, source.length)?.read(tags),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => {
            film(source, tags);
            still(source, tags)
        }
        _ => None,
    }
}

/// Erases the positions in a packet of XMP.
fn packet(source: &MediaBytes<'_>, start: u64, end: u64, tags: &mut CameraTags) -> Option<()> {
    let bytes = source.bytes(start, end.checked_sub(start)?.min(MAX_PACKET))?;
    for value in xmp::positions(&bytes) {
        tags.erase(start + value.start as u64, vec![b' '; value.len()]);
    }
    Some(())
}

/// JPEG (ITU T.81 annex B), with the pictures that its Multi-Picture Format (CIPA DC-007) names.
fn jpeg(source: &MediaBytes<'_>, start: u64, tags: &mut CameraTags) -> Option<()> {
    let mut others = Vec::new();
    let result = jpeg_segments(source, start, tags, &mut others);
    for other in others.into_iter().take(MAX_PICTURES) {
        let turn = tags.turn;
        if source.array::<2>(other) == Some([0xFF, 0xD8]) {
            jpeg_segments(source, other, tags, &mut Vec::new());
        }
        tags.turn = turn;
    }
    result
}

fn jpeg_segments(source: &MediaBytes<'_>, start: u64, tags: &mut CameraTags, others: &mut Vec<u64>) -> Option<()> {
    let mut at = start + 2;
    for _ in 0..MAX_PARTS {
        let [mark, kind, a, b] = source.array::<4>(at)?;
        match kind {
            _ if mark != 0xFF => return None,
            // Fill bytes.
            0xFF => {
                at += 1;
                continue;
            }
            0xDA | 0xD9 => return Some(()),
            0x01 | 0xD0..=0xD7 => {
                at += 2;
                continue;
            }
            _ => {}
        }
        let (content, end) = (at + 4, at + 2 + u64::from(u16::from_be_bytes([a, b])));
        if matches!(kind, 0xE1 | 0xE2) && end > content {
            let head = source.bytes(content, (end - content).min(64))?;
            application(source, &head, (content, end), tags, others);
        }
        at = end.max(content);
    }
    None
}

/// A segment of an application.
fn application(
    source: &MediaBytes<'_>,
    head: &[u8],
    (start, end): (u64, u64),
    tags: &mut CameraTags,
    others: &mut Vec<u64>,
) -> Option<()> {
    if head.starts_with(EXIF) {
        Tiff::new(source, start + EXIF.len() as u64, end)?.read(tags)
    } else if head.starts_with(XMP) {
        packet(source, start + XMP.len() as u64, end, tags)
    } else if head.starts_with(EXTENDED_XMP) {
        packet(source, start + EXTENDED_XMP.len() as u64 + 40, end, tags)
    } else if head.starts_with(SEVERAL) {
        let start = start + SEVERAL.len() as u64;
        let tiff = Tiff::new(source, start, end)?;
        let list = tiff.tags(tiff.first()?)?.into_iter().find(|tag| tag.number == 0xB002)?;
        let (_, entries) = tiff.far_value(&list, MAX_PACKET)?;
        let offsets = entries.chunks_exact(16).map(|entry| tiff.number_of(&entry[8..12]));
        others.extend(offsets.filter(|offset| *offset > 0).map(|offset| start + offset));
        Some(())
    } else {
        None
    }
}

/// PNG (third edition, section 5.3). A chunk with erased bytes gets another checksum.
fn png(source: &MediaBytes<'_>, tags: &mut CameraTags) -> Option<()> {
    let mut at = 8;
    for _ in 0..MAX_PARTS {
        let [a, b, c, d, kind @ ..] = source.array::<8>(at)?;
        let (content, length) = (at + 8, u64::from(u32::from_be_bytes([a, b, c, d])));
        let end = content + length;
        if matches!(&kind, b"eXIf" | b"iTXt" | b"zTXt" | b"tEXt") && length <= MAX_PACKET {
            png_chunk(source, kind, (content, end), tags);
        } else if &kind == b"IEND" {
            return Some(());
        }
        at = end + 4;
    }
    None
}

fn png_chunk(source: &MediaBytes<'_>, kind: [u8; 4], (start, end): (u64, u64), tags: &mut CameraTags) -> Option<()> {
    let mut found = CameraTags::default();
    let mut name = kind;
    if &kind == b"eXIf" {
        Tiff::new(source, start, end)?.read(&mut found);
        tags.turn = found.turn;
    } else {
        let head = source.bytes(start, (end - start).min(80))?;
        let keyword = head.split(|byte| *byte == 0).next()?;
        let after = head.get(keyword.len() + 1).copied();
        match keyword {
            b"XML:com.adobe.xmp" if after == Some(0) => packet(source, start, end, &mut found)?,
            // Packed, or digits of another format: the chunk becomes one that programs skip.
            b"XML:com.adobe.xmp" | b"Raw profile type exif" | b"Raw profile type APP1" | b"Raw profile type xmp" => {
                name = *b"noNe";
                found.erase(start, vec![0; usize::try_from(end - start).ok()?]);
            }
            _ => return None,
        }
    }
    if found.positions.is_empty() || end + 4 > source.length {
        return Some(());
    }
    let mut bytes = source.bytes(start, end - start)?;
    found.positions.iter().for_each(|erasure| erasure.apply(start, &mut bytes));
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(&bytes);
    let whole = [&name[..], &bytes, &sum.sum().to_be_bytes()].concat();
    tags.erase(start - 4, whole);
    Some(())
}

/// WebP (RFC 9649 section 2.7).
fn webp(source: &MediaBytes<'_>, tags: &mut CameraTags) -> Option<()> {
    let mut at = 12;
    for _ in 0..MAX_PARTS {
        let [kind @ .., a, b, c, d] = source.array::<8>(at)?;
        let (content, length) = (at + 8, u64::from(u32::from_le_bytes([a, b, c, d])));
        let end = content + length;
        match &kind {
            b"EXIF" => {
                let prefix = if source.array::<6>(content)?.as_slice() == EXIF { EXIF.len() as u64 } else { 0 };
                Tiff::new(source, content + prefix, end)?.read(tags);
            }
            b"XMP " => {
                packet(source, content, end, tags);
            }
            _ => {}
        }
        at = end + length % 2;
    }
    None
}

/// HEIF and AVIF: the items of types `Exif` and `mime` (ISO 23008-12 annex A; ISO 14496-12 section 8.11). How they are turned is
/// a property beside Exif, which all programs apply.
fn still(source: &MediaBytes<'_>, tags: &mut CameraTags) -> Option<()> {
    let meta = atoms(source, 0, source.length).into_iter().find(|atom| atom.kind == *b"meta")?;
    let meta = Atom { start: meta.start + 4, ..meta };
    let (infos, places) = (child(source, meta, *b"iinf")?, child(source, meta, *b"iloc")?);
    let count = if source.number(infos.start, 1)? == 0 { 2 } else { 4 };
    for info in atoms(source, infos.start + 4 + count, infos.end).into_iter().take(MAX_PARTS) {
        let width = if source.number(info.start, 1)? < 3 { 2 } else { 4 };
        let (id, kind) = (source.number(info.start + 4, width)?, source.array::<4>(info.start + 4 + width + 2)?);
        if !matches!(&kind, b"Exif" | b"mime") {
            continue;
        }
        let Some((start, end)) = item(source, places, id) else { continue };
        if &kind == b"mime" {
            packet(source, start, end, tags);
        } else {
            let tiff = start.checked_add(4)?.checked_add(source.number(start, 4)?)?;
            let mut found = CameraTags::default();
            Tiff::new(source, tiff, end)?.read(&mut found);
            found.positions.into_iter().for_each(|Erasure { at, bytes }| tags.erase(at, bytes));
        }
    }
    Some(())
}

/// The place of an item in the file (ISO 14496-12 section 8.11.3), if it is in one piece.
fn item(source: &MediaBytes<'_>, places: Atom, wanted: u64) -> Option<(u64, u64)> {
    let version = source.number(places.start, 1)?;
    let sizes = source.array::<2>(places.start + 4)?;
    let (offset, length) = (u64::from(sizes[0] >> 4), u64::from(sizes[0] & 15));
    let (base, index) = (u64::from(sizes[1] >> 4), if version > 0 { u64::from(sizes[1] & 15) } else { 0 });
    let wide = if version < 2 { 2 } else { 4 };
    let count = source.number(places.start + 6, wide)?;
    let mut at = places.start + 6 + wide;
    for _ in 0..count.min(MAX_PARTS as u64) {
        let id = source.number(at, wide)?;
        at += wide;
        let method = if version > 0 { source.number(at, 2)? & 15 } else { 0 };
        at += if version > 0 { 4 } else { 2 };
        let start = source.number(at, base)?;
        let extents = source.number(at + base, 2)?;
        at += base + 2;
        if id == wanted {
            let first = start.checked_add(source.number(at + index, offset)?)?;
            let end = first.checked_add(source.number(at + index + offset, length)?)?;
            return (method == 0 && extents == 1).then_some((first, end));
        }
        at += extents * (index + offset + length);
    }
    None
}

/// Films of phones: the atoms `©xyz` and `loci` of a movie's user data, and the keys of QuickTime.
fn film(source: &MediaBytes<'_>, tags: &mut CameraTags) -> Option<()> {
    let movie = atoms(source, 0, source.length).into_iter().find(|atom| atom.kind == *b"moov")?;
    if let Some(data) = child(source, movie, *b"udta") {
        for atom in atoms(source, data.start, data.end) {
            let length = usize::try_from(atom.end - atom.start).ok().filter(|length| *length <= MAX_LOCATION);
            if matches!(&atom.kind, b"\xA9xyz" | b"loci")
                && source.array::<4>(atom.start - 4) == Some(atom.kind)
                && let Some(length) = length
            {
                // An atom that programs skip.
                tags.erase(atom.start - 4, [&b"free"[..], &vec![0; length]].concat());
            }
        }
    }
    let meta = child(source, movie, *b"meta")?;
    let keys = child(source, meta, *b"keys")?;
    let values = atoms(source, child(source, meta, *b"ilst")?.start, child(source, meta, *b"ilst")?.end);
    for (index, key) in atoms(source, keys.start + 8, keys.end).into_iter().enumerate() {
        let name = source.bytes(key.start, (key.end - key.start).min(200))?;
        let is_position = name.windows(9).any(|part| part == b".location");
        let is_value = |atom: &&Atom| u32::from_be_bytes(atom.kind) as usize == index + 1;
        if is_position
            && let Some(value) = values.iter().find(is_value).and_then(|atom| at_path(source, *atom, &[*b"data"]))
        {
            // A type and a language precede the text.
            let length = usize::try_from(value.end.saturating_sub(value.start + 8)).unwrap_or_default();
            tags.erase(value.start + 8, vec![b' '; length.min(MAX_LOCATION)]);
        }
    }
    Some(())
}
