//! The description of a site that all of its feeds share.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::TimeDelta;

use super::statements::Statements;
use crate::config::{Config, FeedContent};
use crate::model::collection::FeedLimits;
use crate::model::entry::Person;
use crate::model::site_page::Permalink;
use crate::model::taxonomy::{View, ViewKind};
use crate::model::text::xml_legal;
use crate::render::words::{Words, fill, name_of_language, words_in};
use crate::site::{Look, SitePicture};

/// Name of the program in every document. Without its version: an update must not look like new content.
pub const GENERATOR: &str = "gazetted";

/// The site, as its feeds describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Permanent id (RFC 4287 section 4.1.1).
    pub id: String,
    pub title: String,
    /// The configuration gives no title.
    pub has_default_title: bool,
    /// The configuration gives no description.
    pub has_default_description: bool,
    /// One sentence about the site.
    pub description: String,
    /// BCP 47 tag of the language of most entries.
    pub language: String,
    /// Address of the site, with a slash at its end. Every other address starts with it.
    pub base_url: String,
    /// The author of entries that name none.
    pub author: Person,
    pub limits: FeedLimits,
    /// What it says of itself to programs.
    pub statements: Statements,
    /// Its pictures and styles.
    pub look: Arc<Look>,
}

/// The style sheet for feeds opened in a browser, with names in place of its words.
pub const STYLE: &str = include_str!("feed.css");

/// Its path below the base address.
pub const STYLE_PATH: &str = "feed.css";

impl Channel {
    /// Takes the description of a site from its configuration.
    pub fn new(config: &Config, base_url: &str, id: String) -> Self {
        let site = &config.site;
        let defaults = Config::default();
        let non_empty = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let author = non_empty(&site.author.name).unwrap_or_else(|| site.title.trim().to_owned());
        Self {
            id,
            title: xml_legal(site.title.trim()).into_owned(),
            has_default_title: site.title == defaults.site.title,
            has_default_description: site.description == defaults.site.description
                || site.description.trim().is_empty(),
            description: xml_legal(site.description.trim()).into_owned(),
            language: site.language.trim().to_owned(),
            base_url: base_url.to_owned(),
            author: Person {
                name: xml_legal(&author).into_owned(),
                email: non_empty(&site.author.email),
                url: non_empty(&site.author.url),
            },
            limits: limits(config),
            statements: Statements::new(site),
            look: Arc::default(),
        }
    }

    /// Gives the site its pictures and styles.
    #[must_use]
    pub fn with_look(self, look: Arc<Look>) -> Self {
        Self { look, ..self }
    }

    /// Address of the site's own icon, as PNG if there is one: few feed readers show SVG.
    pub fn icon(&self) -> Option<String> {
        self.look.icon_png.as_ref().or(self.look.icon.as_ref()).map(|icon| self.picture(icon))
    }

    /// Address of the site's own logo.
    pub fn logo(&self) -> Option<String> {
        self.look.logo.as_ref().map(|logo| self.picture(logo))
    }

    /// Address of the picture that other sites show beside links to its pages.
    pub fn share(&self) -> Option<String> {
        self.look.share.as_ref().map(|share| self.picture(share))
    }

    /// Address of a picture for RSS, which allows no SVG: that of the icon, or else of the logo.
    pub fn image(&self) -> Option<String> {
        let pictures = [&self.look.icon_png, &self.look.logo].into_iter().flatten();
        pictures.into_iter().find(|picture| !picture.is_drawing()).map(|picture| self.picture(picture))
    }

    /// Absolute address of a picture of the site. Another picture has another address.
    fn picture(&self, picture: &SitePicture) -> String {
        self.url(&with_hash(picture.path, &picture.hash))
    }

    /// An address of the site. `path` has no slash at its start.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Address of an article or of a page that is none.
    pub fn permalink(&self, place: &Permalink) -> String {
        self.url(&place.path())
    }

    /// The site in the language of a view of one, if there are words in it: its page and its feeds speak to readers of that language.
    pub fn in_language_of(&self, view: &View) -> Cow<'_, Self> {
        match words_in(&view.key).filter(|_| view.kind == ViewKind::Language) {
            Some(words) => Cow::Owned(Self { language: words.language.to_owned(), ..self.clone() }),
            None => Cow::Borrowed(self),
        }
    }

    /// The title of the feed and of the page of a view, distinct from those of all others.
    pub fn title_of(&self, view: &View, name: &str) -> String {
        format!("{} – {}", self.name_of(view, name), self.title)
    }

    /// The name of a view as its articles spell it; that of a language in itself.
    pub fn shown_name<'a>(&self, view: &View, name: &'a str) -> &'a str {
        let of_language = Some(view).filter(|view| view.kind == ViewKind::Language);
        of_language.and_then(|view| name_of_language(&view.key)).unwrap_or(name)
    }

    /// The name of a view in titles. The kind of a tag or an author is part of it, since a folder may have the same name.
    pub fn name_of(&self, view: &View, name: &str) -> String {
        let texts = &self.words().texts;
        match view.kind {
            ViewKind::Section => view.label(name),
            ViewKind::Tag => fill(&texts.tag_title, &[("name", name)]),
            ViewKind::Author => fill(&texts.author_title, &[("name", name)]),
            ViewKind::Series => fill(&texts.series_title, &[("name", name)]),
            ViewKind::Language => self.shown_name(view, name).to_owned(),
        }
    }

    /// The program's own words in the language of the site.
    pub fn words(&self) -> &'static Words {
        Words::of(&self.language)
    }

    /// The style sheet for feeds opened in a browser, in the language of the site.
    pub fn feed_style(&self) -> String {
        let texts = &self.words().texts;
        let string = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let values = [&texts.feed_note, &texts.feed_page, &texts.feed_enclosure].map(|text| string(text));
        let names = ["\"FEED_NOTE\"", "\"FEED_PAGE\"", "\"FEED_ENCLOSURE\""];
        names.into_iter().zip(values).fold(STYLE.to_owned(), |style, (name, value)| style.replace(name, &value))
    }

    /// Path, from the root of the host, of a file that pages and feeds load: it comes from the same host as they do. The hash of
    /// its content is part of it, so new content has a new address.
    pub fn asset_path(&self, path: &str, hash: &blake3::Hash) -> String {
        format!("{}{}", self.base_path(), with_hash(path, hash))
    }

    /// Path of the address of the site, from the root of the host, with a slash at its end.
    pub fn base_path(&self) -> &str {
        let host = self.base_url.find("://").map_or(0, |scheme| scheme + "://".len());
        self.base_url[host..].find('/').map_or("/", |path| &self.base_url[host + path..])
    }

    /// `<?xml-stylesheet?>` for feeds opened in a browser (standards 109).
    pub(super) fn stylesheet(&self) -> String {
        let hash = blake3::hash(self.feed_style().as_bytes());
        format!("<?xml-stylesheet type=\"text/css\" href=\"{}\"?>\n", self.asset_path(STYLE_PATH, &hash))
    }
}

/// A path with the hash of the content behind it.
fn with_hash(path: &str, hash: &blake3::Hash) -> String {
    format!("{path}?{}", &hash.to_hex()[..8])
}

/// How much feeds hold by the configuration.
pub fn limits(config: &Config) -> FeedLimits {
    let feed = &config.feed;
    FeedLimits {
        entries: feed.entries,
        window: TimeDelta::from_std(feed.window.0).unwrap_or(TimeDelta::MAX),
        max_bytes: feed.max_bytes.0,
        brief: feed.content == FeedContent::Summary,
        archive_entries: feed.archive_entries,
    }
}
