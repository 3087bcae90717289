//! A feed format as a row of a table. Everything that differs by format reads such a row: paths and aliases, headers, pages,
//! OPML, metrics, the command line. A new format is a file beside this one and a row of [`super::FORMATS`].

use chrono::{DateTime, Utc};

use super::document::Feed;

/// A format in which feeds are served. Formats are equal if their names are.
#[derive(Debug, Clone, Copy)]
pub struct FeedFormat {
    /// On the command line and in metrics.
    pub name: &'static str,
    /// As people call it.
    pub label: &'static str,
    /// Last part of the path of each document.
    pub file: &'static str,
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// Other paths of the main feed, which feed readers probe.
    pub aliases: &'static [&'static str],
    /// `version` of an OPML outline for such a feed, where OPML has one.
    pub opml_version: Option<&'static str>,
    /// Whether pages recommend its address to people who subscribe. One format of a table is recommended.
    pub is_recommended: bool,
    /// Renders a feed. The date is that of a feed that has never had an entry.
    pub render: fn(&Feed<'_>, DateTime<Utc>) -> String,
}

impl FeedFormat {
    /// The media type without its parameters, as links state it.
    pub fn bare_media_type(&self) -> &'static str {
        self.media_type.split(';').next().unwrap_or_default()
    }
}

impl PartialEq for FeedFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for FeedFormat {}

impl std::hash::Hash for FeedFormat {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The table of the formats of a site.
#[derive(Debug, Clone, Copy)]
pub struct Formats(&'static [FeedFormat]);

impl Formats {
    /// A table of these rows.
    pub const fn new(rows: &'static [FeedFormat]) -> Self {
        Self(rows)
    }

    /// Its rows, in order.
    pub fn iter(self) -> impl Iterator<Item = &'static FeedFormat> {
        self.0.iter()
    }

    /// The format of this name.
    pub fn named(self, name: &str) -> Option<&'static FeedFormat> {
        self.iter().find(|format| format.name == name)
    }

    /// The format whose address pages recommend to people who subscribe.
    pub fn recommended(self) -> &'static FeedFormat {
        self.iter().find(|format| format.is_recommended).expect("a table recommends one format")
    }

    /// The format that podcast players read, which is the one that OPML lists.
    pub fn of_podcasts(self) -> &'static FeedFormat {
        self.in_opml().0
    }

    /// The format of the feeds that OPML lists, with the `version` of their outlines.
    pub fn in_opml(self) -> (&'static FeedFormat, &'static str) {
        let listed = self.iter().find_map(|format| Some((format, format.opml_version?)));
        listed.expect("a table has a format that OPML can list")
    }

    /// Splits the path of a document into the path of its page, which ends with a slash, and its representation.
    pub fn split(self, path: &str) -> (&str, Representation) {
        let split = |format: &'static FeedFormat| {
            let place = path.strip_suffix(format.file)?;
            place.ends_with('/').then_some((place, Representation::Feed(format)))
        };
        self.iter().find_map(split).unwrap_or((path, Representation::Page))
    }
}

/// How a collection of entries is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Representation {
    /// As a page for people.
    Page,
    /// As a feed.
    Feed(&'static FeedFormat),
    /// As what a browser shows at the address of a feed: a page about it.
    FeedPage(&'static FeedFormat),
}

impl Representation {
    /// As what a browser shows at the same address.
    #[must_use]
    pub fn opened(self) -> Self {
        match self {
            Self::Feed(format) => Self::FeedPage(format),
            Self::Page | Self::FeedPage(_) => self,
        }
    }

    /// Last part of the path of the document, which is empty for a page.
    pub fn file(self) -> &'static str {
        match self {
            Self::Page => "",
            Self::Feed(format) | Self::FeedPage(format) => format.file,
        }
    }
}
