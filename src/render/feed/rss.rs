//! RSS 2.0 by the RSS Advisory Board's profile, written by the `rss` crate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::itunes::{ITunesCategory, ITunesChannelExtension, ITunesItemExtension, ITunesOwner};
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Enclosure, Guid};

use super::blogroll;
use super::channel::GENERATOR;
use super::document::Feed;
use super::extension::{self, Element};
use super::format::FeedFormat;
use super::fragment::{Fragment, Frame};
use super::item::Item;
use super::statements::LicenseLink;
use crate::model::entry::{Media, Person};
use crate::model::taxonomy::ViewKind;
use crate::model::text::escape;
use crate::render::markdown::from_html;

/// RSS 2.0.
pub const FORMAT: FeedFormat = FeedFormat {
    name: "rss",
    label: "RSS",
    file: FILE,
    media_type: "application/rss+xml; charset=utf-8",
    aliases: &["feed", "feed/", "feed.xml", "index.xml", "index.rss", "rss", "rss/", "feed.rss", "rss/feed.xml"],
    opml_version: Some("RSS2"),
    is_recommended: false,
    render,
};

const FILE: &str = "rss.xml";

/// The end of each document that the crate writes.
const TAIL: &str = "\n</channel>\n</rss>";

/// All namespaces that a document may use, under their customary prefixes (standards 21).
const NAMESPACES: [(&str, &str); 8] = [
    extension::ATOM,
    extension::CONTENT,
    extension::DC,
    extension::HISTORY,
    extension::MEDIA,
    extension::ITUNES,
    extension::PODCAST,
    extension::SOURCE,
];

/// An empty channel, to be written around one item. It declares all namespaces, so an item adds none.
static BARE: LazyLock<Frame> = LazyLock::new(|| Frame::new(to_xml(&bare(Vec::new())), TAIL));

fn render(feed: &Feed<'_>, created: DateTime<Utc>) -> String {
    let channel = feed.channel;
    let podcast = feed.is_podcast;
    let scheme = channel.url(&format!("{}/", ViewKind::Tag.root()));
    let has_markdown = has_room_for_markdown(feed);
    let kind = match (podcast, has_markdown) {
        (false, true) => "rss",
        (false, false) => "rss without Markdown",
        (true, true) => "rss podcast",
        (true, false) => "rss podcast without Markdown",
    };
    let items = feed.fragments(kind, |entry| {
        let item = Item::new(channel, entry);
        let markdown = if has_markdown { markdown(&item) } else { None };
        fragment(self::item(&item, &scheme, podcast, markdown))
    });
    let elements = channel_elements(feed, podcast);
    let document = rss::Channel {
        title: feed.title.to_string(),
        link: feed.page(),
        description: feed.description.to_string(),
        language: Some(feed.language().to_owned()).filter(|language| !language.is_empty()),
        copyright: feed.copyright().map(str::to_owned),
        image: feed.image().map(|image| image.url.clone()).or_else(|| channel.image()).map(|url| rss::Image {
            url,
            title: feed.title.to_string(),
            link: feed.page(),
            ..rss::Image::default()
        }),
        last_build_date: Some(date(feed.updated(created))),
        generator: Some(GENERATOR.into()),
        docs: Some("https://www.rssboard.org/rss-specification".into()),
        namespaces: namespaces(&items, &elements, podcast),
        extensions: map(elements),
        itunes_ext: podcast.then(|| itunes_channel(feed)),
        ..rss::Channel::default()
    };
    let xml = self_closed(&to_xml(&document), &EMPTY_IN_CHANNEL);
    let (declaration, channel_xml) = xml.split_once("?>").expect("the crate writes a declaration");
    let before = format!("{declaration}?>\n{}", channel.stylesheet());
    let frame = Frame::new(channel_xml.trim_ascii_start().to_owned(), TAIL);
    frame.filled(&before, items.iter().map(|item| item.text.as_str()))
}

/// Whether the texts fit into the feed twice. A text in Markdown must not cost readers an entry; a longer one than the HTML is left out.
fn has_room_for_markdown(feed: &Feed<'_>) -> bool {
    // Escaping only makes them longer.
    let least: u64 = feed.entries.iter().map(|entry| entry.content.html.len() as u64).sum();
    if least.saturating_mul(2) > feed.channel.limits.max_bytes {
        return false;
    }
    let bytes: u64 = feed.entries.iter().map(|entry| u64::try_from(entry.content.max_bytes()).unwrap_or(0)).sum();
    bytes.saturating_mul(2) <= feed.channel.limits.max_bytes
}

/// The text in Markdown, for readers that edit or quote it (`source:markdown`).
fn markdown(item: &Item<'_>) -> Option<Element> {
    let html = item.html?;
    let markdown = from_html(html);
    let is_shorter = escape(&markdown).len() <= escape(html).len();
    Some(Element::text("source:markdown", markdown.trim_end())).filter(|_| is_shorter && !markdown.is_empty())
}

