//! The entries of another publisher.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use url::Url;

use super::post::Post;

use crate::article::{Problem, loose_date};
use crate::model::collection::ImportedEntry;

/// Maximum length of a text in a message, in characters.
const MAX_QUOTED: usize = 60;
/// Hosts that only forward to the addresses of entries.
const FORWARDERS: [&str; 3] = ["feedproxy.google.com", "feeds.feedburner.com", "feedburner.com"];

/// A feed that was published elsewhere.
#[derive(Debug, Clone, Default)]
pub struct ForeignFeed {
    pub entries: Vec<FeedEntry>,
    /// What was read over, for people.
    pub remarks: Vec<Problem>,
    /// A date or an entry was lost.
    pub is_incomplete: bool,
    /// Numbers of entries that are no articles, such as comments, by what they are.
    pub skipped: BTreeMap<String, usize>,
    /// The document's own address.
    pub own: Option<String>,
    /// Address of the document with older entries (RFC 5005, JSON Feed's `next_url`).
    pub older: Option<String>,
    /// The address to which those in texts are relative, of entries without another.
    pub base: Option<Url>,
}

/// An entry of such a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedEntry {
    /// The id of an Atom entry.
    pub id: Option<String>,
    /// The guid of an RSS item or the id of a JSON Feed item, verbatim.
    pub guid: Option<String>,
    /// Addresses of its page, the best one first.
    pub links: Vec<String>,
    /// Plain text in one line.
    pub title: Option<String>,
    pub published: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
    /// Authors, tags, text and the like; without the fields above.
    pub content: Post,
}

/// The dates of an entry as they are written, in the order in which they count.
#[derive(Debug, Default)]
pub struct StatedDates {
    pub published: Vec<String>,
    pub updated: Vec<String>,
}

impl ForeignFeed {
    /// Adds an entry with the dates that can be read; each of the others is a remark. An entry without an id gets its link as one, as in
    /// feed readers. Without either it is left out.
    pub fn add(&mut self, mut entry: FeedEntry, dates: StatedDates) {
        entry.sort_links();
        let page = entry.links.first().filter(|link| !is_forwarder(link)).and_then(|link| Url::parse(link).ok());
        if let Some(base) = page.filter(Url::has_host).or_else(|| self.base.clone()) {
            entry.content.resolve(&base);
        }
        if entry.id.is_none() && entry.guid.is_none() {
            entry.guid = entry.links.first().cloned();
        }
        let name = entry.name();
        if entry.guid.is_none() && entry.id.is_none() {
            return self.lose(format!("{name} has neither an id nor a link: it is skipped"));
        }
        let mut unread = Vec::new();
        let published = first_date(dates.published, &mut unread);
        entry.updated = first_date(dates.updated, &mut unread);
        entry.published = published.or(entry.updated);
        let instead = if entry.published.is_some() { "another date of the entry" } else { "the date of its article" };
        for text in unread {
            self.lose(format!("the date `{}` of {name} cannot be read; {instead} counts", quoted(&text)));
        }
        self.entries.push(entry);
    }

    /// Counts an entry that is no article.
    pub fn skip(&mut self, what: &str) {
        *self.skipped.entry(what.to_owned()).or_default() += 1;
    }

    /// Remarks that a part was lost.
    pub fn lose(&mut self, message: String) {
        self.is_incomplete = true;
        self.remarks.push(Problem::of_file(message));
    }
}

/// The first date that can be read. The others before it go to `unread`.
fn first_date(texts: Vec<String>, unread: &mut Vec<String>) -> Option<DateTime<Utc>> {
    for text in texts {
        match loose_date::read(&text) {
            Some(date) => return Some(date),
            None => unread.push(text),
        }
    }
    None
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

impl FeedEntry {
    /// Names the entry in a message.
    pub fn name(&self) -> String {
        let name = self.title.as_ref().or(self.links.first()).or(self.id.as_ref()).or(self.guid.as_ref());
        name.map_or("an entry".to_owned(), |name| format!("the entry `{}`", quoted(name)))
    }

    /// Puts addresses that only forward behind the others.
    fn sort_links(&mut self) {
        self.links.sort_by_key(|link| is_forwarder(link));
        let mut distinct: Vec<String> = Vec::new();
        for link in self.links.drain(..) {
            if !distinct.contains(&link) {
                distinct.push(link);
            }
        }
        self.links = distinct;
    }
}

impl From<FeedEntry> for ImportedEntry {
    fn from(entry: FeedEntry) -> Self {
        let mut links = entry.links.into_iter();
        Self {
            id: entry.id,
            guid: entry.guid,
            link: links.next(),
            other_links: links.collect(),
            title: entry.title,
            published: entry.published,
            updated: entry.updated,
        }
    }
}

impl From<FeedEntry> for Post {
    fn from(entry: FeedEntry) -> Self {
        Self {
            id: entry.id.or(entry.guid),
            title: entry.title,
            published: entry.published,
            updated: entry.updated,
            addresses: entry.links.into_iter().chain(entry.content.addresses).collect(),
            ..entry.content
        }
    }
}

/// Whether an address only forwards to that of an entry.
fn is_forwarder(link: &str) -> bool {
    let host = Url::parse(link).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| FORWARDERS.iter().any(|forwarder| host.ends_with(forwarder)))
}

/// A text without the spaces around it, if it is not empty.
pub fn non_empty(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Whether a text is an address of a page.
pub fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
