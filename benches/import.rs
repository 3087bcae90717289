//! Time and memory of the import of a site, until its feeds are served; beside generators of sites that
//! build only the feed of the same files.
//!
//! `cargo bench --bench import` reads 1,000, 10,000 and 100,000 articles; `-- --articles 1000000 --rounds 1` a million.
//!
//! hugo is configured for speed: RSS of the home page only, all kinds of pages disabled but the articles, which are listed and not
//! written. Jekyll builds its feed with jekyll-feed and writes no article; large sites, which would take many minutes, are left out.
//! The programs take turns, each without earlier output; gazetted has a new state directory.

mod measure;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use measure::program::{Cost, installed, memory, run};
use measure::{Server, argument, corpus, hugo_config, json, kept, machine, middle, sizes, spread};

/// Largest site for Jekyll, which holds a site in memory.
const MOST_FOR_JEKYLL: usize = 10_000;
/// Largest site for hugo, which holds a site in memory.
const MOST_FOR_HUGO: usize = 100_000;

/// A program that builds a feed from a folder.
type Peer = (&'static str, fn(&Path, &Path) -> Command);

fn main() {
    println!("first reading of a folder, {}", machine());
    println!(
        "  {:<10}{:<12}{:>10}{:>18}{:>10}{:>12}{:>8}{:>8}",
        "articles", "", "time", "spread", "cpu", "peak", "time", "peak"
    );
    for articles in sizes(&[1_000, 10_000, 100_000]) {
        compare(articles, argument("--rounds", if articles > 10_000 { 3 } else { 5 }));
    }
    json::write("import");
}

/// Builds the feed of a site of one size with each program in turn.
fn compare(articles: usize, rounds: usize) {
    let site = corpus::folder(&kept(), articles);
    let mut peers: Vec<Peer> = Vec::new();
    for (name, most, peer) in
        [("hugo", MOST_FOR_HUGO, hugo as fn(&Path, &Path) -> Command), ("jekyll", MOST_FOR_JEKYLL, jekyll)]
    {
        match installed(name) {
            Some(_) if articles <= most => peers.push((name, peer)),
            Some(_) => println!("  {name} is left out: {articles} articles are too many for it here"),
            None => println!("  {name} is not installed"),
        }
    }
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); peers.len() + 1];
    for _ in 0..rounds {
        costs[0].push(gazetted(&site));
        for (place, (name, peer)) in peers.iter().enumerate() {
            // It takes minutes, and a second run is like the first.
            if *name == "jekyll" && articles > 1_000 && !costs[place + 1].is_empty() {
                continue;
            }
            let out = tempfile::tempdir_in(kept()).expect("a folder for the run");
            let cost = run(&mut peer(&site, out.path()));
            assert!(entries(out.path()) >= 50, "the feed has its newest articles");
            costs[place + 1].push(cost);
        }
    }
    let names = std::iter::once("gazetted").chain(peers.iter().map(|(name, _)| *name));
    let own = (seconds(&costs[0]), peak(&costs[0]));
    for (name, costs) in names.zip(&costs) {
        record(articles, name, costs);
        let ratio = |own: f64, other: f64| format!("{:.2}", own / other);
        println!(
            "  {articles:<10}{name:<12}{:>8.2} s{:>16} s{:>8.2} s{:>8.1} MiB{:>8}{:>8}",
            seconds(costs),
            spread(costs.iter().map(|cost| cost.time.as_secs_f64())),
            middle(costs.iter().map(|cost| cost.cpu.as_secs_f64())),
            peak(costs),
            ratio(own.0, seconds(costs)),
            ratio(own.1, peak(costs)),
        );
    }
}

/// Notes the numbers of a program for `--json`.
fn record(articles: usize, program: &str, costs: &[Cost]) {
    #[allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.
    let peaks = costs.iter().map(|cost| cost.peak as f64 / 1024.0);
    json::record(format!("{articles} articles: time"), program, "s", costs.iter().map(|cost| cost.time.as_secs_f64()));
    json::record(
        format!("{articles} articles: processor"),
        program,
        "s",
        costs.iter().map(|cost| cost.cpu.as_secs_f64()),
    );
    json::record(format!("{articles} articles: peak memory"), program, "MiB", peaks);
}

fn seconds(costs: &[Cost]) -> f64 {
    middle(costs.iter().map(|cost| cost.time.as_secs_f64()))
}

#[allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.
fn peak(costs: &[Cost]) -> f64 {
    middle(costs.iter().map(|cost| cost.peak as f64 / 1024.0))
}

fn gazetted(site: &Path) -> Cost {
    let state = tempfile::tempdir_in(kept()).expect("a folder for the run");
    let begun = Instant::now();
    let server = Server::gazetted(site, state.path());
    let time = begun.elapsed();
    let mut client = measure::Client::connect(&server.address);
    assert_eq!(client.get("/rss.xml", "").status, 200);
    // The feed also has the articles that are in no archive yet.
    let items = String::from_utf8_lossy(client.body()).matches("<item>").count();
    assert!(items >= 50, "the feed has its newest articles");
    Cost { time, cpu: server.cpu(), peak: memory(server.id(), "VmHWM:").expect("it runs") }
}

fn entries(out: &Path) -> usize {
    let feed =
        ["index.xml", "feed.xml"].iter().find_map(|name| std::fs::read_to_string(out.join("public").join(name)).ok());
    let feed = feed.expect("a feed");
    feed.matches("<item>").count() + feed.matches("<entry>").count()
}

fn hugo(site: &Path, out: &Path) -> Command {
    let mut command = Command::new("hugo");
    command.arg("--config").arg(hugo_config(out)).arg("--contentDir").arg(site).arg("--source").arg(out);
    command.arg("--destination").arg(out.join("public")).args(["--quiet", "--noChmod", "--noTimes"]);
    command
}

fn jekyll(site: &Path, out: &Path) -> Command {
    std::os::unix::fs::symlink(site, out.join("_posts")).expect("a link can be made");
    let config = out.join("_config.yml");
    let text = "title: bench\nurl: http://localhost\nplugins: [jekyll-feed]\nfeed: { posts_limit: 50 }\n\
                collections: { posts: { output: false } }\n";
    std::fs::write(&config, text).expect("a file can be written");
    let mut command = Command::new("jekyll");
    command.args(["build", "--quiet", "--source"]).arg(out).arg("--config").arg(config);
    command.arg("--destination").arg(out.join("public")).stderr(Stdio::null());
    command
}
