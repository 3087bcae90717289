//! Feeds of folders, tags and authors: which exist, their content, and when they change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::random::Random;
use crate::site::{BASE_URL, Site};

fn items(site: &Site, path: &str) -> Vec<Value> {
    let answer = site.get(path);
    assert_eq!(answer.status, 200, "{path}");
    let feed: Value = serde_json::from_str(&answer.text()).unwrap();
    feed["items"].as_array().unwrap().clone()
}

fn titles(site: &Site, path: &str) -> Vec<String> {
    items(site, path).iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

fn library() -> Site {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/'\ntitle = 'Gazette'");
    site.write("news/sport/a.md", "---\ndate: 2024-01-03\ntags: [Rust, Café, 'C++']\nauthor: Zoë Ø\n---\n# A\n\nText.");
    site.write("news/b.md", "---\ndate: 2024-01-02\ntags: [rust, 日本語]\nauthors: [Ann, zoe o]\n---\n# B\n\nText.");
    site.write("c.md", "---\ndate: 2024-01-01\ntags: [CAFE, C]\n---\n# C\n\nText.");
    site.start();
    site.wait_for(&["A", "B", "C"]);
    site
}

#[test]
fn every_folder_tag_and_author_has_its_feed() {
    let site = library();
    for (path, expected) in [
        ("/sections/news/", &["A", "B"][..]),
        ("/sections/news/sport/", &["A"]),
        ("/tags/rust/", &["A", "B"]),
        ("/tags/cafe/", &["A", "C"]),
        ("/tags/c/", &["C"]),
        ("/tags/c-plus-plus/", &["A"]),
        ("/tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/", &["B"]),
        ("/authors/zoe-o/", &["A", "B"]),
        ("/authors/ann/", &["B"]),
    ] {
        assert_eq!(titles(&site, &format!("{path}feed.json")), expected, "{path}");
        let atom = site.get(&format!("{path}atom.xml"));
        assert!(
            atom.text().contains(&format!("<link href=\"https://gazette.example{path}atom.xml\" rel=\"self\"")),
            "{path}"
        );
        let rss = site.get(&format!("{path}rss.xml"));
        assert_eq!(rss.field("content-type"), "application/rss+xml; charset=utf-8");
        assert_eq!(rss.text().matches("<item>").count(), expected.len(), "{path}");
        let page = site.get(path);
        assert_eq!(page.field("content-type"), "text/html; charset=utf-8");
        assert!(page.field("link").starts_with(&format!("<https://gazette.example{path}rss.xml>; rel=\"alternate\"")));
        assert!(expected.iter().all(|title| page.text().contains(&format!(">{title}</a>"))), "{path}");
    }
}

#[test]
fn feed_ids_are_distinct_and_permanent() {
    let mut site = library();
    let id = |site: &Site, path: &str| {
        let text = site.get(path).text();
        text.split("<id>").nth(1).unwrap().split("</id>").next().unwrap().to_owned()
    };
    let paths = ["/atom.xml", "/tags/rust/atom.xml", "/tags/c/atom.xml", "/sections/news/atom.xml"];
    let before = paths.map(|path| id(&site, path));
    let mut distinct = before.to_vec();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), paths.len(), "standards 5");
    site.reconfigure("[site]\nbase_url = 'https://elsewhere.example/'\ntitle = 'Other'");
    site.restart();
    assert_eq!(paths.map(|path| id(&site, path)), before, "standards 5");
}

