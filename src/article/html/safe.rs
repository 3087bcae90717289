//! The sanitiser: decides which parts of a fragment any feed reader may show.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use url::Url;

use super::formula;
use super::highlight;
use super::images::is_safe_srcset;
use super::repair::{fragment, is_lasting_name, language, repair};
use super::tokens::{Tag, TokenKind, tokens};
use super::tree;
use crate::article::address::Addresses;
use crate::article::summary;
use crate::model::entry::{Media, SafeHtml};
use crate::model::text::xml_legal;

/// Elements that are removed with their content, which is no text.
const HIDDEN: [&str; 15] = [
    "script", "style", "title", "head", "noscript", "template", "iframe", "object", "embed", "form", "button",
    "select", "textarea", "nav", "svg",
];

/// Whether readers see neither the text nor the tags of an element.
pub fn is_hidden(name: &str) -> bool {
    HIDDEN.contains(&name) && name != "embed"
}

/// Maximum number of times that a fragment is sanitised again because browsers may read the result differently. Once is enough
/// for fragments that people write.
const MOST_ROUNDS: usize = 4;

/// Address of a page, for results that do not depend on it.
static ANY_PAGE: LazyLock<Url> = LazyLock::new(|| Url::parse("https://example.org/").expect("an address"));

/// Permitted elements and attributes. Addresses are absolute already.
static RULES: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut rules = ammonia::Builder::default();
    rules
        .rm_tags(&["nav"])
        .add_tags(["audio", "video", "source", "track", "tfoot"])
        .add_tags(formula::ELEMENTS)
        .clean_content_tags(HashSet::from(HIDDEN))
        .add_generic_attributes(["id", "dir"])
        .add_tag_attributes("audio", ["src", "controls", "preload"])
        .add_tag_attributes("video", ["src", "controls", "preload", "width", "height", "poster"])
        .add_tag_attributes("source", ["src", "type"])
        .add_tag_attributes("track", ["src", "kind", "srclang", "label", "default"])
        .add_tag_attributes("img", ["srcset", "sizes"])
        .add_tag_attributes("div", ["class"])
        .add_tag_attributes("code", ["class"])
        .add_tag_attributes("pre", ["class"])
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("ol", ["reversed", "type"])
        .add_tag_attributes("li", ["value"])
        .add_tag_attributes("time", ["datetime"])
        .add_tag_attributes("math", ["alttext"])
        .attribute_filter(permitted)
        .link_rel(None)
        .url_relative(ammonia::UrlRelative::Deny);
    for element in formula::ELEMENTS {
        rules.add_tag_attributes(element, formula::ATTRIBUTES);
    }
    rules
});

/// The permitted form of an attribute's value.
fn permitted<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match (element, attribute) {
        ("code" | "pre", "class") => language(value).map(Cow::Owned),
        ("div", "class") => (value == "footnote-definition").then_some(value.into()),
        ("img" | "video", "width" | "height") => {
            let number = value.trim().trim_end_matches("px").trim_end();
            let is_number = (1..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(number.into())
        }
        ("img", "srcset") => is_safe_srcset(value).then_some(value.into()),
        (_, "cite") => (value.starts_with("https:") || value.starts_with("http:")).then_some(value.into()),
        _ => Some(value.into()),
    }
}

/// Makes a fragment safe for the pages of other sites: removes scripts, styles, forms, frames and event handlers, and makes every
/// address absolute. The same input gives the same bytes, and a safe fragment stays unchanged (standards 22, 24, 25).
///
/// Returns an empty fragment if `is_too_much` refuses it.
pub fn sanitise(html: &str, addresses: &Addresses<'_>) -> SafeHtml {
    let Some((mut html, mut is_uncertain)) = sanitise_once(html, addresses) else { return SafeHtml::default() };
    for _ in 0..MOST_ROUNDS {
        if !is_uncertain {
            break;
        }
        let before = html;
        let Some((next, _)) = sanitise_once(&before, addresses) else { return SafeHtml::default() };
        html = next;
        is_uncertain = html != before;
    }
    SafeHtml::from_sanitiser(html)
}

/// The same fragment with classes for parts of its code, which pages colour; `None` if it has no code in a known language.
pub fn highlighted(safe: &SafeHtml) -> Option<SafeHtml> {
    highlight::highlighted(safe).map(SafeHtml::from_sanitiser)
}

