//! A published article: its permanent id, timestamps and content.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A published article, ready for any format.
///
/// All texts in it are [`xml_legal`](super::text::xml_legal) in all formats.
/// Timestamps are whole seconds in UTC, as feeds show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Permanent and unique.
    pub id: ArticleId,
    /// The id in RSS and JSON Feed, if readers know it by one that is not an IRI.
    pub guid: Option<String>,
    /// Last part of its permalink.
    pub slug: Slug,
    /// When the article was first published. Set once.
    pub published: DateTime<Utc>,
    /// When its content last changed; never before `published`.
    pub updated: DateTime<Utc>,
    /// When anything served of it last changed: the `Last-Modified` of its page.
    pub revised: DateTime<Utc>,
    /// The content.
    pub content: Content,
}

/// An absolute IRI, given to an article once, never changed and never reused (RFC 4287 section 4.2.6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArticleId(String);

/// The last part of a permalink: `a-z`, `0-9` and `-` only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(String);

/// A balanced fragment of HTML without scripts, styles, forms or relative addresses, ready for any reader. Only the sanitiser
/// makes one; it is stored and read back as a plain string.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SafeHtml(String);

impl ArticleId {
    /// Takes an IRI as an id.
    pub fn new(iri: impl Into<String>) -> Self {
        Self(iri.into())
    }
}

impl Slug {
    /// Takes a text as a slug, if it has the letters of one and fits a file name (255 bytes).
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let is_slug = !text.is_empty()
            && text.len() <= 255
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        is_slug.then_some(Self(text))
    }
}

impl SafeHtml {
    /// Marks the output of the sanitiser as safe. `tests/architecture.rs` keeps all other callers out.
    pub fn from_sanitiser(html: String) -> Self {
        Self(html)
    }
}

/// Lets each newtype be read as the text that it is, and compared with one.
macro_rules! text_newtypes {
    ($($name:ident)+) => {$(
        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    )+};
}

text_newtypes!(ArticleId Slug SafeHtml);

/// The content of an article, read from its file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Plain text, never empty.
    pub title: String,
    /// The article has no title; `title` has its first words, for lists and for formats that require one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_untitled: bool,
    /// The stated authors; may be empty.
    pub authors: Vec<Person>,
    /// Plain text; may be empty.
    pub summary: String,
    /// The text.
    pub html: SafeHtml,
    /// The text for pages, if its code has classes; otherwise it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highlighted: Option<SafeHtml>,
    /// As written and in that order, each once.
    pub tags: Vec<String>,
    /// BCP 47 tag of the language, if known.
    pub language: Option<String>,
    /// Absolute external address of the article, if it has one.
    pub link: Option<String>,
    /// Absolute address of the page with its discussion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
    /// Feeds show the summary only, regardless of the configuration.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
    /// Pages that list the article show it first, the larger number before others; 0: not pinned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pinned: u32,
    /// The article's main picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Media>,
    /// Other pictures in the text, in order, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Media>,
    /// Recordings; an RSS item carries the first one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Media>,
    /// Podcast properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<Episode>,
    /// Who holds its rights, if that is not as for the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copyright: Option<String>,
    /// Its licence, if it is not that of the site: an identifier of SPDX or an address; `NONE` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The series of articles that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesPart>,
    /// It is a page that is no article, in no feed and no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<SitePage>,
}

/// What an article says about its series.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPart {
    /// The name of the series, in plain text; never empty.
    pub series: String,
    /// Its place, in thousandths; a part without one comes after those with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<i64>,
}

/// What a page says of itself in the menu.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SitePage {
    /// The menu leaves it out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_unlisted: bool,
    /// Its name in the menu, if that is not its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// It is the digest of a day, a week or a month, which no file has.
    #[serde(skip)]
    pub is_digest: bool,
    /// Its place, in thousandths; a page without one comes after those with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A picture or recording of an article (RSS 2.0 `enclosure`, Media RSS `content`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Absolute address.
    pub url: String,
    /// Media type, such as `image/png`.
    pub media_type: String,
    /// Size in bytes; `None` for an external file of unstated size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Width and height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<(u32, u32)>,
    /// Duration in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// Alternative text or title, in plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The language of a transcript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Media {
    /// `image`, `audio`, `video`, …: the first part of the media type.
    pub fn medium(&self) -> &str {
        self.media_type.split('/').next().unwrap_or_default()
    }

    /// Whether it is audio or video.
    pub fn plays(&self) -> bool {
        matches!(self.medium(), "audio" | "video")
    }
}

/// Returns a media type without its parameters, as in `text/vtt; charset=utf-8`.
pub fn without_parameters(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// The podcast properties of an episode (Apple's and the Podcasting 2.0 namespaces).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Episode {
    /// From 1.
    pub season: Option<u32>,
    /// Within its season or the whole, from 1.
    pub number: Option<u32>,
    /// `full`, `trailer` or `bonus`.
    pub kind: Option<String>,
    /// Whether it is for adults only; `None` if unstated.
    pub explicit: Option<bool>,
    /// Each with its type: `text/vtt`, `application/x-subrip`, `text/html`, `application/json`.
    pub transcripts: Vec<Media>,
    /// `application/json+chapters`.
    pub chapters: Option<Media>,
}

impl Content {
    /// The text for pages.
    pub fn page_html(&self) -> &SafeHtml {
        self.highlighted.as_ref().unwrap_or(&self.html)
    }

    /// Upper bound of the size of the entry in a feed of any format, in bytes. XML escapes the text once more.
    pub fn max_bytes(&self) -> i64 {
        i64::try_from(self.frame() + escaped(&self.html)).unwrap_or(i64::MAX)
    }

    /// Whether it has a recording.
    pub fn plays(&self) -> bool {
        self.enclosures.iter().any(Media::plays)
    }

    /// As [`Content::max_bytes`], for an entry with its summary only.
    pub fn max_bytes_of_summary(&self) -> i64 {
        let text = if self.summary.is_empty() { escaped(&self.html) } else { 0 };
        i64::try_from(self.frame() + text).unwrap_or(i64::MAX)
    }

    /// The size without the text: texts count twice, since formats repeat them (`media:title`), plus the markup.
    fn frame(&self) -> usize {
        const WORDS: usize = 1_024;
        const ELEMENT: usize = 256;
        let media = self.image.iter().chain(&self.pictures).chain(&self.enclosures);
        let media: usize =
            media.map(|media| ELEMENT + 2 * media.url.len() + media.title.as_deref().map_or(0, escaped)).sum();
        let tags: usize = self.tags.iter().map(|tag| ELEMENT + 2 * escaped(tag)).sum();
        let people: usize = self.authors.iter().map(|person| ELEMENT + 2 * escaped(&person.name)).sum();
        let link = [&self.link, &self.comments].into_iter().flatten().map(|link| escaped(link)).sum::<usize>();
        let rights: usize =
            [&self.copyright, &self.license].into_iter().flatten().map(|text| ELEMENT + 2 * escaped(text)).sum();
        WORDS + rights + 2 * escaped(&self.title) + 2 * escaped(&self.summary) + 3 * link + tags + people + media
    }
}

/// Size of a text in XML or JSON, whichever is larger.
fn escaped(text: &str) -> usize {
    text.bytes().map(|byte| if matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'' | b'\n' | b'\r') { 6 } else { 1 }).sum()
}

/// A person (RFC 4287 section 3.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Full name; never empty in an [`Entry`].
    pub name: String,
    /// `user@host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Absolute address of a page about the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
