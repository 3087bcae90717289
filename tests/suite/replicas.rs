//! Several daemons with one log: they serve the same bytes with the same validators, whatever happens to one of them.
//!
//! `GAZETTED_REPLICA_ROUNDS=50 cargo test --features postgres --test suite replicas::nodes_may` is the long form of the test under load.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::tools::{AtEnd, Program, ask, free_port};
use crate::waiting::wait_or_explain;

/// Nodes that are stopped and killed in the test under load, in turn.
const ROUNDS: usize = 3;

/// The documents that are compared.
const PATHS: [&str; 9] = [
    "/atom.xml",
    "/rss.xml",
    "/feed.json",
    "/",
    "/articles/first",
    "/articles/first.md",
    "/tags/sea/",
    "/tags/sea/atom.xml",
    "/feeds.opml",
];

/// Nodes of a site, each with its own state directory.
struct Cluster {
    home: TempDir,
    /// Address of the log.
    log: String,
    nodes: BTreeMap<&'static str, Program>,
}

impl Cluster {
    /// Makes the folder of articles and that of the log. No node runs yet.
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("log")).unwrap();
        fs::create_dir(home.path().join("articles")).unwrap();
        let log = home.path().join("log").display().to_string();
        let cluster = Self { home, log, nodes: BTreeMap::new() };
        cluster.write("first.md", "---\ntags: [sea]\n---\n# First\n\nThe first text.");
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        write_whole(&self.path("articles").join(name), text);
    }

    /// Starts a node over the shared folder of articles.
    fn start(&mut self, node: &'static str) {
        let articles = self.path("articles");
        self.start_over(node, &articles);
    }

    fn start_over(&mut self, node: &'static str, articles: &Path) {
        let config = self.path(&format!("{node}.toml"));
        let log = &self.log;
        let admin = free_port();
        let text = format!(
            "[site]\nbase_url = \"https://x.example\"\n[replicas]\nlog = {log:?}\nnode = \"{node}\"\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n"
        );
        fs::write(&config, text).unwrap();
        fs::write(self.path(&format!("{node}.admin")), format!("127.0.0.1:{admin}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.env_remove("STATE_DIRECTORY").env_remove("NOTIFY_SOCKET");
        command.arg("serve").arg(articles).arg("--config").arg(&config).arg("--state").arg(self.path(node));
        command.args(["--listen", "127.0.0.1:0"]);
        self.nodes.insert(node, Program::start(&mut command));
    }

    /// Ends a node without a warning.
    fn kill(&mut self, node: &str) {
        drop(self.nodes.remove(node).unwrap());
    }

    fn admin(&self, node: &str, path: &str) -> String {
        ask(&fs::read_to_string(self.path(&format!("{node}.admin"))).unwrap(), path, "")
    }

    fn logs(&self) -> String {
        let log = |(name, node): (&&str, &Program)| format!("{name}:\n{}", node.log.lock().join("\n"));
        self.nodes.iter().map(log).collect::<Vec<_>>().join("\n")
    }

    /// Waits until the main feed of every node has a text, or has it no more.
    fn wait_until_all(&self, text: &str, is_there: bool) {
        let what = format!("the feed of every node {} {text:?}", if is_there { "has" } else { "lacks" });
        let holds = || self.nodes.values().all(|node| node.get("/atom.xml").contains(text) == is_there);
        wait_or_explain(&what, || holds().then_some(()), || self.logs());
    }

    /// Waits until all nodes answer every path with the same bytes and validators.
    fn wait_until_same(&self) {
        for path in PATHS {
            let answers = || -> Vec<String> { self.nodes.values().map(|node| essence(&node.get(path))).collect() };
            let same = || {
                let answers = answers();
                answers.iter().all(|answer| *answer == answers[0] && answer.starts_with("200 ")).then_some(())
            };
            wait_or_explain(&format!("all nodes serve the same {path}"), same, || {
                format!("{:#?}\n{}", answers(), self.logs())
            });
        }
    }
}

/// Writes a file under another name first, so that no reader finds half of it.
fn write_whole(file: &Path, text: &str) {
    let unfinished = file.with_extension("unfinished");
    fs::write(&unfinished, text).unwrap();
    fs::rename(unfinished, file).unwrap();
}

/// Status, validators and body of a response.
fn essence(response: &str) -> String {
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let field = |name: &str| {
        head.lines().find_map(|line| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name)))
    };
    let value = |name: &str| field(name).map_or("", |(_, value)| value);
    let status = head.split(' ').nth(1).unwrap();
    format!("{status} {} {}\n{body}", value("etag"), value("last-modified"))
}

