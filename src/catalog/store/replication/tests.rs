//! A deterministic simulation of three nodes with one log, which loses answers, goes away and outlives nodes that crash.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use tempfile::TempDir;

use super::session::CaughtUp;
use super::{Joined, join};
use crate::article::Article;
use crate::catalog::store::check::PASSES;
use crate::catalog::store::replicated_tables::{LOCAL_COLUMNS, LOCAL_KEYS, LOCAL_PREFIXES, TABLES, Table};
use crate::catalog::store::{Catalog, CatalogError, Result};
use crate::catalog::{Arrival, Decision, Extent};
use crate::folder::Stat;
use crate::model::collection::ArticleState;
use crate::model::entry::Content;
use crate::model::moment::Version;
use crate::model::section::{SectionAbout, SectionRecord};
use crate::replicas::memory::MemoryLog;
use crate::replicas::{Appended, LogError, LogResult, ReplicaLog};

/// Number of schedules in each test run; `GAZETTED_SCHEDULES=10000 cargo test --lib replication` runs more.
const SCHEDULES: u64 = 160;

/// Threads that run schedules of their own.
const THREADS: u64 = 2;

/// Schedules that follow each other in one cluster, whose history grows.
const SCHEDULES_PER_CLUSTER: u64 = 20;

/// Events in one schedule.
const EVENTS: usize = 10;

/// Files that writers change.
const NAMES: [&str; 6] = ["a.md", "b.md", "c.md", "folder/a.md", "folder/d.md", "e.md"];

/// Numbers that look random and are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        number ^ (number >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// What befalls the next calls of a node's log.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    is_away: bool,
    /// The next append takes effect, and its answer is lost.
    loses_answer: bool,
}

/// A node's connection to the log.
#[derive(Debug)]
struct FaultyLog {
    log: MemoryLog,
    faults: std::sync::Arc<std::sync::Mutex<Faults>>,
    /// The control: a record can be replaced by another one.
    is_exclusive: bool,
    replaced: std::sync::Arc<std::sync::Mutex<BTreeMap<u64, Vec<u8>>>>,
}

impl FaultyLog {
    fn check(&self) -> LogResult<()> {
        if self.faults.lock().unwrap().is_away { Err(LogError("away".to_owned())) } else { Ok(()) }
    }
}

impl ReplicaLog for FaultyLog {
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended> {
        self.check()?;
        let appended = if self.is_exclusive {
            self.log.append(number, record)?
        } else {
            self.replaced.lock().unwrap().insert(number, record.to_vec());
            self.log.append(number, record)?;
            Appended::Created
        };
        let is_lost = std::mem::take(&mut self.faults.lock().unwrap().loses_answer);
        if is_lost { Err(LogError("the answer was lost".to_owned())) } else { Ok(appended) }
    }

    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>> {
        self.check()?;
        let replaced = self.replaced.lock().unwrap().get(&number).cloned();
        if replaced.is_some() { Ok(replaced) } else { self.log.read(number) }
    }

    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()> {
        self.check()?;
        self.log.write_base(number, file)
    }

    fn newest_base(&mut self) -> LogResult<Option<u64>> {
        self.check()?;
        self.log.newest_base()
    }

    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool> {
        self.check()?;
        self.log.read_base(number, file)
    }

    fn trim(&mut self, number: u64) -> LogResult<()> {
        self.check()?;
        self.log.trim(number)
    }

    fn wait(&mut self, _: u64, _: Duration) -> LogResult<()> {
        Ok(())
    }

    fn place(&self) -> String {
        self.log.place()
    }
}

/// The files of a folder: their names and texts.
type Files = BTreeMap<String, String>;

/// A node with its own copy of the folder.
struct Node {
    name: String,
    directory: TempDir,
    catalog: Option<Catalog>,
    faults: std::sync::Arc<std::sync::Mutex<Faults>>,
    files: Files,
}

