//! Plain texts and the expected articles: `NAME.txt` and `NAME.expected.json`.

use std::path::Path;

use gazetted::article::text::{self, Block};
use gazetted::article::{encoding, summary, unicode};
use gazetted::config::Clean;
use gazetted::folder::SourceFormat;
use serde::Deserialize;

use crate::tools;

#[derive(Deserialize)]
struct Expected {
    title: Option<String>,
    author: Option<String>,
    #[serde(rename = "paras")]
    paragraphs: Vec<String>,
    removed: Vec<String>,
    status: String,
    kind: Option<String>,
}

fn check(file: &Path) {
    let expected = std::fs::read_to_string(file.with_extension("expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&expected).unwrap();
    let bytes = std::fs::read(file).unwrap();
    let text = encoding::decode(&bytes, SourceFormat::Text).unwrap().text;
    let document = text::parse(&unicode::tidy(&text), 1, None, Clean::Safe, chrono_tz::UTC);
    let name = file.display();
    assert_eq!(document.title, expected.title, "title of {name}");
    assert_eq!(document.authors.first().map(|person| person.name.clone()), expected.author, "author of {name}");
    let paragraphs: Vec<String> = document.blocks.iter().map(Block::plain).collect();
    assert_eq!(paragraphs, expected.paragraphs, "paragraphs of {name}");
    let removed: Vec<String> = document.removed.iter().map(|removed| removed.text.clone()).collect();
    assert_eq!(removed, expected.removed, "removed from {name}");
    assert_eq!(document.blocks.is_empty(), expected.status == "empty", "status of {name}");
    let verse = document.blocks.iter().any(|block| matches!(block, Block::Verse(_)));
    assert_eq!(verse, expected.kind.as_deref() == Some("verse"), "kind of {name}");
}

fn check_all(folder: &Path) -> usize {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    for file in &files {
        check(file);
    }
    files.len()
}

#[test]
fn cases_of_this_repository() {
    assert!(check_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")) >= 8);
}

#[test]
fn cases_of_the_shared_folder() {
    if let Some(folder) = tools::beside("cases") {
        assert!(check_all(&folder) > 0);
    }
}

#[test]
fn a_scraped_article_is_cleaned() {
    let Some(folder) = tools::beside("seeds") else { return };
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    let document = text::parse(&text, 1, None, Clean::Safe, chrono_tz::UTC);
    let paragraphs: Vec<String> = document.blocks.iter().map(Block::plain).collect();
    assert_eq!(document.title.as_deref(), text.lines().next());
    assert_eq!((paragraphs.len(), document.removed.len()), (10, 4));
    let html = text::to_html(&document.blocks);
    for line in &document.removed {
        assert!(line.text == "0" || !html.contains(&line.text), "{}", line.text);
    }
    assert_eq!(summary::of(None, &paragraphs, document.title.as_deref().unwrap()), paragraphs[0]);
}
