//! Time from the close of a file until its entry is served.
//!
//! `cargo bench --bench publish` has 1,000 and 100,000 articles; `-- --articles 1000000` a million.
//!
//! Measured in a quiet folder, and while `git` switches between two branches that differ in thousands of articles. There
//! the last version can be up to a second old when a file is closed, so readers may wait up to a second more.
//!
//! The peer does the least possible work with the same file system events: it waits for the close, reads the file,
//! and passes its text to another thread. The difference is the cost of parsing, recording durably and rendering. The other
//! peer is `hugo server`, which also watches its folder.

mod measure;

use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use measure::corpus::Guest;
use measure::program::installed;
use measure::{
    Client, Server, argument, article, corpus, fill_from, hugo_server, json, kept, known, machine, percentile, sizes,
};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher};

fn main() {
    let rounds = argument("--rounds", 60);
    println!("closed -> served, {rounds} rounds, {}", machine());
    println!("  {:<36} {:>10} {:>10} {:>10} {:>8}", "", "p50", "p90", "p99", "p50");
    let directory = tempfile::tempdir_in(kept()).expect("a folder for the run");
    let peer_folder = directory.path().join("peer");
    std::fs::create_dir(&peer_folder).expect("a folder can be made");
    let least = floor(&peer_folder, rounds);
    let mut smallest = None;
    let sizes = sizes(&[1_000, 100_000]);
    note(sizes[0], "floor", &least);
    for articles in sizes {
        let times = with_known(articles, rounds);
        let unit = *smallest.get_or_insert(percentile(&times, 50));
        row(&format!("gazetted, {articles} articles"), &times, unit);
        note(articles, "gazetted", &times);
    }
    let busy = during_a_checkout(&directory.path().join("busy"), argument("--checkout", 5_000));
    row("gazetted, during a git checkout", &busy, smallest.unwrap_or_default());
    note_as("during a git checkout", "gazetted", &busy);
    row("floor (notify, read)", &least, smallest.unwrap_or_default());
    for articles in [1_000, 10_000] {
        let times = hugo(articles, argument("--hugo-rounds", 7));
        row(&format!("hugo server, {articles} articles"), &times, smallest.unwrap_or_default());
        note(articles, "hugo server", &times);
    }
    json::write("publish");
}

/// Notes the times of a program on a site for `--json`.
fn note(articles: usize, program: &str, sorted: &[Duration]) {
    note_as(&format!("{articles} articles"), program, sorted);
}

fn note_as(name: &str, program: &str, sorted: &[Duration]) {
    if sorted.is_empty() {
        return;
    }
    for hundredths in [50, 90, 99] {
        let time = percentile(sorted, hundredths).as_secs_f64() * 1e3;
        json::record(format!("{name}: p{hundredths}"), program, "ms", [time]);
    }
}

/// One line of the table; the last column is the ratio to the first row.
fn row(name: &str, sorted: &[Duration], unit: Duration) {
    if sorted.is_empty() {
        return;
    }
    let at = |hundredths| format!("{:.2} ms", percentile(sorted, hundredths).as_secs_f64() * 1e3);
    let ratio = percentile(sorted, 50).as_secs_f64() / unit.as_secs_f64();
    println!("  {name:<36} {:>10} {:>10} {:>10} {ratio:>8.2}", at(50), at(90), at(99));
}

/// Measures a daemon with a number of articles, and one more in each quiet second.
fn with_known(articles: usize, rounds: usize) -> Vec<Duration> {
    let (site, state) = known(&kept(), articles);
    // Articles published now must be new in the next run.
    let copy = tempfile::tempdir_in(kept()).expect("a folder for the run");
    for file in std::fs::read_dir(&state).expect("the state").flatten().filter(|file| file.path().is_file()) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("a file can be copied");
    }
    let server = Server::gazetted(&site, copy.path());
    // After its start, it compares the folder.
    server.settle();
    let mut guests = Vec::new();
    rounds_of(rounds, |round| {
        let (time, guest) = close_to_served(&server, &site, round);
        guests.push(guest);
        time
    })
}