impl Node {
    /// What the node has of a file.
    fn describe(&self, name: &str) -> String {
        let connection = &self.catalog.as_ref().unwrap().connection;
        let sql = "SELECT count(*) FROM behind WHERE path = ?1";
        let behind: i64 = connection.query_row(sql, [name.as_bytes()], |row| row.get(0)).unwrap();
        let sql = "
            SELECT group_concat(title || ' state ' || state || ' inode ' || inode) FROM (SELECT state, inode,
            json_extract(entry, '$.title') AS title FROM article JOIN content USING (number) WHERE path = ?1)";
        let articles: Option<String> = connection.query_row(sql, [name.as_bytes()], |row| row.get(0)).unwrap();
        format!("{} has {:?}, behind {behind}, articles {articles:?}", self.name, self.files.get(name))
    }
}

/// Three nodes, the log, and the folder as its writers have it.
struct Cluster {
    nodes: Vec<Node>,
    log: MemoryLog,
    replaced: std::sync::Arc<std::sync::Mutex<BTreeMap<u64, Vec<u8>>>>,
    is_exclusive: bool,
    /// The newest state of the folder.
    files: Files,
    clock: i64,
    texts: u64,
}

fn stat_of(text: &str, name: &str) -> Stat {
    let inode = i64::from_le_bytes(blake3::hash(name.as_bytes()).as_bytes()[..8].try_into().unwrap()) | 1;
    Stat { size: i64::try_from(text.len()).unwrap(), mtime: 1, ctime: 1, inode, born: 1 }
}

