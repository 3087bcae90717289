//! The state directory: lost, damaged, used for another folder, backed up and restored. Ids and dates survive whenever possible.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use gazetted::catalog::FILE;

use crate::random::Random;
use crate::site::Site;

/// Permanent properties of each entry: id, address and date, by title.
fn identities(site: &Site) -> BTreeMap<String, String> {
    let feed = site.feed();
    let identity = |item: &serde_json::Value| {
        let title = item["title"].as_str().unwrap().to_owned();
        (title, format!("{} {} {}", item["id"], item["url"], item["date_published"]))
    };
    feed["items"].as_array().unwrap().iter().map(identity).collect()
}

/// A stopped site with many articles. Half of them have moved since they were published, so that their ids do not follow from their files.
fn stopped() -> (Site, BTreeMap<String, String>) {
    let mut site = Site::configured("[feed]\nentries = 500\n");
    for number in 0..60 {
        let text = format!("---\ntags: [t{}]\n---\n# Number {number}\n\nText {}", number % 7, "word ".repeat(200));
        site.write(&format!("a/{number}.md"), text);
    }
    site.start();
    for number in 0..30 {
        site.rename(&format!("a/{number}.md"), &format!("moved-{number}.md"));
    }
    site.settle();
    let identities = identities(&site);
    assert_eq!(identities.len(), 61);
    site.stop();
    (site, identities)
}

/// The catalog as one file that can be restored.
fn catalog(state: &Path) -> Vec<u8> {
    let connection = rusqlite::Connection::open(state.join(FILE)).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    std::fs::read(state.join(FILE)).unwrap()
}

fn put_back(state: &Path, bytes: &[u8]) {
    for entry in std::fs::read_dir(state).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension.to_string_lossy().starts_with("sqlite")) {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::write(state.join(FILE), bytes).unwrap();
}

#[test]
fn a_lost_catalog_is_rebuilt_with_the_same_ids() {
    let mut site = Site::new();
    for number in 0..20 {
        site.write(&format!("{number}.md"), format!("---\ndate: 2024-05-01\n---\n# Number {number}\n\nText"));
    }
    site.start();
    let before = identities(&site);
    site.stop();
    for name in [FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
        let _ = std::fs::remove_file(site.state().join(name));
    }
    site.start();
    assert_eq!(identities(&site), before);
}

/// What happens to a state directory.
type Action = fn(&Site);

/// A daemon on a stopped site, in a process of its own.
fn serve(site: &Site) -> std::process::Command {
    let mut command = crate::command_line::gazetted();
    command.arg("serve").arg(site.root()).arg("--state").arg(site.state()).args(["--listen", "127.0.0.1:0"]);
    command
}

/// Removes the catalog with its write-ahead log.
pub fn lose_catalog(site: &Site) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.state().join(format!("{FILE}{suffix}")));
    }
}

/// A stopped site whose files say neither which ids, addresses and dates their articles have, nor which articles were deleted.
fn with_a_past() -> (Site, BTreeMap<String, String>) {
    let mut site = Site::configured("[feed]\nentries = 100\n");
    site.start();
    for number in 0..10 {
        site.write(&format!("{number}.md"), format!("# Number {number}\n\nText of {number}"));
    }
    site.write("renamed.md", "---\nslug: first\n---\n# Renamed\n\nText");
    site.write("identified.md", "# Identified\n\nText");
    site.write("gone.md", "# Gone\n\nText of the one that is gone");
    site.write("draft.md", "# Draft\n\nText");
    site.settle();
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"odd-\xff.md");
    std::fs::write(site.root().join(odd), "# Odd\n\nText").unwrap();
    for number in 0..5 {
        site.rename(&format!("{number}.md"), &format!("moved-{number}.md"));
    }
    site.write("renamed.md", "---\nslug: second\n---\n# Renamed\n\nText");
    site.write("identified.md", "---\nid: mine\n---\n# Identified\n\nText");
    site.write("draft.md", "---\ndraft: true\n---\n# Draft\n\nText");
    site.remove("gone.md");
    site.wait_until("the deleted article answers 410", |site| site.get("/articles/gone").status == 410);
    site.write("zz-barrier.txt", "Barrier 2");
    site.wait_until("all is published", |site| {
        site.titles().contains(&"Barrier 2".to_owned()) && site.titles().contains(&"Odd".to_owned())
    });
    let before = identities(&site);
    site.stop();
    // The times of files are no record of dates.
    for entry in std::fs::read_dir(site.root()).unwrap() {
        let file = std::fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_mins(25_000_000)).unwrap();
    }
    (site, before)
}

