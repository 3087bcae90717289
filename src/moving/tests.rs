use super::entry::ForeignFeed;
use super::export::Export;
use super::post::PostStatus;
use super::{read_export, read_feed};
use crate::folder::zip::tests::pack;

fn feed(document: impl AsRef<[u8]>) -> ForeignFeed {
    read_feed(document.as_ref()).unwrap()
}

fn titles(feed: &ForeignFeed) -> Vec<&str> {
    feed.entries.iter().map(|entry| entry.title.as_deref().unwrap_or_default()).collect()
}

fn remarks(feed: &ForeignFeed) -> Vec<String> {
    feed.remarks.iter().map(ToString::to_string).collect()
}

fn rss(items: &str) -> String {
    format!("<rss version='2.0'><channel><title>F</title><link>https://old.example/blog/</link>{items}</channel></rss>")
}

fn atom(entries: &str) -> String {
    format!("<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><id>f</id>{entries}</feed>")
}

#[test]
fn entries_are_read_from_every_format() {
    let atom = feed(
        "<?xml version='1.0'?><!-- c --><feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><id>f</id><updated>2024-01-01T00:00:00Z</updated>\
         <entry><id>tag:a,1:b</id><title>One &amp; two</title><updated>2024-01-02T00:00:00Z</updated><link rel='self' href='s'/><link href='https://a.example/1'/></entry></feed>",
    );
    assert_eq!((atom.entries[0].id.as_deref(), titles(&atom)), (Some("tag:a,1:b"), vec!["One & two"]));
    assert_eq!(atom.entries[0].links, ["https://a.example/1"]);
    let rss = feed(
        "\u{FEFF}<rss version='2.0'><channel><title>F</title><link>l</link><description>d</description>\
         <item><title>One</title><guid isPermaLink='false'>123 at x</guid><pubDate>Wed, 01 May 2024 10:00:00 GMT</pubDate></item>\
         <item><title>Two</title><link>https://a.example/2</link></item></channel></rss>",
    );
    assert_eq!(rss.entries[0].guid.as_deref(), Some("123 at x"));
    assert_eq!(rss.entries[0].published.unwrap().to_rfc3339(), "2024-05-01T10:00:00+00:00");
    assert_eq!(rss.entries[1].guid.as_deref(), Some("https://a.example/2"));
    let json = feed("{\"items\":[{\"id\":7,\"url\":\"https://a.example/7\"}]}");
    assert_eq!(json.entries[0].guid.as_deref(), Some("7"));
    assert_eq!(json.entries[0].links, ["https://a.example/7"]);
    let old = feed(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>\
         <channel rdf:about='c'><title>F</title><link>https://a.example/</link></channel>\
         <item rdf:about='https://a.example/x'><title>RDF</title><link>https://a.example/3</link><dc:date>2004-05-01T10:00+02:00</dc:date></item></rdf:RDF>",
    );
    let entry = &old.entries[0];
    assert_eq!(
        (entry.guid.as_deref(), &entry.links[..]),
        (Some("https://a.example/x"), &["https://a.example/3".to_owned()][..])
    );
    assert_eq!(entry.published.unwrap().to_rfc3339(), "2004-05-01T08:00:00+00:00");
    let early = feed(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title mode='escaped' type='text/html'>A &amp;amp; B</title><id>tag:x</id>\
         <link rel='alternate' href='https://a.example/4'/><issued>2004-05-01T10:00:00Z</issued><modified>2004-05-02T10:00:00Z</modified></entry></feed>",
    );
    assert_eq!(titles(&early), ["A & B"]);
    assert_eq!(early.entries[0].published.unwrap().to_rfc3339(), "2004-05-01T10:00:00+00:00");
    assert_eq!(early.entries[0].updated.unwrap().to_rfc3339(), "2004-05-02T10:00:00+00:00");
    for feed in [atom, rss, json, old, early] {
        assert!(feed.remarks.is_empty() && !feed.is_incomplete, "{:?}", feed.remarks);
    }
}

#[test]
fn a_text_that_is_no_feed_is_refused_with_a_reason() {
    for (text, reason) in [
        ("<html><body>", "<html>"),
        ("plain", "neither XML nor JSON"),
        ("", "neither XML nor JSON"),
        ("{\"a\":1}", "no `items`"),
        ("{\"a\":", "not valid JSON"),
        ("<rss>", "before its first entry"),
    ] {
        assert!(read_feed(text.as_bytes()).unwrap_err().contains(reason), "{text}");
    }
}

#[test]
fn titles_are_read_by_their_type() {
    for (title, expected) in [
        ("<title>A &amp; B</title>", "A & B"),
        ("<title type='text'>A &amp;lt;b&amp;gt;</title>", "A &lt;b&gt;"),
        ("<title type='html'>A &amp;amp; &lt;b&gt;B&lt;/b&gt;</title>", "A & B"),
        ("<title type='html'><![CDATA[A &#8211; <i>B</i>&nbsp;C]]></title>", "A – B C"),
        ("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>A &amp; <b>B</b></div></title>", "A & B"),
    ] {
        assert_eq!(titles(&feed(atom(&format!("<entry><id>i</id>{title}</entry>")))), [expected], "{title}");
    }
    for (title, expected) in [
        ("<title>AT&amp;T</title>", "AT&T"),
        ("<title>A &amp;amp; B</title>", "A & B"),
        ("<title>A &amp;#8211; B</title>", "A – B"),
        ("<title><![CDATA[A &#8217; <em>B</em>]]></title>", "A ’ B"),
        ("<title>\n  A\n  B </title>", "A B"),
        ("<title>a &lt; b</title>", "a < b"),
        ("<title>Using &lt;b&gt; &amp; co.</title>", "Using <b> & co."),
        ("<title>How &amp;amp; became &amp; again</title>", "How &amp; became & again"),
        ("<title>A <b>B</b></title>", "A B"),
        ("<media:title>Picture</media:title><title>A</title>", "A"),
    ] {
        assert_eq!(titles(&feed(rss(&format!("<item><guid>i</guid>{title}</item>")))), [expected], "{title}");
    }
}

