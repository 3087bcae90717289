//! Pages: their content, their links, and their look in a browser.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::site::{BASE_URL, Site};
use crate::tools::{self, Program};

/// Names that would become markup if they were not escaped.
const HOSTILE: &str =
    r#"</script><script>alert(1)</script>"><img src=x onerror=alert(2)>' onmouseover='x' {{ 7 * 7 }} &lt;"#;

const CONFIGURATION: &str = "[site]\ntitle = 'The Gazette'\ndescription = 'Notes from the quay'\n\
    author = { name = 'The editors' }\n[feed]\nentries = 12\narchive_entries = 10\n";

/// One second of silence.
fn recording() -> Vec<u8> {
    let samples = vec![128_u8; 8_000];
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data\x40\x1F\0\0".to_vec();
    file.extend(samples);
    let length = u32::try_from(file.len() - 8).unwrap();
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}

/// Writes articles of all kinds. The front page shows all but the notes.
fn articles() -> Vec<(String, Vec<u8>)> {
    let text = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    let mut files = vec![
        text("harbour.md", HARBOUR),
        text(
            "hostile.md",
            &format!(
                "---\ntitle: {0}\ndate: 2026-11-02\nauthor: {0}\ntags: [{0}, '..', 'a/b', '?q=1#x']\nsummary: {0}\n---\nText.",
                json!(HOSTILE)
            ),
        ),
        text(
            "nachrichten/Politik/haushalt.md",
            "---\ndate: 2026-11-03\nlang: de\nauthor: Jörg Müller\ntags: [Straße]\n---\n\
            # Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz: beschlossen\n\nDer Gemeinderat hat beschlossen.",
        ),
        text(
            "arabic.md",
            "---\ntitle: الميناء عند الفجر\ndate: 2026-11-04\nlang: ar\nauthor: ليلى حداد\ntags: [البحر, Rust]\n\
            summary: نزهة على الرصيف مع HTTP/1.1 وأرقام 2026.\n---\nخرج المد.[^1]\n\n```sh\necho a | sort\n```\n\n[^1]: الأول.",
        ),
        text("hebrew.md", "---\ntitle: \"שלום, עולם\"\ndate: 2026-11-05\nlang: he\n---\nהים היה שקט בבוקר."),
        text(
            "japanese.md",
            "---\ntitle: 夜明けの港\ndate: 2026-11-06\nlang: ja\nauthor: 山田 太郎\ntags: [港]\n---\n潮は*引いて*いた。",
        ),
        text("chinese.md", "---\ntitle: 清晨的港口\ndate: 2026-11-07\nlang: zh-Hans\ntags: [港口]\n---\n潮水退去了。"),
        text("hindi.md", "---\ntitle: भोर का बंदरगाह\ndate: 2026-11-08\nlang: hi\n---\nज्वार उतर गया।"),
        // A shorter one would be a link post.
        text(
            "elsewhere.md",
            &format!(
                "---\ntitle: It lives elsewhere\ndate: 2026-11-09\nlink: https://other.example/one\n---\n{}",
                "Text. ".repeat(100)
            ),
        ),
        text(
            "episode.md",
            "---\ntitle: What the seal said\ndate: 2026-11-10\nauthor: Ada\naudio: seal.wav\nimage: cover.svg\n\
            season: 1\nepisode: 2\n---\nNotes of what was said.",
        ),
        text("untitled.txt", "A first line stands for the title that nobody wrote\n\nThen it goes on."),
        text("gone.md", "---\ndate: 2026-11-11\n---\n# Gone\n\nSoon."),
        ("seal.wav".to_owned(), recording()),
        text(
            "cover.svg",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"400\"><rect width=\"800\" height=\"400\"/></svg>",
        ),
    ];
    for number in 1..=24 {
        let note = format!(
            "---\ndate: 2025-01-{number:02}\nauthor: Ada\ntags: [notes, topic {number}]\n---\n# Note {number}\n\nA short note."
        );
        files.push((format!("notes/{}/note-{number}.md", 2025 + number % 3), note.into_bytes()));
    }
    files
}

