//! Liferea, a graphical reader, on a virtual screen.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::{ARTICLES, Gate, Shown, gazette, hermetic, started_with_articles, write};
use crate::site::Site;
use crate::tools;
use crate::waiting::wait_or_explain;

struct Liferea {
    home: TempDir,
}

/// The program and its child processes, which end together.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

impl Liferea {
    fn new(feeds: &[(&str, String)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let outline = |(name, address): &(&str, String)| {
            format!(
                "<outline title=\"{name}\" text=\"{name}\" type=\"rss\" id=\"{name}\" xmlUrl=\"{address}\" updateInterval=\"60\"/>\n"
            )
        };
        let outlines: String = feeds.iter().map(outline).collect();
        let folder = home.path().join(".config/liferea");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::create_dir(home.path().join("run")).unwrap();
        let list = format!("<opml version=\"1.0\"><head><title>Feeds</title></head><body>\n{outlines}</body></opml>\n");
        std::fs::write(folder.join("feedlist.opml"), list).unwrap();
        Self { home }
    }

    fn database(&self) -> PathBuf {
        self.home.path().join(".local/share/liferea/liferea.db")
    }

    /// Runs it until a condition holds for the articles shown.
    fn run_until(&self, is_done: impl Fn(&[(String, Shown)]) -> bool) {
        let mut command = hermetic("xvfb-run", self.home.path());
        command.args(["-a", "dbus-run-session", "--", "liferea", "--mainwindow-state=hidden"]);
        command.env("XDG_RUNTIME_DIR", self.home.path().join("run")).process_group(0);
        let running =
            Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let finished = || self.shown().filter(|shown| is_done(shown)).map(drop);
        wait_or_explain("Liferea shows every article", finished, || format!("{:?}", self.shown()));
        drop(running);
    }

    /// Each article with its feed; `None` until the database can be read.
    fn shown(&self) -> Option<Vec<(String, Shown)>> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = rusqlite::Connection::open_with_flags(self.database(), flags).ok()?;
        let sql = "SELECT node_id, title, date, description, (SELECT value FROM metadata WHERE item_id = items.item_id
            AND key IN ('creator', 'author')) FROM items ORDER BY node_id, date";
        let mut statement = database.prepare(sql).ok()?;
        let row = |row: &rusqlite::Row<'_>| {
            let author: Option<String> = row.get(4)?;
            let (title, date, text) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((row.get(0)?, Shown { title, author: author.unwrap_or_default(), date, text }))
        };
        statement.query_map([], row).ok()?.collect::<rusqlite::Result<_>>().ok()
    }

    /// Resets the time of the last update, so that it updates at the next start.
    fn forget_when(&self) {
        let database = rusqlite::Connection::open(self.database()).unwrap();
        database.execute("DELETE FROM subscription_metadata", []).unwrap();
    }
}

fn is_installed() -> bool {
    ["liferea", "xvfb-run", "xauth", "dbus-run-session"].into_iter().all(tools::has)
}

#[test]
fn liferea_shows_each_article_once_in_each_feed() {
    if !is_installed() {
        return;
    }
    let mut site = gazette();
    let gate = Gate::before(&site);
    let feeds = [("aa", gate.url("rss.xml")), ("bb", gate.url("atom.xml")), ("cc", gate.url("tags/sea/atom.xml"))];
    let liferea = Liferea::new(&feeds);
    liferea.run_until(|shown| shown.len() == 9);
    let shown = liferea.shown().unwrap();
    for feed in ["aa", "bb", "cc"] {
        let shown: Vec<&Shown> = shown.iter().filter(|(of, _)| of == feed).map(|(_, shown)| shown).collect();
        for ((_, title, author, date, text), shown) in ARTICLES.iter().zip(shown) {
            // It removes anything that looks like a tag from titles in RSS.
            let bare = |title: &str| title.replace("<chips> ", "").replace("  ", " ");
            assert_eq!((bare(&shown.title), shown.date), (bare(title), *date), "{feed}: {shown:?}");
            assert!(shown.author.contains(author) && shown.text.contains(text), "{feed}: {shown:?}");
        }
    }
    let (file, title, author, date, _) = ARTICLES[1];
    write(&site, (file, title, author, date, "Text of the second, edited."));
    site.wait_until("the edit is served", |site| site.get("/rss.xml").text().contains("edited"));
    site.rename(file, "c/renamed.md");
    site.restart();
    gate.lead_to(&site);
    write(&site, ("e.md", "Fourth", author, date + 1, "Text of the fourth."));
    site.wait_until("the fourth is served", |site| site.titles().len() == 4);
    liferea.forget_when();
    liferea.run_until(|shown| shown.iter().filter(|(_, shown)| shown.title == "Fourth").count() == 3);
    let shown = liferea.shown().unwrap();
    assert_eq!(shown.len(), 12, "each once in each feed: {shown:?}");
}

#[test]
fn liferea_subscribes_by_the_address_of_the_site() {
    if !is_installed() {
        return;
    }
    let gate = Gate::new();
    let base_url = gate.url("");
    let site = started_with_articles(Site::configured(&format!("[site]\nbase_url = '{base_url}'")));
    gate.lead_to(&site);
    let liferea = Liferea::new(&[("aa", base_url)]);
    liferea.run_until(|shown| shown.len() >= ARTICLES.len());
    // What the page itself lists would be shown as well.
    let mut dates: Vec<i64> = liferea.shown().unwrap().iter().map(|(_, shown)| shown.date).collect();
    dates.sort_unstable();
    assert_eq!(dates, ARTICLES.map(|article| article.3), "{:?}", liferea.shown());
}
