//! The text that readers see of an article: nothing that was written is lost, and nothing that was hidden is shown.

use crate::site::Site;

/// Elements that stand in lines of their own.
const BLOCKS: [&str; 9] = ["br", "div", "h1", "h2", "li", "p", "pre", "section", "td"];

/// A text as a reader shows it: without tags, and white space folded.
fn shown(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap_or_default();
        text.push_str(if BLOCKS.contains(&name) { " " } else { "" });
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file, named by its title, and the text that readers see of it.
type Case = (&'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    // Saved pages: the only `<article>` is a teaser, or empty.
    (
        "Bridge.html",
        "<!doctype html><html><head><title>Bridge</title></head><body><div id=content><h1>Bridge</h1><div class=entry-content>\
         <p>The old bridge was closed on Monday night, after a storm had torn off part of its railing.</p><p>Buses take the road by \
         the mill until then.</p></div></div><div class=related><article class=teaser><h3>Read next</h3><p>Cat found on mast</p>\
         </article></div></body></html>",
        "The old bridge was closed on Monday night, after a storm had torn off part of its railing. Buses take the road by the mill \
         until then.",
    ),
    (
        "Harbour.html",
        "<!doctype html><html><head><title>Harbour</title></head><body><div class=left-side><h1>Harbour</h1><div \
         class=inner-content><p>The harbour opened again at noon, a day earlier than expected.</p></div></div><article \
         class=video-slot></article></body></html>",
        "The harbour opened again at noon, a day earlier than expected.",
    ),
    (
        "Menus.html",
        "<!doctype html><html><head><title>Menus</title></head><body><div class=menu><a href=/>Home</a> <a href=/s>Sport</a></div>\
         <h1>Menus</h1><p>Snow is expected by evening, first in the hills.</p><ul><li>a list</li></ul><h3>Most popular</h3><ul><li><a \
         href=/c>Cat found on mast</a></li></ul><div id=comments><p>First!</p></div><div class=footer>Imprint</div></body></html>",
        "Snow is expected by evening, first in the hills. a list",
    ),
    (
        "Plain.html",
        "<title>Plain</title><p>Short.<p>A <a href=/l>link</a>.<ul><li><a href=/m>m</a></ul>",
        "Short. A link. m",
    ),
    (
        "Modulo.md",
        "# Modulo\n\nUseful are seq(), rep(), %%, %/% and abs(). This sentence stays.\n\nThis paragraph must not be lost.",
        "Useful are seq(), rep(), %%, %/% and abs(). This sentence stays. This paragraph must not be lost.",
    ),
    (
        "Template.md",
        "# Template\n\nFirst.\n\n<demo-box>\n\t<template>\n\t\t<p>A demo:</p>\n\n\t\t<b>x</b>\n\t</template>\n</demo-box>\n\n## Second part\n\nThe rest.",
        "First. Second part The rest.",
    ),
    ("Named.md", "# Named\n\nA <select> shows choices.\n\nThe rest.", "A <select> shows choices. The rest."),
    (
        "Code.html",
        "---\ntitle: Code\n---\n<p>A format:</p>\n<pre><code>var f = $\"{{0,{width}}} {{1}}\";</code></pre>\n<p>Go prints <code>{{ .Title }}</code>.</p>",
        "A format: var f = $\"{{0,{width}}} {{1}}\"; Go prints {{ .Title }}.",
    ),
    ("Codes.md", "# Codes\n\nText\n\n<pre>{{ a }}</pre>\n\nand <code>{% b %}</code>.", "Text {{ a }} and {% b %}."),
    (
        "Formula.html",
        "<title>Formula</title><p>When <math><mi>a</mi><mo>≠</mo><mn>0</mn></math>, there are two.</p>",
        "When a≠0, there are two.",
    ),
    ("TeX.md", "# TeX\n\nSo $x*y*z$ and \\(a \\ne 0\\), for $5 or $10.", "So x∗y∗z and a≠0, for $5 or $10."),
    (
        "Notes.md",
        "# Notes\n\nOne[^1].\n\n[^1]: First note.\n\nTwo[^2].\n\n[^2]: Second note.\n\nThree.",
        "One1. Two2. Three. 1 First note. ↩ 2 Second note. ↩",
    ),
    (
        "Hidden.html",
        "<title>Hidden</title><p>High water is at nine.</p><p style=\"display:none\">Error: subscription needed.</p><p hidden>Second.</p>\
         <div style=\"visibility: hidden\">Third.</div><div aria-hidden=\"true\">Fourth.</div><p>Low water is at three.</p>",
        "High water is at nine. Low water is at three.",
    ),
];

#[test]
fn readers_see_what_was_written() {
    let mut site = Site::new();
    for (name, text, _) in CASES {
        site.write(name, text);
    }
    site.start();
    for (name, _, expected) in CASES {
        let title = name.split('.').next().unwrap();
        let entry = site.entry(title);
        assert_eq!(shown(entry["content_html"].as_str().unwrap()), *expected, "{name}");
        let page = site.get(&entry["url"].as_str().unwrap().replace("https://gazette.example", ""));
        let text = shown(&page.text());
        assert!(text.contains(expected), "{name}: {text}");
    }
    let summaries = site.feed().to_string();
    for hidden in ["subscription", "Fourth", "One1"] {
        assert!(!summaries.contains(hidden), "{hidden}");
    }
}

#[test]
fn links_lead_to_headings_and_sections() {
    let mut site = Site::new();
    site.write(
        "a.md",
        "# A\n\n[There](#first-part-of-it), [here](#top) and [below](#own).\n\n## First part of it!\n\nText\n\n<section id=\"own\">\n\nMore\n\n</section>\n\n## Unused\n",
    );
    site.write("b.html", "<title>B</title><article id=\"top\"><p>Text</p><p><a href=\"#top\">Up</a></p></article>");
    site.start();
    let html = |title: &str| site.entry(title)["content_html"].as_str().unwrap().to_owned();
    let a = html("A");
    assert!(a.contains("<h2 id=\"first-part-of-it\">"), "{a}");
    assert!(a.contains("id=\"own\"") && a.contains("<h2 id=\"unused\">"), "{a}");
    assert!(html("B").contains("id=\"top\""), "{}", html("B"));
}

#[test]
fn bare_addresses_are_links() {
    let mut site = Site::new();
    site.write("a.md", "# A\n\nSee https://a.example/b_(c)_d, and www.b.example.\n");
    site.start();
    let html = site.entry("A")["content_html"].as_str().unwrap().to_owned();
    assert_eq!(
        html,
        "<p>See <a href=\"https://a.example/b_(c)_d\">https://a.example/b_(c)_d</a>, and <a href=\"http://www.b.example\">www.b.example</a>.</p>"
    );
}

/// The language of a short text is that of its folder: of its description, of its data, or of the other articles, whenever they come.
#[test]
fn a_short_text_is_in_the_language_of_its_folder() {
    let long = "O porto ficou fechado na quarta-feira porque o vento mantinha os barcos em terra, e ninguém sabia quando ele voltaria a abrir. ";
    let mut site = Site::new();
    let language = |site: &Site, title: &str| site.entry(title)["language"].as_str().unwrap_or_default().to_owned();
    for name in ["a", "b"] {
        site.write(&format!("stated/{name}.md"), format!("---\nlang: pt\n---\n# Stated {name}\n\nTexto."));
    }
    site.write("stated/0.md", "# First of all\n\nUma nota.");
    site.write("stated/z.md", "# Last of all\n\nUma nota.");
    site.write("stated/own.md", "---\nlang: en\n---\n# Own\n\nA note.");
    site.write("stated/cyrillic.md", "# Cyrillic\n\nКороткая заметка о море.");
    site.write("stated/deep/x.md", "# Deep\n\nA note.");
    site.write("described/_index.md", "---\ntitle: D\nlanguage: nl\n---\n");
    site.write("described/a.md", "# Described\n\nEen notitie.");
    site.write("data/data.json", "{\"lang\": \"sv\"}");
    site.write("data/a.md", "# Data\n\nEn anteckning.");
    site.write("long/a.md", format!("# Long\n\n{}", long.repeat(5)));
    site.write("long/b.md", "# Short\n\nUma nota.");
    site.write("later/note.md", "# Note\n\nEine Notiz.");
    site.start();
    site.wait_until("all have a language", |site| {
        let found =
            ["First of all", "Last of all", "Own", "Described", "Data", "Short"].map(|title| language(site, title));
        found == ["pt", "pt", "", "nl", "sv", "pt"]
    });
    assert_ne!(language(&site, "Cyrillic"), "pt", "in another script");
    assert_eq!((language(&site, "Deep"), language(&site, "Note")), (String::new(), String::new()), "nothing says it");
    let modified = site.entry("Note")["date_modified"].clone();
    site.write("later/other.md", "---\nlang: de\n---\n# Other\n\nText.");
    site.wait_until("the other says it", |site| language(site, "Note") == "de");
    assert_eq!(site.entry("Note")["date_modified"], modified);
    site.restart();
    assert_eq!(["First of all", "Short", "Note"].map(|title| language(&site, title)), ["pt", "pt", "de"]);
    let text = crate::withheld::run(
        crate::command_line::gazetted()
            .arg("explain")
            .arg(site.path("described/a.md"))
            .arg("--config")
            .arg(site.config_file()),
    )
    .1;
    assert!(text.contains("nl  (described/_index.md, line 3: `language`)"), "{text}");
}