/// Measures `hugo server`, if it is installed, which builds the whole site for each change.
fn hugo(articles: usize, rounds: usize) -> Vec<Duration> {
    if installed("hugo").is_none() {
        println!("  hugo is not installed");
        return Vec::new();
    }
    let site = corpus::folder(&kept(), articles);
    let out = tempfile::tempdir_in(kept()).expect("a folder for the run");
    let server = hugo_server(&site, out.path());
    std::thread::sleep(Duration::from_secs(2));
    // The files stay: hugo may miss one that is written while another is removed.
    let mut guests = Vec::new();
    rounds_of(rounds, |round| {
        let guest = Guest::arrives(&site, round);
        let closed = Instant::now();
        while !Client::connect(&server.address).serves("/index.xml", &guest.title) {
            assert!(closed.elapsed() < Duration::from_mins(2), "{} is not served", guest.title);
        }
        let time = closed.elapsed();
        guests.push(guest);
        std::thread::sleep(Duration::from_secs(1));
        time
    })
}

fn rounds_of(rounds: usize, mut measure: impl FnMut(usize) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..rounds).map(&mut measure).collect();
    times.sort();
    times
}

/// Writes an article in a quiet second, and requests the feed until it has it.
fn close_to_served(server: &Server, site: &Path, round: usize) -> (Duration, Guest) {
    std::thread::sleep(Duration::from_millis(1_050));
    let mut client = Client::connect(&server.address);
    let etag = client.get("/atom.xml", "").etag;
    let condition = format!("If-None-Match: {etag}\r\n");
    let guest = Guest::arrives(site, round);
    let closed = Instant::now();
    loop {
        let answer = client.get("/atom.xml", &condition);
        if answer.status == 200 {
            let time = closed.elapsed();
            assert!(
                String::from_utf8_lossy(client.body()).contains(&guest.title),
                "the new version has the new article"
            );
            return (time, guest);
        }
        assert!(closed.elapsed() < Duration::from_secs(10), "{} is not served", guest.title);
    }
}

/// Saves an article every 50 ms while `git checkout` replaces `count` others, back and forth, and requests its page.
fn during_a_checkout(home: &Path, count: usize) -> Vec<Duration> {
    let folder = home.join("articles");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]);
        command.arg("-C").arg(&folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !git(&["init", "-q", "-b", "one"]) {
        println!("  (no git: nothing is measured during a checkout)");
        return Vec::new();
    }
    for (branch, offset) in [("one", 0), ("two", count)] {
        fill_from(&folder.join("posts"), offset, count);
        let new = branch == "one" || git(&["checkout", "-q", "-b", branch]);
        assert!(new && git(&["add", "."]) && git(&["commit", "-q", "-m", branch]), "git commits");
    }
    let server = Server::gazetted(&folder, &home.join("state"));
    let mut times = Vec::new();
    for round in 0..4 {
        let branch = if round % 2 == 0 { "one" } else { "two" };
        let (done, is_done) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(git(&["checkout", "-q", branch]), "git switches");
                done.send(()).expect("the other thread waits");
            });
            // While it runs, and a little longer, until its last changes are read.
            let mut after = 0;
            while after < 5 {
                times.push(closed_to_page(&server, &folder, round * 1_000 + times.len()));
                after += usize::from(after > 0 || is_done.try_recv().is_ok());
            }
        });
    }
    println!("  during a checkout of {count} files: {} articles saved", times.len());
    times.sort();
    times
}

/// Writes an article and requests its page until it is served.
fn closed_to_page(server: &Server, folder: &Path, number: usize) -> Duration {
    let mut client = Client::connect(&server.address);
    std::fs::write(folder.join(format!("saved-{number}.md")), article(1_000_000 + number))
        .expect("a file can be written");
    let closed = Instant::now();
    while client.get(&format!("/articles/saved-{number}"), "").status != 200 {
        assert!(closed.elapsed() < Duration::from_mins(1), "article {number} is not served");
        std::thread::sleep(Duration::from_micros(500));
    }
    let time = closed.elapsed();
    std::thread::sleep(Duration::from_millis(50));
    time
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
