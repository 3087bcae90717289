//! Entries -> HTML pages for people, pure: no script, one style sheet, readable anywhere.

use chrono::{DateTime, Utc};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Output, State, Value, context, escape_formatter};
use serde::Serialize;

use crate::catalog::{Listed, Shelf};
use crate::entry::{Entry, Media, Person, escape};
use crate::feed::{self, Channel, Feed, Item, atom, json, opml, rss};
use crate::view::{Kind, View};

/// The style sheet of every page.
pub const STYLE: &str = include_str!("templates/style.css");

/// The sign of the site in a browser's tab.
pub const ICON: &str = include_str!("templates/icon.svg");

/// Version of everything that turns an entry into a page and is no template. Raise it when the same entry would make
/// other bytes.
const VERSION: u32 = 2;

/// Media type of every page.
pub const MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// Media type of style sheets.
pub const STYLE_TYPE: &str = "text/css; charset=utf-8";

/// The three formats that each page offers, the one that most readers ask for first: name, document, media type.
const FORMATS: [(&str, &str, &str); 3] = [
    ("RSS", rss::PATH, "application/rss+xml"),
    ("Atom", atom::PATH, "application/atom+xml"),
    ("JSON Feed", json::PATH, json::MEDIA_TYPE),
];

/// The templates and what all pages have in common.
#[derive(Debug)]
pub struct Pages {
    environment: Environment<'static>,
    channel: Channel,
}

/// What the front page shows beside the newest articles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// The folders, tags and authors that have the most articles.
    pub views: Vec<Listed>,
    /// Number of the newest archive, if there is one.
    pub archive: Option<u32>,
}

/// A feed as the pages offer it.
#[derive(Debug, Serialize)]
struct FeedLink {
    name: &'static str,
    title: String,
    address: String,
    media_type: &'static str,
}

/// A word that leads to a page.
#[derive(Debug, Serialize)]
struct Link {
    name: String,
    address: String,
}

/// Links under one heading.
#[derive(Debug, Serialize)]
struct Group {
    name: &'static str,
    address: String,
    links: Vec<Link>,
}

/// An entry as a page shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    title: &'a str,
    url: &'a str,
    page: &'a str,
    elsewhere: Option<String>,
    authors: Vec<Link>,
    published: Day,
    updated: Option<Day>,
    summary: Option<&'a str>,
    html: Option<&'a str>,
    tags: Vec<Link>,
    language: Option<&'a str>,
    image: Option<&'a Media>,
    enclosures: &'a [Media],
}

/// A date for machines and for people.
#[derive(Debug, Serialize)]
struct Day {
    machine: String,
    people: String,
}

impl Day {
    fn of(date: DateTime<Utc>) -> Self {
        Self { machine: date.format("%Y-%m-%dT%H:%M:%SZ").to_string(), people: date.format("%-d %B %Y").to_string() }
    }
}

impl Pages {
    /// Prepares the templates for a channel.
    pub fn new(channel: Channel) -> Self {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_formatter(format);
        environment.set_syntax(syntax.expect("the usual delimiters are valid"));
        let templates = [
            ("base.html", include_str!("templates/base.html")),
            ("entries.html", include_str!("templates/entries.html")),
            ("front.html", include_str!("templates/front.html")),
            ("view.html", include_str!("templates/view.html")),
            ("views.html", include_str!("templates/views.html")),
            ("archive.html", include_str!("templates/archive.html")),
            ("archives.html", include_str!("templates/archives.html")),
            ("article.html", include_str!("templates/article.html")),
            ("missing.html", include_str!("templates/missing.html")),
        ];
        for (name, source) in templates {
            environment.add_template(name, source).expect("the built-in templates are valid");
        }
        Self { environment, channel }
    }

