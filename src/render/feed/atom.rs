//! Atom 1.0 (RFC 4287), written by the `atom_syndication` crate.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, FixedDateTime, Generator, Link, Person, Text, TextType, WriteConfig};
use chrono::{DateTime, SecondsFormat, Utc};

use super::channel::GENERATOR;
use super::document::Feed;
use super::extension::{self, Element};
use super::format::FeedFormat;
use super::fragment::{Fragment, Frame};
use super::item::Item;
use crate::model::entry::{self, Media};
use crate::model::taxonomy::ViewKind;
use crate::model::text::escape;

/// Atom 1.0.
pub const FORMAT: FeedFormat = FeedFormat {
    name: "atom",
    label: "Atom",
    file: FILE,
    media_type: "application/atom+xml; charset=utf-8",
    aliases: &["atom", "atom/", "feed.atom"],
    opml_version: None,
    is_recommended: true,
    render,
};

const FILE: &str = "atom.xml";

/// The crate's own declaration does not name the encoding.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// The end of each document that the crate writes.
const TAIL: &str = "\n</feed>";

/// An empty feed, to be written around one entry.
static BARE: LazyLock<Frame> = LazyLock::new(|| Frame::new(to_xml(&atom_syndication::Feed::default()), TAIL));

fn render(feed: &Feed<'_>, created: DateTime<Utc>) -> String {
    let channel = feed.channel;
    let scheme = channel.url(&format!("{}/", ViewKind::Tag.root()));
    let entries = feed.fragments("atom", |entry| fragment(self::entry(&Item::new(channel, entry), &scheme)));
    let own = [("self", feed.url(FILE))];
    let links = own.into_iter().chain(feed.neighbours(FILE));
    let links = links.map(|(relation, href)| link(relation, &href, Some(FORMAT.bare_media_type())));
    // RFC 4946.
    let license = channel.statements.license.as_ref().map(|license| link("license", &license.address, None));
    let elements: Vec<Element> = extension::history(feed.history).into_iter().chain(tombstones(feed)).collect();
    let document = atom_syndication::Feed {
        title: text(&feed.title, None),
        subtitle: Some(text(&feed.description, None)).filter(|subtitle| !subtitle.value.is_empty()),
        id: feed.id.to_string(),
        updated: date(feed.updated(created)),
        authors: feed.authors().iter().map(person).collect(),
        icon: channel.icon(),
        logo: feed.image().map(|image| image.url.clone()).or_else(|| channel.logo()),
        rights: feed.copyright().map(|rights| text(rights, None)),
        generator: Some(Generator { value: GENERATOR.into(), ..Generator::default() }),
        links: links.chain([link("alternate", &feed.page(), Some("text/html"))]).chain(license).collect(),
        lang: Some(feed.language().to_owned()).filter(|language| !language.is_empty()),
        namespaces: namespaces(&entries, &elements),
        ..atom_syndication::Feed::default()
    };
    // The feed's own elements stand before its first entry: the crate would write them after the last one, where the schema of
    // RFC 4287 has no place for them (standards 68).
    let elements: Vec<String> = elements.iter().map(Element::xml).collect();
    let fragments = elements.iter().map(String::as_str).chain(entries.iter().map(|entry| entry.text.as_str()));
    Frame::new(to_xml(&document), TAIL).filled(&format!("{DECLARATION}{}", channel.stylesheet()), fragments)
}

/// Writes a document, with dates that end with "Z": some feed readers do not understand the crate's "+00:00" (standards 50). The crate
/// escapes each `<` in a text, so these end tags follow dates only.
fn to_xml(document: &atom_syndication::Feed) -> String {
    let config = WriteConfig { write_document_declaration: false, indent_size: Some(0) };
    let bytes = document.write_with_config(Vec::new(), config).expect("writing to memory cannot fail");
    let xml = String::from_utf8(bytes).expect("the crate writes UTF-8");
    xml.replace("+00:00</updated>", "Z</updated>").replace("+00:00</published>", "Z</published>")
}

