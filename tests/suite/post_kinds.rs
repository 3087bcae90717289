//! Kinds of posts: link posts from bookmarks, photos, documents of Word. The examples of docs/writing.md are published as they stand there.

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

#[test]
fn code_is_coloured_on_pages_and_nowhere_else() {
    let mut site = Site::new();
    let [example] = &examples("Code")[..] else { panic!() };
    site.write("coloured.md", format!("# Coloured\n\n{example}"));
    site.write("plain.md", "# Plain\n\nText.\n\n~~~nolanguage\nfn main() {}\n~~~\n");
    site.write("20251101-1.html", "<p>A note.</p><pre><code class=\"lang-toml\"># it is <b>low</b></code></pre>");
    site.start();
    let page = site.get("/articles/coloured").text();
    let code = "<pre><code class=\"language-rust\"><span class=\"k\">fn</span> <span class=\"f\">main</span>() {\n    <span class=\"f\">println!</span>(<span class=\"s\">\"Low tide at ";
    assert!(page.contains(code), "{page}");
    assert!(page.contains("<span class=\"c\">// in the morning\n</span>") && !page.contains("style="), "{page}");
    assert!(!site.get("/articles/plain").text().contains("<span class=\"k\""));
    let note = "<code class=\"language-toml\"><span class=\"c\"># it is </span><b><span class=\"c\">low</span></b>";
    assert!(site.get("/").text().contains(note), "a note that is shown whole");
    for document in ["/atom.xml", "/rss.xml", "/feed.json", "/articles/coloured.md", "/llms.txt"] {
        let text = site.get(document).text();
        assert!(!text.contains("<span") && !text.contains("&lt;span"), "{document}: {text}");
    }
    let item = site.entry("Coloured");
    let html = item["content_html"].as_str().unwrap();
    assert!(html.contains("<code class=\"language-rust\">fn main() {\n    println!("), "{html}");
}

/// A JPEG without an image, taken at noon of a day in December 2025, with this caption.
fn photo(caption: &str, day: u8) -> Vec<u8> {
    let caption = format!("{caption}\0");
    let (length, date) = (u8::try_from(caption.len()).unwrap(), format!("2025:12:{day:02} 12:00:00\0"));
    let tiff = [
        &b"MM\0\x2A\0\0\0\x08\0\x02"[..],
        &[0x01, 0x0E, 0, 2, 0, 0, 0, length, 0, 0, 0, 76],
        &[0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38],
        &[0; 4],
        &[0, 1, 0x90, 0x03, 0, 2, 0, 0, 0, 20, 0, 0, 0, 56, 0, 0, 0, 0],
        date.as_bytes(),
        caption.as_bytes(),
    ]
    .concat();
    let length = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
    let size = [0xFF, 0xC0, 0, 11, 8, 1, 0x40, 1, 0xE0, 1, 1, 0x11, 0];
    [&[0xFF, 0xD8, 0xFF, 0xE1], &length[..], b"Exif\0\0", &tiff, &size, &[0xFF, 0xDA, 0, 2, 0xFF, 0xD9]].concat()
}