#[test]
fn dates_fall_back_and_each_that_cannot_be_read_is_named() {
    let item = |dates: &str| feed(rss(&format!("<item><title>Storm</title><guid>i</guid>{dates}</item>")));
    for (dates, published, named) in [
        ("<pubDate>Mon, 01 May 2024 10:00:00 CEST</pubDate>", Some("2024-05-01T08:00:00"), None),
        ("<dc:date>2024-05-01</dc:date>", Some("2024-05-01T00:00:00"), None),
        ("<atom:updated>2024-05-01T10:00:00Z</atom:updated>", Some("2024-05-01T10:00:00"), None),
        ("<pubDate>soon</pubDate><dc:date>2024-05-01</dc:date>", Some("2024-05-01T00:00:00"), Some("`soon`")),
        ("<pubDate>05/06/2024</pubDate>", None, Some("`05/06/2024`")),
        ("<pubDate/>", None, None),
        ("", None, None),
    ] {
        let feed = item(dates);
        let date = feed.entries[0].published.map(|date| date.format("%FT%T").to_string());
        assert_eq!(date.as_deref(), published, "{dates}");
        let remarks = remarks(&feed);
        assert_eq!(remarks.len(), usize::from(named.is_some()), "{dates}: {remarks:?}");
        assert_eq!(feed.is_incomplete, named.is_some(), "{dates}");
        assert!(named.is_none_or(|named| remarks[0].contains(named) && remarks[0].contains("`Storm`")), "{remarks:?}");
    }
    let json =
        feed("{\"items\":[{\"id\":\"a\",\"date_published\":\"never\",\"date_modified\":\"2024-05-01T10:00:00Z\"}]}");
    assert_eq!(json.entries[0].published, json.entries[0].updated);
    assert!(json.is_incomplete && remarks(&json)[0].contains("`never`"));
}

#[test]
fn every_encoding_is_read() {
    let document = |label: &str, title: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"{label}\"?>{}",
            rss(&format!("<item><guid>i</guid><title>{title}</title></item>"))
        )
    };
    for (label, title) in [
        ("utf-8", "日本 ü"),
        ("ISO-8859-1", "Grüße"),
        ("iso-8859-2", "Žluťoučký"),
        ("windows-1251", "Шторм"),
        ("koi8-r", "Шторм"),
        ("windows-1252", "“Storm” – €5"),
        ("Shift_JIS", "嵐の夜"),
        ("EUC-JP", "嵐の夜"),
        ("ISO-2022-JP", "嵐の夜"),
        ("gb2312", "风暴"),
        ("big5", "風暴"),
        ("euc-kr", "폭풍"),
    ] {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
        let text = document(label, title);
        let (bytes, _, unmappable) = encoding.encode(&text);
        assert!(!unmappable);
        let feed = feed(&bytes);
        assert_eq!((titles(&feed), remarks(&feed)), (vec![title], Vec::<String>::new()), "{label}");
    }
    let wide = |text: &str, little: bool| -> Vec<u8> {
        let unit = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(unit).collect()
    };
    for little in [true, false] {
        let text = document("UTF-16", "Grüße 嵐");
        assert_eq!(titles(&feed(wide(&format!("\u{FEFF}{text}"), little))), ["Grüße 嵐"]);
        assert_eq!(titles(&feed(wide(&text, little))), ["Grüße 嵐"], "without a mark");
        let json = "{\"items\":[{\"id\":\"a\",\"title\":\"Grüße\"}]}";
        assert_eq!(titles(&feed(wide(&format!("\u{FEFF}{json}"), little))), ["Grüße"]);
    }
    assert_eq!(titles(&feed(document("UTF-16", "Grüße"))), ["Grüße"], "a declaration that is wrong");
    let latin: &[u8] = b"{\"items\":[{\"id\":\"a\",\"title\":\"Gr\xfc\xdfe aus dem caf\xe9\"}]}";
    let guessed = feed(latin);
    assert_eq!(titles(&guessed), ["Grüße aus dem café"]);
    assert!(remarks(&guessed)[0].contains("guessed windows-1252"));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, document("utf-8", "Packed").as_bytes()).unwrap();
    assert_eq!(titles(&feed(packed.finish().unwrap())), ["Packed"]);
    let mut damaged = document("utf-8", "Grüße schön wäre süß").into_bytes();
    let at = damaged.iter().position(|byte| *byte == b'G').unwrap();
    damaged[at] = 0xFF;
    let damaged = feed(damaged);
    assert_eq!(titles(&damaged), ["\u{FFFD}rüße schön wäre süß"]);
    assert!(remarks(&damaged)[0].contains("1 characters are not valid in UTF-8"), "{:?}", remarks(&damaged));
}