fn fragment(entry: atom_syndication::Entry) -> Fragment {
    let prefixes = entry.extensions.keys().cloned().collect();
    let document = to_xml(&atom_syndication::Feed { entries: vec![entry], ..atom_syndication::Feed::default() });
    Fragment { text: BARE.entries_of(&document).to_owned(), prefixes }
}

/// Deleted entries (RFC 6721 section 3).
fn tombstones(feed: &Feed<'_>) -> impl Iterator<Item = Element> {
    feed.tombstones.iter().map(|tombstone| {
        let when = tombstone.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        Element::new("at:deleted-entry", [("ref", Some(tombstone.id.to_string())), ("when", Some(when))])
    })
}

fn namespaces(entries: &[Arc<Fragment>], elements: &[Element]) -> BTreeMap<String, String> {
    let used = |prefix: &str| {
        elements.iter().any(|element| element.prefix() == prefix)
            || entries.iter().any(|entry| entry.prefixes.iter().any(|used| used == prefix))
    };
    let all = [extension::HISTORY, extension::TOMBSTONES, extension::MEDIA];
    let used = all.into_iter().filter(|(prefix, _)| used(prefix));
    used.map(|(prefix, address)| (prefix.to_owned(), address.to_owned())).collect()
}

fn entry(item: &Item<'_>, scheme: &str) -> atom_syndication::Entry {
    let category = |tag: &String| Category { term: tag.clone(), scheme: Some(scheme.to_owned()), label: None };
    // The media type of a page on another site is unknown.
    let mut links = vec![link("alternate", &item.url, item.page.is_none().then_some("text/html"))];
    // The original of the text; `source` is for copies of whole entries.
    links.extend(item.page.is_some().then(|| link("via", &item.url, None)));
    // RFC 4685 section 4.
    links.extend(item.comments.map(|address| link("replies", address, Some("text/html"))));
    links.extend(item.license.iter().map(|license| link("license", &license.address, None)));
    links.extend(item.enclosures.iter().copied().map(enclosure));
    atom_syndication::Entry {
        title: text(item.title, item.language),
        id: item.id.to_string(),
        updated: date(item.updated),
        published: Some(date(item.published)),
        authors: item.authors.iter().map(person).collect(),
        categories: item.tags.iter().map(category).collect(),
        links,
        rights: item.copyright.map(|rights| text(rights, None)),
        summary: item.summary.map(|words| summary(words, item)),
        content: item.html.map(|html| Content {
            value: Some(html.to_owned()),
            content_type: Some("html".into()),
            lang: item.language.map(str::to_owned),
            ..Content::default()
        }),
        extensions: map(extension::pictures(item)),
        ..atom_syndication::Entry::default()
    }
}

/// The summary beside the text. rss2email prefers plain text to HTML, and would show a plain summary in place of the article.
fn summary(words: &str, item: &Item<'_>) -> Text {
    let plain = text(words, item.language);
    match item.html {
        Some(_) => Text { value: escape(words), r#type: TextType::Html, ..plain },
        None => plain,
    }
}

fn text(value: &str, language: Option<&str>) -> Text {
    Text { value: value.to_owned(), lang: language.map(str::to_owned), base: None, r#type: TextType::Text }
}

fn person(person: &entry::Person) -> Person {
    Person { name: person.name.clone(), email: person.email.clone(), uri: person.url.clone(), ..Person::default() }
}

fn link(relation: &str, href: &str, media_type: Option<&str>) -> Link {
    Link {
        href: href.to_owned(),
        rel: relation.to_owned(),
        mime_type: media_type.map(str::to_owned),
        ..Link::default()
    }
}

/// A recording, with length and type (standards 57).
fn enclosure(media: &Media) -> Link {
    Link {
        length: media.length.map(|length| length.to_string()),
        title: media.title.clone(),
        ..link("enclosure", &media.url, Some(extension::bare_type(media)))
    }
}

fn date(date: DateTime<Utc>) -> FixedDateTime {
    date.fixed_offset()
}

fn map(elements: Vec<Element>) -> ExtensionMap {
    extension::map(elements, &|name, value, attrs, children| Extension { name, value, attrs, children })
}