const HARBOUR: &str = "---
title: The harbour at first light
date: 2026-11-01
updated: 2026-11-12
authors: [Ada, Émile Öberg]
tags: [harbour, C++, sea & sand]
summary: A walk along the quay.
---
# A heading of the first rank

See [the almanac](https://example.org/almanac?a=1&b=2).[^1]

![A quay](cover.svg)

## Below it

> A harbour is a place.

| station | Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday | remarks |
|---|---:|---:|---:|---:|---:|---:|---:|---|
| Outer light | 1003 hPa | 1004 hPa | 1005 hPa | 1006 hPa | 1007 hPa | 1008 hPa | 1009 hPa | nothing |

```rust
fn harbour(boats: &[Boat], tide: Tide) -> Result<Vec<Departure>, HarbourMasterHasGoneHomeForTheNightAndTheDayError> {}
```

- [x] Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft
- [ ] https://example.org/without/any/markup/at/all/and/rather/long/so/that/it/has/to/break/somewhere

[^1]: The first of its kind.
";

fn library() -> Site {
    let mut site = Site::configured(CONFIGURATION);
    for (name, bytes) in articles() {
        site.write(&name, bytes);
    }
    site.start();
    site.wait_until("all is there", |site| site.get("/articles/gone").status == 200);
    site
}

/// Each kind of page, and its status.
const KINDS: [(&str, u16); 20] = [
    ("/", 200),
    ("/tags/", 200),
    ("/tags/notes/", 200),
    ("/tags/%E6%B8%AF/", 200),
    ("/sections/", 200),
    ("/sections/nachrichten/politik/", 200),
    ("/authors/", 200),
    ("/authors/ada/", 200),
    ("/archive/", 200),
    ("/archive/1/", 200),
    ("/archive/2/", 200),
    ("/articles/harbour", 200),
    ("/articles/hostile", 200),
    ("/articles/haushalt", 200),
    ("/articles/arabic", 200),
    ("/articles/japanese", 200),
    ("/articles/elsewhere", 200),
    ("/articles/episode", 200),
    ("/nothing", 404),
    ("/articles/gone", 410),
];

/// The values of all attributes with a name, still escaped.
fn all<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// The value of the element in the head with this beginning.
fn said<'a>(page: &'a str, start: &str) -> Option<&'a str> {
    let rest = page.split("</head>").next().unwrap().split(start).nth(1)?;
    rest.split('"').next()
}

fn data(page: &str) -> Value {
    let script = page.split("<script type=\"application/ld+json\">").nth(1).expect("linked data");
    serde_json::from_str(script.split("</script>").next().unwrap()).expect("it is JSON")
}

/// Checks that `page` contains every text.
fn assert_has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[test]
fn no_list_of_articles_is_taken_for_a_feed() {
    let site = library();
    let lists = ["/", "/tags/harbour/", "/authors/ada/", "/tags/", "/authors/", "/sections/", "/archive/"];
    let mut listed = 0;
    for path in lists {
        let page = site.get(path).text();
        assert!(!page.contains("<article"), "Liferea takes three articles with headings for a feed: {path}: {page}");
        let entries = page.matches("<li class=\"h-entry\">").count();
        assert_eq!(page.matches("class=\"entries h-feed\"").count(), usize::from(entries > 0), "{path}");
        for part in ["<a class=\"p-name u-url\" href=\"", "<time class=\"dt-published\" datetime=\""] {
            assert_eq!(page.matches(part).count(), entries, "{path}: {part}");
        }
        listed += entries;
    }
    assert!(listed > 3);
    assert_eq!(site.get("/articles/harbour").text().matches("<article").count(), 1);
}

