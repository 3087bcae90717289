//! The search for torn reads: many clients request everything in every content coding while the folder changes. One ETag means
//! the same bytes for every client, every response can be decoded and parsed, and no client gets an older version after a newer one.
//!
//! `GAZETTED_TORN_SECONDS=30 cargo test --test suite torn` takes longer.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::site::{Answer, Site};
use crate::tools::AtEnd;
use crate::waiting::PATIENCE;

const CLIENTS: usize = 16;
const PATHS: [&str; 7] =
    ["/rss.xml", "/atom.xml", "/feed.json", "/", "/tags/common/atom.xml", "/articles/article-1", "/feeds.opml"];
const CODINGS: [&str; 4] = ["", "gzip", "br", "zstd"];

/// Bytes and date of each document met, by path, content coding and ETag.
#[derive(Default)]
struct Known(HashMap<(String, String, String), (blake3::Hash, String)>);

impl Known {
    /// Compares a response with all others. The error says what is wrong.
    fn compare(&mut self, path: &str, answer: &Answer) -> Result<(), String> {
        let (etag, date) = (answer.field("etag").to_owned(), answer.field("last-modified").to_owned());
        let key = (path.to_owned(), answer.field("content-encoding").to_owned(), etag.clone());
        let seen = (blake3::hash(&answer.body), date);
        let known = self.0.entry(key).or_insert_with(|| seen.clone());
        if *known == seen { Ok(()) } else { Err(format!("{path}: {etag} was {known:?} and is {seen:?}")) }
    }
}

fn decoded(answer: &Answer) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let wrong = |error: std::io::Error| format!("{} cannot be decoded: {error}", answer.field("content-encoding"));
    match answer.field("content-encoding") {
        "gzip" => drop(flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut bytes).map_err(wrong)?),
        "br" => drop(brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut bytes).map_err(wrong)?),
        "zstd" => bytes = zstd::decode_all(&answer.body[..]).map_err(wrong)?,
        _ => bytes.clone_from(&answer.body),
    }
    Ok(bytes)
}

/// Checks a response alone. The error says what is wrong.
fn examine(path: &str, answer: &Answer) -> Result<(), String> {
    if answer.field("content-length") != answer.body.len().to_string() {
        return Err(format!("{path}: {} bytes, {} declared", answer.body.len(), answer.field("content-length")));
    }
    let text = String::from_utf8(decoded(answer)?).map_err(|error| format!("{path}: {error}"))?;
    match path {
        "/feed.json" => {
            serde_json::from_str::<serde_json::Value>(&text).map_err(|error| format!("{path}: {error}"))?;
        }
        "/" | "/articles/article-1" => {
            if !text.trim_end().ends_with("</html>") {
                return Err(format!("{path}: half a page"));
            }
        }
        _ => drop(roxmltree::Document::parse(&text).map_err(|error| format!("{path}: {error}"))?),
    }
    Ok(())
}

/// ETag, date and content coding of a document.
type Has = (String, std::time::SystemTime, String);

/// A client, with its cache of each document.
struct Client<'a> {
    site: &'a Site,
    known: &'a Mutex<Known>,
    random: Random,
    has: HashMap<(&'static str, &'static str), Has>,
}

