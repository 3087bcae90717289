use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::DateTime;

use super::*;
use crate::config::Config;
use crate::model::collection::{Collection, Tombstone};
use crate::model::entry::{ArticleId, Content, Entry, Episode, Media, Person, SafeHtml, Slug};
use crate::model::taxonomy::{View, ViewKind};
use crate::render::page::Front;

pub fn channel() -> Channel {
    let config: Config =
        toml::from_str("[site]\ntitle = \"News & Views\"\ndescription = \"Daily\"\nauthor = { name = \"Ed <Itor>\", email = \"ed@example.org\" }").unwrap();
    Channel::new(&config, "https://example.org/", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8".into())
}

pub fn entry(slug: &str, title: &str) -> Arc<Entry> {
    let date = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
    Arc::new(Entry {
        id: ArticleId::new(format!("urn:uuid:{slug}")),
        guid: None,
        slug: Slug::new(slug).unwrap(),
        published: date("2024-05-01T10:00:00Z"),
        updated: date("2024-05-04T09:08:07Z"),
        revised: date("2024-05-04T09:08:07Z"),
        content: Content {
            title: title.into(),
            summary: "Short & <sweet>".into(),
            html: SafeHtml::from_sanitiser("<p>It's ]]> &lt;all&gt; here &amp; now</p>".into()),
            tags: vec!["Sea & Sand".into()],
            ..Content::default()
        },
    })
}

fn render(format: &FeedFormat, feed: &Feed<'_>) -> String {
    (format.render)(feed, DateTime::UNIX_EPOCH)
}

#[test]
fn rows_are_distinct_and_one_is_recommended() {
    let paths: Vec<&str> =
        FORMATS.iter().flat_map(|format| format.aliases.iter().copied().chain([format.file])).collect();
    assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), paths.len(), "{paths:?}");
    let names: BTreeSet<&str> = FORMATS.iter().map(|format| format.name).collect();
    assert_eq!(names.len(), TABLE.len());
    assert!(!names.contains("page") && !names.contains("media") && !names.contains("other"), "labels in metrics");
    assert_eq!(FORMATS.iter().filter(|format| format.is_recommended).count(), 1);
    assert_eq!(FORMATS.recommended().name, "atom");
    assert_eq!(FORMATS.in_opml().0.name, "rss");
    assert!(FORMATS.iter().all(|format| FORMATS.named(format.name) == Some(format)));
}

