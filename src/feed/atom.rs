//! Atom 1.0 (RFC 4287), by the `atom_syndication` crate.

use std::sync::Arc;

use atom_syndication::{Category, Content, Feed, FixedDateTime, Generator, Link, Person, Text, TextType, WriteConfig};
use chrono::{DateTime, Utc};

use super::{Channel, GENERATOR, Item, updated};
use crate::entry::{self, Entry};

/// Where the document is, below the site's address.
pub const PATH: &str = "atom.xml";

/// Its media type.
pub const MEDIA_TYPE: &str = "application/atom+xml; charset=utf-8";

/// The crate's own declaration does not name the encoding.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// Renders the feed. `created` dates a feed that has no entry yet.
pub fn render(channel: &Channel, entries: &[Arc<Entry>], created: DateTime<Utc>) -> String {
    let document = Feed {
        title: text(&channel.title, None),
        subtitle: Some(text(&channel.description, None)).filter(|subtitle| !subtitle.value.is_empty()),
        id: channel.id.clone(),
        updated: date(updated(entries, created)),
        authors: vec![person(&channel.author)],
        generator: Some(Generator { value: GENERATOR.into(), ..Generator::default() }),
        links: vec![
            link("self", &channel.url(PATH), Some("application/atom+xml")),
            link("alternate", &channel.base_url, Some("text/html")),
        ],
        lang: Some(channel.language.clone()).filter(|language| !language.is_empty()),
        entries: entries.iter().map(|entry| self::entry(&Item::new(channel, entry))).collect(),
        ..Feed::default()
    };
    let config = WriteConfig { write_document_declaration: false, indent_size: Some(0) };
    let bytes = document.write_with_config(Vec::new(), config).expect("writing to memory cannot fail");
    // The crate writes the offset of UTC as "+00:00"; readers are surest of "Z" (standards 50). Only dates end so.
    let text = String::from_utf8(bytes)
        .expect("the crate writes UTF-8")
        .replace("+00:00</updated>", "Z</updated>")
        .replace("+00:00</published>", "Z</published>");
    format!("{DECLARATION}{text}\n")
}

fn entry(item: &Item<'_>) -> atom_syndication::Entry {
    atom_syndication::Entry {
        title: text(item.title, item.language),
        id: item.id.to_string(),
        updated: date(item.updated),
        published: Some(date(item.published)),
        authors: item.authors.iter().map(person).collect(),
        categories: item.tags.iter().map(|tag| Category { term: tag.clone(), ..Category::default() }).collect(),
        // What a page elsewhere is made of is not ours to say.
        links: vec![link("alternate", &item.url, item.page.is_none().then_some("text/html"))],
        summary: item.summary.map(|summary| text(summary, item.language)),
        content: item.html.map(|html| Content {
            value: Some(html.to_owned()),
            content_type: Some("html".into()),
            lang: item.language.map(str::to_owned),
            ..Content::default()
        }),
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

fn date(date: DateTime<Utc>) -> FixedDateTime {
    date.fixed_offset()
}
