//! Entries -> HTML pages for people, pure: no script, one style sheet, readable anywhere.

mod body;
mod status;
mod words;

use crate::model::collection::{ArchiveSummary, ViewSummary};
use crate::model::text::escape;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Output, State, Value, context, escape_formatter};
use serde::Serialize;
use serde_json::json;

use crate::model::entry::{Entry, Episode, Media, Person};
use crate::model::taxonomy::{View, ViewKind};
use crate::render::feed::fragment::Fragment;
use crate::render::feed::{self, Channel, Feed, Item, atom, json, opml, rss};
pub use status::status;
use words::Day;

/// The style sheet of every page.
pub const STYLE: &str = include_str!("templates/style.css");

/// The sign of the site in a browser's tab.
pub const ICON: &str = include_str!("templates/icon.svg");

/// Version of everything that turns an entry into a page and is no template. Raise it when the same entry would make
/// other bytes.
const VERSION: u32 = 3;

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
    /// Name of the folder that articles are put into, as strangers may read it.
    folder: Option<String>,
}

/// What the front page shows beside the newest articles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// The folders, tags and authors that have the most articles.
    pub views: Vec<ViewSummary>,
    /// Number of the newest archive, if there is one.
    pub archive: Option<u32>,
}

/// What a page says of itself.
#[derive(Debug, Default, Serialize)]
struct Head {
    title: String,
    /// The title without the name of the site.
    name: String,
    description: Option<String>,
    /// Where it is; `None` for a page that stands in the place of others.
    address: Option<String>,
    /// What it is to Open Graph.
    kind: &'static str,
    language: String,
    /// Places of its feeds, its own first, each with the title of the feed.
    #[serde(skip)]
    feeds: Vec<(String, String)>,
    /// What it says to search engines.
    #[serde(skip)]
    data: Option<serde_json::Value>,
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
    root: &'static str,
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
    tags: Vec<Link>,
    language: &'a str,
    /// `auto` where nobody knows its language.
    direction: &'static str,
    /// How many recordings it has, in one word, if any.
    plays: Option<&'static str>,
}

/// A file that comes with an article.
#[derive(Debug, Serialize)]
struct Attached<'a> {
    url: &'a str,
    title: Option<&'a str>,
    medium: &'static str,
    /// Type, duration and size in words.
    words: String,
    size: Option<(u32, u32)>,
}

