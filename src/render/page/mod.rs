//! Entries -> HTML pages for people. Pure: no scripts and one style sheet, readable anywhere.

mod archive;
mod around;
mod body;
mod feed_page;
mod filters;
mod link_post;
mod look;
mod pictures;
mod players;
mod qr;
mod site_page;
mod status;
mod templates;

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use serde_json::json;

use crate::model::collection::{ArticleLine, Surroundings, ViewSummary};
use crate::model::digest::DigestKind;
use crate::model::entry::{Entry, Episode, Media, Person};
use crate::model::natural;
use crate::model::period::DateRange;
use crate::model::section::SectionAbout;
use crate::model::site_page::Menu;
use crate::model::taxonomy::{View, ViewKind};
use crate::model::text::escape;
use crate::render::digest;
use crate::render::feed::format::{FeedFormat, Formats};
use crate::render::feed::fragment::Fragment;
use crate::render::feed::{self, Channel, Feed, Item, LicenseLink, blogroll};
use crate::render::plain;
use crate::render::words::{self, Day, Words};
pub use archive::{period_at, period_path};
pub use feed_page::RAW;
pub use look::{ICON, ICON_PATH, ICON_PNG, ICON_PNG_PATH, STYLE};
use pictures::Pictures;
pub use status::status;
use templates::Templates;
pub use templates::{TemplateFault, faults};

/// What the status page needs in addition.
pub const STATUS_STYLE: &str = include_str!("templates/status.css");

/// Version of the code that renders pages. Raise it when the same entry gives other bytes with the same templates.
const VERSION: u32 = 10;

/// Maximum length of an article without a title that lists show whole, in bytes.
const LONGEST_NOTE: usize = 4_000;

/// Maximum number of articles on the front page; the archive lists the others.
const MAX_FRONT: usize = 20;

/// Number of the newest articles that the pages of a 404 and a 410 name.
pub const MOST_NEWEST: usize = 3;

/// Maximum number of folders, of tags and of authors on the front page.
pub const MOST_NAMED: usize = 24;

/// Media type of pages.
pub const MEDIA_TYPE: &str = "text/html; charset=utf-8";

/// Media type of style sheets.
pub const STYLE_TYPE: &str = "text/css; charset=utf-8";

/// The address of the main feed and its QR code: a path and its size.
type MainCode = (String, Option<(String, i32)>);

/// The templates, and what all pages have in common. Clones share all of it.
#[derive(Debug, Clone)]
pub struct Pages {
    templates: Arc<Templates>,
    channel: Arc<Channel>,
    formats: Formats,
    /// Name of the watched folder, as strangers may read it.
    folder: Option<Arc<str>>,
    /// The style sheet.
    style: Arc<str>,
    /// The variables of templates about the site.
    site: Value,
    /// What addresses of own media files start with, if there are smaller forms of pictures.
    scaled: Option<Arc<str>>,
    /// The address of the main feed and its QR code, which every version of the front page shows.
    main_code: Arc<OnceLock<MainCode>>,
    menu: Arc<Menu>,
}

/// The parts of the front page beside the newest articles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// The folders, tags and authors with the most articles.
    pub views: Vec<ViewSummary>,
    /// Number of the newest archive, if there is one.
    pub archive: Option<u32>,
}

/// Metadata of a page.
#[derive(Debug, Default, Serialize)]
struct Head {
    title: String,
    /// The title without the title of the site.
    name: String,
    description: Option<String>,
    /// Its canonical address; `None` for an error page.
    address: Option<String>,
    /// `og:type` of Open Graph.
    kind: &'static str,
    language: String,
    /// Paths of the pages whose feeds it offers, each with the title of the feeds; its own come first.
    #[serde(skip)]
    feeds: Vec<(String, String)>,
    /// Rights that differ from those of the site.
    #[serde(skip)]
    copyright: Option<String>,
    #[serde(skip)]
    license: Option<LicenseLink>,
    /// The licence of the site does not hold for it.
    #[serde(skip)]
    has_own_rights: bool,
    /// JSON-LD for search engines.
    #[serde(skip)]
    data: Option<serde_json::Value>,
}

