//! The manifest: which files an export has written, and what is in them. Nothing else is ever deleted.
//!
//! It is a text: a line `gazetted export 1`, lines of facts, a line for each file, and a line with the number of files and the BLAKE3 of
//! all that is before it.

use std::collections::HashMap;
use std::io::{self, Write};

use super::file_row::{FileRow, escaped, unescaped};
use super::target::ExportTarget;
use chrono::{DateTime, Utc};

/// The first line.
const HEAD: &str = "gazetted export 1";
/// Start of the last line.
const END: &str = "end ";
/// Start of a line about the design of pages: its hash, and the date since which pages have it.
const PRESENTED: &str = "presented ";
/// Start of the line with the newest date of a document whose date is not that of the catalog.
const LATEST: &str = "latest ";
/// Start of the line with the id of the main feed.
const SITE: &str = "site ";
/// Start of the line with the hash of the settings.
const SETTINGS: &str = "settings ";
/// Start of a line after that of a document: the end of the address of a file beside articles that it shows.
const SHOWN: char = '+';
/// Start of the line of a file that an unfinished export may have written.
pub const UNFINISHED: char = '\t';

/// Identifies a path in little memory.
pub type FileKey = u128;

/// The key of a path.
pub fn key_of(file: &str) -> FileKey {
    let hash = blake3::hash(file.as_bytes());
    u128::from_be_bytes(hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes"))
}

/// A file of the last export.
#[derive(Debug, Clone, Copy)]
pub struct FormerFile {
    /// `None` if an unfinished export may have written it.
    pub row: Option<FileRow>,
    /// An unfinished export may have written it, or this one has.
    pub is_uncertain: bool,
    /// It belongs to the site that is exported.
    pub is_wanted: bool,
}

/// What earlier exports have left.
#[derive(Debug, Default)]
pub struct FormerExport {
    pub files: HashMap<FileKey, FormerFile>,
    /// The hash of the design of pages, and since when they have it.
    pub presented: Option<([u8; 32], DateTime<Utc>)>,
    pub latest: Option<DateTime<Utc>>,
    /// Id of the main feed.
    pub site: Option<String>,
    /// Hash of all settings that documents and their header fields depend on.
    pub settings: Option<blake3::Hash>,
    /// The files beside articles that a document shows, if it shows any: the ends of their addresses.
    pub shown: HashMap<FileKey, Vec<Box<str>>>,
}

impl FormerExport {
    /// Reads the newest manifest of a store.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn read(target: &dyn ExportTarget) -> io::Result<Self> {
        let (mut former, mut check) = (Self::default(), ManifestCheck::default());
        let mut last = None;
        target.read(&mut |line| {
            if let Some(file) = line.strip_prefix(UNFINISHED) {
                let file = former.files.entry(key_of(&unescaped(file))).or_insert(FormerFile {
                    row: None,
                    is_uncertain: true,
                    is_wanted: false,
                });
                file.is_uncertain = true;
                return Ok(());
            }
            let Some(line) = check.next(line)? else { return Ok(()) };
            if let Some(presented) = line.strip_prefix(PRESENTED) {
                former.presented = presented
                    .split_once(' ')
                    .and_then(|(hash, seconds)| Some((*blake3::Hash::from_hex(hash).ok()?.as_bytes(), date(seconds)?)));
            } else if let Some(latest) = line.strip_prefix(LATEST) {
                former.latest = date(latest);
            } else if let Some(site) = line.strip_prefix(SITE) {
                former.site = Some(unescaped(site));
            } else if let Some(settings) = line.strip_prefix(SETTINGS) {
                former.settings = blake3::Hash::from_hex(settings).ok();
            } else if let Some(address) = line.strip_prefix(SHOWN) {
                former.shown.entry(last.ok_or_else(damaged)?).or_default().push(address.into());
            } else {
                let (row, file) = FileRow::parse(line).ok_or_else(damaged)?;
                let key = key_of(&file);
                last = Some(key);
                let file =
                    former.files.entry(key).or_insert(FormerFile { row: None, is_uncertain: false, is_wanted: false });
                file.row = Some(row);
            }
            Ok(())
        })?;
        check.end()?;
        Ok(former)
    }

    /// Calls `found` with the path and the row of each file that is not wanted any more.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn unwanted(
        &self,
        target: &dyn ExportTarget,
        mut found: impl FnMut(&str, Option<&FileRow>) -> io::Result<()>,
    ) -> io::Result<()> {
        target.read(&mut |line| {
            let file = match line.strip_prefix(UNFINISHED) {
                Some(file) => unescaped(file),
                None => match FileRow::parse(line) {
                    Some((_, file)) => file,
                    None => return Ok(()),
                },
            };
            match self.files.get(&key_of(&file)) {
                Some(former) if !former.is_wanted => found(&file, former.row.as_ref()),
                _ => Ok(()),
            }
        })
    }
}

