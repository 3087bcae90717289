//! Windows and archives: the feed and its archives hold every article, and a full archive does not change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::random::Random;
use crate::site::Site;

/// The path of an address.
fn path(address: &str) -> String {
    format!("/{}", address.split_once("://").unwrap().1.split_once('/').unwrap().1)
}

/// Follows `next_url` from the feed. Returns the titles, and the bytes of each document by path.
fn walk_json(site: &Site) -> (Vec<String>, BTreeMap<String, Vec<u8>>) {
    let (mut titles, mut documents) = (BTreeMap::new(), BTreeMap::new());
    let mut next = Some("/feed.json".to_owned());
    while let Some(at) = next {
        let answer = site.get(&at);
        assert_eq!(answer.status, 200, "{at}");
        let feed: Value = serde_json::from_str(&answer.text()).unwrap();
        for item in feed["items"].as_array().unwrap() {
            // The first of two entries with one id is the newest (RFC 5005 section 4).
            titles.entry(item["id"].as_str().unwrap().to_owned()).or_insert(item["title"].as_str().unwrap().to_owned());
        }
        assert!(documents.insert(at.clone(), answer.body).is_none(), "{at} was met before: standards 64");
        next = feed["next_url"].as_str().map(path);
    }
    let mut titles: Vec<String> = titles.into_values().collect();
    titles.sort();
    (titles, documents)
}

/// Addresses of links with a relation.
fn links(document: &str, relation: &str) -> Vec<String> {
    let relation = format!("rel=\"{relation}\"");
    let tags = document.split('<').filter(|tag| tag.contains("link ") && tag.contains(&relation));
    tags.map(|tag| tag.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()).collect()
}

/// Follows `prev-archive` from the feed. Returns the ids, and the bytes of each document by path.
fn walk_xml(site: &Site, name: &str) -> (BTreeSet<String>, BTreeMap<String, Vec<u8>>) {
    let (open, close) =
        if name == "atom.xml" { ("<entry>", "<id>") } else { ("<item>", "<guid isPermaLink=\"false\">") };
    let (mut ids, mut documents) = (BTreeSet::new(), BTreeMap::new());
    let mut next = Some(format!("/{name}"));
    while let Some(at) = next {
        let text = site.get(&at).text();
        for entry in text.split(open).skip(1) {
            ids.insert(entry.split(close).nth(1).unwrap().split('<').next().unwrap().to_owned());
        }
        if at.starts_with("/archive/") {
            assert!(text.contains("<fh:archive/>"), "{at}: standards 60");
            assert_eq!(links(&text, "current"), [format!("https://gazette.example/{name}")], "{at}: standards 60");
            assert_eq!(links(&text, "next-archive").len(), 1, "{at}: standards 60");
        }
        assert!(!text.contains("<fh:complete/>"), "{at}: standards 63");
        let previous = links(&text, "prev-archive");
        assert!(documents.insert(at.clone(), text.into_bytes()).is_none(), "{at} was met before");
        next = previous.first().map(|address| path(address));
    }
    (ids, documents)
}

fn write(site: &Site, number: usize, edition: usize) {
    // Dates further apart than the window.
    let (year, month, day) = (1970 + number / 336 + 10, 1 + number / 28 % 12, 1 + number % 28);
    let header = format!("---\ndate: {year}-{month:02}-{day:02}\ntags: [t{}]\n---\n", number % 7);
    site.write(&format!("{:02}/{number}.md", number % 40), format!("{header}# Number {number}\n\nEdition {edition}."));
}

fn expected(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    let mut titles: Vec<String> = numbers.map(|number| format!("Number {number}")).collect();
    titles.sort();
    titles
}

