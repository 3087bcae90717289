//! A photo -> an article. Its name gives the title, and what it states of itself (EXIF, IPTC, XMP) the date and the caption. A text of the same
//! name beside it is its article instead, and shows it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use exif::{Exif, In, Tag, Value};

use super::assemble::assemble;
use super::caption;
use super::front_matter::inherited::Inherited;
use super::front_matter::{self, Field, Header};
use super::reading::{Article, ParsedBody, Reading, Rules, Verdict};
use super::{address, date, load, name, summary};
use crate::folder::{Folder, PHOTO_ENDINGS, SourceFormat, is_beside_photos};
use crate::model::text::{escape, escape_attribute};

/// Maximum number of bytes that are read in search of EXIF.
const MAX_EXIF: u64 = 16 << 20;
/// Number of bytes at the start of a photo that are searched for captions.
const START: u64 = 1 << 20;
/// Beginnings of the names that programs give to pictures, in lower case; numbers and dates follow.
const PROGRAMS: [&str; 14] = [
    "whatsapp image",
    "screen shot",
    "screenshot",
    "bildschirmfoto",
    "capture d’écran",
    "captura de pantalla",
    "photo",
    "image",
    "picture",
    "signal",
    "received",
    "fb_img",
    "dji",
    "gopr",
];

/// What a photo states of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Photo {
    /// Its file, beside the article.
    name: PathBuf,
    /// The name is a title.
    is_named: bool,
    caption: Option<String>,
    taken: Option<DateTime<Utc>>,
}

/// Reads a photo, which is an article of its own.
pub(super) fn read(folder: &Folder, path: &Path, inherited: &Inherited, rules: Rules) -> Reading {
    let Some(photo) = Photo::of(folder, path, rules) else { return Verdict::Empty.into() };
    let mut split = match front_matter::split("", SourceFormat::Photo, inherited, rules.timezone) {
        Ok(split) => split,
        Err(reason) => return reason.into(),
    };
    let mut body = ParsedBody::default();
    photo.complete(&mut split.header, &mut body, &date::file_name(path, rules.timezone).title());
    let taken = split.header.published;
    let mut reading = assemble((split.header, split.of_folder), split.problems, body, path, SourceFormat::Photo, rules);
    if let Verdict::Publish(article) = &mut reading.verdict {
        photo.rename(article, taken);
    }
    reading
}

/// The photo of the name of an article, which the article shows.
pub(super) fn beside(folder: &Folder, article: &Path, rules: Rules) -> Option<Photo> {
    if !is_beside_photos(article) {
        return None;
    }
    let mut photos = PHOTO_ENDINGS
        .iter()
        .flat_map(|ending| [article.with_extension(ending), article.with_extension(ending.to_ascii_uppercase())]);
    let path = photos.find(|path| folder.stat(path).is_some())?;
    Photo::of(folder, &path, rules)
}

impl Photo {
    fn of(folder: &Folder, path: &Path, rules: Rules) -> Option<Self> {
        let file = load::open(folder, path).ok()?.file;
        // The parser of another crate may panic on a damaged file.
        let exif = catch_unwind(AssertUnwindSafe(|| exif_of(&file))).ok().flatten();
        let stated = exif.as_ref().and_then(|exif| caption::clean(bytes_of(exif, Tag::ImageDescription)?));
        let stem = date::file_name(path, rules.timezone).stem;
        Some(Self {
            name: path.file_name()?.into(),
            is_named: name::is_in_words(&stem) && !is_of_program(&stem),
            caption: start_of(&file).and_then(|start| caption::find(&start)).or(stated),
            taken: exif.as_ref().and_then(|exif| date_of(exif, rules)),
        })
    }

    /// Completes an article by the photo: its date, and the picture before the text, unless the text shows it already.
    pub(super) fn complete(&self, header: &mut Header, body: &mut ParsedBody, title: &str) {
        let taken = Header { published: self.taken, ..Header::default() };
        header.complete(taken.with_source(Field::Published, "the photo"));
        let address = address::encoded(&self.name);
        if body.html.contains(&format!("\"{address}\"")) {
            return;
        }
        // Without a caption, the title says what the picture shows.
        let title = header.title.as_deref().or(Some(title).filter(|_| self.is_named)).unwrap_or_default();
        let alternative = escape_attribute(self.caption.as_deref().unwrap_or(title));
        let picture = format!("<img src=\"{}\" alt=\"{alternative}\">", escape_attribute(&address));
        let figure = match &self.caption {
            Some(caption) => format!("<figure>{picture}<figcaption>{}</figcaption></figure>\n", escape(caption)),
            None => format!("<p>{picture}</p>\n"),
        };
        body.html.insert_str(0, &figure);
        if body.paragraphs.is_empty() {
            body.paragraphs.extend(self.caption.clone());
        }
    }

