//! JSON Feed 1.1.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{Channel, Item};
use crate::entry::{Entry, Person};

/// Where the document is, below the site's address.
pub const PATH: &str = "feed.json";

/// Its media type.
pub const MEDIA_TYPE: &str = "application/feed+json";

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    #[serde(rename = "feed_url")]
    own_url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
    authors: Vec<Author<'a>>,
    items: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonItem<'a> {
    id: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_url: Option<&'a str>,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    /// A feed of summaries: an item must have one content or the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    date_published: String,
    date_modified: String,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

/// Renders the feed.
pub fn render(channel: &Channel, entries: &[Arc<Entry>]) -> String {
    let items: Vec<Item<'_>> = entries.iter().map(|entry| Item::new(channel, entry)).collect();
    let feed = Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: &channel.title,
        home_page_url: &channel.base_url,
        own_url: channel.url(PATH),
        description: &channel.description,
        language: &channel.language,
        authors: vec![author(&channel.author)],
        items: items.iter().map(item).collect(),
    };
    let mut text = serde_json::to_string(&feed).expect("texts and lists can always be written as JSON");
    text.push('\n');
    text
}

fn item<'a>(item: &'a Item<'a>) -> JsonItem<'a> {
    JsonItem {
        id: item.guid,
        url: item.page.as_deref().unwrap_or(&item.url),
        external_url: item.page.is_some().then_some(&item.url),
        title: item.title,
        content_html: item.html,
        content_text: item.summary.filter(|_| item.html.is_none()),
        summary: item.summary,
        date_published: date(item.published),
        date_modified: date(item.updated),
        authors: item.authors.iter().map(author).collect(),
        tags: item.tags,
        language: item.language,
    }
}

fn author(person: &Person) -> Author<'_> {
    Author { name: &person.name, url: person.url.as_deref() }
}

fn date(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Secs, true)
}
