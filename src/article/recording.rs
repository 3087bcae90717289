//! A recording -> an article. Its tags take the place of front matter.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use lofty::file::TaggedFileExt;
use lofty::tag::{Accessor, ItemKey, Tag};

use super::assemble::assemble;
use super::front_matter::{Field, Header, is_language};
use super::reading::{ParsedBody, Reading, Rules, Verdict};
use super::tag_view::Part;
use super::{date, language, measure, summary};
use crate::folder::{Folder, SourceFormat};
use crate::model::entry::{Episode, Person};
use crate::model::text::{escape, xml_legal};

/// Tags that become the text of the article, in this order.
const TEXTS: [ItemKey; 5] =
    [ItemKey::PodcastDescription, ItemKey::Description, ItemKey::Comment, ItemKey::Lyrics, ItemKey::UnsyncLyrics];
/// Maximum length of the text of a tag, in bytes.
const MAX_TEXT: usize = 256 << 10;
/// Maximum number of authors.
const MAX_PEOPLE: usize = 100;

/// Reads the tags of the recording at `path` below the watched folder. If they are damaged or missing, the
/// title and date come from the file name.
pub fn read(folder: &Folder, path: &Path, rules: &Rules) -> Reading {
    let (tagged, problems) = measure::read(folder, path, Part::Tags);
    // If a file has several kinds of tags, those of its own format come first.
    let tags: Vec<&Tag> =
        tagged.iter().flat_map(|tagged| tagged.primary_tag().into_iter().chain(tagged.tags())).collect();
    let text = |key: ItemKey| tags.iter().find_map(|tag| tag.get_string(key).and_then(clean));
    let paragraphs = paragraphs(&TEXTS.iter().filter_map(|key| text(*key)).collect::<Vec<_>>());
    let number = |number: fn(&Tag) -> Option<u32>| tags.iter().find_map(|tag| number(tag)).filter(|number| *number > 0);
    let episode = Episode { season: number(Accessor::disk), number: number(Accessor::track), ..Episode::default() };
    let header = Header {
        title: text(ItemKey::TrackTitle).map(|title| summary::one_line(&title)),
        authors: people(&tags),
        published: tags.iter().find_map(|tag| date_of(tag, *rules)),
        language: text(ItemKey::Language).and_then(|code| language_of(&code)),
        episode: Some(episode).filter(|episode| *episode != Episode::default()),
        ..Header::default()
    };
    let mut header = header;
    for field in [Field::Title, Field::Authors, Field::Published, Field::Language] {
        header = header.with_source(field, "tag of the recording");
    }
    let escaped = paragraphs.iter().map(|text| escape(text).replace('\n', "<br>\n"));
    let html = escaped.flat_map(|text| ["<p>".to_owned(), text, "</p>\n".to_owned()]).collect();
    let body = ParsedBody { html, paragraphs, ..ParsedBody::default() };
    let mut reading = assemble(header, problems, body, path, SourceFormat::Audio, *rules);
    // A feed reader that cannot play the recording shows at least its title.
    if let Verdict::Publish(article) = &mut reading.verdict
        && article.html.is_empty()
    {
        article.html = format!("<p>{}</p>\n", escape(&article.title));
    }
    reading
}

fn people(tags: &[&Tag]) -> Vec<Person> {
    let names_of = |key: ItemKey| {
        let names = tags.iter().map(|tag| tag.get_strings(key).filter_map(clean).collect::<Vec<_>>());
        names.into_iter().find(|names| !names.is_empty())
    };
    let names = [ItemKey::TrackArtist, ItemKey::AlbumArtist].into_iter().find_map(names_of).unwrap_or_default();
    let mut people: Vec<Person> = Vec::new();
    let names = names.iter().flat_map(|name| name.split([';', '\0'])).map(summary::one_line);
    for name in names.take(MAX_PEOPLE) {
        if !name.is_empty() && !people.iter().any(|person| person.name == name) {
            people.push(Person { name, ..Person::default() });
        }
    }
    people
}

/// Returns the date of the recording; `None` if the tag does not state the day.
fn date_of(tag: &Tag, rules: Rules) -> Option<DateTime<Utc>> {
    let stated = tag.date()?;
    let (month, day) = (stated.month?, stated.day?);
    let (hour, minute) = (stated.hour.unwrap_or(0), stated.minute.unwrap_or(0));
    let text =
        format!("{:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02}", stated.year, stated.second.unwrap_or(0));
    date::parse(&text, rules.timezone)
}

/// Converts a language of three letters, as in ID3 (ISO 639-2), or a BCP 47 tag.
fn language_of(code: &str) -> Option<String> {
    let code = code.trim().replace('_', "-");
    let code = if code.len() == 3 { language::of_code(&code.to_ascii_lowercase()).to_owned() } else { code };
    Some(code).filter(|code| is_language(code) && code != "und" && code != "XXX" && code != "xxx")
}

