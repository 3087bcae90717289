//! One wrong value in the catalog, in every column of every table: it is found, all other articles stay what they are, and
//! publishing goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use gazetted::catalog::{Catalog, FILE};
use gazetted::model::collection::ImportedEntry;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::site::Site;
use crate::tools::Program;
use crate::waiting::wait_until;

/// The main feed holds some of the articles, archives hold the others.
const CONFIGURATION: &str = "[feed]\nentries = 6\nwindow = \"1s\"\narchive_entries = 3\n";

/// Wrong values of each type of column, as SQL writes them.
const INTEGERS: [&str; 13] = [
    "'text'",
    "x'00ff'",
    "NULL",
    "1.5",
    "9e999",
    "-9223372036854775808",
    "9223372036854775807",
    "253402300799",
    "253402300800",
    "-1",
    "7",
    "zeroblob(100000)",
    "'7'",
];
const TEXTS: [&str; 7] = [
    "CAST(x'ff' AS TEXT)",
    "x'00ff'",
    "NULL",
    "''",
    "'{\"title\":'",
    "'a' || char(0) || 'b'",
    "printf('%.100000c', 'x')",
];
const BLOBS: [&str; 8] =
    ["'text'", "7", "NULL", "x''", "x'ff'", "zeroblob(33)", "zeroblob(100000)", "CAST(x'ff' AS TEXT)"];

/// A site with rows in every table of its catalog, stopped; and what its feeds say.
struct Base {
    site: Site,
    items: BTreeMap<String, Item>,
    columns: Vec<Column>,
}

/// What readers know an article by: id, address and date.
type Item = (String, String, String);

#[derive(Debug, Clone)]
struct Column {
    table: String,
    name: String,
    /// As the schema declares it.
    kind: String,
}

impl Column {
    fn wrong(&self) -> &'static [&'static str] {
        match self.kind.as_str() {
            "INTEGER" => &INTEGERS,
            "TEXT" => &TEXTS,
            "BLOB" => &BLOBS,
            other => panic!("{self:?}: there are no wrong values of type {other}"),
        }
    }

    /// Whether no version of the program can take a value for a right one.
    fn is_wrong_anyway(&self, value: &str) -> bool {
        let any_number = ["size", "mtime", "ctime", "inode", "born", "stamp"].contains(&self.name.as_str());
        match value {
            "NULL" => !["expires", "guid", "archive"].contains(&self.name.as_str()) && self.table != "adopted",
            "'text'" | "x'00ff'" | "CAST(x'ff' AS TEXT)" | "1.5" | "9e999" => true,
            "zeroblob(100000)" => self.kind == "INTEGER" || self.name.ends_with("hash"),
            "9223372036854775807" | "253402300800" => !any_number && self.name != "number",
            "-9223372036854775808" => !any_number && self.name != "number" && self.name != "floor",
            "x''" | "zeroblob(33)" => self.name.ends_with("hash"),
            "7" => self.kind == "BLOB" || ["state", "shown", "kind", "stale"].contains(&self.name.as_str()),
            _ => false,
        }
    }
}

fn columns(connection: &Connection) -> Vec<Column> {
    let sql = "
        SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid";
    let mut statement = connection.prepare(sql).unwrap();
    let column = |row: &rusqlite::Row<'_>| Ok(Column { table: row.get(0)?, name: row.get(1)?, kind: row.get(2)? });
    statement.query_map([], column).unwrap().map(Result::unwrap).collect()
}

fn dated(day: usize, more: &str, title: &str) -> String {
    format!("---\ndate: 2024-05-{day:02}\n{more}\n---\n# {title}\n\nText of {title}.\n")
}

/// Gives the state two entries of a feed that was published elsewhere: one that finds its article, one that waits.
fn adopt(state: &Path) {
    std::fs::create_dir_all(state).unwrap();
    let mut catalog = Catalog::open(state, Some("gazette.example"), Utc::now()).unwrap();
    let entry = |name: &str| ImportedEntry {
        guid: Some(format!("old {name}")),
        link: Some(format!("https://old.example/{name}/")),
        title: Some(format!("Old {name}")),
        published: DateTime::from_timestamp(1_600_000_000, 0),
        ..ImportedEntry::default()
    };
    catalog.adopt(&[entry("adopted"), entry("waiting")]).unwrap();
}

