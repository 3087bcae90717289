//! The three documents of the sample articles, byte for byte, and checked by independent validators.
//! `UPDATE_GOLDEN=1 cargo test --test suite golden` rewrites them: review the difference before you commit it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::site::Site;
use crate::tools;

const SITE: &str = "
[site]
title = 'The Saltmere Gazette'
description = 'News & notes from the harbour'
base_url = 'https://gazette.example/news/'
timezone = 'Europe/London'
author = { name = 'The Editors', url = 'https://gazette.example/about' }
";

const TITLES: [&str; 6] = [
    "Harbour town votes to keep its 140-year-old light burning",
    "Welcome to your own gazette",
    "A short history of being told",
    "How to read a tide table",
    "La bibliothèque qui n’ouvrait que la nuit",
    "Song of the lamp room",
];

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The sample articles, with fixed modification times.
fn seeds() -> Site {
    let mut site = Site::configured(SITE);
    let mut files: Vec<_> = std::fs::read_dir(project("seeds")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for (number, file) in (0u64..).zip(files) {
        let copy = site.path(file.file_name().unwrap().to_str().unwrap());
        std::fs::copy(file, &copy).unwrap();
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000 + number * 3_600);
        std::fs::File::options().append(true).open(copy).unwrap().set_modified(date).unwrap();
    }
    site.start();
    site.wait_for(&TITLES);
    site
}

#[test]
fn the_seeds_give_the_golden_documents() {
    let site = seeds();
    for name in ["atom.xml", "rss.xml", "feed.json"] {
        let document = site.get(&format!("/{name}")).text();
        let file = project("tests/golden").join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &document).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap();
        assert!(
            document == golden,
            "{name} differs from {}: see how with UPDATE_GOLDEN=1 and git diff",
            file.display()
        );
    }
}

#[test]
fn rss_is_valid_by_the_rss_crate() {
    use rss::validation::Validate;
    let channel = rss::Channel::read_from(&seeds().get("/rss.xml").body[..]).unwrap();
    assert_eq!(channel.items.len(), TITLES.len());
    channel.validate().unwrap();
}

#[test]
fn atom_is_valid_by_the_schema_of_rfc_4287() {
    let Some(schema) = tools::beside("schemas/atom.rng") else { return };
    if !tools::has("xmllint") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("atom.xml");
    std::fs::write(&file, seeds().get("/atom.xml").body).unwrap();
    tools::run(Command::new("xmllint").arg("--noout").arg("--relaxng").arg(schema).arg(file));
}

#[test]
fn rss_is_well_formed_by_libxml() {
    if !tools::has("xmllint") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rss.xml");
    std::fs::write(&file, seeds().get("/rss.xml").body).unwrap();
    tools::run(Command::new("xmllint").arg("--noout").arg(file));
}

#[test]
fn feedparser_finds_no_fault() {
    if !tools::has_python("feedparser") {
        return;
    }
    let site = seeds();
    let script = "
import feedparser, sys
for path in ('rss.xml', 'atom.xml'):
    feed = feedparser.parse(sys.argv[1] + path)
    assert feed.bozo == 0, (path, feed.bozo_exception)
    assert len(feed.entries) == 6, path
    assert all(entry.id.startswith('urn:uuid:') and entry.title and entry.author for entry in feed.entries), path
    again = feedparser.parse(sys.argv[1] + path, etag=feed.etag)
    assert again.status == 304, (path, again.status)
    again = feedparser.parse(sys.argv[1] + path, modified=feed.modified)
    assert again.status == 304, (path, again.status)
";
    let base = format!("http://{}/", site.address());
    tools::run(Command::new("python3").args(["-c", script, &base]));
}

#[test]
fn json_is_valid_by_the_schema_of_json_feed() {
    let schema = std::env::var_os("GAZETTED_JSON_FEED_SCHEMA").map(PathBuf::from).filter(|file| file.exists());
    let Some(schema) = schema else {
        return tools::skip("GAZETTED_JSON_FEED_SCHEMA, a file of the npm package jsonfeed-schema,");
    };
    if !tools::has_python("jsonschema") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feed.json");
    std::fs::write(&file, seeds().get("/feed.json").body).unwrap();
    let script = "
import json, jsonschema, sys
schema, feed = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(feed)
";
    tools::run(Command::new("python3").args(["-c", script]).arg(schema).arg(file));
}