fn date(seconds: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds.parse().ok()?, 0)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the manifest is damaged")
}

/// Checks that a manifest is whole.
#[derive(Default)]
struct ManifestCheck {
    hasher: blake3::Hasher,
    lines: u64,
    is_over: bool,
}

impl ManifestCheck {
    /// Returns the line, unless it is the first or the last one.
    fn next<'a>(&mut self, line: &'a str) -> io::Result<Option<&'a str>> {
        self.lines += 1;
        if self.is_over || (self.lines == 1) != (line == HEAD) {
            return Err(damaged());
        }
        if let Some(end) = line.strip_prefix(END) {
            self.is_over = end == self.hasher.finalize().to_hex().as_str();
            return if self.is_over { Ok(None) } else { Err(damaged()) };
        }
        self.hasher.update(line.as_bytes()).update(b"\n");
        Ok((self.lines > 1).then_some(line))
    }

    fn end(&self) -> io::Result<()> {
        if self.lines == 0 || self.is_over { Ok(()) } else { Err(damaged()) }
    }
}

/// Writes a manifest.
pub struct ManifestWriter<W> {
    output: W,
    hasher: blake3::Hasher,
}

impl<W: Write> ManifestWriter<W> {
    /// Begins a manifest.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(output: W) -> io::Result<Self> {
        let mut writer = Self { output, hasher: blake3::Hasher::new() };
        writer.line(&format!("{HEAD}\n"))?;
        Ok(writer)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.hasher.update(line.as_bytes());
        self.output.write_all(line.as_bytes())
    }

    /// Adds the dates of documents that are not those of the catalog.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn dates(
        &mut self,
        presented: Option<([u8; 32], DateTime<Utc>)>,
        latest: Option<DateTime<Utc>>,
    ) -> io::Result<()> {
        if let Some((hash, date)) = presented {
            self.line(&format!("{PRESENTED}{} {}\n", blake3::Hash::from_bytes(hash).to_hex(), date.timestamp()))?;
        }
        match latest {
            Some(date) => self.line(&format!("{LATEST}{}\n", date.timestamp())),
            None => Ok(()),
        }
    }

    /// Adds the id of the main feed, and the hash of all settings that documents and their header fields depend on.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn site(&mut self, id: &str, settings: &blake3::Hash) -> io::Result<()> {
        self.line(&format!("{SITE}{}\n", escaped(id)))?;
        self.line(&format!("{SETTINGS}{}\n", settings.to_hex()))
    }

    /// Adds a file, and the ends of the addresses of the files beside articles that it shows.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn file(&mut self, file: &str, row: &FileRow, shown: &[Box<str>]) -> io::Result<()> {
        self.line(&row.line(file))?;
        shown.iter().try_for_each(|address| self.line(&format!("{SHOWN}{address}\n")))
    }

    /// Ends the manifest.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(mut self) -> io::Result<W> {
        let end = format!("{END}{}\n", self.hasher.finalize().to_hex());
        self.output.write_all(end.as_bytes())?;
        self.output.flush()?;
        Ok(self.output)
    }
}
