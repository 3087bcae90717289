//! The same folder gives the same bytes, independent of the daemon and of the folder's history.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::sample_site::date_file;
use crate::site::{BASE_URL, Site};
use crate::tools;

/// Few entries in each document, so that there are archives.
const SITE: &str = "
[site]
title = 'Gazette'
authority = 'gazette.example'
[feed]
entries = 4
window = '1h'
archive_entries = 3
";

/// Source of the dates of a folder's files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dates {
    /// Each file states its own date.
    Stated,
    /// Each has its modification time.
    OfFiles,
    /// All state the same date.
    One,
}

/// Files in which an order could show: tags and authors that differ only in spelling, and folders
/// and names whose order depends on case.
fn files(dates: Dates) -> Vec<(String, String)> {
    let tags = ["[Café, Sea, b]", "[cafe, 'C++', Sea]", "[b, CAFÉ]", "[sea, c++]", "[日本, B]"];
    let authors = ["Zoë", "[zoe, Ann]", "[ANN, Ben]", "Ben", "[ben, ZOE]"];
    let file = |number: usize| {
        let date = match dates {
            Dates::Stated => format!("date: 2024-05-01T{:02}:00:00Z\n", 5 + number * 7 % 11),
            Dates::OfFiles => String::new(),
            Dates::One => "date: 2024-05-01T10:00:00Z\n".to_owned(),
        };
        let header = format!("---\n{date}tags: {}\nauthors: {}\n---\n", tags[number % 5], authors[number * 2 % 5]);
        let (folder, name) = (["News", "news/Été", "a b"][number % 3], ["x", "A"][number % 2]);
        (
            format!("{folder}/{name}{number}.md"),
            format!("{header}# Title {number}\n\nText number {number}, [here](other).\n"),
        )
    };
    (0..11).map(file).collect()
}

/// Writes files, each with a modification time derived from its name.
fn write<'a>(site: &Site, files: impl Iterator<Item = &'a (String, String)>) {
    for (name, text) in files {
        site.write(name, text);
        let number: u64 = name.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap();
        date_file(site, name, 1_700_000_000 + number * 7 % 11 * 3_600);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    tools::run(Command::new("cp").arg("-a").arg(from.join(".")).arg(to));
}

/// Paths of everything that the site serves.
fn paths(site: &Site) -> BTreeSet<String> {
    let mut paths: BTreeSet<String> =
        ["/feeds.opml", "/archive/", "/tags/", "/sections/", "/authors/", "/feed.css", "/robots.txt"]
            .map(str::to_owned)
            .into();
    let path = |address: &str| format!("/{}", address.strip_prefix(BASE_URL).unwrap());
    let opml = site.get("/feeds.opml").text();
    let mut places: Vec<String> =
        opml.split("htmlUrl=\"").skip(1).map(|rest| path(rest.split('"').next().unwrap())).collect();
    places.extend((1..).map(|number| format!("/archive/{number}/")).take_while(|place| site.get(place).status == 200));
    for place in places {
        let feed: Value = serde_json::from_str(&site.get(&format!("{place}feed.json")).text()).unwrap();
        paths.extend(feed["items"].as_array().unwrap().iter().map(|item| path(item["url"].as_str().unwrap())));
        paths.extend(["", "atom.xml", "rss.xml", "feed.json"].map(|name| format!("{place}{name}")));
    }
    paths
}

/// Compares all documents and the header fields `fields`; lines for which `is_said` is false may differ.
fn compare(one: &Site, other: &Site, fields: &[&str], is_said: fn(&str) -> bool) {
    let all = paths(one);
    assert_eq!(all, paths(other));
    assert!(all.len() > 50, "{all:?}");
    for path in &all {
        let (first, second) = (one.get(path), other.get(path));
        assert_eq!((first.status, second.status), (200, 200), "{path}");
        let (text, again) = (first.text(), second.text());
        let differs = text.lines().zip(again.lines()).find(|(line, other)| line != other && is_said(line));
        assert_eq!(differs, None, "{path}: standards 9");
        assert_eq!(text.len(), again.len(), "{path}: standards 9");
        for field in fields {
            assert_eq!(first.field(field), second.field(field), "{path}: {field}: standards 9, 86");
        }
    }
}

#[test]
fn copies_of_a_folder_and_its_catalog_serve_the_same_bytes() {
    let mut original = Site::configured(SITE);
    write(&original, files(Dates::Stated).iter());
    original.write("gone.md", "---\ntags: [gone]\n---\n# Gone\n\nText.");
    original.start();
    original.remove("gone.md");
    original.write("News/x0.md", "---\ndate: 2024-05-01T05:00:00Z\ntags: [Sea]\n---\n# Title 0\n\nText, edited.");
    original.wait_until("the edit and the deletion are served", |site| {
        let text = site.get("/atom.xml").text();
        text.contains("edited") && text.contains("deleted-entry")
    });
    original.stop();
    let mut copies = [(); 2].map(|()| {
        let mut site = Site::configured(SITE);
        copy(original.root(), site.root());
        copy(original.state(), site.state());
        site.start();
        site
    });
    // Bytes and validators (standards 9).
    let [one, other] = &copies;
    compare(one, other, &["etag", "last-modified"], |_| true);
    original.start();
    compare(one, &original, &["etag", "last-modified"], |_| true);
    copies[0].restart();
    compare(&copies[0], &copies[1], &["etag", "last-modified"], |_| true);
}

/// The date of the list of feeds is the time of the daemon's first scan.
fn is_no_date_of_the_list(line: &str) -> bool {
    !line.starts_with("<dateModified>")
}

fn in_any_order(dates: Dates) {
    let files = files(dates);
    let sites = [false, true].map(|reversed| {
        let mut site = Site::configured(SITE);
        if reversed {
            write(&site, files.iter().rev());
        } else {
            write(&site, files.iter());
        }
        site.start();
        site
    });
    let [one, other] = &sites;
    compare(one, other, &[], is_no_date_of_the_list);
}

#[test]
fn the_arrival_order_of_files_changes_no_document() {
    in_any_order(Dates::Stated);
    in_any_order(Dates::OfFiles);
}

#[test]
fn the_arrival_order_of_files_with_one_date_changes_no_document() {
    in_any_order(Dates::One);
}

#[test]
fn single_arrivals_serve_the_same_bytes_as_a_first_scan() {
    // The content of archives depends on the history: this site has none.
    let site = "[site]\ntitle = 'Gazette'\nauthority = 'gazette.example'";
    let files = files(Dates::Stated);
    let mut there = Site::configured(site);
    write(&there, files.iter());
    there.start();
    let mut came = Site::configured(site);
    came.start();
    for file in files.iter().rev() {
        write(&came, std::iter::once(file));
        let name = file.0.rsplit('/').next().unwrap().trim_end_matches(".md").to_lowercase();
        came.wait_until("it is served", |site| site.get(&format!("/articles/{name}")).status == 200);
    }
    compare(&there, &came, &[], is_no_date_of_the_list);
}
