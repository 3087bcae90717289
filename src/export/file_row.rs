//! A line of the manifest: a file as it was written.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Characters of a path that would end a line or hide an encoding.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// A file as it was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileRow {
    /// Half of the BLAKE3 of its uncompressed bytes.
    pub content: [u8; 16],
    /// What its bytes are made from, where that is quicker to compare: the validator of a file beside articles; else 0.
    pub source: u64,
    /// Of the header fields of its responses.
    pub headers: u64,
    /// `Last-Modified`, in seconds.
    pub modified: i64,
    /// In bytes: uncompressed, then in the codings gzip, br and zstd; 0 if there is none.
    pub sizes: [u64; 4],
}

impl FileRow {
    /// Its line in a manifest.
    pub fn line(&self, file: &str) -> String {
        let Self { content, source, headers, modified, sizes: [plain, gzip, brotli, zstd] } = self;
        let content = u128::from_be_bytes(*content);
        let path = utf8_percent_encode(file, ESCAPED);
        format!("{content:032x} {source:016x} {headers:016x} {modified} {plain} {gzip} {brotli} {zstd} {path}\n")
    }

    /// Reads a line of a manifest: the row and the path.
    pub fn parse(line: &str) -> Option<(Self, String)> {
        let mut fields = line.splitn(9, ' ');
        let content = u128::from_str_radix(fields.next()?, 16).ok()?.to_be_bytes();
        let source = u64::from_str_radix(fields.next()?, 16).ok()?;
        let headers = u64::from_str_radix(fields.next()?, 16).ok()?;
        let modified = fields.next()?.parse().ok()?;
        let mut sizes = [0; 4];
        for size in &mut sizes {
            *size = fields.next()?.parse().ok()?;
        }
        let path = percent_decode_str(fields.next()?).decode_utf8().ok()?.into_owned();
        Some((Self { content, source, headers, modified, sizes }, path))
    }
}

/// The path in a line of a journal.
pub fn escaped(file: &str) -> String {
    utf8_percent_encode(file, ESCAPED).to_string()
}

/// The path of a line of a journal.
pub fn unescaped(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_one_line() {
        let row = FileRow { content: [7; 16], source: 1, headers: u64::MAX, modified: -5, sizes: [u64::MAX, 0, 3, 4] };
        for path in ["a", "tags/a b/ü", "100%", "a\nb", "%0A", " x "] {
            let line = row.line(path);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(FileRow::parse(line.trim_end_matches('\n')), Some((row, path.to_owned())));
            assert_eq!(unescaped(&escaped(path)), path);
        }
        for other in ["end 00ff", "gazetted export 1", "latest 5", ""] {
            assert_eq!(FileRow::parse(other), None, "{other}");
        }
    }
}
