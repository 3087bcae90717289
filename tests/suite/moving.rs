//! Moving in: ids and dates of a feed that was published elsewhere.

use std::path::Path;
use std::process::Output;

use crate::command_line::gazetted;
use crate::site::{BASE_URL, Site};

/// When the files without a date were modified.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// Runs `adopt-ids` for one document in a file of this name. Returns the exit code and the output.
fn adopt(site: &Site, name: &str, document: impl AsRef<[u8]>) -> (Option<i32>, String) {
    let file = site.root().with_file_name(name);
    std::fs::write(&file, document).unwrap();
    adopt_files(site, &[&file])
}

fn adopt_files(site: &Site, files: &[&Path]) -> (Option<i32>, String) {
    let mut command = gazetted();
    command.arg("adopt-ids").args(files).arg("--state").arg(site.state()).args(["--base-url", BASE_URL, "--config"]);
    let Output { status, stdout, stderr } = command.arg(site.config_file()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

fn rss(items: &str) -> String {
    format!(
        "<rss version='2.0'><channel><title>Old</title><link>https://old.example/</link><description>d</description>{items}</channel></rss>"
    )
}

fn item(id: usize, link: &str, title: &str, date: &str) -> String {
    format!(
        "<item><title>{title}</title><link>{link}</link><guid isPermaLink='false'>urn:old:{id}</guid><pubDate>{date}</pubDate></item>"
    )
}

/// Id and date of an entry.
fn id_and_date(site: &Site, title: &str) -> (String, String) {
    let entry = site.entry(title);
    (entry["id"].as_str().unwrap().to_owned(), entry["date_published"].as_str().unwrap()[..10].to_owned())
}

#[test]
fn articles_with_remarks_are_adopted() {
    let mut site = Site::new();
    let date = "date: 2022-09-19 20:45:00 +0100";
    let remarked = [
        (
            "a tag of a generator",
            format!("---\ntitle: Title 0\n{date}\n---\nSee the chart {{% chart \"wind\" %}} of the night."),
        ),
        ("a missing cover", format!("---\ntitle: Title 1\n{date}\ncover: nowhere.png\n---\nText of it.")),
        ("a slip in a key", format!("---\ntitle: Title 2\n{date}\nsumary: x\n---\nText of two.")),
        ("an unreadable date", "---\ntitle: Title 3\ndate: soon\n---\nText of three.".to_owned()),
        ("front matter that is not YAML", "---\ntitle: Title 4\nsummary: a: b\n---\nText of four.".to_owned()),
        ("an invalid address", format!("---\ntitle: Title 5\n{date}\nlink: nonsense\n---\nText of five.")),
        ("a missing recording", format!("---\ntitle: Title 6\n{date}\naudio: nowhere.mp3\n---\nText of six.")),
    ];
    let mut items = String::new();
    for (number, (_, text)) in remarked.iter().enumerate() {
        // Every other one is found by the name of its file, the rest by the title.
        let name = if number % 2 == 0 { format!("name-{number}.md") } else { format!("file-{number}.md") };
        site.write(&name, text);
        let link = format!("https://old.example/blog/2022/09/19/name-{number}/");
        items += &item(number, &link, &format!("Title {number}"), "Mon, 19 Sep 2022 19:45:00 +0000");
    }
    site.write("old.txt", b"Title 7\n\nText of the caf\xe9 in another encoding.");
    items += &item(7, "https://old.example/?p=7", "Title 7", "Mon, 19 Sep 2022 19:45:00 +0000");
    let (code, text) = adopt(&site, "old.rss", rss(&items));
    assert!(code == Some(0) && text.contains("8 articles have the id"), "{text}");
    site.start();
    for number in 0..8 {
        let (id, day) = id_and_date(&site, &format!("Title {number}"));
        assert_eq!((id, day.as_str()), (format!("urn:old:{number}"), "2022-09-19"), "{:?}", remarked.get(number));
    }
}

#[test]
fn titles_match_however_they_are_written() {
    let mut site = Site::new();
    let titles = [
        ("Storms & tides", "<title type='html'>Storms &amp;amp; tides</title>"),
        ("The storm - a review", "<title type='html'><![CDATA[The storm &#8211; a review]]></title>"),
        ("It's \"over\"", "<title>It’s “over”</title>"),
        (
            "A real *storm*",
            "<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>A <em>real</em> storm</div></title>",
        ),
        ("Wait...", "<title>Wait…</title>"),
        ("1 000 boats", "<title type='html'>1&amp;nbsp;000 boats</title>"),
        ("THE TIDE", "<title>The tide</title>"),
        ("Fish & chips", "<title type='html'>Fish &amp;amp;amp; chips</title>"),
    ];
    let entry = |(number, (_, title)): (usize, &(&str, &str))| {
        format!(
            "<entry><id>urn:old:{number}</id>{title}<updated>2022-09-19T10:00:00Z</updated><link href='https://old.example/?p={number}'/></entry>"
        )
    };
    for (number, (title, _)) in titles.iter().enumerate() {
        site.write(
            &format!("{number}.txt"),
            format!("{title}\n\nText of number {number}, which is as long as it is.\n"),
        );
    }
    let entries: String = titles.iter().enumerate().map(entry).collect();
    let document = format!("<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><id>f</id>{entries}</feed>");
    let (code, text) = adopt(&site, "old.atom", document);
    assert!(code == Some(0) && text.contains(&format!("{} articles have the id", titles.len())), "{text}");
    site.start();
    for item in site.feed()["items"].as_array().unwrap() {
        assert!(item["id"].as_str().unwrap().starts_with("urn:old:"), "{item}");
    }
}

#[test]
fn dates_are_read_in_every_form_or_named() {
    let mut site = Site::new();
    let dates = [
        ("Tue, 19 Sep 2022 19:45:00 GMT", "2022-09-19"),
        ("Mon, 19 Sep 2022 23:45:00 -0400", "2022-09-20"),
        ("Mon, 19 Sep 2022 01:45:00 +02:00", "2022-09-18"),
        ("Mon, 19 Sep 2022 01:00:00 CEST", "2022-09-18"),
        ("Mon, 19 Sep 2022 22:00:00 EDT", "2022-09-20"),
        ("Mon, 19 Sep 2022 19:45:00", "2022-09-19"),
        ("Mon, 19 Sep 2022 24:00:00 GMT", "2022-09-20"),
        ("Sep 19, 2022 7:45 PM", "2022-09-19"),
        ("19 Sep 22 10:00 UT", "2022-09-19"),
        ("Mon Sep 19 10:00:00 2022", "2022-09-19"),
        ("2022-09-19 10:00:00", "2022-09-19"),
        ("2022-09-19T10:00Z", "2022-09-19"),
        ("Mo, 19 Dez 2022 10:00:00 +0100", "2022-12-19"),
        ("lun, 19 déc 2022 10:00:00 +0100", "2022-12-19"),
        ("19.09.2022 10:00", "2022-09-19"),
    ];
    let mut items = String::new();
    for (number, (date, _)) in dates.iter().enumerate() {
        site.write(&format!("name-{number}.md"), format!("# Title {number}\n\nText of it."));
        items += &item(number, &format!("https://old.example/name-{number}"), &format!("Title {number}"), date);
    }
    let (code, text) = adopt(&site, "old.rss", rss(&items));
    assert!(code == Some(0) && text.contains("15 articles have the id"), "{text}");
    // Dates that mean nothing: the file's counts, and the exit code says so.
    let unread = ["soon", "05/06/2022", "Mon, 32 Sep 2022 10:00:00 GMT"];
    let mut items = String::new();
    for (number, date) in unread.iter().enumerate() {
        let name = format!("unread-{number}.md");
        site.write(&name, format!("# Unread {number}\n\nText of it."));
        let file = std::fs::File::options().write(true).open(site.path(&name)).unwrap();
        file.set_modified(std::time::SystemTime::from(LONG_AGO.parse::<chrono::DateTime<chrono::Utc>>().unwrap()))
            .unwrap();
        items +=
            &item(100 + number, &format!("https://old.example/unread-{number}"), &format!("Unread {number}"), date);
    }
    items += "<item><title>Later</title><guid>urn:old:later</guid><link>https://old.example/later</link><pubDate>never</pubDate></item>";
    let (code, text) = adopt(&site, "unread.rss", rss(&items));
    assert_eq!(code, Some(1), "{text}");
    for (number, date) in unread.iter().enumerate() {
        let line = format!("unread.rss:1: the date `{date}` of the entry `Unread {number}` cannot be read");
        assert!(text.contains(&line), "{line} in {text}");
    }
    site.start();
    for (number, (date, day)) in dates.iter().enumerate() {
        assert_eq!(
            id_and_date(&site, &format!("Title {number}")),
            (format!("urn:old:{number}"), (*day).to_owned()),
            "{date}"
        );
    }
    for number in 0..unread.len() {
        let expected = (format!("urn:old:{}", 100 + number), "2020-01-01".to_owned());
        assert_eq!(id_and_date(&site, &format!("Unread {number}")), expected);
    }
    // A file that comes later has its own date, too.
    let elsewhere = site.root().with_file_name("later.md");
    std::fs::write(&elsewhere, "# Later\n\nText of it.").unwrap();
    let file = std::fs::File::options().write(true).open(&elsewhere).unwrap();
    file.set_modified(std::time::SystemTime::from(LONG_AGO.parse::<chrono::DateTime<chrono::Utc>>().unwrap())).unwrap();
    std::fs::rename(&elsewhere, site.path("later.md")).unwrap();
    site.wait_until("it is published", |site| site.titles().contains(&"Later".to_owned()));
    assert_eq!(id_and_date(&site, "Later"), ("urn:old:later".to_owned(), "2020-01-01".to_owned()));
}

#[test]
fn feeds_in_any_encoding_and_with_faults_are_adopted() {
    let two = |link: &str| {
        item(0, link, "Grüße", "Mon, 19 Sep 2022 19:45:00 GMT")
            + &item(1, "https://old.example/two", "Two", "Mon, 19 Sep 2022 19:45:00 GMT")
    };
    let declared = |label: &str, text: &str| format!("<?xml version='1.0' encoding='{label}'?>{text}");
    let latin = latin_1(&declared("ISO-8859-1", &rss(&two("https://old.example/?p=1"))));
    let wide: Vec<u8> = format!("\u{FEFF}{}", declared("UTF-16", &rss(&two("https://old.example/?p=1"))))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let bare = rss(&two("https://old.example/?a=1&p=1")).into_bytes();
    let entity =
        rss(&(two("https://old.example/?p=1") + "<item><title>caf&eacute;&nbsp;&foo;</title><guid>x</guid></item>"))
            .into_bytes();
    let control = rss(&two("https://old.example/?p=1").replace("Two", "Two\u{8}")).into_bytes();
    let prefix = rss(&two("https://old.example/?p=1").replace("</item>", "<slash:comments>1</slash:comments></item>"))
        .into_bytes();
    let unended = rss(&two("https://old.example/?p=1")).replace("</channel></rss>", "").into_bytes();
    for (name, document, remark) in [
        ("ISO 8859-1", latin, ""),
        ("utf-16", wide, ""),
        ("a bare &", bare, "a bare `&` was read as text"),
        ("an entity", entity, "an undeclared entity was read as text"),
        ("a control character", control, "a control character was skipped"),
        ("an undeclared prefix", prefix, ""),
        ("no end", unended, "the file ends within an element"),
    ] {
        let mut site = Site::new();
        site.write("a.txt", "Grüße\n\nText of the greetings, which is as long as it is.");
        site.write("two.md", "# Another title\n\nText of two.");
        let (code, text) = adopt(&site, "old.rss", document);
        assert!(code == Some(0) && text.contains("2 articles have the id"), "{name}: {text}");
        assert!(text.contains(remark), "{name}: {text}");
        site.start();
        assert_eq!(id_and_date(&site, "Grüße"), ("urn:old:0".into(), "2022-09-19".into()), "{name}");
        assert_eq!(id_and_date(&site, "Another title"), ("urn:old:1".into(), "2022-09-19".into()), "{name}");
    }
    let site = Site::new();
    site.write("two.md", "# Two\n\nText of two.");
    let cut = rss(&two("https://old.example/?p=1"));
    let cut = &cut[..cut.find("Two").unwrap() + 20];
    let (code, text) = adopt(&site, "cut.rss", cut);
    assert!(code == Some(1) && text.contains("1 entries read"), "{text}");
    assert!(text.contains("cut.rss:1: the entry `Two` is cut off before its id: it is skipped"), "{text}");
}

/// A text in ISO 8859-1.
fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

#[test]
fn the_path_of_an_address_decides() {
    let mut site = Site::new();
    let rows = [
        (
            "query.md",
            "<link>https://old.example/blog/query/?utm_source=rss&amp;utm_medium=feed</link><guid isPermaLink='false'>urn:old:0</guid>",
        ),
        ("guid-only.md", "<guid>https://old.example/blog/guid-only/</guid>"),
        (
            "burnt.md",
            "<link>http://feedproxy.google.com/~r/old/~3/xyz/</link><guid isPermaLink='false'>urn:old:2</guid><feedburner:origLink>https://old.example/burnt.html</feedburner:origLink>",
        ),
        ("überblick.md", "<link>https://old.example/%C3%BCberblick/</link><guid isPermaLink='false'>urn:old:3</guid>"),
        (
            "2024-05-01-dated.md",
            "<link>https://old.example/2024/05/dated/</link><guid isPermaLink='false'>urn:old:4</guid>",
        ),
        (
            "undated.md",
            "<link>https://old.example/2024-05-01-undated.html</link><guid isPermaLink='false'>urn:old:5</guid>",
        ),
        (
            "by-number.md",
            "<link>http://other.example:8080/?p=6&amp;utm_source=x</link><guid isPermaLink='false'>urn:old:6</guid>",
        ),
        ("by-second.md", "<link>https://elsewhere.example/story</link><guid>https://old.example/blog/by-second</guid>"),
        ("日本.md", "<link>https://old.example/%E6%97%A5%E6%9C%AC</link><guid isPermaLink='false'>urn:old:8</guid>"),
        (
            "weeks/2024-05-06-notes.md",
            "<link>https://old.example/2024/05/06/notes/</link><guid isPermaLink='false'>urn:old:9</guid><pubDate>Mon, 06 May 2024 10:00:00 GMT</pubDate>",
        ),
        (
            "weeks/2024-05-13-notes.md",
            "<link>https://old.example/2024/05/13/notes/</link><guid isPermaLink='false'>urn:old:10</guid><pubDate>Mon, 13 May 2024 10:00:00 GMT</pubDate>",
        ),
    ];
    let mut items = String::new();
    for (number, (name, fields)) in rows.iter().enumerate() {
        let front = if *name == "by-number.md" { "---\nurl: /?p=6\n---\n" } else { "" };
        site.write(name, format!("{front}# Title of file {number}\n\nText of file {number}."));
        items += &format!("<item><title>Another title {number}</title>{fields}</item>");
    }
    let (code, text) = adopt(&site, "old.rss", rss(&items));
    assert!(code == Some(0) && text.contains("11 articles have the id"), "{text}");
    site.start();
    for (number, (name, _)) in rows.iter().enumerate() {
        let expected = match *name {
            "guid-only.md" => "https://old.example/blog/guid-only/".to_owned(),
            "by-second.md" => "https://old.example/blog/by-second".to_owned(),
            _ => format!("urn:old:{number}"),
        };
        assert_eq!(id_and_date(&site, &format!("Title of file {number}")).0, expected, "{name}");
    }
}

#[test]
fn an_entry_in_two_files_is_one() {
    let mut site = Site::new();
    site.write("storm.md", "# Storm\n\nText of it.");
    // Links to the old site lead to its articles here; others stay, also those of the same path on other sites.
    site.write(
        "tide.md",
        "# Tide\n\n[One](http://old.example/storm/?utm_source=x#part) [two](https://old.example/other/) [three](https://b.example/storm) `https://old.example/storm`",
    );
    let write = |name: &str, document: &str| {
        let file = site.root().with_file_name(name);
        std::fs::write(&file, document).unwrap();
        file
    };
    let one = write(
        "1.rss",
        &rss(&item(1, "https://old.example/storm/?utm_source=rss", "Storm &amp;#8211; a review", "soon")),
    );
    let other = write(
        "2.atom",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><id>f</id><entry><id>tag:old.example,2020:storm</id>\
         <title type='html'>Storm – a review</title><published>2020-05-01T00:00:00Z</published><link href='http://old.example/storm'/></entry></feed>",
    );
    let (code, text) = adopt_files(&site, &[&one, &other]);
    assert!(
        code == Some(1) && text.contains("2 entries read, 1 of them known") && text.contains("1 articles have"),
        "{text}"
    );
    site.start();
    assert_eq!(id_and_date(&site, "Storm"), ("urn:old:1".into(), "2020-05-01".into()), "as its readers in RSS know it");
    assert!(site.get("/atom.xml").text().contains("<id>tag:old.example,2020:storm</id>"));
    let html = site.entry("Tide")["content_html"].as_str().unwrap().to_owned();
    for link in [&format!("{BASE_URL}articles/storm#part"), "https://old.example/other/", "https://b.example/storm"] {
        assert!(html.contains(&format!("href=\"{link}\"")), "{link} in {html}");
    }
    assert!(html.contains("<code>https://old.example/storm</code>"), "{html}");
}
