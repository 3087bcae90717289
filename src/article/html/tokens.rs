//! HTML -> a list of tokens, by the rules of WHATWG HTML section 13.2.5. Every pass over HTML reads this list.
//!
//! Reading takes linear time and never fails. No tree is built: an end tag need not match a start tag.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::references::{self, Context};

/// A part of an HTML text. The ranges of all tokens together are the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: TokenKind<'a>,
    /// Where the token stands in the source, in bytes.
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind<'a> {
    /// Text between tags.
    Text(Text<'a>),
    /// The content of a `<script>`, a `<title>` or another element that holds no tags. It follows the element's start tag.
    RawText(Text<'a>),
    Start(Tag<'a>),
    /// A start tag within a drawing (`<svg>`) or a formula (`<math>`), and the start tag of one.
    Foreign(Tag<'a>),
    End(Tag<'a>),
    /// With `<!--` and `-->`. The end of the text ends a comment, too.
    Comment(&'a str),
    /// A part that shows nothing: a doctype, `<?…>`, `</>`, or a tag that the end of the text cuts off.
    Other,
}

/// A text as it stands in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub source: &'a str,
    rule: TextRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextRule {
    Data,
    /// Character references and no tags: `<title>` and `<textarea>`.
    Escapable,
    /// Neither references nor tags: scripts and style sheets.
    Raw,
    /// As between tags: the content of a CDATA section.
    Literal,
}

/// A start tag or an end tag. Its attributes are read when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// In lower case.
    pub name: Cow<'a, str>,
    pub is_self_closing: bool,
    /// Everything between the name and the `>`.
    attributes: &'a str,
}

/// An attribute of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// In lower case.
    pub name: Cow<'a, str>,
    /// With its character references as they are written.
    pub source: &'a str,
    /// From the start of the name to the end of the value with its quotes, counted from the end of the tag's name.
    pub range: Range<usize>,
}

/// Reads a fragment or a page.
pub fn tokens(html: &str) -> Tokens<'_> {
    Tokens { html, at: 0, open_raw: None, foreign: Foreign::default() }
}

/// The tokens of a text.
pub struct Tokens<'a> {
    html: &'a str,
    at: usize,
    /// Name of the element whose content comes next and holds no tags.
    open_raw: Option<Cow<'a, str>>,
    foreign: Foreign,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.open_raw.take() {
            let start = self.at;
            self.at += raw_length(&self.html[start..], &name);
            if self.at > start {
                let rule = if is_escapable(&name) { TextRule::Escapable } else { TextRule::Raw };
                let text = Text { source: &self.html[start..self.at], rule };
                return Some(Token { kind: TokenKind::RawText(text), range: start..self.at });
            }
        }
        let start = self.at;
        let rest = &self.html[start..];
        if rest.is_empty() {
            return None;
        }
        let text = text_length(rest);
        let kind = if text > 0 {
            self.at += text;
            TokenKind::Text(Text { source: &rest[..text], rule: TextRule::Data })
        } else {
            self.markup()
        };
        Some(Token { kind, range: start..self.at })
    }
}