impl Base {
    fn new() -> Self {
        let mut site = Site::configured(CONFIGURATION);
        adopt(site.state());
        for number in 1..=12 {
            let more = format!("tags: [t{}]\nauthor: Ann", number % 3);
            site.write(&format!("a/{number}.md"), dated(number, &more, &format!("Number {number}")));
        }
        site.write("adopted.md", "# Adopted\n\nText");
        site.write("undated.md", "# Undated\n\nText");
        site.write("sea.png", b"\x89PNG\r\n\x1a\n");
        site.write("picture.md", dated(20, "cover: nowhere.png", "Picture") + "![Sea](sea.png)");
        site.write("later.md", "---\ndate: 2999-01-01\n---\n# Later\n\nText");
        site.write("over.md", dated(21, "expires: 2024-06-01", "Over"));
        site.write("draft.md", dated(22, "", "Draft"));
        site.write("renamed.md", dated(23, "slug: first", "Renamed"));
        site.write("identified.md", dated(24, "", "Identified"));
        site.write("gone.md", dated(25, "tags: [t1]", "Gone"));
        site.start();
        site.settle();
        site.write("draft.md", dated(22, "draft: true", "Draft"));
        site.write("renamed.md", dated(23, "slug: second", "Renamed"));
        site.write("identified.md", dated(24, "id: mine", "Identified"));
        site.remove("gone.md");
        site.settle();
        site.wait_until("the deleted article answers 410", |site| site.get("/articles/gone").status == 410);
        let items = items(&site);
        assert_eq!(items.len(), 18, "{items:?}");
        site.stop();
        let connection = Connection::open(site.state().join(FILE)).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        // A fact of a node among replicas.
        connection.execute("INSERT INTO behind (path, hash) VALUES (x'612e6d64', zeroblob(32))", []).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let columns = columns(&connection);
        for table in columns.iter().map(|column| &column.table).collect::<BTreeSet<_>>() {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
            assert!(connection.query_row(&sql, [], |row| row.get::<_, bool>(0)).unwrap(), "{table} is empty");
        }
        assert!(columns.len() > 70, "{} columns", columns.len());
        Self { site, items, columns }
    }

