//! Real readers, subscribed to a real daemon. Each shows every article once, as it was written, through all changes of the files.

mod liferea;
mod parsers;
mod podcast;
mod programs;

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::site::Site;

/// What a reader shows of an article.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
struct Shown {
    title: String,
    author: String,
    /// Seconds since 1970.
    date: i64,
    /// As HTML or plain.
    text: String,
}

/// A feed reader, which stores what it has seen in a folder of its own.
trait Reader {
    /// Follows the feeds at these addresses, and no others.
    fn subscribe(&mut self, addresses: &[String]);

    /// Updates all feeds.
    fn update(&mut self);

    /// All articles shown, in any order.
    fn shown(&self) -> Vec<Shown>;
}

/// Legitimate differences between readers.
#[derive(Clone, Copy)]
struct Habits {
    /// Whether it shows the new text of a known article.
    shows_edits: bool,
}

/// File, title, author, date and text, hard to read right.
const ARTICLES: [(&str, &str, &str, i64, &str); 3] = [
    ("a.md", "Fish & <chips> “again”", "Ann Lée", 1_704_153_600, "Text of the first: 日本 ünïcode."),
    ("b.md", "Été 日本 👩\u{200D}👩\u{200D}👧\u{200D}👦", "Ben & Co", 1_707_048_000, "Text of the second, 50 % off."),
    ("c/d.md", "שלום world", "Łukasz", 1_709_769_600, "Text of the third."),
];

/// The end of each article.
const LAST: &str = "The last sentence of it.";

fn write(site: &Site, article: (&str, &str, &str, i64, &str)) {
    let (file, title, author, date, text) = article;
    let date = chrono::DateTime::from_timestamp(date, 0).unwrap().to_rfc3339();
    let header = format!("---\ntitle: \"{title}\"\nauthors:\n  - name: \"{author}\"\ndate: {date}\ntags: [Sea]\n---\n");
    let more = "![A red boat](boat.png)\n\nAnother paragraph, 1 < 2 & so on ]]>.";
    site.write(file, format!("{header}{text}\n\n{more}\n\n{LAST}\n"));
}

fn gazette() -> Site {
    started_with_articles(Site::new())
}

fn started_with_articles(mut site: Site) -> Site {
    for article in ARTICLES {
        write(&site, article);
    }
    site.start();
    site
}

/// A proxy whose address stays the same when the daemon restarts.
struct Gate {
    address: SocketAddr,
    site: Arc<Mutex<SocketAddr>>,
}

impl Gate {
    fn before(site: &Site) -> Self {
        let gate = Self::new();
        gate.lead_to(site);
        gate
    }

    /// It leads to no site yet.
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let site = Arc::new(Mutex::new(address));
        let behind = Arc::clone(&site);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let behind = *behind.lock().unwrap();
                std::thread::spawn(move || pass(&stream, behind));
            }
        });
        Self { address, site }
    }

    fn lead_to(&self, site: &Site) {
        *self.site.lock().unwrap() = site.address();
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

/// Forwards all bytes in both directions until both sides have ended.
fn pass(client: &TcpStream, server: SocketAddr) {
    let Ok(server) = TcpStream::connect(server) else { return };
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.flush();
        let _ = to.shutdown(Shutdown::Write);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| copy(client, &server));
        copy(&server, client);
    });
}

/// A command with this home folder, without proxy and session, and with a time limit.
fn hermetic(program: &str, home: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["170", program]).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("TMPDIR", home).env("LANG", "C.UTF-8");
    command
}

fn titles(reader: &impl Reader) -> Vec<String> {
    let mut titles: Vec<String> = reader.shown().into_iter().map(|shown| shown.title).collect();
    titles.sort();
    titles
}

/// Titles shown, sorted.
fn expected(more: &[&str]) -> Vec<String> {
    let all = ARTICLES.iter().map(|article| article.1).chain(more.iter().copied());
    let mut titles: Vec<String> = all.map(str::to_owned).collect();
    titles.sort();
    titles
}

/// Checks that each article is shown as it was written.
fn shows_all(shown: &[Shown]) {
    for (_, title, author, date, text) in ARTICLES {
        let found = shown.iter().find(|shown| shown.title == title).unwrap_or_else(|| panic!("{title}: {shown:?}"));
        assert_eq!((found.author.as_str(), found.date), (author, date), "{found:?}");
        assert!(found.text.contains(text) && found.text.contains(LAST), "{found:?}");
    }
}

