//! Normalises characters in any text: line ends, control characters, noncharacters.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::problem::Problem;

/// Converts line ends to line feeds, removes characters that no feed may contain, and normalises to NFC. Joiners and variation
/// selectors stay: Persian, Indic scripts and emoji need them.
pub fn tidy(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte >= 0x7F || (byte < 0x20 && byte != b'\n' && byte != b'\t')) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' | '\u{2028}' | '\u{0B}' => clean.push('\n'),
            '\u{2029}' | '\u{0C}' => clean.push_str("\n\n"),
            // Windows-1252 text that was decoded as Latin-1.
            '\u{80}'..='\u{9F}' => {
                let byte = [u8::try_from(u32::from(c)).unwrap_or_default()];
                let (decoded, _) = WINDOWS_1252.decode_without_bom_handling(&byte);
                clean.extend(decoded.chars().filter(|c| !c.is_control()));
            }
            '\t' | '\n' => clean.push(c),
            '\u{FEFF}' | '\u{200B}' | '\u{2060}' | '\u{AD}' => {}
            c if c.is_control() || is_noncharacter(c) => {}
            c => clean.push(c),
        }
    }
    Cow::Owned(if is_nfc(&clean) { clean } else { clean.nfc().collect() })
}

fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

/// Removes embeddings and isolates, which a title or name could leave open in the surrounding text.
pub fn without_direction_marks(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')).collect()
}

/// Sequences that result from UTF-8 decoded as Windows-1252 and saved as UTF-8 again.
const GARBLED: [&str; 8] = ["â€™", "â€œ", "â€\u{9d}", "â€“", "Ã©", "Ã¼", "Ã¶", "Ã¤"];

/// Reports garbled text, which stays as it is, since it may be intended.
pub fn garbled(text: &str) -> Option<Problem> {
    if text.is_ascii() {
        return None;
    }
    let (line, part) = text
        .lines()
        .enumerate()
        .find_map(|(index, line)| GARBLED.iter().find(|part| line.contains(**part)).map(|part| (index + 1, *part)))?;
    let message = format!("`{part}` looks like UTF-8 decoded as Windows-1252: copy the text again from its source");
    Some(Problem::at(line, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters() {
        assert!(matches!(tidy("plain\n\ttext"), Cow::Borrowed("plain\n\ttext")));
        assert_eq!(tidy("a\r\nb\rc\u{2028}d\u{0C}e"), "a\nb\nc\nd\n\ne");
        assert_eq!(tidy("it\u{92}s \u{81}x\u{FFFE}\u{7}\u{FDD0}"), "it’s x");
        assert_eq!(tidy("cafe\u{301} \u{200D}\u{200C}"), "café \u{200D}\u{200C}");
        assert_eq!(tidy("so\u{AD}ft\u{FEFF}\u{200B}"), "soft");
        assert_eq!(without_direction_marks("\u{202E}a\u{2066}b\u{200F}"), "ab\u{200F}");
    }

    #[test]
    fn garbled_text_is_reported() {
        assert_eq!(garbled("fine\nitâ€™s").unwrap().line, Some(2));
        assert_eq!(garbled("Ça va? Où? L’été."), None);
    }
}
