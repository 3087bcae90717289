//! `gazetted import`: exports and feeds of other publishers become files that are served as they were.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use crate::command_line::gazetted;
use crate::sections::{png, silence};
use crate::site::{BASE_URL, Site};

fn import_file(export: &Path, directory: &Path) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = gazetted().arg("import").arg(export).arg(directory).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

/// Imports a document into the folder of a site.
fn import(site: &Site, name: &str, document: impl AsRef<[u8]>) -> (Option<i32>, String) {
    let file = site.root().with_file_name(name);
    std::fs::write(&file, document).unwrap();
    import_file(&file, site.root())
}

/// The files of a folder with their texts.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let pair = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
    };
    files.map(pair).collect()
}

#[test]
fn a_site_that_is_imported_from_its_own_feeds_is_the_same() {
    let mut site = Site::new();
    site.write(
        "storm.md",
        "---\ntitle: \"The storm: \\\"part\\\" 1 & more\"\ndate: 2024-05-01 10:00:00 +0200\nupdated: 2024-05-03\ntags: [sea, 'a, b']\nauthor: [Ann Lee, Bo]\n---\n\
         The *first* paragraph with [a link](https://b.example/?a=1&b=2).\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> A quote.\n\n\
         ```rust\nlet x = \"{{ y }}\"; // [[z]] 50 %% 7\n```\n\n## A heading\n\nMore text, as is usual.\n",
    );
    site.write(
        "2023-01-02-tide.txt",
        "The tide\n\nText of the tide, which is as long as it is.\n\nA second paragraph of it follows here.\n",
    );
    site.write(
        "日本.md",
        "---\ntitle: 日本\ndate: 2022-01-01T00:00:00Z\nid: \"tag:gazette.example,2022:own\"\n---\n本文です。\n",
    );
    site.write(
        "tags.md",
        "---\ntitle: Using `<b>` & co.\ndate: 2021-01-01T00:00:00Z\nslug: another-name\n---\nPlain.\n",
    );
    site.start();
    let of = |feed: &serde_json::Value, modified: bool| -> Vec<String> {
        let fields = [
            "id",
            "title",
            "url",
            "content_html",
            "date_published",
            "tags",
            if modified { "date_modified" } else { "id" },
        ];
        let entry = |item: &serde_json::Value| fields.map(|field| format!("{field}: {}", item[field])).join("\n");
        let mut entries: Vec<String> = feed["items"].as_array().unwrap().iter().map(entry).collect();
        entries.sort();
        entries
    };
    for path in ["/atom.xml", "/rss.xml", "/feed.json"] {
        let mut copy = Site::new();
        let (code, text) = import(&copy, "export", site.get(path).body);
        assert!(code == Some(0) && text.contains("4 files written"), "{path}: {text}");
        copy.start();
        let has_updates = path != "/rss.xml";
        assert_eq!(of(&copy.feed(), has_updates), of(&site.feed(), has_updates), "{path}");
        let before = files(copy.root());
        let (code, text) = import(&copy, "export", site.get(path).body);
        assert!(code == Some(0) && text.contains("0 files written"), "{path}: {text}");
        assert_eq!(files(copy.root()), before, "{path}");
    }
}

const WORDPRESS: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Old</title><link>https://old.example</link><wp:wxr_version>1.2</wp:wxr_version>
<wp:author><wp:author_id>1</wp:author_id><wp:author_login><![CDATA[ann]]></wp:author_login><wp:author_display_name><![CDATA[Ann Lee]]></wp:author_display_name></wp:author>
<item><title>The storm &#8211; a review</title><link>https://old.example/2024/05/the-storm/</link><pubDate>Wed, 01 May 2024 08:00:00 +0000</pubDate>
 <dc:creator><![CDATA[ann]]></dc:creator><guid isPermaLink="false">https://old.example/?p=1</guid><description></description>
 <content:encoded><![CDATA[First paragraph
with a break.

Second <em>paragraph</em>.

[caption id="a" width="300"]<img src="https://old.example/wp-content/a.jpg" alt="Sea" /> The sea[/caption]

<pre>code

stays</pre>

Last, with {{ braces }} and [[brackets]].]]></content:encoded><excerpt:encoded><![CDATA[An excerpt.]]></excerpt:encoded>
 <wp:post_id>1</wp:post_id><wp:post_date><![CDATA[2024-05-01 10:00:00]]></wp:post_date><wp:post_date_gmt><![CDATA[2024-05-01 08:00:00]]></wp:post_date_gmt>
 <wp:post_modified_gmt><![CDATA[2024-05-02 08:00:00]]></wp:post_modified_gmt><wp:post_name><![CDATA[the-storm]]></wp:post_name><wp:status><![CDATA[publish]]></wp:status>
 <wp:post_type><![CDATA[post]]></wp:post_type><wp:post_password></wp:post_password>
 <category domain="category" nicename="news"><![CDATA[News &amp; weather]]></category><category domain="post_tag" nicename="sea"><![CDATA[Sea]]></category>
 <category domain="category" nicename="uncategorized"><![CDATA[Uncategorized]]></category><category domain="post_format" nicename="x"><![CDATA[Aside]]></category>
 <wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value><![CDATA[9]]></wp:meta_value></wp:postmeta>
 <wp:postmeta><wp:meta_key>_wp_old_slug</wp:meta_key><wp:meta_value>first-storm</wp:meta_value></wp:postmeta>
 <wp:comment><wp:comment_content>Nice</wp:comment_content></wp:comment></item>
