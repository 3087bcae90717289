//! Limits the number of items in the tags of FLAC, Ogg, APE and MP4.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::patch::{Budget, MAX_ITEMS, Patch};

/// Maximum number of metadata blocks of a FLAC file.
const MAX_BLOCKS: usize = 1_000;
/// Maximum length of the encoder's name in an Ogg file, in bytes.
const MAX_VENDOR: usize = 64 << 10;
/// Maximum number of Ogg pages up to the comment count.
const MAX_PAGES: usize = 100;

/// Lowers the item count at a position if it is too large.
pub fn item_count(file: &File, at: u64, budget: &mut Budget) -> Vec<Patch> {
    let mut bytes = [0; 4];
    let exists = file.read_exact_at(&mut bytes, at).is_ok();
    lowered(u32::from_le_bytes(bytes), budget)
        .filter(|_| exists)
        .map(|bytes| Patch::of(at, &bytes))
        .into_iter()
        .collect()
}

/// Returns the replacement for an item count that is too large.
fn lowered(items: u32, budget: &mut Budget) -> Option<[u8; 4]> {
    (items > MAX_ITEMS).then(|| {
        budget.exceed();
        MAX_ITEMS.to_le_bytes()
    })
}

/// The texts of the list of a WAV file whose type is at a position that are no UTF-8: the tag parser leaves them out.
pub fn info_texts(file: &File, at: u64, budget: &mut Budget) -> Vec<([u8; 4], Vec<u8>)> {
    let mut texts = Vec::new();
    let mut header = [0; 8];
    let is_list = at >= 8 && file.read_exact_at(&mut header, at - 8).is_ok() && header.starts_with(b"LIST");
    let size = |header: &[u8; 8]| u64::from(u32::from_le_bytes([header[4], header[5], header[6], header[7]]));
    let end = at + size(&header);
    let mut item = at + 4;
    while is_list && item + 8 <= end && file.read_exact_at(&mut header, item).is_ok() {
        let length = size(&header).min(end - item - 8);
        if !budget.take(length) {
            break;
        }
        let mut text = vec![0; usize::try_from(length).unwrap_or_default()];
        if file.read_exact_at(&mut text, item + 8).is_err() {
            break;
        }
        text.truncate(text.iter().position(|byte| *byte == 0).unwrap_or(text.len()));
        if std::str::from_utf8(&text).is_err() {
            texts.push(([header[0], header[1], header[2], header[3]], text));
        }
        item += 8 + length + length % 2;
    }
    texts
}

/// Limits the comments and the metadata blocks of a FLAC stream (RFC 9639) whose marker is at `start`.
pub fn flac_blocks(file: &File, start: u64, budget: &mut Budget) -> Vec<Patch> {
    const IS_LAST: u8 = 0x80;
    const COMMENTS: u8 = 4;
    let (mut at, mut patches, mut header) = (start + 4, Vec::new(), [0; 4]);
    for _ in 0..MAX_BLOCKS {
        if file.read_exact_at(&mut header, at).is_err() {
            return patches;
        }
        let [kind, size @ ..] = header;
        let mut vendor = [0; 4];
        if kind & !IS_LAST == COMMENTS && file.read_exact_at(&mut vendor, at + 4).is_ok() {
            patches.extend(item_count(file, at + 8 + u64::from(u32::from_le_bytes(vendor)), budget));
        }
        if kind & IS_LAST != 0 {
            return patches;
        }
        at += 4 + size.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    }
    if file.read_exact_at(&mut header[..1], at).is_ok() {
        budget.exceed();
        patches.push(Patch::of(at, &[header[0] | IS_LAST]));
    }
    patches
}

