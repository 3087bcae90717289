//! A fragment that is safe in anybody's reader: the last word on what of a text is shown.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use url::Url;

use super::images::is_safe_set;
use super::mend::{fragment, language, mend};
use super::tree;
use crate::article::address::Addresses;
use crate::model::entry::{Media, SafeHtml};
use crate::model::text::xml_legal;

/// Elements that go with everything in them: they are machinery, not text.
const HIDDEN: [&str; 16] = [
    "script", "style", "title", "head", "noscript", "template", "iframe", "object", "embed", "form", "button",
    "select", "textarea", "nav", "svg", "math",
];

/// Most times that a text is read again because browsers would not read it as it was written. One is enough for what people
/// write.
const MOST_ROUNDS: usize = 4;

/// Address of a page, for what does not depend on the page.
static NOWHERE: LazyLock<Url> = LazyLock::new(|| Url::parse("https://example.org/").expect("an address"));

/// What may stay. Addresses were made absolute before.
static RULES: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut rules = ammonia::Builder::default();
    rules
        .rm_tags(&["nav"])
        .add_tags(["audio", "video", "source", "track", "tfoot"])
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
        .attribute_filter(kept)
        .link_rel(None)
        .url_relative(ammonia::UrlRelative::Deny);
    rules
});

/// What an attribute may say.
fn kept<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match (element, attribute) {
        ("code" | "pre", "class") => language(value).map(Cow::Owned),
        ("div", "class") => (value == "footnote-definition").then_some(value.into()),
        ("img" | "video", "width" | "height") => {
            let number = value.trim().trim_end_matches("px").trim_end();
            let is_number = (1..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(number.into())
        }
        ("img", "srcset") => is_safe_set(value).then_some(value.into()),
        (_, "cite") => (value.starts_with("https:") || value.starts_with("http:")).then_some(value.into()),
        _ => Some(value.into()),
    }
}

/// Makes a fragment safe to show in somebody else's page: scripts, styles, forms, frames and event handlers go, and every
/// address becomes absolute. The same input gives the same bytes, and what is safe stays as it is (standards 22, 24, 25).
///
/// Returns nothing where `is_too_much` refuses the fragment.
pub fn sanitise(html: &str, addresses: &Addresses<'_>) -> SafeHtml {
    let Some((mut html, mut again)) = once(html, addresses) else { return SafeHtml::default() };
    for _ in 0..MOST_ROUNDS {
        if !again {
            break;
        }
        let before = html;
        let Some((next, _)) = once(&before, addresses) else { return SafeHtml::default() };
        html = next;
        again = html != before;
    }
    SafeHtml::from_sanitiser(html)
}

/// Also returns whether browsers may read the result as something else. `None` if the tree takes too much.
fn once(html: &str, addresses: &Addresses<'_>) -> Option<(String, bool)> {
    let (mended, endless) = mend(html, addresses);
    let html = clean(&RULES, &mended)?;
    let again = endless || is_odd(&html);
    let html = without_empty_links(pruned(&html, addresses).into_owned());
    Some((xml_legal(&with_line_feeds(html)).trim().to_owned(), again))
}

/// Applies rules to a mended fragment. The only call of the parser that builds a tree: nothing reaches it unmeasured.
fn clean(rules: &ammonia::Builder<'_>, mended: &str) -> Option<String> {
    (!tree::is_too_much(mended)).then(|| rules.clean(mended).to_string())
}

/// Whether the tree of a fragment takes more time or room than there is.
pub fn is_too_much(html: &str) -> bool {
    tree::is_too_much(&mend(html, &Addresses::of_page(&NOWHERE)).0)
}

/// Text of a fragment without any tag. `None` where `is_too_much` refuses the fragment.
pub fn bare(html: &str) -> Option<String> {
    let mut rules = ammonia::Builder::empty();
    rules.clean_content_tags(HashSet::from(HIDDEN));
    clean(&rules, &mend(html, &Addresses::of_page(&NOWHERE)).0)
}