<item><title>Blocks</title><link>https://old.example/blocks/</link><guid isPermaLink="false">https://old.example/?p=2</guid>
 <content:encoded><![CDATA[<!-- wp:paragraph -->
<p>A block.</p>
<!-- /wp:paragraph -->

<!-- wp:paragraph {"metadata":{"blockVisibility":false}} -->
<p>Secret block</p>
<!-- /wp:paragraph -->

<!-- wp:shortcode -->
[members_only]Secret shortcode[/members_only] [contact-form-7 id="1"]
<!-- /wp:shortcode -->

<!-- wp:paragraph -->
<p>See <a href="https://old.example/?p=1&amp;utm_source=x">the storm</a>.</p>
<!-- /wp:paragraph -->]]></content:encoded><wp:post_date_gmt>2024-06-01 08:00:00</wp:post_date_gmt><wp:post_name>blocks</wp:post_name>
 <wp:status>publish</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>A draft</title><link>https://old.example/?p=3</link><guid>https://old.example/?p=3</guid><content:encoded>Secret draft</content:encoded>
 <wp:post_date_gmt>0000-00-00 00:00:00</wp:post_date_gmt><wp:post_name></wp:post_name><wp:status>draft</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>A pending one</title><guid>https://old.example/?p=4</guid><content:encoded>Secret pending</content:encoded><wp:status>pending</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>A private one</title><guid>https://old.example/?p=5</guid><content:encoded>Secret private</content:encoded><wp:post_date_gmt>2024-06-01 08:00:00</wp:post_date_gmt><wp:status>private</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>A locked one</title><guid>https://old.example/?p=6</guid><content:encoded>Secret locked</content:encoded><wp:post_date_gmt>2024-06-01 08:00:00</wp:post_date_gmt><wp:status>publish</wp:status><wp:post_password>pass</wp:post_password><wp:post_type>post</wp:post_type></item>
<item><title>A missed one</title><guid>https://old.example/?p=7</guid><content:encoded>Secret missed</content:encoded><wp:post_date_gmt>2024-06-01 08:00:00</wp:post_date_gmt><wp:status>future</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>A scheduled one</title><guid>https://old.example/?p=8</guid><content:encoded>Secret scheduled</content:encoded><wp:post_date_gmt>2999-06-01 08:00:00</wp:post_date_gmt><wp:status>future</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>Picture</title><wp:post_id>9</wp:post_id><wp:status>inherit</wp:status><wp:post_type>attachment</wp:post_type><wp:attachment_url>https://old.example/wp-content/sea.jpg</wp:attachment_url></item>
<item><title>About</title><wp:status>publish</wp:status><wp:post_type>page</wp:post_type><content:encoded>Page</content:encoded></item>
<item><title>Thrown away</title><guid>https://old.example/?p=11</guid><content:encoded>Secret trash</content:encoded><wp:status>trash</wp:status><wp:post_type>post</wp:post_type></item>
</channel></rss>"#;

/// Asserts that nothing that was not public is served.
fn assert_no_secrets(site: &Site) {
    for path in ["/atom.xml", "/rss.xml", "/feed.json", "/"] {
        assert!(!site.get(path).text().contains("Secret"), "{path}");
    }
}

