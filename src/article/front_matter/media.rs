//! Reads pictures, recordings and podcast properties in all supported notations.

use super::header::{Field, Header};
use super::key::Key;
use super::reader::HeaderReader;
use super::value::Value;
use crate::article::{address, summary};
use crate::model::entry::{Episode, Media, without_parameters};

/// Keys for the address of a file in a table.
const ADDRESS: [&str; 13] = [
    "url",
    "src",
    "file",
    "path",
    "href",
    "image",
    "filename",
    "audio",
    "mp3",
    "enclosure",
    "video",
    "teaser",
    "overlay_image",
];
const LENGTH: [&str; 6] = ["length", "size", "bytes", "length_in_bytes", "filesize", "size_in_bytes"];
const TYPE: [&str; 4] = ["type", "mime", "mime_type", "media_type"];
const TEXT: [&str; 5] = ["alt", "caption", "title", "description", "alt_text"];
/// Endings of transcripts, each with its type if the table of [`address::type_of`] has none, since such files are not served from the
/// folder.
const TRANSCRIPTS: [(&str, &str); 6] = [
    ("vtt", ""),
    ("srt", ""),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("json", "application/json"),
    ("txt", "text/plain"),
];
const CHAPTERS: [(&str, &str); 1] = [("json", "application/json+chapters")];
/// Other names for the type of SubRip.
const SUBRIP: [&str; 4] = ["application/srt", "application/x-srt", "text/srt", "text/x-srt"];
/// Maximum number of recordings of an article, and of transcripts.
const MAX_ENCLOSURES: usize = 20;

/// The importance of a pinned article: 1 for `true`, 0 for `false`.
fn pin(value: &Value) -> Option<String> {
    value.flag().map(|flag| u32::from(flag).to_string()).or_else(|| single(value))
}