/// A link to a feed.
#[derive(Debug, Serialize)]
struct FeedLink {
    /// Label of its format.
    name: &'static str,
    title: String,
    address: String,
    media_type: &'static str,
}

/// A link to a page.
#[derive(Debug, Serialize)]
struct Link {
    name: String,
    address: String,
    /// Number of the articles there.
    count: Option<u64>,
    /// That of its name, if it is not that of the site.
    language: Option<String>,
}

/// Links under one heading.
#[derive(Debug, Serialize)]
struct Group {
    name: &'static str,
    root: &'static str,
    /// The link to all of them.
    all: &'static str,
    address: String,
    links: Vec<Link>,
}

/// An entry as pages show it.
#[derive(Debug, Serialize)]
struct EntryView<'a> {
    title: &'a str,
    /// The first words stand for a title.
    is_untitled: bool,
    url: &'a str,
    page: &'a str,
    elsewhere: Option<String>,
    /// Address of the page with its discussion.
    comments: Option<&'a str>,
    /// It is about the page that it leads to.
    is_link_post: bool,
    authors: Vec<Link>,
    published: Day,
    updated: Option<Day>,
    summary: Option<&'a str>,
    tags: Vec<Link>,
    language: &'a str,
    /// Direction of its text; `auto` if its language is not known.
    direction: &'static str,
    /// `Audio` or `Video`, in words, if it has a recording.
    plays: Option<&'static str>,
}

/// A file attached to an article.
#[derive(Debug, Serialize)]
struct PageAttachment<'a> {
    url: &'a str,
    title: Option<&'a str>,
    /// `audio`, `video` or `file`.
    medium: &'static str,
    /// The medium in words.
    kind: &'static str,
    /// Duration and size in words.
    words: String,
    size: Option<(u32, u32)>,
}

impl Pages {
    /// Compiles the templates for the pages of a channel.
    pub fn new(channel: Channel) -> Self {
        let templates = Arc::new(Templates::new(&channel.look.templates));
        let style = look::style(&channel);
        let site = look::variables(&channel, &style);
        let (main_code, menu) = (Arc::default(), Arc::default());
        let (channel, style) = (Arc::new(channel), Arc::from(style));
        Self { templates, channel, formats: feed::FORMATS, folder: None, style, site, scaled: None, main_code, menu }
    }

    /// Offers the feeds in the formats of a table.
    #[must_use]
    pub fn with_formats(self, formats: Formats) -> Self {
        Self { formats, ..self }
    }

    /// Names the watched folder on the front page while there are no articles: by its whole path below `/srv`, whose content is
    /// public by convention, and else by its last part, since the others may name the accounts of the machine.
    #[must_use]
    pub fn with_folder(mut self, folder: &Path) -> Self {
        let name = if folder.starts_with("/srv") { Some(folder.as_os_str()) } else { folder.file_name() };
        self.folder = name.map(|name| Arc::from(name.to_string_lossy()));
        self
    }

    /// The problems of the templates of the site.
    pub fn template_faults(&self) -> &[TemplateFault] {
        &self.templates.faults
    }

    /// The style sheet.
    pub fn style(&self) -> &str {
        &self.style
    }

    /// Offers smaller forms of own pictures.
    #[must_use]
    pub fn with_scaled_pictures(self, are_scaled: bool) -> Self {
        let scaled = are_scaled.then(|| Arc::from(self.channel.url("media/")));
        Self { scaled, ..self }
    }

    /// The formats of the feeds.
    pub fn formats(&self) -> Formats {
        self.formats
    }