#[test]
fn an_export_of_wordpress_is_imported() {
    let mut site = Site::new();
    let (code, text) = import(&site, "wordpress.xml", WORDPRESS);
    assert_eq!(code, Some(0), "{text}");
    for line in [
        "WordPress: 8 posts",
        "8 files written",
        "drafts: 2",
        "private: 2",
        "scheduled: 2",
        "not imported: 1 attachments",
        "not imported: 1 comments",
        "not imported: 1 deleted posts",
        "not imported: 1 pages",
        "not imported: 2 parts of texts that are not for all readers",
        "`Blocks`: 2 parts of its text are left out",
        "shortcodes that stay in the texts as they are: [contact-form-7]",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    site.start();
    assert_eq!(site.titles().len(), 2, "{:?}", site.titles());
    assert_no_secrets(&site);
    let storm = site.entry("The storm – a review");
    assert_eq!(storm["id"], "https://old.example/?p=1");
    assert_eq!(storm["date_published"], "2024-05-01T08:00:00Z");
    assert_eq!(storm["date_modified"], "2024-05-02T08:00:00Z");
    assert_eq!(storm["authors"][0]["name"], "Ann Lee");
    assert_eq!(storm["tags"], serde_json::json!(["News & weather", "Sea"]));
    assert_eq!(storm["summary"], "An excerpt.");
    assert_eq!(storm["image"], "https://old.example/wp-content/sea.jpg");
    assert!(storm["url"].as_str().unwrap().ends_with("/articles/the-storm"), "{}", storm["url"]);
    let html = storm["content_html"].as_str().unwrap();
    for part in [
        "<p>First paragraph<br>\nwith a break.</p>",
        "<p>Second <em>paragraph</em>.</p>",
        "<figcaption>The sea</figcaption>",
        "code\n\nstays",
        "{{ braces }} and [[brackets]]",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    let blocks = site.entry("Blocks")["content_html"].as_str().unwrap().to_owned();
    for part in ["<p>A block.</p>", "href=\"https://gazette.example/articles/the-storm\""] {
        assert!(blocks.contains(part), "{part} in {blocks}");
    }
    let file = &files(site.root())["2024-05-01-the-storm.html"];
    assert!(file.contains("aliases: [\"/2024/05/the-storm/\", \"/?p=1\", \"/2024/05/first-storm/\"]"), "{file}");
}

#[test]
fn pictures_of_the_old_site_are_copied() {
    let mut site = Site::new();
    let uploads = tempfile::tempdir().unwrap();
    std::fs::write(uploads.path().join("a.jpg"), b"\xFF\xD8\xFFold").unwrap();
    std::fs::write(uploads.path().join("secret.txt"), "Secret").unwrap();
    let item = "<item><guid>urn:a</guid><title>A</title><pubDate>2024-05-01</pubDate><description>&lt;p&gt;\
        &lt;img src='https://old.example/wp-content/uploads/a.jpg' alt='Sea'&gt;&lt;img src='https://old.example/wp-content/uploads/gone.jpg'&gt;\
        &lt;a href='https://old.example/wp-content/uploads/secret.txt'&gt;x&lt;/a&gt;&lt;/p&gt;</description></item>";
    let file = site.root().with_file_name("old.rss");
    std::fs::write(&file, format!("<rss><channel>{item}</channel></rss>")).unwrap();
    let run = || {
        let mut command = gazetted();
        command.arg("import").arg(&file).arg(site.root()).arg("--media").arg(uploads.path());
        let Output { status, stdout, stderr } = command.output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
    };
    let (code, text) = run();
    assert!(code == Some(0) && text.contains("1 pictures and other files copied"), "{text}");
    let (_, text) = run();
    assert!(text.contains("0 files written") && text.contains("0 pictures and other files copied"), "{text}");
    let copies: Vec<_> =
        std::fs::read_dir(site.path("wp-content/uploads")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(copies, ["a.jpg"]);
    site.start();
    let html = site.entry("A")["content_html"].as_str().unwrap().to_owned();
    assert!(html.contains("https://gazette.example/media/wp-content/uploads/a.jpg"), "{html}");
    assert!(html.contains("https://old.example/wp-content/uploads/gone.jpg"), "{html}");
    assert_eq!(site.get("/media/wp-content/uploads/a.jpg").body, b"\xFF\xD8\xFFold");
}

#[test]
fn no_part_of_a_text_is_lost() {
    let mut site = Site::new();
    let words =
        ["before", "within", "after", "aside", "heading", "related", "share", "footer", "navigation", "main", "reply"];
    let html = "<p>Words before the part.</p><article><h2>A heading</h2><p>Words within it, more than in all others together, as it is in a \
        page that is saved as a whole from elsewhere.</p></article><p>Words after it.</p><aside>An aside.</aside><p class='related'>Related.</p>\
        <div class='share'>Share.</div><MAIN><p>In main.</p></MAIN><nav><a href='/x'>Navigation</a></nav><footer>A footer.</footer><p>Leave a reply</p>";
    let item = format!(
        "<item><guid>urn:a</guid><title>A</title><pubDate>2024-05-01</pubDate><description><![CDATA[{html}]]></description></item>"
    );
    let (code, text) = import(&site, "old.rss", format!("<rss><channel>{item}</channel></rss>"));
    assert_eq!(code, Some(0), "{text}");
    site.start();
    let served = site.entry("A")["content_html"].as_str().unwrap().to_lowercase();
    for word in words {
        assert!(served.contains(word), "{word} in {served}");
    }
}

#[test]
fn importing_again_writes_only_what_is_new() {
    let site = Site::new();
    let second =
        "<item><guid>urn:b</guid><title>B</title><description>Text</description><pubDate>2024-05-02</pubDate></item>";
    let feed = |items: &str| {
        format!(
            "<rss><channel><title>F</title><item><guid>urn:a</guid><title>A</title><description>Text</description><pubDate>2024-05-01</pubDate></item>{items}</channel></rss>"
        )
    };
    assert!(import(&site, "old.rss", feed("")).1.contains("1 files written"));
    site.write("2024-05-01-a.html", "---\nid: \"urn:a\"\n---\nMy own words.");
    site.write("2024-05-02-b.html", "---\nid: urn:other\n---\nAnother article at the name of the next.");
    let (code, text) = import(&site, "old.rss", feed(second));
    assert!(code == Some(0) && text.contains("1 files written") && text.contains("1 of them differ"), "{text}");
    let after = files(site.root());
    assert!(after["2024-05-01-a.html"].contains("My own words."), "nothing is overwritten");
    assert!(after["2024-05-02-b.html"].contains("Another article"));
    assert!(after["2024-05-02-b-2.html"].contains("id: \"urn:b\""));
    let (_, text) = import(&site, "old.rss", feed(second));
    assert!(text.contains("0 files written") && files(site.root()) == after, "{text}");
}

#[test]
fn hostile_names_stay_in_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("a/b");
    let link = |slug: &str, number: usize| {
        format!(
            "<item><guid>urn:{number}</guid><title>x</title><link>{slug}</link><description>Text</description></item>"
        )
    };
    let slugs = [
        "https://old.example/../../../etc/passwd",
        "https://old.example/%2e%2e%2f%2e%2e%2fescape",
        "../../escape",
        "https://old.example/con",
        "https://old.example/.htaccess",
        "https://old.example/a%00b",
        "https://old.example/a%0A---%0Ab",
        "https://old.example/%5C..%5Cx",
    ];
    let items: String = slugs.iter().enumerate().map(|(number, slug)| link(slug, number)).collect();
    let wordpress = "<item><title>../../title</title><guid>urn:w</guid><wp:post_name>../../../escape</wp:post_name><wp:status>publish</wp:status>\
         <wp:post_type>post</wp:post_type><wp:post_date_gmt>2024-05-01 10:00:00</wp:post_date_gmt><content:encoded>Text</content:encoded></item>";
    let documents =
        [format!("<rss><channel>{items}</channel></rss>"), format!("<rss><channel>{wordpress}</channel></rss>")];
    for (document, count) in documents.iter().zip([8, 1]) {
        let file = home.path().join("export.xml");
        std::fs::write(&file, document).unwrap();
        let (code, text) = import_file(&file, &target);
        assert!(code == Some(0) && text.contains(&format!("{count} files written")), "{text}");
    }
    let everything =
        walkdir::WalkDir::new(home.path()).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let outside: Vec<_> =
        everything.map(walkdir::DirEntry::into_path).filter(|path| !path.starts_with(&target)).collect();
    assert_eq!(outside, [home.path().join("export.xml")]);
    for name in files(&target).keys() {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name.strip_suffix(".html").is_some_and(|stem| stem.chars().all(is_plain) && stem != "con"), "{name}");
    }
}

#[test]
fn what_is_no_export_is_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    for (name, bytes, reason) in [
        ("page.html", &b"<html><body>No export</body></html>"[..], "not an export: the first element is <html>"),
        ("text.txt", b"plain", "not an export: neither XML nor JSON"),
        ("other.json", b"{\"a\":1}", "not an export: no `items`"),
        ("cut.zip", b"PK\x03\x04 cut off", "not an export: the end of the archive is missing"),
    ] {
        let file = home.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let (code, text) = import_file(&file, &home.path().join("articles"));
        assert!(code == Some(1) && text.contains(reason) && text.trim().lines().count() == 1, "{text}");
        assert!(!home.path().join("articles").exists());
    }
    let (code, text) = import_file(&home.path().join("nowhere.xml"), home.path());
    assert!(code == Some(1) && text.contains("nowhere.xml: cannot read it"), "{text}");
}

