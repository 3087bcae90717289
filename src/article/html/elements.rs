//! The elements of a page and their nesting, from its tokens. Browsers move misnested elements; here each stays in its place.

use std::ops::Range;

use super::tokens::{Tag, Token, TokenKind};

/// Deepest nesting of elements that is read. A page with more is refused later.
const DEEPEST: usize = 500;

/// Elements without an end tag (WHATWG HTML section 13.1.2).
pub const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Elements whose end tag is optional, each with the start tags that end it.
const OPTIONAL_ENDS: [(&str, &[&str]); 11] = [
    (
        "p",
        &[
            "address",
            "article",
            "aside",
            "blockquote",
            "details",
            "div",
            "dl",
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "main",
            "nav",
            "ol",
            "p",
            "pre",
            "section",
            "table",
            "ul",
        ],
    ),
    ("li", &["li"]),
    ("dt", &["dt", "dd"]),
    ("dd", &["dt", "dd"]),
    ("td", &["td", "th", "tr", "tbody", "tfoot"]),
    ("th", &["td", "th", "tr", "tbody", "tfoot"]),
    ("tr", &["tr", "tbody", "tfoot"]),
    ("thead", &["tbody", "tfoot"]),
    ("tbody", &["tbody", "tfoot"]),
    ("option", &["option", "optgroup"]),
    ("head", &["body"]),
];

/// Elements within a line: the end tag of one ends no block around it.
const INLINE: [&str; 36] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "nobr", "picture", "q", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "time", "tt", "u", "var", "video",
];

/// All elements of HTML, with those that browsers still know.
const ALL: &str = "a abbr acronym address applet area article aside audio b base basefont bdi bdo big blink blockquote body br button \
    canvas caption center cite code col colgroup command content data datalist dd del details dfn dialog dir div dl dt em embed \
    fencedframe fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image \
    img input ins isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem meta meter multicol nav \
    nextid nobr noembed noframes noscript object ol optgroup option output p param picture plaintext portal pre progress q rb rp rt rtc \
    ruby s samp script search section select selectedcontent shadow slot small source spacer span strike strong style sub summary sup \
    svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp";

/// The parts of a table, whose tags end whatever is open in a cell.
const TABLE_PARTS: [&str; 7] = ["caption", "tbody", "td", "tfoot", "th", "thead", "tr"];

/// The start tags that end an element whose end tag is optional.
pub fn ended_by(name: &str) -> Option<&'static [&'static str]> {
    OPTIONAL_ENDS.iter().find(|(optional, _)| *optional == name).map(|(_, starts)| *starts)
}

/// Whether there is an element of this name, in lower case, in HTML.
pub fn is_element(name: &str) -> bool {
    ALL.split_ascii_whitespace().any(|element| element == name)
}

/// Whether an element stands within a line of text.
pub fn is_inline(name: &str) -> bool {
    INLINE.contains(&name)
}

/// An element of a page.
#[derive(Debug)]
pub struct PageElement<'a> {
    pub tag: &'a Tag<'a>,
    /// Its tokens, with the start tag and the end tag.
    pub tokens: Range<usize>,
    /// Index of the element around it.
    pub parent: Option<usize>,
    /// Index after the last element in it.
    pub end: usize,
}

/// The elements of a page in the order of their start tags; `None` if they are nested too deeply. Takes linear time.
pub fn elements<'a>(tokens: &'a [Token<'a>]) -> Option<Vec<PageElement<'a>>> {
    let mut builder = Builder { elements: Vec::new(), open: Vec::new() };
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            TokenKind::Start(tag) => {
                builder.make_room_for(&tag.name, at);
                builder.start(tag, at, VOID.contains(&&*tag.name));
            }
            TokenKind::Foreign(tag) => builder.start(tag, at, tag.is_self_closing),
            TokenKind::End(tag) => builder.end(&tag.name, at),
            TokenKind::Text(_) | TokenKind::RawText(_) | TokenKind::Comment(_) | TokenKind::Other => {}
        }
        if builder.open.len() > DEEPEST {
            return None;
        }
    }
    builder.close(0, tokens.len());
    Some(builder.elements)
}

struct Builder<'a> {
    elements: Vec<PageElement<'a>>,
    /// Indexes of the elements that are open.
    open: Vec<usize>,
}

impl<'a> Builder<'a> {
    fn start(&mut self, tag: &'a Tag<'a>, at: usize, is_empty: bool) {
        let index = self.elements.len();
        let parent = self.open.last().copied();
        self.elements.push(PageElement { tag, tokens: at..at + 1, parent, end: index + 1 });
        if !is_empty {
            self.open.push(index);
        }
    }