    /// Takes the title from a photo whose name is that of a camera or a program: lists show its first words, or its date.
    fn rename(&self, article: &mut Article, taken: Option<DateTime<Utc>>) {
        let is_of_file = article.sources.get(&Field::Title).is_some_and(|source| source.words == "file name");
        article.is_untitled |= is_of_file && !self.is_named;
        if !article.is_untitled {
            return;
        }
        let taken = taken.map(|date| date.format("%Y-%m-%d").to_string());
        let first_words = self.caption.as_ref().and_then(|caption| summary::first_words(std::slice::from_ref(caption)));
        if let Some(title) = first_words.or(taken) {
            article.title = title;
        }
    }
}

/// Whether a name is one that a program gives: a known beginning, and then nothing but a date or a number.
fn is_of_program(stem: &str) -> bool {
    let lower = stem.trim().to_lowercase();
    let rest = PROGRAMS.iter().find_map(|program| lower.strip_prefix(program));
    let is_number = |word: &str| {
        matches!(word, "at" | "um" | "à" | "from" | "am" | "pm") || word.chars().all(|c| c.is_ascii_digit())
    };
    rest.is_some_and(|rest| {
        rest.contains(|c: char| c.is_ascii_digit()) && rest.split(|c: char| !c.is_alphanumeric()).all(is_number)
    })
}

fn exif_of(file: &File) -> Option<Exif> {
    let bounded = Bounded { file, left: MAX_EXIF };
    exif::Reader::new().read_from_container(&mut BufReader::new(bounded)).ok()
}

fn bytes_of(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(texts) => texts.first().map(Vec::as_slice),
        _ => None,
    }
}

/// When the photo was taken. Without an offset, the camera's clock is in the time zone of the site.
fn date_of(exif: &Exif, rules: Rules) -> Option<DateTime<Utc>> {
    let text = |tag: Tag| std::str::from_utf8(bytes_of(exif, tag)?).ok().map(str::trim);
    let stated = text(Tag::DateTimeOriginal)?;
    // `2026:11:20 14:03:22`; a camera whose clock was never set writes zeros.
    let (day, time) = stated.split_once(' ')?;
    let day = day.replace(':', "-");
    let offset = text(Tag::OffsetTimeOriginal).filter(|offset| offset.starts_with(['+', '-']));
    date::parse(&format!("{day}T{time}{}", offset.unwrap_or_default()), rules.timezone)
}

