//! Texts that are not public any more leave the state directory: replaced ones, deleted ones, and those that never were public.

use std::path::Path;
use std::process::Command;

use gazetted::catalog::{FILE, TOMBSTONE_LIFE};
use rusqlite::Connection;

use crate::site::Site;
use crate::tools::Program;
use crate::waiting::wait_until;

/// A text of many pages, in which a sentence is found wherever a page ends.
fn text(title: &str, sentence: &str) -> String {
    format!("---\ntags: [{title}]\nauthor: {title}\n---\n# {title}\n\n{}", format!("{sentence}\n\n").repeat(300))
}

/// The files of the state directory that contain a text, in any case.
fn files_with(site: &Site, text: &str) -> Vec<String> {
    files_below(site.state(), text)
}

/// The files below a directory that contain a text, in any case.
fn files_below(directory: &Path, text: &str) -> Vec<String> {
    let contains = |file: &Path| {
        let bytes = std::fs::read(file).unwrap().to_ascii_lowercase();
        bytes.windows(text.len()).any(|window| window == text.to_ascii_lowercase().as_bytes())
    };
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match std::fs::symlink_metadata(&path).unwrap().file_type() {
            kind if kind.is_dir() => files_below(&path, text),
            kind if kind.is_file() && contains(&path) => vec![path.display().to_string()],
            _ => Vec::new(),
        })
        .collect()
}

/// Moves all tombstones of a stopped site into the past, beyond their life.
fn expire_tombstones(site: &Site) {
    let connection = Connection::open(site.state().join(FILE)).unwrap();
    let moved = connection.execute("UPDATE tombstone SET at = at - ?1", [TOMBSTONE_LIFE.num_seconds() + 1]).unwrap();
    assert!(moved > 0, "there are tombstones");
}

fn count(site: &Site, condition: &str) -> i64 {
    let connection = Connection::open(site.state().join(FILE)).unwrap();
    let sql = format!("SELECT count(*) FROM article WHERE {condition}");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_former_text_of_an_edited_article_is_forgotten() {
    let mut site = Site::started();
    for round in 0..4 {
        site.write("a.md", text("Edited", &format!("The words of round {round}.")));
        let sentence = format!("The words of round {round}.");
        site.wait_until("the edit is public", |site| site.get("/articles/a").text().contains(&sentence));
    }
    assert!(!files_with(&site, "The words of round 0.").is_empty(), "the log has it for a moment");
    site.stop();
    for round in 0..3 {
        assert_eq!(files_with(&site, &format!("The words of round {round}.")), Vec::<String>::new());
    }
    assert!(!files_with(&site, "The words of round 3.").is_empty());
}

#[test]
fn a_deleted_text_is_forgotten_with_its_tombstone() {
    let mut site = Site::started();
    let secrets = ["Alpaca sentence.", "Bonobo sentence.", "Capybara sentence."];
    site.write("deleted.md", text("Deleted", secrets[0]));
    site.write("draft.md", text("Draft", secrets[1]));
    site.write("late.md", text("Late", secrets[2]));
    site.wait_for(&["Deleted", "Draft", "Late"]);
    let id = site.entry("Deleted")["id"].clone();
    site.remove("deleted.md");
    site.write("draft.md", "---\ndraft: true\n---\n# Draft\n\nText");
    site.write("late.md", "---\ndraft: true\n---\n# Draft\n\nText");
    site.wait_until("the deleted article answers 410", |site| site.get("/articles/deleted").status == 410);
    site.wait_for(&[]);
    site.stop();
    for secret in secrets {
        assert!(!files_with(&site, secret).is_empty(), "feeds have a tombstone: {secret}");
    }
    expire_tombstones(&site);
    site.start();
    site.settle();
    site.remove("late.md");
    wait_until("it is deleted as well", || count(&site, "state = 2") == 2);
    site.stop();
    for secret in secrets {
        assert_eq!(files_with(&site, secret), Vec::<String>::new(), "{secret}");
    }
    // What identity needs stays.
    site.start();
    assert_eq!((site.get("/articles/deleted").status, site.get("/articles/late").status), (410, 410));
    site.write("deleted.md", text("Deleted", secrets[0]));
    site.wait_for(&["Deleted", "Barrier"]);
    assert_eq!(site.entry("Deleted")["id"], id, "the file is back");
    site.stop();
}

#[test]
fn nothing_stays_of_a_file_that_was_never_public() {
    let mut site = Site::started();
    site.write("quagga.md", format!("---\ndate: 2999-01-01\n---\n{}", &text("Quagga", "Quagga sentence.")[4..]));
    site.settle();
    wait_until("it is scheduled", || count(&site, "state = 0 AND due > 30000000000") == 1);
    assert_eq!(site.get("/articles/quagga").status, 404);
    site.stop();
    assert!(!files_with(&site, "quagga").is_empty());
    site.start();
    site.remove("quagga.md");
    wait_until("it is deleted", || count(&site, "due > 30000000000") == 0);
    assert_eq!(site.get("/articles/quagga").status, 404);
    site.stop();
    assert_eq!(files_with(&site, "quagga"), Vec::<String>::new());
    site.start();
    site.write("quagga.md", text("Quagga", "Public now."));
    site.wait_until("it is public", |site| site.titles().contains(&"Quagga".to_owned()));
    site.stop();
}

/// A file whose date is in the far future.
fn scheduled(text: &str) -> String {
    format!("---\ndate: 2999-01-01\n---\n{text}")
}

#[test]
fn an_article_that_was_public_once_keeps_its_id_to_itself() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText");
    site.wait_for(&["First"]);
    let id = site.entry("First")["id"].clone();
    site.write("a.md", scheduled("# First\n\nA hidden sentence."));
    site.wait_for(&[]);
    assert_eq!(site.get("/articles/a").status, 404);
    site.remove("a.md");
    site.wait_until("it is deleted", |site| site.get("/articles/a").status == 410);
    site.stop();
    assert_eq!(files_with(&site, "A hidden sentence."), Vec::<String>::new());
    // The second record has it, too.
    crate::state::lose_catalog(&site);
    site.start();
    assert_eq!(site.get("/articles/a").status, 410);
    site.write("a.md", "# Second\n\nAnother text");
    site.wait_for(&["Second"]);
    assert_ne!(site.entry("Second")["id"], id);
    site.stop();
}

