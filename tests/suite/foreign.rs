//! Files that other tools wrote: what readers get of them, and which of them are no articles.

use crate::command_line::gazetted;
use crate::site::{BASE_URL, Site};

fn dates(site: &Site, titles: &[&str]) -> Vec<String> {
    let day = |title: &&str| site.entry(title)["date_published"].as_str().unwrap()[..10].to_owned();
    titles.iter().map(day).collect()
}

#[test]
fn a_date_in_an_address_precedes_that_of_the_file() {
    let mut site = Site::new();
    site.write("a.md", "+++\npath = \"2014/12/12/Timeline\"\ntitle = \"A\"\n+++\nText.");
    site.write("b.md", "---\ntitle: B\npermalink: /blog/2013/05/06/by-permalink/\n---\nText.");
    site.write("c.md", "---\ntitle: C\naliases: [/old/, /2012/03/c.html]\n---\nText.");
    site.write("d.md", "---\ntitle: D\ndate: 2020-01-02\npath: 2014/12/12/d\n---\nText.");
    site.write("2019-08-07-e.md", "---\ntitle: E\npath: 2014/12/12/e\n---\nText.");
    site.start();
    let expected = ["2014-12-12", "2013-05-06", "2012-03-01", "2020-01-02", "2019-08-07"];
    assert_eq!(dates(&site, &["A", "B", "C", "D", "E"]), expected);
}

#[test]
fn dates_in_words_are_read_and_others_never_mean_now() {
    let mut site = Site::started();
    for (title, date) in [
        ("A", "Wed May  1 10:00:00 CEST 2024"),
        ("B", "2024-05-01 3:30 PM"),
        ("C", "May 1st, 2024"),
        ("D", "1. Mai 2024"),
        ("E", "1 mai 2024"),
    ] {
        site.write(&format!("{title}.md"), format!("---\ntitle: {title}\ndate: {date}\n---\nText {title}."));
    }
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_300_000_000);
    site.write("new/.f.md", "---\ntitle: F\ndate: some time ago\n---\nText F.");
    let file = std::fs::File::options().write(true).open(site.path("new/.f.md")).unwrap();
    file.set_modified(old).unwrap();
    drop(file);
    site.rename("new/.f.md", "f.md");
    site.wait_for(&["A", "B", "C", "D", "E", "F"]);
    assert_eq!(dates(&site, &["A", "B", "C", "D", "E"]), ["2024-05-01"; 5]);
    assert_eq!(dates(&site, &["F"]), ["2011-03-13"]);
}

#[test]
fn articles_of_one_file_name_have_readable_addresses() {
    let mut site = Site::new();
    for day in 1..=9 {
        let text = format!("Title: This Week {day:02}\nDate: 2026-08-{day:02}\n\nHello {day}.");
        site.write(&format!("2026-08-{day:02}-this-week.md"), text);
    }
    for day in 1..=3 {
        site.write(&format!("2025-08-{day:02}-notes.md"), format!("---\ntitle: Notes\n---\nText {day}."));
    }
    site.start();
    let slugs: Vec<String> = site.feed()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["url"].as_str().unwrap().replace(&format!("{BASE_URL}articles/"), ""))
        .collect();
    for slug in ["this-week", "this-week-02", "this-week-09", "notes", "notes-2025-08-02", "notes-2025-08-03"] {
        assert!(slugs.contains(&slug.to_owned()), "{slug} in {slugs:?}");
    }
}

#[test]
fn names_and_titles_stay_as_they_are_written() {
    let mut site = Site::new();
    site.write("a.md", "---\ntitle: \"Why?\" she said: \"because\"\nauthor: Ann Lee <ann@a.example>\n---\nText a.");
    site.write("b.md", "---\ntitle: Categories\ncategories:\n  - [Sports, Boats]\n  - [Sports, Water]\n---\nText b.");
    site.write(
        "e.md",
        "---\ntitle: Links\nauthor: \"[[people/ann|Ann Lee]]\"\ntags: [\"[[Boats]]\", sea]\n---\nText e.",
    );
    site.write("d.md", "---\ntitle: 'twas: the night\n---\nText d.");
    site.write("Well-known facts.md", "Text c.");
    site.start();
    let a = site.entry("\"Why?\" she said: \"because\"");
    assert_eq!(a["authors"][0]["name"], "Ann Lee");
    assert_eq!(site.entry("Categories")["tags"], serde_json::json!(["Sports", "Boats", "Water"]));
    let links = site.entry("Links");
    assert_eq!(
        (&links["authors"][0]["name"], &links["tags"]),
        (&"Ann Lee".into(), &serde_json::json!(["Boats", "sea"]))
    );
    site.entry("'twas: the night");
    site.entry("Well-known facts");
    assert!(site.get("/rss.xml").text().contains("<dc:creator>Ann Lee</dc:creator>"));
}

