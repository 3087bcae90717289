//! A second record of identity, beside the catalog: which article has which id, path, address and dates. If the catalog is lost, its
//! articles continue under their ids.
//!
//! The file has one JSON object per line, each with a checksum, and can be read with any text tool. The first line names the format and
//! the namespace of the ids. A later line about an id or an address replaces the earlier ones. Lines are appended after a transaction;
//! when most lines are out of date, the file is written again. Only articles that have been public are in it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name of the file in the state directory.
pub const IDENTITIES: &str = "identities.log";

/// Name of the format, in the first line.
const FORMAT: &str = "gazetted identities";
/// Version of the format. A file of another version is not read.
const VERSION: u32 = 1;
/// Maximum length of a line in bytes. A path has at most 4,096, which may be escaped.
const MAX_LINE: u64 = 64 << 10;
/// Between the content of a line and its checksum.
const BEFORE_SUM: &str = ",\"sum\":\"";

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum IdentityLine {
    /// The first line.
    Header { format: String, version: u32, namespace: String },
    /// The present identity of an article.
    Article(LoggedIdentity),
    /// A former address that redirects to an article.
    Address { address: String, of: String },
    /// An id that an article had before, and that no other article may have.
    Retired { retired: String },
    /// An entry of another publisher's feed, whose address redirects to the article that it became.
    Adopted(LoggedEntry),
}

/// An entry of another publisher's feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LoggedEntry {
    /// Its id.
    pub adopted: String,
    /// The id of its article; none if it waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Its address, and of one that waits the rest by which it is matched, as they are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<DateTime<Utc>>,
}

/// The identity of an article that has been public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LoggedIdentity {
    pub id: String,
    pub path: LoggedPath,
    pub state: LoggedState,
    /// Last part of its address.
    pub slug: String,
    pub published: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    /// BLAKE3 of the file, in hexadecimal digits.
    pub hash: String,
    /// Its id in RSS and JSON Feed, if that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// Whether it is or was a page, as the column `page` of the catalog says it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub page: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LoggedState {
    Published,
    /// Withdrawn by its writer.
    Withdrawn,
    Deleted,
}

/// A path below the watched folder. One that is not UTF-8 is written in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum LoggedPath {
    Text(String),
    Bytes { hex: String },
}

impl LoggedPath {
    pub fn of(path: &[u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(path) {
            return Self::Text(text.to_owned());
        }
        let digits = path.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Self::Bytes { hex: digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect() }
    }

    /// The bytes of the path; `None` if they are not written in hexadecimal digits.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Bytes { hex } => {
                let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
                digits.map(|pair| u8::from_str_radix(pair.filter(|pair| pair.len() == 2)?, 16).ok()).collect()
            }
        }
    }
}

impl IdentityLine {
    pub fn header(namespace: Uuid) -> Self {
        Self::Header { format: FORMAT.to_owned(), version: VERSION, namespace: namespace.to_string() }
    }

    /// Appends the line to a text.
    pub fn write_to(&self, text: &mut String) {
        let start = text.len();
        text.push_str(&serde_json::to_string(self).expect("texts and dates can be serialised"));
        // The closing brace follows the checksum.
        text.pop();
        let sum = checksum(&text[start..]);
        text.push_str(&format!("{BEFORE_SUM}{sum}\"}}\n"));
    }

    /// Parses a line without its line feed; `None` if its form or its checksum is wrong.
    fn parse(line: &[u8]) -> Option<Self> {
        let (content, sum) = std::str::from_utf8(line).ok()?.rsplit_once(BEFORE_SUM)?;
        let is_whole = sum.strip_suffix("\"}")? == checksum(content);
        is_whole.then(|| serde_json::from_str(&format!("{content}}}")).ok())?
    }
}

fn checksum(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..8].to_owned()
}

/// The size of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LogExtent {
    pub bytes: u64,
    pub lines: u64,
}

