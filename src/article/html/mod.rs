//! HTML: what a page says of itself, and a fragment of it that is safe in anybody's reader.

mod images;
mod mend;
mod noise;
pub mod outline;
mod pieces;
mod safe;
mod tags;

use chrono_tz::Tz;

use super::front_matter::{self, Field, Header, Held, is_language};
use super::{ParsedBody, boilerplate, linked_data, summary};
pub use outline::outline;
pub use safe::{addresses, pictures, sanitise};

/// Deepest nesting of elements that is shown. Sanitising takes time in the square of the depth, and nobody writes so.
pub const MAX_DEPTH: usize = 256;

/// Most elements that are shown, with those that a browser makes because others have no end.
pub const MOST_ELEMENTS: usize = 400_000;

/// Most tags and references, or marks of Markdown, in a text: each takes a hundred times its room while it is read. The longest
/// novels have a tenth of this.
pub const MOST_MARKS: usize = 1_000_000;

/// Whether a tree of the text would take more time or room than any reader has. Says so without making one: a few hundred
/// kilobytes can be nested, or crowded with attributes, so that a tree takes minutes or gigabytes.
pub fn is_too_much(html: &str) -> bool {
    let marks = html.bytes().filter(|byte| matches!(byte, b'<' | b'&')).count();
    marks > MOST_MARKS || is_crowded(html) || outline(html).is_too_much()
}

/// Whether the tags of a text have so many attributes that comparing them would take too long.
pub fn is_crowded(html: &str) -> bool {
    tags::comparisons(html) > tags::MOST_COMPARISONS
}

/// Reads a page or a fragment. The title is the first heading, which leaves the text, or else what the page calls itself.
///
/// A heading stays in the text where the front matter has another title.
///
/// # Errors
/// The page says that it is a draft.
pub fn read(text: &str, known_title: Option<&str>, timezone: Tz) -> Result<ParsedBody, Held> {
    let mut outline = outline::outline(text);
    let html = inner(text);
    // A page's own heading is that of the article in it, not the site's name above.
    let within = if html.len() == text.len() { None } else { Some(outline::outline(html)) };
    if let Some(within) = within {
        outline.heading = within.heading;
        outline.paragraphs = within.paragraphs;
    }
    let (title, html) = match outline.heading {
        Some(heading) if is_title(&heading, known_title) => (Some(heading), without_first_heading(html)),
        Some(heading) => (Some(heading), html.to_owned()),
        None => (None, html.to_owned()),
    };
    let fold = fold(&html);
    let summary =
        fold.map(|at| outline::outline(&html[..at]).paragraphs.join(" ")).filter(|summary| !summary.is_empty());
    let said = Header { title, summary, ..Header::default() };
    let mut said = said.with_source(Field::Title, "first heading").with_source(Field::Summary, "text before the fold");
    said.complete(front_matter::of_meta(&outline.meta, timezone)?);
    said.complete(linked_data::read(&outline.linked_data, timezone));
    let language = outline.language.filter(|tag| is_language(tag));
    said.complete(Header { language, ..Header::default() }.with_source(Field::Language, "`lang` of the page"));
    said.complete(Header { title: outline.title, ..Header::default() }.with_source(Field::Title, "`<title>`"));
    let html = if shows_nothing(&html) { String::new() } else { html };
    Ok(ParsedBody { said, html, paragraphs: outline.paragraphs, ..ParsedBody::default() })
}

/// Where the mark stands that parts a summary from the rest.
fn fold(html: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let start = at + html[at..].find("<!--")?;
        let end = start + html[start..].find("-->")? + "-->".len();
        if is_fold(&html[start..end]) {
            return Some(start);
        }
        at = end;
    }
}

/// Whether a comment is the mark that parts a summary from the rest, in the words of WordPress, Hugo, Jekyll and Pelican.
pub(super) fn is_fold(comment: &str) -> bool {
    let inside = comment.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")).map(str::trim);
    inside.is_some_and(|inside| {
        ["more", "excerpt", "pelican_end_summary"].iter().any(|mark| inside.eq_ignore_ascii_case(mark))
    })
}