#[test]
fn every_page_has_the_same_structure() {
    let mut site = library();
    site.remove("gone.md");
    site.wait_until("it is gone", |site| site.get("/articles/gone").status == 410);
    for (path, status) in KINDS {
        let answer = site.get(path);
        assert_eq!(answer.status, status, "{path}");
        let page = answer.text();
        for (part, count) in [
            ("<!doctype html>", 1),
            ("<html lang=\"", 1),
            ("<title>", 1),
            ("<h1", 1),
            ("<main id=\"main-content\"", 1),
            ("<footer class=\"foot\"", 1),
            ("<a class=\"skip\" href=\"#main-content\"", 1),
            ("<meta name=\"viewport\"", 1),
            ("<meta name=\"color-scheme\" content=\"light dark\">", 1),
            ("<link rel=\"stylesheet\"", 1),
            ("<link rel=\"canonical\"", usize::from(status == 200)),
            ("<meta property=\"og:title\"", usize::from(status == 200)),
            ("<script type=\"application/ld+json\">", usize::from(status == 200)),
            ("<meta name=\"robots\" content=\"noindex\">", usize::from(status != 200)),
        ] {
            assert_eq!(page.matches(part).count(), count, "{part} in {path}: {page}");
        }
        assert_eq!(page.matches("<script").count(), usize::from(status == 200), "{path}");
        assert_has(&page, &["<header", "</main>"]);
        assert!(path == "/" || page.contains("<nav aria-label=\""), "{path} has a way back");
        // The Content-Security-Policy permits no inline style.
        for bad in [" style=\"", "<style", "javascript:", ">none<", "\"none\"", "undefined"] {
            assert!(!page.replace("preload=\"none\"", "").contains(bad), "{bad} in {path}: {page}");
        }
        let ids = all(&page, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: {ids:?}");
        assert!(all(&page, "lang").iter().all(|language| !language.is_empty()), "{path}");
        assert!(all(&page, "datetime").iter().all(|date| date.len() == 20 && date.ends_with('Z')), "{path}");
    }
    check_html(&site);
}

/// What the checker says that is no fault: a list without bullets has the role of a list for VoiceOver, and `feed:` before a whole address is how
/// readers register for feeds.
const NO_FAULTS: &str =
    ".*The .list. role is unnecessary for element .*|.*Bad value .feed:http.* for attribute .href. on element .*";

/// Checks pages of each kind by the rules of HTML.
fn check_html(site: &Site) {
    let Some(checker) = tools::html_checker() else { return };
    let folder = tempfile::tempdir().unwrap();
    let browser: &[_] = &[("Sec-Fetch-Dest", "document")];
    let feeds = ["/rss.xml", "/tags/notes/feed.json", "/archive/1/atom.xml"];
    let others = ["/blogroll", "/digest/weekly/", "/years/2026/", "/languages/", "/languages/ar/", "/articles/hebrew"];
    let paths = KINDS.iter().map(|(path, _)| *path).chain(feeds).chain(others);
    for (number, path) in paths.enumerate() {
        let page = site.ask("GET", path, browser).text();
        assert!(page.starts_with("<!doctype html>"), "{path}: {page}");
        std::fs::write(folder.path().join(format!("{number}.html")), page).unwrap();
    }
    let mut java = Command::new("java");
    java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss8m", "-jar"]).arg(checker).args([
        "--format",
        "text",
        "--filterpattern",
    ]);
    tools::run(java.arg(NO_FAULTS).arg("--Werror").arg(folder.path()));
}

#[test]
fn titles_are_distinct() {
    let site = library();
    let titles: Vec<String> = KINDS
        .iter()
        .map(|(path, _)| site.get(path).text().split("<title>").nth(1).unwrap().split('<').next().unwrap().to_owned())
        .collect();
    assert_eq!(titles.iter().collect::<BTreeSet<_>>().len(), titles.len(), "{titles:#?}");
    assert!(titles.iter().all(|title| title.ends_with("The Gazette")), "{titles:#?}");
}