/// Also returns whether browsers may read the result differently. `None` if the tree would take too much time or memory.
fn sanitise_once(html: &str, addresses: &Addresses<'_>) -> Option<(String, bool)> {
    let (repaired, has_open_end) = repair(html, addresses);
    let html = clean(&RULES, &repaired)?;
    let is_uncertain = has_open_end || is_misnested(&html);
    let html = without_empty_links(without_unused_names(&html, addresses).into_owned());
    Some((xml_legal(&with_line_feeds(html)).trim().to_owned(), is_uncertain))
}

/// Applies rules to a repaired fragment. This is the only call of the parser that builds a tree; every fragment is measured before.
fn clean(rules: &ammonia::Builder<'_>, repaired: &str) -> Option<String> {
    (!tree::is_too_much(repaired)).then(|| rules.clean(repaired).to_string())
}

/// Whether the tree of a fragment would take too much time or memory.
pub fn is_too_much(html: &str) -> bool {
    tree::is_too_much(&repair(html, &Addresses::of_page(&ANY_PAGE)).0)
}

/// The text of a fragment, escaped. `None` if `is_too_much` refuses the fragment.
pub fn text(html: &str) -> Option<String> {
    let mut rules = ammonia::Builder::empty();
    rules.clean_content_tags(HashSet::from(HIDDEN));
    clean(&rules, &repair(html, &Addresses::of_page(&ANY_PAGE)).0)
}

/// Whether browsers would read a sanitised fragment differently. They allow no link in a link, no heading in a heading and no
/// item in an item without a list between them, and end a paragraph where a block starts.
fn is_misnested(html: &str) -> bool {
    let (mut link, mut heading, mut paragraph) = (false, false, false);
    // The open items, and "list" for each open element that may contain items.
    let mut items: Vec<Cow<'_, str>> = Vec::new();
    tokens(html).any(|token| {
        let (open, name) = match token.kind {
            TokenKind::Start(tag) => (true, tag.name),
            TokenKind::End(tag) => (false, tag.name),
            _ => return false,
        };
        let name: &str = &name;
        let is_item = matches!(name, "li" | "dt" | "dd");
        let is_item_in_item =
            is_item && open && items.last().is_some_and(|last| (*last == "li") == (name == "li") && *last != "list");
        let is_block = BLOCKS.contains(&name);
        if is_item || (is_block && name != "div" && name != "hr") || matches!(name, "table" | "td" | "th") {
            if open {
                items.push(if is_item { name.to_owned().into() } else { "list".into() });
            } else {
                items.pop();
            }
        }
        is_item_in_item
            || match name {
                "a" => std::mem::replace(&mut link, open) && open,
                "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => (std::mem::replace(&mut heading, open) || paragraph) && open,
                "p" => std::mem::replace(&mut paragraph, open) && open,
                _ => open && paragraph && is_block,
            }
    })
}

/// Elements that end a paragraph.
const BLOCKS: [&str; 16] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "div",
    "dl",
    "figure",
    "footer",
    "header",
    "hr",
    "ol",
    "pre",
    "section",
    "ul",
];

/// Removes links without an address and without content. White space in them stays.
fn without_empty_links(html: String) -> String {
    if !html.contains("<a>") {
        return html;
    }
    let mut output = String::with_capacity(html.len());
    let mut tokens = tokens(&html).peekable();
    while let Some(token) = tokens.next() {
        if &html[token.range.clone()] != "<a>" {
            output.push_str(&html[token.range]);
            continue;
        }
        let blank = tokens.next_if(|next| matches!(next.kind, TokenKind::Text(text) if text.source.trim().is_empty()));
        let blank = blank.map_or("", |blank| &html[blank.range]);
        let is_empty = tokens.next_if(|next| matches!(&next.kind, TokenKind::End(tag) if tag.name == "a")).is_some();
        output.push_str(if is_empty { "" } else { "<a>" });
        output.push_str(blank);
    }
    output
}

/// Repeats a line feed at the start of a `<pre>`, since browsers ignore the first.
fn with_line_feeds(html: String) -> String {
    if !html.contains("<pre") {
        return html;
    }
    let mut output = String::with_capacity(html.len());
    let mut after_pre = false;
    for token in tokens(&html) {
        let source = &html[token.range];
        if after_pre && source.starts_with('\n') {
            output.push('\n');
        }
        output.push_str(source);
        after_pre = matches!(token.kind, TokenKind::Start(tag) if tag.name == "pre");
    }
    output
}