    /// The site.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// A hash that changes whenever the same entry would give other bytes, so that the `Last-Modified` of pages can move.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for source in self.templates.sources() {
            hasher.update(source.as_bytes());
        }
        words::sources().for_each(|source| {
            hasher.update(source.as_bytes());
        });
        hasher.update(self.style.as_bytes());
        hasher.update(feed::STYLE.as_bytes());
        hasher.update(&VERSION.to_le_bytes());
        hasher.update(format!("{:?}{:?}", self.channel, self.scaled).as_bytes());
        hasher.finalize().into()
    }

    /// Value of `Link` for the page at `place`: its feeds (RFC 8288, standards 142).
    pub fn links(&self, place: &str) -> String {
        let place = subscribable(place);
        let link = |format: &FeedFormat| {
            let address = self.channel.url(&format!("{place}{}", format.file));
            format!("<{address}>; rel=\"alternate\"; type=\"{}\"", format.bare_media_type())
        };
        self.formats.iter().map(link).collect::<Vec<_>>().join(", ")
    }

    /// The front page: newest articles, all feeds, how to subscribe.
    pub fn front(&self, feed: &Feed<'_>, front: &Front) -> String {
        let groups: Vec<Group> = ViewKind::ALL.into_iter().filter_map(|kind| self.group(kind, &front.views)).collect();
        let (newest, others) = feed.entries.split_at(feed.entries.len().min(MAX_FRONT));
        let has_older = !others.is_empty() || front.archive.is_some();
        let older = has_older.then(|| self.channel.url(&period_path(DateRange::All)));
        let feed = &Feed { entries: newest, ..feed.clone() };
        let head = Head {
            title: feed.title.to_string(),
            description: Some(feed.description.to_string()),
            data: Some(self.website()),
            ..self.head(&feed.title, "")
        };
        let folder = self.folder.as_deref();
        let is_text = feed
            .about
            .is_some_and(|about| about.lead().is_none() && about.description.as_deref() == Some(&*feed.description));
        let digests = DigestKind::ALL.map(|kind| Link {
            name: digest::name(&self.channel, kind).to_owned(),
            address: self.channel.url(&digest::path(kind)),
            count: None,
            language: None,
        });
        let (title, description) = (&*feed.title, Some(&*feed.description).filter(|_| !is_text));
        let about = self.about(feed.about);
        self.listing(
            feed,
            "front.html",
            &head,
            context! { title, description, about, groups => Value::from(Serde(groups)), older, folder, digests => Value::from(Serde(digests)), ..self.subscription(feed) },
        )
    }

    /// The pages in the language of a view of one, if there are words in it.
    pub fn in_language_of(&self, view: &View) -> Cow<'_, Self> {
        match self.channel.in_language_of(view) {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(channel) => Cow::Owned(Self { channel: Arc::new(channel), ..self.clone() }),
        }
    }

    /// The page of a folder, tag, author, series or language.
    pub fn view(&self, feed: &Feed<'_>, view: &View, name: &str) -> String {
        let above = self.above(view);
        let title = feed.about.and_then(|about| about.title.as_deref());
        let name = title.unwrap_or(self.channel.shown_name(view, name));
        let stated = feed.about.and_then(|about| about.description.as_deref());
        let mut head = Head {
            description: Some(stated.unwrap_or(&feed.description).to_owned()),
            ..self.head(title.unwrap_or(&self.channel.name_of(view, name)), &feed.place)
        };
        head.feeds.insert(0, (feed.place.clone(), feed.title.to_string()));
        head.data = Some(self.collection(&head, &above));
        if view.kind == ViewKind::Author {
            let about = feed.about.map(|about| Self::person(name, &feed.page(), about));
            head.data = head.data.map(|data| with_member(data, "about", about));
        }
        let texts = &self.channel.words().texts;
        let leads =
            [&texts.section_lead, &texts.tag_lead, &texts.author_lead, &texts.series_lead, &texts.language_lead];
        let lead = view.kind.choose(leads);
        let description = feed.about.and_then(SectionAbout::lead);
        let about = self.about(feed.about);
        let above = Value::from(Serde(above));
        let lines = self.lines(feed.parts, self.channel.words());
        let language = &feed.view_language;
        let context = context! { name, language, lead, description, about, above, lines, ..self.subscription(feed) };
        self.listing(feed, "view.html", &head, context)
    }

    /// The digests of a kind, whose name this is.
    pub fn digests(&self, feed: &Feed<'_>, name: &str) -> String {
        let description = Some(feed.description.to_string());
        let mut head = Head { description: description.clone(), ..self.head(name, &feed.place) };
        head.feeds.insert(0, (feed.place.clone(), feed.title.to_string()));
        head.data = Some(self.collection(&head, &[]));
        self.listing(feed, "view.html", &head, context! { name, description, ..self.subscription(feed) })
    }

    /// The list of all views of a kind.
    pub fn views(&self, kind: ViewKind, views: &[ViewSummary]) -> String {
        let links = self.view_links(views.iter());
        let texts = &self.channel.words().texts;
        let (name, root) = (texts.plural(kind), kind.root());
        let of_sites = [&texts.sections_of, &texts.tags_of, &texts.authors_of, &texts.series_of, &texts.languages_of];
        let of_site = kind.choose(of_sites);
        let description = Some(words::fill(of_site, &[("site", &self.channel.title)]));
        let mut head = Head { description, ..self.head(name, &format!("{root}/")) };
        head.data = Some(self.collection(&head, &[]));
        self.render("views.html", &head, context! { name, root, links => Value::from(Serde(links)) })
    }

    /// The page of one article without its surroundings.
    pub fn article(&self, entry: &Entry) -> String {
        self.article_among(entry, &Surroundings::default())
    }

    /// The page of one article, or a page that is none.
    pub fn article_among(&self, entry: &Entry, surroundings: &Surroundings) -> String {
        let page = self.channel.permalink(&entry.permalink());
        let is_page = entry.content.page.is_some();
        let (template, kind) = if is_page { ("page.html", "website") } else { ("article.html", "article") };
        let item = Item::new(&self.channel, entry);
        let words = self.words_for(item.language.unwrap_or(&self.channel.language));
        let view = self.entry_view(entry, &item, &page, words);
        let html = body::within_page(entry.content.page_html(), &words.texts);
        let attachments: Vec<PageAttachment<'_>> =
            item.enclosures.iter().map(|media| attachment(media, words)).collect();
        // A cover that is also in the text is shown once.
        let cover = item.image.filter(|image| !html.contains(&escape(&image.url)) && !html.contains(&image.url));
        let pictures = self.pictures(entry);
        let html = pictures.within(&html, cover.is_some());
        let forms = cover.and_then(|cover| pictures.of_cover(cover, view.plays.is_some()));
        let mut head = Head {
            description: Some(description(&item, entry)),
            address: Some(item.url.to_string()),
            kind,
            language: view.language.to_owned(),
            copyright: item.copyright.map(str::to_owned),
            license: item.license.clone(),
            has_own_rights: item.has_own_rights,
            data: Some(if is_page { self.page_data(&item) } else { self.article_data(&item, &page, surroundings) }),
            ..self.head(item.title, "")
        };
        head.feeds.extend(self.section_feeds(surroundings));
        let context = context! {
            html => Value::from_safe_string(html),
            markdown => (!is_page).then(|| self.channel.url(&plain::article_path(&entry.slug))),
            cover => Value::from(Serde(cover)),
            forms => Value::from(Serde(forms)),
            image => Value::from(Serde(item.image)),
            episode => item.episode.map(|about| episode(about, words)).filter(|words| !words.is_empty()),
            transcripts => Value::from(Serde(item.episode.map(|episode| &episode.transcripts))),
            attachments => Value::from(Serde(attachments)),
            series => surroundings.series.as_ref().map(|place| self.series(place, words)),
            ..context! { entry => Value::from(Serde(&view)), ..self.around(surroundings, view.language) }
        };
        self.render(template, &head, context)
    }

    /// The page of the feeds that the author reads; `None` if there is no list of them.
    pub fn blogroll(&self) -> Option<String> {
        let list = self.channel.look.blogroll.as_ref()?;
        let title = list.title.as_deref();
        let mut head = self.head(title.unwrap_or(&self.channel.words().texts.blogroll), blogroll::PAGE_PATH);
        head.data = Some(self.collection(&head, &[]));
        Some(self.render("blogroll.html", &head, context! { title, groups => Value::from(Serde(list.groups())) }))
    }

    /// The page of a 404 or 410 with the articles that may be meant, and the newest ones.
    pub fn missing(&self, is_gone: bool, near: &[ArticleLine], newest: &[ArticleLine]) -> String {
        let texts = &self.channel.words().texts;
        let (heading, text) =
            if is_gone { (&texts.gone, &texts.gone_text) } else { (&texts.missing, &texts.missing_text) };
        let head = Head { address: None, ..self.head(heading, "") };
        let words = self.channel.words();
        let (near, lines) = (self.lines(near, words), self.lines(newest, words));
        self.render("missing.html", &head, context! { heading, text, near, lines })
    }

    /// The language of a text and its direction, which is `auto` if no language is stated: then it counts as that of the site.
    fn language<'a>(&'a self, stated: Option<&'a str>) -> (&'a str, &'static str) {
        (stated.unwrap_or(&self.channel.language), stated.map_or("auto", words::direction))
    }

    /// The words for a page in a language. A language without words has those of the site.
    fn words_for(&self, language: &str) -> &'static Words {
        let words = Words::of(language);
        if words.are_in(language) { words } else { self.channel.words() }
    }

    /// What the box says that offers a feed: its address, as a QR code as well, and for a podcast the players.
    fn subscription(&self, feed: &Feed<'_>) -> Value {
        let format = if feed.is_podcast { self.formats.of_podcasts() } else { self.formats.recommended() };
        let address = self.channel.url(&format!("{}{}", feed.place, format.file));
        let players = feed.is_podcast.then(|| players::links(&address));
        let code = match self.main_code.get() {
            Some((main, code)) if *main == address => code.clone(),
            _ => qr::code(&address),
        };
        if feed.place.is_empty() {
            let _ = self.main_code.set((address.clone(), code.clone()));
        }
        context! { recommended => address, players => Value::from(Serde(players)), code => Value::from(Serde(code)) }
    }

    /// Metadata of the page at `place`, which offers the main feed.
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
        let words = self.channel.words();
        let mark = mark(words, &head.language);
        let fragment = |entry: &Entry| Fragment { text: self.listed(entry, words, &mark, false), prefixes: Vec::new() };
        let fragments = feed.fragments("page", fragment);
        let pinned: Vec<String> = feed.pinned.iter().map(|entry| self.listed(entry, words, &mark, true)).collect();
        let is_pinned = |entry: &Entry| feed.pinned.iter().any(|pinned| pinned.id == entry.id);
        let others = feed.entries.iter().zip(&fragments).filter(|(entry, _)| !is_pinned(entry));
        let others = others.map(|(_, fragment)| fragment.text.as_str());
        let entries: Vec<&str> = pinned.iter().map(String::as_str).chain(others).collect();
        self.render(name, head, context! { entries => Value::from_safe_string(entries.join("\n")), ..page })
    }

    /// An article in a list of articles.
    fn listed(&self, entry: &Entry, words: &'static Words, mark: &Value, pinned: bool) -> String {
        let (item, page) = (Item::new(&self.channel, entry), self.channel.permalink(&entry.permalink()));
        let html = &entry.content.html;
        let is_whole = item.stated_title.is_none() || body::is_picture(html);
        let is_note = is_whole && !entry.content.brief && html.len() <= LONGEST_NOTE;
        let text = || body::within_list(entry.content.page_html(), &words.texts);
        let note = is_note.then(|| Value::from_safe_string(self.pictures(entry).within(&text(), true)));
        let view = Value::from(Serde(self.entry_view(entry, &item, &page, words)));
        self.templates.render(
            "entry.html",
            context! { entry => view, note, mark, pinned => pinned.then_some(&words.texts.pinned) },
        )
    }

    fn pictures<'a>(&'a self, entry: &'a Entry) -> Pictures<'a> {
        let media = entry.content.image.iter().chain(&entry.content.pictures).collect();
        Pictures { media, scaled: self.scaled.as_deref() }
    }

    fn group(&self, kind: ViewKind, views: &[ViewSummary]) -> Option<Group> {
        let links = self.view_links(views.iter().filter(|summary| summary.view.kind == kind));
        let address = self.channel.url(&format!("{}/", kind.root()));
        let texts = &self.channel.words().texts;
        let all = [&texts.all_sections, &texts.all_tags, &texts.all_authors, &texts.all_series, &texts.all_languages];
        let all = kind.choose(all);
        (!links.is_empty()).then_some(Group { name: texts.plural(kind), root: kind.root(), all, address, links })
    }

    /// Links to views with the numbers of their articles: those with a place by it, then the others in natural order.
    fn view_links<'a>(&self, views: impl Iterator<Item = &'a ViewSummary>) -> Vec<Link> {
        let link = |summary: &ViewSummary| Link {
            name: summary
                .title
                .clone()
                .unwrap_or_else(|| summary.view.label(self.channel.shown_name(&summary.view, &summary.name))),
            address: self.channel.url(&summary.view.path()),
            count: Some(summary.members),
            language: (summary.view.kind == ViewKind::Language).then(|| summary.name.clone()),
        };
        let place = |summary: &ViewSummary| (summary.order.is_none(), summary.order);
        let mut links: Vec<_> = views.map(|summary| (place(summary), link(summary))).collect();
        links.sort_by(|(place, one), (other_place, other)| {
            place.cmp(other_place).then_with(|| natural::compare(&one.name, &other.name))
        });
        links.into_iter().map(|(_, link)| link).collect()
    }

    /// The breadcrumbs of a view: the list of its kind, then each folder above it.
    fn above(&self, view: &View) -> Vec<Link> {
        let kind = view.kind;
        let mut links = vec![Link {
            name: self.channel.words().texts.plural(kind).to_owned(),
            address: self.channel.url(&format!("{}/", kind.root())),
            count: None,
            language: None,
        }];
        for (end, _) in view.key.match_indices('/') {
            let folder = View { kind, key: view.key[..end].to_owned() };
            let name = folder.key.rsplit('/').next().unwrap_or_default().to_owned();
            links.push(Link { name, address: self.channel.url(&folder.path()), count: None, language: None });
        }
        links
    }

    fn view_link(&self, kind: ViewKind, name: &str) -> Option<Link> {
        let address = self.channel.url(&View::named(kind, name)?.path());
        Some(Link { name: name.to_owned(), address, count: None, language: None })
    }

    fn entry_view<'a>(
        &'a self,
        entry: &Entry,
        item: &'a Item<'a>,
        page: &'a str,
        words: &'static Words,
    ) -> EntryView<'a> {
        let host = |url: &str| url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        // The author of the site, who is named for articles without authors, has no page.
        let own = std::slice::from_ref(&self.channel.author);
        let author = |person: &Person| self.view_link(ViewKind::Author, &person.name);
        let authors = if item.authors == own { Vec::new() } else { item.authors.iter().filter_map(author).collect() };
        let (language, direction) = self.language(item.language);
        // People do not care about a change on the day of publication.
        let later = item.updated.date_naive() > item.published.date_naive();
        let recording = item.enclosures.iter().find(|media| media.plays());
        EntryView {
            title: item.title,
            is_untitled: item.stated_title.is_none(),
            url: &item.url,
            page,
            comments: item.comments,
            elsewhere: item.page.is_some().then(|| host(&item.url)).flatten(),
            is_link_post: link_post::is_one(&entry.content),
            authors,
            published: words.day(item.published),
            updated: later.then(|| words.day(item.updated)),
            summary: item.summary,
            tags: item.tags.iter().filter_map(|tag| self.view_link(ViewKind::Tag, tag)).collect(),
            language,
            direction,
            plays: recording
                .map(|media| if media.medium() == "video" { words.texts.video.as_str() } else { &words.texts.audio }),
        }
    }

    /// JSON-LD of the site (schema.org `WebSite`).
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

    /// JSON-LD of a list of articles with its breadcrumbs (schema.org `CollectionPage`).
    fn collection(&self, head: &Head, above: &[Link]) -> serde_json::Value {
        let above = above.iter().map(|link| (link.name.as_str(), Some(link.address.as_str())));
        json!({
            "@context": "https://schema.org",
            "@type": "CollectionPage",
            "name": head.name,
            "description": head.description,
            "url": head.address,
            "isPartOf": self.site_data(),
            "breadcrumb": self.breadcrumbs(above),
        })
    }

    /// JSON-LD of an article (schema.org `Article`).
    fn article_data(&self, item: &Item<'_>, page: &str, surroundings: &Surroundings) -> serde_json::Value {
        let person = |person: &Person| {
            // The name of the site stands for authors that are not named, and a site is not a person.
            let kind = if person.name == self.channel.title { "Organization" } else { "Person" };
            json!({ "@type": kind, "name": person.name, "url": person.url })
        };
        let license_of_site = self.channel.statements.license.as_ref().filter(|_| !item.has_own_rights);
        let license = item.license.as_ref().or(license_of_site);
        json!({
            "@context": "https://schema.org",
            "@type": "Article",
            "headline": item.title,
            "description": item.summary,
            "datePublished": words::machine_date(item.published),
            "dateModified": words::machine_date(item.updated),
            "author": item.authors.iter().map(person).collect::<Vec<_>>(),
            "publisher": { "@type": "Organization", "name": self.channel.title, "url": self.channel.base_url },
            "mainEntityOfPage": page,
            "isPartOf": { "@type": "WebPage", "url": page, "breadcrumb": self.article_breadcrumbs(surroundings, item.title) },
            "url": item.url,
            "inLanguage": item.language.unwrap_or(&self.channel.language),
            "image": item.image.map(|image| image.url.as_str()),
            "keywords": item.tags,
            "license": license.map(|license| license.address.as_str()),
            "copyrightNotice": item.copyright.or(self.channel.statements.copyright.as_deref()),
            "associatedMedia": item.enclosures.iter().copied().map(media_data).collect::<Vec<_>>(),
        })
    }

    /// The variables of the site on a page, which may state rights of its own.
    fn site_on(&self, head: &Head) -> Value {
        let (copyright, license) = (&head.copyright, &head.license);
        let mut site = self.site.clone();
        if let Some(copyright) = copyright {
            site = context! { copyright, ..site };
        }
        if head.has_own_rights {
            site = context! { license => Value::from(Serde(license)), ..site };
        }
        site
    }

    /// Renders a page with the context that all pages share.
    fn render(&self, name: &str, head: &Head, page: Value) -> String {
        let channel = &self.channel;
        let links = |(place, title): &(String, String)| {
            let link = |format: &FeedFormat| FeedLink {
                name: format.label,
                title: format!("{title} ({})", format.label),
                address: channel.url(&format!("{place}{}", format.file)),
                media_type: format.bare_media_type(),
            };
            self.formats.iter().map(link).collect::<Vec<_>>()
        };
        let feeds: Vec<Vec<FeedLink>> = head.feeds.iter().map(links).collect();
        let direction = words::direction(&head.language);
        let words = self.words_for(&head.language);
        // Own pages, files and assets come from the host that sent the page; an address that people copy is whole.
        let whole = context! {
            site => self.site_on(head),
            head => Value::from(Serde(head)),
            direction,
            locale => words::locale(&head.language),
            words => Value::from(Serde(&words.texts)),
            mark => mark(words, &head.language),
            data => head.data.clone().map(linked_data),
            menu => self.menu_links(head),
            feeds => Value::from(Serde(feeds.first())),
            all_feeds => Value::from(Serde(feeds.iter().flatten().collect::<Vec<_>>())),
            ..page
        };
        let channel = &self.channel;
        body::with_paths(&self.templates.render(name, whole), &channel.base_url, channel.base_path())
    }
}