/// What readers know of a site of [`with_a_past`] is the same as before.
fn assert_past(site: &mut Site, before: &BTreeMap<String, String>, case: &str) {
    assert_eq!(identities(site), *before, "{case}");
    let moved = site.get("/articles/first");
    assert_eq!((moved.status, moved.field("location")), (301, "https://gazette.example/articles/second"), "{case}");
    assert_eq!(site.get("/articles/gone").status, 410, "{case}");
    assert_eq!(site.get("/articles/second").status, 200, "{case}");
}

#[test]
fn a_lost_catalog_costs_no_identity() {
    let (mut site, before) = with_a_past();
    site.may_be_damaged();
    let losses: [(&str, Action); 6] = [
        ("removed", lose_catalog),
        ("emptied", |site| {
            lose_catalog(site);
            std::fs::write(site.state().join(FILE), "").unwrap();
        }),
        ("overwritten", |site| std::fs::write(site.state().join(FILE), vec![7; 100_000]).unwrap()),
        ("cut off", |site| {
            let file = std::fs::File::options().write(true).open(site.state().join(FILE)).unwrap();
            file.set_len(4096).unwrap();
        }),
        ("replaced by a new one", |site| {
            lose_catalog(site);
            drop(gazetted::catalog::Catalog::open(site.state(), Some("gazette.example"), chrono::Utc::now()).unwrap());
        }),
        ("removed with the namespace", |site| {
            lose_catalog(site);
            std::fs::remove_file(site.state().join("namespace")).unwrap();
        }),
    ];
    for (case, lose) in losses {
        lose(&site);
        site.start();
        assert_past(&mut site, &before, case);
        site.restart();
        assert_past(&mut site, &before, &format!("{case}, restarted"));
        site.stop();
    }
    // Files that moved meanwhile are recognised by their bytes, one that is gone is deleted, and the id of another is not given again.
    lose_catalog(&site);
    site.rename("moved-1.md", "elsewhere.md");
    site.remove("7.md");
    site.write("gone.md", "# Another\n\nAnother text");
    site.start();
    site.wait_until("the removed article answers 410", |site| site.get("/articles/7").status == 410);
    let after = identities(&site);
    let mut expected = before.clone();
    expected.remove("Number 7");
    assert!(expected.iter().all(|(title, identity)| after.get(title) == Some(identity)), "{expected:?} {after:?}");
    assert!(!after.contains_key("Number 7"));
    site.stop();
}

