//! The rules of feed documents, one by one, for all served documents. The numbers are those of `tests/standards.md`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use roxmltree::{Document, Node};
use serde_json::Value;

use super::sample_site::{self, MARKS, Served};
use crate::invariants;
use crate::site::BASE_URL;

const ATOM: &str = "http://www.w3.org/2005/Atom";
const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";
const DC: &str = "http://purl.org/dc/elements/1.1/";

/// The strict parser also refuses a document type.
fn parse(document: &'static Served) -> Document<'static> {
    Document::parse(document.text()).unwrap_or_else(|error| panic!("{}: {error}: standards 13", document.path))
}

fn is_xml(document: &Served) -> bool {
    ["atom.xml", "rss.xml", ".opml"].iter().any(|name| document.is(name))
}

fn xml_documents() -> impl Iterator<Item = &'static Served> {
    sample_site::documents().iter().filter(|document| is_xml(document))
}

/// Children without a namespace, or in one.
fn children<'a>(node: Node<'a, 'a>, space: Option<&'a str>, name: &'a str) -> Vec<Node<'a, 'a>> {
    node.children().filter(|child| child.tag_name().name() == name && child.tag_name().namespace() == space).collect()
}

fn count(node: Node<'_, '_>, space: Option<&str>, name: &str) -> usize {
    node.children().filter(|child| child.tag_name().name() == name && child.tag_name().namespace() == space).count()
}

/// The text of the one child of that name.
fn the<'a>(node: Node<'a, 'a>, space: Option<&'a str>, name: &'a str) -> &'a str {
    let found = children(node, space, name);
    assert_eq!(found.len(), 1, "one {name}");
    found[0].text().unwrap_or_default()
}

/// The address of a document.
fn address(document: &Served) -> String {
    format!("{BASE_URL}news/{}", document.path.trim_start_matches("brief/"))
}

fn feeds(name: &str) -> Vec<(&'static Served, Document<'static>)> {
    sample_site::documents_of(name).map(|document| (document, parse(document))).collect()
}

fn items<'a>(document: &'a Document<'a>) -> Vec<Node<'a, 'a>> {
    children(channel(document), None, "item")
}

fn channel<'a>(document: &'a Document<'a>) -> Node<'a, 'a> {
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("version")), ("rss", Some("2.0")), "standards 26");
    let channels = children(root, None, "channel");
    assert_eq!(channels.len(), 1, "standards 26");
    channels[0]
}

fn entries<'a>(document: &'a Document<'a>) -> Vec<Node<'a, 'a>> {
    children(document.root_element(), Some(ATOM), "entry")
}

#[test]
fn documents_are_plain_utf_8() {
    for document in sample_site::documents().iter().filter(|document| !document.body.is_empty()) {
        let (path, text) = (&document.path, document.text());
        if is_xml(document) {
            assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"), "{path}: standards 13");
            assert!(!text.contains("<!DOCTYPE") && !text.contains("<!ENTITY"), "{path}: standards 18");
            assert!(!text.contains("&#13;") && !text.contains("&#x0"), "{path}: standards 14");
        }
        assert!(!text.contains('\r') && !text.contains("\\r"), "{path}: standards 19");
        assert!(!text.contains('\u{FEFF}'), "{path}: standards 13, 74");
        for c in text.chars() {
            let plain =
                matches!(c, '\t' | '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}');
            assert!(plain, "{path}: {c:?}: standards 14");
            let discouraged = matches!(c, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FDD0}'..='\u{FDEF}');
            assert!(!discouraged && u32::from(c) & 0xFFFE != 0xFFFE, "{path}: {c:?}: standards 15");
        }
        assert!(document.body.len() <= 512 << 10, "{path}: {} bytes: standards 12", document.body.len());
    }
}

#[test]
fn texts_in_other_encodings_are_read() {
    let entries = sample_site::entries();
    let text = |title: &str| {
        let entry = entries.iter().find(|entry| entry["title"] == title);
        entry.unwrap_or_else(|| panic!("{title}: standards 16"))["content_html"].as_str().unwrap().to_owned()
    };
    assert!(text("Café crème").contains("La carte du café n'a pas changé"), "standards 16");
    assert!(text("UTF-16 title").contains("ü and 日本"), "standards 16");
    assert!(text("Lines of an old Mac").contains("Second line."), "standards 19");
    assert!(entries.iter().all(|entry| entry["title"] != "A NUL"), "what is no text is not published");
}

