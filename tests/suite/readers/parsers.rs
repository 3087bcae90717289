//! Parsers in other languages, which readers are built on.

use std::process::Command;

use super::{NOTES, Shown, gazette, shows_all};
use crate::tools;

/// Prints a document as a parser reads it.
fn parse(program: &str, script: &str, site: &crate::site::Site, document: &str) -> Vec<Shown> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(document);
    std::fs::write(&file, site.get(&format!("/{document}")).body).unwrap();
    let mut command = Command::new("timeout");
    command.args(["170", program, if program == "node" { "--eval" } else { "-c" }, script]).arg(file);
    // Node looks for modules from the current directory.
    if let Some(modules) = std::env::var_os("GAZETTED_NODE_MODULES") {
        command.current_dir(std::path::Path::new(&modules).parent().unwrap());
    }
    serde_json::from_str(&tools::run(&mut command)).unwrap()
}

const FEEDSMITH: &str = "
const {parseFeed} = require('feedsmith');
const {format, feed} = parseFeed(require('fs').readFileSync(process.argv[1], 'utf8'));
const seconds = (date) => Date.parse(date) / 1000;
const plain = (text) => text.value ?? text;
const shown = {
  rss: (item) => ({title: item.title, author: item.dc.creators?.[0] ?? item.dc.creator, date: seconds(item.pubDate),
    text: item.content?.encoded ?? item.description}),
  atom: (entry) => ({title: plain(entry.title), author: entry.authors[0].name, date: seconds(entry.published), text: plain(entry.content)}),
  json: (item) => ({title: item.title, author: item.authors[0].name, date: seconds(item.date_published), text: item.content_html}),
};
console.log(JSON.stringify((feed.items ?? feed.entries).map(shown[format])));
";

#[test]
fn feedsmith_reads_what_was_written() {
    if tools::has_node("feedsmith") {
        let site = gazette();
        for document in ["rss.xml", "atom.xml", "feed.json"] {
            shows_all(&parse("node", FEEDSMITH, &site, document));
        }
    }
}

const RSS_PARSER: &str = "
const Parser = require('rss-parser');
new Parser().parseString(require('fs').readFileSync(process.argv[1], 'utf8')).then((feed) => {
  const shown = (item) => ({title: item.title, author: item.creator ?? item.author, date: Date.parse(item.isoDate) / 1000,
    text: item['content:encoded'] ?? item.content});
  console.log(JSON.stringify(feed.items.map(shown)));
});
";

#[test]
fn rss_parser_reads_what_was_written() {
    if tools::has_node("rss-parser") {
        let site = gazette();
        for document in ["rss.xml", "atom.xml"] {
            shows_all(&parse("node", RSS_PARSER, &site, document));
        }
    }
}

const FEEDPARSER: &str = "
import calendar, feedparser, json, sys
feed = feedparser.parse(open(sys.argv[1], 'rb').read())
assert not feed.bozo, feed.bozo_exception
def shown(entry):
    text = entry.content[0].value if 'content' in entry else entry.summary
    return {'title': entry.title, 'author': entry.author, 'date': calendar.timegm(entry.published_parsed), 'text': text}
print(json.dumps([shown(entry) for entry in feed.entries]))
";

#[test]
fn feedparser_reads_what_was_written() {
    if tools::has_python("feedparser") {
        let site = gazette();
        for document in ["rss.xml", "atom.xml"] {
            shows_all(&parse("python3", FEEDPARSER, &site, document));
        }
    }
}

