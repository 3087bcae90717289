//! The state directory: lost, damaged, used for another folder, backed up and restored. Ids and dates survive whenever possible.

use std::collections::BTreeMap;
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
        // A damaged page costs a few dozen articles at most.
        let kept = before.iter().filter(|(title, identity)| after.get(*title) == Some(identity)).count();
        assert_eq!(after.len(), before.len(), "round {round}, page {page}: every file is published");
        assert!(kept >= before.len() / 2, "round {round}, page {page}: only {kept} of {} are as before", before.len());
        site.stop();
    }
    // Truncated anywhere, or without its beginning: a feed is served again.
    for length in [0, 50, 4096, whole.len() / 3, whole.len() / 2, whole.len() - 4096] {
        put_back(site.state(), &whole[..length]);
        site.start();
        assert_eq!(identities(&site).len(), before.len(), "{length} bytes were left");
        site.stop();
    }
    let mut bytes = whole.clone();
    bytes[..4096].fill(0);
    put_back(site.state(), &bytes);
    site.start();
    assert_eq!(identities(&site).len(), before.len());
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
    use std::os::unix::fs::PermissionsExt;
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