/// Each tag of a page: its name and the names of its attributes.
fn tags(page: &str) -> Vec<(String, Vec<String>)> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let mut quoted = false;
        let tag: String = rest[start + 1..]
            .chars()
            .take_while(|c| {
                quoted ^= *c == '"';
                quoted || *c != '>'
            })
            .collect();
        rest = &rest[start + 1 + tag.len()..];
        // A value may contain anything but its quote.
        let plain: String = tag.split('"').step_by(2).collect();
        let mut words = plain.split_whitespace().map(|word| word.trim_end_matches('=').to_owned());
        tags.push((words.next().unwrap_or_default(), words.collect()));
    }
    tags
}

#[test]
fn article_text_is_never_markup() {
    let site = library();
    let article = site.get("/articles/hostile").text();
    let own = |href: &&&str| href.contains("/tags/") || href.contains("/authors/");
    let mut paths: Vec<String> = all(&article, "href").iter().filter(own).map(|href| (*href).to_owned()).collect();
    assert_eq!(paths.len(), 5, "one author and four tags: {paths:?}");
    paths.extend(["/", "/articles/hostile", "/tags/", "/authors/"].map(str::to_owned));
    for path in paths {
        let answer = site.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.text();
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)") || !page.contains("alert"), "{path}: {page}");
        assert!(page.contains("{{ 7 * 7 }}"), "{path}: {page}");
        for (name, attributes) in tags(&page) {
            assert!(!matches!(name.as_str(), "img" | "object" | "iframe"), "{name} in {path}: {page}");
            assert!(name != "script" || attributes == ["type"], "{path}: {page}");
            let bad =
                attributes.iter().find(|attribute| attribute.starts_with("on") || attribute.contains(['\'', '<']));
            assert!(bad.is_none(), "{bad:?} of {name} in {path}: {page}");
        }
    }
    assert_eq!(data(&article)["headline"], HOSTILE, "what machines read is what was written");
}

#[test]
fn feeds_of_a_view_precede_those_of_the_site() {
    let site = library();
    for (path, places) in [
        ("/", &[""][..]),
        ("/articles/harbour", &[""]),
        ("/archive/1/", &[""]),
        ("/tags/", &[""]),
        ("/nothing", &[""]),
        ("/tags/notes/", &["tags/notes/", ""]),
        ("/sections/nachrichten/politik/", &["sections/nachrichten/politik/", ""]),
        ("/authors/ada/", &["authors/ada/", ""]),
    ] {
        let page = site.get(path).text();
        let others: Vec<&str> = page.lines().filter(|line| line.starts_with("<link rel=\"alternate\"")).collect();
        for link in &others {
            let address = all(link, "href")[0];
            assert_eq!(site.get(address.strip_prefix(&BASE_URL[..BASE_URL.len() - 1]).unwrap()).status, 200, "{link}");
        }
        let links: Vec<&str> = others.into_iter().filter(|link| !link.contains("text/markdown")).collect();
        let hrefs: Vec<&str> = links.iter().map(|link| all(link, "href")[0]).collect();
        let names = ["rss.xml", "atom.xml", "feed.json"];
        let expected: Vec<String> =
            places.iter().flat_map(|place| names.map(|name| format!("{BASE_URL}{place}{name}"))).collect();
        assert_eq!(hrefs, expected, "{path}: standards 141");
        let titles: BTreeSet<&str> = links.iter().map(|link| all(link, "title")[0]).collect();
        assert_eq!(titles.len(), links.len(), "{path}: {titles:?}");
    }
}

