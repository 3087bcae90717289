//! Texts of ID3 tags that the tag parser does not report: those in wrong encodings, and descriptions in frames for any purpose.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Names under which programs store the description of a recording in frames for any purpose, in lower case.
const DESCRIPTIONS: [&str; 5] = ["description", "comment", "synopsis", "long description", "longdescription"];

/// What the text frames of a recording have beside the items that the parser reports.
#[derive(Debug, Default)]
pub struct Id3Texts {
    /// Texts that are marked as Latin-1 and are not ASCII.
    pub latin1: Vec<Vec<u8>>,
    /// Descriptions in frames for any purpose, in order. Latin-1 is decoded as it is marked.
    pub descriptions: Vec<String>,
}

impl Id3Texts {
    /// Adds the texts of a frame.
    pub fn add(&mut self, id: &[u8], content: &[u8]) {
        let Some((encoding, mut rest)) = content.split_first() else { return };
        let id = id.strip_suffix(b"\0").unwrap_or(id);
        if [&b"COMM"[..], b"USLT", b"COM", b"ULT"].contains(&id) {
            // A language of three letters precedes the text.
            rest = rest.get(3..).unwrap_or_default();
        }
        if *encoding == 0 {
            let texts = rest.split(|byte| *byte == 0).filter(|text| !text.is_ascii());
            self.latin1.extend(texts.map(<[u8]>::to_vec));
        }
        if [&b"TXXX"[..], b"TXX"].contains(&id) {
            let text = decoded(*encoding, rest);
            let Some((name, text)) = text.split_once('\0') else { return };
            if DESCRIPTIONS.contains(&name.trim().to_lowercase().as_str()) {
                self.descriptions.push(text.trim_matches(['\0', '\u{FEFF}']).to_owned());
            }
        }
    }
}

/// Decodes the texts of a frame, which are separated by NUL.
fn decoded(encoding: u8, bytes: &[u8]) -> String {
    let utf16 = match bytes {
        [0xFE, 0xFF, ..] => UTF_16BE,
        _ => UTF_16LE,
    };
    let encoding: &Encoding = match encoding {
        0 => return bytes.iter().map(|byte| char::from(*byte)).collect(),
        1 => utf16,
        2 => UTF_16BE,
        _ => UTF_8,
    };
    // Each text may have a byte order mark of its own.
    let text = encoding.decode_without_bom_handling(bytes).0;
    text.trim_start_matches('\u{FEFF}').replace("\0\u{FEFF}", "\0")
}
