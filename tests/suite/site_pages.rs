//! Pages that are no articles: their addresses, the menu, and the lists that do not have them.

use crate::commands::explain;
use crate::sections::png;
use crate::site::{Answer, Site};

const CONFIGURATION: &str = "[site]\nbase_url = 'https://gazette.example/'\ntitle = 'Gazette'";

/// The feeds and lists of articles.
const LISTS: [&str; 8] =
    ["/rss.xml", "/atom.xml", "/feed.json", "/archive/", "/sections/", "/tags/", "/authors/", "/feeds.opml"];

fn page(title: &str, keys: &str) -> String {
    format!("---\ntitle: {title}\ntags: [Onpages]\nauthor: Pat Pager\n{keys}\n---\nWords of {title}.\n")
}

/// The names in the menu of a page, in order.
fn menu(answer: &Answer) -> Vec<String> {
    let html = answer.text();
    let Some((_, rest)) = html.split_once("<nav class=\"menu\"") else { return Vec::new() };
    let list = rest.split_once("</nav>").unwrap().0;
    list.split("</a>")
        .filter_map(|link| Some(link.rsplit_once('>')?.1.to_owned()))
        .filter(|name| name != "\n")
        .collect()
}

#[test]
fn pages_are_at_their_own_addresses_and_in_no_list() {
    let mut site = Site::configured(CONFIGURATION);
    site.write("news/one.md", "---\ntags: [sea]\n---\n# One\n\nWords. [About](../pages/about.md) and [us](/team).");
    site.start();
    site.wait_for(&["One"]);
    let front = site.get("/").text();
    assert!(!front.contains("class=\"menu\""), "{front}");
    site.write("pages/about.md", page("About", "order: 2\ndate: 2024-05-01\nmodified: 2024-05-02"));
    site.write("pages/info/team/index.md", page("The team", "menu_title: Team\norder: 1"));
    site.write("imprint.md", page("Imprint", "layout: page\nmenu: false"));
    site.write("pages/not.md", "---\npage: false\ndate: 2020-01-01\n---\n# An article after all\n\nWords");
    site.write("pages/later.md", page("Later", "date: 2999-01-01"));
    site.write("pages/over.md", page("Over", "expires: 2020-01-01"));
    site.write("pages/wip.md", page("Unfinished", "draft: true"));
    site.write("pages/tags.md", "# Our tags\n\nWords about tags.");
    site.wait_until("all are read", |site| {
        menu(&site.get("/")) == ["Team", "About", "Our tags"] && site.titles().len() == 2
    });
    site.settle();
    // Each at its address, and only there.
    let about = site.get("/about");
    let text = about.text();
    assert!(text.contains(">About</h1>") && text.contains("Words of About."), "{text}");
    assert!(text.contains("<link rel=\"canonical\" href=\"https://gazette.example/about\">"), "{text}");
    assert!(!text.contains("byline") && !text.contains("rel=\"tag\""), "{text}");
    let others: Vec<&str> = text.lines().filter(|line| line.starts_with("<link rel=\"alternate\"")).collect();
    assert_eq!(others.len(), 3, "{others:?}");
    for link in others {
        let path = link.split_once("href=\"https://gazette.example").unwrap().1.split('"').next().unwrap();
        assert_eq!(site.get(path).status, 200, "{link}");
    }
    assert!(site.get("/imprint").text().contains(">Imprint</h1>"));
    assert!(site.get("/our-tags").text().contains(">Our tags</h1>"), "own addresses win");
    assert_eq!(site.get("/tags/").text().matches("Our tags").count(), 1, "in the menu only");
    for (from, to) in [
        ("/about/", "about"),
        ("/about.html", "about"),
        ("/pages/about.html", "about"),
        ("/articles/about", "about"),
        ("/articles/not", ""),
        ("/team/?ref=x", "team"),
    ] {
        let answer = site.get(from);
        if to.is_empty() {
            assert_eq!(answer.status, 200, "{from}");
        } else {
            let expected = format!("https://gazette.example/{to}");
            assert_eq!((answer.status, answer.field("location")), (301, &*expected), "{from}");
        }
    }
    for missing in ["/later", "/wip", "/not", "/nothing", "/one"] {
        assert_eq!(site.get(missing).status, 404, "{missing}");
    }
    assert_eq!(site.get("/over").status, 410);
    // In no list, no feed and no count.
    for path in LISTS {
        let text = site.get(path).text();
        for word in ["Words of", "Onpages", "Pat Pager", "https://gazette.example/about<"] {
            assert!(!text.contains(word), "{path}: {word}: {text}");
        }
    }
    let titles: Vec<String> = site.titles().into_iter().filter(|title| title != "Barrier").collect();
    assert_eq!(titles, ["One", "An article after all"]);
    let linked = site.entry("One")["content_html"].as_str().unwrap().to_owned();
    for address in ["https://gazette.example/about", "https://gazette.example/team"] {
        assert!(linked.contains(&format!("href=\"{address}\"")), "{linked}");
    }
    // In the sitemap with the date of the last change.
    let sitemap = site.get("/sitemap.xml").text();
    assert!(
        sitemap.contains("<loc>https://gazette.example/about</loc><lastmod>2024-05-02T00:00:00Z</lastmod>"),
        "{sitemap}"
    );
    assert!(sitemap.contains("<loc>https://gazette.example/imprint</loc>") && !sitemap.contains("later"), "{sitemap}");
    // A restart serves the same bytes, first from the catalog.
    let same = |site: &Site| {
        let pages = ["/about", "/", "/sitemap.xml"].into_iter().chain(LISTS);
        pages
            .map(|path| (path, site.get(path).body, site.get(path).field("last-modified").to_owned()))
            .collect::<Vec<_>>()
    };
    let before_restart = same(&site);
    site.restart();
    assert_eq!(same(&site), before_restart);
}

