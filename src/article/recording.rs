//! A recording -> an article. Its tags take the place of front matter.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use lofty::file::TaggedFileExt;
use lofty::tag::items::Timestamp;
use lofty::tag::{Accessor, ItemKey, Tag, TagItem, TagType};

use super::assemble::{self, assemble};
use super::encoding::{self, MarkedLatin1};
use super::front_matter::{Field, Header, Source, is_language};
use super::measure::{self, Measured};
use super::problem::Problem;
use super::reading::{Article, ParsedBody, Reading, Rules, Verdict};
use super::tag_view::{Id3Texts, Part};
use super::{date, html, language, summary, text, unicode};
use crate::config::Clean;
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

/// What the tags of a recording say.
struct RecordingTags {
    /// Takes the place of front matter.
    header: Header,
    texts: Vec<String>,
    problems: Vec<Problem>,
}

/// The source of what tags state.
const SOURCE: &str = "tag of the recording";

/// Reads the tags of the recording at `path` below the watched folder. If they are damaged or missing, the
/// title and date come from the file name.
pub fn read(folder: &Folder, path: &Path, rules: &Rules) -> Reading {
    let RecordingTags { header, texts, problems } = tags_of(folder, path, *rules);
    let body = body_of(&texts, *rules);
    let mut reading = assemble((header, Header::default()), problems, body, path, SourceFormat::Audio, *rules);
    // A feed reader that cannot play the recording shows at least its title.
    if let Verdict::Publish(article) = &mut reading.verdict
        && article.html.is_empty()
    {
        article.html = format!("<p>{}</p>\n", escape(&article.title));
    }
    reading
}

/// Completes an article by the tags of the recording beside it: what the text does not state, and what only its file name does.
pub fn complete(article: &mut Article, folder: &Folder, recording: &Path, rules: Rules) {
    let header = tags_of(folder, recording, rules).header;
    let is_from = |article: &Article, field: Field, words: &str| {
        article.sources.get(&field).is_none_or(|source| source.words == words)
    };
    let is_of_name = |article: &Article, field: Field| is_from(article, field, assemble::FILE_NAME);
    // A title that was taken from the text and is still in it is none that the writer has stated.
    let is_guessed = |article: &Article| {
        article.is_untitled
            || is_from(article, Field::Title, text::FIRST_SENTENCE)
            || html::one_line(&article.html) == article.title
    };
    let title = header.title.map(|title| unicode::without_direction_marks(&title).trim().to_owned());
    let has_room = is_guessed(article) || is_of_name(article, Field::Title);
    let title = title.filter(|title| !title.is_empty() && has_room);
    let is_dated = !is_of_name(article, Field::Published);
    let mut take = |field: Field| article.sources.insert(field, Source { words: SOURCE.to_owned(), line: None });
    if let Some(title) = title {
        take(Field::Title);
        (article.title, article.is_untitled) = (title, false);
    }
    if article.authors.is_empty() && !header.authors.is_empty() {
        take(Field::Authors);
        article.authors = header.authors;
    }
    if !is_dated && header.published.is_some() {
        take(Field::Published);
        (article.published, article.of_recording) = (None, header.published);
    }
    if let Some(tags) = header.episode {
        let episode = article.episode.get_or_insert_default();
        episode.season = episode.season.or(tags.season);
        episode.number = episode.number.or(tags.number);
    }
}