/// The attributes that mark the program's own words on a page in another language.
fn mark(words: &Words, language: &str) -> Value {
    let mark = match words::direction(words.language) {
        _ if words.are_in(language) => String::new(),
        direction if direction == words::direction(language) => format!(" lang=\"{}\"", words.language),
        direction => format!(" lang=\"{}\" dir=\"{direction}\"", words.language),
    };
    Value::from_safe_string(mark)
}

/// Path of the page whose feeds the page at `place` offers: an archive never gets new entries, so its page offers the main feed.
fn subscribable(place: &str) -> &str {
    if place.starts_with("archive/") { "" } else { place }
}

fn attachment<'a>(media: &'a Media, words: &'static Words) -> PageAttachment<'a> {
    let texts = &words.texts;
    let (medium, kind) = match media.medium() {
        "audio" => ("audio", &texts.audio),
        "video" => ("video", &texts.video),
        _ => ("file", &texts.file),
    };
    let parts = [media.duration.map(|seconds| words.duration(seconds)), media.length.map(|bytes| words.size(bytes))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let (title, words) = (media.title.as_deref(), parts.join(&texts.comma));
    PageAttachment { url: &media.url, title, medium, kind, words, size: media.size }
}

/// What search engines and other sites say of an article: its summary, or its text if that is too short to have one; of a picture without words
/// its title.
fn description(item: &Item<'_>, entry: &Entry) -> String {
    let text = || body::text_of(entry.content.page_html());
    let described = item.summary.map_or_else(text, str::to_owned);
    let of_picture = || item.image.and_then(|image| image.title.as_deref()).unwrap_or(item.title).to_owned();
    Some(described).filter(|described| !described.is_empty()).unwrap_or_else(of_picture)
}

/// Season, number and kind of an episode in words.
fn episode(episode: &Episode, words: &Words) -> String {
    let texts = &words.texts;
    let numbered = |text: &str, number: u32| words::fill(text, &[("number", &number.to_string())]);
    let kind = episode.kind.as_deref().and_then(|kind| match kind {
        "trailer" => Some(texts.trailer.clone()),
        "bonus" => Some(texts.bonus.clone()),
        _ => None,
    });
    let parts = [
        episode.season.map(|number| numbered(&texts.season, number)),
        episode.number.map(|number| numbered(&texts.episode, number)),
        kind,
        episode.explicit.filter(|explicit| *explicit).map(|_| texts.explicit.clone()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(&texts.comma)
}

/// JSON-LD of a recording (schema.org `AudioObject`, `VideoObject` or `MediaObject`).
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

/// JSON-LD for a `<script>` element, whose end no text in it may look like.
fn linked_data(data: serde_json::Value) -> Value {
    Value::from_safe_string(without_empty(data).to_string().replace('<', "\\u003c"))
}

/// Adds a member, if there is one.
fn with_member(mut data: serde_json::Value, name: &str, member: Option<serde_json::Value>) -> serde_json::Value {
    if let (Some(map), Some(member)) = (data.as_object_mut(), member) {
        map.insert(name.to_owned(), member);
    }
    data
}

/// Drops members that are null or an empty list.
fn without_empty(value: serde_json::Value) -> serde_json::Value {
    let is_empty = |value: &serde_json::Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match value {
        serde_json::Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !is_empty(value))
            .map(|(key, value)| (key, without_empty(value)))
            .collect(),
        serde_json::Value::Array(list) => list.into_iter().map(without_empty).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