#[test]
fn nodes_serve_the_same_bytes_and_validators() {
    let mut cluster = Cluster::new();
    cluster.start("one");
    cluster.start("two");
    cluster.start("three");
    cluster.wait_until_same();
    cluster.write("second.md", "---\ntags: [sea]\n---\n# Second\n\nThe second text.");
    cluster.wait_until_all("The second text.", true);
    cluster.write("first.md", "---\ntags: [sea]\n---\n# First\n\nAnother first text.");
    cluster.wait_until_all("Another first text.", true);
    cluster.wait_until_same();
    let etag = cluster.nodes["one"].get("/atom.xml");
    assert!(essence(&etag).split(' ').nth(1).unwrap().contains('-'), "{etag}");

    // A node that dies and one that is new have the same ids, dates and bytes.
    cluster.kill("two");
    cluster.write("third.md", "# Third\n\nThe third text.");
    fs::rename(cluster.path("articles/second.md"), cluster.path("articles/renamed.md")).unwrap();
    cluster.wait_until_all("The third text.", true);
    cluster.start("two");
    cluster.start("four");
    cluster.wait_until_all("The third text.", true);
    cluster.wait_until_same();
    fs::remove_file(cluster.path("articles/third.md")).unwrap();
    cluster.wait_until_all("The third text.", false);
    cluster.wait_until_same();
    let ready = cluster.admin("two", "/readyz");
    assert!(ready.contains("ready: node two, record ") && ready.contains("the shared folder"), "{ready}");
    assert!(cluster.admin("two", "/status.json").contains("\"node\": \"two\""));
    let metrics = cluster.admin("two", "/metrics");
    let record = metrics.lines().find_map(|line| line.strip_prefix("gazetted_log_record "));
    assert!(record.is_some_and(|number| number.parse::<u64>().unwrap() > 3), "{metrics}");
}

#[test]
fn without_its_log_a_node_serves_and_the_folder_is_the_queue() {
    let mut cluster = Cluster::new();
    cluster.start("one");
    cluster.start("two");
    cluster.wait_until_same();
    fs::rename(cluster.path("log"), cluster.path("away")).unwrap();
    cluster.write("second.md", "# Second\n\nThe second text.");
    wait_or_explain(
        "every node says that its log is away",
        || {
            let says = |node: &str| cluster.admin(node, "/readyz").contains("nothing new is published: the log");
            ["one", "two"].into_iter().any(says).then_some(())
        },
        || cluster.logs(),
    );
    assert!(cluster.nodes["one"].get("/atom.xml").contains("The first text."));
    // A node that starts meanwhile serves its last version.
    cluster.kill("two");
    cluster.start("two");
    assert!(cluster.nodes["two"].get("/atom.xml").contains("The first text."));
    assert!(!cluster.nodes["two"].get("/atom.xml").contains("The second text."));
    fs::rename(cluster.path("away"), cluster.path("log")).unwrap();
    cluster.wait_until_all("The second text.", true);
    cluster.wait_until_same();
    assert!(!cluster.admin("one", "/readyz").contains("nothing new"));
}