#[test]
fn a_fault_costs_only_its_part() {
    let one = "<item><guid>https://a.example/1</guid><title>One</title></item>";
    let two = "<item><guid>https://a.example/2</guid><title>Two</title></item>";
    for (document, expected, remark, is_incomplete) in [
        (
            rss(&format!("{one}<item><guid>https://a.example/?a=1&b=2</guid><title>Two</title></item>")),
            "https://a.example/?a=1&b=2",
            "a bare `&`",
            false,
        ),
        (
            rss(&format!(
                "{one}<item><guid>x</guid><title>Two</title><description>caf&eacute; &foo;</description></item>"
            )),
            "x",
            "undeclared entity",
            false,
        ),
        (rss(&format!("{one}<item><guid>x</guid><title>Two\u{8}</title></item>")), "x", "a control character", false),
        (
            rss(&format!("{one}<item><guid>x</guid><title>Two</title><slash:comments>1</slash:comments></item>")),
            "x",
            "",
            false,
        ),
        (
            rss(&format!("{one}<item><guid>x</guid><title>Two</title><description><p>a<br></description></item>")),
            "x",
            "an end tag that is missing",
            false,
        ),
        (format!("<rss><channel>{one}{two}"), "https://a.example/2", "the file ends within an element", false),
        (
            format!("<rss><channel>{one}<item><guid>x</guid><title>Two</title><description>A lo"),
            "x",
            "the entry `Two` is cut off",
            true,
        ),
    ] {
        let feed = feed(&document);
        assert_eq!(titles(&feed), ["One", "Two"], "{document}");
        assert_eq!(feed.entries[1].guid.as_deref(), Some(expected), "{document}");
        let remarks = remarks(&feed);
        assert!(
            remark.is_empty() == remarks.is_empty()
                && remarks.iter().any(|line| line.contains(remark)) != remark.is_empty(),
            "{remarks:?}"
        );
        assert_eq!(feed.is_incomplete, is_incomplete, "{document}");
    }
    let warned =
        feed(format!("Warning: <b>x</b> in line 7<br />\n<?xml version='1.0'?><rss><channel>{one}</channel></rss>"));
    assert_eq!(titles(&warned), ["One"]);
    assert!(remarks(&warned)[0].contains("a text before the feed was skipped"));
    // An id that is cut off would be a wrong one.
    let cut = feed(format!("<rss><channel>{one}<item><title>Two</title><guid>https://a.exam"));
    assert_eq!(titles(&cut), ["One"]);
    assert!(cut.is_incomplete && remarks(&cut).iter().any(|line| line.contains("`Two` is cut off before its id")));
    let json =
        feed("{\"items\": [{\"id\":\"a\",\"title\":\"One\"}, {\"id\":\"b\",\"title\":\"Two\"}, {\"id\":\"c\",\"ti");
    assert_eq!(titles(&json), ["One", "Two"]);
    assert!(json.is_incomplete);
    let json = feed("{\"items\": [{\"id\":\"a\",\"title\":\"One\u{1}\ntwo\"}]}");
    assert_eq!(titles(&json), ["One two"]);
    assert!(!json.is_incomplete && remarks(&json)[0].contains("control characters"));
}

#[test]
fn an_entry_has_all_its_addresses() {
    let links = |document: String| feed(document).entries[0].links.clone();
    for (item, expected) in [
        ("<link>https://a.example/1</link>", vec!["https://a.example/1"]),
        ("<guid>https://a.example/1</guid>", vec!["https://a.example/1"]),
        ("<guid isPermaLink='false'>123</guid><link>https://a.example/1</link>", vec!["https://a.example/1"]),
        (
            "<link>https://a.example/1</link><guid isPermaLink='false'>https://a.example/?p=1</guid>",
            vec!["https://a.example/1", "https://a.example/?p=1"],
        ),
        (
            "<link>http://feedproxy.google.com/~r/a/~3/x/</link><guid isPermaLink='false'>1</guid><feedburner:origLink>https://a.example/1</feedburner:origLink>",
            vec!["https://a.example/1", "http://feedproxy.google.com/~r/a/~3/x/"],
        ),
        (
            "<link>http://feedproxy.google.com/~r/a/~3/x/</link><guid>https://a.example/1</guid>",
            vec!["https://a.example/1", "http://feedproxy.google.com/~r/a/~3/x/"],
        ),
        ("<link>storm.html</link>", vec!["https://old.example/blog/storm.html"]),
        ("<guid>1</guid><atom:link rel='self' href='https://a.example/feed'/>", vec![]),
    ] {
        assert_eq!(links(rss(&format!("<item><title>A</title>{item}</item>"))), expected, "{item}");
    }
    let entry = "<entry><id>https://a.example/id</id><link rel='enclosure' href='https://a.example/e.mp3'/><link rel='alternate' href='https://b.example/'/></entry>";
    assert_eq!(links(atom(entry)), ["https://b.example/", "https://a.example/id"]);
    let item = feed(rss("<item><title>Nothing else</title></item>"));
    assert!(item.entries.is_empty() && item.is_incomplete && remarks(&item)[0].contains("neither an id nor a link"));
}

