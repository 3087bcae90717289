//! Time of a restart until the daemon serves again, and its memory then.
//!
//! `cargo bench --bench restart` has 1,000, 10,000 and 100,000 articles; `-- --articles 1000000` a million.
//!
//! The peer does the least possible work to find changes: `find` reads the time
//! stamps of the same files.

mod measure;

use std::process::Command;
use std::time::{Duration, Instant};

use measure::program::{memory, run};
use measure::{Server, argument, json, kept, known, machine, middle, sizes, spread};

fn main() {
    let rounds = argument("--rounds", 7);
    println!("restart, {rounds} rounds, {}", machine());
    println!("  {:<10}{:>12}{:>18}{:>12}{:>12}{:>8}", "articles", "ready", "spread", "resident", "find", "ratio");
    for articles in sizes(&[1_000, 10_000, 100_000]) {
        let (site, state) = known(&kept(), articles);
        let (mut ready, mut found, mut resident) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let begun = Instant::now();
            let server = Server::gazetted(&site, &state);
            ready.push(begun.elapsed().as_secs_f64());
            std::thread::sleep(Duration::from_millis(500));
            resident.push(memory(server.id(), "VmRSS:").expect("it runs"));
            server.stop();
            found.push(run(Command::new("find").arg(&site).args(["-newermt", "2100-01-01"])).time.as_secs_f64());
        }
        json::record(format!("{articles} articles: ready"), "gazetted", "s", ready.iter().copied());
        json::record(format!("{articles} articles: ready"), "find", "s", found.iter().copied());
        let (own, peer) = (middle(ready.iter().copied()), middle(found.into_iter()));
        #[allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.
        let resident: Vec<f64> = resident.into_iter().map(|memory| memory as f64 / 1024.0).collect();
        json::record(format!("{articles} articles: resident memory"), "gazetted", "MiB", resident.iter().copied());
        let resident = middle(resident.into_iter());
        println!(
            "  {articles:<10}{own:>10.3} s{:>16} s{resident:>8.1} MiB{peer:>10.3} s{:>8.1}",
            spread(ready.into_iter()),
            own / peer
        );
    }
    json::write("restart");
}
