//! How long after a file is closed its entry is served.
//!
//! `cargo bench --bench publish -- --articles 1000 --rounds 100`
//!
//! The peer is the least that any program can do with the same file system events: wait for the close, read the file,
//! and hand its text to another thread. What stands above it is the price of parsing, recording durably and rendering.

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

mod measure;

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use measure::{Client, Server, argument, article, fill, machine, percentile};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher};

fn main() {
    let (articles, rounds) = (argument("--articles", 1_000), argument("--rounds", 60));
    let directory = tempfile::tempdir().expect("a folder for the run");
    let folder = directory.path().join("articles");
    std::fs::create_dir(&folder).expect("a folder can be made");
    fill(&folder, articles);
    println!("closed -> served, {articles} articles, {rounds} rounds, {}", machine());

    let server = Server::gazetted(&folder, &directory.path().join("state"));
    let times = rounds_of(rounds, |round| close_to_served(&server, &folder, articles + round));
    println!("  resident memory of the daemon: {} KiB", server.resident());
    drop(server);

    let peer_folder = directory.path().join("peer");
    std::fs::create_dir(&peer_folder).expect("a folder can be made");
    let least = floor(&peer_folder, rounds);
    println!("  {:<24} {:>10} {:>10} {:>10}", "", "p50", "p90", "p99");
    for (name, sorted) in [("gazetted", &times), ("floor (notify + read)", &least)] {
        let at = |hundredths| format!("{:.3} ms", percentile(sorted, hundredths).as_secs_f64() * 1e3);
        println!("  {name:<24} {:>10} {:>10} {:>10}", at(50), at(90), at(99));
    }
    let ratio = percentile(&times, 50).as_secs_f64() / percentile(&least, 50).as_secs_f64();
    println!("  gazetted / floor at p50: {ratio:.1}");
}

fn rounds_of(rounds: usize, mut measure: impl FnMut(usize) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..rounds).map(&mut measure).collect();
    times.sort();
    times
}

/// Writes one more article in a quiet second and asks until the feed has it.
fn close_to_served(server: &Server, folder: &Path, number: usize) -> Duration {
    std::thread::sleep(Duration::from_millis(1_050));
    let mut client = Client::connect(&server.address);
    let etag = client.get("/atom.xml", "").etag;
    let condition = format!("If-None-Match: {etag}\r\n");
    // Newer than all others, so that it enters the feed.
    let text = article(number).replace("date: 2024-01-01\n", "");
    std::fs::write(folder.join(format!("new-{number}.md")), text).expect("a file can be written");
    let closed = Instant::now();
    loop {
        let answer = client.get("/atom.xml", &condition);
        if answer.status == 200 {
            let time = closed.elapsed();
            let title = format!("Article {number} of");
            assert!(String::from_utf8_lossy(client.body()).contains(&title), "the new version has the new article");
            return time;
        }
        assert!(closed.elapsed() < Duration::from_secs(10), "article {number} is not served");
    }
}

fn floor(folder: &Path, rounds: usize) -> Vec<Duration> {
    let (sender, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event| drop(sender.send(event))).expect("a watcher");
    watcher.watch(folder, RecursiveMode::NonRecursive).expect("a watch");
    let (texts, read) = mpsc::channel();
    std::thread::spawn(move || {
        for event in events.into_iter().flatten() {
            let event: notify::Event = event;
            if event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write)) {
                let text = std::fs::read_to_string(&event.paths[0]).expect("the file is there");
                if texts.send(text).is_err() {
                    return;
                }
            }
        }
    });
    rounds_of(rounds, |round| {
        std::thread::sleep(Duration::from_millis(20));
        std::fs::write(folder.join(format!("new-{round}.md")), article(round)).expect("a file can be written");
        let closed = Instant::now();
        read.recv().expect("the file is read");
        closed.elapsed()
    })
}
