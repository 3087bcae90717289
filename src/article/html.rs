//! HTML: what a page says of itself, and a fragment of it that is safe in anybody's reader.

use std::cell::RefCell;
use std::collections::HashSet;

use chrono_tz::Tz;
use html5ever::LocalName;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use url::Url;

use super::front_matter::{self, Field, Header, Held, is_language};
use super::{Body, boilerplate, linked_data, summary};

/// Deepest nesting of elements that is shown. Sanitising takes time in the square of the depth, and nobody writes so.
pub const MAX_DEPTH: usize = 256;

/// What a walk over the tags finds.
#[derive(Debug, Default)]
pub struct Outline {
    /// Text of `<title>`.
    pub title: Option<String>,
    /// Text of the first `<h1>`.
    pub heading: Option<String>,
    /// `lang` of `<html>`.
    pub language: Option<String>,
    /// `<meta name=… content=…>` and `<meta property=…>`, names in lower case.
    pub meta: Vec<(String, String)>,
    /// Each `<script type="application/ld+json">`.
    pub linked_data: Vec<String>,
    /// Text of each `<p>`.
    pub paragraphs: Vec<String>,
    /// Deepest nesting of elements; anything over [`MAX_DEPTH`] means too deep.
    pub depth: usize,
}

/// Reads a page or a fragment. The title is the first heading, which leaves the text, or else what the page calls itself.
///
/// A heading stays in the text where the front matter has another title.
///
/// # Errors
/// The page says that it is a draft.
pub fn read(text: &str, known_title: Option<&str>, timezone: Tz) -> Result<Body, Held> {
    let mut outline = outline(text);
    let html = inner(text);
    // A page's own heading is that of the article in it, not the site's name above.
    let within = if html.len() == text.len() { None } else { Some(self::outline(html)) };
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
    let summary = fold.map(|at| self::outline(&html[..at]).paragraphs.join(" ")).filter(|summary| !summary.is_empty());
    let said = Header { title, summary, ..Header::default() };
    let mut said = said.with_source(Field::Title, "first heading").with_source(Field::Summary, "text before the fold");
    said.complete(front_matter::of_meta(&outline.meta, timezone)?);
    said.complete(linked_data::read(&outline.linked_data, timezone));
    let language = outline.language.filter(|tag| is_language(tag));
    said.complete(Header { language, ..Header::default() }.with_source(Field::Language, "`lang` of the page"));
    said.complete(Header { title: outline.title, ..Header::default() }.with_source(Field::Title, "`<title>`"));
    let html = if shows_nothing(&html) { String::new() } else { html };
    Ok(Body { said, html, paragraphs: outline.paragraphs, ..Body::default() })
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
    let bare = ammonia::Builder::empty().clean_content_tags(hidden_elements()).clean(html).to_string();
    let shown = bare.replace("&nbsp;", " ").replace('\u{A0}', " ");
    shown.trim().is_empty() && !["<img", "<audio", "<video"].iter().any(|tag| html.contains(tag))
}

/// Walks over the tags of a page without building its tree.
pub fn outline(html: &str) -> Outline {
    let sink = Walk::default();
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let mut state = tokenizer.sink.0.into_inner();
    state.end_paragraph();
    state.outline
}

/// Deepest nesting of elements.
pub fn depth(html: &str) -> usize {
    outline(html).depth
}

#[derive(Default)]
struct Walk(RefCell<WalkState>);

#[derive(Default)]
struct WalkState {
    outline: Outline,
    /// Names of the elements that are open, down to a little more than can be shown.
    open: Vec<LocalName>,
    /// Within a script or a style sheet, whose text is nobody's.
    machinery: bool,
    /// Texts being gathered: the name of the element, and what it has said.
    title: Option<String>,
    heading: Option<String>,
    paragraph: Option<String>,
    linked_data: Option<String>,
}

/// Elements whose start is not a level of its own: those that hold nothing, and those whose end writers leave out, which
/// nest only by way of an element that counts.
const NO_LEVEL: [&str; 24] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dt", "dd", "option", "tr", "td", "th", "thead", "tbody",
];

/// Elements that end an open `<p>`, since writers may leave `</p>` out.
const ENDS_PARAGRAPH: [&str; 16] = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "table",
    "pre",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "section",
    "article",
    "hr",
    "figure",
];