impl HeaderReader<'_> {
    /// Reads the value of a key. Returns whether this module handles the key.
    pub(super) fn take_media(&mut self, key: Key, name: &str, value: &Value) -> bool {
        match key {
            Key::SummaryOnly => self.summary_only(name, value),
            Key::Pinned => {
                let pinned = self.checked(name, pin(value), "true, false or a number", |text| text.parse().ok());
                self.header.pinned = self.header.pinned.or(pinned);
            }
            Key::Image => self.image(name, value),
            Key::ImageText => {
                let text = value.text().map(summary::one_line);
                self.header.image_text = self.header.image_text.take().or(text);
            }
            Key::Enclosure => self.enclosure(name, value),
            Key::Podcast => self.podcast(name, value),
            Key::Episode if matches!(value, Value::Table(_)) => self.podcast(name, value),
            Key::Season | Key::Episode => {
                let number = self.checked(name, single(value), "a number from 1", |text| positive(&text));
                let episode = self.episode();
                let slot = if key == Key::Season { &mut episode.season } else { &mut episode.number };
                *slot = slot.or(number);
            }
            Key::EpisodeKind => {
                let kind = self.checked(name, single(value), "full, trailer or bonus", |text| kind(&text));
                let episode = self.episode();
                episode.kind = episode.kind.take().or(kind);
            }
            Key::Explicit => {
                let flag = value.flag().map(|flag| flag.to_string()).or_else(|| single(value));
                let explicit = self.checked(name, flag, "true or false", |text| explicit(&text));
                let episode = self.episode();
                episode.explicit = episode.explicit.or(explicit);
            }
            Key::Duration => {
                let duration = self.checked(name, single(value), "a time such as 1:02:03", |text| duration(&text));
                self.header.duration = self.header.duration.or(duration);
            }
            Key::Transcript => self.transcripts(name, value),
            Key::Chapters => {
                let chapters = self.document(name, value, &CHAPTERS);
                let episode = self.episode();
                episode.chapters = episode.chapters.take().or(chapters);
            }
            _ => return false,
        }
        true
    }

    fn episode(&mut self) -> &mut Episode {
        self.header.episode.get_or_insert_default()
    }

    fn summary_only(&mut self, name: &str, value: &Value) {
        let text = single(value).unwrap_or_default().to_ascii_lowercase();
        let is_flag = name.to_ascii_lowercase().replace('-', "_").contains("only");
        let summary_only = match (text.as_str(), value.flag()) {
            ("summary" | "excerpt" | "brief" | "teaser" | "short" | "description", _) => Some(true),
            ("full" | "whole" | "all" | "complete", _) => Some(false),
            (_, Some(flag)) if is_flag => Some(flag),
            _ => None,
        };
        self.header.summary_only = self.header.summary_only.or(summary_only);
    }

    fn image(&mut self, name: &str, value: &Value) {
        let is_picture = |media: Media| Some(media).filter(|media| media.media_type.starts_with("image/"));
        let image = candidates(value).into_iter().find_map(|value| file(&value).and_then(is_picture));
        // `header: big`, `hero: Welcome` and `image: false` do not refer to a picture.
        let address = single(value).filter(|text| !text.contains(char::is_whitespace) && value.flag().is_none());
        let must_be_picture =
            ["image", "cover", "thumbnail"].iter().any(|word| name.to_ascii_lowercase().contains(word));
        if image.is_none() && must_be_picture && self.header.image.is_none() {
            let wanted = "a picture with a known extension, such as cover.jpg";
            let _ = self.checked(name, address, wanted, |_| None::<Media>);
        }
        if self.header.image.is_none() && image.is_some() {
            self.header.image = image;
            self.note(Field::Image, name);
        }
    }

    fn enclosure(&mut self, name: &str, value: &Value) {
        for value in candidates(value) {
            let recording = file(&value).filter(|media| !media.media_type.is_empty());
            // These keys may refer to a page of another site that plays the video.
            let must_be_file = !["video", "media", "recording"].contains(&name.to_ascii_lowercase().as_str());
            let address = value.text().map(str::to_owned).or_else(|| field(&value, &ADDRESS));
            let address = address.filter(|_| recording.is_none() && must_be_file && value.flag().is_none());
            let wanted = "a recording with a known extension, such as one.mp3, or with a stated type";
            let _ = self.checked(name, address, wanted, |_| None::<Media>);
            let Some(mut media) = recording else { continue };
            let length = self.checked(name, field(&value, &LENGTH), "a number of bytes", |text| text.parse().ok());
            media.length = length.or(media.length);
            media.duration =
                self.checked(name, field(&value, &["duration"]), "a time such as 1:02:03", |text| duration(&text));
            let is_duplicate = self.header.enclosures.iter().any(|other| other.url == media.url);
            if !is_duplicate && self.header.enclosures.len() < MAX_ENCLOSURES {
                self.header.enclosures.push(media);
                self.note(Field::Enclosures, name);
            }
        }
    }

    /// Reads a table of properties, or a recording.
    fn podcast(&mut self, name: &str, value: &Value) {
        let Value::Table(fields) = value else {
            if single(value).is_some_and(|text| address::type_of(&text).is_some()) {
                self.enclosure(name, value);
            }
            return;
        };
        if field(value, &ADDRESS)
            .is_some_and(|address| address::type_of(&address).is_none_or(|kind| !kind.starts_with("image/")))
        {
            self.enclosure(name, value);
        }
        for (inner, value) in fields {
            let key = match inner.to_ascii_lowercase().as_str() {
                "number" | "no" => Some(Key::Episode),
                "type" | "kind" => kind(value.text().unwrap_or_default()).map(|_| Key::EpisodeKind),
                // These keys belong to the recording.
                "duration" if !self.header.enclosures.is_empty() => None,
                "image" | "cover" => Some(Key::Image),
                other => Key::of(other).filter(|key| {
                    matches!(
                        key,
                        Key::Season
                            | Key::Episode
                            | Key::EpisodeKind
                            | Key::Explicit
                            | Key::Duration
                            | Key::Transcript
                            | Key::Chapters
                    )
                }),
            };
            if let Some(key) = key.filter(|key| *key != Key::Episode || !matches!(value, Value::Table(_))) {
                let _ = self.take_media(key, &format!("{name}.{inner}"), value);
            }
        }
    }

    fn transcripts(&mut self, name: &str, value: &Value) {
        for value in candidates(value) {
            let transcript = self.document(name, &value, &TRANSCRIPTS);
            let transcripts = &mut self.episode().transcripts;
            if transcripts.len() < MAX_ENCLOSURES {
                transcripts.extend(transcript);
            }
        }
    }

    /// Reads a file with its stated type, or else the type of its extension.
    fn document(&mut self, name: &str, value: &Value, types: &[(&str, &str)]) -> Option<Media> {
        let address = value.text().map(str::to_owned).or_else(|| field(value, &ADDRESS));
        let stated = field(value, &TYPE).filter(|stated| is_type(stated));
        let stated = stated.filter(|stated| !SUBRIP.contains(&stated.to_ascii_lowercase().as_str()));
        let path = address.as_deref().unwrap_or_default();
        let path = &path[..path.find(['?', '#']).unwrap_or(path.len())];
        let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let named = types.iter().find(|(extension, _)| *extension == ending);
        let named = named.map(|(_, kind)| address::type_of(path).map_or(*kind, without_parameters).to_owned());
        let endings: Vec<&str> = types.iter().map(|(extension, _)| *extension).collect();
        let wanted = format!("a file whose name ends in {}", endings.join(", "));
        self.checked(name, address, &wanted, |url| {
            let media_type = stated.clone().or_else(|| named.clone())?;
            Some(Media { url, media_type, ..Media::default() })
        })
    }
}

