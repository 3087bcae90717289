//! Atom 1.0 (RFC 4287), by the `atom_syndication` crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, FixedDateTime, Generator, Link, Person, Text, TextType, WriteConfig};
use chrono::{DateTime, SecondsFormat, Utc};

use super::extension::{self, Element};
use super::pieces::{self, Form, MARK, Piece};
use super::{Feed, GENERATOR, Item};
use crate::model::entry::{self, Media};
use crate::model::taxonomy::ViewKind;

/// Name of the document.
pub const PATH: &str = "atom.xml";

/// Its media type.
pub const MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";

/// The crate's own declaration does not name the encoding.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// Renders the feed. `created` dates a feed that nothing was ever in.
pub fn render(feed: &Feed<'_>, created: DateTime<Utc>) -> String {
    let channel = feed.channel;
    let scheme = channel.url(&format!("{}/", ViewKind::Tag.root()));
    let pieces = feed.pieces(Form::Atom, |entry| piece(self::entry(&Item::new(channel, entry), &scheme)));
    let own = [("self", feed.url(PATH))];
    let links = own.into_iter().chain(feed.neighbours(PATH));
    let links = links.map(|(relation, href)| link(relation, &href, Some("application/atom+xml")));
    let elements: Vec<Element> = extension::history(feed.history).into_iter().chain(tombstones(feed)).collect();
    let document = atom_syndication::Feed {
        title: text(&feed.title, None),
        subtitle: Some(text(&feed.description, None)).filter(|subtitle| !subtitle.value.is_empty()),
        id: feed.id.to_string(),
        updated: date(feed.updated(created)),
        authors: vec![person(&channel.author)],
        generator: Some(Generator { value: GENERATOR.into(), ..Generator::default() }),
        links: links.chain([link("alternate", &feed.page(), Some("text/html"))]).collect(),
        lang: Some(channel.language.clone()).filter(|language| !language.is_empty()),
        namespaces: namespaces(&pieces, &elements),
        entries: vec![atom_syndication::Entry { id: MARK.into(), ..atom_syndication::Entry::default() }],
        ..atom_syndication::Feed::default()
    };
    // The feed's own elements stand before its first entry: behind it, where the crate would write them, the schema of RFC 4287
    // has no place for them (standards 68).
    let own: String = elements.iter().map(|element| element.xml() + "\n").collect();
    let frame = format!("{DECLARATION}{}{}\n", channel.stylesheet(), written(&document));
    let place = pieces::marked(&frame, "entry").expect("an entry was put there");
    let frame = format!("{}{own}{}", &frame[..place.start], &frame[place.start..]);
    pieces::filled(&frame, place.start + own.len()..place.end + own.len(), &pieces)
}

/// The crate writes the offset of UTC as "+00:00"; readers are surest of "Z" (standards 50). Only dates end so.
fn written(document: &atom_syndication::Feed) -> String {
    let config = WriteConfig { write_document_declaration: false, indent_size: Some(0) };
    let bytes = document.write_with_config(Vec::new(), config).expect("writing to memory cannot fail");
    let text = String::from_utf8(bytes).expect("the crate writes UTF-8");
    text.replace("+00:00</updated>", "Z</updated>").replace("+00:00</published>", "Z</published>")
}

fn piece(entry: atom_syndication::Entry) -> Piece {
    let prefixes = entry.extensions.keys().cloned().collect();
    let alone = atom_syndication::Feed { entries: vec![entry], ..atom_syndication::Feed::default() };
    Piece { text: pieces::only(&written(&alone), "entry").to_owned(), prefixes }
}

/// What was deleted (RFC 6721 section 3).
fn tombstones(feed: &Feed<'_>) -> impl Iterator<Item = Element> {
    feed.tombstones.iter().map(|tombstone| {
        let when = tombstone.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        Element::new("at:deleted-entry", [("ref", Some(tombstone.id.to_string())), ("when", Some(when))])
    })
}

fn namespaces(pieces: &[Arc<Piece>], elements: &[Element]) -> BTreeMap<String, String> {
    let used = |prefix: &str| {
        elements.iter().any(|element| element.prefix() == prefix)
            || pieces.iter().any(|piece| piece.prefixes.iter().any(|used| used == prefix))
    };
    let all = [extension::HISTORY, extension::TOMBSTONES, extension::MEDIA];
    let used = all.into_iter().filter(|(prefix, _)| used(prefix));
    used.map(|(prefix, address)| (prefix.to_owned(), address.to_owned())).collect()
}

fn entry(item: &Item<'_>, scheme: &str) -> atom_syndication::Entry {
    let category = |tag: &String| Category { term: tag.clone(), scheme: Some(scheme.to_owned()), label: None };
    // What a page elsewhere is made of is not ours to say.
    let mut links = vec![link("alternate", &item.url, item.page.is_none().then_some("text/html"))];
    // Where the text was first; `source` is for copies of whole entries.
    links.extend(item.page.is_some().then(|| link("via", &item.url, None)));
    links.extend(item.enclosures.iter().map(enclosure));
    atom_syndication::Entry {
        title: text(item.title, item.language),
        id: item.id.to_string(),
        updated: date(item.updated),
        published: Some(date(item.published)),
        authors: item.authors.iter().map(person).collect(),
        categories: item.tags.iter().map(category).collect(),
        links,
        summary: item.summary.map(|summary| text(summary, item.language)),
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

/// With length and type (standards 57).
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
