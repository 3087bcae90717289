//! A recording -> an article. Its tags take the place of front matter.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use lofty::file::TaggedFileExt;
use lofty::tag::items::Timestamp;
use lofty::tag::{Accessor, ItemKey, Tag, TagItem, TagType};

use super::assemble::assemble;
use super::encoding::{self, MarkedLatin1};
use super::front_matter::{Field, Header, is_language};
use super::measure::{self, Measured};
use super::reading::{ParsedBody, Reading, Rules, Verdict};
use super::tag_view::{Id3Texts, Part};
use super::{date, language, summary};
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
    let Measured { tagged, mut problems, texts: id3 } = measure::read(folder, path, Part::Tags);
    // If a file has several kinds of tags, those of its own format come first.
    let tags: Vec<&Tag> =
        tagged.iter().flat_map(|tagged| tagged.primary_tag().into_iter().chain(tagged.tags())).collect();
    let latin1 = latin1_of(&tags, &id3);
    problems.extend(latin1.problem());
    let text = |key: ItemKey| tags.iter().find_map(|tag| text_of(tag, key, &latin1));
    let others = id3.descriptions.iter().filter_map(|text| clean(latin1.correct(text)));
    let texts: Vec<String> = TEXTS.iter().filter_map(|key| text(*key)).chain(others).collect();
    let paragraphs = paragraphs(&without_parts(&texts));
    let number = |number: fn(&Tag) -> Option<u32>| tags.iter().find_map(|tag| number(tag)).filter(|number| *number > 0);
    let episode = Episode { season: number(Accessor::disk), number: number(Accessor::track), ..Episode::default() };
    let header = Header {
        title: text(ItemKey::TrackTitle).map(|title| summary::one_line(&title)),
        authors: people(&tags, &latin1),
        published: date_of(&tags, *rules),
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
    let mut reading = assemble((header, Header::default()), problems, body, path, SourceFormat::Audio, *rules);
    // A feed reader that cannot play the recording shows at least its title.
    if let Verdict::Publish(article) = &mut reading.verdict
        && article.html.is_empty()
    {
        article.html = format!("<p>{}</p>\n", escape(&article.title));
    }
    reading
}

/// The texts that are marked as Latin-1: some of ID3v2, and all of ID3v1.
fn latin1_of(tags: &[&Tag], id3: &Id3Texts) -> MarkedLatin1 {
    let first = tags.iter().filter(|tag| tag.tag_type() == TagType::Id3v1).flat_map(|tag| tag.items());
    let first = first.filter_map(|item| item.value().text().and_then(encoding::latin1_bytes));
    let all: Vec<Vec<u8>> = id3.latin1.iter().cloned().chain(first).collect();
    MarkedLatin1::new(&all)
}

/// The text of a key. Of several comments, those without a description come first: the others are for a special purpose.
fn text_of(tag: &Tag, key: ItemKey, latin1: &MarkedLatin1) -> Option<String> {
    let mut items: Vec<&TagItem> = tag.get_items(key).filter(|item| !is_for_machines(item.description())).collect();
    items.sort_by_key(|item| !item.description().is_empty());
    items.into_iter().find_map(|item| item.value().text().and_then(|text| clean(latin1.correct(text))))
}

/// Whether a comment with this description is data of a program, such as `iTunes_CDDB_TrackNumber`, `iTunNORM` and `iTunSMPB`.
fn is_for_machines(description: &str) -> bool {
    let description = description.to_ascii_lowercase();
    ["itun", "songs-db", "musicmatch", "replaygain", "mp3gain"].iter().any(|start| description.starts_with(start))
        || ["cddb", "fingerprint", "smpb", "discid"].iter().any(|word| description.contains(word))
}

/// Drops each text that another one contains: many programs store a description once more, cut off.
fn without_parts(texts: &[String]) -> Vec<String> {
    let plain: Vec<String> = texts.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let is_part = |index: usize| {
        let part = plain[index].trim_end_matches(['…', '.', ' ']);
        let contains = |(other, text): (usize, &String)| {
            // Of equal texts, the first stays.
            let is_longer = text.len() > plain[index].len() || (text.len() == plain[index].len() && other < index);
            other != index && is_longer && text.contains(part)
        };
        plain.iter().enumerate().any(contains)
    };
    texts.iter().enumerate().filter(|(index, _)| !is_part(*index)).map(|(_, text)| text.clone()).collect()
}

