//! Memory of a daemon with many articles, after a restart and after it has published for a while, and of an idle
//! connection. Beside it, `hugo server` with the same articles.
//!
//! `cargo bench --bench memory` has 1,000 and 100,000 articles; `-- --articles 1000000` a million.

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

mod measure;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use measure::corpus::Guest;
use measure::program::{cpu_of, installed};
use measure::{Client, Server, argument, hugo_server, json, kept, known, machine, sizes};

/// Idle connections.
const IDLE: usize = 1_000;
/// Largest site for `hugo server`.
const MOST_FOR_HUGO: usize = 100_000;

fn main() {
    let changes = argument("--changes", 20);
    println!("resident memory, {}", machine());
    println!(
        "  {:<10}{:>14}{:>22}{:>18}{:>14}{:>14}{:>8}",
        "articles", "restarted", "after changes", "idle connection", "idle cpu", "hugo server", "ratio"
    );
    for articles in sizes(&[1_000, 100_000]) {
        let (site, state) = known(&kept(), articles);
        let server = Server::gazetted(&site, &state);
        std::thread::sleep(Duration::from_secs(1));
        let restarted = server.resident() as f64 / 1024.0;
        let guests: Vec<Guest> = (0..changes).map(|number| publish(&server, &site, number)).collect();
        let after = server.resident() as f64 / 1024.0;
        // The follow-up work of a version frees its memory at the end.
        server.settle();
        let quiet = server.resident() as f64;
        let open: Vec<TcpStream> =
            (0..IDLE).map(|_| TcpStream::connect(&server.address).expect("the server accepts")).collect();
        std::thread::sleep(Duration::from_secs(1));
        let idle = (server.resident() as f64 - quiet) / IDLE as f64;
        drop(open);
        let before = cpu_of(server.id()).expect("it runs");
        std::thread::sleep(Duration::from_secs(10));
        let cpu = cpu_of(server.id()).expect("it runs").saturating_sub(before).as_secs_f64() / 10.0;
        drop((server, guests));
        let hugo = (installed("hugo").is_some() && articles <= MOST_FOR_HUGO).then(|| {
            let out = tempfile::tempdir_in(kept()).expect("a folder for the run");
            let server = hugo_server(&site, out.path());
            // It listens before it has read the site.
            let begun = Instant::now();
            let patience = Duration::from_mins(2);
            while !Client::connect(&server.address).patient(patience).serves("/index.xml", "<item>") {
                assert!(begun.elapsed() < patience, "hugo serves no feed");
                std::thread::sleep(Duration::from_millis(100));
            }
            server.resident() as f64 / 1024.0
        });
        json::record(format!("{articles} articles: restarted"), "gazetted", "MiB", [restarted]);
        json::record(format!("{articles} articles: after changes"), "gazetted", "MiB", [after]);
        json::record(format!("{articles} articles: after changes"), "hugo server", "MiB", hugo);
        json::record(format!("{articles} articles: idle connection"), "gazetted", "KiB", [idle]);
        json::record(format!("{articles} articles: idle processor"), "gazetted", "%", [cpu * 100.0]);
        let text = |number: Option<f64>, unit| number.map_or("-".to_owned(), |number| format!("{number:.1}{unit}"));
        println!(
            "  {articles:<10}{restarted:>10.1} MiB{after:>18.1} MiB{idle:>14.1} KiB{:>12.2} %{:>14}{:>8}",
            cpu * 100.0,
            text(hugo, " MiB"),
            text(hugo.map(|hugo| after / hugo), ""),
        );
    }
    json::write("memory");
}

/// Writes an article and waits until it is served.
fn publish(server: &Server, site: &std::path::Path, number: usize) -> Guest {
    let mut client = Client::connect(&server.address);
    let guest = Guest::arrives(site, number);
    let begun = Instant::now();
    while !client.serves("/atom.xml", &guest.title) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} is not served", guest.title);
        std::thread::sleep(Duration::from_millis(50));
    }
    guest
}