/// Whether a heading says what the title says, or is the title because there is no other.
pub(super) fn is_title(heading: &str, known_title: Option<&str>) -> bool {
    known_title.is_none_or(|title| boilerplate::folded(title) == boilerplate::folded(heading))
}

/// The content of `<article>`, else `<main>`, else `<body>`, where the page has exactly one of them; else everything.
fn inner(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    for name in ["article", "main", "body"] {
        let opens: Vec<usize> = lower
            .match_indices(&format!("<{name}"))
            .map(|(at, open)| at + open.len())
            .filter(|at| lower[*at..].starts_with(['>', ' ', '\n', '\t', '\r', '/']))
            .collect();
        let close = lower.rfind(&format!("</{name}"));
        if let ([open], Some(close)) = (opens.as_slice(), close)
            && let Some(start) = lower[*open..].find('>').map(|at| open + at + 1)
            && start <= close
        {
            return &text[start..close];
        }
    }
    text
}

/// The fragment without its first `<h1>`; as it is, where that has no end of its own.
fn without_first_heading(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let span = || {
        let mut at = 0;
        let start = loop {
            let heading = at + lower[at..].find("<h1")?;
            // One in a comment is nobody's.
            match lower[at..heading].find("<!--") {
                Some(comment) => at += comment + lower[at + comment..].find("-->")? + 3,
                None => break heading,
            }
        };
        let close = start + 3 + lower[start + 3..].find("</h1")?;
        let end = close + lower[close..].find('>')? + 1;
        (!lower[start + 3..close].contains("<h1")).then_some((start, end))
    };
    match span() {
        Some((start, end)) => format!("{}{}", &html[..start], &html[end..]),
        None => html.to_owned(),
    }
}