#[test]
fn a_copy_of_the_folder_that_lags_takes_nothing_back() {
    let mut cluster = Cluster::new();
    let copy = cluster.path("copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(cluster.path("articles/first.md"), copy.join("first.md")).unwrap();
    write_whole(&copy.join("kept.md"), "# Kept\n\nThe kept text.");
    cluster.write("kept.md", "# Kept\n\nThe kept text.");
    cluster.start("one");
    cluster.start_over("two", &copy);
    cluster.wait_until_same();
    cluster.write("first.md", "---\ntags: [sea]\n---\n# First\n\nA newer first text.");
    cluster.write("second.md", "# Second\n\nThe second text.");
    cluster.wait_until_all("A newer first text.", true);
    cluster.wait_until_all("The second text.", true);
    // Neither its old text nor a missing file counts, also after it has compared its whole folder at a start.
    cluster.kill("two");
    cluster.start_over("two", &copy);
    write_whole(&copy.join("third.md"), "# Third\n\nThe third text.");
    cluster.wait_until_all("The third text.", true);
    cluster.wait_until_all("A newer first text.", true);
    cluster.wait_until_all("The second text.", true);
    // It catches up, and then its changes count again.
    fs::copy(cluster.path("articles/first.md"), copy.join("first.md")).unwrap();
    fs::copy(cluster.path("articles/second.md"), copy.join("second.md")).unwrap();
    write_whole(&copy.join("first.md"), "---\ntags: [sea]\n---\n# First\n\nThe newest first text.");
    cluster.wait_until_all("The newest first text.", true);
    // What one node has never seen is not deleted by it; what it has seen is.
    fs::remove_file(copy.join("kept.md")).unwrap();
    cluster.wait_until_all("The kept text.", false);
    cluster.wait_until_all("The third text.", true);
    cluster.wait_until_same();
}

#[test]
fn another_log_is_refused_and_the_last_version_stays() {
    let mut cluster = Cluster::new();
    cluster.start("one");
    cluster.kill("one");
    fs::rename(cluster.path("log"), cluster.path("first log")).unwrap();
    fs::create_dir(cluster.path("log")).unwrap();
    cluster.start("two");
    cluster.write("second.md", "# Second\n\nThe second text.");
    cluster.wait_until_all("The second text.", true);
    cluster.start("one");
    let ready = cluster.admin("one", "/readyz");
    assert!(ready.contains("nothing new is published: the log of the replicas is refused"), "{ready}");
    assert!(cluster.nodes["one"].get("/atom.xml").contains("The first text."));
    assert!(!cluster.nodes["one"].get("/atom.xml").contains("The second text."));
}

/// A client behind a proxy that asks the nodes in turn, and the next one if a node does not answer.
struct Reader {
    addresses: Arc<Mutex<Vec<String>>>,
    turn: usize,
    etag: String,
}

impl Reader {
    /// Asks for the main feed. Panics if no node answers, or if the answer is older than the one before.
    fn poll(&mut self) {
        for _ in 0..20 {
            self.turn += 1;
            let address = {
                let addresses = self.addresses.lock().unwrap();
                addresses[self.turn % addresses.len()].clone()
            };
            if let Some(response) = request(&address, &self.etag) {
                self.check(&response);
                return;
            }
        }
        panic!("no node answers");
    }

    fn check(&mut self, response: &str) {
        let head = response.split("\r\n\r\n").next().unwrap();
        let status = head.split(' ').nth(1).unwrap();
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_default();
        let second =
            |etag: &str| i64::from_str_radix(etag.trim_matches('"').split('-').next().unwrap(), 16).unwrap_or(0);
        assert!(["200", "304"].contains(&status), "{head}");
        assert!(second(etag) >= second(&self.etag), "an older version after a newer one: {} {etag}", self.etag);
        etag.clone_into(&mut self.etag);
    }
}

/// A response with its header; `None` if the node does not answer completely in time.
fn request(address: &str, etag: &str) -> Option<String> {
    let time = Some(Duration::from_secs(2));
    let mut stream = TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(time).ok()?;
    let condition = if etag.is_empty() { String::new() } else { format!("If-None-Match: {etag}\r\n") };
    write!(stream, "GET /atom.xml HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\n{condition}\r\n").ok()?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).ok()?;
    let response = String::from_utf8(response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    (head.contains(" 304 ") || length == Some(body.len())).then_some(response)
}

/// Stops and kills nodes while files are written and readers poll.
fn survive(mut cluster: Cluster) {
    const NODES: [&str; 3] = ["one", "two", "three"];
    let rounds = std::env::var("GAZETTED_REPLICA_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    for node in NODES {
        cluster.start(node);
    }
    cluster.wait_until_same();
    let addresses = |cluster: &Cluster| cluster.nodes.values().map(|node| node.address.clone()).collect::<Vec<_>>();
    let shared = Arc::new(Mutex::new(addresses(&cluster)));
    let (is_over, polls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|turn| {
            let (is_over, polls, addresses) = (is_over.clone(), polls.clone(), shared.clone());
            std::thread::spawn(move || {
                let mut reader = Reader { addresses, turn, etag: String::new() };
                while !is_over.load(Ordering::Relaxed) {
                    reader.poll();
                    polls.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let end = AtEnd(&is_over);
    let mut written = 0;
    for round in 0..rounds.unwrap_or(ROUNDS) {
        let (stopped, killed) = (NODES[round % 3], NODES[(round + 1) % 3]);
        cluster.nodes[stopped].signal(Signal::STOP);
        cluster.kill(killed);
        *shared.lock().unwrap() = addresses(&cluster);
        written += 1;
        cluster.write(&format!("w{written}.md"), &format!("# Written {written}.\n\nText {written}."));
        let running = &cluster.nodes[NODES[(round + 2) % 3]];
        let text = format!(">Written {written}.<");
        wait_or_explain(
            "the last node publishes",
            || running.get("/atom.xml").contains(&text).then_some(()),
            || cluster.logs(),
        );
        cluster.nodes[stopped].signal(Signal::CONT);
        cluster.start(killed);
        *shared.lock().unwrap() = addresses(&cluster);
        cluster.wait_until_all(&text, true);
    }
    drop(end);
    for reader in readers {
        reader.join().unwrap();
    }
    assert!(polls.load(Ordering::Relaxed) > 20);
    cluster.wait_until_same();
    let feed = cluster.nodes["one"].get("/atom.xml");
    let mut ids: Vec<&str> = feed.split("<id>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((count, ids.len()), (written + 2, written + 2), "each article once, and the feed");
}

#[test]
fn nodes_may_be_stopped_and_killed_under_load() {
    survive(Cluster::new());
}

#[cfg(feature = "postgres")]
#[test]
fn nodes_may_be_stopped_and_killed_under_load_with_a_database() {
    let Some(database) = crate::engines::database::Database::start() else { return };
    let mut cluster = Cluster::new();
    cluster.log = database.address("table=load");
    survive(cluster);
}