fn bare(items: Vec<rss::Item>) -> rss::Channel {
    let namespaces = NAMESPACES.map(|(prefix, address)| (prefix.to_owned(), address.to_owned())).into();
    rss::Channel { namespaces, items, ..rss::Channel::default() }
}

fn to_xml(document: &rss::Channel) -> String {
    let bytes = document.pretty_write_to(Vec::new(), b' ', 0).expect("writing to memory cannot fail");
    String::from_utf8(bytes).expect("the crate writes UTF-8")
}

/// Shortens elements of these names, which are always empty, to one tag: the crate breaks the line within them. Only markup
/// is changed: in texts the crate escapes each `<`, and CDATA sections are copied.
fn self_closed(xml: &str, names: &[&str]) -> String {
    const CDATA: (&str, &str) = ("<![CDATA[", "]]>");
    let shorten = |markup: &str| {
        names.iter().fold(markup.to_owned(), |markup, name| markup.replace(&format!(">\n</{name}>"), "/>"))
    };
    let mut shortened = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(start) = rest.find(CDATA.0) {
        let end = rest[start..].find(CDATA.1).map_or(rest.len(), |length| start + length + CDATA.1.len());
        shortened.push_str(&shorten(&rest[..start]));
        shortened.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    shortened.push_str(&shorten(rest));
    shortened
}

fn fragment(item: rss::Item) -> Fragment {
    let own = [("content", item.content.is_some()), ("dc", item.dublin_core_ext.is_some())];
    let own = own.into_iter().filter(|(_, is_used)| *is_used).map(|(prefix, _)| prefix.to_owned());
    let prefixes: Vec<String> = item.extensions.keys().cloned().chain(own).collect();
    let empty: Vec<&str> = EMPTY_IN_ITEMS.into_iter().filter(|name| is_of(name, &prefixes)).collect();
    let document = to_xml(&bare(vec![item]));
    let xml = BARE.entries_of(&document);
    Fragment { text: if empty.is_empty() { xml.to_owned() } else { self_closed(xml, &empty) }, prefixes }
}

/// Whether an element's prefix is one of these.
fn is_of(name: &str, prefixes: &[String]) -> bool {
    name.split_once(':').is_some_and(|(prefix, _)| prefixes.iter().any(|used| used == prefix))
}

const EMPTY_IN_CHANNEL: [&str; 3] = ["atom:link", "fh:complete", "fh:archive"];
const EMPTY_IN_ITEMS: [&str; 4] = ["atom:link", "media:thumbnail", "podcast:transcript", "podcast:chapters"];

/// The namespaces that the document uses.
fn namespaces(items: &[Arc<Fragment>], channel: &[Element], podcast: bool) -> BTreeMap<String, String> {
    let mut used: BTreeSet<&str> = channel.iter().map(Element::prefix).collect();
    used.extend(items.iter().flat_map(|item| item.prefixes.iter().map(String::as_str)));
    used.extend(podcast.then_some("itunes"));
    let used = NAMESPACES.into_iter().filter(|(prefix, _)| used.contains(prefix));
    used.map(|(prefix, address)| (prefix.to_owned(), address.to_owned())).collect()
}

/// The link of RFC 4946 to the licence, and for podcasts their own element.
fn license(license: Option<&LicenseLink>, podcast: bool) -> impl Iterator<Item = Element> {
    let link = license.map(|license| {
        let (href, rel) = (Some(license.address.clone()), Some("license".to_owned()));
        Element::new("atom:link", [("href", href), ("rel", rel)])
    });
    let of_podcast = license.filter(|_| podcast).map(|license| {
        let name = license.identifier.as_ref().unwrap_or(&license.name);
        let mut element = Element::text("podcast:license", name.clone());
        element.attributes.insert("url".into(), license.address.clone());
        element
    });
    link.into_iter().chain(of_podcast)
}

fn channel_elements(feed: &Feed<'_>, podcast: bool) -> Vec<Element> {
    let own = [("self", feed.url(FILE))];
    let links = own.into_iter().chain(feed.neighbours(FILE)).map(|(relation, href)| {
        let media_type = Some(FORMAT.bare_media_type().to_owned());
        Element::new("atom:link", [("href", Some(href)), ("rel", Some(relation.to_owned())), ("type", media_type)])
    });
    let guid = feed.guid.filter(|_| podcast).map(|guid| Element::text("podcast:guid", guid));
    let statements = license(feed.channel.statements.license.as_ref(), podcast);
    links
        .chain(statements)
        .chain(blogroll::element(feed.channel))
        .chain(extension::history(feed.history))
        .chain(guid)
        .collect()
}

fn item(item: &Item<'_>, scheme: &str, podcast: bool, markdown: Option<Element>) -> rss::Item {
    // With a summary, the description is the summary and the whole text is content:encoded; else the description is the
    // whole text (profile 5.2.1). Both are HTML.
    let summary = item.summary.map(escape);
    let html = item.html.map(str::to_owned);
    let (description, content) = if summary.is_some() { (summary, html) } else { (html, None) };
    // An item has a title or a description (RSS 2.0, "Elements of <item>").
    let title = item.stated_title.or_else(|| description.is_none().then_some(item.title));
    let category = |tag: &String| Category { name: tag.clone(), domain: Some(scheme.to_owned()) };
    let episode = if podcast { extension::podcast(item) } else { Vec::new() };
    let license = license(item.license.as_ref(), podcast);
    let recording = item.enclosures.first().copied();
    rss::Item {
        title: title.map(str::to_owned),
        link: Some(item.url.to_string()),
        description,
        content,
        comments: item.comments.map(str::to_owned),
        categories: item.tags.iter().map(category).collect(),
        enclosure: recording.map(enclosure),
        guid: Some(Guid { value: item.guid.to_string(), permalink: false }),
        pub_date: Some(date(item.published)),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: vec![names(item.authors)],
            languages: item.language.map(str::to_owned).into_iter().collect(),
            // The original of the text; RSS's own `source` names a feed.
            sources: item.page.is_some().then(|| item.url.to_string()).into_iter().collect(),
            rights: item.copyright.map(str::to_owned).into_iter().collect(),
            ..DublinCoreExtension::default()
        }),
        itunes_ext: recording.filter(|_| podcast).map(|recording| itunes_item(item, recording)),
        extensions: map(extension::pictures(item).into_iter().chain(episode).chain(license).chain(markdown).collect()),
        ..rss::Item::default()
    }
}

