//! Addresses that articles and feeds had elsewhere, and links that use them: what a reader gets who follows one.

use crate::site::{BASE_URL, Site};

/// The path that a request is redirected to; empty if it is not.
fn leads_to(site: &Site, path: &str) -> String {
    let answer = site.get(path);
    if answer.status != 301 {
        return String::new();
    }
    answer.field("location").strip_prefix(BASE_URL).map(|path| format!("/{path}")).unwrap_or_default()
}

/// The addresses of the links and of the pictures and recordings in an article.
fn links(site: &Site, title: &str) -> Vec<String> {
    let entry = site.entry(title);
    let html = entry["content_html"].as_str().unwrap();
    let values = html.split([' ', '<']).filter_map(|part| part.strip_prefix("href=\"").or(part.strip_prefix("src=\"")));
    values.map(|rest| rest.split('"').next().unwrap().replace(BASE_URL, "/")).collect()
}

#[test]
fn old_addresses_of_articles_redirect() {
    let mut site = Site::new();
    let front_matter = "aliases: [\"/2014/12/12/Timeline.html\", old-name]\nredirect_from: [/old/timeline/]\npermalink: /blog/timeline/";
    site.write("timeline.md", format!("---\ntitle: Timeline\ndate: 2014-12-12\n{front_matter}\n---\nText."));
    site.write(
        "zola.md",
        "+++\ntitle = \"Trains\"\npath = \"2015/01/02/Trains\"\naliases = [\"2015/trains.html\"]\n+++\nText.",
    );
    site.write("number.md", "---\ntitle: Number\nurl: https://gazette.example/?p=12\n---\nText.");
    site.write("pattern.md", "---\ntitle: Pattern\npermalink: /:year/:title/\n---\nText.");
    site.write("2013-07-13-first.md", "---\ntitle: First\n---\nText.");
    site.start();
    for path in [
        "/2014/12/12/Timeline.html",
        "/2014/12/12/timeline/",
        "/old-name",
        "/old/timeline",
        "/old/timeline/index.html",
        "/blog/timeline/",
    ] {
        assert_eq!(leads_to(&site, path), "/articles/timeline", "{path}");
    }
    for path in ["/2015/01/02/Trains", "/2015/trains.html"] {
        assert_eq!(leads_to(&site, path), "/articles/zola", "{path}");
    }
    assert_eq!(leads_to(&site, "/?p=12"), "/articles/number");
    assert_eq!(leads_to(&site, "/2013/07/13/first.html"), "/articles/first", "a date and a name can mean no other");
    for path in ["/2013/08/13/first.html", "/first/", "/?p=13", "/:year/:title/", "/blog/", "/nowhere"] {
        assert_eq!(leads_to(&site, path), "", "{path}");
    }
    assert_eq!(site.get("/?page=2").status, 200);
    site.write("timeline.md", "---\ntitle: Timeline\naliases: [/new-alias/]\n---\nText.");
    site.wait_until("the alias was changed", |site| leads_to(site, "/new-alias/") == "/articles/timeline");
    assert_eq!(leads_to(&site, "/old/timeline/"), "", "the writer took it away");
    site.remove("timeline.md");
    site.wait_until("it is deleted", |site| site.get("/new-alias/").status == 410);
}

#[test]
fn own_addresses_win() {
    let mut site = Site::new();
    site.write("a.md", "---\ntitle: A\ntags: [sea]\naliases: [/rss.xml, /, /tags/sea/, /articles/b, /tags/sky/, /articles/c]\n---\nText.");
    site.write("b.md", "---\ntitle: B\n---\nText.");
    site.start();
    for path in ["/rss.xml", "/", "/tags/sea/", "/articles/b"] {
        assert_eq!(site.get(path).status, 200, "{path}");
    }
    assert_eq!(leads_to(&site, "/articles/c"), "/articles/a");
    assert_eq!(leads_to(&site, "/tags/sky/"), "/articles/a");
}

#[test]
fn old_addresses_of_feeds_redirect() {
    let mut site = Site::configured("[feed]\naliases = ['/news.php?id=7', '/my/podcast.xml']");
    site.write("a.md", "---\ntitle: A\ntags: [sea]\nauthor: Ann\n---\nText.");
    site.start();
    for (path, feed) in [
        ("/feed/atom/", "/atom.xml"),
        ("/feeds/all.atom.xml", "/atom.xml"),
        ("/feeds/posts/default", "/atom.xml"),
        ("/index.rdf", "/rss.xml"),
        ("/?feed=rss2", "/rss.xml"),
        ("/?feed=atom", "/atom.xml"),
        ("/blog/index.xml", "/rss.xml"),
        ("/blog/feed/", "/rss.xml"),
        ("/feed/json", "/feed.json"),
        ("/news.php?id=7", "/rss.xml"),
        ("/my/podcast.xml", "/rss.xml"),
        ("/tag/sea/feed/", "/tags/sea/rss.xml"),
        ("/categories/sea/atom.xml", "/tags/sea/atom.xml"),
        ("/author/ann/rss/", "/authors/ann/rss.xml"),
        ("/category/sea/", "/tags/sea/"),
    ] {
        assert_eq!(leads_to(&site, path), feed, "{path}");
    }
    for path in ["/news.php?id=8", "/tag/sky/feed/", "/about/feed/"] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
    assert_eq!(site.get("/feed/").status, 200, "readers probe it");
}

