//! What a page says of itself, and how deep it is, found by a walk over its tags.

use std::cell::RefCell;

use html5ever::LocalName;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::{MAX_DEPTH, MOST_ELEMENTS};
use crate::article::summary;

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
    /// Deepest nesting of elements; anything over [`super::MAX_DEPTH`] means too deep.
    pub depth: usize,
    /// How many elements a browser would make of it, not counting what follows on too deep a nesting.
    pub elements: usize,
}

impl Outline {
    /// Whether a tree of it would take more time or room than any reader has.
    pub fn is_too_much(&self) -> bool {
        self.depth > MAX_DEPTH || self.elements > MOST_ELEMENTS
    }
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

#[derive(Default)]
struct Walk(RefCell<WalkState>);

#[derive(Default)]
struct WalkState {
    outline: Outline,
    /// Names of the elements that are open, down to a little more than can be shown.
    open: Vec<LocalName>,
    /// Names of those that came to an end with what they stood in, and are opened anew by the next text.
    cut_off: Vec<LocalName>,
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

/// Elements that go on behind the end of what they stood in, until they are ended themselves (WHATWG HTML section 13.2.4.3).
const GOES_ON: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements that the end of any of [`GOES_ON`] does not end, and neither does that of an ordinary one.
const STANDS: [&str; 45] = [
    "address",
    "applet",
    "article",
    "aside",
    "blockquote",
    "body",
    "button",
    "center",
    "details",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "html",
    "main",
    "marquee",
    "menu",
    "nav",
    "noscript",
    "object",
    "ol",
    "pre",
    "section",
    "select",
    "summary",
    "svg",
    "math",
    "table",
    "template",
    "ul",
    "search",
];

/// Elements that the end of what they stand in does not end.
const HOLDS: [&str; 9] = ["applet", "html", "marquee", "math", "object", "select", "svg", "table", "template"];

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
        self.open_anew();
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
        self.level(&tag.name);
        TokenSinkResult::Continue
    }

    /// Goes a level down, where the start of an element is one.
    fn level(&mut self, name: &LocalName) {
        if self.outline.depth > MAX_DEPTH {
            return;
        }
        let is = |names: &[&str]| names.contains(&&**name);
        self.outline.elements += 1;
        if is(&NO_LEVEL) {
            // What goes on is opened anew in each.
            self.outline.elements += self.open.iter().filter(|open| GOES_ON.contains(&&***open)).count();
            return;
        }
        if is(&["a", "nobr"]) {
            self.end_level(name);
        }
        if !is(&STANDS) {
            self.open_anew();
        }
        // In HTML, a slash at the end of a tag closes nothing.
        self.open.push(name.clone());
        self.outline.depth = self.outline.depth.max(self.open.len());
    }

    fn open_anew(&mut self) {
        if self.outline.depth <= MAX_DEPTH && !self.cut_off.is_empty() {
            self.outline.elements += self.cut_off.len();
            self.open.append(&mut self.cut_off);
            self.outline.depth = self.outline.depth.max(self.open.len());
        }
    }

    /// Goes up as far as the end of an element leads; never further than a browser would, since what is nested crosswise is
    /// deeper than it looks.
    fn end_level(&mut self, name: &LocalName) {
        let goes_on = GOES_ON.contains(&&**name);
        let Some(start) = self.open.iter().rposition(|open| open == name) else {
            // An end without a start ends nothing.
            if let Some(at) = self.cut_off.iter().rposition(|cut_off| goes_on && cut_off == name) {
                self.cut_off.remove(at);
            }
            return;
        };
        let above = |names: &[&str]| self.open[start + 1..].iter().any(|open| names.contains(&&**open));
        let is_held = if STANDS.contains(&&**name) {
            &**name != "table" && &**name != "template" && above(&HOLDS)
        } else {
            above(&STANDS)
        };
        if !is_held {
            let ended = self.open.drain(start..).skip(1);
            self.cut_off.extend(ended.filter(|ended| GOES_ON.contains(&&**ended)));
        } else if goes_on {
            self.open.remove(start);
        }
    }

    fn end(&mut self, name: &LocalName) {
        if self.outline.depth <= MAX_DEPTH {
            self.end_level(name);
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
