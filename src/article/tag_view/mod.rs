//! A view of a recording for the tag parser: a file of the same length with limited tags.
//!
//! The parser trusts its input. It decompresses frames of any size, follows nested chapters until the stack overflows, and
//! compares each item of a tag with all previous ones. A file of a few kilobytes can therefore use gigabytes of memory or minutes of
//! time, or crash the process. The view inspects each position at which the parser starts to read a tag, and patches the tag.

mod containers;
mod dates;
mod frame_text;
mod id3;
mod patch;
mod texts;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use crate::article::problem::Problem;
use patch::{Budget, Patch};
pub(super) use texts::Id3Texts;

/// Maximum number of bytes read from one recording, larger than any cover in tags. Without it, the search for the first audio
/// frame would read a file of zeros to its end.
const MAX_READ: u64 = 32 << 20;
/// Maximum number of read calls for tags. Each chunk of a WAV or AIFF file takes two or three.
const MAX_CALLS: u32 = 200_000;
/// Maximum number of patches of one recording, which may have several tags.
const MAX_PATCHES: usize = 64;

/// The part of a file that the parser reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Its tags, without pictures and chapters.
    Tags,
    /// Its duration; or the dimensions of a picture.
    Measures,
}

/// A recording as the tag parser sees it.
pub(super) struct TagView {
    file: BufReader<File>,
    /// Position of `file`; it is moved to `at` before a read.
    file_at: u64,
    /// Position of the view.
    at: u64,
    length: u64,
    part: Part,
    is_mp4: bool,
    /// Number of bytes that may still be read.
    unread: u64,
    /// Number of read calls so far.
    calls: u32,
    budget: Budget,
    patches: Vec<Patch>,
    texts: Id3Texts,
}

impl TagView {
    /// Makes a view of a newly opened file.
    ///
    /// # Errors
    /// The length of the file cannot be read.
    pub fn new(file: File, part: Part) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut head = [0; 8];
        let is_mp4 = file.read_exact_at(&mut head, 0).is_ok() && head.ends_with(b"ftyp");
        Ok(Self {
            file: BufReader::new(file),
            file_at: 0,
            at: 0,
            length,
            part,
            is_mp4,
            unread: MAX_READ,
            calls: 0,
            budget: Budget::default(),
            patches: Vec::new(),
            texts: Id3Texts::default(),
        })
    }

    /// Returns the problems of the tags after they were read.
    pub fn problems(&self) -> Vec<Problem> {
        self.budget.problems()
    }

    /// Returns what the text frames have beside the items that the parser reports.
    pub fn into_texts(self) -> Id3Texts {
        self.texts
    }

    /// Looks for a tag at the position where the parser is about to read `wanted` bytes, and patches the tag.
    fn inspect(&mut self, wanted: usize) -> io::Result<()> {
        if self.patch_at(self.at).is_some() {
            return Ok(());
        }
        let mut magic = [0; 8];
        match self.file.fill_buf()?.first_chunk() {
            Some(head) => magic = *head,
            None => _ = self.file.get_ref().read_at(&mut magic, self.at)?,
        }
        let (file, at, budget) = (self.file.get_ref(), self.at, &mut self.budget);
        let patches = match &magic {
            _ if self.is_mp4 => containers::mp4_items(file, at, wanted, budget),
            [b'I', b'D', b'3', ..] => {
                id3::rewrite(file, at, self.length, budget, &mut self.texts).into_iter().collect()
            }
            [b'I', b'N', b'F', b'O', ..] => {
                for (id, text) in containers::info_texts(file, at, budget) {
                    self.texts.add_info(id, &text);
                }
                Vec::new()
            }
            b"APETAGEX" => containers::item_count(file, at + 16, budget),
            [b'f', b'L', b'a', b'C', ..] => containers::flac_blocks(file, at, budget),
            [b'O', b'g', b'g', b'S', ..] if at == 0 => containers::ogg_comments(file, budget)?,
            _ => Vec::new(),
        };
        for patch in patches {
            let index = self.patches.partition_point(|other| other.start < patch.start);
            if self.patches.get(index).is_some_and(|other| other.start == patch.start) {
                continue;
            }
            if self.patches.len() == MAX_PATCHES {
                return Err(self.limit_exceeded());
            }
            self.patches.insert(index, patch);
        }
        Ok(())
    }

    /// Returns the patch that covers a position.
    fn patch_at(&self, at: u64) -> Option<&Patch> {
        let count = self.patches.partition_point(|patch| patch.start <= at);
        self.patches[..count].iter().rev().find(|patch| at < patch.end)
    }

    fn limit_exceeded(&mut self) -> io::Error {
        self.budget.exceed();
        io::Error::other("its tags are too large")
    }
}