fn date(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

impl Cluster {
    fn new(is_exclusive: bool) -> Self {
        let log = MemoryLog::default();
        let replaced = std::sync::Arc::default();
        let node = |name: &str| Node {
            name: name.to_owned(),
            directory: in_memory(),
            catalog: None,
            faults: std::sync::Arc::default(),
            files: Files::new(),
        };
        let nodes = ["one", "two", "three"].map(node).into();
        Self { nodes, log, replaced, is_exclusive, files: Files::new(), clock: 1_700_000_000, texts: 0 }
    }

    fn version(&mut self) -> Version {
        self.clock += 1;
        Version::at(date(self.clock))
    }

    /// Starts a node, unless it is running. The first one begins the log.
    fn start(&mut self, index: usize) -> Result<()> {
        let node = &mut self.nodes[index];
        if node.catalog.is_some() {
            return Ok(());
        }
        let mut log = FaultyLog {
            log: self.log.clone(),
            faults: node.faults.clone(),
            is_exclusive: self.is_exclusive,
            replaced: self.replaced.clone(),
        };
        let joined = join(node.directory.path(), &mut log)?;
        let mut catalog = Catalog::open(node.directory.path(), Some("x.example"), date(self.clock))?;
        catalog.replicate(Box::new(log), &node.name, [0; 32])?;
        if joined == Joined::Founding && !catalog.found_log(node.directory.path())? {
            return Ok(());
        }
        catalog.write_base_if_due(node.directory.path(), true)?;
        node.catalog = Some(catalog);
        Ok(())
    }

    /// Has a node do something as the publisher does: after it was not first, it catches up and does it again.
    fn act(&mut self, index: usize, work: impl Fn(&mut Catalog, &Files, Version) -> Result<()>) -> Result<()> {
        let version = self.version();
        let node = &mut self.nodes[index];
        let Some(catalog) = &mut node.catalog else { return Ok(()) };
        // Often it has not heard of the newest records.
        let is_deaf = self.clock % 2 == 0;
        for attempt in 0..20 {
            let caught_up = if attempt == 0 && is_deaf { Ok(CaughtUp::Applied(0)) } else { catalog.catch_up() };
            let outcome = caught_up.and_then(|caught_up| {
                assert!(matches!(caught_up, CaughtUp::Applied(_)), "the log was not trimmed");
                let version = version.max(Version::at(catalog.meta_date("version")?.unwrap_or_default()).next());
                catalog.transaction(|catalog| work(catalog, &node.files, version))
            });
            match outcome {
                Err(CatalogError::Superseded) => {}
                outcome => return outcome,
            }
        }
        panic!("{} is never first", node.name);
    }

    /// Has a node look at files, and publish what has changed.
    fn look(&mut self, index: usize, names: &[&str]) -> Result<()> {
        self.act(index, |catalog, files, version| {
            names.iter().try_for_each(|name| look(catalog, files, name, version))?;
            publish(catalog, version)
        })
    }

    /// A writer changes the newest state of the folder.
    fn write(&mut self, random: &mut Random) -> String {
        let name = NAMES[random.below(NAMES.len())];
        self.texts += 1;
        match random.below(6) {
            0 => drop(self.files.remove(name)),
            // A former text again, or the text of another file.
            1 => {
                let text = format!("text {}", random.below(usize::try_from(self.texts).unwrap()));
                self.files.insert(name.to_owned(), text);
            }
            _ => drop(self.files.insert(name.to_owned(), format!("text {}", self.texts))),
        }
        name.to_owned()
    }

    /// A node's copy of the folder gets the newest state of some files, or of all.
    fn pull(&mut self, index: usize, only: Option<&str>) {
        let newest = self.files.clone();
        let files = &mut self.nodes[index].files;
        match only.map(|name| (name, newest.get(name))) {
            None => *files = newest,
            Some((name, Some(text))) => drop(files.insert(name.to_owned(), text.clone())),
            Some((name, None)) => drop(files.remove(name)),
        }
    }

    fn event(&mut self, random: &mut Random) -> Result<()> {
        let index = random.below(self.nodes.len());
        match random.below(16) {
            0 => self.nodes[index].catalog = None,
            1 => {
                let is_away = random.below(2) == 0;
                self.nodes[index].faults.lock().unwrap().is_away = is_away;
            }
            2 => self.nodes[index].faults.lock().unwrap().loses_answer = true,
            3 | 4 => self.pull(index, None),
            5 => {
                let name = NAMES[random.below(NAMES.len())];
                self.pull(index, Some(name));
            }
            6 => {
                // A state directory is lost; the node joins again.
                if random.below(8) == 0 {
                    (self.nodes[index].catalog, self.nodes[index].directory) = (None, in_memory());
                }
            }
            7 | 8 => {
                // It compares the whole folder.
                self.look(index, &NAMES).or_else(passing)?;
            }
            _ => {
                let name = self.write(random);
                for index in 0..self.nodes.len() {
                    if random.below(3) > 0 {
                        self.pull(index, Some(&name));
                        if random.below(2) == 0 {
                            self.look(index, &[&name]).or_else(passing)?;
                        }
                    }
                }
            }
        }
        if random.below(4) == 0 {
            self.start(index).or_else(passing)?;
        }
        Ok(())
    }

    /// All faults end, and all nodes look at the newest state until nothing changes.
    fn settle(&mut self) -> Result<()> {
        for index in 0..self.nodes.len() {
            *self.nodes[index].faults.lock().unwrap() = Faults::default();
            self.start(index)?;
            self.pull(index, None);
        }
        for _ in 0..2 {
            for index in 0..self.nodes.len() {
                self.look(index, &NAMES)?;
            }
        }
        for node in &mut self.nodes {
            node.catalog.as_mut().unwrap().catch_up()?;
        }
        Ok(())
    }

    /// Why the nodes do not agree, or have not published the folder as it is.
    fn disagreement(&self) -> Option<String> {
        let rows: Vec<_> = self.nodes.iter().map(|node| replicated_rows(node.catalog.as_ref().unwrap())).collect();
        for (index, other) in rows.iter().enumerate().skip(1) {
            for (table, rows) in &rows[0] {
                if other[table] != *rows {
                    let name = &self.nodes[index].name;
                    return Some(format!("{table} differs on {name}: {rows:?} {:?}", other[table]));
                }
            }
        }
        let catalog = self.nodes[0].catalog.as_ref().unwrap();
        for name in NAMES {
            let known = catalog.known(Path::new(name)).unwrap();
            let hash = self.files.get(name).map(|text| *blake3::hash(text.as_bytes()).as_bytes());
            let has_seen = |node: &Node| node.catalog.as_ref().unwrap().has_seen(Path::new(name)).unwrap();
            // An article stays as it is if no node has seen its file so: each may have a copy of the folder that lags.
            if known.is_some() && !self.nodes.iter().any(has_seen) {
                continue;
            }
            // Of files with the same text, one is published.
            let is_copy = self.files.iter().any(|(other, text)| other != name && self.files.get(name) == Some(text));
            if !is_copy && known.map(|known| known.file_hash) != hash {
                let nodes: Vec<String> = self.nodes.iter().map(|node| node.describe(name)).collect();
                return Some(format!("{name} is not published as it is: {:?}; {nodes:?}", self.files.get(name)));
            }
        }
        None
    }
}

/// A directory that no disk slows down, where there is one.
fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// The errors that the publisher waits out.
fn passing(error: CatalogError) -> Result<()> {
    if matches!(error, CatalogError::LogAway(_)) { Ok(()) } else { Err(error) }
}

/// What the ingest does with a file, in short.
fn look(catalog: &mut Catalog, files: &Files, name: &str, version: Version) -> Result<()> {
    let path = Path::new(name);
    let known = catalog.known(path)?;
    let Some(text) = files.get(name) else {
        catalog.note_level(path)?;
        if known.is_some() && catalog.has_seen(path)? {
            catalog.withdraw(path, ArticleState::Gone, version)?;
        }
        return Ok(());
    };
    let file_hash = *blake3::hash(text.as_bytes()).as_bytes();
    if catalog.is_behind(path, &file_hash)? {
        return Ok(());
    }
    catalog.note_level(path)?;
    let stat = stat_of(text, name);
    if known.is_some_and(|known| known.file_hash == file_hash) {
        return catalog.touch(path, stat);
    }
    let article = Article { title: text.clone(), slug_source: name.to_owned(), ..Article::default() };
    let arrival = Arrival {
        path,
        article: &article,
        terms: None,
        file_hash,
        entry_hash: file_hash,
        extent: Extent::Whole,
        stat,
        first_seen: version.date(),
        file_date: None,
        held_until: DateTime::UNIX_EPOCH,
        now: version.date(),
    };
    let Decision::Is(identity) = catalog.identify(&arrival, None, |_| false)? else { return Ok(()) };
    let tags = vec![format!("tag {}", file_hash[0] % 5), format!("tag {}", file_hash[1] % 9)];
    catalog.record(&identity, &arrival, &Content { title: text.clone(), tags, ..Content::default() }, version)?;
    catalog.set_meta("promised", &version.seconds().to_string())
}

/// What the publisher does for a version, in short.
fn publish(catalog: &mut Catalog, version: Version) -> Result<()> {
    let promised = catalog.meta_date("promised")?.unwrap_or_default();
    if promised <= catalog.meta_date("version")?.unwrap_or_default() {
        return Ok(());
    }
    let moment = crate::model::moment::Moment::of(version);
    catalog.apply_due(moment)?;
    let count = catalog.count()?;
    catalog.stamp("atom.xml", blake3::hash(&count.to_le_bytes()).as_bytes(), version)?;
    catalog.set_meta("version", &version.seconds().to_string())
}

/// All rows that are replicated, by table.
fn replicated_rows(catalog: &Catalog) -> BTreeMap<&'static str, Vec<Vec<Value>>> {
    let rows = |table: &Table| {
        let columns = Table::list(&table.columns, "");
        let sql = format!("SELECT {columns} FROM {} ORDER BY {columns}", table.name);
        let mut statement = catalog.connection.prepare(&sql).unwrap();
        let count = table.columns.len();
        let rows = statement.query_map([], |row| (0..count).map(|column| row.get(column)).collect()).unwrap();
        let is_local_key =
            |key: &str| LOCAL_KEYS.contains(&key) || LOCAL_PREFIXES.iter().any(|prefix| key.starts_with(prefix));
        let is_local =
            |row: &Vec<Value>| table.name == "meta" && matches!(&row[0], Value::Text(key) if is_local_key(key));
        rows.map(|row| row.unwrap()).filter(|row| !is_local(row)).collect()
    };
    Table::all(&catalog.connection).unwrap().iter().map(|table| (table.name, rows(table))).collect()
}

