//! A folder with every kind of article, and all documents of its site.

use std::sync::OnceLock;

use serde_json::Value;

use crate::site::{BASE_URL, Site};

/// A served document.
pub struct Served {
    /// Path below the site's address, after `brief/` if the feed shows summaries only.
    pub path: String,
    pub status: u16,
    pub body: Vec<u8>,
}

impl Served {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn is(&self, name: &str) -> bool {
        self.path.ends_with(name)
    }
}

/// Language, title and text in many scripts and both directions.
pub const WORLD: [(&str, &str, &str); 14] = [
    ("fr", "Été à l’Île-d’Yeu : « à bientôt »", "Le phare s’éteint ; les élèves, là-bas, ont goûté les pâtes à l’œuf."),
    ("vi", "Người giữ hải đăng", "Đêm qua gió lớn, nhưng ngọn đèn vẫn sáng cho những chiếc thuyền ngoài khơi."),
    ("el", "Ο φάρος της Σύρου", "Το βράδυ άναψαν ξανά το φως, και τα πλοία γύρισαν στο λιμάνι."),
    ("ru", "Ёлка у маяка", "Вечером зажгли огни, и корабли вернулись в гавань до бури."),
    ("ar", "منارة المدينة القديمة", "أضاء الحارس المصباح قبل العاصفة، فعادت السفن إلى المرفأ."),
    ("he", "המגדלור של העיר", "השומר הדליק את האור לפני הסערה, והספינות שבו אל הנמל."),
    ("hi", "बंदरगाह का दीपस्तंभ", "तूफ़ान से पहले रखवाले ने दीपक जलाया और नावें लौट आईं।"),
    ("th", "ประภาคารเก่าที่ท่าเรือ", "คนเฝ้าประภาคารจุดไฟก่อนพายุ แล้วเรือก็กลับเข้าฝั่ง"),
    ("zh", "港口的旧灯塔", "风暴来临之前，守塔人点亮了灯，船只都回到了港口。"),
    ("ja", "港の古い灯台", "嵐の前に灯台守が明かりをともし、船はみな港へ帰った。"),
    ("ko", "항구의 오래된 등대", "폭풍이 오기 전에 등대지기가 불을 켜자 배들이 돌아왔다."),
    ("ka", "ძველი შუქურა", "ქარიშხლის წინ მცველმა სინათლე აანთო და გემები დაბრუნდნენ."),
    ("am", "የወደቡ መብራት", "ከማዕበሉ በፊት ጠባቂው መብራቱን አበራ፤ መርከቦቹም ተመለሱ።"),
    ("de", "Größe ß und ﬁ: Ångström", "Zwo\u{308}lf Boxkämpfer jagen Viktor quer über den großen Sylter Deich."),
];

/// Number of tags and authors of the articles with the most of them.
pub const TAGS: usize = 150;
pub const AUTHORS: usize = 100;

/// A family, a flag, a key cap and a skin tone: each is several characters and one glyph.
pub const EMOJI: &str = "👩\u{200D}👩\u{200D}👧\u{200D}👦 🏳\u{FE0F}\u{200D}🌈 🇫🇷 1\u{FE0F}\u{20E3} 👍🏽";

/// Characters that are special in XML, HTML and JSON.
pub const MARKS: &str = "]]> & < > \"double\" 'single' <b>not bold</b> &amp; &lt; <![CDATA[x]]> <!-- y --> \\u0001 %20";

fn head(day: usize, more: &str) -> String {
    format!("---\ndate: 2024-03-{day:02}T08:30:00+02:00\n{more}---\n")
}

fn world(site: &Site) {
    for (day, (language, title, text)) in (1..).zip(WORLD) {
        let header = head(day, &format!("tags: [\"{title}\", world]\nauthor: \"{title}\"\n"));
        site.write(&format!("world/{language}/{language}.md"), format!("{header}# {title}\n\n{text}\n\n**{text}**\n"));
    }
}