#[test]
fn an_article_page_describes_its_article() {
    let site = library();
    let page = site.get("/articles/harbour").text();
    let url = format!("{BASE_URL}articles/harbour");
    assert_eq!(said(&page, "<link rel=\"canonical\" href=\""), Some(url.as_str()));
    for (name, value) in [
        ("og:type", "article"),
        ("og:title", "The harbour at first light"),
        ("og:url", &url),
        ("og:site_name", "The Gazette"),
        ("og:description", "A walk along the quay."),
        ("article:published_time", "2026-11-01T00:00:00Z"),
        ("article:modified_time", "2026-11-12T00:00:00Z"),
        ("article:tag", "harbour"),
    ] {
        assert_eq!(said(&page, &format!("<meta property=\"{name}\" content=\"")), Some(value), "{name}");
    }
    assert_eq!(said(&page, "<meta name=\"description\" content=\""), Some("A walk along the quay."));
    let data = data(&page);
    for (key, value) in [
        ("@type", "Article"),
        ("headline", "The harbour at first light"),
        ("datePublished", "2026-11-01T00:00:00Z"),
        ("dateModified", "2026-11-12T00:00:00Z"),
        ("mainEntityOfPage", &url),
        ("inLanguage", "en"),
    ] {
        assert_eq!(data[key], value, "{key}");
    }
    assert_eq!(data["author"][1]["name"], "Émile Öberg");
    assert_has(
        &page,
        &[
            "<h2 id=\"a-heading-of-the-first-rank\">A heading of the first rank</h2>",
            "<h3 id=\"below-it\">Below it</h3>",
            "tabindex=\"0\"><table>",
            "</table></div>",
            "href=\"/tags/c-plus-plus/\" rel=\"tag\" dir=\"auto\">C++</a>",
            "href=\"/authors/emile-oberg/\" rel=\"author\" dir=\"auto\">Émile Öberg</a>",
            "<time datetime=\"2026-11-01T00:00:00Z\">1 November 2026</time>",
        ],
    );
    let elsewhere = site.get("/articles/elsewhere").text();
    assert_eq!(said(&elsewhere, "<link rel=\"canonical\" href=\""), Some("https://other.example/one"));
    assert_has(&elsewhere, &["First published at <a href=\"https://other.example/one\">other.example</a>"]);
    let episode = site.get("/articles/episode").text();
    assert_has(&episode, &["<audio controls preload=\"none\" src=\"/media/seal.wav\"", "8.0 kB"]);
    assert_has(&episode, &["<p class=\"cover\"><img src=\"/media/cover.svg\"", "Season 1, Episode 2"]);
}

#[test]
fn list_pages_describe_their_lists() {
    let site = library();
    assert_eq!(data(&site.get("/").text())["@type"], "WebSite");
    for path in ["/tags/", "/tags/notes/", "/archive/", "/archive/1/"] {
        let page = site.get(path).text();
        let data = data(&page);
        assert_eq!(data["@type"], "CollectionPage", "{path}");
        assert_eq!(data["url"], format!("{BASE_URL}{}", &path[1..]), "{path}");
        assert_eq!(said(&page, "<link rel=\"canonical\" href=\""), data["url"].as_str(), "{path}");
        assert!(said(&page, "<meta name=\"description\" content=\"").is_some(), "{path}");
    }
    let archive = |path: &str| {
        let page = site.get(path).text();
        let linked = |relation: &str| said(&page, &format!("<link rel=\"{relation}\" href=\"")).map(str::to_owned);
        (linked("prev"), linked("next"))
    };
    let url = |path: &str| Some(format!("{BASE_URL}{path}"));
    assert_eq!(archive("/archive/1/"), (None, url("archive/2/")));
    assert_eq!(archive("/archive/2/"), (url("archive/1/"), url("archive/3/")));
}

#[test]
fn languages_and_directions_are_declared() {
    let site = library();
    let front = site.get("/").text();
    assert_has(
        &front,
        &[
            "<html lang=\"en\">",
            "<div dir=\"rtl\">\n<h3 lang=\"ar\"><a",
            "<p class=\"summary\" lang=\"ar\">",
            "<div dir=\"ltr\">\n<h3 lang=\"ja\"><a",
            "<div dir=\"auto\">\n<h3 lang=\"en\"><a",
        ],
    );
    assert_has(
        &site.get("/articles/arabic").text(),
        &[
            "<html lang=\"ar\" dir=\"rtl\">",
            "<div class=\"body\" lang=\"ar\" dir=\"rtl\">",
            "<h2 class=\"section\">الوسوم</h2>",
        ],
    );
    assert_has(
        &site.get("/articles/chinese").text(),
        &["<html lang=\"zh-Hans\">", "<a class=\"skip\" href=\"#main-content\">跳至正文</a>"],
    );
}