impl<'a> Tokens<'a> {
    /// Reads the tag, the comment or the like that starts here.
    fn markup(&mut self) -> TokenKind<'a> {
        let rest = &self.html[self.at..];
        match rest.as_bytes().get(1) {
            Some(b'/') if rest.as_bytes().get(2).is_some_and(u8::is_ascii_alphabetic) => match self.tag("</".len()) {
                Some(tag) => {
                    self.foreign.end(&tag.name);
                    TokenKind::End(tag)
                }
                None => TokenKind::Other,
            },
            Some(byte) if byte.is_ascii_alphabetic() => match self.tag("<".len()) {
                Some(tag) if self.foreign.holds(&tag) => TokenKind::Foreign(tag),
                Some(tag) => {
                    self.open_raw = holds_raw_text(&tag.name).then(|| tag.name.clone());
                    TokenKind::Start(tag)
                }
                None => TokenKind::Other,
            },
            Some(b'!') if rest.starts_with("<!--") => {
                let length = comment_length(rest);
                self.at += length;
                TokenKind::Comment(&rest[..length])
            }
            Some(b'!') if self.foreign.is_open() && rest.starts_with("<![CDATA[") => {
                let start = "<![CDATA[".len();
                let end = rest[start..].find("]]>").map(|end| start + end);
                self.at += end.map_or(rest.len(), |end| end + "]]>".len());
                TokenKind::Text(Text { source: &rest[start..end.unwrap_or(rest.len())], rule: TextRule::Literal })
            }
            _ => {
                self.at += rest.find('>').map_or(rest.len(), |end| end + 1);
                TokenKind::Other
            }
        }
    }

    /// Reads the tag whose name starts `offset` bytes from here. Returns `None` if the text ends within the tag.
    fn tag(&mut self, offset: usize) -> Option<Tag<'a>> {
        let start = self.at + offset;
        let is_end = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
        let name = &self.html[start..];
        let name = &name[..name.bytes().position(is_end).unwrap_or(name.len())];
        let start = start + name.len();
        let (mut at, mut last) = (start, start);
        while attribute_at(self.html, &mut at).is_some() {
            last = at;
        }
        self.at = (at + 1).min(self.html.len());
        (at < self.html.len()).then(|| Tag {
            name: lower(name),
            is_self_closing: self.html[last..at].ends_with('/'),
            attributes: &self.html[start..at],
        })
    }
}

/// Number of bytes before the next tag, comment or the like.
fn text_length(html: &str) -> usize {
    let starts = |(at, _): &(usize, &str)| match html.as_bytes()[at + 1..] {
        [b'/', ..] => at + "</".len() < html.len(),
        [next, ..] => next.is_ascii_alphabetic() || matches!(next, b'!' | b'?'),
        [] => false,
    };
    html.match_indices('<').find(starts).map_or(html.len(), |(at, _)| at)
}

/// Length of the comment that a text starts with.
fn comment_length(html: &str) -> usize {
    let open = "<!--".len();
    let inside = &html[open..];
    // An end of the comment may share its dashes with the start.
    if let Some(length) = ["-->", "->", ">"].iter().find(|end| inside.starts_with(**end)).map(|end| end.len()) {
        return open + length;
    }
    let end = |(at, _): (usize, &str)| {
        let rest = &inside[at..];
        ["-->", "--!>"].iter().find(|end| rest.starts_with(**end)).map(|end| at + end.len())
    };
    inside.match_indices('-').find_map(end).map_or(html.len(), |length| open + length)
}

/// Whether the content of an element has no tags, and ends only with the element's own end tag.
pub fn holds_raw_text(name: &str) -> bool {
    is_escapable(name) || matches!(name, "script" | "style" | "xmp" | "iframe" | "noembed" | "noframes")
}

fn is_escapable(name: &str) -> bool {
    matches!(name, "title" | "textarea")
}

/// Number of bytes before the end tag of an element that holds raw text.
fn raw_length(html: &str, name: &str) -> usize {
    if name == "script" {
        return script_length(html);
    }
    html.match_indices('<').find(|(at, _)| is_tag(&html[*at..], "</", name)).map_or(html.len(), |(at, _)| at)
}

/// Whether a text starts with `start`, then a name in any case, then the end of the name.
fn is_tag(html: &str, start: &str, name: &str) -> bool {
    let Some(rest) = html.strip_prefix(start) else { return false };
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && rest.as_bytes().get(name.len()).is_some_and(ends)
}