/// Tests a reader with one site for each format, and one for the feed of a tag. They mostly wait, so they run
/// at the same time.
fn follow_all<R: Reader>(new: impl Fn() -> R + Sync, documents: &[&str], habits: Habits) {
    let new = &new;
    std::thread::scope(|scope| {
        for document in documents {
            scope.spawn(move || follow(&mut new(), document, habits));
        }
        scope.spawn(move || follow_a_tag(&mut new()));
    });
}

/// Subscribes to a feed, and checks that every article is shown once, through an edit, a rename, a restart and a deletion.
fn follow(reader: &mut impl Reader, document: &str, habits: Habits) {
    let mut site = gazette();
    let gate = Gate::before(&site);
    reader.subscribe(&[gate.url(document)]);
    reader.update();
    assert_eq!(titles(reader), expected(&[]), "{document}");
    shows_all(&reader.shown());
    reader.update();
    assert_eq!(titles(reader), expected(&[]), "{document}: a second look");
    let (file, title, author, date, _) = ARTICLES[1];
    write(&site, (file, title, author, date, "Text of the second, edited."));
    site.wait_until("the edit is served", |site| site.get("/rss.xml").text().contains("edited"));
    reader.update();
    assert_eq!(titles(reader), expected(&[]), "{document}: after an edit");
    if habits.shows_edits {
        let shown = reader.shown().into_iter().find(|shown| shown.title == title).unwrap();
        assert!(shown.text.contains("Text of the second, edited."), "{document}: {shown:?}");
    }
    site.rename(file, "c/renamed.md");
    site.restart();
    gate.lead_to(&site);
    write(&site, ("e.md", "Fourth", "Ann Lée", date, "Text of the fourth."));
    site.wait_until("the fourth is served", |site| site.titles().len() == 4);
    reader.update();
    assert_eq!(titles(reader), expected(&["Fourth"]), "{document}: after a rename and a restart");
    site.remove("e.md");
    site.wait_until("the fourth is gone", |site| site.titles().len() == 3);
    for _ in 0..2 {
        reader.update();
        let shown = titles(reader);
        // Most readers keep deleted articles.
        assert!(shown == expected(&[]) || shown == expected(&["Fourth"]), "{document}: after a deletion: {shown:?}");
    }
}

/// Notes without a title, by the names of their files.
const NOTES: [(&str, &str); 3] = [
    ("n1.md", "A note of one sentence."),
    (
        "2026-11-24-1009.md",
        "Another note, which is a little longer, so that a part of it alone is no title for it at all.",
    ),
    ("202611241010.md", "The third note has *two* paragraphs.\n\nThis is the second one."),
];

/// Checks that a reader shows each note without a title once, and whole.
fn shows_notes(reader: &mut impl Reader, document: &str) {
    let mut site = Site::new();
    for (name, text) in NOTES {
        site.write(name, format!("---\ndate: 2024-01-02T03:04:05Z\nauthor: Ann\n---\n{text}\n"));
    }
    site.start();
    let gate = Gate::before(&site);
    reader.subscribe(&[gate.url(document)]);
    for _ in 0..2 {
        reader.update();
        let shown = reader.shown();
        assert_eq!(shown.len(), NOTES.len(), "{document}: {shown:?}");
        for (name, text) in NOTES {
            let last = text.rsplit("\n\n").next().unwrap();
            let found: Vec<&Shown> = shown.iter().filter(|shown| shown.text.contains(last)).collect();
            assert_eq!(found.len(), 1, "{document}: {last}: {shown:?}");
            // In place of a missing title, newsboat shows the end of the address.
            let name = name.trim_end_matches(".md");
            assert!(document == "rss.xml" || !found[0].title.contains(name), "{document}: {found:?}");
        }
    }
}

/// Subscribes to the feed of a tag and to the main feed in another format. Some readers show an article once for each feed.
fn follow_a_tag(reader: &mut impl Reader) {
    let site = gazette();
    let gate = Gate::before(&site);
    reader.subscribe(&[gate.url("atom.xml"), gate.url("tags/sea/rss.xml")]);
    for _ in 0..2 {
        reader.update();
        let mut shown = titles(reader);
        assert!([3, 6].contains(&shown.len()), "{shown:?}");
        shown.dedup();
        assert_eq!(shown, expected(&[]));
        shows_all(&reader.shown());
    }
}
