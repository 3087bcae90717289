//! Finding articles: the archive by year, counts of tags, neighbours, pinned articles.

use crate::site::{Answer, BASE_URL, Site};

/// Titles of the lines of a page, in its order.
fn lines(page: &str) -> Vec<String> {
    let list = page.split("<ul class=\"titles\"").skip(1).map(|rest| rest.split("</ul>").next().unwrap());
    let items = list.flat_map(|list| list.split("<a href").skip(1));
    items.map(|item| item.split("</a>").next().unwrap().rsplit('>').next().unwrap().to_owned()).collect()
}

/// The validators of a response.
fn validators(answer: &Answer) -> (String, String) {
    (answer.field("etag").to_owned(), answer.field("last-modified").to_owned())
}

/// The names and numbers of the pills or items of a list.
fn counts(page: &str) -> Vec<(String, String)> {
    let text = |html: &str| html.rsplit('>').next().unwrap().trim().to_owned();
    let before = |part: &str| text(part.trim_end().trim_end_matches("</a>"));
    let parts: Vec<&str> = page.split("<span class=\"count\">").collect();
    let pair = |pair: &[&str]| (before(pair[0]), pair[1].split('<').next().unwrap().to_owned());
    parts.windows(2).map(pair).collect()
}

#[test]
fn the_archive_lists_every_article_by_year_and_lists_have_counts() {
    let mut site = Site::configured(&format!(
        "[site]\nbase_url = '{BASE_URL}'\nlanguage = 'de'\n[feed]\narchive_entries = 10\nentries = 25"
    ));
    for number in 0..30 {
        let year = 2019 + number / 10;
        let tag = format!("part {}", number % 12);
        let text = format!(
            "---\ndate: {year}-05-{:02}\ntags: ['{tag}', Zug]\nauthor: Ann\n---\n# Number {number}\n\nText.",
            number + 1
        );
        site.write(&format!("news/{number:02}.md"), text);
    }
    site.write("late.md", "---\ndate: 2024-01-02\ntags: [Ärger, apfel]\nlang: en\n---\n# Late & great\n\nText.");
    site.write("news/later.md", "---\ndate: 2999-01-02\ntags: [Zug]\nauthor: Ann\n---\n# Not yet\n\nText.");
    site.write("news/draft.md", "---\ndate: 2018-01-02\ndraft: true\ntags: [Zug]\nauthor: Ann\n---\n# Draft\n\nText.");
    site.start();
    site.wait_until("all is there", |site| lines(&site.get("/archive/").text()).len() == 31);
    site.wait_until("there are archives", |site| site.get("/archive/1/feed.json").status == 200);

    let index = site.get("/archive/").text();
    let titles = lines(&index);
    assert_eq!(
        (titles[0].as_str(), titles[1].as_str(), titles[30].as_str()),
        ("Late &amp; great", "Number 29", "Number 0")
    );
    assert_eq!(
        counts(&index),
        [("2024", "1"), ("2021", "10"), ("2020", "10"), ("2019", "10")].map(|(a, b)| (a.into(), b.into()))
    );
    assert!(index.contains("<h2 class=\"section\"><a href=\"/years/2021/\">2021</a></h2>"), "{index}");
    let line = ">30. Mai 2021</time> <a href=\"/articles/29\" lang=\"de\" dir=\"auto\">Number 29</a>";
    assert!(index.contains(line), "{index}");
    assert!(index.contains(" lang=\"en\" dir=\"ltr\">Late &amp; great</a>"), "{index}");
    for (year, count) in [(2019, 10), (2020, 10), (2021, 10), (2024, 1)] {
        assert_eq!(lines(&site.get(&format!("/years/{year}/")).text()).len(), count, "{year}");
    }
    let year = site.get("/years/2020/").text();
    assert_eq!((lines(&year).len(), lines(&year)[0].as_str()), (10, "Number 19"));
    assert!(year.contains("<h1>Archiv 2020</h1>") && year.contains("<a href=\"/archive/\">Archiv</a>"), "{year}");
    assert_eq!(lines(&site.get("/years/2020/05/").text()).len(), 10);
    for (path, status) in [("/years/2018/", 404), ("/years/2999/", 404), ("/years/2020/06/", 404), ("/years/20/", 404)]
    {
        assert_eq!(site.get(path).status, status, "{path}");
    }
    for (path, place) in [("/years/2020", "years/2020/"), ("/years/", "archive/")] {
        let answer = site.get(path);
        assert_eq!((answer.status, answer.field("location").to_owned()), (301, format!("{BASE_URL}{place}")), "{path}");
    }
    // The page of an archive has a title on each line; its feeds are as they were.
    let archive = site.get("/archive/1/").text();
    assert_eq!((lines(&archive).len(), lines(&archive)[9].as_str()), (10, "Number 0"));
    assert!(site.get("/archive/1/feed.json").text().contains("Number 0"));
    let sitemap = site.get("/sitemap.xml").text();
    for place in ["archive/", "years/2024/", "years/2019/"] {
        assert!(sitemap.contains(&format!("<loc>{BASE_URL}{place}</loc>")), "{place}: {sitemap}");
    }
    assert!(!sitemap.contains("years/2018/") && !sitemap.contains("years/2999/"), "{sitemap}");
    // The front page is short; feeds are not.
    let front = site.get("/").text();
    assert_eq!((front.matches("<li class=\"h-entry\">").count(), site.titles().len()), (20, 25));
    assert!(front.contains("<p class=\"more\"><a href=\"/archive/\">"), "{front}");

    // Natural order, and only what is public counts.
    let tags = site.get("/tags/");
    let names: Vec<String> = counts(&tags.text()).into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    let parts = (0..12).map(|part| format!("part {part} {}", if part < 6 { 3 } else { 2 }));
    let expected: Vec<String> =
        ["apfel 1".to_owned(), "Ärger 1".to_owned()].into_iter().chain(parts).chain(["Zug 30".to_owned()]).collect();
    assert_eq!(names, expected);
    assert!(front.contains("Zug <span class=\"count\">30</span></a>"), "{front}");
    assert_eq!(counts(&site.get("/sections/").text()), [("news".to_owned(), "30".to_owned())]);
    assert_eq!(counts(&site.get("/authors/").text()), [("Ann".to_owned(), "30".to_owned())]);

    // The bytes of these pages move with their validators, and with nothing else.
    let opml = validators(&site.get("/feeds.opml"));
    let lists = ["/archive/", "/years/2020/", "/tags/", "/sections/", "/authors/"];
    let before = lists.map(|path| validators(&site.get(path)));
    site.remove("news/10.md");
    site.wait_until("it is gone", |site| lines(&site.get("/years/2020/").text()).len() == 9);
    let after = lists.map(|path| validators(&site.get(path)));
    for (before, after) in before.iter().zip(&after) {
        assert!(before.0 != after.0 && before.1 != after.1, "{before:?} {after:?}");
    }
    assert!(site.get("/tags/").text().contains("Zug</a> <span class=\"count\">29</span>"));
    assert_eq!(validators(&site.get("/feeds.opml")), opml, "no view came or went");
    site.restart();
    assert_eq!(lists.map(|path| validators(&site.get(path))), after, "over a restart");
}