/// Whether browsers would read it as something else than it is: they let no link stand within another, no heading within a
/// heading, no item in an item without a list between, and end a paragraph where a block begins.
fn is_odd(html: &str) -> bool {
    let (mut link, mut heading, mut paragraph) = (false, false, false);
    // Items and what holds them, as far as they are open.
    let mut items: Vec<&str> = Vec::new();
    tags(html).any(|(_, tag)| {
        let name = name(tag);
        let (open, name) = name.strip_prefix('/').map_or((true, name), |name| (false, name));
        let is_item = matches!(name, "li" | "dt" | "dd");
        let twice =
            is_item && open && items.last().is_some_and(|last| (*last == "li") == (name == "li") && *last != "list");
        if is_item || (name != "div" && name != "hr" && BLOCKS.contains(&name)) || matches!(name, "table" | "td" | "th")
        {
            if open {
                items.push(if is_item { name } else { "list" });
            } else {
                items.pop();
            }
        }
        twice
            || match name {
                "a" => std::mem::replace(&mut link, open) && open,
                "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => (std::mem::replace(&mut heading, open) || paragraph) && open,
                "p" => std::mem::replace(&mut paragraph, open) && open,
                _ => open && paragraph && BLOCKS.contains(&name),
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

/// Links that neither lead anywhere nor say anything go; white space in them stays.
fn without_empty_links(html: String) -> String {
    if !html.contains("<a>") {
        return html;
    }
    let mut output = String::with_capacity(html.len());
    let mut rest = html.as_str();
    while let Some((before, after)) = rest.split_once("<a>") {
        output.push_str(before);
        let words = after.trim_start();
        if let Some(next) = words.strip_prefix("</a>") {
            output.push_str(&after[..after.len() - words.len()]);
            rest = next;
        } else {
            output.push_str("<a>");
            rest = after;
        }
    }
    output.push_str(rest);
    output
}

/// The line feed that browsers pass over at the start of `<pre>` comes back, so that the next one stays.
fn with_line_feeds(html: String) -> String {
    if !html.contains("<pre") {
        return html;
    }
    let ends = tags(&html).filter(|(_, tag)| name(tag) == "pre").map(|(at, tag)| at + tag.len());
    let mut output = String::with_capacity(html.len());
    let mut done = 0;
    for end in ends.filter(|end| html[*end..].starts_with('\n')) {
        output.push_str(&html[done..end]);
        output.push('\n');
        done = end;
    }
    output.push_str(&html[done..]);
    output
}

/// Names that nothing leads to any more go, and pictures of nothing.
fn pruned<'a>(html: &'a str, addresses: &Addresses<'_>) -> Cow<'a, str> {
    if ![" id=\"", "<img"].iter().any(|sign| html.contains(sign)) {
        return html.into();
    }
    let links: HashSet<String> = tags(html)
        .filter(|(_, tag)| name(tag) == "a")
        .filter_map(|(_, tag)| fragment(&unescaped(value(tag, "href")?), addresses.permalink))
        .collect();
    let mut seen: HashSet<String> = HashSet::new();
    let mut output = String::with_capacity(html.len());
    let mut done = 0;
    for (at, tag) in tags(html) {
        let end = at + tag.len();
        output.push_str(&html[done..at]);
        done = end;
        let own = value(tag, "id");
        let target = own.and_then(|id| fragment(&format!("#{}", unescaped(id)), addresses.permalink));
        let leads_here = target.is_some_and(|name| links.contains(&name) && seen.insert(name));
        match own {
            // It shows nothing.
            _ if name(tag) == "img" && value(tag, "src").is_none() => {}
            Some(id) if !leads_here => output.push_str(&tag.replacen(&format!(" id=\"{id}\""), "", 1)),
            _ => output.push_str(tag),
        }
    }
    output.push_str(&html[done..]);
    output.into()
}

/// The pictures that a safe fragment shows, in its order, each once; their types are not known here.
pub fn pictures(html: &str) -> Vec<Media> {
    let mut found: Vec<Media> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    for (_, tag) in tags(html).filter(|(_, tag)| name(tag) == "img") {
        let stated = |wanted: &str| value(tag, wanted).map(unescaped).filter(|value| !value.trim().is_empty());
        let pixels = |wanted: &str| stated(wanted).and_then(|value| value.parse::<u32>().ok());
        let Some(url) = stated("src").filter(|url| known.insert(url.clone())) else { continue };
        let title = stated("alt").or_else(|| stated("title")).map(|words| super::summary::one_line(&words));
        found.push(Media { url, size: pixels("width").zip(pixels("height")), title, ..Media::default() });
    }
    found
}

/// Every address in a safe fragment, whatever it leads to.
pub fn addresses(html: &str) -> impl Iterator<Item = String> {
    tags(html).flat_map(|(_, tag)| ["href", "src", "poster"].map(|name| value(tag, name).map(unescaped))).flatten()
}

/// The tags of a fragment as the rules write it, each with its place: from its `<` to the next `>` outside quotes.
fn tags(html: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + html[from..].find('<')?;
        let mut quoted = false;
        let end = html[start..].find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        })?;
        from = start + end + 1;
        Some((start, &html[start..from]))
    })
}

fn name(tag: &str) -> &str {
    let inside = tag.trim_start_matches('<').trim_end_matches('>');
    inside.split(' ').next().unwrap_or_default()
}

/// Value of an attribute as it is written.
fn value<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, next) = after.split_once('"')?;
        if before.rsplit(' ').next() == Some(wanted) {
            return Some(value);
        }
        rest = next;
    }
    None
}