#[test]
fn an_export_of_blogger_is_imported() {
    let mut site = Site::new();
    let entry = |number: usize, kind: &str, more: &str| {
        format!(
            "<entry><id>tag:blogger.com,1999:blog-1.post-{number}</id><published>2024-05-0{number}T10:00:00.001+02:00</published><updated>2024-05-0{number}T11:00:00+02:00</updated>\
             <category scheme='http://schemas.google.com/g/2005#kind' term='http://schemas.google.com/blogger/2008/kind#{kind}'/>\
             <category scheme='http://www.blogger.com/atom/ns#' term='Sea'/><author><name>Ann Lee</name></author>{more}</entry>"
        )
    };
    let public = "<title type='text'>The storm</title><content type='html'>&lt;p&gt;Text of it.&lt;/p&gt;</content><link rel='alternate' type='text/html' href='https://old.blogspot.com/2024/05/the-storm.html'/>";
    let draft = "<app:control><app:draft>yes</app:draft></app:control><title type='text'>A draft</title><content type='html'>Secret</content>";
    let comment = "<title>Nice</title><content type='html'>Nice</content>";
    let document = format!(
        "<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom' xmlns:app='http://purl.org/atom/app#'><title>Old</title><id>x</id>{}{}{}{}</feed>",
        entry(1, "settings", comment),
        entry(2, "post", public),
        entry(3, "post", draft),
        entry(4, "comment", comment),
    );
    let (code, text) = import(&site, "blog.xml", document);
    assert!(
        code == Some(0)
            && text.contains("2 files written")
            && text.contains("drafts: 1")
            && text.contains("1 comments"),
        "{text}"
    );
    site.start();
    assert_eq!(site.titles(), ["The storm"]);
    assert_no_secrets(&site);
    let storm = site.entry("The storm");
    assert_eq!(storm["id"], "tag:blogger.com,1999:blog-1.post-2");
    assert_eq!(
        (&storm["date_published"], &storm["date_modified"]),
        (&"2024-05-02T08:00:00Z".into(), &"2024-05-02T09:00:00Z".into())
    );
    assert_eq!((&storm["tags"][0], &storm["authors"][0]["name"]), (&"Sea".into(), &"Ann Lee".into()));
    assert!(storm["url"].as_str().unwrap().ends_with("/articles/the-storm"));
}