#[test]
fn a_change_of_the_menu_changes_pages_and_no_feed() {
    let mut site = Site::configured(CONFIGURATION);
    for number in 0..60 {
        site.write(&format!("{number:02}.md"), format!("---\ndate: 2024-05-01\n---\n# Article {number}\n\nWords."));
    }
    site.start();
    site.settle();
    let pages = ["/", "/articles/00", "/articles/59", "/archive/", "/tags/"];
    let state = |site: &Site, path: &str| {
        let answer = site.get(path);
        (answer.body.clone(), answer.field("etag").to_owned(), answer.field("last-modified").to_owned())
    };
    let states = |site: &Site, paths: &[&str]| paths.iter().map(|path| state(site, path)).collect::<Vec<_>>();
    let feeds = ["/rss.xml", "/atom.xml", "/feed.json", "/archive/1/rss.xml"];
    let (first, first_feeds) = (states(&site, &pages), states(&site, &feeds));
    site.write("pages/about.md", page("About", ""));
    site.wait_until("the menu has the page", |site| menu(&site.get("/")) == ["About"]);
    for (path, (body, etag, modified)) in pages.iter().zip(first) {
        assert_eq!(menu(&site.get(path)), ["About"], "{path}");
        let after = state(&site, path);
        assert!(after.0 != body && after.1 != etag && after.2 != modified, "{path}");
        assert_eq!(site.ask("GET", path, &[("If-None-Match", &etag)]).status, 200, "{path}");
        assert_eq!(site.ask("GET", path, &[("If-Modified-Since", &modified)]).status, 200, "{path}");
    }
    assert_eq!(menu(&site.get("/nowhere")), ["About"], "also of a 404");
    assert_eq!(states(&site, &feeds), first_feeds);
    // Its text is no part of the menu.
    let second = states(&site, &pages);
    site.write("pages/about.md", page("About", "").replace("Words of", "Other words of"));
    site.wait_until("the text changes", |site| site.get("/about").text().contains("Other words"));
    assert_eq!(states(&site, &pages), second);
    // Renamed and with another slug, it redirects. As an article and back, too. Deleted, it is gone.
    site.rename("pages/about.md", "pages/us.md");
    site.write("pages/us.md", page("About", "slug: who-we-are"));
    site.wait_until("the address changes", |site| site.get("/who-we-are").status == 200);
    let location = |site: &Site, path: &str| {
        let answer = site.get(path);
        (answer.status, answer.field("location").replace("https://gazette.example", ""))
    };
    assert_eq!(location(&site, "/about"), (301, "/who-we-are".to_owned()));
    site.write("pages/us.md", page("About", "slug: who-we-are\npage: false"));
    site.wait_until("it is an article", |site| site.get("/articles/who-we-are").status == 200);
    assert_eq!(location(&site, "/who-we-are"), (301, "/articles/who-we-are".to_owned()));
    assert!(site.titles().contains(&"About".to_owned()));
    assert_eq!(menu(&site.get("/")), Vec::<String>::new());
    let id = site.entry("About")["id"].clone();
    site.write("pages/us.md", page("About", "slug: who-we-are"));
    site.wait_until("it is a page again", |site| site.get("/who-we-are").status == 200);
    assert_eq!(location(&site, "/articles/who-we-are"), (301, "/who-we-are".to_owned()));
    assert!(!site.titles().contains(&"About".to_owned()));
    assert!(!site.get("/atom.xml").text().contains("deleted-entry"), "it was not deleted");
    site.write("pages/us.md", page("About", "page: false"));
    site.wait_until("it is an article again", |site| site.titles().contains(&"About".to_owned()));
    assert_eq!(site.entry("About")["id"], id, "identity stays");
    site.write("pages/us.md", page("About", ""));
    site.wait_until("it is a page once more", |site| menu(&site.get("/")) == ["About"]);
    site.remove("pages/us.md");
    site.wait_until("it is gone", |site| site.get("/who-we-are").status == 410);
    assert_eq!((site.get("/about").status, menu(&site.get("/")).len()), (410, 0));
    assert!(!site.get("/atom.xml").text().contains("deleted-entry"), "no feed had it");
}

