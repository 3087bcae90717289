//! The order of entries with one date, and the feeds that are podcasts.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::site::Site;

/// A recording of a few frames of silence.
fn silence() -> Vec<u8> {
    let mut frame = vec![0xFF, 0xFB, 0x90, 0x00];
    frame.resize(417, 0);
    frame.repeat(4)
}

fn titles(site: &Site, path: &str) -> Vec<String> {
    let feed: Value = serde_json::from_str(&site.get(path).text()).unwrap();
    feed["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// Titles in the order of a page.
fn listed(site: &Site, path: &str) -> Vec<String> {
    let page = site.get(path).text();
    let list = page.split_once("<ul class=\"titles\"").map_or(page.as_str(), |(_, list)| list);
    let mark = if list.len() < page.len() { "<time " } else { "<h3 " };
    let titles = list.split(mark).skip(1).filter(|part| part.contains("u-url") || mark == "<time ");
    titles.map(|part| part.split("</a>").next().unwrap().rsplit('>').next().unwrap().to_owned()).collect()
}

/// Writes files with the same modification time, which is their date.
fn write_at_once(site: &Site, names: &[String], bytes: &[u8]) {
    for (number, name) in (0..).zip(names) {
        // Files of the same bytes would be one article.
        site.write(name, [bytes, &[number]].concat());
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let file = std::fs::File::options().append(true).open(site.path(name)).unwrap();
        file.set_modified(date).unwrap();
    }
}

#[test]
fn of_many_articles_of_one_second_the_last_is_the_first_in_each_list() {
    let mut site = Site::configured(
        "[site]\nbase_url = 'https://gazette.example/'\n[feed]\nentries = 5\nmax_bytes = '24KiB'\narchive_entries = 10",
    );
    let article = |number: usize| format!("---\ndate: 2024-05-01\ntags: [sea]\n---\n# Number {number}\n\nText of it.");
    for number in 0..40 {
        site.write(&format!("news/{number:02}.md"), article(number));
    }
    site.start();
    site.wait_until("there are archives", |site| site.get("/archive/2/feed.json").status == 200);
    assert!(titles(&site, "/feed.json").len() < 20, "not all fit into a feed");
    // By their names, they precede, follow and are between the others.
    for (number, name) in [(100, "news/00a.md"), (101, "news/zz.md"), (102, "news/20a.md")] {
        site.write(name, article(number));
        let title = format!("Number {number}");
        site.wait_until("the last is the first", |site| {
            titles(site, "/feed.json")[0] == title
                && titles(site, "/tags/sea/feed.json")[0] == title
                && titles(site, "/sections/news/feed.json")[0] == title
        });
        for page in ["/", "/tags/sea/", "/sections/news/"] {
            assert_eq!(listed(&site, page)[0], title, "{page}");
        }
        for document in ["/rss.xml", "/atom.xml", "/tags/sea/rss.xml"] {
            let text = site.get(document).text();
            let entries = text.split(if document.contains("atom") { "<entry>" } else { "<item>" });
            assert!(entries.into_iter().nth(1).unwrap().contains(&title), "{document}");
        }
    }
    let feed = titles(&site, "/feed.json");
    assert_eq!(&feed[..3], ["Number 102", "Number 101", "Number 100"]);
    // A list of all is the feed, then the archives from the newest to the oldest, without a jump.
    let view = titles(&site, "/tags/sea/feed.json");
    assert_eq!(view[..5], feed[..5]);
    for archive in 1..=3 {
        let path = format!("/archive/{archive}/");
        let found = titles(&site, &format!("{path}feed.json"));
        assert_eq!(found, listed(&site, &path), "{path}");
        let older = titles(&site, "/archive/1/feed.json");
        assert!(archive == 1 || !found.iter().any(|title| older.contains(title)), "{path}");
    }
    let (etag, bytes) = (site.get("/atom.xml").field("etag").to_owned(), site.get("/tags/sea/atom.xml").body);
    site.restart();
    assert_eq!(site.get("/atom.xml").field("etag"), etag);
    assert_eq!(site.get("/tags/sea/atom.xml").body, bytes);
}

#[test]
fn episodes_of_one_date_are_ordered_by_season_and_number_or_by_name() {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/'");
    let names: Vec<String> = (1..=11).map(|number| format!("cast/ep{number}.mp3")).collect();
    write_at_once(&site, &names, &silence());
    // The name says nothing about these.
    for (file, season, episode) in [("z", 1, 2), ("a", 1, 10), ("m", 2, 1)] {
        let header = format!("date: 2023-01-01\naudio: {file}.mp3\nseason: {season}\nepisode: {episode}");
        site.write(&format!("show/{file}.md"), format!("---\n{header}\n---\n# S{season} E{episode}\n\nText"));
        site.write(&format!("show/{file}.mp3"), [silence(), file.as_bytes().to_vec()].concat());
    }
    site.start();
    site.wait_until("all are there", |site| site.titles().len() == 14);
    let newest_first: Vec<String> = (1..=11).rev().map(|number| format!("ep{number}")).collect();
    let seasons = ["S2 E1", "S1 E10", "S1 E2"].map(str::to_owned);
    for (place, expected) in [
        ("/sections/cast/", newest_first.clone()),
        ("/sections/show/", seasons.to_vec()),
        ("/", [&newest_first[..], &seasons].concat()),
    ] {
        assert_eq!(titles(&site, &format!("{place}feed.json")), expected, "{place}");
        assert_eq!(listed(&site, place), expected, "{place}");
        let rss = site.get(&format!("{place}rss.xml")).text();
        let found: Vec<&str> = rss.split("<title>").skip(2).map(|rest| rest.split('<').next().unwrap()).collect();
        assert_eq!(found, expected, "{place}");
    }
    // An episode whose number changes moves.
    let header = "date: 2023-01-01\naudio: z.mp3\nseason: 1\nepisode: 12";
    site.write("show/z.md", format!("---\n{header}\n---\n# S1 E12\n\nText"));
    site.wait_until("it moves", |site| titles(site, "/sections/show/feed.json") == ["S2 E1", "S1 E12", "S1 E10"]);
    site.wait_until("in the main feed, too", |site| site.titles()[11..] == ["S2 E1", "S1 E12", "S1 E10"]);
    site.rename("cast/ep2.mp3", "cast/ep12.mp3");
    site.wait_until("a renamed one moves", |site| titles(site, "/sections/cast/feed.json")[0] == "ep12");
}

#[test]
fn a_feed_is_a_podcast_if_nearly_all_articles_have_recordings_also_those_below_its_window() {
    let mut site = Site::configured(
        "[site]\nbase_url = 'https://gazette.example/'\n[feed]\nentries = 3\nwindow = '1h'\narchive_entries = 100",
    );
    for number in 1..=18 {
        site.write(&format!("cast/2024-01-{number:02}.mp3"), [silence(), vec![number]].concat());
    }
    site.start();
    site.settle();
    let has = |site: &Site, place: &str, element: &str| site.get(&format!("{place}rss.xml")).text().contains(element);
    let is_podcast = |site: &Site, place: &str| {
        let found = ["xmlns:itunes", "xmlns:podcast", "<podcast:guid>", "<itunes:explicit>"];
        let found = found.map(|element| has(site, place, element));
        assert!(found == [true; 4] || found == [false; 4], "{place}: {found:?}");
        found[0]
    };
    assert!(is_podcast(&site, "/sections/cast/") && is_podcast(&site, "/"), "18 of 19");
    // The window holds one recording and two texts now, and still is one of a podcast.
    site.write("cast/a.md", "---\ndate: 2024-02-01\n---\n# A\n\nText");
    site.wait_until("it is listed", |site| titles(site, "/sections/cast/feed.json")[0] == "A");
    assert!(is_podcast(&site, "/sections/cast/"), "18 of 19");
    assert!(is_podcast(&site, "/"), "18 of 20");
    // An old text, which no document of the folder shows, decides.
    let before = site.get("/sections/cast/rss.xml");
    site.write("cast/b.md", "---\ndate: 2022-02-01\n---\n# B\n\nText");
    site.write("cast/c.md", "---\ndate: 2022-02-02\n---\n# C\n\nText");
    site.wait_until("both are published", |site| {
        site.get("/articles/b").status == 200 && site.get("/articles/c").status == 200
    });
    site.wait_until("the folder is no podcast any more", |site| !has(site, "/sections/cast/", "itunes"));
    assert!(!is_podcast(&site, "/sections/cast/") && !is_podcast(&site, "/"), "18 of 21");
    let after = site.get("/sections/cast/rss.xml");
    assert_ne!(
        (before.field("etag"), before.field("last-modified")),
        (after.field("etag"), after.field("last-modified"))
    );
    let bytes = [after.body, site.get("/rss.xml").body];
    site.restart();
    assert_eq!([site.get("/sections/cast/rss.xml").body, site.get("/rss.xml").body], bytes);
    for name in ["a", "b", "c"] {
        site.remove(&format!("cast/{name}.md"));
    }
    site.wait_until("it is a podcast again", |site| has(site, "/sections/cast/", "<itunes:explicit>"));
    site.wait_until("so is the main feed", |site| has(site, "/", "<itunes:explicit>"));
}
