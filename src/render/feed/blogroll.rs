//! The blogroll of a site: the feeds that its author reads, as OPML (opml.org/blogroll.opml).

use super::channel::Channel;
use super::extension::Element;
use crate::model::text::{escape, escape_attribute};
use crate::moving::opml::{FeedList, ListedFeed};

/// Path of the page.
pub const PAGE_PATH: &str = "blogroll";
/// Path of the list.
pub const PATH: &str = "blogroll.opml";
/// Another path of it, where programs look for it.
pub const WELL_KNOWN_PATH: &str = ".well-known/recommendations.opml";

/// Renders the list: each group with its feeds, in the order of the file.
pub fn render(channel: &Channel, list: &FeedList) -> String {
    let title = list.title.as_ref().unwrap_or(&channel.title);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n<head>\n<title>{}</title>\n<ownerId>{}</ownerId>\n\
         <docs>http://opml.org/spec2.opml</docs>\n</head>\n<body>\n",
        escape(title),
        escape(&channel.base_url),
    );
    for group in list.groups() {
        let feeds = group.feeds.into_iter().map(outline).collect::<Vec<_>>().concat();
        text.push_str(&match group.name {
            Some(name) => format!("<outline text=\"{}\">\n{feeds}</outline>\n", escape_attribute(name)),
            None => feeds,
        });
    }
    text.push_str("</body>\n</opml>\n");
    text
}

fn outline(feed: &ListedFeed) -> String {
    let attributes = [
        ("text", Some(&feed.name)),
        ("title", Some(&feed.name)),
        ("description", feed.description.as_ref()),
        ("xmlUrl", Some(&feed.address)),
        ("htmlUrl", feed.site.as_ref()),
    ];
    let attribute = |(name, value): (&str, Option<&String>)| Some(format!(" {name}=\"{}\"", escape_attribute(value?)));
    let attributes: Vec<String> = attributes.into_iter().filter_map(attribute).collect();
    format!("<outline type=\"rss\"{}/>\n", attributes.concat())
}

/// The element of a channel of RSS that names the list.
pub fn element(channel: &Channel) -> Option<Element> {
    channel.look.blogroll.as_ref().map(|_| Element::text("source:blogroll", channel.url(PATH)))
}