fn people(tags: &[&Tag], latin1: &MarkedLatin1) -> Vec<Person> {
    let names_of = |key: ItemKey| {
        let names =
            |tag: &&Tag| tag.get_strings(key).filter_map(|name| clean(latin1.correct(name))).collect::<Vec<_>>();
        let names = tags.iter().map(names);
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

/// Returns the date of the release, or else of the recording; `None` if no tag states the day.
fn date_of(tags: &[&Tag], rules: Rules) -> Option<DateTime<Utc>> {
    let released = |tag: &&Tag| tag.get_string(ItemKey::ReleaseDate)?.parse().ok();
    let dates = tags.iter().filter_map(released).chain(tags.iter().filter_map(|tag| tag.date()));
    dates.into_iter().find_map(|stated| day_of(stated, rules))
}

/// Returns a date that states the day.
fn day_of(stated: Timestamp, rules: Rules) -> Option<DateTime<Utc>> {
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
        assert_eq!(article.sources[&Field::Title].words, "tag of the recording");
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

    /// A frame of ID3v2.3 with a content in any encoding.
    fn frame(name: &str, content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_be_bytes();
        [name.as_bytes(), &size, &[0, 0], content].concat()
    }

    fn old_mp3(frames: &[Vec<u8>]) -> Vec<u8> {
        let frames = frames.concat();
        let size = [21, 14, 7, 0].map(|shift| u8::try_from(frames.len() >> shift & 0x7F).unwrap());
        [&b"ID3\x03\0\0"[..], &size, &frames, &mp3(&[], 8)[10..]].concat()
    }

    #[test]
    fn data_of_programs_is_no_text_and_a_text_stands_once() {
        let long = "The tide turns at noon.\n\nThen the boats return, and the market opens until the evening.";
        let comment = |name: &str, text: &str| frame("COMM", format!("\0eng{name}\0{text}").as_bytes());
        let named = |name: &str, text: &str| frame("TXXX", format!("\0{name}\0{text}").as_bytes());
        let machine = [
            comment("iTunes_CDDB_TrackNumber", "3"),
            comment("iTunes_CDDB_1", "F20C3A1F+275432+20"),
            comment("iTunNORM", "words that are no hexadecimal digits"),
            comment("iTunSMPB", "x"),
            comment("iTunPGAP", "0"),
        ]
        .concat();
        for (frames, expected) in [
            (vec![machine.clone()], "<p>a</p>\n"),
            (vec![machine.clone(), comment("", "A real one.")], "<p>A real one.</p>\n"),
            (vec![comment("note", "Later."), comment("", "A real one.")], "<p>A real one.</p>\n"),
            (vec![machine, comment("About", "With a name.")], "<p>With a name.</p>\n"),
            (vec![named("Description", "Of FFmpeg.")], "<p>Of FFmpeg.</p>\n"),
            (
                vec![named("comment", "One."), named("SYNOPSIS", "Two."), named("encoder", "x")],
                "<p>One.</p>\n<p>Two.</p>\n",
            ),
            (
                vec![comment("", &long[..40]), frame("TDES", format!("\0{long}").as_bytes()), named("synopsis", long)],
                "<p>The tide turns at noon.</p>\n<p>Then the boats return, and the market opens until the evening.</p>\n",
            ),
            (
                vec![frame("TDES", b"\0The tide turns at noon. Then the boats return\x85"), comment("", long)],
                "<p>The tide turns at noon.</p>\n<p>Then the boats return, and the market opens until the evening.</p>\n",
            ),
        ] {
            let article = read_bytes("a.mp3", &old_mp3(&frames));
            assert_eq!(article.html, expected, "{frames:?}");
        }
    }

    #[test]
    fn the_date_of_the_release_precedes_that_of_the_recording() {
        for (released, recorded, expected) in [
            ("2024-05-02", "2024-05-01", Some("2024-05-02 00:00:00 UTC")),
            ("2024", "2024-05-01", Some("2024-05-01 00:00:00 UTC")),
            ("2024-05-02T07:08:09", "2024", Some("2024-05-02 07:08:09 UTC")),
            ("2024", "2023", None),
        ] {
            let article = read_bytes("a.mp3", &mp3(&[("TDRC", recorded), ("TDRL", released)], 8));
            assert_eq!(article.published.map(|date| date.to_string()).as_deref(), expected, "{released}");
        }
    }

    #[test]
    fn tags_with_a_wrong_mark_of_their_encoding_are_guessed_and_reported() {
        let encoded = |label: &str, text: &str| {
            let (bytes, _, unmappable) = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text);
            assert!(!unmappable);
            bytes.into_owned()
        };
        for (label, title, artist, comment, is_reported) in [
            ("windows-1251", "Час моря", "Анна Ли", "Прилив начинается в полдень.", true),
            ("utf-8", "Час моря", "Zoë", "Straße", true),
            ("utf-8", "Über das Meer", "Ann", "x", true),
            ("windows-1253", "Η ώρα της θάλασσας", "Άννα", "Η παλίρροια αλλάζει.", true),
            ("gbk", "大海的时间", "安娜", "潮水在中午转变，然后船只返回。", true),
            ("windows-1252", "Björk’s “Größe”", "Sigur Rós", "Motörhead – café", false),
            ("windows-1252", "Café", "Ann", "Ångström", false),
        ] {
            let text = |before: &[u8], text: &str| [before, &encoded(label, text)].concat();
            let second = old_mp3(&[
                frame("TIT2", &text(b"\0", title)),
                frame("TPE1", &text(b"\0", artist)),
                frame("COMM", &text(b"\0eng\0", comment)),
            ]);
            let mut first = mp3(&[], 8)[10..].to_vec();
            first.extend(b"TAG");
            for (value, length) in [(title, 30), (artist, 30), ("", 30), ("2024", 4), (comment, 30)] {
                let mut bytes = encoded(label, value);
                bytes.resize(length, 0);
                first.extend(bytes);
            }
            first.push(255);
            for (bytes, is_whole) in [(second, true), (first, comment.len() < 28)] {
                let folder = tempfile::tempdir().unwrap();
                std::fs::write(folder.path().join("a.mp3"), bytes).unwrap();
                let rules = Rules { clean: Clean::Safe, timezone: chrono_tz::UTC };
                let reading = read(&Folder::of(folder.path()), Path::new("a.mp3"), &rules);
                let Verdict::Publish(article) = reading.verdict else { panic!("{label}") };
                assert_eq!((article.title.as_str(), article.authors[0].name.as_str()), (title, artist), "{label}");
                assert!(!is_whole || article.html == format!("<p>{comment}</p>\n"), "{label}: {}", article.html);
                let reports = reading.problems.iter().filter(|problem| problem.message.contains("marked as Latin-1"));
                assert_eq!(reports.count(), usize::from(is_reported), "{label}: {:?}", reading.problems);
            }
        }
        let marked = read_bytes("a.mp3", &mp3(&[("TIT2", "Ã¤ is ä in the wrong encoding, marked as UTF-8")], 8));
        assert!(marked.title.starts_with("Ã¤"), "{marked:?}");
    }
}
