//! Kinds of posts beside articles: link posts from bookmarks. The examples of docs/writing.md are published as they stand there.

use std::path::Path;

use crate::site::Site;

/// The blocks of code below a heading of docs/writing.md.
fn examples(heading: &str) -> Vec<String> {
    let paper = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/writing.md");
    let paper = std::fs::read_to_string(paper).unwrap();
    let (_, section) = paper.split_once(&format!("\n### {heading}\n")).unwrap();
    let section = section.split("\n### ").next().unwrap().split("\n## ").next().unwrap();
    let blocks = section.split("\n```").skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').unwrap().1.to_owned()).collect()
}

/// The item of a list, or the header of a page, that has this text.
fn around<'a>(page: &'a str, text: &str, start: &str, end: &str) -> &'a str {
    let at = page.find(text).unwrap_or_else(|| panic!("{text} in {page}"));
    let from = page[..at].rfind(start).unwrap();
    let until = at + page[at..].find(end).unwrap();
    &page[from..until]
}

#[test]
fn a_bookmark_and_a_short_text_with_a_link_are_link_posts() {
    let mut site = Site::new();
    let [markdown, shortcut] = &examples("Link posts")[..] else { panic!() };
    site.write("tides.md", markdown);
    site.write("Harbours of the North.url", shortcut.replace('\n', "\r\n"));
    let list = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict><key>URL</key><string>https://example.org/?a=1&amp;b=2</string></dict></plist>";
    site.write("A third page.webloc", list);
    site.write("fourth.md", "---\ntitle: Without a word\nlink: https://example.org/four\n---\n");
    site.write(
        "long.md",
        format!("---\ntitle: Long\nlink: https://example.org/long\n---\n{}", "Many words. ".repeat(60)),
    );
    site.write("source.md", "---\ntitle: Only a source\nsource: https://example.org/five\n---\n");
    site.write("file.url", "[InternetShortcut]\nURL=file:///etc/passwd\n");
    site.start();
    let mut titles = site.titles();
    titles.sort();
    assert_eq!(titles, ["A third page", "Harbours of the North", "How tides are predicted", "Long", "Without a word"]);
    let item = site.entry("A third page");
    assert_eq!(item["external_url"], "https://example.org/?a=1&b=2");
    assert_eq!(
        item["content_html"],
        "<p><a href=\"https://example.org/?a=1&amp;b=2\">example.org/?a=1&amp;b=2</a></p>"
    );
    let front = site.get("/").text();
    for (title, address, slug) in [
        ("How tides are predicted", "https://example.org/tides", "tides"),
        ("Harbours of the North", "https://example.org/harbours", "harbours-of-the-north"),
        ("Without a word", "https://example.org/four", "fourth"),
    ] {
        let listed = around(&front, &format!(">{title}</a></h3>"), "<li class=\"h-entry\">", "\n</li>");
        assert!(listed.contains(&format!("u-bookmark-of\" href=\"{address}\">{title}")), "{listed}");
        assert!(listed.contains(&format!("<a class=\"u-url\" href=\"/articles/{slug}\"><time")), "{listed}");
        assert!(listed.contains("class=\"elsewhere\" dir=\"ltr\">example.org<"), "{listed}");
        let page = site.get(&format!("/articles/{slug}")).text();
        let header = around(&page, "<h1", "<header", "</header>");
        assert!(
            header.contains(&format!("<a class=\"u-bookmark-of\" href=\"{address}\">{title}</a></h1>")),
            "{header}"
        );
        assert!(header.contains("<p class=\"source elsewhere\"") && !header.contains("First published"), "{header}");
    }
    assert!(site.get("/articles/tides").text().contains("Brass wheels"));
    let listed = around(&front, ">Long</a></h3>", "<li class=\"h-entry\">", "\n</li>");
    assert!(listed.contains("href=\"/articles/long\">Long") && !listed.contains("u-bookmark-of"), "{listed}");
    assert!(site.get("/articles/long").text().contains("First published at"));
}
