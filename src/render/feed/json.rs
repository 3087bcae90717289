//! JSON Feed 1.1, written by serde.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::document::{Feed, History};
use super::extension::bare_type;
use super::format::FeedFormat;
use super::fragment::Fragment;
use super::item::Item;
use crate::model::entry::{Media, Person};

/// JSON Feed 1.1.
pub const FORMAT: FeedFormat = FeedFormat {
    name: "json",
    label: "JSON Feed",
    file: FILE,
    media_type: "application/feed+json",
    aliases: &[],
    opml_version: None,
    is_recommended: false,
    render,
};

const FILE: &str = "feed.json";

#[derive(Serialize)]
struct JsonDocument<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: String,
    #[serde(rename = "feed_url")]
    own_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favicon: Option<String>,
    authors: Vec<Author<'a>>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    /// In a feed of summaries: an item must have one content or the other.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_in_seconds: Option<u32>,
}

fn render(feed: &Feed<'_>, _created: DateTime<Utc>) -> String {
    let channel = feed.channel;
    let items = feed.fragments("json", |entry| fragment(&Item::new(channel, entry)));
    let older = feed.neighbours(FILE).into_iter().find(|(relation, _)| *relation == "prev-archive");
    // Archives are pages of the main feed and name it.
    let is_archive = matches!(feed.history, History::Archive(_));
    let document = JsonDocument {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        home_page_url: if is_archive { channel.base_url.clone() } else { feed.page() },
        own_url: if is_archive { channel.url(FILE) } else { feed.url(FILE) },
        next_url: older.map(|(_, address)| address),
        description: &feed.description,
        language: feed.language(),
        icon: feed.image().map(|image| image.url.clone()).or_else(|| channel.icon()),
        favicon: channel.icon(),
        authors: feed.authors().iter().map(author).collect(),
    };
    let frame = serde_json::to_string(&document).expect("texts and lists can always be written as JSON");
    // The last byte closes the object; its last member comes before that.
    let members = frame.strip_suffix('}').expect("a struct is an object");
    let items: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
    format!("{members},\"items\":[{}]}}\n", items.join(","))
}

fn fragment(item: &Item<'_>) -> Fragment {
    let text = serde_json::to_string(&self::item(item)).expect("texts and lists can always be written as JSON");
    Fragment { text, prefixes: Vec::new() }
}

fn item<'a>(item: &'a Item<'a>) -> JsonItem<'a> {
    JsonItem {
        id: item.guid,
        url: item.page.as_deref().unwrap_or(&item.url),
        external_url: item.page.is_some().then_some(&item.url),
        title: item.stated_title,
        content_html: item.html,
        content_text: item.summary.filter(|_| item.html.is_none()),
        summary: item.summary,
        date_published: date(item.published),
        date_modified: date(item.updated),
        authors: item.authors.iter().map(author).collect(),
        tags: item.tags,
        language: item.language,
        image: item.image.map(|image| image.url.as_str()),
        attachments: item.enclosures.iter().copied().map(attachment).collect(),
    }
}

fn attachment(media: &Media) -> Attachment<'_> {
    Attachment {
        url: &media.url,
        mime_type: bare_type(media),
        title: media.title.as_deref(),
        size_in_bytes: media.length,
        duration_in_seconds: media.duration,
    }
}

fn author(person: &Person) -> Author<'_> {
    Author { name: &person.name, url: person.url.as_deref() }
}

fn date(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Secs, true)
}