/// Number of bytes before the end tag of a script. Within `<!-- <script>`, an end tag ends only the inner script.
fn script_length(html: &str) -> usize {
    #[derive(PartialEq, Eq)]
    enum Mode {
        Script,
        Comment,
        ScriptInComment,
    }
    let (mut mode, mut dashes, mut at) = (Mode::Script, 0, 0);
    for (index, byte) in html.bytes().enumerate() {
        if index < at {
            continue;
        }
        at = index + 1;
        dashes = if byte == b'-' { dashes + 1 } else { dashes };
        match byte {
            b'-' => continue,
            b'>' if dashes >= 2 => mode = Mode::Script,
            b'<' if is_tag(&html[index..], "</", "script") => {
                if mode != Mode::ScriptInComment {
                    return index;
                }
                mode = Mode::Comment;
                at = index + "</script>".len();
            }
            b'<' if mode == Mode::Comment && is_tag(&html[index..], "<", "script") => {
                mode = Mode::ScriptInComment;
                at = index + "<script>".len();
            }
            b'<' if mode == Mode::Script && html[index..].starts_with("<!--") => {
                mode = Mode::Comment;
                at = index + "<!--".len();
                dashes = 2;
                continue;
            }
            _ => {}
        }
        dashes = 0;
    }
    html.len()
}

/// Reads the attribute at or after `at` in a tag, and sets `at` to the end of the attribute. Returns `None` at the end of the tag,
/// and sets `at` to the place of its `>`.
fn attribute_at<'a>(html: &'a str, at: &mut usize) -> Option<Attribute<'a>> {
    let position = |from: usize, is_match: fn(u8) -> bool| {
        html.as_bytes()[from..].iter().position(|byte| is_match(*byte)).map_or(html.len(), |offset| from + offset)
    };
    let start = position(*at, |byte| !byte.is_ascii_whitespace() && byte != b'/');
    *at = start;
    // A name may start with `=`.
    let first = html.as_bytes().get(start).filter(|byte| **byte != b'>')?;
    let name_end = position(start + usize::from(*first == b'='), |byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'=')
    });
    *at = name_end;
    let mut source = "";
    let equals = position(name_end, |byte| !byte.is_ascii_whitespace());
    if html.as_bytes().get(equals) == Some(&b'=') {
        let value = position(equals + 1, |byte| !byte.is_ascii_whitespace());
        let (from, to) = match html.as_bytes().get(value) {
            Some(b'"') => (value + 1, position(value + 1, |byte| byte == b'"')),
            Some(b'\'') => (value + 1, position(value + 1, |byte| byte == b'\'')),
            _ => (value, position(value, |byte| byte.is_ascii_whitespace() || byte == b'>')),
        };
        source = &html[from..to];
        let quote = usize::from(from > value);
        *at = (to + quote).min(html.len());
    }
    Some(Attribute { name: lower(&html[start..name_end]), source, range: start..*at })
}

/// A name as HTML compares names.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == 0) {
        Cow::Owned(name.to_ascii_lowercase().replace('\0', "\u{FFFD}"))
    } else {
        Cow::Borrowed(name)
    }
}

/// With every line end as a line feed.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

fn resolved<'a>(text: &'a str, nul: &str, context: Option<Context>) -> Cow<'a, str> {
    if !text.bytes().any(|byte| matches!(byte, b'&' | b'\r' | b'\0')) {
        return Cow::Borrowed(text);
    }
    let text = with_line_feeds(text);
    // No reference extends over a NUL.
    let parts = text.split('\0').map(|part| match context {
        Some(context) => references::resolve(part, context),
        None => Cow::Borrowed(part),
    });
    Cow::Owned(parts.collect::<Vec<_>>().join(nul))
}

impl<'a> Text<'a> {
    /// The text that a reader sees: with its character references resolved.
    pub fn resolved(self) -> Cow<'a, str> {
        match self.rule {
            TextRule::Data => resolved(self.source, "", Some(Context::Text)),
            TextRule::Escapable => resolved(self.source, "\u{FFFD}", Some(Context::Text)),
            TextRule::Raw => resolved(self.source, "\u{FFFD}", None),
            TextRule::Literal => resolved(self.source, "", None),
        }
    }
}

