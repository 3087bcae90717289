//! Reads the title, the metadata and the paragraphs of a page by a walk over its tags.

use std::cell::RefCell;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

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
    /// Within a script or a style sheet, whose text is nobody's.
    machinery: bool,
    /// Texts being gathered: the name of the element, and what it has said.
    title: Option<String>,
    heading: Option<String>,
    paragraph: Option<String>,
    linked_data: Option<String>,
}

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
        TokenSinkResult::Continue
    }

    fn end(&mut self, name: &str) {
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
