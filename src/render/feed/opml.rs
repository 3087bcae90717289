//! OPML 2.0: all feeds of the site in one file that feed readers import (standards 143).

use chrono::{DateTime, Utc};

use super::{Channel, rss};
use crate::model::collection::ViewSummary;
use crate::model::taxonomy::ViewKind;

/// Where the document is, below the site's address.
pub const PATH: &str = "feeds.opml";

/// Its media type.
pub const MEDIA_TYPE: &str = "text/x-opml; charset=utf-8";

/// Renders the list: the main feed, then all others by kind. `modified` is when it last changed.
pub fn render(channel: &Channel, groups: &[(ViewKind, Vec<ViewSummary>)], modified: DateTime<Utc>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n<head>\n");
    element(&mut text, "title", &channel.title);
    element(&mut text, "dateModified", &rss::date(modified));
    element(&mut text, "docs", "http://opml.org/spec2.opml");
    text.push_str("</head>\n<body>\n");
    outline(&mut text, channel, &channel.title, "");
    for (kind, views) in groups.iter().filter(|(_, views)| !views.is_empty()) {
        let name = attribute(kind.plural());
        text.push_str(&format!("<outline text=\"{name}\" title=\"{name}\">\n"));
        for listed in views {
            outline(&mut text, channel, &listed.view.label(&listed.name), &listed.view.path());
        }
        text.push_str("</outline>\n");
    }
    text.push_str("</body>\n</opml>\n");
    text
}

fn element(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("<{name}>{}</{name}>\n", crate::model::text::escape(value)));
}

fn outline(text: &mut String, channel: &Channel, name: &str, place: &str) {
    let name = attribute(name);
    let feed = attribute(&channel.url(&format!("{place}{}", rss::PATH)));
    let page = attribute(&channel.url(place));
    text.push_str(&format!(
        "<outline type=\"rss\" version=\"RSS2\" text=\"{name}\" title=\"{name}\" xmlUrl=\"{feed}\" htmlUrl=\"{page}\"/>\n"
    ));
}

fn attribute(value: &str) -> String {
    crate::model::text::escape_attribute(value)
}