fn tags_of(folder: &Folder, path: &Path, rules: Rules) -> RecordingTags {
    let Measured { tagged, mut problems, texts: id3 } = measure::read(folder, path, Part::Tags);
    let own = id3.tag(tagged.is_none());
    // If a file has several kinds of tags, those of its own format come first, and last those of ID3v1, which are cut off.
    let parsed = tagged.iter().flat_map(|tagged| tagged.primary_tag().into_iter().chain(tagged.tags()));
    let mut tags: Vec<&Tag> = parsed.chain([&own]).collect();
    tags.sort_by_key(|tag| tag.tag_type() == TagType::Id3v1);
    let latin1 = latin1_of(&tags, &id3);
    problems.extend(latin1.problem());
    let text = |key: ItemKey| tags.iter().find_map(|tag| text_of(tag, key, &latin1));
    let comments = measure::comments(folder, path);
    let others = id3.descriptions.iter().map(|text| latin1.correct(text)).chain(comments.iter().map(String::as_str));
    let others = others.filter_map(clean);
    let texts: Vec<String> = TEXTS.iter().filter_map(|key| text(*key)).chain(others).collect();
    let number = |number: fn(&Tag) -> Option<u32>| tags.iter().find_map(|tag| number(tag)).filter(|number| *number > 0);
    let episode = Episode { season: number(Accessor::disk), number: number(Accessor::track), ..Episode::default() };
    let mut header = Header {
        title: text(ItemKey::TrackTitle).map(|title| summary::one_line(&title)),
        authors: people(&tags, &latin1),
        published: date_of(&tags, &id3, rules),
        language: text(ItemKey::Language).and_then(|code| language_of(&code)),
        episode: Some(episode).filter(|episode| *episode != Episode::default()),
        ..Header::default()
    };
    for field in [Field::Title, Field::Authors, Field::Published, Field::Language] {
        header = header.with_source(field, SOURCE);
    }
    RecordingTags { header, texts, problems }
}

/// The text of the article. A text that is markup stays so, and addresses in others become links.
fn body_of(texts: &[String], rules: Rules) -> ParsedBody {
    let mut body = ParsedBody::default();
    let mut seen: HashSet<String> = HashSet::new();
    let read = |text: &String| {
        let marked = markup(text, rules);
        (marked.as_ref().map_or_else(|| text.clone(), |body| body.paragraphs.join("\n\n")), marked)
    };
    let read: Vec<(String, Option<ParsedBody>)> = texts.iter().map(read).collect();
    let kept = kept_texts(read.iter().map(|(text, _)| text.as_str()));
    for (text, marked) in read.into_iter().zip(kept).filter_map(|(text, is_kept)| is_kept.then_some(text)) {
        let paragraphs: Vec<String> =
            paragraphs(&text).into_iter().filter(|paragraph| seen.insert(paragraph.clone())).collect();
        match marked {
            Some(marked) if !paragraphs.is_empty() => body.html.push_str(&marked.html),
            Some(_) => {}
            None => {
                let lines = paragraphs.iter().map(|text| text::inline(text).replace('\n', "<br>\n"));
                body.html.extend(lines.flat_map(|text| ["<p>".to_owned(), text, "</p>\n".to_owned()]));
            }
        }
        body.paragraphs.extend(paragraphs);
    }
    body
}

