use std::sync::Arc;

use chrono::DateTime;

use super::*;
use crate::model::collection::{ArticleLine, Collection, Neighbour, SeriesPlace};
use crate::model::entry::{SitePage, Slug};
use crate::model::period::{PeriodArticles, Rest};
use crate::model::site_page::{Menu, MenuItem};
use crate::model::taxonomy::Term;
use crate::moving::opml::FeedList;
use crate::render::feed::tests::{channel, entry};
use crate::site::Look;

#[test]
fn pages_escape_all_texts_but_the_html_of_the_article() {
    let pages = Pages::new(channel());
    let entry = entry("a", "<script>alert(1)</script>");
    let front = pages.front(&Feed::main(pages.channel(), std::slice::from_ref(&entry)), &Front::default());
    assert!(front.contains("&lt;script&gt;") && !front.contains("<script>"), "{front}");
    let article = pages.article(&entry);
    assert!(article.contains("&lt;script&gt;") && !article.contains("<script>"), "{article}");
    assert!(article.contains("\\u003cscript>"), "no text ends the script: {article}");
    assert!(article.contains(&*entry.content.html));
    assert!(article.contains("<link rel=\"canonical\" href=\"https://example.org/articles/a\">"));
}

#[test]
fn every_page_offers_the_main_feed_in_all_formats() {
    let pages = Pages::new(channel());
    for page in [
        pages.front(&Feed::main(pages.channel(), &[]), &Front::default()),
        pages.article(&entry("a", "A")),
        pages.missing(true, &[], &[]),
    ] {
        let is_feed = |line: &&str| line.contains("rel=\"alternate\"") && !line.contains("text/markdown");
        let links: Vec<&str> = page.lines().filter(is_feed).map(str::trim).collect();
        assert_eq!(
            links,
            [
                "<link rel=\"alternate\" type=\"application/rss+xml\" title=\"News &amp; Views (RSS)\" href=\"https://example.org/rss.xml\">",
                "<link rel=\"alternate\" type=\"application/atom+xml\" title=\"News &amp; Views (Atom)\" href=\"https://example.org/atom.xml\">",
                "<link rel=\"alternate\" type=\"application/feed+json\" title=\"News &amp; Views (JSON Feed)\" href=\"https://example.org/feed.json\">",
            ]
        );
    }
}

/// The values of all attributes with this name.
fn all<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

fn data(page: &str) -> serde_json::Value {
    let script = page.split("<script type=\"application/ld+json\">").nth(1).unwrap();
    serde_json::from_str(script.split("</script>").next().unwrap()).unwrap()
}

fn recording() -> Arc<Entry> {
    let media =
        |url: &str, media_type: &str| Media { url: url.into(), media_type: media_type.into(), ..Media::default() };
    let mut entry = Arc::unwrap_or_clone(entry("a", "A"));
    entry.content.image = Some(Media {
        size: Some((800, 400)),
        title: Some("A \"seal\"".into()),
        ..media("https://example.org/media/a.png?x=1&y=2", "image/png")
    });
    entry.content.enclosures = vec![
        Media {
            duration: Some(3_720),
            length: Some(12_345_678),
            title: Some("Talk <1>".into()),
            ..media("https://example.org/media/a.mp3", "audio/mpeg")
        },
        Media { size: Some((640, 360)), ..media("https://example.org/media/a.mp4", "video/mp4") },
        media("https://example.org/media/a.pdf", "application/pdf"),
    ];
    entry.content.episode = Some(Episode {
        season: Some(2),
        number: Some(5),
        kind: Some("trailer".into()),
        explicit: Some(true),
        transcripts: vec![media("https://example.org/media/a.vtt", "text/vtt")],
        ..Episode::default()
    });
    Arc::new(entry)
}

