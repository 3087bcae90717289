//! Compares the addresses of other publishers: by the parts that tell pages apart.

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;
use url::Url;

/// Names of pages that stand for their folder.
const INDEXES: [&str; 6] = ["index", "index.html", "index.htm", "index.xhtml", "index.php", "default.aspx"];
/// Endings of pages that do not matter.
const ENDINGS: [&str; 4] = [".html", ".htm", ".xhtml", ".shtml"];
/// Endings of programs, which tell pages apart by a query.
const PROGRAMS: [&str; 7] = [".php", ".aspx", ".asp", ".jsp", ".cgi", ".cfm", ".pl"];
/// Parameters of a query that tell pages apart at any path, if their value is a number.
const PAGE_NUMBERS: [&str; 10] =
    ["p", "page_id", "post", "postid", "post_id", "id", "article", "articleid", "entry", "story"];
/// Parameters of a query that only say where a reader came from.
const ORIGINS: [&str; 14] = [
    "fbclid", "gclid", "mc_cid", "mc_eid", "ref", "referrer", "source", "src", "from", "feed", "rss", "share", "via",
    "amp",
];

/// An address reduced to the parts that tell the pages of a site apart: the path and, where that says nothing, the query. A path
/// alone stays one.
pub fn comparable_link(link: &str) -> String {
    let link = link.trim();
    let (path, query) = match Url::parse(link) {
        Ok(url) if url.has_host() => (url.path().to_owned(), url.query().unwrap_or_default().to_owned()),
        _ => {
            let link = &link[..link.find('#').unwrap_or(link.len())];
            let link = link.strip_prefix("//").map_or(link, |rest| &rest[rest.find('/').unwrap_or(rest.len())..]);
            let (path, query) = link.split_once('?').unwrap_or((link, ""));
            (path.to_owned(), query.to_owned())
        }
    };
    let path: String = decoded(&path).nfc().flat_map(char::to_lowercase).collect();
    let mut parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.last().is_some_and(|last| INDEXES.contains(last)) {
        parts.pop();
    }
    if parts.first() == Some(&"index.php") {
        parts.remove(0);
    }
    let is_program = parts.last().is_none_or(|last| PROGRAMS.iter().any(|ending| last.ends_with(ending)));
    if let Some(last) = parts.last_mut() {
        *last = ENDINGS.iter().chain(&PROGRAMS).find_map(|ending| last.strip_suffix(ending)).unwrap_or(last);
    }
    let query = telling_query(&query, is_program);
    format!("/{}{query}", parts.join("/"))
}

/// The parameters of a query that tell pages apart, with a `?`.
fn telling_query(query: &str, is_program: bool) -> String {
    let tells = |parameter: &&str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.to_ascii_lowercase();
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let is_origin = name.starts_with("utm_") || ORIGINS.contains(&name.as_str());
        (is_program && !is_origin && !name.is_empty()) || (is_number && PAGE_NUMBERS.contains(&name.as_str()))
    };
    let mut parameters: Vec<&str> = query.split(['&', ';']).filter(tells).collect();
    parameters.sort_unstable();
    if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) }
}

/// A path with its percent-encoded characters; old sites encode them in windows-1252.
fn decoded(path: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    String::from_utf8(bytes)
        .unwrap_or_else(|error| encoding_rs::WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned())
}

/// The query of an address that tells pages apart at any path, with its `?`; empty without one.
pub fn page_query(query: &str) -> String {
    telling_query(query.split('#').next().unwrap_or_default().trim_start_matches('?'), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_by_the_parts_that_tell_pages_apart() {
        for (link, expected) in [
            ("https://a.example/2024/05/Storm/", "/2024/05/storm"),
            ("http://a.example:8080/2024/05/storm/index.html#x", "/2024/05/storm"),
            ("/2024/05/storm.html", "/2024/05/storm"),
            ("2024/05/storm.php", "/2024/05/storm"),
            ("//a.example/2024//05/./storm", "/2024/05/storm"),
            ("https://a.example/index.php/2024/05/storm/", "/2024/05/storm"),
            ("https://a.example/2024/05/storm/?utm_source=rss&utm_medium=feed", "/2024/05/storm"),
            ("https://a.example/2024/05/storm?source=rss----1a2b---4", "/2024/05/storm"),
            ("https://a.example/?p=12", "/?p=12"),
            ("https://a.example/?p=12&utm_source=rss#comments", "/?p=12"),
            ("https://a.example/index.php?utm_campaign=x&p=12", "/?p=12"),
            ("?p=12", "/?p=12"),
            ("https://a.example/blog/?p=12", "/blog?p=12"),
            ("https://a.example/story.php?b=2&a=1", "/story?a=1&b=2"),
            ("https://a.example/caf%C3%A9/", "/café"),
            ("https://a.example/cafe\u{301}", "/café"),
            ("https://a.example/caf%E9/", "/café"),
            ("https://a.example/%E6%97%A5%E6%9C%AC", "/日本"),
            ("https://a.example", "/"),
        ] {
            assert_eq!(comparable_link(link), expected, "{link}");
        }
    }
}