impl LogExtent {
    /// Parses the text that [`std::fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (bytes, lines) = text.split_once(' ')?;
        Some(Self { bytes: bytes.parse().ok()?, lines: lines.parse().ok()? })
    }

    /// The size with these lines appended.
    pub fn with(self, text: &str, lines: usize) -> Self {
        Self { bytes: self.bytes + text.len() as u64, lines: self.lines + lines as u64 }
    }
}

impl std::fmt::Display for LogExtent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.bytes, self.lines)
    }
}

/// The file. It is opened for each use, so that a removed file is noticed.
#[derive(Debug, Clone)]
pub(super) struct IdentityLog {
    file: PathBuf,
}

impl IdentityLog {
    pub fn at(file: &Path) -> Self {
        Self { file: file.to_path_buf() }
    }

    /// Its length in bytes; `None` if there is no file. A folder or a special file in its place is set aside.
    pub fn length(&self) -> Option<u64> {
        let metadata = std::fs::metadata(&self.file).ok()?;
        if !metadata.is_file() {
            let _ = self.set_aside();
            return None;
        }
        Some(metadata.len())
    }

    /// The namespace that its first line names.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn namespace(&self) -> io::Result<Option<Uuid>> {
        let first = self.lines()?.next().transpose()?;
        Ok(match first {
            Some((_, Some(IdentityLine::Header { format, version: VERSION, namespace }))) if format == FORMAT => {
                namespace.parse().ok()
            }
            _ => None,
        })
    }

    /// The lines of the file.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn lines(&self) -> io::Result<LogLines> {
        Ok(LogLines { reader: BufReader::new(File::open(&self.file)?), offset: 0 })
    }

    /// Appends lines to a file of `length` bytes.
    ///
    /// # Errors
    /// The file has another length or cannot be written.
    pub fn append(&self, lines: &str, length: u64) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.file)?;
        if file.metadata()?.len() != length {
            return Err(io::Error::other("another program has changed it"));
        }
        file.write_all(lines.as_bytes())
    }

    /// Renames the file, so that another one can take its place.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn set_aside(&self) -> io::Result<()> {
        std::fs::rename(&self.file, self.file.with_extension("log.old"))
    }

    /// Begins to write the file again. The present one stays until [`NewLog::finish`].
    ///
    /// # Errors
    /// The new file cannot be created.
    pub fn begin(&self, namespace: Uuid) -> io::Result<NewLog> {
        let temporary = self.file.with_extension("log.new");
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
        let place = self.file.clone();
        let mut log = NewLog { temporary, place, writer: BufWriter::new(file), extent: LogExtent::default() };
        log.write(&IdentityLine::header(namespace))?;
        Ok(log)
    }
}

/// A file that is being written.
pub(super) struct NewLog {
    temporary: PathBuf,
    place: PathBuf,
    writer: BufWriter<File>,
    extent: LogExtent,
}

impl NewLog {
    pub fn write(&mut self, line: &IdentityLine) -> io::Result<()> {
        let mut text = String::new();
        line.write_to(&mut text);
        self.extent = self.extent.with(&text, 1);
        self.writer.write_all(text.as_bytes())
    }

    /// Replaces the old file. Afterwards the new one survives a power cut.
    pub fn finish(self) -> io::Result<LogExtent> {
        self.writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&self.temporary, &self.place)?;
        if let Some(directory) = self.place.parent() {
            File::open(directory)?.sync_all()?;
        }
        Ok(self.extent)
    }
}

/// The lines of a file, each with its offset; `None` for one with a wrong form or checksum, or that was cut off by a power cut.
pub(super) struct LogLines {
    reader: BufReader<File>,
    offset: u64,
}