/// Lowers the comment count of an Ogg file (RFC 3533). The count is in the second packet, which may start in the middle of a page
/// and continue in the next one.
///
/// # Errors
/// The count is too far from the start: the parser would read everything before it.
pub fn ogg_comments(file: &File, budget: &mut Budget) -> io::Result<Vec<Patch>> {
    let (mut at, mut packet) = (0, 0);
    // The start of the second packet, and the position of each byte in the file.
    let (mut bytes, mut positions): (Vec<u8>, Vec<u64>) = Default::default();
    for _ in 0..MAX_PAGES {
        let (mut header, mut segments) = ([0; 27], [0; 255]);
        if file.read_exact_at(&mut header, at).is_err() || !header.starts_with(b"OggS") {
            return Ok(Vec::new());
        }
        let segments = &mut segments[..usize::from(header[26])];
        file.read_exact_at(segments, at + 27)?;
        at += 27 + segments.len() as u64;
        for size in segments.iter() {
            if packet == 1 && bytes.len() <= MAX_VENDOR {
                let before = bytes.len();
                bytes.resize(before + usize::from(*size), 0);
                file.read_exact_at(&mut bytes[before..], at)?;
                positions.extend(at..at + u64::from(*size));
            }
            at += u64::from(*size);
            // A segment of less than 255 bytes ends the packet.
            packet += u32::from(*size < 255);
        }
        let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let signature = [&b"\x03vorbis"[..], b"OpusTags"].into_iter().find(|signature| bytes.starts_with(signature));
        let vendor = signature.map_or(0, <[u8]>::len);
        let items = vendor + 4 + number(vendor).unwrap_or_default() as usize;
        if let Some(patched) = number(items).map(|number| lowered(number, budget)) {
            let bytes = patched.iter().flatten().zip(&positions[items..]);
            return Ok(bytes.map(|(byte, position)| Patch::of(*position, &[*byte])).collect());
        }
        if items > MAX_VENDOR {
            break;
        }
        if packet > 1 {
            return Ok(Vec::new());
        }
    }
    budget.exceed();
    Err(io::Error::other("the comments do not begin where they should"))
}