#[test]
fn recordings_can_be_played_and_downloaded() {
    let pages = Pages::new(channel());
    let page = pages.article(&recording());
    for part in [
        "<audio controls preload=\"none\" src=\"/media/a.mp3\" aria-label=\"Talk &lt;1&gt;\"></audio>",
        "<li>1 hour 2 minutes, 12 MB</li>",
        "<video controls preload=\"none\" src=\"/media/a.mp4\" aria-label=\"Video\" width=\"640\" height=\"360\"></video>",
        "<figcaption>File</figcaption>",
        "<a href=\"/media/a.pdf\" download>Download</a>",
        "<a href=\"/media/a.vtt\" type=\"text/vtt\">Transcript</a>",
        "<li>Season 2, Episode 5, Trailer, For adults only</li>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let media = &data(&page)["associatedMedia"][0];
    assert_eq!((media["@type"].as_str(), media["duration"].as_str()), (Some("AudioObject"), Some("PT3720S")));
    let list = pages.front(&Feed::main(pages.channel(), &[recording()]), &Front::default());
    assert!(list.contains("<li class=\"plays\">Audio</li>"), "{list}");
}

#[test]
fn a_cover_is_shown_once() {
    let pages = Pages::new(channel());
    let page = pages.article(&recording());
    let image = "<img src=\"/media/a.png?x=1&amp;y=2\" alt=\"A &quot;seal&quot;\" width=\"800\" height=\"400\">";
    assert!(page.contains(image), "{page}");
    assert!(page.contains("<meta property=\"og:image:width\" content=\"800\">"), "{page}");
    let mut entry = Arc::unwrap_or_clone(recording());
    entry.content.html =
        crate::model::entry::SafeHtml::from_sanitiser(image.replace("src=\"/", "src=\"https://example.org/"));
    assert_eq!(pages.article(&entry).matches("<img").count(), 1);
}

#[test]
fn a_page_has_the_words_of_its_language() {
    let pages = Pages::new(channel());
    let mut entry = Arc::unwrap_or_clone(entry("a", "A"));
    assert_eq!(all(&pages.article(&entry), "lang"), ["en", "en", "en", "en"], "page, breadcrumb, title and text");
    entry.content.language = Some("he".into());
    let page = pages.article(&entry);
    assert!(page.contains("<html lang=\"he\" dir=\"rtl\">"), "{page}");
    assert!(page.contains("<h1 lang=\"he\" dir=\"rtl\">A</h1>"), "{page}");
    assert!(page.contains("<footer class=\"foot\">"), "{page}");
    let tags = &Words::of("he").texts.tags;
    assert!(page.contains(&format!("<h2 class=\"section\">{tags}</h2>")), "{page}");
    entry.content.language = Some("pt-BR".into());
    let page = pages.article(&entry);
    assert!(page.contains("<html lang=\"pt-BR\">") && page.contains(&Words::of("pt").texts.skip), "{page}");
    assert!(page.contains("<meta property=\"og:locale\" content=\"pt_BR\">"), "{page}");
}

#[test]
fn a_language_without_words_has_marked_ones_of_the_site() {
    for (site, mark) in
        [("en", " lang=\"en\""), ("de", " lang=\"de\""), ("ar", " lang=\"ar\" dir=\"rtl\""), ("eo", " lang=\"en\"")]
    {
        let pages = Pages::new(Channel { language: site.into(), ..channel() });
        let mut entry = Arc::unwrap_or_clone(entry("a", "A"));
        entry.content.language = Some("yo".into());
        let page = pages.article(&entry);
        let words = &Words::of(site).texts;
        assert!(page.contains(&format!("<span{mark}>{}</span>", words.tags)), "{site}: {page}");
        assert!(page.contains(&format!("<footer class=\"foot\"{mark}>")), "{site}: {page}");
    }
}

#[test]
fn the_licence_of_the_site_holds_for_no_article_with_rights_of_its_own() {
    let license = |text: &str| LicenseLink::from(&text.parse::<crate::config::License>().unwrap());
    let mut channel = channel();
    channel.statements.license = Some(license("CC-BY-4.0"));
    let pages = Pages::new(channel);
    for (copyright, own, expected) in [
        (None, None, Some("CC BY 4.0")),
        (Some("© Bo"), None, None),
        (None, Some("NONE"), None),
        (Some("© Bo"), Some("CC0-1.0"), Some("CC0 1.0")),
    ] {
        let mut entry = Arc::unwrap_or_clone(entry("a", "A"));
        (entry.content.copyright, entry.content.license) = (copyright.map(str::to_owned), own.map(str::to_owned));
        let page = pages.article(&entry);
        let shown = page.split(" rel=\"license\">").nth(1).map(|rest| rest.split('<').next().unwrap());
        assert_eq!(shown, expected, "{copyright:?} {own:?}");
        assert_eq!(page.matches("creativecommons.org").count(), if expected.is_some() { 3 } else { 0 }, "{page}");
    }
}

/// A recording with all that a page can say of it.
fn full(language: &str, kind: &str) -> Arc<Entry> {
    let mut entry = Arc::unwrap_or_clone(recording());
    entry.content.html = crate::model::entry::SafeHtml::from_sanitiser(
        "<table><tr><td>1</table><p><math display=\"block\"><mi>a</mi></math></p>".into(),
    );
    entry.content.language = Some(language.into());
    entry.content.link = Some("https://elsewhere.example/a".into());
    entry.content.comments = Some("https://forum.example/a".into());
    entry.updated = entry.published + chrono::TimeDelta::days(3);
    entry.content.episode.as_mut().unwrap().kind = Some(kind.into());
    Arc::new(entry)
}

fn collection(entries: &[Arc<Entry>]) -> Collection {
    Collection {
        name: "A".into(),
        entries: entries.to_vec(),
        parts: Vec::new(),
        pinned: Vec::new(),
        tombstones: Vec::new(),
        revised: chrono::DateTime::UNIX_EPOCH,
        is_whole: true,
        about: None,
        is_podcast: false,
        guid: None,
        latest: chrono::DateTime::UNIX_EPOCH,
    }
}

/// The second of several parts.
fn series(count: usize) -> SeriesPlace {
    let part = |number: usize| ArticleLine {
        slug: Slug::new(format!("part-{number}")).unwrap(),
        title: format!("Tale {number} & more"),
        published: chrono::DateTime::UNIX_EPOCH,
        language: None,
    };
    let term = Term { view: View::named(ViewKind::Series, "The sea").unwrap(), name: "The <sea>".to_owned() };
    SeriesPlace { term, parts: (1..=count).map(part).collect(), index: 1 }
}

/// An article before, one after, and a folder above.
fn surroundings(language: &str) -> Surroundings {
    let neighbour = |title: &str| {
        let (slug, title) = (Slug::new("b").unwrap(), title.to_owned());
        Some(Neighbour { slug, title, language: Some(language.to_owned()) })
    };
    let view = View::named(ViewKind::Section, "sea/coast").unwrap();
    Surroundings {
        older: neighbour("B"),
        newer: neighbour("C & D"),
        translations: vec![Neighbour { language: Some("eo".to_owned()), ..neighbour("Ŝ").unwrap() }],
        sections: vec![Term { view, name: "Coast".to_owned() }],
        series: Some(series(3)),
        revised: chrono::DateTime::UNIX_EPOCH,
    }
}

/// Every page of a site in a language, and the style sheet of its feeds.
fn all_pages(language: &str) -> Vec<String> {
    pages_with(language, Look::default())
}

/// The same with a look.
fn pages_with(language: &str, look: Look) -> Vec<String> {
    let pages = Pages::new(Channel { language: language.into(), look: Arc::new(look.clone()), ..channel() });
    let entries = ["trailer", "bonus"].map(|kind| full(language, kind));
    let view = |kind| View { kind, key: "a".into() };
    let views = ViewKind::ALL
        .map(|kind| ViewSummary { view: view(kind), name: "A".into(), title: None, order: None, members: 3 })
        .to_vec();
    let main = Feed { pinned: &entries[..1], ..Feed::main(pages.channel(), &entries) };
    let empty = Feed::main(pages.channel(), &[]);
    let date = chrono::DateTime::UNIX_EPOCH;
    let lines: Vec<ArticleLine> = entries.iter().map(|entry| ArticleLine::from(&**entry)).collect();
    let listing = PeriodArticles {
        parts: vec![(DateRange::Year(1970), 2), (DateRange::Year(1969), 1)],
        lines: lines.clone(),
        archive: Some(1),
        rest: Some(Rest::Part(DateRange::Year(1969))),
        changed: date,
    };
    let front = Front { views: views.clone(), archive: Some(2) };
    let mut all = vec![
        pages.front(&main, &front),
        pages.front(&empty, &Front::default()),
        pages.archive(&main, 2),
        pages.archive(&empty, 1),
        pages.period(DateRange::All, &listing),
        pages.period(DateRange::Month(1970, 1), &PeriodArticles::default()),
        pages.missing(false, &lines, &lines),
        pages.missing(true, &[], &[]),
        pages.channel().feed_style(),
        pages.feed(&main, pages.formats().recommended()),
    ];
    all.extend(entries.iter().map(|entry| pages.article_among(entry, &surroundings(language))));
    for (kind, summary) in ViewKind::ALL.into_iter().zip(&views) {
        for collection in [collection(&entries), collection(&[])] {
            all.push(pages.view(&Feed::view(pages.channel(), &summary.view, &collection), &summary.view, "A"));
        }
        all.push(pages.views(kind, std::slice::from_ref(summary)));
        all.push(pages.views(kind, &[]));
    }
    let item = MenuItem { slug: Slug::new("a").unwrap(), name: "A".into(), language: None };
    all.push(pages.with_menu(Arc::new(Menu { items: vec![item], changed: date })).missing(false, &[], &[]));
    all.push(pages.with_folder(Path::new("/srv/a")).front(&Feed::main(&channel(), &[]), &Front::default()));
    let look = Arc::new(Look { blogroll: Some(FeedList::default()), ..look });
    all.extend(Pages::new(Channel { language: language.into(), look, ..channel() }).blogroll());
    // Names of schema.org are English everywhere.
    let without_data = |page: String| match page.split_once("<script").zip(page.split_once("</script>")) {
        Some(((before, _), (_, after))) => format!("{before}{after}"),
        None => page,
    };
    all.into_iter().map(without_data).collect()
}

#[test]
fn no_english_word_is_on_a_page_in_another_language() {
    let of = |language: &str| serde_json::to_value(&Words::of(language).texts).unwrap();
    let (english, pages) = (of("en"), all_pages("en").join("\n"));
    for language in ["de", "fr", "ar", "zh", "ja"] {
        let (own, translated) = (of(language), all_pages(language).join("\n"));
        for (key, text) in english.as_object().unwrap() {
            let literal = |part: words::TextPart<'_>| match part {
                words::TextPart::Text(text) if text.chars().filter(|c| c.is_alphabetic()).count() > 3 => {
                    Some(text.to_owned())
                }
                _ => None,
            };
            let parts = words::parts(text.as_str().unwrap()).into_iter().filter_map(literal);
            let is_shared =
                |part: &str| own.as_object().unwrap().values().any(|own| own.as_str().unwrap().contains(part));
            for part in parts.filter(|part| !is_shared(part.trim())) {
                let part = escape(&part);
                assert!(pages.contains(&part), "the English pages lack {key}: {part}");
                assert!(!translated.contains(&part), "{language}: {key}: {part}");
            }
        }
    }
}