#[test]
fn folders_have_texts_pictures_and_places() {
    let mut site = Site::configured(CONFIGURATION);
    site.write("_index.md", "Welcome **here**, stranger.");
    site.write(
        "news/_index.md",
        "---\ntitle: The news\nweight: 2\nimage: sea.png\n---\nAll **news** and [us](../pages/about.md).\n\nMore.",
    );
    site.write("news/sea.png", png(640, 480));
    site.write("notes/_index.md", "---\ntitle: Zettel\nweight: 1\nsummary: Short\n---\nAll *of* them.");
    site.write("pages/about.md", page("About", ""));
    site.write("news/one.md", "# One\n\nWords.");
    site.write("notes/two.md", "# Two\n\nWords of two.");
    site.start();
    site.wait_until("all are described", |site| {
        site.get("/sections/news/").text().contains("<a href=\"/about\">us</a>")
    });
    let section = site.get("/sections/news/").text();
    for part in [">The news</h1>", "All <strong>news</strong>", "<p>More.</p>", "<img src=\"/media/news/sea.png\""] {
        assert!(section.contains(part), "{part}: {section}");
    }
    assert!(!section.contains("class=\"lead\""), "the text is not shown twice: {section}");
    let rss = site.get("/sections/news/rss.xml").text();
    assert!(rss.contains("<description>All news and us. More.</description>"), "{rss}");
    let notes = site.get("/sections/notes/").text();
    assert!(notes.contains(">Short</p>") && notes.contains("All <em>of</em> them."), "{notes}");
    for path in ["/", "/sections/"] {
        let text = site.get(path).text();
        assert!(text.find("Zettel").unwrap() < text.find("The news").unwrap(), "{path}: {text}");
    }
    let front = site.get("/").text();
    assert!(front.contains("Welcome <strong>here</strong>, stranger."), "{front}");
    site.restart();
    assert_eq!(site.get("/sections/news/").text(), section);
}