fn start_of(mut file: &File) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(START).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A file of which at most so many bytes are read.
struct Bounded<'a> {
    file: &'a File,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Seek for Bounded<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::Clean;

    /// A JPEG without an image, whose EXIF has these texts: an offset, a date and a description.
    pub fn jpeg(description: Option<&str>, date: Option<&str>, offset: Option<&str>) -> Vec<u8> {
        let text = |tag: u16, text: &str, values: &mut Vec<u8>, start: usize| {
            let at = u32::try_from(start + values.len()).unwrap();
            let bytes = [text.as_bytes(), b"\0"].concat();
            let mut entry = [tag.to_be_bytes(), 2_u16.to_be_bytes()].concat();
            entry.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
            if bytes.len() <= 4 {
                entry.extend(&bytes);
                entry.resize(12, 0);
            } else {
                entry.extend(at.to_be_bytes());
                values.extend(&bytes);
            }
            entry
        };
        let directory = |entries: &[Vec<u8>]| {
            let count = u16::try_from(entries.len()).unwrap().to_be_bytes();
            [&count[..], &entries.concat(), &[0; 4]].concat()
        };
        // Two directories: that of the picture, with the place of the one of the camera.
        let (first, mut values) = (8 + 2 + 12 * (1 + usize::from(description.is_some())) + 4, Vec::new());
        let texts: Vec<(u16, &str)> =
            [(0x9003, date), (0x9011, offset)].into_iter().filter_map(|(tag, text)| Some((tag, text?))).collect();
        let start = first + 2 + 12 * texts.len() + 4;
        let mut picture: Vec<Vec<u8>> =
            description.iter().map(|words| text(0x010E, words, &mut values, start)).collect();
        let place = u32::try_from(first).unwrap().to_be_bytes();
        picture.push([&[0x87, 0x69, 0, 4, 0, 0, 0, 1][..], &place].concat());
        let camera: Vec<Vec<u8>> = texts.iter().map(|(tag, words)| text(*tag, words, &mut values, start)).collect();
        let tiff = [b"MM\0\x2A\0\0\0\x08", &directory(&picture)[..], &directory(&camera), &values].concat();
        let length = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
        let size = [0xFF, 0xC0, 0, 11, 8, 1, 0x40, 1, 0xE0, 1, 1, 0x11, 0];
        [&[0xFF, 0xD8, 0xFF, 0xE1], &length[..], b"Exif\0\0", &tiff, &size, &[0xFF, 0xDA, 0, 2, 0xFF, 0xD9]].concat()
    }

    fn read(name: &str, bytes: &[u8]) -> Article {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("photos")).unwrap();
        let path = Path::new("photos").join(name);
        std::fs::write(folder.path().join(&path), bytes).unwrap();
        let rules = Rules { clean: Clean::Safe, timezone: chrono_tz::Europe::Berlin };
        match super::read(&Folder::of(folder.path()), &path, &Inherited::default(), rules).verdict {
            Verdict::Publish(article) => *article,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn name_date_and_caption_of_a_photo() {
        let article = read("harbour-walk.jpg", &jpeg(Some("Boats & gulls"), Some("2024:05:01 10:00:00"), None));
        assert_eq!((article.title.as_str(), article.is_untitled), ("harbour walk", false));
        assert_eq!(
            article.html,
            "<figure><img src=\"harbour-walk.jpg\" alt=\"Boats &amp; gulls\"><figcaption>Boats &amp; gulls</figcaption></figure>\n"
        );
        assert_eq!(article.published.unwrap().to_string(), "2024-05-01 08:00:00 UTC", "in the time zone of the site");
        assert_eq!(article.sources[&Field::Published].words, "the photo");
        let zoned = read("a b ü.jpg", &jpeg(None, Some("2024:05:01 10:00:00"), Some("-07:00")));
        assert_eq!(zoned.published.unwrap().to_string(), "2024-05-01 17:00:00 UTC");
        assert_eq!(zoned.html, "<p><img src=\"a%20b%20%C3%BC.jpg\" alt=\"a b ü\"></p>\n");
    }

    #[test]
    fn names_of_cameras_and_programs_are_no_titles() {
        for name in [
            "IMG_1234.JPG",
            "DSC01234.jpg",
            "PXL_20261120_140322.jpg",
            "P1010001.jpg",
            "WhatsApp Image 2026-11-20 at 14.03.22.jpeg",
            "Screenshot 2026-11-20 140322.png",
            "photo-1.jpg",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6.jpg",
        ] {
            let article = read(name, &jpeg(None, Some("2024:05:01 10:00:00"), None));
            assert_eq!((article.title.as_str(), article.is_untitled), ("2024-05-01", true), "{name}");
            assert!(article.html.ends_with("\" alt=\"\"></p>\n"), "{name}: {}", article.html);
            let article = read(name, &jpeg(Some("Two seals on a rock."), Some("0000:00:00 00:00:00"), None));
            assert_eq!((article.title.as_str(), article.is_untitled), ("Two seals on a rock.", true), "{name}");
        }
        for (name, title) in [("Screenshots of 1999.png", "Screenshots of 1999"), ("imagine.jpg", "imagine")] {
            assert_eq!(read(name, &jpeg(None, None, None)).title, title);
        }
    }

    #[test]
    fn damaged_photos_are_published_with_what_is_known() {
        let whole = jpeg(Some("Words of a caption"), Some("2024:05:01 10:00:00"), Some("+01:00"));
        for at in 0..whole.len() {
            assert_eq!(read("storm.jpg", &whole[..at]).title, "storm");
            let mut damaged = whole.clone();
            damaged[at] ^= 0xFF;
            assert_eq!(read("storm.jpg", &damaged).title, "storm");
        }
    }
}