impl Client<'_> {
    fn ask(&mut self) -> Result<u16, String> {
        let path = PATHS[self.random.below(PATHS.len())];
        let coding = CODINGS[self.random.below(CODINGS.len())];
        let has = self.has.get(&(path, coding)).cloned().filter(|_| self.random.below(3) > 0);
        let mut fields = vec![("Accept-Encoding", coding)];
        fields.extend(has.as_ref().map(|(etag, ..)| ("If-None-Match", etag.as_str())));
        let answer = self.site.ask("GET", path, &fields);
        let (etag, date) = (answer.field("etag").to_owned(), answer.field("last-modified"));
        match answer.status {
            304 if has.as_ref().is_some_and(|(known, ..)| *known == etag) => {}
            304 => return Err(format!("{path}: 304 for {etag}, asked with {has:?}")),
            200 => {
                examine(path, &answer)?;
                self.known.lock().unwrap().compare(path, &answer)?;
            }
            // The article may not be published yet, and is renamed sometimes.
            404 | 301 | 410 if path.starts_with("/articles/") => return Ok(answer.status),
            other => return Err(format!("{path}: {other}")),
        }
        let date = httpdate::parse_http_date(date).map_err(|error| format!("{path}: {date}: {error}"))?;
        let used = match (answer.status, has) {
            (304, Some((.., used))) => used,
            _ => answer.field("content-encoding").to_owned(),
        };
        if let Some((known, before, known_coding)) = self.has.insert((path, coding), (etag.clone(), date, used.clone()))
        {
            if date < before {
                return Err(format!("{path} by {coding:?}: {date:?} after {before:?}"));
            }
            // Compressed variants of a version follow a moment later.
            if used == known_coding && (known == etag) != (date == before) {
                return Err(format!(
                    "{path} by {coding:?}: {known} of {before:?}, then {etag} of {date:?}: standards 88"
                ));
            }
        }
        Ok(answer.status)
    }
}

/// Changes the folder twenty times a second.
fn work(site: &Site, stop: &AtomicBool) {
    let mut edition = 0;
    while !stop.load(Ordering::Relaxed) {
        edition += 1;
        let number = edition % 10;
        let text = format!(
            "---\ntags: [common]\n---\n# Article {number}\n\nEdition {edition} of it.\n\n{}\n",
            "Words. ".repeat(100)
        );
        match edition % 7 {
            0 => {
                site.write("article.tmp", &text);
                site.rename("article.tmp", &format!("article-{number}.md"));
            }
            _ => site.write(&format!("article-{number}.md"), &text),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn no_client_sees_a_torn_or_older_version() {
    let seconds = std::env::var("GAZETTED_TORN_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let mut site = Site::new();
    for number in 0..10 {
        site.write(&format!("article-{number}.md"), format!("---\ntags: [common]\n---\n# Article {number}\n\nText.\n"));
    }
    site.start();
    let (known, stop, bodies) = (Mutex::new(Known::default()), AtomicBool::new(false), AtomicUsize::new(0));
    let (end, last_end) = (Instant::now() + Duration::from_secs(seconds), Instant::now() + PATIENCE);
    // On a busy machine the time alone is not enough.
    let enough = || bodies.load(Ordering::Relaxed) > 100 && known.lock().unwrap().0.len() > 30;
    let is_over = || Instant::now() > last_end || (Instant::now() > end && enough());
    std::thread::scope(|scope| {
        scope.spawn(|| work(&site, &stop));
        let _stop = AtEnd(&stop);
        let client = |number| {
            let random = Random::new(number + 1);
            let mut client = Client { site: &site, known: &known, random, has: HashMap::new() };
            while !is_over() {
                match client.ask() {
                    Ok(200) => drop(bodies.fetch_add(1, Ordering::Relaxed)),
                    Ok(_) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        for client in clients {
            client.join().unwrap();
        }
    });
    let versions = known.lock().unwrap().0.len();
    assert!(enough(), "only {versions} versions were met");
}

#[test]
fn the_check_detects_torn_responses() {
    let site = Site::started();
    let gzip = [("Accept-Encoding", "gzip")];
    site.wait_until_compressed(&["/rss.xml"], "gzip");
    let mut answer = site.ask("GET", "/rss.xml", &[]);
    let mut known = Known::default();
    examine("/rss.xml", &answer).unwrap();
    known.compare("/rss.xml", &answer).unwrap();
    let last = answer.body.len() - 10;
    answer.body[last] ^= 1;
    assert!(known.compare("/rss.xml", &answer).is_err(), "one tag, other bytes");
    answer.body.truncate(last);
    assert!(examine("/rss.xml", &answer).is_err(), "half a document");
    let mut compressed = site.ask("GET", "/rss.xml", &gzip);
    let middle = compressed.body.len() / 2;
    compressed.body[middle..].fill(0);
    assert!(examine("/rss.xml", &compressed).is_err(), "half of it of another version");
}
