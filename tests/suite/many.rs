//! A folder with many articles: their feeds are up when their heads were read, and nobody ever sees that their texts come later.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::site::Site;

/// More than are read whole at the start.
const MANY: usize = 600;

/// Of each, its place and its title are in its head, and its text is like no other's.
fn text(number: usize) -> String {
    let (month, day) = (number / 28 % 12 + 1, number % 28 + 1);
    let tag = number % 3;
    format!(
        "---\ntitle: Number {number}\ndate: 2020-{month:02}-{day:02}\ntags: [tag {tag}]\nauthor: Ann\n---\n\nText of {number} with \
         *words* and [a link](other-{}.md).\n",
        number + 1
    )
}

fn name(number: usize) -> String {
    format!("part-{}/other-{number}.md", number % 2)
}

fn written() -> Site {
    let site = Site::configured("[feed]\nentries = 10\narchive_entries = 20");
    for number in 0..MANY {
        site.write(&name(number), text(number));
    }
    // What changed a moment ago may change again: it is waited for, and read whole.
    std::thread::sleep(Duration::from_millis(2_200));
    site
}

/// What is at some addresses: bytes, validator and date of each.
fn seen(site: &Site) -> BTreeMap<String, (String, String, Vec<u8>)> {
    let mut paths: Vec<String> = (0..MANY).step_by(37).map(|number| format!("/articles/other-{number}")).collect();
    paths.extend(
        ["/rss.xml", "/tags/tag-1/atom.xml", "/sections/part-1/", "/authors/ann/feed.json", "/"].map(str::to_owned),
    );
    paths.extend((1..=5).map(|number| format!("/archive/{number}/atom.xml")));
    let look = |path: String| {
        let answer = site.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        let seen = (answer.field("etag").to_owned(), answer.field("last-modified").to_owned(), answer.body);
        (path, seen)
    };
    paths.into_iter().map(look).collect()
}

/// How many texts the daemon has not read yet.
fn unread(site: &Site) -> i64 {
    let file = site.state().join(gazetted::catalog::FILE);
    let catalog = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    catalog.query_row("SELECT count(*) FROM article WHERE stale = 3", [], |row| row.get(0)).unwrap()
}

/// Waits until something is so that no new version tells.
fn wait(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_page_has_its_text_from_the_start() {
    let mut site = written();
    site.start();
    let at_once = seen(&site);
    for (path, (_, _, body)) in &at_once {
        let body = String::from_utf8_lossy(body);
        if let Some(number) = path.strip_prefix("/articles/other-") {
            assert!(body.contains(&format!("Text of {number} with")), "{path}");
            assert!(body.contains("/articles/other-"), "{path}: links lead to pages");
        }
        assert!(body.contains("Text of ") || body.contains("Number "), "{path}");
    }
    wait("all texts are read", || unread(&site) == 0);
    assert!(seen(&site) == at_once, "that they were read later changed something");
    site.restart();
    assert!(seen(&site) == at_once, "so did a restart");
}

#[test]
fn a_restart_continues_the_import() {
    let mut site = written();
    site.start();
    let left = unread(&site);
    site.stop();
    site.start();
    let answer = site.get("/articles/other-599");
    assert!(answer.text().contains("Text of 599 with"), "{left} were left to read");
    wait("all texts are read", || unread(&site) == 0);
    assert_eq!(site.titles().len(), 10);
}

#[test]
fn files_changed_before_their_text_is_read_are_published_as_changed() {
    let mut site = written();
    site.start();
    // Whichever comes first, the daemon or these, none of them breaks anything.
    site.write(&name(1), "---\ntitle: Number 1\ndraft: true\n---\n\nText.\n");
    site.write(&name(2), "---\ntitle: Number 2\n---\n\nAnother text.\n");
    site.remove(&name(3));
    site.rename(&name(4), "part-1/elsewhere.md");
    wait("all is read", || {
        let has = |path: &str, words: &str| site.get(path).text().contains(words);
        unread(&site) == 0
            && site.get("/articles/other-1").status == 404
            && has("/articles/other-2", "Another text.")
            && site.get("/articles/other-3").status == 410
            && has("/articles/other-4", "Text of 4 with")
    });
    assert_eq!(site.get("/rss.xml").status, 200);
}

#[test]
fn an_interrupted_import_starts_again() {
    let mut site = written();
    site.start();
    let bodies = |site: &Site| -> Vec<(String, Vec<u8>)> {
        seen(site).into_iter().map(|(path, (_, _, body))| (path, body)).collect()
    };
    let whole = bodies(&site);
    wait("all texts are read", || unread(&site) == 0);
    site.stop();
    // What a power cut leaves in the midst of it: articles without addresses, views without members, and a note of it.
    let catalog = rusqlite::Connection::open(site.state().join(gazetted::catalog::FILE)).unwrap();
    let broken = "
        DELETE FROM address; DELETE FROM member WHERE number > 100; DELETE FROM content WHERE number > 300;
        DELETE FROM archive; UPDATE article SET archive = NULL; DELETE FROM article WHERE number > 300;
        INSERT INTO meta (key, value) VALUES ('first reading', '');";
    catalog.execute_batch(&format!("PRAGMA foreign_keys = false; {broken}")).unwrap();
    drop(catalog);
    site.start();
    assert!(bodies(&site) == whole, "something is missing, or twice there");
    wait("all texts are read", || unread(&site) == 0);
    site.restart();
    assert!(bodies(&site) == whole, "it begins anew at each start");
}
