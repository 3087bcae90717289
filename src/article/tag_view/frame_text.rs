//! The text of ID3 frames as programs write them. One frame that the parser refuses would cost all tags of the recording.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::article::encoding;

/// The encodings of ID3.
const LATIN1: u8 = 0;
const UTF16: u8 = 1;
const UTF16_BE: u8 = 2;
const UTF8: u8 = 3;

/// Length of the language before a comment, in bytes.
const LANGUAGE: usize = 3;

/// The text of a frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FrameText {
    pub description: Option<String>,
    pub text: String,
    /// The parser reads the frame as well.
    pub is_good: bool,
    /// Parts that are marked as Latin-1, or that are no UTF-8 although they are marked as such, if they are not ASCII.
    pub latin1: Vec<Vec<u8>>,
}

impl FrameText {
    /// Reads the content of a text frame; `None` if there is no text in it.
    pub fn read(id: &[u8], version: u8, content: &[u8]) -> Option<Self> {
        let (&stated, rest) = content.split_first()?;
        let kind = FrameKind::of(id);
        let (encoding, rest) = match stated {
            LATIN1 | UTF16 | UTF16_BE | UTF8 => (stated, rest),
            // Some programs leave the encoding out: the text begins at once.
            b' '..=b'~' if kind == FrameKind::Text => (UTF8, content),
            _ => (UTF8, rest),
        };
        let frame = FrameParts::split(kind, encoding, rest)?;
        let is_known = stated <= if version == 2 { UTF16 } else { UTF8 };
        let is_single = match encoding {
            LATIN1 => !frame.texts().any(is_marked),
            // The encoding of all that are marked as Latin-1 is guessed.
            UTF8 => frame.texts().any(is_another_encoding),
            _ => false,
        };
        let is_good = match encoding {
            LATIN1 => is_single,
            UTF8 => frame.texts().all(|text| std::str::from_utf8(text).is_ok()),
            _ => frame.is_good_utf16(encoding),
        };
        let is_good = is_good && is_known && !frame.is_changed;
        let mut texts: Vec<String> =
            if is_single { frame.texts().map(latin1).collect() } else { frame.decoded(encoding) };
        let text = texts.pop()?;
        let parts = frame.texts().flat_map(|text| text.split(|byte| *byte == 0)).filter(|part| !part.is_ascii());
        let latin1 = if is_single { parts.map(<[u8]>::to_vec).collect() } else { Vec::new() };
        Some(Self { description: texts.pop(), text, is_good, latin1 })
    }
}

/// What precedes the text of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FrameKind {
    Text,
    /// A description.
    Named,
    /// A language and a description.
    Comment,
}

impl FrameKind {
    fn of(id: &[u8]) -> Self {
        match id.strip_suffix(b"\0").unwrap_or(id) {
            b"COMM" | b"USLT" | b"COM" | b"ULT" => Self::Comment,
            b"TXXX" | b"TXX" => Self::Named,
            _ => Self::Text,
        }
    }
}

/// The parts of a text frame.
#[derive(Debug)]
struct FrameParts<'a> {
    description: Option<&'a [u8]>,
    text: &'a [u8],
    /// It is not in the form that the standard describes.
    is_changed: bool,
}

impl<'a> FrameParts<'a> {
    fn split(kind: FrameKind, encoding: u8, rest: &'a [u8]) -> Option<Self> {
        let is_wide = matches!(encoding, UTF16 | UTF16_BE);
        let mut parts = Self { description: None, text: rest, is_changed: false };
        if kind == FrameKind::Comment {
            let length = language_length(rest, is_wide);
            (parts.text, parts.is_changed) = (rest.get(length..)?, length < LANGUAGE);
        }
        if kind != FrameKind::Text {
            let end = terminator(parts.text, is_wide);
            // Without an end, it is the text, and the description is missing.
            parts.is_changed |= end.is_none();
            let (end, after) = end.map_or((0, 0), |end| (end, end + if is_wide { 2 } else { 1 }));
            parts.description = Some(&parts.text[..end]);
            parts.text = &parts.text[after..];
        }
        Some(parts)
    }

