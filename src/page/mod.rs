//! Entries -> HTML pages for people, pure: no script, one style sheet, readable anywhere.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Output, State, Value, context, escape_formatter};
use serde::Serialize;

use crate::entry::{Entry, escape};
use crate::feed::{Channel, Item, atom, json, rss};

/// The style sheet of every page.
pub const STYLE: &str = include_str!("templates/style.css");

/// The sign of the site in a browser's tab.
pub const ICON: &str = include_str!("templates/icon.svg");

/// Version of everything that turns an entry into a page and is no template. Raise it when the same entry would make
/// other bytes.
const VERSION: u32 = 1;

/// Media type of every page.
pub const MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// The templates and what all pages have in common.
#[derive(Debug)]
pub struct Pages {
    environment: Environment<'static>,
    channel: Channel,
}

/// A feed as the pages offer it.
#[derive(Debug, Serialize)]
struct FeedLink {
    name: &'static str,
    address: String,
    media_type: &'static str,
}

/// An entry as a page shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    title: &'a str,
    url: &'a str,
    page: &'a str,
    elsewhere: Option<String>,
    authors: String,
    published: Day,
    updated: Option<Day>,
    summary: Option<&'a str>,
    html: Option<&'a str>,
    tags: Vec<&'a str>,
    language: Option<&'a str>,
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
            ("front.html", include_str!("templates/front.html")),
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
        hasher.update(&VERSION.to_le_bytes());
        hasher.update(format!("{:?}", self.channel).as_bytes());
        hasher.finalize().into()
    }

    /// The front page: newest articles, all feeds, how to subscribe.
    pub fn front(&self, entries: &[Arc<Entry>]) -> String {
        let items: Vec<Item<'_>> = entries.iter().map(|entry| Item::new(&self.channel, entry)).collect();
        let pages: Vec<String> = entries.iter().map(|entry| self.channel.page(&entry.slug)).collect();
        let shown: Vec<Shown<'_>> = items.iter().zip(&pages).map(|(item, page)| shown(item, page)).collect();
        self.render(
            "front.html",
            context! { entries => Value::from(Serde(shown)), address => self.channel.base_url.as_str() },
        )
    }

    /// The page of one article.
    pub fn article(&self, entry: &Entry) -> String {
        let page = self.channel.page(&entry.slug);
        let item = Item::new(&self.channel, entry);
        let mut shown = shown(&item, &page);
        // A page always has the whole text, whatever the feed has.
        shown.html = Some(&entry.content.html);
        self.render("article.html", context! { entry => Value::from(Serde(shown)), address => page })
    }

    /// What stands where there is nothing, or nothing any more.
    pub fn missing(&self, heading: &str, text: &str) -> String {
        self.render("missing.html", context! { heading, text })
    }

    fn render(&self, name: &str, page: Value) -> String {
        let feeds = [
            ("RSS", rss::PATH, "application/rss+xml"),
            ("Atom", atom::PATH, "application/atom+xml"),
            ("JSON Feed", json::PATH, json::MEDIA_TYPE),
        ];
        let feeds =
            feeds.map(|(name, path, media_type)| FeedLink { name, address: self.channel.url(path), media_type });
        // The page's own parts come from wherever the page came from; only what people follow or copy is absolute.
        let root = url::Url::parse(&self.channel.base_url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        let style = blake3::hash(STYLE.as_bytes()).to_hex();
        let site = context! {
            site => context! {
                title => self.channel.title.as_str(),
                description => self.channel.description.as_str(),
                language => self.channel.language.as_str(),
                address => self.channel.base_url.as_str(),
                style => format!("{root}style.css?{}", &style[..8]),
                icon => format!("{root}icon.svg"),
            },
            feeds => Value::from(Serde(feeds)),
            ..page
        };
        let template = self.environment.get_template(name).expect("the template was added above");
        template.render(site).expect("the built-in templates render what they are given")
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

fn shown<'a>(item: &'a Item<'a>, page: &'a str) -> Shown<'a> {
    let host = |url: &str| url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let names: Vec<&str> = item.authors.iter().map(|person| person.name.as_str()).collect();
    // A change within the day of publication is of no interest to people.
    let later = item.updated.date_naive() > item.published.date_naive();
    Shown {
        title: item.title,
        url: &item.url,
        page,
        elsewhere: item.page.is_some().then(|| host(&item.url)).flatten(),
        authors: names.join(", "),
        published: Day::of(item.published),
        updated: later.then(|| Day::of(item.updated)),
        summary: item.summary,
        html: item.html,
        tags: item.tags.iter().map(String::as_str).collect(),
        language: item.language,
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
        let front = pages.front(std::slice::from_ref(&entry));
        assert!(front.contains("&lt;script&gt;") && !front.contains("<script"), "{front}");
        let article = pages.article(&entry);
        assert!(article.contains("&lt;script&gt;") && !article.contains("<script"), "{article}");
        assert!(article.contains(&entry.content.html));
        assert!(article.contains("<link rel=\"canonical\" href=\"https://example.org/articles/a\">"));
    }

    #[test]
    fn every_page_offers_the_feeds_main_feed_first() {
        let pages = Pages::new(channel());
        for page in [pages.front(&[]), pages.article(&entry("a", "A")), pages.missing("Gone", "text")] {
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