impl Iterator for LogLines {
    type Item = io::Result<(u64, Option<IdentityLine>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        // Damage may have removed all line feeds.
        match self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(length) => {
                let offset = self.offset;
                self.offset += length as u64;
                Some(Ok((offset, line.strip_suffix(b"\n").and_then(IdentityLine::parse))))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The namespace in the first line of a file; `None` if it cannot be read.
pub fn logged_namespace(file: &Path) -> Option<Uuid> {
    let log = IdentityLog::at(file);
    log.length()?;
    log.namespace().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(id: &str, path: &[u8]) -> IdentityLine {
        IdentityLine::Article(LoggedIdentity {
            id: id.to_owned(),
            path: LoggedPath::of(path),
            state: LoggedState::Published,
            slug: "a".to_owned(),
            published: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            updated: DateTime::from_timestamp(1_700_000_001, 0).unwrap(),
            hash: "00".repeat(32),
            guid: Some("with \",\"sum\":\"quotes\"".to_owned()),
            page: 0,
        })
    }

    fn text(lines: &[IdentityLine]) -> String {
        let mut text = String::new();
        for line in lines {
            line.write_to(&mut text);
        }
        text
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        let lines = [
            IdentityLine::header(Uuid::nil()),
            article("urn:x", b"a/b.md"),
            article("urn:y", b"\xff\n\"/b.md"),
            IdentityLine::Address { address: "old".to_owned(), of: "urn:x".to_owned() },
            IdentityLine::Retired { retired: "urn:z".to_owned() },
            IdentityLine::Adopted(LoggedEntry {
                adopted: "urn:w".to_owned(),
                of: None,
                link: Some("/node/12".to_owned()),
                title: None,
                guid: Some("12".to_owned()),
                published: DateTime::from_timestamp(1_700_000_000, 0),
                updated: None,
            }),
        ];
        for line in &lines {
            let text = text(std::slice::from_ref(line));
            assert_eq!(IdentityLine::parse(text.trim_end().as_bytes()).as_ref(), Some(line), "{text}");
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(json["sum"].is_string(), "{text}");
        }
        assert_eq!(LoggedPath::of(b"\xff\x00a").bytes().unwrap(), b"\xff\x00a");
        assert_eq!(LoggedPath::Bytes { hex: "0".to_owned() }.bytes(), None);
    }

    #[test]
    fn wrong_lines_cost_no_others() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(IDENTITIES);
        let log = IdentityLog::at(&file);
        let whole = text(&[IdentityLine::header(Uuid::nil()), article("urn:x", b"x"), article("urn:y", b"y")]);
        let read = || log.lines().unwrap().map(|line| line.unwrap().1).collect::<Vec<_>>();
        // Any byte may be wrong, and the end may be missing.
        for place in 0..whole.len() {
            let mut bytes = whole.clone().into_bytes();
            bytes[place] ^= 1;
            std::fs::write(&file, &bytes).unwrap();
            let right = read().into_iter().flatten().count();
            assert!((1..=2).contains(&right), "byte {place}: {right} lines are right");
            std::fs::write(&file, &whole[..place]).unwrap();
            let ends = whole[..place].matches('\n').count();
            assert_eq!(read().into_iter().flatten().count(), ends, "{place} bytes are left");
        }
        std::fs::write(&file, [&vec![0; 300_000], whole.as_bytes()].concat()).unwrap();
        assert_eq!(read().into_iter().flatten().count(), 2, "the line after the zeros is lost with them");
        assert_eq!(log.namespace().unwrap(), None);
    }

    #[test]
    fn nothing_is_appended_to_a_file_that_another_program_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(IDENTITIES);
        let log = IdentityLog::at(&file);
        let extent = log.begin(Uuid::nil()).unwrap().finish().unwrap();
        assert_eq!((log.length(), log.namespace().unwrap()), (Some(extent.bytes), Some(Uuid::nil())));
        let line = text(&[article("urn:x", b"x")]);
        log.append(&line, extent.bytes).unwrap();
        let extent = extent.with(&line, 1);
        assert_eq!((log.length(), LogExtent::parse(&extent.to_string())), (Some(extent.bytes), Some(extent)));
        assert!(log.append(&line, 1).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(log.append(&line, extent.bytes).is_err() && !file.exists());
    }
}
