//! Pictures inside office documents, and pictures and chapters inside recordings: in ID3v2 tags, MP4, FLAC and Ogg. They are found by reading a few headers. No length that
//! a file states is trusted: nothing is allocated before it is compared with the file and with a limit.

mod document;
pub mod id3;
mod mp4;
mod parts;
mod view;
mod vorbis;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::folder::media_bytes::MediaBytes;
use parts::{Chapter, DIGITS, Data, EmbeddedPicture, MAX_CHAPTERS, MAX_PICTURE, PICTURES, type_of};

use crate::model::text::xml_legal;
pub use document::document_picture;

/// Maximum length of the title or the address of a chapter, in characters.
const MAX_TITLE: usize = 1_000;
/// Maximum number of reads of the dimensions of a picture: a file may consist of millions of empty segments.
const MAX_READS: u32 = 10_000;

/// What is searched for in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsideKind {
    /// Its cover.
    Cover,
    /// The list of its chapters.
    Chapters,
    /// A picture of a document.
    Picture,
}

/// A file within a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// The hash of its bytes, with the extension of its type.
    pub name: String,
    pub media_type: &'static str,
    data: Data,
}

/// Returns what a name below a recording stands for; `None` if no file within one has such a name.
pub fn kind_of_name(name: &str) -> Option<InsideKind> {
    let (hash, extension) = name.split_at_checked(DIGITS)?;
    let is_hash = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let kind = match extension {
        ".chapters.json" => InsideKind::Chapters,
        _ if PICTURES.iter().any(|(known, _)| extension == *known) => InsideKind::Cover,
        _ => return None,
    };
    is_hash.then_some(kind)
}

/// Finds the cover of a recording, or its chapters as a file of the Podcasting 2.0 namespace. `None` if it has none, or if it is damaged.
pub fn find(file: &File, kind: InsideKind) -> Option<EmbeddedFile> {
    let source = MediaBytes::new(file).ok()?;
    match kind {
        InsideKind::Cover => {
            let data = picture(&source)?;
            let (extension, media_type) = kind_of(file, &data)?;
            EmbeddedFile::new(file, data, extension, media_type)
        }
        InsideKind::Chapters => {
            let json = chapters_file(chapters(&source))?;
            EmbeddedFile::new(file, Data::InMemory(json), ".chapters.json", "application/json+chapters")
        }
        // A document has many: see `find_named`.
        InsideKind::Picture => None,
    }
}

/// The comments of a recording in FLAC or Ogg: keys in capital letters, and values.
pub fn comments(file: &File) -> Vec<(String, Vec<u8>)> {
    MediaBytes::new(file).map(|source| vorbis::all_comments(&source)).unwrap_or_default()
}

/// Finds the file within a recording or a document that is served under a name.
pub fn find_named(file: &File, kind: InsideKind, name: &str) -> Option<EmbeddedFile> {
    match kind {
        InsideKind::Picture => {
            let (data, media_type) = document::find(file, name)?;
            Some(EmbeddedFile { name: name.to_owned(), media_type, data })
        }
        InsideKind::Cover | InsideKind::Chapters => find(file, kind).filter(|inside| inside.name == name),
    }
}

impl EmbeddedFile {
    fn new(file: &File, data: Data, extension: &str, media_type: &'static str) -> Option<Self> {
        let mut hasher = blake3::Hasher::new();
        let (mut at, mut buffer) = (0, vec![0; 64 << 10]);
        while at < data.length() {
            let read = data.read_at(file, at, &mut buffer).ok()?;
            hasher.update(&buffer[..read]);
            at += read as u64;
        }
        let name = format!("{}{extension}", &hasher.finalize().to_hex()[..DIGITS]);
        Some(Self { name, media_type, data })
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.data.length()
    }

    /// Where its bytes are in the recording; `None` if they are not there as they are.
    pub(super) fn start(&self) -> Option<u64> {
        match self.data {
            Data::InFile { start, .. } => Some(start),
            Data::InMemory(_) => None,
        }
    }