#[test]
fn all_formats_are_well_formed_and_agree() {
    let channel = channel();
    let entries = [entry("a", "A < B & C"), entry("b", "Two")];
    let rss = render(&rss::FORMAT, &Feed::main(&channel, &entries));
    let atom = render(&atom::FORMAT, &Feed::main(&channel, &entries));
    let json = render(&json::FORMAT, &Feed::main(&channel, &entries));
    let rss = ::rss::Channel::read_from(rss.as_bytes()).unwrap();

    let atom = atom_syndication::Feed::read_from(atom.as_bytes()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (index, entry) in entries.iter().enumerate() {
        let (item, post, json) = (&rss.items[index], &atom.entries[index], &json["items"][index]);
        assert_eq!(item.guid.as_ref().unwrap().value, *entry.id);
        assert!(!item.guid.as_ref().unwrap().permalink);
        assert_eq!(post.id, *entry.id);
        assert_eq!(json["id"], *entry.id);
        let title = entry.content.title.as_str();
        assert_eq!((item.title.as_deref().unwrap(), post.title.value.as_str()), (title, title));
        assert_eq!(json["title"], title);
        assert_eq!(item.content.as_deref().unwrap(), &*entry.content.html);
        assert_eq!(post.content.as_ref().unwrap().value.as_deref().unwrap(), &*entry.content.html);
        assert_eq!(json["content_html"], *entry.content.html);
        assert_eq!(item.description.as_deref().unwrap(), "Short &amp; &lt;sweet&gt;", "HTML in RSS");
        // HTML in Atom as well: some readers would show plain text in place of the article.
        assert_eq!(post.summary.as_ref().unwrap().value, "Short &amp; &lt;sweet&gt;", "HTML in Atom");
        assert_eq!(post.summary.as_ref().unwrap().r#type, atom_syndication::TextType::Html);
        assert_eq!(json["summary"], "Short & <sweet>");
        assert_eq!(item.pub_date.as_deref().unwrap(), "Wed, 01 May 2024 10:00:00 +0000");
        assert_eq!(post.published.unwrap().to_rfc3339(), "2024-05-01T10:00:00+00:00");
        assert_eq!(json["date_published"], "2024-05-01T10:00:00Z");
        assert_eq!(json["date_modified"], "2024-05-04T09:08:07Z");
        assert_eq!(item.link.as_deref().unwrap(), format!("https://example.org/articles/{}", entry.slug));
        assert_eq!(post.links[0].href, json["url"].as_str().unwrap());
        assert_eq!(post.authors[0].name, "Ed <Itor>", "an author in every entry (standards 47)");
        assert_eq!(item.categories[0].name, "Sea & Sand");
    }
}

fn media(url: &str, media_type: &str) -> Media {
    Media { url: url.into(), media_type: media_type.into(), ..Media::default() }
}

#[test]
fn all_formats_carry_pictures_and_recordings() {
    let channel = channel();
    let mut one = (*entry("a", "A")).clone();
    let cover =
        Media { length: Some(10), size: Some((1400, 1400)), ..media("https://example.org/media/c.png", "image/png") };
    one.content.image = Some(cover.clone());
    let described = Media { title: Some("A <b> & c".into()), ..media("https://e.example/o.jpg", "image/jpeg") };
    one.content.pictures = vec![described, media("https://e.example/p.jpg", "image/jpeg")];
    let recording = media("https://example.org/media/a%20b.mp3", "audio/mpeg");
    one.content.enclosures = vec![Media { length: Some(1234), duration: Some(61), ..recording }];
    one.content.episode = Some(Episode {
        number: Some(7),
        explicit: Some(true),
        transcripts: vec![media("https://example.org/media/a.vtt", "text/vtt; charset=utf-8")],
        chapters: Some(media("https://example.org/a.json", "application/json+chapters")),
        ..Episode::default()
    });
    let (one, two) = (Arc::new(one), entry("b", "B"));
    let entries = [one, two];
    // standards 145, 146
    let feed = Feed { guid: Some("9b024349-ccf0-5f69-a609-6b82873eab3c"), ..Feed::main(&channel, &entries[..1]) };
    assert_eq!(feed.cover(), Some(&cover));
    let text = render(&rss::FORMAT, &feed);
    let rss = ::rss::Channel::read_from(text.as_bytes()).unwrap();
    let enclosure = rss.items[0].enclosure().unwrap();
    assert_eq!((enclosure.length(), enclosure.mime_type()), ("1234", "audio/mpeg"), "standards 38");
    let itunes = rss.items[0].itunes_ext().unwrap();
    assert_eq!((itunes.duration(), itunes.episode(), itunes.explicit()), (Some("61"), Some("7"), Some("true")));
    assert_eq!(rss.itunes_ext().unwrap().image(), Some(cover.url.as_str()), "standards 144");
    assert!(!text.contains("<media:content"), "libraries take it for an enclosure: {text}");
    assert!(text.contains("<media:thumbnail height=\"1400\" url=\"https://example.org/media/c.png\""), "{text}");
    assert!(!text.contains("media:description"), "feedparser shows it instead of the article");
    for start in [
        "<podcast:transcript type=\"text/vtt\"",
        "<podcast:chapters type=\"application/json+chapters\"",
        "<podcast:guid>9b02",
    ] {
        assert!(text.contains(start), "standards 145, 146: {start} is not in {text}");
    }
    let atom = atom_syndication::Feed::read_from(render(&atom::FORMAT, &feed).as_bytes()).unwrap();
    let link = atom.entries[0].links.iter().find(|link| link.rel == "enclosure").unwrap();
    assert_eq!((link.length.as_deref(), link.mime_type.as_deref()), (Some("1234"), Some("audio/mpeg")), "standards 57");
    let json: serde_json::Value = serde_json::from_str(&render(&json::FORMAT, &feed)).unwrap();
    assert_eq!(json["items"][0]["attachments"][0]["duration_in_seconds"], 61, "standards 73");
    assert_eq!(json["items"][0]["image"], cover.url);
}

#[test]
fn a_feed_without_entries_is_complete() {
    let channel = channel();
    let created = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    assert!(
        (rss::FORMAT.render)(&Feed::main(&channel, &[]), created)
            .contains("<lastBuildDate>Tue, 14 Nov 2023 22:13:20 +0000</lastBuildDate>")
    );
    assert!(
        (atom::FORMAT.render)(&Feed::main(&channel, &[]), created).contains("<updated>2023-11-14T22:13:20Z</updated>")
    );
    assert!(render(&json::FORMAT, &Feed::main(&channel, &[])).contains("\"items\":[]"));
}

#[test]
fn an_entry_links_to_another_site_or_shows_its_summary() {
    let mut channel = channel();
    let mut linked = (*entry("a", "A")).clone();
    linked.content.link = Some("https://elsewhere.example/a".into());
    let json: serde_json::Value =
        serde_json::from_str(&render(&json::FORMAT, &Feed::main(&channel, &[Arc::new(linked.clone())]))).unwrap();
    assert_eq!(json["items"][0]["external_url"], "https://elsewhere.example/a");
    assert_eq!(json["items"][0]["url"], "https://example.org/articles/a");
    channel.limits.brief = true;
    let item = Item::new(&channel, &linked);
    assert!(item.html.is_none());
    assert_eq!(item.url, "https://elsewhere.example/a");
    linked.content.summary.clear();
    assert!(Item::new(&channel, &linked).html.is_some(), "an entry without a summary shows its text");
}

#[test]
fn an_entry_links_to_its_discussion() {
    let mut discussed = (*entry("a", "A")).clone();
    discussed.content.comments = Some("https://forum.example/t?a=1&b=2".into());
    let entries = [Arc::new(discussed), entry("b", "B")];
    let channel = channel();
    let feed = Feed::main(&channel, &entries);
    let rss = ::rss::Channel::read_from(render(&rss::FORMAT, &feed).as_bytes()).unwrap();
    let comments: Vec<_> = rss.items.iter().map(|item| item.comments.as_deref()).collect();
    assert_eq!(comments, [Some("https://forum.example/t?a=1&b=2"), None]);
    let atom = render(&atom::FORMAT, &feed);
    assert_eq!(atom.matches("rel=\"replies\"").count(), 1, "{atom}");
    assert!(atom.contains("href=\"https://forum.example/t?a=1&amp;b=2\""), "{atom}");
}

#[test]
fn items_have_their_text_in_markdown_where_the_feed_has_room_for_it() {
    let mut channel = channel();
    let mut article = (*entry("a", "A")).clone();
    let html = "<p>A <em>lamp</em> &amp; a <a href=\"https://a.example/\">link</a>.</p><ul><li>one</li></ul>";
    article.content.html = SafeHtml::from_sanitiser(html.into());
    let entries = [Arc::new(article)];
    let markdown = |channel: &Channel| {
        let feed = ::rss::Channel::read_from(render(&rss::FORMAT, &Feed::main(channel, &entries)).as_bytes()).unwrap();
        let source = feed.items[0].extensions().get("source").and_then(|source| source.get("markdown"));
        source.and_then(|elements| elements[0].value.clone())
    };
    assert_eq!(markdown(&channel).as_deref(), Some("A *lamp* & a [link](https://a.example/).\n\n- one"));
    channel.limits.max_bytes = entries[0].content.max_bytes().unsigned_abs() * 2 - 1;
    assert_eq!(markdown(&channel), None);
}

#[test]
fn pictures_of_a_text_are_media_and_those_of_an_episode_are_not() {
    let channel = channel();
    let mut one = (*entry("a", "A")).clone();
    one.content.image = Some(media("https://example.org/media/c.png", "image/png"));
    let described = Media { title: Some("A <b> & c".into()), ..media("https://e.example/o.jpg", "image/jpeg") };
    one.content.pictures = vec![described, media("https://e.example/p.jpg", "image/jpeg")];
    let entries = [Arc::new(one.clone())];
    let text = render(&rss::FORMAT, &Feed::main(&channel, &entries));
    let rss = ::rss::Channel::read_from(text.as_bytes()).unwrap();
    let pictures = &rss.items[0].extensions()["media"]["content"];
    assert_eq!(pictures.len(), 3, "{text}");
    assert_eq!(pictures[1].children["title"][0].value.as_deref(), Some("A <b> & c"));
    assert!(!text.contains("media:description"), "feedparser shows it instead of the article");
    // A paper beside the recording does not displace it.
    one.content.enclosures =
        vec![media("https://e.example/a.pdf", "application/pdf"), media("https://e.example/a.mp3", "audio/mpeg")];
    let entries = [Arc::new(one)];
    for format in [&rss::FORMAT, &atom::FORMAT, &json::FORMAT] {
        let text = render(format, &Feed::main(&channel, &entries));
        assert!(!text.contains("<media:content"), "{text}");
        let paper = text.find("a.pdf").unwrap_or(usize::MAX);
        assert!(text.find("a.mp3").is_some_and(|recording| recording < paper), "{text}");
    }
}

#[test]
fn a_feed_of_texts_is_no_podcast_and_several_authors_are_one_text() {
    let channel = channel();
    let person = |name: &str| Person { name: name.into(), ..Person::default() };
    let mut episode = (*entry("a", "A")).clone();
    episode.content.image = Some(media("https://example.org/media/c.png", "image/png"));
    episode.content.enclosures = vec![media("https://example.org/media/a.mp3", "audio/mpeg")];
    episode.content.authors = vec![person("Ann"), person("Ben"), person("Cleo")];
    episode.content.episode = Some(Episode {
        number: Some(1),
        transcripts: vec![media("https://example.org/media/a.vtt", "text/vtt")],
        ..Episode::default()
    });
    let (episode, text) = (Arc::new(episode), entry("t", "T"));
    let rss_of = |episodes: usize, texts: usize| {
        let entries = [vec![episode.clone(); episodes], vec![text.clone(); texts]].concat();
        render(&rss::FORMAT, &Feed { guid: Some("guid"), ..Feed::main(&channel, &entries) })
    };
    let mixed = rss_of(8, 1);
    assert!(!mixed.contains("itunes") && !mixed.contains("podcast"), "{mixed}");
    assert!(mixed.contains("<enclosure url=\"https://example.org/media/a.mp3\""), "{mixed}");
    assert_eq!(mixed.matches("<dc:creator>Ann, Ben, Cleo</dc:creator>").count(), 8, "{mixed}");
    let podcast = rss_of(9, 1);
    assert!(podcast.contains("<podcast:guid>guid<") && podcast.contains("<itunes:explicit>"), "{podcast}");
    assert_eq!(podcast.matches("<itunes:author>Ann, Ben, Cleo<").count(), 9, "the same as dc:creator: {podcast}");
    let item = podcast.split("<item>").last().unwrap();
    assert!(item.contains("<title>T<") && !item.contains("itunes:"), "{item}");
}

/// Texts that look like parts of a document.
const HOSTILE: [&str; 34] = [
    "\u{F8FF}entries\u{F8FF}",
    "\u{F8FF}",
    "entries",
    "</channel>",
    "\n</channel>\n</rss>",
    "</feed>",
    "\n</feed>",
    "<item>",
    "</item>",
    "<entry>",
    "</entry>",
    "<![CDATA[",
    "]]>",
    "]]]]>",
    ">\n</atom:link>",
    ">\n</media:thumbnail>",
    "+00:00</updated>",
    "?>",
    "<?xml",
    "<!--",
    "-->",
    "{{",
    "}}",
    "{% raw %}",
    "]}",
    "\"items\":[]}",
    "\\u0022",
    "&amp;",
    "&",
    "\"",
    "'",
    "a",
    " ",
    "é",
];

proptest::prop_compose! {
    fn hostile_text()(parts in proptest::collection::vec(proptest::sample::select(&HOSTILE[..]), 1..5)) -> String {
        parts.concat()
    }
}

proptest::prop_compose! {
    fn hostile_entry()(texts in proptest::collection::vec(hostile_text(), 6), number in 0..10_000_u32) -> Arc<Entry> {
        let [title, summary, html, tag, author, caption]: [String; 6] = texts.try_into().unwrap();
        let mut entry = Arc::unwrap_or_clone(entry(&format!("a-{number}"), &title));
        entry.content.summary = summary;
        entry.content.html = SafeHtml::from_sanitiser(html);
        entry.content.tags = vec![tag.replace('\n', " ")];
        entry.content.authors = vec![Person { name: author, ..Person::default() }];
        if number % 2 == 0 {
            entry.content.enclosures = vec![media("https://example.org/a.mp3", "audio/mpeg")];
        }
        entry.content.image = Some(Media { title: Some(caption), ..media("https://example.org/a.png", "image/png") });
        Arc::new(entry)
    }
}

/// The children of an element that have this local name.
fn children<'a>(element: roxmltree::Node<'a, 'a>, name: &str) -> Vec<roxmltree::Node<'a, 'a>> {
    element.children().filter(|child| child.tag_name().name() == name).collect()
}

/// Text of the first child of an element that has this local name.
fn text_of<'a>(element: roxmltree::Node<'a, 'a>, name: &str) -> &'a str {
    children(element, name)[0].text().unwrap_or_default()
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 128,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    })]
    #[test]
    fn no_text_can_break_a_document(
        entries in proptest::collection::vec(hostile_entry(), 0..4),
        texts in proptest::collection::vec(hostile_text(), 4),
        is_brief in proptest::bool::ANY,
        is_view in proptest::bool::ANY,
    ) {
        let [site, description, author, name]: [String; 4] = texts.try_into().unwrap();
        let mut channel = Channel { title: site, description, ..channel() };
        channel.author.name = author;
        channel.limits.brief = is_brief;
        let collection = Collection {
            name: name.clone(),
            entries: entries.clone(),
            parts: Vec::new(),
        pinned: Vec::new(),
            tombstones: vec![Tombstone { id: ArticleId::new("urn:x"), at: DateTime::UNIX_EPOCH }],
            revised: DateTime::UNIX_EPOCH,
            is_whole: true,
            about: None,
            is_podcast: false,
            guid: None,
            latest: DateTime::UNIX_EPOCH,
        };
        let tag = View { kind: ViewKind::Tag, key: "a".into() };
        let feed = if is_view { Feed::view(&channel, &tag, &collection) } else { Feed::main(&channel, &entries) };
        let titles: Vec<&str> = entries.iter().map(|entry| entry.content.title.as_str()).collect();

        let rss = render(&rss::FORMAT, &feed);
        proptest::prop_assert_eq!(::rss::Channel::read_from(rss.as_bytes()).unwrap().items.len(), entries.len());
        let rss = roxmltree::Document::parse(&rss).unwrap();
        let rss = rss.root_element().first_element_child().unwrap();
        let items = children(rss, "item");
        let found: Vec<&str> = items.iter().map(|item| text_of(*item, "title")).collect();
        proptest::prop_assert_eq!(found, titles.clone());
        proptest::prop_assert_eq!(text_of(rss, "title"), feed.title.as_ref());

        let atom = render(&atom::FORMAT, &feed);
        let parsed = atom_syndication::Feed::read_from(atom.as_bytes()).unwrap();
        proptest::prop_assert_eq!(parsed.entries.len(), entries.len());
        let atom = roxmltree::Document::parse(&atom).unwrap();
        let posts = children(atom.root_element(), "entry");
        let found: Vec<&str> = posts.iter().map(|post| text_of(*post, "title")).collect();
        proptest::prop_assert_eq!(found, titles.clone());
        proptest::prop_assert_eq!(text_of(atom.root_element(), "title"), feed.title.as_ref());
        for (entry, post) in entries.iter().zip(posts) {
            if !is_brief {
                proptest::prop_assert_eq!(text_of(post, "content"), &*entry.content.html);
            }
        }

        let json: serde_json::Value = serde_json::from_str(&render(&json::FORMAT, &feed)).unwrap();
        let items = json["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap());
        proptest::prop_assert_eq!(items.collect::<Vec<_>>(), titles);
        proptest::prop_assert_eq!(json["title"].as_str(), Some(feed.title.as_ref()));

        let pages = crate::render::page::Pages::new(channel.clone());
        let page = if is_view { pages.view(&feed, &tag, &name) } else { pages.front(&feed, &Front::default()) };
        proptest::prop_assert_eq!(page.matches("<li class=\"h-entry\">").count(), entries.len());
        proptest::prop_assert!(page.ends_with("</footer>\n</body>\n</html>"), "{}", page);
    }
}