#[test]
fn a_picture_in_the_folder_of_photos_is_an_article() {
    let mut site = Site::new();
    let [sidecar] = &examples("Photos")[..] else { panic!() };
    site.write("photos/harbour-walk.jpg", photo("Boats at the quay", 1));
    site.write("photos/2025/IMG_0001.jpg", photo("Two gulls", 2));
    site.write("photos/2026/seal.jpg", photo("", 3));
    site.write("photos/2026/seal.md", sidecar);
    site.write("photos/bare.png", photo("", 4));
    site.write("photos/bare.md", "---\ntitle: A title alone\n---\n");
    // Pictures that belong to articles, or to nothing.
    let others =
        ["static/a.jpg", "images/b.jpg", "photos/bundle/c.jpg", "d.jpg", "static/photos/e.jpg", "photos/shown.jpg"];
    for place in others {
        site.write(place, photo(place, 5));
    }
    site.write("photos/bundle/index.md", "# A bundle\n\n![c](c.jpg)");
    site.write("post.md", "# A post\n\n![d](photos/shown.jpg)");
    site.start();
    let mut titles = site.titles();
    titles.sort();
    assert_eq!(titles, ["", "A bundle", "A post", "A title alone", "A visitor", "harbour walk"], "a note has no title");
    for place in others {
        assert_eq!(site.get(&format!("/media/{place}")).status, 200, "{place}");
    }
    let walk = site.entry("harbour walk");
    let picture = "<img src=\"https://gazette.example/media/photos/harbour-walk.jpg\" alt=\"Boats at the quay\"";
    let html = walk["content_html"].as_str().unwrap();
    assert!(html.starts_with(&format!("<figure>{picture}")), "{html}");
    assert!(html.contains("<figcaption>Boats at the quay</figcaption>"), "{html}");
    assert_eq!(walk["date_published"].as_str().unwrap(), "2025-12-01T12:00:00Z");
    assert_eq!(walk["image"], "https://gazette.example/media/photos/harbour-walk.jpg");
    let visitor = site.entry("A visitor");
    let html = visitor["content_html"].as_str().unwrap();
    assert!(html.contains("/media/photos/2026/seal.jpg\" alt=\"A visitor\"") && html.contains("slept there"), "{html}");
    assert_eq!(site.entry("A title alone")["date_published"].as_str().unwrap(), "2025-12-04T12:00:00Z");
    // A note has no title in RSS, and the list shows the picture.
    assert!(!site.get("/rss.xml").text().contains("<title>Two gulls</title>"));
    let front = site.get("/").text();
    for text in ["IMG_0001.jpg\" alt=\"Two gulls\"", ">harbour walk</a></h3>"] {
        let listed = around(&front, text, "<li class=\"h-entry\">", "\n</li>");
        assert!(listed.contains(" src=\"/media/photos/"), "{listed}");
    }
    // The text takes the entry of the photo over, and gives it back.
    let id = walk["id"].clone();
    site.write("photos/harbour-walk.md", "# Evening at the quay\n\nIt was late.");
    site.wait_until("the text is there", |site| site.titles().contains(&"Evening at the quay".to_owned()));
    assert_eq!(site.entry("Evening at the quay")["id"], id);
    assert_eq!(site.titles().len(), 6);
    site.remove("photos/harbour-walk.md");
    site.wait_until("the photo is back", |site| site.titles().contains(&"harbour walk".to_owned()));
    assert_eq!(site.entry("harbour walk")["id"], id);
    // A picture that no article shows any more is an article.
    site.write("post.md", "# A post\n\nWithout it.");
    site.wait_until("the photo is alone", |site| site.titles().contains(&"shown".to_owned()));
    site.restart();
    assert_eq!(site.titles().len(), 7);
}

/// Packs files, stored as they are.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut checksum = flate2::Crc::new();
        checksum.update(content);
        let (size, offset) = (u32::try_from(content.len()).unwrap(), u32::try_from(archive.len()).unwrap());
        let length = u16::try_from(name.len()).unwrap();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(checksum.sum().to_le_bytes());
        common.extend([size.to_le_bytes(), size.to_le_bytes()].concat());
        common.extend(length.to_le_bytes());
        common.extend([0, 0]);
        archive.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content].concat());
        let entry = [b"PK\x01\x02\x14\0", &common[..], &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat();
        directory.extend(entry);
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let (size, start) = (u32::try_from(directory.len()).unwrap(), u32::try_from(archive.len()).unwrap());
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size.to_le_bytes(), &start.to_le_bytes(), &[0; 2]].concat();
    [archive, directory, end].concat()
}