#[test]
fn folders_of_languages_state_the_language() {
    let mut site = Site::new();
    site.write("ja/injector.md", "---\ntitle: Injector\n---\n`hexo.extend.injector.register(entry, value, to)`\n\nOK?");
    site.write("zh-tw/docs.md", "---\ntitle: 文件\n---\n安裝 Hexo 只需幾分鐘。");
    site.write("de/contact.md", "---\ntitle: Kontakt\n---\nInfo: kontakt@example.org");
    let english =
        "The bridge stays closed for lorries because of the strong wind, the council said on Wednesday. ".repeat(4);
    site.write("it/computers.md", format!("---\ntitle: Computers\n---\n{english}"));
    site.start();
    for (title, language) in [("Injector", "ja"), ("文件", "zh-TW"), ("Kontakt", "de")] {
        assert_eq!(site.entry(title)["language"], language, "{title}");
    }
    // Not Italian: it has the language of the site.
    assert!(site.entry("Computers")["language"].is_null());
}

#[test]
fn backslashes_in_addresses_separate_folders() {
    let mut site = Site::new();
    site.write("pictures/x.png", "not empty");
    site.write("a.md", "# A\n\n![x](pictures\\x.png) and [y](sub\\b.md).");
    site.write("sub/b.md", "# B\n\nText.");
    site.write("c\\d.mp3", "no recording");
    site.start();
    let html = site.entry("A")["content_html"].as_str().unwrap().to_owned();
    assert!(html.contains(&format!("src=\"{BASE_URL}media/pictures/x.png\"")), "{html}");
    assert!(html.contains(&format!("href=\"{BASE_URL}articles/b\"")), "{html}");
    assert_eq!(site.titles().len(), 2, "{:?}", site.titles());
}

#[test]
fn links_of_pelican_lead_to_files() {
    let mut site = Site::new();
    site.write("images/x.png", "not empty");
    site.write("sub/a.md", "# A\n\n[b]({filename}b.md), [c]({filename}/c.md), ![x]({static}/images/x.png), <a href=\"|filename|b.md\">d</a>.");
    site.write("sub/b.md", "# B\n\nText.");
    site.write("c.md", "# C\n\nText, [out]({other}x).");
    site.start();
    site.wait_until("all are linked", |site| {
        let html = site.entry("A")["content_html"].as_str().unwrap().to_owned();
        html.matches(&format!("href=\"{BASE_URL}articles/b\"")).count() == 2
            && html.contains(&format!("href=\"{BASE_URL}articles/c\""))
            && html.contains(&format!("src=\"{BASE_URL}media/images/x.png\""))
    });
}

#[test]
fn tags_of_hexo_and_links_of_nikola_lead_to_articles_and_files() {
    let mut site = Site::new();
    site.write("_posts/a/b.png", "not empty");
    site.write(
        "_posts/a.md",
        "---\ntitle: A\ndate: 2024-05-02\n---\nSee {% post_link b %} or {% post_link b \"the words\" %}. {% asset_img b.png Boat %} [n](link://slug/b), [t](link://tag/sea).",
    );
    site.write("_posts/b.md", "---\ntitle: B\ndate: 2024-05-01\ntags: [sea]\n---\nText.");
    site.start();
    site.wait_until("all are linked", |site| {
        let html = site.entry("A")["content_html"].as_str().unwrap().to_owned();
        [
            format!("<a href=\"{BASE_URL}articles/b\">b</a>"),
            format!("<a href=\"{BASE_URL}articles/b\">the words</a>"),
            format!("<a href=\"{BASE_URL}articles/b\">n</a>"),
            format!("<a href=\"{BASE_URL}tags/sea/\">t</a>"),
            format!("<img src=\"{BASE_URL}media/_posts/a/b.png\" alt=\"Boat\">"),
        ]
        .iter()
        .all(|part| html.contains(part))
    });
}

#[test]
fn of_several_articles_of_one_name_the_folders_of_a_link_decide() {
    let mut site = Site::new();
    for language in ["en", "ko"] {
        let text = format!("---\ntitle: Foo {language}\n---\nText.");
        site.write(&format!("{language}/news/_posts/2026-05-20-foo.md"), text);
    }
    site.write("a.md", "# A\n\n[en](/en/news/2026/05/20/foo/), [ko](/ko/news/2026/05/20/foo.html).");
    site.start();
    let of = |site: &Site, title: &str| site.entry(title)["url"].as_str().unwrap().to_owned();
    site.wait_until("both are linked", |site| {
        let html = site.entry("A")["content_html"].as_str().unwrap().to_owned();
        ["en", "ko"]
            .iter()
            .all(|name| html.contains(&format!("<a href=\"{}\">{name}</a>", of(site, &format!("Foo {name}")))))
    });
    let moved = site.get("/ko/news/2026/05/20/foo/");
    assert_eq!((moved.status, moved.field("location")), (301, of(&site, "Foo ko").as_str()));
}