#[test]
fn an_id_of_a_deleted_article_is_never_given_again() {
    let (mut site, _) = with_a_past();
    let id = |site: &Site| {
        let connection = rusqlite::Connection::open(site.state().join(FILE)).unwrap();
        let sql = "SELECT id, state FROM article WHERE path = x'676f6e652e6d64' ORDER BY state DESC";
        connection.query_row(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap()
    };
    let deleted = id(&site);
    assert_eq!(deleted.1, 2);
    lose_catalog(&site);
    site.write("gone.md", "# Another\n\nAnother text");
    site.start();
    assert_ne!(site.entry("Another")["id"], deleted.0.as_str());
    site.stop();
    assert_eq!(id(&site), deleted);
}

#[test]
fn an_old_backup_loses_no_later_identity() {
    let (mut site, _) = stopped();
    let backup = catalog(site.state());
    site.start();
    for number in 0..5 {
        site.write(&format!("late/{number}.md"), format!("# Late {number}\n\nText of {number}"));
    }
    site.wait_until("all are published", |site| {
        site.titles().iter().filter(|title| title.starts_with("Late")).count() == 5
    });
    for number in 0..5 {
        site.rename(&format!("late/{number}.md"), &format!("late-{number}.md"));
    }
    site.write("zz-barrier.txt", "Barrier 2");
    site.wait_until("all is seen", |site| site.titles().contains(&"Barrier 2".to_owned()));
    let before = identities(&site);
    site.stop();
    put_back(site.state(), &backup);
    site.start();
    let after = identities(&site);
    assert!(
        before
            .iter()
            .filter(|(title, _)| *title != "Barrier 2")
            .all(|(title, identity)| after.get(title) == Some(identity)),
        "{before:?} {after:?}"
    );
    site.stop();
}

#[test]
fn a_damaged_or_missing_record_of_identities_stops_nothing() {
    let (mut site, before) = with_a_past();
    let record = site.state().join("identities.log");
    let whole = std::fs::read(&record).unwrap();
    // While the catalog is whole, the record is written again from it.
    for bytes in [None, Some(Vec::new()), Some(vec![0; 5000]), Some(whole[..whole.len() - 20].to_vec())] {
        std::fs::remove_file(&record).unwrap();
        if let Some(bytes) = bytes {
            std::fs::write(&record, bytes).unwrap();
        }
        site.start();
        assert_past(&mut site, &before, "with its catalog");
        site.stop();
        lose_catalog(&site);
        site.start();
        assert_past(&mut site, &before, "without its catalog");
        site.stop();
    }
    // Half of a line costs one article.
    let whole = std::fs::read_to_string(&record).unwrap();
    let line = whole.lines().position(|line| line.contains("moved-1.md")).unwrap();
    let lines = whole.lines().enumerate().map(|(number, text)| if number == line { &text[..30] } else { text });
    std::fs::write(&record, lines.collect::<Vec<_>>().join("\n") + "\n{\"id\":\"urn:x\",\"pa").unwrap();
    lose_catalog(&site);
    site.start();
    let after = identities(&site);
    let changed: Vec<&String> =
        before.iter().filter(|(title, id)| after.get(*title) != Some(id)).map(|(title, _)| title).collect();
    assert_eq!(changed, ["Number 1"]);
    site.stop();
}

#[test]
fn a_lost_catalog_is_reported() {
    let (site, _) = with_a_past();
    let start = || crate::tools::Program::start(&mut serve(&site));
    let reports = |program: &crate::tools::Program| {
        let log = program.log.lock();
        log.iter().filter(|line| line.contains("the catalog is missing or empty")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(reports(&start()), Vec::<String>::new());
    lose_catalog(&site);
    let lines = reports(&start());
    assert!(lines.len() == 1 && lines[0].contains("articles=15") && lines[0].contains("deleted=1"), "{lines:?}");
}

#[test]
fn a_damaged_catalog_is_salvaged() {
    let (mut site, before) = stopped();
    site.may_be_damaged();
    let whole = catalog(site.state());
    let mut random = Random::new(11);
    let pages = whole.len() / 4096;
    assert!(pages > 20, "{pages} pages");
    // Single pages, except the first, which holds the schema.
    for round in 0..8 {
        let mut bytes = whole.clone();
        let page = 1 + random.below(pages - 1);
        bytes[page * 4096..(page + 1) * 4096].fill(0xA5);
        put_back(site.state(), &bytes);
        site.start();
        let after = identities(&site);
        // The second record of identity has what a damaged page loses.
        assert_eq!(after, before, "round {round}, page {page}");
        site.stop();
    }
    // Truncated anywhere, or without its beginning: a feed is served again.
    for length in [0, 50, 4096, whole.len() / 3, whole.len() / 2, whole.len() - 4096] {
        put_back(site.state(), &whole[..length]);
        site.start();
        assert_eq!(identities(&site), before, "{length} bytes were left");
        site.stop();
    }
    let mut bytes = whole.clone();
    bytes[..4096].fill(0);
    put_back(site.state(), &bytes);
    site.start();
    assert_eq!(identities(&site), before);
    site.stop();
    assert!(!site.damaged_catalogs().is_empty(), "what is left of it is kept");
    put_back(site.state(), &whole);
    site.start();
    assert_eq!(identities(&site), before, "the test itself changes nothing");
}

#[test]
fn damage_found_while_running_is_repaired_while_running() {
    let (mut site, before) = stopped();
    site.start();
    site.may_be_damaged();
    // Damages everything but the first page while the daemon runs.
    let bytes = catalog(site.state());
    let file = std::fs::OpenOptions::new().write(true).open(site.state().join(FILE)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0xA5; bytes.len() - 4096], 4096).unwrap();
    drop(file);
    for number in 0..5 {
        site.write(&format!("new-{number}.md"), format!("# New {number}\n\nText"));
    }
    site.wait_until("all is published", |site| identities(site).len() == before.len() + 5);
    assert_eq!(site.damaged_catalogs().len(), 1);
    site.settle();
}

#[test]
fn a_state_directory_belongs_to_one_folder() {
    let mut site = Site::new();
    site.write("one.md", "# One\n\nText");
    site.start();
    let before = identities(&site);
    site.stop();
    let command = |directory: &Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.arg("serve").arg(directory).arg("--state").arg(site.state()).args(["--listen", "127.0.0.1:0"]);
        command
    };
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("two.md"), "# Two\n\nText").unwrap();
    let output = command(other.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("this state directory is that of") && said.lines().count() == 1, "{said}");
    // The same articles in another folder keep their ids.
    std::fs::copy(site.path("one.md"), other.path().join("one.md")).unwrap();
    let program = crate::tools::Program::start(&mut command(other.path()));
    let id = before["One"].split('"').nth(1).unwrap();
    program.wait_until("both are published", |program| {
        let feed = program.get("/feed.json");
        feed.contains("\"Two\"") && feed.contains(id)
    });
}