/// The title and the text of each entry as rss2email and its kind show them: the content, else the summary.
const SHOWN_BY_FEEDPARSER: &str = "
import feedparser, html.parser, json, sys
class Text(html.parser.HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.words = ''
        self.feed(source)
        self.close()
    def handle_data(self, data):
        self.words += data
def shown(entry):
    values = [content.value for content in entry.get('content', [])] or [entry.get('summary', '')]
    return [entry.get('title'), [' '.join(Text(value).words.split()) for value in values]]
print(json.dumps([shown(entry) for entry in feedparser.parse(open(sys.argv[1], 'rb').read()).entries]))
";

/// The entries with their titles and texts, as feedparser reads them.
const FEEDPARSER_ON_NOTES: &str = "
import feedparser, json, sys
feed = feedparser.parse(open(sys.argv[1], 'rb').read())
assert not feed.bozo, feed.bozo_exception
def shown(entry):
    text = entry.content[0].value if 'content' in entry else entry.summary
    return {'title': entry.get('title', ''), 'author': entry.author, 'date': 0, 'text': text}
print(json.dumps([shown(entry) for entry in feed.entries]))
";

#[test]
fn feedparser_shows_notes_without_a_title() {
    if tools::has_python("feedparser") {
        let mut site = crate::site::Site::new();
        for (name, text) in NOTES {
            site.write(name, format!("{text}\n"));
        }
        site.start();
        for (document, has_titles) in [("rss.xml", false), ("atom.xml", true)] {
            let shown = parse("python3", FEEDPARSER_ON_NOTES, &site, document);
            assert_eq!(shown.len(), NOTES.len());
            for (_, text) in NOTES {
                let last = text.rsplit("\n\n").next().unwrap();
                assert_eq!(shown.iter().filter(|shown| shown.text.contains(last)).count(), 1, "{shown:?}");
            }
            assert!(shown.iter().all(|shown| shown.title.is_empty() != has_titles), "{shown:?}");
        }
    }
}

/// The alternative text of a picture once took the place of the article: as `media:description` it is the text of the entry
/// for feedparser.
#[test]
fn feedparser_shows_the_text_of_an_article_not_that_of_its_pictures() {
    if !tools::has_python("feedparser") {
        return;
    }
    let long = "The storm came at night. ".repeat(40);
    let articles = [
        ("one.md", "# One\n\nBefore it.\n\n![Waves over the pier](a.png)\n\nAfter it.\n", "Before it. After it."),
        ("two.md", "---\ntitle: Two\nimage: {url: a.png, alt: Foam}\n---\nText & more.\n", "Text & more."),
        ("many.md", "# Many\n\n![A](a.png) ![B](b.png)\n\nThe text.\n", "The text."),
        ("long.md", &format!("# Long\n\n![Waves](a.png)\n\n{long}\n"), long.trim()),
        (
            "brief.md",
            "---\ntitle: Brief\nsummary: In short.\ncontent: summary\n---\n![Waves](a.png)\n\nAll.\n",
            "In short.",
        ),
        ("only.md", "# Only\n\n![Waves](a.png)\n", ""),
    ];
    let mut site = crate::site::Site::new();
    for (file, markdown, _) in articles {
        site.write(file, markdown);
    }
    for picture in ["a.png", "b.png"] {
        site.write(picture, "no picture yet");
    }
    site.start();
    site.wait_for(&["One", "Two", "Many", "Long", "Brief", "Only"]);
    let folder = tempfile::tempdir().unwrap();
    for document in ["rss.xml", "atom.xml"] {
        let file = folder.path().join(document);
        let text = site.get(&format!("/{document}")).text();
        assert!(text.contains("Waves over the pier</media:title>") && !text.contains("media:description"), "{text}");
        std::fs::write(&file, text).unwrap();
        let printed = tools::run(Command::new("python3").args(["-c", SHOWN_BY_FEEDPARSER]).arg(&file));
        let shown: Vec<(String, Vec<String>)> = serde_json::from_str(&printed).unwrap();
        for (file, markdown, text) in articles {
            let found = shown.iter().find(|(title, _)| title.to_lowercase() == file.trim_end_matches(".md"));
            let (_, texts) = found.unwrap_or_else(|| panic!("{document}: {markdown}: {shown:?}"));
            assert_eq!(texts, &[text], "{document}: {file}");
        }
    }
}