#[test]
fn every_internal_link_is_valid() {
    let site = library();
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut waiting = VecDeque::from(["/".to_owned()]);
    while let Some(path) = waiting.pop_front() {
        assert!(seen.len() < 1_000, "the site has an end");
        let answer = site.get(&path);
        // The front page follows the newest archive.
        assert!(matches!(answer.status, 200 | 301 | 307), "{path} answers {}", answer.status);
        if !answer.field("content-type").starts_with("text/html") {
            continue;
        }
        let page = answer.text();
        for address in all(&page, "href").into_iter().chain(all(&page, "src")) {
            let address = address.replace("&amp;", "&");
            // Opens the feed in a reader.
            let address = address.strip_prefix("feed:").map_or(address.clone(), str::to_owned);
            let local = address.strip_prefix(BASE_URL).map(|path| format!("/{path}"));
            let Some(local) = local.or_else(|| address.starts_with('/').then(|| address.clone())) else {
                assert!(address.starts_with("http") || address.starts_with('#'), "{address} on {path}");
                continue;
            };
            let local = local.split('#').next().unwrap().to_owned();
            if seen.insert(local.clone()) {
                waiting.push_back(local);
            }
        }
    }
    for (path, _) in KINDS.iter().filter(|(_, status)| *status == 200) {
        assert!(seen.contains(*path), "nothing leads to {path}");
    }
}

#[test]
fn the_sitemap_lists_every_public_article() {
    // standards 147
    let mut site = Site::configured("[feed]\nentries = 2\n");
    for number in 1..=5 {
        site.write(&format!("{number}.md"), format!("---\ndate: 2024-01-0{number}\n---\n# Number {number}\n\nText."));
    }
    site.write("draft.md", "---\ndraft: true\n---\n# Draft\n\nText.");
    site.write("later.md", "---\ndate: 2999-01-01\n---\n# Later\n\nText.");
    site.write("past.md", "---\ndate: 2024-01-01\nexpiryDate: 2024-02-01\n---\n# Past\n\nText.");
    site.start();
    let listed = |site: &Site| -> BTreeMap<String, String> {
        let answer = site.get("/sitemap.xml");
        assert_eq!((answer.status, answer.field("content-type")), (200, "application/xml; charset=utf-8"));
        let xml = answer.text();
        assert!(xml.contains(&format!("<url><loc>{BASE_URL}</loc></url>")), "{xml}");
        let between = |text: &str, start: &str, end: &str| {
            text.split_once(start).and_then(|(_, rest)| Some(rest.split_once(end)?.0.to_owned()))
        };
        let article = |line: &str| Some((between(line, "<loc>", "</loc>")?, between(line, "<lastmod>", "</lastmod>")?));
        xml.lines().filter_map(article).collect()
    };
    let addresses = |numbers: &[u32]| -> Vec<String> {
        numbers.iter().map(|number| format!("{BASE_URL}articles/{number}")).collect()
    };
    let urls = |site: &Site| listed(site).into_keys().collect::<Vec<_>>();
    assert_eq!(urls(&site), addresses(&[1, 2, 3, 4, 5]), "neither drafts nor what is scheduled or expired");
    let before = listed(&site);
    for address in before.keys() {
        let page = site.get(&address.replacen(BASE_URL, "/", 1));
        assert!(page.status == 200 && page.text().contains(&format!("rel=\"canonical\" href=\"{address}\"")));
    }
    assert_eq!(before[&addresses(&[5])[0]], "2024-01-05T00:00:00Z");
    assert!(site.get("/robots.txt").text().contains(&format!("\nSitemap: {BASE_URL}sitemap.xml\n")));
    // An edit is dated, a deleted article is gone, a new one is there, also after a restart.
    site.write("1.md", "---\ndate: 2024-01-01\n---\n# Number 1\n\nAnother text.");
    site.write("6.md", "# Number 6\n\nText.");
    site.remove("2.md");
    let expected = addresses(&[1, 3, 4, 5, 6]);
    site.wait_until("the sitemap shows the changes", |site| {
        urls(site) == expected && listed(site)[&expected[0]] != before[&expected[0]]
    });
    let after = listed(&site);
    assert_eq!(after[&expected[1]], before[&expected[1]]);
    let answer = site.get("/sitemap.xml");
    let again = site.ask("GET", "/sitemap.xml", &[("If-None-Match", answer.field("etag"))]);
    assert_eq!(again.status, 304);
    assert_eq!(site.get("/sitemap-1.xml").status, 404, "one document holds all");
    site.restart();
    assert_eq!(listed(&site), after);
}

