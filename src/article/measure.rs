//! Reads the dimensions of a picture, and the duration and the tags of a recording. Reads only the necessary part of a file.

use std::io::{BufRead, BufReader, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use lofty::config::ParseOptions;
use lofty::file::{AudioFile, TaggedFile};
use lofty::probe::Probe;

use super::load;
use super::problem::Problem;
use super::tag_view::{Id3Texts, Part, TagView};
use crate::folder::embedded::{self, EmbeddedFile, InsideKind};
use crate::folder::{Folder, camera};

/// Returns the width and height of a picture in pixels, as it is shown; `None` if they are not stated or it is not a file.
pub fn pixels(folder: &Folder, path: &Path) -> Option<(u32, u32)> {
    let size = size_of(BufReader::new(view(folder, path, Part::Measures)?))?;
    let turn = camera::read(&load::open(folder, path).ok()?.file).turn;
    Some(if turn.swaps_sides() { (size.1, size.0) } else { size })
}

fn size_of(reader: impl BufRead + Seek) -> Option<(u32, u32)> {
    let size = none_if_it_panics(|| imagesize::reader_size(reader).ok())?;
    let pixels = |length: usize| u32::try_from(length).ok().filter(|length| *length > 0);
    pixels(size.width).zip(pixels(size.height))
}

/// Returns the duration of a recording in whole seconds, at least 1; `None` if it is unknown or it is not a file.
pub fn duration(folder: &Folder, path: &Path) -> Option<u32> {
    read(folder, path, Part::Measures).tagged.as_ref().and_then(duration_of)
}

/// What a recording has inside: the file, and the width and height of a picture in pixels.
pub type Inside = (EmbeddedFile, Option<(u32, u32)>);

/// Finds the cover or the chapters inside a recording.
pub fn inside(folder: &Folder, path: &Path, kind: InsideKind) -> Option<Inside> {
    let file = load::open(folder, path).ok()?.file;
    let inside = embedded::find(&file, kind)?;
    let size = (kind == InsideKind::Cover).then(|| size_of(BufReader::new(inside.reader(&file)))).flatten();
    Some((inside, size))
}

/// Names of comments in FLAC and Ogg that are descriptions and that the tag parser does not report.
const DESCRIPTIONS: [&str; 7] =
    ["SYNOPSIS", "COMMENTS", "SUMMARY", "LONG DESCRIPTION", "LONGDESCRIPTION", "LONG_DESCRIPTION", "PODCASTDESC"];

/// The descriptions in the comments of a recording that the tag parser does not report.
pub(super) fn comments(folder: &Folder, path: &Path) -> Vec<String> {
    let Ok(opened) = load::open(folder, path) else { return Vec::new() };
    let comments = embedded::comments(&opened.file).into_iter();
    let comments = comments.filter(|(key, _)| DESCRIPTIONS.contains(&key.as_str()));
    comments.map(|(_, text)| String::from_utf8_lossy(&text).into_owned()).collect()
}

/// The tags or the duration of a recording.
#[derive(Default)]
pub(super) struct Measured {
    /// `None` if the parser fails.
    pub tagged: Option<TaggedFile>,
    /// To be reported to the writer.
    pub problems: Vec<Problem>,
    pub texts: Id3Texts,
}

/// Reads the tags or the duration of a recording.
pub(super) fn read(folder: &Folder, path: &Path, part: Part) -> Measured {
    let mut options = ParseOptions::new().read_cover_art(false);
    let options = options.read_tags(part == Part::Tags).read_properties(part == Part::Measures);
    let Some(mut view) = view(folder, path, part) else { return Measured::default() };
    let mut is_recording = false;
    let tagged = none_if_it_panics(|| {
        let probe = Probe::new(&mut view).options(options).guess_file_type().ok()?;
        is_recording = probe.file_type().is_some();
        // A file whose start identifies no format gets the format of its extension.
        let probe = match (probe.file_type(), lofty::file::FileType::from_path(path)) {
            (None, Some(named)) => probe.set_file_type(named),
            _ => probe,
        };
        probe.read().ok()
    });
    let (mut problems, texts) = (view.problems(), view.into_texts());
    let is_unread = part == Part::Tags && is_recording && tagged.is_none() && texts.tag(true).item_count() == 0;
    // What was skipped may be the reason.
    if is_unread && problems.is_empty() {
        problems.push(Problem::of_file("its tags cannot be read: save them again with another program"));
    }
    Measured { tagged, problems, texts }
}

fn duration_of(file: &TaggedFile) -> Option<u32> {
    let duration = file.properties().duration();
    let seconds = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
    (!duration.is_zero()).then(|| u32::try_from(seconds.max(1)).ok()).flatten()
}

fn view(folder: &Folder, path: &Path, part: Part) -> Option<TagView> {
    load::open(folder, path).ok().and_then(|opened| TagView::new(opened.file, part).ok())
}

/// Runs a parser of another crate, which may panic on a damaged file.
fn none_if_it_panics<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::File;

    use super::*;

    /// The start of a PNG with its header chunk; no more is read.
    pub fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    /// A WAV of silence: one channel of 8 bits, 1,000 samples per second.
    pub fn wav(seconds: u32) -> Vec<u8> {
        let samples = seconds * 1_000;
        let mut bytes = b"RIFF".to_vec();
        bytes.extend((samples + 36).to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        bytes.extend(1_000u32.to_le_bytes());
        bytes.extend(1_000u32.to_le_bytes());
        bytes.extend([1, 0, 8, 0]);
        bytes.extend(b"data");
        bytes.extend(samples.to_le_bytes());
        bytes.resize(bytes.len() + samples as usize, 0x80);
        bytes
    }

    #[test]
    fn dimensions_and_duration_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::of(directory.path());
        let write = |name: &'static str, bytes: &[u8]| {
            std::fs::write(directory.path().join(name), bytes).unwrap();
            Path::new(name)
        };
        let pixels = |path: &Path| pixels(&folder, path);
        let duration = |path: &Path| duration(&folder, path);
        assert_eq!(pixels(write("a.png", &png(640, 480))), Some((640, 480)));
        assert_eq!(pixels(write("b.png", b"\x89PNG")), None);
        assert_eq!(pixels(write("c.png", b"")), None);
        assert_eq!(pixels(Path::new("")), None);
        assert_eq!(duration(write("a.wav", &wav(3))), Some(3));
        assert_eq!(duration(write("b.wav", &wav(3)[..20])), None);
        assert_eq!(duration(write("c.mp3", b"no recording")), None);
        assert_eq!(duration(Path::new("nowhere")), None);
    }

    #[test]
    fn a_file_of_zeros_is_not_read_to_its_end() {
        // The parser would search all of it for the first sound.
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.mp3", "a.aac"] {
            let path = folder.path().join(name);
            File::create(&path).unwrap().set_len(1 << 40).unwrap();
            assert_eq!(duration(&Folder::of(folder.path()), Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn a_picture_has_a_limited_number_of_segments() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        let jpeg = |segments: usize| {
            let start = b"\xFF\xC0\0\x0B\x08\0\x03\0\x04\x01\x01\x11\0";
            [&b"\xFF\xD8"[..], &b"\xFF\xE0\0\x02".repeat(segments), start].concat()
        };
        for (segments, expected) in [(1, Some((4, 3))), (1_000, Some((4, 3))), (100_000, None)] {
            std::fs::write(&path, jpeg(segments)).unwrap();
            assert_eq!(pixels(&Folder::of(folder.path()), Path::new("a.jpg")), expected, "{segments}");
        }
    }
}
