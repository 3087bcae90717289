//! XMP: coordinates in a packet of RDF (XMP part 2 section 3.3, `exif:GPSLatitude` and the like; drones have names of their own).

use std::ops::Range;

/// Maximum number of values that are looked for.
const MAX_VALUES: usize = 1_000;

/// The values of properties whose names start with `GPS`, as attributes or elements, in any case.
pub fn positions(packet: &[u8]) -> Vec<Range<usize>> {
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(found) = find(packet, at, b":gps") {
        at = found + 4;
        if values.len() >= MAX_VALUES {
            break;
        }
        let end =
            packet[at..].iter().position(|byte| !byte.is_ascii_alphanumeric()).map_or(packet.len(), |end| at + end);
        if !is_end_tag(&packet[..found])
            && let Some(value) = value(packet, end)
        {
            at = value.end;
            values.push(value);
        }
    }
    values
}

/// The value of the property whose name ends at `end`.
fn value(packet: &[u8], end: usize) -> Option<Range<usize>> {
    let after = packet.get(end..)?;
    let space = after.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let (start, stop) = if after[space] == b'=' {
        let quote = after[space + 1..].iter().position(|byte| matches!(byte, b'"' | b'\'')).map(|at| space + 1 + at)?;
        (quote + 1, after[quote])
    } else {
        let close = after.iter().position(|byte| matches!(byte, b'>' | b'<'))?;
        if after[close] == b'<' || after[..close].ends_with(b"/") {
            return None;
        }
        (close + 1, b'<')
    };
    let length = after[start..].iter().position(|byte| *byte == stop)?;
    Some(end + start..end + start + length)
}

/// Whether the name behind a text with its prefix, such as `</exif`, is that of an end tag.
fn is_end_tag(before: &[u8]) -> bool {
    let prefix = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    before[..before.len() - prefix.count()].ends_with(b"</")
}

/// The first place of a text in lower case, in any case.
fn find(packet: &[u8], from: usize, text: &[u8]) -> Option<usize> {
    let rest = packet.get(from..)?;
    rest.windows(text.len()).position(|window| window.eq_ignore_ascii_case(text)).map(|at| from + at)
}