impl Header {
    /// Adds the values of separate keys: the alternative text of the picture and the duration of the first recording.
    pub(super) fn join_media(&mut self) {
        if let Some(image) = &mut self.image {
            image.title = image.title.take().or_else(|| self.image_text.take());
        }
        if let Some(first) = self.enclosures.first_mut() {
            first.duration = first.duration.or(self.duration);
        }
        self.episode = self.episode.take().filter(|episode| *episode != Episode::default());
    }
}

/// Returns the picture of a value, with its address as written.
pub fn picture(value: &Value) -> Option<Media> {
    let is_picture = |media: &Media| media.media_type.starts_with("image/");
    candidates(value).iter().find_map(|value| file(value).filter(is_picture))
}

/// Returns the values of a list, or a single value.
fn candidates(value: &Value) -> Vec<Value> {
    match value {
        Value::List(list) => list.clone(),
        Value::Nothing => Vec::new(),
        other => vec![other.clone()],
    }
}

fn single(value: &Value) -> Option<String> {
    if let Value::Text(_) = value { value.text().map(str::to_owned) } else { None }
}

fn field(value: &Value, names: &[&str]) -> Option<String> {
    let Value::Table(fields) = value else { return None };
    let find = |name: &&str| fields.iter().find(|(key, _)| key.to_ascii_lowercase().replace('-', "_") == **name);
    names.iter().find_map(|name| find(name)?.1.text().map(str::to_owned))
}

/// Reads a file's address and type. The type is the stated one, or that of the extension, or empty.
fn file(value: &Value) -> Option<Media> {
    let (url, length, stated) = match value {
        // WordPress stores address, length and type as lines of one text.
        Value::Text(text) => match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            [url, length, kind] if length.parse::<u64>().is_ok() && is_type(kind) => {
                ((*url).to_owned(), length.parse().ok(), Some((*kind).to_owned()))
            }
            _ => (text.trim().to_owned(), None, None),
        },
        table => (field(table, &ADDRESS)?, None, field(table, &TYPE)),
    };
    let media_type = stated.filter(|stated| is_type(stated)).or_else(|| address::type_of(&url).map(str::to_owned));
    let title = field(value, &TEXT).map(|text| summary::one_line(&text));
    let is_address = !url.is_empty() && !url.contains(['\n', '<', '>']) && !url.starts_with("data:");
    is_address.then(|| Media { url, media_type: media_type.unwrap_or_default(), length, title, ..Media::default() })
}

