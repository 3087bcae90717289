//! The bytes of a document -> its text. Bytes that are no text in its encoding are replaced, since the rest of the document counts.

use std::borrow::Cow;
use std::io::Read;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use crate::article::Problem;
use crate::article::encoding::{self, Decoded};
use crate::folder::SourceFormat;

/// Maximum length of an XML declaration, in bytes.
const DECLARATION: usize = 256;

/// Maximum size of a document that was packed with gzip, in bytes.
const MAX_UNPACKED: u64 = 1 << 30;

/// Unpacks a document that a server sent with gzip, and that was saved as it came.
pub fn unpacked(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut unpacked = Vec::new();
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        return Cow::Borrowed(bytes);
    }
    // What is there of a stream that is cut off counts.
    let _ = flate2::read::GzDecoder::new(bytes).take(MAX_UNPACKED).read_to_end(&mut unpacked);
    Cow::Owned(unpacked)
}

/// The text of a document.
#[derive(Debug)]
pub struct SourceText {
    pub text: String,
    /// Set if the encoding was guessed, or if parts are damaged.
    pub problem: Option<Problem>,
}

/// Decodes a document: by its byte order mark, as UTF-8, by its XML declaration, and last by a guess.
pub fn decode(bytes: &[u8]) -> SourceText {
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    if let Some(encoding) = declared(bytes).filter(|encoding| !is_utf8 || *encoding == ISO_2022_JP) {
        return replaced(encoding, bytes);
    }
    match encoding::decode(bytes, SourceFormat::Html) {
        Ok(Decoded { text, problem }) => SourceText { text, problem },
        Err(_) => replaced(Encoding::for_bom(bytes).map_or(UTF_8, |(encoding, _)| encoding), bytes),
    }
}

fn replaced(encoding: &'static Encoding, bytes: &[u8]) -> SourceText {
    let (text, is_damaged) = encoding.decode_with_bom_removal(bytes);
    let text = text.into_owned();
    let damaged = is_damaged.then(|| {
        let count = text.matches('\u{FFFD}').count();
        let line = text.lines().position(|line| line.contains('\u{FFFD}')).map_or(1, |line| line + 1);
        Problem::at(line, format!("{count} characters are not valid in {}; each is shown as �", encoding.name()))
    });
    SourceText { problem: damaged, text }
}

/// The encoding in an XML declaration. A document that can be read up to here is not in UTF-16, whatever it says.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.strip_prefix(b"<?xml")?;
    let start = String::from_utf8_lossy(&start[..start.len().min(DECLARATION)]).into_owned();
    let declaration = &start[..start.find("?>")?];
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let label = value.trim_start_matches(['"', '\'']);
    let label = &label[..label.find(['"', '\'']).unwrap_or(label.len())];
    Encoding::for_label(label.as_bytes()).filter(|encoding| ![UTF_8, UTF_16LE, UTF_16BE].contains(encoding))
}
