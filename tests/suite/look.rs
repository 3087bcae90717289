//! The look of a site and its settings: what its pages and feeds show of them, and when they change.

use crate::command_line::gazetted;
use crate::reload::{Configured, printed};
use crate::tools::{Program, ask_bytes};

const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><style>rect{fill:teal}</style><rect width=\"8\" height=\"8\"/></svg>";
/// Three times as wide as high.
const WIDE: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 30 10\"><rect width=\"30\" height=\"10\"/></svg>";
/// The built-in icon, as any other PNG.
const PNG: &[u8] = include_bytes!("../../src/render/page/icon.png");

/// Each key of `[site]` that changes the look.
const OWN_LOOK: &str = "[site]\ntitle = 'Gazette'\nicon = ['icon.svg', 'icon.png']\nlogo = 'logo.svg'\naccent = 'yellow'\n\
    footer = 'By *Ann*, [imprint](/articles/one)'\nstyle = 'own.css'\n";

fn with_own_look() -> Configured {
    let site = Configured::new(OWN_LOOK);
    std::fs::write(site.path("icon.svg"), ICON).unwrap();
    std::fs::write(site.path("icon.png"), PNG).unwrap();
    std::fs::write(site.path("logo.svg"), WIDE).unwrap();
    std::fs::write(site.path("own.css"), "body { max-width: 50rem; }\n").unwrap();
    site.write("one.md", "# One\n\nText");
    site
}

/// The header of a response in lower case, and its body.
fn answer(program: &Program, path: &str) -> (String, Vec<u8>) {
    let answer = ask_bytes(&program.address, path, "");
    let at = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&answer[..at]).to_lowercase(), answer[at + 4..].to_vec())
}