#[test]
fn markup_is_escaped_once() {
    for (document, xml) in feeds("rss.xml") {
        for item in items(&xml).into_iter().filter(|item| the(*item, None, "title").starts_with("]]>")) {
            assert_eq!(the(item, None, "title"), MARKS, "{}: standards 17, 32", document.path);
            assert_eq!(the(item, None, "category"), MARKS, "{}: standards 17, 31", document.path);
        }
    }
    let mut seen = 0;
    for (document, xml) in feeds("atom.xml") {
        for entry in entries(&xml).into_iter().filter(|entry| the(*entry, Some(ATOM), "title").starts_with("]]>")) {
            assert_eq!(the(entry, Some(ATOM), "title"), MARKS, "{}: standards 17", document.path);
            let summary = the(entry, Some(ATOM), "summary");
            let is_text = children(entry, Some(ATOM), "content").is_empty();
            let summary = if is_text { summary.to_owned() } else { super::as_text(summary) };
            assert_eq!(summary, MARKS, "{}: standards 17, 51", document.path);
            seen += 1;
        }
    }
    assert!(seen > 0);
    let entry = sample_site::entries().into_iter().find(|entry| entry["title"] == MARKS).unwrap();
    assert_eq!(entry["summary"], MARKS, "standards 72");
}

#[test]
fn namespaces_have_standard_prefixes_and_are_declared_on_the_root_and_used() {
    let customary = [("atom", ATOM), ("content", CONTENT), ("dc", DC)];
    for document in xml_documents() {
        let xml = parse(document);
        let spaces = xml.root_element().namespaces().filter(|space| space.name() != Some("xml"));
        assert_eq!(
            document.text().matches(" xmlns").count(),
            spaces.clone().count(),
            "{}: standards 21",
            document.path
        );
        for space in spaces {
            let prefix = space.name().unwrap_or_default();
            let is_used = xml.descendants().any(|node| node.tag_name().namespace() == Some(space.uri()));
            assert!(is_used, "{}: {prefix}: standards 21", document.path);
            let usual = customary.iter().find(|(name, _)| *name == prefix);
            assert!(usual.is_none_or(|(_, uri)| *uri == space.uri()), "{}: {prefix}: standards 21", document.path);
        }
    }
}

/// Names of elements and attributes that hold an address, an id or a date.
const VALUES: [&str; 17] = [
    "id",
    "link",
    "guid",
    "uri",
    "updated",
    "published",
    "pubDate",
    "lastBuildDate",
    "docs",
    "href",
    "url",
    "domain",
    "scheme",
    "ref",
    "when",
    "xmlUrl",
    "htmlUrl",
];

#[test]
fn addresses_are_absolute_and_values_are_trimmed() {
    let is_address = |text: &str| text.is_ascii() && url::Url::parse(text).is_ok() && !text.contains(' ');
    let dates = ["updated", "published", "pubDate", "lastBuildDate", "when"];
    for document in xml_documents() {
        let xml = parse(document);
        for node in xml.descendants().filter(Node::is_element) {
            let text = node
                .text()
                .filter(|_| VALUES.contains(&node.tag_name().name()))
                .map(|text| (node.tag_name().name(), text));
            let attributes = node.attributes().filter(|attribute| VALUES.contains(&attribute.name()));
            for (name, value) in attributes.map(|attribute| (attribute.name(), attribute.value())).chain(text) {
                assert_eq!(value, value.trim(), "{}: {name}: standards 3, 20", document.path);
                assert!(!value.contains('\n'), "{}: {name}: standards 20", document.path);
                assert!(
                    dates.contains(&name) || is_address(value),
                    "{}: {name} {value}: standards 3, 22, 23",
                    document.path
                );
            }
        }
    }
    for entry in sample_site::entries() {
        let id = entry["id"].as_str().unwrap();
        assert!(id.starts_with("urn:uuid:") && uuid::Uuid::parse_str(id).is_ok(), "{id}: standards 3, 4");
        assert!(is_address(entry["url"].as_str().unwrap()), "standards 22");
    }
}

