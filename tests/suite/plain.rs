//! Articles and the site as Markdown, for programs that read text.

use crate::site::{BASE_URL, Site};

#[test]
fn an_article_is_served_as_markdown_by_its_address_or_by_accept() {
    let mut site = Site::started();
    site.write(
        "harbour/storm.md",
        "---\ntitle: \"Storm: a *report*\"\ndate: 2026-11-20 09:00\ntags: [sea]\nauthor: Ada Byron\nsummary: Of *wind*\n---\n\
         The **wind**. <!-- private -->\n\n%%private too%%\n\n- a\n- b\n\n```rust\nlet a = 1;\n```\n\n| x | y |\n|---|---|\n| 1 | 2 |\n",
    );
    site.write("old.md", "---\nslug: before\n---\n# Old\n\nText.\n");
    site.write("draft.md", "---\ndraft: true\n---\n# Draft\n\nText.\n");
    site.wait_for(&["Storm: a *report*", "Old"]);
    let expected = format!(
        "---\ntitle: \"Storm: a *report*\"\ndate: \"2026-11-20T09:00:00Z\"\nupdated: \"{updated}\"\nauthors: [\"Ada Byron\"]\n\
         url: \"{BASE_URL}articles/storm\"\ntags: [\"sea\"]\n---\n\n# Storm: a \\*report\\*\n\n\
         The **wind**.\n\n- a\n- b\n\n```rust\nlet a = 1;\n```\n\n| x | y |\n| --- | --- |\n| 1 | 2 |\n",
        updated = site.entry("Storm: a *report*")["date_modified"].as_str().unwrap(),
    );
    let answer = site.get("/articles/storm.md");
    assert_eq!(answer.text(), expected);
    assert_eq!(answer.field("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(answer.field("link"), format!("<{BASE_URL}articles/storm>; rel=\"canonical\""));

    // By `Accept`, at the address of the page, which caches keep apart.
    let page = site.ask("GET", "/articles/storm", &[("Accept", "text/html,*/*;q=0.8")]);
    assert_eq!(page.field("content-type"), "text/html; charset=utf-8");
    let link = format!("<link rel=\"alternate\" type=\"text/markdown\" href=\"{BASE_URL}articles/storm.md\">");
    assert!(page.text().contains(&link));
    let markdown = site.ask("GET", "/articles/storm", &[("Accept", "text/markdown, text/html;q=0.5")]);
    assert_eq!((markdown.status, markdown.text()), (200, expected));
    for answer in [&page, &markdown] {
        assert_eq!(answer.field("vary"), "Accept-Encoding, Accept");
    }
    let tag = markdown.field("etag").to_owned();
    assert_ne!(tag, page.field("etag"));
    assert_eq!(site.ask("GET", "/articles/storm.md", &[("If-None-Match", &tag)]).status, 304);

    // What a page would answer.
    assert_eq!(site.get("/articles/draft.md").status, 404);
    assert_eq!(site.get("/articles/nowhere.md").status, 404);
    site.write("old.md", "---\nslug: after\n---\n# Old\n\nText.\n");
    site.wait_until("the address has changed", |site| site.get("/articles/after").status == 200);
    let moved = site.get("/articles/before.md");
    assert_eq!((moved.status, moved.field("location")), (301, &*format!("{BASE_URL}articles/after.md")));
    site.remove("old.md");
    site.wait_for(&["Storm: a *report*"]);
    assert_eq!(site.get("/articles/after.md").status, 410);

    // The list names what feeds have.
    let list = site.get("/llms.txt");
    assert_eq!(list.field("content-type"), "text/plain; charset=utf-8");
    let list = list.text();
    assert!(list.starts_with("# Articles\n\n> "), "{list}");
    let listed = format!("- [Storm: a \\*report\\*]({BASE_URL}articles/storm.md): Of \\*wind\\*\n");
    assert!(list.contains(&listed) && !list.contains("Draft") && !list.contains("Old"), "{list}");
    for path in ["archive/", "sitemap.xml"] {
        assert!(list.contains(&format!("]({BASE_URL}{path})\n")), "{list}");
    }
}
