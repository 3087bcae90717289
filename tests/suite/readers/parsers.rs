//! Parsers in other languages, which readers are built on.

use std::process::Command;

use super::{Shown, gazette, shows_all};
use crate::tools;

/// Prints a document as a parser reads it.
fn parse(program: &str, script: &str, site: &crate::site::Site, document: &str) -> Vec<Shown> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(document);
    std::fs::write(&file, site.get(&format!("/{document}")).body).unwrap();
    let mut command = Command::new("timeout");
    command.args(["60", program, if program == "node" { "--eval" } else { "-c" }, script]).arg(file);
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