#[test]
fn style_sheets_are_small_and_load_nothing() {
    let site = Site::started();
    for name in ["style.css", "feed.css"] {
        let style = site.get(&format!("/{name}")).text();
        assert!(style.len() < 18 << 10, "{name} has {} bytes", style.len());
        assert!(!style.contains("url(") && !style.contains("@import"), "{name}");
        assert_eq!(style.matches('{').count(), style.matches('}').count(), "{name}");
    }
}

/// Right-to-left titles of the main feed.
const RIGHT_TO_LEFT: [&str; 2] = ["שלום, עולם", "الميناء عند الفجر"];

/// A page for the browser.
fn plan(program: &Program) -> Value {
    let pages: Vec<Value> = KINDS.iter().map(|(path, status)| json!({ "path": path, "status": status })).collect();
    let titles = |path: &str| {
        let answer = program.get(path);
        let feed: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        feed["items"].as_array().unwrap().iter().map(|item| item["title"].clone()).collect::<Vec<_>>()
    };
    let feeds = ["", "tags/notes/", "archive/1/"].into_iter().flat_map(|place| {
        let titles = titles(&format!("/{place}feed.json"));
        ["rss.xml", "atom.xml"]
            .map(|name| json!({ "path": format!("/{place}{name}"), "titles": titles, "rightToLeft": RIGHT_TO_LEFT }))
    });
    let first = titles("/feed.json")[0].clone();
    let feed_pages = ["/rss.xml", "/atom.xml", "/feed.json", "/tags/harbour/rss.xml"].map(|path| {
        let title = if path.starts_with("/tags") { json!("The harbour at first light") } else { first.clone() };
        json!({ "path": path, "title": title })
    });
    json!({ "pages": pages, "feeds": feeds.collect::<Vec<_>>(), "feedPages": feed_pages })
}