/// Articles that are hard to represent in XML or JSON.
fn hard(site: &Site) {
    let header = head(15, &format!("tags: [\"{EMOJI}\", '🎉']\nauthor: \"{EMOJI}\"\n"));
    site.write("hard/emoji.md", format!("{header}# {EMOJI}\n\nSmiles: {EMOJI}\n"));
    let quoted = MARKS.replace('\\', "\\\\").replace('"', "\\\"");
    let header =
        head(16, &format!("title: \"{quoted}\"\ntags: [\"{quoted}\"]\nauthor: \"{quoted}\"\nsummary: \"{quoted}\"\n"));
    site.write("hard/R&D <labs>/marks.txt", format!("{header}{MARKS}\n\n{MARKS}\n"));
    let written = "tags: [\"t\\uFDD0a\\x0Bg\"]\nauthor: \"N\\x1Fo\\uFFFE\"\nsummary: \"S\\x00um\\x9Fmary\"\n";
    let control = "One two\u{B}three\u{1F}four\u{FFFE}five\rsix\u{85}seven\u{2028}eight\u{FDD0}nine\u{9F}\u{FEFF}ten";
    site.write("hard/control.md", format!("{}# Control\u{1} \u{C}characters\u{B}\u{FFFE}\n\n{control}\r\n\r\n<p title=\"{control}\">&#11;&#xFFFE;{control}</p>\n", head(17, written)));
    // Not a text, so not published.
    site.write("hard/nul.txt", "A NUL\n\nbehind\u{0}which nothing is.\n");
    site.write("hard/carriage.txt", "Lines of an old Mac\r\rFirst text.\rSecond line.\r");
    site.write("hard/latin.txt", b"Caf\xe9 cr\xe8me\n\nLa carte du caf\xe9 n'a pas chang\xe9 depuis l'\xe9t\xe9.\n");
    let utf16 = "UTF-16 title\n\nText with ü and 日本.\n".encode_utf16().flat_map(u16::to_le_bytes);
    site.write("hard/utf16.txt", [0xFF, 0xFE].into_iter().chain(utf16).collect::<Vec<u8>>());
}

/// Articles of extreme sizes.
fn extreme(site: &Site) {
    site.write("size/untitled.md", format!("{}Only a text, and nothing above it.\n", head(18, "")));
    site.write("size/one.txt", "X");
    site.write(
        "size/huge.md",
        format!("{}# Huge\n\n{}", head(19, ""), "Words & more words < of a \"long\" report.\n\n".repeat(72_000)),
    );
    let tags: Vec<String> = (0..TAGS).map(|number| format!("tag {number}")).collect();
    site.write(
        "size/tags.md",
        format!("{}# Tags\n\nMany tags.\n", head(20, &format!("tags: [{}]\n", tags.join(", ")))),
    );
    site.write(
        "size/title.md",
        format!("{}# {}\n\nA long title.\n", head(21, ""), "So long & so <wide> a title ".repeat(200)),
    );
    let authors: Vec<String> = (0..AUTHORS).map(|number| format!("Author {number}")).collect();
    site.write(
        "size/authors.md",
        format!("{}# Authors\n\nMany authors.\n", head(22, &format!("authors: [{}]\n", authors.join(", ")))),
    );
}

/// Dates, links and formats.
fn kinds(site: &Site) {
    site.write(
        "kinds/elsewhere.md",
        format!(
            "{}# Elsewhere\n\nIt is [there](/x?y=1&z=2).\n",
            head(23, "link: \"https://elsewhere.example/ü?a=1&b=<2>\"\n")
        ),
    );
    site.write(
        "kinds/old.md",
        "---\ndate: 1969-07-20\nupdated: 1999-12-31T23:59:59-05:00\n---\n# Old\n\nAn old text.\n",
    );
    let people =
        "authors:\n  - {name: Ann & Co, email: ann@example.org, url: \"https://example.org/ann?a=1&b=2\"}\n  - Ben\n";
    let fences = "```html\n<p>]]></p>\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nA note[^1].\n\n[^1]: The note.\n";
    site.write(
        "kinds/markdown.md",
        format!("{}# Mark*down* &amp; `code` <br> 1 < 2\n\nThe teaser.\n\n<!--more-->\n\n{fences}", head(24, people)),
    );
    let page = "<!DOCTYPE html><html lang=\"en\"><head><title>A page &amp; its title</title><style>p{color:red}</style></head><body>\
                <article><h1>A page &amp; its title</h1><p onclick=\"x()\" style=\"color:red\">Text&nbsp;of <a href=\"../b?x=1&amp;y\">it</a>\
                <script>alert(1)</script><iframe src=x></iframe><p>Unclosed <b>bold &eacute; <img src=\"i j.png\" srcset=\"a.png 1x, b.png 2x\" alt='\"'>\
                </article></body></html>";
    site.write("kinds/page.html", page);
    site.write("kinds/plain.txt", "A plain headline\n\nA first paragraph with 1 < 2 & \"quotes\".\n\nA second one.\n");
    site.write(
        "kinds/deleted.md",
        format!("{}# Deleted\n\nIt will go.\n", head(25, "tags: [gone]\nauthor: Nobody & Co\n")),
    );
}

/// The configuration of the folder: few entries in each document, so that there are archives.
pub const SITE: &str = "
[site]
title = 'All & <sundry> ]]> \"gazette\" 日本'
description = 'News & notes <from> everywhere ]]>'
base_url = 'https://gazette.example/news/'
author = { name = 'The Editors & Co', email = 'editors@gazette.example', url = 'https://gazette.example/about?a=1&b=2' }
[feed]
entries = 8
window = '1h'
archive_entries = 7
";