#[test]
fn relative_addresses_in_texts_are_resolved() {
    let html = |document: String| read_feed(document.as_bytes()).unwrap().entries[0].content.html.clone();
    let text = "&lt;img src='i.png' srcset='/i2.png 2x'&gt;&lt;a href='../b/?x#y'&gt;b&lt;/a&gt;&lt;a href='#n'&gt;n&lt;/a&gt;&lt;a href='mailto:a@b.example'&gt;m&lt;/a&gt;\
        &lt;video poster='p.jpg'&gt;&lt;/video&gt;&lt;code&gt;src='c.png'&lt;/code&gt;";
    let expected = |base: &str, root: &str, up: &str| {
        format!(
            "<img src='{base}i.png' srcset='{root}i2.png 2x'><a href='{up}b/?x#y'>b</a><a href='#n'>n</a><a href='mailto:a@b.example'>m</a>\
             <video poster='{base}p.jpg'></video><code>src='c.png'</code>"
        )
    };
    let entry = |attributes: &str, of_content: &str| {
        format!(
            "<entry {attributes}><id>i</id><link href='https://old.example/x/post'/><content type='html' {of_content}>{text}</content></entry>"
        )
    };
    let based = |entry: &str| {
        format!("<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://a.example/f/'>{entry}</feed>")
    };
    let old = "https://old.example/";
    for (document, base, root, up) in [
        (atom(&entry("", "")), "https://old.example/x/", old, old),
        (based(&entry("", "")), "https://a.example/f/", "https://a.example/", "https://a.example/"),
        (based(&entry("xml:base='e/'", "xml:base='c/d'")), "https://a.example/f/e/c/", "https://a.example/", "https://a.example/f/e/"),
        (atom(&entry("", "xml:base='https://c.example/d/'")), "https://c.example/d/", "https://c.example/", "https://c.example/"),
        (rss(&format!("<item><guid isPermaLink='false'>i</guid><description>{text}</description></item>")), "https://old.example/blog/", old, old),
        (
            rss(&format!("<item><guid isPermaLink='false'>i</guid><link>https://old.example/x/post</link><description>{text}</description></item>")),
            "https://old.example/x/",
            old,
            old,
        ),
        (
            serde_json::json!({"home_page_url": "https://old.example/y/", "items": [{"id": "i", "content_html": text.replace("&lt;", "<").replace("&gt;", ">")}]}).to_string(),
            "https://old.example/y/",
            old,
            old,
        ),
    ] {
        assert_eq!(html(document.clone()), expected(base, root, up), "{document}");
    }
    let none =
        "<rss><channel><item><guid>i</guid><description>&lt;img src='i.png'&gt;</description></item></channel></rss>";
    assert_eq!(html(none.to_owned()), "<img src='i.png'>");
}

#[test]
fn an_entry_has_what_its_feed_says_for_all() {
    let post = |document: &str| read_feed(document.as_bytes()).unwrap().entries[0].content.clone();
    let feed = |inside: &str| {
        format!(
            "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de'><author><name>Ann</name><uri>u</uri></author><contributor><name>No</name></contributor>{inside}</feed>"
        )
    };
    for (inside, author, language) in [
        ("<entry><id>i</id></entry>", "Ann", "de"),
        ("<entry xml:lang='fr'><id>i</id><author><name>Bo</name></author></entry>", "Bo", "fr"),
        (
            "<entry><id>i</id><source><author><name>Cy</name></author></source><title xml:lang='es'>T</title></entry>",
            "Cy",
            "es",
        ),
    ] {
        let post = post(&feed(inside));
        assert_eq!(
            (&post.authors[..], post.language.as_deref()),
            (&[author.to_owned()][..], Some(language)),
            "{inside}"
        );
    }
    let media =
        "<rss xmlns:media='http://search.yahoo.com/mrss/'><channel><language>en-GB</language><item><guid>i</guid>";
    for (item, html, author) in [
        ("<itunes:summary>Told</itunes:summary><itunes:author>Ann</itunes:author></item>", "<p>Told</p>", Some("Ann")),
        (
            "<media:group><media:description>One\ntwo</media:description></media:group></item>",
            "<p>One<br>\ntwo</p>",
            None,
        ),
        (
            "<description/><media:description type='html'>&lt;b&gt;x&lt;/b&gt;</media:description></item>",
            "<b>x</b>",
            None,
        ),
        (
            "<description>Own</description><itunes:summary>Told</itunes:summary><author>a@b.example (Bo)</author><itunes:author>Ann</itunes:author></item>",
            "<p>Own</p>",
            Some("Bo"),
        ),
    ] {
        let post = post(&format!("{media}{item}</channel></rss>"));
        assert_eq!((post.html.as_str(), post.authors.first().map(String::as_str)), (html, author), "{item}");
        assert_eq!(post.language.as_deref(), Some("en-GB"), "{item}");
    }
    assert_eq!(post("{\"language\":\"nl\",\"items\":[{\"id\":\"a\"}]}").language.as_deref(), Some("nl"));
}