fn unescaped(value: &str) -> String {
    value
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", "\u{A0}")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use url::Url;

    use super::*;

    /// What a text in `posts/a.md` becomes.
    fn shown(html: &str) -> String {
        let permalink = Url::parse("https://x.example/articles/a").unwrap();
        let addresses = Addresses {
            base_url: "https://x.example/",
            path: Path::new("posts/a.md"),
            ..Addresses::of_page(&permalink)
        };
        let shown = sanitise(html, &addresses);
        assert_eq!(sanitise(&shown, &addresses), shown, "the second time changes nothing: {html}");
        shown.to_string()
    }

    fn check(cases: &[(&str, &str)]) {
        for (given, expected) in cases {
            let expected =
                expected.replace("{M}", "https://x.example/media/posts").replace("{A}", "https://x.example/articles");
            assert_eq!(shown(given), expected, "{given}");
        }
    }

    /// The parser writes a text down in the square of its length where it has much to escape.
    #[test]
    fn a_long_text_is_parted_where_nobody_sees_it() {
        let text = "é&nbsp;&amp;<wbr>x<b>&lt;</b></i>&#160;".repeat(1_000);
        let mended = |html: &str| mend(html, &Addresses::of_page(&NOWHERE)).0;
        let longest = mended(&text).split("<!---->").map(str::len).max();
        assert!(longest < Some(40_000), "no part is long");
        assert!(mended(&"&amp;".repeat(10_000)).matches("<!---->").count() > 1);
        assert_eq!(shown(&"&amp;é".repeat(10_000)), "&amp;é".repeat(10_000));
        assert_eq!(
            shown(&format!("<pre>\n{}</pre>", "a\n".repeat(5_000))),
            format!("<pre>{}</pre>", "a\n".repeat(5_000))
        );
        let text = "&amp;".repeat(10_000);
        assert_eq!(bare(&format!("<p>{text}<nav>b</nav>")), Some(text));
    }

    /// Each takes minutes if what is made of one is looked for, or moved, for each of the others.
    #[test]
    fn many_of_a_kind_come_out_whole() {
        assert_eq!(shown(&"<a href=\"javascript:x\"> </a>".repeat(40_000)), "");
        let lines = "<pre>\n\nx</pre>".repeat(40_000);
        assert_eq!(shown(&lines), lines);
        let images: Vec<String> =
            (0..40_000).map(|number| format!("<img src=\"https://x.example/{number}\">")).collect();
        assert_eq!(pictures(&images.concat()).len(), 40_000);
        let sources = "<source srcset=\"data:x\">".repeat(20_000);
        assert_eq!(shown(&format!("<picture>{sources}{}</picture>", "<img>".repeat(20_000))), "");
        let sizes = (1..1_000).map(|width| format!("a.png {width}w, ")).collect::<Vec<_>>().concat();
        let many = shown(&format!("<img src=a.png srcset=\"{sizes}\">"));
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
            ("<noscript><img src=a.png></noscript>b", "b"),
            ("<img src=\"data:,\" data-src=\"{{ url }}\">a", "a"),
        ]);
    }

    #[test]
    fn what_only_counts_readers_goes() {
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
    fn signs_beside_headings_and_links_to_edit_go() {
        check(&[
            ("<h2 id=a>A <a class=headerlink href=#a title=x>¶</a></h2>", "<h2>A </h2>"),
            ("<h2><a class=\"anchor\" id=b href=#b><svg><path/></svg></a>B</h2>", "<h2>B</h2>"),
            ("<h3 id=c><a href=#c>#</a> C</h3><a class=heading-link href=#c>\u{1F517}</a>", "<h3> C</h3>"),
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
    fn names_stay_where_something_leads_to_them() {
        check(&[
            ("<p id=a class=b>c</p><h2 id=d>e</h2>", "<p>c</p><h2>e</h2>"),
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
    fn what_readers_cope_with_stays() {
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
            assert_eq!(shown(html), html);
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
            ("<math alttext=\"x^2 < y\"><mi>x</mi></math>!", "x^2 &lt; y!"),
            ("<svg><title/></svg><p>a</p>", "<p>a</p>"),
            ("<svg><style/><p>a</p>", "<p>a</p>"),
        ]);
    }

    #[test]
    fn films_become_links() {
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
            shown(html);
        }
    }

    #[test]
    fn the_pictures_of_a_text() {
        let html = shown(
            "<img src=a.png alt=\" A  b \" width=4 height=3><p><img src=a.png><img src=https://b.example/c title=C></p>",
        );
        let found = pictures(&html);
        let told: Vec<_> = found.iter().map(|found| (found.url.as_str(), found.title.as_deref(), found.size)).collect();
        assert_eq!(
            told,
            [
                ("https://x.example/media/posts/a.png", Some("A b"), Some((4, 3))),
                ("https://b.example/c", Some("C"), None),
            ]
        );
    }
}