/// The names of all authors in one text: many libraries read only one of several `dc:creator`.
fn names(authors: &[Person]) -> String {
    authors.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A recording. An unknown length is written as 0 (profile 4.1.1.20.5).
fn enclosure(media: &Media) -> Enclosure {
    Enclosure {
        url: media.url.clone(),
        length: media.length.unwrap_or(0).to_string(),
        mime_type: extension::bare_type(media).to_owned(),
    }
}

fn itunes_channel(feed: &Feed<'_>) -> ITunesChannelExtension {
    let author = &feed.channel.author;
    let about = feed.about;
    let owner = about.and_then(|about| about.owner.as_ref()).unwrap_or(author);
    let is_explicit = about.and_then(|about| about.explicit);
    let explicit =
        |entry: &crate::model::entry::Entry| entry.content.episode.as_ref().and_then(|episode| episode.explicit);
    ITunesChannelExtension {
        author: Some(names(feed.authors())),
        categories: about.map(|about| categories(&about.categories)).unwrap_or_default(),
        r#type: about.and_then(|about| about.kind.clone()),
        image: feed.image().or_else(|| feed.cover()).map(|image| image.url.clone()),
        explicit: Some(
            is_explicit.unwrap_or_else(|| feed.entries.iter().any(|entry| explicit(entry) == Some(true))).to_string(),
        ),
        owner: owner
            .email
            .as_ref()
            .map(|email| ITunesOwner { name: Some(owner.name.clone()), email: Some(email.clone()) }),
        ..ITunesChannelExtension::default()
    }
}

/// Categories, each with its subcategory.
fn categories(all: &[(String, Option<String>)]) -> Vec<ITunesCategory> {
    let category = |(name, inner): &(String, Option<String>)| ITunesCategory {
        text: name.clone(),
        subcategory: inner.as_ref().map(|inner| Box::new(ITunesCategory { text: inner.clone(), subcategory: None })),
    };
    all.iter().map(category).collect()
}

fn itunes_item(item: &Item<'_>, recording: &Media) -> ITunesItemExtension {
    let episode = item.episode;
    ITunesItemExtension {
        author: Some(names(item.authors)),
        image: item.image.map(|image| image.url.clone()),
        duration: recording.duration.map(|seconds| seconds.to_string()),
        explicit: episode.and_then(|episode| episode.explicit).map(|explicit| explicit.to_string()),
        episode: episode.and_then(|episode| episode.number).map(|number| number.to_string()),
        season: episode.and_then(|episode| episode.season).map(|number| number.to_string()),
        episode_type: episode.and_then(|episode| episode.kind.clone()),
        ..ITunesItemExtension::default()
    }
}

/// RFC 822 with a four-digit year, in UTC: the form that all feed readers understand (profile 3.2).
pub fn date(date: DateTime<Utc>) -> String {
    date.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Elements as plain extensions: the crate's own type for `atom:link` needs its builders.
fn map(elements: Vec<Element>) -> ExtensionMap {
    extension::map(elements, &|name, value, attrs, children| Extension { name, value, attrs, children })
}