#[test]
fn a_post_of_wordpress_has_what_other_items_and_keys_say() {
    let meta = |key: &str, value: &str| {
        format!(
            "<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
        )
    };
    let wxr = |items: &str| {
        format!(
            "<rss xmlns:wp='http://wordpress.org/export/1.2/' xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>\
             <wp:wxr_version>1.2</wp:wxr_version><wp:author><wp:author_login>ann</wp:author_login><wp:author_display_name>Ann Lee</wp:author_display_name></wp:author>{items}</channel></rss>"
        )
    };
    let item = |more: &str| {
        format!(
            "<item><title>A</title><guid>https://old.example/?p=5</guid><dc:creator>ann</dc:creator><wp:post_id>5</wp:post_id><wp:post_date_gmt>2024-06-01 08:00:00</wp:post_date_gmt>\
             <wp:status>publish</wp:status><wp:post_type>post</wp:post_type>{more}</item>"
        )
    };
    let picture = "<item><wp:post_id>9</wp:post_id><wp:post_type>attachment</wp:post_type><wp:attachment_url>https://old.example/9.jpg</wp:attachment_url></item>";
    // The attachment is in the other file of the archive.
    let one = wxr(&item(&format!(
        "{}{}{}<category domain='author' nicename='cap-bo'>bo</category><category domain='author' nicename='cap-ann'>ann</category><content:encoded><![CDATA[[gallery ids='9,10']]]></content:encoded>",
        meta("_thumbnail_id", "9"),
        meta("enclosure", "https://old.example/a.mp3\n123\naudio/mpeg\n"),
        meta("enclosure", "nonsense"),
    )));
    let guest = "<item><title>Bo &amp;amp; Co</title><wp:post_name>cap-bo</wp:post_name><wp:post_type>guest-author</wp:post_type></item>";
    let one = one.replace("</channel>", &format!("{guest}</channel>"));
    let export = export(pack(&[("a.xml", one.as_bytes()), ("b.xml", wxr(picture).as_bytes())]));
    let post = &export.posts[0];
    assert_eq!((post.image.as_deref(), post.status), (Some("https://old.example/9.jpg"), PostStatus::Public));
    assert_eq!(post.html, "<figure><img src=\"https://old.example/9.jpg\" alt=\"\"></figure>");
    assert_eq!(post.authors, ["Ann Lee", "Bo & Co"]);
    let [recording] = &post.recordings[..] else { panic!("{:?}", post.recordings) };
    assert_eq!(
        (recording.url.as_str(), recording.media_type.as_deref(), recording.length),
        ("https://old.example/a.mp3", Some("audio/mpeg"), Some(123))
    );
    let remarks: Vec<String> = export.remarks.iter().map(ToString::to_string).collect();
    assert!(remarks.len() == 1 && remarks[0].contains("`A`: attachment 10 is not in the export"), "{remarks:?}");
    for (key, value, status) in [
        ("_jetpack_newsletter_access", "paid_subscribers", PostStatus::Private),
        ("_jetpack_newsletter_access", "everybody", PostStatus::Public),
        ("_members_access_role", "editor", PostStatus::Private),
        ("_is_paid", "1", PostStatus::Private),
        ("other", "1", PostStatus::Public),
    ] {
        let export = read_export(wxr(&item(&meta(key, value))).as_bytes()).unwrap();
        assert_eq!(export.posts[0].status, status, "{key} {value}");
    }
}

fn export(bytes: impl AsRef<[u8]>) -> Export {
    read_export(bytes.as_ref()).unwrap()
}

/// Title, status and text of each post.
fn posts(export: &Export) -> Vec<(&str, PostStatus, &str)> {
    export
        .posts
        .iter()
        .map(|post| (post.title.as_deref().unwrap_or_default(), post.status, post.html.as_str()))
        .collect()
}

#[test]
fn an_archive_of_substack_is_read() {
    let table = "post_id,post_date,is_published,email_sent_at,inbox_sent_at,type,audience,title,subtitle,podcast_url\n\
        1.the-storm,2024-05-01T10:00:00.000Z,true,,,newsletter,everyone,\"The storm, part 1\",A subtitle,\n\
        2.paid,2024-05-02T10:00:00.000Z,true,,,newsletter,only_paid,Paid,,\n\
        3.draft,,false,,,newsletter,everyone,Draft,,\n\
        4.talk,2024-05-03T10:00:00.000Z,true,,,podcast,everyone,Talk,,https://a.example/t.mp3\n\
        5.about,2024-05-03T10:00:00.000Z,true,,,page,everyone,About,,\n";
    let archive = pack(&[
        ("posts.csv", table.as_bytes()),
        ("posts/1.the-storm.html", b"<p>Storm</p>"),
        ("posts/2.paid.html", b"<p>Paid</p>"),
        ("posts/3.draft.html", b"<p>Draft</p>"),
        ("posts/4.talk.html", b"<p>Talk</p>"),
        ("posts/1.the-storm.opens.csv", b"a,b"),
    ]);
    let export = export(archive);
    assert_eq!((export.kind, &export.skipped["pages and threads"]), ("Substack", &1));
    assert_eq!(
        posts(&export),
        [
            ("The storm, part 1", PostStatus::Public, "<p>Storm</p>"),
            ("Paid", PostStatus::Private, "<p>Paid</p>"),
            ("Draft", PostStatus::Draft, "<p>Draft</p>"),
            ("Talk", PostStatus::Public, "<p>Talk</p>"),
        ]
    );
    let storm = &export.posts[0];
    assert_eq!((storm.slug.as_deref(), storm.summary.as_deref()), (Some("the-storm"), Some("A subtitle")));
    assert_eq!(
        (&storm.addresses[..], storm.published.unwrap().to_rfc3339()),
        (&["/p/the-storm".to_owned()][..], "2024-05-01T10:00:00+00:00".into())
    );
    assert_eq!(export.posts[3].recordings[0].url, "https://a.example/t.mp3");
    assert!(!export.is_incomplete);
}