#[test]
fn an_empty_view_is_served_and_an_unknown_one_is_not_found() {
    let mut site = library();
    for path in
        ["/tags/none/", "/tags/none/rss.xml", "/sections/none/atom.xml", "/authors/none/feed.json", "/tags/a/b/"]
    {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
    site.remove("news/b.md");
    site.wait_for(&["A", "C"]);
    assert_eq!(titles(&site, "/authors/ann/feed.json"), [] as [&str; 0]);
    assert_eq!(site.get("/authors/ann/").status, 200);
    assert_eq!(site.get("/authors/ann/rss.xml").status, 200);
    let atom = site.get("/authors/ann/atom.xml").text();
    assert!(atom.contains("<at:deleted-entry") && !atom.contains("<entry>"), "{atom}");
    assert!(!site.get("/feeds.opml").text().contains("/authors/ann/"), "empty feeds are not listed");
}

#[test]
fn an_empty_folder_has_a_feed() {
    let mut site = Site::new();
    std::fs::create_dir_all(site.path("plans/next year")).unwrap();
    site.start();
    assert_eq!(titles(&site, "/sections/plans/next-year/feed.json"), [] as [&str; 0]);
    assert!(!site.get("/feeds.opml").text().contains("plans"));
    site.write("plans/next year/a.md", "# A\n\nText.");
    site.wait_for(&["A"]);
    assert_eq!(titles(&site, "/sections/plans/next-year/feed.json"), ["A"]);
    assert!(site.get("/feeds.opml").text().contains("/sections/plans/next-year/rss.xml"));
}

#[test]
fn each_spelling_of_a_name_redirects_to_one_address() {
    let site = library();
    for (asked, address) in [
        ("/tags/Rust", "tags/rust/"),
        ("/tags/RUST/atom.xml", "tags/rust/atom.xml"),
        ("/tags/Caf%C3%A9/", "tags/cafe/"),
        ("/tags/C%2B%2B/", "tags/c-plus-plus/"),
        ("/sections/News/Sport", "sections/news/sport/"),
        ("/authors/Zo%C3%AB%20%C3%98/feed.json", "authors/zoe-o/feed.json"),
        ("/tags", "tags/"),
        ("/archive", "archive/"),
    ] {
        let answer = site.get(asked);
        assert_eq!(
            (answer.status, answer.field("location")),
            (301, format!("{BASE_URL}{address}").as_str()),
            "{asked}"
        );
    }
    assert_eq!(site.get("/tags/Nothing").status, 404, "what is not there is not moved");
}

#[test]
fn a_view_changes_only_with_its_articles() {
    let mut site = library();
    let validators = |site: &Site, path: &str| {
        let answer = site.get(path);
        assert_eq!(answer.status, 200, "{path}");
        (answer.field("etag").to_owned(), answer.field("last-modified").to_owned(), answer.body)
    };
    let (rust, c) = ("/tags/rust/atom.xml", "/tags/c/atom.xml");
    let before = (validators(&site, rust), validators(&site, c));
    site.write("c.md", "---\ndate: 2024-01-01\ntags: [CAFE, C]\n---\n# C\n\nText, edited.");
    site.wait_until("the edit is served", |site| site.get("/atom.xml").text().contains("edited"));
    let after = (validators(&site, rust), validators(&site, c));
    assert_eq!(before.0, after.0, "standards 89");
    assert!(before.1.0 != after.1.0 && before.1.1 != after.1.1, "standards 88");
    assert!(String::from_utf8_lossy(&after.1.2).contains("edited"));
    site.restart();
    assert_eq!((validators(&site, rust), validators(&site, c)), after, "standards 86, 87");
    let answer = site.ask("GET", rust, &[("if-none-match", &after.0.0)]);
    assert_eq!(answer.status, 304);
}

#[test]
fn articles_outside_a_window_change_nothing() {
    let mut site = Site::configured("[feed]\nentries = 2\nwindow = '1h'");
    for day in 1..=5 {
        site.write(&format!("{day}.md"), format!("---\ndate: 2024-01-0{day}\ntags: [t]\n---\n# Day {day}\n\nText."));
    }
    site.start();
    assert_eq!(titles(&site, "/tags/t/feed.json"), ["Day 5", "Day 4"]);
    // The window of the tag is known once a version has been served.
    site.write("6.md", "---\ndate: 2024-01-06\ntags: [t]\n---\n# Day 6\n\nText.");
    site.wait_until("the sixth is there", |site| site.titles().contains(&"Day 6".to_owned()));
    site.settle();
    let before = site.get("/tags/t/rss.xml");
    site.write("1.md", "---\ndate: 2024-01-01\ntags: [t]\n---\n# Day 1\n\nText, edited.");
    site.wait_until("the edit is served", |site| site.get("/articles/1").text().contains("edited"));
    let after = site.get("/tags/t/rss.xml");
    for field in ["etag", "last-modified"] {
        assert_eq!(before.field(field), after.field(field), "standards 89");
    }
    site.remove("6.md");
    site.wait_until("the sixth is gone", |site| site.get("/articles/6").status == 410);
    assert_eq!(titles(&site, "/tags/t/feed.json"), ["Day 5", "Day 4"]);
}

#[test]
fn moved_articles_change_their_sections() {
    let mut site = library();
    let id = site.entry("A")["id"].clone();
    site.rename("news/sport", "games");
    site.wait_until("it has moved", |site| site.get("/sections/games/feed.json").text().contains("\"A\""));
    assert_eq!(titles(&site, "/sections/news/feed.json"), ["B"]);
    assert_eq!(titles(&site, "/sections/news/sport/feed.json"), [] as [&str; 0]);
    assert_eq!(items(&site, "/sections/games/feed.json")[0]["id"], id);
    let atom = site.get("/sections/news/sport/atom.xml").text();
    assert!(!atom.contains("deleted-entry"), "it was not deleted: {atom}");
}

#[test]
fn nothing_reveals_unpublished_articles() {
    let mut site = library();
    site.write("later/d.md", "---\ndate: 2999-01-01\ntags: [takeover]\nauthor: Secret\n---\n# D\n\nText.");
    site.settle();
    assert_eq!(site.get("/tags/takeover/").status, 404);
    assert_eq!(site.get("/authors/secret/rss.xml").status, 404);
    for path in ["/feeds.opml", "/tags/", "/authors/", "/"] {
        let text = site.get(path).text().to_lowercase();
        assert!(!text.contains("takeover") && !text.contains("secret"), "{path}");
    }
}

#[test]
fn a_view_is_named_by_the_most_common_spelling() {
    let mut site = library();
    let title = |site: &Site| {
        let feed: Value = serde_json::from_str(&site.get("/tags/cafe/feed.json").text()).unwrap();
        feed["title"].as_str().unwrap().to_owned()
    };
    assert_eq!(title(&site), "Tag: CAFE – Gazette", "of two that are as common the first by alphabet");
    site.write("d.md", "---\ndate: 2024-01-04\ntags: [Café]\n---\n# D\n\nText.");
    site.wait_for(&["A", "B", "C", "D"]);
    assert_eq!(title(&site), "Tag: Café – Gazette");
    assert!(site.get("/feeds.opml").text().contains("text=\"Tag: Café – Gazette\""));
}

#[test]
fn opml_lists_all_feeds() {
    let site = library();
    let answer = site.get("/feeds.opml");
    assert_eq!(answer.field("content-type"), "text/x-opml; charset=utf-8", "standards 107");
    let text = answer.text();
    assert!(text.contains("<opml version=\"2.0\">"), "standards 143");
    for path in ["", "sections/news/", "sections/news/sport/", "tags/rust/", "tags/c-plus-plus/", "authors/ann/"] {
        let outline = format!("xmlUrl=\"{BASE_URL}{path}rss.xml\" htmlUrl=\"{BASE_URL}{path}\"");
        assert!(text.contains(&outline), "{path}: {text}");
    }
}

#[test]
fn a_folder_a_tag_an_author_and_the_site_of_one_name_have_distinct_titles() {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/'\ntitle = 'Rust'");
    site.write("rust/a.md", "---\ntags: [Rust]\nauthor: Rust\n---\n# A\n\nText.");
    site.start();
    site.wait_for(&["A"]);
    let places = ["", "sections/rust/", "tags/rust/", "authors/rust/"];
    let title = |start: &str, place: &str, file: &str, end: &str| {
        let text = site.get(&format!("/{place}{file}")).text();
        text.split(start).nth(1).unwrap().split(end).next().unwrap().to_owned()
    };
    let rss: BTreeSet<String> = places.iter().map(|place| title("<title>", place, "rss.xml", "<")).collect();
    assert_eq!(rss.len(), places.len(), "{rss:?}");
    let json: BTreeSet<String> = places.iter().map(|place| title("\"title\":\"", place, "feed.json", "\"")).collect();
    assert_eq!(json, rss);
    let pages: BTreeSet<String> = places.iter().map(|place| title("<title>", place, "", "<")).collect();
    assert_eq!(pages, rss);
    let opml = site.get("/feeds.opml").text();
    let outlines = opml.split("<outline type=").skip(1);
    let outlines: BTreeSet<String> = outlines
        .map(|outline| outline.split(" title=\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
        .collect();
    assert_eq!(outlines, rss, "{opml}");
}

#[test]
fn a_deletion_is_announced_once_in_each_feed_of_the_article() {
    let mut site = library();
    let id = site.entry("A")["id"].as_str().unwrap().to_owned();
    site.remove("news/sport/a.md");
    site.wait_for(&["B", "C"]);
    assert_eq!(site.get("/articles/a").status, 410, "standards 69");
    for path in ["/atom.xml", "/tags/rust/atom.xml", "/sections/news/atom.xml", "/authors/zoe-o/atom.xml"] {
        let text = site.get(path).text();
        let tombstone = format!("<at:deleted-entry ref=\"{id}\" when=\"");
        assert_eq!(text.matches(&tombstone).count(), 1, "{path}: standards 66");
        let (stone, entry) = (text.find(&tombstone).unwrap(), text.find("<entry>").unwrap());
        assert!(stone < entry, "{path}: standards 68");
        assert!(text.contains("xmlns:at=\"http://purl.org/atompub/tombstones/1.0\""), "{path}: standards 21");
    }
    assert!(!site.get("/tags/c/atom.xml").text().contains("deleted-entry"));
    for path in ["/rss.xml", "/feed.json", "/tags/rust/rss.xml", "/tags/rust/feed.json", "/"] {
        assert!(!site.get(path).text().contains(&id), "{path}");
    }
    // The article returns, newer than its tombstone, which is removed.
    let gone = site.get("/atom.xml").text();
    let when = gone.split("when=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    site.write("news/sport/a.md", "---\ndate: 2024-01-03\ntags: [Rust, Café, 'C++']\nauthor: Zoë Ø\n---\n# A\n\nText.");
    site.wait_for(&["A", "B", "C"]);
    let back = site.entry("A");
    assert_eq!(back["id"], id.as_str());
    assert!(back["date_modified"].as_str().unwrap() > when.as_str(), "standards 67");
    assert!(!site.get("/atom.xml").text().contains("deleted-entry"), "standards 67");
    assert!(!site.get("/tags/rust/atom.xml").text().contains("deleted-entry"), "standards 67");
}

/// Every document of every view, with its validators.
fn documents(site: &Site) -> BTreeMap<String, (String, String, Vec<u8>)> {
    let mut places: Vec<String> = vec![String::new()];
    for kind in ["tags/t", "authors/a", "sections/s"] {
        places.extend((0..4).map(|number| format!("{kind}{number}/")));
    }
    places.extend((1..9).map(|number| format!("archive/{number}/")));
    let names = ["", "atom.xml", "rss.xml", "feed.json"];
    let mut paths: Vec<String> = places.iter().flat_map(|place| names.map(|name| format!("/{place}{name}"))).collect();
    paths.extend(["/tags/", "/authors/", "/sections/", "/archive/", "/feeds.opml"].map(str::to_owned));
    let mut found = BTreeMap::new();
    for path in paths {
        let answer = site.get(&path);
        assert!([200, 307, 404].contains(&answer.status), "{path}: {}", answer.status);
        if answer.status == 200 {
            let field = |name| answer.field(name).to_owned();
            found.insert(path, (field("etag"), field("last-modified"), answer.body.clone()));
        }
    }
    found
}

/// Makes one random change in the folder.
fn change(site: &Site, random: &mut Random, files: &mut BTreeMap<usize, String>, step: usize) {
    let text = |number: usize, random: &mut Random| {
        let (tag, author) = (random.below(4), random.below(4));
        let spelling = if random.below(3) == 0 { "T" } else { "t" };
        let date = format!("2024-{:02}-{:02}", 1 + number % 12, 1 + number % 28);
        let expires = if random.below(12) == 0 { "expires: 2020-01-01\n" } else { "" };
        let draft = if random.below(12) == 0 { "draft: true\n" } else { "" };
        let date = if random.below(12) == 0 { "2999-01-01".to_owned() } else { date };
        let head = format!("date: {date}\ntags: [{spelling}{tag}]\nauthor: A{author}\n{expires}{draft}");
        format!("---\n{head}---\n# Number {number}\n\nStep {step}. {}", "Words. ".repeat(random.below(60)))
    };
    let any = |random: &mut Random| files.keys().nth(random.below(files.len().max(1))).copied();
    match (random.below(6), any(random)) {
        (0, Some(number)) => site.remove(&files.remove(&number).unwrap()),
        (1, Some(number)) => {
            let to = format!("s{}/{number}.md", random.below(4));
            if to != files[&number] {
                std::fs::create_dir_all(site.path(&to).parent().unwrap()).unwrap();
                site.rename(&files[&number], &to);
                files.insert(number, to);
            }
        }
        (2 | 3, Some(number)) => site.write(&files[&number], text(number, random)),
        _ => {
            let number = step;
            let name = format!("s{}/{number}.md", random.below(4));
            site.write(&name, text(number, random));
            files.insert(number, name);
        }
    }
}

/// Other bytes have another ETag and a later date, the same bytes the same; and a restarted daemon serves the same as one
/// that has been running.
#[test]
fn bytes_and_validators_change_together() {
    let configuration = "
        [site]\nbase_url = 'https://gazette.example/'
        [feed]\nentries = 4\narchive_entries = 6\nwindow = '1h'\nmax_bytes = '12 KiB'";
    let mut site = Site::configured(configuration);
    let mut random = Random::new(11);
    let mut files = BTreeMap::new();
    for step in 0..40 {
        change(&site, &mut random, &mut files, step);
    }
    site.start();
    let mut before = documents(&site);
    let (mut changed, mut needless) = (0, 0);
    for round in 0..12 {
        for step in 0..3 {
            change(&site, &mut random, &mut files, 40 + round * 3 + step);
        }
        // Deletions have a grace period of two seconds.
        std::thread::sleep(std::time::Duration::from_millis(2_300));
        site.write("zz.txt", format!("Barrier {round}"));
        site.wait_until("the barrier is seen", |site| site.titles().contains(&format!("Barrier {round}")));
        let warm = documents(&site);
        for (path, (tag, date, body)) in &warm {
            let Some((old_tag, old_date, old_body)) = before.get(path) else { continue };
            assert_eq!(tag == old_tag, body == old_body, "{path}: standards 84");
            let [date, old_date] = [date, old_date].map(|date| httpdate::parse_http_date(date).unwrap());
            if body == old_body {
                if date != old_date {
                    // JSON and pages do not show everything that moves the date, such as tombstones.
                    needless += usize::from(path.ends_with("xml"));
                }
            } else {
                let texts = [old_body, body].map(|body| String::from_utf8_lossy(body).into_owned());
                assert!(date > old_date, "{path}, round {round}: standards 88\n{}\n----\n{}", texts[0], texts[1]);
                changed += 1;
            }
        }
        if round % 4 == 3 {
            site.restart();
            let cold = documents(&site);
            for (path, document) in &warm {
                assert!(
                    cold.get(path) == Some(document),
                    "{path}, round {round}: another daemon serves something else"
                );
            }
        }
        before = warm;
    }
    println!("{changed} documents changed, {needless} dates moved without");
    assert!(changed > 200, "only {changed} changes: is the test blind?");
    assert!(needless * 20 < changed, "{needless} dates moved although nothing changed: standards 89");
}