/// Whether a text has the form of a media type (RFC 6838 section 4.2).
fn is_type(text: &str) -> bool {
    let is_valid = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, rest)| is_valid(kind) && is_valid(rest))
}

fn positive(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number > 0)
}

fn kind(text: &str) -> Option<String> {
    let kind = text.to_ascii_lowercase();
    ["full", "trailer", "bonus"].contains(&kind.as_str()).then_some(kind)
}

fn explicit(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "explicit" => Some(true),
        "false" | "no" | "clean" => Some(false),
        _ => None,
    }
}

/// Reads a duration in seconds: `3723`, `62:03`, `1:02:03` or `1h2m3s`; fractions are dropped.
pub fn duration(text: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let lettered = text.trim_start_matches("pt");
    if lettered.ends_with(['h', 'm', 's']) {
        let mut seconds = 0u32;
        let mut rest = lettered;
        for (letter, unit) in [('h', 3_600), ('m', 60), ('s', 1)] {
            if let Some((number, after)) = rest.split_once(letter) {
                seconds = seconds.checked_add(number.trim().parse::<u32>().ok()?.checked_mul(unit)?)?;
                rest = after.trim();
            }
        }
        return rest.is_empty().then_some(seconds).filter(|seconds| *seconds > 0);
    }
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    let mut seconds = 0u32;
    for (index, part) in parts.iter().enumerate() {
        let whole = part.split_once('.').filter(|_| index + 1 == parts.len()).map_or(*part, |(whole, _)| whole);
        let number: u32 = whole.parse().ok().filter(|number| index == 0 || *number < 60)?;
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
    }
    (seconds > 0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;
    use crate::folder::SourceFormat;

    /// Reads a YAML header; returns it with its problems, each with its line.
    fn header(yaml: &str) -> (Header, Vec<String>) {
        let text = format!("---\n{yaml}\n---\nText");
        let inherited = crate::article::front_matter::inherited::Inherited::default();
        let split = split(&text, SourceFormat::Markdown, &inherited, chrono_tz::UTC).expect("not held");
        (split.header, split.problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn cover_keys_of_all_generators() {
        for (yaml, expected) in [
            ("image: a.png", "a.png image/png"),
            ("cover: /img/a.jpg", "/img/a.jpg image/jpeg"),
            ("cover_image: a.webp", "a.webp image/webp"),
            ("cover:\n  image: a.png\n  alt: The  sea\n  hidden: true", "a.png image/png The sea"),
            ("cover: {src: a.png, caption: Sea}", "a.png image/png Sea"),
            ("cover.image: a.png\ncover.alt: Sea", "a.png image/png Sea"),
            ("featured_image: a.gif\nfeatured_image_alt: Sea", "a.gif image/gif Sea"),
            ("feature_image: https://a.example/b.png?w=2", "https://a.example/b.png?w=2 image/png"),
            ("featureImage: a.png", "a.png image/png"),
            ("thumbnail: a.png", "a.png image/png"),
            ("hero: {name: Welcome, image: {src: a.png}}\nheroImage: b.png", "b.png image/png"),
            ("banner: a.png", "a.png image/png"),
            ("header:\n  teaser: a.png\n  overlay_image: b.png", "a.png image/png"),
            ("header: big", ""),
            ("images: [a.png, b.png]", "a.png image/png"),
            ("images:\n  - src: a.png\n    title: Sea", "a.png image/png Sea"),
            ("image: {path: a.png, alt: Sea}", "a.png image/png Sea"),
            ("image: {url: 'https://a.example/b', type: image/jpeg}", "https://a.example/b image/jpeg"),
            ("image: false", ""),
            ("image:", ""),
            ("og_image: b.png\nimage: a.png", "a.png image/png"),
        ] {
            let (header, problems) = header(yaml);
            let described = header.image.map(|image| {
                format!("{} {} {}", image.url, image.media_type, image.title.unwrap_or_default()).trim_end().to_owned()
            });
            assert_eq!((described.unwrap_or_default().as_str(), problems), (expected, vec![]), "{yaml}");
        }
        let (_, problems) = header("title: T\nimage: https://a.example/b");
        assert_eq!(
            problems,
            ["3: image: `https://a.example/b` is not a picture with a known extension, such as cover.jpg; ignored"]
        );
    }

    #[test]
    fn recording_keys_of_all_generators() {
        for (yaml, expected) in [
            ("enclosure: a.mp3", "a.mp3 audio/mpeg"),
            ("audio: /a/b.m4a", "/a/b.m4a audio/mp4"),
            ("audio_file: a.ogg\nduration: '1:02:03'", "a.ogg audio/ogg 3723s"),
            ("podcast_file: a.opus", "a.opus audio/ogg"),
            ("mp3: https://a.example/b.mp3", "https://a.example/b.mp3 audio/mpeg"),
            ("podcast: a.mp3", "a.mp3 audio/mpeg"),
            ("podcast: true", ""),
            ("podcast: The sea hour", ""),
            (
                "enclosure:\n  url: a.mp3\n  length: 123\n  type: audio/x-m4a\n  duration: 62:03",
                "a.mp3 audio/x-m4a 123b 3723s",
            ),
            (
                "enclosure: {src: 'https://a.example/b', mime: audio/mpeg, bytes: 5}",
                "https://a.example/b audio/mpeg 5b",
            ),
            ("enclosure: {file: a.mp3, duration: 1h2m3s}", "a.mp3 audio/mpeg 3723s"),
            ("enclosure: |\n  https://a.example/b\n  123\n  audio/mpeg", "https://a.example/b audio/mpeg 123b"),
            ("enclosures: [a.mp3, {url: b.mp4}]", "a.mp3 audio/mpeg, b.mp4 video/mp4"),
            ("podcast: {audio: a.mp3, duration: 30}\nvideo: https://video.example/watch?v=1", "a.mp3 audio/mpeg 30s"),
            ("episode: {audio: a.mp3, number: 3}", "a.mp3 audio/mpeg"),
            ("media: a.flac", "a.flac audio/flac"),
        ] {
            let (header, problems) = header(yaml);
            let one = |media: &Media| {
                let length = media.length.map(|length| format!(" {length}b")).unwrap_or_default();
                let duration = media.duration.map(|seconds| format!(" {seconds}s")).unwrap_or_default();
                format!("{} {}{length}{duration}", media.url, media.media_type)
            };
            let described = header.enclosures.iter().map(one).collect::<Vec<_>>().join(", ");
            assert_eq!((described.as_str(), problems), (expected, vec![]), "{yaml}");
        }
    }

    #[test]
    fn podcast_properties() {
        let (header, problems) = header(
            "itunes_season: 2\nepisode: 7\nepisode_type: Bonus\nexplicit: clean\nitunes_duration: 3723\naudio: a.mp3\n\
             transcripts:\n  - a.vtt\n  - {url: https://a.example/t, type: text/html}\nchapters: a.chapters.json",
        );
        assert_eq!(problems, Vec::<String>::new());
        let episode = header.episode.unwrap();
        assert_eq!((episode.season, episode.number, episode.kind.as_deref()), (Some(2), Some(7), Some("bonus")));
        assert_eq!(episode.explicit, Some(false));
        let kinds: Vec<&str> = episode.transcripts.iter().map(|media| media.media_type.as_str()).collect();
        assert_eq!(kinds, ["text/vtt", "text/html"]);
        assert_eq!(episode.chapters.unwrap().media_type, "application/json+chapters");
        let (subtitles, _) =
            self::header("transcripts: [a.srt, {url: 'https://a.example/t.srt?x', type: application/srt}]");
        let transcripts = subtitles.episode.unwrap().transcripts;
        assert!(transcripts.iter().all(|media| media.media_type == "application/x-subrip"), "{transcripts:?}");
        assert_eq!(header.enclosures[0].duration, Some(3723));
        let (nested, _) =
            self::header("podcast:\n  season: 1\n  episode: 2\n  type: full\n  explicit: yes\n  audio: a.mp3");
        let episode = nested.episode.unwrap();
        assert_eq!((episode.season, episode.number, episode.kind.as_deref()), (Some(1), Some(2), Some("full")));
        assert_eq!((episode.explicit, nested.enclosures.len()), (Some(true), 1));
    }

    #[test]
    fn invalid_values_are_reported_with_their_line() {
        for (yaml, expected) in [
            ("season: two", "3: season: `two` is not a number from 1; ignored"),
            ("episode: 0", "3: episode: `0` is not a number from 1; ignored"),
            ("episode_type: long", "3: episode_type: `long` is not full, trailer or bonus; ignored"),
            ("explicit: perhaps", "3: explicit: `perhaps` is not true or false; ignored"),
            ("duration: long", "3: duration: `long` is not a time such as 1:02:03; ignored"),
            ("chapters: a.txt", "3: chapters: `a.txt` is not a file whose name ends in json; ignored"),
            (
                "enclosure: a.doc",
                "3: enclosure: `a.doc` is not a recording with a known extension, such as one.mp3, or with a stated type; ignored",
            ),
            ("enclosure: {url: a.mp3, length: big}", "3: enclosure: `big` is not a number of bytes; ignored"),
        ] {
            assert_eq!(header(&format!("title: T\n{yaml}")).1, [expected], "{yaml}");
        }
    }

    #[test]
    fn keys_that_pin_an_article() {
        for (yaml, expected) in [
            ("pinned: true", Some(1)),
            ("pin: no", Some(0)),
            ("sticky: 100", Some(100)),
            ("sticky: -1", None),
            ("pinned: maybe", None),
            ("weight: 1", None),
        ] {
            assert_eq!(header(yaml).0.pinned, expected, "{yaml}");
        }
    }

    #[test]
    fn addresses_of_discussions() {
        for (yaml, expected) in [
            ("comments: https://forum.example/t/1", Some("https://forum.example/t/1")),
            (
                "comments: {host: social.example, username: '@ann', id: 112233}",
                Some("https://social.example/@ann/112233"),
            ),
            ("comments: {host: social.example, id: 112233}", None),
            ("discussion_url: http://forum.example/", Some("http://forum.example/")),
            ("comments: true", None),
            ("comments: giscus", None),
            ("comments: 'javascript:alert(1)'", None),
        ] {
            let header = header(yaml).0;
            assert_eq!(header.comments.as_deref(), expected, "{yaml}");
            assert_eq!(header.unused.is_empty(), expected.is_some(), "{yaml}: {:?}", header.unused);
        }
    }

    #[test]
    fn keys_for_summaries_only() {
        for (yaml, expected) in [
            ("content: summary", Some(true)),
            ("feed_content: full", Some(false)),
            ("feed: excerpt", Some(true)),
            ("summary_only: true", Some(true)),
            ("summaryOnly: no", Some(false)),
            ("content: A long story", None),
            ("feed: true", None),
        ] {
            assert_eq!(header(yaml).0.summary_only, expected, "{yaml}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("3723", Some(3723)),
            ("62:03", Some(3723)),
            ("1:02:03", Some(3723)),
            ("01:02:03.5", Some(3723)),
            ("PT1H2M3S", Some(3723)),
            ("62m 3s", Some(3723)),
            ("1:60", None),
            ("0", None),
            ("-1", None),
            ("1:2:3:4", None),
            ("99999999999", None),
            ("soon", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
