//! Feeds published elsewhere: a document in, the ids, links, titles and dates of its entries out.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::article::date;
use crate::model::collection::ImportedEntry;

/// Reads an RSS 2.0, Atom 1.0 or JSON Feed document.
///
/// # Errors
/// The text is none of them. The error says why in one line.
pub fn read(text: &str) -> Result<Vec<ImportedEntry>, String> {
    let start = text.trim_start_matches('\u{FEFF}').trim_start();
    if start.starts_with('{') {
        return json(start);
    }
    match root_element(start) {
        Some("feed") => atom(start),
        Some("rss" | "RDF" | "rdf:RDF") => rss(start),
        Some(other) => Err(format!("the first element is <{other}>; expected an RSS, Atom or JSON Feed document")),
        None => Err("neither XML nor JSON; expected an RSS, Atom or JSON Feed document".into()),
    }
}

/// Local name of the first element after declarations and comments.
fn root_element(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')?..];
        if rest.starts_with("<!--") {
            rest = &rest[rest.find("-->")?..];
        } else if rest.starts_with(['?', '!']) || rest[1..].starts_with(['?', '!']) {
            rest = &rest[rest.find('>')?..];
        } else {
            let name = rest[1..].split(|c: char| c.is_whitespace() || c == '>' || c == '/').next()?;
            return Some(
                name.rsplit_once(':').map_or(name, |(prefix, local)| if prefix == "rdf" { "RDF" } else { local }),
            );
        }
    }
}

fn non_empty(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn utc(date: &DateTime<chrono::FixedOffset>) -> DateTime<Utc> {
    date::whole_seconds(date.to_utc())
}

fn atom(text: &str) -> Result<Vec<ImportedEntry>, String> {
    let feed = atom_syndication::Feed::read_from(text.as_bytes()).map_err(|error| error.to_string())?;
    let entry = |entry: atom_syndication::Entry| {
        let link = entry.links.iter().find(|link| link.rel == "alternate").or(entry.links.first());
        ImportedEntry {
            id: non_empty(&entry.id),
            guid: None,
            link: link.and_then(|link| non_empty(&link.href)),
            title: non_empty(&entry.title.value),
            published: entry.published.as_ref().map(utc),
            updated: Some(utc(&entry.updated)),
        }
    };
    Ok(feed.entries.into_iter().map(entry).collect())
}

fn rss(text: &str) -> Result<Vec<ImportedEntry>, String> {
    let channel = rss::Channel::read_from(text.as_bytes()).map_err(|error| error.to_string())?;
    let item = |item: rss::Item| {
        // Feed readers identify an item without a guid by its link.
        let guid =
            item.guid.as_ref().and_then(|guid| non_empty(&guid.value)).or(item.link.as_deref().and_then(non_empty));
        let dublin = item.dublin_core_ext.as_ref().and_then(|dublin| dublin.dates.first().cloned());
        let published = item.pub_date.clone().or(dublin);
        ImportedEntry {
            id: None,
            guid,
            link: item.link.as_deref().and_then(non_empty),
            title: item.title.as_deref().and_then(non_empty),
            published: published.and_then(|text| date::parse(&text, chrono_tz::UTC)),
            updated: None,
        }
    };
    Ok(channel.items.into_iter().map(item).collect())
}

fn json(text: &str) -> Result<Vec<ImportedEntry>, String> {
    let feed: Value = serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}"))?;
    let items = feed.get("items").and_then(Value::as_array).ok_or("no `items` in it; expected a JSON Feed")?;
    let item = |item: &Value| {
        let text = |key: &str| item.get(key).and_then(Value::as_str).and_then(non_empty);
        let day = |key: &str| text(key).and_then(|text| date::parse(&text, chrono_tz::UTC));
        // Version 1.0 allowed numbers (JSON Feed 1.1, "id").
        let id = text("id").or_else(|| item.get("id").filter(|id| id.is_number()).map(ToString::to_string));
        ImportedEntry {
            id: None,
            guid: id,
            link: text("url"),
            title: text("title"),
            published: day("date_published"),
            updated: day("date_modified"),
        }
    };
    Ok(items.iter().map(item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_from_every_format() {
        let atom = read(
            "<?xml version='1.0'?><!-- c --><feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><id>f</id><updated>2024-01-01T00:00:00Z</updated>\
             <entry><id>tag:a,1:b</id><title>One &amp; two</title><updated>2024-01-02T00:00:00Z</updated><link rel='self' href='s'/><link href='https://a.example/1'/></entry></feed>",
        )
        .unwrap();
        assert_eq!((atom[0].id.as_deref(), atom[0].title.as_deref()), (Some("tag:a,1:b"), Some("One & two")));
        assert_eq!(atom[0].link.as_deref(), Some("https://a.example/1"));
        let rss = read(
            "\u{FEFF}<rss version='2.0'><channel><title>F</title><link>l</link><description>d</description>\
             <item><title>One</title><guid isPermaLink='false'>123 at x</guid><pubDate>Wed, 01 May 2024 10:00:00 GMT</pubDate></item>\
             <item><title>Two</title><link>https://a.example/2</link></item></channel></rss>",
        )
        .unwrap();
        assert_eq!(rss[0].guid.as_deref(), Some("123 at x"));
        assert_eq!(rss[0].published.unwrap().to_rfc3339(), "2024-05-01T10:00:00+00:00");
        assert_eq!(rss[1].guid.as_deref(), Some("https://a.example/2"));
        let json = read("{\"items\":[{\"id\":7,\"url\":\"https://a.example/7\"}]}").unwrap();
        assert_eq!((json[0].guid.as_deref(), json[0].link.as_deref()), (Some("7"), Some("https://a.example/7")));
    }

    #[test]
    fn a_text_that_is_no_feed_is_refused_with_a_reason() {
        for (text, reason) in
            [("<html><body>", "<html>"), ("plain", "neither XML nor JSON"), ("{\"a\":1}", "no `items`"), ("<rss>", "")]
        {
            assert!(read(text).unwrap_err().contains(reason), "{text}");
        }
    }
}
