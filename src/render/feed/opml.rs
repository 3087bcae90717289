//! OPML 2.0: all feeds of the site in one file that feed readers import (standards 143).

use chrono::{DateTime, Utc};

use super::channel::Channel;
use super::format::Formats;
use super::rss;
use crate::model::collection::ViewGroup;
use crate::model::taxonomy::ViewKind;
use crate::model::text::{escape, escape_attribute};

/// Path of the document below the base address.
pub const PATH: &str = "feeds.opml";

pub const MEDIA_TYPE: &str = "text/x-opml; charset=utf-8";

/// Renders the list: the main feed, then all others by kind. `modified` is when it last changed.
pub fn render(channel: &Channel, formats: Formats, groups: &[ViewGroup], modified: DateTime<Utc>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n<head>\n");
    element(&mut text, "title", &channel.title);
    element(&mut text, "dateModified", &rss::date(modified));
    element(&mut text, "docs", "http://opml.org/spec2.opml");
    text.push_str("</head>\n<body>\n");
    outline(&mut text, channel, formats, &channel.title, "");
    for (kind, views) in groups.iter().filter(|(_, views)| !views.is_empty()) {
        let name = escape_attribute(channel.words().texts.plural(*kind));
        text.push_str(&format!("<outline text=\"{name}\" title=\"{name}\">\n"));
        for summary in views {
            // As the feed is titled, which does not show what is said about an author.
            let title = summary.title.clone().filter(|_| *kind == ViewKind::Section);
            let title = title.unwrap_or_else(|| channel.title_of(&summary.view, &summary.name));
            outline(&mut text, channel, formats, &title, &summary.view.path());
        }
        text.push_str("</outline>\n");
    }
    text.push_str("</body>\n</opml>\n");
    text
}

fn element(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("<{name}>{}</{name}>\n", escape(value)));
}

fn outline(text: &mut String, channel: &Channel, formats: Formats, name: &str, place: &str) {
    let (format, version) = formats.in_opml();
    let name = escape_attribute(name);
    let feed = escape_attribute(&channel.url(&format!("{place}{}", format.file)));
    let page = escape_attribute(&channel.url(place));
    // OPML calls each feed "rss"; `version` names the format.
    text.push_str(&format!(
        "<outline type=\"rss\" version=\"{version}\" text=\"{name}\" title=\"{name}\" xmlUrl=\"{feed}\" htmlUrl=\"{page}\"/>\n"
    ));
}