impl Read for TagView {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.part == Part::Tags {
            // The search for the first audio frame reads single bytes; these do not count.
            self.calls += u32::from(buffer.len() >= 4);
            if self.calls > MAX_CALLS {
                return Err(self.limit_exceeded());
            }
        }
        if self.file_at != self.at {
            let distance = i128::from(self.at) - i128::from(self.file_at);
            self.file.seek_relative(i64::try_from(distance).map_err(io::Error::other)?)?;
            self.file_at = self.at;
        }
        if self.part == Part::Tags {
            self.inspect(buffer.len())?;
        }
        let mut limit = self.unread;
        if !self.patches.is_empty() {
            if let Some(patch) = self.patch_at(self.at) {
                let read = patch.read(self.at, buffer);
                self.at += read as u64;
                return Ok(read);
            }
            let next = self.patches.iter().find(|patch| patch.start > self.at);
            limit = next.map_or(limit, |patch| limit.min(patch.start - self.at));
        }
        if limit == 0 {
            return Err(io::Error::other("more of it is read than its tags and its length need"));
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        self.unread -= read as u64;
        self.at += read as u64;
        self.file_at = self.at;
        Ok(read)
    }
}

impl Seek for TagView {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
            SeekFrom::End(distance) => self.length.checked_add_signed(distance),
        };
        // As in `lseek`, a position fits `i64`.
        let position = position.filter(|position| i64::try_from(*position).is_ok());
        self.at = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use lofty::config::ParseOptions;
    use lofty::file::{FileType, TaggedFileExt};
    use lofty::probe::Probe;

    use super::*;

    pub fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn view(bytes: &[u8]) -> TagView {
        TagView::new(file(bytes), Part::Tags).unwrap()
    }

    /// All texts that the parser finds, without dates: those of ID3 are read apart from it.
    fn items(reader: impl Read + Seek) -> Vec<String> {
        let options = ParseOptions::new().read_properties(false).read_cover_art(false);
        let parsed = Probe::with_file_type(reader, FileType::Mpeg).options(options).read().unwrap();
        let items =
            parsed.tags().iter().flat_map(|tag| tag.items().map(|item| format!("{:?}", (item.key(), item.value()))));
        let mut items: Vec<String> = items.filter(|item| !item.starts_with("(RecordingDate")).collect();
        items.sort();
        items
    }

    fn number(version: u8, size: usize) -> [u8; 4] {
        let size = u32::try_from(size).unwrap();
        if version == 4 { [21, 14, 7, 0].map(|shift| (size >> shift & 0x7F) as u8) } else { size.to_be_bytes() }
    }

    fn frame(version: u8, id: &str, flags: u8, content: &[u8]) -> Vec<u8> {
        let size = number(version, content.len());
        match version {
            2 => [id.as_bytes(), &size[1..], content].concat(),
            _ => [id.as_bytes(), &size, &[0, flags], content].concat(),
        }
    }

    fn tag(version: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        [&b"ID3"[..], &[version, 0, flags], &number(4, body.len()), body].concat()
    }

    /// A tag followed by 8 frames of silence.
    fn with_sound(tag: &[u8]) -> Vec<u8> {
        let silence = [&[0xFF, 0xFB, 0x90, 0xC0][..], &[0; 413]].concat().repeat(8);
        [tag, &silence].concat()
    }

    fn unsynchronised(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|byte| if *byte == 0xFF { vec![0xFF, 0] } else { vec![*byte] }).collect()
    }

    #[test]
    fn ordinary_tags_are_read_unchanged() {
        let wide: Vec<u8> = "\u{FEFF}T\u{FF}\u{100}\u{FF00}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = [&[1], &wide[..]].concat();
        let comment = b"\x00eng\0A comment";
        let picture = [&b"\x00image/png\0\x03\0"[..], &[7; 3_000]].concat();
        let old = [
            frame(2, "TT2", 0, b"\0Title"),
            frame(2, "COM", 0, comment),
            frame(2, "PIC", 0, &[0; 90]),
            frame(2, "CDM", 0, b"z\0\0\x01\0packed"),
            frame(2, "TP1", 0, b"\0Ann"),
        ]
        .concat();
        let middle = |version| {
            let group = if version == 3 { 0x20 } else { 0x40 };
            let frames = [
                frame(version, "TIT2", 0, &wide),
                frame(version, "APIC", 0, &picture),
                frame(version, "TPE1", group, b"g\0Ann"),
                frame(version, "PRIV", 0, b"owner\0data"),
                frame(version, "TXXX", 0, b"\0name\0value"),
                frame(version, "WXXX", 0, b"\0\0http://a.example/"),
                frame(version, "T\u{A9}T", 0, b"\0no name"),
                frame(version, "TALB", 0, b""),
                frame(version, "COMM", 0, comment),
                frame(version, "TYER", 0, b"\x002024"),
            ];
            [frames.concat(), vec![0; 500]].concat()
        };
        let new = [
            frame(4, "TIT2", 0x02, &unsynchronised(&wide)),
            frame(4, "TALB", 0x41, &[&b"g"[..], &number(4, 4), b"\0Sea"].concat()),
            frame(4, "TPE1", 0x03, &[&number(4, 5)[..], b"\0\xFF\0Ann"].concat()),
        ]
        .concat();
        let cut = frame(4, "TIT2", 0, b"\x03A title that ends with the tag");
        let mut tags = vec![
            tag(2, 0, &old),
            tag(3, 0, &middle(3)),
            tag(3, 0, &[&b"TT2\0"[..], &number(3, 6), &[0, 0], b"\0Title"].concat()),
            tag(4, 0, &middle(4)),
            tag(4, 0, &new),
            tag(4, 0, &cut[..20]),
            tag(4, 0x10, &[&middle(4)[..], b"3DI\x04\0\x10\0\0\0\0"].concat()),
            [tag(4, 0, &new), tag(3, 0, &middle(3))].concat(),
            tag(3, 0, &[0; 40]),
        ];
        let fourth = [frame(4, "TIT2", 0, &unsynchronised(&wide)), frame(4, "COMM", 0, comment)].concat();
        tags.extend([
            tag(2, 0x80, &unsynchronised(&old)),
            tag(3, 0x80, &unsynchronised(&middle(3))),
            tag(4, 0x80, &fourth),
        ]);
        for (number, tag) in tags.iter().enumerate() {
            for bytes in [with_sound(tag), with_sound(&[&b"junk"[..], tag].concat())] {
                let mut view = view(&bytes);
                let texts = items(&mut view);
                assert_eq!(texts, items(Cursor::new(&bytes)), "tag {number}");
                assert!(texts.len() > 1 || [2, 5, 8].contains(&number), "tag {number}: {texts:?}");
                assert_eq!(view.problems(), [], "tag {number}");
            }
        }
    }

    #[test]
    fn an_extended_header_is_skipped() {
        let title = |version| frame(version, "TIT2", 0, b"\0Title");
        let third = [&number(3, 6)[..], &[0; 6], &title(3)].concat();
        let fourth = [&number(4, 6)[..], &[1, 0], &title(4)].concat();
        for tag in [tag(3, 0x40, &third), tag(4, 0x40, &fourth)] {
            assert_eq!(items(view(&with_sound(&tag))), ["(TrackTitle, Text(\"Title\"))"]);
        }
    }

    #[test]
    fn a_wholly_compressed_tag_is_skipped() {
        let mut view = view(&with_sound(&tag(2, 0x40, b"packed")));
        assert_eq!(items(&mut view), [""; 0]);
        assert!(view.problems()[0].message.contains("the whole tag"), "{:?}", view.problems());
    }

    #[test]
    fn bytes_outside_of_patches_equal_the_file() {
        let packed = frame(4, "TIT2", 0x08, b"packed");
        let sized = tag(4, 0, &[packed, frame(4, "TALB", 0, b"\0Sea")].concat());
        let bytes = [&vec![5; 20_000][..], &sized, &vec![6; 20_000]].concat();
        let mut view = view(&bytes);
        view.seek(SeekFrom::Start(20_000)).unwrap();
        let mut patched = vec![0; 10];
        view.read_exact(&mut patched).unwrap();
        let mut all = Vec::new();
        view.rewind().unwrap();
        view.read_to_end(&mut all).unwrap();
        assert_eq!(all.len(), bytes.len());
        let (start, end) = (20_000, 20_000 + sized.len());
        assert!(all[..start] == bytes[..start] && all[end..] == bytes[end..]);
        let expected = [&sized[..10], &frame(4, "TALB", 0, b"\0Sea"), &[0; 16]].concat();
        assert_eq!(all[start..end], expected);
        assert!(view.seek(SeekFrom::Current(-50_000)).is_err());
        assert_eq!(view.seek(SeekFrom::End(-1)).unwrap() + 1, bytes.len() as u64);
        assert_eq!(view.read(&mut [0; 4]).unwrap(), 1);
        assert_eq!(view.seek(SeekFrom::End(9)).unwrap() - 9, bytes.len() as u64);
        assert_eq!(view.read(&mut [0; 4]).unwrap(), 0);
    }

    #[test]
    fn the_number_of_bytes_and_calls_is_limited() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(MAX_READ * 2).unwrap();
        let mut view = TagView::new(file, Part::Measures).unwrap();
        assert!(view.read_to_end(&mut Vec::new()).is_err());
        let mut calls = TagView::new(tempfile::tempfile().unwrap(), Part::Tags).unwrap();
        assert!((0..=MAX_CALLS).any(|_| calls.read(&mut [0; 4]).is_err()));
        assert_eq!(calls.problems().len(), 1);
    }
}
