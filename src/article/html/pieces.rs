//! HTML as a row of tags and texts, without a tree: enough to mend what a writer's program left in it.

use std::cell::RefCell;
use std::ops::Range;

use html5ever::LocalName;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// A tag or a text.
#[derive(Debug)]
pub enum Piece {
    /// The start of an element.
    Start(Tag),
    /// The same within a drawing or a formula, whose rules are others: nothing in there is touched.
    Foreign(Tag),
    /// The end of an element.
    End(LocalName),
    /// With its references resolved.
    Text(StrTendril),
}

/// Cuts a fragment up. Comments go, and so do scripts, styles and whatever else has no text in it.
pub fn pieces(html: &str) -> Vec<Piece> {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Cutter::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink.0.into_inner().pieces
}

#[derive(Default)]
struct Cutter(RefCell<ParserState>);

#[derive(Default)]
struct ParserState {
    pieces: Vec<Piece>,
    /// Within an element of which nothing is shown.
    silent: bool,
    /// How many drawings and formulas are open.
    foreign: usize,
    /// How many elements in them are open that may hold HTML.
    holders: usize,
}

/// Elements of HTML that end a drawing or a formula (WHATWG HTML section 13.2.6.5).
const BREAKS_OUT: [&str; 44] = [
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "i",
    "img",
    "li",
    "listing",
    "menu",
    "meta",
    "nobr",
    "ol",
    "p",
    "pre",
    "ruby",
    "s",
    "small",
    "span",
    "strong",
    "strike",
    "sub",
    "sup",
    "table",
    "tt",
    "u",
    "ul",
    "var",
];
/// Elements of drawings and formulas that HTML may stand in.
const HOLDERS: [&str; 9] = ["foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext"];

impl TokenSink for Cutter {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) if !state.silent => state.pieces.push(Piece::Text(text)),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.start(tag),
            Token::TagToken(tag) => state.end(tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl ParserState {
    fn start(&mut self, tag: Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let is_foreign = matches!(name, "svg" | "math");
        if self.holders == 0 && BREAKS_OUT.contains(&name) {
            self.foreign = 0;
        }
        if is_foreign || self.foreign > 0 {
            self.holders += usize::from(HOLDERS.contains(&name) && !tag.self_closing);
            self.foreign += usize::from(is_foreign && !tag.self_closing);
            self.pieces.push(Piece::Foreign(tag));
            return TokenSinkResult::Continue;
        }
        let raw = match name {
            "title" | "textarea" => RawKind::Rcdata,
            "script" => RawKind::ScriptData,
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => RawKind::Rawtext,
            _ => {
                self.pieces.push(Piece::Start(tag));
                return TokenSinkResult::Continue;
            }
        };
        self.silent = true;
        if name == "iframe" {
            self.pieces.push(Piece::Start(tag));
        }
        TokenSinkResult::RawData(raw)
    }

    fn end(&mut self, name: LocalName) {
        if std::mem::take(&mut self.silent) {
            return;
        }
        if self.foreign > 0 && HOLDERS.contains(&&*name) {
            self.holders = self.holders.saturating_sub(1);
        }
        if matches!(&*name, "svg" | "math") {
            self.foreign = self.foreign.saturating_sub(1);
            self.holders = if self.foreign == 0 { 0 } else { self.holders };
        }
        self.pieces.push(Piece::End(name));
    }
}

/// Value of an attribute, without white space around it, unless it is empty.
pub fn attribute<'a>(tag: &'a Tag, wanted: &str) -> Option<&'a str> {
    let found = tag.attrs.iter().find(|found| &*found.name.local == wanted)?;
    Some(found.value.trim()).filter(|value| !value.is_empty())
}

/// Whether an element is of one of these classes.
pub fn has_class(tag: &Tag, wanted: &[&str]) -> bool {
    let classes = attribute(tag, "class").unwrap_or_default();
    classes.split_ascii_whitespace().any(|class| wanted.contains(&class.to_ascii_lowercase().as_str()))
}

/// Where the element that starts at `start` ends, if that is within `most` pieces; the end is not in the range.
pub fn inside(pieces: &[Piece], start: usize, most: usize) -> Option<Range<usize>> {
    let Piece::Start(tag) = pieces.get(start)? else { return None };
    let mut depth = 1usize;
    for (at, piece) in pieces.iter().enumerate().skip(start + 1).take(most) {
        match piece {
            Piece::Start(inner) if inner.name == tag.name => depth += 1,
            Piece::End(name) if *name == tag.name => {
                depth -= 1;
                if depth == 0 {
                    return Some(start + 1..at);
                }
            }
            _ => {}
        }
    }
    None
}

/// All text of some pieces in one line.
pub fn text(pieces: &[Piece]) -> String {
    let texts = pieces.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(&**text) } else { None });
    super::summary::one_line(&texts.collect::<String>())
}