    /// The same site in folders of its own.
    fn copy(&self) -> Site {
        let mut site = Site::configured(CONFIGURATION);
        site.may_be_damaged();
        copy_folder(self.site.root(), site.root());
        copy_folder(self.site.state(), site.state());
        site
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// What the main feed and all archives say, by title.
fn items(site: &Site) -> BTreeMap<String, Item> {
    let mut items = BTreeMap::new();
    let mut next = Some("/feed.json".to_owned());
    while let Some(at) = next {
        let answer = site.get(&at);
        assert_eq!(answer.status, 200, "{at}");
        let feed: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
        for item in feed["items"].as_array().unwrap() {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            items.insert(text("title"), (text("id"), text("url"), text("date_published")));
        }
        next = feed["next_url"].as_str().map(|url| url.replace("https://gazette.example", ""));
    }
    items
}

/// Writes a value into a row of a column that its table would refuse. Says which article's row it was, or 0; `None` if not even
/// SQLite's own rules for such a column allow it.
fn corrupt(file: &Path, column: &Column, row: usize, value: &str) -> Option<i64> {
    let Column { table, name, .. } = column;
    let connection = Connection::open(file).unwrap();
    let schema: String = connection
        .query_row("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", [table], |row| row.get(0))
        .unwrap();
    let loose = schema.replace(") STRICT, WITHOUT ROWID", ") WITHOUT ROWID").replace(") STRICT", ")");
    let loose = loose.replace("NOT NULL", "");
    set_schema(connection, table, &loose);
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = off; PRAGMA ignore_check_constraints = on;").unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    let keys: String = connection
        .query_row("SELECT group_concat(name) FROM pragma_table_info(?1) WHERE pk > 0", [table], |row| row.get(0))
        .unwrap();
    let chosen =
        format!("SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1 OFFSET {row} % (SELECT count(*) FROM {table})");
    let article = if table == "article" {
        connection
            .query_row(&format!("SELECT number FROM article WHERE number = ({chosen})"), [], |row| row.get(0))
            .unwrap()
    } else {
        0
    };
    let sql = format!("UPDATE {table} SET {name} = {value} WHERE ({keys}) = ({chosen})");
    let changed = connection.execute(&sql, []).map(|rows| assert_eq!(rows, 1, "{sql}"));
    set_schema(connection, table, &schema);
    changed.is_ok().then_some(article)
}

fn set_schema(connection: Connection, table: &str, sql: &str) {
    connection.execute_batch("PRAGMA writable_schema = on").unwrap();
    connection.execute("UPDATE sqlite_schema SET sql = ?2 WHERE type = 'table' AND name = ?1", [table, sql]).unwrap();
    connection.close().unwrap();
}

/// Every fifth case, which is coprime with the numbers of wrong values, so that each column is tried; all with `GAZETTED_ALL_CASES`, as in
/// CI.
fn some<T>(cases: Vec<T>) -> Vec<T> {
    let step = if std::env::var_os("GAZETTED_ALL_CASES").is_some() { 1 } else { 5 };
    cases.into_iter().step_by(step).collect()
}

/// Runs `work` for each case, on several threads, and reports all cases that fail.
fn each<T: Sync>(cases: &[T], threads: usize, work: impl Fn(&T) + Sync) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(|| work(case))) {
                        let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                        failures.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

/// A folder that costs no write to a disk, where there is one.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Number, id, path, slug and date of each article.
fn rows(file: &Path) -> BTreeMap<i64, (String, Vec<u8>, String, i64)> {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare("SELECT number, id, path, slug, published FROM article").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_wrong_value_is_found_and_costs_no_other_row() {
    let base = Base::new();
    let whole = std::fs::read(base.site.state().join(FILE)).unwrap();
    let before = rows(&base.site.state().join(FILE));
    let now = Utc::now();
    let directory = in_memory();
    drop(Catalog::open(directory.path(), Some("gazette.example"), now).unwrap());
    let empty = std::fs::read(directory.path().join(FILE)).unwrap();
    let tried = AtomicUsize::new(0);
    let mut cases: Vec<(usize, &Column, &str)> = Vec::new();
    for (place, column) in base.columns.iter().enumerate() {
        cases.extend(column.wrong().iter().enumerate().map(|(number, value)| (place + number, column, *value)));
    }
    let cases = some(cases);
    each(&cases, 3, |(place, column, value)| {
        let case = format!("{}.{} = {value}", column.table, column.name);
        let directory = in_memory();
        let file = directory.path().join(FILE);
        std::fs::write(&file, &whole).unwrap();
        let Some(article) = corrupt(&file, column, *place, value) else { return };
        tried.fetch_add(1, Ordering::Relaxed);
        let open = || Catalog::open(directory.path(), Some("gazette.example"), now);
        match open().and_then(|catalog| catalog.check(now)) {
            Ok(()) => assert!(!column.is_wrong_anyway(value), "{case}: not found"),
            Err(error) => assert!(error.is_damage(), "{case}: {error}"),
        }
        let aside = directory.path().join("aside.sqlite");
        std::fs::rename(&file, &aside).unwrap();
        // To make its tables takes longer than all else.
        std::fs::write(&file, &empty).unwrap();
        let mut catalog = open().unwrap();
        let salvaged = catalog.salvage(&aside, now).unwrap_or_else(|error| panic!("{case}: {error}"));
        drop(catalog);
        let after = rows(&file);
        for (number, row) in before.iter().filter(|(number, _)| **number != article) {
            assert_eq!(after.get(number), Some(row), "{case}: article {number}; {salvaged:?}");
        }
        assert_eq!(after.len(), before.len(), "{case}: {salvaged:?}");
        // The row itself keeps whatever was not wrong in it.
        if let Some((row, found)) = before.get(&article).zip(after.get(&article)) {
            assert!(column.name == "id" || row.0 == found.0, "{case}: the id is {}", found.0);
            assert!(column.name == "path" || row.1 == found.1, "{case}");
            assert!(column.name == "slug" || row.2 == found.2, "{case}: the slug is {}", found.2);
            assert!(["published", "updated"].contains(&column.name.as_str()) || row.3 == found.3, "{case}");
        }
    });
    let tried = tried.into_inner();
    assert!(tried * 2 > cases.len(), "too few wrong values could be written: {tried} of {}", cases.len());
}

#[test]
fn tables_and_indexes_that_are_missing_or_empty_are_recovered() {
    let base = Base::new();
    let whole = std::fs::read(base.site.state().join(FILE)).unwrap();
    let now = Utc::now();
    let connection = Connection::open(base.site.state().join(FILE)).unwrap();
    let mut statement = connection.prepare("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL").unwrap();
    let things = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap);
    let mut cases: Vec<(String, bool)> = Vec::new();
    for (kind, name) in things.collect::<Vec<(String, String)>>() {
        // Without these, everything is slower and nothing is wrong.
        let is_needed = kind == "table" || name == "article_path";
        cases.push((format!("DROP {kind} {name}"), is_needed));
        if kind == "table" {
            cases.push((
                format!("DELETE FROM {name}"),
                ["article", "content", "address", "view", "total"].contains(&name.as_str()),
            ));
        }
    }
    assert!(cases.len() > 40, "{cases:?}");
    each(&cases, 3, |(sql, is_needed)| {
        let directory = in_memory();
        let file = directory.path().join(FILE);
        std::fs::write(&file, &whole).unwrap();
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = off").unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
        let open = || Catalog::open(directory.path(), Some("gazette.example"), now);
        let used = open().and_then(|catalog| {
            catalog.check(now)?;
            catalog.with_known(|known| {
                for known in known {
                    known?;
                }
                Ok(())
            })
        });
        match used {
            Ok(()) => assert!(!is_needed, "{sql}: not found"),
            Err(error) => assert!(error.is_damage(), "{sql}: {error}"),
        }
        let aside = directory.path().join("aside.sqlite");
        std::fs::rename(&file, &aside).unwrap();
        let mut catalog = open().unwrap();
        let salvaged = catalog.salvage(&aside, now).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(sql.ends_with(" article") || salvaged.articles == rows(&file).len(), "{sql}: {salvaged:?}");
    });
}

#[test]
fn a_daemon_starts_and_publishes_whatever_value_is_wrong() {
    let base = Base::new();
    // A few columns of one table at a time, since a daemon takes its time to start and to stop.
    let tables = base.columns.chunk_by(|one, other| one.table == other.table);
    let cases: Vec<&[Column]> = tables.flat_map(|columns| columns.chunks(5)).collect();
    each(&cases, 12, |columns| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let (table, case) = (&columns[0].table, format!("{}: {}", columns[0].table, names.join(", ")));
        let mut site = base.copy();
        for (place, column) in columns.iter().enumerate() {
            for (number, value) in column.wrong().iter().enumerate().skip(place % 2).step_by(2) {
                corrupt(&site.state().join(FILE), column, 3 * place + number, value);
            }
        }
        site.start();
        // An article whose path is wrong has no file, and stays for the grace period of deletions.
        site.wait_until("each article has an address of its own", |site| {
            let served = items(site);
            let addresses: BTreeSet<&String> = served.values().map(|(_, address, _)| address).collect();
            addresses.len() == served.len()
        });
        let served = items(&site);
        for (title, item) in &base.items {
            let found = served.get(title).unwrap_or_else(|| panic!("{case}: {title} is not served, only {served:?}"));
            if table != "article" {
                assert_eq!(found, item, "{case}: {title}");
            }
            let page = found.1.replace("https://gazette.example", "");
            let answer = site.get(&page);
            assert!(
                answer.status == 200 && answer.text().contains(title.as_str()),
                "{case}: {page}: {}",
                answer.status
            );
        }
        assert_eq!(served.len(), base.items.len(), "{case}: {served:?}");
        let tagged = site.get("/tags/t1/feed.json").text();
        assert!(
            ["Number 1\"", "Number 4\"", "Number 7\"", "Number 10\""].iter().all(|title| tagged.contains(title)),
            "{case}: {tagged}"
        );
        site.write("new.md", "---\ntags: [t1]\n---\n# New\n\nText");
        site.wait_until(&format!("{case}: a new article is published"), |site| {
            site.titles().contains(&"New".to_owned())
        });
        assert!(site.get("/tags/t1/feed.json").text().contains("New"), "{case}");
        site.stop();
        let damaged = site.damaged_catalogs();
        assert!(damaged.len() <= 1, "{case}: {damaged:?}");
        site.start();
        assert_eq!(items(&site).len(), base.items.len() + 1, "{case}");
        assert_eq!(site.damaged_catalogs(), damaged, "{case}: the second start finds nothing");
        site.stop();
    });
}

/// The catalog of a daemon that runs, as another program opens it.
fn beside(site: &Site) -> Connection {
    let connection = Connection::open(site.state().join(FILE)).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = off").unwrap();
    connection
}

#[test]
fn a_wrong_value_that_the_writer_meets_is_repaired_while_it_runs() {
    let mut site = Site::started();
    site.may_be_damaged();
    for number in 1..=5 {
        site.write(&format!("{number}.md"), dated(number, "", &format!("Number {number}")));
    }
    site.settle();
    let before = items(&site);
    beside(&site)
        .execute("UPDATE article SET slug = CAST(x'ff' AS TEXT), file_hash = x'00' WHERE path = x'332e6d64'", [])
        .unwrap();
    site.write("3.md", dated(3, "", "Number 3") + "More.");
    site.write("new.md", "# New\n\nText");
    site.wait_until("both are published", |site| {
        site.titles().contains(&"New".to_owned()) && site.get("/articles/3").text().contains("More.")
    });
    let after = items(&site);
    assert!(before.iter().all(|(title, item)| after.get(title) == Some(item)), "{before:?} {after:?}");
    assert_eq!(site.damaged_catalogs().len(), 1);
    site.stop();
}

/// A daemon with twelve articles, whose catalog a test may damage. The main feed shows six of them.
fn twelve() -> Site {
    let mut site = Site::configured(CONFIGURATION);
    site.may_be_damaged();
    for number in 1..=12 {
        site.write(&format!("{number}.md"), dated(number, "", &format!("Number {number}")));
    }
    site.start();
    site
}

#[test]
fn a_wrong_value_that_a_reader_meets_is_repaired_while_it_runs() {
    let mut site = twelve();
    let before = items(&site);
    // Neither in the main feed nor asked for before.
    beside(&site)
        .execute("UPDATE content SET entry = '{' WHERE number = (SELECT number FROM article WHERE slug = '1')", [])
        .unwrap();
    wait_until("its page is there again", || site.get("/articles/1").status == 200);
    assert_eq!(site.damaged_catalogs().len(), 1);
    assert_eq!(items(&site), before);
    site.stop();
}

/// Where the recorded content of an article is in the file of a catalog, and its number.
fn content_in(file: &Path, slug: &str) -> (std::ops::Range<usize>, i64) {
    let connection = Connection::open(file).unwrap();
    let sql = "SELECT entry, number FROM article JOIN content USING (number) WHERE slug = ?1";
    let (content, number): (String, i64) =
        connection.query_row(sql, [slug], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    drop(connection);
    let bytes = std::fs::read(file).unwrap();
    let mut places = bytes.windows(content.len()).enumerate().filter(|(_, part)| *part == content.as_bytes());
    let (start, _) = places.next().expect("a short content is in one page");
    assert!(places.next().is_none() && content.len() > 100, "{content}");
    (start..start + content.len(), number)
}

#[test]
fn a_changed_bit_in_a_text_is_found_and_costs_no_other_row() {
    let base = Base::new();
    let file = base.site.state().join(FILE);
    let (before, (places, number)) = (rows(&file), content_in(&file, "5"));
    let whole = std::fs::read(&file).unwrap();
    let now = Utc::now();
    let found = AtomicUsize::new(0);
    let cases: Vec<usize> = some(places.clone().collect());
    each(&cases, 3, |place| {
        let case = format!("bit {} of byte {}", place % 7, place - places.start);
        let directory = in_memory();
        let file = directory.path().join(FILE);
        let mut bytes = whole.clone();
        // In ASCII, the text stays UTF-8.
        bytes[*place] ^= 1 << (place % 7);
        std::fs::write(&file, &bytes).unwrap();
        let open = || Catalog::open(directory.path(), Some("gazette.example"), now);
        let content = |file: &Path| -> (String, i64) {
            let sql = "SELECT entry, stale FROM article JOIN content USING (number) WHERE number = ?1";
            let connection = Connection::open(file).unwrap();
            connection.query_row(sql, [number], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        };
        let Err(error) = open().and_then(|catalog| catalog.check(now)) else {
            // The name of the checksum has changed, and nothing else.
            assert!(place - places.start < 12 && content(&file).0.contains("Text of Number 5."), "{case}: not found");
            return;
        };
        assert!(error.is_damage(), "{case}: {error}");
        found.fetch_add(1, Ordering::Relaxed);
        let aside = directory.path().join("aside.sqlite");
        std::fs::rename(&file, &aside).unwrap();
        let mut catalog = open().unwrap();
        catalog.salvage(&aside, now).unwrap_or_else(|error| panic!("{case}: {error}"));
        drop(catalog);
        assert_eq!(rows(&file), before, "{case}");
        assert_eq!(content(&file).1, 4, "{case}: the text is read again");
    });
    assert!(found.into_inner() > cases.len() - 13, "too few are found");
}

/// The values by which readers know each article, by its number.
fn identifiers(file: &Path) -> BTreeMap<i64, (String, String, i64, i64, Option<String>)> {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare("SELECT number, id, slug, published, updated, guid FROM article").unwrap();
    let row =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)));
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_changed_bit_in_an_id_an_address_or_a_date_is_corrected() {
    let base = Base::new();
    let file = base.site.state().join(FILE);
    let (before, whole, now) = (identifiers(&file), std::fs::read(&file).unwrap(), Utc::now());
    // One that has a former address, and one with an id and a date of another publisher.
    let numbers = ["second", "adopted"].map(|slug| content_in(&file, slug).1);
    let mut cases: Vec<(i64, &str, rusqlite::types::Value)> = Vec::new();
    for number in numbers {
        let (id, slug, published, updated, guid) = &before[&number];
        for (column, text) in [("id", Some(id)), ("slug", Some(slug)), ("guid", guid.as_ref())] {
            for place in 0..text.map_or(0, String::len) {
                let mut bytes = text.unwrap().clone().into_bytes();
                bytes[place] ^= 1 << (place % 4);
                cases.push((number, column, String::from_utf8(bytes).unwrap().into()));
            }
        }
        for (column, seconds) in [("published", published), ("updated", updated)] {
            cases.extend((0..64).map(|bit| (number, column, (seconds ^ (1 << bit)).into())));
        }
    }
    each(&some(cases), 3, |(number, column, value)| {
        let case = format!("{column} = {value:?} of {number}");
        let directory = in_memory();
        let file = directory.path().join(FILE);
        std::fs::write(&file, &whole).unwrap();
        let connection = Connection::open(&file).unwrap();
        let sql = format!("UPDATE article SET {column} = ?2 WHERE number = ?1");
        assert_eq!(connection.execute(&sql, rusqlite::params![number, value]).unwrap(), 1, "{case}");
        drop(connection);
        let open = || Catalog::open(directory.path(), Some("gazette.example"), now);
        let error = open().and_then(|catalog| catalog.check(now)).expect_err(&case);
        assert!(error.is_damage(), "{case}: {error}");
        let aside = directory.path().join("aside.sqlite");
        std::fs::rename(&file, &aside).unwrap();
        let mut catalog = open().unwrap();
        catalog.salvage(&aside, now).unwrap_or_else(|error| panic!("{case}: {error}"));
        drop(catalog);
        assert_eq!(identifiers(&file), before, "{case}");
    });
}

#[test]
fn a_text_with_a_changed_bit_is_read_again_by_the_next_start() {
    let base = Base::new();
    let (places, _) = content_in(&base.site.state().join(FILE), "5");
    // In the checksum, in the title, in the text and at the end.
    let cases = [14, 40, places.len() / 2, places.len() - 2];
    each(&cases, 4, |place| {
        let folder = in_memory();
        let [articles, state] = ["articles", "state"].map(|name| folder.path().join(name));
        copy_folder(base.site.root(), &articles);
        copy_folder(base.site.state(), &state);
        let mut bytes = std::fs::read(state.join(FILE)).unwrap();
        bytes[places.start + place] ^= 1;
        std::fs::write(state.join(FILE), bytes).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--base-url", "https://gazette.example/", "--state"]);
        let program = Program::start(command.arg(&state).arg(&articles));
        program.wait_until("the text is served", |program| {
            let answer = program.get("/articles/5");
            assert!(!answer.starts_with("HTTP/1.1 200 ") || answer.contains("Text of Number 5."), "{place}: {answer}");
            answer.starts_with("HTTP/1.1 200 ")
        });
        let (id, _, _) = &base.items["Number 5"];
        program.wait_until("it has its id", |program| program.get("/tags/t2/feed.json").contains(id.as_str()));
        let log = program.log.lock().join("\n");
        assert!(log.contains("its content does not match its checksum"), "{place}: {log}");
    });
}

#[test]
fn a_text_with_a_changed_bit_is_never_served_by_a_daemon_that_runs() {
    let mut site = twelve();
    let before = items(&site);
    let sql = "
        UPDATE content SET entry = replace(entry, 'Text of', 'Tezt of')
        WHERE number = (SELECT number FROM article WHERE slug = '1')";
    assert_eq!(beside(&site).execute(sql, []).unwrap(), 1);
    site.wait_until("the text is read again", |site| {
        let answer = site.get("/articles/1");
        assert!(!answer.text().contains("Tezt"), "{}", answer.text());
        answer.status == 200
    });
    assert!(site.get("/articles/1").text().contains("Text of Number 1."));
    assert_eq!(site.damaged_catalogs().len(), 1);
    assert_eq!(items(&site), before);
    site.stop();
}

#[test]
fn contents_without_a_checksum_are_served_and_get_one() {
    let mut site = Site::started();
    for number in 1..=3 {
        site.write(&format!("{number}.md"), dated(number, "", &format!("Number {number}")));
    }
    site.settle();
    let before = site.get("/feed.json");
    site.stop();
    let count = |site: &Site| -> i64 {
        let sql = "
            SELECT count(*) FROM article JOIN content USING (number) WHERE state = 0 AND entry LIKE '{\"checksum\":%'";
        beside(site).query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let all = count(&site);
    assert!(all >= 3, "{all}");
    // As an earlier version recorded them, and another version of the program reads all files again.
    let sql = "UPDATE content SET entry = '{' || substr(entry, 62); UPDATE article SET stale = 2;";
    beside(&site).execute_batch(sql).unwrap();
    assert_eq!(count(&site), 0);
    site.start();
    site.wait_until("they have one", |site| count(site) == all);
    let after = site.get("/feed.json");
    assert_eq!((after.field("etag"), after.text()), (before.field("etag"), before.text()));
    site.stop();
}

#[test]
fn a_large_catalog_is_checked_while_it_is_served() {
    let mut site = twelve();
    site.stop();
    let connection = Connection::open(site.state().join(FILE)).unwrap();
    connection
        .execute_batch("CREATE TABLE filler AS SELECT zeroblob(5 << 20); DELETE FROM address WHERE slug = '1'")
        .unwrap();
    drop(connection);
    site.start();
    wait_until("its page is there again", || site.get("/articles/1").status == 200);
    assert_eq!(site.damaged_catalogs().len(), 1);
    site.restart();
    assert_eq!(site.damaged_catalogs().len(), 1);
    site.stop();
}

#[test]
fn a_backup_that_is_copied_over_the_catalog_in_use_stops_nothing() {
    let mut site = Site::configured("[feed]\nentries = 100\n");
    site.may_be_damaged();
    for number in 1..=10 {
        site.write(&format!("{number}.md"), dated(number, "tags: [t]", &format!("Number {number}")));
    }
    site.start();
    let before = items(&site);
    let backup = site.state().with_extension("backup");
    beside(&site).execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
    for number in 11..=40 {
        site.write(
            &format!("{number}.md"),
            dated(1 + number % 28, "tags: [t]", &format!("Number {number}")) + &"word ".repeat(900),
        );
    }
    site.settle();
    std::fs::copy(&backup, site.state().join(FILE)).unwrap();
    for number in 41..=50 {
        site.write(&format!("{number}.md"), dated(1 + number % 28, "tags: [t]", &format!("Number {number}")));
    }
    let titles = |site: &Site| (1..=50).all(|number| items(site).contains_key(&format!("Number {number}")));
    site.wait_until("all are published", titles);
    let after = items(&site);
    assert!(before.iter().all(|(title, item)| after.get(title) == Some(item)), "{before:?} {after:?}");
    site.restart();
    let after = items(&site);
    assert!(titles(&site) && before.iter().all(|(title, item)| after.get(title) == Some(item)), "{before:?} {after:?}");
    let damaged = site.damaged_catalogs();
    site.restart();
    assert_eq!(site.damaged_catalogs(), damaged);
    site.stop();
}

#[test]
fn three_damaged_catalogs_are_kept_at_most() {
    let mut site = Site::new();
    site.may_be_damaged();
    site.write("one.md", "# One\n\nText");
    site.start();
    let before = items(&site);
    site.stop();
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let connection = Connection::open(site.state().join(FILE)).unwrap();
        connection.execute("UPDATE article SET state = 7", []).unwrap();
        drop(connection);
        site.start();
        assert_eq!(items(&site), before);
        site.stop();
        seen.extend(site.damaged_catalogs());
    }
    let kept: BTreeSet<PathBuf> = site.damaged_catalogs().into_iter().collect();
    assert_eq!((seen.len(), kept.len()), (5, 3));
    assert!(kept.iter().eq(seen.iter().skip(2)), "the newest are kept: {kept:?} of {seen:?}");
}

#[test]
fn a_wrong_byte_is_damage_or_harmless() {
    let base = Base::new();
    let whole = std::fs::read(base.site.state().join(FILE)).unwrap();
    let now = Utc::now();
    // Each byte of the header, and some of each page.
    let mut random = crate::random::Random::new(7);
    let mut cases: Vec<(usize, u8)> = Vec::new();
    for (place, byte) in whole.iter().enumerate().take(100) {
        cases.extend([0, 0xFF, byte ^ 1].map(|byte| (place, byte)));
    }
    for page in 0..whole.len() / 4096 {
        for _ in 0..5 {
            // Most values are at the beginning, where the structure of the page is.
            let length = if random.below(2) == 0 { 4096 } else { 24 };
            let place = page * 4096 + random.below(length);
            cases.push((place, u8::try_from(random.below(256)).unwrap()));
        }
    }
    cases.retain(|(place, byte)| whole[*place] != *byte);
    let cases = some(cases);
    let found = AtomicUsize::new(0);
    each(&cases, 3, |(place, byte)| {
        let case = format!("byte {place} = {byte}");
        let directory = in_memory();
        let file = directory.path().join(FILE);
        let mut bytes = whole.clone();
        bytes[*place] = *byte;
        std::fs::write(&file, &bytes).unwrap();
        let open = || Catalog::open(directory.path(), Some("gazette.example"), now);
        match open().and_then(|catalog| catalog.check(now)) {
            // A version number like that of the next program.
            Err(error) if (60..64).contains(place) && error.to_string().contains("start the newer program") => return,
            Err(error) => {
                assert!(error.is_damage(), "{case}: {error}");
                found.fetch_add(1, Ordering::Relaxed);
            }
            Ok(()) => {}
        }
        let aside = directory.path().join("aside.sqlite");
        std::fs::rename(&file, &aside).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(directory.path().join(format!("{FILE}{suffix}")));
        }
        let mut catalog = open().unwrap();
        catalog.salvage(&aside, now).unwrap_or_else(|error| panic!("{case}: {error}"));
    });
    let found = found.into_inner();
    assert!(found * 6 > cases.len(), "too few wrong bytes were found: {found} of {}", cases.len());
}

