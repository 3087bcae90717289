//! Addresses that other programs gave to feeds and pages: where each leads on this site.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::render::feed::format::Formats;

/// Addresses of the main feed on other sites: WordPress, Blogger, Pelican, Hugo, Drupal, Joomla, Squarespace, Ghost and older
/// programs. The format is by the name, see [`format_of`].
const FEEDS: [&str; 40] = [
    "feed/atom",
    "feed/rss",
    "feed/rss2",
    "feed/rdf",
    "feed/json",
    "feed/feed.xml",
    "feed.php",
    "feeds",
    "feeds/all.atom.xml",
    "feeds/all.rss.xml",
    "feeds/all-en.atom.xml",
    "feeds/atom.xml",
    "feeds/rss.xml",
    "feeds/feed.xml",
    "feeds/rss",
    "feeds/atom",
    "feeds/index.xml",
    "feeds/posts/default",
    "feeds/posts/default/rss",
    "index.rdf",
    "index.atom",
    "rss2.xml",
    "rss2",
    "rss/index.xml",
    "rss.php",
    "rss.json",
    "rdf.xml",
    "atom/index.xml",
    "atom/feed.xml",
    "atom.php",
    "feed/index.xml",
    "feed/rss.xml",
    "feed/atom.xml",
    "wp-rss.php",
    "wp-rss2.php",
    "wp-atom.php",
    "wp-rdf.php",
    "wp-feed.php",
    "latest/rss",
    "node/feed",
];
/// Folders of articles that have a feed of the whole on other sites.
const BLOGS: [&str; 5] = ["blog", "posts", "post", "news", "articles"];
/// The names of such a feed.
const NAMES: [&str; 12] = [
    "feed",
    "feed/atom",
    "feed/rss2",
    "feed.xml",
    "index.xml",
    "rss.xml",
    "atom.xml",
    "rss",
    "atom",
    "feed.json",
    "index.rss",
    "feed.atom",
];
/// Endings of files that are a list or its feed on other sites, and the name of the feed.
const FILES: [(&str, &str); 4] = [(".html", ""), (".xml", "rss"), (".rss", "rss"), (".atom", "atom")];
/// Folders of lists on other sites, and here.
const LISTS: [(&str, &str); 10] = [
    ("tags/", "tags/"),
    ("tag/", "tags/"),
    ("category/", "tags/"),
    ("categories/", "tags/"),
    ("topic/", "tags/"),
    ("topics/", "tags/"),
    ("label/", "tags/"),
    ("authors/", "authors/"),
    ("author/", "authors/"),
    ("sections/", "sections/"),
];

/// The old addresses of the feeds of a site.
#[derive(Debug, Clone, Default)]
pub struct OldFeeds {
    /// Paths that the operator has named, without slashes at their ends, and with their query if they have one.
    /// In a fixed order: an export makes rules of them, and writes them again only if they differ.
    named: BTreeSet<String>,
}

impl OldFeeds {
    pub fn new(aliases: &[String]) -> Self {
        Self { named: aliases.iter().map(|alias| alias.trim_matches('/').to_owned()).collect() }
    }

    /// The addresses without a query of which [`OldFeeds::format_at`] knows the format, without slashes at their ends.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let named = self.named.iter().filter(|path| !path.contains('?')).cloned();
        let of_blogs = BLOGS.iter().flat_map(|blog| NAMES.iter().map(move |name| format!("{blog}/{name}")));
        named.chain(FEEDS.iter().map(|path| (*path).to_owned())).chain(of_blogs)
    }

    /// The name of the format in which the main feed was at an address, if it was there. `path` is below the base address.
    pub fn format_at(&self, path: &str, query: Option<&str>) -> Option<&'static str> {
        let bare = path.trim_matches('/');
        let whole = query.map(|query| format!("{bare}?{query}"));
        if self.named.contains(bare) || whole.is_some_and(|whole| self.named.contains(&whole)) {
            return Some(format_of(bare, query));
        }
        // WordPress without names in addresses, Joomla, and Squarespace.
        let asks = query.is_some_and(|query| query.split('&').any(is_feed_query));
        let is_blog = bare.is_empty() || BLOGS.contains(&bare);
        let of_blog =
            || bare.split_once('/').is_some_and(|(blog, name)| BLOGS.contains(&blog) && NAMES.contains(&name));
        ((asks && (is_blog || bare == "index.php")) || FEEDS.contains(&bare) || of_blog())
            .then(|| format_of(bare, query))
    }
}

fn is_feed_query(pair: &str) -> bool {
    match pair.split_once('=') {
        Some(("feed", name)) => matches!(name, "rss" | "rss2" | "atom" | "rdf" | "feed" | "json"),
        Some(("format", name)) => matches!(name, "feed" | "rss" | "atom"),
        _ => false,
    }
}

/// The name of the format that an address asks for.
fn format_of(path: &str, query: Option<&str>) -> &'static str {
    let text = format!("{path}?{}", query.unwrap_or_default()).to_ascii_lowercase();
    if text.contains("alt=rss") || text.contains("type=rss") {
        return "rss";
    }
    // Blogger's feeds are Atom unless the query says otherwise.
    match () {
        () if text.contains("json") => "json",
        () if text.contains("atom") || text.starts_with("feeds/posts/default?") => "atom",
        () => "rss",
    }
}