#[test]
fn an_export_of_ghost_is_imported() {
    let mut site = Site::new();
    let lexical = serde_json::json!({"root": {"children": [
        {"type": "heading", "tag": "h2", "children": [{"type": "text", "text": "Wind & tide", "format": 0}]},
        {"type": "paragraph", "children": [{"type": "text", "text": "Very ", "format": 0}, {"type": "text", "text": "strong", "format": 1},
            {"type": "link", "url": "https://b.example/?a=1&b=2", "children": [{"type": "text", "text": "here", "format": 0}]}]},
        {"type": "image", "src": "https://old.example/content/images/sea.jpg", "alt": "Sea", "caption": "The sea"},
        {"type": "codeblock", "code": "a < b"},
        {"type": "list", "listType": "number", "children": [{"type": "listitem", "children": [{"type": "text", "text": "one", "format": 0}]}]},
    ]}});
    let mobiledoc = serde_json::json!({"version": "0.3.1", "markups": [["em"], ["a", ["href", "https://b.example/"]]], "atoms": [], "cards": [["markdown", {"markdown": "Some **bold** words"}]],
        "sections": [[1, "p", [[0, [], 0, "Old "], [0, [0], 1, "editor"], [0, [1], 1, "link"]]], [10, 0], [3, "ul", [[[0, [], 0, "item"]]]]]});
    let post = |id: &str, more: serde_json::Value| {
        let mut post = serde_json::json!({"id": id, "title": id, "slug": id, "status": "published", "visibility": "public", "type": "post",
            "html": "<p>Secret</p>", "published_at": "2024-05-01T08:00:00.000Z", "updated_at": "2024-05-02T08:00:00.000Z"});
        post.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        post
    };
    let document = serde_json::json!({"db": [{"meta": {"version": "5.0"}, "data": {
        "posts": [
            post("storm", serde_json::json!({"html": "<p>Text <a href=\"__GHOST_URL__/tide/\">of it</a>.</p>", "custom_excerpt": "Excerpt"})),
            post("lexical", serde_json::json!({"html": null, "lexical": lexical.to_string()})),
            post("mobiledoc", serde_json::json!({"html": null, "mobiledoc": mobiledoc.to_string()})),
            post("draft", serde_json::json!({"status": "draft", "published_at": null})),
            post("members", serde_json::json!({"visibility": "members"})),
            post("paid", serde_json::json!({"visibility": "paid"})),
            post("mail", serde_json::json!({"status": "sent", "email_only": true})),
            post("missed", serde_json::json!({"status": "scheduled"})),
            post("about", serde_json::json!({"type": "page"})),
        ],
        "tags": [{"id": "t1", "name": "Sea"}, {"id": "t2", "name": "#internal"}, {"id": "t3", "name": "News"}],
        "posts_tags": [{"post_id": "storm", "tag_id": "t3", "sort_order": 1}, {"post_id": "storm", "tag_id": "t1", "sort_order": 0}, {"post_id": "storm", "tag_id": "t2", "sort_order": 2}],
        "users": [{"id": "u1", "name": "Ann Lee"}], "posts_authors": [{"post_id": "storm", "author_id": "u1", "sort_order": 0}]
    }}]});
    let (code, text) = import(&site, "ghost.json", document.to_string());
    assert!(
        code == Some(0) && text.contains("Ghost: 8 posts") && text.contains("1 pages") && text.contains("private: 3"),
        "{text}"
    );
    site.start();
    let mut titles = site.titles();
    titles.sort();
    assert_eq!(titles, ["lexical", "mobiledoc", "storm"]);
    assert_no_secrets(&site);
    let storm = site.entry("storm");
    assert_eq!(
        (&storm["tags"], &storm["authors"][0]["name"]),
        (&serde_json::json!(["Sea", "News"]), &"Ann Lee".into())
    );
    assert_eq!((&storm["date_published"], &storm["summary"]), (&"2024-05-01T08:00:00Z".into(), &"Excerpt".into()));
    assert!(!storm["content_html"].as_str().unwrap().contains("GHOST"));
    let html = |title: &str| site.entry(title)["content_html"].as_str().unwrap().to_owned();
    for part in [
        "Wind &amp; tide</h2>",
        "<strong>strong</strong>",
        "<figcaption>The sea</figcaption>",
        "a &lt; b",
        "<ol>",
        "https://b.example/?a=1&amp;b=2",
    ] {
        assert!(html("lexical").contains(part), "{part} in {}", html("lexical"));
    }
    for part in ["Old <em>editor</em>", "<strong>bold</strong>", "<li>item</li>", ">link</a>"] {
        assert!(html("mobiledoc").contains(part), "{part} in {}", html("mobiledoc"));
    }
}

