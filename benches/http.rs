//! Processor time of the server for each request, requests per second and latency, beside nginx (if it is installed) serving the
//! same bytes from files. Both have one core and wrk (if it is installed) another; they take turns, so that other load on the
//! machine affects both.
//!
//! `cargo bench --bench http -- --rounds 5 --seconds 3`

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

mod measure;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use measure::{Client, Server, argument, fill, machine, pinned};

/// Concurrent connections.
const CONNECTIONS: usize = 8;
/// Cores of the servers and of the client.
const CORES: (&str, &str) = ("0", "1");

/// Measurements of one server in one round.
#[derive(Clone, Copy)]
struct Seen {
    /// Microseconds of processor time for each request.
    cost: f64,
    per_second: f64,
    /// Latency in microseconds, median and 99th percentile; 0: not measured.
    p50: f64,
    p99: f64,
}

fn main() {
    let (rounds, seconds) = (argument("--rounds", 5), argument("--seconds", 3));
    let directory = tempfile::tempdir().expect("a folder for the run");
    let folder = directory.path().join("articles");
    std::fs::create_dir(&folder).expect("a folder can be made");
    // The feed has about 32 KB by gzip.
    fill(&folder, 60);
    let gazetted = Server::gazetted_on(CORES.0, &folder, &directory.path().join("state"));
    // Documents are compressed a moment after they are served.
    gazetted.settle();
    let mut client = Client::connect(&gazetted.address);
    client.get("/rss.xml", "");
    let plain = client.body().to_vec();
    client.get("/rss.xml", "Accept-Encoding: gzip\r\n");
    let compressed = client.body().to_vec();
    let nginx = nginx(directory.path(), &plain, &compressed);
    println!("{rounds} rounds of {seconds} s each with {CONNECTIONS} connections, {}", machine());
    println!("  the document: {} bytes, {} by gzip", plain.len(), compressed.len());
    if !has_wrk() {
        println!("  wrk is not installed: the built-in client measures no latency");
    }
    println!("  {:<14}{:<10}{:>12}{:>14}{:>10}{:>10}", "", "", "us of cpu", "requests/s", "p50 us", "p99 us");
    for (name, compressed, conditional) in
        [("304", true, true), ("200 gzip", true, false), ("200 identity", false, false)]
    {
        compare(name, &gazetted, nginx.as_ref(), (compressed, conditional), (rounds, seconds));
    }
    println!("  resident memory of gazetted: {} KiB", gazetted.resident());
}

/// Measures both in turn, and prints the median of each.
fn compare(name: &str, ours: &Server, theirs: Option<&Server>, asked: (bool, bool), length: (usize, usize)) {
    let (mut of_ours, mut of_theirs) = (Vec::new(), Vec::new());
    for _ in 0..length.0 {
        of_ours.push(round(ours, asked, length.1));
        of_theirs.extend(theirs.map(|nginx| round(nginx, asked, length.1)));
    }
    let ours = report(name, "gazetted", &of_ours);
    if let Some(theirs) = theirs.map(|_| report("", "nginx", &of_theirs)) {
        println!(
            "  {:<14}{:<10}{:>11.2}x{:>13.2}x",
            "",
            "ratio",
            ours.cost / theirs.cost,
            ours.per_second / theirs.per_second
        );
    }
}

fn report(name: &str, server: &str, rounds: &[Seen]) -> Seen {
    let median = |value: fn(&Seen) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (cost, per_second) = (median(|seen| seen.cost), median(|seen| seen.per_second));
    let (p50, p99) = (median(|seen| seen.p50), median(|seen| seen.p99));
    println!("  {name:<14}{server:<10}{cost:>12.2}{per_second:>14.0}{p50:>10.0}{p99:>10.0}");
    Seen { cost, per_second, p50, p99 }
}

/// Measures one server for one round.
fn round(server: &Server, (compressed, conditional): (bool, bool), seconds: usize) -> Seen {
    let coding = if compressed { "Accept-Encoding: gzip\r\n" } else { "" };
    let first = Client::connect(&server.address).get("/rss.xml", coding);
    let mut fields: Vec<String> = compressed.then(|| "Accept-Encoding: gzip".to_owned()).into_iter().collect();
    fields.extend(conditional.then(|| format!("If-None-Match: {}", first.etag)));
    let before = server.cpu();
    let (requests, per_second, p50, p99) = if has_wrk() {
        wrk(&server.address, &fields, seconds)
    } else {
        own(&server.address, &fields, if conditional { 304 } else { 200 }, seconds)
    };
    let cost = server.cpu().saturating_sub(before).as_secs_f64() * 1e6 / requests;
    Seen { cost, per_second, p50, p99 }
}

fn has_wrk() -> bool {
    ["/usr/bin/wrk", "/usr/local/bin/wrk"].iter().any(|path| Path::new(path).exists())
}

/// Requests, requests per second, and two latencies in microseconds, from the output of wrk.
fn wrk(address: &str, fields: &[String], seconds: usize) -> (f64, f64, f64, f64) {
    let mut command = pinned(CORES.1, "wrk");
    command.args(["-t1", "--latency", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}")]);
    for field in fields {
        command.args(["-H", field]);
    }
    let output = command.arg(format!("http://{address}/rss.xml")).output().expect("wrk runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Socket errors"), "{text}");
    let word = |line: &str, place: usize| {
        let found = text.lines().find(|found| found.contains(line)).unwrap_or_else(|| panic!("no {line} in {text}"));
        found.split_whitespace().nth(place).unwrap_or_default().to_owned()
    };
    let time = |text: String| {
        let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
        let (number, unit) =
            units.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size))).expect("a time");
        number.parse::<f64>().expect("a number") * unit
    };
    let number = |text: String| text.parse::<f64>().expect("a number");
    let (p50, p99) = (time(word("50%", 1)), time(word("99%", 1)));
    (number(word("requests in", 0)), number(word("Requests/sec", 1)), p50, p99)
}

/// Measures by the built-in client, without latencies.
fn own(address: &str, fields: &[String], expected: u16, seconds: usize) -> (f64, f64, f64, f64) {
    let fields: Arc<str> = fields.iter().flat_map(|field| [field.as_str(), "\r\n"]).collect::<String>().into();
    let time = Duration::from_secs(seconds as u64);
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, fields) = (address.to_owned(), fields.clone());
            thread::spawn(move || {
                let mut client = Client::connect(&address);
                let (start, mut count) = (Instant::now(), 0_usize);
                while start.elapsed() < time {
                    assert_eq!(client.get("/rss.xml", &fields).status, expected);
                    count += 1;
                }
                count
            })
        })
        .collect();
    let requests: usize = clients.into_iter().map(|client| client.join().expect("a client")).sum();
    (requests as f64, requests as f64 / seconds as f64, 0.0, 0.0)
}

/// nginx with the same bytes in files.
fn nginx(directory: &Path, plain: &[u8], compressed: &[u8]) -> Option<Server> {
    let root = directory.join("www");
    std::fs::create_dir(&root).expect("a folder can be made");
    std::fs::write(root.join("rss.xml"), plain).expect("a file can be written");
    std::fs::write(root.join("rss.xml.gz"), compressed).expect("a file can be written");
    measure::nginx(directory, 1024, CORES.0)
}