#[test]
fn both_forms_of_an_encoded_address_are_one() {
    let mut site = Site::new();
    site.write("gfm.md", "# A title\n\nText.");
    site.start();
    for (plain, encoded) in [("/articles/gfm", "/articles/%67fm"), ("/rss.xml", "/%72ss.xml"), ("/", "/")] {
        let (plain, encoded) = (site.get(plain), site.get(encoded));
        assert_eq!((encoded.status, encoded.text()), (200, plain.text()));
    }
}

#[test]
fn links_by_old_addresses_lead_to_articles() {
    let mut site = Site::new();
    site.write("2013-07-13-first-release.md", "---\ntitle: First\n---\nThe first one.");
    let body = "[a](/blog/2013/07/13/first-release/) [b](/2013/07/first-release.html) [c](https://gazette.example/old/#part) \
                [d](../first-release/) [e](/2013/08/first-release/) [f](/tags/first-release/) [g](https://other.example/first-release/) \
                [h](/later/) ![](/images/nowhere.png)";
    site.write("second.md", format!("---\ntitle: Second\n---\n{body}"));
    site.write("third.md", "---\ntitle: Third\npermalink: /old/\n---\nText.");
    site.start();
    let first = "/articles/first-release";
    let expected = |later: &str| {
        [
            first,
            first,
            "/articles/third#part",
            first,
            "/2013/08/first-release/",
            "/tags/first-release/",
            "https://other.example/first-release/",
            later,
            "/images/nowhere.png",
        ]
        .map(str::to_owned)
    };
    site.wait_until("all are read", |site| links(site, "Second") == expected("/later/"));
    site.write("later.md", "---\ntitle: Later\n---\nText.");
    site.wait_until("the link leads there", |site| links(site, "Second") == expected("/articles/later"));
    site.restart();
    assert_eq!(links(&site, "Second"), expected("/articles/later"));
}

#[test]
fn links_of_a_vault_lead_to_notes_and_files() {
    let mut site = Site::new();
    let body = "[[Harbour]], [[Harbour|the port]]: and [[Docks#Old part]]. [[By title]] [[Old name]] [[Nowhere]] ![[shot.png]] \
                ![[cast.mp3]] ![x](town/images/z.png) [y](town/Docks.md) [[Later]]";
    site.write("town/walk.md", format!("# Walk\n\n{body}"));
    site.write("town/near/Harbour.md", "# Near harbour\n\nText.");
    site.write("far/away/Harbour.md", "# Far harbour\n\nText.");
    site.write("town/Docks.md", "# Docks\n\n[back](#old-part)\n\n## Old part\n\nText.");
    site.write("other.md", "---\ntitle: By title\naliases: [Old name]\n---\nText.");
    for file in ["attachments/deep/shot.png", "town/images/z.png", "cast.mp3"] {
        site.write(file, "not empty");
    }
    site.start();
    let slug = |title: &str| site.entry(title)["url"].as_str().unwrap().replace(BASE_URL, "/");
    let (near, docks, by_title) = (slug("Near harbour"), slug("Docks"), slug("By title"));
    let expected = |later: &[&str]| {
        let mut expected =
            vec![near.clone(), near.clone(), format!("{docks}#old-part"), by_title.clone(), by_title.clone()];
        expected.extend(
            ["/media/attachments/deep/shot.png", "/media/cast.mp3", "/media/town/images/z.png"].map(str::to_owned),
        );
        expected.push(docks.clone());
        expected.extend(later.iter().map(|later| (*later).to_owned()));
        expected
    };
    site.wait_until("all are read", |site| links(site, "Walk") == expected(&[]));
    let text = site.entry("Walk")["content_text"].to_string() + site.entry("Walk")["content_html"].as_str().unwrap();
    assert!(text.contains("Nowhere") && !text.contains("[[") && !text.contains("note:"), "{text}");
    site.write("Later.md", "# Later\n\nText.");
    site.wait_until("the link leads there", |site| links(site, "Walk") == expected(&["/articles/later"]));
    site.write("town/shot.png", "another");
    site.wait_until("the nearest wins", |site| links(site, "Walk").contains(&"/media/town/shot.png".to_owned()));
}

