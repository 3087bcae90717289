//! Changes of files, and what readers see of them.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::time::{Duration, Instant};

use gazetted::catalog::FILE;
use serde_json::Value;

use crate::site::{BASE_URL, Site};

const BODY: &str =
    "The coastal bridge stayed closed on Wednesday as winds of more than 70 miles an hour kept lorries away.";

/// What no edit changes: id, date, address.
fn identity(entry: &Value) -> [String; 3] {
    ["id", "date_published", "url"].map(|key| entry[key].as_str().unwrap().to_owned())
}

#[test]
fn a_dropped_file_is_published_in_every_format() {
    let mut site = Site::started();
    site.write("storm.txt", format!("Storm closes bridge\n\n{BODY}\n\nMore tomorrow."));
    site.wait_for(&["Storm closes bridge"]);
    let entry = site.entry("Storm closes bridge");
    let id = entry["id"].as_str().unwrap();
    assert!(id.starts_with("urn:uuid:"));
    for path in ["/atom.xml", "/rss.xml", "/feed.json", "/feed", "/index.xml"] {
        let text = site.get(path).text();
        assert!(text.contains(id) && text.contains("More tomorrow."), "{path}");
    }
    assert!(site.get("/").text().contains("Storm closes bridge"));
    let page = site.get("/articles/storm-closes-bridge");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<p>More tomorrow.</p>"));
    assert_eq!(entry["url"], format!("{BASE_URL}articles/storm-closes-bridge"));
}

#[test]
fn an_edit_keeps_the_identity_and_changes_both_validators() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let (before, feed) = (site.entry("First"), site.get("/rss.xml"));
    Site::wait_for_a_later_second(&before);
    site.write("a.md", "# Second\n\nOther text.");
    site.wait_for(&["Second"]);
    let (after, changed) = (site.entry("Second"), site.get("/rss.xml"));
    assert_eq!(identity(&before), identity(&after));
    assert!(after["date_modified"].as_str() > before["date_modified"].as_str());
    assert_ne!(feed.field("etag"), changed.field("etag"));
    assert_ne!(feed.field("last-modified"), changed.field("last-modified"), "standards 88");
    assert_eq!(site.ask("GET", "/rss.xml", &[("If-None-Match", changed.field("etag"))]).status, 304);
    assert_eq!(site.ask("GET", "/rss.xml", &[("If-None-Match", feed.field("etag"))]).status, 200);
}

#[test]
fn a_touch_or_the_same_bytes_again_change_nothing() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    // The other article becomes the next one on the page.
    site.settle();
    let (entry, page) = (site.entry("First"), site.get("/articles/a"));
    site.write("a.md", "# First\n\nText.");
    let file = std::fs::File::options().append(true).open(site.path("a.md")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    drop(file);
    site.write("a.md", "# First\r\n\r\nText.\r\n");
    site.settle();
    assert_eq!(site.entry("First"), entry, "standards 6");
    let again = site.get("/articles/a");
    assert_eq!((again.field("etag"), again.field("last-modified")), (page.field("etag"), page.field("last-modified")));
}

#[test]
fn renames_keep_the_identity() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.write("dir/b.txt", format!("Second\n\n{BODY}"));
    site.wait_for(&["First", "Second"]);
    let (first, second) = (site.entry("First"), site.entry("Second"));
    site.rename("a.md", "renamed.md");
    site.rename("dir", "other");
    site.settle();
    assert_eq!((site.entry("First"), site.entry("Second")), (first.clone(), second.clone()));
    // An edit under the new name is an edit of the same article.
    site.write("renamed.md", "# First, edited\n\nText.");
    site.write("other/b.txt", format!("Second, edited\n\n{BODY}"));
    site.wait_for(&["First, edited", "Second, edited", "Barrier"]);
    assert_eq!(identity(&site.entry("First, edited")), identity(&first));
    assert_eq!(identity(&site.entry("Second, edited")), identity(&second));
}

#[test]
fn a_new_extension_changes_the_format_but_not_the_identity() {
    let mut site = Site::started();
    site.write("a.txt", format!("First\n\n{BODY} This is *not* slanted."));
    site.wait_for(&["First"]);
    let before = site.entry("First");
    site.rename("a.txt", "a.md");
    site.wait_until("it is read as Markdown", |site| site.get("/feed.json").text().contains("<em>not</em>"));
    let after = &site.feed()["items"][0];
    assert_eq!(identity(after), identity(&before));
}