#[test]
fn content_is_safe_and_balanced() {
    const EMPTY: [&str; 8] = ["br", "hr", "img", "wbr", "col", "source", "track", "area"];
    for entry in sample_site::entries() {
        let Some(html) = entry["content_html"].as_str() else { continue };
        invariants::check_safe(html);
        let mut open: Vec<&str> = Vec::new();
        for tag in html.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split([' ', '>', '\n', '/']).next().unwrap();
            assert!(!["html", "head", "body", "!DOCTYPE", "!--"].contains(&name), "{html}: standards 24, 25");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "{html}: standards 25");
            } else if !EMPTY.contains(&name) {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{html}: standards 25");
        assert!(!html.contains(" style=") && !html.contains("<!--"), "{html}: standards 24");
    }
}

#[test]
fn dates_are_correct_and_the_newest_entry_is_first() {
    let date = |value: &Value| value.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    for document in sample_site::documents_of("feed.json") {
        // After the site was made.
        let now = Utc::now();
        let feed: Value = serde_json::from_slice(&document.body).unwrap();
        let items = feed["items"].as_array().unwrap();
        let dates: Vec<DateTime<Utc>> = items.iter().map(|item| date(&item["date_published"])).collect();
        assert!(dates.is_sorted_by(|one, next| one >= next), "{}: {dates:?}: standards 11", document.path);
        for item in items {
            let (published, updated) = (date(&item["date_published"]), date(&item["date_modified"]));
            assert!(published <= updated && updated <= now, "{}: {}: standards 6", document.path, item["title"]);
        }
    }
    let dates: Vec<String> = sample_site::entries().iter().map(|entry| entry["date_published"].to_string()).collect();
    assert_eq!(dates.iter().collect::<BTreeSet<_>>().len(), dates.len(), "{dates:?}: standards 7");
}

#[test]
fn rss_channels_have_the_required_elements_and_no_unknown_ones() {
    let own = ["title", "link", "description", "language", "lastBuildDate", "generator", "docs", "item"];
    let of_items = ["title", "link", "description", "category", "guid", "pubDate", "enclosure"];
    for (document, xml) in feeds("rss.xml") {
        let (path, channel) = (&document.path, channel(&xml));
        let names: Vec<&str> = own_names(channel);
        assert!(names.iter().all(|name| own.contains(name)), "{path}: {names:?}: standards 41, 42, 43, 44");
        for name in ["title", "link", "description", "language", "lastBuildDate", "generator"] {
            assert!(!the(channel, None, name).trim().is_empty(), "{path}: {name}: standards 26, 37");
        }
        assert_eq!(the(channel, None, "docs"), "https://www.rssboard.org/rss-specification", "standards 37");
        let elements: Vec<Node<'_, '_>> = channel.children().filter(Node::is_element).collect();
        let first = elements.iter().position(|node| node.tag_name().name() == "item").unwrap_or(elements.len());
        assert!(elements[first..].iter().all(|node| node.tag_name().name() == "item"), "{path}: standards 28");
        let links = children(channel, Some(ATOM), "link");
        let own: Vec<_> = links.iter().filter(|link| link.attribute("rel") == Some("self")).collect();
        assert_eq!(own.len(), 1, "{path}: standards 35");
        assert_eq!(own[0].attribute("href"), Some(address(document).as_str()), "{path}: standards 35");
        assert_eq!(own[0].attribute("type"), Some("application/rss+xml"), "{path}: standards 35");
        for item in items(&xml) {
            let names = own_names(item);
            assert!(names.iter().all(|name| of_items.contains(name)), "{path}: {names:?}: standards 44");
            let once: Vec<&&str> = names.iter().filter(|name| **name != "category").collect();
            assert_eq!(once.iter().collect::<BTreeSet<_>>().len(), once.len(), "{path}: standards 27, 38");
        }
    }
}

/// Names of all children that are in no namespace.
fn own_names<'a>(node: Node<'a, 'a>) -> Vec<&'a str> {
    let own = node.children().filter(|child| child.is_element() && child.tag_name().namespace().is_none());
    own.map(|child| child.tag_name().name()).collect()
}

