//! Rules for the behaviour over time: what never changes, and the response when something has changed.

use std::io::Write;

use chrono::DateTime;
use gazetted::catalog::FILE;

use crate::site::{BASE_URL, Site};

#[test]
fn an_id_never_changes() {
    let mut site = Site::started();
    site.write("a.md", "# First\n\nText of the first article.");
    site.wait_for(&["First"]);
    let (id, published) = (site.entry("First")["id"].clone(), site.entry("First")["date_published"].clone());
    let same = |site: &Site, what: &str| {
        let item = site.feed()["items"][0].clone();
        assert_eq!((&item["id"], &item["date_published"]), (&id, &published), "{what}: standards 1, 6");
        for name in ["atom.xml", "rss.xml"] {
            assert!(site.get(&format!("/{name}")).text().contains(id.as_str().unwrap()), "{what}: {name}: standards 2");
        }
    };
    site.write("a.md", "# Second\n\nText of the first article, edited.");
    site.wait_for(&["Second"]);
    same(&site, "an edit");
    site.rename("a.md", "b.md");
    site.settle();
    site.remove("zz-barrier.txt");
    site.wait_for(&["Second"]);
    same(&site, "a rename");
    std::fs::create_dir(site.path("deep")).unwrap();
    site.rename("b.md", "deep/c.txt");
    site.wait_for(&["# Second"]);
    same(&site, "a move to another format");
    site.stop();
    site.reconfigure(
        "[site]\nbase_url = 'https://elsewhere.example/'\ntitle = 'Another'\nauthority = 'elsewhere.example'",
    );
    site.start();
    same(&site, "a restart under another name and address");
}

#[test]
fn a_file_still_being_written_is_not_published() {
    let mut site = Site::started();
    let mut file = std::fs::File::create(site.path("slow.md")).unwrap();
    file.write_all(b"# Slow\n\nThe first half").unwrap();
    file.flush().unwrap();
    site.settle();
    assert_eq!(site.titles(), ["Barrier"], "standards 10");
    file.write_all(b" and the second.").unwrap();
    drop(file);
    site.wait_for(&["Barrier", "Slow"]);
    assert!(site.entry("Slow")["content_html"].as_str().unwrap().contains("half and the second."), "standards 10");
}

#[test]
fn permanent_moves_redirect_in_one_step() {
    let mut site = Site::configured("[feed]\nentries = 2\nwindow = '1h'\narchive_entries = 2");
    for day in 1..=6 {
        site.write(&format!("{day}.md"), format!("---\ndate: 2024-01-0{day}\ntags: [t]\n---\n# Day {day}\n\nText."));
    }
    site.start();
    site.write("1.md", "---\ndate: 2024-01-01\ntags: [t]\nslug: first\n---\n# Day 1\n\nText.");
    site.wait_until("the address changes", |site| site.get("/articles/first").status == 200);
    for (asked, there) in
        [("/tags/T/atom.xml", "tags/t/atom.xml"), ("/articles/1", "articles/first"), ("/archive", "archive/")]
    {
        let moved = site.get(asked);
        assert_eq!(
            (moved.status, moved.field("location")),
            (301, format!("{BASE_URL}{there}").as_str()),
            "standards 122"
        );
        assert_eq!(site.get(&format!("/{there}")).status, 200, "{asked}: standards 122");
    }
    let newest =
        (1..9).take_while(|number| site.get(&format!("/archive/{number}/rss.xml")).status == 200).last().unwrap();
    let next = site.get(&format!("/archive/{}/rss.xml", newest + 1));
    assert_eq!(
        (next.status, next.field("location")),
        (307, "https://gazette.example/rss.xml"),
        "for now: standards 123"
    );
}

#[test]
fn a_missing_folder_empties_no_feed() {
    let mut site = Site::started();
    site.write("a.md", "---\ntags: [t]\n---\n# First\n\nText.");
    site.wait_for(&["First"]);
    site.stop();
    let away = site.root().with_extension("away");
    std::fs::rename(site.root(), &away).unwrap();
    site.start();
    assert_eq!(site.titles(), ["First"], "standards 124, 125");
    for path in ["/atom.xml", "/rss.xml", "/articles/a", "/tags/t/feed.json"] {
        assert_eq!(site.get(path).status, 200, "{path}: standards 124");
    }
    std::fs::rename(&away, site.root()).unwrap();
}