/// `GAZETTED_ARCHIVED=10000` makes it ten thousand articles.
#[test]
fn archives_hold_every_article_before_and_after_edits_and_deletions() {
    let count = std::env::var("GAZETTED_ARCHIVED").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut site = Site::configured("[feed]\narchive_entries = 50\nentries = 20");
    for number in 0..count {
        write(&site, number, 0);
    }
    site.start();
    let (titles, before) = walk_json(&site);
    assert_eq!(titles, expected(0..count));
    assert_eq!(before.len(), 1 + count / 50);
    let xml = ["atom.xml", "rss.xml"].map(|name| walk_xml(&site, name));
    assert!(xml.iter().all(|(ids, documents)| ids.len() == count && documents.len() == before.len()));

    let mut random = Random::new(7);
    let edited: BTreeSet<usize> = (0..100).map(|_| random.below(count)).collect();
    let deleted: BTreeSet<usize> = (0..50).map(|_| random.below(count)).collect();
    for number in &edited {
        write(&site, *number, 1);
    }
    for number in &deleted {
        site.remove(&format!("{:02}/{number}.md", number % 40));
    }
    let gone = *deleted.last().unwrap();
    let edit = *edited.difference(&deleted).last().unwrap();
    site.wait_until("all is done", |site| {
        let done = site.get(&format!("/articles/{edit}")).text().contains("Edition 1");
        done && deleted.iter().all(|number| site.get(&format!("/articles/{number}")).status == 410)
    });
    assert_eq!(site.get(&format!("/articles/{gone}")).status, 410);
    site.settle();
    site.remove("zz-barrier.txt");
    site.wait_until("the barrier is gone", |site| !site.titles().contains(&"Barrier".to_owned()));

    let (titles, after) = walk_json(&site);
    assert_eq!(titles, expected((0..count).filter(|number| !deleted.contains(number))));
    let touched = |document: &[u8]| {
        let text = String::from_utf8_lossy(document);
        edited.union(&deleted).any(|number| text.contains(&format!("\"Number {number}\"")))
    };
    let mut same = 0;
    for (at, document) in before.iter().filter(|(at, document)| at.starts_with("/archive/") && !touched(document)) {
        assert_eq!(after.get(at), Some(document), "{at}: standards 61, 62");
        same += 1;
    }
    println!("{same} archives were not touched");
    let numbers = |documents: &BTreeMap<String, Vec<u8>>| documents.keys().cloned().collect::<Vec<_>>();
    assert_eq!(numbers(&before), numbers(&after), "no archive was renumbered: standards 62");
}

#[test]
fn archives_do_not_change_while_the_feed_grows() {
    let mut site = Site::configured("[feed]\narchive_entries = 10\nentries = 5");
    for number in 0..40 {
        write(&site, number, 0);
    }
    site.start();
    let mut known: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for number in 40..48 {
        let (titles, documents) = walk_json(&site);
        assert_eq!(titles, expected(0..number));
        for (at, document) in documents.into_iter().filter(|(at, _)| at.starts_with("/archive/")) {
            let before = known.entry(at.clone()).or_insert(document.clone());
            assert_eq!(*before, document, "{at}: standards 61");
        }
        write(&site, number, 0);
        site.wait_until("it is served", |site| site.titles().contains(&format!("Number {number}")));
    }
    let newest = known.len();
    assert!(newest >= 4);
    // The feed follows the newest archive.
    for name in ["atom.xml", "rss.xml", "feed.json", ""] {
        let answer = site.get(&format!("/archive/{}/{name}", newest + 2));
        let onward = site.get(&format!("/archive/{}/{name}", newest + 1));
        let found = if onward.status == 200 { answer } else { onward };
        assert_eq!((found.status, found.field("location")), (307, format!("https://gazette.example/{name}").as_str()));
    }
    assert_eq!(site.get(&format!("/archive/{}/atom.xml", newest + 3)).status, 404);
    let archive = site.get("/archive/1/rss.xml");
    assert_eq!(archive.max_age(), Some(86_400), "standards 116");
    assert!(site.get("/archive/").text().contains(">Number 0</a>"));
    site.restart();
    let (_, documents) = walk_json(&site);
    assert!(known.iter().all(|(at, document)| documents.get(at) == Some(document)), "over a restart, too");
}