#[test]
fn rss_items_have_the_recommended_elements() {
    for (document, xml) in feeds("rss.xml") {
        let path = &document.path;
        let mut ids = BTreeSet::new();
        for item in items(&xml) {
            assert!(!the(item, None, "title").is_empty(), "{path}: standards 27");
            let guid = children(item, None, "guid")[0];
            assert_eq!(guid.attribute("isPermaLink"), Some("false"), "{path}: standards 29");
            assert!(ids.insert(guid.text().unwrap().to_owned()), "{path}: standards 29");
            let date = the(item, None, "pubDate");
            let parsed = DateTime::parse_from_rfc2822(date).unwrap();
            assert_eq!(parsed.format("%a, %d %b %Y %H:%M:%S +0000").to_string(), date, "{path}: standards 30");
            let description = the(item, None, "description");
            assert!(!description.contains(" & ") && !description.contains("< "), "{path}: {description}: standards 33");
            assert!(!description.is_empty(), "{path}: standards 34");
            let content = children(item, Some(CONTENT), "encoded");
            assert!(
                content.iter().all(|content| content.prev_siblings().any(|node| node.has_tag_name("description"))),
                "{path}: standards 34"
            );
            assert!(count(item, Some(DC), "creator") > 0, "{path}: standards 36");
            assert_eq!(count(item, None, "author"), 0, "{path}: standards 36");
            for category in children(item, None, "category") {
                assert_eq!(
                    category.attribute("domain"),
                    Some("https://gazette.example/news/tags/"),
                    "{path}: standards 40"
                );
            }
        }
    }
    let (_, whole) = feeds("rss.xml").into_iter().find(|(document, _)| document.path == "rss.xml").unwrap();
    let summary = |item: &Node<'_, '_>| count(*item, Some(CONTENT), "encoded");
    assert!(
        items(&whole).iter().any(|item| summary(item) == 1) && items(&whole).iter().any(|item| summary(item) == 0),
        "standards 34"
    );
}

#[test]
fn atom_feeds_have_the_required_elements() {
    for (document, xml) in feeds("atom.xml") {
        let (path, feed) = (&document.path, xml.root_element());
        assert_eq!((feed.tag_name().namespace(), feed.tag_name().name()), (Some(ATOM), "feed"), "{path}: standards 45");
        for name in ["id", "title", "updated"] {
            assert!(!the(feed, Some(ATOM), name).trim().is_empty(), "{path}: standards 45");
        }
        for name in ["generator", "icon", "logo", "rights", "subtitle"] {
            assert!(count(feed, Some(ATOM), name) <= 1, "{path}: standards 45");
        }
        let links = children(feed, Some(ATOM), "link");
        let of =
            |relation: &str| links.iter().filter(|link| link.attribute("rel") == Some(relation)).collect::<Vec<_>>();
        assert_eq!(of("self").len(), 1, "{path}: standards 49");
        assert_eq!(of("self")[0].attribute("href"), Some(address(document).as_str()), "{path}: standards 49");
        assert_eq!(of("alternate")[0].attribute("type"), Some("text/html"), "{path}: standards 49");
        assert_eq!(
            feed.attribute(("http://www.w3.org/XML/1998/namespace", "lang")),
            Some(language_of(path)),
            "{path}: standards 56"
        );
        let newest = entries(&xml).iter().map(|entry| the(*entry, Some(ATOM), "updated")).max();
        assert!(newest.is_none_or(|newest| newest <= the(feed, Some(ATOM), "updated")), "{path}: standards 9");
        let ids: BTreeSet<_> = entries(&xml).iter().map(|entry| the(*entry, Some(ATOM), "id")).collect();
        assert_eq!(ids.len(), entries(&xml).len(), "{path}: standards 55");
        for stone in feed.children().filter(|node| node.tag_name().name() == "deleted-entry") {
            assert!(
                stone.next_siblings().any(|node| node.has_tag_name((ATOM, "entry"))) || ids.is_empty(),
                "{path}: standards 68"
            );
            assert!(!ids.contains(stone.attribute("ref").unwrap()), "{path}: standards 67");
            assert!(is_utc(stone.attribute("when").unwrap()), "{path}: standards 66");
        }
    }
}

