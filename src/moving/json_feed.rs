//! JSON Feed of all versions.

use serde_json::Value;
use url::Url;

use super::entry::{FeedEntry, ForeignFeed, StatedDates, is_web_address, non_empty};
use super::feed::paragraphs;
use super::post::{Post, PostRecording};
use crate::article::{Problem, summary};

/// Reads a document.
///
/// # Errors
/// The text is no JSON Feed. The error says why in one line.
pub fn read(text: &str) -> Result<ForeignFeed, String> {
    let (mut feed, mut language) = (ForeignFeed::default(), None);
    // JSON allows control characters in no text.
    let repaired = || text.replace(|c: char| c.is_control(), " ");
    let items = match serde_json::from_str::<Value>(text) {
        Ok(document) => {
            let address = |key: &str| document.get(key).and_then(Value::as_str).and_then(non_empty);
            (feed.own, feed.older) = (address("feed_url"), address("next_url"));
            feed.base = address("home_page_url").and_then(|site| Url::parse(&site).ok());
            language = address("language");
            items_of(document).ok_or("no `items` in it; expected a JSON Feed")?
        }
        Err(error) => {
            let text = repaired();
            if let Some(items) = serde_json::from_str(&text).ok().and_then(items_of) {
                feed.remarks.push(Problem::of_file("control characters within texts were read as spaces"));
                items
            } else {
                let items = whole_items(&text).filter(|items| !items.is_empty());
                let items = items.ok_or_else(|| format!("not valid JSON: {error}"))?;
                feed.lose(format!("not valid JSON: {error}; only the {} entries before that are read", items.len()));
                items
            }
        }
    };
    for item in &items {
        let (mut entry, dates) = entry(item);
        entry.content.language = entry.content.language.or_else(|| language.clone());
        feed.add(entry, dates);
    }
    Ok(feed)
}

fn items_of(mut document: Value) -> Option<Vec<Value>> {
    match document.get_mut("items")?.take() {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// The entries before a fault in the document.
fn whole_items(text: &str) -> Option<Vec<Value>> {
    let after = &text[text.find("\"items\"")? + "\"items\"".len()..];
    let mut rest = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('[')?;
    let mut items = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(item)) => items.push(item),
            _ => return Some(items),
        }
        rest = &rest[values.byte_offset()..];
    }
}

fn entry(item: &Value) -> (FeedEntry, StatedDates) {
    let text = |key: &str| item.get(key).and_then(Value::as_str).and_then(non_empty);
    // Version 1.0 allowed numbers (JSON Feed 1.1, "id").
    let id = text("id").or_else(|| item.get("id").filter(|id| id.is_number()).map(ToString::to_string));
    let address = id.clone().filter(|id| is_web_address(id));
    let entry = FeedEntry {
        guid: id,
        links: text("url").into_iter().chain(address).chain(text("external_url")).collect(),
        title: text("title").map(|title| summary::one_line(&title)),
        content: content(item),
        ..FeedEntry::default()
    };
    let dates = StatedDates {
        published: text("date_published").into_iter().collect(),
        updated: text("date_modified").into_iter().collect(),
    };
    (entry, dates)
}

/// Authors, tags, text and the like.
fn content(item: &Value) -> Post {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).and_then(non_empty);
    let list = |key: &str| item.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let recording = |attachment: &Value| {
        let length = attachment.get("size_in_bytes").and_then(Value::as_u64);
        Some(PostRecording { url: text(attachment, "url")?, media_type: text(attachment, "mime_type"), length })
    };
    // Version 1.0 had a single author.
    let author = item.get("author").filter(|_| list("authors").is_empty());
    Post {
        authors: list("authors").iter().chain(author).filter_map(|author| text(author, "name")).collect(),
        tags: list("tags").iter().filter_map(Value::as_str).filter_map(non_empty).collect(),
        html: text(item, "content_html")
            .or_else(|| text(item, "content_text").map(|text| paragraphs(&text)))
            .unwrap_or_default(),
        summary: text(item, "summary"),
        language: text(item, "language"),
        image: text(item, "image"),
        recordings: list("attachments").iter().filter_map(recording).collect(),
        ..Post::default()
    }
}