impl Pages {
    /// Prepares the templates for a channel.
    pub fn new(channel: Channel) -> Self {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_formatter(format);
        environment.set_syntax(syntax.expect("the usual delimiters are valid"));
        environment.add_filter("ours", ours);
        let templates = [
            ("base.html", include_str!("templates/base.html")),
            ("top.html", include_str!("templates/top.html")),
            ("subscribe.html", include_str!("templates/subscribe.html")),
            ("entries.html", include_str!("templates/entries.html")),
            ("entry.html", include_str!("templates/entry.html")),
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
        Self { environment, channel, folder: None }
    }

    /// Says on an empty site where articles are put. Below `/srv`, where what is published lies, that is the whole path; elsewhere
    /// it is the last name alone, since the others may tell who has an account here.
    #[must_use]
    pub fn filled_from(mut self, folder: &Path) -> Self {
        let shown = if folder.starts_with("/srv") { Some(folder.as_os_str()) } else { folder.file_name() };
        self.folder = shown.map(|name| name.to_string_lossy().into_owned());
        self
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
        let place = followed(place);
        let link = |(_, name, media_type): &(&str, &str, &str)| {
            format!("<{}>; rel=\"alternate\"; type=\"{media_type}\"", self.channel.url(&format!("{place}{name}")))
        };
        FORMATS.iter().map(link).collect::<Vec<_>>().join(", ")
    }

    /// The front page: newest articles, all feeds, how to subscribe.
    pub fn front(&self, feed: &Feed<'_>, front: &Front) -> String {
        let groups: Vec<Group> = ViewKind::ALL.into_iter().filter_map(|kind| self.group(kind, &front.views)).collect();
        let older = front.archive.map(|_| self.channel.url("archive/"));
        let head = Head {
            title: self.channel.title.clone(),
            description: Some(self.channel.description.clone()),
            data: Some(self.website()),
            ..self.head(&self.channel.title, "")
        };
        let folder = self.folder.as_deref();
        self.listing(feed, "front.html", &head, context! { groups => Value::from(Serde(groups)), older, folder })
    }

    /// The page of a folder, tag or author.
    pub fn view(&self, feed: &Feed<'_>, view: &View, name: &str) -> String {
        let above = self.above(view);
        let mut head = Head { description: Some(feed.description.to_string()), ..self.head(name, &feed.place) };
        head.feeds.insert(0, (feed.place.clone(), feed.title.to_string()));
        head.data = Some(self.collection(&head, &above));
        let lead = match view.kind {
            ViewKind::Section => "Articles in this section",
            ViewKind::Tag => "Articles with this tag",
            ViewKind::Author => "Articles by this author",
        };
        self.listing(feed, "view.html", &head, context! { name, lead, above => Value::from(Serde(above)) })
    }

    /// The page of an archive.
    pub fn archive(&self, feed: &Feed<'_>, number: u32) -> String {
        let page = |number: u32| self.channel.url(&feed::archive_path(number));
        let above = [Link { name: "Archive".into(), address: self.channel.url("archive/") }];
        let dates = || feed.entries.iter().map(|entry| entry.published);
        let dates = dates().min().zip(dates().max()).map(|(oldest, newest)| (Day::of(oldest), Day::of(newest)));
        let mut head = self.head(&format!("Archive {number}"), &feed.place);
        head.description =
            dates.as_ref().map(|(oldest, newest)| format!("Articles from {} to {}", oldest.people, newest.people));
        head.data = Some(self.collection(&head, &above));
        let context = context! {
            older => (number > 1).then(|| page(number - 1)),
            newer => page(number + 1),
            dates => Value::from(Serde(dates)),
            above => Value::from(Serde(above)),
        };
        self.listing(feed, "archive.html", &head, context)
    }

    /// The list of all archives.
    pub fn archives(&self, shelves: &[ArchiveSummary]) -> String {
        let link = |shelf: &ArchiveSummary| {
            let dates = (Day::of(shelf.oldest), Day::of(shelf.newest));
            context! {
                number => shelf.number,
                address => self.channel.url(&feed::archive_path(shelf.number)),
                dates => Value::from(Serde(dates)),
            }
        };
        let shelves: Vec<Value> = shelves.iter().map(link).collect();
        let description = Some("All older articles, by date".to_owned());
        let mut head = Head { description, ..self.head("Archive", "archive/") };
        head.data = Some(self.collection(&head, &[]));
        self.render("archives.html", &head, context! { shelves })
    }

    /// The list of all views of a kind.
    pub fn views(&self, kind: ViewKind, views: &[ViewSummary]) -> String {
        let links: Vec<Link> = views.iter().map(|listed| self.link(listed)).collect();
        let (name, root) = (kind.plural(), kind.root());
        let description = Some(format!("All {} of {}, each with a feed of its own", root, self.channel.title));
        let mut head = Head { description, ..self.head(name, &format!("{root}/")) };
        head.data = Some(self.collection(&head, &[]));
        self.render("views.html", &head, context! { name, root, links => Value::from(Serde(links)) })
    }

    /// The page of one article.
    pub fn article(&self, entry: &Entry) -> String {
        let page = self.channel.page(&entry.slug);
        let item = Item::new(&self.channel, entry);
        let shown = self.shown(&item, &page);
        let html = body::within_page(&entry.content.html);
        let attached: Vec<Attached<'_>> = item.enclosures.iter().map(attached).collect();
        // A cover that the text shows as well is shown once.
        let cover = item.image.filter(|image| !html.contains(&escape(&image.url)) && !html.contains(&image.url));
        let head = Head {
            description: item.summary.map(str::to_owned),
            address: Some(item.url.to_string()),
            kind: "article",
            language: shown.language.to_owned(),
            data: Some(self.article_data(&item, &page)),
            ..self.head(item.title, "")
        };
        let context = context! {
            html => Value::from_safe_string(html.into_owned()),
            cover => Value::from(Serde(cover)),
            image => Value::from(Serde(item.image)),
            episode => item.episode.map(episode).filter(|words| !words.is_empty()),
            transcripts => Value::from(Serde(item.episode.map(|episode| &episode.transcripts))),
            attached => Value::from(Serde(attached)),
            entry => Value::from(Serde(shown)),
        };
        self.render("article.html", &head, context)
    }

    /// What stands where there is nothing, or nothing any more.
    pub fn missing(&self, heading: &str, text: &str) -> String {
        let head = Head { address: None, language: "en".to_owned(), ..self.head(heading, "") };
        self.render("missing.html", &head, context! { heading, text })
    }

    /// The head of a page of that name, with the site's feeds.
    fn head(&self, name: &str, place: &str) -> Head {
        let channel = &self.channel;
        Head {
            title: format!("{name} – {}", channel.title),
            name: name.to_owned(),
            address: Some(channel.url(place)),
            kind: "website",
            language: channel.language.clone(),
            feeds: vec![(String::new(), channel.title.clone())],
            ..Head::default()
        }
    }

    /// A page that lists the entries of a feed.
    fn listing(&self, feed: &Feed<'_>, name: &str, head: &Head, page: Value) -> String {
        let ours = ours_in(&head.language);
        let fragment = |entry: &Entry| Fragment { text: self.listed(entry, &ours), prefixes: Vec::new() };
        let fragments = feed.fragments("page", fragment);
        let entries: Vec<&str> = fragments.iter().map(|entry| entry.text.as_str()).collect();
        self.render(name, head, context! { entries => Value::from_safe_string(entries.join("\n")), ..page })
    }

    /// An article in a list of articles.
    fn listed(&self, entry: &Entry, ours: &Value) -> String {
        let (item, page) = (Item::new(&self.channel, entry), self.channel.page(&entry.slug));
        let shown = Value::from(Serde(self.shown(&item, &page)));
        self.fill("entry.html", context! { entry => shown, ours })
    }

    fn group(&self, kind: ViewKind, views: &[ViewSummary]) -> Option<Group> {
        let links: Vec<Link> =
            views.iter().filter(|listed| listed.view.kind == kind).map(|listed| self.link(listed)).collect();
        let address = self.channel.url(&format!("{}/", kind.root()));
        (!links.is_empty()).then_some(Group { name: kind.plural(), root: kind.root(), address, links })
    }

    fn link(&self, listed: &ViewSummary) -> Link {
        Link { name: listed.view.label(&listed.name), address: self.channel.url(&listed.view.path()) }
    }

    /// The way down to a view: the list of its kind, then each folder that it lies in.
    fn above(&self, view: &View) -> Vec<Link> {
        let kind = view.kind;
        let mut links =
            vec![Link { name: kind.plural().into(), address: self.channel.url(&format!("{}/", kind.root())) }];
        for (end, _) in view.key.match_indices('/') {
            let folder = View { kind, key: view.key[..end].to_owned() };
            let name = folder.key.rsplit('/').next().unwrap_or_default().to_owned();
            links.push(Link { name, address: self.channel.url(&folder.path()) });
        }
        links
    }

    fn named(&self, kind: ViewKind, name: &str) -> Option<Link> {
        let address = self.channel.url(&View::named(kind, name)?.path());
        Some(Link { name: name.to_owned(), address })
    }

    fn shown<'a>(&'a self, item: &'a Item<'a>, page: &'a str) -> Shown<'a> {
        let host = |url: &str| url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        // The site's own name stands in for authors that an article does not name; they have no page.
        let own = std::slice::from_ref(&self.channel.author);
        let author = |person: &Person| self.named(ViewKind::Author, &person.name);
        let authors = if item.authors == own { Vec::new() } else { item.authors.iter().filter_map(author).collect() };
        // A change within the day of publication is of no interest to people.
        let later = item.updated.date_naive() > item.published.date_naive();
        let recording = item.enclosures.iter().find(|media| media.plays());
        Shown {
            title: item.title,
            url: &item.url,
            page,
            elsewhere: item.page.is_some().then(|| host(&item.url)).flatten(),
            authors,
            published: Day::of(item.published),
            updated: later.then(|| Day::of(item.updated)),
            summary: item.summary,
            tags: item.tags.iter().filter_map(|tag| self.named(ViewKind::Tag, tag)).collect(),
            language: item.language.unwrap_or(&self.channel.language),
            direction: item.language.map_or("auto", words::direction),
            plays: recording.map(|media| if media.medium() == "video" { "Video" } else { "Audio" }),
        }
    }

    /// What search engines read of the site (schema.org `WebSite`).
    fn website(&self) -> serde_json::Value {
        let channel = &self.channel;
        json!({
            "@context": "https://schema.org",
            "@type": "WebSite",
            "name": channel.title,
            "description": channel.description,
            "url": channel.base_url,
            "inLanguage": channel.language,
        })
    }

    /// What they read of a list of articles, and where it stands (schema.org `CollectionPage`).
    fn collection(&self, head: &Head, above: &[Link]) -> serde_json::Value {
        let site = Link { name: self.channel.title.clone(), address: self.channel.base_url.clone() };
        let crumb = |(index, link): (usize, &Link)| json!({ "@type": "ListItem", "position": index + 1, "name": link.name, "item": link.address });
        let crumbs: Vec<serde_json::Value> = std::iter::once(&site).chain(above).enumerate().map(crumb).collect();
        json!({
            "@context": "https://schema.org",
            "@type": "CollectionPage",
            "name": head.name,
            "description": head.description,
            "url": head.address,
            "isPartOf": { "@type": "WebSite", "name": site.name, "url": site.address },
            "breadcrumb": { "@type": "BreadcrumbList", "itemListElement": crumbs },
        })
    }

    /// What search engines and messengers read of an article (schema.org `Article`).
    fn article_data(&self, item: &Item<'_>, page: &str) -> serde_json::Value {
        let person = |person: &Person| {
            // The site's own name stands in where nobody is named, and a site is no person.
            let kind = if person.name == self.channel.title { "Organization" } else { "Person" };
            json!({ "@type": kind, "name": person.name, "url": person.url })
        };
        json!({
            "@context": "https://schema.org",
            "@type": "Article",
            "headline": item.title,
            "description": item.summary,
            "datePublished": Day::of(item.published).machine,
            "dateModified": Day::of(item.updated).machine,
            "author": item.authors.iter().map(person).collect::<Vec<_>>(),
            "publisher": { "@type": "Organization", "name": self.channel.title, "url": self.channel.base_url },
            "mainEntityOfPage": page,
            "url": item.url,
            "inLanguage": item.language.unwrap_or(&self.channel.language),
            "image": item.image.map(|image| image.url.as_str()),
            "keywords": item.tags,
            "associatedMedia": item.enclosures.iter().map(media_data).collect::<Vec<_>>(),
        })
    }

    /// A page with what all pages have.
    fn render(&self, name: &str, head: &Head, page: Value) -> String {
        let channel = &self.channel;
        let offer = |(place, title): &(String, String)| {
            FORMATS.map(|(name, path, media_type)| FeedLink {
                name,
                title: format!("{title} ({name})"),
                address: channel.url(&format!("{place}{path}")),
                media_type,
            })
        };
        let offers: Vec<[FeedLink; 3]> = head.feeds.iter().map(offer).collect();
        let direction = words::direction(&head.language);
        // The page's own parts come from wherever the page came from; only what people follow or copy is absolute.
        let whole = context! {
            site => context! {
                title => channel.title.as_str(),
                description => channel.description.as_str(),
                language => channel.language.as_str(),
                address => channel.base_url.as_str(),
                opml => channel.url(opml::PATH),
                style => channel.part("style.css", STYLE),
                icon => channel.part("icon.svg", ICON),
            },
            head => Value::from(Serde(head)),
            direction,
            locale => words::locale(&head.language),
            ours => ours_in(&head.language),
            data => head.data.clone().map(linked_data),
            feeds => Value::from(Serde(offers.first())),
            all_feeds => Value::from(Serde(offers.iter().flatten().collect::<Vec<_>>())),
            ..page
        };
        self.fill(name, whole)
    }

    fn fill(&self, name: &str, context: Value) -> String {
        let template = self.environment.get_template(name).expect("the template was added above");
        template.render(context).expect("the built-in templates render what they are given")
    }
}

/// What a page's own words are marked with where its text is in another language.
fn ours_in(language: &str) -> Value {
    let mark = match words::direction(language) {
        _ if words::is_english(language) => "",
        "rtl" => " lang=\"en\" dir=\"ltr\"",
        _ => " lang=\"en\"",
    };
    Value::from_safe_string(mark.to_owned())
}

/// Place of the feed that a reader of the page at `place` wants to follow. Nothing new will ever be in an archive.
fn followed(place: &str) -> &str {
    if place.starts_with("archive/") { "" } else { place }
}

/// What a file is, how long it plays and how large it is.
fn attached(media: &Media) -> Attached<'_> {
    let medium = match media.medium() {
        "audio" => "Audio",
        "video" => "Video",
        _ => "File",
    };
    let parts = [media.duration.map(words::duration), media.length.map(words::size)];
    let words: Vec<String> = parts.into_iter().flatten().collect();
    Attached { url: &media.url, title: media.title.as_deref(), medium, words: words.join(", "), size: media.size }
}