#[test]
fn a_backup_made_while_running_can_be_restored() {
    let (mut site, before) = stopped();
    site.start();
    let backup = site.root().parent().unwrap().join("backup.sqlite");
    // As `sqlite3 catalog.sqlite "VACUUM INTO 'backup.sqlite'"` does.
    let connection = rusqlite::Connection::open(site.state().join(FILE)).unwrap();
    connection.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    drop(connection);
    site.write("later.md", "# Later\n\nText");
    site.settle();
    site.stop();
    put_back(site.state(), &std::fs::read(&backup).unwrap());
    site.start();
    let after = identities(&site);
    assert!(before.iter().all(|(title, identity)| after.get(title) == Some(identity)));
    assert!(after.contains_key("Later"), "what came after the backup is found in its file");
}

#[test]
fn other_users_cannot_read_the_state() {
    let site = Site::started();
    let mode = |name: &str| std::fs::metadata(site.state().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("lock"), mode(FILE), mode("control")), (0o700, 0o600, 0o600, 0o600));
}

#[test]
fn symlinks_in_the_state_directory_are_not_followed() {
    let site = Site::new();
    let precious = site.path("precious");
    std::fs::write(&precious, "x").unwrap();
    std::fs::create_dir(site.state()).unwrap();
    std::os::unix::fs::symlink(&precious, site.state().join("lock")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(site.root()).arg("--state").arg(site.state()).args(["--listen", "127.0.0.1:0"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("cannot write to the state directory"), "{said}");
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "x");
}

/// A second directory beside the state.
fn beside(site: &Site, name: &str) -> std::path::PathBuf {
    site.state().with_file_name(name)
}

fn remove_state(site: &Site) {
    // The daemon may write a file between the removal of the files and that of the directory.
    crate::waiting::wait_until("the directory is removed", || std::fs::remove_dir_all(site.state()).is_ok());
}

/// Replaces the catalog by another, complete one without articles.
fn replace_catalog(site: &Site) {
    let other = beside(site, "other");
    std::fs::create_dir(&other).unwrap();
    drop(gazetted::catalog::Catalog::open(&other, Some("other.example"), chrono::Utc::now()).unwrap());
    std::fs::rename(other.join(FILE), site.state().join(FILE)).unwrap();
    std::fs::remove_dir_all(&other).unwrap();
}

const DISPLACEMENTS: [(&str, Action); 11] = [
    ("the directory is removed", remove_state),
    ("the directory is renamed", |site| std::fs::rename(site.state(), beside(site, "renamed")).unwrap()),
    ("the directory is replaced by an empty one", |site| {
        std::fs::rename(site.state(), beside(site, "before")).unwrap();
        std::fs::create_dir(site.state()).unwrap();
    }),
    ("the directory is replaced by one with another catalog", |site| {
        std::fs::rename(site.state(), beside(site, "earlier")).unwrap();
        std::fs::create_dir(site.state()).unwrap();
        replace_catalog(site);
    }),
    ("all its files are removed", |site| {
        for entry in std::fs::read_dir(site.state()).unwrap() {
            let _ = std::fs::remove_file(entry.unwrap().path());
        }
    }),
    ("the catalog is removed", |site| std::fs::remove_file(site.state().join(FILE)).unwrap()),
    ("the catalog is removed with its log", lose_catalog),
    ("the log of the catalog is removed", |site| {
        std::fs::remove_file(site.state().join(format!("{FILE}-wal"))).unwrap();
    }),
    ("the catalog is replaced", replace_catalog),
    ("the catalog is replaced by a folder", |site| {
        std::fs::remove_file(site.state().join(FILE)).unwrap();
        std::fs::create_dir(site.state().join(FILE)).unwrap();
    }),
    ("the lock is removed", |site| std::fs::remove_file(site.state().join("lock")).unwrap()),
];

/// The identity of the file at a path below the state directory.
fn inode(site: &Site, name: &str) -> Option<u64> {
    std::fs::metadata(site.state().join(name)).ok().map(|metadata| metadata.ino())
}

#[test]
fn a_displaced_state_is_written_again_while_running() {
    std::thread::scope(|scope| {
        for (case, displace) in DISPLACEMENTS {
            scope.spawn(move || assert_written_again(case, displace));
        }
    });
}

fn assert_written_again(case: &str, displace: Action) {
    let (mut site, mut before) = with_a_past();
    site.may_be_damaged();
    site.start();
    site.write("last.md", "# Last\n\nText that only the log of the catalog has");
    site.wait_until("it is published", |site| site.titles().contains(&"Last".to_owned()));
    before.insert("Last".to_owned(), identities(&site).remove("Last").unwrap());
    assert_past(&mut site, &before, case);
    let (lock, file) = (inode(&site, "lock"), inode(&site, FILE));
    displace(&site);
    for number in 0..3 {
        site.write(&format!("meanwhile-{number}.md"), format!("# Meanwhile {number}\n\nText of {number}"));
    }
    site.wait_until(case, |site| site.titles().iter().filter(|title| title.starts_with("Meanwhile")).count() == 3);
    crate::waiting::wait_until(case, || {
        let is_new = |name: &str, before| inode(&site, name).is_some_and(|inode| Some(inode) != before);
        // What the test has put in its place has no article.
        let has_articles = || {
            let bytes = std::fs::read(site.state().join(FILE)).unwrap_or_default();
            bytes.windows(b"identified.md".len()).any(|window| window == b"identified.md")
        };
        ["namespace", "identities.log", "control", "fence", "lock", FILE]
            .iter()
            .all(|name| inode(&site, name).is_some())
            && (is_new("lock", lock) || is_new(FILE, file))
            && (!is_new(FILE, file) || has_articles())
    });
    // The new files are in use: what is published from now on is in them.
    site.write("after.md", "# After\n\nText");
    site.wait_until("the next article is published", |site| site.titles().contains(&"After".to_owned()));
    let mode = |name: &str| std::fs::metadata(site.state().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(FILE), mode("lock"), mode("control")), (0o600, 0o600, 0o600), "{case}");
    let mut after = identities(&site);
    let served: Vec<String> = before.keys().cloned().collect();
    for title in &served {
        let address = site.entry(title)["url"].as_str().unwrap().replace("https://gazette.example", "");
        assert_eq!(site.get(&address).status, 200, "{case}: {address}");
    }
    // Rendered from the catalog, by a reader.
    assert_eq!(site.get("/archive/").status, 200, "{case}");
    site.stop();
    assert!(site.damaged_catalogs().len() <= 1, "{case}");
    lose_identities(&site);
    site.start();
    assert_eq!(identities(&site), after, "{case}: after a restart");
    after.retain(|title, _| before.contains_key(title));
    assert_eq!(after, before, "{case}");
    site.stop();
}