/// The titles of the articles before and after the one of a page.
fn neighbours(page: &str) -> [Option<String>; 2] {
    let title = |rel: &str| {
        let link = page.split("class=\"more around\"").nth(1)?.split(&format!("rel=\"{rel}\">")).nth(1)?;
        Some(link.split("</span></a>").next()?.rsplit('>').next()?.to_owned())
    };
    [title("prev"), title("next")]
}

#[test]
fn the_pages_of_an_articles_neighbours_change_with_it_and_no_others() {
    // Two articles are in the feed; the pages of the others are rendered on demand.
    let mut site = Site::configured(&format!("[site]\nbase_url = '{BASE_URL}'\n[feed]\nentries = 2\nwindow = '1s'"));
    let article = |day: u32, title: &str| format!("---\ndate: 2024-01-{day:02}\n---\n# {title}\n\nText of {title}.");
    for (day, name) in [(1, "a"), (3, "b"), (5, "c"), (7, "d"), (9, "e"), (11, "f"), (13, "g")] {
        site.write(&format!("sea/{name}.md"), article(day, &name.to_uppercase()));
    }
    site.write("sea/later.md", "---\ndate: 2999-01-01\n---\n# Later\n\nText.");
    site.start();
    site.wait_until("all is there", |site| {
        site.get("/articles/a").status == 200 && site.get("/articles/g").status == 200
    });
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let pages = |site: &Site| names.map(|name| site.get(&format!("/articles/{name}")));
    let around = |site: &Site, name: &str| neighbours(&site.get(&format!("/articles/{name}")).text());
    let some = |title: &str| Some(title.to_owned());
    assert_eq!(around(&site, "a"), [None, some("B")]);
    assert_eq!(around(&site, "d"), [some("C"), some("E")]);
    assert_eq!(around(&site, "g"), [some("F"), None], "what is scheduled is not shown");
    let page = site.get("/articles/d").text();
    assert!(page.contains(&format!("<link rel=\"prev\" href=\"{BASE_URL}articles/c\">")), "{page}");
    assert!(page.contains("<a href=\"/sections/sea/\" lang=\"en\" dir=\"auto\">sea</a></li></ul>"), "{page}");
    assert!(page.contains(&format!("href=\"{BASE_URL}sections/sea/rss.xml\"")), "{page}");
    let feeds = validators(&site.get("/articles/d"));

    // Changes the site, and checks whose pages have changed, with both validators.
    let mut before = pages(&site);
    let mut check =
        |site: &mut Site, what: &str, changed: &str, change: &dyn Fn(&Site), holds: &dyn Fn(&Site) -> bool| {
            change(site);
            site.wait_until(what, |site| holds(site));
            let after = pages(site);
            for ((name, before), after) in names.iter().zip(&before).zip(&after) {
                let ((etag, modified), (new_etag, new_modified)) = (validators(before), validators(after));
                assert_eq!(etag != new_etag, changed.contains(name), "{what}: the bytes of {name}: {}", after.text());
                assert_eq!(
                    modified != new_modified,
                    changed.contains(name),
                    "{what}: the date of {name}: {}",
                    after.text()
                );
            }
            before = after;
        };
    let next = |name: &'static str, title: Option<&'static str>| {
        move |site: &Site| neighbours(&site.get(&format!("/articles/{name}")).text())[1].as_deref() == title
    };
    check(
        &mut site,
        "an article between two",
        "bc",
        &|site| site.write("sea/new.md", article(4, "New")),
        &next("b", Some("New")),
    );
    check(&mut site, "another text", "", &|site| site.write("sea/new.md", article(4, "New") + " And more."), &|site| {
        site.get("/articles/new").text().contains("And more.")
    });
    check(
        &mut site,
        "another title",
        "bc",
        &|site| site.write("sea/new.md", article(4, "Newer")),
        &next("b", Some("Newer")),
    );
    check(
        &mut site,
        "another date",
        "bcfg",
        &|site| site.write("sea/new.md", article(12, "Newer")),
        &next("b", Some("C")),
    );
    check(
        &mut site,
        "a withdrawal",
        "fg",
        &|site| site.write("sea/new.md", "---\ndraft: true\n---\n# Newer\n"),
        &next("f", Some("G")),
    );
    check(
        &mut site,
        "it is back",
        "fg",
        &|site| site.write("sea/new.md", article(12, "Newer")),
        &next("f", Some("Newer")),
    );
    check(&mut site, "a deletion", "fg", &|site| site.remove("sea/new.md"), &next("f", Some("G")));
    check(
        &mut site,
        "the title of the folder",
        "abcdefg",
        &|site| site.write("sea/_index.md", "---\ntitle: The sea\n---\n"),
        &|site| site.get("/articles/a").text().contains(">The sea</a>"),
    );
    let expires = "---\ndate: 2024-01-08\nexpiryDate: 2024-01-09\n---\n# Past\n\nText.";
    site.write("sea/past.md", expires);
    site.settle();
    assert_eq!(around(&site, "d"), [some("C"), some("E")], "what has expired is not shown");
    assert_ne!(validators(&site.get("/articles/d")), feeds);
    let served = pages(&site).map(|answer| validators(&answer));
    site.restart();
    assert_eq!(pages(&site).map(|answer| validators(&answer)), served, "over a restart");
}