/// Which episode it is.
fn episode(episode: &Episode) -> String {
    let kind = episode.kind.as_deref().and_then(|kind| match kind {
        "trailer" => Some("Trailer"),
        "bonus" => Some("Bonus"),
        _ => None,
    });
    let parts = [
        episode.season.map(|number| format!("Season {number}")),
        episode.number.map(|number| format!("Episode {number}")),
        kind.map(str::to_owned),
        episode.explicit.filter(|explicit| *explicit).map(|_| "For adults only".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A recording for search engines (schema.org `AudioObject` and its like).
fn media_data(media: &Media) -> serde_json::Value {
    let kind = match media.medium() {
        "audio" => "AudioObject",
        "video" => "VideoObject",
        _ => "MediaObject",
    };
    json!({
        "@type": kind,
        "contentUrl": media.url,
        "encodingFormat": media.media_type,
        "name": media.title,
        "duration": media.duration.map(words::machine_duration),
        "contentSize": media.length.map(|length| length.to_string()),
    })
}

/// JSON-LD as a page carries it: within a script, nothing may look like its end.
fn linked_data(data: serde_json::Value) -> Value {
    Value::from_safe_string(without_nothing(data).to_string().replace('<', "\\u003c"))
}

/// The same without what is not known.
fn without_nothing(value: serde_json::Value) -> serde_json::Value {
    let is_nothing = |value: &serde_json::Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match value {
        serde_json::Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !is_nothing(value))
            .map(|(key, value)| (key, without_nothing(value)))
            .collect(),
        serde_json::Value::Array(list) => list.into_iter().map(without_nothing).collect(),
        other => other,
    }
}

/// Words of the pages' own, marked where the page is in another language: they are English.
fn ours(state: &State<'_, '_>, text: &str) -> Value {
    match state.lookup("ours").as_ref().and_then(Value::as_str) {
        None | Some("") => Value::from(text),
        Some(mark) => Value::from_safe_string(format!("<span{mark}>{}</span>", escape(text))),
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
    use crate::model::collection::Collection;
    use std::sync::Arc;

    use super::*;
    use crate::render::feed::tests::{channel, entry};

    #[test]
    fn pages_escape_what_they_show_and_trust_only_the_article() {
        let pages = Pages::new(channel());
        let entry = entry("a", "<script>alert(1)</script>");
        let front = pages.front(&Feed::main(pages.channel(), std::slice::from_ref(&entry)), &Front::default());
        assert!(front.contains("&lt;script&gt;") && !front.contains("<script>"), "{front}");
        let article = pages.article(&entry);
        assert!(article.contains("&lt;script&gt;") && !article.contains("<script>"), "{article}");
        assert!(article.contains("\\u003cscript>"), "nothing in the data ends it: {article}");
        assert!(article.contains(&*entry.content.html));
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

    /// The values of all attributes of that name.
    fn all<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
        let start = format!(" {attribute}=\"");
        page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
    }

    fn data(page: &str) -> serde_json::Value {
        let script = page.split("<script type=\"application/ld+json\">").nth(1).unwrap();
        serde_json::from_str(script.split("</script>").next().unwrap()).unwrap()
    }

    fn recording() -> Arc<Entry> {
        let media =
            |url: &str, media_type: &str| Media { url: url.into(), media_type: media_type.into(), ..Media::default() };
        let mut entry = Arc::unwrap_or_clone(entry("a", "A"));
        entry.content.image = Some(Media {
            size: Some((800, 400)),
            title: Some("A \"seal\"".into()),
            ..media("https://example.org/media/a.png?x=1&y=2", "image/png")
        });
        entry.content.enclosures = vec![
            Media {
                duration: Some(3_720),
                length: Some(12_345_678),
                title: Some("Talk <1>".into()),
                ..media("https://example.org/media/a.mp3", "audio/mpeg")
            },
            Media { size: Some((640, 360)), ..media("https://example.org/media/a.mp4", "video/mp4") },
            media("https://example.org/media/a.pdf", "application/pdf"),
        ];
        entry.content.episode = Some(Episode {
            season: Some(2),
            number: Some(5),
            kind: Some("trailer".into()),
            explicit: Some(true),
            transcripts: vec![media("https://example.org/media/a.vtt", "text/vtt")],
            ..Episode::default()
        });
        Arc::new(entry)
    }

    #[test]
    fn recordings_can_be_played_and_fetched() {
        let pages = Pages::new(channel());
        let page = pages.article(&recording());
        for part in [
            "<audio controls preload=\"none\" src=\"https://example.org/media/a.mp3\" aria-label=\"Talk &lt;1&gt;\"></audio>",
            "<li>1 hour 2 minutes, 12 MB</li>",
            "<video controls preload=\"none\" src=\"https://example.org/media/a.mp4\" aria-label=\"Video\" width=\"640\" height=\"360\"></video>",
            "<figcaption>File</figcaption>",
            "<a href=\"https://example.org/media/a.pdf\" download>Download</a>",
            "<a href=\"https://example.org/media/a.vtt\" type=\"text/vtt\">Transcript</a>",
            "<li>Season 2, Episode 5, Trailer, For adults only</li>",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        let media = &data(&page)["associatedMedia"][0];
        assert_eq!((media["@type"].as_str(), media["duration"].as_str()), (Some("AudioObject"), Some("PT3720S")));
        let list = pages.front(&Feed::main(pages.channel(), &[recording()]), &Front::default());
        assert!(list.contains("<li class=\"plays\">Audio</li>"), "{list}");
    }

    #[test]
    fn a_cover_is_shown_once() {
        let pages = Pages::new(channel());
        let page = pages.article(&recording());
        let image = "<img src=\"https://example.org/media/a.png?x=1&amp;y=2\" alt=\"A &quot;seal&quot;\" width=\"800\" height=\"400\">";
        assert!(page.contains(image), "{page}");
        assert!(page.contains("<meta property=\"og:image:width\" content=\"800\">"), "{page}");
        let mut entry = Arc::unwrap_or_clone(recording());
        entry.content.html = crate::model::entry::SafeHtml::from_sanitiser(image.into());
        assert_eq!(pages.article(&entry).matches("<img").count(), 1);
    }

    #[test]
    fn words_of_our_own_are_marked_where_the_page_speaks_another_language() {
        let pages = Pages::new(channel());
        let mut entry = Arc::unwrap_or_clone(entry("a", "A"));
        assert_eq!(all(&pages.article(&entry), "lang"), ["en", "en", "en", "en"], "page, way back, title and text");
        entry.content.language = Some("he".into());
        let page = pages.article(&entry);
        assert!(page.contains("<html lang=\"he\" dir=\"rtl\">"), "{page}");
        assert!(page.contains("<h1 lang=\"he\" dir=\"rtl\">A</h1>"), "{page}");
        assert!(page.contains("<footer class=\"foot\" lang=\"en\" dir=\"ltr\">"), "{page}");
        assert!(page.contains("<span lang=\"en\" dir=\"ltr\">Tags</span>"), "{page}");
        entry.content.language = Some("pt-BR".into());
        let page = pages.article(&entry);
        assert!(page.contains("<html lang=\"pt-BR\">") && page.contains("<span lang=\"en\">Tags</span>"), "{page}");
        assert!(page.contains("<meta property=\"og:locale\" content=\"pt_BR\">"), "{page}");
        let german = Pages::new(Channel { language: "de".into(), ..channel() });
        let page = german.front(&Feed::main(german.channel(), &[]), &Front::default());
        assert!(page.contains("<html lang=\"de\">") && page.contains("<span lang=\"en\">Subscribe</span>"), "{page}");
    }

    #[test]
    fn every_folder_above_a_section_is_a_link() {
        let pages = Pages::new(channel());
        let view = View::at("sections/news/sport/ball").unwrap();
        let gathered = Collection {
            name: "Ball & Bat".into(),
            entries: Vec::new(),
            tombstones: Vec::new(),
            revised: chrono::DateTime::UNIX_EPOCH,
            is_whole: true,
            guid: None,
            latest: chrono::DateTime::UNIX_EPOCH,
        };
        let page = pages.view(&Feed::view(pages.channel(), &view, &gathered), &view, "Ball & Bat");
        let way: Vec<&str> = all(page.split("<main").next().unwrap(), "href")
            .into_iter()
            .filter(|href| href.ends_with('/'))
            .skip(1)
            .collect();
        let base = "https://example.org/";
        let expected = ["", "sections/", "sections/news/", "sections/news/sport/"].map(|path| format!("{base}{path}"));
        assert_eq!(way, expected);
        let crumbs = &data(&page)["breadcrumb"]["itemListElement"];
        assert_eq!(crumbs.as_array().unwrap().len(), 4);
        let titles: Vec<&str> = all(&page, "title");
        assert_eq!(titles.len(), 6, "its own feeds and those of the site");
        assert_eq!(titles[0], "news/sport/Ball &amp; Bat – News &amp; Views (RSS)", "standards 141");
        assert_eq!(titles[3], "News &amp; Views (RSS)");
    }

    #[test]
    fn an_empty_site_says_where_articles_go_and_not_whose_home_that_is() {
        let front = |folder: &str| {
            let pages = Pages::new(channel()).filled_from(Path::new(folder));
            pages.front(&Feed::main(pages.channel(), &[]), &Front::default())
        };
        for (folder, shown) in [
            ("/srv/gazetted/articles", "/srv/gazetted/articles"),
            ("/home/ann/posts", "posts"),
            ("/srv2/posts", "posts"),
            ("/srv/<b>", "/srv/&lt;b&gt;"),
        ] {
            let page = front(folder);
            assert!(page.contains(&format!("folder <code dir=\"ltr\">{shown}</code>")), "{folder}: {page}");
            assert!(!page.contains("/home") && !page.contains(">ann"), "{page}");
        }
        assert!(front("/").contains("into the watched folder, and"));
        let pages = Pages::new(channel()).filled_from(Path::new("/srv/gazetted/articles"));
        let full = pages.front(&Feed::main(pages.channel(), &[entry("a", "A")]), &Front::default());
        assert!(!full.contains("/srv/"), "readers need not know: {full}");
    }

    #[test]
    fn nobody_is_asked_to_follow_an_archive() {
        let pages = Pages::new(channel());
        assert_eq!(pages.links("archive/3/"), pages.links(""));
        assert_ne!(pages.links("tags/a/"), pages.links(""));
    }

    #[test]
    fn the_fingerprint_follows_the_site() {
        let other = Channel { title: "Other".into(), ..channel() };
        assert_eq!(Pages::new(channel()).fingerprint(), Pages::new(channel()).fingerprint());
        assert_ne!(Pages::new(channel()).fingerprint(), Pages::new(other).fingerprint());
    }
}