/// Removes the second record: the catalog alone must have everything.
fn lose_identities(site: &Site) {
    std::fs::remove_file(site.state().join("identities.log")).unwrap();
    let connection = rusqlite::Connection::open(site.state().join(FILE)).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
}

/// Another catalog takes the place of each one that the daemon writes, as soon as it is there: often while the daemon opens its own.
#[test]
fn a_catalog_that_is_replaced_again_and_again_is_written_again() {
    let (mut site, mut before) = with_a_past();
    site.may_be_damaged();
    site.start();
    let others: Vec<_> = (0..12).map(|number| beside(&site, &format!("other-{number}"))).collect();
    for other in &others {
        std::fs::create_dir(other).unwrap();
        drop(gazetted::catalog::Catalog::open(other, Some("other.example"), chrono::Utc::now()).unwrap());
    }
    for (number, other) in others.iter().enumerate() {
        // A pause from zero to some milliseconds varies what the daemon does at that time.
        std::thread::sleep(std::time::Duration::from_micros(500 * number as u64));
        let other = other.join(FILE);
        let other_inode = std::fs::metadata(&other).unwrap().ino();
        std::fs::rename(&other, site.state().join(FILE)).unwrap();
        let is_new = || inode(&site, FILE).is_some_and(|inode| inode != other_inode);
        crate::waiting::wait_until(&format!("replaced {number} times"), is_new);
        assert!(before.keys().all(|title| site.titles().contains(title)), "{number}");
    }
    site.write("after.md", "# After\n\nText");
    site.wait_until("the next article is published", |site| site.titles().contains(&"After".to_owned()));
    before.insert("After".to_owned(), identities(&site).remove("After").unwrap());
    assert_past(&mut site, &before, "while running");
    site.stop();
    lose_identities(&site);
    site.start();
    assert_past(&mut site, &before, "after a restart");
    site.stop();
}

