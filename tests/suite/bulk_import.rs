//! A folder with many articles: feeds are served once the heads of all files are read, and no response shows that the texts are read
//! later.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command_line::gazetted;
use crate::site::Site;
use crate::tools::Program;
use crate::waiting::{wait_for, wait_until};

/// More articles than are read completely at the start.
const MANY: usize = 600;

/// An article with its date and title in its head, and a text of its own.
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

fn site_of_many() -> Site {
    let site = Site::configured("[feed]\nentries = 10\narchive_entries = 20");
    for number in 0..MANY {
        site.write(&name(number), text(number));
    }
    // A file that has just changed may change again: it would be read completely at the start.
    std::thread::sleep(Duration::from_millis(2_200));
    site
}

/// Validator, date and bytes at some addresses.
fn responses(site: &Site) -> BTreeMap<String, (String, String, Vec<u8>)> {
    let mut paths: Vec<String> = (0..MANY).step_by(37).map(|number| format!("/articles/other-{number}")).collect();
    paths.extend(
        ["/rss.xml", "/tags/tag-1/atom.xml", "/sections/part-1/", "/authors/ann/feed.json", "/"].map(str::to_owned),
    );
    paths.extend((1..=5).map(|number| format!("/archive/{number}/atom.xml")));
    let request = |path: String| {
        // A text that is not read in time is answered by 503 and Retry-After.
        let answer =
            wait_for(&format!("{path} is served"), || Some(site.get(&path)).filter(|answer| answer.status != 503));
        assert_eq!(answer.status, 200, "{path}");
        let seen = (answer.field("etag").to_owned(), answer.field("last-modified").to_owned(), answer.body);
        (path, seen)
    };
    paths.into_iter().map(request).collect()
}

/// Number of texts that the daemon has not read yet.
fn unread(site: &Site) -> i64 {
    let file = site.state().join(gazetted::catalog::FILE);
    let catalog = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    catalog.query_row("SELECT count(*) FROM article WHERE stale = 3", [], |row| row.get(0)).unwrap()
}

#[test]
fn every_page_has_its_text_from_the_start() {
    let mut site = site_of_many();
    site.start_serving();
    let at_once = responses(&site);
    for (path, (_, _, body)) in &at_once {
        let body = String::from_utf8_lossy(body);
        if let Some(number) = path.strip_prefix("/articles/other-") {
            assert!(body.contains(&format!("Text of {number} with")), "{path}");
            assert!(body.contains("/articles/other-"), "{path}: links lead to pages");
        }
        assert!(body.contains("Text of ") || body.contains("Number "), "{path}");
    }
    wait_until("all texts are read", || unread(&site) == 0);
    assert!(responses(&site) == at_once, "the later reading changed something");
    site.restart();
    assert!(responses(&site) == at_once, "a restart changed something");
}

#[test]
fn a_restart_continues_the_import() {
    let site = site_of_many();
    // In a process of its own: one that is slow to stop keeps its lock until it has ended.
    let config = site.config_file();
    let start = || {
        let mut command = gazetted();
        command.arg("serve").arg("--config").arg(&config).args(["--listen", "127.0.0.1:0", "--state"]);
        Program::start(command.arg(site.state()))
    };
    let mut first = start();
    let left = unread(&site);
    first.signal(rustix::process::Signal::TERM);
    first.child.wait().unwrap();
    let second = start();
    let text = wait_for("the text is read", || {
        Some(second.get("/articles/other-599")).filter(|answer| !answer.starts_with("HTTP/1.1 503"))
    });
    assert!(text.contains("Text of 599 with"), "{left} were left to read: {text}\n{}", second.log.lock().join("\n"));
    wait_until("all texts are read", || unread(&site) == 0);
    let feed = second.get("/feed.json");
    assert_eq!(feed.matches("\"date_published\"").count(), 10, "{feed}");
}

#[test]
fn files_changed_before_their_text_is_read_are_published_as_changed() {
    let mut site = site_of_many();
    site.start();
    // The daemon may have read each of them before or after its change.
    site.write(&name(1), "---\ntitle: Number 1\ndraft: true\n---\n\nText.\n");
    site.write(&name(2), "---\ntitle: Number 2\n---\n\nAnother text.\n");
    site.remove(&name(3));
    site.rename(&name(4), "part-1/elsewhere.md");
    wait_until("all is read", || {
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
    let mut site = site_of_many();
    site.start();
    let bodies = |site: &Site| -> Vec<(String, Vec<u8>)> {
        responses(site).into_iter().map(|(path, (_, _, body))| (path, body)).collect()
    };
    let whole = bodies(&site);
    wait_until("all texts are read", || unread(&site) == 0);
    site.stop();
    // State after a power cut during the import: articles without addresses, views without members, and the mark of the import.
    let catalog = rusqlite::Connection::open(site.state().join(gazetted::catalog::FILE)).unwrap();
    let broken = "
        DELETE FROM address; DELETE FROM member WHERE number > 100; DELETE FROM content WHERE number > 300;
        DELETE FROM archive; UPDATE article SET archive = NULL; DELETE FROM article WHERE number > 300;
        INSERT INTO meta (key, value) VALUES ('first reading', '');";
    catalog.execute_batch(&format!("PRAGMA foreign_keys = false; {broken}")).unwrap();
    drop(catalog);
    site.start();
    assert!(bodies(&site) == whole, "something is missing, or doubled");
    wait_until("all texts are read", || unread(&site) == 0);
    site.restart();
    assert!(bodies(&site) == whole, "the import starts again at each start");
}