/// The present path of the feed or page of a tag, an author or a folder that had another path. `None` if it is no such path, or if it
/// is the present one.
pub fn list_at(path: &str, formats: Formats) -> Option<String> {
    if let Some((list, format)) = feed_of_list(path) {
        return Some(format!("tags/{list}/{}", formats.named(format)?.file));
    }
    let (folder, rest) = LISTS.iter().find_map(|(old, new)| Some((new, path.strip_prefix(old)?)))?;
    let bare = rest.trim_matches('/');
    let bare = bare.strip_prefix("cat_").unwrap_or(bare);
    let name = NAMES.iter().find_map(|name| Some((bare.strip_suffix(name)?.strip_suffix('/')?, *name)));
    let file = || FILES.iter().find_map(|(ending, name)| Some((bare.strip_suffix(ending)?, *name)));
    let present = match name.or_else(file) {
        Some((list, "")) => format!("{folder}{list}/"),
        Some((list, name)) => format!("{folder}{list}/{}", formats.named(format_of(name, None))?.file),
        None => format!("{folder}{bare}/"),
    };
    (!bare.is_empty() && present.trim_end_matches('/') != path.trim_end_matches('/')).then_some(present)
}

/// The tag and the format of a feed that Pelican (`feeds/sea.atom.xml`) or jekyll-feed (`feed/by_tag/sea.xml`) makes of it.
fn feed_of_list(path: &str) -> Option<(&str, &'static str)> {
    if let Some(tag) = path.strip_prefix("feed/by_tag/").and_then(|name| name.strip_suffix(".xml")) {
        return Some((tag, "atom"));
    }
    let name = path.strip_prefix("feeds/")?;
    let (list, format) = [(".atom.xml", "atom"), (".rss.xml", "rss")]
        .into_iter()
        .find_map(|(ending, format)| Some((name.strip_suffix(ending)?, format)))?;
    let list = ["tag-", "category-"].iter().find_map(|kind| list.strip_prefix(kind)).unwrap_or(list);
    (!list.is_empty() && !list.contains('/')).then_some((list, format))
}

/// A path without percent-encodings of characters that need none: both forms name one resource (RFC 3986 section 6.2.2.2).
pub fn normal(path: &str) -> Cow<'_, str> {
    if !path.as_bytes().contains(&b'%') {
        return Cow::Borrowed(path);
    }
    let mut parts = path.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(plain) = number.map(char::from).filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c)) {
            normal.push(plain);
            normal.push_str(&part[2..]);
        } else {
            normal.push('%');
            normal.push_str(part);
        }
    }
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::feed::FORMATS;

    #[test]
    fn feeds_of_other_programs_have_their_formats() {
        let feeds = OldFeeds::new(&["/my/feed.rss".to_owned(), "/index.php?feed=mine".to_owned()]);
        for (address, format) in [
            ("feed/atom/", Some("atom")),
            ("feeds/all.atom.xml", Some("atom")),
            ("index.rdf", Some("rss")),
            ("?feed=rss2", Some("rss")),
            ("?feed=atom", Some("atom")),
            ("index.php?format=feed&type=atom", Some("atom")),
            ("blog?format=rss", Some("rss")),
            ("blog/index.xml", Some("rss")),
            ("posts/atom.xml", Some("atom")),
            ("feeds/posts/default", Some("atom")),
            ("feeds/posts/default?alt=rss", Some("rss")),
            ("feed/json", Some("json")),
            ("my/feed.rss/", Some("rss")),
            ("index.php?feed=mine", Some("rss")),
            ("index.php?feed=other", None),
            ("?page=2", None),
            ("about/feed.xml", None),
            ("", None),
        ] {
            let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
            assert_eq!(feeds.format_at(path, query), format, "{address}");
        }
    }

    #[test]
    fn named_feeds_have_one_order() {
        let names = ["d", "a", "c", "b", "e"].map(str::to_owned);
        let paths: Vec<String> = OldFeeds::new(&names).paths().take(names.len()).collect();
        assert_eq!(paths, ["a", "b", "c", "d", "e"], "another order would be another file of an export");
    }

    #[test]
    fn lists_of_other_programs_have_their_paths() {
        for (path, expected) in [
            ("tag/rust/", Some("tags/rust/")),
            ("category/rust/feed/", Some("tags/rust/rss.xml")),
            ("category/rust/feed/atom/", Some("tags/rust/atom.xml")),
            ("tags/rust/index.xml", Some("tags/rust/rss.xml")),
            ("author/ann/rss/", Some("authors/ann/rss.xml")),
            ("tag/rust.html", Some("tags/rust/")),
            ("author/ann-lee.html", Some("authors/ann-lee/")),
            ("categories/rust.xml", Some("tags/rust/rss.xml")),
            ("categories/rust.atom", Some("tags/rust/atom.xml")),
            ("categories/cat_boats/", Some("tags/boats/")),
            ("categories/cat_boats.xml", Some("tags/boats/rss.xml")),
            ("feeds/tag-rust.atom.xml", Some("tags/rust/atom.xml")),
            ("feeds/rust.rss.xml", Some("tags/rust/rss.xml")),
            ("feed/by_tag/rust.xml", Some("tags/rust/atom.xml")),
            ("feeds/a/b.rss.xml", None),
            ("tags/node.js/", None),
            ("tags/rust/", None),
            ("tags/rust", None),
            ("tags/", None),
            ("about/", None),
        ] {
            assert_eq!(list_at(path, FORMATS).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn characters_that_need_no_encoding_are_decoded() {
        for (path, expected) in [
            ("/articles/%67fm", "/articles/gfm"),
            ("/%72ss.xml", "/rss.xml"),
            ("/a%2Fb%20c%7e%", "/a%2Fb%20c~%"),
            ("/%C3%BC", "/%C3%BC"),
            ("/plain", "/plain"),
        ] {
            assert_eq!(normal(path), expected);
        }
    }
}