/// Titles of the entries of a page, with a star before pinned ones.
fn listed(site: &Site, path: &str) -> Vec<String> {
    let page = site.get(path).text();
    let entries = page.split("<li class=\"h-entry\">").skip(1);
    let title = |entry: &str| {
        let title = entry.split("<h3").nth(1).unwrap().split("</a>").next().unwrap().rsplit('>').next().unwrap();
        let is_pinned = entry.split("<h3").next().unwrap().contains("<strong class=\"pin\">Angeheftet</strong>");
        format!("{}{title}", if is_pinned { "*" } else { "" })
    };
    entries.map(title).collect()
}

#[test]
fn pinned_articles_are_first_on_pages_and_nowhere_in_feeds() {
    let mut site = Site::configured(&format!(
        "[site]\nbase_url = '{BASE_URL}'\nlanguage = 'de'\n[feed]\nentries = 3\nwindow = '1s'"
    ));
    let article = |day: u32, title: &str, more: &str| {
        format!("---\ndate: 2024-01-{day:02}\ntags: [Zug]\nauthor: Ann\n{more}---\n# {title}\n\nText of {title}.")
    };
    for (day, title) in [(2, "B"), (3, "C"), (4, "D"), (5, "E"), (6, "F")] {
        site.write(&format!("sea/{title}.md"), article(day, title, ""));
    }
    site.write("sea/old.md", article(1, "Old", "pinned: true\n"));
    site.write("older.md", "---\ndate: 2023-01-01\nsticky: 9\n---\n# Older\n\nText.");
    site.write("draft.md", "---\ndate: 2023-01-01\npinned: true\ndraft: true\n---\n# Draft\n\nText.");
    site.write("sketch.md", "---\ndate: 2022-01-01\n---\n# Sketch\n\nText.");
    site.write("planned.md", "---\ndate: 2999-01-01\n---\n# Planned\n\nText.");
    site.start();
    site.wait_until("the front page is there", |site| listed(site, "/").len() == 5);
    assert_eq!(listed(&site, "/"), ["*Older", "*Old", "F", "E", "D"]);
    let lists = ["/sections/sea/", "/tags/zug/", "/authors/ann/"];
    for path in lists {
        assert_eq!(listed(&site, path), ["*Old", "F", "E", "D"], "{path}");
    }
    let feeds = |site: &Site| {
        ["/feed.json", "/rss.xml", "/atom.xml", "/tags/zug/feed.json"]
            .map(|path| (site.get(path).text(), validators(&site.get(path))))
    };
    let before = feeds(&site);
    assert!(before.iter().all(|(feed, _)| feed.contains("Text of F") && !feed.contains("Old")));

    // A change of an article that is too old for these lists shows on them, and no feed changes.
    let pages = |site: &Site| ["/", lists[0], lists[1], lists[2]].map(|path| validators(&site.get(path)));
    for (text, expected) in [
        (article(1, "Old", ""), vec!["*Older", "F", "E", "D"]),
        (article(1, "Old", "sticky: 10\n"), vec!["*Old", "*Older", "F", "E", "D"]),
    ] {
        let last = pages(&site);
        site.write("sea/old.md", text);
        let of_views: Vec<&str> = expected.iter().copied().filter(|title| *title != "*Older").collect();
        site.wait_until("the pages show it", |site| {
            listed(site, "/") == expected && lists.iter().all(|path| listed(site, path) == of_views)
        });
        for (last, now) in last.iter().zip(&pages(&site)) {
            assert!(last.0 != now.0 && last.1 != now.1, "{last:?} {now:?}");
        }
    }
    assert_eq!(feeds(&site), before, "feeds know nothing of pins");
    site.remove("sea/old.md");
    site.wait_until("it is gone", |site| listed(site, "/") == ["*Older", "F", "E", "D"]);
    assert_eq!(listed(&site, "/tags/zug/"), ["F", "E", "D"]);

    // What is not there names the newest articles.
    for (path, status) in [("/nothing", 404), ("/articles/nothing", 404), ("/articles/old", 410)] {
        let answer = site.get(path);
        let page = answer.text();
        assert_eq!(
            (answer.status, lines(&page)),
            (status, ["F", "E", "D"].map(str::to_owned).to_vec()),
            "{path}: {page}"
        );
    }
    assert_eq!(lines(&site.get("/articles/skecth").text()), ["Sketch", "F", "E", "D"]);
    site.write("sketch.md", "---\ndate: 2022-01-01\ndraft: true\n---\n# Sketch\n\nText.");
    site.wait_until("it is a draft", |site| site.get("/articles/sketch").status != 200);
    // A mistyped or former address of a page names near articles first; one of a file does no work for it.
    for (path, near) in [
        ("/articles/odler", "Older"),
        ("/2022/01/older.html", "Older"),
        ("/blog/older/", "Older"),
        ("/articles/draf", ""),
        ("/articles/skecth", ""),
        ("/articles/planed", ""),
        ("/older.php", ""),
        ("/media/older.png", ""),
    ] {
        let answer = site.get(path);
        let expected: Vec<&str> = [near, "F", "E", "D"].into_iter().filter(|title| !title.is_empty()).collect();
        assert_eq!(
            (answer.status, lines(&answer.text())),
            (404, expected.into_iter().map(str::to_owned).collect()),
            "{path}"
        );
        assert_eq!(answer.text().contains("Vielleicht war dies gemeint"), !near.is_empty(), "{path}");
        assert_eq!(answer.field("cache-control"), "max-age=60", "{path}");
        let head = site.ask("HEAD", path, &[]);
        assert_eq!(head.field("content-length"), answer.field("content-length"), "{path}");
    }
}