/// Runs schedules until the nodes disagree. Returns the number of schedules and records, and the disagreement.
fn simulate(is_exclusive: bool, schedules: Range<u64>) -> (u64, u64, Option<String>) {
    let mut records = 0;
    let mut cluster = Cluster::new(is_exclusive);
    for schedule in schedules.clone() {
        if schedule % SCHEDULES_PER_CLUSTER == 0 {
            cluster = Cluster::new(is_exclusive);
            cluster.start(0).unwrap();
        }
        let mut random = Random(schedule);
        for _ in 0..EVENTS {
            if let Err(error) = cluster.event(&mut random) {
                return (schedule, 0, Some(format!("schedule {schedule}: {error}")));
            }
        }
        let disagreement = match cluster.settle() {
            Ok(()) => cluster.disagreement(),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = disagreement {
            return (schedule, 0, Some(format!("schedule {schedule}: {why}")));
        }
        if schedule % SCHEDULES_PER_CLUSTER == SCHEDULES_PER_CLUSTER - 1 {
            let catalog = cluster.nodes[0].catalog.as_ref().unwrap();
            catalog.check(date(cluster.clock)).unwrap();
            records += catalog.record_number().unwrap();
        }
    }
    (schedules.end, records, None)
}

#[test]
fn nodes_agree_after_any_schedule() {
    let schedules = std::env::var("GAZETTED_SCHEDULES").ok().and_then(|number| number.parse().ok());
    let share = schedules.unwrap_or(SCHEDULES).div_ceil(THREADS * SCHEDULES_PER_CLUSTER) * SCHEDULES_PER_CLUSTER;
    let run = |thread: u64| std::thread::spawn(move || simulate(true, thread * share..(thread + 1) * share));
    let threads: Vec<_> = (0..THREADS).map(run).collect();
    for thread in threads {
        let (_, records, disagreement) = thread.join().unwrap();
        assert_eq!(disagreement, None);
        assert!(records > share, "only {records} records");
    }
}

#[test]
fn a_log_whose_creation_is_not_exclusive_is_found_out() {
    let (schedules, _, disagreement) = simulate(false, 0..1_000);
    assert!(disagreement.is_some(), "{schedules} schedules have shown nothing");
}

#[test]
fn only_rows_that_differ_are_recorded() {
    let mut cluster = Cluster::new(true);
    cluster.start(0).unwrap();
    cluster.files.insert("a.md".to_owned(), "text".to_owned());
    cluster.pull(0, None);
    cluster.look(0, &["a.md"]).unwrap();
    let catalog = cluster.nodes[0].catalog.as_mut().unwrap();
    let number = catalog.record_number().unwrap();
    let is_recorded = |catalog: &mut Catalog, work: &dyn Fn(&mut Catalog)| {
        let before = catalog.record_number().unwrap();
        catalog
            .transaction(|catalog| {
                work(catalog);
                Ok(())
            })
            .unwrap();
        catalog.record_number().unwrap() > before
    };
    let set =
        |key: &'static str, value: &'static str| move |catalog: &mut Catalog| catalog.set_meta(key, value).unwrap();
    assert!(is_recorded(catalog, &set("key", "one")));
    assert!(!is_recorded(catalog, &set("key", "one")), "the same value");
    assert!(!is_recorded(catalog, &set("mounts", "one")), "a fact of this node");
    let back = |catalog: &mut Catalog| {
        set("key", "two")(catalog);
        set("key", "one")(catalog);
    };
    assert!(!is_recorded(catalog, &back), "changed and changed back");
    let sql = |sql: &'static str| {
        move |catalog: &mut Catalog| {
            catalog.connection.execute(sql, []).unwrap();
        }
    };
    assert!(!is_recorded(catalog, &sql("UPDATE article SET size = 7, stale = 1")));
    assert!(!is_recorded(catalog, &sql("DELETE FROM meta WHERE key = 'none'")));
    assert!(is_recorded(catalog, &sql("UPDATE article SET weight = weight + 1")));
    assert_eq!(catalog.record_number().unwrap(), number + 2);
}