/// Writes the whole folder. Files without a date of their own get one of 2023.
pub fn write(site: &Site) {
    world(site);
    hard(site);
    extreme(site);
    kinds(site);
    let dateless =
        ["hard/carriage.txt", "hard/latin.txt", "hard/utf16.txt", "size/one.txt", "kinds/page.html", "kinds/plain.txt"];
    for (number, name) in (0u64..).zip(dateless) {
        date_file(site, name, 1_690_000_000 + number * 3_600);
    }
}

/// Gives a file a date.
pub fn date_file(site: &Site, name: &str, seconds: u64) {
    let date = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    std::fs::File::options().append(true).open(site.path(name)).unwrap().set_modified(date).unwrap();
}

/// Number of articles at the end.
pub const ARTICLES: usize = WORLD.len() + 6 + 6 + 5;

/// Documents of the site: the feed, its archives, and some of each other kind, in every format; the list of feeds.
pub fn documents() -> &'static [Served] {
    static DOCUMENTS: OnceLock<Vec<Served>> = OnceLock::new();
    DOCUMENTS.get_or_init(collect)
}

/// Documents with a file name.
pub fn documents_of(name: &str) -> impl Iterator<Item = &'static Served> {
    documents().iter().filter(move |document| document.is(name))
}

const NAMES: [&str; 3] = ["atom.xml", "rss.xml", "feed.json"];

fn collect() -> Vec<Served> {
    let mut site = Site::configured(SITE);
    write(&site);
    site.start();
    site.remove("kinds/deleted.md");
    site.write(
        "kinds/plain.txt",
        "A plain headline\n\nA first paragraph with 1 < 2 & \"quotes\", edited.\n\nA second one.\n",
    );
    site.wait_until("the edit and the deletion are served", |site| {
        let text = site.get("/news/atom.xml").text();
        text.contains("edited") && text.contains("deleted-entry")
    });
    let mut places = vec![String::new()];
    places.extend(
        (1..)
            .map(|number| format!("archive/{number}/"))
            .take_while(|place| site.get(&format!("/news/{place}feed.json")).status == 200),
    );
    // Feeds of the deleted article's tag and author are empty.
    places.extend(["tags/gone/", "authors/nobody-and-co/"].map(str::to_owned));
    let opml = fetch(&site, "feeds.opml");
    places.extend(some_views(opml.text()));
    let mut served = vec![opml];
    for place in &places {
        served.extend(NAMES.iter().map(|name| fetch(&site, &format!("{place}{name}"))));
    }
    served.extend(every_feed(&site, served[0].text()));
    site.stop();
    site.reconfigure(&format!("{SITE}content = 'summary'\n"));
    site.start();
    for name in NAMES {
        let document = fetch(&site, name);
        served.push(Served { path: format!("brief/{}", document.path), ..document });
    }
    served
}

fn fetch(site: &Site, path: &str) -> Served {
    let answer = site.get(&format!("/news/{path}"));
    assert_eq!(answer.status, 200, "{path}");
    Served { path: path.to_owned(), status: answer.status, body: answer.body }
}

/// Places of feeds in the list of feeds, with two of the many numbered tags and authors.
fn some_views(opml: &str) -> Vec<String> {
    let is_many = |place: &str| place.contains("/tag-") || place.contains("/author-");
    let addresses = opml.split("htmlUrl=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let places: Vec<String> =
        addresses.map(|address| address.strip_prefix(&format!("{BASE_URL}news/")).unwrap().to_owned()).collect();
    let many = places.iter().filter(|place| is_many(place)).count();
    assert!(many >= TAGS + AUTHORS, "{many}");
    let (mut some, mut rest): (Vec<String>, Vec<String>) = places.into_iter().partition(|place| !is_many(place));
    some.retain(|place| !place.is_empty());
    some.extend([rest.swap_remove(7), rest.swap_remove(TAGS + 7)]);
    some
}

/// Requests each feed of the list by HEAD.
fn every_feed(site: &Site, opml: &str) -> Vec<Served> {
    let addresses = opml.split("xmlUrl=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let head = |address: &str| {
        let path = address.strip_prefix(BASE_URL.trim_end_matches('/')).unwrap();
        let status = site.ask("HEAD", path, &[]).status;
        Served { path: format!("HEAD {path} "), status, body: Vec::new() }
    };
    addresses.map(head).collect()
}

/// Every entry in JSON Feed, each once.
pub fn entries() -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for document in documents_of("feed.json").filter(|document| !document.path.starts_with("brief")) {
        let feed: Value = serde_json::from_slice(&document.body).unwrap();
        for item in feed["items"].as_array().unwrap() {
            if !found.iter().any(|known| known["id"] == item["id"]) {
                found.push(item.clone());
            }
        }
    }
    found
}