#[test]
fn a_note_may_link_to_its_state() {
    let mut site = Site::new();
    site.write("a.md", "---\nstatus:\n  - \"[[Published]]\"\n---\n# A\n\nText.");
    site.write("b.md", "---\nstatus: \"[[Draft]]\"\n---\n# B\n\nText.");
    site.write("c.md", "---\nstatus: [published, draft]\n---\n# C\n\nText.");
    site.start();
    assert_eq!(site.titles(), ["A"]);
}

#[test]
fn a_body_that_only_a_generator_shows_is_reported() {
    let site = Site::new();
    site.write("a.md", "# A\n\nText.\n\n{% set code %}\nthree lost words\n{% endset %}\n{% set x = 1 %}");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gazetted"));
    let output = command.args(["check", "--all"]).arg(site.root()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("a.md:5: `set`: 3 words are shown only where a site generator uses them"), "{printed}");
}

#[test]
fn templates_copies_and_files_about_projects_are_no_articles() {
    let mut site = Site::new();
    let others = [
        (
            "{topic}.html",
            "{% extends \"base.html\" %}\n{% block title %}Notes on {{ topic }}{% endblock %}\n{% block body %}<h1>x</h1>{% endblock %}",
        ),
        ("titled.html", "<title>{{ page.title }}</title><p>Text.</p>"),
        ("daily.md", "---\ndate: {{date}}\n---\n# {{title}}\n\nText."),
        ("cursor.md", "# Note\n\n<% tp.file.cursor() %>"),
        ("Meta/Templates/week.md", "# Week\n\nText."),
        ("sub/README.md", "# Readme\n\nText."),
        ("robots.txt", "User-agent: *"),
        ("requirements.txt", "numpy==1.0"),
        ("CONTRIBUTING.md", "# Contributing\n\nText."),
        ("_posts/template.md", "---\nlayout: post\ntitle: template page\n---\nContent here"),
        ("storm (In Konflikt stehende Kopie von Ann 2024-05-01).md", "# Copy\n\nText."),
        ("storm-DESKTOP-1A2B3C4.md", "# Another copy\n\nText."),
    ];
    for (name, text) in others {
        site.write(name, text);
    }
    site.write(".obsidian/templates.json", "{\"folder\": \"Meta/Templates\"}");
    site.write("storm.md", "# Storm\n\nText.");
    site.write("tour-DESKTOP-2.md", "# Tour\n\nText.");
    site.write("_posts/2024-02-03-real.md", "---\ntitle: Real\n---\nText.");
    site.write("source/_posts/hexo.md", "---\ntitle: Hexo\n---\nText.");
    site.start();
    let mut titles = site.titles();
    titles.sort();
    assert_eq!(titles, ["Hexo", "Real", "Storm", "Tour"]);
}

#[test]
fn texts_that_are_not_read_are_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.doc", "sub/b.DOC", "c.rst", "d.tex", "e.png", ".hidden.rst", "f.md"] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "# F\n\nText.").unwrap();
    }
    let checked = gazetted().arg("check").arg(folder.path()).output().unwrap();
    let told = String::from_utf8(checked.stderr).unwrap();
    assert!(checked.status.success(), "{told}");
    let line = "4 files look like articles and are not read: 2 .doc, 1 .rst, 1 .tex; ";
    assert_eq!(told.matches(line).count(), 1, "{told}");
    assert!(told.contains("articles without a date: 1; "), "{told}");
}

#[test]
fn org_gemtext_and_notebooks_are_articles() {
    let mut site = Site::new();
    site.write(
        "storm.org",
        "#+TITLE: The storm\n#+DATE: <2024-05-01 Wed>\n#+FILETAGS: :sea:\n\nIt was *very* strong, see [[file:calm.gmi][the calm]].\n\n\
         * Damage\n- one boat\n\n* Private :noexport:\nSecret words.\n",
    );
    site.write("calm.gmi", "# The calm\n\nNo wind at all.\n\n=> storm.org The storm\n");
    let notebook = serde_json::json!({"nbformat": 4, "metadata": {}, "cells": [
        {"cell_type": "markdown", "source": ["# Waves\n", "\n", "Heights in metres."]},
        {"cell_type": "code", "source": "max(heights)", "outputs": [{"data": {"text/plain": "7.5"}}]},
    ]});
    site.write("waves.ipynb", notebook.to_string());
    site.start();
    site.wait_until("all are linked", |site| {
        let text = |title: &str| site.entry(title)["content_html"].as_str().unwrap().to_owned();
        let (storm, calm, waves) = (text("The storm"), text("The calm"), text("Waves"));
        storm.contains("<strong>very</strong>")
            && storm.contains(&format!("<a href=\"{BASE_URL}articles/calm\">the calm</a>"))
            && storm.contains("<li>one boat</li>")
            && !storm.contains("Secret")
            && calm.contains(&format!("<a href=\"{BASE_URL}articles/storm\">The storm</a>"))
            && waves.contains("max(heights)")
            && waves.contains("7.5")
    });
    assert_eq!(dates(&site, &["The storm"]), ["2024-05-01"]);
}