/// Removes characters that feeds must not contain; `None` if the text is data of a program.
fn clean(text: &str) -> Option<String> {
    let text = xml_legal(text);
    let text = text.trim();
    // iTunes stores loudness in comments: groups of eight or more hexadecimal digits.
    let is_number = |word: &str| word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_machine = text.split_whitespace().all(is_number);
    let end = text.char_indices().map(|(at, _)| at).find(|at| *at > MAX_TEXT).unwrap_or(text.len());
    (!is_machine).then(|| text[..end].to_owned())
}

/// Splits texts at blank lines and drops duplicates: programs write one text into several tags.
fn paragraphs(texts: &[String]) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    for text in texts {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
            if seen.insert(paragraph.to_owned()) {
                paragraphs.push(paragraph.to_owned());
            }
        }
    }
    paragraphs
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::article::measure::tests::wav;
    use crate::config::Clean;

    /// An ID3v2.4 tag with these frames, each a name and a text in UTF-8.
    pub fn id3(frames: &[(&str, &str)]) -> Vec<u8> {
        let size = |length: usize| [21, 14, 7, 0].map(|shift| u8::try_from(length >> shift & 0x7F).unwrap());
        let mut inside = Vec::new();
        for (name, text) in frames {
            // In a comment, a language and a title precede the text.
            let before: &[u8] = if ["COMM", "USLT"].contains(name) { b"\x03eng\0" } else { b"\x03" };
            inside.extend(name.as_bytes());
            inside.extend(size(before.len() + text.len()));
            inside.extend([0, 0]);
            inside.extend(before);
            inside.extend(text.as_bytes());
        }
        let mut bytes = b"ID3\x04\0\0".to_vec();
        bytes.extend(size(inside.len()));
        bytes.extend(inside);
        bytes
    }

    /// An MP3 with `count` frames of silence: MPEG-1 layer III, 128 kbit/s, 44100 Hz, 26 ms each.
    pub fn mp3(frames: &[(&str, &str)], count: usize) -> Vec<u8> {
        let mut bytes = id3(frames);
        for _ in 0..count {
            bytes.extend([0xFF, 0xFB, 0x90, 0xC0]);
            bytes.resize(bytes.len() + 413, 0);
        }
        bytes
    }

    fn read_bytes(name: &str, bytes: &[u8]) -> super::super::Article {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let rules = Rules { clean: Clean::Safe, timezone: chrono_tz::UTC };
        match read(&Folder::of(folder.path()), Path::new(name), &rules).verdict {
            Verdict::Publish(article) => *article,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tags_take_the_place_of_front_matter() {
        let article = read_bytes(
            "07 something.mp3",
            &mp3(
                &[
                    ("TIT2", "The <sea> hour"),
                    ("TPE1", "Ann Lee"),
                    ("TDRC", "2024-05-01T10:00:00"),
                    ("TLAN", "deu"),
                    ("TRCK", "7/12"),
                    ("TPOS", "2"),
                    ("COMM", "One & two.\nMore.\n\nThree."),
                ],
                8,
            ),
        );
        assert_eq!(article.title, "The <sea> hour");
        assert_eq!(article.authors[0].name, "Ann Lee");
        assert_eq!(article.published.unwrap().to_string(), "2024-05-01 10:00:00 UTC");
        assert_eq!(article.language.as_deref(), Some("de"));
        let episode = article.episode.unwrap();
        assert_eq!((episode.season, episode.number), (Some(2), Some(7)));
        assert_eq!(article.html, "<p>One &amp; two.<br>\nMore.</p>\n<p>Three.</p>\n");
        assert_eq!(article.sources[&Field::Title], "tag of the recording");
    }

    #[test]
    fn without_tags_the_name_gives_title_and_date() {
        for bytes in [wav(1), b"no recording at all".to_vec(), mp3(&[], 8), id3(&[("TIT2", "x")])[..9].to_vec()] {
            let article = read_bytes("2024-05-01-the-sea-hour.mp3", &bytes);
            assert_eq!((article.title.as_str(), article.html.as_str()), ("the sea hour", "<p>the sea hour</p>\n"));
            assert_eq!(article.published.unwrap().to_string(), "2024-05-01 00:00:00 UTC");
        }
        let year = read_bytes("a.mp3", &mp3(&[("TDRC", "2024"), ("COMM", " 00000A2F 000009C1")], 8));
        assert_eq!(
            (year.published, year.html.as_str()),
            (None, "<p>a</p>\n"),
            "a year is not a date, and a number is not a text"
        );
    }
}
