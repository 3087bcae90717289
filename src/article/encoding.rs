//! Bytes -> text: UTF-8, or UTF-16 with a byte order mark. Nothing else is guessed.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Problem;

/// Decodes a file. The result has no byte order mark.
///
/// # Errors
/// The bytes are no text in a known encoding; the problem names the first line that is not.
pub fn decode(bytes: &[u8]) -> Result<String, Problem> {
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
        return Err(Problem::of_file("the file is in UTF-32, which is not read: save it as UTF-8"));
    }
    match Encoding::for_bom(bytes) {
        Some((encoding, mark)) if encoding == UTF_16LE || encoding == UTF_16BE => {
            let (text, broken) = encoding.decode_without_bom_handling(&bytes[mark..]);
            if broken {
                return Err(Problem::of_file("the file starts as UTF-16 but is damaged: save it again, best as UTF-8"));
            }
            Ok(text.into_owned())
        }
        Some((encoding, mark)) if encoding == UTF_8 => utf8(&bytes[mark..]),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Problem> {
    let line_of = |position: usize| bytes[..position].split(|byte| *byte == b'\n').count();
    if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Problem::at(
            line_of(position),
            "a NUL byte: this is no text, or UTF-16 without its mark; save it as UTF-8",
        ));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let line = line_of(error.valid_up_to());
            Err(Problem::at(
                line,
                "this line is not UTF-8: save the file as UTF-8, as in `iconv -f windows-1252 -t utf-8`",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_encodings_become_text() {
        assert_eq!(decode(b"plain").unwrap(), "plain");
        assert_eq!(decode("\u{FEFF}mark".as_bytes()).unwrap(), "mark");
        assert_eq!(decode(&[0xFF, 0xFE, 0xC9, 0, b'a', 0]).unwrap(), "Éa");
        assert_eq!(decode(&[0xFE, 0xFF, 0, 0xC9, 0, b'a']).unwrap(), "Éa");
        assert_eq!(decode(b"").unwrap(), "");
    }

    #[test]
    fn everything_else_is_refused_with_its_line() {
        assert_eq!(decode(b"one\ntwo\ncaf\xe9").unwrap_err().line, Some(3));
        assert_eq!(decode(b"one\n\0").unwrap_err().line, Some(2));
        assert!(decode(&[0xFF, 0xFE, 0, 0, b'a', 0, 0, 0]).is_err());
        assert!(decode(&[0xFF, 0xFE, 0x00, 0xD8]).is_err(), "half a surrogate pair");
    }
}