#[test]
fn a_state_that_is_removed_just_before_the_end_is_written_again() {
    let (mut site, before) = with_a_past();
    site.start();
    remove_state(&site);
    site.stop();
    assert!(site.state().join(FILE).exists());
    site.start();
    assert_eq!(identities(&site), before);
    site.stop();
}

#[test]
fn a_state_that_cannot_be_written_again_is_tried_again() {
    let (mut site, before) = with_a_past();
    site.start();
    std::fs::rename(site.state(), beside(&site, "renamed")).unwrap();
    // No directory can be made here.
    std::fs::write(site.state(), "a file").unwrap();
    site.write("meanwhile.md", "# Meanwhile\n\nText");
    // What is published stays up.
    for _ in 0..20 {
        assert!(before.keys().all(|title| site.titles().contains(title)));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    std::fs::remove_file(site.state()).unwrap();
    site.wait_until("publishing has resumed", |site| site.titles().contains(&"Meanwhile".to_owned()));
    let after = identities(&site);
    assert!(before.iter().all(|(title, identity)| after.get(title) == Some(identity)), "{before:?} {after:?}");
    site.restart();
    assert_eq!(identities(&site), after);
    site.stop();
}

#[test]
fn a_state_that_is_locked_but_cannot_be_written_again_is_tried_again() {
    let (mut site, before) = with_a_past();
    site.may_be_damaged();
    let status = site.start_serving();
    crate::waiting::wait_until("the changes are served", || status.get().caught_up);
    // The lock can be taken, but the catalog that is in the way cannot be kept under any name of the next minutes.
    let other = beside(&site, "other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join(FILE), "another catalog").unwrap();
    let now = chrono::Utc::now().timestamp();
    let obstacles: Vec<String> = (now - 60..now + 600).map(|second| format!("damaged-{second}.sqlite")).collect();
    for name in &obstacles {
        std::os::unix::fs::symlink(other.join("missing/file"), other.join(name)).unwrap();
    }
    std::fs::rename(site.state(), beside(&site, "renamed")).unwrap();
    std::fs::rename(&other, site.state()).unwrap();
    let failure = || status.get().failure.clone().unwrap_or_default();
    crate::waiting::wait_until("it fails", || failure().contains("cannot keep the damaged catalog"));
    site.write("meanwhile.md", "# Meanwhile\n\nText");
    for name in &obstacles {
        std::fs::remove_file(site.state().join(name)).unwrap();
    }
    site.wait_until("publishing has resumed", |site| site.titles().contains(&"Meanwhile".to_owned()));
    // A moment after the version is served.
    crate::waiting::wait_until("the failure is over", || failure().is_empty());
    let after = identities(&site);
    assert!(before.iter().all(|(title, identity)| after.get(title) == Some(identity)), "{before:?} {after:?}");
    site.restart();
    assert_eq!(identities(&site), after);
    site.stop();
}

#[test]
fn a_displaced_state_is_reported_and_locked_again() {
    let (site, _) = with_a_past();
    let program = crate::tools::Program::start(&mut serve(&site));
    let lines = |text: &str| program.log.lock().iter().filter(|line| line.contains(text)).cloned().collect::<Vec<_>>();
    remove_state(&site);
    program.wait_until("it is reported", |_| !lines("the state directory has been written again").is_empty());
    let reports = lines("the state directory was removed or replaced");
    assert!(reports.len() == 1 && reports[0].contains(&site.state().display().to_string()), "{reports:?}");
    let output = serve(&site).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && printed.contains("another gazetted uses"), "{printed}");
    let reload = || {
        let mut reload = std::process::Command::new(env!("CARGO_BIN_EXE_gazetted"));
        reload.arg("reload").arg(site.root()).arg("--state").arg(site.state()).output().unwrap().status.success()
    };
    crate::waiting::wait_until("a reload reaches the daemon", reload);
}

/// What is in the place of the folder of articles while it is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InPlace {
    Nothing,
    EmptyFolder,
}