    fn texts(&self) -> impl Iterator<Item = &'a [u8]> {
        self.description.into_iter().chain([self.text])
    }

    /// Whether each text is whole UTF-16, and has a mark of its byte order where the parser needs it.
    fn is_good_utf16(&self, encoding: u8) -> bool {
        let mut is_marked_before = false;
        self.texts().all(|text| {
            let decoder = wide_encoding(encoding, text);
            let has_mark = is_marked(text);
            let needs_mark = encoding == UTF16 && !text.is_empty() && !is_marked_before;
            is_marked_before |= has_mark;
            let is_right_mark = if encoding == UTF16 { has_mark || !needs_mark } else { !has_mark };
            text.len().is_multiple_of(2)
                && is_right_mark
                && decoder.decode_without_bom_handling_and_without_replacement(text).is_some()
        })
    }

    /// The texts, as far as they can be read.
    fn decoded(&self, encoding: u8) -> Vec<String> {
        let mut order = None;
        let decoded = self.texts().map(|text| {
            let has_mark = is_marked(text);
            // A text without a mark has the byte order of the description.
            let decoder = match order {
                Some(order) if encoding == UTF16 && !has_mark => order,
                _ => wide_encoding(encoding, text),
            };
            order = has_mark.then_some(decoder).or(order);
            let text = decoder.decode_with_bom_removal(whole(text, decoder)).0;
            // Each text may have a mark of its own.
            text.trim_start_matches('\u{FEFF}').replace("\0\u{FEFF}", "\0").trim_end_matches('\0').to_owned()
        });
        decoded.collect()
    }
}

fn latin1(text: &[u8]) -> String {
    encoding::latin1(text).trim_end_matches('\0').to_owned()
}

/// Length of the language before a comment. Some programs write one of two letters.
fn language_length(rest: &[u8], is_wide: bool) -> usize {
    let has_two_letters = rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_alphabetic);
    let third_is_letter = rest.get(2).is_none_or(u8::is_ascii_alphabetic);
    if !has_two_letters || third_is_letter {
        return LANGUAGE;
    }
    let is_short = if is_wide {
        is_marked(&rest[2..]) || rest.len().is_multiple_of(2)
    } else {
        // After three bytes, a description would end.
        rest[2] == 0 && !rest[3..].contains(&0)
    };
    if is_short { 2 } else { LANGUAGE }
}

/// Position of the NUL at the end of a text.
fn terminator(text: &[u8], is_wide: bool) -> Option<usize> {
    if is_wide {
        return text.chunks_exact(2).position(|pair| pair == [0, 0]).map(|pair| 2 * pair);
    }
    text.iter().position(|byte| *byte == 0)
}

/// Whether a text begins with a byte order mark of UTF-16.
fn is_marked(text: &[u8]) -> bool {
    text.starts_with(&[0xFF, 0xFE]) || text.starts_with(&[0xFE, 0xFF])
}

/// The encoding of a text that is marked as UTF-16, as UTF-16 big-endian, or as another one that it is not in.
fn wide_encoding(stated: u8, text: &[u8]) -> &'static Encoding {
    match (stated, text) {
        (_, [0xFF, 0xFE, ..]) => UTF_16LE,
        (_, [0xFE, 0xFF, ..]) | (UTF16_BE, _) => UTF_16BE,
        (UTF16, _) => {
            let zeros = |first: usize| text.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
            let is_ascii = text.iter().all(|byte| matches!(byte, b' '..=b'~'));
            match () {
                () if is_ascii => UTF_8,
                () if zeros(0) > zeros(1) => UTF_16BE,
                () => UTF_16LE,
            }
        }
        _ => UTF_8,
    }
}

/// A text without the part of a character at its end.
fn whole<'a>(text: &'a [u8], encoding: &Encoding) -> &'a [u8] {
    if encoding != UTF_8 {
        return &text[..text.len() & !1];
    }
    match std::str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => &text[..error.valid_up_to()],
        _ => text,
    }
}