impl TokenSink for Walk {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.start(&tag),
            Token::TagToken(tag) => state.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl WalkState {
    fn text(&mut self, text: &str) {
        if let Some(data) = &mut self.linked_data {
            data.push_str(text);
        }
        if self.machinery {
            return;
        }
        for gathered in [&mut self.title, &mut self.heading, &mut self.paragraph].into_iter().flatten() {
            gathered.push_str(text);
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let attribute = |wanted: &str| {
            tag.attrs.iter().find(|found| &*found.name.local == wanted).map(|found| found.value.to_string())
        };
        if ENDS_PARAGRAPH.contains(&name) {
            self.end_paragraph();
        }
        match name {
            "title" => {
                self.title.get_or_insert_default();
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "textarea" => {
                self.machinery = true;
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "script" => {
                if attribute("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/ld+json")) {
                    self.linked_data = Some(String::new());
                }
                self.machinery = true;
                return TokenSinkResult::RawData(RawKind::ScriptData);
            }
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                self.machinery = true;
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            "html" => self.outline.language = attribute("lang"),
            "h1" if self.outline.heading.is_none() => self.heading = Some(String::new()),
            "p" => self.paragraph = Some(String::new()),
            "br" => self.text(" "),
            "meta" => {
                if let (Some(name), Some(content)) =
                    (attribute("name").or_else(|| attribute("property")), attribute("content"))
                {
                    self.outline.meta.push((name.trim().to_ascii_lowercase(), summary::one_line(&content)));
                }
            }
            _ => {}
        }
        // In HTML, a slash at the end of a tag closes nothing.
        if !NO_LEVEL.contains(&name) && self.open.len() <= MAX_DEPTH {
            self.open.push(tag.name.clone());
            self.outline.depth = self.outline.depth.max(self.open.len());
        }
        TokenSinkResult::Continue
    }

    fn end(&mut self, name: &LocalName) {
        // An end without a start ends nothing.
        if self.outline.depth <= MAX_DEPTH
            && let Some(start) = self.open.iter().rposition(|open| open == name)
        {
            self.open.truncate(start);
        }
        let name: &str = name;
        self.machinery = false;
        self.outline.linked_data.extend(self.linked_data.take());
        match name {
            "title" => finish(&mut self.title, &mut self.outline.title),
            "h1" => finish(&mut self.heading, &mut self.outline.heading),
            name if ENDS_PARAGRAPH.contains(&name) || name == "body" => self.end_paragraph(),
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let text = self.paragraph.take().map(|text| summary::one_line(&text));
        self.outline.paragraphs.extend(text.filter(|text| !text.is_empty()));
    }
}

fn finish(gathered: &mut Option<String>, kept: &mut Option<String>) {
    let text = gathered.take().map(|text| summary::one_line(&text)).filter(|text| !text.is_empty());
    if kept.is_none() {
        *kept = text;
    }
}

/// Elements that go with everything in them: they are machinery, not text.
fn hidden_elements() -> HashSet<&'static str> {
    HashSet::from([
        "script", "style", "title", "head", "noscript", "template", "iframe", "object", "embed", "form", "button",
        "select", "textarea", "nav", "svg", "math",
    ])
}

/// Makes a fragment safe to show in somebody else's page: scripts, styles, forms, frames and event handlers go, every
/// relative address becomes absolute by way of `permalink`. The same input gives the same bytes (standards 22, 24, 25).
pub fn sanitise(html: &str, permalink: &Url) -> String {
    let hidden = hidden_elements();
    let mut builder = ammonia::Builder::default();
    builder
        .rm_tags(&["nav"])
        .add_tags(["audio", "video", "source"])
        .clean_content_tags(hidden)
        .add_tag_attributes("audio", ["src", "controls", "preload"])
        .add_tag_attributes("video", ["src", "controls", "preload", "width", "height"])
        .add_tag_attributes("source", ["src", "type"])
        .add_tag_attributes("div", ["id", "class"])
        .add_tag_attributes("code", ["class"])
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("code", "class") if !value.starts_with("language-") => None,
            ("div", "class") if value != "footnote-definition" => None,
            _ => Some(value.into()),
        })
        .link_rel(None)
        .url_relative(ammonia::UrlRelative::RewriteWithBase(permalink.clone()));
    builder.clean(html).to_string().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, known_title: Option<&str>) -> Body {
        super::read(text, known_title, chrono_tz::UTC).expect("no draft")
    }

    fn safe(html: &str) -> String {
        sanitise(html, &Url::parse("https://example.org/articles/a").unwrap())
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
                "<img src=\"https://example.org/articles/p.png\" alt=\"x\">",
            ),
            ("<iframe src=x>y</iframe>a<form><input name=q></form>", "a"),
            ("<input type=password>a", "a"),
            (
                "<pre><code class=\"language-rust x\">&lt;a href=\"#\"&gt;</code></pre>",
                "<pre><code class=\"language-rust x\">&lt;a href=\"#\"&gt;</code></pre>",
            ),
            ("<p>open", "<p>open</p>"),
        ] {
            assert_eq!(safe(given), expected, "{given}");
            assert_eq!(safe(&safe(given)), safe(given), "the second time changes nothing: {given}");
        }
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
}
