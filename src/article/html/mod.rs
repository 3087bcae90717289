//! HTML: what a page says of itself, and a fragment of it that is safe in anybody's reader.

mod images;
mod mend;
mod noise;
pub mod outline;
mod pieces;
mod safe;
mod tags;
mod tree;

use chrono_tz::Tz;

use super::front_matter::{self, Field, Header, Held, is_language};
use super::problem::Problem;
use super::reading::ParsedBody;
use super::{boilerplate, linked_data, summary};
pub use outline::outline;
pub use safe::{addresses, pictures, sanitise};

/// Deepest nesting of elements that is shown. Sanitising takes time in the square of the depth.
pub const MAX_DEPTH: usize = 256;

/// Most elements that are shown, with those that a browser adds where others have no end.
pub const MOST_ELEMENTS: usize = 400_000;

/// Most tags and references, or marks of Markdown, in a text: each takes a hundred times its room while it is read. The longest
/// novels have a tenth of this.
pub const MOST_MARKS: usize = 1_000_000;

/// Whether the tree of a text would take more time or room than there is. Measures the tree without building it: a few hundred
/// kilobytes can be nested, copied or moved so often that a tree takes minutes or gigabytes.
pub fn is_too_much(html: &str) -> bool {
    is_crowded(html) || safe::is_too_much(html)
}

/// The same for a fragment that was made of plain text: nothing in it is nested or open, so its tags are counted.
pub fn is_too_long(html: &str) -> bool {
    let starts = html.split('<').skip(1).filter(|tag| !tag.starts_with('/')).count();
    is_crowded(html) || starts > MOST_ELEMENTS
}

/// The problem of a text that is refused for the size of its tree.
pub fn too_much() -> Problem {
    Problem::of_file(format!(
        "more than {MAX_DEPTH} elements are nested, {MOST_ELEMENTS} stand beside each other, there are a million marks, thousands \
         of attributes in a tag, or tens of thousands of elements in a table beside its cells, which no reader shows: make it \
         simpler"
    ))
}

/// Whether a text has too many tags, or too many attributes in them, for even a walk over its tags.
pub fn is_crowded(html: &str) -> bool {
    let marks = html.bytes().filter(|byte| matches!(byte, b'<' | b'&')).count();
    marks > MOST_MARKS || has_crowded_tags(html)
}

/// Whether the tags of a text have so many attributes that comparing them would take too long.
pub fn has_crowded_tags(html: &str) -> bool {
    tags::comparisons(html) > tags::MOST_COMPARISONS
}

/// Reads a page or a fragment. The title is the first heading, which leaves the text, or else what the page calls itself.
///
/// A heading stays in the text where the front matter has another title.
///
/// # Errors
/// The page says that it is a draft, or its tree takes too much.
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
    let Some(shown) = safe::bare(&html) else { return Err(Held::Broken(too_much())) };
    let html = if is_nothing(&html, &shown) { String::new() } else { html };
    Ok(ParsedBody { header: said, html, paragraphs: outline.paragraphs, ..ParsedBody::default() })
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
        let (mut at, mut start) = (0, lower.find("<h1")?);
        // One in a comment does not count.
        while let Some(comment) = lower[at..start].find("<!--") {
            at += comment;
            at += lower[at..].find("-->")? + "-->".len();
            if start < at {
                start = at + lower[at..].find("<h1")?;
            }
        }
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
    safe::bare(html).is_some_and(|shown| is_nothing(html, &shown))
}

