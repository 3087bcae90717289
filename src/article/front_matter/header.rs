//! The metadata of an article.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::page::PageKeys;
use super::series::SeriesKeys;
use crate::article::problem::Problem;
use crate::model::entry::{Episode, Media, Person};

/// The reason why a file is not published, whatever its text.
#[derive(Debug)]
pub enum Held {
    /// It is marked as a draft; the recordings that it names.
    Draft(Problem, Vec<Media>),
    /// It is kept from the public in another way; the recordings that it names.
    Withheld(Problem, Vec<Media>),
    /// It cannot be read and might be a draft.
    Broken(Problem),
}

/// A field of a header whose source is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// [`Header::title`]
    Title,
    /// [`Header::published`]
    Published,
    /// [`Header::updated`]
    Updated,
    /// [`Header::authors`]
    Authors,
    /// [`Header::summary`]
    Summary,
    /// [`Header::tags`]
    Tags,
    /// [`Header::id`]
    Id,
    /// [`Header::link`]
    Link,
    /// [`Header::language`]
    Language,
    /// [`Header::slug`]
    Slug,
    /// [`Header::image`]
    Image,
    /// [`Header::enclosures`]
    Enclosures,
}

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// In words: "front matter, line 3: `title`".
    pub words: String,
    /// Its line in the file, from 1, if known.
    pub line: Option<usize>,
}

/// The metadata of an article. A key that is absent, empty or invalid is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// `title`, `headline`, `name`
    pub title: Option<String>,
    /// `date`, `pubDate`, `published`, …
    pub published: Option<DateTime<Utc>>,
    /// A date of publication is stated that cannot be read
    pub has_unclear_date: bool,
    /// `updated`, `lastmod`, `modified`, …
    pub updated: Option<DateTime<Utc>>,
    /// `expiryDate`, `unpublishdate`, `expires`
    pub expires: Option<DateTime<Utc>>,
    /// `author`, `authors`, `byline`: names, or tables with name, email, url
    pub authors: Vec<Person>,
    /// `summary`, `description`, `excerpt`, …
    pub summary: Option<String>,
    /// `tags`, `keywords`, `categories`, `topics`, each once
    pub tags: Vec<String>,
    /// `id`, `guid`, `uuid`
    pub id: Option<String>,
    /// `feed_guid`, `rss_guid`
    pub feed_guid: Option<String>,
    /// `link`, `source`, `original_url`: an absolute address
    pub link: Option<String>,
    /// `comments`: an absolute address
    pub comments: Option<String>,
    /// `lang`, `language`, `locale`
    pub language: Option<String>,
    /// `slug`
    pub slug: Option<String>,
    /// `permalink`, `url`, `aliases`: current and former locations, as paths or addresses
    pub addresses: Vec<String>,
    /// `clean: false` keeps every line of a plain text
    pub clean: Option<bool>,
    /// `content: summary`, `summary_only`: feeds contain only the summary
    pub summary_only: Option<bool>,
    /// `pinned: true`, `sticky: 3`: 0 is not pinned, and larger numbers come first
    pub pinned: Option<u32>,
    /// `image`, `cover`, `featured_image`, …: its address as written
    pub image: Option<Media>,
    /// `cover.alt` and the like, as separate keys
    pub image_text: Option<String>,
    /// `enclosure`, `audio`, `podcast`, …: addresses as written
    pub enclosures: Vec<Media>,
    /// `season`, `episode`, `explicit`, `transcript`, …
    pub episode: Option<Episode>,
    /// `duration`, `itunes_duration`, in seconds
    pub duration: Option<u32>,
    /// `copyright`, `rights`
    pub copyright: Option<String>,
    /// `license`: an identifier of SPDX or an address
    pub license: Option<String>,
    /// What it says about its series.
    pub series: SeriesKeys,
    /// What it says about pages that are no articles.
    pub page: PageKeys,
    /// Names of keys that are not read, in the order of the file.
    pub unused: Vec<String>,
    pub sources: BTreeMap<Field, Source>,
}

impl Header {
    /// Whether a field has a value.
    pub fn has(&self, field: Field) -> bool {
        match field {
            Field::Title => self.title.is_some(),
            Field::Published => self.published.is_some(),
            Field::Updated => self.updated.is_some(),
            Field::Authors => !self.authors.is_empty(),
            Field::Summary => self.summary.is_some(),
            Field::Tags => !self.tags.is_empty(),
            Field::Id => self.id.is_some(),
            Field::Link => self.link.is_some(),
            Field::Language => self.language.is_some(),
            Field::Slug => self.slug.is_some(),
            Field::Image => self.image.is_some(),
            Field::Enclosures => !self.enclosures.is_empty(),
        }
    }

    /// Records the source of a field.
    #[must_use]
    pub fn with_source(mut self, field: Field, words: &str) -> Self {
        if self.has(field) {
            self.sources.insert(field, Source { words: words.to_owned(), line: None });
        }
        self
    }

    /// Fills missing fields from another header.
    pub fn complete(&mut self, other: Self) {
        for (field, source) in other.sources {
            if !self.has(field) {
                self.sources.insert(field, source);
            }
        }
        let Self { title, published, updated, expires, summary, id, link, comments, language, slug, .. } = self;
        *title = title.take().or(other.title);
        *published = published.or(other.published);
        *updated = updated.or(other.updated);
        *expires = expires.or(other.expires);
        *summary = summary.take().or(other.summary);
        *id = id.take().or(other.id);
        *link = link.take().or(other.link);
        *comments = comments.take().or(other.comments);
        *language = language.take().or(other.language);
        *slug = slug.take().or(other.slug);
        if self.authors.is_empty() {
            self.authors = other.authors;
        }
        if self.tags.is_empty() {
            self.tags = other.tags;
        }
        if self.enclosures.is_empty() {
            self.enclosures = other.enclosures;
        }
        self.summary_only = self.summary_only.or(other.summary_only);
        self.pinned = self.pinned.or(other.pinned);
        self.has_unclear_date |= other.has_unclear_date;
        self.image = self.image.take().or(other.image);
        self.episode = self.episode.take().or(other.episode);
        self.addresses.extend(other.addresses);
        self.copyright = self.copyright.take().or(other.copyright);
        self.license = self.license.take().or(other.license);
        self.series.complete(other.series);
        self.page.complete(other.page);
    }
}

/// Whether a text has the form of a BCP 47 tag.
pub fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let letters = first.bytes().all(|byte| byte.is_ascii_alphabetic());
    (2..=3).contains(&first.len())
        && letters
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