#[test]
fn an_archive_of_medium_is_read() {
    let page = |title: &str, footer: &str| {
        format!(
            "<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title}</title></head><body><article class=\"h-entry\">\n<header>\n<h1 class=\"p-name\">{title}</h1>\n</header>\n\
             <section data-field=\"subtitle\" class=\"p-summary\">\nA subtitle\n</section>\n<section data-field=\"body\" class=\"e-content\">\n\
             <section name=\"a\" class=\"section section--body\"><hr class=\"x\"><div><h3 name=\"b\" class=\"graf--title\">{title}</h3><p>First<br>line.</p><figure><img src=\"https://c.example/a.jpg\"></figure></div></section>\
             <section class=\"section\"><p>Second part.</p></section></section>\n<footer>{footer}</footer></article></body></html>"
        )
    };
    let footer = "<p>By <a href=\"https://medium.com/@ann\" class=\"p-author h-card\">Ann Lee</a> on <a href=\"https://medium.com/p/3f2b1c4d5e6f\"><time class=\"dt-published\" datetime=\"2024-05-01T10:00:00.000Z\">May 1, 2024</time></a>.</p>\
        <p><a href=\"https://medium.com/@ann/the-storm-3f2b1c4d5e6f\" class=\"p-canonical\">Canonical link</a></p>";
    let (storm, draft) = (page("The storm &amp; more", footer), page("Draft", ""));
    let archive = pack(&[
        ("README.html", b"<p>Read me</p>"),
        ("posts/2024-05-01_The-storm-3f2b1c4d5e6f.html", storm.as_bytes()),
        ("posts/draft_Draft-1a.html", draft.as_bytes()),
    ]);
    let export = export(archive);
    let posts: Vec<_> = posts(&export).into_iter().map(|(title, status, _)| (title, status)).collect();
    assert_eq!(posts, [("The storm & more", PostStatus::Public), ("Draft", PostStatus::Draft)]);
    let storm = &export.posts[0];
    assert_eq!(storm.id.as_deref(), Some("https://medium.com/p/3f2b1c4d5e6f"));
    assert_eq!((&storm.authors[..], storm.summary.as_deref()), (&["Ann Lee".to_owned()][..], Some("A subtitle")));
    assert_eq!(storm.addresses[0], "https://medium.com/@ann/the-storm-3f2b1c4d5e6f");
    assert!(
        storm.html.contains("<p>First<br>line.</p>") && storm.html.contains("<p>Second part.</p>"),
        "{}",
        storm.html
    );
    assert!(!storm.html.contains("more</h3>"), "the title stands above the text already");
    assert!(!export.is_incomplete);
}

#[test]
fn the_id_of_a_medium_post_is_in_its_footer() {
    let page = |footer: &str| {
        format!(
            "<html><body><article class=\"h-entry\"><h1 class=\"p-name\">T</h1><section class=\"e-content\">\
             <p>See <a href=\"https://medium.com/p/other\">another</a>.</p><footer><a href=\"https://medium.com/p/third\">x</a></footer></section>\
             <footer>{footer}</footer></article></body></html>"
        )
    };
    let date = "<time class=\"dt-published\" datetime=\"2024-05-01T10:00:00Z\">May</time>";
    for (name, footer, expected) in [
        (
            "posts/a.html",
            format!("<a href=\"https://medium.com/p/before\">b</a> <a href=\"https://medium.com/p/own\">{date}</a>"),
            Some("https://medium.com/p/own"),
        ),
        (
            "posts/draft_a.html",
            "<p><a href=\"https://medium.com/p/own\">View original.</a></p>".to_owned(),
            Some("https://medium.com/p/own"),
        ),
        ("posts/a.html", date.to_owned(), None),
    ] {
        let export = export(pack(&[(name, page(&footer).as_bytes())]));
        assert_eq!(export.posts[0].id.as_deref(), expected, "{footer}");
    }
}

#[test]
fn a_blogger_post_has_the_address_of_its_file() {
    let entry = "<entry><id>tag:blogger.com,1999:blog-1.post-2</id><blogger:type xmlns:blogger='http://schemas.google.com/blogger/2018'>POST</blogger:type>\
        <blogger:status>LIVE</blogger:status><blogger:filename>/2020/01/short.html</blogger:filename><title>A title</title>\
        <content type='html'>Text</content><published>2020-01-02T00:00:00Z</published>";
    for (link, expected) in [
        ("", vec!["/2020/01/short.html"]),
        (
            "<link rel='alternate' href='https://a.example/x.html'/>",
            vec!["https://a.example/x.html", "/2020/01/short.html"],
        ),
    ] {
        let export = export(atom(&format!("{entry}{link}</entry>")));
        assert_eq!(export.posts[0].addresses, expected, "{link}");
    }
}

/// An export of Ghost with one post of these keys, and these other tables.
fn ghost(post: &serde_json::Value, tables: &serde_json::Value) -> Export {
    let mut row = serde_json::json!({"id": "1", "title": "A", "slug": "a", "status": "published", "visibility": "public",
        "published_at": "2024-05-01T08:00:00.000Z"});
    row.as_object_mut().unwrap().extend(post.as_object().unwrap().clone());
    let mut data = serde_json::json!({"posts": [row]});
    data.as_object_mut().unwrap().extend(tables.as_object().unwrap().clone());
    export(serde_json::json!({"db": [{"data": data}]}).to_string())
}