/// The address of a page's `<link>` or `<img>` that has these words.
fn address(page: &str, words: &str, attribute: &str) -> String {
    let tag = page.split('<').find(|tag| tag.contains(words)).unwrap_or_else(|| panic!("no {words} in {page}"));
    tag.split(&format!("{attribute}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn field(head: &str, name: &str) -> String {
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
}

#[test]
fn a_site_has_its_own_icon_logo_colour_footer_and_style() {
    let site = with_own_look();
    let program = site.start();
    for path in ["/", "/articles/one", "/nowhere"] {
        let page = program.get(path);
        assert!(
            page.contains("<div class=\"own\" lang=\"en\" dir=\"auto\">By <em>Ann</em>, <a href=\"/articles/one\""),
            "{page}"
        );
        for (words, attribute, path, media_type, expected) in [
            ("type=\"image/svg+xml\"", "href", "/icon.svg?", "image/svg+xml", ICON.as_bytes()),
            ("rel=\"icon\" type=\"image/png\" sizes=\"180x180\"", "href", "/icon.png?", "image/png", PNG),
            ("apple-touch-icon", "href", "/icon.png?", "image/png", PNG),
            ("class=\"logo\"", "src", "/logo.svg?", "image/svg+xml", WIDE.as_bytes()),
        ] {
            let address = address(&page, words, attribute);
            assert!(address.starts_with(path), "{address}");
            let (head, body) = answer(&program, &address);
            assert_eq!(field(&head, "content-type"), media_type, "{address}");
            assert!(body == expected, "{address}");
            // A drawing shows its own styles, and runs nothing.
            assert!(field(&head, "content-security-policy").contains("style-src 'unsafe-inline'"), "{head}");
            assert!(field(&head, "content-security-policy").contains("sandbox"), "{head}");
        }
        if path != "/nowhere" {
            let share = address(&page, "property=\"og:image\"", "content");
            let (head, body) = answer(&program, &share[share.find("/share.png?").expect("an absolute address")..]);
            assert_eq!((field(&head, "content-type").as_str(), &body[1..4]), ("image/png", &b"PNG"[..]), "{share}");
        }
        // The wide logo stands in place of the title.
        assert!(page.contains(" alt=\"Gazette\" width=\"30\" height=\"10\"></"), "{page}");
        let (head, style) = answer(&program, &address(&page, "rel=\"stylesheet\"", "href"));
        let style = String::from_utf8(style).unwrap();
        assert!(style.ends_with("\nbody { max-width: 50rem; }\n") && style.starts_with(":root {"), "{style}");
        assert!(style.contains("(prefers-color-scheme: dark) { :root { --accent: #ffff00; } }"), "{style}");
        assert!(!style.contains("@media screen { :root { --accent: #ffff00; } }"), "yellow on white cannot be read");
        assert_eq!(field(&head, "content-type"), "text/css; charset=utf-8");
    }
    for path in ["/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png"] {
        assert!(answer(&program, path).1 == PNG, "{path}");
    }
    let base = format!("http://{}", program.address);
    let page = program.get("/");
    let icon = format!("{base}{}", address(&page, "apple-touch-icon", "href"));
    let logo = format!("{base}{}", address(&page, "class=\"logo\"", "src"));
    let atom = program.get("/atom.xml");
    assert!(atom.contains(&format!("<icon>{icon}</icon>")) && atom.contains(&format!("<logo>{logo}</logo>")), "{atom}");
    let rss = program.get("/rss.xml");
    assert!(rss.contains(&format!("<image>\n<url>{icon}</url>\n<title>Gazette</title>")), "{rss}");
    let json = program.get("/feed.json");
    assert!(json.contains(&format!("\"icon\":\"{icon}\",\"favicon\":\"{icon}\"")), "{json}");
}

#[test]
fn a_site_without_a_look_has_the_built_in_icon_and_no_pictures_in_its_feeds() {
    let site = Configured::new("[site]\ntitle = 'Gazette'\n");
    site.write("one.md", "# One\n\nText");
    let program = site.start();
    let page = program.get("/");
    assert!(address(&page, "type=\"image/svg+xml\"", "href").starts_with("/icon.svg?"));
    assert!(!page.contains("class=\"logo\"") && !page.contains("class=\"own\""), "{page}");
    assert!(answer(&program, "/favicon.ico").1 == PNG, "old fetchers know no SVG");
    for feed in ["/atom.xml", "/rss.xml", "/feed.json"] {
        let feed = program.get(feed);
        assert!(!feed.contains("icon") && !feed.contains("<logo") && !feed.contains("<image"), "{feed}");
    }
}

#[test]
fn a_reload_reads_the_files_of_the_look_again_and_refuses_broken_ones() {
    let site = with_own_look();
    let program = site.start();
    let style = |program: &Program| address(&program.get("/articles/one"), "rel=\"stylesheet\"", "href");
    let feed = |program: &Program| {
        let (head, body) = answer(program, "/feed.json");
        (field(&head, "etag"), field(&head, "last-modified"), body)
    };
    let before = (style(&program), answer(&program, "/articles/one").0, feed(&program));
    std::fs::write(site.path("own.css"), "body { max-width: 60rem; }\n").unwrap();
    let output = site.reload();
    assert!(printed(&output).contains("the new configuration is in effect"), "{}", printed(&output));
    program.wait_until("the style has changed", |program| style(program) != before.0);
    let head = answer(&program, "/articles/one").0;
    for name in ["etag", "last-modified"] {
        assert_ne!(field(&head, name), field(&before.1, name), "{name}");
    }
    assert_eq!(feed(&program), before.2, "feeds show no style");

    // A wrong file is refused with file, line and reason, at a reload, at a start and by `check`.
    std::fs::write(site.path("own.css"), "@import url('https://fonts.example/a.css');\n").unwrap();
    let (reload, check) = (site.reload(), site.command("check").output().unwrap());
    let start =
        site.command("serve").args(["--listen", "127.0.0.1:0", "--state"]).arg(site.path("another")).output().unwrap();
    for output in [&reload, &check, &start] {
        let text = printed(output);
        assert!(text.contains("gazetted.toml:7: site.style: own.css:1: `@import` loads nothing"), "{text}");
        assert_ne!(output.status.code(), Some(0), "{text}");
    }
    assert!(printed(&reload).contains("keeping the current configuration"), "{}", printed(&reload));
    assert!(program.get(&style(&program)).contains("60rem"));
    // What fails later begins again with what was read before.
    site.write("two.md", "# Two\n\nText");
    program.wait_until("articles are published", |program| program.get("/feed.json").contains("\"Two\""));
}

#[test]
fn settings_in_the_folder_take_effect_while_the_daemon_runs() {
    let port = crate::tools::free_port();
    let site = Configured::new(&format!("[site]\nlanguage = 'en'\n[admin]\nlisten = '127.0.0.1:{port}'\n"));
    site.write("one.md", "# One\n\nText");
    let program = site.start();
    let feed = |program: &Program| String::from_utf8(answer(program, "/feed.json").1).unwrap();
    let version = |program: &Program| field(&answer(program, "/feed.json").0, "last-modified");
    assert!(feed(&program).contains("\"title\":\"Articles\""));
    let before = (feed(&program), answer(&program, "/articles/one").1);

    site.write("icon.svg", ICON);
    site.write("own.css", "p { color: red }\n");
    site.write(
        "_site.toml",
        "title = 'Of Ann'\nlanguage = 'de'\nicon = 'icon.svg'\nbase_url = 'https://evil.example/'\nlogo = '../gazetted.toml'\n\
         accent = 'teal'\nfooter = 'Hello <script>alert(1)</script>'\nstyle = 'own.css'\n[author]\nname = 'Ann'\n",
    );
    program.wait_until("the title has changed", |program| feed(program).contains("\"title\":\"Of Ann\""));
    let json = feed(&program);
    assert!(json.contains("\"language\":\"en\""), "the configuration takes precedence: {json}");
    assert!(json.contains("\"authors\":[{\"name\":\"Ann\"}]") && json.contains("/icon.svg?"), "{json}");
    assert!(!json.contains("evil.example"), "{json}");
    let page = program.get("/articles/one");
    assert!(
        page.contains("dir=\"auto\">Hello</div>") && !page.contains("alert(1)") && !page.contains("class=\"logo\""),
        "{page}"
    );
    let style = |program: &Program| program.get(&address(&program.get("/"), "rel=\"stylesheet\"", "href"));
    assert!(style(&program).contains("--accent: #007a7a;") && style(&program).contains("p { color: red }"));

    // What is wrong is named with its line, everywhere, and the rest counts.
    let base_url =
        "_site.toml:4: `base_url` counts in the configuration only: it decides about the addresses of the site";
    let logo = "_site.toml:5: logo: ../gazetted.toml: not in the folder of articles: name a file in it";
    let status = crate::tools::ask(&format!("127.0.0.1:{port}"), "/status.json", "");
    let log = program.log.lock().join("\n");
    let check = printed(&site.command("check").output().unwrap());
    for text in [status, log, check] {
        assert!(text.contains(base_url) && text.contains(logo), "{text}");
    }
    let explain = site.command("explain").arg(site.path("articles/_site.toml")).output().unwrap();
    let explained = printed(&explain);
    assert!(explained.contains("line 4: `base_url` counts in the configuration only"), "{explained}");
    assert!(explained.contains("unused     language  ("), "{explained}");

    // It is neither an article nor a file beside one.
    for path in ["/media/_site.toml", "/_site.toml", "/media/own.css", "/articles/site"] {
        assert!(answer(&program, path).0.starts_with("http/1.1 404"), "{path}");
    }
    assert_eq!(feed(&program).matches("\"date_published\"").count(), 1);

    // A file that it names counts when it changes.
    site.write("own.css", "p { color: blue }\n");
    program.wait_until("the style has changed", |program| style(program).contains("color: blue"));
    assert_eq!(feed(&program), json, "feeds show no style");

    // A half of it is refused whole, and the settings go with the file.
    let version_before = version(&program);
    std::fs::remove_file(site.path("articles/_site.toml")).unwrap();
    program.wait_until("the defaults are back", |program| feed(program).contains("\"Articles\""));
    assert_ne!(version(&program), version_before);
    assert_eq!(feed(&program), before.0);
    assert!(answer(&program, "/articles/one").1 == before.1);
    let config = site.path("gazetted.toml");
    assert!(gazetted().arg("check").arg("--config").arg(config).output().unwrap().status.success());
}

#[test]
fn rights_crawlers_and_accounts_are_stated_to_people_and_programs() {
    let statements = "copyright = '© 2026 Ann & Co'\nlicense = 'CC-BY-SA-4.0'\nfediverse = '@ann@example.social'\nme = ['https://example.social/@ann']\n";
    let site = Configured::new("");
    site.write("_site.toml", &format!("{statements}crawlers = 'no-training'\n"));
    site.write("one.md", "# One\n\nText");
    site.write("two.md", "---\nlanguage: de\n---\n# Zwei\n\nText");
    site.write("three.md", "---\ncopyright: © 2025 Bo & Co\nlicense: CC BY 4.0\n---\n# Three\n\nText");
    let program = site.start();
    let license = "https://creativecommons.org/licenses/by-sa/4.0/";
    for path in ["/", "/articles/one", "/articles/two"] {
        let (head, page) = answer(&program, path);
        let page = String::from_utf8(page).unwrap();
        for expected in [
            format!("<link rel=\"license\" href=\"{license}\">"),
            format!("dir=\"auto\">© 2026 Ann &amp; Co · <a href=\"{license}\" rel=\"license\">CC BY-SA 4.0</a></p>"),
            "<meta name=\"fediverse:creator\" content=\"@ann@example.social\">".to_owned(),
            "<link rel=\"me\" href=\"https://example.social/@ann\">".to_owned(),
        ] {
            assert!(page.contains(&expected), "{expected} in {page}");
        }
        assert!(!page.contains("name=\"robots\"") && field(&head, "x-robots-tag").is_empty(), "{head}");
    }
    assert!(program.get("/articles/one").contains(&format!("\"license\":\"{license}\"")), "JSON-LD");
    let rss = program.get("/rss.xml");
    assert!(rss.contains("<copyright>© 2026 Ann &amp; Co</copyright>"), "{rss}");
    assert!(rss.contains(&format!("<atom:link href=\"{license}\" rel=\"license\"/>")), "{rss}");
    let atom = program.get("/atom.xml");
    assert!(atom.contains("<rights>© 2026 Ann &amp; Co</rights>"), "{atom}");
    assert!(atom.contains(&format!("<link href=\"{license}\" rel=\"license\"/>")), "{atom}");
    // An article may state its own.
    let own = "https://creativecommons.org/licenses/by/4.0/";
    let page = program.get("/articles/three");
    for expected in [
        format!("<link rel=\"license\" href=\"{own}\">"),
        format!("dir=\"auto\">© 2025 Bo &amp; Co · <a href=\"{own}\" rel=\"license\">CC BY 4.0</a></p>"),
        format!("\"license\":\"{own}\""),
        "\"copyrightNotice\":\"© 2025 Bo & Co\"".to_owned(),
    ] {
        assert!(page.contains(&expected), "{expected} in {page}");
    }
    assert!(!page.contains(license) && !page.contains("© 2026"), "{page}");
    let items = [
        (
            &rss,
            "<item>",
            format!("<atom:link href=\"{own}\" rel=\"license\"/>"),
            "<dc:rights>© 2025 Bo &amp; Co</dc:rights>",
        ),
        (&atom, "<entry>", format!("<link href=\"{own}\" rel=\"license\"/>"), "<rights>© 2025 Bo &amp; Co</rights>"),
    ];
    for (feed, item, link, rights) in items {
        let with = feed.split(item).skip(1).filter(|item| item.contains(&link) && item.contains(rights));
        let any = feed.split(item).skip(1).filter(|item| item.contains("rel=\"license\"") || item.contains("rights>"));
        assert_eq!((with.count(), any.count()), (1, 1), "{link} {rights}: {feed}");
    }
    let robots = program.get("/robots.txt");
    assert!(
        robots.contains("User-agent: GPTBot\n") && robots.contains("Content-Signal: search=yes, ai-train=no"),
        "{robots}"
    );

    // Search engines are asked in three ways, and feed readers may go on.
    site.write("_site.toml", &format!("{statements}crawlers = 'none'\n"));
    program.wait_until("the rules have changed", |program| program.get("/robots.txt").contains("search=no"));
    let robots = program.get("/robots.txt");
    assert!(robots.contains("Allow: /rss.xml\n") && robots.ends_with("Disallow: /\n"), "{robots}");
    for path in ["/", "/articles/one", "/rss.xml", "/sitemap.xml"] {
        assert_eq!(field(&answer(&program, path).0, "x-robots-tag"), "noindex, nofollow", "{path}");
    }
    assert!(program.get("/articles/one").contains("<meta name=\"robots\" content=\"noindex, nofollow\">"));
}

#[test]
fn a_blogroll_is_a_page_and_a_list() {
    let site = Configured::new("[site]\nlanguage = 'de'\n");
    site.write("one.md", "# One\n\nText");
    let program = site.start();
    let page = |program: &Program| String::from_utf8(answer(program, "/").1).unwrap();
    assert!(answer(&program, "/blogroll").0.starts_with("http/1.1 404") && !page(&program).contains("blogroll"));
    // The example of the paper, and what must not pass.
    let paper = include_str!("../../docs/writing.md");
    let example =
        paper.split("### Blogroll").nth(1).unwrap().split("```text").nth(1).unwrap().split("```").next().unwrap();
    let evil = "<outline text=\"&lt;script&gt;alert(1)&lt;/script&gt;\" xmlUrl=\"https://a.example/?a=1&amp;b\" htmlUrl=\"javascript:alert(1)\"/>\
        <outline text=\"Secret\" xmlUrl=\"https://ann:key@b.example/\"/></body>";
    site.write("blogroll.opml", &example.replace("</body>", evil));
    program.wait_until("the list is there", |program| answer(program, "/blogroll").0.starts_with("http/1.1 200"));
    let roll = String::from_utf8(answer(&program, "/blogroll").1).unwrap();
    for expected in [
        "<h1 lang=\"de\" dir=\"auto\">What I read</h1>",
        "dir=\"auto\">Harbours</h2>",
        "<a href=\"https://lighthouse.example/\" dir=\"auto\">The lighthouse</a>",
        "Notes on light",
        "&lt;script&gt;alert(1)",
        "<a href=\"https://a.example/?a=1&amp;b\"",
    ] {
        assert!(roll.contains(expected), "{expected} in {roll}");
    }
    assert!(!roll.contains("javascript:") && !roll.contains("Secret") && !roll.contains("Recommended"), "{roll}");
    let front = page(&program);
    assert!(front.contains("<link rel=\"blogroll\" type=\"text/xml\" href=\"http://"), "{front}");
    assert!(front.contains("<li><a href=\"/blogroll\">Empfohlene Websites</a></li>"), "{front}");
    let (head, list) = answer(&program, "/blogroll.opml");
    assert_eq!(field(&head, "content-type"), "text/x-opml; charset=utf-8");
    let text = String::from_utf8(list.clone()).unwrap();
    let outlines: Vec<String> = roxmltree::Document::parse(&text)
        .unwrap()
        .descendants()
        .filter_map(|node| node.attribute("xmlUrl").map(str::to_owned))
        .collect();
    assert_eq!(outlines, ["https://lighthouse.example/feed.xml", "https://a.example/?a=1&b"], "{text}");
    assert!(answer(&program, "/.well-known/recommendations.opml").1 == list);
    let rss = program.get("/rss.xml");
    let named = format!("<source:blogroll>http://{}/blogroll.opml</source:blogroll>", program.address);
    assert!(rss.contains(&named) && rss.contains("xmlns:source=\"http://source.scripting.com/\""), "{rss}");
    site.write("blogroll.opml", "<opml><body/></opml>");
    program.wait_until("the list is gone", |program| answer(program, "/blogroll").0.starts_with("http/1.1 404"));
    let check = printed(&site.command("check").output().unwrap());
    assert!(check.contains("blogroll.opml:1: no feed with an http address is in this list"), "{check}");
}

#[test]
fn templates_of_the_site_replace_built_in_ones() {
    let site = Configured::new("[site]\ntitle = 'A & B'\ntemplates = 'templates'\n");
    std::fs::create_dir(site.path("templates")).unwrap();
    let template = |name: &str, text: &str| std::fs::write(site.path("templates").join(name), text).unwrap();
    let of_article = |program: &Program| String::from_utf8(answer(program, "/articles/one").1).unwrap();
    template("top.html", "<header class=\"mine\">{{ site.title }}</header>\n");
    template("missing.html", "{{ heading.no.such }}");
    template("view.html", "{% if %}");
    site.write("one.md", "---\ntags: [sea]\n---\n# One\n\nText");
    // A broken template does not end a start.
    let program = site.start();
    let log = |program: &Program| program.log.lock().join("\n");
    assert!(of_article(&program).contains("<header class=\"mine\">A &amp; B</header>"), "{}", of_article(&program));
    let nowhere = String::from_utf8(answer(&program, "/nowhere").1).unwrap();
    assert!(nowhere.contains("<h1>") && !nowhere.contains("mine"), "the built-in page: {nowhere}");
    assert!(String::from_utf8(answer(&program, "/tags/sea/").1).unwrap().contains("sea</h1>"));
    assert!(log(&program).contains("missing.html:1: undefined value"), "{}", log(&program));
    assert!(log(&program).contains("view.html:1: syntax error"), "{}", log(&program));
    let before = (answer(&program, "/articles/one").0, program.get("/rss.xml"));
    let check = site.command("check").output().unwrap();
    assert!(
        printed(&check).contains("view.html:1: syntax error") && check.status.code() == Some(1),
        "{}",
        printed(&check)
    );
    let reload = site.reload();
    assert!(printed(&reload).contains("view.html:1: syntax error"), "{}", printed(&reload));

    // Corrected templates are in effect after a reload, and pages have new validators.
    template("view.html", "{% extends \"base.html\" %}{% block body %}<h1>Mine: {{ name }}</h1>{% endblock %}");
    template("top.html", "<header class=\"mine too\"></header>\n");
    let reload = site.reload();
    assert!(reload.status.success(), "{}", printed(&reload));
    program.wait_until("the new template is used", |program| of_article(program).contains("mine too"));
    assert!(String::from_utf8(answer(&program, "/tags/sea/").1).unwrap().contains("<h1>Mine: sea</h1>"));
    let head = answer(&program, "/articles/one").0;
    for name in ["etag", "last-modified"] {
        assert_ne!(field(&head, name), field(&before.0, name), "{name}");
    }
}