fn is_utc(date: &str) -> bool {
    DateTime::parse_from_rfc3339(date).is_ok() && date.len() == 20 && date.ends_with('Z') && date.as_bytes()[10] == b'T'
}

#[test]
fn atom_entries_have_the_required_elements() {
    for (document, xml) in feeds("atom.xml") {
        let path = &document.path;
        for entry in entries(&xml) {
            for name in ["id", "title", "updated"] {
                assert!(!the(entry, Some(ATOM), name).trim().is_empty(), "{path}: standards 46, 54");
            }
            for name in ["content", "summary", "published", "rights", "source"] {
                assert!(count(entry, Some(ATOM), name) <= 1, "{path}: standards 46");
            }
            assert_eq!(count(entry, Some(ATOM), "source"), 0, "{path}: nothing is copied: standards 59");
            assert!(
                is_utc(the(entry, Some(ATOM), "updated")) && is_utc(the(entry, Some(ATOM), "published")),
                "{path}: standards 50"
            );
            let links = children(entry, Some(ATOM), "link");
            assert_eq!(
                links.iter().filter(|link| link.attribute("rel") == Some("alternate")).count(),
                1,
                "{path}: standards 48"
            );
            let authors = children(entry, Some(ATOM), "author");
            assert!(!authors.is_empty(), "{path}: standards 47");
            for author in authors {
                assert!(!the(author, Some(ATOM), "name").is_empty(), "{path}: standards 58");
                let email = children(author, Some(ATOM), "email");
                assert!(
                    email.iter().all(|email| email.text().unwrap().split('@').count() == 2),
                    "{path}: standards 58"
                );
            }
            let categories = children(entry, Some(ATOM), "category");
            assert!(
                categories.iter().all(|category| category.attribute("term").is_some_and(|term| !term.is_empty())),
                "{path}: standards 58"
            );
        }
    }
}

#[test]
fn atom_texts_declare_their_types() {
    for (document, xml) in feeds("atom.xml") {
        let path = &document.path;
        for entry in entries(&xml) {
            let of = |name: &'static str| children(entry, Some(ATOM), name);
            let (title, content, summary) = (of("title"), of("content"), of("summary"));
            for title in &title {
                assert!(matches!(title.attribute("type"), None | Some("text")), "{path}: standards 51, 52");
            }
            // Some readers prefer plain text, and would show the summary in place of the article.
            for summary in &summary {
                let is_html = summary.attribute("type") == Some("html");
                assert_eq!(is_html, !content.is_empty(), "{path}: standards 51, 52");
            }
            for content in &content {
                assert_eq!(content.attribute("type"), Some("html"), "{path}: standards 51, 52");
                assert_eq!(
                    (content.attribute("src"), content.children().count()),
                    (None, 1),
                    "{path}: standards 51, 53"
                );
            }
            assert!(content.iter().chain(&summary).any(|text| text.text().is_some()), "{path}: standards 54");
            let title = title[0].text();
            assert!(
                summary.iter().all(|summary| summary.text() != title || title == Some(MARKS)),
                "{path}: standards 54"
            );
        }
    }
}

#[test]
fn rss_links_to_its_archives_as_atom_does() {
    for name in ["rss.xml", "archive/2/rss.xml"] {
        let (_, rss) = feeds("rss.xml").into_iter().find(|(document, _)| document.path == name).unwrap();
        let atom_name = name.replace("rss.xml", "atom.xml");
        let (_, atom) = feeds("atom.xml").into_iter().find(|(document, _)| document.path == atom_name).unwrap();
        let links = |node: Node<'_, '_>| {
            let links = node.children().filter(|child| child.has_tag_name((ATOM, "link")));
            let relations = links.filter(|link| link.attribute("rel") != Some("alternate"));
            relations
                .map(|link| {
                    (
                        link.attribute("rel").unwrap().to_owned(),
                        link.attribute("href").unwrap().replace("atom.xml", "rss.xml"),
                    )
                })
                .collect::<Vec<_>>()
        };
        let found = links(channel(&rss));
        assert!(found.iter().any(|(relation, _)| relation == "prev-archive"), "{name}: standards 60, 65");
        assert_eq!(found, links(atom.root_element()), "{name}: standards 65");
        assert_eq!(
            the(atom.root_element(), Some(ATOM), "id"),
            the(feeds("atom.xml")[0].1.root_element(), Some(ATOM), "id"),
            "standards 5"
        );
    }
}