#[test]
fn an_index_that_differs_from_its_table_is_found() {
    let base = Base::new();
    let whole = std::fs::read(base.site.state().join(FILE)).unwrap();
    let now = Utc::now();
    let connection = Connection::open(base.site.state().join(FILE)).unwrap();
    let mut statement = connection
        .prepare("SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
        .unwrap();
    let indexes = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap);
    let indexes: Vec<(String, String)> = indexes.collect();
    assert!(indexes.len() > 10, "{indexes:?}");
    let found = AtomicUsize::new(0);
    each(&indexes, 3, |(index, table)| {
        let directory = in_memory();
        let file = directory.path().join(FILE);
        std::fs::write(&file, &whole).unwrap();
        // The rows change while the index has no name.
        let connection = Connection::open(&file).unwrap();
        let sql = "SELECT sql, rootpage FROM sqlite_schema WHERE name = ?1";
        let (definition, root): (String, i64) =
            connection.query_row(sql, [index], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        connection.execute_batch("PRAGMA writable_schema = on; PRAGMA foreign_keys = off").unwrap();
        connection.execute("DELETE FROM sqlite_schema WHERE name = ?1", [index]).unwrap();
        connection.close().unwrap();
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = off; PRAGMA writable_schema = on").unwrap();
        let sql = format!("UPDATE {table} SET number = number + 1000");
        let is_numbered = connection.execute(&sql, []).is_ok();
        let insert = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('index', ?1, ?2, ?3, ?4)";
        connection.execute(insert, rusqlite::params![index, table, root, definition]).unwrap();
        connection.close().unwrap();
        if !is_numbered {
            return;
        }
        let checked =
            Catalog::open(directory.path(), Some("gazette.example"), now).and_then(|catalog| catalog.check(now));
        let error = checked.expect_err(index);
        assert!(error.is_damage(), "{index}: {error}");
        found.fetch_add(1, Ordering::Relaxed);
    });
    assert!(found.into_inner() > 5);
}

#[test]
fn folders_and_special_files_in_the_state_directory_stop_no_start() {
    let mut site = Site::new();
    site.may_be_damaged();
    site.write("one.md", "# One\n\nText");
    site.start();
    let mut before = items(&site);
    site.stop();
    for name in [FILE, "catalog.sqlite-wal", "catalog.sqlite-shm", "identities.log", "recovered", "namespace", "fence"]
    {
        for is_folder in [true, false] {
            let path = site.state().join(name);
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
            if is_folder {
                std::fs::create_dir_all(path.join("inside")).unwrap();
            } else {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
            }
            site.start();
            let after = items(&site);
            assert!(
                before.iter().all(|(title, item)| after.get(title) == Some(item)),
                "{name}, folder: {is_folder}: {after:?}"
            );
            let title = format!("New {}", after.len());
            site.write(&format!("new-{}.md", after.len()), format!("# {title}\n\nText"));
            site.wait_until(name, |site| site.titles().contains(&title));
            before = items(&site);
            site.stop();
        }
    }
}