impl<'a> Attribute<'a> {
    /// With its character references resolved.
    pub fn value(&self) -> Cow<'a, str> {
        resolved(self.source, "\u{FFFD}", Some(Context::Attribute))
    }
}

impl<'a> Tag<'a> {
    /// Every attribute as it is written, also those that repeat a name.
    fn written_attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let (attributes, mut at) = (self.attributes, 0);
        std::iter::from_fn(move || attribute_at(attributes, &mut at))
    }

    /// The attributes. Of those with one name, only the first counts.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let mut names = HashSet::new();
        self.written_attributes().filter(move |attribute| names.insert(attribute.name.clone()))
    }

    /// The attribute of this name.
    pub fn find(&self, name: &str) -> Option<Attribute<'a>> {
        self.written_attributes().find(|attribute| attribute.name == name)
    }

    /// Value of an attribute without white space around it; `None` if it is empty.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let value = match self.find(name)?.value() {
            Cow::Borrowed(value) => Cow::Borrowed(value.trim()),
            Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
        };
        Some(value).filter(|value| !value.is_empty())
    }

    /// Whether the element has one of these classes, which are in lower case.
    pub fn has_class(&self, classes: &[&str]) -> bool {
        let stated = self.attribute("class").unwrap_or_default();
        stated.split_ascii_whitespace().any(|class| classes.contains(&class.to_ascii_lowercase().as_str()))
    }

    /// Where the attributes of a tag start in the source; `range` is the range of its token.
    pub fn attributes_start(&self, range: &Range<usize>) -> usize {
        range.end - ">".len() - self.attributes.len()
    }
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

/// Elements of drawings and formulas that may contain HTML.
const INTEGRATION_POINTS: [&str; 9] =
    ["foreignobject", "desc", "title", "annotation-xml", "mi", "mo", "mn", "ms", "mtext"];

/// The drawings and formulas that are open. In them, `<title>` and `<style>` hold tags, and CDATA sections exist.
#[derive(Debug, Default)]
struct Foreign {
    /// Number of open `<svg>` and `<math>`.
    open: usize,
    /// Number of open elements in them that may contain HTML.
    integration_points: usize,
}

impl Foreign {
    fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Adds a start tag; returns whether it belongs to a drawing or a formula.
    fn holds(&mut self, tag: &Tag<'_>) -> bool {
        let name: &str = &tag.name;
        let is_root = matches!(name, "svg" | "math");
        if self.integration_points == 0 && BREAKS_OUT.contains(&name) {
            self.open = 0;
        }
        let is_foreign = is_root || self.is_open();
        if is_foreign && !tag.is_self_closing {
            self.integration_points += usize::from(INTEGRATION_POINTS.contains(&name));
            self.open += usize::from(is_root);
        }
        is_foreign
    }

    fn end(&mut self, name: &str) {
        if self.is_open() && INTEGRATION_POINTS.contains(&name) {
            self.integration_points = self.integration_points.saturating_sub(1);
        }
        if matches!(name, "svg" | "math") {
            self.open = self.open.saturating_sub(1);
            self.integration_points = if self.is_open() { self.integration_points } else { 0 };
        }
    }
}

/// The tokens that a reader may see: all but comments, doctypes, and elements that hold raw text. The start tag of an
/// `<iframe>` stays, since its address may be shown, and `<xmp>`, whose raw text browsers show.
pub fn visible(html: &str) -> Vec<Token<'_>> {
    let (mut in_raw, mut in_xmp) = (false, false);
    let is_visible = |token: &Token<'_>| match &token.kind {
        TokenKind::Start(tag) if tag.name == "xmp" => {
            in_xmp = true;
            true
        }
        TokenKind::RawText(_) if std::mem::take(&mut in_xmp) => true,
        TokenKind::Start(tag) if holds_raw_text(&tag.name) => {
            in_raw = true;
            tag.name == "iframe"
        }
        TokenKind::End(_) => !std::mem::take(&mut in_raw),
        TokenKind::Text(_) | TokenKind::Start(_) | TokenKind::Foreign(_) => true,
        TokenKind::RawText(_) | TokenKind::Comment(_) | TokenKind::Other => false,
    };
    tokens(html).filter(is_visible).collect()
}

