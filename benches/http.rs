//! Processor time of the server for each request, requests per second and latency, beside nginx and Caddy (if they are installed)
//! serving the same bytes from files. Each has one core and wrk (if it is installed) another; they take turns, so that other load on
//! the machine affects all.
//!
//! `cargo bench --bench http -- --rounds 5 --seconds 3 --connections 8` (without `--connections`: 8, then 64)

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

mod measure;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use measure::{Client, Server, argument, fill, json, machine, middle, pinned, spread};

/// Numbers of concurrent connections.
const CONNECTIONS: [usize; 2] = [8, 64];
/// Cores of the servers and of the client.
const CORES: (&str, &str) = ("0", "1");

/// A kind of request.
#[derive(Clone, Copy)]
struct Asked {
    name: &'static str,
    /// Whether the client accepts gzip.
    compressed: bool,
    /// Whether it has the document already.
    conditional: bool,
}

const ASKED: [Asked; 3] = [
    Asked { name: "304", compressed: true, conditional: true },
    Asked { name: "200 gzip", compressed: true, conditional: false },
    Asked { name: "200 identity", compressed: false, conditional: false },
];

/// The length of a measurement.
#[derive(Clone, Copy)]
struct Length {
    rounds: usize,
    seconds: usize,
    connections: usize,
}

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
    let servers = servers(gazetted, directory.path(), &plain, &compressed);
    println!("{rounds} rounds of {seconds} s each, {}", machine());
    println!("  the document: {} bytes, {} by gzip", plain.len(), compressed.len());
    println!(
        "  nginx serves rss.xml, and rss.xml.gz by gzip_static and sendfile; caddy the same by file_server, precompressed gzip"
    );
    if !has_wrk() {
        println!("  wrk is not installed: the built-in client measures no latency");
    }
    let counts = match argument("--connections", 0) {
        0 => CONNECTIONS.to_vec(),
        count => vec![count],
    };
    for connections in counts {
        println!("{connections} connections; ratios are gazetted / peer in the same round: median, lowest..highest");
        println!(
            "  {:<14}{:<10}{:>12}{:>14}{:>10}{:>10}  ratios",
            "", "", "us of cpu", "requests/s", "p50 us", "p99 us"
        );
        for asked in ASKED {
            compare(asked, &servers, Length { rounds, seconds, connections });
        }
    }
    println!("  resident memory of gazetted: {} KiB", servers[0].1.resident());
    json::write("http");
}

/// Gazetted and its peers, which serve the same bytes from files.
fn servers(gazetted: Server, directory: &Path, plain: &[u8], compressed: &[u8]) -> Vec<(&'static str, Server)> {
    let root = directory.join("www");
    std::fs::create_dir(&root).expect("a folder can be made");
    std::fs::write(root.join("rss.xml"), plain).expect("a file can be written");
    std::fs::write(root.join("rss.xml.gz"), compressed).expect("a file can be written");
    let mut servers = vec![("gazetted", gazetted)];
    match measure::nginx(directory, 1024, CORES.0) {
        Some(nginx) => servers.push(("nginx", nginx)),
        None => println!("nginx is not installed"),
    }
    // It sends compressed files in chunks, which the built-in client cannot read.
    match measure::caddy(directory, CORES.0).filter(|_| has_wrk()) {
        Some(caddy) => servers.push(("caddy", caddy)),
        None => println!("caddy is not installed, or wrk is not"),
    }
    servers
}

/// Measures all servers in turn, and prints the median of each.
fn compare(asked: Asked, servers: &[(&'static str, Server)], length: Length) {
    let rounds: Vec<Vec<Seen>> =
        (0..length.rounds).map(|_| servers.iter().map(|(_, server)| round(server, asked, length)).collect()).collect();
    for (index, (server, _)) in servers.iter().enumerate() {
        let values = |value: fn(&Seen) -> f64| rounds.iter().map(move |round| value(&round[index]));
        let label = |what: &str| format!("{}, {} connections: {what}", asked.name, length.connections);
        json::record(label("processor"), server, "us", values(|seen| seen.cost));
        json::record(label("requests"), server, "1/s", values(|seen| seen.per_second));
        // Without wrk, no latency is measured.
        json::record(label("p50"), server, "us", values(|seen| seen.p50).filter(|latency| *latency > 0.0));
        json::record(label("p99"), server, "us", values(|seen| seen.p99).filter(|latency| *latency > 0.0));
        let name = if index == 0 { asked.name } else { "" };
        let median = |value: fn(&Seen) -> f64| middle(rounds.iter().map(|round| value(&round[index])));
        let (cost, per_second) = (median(|seen| seen.cost), median(|seen| seen.per_second));
        let (p50, p99) = (median(|seen| seen.p50), median(|seen| seen.p99));
        print!("  {name:<14}{server:<10}{cost:>12.2}{per_second:>14.0}{p50:>10.0}{p99:>10.0}");
        let ratio = |value: fn(&Seen) -> f64| {
            let ratios = || rounds.iter().map(move |round| value(&round[0]) / value(&round[index]));
            format!("{:.2} ({})", middle(ratios()), spread(ratios()))
        };
        if index > 0 {
            print!("  cpu {}, requests/s {}", ratio(|seen| seen.cost), ratio(|seen| seen.per_second));
        }
        println!();
    }
}

/// Measures one server for one round.
fn round(server: &Server, asked: Asked, length: Length) -> Seen {
    let Asked { compressed, conditional, .. } = asked;
    let coding = if compressed { "Accept-Encoding: gzip\r\n" } else { "" };
    let first = Client::connect(&server.address).get("/rss.xml", coding);
    let mut fields: Vec<String> = compressed.then(|| "Accept-Encoding: gzip".to_owned()).into_iter().collect();
    fields.extend(conditional.then(|| format!("If-None-Match: {}", first.etag)));
    let expected = if conditional { 304 } else { 200 };
    let lines: String = fields.iter().flat_map(|field| [field.as_str(), "\r\n"]).collect();
    assert_eq!(Client::connect(&server.address).get("/rss.xml", &lines).status, expected, "{lines}");
    let before = server.cpu();
    let (requests, per_second, p50, p99) =
        if has_wrk() { wrk(&server.address, &fields, length) } else { own(&server.address, &lines, expected, length) };
    let cost = server.cpu().saturating_sub(before).as_secs_f64() * 1e6 / requests;
    Seen { cost, per_second, p50, p99 }
}

fn has_wrk() -> bool {
    ["/usr/bin/wrk", "/usr/local/bin/wrk"].iter().any(|path| Path::new(path).exists())
}

/// Requests, requests per second, and two latencies in microseconds, from the output of wrk.
fn wrk(address: &str, fields: &[String], Length { seconds, connections, .. }: Length) -> (f64, f64, f64, f64) {
    let mut command = pinned(CORES.1, "wrk");
    command.args(["-t1", "--latency", &format!("-c{connections}"), &format!("-d{seconds}")]);
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
fn own(address: &str, fields: &str, expected: u16, length: Length) -> (f64, f64, f64, f64) {
    let Length { seconds, connections, .. } = length;
    let fields: Arc<str> = fields.into();
    let time = Duration::from_secs(seconds as u64);
    let clients: Vec<_> = (0..connections)
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
