//! A format for tests only: what one more format takes is this file and a row of its table.

use chrono::{DateTime, SecondsFormat, Utc};

use super::document::Feed;
use super::format::{FeedFormat, Formats};
use super::fragment::Fragment;
use super::item::Item;
use super::{atom, json, rss};

static TABLE: [FeedFormat; 4] = [rss::FORMAT, atom::FORMAT, json::FORMAT, FORMAT];

/// The program's formats and this one.
pub const FORMATS: Formats = Formats::new(&TABLE);

/// A list of dates and titles.
pub const FORMAT: FeedFormat = FeedFormat {
    name: "twtxt",
    label: "twtxt",
    file: "twtxt.txt",
    media_type: "text/plain; charset=utf-8",
    aliases: &["tw.txt"],
    opml_version: None,
    is_recommended: false,
    render,
};

fn render(feed: &Feed<'_>, _created: DateTime<Utc>) -> String {
    let lines = feed.fragments("twtxt", |entry| {
        let item = Item::new(feed.channel, entry);
        let date = item.published.to_rfc3339_opts(SecondsFormat::Secs, true);
        Fragment { text: format!("{date}\t{} {}\n", item.title, item.url), prefixes: Vec::new() }
    });
    lines.iter().map(|line| line.text.as_str()).collect()
}