#[test]
fn parts_for_members_of_a_ghost_post_stay_out() {
    const MEMBERS: &str = "<!--kg-gated-block:begin nonMember:false memberSegment:\"status:-free\" -->";
    const ALL: &str = "<!--kg-gated-block:begin nonMember:true memberSegment:\"status:free\" -->";
    const END: &str = "<!--kg-gated-block:end-->";
    let html = |html: String| serde_json::json!({ "html": html });
    let card = |card: serde_json::Value| {
        let text = serde_json::json!({"type": "paragraph", "children": [{"type": "text", "text": "All"}]});
        serde_json::json!({"html": null, "lexical": serde_json::json!({"root": {"children": [text, card]}}).to_string()})
    };
    let code = "<pre>&lt;!--kg-gated-block:begin nonMember:false --&gt;</pre>";
    for (post, expected, count) in [
        (html(format!("<p>All</p>{MEMBERS}<p>SECRET</p>{END}<p>End</p>")), "<p>All</p><p>End</p>", 1),
        (html(format!("<p>All</p>{MEMBERS}<p>SECRET</p>")), "<p>All</p>", 1),
        (
            html(format!("<p>All</p>{MEMBERS}SECRET{END}{ALL}<p>Open</p>{END}{MEMBERS}SECRET{END}")),
            "<p>All</p><p>Open</p>",
            2,
        ),
        (html(format!("<p>All</p>{MEMBERS}{ALL}SECRET{END}SECRET{END}<p>End</p>")), "<p>All</p><p>End</p>", 1),
        (
            html("<p>All</p><!--kg-gated-block:begin nonMember:false memberSegment:\"\"-->SECRET".to_owned()),
            "<p>All</p>",
            1,
        ),
        (
            html(format!("<p>All</p><!--kg-card-begin: html-->x<!--kg-card-end: html-->{code}")),
            "<p>All</p><!--kg-card-begin: html-->x<!--kg-card-end: html--><pre>&lt;!--kg-gated-block:begin nonMember:false --&gt;</pre>",
            0,
        ),
        (
            card(
                serde_json::json!({"type": "html", "html": "SECRET", "visibility": {"web": {"nonMember": false, "memberSegment": "status:free,status:-free"}, "email": {"memberSegment": ""}}}),
            ),
            "<p>All</p>",
            1,
        ),
        (
            card(
                serde_json::json!({"type": "html", "html": "SECRET", "visibility": {"showOnWeb": false, "showOnEmail": true, "segment": ""}}),
            ),
            "<p>All</p>",
            1,
        ),
        (
            card(serde_json::json!({"type": "button", "buttonUrl": "SECRET", "visibility": {"emailOnly": true}})),
            "<p>All</p>",
            1,
        ),
        (
            card(
                serde_json::json!({"type": "html", "html": "Open", "visibility": {"web": {"nonMember": true}, "email": {"memberSegment": ""}}}),
            ),
            "<p>All</p>Open",
            0,
        ),
        (
            card(serde_json::json!({"type": "html", "html": "Open", "visibility": {"showOnWeb": true}})),
            "<p>All</p>Open",
            0,
        ),
        (card(serde_json::json!({"type": "html", "html": format!("{MEMBERS}SECRET{END}Open")})), "<p>All</p>Open", 1),
    ] {
        let export = ghost(&post, &serde_json::json!({}));
        assert_eq!(
            (posts(&export), export.skipped.values().sum()),
            (vec![("A", PostStatus::Public, expected)], count),
            "{post}"
        );
        let told = export.remarks.iter().any(|remark| remark.to_string().contains(&format!("`A`: {count} parts")));
        assert_eq!(told, count > 0, "{post}");
    }
}

#[test]
fn cards_of_both_editors_of_ghost_are_read() {
    use serde_json::json;
    for (kind, card, expected) in [
        (
            "callout",
            json!({"calloutText": "A <b>word</b>", "calloutEmoji": "x"}),
            "<blockquote>A <b>word</b></blockquote>",
        ),
        (
            "toggle",
            json!({"heading": "Head", "content": "<p>Body</p>"}),
            "<details><summary>Head</summary><p>Body</p></details>",
        ),
        (
            "gallery",
            json!({"images": [{"src": "/a.png", "alt": "A"}, {"src": "/b.png"}], "caption": "C"}),
            "<figure><img src=\"/a.png\" alt=\"A\"><img src=\"/b.png\" alt=\"\"><figcaption>C</figcaption></figure>",
        ),
        ("video", json!({"src": "/a.mp4", "caption": ""}), "<figure><video controls src=\"/a.mp4\"></video></figure>"),
        ("audio", json!({"src": "/a.mp3"}), "<audio controls src=\"/a.mp3\"></audio>"),
        ("file", json!({"src": "/a.pdf", "fileTitle": "A & B"}), "<p><a href=\"/a.pdf\">A &amp; B</a></p>"),
        ("button", json!({"buttonUrl": "/b", "buttonText": "Go"}), "<p><a href=\"/b\">Go</a></p>"),
        (
            "header",
            json!({"header": "Head", "subheader": "Sub", "buttonEnabled": false, "buttonText": "x", "buttonUrl": "/x"}),
            "<h2>Head</h2><p>Sub</p>",
        ),
        (
            "product",
            json!({"productImageSrc": "/a.png", "productTitle": "Boat", "productDescription": "<p>Red</p>", "productButton": "Buy", "productUrl": "/buy"}),
            "<figure><img src=\"/a.png\" alt=\"\"></figure><h2>Boat</h2><p>Red</p><p><a href=\"/buy\">Buy</a></p>",
        ),
        (
            "call-to-action",
            json!({"textValue": "<p>Join</p>", "showButton": true, "buttonText": "Now", "buttonUrl": "/j"}),
            "<p>Join</p><p><a href=\"/j\">Now</a></p>",
        ),
        ("paywall", json!({}), ""),
        ("email", json!({"html": "SECRET"}), ""),
        ("header", json!({"header": "SECRET", "visibility": {"web": {"nonMember": false}}}), ""),
    ] {
        let mut node = card.clone();
        node["type"] = kind.into();
        let lexical = json!({"html": null, "lexical": json!({"root": {"children": [node]}}).to_string()});
        let mobiledoc =
            json!({"html": null, "mobiledoc": json!({"cards": [[kind, card]], "sections": [[10, 0]]}).to_string()});
        for post in [lexical, mobiledoc] {
            assert_eq!(ghost(&post, &json!({})).posts[0].html, expected, "{post}");
        }
    }
}