#[test]
fn a_deleted_article_answers_410_after_the_grace_period() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.write("b.md", "# Second\n\nText.");
    site.wait_for(&["First", "Second"]);
    let removed = Instant::now();
    site.remove("a.md");
    site.wait_for(&["Second"]);
    assert!(removed.elapsed() >= Duration::from_secs(2), "a program may be about to write the file again");
    assert_eq!(site.get("/articles/a").status, 410);
    assert_eq!(site.get("/articles/never").status, 404);
    // A new article under the old name is served.
    site.write("a.md", "# Third\n\nOther text.");
    site.wait_for(&["Second", "Third"]);
    assert_eq!(site.get("/articles/a").status, 200);
}

#[test]
fn a_restored_article_keeps_its_id_and_a_replacement_gets_a_new_one() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    site.remove("a.md");
    site.wait_for(&[]);
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    assert_eq!(identity(&site.entry("First")), identity(&before));
    site.remove("a.md");
    site.wait_for(&[]);
    site.write("a.md", "# Another\n\nMore text.");
    site.wait_for(&["Another"]);
    assert_ne!(site.entry("Another")["id"], before["id"], "an id is never used again");
}

#[test]
fn a_restart_changes_nothing() {
    let mut site = Site::started();
    site.write("a.md", "---\ntags: [x]\n---\n# First\n\nText.");
    site.write("b.txt", format!("Second\n\n{BODY}"));
    site.wait_for(&["First", "Second"]);
    let paths = ["/atom.xml", "/rss.xml", "/feed.json", "/", "/articles/a", "/articles/second", "/style.css"];
    let ask = |site: &Site| {
        paths.map(|path| {
            let answer = site.get(path);
            (path, answer.field("etag").to_owned(), answer.field("last-modified").to_owned(), answer.body)
        })
    };
    let (before, version) = (ask(&site), site.version());
    for _ in 0..3 {
        site.restart();
        assert_eq!(ask(&site), before);
        assert_eq!(site.version(), version, "nothing has changed");
    }
    // A new configuration makes a new version, and so does a new article.
    site.stop();
    site.reconfigure("[site]\ntitle = 'Other'\n");
    site.start();
    let other = site.version();
    assert!(other > version);
    assert_eq!(site.feed()["title"], "Other");
    site.stop();
    site.write("c.md", "# Third\n\nText.");
    site.start();
    site.wait_for(&["First", "Second", "Third"]);
    assert!(site.version() > other);
}

#[test]
fn changes_made_while_stopped_are_found_at_the_start() {
    let mut site = Site::started();
    for name in ["moved", "edited", "deleted"] {
        site.write(&format!("{name}.md"), format!("# {name}\n\nText of {name}."));
    }
    site.wait_for(&["moved", "edited", "deleted"]);
    let (moved, edited) = (site.entry("moved"), site.entry("edited"));
    site.stop();
    std::fs::create_dir(site.path("sub")).unwrap();
    site.rename("moved.md", "sub/elsewhere.md");
    site.write("edited.md", "# edited\n\nNew text.");
    site.remove("deleted.md");
    site.write("new.md", "# new\n\nText.");
    site.start();
    site.wait_for(&["moved", "edited", "new"]);
    site.wait_until("the edit is seen", |site| {
        site.entry("edited")["content_html"].as_str().unwrap().contains("New text")
    });
    assert_eq!(site.entry("moved"), moved);
    assert_eq!(identity(&site.entry("edited")), identity(&edited));
    assert_eq!(site.get("/articles/deleted").status, 410);
}

#[test]
fn saving_through_another_file_keeps_the_identity() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    // vim: the old file is renamed to a backup, a new one is written, the backup is removed.
    site.rename("a.md", "a.md~");
    site.write("a.md", "# By vim\n\nText.");
    site.remove("a.md~");
    site.wait_for(&["By vim"]);
    assert_eq!(identity(&site.entry("By vim")), identity(&before));
    // sed, rsync: a new file is renamed over the old one.
    site.write("sedXyz123", "# By sed\n\nText.");
    site.rename("sedXyz123", "a.md");
    site.wait_for(&["By sed"]);
    assert_eq!(identity(&site.entry("By sed")), identity(&before));
    // git, Syncthing: the old file is removed first.
    site.remove("a.md");
    site.write("a.md", "# By git\n\nText.");
    site.wait_for(&["By git"]);
    assert_eq!(identity(&site.entry("By git")), identity(&before));
    // A temporary file that looks like an article may be published for an instant.
    site.write("new-a.md", "# By hand\n\nText.");
    site.rename("new-a.md", "a.md");
    site.wait_for(&["By hand"]);
    assert_eq!(identity(&site.entry("By hand")), identity(&before));
}

