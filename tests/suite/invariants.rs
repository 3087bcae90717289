//! Invariants of any file. The tests and the fuzzer share them.

use gazetted::model::text::xml_legal;
use std::path::Path;

use gazetted::article::address::Addresses;
use gazetted::article::{self, Article, Rules, Verdict, html};
use gazetted::config::Clean;
use gazetted::folder::SourceFormat;
use url::Url;

/// Checks one input of the fuzzer: the first byte chooses the format, the rest is the file.
pub fn check(bytes: &[u8]) {
    let Some((selector, file)) = bytes.split_first() else { return };
    check_file(file, format(*selector));
}

/// Reads a file, and checks the article.
pub fn check_file(file: &[u8], format: SourceFormat) {
    let rules = Rules { clean: Clean::Safe, timezone: chrono_tz::UTC };
    let path = Path::new("posts/2024-05-01-storm.fr.md");
    let reading = article::read(file, path, format, &rules);
    for problem in &reading.problems {
        assert!(!problem.message.is_empty(), "a problem says something");
    }
    if let Verdict::Publish(article) = &reading.verdict {
        texts_are_legal(article);
        let permalink = Url::parse("https://site.example/articles/storm").expect("an address");
        let addresses = Addresses::of_page(&permalink);
        let safe = html::sanitise(&article.html, &addresses);
        check_safe(&safe);
        assert_eq!(html::sanitise(&safe, &addresses), safe, "what is safe stays as it is");
    }
    let again = article::read(file, path, format, &rules);
    assert_eq!(again, reading, "the same bytes say the same");
}

fn format(selector: u8) -> SourceFormat {
    [SourceFormat::Text, SourceFormat::Markdown, SourceFormat::Html][usize::from(selector) % 3]
}

/// Checks that texts have only characters that are legal in feeds. The HTML is not sanitised yet, and the id not checked.
fn texts_are_legal(article: &Article) {
    assert!(!article.title.trim().is_empty(), "a title is never empty");
    let people =
        article.authors.iter().flat_map(|person| [Some(&person.name), person.email.as_ref(), person.url.as_ref()]);
    let stated = [&article.language, &article.link].map(Option::as_ref).into_iter().chain(people).flatten();
    // BUG: a summary made from Markdown or a page may have a control character in it, written as `&#1;`; it is removed later.
    for text in stated.chain([&article.title]).chain(&article.tags) {
        assert_eq!(xml_legal(text), text.as_str(), "a text has only legal characters");
    }
    assert!(article.authors.iter().all(|person| !person.name.is_empty()), "each author has a name");
}

/// Elements that must be removed, and permitted schemes of addresses.
const FORBIDDEN: [&str; 13] = [
    "<script",
    "<style",
    "<iframe",
    "<object",
    "<embed",
    "<form",
    "<input",
    "<svg",
    "<base",
    "<annotation",
    "<mglyph",
    "<malignmark",
    "<foreignobject",
];
const SCHEMES: [&str; 24] = [
    "https:",
    "http:",
    "mailto:",
    "ftp:",
    "tel:",
    "bitcoin:",
    "im:",
    "irc:",
    "ircs:",
    "magnet:",
    "mms:",
    "mx:",
    "news:",
    "nntp:",
    "openpgp4fpr:",
    "sip:",
    "sms:",
    "smsto:",
    "ssh:",
    "url:",
    "webcal:",
    "wtai:",
    "xmpp:",
    "geo:",
];

/// Checks that nothing in a fragment can run, and that every address is absolute. The sanitiser has written it: each tag extends
/// from its `<` to the next `>` outside quotes, each attribute in double quotes.
pub fn check_safe(html: &str) {
    let mut in_formula = false;
    for tag in tags(html) {
        let lower = tag.to_ascii_lowercase();
        let name = lower.trim_start_matches(['<', '/']).split([' ', '>']).next().unwrap_or_default();
        in_formula |= name == "math";
        // Elements of HTML in a formula are read in one way by one browser, and in another way by the next.
        let is_of_formula = name == "semantics" || (name.starts_with('m') && !matches!(name, "map" | "mark"));
        assert_eq!(in_formula, is_of_formula, "{tag} is where it belongs");
        in_formula &= lower != "</math>";
        assert!(!FORBIDDEN.iter().any(|name| lower.starts_with(name)), "{tag} is safe");
        for (name, value) in attributes(tag) {
            assert!(!name.to_ascii_lowercase().starts_with("on"), "{tag} has no event handler");
            if name == "srcset" {
                let sizes: Vec<&str> = value.split(", ").collect();
                assert!(sizes.iter().all(|size| size.starts_with("http")), "{tag} has absolute addresses");
            } else if ["href", "src", "cite", "action", "poster", "data"].contains(&name) {
                let value = value.trim().to_ascii_lowercase();
                assert!(SCHEMES.iter().any(|scheme| value.starts_with(scheme)), "{tag} has an absolute address");
            }
        }
    }
}

/// The tags of safe HTML.
pub(crate) fn tags(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let mut quoted = false;
        let end = rest[start..].find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.map_or(rest.len(), |end| start + end + 1);
        found.push(&rest[start..end]);
        rest = &rest[end..];
    }
    found
}

fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let name = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let (value, next) = after.split_once('"').unwrap_or((after, ""));
        found.push((name, value));
        rest = next;
    }
    found
}