    /// Reads `length` bytes from a position on.
    ///
    /// # Errors
    /// The recording cannot be read, or is shorter by now.
    pub(super) fn read(&self, file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        match self.data.read_at(file, at, &mut bytes)? {
            read if read == length => Ok(bytes),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// A reader of its bytes. It fails after some thousand reads.
    pub fn reader<'a>(&'a self, file: &'a File) -> impl Read + Seek + 'a {
        DataReader { data: &self.data, file, at: 0, reads: 0 }
    }
}

struct DataReader<'a> {
    data: &'a Data,
    file: &'a File,
    at: u64,
    reads: u32,
}

impl Read for DataReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads > MAX_READS {
            return Err(io::Error::other("too many parts"));
        }
        let read = self.data.read_at(self.file, self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for DataReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
            SeekFrom::End(distance) => self.data.length().checked_add_signed(distance),
        };
        self.at = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The type of a picture by its first bytes, whatever the tags state.
fn kind_of(file: &File, data: &Data) -> Option<(&'static str, &'static str)> {
    let mut head = [0; 12];
    if data.length() > MAX_PICTURE || data.read_at(file, 0, &mut head).ok()? < head.len() {
        return None;
    }
    type_of(&head)
}

/// The front cover, or else the first picture.
fn best(source: &MediaBytes<'_>, candidates: Vec<EmbeddedPicture>) -> Option<Data> {
    let mut pictures = candidates.into_iter().filter(|candidate| kind_of(source.file, &candidate.data).is_some());
    let first = pictures.next()?;
    if first.is_front {
        return Some(first.data);
    }
    Some(pictures.find(|candidate| candidate.is_front).unwrap_or(first).data)
}

/// A container that may hold tags, at a position of a recording.
enum TagContainer {
    Id3(u64),
    Mp4,
    Flac(u64),
    Ogg,
}

/// Finds the containers of a recording in order.
fn containers(source: &MediaBytes<'_>) -> Vec<TagContainer> {
    let Some(head) = source.array::<12>(0) else { return Vec::new() };
    match &head {
        [b'I', b'D', b'3', ..] => {
            let mut found = vec![TagContainer::Id3(0)];
            // Some programs write ID3 tags before FLAC.
            let after = id3::end(source, 0).filter(|at| source.array::<4>(*at) == Some(*b"fLaC"));
            found.extend(after.map(TagContainer::Flac));
            found
        }
        [b'f', b'L', b'a', b'C', ..] => vec![TagContainer::Flac(0)],
        [b'O', b'g', b'g', b'S', ..] => vec![TagContainer::Ogg],
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => vec![TagContainer::Mp4],
        [b'R', b'I', b'F', b'F', ..] => id3_chunks(source, u32::from_le_bytes),
        [b'F', b'O', b'R', b'M', ..] => id3_chunks(source, u32::from_be_bytes),
        _ => Vec::new(),
    }
}

/// The tags in the chunks of a WAV or AIFF file.
fn id3_chunks(source: &MediaBytes<'_>, number: fn([u8; 4]) -> u32) -> Vec<TagContainer> {
    let (mut at, mut found) = (12, Vec::new());
    while let Some([a, b, c, d, size @ ..]) = source.array::<8>(at) {
        if [a, b, c, d].eq_ignore_ascii_case(b"id3 ") {
            found.push(TagContainer::Id3(at + 8));
        }
        let size = u64::from(number(size));
        at += 8 + size + size % 2;
    }
    found
}

fn picture(source: &MediaBytes<'_>) -> Option<Data> {
    let candidates = containers(source).into_iter().flat_map(|container| match container {
        TagContainer::Id3(at) => id3::pictures(source, at),
        TagContainer::Mp4 => mp4::pictures(source),
        TagContainer::Flac(at) => vorbis::flac_pictures(source, at),
        TagContainer::Ogg => vorbis::ogg_pictures(source),
    });
    best(source, candidates.collect())
}

fn chapters(source: &MediaBytes<'_>) -> Vec<Chapter> {
    let of_container = |container| match container {
        TagContainer::Id3(at) => id3::chapters(source, at),
        TagContainer::Mp4 => mp4::chapters(source),
        TagContainer::Flac(at) => vorbis::flac_chapters(source, at),
        TagContainer::Ogg => vorbis::ogg_chapters(source),
    };
    let found = containers(source).into_iter().map(of_container).find(|chapters| !chapters.is_empty());
    let mut chapters = found.unwrap_or_default();
    chapters.sort_by_key(|chapter| chapter.start);
    chapters.truncate(MAX_CHAPTERS);
    chapters
}

/// The file of chapters that players read (JSON Chapters 1.2). `None` without a chapter that has a title.
fn chapters_file(chapters: Vec<Chapter>) -> Option<Vec<u8>> {
    let clean = |text: &str| {
        let text: String = xml_legal(text).trim().chars().take(MAX_TITLE).collect();
        Some(text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
    };
    let one = |chapter: Chapter| {
        let mut object = serde_json::Map::new();
        let (seconds, rest) = (chapter.start / 1_000, chapter.start % 1_000);
        let seconds = match (rest, u32::try_from(chapter.start)) {
            (1.., Ok(milliseconds)) => serde_json::Value::from(f64::from(milliseconds) / 1_000.0),
            _ => seconds.into(),
        };
        object.insert("startTime".to_owned(), seconds);
        object.extend(clean(&chapter.title).map(|title| ("title".to_owned(), title.into())));
        let url = chapter.url.as_deref().and_then(clean);
        let url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        object.extend(url.map(|url| ("url".to_owned(), url.into())));
        serde_json::Value::Object(object)
    };
    let has_title = chapters.iter().any(|chapter| clean(&chapter.title).is_some());
    let chapters: Vec<serde_json::Value> = chapters.into_iter().map(one).collect();
    let file = serde_json::json!({ "version": "1.2.0", "chapters": chapters });
    has_title.then(|| file.to_string().into_bytes())
}

#[cfg(test)]
mod tests;