/// Whether a text that is marked as UTF-8 is in an encoding of single bytes: most of its bytes beyond ASCII are wrong.
fn is_another_encoding(text: &[u8]) -> bool {
    let text = whole(text, UTF_8);
    if is_marked(text) {
        return false;
    }
    let (mut good, mut bad) = (0, 0);
    for chunk in text.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    bad > good
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn texts_are_read_whatever_is_wrong_with_them() {
        let marked = |text: &str| wide(&format!("\u{FEFF}{text}"));
        let big: Vec<u8> = "Größe".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let comment = |encoding: u8, language: &[u8], rest: &[u8]| [&[encoding], language, rest].concat();
        let utf16 = |text: &str| [&[1][..], &marked(text)].concat();
        // The frame, its version and content, its text, and whether the parser reads it.
        let cases: Vec<(&str, u8, Vec<u8>, &str, bool)> = vec![
            ("TIT2", 4, b"\0Gr\xF6\xDFe".to_vec(), "Größe", true),
            ("TIT2", 4, "\u{3}Größe".into(), "Größe", true),
            ("TIT2", 3, "\u{3}Größe".into(), "Größe", true),
            ("TT2", 2, "\u{3}Größe".into(), "Größe", false),
            ("TIT2", 4, utf16("Größe"), "Größe", true),
            ("TIT2", 4, [&utf16("One\0")[..], &marked("Two")].concat(), "One\0Two", true),
            ("TIT2", 4, [&[2][..], &big].concat(), "Größe", true),
            ("TIT2", 4, vec![1], "", true),
            ("TIT2", 3, [&utf16("Größe")[..], b"x"].concat(), "Größe", false),
            ("TIT2", 3, [&[1][..], &wide("Größe")].concat(), "Größe", false),
            ("TIT2", 3, [&[1][..], &big].concat(), "Größe", false),
            ("TIT2", 3, [&[1, 0xFE, 0xFF][..], &big].concat(), "Größe", true),
            ("TIT2", 4, [&[2, 0xFE, 0xFF][..], &big].concat(), "Größe", false),
            ("TIT2", 4, [&[2][..], &marked("Größe")].concat(), "Größe", false),
            ("TIT2", 3, b"\x01Plain text".to_vec(), "Plain text", false),
            ("TIT2", 4, [&utf16("a")[..], &[0, 0xD8]].concat(), "a\u{FFFD}", false),
            ("TIT2", 4, [&[0][..], &marked("Größe")].concat(), "Größe", false),
            ("TIT2", 4, [&[3][..], &marked("Größe")].concat(), "Größe", false),
            ("TALB", 4, b"\x03\xFF\xFE\xC3\x28".to_vec(), "\u{28C3}", false),
            ("TIT2", 4, b"\x03Gr\xF6\xDFe".to_vec(), "Größe", false),
            ("TIT2", 4, b"\x03Gr\xC3\xB6\xC3".to_vec(), "Grö", false),
            ("TIT2", 4, b"\x03\xC3\xB6\xC3\xB6\xFF\xC3\xB6".to_vec(), "öö\u{FFFD}ö", false),
            ("TALB", 4, b"\x09Album".to_vec(), "Album", false),
            ("TALB", 4, b"Album".to_vec(), "Album", false),
            ("COMM", 4, comment(3, b"eng", b"\0Body"), "Body", true),
            ("COMM", 4, comment(3, b"\0\0\0", b"\0Body"), "Body", true),
            ("COMM", 4, comment(3, b"en\0", b"\0Body"), "Body", true),
            ("COMM", 4, comment(3, b"en\0", b"about\0Body"), "Body", true),
            ("COMM", 4, comment(3, b"en", b"\0Body"), "Body", false),
            ("COMM", 4, comment(3, b"en", b"about\0Body"), "Body", true),
            ("COMM", 3, comment(1, b"en", &[&marked("")[..], &[0, 0], &marked("Body")].concat()), "Body", false),
            ("COMM", 4, comment(3, b"eng", b"Body"), "Body", false),
            ("COMM", 3, comment(1, b"eng", &[&marked("a")[..], &[0, 0], &wide("Body")].concat()), "Body", true),
            ("COMM", 3, comment(1, b"eng", &[&[0, 0][..], &wide("Body")].concat()), "Body", false),
            ("COMM", 4, comment(0, b"en", b"\0K\xF6rper"), "Körper", false),
            ("COMM", 4, comment(3, b"en", b"\0K\xF6rper"), "Körper", false),
            ("TXXX", 4, b"\x03a\0Gr\xC3\xB6\xC3".to_vec(), "Grö", false),
        ];
        for (id, version, content, text, is_good) in cases {
            let read = FrameText::read(id.as_bytes(), version, &content).unwrap();
            assert_eq!((read.text.as_str(), read.is_good), (text, is_good), "{id} {content:?}");
        }
        for empty in [&b""[..], b"\x03", b"\x03e", b"\x03en"] {
            assert_eq!(FrameText::read(b"COMM", 4, empty), None, "{empty:?}");
        }
        let named = FrameText::read(b"TXXX", 4, b"\0a\xE4\0b\xF6").unwrap();
        assert_eq!(
            (named.description.as_deref(), named.latin1),
            (Some("aä"), vec![b"a\xE4".to_vec(), b"b\xF6".to_vec()])
        );
    }
}