#[test]
fn a_half_written_file_is_not_published() {
    let mut site = Site::started();
    let mut file = std::fs::File::create(site.path("slow.txt")).unwrap();
    for part in ["Slow story\n\n", BODY, "\n\nIt is not "] {
        file.write_all(part.as_bytes()).unwrap();
        file.sync_all().unwrap();
    }
    site.settle();
    assert_eq!(site.titles(), ["Barrier"]);
    file.write_all(b"over yet.").unwrap();
    drop(file);
    site.wait_for(&["Barrier", "Slow story"]);
    assert!(site.entry("Slow story")["content_html"].as_str().unwrap().contains("It is not over yet."));
}

#[test]
fn an_emptied_file_keeps_its_article_for_the_grace_period() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    std::fs::File::create(site.path("a.md")).unwrap();
    site.settle();
    assert_eq!(site.entry("First"), before, "a program may be about to write it");
    site.wait_for(&["Barrier"]);
    assert_eq!(site.get("/articles/a").status, 404, "it may come back");
    site.write("a.md", "# First, again\n\nText.");
    site.wait_for(&["Barrier", "First, again"]);
    assert_eq!(identity(&site.entry("First, again")), identity(&before));
}

/// A site with an article `a.md` and its copy `b.md`, which is not published, and the entry of the article.
fn with_a_copy() -> (Site, serde_json::Value) {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    std::fs::copy(site.path("a.md"), site.path("b.md")).unwrap();
    site.settle();
    assert_eq!(site.titles().iter().filter(|title| *title == "First").count(), 1);
    (site, before)
}

fn wait_for_the_edited_copy(site: &mut Site) -> serde_json::Value {
    site.wait_until("the copy is edited", |site| {
        site.titles().len() == 2 && site.entry("First")["content_html"].as_str().unwrap().contains("edited")
    });
    site.entry("First")
}

#[test]
fn a_copy_that_is_edited_before_its_original_is_removed_is_an_article_of_its_own() {
    let (mut site, before) = with_a_copy();
    site.write("b.md", "# First\n\nText, edited.");
    site.remove("a.md");
    assert_ne!(wait_for_the_edited_copy(&mut site)["id"], before["id"]);
}

#[test]
fn a_copy_that_is_edited_after_its_original_was_removed_continues_it() {
    let (mut site, before) = with_a_copy();
    site.remove("a.md");
    site.write("b.md", "# First\n\nText, edited.");
    assert_eq!(identity(&wait_for_the_edited_copy(&mut site)), identity(&before));
}

#[test]
fn a_copy_followed_by_a_removal_is_a_move() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    std::fs::copy(site.path("a.md"), site.path("b.md")).unwrap();
    site.remove("a.md");
    site.settle();
    site.write("b.md", "# Moved\n\nText.");
    site.wait_for(&["Barrier", "Moved"]);
    assert_eq!(identity(&site.entry("Moved")), identity(&before));
}

#[test]
fn two_files_with_one_id_are_one_entry() {
    let mut site = Site::started();
    site.write("a.md", "---\nid: urn:x:1\n---\n# First\n\nText.");
    site.wait_for(&["First"]);
    site.write("b.md", "---\nid: urn:x:1\n---\n# Second\n\nOther text.");
    site.settle();
    assert!(!site.titles().contains(&"Second".to_owned()));
    assert_eq!(site.entry("First")["id"], "urn:x:1");
    site.remove("a.md");
    site.wait_for(&["Barrier", "Second"]);
    assert_eq!(site.entry("Second")["id"], "urn:x:1");
}