#[test]
fn a_ghost_post_that_was_only_sent_by_mail_is_private() {
    use serde_json::json;
    let meta = |value: serde_json::Value| json!({"posts_meta": [{"post_id": "1", "email_only": value}]});
    for (post, tables, expected) in [
        (json!({}), meta(json!(true)), PostStatus::Private),
        (json!({"status": "scheduled"}), meta(json!(1)), PostStatus::Private),
        (json!({"status": "scheduled", "email_only": true}), json!({}), PostStatus::Private),
        (json!({"status": "published", "email_only": 1}), json!({}), PostStatus::Private),
        (json!({"status": "scheduled", "posts_meta": {"email_only": true}}), json!({}), PostStatus::Private),
        (json!({"status": "draft"}), meta(json!(true)), PostStatus::Draft),
        (json!({"status": "scheduled"}), meta(json!(false)), PostStatus::Scheduled),
        (json!({}), json!({"posts_meta": [{"post_id": "2", "email_only": true}]}), PostStatus::Public),
    ] {
        assert_eq!(ghost(&post, &tables).posts[0].status, expected, "{post} {tables}");
    }
}

#[test]
fn an_archive_may_hold_another_export() {
    let rss = rss(
        "<item><guid>urn:a</guid><title>A</title><pubDate>2024-05-01</pubDate><description>Text</description></item>",
    );
    let archive =
        pack(&[("old/feed.xml", rss.as_bytes()), ("old/settings.json", b"{}"), ("__MACOSX/old/feed.xml", b"x")]);
    assert_eq!(posts(&export(archive)), [("A", PostStatus::Public, "<p>Text</p>")]);
    let reason = read_export(&pack(&[("a.txt", b"x")])).unwrap_err();
    assert!(reason.contains("no export of Substack or Medium"), "{reason}");
}

#[test]
fn damaged_documents_never_end_the_program() {
    let samples = [
        rss(
            "<item a='b'><title>A &amp; B &#8211;</title><guid>x</guid><pubDate>Wed, 01 May 2024 10:00:00 +0200</pubDate><category/><![CDATA[ü]]></item>",
        ),
        atom(
            "<entry><id>i</id><title type='html'>A</title><updated>2024-05-01T10:00:00Z</updated><link href='/a'/><content type='xhtml'><div>x<br/></div></content></entry>",
        ),
        "{\"items\":[{\"id\":\"a\",\"title\":\"ü\",\"date_published\":\"2024-05-01T10:00:00Z\"},{\"id\":7}]}"
            .to_owned(),
        rss(
            "<wp:wxr_version>1</wp:wxr_version><item><guid>g</guid><wp:post_id>1</wp:post_id><wp:post_type>post</wp:post_type><wp:status>publish</wp:status><content:encoded><![CDATA[<!-- wp:block {\"ref\":2} /-->\
             <!-- wp:a {\"metadata\":{\"blockVisibility\":false}} -->ü<!-- /wp:a -->[[gallery]] [code x='ü']<b>[/code][private]ü[/private]<code>[a]</code>[caption a=\"ü\"]<img src='/ü'>ü[/caption]]]></content:encoded></item>",
        ),
        "{\"posts\":[{\"id\":\"1\",\"html\":\"ü<!--kg-gated-block:begin nonMember:false -->ü<!--kg-gated-block:end--><a href='/ü'>\"}]}"
            .to_owned(),
    ];
    for sample in &samples {
        let bytes = sample.as_bytes();
        for at in 0..bytes.len() {
            let _ = read_export(&bytes[..at]);
            for byte in [b'<', b'&', b'\'', b'>', 0, 0xFF] {
                let mut damaged = bytes.to_vec();
                damaged[at] = byte;
                let _ = read_export(&damaged);
            }
        }
    }
}

#[test]
fn an_id_belongs_to_one_post() {
    let item =
        |title: &str| format!("<item><guid>urn:a</guid><title>{title}</title><description>Text</description></item>");
    let export = export(rss(&[item("A"), item("B"), item("A")].concat()));
    let ids: Vec<_> = export.posts.iter().map(|post| (post.title.as_deref().unwrap(), post.id.as_deref())).collect();
    assert_eq!(ids, [("A", Some("urn:a")), ("B", None)]);
    assert_eq!(export.skipped["posts that are there twice"], 1);
    assert_eq!(export.remarks[0].to_string(), "`B` has the id of `A`: it gets a new one");
}