#[test]
fn an_unreadable_catalog_empties_no_feed() {
    let mut site = Site::started();
    site.may_be_damaged();
    site.write("a.md", "---\ntags: [t]\n---\n# First\n\nText.");
    site.wait_for(&["First"]);
    let catalog = rusqlite::Connection::open(site.state().join(FILE)).unwrap();
    catalog.execute_batch("ALTER TABLE view RENAME TO lost").unwrap();
    drop(catalog);
    let first = site.get("/tags/t/atom.xml");
    assert_eq!(first.status, 503, "standards 125, 128");
    assert!(first.field("retry-after").parse::<u32>().is_ok(), "standards 128");
    // The first failed reading has the catalog repaired; until then, nothing is served that lacks the entry.
    for path in ["/tags/t/atom.xml", "/tags/t/", "/feeds.opml", "/atom.xml"] {
        site.wait_until(&format!("{path} is served again"), |site| {
            let answer = site.get(path);
            match answer.status {
                200 => assert!(answer.text().contains("First") || path == "/feeds.opml", "{path}: {}", answer.text()),
                status => {
                    assert_eq!(status, 503, "{path}: standards 125, 128");
                    assert!(answer.field("retry-after").parse::<u32>().is_ok(), "{path}: standards 128");
                }
            }
            answer.status == 200
        });
    }
    assert!(site.get("/feeds.opml").text().contains("/tags/t/"), "the tag is known again");
    assert_eq!(site.damaged_catalogs().len(), 1, "the damaged catalog is kept");
}

#[test]
fn commonly_requested_addresses_are_served() {
    let site = Site::started();
    for path in ["/", "/favicon.ico", "/robots.txt"] {
        let answer = site.get(path);
        assert_eq!((answer.status, answer.body.is_empty()), (200, false), "{path}: standards 129");
        assert!(answer.field("cache-control").starts_with("max-age="), "{path}: standards 129");
        let again = site.ask("GET", path, &[("If-None-Match", answer.field("etag"))]);
        assert_eq!(again.status, 304, "{path}: standards 129");
    }
}

#[test]
fn every_page_links_to_its_feeds() {
    let mut site = Site::started();
    site.write("news/a.md", "---\ntags: [t]\nauthor: Ann\n---\n# First\n\nText.");
    site.wait_for(&["First"]);
    for (path, first) in [
        ("/", ""),
        ("/articles/a", ""),
        ("/tags/t/", "tags/t/"),
        ("/sections/news/", "sections/news/"),
        ("/authors/ann/", "authors/ann/"),
        ("/tags/", ""),
        ("/archive/", ""),
    ] {
        let page = site.get(path);
        let text = page.text();
        let head = text.split("</head>").next().unwrap();
        let is_feed = |link: &&str| link.starts_with("rel=\"alternate\"") && !link.contains("text/markdown");
        let links: Vec<&str> = head.split("<link ").filter(is_feed).collect();
        let of = |key: &str| -> Vec<&str> {
            links
                .iter()
                .map(|link| link.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap())
                .collect()
        };
        let addresses = of("href");
        assert_eq!(addresses[0], format!("{BASE_URL}{first}rss.xml"), "{path}: standards 141");
        for address in &addresses {
            assert_eq!(
                site.get(&format!("/{}", address.strip_prefix(BASE_URL).unwrap())).status,
                200,
                "{path}: standards 141"
            );
        }
        let mut titles = of("title");
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), links.len(), "{path}: standards 141");
        assert!(
            of("type").iter().all(|kind| kind.contains("rss") || kind.contains("atom") || kind.contains("json")),
            "standards 141"
        );
        let field = page.field("link");
        assert!(
            field.starts_with(&format!("<{}>; rel=\"alternate\"; type=\"application/rss+xml\"", addresses[0])),
            "{path}: standards 142"
        );
        assert!(field.split(", ").all(|link| link.matches("rel=").count() == 1), "{path}: standards 142");
    }
}

#[test]
fn the_list_of_feeds_has_the_recommended_attributes() {
    let list = super::sample_site::documents_of("feeds.opml").next().unwrap();
    let xml = roxmltree::Document::parse(list.text()).unwrap();
    let root = xml.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("version")), ("opml", Some("2.0")), "standards 143");
    let text =
        |name: &str| xml.descendants().find(|node| node.has_tag_name(name)).and_then(|node| node.text()).unwrap();
    assert!(!text("title").is_empty(), "standards 143");
    assert!(DateTime::parse_from_rfc2822(text("dateModified")).is_ok(), "standards 143");
    for outline in xml.descendants().filter(|node| node.has_tag_name("outline")) {
        assert!(outline.attribute("text").is_some_and(|text| !text.trim().is_empty()), "standards 143");
        assert_eq!(outline.attribute("title"), outline.attribute("text"), "standards 143");
        let is_group = outline.attribute("xmlUrl").is_none();
        assert!(is_group || outline.attribute("type") == Some("rss"), "standards 143");
        assert!(is_group || outline.attribute("version") == Some("RSS2"), "standards 143");
        assert!(is_group || outline.attribute("htmlUrl").is_some_and(|page| page.ends_with('/')), "standards 143");
    }
}
