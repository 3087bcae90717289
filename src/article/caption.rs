//! The caption that the writer of a picture has put into the file: XMP `dc:description`, or the caption of IPTC.

use super::encoding::{self, MarkedLatin1};
use super::html;
use super::summary::one_line;
use crate::model::text::xml_legal;

/// Maximum length of a caption, in characters.
const LONGEST: usize = 2_000;
/// Texts that cameras and programs write as descriptions, in lower case: whole, or the beginnings of them.
const OF_PROGRAMS: [&str; 16] = [
    "olympus digital camera",
    "olympus imaging",
    "sony dsc",
    "samsung camera pictures",
    "minolta digital camera",
    "konica minolta",
    "kodak digital still camera",
    "digital camera",
    "exif_jpeg",
    "exif jpeg",
    "dcim",
    "dav",
    "created with gimp",
    "created with the gimp",
    "lead technologies",
    "file written by adobe photoshop",
];

/// Finds the caption in the start of a picture of any format.
pub(super) fn find(start: &[u8]) -> Option<String> {
    of_xmp(start).or_else(|| of_iptc(start))
}

/// Reads a caption as one line; `None` if a program wrote it, or nothing is in it.
pub(super) fn clean(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Without a declared encoding, as in tags of recordings.
        Err(_) => MarkedLatin1::new(&[bytes.to_vec()]).correct(&encoding::latin1(bytes)).to_owned(),
    };
    let text: String = one_line(&xml_legal(&text)).chars().take(LONGEST).collect();
    let lower = text.to_lowercase();
    let is_of_program = OF_PROGRAMS.iter().any(|start| {
        lower.strip_prefix(start).is_some_and(|rest| !rest.starts_with(char::is_alphabetic) && rest.len() < 40)
    });
    (text.contains(char::is_alphanumeric) && !is_of_program).then_some(text)
}

/// The description in the first XMP packet (ISO 16684-1). Of several languages, the default comes first.
fn of_xmp(start: &[u8]) -> Option<String> {
    let packet = &start[position(start, b"<x:xmpmeta")?..];
    let packet = &packet[..position(packet, b"</x:xmpmeta>").unwrap_or(packet.len())];
    let description = &packet[position(packet, b"<dc:description>")?..];
    let description = &description[..position(description, b"</dc:description>")?];
    let item = &description[position(description, b"<rdf:li")?..];
    let text = &item[position(item, b">")? + 1..];
    let text = std::str::from_utf8(&text[..position(text, b"</rdf:li>")?]).ok()?;
    clean(html::resolve_references(text).as_bytes())
}

/// The caption of IPTC (IIM 4.2, data set 2:120) in the resources of Photoshop.
fn of_iptc(start: &[u8]) -> Option<String> {
    let resources = &start[position(start, b"Photoshop 3.0\0")?..];
    let block = &resources[position(resources, b"8BIM\x04\x04")? + 6..];
    // A name with its length, padded to an even number of bytes.
    let name = usize::from(*block.first()?) + 1;
    let rest = block.get(name + name % 2..)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let mut sets = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    while let [0x1C, record, number, high, low, rest @ ..] = sets {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if (*record, *number) == (2, 120) {
            return clean(rest.get(..length)?);
        }
        sets = rest.get(length..)?;
    }
    None
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iptc(sets: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut data = Vec::new();
        for (record, number, text) in sets {
            data.extend([0x1C, *record, *number]);
            data.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            data.extend(*text);
        }
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [b"\xFF\xD8\xFF\xEDPhotoshop 3.0\08BIM\x04\x04\0\0", &length[..], &data].concat()
    }

    #[test]
    fn captions_are_found() {
        let xmp = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><dc:title><rdf:Alt><rdf:li>No</rdf:li></rdf:Alt></dc:title>\
             <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">Boats &amp; gulls,\n at dawn</rdf:li><rdf:li xml:lang=\"de\">Boote</rdf:li>\
             </rdf:Alt></dc:description></x:xmpmeta>";
        assert_eq!(find(&[b"\xFF\xD8", xmp.as_bytes()].concat()).as_deref(), Some("Boats & gulls, at dawn"));
        let stated = iptc(&[(1, 90, b"\x1B%G"), (2, 5, b"No"), (2, 120, "Möwen".as_bytes())]);
        assert_eq!(find(&stated).as_deref(), Some("Möwen"));
        assert_eq!(find(&iptc(&[(2, 120, b"M\xF6wen im Hafen")])).as_deref(), Some("Möwen im Hafen"));
        for start in
            [b"no picture".to_vec(), iptc(&[(2, 5, b"No")]), iptc(&[(2, 120, b" ")]), xmp.as_bytes()[..180].to_vec()]
        {
            assert_eq!(find(&start), None);
        }
        for cut in 0..stated.len() {
            let _ = find(&stated[..cut]);
        }
    }

    #[test]
    fn what_programs_write_is_no_caption() {
        for text in
            ["OLYMPUS DIGITAL CAMERA         ", "SONY DSC", "DCIM\\100GOPRO\\GOPR0123.JPG", "dav", "\0\0", "  ", "…"]
        {
            assert_eq!(clean(text.as_bytes()), None, "{text}");
        }
        for text in ["David at the quay", "Digital cameras of 1999", "A dav"] {
            assert_eq!(clean(text.as_bytes()).as_deref(), Some(text), "{text}");
        }
    }
}