/// Takes the folder of articles away.
fn take_away(site: &Site, in_place: InPlace) {
    std::fs::rename(site.root(), beside(site, "away")).unwrap();
    if in_place == InPlace::EmptyFolder {
        std::fs::create_dir(site.root()).unwrap();
    }
}

fn bring_back(site: &Site, in_place: InPlace) {
    if in_place == InPlace::EmptyFolder {
        std::fs::remove_dir(site.root()).unwrap();
    }
    std::fs::rename(beside(site, "away"), site.root()).unwrap();
}

/// Whether a response asks the client to come back.
fn is_postponed(site: &Site, path: &str) -> bool {
    let answer = site.get(path);
    answer.status == 503 && answer.field("retry-after") == "60"
}

#[test]
fn without_a_catalog_and_its_folder_a_known_site_is_unavailable_instead_of_empty() {
    let (mut site, before) = with_a_past();
    for in_place in [InPlace::Nothing, InPlace::EmptyFolder] {
        let case = &format!("{in_place:?}");
        lose_catalog(&site);
        take_away(&site, in_place);
        let status = site.start_serving();
        // Longer than the grace period of a deletion.
        for _ in 0..4 {
            for path in ["/feed.json", "/atom.xml", "/", "/articles/second", "/articles/gone", "/archive/", "/none"] {
                assert!(is_postponed(&site, path), "{case}: {path}: {}", site.get(path).status);
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        assert!(!status.get().caught_up, "{case}");
        bring_back(&site, in_place);
        crate::waiting::wait_until("the site is served again", || site.get("/feed.json").status == 200);
        assert_past(&mut site, &before, case);
        site.restart();
        assert_past(&mut site, &before, case);
        site.stop();
    }
    // Nothing is known of a site that has never had an article.
    let mut new = Site::new();
    std::fs::remove_dir(new.root()).unwrap();
    new.start_serving();
    assert_eq!(new.titles(), Vec::<String>::new());
}

#[test]
fn a_recovery_without_the_folder_changes_nothing_that_is_served() {
    for in_place in [InPlace::Nothing, InPlace::EmptyFolder] {
        let case = &format!("{in_place:?}");
        let mut site = Site::configured("[feed]\nentries = 6\nwindow = \"1s\"\narchive_entries = 3\n");
        site.may_be_damaged();
        for number in 1..=12 {
            let text = format!("---\ndate: 2024-05-{number:02}\ntags: [t]\n---\n# Number {number}\n\nText of {number}");
            site.write(&format!("{number}.md"), text);
        }
        site.start();
        let before = site.get("/feed.json");
        take_away(&site, in_place);
        // No text is left, which a reader notices.
        let connection = rusqlite::Connection::open(site.state().join(FILE)).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.execute("UPDATE content SET entry = '{'", []).unwrap();
        drop(connection);
        let is_recovered = || site.get("/articles/1").status == 503 && !site.damaged_catalogs().is_empty();
        crate::waiting::wait_until("the catalog is recovered", is_recovered);
        for _ in 0..4 {
            let now = site.get("/feed.json");
            assert_eq!((now.status, now.field("etag"), &now.body), (200, before.field("etag"), &before.body), "{case}");
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        for path in ["/articles/1", "/articles/none", "/tags/t/feed.json", "/archive/"] {
            assert!(is_postponed(&site, path), "{case}: {path}: {}", site.get(path).status);
        }
        bring_back(&site, in_place);
        crate::waiting::wait_until("all is served again", || site.get("/articles/1").status == 200);
        assert_eq!(site.feed()["items"], serde_json::from_slice::<serde_json::Value>(&before.body).unwrap()["items"]);
        assert_eq!(site.get("/articles/none").status, 404, "{case}");
        site.write("13.md", "# Number 13\n\nText");
        site.wait_until("a new article is published", |site| site.titles().contains(&"Number 13".to_owned()));
        site.stop();
    }
}
