//! Folders that their writers describe: `_index.md`.

use serde_json::Value;

use crate::site::Site;

const ABOUT: &str = "---\ntitle: The Sea Hour & more\nauthor: Ann Lee\nimage: cover.png\nlanguage: de\ncategory: [Arts > Books, TV & Film]\n\
                     type: serial\nowner: {name: Bo, email: bo@x.example}\ncopyright: © 2024 Ann\nexplicit: false\n---\n\
                     A weekly *hour*\nby the sea.\n";

/// A recording of a few frames of silence.
pub(crate) fn silence(number: u8) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xFB, 0x90, 0x00];
    frame.resize(417, 0);
    [frame.repeat(4), vec![number]].concat()
}

/// The start of a PNG with its header chunk.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn podcast() -> Site {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/'\ntitle = 'Gazette'");
    for number in 1..=3 {
        site.write(&format!("cast/2024-05-0{number}.mp3"), silence(number));
    }
    site.write("cast/cover.png", png(1500, 1500));
    site.write("cast/_index.md", ABOUT);
    site.write("text.md", "---\ndate: 2024-01-01\n---\n# Text\n\nText");
    site.start();
    site
}

fn rss(site: &Site) -> String {
    site.get("/sections/cast/rss.xml").text()
}

#[test]
fn a_podcast_has_each_element_that_apple_requires() {
    let mut site = podcast();
    site.wait_until("the folder is described", |site| rss(site).contains("The Sea Hour"));
    let text = rss(&site);
    let channel = text.split("<item>").next().unwrap();
    let image = "https://gazette.example/media/cast/cover.png";
    for element in [
        "<title>The Sea Hour &amp; more</title>",
        "<description>A weekly hour by the sea.</description>",
        "<link>https://gazette.example/sections/cast/</link>",
        "<language>de</language>",
        "<copyright>© 2024 Ann</copyright>",
        &format!("<itunes:image href=\"{image}\""),
        &format!("<url>{image}</url>"),
        "<itunes:category text=\"Arts\">",
        "<itunes:category text=\"Books\"",
        "<itunes:category text=\"TV &amp; Film\"",
        "<itunes:explicit>false</itunes:explicit>",
        "<itunes:author>Ann Lee</itunes:author>",
        "<itunes:type>serial</itunes:type>",
        "<itunes:name>Bo</itunes:name>",
        "<itunes:email>bo@x.example</itunes:email>",
        "<podcast:guid>",
    ] {
        assert!(channel.contains(element), "{element} is not in {channel}");
    }
    for item in text.split("<item>").skip(1) {
        for element in ["<title>", "<enclosure url=\"https://gazette.example/media/cast/", "<guid ", "<pubDate>"] {
            assert!(item.contains(element), "{element} is not in {item}");
        }
        assert!(item.contains(" type=\"audio/mpeg\"") && !item.contains("length=\"0\""), "{item}");
    }
    let document = ::rss::Channel::read_from(text.as_bytes()).unwrap();
    let categories = document.itunes_ext().unwrap().categories();
    assert_eq!((categories[0].text(), categories[0].subcategory().unwrap().text()), ("Arts", "Books"));
    assert_eq!(document.items().len(), 3);
}

#[test]
fn all_documents_show_the_description_and_follow_its_changes() {
    let mut site = podcast();
    site.wait_until("the folder is described", |site| rss(site).contains("The Sea Hour"));
    let json = |site: &Site| -> Value { serde_json::from_str(&site.get("/sections/cast/feed.json").text()).unwrap() };
    let atom = site.get("/sections/cast/atom.xml").text();
    for element in [
        "<title>The Sea Hour",
        "<rights>© 2024 Ann",
        "<logo>https://gazette.example/media/cast/cover.png",
        "<name>Ann Lee",
    ] {
        assert!(atom.contains(element), "{element} is not in {atom}");
    }
    let feed = json(&site);
    assert_eq!((feed["title"].as_str(), feed["language"].as_str()), (Some("The Sea Hour & more"), Some("de")));
    assert_eq!(feed["description"], "A weekly hour by the sea.");
    assert_eq!(feed["authors"][0]["name"], "Ann Lee");
    let page = site.get("/sections/cast/").text();
    for part in
        [">The Sea Hour &amp; more</h1>", "<p>A weekly <em>hour</em>", "<title>The Sea Hour &amp; more – Gazette"]
    {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    for path in ["/feeds.opml", "/sections/", "/"] {
        assert!(site.get(path).text().contains("The Sea Hour &amp; more"), "{path}");
    }
    assert_eq!(site.get("/articles/index").status, 404, "it is no article");
    // The main feed, which is mostly recordings, has its own title.
    assert_eq!(site.feed()["title"], "Gazette");
    let bytes = ["/sections/cast/rss.xml", "/sections/cast/", "/feeds.opml"].map(|path| site.get(path).body);
    site.restart();
    site.settle();
    assert_eq!(
        ["/sections/cast/rss.xml", "/sections/cast/", "/feeds.opml"].map(|path| site.get(path).body)[0],
        bytes[0]
    );
    site.write("cast/_index.md", "---\ntitle: Another\nsummary: Short\npodcast: false\n---\nText");
    site.wait_until("it changes", |site| json(site)["title"] == "Another");
    assert_eq!(json(&site)["description"], "Short");
    let text = rss(&site);
    assert!(!text.contains("itunes") && text.contains("<enclosure "), "podcast: false: {text}");
    site.remove("cast/_index.md");
    site.wait_until("the defaults are back", |site| json(site)["title"] == "cast – Gazette");
    assert!(rss(&site).contains("<itunes:explicit>"), "{}", rss(&site));
}

#[test]
fn the_whole_site_and_folders_without_recordings_are_described() {
    let mut site = Site::configured("[site]\nbase_url = 'https://gazette.example/'");
    site.write("_index.html", "---\ntitle: Harbour\ndescription: All about it\ntype: episodic\ncategory: News\n---\n");
    site.write("notes/_index.txt", "---\ntitle: Notes of a sailor\ndescription: Few\n---\nText");
    site.write("notes/a.md", "---\ndate: 2024-01-01\n---\n# A\n\nText");
    site.write("drafts/_index.md", "# Secret");
    site.start();
    site.wait_for(&["A"]);
    site.wait_until("the site is described", |site| site.feed()["title"] == "Harbour");
    assert_eq!(site.feed()["description"], "All about it");
    let text = site.get("/rss.xml").text();
    assert!(text.contains("<itunes:type>episodic<") && text.contains("<itunes:category text=\"News\""), "{text}");
    assert!(site.get("/").text().contains(">Harbour</h1>"));
    site.wait_until("the folder is described", |site| {
        site.get("/sections/notes/rss.xml").text().contains("<title>Notes of a sailor</title>")
    });
    assert!(!site.get("/sections/notes/rss.xml").text().contains("itunes"), "no podcast");
    assert!(!site.get("/feeds.opml").text().contains("Secret"));
    std::fs::rename(site.path("notes"), site.path("logs")).unwrap();
    site.wait_until("the description follows its folder", |site| {
        site.get("/sections/logs/rss.xml").text().contains("<title>Notes of a sailor</title>")
    });
}