#[test]
fn a_draft_never_leaks() {
    let mut site = Site::started();
    site.write("a.md", "---\ndraft: true\n---\n# Secret\n\nText.");
    site.write("b.md", "---\ntitle: Broken: yaml\nstatus: draft\n---\nSecret too.");
    site.settle();
    assert_eq!(site.titles(), ["Barrier"]);
    assert_eq!(site.get("/articles/a").status, 404);
    site.write("a.md", "---\ndraft: false\n---\n# Open\n\nText.");
    site.wait_for(&["Barrier", "Open"]);
    let before = site.entry("Open");
    site.write("a.md", "---\ndraft: true\n---\n# Open\n\nText.");
    site.wait_for(&["Barrier"]);
    assert_eq!(site.get("/articles/a").status, 404);
    site.write("a.md", "---\ndraft: false\n---\n# Open\n\nText.");
    site.wait_for(&["Barrier", "Open"]);
    assert_eq!(identity(&site.entry("Open")), identity(&before));
}

#[test]
fn a_scheduled_article_appears_when_it_is_due_and_not_before() {
    let mut site = Site::started();
    let due = chrono::Utc::now() + chrono::TimeDelta::seconds(6);
    site.write("a.md", format!("---\ndate: {}\n---\n# Later\n\nText.", due.to_rfc3339()));
    site.settle();
    assert_eq!(site.titles(), ["Barrier"]);
    assert_eq!(site.get("/articles/a").status, 404, "standards 8");
    assert!(chrono::Utc::now() < due, "the article is not due yet");
    site.wait_for(&["Barrier", "Later"]);
    assert!(chrono::Utc::now().timestamp() >= due.timestamp());
    assert_eq!(site.get("/articles/a").status, 200);
}

#[test]
fn an_unreadable_edit_keeps_the_last_good_version() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    for broken in [&b"\0\0\0"[..], b"\x7fELF\0\x01", b"---\ntitle: a: b\ndraft: maybe\n---\nText"] {
        site.write("a.md", broken);
    }
    site.settle();
    assert_eq!(site.entry("First"), before);
    site.write("a.md", "# Mended\n\nText.");
    site.wait_for(&["Barrier", "Mended"]);
    assert_eq!(identity(&site.entry("Mended")), identity(&before));
}

#[test]
fn a_changed_slug_redirects_permanently() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let id = site.entry("First")["id"].clone();
    site.write("a.md", "---\nslug: Better name\n---\n# First\n\nText.");
    site.wait_until("the address changes", |site| {
        site.entry("First")["url"] == format!("{BASE_URL}articles/better-name")
    });
    let moved = site.get("/articles/a");
    assert_eq!((moved.status, moved.field("location")), (301, "https://gazette.example/articles/better-name"));
    assert_eq!(site.entry("First")["id"], id);
    site.write("b.md", "---\nslug: a\n---\n# Other\n\nMore text.");
    site.wait_for(&["First", "Other"]);
    assert_eq!(site.get("/articles/a").status, 301, "the old address stays the first article's");
}