#[test]
fn an_edit_in_an_archive_is_repeated_in_the_feed() {
    let mut site = Site::configured("[feed]\narchive_entries = 10\nentries = 5");
    for number in 0..30 {
        write(&site, number, 0);
    }
    site.start();
    assert_eq!(site.titles().len(), 5);
    write(&site, 3, 1);
    site.wait_until("the edit is served", |site| site.titles().contains(&"Number 3".to_owned()));
    let titles = site.titles();
    assert_eq!(titles.last().unwrap(), "Number 3", "in its place by date: standards 61");
    assert_eq!(titles.len(), 6);
    assert!(site.get("/archive/1/feed.json").text().contains("Edition 1"));
}

#[test]
fn a_small_feed_is_complete_and_has_no_archive() {
    let mut site = Site::started();
    site.write("a.md", "# A\n\nText.");
    site.wait_for(&["A"]);
    for name in ["atom.xml", "rss.xml"] {
        let text = site.get(&format!("/{name}")).text();
        assert!(text.contains("<fh:complete/>"), "{text}");
        assert!(links(&text, "prev-archive").is_empty(), "standards 63");
    }
    assert_eq!(site.get("/archive/1/").status, 404);
    assert_eq!(site.get("/archive/").status, 200);
}

#[test]
fn the_window_holds_all_of_the_last_days() {
    let mut site = Site::configured("[feed]\nentries = 2\nwindow = '48h'");
    for (name, date) in [("a", "2024-05-01T00:00:00Z"), ("b", "2024-05-09T12:00:00Z"), ("c", "2024-05-10T00:00:00Z")] {
        site.write(&format!("{name}.md"), format!("---\ndate: {date}\n---\n# {name}\n\nText."));
    }
    for hour in 0..5 {
        site.write(&format!("h{hour}.md"), format!("---\ndate: 2024-05-11T0{hour}:00:00Z\n---\n# h{hour}\n\nText."));
    }
    site.start();
    assert_eq!(
        site.titles(),
        ["h4", "h3", "h2", "h1", "h0", "c", "b"],
        "48 hours back from the newest, and no further"
    );
}

#[test]
fn documents_are_truncated_between_entries() {
    let mut site = Site::configured("[feed]\nmax_bytes = '64 KiB'\nentries = 100");
    let paragraph = "Some words & more <words> in a \"sentence\".\n".repeat(40);
    for number in 0..60 {
        let text = format!("---\ndate: 2024-01-01T00:00:{number:02}Z\n---\n# Number {number}\n\n{paragraph}");
        site.write(&format!("{number}.md"), text);
    }
    // Larger than the limit of a document.
    let huge = format!(
        "---\ndate: 2024-01-01T00:00:30Z\n---\n# Huge\n\nA summary of it.\n\n{}",
        "Words, words. ".repeat(20_000)
    );
    site.write("huge.md", huge);
    site.start();
    let titles = site.titles();
    assert!((5..60).contains(&titles.len()), "{}", titles.len());
    assert_eq!(titles[0], "Number 59");
    for name in ["atom.xml", "rss.xml", "feed.json"] {
        let answer = site.get(&format!("/{name}"));
        assert!(answer.body.len() <= 64 << 10, "{name}: {} bytes", answer.body.len());
    }
    let (walked, _) = walk_json(&site);
    assert_eq!(walked.len(), 61, "what is cut off is in the archives");
    let archives = site.get("/archive/1/feed.json").text();
    let archive: Value = serde_json::from_str(&archives).unwrap();
    let found = archive["items"].as_array().unwrap().iter().find(|item| item["title"] == "Huge").cloned();
    let feed = site.feed();
    let found =
        found.or_else(|| feed["items"].as_array().unwrap().iter().find(|item| item["title"] == "Huge").cloned());
    let found = found.expect("it is somewhere");
    assert!(found["content_html"].is_null(), "too large for any document: its summary stands for it");
    assert!(site.get("/articles/huge").body.len() > 200_000, "its page has all of it");
}