    /// What the pages are about.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Changes whenever the same entry would make other bytes: part of what a page's `Last-Modified` stands for.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for (_, template) in self.environment.templates() {
            hasher.update(template.source().as_bytes());
        }
        hasher.update(STYLE.as_bytes());
        hasher.update(feed::STYLE.as_bytes());
        hasher.update(&VERSION.to_le_bytes());
        hasher.update(format!("{:?}", self.channel).as_bytes());
        hasher.finalize().into()
    }

    /// Value of a `Link` header that tells of the feeds of the page at `place` (RFC 8288, standards 142).
    pub fn links(&self, place: &str) -> String {
        let link = |(_, name, media_type): &(&str, &str, &str)| {
            format!("<{}>; rel=\"alternate\"; type=\"{media_type}\"", self.channel.url(&format!("{place}{name}")))
        };
        FORMATS.iter().map(link).collect::<Vec<_>>().join(", ")
    }

    /// The front page: newest articles, all feeds, how to subscribe.
    pub fn front(&self, feed: &Feed<'_>, front: &Front) -> String {
        let groups: Vec<Group> = Kind::ALL.into_iter().filter_map(|kind| self.group(kind, &front.views)).collect();
        let older = front.archive.map(|_| self.channel.url("archive/"));
        self.listing(feed, "front.html", context! { groups => Value::from(Serde(groups)), older })
    }

    /// The page of a folder, tag or author.
    pub fn view(&self, feed: &Feed<'_>, view: &View, name: &str) -> String {
        let above =
            Link { name: view.kind.plural().into(), address: self.channel.url(&format!("{}/", view.kind.root())) };
        let kind = view.kind.root();
        self.listing(feed, "view.html", context! { name, kind, above => Value::from(Serde(above)) })
    }

    /// The page of an archive.
    pub fn archive(&self, feed: &Feed<'_>, number: u32) -> String {
        let page = |number: u32| self.channel.url(&feed::archive_path(number));
        let above = Link { name: "Archive".into(), address: self.channel.url("archive/") };
        let (older, newer) = ((number > 1).then(|| page(number - 1)), page(number + 1));
        let context = context! { number, older, newer, above => Value::from(Serde(above)) };
        self.listing(feed, "archive.html", context)
    }

    /// The list of all archives.
    pub fn archives(&self, shelves: &[Shelf]) -> String {
        let link = |shelf: &Shelf| {
            let dates = (Day::of(shelf.oldest), Day::of(shelf.newest));
            context! {
                number => shelf.number,
                address => self.channel.url(&feed::archive_path(shelf.number)),
                dates => Value::from(Serde(dates)),
            }
        };
        let shelves: Vec<Value> = shelves.iter().map(link).collect();
        self.render("archives.html", "", context! { shelves, address => self.channel.url("archive/") })
    }

    /// The list of all views of a kind.
    pub fn views(&self, kind: Kind, views: &[Listed]) -> String {
        let links: Vec<Link> = views.iter().map(|listed| self.link(listed)).collect();
        let address = self.channel.url(&format!("{}/", kind.root()));
        let (name, root) = (kind.plural(), kind.root());
        self.render("views.html", "", context! { name, root, links => Value::from(Serde(links)), address })
    }

    /// The page of one article.
    pub fn article(&self, entry: &Entry) -> String {
        let page = self.channel.page(&entry.slug);
        let item = Item::new(&self.channel, entry);
        let mut shown = self.shown(&item, &page);
        // A page always has the whole text, whatever the feed has.
        shown.html = Some(&entry.content.html);
        let data = self.linked_data(&item, &page);
        self.render("article.html", "", context! { entry => Value::from(Serde(shown)), address => page, data })
    }

    /// What stands where there is nothing, or nothing any more.
    pub fn missing(&self, heading: &str, text: &str) -> String {
        self.render("missing.html", "", context! { heading, text })
    }

    /// A page that lists the entries of a feed.
    fn listing(&self, feed: &Feed<'_>, name: &str, page: Value) -> String {
        let items: Vec<Item<'_>> = feed.entries.iter().map(|entry| Item::new(&self.channel, entry)).collect();
        let pages: Vec<String> = feed.entries.iter().map(|entry| self.channel.page(&entry.slug)).collect();
        let shown: Vec<Shown<'_>> = items.iter().zip(&pages).map(|(item, page)| self.shown(item, page)).collect();
        let context = context! {
            entries => Value::from(Serde(shown)),
            title => &*feed.title,
            description => &*feed.description,
            address => feed.page(),
            ..page
        };
        self.render(name, &feed.place, context)
    }

    fn group(&self, kind: Kind, views: &[Listed]) -> Option<Group> {
        let links: Vec<Link> =
            views.iter().filter(|listed| listed.view.kind == kind).map(|listed| self.link(listed)).collect();
        let address = self.channel.url(&format!("{}/", kind.root()));
        (!links.is_empty()).then_some(Group { name: kind.plural(), address, links })
    }

    fn link(&self, listed: &Listed) -> Link {
        Link { name: listed.view.label(&listed.name), address: self.channel.url(&listed.view.path()) }
    }

    fn named(&self, kind: Kind, name: &str) -> Option<Link> {
        let address = self.channel.url(&View::named(kind, name)?.path());
        Some(Link { name: name.to_owned(), address })
    }

    fn shown<'a>(&self, item: &'a Item<'a>, page: &'a str) -> Shown<'a> {
        let host = |url: &str| url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        // The site's own name stands in for authors that an article does not name; they have no page.
        let own = std::slice::from_ref(&self.channel.author);
        let author = |person: &Person| self.named(Kind::Author, &person.name);
        let authors = if item.authors == own { Vec::new() } else { item.authors.iter().filter_map(author).collect() };
        // A change within the day of publication is of no interest to people.
        let later = item.updated.date_naive() > item.published.date_naive();
        Shown {
            title: item.title,
            url: &item.url,
            page,
            elsewhere: item.page.is_some().then(|| host(&item.url)).flatten(),
            authors,
            published: Day::of(item.published),
            updated: later.then(|| Day::of(item.updated)),
            summary: item.summary,
            html: item.html,
            tags: item.tags.iter().filter_map(|tag| self.named(Kind::Tag, tag)).collect(),
            language: item.language,
            image: item.image,
            enclosures: item.enclosures,
        }
    }

    /// What search engines and messengers read of an article (schema.org `Article` as JSON-LD).
    fn linked_data(&self, item: &Item<'_>, page: &str) -> Value {
        let people: Vec<serde_json::Value> = item
            .authors
            .iter()
            .map(|person| serde_json::json!({ "@type": "Person", "name": person.name, "url": person.url }))
            .collect();
        let data = serde_json::json!({
            "@context": "https://schema.org",
            "@type": "Article",
            "headline": item.title,
            "description": item.summary,
            "datePublished": Day::of(item.published).machine,
            "dateModified": Day::of(item.updated).machine,
            "author": people,
            "publisher": { "@type": "Organization", "name": self.channel.title },
            "mainEntityOfPage": page,
            "inLanguage": item.language.unwrap_or(&self.channel.language),
            "image": item.image.map(|image| image.url.as_str()),
            "keywords": item.tags,
        });
        // Within a script, nothing may look like its end.
        Value::from_safe_string(without_null(data).to_string().replace('<', "\\u003c"))
    }

    /// A page; `place` is where its own feeds are, which stand before those of the site (standards 141).
    fn render(&self, name: &str, place: &str, page: Value) -> String {
        let channel = &self.channel;
        let offer = |place: &str, title: &str| {
            FORMATS.map(|(name, path, media_type)| FeedLink {
                name,
                title: format!("{title} ({name})"),
                address: channel.url(&format!("{place}{path}")),
                media_type,
            })
        };
        let title = page.get_attr("title").ok().and_then(|title| title.as_str().map(str::to_owned));
        let own = offer(place, title.as_deref().unwrap_or(&channel.title));
        let mut all = Vec::from(offer(place, title.as_deref().unwrap_or(&channel.title)));
        all.extend((!place.is_empty()).then(|| offer("", &channel.title)).into_iter().flatten());
        // The page's own parts come from wherever the page came from; only what people follow or copy is absolute.
        let site = context! {
            site => context! {
                title => channel.title.as_str(),
                description => channel.description.as_str(),
                language => channel.language.as_str(),
                address => channel.base_url.as_str(),
                opml => channel.url(opml::PATH),
                style => channel.part("style.css", STYLE),
                icon => channel.part("icon.svg", ICON),
            },
            feeds => Value::from(Serde(own)),
            all_feeds => Value::from(Serde(all)),
            ..page
        };
        let template = self.environment.get_template(name).expect("the template was added above");
        template.render(site).expect("the built-in templates render what they are given")
    }
}