    fn name_of_open(&self, place: usize) -> &'a str {
        &self.elements[self.open[place]].tag.name
    }

    /// Ends the elements that a start tag ends.
    fn make_room_for(&mut self, name: &str, at: usize) {
        let mut ended = None;
        for place in (0..self.open.len()).rev() {
            let open = self.name_of_open(place);
            if ended_by(open).is_some_and(|starts| starts.contains(&name)) || (open == "a" && name == "a") {
                ended = Some(place);
                continue;
            }
            let is_passed = if TABLE_PARTS.contains(&name) {
                open != "table"
            } else {
                is_inline(open) || (matches!(name, "li" | "dd" | "dt") && matches!(open, "p" | "div" | "address"))
            };
            if !is_passed {
                break;
            }
        }
        if let Some(place) = ended {
            self.close(place, at);
        }
    }

    fn end(&mut self, name: &str, at: usize) {
        for place in (0..self.open.len()).rev() {
            let open = self.name_of_open(place);
            if open == name || (is_heading(open) && is_heading(name)) {
                self.close(place + 1, at);
                self.close(place, at + 1);
                return;
            }
            let is_barrier = match open {
                "table" => true,
                "td" | "th" | "caption" => !TABLE_PARTS.contains(&name) && name != "table",
                _ => is_inline(name) && !is_inline(open),
            };
            if is_barrier {
                return;
            }
        }
    }

    /// Ends the open elements from a place on: their last token stands before `at`.
    fn close(&mut self, place: usize, at: usize) {
        let end = self.elements.len();
        for index in self.open.drain(place.min(self.open.len())..) {
            self.elements[index].tokens.end = at;
            self.elements[index].end = end;
        }
    }
}

/// Whether an element is a heading.
pub fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::html::tokens;

    /// The source of each element, in order.
    fn sources(html: &str) -> Vec<&str> {
        let tokens: Vec<Token<'_>> = tokens::tokens(html).collect();
        let elements = elements(&tokens).unwrap();
        let source = |element: &PageElement<'_>| {
            let range = &tokens[element.tokens.clone()];
            &html[range[0].range.start..range.last().unwrap().range.end]
        };
        elements.iter().map(source).collect()
    }

    #[test]
    fn elements_end_where_browsers_end_them() {
        for (html, expected) in [
            ("<div><p>a<p>b</div>c", &["<div><p>a<p>b</div>", "<p>a", "<p>b"][..]),
            ("<p>a<div>b</div>", &["<p>a", "<div>b</div>"]),
            ("<p><b>a<p>b</b>", &["<p><b>a", "<b>a", "<p>b</b>"]),
            ("<ul><li>a<li><p>b<li>c</ul>", &["<ul><li>a<li><p>b<li>c</ul>", "<li>a", "<li><p>b", "<p>b", "<li>c"]),
            (
                "<ul><li><ul><li>a</ul><li>b</ul>",
                &["<ul><li><ul><li>a</ul><li>b</ul>", "<li><ul><li>a</ul>", "<ul><li>a</ul>", "<li>a", "<li>b"],
            ),
            (
                "<table><tr><td><div>a<td>b</div></table>",
                &[
                    "<table><tr><td><div>a<td>b</div></table>",
                    "<tr><td><div>a<td>b</div>",
                    "<td><div>a",
                    "<div>a",
                    "<td>b</div>",
                ],
            ),
            ("<div><b>a</div>b</b>", &["<div><b>a</div>", "<b>a"]),
            ("<b><div>a</b>b</div>", &["<b><div>a</b>b</div>", "<div>a</b>b</div>"]),
            ("<div><br>a<img src=b></div></p></i>", &["<div><br>a<img src=b></div>", "<br>", "<img src=b>"]),
            ("<a name=b>c<a href=d>e</a>", &["<a name=b>c", "<a href=d>e</a>"]),
            ("<h2>a</h3>b", &["<h2>a</h3>"]),
            ("<svg><path/><g></g></svg>a", &["<svg><path/><g></g></svg>", "<path/>", "<g></g>"]),
        ] {
            assert_eq!(sources(html), expected, "{html}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let tokens: Vec<Token<'_>> = Vec::new();
        assert_eq!(elements(&tokens).unwrap().len(), 0);
        for part in ["<div>", "<b>", "<ul><li>", "<table><tr><td>"] {
            let html = part.repeat(DEEPEST + 1);
            let tokens: Vec<Token<'_>> = tokens::tokens(&html).collect();
            assert!(elements(&tokens).is_none(), "{part}");
        }
    }
}
