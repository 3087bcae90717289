//! The first request of documents that nothing has rendered yet: feeds of tags, and archives. And what clients of the main feed notice
//! while three hundred others request three hundred such documents at once.
//!
//! `cargo bench --bench cold` has 100,000 articles; `-- --articles 1000000` a million, `-- --documents N` requests others.

mod measure;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use measure::{Client, Server, argument, kept, known, machine, percentile, sizes};

/// Longest wait for a response in the storm, where documents wait for each other.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the main feed is polled before the storm.
const QUIET: Duration = Duration::from_secs(3);

fn main() {
    let documents = argument("--documents", 300);
    println!("first request of a document, {documents} of each kind, {}", machine());
    println!("  {:<44} {:>10} {:>10} {:>10} {:>10}", "", "p50", "p90", "p99", "most");
    for articles in sizes(&[100_000]) {
        let (site, state) = known(&kept(), articles);
        let server = Server::gazetted(&site, &state);
        server.settle();
        measure_site(&server, articles, documents);
        server.stop();
    }
}

fn measure_site(server: &Server, articles: usize, documents: usize) {
    let tags = addresses(server, "tags/", documents);
    let archives: Vec<String> = (1..=documents).map(|number| format!("/archive/{number}/")).collect();
    let label = |what: &str| format!("{articles} articles: {what}");
    row(&label("feed of a tag, first request"), first_requests(server, &tags, "rss.xml"));
    row(&label("the same once more"), first_requests(server, &tags, "rss.xml"));
    row(&label("archive, first request"), first_requests(server, &archives, "rss.xml"));
    row(&label("page of a tag, first request"), first_requests(server, &tags, ""));
    let (quiet, busy, cold) = storm(server, &tags);
    row(&label("main feed (304), quiet"), quiet);
    row(&label(&format!("the same while {} cold feeds are requested", tags.len())), busy);
    row(&label("one of these cold feeds"), cold);
}

/// Paths below a list, as its page links to them.
fn addresses(server: &Server, list: &str, most: usize) -> Vec<String> {
    let mut client = Client::connect(&server.address).patient(PATIENCE);
    assert_eq!(client.get(&format!("/{list}"), "").status, 200, "the list of {list}");
    let page = String::from_utf8_lossy(client.body()).into_owned();
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let path = |link: &str| {
        let path = link.strip_prefix("http://bench.example").unwrap_or(link);
        let name = path.strip_prefix(&format!("/{list}"))?.strip_suffix('/')?;
        (!name.is_empty() && !name.contains('/')).then(|| path.to_owned())
    };
    let mut found: Vec<String> = Vec::new();
    for path in links.filter_map(path) {
        if !found.contains(&path) && found.len() < most {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "the page of {list} has links");
    found
}

/// Requests each document once, one after the other.
fn first_requests(server: &Server, paths: &[String], file: &str) -> Vec<Duration> {
    let mut client = Client::connect(&server.address).patient(PATIENCE);
    let mut times = Vec::new();
    for path in paths {
        let begun = Instant::now();
        let status = client.get(&format!("{path}{file}"), "Accept-Encoding: gzip\r\n").status;
        let time = begun.elapsed();
        match status {
            200 => times.push(time),
            // There are fewer archives.
            status => assert!(status == 404 && path.starts_with("/archive/"), "{path}: {status}"),
        }
    }
    times
}

/// Polls the main feed; then all documents are requested at once, each by a client of its own. Returns the times of the polls before
/// and meanwhile, and of the documents.
fn storm(server: &Server, paths: &[String]) -> (Vec<Duration>, Vec<Duration>, Vec<Duration>) {
    let mut client = Client::connect(&server.address).patient(PATIENCE);
    let etag = client.get("/rss.xml", "").etag;
    let condition = format!("If-None-Match: {etag}\r\n");
    let mut poll = || {
        let begun = Instant::now();
        assert_eq!(client.get("/rss.xml", &condition).status, 304);
        let time = begun.elapsed();
        std::thread::sleep(Duration::from_millis(1));
        time
    };
    let until = Instant::now() + QUIET;
    let quiet: Vec<Duration> = std::iter::from_fn(|| (Instant::now() < until).then(&mut poll)).collect();
    let (start, is_over) = (Barrier::new(paths.len() + 1), AtomicBool::new(false));
    let mut busy = Vec::new();
    let cold = std::thread::scope(|scope| {
        let clients: Vec<_> = paths.iter().map(|path| scope.spawn(|| one_of_many(server, path, &start))).collect();
        let collector = scope.spawn(|| {
            let times: Vec<Duration> = clients.into_iter().map(|client| client.join().expect("a client")).collect();
            is_over.store(true, Ordering::SeqCst);
            times
        });
        start.wait();
        while !is_over.load(Ordering::SeqCst) {
            busy.push(poll());
        }
        collector.join().expect("the clients end")
    });
    (quiet, busy, cold)
}

/// A client that requests one document in Atom, which no other part of the benchmark requests.
fn one_of_many(server: &Server, path: &str, start: &Barrier) -> Duration {
    let mut client = Client::connect(&server.address).patient(PATIENCE);
    start.wait();
    let begun = Instant::now();
    loop {
        // Above its bound, the server refuses at once.
        match client.get(&format!("{path}atom.xml"), "Accept-Encoding: gzip\r\n").status {
            200 => return begun.elapsed(),
            503 => std::thread::sleep(Duration::from_millis(20)),
            status => panic!("{path}: {status}"),
        }
    }
}

fn row(name: &str, mut times: Vec<Duration>) {
    if times.is_empty() {
        println!("  {name:<44} (nothing to measure)");
        return;
    }
    times.sort();
    let at = |hundredths| format!("{:.2} ms", percentile(&times, hundredths).as_secs_f64() * 1e3);
    println!("  {name:<44} {:>10} {:>10} {:>10} {:>10}", at(50), at(90), at(99), at(100));
}
