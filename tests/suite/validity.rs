//! Documents are valid whatever is in the folder, and always the same for the same folder.

mod conduct;
mod determinism;
mod rules;
mod sample_site;
mod table;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::tools;
use sample_site::{Served, documents, documents_of};

/// Documents as files, named so that a message identifies them.
struct Files {
    // Removes the files when it is dropped.
    _folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

impl Files {
    fn of(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wanted = documents().iter().filter(|document| names.iter().any(|name| document.is(name)));
        let write = |document: &Served| {
            let (place, name) = document.path.rsplit_once('/').unwrap_or(("", &document.path));
            // Some places have longer names than the file system permits.
            let place = place.replace('/', "~");
            let place = folder.path().join(place.split_at(place.len().saturating_sub(200)).1);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join(name), &document.body).unwrap();
            place.join(name)
        };
        let paths = wanted.map(write).collect();
        Self { _folder: folder, paths }
    }
}

#[test]
fn xml_is_well_formed_by_libxml() {
    if tools::has("xmllint") {
        let files = Files::of(&["atom.xml", "rss.xml", "feeds.opml"]);
        tools::run(Command::new("xmllint").arg("--noout").args(&files.paths));
    }
}

#[test]
fn atom_is_valid_by_the_schema_of_rfc_4287() {
    let Some(schema) = tools::beside("schemas/atom.rng") else { return };
    if tools::has("xmllint") {
        let files = Files::of(&["atom.xml"]);
        tools::run(Command::new("xmllint").arg("--noout").arg("--relaxng").arg(schema).args(&files.paths));
    }
}

#[test]
fn rss_is_valid_by_the_rss_crate() {
    use rss::validation::Validate;
    for document in documents_of("rss.xml") {
        let channel = rss::Channel::read_from(&document.body[..]).unwrap();
        channel.validate().unwrap_or_else(|error| panic!("{}: {error}", document.path));
    }
}

#[test]
fn json_is_valid_by_the_schema_of_json_feed() {
    let Some(schema) = tools::json_feed_schema() else { return };
    if !tools::has_python("jsonschema") || !tools::has_python("rfc3339_validator") {
        return;
    }
    let files = Files::of(&["feed.json"]);
    let script = "
import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
def once(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)
for name in sys.argv[2:]:
    validator.validate(json.load(open(name, encoding='utf-8'), object_pairs_hook=once))
";
    tools::run(Command::new("python3").args(["-c", script]).arg(schema).args(&files.paths));
}

/// Compares what feedparser reads in RSS and Atom with the entries in JSON Feed.
const FEEDPARSER: &str = "
import feedparser, json, sys, time
from html import unescape
def date(text):
    return time.strptime(text, '%Y-%m-%dT%H:%M:%SZ')
for name in sys.argv[1:]:
    feed = feedparser.parse(open(name, 'rb').read(), sanitize_html=False, resolve_relative_uris=False)
    assert feed.bozo == 0, (name, feed.bozo_exception)
    assert feed.version == ('atom10' if name.endswith('atom.xml') else 'rss20'), (name, feed.version)
    same = name.replace('atom.xml', 'feed.json').replace('rss.xml', 'feed.json')
    expected = json.load(open(same, encoding='utf-8'))
    assert feed.feed.title == expected['title'], name
    assert feed.feed.link == expected['home_page_url'] or 'archive' in name, (name, feed.feed.link)
    assert len(feed.entries) == len(expected['items']), name
    for entry, item in zip(feed.entries, expected['items']):
        assert entry.id == item['id'], name
        assert entry.title == item['title'], (name, entry.title, item['title'])
        assert entry.link == item.get('external_url', item['url']), (name, entry.link)
        assert entry.published_parsed[:6] == date(item['date_published'])[:6], (name, entry.published)
        assert [tag.term for tag in entry.get('tags', [])] == item.get('tags', []), (name, item['tags'])
        authors = [author.get('name') for author in entry.authors]
        named = [author['name'] for author in item['authors']]
        # RSS has one name for all authors, since many programs keep only one.
        assert authors == (named if name.endswith('atom.xml') else [', '.join(named)]), (name, authors, named)
        html = [content.value for content in entry.get('content', [])] or [entry.summary]
        if 'content_html' in item:
            assert html[0] == item['content_html'], (name, html, item['content_html'])
        if name.endswith('atom.xml'):
            assert entry.updated_parsed[:6] == date(item['date_modified'])[:6], (name, entry.updated)
            summary = entry.get('summary', item.get('summary'))
            # Beside a text, the summary is HTML.
            assert summary == item.get('content_html') or unescape(summary or '') == (item.get('summary') or ''), name
