//! OPML 2.0: the list of feeds that a feed reader exports.

use serde::Serialize;

use super::xml::{self, XmlElement};
use crate::model::text::xml_legal;

/// Maximum number of feeds that are taken.
const MOST_FEEDS: usize = 2_000;
/// Maximum length of a text, in characters.
const LONGEST_TEXT: usize = 300;

/// A list of sites with feeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedList {
    pub title: Option<String>,
    /// In the order of the file.
    pub feeds: Vec<ListedFeed>,
}

/// A site with a feed. All texts are plain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListedFeed {
    pub name: String,
    /// An http or https address without a password.
    pub address: String,
    /// Address of the site, as `address`.
    pub site: Option<String>,
    pub description: Option<String>,
    /// The group in which it is listed.
    pub group: Option<String>,
}

/// The feeds of a list that stand in a row in one group.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FeedGroup<'a> {
    pub name: Option<&'a str>,
    pub feeds: Vec<&'a ListedFeed>,
}

impl FeedList {
    /// Its groups, in the order of the file.
    pub fn groups(&self) -> Vec<FeedGroup<'_>> {
        let groups = self.feeds.chunk_by(|one, other| one.group == other.group);
        groups.map(|feeds| FeedGroup { name: feeds[0].group.as_deref(), feeds: feeds.iter().collect() }).collect()
    }
}

/// Reads a list. What is no feed is skipped, as is one whose address has a password in it.
pub fn read(text: &str) -> FeedList {
    let document = xml::read(text, &|name| name == "body");
    let title = document.head.iter().find(|element| element.name == "title");
    let mut list = FeedList { title: title.and_then(|title| plain(&title.text())), feeds: Vec::new() };
    // Each outline with the group that it is in.
    let mut rest: Vec<(&XmlElement<'_>, Option<String>)> = Vec::new();
    for body in document.entries.iter().rev() {
        push_outlines(&mut rest, body, None);
    }
    while let Some((outline, group)) = rest.pop() {
        let text = |name: &str| outline.attribute(name).and_then(plain);
        let name = text("text").or_else(|| text("title"));
        match outline.attribute("xmlurl").and_then(address) {
            Some(address) if list.feeds.len() < MOST_FEEDS => list.feeds.push(ListedFeed {
                name: name.clone().unwrap_or_else(|| address.clone()),
                site: outline.attribute("htmlurl").and_then(self::address),
                description: text("description"),
                group: group.clone(),
                address,
            }),
            _ => {}
        }
        push_outlines(&mut rest, outline, name.or(group).as_deref());
    }
    list
}

/// Puts the outlines in an element on a stack, the first on top.
fn push_outlines<'a, 'b>(
    stack: &mut Vec<(&'b XmlElement<'a>, Option<String>)>,
    element: &'b XmlElement<'a>,
    group: Option<&str>,
) {
    let start = stack.len();
    let outlines = element.elements().filter(|inner| inner.name == "outline");
    stack.extend(outlines.map(|outline| (outline, group.map(str::to_owned))));
    stack[start..].reverse();
}

/// A text in one line of limited length.
fn plain(text: &str) -> Option<String> {
    let words = xml_legal(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(LONGEST_TEXT).collect();
    Some(short).filter(|text| !text.is_empty())
}

/// An address that may be public.
fn address(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let is_public = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    is_public.then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_have_names_sites_and_groups() {
        let list = read(
            "<?xml version=\"1.0\"?><opml version=\"2.0\"><head><title>Read &amp; liked</title></head><body>\
             <outline text=\"Sea\"><outline type=\"rss\" text=\"One &lt;1&gt;\" xmlUrl=\"https://one.example/rss\" \
             htmlUrl=\"https://one.example/\" description=\"About\n ships\"/>\
             <outline title=\"Two\" xmlUrl=\"http://two.example/feed\" htmlUrl=\"javascript:alert(1)\"/></outline>\
             <outline text=\"Secret\" xmlUrl=\"https://ann:key@three.example/\"/><outline text=\"x\" xmlUrl=\"file:///etc/passwd\"/>\
             <outline xmlUrl=\"https://four.example/rss\"/></body></opml>",
        );
        assert_eq!(list.title.as_deref(), Some("Read & liked"));
        let feeds: Vec<[&str; 5]> = list
            .feeds
            .iter()
            .map(|feed| {
                let or_none = |text: &'_ Option<String>| text.clone().unwrap_or_else(|| "-".to_owned()).leak() as &str;
                [&feed.name, &feed.address, or_none(&feed.site), or_none(&feed.description), or_none(&feed.group)]
            })
            .collect();
        assert_eq!(
            feeds,
            [
                ["One <1>", "https://one.example/rss", "https://one.example/", "About ships", "Sea"],
                ["Two", "http://two.example/feed", "-", "-", "Sea"],
                ["https://four.example/rss", "https://four.example/rss", "-", "-", "-"],
            ]
        );
        let groups = list.groups();
        let groups: Vec<(Option<&str>, usize)> = groups.iter().map(|group| (group.name, group.feeds.len())).collect();
        assert_eq!(groups, [(Some("Sea"), 2), (None, 1)]);
    }

    #[test]
    fn the_number_of_feeds_is_limited_and_depth_does_no_harm() {
        let many = "<outline text=\"a\" xmlUrl=\"https://a.example/\"/>".repeat(MOST_FEEDS + 1);
        assert_eq!(read(&format!("<opml><body>{many}</body></opml>")).feeds.len(), MOST_FEEDS);
        let deep = "<outline text=\"a\" xmlUrl=\"https://a.example/\">".repeat(50_000);
        assert!(read(&format!("<opml><body>{deep}")).feeds.len() <= MOST_FEEDS);
        assert_eq!(read("no xml"), FeedList::default());
    }
}