#[test]
fn a_node_that_lags_behind_the_removed_records_installs_the_catalog_again() {
    let mut cluster = Cluster::new(true);
    for index in 0..2 {
        cluster.start(index).unwrap();
        cluster.files.insert("a.md".to_owned(), format!("text {index}"));
        cluster.pull(0, None);
        cluster.look(0, &["a.md"]).unwrap();
    }
    let (first, second) = cluster.nodes.split_at_mut(1);
    let (directory, first) = (first[0].directory.path(), first[0].catalog.as_mut().unwrap());
    first.write_base(directory).unwrap();
    let number = first.record_number().unwrap();
    cluster.log.clone().trim(number).unwrap();
    // It has not heard of them, and would create a record with one of their numbers.
    let lagging = second[0].catalog.as_mut().unwrap();
    let set = |catalog: &mut Catalog| catalog.set_meta("key", "value");
    assert!(matches!(lagging.transaction(set), Err(CatalogError::Superseded)));
    assert_eq!(lagging.catch_up().unwrap(), CaughtUp::NeedsBase);
    second[0].catalog = None;
    cluster.start(1).unwrap();
    let installed = cluster.nodes[1].catalog.as_ref().unwrap();
    assert_eq!(installed.record_number(), Some(number));
    assert_eq!(replicated_rows(installed), replicated_rows(cluster.nodes[0].catalog.as_ref().unwrap()));
    assert!(!installed.has_seen(Path::new("a.md")).unwrap());
}