#[test]
fn the_page_of_an_article_shows_the_way_up_and_on() {
    let pages = Pages::new(channel());
    let page = pages.article_among(&entry("a", "A"), &surroundings("en"));
    for part in [
        "<link rel=\"prev\" href=\"https://example.org/articles/part-1\">\n<link rel=\"next\" href=\"https://example.org/articles/part-3\">",
        "<a href=\"/sections/sea/coast/\" lang=\"en\" dir=\"auto\">Coast</a>",
        "<small>Next article</small> <span lang=\"en\" dir=\"ltr\">C &amp; D</span></a>",
        "title=\"sea/Coast – News &amp; Views (RSS)\" href=\"https://example.org/sections/sea/coast/rss.xml\">",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let crumbs = &data(&page)["isPartOf"]["breadcrumb"]["itemListElement"];
    let names: Vec<&str> = crumbs.as_array().unwrap().iter().map(|crumb| crumb["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["News & Views", "Coast", "A"]);
    let alone = pages.article(&entry("a", "A"));
    assert!(!alone.contains("rel=\"prev\"") && !alone.contains("class=\"more"), "{alone}");
}

#[test]
fn a_podcast_opens_in_players() {
    let pages = Pages::new(channel());
    let front = pages.front(&Feed::main(pages.channel(), &[recording()]), &Front::default());
    for part in [
        "<code dir=\"ltr\">https://example.org/rss.xml</code>",
        "<a href=\"feed:https://example.org/rss.xml\">Open in a feed reader</a>",
        "<a href=\"podcast://example.org/rss.xml\">Apple Podcasts</a>",
    ] {
        assert!(front.contains(part), "{part}: {front}");
    }
    let front = pages.front(&Feed::main(pages.channel(), &[entry("a", "A")]), &Front::default());
    assert!(front.contains("<a href=\"feed:https://example.org/atom.xml\">") && !front.contains("podcast:"), "{front}");
}

#[test]
fn every_folder_above_a_section_is_a_link() {
    let pages = Pages::new(channel());
    let view = View::at("sections/news/sport/ball").unwrap();
    let collection = Collection { name: "Ball & Bat".into(), ..collection(&[]) };
    let page = pages.view(&Feed::view(pages.channel(), &view, &collection), &view, "Ball & Bat");
    let breadcrumbs: Vec<&str> = all(page.split("<main").next().unwrap(), "href")
        .into_iter()
        .filter(|href| href.ends_with('/'))
        .skip(1)
        .collect();
    assert_eq!(breadcrumbs, ["/", "/sections/", "/sections/news/", "/sections/news/sport/"]);
    let crumbs = &data(&page)["breadcrumb"]["itemListElement"];
    assert_eq!(crumbs.as_array().unwrap().len(), 4);
    let titles: Vec<&str> = all(&page, "title");
    assert_eq!(titles.len(), 6, "the view's feeds and the main feed");
    assert_eq!(titles[0], "news/sport/Ball &amp; Bat – News &amp; Views (RSS)", "standards 141");
    assert_eq!(titles[3], "News &amp; Views (RSS)");
}

#[test]
fn an_empty_site_names_the_folder_but_no_account() {
    let front = |folder: &str| {
        let pages = Pages::new(channel()).with_folder(Path::new(folder));
        pages.front(&Feed::main(pages.channel(), &[]), &Front::default())
    };
    for (folder, name) in [
        ("/srv/gazetted/articles", "/srv/gazetted/articles"),
        ("/home/ann/posts", "posts"),
        ("/srv2/posts", "posts"),
        ("/srv/<b>", "/srv/&lt;b&gt;"),
    ] {
        let page = front(folder);
        assert!(page.contains(&format!("folder <code dir=\"ltr\">{name}</code>")), "{folder}: {page}");
        assert!(!page.contains("/home") && !page.contains(">ann"), "{page}");
    }
    assert!(front("/").contains("into the watched folder, and"));
    let pages = Pages::new(channel()).with_folder(Path::new("/srv/gazetted/articles"));
    let full = pages.front(&Feed::main(pages.channel(), &[entry("a", "A")]), &Front::default());
    assert!(!full.contains("/srv/"), "a site with articles does not name the folder: {full}");
}

#[test]
fn the_page_of_an_archive_offers_the_main_feed() {
    let pages = Pages::new(channel());
    assert_eq!(pages.links("archive/3/"), pages.links(""));
    assert_ne!(pages.links("tags/a/"), pages.links(""));
}

#[test]
fn the_fingerprint_depends_on_the_site() {
    let other = Channel { title: "Other".into(), ..channel() };
    assert_eq!(Pages::new(channel()).fingerprint(), Pages::new(channel()).fingerprint());
    assert_ne!(Pages::new(channel()).fingerprint(), Pages::new(other).fingerprint());
}

#[test]
fn a_page_that_is_no_article_has_neither_byline_nor_subscription() {
    let mut entry = (*entry("about", "About \"us\"")).clone();
    entry.content.page = Some(SitePage::default());
    let items = ["about", "imprint"].map(|slug| MenuItem {
        slug: Slug::new(slug).unwrap(),
        name: slug.to_owned(),
        language: (slug == "imprint").then(|| "de".to_owned()),
    });
    let menu = Arc::new(Menu { items: items.into(), changed: DateTime::UNIX_EPOCH });
    let pages = Pages::new(channel()).with_menu(menu);
    let html = pages.article(&entry);
    for expected in [
        "<link rel=\"canonical\" href=\"https://example.org/about\">",
        "<meta property=\"og:type\" content=\"website\">",
        "\"@type\":\"WebPage\"",
        "\"@type\":\"BreadcrumbList\"",
        "<nav class=\"menu\" aria-label=\"Menu\">",
        "<a href=\"/about\" lang=\"en\" dir=\"auto\" aria-current=\"page\">about</a>",
        "<a href=\"/imprint\" lang=\"de\" dir=\"auto\">imprint</a>",
        &*entry.content.html,
    ] {
        assert!(html.contains(expected), "{expected}: {html}");
    }
    for missing in ["byline", "follow", "article:published_time", "class=\"pills\"", "\"@type\":\"Article\""] {
        assert!(!html.contains(missing), "{missing}: {html}");
    }
    // In the language of the page.
    entry.content.language = Some("de".into());
    assert!(pages.article(&entry).contains("aria-label=\"Menü\""));
    for html in [pages.missing(false, &[], &[]), pages.front(&Feed::main(pages.channel(), &[]), &Front::default())] {
        assert!(html.contains("<a href=\"/imprint\""), "{html}");
    }
    let without = Pages::new(channel());
    assert!(!without.missing(false, &[], &[]).contains("class=\"menu\""));
}

/// A page of each kind, rendered with the templates of a site.
#[test]
fn every_documented_variable_is_on_its_pages() {
    let kinds: Vec<&str> = templates::VARIABLES.iter().map(|(_, kind)| *kind).filter(|kind| !kind.is_empty()).collect();
    let template = |kind: &str| {
        let common = if kind == "entry.html" { kind } else { "" };
        let names = templates::VARIABLES.iter().filter(|(_, of)| *of == kind || *of == common);
        let tests = names.map(|(name, _)| format!("{{% if {name} is undefined %}}lacks {name} {{% endif %}}"));
        format!("made by {kind} {}{{{{ entries }}}}", tests.collect::<String>())
    };
    let file =
        |kind: &str| crate::site::TemplateFile { name: kind.to_owned(), path: kind.into(), source: Ok(template(kind)) };
    let look = Look { templates: kinds.iter().map(|kind| file(kind)).collect(), ..Look::default() };
    let pages = pages_with("en", look);
    for kind in kinds {
        let of_kind: Vec<&String> = pages.iter().filter(|page| page.contains(&format!("made by {kind}"))).collect();
        assert!(!of_kind.is_empty(), "no page is of {kind}");
    }
    for page in pages {
        assert!(!page.contains("lacks "), "{page}");
    }
}

#[test]
fn a_part_of_a_series_leads_to_the_other_parts() {
    let pages = Pages::new(channel());
    let among = |count| {
        let series = Some(series(count));
        pages.article_among(&entry("a", "A"), &Surroundings { series, ..Surroundings::default() })
    };
    let page = among(3);
    for part in [
        "Part 2 of 3 of <a href=\"/series/the-sea/\" dir=\"auto\">The &lt;sea&gt;</a>",
        "<a href=\"/articles/part-2\" lang=\"en\" dir=\"auto\" aria-current=\"page\">Tale 2 &amp; more</a>",
        "<a href=\"/articles/part-1\" rel=\"prev\"><small>Previous part</small>",
        "<a href=\"/articles/part-3\" rel=\"next\"><small>Next part</small>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!among(2).contains("Next part"));
    // Only one article comes before it, and one after it.
    let page = pages.article_among(&entry("a", "A"), &surroundings("en"));
    assert_eq!((page.matches("rel=\"prev\"").count(), page.matches("rel=\"next\"").count()), (2, 2), "{page}");
    assert_eq!(all(&page, "aria-label").iter().filter(|label| **label == "The &lt;sea&gt;").count(), 2, "{page}");
    let of_many = among(0);
    assert!(
        of_many.contains("Series: <a href=\"/series/the-sea/\"") && !of_many.contains("<details>\n<summary"),
        "{of_many}"
    );
    assert!(!pages.article(&entry("a", "A")).contains("class=\"series\""));
}
