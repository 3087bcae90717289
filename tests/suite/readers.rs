//! Real readers, subscribed to a real daemon.

mod podcast;

use std::path::Path;
use std::process::Command;

use crate::site::Site;
use crate::tools;

fn two_articles() -> Site {
    let mut site = Site::started();
    site.write("a.md", "---\ndate: 2024-01-02\nauthor: Ann Lee\n---\n# Fish & chips \\<again>\n\nFirst text.");
    site.write("b.txt", "Second story\n\nSecond text.");
    site.wait_for(&["Fish & chips <again>", "Second story"]);
    site
}

struct Newsboat<'a> {
    folder: &'a Path,
}

impl Newsboat<'_> {
    fn reload(&self) {
        let file = |name: &str| self.folder.join(name);
        let mut command = Command::new("newsboat");
        command.arg("-u").arg(file("urls")).arg("-c").arg(file("cache.db")).arg("-C").arg(file("config"));
        tools::run(command.args(["-x", "reload"]).env("HOME", self.folder));
    }

    /// Title and content of everything that it shows.
    fn items(&self) -> Vec<(String, String)> {
        let cache = rusqlite::Connection::open(self.folder.join("cache.db")).unwrap();
        let mut statement =
            cache.prepare("SELECT title, content FROM rss_item WHERE deleted = 0 ORDER BY title").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

#[test]
fn newsboat_shows_each_article_once() {
    if !tools::has("newsboat") {
        return;
    }
    for document in ["rss.xml", "atom.xml"] {
        let mut site = two_articles();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("urls"), format!("http://{}/{document}\n", site.address())).unwrap();
        std::fs::write(folder.path().join("config"), "").unwrap();
        let newsboat = Newsboat { folder: folder.path() };
        for _ in 0..3 {
            newsboat.reload();
        }
        let titles = |newsboat: &Newsboat<'_>| newsboat.items().into_iter().map(|(title, _)| title).collect::<Vec<_>>();
        assert_eq!(titles(&newsboat), ["Fish & chips <again>", "Second story"], "{document}");
        site.write("b.txt", "Second story\n\nSecond text, edited.");
        site.wait_until("the edit is served", |site| site.get("/rss.xml").text().contains("edited"));
        newsboat.reload();
        assert_eq!(titles(&newsboat), ["Fish & chips <again>", "Second story"], "{document}");
        assert!(newsboat.items()[1].1.contains("Second text, edited."), "{document}: {:?}", newsboat.items());
        site.rename("b.txt", "renamed.txt");
        site.write("c.md", "# Third\n\nText.");
        site.wait_for(&["Fish & chips <again>", "Second story", "Third"]);
        newsboat.reload();
        assert_eq!(titles(&newsboat), ["Fish & chips <again>", "Second story", "Third"], "{document}");
    }
}

#[test]
fn sfeed_reads_titles_ids_and_links() {
    if !tools::has("sfeed") {
        return;
    }
    let site = two_articles();
    let id = site.entry("Second story")["id"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    for document in ["rss.xml", "atom.xml"] {
        let file = folder.path().join(document);
        std::fs::write(&file, site.get(&format!("/{document}")).body).unwrap();
        let printed = tools::run(Command::new("sh").arg("-c").arg(format!("sfeed < {}", file.display())));
        let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(lines.len(), 2, "{document}: {printed}");
        let second = lines.iter().find(|fields| fields[1] == "Second story").unwrap();
        assert_eq!(second[2], "https://gazette.example/articles/second-story");
        assert_eq!(second[5], id);
        let first = lines.iter().find(|fields| fields[1] == "Fish & chips <again>").unwrap();
        assert_eq!((first[0], first[6]), ("1704153600", "Ann Lee"), "{document}");
    }
}

#[test]
fn reader_for_python_agrees_over_all_formats() {
    if !tools::has_python("reader") || !tools::has_python("sgmllib") {
        return;
    }
    let site = two_articles();
    let script = "
import reader, sys
seen = []
for path in ('rss.xml', 'atom.xml', 'feed.json'):
    library = reader.make_reader(':memory:')
    library.add_feed(sys.argv[1] + path)
    library.update_feeds()
    library.update_feeds()
    seen.append(sorted((entry.id, entry.title, entry.link, entry.published.isoformat()) for entry in library.get_entries()))
assert len(seen[0]) == 2 and seen[0] == seen[1] == seen[2], seen
";
    tools::run(Command::new("python3").args(["-c", script, &format!("http://{}/", site.address())]));
}