/// Saves a feed and its archives as they are on the site, below a folder.
fn save_feeds(site: &Site, folder: &Path, name: &str) -> usize {
    let mut next = Some(format!("/{name}"));
    let mut count = 0;
    while let Some(path) = next.take() {
        let answer = site.get(&path);
        let file = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &answer.body).unwrap();
        count += 1;
        let text = answer.text();
        let address = match text.split_once("\"next_url\":\"") {
            Some((_, rest)) => rest.split('"').next().map(str::to_owned),
            None => text.split('<').find(|tag| tag.contains("rel=\"prev-archive\"")).and_then(|tag| {
                tag.split_once("href=\"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned)
            }),
        };
        next = address.map(|address| format!("/{}", address.strip_prefix(BASE_URL).unwrap()));
    }
    count
}

/// A site of all that articles can be: pictures, footnotes, tables, recordings, notes, drafts, and more than fit into the feed.
fn full_site() -> Site {
    let mut site = Site::configured("[feed]\nentries = 6\nwindow = '0s'\narchive_entries = 5");
    for number in 1..=17 {
        let text = format!(
            "---\ntitle: Number {number}\ndate: 2024-01-{number:02} 10:00:00\nupdated: 2024-02-{number:02}\ntags: [sea, n{}]\nauthor: [Ann Lee, Bo & Co]\n---\n\
             Text {number} with a note[^1] and [a link](number-1.md).\n\n![A boat](boat.png)\n\n| a | b |\n|---|---|\n| 1 | {number} |\n\n[^1]: The note {number}.\n\nThe end of {number}.\n",
            number % 3
        );
        site.write(&format!("number-{number}.md"), text);
    }
    site.write("boat.png", png(3, 2));
    site.write("own.md", "---\ntitle: Own\nid: \"tag:gazette.example,2020:own\"\nslug: chosen\ndate: 2023-05-01\nlang: de\nsummary: In short.\n---\nText.\n");
    site.write("cast.mp3", silence(1));
    site.write("cast.md", "---\ntitle: Cast\naudio: cast.mp3\ndate: 2023-04-01\n---\nNotes of the cast.\n");
    site.write("draft.md", "---\ntitle: Draft\ndraft: true\n---\nSecret.\n");
    site.start();
    site.wait_until("all are published", |site| entries(site, true).len() == 19);
    site
}