#[test]
fn archives_differ_from_subscription_and_complete_feeds() {
    const HISTORY: &str = "http://purl.org/syndication/history/1.0";
    let mut archives = 0;
    for (document, xml) in feeds("atom.xml").into_iter().chain(feeds("rss.xml")) {
        let path = &document.path;
        let top = xml.descendants().find(|node| node.has_tag_name("channel")).unwrap_or(xml.root_element());
        let links = children(top, Some(ATOM), "link");
        let has = |relation: &str| links.iter().any(|link| link.attribute("rel") == Some(relation));
        let (archive, complete) = (count(top, Some(HISTORY), "archive"), count(top, Some(HISTORY), "complete"));
        let is_archive = path.starts_with("archive/");
        assert_eq!(
            (archive, has("next-archive"), has("current")),
            (usize::from(is_archive), is_archive, is_archive),
            "{path}: standards 60"
        );
        let has_older =
            !path.contains("archive/1/") && (is_archive || path.trim_start_matches("brief/").split('/').count() == 1);
        assert_eq!(has("prev-archive"), has_older, "{path}: standards 60");
        assert!(complete == 0 || !(has("prev-archive") || is_archive), "{path}: standards 63");
        for relation in ["first", "last", "previous", "next"] {
            assert!(!has(relation), "{path}: standards 63");
        }
        archives += archive;
    }
    assert!(archives > 4);
}

#[test]
fn pages_of_json_feeds_are_linked() {
    let (mut next, mut seen) = (Some("feed.json".to_owned()), BTreeSet::new());
    while let Some(path) = next {
        let document = sample_site::documents_of("feed.json").find(|document| document.path == path).unwrap();
        let feed: Value = serde_json::from_slice(&document.body).unwrap();
        assert_eq!(feed["feed_url"], format!("{BASE_URL}news/feed.json"), "{path}: standards 64");
        assert!(seen.insert(path), "standards 64");
        next = feed["next_url"]
            .as_str()
            .map(|address| address.strip_prefix(&format!("{BASE_URL}news/")).unwrap().to_owned());
    }
    assert!(seen.len() > 4);
}

/// The language that a feed states: its own if it is the view of one.
fn language_of(path: &str) -> &str {
    path.strip_prefix("languages/").and_then(|rest| rest.split('/').next()).unwrap_or("en")
}

#[test]
fn json_feeds_have_the_recommended_members() {
    for document in sample_site::documents_of("feed.json") {
        let (path, text) = (&document.path, document.text());
        assert!(text.starts_with("{\"version\":\"https://jsonfeed.org/version/1.1\","), "{path}: standards 70");
        let feed: Value = serde_json::from_str(text).unwrap();
        // The parser keeps one of two equal keys.
        assert_eq!(serde_json::to_string(&feed).unwrap().len() + 1, text.len(), "{path}: standards 74");
        assert!(!feed["title"].as_str().unwrap().is_empty(), "{path}: standards 70");
        assert!(
            feed["language"] == language_of(path) && feed["home_page_url"].is_string() && feed["author"].is_null(),
            "{path}: standards 71"
        );
        if !path.starts_with("archive/") {
            assert_eq!(feed["feed_url"], address(document), "{path}: standards 71");
        }
        let people = |value: &Value| {
            value["authors"].as_array().unwrap().iter().all(|person| !person["name"].as_str().unwrap().is_empty())
        };
        assert!(people(&feed), "{path}: standards 73");
        for item in feed["items"].as_array().unwrap() {
            assert!(!item["id"].as_str().unwrap().is_empty(), "{path}: standards 70");
            assert!(item["content_html"].is_string() || item["content_text"].is_string(), "{path}: standards 70");
            assert!(people(item) && item["author"].is_null(), "{path}: standards 71, 73");
            for key in ["date_published", "date_modified"] {
                assert!(is_utc(item[key].as_str().unwrap()), "{path}: standards 71");
            }
            let text = item["content_text"].as_str().unwrap_or_default();
            assert!(item["title"] == MARKS || !text.contains("<p>"), "{path}: {text}: standards 72");
        }
    }
}