/// Removes names to which no link leads, but for those of headings, and pictures without an address.
fn without_unused_names<'a>(html: &'a str, addresses: &Addresses<'_>) -> Cow<'a, str> {
    if ![" id=\"", "<img"].iter().any(|sign| html.contains(sign)) {
        return html.into();
    }
    let link = |tag: Tag<'_>| fragment(&tag.find("href")?.value(), addresses.permalink);
    let links: HashSet<String> = starts(html).filter(|tag| tag.name == "a").filter_map(link).collect();
    let mut names: HashSet<String> = HashSet::new();
    let mut output = String::with_capacity(html.len());
    for token in tokens(html) {
        let source = &html[token.range.clone()];
        let TokenKind::Start(tag) = token.kind else {
            output.push_str(source);
            continue;
        };
        let id = tag.find("id");
        let target = id.as_ref().and_then(|id| fragment(&format!("#{}", id.value()), addresses.permalink));
        let is_lasting = id.as_ref().is_some_and(|id| is_lasting_name(&tag.name, &id.value()));
        let is_target = target.is_some_and(|name| (is_lasting || links.contains(&name)) && names.insert(name));
        match id {
            _ if tag.name == "img" && tag.find("src").is_none() => {}
            Some(id) if !is_target => {
                let start = tag.attributes_start(&token.range);
                // With the space before it.
                output.push_str(&html[token.range.start..start + id.range.start - 1]);
                output.push_str(&html[start + id.range.end..token.range.end]);
            }
            _ => output.push_str(source),
        }
    }
    output.into()
}

/// The pictures that a safe fragment shows, in their order, each once. Their media types are not known here.
pub fn pictures(html: &str) -> Vec<Media> {
    let mut pictures: Vec<Media> = Vec::new();
    let mut urls: HashSet<String> = HashSet::new();
    for tag in starts(html).filter(|tag| tag.name == "img") {
        let value = |name: &str| {
            let value = tag.find(name).map(|attribute| attribute.value().into_owned());
            value.filter(|value| !value.trim().is_empty())
        };
        let pixels = |name: &str| value(name).and_then(|value| value.parse::<u32>().ok());
        let Some(url) = value("src").filter(|url| urls.insert(url.clone())) else { continue };
        let title = value("alt").or_else(|| value("title")).map(|words| summary::one_line(&words));
        pictures.push(Media { url, size: pixels("width").zip(pixels("height")), title, ..Media::default() });
    }
    pictures
}

/// The addresses of all links, pictures and recordings in a safe fragment.
pub fn addresses(html: &str) -> impl Iterator<Item = String> {
    let value = |tag: &Tag<'_>, name: &str| tag.find(name).map(|attribute| attribute.value().into_owned());
    starts(html).flat_map(move |tag| ["href", "src", "poster"].map(|name| value(&tag, name))).flatten()
}

