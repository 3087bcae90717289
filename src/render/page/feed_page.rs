//! What a browser shows at the address of a feed: what it is, how to subscribe, and its newest entries with links.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::{MAX_FRONT, Pages, players, qr, subscribable};
use crate::render::feed::Feed;
use crate::render::feed::format::FeedFormat;

/// The query with which a browser gets the feed itself, as text.
pub const RAW: &str = "raw";

impl Pages {
    /// The page about a feed in a format. Its canonical address is that of the page of the same articles.
    pub fn feed(&self, feed: &Feed<'_>, format: &'static FeedFormat) -> String {
        let (name, label) = (&*feed.title, format.label);
        let mut head = self.head(name, &feed.place);
        head.title = format!("{name} ({label})");
        head.description = Some(feed.description.to_string());
        if !subscribable(&feed.place).is_empty() {
            head.feeds.insert(0, (feed.place.clone(), name.to_owned()));
        }
        let newest = &feed.entries[..feed.entries.len().min(MAX_FRONT)];
        // An archive never gets new entries.
        let at = |file: &str| self.channel.url(&format!("{}{file}", subscribable(&feed.place)));
        let address = at(format.file);
        let players = feed.is_podcast.then(|| players::links(&at(self.formats.of_podcasts().file)));
        let context = context! {
            name,
            description => &*feed.description,
            format => label,
            page => feed.page(),
            source => format!("{}?{RAW}", feed.url(format.file)),
            players => Value::from(Serde(players)),
            code => Value::from(Serde(qr::code(&address))),
            recommended => address,
        };
        self.listing(&Feed { entries: newest, pinned: &[], ..feed.clone() }, "feed.html", &head, context)
    }
}