/// Whether nothing of a fragment would be seen.
pub(super) fn shows_nothing(html: &str) -> bool {
    let shown = safe::bare(html).replace("&nbsp;", " ").replace('\u{A0}', " ");
    shown.trim().is_empty() && !["<img", "<audio", "<video"].iter().any(|tag| html.contains(tag))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::article::address::Addresses;

    fn read(text: &str, known_title: Option<&str>) -> ParsedBody {
        super::read(text, known_title, chrono_tz::UTC).expect("no draft")
    }

    fn safe(html: &str) -> String {
        sanitise(html, &Addresses::of_page(&Url::parse("https://example.org/articles/a").unwrap())).to_string()
    }

    #[test]
    fn a_page_says_who_and_when() {
        let body = read(
            "<!doctype html><html lang=\"de-AT\"><head><title>Die Brücke &amp; mehr – Zeitung</title>\
             <meta name=author content=\"Anna Schmidt\"><meta property=\"article:published_time\" content=\"2024-05-01T10:00:00Z\">\
             <meta name=Description content=\"Kurz\"></head><body><nav>Menü</nav><article><h1>Die <i>Brücke</i></h1><p>Eins<p>Zwei &lt;b&gt;\
             <script>var p = '<p>no</p>';</script></article><footer>Fuß</footer></body></html>",
            None,
        );
        assert_eq!(body.said.title.as_deref(), Some("Die Brücke"));
        assert_eq!(body.said.authors[0].name, "Anna Schmidt");
        assert_eq!(body.said.language.as_deref(), Some("de-AT"));
        assert_eq!(body.said.summary.as_deref(), Some("Kurz"));
        assert_eq!(body.paragraphs, ["Eins", "Zwei <b>"]);
        assert_eq!(safe(&body.html), "<p>Eins</p><p>Zwei &lt;b&gt;</p>");
    }

    #[test]
    fn fragments_and_pages_without_a_heading() {
        let body = read("<title>T</title><p>Text</p>", None);
        assert_eq!((body.said.title.as_deref(), safe(&body.html).as_str()), (Some("T"), "<p>Text</p>"));
        assert_eq!(read("<html><head><title>T</title></head><body> <p>&nbsp;</p></body></html>", None).html, "");
        assert!(!read("<body><img src=a.png></body>", None).html.is_empty());
    }

    #[test]
    fn headings_that_are_not_the_title() {
        let page = "<header><h1>My Site</h1></header><article><h1>The real title</h1><p>Text</p></article>";
        assert_eq!(read(page, None).said.title.as_deref(), Some("The real title"));
        assert_eq!(safe(&read(page, None).html), "<p>Text</p>");
        let known = read("<h1>Introduction</h1><p>Text</p>", Some("My holiday"));
        assert_eq!(safe(&known.html), "<h1>Introduction</h1><p>Text</p>");
    }

    #[test]
    fn nothing_runs_and_every_address_is_absolute() {
        for (given, expected) in [
            ("<p onclick=x style=y>a</p>", "<p>a</p>"),
            ("<a href=\"javascript:x\">a</a>", "<a>a</a>"),
            ("<a href=\"JaVaScRiPt&colon;x\">a</a>", "<a>a</a>"),
            ("<a href=\"../b\">a</a>", "<a href=\"https://example.org/b\">a</a>"),
            ("<a href=\"#n\">a</a>", "<a href=\"https://example.org/articles/a#n\">a</a>"),
            (
                "<img src=\"p.png\" alt=x srcset=\"q.png 2x\">",
                "<img src=\"https://example.org/articles/p.png\" srcset=\"https://example.org/articles/q.png 2x\" alt=\"x\">",
            ),
            ("<iframe src=x>y</iframe>a<form><input name=q></form>", "a"),
            ("<input type=password>a", "a"),
            (
                "<pre><code class=\"language-rust x\">&lt;a href=\"#\"&gt;</code></pre>",
                "<pre><code class=\"language-rust\">&lt;a href=\"#\"&gt;</code></pre>",
            ),
            ("<p>open", "<p>open</p>"),
        ] {
            assert_eq!(safe(given), expected, "{given}");
            assert_eq!(safe(&safe(given)), safe(given), "the second time changes nothing: {given}");
        }
    }

    fn depth(html: &str) -> usize {
        outline(html).depth
    }

    #[test]
    fn depth_is_seen_without_a_tree() {
        assert_eq!(depth("<div><p>a<br>b</p></div>"), 1);
        assert!(depth(&"<div>".repeat(1000)) > MAX_DEPTH);
        assert!(depth(&"<ul><li>".repeat(1000)) > MAX_DEPTH);
        assert!(depth(&"<div/>".repeat(1000)) > MAX_DEPTH, "a slash closes nothing");
        assert!(depth(&"<div></x>".repeat(1000)) > MAX_DEPTH, "neither does the end of something else");
        assert_eq!(depth(&"<div></div>".repeat(1000)), 1);
        assert_eq!(depth(&"<p>a".repeat(1000)), 0, "a paragraph ends where the next begins");
    }

    /// Each of these once took minutes or gigabytes: a browser's tree of it is far deeper, or larger, than its ends say.
    #[test]
    fn what_is_nested_crosswise_is_as_deep_as_browsers_make_it() {
        for (part, why) in [
            ("<b><div></b>", "the end of what is only marked ends no block"),
            ("<span><div></span>", "nor does that of an ordinary element"),
            ("<div><object></div>", "an object holds what is in it"),
            ("<a><b></a>", "what is marked goes on behind its link"),
            ("<div><b></div>\n", "and behind its block, once there is a text"),
            ("<div><i><font color=a></div>x", "several do"),
        ] {
            assert!(outline(&part.repeat(1000)).is_too_much(), "{part}: {why}");
        }
        let marks = (0..200).map(|number| format!("<b id={number}>")).collect::<Vec<_>>().concat();
        assert!(outline(&format!("{marks}{}", "<p>x".repeat(20_000))).is_too_much(), "200 are made anew 20,000 times");
        for part in [
            "<p><b>a</b> <i>b</i><p>",
            "<div><span>a</span><b>c</b></div>\n",
            "<a href=a>b<a href=c>d",
            "<table><tr><td><b>a</b><td>b</table>",
            "<div><span>a</div>",
            "<ul><li><a href=a>b</a><li>c</ul>",
            "<b><i>a</b></i>",
        ] {
            assert!(!outline(&part.repeat(1000)).is_too_much(), "{part}: {}", depth(&part.repeat(1000)));
        }
    }
}
