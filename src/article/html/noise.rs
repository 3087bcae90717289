//! Removes what a page adds for its own readers: anchor signs beside headings, edit links, line numbers beside code.

use std::ops::Range;

use super::tokens::{self, Tag, Token, TokenKind};
use crate::article::summary;

/// Classes of links to the heading in which they stand, as site generators name them.
const ANCHORS: [&str; 19] = [
    "anchor",
    "anchorjs-link",
    "anchor-link",
    "anchorlink",
    "direct-link",
    "hanchor",
    "hash-link",
    "header-anchor",
    "header-link",
    "headerlink",
    "heading-anchor",
    "heading-link",
    "heading__anchor",
    "headline-anchor",
    "octicon-link",
    "permalink",
    "section-link",
    "toc-anchor",
    "zola-anchor",
];
/// The text of such a link consists of these characters.
const SIGNS: [char; 9] = ['#', '¶', '§', '🔗', '⚓', '∞', '\u{200B}', '\u{FE0F}', '\u{2060}'];
/// Classes of elements with the line numbers of code, which a reader would copy along with the code.
const NUMBERS: [&str; 7] = ["gutter", "rouge-gutter", "linenos", "lineno", "lnt", "hljs-ln-numbers", "blob-num"];
/// Classes of links to edit a section of a wiki.
pub const EDIT_LINKS: [&str; 1] = ["mw-editsection"];
/// Maximum number of tokens in an anchor sign or an edit link.
const MOST: usize = 60;
/// Maximum number of tokens in a column of line numbers.
const MOST_NUMBERS: usize = 20_000;
/// Maximum nesting of elements of one name in such a column.
const DEEPEST_NUMBERS: usize = 8;
/// Maximum number of bytes of text in an anchor sign or an edit link.
const MOST_TEXT: usize = 400;

/// Removes the noise. Also returns whether an element had no end tag, so that its content is uncertain.
pub fn without_noise(tokens: Vec<Token<'_>>) -> (Vec<Token<'_>>, bool) {
    let mut has_open_end = false;
    let mut noise: Vec<Range<usize>> = Vec::new();
    let mut within_heading = false;
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at].kind {
            TokenKind::Start(tag) if is_heading(&tag.name) => within_heading = true,
            TokenKind::End(tag) if is_heading(&tag.name) => within_heading = false,
            TokenKind::Start(tag) => {
                if let Some(end) = end_of_noise(&tokens, at, tag, within_heading, &mut has_open_end) {
                    noise.push(at..end);
                    at = end;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if noise.is_empty() {
        return (tokens, has_open_end);
    }
    let mut noise = noise.into_iter().peekable();
    let mut stays = |at: usize| {
        while noise.next_if(|range| range.end <= at).is_some() {}
        noise.peek().is_none_or(|range| at < range.start)
    };
    let tokens = tokens.into_iter().enumerate().filter_map(|(at, token)| stays(at).then_some(token));
    (tokens.collect(), has_open_end)
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// If the element that starts here is noise: the index after its end tag.
fn end_of_noise(
    tokens: &[Token<'_>],
    start: usize,
    tag: &Tag<'_>,
    within_heading: bool,
    has_open_end: &mut bool,
) -> Option<usize> {
    let is_noise: fn(&[Token<'_>]) -> bool = match &*tag.name {
        "a" => {
            let leads_here = tag.attribute("href").is_none_or(|address| address.starts_with('#'));
            let is_anchor = leads_here && (tag.has_class(&ANCHORS) || within_heading);
            is_anchor.then_some(is_only_a_sign as fn(&[Token<'_>]) -> bool)?
        }
        "span" | "sup" if tag.has_class(&EDIT_LINKS) => |_| true,
        "span" | "sup" if !tag.has_class(&NUMBERS) => is_edit_link,
        "td" | "span" if tag.has_class(&NUMBERS) => return end_of_numbers(tokens, start, tag),
        _ => return None,
    };
    let content = tokens::content(tokens, start, MOST);
    *has_open_end |= content.is_none();
    let content = content?;
    is_noise(&tokens[content.clone()]).then_some(content.end + 1)
}

/// The index after the end tag of a column of line numbers, if it contains nothing else. The search ends at the first token that
/// is no line number: otherwise each of many columns without an end tag would be searched to the end of the text.
fn end_of_numbers(tokens: &[Token<'_>], start: usize, column: &Tag<'_>) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start).take(MOST_NUMBERS) {
        match &token.kind {
            TokenKind::Start(tag) if tag.name == column.name => depth += 1,
            TokenKind::End(tag) if tag.name == column.name => depth -= 1,
            TokenKind::Text(text) if !text.resolved().chars().all(|c| c.is_ascii_digit() || c.is_whitespace()) => {
                return None;
            }
            _ => {}
        }
        match depth {
            0 => return Some(at + 1),
            1..=DEEPEST_NUMBERS => {}
            _ => return None,
        }
    }
    None
}

/// Whether a link shows a sign or nothing.
fn is_only_a_sign(content: &[Token<'_>]) -> bool {
    let is_visible = |token: &Token<'_>| match &token.kind {
        TokenKind::Start(tag) => !matches!(&*tag.name, "span" | "i" | "b" | "em" | "small"),
        _ => false,
    };
    let is_sign = |c: char| SIGNS.contains(&c) || c.is_whitespace();
    !content.iter().any(is_visible) && short_text(content).is_some_and(|text| text.chars().all(is_sign))
}

/// Whether an element shows only a link `[edit]`.
fn is_edit_link(content: &[Token<'_>]) -> bool {
    let is_link = |token: &Token<'_>| matches!(&token.kind, TokenKind::Start(tag) if tag.name == "a");
    let text = if content.iter().any(is_link) { short_text(content) } else { None };
    matches!(text.as_deref(), Some("[edit]" | "[edit source]" | "[edit | edit source]"))
}

/// All text between tags in one line, unless it is long.
fn short_text(content: &[Token<'_>]) -> Option<String> {
    let length = |token: &Token<'_>| if let TokenKind::Text(text) = &token.kind { text.source.len() } else { 0 };
    (content.iter().map(length).sum::<usize>() <= MOST_TEXT).then(|| summary::one_line(&tokens::text(content)))
}