fn without_null(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_null(value)))
            .collect(),
        serde_json::Value::Array(list) => list.into_iter().map(without_null).collect(),
        other => other,
    }
}

/// Escapes as HTML asks for and no further: the default would write every slash as `&#x2f;`, which simple-minded readers
/// that look for feed links do not undo.
fn format(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => {
            let escaped = escape(text).replace('"', "&quot;");
            output.write_str(&escaped).map_err(minijinja::Error::from)
        }
        _ => escape_formatter(output, state, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::tests::{channel, entry};

    #[test]
    fn pages_escape_what_they_show_and_trust_only_the_article() {
        let pages = Pages::new(channel());
        let entry = entry("a", "<script>alert(1)</script>");
        let front = pages.front(&Feed::main(pages.channel(), std::slice::from_ref(&entry)), &Front::default());
        assert!(front.contains("&lt;script&gt;") && !front.contains("<script"), "{front}");
        let article = pages.article(&entry);
        assert!(article.contains("&lt;script&gt;") && !article.contains("<script>"), "{article}");
        assert!(article.contains("\\u003cscript>"), "nothing in the data ends it: {article}");
        assert!(article.contains(&entry.content.html));
        assert!(article.contains("<link rel=\"canonical\" href=\"https://example.org/articles/a\">"));
    }

    #[test]
    fn every_page_offers_the_feeds_main_feed_first() {
        let pages = Pages::new(channel());
        for page in [
            pages.front(&Feed::main(pages.channel(), &[]), &Front::default()),
            pages.article(&entry("a", "A")),
            pages.missing("Gone", "text"),
        ] {
            let links: Vec<&str> =
                page.lines().filter(|line| line.contains("rel=\"alternate\"")).map(str::trim).collect();
            assert_eq!(
                links,
                [
                    "<link rel=\"alternate\" type=\"application/rss+xml\" title=\"News &amp; Views (RSS)\" href=\"https://example.org/rss.xml\">",
                    "<link rel=\"alternate\" type=\"application/atom+xml\" title=\"News &amp; Views (Atom)\" href=\"https://example.org/atom.xml\">",
                    "<link rel=\"alternate\" type=\"application/feed+json\" title=\"News &amp; Views (JSON Feed)\" href=\"https://example.org/feed.json\">",
                ]
            );
        }
    }

    #[test]
    fn the_fingerprint_follows_the_site() {
        let other = Channel { title: "Other".into(), ..channel() };
        assert_eq!(Pages::new(channel()).fingerprint(), Pages::new(channel()).fingerprint());
        assert_ne!(Pages::new(channel()).fingerprint(), Pages::new(other).fingerprint());
    }
}
