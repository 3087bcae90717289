//! The blogroll of a site: the feeds that its author reads, as OPML (opml.org/blogroll.opml).

use super::channel::Channel;
use super::extension::Element;
use crate::model::text::{escape, escape_attribute};
use crate::moving::opml::FeedList;

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
    let mut group = None;
    for feed in &list.feeds {
        if feed.group != group {
            text.push_str(if group.is_some() { "</outline>\n" } else { "" });
            if let Some(name) = &feed.group {
                text.push_str(&format!("<outline text=\"{}\">\n", escape_attribute(name)));
            }
            group.clone_from(&feed.group);
        }
        text.push_str("<outline type=\"rss\"");
        let attributes = [
            ("text", Some(&feed.name)),
            ("title", Some(&feed.name)),
            ("description", feed.description.as_ref()),
            ("xmlUrl", Some(&feed.address)),
            ("htmlUrl", feed.site.as_ref()),
        ];
        for (name, value) in attributes {
            if let Some(value) = value {
                text.push_str(&format!(" {name}=\"{}\"", escape_attribute(value)));
            }
        }
        text.push_str("/>\n");
    }
    text.push_str(if group.is_some() { "</outline>\n" } else { "" });
    text.push_str("</body>\n</opml>\n");
    text
}

/// The element of a channel of RSS that names the list.
pub fn element(channel: &Channel) -> Option<Element> {
    channel.look.blogroll.as_ref().map(|_| Element::text("source:blogroll", channel.url(PATH)))
}