/// Each entry of a feed in the catalog of a site, by its id: what readers see.
fn entries(site: &Site, has_updates: bool) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    save_feeds(site, folder.path(), "feed.json");
    let documents = walkdir::WalkDir::new(folder.path()).into_iter().map(Result::unwrap);
    let mut entries = BTreeMap::new();
    for document in documents.filter(|entry| entry.file_type().is_file()) {
        let feed: serde_json::Value = serde_json::from_slice(&std::fs::read(document.path()).unwrap()).unwrap();
        for item in feed["items"].as_array().unwrap() {
            let fields =
                ["title", "url", "content_html", "date_published", "tags", "authors", "language", "attachments"];
            let mut fields: Vec<&str> = fields.to_vec();
            fields.extend(has_updates.then_some("date_modified"));
            let lines: Vec<String> = fields.into_iter().map(|field| format!("{field}: {}", item[field])).collect();
            entries.insert(item["id"].as_str().unwrap().to_owned(), lines.join("\n"));
        }
    }
    entries
}

/// The way back out of gazetted: from what `curl` saved of a site, with its files, comes the same site.
#[test]
fn a_site_is_the_same_after_the_round_trip_through_its_feeds_and_archives() {
    let site = full_site();
    for (name, from_folder) in [("atom.xml", false), ("rss.xml", true), ("feed.json", false)] {
        let folder = tempfile::tempdir().unwrap();
        assert!(save_feeds(&site, folder.path(), name) > 2, "{name} has archives");
        let mut copy = Site::configured("[feed]\nentries = 6\nwindow = '0s'\narchive_entries = 5");
        let mut command = gazetted();
        let export = if from_folder { folder.path().to_path_buf() } else { folder.path().join(name) };
        command.arg("import").arg(export).arg(copy.root()).arg("--media").arg(site.root());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        assert!(status.success() && text.contains("19 files written"), "{name}: {text}");
        copy.start();
        copy.wait_until("all are published", |copy| entries(copy, true).len() == 19);
        let has_updates = name != "rss.xml";
        let (before, after) = (entries(&site, has_updates), entries(&copy, has_updates));
        for (id, entry) in &before {
            assert_eq!(after.get(id), Some(entry), "{name}: {id}, copied and original");
        }
        assert_eq!(before.len(), after.len(), "{name}");
    }
}

#[test]
fn a_feed_without_its_archives_says_what_is_missing() {
    let site = full_site();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("atom.xml"), site.get("/atom.xml").body).unwrap();
    let target = folder.path().join("articles");
    let (code, text) = import_file(&folder.path().join("atom.xml"), &target);
    assert!(code == Some(1) && text.contains("older posts are at https://gazette.example/archive/"), "{text}");
    let (code, text) = import_file(&target, folder.path());
    assert!(code == Some(1) && text.contains("no export in it"), "{text}");
}
