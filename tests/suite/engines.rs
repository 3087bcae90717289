//! The engines that store the log of replicas: all make the same promises.

#[cfg(feature = "object-storage")]
pub mod bucket;
#[cfg(any(feature = "postgres", feature = "object-storage"))]
mod certificate;
#[cfg(any(feature = "postgres", feature = "object-storage"))]
pub mod cut;
#[cfg(feature = "postgres")]
pub mod database;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use gazetted::replicas::memory::MemoryLog;
use gazetted::replicas::{Appended, LogResult, ReplicaLog, open};

use crate::waiting::PATIENCE;

/// Opens one more handle to one log.
type Open = Box<dyn Fn() -> Box<dyn ReplicaLog> + Sync>;

/// A check, which needs an empty log.
type Check = fn(&Open);

/// The promises of an engine.
const PROMISES: [(&str, Check); 7] = [
    ("what_is_missing", what_is_missing_is_no_error),
    ("one_creator", one_of_many_creates_a_record),
    ("sizes", a_record_is_read_as_it_was_written),
    ("bases", a_copy_of_the_catalog_is_read_as_it_was_written),
    ("rival_bases", of_two_copies_with_one_number_either_stays),
    ("trim", a_trimmed_number_is_not_used_again),
    ("wait", waiting_ends_with_the_record_or_the_timeout),
];

/// Checks all promises of an engine, which makes empty logs by name.
fn check(empty: impl Fn(&str) -> Open) {
    for (name, promise) in PROMISES {
        eprintln!("{name}");
        promise(&empty(name));
    }
}

fn what_is_missing_is_no_error(open: &Open) {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, file) = (open(), folder.path().join("copy"));
    assert_eq!(log.read(1).unwrap(), None);
    assert_eq!(log.newest_base().unwrap(), None);
    assert!(!log.read_base(1, &file).unwrap());
    log.trim(0).unwrap();
    assert!(log.append(1, b"").is_err(), "a record has content");
    assert_eq!(log.append(1, b"first").unwrap(), Appended::Created);
}

fn one_of_many_creates_a_record(open: &Open) {
    const NODES: usize = 8;
    const RECORDS: u64 = 12;
    let start = Barrier::new(NODES);
    let attempt = |node: usize| {
        let mut log = open();
        let outcome = |number| {
            start.wait();
            (number, node, log.append(number, format!("{node} {number}").as_bytes()).unwrap())
        };
        (1..=RECORDS).map(outcome).collect::<Vec<_>>()
    };
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..NODES).map(|node| scope.spawn(move || attempt(node))).collect();
        nodes.into_iter().flat_map(|node| node.join().unwrap()).collect()
    });
    let created = outcomes.iter().filter(|(_, _, outcome)| *outcome == Appended::Created);
    let creators: BTreeMap<u64, usize> = created.clone().map(|(number, node, _)| (*number, *node)).collect();
    assert_eq!((created.count() as u64, creators.len() as u64), (RECORDS, RECORDS), "{outcomes:?}");
    let mut log = open();
    for (number, node) in creators {
        assert_eq!(log.read(number).unwrap().unwrap(), format!("{node} {number}").as_bytes());
    }
}

fn a_record_is_read_as_it_was_written(open: &Open) {
    let mut log = open();
    for (number, size) in (1..).zip([1, 1 << 20, (3 << 20) + 1]) {
        let record: Vec<u8> = (0..251).cycle().take(size).collect();
        assert_eq!(log.append(number, &record).unwrap(), Appended::Created);
        assert!(open().read(number).unwrap() == Some(record), "{size} bytes");
    }
}

/// A file in `folder` with bytes that `seed` determines.
fn base(folder: &Path, seed: u8, size: usize) -> (std::path::PathBuf, Vec<u8>) {
    let bytes: Vec<u8> = (0..241).map(|byte| byte ^ seed).cycle().take(size).collect();
    let file = folder.join(seed.to_string());
    std::fs::write(&file, &bytes).unwrap();
    (file, bytes)
}

fn a_copy_of_the_catalog_is_read_as_it_was_written(open: &Open) {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, mut other) = (open(), open());
    // More than one part for every engine.
    for (number, size) in [(4, (17 << 20) + 1), (9, 1 << 20), (7, 0)] {
        let (file, bytes) = base(folder.path(), 1, size);
        log.write_base(number, &file).unwrap();
        let copy = folder.path().join("copy");
        assert!(other.read_base(number, &copy).unwrap());
        assert!(std::fs::read(&copy).unwrap() == bytes, "{size} bytes");
    }
    assert_eq!(other.newest_base().unwrap(), Some(9));
}

fn of_two_copies_with_one_number_either_stays(open: &Open) {
    let folder = tempfile::tempdir().unwrap();
    let bases = [1, 2].map(|seed| base(folder.path(), seed, 3 << 20));
    std::thread::scope(|scope| {
        for (file, _) in &bases {
            scope.spawn(move || open().write_base(1, file).unwrap());
        }
    });
    let copy = folder.path().join("copy");
    assert!(open().read_base(1, &copy).unwrap());
    let copied = std::fs::read(&copy).unwrap();
    assert!(bases.iter().any(|(_, bytes)| *bytes == copied), "the copy is a mixture of both");
}