#[test]
fn links_and_pictures_that_lead_nowhere_are_named() {
    let mut site = Site::new();
    site.write("pics/Waves 1.png", "not empty");
    site.write("a.md", "# A\n\nText ![](pics/waves-1.png)\n\n[x](/2013/nowhere/), [b](/old/b/), [c](/tags/x/), [d](/rss.xml) and ![](/img/none.png)");
    site.write("b.md", "# B\n\nText ![](pics/Waves%201.png) [a](a.md)");
    let expected = [
        "a.md:3: there is no file pics/waves-1.png; did you mean pics/Waves 1.png?",
        "a.md:5: there is no file img/none.png",
        "a.md:5: `/2013/nowhere/`: nothing on this site has this address",
    ];
    let checked = crate::command_line::gazetted().arg("check").arg(site.root()).output().unwrap();
    let text = String::from_utf8(checked.stdout).unwrap();
    let lines: Vec<&str> =
        text.lines().map(|line| line.rsplit_once("articles/").map_or(line, |(_, line)| line)).collect();
    assert_eq!((lines.as_slice(), checked.status.code()), (&expected[..], Some(0)));
    let board = site.start_serving();
    site.wait_until("the status page names them", |_| {
        let status = format!("{:?}", board.get());
        expected.iter().all(|line| status.contains(line.split_once(": ").unwrap().1))
    });
    site.write("pics/waves-1.png", "not empty");
    site.wait_until("it is there", |_| !format!("{:?}", board.get()).contains("did you mean"));
}

/// A link of another article leads to a heading or a named paragraph, whichever of the two comes first.
#[test]
fn headings_and_paragraphs_are_there_for_links_of_other_articles() {
    let mut site = Site::new();
    let target = |title: &str| {
        format!(
            "# {title}\n\n## Old part: the docks\n\nA paragraph. ^my-block\n\n- An item ^item-1\n\n## Old part: the docks\n\n> A quote\n\n^quote-1\n\n### Ähnliches & mehr"
        )
    };
    site.write("before.md", target("Before"));
    site.write("page.html", "<title>Page</title><h1>Page</h1><p>Text of a page that is long enough.</p><h2 id=\"part\">Part</h2><p id=\"junk\">More</p>");
    let links_to = |name: &str| {
        format!(
            "[[{name}#Old part: the docks]] [x]({name}.md#old-part-the-docks-1) [x]({name}.md#Old%20part:%20the%20docks) [[{name}#^my-block|b]] \
             [[{name}#^item-1|i]] [x]({name}.md#^quote-1) [[{name}#Ähnliches & mehr|m]] [x](page.html#part)"
        )
    };
    site.write("from.md", format!("# From\n\n{}\n\n{}", links_to("before"), links_to("later")));
    site.start();
    let resolved = |page: &str| {
        [
            "old-part-the-docks",
            "old-part-the-docks-1",
            "old-part-the-docks",
            "%5Emy-block",
            "%5Eitem-1",
            "%5Equote-1",
            "%C3%A4hnliches--mehr",
        ]
        .map(|part| format!("{page}#{part}"))
        .into_iter()
        .chain(["/articles/page#part".to_owned()])
        .collect::<Vec<_>>()
    };
    let all = [resolved("/articles/before"), resolved("/articles/later")].concat();
    let found =
        |site: &Site| links(site, "From").into_iter().map(|link| link.replace("ä", "%C3%A4")).collect::<Vec<_>>();
    site.write("later.md", target("Later"));
    site.wait_until("all links lead there", |site| found(site) == all);
    let assert_all_are_there = |site: &Site| {
        for (title, page) in [("Before", "/articles/before"), ("Later", "/articles/later")] {
            let (html, page) = (site.entry(title)["content_html"].as_str().unwrap().to_owned(), site.get(page).text());
            for id in
                ["old-part-the-docks", "old-part-the-docks-1", "^my-block", "^item-1", "^quote-1", "ähnliches--mehr"]
            {
                for text in [&html, &page] {
                    assert_eq!(text.matches(&format!("id=\"{id}\"")).count(), 1, "{id}: {text}");
                }
            }
            assert!(!html.contains(" ^"), "{html}");
        }
        let html = site.entry("Page")["content_html"].as_str().unwrap().to_owned();
        assert!(html.contains("id=\"part\"") && !html.contains("junk"), "{html}");
    };
    assert_all_are_there(&site);
    site.restart();
    assert_all_are_there(&site);
    assert_eq!(found(&site), all);
}