/// The other languages that the page of an article names: for search engines, and for people.
fn translations(site: &Site, slug: &str) -> (Vec<String>, Vec<String>) {
    let page = site.get(&format!("/articles/{slug}")).text();
    let parts = |before: &str| -> Vec<String> {
        let after = page.match_indices(before).map(|(at, _)| &page[at + before.len()..]);
        after.map(|rest| rest[..rest.find(['"', '<']).unwrap()].to_owned()).collect()
    };
    let list =
        page.split_once("<ul class=\"translations\"").map_or("", |(_, list)| list.split_once("</ul>").unwrap().0);
    let names = list.split("</a>").filter_map(|link| Some(link.rsplit_once('>')?.1.to_owned()));
    (parts("<link rel=\"alternate\" hreflang=\""), names.filter(|name| !name.is_empty()).collect())
}

#[test]
fn an_article_in_several_languages_links_to_the_others_as_long_as_they_are_there() {
    let text = |title: &str, language: &str| {
        let slug = title.to_lowercase().replace('ê', "e");
        format!("---\ntitle: {title}\nslug: {slug}\nlang: {language}\n---\nText {title}")
    };
    let mut site = Site::new();
    site.write("storm.md", text("Storm", "en"));
    site.write("storm.fr.md", text("Tempête", "fr"));
    site.write("storms.md", text("Storms", "en"));
    site.start();
    site.wait_for(&["Storm", "Tempête", "Storms"]);
    let own = |site: &Site| (translations(site, "storm"), translations(site, "tempete"));
    let lists = |tags: &[&str], names: &[&str]| {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        (list(tags), list(names))
    };
    assert_eq!(own(&site), (lists(&["en", "fr"], &["Français"]), lists(&["fr", "en"], &["English"])));
    assert_eq!(translations(&site, "storms"), lists(&[], &[]));
    site.write("storm.de.md", text("Sturm", "de"));
    site.wait_for(&["Storm", "Tempête", "Storms", "Sturm"]);
    assert_eq!(own(&site).0, lists(&["en", "de", "fr"], &["Deutsch", "Français"]));
    check_languages(&site);
    // Links to it change, and so do the validators of the pages that show them.
    let former = validators(&site.get("/articles/storm"));
    site.rename("storm.fr.md", "tempest.md");
    site.wait_until("the French one stands alone", |site| translations(site, "tempete") == lists(&[], &[]));
    assert_eq!(translations(&site, "storm"), lists(&["en", "de"], &["Deutsch"]));
    let present = validators(&site.get("/articles/storm"));
    assert!(present.0 != former.0 && present.1 != former.1, "{former:?} {present:?}");
    // The same file elsewhere, as after `git checkout`, and two files that change places.
    site.remove("tempest.md");
    site.write("storm.fr.md", text("Tempête", "fr"));
    site.wait_until("it is back", |site| {
        translations(site, "tempete") == lists(&["fr", "de", "en"], &["Deutsch", "English"])
    });
    site.write("other.fr.md", text("Autre", "fr"));
    site.wait_for(&["Storm", "Tempête", "Storms", "Sturm", "Autre"]);
    let [one, other] = ["storm.fr.md", "other.fr.md"].map(|name| site.path(name));
    rustix::fs::renameat_with(rustix::fs::CWD, &one, rustix::fs::CWD, &other, rustix::fs::RenameFlags::EXCHANGE)
        .unwrap();
    site.wait_until("the other one is its translation", |site| translations(site, "tempete") == lists(&[], &[]));
    assert!(site.get("/articles/storm").text().contains("/articles/autre\""));
    site.remove("storm.fr.md");
    site.remove("storm.de.md");
    site.wait_until("the English one stands alone", |site| translations(site, "storm") == lists(&[], &[]));
    site.remove("other.fr.md");
    site.wait_for(&["Storm", "Storms"]);
    // A site in one language has no views of it.
    for path in ["/languages/", "/languages/en/", "/languages/en/rss.xml"] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
    for path in ["/", "/feeds.opml", "/sitemap.xml"] {
        assert!(!site.get(path).text().contains("languages/"), "{path}");
    }
}