/// Limits the items of the list (`ilst`) of an MP4 file, which the parser reads at once: the first item above the limit and all
/// following ones become free space.
pub fn mp4_items(file: &File, start: u64, length: usize, budget: &mut Budget) -> Vec<Patch> {
    /// Size of an atom's header whose length field has 32 or 64 bits, in bytes.
    const SHORT: u64 = 8;
    const LONG: u64 = 16;
    let end = start + length as u64;
    let before = |size: u64| -> Option<[u8; 8]> {
        let mut header = [0; 8];
        file.read_exact_at(&mut header, start.checked_sub(size)?).ok().map(|()| header)
    };
    let is_list = |header: Option<[u8; 8]>| header.is_some_and(|header| header.ends_with(b"ilst"));
    if (length as u64) <= SHORT || !(is_list(before(SHORT)) || is_list(before(LONG))) {
        return Vec::new();
    }
    // The sizes of the atom at a position and of its header, in bytes.
    let atom = |at: u64, end: u64| -> Option<(u64, u64)> {
        let mut header = [0; 16];
        file.read_at(&mut header, at).ok().filter(|read| *read >= 8)?;
        let [size, long] =
            [&header[..4], &header[8..]].map(|bytes| bytes.iter().fold(0, |size, byte| size << 8 | u64::from(*byte)));
        let (size, header) = match size {
            0 => (end.checked_sub(at)?, SHORT),
            1 => (long, LONG),
            size => (size, SHORT),
        };
        (size >= header).then_some((size, header))
    };
    let mut at = start;
    while let Some((size, header)) = (at + SHORT <= end).then(|| atom(at, end)).flatten() {
        let mut inner = at + header;
        let after = at.saturating_add(size).min(end);
        let mut is_within = budget.take(0);
        while let Some((size, _)) = (is_within && inner + SHORT <= after).then(|| atom(inner, after)).flatten() {
            is_within = budget.take(0);
            inner = inner.saturating_add(size);
        }
        if !is_within {
            let rest = u32::try_from(end - at).unwrap_or(u32::MAX).to_be_bytes();
            return vec![Patch::of(at, &[&rest[..], b"free"].concat())];
        }
        at = after;
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::tag_view::tests::file;

    /// Applies the patches.
    fn patched(bytes: &[u8], patches: &[Patch]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for patch in patches {
            let start = usize::try_from(patch.start).unwrap();
            bytes[start..start + patch.bytes.len()].copy_from_slice(&patch.bytes);
        }
        bytes
    }

    /// A page with one segment.
    fn page(content: &[u8]) -> Vec<u8> {
        [&b"OggS"[..], &[0; 22], &[1, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn a_comment_count_may_span_two_pages() {
        let packet = |items: u32| {
            [&b"\x03vorbis"[..], &242u32.to_le_bytes(), &[b'v'; 242], &items.to_le_bytes(), b"rest"].concat()
        };
        let pages = |items: u32| {
            let packet = packet(items);
            [page(b"first"), page(&packet[..255]), page(&packet[255..])].concat()
        };
        for (items, limited) in [(0x0102_0304, MAX_ITEMS), (MAX_ITEMS, MAX_ITEMS), (1, 1)] {
            let patches = ogg_comments(&file(&pages(items)), &mut Budget::default()).unwrap();
            assert_eq!(patched(&pages(items), &patches), pages(limited), "{items}");
        }
    }

    #[test]
    fn other_data_is_not_patched() {
        let cut = page(b"first");
        let short = [page(b"first"), page(b"\x03vorbis\x01")].concat();
        for bytes in [&b""[..], b"OggS", &cut, &short, &[&cut[..], b"RIFF"].concat()] {
            assert_eq!(ogg_comments(&file(bytes), &mut Budget::default()).unwrap().len(), 0, "{bytes:?}");
        }
        // An encoder's name of gigabytes, and endless pages.
        let long = [page(b"first"), page(b"\x03vorbis\0\0\0\x80")].concat();
        let endless = [page(b"first"), page(&[0; 255]).repeat(300)].concat();
        let endless_name = [page(b"first"), page(&[1; 255]).repeat(300)].concat();
        assert!(ogg_comments(&file(&long), &mut Budget::default()).is_err());
        assert_eq!(ogg_comments(&file(&endless), &mut Budget::default()).unwrap().len(), 0);
        assert!(ogg_comments(&file(&endless_name), &mut Budget::default()).is_err());
    }

    #[test]
    fn blocks_and_comments_of_flac_are_limited() {
        let comments = |items: u32| [&2u32.to_le_bytes()[..], b"en", &items.to_le_bytes()].concat();
        let block = |kind: u8, content: &[u8]| [&[kind, 0, 0, u8::try_from(content.len()).unwrap()], content].concat();
        let flac = |items: u32| {
            [b"fLaC".to_vec(), block(0, &[0; 34]), block(0x84, &comments(items)), b"sound".to_vec()].concat()
        };
        let patches = flac_blocks(&file(&flac(0x0102_0304)), 0, &mut Budget::default());
        assert_eq!(patched(&flac(0x0102_0304), &patches), flac(MAX_ITEMS));
        assert_eq!(flac_blocks(&file(&flac(7)), 0, &mut Budget::default()).len(), 0);
        let many = [b"fLaC".to_vec(), block(1, b"").repeat(MAX_BLOCKS + 5)].concat();
        let patches = flac_blocks(&file(&many), 0, &mut Budget::default());
        assert_eq!((patches.len(), &patches[0].bytes[..]), (1, &[0x81][..]));
    }

    #[test]
    fn items_of_mp4_are_limited() {
        let atom = |name: &[u8; 4], content: &[u8]| {
            [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], name, content].concat()
        };
        let item = atom(b"\xA9nam", &atom(b"data", b"\0\0\0\x01\0\0\0\0text"));
        // An item and its text count as two.
        let fitting = usize::try_from(MAX_ITEMS).unwrap() / 2;
        let list = |items: usize| atom(b"ilst", &item.repeat(items));
        let items = |bytes: &[u8]| mp4_items(&file(bytes), 8, bytes.len() - 8, &mut Budget::default());
        assert_eq!(items(&list(fitting)).len(), 0);
        let patches = items(&list(fitting + 3));
        assert_eq!(patches[0].start, 8 + (fitting * item.len()) as u64);
        assert_eq!(patches[0].bytes, [&(3 * u32::try_from(item.len()).unwrap()).to_be_bytes()[..], b"free"].concat());
        // Too many texts in one item, and false sizes.
        let crowded = atom(b"ilst", &atom(b"\xA9nam", &atom(b"data", b"").repeat(fitting * 3)));
        assert_eq!(items(&crowded)[0].start, 8);
        for size in [0u32, 1, 7, u32::MAX] {
            let lying = [&atom(b"ilst", &[0; 16])[..8], &size.to_be_bytes(), b"\xA9nam", &[0xFF; 8]].concat();
            assert_eq!(items(&lying).len(), 0, "{size}");
        }
        assert_eq!(
            mp4_items(&file(&list(fitting + 3)), 9, 4_000, &mut Budget::default()).len(),
            0,
            "no list starts there"
        );
    }
}