#[test]
fn files_in_new_folders_are_not_missed() {
    let mut site = Site::started();
    let outside = tempfile::tempdir_in(site.root().parent().unwrap()).unwrap();
    let tree = outside.path().join("tree/deep");
    std::fs::create_dir_all(&tree).unwrap();
    std::fs::write(tree.join("in.md"), "# Moved in\n\nText.").unwrap();
    let mut titles = vec!["Moved in".to_owned()];
    for number in 0..20 {
        site.write(&format!("new{number}/sub/a.md"), format!("# Number {number}\n\nText."));
        titles.push(format!("Number {number}"));
    }
    std::fs::rename(outside.path().join("tree"), site.path("tree")).unwrap();
    site.wait_for(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    std::fs::rename(site.path("tree"), outside.path().join("tree")).unwrap();
    std::fs::remove_dir_all(site.path("new0")).unwrap();
    titles.retain(|title| title != "Moved in" && title != "Number 0");
    site.wait_for(&titles.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_missing_folder_deletes_nothing() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let (before, version) = (site.entry("First"), site.version());
    let away = site.root().with_extension("away");
    std::fs::rename(site.root(), &away).unwrap();
    // Longer than the grace period of a deletion.
    std::thread::sleep(Duration::from_millis(3_500));
    assert_eq!((site.entry("First"), site.version()), (before.clone(), version));
    std::fs::rename(&away, site.root()).unwrap();
    // The daemon looks for the folder once a second, and watches it from then on.
    site.wait_until_written("b.md", "# Second\n\nText.", "Second");
    assert_eq!(site.entry("First"), before);
}

#[test]
fn versions_are_a_second_apart_and_validators_change_together() {
    let mut site = Site::started();
    let mut seen: HashMap<String, HashSet<String>> = HashMap::new();
    let mut dates: HashMap<String, HashSet<String>> = HashMap::new();
    for number in 0..60 {
        site.write("a.md", format!("# Number {number}\n\nText."));
        for path in ["/rss.xml", "/articles/a"] {
            let answer = site.get(path);
            if answer.status == 200 {
                let (etag, date) = (answer.field("etag").to_owned(), answer.field("last-modified").to_owned());
                seen.entry(format!("{path} {etag}")).or_default().insert(date.clone());
                dates.entry(format!("{path} {date}")).or_default().insert(etag);
            }
        }
        std::thread::sleep(Duration::from_millis(40));
    }
    site.wait_for(&["Number 59"]);
    assert!(seen.len() >= 4, "several versions were seen: {seen:?}");
    assert!(seen.values().all(|dates| dates.len() == 1), "one date for each version: {seen:?}");
    assert!(dates.values().all(|etags| etags.len() == 1), "one version for each date (standards 88): {dates:?}");
}

#[test]
fn other_programs_can_read_the_catalog() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let file = site.root().parent().unwrap().join("state").join(FILE);
    let catalog = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let (id, version): (String, i64) = catalog
        .query_row("SELECT id, (SELECT user_version FROM pragma_user_version) FROM article", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((site.entry("First")["id"].as_str().unwrap(), version), (id.as_str(), 14));
}

#[test]
fn a_catalog_with_the_first_schema_is_migrated() {
    let mut site = Site::new();
    site.write("a.md", "# First\n\nText.");
    std::fs::create_dir(site.state()).unwrap();
    let catalog = rusqlite::Connection::open(site.state().join(FILE)).unwrap();
    catalog.execute_batch(include_str!("../../src/catalog/store/schema/1.sql")).unwrap();
    let insert = "
        INSERT INTO article VALUES (1, 'urn:uuid:kept', CAST('a.md' AS BLOB), 0, 'kept', 1714557600, 1714557600, 1714557600, zeroblob(32),
          zeroblob(32), 0, 0, 0, 0, 0, 0);
        INSERT INTO content VALUES (1, '{\"title\":\"Old\",\"authors\":[],\"summary\":\"\",\"html\":\"\",\"tags\":[],\"language\":null,\"link\":null}');
        INSERT INTO address VALUES ('kept', 1);
        PRAGMA user_version = 1;";
    catalog.execute_batch(insert).unwrap();
    drop(catalog);
    site.start();
    let entry = site.entry("First");
    assert_eq!(
        (entry["id"].as_str(), entry["url"].as_str()),
        (Some("urn:uuid:kept"), Some("https://gazette.example/articles/kept"))
    );
    assert_eq!(entry["date_published"], "2024-05-01T10:00:00Z");
}

#[test]
fn no_text_makes_a_feed_unreadable() {
    let mut site = Site::started();
    let header = "title: \"\\x01\\x02\"\nauthor: {name: \"N\\x0b\", email: \"a\\x01@b.org\", url: \"https://example.org/\\x01x y\"}\n\
                  tags: [\"\\x02\", \"a\\x03b\"]\nid: \"urn:x:\\x01<\"\nsummary: \"\\uFFFE\"\n";
    site.write("odd name.md", format!("---\n{header}---\nText &#11; ]]> &#xFFFE; \u{1F600} <b>bold"));
    site.wait_for(&["odd name"]);
    for path in ["/rss.xml", "/atom.xml", "/feed.json", "/", "/articles/odd-name"] {
        let text = site.get(path).text();
        let legal = |c: char| c == '\n' || c == '\t' || (!c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}'));
        assert!(text.chars().all(legal), "{path}: standards 14");
        assert!(!text.contains("\\u0001") && !text.contains("&#11;"), "{path}");
    }
    let entry = site.entry("odd name");
    assert_eq!(entry["authors"][0], serde_json::json!({"name": "N", "url": "https://example.org/%01x%20y"}));
    assert_eq!(entry["tags"], serde_json::json!(["ab"]));
    assert!(entry["id"].as_str().unwrap().starts_with("urn:uuid:"), "{}", entry["id"]);
}

#[test]
fn an_id_can_move_to_another_file() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.write("b.md", "---\nid: urn:x:1\n---\n# Second\n\nOther text.");
    site.wait_for(&["First", "Second"]);
    site.remove("b.md");
    site.write("a.md", "---\nid: urn:x:1\n---\n# First, with the id of the second\n\nText.");
    site.wait_for(&["First, with the id of the second"]);
    assert_eq!(site.feed()["items"][0]["id"], "urn:x:1");
    site.write("c.md", "---\nid: urn:x:2\n---\n# Third\n\nMore.");
    site.wait_for(&["First, with the id of the second", "Third"]);
    site.rename("c.md", "a.md");
    site.wait_for(&["Third"]);
    site.restart();
    site.wait_for(&["Third"]);
}

#[test]
fn a_file_renamed_onto_another_replaces_its_article() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.write("b.md", "# Second\n\nOther text.");
    site.wait_for(&["First", "Second"]);
    let first = site.entry("First");
    site.rename("b.md", "a.md");
    site.wait_for(&["Second"]);
    assert_eq!(identity(&site.entry("Second")), identity(&first), "what stands at a path is replaced");
    assert_eq!(site.get("/articles/b").status, 410);
}