/// Each language has a page and feeds in its own words.
fn check_languages(site: &Site) {
    let page = site.get("/languages/fr/");
    let html = page.text();
    for part in [
        "<html lang=\"fr\">",
        "<h1 lang=\"fr\" dir=\"auto\">Français</h1>",
        "Articles dans cette langue",
        "<a href=\"/languages/\">Langues</a>",
        "href=\"https://gazette.example/languages/fr/rss.xml\"",
        ">Tempête</a>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains(">Sturm</a>"), "{html}");
    let feed: serde_json::Value = serde_json::from_str(&site.get("/languages/fr/feed.json").text()).unwrap();
    assert_eq!((&feed["language"], &feed["items"][0]["title"]), (&"fr".into(), &"Tempête".into()));
    assert!(feed["title"].as_str().unwrap().starts_with("Français – "), "{feed}");
    let list = counts(&site.get("/languages/").text());
    let expected = [("Deutsch", "1"), ("English", "2"), ("Français", "1")];
    assert_eq!(list, expected.map(|(name, count)| (name.to_owned(), count.to_owned())));
    assert!(site.get("/").text().contains(">All languages</a>"));
    assert!(site.get("/feeds.opml").text().contains("languages/de/rss.xml"));
    assert!(site.get("/sitemap.xml").text().contains("/languages/en/</loc>"));
    assert_eq!(site.get("/languages/fr-CA/").field("location"), format!("{BASE_URL}languages/fr/"));
    assert_eq!(site.get("/languages/eo/").status, 404);
}

#[test]
fn a_short_text_is_not_in_the_language_of_its_translation() {
    let mut site = Site::new();
    site.write("storm.md", "# Storm\n\nText.");
    site.write("storm.fr.md", "# Tempête\n\nTexte.");
    site.start();
    site.wait_for(&["Storm", "Tempête"]);
    assert_eq!(translations(&site, "storm").1, ["Français"]);
    assert_eq!(translations(&site, "storm-fr").1, ["English"], "the file without a language has the plain address");
    assert!(site.get("/languages/en/").text().contains(">Storm</a>"), "it is in that of the site");
}

#[test]
fn a_digest_has_the_articles_of_a_week_once_it_is_over() {
    let mut site = Site::new();
    let now = chrono::Utc::now();
    let monday = now - chrono::TimeDelta::days(i64::from(chrono::Datelike::weekday(&now).num_days_from_monday()));
    let write = |site: &Site, title: &str, days: i64| {
        let date = (monday - chrono::TimeDelta::days(days)).format("%Y-%m-%d");
        site.write(
            &format!("{title}.md"),
            format!("---\ndate: {date}T00:00:00Z\ntitle: {title}\nsummary: About {title}.\n---\nText."),
        );
    };
    for (title, days) in [("now", 0), ("sunday", 1), ("tuesday", 6), ("before", 8)] {
        write(&site, title, days);
    }
    let date = (monday - chrono::TimeDelta::days(8)).format("%Y-%m-%d");
    site.write("note.md", format!("---\ndate: {date}\n---\n# Note\n\nA *short* one."));
    site.write("draft.md", "---\ndraft: true\ndate: 2026-01-01\n---\n# Draft\n\nText.");
    site.start();
    site.wait_for(&["now", "sunday", "tuesday", "before", "Note"]);
    let feed = |site: &Site| -> serde_json::Value {
        serde_json::from_str(&site.get("/digest/weekly/feed.json").text()).unwrap()
    };
    let digests = feed(&site);
    let items = digests["items"].as_array().unwrap();
    let texts: Vec<&str> = items.iter().map(|item| item["content_html"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 2, "{digests}");
    assert_eq!(
        texts[0],
        format!(
            "<h2><a href=\"{BASE_URL}articles/sunday\">sunday</a></h2><p>About sunday.</p>\
             <h2><a href=\"{BASE_URL}articles/tuesday\">tuesday</a></h2><p>About tuesday.</p>"
        )
    );
    assert!(texts[1].contains(">before</a>"), "{texts:?}");
    assert!(texts[1].contains(">Note</a></h2><div><p>A <em>short</em> one.</p></div>"), "{texts:?}");
    let midnight = monday.format("%Y-%m-%dT00:00:00Z").to_string();
    assert_eq!(items[0]["date_published"], midnight);
    assert_eq!(items[0]["date_modified"], midnight);
    // Its page, and the list of them.
    let address = items[0]["url"].as_str().unwrap();
    let page = site.get(&format!("/{}", address.strip_prefix(BASE_URL).unwrap()));
    assert_eq!(page.status, 200);
    assert!(page.text().contains("href=\"/articles/sunday\">sunday</a></h2>"), "{}", page.text());
    assert!(site.get("/digest/weekly/").text().contains(items[0]["title"].as_str().unwrap()));
    assert_eq!(site.get("/digest/weekly").field("location"), format!("{BASE_URL}digest/weekly/"));
    let week = chrono::Datelike::iso_week(&now);
    for path in [format!("/digest/weekly/{:04}-w{:02}", week.year(), week.week()), "/digest/weekly/2001-w01".to_owned()]
    {
        assert_eq!(site.get(&path).status, 404, "{path}");
    }
    // A deleted article leaves its digest, whose date stays.
    let former = validators(&site.get("/digest/weekly/rss.xml"));
    site.remove("sunday.md");
    site.wait_for(&["now", "tuesday", "before", "Note"]);
    let digests = feed(&site);
    assert!(!digests.to_string().contains("sunday"), "{digests}");
    assert_eq!(digests["items"][0]["date_modified"], midnight);
    let present = validators(&site.get("/digest/weekly/rss.xml"));
    assert!(present.0 != former.0 && present.1 != former.1, "{former:?} {present:?}");
}

/// Place and number of parts of an article in its series, and the titles of all parts.
fn place_in_series(site: &Site, slug: &str) -> (String, Vec<String>) {
    let page = site.get(&format!("/articles/{slug}")).text();
    let Some((_, rest)) = page.split_once("<aside class=\"series\"") else { return Default::default() };
    let rest = rest.split("</aside>").next().unwrap();
    let text = |html: &str| html.split('<').filter_map(|part| Some(part.split_once('>')?.1)).collect::<String>();
    let place = text(&format!("<p>{}", rest.split_once("<p>").unwrap().1.split("</p>").next().unwrap()));
    let titles = rest.split("<li>").skip(1).map(|item| text(item.split("</li>").next().unwrap()));
    (place, titles.map(|title| title.trim().to_owned()).collect())
}

#[test]
fn the_parts_of_a_series_are_in_order_and_follow_each_change() {
    // The first parts are too old for the feeds.
    let mut site = Site::configured(&format!("[site]\nbase_url = '{BASE_URL}'\n[feed]\nentries = 2\nwindow = '1s'"));
    let article = |day: u32, title: &str, more: &str| {
        format!("---\ndate: 2024-01-{day:02}\nseries: The Sea\n{more}---\n# {title}\n\nText of {title}.")
    };
    site.write("a.md", article(1, "A", ""));
    site.write("b.md", article(2, "B", ""));
    site.write("c.md", article(3, "C", "").replace("The Sea", "[the sea, Other]"));
    site.write("draft.md", article(4, "Draft", "draft: true\n"));
    site.write("later.md", article(5, "Later", "expires: 2024-01-06\n"));
    site.write("alone.md", "---\ndate: 2024-01-04\n---\n# Alone\n\nText.");
    site.write("other.md", "---\ndate: 2024-01-05\n---\n# Other\n\nText.");
    site.start();
    let parts = |site: &Site| place_in_series(site, "a");
    let is = |expected: &[&str]| {
        let expected: Vec<String> = expected.iter().map(|title| (*title).to_owned()).collect();
        move |site: &Site| parts(site).1 == expected && lines(&site.get("/series/the-sea/").text()) == expected
    };
    site.wait_until("all parts are there", is(&["A", "B", "C"]));
    assert_eq!(place_in_series(&site, "b").0, "Part 2 of 3 of The Sea");
    assert_eq!(place_in_series(&site, "alone"), Default::default());
    let page = site.get("/articles/b").text();
    for link in [
        "<a href=\"/articles/a\" rel=\"prev\"><small>Previous part",
        "<a href=\"/articles/c\" rel=\"next\"><small>Next part",
    ] {
        assert!(page.contains(link), "{link}: {page}");
    }
    let feed = site.get("/series/the-sea/feed.json").text();
    assert!(feed.contains("Series: The Sea") && feed.contains("Text of C"), "{feed}");
    assert!(site.get("/series/").text().contains(">The Sea</a> <span class=\"count\">3</span>"));
    assert!(site.get("/feeds.opml").text().contains("/series/the-sea/rss.xml"));
    assert_eq!(site.get("/series/other/").status, 404, "an article is in one series");
    assert_eq!(site.get("/series/THE-SEA").status, 301);

    // A part that is new, moved, renamed, withdrawn or deleted changes the pages of all parts with both validators; a text changes one.
    let pages = ["/articles/a", "/articles/c", "/series/the-sea/"];
    let state = |site: &Site| pages.map(|path| validators(&site.get(path)));
    let outside = |site: &Site| ["/articles/other", "/articles/alone"].map(|path| validators(&site.get(path)));
    let (mut last, others) = (state(&site), outside(&site));
    for (text, expected) in [
        (article(2, "B", "series_order: 1\n"), vec!["B", "A", "C"]),
        (article(2, "Better", "series_order: 1\n"), vec!["Better", "A", "C"]),
        (article(2, "Better", "draft: true\n"), vec!["A", "C"]),
        (article(2, "Better", ""), vec!["A", "Better", "C"]),
        (article(2, "Better", "").replace("series: The Sea\n", ""), vec!["A", "C"]),
        (article(2, "B", "part: 1.5\n"), vec!["B", "A", "C"]),
    ] {
        site.write("b.md", text);
        site.wait_until("the parts are in order", is(&expected));
        let now = state(&site);
        for (last, now) in last.iter().zip(&now) {
            assert!(last.0 != now.0 && last.1 != now.1, "{expected:?}: {last:?} {now:?}");
        }
        last = now;
    }
    site.write("b.md", article(2, "B", "part: 1.5\n") + " And more.");
    site.wait_until("the text is there", |site| site.get("/articles/b").text().contains("And more."));
    assert_eq!(state(&site), last, "another text");
    assert_eq!(outside(&site), others);
    site.restart();
    assert_eq!((state(&site), outside(&site)), (last, others), "over a restart");
    site.remove("b.md");
    site.wait_until("it is gone", is(&["A", "C"]));
}