/// A document with these paragraphs, a comment and a picture.
fn document(paragraphs: &[&str], picture: &[u8]) -> Vec<u8> {
    let paragraphs: Vec<String> =
        paragraphs.iter().map(|text| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")).collect();
    let paragraphs = paragraphs.concat();
    let namespace = |name: &str| format!("http://schemas.openxmlformats.org/{name}");
    let body = format!(
        "<w:document xmlns:w=\"{}\" xmlns:a=\"{}\" xmlns:r=\"{}\"><w:body>{paragraphs}<w:p><w:r><w:drawing><a:blip r:embed=\"rId1\"/>\
         </w:drawing></w:r><w:del><w:r><w:delText>SECRET</w:delText></w:r></w:del></w:p></w:body></w:document>",
        namespace("wordprocessingml/2006/main"),
        namespace("drawingml/2006/main"),
        namespace("officeDocument/2006/relationships")
    );
    let relations = "<Relationships><Relationship Id=\"rId1\" Type=\"image\" Target=\"media/a.png\"/></Relationships>";
    zip(&[
        ("word/document.xml", body.as_bytes()),
        ("word/_rels/document.xml.rels", relations.as_bytes()),
        ("word/media/a.png", picture),
        ("word/comments.xml", b"SECRET"),
    ])
}

#[test]
fn a_document_of_word_is_an_article_with_its_pictures() {
    let mut site = Site::new();
    let [keys] = &examples("Documents of Word and LibreOffice")[..] else { panic!() };
    let picture =
        [&b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x80\0\0\0\x80\x08\x02\0\0\0"[..], &vec![7; 100_000]].concat();
    let paragraphs: Vec<&str> = keys.lines().chain(["The boats stayed in the harbour."]).collect();
    site.write("notes/Storm warning.docx", document(&paragraphs, &picture));
    site.write("linked.docx", document(&["A form"], &picture));
    site.write("static/form.docx", document(&["Another form"], &picture));
    site.write("post.md", "# A post\n\n[The form](linked.docx)");
    site.write("broken.docx", "no document");
    site.start();
    let mut titles = site.titles();
    titles.sort();
    assert_eq!(titles, ["A post", "Storm warning"]);
    let entry = site.entry("Storm warning");
    assert_eq!(entry["date_published"], "2026-11-20T09:00:00Z");
    assert_eq!(entry["tags"], serde_json::json!(["harbour", "weather"]));
    let html = entry["content_html"].as_str().unwrap();
    let start = "<p>The boats stayed in the harbour.</p>\n<p><img src=\"https://gazette.example";
    assert!(html.starts_with(start) && !html.contains("SECRET"), "{html}");
    let address = html[start.len()..].split('"').next().unwrap();
    assert!(address.starts_with("/media/notes/Storm%20warning.docx/"), "{address}");
    let served = site.get(address);
    assert_eq!((served.status, served.field("content-type"), served.body == picture), (200, "image/png", true));
    let part = site.ask("GET", address, &[("Range", "bytes=90000-90009")]);
    assert_eq!((part.status, part.body), (206, picture[90_000..90_010].to_vec()));
    // The document itself holds what is not for the public, unless an article offers it.
    for (path, status) in [
        ("/media/notes/Storm%20warning.docx", 404),
        ("/media/broken.docx", 404),
        ("/media/linked.docx", 200),
        ("/media/static/form.docx", 200),
        ("/media/notes/Storm%20warning.docx/00000000000000000000000000000000.png", 404),
        ("/media/notes/Storm%20warning.docx/word/comments.xml", 404),
    ] {
        assert_eq!(site.get(path).status, status, "{path}");
    }
    // Another picture has another address.
    let other = [&picture[..], &[8]].concat();
    site.write("notes/Storm warning.docx", document(&paragraphs, &other));
    site.wait_until("the picture is another", |site| site.get(address).status == 404);
    site.remove("post.md");
    site.wait_until("the form is an article", |site| site.titles().contains(&"linked".to_owned()));
    assert_eq!(site.get("/media/linked.docx").status, 404);
}

#[test]
fn tasks_have_no_bullets_and_pictures_have_captions_on_pages() {
    let mut site = Site::new();
    let list = &examples("Markdown")[0];
    site.write("list.md", format!("# A list\n\n{list}"));
    site.write("boats.jpg", photo("", 1));
    site.start();
    let feed = site.entry("A list")["content_html"].as_str().unwrap().to_owned();
    assert!(feed.contains("title=\"The last evening of the season\"") && !feed.contains("figure"), "{feed}");
    assert!(feed.contains("<li>☑ Repair the nets</li>"), "{feed}");
    let page = site.get("/articles/list").text();
    let figure = around(&page, " alt=\"Two boats at the quay\"", "<figure>", "</figure>");
    assert!(figure.ends_with("<figcaption>The last evening of the season</figcaption>"), "{figure}");
    assert!(
        page.contains("<li class=\"task\">☑ Repair the nets</li>\n<li class=\"task\">☐ Paint the hull</li>"),
        "{page}"
    );
}
