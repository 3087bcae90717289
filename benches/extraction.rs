//! How well articles are taken out of saved web pages, on public collections of pages with their articles.
//!
//! `cargo bench --bench extraction -- --pages DIR`
//!
//! The folder is a copy of `scrapinghub/article-extraction-benchmark` (`ground-truth.json` and `html/*.html.gz`), or the folder
//! `test/test-pages` of `mozilla/readability` (in each folder `source.html` and `expected.html`). The score is that of the first: precision
//! and recall of all sequences of four words, for each page, then their means. `--output FILE` writes the texts as its `evaluate.py`
//! reads them; `--worst 10` lists the pages with the lowest recall and precision.

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.
#![allow(clippy::unwrap_used)] // A panic is how a benchmark fails.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use gazetted::article::address::Addresses;
use gazetted::article::{Rules, Verdict, html, read};
use gazetted::config::Config;
use gazetted::folder::SourceFormat;
use serde_json::{Map, Value, json};
use url::Url;

/// Elements within a line: their tags separate no words.
const INLINE: [&str; 27] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var",
];

/// A page of a collection.
struct Sample {
    name: String,
    page: Vec<u8>,
    /// The text of its article.
    expected: String,
}

fn main() {
    let Some(folder) = argument("--pages") else {
        println!("extraction: skipped, since no `--pages DIR` names a collection of pages; see benches/README.md");
        return;
    };
    let samples = samples(Path::new(&folder));
    let mut output = Map::new();
    let mut scores: Vec<(f64, f64, &str)> = Vec::new();
    for sample in &samples {
        let text = article_of(&sample.page);
        let (precision, recall) = score(&sample.expected, &text);
        scores.push((precision, recall, &sample.name));
        output.insert(sample.name.clone(), json!({ "articleBody": text }));
    }
    let mean = |part: fn(&(f64, f64, &str)) -> f64| scores.iter().map(part).sum::<f64>() / scores.len() as f64;
    let (precision, recall) = (mean(|score| score.0), mean(|score| score.1));
    let lost = scores.iter().filter(|score| score.1 < 0.5).count();
    let f1 = 2.0 * precision * recall / (precision + recall);
    println!("{} pages: F1 {f1:.3}, precision {precision:.3}, recall {recall:.3}, lost {lost}", samples.len());
    if let Some(count) = argument("--worst").and_then(|count| count.parse().ok()) {
        for (part, order) in [("recall", true), ("precision", false)] {
            scores.sort_by(|a, b| if order { a.1.total_cmp(&b.1) } else { a.0.total_cmp(&b.0) });
            println!("lowest {part}:");
            scores
                .iter()
                .take(count)
                .for_each(|(precision, recall, name)| println!("  {precision:.3} {recall:.3} {name}"));
        }
    }
    if let Some(file) = argument("--output") {
        fs::write(file, Value::Object(output).to_string()).unwrap();
    }
}

/// The value after an argument.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn samples(folder: &Path) -> Vec<Sample> {
    let truth = folder.join("ground-truth.json");
    let mut samples: Vec<Sample> = if truth.exists() {
        let truth: Map<String, Value> = serde_json::from_slice(&fs::read(truth).unwrap()).unwrap();
        let sample = |(name, about): (&String, &Value)| {
            let mut page = Vec::new();
            let file = fs::File::open(folder.join(format!("html/{name}.html.gz"))).unwrap();
            GzDecoder::new(file).read_to_end(&mut page).unwrap();
            let expected = about["articleBody"].as_str().unwrap_or_default().to_owned();
            Sample { name: name.clone(), page, expected }
        };
        truth.iter().map(sample).collect()
    } else {
        let folders: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let sample = |path: &PathBuf| Sample {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            page: fs::read(path.join("source.html")).unwrap(),
            expected: text_of(&fs::read_to_string(path.join("expected.html")).unwrap()),
        };
        folders.iter().map(sample).collect()
    };
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    samples
}

/// The text that readers see of a saved page.
fn article_of(page: &[u8]) -> String {
    let config = Config::default();
    let rules = Rules::new(&config.articles, &config.site);
    match read(page, Path::new("page.html"), SourceFormat::Html, &rules).verdict {
        Verdict::Publish(article) => {
            let permalink = Url::parse("https://example.org/articles/page").unwrap();
            text_of(&html::sanitise(&article.html, &Addresses::of_page(&permalink)))
        }
        _ => String::new(),
    }
}

/// The text of clean HTML.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        text.push_str(if INLINE.contains(&&*name) { "" } else { "\n" });
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let pairs = [
        ("&nbsp;", " "),
        ("&#160;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text, |text, (reference, character)| text.replace(reference, character))
}

/// Precision and recall of the sequences of four words.
fn score(expected: &str, text: &str) -> (f64, f64) {
    let (expected, own) = (sequences(expected), sequences(text));
    let common: usize = expected.iter().map(|(words, count)| own.get(words).copied().unwrap_or(0).min(*count)).sum();
    let share = |all: &HashMap<Vec<&str>, usize>| match all.values().sum::<usize>() {
        0 => f64::from(u8::from(expected.is_empty() && own.is_empty())),
        sum => common as f64 / sum as f64,
    };
    (share(&own), share(&expected))
}

fn sequences(text: &str) -> HashMap<Vec<&str>, usize> {
    const WORDS: usize = 4;
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let mut counts = HashMap::new();
    for start in 0..(words.len() + 1).saturating_sub(WORDS).max(1) {
        let sequence = words[start..words.len().min(start + WORDS)].to_vec();
        if !sequence.is_empty() {
            *counts.entry(sequence).or_default() += 1;
        }
    }
    counts
}