#[test]
fn an_empty_replacement_folder_deletes_nothing() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.write("b.md", "# Second\n\nText of it.");
    site.wait_for(&["First", "Second"]);
    let away = site.root().with_extension("away");
    std::fs::rename(site.root(), &away).unwrap();
    std::fs::create_dir(site.root()).unwrap();
    // Longer than the check of the folder and the grace period together.
    std::thread::sleep(Duration::from_millis(4_500));
    assert_eq!(site.titles().len(), 2);
    std::fs::remove_dir(site.root()).unwrap();
    std::fs::rename(&away, site.root()).unwrap();
    site.wait_until_written("c.md", "# Third\n\nText of that.", "Third");
    assert_eq!(site.titles().len(), 3);
}

#[test]
fn a_folder_renamed_away_and_back_is_still_watched() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let away = site.root().with_extension("away");
    std::fs::rename(site.root(), &away).unwrap();
    std::fs::rename(&away, site.root()).unwrap();
    site.wait_until_written("b.md", "# Second\n\nText of it.", "Second");
    site.write("a.md", "# First, edited\n\nText.");
    site.wait_for(&["First, edited", "Second"]);
}

#[test]
fn a_copy_is_published_once_its_original_changes() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let first = site.entry("First");
    std::fs::copy(site.path("a.md"), site.path("b.md")).unwrap();
    site.settle();
    site.write("a.md", "# First, edited\n\nText.");
    site.wait_for(&["Barrier", "First", "First, edited"]);
    assert_eq!(identity(&site.entry("First, edited")), identity(&first));
}

#[test]
fn a_restored_article_does_not_take_a_used_address() {
    let mut site = Site::started();
    site.write("a.md", "---\nslug: news\n---\n# First\n\nText.");
    site.wait_for(&["First"]);
    site.remove("a.md");
    site.wait_for(&[]);
    site.write("b.md", "---\nslug: news\n---\n# Second\n\nOther text.");
    site.wait_for(&["Second"]);
    site.write("a.md", "---\nslug: news\n---\n# First\n\nText.");
    site.wait_for(&["First", "Second"]);
    assert_eq!(site.entry("Second")["url"], format!("{BASE_URL}articles/news"));
    assert_eq!(site.entry("First")["url"], format!("{BASE_URL}articles/news-2"));
}

#[test]
fn an_outdated_lastmod_hides_no_change() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText.");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    Site::wait_for_a_later_second(&before);
    site.write("a.md", "---\nlastmod: 2020-01-01\n---\n# First\n\nText, edited.");
    site.wait_until("the edit is served", |site| site.get("/rss.xml").text().contains("edited"));
    assert!(site.entry("First")["date_modified"].as_str() > before["date_modified"].as_str());
}

#[test]
fn a_new_base_url_changes_every_article() {
    let mut site = Site::configured("[site]\nbase_url = 'https://old.example/'");
    site.start();
    site.write("a.md", "# First\n\n[link](b)");
    site.wait_for(&["First"]);
    let before = site.entry("First");
    site.stop();
    site.reconfigure("[site]\nbase_url = 'https://new.example/'");
    // A file that has just been modified is checked a little later than the others.
    site.write("a.md", "# First\n\n[link](b)");
    site.start();
    site.wait_until("the new address is served", |site| {
        site.entry("First")["content_html"].as_str().unwrap().contains("https://new.example/articles/b")
    });
    let after = site.entry("First");
    assert_eq!((&after["id"], &after["date_modified"]), (&before["id"], &before["date_modified"]));
}