#[test]
fn pages_are_readable_and_accessible_in_a_browser() {
    let Some(modules) = std::env::var_os("GAZETTED_NODE_MODULES") else {
        tools::skip("GAZETTED_NODE_MODULES, the folder of playwright-core and axe-core,");
        return;
    };
    if !tools::has("node") || !tools::has("chromium") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("articles");
    for (name, bytes) in articles() {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let configuration = home.path().join("gazetted.toml");
    std::fs::write(&configuration, CONFIGURATION).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("serve").arg(&folder).arg("--config").arg(&configuration).args(["--listen", "127.0.0.1:0", "--state"]);
    let program = Program::start(command.arg(home.path().join("state")));
    std::fs::remove_file(folder.join("gone.md")).unwrap();
    program.wait_until("an article is gone", |program| program.get("/articles/gone").starts_with("HTTP/1.1 410"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/check.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(format!("http://{}", program.address)).arg(plan(&program).to_string());
    tools::run(node.env("GAZETTED_NODE_MODULES", modules).env("HOME", home.path()));
}

/// A file whose name is a number, a date or an id has no title. Its first words stand for one where a title must be.
#[test]
fn an_article_without_a_title_is_a_note() {
    let mut site = Site::new();
    let date = "---\ndate: 2024-05-01\n---\n";
    site.write("n1.md", format!("{date}Only *one* sentence.\n\n![](sea.png)"));
    site.write(
        "2026/2026-11-24-1009.md",
        "A note that is longer than sixty characters, and goes further than that\n\n### A part\n\nIts end.",
    );
    site.write("3fa85f64-5717-4562-b3fc-2c963f66afa6.html", "<p>A page without a title.</p>");
    site.write("7.md", format!("{date}{}", "Many words of a note that is too long for a list. ".repeat(100)));
    site.write("Harbour walk.md", format!("{date}A file with a name in words."));
    site.write("8.md", "---\ntitle: Stated\n---\nText of the eighth.");
    site.write("9.md", "# Heading\n\nText of the ninth.");
    site.start();
    let feed = site.feed();
    let items = feed["items"].as_array().unwrap();
    let with = |text: &str| items.iter().find(|item| item["content_html"].as_str().unwrap().contains(text)).unwrap();
    for text in ["one</em> sentence", "Its end.", "without a title", "Many words"] {
        assert_eq!(with(text).get("title"), None, "{text}");
    }
    for (text, title) in [("in words", "Harbour walk"), ("the eighth", "Stated"), ("the ninth", "Heading")] {
        assert_eq!(with(text)["title"], title);
    }
    // Addresses are as before.
    assert_eq!(with("one</em> sentence")["url"], "https://gazette.example/articles/n1");
    assert_eq!(with("without a title")["url"], "https://gazette.example/articles/3fa85f64-5717-4562-b3fc-2c963f66afa6");
    let atom = site.get("/atom.xml").text();
    let long = "A note that is longer than sixty characters, and goes…";
    for title in
        ["Only one sentence.", long, "A page without a title.", "Many words of a note that is too long for a list."]
    {
        assert!(atom.contains(&format!("<title>{title}</title>")), "{title}: {atom}");
    }
    let rss = site.get("/rss.xml").text();
    assert_eq!(rss.matches("<item>").count(), 7);
    assert_eq!(rss.split("<item>").skip(1).filter(|item| item.contains("<title>")).count(), 3);
    assert!(
        rss.split("<item>").skip(1).all(|item| item.contains("<description>")),
        "an item has a title or a description"
    );
    let front = site.get("/").text();
    for shown in ["<p>Only <em>one</em> sentence.</p>", "Its end.", "<h4>A part</h4>", "A page without a title."] {
        assert!(front.contains(shown), "{shown}: {front}");
    }
    assert!(front.contains("href=\"/articles/7\">Many words of a note"), "a long one is listed by its first words");
    assert!(!front.contains(">n1<") && !front.contains(">1009<"));
    let page = site.get("/articles/n1").text();
    assert!(page.contains("<title>Only one sentence. – "), "{page}");
    assert!(page.contains("class=\"unseen\">Only one sentence.</h1>"), "{page}");
    let text = crate::withheld::run(
        crate::command_line::gazetted().arg("explain").arg(site.path("n1.md")).arg("--config").arg(site.config_file()),
    )
    .1;
    assert!(text.contains("Only one sentence.  (its first words: it has no title)"), "{text}");
}

/// In a feed of summaries, too, an item of RSS without a title has a description.
#[test]
fn a_note_in_a_feed_of_summaries_has_a_description() {
    let mut site = Site::configured("[feed]\ncontent = 'summary'\n");
    site.write("1.md", "---\nsummary: Stated words\n---\nText of the first.");
    site.write("2.md", "![](sea.png)\n\nText of the second.");
    site.write("3.md", "![](https://b.example/sea.png)");
    site.start();
    for path in ["/rss.xml", "/atom.xml"] {
        let text = site.get(path).text();
        let (item, body) = if path == "/rss.xml" { ("<item>", "<description>") } else { ("<entry>", "<title") };
        assert_eq!(text.split(item).count(), 4, "{text}");
        assert!(text.split(item).skip(1).all(|item| item.contains(body)), "{text}");
    }
}