/// The tokens between a start tag and its end tag, if there are at most `most`.
pub fn content(tokens: &[Token<'_>], start: usize, most: usize) -> Option<Range<usize>> {
    let TokenKind::Start(tag) = &tokens.get(start)?.kind else { return None };
    let mut depth = 1_usize;
    for (at, token) in tokens.iter().enumerate().skip(start + 1).take(most) {
        match &token.kind {
            TokenKind::Start(inner) if inner.name == tag.name => depth += 1,
            TokenKind::End(end) if end.name == tag.name => {
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

/// All text between tags.
pub fn text(tokens: &[Token<'_>]) -> String {
    let texts = tokens.iter().filter_map(|token| match &token.kind {
        TokenKind::Text(text) => Some(text.resolved()),
        _ => None,
    });
    texts.collect()
}

/// Most comparisons of attributes that a text may need: those of one tag with four thousand attributes.
const MOST_COMPARISONS: usize = 20_000_000;

/// Whether a parser that compares each attribute with all others of its tag would take too long.
pub fn has_crowded_tags(html: &str) -> bool {
    let comparisons = |token: Token<'_>| match token.kind {
        TokenKind::Start(tag) | TokenKind::Foreign(tag) | TokenKind::End(tag) => {
            tag.written_attributes().count().pow(2)
        }
        _ => 0,
    };
    tokens(html).map(comparisons).sum::<usize>() > MOST_COMPARISONS
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use html5ever::buffer_queue::BufferQueue;
    use html5ever::tendril::StrTendril;
    use html5ever::tokenizer as oracle;
    use proptest::prelude::*;

    use super::*;

    /// The tokens in a short form: `<p a="b">`, `</p>`, `"text"`, `raw "text"`, `<!---->`, `foreign <svg>`, `other`.
    fn short(html: &str) -> String {
        let shorts = tokens(html).map(|token| match token.kind {
            TokenKind::Text(text) => format!("{:?}", text.resolved()),
            TokenKind::RawText(text) => format!("raw {:?}", text.resolved()),
            TokenKind::Start(tag) => short_tag("<", &tag),
            TokenKind::Foreign(tag) => short_tag("foreign <", &tag),
            TokenKind::End(tag) => format!("</{}>", tag.name),
            TokenKind::Comment(source) => source.to_owned(),
            TokenKind::Other => "other".to_owned(),
        });
        shorts.collect::<Vec<_>>().join(" ")
    }

    fn short_tag(start: &str, tag: &Tag<'_>) -> String {
        let attributes = tag.attributes().map(|attribute| format!(" {}={:?}", attribute.name, attribute.value()));
        let end = if tag.is_self_closing { "/>" } else { ">" };
        format!("{start}{}{}{end}", tag.name, attributes.collect::<String>())
    }

    fn check(cases: &[(&str, &str)]) {
        for (html, expected) in cases {
            assert_eq!(short(html), *expected, "{html}");
        }
    }

    #[test]
    fn tags_and_texts() {
        check(&[
            ("", ""),
            ("a", "\"a\""),
            ("a<p>b</p>c", "\"a\" <p> \"b\" </p> \"c\""),
            ("<P>x</P >", "<p> \"x\" </p>"),
            ("<É>", "\"<É>\""),
            ("<x-É>", "<x-É>"),
            ("é<b>日本</b>", "\"é\" <b> \"日本\" </b>"),
            ("a < b <3 <", "\"a < b <3 <\""),
            ("<<p>", "\"<\" <p>"),
            ("a</", "\"a</\""),
            ("</>a</ b>c", "other \"a\" other \"c\""),
            ("<p", "other"),
            ("a<p b='>", "\"a\" other"),
            ("</p", "other"),
            ("a\0b\r\nc\rd", "\"ab\\nc\\nd\""),
            ("<p\0>", "<p\u{FFFD}>"),
            ("&lt;p&gt;&nbsp", "\"<p>\\u{a0}\""),
            ("<br/><br /><br / >", "<br/> <br/> <br>"),
        ]);
    }

    #[test]
    fn attributes_in_all_their_forms() {
        check(&[
            ("<p a>", "<p a=\"\">"),
            ("<p a=b c='d' e=\"f\">", "<p a=\"b\" c=\"d\" e=\"f\">"),
            ("<p A=B>", "<p a=\"B\">"),
            ("<p a = b c\n=\t'd'>", "<p a=\"b\" c=\"d\">"),
            ("<p a='>' b=\"<i>\">", "<p a=\">\" b=\"<i>\">"),
            ("<p a=b>c", "<p a=\"b\"> \"c\""),
            ("<p a=b/>", "<p a=\"b/\">"),
            ("<p a='b'/>", "<p a=\"b\"/>"),
            ("<p a/>", "<p a=\"\"/>"),
            ("<p a=>b", "<p a=\"\"> \"b\""),
            ("<p/a/b>", "<p a=\"\" b=\"\">"),
            ("<p a='b'c=d>", "<p a=\"b\" c=\"d\">"),
            ("<p =a =>", "<p =a=\"\">"),
            ("<p a/ =b>", "<p a=\"\" =b=\"\">"),
            ("<p a\"'<b=c\"'<>", "<p a\"'<b=\"c\\\"'<\">"),
            ("<p a=1 A=2 a=3>", "<p a=\"1\">"),
            ("<p a=\"&quot;&copy=\0\">", "<p a=\"\\\"&copy=\u{FFFD}\">"),
            ("</p a='>'>b", "</p> \"b\""),
        ]);
    }

    #[test]
    fn a_tag_with_thousands_of_attributes_is_crowded() {
        let crowd = (0..5000).map(|number| format!(" a{number}")).collect::<Vec<_>>().concat();
        assert!(has_crowded_tags(&format!("<p{crowd}>")));
        assert!(has_crowded_tags(&format!("</p{crowd}>")));
        assert!(!has_crowded_tags(&format!("<p a=\"{crowd}\">").repeat(100)), "a long value is one attribute");
        assert!(!has_crowded_tags(&format!("<!-- <p{crowd}> -->")), "a comment has no tags");
    }

    #[test]
    fn comments_and_what_looks_like_one() {
        check(&[
            ("<!---->a", "<!----> \"a\""),
            ("<!-->a", "<!--> \"a\""),
            ("<!--->a", "<!---> \"a\""),
            ("<!----!>a", "<!----!> \"a\""),
            ("<!-- a > b -- c -->d", "<!-- a > b -- c --> \"d\""),
            ("<!-- a --!>b", "<!-- a --!> \"b\""),
            ("<!-- a --->b", "<!-- a ---> \"b\""),
            ("<!-- <!-- -->a -->", "<!-- <!-- --> \"a -->\""),
            ("<!--<!-->a", "<!--<!--> \"a\""),
            ("<!---a", "<!---a"),
            ("<!-- <p> --", "<!-- <p> --"),
            ("<!doctype html>a", "other \"a\""),
            ("<!DOCTYPE html PUBLIC \"a>b\">", "other \"b\\\">\""),
            ("<!->a<!>b<?php '>' ?>c", "other \"a\" other \"b\" other \"' ?>c\""),
            ("<![CDATA[ a > b ]]>", "other \" b ]]>\""),
        ]);
    }

    #[test]
    fn raw_text_ends_with_the_end_tag_of_its_element() {
        check(&[
            ("<title>A &amp; <b></title>c", "<title> raw \"A & <b>\" </title> \"c\""),
            ("<textarea></title></TEXTAREA>", "<textarea> raw \"</title>\" </textarea>"),
            ("<style>a>b{}&amp;</style >c", "<style> raw \"a>b{}&amp;\" </style> \"c\""),
            ("<script></script>a", "<script> </script> \"a\""),
            ("<SCRIPT>'</scripts>' < </script", "<script> raw \"'</scripts>' < </script\""),
            ("<script/>a", "<script/> raw \"a\""),
            ("<style>\0</style/a>", "<style> raw \"\u{FFFD}\" </style>"),
            (
                "<script><!-- <script></script> --></script>a",
                "<script> raw \"<!-- <script></script> -->\" </script> \"a\"",
            ),
            ("<script><!-- </script>a", "<script> raw \"<!-- \" </script> \"a\""),
            ("<script><!--><script></script>a", "<script> raw \"<!--><script>\" </script> \"a\""),
            ("<script><!--<script>--></script>a", "<script> raw \"<!--<script>-->\" </script> \"a\""),
            ("<p></script>", "<p> </script>"),
            ("<plaintext></p>", "<plaintext> </p>"),
            ("<noscript><p></noscript>", "<noscript> <p> </noscript>"),
        ]);
    }

    #[test]
    fn drawings_and_formulas_have_their_own_rules() {
        check(&[
            ("<svg><title>a<b></title></svg>", "foreign <svg> foreign <title> \"a\" foreign <b> </title> </svg>"),
            ("<svg><style/><p>a", "foreign <svg> foreign <style/> <p> \"a\""),
            ("<svg/><style>a</style>", "foreign <svg/> <style> raw \"a\" </style>"),
            ("<svg><![CDATA[ a > &amp; ]]>b</svg>", "foreign <svg> \" a > &amp; \" \"b\" </svg>"),
            ("<math><mi>x</mi><p>y", "foreign <math> foreign <mi> \"x\" </mi> <p> \"y\""),
            (
                "<svg><desc><p>a</svg><title>b",
                "foreign <svg> foreign <desc> foreign <p> \"a\" </svg> <title> raw \"b\"",
            ),
        ]);
    }

    #[test]
    fn tokens_between_a_start_tag_and_its_end_tag() {
        let tokens: Vec<_> = tokens("a<b>c<b>d</b></b>e<b>").collect();
        assert_eq!(content(&tokens, 1, 10), Some(2..6));
        assert_eq!(content(&tokens, 1, 4), None);
        assert_eq!(content(&tokens, 0, 10), None);
        assert_eq!(content(&tokens, 8, 10), None);
        assert_eq!(text(&tokens[2..6]), "cd");
    }

    /// The tokenizer of `html5ever`, as an independent reading.
    #[derive(Default)]
    struct Oracle(RefCell<(Vec<String>, Foreign, bool)>);

    impl oracle::TokenSink for Oracle {
        type Handle = ();

        fn process_token(&self, token: oracle::Token, _line: u64) -> oracle::TokenSinkResult<()> {
            use oracle::states::RawKind;
            let (shorts, foreign, in_raw) = &mut *self.0.borrow_mut();
            match token {
                oracle::Token::CharacterTokens(text) => shorts.push(format!("text {text}")),
                oracle::Token::TagToken(tag) => {
                    let mut attributes = String::new();
                    for attribute in &tag.attrs {
                        attributes.push_str(&format!(" {}={:?}", attribute.name.local, &*attribute.value));
                    }
                    let own =
                        Tag { name: tag.name.to_string().into(), is_self_closing: tag.self_closing, attributes: "" };
                    if tag.kind == oracle::TagKind::EndTag {
                        shorts.push(format!("</{}>", tag.name));
                        if !std::mem::take(in_raw) {
                            foreign.end(&tag.name);
                        }
                        return oracle::TokenSinkResult::Continue;
                    }
                    let end = if tag.self_closing { "/>" } else { ">" };
                    let is_foreign = foreign.holds(&own);
                    let start = if is_foreign { "foreign <" } else { "<" };
                    shorts.push(format!("{start}{}{attributes}{end}", tag.name));
                    *in_raw = !is_foreign && holds_raw_text(&tag.name);
                    if *in_raw {
                        return oracle::TokenSinkResult::RawData(match &*tag.name {
                            "script" => RawKind::ScriptData,
                            name if is_escapable(name) => RawKind::Rcdata,
                            _ => RawKind::Rawtext,
                        });
                    }
                }
                _ => {}
            }
            oracle::TokenSinkResult::Continue
        }

        fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
            self.0.borrow().1.is_open()
        }
    }

    /// Texts that follow each other are one text here: `html5ever` splits texts at line ends and references.
    fn joined(shorts: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut joined: Vec<String> = Vec::new();
        for short in shorts {
            match (joined.last_mut(), short.strip_prefix("text ")) {
                (Some(last), Some(text)) if last.starts_with("text ") => last.push_str(text),
                (_, Some("")) => {}
                _ => joined.push(short),
            }
        }
        joined
    }

    fn by_oracle(html: &str) -> Vec<String> {
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from_slice(html));
        let options = oracle::TokenizerOpts { discard_bom: false, ..oracle::TokenizerOpts::default() };
        let tokenizer = oracle::Tokenizer::new(Oracle::default(), options);
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        joined(tokenizer.sink.0.into_inner().0)
    }

    fn by_tokens(html: &str) -> Vec<String> {
        let shorts = tokens(html).filter_map(|token| match token.kind {
            TokenKind::Text(text) | TokenKind::RawText(text) => Some(format!("text {}", text.resolved())),
            TokenKind::Start(tag) => Some(short_tag("<", &tag)),
            TokenKind::Foreign(tag) => Some(short_tag("foreign <", &tag)),
            TokenKind::End(tag) => Some(format!("</{}>", tag.name)),
            TokenKind::Comment(_) | TokenKind::Other => None,
        });
        joined(shorts)
    }

    /// Parts of texts in which tokenizers differ most.
    const PARTS: [&str; 72] = [
        "<",
        ">",
        "/",
        "=",
        "'",
        "\"",
        "!",
        "-",
        "--",
        "&",
        ";",
        "#",
        "x",
        " ",
        "\n",
        "\r",
        "\0",
        "é",
        "a",
        "B",
        "=\"",
        "='",
        "<p>",
        "</p>",
        "<P a=b",
        " a",
        " c='d'",
        "/>",
        "<a href=\"?a&copy=1&lt\"",
        "<br/>",
        "</",
        "</>",
        "<!",
        "<!--",
        "-->",
        "--!>",
        "<!-->",
        "<!--->",
        "<!doctype",
        "<?",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&amp",
        "&notit",
        "&#65;",
        "&#x",
        "&#128;",
        "&#0",
        "&NotEqualTilde;",
        "<script>",
        "</script>",
        "<script",
        "</script",
        "<style>",
        "</style>",
        "<title>",
        "</title ",
        "<textarea>",
        "</TEXTAREA>",
        "<iframe>",
        "</iframe>",
        "<xmp>",
        "</xmp>",
        "<plaintext>",
        "<svg>",
        "</svg>",
        "<svg/>",
        "<math>",
        "</math>",
        "<desc>",
        "<mi>",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_independent_tokenizer_reads_the_same(parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..16)) {
            let html = parts.concat();
            prop_assert_eq!(by_tokens(&html), by_oracle(&html), "{:?}", html);
            let mut end = 0;
            for token in tokens(&html) {
                prop_assert_eq!(token.range.start, end);
                prop_assert!(token.range.end > end);
                end = token.range.end;
            }
            prop_assert_eq!(end, html.len());
        }
    }
}
