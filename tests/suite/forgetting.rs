//! Texts that are not public any more leave the state directory: replaced ones, deleted ones, and those that never were public.

use std::path::Path;

use gazetted::catalog::{FILE, TOMBSTONE_LIFE};
use rusqlite::Connection;

use crate::site::Site;
use crate::waiting::wait_until;

/// A text of many pages, in which a sentence is found wherever a page ends.
fn text(title: &str, sentence: &str) -> String {
    format!("---\ntags: [{title}]\nauthor: {title}\n---\n# {title}\n\n{}", format!("{sentence}\n\n").repeat(300))
}

/// The files of the state directory that contain a text, in any case.
fn files_with(site: &Site, text: &str) -> Vec<String> {
    let files = std::fs::read_dir(site.state()).unwrap().map(|entry| entry.unwrap().path());
    let contains = |file: &Path| {
        let bytes = std::fs::read(file).unwrap().to_ascii_lowercase();
        bytes.windows(text.len()).any(|window| window == text.to_ascii_lowercase().as_bytes())
    };
    files.filter(|file| file.is_file() && contains(file)).map(|file| file.display().to_string()).collect()
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

#[test]
fn an_article_that_was_public_once_keeps_its_id_to_itself() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText");
    site.wait_for(&["First"]);
    let id = site.entry("First")["id"].clone();
    site.write("a.md", "---\ndate: 2999-01-01\n---\n# First\n\nText");
    site.wait_for(&[]);
    site.remove("a.md");
    wait_until("it is deleted", || count(&site, "due > 30000000000") == 0);
    site.write("a.md", "# Second\n\nAnother text");
    site.wait_for(&["Second"]);
    assert_ne!(site.entry("Second")["id"], id);
    site.stop();
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
            PRAGMA secure_delete = off; PRAGMA user_version = 6; DELETE FROM tombstone;
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