/// Reads a text that is HTML, as many programs for podcasts write it; `None` if it is none, or too much.
fn markup(text: &str, rules: Rules) -> Option<ParsedBody> {
    const ELEMENTS: [&str; 15] =
        ["p", "a", "b", "i", "em", "strong", "ul", "ol", "li", "div", "span", "h2", "h3", "blockquote", "u"];
    let lower = text.to_ascii_lowercase();
    // An opening tag alone may be one that the text is about.
    let is_element = |name: &&str| {
        let opened = lower.find(&format!("<{name}>")).or_else(|| lower.find(&format!("<{name} ")));
        opened.is_some_and(|at| lower[at..].contains(&format!("</{name}>")))
    };
    let has_break = ["<br>", "<br/>", "<br />"].iter().any(|name| lower.contains(name));
    if !(has_break || ELEMENTS.iter().any(is_element) || lower.starts_with("<p>")) || html::is_crowded(text) {
        return None;
    }
    let mut body = html::read(text, Some(""), rules.timezone, Clean::Off).ok()?;
    if body.paragraphs.is_empty() {
        body.paragraphs = paragraphs(&html::one_line(&body.html));
    }
    (!html::is_too_much(&body.html) && !body.paragraphs.is_empty()).then_some(body)
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

/// Whether each text stays: none that another one contains, since many programs store a description once more, cut off.
fn kept_texts<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<bool> {
    let plain: Vec<String> = texts.map(summary::one_line).collect();
    let is_part = |index: usize| {
        let part = plain[index].trim_end_matches(['…', '.', ' ']);
        let contains = |(other, text): (usize, &String)| {
            // Of equal texts, the first stays.
            let is_longer = text.len() > plain[index].len() || (text.len() == plain[index].len() && other < index);
            other != index && is_longer && text.contains(part)
        };
        plain.iter().enumerate().any(contains)
    };
    (0..plain.len()).map(|index| !is_part(index)).collect()
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
fn date_of(tags: &[&Tag], id3: &Id3Texts, rules: Rules) -> Option<DateTime<Utc>> {
    let stated = |key: ItemKey| tags.iter().flat_map(move |tag| tag.get_strings(key)).map(str::to_owned);
    let released = id3.dates.released().chain(stated(ItemKey::ReleaseDate));
    let recorded = id3.dates.recorded().chain(stated(ItemKey::RecordingDate)).chain(stated(ItemKey::Year));
    released.chain(recorded).find_map(|date| day_of(&date, rules))
}

/// Reads a date that states the day, in the forms of front matter and in those that only tags have.
fn day_of(stated: &str, rules: Rules) -> Option<DateTime<Utc>> {
    let stated = stated.trim_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{FEFF}');
    // A number may be one of seconds, but a day in figures has this many.
    if stated.bytes().all(|byte| byte.is_ascii_digit()) && ![8, 12, 14].contains(&stated.len()) {
        return None;
    }
    let usual = compact(stated).or_else(|| day_first(stated)).unwrap_or_else(|| stated.to_owned());
    let with_hour = usual.len() == 13 && usual.as_bytes()[10] == b'T';
    let usual = if with_hour { format!("{usual}:00") } else { usual };
    date::parse(&usual, rules.timezone).or_else(|| start_of(stated.parse().ok()?, rules))
}

/// Rewrites `20240501` and `20240501T102030Z`.
fn compact(date: &str) -> Option<String> {
    let figures = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (day, rest) = date.split_at_checked(8).filter(|(day, _)| figures(day) == 8)?;
    let rest = rest.strip_prefix(['T', ' ']).unwrap_or(rest);
    let time = match figures(rest) {
        0 => rest.to_owned(),
        2 => format!(" {rest}"),
        4 => format!(" {}:{}", &rest[..2], &rest[2..]),
        6 => format!(" {}:{}:{}", &rest[..2], &rest[2..4], &rest[4..]),
        _ => return None,
    };
    Some(format!("{}-{}-{}{time}", &day[..4], &day[4..6], &day[6..]))
}

/// Rewrites `1.5.2024`: where points divide a date, the day comes first.
fn day_first(date: &str) -> Option<String> {
    let (day, rest) = date.split_once('.')?;
    let (month, rest) = rest.split_once('.')?;
    let (year, rest) = rest.trim_start().split_at_checked(4)?;
    let number = |text: &str| text.trim().parse::<u8>().ok();
    let is_year = year.bytes().all(|byte| byte.is_ascii_digit());
    let (day, month) = (number(day)?, number(month)?);
    is_year.then(|| format!("{year}-{month:02}-{day:02}{rest}"))
}

/// The start of the time that a date in the form of the tag parser states, if it states the day.
fn start_of(stated: Timestamp, rules: Rules) -> Option<DateTime<Utc>> {
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

/// Splits a text at blank lines.
fn paragraphs(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(str::to_owned).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::article::measure::tests::wav;

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
    fn texts_of_other_tags_are_read() {
        let ogg = |comments: &[&str]| {
            let texts: Vec<u8> = comments
                .iter()
                .flat_map(|text| [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat())
                .collect();
            let packet =
                [&b"OpusTags\x01\0\0\0x"[..], &u32::try_from(comments.len()).unwrap().to_le_bytes(), &texts].concat();
            let head = b"OpusHead\x01\x02\x38\x01\x80\xBB\0\0\0\0\0";
            let page = |kind: u8, number: u8, content: &[u8]| {
                let header =
                    [&b"OggS\0"[..], &[kind, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, number, 0, 0, 0, 0, 0, 0, 0, 1]]
                        .concat();
                [&header[..], &[u8::try_from(content.len()).unwrap()], content].concat()
            };
            [page(2, 0, head), page(0, 1, &packet), page(4, 2, b"\xFC\xFF\xFE")].concat()
        };
        for key in ["SYNOPSIS", "comments", "Summary", "DESCRIPTION", "COMMENT", "LONG DESCRIPTION"] {
            let article = read_bytes("a.opus", &ogg(&["TITLE=The sea hour", &format!("{key}=Of boats.")]));
            assert_eq!(
                (article.title.as_str(), article.html.as_str()),
                ("The sea hour", "<p>Of boats.</p>\n"),
                "{key}"
            );
        }
        let cut = {
            let mut bytes = mp3(&[], 8)[10..].to_vec();
            let items: Vec<u8> =
                [("Title", "The long title of the sea hour"), ("Artist", "Ann Lee"), ("Comment", "Of boats.")]
                    .iter()
                    .flat_map(|(key, text)| {
                        [
                            &[u8::try_from(text.len()).unwrap(), 0, 0, 0, 0, 0, 0, 0],
                            key.as_bytes(),
                            b"\0",
                            text.as_bytes(),
                        ]
                        .concat()
                    })
                    .collect();
            let edge = |flags: u8| {
                let size = u8::try_from(items.len() + 32).unwrap();
                [&b"APETAGEX\xD0\x07\0\0"[..], &[size, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, flags], &[0; 8]].concat()
            };
            bytes.extend([edge(0xA0), items.clone(), edge(0x80)].concat());
            bytes.extend(b"TAGThe long title");
            bytes.resize(bytes.len() + 16 + 60 + 4 + 30, 0);
            bytes.push(255);
            bytes
        };
        let article = read_bytes("a.mp3", &cut);
        assert_eq!(
            (article.title.as_str(), article.html.as_str()),
            ("The long title of the sea hour", "<p>Of boats.</p>\n")
        );
        for (label, title, is_reported) in [
            ("windows-1251", "Морской час с капитаном", true),
            ("windows-1252", "Größe der See", false),
            ("utf-8", "Größe der See", false),
        ] {
            let text =
                |text: &str| encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned();
            let item = |id: &[u8], bytes: &[u8]| {
                let padding = &[0][..(bytes.len() + 1) % 2];
                [id, &u32::try_from(bytes.len() + 1).unwrap().to_le_bytes(), bytes, b"\0", padding].concat()
            };
            let items =
                [item(b"INAM", &text(title)), item(b"ICMT", b"Of boats."), item(b"ICRD", b"2024-05-01T10:20:30Z")]
                    .concat();
            let list = [&b"LIST"[..], &u32::try_from(items.len() + 4).unwrap().to_le_bytes(), b"INFO", &items].concat();
            let sound = wav(1);
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("a.wav"), [&sound[..36], &list, &sound[36..]].concat()).unwrap();
            let rules = Rules { clean: Clean::Safe, timezone: chrono_tz::UTC };
            let reading = read(&Folder::of(folder.path()), Path::new("a.wav"), &rules);
            let Verdict::Publish(article) = reading.verdict else { panic!("{label}") };
            assert_eq!((article.title.as_str(), article.html.as_str()), (title, "<p>Of boats.</p>\n"), "{label}");
            assert_eq!(article.published.unwrap().to_string(), "2024-05-01 10:20:30 UTC");
            assert_eq!(reading.problems.len(), usize::from(is_reported), "{label}: {:?}", reading.problems);
        }
    }

    #[test]
    fn markup_in_tags_stays_and_addresses_become_links() {
        for (comment, expected) in [
            (
                "See https://x.example/ and www.y.example.",
                "<p>See <a href=\"https://x.example/\">https://x.example/</a> and <a href=\"http://www.y.example\">www.y.example</a>.</p>\n",
            ),
            (
                "<p>Body <a href=\"https://x.example/\">words</a></p>",
                "<p>Body <a href=\"https://x.example/\">words</a></p>",
            ),
            ("One<br/>two", "One<br/>two"),
            ("Use <b> for bold, and a < b.", "<p>Use &lt;b&gt; for bold, and a &lt; b.</p>\n"),
            ("A <title>x</title> of a page", "<p>A &lt;title&gt;x&lt;/title&gt; of a page</p>\n"),
        ] {
            let html = read_bytes("a.mp3", &mp3(&[("TIT2", "One"), ("COMM", comment)], 8)).html;
            assert_eq!(html.trim(), expected.trim(), "{comment}");
        }
        let twice = mp3(&[("TDES", "<p>The <b>tide</b> turns.</p>"), ("COMM", "The tide turns.")], 8);
        assert_eq!(read_bytes("a.mp3", &twice).html.matches("turns").count(), 1);
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
    fn dates_of_tags_have_many_forms() {
        let read_in = |zone: chrono_tz::Tz, name: &str, bytes: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(name), bytes).unwrap();
            let rules = Rules { clean: Clean::Safe, timezone: zone };
            match read(&Folder::of(folder.path()), Path::new(name), &rules).verdict {
                Verdict::Publish(article) => article.published.map(|date| date.to_rfc3339()[..19].to_owned()),
                other => panic!("{other:?}"),
            }
        };
        let york = chrono_tz::America::New_York;
        for (date, expected) in [
            ("2024-05-01", "2024-05-01T04:00:00"),
            ("2024-05-01T10:20:30", "2024-05-01T14:20:30"),
            ("2024-05-01 10:20:30", "2024-05-01T14:20:30"),
            ("2024-05-01T10:20:30Z", "2024-05-01T10:20:30"),
            ("2024-05-01T10:20:30+02:00", "2024-05-01T08:20:30"),
            ("2024-05-01T10:20:30.5-0400", "2024-05-01T14:20:30"),
            ("2024-05-01T10:20", "2024-05-01T14:20:00"),
            ("2024-05-01T10", "2024-05-01T14:00:00"),
            ("2024-5-1", "2024-05-01T04:00:00"),
            ("2024- 5- 1", "2024-05-01T04:00:00"),
            ("20240501", "2024-05-01T04:00:00"),
            ("20240501T102030Z", "2024-05-01T10:20:30"),
            ("20240501 10:20", "2024-05-01T14:20:00"),
            ("202405011020", "2024-05-01T14:20:00"),
            ("2024/05/01", "2024-05-01T04:00:00"),
            ("2024.05.01", "2024-05-01T04:00:00"),
            ("01.05.2024", "2024-05-01T04:00:00"),
            ("1. 5. 2024 10:20", "2024-05-01T14:20:00"),
            ("Wed, 01 May 2024 10:20:30 GMT", "2024-05-01T10:20:30"),
            ("1 May 2024", "2024-05-01T04:00:00"),
            ("May 2024", ""),
            ("2024-05", ""),
            ("2024", ""),
            ("1714558830", ""),
            ("1712010130", ""),
            ("99999999", ""),
            ("2024-02-31", ""),
            ("01/05/2024", ""),
            ("soon", ""),
            ("", ""),
        ] {
            let expected = Some(expected.to_owned()).filter(|date| !date.is_empty());
            for frame in ["TDRC", "TDRL"] {
                let bytes = mp3(&[("TIT2", "One"), (frame, date), ("TPE1", "Ann")], 8);
                assert_eq!(read_in(york, "a.mp3", &bytes), expected, "{frame} {date}");
            }
        }
        let text = |name: &str, text: &str| frame(name, format!("\0{text}").as_bytes());
        let old = |frames: &[(&str, &str)]| {
            let frames: Vec<Vec<u8>> = frames.iter().map(|(name, value)| text(name, value)).collect();
            old_mp3(&frames)
        };
        let oldest = |frames: &[(&str, &str)]| {
            let frame = |(name, value): &(&str, &str)| {
                let size = u8::try_from(value.len() + 1).unwrap();
                [name.as_bytes(), &[0, 0, size, 0], value.as_bytes()].concat()
            };
            let frames: Vec<u8> = frames.iter().flat_map(frame).collect();
            let size = u8::try_from(frames.len()).unwrap();
            [&b"ID3\x02\0\0\0\0\0"[..], &[size], &frames, &mp3(&[], 8)[10..]].concat()
        };
        for (bytes, expected) in [
            (old(&[("TYER", "2024"), ("TDAT", "0105"), ("TIME", "1020")]), "2024-05-01T14:20:00"),
            (old(&[("TDAT", "0105"), ("TYER", "2024")]), "2024-05-01T04:00:00"),
            (old(&[("TYER", "2024-05-01")]), "2024-05-01T04:00:00"),
            (old(&[("TDRC", "2024-05-01T10:20:30Z")]), "2024-05-01T10:20:30"),
            (old(&[("TYER", "2024"), ("TDAT", "May")]), ""),
            (old(&[("TYER", "2024"), ("TDAT", "9999")]), ""),
            (oldest(&[("TYE", "2024"), ("TDA", "0105"), ("TIM", "1020")]), "2024-05-01T14:20:00"),
            (oldest(&[("TYE", "2024-05-01")]), "2024-05-01T04:00:00"),
            (mp3(&[("TYER", "2024"), ("TDAT", "0105")], 8), "2024-05-01T04:00:00"),
        ] {
            let expected = Some(expected.to_owned()).filter(|date| !date.is_empty());
            assert_eq!(read_in(york, "a.mp3", &bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn one_odd_frame_costs_no_other_tag() {
        let good = [("TIT2", "The sea hour"), ("TPE1", "Ann Lee"), ("COMM", "Of boats.")];
        let good = || id3(&good)[10..].to_vec();
        let newest = |name: &str, content: &[u8]| {
            let size = [21, 14, 7, 0].map(|shift| u8::try_from(content.len() >> shift & 0x7F).unwrap());
            [name.as_bytes(), &size, &[0, 0], content].concat()
        };
        let tag = |frames: &[u8]| {
            let size = [21, 14, 7, 0].map(|shift| u8::try_from(frames.len() >> shift & 0x7F).unwrap());
            [&b"ID3\x04\0\0"[..], &size, frames, &mp3(&[], 8)[10..]].concat()
        };
        for odd in [
            newest("TDRC", b"\x032024/05/01"),
            newest("TDRC", b"\x03May 2024"),
            newest("TDEN", b"\x03yesterday"),
            newest("TDOR", b"\x09"),
            newest("TALB", b"\x03\xFF\xFE\xC3\x28"),
            newest("TALB", b"\x09Album"),
            newest("TALB", b"\x01A"),
            newest("TCON", b"\x01\xFF\xFEa"),
            newest("TIPL", b"\x01producer"),
            newest("TXXX", b"\x01a"),
            newest("COMM", b"\x03en"),
            newest("USLT", b"\xFF"),
            newest("TLEN", b""),
        ] {
            for frames in [[good(), odd.clone()].concat(), [odd.clone(), good()].concat()] {
                let article = read_bytes("a.mp3", &tag(&frames));
                assert_eq!(
                    (article.title.as_str(), article.html.as_str()),
                    ("The sea hour", "<p>Of boats.</p>\n"),
                    "{odd:?}"
                );
                assert_eq!(article.authors[0].name, "Ann Lee", "{odd:?}");
            }
        }
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for title in [
            [&[1][..], &wide("\u{FEFF}The sea hour"), b"x"].concat(),
            [&[1][..], &wide("The sea hour")].concat(),
            b"\x01The sea hour".to_vec(),
            b"The sea hour".to_vec(),
        ] {
            let frames = [frame("TIT2", &title), frame("TPE1", b"\0Ann Lee"), frame("COMM", b"\0en\0Of boats.")];
            let article = read_bytes("a.mp3", &old_mp3(&frames));
            assert_eq!(
                (article.title.as_str(), article.html.as_str()),
                ("The sea hour", "<p>Of boats.</p>\n"),
                "{title:?}"
            );
        }
        // Sizes of 2.3 in a tag of 2.4.
        let long = "The tide turns at noon. ".repeat(12);
        let comment = format!("\x03eng\0{long}");
        let plain =
            [frame("TIT2", b"\x03The sea hour"), frame("COMM", comment.as_bytes()), frame("TPE1", b"\x03Ann Lee")];
        let article = read_bytes("a.mp3", &tag(&plain.concat()));
        assert_eq!((article.title.as_str(), article.authors[0].name.as_str()), ("The sea hour", "Ann Lee"));
        assert_eq!(article.html, format!("<p>{}</p>\n", long.trim()));
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
                let reports = reading.problems.iter().filter(|problem| problem.message.contains("guessed"));
                assert_eq!(reports.count(), usize::from(is_reported), "{label}: {:?}", reading.problems);
            }
        }
        let marked = read_bytes("a.mp3", &mp3(&[("TIT2", "Ã¤ is ä in the wrong encoding, marked as UTF-8")], 8));
        assert!(marked.title.starts_with("Ã¤"), "{marked:?}");
    }
}
