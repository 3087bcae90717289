//! Cost of reading an article, beside the least possible work on its bytes.
//!
//! `cargo bench --bench parse -- --rounds 50`
//!
//! The peer checks that the bytes are UTF-8, iterates over the lines, and escapes them for HTML. For Markdown it is the Markdown
//! parser.

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

mod measure;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use gazetted::article::{Rules, read};
use gazetted::config::Config;
use gazetted::folder::SourceFormat;
use measure::{argument, article, json, machine, percentile};

fn main() {
    let rounds = argument("--rounds", 30);
    println!("reading one article, {rounds} rounds, {}", machine());
    println!("  {:<34} {:>9} {:>11} {:>11} {:>7}", "", "bytes", "gazetted", "floor", "ratio");
    let log: String = (0..10_000)
        .map(|line| {
            format!(
                "2026-05-01 10:{:02}:{:02} host daemon[{line}]: request {line} served in {} ms\n",
                line / 60 % 60,
                line % 60,
                line % 97
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let prose =
        "The council voted on Monday evening to buy the old railway yard and turn it into a park.\n\n".repeat(60);
    let scraped = format!(
        "A headline\n\n0\n\nBy Ann Lee\n\n{prose}Leave a reply\n\nPlease enter your comment!\nPlease enter your name here\n"
    );
    let markdown = (0..12).map(article).next().unwrap_or_default();
    for (name, text, format, floor) in [
        ("log of 10,000 lines", log.as_str(), SourceFormat::Text, escaped as fn(&[u8]) -> String),
        ("scraped article", &scraped, SourceFormat::Text, escaped),
        ("Markdown article", &markdown, SourceFormat::Markdown, rendered),
    ] {
        let rules = Rules::new(&Config::default().articles, &Config::default().site);
        let path = Path::new("a.txt");
        let own = median(rounds, || drop(black_box(read(text.as_bytes(), path, format, &rules))));
        let least = median(rounds, || drop(black_box(floor(text.as_bytes()))));
        let (own, least) = (own.as_secs_f64() * 1e3, least.as_secs_f64() * 1e3);
        json::record(name, "gazetted", "ms", [own]);
        json::record(name, "floor", "ms", [least]);
        println!("  {name:<34} {:>9} {own:>8.3} ms {least:>8.3} ms {:>7.1}", text.len(), own / least);
    }
    json::write("parse");
}

fn median(rounds: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort();
    percentile(&times, 50)
}

fn escaped(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    text.lines().map(|line| format!("<p>{}</p>\n", gazetted::model::text::escape(line))).collect::<Vec<_>>().concat()
}

fn rendered(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(text));
    html
}