";

#[test]
fn feedparser_reads_everything_as_it_was_written() {
    if tools::has_python("feedparser") {
        let files = Files::of(&["atom.xml", "rss.xml", "feed.json"]);
        let feeds = files.paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "xml"));
        tools::run(Command::new("python3").args(["-c", FEEDPARSER]).args(feeds));
    }
}

/// Decodes the entities of a text in HTML.
pub(crate) fn as_text(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// An entry of any format: id, title, address, publication date, authors, tags, summary and HTML.
type Said = (String, String, String, i64, Vec<String>, Vec<String>, Option<String>, Option<String>);

/// `summaries`: whether each entry has one. RSS has no element of its own for it (profile 5.2.1).
fn by_rss(document: &Served, summaries: &[bool]) -> Vec<Said> {
    let channel = rss::Channel::read_from(&document.body[..]).unwrap();
    assert_eq!(channel.items.len(), summaries.len(), "{}", document.path);
    let said = |(item, has_summary): (rss::Item, &bool)| {
        let (summary, html) = if *has_summary { (item.description, item.content) } else { (None, item.description) };
        (
            item.guid.unwrap().value,
            item.title.unwrap(),
            item.link.unwrap(),
            chrono::DateTime::parse_from_rfc2822(&item.pub_date.unwrap()).unwrap().timestamp(),
            item.dublin_core_ext.unwrap().creators.iter().flat_map(|all| all.split(", ")).map(str::to_owned).collect(),
            item.categories.into_iter().map(|category| category.name).collect(),
            // In RSS, the summary is HTML.
            summary.map(|text| as_text(&text)),
            html,
        )
    };
    channel.items.into_iter().zip(summaries).map(said).collect()
}

fn by_atom(document: &Served) -> Vec<Said> {
    let feed = atom_syndication::Feed::read_from(&document.body[..]).unwrap();
    let said = |entry: atom_syndication::Entry| {
        (
            entry.id,
            entry.title.value,
            entry.links.iter().find(|link| link.rel == "alternate").unwrap().href.clone(),
            entry.published.unwrap().timestamp(),
            entry.authors.into_iter().map(|person| person.name).collect(),
            entry.categories.into_iter().map(|category| category.term).collect(),
            entry.summary.map(|text| {
                if text.r#type == atom_syndication::TextType::Html { as_text(&text.value) } else { text.value }
            }),
            entry.content.and_then(|content| content.value),
        )
    };
    feed.entries.into_iter().map(said).collect()
}

fn by_json(document: &Served) -> Vec<Said> {
    let feed: Value = serde_json::from_slice(&document.body).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let said = |item: &Value| {
        let list = |key: &str| item[key].as_array().cloned().unwrap_or_default();
        (
            text(&item["id"]).unwrap(),
            text(&item["title"]).unwrap(),
            text(&item["external_url"]).or(text(&item["url"])).unwrap(),
            text(&item["date_published"]).unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp(),
            list("authors").iter().map(|person| text(&person["name"]).unwrap()).collect(),
            list("tags").iter().map(|tag| text(tag).unwrap()).collect(),
            text(&item["summary"]),
            text(&item["content_html"]),
        )
    };
    feed["items"].as_array().unwrap().iter().map(said).collect()
}

/// Modification date and language of each entry, which RSS does not have.
fn changed_by_atom(document: &Served) -> Vec<(String, Option<String>)> {
    let feed = atom_syndication::Feed::read_from(&document.body[..]).unwrap();
    let changed = |entry: atom_syndication::Entry| {
        (entry.updated.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string(), entry.title.lang)
    };
    feed.entries.into_iter().map(changed).collect()
}

fn changed_by_json(document: &Served) -> Vec<(String, Option<String>)> {
    let feed: Value = serde_json::from_slice(&document.body).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let items = feed["items"].as_array().unwrap().iter();
    items.map(|item| (text(&item["date_modified"]).unwrap(), text(&item["language"]))).collect()
}

#[test]
fn all_formats_have_the_same_content() {
    let mut count = 0;
    for json in documents_of("feed.json") {
        let of = |name: &str| {
            let path = json.path.replace("feed.json", name);
            documents().iter().find(|document| document.path == path).unwrap()
        };
        let said = by_json(json);
        let summaries: Vec<bool> = said.iter().map(|entry| entry.6.is_some()).collect();
        assert_eq!(by_rss(of("rss.xml"), &summaries), said, "{}: standards 2", json.path);
        assert_eq!(by_atom(of("atom.xml")), said, "{}: standards 2", json.path);
        assert_eq!(changed_by_atom(of("atom.xml")), changed_by_json(json), "{}", json.path);
        count += said.len();
    }
    assert!(count > sample_site::ARTICLES, "{count}");
}

#[test]
fn every_article_is_published() {
    let entries = sample_site::entries();
    let titles: Vec<&str> = entries.iter().map(|entry| entry["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), sample_site::ARTICLES, "{titles:?}");
    for (language, title, text) in sample_site::WORLD {
        let entry = entries.iter().find(|entry| entry["title"] == title).unwrap_or_else(|| panic!("{title}"));
        let html = entry["content_html"].as_str().unwrap();
        assert!(html.contains(&format!("<p>{}</p>", composed(text))), "{language}: {html}");
    }
    let number = |title: &str, key: &str| {
        entries.iter().find(|entry| entry["title"] == title).unwrap()[key].as_array().unwrap().len()
    };
    assert_eq!((number("Tags", "tags"), number("Authors", "authors")), (sample_site::TAGS, sample_site::AUTHORS));
    assert!(titles.contains(&sample_site::EMOJI) && titles.contains(&sample_site::MARKS));
}

/// The text in normalization form C.
fn composed(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfc().collect()
}

#[test]
fn every_listed_feed_is_served() {
    let heads: Vec<&Served> = documents().iter().filter(|document| document.path.starts_with("HEAD ")).collect();
    assert!(heads.len() > sample_site::TAGS + sample_site::AUTHORS);
    assert!(heads.iter().all(|head| head.status == 200), "standards 143");
    let mut paths: Vec<&str> = heads.iter().map(|head| head.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), heads.len(), "each feed once: standards 143");
}

#[test]
fn listparser_reads_the_list_of_feeds() {
    if !tools::has_python("listparser") {
        return;
    }
    let script = "
import listparser, sys
text = open(sys.argv[1], 'rb').read()
found = listparser.parse(text)
assert not found.bozo and found.version == 'opml2', (found.bozo, found.version)
assert found.meta.title == sys.argv[2], found.meta.title
addresses = [feed.url for feed in found.feeds]
assert len(addresses) == len(set(addresses)) == text.count(b'xmlUrl='), len(addresses)
assert all(feed.title for feed in found.feeds)
assert {tuple(feed.categories[0]) for feed in found.feeds if feed.categories} == {('Sections',), ('Tags',), ('Authors',), ('Languages',)}
";
    let files = Files::of(&["feeds.opml"]);
    let title = "All & <sundry> ]]> \"gazette\" 日本";
    tools::run(Command::new("python3").args(["-c", script]).arg(&files.paths[0]).arg(title));
}