/// Whether a fragment with this text has neither words nor anything else to see.
fn is_nothing(html: &str, shown: &str) -> bool {
    let shown = shown.replace("&nbsp;", " ").replace('\u{A0}', " ");
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
        assert_eq!(body.header.title.as_deref(), Some("Die Brücke"));
        assert_eq!(body.header.authors[0].name, "Anna Schmidt");
        assert_eq!(body.header.language.as_deref(), Some("de-AT"));
        assert_eq!(body.header.summary.as_deref(), Some("Kurz"));
        assert_eq!(body.paragraphs, ["Eins", "Zwei <b>"]);
        assert_eq!(safe(&body.html), "<p>Eins</p><p>Zwei &lt;b&gt;</p>");
    }

    #[test]
    fn fragments_and_pages_without_a_heading() {
        let body = read("<title>T</title><p>Text</p>", None);
        assert_eq!((body.header.title.as_deref(), safe(&body.html).as_str()), (Some("T"), "<p>Text</p>"));
        assert_eq!(read("<html><head><title>T</title></head><body> <p>&nbsp;</p></body></html>", None).html, "");
        assert!(!read("<body><img src=a.png></body>", None).html.is_empty());
    }

    #[test]
    fn headings_that_are_not_the_title() {
        let page = "<header><h1>My Site</h1></header><article><h1>The real title</h1><p>Text</p></article>";
        assert_eq!(read(page, None).header.title.as_deref(), Some("The real title"));
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

    #[test]
    fn depth_is_measured_without_a_tree() {
        let depth = |html: &str| tree::size(html).depth;
        assert_eq!(depth("<div><p>a<br>b</p></div>"), 3);
        assert!(depth(&"<div>".repeat(1000)) > MAX_DEPTH);
        assert!(depth(&"<ul><li>".repeat(1000)) > MAX_DEPTH);
        assert!(depth(&"<div/>".repeat(1000)) > MAX_DEPTH, "a slash closes nothing");
        assert!(depth(&"<div></x>".repeat(1000)) > MAX_DEPTH, "neither does the end of something else");
        assert_eq!(depth(&"<div></div>".repeat(1000)), 1);
        assert_eq!(depth(&"<p>a".repeat(1000)), 1, "a paragraph ends where the next begins");
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
            ("<svg><title><div>", "the title of a drawing holds HTML"),
            ("<picture><div></picture>", "what is written without its start ends nothing"),
        ] {
            assert!(is_too_much(&part.repeat(1000)), "{part}: {why}");
        }
        for part in [
            "<p><b>a</b> <i>b</i><p>",
            "<div><span>a</span><b>c</b></div>\n",
            "<a href=a>b<a href=c>d",
            "<table><tr><td><b>a</b><td>b</table>",
            "<div><span>a</div>",
            "<ul><li><a href=a>b</a><li>c</ul>",
            "<b><i>a</b></i>",
            "<svg><title>a</title><path/></svg>",
        ] {
            assert!(!is_too_much(&part.repeat(1000)), "{part}");
        }
    }

    /// Elements around a part, numbered so that they differ.
    fn numbered(count: usize, start: &str) -> String {
        (0..count).map(|number| start.replace('#', &number.to_string())).collect()
    }

    /// Each of these once took seconds or minutes for a megabyte, or its tree took gigabytes.
    #[test]
    fn work_that_grows_with_the_square_of_a_text_is_refused() {
        let siblings = "<br>".repeat(20_000);
        for (why, html) in [
            ("each node goes before its table, past all others", format!("<table>{}", "<br>".repeat(40_000))),
            ("in a row, too", format!("<table><tr>{}", "<img src=a.png>".repeat(40_000))),
            ("and each text", format!("{siblings}<table>{}", "x<tr>".repeat(30_000))),
            ("whatever it is made of", format!("{siblings}<table>{}", "x&amp;".repeat(20_000))),
            ("with many tables", format!("{siblings}{}", "<table>x</table>".repeat(20_000))),
            ("between cells", format!("<table><td>{}", "</td><br><td>".repeat(40_000))),
            ("behind the start of what is left out", format!("<table><picture>{}", "<br>".repeat(40_000))),
            ("in a formula", format!("<math><mtext><table>{}", "<br>".repeat(40_000))),
            (
                "200 are made again 20,000 times",
                format!("<p>{}", numbered(200, "<b title=#>")) + &"<p>x".repeat(20_000),
            ),
            (
                "thousands of attributes are copied",
                format!("<p><b{}>{}", numbered(4_000, " a#=1"), "<p>x".repeat(2_000)),
            ),
            ("so is a long one", format!("<p><b title='{}'>{}", "x".repeat(100_000), "<p>x".repeat(1_000))),
            ("attributes of the root gather", numbered(20_000, "<html a#>")),
            (
                "attributes are compared with those around them",
                numbered(240, "<b title=# a b c d e f g h i>") + &"<b a b c d e f g h i></b>".repeat(150_000),
            ),
        ] {
            assert!(is_too_much(&html), "{why}");
        }
    }

    #[test]
    fn what_is_a_little_less_is_shown_whole() {
        for (what, html, shown) in [
            ("nesting", "<div>".repeat(MAX_DEPTH - 1), MAX_DEPTH - 1),
            ("elements in a table", format!("<table>{}", "<br>".repeat(20_000)), 20_000),
            ("texts in a table", format!("<table>{}", "x<tr>".repeat(15_000)), 15_000),
            ("tables", "<table><tr>x<td>y</table>".repeat(10_000), 10_000),
            ("open elements", format!("<p>{}", numbered(50, "<b title=#>")) + &"<p>x".repeat(1_000), 1_000),
            ("elements", "<br>".repeat(MOST_ELEMENTS - 1), MOST_ELEMENTS - 1),
            ("links", "<p><a href=a title=b class=c id=d>x</a>".repeat(20_000), 20_000),
        ] {
            assert!(!is_too_much(&html), "{what}");
            let safe = safe(&html);
            let count = match what {
                "nesting" => safe.matches("<div>").count(),
                "elements" | "elements in a table" => safe.matches("<br>").count(),
                "links" => safe.matches(">x<").count(),
                _ => safe.matches('x').count(),
            };
            assert_eq!(count, shown, "{what}");
        }
    }

    /// A search for the heading from each comment to the end of the page took hours.
    #[test]
    fn a_heading_behind_comments_is_taken_out() {
        let page = |comments: usize| format!("{}<!-- <h1>No</h1> --><h1>T</h1><p>x</p>", "<!---->".repeat(comments));
        assert_eq!(safe(&read(&page(3), None).html), "<p>x</p>");
        assert_eq!(safe(&read(&page(100_000), None).html), "<p>x</p>");
    }
}