/// The start tags of a fragment.
fn starts(html: &str) -> impl Iterator<Item = Tag<'_>> {
    tokens(html).filter_map(|token| match token.kind {
        TokenKind::Start(tag) => Some(tag),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use url::Url;

    use super::*;

    /// The sanitised form of a text in `posts/a.md`.
    fn sanitised(html: &str) -> String {
        let permalink = Url::parse("https://x.example/articles/a").unwrap();
        let addresses = Addresses {
            base_url: "https://x.example/",
            base: None,
            path: Path::new("posts/a.md"),
            ..Addresses::of_page(&permalink)
        };
        let safe = sanitise(html, &addresses);
        assert_eq!(sanitise(&safe, &addresses), safe, "the second time changes nothing: {html}");
        safe.to_string()
    }

    fn check(cases: &[(&str, &str)]) {
        for (given, expected) in cases {
            let expected =
                expected.replace("{M}", "https://x.example/media/posts").replace("{A}", "https://x.example/articles");
            assert_eq!(sanitised(given), expected, "{given}");
        }
    }

    /// The parser serialises a text in the square of its length if it has many characters to escape.
    #[test]
    fn a_long_text_is_divided_without_a_trace() {
        let text = "é&nbsp;&amp;<wbr>x<b>&lt;</b></i>&#160;".repeat(1_000);
        let repaired = |html: &str| repair(html, &Addresses::of_page(&ANY_PAGE)).0;
        let longest = repaired(&text).split("<!---->").map(str::len).max();
        assert!(longest < Some(40_000), "no part is long");
        assert!(repaired(&"&amp;".repeat(10_000)).matches("<!---->").count() > 1);
        assert_eq!(sanitised(&"&amp;é".repeat(10_000)), "&amp;é".repeat(10_000));
        assert_eq!(
            sanitised(&format!("<pre>\n{}</pre>", "a\n".repeat(5_000))),
            format!("<pre>{}</pre>", "a\n".repeat(5_000))
        );
        let text = "&amp;".repeat(10_000);
        assert_eq!(super::text(&format!("<p>{text}<nav>b</nav>")), Some(text));
    }

    /// Each takes minutes if the sanitiser searches or moves its output once for each element.
    #[test]
    fn many_of_a_kind_come_out_whole() {
        assert_eq!(sanitised(&"<a href=\"javascript:x\"> </a>".repeat(40_000)), "");
        let table = format!("<math><mtext><table>{}", "<br>".repeat(40_000));
        assert_eq!(sanitised(&table), "<math><mtext></mtext></math>");
        let lines = "<pre>\n\nx</pre>".repeat(40_000);
        assert_eq!(sanitised(&lines), lines);
        let images: Vec<String> =
            (0..40_000).map(|number| format!("<img src=\"https://x.example/{number}\">")).collect();
        assert_eq!(pictures(&images.concat()).len(), 40_000);
        let sources = "<source srcset=\"data:x\">".repeat(20_000);
        assert_eq!(sanitised(&format!("<picture>{sources}{}</picture>", "<img>".repeat(20_000))), "");
        let sizes = (1..1_000).map(|width| format!("a.png {width}w, ")).collect::<Vec<_>>().concat();
        let many = sanitised(&format!("<img src=a.png srcset=\"{sizes}\">"));
        assert_eq!(many.matches("a.png ").count(), 100, "{many}");
    }

    #[test]
    fn every_address_is_absolute() {
        check(&[
            ("<img src=a.png>", "<img src=\"{M}/a.png\">"),
            ("<a href=\"a.pdf?x#y\">a</a>", "<a href=\"{M}/a.pdf?x#y\">a</a>"),
            (
                "<video src=a.mp4 poster=a.jpg><track src=a.vtt kind=captions srclang=en></video>",
                "<video src=\"{M}/a.mp4\" poster=\"{M}/a.jpg\"><track src=\"{M}/a.vtt\" kind=\"captions\" srclang=\"en\"></video>",
            ),
            (
                "<audio controls><source src=a.mp3 type=audio/mpeg></audio>",
                "<audio controls=\"\"><source src=\"{M}/a.mp3\" type=\"audio/mpeg\"></audio>",
            ),
            (
                "<blockquote cite=b><q cite=\"javascript:x\">c</q></blockquote>",
                "<blockquote cite=\"{A}/b\"><q>c</q></blockquote>",
            ),
            ("<a href=\"//b.example/c\">a</a>", "<a href=\"https://b.example/c\">a</a>"),
            ("<a href=\" https://b.example/c d\n\">a</a>", "<a href=\"https://b.example/c%20d\">a</a>"),
            ("<a href=\"https://[\">a</a>", "<a>a</a>"),
        ]);
    }

    #[test]
    fn pictures_of_several_sizes() {
        check(&[
            (
                "<img src=a.png srcset=\"a.png, b.png 2x, javascript:x 3x,c.png 1.5x\">",
                "<img src=\"{M}/a.png\" srcset=\"{M}/a.png, {M}/b.png 2x, {M}/c.png 1.5x\">",
            ),
            (
                "<img srcset=\"s.png 480w, l.png 1200w, xl.png 4000w\" sizes=\"(min-width: 40em) 50vw\">",
                "<img src=\"{M}/l.png\" srcset=\"{M}/s.png 480w, {M}/l.png 1200w, {M}/xl.png 4000w\" sizes=\"(min-width: 40em) 50vw\">",
            ),
            (
                "<picture><source srcset=\"a.avif\" type=image/avif><source srcset=\"a.webp 1x, b.webp 2x\"><img src=a.jpg alt=A></picture>",
                "<img src=\"{M}/a.jpg\" alt=\"A\">",
            ),
            (
                "<picture><source srcset=a.avif type=image/avif><source data-srcset=\"a.webp 800w\"><img alt=A></picture>b",
                "<img src=\"{M}/a.webp\" srcset=\"{M}/a.webp 800w\" alt=\"A\">b",
            ),
            (
                "<img src=a.png width=600px height=40% loading=lazy decoding=async class=b id=c>",
                "<img src=\"{M}/a.png\" width=\"600\">",
            ),
        ]);
    }

    /// Each `<img>` once read all sources and copied the best one: 64 KiB became hundreds of megabytes.
    #[test]
    fn a_source_is_not_copied_to_thousands_of_pictures() {
        let set = (0..50).map(|width| format!("{}.png {}w", "a".repeat(400), width + 1)).collect::<Vec<_>>().join(", ");
        let picture = format!("<picture><source srcset=\"{set}\">{}</picture>", "<img>".repeat(4_000));
        let safe = sanitised(&picture);
        assert!(safe.matches("<img src=").count() > 10, "a few copies are made");
        assert!(safe.len() < 4 << 20, "{} bytes", safe.len());
        let several = sanitised("<picture><source srcset=a.png><img><img alt=b></picture>");
        assert_eq!(several.matches("<img src=\"").count(), 2, "{several}");
    }

    #[test]
    fn pictures_that_a_script_would_load() {
        check(&[
            ("<img src=\"data:image/gif;base64,R0\" data-src=a.png>", "<img src=\"{M}/a.png\">"),
            ("<img data-original=a.png alt>", "<img src=\"{M}/a.png\" alt=\"\">"),
            ("<img src=/img/blank.gif data-lazy-src=a.png>", "<img src=\"{M}/a.png\">"),
            (
                "<img src=\"data:,\" data-srcset=\"a.png 1x, b.png 2x\">",
                "<img src=\"{M}/b.png\" srcset=\"{M}/a.png 1x, {M}/b.png 2x\">",
            ),
            ("<img src=\"data:,\" alt=\"A & b\"><p>c</p>", "A &amp; b<p>c</p>"),
            (
                "<img src=\"data:,\" alt=A><noscript><img src=a.png alt=B></noscript>c",
                "<img src=\"{M}/a.png\" alt=\"B\">c",
            ),
            (
                "<span><img class=lazy></span> <noscript><img src=a.png></noscript>",
                "<span><img src=\"{M}/a.png\"></span>",
            ),
            ("<noscript><img src=a.png></noscript><img src=\"data:,\">", "<img src=\"{M}/a.png\">"),
            ("<img src=a.png><noscript><img src=b.png></noscript>", "<img src=\"{M}/a.png\">"),
            ("<noscript><img src=a.png></noscript>b", "<img src=\"{M}/a.png\">b"),
            ("<p>a<noscript><img src=a.png></noscript></p><p>b", "<p>a<img src=\"{M}/a.png\"></p><p>b</p>"),
            ("<noscript><img src=https://b.example/count alt></noscript>b", "b"),
            (
                "<noscript><img src=https://b.example/picture alt=A></noscript>",
                "<img src=\"https://b.example/picture\" alt=\"A\">",
            ),
            ("<noscript><img src=a.png width=1 height=1></noscript>b", "b"),
            (
                "<p><img src=a.png></p><p><noscript><img src=a.png></noscript>b",
                "<p><img src=\"{M}/a.png\"></p><p>b</p>",
            ),
            (
                "<amp-img src=a.png alt=A width=9 height=9></amp-img>",
                "<img src=\"{M}/a.png\" alt=\"A\" width=\"9\" height=\"9\">",
            ),
            (
                "<amp-img src=a.png layout=fill><noscript><img src=a.png></noscript></amp-img>b",
                "<img src=\"{M}/a.png\">b",
            ),
            ("<img src=\"data:,\" data-src=\"{{ url }}\">a", "a"),
        ]);
    }

    #[test]
    fn pictures_that_only_count_readers_are_removed() {
        check(&[
            ("a<img src=https://b.example/c width=1 height=1>", "a"),
            ("a<img src=https://b.example/c style=\"width: 1px; height:0px\">", "a"),
            ("a<img src=https://b.example/c style=\"display:none\">", "a"),
            (
                "a<img src=b.png style=\"width:10px;height:1px\" width=10 height=1>",
                "a<img src=\"{M}/b.png\" width=\"10\" height=\"1\">",
            ),
        ]);
    }

    #[test]
    fn anchor_signs_and_edit_links_are_removed() {
        check(&[
            ("<h2 id=a>A <a class=headerlink href=#a title=x>¶</a></h2>", "<h2 id=\"a\">A </h2>"),
            ("<h2><a class=\"anchor\" id=b href=#b><svg><path/></svg></a>B</h2>", "<h2>B</h2>"),
            ("<h3 id=c><a href=#c>#</a> C</h3><a class=heading-link href=#c>\u{1F517}</a>", "<h3 id=\"c\"> C</h3>"),
            ("<h2><a class=anchor href=#b>Words</a></h2>", "<h2><a href=\"{A}/a#b\">Words</a></h2>"),
            ("<h2><a id=b></a>B</h2><a name=c></a>", "<h2>B</h2>"),
            ("<p><a href=#1>#</a></p>", "<p><a href=\"{A}/a#1\">#</a></p>"),
            ("<h2>A<span class=mw-editsection>[<a href=b>Bearbeiten</a>]</span></h2>", "<h2>A</h2>"),
            ("<h2>A<sup>[<a href=b>edit</a>]</sup></h2>", "<h2>A</h2>"),
            (
                "<table><tr><td class=gutter><pre>1\n2</pre></td><td><pre>a\nb</pre></table>",
                "<table><tbody><tr><td><pre>a\nb</pre></td></tr></tbody></table>",
            ),
        ]);
    }

    #[test]
    fn names_stay_if_a_link_leads_to_them() {
        check(&[
            ("<p id=a class=b>c</p><h2 id=d>e</h2>", "<p>c</p><h2 id=\"d\">e</h2>"),
            (
                "<sup id=r><a href=#f>1</a></sup><ol><li id=f>a <a href=#r>b</a></li></ol>",
                "<sup id=\"r\"><a href=\"{A}/a#f\">1</a></sup><ol><li id=\"f\">a <a href=\"{A}/a#r\">b</a></li></ol>",
            ),
            (
                "<a href=#fn:%C3%A9>1</a><a name=\"fn:é\"></a><p id=\"fn:é\">a</p>",
                "<a href=\"{A}/a#fn:%C3%A9\">1</a><a id=\"fn:é\"></a><p>a</p>",
            ),
            ("<nav><a href=#a>a</a></nav><p id=a>b</p>", "<p>b</p>"),
            ("<a href=\"b#c\">1</a><p id=c>b</p>", "<a href=\"{A}/b#c\">1</a><p>b</p>"),
        ]);
    }

    #[test]
    fn elements_that_readers_show_stay() {
        for html in [
            "<pre><code class=\"language-rust\">a</code></pre>",
            "<figure><img src=\"https://b.example/c.png\"><figcaption>a</figcaption></figure>",
            "<details open=\"\"><summary>a</summary>b</details>",
            "<abbr title=\"a b\">c</abbr> <kbd>d</kbd> <mark>e</mark> <bdi>f</bdi> <bdo dir=\"rtl\">g</bdo>",
            "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby><p dir=\"rtl\" lang=\"ar\">c</p>",
            "<table><thead><tr><th scope=\"col\" colspan=\"2\">a</th></tr></thead><tbody><tr><td rowspan=\"2\" align=\"right\">b</td></tr></tbody><tfoot></tfoot></table>",
            "<ol start=\"3\"><li>a</li></ol>",
            "<pre>\n\na</pre>",
        ] {
            assert_eq!(sanitised(html), html);
        }
        check(&[
            (
                "<pre class=\"highlight lang-c\"><code class=\"hljs\">a</code></pre>",
                "<pre class=\"language-c\"><code>a</code></pre>",
            ),
            ("<td style=\"x:y;text-align: right\">a", "a"),
            (
                "<table><td style=\"x:y;text-align: right\">a</table>",
                "<table><tbody><tr><td align=\"right\">a</td></tr></tbody></table>",
            ),
            ("<math alttext=\"x^2\"><mi>x</mi></math>!", "<math alttext=\"x^2\"><mi>x</mi></math>!"),
            (
                "<math display=block onclick=a><semantics><mrow><mi>x</mi><mo>&lt;</mo><mn>2</mn></mrow>\
                 <annotation encoding=\"application/x-tex\">x<2</annotation></semantics></math>",
                "<math display=\"block\"><semantics><mrow><mi>x</mi><mo>&lt;</mo><mn>2</mn></mrow></semantics></math>",
            ),
            (
                "<math><mtext><img src=x onerror=a><b>y</b><style><a title=\"</style><img src=x>\"></mtext><mi href=b>z</math>",
                "<math><mtext>y</mtext></math>",
            ),
            ("<math><mfrac><mi>a</mi><mi>b</math> c", "<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math> c"),
            ("<mi>a</mi><msup>b</msup>", "ab"),
            ("<math><mi>a</mi><p>b</p>", "<math><mi>a</mi></math><p>b</p>"),
            ("<svg><title/></svg><p>a</p>", "<p>a</p>"),
            ("<svg><style/><p>a</p>", "<p>a</p>"),
        ]);
    }

    #[test]
    fn videos_become_links() {
        check(&[
            (
                "<iframe src=\"https://www.youtube-nocookie.com/embed/a-B_1?rel=0\" title=\"Boats & sea\"><p>x</iframe>y",
                "<a href=\"https://www.youtube.com/watch?v=a-B_1\">Boats &amp; sea</a>y",
            ),
            (
                "<iframe data-src=\"//player.vimeo.com/video/12\"></iframe>",
                "<a href=\"https://vimeo.com/12\">Vimeo</a>",
            ),
            ("<iframe src=\"https://ads.example/embed/1\"></iframe>a", "a"),
        ]);
    }

    #[test]
    fn nothing_changes_the_second_time() {
        for html in [
            "<a href=x><a href=x><table>",
            "<pre>\n\n\nx",
            "<pre><b>\nx",
            "<pre><font>\n\nx",
            "<p><table><a id=a href=#a><p>b",
            "<b><p>a<i>b</b>c<table><b>d",
            "<img alt=\"<pre>\n\" src=a.png><pre>\n\n</pre>",
            "<a title='\"<a>' href=x><div><a>",
            "<select><a><a></select>",
            "<math><mi><p><a href=x>y<svg><a>",
            "<a b=c<d \"=e 'x>y",
        ] {
            sanitised(html);
        }
    }

    /// Deepest nesting of elements in a sanitised fragment.
    fn depth(html: &str) -> usize {
        let mut open = 0_usize;
        let depths = tokens(html).map(|token| {
            match token.kind {
                TokenKind::Start(tag) if !matches!(&*tag.name, "br" | "hr" | "img") => open += 1,
                TokenKind::End(_) => open -= 1,
                _ => {}
            }
            open
        });
        depths.max().unwrap_or(0)
    }

    proptest::proptest! {
        #[test]
        fn no_tree_is_deeper_than_measured(
            parts in proptest::collection::vec(
                proptest::sample::select(&[
                    "<a href=b>", "</a>", "<b>", "</b>", "<i title=c>", "</i>", "<em>", "</em>", "<p>", "</p>", "<div>", "</div>", "<ul>", "<li>",
                    "</ul>", "<table>", "<tr>", "<td>", "</td>", "</table>", "<h2>", "</h2>", "<span>", "</span>", "<marquee>", "</marquee>", "<br>", "x",
                ][..]),
                0..80,
            )
        ) {
            let html = parts.concat();
            let cleaned = clean(&RULES, &html).expect("a small tree");
            proptest::prop_assert!(tree::size(&html).depth >= depth(&cleaned), "{}", html);
        }
    }

    #[test]
    fn the_pictures_of_a_text() {
        let html = sanitised(
            "<img src=a.png alt=\" A  b \" width=4 height=3><p><img src=a.png><img src=https://b.example/c title=C></p>",
        );
        let media = pictures(&html);
        let pictures: Vec<_> =
            media.iter().map(|media| (media.url.as_str(), media.title.as_deref(), media.size)).collect();
        assert_eq!(
            pictures,
            [
                ("https://x.example/media/posts/a.png", Some("A b"), Some((4, 3))),
                ("https://b.example/c", Some("C"), None),
            ]
        );
    }
}