#[test]
fn authors_have_texts_pictures_and_links() {
    let mut site = Site::configured(CONFIGURATION);
    site.write("one.md", "---\nauthor: Ann Lee\ndate: 2024-05-01\n---\n# One\n\nWords.");
    site.write("authors/ann lee.md", "# First name first\n\nAn article once.");
    site.write("authors/dated.md", "---\ndate: 2024-05-02\n---\n# Two\n\nWords of two.");
    site.write("authors/later.md", "---\ndraft: true\n---\nSecret words.");
    site.start();
    site.wait_for(&["Two", "One"]);
    let feeds = ["/authors/ann-lee/rss.xml", "/authors/ann-lee/feed.json", "/feed.json", "/rss.xml", "/feeds.opml"];
    let bytes = |site: &Site| feeds.map(|path| (site.get(path).body, site.get(path).field("last-modified").to_owned()));
    let page = |site: &Site| site.get("/authors/ann-lee/").text();
    site.wait_until("she is described", |site| page(site).contains("An article once."));
    let before = bytes(&site);
    let bio = "---\ntitle: Ann L.\navatar: ann.png\nlink: https://ann.example/\nme: https://social.example/@ann\n---\n\
               Born **inland**, see [one](../one.md).";
    site.write("authors/ann.png", png(64, 64));
    site.write("authors/ann lee.md", bio);
    site.wait_until("her picture is there", |site| page(site).contains("<img src=\"/media/authors/ann.png\""));
    let text = page(&site);
    for part in [
        ">Ann L.</h1>",
        "Born <strong>inland</strong>, see <a href=\"/articles/one\">one</a>.",
        "<a href=\"https://ann.example/\" dir=\"ltr\">ann.example</a>",
        "<a href=\"https://social.example/@ann\" rel=\"me\" dir=\"ltr\">social.example/@ann</a>",
        "<link rel=\"me\" href=\"https://social.example/@ann\">",
        "\"sameAs\":[\"https://ann.example/\",\"https://social.example/@ann\"]",
        "title=\"Author: Ann Lee – Gazette (RSS)\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(site.get("/authors/").text().contains(">Ann L.</a>"));
    assert!(site.get("/articles/one").text().contains(">Ann Lee</a>"));
    assert_eq!(bytes(&site), before, "feeds do not show it");
    assert_eq!(site.get("/articles/ann-lee").status, 404);
    assert_eq!(site.get("/authors/later/").status, 404);
    // A second file of this name is reported, and the first counts. Renamed, it describes another author.
    site.write("authors/ann-lee.txt", "---\ntitle: Another\n---\nWords of another.");
    site.settle();
    assert!(page(&site).contains(">Ann L.</h1>"), "the first by name counts");
    site.rename("authors/ann lee.md", "authors/bo.md");
    site.wait_until("the other takes its place", |site| page(site).contains(">Another</h1>"));
    site.restart();
    assert!(page(&site).contains(">Another</h1>"));
    assert_eq!(site.get("/authors/bo/").status, 404, "no article is by him yet");
    let (code, explained) = explain(&site, "authors/bo.md");
    assert!(
        code == Some(0) && explained.contains("describes the author") && explained.contains("once an article names"),
        "{explained}"
    );
    site.write("two.md", "---\nauthor: Bo\n---\n# By Bo\n\nWords.");
    site.wait_until("he has a page", |site| site.get("/authors/bo/").text().contains(">Ann L.</h1>"));
    // Deleted while the daemon is stopped, and while it runs.
    site.remove("authors/ann-lee.txt");
    site.wait_until("her page is as before", |site| page(site).contains(">Ann Lee</h1>"));
    site.stop();
    site.remove("authors/bo.md");
    site.start();
    site.wait_until("so is his", |site| site.get("/authors/bo/").text().contains(">Bo</h1>"));
    // As an article and back.
    let dated = |site: &Site| site.titles().contains(&"Two".to_owned());
    site.write("authors/dated.md", "# Two\n\nWords of two.");
    site.wait_until("it is no article", |site| !dated(site));
    site.write("authors/dated.md", "---\ntype: post\n---\n# Two\n\nWords of two.");
    site.wait_until("it is an article", dated);
}