#[test]
fn an_article_that_was_public_once_answers_410_after_every_way_to_its_deletion() {
    let mut site = Site::started();
    let public = |name: &str| format!("---\nid: urn:first:{name}\n---\n# {name}\n\nText");
    let names = ["drafted", "renamed", "returned"];
    for name in names {
        site.write(&format!("{name}.md"), public(name));
    }
    site.wait_for(&names);
    let hidden = |name: &str, id: &str| format!("---\nid: urn:{id}:{name}\ndate: 2999-01-01\n---\n# {name}\n\nHidden.");
    // A draft first, another id with the date, and a deletion in between.
    site.write("drafted.md", "---\nid: urn:first:drafted\ndraft: true\n---\n# drafted\n\nText");
    site.write("renamed.md", hidden("renamed", "second"));
    site.remove("returned.md");
    site.wait_for(&[]);
    let tombstones = |site: &Site| site.get("/atom.xml").text().matches("deleted-entry ").count();
    site.wait_until("two are deleted for readers", |site| tombstones(site) == 2);
    site.write("drafted.md", hidden("drafted", "first"));
    site.write("returned.md", hidden("returned", "first"));
    wait_until("all are scheduled", || count(&site, "state = 0 AND due > 30000000000") == 3);
    site.settle();
    for name in names {
        assert_eq!(site.get(&format!("/articles/{name}")).status, 404, "{name}");
        site.remove(&format!("{name}.md"));
    }
    for name in names {
        site.wait_until(name, |site| site.get(&format!("/articles/{name}")).status == 410);
    }
    assert_eq!(tombstones(&site), 2, "feeds still have them");
    // A file that comes back is not public before its date.
    site.write("drafted.md", hidden("drafted", "first"));
    site.write("other.md", scheduled("# Never public\n\nText"));
    wait_until("both are scheduled", || count(&site, "state = 0 AND due > 30000000000") == 2);
    site.settle();
    assert_eq!(site.get("/articles/drafted").status, 404);
    assert!(!site.titles().contains(&"drafted".to_owned()));
    site.remove("drafted.md");
    site.remove("other.md");
    site.wait_until("it is deleted again", |site| site.get("/articles/drafted").status == 410);
    wait_until("the other is deleted", || count(&site, "due > 30000000000") == 0);
    assert_eq!(site.get("/articles/other").status, 404);
    site.restart();
    for name in names {
        assert_eq!(site.get(&format!("/articles/{name}")).status, 410, "{name}: after a restart");
    }
    site.stop();
    assert_eq!(files_with(&site, "Hidden."), Vec::<String>::new());
}

#[test]
fn texts_of_an_older_state_are_forgotten_by_the_migration() {
    let mut site = Site::started();
    site.write("deleted.md", text("Deleted", "Dodo sentence."));
    site.write("other.md", text("Other", "Public sentence."));
    site.wait_for(&["Deleted", "Other"]);
    site.remove("deleted.md");
    site.wait_until("the deleted article answers 410", |site| site.get("/articles/deleted").status == 410);
    site.stop();
    // As the version before left it: with the text, also in free pages, and without a tombstone.
    let connection = Connection::open(site.state().join(FILE)).unwrap();
    connection
        .execute_batch(
            "
            PRAGMA secure_delete = off; PRAGMA user_version = 6; DROP TABLE name; DELETE FROM tombstone;
            CREATE TABLE filler AS SELECT entry FROM content; DROP TABLE filler;",
        )
        .unwrap();
    drop(connection);
    assert!(!files_with(&site, "Dodo sentence.").is_empty());
    site.start();
    site.stop();
    assert_eq!(files_with(&site, "Dodo sentence."), Vec::<String>::new());
    assert!(!files_with(&site, "Public sentence.").is_empty());
    site.start();
    assert_eq!(site.get("/articles/deleted").status, 410);
    site.stop();
}

#[test]
fn the_migration_of_a_large_catalog_takes_little_memory() {
    const MEBIBYTES: u64 = 96;
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText");
    site.wait_for(&["First"]);
    site.stop();
    let connection = Connection::open(site.state().join(FILE)).unwrap();
    connection.execute_batch("PRAGMA user_version = 6; DROP TABLE name; CREATE TABLE filler (bytes BLOB);").unwrap();
    for _ in 0..MEBIBYTES {
        connection.execute("INSERT INTO filler VALUES (randomblob(1 << 20))", []).unwrap();
    }
    drop(connection);
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET");
    command.arg("serve").arg(site.root()).arg("--state").arg(site.state()).args(["--listen", "127.0.0.1:0"]);
    let program = Program::start(&mut command);
    program.wait_until("the site is up", |program| program.get("/feed.json").contains("\"First\""));
    assert!(crate::security::peak(&program) < MEBIBYTES << 10, "kilobytes of memory");
}
