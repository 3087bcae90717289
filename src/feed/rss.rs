//! RSS 2.0, by the `rss` crate and the RSS Advisory Board's profile.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Guid};

use super::{Channel, GENERATOR, Item, updated};
use crate::entry::{Entry, escape};

/// Where the document is, below the site's address.
pub const PATH: &str = "rss.xml";

/// Its media type.
pub const MEDIA_TYPE: &str = "application/rss+xml; charset=utf-8";

/// Renders the feed. `created` dates a feed that has no entry yet.
pub fn render(channel: &Channel, entries: &[Arc<Entry>], created: DateTime<Utc>) -> String {
    let items: Vec<rss::Item> = entries.iter().map(|entry| item(&Item::new(channel, entry))).collect();
    let mut namespaces = BTreeMap::from([("atom".to_owned(), "http://www.w3.org/2005/Atom".to_owned())]);
    if items.iter().any(|item| item.content.is_some()) {
        namespaces.insert("content".into(), "http://purl.org/rss/1.0/modules/content/".into());
    }
    if !items.is_empty() {
        namespaces.insert("dc".into(), "http://purl.org/dc/elements/1.1/".into());
    }
    let document = rss::Channel {
        title: channel.title.clone(),
        link: channel.base_url.clone(),
        description: channel.description.clone(),
        language: Some(channel.language.clone()).filter(|language| !language.is_empty()),
        last_build_date: Some(date(updated(entries, created))),
        generator: Some(GENERATOR.into()),
        docs: Some("https://www.rssboard.org/rss-specification".into()),
        extensions: self_link(&channel.url(PATH)),
        namespaces,
        items,
        ..rss::Channel::default()
    };
    let bytes = document.pretty_write_to(Vec::new(), b' ', 0).expect("writing to memory cannot fail");
    let mut text = String::from_utf8(bytes).expect("the crate writes UTF-8");
    text.push('\n');
    text
}

fn item(item: &Item<'_>) -> rss::Item {
    // With a summary, the description is the summary and the whole text is content:encoded; else the description is the
    // whole text (profile 5.2.1). Both are HTML.
    let summary = item.summary.map(escape);
    let html = item.html.map(str::to_owned);
    let (description, content) = if summary.is_some() { (summary, html) } else { (html, None) };
    rss::Item {
        title: Some(item.title.to_string()),
        link: Some(item.url.to_string()),
        description,
        content,
        categories: item.tags.iter().map(|tag| Category { name: tag.clone(), domain: None }).collect(),
        guid: Some(Guid { value: item.guid.to_string(), permalink: false }),
        pub_date: Some(date(item.published)),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: item.authors.iter().map(|person| person.name.clone()).collect(),
            ..DublinCoreExtension::default()
        }),
        ..rss::Item::default()
    }
}

/// RFC 822 with a four-figure year, in UTC: the form that every reader takes (profile 3.2).
pub fn date(date: DateTime<Utc>) -> String {
    date.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// `<atom:link rel="self">`, written as a plain extension: the crate's own type for it would bring in all of its builders.
fn self_link(href: &str) -> ExtensionMap {
    let attributes = [("href", href), ("rel", "self"), ("type", "application/rss+xml")];
    let link = Extension {
        name: "atom:link".into(),
        attrs: attributes.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        ..Extension::default()
    };
    ExtensionMap::from([("atom".into(), BTreeMap::from([("link".into(), vec![link])]))])
}