fn a_trimmed_number_is_not_used_again(open: &Open) {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = base(folder.path(), 1, 100);
    let (mut log, mut late) = (open(), open());
    for number in 1..=40 {
        assert_eq!(log.append(number, &[1]).unwrap(), Appended::Created);
    }
    for number in [10, 20, 30] {
        log.write_base(number, &file).unwrap();
    }
    for last in [20, 20, 30] {
        log.trim(last).unwrap();
        let kept: Vec<u64> = (1..=40).filter(|number| log.read(*number).unwrap().is_some()).collect();
        assert_eq!(kept, (last + 1..=40).collect::<Vec<_>>());
        // A node that was away must not continue where the others no longer look.
        assert_eq!(late.append(last - 1, &[2]).unwrap(), Appended::Exists);
        assert_eq!(late.read(last - 1).unwrap(), None);
    }
    assert_eq!(log.newest_base().unwrap(), Some(30));
    assert!(!log.read_base(20, &folder.path().join("copy")).unwrap());
    assert!(log.read_base(30, &folder.path().join("copy")).unwrap());
    assert_eq!(log.append(41, &[1]).unwrap(), Appended::Created);
}

fn waiting_ends_with_the_record_or_the_timeout(open: &Open) {
    let mut log = open();
    log.wait(1, Duration::ZERO).unwrap();
    log.wait(1, Duration::from_millis(20)).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut log = open();
            // A hint: it may come early.
            while log.read(1).unwrap().is_none() {
                log.wait(1, PATIENCE).unwrap();
            }
        });
        log.append(1, b"awaited").unwrap();
        waiting.join().unwrap();
    });
    log.wait(1, PATIENCE).unwrap();
}

/// Creates each number as often as it is asked to.
#[derive(Debug)]
struct CarelessLog(MemoryLog);

impl ReplicaLog for CarelessLog {
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended> {
        self.0.append(number, record).map(|_| Appended::Created)
    }

    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>> {
        self.0.read(number)
    }

    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()> {
        self.0.write_base(number, file)
    }

    fn newest_base(&mut self) -> LogResult<Option<u64>> {
        self.0.newest_base()
    }

    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool> {
        self.0.read_base(number, file)
    }

    fn trim(&mut self, number: u64) -> LogResult<()> {
        self.0.trim(number)
    }

    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()> {
        self.0.wait(number, timeout)
    }

    fn place(&self) -> String {
        self.0.place()
    }
}

#[test]
fn a_log_that_creates_a_number_twice_is_detected() {
    for promise in [one_of_many_creates_a_record, a_trimmed_number_is_not_used_again] {
        let log = MemoryLog::default();
        let open: Open = Box::new(move || Box::new(CarelessLog(log.clone())));
        assert!(catch_unwind(AssertUnwindSafe(|| promise(&open))).is_err());
    }
}

#[test]
fn a_log_in_memory_keeps_the_promises() {
    check(|_| {
        let log = MemoryLog::default();
        Box::new(move || Box::new(log.clone()))
    });
}

#[test]
fn a_log_in_a_shared_folder_keeps_the_promises() {
    let folder = tempfile::tempdir().unwrap();
    check(|name| {
        let root = folder.path().join(name);
        std::fs::create_dir(&root).unwrap();
        Box::new(move || open(root.to_str().unwrap()).unwrap())
    });
    assert!(folder.path().join("one_creator/unfinished").read_dir().unwrap().next().is_none(), "files were left");
}

#[cfg(feature = "postgres")]
#[test]
fn a_log_in_postgresql_keeps_the_promises() {
    let Some(database) = database::Database::start() else { return };
    check(|name| {
        let address = database.address(&format!("table=public.{name}"));
        Box::new(move || open(&address).unwrap())
    });
    database.check_unfinished_bases();
    database.check_encryption();
    cut::check(
        |port| {
            let address = database::address_at(port.unwrap_or(database.port), "table=cut");
            open(&address).unwrap()
        },
        database.port,
    );
    database.check_restart_and_stop();
}

#[cfg(feature = "object-storage")]
#[test]
fn a_log_in_object_storage_keeps_the_promises() {
    let Some(service) = bucket::Service::start() else { return };
    check(|name| {
        let (port, name) = (service.port, name.to_owned());
        Box::new(move || bucket::log(port, &name))
    });
    cut::check(|port| bucket::log(port.unwrap_or(service.port), "cut"), service.port);
    service.check_stop();
    bucket::check_encryption();
}

#[cfg(feature = "object-storage")]
#[test]
fn a_service_that_would_overwrite_records_is_refused() {
    bucket::check_refusal_of_overwriting();
}