#[test]
fn a_description_of_a_copy_that_lags_takes_nothing_back() {
    let mut cluster = Cluster::new(true);
    cluster.start(0).unwrap();
    cluster.start(1).unwrap();
    let describe = |title: &'static str| {
        move |catalog: &mut Catalog, _: &Files, version: Version| {
            let about = SectionAbout { title: Some(title.to_owned()), ..SectionAbout::default() };
            let record = SectionRecord { path: "_index.md".to_owned(), about };
            let record = Some(&record).filter(|_| !title.is_empty());
            catalog.describe_section(None, record, version).map(drop)
        }
    };
    let title = |cluster: &mut Cluster, index: usize| {
        let catalog = cluster.nodes[index].catalog.as_mut().unwrap();
        catalog.catch_up().unwrap();
        catalog.about().unwrap().and_then(|about| about.title).unwrap_or_default()
    };
    cluster.act(0, describe("Old")).unwrap();
    cluster.act(1, describe("")).unwrap();
    assert_eq!(title(&mut cluster, 1), "Old", "a node that never had the file removes nothing");
    cluster.act(1, describe("Old")).unwrap();
    cluster.act(0, describe("New")).unwrap();
    cluster.act(1, describe("Old")).unwrap();
    assert_eq!((title(&mut cluster, 0), title(&mut cluster, 1)), ("New".to_owned(), "New".to_owned()));
    cluster.act(1, describe("New")).unwrap();
    cluster.act(1, describe("Old")).unwrap();
    assert_eq!(title(&mut cluster, 0), "Old", "its writer has changed it back");
    cluster.act(1, describe("")).unwrap();
    assert_eq!(title(&mut cluster, 0), "");
}

#[test]
fn every_table_and_column_is_replicated_or_a_fact_of_one_node() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(directory.path(), None, date(0)).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'behind'";
    let mut statement = catalog.connection.prepare(sql).unwrap();
    let mut names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
    names.sort();
    let mut replicated: Vec<&str> = TABLES.into();
    replicated.sort_unstable();
    assert_eq!(names, replicated);
    let mut checked: Vec<&str> = PASSES.iter().map(|pass| pass.table).filter(|table| *table != "behind").collect();
    checked.sort_unstable();
    checked.dedup();
    assert_eq!(checked, replicated);
    for table in Table::all(&catalog.connection).unwrap() {
        let local = LOCAL_COLUMNS.iter().find(|(name, _)| *name == table.name).map_or(0, |(_, columns)| columns.len());
        let sql = format!("SELECT count(*) FROM pragma_table_info('{}')", table.name);
        let all: i64 = catalog.connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(i64::try_from(table.columns.len() + local).unwrap(), all, "{}", table.name);
        assert!(!table.keys.is_empty(), "{}", table.name);
    }
}
